/* LIMIT goes down to where it spares work: below projections (so that it meets its sort, and few rows are projected),
 * into both sides of UNION ALL, to the left side of joins that keep every left row. It stays above where the rows below
 * may still be more. */
#include "optimize/optimize_internal.h"

typedef struct limiter {
    wr_plan *plan;
} limiter;

static bool is_constant(const wr_expr *count) {
    return !count || (count->kind == WR_EXPR_CONSTANT && !count->value.is_null);
}

/* A LIMIT of as many rows as the old one reads: its limit and its offset. */
static wr_status limit_copy(limiter *l, const wr_logical *limit, wr_logical **child, wr_error *err) {
    if ((*child)->kind == WR_LOGICAL_LIMIT) return WR_OK;
    wr_logical *made = wr_logical_create(l->plan, WR_LOGICAL_LIMIT, 1);
    WR_NEED(made);
    int64_t rows = limit->limit.limit->value.i64, offset = limit->limit.offset ? limit->limit.offset->value.i64 : 0;
    if (__builtin_add_overflow(rows, offset, &rows)) return WR_OK;
    wr_value value = {.type = wr_type_of(WR_TYPE_BIGINT), .i64 = rows};
    WR_NEED(made->limit.limit = wr_expr_constant(&l->plan->arena, value));
    made->children[0] = *child;
    WR_NEED(wr_logical_refresh(l->plan, made));
    *child = made;
    return WR_OK;
}

static bool keeps_left_rows(const wr_logical *join) {
    return join->kind == WR_LOGICAL_JOIN && (join->join.kind == WR_JOIN_OUTER_LEFT || join->join.kind == WR_JOIN_MARK);
}

static wr_status push_limit(limiter *l, wr_logical **slot, wr_error *err) {
    wr_logical *limit = *slot, *child = limit->children[0];
    if (child->kind == WR_LOGICAL_PROJECT && child->children[0]->kind != WR_LOGICAL_SHARED) {
        limit->children[0] = child->children[0];
        child->children[0] = limit;
        WR_NEED(wr_logical_refresh(l->plan, limit) && wr_logical_refresh(l->plan, child));
        *slot = child;
        return push_limit(l, &child->children[0], err);
    }
    if (!limit->limit.limit || !is_constant(limit->limit.limit) || !is_constant(limit->limit.offset)) return WR_OK;
    if (child->kind == WR_LOGICAL_SET_OPERATION && child->set.operation == WR_SET_UNION && child->set.all) {
        for (int side = 0; side < 2; side++) {
            WR_TRY(limit_copy(l, limit, &child->children[side], err));
            if (child->children[side]->kind == WR_LOGICAL_LIMIT) WR_TRY(push_limit(l, &child->children[side], err));
        }
    } else if (keeps_left_rows(child)) {
        WR_TRY(limit_copy(l, limit, &child->children[0], err));
        if (child->children[0]->kind == WR_LOGICAL_LIMIT) WR_TRY(push_limit(l, &child->children[0], err));
    }
    WR_NEED(wr_logical_refresh(l->plan, child) && wr_logical_refresh(l->plan, limit));
    return WR_OK;
}

static wr_status visit_limit(wr_logical **slot, void *user, wr_error *err) {
    return (*slot)->kind == WR_LOGICAL_LIMIT ? push_limit(user, slot, err) : WR_OK;
}

wr_status wr_pass_limit(wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    (void)context;
    limiter l = {plan};
    wr_walk walk = {.plan = plan, .visit = visit_limit, .user = &l};
    return wr_walk_up(&walk, &plan->root, err);
}
