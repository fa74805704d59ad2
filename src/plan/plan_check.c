/* The invariants of a logical plan, checked after each pass in tests and debug builds. A broken one is a bug of ours,
 * so the message speaks of nodes and columns and of the pass that ran last.
 *
 * What holds, for every node: its output columns are what its kind makes of its children's; an expression reads only
 * columns that the node's children give (or, below a dependent join or in a subquery, columns of the outer side); a
 * COLUMN has its column's type; conditions are BOOLEAN; the two sides of a join key and the columns of a set operation
 * agree in type; the two inputs of a join have no column in common; every id is made in one place. */
#include <stdio.h>

#include "plan/logical.h"

enum { PLAN_DEPTH_MAX = 2000 };

typedef struct checker {
    wr_plan *plan;
    wr_arena scratch;
    const char *after;
    wr_error *err;
    const wr_logical *node;      /* the one being checked */
    const wr_column_set *inputs; /* what its expressions may read */
    wr_column_set made;
    uint32_t *shared; /* ids of SHARED nodes done */
    uint32_t shared_count, shared_capacity;
    struct wr_logical **subqueries; /* done */
    uint32_t subquery_count, subquery_capacity;
} checker;

static wr_status check_node(checker *c, const wr_logical *node, const wr_column_set *outer, uint32_t depth);

__attribute__((format(printf, 2, 3))) static wr_status broken(checker *c, const char *format, ...) {
    char detail[256];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    return wr_fail(c->err, WR_INTERNAL, "plan is broken after %s: node %u (kind %u): %s", c->after, c->node->id,
                   c->node->kind, detail);
}

#define NEED(c, condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition)) return wr_fail_memory((c)->err, 0, "plan check");                                            \
    } while (0)

/* ---- expressions ---- */

typedef struct expr_check {
    checker *c;
    bool aggregate_allowed;
    wr_status status;
} expr_check;

static bool check_expr_node(wr_expr *e, void *user) {
    expr_check *x = user;
    checker *c = x->c;
    x->status = WR_OK;
    switch ((wr_expr_kind)e->kind) {
    case WR_EXPR_COLUMN:
        if (e->column == 0 || e->column >= c->plan->column_count) {
            x->status = broken(c, "column %u does not exist", e->column);
        } else if (!wr_column_set_has(c->inputs, e->column)) {
            wr_str name = c->plan->columns[e->column].name;
            x->status = broken(c, "column %u (%.*s) is read and not made below", e->column, WR_STR_ARGS(name));
        } else if (!wr_type_equal(e->type, c->plan->columns[e->column].type)) {
            x->status = broken(c, "column %u is read with another type than it has", e->column);
        }
        break;
    case WR_EXPR_AGGREGATE:
        if (!x->aggregate_allowed) x->status = broken(c, "an aggregate outside of an aggregate node's list");
        break;
    case WR_EXPR_AND:
    case WR_EXPR_OR:
    case WR_EXPR_NOT:
        for (uint32_t i = 0; i < e->arg_count; i++) {
            if (e->args[i]->type.id != WR_TYPE_BOOLEAN) x->status = broken(c, "a condition that is not BOOLEAN");
        }
        break;
    case WR_EXPR_SUBQUERY: {
        const wr_logical *node = c->node;
        const wr_column_set *inputs = c->inputs;
        /* An expression may stand in several places, and its query with it. */
        for (uint32_t i = 0; i < c->subquery_count; i++) {
            if (c->subqueries[i] != e->query) continue;
            x->aggregate_allowed = false;
            return true;
        }
        if (!wr_arena_push(&c->scratch, &c->subqueries, &c->subquery_count, &c->subquery_capacity, sizeof(wr_logical *),
                           &e->query)) {
            x->status = wr_fail_memory(c->err, 0, "plan check");
            return false;
        }
        x->status = check_node(c, e->query, inputs, 0);
        c->node = node;
        c->inputs = inputs;
        break;
    }
    default: break;
    }
    x->aggregate_allowed = false;
    return x->status == WR_OK;
}

static wr_status check_expr(checker *c, wr_expr *expr, bool aggregate_allowed) {
    if (!expr) return broken(c, "an expression is missing");
    expr_check x = {c, aggregate_allowed, WR_OK};
    wr_expr_walk(expr, check_expr_node, &x);
    return x.status;
}

static wr_status check_slot(wr_expr **slot, void *user) {
    return check_expr(user, *slot, false);
}

static wr_status check_conditions(checker *c, wr_expr *const *conjuncts, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (conjuncts[i]->type.id != WR_TYPE_BOOLEAN) return broken(c, "conjunct %u is not BOOLEAN", i);
    }
    return WR_OK;
}

/* ---- columns ---- */

static wr_status add_columns(checker *c, wr_column_set *set, const wr_logical *node) {
    for (uint32_t i = 0; i < node->column_count; i++) NEED(c, wr_column_set_add(set, &c->scratch, node->columns[i]));
    return WR_OK;
}

static wr_status check_made(checker *c, wr_column_id id) {
    if (id == 0 || id >= c->plan->column_count) return broken(c, "makes column %u, which does not exist", id);
    if (wr_column_set_has(&c->made, id)) return broken(c, "column %u is made twice", id);
    NEED(c, wr_column_set_add(&c->made, &c->scratch, id));
    return WR_OK;
}

static wr_status check_made_all(checker *c, const wr_column_id *ids, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) WR_TRY(check_made(c, ids[i]));
    return WR_OK;
}

/* Items make their ids, but for a COLUMN under its own. */
static wr_status check_items(checker *c, const wr_named_expr *items, uint32_t count, bool aggregates) {
    for (uint32_t i = 0; i < count; i++) {
        const wr_expr *e = items[i].expr;
        if (aggregates != (e->kind == WR_EXPR_AGGREGATE)) return broken(c, "item %u is of the wrong kind", i);
        if (e->kind == WR_EXPR_COLUMN && e->column == items[i].id) continue;
        WR_TRY(check_made(c, items[i].id));
        if (!wr_type_equal(e->type, c->plan->columns[items[i].id].type))
            return broken(c, "column %u has another type than its expression", items[i].id);
    }
    return WR_OK;
}

static bool gives(const wr_logical *node, wr_column_id id) {
    for (uint32_t i = 0; i < node->column_count; i++) {
        if (node->columns[i] == id) return true;
    }
    return false;
}

/* ---- kinds ---- */

static wr_status check_scan(checker *c, const wr_logical *n) {
    if (!n->scan.table) return broken(c, "a scan without a table");
    WR_TRY(check_made_all(c, n->columns, n->column_count));
    WR_TRY(check_made_all(c, n->scan.hidden, n->scan.hidden_count));
    for (uint32_t i = 0; i < n->column_count + n->scan.hidden_count; i++) {
        bool hidden = i >= n->column_count;
        uint32_t at = hidden ? n->scan.hidden_positions[i - n->column_count] : n->scan.table_columns[i];
        wr_column_id id = hidden ? n->scan.hidden[i - n->column_count] : n->columns[i];
        if (at >= n->scan.table->schema.field_count) return broken(c, "table column %u does not exist", at);
        if (!wr_type_equal(n->scan.table->schema.fields[at].type, c->plan->columns[id].type))
            return broken(c, "column %u has another type than the table's", id);
    }
    return check_conditions(c, n->scan.conjuncts, n->scan.conjunct_count);
}

static wr_status check_values(checker *c, const wr_logical *n) {
    WR_TRY(check_made_all(c, n->columns, n->column_count));
    for (uint32_t r = 0; r < n->values.row_count; r++) {
        for (uint32_t i = 0; i < n->column_count; i++) {
            if (!wr_type_equal(n->values.rows[r][i]->type, c->plan->columns[n->columns[i]].type))
                return broken(c, "row %u has another type than column %u", r, n->columns[i]);
        }
    }
    return WR_OK;
}

static wr_status check_side(checker *c, const wr_expr *key, const wr_logical *side, const wr_logical *other) {
    wr_column_set read = {0}, given = {0}, wrong = {0};
    NEED(c, wr_expr_columns(key, &c->scratch, &read));
    WR_TRY(add_columns(c, &given, side));
    WR_TRY(add_columns(c, &wrong, other));
    if (wr_column_set_overlaps(&read, &wrong)) return broken(c, "a join key reads the other side's columns");
    return WR_OK;
}

static wr_status check_join(checker *c, const wr_logical *n) {
    for (uint32_t i = 0; i < n->children[0]->column_count; i++) {
        if (gives(n->children[1], n->children[0]->columns[i]))
            return broken(c, "both inputs give column %u", n->children[0]->columns[i]);
    }
    for (uint32_t i = 0; i < n->join.key_count; i++) {
        const wr_join_key *key = &n->join.keys[i];
        WR_TRY(check_side(c, key->left, n->children[0], n->children[1]));
        WR_TRY(check_side(c, key->right, n->children[1], n->children[0]));
        if (!wr_type_equal(key->left->type, key->right->type)) return broken(c, "key %u has two types", i);
    }
    if ((n->join.kind == WR_JOIN_MARK) != (n->join.mark != 0))
        return broken(c, "a mark without a MARK join, or the reverse");
    bool null_aware = n->join.null_aware || n->join.kind == WR_JOIN_ANTI_NULL_AWARE;
    if (null_aware && (n->join.key_count != 1 || n->join.residual_count != 0))
        return broken(c, "a null-aware join needs one key and no residual");
    if (n->join.mark) WR_TRY(check_made(c, n->join.mark));
    return check_conditions(c, n->join.residual, n->join.residual_count);
}

static wr_status check_set(checker *c, const wr_logical *n) {
    WR_TRY(check_made_all(c, n->columns, n->column_count));
    for (int side = 0; side < 2; side++) {
        for (uint32_t i = 0; i < n->column_count; i++) {
            wr_column_id input = n->set.inputs[side][i];
            if (!gives(n->children[side], input)) return broken(c, "input %u is not given by child %d", input, side);
            if (!wr_type_equal(c->plan->columns[input].type, c->plan->columns[n->columns[i]].type))
                return broken(c, "column %u has another type than its input", n->columns[i]);
        }
    }
    return WR_OK;
}

static wr_status check_own(checker *c, const wr_logical *n) {
    switch ((wr_logical_kind)n->kind) {
    case WR_LOGICAL_SCAN: return check_scan(c, n);
    case WR_LOGICAL_VALUES: return check_values(c, n);
    case WR_LOGICAL_FILTER: return check_conditions(c, n->filter.conjuncts, n->filter.count);
    case WR_LOGICAL_PROJECT: return check_items(c, n->project.items, n->project.count, false);
    case WR_LOGICAL_AGGREGATE:
        for (uint32_t i = 0; i < n->aggregate.aggregate_count; i++) {
            WR_TRY(check_expr(c, n->aggregate.aggregates[i].expr, true));
        }
        WR_TRY(check_items(c, n->aggregate.keys, n->aggregate.key_count, false));
        return check_items(c, n->aggregate.aggregates, n->aggregate.aggregate_count, true);
    case WR_LOGICAL_JOIN: return check_join(c, n);
    case WR_LOGICAL_SET_OPERATION: return check_set(c, n);
    default: return WR_OK;
    }
}

static wr_status check_output(checker *c, const wr_logical *n) {
    wr_logical again = *n;
    bool own = n->kind == WR_LOGICAL_SCAN || n->kind == WR_LOGICAL_VALUES || n->kind == WR_LOGICAL_SET_OPERATION;
    if (!own) again.columns = NULL;
    NEED(c, wr_logical_refresh(c->plan, &again));
    if (again.column_count != n->column_count ||
        (n->column_count && memcmp(again.columns, n->columns, n->column_count * sizeof *n->columns) != 0))
        return broken(c, "its output columns were not refreshed");
    for (uint32_t i = 0; i < n->column_count; i++) {
        for (uint32_t k = i + 1; k < n->column_count && n->column_count <= 256; k++) {
            if (n->columns[i] == n->columns[k]) return broken(c, "gives column %u twice", n->columns[i]);
        }
    }
    return WR_OK;
}

static wr_status check_children(checker *c, const wr_logical *n, const wr_column_set *outer, uint32_t depth) {
    static const uint8_t child_counts[WR_LOGICAL_KINDS] = {
        [WR_LOGICAL_FILTER] = 1, [WR_LOGICAL_PROJECT] = 1,       [WR_LOGICAL_AGGREGATE] = 1,
        [WR_LOGICAL_JOIN] = 2,   [WR_LOGICAL_SORT] = 1,          [WR_LOGICAL_LIMIT] = 1,
        [WR_LOGICAL_SHARED] = 1, [WR_LOGICAL_SET_OPERATION] = 2, [WR_LOGICAL_SINGLE_ROW] = 1,
    };
    if (n->kind >= WR_LOGICAL_KINDS || n->child_count != child_counts[n->kind])
        return broken(c, "it has %u children", n->child_count);
    for (uint32_t i = 0; i < n->child_count; i++) {
        wr_column_set reach = {0};
        const wr_column_set *seen = outer;
        if (n->kind == WR_LOGICAL_SHARED) seen = &reach;
        if (n->kind == WR_LOGICAL_JOIN && n->join.dependent && i == 1) {
            NEED(c, wr_column_set_add_all(&reach, &c->scratch, outer));
            WR_TRY(add_columns(c, &reach, n->children[0]));
            seen = &reach;
        }
        WR_TRY(check_node(c, n->children[i], seen, depth + 1));
        c->node = n;
    }
    return WR_OK;
}

static wr_status check_node(checker *c, const wr_logical *node, const wr_column_set *outer, uint32_t depth) {
    c->node = node;
    if (depth > PLAN_DEPTH_MAX) return broken(c, "the plan is too deep");
    if (node->kind == WR_LOGICAL_SHARED) {
        for (uint32_t i = 0; i < c->shared_count; i++) {
            if (c->shared[i] == node->id) return WR_OK;
        }
        NEED(c,
             wr_arena_push(&c->scratch, &c->shared, &c->shared_count, &c->shared_capacity, sizeof node->id, &node->id));
    }
    WR_TRY(check_children(c, node, outer, depth));
    wr_column_set inputs = {0};
    NEED(c, wr_column_set_add_all(&inputs, &c->scratch, outer));
    for (uint32_t i = 0; i < node->child_count; i++) WR_TRY(add_columns(c, &inputs, node->children[i]));
    if (node->kind == WR_LOGICAL_SCAN) {
        WR_TRY(add_columns(c, &inputs, node));
        for (uint32_t i = 0; i < node->scan.hidden_count; i++) {
            NEED(c, wr_column_set_add(&inputs, &c->scratch, node->scan.hidden[i]));
        }
    }
    c->inputs = &inputs;
    WR_TRY(check_own(c, node));
    /* An aggregate's list was checked with aggregates allowed. */
    if (node->kind != WR_LOGICAL_AGGREGATE) {
        WR_TRY(wr_logical_each_expr((wr_logical *)(uintptr_t)node, check_slot, c));
    }
    for (uint32_t i = 0; node->kind == WR_LOGICAL_AGGREGATE && i < node->aggregate.key_count; i++) {
        WR_TRY(check_expr(c, node->aggregate.keys[i].expr, false));
    }
    return check_output(c, node);
}

wr_status wr_plan_check(wr_plan *plan, const char *after, wr_error *err) {
    checker c = {.plan = plan, .after = after, .err = err};
    if (!plan->root) return wr_fail(err, WR_INTERNAL, "plan is broken after %s: it has no root", after);
    wr_arena_init(&c.scratch, plan->arena.allocator);
    wr_column_set none = {0};
    wr_status status = check_node(&c, plan->root, &none, 0);
    wr_arena_deinit(&c.scratch);
    return status;
}
