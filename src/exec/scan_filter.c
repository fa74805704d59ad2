/* A conjunct of the query as a scan's filter.
 *
 * Evaluation is a compiled program over the conjunct's columns. The zone answer is interval reasoning over bounds: what
 * is the conjunct for rows of which only minimum, maximum and the number of NULLs are known? Three answers are
 * possible, as sets of truth values: never true (NONE), always true (ALL), anything else (SOME). What is not understood
 * is SOME. */
#include "exec/scan.h"
#include "kernel/compare.h"

typedef struct conjunct {
    wr_allocator *allocator;
    wr_program *program;
    wr_expr *expr;
    wr_column_id *columns; /* ids, in the order of the filter's columns */
    uint32_t column_count;
    double cost;
} conjunct;

typedef struct conjunct_local {
    conjunct *shared;
    wr_program_state *state;
    wr_allocator *allocator;
} conjunct_local;

/* ---- zones ---- */

static const wr_column_bounds *bounds_of(const wr_expr *e, const wr_column_id *columns, uint32_t count,
                                         const wr_column_bounds *bounds) {
    if (e->kind != WR_EXPR_COLUMN) return NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (columns[i] == e->column) return &bounds[i];
    }
    return NULL;
}

static bool is_all_null(const wr_column_bounds *b) {
    return b->null_count >= 0 && b->null_count == b->row_count;
}

static bool is_float(wr_type type) {
    return type.id == WR_TYPE_FLOAT || type.id == WR_TYPE_DOUBLE;
}

/* Column <op> constant, where the column's values lie in [min, max]. */
static wr_zone_answer zone_compare(wr_compare_op op, const wr_column_bounds *b, const wr_value *constant) {
    if (constant->is_null || is_all_null(b)) return WR_ZONE_NONE;
    if (!b->has_bounds || !wr_type_equal(b->min.type, constant->type)) return WR_ZONE_SOME;
    int low = wr_value_compare(&b->min, constant), high = wr_value_compare(&b->max, constant);
    bool none = false, all = false;
    switch (op) {
    case WR_EQ:
        none = low > 0 || high < 0;
        all = low == 0 && high == 0;
        break;
    case WR_NE:
        none = low == 0 && high == 0;
        all = low > 0 || high < 0;
        break;
    case WR_LT:
        none = low >= 0;
        all = high < 0;
        break;
    case WR_LE:
        none = low > 0;
        all = high <= 0;
        break;
    case WR_GT:
        none = high <= 0;
        all = low > 0;
        break;
    case WR_GE:
        none = high < 0;
        all = low >= 0;
        break;
    default: break;
    }
    if (is_float(constant->type)) { /* bounds say nothing of NaN, which is above all numbers */
        all = false;
        none = none && (op == WR_EQ || op == WR_LT || op == WR_LE) && constant->f64 == constant->f64;
    }
    if (none) return WR_ZONE_NONE;
    return all && b->null_count == 0 ? WR_ZONE_ALL : WR_ZONE_SOME;
}

static bool compare_op_of(const wr_expr *e, wr_compare_op *out) {
    static const char *const signs[WR_COMPARE_OPS] = {"=", "<>", "<", "<=", ">", ">="};
    if (e->kind != WR_EXPR_CALL || e->arg_count != 2) return false;
    for (int i = 0; i < WR_COMPARE_OPS; i++) {
        if (strcmp(e->function->name, signs[i]) == 0) {
            *out = (wr_compare_op)i;
            return true;
        }
    }
    return false;
}

static wr_compare_op mirrored(wr_compare_op op) {
    static const wr_compare_op mirror[WR_COMPARE_OPS] = {WR_EQ, WR_NE, WR_GT, WR_GE, WR_LT, WR_LE};
    return mirror[op];
}

/* Two columns: the intervals are apart, or they touch. */
static wr_zone_answer zone_columns(wr_compare_op op, const wr_column_bounds *a, const wr_column_bounds *b) {
    if (is_all_null(a) || is_all_null(b)) return WR_ZONE_NONE;
    if (!a->has_bounds || !b->has_bounds || !wr_type_equal(a->min.type, b->min.type)) return WR_ZONE_SOME;
    if (is_float(a->min.type)) return WR_ZONE_SOME;
    bool below = wr_value_compare(&a->max, &b->min)<0, above = wr_value_compare(&a->min, &b->max)> 0;
    bool none = (op == WR_EQ && (below || above)) || ((op == WR_LT || op == WR_LE) && above) ||
                ((op == WR_GT || op == WR_GE) && below);
    return none ? WR_ZONE_NONE : WR_ZONE_SOME;
}

static wr_zone_answer zone_in(const wr_expr *e, const wr_column_bounds *b) {
    if (!b) return WR_ZONE_SOME;
    wr_zone_answer best = WR_ZONE_NONE;
    for (uint32_t i = 1; i < e->arg_count && best != WR_ZONE_ALL; i++) {
        if (e->args[i]->kind != WR_EXPR_CONSTANT) return WR_ZONE_SOME;
        wr_zone_answer one = zone_compare(WR_EQ, b, &e->args[i]->value);
        if (one > best) best = one;
    }
    return best;
}

static wr_zone_answer zone_is_null(const wr_column_bounds *b) {
    if (!b || b->null_count < 0) return WR_ZONE_SOME;
    if (b->null_count == 0) return WR_ZONE_NONE;
    return is_all_null(b) ? WR_ZONE_ALL : WR_ZONE_SOME;
}

static wr_zone_answer zone_junction(const wr_expr *e, const wr_column_id *columns, uint32_t count,
                                    const wr_column_bounds *bounds) {
    bool is_and = e->kind == WR_EXPR_AND;
    wr_zone_answer result = is_and ? WR_ZONE_ALL : WR_ZONE_NONE;
    for (uint32_t i = 0; i < e->arg_count; i++) {
        wr_zone_answer one = wr_zone_of(e->args[i], columns, count, bounds);
        if (is_and ? one < result : one > result) result = one;
    }
    return result;
}

wr_zone_answer wr_zone_of(const wr_expr *e, const wr_column_id *columns, uint32_t count,
                          const wr_column_bounds *bounds) {
    wr_compare_op op;
    if (e->kind == WR_EXPR_AND || e->kind == WR_EXPR_OR) return zone_junction(e, columns, count, bounds);
    if (e->kind == WR_EXPR_IN) return zone_in(e, bounds_of(e->args[0], columns, count, bounds));
    if (e->kind == WR_EXPR_IS_NULL) return zone_is_null(bounds_of(e->args[0], columns, count, bounds));
    if (e->kind == WR_EXPR_NOT && e->args[0]->kind == WR_EXPR_IS_NULL) {
        wr_zone_answer inner = zone_is_null(bounds_of(e->args[0]->args[0], columns, count, bounds));
        return inner == WR_ZONE_NONE ? WR_ZONE_ALL : inner == WR_ZONE_ALL ? WR_ZONE_NONE : WR_ZONE_SOME;
    }
    if (e->kind == WR_EXPR_CONSTANT) {
        return !e->value.is_null && e->value.boolean ? WR_ZONE_ALL : WR_ZONE_NONE;
    }
    if (compare_op_of(e, &op)) {
        const wr_column_bounds *a = bounds_of(e->args[0], columns, count, bounds),
                               *b = bounds_of(e->args[1], columns, count, bounds);
        if (a && e->args[1]->kind == WR_EXPR_CONSTANT) return zone_compare(op, a, &e->args[1]->value);
        if (b && e->args[0]->kind == WR_EXPR_CONSTANT) return zone_compare(mirrored(op), b, &e->args[0]->value);
        if (a && b) return zone_columns(op, a, b);
    }
    return WR_ZONE_SOME;
}

/* ---- the maker ---- */

static void conjunct_release(void *shared) {
    conjunct *c = shared;
    wr_program_destroy(c->program);
    wr_free(c->allocator, c->columns, sizeof(wr_column_id) * c->column_count);
    wr_free(c->allocator, c, sizeof *c);
}

static wr_zone_answer conjunct_zone(void *user, const wr_column_bounds *bounds) {
    const conjunct *c = ((conjunct_local *)user)->shared;
    return wr_zone_of(c->expr, c->columns, c->column_count, bounds);
}

static wr_status conjunct_evaluate(void *user, const wr_vector *const *columns, uint32_t n, uint64_t *pass,
                                   wr_error *err) {
    return wr_program_filter_vectors(((conjunct_local *)user)->state, columns, n, pass, err);
}

static wr_status conjunct_create(void *shared, wr_allocator *a, wr_scan_filter *out, wr_error *err) {
    conjunct *c = shared;
    conjunct_local *l = wr_alloc_zeroed(a, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "scan filter");
    l->shared = c;
    l->allocator = a;
    wr_status status = wr_program_state_create(&l->state, c->program, a, err);
    if (status != WR_OK) {
        wr_free(a, l, sizeof *l);
        return status;
    }
    *out = (wr_scan_filter){
        .row_wise = c->expr->can_fail || c->expr->volatile_,
        .cost = c->cost,
        .user = l,
        .zone = conjunct_zone,
        .evaluate = conjunct_evaluate,
    };
    return WR_OK;
}

static void conjunct_destroy(void *shared, wr_scan_filter *filter) {
    (void)shared;
    conjunct_local *l = filter->user;
    wr_program_state_destroy(l->state);
    wr_free(l->allocator, l, sizeof *l);
}

static bool add_cost(wr_expr *e, void *user) {
    *(double *)user += e->kind == WR_EXPR_CALL ? (double)e->function->cost_ns : 0.2;
    return true;
}

/* Positions and ids of the columns that the conjunct reads. */
static wr_status collect_columns(conjunct *c, wr_filter_maker *out, wr_exec *exec, const wr_column_id *inputs,
                                 uint32_t input_count, wr_error *err) {
    wr_arena arena;
    wr_arena_init(&arena, exec->allocator);
    wr_column_set set = {0};
    wr_status status = wr_expr_columns(c->expr, &arena, &set) ? WR_OK : wr_fail_memory(err, sizeof set, "scan filter");
    uint32_t count = 0;
    for (uint32_t i = 0; i < input_count; i++) count += wr_column_set_has(&set, inputs[i]);
    c->columns = wr_alloc(exec->allocator, sizeof(wr_column_id) * count);
    out->columns = wr_alloc(exec->allocator, sizeof(uint32_t) * count);
    if (c->columns) c->column_count = count;
    if (out->columns) out->column_count = count;
    if (status == WR_OK && (!c->columns || !out->columns))
        status = wr_fail_memory(err, sizeof(uint32_t) * count, "scan filter");
    for (uint32_t i = 0, n = 0; status == WR_OK && i < input_count; i++) {
        if (!wr_column_set_has(&set, inputs[i])) continue;
        c->columns[n] = inputs[i];
        out->columns[n++] = i;
    }
    wr_arena_deinit(&arena);
    return status;
}

wr_status wr_conjunct_maker(wr_filter_maker *out, wr_exec *exec, wr_expr *expr, const wr_column_id *inputs,
                            uint32_t input_count, wr_error *err) {
    wr_allocator *a = exec->allocator;
    conjunct *c = wr_alloc_zeroed(a, sizeof *c);
    *out = (wr_filter_maker){0};
    if (!c) return wr_fail_memory(err, sizeof *c, "scan filter");
    c->allocator = a;
    c->expr = expr;
    wr_expr_walk(expr, add_cost, &c->cost);
    wr_status status = collect_columns(c, out, exec, inputs, input_count, err);
    if (status == WR_OK)
        status = wr_program_compile(&c->program, a, &expr, 1, c->columns, c->column_count, &exec->environment, err);
    if (status != WR_OK) {
        wr_free(a, out->columns, sizeof(uint32_t) * out->column_count);
        conjunct_release(c);
        *out = (wr_filter_maker){0};
        return status;
    }
    out->shared = c;
    out->create = conjunct_create;
    out->destroy = conjunct_destroy;
    out->release = conjunct_release;
    return WR_OK;
}
