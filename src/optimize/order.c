/* Orders that are there already, and orders that nobody needs.
 *
 * Files are often written in the order of a key: their footers then say that parts follow each other on it. An
 * aggregate that groups by such a key can close its groups as the key passes, where the rows come to it straight from
 * the scan: through filters, projections and the probe sides of joins, which keep the order. It is told so, and the
 * scan is told to keep the order.
 *
 * A sort below something that does not care for order goes; so do its keys that are decided by the keys before them. */
#include "optimize/optimize_internal.h"

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

static wr_status order_aggregate(wr_logical *node, wr_error *err) {
    enum { GROUPS_MIN = 50000 }; /* fewer are kept in a table that fits the cache */
    if (node->aggregate.key_count == 0 || node->row_estimate < GROUPS_MIN) return WR_OK;
    wr_logical *source = node->children[0];
    while (source && source->kind != WR_LOGICAL_SCAN) source = ordered_child(source);
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

static wr_status visit_aggregate(wr_logical **slot, void *user, wr_error *err) {
    (void)user;
    return (*slot)->kind == WR_LOGICAL_AGGREGATE ? order_aggregate(*slot, err) : WR_OK;
}

wr_status wr_pass_ordered(wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    (void)context;
    wr_walk walk = {.plan = plan, .visit = visit_aggregate};
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
