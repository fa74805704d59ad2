/* SELECT: its items and stars, its clauses in the order they are written, FROM first or not. */
#include "sql/sql_internal.h"

/* ---- stars ---- */

bool wr_sql_starts_star(const wr_parser *p) {
    if (wr_sql_is(p, WR_TOKEN_STAR)) return true;
    if (!wr_sql_is_name(p, 0)) return false;
    uint32_t ahead = 1;
    while (wr_sql_is_at(p, ahead, WR_TOKEN_DOT) && wr_sql_is_label(p, ahead + 1)) ahead += 2;
    return wr_sql_is_at(p, ahead, WR_TOKEN_DOT) && wr_sql_is_at(p, ahead + 1, WR_TOKEN_STAR);
}

/* The table in front of ".*". */
static wr_status star_qualifier(wr_parser *p, wr_node **out) {
    uint32_t mark = wr_sql_mark(p), position = wr_sql_position(p);
    do {
        wr_node *name;
        WR_TRY(wr_sql_label(p, "a table name", &name));
        WR_TRY(wr_sql_push(p, name));
        WR_TRY(wr_sql_expect(p, WR_TOKEN_DOT));
    } while (!wr_sql_is(p, WR_TOKEN_STAR));
    return wr_sql_gather(p, WR_NODE_COLUMN, position, mark, out);
}

/* expression AS name */
static wr_status replacement(wr_parser *p, wr_node **out) {
    wr_node *value;
    wr_str name;
    WR_TRY(wr_sql_expression(p, &value));
    WR_TRY(wr_sql_expect_word(p, WR_KEYWORD_AS));
    uint32_t position = wr_sql_position(p);
    WR_TRY(wr_sql_name(p, "a column name", &name));
    return wr_sql_wrap(p, WR_NODE_ALIAS, position, name, value, out);
}

static wr_status excluded_name(wr_parser *p, wr_node **out) {
    return wr_sql_identifier(p, "a column name", out);
}

/* One item, or several in parentheses. */
static wr_status star_list(wr_parser *p, wr_status (*item)(wr_parser *p, wr_node **out), wr_node **out) {
    uint32_t mark = wr_sql_mark(p), position = wr_sql_position(p);
    bool paren = wr_sql_accept(p, WR_TOKEN_LEFT_PAREN);
    do {
        wr_node *node;
        WR_TRY(item(p, &node));
        WR_TRY(wr_sql_push(p, node));
    } while (paren && wr_sql_more(p, wr_sql_ends_group));
    if (paren) WR_TRY(wr_sql_expect(p, WR_TOKEN_RIGHT_PAREN));
    return wr_sql_gather(p, WR_NODE_LIST, position, mark, out);
}

/* [table.]* [EXCLUDE (…)] [REPLACE (…)]; EXCEPT (names) is EXCLUDE, EXCEPT (query) a set operation. */
wr_status wr_sql_star(wr_parser *p, wr_node **out) {
    WR_TRY(wr_sql_node(p, WR_NODE_STAR, wr_sql_position(p), out));
    wr_node **slots = (*out)->children;
    if (!wr_sql_is(p, WR_TOKEN_STAR)) WR_TRY(star_qualifier(p, &slots[WR_STAR_QUALIFIER]));
    wr_sql_advance(p);
    bool except = wr_sql_is_word(p, WR_KEYWORD_EXCEPT) && wr_sql_is_at(p, 1, WR_TOKEN_LEFT_PAREN) &&
                  wr_sql_is_name(p, 2) && !wr_sql_starts_query(p, 2);
    if (except || wr_sql_is_word(p, WR_KEYWORD_EXCLUDE)) {
        wr_sql_advance(p);
        WR_TRY(star_list(p, excluded_name, &slots[WR_STAR_EXCLUDE]));
    }
    if (wr_sql_accept_word(p, WR_KEYWORD_REPLACE)) WR_TRY(star_list(p, replacement, &slots[WR_STAR_REPLACE]));
    if (wr_sql_is_word(p, WR_KEYWORD_RENAME)) return wr_sql_refuse(p, "RENAME behind a star");
    return WR_OK;
}

/* ---- items ---- */

static wr_status alias_name(wr_parser *p, wr_str *out) {
    if (wr_sql_is_string(p, 0)) return wr_sql_string(p, out);
    if (!wr_sql_is_label(p, 0)) return wr_sql_unexpected(p, "a name for the column");
    WR_TRY(wr_sql_token_name(p, wr_sql_token(p, 0), out));
    wr_sql_advance(p);
    return WR_OK;
}

/* *, x, x AS name, x name, name: x */
static wr_status select_item(wr_parser *p, wr_node **out) {
    if (wr_sql_starts_star(p)) return wr_sql_star(p, out);
    uint32_t position = wr_sql_position(p);
    bool first = wr_sql_is_label(p, 0) && wr_sql_is_at(p, 1, WR_TOKEN_COLON);
    wr_str name = {NULL, 0};
    if (first) {
        WR_TRY(alias_name(p, &name));
        wr_sql_advance(p);
    }
    WR_TRY(wr_sql_expression(p, out));
    if (!first) {
        bool as = wr_sql_accept_word(p, WR_KEYWORD_AS);
        position = wr_sql_position(p);
        if (as || wr_sql_is_bare_alias(p)) WR_TRY(alias_name(p, &name));
    }
    return name.data ? wr_sql_wrap(p, WR_NODE_ALIAS, position, name, *out, out) : WR_OK;
}

static wr_status select_items(wr_parser *p, wr_node **out) {
    uint32_t mark = wr_sql_mark(p), position = wr_sql_position(p);
    do {
        wr_node *item;
        WR_TRY(select_item(p, &item));
        WR_TRY(wr_sql_push(p, item));
    } while (wr_sql_more(p, wr_sql_ends_clause));
    p->tail = "a comma, FROM";
    p->tail_at = p->at;
    return wr_sql_gather(p, WR_NODE_LIST, position, mark, out);
}

/* SELECT [DISTINCT [ON (…)] | ALL] items; behind SELECT. */
static wr_status select_list(wr_parser *p, wr_node **slots) {
    uint32_t position = wr_sql_position(p);
    if (wr_sql_accept_word(p, WR_KEYWORD_DISTINCT)) {
        wr_node **distinct = &slots[WR_SELECT_DISTINCT];
        if (wr_sql_accept_word(p, WR_KEYWORD_ON)) {
            WR_TRY(wr_sql_expect(p, WR_TOKEN_LEFT_PAREN));
            WR_TRY(wr_sql_expressions(p, wr_sql_ends_group, distinct));
            WR_TRY(wr_sql_expect(p, WR_TOKEN_RIGHT_PAREN));
        } else {
            WR_TRY(wr_sql_gather(p, WR_NODE_LIST, position, wr_sql_mark(p), distinct));
        }
    } else {
        wr_sql_accept_word(p, WR_KEYWORD_ALL);
    }
    return select_items(p, &slots[WR_SELECT_ITEMS]);
}

/* ---- GROUP BY ---- */

static wr_status grouping_sets(wr_parser *p, wr_node **out);

/* x, (a, b), (), ROLLUP (…), CUBE (…), GROUPING SETS (…) */
static wr_status group_item(wr_parser *p, wr_node **out) {
    if (wr_sql_is_word(p, WR_KEYWORD_GROUPING) && wr_sql_is_word_at(p, 1, WR_KEYWORD_SETS))
        return grouping_sets(p, out);
    if (wr_sql_is(p, WR_TOKEN_LEFT_PAREN) && wr_sql_is_at(p, 1, WR_TOKEN_RIGHT_PAREN)) {
        uint32_t position = wr_sql_position(p);
        p->at += 2;
        return wr_sql_call(p, position, WR_STR("row"), 0, NULL, 0, out);
    }
    return wr_sql_expression(p, out);
}

static wr_status group_items(wr_parser *p, bool (*ends)(const wr_parser *p), wr_node **out) {
    uint32_t mark = wr_sql_mark(p), position = wr_sql_position(p);
    do {
        wr_node *item;
        WR_TRY(group_item(p, &item));
        WR_TRY(wr_sql_push(p, item));
    } while (wr_sql_more(p, ends));
    return wr_sql_gather(p, WR_NODE_LIST, position, mark, out);
}

static wr_status grouping_sets(wr_parser *p, wr_node **out) {
    uint32_t position = wr_sql_position(p);
    p->at += 2;
    WR_TRY(wr_sql_enter(p));
    WR_TRY(wr_sql_call(p, position, WR_STR("grouping_sets"), 0, NULL, 0, out));
    WR_TRY(wr_sql_expect(p, WR_TOKEN_LEFT_PAREN));
    WR_TRY(group_items(p, wr_sql_ends_group, &(*out)->children[WR_CALL_ARGUMENTS]));
    wr_sql_leave(p);
    return wr_sql_expect(p, WR_TOKEN_RIGHT_PAREN);
}

/* ---- the whole ---- */

static wr_status clause(wr_parser *p, wr_keyword word, const char *tail, wr_node **out) {
    if (!wr_sql_accept_word(p, word)) return WR_OK;
    WR_TRY(wr_sql_expression(p, out));
    p->tail = tail;
    p->tail_at = p->at;
    return WR_OK;
}

static wr_status from_clause(wr_parser *p, wr_node **slots) {
    if (!wr_sql_accept_word(p, WR_KEYWORD_FROM)) return WR_OK;
    WR_TRY(wr_sql_relations(p, &slots[WR_SELECT_FROM]));
    p->tail = "a comma, JOIN, WHERE, GROUP BY, ORDER BY";
    p->tail_at = p->at;
    return WR_OK;
}

static wr_status group_clause(wr_parser *p, wr_node **slots) {
    if (!wr_sql_accept_word(p, WR_KEYWORD_GROUP)) return WR_OK;
    WR_TRY(wr_sql_expect_word(p, WR_KEYWORD_BY));
    uint32_t position = wr_sql_position(p);
    if (wr_sql_accept_word(p, WR_KEYWORD_ALL)) return wr_sql_node(p, WR_NODE_STAR, position, &slots[WR_SELECT_GROUP]);
    WR_TRY(group_items(p, wr_sql_ends_clause, &slots[WR_SELECT_GROUP]));
    p->tail = "a comma, HAVING, ORDER BY, LIMIT";
    p->tail_at = p->at;
    return WR_OK;
}

wr_status wr_sql_select(wr_parser *p, wr_node **out) {
    uint32_t position = wr_sql_position(p);
    WR_TRY(wr_sql_node(p, WR_NODE_SELECT, position, out));
    wr_node **slots = (*out)->children;
    bool from_first = wr_sql_is_word(p, WR_KEYWORD_FROM);
    WR_TRY(from_clause(p, slots));
    if (wr_sql_accept_word(p, WR_KEYWORD_SELECT)) {
        WR_TRY(select_list(p, slots));
    } else {
        wr_node *star;
        WR_TRY(wr_sql_node(p, WR_NODE_STAR, position, &star));
        WR_TRY(wr_sql_push(p, star));
        WR_TRY(wr_sql_gather(p, WR_NODE_LIST, position, wr_sql_mark(p) - 1, &slots[WR_SELECT_ITEMS]));
    }
    if (!from_first) WR_TRY(from_clause(p, slots));
    WR_TRY(clause(p, WR_KEYWORD_WHERE, "an operator, GROUP BY, ORDER BY, LIMIT", &slots[WR_SELECT_WHERE]));
    WR_TRY(group_clause(p, slots));
    WR_TRY(clause(p, WR_KEYWORD_HAVING, "an operator, ORDER BY, LIMIT", &slots[WR_SELECT_HAVING]));
    if (wr_sql_accept_word(p, WR_KEYWORD_WINDOW)) WR_TRY(wr_sql_windows(p, &slots[WR_SELECT_WINDOWS]));
    WR_TRY(clause(p, WR_KEYWORD_QUALIFY, "an operator, ORDER BY, LIMIT", &slots[WR_SELECT_QUALIFY]));
    if (!slots[WR_SELECT_WINDOWS] && wr_sql_accept_word(p, WR_KEYWORD_WINDOW)) {
        WR_TRY(wr_sql_windows(p, &slots[WR_SELECT_WINDOWS]));
    }
    if (wr_sql_is_word(p, WR_KEYWORD_USING) && wr_sql_is_word_at(p, 1, WR_KEYWORD_SAMPLE)) {
        return wr_sql_refuse(p, "USING SAMPLE");
    }
    return WR_OK;
}
