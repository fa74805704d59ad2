/* The order of joins.
 *
 * Each region of joins is read into a graph (join_collect.c), the cheapest tree is found (join_enumerate.c) and put in
 * the region's place here. Inner joins probe with the larger side; other joins keep their sides, and build the left one
 * when it is clearly smaller. A region that the search cannot improve, or is too large for it, stays as it was written.
 */
#include "optimize/join_graph.h"

typedef struct orderer {
    wr_plan *plan;
    const wr_optimizer_context *context;
    wr_estimator estimator;
    wr_column_set seen;
} orderer;

static wr_status order(orderer *o, wr_logical **slot, wr_error *err);

/* ---- building the chosen tree ---- */

static wr_status make_key(const wr_join_operator *o, wr_relations left, wr_join_key *out) {
    bool straight = wr_relations_contain(left, o->key_left);
    *out = o->key;
    if (!straight) {
        out->left = o->key.right;
        out->right = o->key.left;
    }
    return WR_OK;
}

/* An equality whose sides are not on a side of the join each is a condition. */
static bool is_separated(const wr_join_operator *o, wr_relations left, wr_relations right) {
    if (!o->key_left || !o->key_right) return false;
    return (wr_relations_contain(left, o->key_left) && wr_relations_contain(right, o->key_right)) ||
           (wr_relations_contain(right, o->key_left) && wr_relations_contain(left, o->key_right));
}

static wr_status condition_of(wr_join_graph *g, const wr_join_operator *o, wr_expr **out, wr_error *err) {
    *out = o->condition;
    if (*out) return WR_OK;
    const char *name = o->null_equals_null ? "is_not_distinct_from" : "=";
    WR_NEED(*out = wr_make_call(g->context, &g->plan->arena, name, (wr_expr *[]){o->key.left, o->key.right}, 2));
    return WR_OK;
}

static wr_status add_conjuncts(wr_join_graph *g, wr_logical *join, const wr_meeting *m, wr_relations left,
                               wr_relations right, wr_error *err) {
    WR_NEED(join->join.keys = WR_ARENA_ARRAY(&g->plan->arena, wr_join_key, m->conjunct_count + 1));
    WR_NEED(join->join.residual = WR_ARENA_ARRAY(&g->plan->arena, wr_expr *, m->conjunct_count + 1));
    for (uint32_t i = 0; i < m->conjunct_count; i++) {
        const wr_join_operator *o = m->conjuncts[i];
        if (o->is_key && is_separated(o, left, right)) {
            WR_TRY(make_key(o, left, &join->join.keys[join->join.key_count++]));
        } else {
            WR_TRY(condition_of(g, o, &join->join.residual[join->join.residual_count++], err));
        }
    }
    return WR_OK;
}

static wr_status filter_above(wr_join_graph *g, const wr_meeting *m, wr_logical **node, wr_error *err) {
    wr_terms terms = {0};
    for (uint32_t i = 0; i < m->conjunct_count; i++) {
        wr_expr *condition;
        WR_TRY(condition_of(g, m->conjuncts[i], &condition, err));
        WR_NEED(wr_terms_add(&terms, &g->plan->arena, condition));
    }
    WR_NEED(*node = wr_make_filter(g->plan, *node, &terms));
    return WR_OK;
}

static wr_status build_tree(wr_join_graph *g, const wr_join_tree *tree, wr_logical **out, wr_error *err) {
    if (!tree->left) {
        *out = g->relations[tree->relation].node;
        return WR_OK;
    }
    const wr_join_tree *sides[2] = {tree->left, tree->right};
    if (!tree->operator_ && sides[0]->rows * (sides[0]->bytes + 8) < sides[1]->rows * (sides[1]->bytes + 8)) {
        sides[0] = tree->right;
        sides[1] = tree->left;
    }
    wr_logical *children[2];
    for (int i = 0; i < 2; i++) WR_TRY(build_tree(g, sides[i], &children[i], err));
    wr_meeting m;
    WR_TRY(wr_join_meet(g, sides[0]->set, sides[1]->set, &m, err));
    if (!m.join) {
        wr_logical *join = wr_make_join(g->plan, WR_JOIN_INNER, children[0], children[1]);
        WR_NEED(join);
        join->row_estimate = tree->rows;
        *out = join;
        return add_conjuncts(g, join, &m, sides[0]->set, sides[1]->set, err);
    }
    wr_logical *join = m.join->join;
    join->children[0] = children[0];
    join->children[1] = children[1];
    join->join.keys = m.join->keys;
    join->join.residual = m.join->residual;
    join->row_estimate = tree->rows;
    WR_NEED(wr_logical_refresh(g->plan, join));
    *out = join;
    return filter_above(g, &m, out, err);
}

/* Items of projections that were in the region. */
static wr_status add_late(wr_join_graph *g, wr_logical **node, wr_error *err) {
    if (g->late_count == 0) return WR_OK;
    uint32_t count;
    wr_named_expr *items = wr_pass_items(g->plan, *node, g->late_count, &count);
    WR_NEED(items);
    for (uint32_t i = 0; i < g->late_count; i++) {
        if (!wr_column_set_has(&g->late_hidden, g->late[i].id)) items[count++] = g->late[i];
    }
    WR_NEED(*node = wr_make_project(g->plan, *node, items, count));
    return WR_OK;
}

/* ---- regions ---- */

static wr_status measure(orderer *o, wr_relation *r, wr_error *err) {
    WR_TRY(order(o, &r->node, err));
    WR_TRY(wr_estimate(&o->estimator, r->node, err));
    r->rows = r->node->row_estimate;
    r->bytes = 0;
    for (uint32_t i = 0; i < r->node->column_count; i++) r->bytes += wr_column_bytes(o->plan, r->node->columns[i]);
    return WR_OK;
}

static wr_status order_region(orderer *o, wr_logical **slot, wr_error *err) {
    wr_join_graph *g = WR_ARENA_NEW(&o->plan->arena, wr_join_graph);
    wr_join_tree *tree = NULL;
    WR_NEED(g);
    g->plan = o->plan;
    g->context = o->context;
    g->estimator = &o->estimator;
    WR_TRY(wr_join_graph_collect(g, *slot, err));
    if (!g->too_large) {
        for (uint32_t i = 0; i < g->relation_count; i++) WR_TRY(measure(o, &g->relations[i], err));
        WR_TRY(wr_join_enumerate(g, &tree, err));
    }
    if (!tree) {
        for (uint32_t i = 0; i < (*slot)->child_count; i++) WR_TRY(order(o, &(*slot)->children[i], err));
        WR_NEED(wr_logical_refresh(o->plan, *slot));
        return WR_OK;
    }
    WR_TRY(build_tree(g, tree, slot, err));
    return add_late(g, slot, err);
}

static wr_status order(orderer *o, wr_logical **slot, wr_error *err) {
    wr_logical *node = *slot;
    if (wr_join_is_movable(node)) return order_region(o, slot, err);
    if (node->kind == WR_LOGICAL_SHARED) {
        if (wr_column_set_has(&o->seen, node->id)) return WR_OK;
        WR_NEED(wr_column_set_add(&o->seen, &o->plan->arena, node->id));
    }
    for (uint32_t i = 0; i < node->child_count; i++) WR_TRY(order(o, &node->children[i], err));
    WR_NEED(wr_logical_refresh(o->plan, node));
    return WR_OK;
}

wr_status wr_pass_join_order(wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    orderer o = {.plan = plan, .context = context};
    WR_TRY(wr_estimator_init(&o.estimator, plan, context, err));
    return order(&o, &plan->root, err);
}
