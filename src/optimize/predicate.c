/* Reading conditions: which comparison it is, and whether a NULL can pass it. */
#include "optimize/optimize_internal.h"

bool wr_is_true(const wr_expr *e) {
    return e->kind == WR_EXPR_CONSTANT && e->type.id == WR_TYPE_BOOLEAN && !e->value.is_null && e->value.boolean;
}

bool wr_is_false_or_null(const wr_expr *e) {
    return e->kind == WR_EXPR_CONSTANT && (e->value.is_null || (e->type.id == WR_TYPE_BOOLEAN && !e->value.boolean));
}

bool wr_is_call(const wr_expr *e, const char *name, uint32_t arg_count) {
    return e->kind == WR_EXPR_CALL && e->arg_count == arg_count && strcmp(e->function->name, name) == 0;
}

bool wr_match_compare(const wr_expr *e, wr_compare_op *op, wr_expr **left, wr_expr **right) {
    static const char *const signs[WR_COMPARE_OPS] = {"=", "<>", "<", "<=", ">", ">="};
    if (e->kind != WR_EXPR_CALL || e->arg_count != 2) return false;
    for (uint32_t i = 0; i < WR_COMPARE_OPS; i++) {
        if (strcmp(e->function->name, signs[i]) != 0) continue;
        *op = (wr_compare_op)i;
        *left = e->args[0];
        *right = e->args[1];
        return true;
    }
    return false;
}

wr_compare_op wr_compare_swapped(wr_compare_op op) {
    static const wr_compare_op swapped[WR_COMPARE_OPS] = {WR_EQ, WR_NE, WR_GT, WR_GE, WR_LT, WR_LE};
    return swapped[op];
}

wr_compare_op wr_compare_negated(wr_compare_op op) {
    static const wr_compare_op negated[WR_COMPARE_OPS] = {WR_NE, WR_EQ, WR_GE, WR_GT, WR_LE, WR_LT};
    return negated[op];
}

bool wr_expr_is_strict(const wr_expr *e, const wr_column_set *nulls) {
    switch ((wr_expr_kind)e->kind) {
    case WR_EXPR_COLUMN: return wr_column_set_has(nulls, e->column);
    case WR_EXPR_CONSTANT: return e->value.is_null;
    case WR_EXPR_CALL:
        if (e->function->nulls != WR_NULLS_STRICT) return false;
        break;
    case WR_EXPR_CAST:
    case WR_EXPR_NOT: break;
    case WR_EXPR_IN: return wr_expr_is_strict(e->args[0], nulls);
    case WR_EXPR_AND:
    case WR_EXPR_OR:
        /* NULL only if no term decides otherwise: if all are. */
        for (uint32_t i = 0; i < e->arg_count; i++) {
            if (!wr_expr_is_strict(e->args[i], nulls)) return false;
        }
        return true;
    default: return false;
    }
    for (uint32_t i = 0; i < e->arg_count; i++) {
        if (wr_expr_is_strict(e->args[i], nulls)) return true;
    }
    return false;
}

bool wr_rejects_null(const wr_expr *e, const wr_column_set *nulls) {
    if (e->kind == WR_EXPR_AND || e->kind == WR_EXPR_OR) {
        bool any = e->kind == WR_EXPR_AND;
        for (uint32_t i = 0; i < e->arg_count; i++) {
            if (wr_rejects_null(e->args[i], nulls) == any) return any;
        }
        return !any;
    }
    if (e->kind == WR_EXPR_NOT && e->args[0]->kind == WR_EXPR_IS_NULL)
        return wr_expr_is_strict(e->args[0]->args[0], nulls);
    return wr_is_false_or_null(e) || wr_expr_is_strict(e, nulls);
}
