/* Operators: precedence climbing over the levels of PostgreSQL's grammar.
 *
 * Operators of one level are taken in a loop, and the right operand of each is parsed one level higher, so that the C
 * stack grows with the number of levels and not with the length of a chain; only what restarts at a lower level
 * (parentheses, NOT, signs) counts as nesting. AND and OR gather their whole chain in one node. */
#include "sql/sql_internal.h"

typedef enum level {
    LEVEL_NONE,
    LEVEL_OR,
    LEVEL_AND,
    LEVEL_NOT,
    LEVEL_IS,
    LEVEL_COMPARE,
    LEVEL_LIKE, /* and BETWEEN, IN */
    LEVEL_OTHER,
    LEVEL_ADD,
    LEVEL_MULTIPLY,
    LEVEL_POWER,
    LEVEL_ZONE,
    LEVEL_COLLATE,
} level;

static const uint8_t sign_levels[WR_TOKEN_KINDS] = {
    [WR_TOKEN_EQUAL] = LEVEL_COMPARE,
    [WR_TOKEN_NOT_EQUAL] = LEVEL_COMPARE,
    [WR_TOKEN_LESS] = LEVEL_COMPARE,
    [WR_TOKEN_LESS_EQUAL] = LEVEL_COMPARE,
    [WR_TOKEN_GREATER] = LEVEL_COMPARE,
    [WR_TOKEN_GREATER_EQUAL] = LEVEL_COMPARE,
    [WR_TOKEN_CONCAT... WR_TOKEN_NOT_LIKE_STAR] = LEVEL_OTHER,
    [WR_TOKEN_ARROW] = LEVEL_OTHER,
    [WR_TOKEN_LONG_ARROW] = LEVEL_OTHER,
    [WR_TOKEN_PLUS] = LEVEL_ADD,
    [WR_TOKEN_MINUS] = LEVEL_ADD,
    [WR_TOKEN_STAR] = LEVEL_MULTIPLY,
    [WR_TOKEN_SLASH] = LEVEL_MULTIPLY,
    [WR_TOKEN_DOUBLE_SLASH] = LEVEL_MULTIPLY,
    [WR_TOKEN_PERCENT] = LEVEL_MULTIPLY,
    [WR_TOKEN_CARET] = LEVEL_POWER,
};

/* The level of the word ahead as what follows an operand; NOT counts with the word behind it. */
static level word_level(const wr_parser *p, uint32_t ahead) {
    switch (wr_sql_token(p, ahead)->keyword) {
    case WR_KEYWORD_OR: return LEVEL_OR;
    case WR_KEYWORD_AND: return LEVEL_AND;
    case WR_KEYWORD_IS:
    case WR_KEYWORD_ISNULL:
    case WR_KEYWORD_NOTNULL: return LEVEL_IS;
    case WR_KEYWORD_BETWEEN:
    case WR_KEYWORD_IN:
    case WR_KEYWORD_LIKE:
    case WR_KEYWORD_ILIKE:
    case WR_KEYWORD_SIMILAR:
    case WR_KEYWORD_GLOB: return LEVEL_LIKE;
    case WR_KEYWORD_NOT:
        if (wr_sql_is_word_at(p, ahead + 1, WR_KEYWORD_NULL)) return LEVEL_IS;
        return ahead == 0 && word_level(p, 1) == LEVEL_LIKE ? LEVEL_LIKE : LEVEL_NONE;
    case WR_KEYWORD_AT: {
        bool zone =
            wr_sql_is_word_at(p, ahead + 1, WR_KEYWORD_TIME) && wr_sql_is_word_at(p, ahead + 2, WR_KEYWORD_ZONE);
        return zone ? LEVEL_ZONE : LEVEL_NONE;
    }
    case WR_KEYWORD_COLLATE: return LEVEL_COLLATE;
    default: return LEVEL_NONE;
    }
}

static level infix_level(const wr_parser *p) {
    const wr_token *token = wr_sql_token(p, 0);
    if (token->kind != WR_TOKEN_WORD) return (level)sign_levels[token->kind];
    return token->keyword ? word_level(p, 0) : LEVEL_NONE;
}

static wr_status parse_level(wr_parser *p, level least, wr_node **out);

static wr_status operator_call(wr_parser *p, uint32_t position, wr_str sign, wr_node *left, wr_node *right,
                               wr_node **out) {
    return wr_sql_call(p, position, sign, WR_NODE_OPERATOR, (wr_node *[]){left, right}, right ? 2 : 1, out);
}

/* ---- AND, OR ---- */

static wr_status push_flat(wr_parser *p, wr_node_kind kind, wr_node *node) {
    if (node->kind != kind) return wr_sql_push(p, node);
    for (uint32_t i = 0; i < node->child_count; i++) WR_TRY(wr_sql_push(p, node->children[i]));
    return WR_OK;
}

static wr_status junction(wr_parser *p, level at, wr_node **inout) {
    wr_node_kind kind = at == LEVEL_OR ? WR_NODE_OR : WR_NODE_AND;
    wr_keyword word = at == LEVEL_OR ? WR_KEYWORD_OR : WR_KEYWORD_AND;
    uint32_t mark = wr_sql_mark(p), position = wr_sql_position(p);
    WR_TRY(push_flat(p, kind, *inout));
    while (wr_sql_accept_word(p, word)) {
        wr_node *operand;
        WR_TRY(parse_level(p, at + 1, &operand));
        WR_TRY(push_flat(p, kind, operand));
    }
    return wr_sql_gather(p, kind, position, mark, inout);
}

/* ---- IS ---- */

static wr_status is_node(wr_parser *p, uint32_t position, wr_str what, bool negated, wr_node *other, wr_node **inout) {
    wr_node *operand = *inout;
    WR_TRY(wr_sql_wrap(p, WR_NODE_IS, position, what, operand, inout));
    (*inout)->children[1] = other;
    if (negated) (*inout)->flags = WR_NODE_NEGATED;
    return WR_OK;
}

/* IS [NOT] NULL, TRUE, FALSE, UNKNOWN, DISTINCT FROM x; ISNULL, NOTNULL, NOT NULL */
static wr_status is_predicate(wr_parser *p, wr_node **inout) {
    uint32_t position = wr_sql_position(p);
    if (wr_sql_accept_word(p, WR_KEYWORD_ISNULL)) return is_node(p, position, WR_STR("null"), false, NULL, inout);
    if (wr_sql_accept_word(p, WR_KEYWORD_NOTNULL)) return is_node(p, position, WR_STR("null"), true, NULL, inout);
    wr_sql_accept_word(p, WR_KEYWORD_IS);
    bool negated = wr_sql_accept_word(p, WR_KEYWORD_NOT);
    if (wr_sql_accept_word(p, WR_KEYWORD_NULL)) return is_node(p, position, WR_STR("null"), negated, NULL, inout);
    if (wr_sql_accept_word(p, WR_KEYWORD_TRUE)) return is_node(p, position, WR_STR("true"), negated, NULL, inout);
    if (wr_sql_accept_word(p, WR_KEYWORD_FALSE)) return is_node(p, position, WR_STR("false"), negated, NULL, inout);
    if (wr_sql_accept_word(p, WR_KEYWORD_UNKNOWN)) return is_node(p, position, WR_STR("unknown"), negated, NULL, inout);
    if (!wr_sql_accept_words(p, WR_KEYWORD_DISTINCT, WR_KEYWORD_FROM)) {
        return wr_sql_unexpected(p, negated ? "NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM"
                                            : "NULL, NOT NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM");
    }
    wr_node *other;
    WR_TRY(parse_level(p, LEVEL_COMPARE, &other));
    return is_node(p, position, WR_STR("distinct"), negated, other, inout);
}

/* ---- comparisons ---- */

static bool starts_quantifier(const wr_parser *p) {
    wr_keyword word = wr_sql_token(p, 0)->keyword;
    return word == WR_KEYWORD_ANY || word == WR_KEYWORD_SOME || word == WR_KEYWORD_ALL;
}

/* x = ANY (query), x < ALL (list) */
static wr_status quantified(wr_parser *p, uint32_t position, wr_str sign, wr_node **inout) {
    bool all = wr_sql_is_word(p, WR_KEYWORD_ALL);
    wr_sql_advance(p);
    WR_TRY(wr_sql_expect(p, WR_TOKEN_LEFT_PAREN));
    wr_node *operand = *inout, *set;
    uint32_t mark = wr_sql_mark(p), list_position = wr_sql_position(p);
    WR_TRY(wr_sql_query_or_expressions(p, &set));
    if (!set) {
        if (wr_sql_mark(p) != mark + 1) {
            wr_fail_at(p->err, WR_INVALID, list_position, "expected a query or one list in the parentheses");
            return wr_hint(p->err, "write several values as a list: [1, 2]");
        }
        set = p->stack[mark];
        p->stack_count = mark;
    }
    WR_TRY(wr_sql_wrap(p, WR_NODE_QUANTIFIED, position, sign, operand, inout));
    (*inout)->children[1] = set;
    if (all) (*inout)->flags = WR_NODE_ALL;
    return WR_OK;
}

static wr_status comparison(wr_parser *p, wr_node **inout) {
    const wr_token *token = wr_sql_token(p, 0);
    uint32_t position = token->begin;
    wr_str sign = wr_str_from(wr_token_sign(token->kind));
    wr_sql_advance(p);
    if (starts_quantifier(p)) {
        WR_TRY(quantified(p, position, sign, inout));
    } else {
        wr_node *right;
        WR_TRY(parse_level(p, LEVEL_COMPARE + 1, &right));
        WR_TRY(operator_call(p, position, sign, *inout, right, inout));
    }
    if (infix_level(p) != LEVEL_COMPARE) return WR_OK;
    wr_sql_unexpected(p, "AND, OR or the end of the expression");
    return wr_hint(p->err, "comparisons do not chain; write a < b AND b < c");
}

/* ---- BETWEEN, IN, LIKE ---- */

static wr_status between(wr_parser *p, uint32_t position, bool negated, wr_node **inout) {
    wr_node *operand = *inout;
    WR_TRY(wr_sql_wrap(p, WR_NODE_BETWEEN, position, WR_STR(""), operand, inout));
    WR_TRY(parse_level(p, LEVEL_OTHER, &(*inout)->children[1]));
    WR_TRY(wr_sql_expect_word(p, WR_KEYWORD_AND));
    WR_TRY(parse_level(p, LEVEL_OTHER, &(*inout)->children[2]));
    if (negated) (*inout)->flags = WR_NODE_NEGATED;
    return WR_OK;
}

static wr_status in_predicate(wr_parser *p, uint32_t position, bool negated, wr_node **inout) {
    wr_node *operand = *inout;
    WR_TRY(wr_sql_wrap(p, WR_NODE_IN, position, WR_STR(""), operand, inout));
    if (negated) (*inout)->flags = WR_NODE_NEGATED;
    wr_node **set = &(*inout)->children[1];
    uint32_t mark = wr_sql_mark(p), list_position = wr_sql_position(p);
    if (!wr_sql_accept(p, WR_TOKEN_LEFT_PAREN)) return parse_level(p, LEVEL_OTHER, set);
    WR_TRY(wr_sql_query_or_expressions(p, set));
    return *set ? WR_OK : wr_sql_gather(p, WR_NODE_LIST, list_position, mark, set);
}

/* The call that the pattern word at the current token stands for; NULL for BETWEEN and IN. */
static wr_str pattern_function(const wr_parser *p, uint16_t *flags) {
    *flags = WR_NODE_OPERATOR;
    switch (wr_sql_token(p, 0)->keyword) {
    case WR_KEYWORD_LIKE: return WR_STR("~~");
    case WR_KEYWORD_ILIKE: return WR_STR("~~*");
    case WR_KEYWORD_GLOB: return WR_STR("~~~");
    default: *flags = 0; return WR_STR("similar_to");
    }
}

/* x LIKE y [ESCAPE z], ILIKE, GLOB, SIMILAR TO; x LIKE ANY (list) */
static wr_status pattern(wr_parser *p, uint32_t position, wr_node **inout) {
    uint16_t flags;
    wr_str name = pattern_function(p, &flags);
    if (wr_sql_accept_word(p, WR_KEYWORD_SIMILAR)) {
        WR_TRY(wr_sql_expect_word(p, WR_KEYWORD_TO));
    } else {
        wr_sql_advance(p);
        if (starts_quantifier(p)) return quantified(p, position, name, inout);
    }
    wr_node *arguments[3] = {*inout};
    WR_TRY(parse_level(p, LEVEL_OTHER, &arguments[1]));
    bool escape = wr_sql_accept_word(p, WR_KEYWORD_ESCAPE);
    if (escape) WR_TRY(parse_level(p, LEVEL_OTHER, &arguments[2]));
    return wr_sql_call(p, position, name, flags, arguments, escape ? 3 : 2, inout);
}

static wr_status like_level(wr_parser *p, wr_node **inout) {
    uint32_t position = wr_sql_position(p);
    bool negated = wr_sql_accept_word(p, WR_KEYWORD_NOT);
    if (wr_sql_accept_word(p, WR_KEYWORD_BETWEEN)) return between(p, position, negated, inout);
    if (wr_sql_accept_word(p, WR_KEYWORD_IN)) return in_predicate(p, position, negated, inout);
    WR_TRY(pattern(p, position, inout));
    return negated ? wr_sql_wrap(p, WR_NODE_NOT, position, WR_STR(""), *inout, inout) : WR_OK;
}

/* ---- the other operators ---- */

static wr_status binary(wr_parser *p, level at, wr_node **inout) {
    const wr_token *token = wr_sql_token(p, 0);
    uint32_t position = token->begin;
    wr_str sign = wr_str_from(wr_token_sign(token->kind));
    bool negated = token->kind >= WR_TOKEN_NOT_TILDE && sign.data[0] == '!';
    if (negated) sign = (wr_str){sign.data + 1, sign.size - 1};
    wr_sql_advance(p);
    wr_node *right;
    WR_TRY(parse_level(p, at + 1, &right));
    WR_TRY(operator_call(p, position, sign, *inout, right, inout));
    return negated ? wr_sql_wrap(p, WR_NODE_NOT, position, WR_STR(""), *inout, inout) : WR_OK;
}

/* x AT TIME ZONE zone is timezone(zone, x). */
static wr_status at_time_zone(wr_parser *p, wr_node **inout) {
    uint32_t position = wr_sql_position(p);
    p->at += 3;
    wr_node *zone;
    WR_TRY(parse_level(p, LEVEL_ZONE + 1, &zone));
    return wr_sql_call(p, position, WR_STR("timezone"), 0, (wr_node *[]){zone, *inout}, 2, inout);
}

static wr_status collate(wr_parser *p, wr_node **inout) {
    uint32_t position = wr_sql_position(p), name_position;
    wr_sql_advance(p);
    name_position = wr_sql_position(p);
    wr_str name;
    wr_node *collation;
    WR_TRY(wr_sql_name(p, "the name of a collation", &name));
    WR_TRY(wr_sql_leaf(p, WR_NODE_STRING, name_position, name, &collation));
    return wr_sql_call(p, position, WR_STR("collate"), 0, (wr_node *[]){*inout, collation}, 2, inout);
}

static wr_status infix(wr_parser *p, level at, wr_node **inout) {
    switch (at) {
    case LEVEL_OR:
    case LEVEL_AND: return junction(p, at, inout);
    case LEVEL_IS: return is_predicate(p, inout);
    case LEVEL_COMPARE: return comparison(p, inout);
    case LEVEL_LIKE: return like_level(p, inout);
    case LEVEL_ZONE: return at_time_zone(p, inout);
    case LEVEL_COLLATE: return collate(p, inout);
    default: return binary(p, at, inout);
    }
}

/* ---- operands ---- */

/* x[i], x[first:last:step]; behind the "[". */
static wr_status subscript(wr_parser *p, uint32_t position, wr_node **inout) {
    wr_node *bounds[3] = {NULL};
    uint32_t colons = 0;
    for (;;) {
        bool empty = wr_sql_is(p, WR_TOKEN_COLON) || wr_sql_is(p, WR_TOKEN_RIGHT_BRACKET);
        if (!empty || (colons == 0 && !wr_sql_is(p, WR_TOKEN_COLON))) WR_TRY(wr_sql_expression(p, &bounds[colons]));
        if (colons == 2 || !wr_sql_accept(p, WR_TOKEN_COLON)) break;
        colons++;
    }
    WR_TRY(wr_sql_expect(p, WR_TOKEN_RIGHT_BRACKET));
    if (colons == 0) return operator_call(p, position, WR_STR("[]"), *inout, bounds[0], inout);
    wr_node *operand = *inout;
    WR_TRY(wr_sql_wrap(p, WR_NODE_SLICE, position, WR_STR(""), operand, inout));
    for (uint32_t i = 0; i < 3; i++) (*inout)->children[i + 1] = bounds[i];
    return WR_OK;
}

/* x::type */
static wr_status cast_suffix(wr_parser *p, uint32_t position, wr_node **inout) {
    wr_str type;
    WR_TRY(wr_sql_type_name(p, &type));
    return wr_sql_wrap(p, WR_NODE_CAST, position, type, *inout, inout);
}

/* x.name or x.function(…); behind the dot. */
static wr_status dot_suffix(wr_parser *p, wr_node **inout) {
    const wr_token *token = wr_sql_token(p, 0);
    wr_str name;
    if (!wr_sql_is_label(p, 0)) return wr_sql_unexpected(p, "a name behind the dot");
    bool quoted = token->kind == WR_TOKEN_QUOTED;
    if (wr_sql_is_at(p, 1, WR_TOKEN_LEFT_PAREN)) {
        WR_TRY(quoted ? wr_sql_token_name(p, token, &name) : wr_sql_token_lower(p, token, &name));
        wr_sql_advance(p);
        return wr_sql_function(p, token->begin, name, *inout, inout);
    }
    WR_TRY(wr_sql_token_name(p, token, &name));
    wr_sql_advance(p);
    WR_TRY(wr_sql_wrap(p, WR_NODE_FIELD, token->begin, name, *inout, inout));
    if (quoted) (*inout)->flags = WR_NODE_QUOTED;
    return WR_OK;
}

static wr_status sign_prefix(wr_parser *p, wr_node **out);

static wr_status parse_operand(wr_parser *p, wr_node **out) {
    wr_token_kind kind = wr_sql_token(p, 0)->kind;
    if (kind == WR_TOKEN_MINUS || kind == WR_TOKEN_PLUS || kind == WR_TOKEN_TILDE) return sign_prefix(p, out);
    if (wr_sql_is_word(p, WR_KEYWORD_NOT)) {
        uint32_t position = wr_sql_position(p);
        wr_sql_advance(p);
        WR_TRY(wr_sql_enter(p));
        WR_TRY(parse_level(p, LEVEL_NOT, out));
        wr_sql_leave(p);
        return wr_sql_wrap(p, WR_NODE_NOT, position, WR_STR(""), *out, out);
    }
    WR_TRY(wr_sql_primary(p, out));
    for (;;) {
        uint32_t position = wr_sql_position(p);
        if (wr_sql_accept(p, WR_TOKEN_LEFT_BRACKET)) {
            WR_TRY(subscript(p, position, out));
        } else if (wr_sql_accept(p, WR_TOKEN_CAST)) {
            WR_TRY(cast_suffix(p, position, out));
        } else if (wr_sql_accept(p, WR_TOKEN_DOT)) {
            WR_TRY(dot_suffix(p, out));
        } else {
            return WR_OK;
        }
    }
}

/* -x, +x, ~x; the minus in front of a number becomes part of it, so that the least integers can be written. */
static wr_status sign_prefix(wr_parser *p, wr_node **out) {
    const wr_token *token = wr_sql_token(p, 0);
    wr_node *operand;
    wr_sql_advance(p);
    WR_TRY(wr_sql_enter(p));
    WR_TRY(parse_operand(p, &operand));
    wr_sql_leave(p);
    bool number = operand->kind == WR_NODE_NUMBER && operand->text.data[0] != '-';
    if (token->kind != WR_TOKEN_MINUS || !number) {
        return operator_call(p, token->begin, wr_str_from(wr_token_sign(token->kind)), operand, NULL, out);
    }
    wr_str text = wr_arena_format(p->arena, "-%.*s", WR_STR_ARGS(operand->text));
    if (!text.data) return wr_fail_memory(p->err, operand->text.size, "a number");
    return wr_sql_leaf(p, WR_NODE_NUMBER, token->begin, text, out);
}

static wr_status parse_level(wr_parser *p, level least, wr_node **out) {
    WR_TRY(parse_operand(p, out));
    for (;;) {
        level at = infix_level(p);
        if (at < least || at == LEVEL_NONE) return WR_OK;
        WR_TRY(infix(p, at, out));
    }
}

wr_status wr_sql_expression(wr_parser *p, wr_node **out) {
    WR_TRY(wr_sql_enter(p));
    WR_TRY(parse_level(p, LEVEL_OR, out));
    wr_sql_leave(p);
    return WR_OK;
}

wr_status wr_sql_arithmetic(wr_parser *p, wr_node **out) {
    return parse_level(p, LEVEL_OTHER, out);
}
