/* SQL text to unbound nodes. A hand-written lexer and a recursive-descent parser with precedence climbing; depth is
 * bounded. It writes wr_node trees directly: a second tree in between would only be copied. */
#ifndef WR_SQL_PARSER_H
#define WR_SQL_PARSER_H

#include "plan/node.h"

/* One statement of a script. */
typedef struct wr_statement {
    wr_node *node;
    uint32_t begin, end; /* in the script, without the semicolon */
} wr_statement;

/* Parses the statement that starts at or after *cursor and moves *cursor behind its semicolon; out->node is NULL when
 * only blanks and comments were left. Positions are offsets in the whole script. On an error *cursor is behind the
 * statement too, or at the end of the script where the statement could not be cut into tokens. The nodes do not point
 * into the script. */
WR_MUST_CHECK wr_status wr_sql_parse_next(wr_arena *arena, wr_str script, uint32_t *cursor, wr_statement *out,
                                          wr_error *err);
/* True when the text ends inside a statement, a quote or a comment: a shell reads on. */
bool wr_sql_is_incomplete(wr_str script);
/* The keywords, for completion and for quoting; sorted. */
const char *const *wr_sql_keywords(uint32_t *count);
/* The name as SQL has to write it: quoted when it must be. */
void wr_sql_quote_identifier(wr_text *text, wr_str name);

#endif
