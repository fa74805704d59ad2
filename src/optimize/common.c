/* Subplans that occur more than once run once.
 *
 * Two subplans are equal when they have the same shape over the same tables and their expressions agree once the
 * columns that they make are matched. Each gets a hash in which a column counts by where it is made, not by its id;
 * equal hashes are compared in full. What is worth keeping is what shrinks: a subplan with a join or an aggregate whose
 * result is small against what it reads. The largest common subplans are taken first; all but one of their places
 * become readers. */
#include "base/hash.h"
#include "optimize/optimize_internal.h"

typedef struct place {
    wr_logical **slot;
    wr_logical *node;
    uint64_t hash;
    double scanned; /* rows of the tables below */
    bool shrinks;   /* has a join or an aggregate */
    bool fixed;     /* gives the same each time */
    bool gone;      /* is, or is inside of, a copy that was replaced */
    uint32_t end;   /* places [its own, end) are its subtree */
} place;

typedef struct finder {
    wr_plan *plan;
    wr_arena *arena;
    uint64_t *column_hashes; /* by id */
    uint32_t column_count;
    place *places; /* parents before children */
    uint32_t count, capacity;
    wr_column_set seen;
} finder;

/* ---- hashes ---- */

typedef struct hashing {
    finder *f;
    uint64_t hash;
    bool fixed;
} hashing;

static uint64_t hash_expr(finder *f, const wr_expr *e) {
    if (e->kind == WR_EXPR_COLUMN) {
        return e->column < f->column_count ? f->column_hashes[e->column] : e->column;
    }
    if (e->arg_count == 0) return wr_expr_hash(e);
    uint64_t hash = wr_hash_u64((uint64_t)e->kind << 8 | e->type.id);
    if (e->kind == WR_EXPR_CALL || e->kind == WR_EXPR_AGGREGATE)
        hash = wr_hash_combine(hash, (uint64_t)(uintptr_t)e->function);
    for (uint32_t i = 0; i < e->arg_count; i++) hash = wr_hash_combine(hash, hash_expr(f, e->args[i]));
    return hash;
}

static wr_status add_expr(wr_expr **slot, void *user) {
    hashing *h = user;
    h->hash = wr_hash_combine(h->hash, hash_expr(h->f, *slot));
    h->fixed &= !(*slot)->volatile_;
    return WR_OK;
}

static uint64_t hash_table(const wr_table *table) {
    if (table->file_count == 0) return wr_hash_u64((uint64_t)(uintptr_t)table);
    return wr_hash_bytes(table->files, table->file_count * sizeof *table->files);
}

static uint64_t hash_details(const wr_logical *node) {
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_SCAN: return hash_table(node->scan.table);
    case WR_LOGICAL_JOIN:
        return (uint64_t)node->join.kind << 8 | (uint64_t)node->join.null_aware << 4 | (node->join.mark != 0);
    case WR_LOGICAL_SET_OPERATION: return (uint64_t)node->set.operation << 1 | node->set.all;
    case WR_LOGICAL_AGGREGATE: return (uint64_t)node->aggregate.key_count << 32 | node->aggregate.aggregate_count;
    case WR_LOGICAL_SHARED: return node->id;
    default: return node->column_count;
    }
}

/* A column that the node makes counts by its place in it. */
static void hash_columns(finder *f, const wr_logical *node, uint64_t hash) {
    bool scan = node->kind == WR_LOGICAL_SCAN;
    for (uint32_t i = 0; i < node->column_count; i++) {
        wr_column_id id = node->columns[i];
        if (id >= f->column_count || f->column_hashes[id]) continue;
        f->column_hashes[id] = wr_hash_combine(hash, scan ? node->scan.table_columns[i] : i);
    }
    for (uint32_t i = 0; scan && i < node->scan.hidden_count; i++) {
        wr_column_id id = node->scan.hidden[i];
        if (id < f->column_count) f->column_hashes[id] = wr_hash_combine(hash, node->scan.hidden_positions[i]);
    }
}

static wr_status add_place(finder *f, wr_logical **slot, uint32_t *at, wr_error *err) {
    place p = {.slot = slot, .node = *slot};
    WR_NEED(wr_arena_push(f->arena, &f->places, &f->count, &f->capacity, sizeof p, &p));
    *at = f->count - 1;
    return WR_OK;
}

static wr_status visit(finder *f, wr_logical **slot, uint32_t *at, wr_error *err) {
    wr_logical *node = *slot;
    hashing h = {f, wr_hash_combine(wr_hash_u64(node->kind), hash_details(node)), true};
    double scanned = 0;
    bool shrinks = node->kind == WR_LOGICAL_JOIN || node->kind == WR_LOGICAL_AGGREGATE;
    WR_TRY(add_place(f, slot, at, err));
    bool again = node->kind == WR_LOGICAL_SHARED && wr_column_set_has(&f->seen, node->id);
    if (node->kind == WR_LOGICAL_SHARED) WR_NEED(wr_column_set_add(&f->seen, f->arena, node->id));
    for (uint32_t i = 0; i < node->child_count && !again; i++) {
        uint32_t child;
        WR_TRY(visit(f, &node->children[i], &child, err));
        h.hash = wr_hash_combine(h.hash, f->places[child].hash);
        h.fixed &= f->places[child].fixed;
        scanned += f->places[child].scanned;
        shrinks |= f->places[child].shrinks;
    }
    if (node->kind == WR_LOGICAL_SHARED) h.hash = wr_hash_u64(node->id);
    if (node->kind == WR_LOGICAL_SCAN) {
        /* Its conjuncts read its own columns. */
        hash_columns(f, node, h.hash);
        scanned = node->scan.table->row_count;
    }
    WR_TRY(wr_logical_each_expr(node, add_expr, &h));
    hash_columns(f, node, h.hash);
    place *p = &f->places[*at];
    p->hash = h.hash;
    p->fixed = h.fixed;
    p->scanned = scanned;
    p->shrinks = shrinks;
    p->end = f->count;
    return WR_OK;
}

/* ---- comparing in full ---- */

typedef struct comparison {
    finder *f;
    wr_column_id *map; /* from the second subplan's columns to the first's */
} comparison;

static bool match_column(comparison *c, wr_column_id a, wr_column_id b) {
    if (!c->map[b]) c->map[b] = a;
    return c->map[b] == a;
}

static bool same_expr(comparison *c, const wr_expr *a, wr_expr *b) {
    if (!a || !b) return a == b;
    wr_expr *mapped = wr_expr_map_columns(c->f->plan, b, c->map);
    return mapped && wr_expr_equal(a, mapped);
}

static bool same_exprs(comparison *c, wr_expr *const *a, wr_expr *const *b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!same_expr(c, a[i], b[i])) return false;
    }
    return true;
}

static bool same_items(comparison *c, const wr_named_expr *a, const wr_named_expr *b, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!same_expr(c, a[i].expr, b[i].expr) || !match_column(c, a[i].id, b[i].id)) return false;
    }
    return true;
}

static bool same_table(const wr_table *a, const wr_table *b) {
    if (a == b) return true;
    return a->ops == b->ops && a->file_count && a->file_count == b->file_count &&
           memcmp(a->files, b->files, a->file_count * sizeof *a->files) == 0;
}

static bool same_scan(comparison *c, const wr_logical *a, const wr_logical *b) {
    if (!same_table(a->scan.table, b->scan.table) || a->column_count != b->column_count ||
        a->scan.hidden_count != b->scan.hidden_count || a->scan.conjunct_count != b->scan.conjunct_count)
        return false;
    for (uint32_t i = 0; i < a->column_count; i++) {
        if (a->scan.table_columns[i] != b->scan.table_columns[i] || !match_column(c, a->columns[i], b->columns[i]))
            return false;
    }
    for (uint32_t i = 0; i < a->scan.hidden_count; i++) {
        if (a->scan.hidden_positions[i] != b->scan.hidden_positions[i] ||
            !match_column(c, a->scan.hidden[i], b->scan.hidden[i]))
            return false;
    }
    return same_exprs(c, a->scan.conjuncts, b->scan.conjuncts, a->scan.conjunct_count);
}

static bool same_join(comparison *c, const wr_logical *a, const wr_logical *b) {
    if (a->join.kind != b->join.kind || a->join.null_aware != b->join.null_aware ||
        a->join.key_count != b->join.key_count || a->join.residual_count != b->join.residual_count)
        return false;
    for (uint32_t i = 0; i < a->join.key_count; i++) {
        const wr_join_key *x = &a->join.keys[i], *y = &b->join.keys[i];
        if (x->null_equals_null != y->null_equals_null || !same_expr(c, x->left, y->left) ||
            !same_expr(c, x->right, y->right))
            return false;
    }
    if (!same_exprs(c, a->join.residual, b->join.residual, a->join.residual_count)) return false;
    return !a->join.mark == !b->join.mark && (!a->join.mark || match_column(c, a->join.mark, b->join.mark));
}

static bool same_sort(comparison *c, const wr_logical *a, const wr_logical *b) {
    if (a->sort.count != b->sort.count) return false;
    for (uint32_t i = 0; i < a->sort.count; i++) {
        const wr_sort_key *x = &a->sort.keys[i], *y = &b->sort.keys[i];
        if (x->descending != y->descending || x->nulls_first != y->nulls_first || !same_expr(c, x->expr, y->expr))
            return false;
    }
    return true;
}

static bool same_values(comparison *c, const wr_logical *a, const wr_logical *b) {
    if (a->values.row_count != b->values.row_count || a->column_count != b->column_count) return false;
    for (uint32_t r = 0; r < a->values.row_count; r++) {
        if (!same_exprs(c, a->values.rows[r], b->values.rows[r], a->column_count)) return false;
    }
    for (uint32_t i = 0; i < a->column_count; i++) {
        if (!match_column(c, a->columns[i], b->columns[i])) return false;
    }
    return true;
}

static bool same_set(comparison *c, const wr_logical *a, const wr_logical *b) {
    if (a->set.operation != b->set.operation || a->set.all != b->set.all || a->column_count != b->column_count)
        return false;
    for (uint32_t i = 0; i < a->column_count; i++) {
        for (int s = 0; s < 2; s++) {
            if (c->map[b->set.inputs[s][i]] != a->set.inputs[s][i]) return false;
        }
        if (!match_column(c, a->columns[i], b->columns[i])) return false;
    }
    return true;
}

static bool same_node(comparison *c, const wr_logical *a, const wr_logical *b) {
    switch ((wr_logical_kind)a->kind) {
    case WR_LOGICAL_SCAN: return same_scan(c, a, b);
    case WR_LOGICAL_VALUES: return same_values(c, a, b);
    case WR_LOGICAL_FILTER:
        return a->filter.count == b->filter.count &&
               same_exprs(c, a->filter.conjuncts, b->filter.conjuncts, a->filter.count);
    case WR_LOGICAL_PROJECT:
        return a->project.count == b->project.count &&
               same_items(c, a->project.items, b->project.items, a->project.count);
    case WR_LOGICAL_AGGREGATE:
        return a->aggregate.key_count == b->aggregate.key_count &&
               a->aggregate.aggregate_count == b->aggregate.aggregate_count &&
               same_items(c, a->aggregate.keys, b->aggregate.keys, a->aggregate.key_count) &&
               same_items(c, a->aggregate.aggregates, b->aggregate.aggregates, a->aggregate.aggregate_count);
    case WR_LOGICAL_JOIN: return same_join(c, a, b);
    case WR_LOGICAL_SORT: return same_sort(c, a, b);
    case WR_LOGICAL_LIMIT:
        return same_expr(c, a->limit.limit, b->limit.limit) && same_expr(c, a->limit.offset, b->limit.offset);
    case WR_LOGICAL_SET_OPERATION: return same_set(c, a, b);
    case WR_LOGICAL_SINGLE_ROW: return true;
    case WR_LOGICAL_SHARED:
    case WR_LOGICAL_KINDS: break;
    }
    return false;
}

static bool same_subplan(comparison *c, const wr_logical *a, const wr_logical *b) {
    if (a->kind != b->kind || a->child_count != b->child_count) return false;
    if (a->kind == WR_LOGICAL_SHARED) return a == b;
    for (uint32_t i = 0; i < a->child_count; i++) {
        if (!same_subplan(c, a->children[i], b->children[i])) return false;
    }
    /* A reader of a shared subplan reads its columns as they are. */
    for (uint32_t i = 0;
         a->child_count && a->children[0]->kind == WR_LOGICAL_SHARED && i < a->children[0]->column_count; i++) {
        c->map[a->children[0]->columns[i]] = a->children[0]->columns[i];
    }
    return same_node(c, a, b);
}

/* ---- sharing ---- */

static bool is_worth_it(const place *p) {
    return p->shrinks && p->fixed && !p->gone && p->node->column_count && p->node->kind != WR_LOGICAL_SHARED &&
           p->node->row_estimate >= 0 && p->node->row_estimate * 4 <= p->scanned;
}

/* The place's subplan is read from `shared` instead, under the ids that it had. */
static wr_status replace(finder *f, place *p, wr_logical *shared, const wr_column_id *map, wr_error *err) {
    uint32_t count = p->node->column_count;
    wr_named_expr *items = WR_ARENA_ARRAY(f->arena, wr_named_expr, count);
    WR_NEED(items);
    for (uint32_t i = 0; i < count; i++) {
        wr_column_id id = p->node->columns[i];
        items[i].id = id;
        WR_NEED(items[i].expr = wr_column_of(f->plan, map && map[id] ? map[id] : id));
    }
    WR_NEED(*p->slot = wr_make_project(f->plan, shared, items, count));
    shared->shared.reader_count++;
    return WR_OK;
}

static void drop(finder *f, uint32_t first, uint32_t end) {
    for (uint32_t i = first; i < end; i++) f->places[i].gone = true;
}

static wr_status share_equals(finder *f, uint32_t at, wr_error *err) {
    place *p = &f->places[at];
    wr_logical *shared = NULL;
    for (uint32_t i = p->end; i < f->count; i++) {
        place *other = &f->places[i];
        if (other->hash != p->hash || !is_worth_it(other)) continue;
        comparison c = {f, WR_ARENA_ARRAY(f->arena, wr_column_id, f->plan->column_count)};
        WR_NEED(c.map);
        if (!same_subplan(&c, p->node, other->node)) continue;
        if (!shared) {
            WR_NEED(shared = wr_logical_create(f->plan, WR_LOGICAL_SHARED, 1));
            shared->children[0] = p->node;
            shared->row_estimate = p->node->row_estimate;
            WR_NEED(wr_logical_refresh(f->plan, shared));
        }
        WR_TRY(replace(f, other, shared, c.map, err));
        drop(f, i, other->end);
    }
    return shared ? replace(f, p, shared, NULL, err) : WR_OK;
}

wr_status wr_pass_common(wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    finder f = {.plan = plan, .arena = &plan->arena, .column_count = plan->column_count};
    wr_estimator e;
    uint32_t root;
    WR_NEED(f.column_hashes = WR_ARENA_ARRAY(f.arena, uint64_t, plan->column_count + 1));
    WR_TRY(wr_estimator_init(&e, plan, context, err));
    WR_TRY(wr_estimate(&e, plan->root, err));
    WR_TRY(visit(&f, &plan->root, &root, err));
    for (uint32_t i = 0; i < f.count; i++) {
        if (is_worth_it(&f.places[i])) WR_TRY(share_equals(&f, i, err));
    }
    return WR_OK;
}
