/* Constant folding and simplification of every expression.
 *
 * What depends on constants alone is computed; parameters and what is fixed for one query (the clock) count as
 * constants here, as a plan is made for one run. NOT moves down to comparisons, constants go to the right, a chain of
 * equalities with constants becomes IN. A rewrite may drop an expression that could have failed, but never one that
 * decides whether another is evaluated: `x <> 0 AND 1 / x > 2` keeps its order. */
#include "optimize/optimize_internal.h"

typedef struct simplifier {
    wr_arena *arena;
    const wr_optimizer_context *context;
} simplifier;

static wr_expr *simplify_node(wr_expr *e, void *user);

static wr_expr *null_of(simplifier *s, wr_type type) {
    return wr_expr_constant(s->arena, (wr_value){.type = type, .is_null = true});
}

/* ---- constants ---- */

static bool all_constant(const wr_expr *e, uint32_t first) {
    for (uint32_t i = first; i < e->arg_count; i++) {
        if (e->args[i]->kind != WR_EXPR_CONSTANT) return false;
    }
    return true;
}

/* now() and the like: one answer for the whole query, and the query's clock and zone are known. */
static wr_expr *fold_stable(simplifier *s, wr_expr *e) {
    if (e->volatile_ || !all_constant(e, 0)) return e;
    if (e->kind != WR_EXPR_CALL && e->kind != WR_EXPR_CAST) return e;
    wr_value value;
    if (wr_expr_evaluate(s->arena, e, &s->context->environment, &value, NULL) != WR_OK) return e;
    wr_expr *constant = wr_expr_constant(s->arena, value);
    if (constant) constant->position = e->position;
    return constant;
}

static wr_expr *fold_parameter(simplifier *s, wr_expr *e) {
    const wr_program_environment *environment = &s->context->environment;
    if (!environment->parameters || e->parameter >= environment->parameter_count) return e;
    const wr_value *value = &environment->parameters[e->parameter];
    if (!wr_type_equal(value->type, e->type)) return e;
    wr_expr *constant = wr_expr_constant(s->arena, *value);
    if (constant && value->type.id == WR_TYPE_VARCHAR && !value->is_null) {
        constant->value.text = wr_arena_copy(s->arena, value->text);
        if (!constant->value.text.data) return NULL;
    }
    return constant;
}

/* ---- AND and OR ---- */

typedef struct equalities {
    wr_expr *operand; /* of a run of `operand = constant` and `operand IN (…)` */
    wr_expr **values;
    uint32_t count, capacity;

} equalities;

/* `x = constant` or `x IN (constants)`: gives x and adds the constants. */
static wr_expr *equality_operand(const wr_expr *term) {
    wr_compare_op op;
    wr_expr *left, *right;
    if (term->kind == WR_EXPR_IN) return term->args[0];
    if (!wr_match_compare(term, &op, &left, &right) || op != WR_EQ) return NULL;
    return right->kind == WR_EXPR_CONSTANT && wr_type_equal(left->type, right->type) ? left : NULL;
}

static bool add_values(simplifier *s, equalities *q, const wr_expr *term) {
    uint32_t count = term->kind == WR_EXPR_IN ? term->arg_count - 1 : 1;
    for (uint32_t i = 0; i < count; i++) {
        wr_expr *value = term->args[i + 1];
        bool known = false;
        for (uint32_t k = 0; k < q->count && !known; k++) known = wr_expr_equal(q->values[k], value);
        if (!known && !wr_arena_push(s->arena, &q->values, &q->count, &q->capacity, sizeof value, &value)) return false;
    }
    return true;
}

static wr_expr *in_of(simplifier *s, const equalities *q) {
    wr_expr *in = wr_expr_create(s->arena, WR_EXPR_IN, wr_type_of(WR_TYPE_BOOLEAN), q->count + 1);
    if (!in) return NULL;
    in->args[0] = q->operand;
    memcpy(in->args + 1, q->values, q->count * sizeof *q->values);
    in->position = q->operand->position;
    return wr_expr_refresh(in);
}

/* x = 1 OR y OR x IN (2, 3)  →  x IN (1, 2, 3) OR y. Only where x cannot fail: its place moves. */
static bool merge_equalities(simplifier *s, wr_terms *terms) {
    for (uint32_t i = 0; i < terms->count; i++) {
        equalities q = {.operand = equality_operand(terms->items[i])};
        if (!q.operand || q.operand->can_fail || q.operand->volatile_ || !add_values(s, &q, terms->items[i])) continue;
        uint32_t kept = i + 1;
        for (uint32_t k = i + 1; k < terms->count; k++) {
            const wr_expr *operand = equality_operand(terms->items[k]);
            if (operand && wr_expr_equal(operand, q.operand)) {
                if (!add_values(s, &q, terms->items[k])) return false;
            } else {
                terms->items[kept++] = terms->items[k];
            }
        }
        if (kept == terms->count) continue;
        terms->count = kept;
        if (!(terms->items[i] = in_of(s, &q))) return false;
    }
    return true;
}

static wr_expr *simplify_junction(simplifier *s, wr_expr *e) {
    bool and = e->kind == WR_EXPR_AND;
    wr_terms terms = {0};
    for (uint32_t i = 0; i < e->arg_count; i++) {
        wr_expr *term = e->args[i];
        bool constant = term->kind == WR_EXPR_CONSTANT && !term->value.is_null;
        if (constant && term->value.boolean == and) continue;
        if (constant) return term; /* decides alone; what stands before it may only fail */
        bool nested = term->kind == e->kind;
        for (uint32_t k = 0; k < (nested ? term->arg_count : 1); k++) {
            wr_expr *item = nested ? term->args[k] : term;
            bool known = false;
            for (uint32_t n = 0; n < terms.count && !known; n++) {
                known = !item->volatile_ && wr_expr_equal(terms.items[n], item);
            }
            if (!known && !wr_arena_push(s->arena, &terms.items, &terms.count, &terms.capacity, sizeof item, &item))
                return NULL;
        }
    }
    if (!and&&!merge_equalities(s, &terms)) return NULL;
    if (terms.count == e->arg_count) {
        bool same = true;
        for (uint32_t i = 0; i < terms.count; i++) same &= terms.items[i] == e->args[i];
        if (same) return e;
    }
    return wr_expr_junction(s->arena, (wr_expr_kind)e->kind, terms.items, terms.count);
}

/* ---- NOT ---- */

static wr_expr *simplify_not(simplifier *s, wr_expr *e) {
    wr_expr *x = e->args[0], *left, *right;
    wr_compare_op op;
    if (x->kind == WR_EXPR_NOT) return x->args[0];
    if (x->kind == WR_EXPR_CONSTANT) return x->value.is_null ? x : wr_expr_boolean(s->arena, !x->value.boolean);
    if (wr_match_compare(x, &op, &left, &right))
        return wr_make_compare(s->context, s->arena, wr_compare_negated(op), left, right);
    if (x->kind != WR_EXPR_AND && x->kind != WR_EXPR_OR) return e;
    /* De Morgan keeps the order, and with it which terms are reached. */
    wr_expr_kind kind = x->kind == WR_EXPR_AND ? WR_EXPR_OR : WR_EXPR_AND;
    wr_expr *made = wr_expr_create(s->arena, kind, x->type, x->arg_count);
    if (!made) return NULL;
    for (uint32_t i = 0; i < x->arg_count; i++) {
        wr_expr *negated = wr_make_not(s->arena, x->args[i]);
        if (!negated || !(made->args[i] = simplify_node(negated, s))) return NULL;
    }
    made->position = e->position;
    return simplify_node(wr_expr_refresh(made), s);
}

/* ---- comparisons ---- */

/* A cast that keeps every value apart and in order: to a wider type of the same kind. */
static bool widens(const wr_expr *cast) {
    if (cast->kind != WR_EXPR_CAST || cast->try_) return false;
    wr_type from = cast->args[0]->type;
    bool number = wr_type_is_integer(from) || from.id == WR_TYPE_DECIMAL;
    bool exact = wr_type_is_integer(cast->type) || cast->type.id == WR_TYPE_DECIMAL;
    return number && exact && wr_cast_cost(from, cast->type) >= 0;
}

/* CAST(x AS wide) < constant  →  x < constant of x's type, where it is one. */
static wr_expr *narrow_comparison(simplifier *s, wr_expr *e, wr_compare_op op, wr_expr *left, wr_expr *right) {
    if (!widens(left) || right->kind != WR_EXPR_CONSTANT || right->value.is_null) return e;
    wr_value narrow, back;
    wr_type type = left->args[0]->type;
    if (wr_value_cast(&right->value, type, s->arena, &narrow, NULL) != WR_OK) return e;
    if (wr_value_cast(&narrow, right->type, s->arena, &back, NULL) != WR_OK || !wr_value_equal(&back, &right->value))
        return e;
    wr_expr *constant = wr_expr_constant(s->arena, narrow);
    if (!constant) return NULL;
    return wr_make_compare(s->context, s->arena, op, left->args[0], constant);
}

/* f(x) <op> constant as a range of x, where f says which x give the constant: year(d) = 1995. */
static wr_expr *invert_function(simplifier *s, wr_expr *e, wr_compare_op op, wr_expr *left, wr_expr *right) {
    wr_expr *x = NULL;
    if (left->kind != WR_EXPR_CALL || !left->function->preimage || left->can_fail) return e;
    if (right->kind != WR_EXPR_CONSTANT || right->value.is_null) return e;
    for (uint32_t i = 0; i < left->arg_count; i++) {
        if (left->args[i]->kind == WR_EXPR_CONSTANT) continue;
        if (x) return e;
        x = left->args[i];
    }
    wr_preimage range = {.low = {.is_null = true}, .high = {.is_null = true}};
    if (!x || x->volatile_ || !left->function->preimage(left->function_data, &right->value, s->arena, &range)) return e;
    bool uses_low = op != WR_GT && op != WR_LE, uses_high = op != WR_GE && op != WR_LT;
    if ((uses_low && (range.low.is_null || !wr_type_equal(range.low.type, x->type))) ||
        (uses_high && (range.high.is_null || !wr_type_equal(range.high.type, x->type))))
        return e;
    wr_expr *low = uses_low ? wr_expr_constant(s->arena, range.low) : NULL;
    wr_expr *high = uses_high ? wr_expr_constant(s->arena, range.high) : NULL;
    if ((uses_low && !low) || (uses_high && !high)) return NULL;
    bool negated = op == WR_NE; /* below the range or from its end on */
    if (low) low = wr_make_compare(s->context, s->arena, negated || op == WR_LT ? WR_LT : WR_GE, x, low);
    if (high) high = wr_make_compare(s->context, s->arena, negated || op == WR_GT ? WR_GE : WR_LT, x, high);
    if ((uses_low && !low) || (uses_high && !high)) return NULL;
    if (!low || !high) return low ? low : high;
    return wr_expr_junction(s->arena, negated ? WR_EXPR_OR : WR_EXPR_AND, (wr_expr *[]){low, high}, 2);
}

static wr_expr *simplify_compare(simplifier *s, wr_expr *e, wr_compare_op op, wr_expr *left, wr_expr *right) {
    if (left->kind == WR_EXPR_CONSTANT && right->kind != WR_EXPR_CONSTANT) {
        wr_expr *swapped = wr_make_compare(s->context, s->arena, wr_compare_swapped(op), right, left);
        if (!swapped || !wr_match_compare(swapped, &op, &left, &right)) return swapped;
        e = swapped;
    }
    wr_expr *inverted = invert_function(s, e, op, left, right);
    return inverted == e ? narrow_comparison(s, e, op, left, right) : inverted;
}

/* ---- CASE, IN, IS NULL ---- */

static wr_expr *simplify_case(simplifier *s, wr_expr *e) {
    wr_expr *made = wr_expr_copy_node(s->arena, e);
    if (!made) return NULL;
    uint32_t count = 0;
    for (uint32_t i = 0; i + 1 < e->arg_count; i += 2) {
        if (wr_is_false_or_null(e->args[i])) continue;
        if (wr_is_true(e->args[i])) {
            made->args[count++] = e->args[i + 1];
            break;
        }
        made->args[count++] = e->args[i];
        made->args[count++] = e->args[i + 1];
    }
    if (count % 2 == 0) made->args[count++] = e->args[e->arg_count - 1];
    if (count == e->arg_count) return e;
    made->arg_count = count;
    return count == 1 ? made->args[0] : wr_expr_refresh(made);
}

static wr_expr *simplify_in(simplifier *s, wr_expr *e) {
    if (e->args[0]->kind == WR_EXPR_CONSTANT && e->args[0]->value.is_null) return null_of(s, e->type);
    if (e->arg_count == 2) return wr_make_compare(s->context, s->arena, WR_EQ, e->args[0], e->args[1]);
    return e;
}

static wr_expr *simplify_is_null(simplifier *s, wr_expr *e) {
    const wr_expr *x = e->args[0];
    if (x->kind == WR_EXPR_CONSTANT) return wr_expr_boolean(s->arena, x->value.is_null);
    return x->kind == WR_EXPR_IS_NULL ? wr_expr_boolean(s->arena, false) : e;
}

static wr_expr *simplify_node(wr_expr *e, void *user) {
    simplifier *s = user;
    wr_compare_op op;
    wr_expr *left, *right;
    if (e->kind == WR_EXPR_PARAMETER) return fold_parameter(s, e);
    if (e->kind == WR_EXPR_CONSTANT || e->kind == WR_EXPR_COLUMN) return e;
    if (e->kind == WR_EXPR_CALL || e->kind == WR_EXPR_CAST) {
        e = fold_stable(s, e);
        if (!e || e->kind == WR_EXPR_CONSTANT) return e;
    }
    if (wr_match_compare(e, &op, &left, &right)) return simplify_compare(s, e, op, left, right);
    switch ((wr_expr_kind)e->kind) {
    case WR_EXPR_AND:
    case WR_EXPR_OR: return simplify_junction(s, e);
    case WR_EXPR_NOT: return simplify_not(s, e);
    case WR_EXPR_CASE: return simplify_case(s, e);
    case WR_EXPR_IN: return simplify_in(s, e);
    case WR_EXPR_IS_NULL: return simplify_is_null(s, e);
    default: return e;
    }
}

/* ---- nodes ---- */

static wr_status simplify_slot(wr_expr **slot, void *user) {
    simplifier *s = user;
    wr_expr *made = wr_expr_rewrite(s->arena, *slot, simplify_node, s);
    if (made) made = wr_expr_fold(s->arena, made);
    if (!made) return WR_NO_MEMORY;
    *slot = made;
    return WR_OK;
}

typedef struct simplify_walk {
    simplifier s;
    wr_plan *plan;
} simplify_walk;

/* Terms that are TRUE go; a filter without terms goes altogether. */
static wr_status flatten_filter(simplify_walk *w, wr_logical **slot, wr_error *err) {
    wr_logical *node = *slot;
    wr_terms terms = {0};
    WR_NEED(wr_terms_add_all(&terms, w->s.arena, node->filter.conjuncts, node->filter.count));
    node->filter.conjuncts = terms.items;
    node->filter.count = terms.count;
    if (terms.count == 0) *slot = node->children[0];
    return WR_OK;
}

static wr_status simplify_logical(wr_logical **slot, void *user, wr_error *err) {
    simplify_walk *w = user;
    wr_logical *node = *slot;
    if (wr_logical_each_expr(node, simplify_slot, &w->s) != WR_OK) return wr_fail_memory(err, 0, "the query's plan");
    if (node->kind == WR_LOGICAL_FILTER) return flatten_filter(w, slot, err);
    if (node->kind == WR_LOGICAL_JOIN && node->join.residual_count) {
        wr_terms terms = {0};
        WR_NEED(wr_terms_add_all(&terms, w->s.arena, node->join.residual, node->join.residual_count));
        node->join.residual = terms.items;
        node->join.residual_count = terms.count;
    }
    return WR_OK;
}

wr_status wr_pass_simplify(wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    simplify_walk w = {.s = {.arena = &plan->arena, .context = context}, .plan = plan};
    wr_walk walk = {.plan = plan, .subqueries = true, .visit = simplify_logical, .user = &w};
    return wr_walk_up(&walk, &plan->root, err);
}
