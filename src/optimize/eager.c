/* Eager aggregation (Yan and Larson 1995): groups are formed below a join where that leaves it fewer rows.
 *
 * When all aggregates read one side of a join, that side is grouped by what the join and the keys above need of it, in
 * parts that the old aggregate then combines: orders are counted by customer before customers are joined to them. It
 * pays when the side shrinks much and the join would have kept most of its rows. No part may be able to fail: it would
 * for rows that the join drops. */
#include <math.h>

#include "optimize/optimize_internal.h"

typedef struct pusher {
    wr_plan *plan;
    wr_arena *arena;
    const wr_optimizer_context *context;
    wr_estimator estimator;
} pusher;

typedef struct eager {
    wr_logical *node, *join;
    int side; /* of the join that is grouped */
    wr_column_set columns[2];
    wr_terms keys; /* of the lower aggregate: columns and expressions */
    bool padded;   /* the join pads this side */
} eager;

/* ---- may it be done ---- */

static bool cannot_fail(const wr_expr *aggregate) {
    if (aggregate->can_fail || aggregate->volatile_) return false;
    if (strcmp(aggregate->function->name, "sum") != 0) return true;
    /* The largest sum of 2^63 such values fits. */
    wr_type type = aggregate->args[0]->type;
    if (type.id == WR_TYPE_DECIMAL) return type.precision <= WR_DECIMAL_SMALL_DIGITS;
    return wr_type_is_integer(type) && type.id != WR_TYPE_HUGEINT;
}

static wr_status reads_only(pusher *p, const wr_expr *expr, const wr_column_set *columns, bool *out, wr_error *err) {
    wr_column_set read = {0};
    WR_NEED(wr_expr_columns(expr, p->arena, &read));
    *out = wr_column_set_contains(columns, &read);
    return WR_OK;
}

/* Columns of the side that the expression reads are keys below. */
static wr_status add_columns(pusher *p, eager *e, const wr_expr *expr, wr_error *err) {
    wr_column_set read = {0};
    WR_NEED(wr_expr_columns(expr, p->arena, &read));
    const wr_logical *side = e->join->children[e->side];
    for (uint32_t i = 0; i < side->column_count; i++) {
        if (!wr_column_set_has(&read, side->columns[i])) continue;
        wr_expr *column = wr_column_of(p->plan, side->columns[i]);
        WR_NEED(column && wr_terms_add(&e->keys, p->arena, column));
    }
    return WR_OK;
}

static wr_status collect_keys(pusher *p, eager *e, wr_error *err) {
    const wr_logical *join = e->join;
    for (uint32_t i = 0; i < join->join.key_count; i++) {
        WR_TRY(add_columns(p, e, e->side ? join->join.keys[i].right : join->join.keys[i].left, err));
    }
    for (uint32_t i = 0; i < join->join.residual_count; i++) WR_TRY(add_columns(p, e, join->join.residual[i], err));
    for (uint32_t i = 0; i < e->node->aggregate.key_count; i++) {
        WR_TRY(add_columns(p, e, e->node->aggregate.keys[i].expr, err));
    }
    return WR_OK;
}

static wr_status is_possible(pusher *p, eager *e, bool *out, wr_error *err) {
    const wr_logical *node = e->node;
    *out = node->aggregate.aggregate_count > 0 && e->join->join.key_count > 0;
    for (int s = 0; s < 2; s++) WR_NEED(wr_add_outputs(&e->columns[s], p->arena, e->join->children[s]));
    for (uint32_t i = 0; i < node->aggregate.aggregate_count && *out; i++) {
        const wr_expr *whole = node->aggregate.aggregates[i].expr;
        bool mine = false;
        WR_TRY(reads_only(p, whole, &e->columns[e->side], &mine, err));
        *out = mine && wr_can_combine(whole) && cannot_fail(whole);
        /* Padded rows pass no FILTER that reads the padded side, but count for one that reads nothing. */
        if (e->padded && whole->filter) *out = false;
    }
    return *out ? collect_keys(p, e, err) : WR_OK;
}

/* ---- does it pay ---- */

static bool is_dense(const wr_column_fact *f) {
    return f->bounded && f->high - f->low < 8e6;
}

/* Work a row of grouping by these keys. */
static wr_status group_cost(pusher *p, wr_expr *const *keys, uint32_t count, double groups, double *out,
                            wr_error *err) {
    wr_column_fact f;
    *out = groups < 1000 ? 1 : groups > 1e6 ? 4 : 3;
    if (count != 1) return WR_OK;
    WR_TRY(wr_distinct_of(&p->estimator, keys[0], &f, err));
    if (is_dense(&f)) *out = 1;
    return WR_OK;
}

static wr_status pays(pusher *p, eager *e, bool *out, wr_error *err) {
    const wr_logical *side = e->join->children[e->side], *other = e->join->children[1 - e->side];
    double rows = side->row_estimate, result = e->join->row_estimate, groups = 1, below, above;
    for (uint32_t i = 0; i < e->keys.count; i++) {
        wr_column_fact f;
        WR_TRY(wr_distinct_of(&p->estimator, e->keys.items[i], &f, err));
        groups *= wr_distinct_among(&f, rows);
    }
    groups = fmin(groups, rows);
    wr_expr **keys = WR_ARENA_ARRAY(p->arena, wr_expr *, e->node->aggregate.key_count + 1);
    WR_NEED(keys);
    for (uint32_t i = 0; i < e->node->aggregate.key_count; i++) keys[i] = e->node->aggregate.keys[i].expr;
    WR_TRY(group_cost(p, e->keys.items, e->keys.count, groups, &below, err));
    WR_TRY(group_cost(p, keys, e->node->aggregate.key_count, e->node->row_estimate, &above, err));
    double probe = 1 + fmin(2, other->row_estimate / 1e5), left = fmax(groups, result * groups / rows);
    double lazy = rows * probe + result * above, now = rows * below + groups * probe + left * above;
    *out = rows >= 1e4 && groups * 3 <= rows && now < 0.8 * lazy;
    return WR_OK;
}

/* ---- doing it ---- */

static wr_status make_lower(pusher *p, eager *e, wr_logical **out, wr_error *err) {
    wr_logical *lower = wr_logical_create(p->plan, WR_LOGICAL_AGGREGATE, 1);
    WR_NEED(lower);
    lower->children[0] = e->join->children[e->side];
    WR_NEED(lower->aggregate.keys = WR_ARENA_ARRAY(p->arena, wr_named_expr, e->keys.count + 1));
    WR_NEED(lower->aggregate.aggregates =
                WR_ARENA_ARRAY(p->arena, wr_named_expr, e->node->aggregate.aggregate_count + 1));
    for (uint32_t i = 0; i < e->keys.count; i++) {
        lower->aggregate.keys[i] = (wr_named_expr){e->keys.items[i]->column, e->keys.items[i]};
    }
    lower->aggregate.key_count = e->keys.count;
    *out = lower;
    return WR_OK;
}

/* count(*) counts padded rows, too: one each. */
static wr_status count_padded(pusher *p, const wr_logical *lower, wr_expr **upper, wr_error *err) {
    const wr_named_expr *part = &lower->aggregate.aggregates[lower->aggregate.aggregate_count - 1];
    wr_expr *column = wr_column_of(p->plan, part->id), *missing;
    WR_NEED(column && (missing = wr_make_is_null(p->arena, column)));
    wr_expr *one = wr_expr_constant(p->arena, (wr_value){.type = part->expr->type, .i64 = 1});
    WR_NEED(one);
    wr_expr *padded = wr_make_case(p->arena, missing, one, column);
    WR_NEED(padded);
    WR_NEED(*upper = wr_make_call(p->context, p->arena, "sum", &padded, 1));
    return WR_OK;
}

static wr_status push_below(pusher *p, eager *e, wr_logical **slot, wr_error *err) {
    wr_logical *node = e->node, *lower;
    uint32_t keys = node->aggregate.key_count, items = 0;
    wr_named_expr *project = WR_ARENA_ARRAY(p->arena, wr_named_expr, keys + node->aggregate.aggregate_count + 1);
    WR_NEED(project);
    WR_TRY(make_lower(p, e, &lower, err));
    for (uint32_t i = 0; i < keys; i++) {
        project[items].id = node->aggregate.keys[i].id;
        WR_NEED(project[items++].expr = wr_column_of(p->plan, node->aggregate.keys[i].id));
    }
    for (uint32_t i = 0; i < node->aggregate.aggregate_count; i++) {
        wr_named_expr *upper = &node->aggregate.aggregates[i];
        wr_expr *whole = upper->expr;
        WR_TRY(wr_add_part(p->plan, p->context, lower, whole, &upper->expr, err));
        bool counts_rows = e->padded && whole->arg_count == 0;
        if (counts_rows) WR_TRY(count_padded(p, lower, &upper->expr, err));
        bool may_be_empty = keys == 0 || (e->padded && !counts_rows);
        WR_TRY(wr_settle_combined(p->plan, p->context, upper, whole, may_be_empty, &project[items++], err));
    }
    WR_NEED(wr_logical_refresh(p->plan, lower));
    e->join->children[e->side] = lower;
    WR_NEED(wr_logical_refresh(p->plan, e->join));
    WR_TRY(wr_finish_combined(p->plan, node, project, items, slot, err));
    return wr_estimate(&p->estimator, lower, err);
}

static wr_status try_node(wr_logical **slot, void *user, wr_error *err) {
    pusher *p = user;
    wr_logical *node = *slot;
    if (node->kind != WR_LOGICAL_AGGREGATE || node->children[0]->kind != WR_LOGICAL_JOIN) return WR_OK;
    wr_logical *join = node->children[0];
    bool inner = join->join.kind == WR_JOIN_INNER, left = join->join.kind == WR_JOIN_OUTER_LEFT;
    for (int side = inner ? 0 : 1; side < 2 && (inner || left); side++) {
        eager e = {.node = node, .join = join, .side = side, .padded = left};
        bool ok;
        WR_TRY(is_possible(p, &e, &ok, err));
        if (ok) WR_TRY(pays(p, &e, &ok, err));
        if (ok) return push_below(p, &e, slot, err);
    }
    return WR_OK;
}

wr_status wr_pass_eager(wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    pusher p = {.plan = plan, .arena = &plan->arena, .context = context};
    wr_walk walk = {.plan = plan, .visit = try_node, .user = &p};
    WR_TRY(wr_estimator_init(&p.estimator, plan, context, err));
    WR_TRY(wr_estimate(&p.estimator, plan->root, err));
    return wr_walk_up(&walk, &plan->root, err);
}
