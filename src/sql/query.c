/* Queries around their SELECTs: WITH, UNION and its like, VALUES, ORDER BY, LIMIT. */
#include "sql/sql_internal.h"

bool wr_sql_starts_query(const wr_parser *p, uint32_t ahead) {
    switch (wr_sql_token(p, ahead)->keyword) {
    case WR_KEYWORD_SELECT:
    case WR_KEYWORD_FROM:
    case WR_KEYWORD_WITH:
    case WR_KEYWORD_TABLE: return true;
    case WR_KEYWORD_VALUES: return wr_sql_is_at(p, ahead + 1, WR_TOKEN_LEFT_PAREN);
    default: return false;
    }
}

bool wr_sql_continues_query(const wr_parser *p) {
    switch (wr_sql_token(p, 0)->keyword) {
    case WR_KEYWORD_UNION:
    case WR_KEYWORD_INTERSECT:
    case WR_KEYWORD_EXCEPT:
    case WR_KEYWORD_ORDER:
    case WR_KEYWORD_LIMIT:
    case WR_KEYWORD_OFFSET:
    case WR_KEYWORD_FETCH: return true;
    default: return false;
    }
}

wr_status wr_sql_expressions(wr_parser *p, bool (*ends)(const wr_parser *p), wr_node **out) {
    uint32_t mark = wr_sql_mark(p), position = wr_sql_position(p);
    do {
        wr_node *item;
        WR_TRY(wr_sql_expression(p, &item));
        WR_TRY(wr_sql_push(p, item));
    } while (wr_sql_more(p, ends));
    return wr_sql_gather(p, WR_NODE_LIST, position, mark, out);
}

/* ---- operands of set operations ---- */

/* VALUES (1, 2), (3, 4) */
wr_status wr_sql_values(wr_parser *p, wr_node **out) {
    uint32_t mark = wr_sql_mark(p), position = wr_sql_position(p);
    wr_sql_advance(p);
    do {
        wr_node *row;
        WR_TRY(wr_sql_expect(p, WR_TOKEN_LEFT_PAREN));
        WR_TRY(wr_sql_expressions(p, wr_sql_ends_group, &row));
        if (!wr_sql_accept(p, WR_TOKEN_RIGHT_PAREN)) return wr_sql_unexpected(p, "a comma or \")\"");
        WR_TRY(wr_sql_push(p, row));
    } while (wr_sql_more(p, wr_sql_ends_clause));
    return wr_sql_gather(p, WR_NODE_VALUES, position, mark, out);
}

/* TABLE t is SELECT * FROM t. */
static wr_status table_query(wr_parser *p, wr_node **out) {
    uint32_t position = wr_sql_position(p), mark = wr_sql_mark(p);
    wr_node *star;
    wr_sql_advance(p);
    WR_TRY(wr_sql_node(p, WR_NODE_SELECT, position, out));
    wr_node **slots = (*out)->children;
    WR_TRY(wr_sql_node(p, WR_NODE_STAR, position, &star));
    WR_TRY(wr_sql_push(p, star));
    WR_TRY(wr_sql_gather(p, WR_NODE_LIST, position, mark, &slots[WR_SELECT_ITEMS]));
    WR_TRY(wr_sql_path(p, "a table name"));
    return wr_sql_gather(p, WR_NODE_TABLE, position, mark, &slots[WR_SELECT_FROM]);
}

/* The body alone of a query that is nothing else. */
static wr_node *unwrap(wr_node *query) {
    for (int slot = 0; slot < WR_QUERY_OFFSET + 1; slot++) {
        if (slot != WR_QUERY_BODY && query->children[slot]) return query;
    }
    return query->children[WR_QUERY_BODY];
}

wr_status wr_sql_paren_query(wr_parser *p, wr_node **out) {
    WR_TRY(wr_sql_expect(p, WR_TOKEN_LEFT_PAREN));
    WR_TRY(wr_sql_query(p, out));
    return wr_sql_expect(p, WR_TOKEN_RIGHT_PAREN);
}

static wr_status operand(wr_parser *p, wr_node **out) {
    switch (wr_sql_token(p, 0)->keyword) {
    case WR_KEYWORD_VALUES: return wr_sql_values(p, out);
    case WR_KEYWORD_TABLE: return table_query(p, out);
    case WR_KEYWORD_SELECT:
    case WR_KEYWORD_FROM: return wr_sql_select(p, out);
    default: break;
    }
    if (!wr_sql_is(p, WR_TOKEN_LEFT_PAREN)) return wr_sql_unexpected(p, "a query");
    wr_node *query;
    WR_TRY(wr_sql_paren_query(p, &query));
    *out = unwrap(query);
    return WR_OK;
}

/* ---- set operations: INTERSECT binds tighter than UNION and EXCEPT, all from the left ---- */

enum { LEVEL_UNION = 1, LEVEL_INTERSECT };

static int set_level(const wr_parser *p) {
    switch (wr_sql_token(p, 0)->keyword) {
    case WR_KEYWORD_UNION:
    case WR_KEYWORD_EXCEPT: return LEVEL_UNION;
    case WR_KEYWORD_INTERSECT: return LEVEL_INTERSECT;
    default: return 0;
    }
}

/* Goes on from *inout, the operand already read. */
static wr_status set_operations(wr_parser *p, int least, wr_node **inout) {
    for (;;) {
        int level = set_level(p);
        if (level < least || level == 0) return WR_OK;
        const wr_token *token = wr_sql_token(p, 0);
        wr_str name;
        wr_node *operation;
        WR_TRY(wr_sql_token_lower(p, token, &name));
        WR_TRY(wr_sql_wrap(p, WR_NODE_SET_OPERATION, token->begin, name, *inout, &operation));
        wr_sql_advance(p);
        if (wr_sql_accept_word(p, WR_KEYWORD_ALL)) {
            operation->flags |= WR_NODE_ALL;
        } else {
            wr_sql_accept_word(p, WR_KEYWORD_DISTINCT);
        }
        if (wr_sql_accept_words(p, WR_KEYWORD_BY, WR_KEYWORD_NAME)) operation->flags |= WR_NODE_BY_NAME;
        WR_TRY(operand(p, &operation->children[1]));
        if (level < LEVEL_INTERSECT) WR_TRY(set_operations(p, level + 1, &operation->children[1]));
        *inout = operation;
    }
}

/* ---- ORDER BY, LIMIT ---- */

static wr_status order_key(wr_parser *p, wr_node *expression, uint32_t position, wr_node **out) {
    WR_TRY(wr_sql_wrap(p, WR_NODE_ORDER_KEY, position, WR_STR(""), expression, out));
    if (wr_sql_accept_word(p, WR_KEYWORD_DESC)) {
        (*out)->flags |= WR_NODE_DESCENDING;
    } else {
        wr_sql_accept_word(p, WR_KEYWORD_ASC);
    }
    if (!wr_sql_accept_word(p, WR_KEYWORD_NULLS)) return WR_OK;
    if (wr_sql_accept_word(p, WR_KEYWORD_FIRST)) {
        (*out)->flags |= WR_NODE_NULLS_FIRST;
    } else {
        WR_TRY(wr_sql_accept_word(p, WR_KEYWORD_LAST) ? WR_OK : wr_sql_unexpected(p, "FIRST or LAST"));
        (*out)->flags |= WR_NODE_NULLS_LAST;
    }
    return WR_OK;
}

wr_status wr_sql_order_keys(wr_parser *p, wr_node **out) {
    uint32_t mark = wr_sql_mark(p), list_position = wr_sql_position(p);
    bool all = wr_sql_is_word(p, WR_KEYWORD_ALL);
    do {
        uint32_t position = wr_sql_position(p);
        wr_node *expression, *key;
        if (all) {
            wr_sql_advance(p);
            WR_TRY(wr_sql_node(p, WR_NODE_STAR, position, &expression));
        } else {
            WR_TRY(wr_sql_expression(p, &expression));
        }
        WR_TRY(order_key(p, expression, position, &key));
        WR_TRY(wr_sql_push(p, key));
    } while (!all && wr_sql_more(p, wr_sql_ends_clause));
    p->tail = "a comma, ASC, DESC, NULLS, LIMIT";
    p->tail_at = p->at;
    return wr_sql_gather(p, WR_NODE_LIST, list_position, mark, out);
}

/* LIMIT n, LIMIT ALL; behind LIMIT. */
static wr_status limit(wr_parser *p, wr_node **out) {
    if (wr_sql_accept_word(p, WR_KEYWORD_ALL)) return WR_OK;
    bool percent = wr_sql_is_at(p, 1, WR_TOKEN_PERCENT) || wr_sql_is_word_at(p, 1, WR_KEYWORD_PERCENT);
    if (wr_sql_is(p, WR_TOKEN_NUMBER) && percent) return wr_sql_refuse(p, "LIMIT with a percentage");
    return wr_sql_expression(p, out);
}

/* FETCH FIRST [n] ROWS ONLY; behind FETCH. */
static wr_status fetch(wr_parser *p, wr_node **out) {
    uint32_t position = wr_sql_position(p);
    if (!wr_sql_accept_word(p, WR_KEYWORD_FIRST) && !wr_sql_accept_word(p, WR_KEYWORD_NEXT)) {
        return wr_sql_unexpected(p, "FIRST or NEXT");
    }
    if (wr_sql_is_word(p, WR_KEYWORD_ROW) || wr_sql_is_word(p, WR_KEYWORD_ROWS)) {
        WR_TRY(wr_sql_leaf(p, WR_NODE_NUMBER, position, WR_STR("1"), out));
    } else {
        WR_TRY(wr_sql_arithmetic(p, out));
    }
    if (!wr_sql_accept_word(p, WR_KEYWORD_ROW) && !wr_sql_accept_word(p, WR_KEYWORD_ROWS)) {
        return wr_sql_unexpected(p, "ROWS");
    }
    if (wr_sql_is_word(p, WR_KEYWORD_WITH)) return wr_sql_refuse(p, "FETCH … WITH TIES");
    return wr_sql_expect_word(p, WR_KEYWORD_ONLY);
}

/* LIMIT, OFFSET and FETCH in any order, each once. */
static wr_status limits(wr_parser *p, wr_node **slots) {
    bool limited = false, offset = false;
    for (;;) {
        if (!limited && wr_sql_accept_word(p, WR_KEYWORD_LIMIT)) {
            limited = true;
            WR_TRY(limit(p, &slots[WR_QUERY_LIMIT]));
        } else if (!limited && wr_sql_accept_word(p, WR_KEYWORD_FETCH)) {
            limited = true;
            WR_TRY(fetch(p, &slots[WR_QUERY_LIMIT]));
        } else if (!offset && wr_sql_accept_word(p, WR_KEYWORD_OFFSET)) {
            offset = true;
            WR_TRY(wr_sql_expression(p, &slots[WR_QUERY_OFFSET]));
            if (!wr_sql_accept_word(p, WR_KEYWORD_ROW)) wr_sql_accept_word(p, WR_KEYWORD_ROWS);
        } else {
            return WR_OK;
        }
    }
}

/* ---- WITH ---- */

/* name [(columns)] AS [[NOT] MATERIALIZED] (query) */
static wr_status cte(wr_parser *p, wr_node **out) {
    WR_TRY(wr_sql_node(p, WR_NODE_CTE, wr_sql_position(p), out));
    WR_TRY(wr_sql_name(p, "the name of a query", &(*out)->text));
    if (wr_sql_is(p, WR_TOKEN_LEFT_PAREN)) WR_TRY(wr_sql_column_names(p, &(*out)->children[0]));
    WR_TRY(wr_sql_expect_word(p, WR_KEYWORD_AS));
    if (wr_sql_accept_word(p, WR_KEYWORD_MATERIALIZED)) {
        (*out)->flags |= WR_NODE_MATERIALIZED;
    } else if (wr_sql_accept_words(p, WR_KEYWORD_NOT, WR_KEYWORD_MATERIALIZED)) {
        (*out)->flags |= WR_NODE_NOT_MATERIALIZED;
    }
    return wr_sql_paren_query(p, &(*out)->children[1]);
}

static bool ends_with(const wr_parser *p) {
    return wr_sql_starts_query(p, 0) || wr_sql_is(p, WR_TOKEN_LEFT_PAREN) || wr_sql_is(p, WR_TOKEN_END);
}

static wr_status with_clause(wr_parser *p, wr_node *query) {
    uint32_t mark = wr_sql_mark(p), position = wr_sql_position(p);
    wr_sql_advance(p);
    if (wr_sql_accept_word(p, WR_KEYWORD_RECURSIVE)) query->flags |= WR_NODE_RECURSIVE;
    do {
        wr_node *item;
        WR_TRY(cte(p, &item));
        WR_TRY(wr_sql_push(p, item));
    } while (wr_sql_more(p, ends_with));
    return wr_sql_gather(p, WR_NODE_LIST, position, mark, &query->children[WR_QUERY_WITH]);
}

/* ---- queries ---- */

/* Behind the body that *query has: a set operation goes on, then the clauses that stand behind all. */
static wr_status finish(wr_parser *p, wr_node *query, wr_node **out) {
    wr_node **slots = query->children;
    WR_TRY(set_operations(p, LEVEL_UNION, &slots[WR_QUERY_BODY]));
    if (wr_sql_accept_word(p, WR_KEYWORD_ORDER)) {
        WR_TRY(wr_sql_expect_word(p, WR_KEYWORD_BY));
        WR_TRY(wr_sql_order_keys(p, &slots[WR_QUERY_ORDER]));
    }
    WR_TRY(limits(p, slots));
    wr_node *body = unwrap(query);
    *out = body->kind == WR_NODE_QUERY ? body : query;
    return WR_OK;
}

wr_status wr_sql_query(wr_parser *p, wr_node **out) {
    wr_node *query;
    WR_TRY(wr_sql_enter(p));
    WR_TRY(wr_sql_node(p, WR_NODE_QUERY, wr_sql_position(p), &query));
    if (wr_sql_is_word(p, WR_KEYWORD_WITH)) WR_TRY(with_clause(p, query));
    WR_TRY(operand(p, &query->children[WR_QUERY_BODY]));
    WR_TRY(finish(p, query, out));
    wr_sql_leave(p);
    return WR_OK;
}

wr_status wr_sql_query_rest(wr_parser *p, wr_node *first, wr_node **out) {
    wr_node *query;
    WR_TRY(wr_sql_node(p, WR_NODE_QUERY, first->position, &query));
    query->children[WR_QUERY_BODY] = unwrap(first);
    return finish(p, query, out);
}
