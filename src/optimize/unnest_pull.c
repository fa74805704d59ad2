/* Decorrelation by pulling conditions up: the first choice, as it adds no work to the plan.
 *
 * Most correlated subqueries touch their outer query only in conjuncts of WHERE. Such a conjunct can be applied later,
 * at the join that connects the two: above filters, projections (which then pass its columns on), inner joins, and the
 * outer side of other joins. An aggregate in between is no obstacle to an equality with an outer value: the inner side
 * becomes one more group key, and the join picks the group (Kim's idea; the aggregate over no rows is compensated by
 * the caller).
 *
 * All is tried before anything is changed: taking out some of the conditions would spoil the other way
 * (unnest_domain.c), which wants them where they are. */
#include "optimize/optimize_internal.h"

typedef struct puller {
    wr_unnester *u;
    const wr_pull *how;
    bool commit; /* else: only try */
} puller;

typedef struct pull_place {
    bool duplicates_matter;
    bool top; /* only filters and projections above, up to the subplan's root */
} pull_place;

static wr_status pull(puller *p, wr_logical **slot, pull_place place, wr_terms *terms, bool *ok, wr_error *err);

#define ADD(terms, term) WR_NEED(wr_terms_add((terms), p->u->arena, (term)))

static wr_status reads_outer(puller *p, const wr_expr *expr, bool *out, wr_error *err) {
    wr_column_set read = {0};
    WR_NEED(wr_expr_columns(expr, p->u->arena, &read));
    *out = wr_column_set_overlaps(&read, &p->how->outer);
    return WR_OK;
}

static wr_status any_reads_outer(puller *p, wr_expr *const *exprs, uint32_t count, bool *out, wr_error *err) {
    *out = false;
    for (uint32_t i = 0; i < count && !*out; i++) WR_TRY(reads_outer(p, exprs[i], out, err));
    return WR_OK;
}

static wr_status items_read_outer(puller *p, const wr_named_expr *items, uint32_t count, bool *out, wr_error *err) {
    *out = false;
    for (uint32_t i = 0; i < count && !*out; i++) WR_TRY(reads_outer(p, items[i].expr, out, err));
    return WR_OK;
}

static wr_status is_correlated(puller *p, const wr_logical *node, bool *out, wr_error *err) {
    wr_column_set outside = {0};
    WR_NEED(wr_logical_free_columns(node, p->u->arena, &outside));
    *out = wr_column_set_overlaps(&outside, &p->how->outer);
    return WR_OK;
}

/* Moves the conjuncts that read outer columns from the list to terms. */
static wr_status take_terms(puller *p, wr_expr **conjuncts, uint32_t *count, wr_terms *terms, wr_error *err) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < *count; i++) {
        bool outer;
        WR_TRY(reads_outer(p, conjuncts[i], &outer, err));
        if (outer) ADD(terms, conjuncts[i]);
        if (p->commit && !outer) conjuncts[kept++] = conjuncts[i];
    }
    if (p->commit) *count = kept;
    return WR_OK;
}

/* ---- filters and projections ---- */

static wr_status pull_filter(puller *p, wr_logical **slot, pull_place place, wr_terms *terms, bool *ok, wr_error *err) {
    wr_logical *node = *slot;
    WR_TRY(pull(p, &node->children[0], place, terms, ok, err));
    if (!*ok) return WR_OK;
    WR_TRY(take_terms(p, node->filter.conjuncts, &node->filter.count, terms, err));
    if (!p->commit) return WR_OK;
    WR_NEED(wr_logical_refresh(p->u->plan, node));
    if (node->filter.count == 0) *slot = node->children[0];
    return WR_OK;
}

/* Passes every column on that a term reads and the child gives. */
static wr_status pass_columns(puller *p, wr_logical *project, const wr_terms *terms, wr_error *err) {
    const wr_logical *child = project->children[0];
    wr_column_set read = {0};
    for (uint32_t i = 0; i < terms->count; i++) WR_NEED(wr_expr_columns(terms->items[i], p->u->arena, &read));
    uint32_t count = project->project.count;
    wr_named_expr *items = WR_ARENA_ARRAY(p->u->arena, wr_named_expr, count + child->column_count + 1);
    WR_NEED(items);
    if (count) memcpy(items, project->project.items, count * sizeof *items);
    for (uint32_t i = 0; i < child->column_count; i++) {
        wr_column_id id = child->columns[i];
        if (!wr_column_set_has(&read, id) || wr_find_item(items, count, id)) continue;
        items[count].id = id;
        WR_NEED(items[count].expr = wr_column_of(p->u->plan, id));
        count++;
    }
    project->project.items = items;
    project->project.count = count;
    WR_NEED(wr_logical_refresh(p->u->plan, project));
    return WR_OK;
}

static wr_status pull_project(puller *p, wr_logical *node, pull_place place, wr_terms *terms, bool *ok, wr_error *err) {
    bool outer;
    WR_TRY(items_read_outer(p, node->project.items, node->project.count, &outer, err));
    *ok = !outer;
    if (!*ok) return WR_OK;
    WR_TRY(pull(p, &node->children[0], place, terms, ok, err));
    return *ok && p->commit ? pass_columns(p, node, terms, err) : WR_OK;
}

/* ---- joins ---- */

/* Keys that read outer columns are conditions like others. */
static wr_status take_keys(puller *p, wr_logical *node, wr_terms *terms, wr_error *err) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < node->join.key_count; i++) {
        wr_join_key key = node->join.keys[i];
        bool left, right;
        WR_TRY(reads_outer(p, key.left, &left, err));
        WR_TRY(reads_outer(p, key.right, &right, err));
        if (left || right) {
            const char *name = key.null_equals_null ? "is_not_distinct_from" : "=";
            wr_expr *term = wr_make_call(p->u->context, p->u->arena, name, (wr_expr *[]){key.left, key.right}, 2);
            WR_NEED(term);
            ADD(terms, term);
        } else if (p->commit) {
            node->join.keys[kept++] = key;
        }
    }
    if (p->commit) node->join.key_count = kept;
    return WR_OK;
}

static wr_status condition_reads_outer(puller *p, const wr_logical *node, bool *out, wr_error *err) {
    WR_TRY(any_reads_outer(p, node->join.residual, node->join.residual_count, out, err));
    for (uint32_t i = 0; i < node->join.key_count && !*out; i++) {
        WR_TRY(reads_outer(p, node->join.keys[i].left, out, err));
        if (!*out) WR_TRY(reads_outer(p, node->join.keys[i].right, out, err));
    }
    return WR_OK;
}

static wr_status pull_join(puller *p, wr_logical *node, pull_place place, wr_terms *terms, bool *ok, wr_error *err) {
    bool right, condition;
    place.top = false;
    WR_TRY(is_correlated(p, node->children[1], &right, err));
    WR_TRY(condition_reads_outer(p, node, &condition, err));
    bool inner = node->join.kind == WR_JOIN_INNER;
    /* Where duplicates do not matter, a semi join is a join. */
    bool becomes_inner = node->join.kind == WR_JOIN_SEMI && !place.duplicates_matter && (right || condition);
    *ok = inner || becomes_inner || (!right && !condition && node->join.kind != WR_JOIN_OUTER_FULL);
    if (!*ok) return WR_OK;
    WR_TRY(pull(p, &node->children[0], place, terms, ok, err));
    if (*ok && (inner || becomes_inner)) WR_TRY(pull(p, &node->children[1], place, terms, ok, err));
    if (!*ok) return WR_OK;
    if (inner || becomes_inner) {
        WR_TRY(take_terms(p, node->join.residual, &node->join.residual_count, terms, err));
        WR_TRY(take_keys(p, node, terms, err));
    }
    if (!p->commit) return WR_OK;
    if (becomes_inner) node->join.kind = WR_JOIN_INNER;
    WR_NEED(wr_logical_refresh(p->u->plan, node));
    return WR_OK;
}

/* ---- aggregates ---- */

/* inner = outer: gives the inner side. */
static wr_status equality_sides(puller *p, const wr_expr *term, uint32_t *inner, bool *ok, wr_error *err) {
    wr_compare_op op = WR_EQ;
    wr_expr *left, *right;
    *ok = wr_is_call(term, "is_not_distinct_from", 2) || (wr_match_compare(term, &op, &left, &right) && op == WR_EQ);
    if (!*ok || term->volatile_) {
        *ok = false;
        return WR_OK;
    }
    for (uint32_t i = 0; i < 2; i++) {
        wr_column_set read = {0};
        bool mine;
        WR_TRY(reads_outer(p, term->args[i], &mine, err));
        WR_NEED(wr_expr_columns(term->args[1 - i], p->u->arena, &read));
        if (mine || !wr_column_set_contains(&p->how->outer, &read)) continue;
        *inner = i;
        return WR_OK;
    }
    *ok = false;
    return WR_OK;
}

/* The term reads nothing of the group but its keys. */
static wr_status is_over_keys(puller *p, const wr_logical *node, const wr_expr *term, bool *ok, wr_error *err) {
    wr_column_set read = {0}, known = {0};
    WR_NEED(wr_expr_columns(term, p->u->arena, &read));
    WR_NEED(wr_column_set_add_all(&known, p->u->arena, &p->how->outer));
    for (uint32_t i = 0; i < node->aggregate.key_count; i++) {
        const wr_named_expr *key = &node->aggregate.keys[i];
        if (wr_is_pass(key)) WR_NEED(wr_column_set_add(&known, p->u->arena, key->id));
    }
    *ok = wr_column_set_contains(&known, &read);
    return WR_OK;
}

/* The key of the group that `inner` is: an existing one or a new one. */
static wr_status add_key(puller *p, wr_logical *node, wr_expr *inner, wr_column_id *id, wr_error *err) {
    uint32_t count = node->aggregate.key_count;
    for (uint32_t i = 0; i < count; i++) {
        if (!wr_expr_equal(node->aggregate.keys[i].expr, inner)) continue;
        *id = node->aggregate.keys[i].id;
        return WR_OK;
    }
    wr_named_expr *keys = WR_ARENA_ARRAY(p->u->arena, wr_named_expr, count + 1);
    WR_NEED(keys);
    if (count) memcpy(keys, node->aggregate.keys, count * sizeof *keys);
    keys[count].expr = inner;
    if (inner->kind == WR_EXPR_COLUMN) {
        keys[count].id = inner->column;
    } else {
        WR_NEED(keys[count].id = wr_plan_add_column(p->u->plan, WR_STR("key"), inner->type, true, node));
    }
    *id = keys[count].id;
    node->aggregate.keys = keys;
    node->aggregate.key_count = count + 1;
    return WR_OK;
}

static wr_status pull_aggregate(puller *p, wr_logical *node, pull_place place, wr_terms *terms, bool *ok,
                                wr_error *err) {
    bool keys, aggregates;
    WR_TRY(items_read_outer(p, node->aggregate.keys, node->aggregate.key_count, &keys, err));
    WR_TRY(items_read_outer(p, node->aggregate.aggregates, node->aggregate.aggregate_count, &aggregates, err));
    bool scalar = node->aggregate.key_count == 0;
    *ok = !keys && !aggregates && (!scalar || (place.top && p->how->scalar_allowed));
    if (!*ok) return WR_OK;
    pull_place below = {.duplicates_matter = place.duplicates_matter || node->aggregate.aggregate_count > 0};
    wr_terms mine = {0};
    WR_TRY(pull(p, &node->children[0], below, &mine, ok, err));
    for (uint32_t i = 0; i < mine.count && *ok; i++) {
        wr_expr *term = mine.items[i];
        uint32_t inner = 0;
        bool over_keys, equality;
        WR_TRY(is_over_keys(p, node, term, &over_keys, err));
        WR_TRY(equality_sides(p, term, &inner, &equality, err));
        *ok = over_keys || equality;
        if (!over_keys && equality && p->commit) {
            wr_column_id id;
            WR_TRY(add_key(p, node, term->args[inner], &id, err));
            WR_NEED(term = wr_expr_copy_node(p->u->arena, term));
            WR_NEED(term->args[inner] = wr_column_of(p->u->plan, id));
            wr_expr_refresh(term);
        }
        if (*ok) ADD(terms, term);
    }
    if (!*ok || !p->commit) return WR_OK;
    WR_NEED(wr_logical_refresh(p->u->plan, node));
    return WR_OK;
}

/* ---- LIMIT 1 ---- */

static bool is_limit_one(const wr_logical *node) {
    const wr_expr *limit = node->limit.limit;
    return !node->limit.offset && limit && limit->kind == WR_EXPR_CONSTANT && !limit->value.is_null &&
           limit->value.i64 == 1;
}

/* Of the rows of each group, in the order they come, the first: `first` of every column. The rows below are made under
 * new ids, as the old ones are those of the result. */
static wr_status first_rows(puller *p, wr_logical **slot, wr_terms *terms, bool *ok, wr_error *err) {
    wr_unnester *u = p->u;
    wr_logical *limit = *slot;
    wr_column_id *map = WR_ARENA_ARRAY(u->arena, wr_column_id, u->plan->column_count);
    wr_logical *node = wr_logical_create(u->plan, WR_LOGICAL_AGGREGATE, 1);
    WR_NEED(map && node);
    WR_NEED(node->children[0] = wr_logical_copy(u->plan, limit->children[0], map));
    uint32_t count = limit->column_count;
    WR_NEED(node->aggregate.aggregates = WR_ARENA_ARRAY(u->arena, wr_named_expr, count + 1));
    for (uint32_t i = 0; i < count; i++) {
        wr_named_expr *item = &node->aggregate.aggregates[i];
        wr_expr *column = wr_column_of(u->plan, map[limit->columns[i]]);
        WR_NEED(column);
        item->id = limit->columns[i];
        WR_NEED(item->expr = wr_make_call(u->context, u->arena, "first", &column, 1));
        u->plan->columns[item->id].source = node;
    }
    node->aggregate.aggregate_count = count;
    WR_NEED(wr_logical_refresh(u->plan, node));
    *slot = node;
    puller inner = *p;
    wr_pull how = *p->how;
    how.scalar_allowed = true;
    inner.how = &how;
    return pull_aggregate(&inner, node, (pull_place){.duplicates_matter = true, .top = true}, terms, ok, err);
}

static wr_status pull_limit(puller *p, wr_logical **slot, pull_place place, wr_terms *terms, bool *ok, wr_error *err) {
    *ok = place.top && p->how->limit_allowed && is_limit_one(*slot);
    if (!*ok) return WR_OK;
    if (p->commit) return first_rows(p, slot, terms, ok, err);
    wr_terms mine = {0};
    WR_TRY(pull(p, &(*slot)->children[0], (pull_place){.duplicates_matter = true}, &mine, ok, err));
    for (uint32_t i = 0; i < mine.count && *ok; i++) {
        uint32_t inner;
        WR_TRY(equality_sides(p, mine.items[i], &inner, ok, err));
        if (*ok) ADD(terms, mine.items[i]);
    }
    return WR_OK;
}

/* ---- all kinds ---- */

static wr_status reads_outer_slot(puller *p, const wr_logical *sort, bool *out, wr_error *err) {
    *out = false;
    for (uint32_t i = 0; i < sort->sort.count && !*out; i++) WR_TRY(reads_outer(p, sort->sort.keys[i].expr, out, err));
    return WR_OK;
}

static wr_status pull(puller *p, wr_logical **slot, pull_place place, wr_terms *terms, bool *ok, wr_error *err) {
    wr_logical *node = *slot;
    bool correlated;
    WR_TRY(is_correlated(p, node, &correlated, err));
    *ok = true;
    if (!correlated) return WR_OK;
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_FILTER: return pull_filter(p, slot, place, terms, ok, err);
    case WR_LOGICAL_PROJECT: return pull_project(p, node, place, terms, ok, err);
    case WR_LOGICAL_JOIN: return pull_join(p, node, place, terms, ok, err);
    case WR_LOGICAL_AGGREGATE: return pull_aggregate(p, node, place, terms, ok, err);
    case WR_LOGICAL_LIMIT: return pull_limit(p, slot, place, terms, ok, err);
    case WR_LOGICAL_SORT: {
        bool outer;
        WR_TRY(reads_outer_slot(p, node, &outer, err));
        *ok = !outer;
        place.top = false;
        if (*ok) WR_TRY(pull(p, &node->children[0], place, terms, ok, err));
        if (*ok && p->commit) WR_NEED(wr_logical_refresh(p->u->plan, node));
        return WR_OK;
    }
    default: *ok = false; return WR_OK;
    }
}

wr_status wr_pull_correlation(wr_unnester *u, wr_logical **slot, const wr_pull *how, wr_terms *terms, bool *done,
                              wr_error *err) {
    puller p = {u, how, false};
    wr_terms tried = {0};
    pull_place top = {.duplicates_matter = how->duplicates_matter, .top = true};
    WR_TRY(pull(&p, slot, top, &tried, done, err));
    if (!*done) return WR_OK;
    p.commit = true;
    return pull(&p, slot, top, terms, done, err);
}

/* ---- aggregates over no rows ---- */

wr_status wr_empty_value(wr_unnester *u, const wr_expr *aggregate, wr_expr **out, wr_error *err) {
    const wr_aggregate_ops *ops = aggregate->function->aggregate;
    wr_type types[WR_FUNCTION_PARAMETERS] = {{0}};
    uint32_t count = aggregate->arg_count < WR_COUNT_OF(types) ? aggregate->arg_count : WR_COUNT_OF(types);
    for (uint32_t i = 0; i < count; i++) types[i] = aggregate->args[i]->type;
    wr_aggregate_context c = {.allocator = u->context->allocator,
                              .kernels = u->context->environment.kernels,
                              .data = aggregate->function_data,
                              .result = aggregate->type,
                              .arg_type = types[0],
                              .err = err};
    uint32_t bytes = (ops->state_bytes(types, aggregate->arg_count) + 15) & ~UINT32_C(15);
    uint8_t *state = wr_alloc_zeroed(c.allocator, bytes);
    if (!state) return wr_fail_memory(err, bytes, "an aggregate's state");
    wr_vector vector = {0};
    wr_value value;
    ops->init(&c, state, bytes, 1);
    wr_status status = ops->finalize(&c, state, bytes, 1, &vector);
    if (status == WR_OK) status = wr_vector_value(&vector, 0, u->arena, &value, err);
    if (status == WR_OK && value.type.id == WR_TYPE_VARCHAR && !value.is_null) {
        value.text = wr_arena_copy(u->arena, value.text);
        if (!value.text.data) status = wr_fail_memory(err, value.text.size, "the query's plan");
    }
    if (ops->destroy) ops->destroy(&c, state, bytes, 1);
    wr_vector_deinit(&vector);
    wr_free(c.allocator, state, bytes);
    if (status != WR_OK) return status;
    WR_NEED(*out = wr_expr_constant(u->arena, value));
    return WR_OK;
}

static wr_status empty_aggregate(wr_unnester *u, const wr_logical *node, wr_empty_row *out, wr_error *err) {
    out->kind = WR_EMPTY_ROW;
    out->count = node->aggregate.aggregate_count;
    WR_NEED(out->values = WR_ARENA_ARRAY(u->arena, wr_named_expr, out->count + 1));
    for (uint32_t i = 0; i < out->count; i++) {
        out->values[i].id = node->aggregate.aggregates[i].id;
        WR_TRY(wr_empty_value(u, node->aggregate.aggregates[i].expr, &out->values[i].expr, err));
    }
    return WR_OK;
}

/* The expression over the empty row: a constant, or NULL when it is not known. */
static wr_status over_empty(wr_unnester *u, const wr_empty_row *row, wr_expr *expr, wr_expr **out, wr_error *err) {
    wr_column_set nulls = {0};
    for (uint32_t i = 0; i < row->count; i++) {
        if (row->values[i].expr->value.is_null) WR_NEED(wr_column_set_add(&nulls, u->arena, row->values[i].id));
    }
    *out = NULL;
    if (wr_expr_is_strict(expr, &nulls)) {
        WR_NEED(*out = wr_expr_constant(u->arena, (wr_value){.type = expr->type, .is_null = true}));
        return WR_OK;
    }
    wr_substitution by = {u->arena, row->values, row->count};
    wr_expr *value = wr_substitute(&by, expr);
    WR_NEED(value && (value = wr_expr_fold(u->arena, value)));
    if (value->kind == WR_EXPR_CONSTANT) *out = value;
    return WR_OK;
}

static wr_status empty_filter(wr_unnester *u, const wr_logical *node, wr_empty_row *row, wr_error *err) {
    for (uint32_t i = 0; i < node->filter.count && row->kind == WR_EMPTY_ROW; i++) {
        wr_expr *value;
        WR_TRY(over_empty(u, row, node->filter.conjuncts[i], &value, err));
        if (!value) row->kind = WR_EMPTY_UNKNOWN;
        if (value && wr_is_false_or_null(value)) row->kind = WR_EMPTY_NO_ROW;
    }
    return WR_OK;
}

static wr_status empty_project(wr_unnester *u, const wr_logical *node, wr_empty_row *row, wr_error *err) {
    wr_named_expr *values = WR_ARENA_ARRAY(u->arena, wr_named_expr, node->project.count + 1);
    WR_NEED(values);
    for (uint32_t i = 0; i < node->project.count && row->kind == WR_EMPTY_ROW; i++) {
        values[i].id = node->project.items[i].id;
        WR_TRY(over_empty(u, row, node->project.items[i].expr, &values[i].expr, err));
        if (!values[i].expr) row->kind = WR_EMPTY_UNKNOWN;
    }
    row->values = values;
    row->count = node->project.count;
    return WR_OK;
}

wr_status wr_find_empty_row(wr_unnester *u, const wr_logical *node, wr_empty_row *out, wr_error *err) {
    *out = (wr_empty_row){.kind = WR_EMPTY_NOT_SCALAR};
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_AGGREGATE: return node->aggregate.key_count ? WR_OK : empty_aggregate(u, node, out, err);
    case WR_LOGICAL_FILTER:
        WR_TRY(wr_find_empty_row(u, node->children[0], out, err));
        return empty_filter(u, node, out, err);
    case WR_LOGICAL_PROJECT:
        WR_TRY(wr_find_empty_row(u, node->children[0], out, err));
        return out->kind == WR_EMPTY_ROW ? empty_project(u, node, out, err) : WR_OK;
    default: return WR_OK;
    }
}
