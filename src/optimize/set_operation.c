/* Set operations in terms of what execution has, which is UNION ALL: UNION groups by all columns; INTERSECT and EXCEPT
 * keep the rows of the left side that have an equal one on the right, or none, NULLs being equal, and group by all
 * columns then. */
#include "optimize/optimize_internal.h"

static wr_status group_by_all(wr_plan *plan, wr_logical *rows, const wr_column_id *ids, uint32_t count,
                              wr_logical **out, wr_error *err) {
    wr_logical *distinct = *out = wr_logical_create(plan, WR_LOGICAL_AGGREGATE, 1);
    WR_NEED(distinct);
    distinct->children[0] = rows;
    distinct->aggregate.key_count = count;
    WR_NEED(distinct->aggregate.keys = WR_ARENA_ARRAY(&plan->arena, wr_named_expr, count));
    for (uint32_t i = 0; i < count; i++) {
        distinct->aggregate.keys[i].id = ids[i];
        WR_NEED(distinct->aggregate.keys[i].expr = wr_column_of(plan, ids[i]));
    }
    WR_NEED(wr_logical_refresh(plan, distinct));
    return WR_OK;
}

/* The left side under the names of the output, as far as the right side lets it through. */
static wr_status join_sides(wr_plan *plan, const wr_logical *set, wr_logical **out, wr_error *err) {
    uint32_t count = set->column_count;
    wr_named_expr *items = WR_ARENA_ARRAY(&plan->arena, wr_named_expr, count);
    wr_join_key *keys = WR_ARENA_ARRAY(&plan->arena, wr_join_key, count);
    WR_NEED(items && keys);
    for (uint32_t i = 0; i < count; i++) {
        items[i].id = set->columns[i];
        keys[i].null_equals_null = true;
        WR_NEED(items[i].expr = wr_column_of(plan, set->set.inputs[0][i]));
        WR_NEED(keys[i].left = wr_column_of(plan, set->columns[i]));
        WR_NEED(keys[i].right = wr_column_of(plan, set->set.inputs[1][i]));
    }
    wr_logical *left = wr_make_project(plan, set->children[0], items, count);
    WR_NEED(left);
    wr_join_kind kind = set->set.operation == WR_SET_INTERSECT ? WR_JOIN_SEMI : WR_JOIN_ANTI;
    wr_logical *join = *out = wr_make_join(plan, kind, left, set->children[1]);
    WR_NEED(join);
    join->join.keys = keys;
    join->join.key_count = count;
    return WR_OK;
}

static wr_status lower_set(wr_logical **slot, void *user, wr_error *err) {
    wr_plan *plan = user;
    wr_logical *set = *slot, *rows = set;
    if (set->kind != WR_LOGICAL_SET_OPERATION || (set->set.operation == WR_SET_UNION && set->set.all)) return WR_OK;
    if (set->set.operation == WR_SET_UNION) {
        set->set.all = true;
    } else {
        WR_TRY(join_sides(plan, set, &rows, err));
    }
    return group_by_all(plan, rows, set->columns, set->column_count, slot, err);
}

wr_status wr_pass_set_operation(wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    (void)context;
    wr_walk walk = {.plan = plan, .visit = lower_set, .user = plan};
    return wr_walk_up(&walk, &plan->root, err);
}
