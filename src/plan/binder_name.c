/* What a column of a result is called when the user did not say: the last name of a column, else the expression in few
 * words, as it was written. */
#include "plan/binder_internal.h"

static void add_name(wr_text *t, const wr_node *node);

static void add_str(wr_text *t, wr_str s) {
    wr_text_add(t, s.data, s.size);
}

static void add_list(wr_text *t, const wr_node *list, const char *between) {
    for (uint32_t i = 0; list && i < list->child_count; i++) {
        if (i) wr_text_addz(t, between);
        if (list->children[i]) add_name(t, list->children[i]);
    }
}

static void add_call(wr_text *t, const wr_node *node) {
    const wr_node *args = node->children[WR_CALL_ARGUMENTS];
    if ((node->flags & WR_NODE_OPERATOR) && args->child_count == 2) {
        wr_text_addz(t, "(");
        add_name(t, args->children[0]);
        wr_text_addz(t, " ");
        add_str(t, node->text);
        wr_text_addz(t, " ");
        add_name(t, args->children[1]);
        wr_text_addz(t, ")");
        return;
    }
    if (args->child_count == 1 && args->children[0]->kind == WR_NODE_STAR &&
        wr_str_equal_nocase(node->text, WR_STR("count"))) {
        wr_text_addz(t, "count_star()");
        return;
    }
    add_str(t, node->text);
    wr_text_addz(t, node->flags & WR_NODE_DISTINCT ? "(DISTINCT " : "(");
    add_list(t, args, ", ");
    wr_text_addz(t, ")");
}

static void add_case(wr_text *t, const wr_node *node) {
    const wr_node *branches = node->children[WR_CASE_BRANCHES];
    wr_text_addz(t, "CASE");
    if (node->children[WR_CASE_OPERAND]) {
        wr_text_addz(t, " ");
        add_name(t, node->children[WR_CASE_OPERAND]);
    }
    for (uint32_t i = 0; i + 1 < branches->child_count; i += 2) {
        wr_text_addz(t, " WHEN ");
        add_name(t, branches->children[i]);
        wr_text_addz(t, " THEN ");
        add_name(t, branches->children[i + 1]);
    }
    if (node->children[WR_CASE_ELSE]) {
        wr_text_addz(t, " ELSE ");
        add_name(t, node->children[WR_CASE_ELSE]);
    }
    wr_text_addz(t, " END");
}

static void add_wrapped(wr_text *t, const char *before, const wr_node *node, const char *after) {
    wr_text_addz(t, before);
    add_name(t, node);
    wr_text_addz(t, after);
}

static void add_cast(wr_text *t, const wr_node *node) {
    add_wrapped(t, node->flags & WR_NODE_TRY ? "TRY_CAST(" : "CAST(", node->children[0], " AS ");
    add_str(t, node->text);
    wr_text_addz(t, ")");
}

static void add_is(wr_text *t, const wr_node *node) {
    add_wrapped(t, "(", node->children[0], node->flags & WR_NODE_NEGATED ? " IS NOT " : " IS ");
    add_str(t, node->text);
    if (node->children[1]) add_wrapped(t, " from ", node->children[1], "");
    wr_text_addz(t, ")");
}

static void add_between(wr_text *t, const wr_node *node) {
    add_wrapped(t, "(", node->children[0], node->flags & WR_NODE_NEGATED ? " NOT BETWEEN " : " BETWEEN ");
    add_wrapped(t, "", node->children[1], " AND ");
    add_wrapped(t, "", node->children[2], ")");
}

static void add_in(wr_text *t, const wr_node *node) {
    add_wrapped(t, "(", node->children[0], node->flags & WR_NODE_NEGATED ? " NOT IN " : " IN ");
    if (node->children[1]->kind == WR_NODE_LIST) {
        wr_text_addz(t, "(");
        add_list(t, node->children[1], ", ");
        wr_text_addz(t, "))");
    } else {
        add_wrapped(t, "", node->children[1], ")");
    }
}

static void add_name(wr_text *t, const wr_node *node) {
    switch ((wr_node_kind)node->kind) {
    case WR_NODE_COLUMN: add_str(t, node->children[node->child_count - 1]->text); return;
    case WR_NODE_FIELD:
    case WR_NODE_NUMBER:
    case WR_NODE_BOOLEAN: add_str(t, node->text); return;
    case WR_NODE_STRING:
        wr_text_addz(t, "'");
        add_str(t, node->text);
        wr_text_addz(t, "'");
        return;
    case WR_NODE_NULL: wr_text_addz(t, "NULL"); return;
    case WR_NODE_TYPED: {
        const char *zero = memchr(node->text.data, 0, node->text.size);
        uint32_t at = zero ? (uint32_t)(zero - node->text.data) : 0;
        wr_text_format(t, "%.*s '%.*s'", (int)at, node->text.data, (int)(node->text.size - at - (zero != NULL)),
                       node->text.data + at + (zero != NULL));
        return;
    }
    case WR_NODE_INTERVAL:
        add_wrapped(t, "INTERVAL ", node->children[0], node->text.size ? " " : "");
        add_str(t, node->text);
        return;
    case WR_NODE_PARAMETER:
        wr_text_addz(t, "$");
        add_str(t, node->text);
        return;
    case WR_NODE_STAR: wr_text_addz(t, "*"); return;
    case WR_NODE_CALL: add_call(t, node); return;
    case WR_NODE_CAST: add_cast(t, node); return;
    case WR_NODE_CASE: add_case(t, node); return;
    case WR_NODE_AND:
    case WR_NODE_OR:
        wr_text_addz(t, "(");
        add_list(t, node, node->kind == WR_NODE_AND ? " AND " : " OR ");
        wr_text_addz(t, ")");
        return;
    case WR_NODE_NOT: add_wrapped(t, "(NOT ", node->children[0], ")"); return;
    case WR_NODE_BETWEEN: add_between(t, node); return;
    case WR_NODE_IN: add_in(t, node); return;
    case WR_NODE_IS: add_is(t, node); return;
    case WR_NODE_ALIAS: add_name(t, node->children[0]); return;
    case WR_NODE_EXISTS: wr_text_addz(t, "EXISTS(subquery)"); return;
    case WR_NODE_LIST:
        wr_text_addz(t, "[");
        add_list(t, node, ", ");
        wr_text_addz(t, "]");
        return;
    default:
        wr_text_addz(t, node->kind == WR_NODE_QUERY || node->kind == WR_NODE_SCALAR_QUERY
                            ? "(subquery)"
                            : wr_node_kind_name(node->kind));
    }
}

wr_str wr_bind_name(wr_binder *b, const wr_node *expr) {
    wr_text text;
    wr_text_init(&text, b->arena->allocator);
    add_name(&text, expr);
    wr_str name = text.failed ? (wr_str){NULL, 0} : wr_arena_copy(b->arena, wr_text_view(&text));
    wr_text_deinit(&text);
    return name;
}
