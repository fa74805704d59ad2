/* A region of joins read into a graph: its inputs, its operators, and what may not be exchanged.
 *
 * The region reaches down from one join through joins of every kind but FULL, and through projections whose items can
 * as well be made above it. Everything else is an input. */
#include "optimize/join_graph.h"

/* ---- what may be exchanged with what (the tables of the paper, FULL left out) ---- */

typedef enum op_class { OP_INNER, OP_SEMI, OP_ANTI, OP_LEFT, OP_SINGLE, OP_CLASSES } op_class;

/* MARK adds a column to every left row, like a left join with at most one match; ANTI in both forms is one. */
static op_class class_of(uint8_t kind) {
    switch ((wr_join_kind)kind) {
    case WR_JOIN_INNER: return OP_INNER;
    case WR_JOIN_SEMI: return OP_SEMI;
    case WR_JOIN_ANTI:
    case WR_JOIN_ANTI_NULL_AWARE: return OP_ANTI;
    case WR_JOIN_SINGLE: return OP_SINGLE;
    default: return OP_LEFT;
    }
}

/* (1 a 2) b 3 = 1 a (2 b 3). A LEFT above a LEFT needs a condition that rejects NULLs, which is not looked for. SINGLE
 * may not go below what drops rows: it would find errors in them. */
static bool associates(op_class a, op_class b) {
    return a == OP_INNER && b != OP_SINGLE;
}

/* (1 a 2) b 3 = (1 b 3) a 2 */
static bool left_exchanges(op_class a, op_class b) {
    if (b != OP_SINGLE) return true;
    return a == OP_LEFT || a == OP_SINGLE;
}

/* 1 a (2 b 3) = 2 b (1 a 3) */
static bool right_exchanges(op_class a, op_class b) {
    return a == OP_INNER && b == OP_INNER;
}

/* ---- reading the tree ---- */

typedef struct subtree {
    wr_relations all;
    uint32_t first_operator, end_operator; /* those inside of it */
    bool crosses;                          /* a join without a condition is in it, which leaves no operator behind */
} subtree;

bool wr_join_is_movable(const wr_logical *node) {
    return node->kind == WR_LOGICAL_JOIN && node->join.kind != WR_JOIN_OUTER_FULL && !node->join.dependent;
}

static wr_status collect(wr_join_graph *g, wr_logical *node, bool padded, subtree *out, wr_error *err);

static wr_status add_relation(wr_join_graph *g, wr_logical *node, subtree *out, wr_error *err) {
    if (g->relation_count == WR_RELATIONS_MAX) {
        g->too_large = true;
        return WR_OK;
    }
    wr_relation *r = &g->relations[g->relation_count];
    *r = (wr_relation){.node = node};
    WR_NEED(wr_add_outputs(&r->columns, &g->plan->arena, node));
    *out = (subtree){wr_relation_bit(g->relation_count), g->operator_count, g->operator_count, false};
    g->relation_count++;
    return WR_OK;
}

static wr_status late_substitute(wr_join_graph *g, wr_expr **expr, wr_error *err) {
    wr_substitution by = {&g->plan->arena, g->late, g->late_count};
    WR_NEED(*expr = wr_substitute(&by, *expr));
    return WR_OK;
}

static wr_status relations_of(wr_join_graph *g, const wr_expr *expr, wr_relations *out, wr_error *err) {
    wr_column_set read = {0};
    WR_NEED(wr_expr_columns(expr, &g->plan->arena, &read));
    *out = 0;
    for (uint32_t i = 0; i < g->relation_count; i++) {
        if (wr_column_set_overlaps(&read, &g->relations[i].columns)) *out |= wr_relation_bit(i);
    }
    /* The column of a mark join is made inside of the region: by the join and its left side. */
    for (uint32_t i = 0; i < g->operator_count; i++) {
        const wr_join_operator *o = &g->operators[i];
        if (o->join && o->join->join.mark && wr_column_set_has(&read, o->join->join.mark)) *out |= o->left | o->right;
    }
    return WR_OK;
}

/* A projection in the region: its items are made above. Below a join that pads, only renamed columns may: they are NULL
 * in padded rows as they should. */
static bool can_be_late(const wr_logical *node, bool padded) {
    const wr_logical *child = node->children[0];
    if (node->kind != WR_LOGICAL_PROJECT || !wr_join_is_movable(child)) return false;
    for (uint32_t i = 0; i < node->project.count; i++) {
        const wr_expr *expr = node->project.items[i].expr;
        if (expr->volatile_ || (padded && expr->kind != WR_EXPR_COLUMN)) return false;
    }
    return true;
}

static wr_status collect_late(wr_join_graph *g, wr_logical *node, bool padded, subtree *out, wr_error *err) {
    WR_TRY(collect(g, node->children[0], padded, out, err));
    for (uint32_t i = 0; i < node->project.count; i++) {
        wr_named_expr item = node->project.items[i];
        if (wr_is_pass(&item)) continue;
        WR_TRY(late_substitute(g, &item.expr, err));
        WR_NEED(wr_arena_push(&g->plan->arena, &g->late, &g->late_count, &g->late_capacity, sizeof item, &item));
    }
    return WR_OK;
}

/* SEMI, ANTI and MARK show nothing of their right side: what was late there is for their conditions alone. */
static wr_status hide_late(wr_join_graph *g, uint8_t kind, uint32_t first, wr_error *err) {
    op_class c = class_of(kind);
    if (c != OP_SEMI && c != OP_ANTI && kind != WR_JOIN_MARK) return WR_OK;
    for (uint32_t i = first; i < g->late_count; i++) {
        WR_NEED(wr_column_set_add(&g->late_hidden, &g->plan->arena, g->late[i].id));
    }
    return WR_OK;
}

/* ---- operators ---- */

static wr_status add_rule(wr_join_graph *g, wr_join_operator *o, wr_relations when, wr_relations needs, wr_error *err) {
    wr_conflict_rule rule = {when, needs};
    WR_NEED(wr_arena_push(&g->plan->arena, &o->rules, &o->rule_count, &o->rule_capacity, sizeof rule, &rule));
    return WR_OK;
}

/* What of the other side an operator needs: what its condition reads there, or all of it. */
static wr_relations needed(wr_relations side, wr_relations uses) {
    return side & uses ? side & uses : side;
}

static wr_status find_conflicts(wr_join_graph *g, wr_join_operator *o, const subtree sides[2], wr_error *err) {
    op_class b = class_of(o->kind);
    for (uint32_t i = sides[0].first_operator; i < sides[0].end_operator; i++) {
        const wr_join_operator *a = &g->operators[i];
        op_class c = class_of(a->kind);
        if (!associates(c, b)) WR_TRY(add_rule(g, o, a->right, needed(a->left, a->uses), err));
        if (!left_exchanges(c, b)) WR_TRY(add_rule(g, o, a->left, needed(a->right, a->uses), err));
    }
    for (uint32_t i = sides[1].first_operator; i < sides[1].end_operator; i++) {
        const wr_join_operator *a = &g->operators[i];
        op_class c = class_of(a->kind);
        if (!associates(b, c)) WR_TRY(add_rule(g, o, a->left, needed(a->right, a->uses), err));
        if (!right_exchanges(b, c)) WR_TRY(add_rule(g, o, a->right, needed(a->left, a->uses), err));
    }
    return WR_OK;
}

/* Rules that always hold are part of the TES. */
static void settle(wr_join_operator *o, const subtree sides[2]) {
    wr_relations all = o->uses;
    for (int s = 0; s < 2; s++) {
        if (!(all & sides[s].all)) all |= sides[s].all;
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = 0; i < o->rule_count; i++) {
            if (!(o->rules[i].when & all) || wr_relations_contain(all, o->rules[i].needs)) continue;
            all |= o->rules[i].needs;
            changed = true;
        }
    }
    o->left = all & sides[0].all;
    o->right = all & sides[1].all;
}

static wr_status add_operator(wr_join_graph *g, wr_join_operator *o, const subtree sides[2], wr_error *err) {
    WR_TRY(find_conflicts(g, o, sides, err));
    settle(o, sides);
    WR_NEED(wr_arena_push(&g->plan->arena, &g->operators, &g->operator_count, &g->operator_capacity, sizeof *o, o));
    return WR_OK;
}

static wr_status add_key(wr_join_graph *g, wr_join_key key, const subtree sides[2], wr_error *err) {
    wr_join_operator o = {.kind = WR_JOIN_INNER, .is_key = true, .null_equals_null = key.null_equals_null};
    WR_TRY(late_substitute(g, &key.left, err));
    WR_TRY(late_substitute(g, &key.right, err));
    o.key = key;
    WR_TRY(relations_of(g, key.left, &o.key_left, err));
    WR_TRY(relations_of(g, key.right, &o.key_right, err));
    o.uses = o.key_left | o.key_right;
    /* What can fail is not evaluated before all that the written order puts in front of it. */
    if (key.left->can_fail || key.right->can_fail) o.uses |= sides[0].all | sides[1].all;
    return add_operator(g, &o, sides, err);
}

static wr_status add_condition(wr_join_graph *g, wr_expr *condition, const subtree sides[2], wr_error *err) {
    wr_join_operator o = {.kind = WR_JOIN_INNER};
    WR_TRY(late_substitute(g, &condition, err));
    o.condition = condition;
    WR_TRY(relations_of(g, condition, &o.uses, err));
    if (condition->can_fail || condition->volatile_) o.uses = sides[0].all | sides[1].all;
    return add_operator(g, &o, sides, err);
}

static wr_status add_whole_join(wr_join_graph *g, wr_logical *node, const subtree sides[2], wr_error *err) {
    wr_join_operator o = {.kind = node->join.kind, .join = node};
    wr_relations one;
    o.key_count = node->join.key_count;
    o.residual_count = node->join.residual_count;
    WR_NEED(o.keys = WR_ARENA_ARRAY(&g->plan->arena, wr_join_key, o.key_count + 1));
    WR_NEED(o.residual = WR_ARENA_ARRAY(&g->plan->arena, wr_expr *, o.residual_count + 1));
    bool can_fail = false;
    for (uint32_t i = 0; i < o.key_count; i++) {
        o.keys[i] = node->join.keys[i];
        wr_expr **exprs[2] = {&o.keys[i].left, &o.keys[i].right};
        for (int s = 0; s < 2; s++) {
            WR_TRY(late_substitute(g, exprs[s], err));
            WR_TRY(relations_of(g, *exprs[s], &one, err));
            o.uses |= one;
            can_fail |= (*exprs[s])->can_fail;
        }
    }
    for (uint32_t i = 0; i < o.residual_count; i++) {
        o.residual[i] = node->join.residual[i];
        WR_TRY(late_substitute(g, &o.residual[i], err));
        WR_TRY(relations_of(g, o.residual[i], &one, err));
        o.uses |= one;
        can_fail |= o.residual[i]->can_fail;
    }
    if (can_fail) o.uses |= sides[0].all | sides[1].all;
    /* A single join's right side is one thing: which of its rows are errors depends on all of it. So is one with a
     * cross join: no conflict would keep its parts together, and what is matched or padded depends on all of them. */
    if (o.kind == WR_JOIN_SINGLE || sides[1].crosses) o.uses |= sides[1].all;
    return add_operator(g, &o, sides, err);
}

static wr_status collect_join(wr_join_graph *g, wr_logical *node, bool padded, subtree *out, wr_error *err) {
    bool inner = node->join.kind == WR_JOIN_INNER;
    bool pads_right = node->join.kind == WR_JOIN_OUTER_LEFT || node->join.kind == WR_JOIN_SINGLE;
    subtree sides[2] = {{0}};
    uint32_t first = g->operator_count;
    WR_TRY(collect(g, node->children[0], padded, &sides[0], err));
    uint32_t first_late = g->late_count;
    WR_TRY(collect(g, node->children[1], padded || pads_right, &sides[1], err));
    WR_TRY(hide_late(g, node->join.kind, first_late, err));
    if (g->too_large) return WR_OK;
    if (inner) {
        for (uint32_t i = 0; i < node->join.key_count; i++) WR_TRY(add_key(g, node->join.keys[i], sides, err));
        for (uint32_t i = 0; i < node->join.residual_count; i++) {
            WR_TRY(add_condition(g, node->join.residual[i], sides, err));
        }
    } else {
        WR_TRY(add_whole_join(g, node, sides, err));
    }
    bool crosses = inner && node->join.key_count == 0 && node->join.residual_count == 0;
    crosses |= sides[0].crosses || sides[1].crosses;
    *out = (subtree){sides[0].all | sides[1].all, first, g->operator_count, crosses};
    return WR_OK;
}

static wr_status collect(wr_join_graph *g, wr_logical *node, bool padded, subtree *out, wr_error *err) {
    if (g->too_large) return WR_OK;
    if (wr_join_is_movable(node)) return collect_join(g, node, padded, out, err);
    if (can_be_late(node, padded)) return collect_late(g, node, padded, out, err);
    return add_relation(g, node, out, err);
}

/* ---- equalities that follow from others ---- */

typedef struct member {
    wr_column_id column;
    wr_relations relation;
    uint32_t class_id;
} member;

typedef struct classes {
    member *items;
    uint32_t count, capacity;
    uint32_t last_class;
} classes;

static member *find_member(classes *c, wr_column_id column) {
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->items[i].column == column) return &c->items[i];
    }
    return NULL;
}

static wr_status join_classes(wr_join_graph *g, classes *c, wr_join_operator *o, wr_error *err) {
    uint32_t ids[2] = {0, 0};
    const wr_expr *sides[2] = {o->key.left, o->key.right};
    wr_relations relations[2] = {o->key_left, o->key_right};
    for (int s = 0; s < 2; s++) {
        if (!find_member(c, sides[s]->column)) {
            member fresh = {sides[s]->column, relations[s], ++c->last_class};
            WR_NEED(wr_arena_push(&g->plan->arena, &c->items, &c->count, &c->capacity, sizeof fresh, &fresh));
        }
        ids[s] = find_member(c, sides[s]->column)->class_id;
    }
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->items[i].class_id == ids[1]) c->items[i].class_id = ids[0];
    }
    return WR_OK;
}

static bool is_column_equality(const wr_join_operator *o) {
    return o->is_key && !o->null_equals_null && o->key.left->kind == WR_EXPR_COLUMN &&
           o->key.right->kind == WR_EXPR_COLUMN;
}

static bool has_equality(const wr_join_graph *g, wr_column_id a, wr_column_id b) {
    for (uint32_t i = 0; i < g->operator_count; i++) {
        const wr_join_operator *o = &g->operators[i];
        if (!is_column_equality(o)) continue;
        wr_column_id l = o->key.left->column, r = o->key.right->column;
        if ((l == a && r == b) || (l == b && r == a)) return true;
    }
    return false;
}

/* a = c where a = b and b = c are there. It obeys the rules of those that it follows from. */
static wr_status add_implied(wr_join_graph *g, const classes *c, uint32_t first, uint32_t second, wr_error *err) {
    const member *a = &c->items[first], *b = &c->items[second];
    wr_join_operator o = {.kind = WR_JOIN_INNER, .is_key = true, .class_id = a->class_id};
    o.left_member = first;
    o.right_member = second;
    if (a->relation == b->relation || has_equality(g, a->column, b->column)) return WR_OK;
    WR_NEED(o.key.left = wr_column_of(g->plan, a->column));
    WR_NEED(o.key.right = wr_column_of(g->plan, b->column));
    o.key_left = o.left = a->relation;
    o.key_right = o.right = b->relation;
    o.uses = a->relation | b->relation;
    for (uint32_t i = 0; i < g->operator_count; i++) {
        const wr_join_operator *from = &g->operators[i];
        if (from->class_id != o.class_id) continue;
        if (from->rule_count || !wr_relations_contain(from->uses, from->left | from->right)) return WR_OK;
    }
    WR_NEED(wr_arena_push(&g->plan->arena, &g->operators, &g->operator_count, &g->operator_capacity, sizeof o, &o));
    return WR_OK;
}

static wr_status close_equalities(wr_join_graph *g, wr_error *err) {
    classes c = {0};
    uint32_t given = g->operator_count;
    for (uint32_t i = 0; i < given; i++) {
        if (is_column_equality(&g->operators[i])) WR_TRY(join_classes(g, &c, &g->operators[i], err));
    }
    for (uint32_t i = 0; i < given; i++) {
        wr_join_operator *o = &g->operators[i];
        if (!is_column_equality(o)) continue;
        o->class_id = find_member(&c, o->key.left->column)->class_id;
        o->left_member = (uint32_t)(find_member(&c, o->key.left->column) - c.items);
        o->right_member = (uint32_t)(find_member(&c, o->key.right->column) - c.items);
    }
    g->member_count = c.count;
    for (uint32_t i = 0; i < c.count; i++) {
        for (uint32_t k = i + 1; k < c.count; k++) {
            if (c.items[i].class_id != c.items[k].class_id) continue;
            WR_TRY(add_implied(g, &c, i, k, err));
        }
    }
    return WR_OK;
}

wr_status wr_join_graph_collect(wr_join_graph *g, wr_logical *root, wr_error *err) {
    subtree all = {0};
    WR_TRY(collect(g, root, false, &all, err));
    return g->too_large ? WR_OK : close_equalities(g, err);
}
