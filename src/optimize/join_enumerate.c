/* Which order of joins is cheapest.
 *
 * DPhyp (Moerkotte and Neumann 2008, Dynamic Programming Strikes Back) goes over all pairs of connected sets of
 * relations that an edge of the hypergraph connects, each once, smaller sets first. When there are too many pairs (a
 * star of twenty relations), a greedy search joins what gives the fewest rows, again and again.
 *
 * The cost of a join is what it does to rows: building counts twice what probing does, more when the table outgrows the
 * caches; each row that comes out is written once. */
#include <math.h>

#include "optimize/join_graph.h"

typedef struct edge {
    wr_relations left, right;
} edge;

typedef struct enumerator {
    wr_join_graph *graph;
    edge *edges;
    uint32_t edge_count, edge_capacity;
    wr_join_tree **table; /* by set: open addressing */
    uint32_t table_size, table_count;
    uint32_t pair_count;
    bool over_budget;
} enumerator;

#define CACHE_BYTES (4 * 1024 * 1024.0)

/* ---- what happens where two sets meet ---- */

static uint32_t find_root(uint32_t *parents, uint32_t i) {
    while (parents[i] != i) i = parents[i] = parents[parents[i]];
    return i;
}

static bool rules_hold(const wr_join_operator *o, wr_relations set) {
    for (uint32_t i = 0; i < o->rule_count; i++) {
        if ((o->rules[i].when & set) && !wr_relations_contain(set, o->rules[i].needs)) return false;
    }
    return true;
}

/* Equalities inside of either set hold already, and those that follow from them. */
static void note_equalities(wr_join_graph *g, wr_relations first, wr_relations second) {
    for (uint32_t i = 0; i < g->member_count; i++) g->parents[i] = i;
    for (uint32_t i = 0; i < g->operator_count; i++) {
        const wr_join_operator *o = &g->operators[i];
        wr_relations all = o->left | o->right;
        if (!o->class_id || !(wr_relations_contain(first, all) || wr_relations_contain(second, all))) continue;
        g->parents[find_root(g->parents, o->left_member)] = find_root(g->parents, o->right_member);
    }
}

static bool takes(wr_join_graph *g, const wr_join_operator *o) {
    if (!o->class_id) return true;
    uint32_t l = find_root(g->parents, o->left_member), r = find_root(g->parents, o->right_member);
    g->parents[l] = r;
    return l != r;
}

/* How many of the keys are between the two relations that this one is between. */
static uint32_t company_of(const wr_join_operator *o, const wr_join_operator *const *all, uint32_t count) {
    uint32_t company = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool straight = all[i]->key_left == o->key_left && all[i]->key_right == o->key_right;
        bool turned = all[i]->key_left == o->key_right && all[i]->key_right == o->key_left;
        company += all[i]->is_key && (straight || turned);
    }
    return company;
}

/* Of equalities that follow from each other one is enough. That one is taken that stands between two relations with the
 * most others: as parts of one key they tell more about how many rows match than they would apart. */
static void choose_conjuncts(wr_join_graph *g, const wr_join_operator *const *all, uint32_t count, wr_meeting *m) {
    uint32_t most = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t company = company_of(all[i], all, count);
        if (company > most) most = company;
    }
    for (uint32_t company = most + 1; company-- > 0;) {
        for (uint32_t i = 0; i < count; i++) {
            if (company_of(all[i], all, count) != company || !takes(g, all[i])) continue;
            m->conjuncts[m->conjunct_count++] = all[i];
        }
    }
}

wr_status wr_join_meet(wr_join_graph *g, wr_relations first, wr_relations second, wr_meeting *m, wr_error *err) {
    if (!g->scratch) {
        WR_NEED(g->scratch = WR_ARENA_ARRAY(&g->plan->arena, const wr_join_operator *, 2 * g->operator_count + 1));
        WR_NEED(g->parents = WR_ARENA_ARRAY(&g->plan->arena, uint32_t, g->member_count + 1));
    }
    const wr_join_operator **found = g->scratch + g->operator_count;
    uint32_t count = 0;
    *m = (wr_meeting){.valid = true, .conjuncts = g->scratch};
    note_equalities(g, first, second);
    for (uint32_t i = 0; i < g->operator_count && m->valid; i++) {
        const wr_join_operator *o = &g->operators[i];
        wr_relations all = o->left | o->right, both = first | second;
        if (!wr_relations_contain(both, all) || wr_relations_contain(first, all) || wr_relations_contain(second, all))
            continue;
        if (!rules_hold(o, both)) m->valid = false;
        if (!o->join) {
            found[count++] = o;
            continue;
        }
        bool straight = wr_relations_contain(first, o->left) && wr_relations_contain(second, o->right);
        bool swapped = wr_relations_contain(second, o->left) && wr_relations_contain(first, o->right);
        if (m->join || !(straight || swapped)) m->valid = false;
        m->join = o;
        m->swapped = swapped;
    }
    choose_conjuncts(g, found, count, m);
    return WR_OK;
}

/* ---- rows and costs ---- */

/* Keys between the same two relations belong together. */
static wr_status key_share(wr_join_graph *g, const wr_meeting *m, double *out, wr_error *err) {
    *out = 1;
    wr_key_pair *pairs = WR_ARENA_ARRAY(&g->plan->arena, wr_key_pair, m->conjunct_count + 1);
    bool *done = WR_ARENA_ARRAY(&g->plan->arena, bool, m->conjunct_count + 1);
    WR_NEED(pairs && done);
    for (uint32_t i = 0; i < m->conjunct_count; i++) {
        const wr_join_operator *o = m->conjuncts[i];
        if (!o->is_key || done[i]) continue;
        uint32_t count = 0;
        for (uint32_t k = i; k < m->conjunct_count; k++) {
            const wr_join_operator *other = m->conjuncts[k];
            if (!other->is_key || done[k]) continue;
            bool straight = other->key_left == o->key_left && other->key_right == o->key_right;
            bool turned = other->key_left == o->key_right && other->key_right == o->key_left;
            if (!straight && !turned) continue;
            pairs[count++] = straight ? (wr_key_pair){other->key.left, other->key.right}
                                      : (wr_key_pair){other->key.right, other->key.left};
            done[k] = true;
        }
        double share;
        WR_TRY(wr_key_selectivity(g->estimator, pairs, count, &share, err));
        *out *= share;
    }
    return WR_OK;
}

static wr_status condition_share(wr_join_graph *g, const wr_meeting *m, double *out, wr_error *err) {
    *out = 1;
    for (uint32_t i = 0; i < m->conjunct_count; i++) {
        double share;
        wr_expr *condition = m->conjuncts[i]->condition;
        if (!condition) continue;
        WR_TRY(wr_selectivity(g->estimator, &condition, 1, NULL, &share, err));
        *out *= share;
    }
    return WR_OK;
}

static wr_status whole_join_rows(wr_join_graph *g, const wr_join_operator *o, const wr_join_tree *left,
                                 const wr_join_tree *right, double *out, wr_error *err) {
    double keys, residual, match = 1;
    wr_key_pair *pairs = WR_ARENA_ARRAY(&g->plan->arena, wr_key_pair, o->key_count + 1);
    WR_NEED(pairs);
    WR_TRY(wr_selectivity(g->estimator, o->residual, o->residual_count, NULL, &residual, err));
    for (uint32_t i = 0; i < o->key_count; i++) {
        wr_column_fact l, r;
        pairs[i] = (wr_key_pair){o->keys[i].left, o->keys[i].right};
        WR_TRY(wr_distinct_of(g->estimator, o->keys[i].left, &l, err));
        WR_TRY(wr_distinct_of(g->estimator, o->keys[i].right, &r, err));
        match = fmin(match, wr_distinct_among(&r, right->rows) / fmax(l.distinct, r.distinct));
    }
    WR_TRY(wr_key_selectivity(g->estimator, pairs, o->key_count, &keys, err));
    *out = wr_join_rows((wr_join_kind)o->kind, left->rows, right->rows, keys * residual, match * sqrt(residual));
    return WR_OK;
}

static double build_cost(const wr_join_tree *side) {
    double bytes = side->rows * (side->bytes + 8);
    return side->rows * (2 + fmin(4, bytes / CACHE_BYTES / 4));
}

/* Rows without a match are told apart by the filter that the build side gives to the probe side's scan, or by the
 * directory: only those with a match go to the rows of the table, which are far away when it is large, column by
 * column. */
static double hash_cost(const wr_join_tree *build, const wr_join_tree *probe, double rows) {
    double bytes = build->rows * (build->bytes + 8), far = fmin(3, bytes / CACHE_BYTES / 4);
    return build_cost(build) + probe->rows + fmin(probe->rows, rows) * far * fmax(1, build->bytes / 32);
}

static double join_cost(const wr_meeting *m, const wr_join_tree *left, const wr_join_tree *right, double rows) {
    bool has_key = m->join && m->join->key_count;
    for (uint32_t i = 0; i < m->conjunct_count && !m->join; i++) has_key |= m->conjuncts[i]->is_key;
    double work = fmin(hash_cost(left, right, rows), hash_cost(right, left, rows));
    if (!has_key) work = left->rows + right->rows + 0.3 * left->rows * right->rows;
    return left->cost + right->cost + work + rows;
}

/* ---- the table of trees ---- */

static uint32_t slot_of(const enumerator *e, wr_relations set) {
    uint32_t at = (uint32_t)((set * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (e->table_size - 1);
    while (e->table[at] && e->table[at]->set != set) at = (at + 1) & (e->table_size - 1);
    return at;
}

static wr_join_tree *lookup(const enumerator *e, wr_relations set) {
    return e->table[slot_of(e, set)];
}

static wr_status insert(enumerator *e, wr_join_tree *tree, wr_error *err) {
    if (e->table_count * 2 >= e->table_size) {
        wr_join_tree **old = e->table;
        uint32_t old_size = e->table_size;
        e->table_size = old_size ? old_size * 2 : 256;
        WR_NEED(e->table = WR_ARENA_ARRAY(&e->graph->plan->arena, wr_join_tree *, e->table_size));
        for (uint32_t i = 0; i < old_size; i++) {
            if (old[i]) e->table[slot_of(e, old[i]->set)] = old[i];
        }
    }
    e->table[slot_of(e, tree->set)] = tree;
    e->table_count++;
    return WR_OK;
}

/* The rows of a set are those of the first tree found for it, so that all trees of one set agree. */
static wr_status make_tree(enumerator *e, wr_join_tree *first, wr_join_tree *second, wr_join_tree *out, wr_error *err) {
    wr_join_graph *g = e->graph;
    wr_meeting m;
    *out = (wr_join_tree){0};
    WR_TRY(wr_join_meet(g, first->set, second->set, &m, err));
    if (!m.valid) return WR_OK;
    wr_join_tree *left = m.swapped ? second : first, *right = m.swapped ? first : second;
    const wr_join_tree *known = lookup(e, first->set | second->set);
    double rows = known ? known->rows : 0;
    if (!known) {
        double conditions, keys = 1;
        WR_TRY(condition_share(g, &m, &conditions, err));
        WR_TRY(key_share(g, &m, &keys, err));
        rows = left->rows * right->rows;
        if (m.join) WR_TRY(whole_join_rows(g, m.join, left, right, &rows, err));
        rows = fmax(1, rows * keys * conditions);
    }
    bool keeps_right = !m.join || m.join->kind == WR_JOIN_OUTER_LEFT || m.join->kind == WR_JOIN_SINGLE;
    *out = (wr_join_tree){.set = first->set | second->set,
                          .rows = rows,
                          .cost = join_cost(&m, left, right, rows),
                          .bytes = left->bytes + (keeps_right ? right->bytes : 1),
                          .left = left,
                          .right = right,
                          .operator_ = m.join};
    return WR_OK;
}

static wr_status consider(enumerator *e, wr_relations first, wr_relations second, wr_error *err) {
    wr_join_tree tree, *left = lookup(e, first), *right = lookup(e, second);
    if (++e->pair_count > WR_JOIN_PAIRS_MAX) e->over_budget = true;
    if (e->over_budget || !left || !right) return WR_OK;
    WR_TRY(make_tree(e, left, right, &tree, err));
    if (!tree.set) return WR_OK;
    wr_join_tree *known = lookup(e, tree.set);
    if (known) {
        if (tree.cost < known->cost) *known = tree;
        return WR_OK;
    }
    wr_join_tree *made = WR_ARENA_NEW(&e->graph->plan->arena, wr_join_tree);
    WR_NEED(made);
    *made = tree;
    return insert(e, made, err);
}

/* ---- edges ---- */

static wr_status add_edge(enumerator *e, wr_relations left, wr_relations right, wr_error *err) {
    edge fresh = {left, right};
    WR_NEED(wr_arena_push(&e->graph->plan->arena, &e->edges, &e->edge_count, &e->edge_capacity, sizeof fresh, &fresh));
    return WR_OK;
}

/* What no condition connects is joined by a product, when each part is done. */
static wr_status connect_parts(enumerator *e, wr_error *err) {
    wr_relations parts[WR_RELATIONS_MAX];
    uint32_t count = e->graph->relation_count;
    for (uint32_t i = 0; i < count; i++) parts[i] = wr_relation_bit(i);
    for (uint32_t i = 0; i < e->edge_count; i++) {
        wr_relations all = e->edges[i].left | e->edges[i].right, merged = 0;
        for (uint32_t k = 0; k < count; k++) {
            if (parts[k] & all) merged |= parts[k];
        }
        uint32_t kept = 0;
        for (uint32_t k = 0; k < count; k++) {
            if (!(parts[k] & merged)) parts[kept++] = parts[k];
        }
        parts[kept++] = merged;
        count = kept;
    }
    for (uint32_t k = 1; k < count; k++) {
        WR_TRY(add_edge(e, parts[0], parts[k], err));
        parts[0] |= parts[k];
    }
    return WR_OK;
}

static wr_status make_edges(enumerator *e, wr_error *err) {
    for (uint32_t i = 0; i < e->graph->operator_count; i++) {
        const wr_join_operator *o = &e->graph->operators[i];
        if (o->left && o->right) WR_TRY(add_edge(e, o->left, o->right, err));
    }
    return connect_parts(e, err);
}

static wr_relations lowest(wr_relations set) {
    return set & (~set + 1);
}

/* Relations reachable over one edge; of a set of several on its far side, the lowest stands for all. */
static wr_relations neighbours(const enumerator *e, wr_relations set, wr_relations excluded) {
    wr_relations found = 0, blocked = set | excluded;
    for (uint32_t i = 0; i < e->edge_count; i++) {
        wr_relations l = e->edges[i].left, r = e->edges[i].right;
        if (wr_relations_contain(set, l) && !(r & blocked)) found |= lowest(r);
        if (wr_relations_contain(set, r) && !(l & blocked)) found |= lowest(l);
    }
    return found;
}

static bool connected(const enumerator *e, wr_relations a, wr_relations b) {
    for (uint32_t i = 0; i < e->edge_count; i++) {
        wr_relations l = e->edges[i].left, r = e->edges[i].right;
        if ((wr_relations_contain(a, l) && wr_relations_contain(b, r)) ||
            (wr_relations_contain(a, r) && wr_relations_contain(b, l)))
            return true;
    }
    return false;
}

/* ---- DPhyp ---- */

/* The next subset of `all` after `current` in rising order; 0 after the last. */
static wr_relations next_subset(wr_relations current, wr_relations all) {
    return (current - all) & all;
}

static wr_status extend_complement(enumerator *e, wr_relations set, wr_relations other, wr_relations excluded,
                                   wr_error *err) {
    wr_relations around = neighbours(e, other, excluded);
    if (!around || e->over_budget) return WR_OK;
    for (wr_relations n = next_subset(0, around); n && !e->over_budget; n = next_subset(n, around)) {
        if (lookup(e, other | n) && connected(e, set, other | n)) WR_TRY(consider(e, set, other | n, err));
    }
    excluded |= around;
    for (wr_relations n = next_subset(0, around); n && !e->over_budget; n = next_subset(n, around)) {
        WR_TRY(extend_complement(e, set, other | n, excluded, err));
    }
    return WR_OK;
}

static wr_relations up_to(wr_relations bit) {
    return bit | (bit - 1);
}

static wr_status find_complements(enumerator *e, wr_relations set, wr_error *err) {
    wr_relations excluded = set | up_to(lowest(set)), around = neighbours(e, set, excluded);
    for (uint32_t i = e->graph->relation_count; i-- > 0 && !e->over_budget;) {
        wr_relations bit = wr_relation_bit(i);
        if (!(around & bit)) continue;
        if (connected(e, set, bit)) WR_TRY(consider(e, set, bit, err));
        WR_TRY(extend_complement(e, set, bit, excluded | (around & up_to(bit)), err));
    }
    return WR_OK;
}

static wr_status extend_set(enumerator *e, wr_relations set, wr_relations excluded, wr_error *err) {
    wr_relations around = neighbours(e, set, excluded);
    if (!around || e->over_budget) return WR_OK;
    for (wr_relations n = next_subset(0, around); n && !e->over_budget; n = next_subset(n, around)) {
        if (lookup(e, set | n)) WR_TRY(find_complements(e, set | n, err));
    }
    for (wr_relations n = next_subset(0, around); n && !e->over_budget; n = next_subset(n, around)) {
        WR_TRY(extend_set(e, set | n, excluded | around, err));
    }
    return WR_OK;
}

static wr_status enumerate_all(enumerator *e, wr_error *err) {
    for (uint32_t i = e->graph->relation_count; i-- > 0 && !e->over_budget;) {
        wr_relations bit = wr_relation_bit(i);
        WR_TRY(find_complements(e, bit, err));
        WR_TRY(extend_set(e, bit, up_to(bit), err));
    }
    return WR_OK;
}

/* ---- greedy ---- */

static wr_status enumerate_greedily(enumerator *e, wr_join_tree **out, wr_error *err) {
    wr_join_tree *parts[WR_RELATIONS_MAX];
    uint32_t count = e->graph->relation_count;
    e->over_budget = false;
    for (uint32_t i = 0; i < count; i++) parts[i] = lookup(e, wr_relation_bit(i));
    while (count > 1) {
        wr_join_tree best = {0};
        uint32_t first = 0, second = 0;
        for (uint32_t i = 0; i < count; i++) {
            for (uint32_t k = i + 1; k < count; k++) {
                wr_join_tree tree;
                if (!connected(e, parts[i]->set, parts[k]->set)) continue;
                WR_TRY(make_tree(e, parts[i], parts[k], &tree, err));
                if (!tree.set || (best.set && tree.rows >= best.rows)) continue;
                best = tree;
                first = i;
                second = k;
            }
        }
        if (!best.set) return WR_OK;
        wr_join_tree *made = WR_ARENA_NEW(&e->graph->plan->arena, wr_join_tree);
        WR_NEED(made);
        *made = best;
        parts[first] = made;
        parts[second] = parts[--count];
    }
    *out = parts[0];
    return WR_OK;
}

wr_status wr_join_enumerate(wr_join_graph *graph, wr_join_tree **out, wr_error *err) {
    enumerator e = {.graph = graph};
    *out = NULL;
    WR_TRY(make_edges(&e, err));
    for (uint32_t i = 0; i < graph->relation_count; i++) {
        wr_join_tree *tree = WR_ARENA_NEW(&graph->plan->arena, wr_join_tree);
        WR_NEED(tree);
        *tree = (wr_join_tree){.set = wr_relation_bit(i),
                               .rows = graph->relations[i].rows,
                               .bytes = graph->relations[i].bytes,
                               .relation = i};
        WR_TRY(insert(&e, tree, err));
    }
    WR_TRY(enumerate_all(&e, err));
    wr_relations all = graph->relation_count == 64 ? ~UINT64_C(0) : wr_relation_bit(graph->relation_count) - 1;
    if (e.over_budget) return enumerate_greedily(&e, out, err);
    *out = lookup(&e, all);
    return WR_OK;
}
