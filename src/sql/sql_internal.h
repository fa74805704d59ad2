/* What the files of the parser share: tokens, the state of a parse, and one function per area of the grammar.
 *
 * A statement is cut into tokens first, so that the parser may look ahead as far as it needs and an error can look back
 * at what went wrong. Every wr_sql_x(parser, out) that parses an x starts at the current token, leaves the first token
 * behind x as the current one, and on a failure has filled the parser's error. */
#ifndef WR_SQL_SQL_INTERNAL_H
#define WR_SQL_SQL_INTERNAL_H

#include "sql/parser.h"

typedef enum wr_keyword {
    WR_KEYWORD_NONE,
#define WR_KEYWORD(WORD, class) WR_KEYWORD_##WORD,
#include "sql/keywords.def"
    WR_KEYWORD_COUNT
} wr_keyword;

typedef enum wr_keyword_class {
    WR_KEYWORD_IS_NAME,
    WR_KEYWORD_IS_LABEL,
    WR_KEYWORD_IS_FUNCTION,
    WR_KEYWORD_IS_VALUE,
    WR_KEYWORD_IS_RESERVED,
} wr_keyword_class;

/* WR_KEYWORD_NONE when the word is none. */
wr_keyword wr_keyword_find(wr_str word);
/* A word that is no keyword is a NAME. */
wr_keyword_class wr_keyword_class_of(wr_keyword keyword);
const char *wr_keyword_text(wr_keyword keyword);

/* ---- tokens ---- */

#define WR_SQL_SIGNS(X)                                                                                                \
    X(LEFT_PAREN, "(")                                                                                                 \
    X(RIGHT_PAREN, ")")                                                                                                \
    X(LEFT_BRACKET, "[")                                                                                               \
    X(RIGHT_BRACKET, "]")                                                                                              \
    X(LEFT_BRACE, "{")                                                                                                 \
    X(RIGHT_BRACE, "}")                                                                                                \
    X(COMMA, ",")                                                                                                      \
    X(SEMICOLON, ";")                                                                                                  \
    X(DOT, ".")                                                                                                        \
    X(COLON, ":")                                                                                                      \
    X(CAST, "::")                                                                                                      \
    X(ASSIGN, ":=")                                                                                                    \
    X(FAT_ARROW, "=>")                                                                                                 \
    X(ARROW, "->")                                                                                                     \
    X(LONG_ARROW, "->>")                                                                                               \
    X(EQUAL, "=")                                                                                                      \
    X(DOUBLE_EQUAL, "==")                                                                                              \
    X(NOT_EQUAL, "<>")                                                                                                 \
    X(LESS, "<")                                                                                                       \
    X(LESS_EQUAL, "<=")                                                                                                \
    X(GREATER, ">")                                                                                                    \
    X(GREATER_EQUAL, ">=")                                                                                             \
    X(PLUS, "+")                                                                                                       \
    X(MINUS, "-")                                                                                                      \
    X(STAR, "*")                                                                                                       \
    X(SLASH, "/")                                                                                                      \
    X(DOUBLE_SLASH, "//")                                                                                              \
    X(PERCENT, "%")                                                                                                    \
    X(CARET, "^")                                                                                                      \
    X(CONCAT, "||")                                                                                                    \
    X(BAR, "|")                                                                                                        \
    X(AMPERSAND, "&")                                                                                                  \
    X(OVERLAPS, "&&")                                                                                                  \
    X(SHIFT_LEFT, "<<")                                                                                                \
    X(SHIFT_RIGHT, ">>")                                                                                               \
    X(CONTAINS, "@>")                                                                                                  \
    X(CONTAINED, "<@")                                                                                                 \
    X(STARTS_WITH, "^@")                                                                                               \
    X(TILDE, "~")                                                                                                      \
    X(TILDE_STAR, "~*")                                                                                                \
    X(NOT_TILDE, "!~")                                                                                                 \
    X(NOT_TILDE_STAR, "!~*")                                                                                           \
    X(LIKE, "~~")                                                                                                      \
    X(LIKE_STAR, "~~*")                                                                                                \
    X(NOT_LIKE, "!~~")                                                                                                 \
    X(NOT_LIKE_STAR, "!~~*")

typedef enum wr_token_kind {
    WR_TOKEN_END,
    WR_TOKEN_WORD,
    WR_TOKEN_QUOTED,    /* "name" */
    WR_TOKEN_STRING,    /* 'text' */
    WR_TOKEN_ESCAPED,   /* E'text\n' */
    WR_TOKEN_DOLLAR,    /* $$text$$, $tag$text$tag$ */
    WR_TOKEN_BLOB,      /* x'00ff' */
    WR_TOKEN_NUMBER,    /* 1_000, .5, 1e-3, 0x1f, 0o17, 0b11 */
    WR_TOKEN_PARAMETER, /* ?, $1, $name */
#define WR_SIGN(NAME, text) WR_TOKEN_##NAME,
    WR_SQL_SIGNS(WR_SIGN)
#undef WR_SIGN
        WR_TOKEN_KINDS
} wr_token_kind;

typedef struct wr_token {
    uint8_t kind;        /* wr_token_kind */
    bool plain;          /* the text between the quotes, or the number, stands as it is */
    uint16_t keyword;    /* wr_keyword of a WORD */
    uint32_t begin, end; /* in the script, quotes included */
} wr_token;

typedef struct wr_lexer {
    wr_str script;
    uint32_t at;
    bool unclosed; /* the failure is a quote or a comment without an end */
} wr_lexer;

WR_MUST_CHECK wr_status wr_lexer_next(wr_lexer *lexer, wr_token *out, wr_error *err);
/* The sign, or NULL when the kind is none. */
const char *wr_token_sign(wr_token_kind kind);

/* ---- the state of a parse ---- */

/* Parentheses, queries and prefix operators that lie in one another: what costs C stack while parsing, less than 512 KB
 * for so many. */
enum { WR_SQL_DEPTH_MAX = 500 };

typedef struct wr_parser {
    wr_arena *arena;
    wr_str script;
    wr_str copy;         /* of the statement, in the arena: the texts of nodes point into it */
    uint32_t copy_begin; /* its place in the script */
    wr_token *tokens;    /* of the statement; the last one is END */
    uint32_t at, token_count, token_capacity;
    wr_node **stack; /* children whose parent is not made yet */
    uint32_t stack_count, stack_capacity;
    uint32_t depth;
    uint32_t question_count; /* parameters written ? */
    bool numbered;           /* there are parameters written $1 or $name */
    const char *tail;        /* what else could stand at token tail_at */
    uint32_t tail_at;
    uint32_t list_at; /* the token at which a list ended for want of a comma */
    wr_error *err;
} wr_parser;

static inline const wr_token *wr_sql_token(const wr_parser *p, uint32_t ahead) {
    uint32_t last = p->token_count - 1, at = p->at + ahead;
    return &p->tokens[at < last ? at : last];
}
static inline bool wr_sql_is(const wr_parser *p, wr_token_kind kind) {
    return p->tokens[p->at].kind == kind;
}
static inline bool wr_sql_is_word(const wr_parser *p, wr_keyword keyword) {
    return p->tokens[p->at].keyword == keyword;
}
static inline bool wr_sql_is_word_at(const wr_parser *p, uint32_t ahead, wr_keyword keyword) {
    return wr_sql_token(p, ahead)->keyword == keyword;
}
static inline bool wr_sql_is_at(const wr_parser *p, uint32_t ahead, wr_token_kind kind) {
    return wr_sql_token(p, ahead)->kind == kind;
}
static inline uint32_t wr_sql_position(const wr_parser *p) {
    return p->tokens[p->at].begin;
}
static inline void wr_sql_advance(wr_parser *p) {
    if (p->at + 1 < p->token_count) p->at++;
}
static inline bool wr_sql_accept(wr_parser *p, wr_token_kind kind) {
    bool found = wr_sql_is(p, kind);
    if (found) wr_sql_advance(p);
    return found;
}
static inline bool wr_sql_accept_word(wr_parser *p, wr_keyword keyword) {
    bool found = wr_sql_is_word(p, keyword);
    if (found) wr_sql_advance(p);
    return found;
}
/* Both words or none. */
static inline bool wr_sql_accept_words(wr_parser *p, wr_keyword first, wr_keyword second) {
    bool found = wr_sql_is_word(p, first) && wr_sql_is_word_at(p, 1, second);
    if (found) p->at += 2;
    return found;
}

WR_MUST_CHECK wr_status wr_sql_expect(wr_parser *p, wr_token_kind kind);
WR_MUST_CHECK wr_status wr_sql_expect_word(wr_parser *p, wr_keyword keyword);
/* Around what may lie in itself. */
WR_MUST_CHECK wr_status wr_sql_enter(wr_parser *p);
static inline void wr_sql_leave(wr_parser *p) {
    p->depth--;
}

/* ---- errors (slips.c) ---- */

/* "unexpected X, expected Y" at the current token, with a hint when it looks like one of the common slips. */
wr_status wr_sql_unexpected(wr_parser *p, const char *expected);
/* The same where a statement or parenthesis could end here; adds what p->tail says. */
wr_status wr_sql_unexpected_after(wr_parser *p, const char *closer);
/* "X is not supported" at the current token. */
wr_status wr_sql_refuse(wr_parser *p, const char *what);

/* ---- making nodes ---- */

WR_MUST_CHECK wr_status wr_sql_node(wr_parser *p, wr_node_kind kind, uint32_t position, wr_node **out);
/* A node with a text and one child, for the many that are so. */
WR_MUST_CHECK wr_status wr_sql_wrap(wr_parser *p, wr_node_kind kind, uint32_t position, wr_str text, wr_node *child,
                                    wr_node **out);
WR_MUST_CHECK wr_status wr_sql_leaf(wr_parser *p, wr_node_kind kind, uint32_t position, wr_str text, wr_node **out);
WR_MUST_CHECK wr_status wr_sql_call(wr_parser *p, uint32_t position, wr_str name, uint16_t flags, wr_node **arguments,
                                    uint32_t count, wr_node **out);
/* Children are pushed, then gathered into a node of a kind without fixed slots: all those above `mark`. */
WR_MUST_CHECK wr_status wr_sql_push(wr_parser *p, wr_node *node);
WR_MUST_CHECK wr_status wr_sql_gather(wr_parser *p, wr_node_kind kind, uint32_t position, uint32_t mark, wr_node **out);
static inline uint32_t wr_sql_mark(const wr_parser *p) {
    return p->stack_count;
}
/* Behind an item of a list: true when another follows. A comma in front of the closer ends the list too. */
bool wr_sql_more(wr_parser *p, bool (*ends)(const wr_parser *p));
bool wr_sql_ends_group(const wr_parser *p);  /* ) ] } or the end */
bool wr_sql_ends_clause(const wr_parser *p); /* the same, or a keyword that starts the next clause */

/* ---- the words of tokens (literal.c) ---- */

/* As it is written, and in the arena. */
wr_str wr_sql_token_text(const wr_parser *p, const wr_token *token);
/* The same in lower case. */
WR_MUST_CHECK wr_status wr_sql_token_lower(wr_parser *p, const wr_token *token, wr_str *out);
/* The name that a word or a quoted name stands for. */
WR_MUST_CHECK wr_status wr_sql_token_name(wr_parser *p, const wr_token *token, wr_str *out);
/* Any kind of string; advances. */
bool wr_sql_is_string(const wr_parser *p, uint32_t ahead);
WR_MUST_CHECK wr_status wr_sql_string(wr_parser *p, wr_str *out);
/* A number, string, blob or parameter. */
WR_MUST_CHECK wr_status wr_sql_literal(wr_parser *p, wr_node **out);
WR_MUST_CHECK wr_status wr_sql_interval(wr_parser *p, wr_node **out);
bool wr_sql_starts_interval(const wr_parser *p);
WR_MUST_CHECK wr_status wr_sql_typed(wr_parser *p, uint32_t position, wr_str type, wr_node **out);

/* ---- names (name.c) ---- */

/* True when the token can be a name of a column or table, with a label also any keyword. */
bool wr_sql_is_name(const wr_parser *p, uint32_t ahead);
bool wr_sql_is_label(const wr_parser *p, uint32_t ahead);
/* True when the current token can be an alias without AS. */
bool wr_sql_is_bare_alias(const wr_parser *p);
/* Advances over the name; `what` is what is expected: "a table name". */
WR_MUST_CHECK wr_status wr_sql_name(wr_parser *p, const char *what, wr_str *out);
WR_MUST_CHECK wr_status wr_sql_identifier(wr_parser *p, const char *what, wr_node **out);
/* The current token as an identifier whatever keyword it is; behind a dot. */
WR_MUST_CHECK wr_status wr_sql_label(wr_parser *p, const char *what, wr_node **out);
/* (a, b, c) */
WR_MUST_CHECK wr_status wr_sql_column_names(wr_parser *p, wr_node **out);
/* a or a.b.c, pushed to the stack. */
WR_MUST_CHECK wr_status wr_sql_path(wr_parser *p, const char *what);
/* The type as wr_type_print writes it. */
WR_MUST_CHECK wr_status wr_sql_type_name(wr_parser *p, wr_str *out);

/* ---- the grammar ---- */

WR_MUST_CHECK wr_status wr_sql_statement(wr_parser *p, wr_node **out);

bool wr_sql_starts_query(const wr_parser *p, uint32_t ahead);
WR_MUST_CHECK wr_status wr_sql_query(wr_parser *p, wr_node **out);
/* Goes on with a query whose first operand, in parentheses, was read as `first`. */
WR_MUST_CHECK wr_status wr_sql_query_rest(wr_parser *p, wr_node *first, wr_node **out);
bool wr_sql_continues_query(const wr_parser *p);
/* ( query ) */
WR_MUST_CHECK wr_status wr_sql_paren_query(wr_parser *p, wr_node **out);
WR_MUST_CHECK wr_status wr_sql_order_keys(wr_parser *p, wr_node **out); /* behind ORDER BY */
WR_MUST_CHECK wr_status wr_sql_expressions(wr_parser *p, bool (*ends)(const wr_parser *p), wr_node **out);
WR_MUST_CHECK wr_status wr_sql_values(wr_parser *p, wr_node **out);
WR_MUST_CHECK wr_status wr_sql_select(wr_parser *p, wr_node **out);
WR_MUST_CHECK wr_status wr_sql_star(wr_parser *p, wr_node **out);
bool wr_sql_starts_star(const wr_parser *p);
WR_MUST_CHECK wr_status wr_sql_relations(wr_parser *p, wr_node **out); /* behind FROM */

WR_MUST_CHECK wr_status wr_sql_expression(wr_parser *p, wr_node **out);
/* An expression without AND, OR, NOT, IS, comparisons, BETWEEN, IN and LIKE. */
WR_MUST_CHECK wr_status wr_sql_arithmetic(wr_parser *p, wr_node **out);
WR_MUST_CHECK wr_status wr_sql_primary(wr_parser *p, wr_node **out);
/* Behind a "(": a query, or expressions pushed to the stack; up to and over the ")". *query is NULL for expressions. */
WR_MUST_CHECK wr_status wr_sql_query_or_expressions(wr_parser *p, wr_node **query);
/* [1, 2], [x FOR x IN y], {'a': 1}, MAP {…}, ARRAY [1, 2] */
WR_MUST_CHECK wr_status wr_sql_list_literal(wr_parser *p, wr_node **out);
WR_MUST_CHECK wr_status wr_sql_struct_literal(wr_parser *p, wr_node **out);
WR_MUST_CHECK wr_status wr_sql_map_literal(wr_parser *p, wr_node **out);

/* The call of `name` at the "(", up to OVER; the operand of x.f() comes first unless it is NULL. */
WR_MUST_CHECK wr_status wr_sql_function(wr_parser *p, uint32_t position, wr_str name, wr_node *operand, wr_node **out);
/* Arguments with names, stars and lambdas, pushed to the stack, up to the ")"; with `equal_names` a name may be given
 * by "=" too. */
WR_MUST_CHECK wr_status wr_sql_arguments(wr_parser *p, bool equal_names);
/* EXTRACT(… FROM …) and the others with words between their arguments. *out is NULL when there is none here. */
WR_MUST_CHECK wr_status wr_sql_special_function(wr_parser *p, wr_node **out);
WR_MUST_CHECK wr_status wr_sql_over(wr_parser *p, wr_node **out);    /* behind OVER */
WR_MUST_CHECK wr_status wr_sql_windows(wr_parser *p, wr_node **out); /* behind WINDOW */

#endif
