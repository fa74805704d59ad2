/* What operators stand between: literals, columns, parentheses, CASE, CAST, EXISTS. */
#include "sql/sql_internal.h"

/* ---- parentheses ---- */

/* A query that was read as a scalar, because only what follows its parenthesis tells: ((SELECT 1) UNION SELECT 2). */
static wr_status unwrap_query(wr_parser *p, wr_node *scalar, wr_node **query) {
    *query = scalar->children[0];
    return wr_sql_continues_query(p) ? wr_sql_query_rest(p, *query, query) : WR_OK;
}

wr_status wr_sql_query_or_expressions(wr_parser *p, wr_node **query) {
    uint32_t mark = wr_sql_mark(p);
    *query = NULL;
    if (wr_sql_starts_query(p, 0)) {
        WR_TRY(wr_sql_query(p, query));
        return wr_sql_expect(p, WR_TOKEN_RIGHT_PAREN);
    }
    bool more;
    do {
        wr_node *item;
        WR_TRY(wr_sql_expression(p, &item));
        WR_TRY(wr_sql_push(p, item));
        more = wr_sql_more(p, wr_sql_ends_group);
        bool alone = !more && wr_sql_mark(p) == mark + 1 && item->kind == WR_NODE_SCALAR_QUERY;
        if (alone && (wr_sql_is(p, WR_TOKEN_RIGHT_PAREN) || wr_sql_continues_query(p))) {
            p->stack_count = mark;
            WR_TRY(unwrap_query(p, item, query));
        }
    } while (more);
    if (wr_sql_accept(p, WR_TOKEN_RIGHT_PAREN)) return WR_OK;
    return wr_sql_unexpected(p, "a comma or \")\"");
}

/* (query), (expression), or a row (a, b) */
static wr_status parenthesised(wr_parser *p, wr_node **out) {
    uint32_t mark = wr_sql_mark(p), position = wr_sql_position(p);
    wr_node *query;
    wr_sql_advance(p);
    WR_TRY(wr_sql_query_or_expressions(p, &query));
    if (query) return wr_sql_wrap(p, WR_NODE_SCALAR_QUERY, position, WR_STR(""), query, out);
    uint32_t count = wr_sql_mark(p) - mark;
    p->stack_count = mark;
    if (count > 1) return wr_sql_call(p, position, WR_STR("row"), 0, p->stack + mark, count, out);
    *out = p->stack[mark];
    return WR_OK;
}

/* ---- words that start an expression of their own ---- */

/* CASE [operand] WHEN condition THEN value … [ELSE value] END */
static wr_status case_expression(wr_parser *p, wr_node **out) {
    WR_TRY(wr_sql_node(p, WR_NODE_CASE, wr_sql_position(p), out));
    wr_node **slots = (*out)->children;
    wr_sql_advance(p);
    if (!wr_sql_is_word(p, WR_KEYWORD_WHEN)) WR_TRY(wr_sql_expression(p, &slots[WR_CASE_OPERAND]));
    uint32_t mark = wr_sql_mark(p), position = wr_sql_position(p);
    do {
        wr_node *condition, *value;
        WR_TRY(wr_sql_expect_word(p, WR_KEYWORD_WHEN));
        WR_TRY(wr_sql_expression(p, &condition));
        WR_TRY(wr_sql_push(p, condition));
        WR_TRY(wr_sql_expect_word(p, WR_KEYWORD_THEN));
        WR_TRY(wr_sql_expression(p, &value));
        WR_TRY(wr_sql_push(p, value));
    } while (wr_sql_is_word(p, WR_KEYWORD_WHEN));
    WR_TRY(wr_sql_gather(p, WR_NODE_LIST, position, mark, &slots[WR_CASE_BRANCHES]));
    if (wr_sql_accept_word(p, WR_KEYWORD_ELSE)) WR_TRY(wr_sql_expression(p, &slots[WR_CASE_ELSE]));
    if (wr_sql_accept_word(p, WR_KEYWORD_END)) return WR_OK;
    return wr_sql_unexpected(p, slots[WR_CASE_ELSE] ? "END" : "WHEN, ELSE or END");
}

/* CAST(x AS type), TRY_CAST(x AS type) */
static wr_status cast_expression(wr_parser *p, bool try, wr_node **out) {
    uint32_t position = wr_sql_position(p);
    wr_node *operand;
    wr_str type;
    p->at += 2;
    WR_TRY(wr_sql_expression(p, &operand));
    WR_TRY(wr_sql_expect_word(p, WR_KEYWORD_AS));
    WR_TRY(wr_sql_type_name(p, &type));
    WR_TRY(wr_sql_expect(p, WR_TOKEN_RIGHT_PAREN));
    WR_TRY(wr_sql_wrap(p, WR_NODE_CAST, position, type, operand, out));
    if (try) (*out)->flags = WR_NODE_TRY;
    return WR_OK;
}

static wr_status exists(wr_parser *p, wr_node **out) {
    uint32_t position = wr_sql_position(p);
    wr_node *query;
    wr_sql_advance(p);
    WR_TRY(wr_sql_paren_query(p, &query));
    return wr_sql_wrap(p, WR_NODE_EXISTS, position, WR_STR(""), query, out);
}

/* NULL, TRUE, FALSE, and the clocks that are written without parentheses. */
static wr_status value_word(wr_parser *p, wr_node **out) {
    const wr_token *token = wr_sql_token(p, 0);
    wr_str name;
    switch (token->keyword) {
    case WR_KEYWORD_CASE: return case_expression(p, out);
    case WR_KEYWORD_NULL: WR_TRY(wr_sql_leaf(p, WR_NODE_NULL, token->begin, WR_STR(""), out)); break;
    case WR_KEYWORD_TRUE: WR_TRY(wr_sql_leaf(p, WR_NODE_BOOLEAN, token->begin, WR_STR("true"), out)); break;
    case WR_KEYWORD_FALSE: WR_TRY(wr_sql_leaf(p, WR_NODE_BOOLEAN, token->begin, WR_STR("false"), out)); break;
    default: WR_TRY(wr_sql_token_lower(p, token, &name)); WR_TRY(wr_sql_call(p, token->begin, name, 0, NULL, 0, out));
    }
    wr_sql_advance(p);
    return WR_OK;
}

/* What words with a grammar of their own start here; *out is NULL when the word is a plain name. */
static wr_status special_word(wr_parser *p, wr_node **out) {
    bool paren = wr_sql_is_at(p, 1, WR_TOKEN_LEFT_PAREN);
    *out = NULL;
    switch (wr_sql_token(p, 0)->keyword) {
    case WR_KEYWORD_CAST:
    case WR_KEYWORD_TRY_CAST: return paren ? cast_expression(p, wr_sql_is_word(p, WR_KEYWORD_TRY_CAST), out) : WR_OK;
    case WR_KEYWORD_EXISTS: return paren ? exists(p, out) : WR_OK;
    case WR_KEYWORD_INTERVAL: return wr_sql_starts_interval(p) ? wr_sql_interval(p, out) : WR_OK;
    case WR_KEYWORD_MAP: return wr_sql_is_at(p, 1, WR_TOKEN_LEFT_BRACE) ? wr_sql_map_literal(p, out) : WR_OK;
    case WR_KEYWORD_ARRAY:
        if (paren && wr_sql_starts_query(p, 2)) return wr_sql_refuse(p, "ARRAY of a query");
        return wr_sql_is_at(p, 1, WR_TOKEN_LEFT_BRACKET) ? wr_sql_list_literal(p, out) : WR_OK;
    default: return paren ? wr_sql_special_function(p, out) : WR_OK;
    }
}

/* ---- names ---- */

/* How many tokens of a type name are in front of the string of a typed literal, as in DATE '1998-12-01' and TIMESTAMP
 * WITH TIME ZONE '…'; 0 when there is none. */
static uint32_t typed_literal_words(const wr_parser *p) {
    if (wr_sql_is_string(p, 1)) return 1;
    wr_keyword word = wr_sql_token(p, 0)->keyword;
    if (word == WR_KEYWORD_DOUBLE)
        return wr_sql_is_word_at(p, 1, WR_KEYWORD_PRECISION) && wr_sql_is_string(p, 2) ? 2 : 0;
    if (word != WR_KEYWORD_TIME && word != WR_KEYWORD_TIMESTAMP) return 0;
    bool zone = (wr_sql_is_word_at(p, 1, WR_KEYWORD_WITH) || wr_sql_is_word_at(p, 1, WR_KEYWORD_WITHOUT)) &&
                wr_sql_is_word_at(p, 2, WR_KEYWORD_TIME) && wr_sql_is_word_at(p, 3, WR_KEYWORD_ZONE);
    return zone && wr_sql_is_string(p, 4) ? 4 : 0;
}

static wr_status typed_literal(wr_parser *p, wr_node **out) {
    uint32_t position = wr_sql_position(p);
    wr_str type;
    WR_TRY(wr_sql_type_name(p, &type));
    return wr_sql_typed(p, position, type, out);
}

/* DATE "1998-12-01" would read as a column with an alias; nobody means that. */
static bool is_quoted_date(const wr_parser *p) {
    static const char *const types[] = {"date", "time", "timestamp", "timestamptz", "interval"};
    const wr_token *quoted = wr_sql_token(p, 1);
    if (quoted->kind != WR_TOKEN_QUOTED || wr_sql_token(p, 0)->kind != WR_TOKEN_WORD) return false;
    char first = wr_sql_token_text(p, quoted).data[1];
    if (first < '0' || first > '9') return false;
    for (unsigned i = 0; i < WR_COUNT_OF(types); i++) {
        if (wr_str_equal_nocase(wr_sql_token_text(p, wr_sql_token(p, 0)), wr_str_from(types[i]))) return true;
    }
    return false;
}

/* a, a.b.c; a.b.f(…) is a function of a.b. */
static wr_status column(wr_parser *p, wr_node **out) {
    uint32_t mark = wr_sql_mark(p), position = wr_sql_position(p);
    wr_node *name;
    WR_TRY(wr_sql_identifier(p, "an expression", &name));
    WR_TRY(wr_sql_push(p, name));
    while (wr_sql_is(p, WR_TOKEN_DOT) && !wr_sql_is_at(p, 2, WR_TOKEN_LEFT_PAREN)) {
        wr_sql_advance(p);
        WR_TRY(wr_sql_label(p, "a name behind the dot", &name));
        WR_TRY(wr_sql_push(p, name));
    }
    return wr_sql_gather(p, WR_NODE_COLUMN, position, mark, out);
}

static wr_status named(wr_parser *p, wr_node **out) {
    const wr_token *token = wr_sql_token(p, 0);
    bool word = token->kind == WR_TOKEN_WORD;
    if (word) {
        WR_TRY(special_word(p, out));
        if (*out) return WR_OK;
        if (wr_sql_is_name(p, 0) && typed_literal_words(p) > 0) return typed_literal(p, out);
        if (is_quoted_date(p)) {
            wr_sql_advance(p);
            return wr_sql_unexpected(p, "a text in single quotes");
        }
    }
    bool callable = !word || wr_keyword_class_of(token->keyword) <= WR_KEYWORD_IS_FUNCTION;
    if (!callable || !wr_sql_is_at(p, 1, WR_TOKEN_LEFT_PAREN)) return column(p, out);
    wr_str name;
    WR_TRY(word ? wr_sql_token_lower(p, token, &name) : wr_sql_token_name(p, token, &name));
    wr_sql_advance(p);
    return wr_sql_function(p, token->begin, name, NULL, out);
}

wr_status wr_sql_primary(wr_parser *p, wr_node **out) {
    const wr_token *token = wr_sql_token(p, 0);
    switch (token->kind) {
    case WR_TOKEN_WORD:
        if (wr_keyword_class_of(token->keyword) == WR_KEYWORD_IS_VALUE) return value_word(p, out);
        return named(p, out);
    case WR_TOKEN_QUOTED: return named(p, out);
    case WR_TOKEN_STRING:
    case WR_TOKEN_ESCAPED:
    case WR_TOKEN_DOLLAR:
    case WR_TOKEN_BLOB:
    case WR_TOKEN_NUMBER:
    case WR_TOKEN_PARAMETER: return wr_sql_literal(p, out);
    case WR_TOKEN_LEFT_PAREN: return parenthesised(p, out);
    case WR_TOKEN_LEFT_BRACKET: return wr_sql_list_literal(p, out);
    case WR_TOKEN_LEFT_BRACE: return wr_sql_struct_literal(p, out);
    default: return wr_sql_unexpected(p, "an expression");
    }
}
