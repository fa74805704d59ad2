/* Outer joins whose padded rows nobody keeps become inner joins.
 *
 * Going down, the conditions that rows must pass further up are carried along. If one of them cannot be true for a row
 * whose columns of one side are all NULL, the rows that the join pads on that side are lost anyway: LEFT becomes INNER,
 * FULL becomes LEFT or INNER. An equality that joins also is such a condition, for the joins below it. */
#include "optimize/optimize_internal.h"

typedef struct strengthener {
    wr_plan *plan;
    wr_column_set seen; /* SHARED nodes */
} strengthener;

static wr_status strengthen(strengthener *s, wr_logical *node, const wr_terms *above, wr_error *err);

/* ---- the conditions of a join, for its sides ---- */

static wr_status add_not_null(strengthener *s, wr_terms *terms, wr_expr *key, wr_error *err) {
    wr_expr *null = wr_make_is_null(&s->plan->arena, key);
    WR_NEED(null && (null = wr_make_not(&s->plan->arena, null)));
    WR_NEED(wr_terms_add(terms, &s->plan->arena, null));
    return WR_OK;
}

static wr_status add_conditions(strengthener *s, const wr_logical *join, wr_terms *terms, wr_error *err) {
    for (uint32_t i = 0; i < join->join.key_count; i++) {
        if (join->join.keys[i].null_equals_null) continue;
        WR_TRY(add_not_null(s, terms, join->join.keys[i].left, err));
        WR_TRY(add_not_null(s, terms, join->join.keys[i].right, err));
    }
    WR_NEED(wr_terms_add_all(terms, &s->plan->arena, join->join.residual, join->join.residual_count));
    return WR_OK;
}

/* ---- strengthening one join ---- */

static bool padding_is_lost(const wr_terms *above, const wr_column_set *side) {
    for (uint32_t i = 0; i < above->count; i++) {
        if (wr_rejects_null(above->items[i], side)) return true;
    }
    return false;
}

static wr_status swap_sides(strengthener *s, wr_logical *join, wr_error *err) {
    wr_logical *left = join->children[0];
    join->children[0] = join->children[1];
    join->children[1] = left;
    for (uint32_t i = 0; i < join->join.key_count; i++) {
        wr_expr *key = join->join.keys[i].left;
        join->join.keys[i].left = join->join.keys[i].right;
        join->join.keys[i].right = key;
    }
    WR_NEED(wr_logical_refresh(s->plan, join));
    return WR_OK;
}

static wr_status strengthen_kind(strengthener *s, wr_logical *join, const wr_terms *above, wr_error *err) {
    wr_column_set left = {0}, right = {0};
    WR_NEED(wr_add_outputs(&left, &s->plan->arena, join->children[0]));
    WR_NEED(wr_add_outputs(&right, &s->plan->arena, join->children[1]));
    bool loses_right = padding_is_lost(above, &right), loses_left = padding_is_lost(above, &left);
    if (join->join.kind == WR_JOIN_OUTER_LEFT) {
        if (loses_right) join->join.kind = WR_JOIN_INNER;
    } else if (join->join.kind == WR_JOIN_OUTER_FULL) {
        if (loses_right && loses_left) {
            join->join.kind = WR_JOIN_INNER;
        } else if (loses_left) {
            join->join.kind = WR_JOIN_OUTER_LEFT;
        } else if (loses_right) {
            join->join.kind = WR_JOIN_OUTER_LEFT;
            WR_TRY(swap_sides(s, join, err));
        }
    }
    return WR_OK;
}

/* ---- going down ---- */

static wr_status strengthen_join(strengthener *s, wr_logical *join, const wr_terms *above, wr_error *err) {
    wr_terms left = {0}, right = {0}, none = {0};
    WR_TRY(strengthen_kind(s, join, above, err));
    bool matches_drop_left = false, conditions_hold_right = true;
    switch ((wr_join_kind)join->join.kind) {
    case WR_JOIN_INNER:
        WR_NEED(wr_terms_add_all(&right, &s->plan->arena, above->items, above->count));
        matches_drop_left = true;
        break;
    case WR_JOIN_SEMI: matches_drop_left = true; break;
    case WR_JOIN_OUTER_FULL:
        above = &none;
        conditions_hold_right = false;
        break;
    case WR_JOIN_ANTI_NULL_AWARE: conditions_hold_right = false; break;
    case WR_JOIN_MARK: conditions_hold_right = !join->join.null_aware; break;
    default: break;
    }
    WR_NEED(wr_terms_add_all(&left, &s->plan->arena, above->items, above->count));
    if (matches_drop_left) WR_TRY(add_conditions(s, join, &left, err));
    if (conditions_hold_right) WR_TRY(add_conditions(s, join, &right, err));
    WR_TRY(strengthen(s, join->children[0], &left, err));
    return strengthen(s, join->children[1], &right, err);
}

/* The conditions below a node that makes columns by items. */
static wr_status translate(strengthener *s, const wr_terms *above, const wr_named_expr *items, uint32_t count,
                           wr_terms *out, wr_error *err) {
    wr_substitution by = {&s->plan->arena, items, count};
    for (uint32_t i = 0; i < above->count; i++) {
        wr_expr *term = wr_substitute(&by, above->items[i]);
        WR_NEED(term);
        if (!term->volatile_) WR_NEED(wr_terms_add(out, &s->plan->arena, term));
    }
    return WR_OK;
}

/* Groups are dropped whole by conditions on their keys alone. */
static wr_status keep_key_terms(strengthener *s, const wr_logical *node, const wr_terms *above, wr_terms *out,
                                wr_error *err) {
    wr_column_set keys = {0};
    for (uint32_t i = 0; i < node->aggregate.key_count; i++) {
        WR_NEED(wr_column_set_add(&keys, &s->plan->arena, node->aggregate.keys[i].id));
    }
    for (uint32_t i = 0; i < above->count; i++) {
        wr_column_set read = {0};
        WR_NEED(wr_expr_columns(above->items[i], &s->plan->arena, &read));
        if (wr_column_set_contains(&keys, &read)) WR_NEED(wr_terms_add(out, &s->plan->arena, above->items[i]));
    }
    return WR_OK;
}

static wr_status strengthen_set(strengthener *s, wr_logical *node, const wr_terms *above, wr_error *err) {
    for (uint32_t side = 0; side < 2; side++) {
        wr_terms terms = {0};
        wr_named_expr *items = WR_ARENA_ARRAY(&s->plan->arena, wr_named_expr, node->column_count + 1);
        WR_NEED(items);
        for (uint32_t i = 0; i < node->column_count; i++) {
            items[i].id = node->columns[i];
            WR_NEED(items[i].expr = wr_column_of(s->plan, node->set.inputs[side][i]));
        }
        WR_TRY(translate(s, above, items, node->column_count, &terms, err));
        WR_TRY(strengthen(s, node->children[side], &terms, err));
    }
    return WR_OK;
}

static wr_status strengthen_below(strengthener *s, wr_logical *node, const wr_terms *above, wr_error *err) {
    wr_terms below = {0}, kept = {0};
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_JOIN: return strengthen_join(s, node, above, err);
    case WR_LOGICAL_SET_OPERATION: return strengthen_set(s, node, above, err);
    case WR_LOGICAL_FILTER:
        WR_NEED(wr_terms_add_all(&below, &s->plan->arena, above->items, above->count));
        WR_NEED(wr_terms_add_all(&below, &s->plan->arena, node->filter.conjuncts, node->filter.count));
        return strengthen(s, node->children[0], &below, err);
    case WR_LOGICAL_PROJECT:
        WR_TRY(translate(s, above, node->project.items, node->project.count, &below, err));
        return strengthen(s, node->children[0], &below, err);
    case WR_LOGICAL_AGGREGATE:
        if (node->aggregate.key_count) WR_TRY(keep_key_terms(s, node, above, &kept, err));
        WR_TRY(translate(s, &kept, node->aggregate.keys, node->aggregate.key_count, &below, err));
        return strengthen(s, node->children[0], &below, err);
    case WR_LOGICAL_SORT: return strengthen(s, node->children[0], above, err);
    case WR_LOGICAL_SHARED:
        if (wr_column_set_has(&s->seen, node->id)) return WR_OK;
        WR_NEED(wr_column_set_add(&s->seen, &s->plan->arena, node->id));
        return strengthen(s, node->children[0], &below, err);
    case WR_LOGICAL_LIMIT:
    case WR_LOGICAL_SINGLE_ROW: return strengthen(s, node->children[0], &below, err);
    default: return WR_OK;
    }
}

/* A join whose sides were swapped gives its columns in another order. */
static wr_status strengthen(strengthener *s, wr_logical *node, const wr_terms *above, wr_error *err) {
    WR_TRY(strengthen_below(s, node, above, err));
    WR_NEED(wr_logical_refresh(s->plan, node));
    return WR_OK;
}

wr_status wr_pass_outer_join(wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    (void)context;
    strengthener s = {.plan = plan};
    wr_terms none = {0};
    uint32_t count = plan->root->column_count;
    wr_column_id *columns = WR_ARENA_ARRAY(&plan->arena, wr_column_id, count + 1);
    WR_NEED(columns);
    for (uint32_t i = 0; i < count; i++) columns[i] = plan->root->columns[i];
    WR_TRY(strengthen(&s, plan->root, &none, err));
    return wr_restore_root(plan, columns, count, err);
}
