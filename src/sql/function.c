/* Calls: arguments and what may stand behind them, lambdas, and the functions whose arguments are divided by words. */
#include "sql/sql_internal.h"

/* ---- arguments ---- */

/* x -> body, (x, y) -> body, LAMBDA x, y: body */
static bool starts_lambda(const wr_parser *p) {
    if (wr_sql_is_word(p, WR_KEYWORD_LAMBDA) && wr_sql_is_name(p, 1)) return true;
    if (!wr_sql_is(p, WR_TOKEN_LEFT_PAREN)) return wr_sql_is_name(p, 0) && wr_sql_is_at(p, 1, WR_TOKEN_ARROW);
    uint32_t ahead = 1;
    while (wr_sql_is_name(p, ahead) && wr_sql_is_at(p, ahead + 1, WR_TOKEN_COMMA)) ahead += 2;
    return wr_sql_is_name(p, ahead) && wr_sql_is_at(p, ahead + 1, WR_TOKEN_RIGHT_PAREN) &&
           wr_sql_is_at(p, ahead + 2, WR_TOKEN_ARROW);
}

static wr_status lambda(wr_parser *p, wr_node **out) {
    uint32_t mark = wr_sql_mark(p), position = wr_sql_position(p);
    wr_token_kind closer =
        wr_sql_is_word(p, WR_KEYWORD_LAMBDA) && wr_sql_is_name(p, 1) ? WR_TOKEN_COLON : WR_TOKEN_ARROW;
    if (closer == WR_TOKEN_COLON) wr_sql_advance(p);
    bool paren = wr_sql_accept(p, WR_TOKEN_LEFT_PAREN);
    do {
        wr_node *name;
        WR_TRY(wr_sql_identifier(p, "the name of a parameter", &name));
        WR_TRY(wr_sql_push(p, name));
    } while (wr_sql_accept(p, WR_TOKEN_COMMA));
    if (paren) WR_TRY(wr_sql_expect(p, WR_TOKEN_RIGHT_PAREN));
    WR_TRY(wr_sql_expect(p, closer));
    WR_TRY(wr_sql_node(p, WR_NODE_LAMBDA, position, out));
    WR_TRY(wr_sql_gather(p, WR_NODE_LIST, position, mark, &(*out)->children[0]));
    return wr_sql_expression(p, &(*out)->children[1]);
}

static wr_status plain_argument(wr_parser *p, wr_node **out) {
    if (wr_sql_starts_star(p)) return wr_sql_star(p, out);
    return starts_lambda(p) ? lambda(p, out) : wr_sql_expression(p, out);
}

static wr_status argument(wr_parser *p, bool equal_names, wr_node **out) {
    bool named =
        wr_sql_is_label(p, 0) && (wr_sql_is_at(p, 1, WR_TOKEN_ASSIGN) || wr_sql_is_at(p, 1, WR_TOKEN_FAT_ARROW) ||
                                  (equal_names && wr_sql_is_at(p, 1, WR_TOKEN_EQUAL)));
    if (!named) return plain_argument(p, out);
    const wr_token *token = wr_sql_token(p, 0);
    wr_node *value;
    wr_str name;
    WR_TRY(wr_sql_token_name(p, token, &name));
    p->at += 2;
    WR_TRY(wr_sql_expression(p, &value));
    return wr_sql_wrap(p, WR_NODE_ALIAS, token->begin, name, value, out);
}

wr_status wr_sql_arguments(wr_parser *p, bool equal_names) {
    if (wr_sql_is(p, WR_TOKEN_RIGHT_PAREN)) return WR_OK;
    do {
        wr_node *item;
        WR_TRY(argument(p, equal_names, &item));
        WR_TRY(wr_sql_push(p, item));
    } while (wr_sql_more(p, wr_sql_ends_group));
    return WR_OK;
}

/* ---- calls ---- */

static bool accept_null_treatment(wr_parser *p, wr_node *call) {
    bool ignore = wr_sql_accept_words(p, WR_KEYWORD_IGNORE, WR_KEYWORD_NULLS);
    if (ignore) call->flags |= WR_NODE_IGNORE_NULLS;
    return ignore || wr_sql_accept_words(p, WR_KEYWORD_RESPECT, WR_KEYWORD_NULLS);
}

/* ORDER BY a, b */
static wr_status order_slot(wr_parser *p, wr_node *call) {
    if (call->children[WR_CALL_ORDER]) return wr_sql_unexpected(p, "one ORDER BY for the call");
    WR_TRY(wr_sql_expect_word(p, WR_KEYWORD_ORDER));
    WR_TRY(wr_sql_expect_word(p, WR_KEYWORD_BY));
    return wr_sql_order_keys(p, &call->children[WR_CALL_ORDER]);
}

/* WITHIN GROUP (ORDER BY …) FILTER (WHERE …) IGNORE NULLS OVER … */
static wr_status call_suffix(wr_parser *p, wr_node *call) {
    if (wr_sql_accept_words(p, WR_KEYWORD_WITHIN, WR_KEYWORD_GROUP)) {
        call->flags |= WR_NODE_WITHIN_GROUP;
        WR_TRY(wr_sql_expect(p, WR_TOKEN_LEFT_PAREN));
        WR_TRY(order_slot(p, call));
        WR_TRY(wr_sql_expect(p, WR_TOKEN_RIGHT_PAREN));
    }
    if (wr_sql_is_word(p, WR_KEYWORD_FILTER) && wr_sql_is_at(p, 1, WR_TOKEN_LEFT_PAREN)) {
        p->at += 2;
        wr_sql_accept_word(p, WR_KEYWORD_WHERE);
        WR_TRY(wr_sql_expression(p, &call->children[WR_CALL_FILTER]));
        WR_TRY(wr_sql_expect(p, WR_TOKEN_RIGHT_PAREN));
    }
    accept_null_treatment(p, call);
    if (wr_sql_accept_word(p, WR_KEYWORD_OVER)) return wr_sql_over(p, &call->children[WR_CALL_WINDOW]);
    return WR_OK;
}

wr_status wr_sql_function(wr_parser *p, uint32_t position, wr_str name, wr_node *operand, wr_node **out) {
    uint32_t mark = wr_sql_mark(p);
    wr_node *call;
    WR_TRY(wr_sql_node(p, WR_NODE_CALL, position, &call));
    call->text = name;
    wr_sql_advance(p);
    if (operand) WR_TRY(wr_sql_push(p, operand));
    if (wr_sql_accept_word(p, WR_KEYWORD_DISTINCT)) {
        call->flags |= WR_NODE_DISTINCT;
    } else {
        wr_sql_accept_word(p, WR_KEYWORD_ALL);
    }
    WR_TRY(wr_sql_arguments(p, false));
    WR_TRY(wr_sql_gather(p, WR_NODE_LIST, position, mark, &call->children[WR_CALL_ARGUMENTS]));
    if (wr_sql_is_word(p, WR_KEYWORD_ORDER)) WR_TRY(order_slot(p, call));
    accept_null_treatment(p, call);
    if (!wr_sql_accept(p, WR_TOKEN_RIGHT_PAREN)) return wr_sql_unexpected(p, "a comma or \")\"");
    *out = call;
    return call_suffix(p, call);
}

/* ---- functions with words between their arguments ----
 * Each is called behind its "(" and pushes the arguments of the plain call; the ")" is left to the caller. */

static wr_status push_expression(wr_parser *p) {
    wr_node *item;
    WR_TRY(wr_sql_expression(p, &item));
    return wr_sql_push(p, item);
}

/* EXTRACT(unit FROM x) is date_part('unit', x). */
static wr_status extract(wr_parser *p, wr_str *name) {
    const wr_token *token = wr_sql_token(p, 0);
    wr_str unit;
    wr_node *part;
    if (wr_sql_is_string(p, 0)) {
        WR_TRY(wr_sql_string(p, &unit));
    } else if (wr_sql_is(p, WR_TOKEN_WORD)) {
        WR_TRY(wr_sql_token_lower(p, token, &unit));
        wr_sql_advance(p);
    } else {
        return wr_sql_unexpected(p, "a unit of time such as YEAR");
    }
    WR_TRY(wr_sql_leaf(p, WR_NODE_STRING, token->begin, unit, &part));
    WR_TRY(wr_sql_push(p, part));
    WR_TRY(wr_sql_expect_word(p, WR_KEYWORD_FROM));
    *name = WR_STR("date_part");
    return push_expression(p);
}

/* SUBSTRING(x FROM start FOR length), either of the two alone, or with commas. */
static wr_status substring(wr_parser *p, wr_str *name) {
    uint32_t position = wr_sql_position(p);
    *name = WR_STR("substring");
    WR_TRY(push_expression(p));
    if (wr_sql_accept_word(p, WR_KEYWORD_FROM)) {
        WR_TRY(push_expression(p));
        return wr_sql_accept_word(p, WR_KEYWORD_FOR) ? push_expression(p) : WR_OK;
    }
    if (wr_sql_accept_word(p, WR_KEYWORD_FOR)) {
        wr_node *one;
        WR_TRY(wr_sql_leaf(p, WR_NODE_NUMBER, position, WR_STR("1"), &one));
        WR_TRY(wr_sql_push(p, one));
        return push_expression(p);
    }
    while (wr_sql_more(p, wr_sql_ends_group)) WR_TRY(push_expression(p));
    return WR_OK;
}

/* TRIM([BOTH | LEADING | TRAILING] [characters] FROM x), or TRIM(x, characters) */
static wr_status trim(wr_parser *p, wr_str *name) {
    wr_keyword side = wr_sql_token(p, 0)->keyword;
    bool sided = side == WR_KEYWORD_BOTH || side == WR_KEYWORD_LEADING || side == WR_KEYWORD_TRAILING;
    *name = side == WR_KEYWORD_LEADING    ? WR_STR("ltrim")
            : side == WR_KEYWORD_TRAILING ? WR_STR("rtrim")
                                          : WR_STR("trim");
    if (sided) wr_sql_advance(p);
    wr_node *characters = NULL;
    if (!wr_sql_is_word(p, WR_KEYWORD_FROM)) WR_TRY(wr_sql_expression(p, &characters));
    if (wr_sql_accept_word(p, WR_KEYWORD_FROM)) {
        WR_TRY(push_expression(p));
        return characters ? wr_sql_push(p, characters) : WR_OK;
    }
    WR_TRY(wr_sql_push(p, characters));
    while (wr_sql_more(p, wr_sql_ends_group)) WR_TRY(push_expression(p));
    return WR_OK;
}

/* POSITION(needle IN x) is strpos(x, needle). */
static wr_status position_in(wr_parser *p, wr_str *name) {
    wr_node *needle;
    *name = WR_STR("strpos");
    WR_TRY(wr_sql_arithmetic(p, &needle));
    if (wr_sql_accept_word(p, WR_KEYWORD_IN)) {
        WR_TRY(push_expression(p));
        return wr_sql_push(p, needle);
    }
    *name = WR_STR("position");
    WR_TRY(wr_sql_push(p, needle));
    while (wr_sql_more(p, wr_sql_ends_group)) WR_TRY(push_expression(p));
    return WR_OK;
}

/* OVERLAY(x PLACING y FROM start FOR length) */
static wr_status overlay(wr_parser *p, wr_str *name) {
    *name = WR_STR("overlay");
    WR_TRY(push_expression(p));
    if (!wr_sql_accept_word(p, WR_KEYWORD_PLACING)) {
        while (wr_sql_more(p, wr_sql_ends_group)) WR_TRY(push_expression(p));
        return WR_OK;
    }
    WR_TRY(push_expression(p));
    WR_TRY(wr_sql_expect_word(p, WR_KEYWORD_FROM));
    WR_TRY(push_expression(p));
    return wr_sql_accept_word(p, WR_KEYWORD_FOR) ? push_expression(p) : WR_OK;
}

typedef wr_status (*special_function)(wr_parser *p, wr_str *name);

static special_function special_of(wr_keyword word) {
    switch (word) {
    case WR_KEYWORD_EXTRACT: return extract;
    case WR_KEYWORD_SUBSTRING: return substring;
    case WR_KEYWORD_TRIM: return trim;
    case WR_KEYWORD_POSITION: return position_in;
    case WR_KEYWORD_OVERLAY: return overlay;
    default: return NULL;
    }
}

wr_status wr_sql_special_function(wr_parser *p, wr_node **out) {
    uint32_t mark = wr_sql_mark(p), position = wr_sql_position(p);
    special_function parse = special_of(wr_sql_token(p, 0)->keyword);
    wr_str name;
    *out = NULL;
    if (!parse) return WR_OK;
    p->at += 2;
    WR_TRY(parse(p, &name));
    WR_TRY(wr_sql_expect(p, WR_TOKEN_RIGHT_PAREN));
    uint32_t count = wr_sql_mark(p) - mark;
    p->stack_count = mark;
    return wr_sql_call(p, position, name, 0, p->stack + mark, count, out);
}
