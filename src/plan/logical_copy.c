/* A deep copy of a subplan under new column ids: for a subplan that two places want with a life of its own each (a
 * common table expression that is cheaper to run twice than to keep).
 *
 * Every column that a node of the original makes gets a new id in the copy; expressions are rewritten by the map as the
 * copy goes up, so a node sees the new ids of all that is below it. Columns from outside keep theirs. A SHARED node is
 * not copied: the copied parent is one more reader of it. */
#include "plan/logical.h"

typedef struct copier {
    wr_plan *plan;
    wr_column_id *map;
} copier;

static wr_logical *copy_node(copier *c, const wr_logical *from);

/* ---- expressions ---- */

static wr_expr *map_node(wr_expr *expr, void *user) {
    copier *c = user;
    if (expr->kind == WR_EXPR_COLUMN && c->map[expr->column]) {
        wr_expr *copy = wr_expr_copy_node(&c->plan->arena, expr);
        if (copy) copy->column = c->map[expr->column];
        return copy;
    }
    if (expr->kind == WR_EXPR_SUBQUERY) {
        wr_expr *copy = wr_expr_copy_node(&c->plan->arena, expr);
        if (copy) copy->query = copy_node(c, expr->query);
        return copy && copy->query ? copy : NULL;
    }
    return expr;
}

wr_expr *wr_expr_map_columns(wr_plan *plan, wr_expr *expr, wr_column_id *map) {
    copier c = {plan, map};
    return wr_expr_rewrite(&plan->arena, expr, map_node, &c);
}

static wr_status map_slot(wr_expr **slot, void *user) {
    copier *c = user;
    wr_expr *mapped = wr_expr_rewrite(&c->plan->arena, *slot, map_node, c);
    if (!mapped) return WR_NO_MEMORY;
    *slot = mapped;
    return WR_OK;
}

/* ---- arrays ---- */

/* A copy of an array in the arena; NULL when there is no memory, never for an empty one. */
static void *copy_array(wr_arena *arena, const void *items, size_t item_bytes, uint32_t count) {
    void *copy = wr_arena_alloc(arena, item_bytes * ((size_t)count + 1));
    if (copy && count) memcpy(copy, items, item_bytes * count);
    return copy;
}
#define COPY_ARRAY(c, array, count)                                                                                    \
    (((array) = copy_array(&(c)->plan->arena, (array), sizeof *(array), (count))) != NULL)

/* Gives the column a new id, made by `source`. */
static bool renew(copier *c, wr_column_id *id, wr_logical *source) {
    if (!*id) return true;
    if (!c->map[*id]) {
        const wr_plan_column column = c->plan->columns[*id];
        wr_column_id fresh = wr_plan_add_column(c->plan, column.name, column.type, column.nullable, source);
        if (!fresh) return false;
        c->map[*id] = fresh;
    }
    *id = c->map[*id];
    return true;
}

static bool renew_all(copier *c, wr_column_id *ids, uint32_t count, wr_logical *source) {
    for (uint32_t i = 0; i < count; i++) {
        if (!renew(c, &ids[i], source)) return false;
    }
    return true;
}

/* Items that are COLUMN under their own id pass a column on, which has its new id already. */
static bool renew_items(copier *c, wr_named_expr *items, uint32_t count, wr_logical *source) {
    for (uint32_t i = 0; i < count; i++) {
        if (!renew(c, &items[i].id, source)) return false;
    }
    return true;
}

static bool copy_scan(copier *c, wr_logical *to) {
    return COPY_ARRAY(c, to->columns, to->column_count) && COPY_ARRAY(c, to->scan.table_columns, to->column_count) &&
           COPY_ARRAY(c, to->scan.conjuncts, to->scan.conjunct_count) &&
           COPY_ARRAY(c, to->scan.hidden, to->scan.hidden_count) &&
           COPY_ARRAY(c, to->scan.hidden_positions, to->scan.hidden_count) &&
           renew_all(c, to->columns, to->column_count, to) &&
           renew_all(c, to->scan.hidden, to->scan.hidden_count, to) && renew(c, &to->scan.order, to);
}

static bool copy_values(copier *c, wr_logical *to) {
    if (!COPY_ARRAY(c, to->columns, to->column_count) || !COPY_ARRAY(c, to->values.rows, to->values.row_count))
        return false;
    for (uint32_t r = 0; r < to->values.row_count; r++) {
        if (!COPY_ARRAY(c, to->values.rows[r], to->column_count)) return false;
    }
    return renew_all(c, to->columns, to->column_count, to);
}

static bool copy_set(copier *c, wr_logical *to) {
    if (!COPY_ARRAY(c, to->columns, to->column_count)) return false;
    for (int side = 0; side < 2; side++) {
        if (!COPY_ARRAY(c, to->set.inputs[side], to->column_count)) return false;
        if (!renew_all(c, to->set.inputs[side], to->column_count, to)) return false;
    }
    return renew_all(c, to->columns, to->column_count, to);
}

/* `to` is a flat copy of the original whose children are copied already. */
static bool copy_content(copier *c, wr_logical *to) {
    switch ((wr_logical_kind)to->kind) {
    case WR_LOGICAL_SCAN: return copy_scan(c, to);
    case WR_LOGICAL_VALUES: return copy_values(c, to);
    case WR_LOGICAL_SET_OPERATION: return copy_set(c, to);
    case WR_LOGICAL_FILTER: return COPY_ARRAY(c, to->filter.conjuncts, to->filter.count);
    case WR_LOGICAL_PROJECT:
        return COPY_ARRAY(c, to->project.items, to->project.count) &&
               renew_items(c, to->project.items, to->project.count, to);
    case WR_LOGICAL_AGGREGATE:
        return COPY_ARRAY(c, to->aggregate.keys, to->aggregate.key_count) &&
               COPY_ARRAY(c, to->aggregate.aggregates, to->aggregate.aggregate_count) &&
               renew_items(c, to->aggregate.keys, to->aggregate.key_count, to) &&
               renew_items(c, to->aggregate.aggregates, to->aggregate.aggregate_count, to) &&
               renew(c, &to->aggregate.ordered_by, to);
    case WR_LOGICAL_JOIN:
        return renew(c, &to->join.mark, to) && COPY_ARRAY(c, to->join.keys, to->join.key_count) &&
               COPY_ARRAY(c, to->join.residual, to->join.residual_count);
    case WR_LOGICAL_SORT: return COPY_ARRAY(c, to->sort.keys, to->sort.count);
    case WR_LOGICAL_LIMIT:
    case WR_LOGICAL_SINGLE_ROW: return true;
    case WR_LOGICAL_SHARED:
    case WR_LOGICAL_KINDS: break;
    }
    return false;
}

static wr_logical *copy_node(copier *c, const wr_logical *from) {
    if (from->kind == WR_LOGICAL_SHARED) {
        wr_logical *shared = (wr_logical *)(uintptr_t)from;
        shared->shared.reader_count++;
        return shared;
    }
    wr_logical *to = wr_logical_create(c->plan, from->kind, from->child_count);
    if (!to) return NULL;
    uint32_t id = to->id;
    *to = *from;
    to->id = id;
    bool own_columns =
        from->kind == WR_LOGICAL_SCAN || from->kind == WR_LOGICAL_VALUES || from->kind == WR_LOGICAL_SET_OPERATION;
    if (!own_columns) {
        to->columns = NULL;
        to->column_count = 0;
    }
    for (uint32_t i = 0; i < from->child_count; i++) {
        if (!(to->children[i] = copy_node(c, from->children[i]))) return NULL;
    }
    if (!copy_content(c, to) || wr_logical_each_expr(to, map_slot, c) != WR_OK) return NULL;
    return wr_logical_refresh(c->plan, to) ? to : NULL;
}

wr_logical *wr_logical_copy(wr_plan *plan, const wr_logical *node, wr_column_id *map) {
    copier c = {plan, map};
    return copy_node(&c, node);
}
