/* Calls: scalar functions and operators by the registry's overloads, aggregates with what SQL hangs on them (DISTINCT,
 * FILTER, ORDER BY), and the refusal of what may not stand where it stands. */
#include "plan/binder_internal.h"

static bool is_aggregate(wr_binder *b, wr_str name) {
    wr_function_match match = wr_registry_find(b->context->registry, name);
    return match.count && match.rows[0]->kind == WR_FUNCTION_AGGREGATE;
}

static wr_status bind_arguments(wr_binder *b, const wr_expr_scope *in, const wr_node *list, wr_expr ***out,
                                uint32_t *count, wr_error *err) {
    *count = 0;
    WR_NEED(*out = WR_ARENA_ARRAY(b->arena, wr_expr *, list->child_count + 1));
    for (uint32_t i = 0; i < list->child_count; i++) {
        const wr_node *arg = list->children[i];
        if (arg->kind == WR_NODE_STAR && list->child_count == 1 && in->in_aggregate) return WR_OK; /* count(*) */
        if (arg->kind == WR_NODE_ALIAS)
            return wr_fail_at(err, WR_UNSUPPORTED, arg->position, "named arguments and structs are not supported: %.*s",
                              WR_STR_ARGS(arg->text));
        WR_TRY(wr_bind_expr(b, in, arg, &(*out)[*count], err));
        (*count)++;
    }
    return WR_OK;
}

/* Arguments that can fail are evaluated for the rows alone that the filter lets through. */
static wr_status guard_by_filter(wr_binder *b, wr_expr *aggregate, wr_error *err) {
    for (uint32_t i = 0; i < aggregate->arg_count && !aggregate->filter->volatile_; i++) {
        wr_expr *arg = aggregate->args[i];
        if (!arg->can_fail) continue;
        wr_expr *guarded = wr_expr_create(b->arena, WR_EXPR_CASE, arg->type, 3);
        WR_NEED(guarded);
        guarded->args[0] = aggregate->filter;
        guarded->args[1] = arg;
        WR_NEED(guarded->args[2] = wr_expr_constant(b->arena, (wr_value){.type = arg->type, .is_null = true}));
        guarded->position = arg->position;
        aggregate->args[i] = wr_expr_refresh(guarded);
    }
    return WR_OK;
}

static wr_status bind_aggregate(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out,
                                wr_error *err) {
    if (in->in_aggregate)
        return wr_fail_at(err, WR_INVALID, node->position, "aggregate %.*s() is inside of another aggregate",
                          WR_STR_ARGS(node->text));
    if (!in->aggregates) {
        (void)wr_fail_at(err, WR_INVALID, node->position, "aggregate %.*s() is not possible in %s",
                         WR_STR_ARGS(node->text), in->clause);
        if (strcmp(in->clause, "WHERE") == 0) return wr_hint(err, "conditions on aggregates go into HAVING");
        return WR_INVALID;
    }
    wr_expr_scope inner = *in;
    inner.in_aggregate = true;
    inner.aggregates = false;
    wr_expr **args, *expr;
    uint32_t count;
    WR_TRY(bind_arguments(b, &inner, node->children[WR_CALL_ARGUMENTS], &args, &count, err));
    WR_TRY(wr_function_bind(b->context->registry, b->arena, node->text, node->position, args, count, &expr, err));
    expr->distinct = (node->flags & WR_NODE_DISTINCT) != 0 && count > 0;
    expr->ignore_nulls = (node->flags & WR_NODE_IGNORE_NULLS) != 0;
    if (node->children[WR_CALL_ORDER] && expr->function->order_sensitive)
        return wr_fail_at(err, WR_UNSUPPORTED, node->position, "ORDER BY inside of %.*s() is not supported",
                          WR_STR_ARGS(node->text));
    if (node->children[WR_CALL_FILTER]) {
        inner.clause = "FILTER";
        WR_TRY(wr_bind_condition(b, &inner, node->children[WR_CALL_FILTER], &expr->filter, err));
        WR_TRY(guard_by_filter(b, expr, err));
    }
    *out = wr_expr_refresh(expr);
    return WR_OK;
}

wr_status wr_bind_call(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out, wr_error *err) {
    if (node->children[WR_CALL_WINDOW])
        return wr_fail_at(err, WR_UNSUPPORTED, node->position, "window functions are not supported: %.*s() OVER",
                          WR_STR_ARGS(node->text));
    bool plain = (node->flags & WR_NODE_OPERATOR) != 0;
    if (!plain && wr_str_equal_nocase(node->text, WR_STR("columns")))
        return wr_fail_at(err, WR_UNSUPPORTED, node->position, "COLUMNS() is not supported");
    if (!plain && is_aggregate(b, node->text)) return bind_aggregate(b, in, node, out, err);
    wr_expr **args;
    uint32_t count;
    WR_TRY(bind_arguments(b, in, node->children[WR_CALL_ARGUMENTS], &args, &count, err));
    WR_TRY(wr_function_bind(b->context->registry, b->arena, node->text, node->position, args, count, out, err));
    if ((node->flags & WR_NODE_DISTINCT) || node->children[WR_CALL_FILTER] || node->children[WR_CALL_ORDER])
        return wr_fail_at(err, WR_INVALID, node->position,
                          "DISTINCT, FILTER and ORDER BY belong to aggregates; %.*s() is none",
                          WR_STR_ARGS(node->text));
    return WR_OK;
}
