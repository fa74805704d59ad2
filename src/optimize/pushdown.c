/* Filters go down to where their columns are made, and joins get their keys.
 *
 * Conjuncts travel down in a list. At each node those that may pass go on, rewritten over what is below (a projection's
 * expressions, a union's inputs); the others stay in a FILTER above it. At a join, a conjunct over one side goes to
 * that side as far as the kind of join allows, an equality between the sides becomes a key, the rest is its residual
 * condition.
 *
 * A conjunct that can fail does not go below a join that drops rows: it would run on rows that the join would have kept
 * from it. For the same reason an equality that can fail becomes a key only when nothing guards it. */
#include "optimize/optimize_internal.h"

typedef struct pusher {
    wr_plan *plan;
    const wr_optimizer_context *context;
    wr_column_set seen; /* SHARED nodes */
} pusher;

static wr_status push(pusher *p, wr_logical **slot, wr_terms *terms, wr_error *err);

#define ADD(terms, term) WR_NEED(wr_terms_add((terms), &p->plan->arena, (term)))

/* What could not go further stands above *slot. */
static wr_status stop(pusher *p, wr_logical **slot, const wr_terms *terms, wr_error *err) {
    WR_NEED(*slot = wr_make_filter(p->plan, *slot, terms));
    return WR_OK;
}

/* Nothing passes this node. */
static wr_status stop_here(pusher *p, wr_logical **slot, const wr_terms *terms, wr_error *err) {
    for (uint32_t i = 0; i < (*slot)->child_count; i++) {
        wr_terms none = {0};
        WR_TRY(push(p, &(*slot)->children[i], &none, err));
    }
    WR_NEED(wr_logical_refresh(p->plan, *slot));
    return stop(p, slot, terms, err);
}

/* ---- one child ---- */

static wr_status push_project(pusher *p, wr_logical **slot, wr_terms *terms, wr_error *err) {
    wr_logical *node = *slot;
    wr_terms below = {0}, kept = {0};
    wr_substitution by = {&p->plan->arena, node->project.items, node->project.count};
    for (uint32_t i = 0; i < terms->count; i++) {
        wr_expr *term = wr_substitute(&by, terms->items[i]);
        WR_NEED(term);
        ADD(term->volatile_ ? &kept : &below, term->volatile_ ? terms->items[i] : term);
    }
    WR_TRY(push(p, &node->children[0], &below, err));
    return stop(p, slot, &kept, err);
}

static wr_status push_aggregate(pusher *p, wr_logical **slot, wr_terms *terms, wr_error *err) {
    wr_logical *node = *slot;
    wr_terms below = {0}, kept = {0};
    wr_column_set keys = {0};
    wr_substitution by = {&p->plan->arena, node->aggregate.keys, node->aggregate.key_count};
    for (uint32_t i = 0; i < node->aggregate.key_count; i++) {
        WR_NEED(wr_column_set_add(&keys, &p->plan->arena, node->aggregate.keys[i].id));
    }
    for (uint32_t i = 0; i < terms->count; i++) {
        wr_column_set read = {0};
        WR_NEED(wr_expr_columns(terms->items[i], &p->plan->arena, &read));
        bool passes = node->aggregate.key_count && wr_column_set_contains(&keys, &read) && !terms->items[i]->volatile_;
        wr_expr *term = passes ? wr_substitute(&by, terms->items[i]) : terms->items[i];
        WR_NEED(term);
        passes &= !term->volatile_;
        ADD(passes ? &below : &kept, passes ? term : terms->items[i]);
    }
    WR_TRY(push(p, &node->children[0], &below, err));
    return stop(p, slot, &kept, err);
}

/* ---- scans ---- */

static wr_status push_scan(pusher *p, wr_logical **slot, wr_terms *terms, wr_error *err) {
    wr_logical *node = *slot;
    wr_terms own = {0}, kept = {0};
    WR_NEED(wr_terms_add_all(&own, &p->plan->arena, node->scan.conjuncts, node->scan.conjunct_count));
    bool stopped = false; /* behind one that stays, those that can fail stay too */
    for (uint32_t i = 0; i < terms->count; i++) {
        wr_expr *term = terms->items[i];
        wr_column_set read = {0};
        WR_NEED(wr_expr_columns(term, &p->plan->arena, &read));
        bool reads = !wr_column_set_contains(&(wr_column_set){0}, &read);
        bool passes = reads && !term->volatile_ && !(stopped && term->can_fail);
        stopped |= !passes;
        ADD(passes ? &own : &kept, term);
    }
    node->scan.conjuncts = own.items;
    node->scan.conjunct_count = own.count;
    return stop(p, slot, &kept, err);
}

/* ---- set operations ---- */

static wr_status push_set(pusher *p, wr_logical **slot, wr_terms *terms, wr_error *err) {
    wr_logical *node = *slot;
    wr_terms below[2] = {{0}, {0}}, kept = {0};
    wr_substitution by[2];
    for (int side = 0; side < 2; side++) {
        wr_named_expr *items = WR_ARENA_ARRAY(&p->plan->arena, wr_named_expr, node->column_count + 1);
        WR_NEED(items);
        for (uint32_t i = 0; i < node->column_count; i++) {
            items[i].id = node->columns[i];
            WR_NEED(items[i].expr = wr_column_of(p->plan, node->set.inputs[side][i]));
        }
        by[side] = (wr_substitution){&p->plan->arena, items, node->column_count};
    }
    for (uint32_t i = 0; i < terms->count; i++) {
        wr_expr *term = terms->items[i];
        bool passes = !term->volatile_ && (!term->can_fail || node->set.operation == WR_SET_UNION);
        for (int side = 0; side < 2 && passes; side++) {
            wr_expr *mine = wr_substitute(&by[side], term);
            WR_NEED(mine);
            ADD(&below[side], mine);
        }
        if (!passes) ADD(&kept, term);
    }
    for (int side = 0; side < 2; side++) WR_TRY(push(p, &node->children[side], &below[side], err));
    return stop(p, slot, &kept, err);
}

/* ---- joins ---- */

typedef enum side { SIDE_NONE, SIDE_LEFT, SIDE_RIGHT, SIDE_BOTH } side;

typedef struct join_push {
    pusher *p;
    wr_logical *join;
    wr_column_set outputs[2];
    wr_terms below[2], residual, above;
    wr_join_key *keys;
    uint32_t key_count, key_capacity;
} join_push;

static wr_status side_of(join_push *j, const wr_expr *expr, side *out, wr_error *err) {
    wr_column_set read = {0};
    WR_NEED(wr_expr_columns(expr, &j->p->plan->arena, &read));
    bool left = wr_column_set_overlaps(&read, &j->outputs[0]), right = wr_column_set_overlaps(&read, &j->outputs[1]);
    *out = left && right ? SIDE_BOTH : left ? SIDE_LEFT : right ? SIDE_RIGHT : SIDE_NONE;
    return WR_OK;
}

/* left = right, or IS NOT DISTINCT FROM, with each operand on a side of its own. */
static wr_status as_key(join_push *j, wr_expr *term, wr_join_key *key, bool *is_key, wr_error *err) {
    wr_compare_op op = WR_EQ;
    wr_expr *operands[2];
    *is_key = false;
    key->null_equals_null = wr_is_call(term, "is_not_distinct_from", 2);
    if (key->null_equals_null) {
        operands[0] = term->args[0];
        operands[1] = term->args[1];
    } else if (!wr_match_compare(term, &op, &operands[0], &operands[1]) || op != WR_EQ) {
        return WR_OK;
    }
    side sides[2];
    for (int i = 0; i < 2; i++) WR_TRY(side_of(j, operands[i], &sides[i], err));
    bool swapped = sides[0] == SIDE_RIGHT && sides[1] == SIDE_LEFT;
    if (!swapped && !(sides[0] == SIDE_LEFT && sides[1] == SIDE_RIGHT)) return WR_OK;
    if (!wr_type_equal(operands[0]->type, operands[1]->type)) return WR_OK;
    if (term->volatile_ || (term->can_fail && (j->key_count || j->residual.count))) return WR_OK;
    key->left = operands[swapped];
    key->right = operands[!swapped];
    *is_key = true;
    return WR_OK;
}

static wr_status add_key_or_residual(join_push *j, wr_expr *term, wr_error *err) {
    pusher *p = j->p;
    wr_join_key key;
    bool is_key;
    WR_TRY(as_key(j, term, &key, &is_key, err));
    if (!is_key) {
        ADD(&j->residual, term);
        return WR_OK;
    }
    for (uint32_t i = 0; i < j->key_count; i++) {
        if (wr_expr_equal(j->keys[i].left, key.left) && wr_expr_equal(j->keys[i].right, key.right)) return WR_OK;
    }
    WR_NEED(wr_arena_push(&p->plan->arena, &j->keys, &j->key_count, &j->key_capacity, sizeof key, &key));
    return WR_OK;
}

/* A term of the join's own condition. */
static wr_status place_condition(join_push *j, wr_expr *term, wr_error *err) {
    pusher *p = j->p;
    wr_join_kind kind = (wr_join_kind)j->join->join.kind;
    side where;
    WR_TRY(side_of(j, term, &where, err));
    bool movable = !term->can_fail && !term->volatile_;
    bool null_aware = kind == WR_JOIN_ANTI_NULL_AWARE || (kind == WR_JOIN_MARK && j->join->join.null_aware);
    bool right_may = kind != WR_JOIN_OUTER_FULL && !null_aware;
    bool left_may = kind == WR_JOIN_INNER || kind == WR_JOIN_SEMI;
    if (where == SIDE_RIGHT && movable && right_may) {
        ADD(&j->below[1], term);
        return WR_OK;
    }
    if ((where == SIDE_LEFT || where == SIDE_NONE) && movable && left_may) {
        ADD(&j->below[0], term);
        return WR_OK;
    }
    return add_key_or_residual(j, term, err);
}

/* A term from above the join. */
static wr_status place_filter(join_push *j, wr_expr *term, wr_error *err) {
    pusher *p = j->p;
    wr_join_kind kind = (wr_join_kind)j->join->join.kind;
    side where;
    WR_TRY(side_of(j, term, &where, err));
    if (j->join->join.mark) {
        wr_column_set read = {0};
        WR_NEED(wr_expr_columns(term, &p->plan->arena, &read));
        if (wr_column_set_has(&read, j->join->join.mark)) where = SIDE_BOTH;
    }
    if (kind == WR_JOIN_INNER && !term->volatile_) {
        if (where == SIDE_BOTH) return add_key_or_residual(j, term, err);
        if (where == SIDE_RIGHT && !term->can_fail) {
            ADD(&j->below[1], term);
            return WR_OK;
        }
    }
    /* Its left rows all come out, so that what can fail may see them before, too. */
    bool keeps_left = kind == WR_JOIN_OUTER_LEFT || kind == WR_JOIN_MARK || kind == WR_JOIN_SINGLE;
    bool left_may = kind != WR_JOIN_OUTER_FULL && !term->volatile_ && (!term->can_fail || keeps_left);
    bool to_left = left_may && (where == SIDE_LEFT || where == SIDE_NONE);
    ADD(to_left ? &j->below[0] : &j->above, term);
    return WR_OK;
}

static wr_status take_conditions(join_push *j, wr_error *err) {
    wr_logical *join = j->join;
    wr_expr **residual = join->join.residual;
    uint32_t residual_count = join->join.residual_count;
    j->keys = join->join.keys;
    j->key_count = j->key_capacity = join->join.key_count;
    for (uint32_t i = 0; i < residual_count; i++) WR_TRY(place_condition(j, residual[i], err));
    return WR_OK;
}

static wr_status push_join(pusher *p, wr_logical **slot, wr_terms *terms, wr_error *err) {
    wr_logical *join = *slot;
    join_push j = {.p = p, .join = join};
    for (int i = 0; i < 2; i++) WR_NEED(wr_add_outputs(&j.outputs[i], &p->plan->arena, join->children[i]));
    WR_TRY(take_conditions(&j, err));
    for (uint32_t i = 0; i < terms->count; i++) WR_TRY(place_filter(&j, terms->items[i], err));
    join->join.keys = j.keys;
    join->join.key_count = j.key_count;
    join->join.residual = j.residual.items;
    join->join.residual_count = j.residual.count;
    for (int i = 0; i < 2; i++) WR_TRY(push(p, &join->children[i], &j.below[i], err));
    WR_NEED(wr_logical_refresh(p->plan, join));
    return stop(p, slot, &j.above, err);
}

/* ---- all kinds ---- */

static wr_status push(pusher *p, wr_logical **slot, wr_terms *terms, wr_error *err) {
    wr_logical *node = *slot;
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_FILTER: {
        wr_terms all = {0};
        WR_NEED(wr_terms_add_all(&all, &p->plan->arena, node->filter.conjuncts, node->filter.count));
        WR_NEED(wr_terms_add_all(&all, &p->plan->arena, terms->items, terms->count));
        *slot = node->children[0];
        return push(p, slot, &all, err);
    }
    case WR_LOGICAL_PROJECT: return push_project(p, slot, terms, err);
    case WR_LOGICAL_AGGREGATE: return push_aggregate(p, slot, terms, err);
    case WR_LOGICAL_JOIN: return push_join(p, slot, terms, err);
    case WR_LOGICAL_SCAN: return push_scan(p, slot, terms, err);
    case WR_LOGICAL_SET_OPERATION: return push_set(p, slot, terms, err);
    case WR_LOGICAL_SORT:
        WR_TRY(push(p, &node->children[0], terms, err));
        WR_NEED(wr_logical_refresh(p->plan, node));
        return WR_OK;
    case WR_LOGICAL_SHARED:
        if (!wr_column_set_has(&p->seen, node->id)) {
            WR_NEED(wr_column_set_add(&p->seen, &p->plan->arena, node->id));
            return stop_here(p, slot, terms, err);
        }
        return stop(p, slot, terms, err);
    default: return stop_here(p, slot, terms, err);
    }
}

wr_status wr_pass_pushdown(wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    pusher p = {.plan = plan, .context = context};
    wr_terms none = {0};
    return push(&p, &plan->root, &none, err);
}
