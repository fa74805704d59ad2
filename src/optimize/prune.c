/* Columns that nobody reads are not made.
 *
 * From the root down, each node is told which of its columns are wanted and tells its children what it reads. Scans
 * give the wanted columns alone and keep those that only their conjuncts read as hidden ones; projections and
 * aggregates lose items; joins say which columns they hand on, so that no key is carried further than its join. A
 * projection that has become a mere choice among its child's columns goes away, but for the root's, which fixes the
 * result; in front of operators that keep rows (sorts, shared subplans) one is put where the rows would be wider than
 * wanted. A shared subplan is pruned when all its readers have spoken. */
#include "optimize/optimize_internal.h"

typedef struct shared_wish {
    wr_logical *node;
    wr_column_set wanted;
    uint32_t readers_left;
} shared_wish;

typedef struct pruner {
    wr_plan *plan;
    shared_wish *shared;
    uint32_t shared_count, shared_capacity;
} pruner;

static wr_status prune(pruner *p, wr_logical **slot, const wr_column_set *wanted, wr_error *err);

typedef struct reads {
    wr_arena *arena;
    wr_column_set *set;
} reads;

static wr_status add_reads(wr_expr **slot, void *user) {
    reads *r = user;
    return wr_expr_columns(*slot, r->arena, r->set) ? WR_OK : WR_NO_MEMORY;
}

/* What the node's expressions read. */
static wr_status read_by(pruner *p, wr_logical *node, wr_column_set *out, wr_error *err) {
    reads r = {&p->plan->arena, out};
    return wr_logical_each_expr(node, add_reads, &r) == WR_OK ? WR_OK : wr_fail_memory(err, 0, "the query's plan");
}

static wr_status copy_set(pruner *p, const wr_column_set *from, wr_column_set *to, wr_error *err) {
    WR_NEED(wr_column_set_add_all(to, &p->plan->arena, from));
    return WR_OK;
}

/* ---- leaves ---- */

static wr_status prune_scan(pruner *p, wr_logical *node, const wr_column_set *wanted, wr_error *err) {
    wr_column_set read = {0};
    WR_TRY(read_by(p, node, &read, err));
    if (node->scan.order) WR_NEED(wr_column_set_add(&read, &p->plan->arena, node->scan.order));
    uint32_t total = node->column_count + node->scan.hidden_count, kept = 0, hidden = 0;
    wr_column_id *ids = WR_ARENA_ARRAY(&p->plan->arena, wr_column_id, total + 1);
    wr_column_id *hidden_ids = WR_ARENA_ARRAY(&p->plan->arena, wr_column_id, total + 1);
    uint32_t *places = WR_ARENA_ARRAY(&p->plan->arena, uint32_t, total + 1);
    uint32_t *hidden_places = WR_ARENA_ARRAY(&p->plan->arena, uint32_t, total + 1);
    WR_NEED(ids && hidden_ids && places && hidden_places);
    for (uint32_t i = 0; i < total; i++) {
        bool was_hidden = i >= node->column_count;
        uint32_t at = was_hidden ? i - node->column_count : i;
        wr_column_id id = was_hidden ? node->scan.hidden[at] : node->columns[at];
        uint32_t place = was_hidden ? node->scan.hidden_positions[at] : node->scan.table_columns[at];
        if (wr_column_set_has(wanted, id)) {
            ids[kept] = id;
            places[kept++] = place;
        } else if (wr_column_set_has(&read, id)) {
            hidden_ids[hidden] = id;
            hidden_places[hidden++] = place;
        }
    }
    node->columns = ids;
    node->column_count = kept;
    node->scan.table_columns = places;
    node->scan.hidden = hidden_ids;
    node->scan.hidden_positions = hidden_places;
    node->scan.hidden_count = hidden;
    return WR_OK;
}

static void prune_values(wr_logical *node, const wr_column_set *wanted) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < node->column_count; i++) {
        if (!wr_column_set_has(wanted, node->columns[i])) continue;
        node->columns[kept] = node->columns[i];
        for (uint32_t r = 0; r < node->values.row_count; r++) node->values.rows[r][kept] = node->values.rows[r][i];
        kept++;
    }
    node->column_count = kept;
}

/* ---- projections and aggregates ---- */

static uint32_t keep_items(wr_named_expr *items, uint32_t count, const wr_column_set *wanted) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (wr_column_set_has(wanted, items[i].id)) items[kept++] = items[i];
    }
    return kept;
}

static bool only_chooses(const wr_logical *node) {
    for (uint32_t i = 0; i < node->project.count; i++) {
        if (!wr_is_pass(&node->project.items[i])) return false;
    }
    return true;
}

static wr_status prune_project(pruner *p, wr_logical **slot, const wr_column_set *wanted, wr_error *err) {
    wr_logical *node = *slot;
    wr_column_set below = {0};
    node->project.count = keep_items(node->project.items, node->project.count, wanted);
    WR_TRY(read_by(p, node, &below, err));
    WR_TRY(prune(p, &node->children[0], &below, err));
    WR_NEED(wr_logical_refresh(p->plan, node));
    if (only_chooses(node) && node->children[0]->kind != WR_LOGICAL_SHARED) *slot = node->children[0];
    return WR_OK;
}

static wr_status prune_aggregate(pruner *p, wr_logical *node, const wr_column_set *wanted, wr_error *err) {
    wr_column_set below = {0};
    node->aggregate.aggregate_count = keep_items(node->aggregate.aggregates, node->aggregate.aggregate_count, wanted);
    WR_TRY(read_by(p, node, &below, err));
    return prune(p, &node->children[0], &below, err);
}

/* ---- joins ---- */

static wr_status prune_join(pruner *p, wr_logical *node, const wr_column_set *wanted, wr_error *err) {
    wr_column_set below = {0};
    WR_TRY(copy_set(p, wanted, &below, err));
    WR_TRY(read_by(p, node, &below, err));
    for (int i = 0; i < 2; i++) WR_TRY(prune(p, &node->children[i], &below, err));
    return WR_OK;
}

/* ---- operators that keep rows ---- */

/* A projection on what is wanted, where the child gives more. */
static wr_status narrow(pruner *p, wr_logical **child, const wr_column_set *wanted, wr_error *err) {
    wr_logical *node = *child;
    uint32_t count = 0;
    wr_named_expr *items = WR_ARENA_ARRAY(&p->plan->arena, wr_named_expr, node->column_count + 1);
    WR_NEED(items);
    for (uint32_t i = 0; i < node->column_count; i++) {
        if (!wr_column_set_has(wanted, node->columns[i])) continue;
        items[count].id = node->columns[i];
        WR_NEED(items[count++].expr = wr_column_of(p->plan, node->columns[i]));
    }
    if (count == node->column_count) return WR_OK;
    WR_NEED(*child = wr_make_project(p->plan, node, items, count));
    return WR_OK;
}

static wr_status prune_keeping(pruner *p, wr_logical *node, const wr_column_set *wanted, bool narrows, wr_error *err) {
    wr_column_set below = {0};
    WR_TRY(copy_set(p, wanted, &below, err));
    WR_TRY(read_by(p, node, &below, err));
    WR_TRY(prune(p, &node->children[0], &below, err));
    return narrows ? narrow(p, &node->children[0], &below, err) : WR_OK;
}

/* ---- set operations ---- */

/* UNION ALL may lose columns; the others compare whole rows. */
static wr_status prune_set(pruner *p, wr_logical *node, const wr_column_set *wanted, wr_error *err) {
    uint32_t kept = 0;
    bool may = node->set.operation == WR_SET_UNION && node->set.all;
    for (uint32_t i = 0; i < node->column_count; i++) {
        if (may && !wr_column_set_has(wanted, node->columns[i])) continue;
        node->columns[kept] = node->columns[i];
        for (int side = 0; side < 2; side++) node->set.inputs[side][kept] = node->set.inputs[side][i];
        kept++;
    }
    node->column_count = kept;
    for (int side = 0; side < 2; side++) {
        wr_column_set below = {0};
        for (uint32_t i = 0; i < kept; i++) {
            WR_NEED(wr_column_set_add(&below, &p->plan->arena, node->set.inputs[side][i]));
        }
        WR_TRY(prune(p, &node->children[side], &below, err));
    }
    return WR_OK;
}

/* ---- shared subplans ---- */

static wr_status prune_shared(pruner *p, wr_logical *node, const wr_column_set *wanted, wr_error *err) {
    shared_wish *wish = NULL;
    for (uint32_t i = 0; i < p->shared_count && !wish; i++) {
        if (p->shared[i].node == node) wish = &p->shared[i];
    }
    if (!wish) {
        shared_wish fresh = {.node = node, .readers_left = node->shared.reader_count};
        WR_NEED(
            wr_arena_push(&p->plan->arena, &p->shared, &p->shared_count, &p->shared_capacity, sizeof fresh, &fresh));
        wish = &p->shared[p->shared_count - 1];
    }
    WR_TRY(copy_set(p, wanted, &wish->wanted, err));
    if (--wish->readers_left > 0) return WR_OK;
    wr_column_set all = wish->wanted; /* the array of wishes may move */
    WR_TRY(prune(p, &node->children[0], &all, err));
    WR_TRY(narrow(p, &node->children[0], &all, err));
    WR_NEED(wr_logical_refresh(p->plan, node));
    return WR_OK;
}

/* Readers of a shared subplan refresh after its last reader was seen. */
static wr_status refresh_node(wr_logical **slot, void *user, wr_error *err) {
    (void)slot;
    (void)user;
    (void)err;
    return WR_OK;
}

/* ---- all kinds ---- */

static wr_status prune(pruner *p, wr_logical **slot, const wr_column_set *wanted, wr_error *err) {
    wr_logical *node = *slot;
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_SCAN: return prune_scan(p, node, wanted, err);
    case WR_LOGICAL_VALUES: prune_values(node, wanted); return WR_OK;
    case WR_LOGICAL_PROJECT: return prune_project(p, slot, wanted, err);
    case WR_LOGICAL_AGGREGATE: WR_TRY(prune_aggregate(p, node, wanted, err)); break;
    case WR_LOGICAL_JOIN: WR_TRY(prune_join(p, node, wanted, err)); break;
    case WR_LOGICAL_SET_OPERATION: return prune_set(p, node, wanted, err);
    case WR_LOGICAL_SHARED: return prune_shared(p, node, wanted, err);
    case WR_LOGICAL_SORT: WR_TRY(prune_keeping(p, node, wanted, true, err)); break;
    case WR_LOGICAL_FILTER:
    case WR_LOGICAL_LIMIT:
    case WR_LOGICAL_SINGLE_ROW: WR_TRY(prune_keeping(p, node, wanted, false, err)); break;
    case WR_LOGICAL_KINDS: break;
    }
    WR_NEED(wr_logical_refresh(p->plan, node));
    return WR_OK;
}

wr_status wr_pass_prune(wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    (void)context;
    pruner p = {.plan = plan};
    wr_column_set wanted = {0};
    wr_logical *root = plan->root;
    uint32_t count = root->column_count;
    wr_column_id *result = WR_ARENA_ARRAY(&plan->arena, wr_column_id, count + 1);
    WR_NEED(result);
    for (uint32_t i = 0; i < count; i++) result[i] = root->columns[i];
    WR_NEED(wr_add_outputs(&wanted, &plan->arena, root));
    WR_TRY(wr_count_readers(plan, err));
    WR_TRY(prune(&p, &plan->root, &wanted, err));
    wr_walk walk = {.plan = plan, .visit = refresh_node};
    WR_TRY(wr_walk_up(&walk, &plan->root, err));
    return wr_restore_root(plan, result, count, err);
}
