/* Orders that are there already, and orders that nobody needs.
 *
 * Files are often written in the order of a key: their footers then say that parts follow each other on it. An
 * aggregate that groups by such a key can close its groups as the key passes, where the rows come to it straight from
 * the scan: through filters, projections and the probe sides of joins, which keep the order. It is told so, and the
 * scan is told to keep the order. A join of two such sides, of which one is a scan, reads that one part by part as the
 * key of the other passes, where a hash table of either side would outgrow the caches.
 *
 * A sort below something that does not care for order goes; so do its keys that are decided by the keys before them. */
#include <math.h>

#include "optimize/optimize_internal.h"

static const double caches_bytes = 16 << 20;

typedef struct sorter {
    wr_plan *plan;
    wr_column_set seen;
} sorter;

/* ---- aggregates over ordered scans ---- */

/* The child whose order the node keeps; NULL when it keeps none. */
static wr_logical *ordered_child(const wr_logical *node) {
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_FILTER:
    case WR_LOGICAL_PROJECT: return node->children[0];
    case WR_LOGICAL_JOIN:
        if (node->join.kind == WR_JOIN_OUTER_FULL) return NULL;
        if (!node->join.build_left) return node->children[0];
        return node->join.kind == WR_JOIN_INNER ? node->children[1] : NULL;
    default: return NULL;
    }
}

static wr_status is_ordered(const wr_logical *scan, wr_column_id id, bool *out, wr_error *err) {
    wr_table *table = scan->scan.table;
    *out = false;
    for (uint32_t i = 0; i < scan->column_count; i++) {
        if (scan->columns[i] != id || !table->ops || !table->ops->statistics) continue;
        wr_column_statistics s = {0};
        WR_TRY(table->ops->statistics(table, scan->scan.table_columns[i], &s, err));
        *out = s.ordered;
    }
    return WR_OK;
}

/* The scan whose order the rows of the node come in; NULL when there is none. */
static wr_logical *ordered_source(wr_logical *node) {
    while (node && node->kind != WR_LOGICAL_SCAN) node = ordered_child(node);
    return node;
}

static wr_status order_aggregate(const wr_optimizer_context *context, wr_logical *node, wr_error *err) {
    enum { GROUPS_MIN = 50000 }; /* fewer are kept in a table that fits the cache */
    if (node->aggregate.key_count == 0) return WR_OK;
    if (node->row_estimate < GROUPS_MIN && !context->force_order) return WR_OK;
    wr_logical *source = ordered_source(node->children[0]);
    if (!source) return WR_OK;
    for (uint32_t i = 0; i < node->aggregate.key_count; i++) {
        const wr_named_expr *key = &node->aggregate.keys[i];
        bool ordered;
        if (key->expr->kind != WR_EXPR_COLUMN) continue;
        if (source->scan.order && source->scan.order != key->expr->column) continue;
        WR_TRY(is_ordered(source, key->expr->column, &ordered, err));
        if (!ordered) continue;
        node->aggregate.ordered_by = key->id;
        source->scan.order = key->expr->column;
        return WR_OK;
    }
    return WR_OK;
}

/* ---- joins of two ordered sides ---- */

static bool is_integer(wr_type type) {
    wr_phys phys = wr_type_phys(type);
    return (phys >= WR_PHYS_I8 && phys <= WR_PHYS_I64) || (phys >= WR_PHYS_U8 && phys <= WR_PHYS_U64);
}

/* What a hash join costs, in the rows that it handles: a table of the smaller side, a filter for the scan of the larger
 * one. */
static double hash_cost(const wr_plan *plan, const wr_logical *join) {
    const wr_logical *small = join->children[0], *large = join->children[1];
    if (wr_node_bytes(plan, large) < wr_node_bytes(plan, small)) {
        small = join->children[1];
        large = join->children[0];
    }
    double caches = wr_node_bytes(plan, small) / caches_bytes, matches = fmin(large->row_estimate, join->row_estimate);
    return small->row_estimate * (2 + fmin(4, caches)) + large->row_estimate * 0.5 + matches * (1 + fmin(3, caches));
}

/* All of the build side is read and put into tables, which stay in the caches. Where that costs about the same, it is
 * better: it takes no memory. The estimate of the probe side may be far too high, and a hash join would then read little
 * of the other: that must not cost too much. And most of its rows should find a match: else the filter that a hash join
 * would give to its scan is worth more. */
static bool order_pays(const wr_plan *plan, const wr_logical *join, const wr_logical *probe, const wr_logical *build) {
    const double part_bytes = 8 << 20, rows_most = 6;
    const wr_table *table = build->scan.table;
    double parts = 0, bytes = wr_node_bytes(plan, build);
    for (uint32_t f = 0; f < table->file_count; f++) parts += table->files[f]->part_count;
    if (bytes < caches_bytes || wr_node_bytes(plan, probe) < caches_bytes || bytes / parts > part_bytes) return false;
    if (build->row_estimate > rows_most * probe->row_estimate) return false;
    if (join->row_estimate < probe->row_estimate / 2) return false;
    double cost = build->row_estimate * 2.5 + probe->row_estimate * 1.5;
    return cost < 1.2 * hash_cost(plan, join);
}

/* `side` is the child to be read part by part. */
static wr_status order_side(const wr_optimizer_context *context, wr_plan *plan, wr_logical *join, int side,
                            wr_error *err) {
    wr_logical *build = join->children[side], *probe = join->children[1 - side], *source = ordered_source(probe);
    wr_column_id keys[2] = {join->join.keys[0].left->column, join->join.keys[0].right->column};
    bool ordered;
    if (build->kind != WR_LOGICAL_SCAN || !source || !build->scan.table->file_count) return WR_OK;
    if (source->scan.order && source->scan.order != keys[1 - side]) return WR_OK;
    if (!context->force_order && !order_pays(plan, join, probe, build)) return WR_OK;
    WR_TRY(is_ordered(build, keys[side], &ordered, err));
    if (ordered) WR_TRY(is_ordered(source, keys[1 - side], &ordered, err));
    if (!ordered) return WR_OK;
    source->scan.order = keys[1 - side];
    build->scan.order = keys[side];
    join->join.in_order = true;
    join->join.build_left = side == 0;
    return WR_OK;
}

static wr_status order_join(const wr_optimizer_context *context, wr_plan *plan, wr_logical *join, wr_error *err) {
    if (join->join.kind != WR_JOIN_INNER || join->join.key_count != 1) return WR_OK;
    const wr_join_key *key = &join->join.keys[0];
    if (key->null_equals_null || key->left->kind != WR_EXPR_COLUMN || key->right->kind != WR_EXPR_COLUMN ||
        !is_integer(key->left->type))
        return WR_OK;
    bool left_first = join->join.build_left;
    WR_TRY(order_side(context, plan, join, left_first ? 0 : 1, err));
    return join->join.in_order ? WR_OK : order_side(context, plan, join, left_first ? 1 : 0, err);
}

typedef struct ordering {
    const wr_optimizer_context *context;
    wr_plan *plan;
} ordering;

static wr_status use_order(wr_logical **slot, void *user, wr_error *err) {
    ordering *o = user;
    if ((*slot)->kind == WR_LOGICAL_AGGREGATE) return order_aggregate(o->context, *slot, err);
    return (*slot)->kind == WR_LOGICAL_JOIN ? order_join(o->context, o->plan, *slot, err) : WR_OK;
}

wr_status wr_pass_ordered(wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    ordering o = {context, plan};
    wr_walk walk = {.plan = plan, .visit = use_order, .user = &o};
    return wr_walk_up(&walk, &plan->root, err);
}

/* ---- sorts ---- */

/* Constants, keys that came before, and all that follow when those before tell every row from the others. */
static wr_status shorten_keys(sorter *s, wr_logical *node, wr_error *err) {
    wr_column_set columns = {0};
    uint32_t kept = 0;
    for (uint32_t i = 0; i < node->sort.count; i++) {
        wr_sort_key key = node->sort.keys[i];
        bool known = key.expr->kind == WR_EXPR_CONSTANT, unique;
        for (uint32_t k = 0; k < kept && !known; k++) known = wr_expr_equal(node->sort.keys[k].expr, key.expr);
        WR_TRY(wr_is_unique_on(s->plan, node->children[0], &columns, &unique, err));
        if (unique && kept) break;
        if (known) continue;
        node->sort.keys[kept++] = key;
        if (key.expr->kind == WR_EXPR_COLUMN) WR_NEED(wr_column_set_add(&columns, &s->plan->arena, key.expr->column));
    }
    node->sort.count = kept;
    return WR_OK;
}

static bool is_order_sensitive(const wr_logical *aggregate) {
    for (uint32_t i = 0; i < aggregate->aggregate.aggregate_count; i++) {
        if (aggregate->aggregate.aggregates[i].expr->function->order_sensitive) return true;
    }
    return false;
}

/* `matters`: somebody above sees in which order the rows of this node come. */
static wr_status drop_sorts(sorter *s, wr_logical **slot, bool matters, wr_error *err) {
    wr_logical *node = *slot;
    bool below = matters;
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_SORT:
        if (!matters || wr_gives_at_most_one(node->children[0])) {
            *slot = node->children[0];
            return drop_sorts(s, slot, matters, err);
        }
        WR_TRY(shorten_keys(s, node, err));
        if (node->sort.count == 0) {
            *slot = node->children[0];
            return drop_sorts(s, slot, matters, err);
        }
        below = false;
        break;
    case WR_LOGICAL_LIMIT: below = true; break;
    case WR_LOGICAL_AGGREGATE: below = is_order_sensitive(node); break;
    case WR_LOGICAL_JOIN:
    case WR_LOGICAL_SINGLE_ROW: below = false; break;
    case WR_LOGICAL_SET_OPERATION: below = matters && node->set.operation == WR_SET_UNION && node->set.all; break;
    case WR_LOGICAL_SHARED:
        if (wr_column_set_has(&s->seen, node->id)) return WR_OK;
        WR_NEED(wr_column_set_add(&s->seen, &s->plan->arena, node->id));
        below = true; /* another reader may see it */
        break;
    default: break;
    }
    for (uint32_t i = 0; i < node->child_count; i++) WR_TRY(drop_sorts(s, &node->children[i], below, err));
    WR_NEED(wr_logical_refresh(s->plan, node));
    return WR_OK;
}

wr_status wr_pass_sort(wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    (void)context;
    sorter s = {.plan = plan};
    return drop_sorts(&s, &plan->root, true, err);
}
