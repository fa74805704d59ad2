/* Projections that only feed another projection or an aggregate become part of it: its expressions read what the
 * projection read. Equal subexpressions are computed once by the program of a node, so nothing is computed twice. A
 * reader of a shared subplan stays: it is what gives the shared columns their names here. */
#include "optimize/optimize_internal.h"

typedef struct merger {
    wr_plan *plan;
} merger;

static bool can_merge(const wr_logical *child) {
    if (child->kind != WR_LOGICAL_PROJECT || child->children[0]->kind == WR_LOGICAL_SHARED) return false;
    for (uint32_t i = 0; i < child->project.count; i++) {
        if (child->project.items[i].expr->volatile_) return false;
    }
    return true;
}

static wr_status substitute_items(const wr_substitution *by, wr_named_expr *items, uint32_t count, wr_error *err) {
    for (uint32_t i = 0; i < count; i++) WR_NEED(items[i].expr = wr_substitute(by, items[i].expr));
    return WR_OK;
}

static wr_status merge_child(wr_logical **slot, void *user, wr_error *err) {
    merger *m = user;
    wr_logical *node = *slot;
    if (node->kind != WR_LOGICAL_PROJECT && node->kind != WR_LOGICAL_AGGREGATE) return WR_OK;
    wr_logical *child = node->children[0];
    if (!can_merge(child)) return WR_OK;
    wr_substitution by = {&m->plan->arena, child->project.items, child->project.count};
    if (node->kind == WR_LOGICAL_PROJECT) {
        WR_TRY(substitute_items(&by, node->project.items, node->project.count, err));
    } else {
        WR_TRY(substitute_items(&by, node->aggregate.keys, node->aggregate.key_count, err));
        WR_TRY(substitute_items(&by, node->aggregate.aggregates, node->aggregate.aggregate_count, err));
    }
    node->children[0] = child->children[0];
    return WR_OK;
}

wr_status wr_pass_merge(wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    (void)context;
    merger m = {plan};
    wr_walk walk = {.plan = plan, .visit = merge_child, .user = &m};
    return wr_walk_up(&walk, &plan->root, err);
}
