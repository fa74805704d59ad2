/* What stands behind FROM: tables, files, functions, queries, and the joins between them. */
#include "sql/sql_internal.h"

/* ---- one relation ---- */

static wr_status relation(wr_parser *p, wr_node **out);
static wr_status joins(wr_parser *p, bool one, wr_node **inout);

static wr_status derived(wr_parser *p, uint32_t position, wr_node *query, wr_node **out) {
    return wr_sql_wrap(p, WR_NODE_DERIVED, position, WR_STR(""), query, out);
}

/* (query), (relation with joins). What was read as a derived table may turn out to be the first operand of a set
 * operation: ((SELECT 1) UNION SELECT 2). */
static wr_status parenthesised(wr_parser *p, wr_node **out) {
    uint32_t position = wr_sql_position(p);
    wr_node *query;
    wr_sql_advance(p);
    WR_TRY(wr_sql_enter(p));
    if (wr_sql_starts_query(p, 0)) {
        WR_TRY(wr_sql_query(p, &query));
        WR_TRY(derived(p, position, query, out));
    } else {
        WR_TRY(relation(p, out));
        if ((*out)->kind == WR_NODE_DERIVED && wr_sql_continues_query(p)) {
            WR_TRY(wr_sql_query_rest(p, (*out)->children[0], &query));
            WR_TRY(derived(p, position, query, out));
        }
        WR_TRY(joins(p, false, out));
    }
    wr_sql_leave(p);
    return wr_sql_expect(p, WR_TOKEN_RIGHT_PAREN);
}

static wr_status table_function(wr_parser *p, wr_node **out) {
    const wr_token *token = wr_sql_token(p, 0);
    uint32_t mark = wr_sql_mark(p);
    wr_str name;
    WR_TRY(token->kind == WR_TOKEN_WORD ? wr_sql_token_lower(p, token, &name) : wr_sql_token_name(p, token, &name));
    p->at += 2;
    WR_TRY(wr_sql_arguments(p, true));
    if (!wr_sql_accept(p, WR_TOKEN_RIGHT_PAREN)) return wr_sql_unexpected(p, "a comma or \")\"");
    WR_TRY(wr_sql_gather(p, WR_NODE_TABLE_FUNCTION, token->begin, mark, out));
    (*out)->text = name;
    if (wr_sql_is_word(p, WR_KEYWORD_WITH) && wr_sql_is_word_at(p, 1, WR_KEYWORD_ORDINALITY)) {
        return wr_sql_refuse(p, "WITH ORDINALITY");
    }
    return WR_OK;
}

static wr_status plain_relation(wr_parser *p, wr_node **out) {
    uint32_t mark = wr_sql_mark(p), position = wr_sql_position(p);
    if (wr_sql_is_string(p, 0)) {
        wr_str path;
        WR_TRY(wr_sql_string(p, &path));
        return wr_sql_leaf(p, WR_NODE_FILE, position, path, out);
    }
    if (wr_sql_is(p, WR_TOKEN_LEFT_PAREN)) return parenthesised(p, out);
    if (wr_sql_is_word(p, WR_KEYWORD_VALUES) && wr_sql_is_at(p, 1, WR_TOKEN_LEFT_PAREN)) {
        wr_node *query;
        WR_TRY(wr_sql_node(p, WR_NODE_QUERY, position, &query));
        WR_TRY(wr_sql_values(p, &query->children[WR_QUERY_BODY]));
        return derived(p, position, query, out);
    }
    bool callable = wr_sql_is_name(p, 0) || wr_keyword_class_of(wr_sql_token(p, 0)->keyword) == WR_KEYWORD_IS_FUNCTION;
    if (callable && wr_sql_is_at(p, 1, WR_TOKEN_LEFT_PAREN)) return table_function(p, out);
    WR_TRY(wr_sql_path(p, "a table name, a file in single quotes or a query in parentheses"));
    return wr_sql_gather(p, WR_NODE_TABLE, position, mark, out);
}

/* [AS] alias [(columns)] */
static wr_status relation_alias(wr_parser *p, wr_node **inout) {
    bool as = wr_sql_accept_word(p, WR_KEYWORD_AS);
    if (!as && !wr_sql_is_bare_alias(p)) return WR_OK;
    uint32_t position = wr_sql_position(p);
    wr_node *named, *what = *inout;
    wr_str name;
    WR_TRY(wr_sql_name(p, "a name for the table", &name));
    WR_TRY(wr_sql_wrap(p, WR_NODE_RELATION_ALIAS, position, name, what, &named));
    if (wr_sql_is(p, WR_TOKEN_LEFT_PAREN)) WR_TRY(wr_sql_column_names(p, &named->children[1]));
    *inout = named;
    return WR_OK;
}

/* Clauses behind a relation that change it, which only a later version of the dialect has. */
static wr_status refuse_suffix(wr_parser *p) {
    switch (wr_sql_token(p, 0)->keyword) {
    case WR_KEYWORD_PIVOT: return wr_sql_refuse(p, "PIVOT");
    case WR_KEYWORD_UNPIVOT: return wr_sql_refuse(p, "UNPIVOT");
    case WR_KEYWORD_TABLESAMPLE: return wr_sql_refuse(p, "TABLESAMPLE");
    default: return WR_OK;
    }
}

/* A relation with its alias, before or behind it: t AS a, a: t. */
static wr_status relation(wr_parser *p, wr_node **out) {
    if (wr_sql_is_name(p, 0) && wr_sql_is_at(p, 1, WR_TOKEN_COLON)) {
        uint32_t position = wr_sql_position(p);
        wr_str name;
        WR_TRY(wr_sql_name(p, "a name for the table", &name));
        wr_sql_advance(p);
        WR_TRY(plain_relation(p, out));
        WR_TRY(wr_sql_wrap(p, WR_NODE_RELATION_ALIAS, position, name, *out, out));
        return refuse_suffix(p);
    }
    bool lateral = wr_sql_accept_word(p, WR_KEYWORD_LATERAL);
    if (lateral && !wr_sql_is(p, WR_TOKEN_LEFT_PAREN) && !wr_sql_is_at(p, 1, WR_TOKEN_LEFT_PAREN)) {
        return wr_sql_unexpected(p, "a query in parentheses or a function behind LATERAL");
    }
    WR_TRY(plain_relation(p, out));
    /* A function sees the relations in front of it in any case. */
    if (lateral && (*out)->kind == WR_NODE_DERIVED) (*out)->flags = WR_NODE_LATERAL;
    WR_TRY(refuse_suffix(p));
    WR_TRY(relation_alias(p, out));
    return refuse_suffix(p);
}

/* ---- joins ---- */

typedef struct join_words {
    const char *text;
    uint16_t flags;
    bool conditional; /* ON or USING has to follow */
} join_words;

/* LEFT, or LEFT OUTER. */
static uint32_t outer_words(const wr_parser *p, uint32_t ahead) {
    return wr_sql_is_word_at(p, ahead + 1, WR_KEYWORD_OUTER) ? 2 : 1;
}

/* [NATURAL] [ASOF] [INNER | LEFT [OUTER] | RIGHT | FULL | SEMI | ANTI | CROSS | POSITIONAL] JOIN: the number of words,
 * 0 when there is no join here. */
static uint32_t join_start(const wr_parser *p, join_words *out) {
    uint32_t ahead = 0;
    *out = (join_words){.text = "inner", .conditional = true};
    if (wr_sql_is_word_at(p, ahead, WR_KEYWORD_NATURAL)) {
        out->flags |= WR_NODE_NATURAL;
        out->conditional = false;
        ahead++;
    }
    if (wr_sql_is_word_at(p, ahead, WR_KEYWORD_ASOF)) {
        out->flags |= WR_NODE_ASOF;
        ahead++;
    }
    bool by_row = false; /* without a condition: neither NATURAL nor ASOF can say more */
    switch (wr_sql_token(p, ahead)->keyword) {
    case WR_KEYWORD_INNER: ahead++; break;
    case WR_KEYWORD_LEFT: out->text = "left", ahead += outer_words(p, ahead); break;
    case WR_KEYWORD_RIGHT: out->text = "right", ahead += outer_words(p, ahead); break;
    case WR_KEYWORD_FULL: out->text = "full", ahead += outer_words(p, ahead); break;
    case WR_KEYWORD_SEMI: out->text = "semi", ahead++; break;
    case WR_KEYWORD_ANTI: out->text = "anti", ahead++; break;
    case WR_KEYWORD_CROSS: out->text = "cross", by_row = true, ahead++; break;
    case WR_KEYWORD_POSITIONAL: out->text = "positional", by_row = true, ahead++; break;
    default: break;
    }
    if (by_row && out->flags) return 0;
    if (by_row) out->conditional = false;
    return wr_sql_is_word_at(p, ahead, WR_KEYWORD_JOIN) ? ahead + 1 : 0;
}

static wr_status join_condition(wr_parser *p, wr_node *join) {
    if (wr_sql_accept_word(p, WR_KEYWORD_ON)) return wr_sql_expression(p, &join->children[WR_JOIN_ON]);
    if (wr_sql_is_word(p, WR_KEYWORD_USING) && !wr_sql_is_word_at(p, 1, WR_KEYWORD_SAMPLE)) {
        wr_sql_advance(p);
        return wr_sql_column_names(p, &join->children[WR_JOIN_USING]);
    }
    return wr_sql_unexpected(p, "ON or USING");
}

/* The joins that follow *inout, or with `one` the next alone. A join whose condition comes later holds those that stand
 * between: a JOIN b JOIN c ON … ON …. */
static wr_status joins(wr_parser *p, bool one, wr_node **inout) {
    join_words words;
    uint32_t size;
    while ((size = join_start(p, &words)) > 0) {
        wr_node *join, *left = *inout;
        WR_TRY(wr_sql_wrap(p, WR_NODE_JOIN, wr_sql_position(p), wr_str_from(words.text), left, &join));
        join->flags = words.flags;
        p->at += size;
        wr_node **right = &join->children[WR_JOIN_RIGHT];
        WR_TRY(relation(p, right));
        if (words.conditional) {
            join_words inner;
            while (join_start(p, &inner) > 0) {
                WR_TRY(wr_sql_enter(p));
                WR_TRY(joins(p, true, right));
                wr_sql_leave(p);
            }
            WR_TRY(join_condition(p, join));
        }
        *inout = join;
        if (one) break;
    }
    return WR_OK;
}

/* a, b JOIN c ON …: a comma is a cross join that binds less than any other. */
wr_status wr_sql_relations(wr_parser *p, wr_node **out) {
    WR_TRY(relation(p, out));
    WR_TRY(joins(p, false, out));
    uint32_t comma = wr_sql_position(p);
    while (wr_sql_more(p, wr_sql_ends_clause)) {
        wr_node *join, *left = *out;
        WR_TRY(wr_sql_wrap(p, WR_NODE_JOIN, comma, WR_STR("cross"), left, &join));
        WR_TRY(relation(p, &join->children[WR_JOIN_RIGHT]));
        WR_TRY(joins(p, false, &join->children[WR_JOIN_RIGHT]));
        *out = join;
        comma = wr_sql_position(p);
    }
    return WR_OK;
}
