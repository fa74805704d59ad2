/* The last pass: estimates for all nodes, the side that each join builds, and what the plan's table of columns says,
 * put right after all the rewriting: where each column is made, and whether it may be NULL anywhere in the plan (a
 * column of a table is, too, when an outer join above pads it). */
#include "optimize/optimize_internal.h"

/* ---- the table of columns ---- */

static void make_here(wr_plan *plan, wr_column_id id, wr_logical *node) {
    plan->columns[id].source = node;
    if (node->kind != WR_LOGICAL_SCAN) plan->columns[id].nullable = false;
}

static void make_items(wr_plan *plan, const wr_named_expr *items, uint32_t count, wr_logical *node) {
    for (uint32_t i = 0; i < count; i++) {
        if (!wr_is_pass(&items[i])) make_here(plan, items[i].id, node);
    }
}

/* IS NOT DISTINCT FROM where one side is never NULL is an equality, which joins know more about. */
static wr_status settle_keys(wr_plan *plan, wr_logical *join, wr_error *err) {
    wr_column_set sides[2] = {{0}};
    if (join->join.key_count == 0) return WR_OK;
    for (int i = 0; i < 2; i++) WR_TRY(wr_nullable_columns(plan, join->children[i], &sides[i], err));
    for (uint32_t i = 0; i < join->join.key_count; i++) {
        wr_join_key *key = &join->join.keys[i];
        bool never_both = !wr_expr_is_nullable(key->left, &sides[0]) || !wr_expr_is_nullable(key->right, &sides[1]);
        if (never_both) key->null_equals_null = false;
    }
    return WR_OK;
}

static wr_status settle_columns(wr_logical **slot, void *user, wr_error *err) {
    wr_plan *plan = user;
    wr_logical *node = *slot;
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_SCAN:
        for (uint32_t i = 0; i < node->scan.hidden_count; i++) make_here(plan, node->scan.hidden[i], node);
        for (uint32_t i = 0; i < node->column_count; i++) make_here(plan, node->columns[i], node);
        return WR_OK;
    case WR_LOGICAL_VALUES:
    case WR_LOGICAL_SET_OPERATION:
        for (uint32_t i = 0; i < node->column_count; i++) make_here(plan, node->columns[i], node);
        break;
    case WR_LOGICAL_PROJECT: make_items(plan, node->project.items, node->project.count, node); break;
    case WR_LOGICAL_AGGREGATE:
        make_items(plan, node->aggregate.keys, node->aggregate.key_count, node);
        make_items(plan, node->aggregate.aggregates, node->aggregate.aggregate_count, node);
        break;
    case WR_LOGICAL_JOIN:
        if (node->join.mark) make_here(plan, node->join.mark, node);
        WR_TRY(settle_keys(plan, node, err));
        break;
    default: return WR_OK;
    }
    /* Children have been settled: what they make says so itself. */
    wr_column_set nullable = {0};
    WR_TRY(wr_nullable_columns(plan, node, &nullable, err));
    for (uint32_t i = 0; i < node->column_count; i++) {
        if (wr_column_set_has(&nullable, node->columns[i])) plan->columns[node->columns[i]].nullable = true;
    }
    return WR_OK;
}

/* ---- build sides ---- */

static wr_status choose_build(wr_logical **slot, void *user, wr_error *err) {
    const wr_plan *plan = user;
    wr_logical *node = *slot;
    (void)err;
    if (node->kind != WR_LOGICAL_JOIN) return WR_OK;
    double left = wr_node_bytes(plan, node->children[0]), right = wr_node_bytes(plan, node->children[1]);
    switch ((wr_join_kind)node->join.kind) {
    case WR_JOIN_INNER: node->join.build_left = left < right; break;
    case WR_JOIN_OUTER_LEFT:
    case WR_JOIN_OUTER_FULL:
    case WR_JOIN_SEMI:
    case WR_JOIN_ANTI: node->join.build_left = left * 1.5 < right && node->join.key_count > 0; break;
    default: node->join.build_left = false; break;
    }
    return WR_OK;
}

wr_status wr_pass_settle(wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    wr_estimator e;
    wr_walk columns = {.plan = plan, .visit = settle_columns, .user = plan};
    wr_walk sides = {.plan = plan, .visit = choose_build, .user = plan};
    WR_TRY(wr_walk_up(&columns, &plan->root, err));
    WR_TRY(wr_estimator_init(&e, plan, context, err));
    WR_TRY(wr_estimate(&e, plan->root, err));
    return context->enabled ? wr_walk_up(&sides, &plan->root, err) : WR_OK;
}
