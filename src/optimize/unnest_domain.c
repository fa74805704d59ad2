/* Decorrelation by a domain: the general way (Neumann and Kemper 2015, Unnesting Arbitrary Queries).
 *
 * The distinct combinations of the outer columns that a subplan reads are its domain D. Instead of once per outer row,
 * the subplan runs for all of D at once: D is joined in at the lowest places that need it, every operator above passes
 * D's columns on (aggregates group by them, set operations compare them), and the connecting join compares the outer
 * columns with them, NULL like any value. Nothing in the subplan then reads from outside.
 *
 * D is read in several places, and the outer side once more by its own query; so both are shared subplans, unless the
 * outer side is itself part of a correlated subplan: then it is copied. */
#include "optimize/optimize_internal.h"

typedef struct domain {
    wr_unnester *u;
    wr_logical *shared;  /* the SHARED node of D; NULL: D is copied for each reader */
    wr_logical *plan;    /* D */
    wr_column_id *outer; /* the outer columns, and D's columns for them */
    wr_column_id *inner;
    uint32_t count;
    wr_column_set outer_set;
} domain;

/* A rewritten subplan: where it gives D's columns. */
typedef struct tied {
    wr_logical *node;
    wr_column_id *ids; /* parallel to domain.outer */
} tied;

static wr_status push(domain *d, wr_logical *node, tied *out, wr_error *err);

#define ADD(terms, term) WR_NEED(wr_terms_add((terms), d->u->arena, (term)))

/* ---- D ---- */

/* A place that reads D, under column ids of its own. */
static wr_status read_domain(domain *d, tied *out, wr_error *err) {
    wr_unnester *u = d->u;
    wr_named_expr *items = WR_ARENA_ARRAY(u->arena, wr_named_expr, d->count);
    wr_column_id *map = NULL;
    wr_logical *source = d->shared;
    WR_NEED(items);
    if (!source) {
        WR_NEED(map = WR_ARENA_ARRAY(u->arena, wr_column_id, u->plan->column_count));
        WR_NEED(source = wr_logical_copy(u->plan, d->plan, map));
    }
    WR_NEED(out->ids = WR_ARENA_ARRAY(u->arena, wr_column_id, d->count));
    for (uint32_t i = 0; i < d->count; i++) {
        const wr_plan_column column = u->plan->columns[d->inner[i]];
        wr_column_id id = map ? map[d->inner[i]] : d->inner[i];
        WR_NEED(items[i].expr = wr_column_of(u->plan, id));
        WR_NEED(items[i].id = out->ids[i] = wr_plan_add_column(u->plan, column.name, column.type, true, NULL));
    }
    WR_NEED(out->node = wr_make_project(u->plan, source, items, d->count));
    if (d->shared) d->shared->shared.reader_count++;
    return WR_OK;
}

static wr_status share(wr_unnester *u, wr_logical *node, wr_logical **out, wr_error *err) {
    WR_NEED(*out = wr_logical_create(u->plan, WR_LOGICAL_SHARED, 1));
    (*out)->children[0] = node;
    WR_NEED(wr_logical_refresh(u->plan, *out));
    return WR_OK;
}

/* DISTINCT over the outer columns, under new ids. */
static wr_status make_distinct(domain *d, wr_logical *source, const wr_column_id *map, wr_error *err) {
    wr_unnester *u = d->u;
    wr_logical *node = wr_logical_create(u->plan, WR_LOGICAL_AGGREGATE, 1);
    WR_NEED(node);
    node->children[0] = source;
    WR_NEED(node->aggregate.keys = WR_ARENA_ARRAY(u->arena, wr_named_expr, d->count));
    WR_NEED(d->inner = WR_ARENA_ARRAY(u->arena, wr_column_id, d->count));
    for (uint32_t i = 0; i < d->count; i++) {
        const wr_plan_column column = u->plan->columns[d->outer[i]];
        wr_named_expr *key = &node->aggregate.keys[i];
        WR_NEED(key->expr = wr_column_of(u->plan, map ? map[d->outer[i]] : d->outer[i]));
        WR_NEED(key->id = d->inner[i] = wr_plan_add_column(u->plan, column.name, column.type, true, node));
    }
    node->aggregate.key_count = d->count;
    WR_NEED(wr_logical_refresh(u->plan, node));
    d->plan = node;
    return WR_OK;
}

static wr_status make_domain(domain *d, wr_logical **outer_side, wr_error *err) {
    wr_unnester *u = d->u;
    wr_column_set outside = {0};
    WR_NEED(wr_logical_free_columns(*outer_side, u->arena, &outside));
    if (!wr_column_set_contains(&(wr_column_set){0}, &outside)) {
        wr_column_id *map = WR_ARENA_ARRAY(u->arena, wr_column_id, u->plan->column_count);
        WR_NEED(map);
        wr_logical *copy = wr_logical_copy(u->plan, *outer_side, map);
        WR_NEED(copy);
        return make_distinct(d, copy, map, err);
    }
    wr_logical *shared;
    uint32_t count;
    WR_TRY(share(u, *outer_side, &shared, err));
    wr_named_expr *items = wr_pass_items(u->plan, shared, 0, &count);
    WR_NEED(items);
    WR_NEED(*outer_side = wr_make_project(u->plan, shared, items, count));
    shared->shared.reader_count = 2;
    /* The other reader gives what D needs under ids of its own, as readers do. */
    wr_named_expr *read = WR_ARENA_ARRAY(u->arena, wr_named_expr, d->count);
    wr_column_id *map = WR_ARENA_ARRAY(u->arena, wr_column_id, u->plan->column_count);
    WR_NEED(read && map);
    for (uint32_t i = 0; i < d->count; i++) {
        const wr_plan_column column = u->plan->columns[d->outer[i]];
        WR_NEED(read[i].expr = wr_column_of(u->plan, d->outer[i]));
        WR_NEED(read[i].id = wr_plan_add_column(u->plan, column.name, column.type, column.nullable, NULL));
        map[d->outer[i]] = read[i].id;
    }
    wr_logical *reader = wr_make_project(u->plan, shared, read, d->count);
    WR_NEED(reader);
    WR_TRY(make_distinct(d, reader, map, err));
    return share(u, d->plan, &d->shared, err);
}

/* ---- expressions ---- */

typedef struct retie {
    domain *d;
    const wr_column_id *ids;
} retie;

static wr_expr *retie_node(wr_expr *expr, void *user) {
    retie *r = user;
    if (expr->kind != WR_EXPR_COLUMN) return expr;
    for (uint32_t i = 0; i < r->d->count; i++) {
        if (r->d->outer[i] == expr->column) return wr_column_of(r->d->u->plan, r->ids[i]);
    }
    return expr;
}

static wr_status retie_slot(wr_expr **slot, void *user) {
    retie *r = user;
    wr_expr *made = wr_expr_rewrite(r->d->u->arena, *slot, retie_node, r);
    if (!made) return WR_NO_MEMORY;
    *slot = made;
    return WR_OK;
}

/* The node's own expressions read D's columns instead of the outer ones. */
static wr_status retie_node_exprs(domain *d, wr_logical *node, const wr_column_id *ids, wr_error *err) {
    retie r = {d, ids};
    return wr_logical_each_expr(node, retie_slot, &r) == WR_OK ? WR_OK : wr_fail_memory(err, 0, "the query's plan");
}

static wr_status add_same(domain *d, const wr_column_id *left, const wr_column_id *right, wr_terms *terms,
                          wr_error *err) {
    for (uint32_t i = 0; i < d->count; i++) {
        wr_expr *sides[2] = {wr_column_of(d->u->plan, left[i]), wr_column_of(d->u->plan, right[i])};
        WR_NEED(sides[0] && sides[1]);
        wr_expr *term = wr_make_call(d->u->context, d->u->arena, "is_not_distinct_from", sides, 2);
        WR_NEED(term);
        ADD(terms, term);
    }
    return WR_OK;
}

static wr_status is_correlated(domain *d, const wr_logical *node, bool *out, wr_error *err) {
    wr_column_set outside = {0};
    WR_NEED(wr_logical_free_columns(node, d->u->arena, &outside));
    *out = wr_column_set_overlaps(&outside, &d->outer_set);
    return WR_OK;
}

static wr_status add_residual(domain *d, wr_logical *join, const wr_terms *terms, wr_error *err) {
    wr_terms all = {0};
    WR_NEED(wr_terms_add_all(&all, d->u->arena, join->join.residual, join->join.residual_count));
    WR_NEED(wr_terms_add_all(&all, d->u->arena, terms->items, terms->count));
    join->join.residual = all.items;
    join->join.residual_count = all.count;
    return WR_OK;
}

/* ---- one child ---- */

static wr_status push_project(domain *d, wr_logical *node, tied *out, wr_error *err) {
    tied child;
    WR_TRY(push(d, node->children[0], &child, err));
    node->children[0] = child.node;
    WR_TRY(retie_node_exprs(d, node, child.ids, err));
    uint32_t count = node->project.count;
    wr_named_expr *items = WR_ARENA_ARRAY(d->u->arena, wr_named_expr, count + d->count);
    WR_NEED(items);
    if (count) memcpy(items, node->project.items, count * sizeof *items);
    for (uint32_t i = 0; i < d->count; i++) {
        items[count + i].id = child.ids[i];
        WR_NEED(items[count + i].expr = wr_column_of(d->u->plan, child.ids[i]));
    }
    node->project.items = items;
    node->project.count = count + d->count;
    WR_NEED(wr_logical_refresh(d->u->plan, node));
    *out = (tied){node, child.ids};
    return WR_OK;
}

/* Every combination of D has a row, with what the aggregates give over nothing where the groups have none. */
static wr_status pad_groups(domain *d, wr_logical *node, const wr_column_id *ids, tied *out, wr_error *err) {
    wr_unnester *u = d->u;
    tied all;
    wr_terms same = {0};
    WR_TRY(read_domain(d, &all, err));
    WR_TRY(add_same(d, all.ids, ids, &same, err));
    uint32_t count = 0;
    wr_named_expr *items = wr_pass_items(u->plan, all.node, node->aggregate.aggregate_count, &count);
    wr_logical *join = wr_make_join(u->plan, WR_JOIN_OUTER_LEFT, all.node, node);
    WR_NEED(items && join);
    WR_TRY(add_residual(d, join, &same, err));
    for (uint32_t i = 0; i < node->aggregate.aggregate_count; i++) {
        wr_named_expr *aggregate = &node->aggregate.aggregates[i];
        wr_named_expr *item = &items[count++];
        wr_expr *empty;
        WR_TRY(wr_empty_value(u, aggregate->expr, &empty, err));
        item->id = aggregate->id;
        if (empty->value.is_null) {
            WR_NEED(item->expr = wr_column_of(u->plan, aggregate->id));
            continue;
        }
        /* The aggregate gets another id, the padded column its old one. */
        const wr_plan_column column = u->plan->columns[aggregate->id];
        WR_NEED(aggregate->id = wr_plan_add_column(u->plan, column.name, column.type, column.nullable, node));
        wr_expr *value = wr_column_of(u->plan, aggregate->id), *null;
        WR_NEED(value && (null = wr_make_is_null(u->arena, value)));
        WR_NEED(item->expr = wr_make_case(u->arena, null, empty, value));
    }
    WR_NEED(wr_logical_refresh(u->plan, node) && wr_logical_refresh(u->plan, join));
    WR_NEED(out->node = wr_make_project(u->plan, join, items, count));
    out->ids = all.ids;
    return WR_OK;
}

static wr_status push_aggregate(domain *d, wr_logical *node, tied *out, wr_error *err) {
    tied child;
    WR_TRY(push(d, node->children[0], &child, err));
    node->children[0] = child.node;
    WR_TRY(retie_node_exprs(d, node, child.ids, err));
    uint32_t count = node->aggregate.key_count;
    wr_named_expr *keys = WR_ARENA_ARRAY(d->u->arena, wr_named_expr, count + d->count);
    WR_NEED(keys);
    if (count) memcpy(keys, node->aggregate.keys, count * sizeof *keys);
    for (uint32_t i = 0; i < d->count; i++) {
        keys[count + i].id = child.ids[i];
        WR_NEED(keys[count + i].expr = wr_column_of(d->u->plan, child.ids[i]));
    }
    node->aggregate.keys = keys;
    node->aggregate.key_count = count + d->count;
    WR_NEED(wr_logical_refresh(d->u->plan, node));
    *out = (tied){node, child.ids};
    return count ? WR_OK : pad_groups(d, node, child.ids, out, err);
}

static wr_status push_single_row(domain *d, wr_logical *node, tied *out, wr_error *err) {
    tied child, all;
    wr_terms same = {0};
    WR_TRY(push(d, node->children[0], &child, err));
    WR_TRY(read_domain(d, &all, err));
    WR_TRY(add_same(d, all.ids, child.ids, &same, err));
    wr_logical *join = wr_make_join(d->u->plan, WR_JOIN_SINGLE, all.node, child.node);
    WR_NEED(join);
    WR_TRY(add_residual(d, join, &same, err));
    *out = (tied){join, all.ids};
    return WR_OK;
}

/* ---- joins ---- */

static wr_status condition_is_correlated(domain *d, wr_logical *node, bool *out, wr_error *err) {
    wr_column_set read = {0};
    for (uint32_t i = 0; i < node->join.residual_count; i++) {
        WR_NEED(wr_expr_columns(node->join.residual[i], d->u->arena, &read));
    }
    for (uint32_t i = 0; i < node->join.key_count; i++) {
        WR_NEED(wr_expr_columns(node->join.keys[i].left, d->u->arena, &read));
        WR_NEED(wr_expr_columns(node->join.keys[i].right, d->u->arena, &read));
    }
    *out = wr_column_set_overlaps(&read, &d->outer_set);
    return WR_OK;
}

/* Both sides may pad D's columns with NULLs: whichever is there. */
static wr_status coalesce_ids(domain *d, wr_logical *join, const tied sides[2], tied *out, wr_error *err) {
    wr_unnester *u = d->u;
    uint32_t count;
    wr_named_expr *items = wr_pass_items(u->plan, join, d->count, &count);
    WR_NEED(items);
    WR_NEED(out->ids = WR_ARENA_ARRAY(u->arena, wr_column_id, d->count));
    for (uint32_t i = 0; i < d->count; i++) {
        const wr_plan_column column = u->plan->columns[d->outer[i]];
        wr_expr *left = wr_column_of(u->plan, sides[0].ids[i]), *right = wr_column_of(u->plan, sides[1].ids[i]), *null;
        WR_NEED(left && right && (null = wr_make_is_null(u->arena, left)));
        WR_NEED(items[count].expr = wr_make_case(u->arena, null, right, left));
        WR_NEED(items[count].id = out->ids[i] = wr_plan_add_column(u->plan, column.name, column.type, true, NULL));
        count++;
    }
    WR_NEED(out->node = wr_make_project(u->plan, join, items, count));
    return WR_OK;
}

static wr_status push_join(domain *d, wr_logical *node, tied *out, wr_error *err) {
    bool left, right, condition;
    tied sides[2] = {{0}};
    wr_terms same = {0};
    WR_TRY(is_correlated(d, node->children[0], &left, err));
    WR_TRY(is_correlated(d, node->children[1], &right, err));
    WR_TRY(condition_is_correlated(d, node, &condition, err));
    bool inner = node->join.kind == WR_JOIN_INNER, full = node->join.kind == WR_JOIN_OUTER_FULL;
    bool push_left = left || !inner || !right, push_right = right || full;
    for (int i = 0; i < 2; i++) {
        if (!(i ? push_right : push_left)) continue;
        WR_TRY(push(d, node->children[i], &sides[i], err));
        node->children[i] = sides[i].node;
    }
    const wr_column_id *ids = push_left ? sides[0].ids : sides[1].ids;
    WR_TRY(retie_node_exprs(d, node, ids, err));
    if (push_left && push_right) WR_TRY(add_same(d, sides[0].ids, sides[1].ids, &same, err));
    WR_TRY(add_residual(d, node, &same, err));
    WR_NEED(wr_logical_refresh(d->u->plan, node));
    if (full) return coalesce_ids(d, node, sides, out, err);
    *out = (tied){node, push_left ? sides[0].ids : sides[1].ids};
    return WR_OK;
}

/* ---- set operations and VALUES ---- */

static wr_status push_set(domain *d, wr_logical *node, tied *out, wr_error *err) {
    wr_unnester *u = d->u;
    uint32_t count = node->column_count;
    wr_column_id *columns = WR_ARENA_ARRAY(u->arena, wr_column_id, count + d->count);
    WR_NEED(columns);
    if (count) memcpy(columns, node->columns, count * sizeof *columns);
    WR_NEED(out->ids = WR_ARENA_ARRAY(u->arena, wr_column_id, d->count));
    for (uint32_t i = 0; i < d->count; i++) {
        const wr_plan_column column = u->plan->columns[d->outer[i]];
        WR_NEED(out->ids[i] = wr_plan_add_column(u->plan, column.name, column.type, true, node));
        columns[count + i] = out->ids[i];
    }
    for (int side = 0; side < 2; side++) {
        tied child;
        WR_TRY(push(d, node->children[side], &child, err));
        node->children[side] = child.node;
        wr_column_id *inputs = WR_ARENA_ARRAY(u->arena, wr_column_id, count + d->count);
        WR_NEED(inputs);
        if (count) memcpy(inputs, node->set.inputs[side], count * sizeof *inputs);
        for (uint32_t i = 0; i < d->count; i++) inputs[count + i] = child.ids[i];
        node->set.inputs[side] = inputs;
    }
    node->columns = columns;
    node->column_count = count + d->count;
    out->node = node;
    return WR_OK;
}

/* A row of expressions over outer columns: a projection of D. */
static wr_status project_row(domain *d, const wr_logical *values, uint32_t row, bool own_ids, tied *out,
                             wr_column_id *ids, wr_error *err) {
    wr_unnester *u = d->u;
    tied all;
    uint32_t count;
    WR_TRY(read_domain(d, &all, err));
    wr_named_expr *items = wr_pass_items(u->plan, all.node, values->column_count, &count);
    WR_NEED(items);
    retie r = {d, all.ids};
    for (uint32_t i = 0; i < values->column_count; i++) {
        const wr_plan_column column = u->plan->columns[values->columns[i]];
        WR_NEED(items[count].expr = wr_expr_rewrite(u->arena, values->values.rows[row][i], retie_node, &r));
        ids[i] = own_ids ? values->columns[i] : wr_plan_add_column(u->plan, column.name, column.type, true, NULL);
        WR_NEED(items[count].id = ids[i]);
        count++;
    }
    WR_NEED(out->node = wr_make_project(u->plan, all.node, items, count));
    out->ids = all.ids;
    return WR_OK;
}

/* VALUES with correlated rows: the union of a projection of D for each row. */
static wr_status push_values(domain *d, wr_logical *node, tied *out, wr_error *err) {
    wr_unnester *u = d->u;
    uint32_t rows = node->values.row_count, columns = node->column_count;
    wr_column_id *ids = WR_ARENA_ARRAY(u->arena, wr_column_id, columns + 1);
    WR_NEED(ids);
    WR_TRY(project_row(d, node, 0, rows == 1, out, ids, err));
    for (uint32_t r = 1; r < rows; r++) {
        tied next;
        wr_column_id *next_ids = WR_ARENA_ARRAY(u->arena, wr_column_id, columns + 1);
        wr_column_id *made = WR_ARENA_ARRAY(u->arena, wr_column_id, columns + d->count + 1);
        wr_logical *set = wr_logical_create(u->plan, WR_LOGICAL_SET_OPERATION, 2);
        WR_NEED(next_ids && made && set);
        WR_TRY(project_row(d, node, r, false, &next, next_ids, err));
        set->set.operation = WR_SET_UNION;
        set->set.all = true;
        set->children[0] = out->node;
        set->children[1] = next.node;
        for (int side = 0; side < 2; side++) {
            wr_column_id *inputs = WR_ARENA_ARRAY(u->arena, wr_column_id, columns + d->count + 1);
            WR_NEED(inputs);
            for (uint32_t i = 0; i < columns; i++) inputs[i] = side ? next_ids[i] : ids[i];
            for (uint32_t i = 0; i < d->count; i++) inputs[columns + i] = side ? next.ids[i] : out->ids[i];
            set->set.inputs[side] = inputs;
        }
        for (uint32_t i = 0; i < columns + d->count; i++) {
            const wr_plan_column column = u->plan->columns[set->set.inputs[0][i]];
            bool last = r + 1 == rows && i < columns;
            made[i] = last ? node->columns[i] : wr_plan_add_column(u->plan, column.name, column.type, true, set);
            WR_NEED(made[i]);
        }
        set->columns = made;
        set->column_count = columns + d->count;
        *out = (tied){set, made + columns};
        ids = made;
    }
    return WR_OK;
}

/* ---- all kinds ---- */

static wr_status cross_with_domain(domain *d, wr_logical *node, tied *out, wr_error *err) {
    tied all;
    WR_TRY(read_domain(d, &all, err));
    WR_NEED(out->node = wr_make_join(d->u->plan, WR_JOIN_INNER, all.node, node));
    out->ids = all.ids;
    return WR_OK;
}

static wr_status push(domain *d, wr_logical *node, tied *out, wr_error *err) {
    bool correlated;
    WR_TRY(is_correlated(d, node, &correlated, err));
    if (!correlated) return cross_with_domain(d, node, out, err);
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_FILTER:
    case WR_LOGICAL_SORT: {
        tied child;
        WR_TRY(push(d, node->children[0], &child, err));
        node->children[0] = child.node;
        WR_TRY(retie_node_exprs(d, node, child.ids, err));
        WR_NEED(wr_logical_refresh(d->u->plan, node));
        *out = (tied){node, child.ids};
        return WR_OK;
    }
    case WR_LOGICAL_PROJECT: return push_project(d, node, out, err);
    case WR_LOGICAL_AGGREGATE: return push_aggregate(d, node, out, err);
    case WR_LOGICAL_JOIN: return push_join(d, node, out, err);
    case WR_LOGICAL_SET_OPERATION: return push_set(d, node, out, err);
    case WR_LOGICAL_VALUES: return push_values(d, node, out, err);
    case WR_LOGICAL_SINGLE_ROW: return push_single_row(d, node, out, err);
    case WR_LOGICAL_LIMIT:
        (void)wr_fail(err, WR_UNSUPPORTED,
                      "LIMIT in a subquery that reads columns of the outer query is not supported");
        return wr_hint(err, "LIMIT 1 is, where the subquery compares with the outer query by = alone");
    default: return wr_fail(err, WR_INTERNAL, "a node of kind %u reads outer columns", node->kind);
    }
}

wr_status wr_push_domain(wr_unnester *u, wr_logical **outer_side, wr_logical **slot, wr_terms *terms, wr_error *err) {
    domain d = {.u = u};
    wr_column_set outside = {0};
    WR_NEED(wr_logical_free_columns(*slot, u->arena, &outside));
    WR_NEED(d.outer = WR_ARENA_ARRAY(u->arena, wr_column_id, (*outer_side)->column_count + 1));
    for (uint32_t i = 0; i < (*outer_side)->column_count; i++) {
        wr_column_id id = (*outer_side)->columns[i];
        if (!wr_column_set_has(&outside, id)) continue;
        d.outer[d.count++] = id;
        WR_NEED(wr_column_set_add(&d.outer_set, u->arena, id));
    }
    WR_TRY(make_domain(&d, outer_side, err));
    tied inner;
    WR_TRY(push(&d, *slot, &inner, err));
    *slot = inner.node;
    return add_same(&d, d.outer, inner.ids, terms, err);
}
