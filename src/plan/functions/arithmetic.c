/* + - * / // % and unary minus over numbers.
 *
 * Integers and decimals are checked: an overflow is an error, never a wrong number. Where the digits of the operands
 * prove that the result fits (sums of decimals, products with room), the loops that do not check run and the call cannot
 * fail. Decimals of 18 digits or less work on int64 as long as they can: a product of two of them stays DECIMAL(18, s),
 * checked, when its scale leaves room, and becomes an int128 when it does not. Division gives DOUBLE; // divides integers
 * toward zero. */
#include <stdio.h>

#include "kernel/arith.h"
#include "kernel/compare.h"
#include "plan/cast.h"
#include "plan/functions/call.h"

/* What resolution found out for run. */
typedef struct arithmetic {
    bool unchecked;    /* no row can overflow */
    bool check_digits; /* of a decimal result, besides the overflow of its integer */
} arithmetic;

static const char *const signs[] = {"+", "-", "*", "/", "%"};

/* ---- types ---- */

static wr_status keep(wr_resolution *r, arithmetic plan, wr_error *err) {
    arithmetic *data = WR_ARENA_NEW(r->arena, arithmetic);
    if (!data) return wr_fail_memory(err, sizeof *data, "the plan");
    *data = plan;
    r->data = data;
    return WR_OK;
}

static bool is_decimal_pair(const wr_resolution *r) {
    wr_type a = r->arg_types[0], b = r->arg_types[1];
    if (a.id != WR_TYPE_DECIMAL && b.id != WR_TYPE_DECIMAL) return false;
    return (a.id == WR_TYPE_DECIMAL || wr_type_is_integer(a)) && (b.id == WR_TYPE_DECIMAL || wr_type_is_integer(b));
}

static bool is_float(wr_type type) {
    return type.id == WR_TYPE_FLOAT || type.id == WR_TYPE_DOUBLE;
}

/* A decimal argument keeps its own precision when only that differs, so that no cast is needed. */
static wr_type operand_type(wr_type own, wr_type wanted) {
    return own.id == WR_TYPE_DECIMAL && own.scale == wanted.scale && wr_type_phys(own) == wr_type_phys(wanted) ? own
                                                                                                               : wanted;
}

static wr_status resolve_decimal_sum(wr_resolution *r, wr_error *err) {
    wr_type a = wr_type_as_decimal(r->arg_types[0]), b = wr_type_as_decimal(r->arg_types[1]);
    int whole_a = a.precision - a.scale, whole_b = b.precision - b.scale;
    int scale = a.scale > b.scale ? a.scale : b.scale;
    int precision = (whole_a > whole_b ? whole_a : whole_b) + scale + 1;
    bool capped = precision > WR_DECIMAL_MAX_DIGITS;
    r->result = wr_type_decimal(capped ? WR_DECIMAL_MAX_DIGITS : (unsigned)precision, (unsigned)scale);
    r->arg_types[0] = operand_type(r->arg_types[0], r->result);
    r->arg_types[1] = operand_type(r->arg_types[1], r->result);
    r->can_fail = capped;
    return keep(r, (arithmetic){.unchecked = !capped, .check_digits = capped}, err);
}

static wr_status resolve_decimal_product(wr_resolution *r, wr_error *err) {
    wr_type a = wr_type_as_decimal(r->arg_types[0]), b = wr_type_as_decimal(r->arg_types[1]);
    unsigned precision = a.precision + b.precision, scale = a.scale + b.scale;
    if (scale > WR_DECIMAL_MAX_DIGITS) {
        wr_fail(err, WR_VALUE,
                "a product of DECIMAL(%u,%u) and DECIMAL(%u,%u) has %u digits behind the point, at most 38",
                a.precision, a.scale, b.precision, b.scale, scale);
        return err ? wr_hint(err, "cast the operands to fewer digits") : WR_VALUE;
    }
    bool small = a.precision <= WR_DECIMAL_SMALL_DIGITS && b.precision <= WR_DECIMAL_SMALL_DIGITS;
    unsigned room = small && scale < WR_DECIMAL_SMALL_DIGITS ? WR_DECIMAL_SMALL_DIGITS : WR_DECIMAL_MAX_DIGITS;
    bool capped = precision > room;
    r->result = wr_type_decimal(capped ? room : precision, scale);
    r->arg_types[0] = a;
    r->arg_types[1] = b;
    if (!small) {
        /* Both sides as int128: more digits, same scale. */
        if (a.precision <= WR_DECIMAL_SMALL_DIGITS) r->arg_types[0].precision = WR_DECIMAL_SMALL_DIGITS + 1;
        if (b.precision <= WR_DECIMAL_SMALL_DIGITS) r->arg_types[1].precision = WR_DECIMAL_SMALL_DIGITS + 1;
    }
    r->can_fail = capped;
    return keep(r, (arithmetic){.unchecked = !capped, .check_digits = capped}, err);
}

static wr_status resolve_common(wr_resolution *r, wr_error *err) {
    wr_type common;
    if (!wr_expr_common_type(r->args, r->arg_count, &common)) {
        return wr_fail(err, WR_INVALID, "%s does not take these types", r->function->name);
    }
    for (uint32_t i = 0; i < r->arg_count; i++) r->arg_types[i] = common;
    r->result = common;
    r->can_fail = !is_float(common);
    return keep(r, (arithmetic){0}, err);
}

static wr_status resolve_sum(wr_resolution *r, wr_error *err) {
    return is_decimal_pair(r) ? resolve_decimal_sum(r, err) : resolve_common(r, err);
}

static wr_status resolve_product(wr_resolution *r, wr_error *err) {
    return is_decimal_pair(r) ? resolve_decimal_product(r, err) : resolve_common(r, err);
}

/* FLOAT when both sides are FLOAT or become it, else DOUBLE. */
static wr_status resolve_quotient(wr_resolution *r, wr_error *err) {
    wr_type common = r->arg_types[0].id == WR_TYPE_FLOAT && r->arg_types[1].id != WR_TYPE_DOUBLE ? r->arg_types[0]
                     : r->arg_types[1].id == WR_TYPE_FLOAT && r->arg_types[0].id != WR_TYPE_DOUBLE
                         ? r->arg_types[1]
                         : wr_type_of(WR_TYPE_DOUBLE);
    r->arg_types[0] = r->arg_types[1] = r->result = common;
    return keep(r, (arithmetic){0}, err);
}

static wr_status resolve_integer_quotient(wr_resolution *r, wr_error *err) {
    if (wr_type_is_integer(r->arg_types[0]) && wr_type_is_integer(r->arg_types[1])) return resolve_common(r, err);
    return resolve_quotient(r, err);
}

/* ---- loops ---- */

static wr_status fail_row(wr_call_context *c, const wr_vector *args, wr_arith_op op, const char *sign) {
    uint32_t row = wr_call_first_failed(c);
    if (row == UINT32_MAX) return WR_OK;
    wr_value divisor;
    bool by_zero = false;
    if (op == WR_DIV || op == WR_MOD) {
        WR_TRY(wr_vector_value(&args[1], args[1].kind == WR_CONSTANT ? 0 : row, NULL, &divisor, c->err));
        by_zero = wr_value_integer(&divisor) == 0;
    }
    if (by_zero) return wr_call_fail(c, args, 2, sign, row, "division by zero");
    char what[64] = "decimal overflow";
    if (c->result.id != WR_TYPE_DECIMAL) {
        snprintf(what, sizeof what, "overflow of %s", wr_type_id_name((wr_type_id)c->result.id));
    }
    wr_call_fail(c, args, 2, sign, row, what);
    return c->err ? wr_hint(c->err, "cast an operand to a wider type") : WR_VALUE;
}

static void run_unchecked(const wr_call_context *c, const wr_vector *args, wr_arith_op op, void *out) {
    const wr_arith_kernels *k = c->kernels->arith;
    const wr_vector *a = &args[0], *b = &args[1];
    uint32_t n = c->row_count;
    wr_phys phys = wr_type_phys(c->result);
    if (op == WR_MUL && phys == WR_PHYS_I128 && a->phys == WR_PHYS_I64) {
        if (a->kind == WR_CONSTANT) {
            k->mul_wide_vc(b->data, a->data, n, out);
        } else if (b->kind == WR_CONSTANT) {
            k->mul_wide_vc(a->data, b->data, n, out);
        } else {
            k->mul_wide_vv(a->data, b->data, n, out);
        }
    } else if (a->kind == WR_CONSTANT) {
        k->fast_cv[phys][op](a->data, b->data, n, out);
    } else if (b->kind == WR_CONSTANT) {
        k->fast_vc[phys][op](a->data, b->data, n, out);
    } else {
        k->fast_vv[phys][op](a->data, b->data, n, out);
    }
}

static bool run_checked(const wr_call_context *c, const wr_vector *args, wr_arith_op op, void *out) {
    const wr_arith_kernels *k = c->kernels->arith;
    const wr_vector *a = &args[0], *b = &args[1];
    uint32_t n = c->row_count;
    if (a->kind == WR_CONSTANT) return k->cv[a->phys][op](a->data, b->data, n, out, c->failed);
    if (b->kind == WR_CONSTANT) return k->vc[a->phys][op](a->data, b->data, n, out, c->failed);
    return k->vv[a->phys][op](a->data, b->data, n, out, c->failed);
}

WR_ALWAYS_INLINE wr_status run(wr_call_context *c, const wr_vector *args, wr_arith_op op, const char *sign,
                               wr_vector *result) {
    const arithmetic *plan = c->data;
    WR_TRY(wr_call_prepare(c, result));
    void *out = wr_vector_data_mut(result);
    /* A capped product of two int64 may still be an int128: it cannot overflow that, only its digits. */
    bool widens = wr_type_phys(c->result) != args[0].phys;
    if (op <= WR_MUL && (plan->unchecked || widens)) {
        run_unchecked(c, args, op, out);
    } else if (run_checked(c, args, op, out)) {
        WR_TRY(fail_row(c, args, op, sign));
    }
    return plan->check_digits ? wr_call_check_digits(c, args, 2, sign, result) : WR_OK;
}

static wr_status run_add(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return run(c, args, WR_ADD, signs[WR_ADD], result);
}
static wr_status run_subtract(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return run(c, args, WR_SUB, signs[WR_SUB], result);
}
static wr_status run_multiply(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return run(c, args, WR_MUL, signs[WR_MUL], result);
}
static wr_status run_divide(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return run(c, args, WR_DIV, signs[WR_DIV], result);
}
static wr_status run_modulo(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return run(c, args, WR_MOD, signs[WR_MOD], result);
}

/* Floats divide as / does, but zero is refused as it is for integers. */
static wr_status run_integer_divide(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    if (is_float(c->result)) {
        float zero32 = 0;
        double zero64 = 0;
        const wr_vector *b = &args[1];
        if (b->kind == WR_CONSTANT) {
            bool zero = c->result.id == WR_TYPE_FLOAT ? *(const float *)b->data == 0 : *(const double *)b->data == 0;
            wr_bitmap_fill(c->failed, c->row_count, zero);
        } else {
            c->kernels->compare->vc[b->phys][WR_EQ](
                b->data, c->result.id == WR_TYPE_FLOAT ? (const void *)&zero32 : &zero64, c->row_count, c->failed);
        }
        uint32_t row = wr_call_first_failed(c);
        if (row != UINT32_MAX) return wr_call_fail(c, args, 2, "//", row, "division by zero");
    }
    return run(c, args, WR_DIV, "//", result);
}

/* ---- signs ---- */

static wr_status resolve_sign(wr_resolution *r, wr_error *err) {
    (void)err;
    r->result = r->arg_types[0];
    r->can_fail = r->function->can_fail && wr_type_is_integer(r->result);
    return WR_OK;
}

static wr_status run_negate(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    const wr_arith_kernels *k = c->kernels->arith;
    wr_phys phys = args[0].phys;
    void *out = wr_vector_data_mut(result);
    static const wr_int128 zero = 0;
    bool failed = k->negate[phys] ? k->negate[phys](args[0].data, c->row_count, out, c->failed)
                                  : k->cv[phys][WR_SUB](&zero, args[0].data, c->row_count, out, c->failed);
    if (!failed) return WR_OK;
    uint32_t row = wr_call_first_failed(c);
    return row == UINT32_MAX ? WR_OK : wr_call_fail(c, args, 1, "-", row, "overflow in negation");
}

static wr_status run_plus(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return wr_call_copy(c, &args[0], result);
}

static wr_status run_absolute(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    wr_phys phys = args[0].phys;
    if (!c->kernels->arith->absolute[phys]) return wr_call_copy(c, &args[0], result); /* unsigned */
    WR_TRY(wr_call_prepare(c, result));
    if (!c->kernels->arith->absolute[phys](args[0].data, c->row_count, wr_vector_data_mut(result), c->failed)) {
        return WR_OK;
    }
    uint32_t row = wr_call_first_failed(c);
    return row == UINT32_MAX ? WR_OK : wr_call_fail(c, args, 1, "abs", row, "overflow in abs");
}

static const wr_function rows[] = {
    {.name = "+",
     .aliases = "add",
     .parameters = {WR_NUMBER, WR_NUMBER},
     .resolve = resolve_sum,
     .run = run_add,
     .can_fail = true,
     .cost_ns = 0.3f,
     .summary = "sum"},
    {.name = "-",
     .aliases = "subtract",
     .parameters = {WR_NUMBER, WR_NUMBER},
     .resolve = resolve_sum,
     .run = run_subtract,
     .can_fail = true,
     .cost_ns = 0.3f,
     .summary = "difference"},
    {.name = "*",
     .aliases = "multiply",
     .parameters = {WR_NUMBER, WR_NUMBER},
     .resolve = resolve_product,
     .run = run_multiply,
     .can_fail = true,
     .is_product = true,
     .cost_ns = 0.6f,
     .summary = "product"},
    {.name = "/",
     .parameters = {WR_NUMBER, WR_NUMBER},
     .resolve = resolve_quotient,
     .run = run_divide,
     .cost_ns = 1,
     .summary = "quotient, as a floating-point number"},
    {.name = "//",
     .aliases = "divide",
     .parameters = {WR_NUMBER, WR_NUMBER},
     .resolve = resolve_integer_quotient,
     .run = run_integer_divide,
     .can_fail = true,
     .cost_ns = 3,
     .summary = "quotient of integers, cut toward zero"},
    {.name = "%",
     .aliases = "mod fmod",
     .parameters = {WR_NUMBER, WR_NUMBER},
     .resolve = resolve_common,
     .run = run_modulo,
     .can_fail = true,
     .cost_ns = 3,
     .summary = "remainder, with the sign of the dividend"},
    {.name = "-",
     .parameters = {WR_NUMBER},
     .resolve = resolve_sign,
     .run = run_negate,
     .can_fail = true,
     .cost_ns = 0.3f,
     .summary = "negation"},
    {.name = "+",
     .parameters = {WR_NUMBER},
     .resolve = resolve_sign,
     .run = run_plus,
     .cost_ns = 0.1f,
     .summary = "the number itself"},
    {.name = "abs",
     .aliases = "@",
     .parameters = {WR_NUMBER},
     .resolve = resolve_sign,
     .run = run_absolute,
     .can_fail = true,
     .cost_ns = 0.3f,
     .summary = "absolute value"},
};

const wr_function_set wr_functions_arithmetic = {"arithmetic", rows, WR_COUNT_OF(rows)};
