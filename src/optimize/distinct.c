/* DISTINCT aggregates in terms of plain ones, as execution has no others.
 *
 * With one list of distinct arguments, the input is grouped by the keys and the arguments first: above, each
 * combination is there once, and the aggregate needs no DISTINCT. Other aggregates of the node are computed in parts
 * below and combined above. With several lists, or with an aggregate that cannot be combined, each list is aggregated
 * by itself from a shared input, and the results, which have the same groups, are joined on their keys. */
#include "optimize/optimize_internal.h"

typedef struct splitter {
    wr_plan *plan;
    wr_arena *arena;
    const wr_optimizer_context *context;
} splitter;

static wr_logical *refreshed(splitter *s, wr_logical *node) {
    return wr_logical_refresh(s->plan, node) ? node : NULL;
}

/* ---- what DISTINCT means for whom ---- */

static bool is_named(const wr_expr *aggregate, const char *const *names, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(aggregate->function->name, names[i]) == 0) return true;
    }
    return false;
}

/* The same value again changes nothing. */
static bool ignores_repetition(const wr_expr *aggregate) {
    static const char *const names[] = {"min", "max", "any_value", "bool_and", "bool_or", "bit_and", "bit_or"};
    return is_named(aggregate, names, WR_COUNT_OF(names));
}

/* FILTER (WHERE p) as a NULL where p is not true. */
static wr_status move_filter(splitter *s, wr_expr *aggregate, wr_error *err) {
    static const char *const keeps_nulls[] = {"first", "last", "list", "array_agg", "arbitrary"};
    if (!aggregate->filter) return WR_OK;
    if (is_named(aggregate, keeps_nulls, WR_COUNT_OF(keeps_nulls)) || aggregate->arg_count != 1)
        return wr_fail_at(err, WR_UNSUPPORTED, aggregate->position, "%s(DISTINCT …) FILTER is not supported",
                          aggregate->function->name);
    wr_expr *nothing = wr_expr_constant(s->arena, (wr_value){.type = aggregate->args[0]->type, .is_null = true});
    WR_NEED(nothing);
    WR_NEED(aggregate->args[0] = wr_make_case(s->arena, aggregate->filter, aggregate->args[0], nothing));
    aggregate->filter = NULL;
    return WR_OK;
}

static wr_status normalize(splitter *s, wr_logical *node, wr_error *err) {
    for (uint32_t i = 0; i < node->aggregate.aggregate_count; i++) {
        wr_expr **slot = &node->aggregate.aggregates[i].expr;
        if (!(*slot)->distinct) continue;
        WR_NEED(*slot = wr_expr_copy_node(s->arena, *slot));
        if (ignores_repetition(*slot)) {
            (*slot)->distinct = false;
        } else {
            WR_TRY(move_filter(s, *slot, err));
        }
        wr_expr_refresh(*slot);
    }
    return WR_OK;
}

static bool same_arguments(const wr_expr *a, const wr_expr *b) {
    if (a->arg_count != b->arg_count) return false;
    for (uint32_t i = 0; i < a->arg_count; i++) {
        if (!wr_expr_equal(a->args[i], b->args[i])) return false;
    }
    return true;
}

/* Numbers the aggregates by their list of distinct arguments, from 1; 0 is without DISTINCT. */
static uint32_t number_lists(const wr_logical *node, uint32_t *numbers) {
    uint32_t last = 0;
    for (uint32_t i = 0; i < node->aggregate.aggregate_count; i++) {
        const wr_expr *expr = node->aggregate.aggregates[i].expr;
        numbers[i] = 0;
        for (uint32_t k = 0; k < i && expr->distinct && !numbers[i]; k++) {
            if (numbers[k] && same_arguments(expr, node->aggregate.aggregates[k].expr)) numbers[i] = numbers[k];
        }
        if (expr->distinct && !numbers[i]) numbers[i] = ++last;
    }
    return last;
}

/* ---- two levels ---- */

static bool all_combine(const wr_logical *node) {
    for (uint32_t i = 0; i < node->aggregate.aggregate_count; i++) {
        const wr_expr *expr = node->aggregate.aggregates[i].expr;
        if (!expr->distinct && !wr_can_combine(expr)) return false;
    }
    return true;
}

static wr_status pass_key(splitter *s, wr_column_id id, wr_named_expr *out, wr_error *err) {
    out->id = id;
    WR_NEED(out->expr = wr_column_of(s->plan, id));
    return WR_OK;
}

/* The lower level: by the keys and the distinct arguments. `arguments` gets the columns of the latter. */
static wr_status make_lower(splitter *s, wr_logical *node, const wr_expr *distinct, wr_column_id *arguments,
                            wr_logical **out, wr_error *err) {
    wr_logical *lower = wr_logical_create(s->plan, WR_LOGICAL_AGGREGATE, 1);
    uint32_t keys = node->aggregate.key_count;
    WR_NEED(lower);
    lower->children[0] = node->children[0];
    WR_NEED(lower->aggregate.keys = WR_ARENA_ARRAY(s->arena, wr_named_expr, keys + distinct->arg_count));
    for (uint32_t i = 0; i < keys; i++) lower->aggregate.keys[i] = node->aggregate.keys[i];
    lower->aggregate.key_count = keys;
    for (uint32_t i = 0; i < distinct->arg_count; i++) {
        wr_named_expr key = {.expr = distinct->args[i]};
        for (uint32_t k = 0; k < lower->aggregate.key_count; k++) {
            if (wr_expr_equal(lower->aggregate.keys[k].expr, key.expr)) key.id = lower->aggregate.keys[k].id;
        }
        if (!key.id) {
            bool own = key.expr->kind == WR_EXPR_COLUMN && wr_gives(node->children[0], key.expr->column);
            key.id =
                own ? key.expr->column : wr_plan_add_column(s->plan, WR_STR("distinct"), key.expr->type, true, lower);
            WR_NEED(key.id);
            lower->aggregate.keys[lower->aggregate.key_count++] = key;
        }
        arguments[i] = key.id;
    }
    WR_NEED(lower->aggregate.aggregates = WR_ARENA_ARRAY(s->arena, wr_named_expr, node->aggregate.aggregate_count));
    *out = lower;
    return WR_OK;
}

static wr_status in_two_levels(splitter *s, wr_logical **slot, wr_error *err) {
    wr_logical *node = *slot, *lower = NULL, *upper = wr_logical_create(s->plan, WR_LOGICAL_AGGREGATE, 1);
    uint32_t keys = node->aggregate.key_count, count = node->aggregate.aggregate_count, items = 0;
    const wr_expr *distinct = NULL;
    for (uint32_t i = 0; i < count && !distinct; i++) {
        if (node->aggregate.aggregates[i].expr->distinct) distinct = node->aggregate.aggregates[i].expr;
    }
    wr_column_id *arguments = WR_ARENA_ARRAY(s->arena, wr_column_id, distinct->arg_count + 1);
    wr_named_expr *project = WR_ARENA_ARRAY(s->arena, wr_named_expr, keys + count + 1);
    WR_NEED(upper && arguments && project);
    WR_NEED(upper->aggregate.keys = WR_ARENA_ARRAY(s->arena, wr_named_expr, keys + 1));
    WR_NEED(upper->aggregate.aggregates = WR_ARENA_ARRAY(s->arena, wr_named_expr, count + 1));
    WR_TRY(make_lower(s, node, distinct, arguments, &lower, err));
    for (uint32_t i = 0; i < keys; i++) {
        WR_TRY(pass_key(s, node->aggregate.keys[i].id, &upper->aggregate.keys[i], err));
        WR_TRY(pass_key(s, node->aggregate.keys[i].id, &project[items++], err));
    }
    for (uint32_t i = 0; i < count; i++) {
        wr_expr *whole = node->aggregate.aggregates[i].expr;
        wr_named_expr *made = &upper->aggregate.aggregates[i];
        made->id = node->aggregate.aggregates[i].id;
        if (!whole->distinct) {
            WR_TRY(wr_add_part(s->plan, s->context, lower, whole, &made->expr, err));
            WR_TRY(wr_settle_combined(s->plan, s->context, made, whole, keys == 0, &project[items++], err));
            continue;
        }
        WR_NEED(made->expr = wr_expr_copy_node(s->arena, whole));
        made->expr->distinct = false;
        for (uint32_t a = 0; a < whole->arg_count; a++) {
            WR_NEED(made->expr->args[a] = wr_column_of(s->plan, arguments[a]));
        }
        wr_expr_refresh(made->expr);
        WR_TRY(pass_key(s, made->id, &project[items++], err));
    }
    upper->aggregate.key_count = keys;
    upper->aggregate.aggregate_count = count;
    upper->children[0] = lower;
    WR_NEED(refreshed(s, lower));
    return wr_finish_combined(s->plan, upper, project, items, slot, err);
}

/* ---- one aggregate node a list ---- */

/* A reader of the shared input; the first one keeps the column ids, the others map them. */
static wr_status make_reader(splitter *s, wr_logical *shared, bool first, wr_column_id *map, wr_logical **out,
                             wr_error *err) {
    uint32_t count;
    wr_named_expr *items = wr_pass_items(s->plan, shared, 0, &count);
    WR_NEED(items);
    for (uint32_t i = 0; i < count && !first; i++) {
        const wr_plan_column column = s->plan->columns[items[i].id];
        wr_column_id id = wr_plan_add_column(s->plan, column.name, column.type, column.nullable, NULL);
        WR_NEED(id);
        map[items[i].id] = id;
        items[i].id = id;
    }
    shared->shared.reader_count++;
    WR_NEED(*out = wr_make_project(s->plan, shared, items, count));
    return WR_OK;
}

/* The node's keys with the aggregates of one list. `keys` gets the columns of its keys. */
static wr_status make_part(splitter *s, const wr_logical *node, wr_logical *shared, const uint32_t *numbers,
                           uint32_t list, bool first, wr_column_id *keys, wr_logical **out, wr_error *err) {
    wr_column_id *map = WR_ARENA_ARRAY(s->arena, wr_column_id, s->plan->column_count);
    wr_logical *part = wr_logical_create(s->plan, WR_LOGICAL_AGGREGATE, 1);
    WR_NEED(map && part);
    WR_TRY(make_reader(s, shared, first, map, &part->children[0], err));
    part->aggregate.key_count = node->aggregate.key_count;
    WR_NEED(part->aggregate.keys = WR_ARENA_ARRAY(s->arena, wr_named_expr, node->aggregate.key_count + 1));
    WR_NEED(part->aggregate.aggregates = WR_ARENA_ARRAY(s->arena, wr_named_expr, node->aggregate.aggregate_count));
    for (uint32_t i = 0; i < node->aggregate.key_count; i++) {
        const wr_named_expr *key = &node->aggregate.keys[i];
        const wr_plan_column column = s->plan->columns[key->id];
        WR_NEED(part->aggregate.keys[i].expr = wr_expr_map_columns(s->plan, key->expr, map));
        keys[i] = first ? key->id : wr_plan_add_column(s->plan, column.name, column.type, true, part);
        WR_NEED(part->aggregate.keys[i].id = keys[i]);
    }
    for (uint32_t i = 0; i < node->aggregate.aggregate_count; i++) {
        if (numbers[i] != list) continue;
        wr_named_expr *item = &part->aggregate.aggregates[part->aggregate.aggregate_count++];
        item->id = node->aggregate.aggregates[i].id;
        WR_NEED(item->expr = wr_expr_map_columns(s->plan, node->aggregate.aggregates[i].expr, map));
    }
    WR_NEED(*out = refreshed(s, part));
    return list == 0 ? WR_OK : in_two_levels(s, out, err);
}

static wr_status join_parts(splitter *s, wr_logical **left, wr_logical *right, const wr_column_id *left_keys,
                            const wr_column_id *right_keys, uint32_t count, wr_error *err) {
    wr_logical *join = wr_make_join(s->plan, WR_JOIN_INNER, *left, right);
    WR_NEED(join);
    WR_NEED(join->join.keys = WR_ARENA_ARRAY(s->arena, wr_join_key, count + 1));
    for (uint32_t i = 0; i < count; i++) {
        join->join.keys[i].null_equals_null = true;
        WR_NEED(join->join.keys[i].left = wr_column_of(s->plan, left_keys[i]));
        WR_NEED(join->join.keys[i].right = wr_column_of(s->plan, right_keys[i]));
    }
    join->join.key_count = count;
    *left = join;
    return WR_OK;
}

static wr_status list_by_list(splitter *s, wr_logical **slot, const uint32_t *numbers, uint32_t lists, wr_error *err) {
    wr_logical *node = *slot, *shared = wr_logical_create(s->plan, WR_LOGICAL_SHARED, 1), *all = NULL;
    uint32_t keys = node->aggregate.key_count, first = 1;
    wr_column_id *first_keys = WR_ARENA_ARRAY(s->arena, wr_column_id, keys + 1);
    wr_column_id *part_keys = WR_ARENA_ARRAY(s->arena, wr_column_id, keys + 1);
    WR_NEED(shared && first_keys && part_keys);
    shared->children[0] = node->children[0];
    WR_NEED(refreshed(s, shared));
    for (uint32_t i = 0; i < node->aggregate.aggregate_count; i++) {
        if (numbers[i] == 0) first = 0;
    }
    for (uint32_t list = first; list <= lists; list++) {
        wr_logical *part;
        wr_column_id *ids = all ? part_keys : first_keys;
        WR_TRY(make_part(s, node, shared, numbers, list, !all, ids, &part, err));
        if (all) {
            WR_TRY(join_parts(s, &all, part, first_keys, part_keys, keys, err));
        } else {
            all = part;
        }
    }
    *slot = all;
    return WR_OK;
}

/* ---- the pass ---- */

static wr_status split_node(wr_logical **slot, void *user, wr_error *err) {
    splitter *s = user;
    wr_logical *node = *slot;
    bool any = false;
    if (node->kind != WR_LOGICAL_AGGREGATE) return WR_OK;
    for (uint32_t i = 0; i < node->aggregate.aggregate_count; i++) {
        any |= node->aggregate.aggregates[i].expr->distinct;
    }
    if (!any) return WR_OK;
    WR_TRY(normalize(s, node, err));
    uint32_t *numbers = WR_ARENA_ARRAY(s->arena, uint32_t, node->aggregate.aggregate_count);
    WR_NEED(numbers);
    uint32_t lists = number_lists(node, numbers);
    if (lists == 0) return WR_OK;
    if (lists == 1 && all_combine(node)) return in_two_levels(s, slot, err);
    return list_by_list(s, slot, numbers, lists, err);
}

wr_status wr_pass_distinct(wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    splitter s = {plan, &plan->arena, context};
    wr_walk walk = {.plan = plan, .visit = split_node, .user = &s};
    return wr_walk_up(&walk, &plan->root, err);
}
