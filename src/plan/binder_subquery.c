/* Queries inside of expressions: the query is bound in a scope below the expression's, and kept whole in a
 * WR_EXPR_SUBQUERY; what it reads from outside are plain columns that its own plan does not make. optimize/ turns all
 * of them into joins. */
#include "plan/binder_internal.h"

static const wr_type boolean_type = {.id = WR_TYPE_BOOLEAN, .unit = WR_UNIT_US};

static bool compare_of(wr_str sign, wr_compare_op *out) {
    static const char *const signs[WR_COMPARE_OPS] = {"=", "<>", "<", "<=", ">", ">="};
    for (uint32_t i = 0; i < WR_COMPARE_OPS; i++) {
        if (!wr_str_equal(sign, wr_str_from(signs[i]))) continue;
        *out = (wr_compare_op)i;
        return true;
    }
    return false;
}

/* Gives column `at` of the query the type, by a projection above it. */
static wr_status cast_output(wr_binder *b, wr_logical **query, uint32_t at, wr_type type, uint32_t position,
                             wr_error *err) {
    wr_logical *node = *query;
    wr_expr **exprs = WR_ARENA_ARRAY(b->arena, wr_expr *, node->column_count);
    wr_str *names = WR_ARENA_ARRAY(b->arena, wr_str, node->column_count);
    WR_NEED(exprs && names);
    for (uint32_t i = 0; i < node->column_count; i++) {
        WR_NEED(exprs[i] = wr_bind_column(b, node->columns[i], position));
        names[i] = b->plan->columns[node->columns[i]].name;
    }
    if (wr_type_equal(exprs[at]->type, type)) return WR_OK;
    WR_TRY(wr_bind_cast(b, exprs[at], type, &exprs[at], err));
    return wr_bind_project(b, node, exprs, names, node->column_count, query, err);
}

/* The operands of IN, ANY and ALL: one, or the values of a row. */
static wr_status bind_operands(wr_binder *b, const wr_expr_scope *in, const wr_node *operand, wr_expr *expr,
                               wr_error *err) {
    bool row = operand->kind == WR_NODE_CALL && wr_str_equal_nocase(operand->text, WR_STR("row")) &&
               !(operand->flags & WR_NODE_OPERATOR);
    const wr_node *list = row ? operand->children[WR_CALL_ARGUMENTS] : NULL;
    expr->arg_count = row ? list->child_count : 1;
    WR_NEED(expr->args = WR_ARENA_ARRAY(b->arena, wr_expr *, expr->arg_count + 1));
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        WR_TRY(wr_bind_expr(b, in, row ? list->children[i] : operand, &expr->args[i], err));
    }
    return WR_OK;
}

/* Both sides of the comparison in one type, column by column. */
static wr_status meet(wr_binder *b, wr_expr *expr, uint32_t position, wr_error *err) {
    if (expr->arg_count != expr->query->column_count)
        return wr_fail_at(err, WR_INVALID, position, "the subquery gives %u columns, %u are compared",
                          expr->query->column_count, expr->arg_count);
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        wr_expr *both[2] = {expr->args[i], wr_bind_column(b, expr->query->columns[i], position)};
        wr_type type;
        WR_NEED(both[1]);
        WR_TRY(wr_bind_common_type(b, both, 2, "a comparison with a subquery", &type, err));
        WR_TRY(wr_bind_cast(b, expr->args[i], type, &expr->args[i], err));
        WR_TRY(cast_output(b, &expr->query, i, type, position, err));
    }
    return WR_OK;
}

static wr_status bind_comparing(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr *expr,
                                wr_error *err) {
    bool quantified = node->kind == WR_NODE_QUANTIFIED;
    WR_TRY(bind_operands(b, in, node->children[0], expr, err));
    expr->subquery = WR_SUBQUERY_IN;
    if (quantified) {
        wr_compare_op compare;
        if (!compare_of(node->text, &compare))
            return wr_fail_at(err, WR_UNSUPPORTED, node->position, "%.*s is not possible with ANY and ALL",
                              WR_STR_ARGS(node->text));
        bool all = (node->flags & WR_NODE_ALL) != 0;
        expr->compare = (uint8_t)compare;
        if (all || compare != WR_EQ) expr->subquery = all ? WR_SUBQUERY_ALL : WR_SUBQUERY_ANY;
        if (expr->arg_count != 1 && expr->subquery != WR_SUBQUERY_IN)
            return wr_fail_at(err, WR_UNSUPPORTED, node->position, "a row is compared with a subquery by IN alone");
    }
    return meet(b, expr, node->position, err);
}

wr_status wr_bind_subquery(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out, wr_error *err) {
    bool operand = node->kind == WR_NODE_IN || node->kind == WR_NODE_QUANTIFIED;
    const wr_node *query_node = node->children[operand ? 1 : 0];
    if (query_node->kind != WR_NODE_QUERY)
        return wr_fail_at(err, WR_UNSUPPORTED, node->position, "ANY and ALL over a list are not supported");
    wr_bound_query query;
    WR_TRY(wr_bind_query_node(b, query_node, in->scope, &query, err));
    wr_expr *expr = wr_expr_create(b->arena, WR_EXPR_SUBQUERY, boolean_type, 0);
    WR_NEED(expr);
    expr->position = node->position;
    expr->query = query.node;
    if (node->kind == WR_NODE_EXISTS) {
        expr->subquery = WR_SUBQUERY_EXISTS;
    } else if (node->kind == WR_NODE_SCALAR_QUERY) {
        if (query.node->column_count != 1)
            return wr_fail_at(err, WR_INVALID, node->position,
                              "a subquery that is used as a value must give one column, this one gives %u",
                              query.node->column_count);
        expr->subquery = WR_SUBQUERY_SCALAR;
        expr->type = b->plan->columns[query.node->columns[0]].type;
    } else {
        WR_TRY(bind_comparing(b, in, node, expr, err));
    }
    *out = wr_expr_refresh(expr);
    return WR_OK;
}
