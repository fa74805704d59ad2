/* Expressions to a form: numbered nodes, then the scopes in which each is used, then steps.
 *
 *  1. Equal subexpressions become one node (hash consing; volatile calls stay apart).
 *  2. A walk from every expression notes in which scopes each node is used, and makes the scopes on the way.
 *  3. Steps are emitted depth first. A node that cannot fail goes to the innermost scope around all its uses, one that
 *     can fail to the outermost of its scopes that encloses the use at hand; so a condition is always computed before
 *     what it guards.
 *
 * In a filter every term has a scope of its own under the root, whose rows are what the terms before it have let pass.
 * The scopes of terms that can fail hang below each other, as these run in the written order. */
#include <math.h>

#include "base/hash.h"
#include "plan/cast.h"
#include "plan/functions/internal.h"
#include "plan/program_internal.h"

/* From this cost on, a later term of AND or OR is worth a scope of its own. */
#define GUARD_COST_NS 2.0f

typedef struct use {
    uint32_t scope, reg; /* reg: NONE until emitted there */
} use;

typedef struct node {
    wr_expr *expr;
    uint32_t *args;
    uint32_t arg_count;
    uint64_t hash;
    bool can_fail; /* it or something below */
    float cost_ns; /* of all of it */
    use *uses;
    uint32_t use_count, use_capacity;
} node;

typedef struct compiler {
    form *form;
    wr_program *program;
    const wr_column_id *inputs;
    wr_arena scratch;
    node *nodes;
    uint32_t node_count, node_capacity;
    uint32_t *table; /* node numbers by hash; NONE is empty */
    uint32_t table_size;
    uint32_t *scope_nodes; /* the condition of each scope, as a node */
    uint32_t scope_node_count, scope_node_capacity;
    bool as_filter;
    wr_error *err;
} compiler;

static wr_status no_memory(compiler *c) {
    return wr_fail_memory(c->err, sizeof(node), "compiling an expression");
}

/* ---- nodes ---- */

static wr_status grow_table(compiler *c) {
    uint32_t size = c->table_size ? c->table_size * 2 : 64;
    uint32_t *table = WR_ARENA_ARRAY(&c->scratch, uint32_t, size);
    if (!table) return no_memory(c);
    memset(table, 0xff, size * sizeof *table);
    for (uint32_t i = 0; i < c->node_count; i++) {
        uint32_t at = (uint32_t)c->nodes[i].hash & (size - 1);
        while (table[at] != NONE) at = (at + 1) & (size - 1);
        table[at] = i;
    }
    c->table = table;
    c->table_size = size;
    return WR_OK;
}

static bool same_node(const node *a, const node *b) {
    if (a->hash != b->hash || a->arg_count != b->arg_count || a->expr->kind != b->expr->kind) return false;
    for (uint32_t i = 0; i < a->arg_count; i++) {
        if (a->args[i] != b->args[i]) return false;
    }
    if (a->expr->kind == WR_EXPR_IN || a->arg_count == 0) return wr_expr_equal(a->expr, b->expr);
    if (!wr_type_equal(a->expr->type, b->expr->type) || a->expr->try_ != b->expr->try_) return false;
    return a->expr->kind != WR_EXPR_CALL || a->expr->function == b->expr->function;
}

static float own_cost(const wr_expr *e) {
    switch ((wr_expr_kind)e->kind) {
    case WR_EXPR_CALL: return e->function->cost_ns > 0 ? e->function->cost_ns : 1;
    case WR_EXPR_CAST: return wr_cast_cost_ns(e->args[0]->type, e->type);
    case WR_EXPR_IN: return e->arg_count < 10 ? 0.3f * (float)e->arg_count : 4;
    case WR_EXPR_CASE: return 1;
    case WR_EXPR_COLUMN:
    case WR_EXPR_CONSTANT:
    case WR_EXPR_PARAMETER: return 0;
    default: return 0.1f;
    }
}

/* IN keeps its constants to itself. */
static uint32_t node_args(const wr_expr *e) {
    return e->kind == WR_EXPR_IN ? 1 : e->arg_count;
}

static wr_status intern(compiler *c, wr_expr *expr, uint32_t *out) {
    node n = {.expr = expr, .arg_count = node_args(expr), .can_fail = expr->can_fail, .cost_ns = own_cost(expr)};
    if (expr->kind == WR_EXPR_AGGREGATE || expr->kind == WR_EXPR_SUBQUERY) {
        return wr_fail(c->err, WR_INTERNAL, "%s reached the evaluator",
                       expr->kind == WR_EXPR_SUBQUERY ? "a subquery" : "an aggregate");
    }
    n.args = WR_ARENA_ARRAY(&c->scratch, uint32_t, n.arg_count + 1);
    if (!n.args) return no_memory(c);
    bool leaf = n.arg_count == 0 || expr->kind == WR_EXPR_IN;
    n.hash = leaf ? wr_expr_hash(expr) : wr_hash_u64((uint64_t)expr->kind << 8 | expr->type.id);
    for (uint32_t i = 0; i < n.arg_count; i++) {
        WR_TRY(intern(c, expr->args[i], &n.args[i]));
        n.hash = wr_hash_combine(n.hash, n.args[i]);
        n.cost_ns += c->nodes[n.args[i]].cost_ns;
    }
    if (expr->kind == WR_EXPR_CALL) n.hash = wr_hash_combine(n.hash, (uint64_t)(uintptr_t)expr->function);
    if (2 * (c->node_count + 1) > c->table_size) WR_TRY(grow_table(c));
    uint32_t at = (uint32_t)n.hash & (c->table_size - 1);
    for (; c->table[at] != NONE; at = (at + 1) & (c->table_size - 1)) {
        if (expr->volatile_ || !same_node(&c->nodes[c->table[at]], &n)) continue;
        *out = c->table[at];
        return WR_OK;
    }
    c->table[at] = c->node_count;
    *out = c->node_count;
    if (!wr_arena_push(&c->scratch, &c->nodes, &c->node_count, &c->node_capacity, sizeof n, &n)) return no_memory(c);
    return WR_OK;
}

/* ---- scopes ---- */

static wr_status add_scope(compiler *c, uint32_t parent, uint32_t condition_node, scope_mode mode, uint32_t *out) {
    form *f = c->form;
    scope s = {.parent = parent, .condition = NONE, .mode = (uint8_t)mode};
    *out = f->scope_count;
    if (!wr_arena_push(&c->program->arena, &f->scopes, &f->scope_count, &f->scope_capacity, sizeof s, &s) ||
        !wr_arena_push(&c->scratch, &c->scope_nodes, &c->scope_node_count, &c->scope_node_capacity,
                       sizeof condition_node, &condition_node)) {
        return no_memory(c);
    }
    return WR_OK;
}

/* The rows of `parent` where the node's value is as `mode` says: the same scope for the same question. */
static wr_status inner_scope(compiler *c, uint32_t parent, uint32_t condition_node, scope_mode mode, uint32_t *out) {
    for (uint32_t s = SCOPE_ROOT + 1; s < c->form->scope_count; s++) {
        const scope *found = &c->form->scopes[s];
        if (found->parent == parent && c->scope_nodes[s] == condition_node && found->mode == mode) {
            *out = s;
            return WR_OK;
        }
    }
    return add_scope(c, parent, condition_node, mode, out);
}

static bool encloses(const form *f, uint32_t outer, uint32_t inner) {
    while (inner != outer && inner != SCOPE_BATCH) inner = f->scopes[inner].parent;
    return inner == outer;
}

static uint32_t common_scope(const form *f, uint32_t a, uint32_t b) {
    while (!encloses(f, a, b)) a = f->scopes[a].parent;
    return a;
}

static bool is_guarded(const node *term) {
    return term->can_fail || term->cost_ns >= GUARD_COST_NS;
}

/* ---- uses ---- */

static wr_status note_uses(compiler *c, uint32_t n, uint32_t s);

/* Calls `each` with every argument of an AND, OR or CASE and the scope that it is evaluated in. */
static wr_status
each_branch(compiler *c, uint32_t n, uint32_t s,
            wr_status (*each)(compiler *c, uint32_t arg, uint32_t inside, uint32_t position, void *user), void *user) {
    const node *self = &c->nodes[n];
    uint32_t count = self->arg_count, *args = self->args, rest = s;
    if (self->expr->kind == WR_EXPR_CASE) {
        for (uint32_t i = 0; i + 1 < count; i += 2) {
            uint32_t taken;
            WR_TRY(each(c, args[i], rest, i, user));
            WR_TRY(inner_scope(c, rest, args[i], KEEP_TRUE, &taken));
            WR_TRY(each(c, args[i + 1], taken, i + 1, user));
            WR_TRY(inner_scope(c, rest, args[i], KEEP_NOT_TRUE, &rest));
        }
        return each(c, args[count - 1], rest, count - 1, user);
    }
    scope_mode mode = self->expr->kind == WR_EXPR_AND ? KEEP_NOT_FALSE : KEEP_NOT_TRUE;
    uint32_t guarded_from = count;
    for (uint32_t i = count; i-- > 1;) {
        if (is_guarded(&c->nodes[args[i]])) guarded_from = i;
    }
    for (uint32_t i = 0; i < count; i++) {
        bool inside = i >= guarded_from && is_guarded(&c->nodes[args[i]]);
        WR_TRY(each(c, args[i], inside ? rest : s, i, user));
        /* Later guarded terms see the rows that this one has left open. */
        bool guards_later = false;
        for (uint32_t k = i + 1; k < count; k++) guards_later |= is_guarded(&c->nodes[args[k]]);
        if (guards_later) WR_TRY(inner_scope(c, rest, args[i], mode, &rest));
    }
    return WR_OK;
}

static wr_status note_branch(compiler *c, uint32_t arg, uint32_t inside, uint32_t position, void *user) {
    (void)position;
    (void)user;
    return note_uses(c, arg, inside);
}

static bool is_control(const wr_expr *e) {
    return e->kind == WR_EXPR_AND || e->kind == WR_EXPR_OR || e->kind == WR_EXPR_CASE;
}

static wr_status note_uses(compiler *c, uint32_t n, uint32_t s) {
    node *self = &c->nodes[n];
    for (uint32_t i = 0; i < self->use_count; i++) {
        if (self->uses[i].scope == s) return WR_OK;
    }
    use u = {s, NONE};
    if (!wr_arena_push(&c->scratch, &self->uses, &self->use_count, &self->use_capacity, sizeof u, &u)) {
        return no_memory(c);
    }
    if (is_control(self->expr)) return each_branch(c, n, s, note_branch, NULL);
    for (uint32_t i = 0; i < self->arg_count; i++) WR_TRY(note_uses(c, self->args[i], s));
    return WR_OK;
}

/* ---- steps ---- */

static wr_status add_operand(compiler *c, uint32_t r, uint32_t s, uint32_t *out) {
    form *f = c->form;
    for (uint32_t o = 0; o < f->operand_count; o++) {
        if (f->operands[o].reg == r && f->operands[o].scope == s) {
            *out = o;
            return WR_OK;
        }
    }
    operand made = {r, s};
    *out = f->operand_count;
    if (f->regs[r].scope != s && !f->regs[r].constant) f->scopes[s].moved++;
    if (!wr_arena_push(&c->program->arena, &f->operands, &f->operand_count, &f->operand_capacity, sizeof made, &made)) {
        return no_memory(c);
    }
    return WR_OK;
}

static wr_status add_reg(compiler *c, reg made, uint32_t *out) {
    form *f = c->form;
    *out = f->reg_count;
    if (!wr_arena_push(&c->program->arena, &f->regs, &f->reg_count, &f->reg_capacity, sizeof made, &made)) {
        return no_memory(c);
    }
    return WR_OK;
}

static wr_status add_literal(compiler *c, const wr_value *value, uint32_t *out) {
    reg made = {.type = value->type, .scope = SCOPE_BATCH, .step = NONE, .constant = true};
    wr_status status = wr_vector_constant(&made.value, c->program->allocator, value, 1, c->err);
    if (status == WR_OK) status = add_reg(c, made, out);
    if (status != WR_OK) wr_vector_deinit(&made.value);
    return status;
}

static wr_status emit_leaf(compiler *c, const wr_expr *e, uint32_t *out) {
    if (e->kind == WR_EXPR_CONSTANT) return add_literal(c, &e->value, out);
    if (e->kind == WR_EXPR_PARAMETER) {
        const wr_program_environment *environment = &c->program->environment;
        if (e->parameter >= environment->parameter_count) {
            return wr_fail_at(c->err, WR_INVALID, e->position, "parameter $%u has no value", e->parameter + 1);
        }
        wr_value value;
        WR_TRY(wr_value_cast(&environment->parameters[e->parameter], e->type, &c->program->arena, &value, c->err));
        return add_literal(c, &value, out);
    }
    for (uint32_t i = 0; i < c->program->input_count; i++) {
        if (c->inputs[i] == e->column) {
            *out = i;
            return WR_OK;
        }
    }
    return wr_fail(c->err, WR_INTERNAL, "column #%u is not among the inputs of an expression", e->column);
}

/* Where the node is computed for a use in `s`. */
static uint32_t home_of(const compiler *c, const node *n, uint32_t s) {
    uint32_t home = s;
    for (uint32_t i = 0; i < n->use_count; i++) {
        uint32_t other = n->uses[i].scope;
        if (!n->can_fail && !n->expr->volatile_) {
            home = common_scope(c->form, home, other);
        } else if (encloses(c->form, other, home)) {
            home = other;
        }
    }
    return home < SCOPE_ROOT ? SCOPE_ROOT : home;
}

static wr_status emit(compiler *c, uint32_t n, uint32_t s, uint32_t *out);

typedef struct branches {
    uint32_t *args; /* operands */
} branches;

static wr_status emit_branch(compiler *c, uint32_t arg, uint32_t s, uint32_t position, void *user) {
    branches *b = user;
    uint32_t r;
    WR_TRY(emit(c, arg, s, &r));
    WR_TRY(add_operand(c, r, s, &b->args[position]));
    /* Scopes in here that ask this node can be entered from now on. */
    for (uint32_t k = SCOPE_ROOT + 1; k < c->form->scope_count; k++) {
        if (c->scope_nodes[k] != arg || c->form->scopes[k].condition != NONE) continue;
        uint32_t parent = c->form->scopes[k].parent, condition;
        if (!encloses(c->form, s, parent)) continue;
        WR_TRY(add_operand(c, r, parent, &condition));
        c->form->scopes[k].condition = condition;
    }
    return WR_OK;
}

static wr_status emit_args(compiler *c, uint32_t n, uint32_t home, uint32_t *args) {
    branches b = {args};
    if (is_control(c->nodes[n].expr)) return each_branch(c, n, home, emit_branch, &b);
    for (uint32_t i = 0; i < c->nodes[n].arg_count; i++) {
        uint32_t r;
        WR_TRY(emit(c, c->nodes[n].args[i], home, &r));
        WR_TRY(add_operand(c, r, home, &args[i]));
    }
    return WR_OK;
}

static wr_status describe_step(compiler *c, const wr_expr *e, step *s) {
    s->position = e->position;
    s->cost_ns = own_cost(e);
    switch ((wr_expr_kind)e->kind) {
    case WR_EXPR_CALL:
        s->function = e->function;
        s->data = e->function_data;
        s->can_fail = e->own_can_fail;
        return WR_OK;
    case WR_EXPR_CAST:
        if (wr_cast_is_relabel(e->args[0]->type, e->type)) {
            s->kind = STEP_RELABEL;
            return WR_OK;
        }
        s->function = &wr_cast_functions[e->try_];
        s->can_fail = !e->try_ && wr_cast_can_fail(e->args[0]->type, e->type);
        return WR_OK;
    case WR_EXPR_NOT: s->function = &wr_not_function; return WR_OK;
    case WR_EXPR_IN: s->function = &wr_in_function; return wr_in_list_create(&c->program->arena, e, &s->data, c->err);
    case WR_EXPR_IS_NULL: s->kind = STEP_IS_NULL; return WR_OK;
    case WR_EXPR_AND: s->kind = STEP_AND; return WR_OK;
    case WR_EXPR_OR: s->kind = STEP_OR; return WR_OK;
    case WR_EXPR_CASE: s->kind = STEP_CASE; return WR_OK;
    default: return wr_fail(c->err, WR_INTERNAL, "an expression of kind %u cannot be evaluated", e->kind);
    }
}

static wr_status emit_step(compiler *c, uint32_t n, uint32_t home, uint32_t *out) {
    form *f = c->form;
    const node *self = &c->nodes[n];
    uint32_t *args = WR_ARENA_ARRAY(&c->scratch, uint32_t, self->arg_count + 1);
    if (!args) return no_memory(c);
    WR_TRY(emit_args(c, n, home, args));
    step made = {.kind = STEP_CALL, .scope = home, .first_arg = f->arg_count, .arg_count = self->arg_count};
    WR_TRY(describe_step(c, self->expr, &made));
    bool constant = !self->expr->volatile_;
    for (uint32_t i = 0; i < self->arg_count; i++) {
        constant = constant && f->regs[f->operands[args[i]].reg].constant;
        if (!wr_arena_push(&c->program->arena, &f->args, &f->arg_count, &f->arg_capacity, sizeof *args, &args[i])) {
            return no_memory(c);
        }
    }
    if (f->max_args < self->arg_count) f->max_args = self->arg_count;
    /* Constant calls run once and cost nothing; control steps look at their scopes and so at the batch. */
    constant = constant && made.kind == STEP_CALL;
    WR_TRY(add_reg(c, (reg){.type = self->expr->type, .scope = home, .step = f->step_count, .constant = constant},
                   &made.result));
    if (!constant) f->scopes[home].cost_ns += made.cost_ns;
    *out = made.result;
    if (!wr_arena_push(&c->program->arena, &f->steps, &f->step_count, &f->step_capacity, sizeof made, &made)) {
        return no_memory(c);
    }
    return WR_OK;
}

static wr_status remember(compiler *c, uint32_t n, uint32_t home, uint32_t r) {
    node *self = &c->nodes[n];
    for (uint32_t i = 0; i < self->use_count; i++) {
        if (self->uses[i].scope == home) {
            self->uses[i].reg = r;
            return WR_OK;
        }
    }
    use u = {home, r};
    return wr_arena_push(&c->scratch, &self->uses, &self->use_count, &self->use_capacity, sizeof u, &u) ? WR_OK
                                                                                                        : no_memory(c);
}

static wr_status emit(compiler *c, uint32_t n, uint32_t s, uint32_t *out) {
    bool leaf = c->nodes[n].arg_count == 0 && c->nodes[n].expr->kind != WR_EXPR_CALL;
    uint32_t home = leaf ? SCOPE_BATCH : home_of(c, &c->nodes[n], s);
    for (uint32_t i = 0; i < c->nodes[n].use_count; i++) {
        if (c->nodes[n].uses[i].scope == home && c->nodes[n].uses[i].reg != NONE) {
            *out = c->nodes[n].uses[i].reg;
            return WR_OK;
        }
    }
    WR_TRY(leaf ? emit_leaf(c, c->nodes[n].expr, out) : emit_step(c, n, home, out));
    return remember(c, n, home, *out);
}

/* ---- filters ---- */

/* A comparison of something with a constant, as a bound: low <= it, or it <= high. */
typedef struct bound {
    wr_expr *operand;
    wr_value value;
    bool is_low;
} bound;

static bool step_integer(wr_value *v, int by) {
    wr_phys phys = wr_type_phys(v->type);
    switch (phys) {
    case WR_PHYS_I8:
    case WR_PHYS_I16:
    case WR_PHYS_I32:
    case WR_PHYS_I64: {
        unsigned bits = 8 * (unsigned)wr_phys_bytes(phys);
        int64_t most = (int64_t)(UINT64_MAX >> (65 - bits));
        if (by > 0 ? v->i64 == most : v->i64 == -most - 1) return false;
        v->i64 += by;
        return true;
    }
    case WR_PHYS_U8:
    case WR_PHYS_U16:
    case WR_PHYS_U32:
    case WR_PHYS_U64:
        if (by > 0 ? v->u64 == UINT64_MAX >> (64 - 8 * wr_phys_bytes(phys)) : v->u64 == 0) return false;
        v->u64 += (uint64_t)(int64_t)by;
        return true;
    case WR_PHYS_I128: v->i128 += by; return true;
    default: return false;
    }
}

static bool as_bound(const wr_expr *e, bound *out) {
    if (e->kind != WR_EXPR_CALL || e->arg_count != 2 || e->can_fail || e->volatile_) return false;
    const char *sign = e->function->name;
    bool less = sign[0] == '<' && sign[1] != '>', greater = sign[0] == '>';
    if ((!less && !greater) || (sign[1] != 0 && sign[1] != '=')) return false;
    bool constant_left = e->args[0]->kind == WR_EXPR_CONSTANT;
    const wr_expr *constant = e->args[constant_left ? 0 : 1];
    if (constant->kind != WR_EXPR_CONSTANT || constant->value.is_null) return false;
    wr_phys phys = wr_type_phys(constant->type);
    if (phys == WR_PHYS_BOOL || phys > WR_PHYS_F64) return false;
    *out = (bound){e->args[constant_left ? 1 : 0], constant->value, greater != constant_left};
    return sign[1] == '=' || step_integer(&out->value, out->is_low ? 1 : -1);
}

static wr_expr *range_of(wr_arena *arena, const bound *low, const bound *high) {
    wr_expr *e = wr_expr_create(arena, WR_EXPR_CALL, wr_type_of(WR_TYPE_BOOLEAN), 3);
    if (!e) return NULL;
    e->function = &wr_range_function;
    e->args[0] = low->operand;
    e->args[1] = wr_expr_constant(arena, low->value);
    e->args[2] = wr_expr_constant(arena, high->value);
    return e->args[1] && e->args[2] ? wr_expr_refresh(e) : NULL;
}

/* Flattens ANDs, and makes one pass of two bounds on the same thing. */
static wr_status prepare_terms(compiler *c, wr_expr *const *expressions, uint32_t count, wr_expr ***out,
                               uint32_t *out_count) {
    wr_expr *all = wr_expr_junction(&c->scratch, WR_EXPR_AND, expressions, count);
    if (!all) return no_memory(c);
    uint32_t term_count = all->kind == WR_EXPR_AND ? all->arg_count : 1, kept = 0;
    wr_expr **terms = WR_ARENA_ARRAY(&c->scratch, wr_expr *, term_count);
    if (!terms) return no_memory(c);
    for (uint32_t i = 0; i < term_count; i++) {
        wr_expr *term = all->kind == WR_EXPR_AND ? all->args[i] : all;
        bound mine, other;
        uint32_t partner = kept;
        if (as_bound(term, &mine)) {
            for (uint32_t k = 0; k < kept && partner == kept; k++) {
                bool fits = as_bound(terms[k], &other) && other.is_low != mine.is_low;
                if (fits && wr_expr_equal(other.operand, mine.operand)) partner = k;
            }
        }
        if (partner == kept) {
            terms[kept++] = term;
            continue;
        }
        (void)as_bound(terms[partner], &other);
        terms[partner] = range_of(&c->scratch, mine.is_low ? &mine : &other, mine.is_low ? &other : &mine);
        if (!terms[partner]) return no_memory(c);
    }
    *out = terms;
    *out_count = kept;
    return WR_OK;
}

/* Steps that computing a register takes, in order. `wanted` has a bit a step. */
static void mark_needed(const form *f, uint32_t r, uint64_t *wanted) {
    uint32_t s = f->regs[r].step;
    if (s == NONE || wr_bit_get(wanted, s)) return;
    wr_bit_set(wanted, s);
    for (uint32_t i = 0; i < f->steps[s].arg_count; i++) {
        mark_needed(f, f->operands[f->args[f->steps[s].first_arg + i]].reg, wanted);
    }
    for (uint32_t k = f->steps[s].scope; k > SCOPE_ROOT; k = f->scopes[k].parent) {
        if (f->scopes[k].condition != NONE) mark_needed(f, f->operands[f->scopes[k].condition].reg, wanted);
    }
}

static wr_status add_needs(compiler *c, conjunct *made) {
    form *f = c->form;
    uint64_t *wanted = WR_ARENA_ARRAY(&c->scratch, uint64_t, wr_bitmap_words(f->step_count) + 1);
    if (!wanted) return no_memory(c);
    mark_needed(f, f->operands[made->value].reg, wanted);
    made->first_step = f->need_count;
    for (uint32_t s = 0; s < f->step_count; s++) {
        if (!wr_bit_get(wanted, s)) continue;
        if (!wr_arena_push(&c->program->arena, &f->needs, &f->need_count, &f->need_capacity, sizeof s, &s)) {
            return no_memory(c);
        }
    }
    made->step_count = f->need_count - made->first_step;
    return WR_OK;
}

static wr_status compile_filter(compiler *c, wr_expr *const *expressions, uint32_t count) {
    form *f = c->form;
    wr_expr **terms;
    WR_TRY(prepare_terms(c, expressions, count, &terms, &count));
    uint32_t *nodes = WR_ARENA_ARRAY(&c->scratch, uint32_t, count + 1);
    uint32_t *scopes = WR_ARENA_ARRAY(&c->scratch, uint32_t, count + 1);
    if (!nodes || !scopes) return no_memory(c);
    uint32_t last_failing = SCOPE_ROOT;
    for (uint32_t i = 0; i < count; i++) {
        WR_TRY(intern(c, terms[i], &nodes[i]));
        bool fails = c->nodes[nodes[i]].can_fail;
        WR_TRY(add_scope(c, fails ? last_failing : SCOPE_ROOT, NONE, KEEP_TRUE, &scopes[i]));
        if (fails) last_failing = scopes[i];
    }
    for (uint32_t i = 0; i < count; i++) WR_TRY(note_uses(c, nodes[i], scopes[i]));
    for (uint32_t i = 0; i < count; i++) {
        const node *n = &c->nodes[nodes[i]];
        conjunct made = {.scope = scopes[i], .can_fail = n->can_fail, .cost_ns = n->cost_ns};
        uint32_t r;
        WR_TRY(emit(c, nodes[i], scopes[i], &r));
        WR_TRY(add_operand(c, r, scopes[i], &made.value));
        WR_TRY(add_needs(c, &made));
        if (!wr_arena_push(&c->program->arena, &f->conjuncts, &f->conjunct_count, &f->conjunct_capacity, sizeof made,
                           &made)) {
            return no_memory(c);
        }
    }
    return WR_OK;
}

static wr_status compile_plain(compiler *c, wr_expr *const *expressions, uint32_t count) {
    form *f = c->form;
    uint32_t *nodes = WR_ARENA_ARRAY(&c->scratch, uint32_t, count + 1);
    f->results = WR_ARENA_ARRAY(&c->program->arena, uint32_t, count + 1);
    if (!nodes || !f->results) return no_memory(c);
    f->result_count = count;
    for (uint32_t i = 0; i < count; i++) WR_TRY(intern(c, expressions[i], &nodes[i]));
    for (uint32_t i = 0; i < count; i++) WR_TRY(note_uses(c, nodes[i], SCOPE_ROOT));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t r;
        WR_TRY(emit(c, nodes[i], SCOPE_ROOT, &r));
        f->results[i] = r;
    }
    return WR_OK;
}

wr_status wr_form_compile(form *f, wr_program *program, wr_expr *const *expressions, uint32_t count,
                          const wr_column_id *inputs, bool as_filter, wr_error *err) {
    compiler c = {.form = f, .program = program, .inputs = inputs, .as_filter = as_filter, .err = err};
    wr_arena_init(&c.scratch, program->allocator);
    wr_status status = WR_OK;
    uint32_t ignored;
    WR_TRY_CLEANUP(add_scope(&c, SCOPE_BATCH, NONE, KEEP_TRUE, &ignored));
    WR_TRY_CLEANUP(add_scope(&c, SCOPE_BATCH, NONE, KEEP_TRUE, &ignored));
    for (uint32_t i = 0; i < program->input_count; i++) {
        WR_TRY_CLEANUP(add_reg(&c, (reg){.scope = SCOPE_BATCH, .step = NONE}, &ignored));
    }
    status = as_filter ? compile_filter(&c, expressions, count) : compile_plain(&c, expressions, count);
cleanup:
    wr_arena_deinit(&c.scratch);
    return status;
}
