/* The logical plan's own operations: making nodes and columns, keeping output columns true, walking expressions,
 * finding what a subtree reads from outside, copying a subtree under new column ids.
 *
 * Everything is in the plan's arena, so nothing here frees; a failed allocation leaves the plan as it was but for
 * garbage. A plan is a tree but for SHARED nodes, which have several parents: walks that could pass one twice stop
 * there when the answer allows it (a SHARED subplan reads nothing from outside). */
#include "plan/logical.h"

enum { PLAN_TABLES_FIRST = 8 };

void wr_plan_init(wr_plan *plan, wr_allocator *a) {
    memset(plan, 0, sizeof *plan);
    wr_arena_init(&plan->arena, a);
}

void wr_plan_deinit(wr_plan *plan) {
    for (uint32_t i = 0; i < plan->table_count; i++) wr_table_release(plan->tables[i]);
    wr_arena_deinit(&plan->arena);
    memset(plan, 0, sizeof *plan);
}

wr_column_id wr_plan_add_column(wr_plan *plan, wr_str name, wr_type type, bool nullable, wr_logical *source) {
    if (plan->column_count == 0) {
        wr_plan_column none = {0};
        if (!wr_arena_push(&plan->arena, &plan->columns, &plan->column_count, &plan->column_capacity, sizeof none,
                           &none))
            return 0;
    }
    wr_plan_column column = {.name = name, .type = type, .nullable = nullable, .source = source};
    if (!wr_arena_push(&plan->arena, &plan->columns, &plan->column_count, &plan->column_capacity, sizeof column,
                       &column))
        return 0;
    return plan->column_count - 1;
}

wr_status wr_plan_hold_table(wr_plan *plan, wr_table *table, wr_error *err) {
    if (wr_arena_push(&plan->arena, &plan->tables, &plan->table_count, &plan->table_capacity, sizeof table, &table))
        return WR_OK;
    wr_table_release(table);
    return wr_fail_memory(err, sizeof table, "plan");
}

wr_logical *wr_logical_create(wr_plan *plan, wr_logical_kind kind, uint32_t child_count) {
    wr_logical *node = WR_ARENA_NEW(&plan->arena, wr_logical);
    if (!node) return NULL;
    node->kind = (uint8_t)kind;
    node->id = ++plan->node_count;
    node->child_count = child_count;
    node->row_estimate = -1;
    return node;
}

/* ---- output columns ---- */

/* Room for `count` columns. An array of that size is written again: nobody else holds it. */
static bool set_columns(wr_plan *plan, wr_logical *node, uint32_t count) {
    if (node->columns && node->column_count == count) return true;
    node->columns = WR_ARENA_ARRAY(&plan->arena, wr_column_id, count + 1);
    node->column_count = node->columns ? count : 0;
    return node->columns != NULL;
}

static bool columns_of_child(wr_plan *plan, wr_logical *node, wr_column_id extra) {
    const wr_logical *child = node->children[0];
    if (!set_columns(plan, node, child->column_count + (extra ? 1 : 0))) return false;
    if (child->column_count) memcpy(node->columns, child->columns, child->column_count * sizeof(wr_column_id));
    if (extra) node->columns[child->column_count] = extra;
    return true;
}

static bool columns_of_join(wr_plan *plan, wr_logical *node) {
    switch (node->join.kind) {
    case WR_JOIN_SEMI:
    case WR_JOIN_ANTI:
    case WR_JOIN_ANTI_NULL_AWARE: return columns_of_child(plan, node, 0);
    case WR_JOIN_MARK: return columns_of_child(plan, node, node->join.mark);
    default: break;
    }
    const wr_logical *left = node->children[0], *right = node->children[1];
    if (!set_columns(plan, node, left->column_count + right->column_count)) return false;
    for (uint32_t i = 0; i < left->column_count; i++) node->columns[i] = left->columns[i];
    for (uint32_t i = 0; i < right->column_count; i++) node->columns[left->column_count + i] = right->columns[i];
    return true;
}

bool wr_logical_refresh(wr_plan *plan, wr_logical *node) {
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_SCAN:
    case WR_LOGICAL_VALUES:
    case WR_LOGICAL_SET_OPERATION: return true; /* their columns are their own */
    case WR_LOGICAL_PROJECT:
        if (!set_columns(plan, node, node->project.count)) return false;
        for (uint32_t i = 0; i < node->project.count; i++) node->columns[i] = node->project.items[i].id;
        return true;
    case WR_LOGICAL_AGGREGATE: {
        uint32_t keys = node->aggregate.key_count;
        if (!set_columns(plan, node, keys + node->aggregate.aggregate_count)) return false;
        for (uint32_t i = 0; i < keys; i++) node->columns[i] = node->aggregate.keys[i].id;
        for (uint32_t i = keys; i < node->column_count; i++) node->columns[i] = node->aggregate.aggregates[i - keys].id;
        return true;
    }
    case WR_LOGICAL_JOIN: return columns_of_join(plan, node);
    case WR_LOGICAL_FILTER:
    case WR_LOGICAL_SORT:
    case WR_LOGICAL_LIMIT:
    case WR_LOGICAL_SHARED:
    case WR_LOGICAL_SINGLE_ROW: return columns_of_child(plan, node, 0);
    case WR_LOGICAL_KINDS: break;
    }
    return false;
}

/* ---- expressions of a node ---- */

typedef struct slot_visit {
    wr_status (*each)(wr_expr **slot, void *user);
    void *user;
} slot_visit;

static wr_status each_of(wr_expr **slots, uint32_t count, slot_visit v) {
    for (uint32_t i = 0; i < count; i++) {
        if (slots[i]) WR_TRY(v.each(&slots[i], v.user));
    }
    return WR_OK;
}

static wr_status each_named(wr_named_expr *items, uint32_t count, slot_visit v) {
    for (uint32_t i = 0; i < count; i++) WR_TRY(v.each(&items[i].expr, v.user));
    return WR_OK;
}

wr_status wr_logical_each_expr(wr_logical *node, wr_status (*each)(wr_expr **slot, void *user), void *user) {
    slot_visit v = {each, user};
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_SCAN: return each_of(node->scan.conjuncts, node->scan.conjunct_count, v);
    case WR_LOGICAL_VALUES:
        for (uint32_t r = 0; r < node->values.row_count; r++) {
            WR_TRY(each_of(node->values.rows[r], node->column_count, v));
        }
        return WR_OK;
    case WR_LOGICAL_FILTER: return each_of(node->filter.conjuncts, node->filter.count, v);
    case WR_LOGICAL_PROJECT: return each_named(node->project.items, node->project.count, v);
    case WR_LOGICAL_AGGREGATE:
        WR_TRY(each_named(node->aggregate.keys, node->aggregate.key_count, v));
        return each_named(node->aggregate.aggregates, node->aggregate.aggregate_count, v);
    case WR_LOGICAL_JOIN:
        for (uint32_t i = 0; i < node->join.key_count; i++) {
            WR_TRY(each(&node->join.keys[i].left, user));
            WR_TRY(each(&node->join.keys[i].right, user));
        }
        return each_of(node->join.residual, node->join.residual_count, v);
    case WR_LOGICAL_SORT:
        for (uint32_t i = 0; i < node->sort.count; i++) WR_TRY(each(&node->sort.keys[i].expr, user));
        return WR_OK;
    case WR_LOGICAL_LIMIT: WR_TRY(each_of(&node->limit.limit, 1, v)); return each_of(&node->limit.offset, 1, v);
    case WR_LOGICAL_SET_OPERATION:
    case WR_LOGICAL_SHARED:
    case WR_LOGICAL_SINGLE_ROW:
    case WR_LOGICAL_KINDS: return WR_OK;
    }
    return WR_OK;
}

/* ---- what a subtree reads from outside ---- */

typedef struct free_search {
    wr_arena *arena;
    wr_column_set read, made;
} free_search;

static wr_status add_read(wr_expr **slot, void *user) {
    free_search *f = user;
    return wr_expr_columns(*slot, f->arena, &f->read) ? WR_OK : WR_NO_MEMORY;
}

static bool add_made(free_search *f, const wr_column_id *ids, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!wr_column_set_add(&f->made, f->arena, ids[i])) return false;
    }
    return true;
}

static bool search_free(free_search *f, const wr_logical *node) {
    if (!add_made(f, node->columns, node->column_count)) return false;
    if (node->kind == WR_LOGICAL_SHARED) return true;
    if (node->kind == WR_LOGICAL_SCAN && !add_made(f, node->scan.hidden, node->scan.hidden_count)) return false;
    /* The visitor only reads; the walk takes nodes that passes may change. */
    if (wr_logical_each_expr((wr_logical *)(uintptr_t)node, add_read, f) != WR_OK) return false;
    for (uint32_t i = 0; i < node->child_count; i++) {
        if (!search_free(f, node->children[i])) return false;
    }
    return true;
}

bool wr_logical_free_columns(const wr_logical *node, wr_arena *arena, wr_column_set *out) {
    free_search f = {.arena = arena};
    if (!search_free(&f, node)) return false;
    for (uint32_t w = 0; w < f.read.word_count; w++) {
        uint64_t left = f.read.words[w] & ~(w < f.made.word_count ? f.made.words[w] : 0);
        for (; left; left &= left - 1) {
            if (!wr_column_set_add(out, arena, w * 64 + (uint32_t)__builtin_ctzll(left))) return false;
        }
    }
    return true;
}
