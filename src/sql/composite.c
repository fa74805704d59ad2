/* Lists, structs and maps as they are written in expressions. */
#include "sql/sql_internal.h"

/* [value FOR x IN list IF condition] is list_transform(list_filter(list, x -> condition), x -> value); behind the
 * value, at FOR. */
static wr_status comprehension(wr_parser *p, wr_node *value, wr_node **out) {
    uint32_t position = wr_sql_position(p), mark = wr_sql_mark(p);
    wr_sql_advance(p);
    do {
        wr_node *name;
        WR_TRY(wr_sql_identifier(p, "a name for the elements", &name));
        WR_TRY(wr_sql_push(p, name));
    } while (wr_sql_accept(p, WR_TOKEN_COMMA));
    wr_node *names, *list, *condition, *lambda;
    WR_TRY(wr_sql_gather(p, WR_NODE_LIST, position, mark, &names));
    WR_TRY(wr_sql_expect_word(p, WR_KEYWORD_IN));
    WR_TRY(wr_sql_expression(p, &list));
    if (wr_sql_is_word(p, WR_KEYWORD_IF)) {
        /* The filter would number the elements anew. */
        if (names->child_count > 1) return wr_sql_refuse(p, "IF in a list comprehension with an index");
        wr_sql_advance(p);
        WR_TRY(wr_sql_expression(p, &condition));
        WR_TRY(wr_sql_node(p, WR_NODE_LAMBDA, position, &lambda));
        lambda->children[0] = wr_node_copy(p->arena, names);
        lambda->children[1] = condition;
        if (!lambda->children[0]) return wr_fail_memory(p->err, sizeof(wr_node), "the statement");
        WR_TRY(wr_sql_call(p, position, WR_STR("list_filter"), 0, (wr_node *[]){list, lambda}, 2, &list));
    }
    WR_TRY(wr_sql_node(p, WR_NODE_LAMBDA, position, &lambda));
    lambda->children[0] = names;
    lambda->children[1] = value;
    return wr_sql_call(p, position, WR_STR("list_transform"), 0, (wr_node *[]){list, lambda}, 2, out);
}

/* [1, 2], ARRAY [1, 2], [x + 1 FOR x IN list] */
wr_status wr_sql_list_literal(wr_parser *p, wr_node **out) {
    uint32_t position = wr_sql_position(p), mark = wr_sql_mark(p);
    wr_sql_accept_word(p, WR_KEYWORD_ARRAY);
    WR_TRY(wr_sql_expect(p, WR_TOKEN_LEFT_BRACKET));
    bool more = !wr_sql_is(p, WR_TOKEN_RIGHT_BRACKET);
    while (more) {
        wr_node *item;
        WR_TRY(wr_sql_expression(p, &item));
        if (wr_sql_is_word(p, WR_KEYWORD_FOR) && wr_sql_mark(p) == mark) {
            WR_TRY(comprehension(p, item, out));
            return wr_sql_expect(p, WR_TOKEN_RIGHT_BRACKET);
        }
        WR_TRY(wr_sql_push(p, item));
        more = wr_sql_more(p, wr_sql_ends_group);
    }
    if (!wr_sql_accept(p, WR_TOKEN_RIGHT_BRACKET)) return wr_sql_unexpected(p, "a comma or \"]\"");
    WR_TRY(wr_sql_gather(p, WR_NODE_LIST, position, mark, out));
    (*out)->flags = WR_NODE_LITERAL;
    return WR_OK;
}

/* {'a': 1, b: 2} is struct_pack(a := 1, b := 2). */
wr_status wr_sql_struct_literal(wr_parser *p, wr_node **out) {
    uint32_t position = wr_sql_position(p), mark = wr_sql_mark(p);
    wr_sql_advance(p);
    do {
        const wr_token *token = wr_sql_token(p, 0);
        wr_node *value, *field;
        wr_str name;
        if (wr_sql_is_string(p, 0)) {
            WR_TRY(wr_sql_string(p, &name));
        } else if (wr_sql_is_label(p, 0)) {
            WR_TRY(wr_sql_token_name(p, token, &name));
            wr_sql_advance(p);
        } else {
            return wr_sql_unexpected(p, "the name of a field");
        }
        WR_TRY(wr_sql_expect(p, WR_TOKEN_COLON));
        WR_TRY(wr_sql_expression(p, &value));
        WR_TRY(wr_sql_wrap(p, WR_NODE_ALIAS, token->begin, name, value, &field));
        WR_TRY(wr_sql_push(p, field));
    } while (wr_sql_more(p, wr_sql_ends_group));
    if (!wr_sql_accept(p, WR_TOKEN_RIGHT_BRACE)) return wr_sql_unexpected(p, "a comma or \"}\"");
    uint32_t count = wr_sql_mark(p) - mark;
    p->stack_count = mark;
    return wr_sql_call(p, position, WR_STR("struct_pack"), 0, p->stack + mark, count, out);
}

/* MAP {k: v, …} is map([k, …], [v, …]). */
wr_status wr_sql_map_literal(wr_parser *p, wr_node **out) {
    uint32_t position = wr_sql_position(p), mark = wr_sql_mark(p);
    p->at += 2;
    bool more = !wr_sql_is(p, WR_TOKEN_RIGHT_BRACE);
    while (more) {
        wr_node *key, *value;
        WR_TRY(wr_sql_expression(p, &key));
        WR_TRY(wr_sql_push(p, key));
        WR_TRY(wr_sql_expect(p, WR_TOKEN_COLON));
        WR_TRY(wr_sql_expression(p, &value));
        WR_TRY(wr_sql_push(p, value));
        more = wr_sql_more(p, wr_sql_ends_group);
    }
    if (!wr_sql_accept(p, WR_TOKEN_RIGHT_BRACE)) return wr_sql_unexpected(p, "a comma or \"}\"");
    uint32_t count = (wr_sql_mark(p) - mark) / 2;
    wr_node *lists[2];
    for (uint32_t side = 0; side < 2; side++) {
        lists[side] = wr_node_create(p->arena, WR_NODE_LIST, position, count);
        if (!lists[side]) return wr_fail_memory(p->err, sizeof(wr_node), "the statement");
        lists[side]->flags = WR_NODE_LITERAL;
        for (uint32_t i = 0; i < count; i++) lists[side]->children[i] = p->stack[mark + 2 * i + side];
    }
    p->stack_count = mark;
    return wr_sql_call(p, position, WR_STR("map"), 0, lists, 2, out);
}
