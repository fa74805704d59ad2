/* Rounding, powers and logarithms, angles, number theory, random numbers. What has no exact answer goes through real.h, so
 * that it has the same bits everywhere. */
#include <math.h>
#include <stdio.h>

#include "kernel/arith.h"
#include "kernel/cast.h"
#include "os/os.h"
#include "plan/functions/call.h"
#include "plan/functions/real.h"

#define RUN(name)                                                                                                      \
    static wr_status name(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result)
#define ROW(v, type, i) (((const type *)(v)->data)[(size_t)(i)*wr_step(v)])

/* ---- functions of one double ---- */

#define REAL(name, expression)                                                                                         \
    RUN(run_##name) {                                                                                                  \
        (void)arg_count;                                                                                               \
        WR_TRY(wr_call_prepare(c, result));                                                                            \
        const double *a = args[0].data;                                                                                \
        double *out = wr_vector_data_mut(result);                                                                      \
        for (uint32_t i = 0; i < c->row_count; i++) {                                                                  \
            double x = a[i];                                                                                           \
            out[i] = (expression);                                                                                     \
        }                                                                                                              \
        return WR_OK;                                                                                                  \
    }
#define REAL32(name, expression)                                                                                       \
    RUN(run_##name##_32) {                                                                                             \
        (void)arg_count;                                                                                               \
        WR_TRY(wr_call_prepare(c, result));                                                                            \
        const float *a = args[0].data;                                                                                 \
        float *out = wr_vector_data_mut(result);                                                                       \
        for (uint32_t i = 0; i < c->row_count; i++) {                                                                  \
            float x = a[i];                                                                                            \
            out[i] = (expression);                                                                                     \
        }                                                                                                              \
        return WR_OK;                                                                                                  \
    }

REAL(sqrt, sqrt(x))
REAL(cbrt, wr_real_cbrt(x))
REAL(exp, wr_real_exp(x))
REAL(ln, wr_real_log(x))
REAL(log10, wr_real_log10(x))
REAL(log2, wr_real_log2(x))
REAL(sin, wr_real_sin(x))
REAL(cos, wr_real_cos(x))
REAL(tan, wr_real_tan(x))
REAL(cot, 1 / wr_real_tan(x))
REAL(asin, wr_real_asin(x))
REAL(acos, wr_real_acos(x))
REAL(atan, wr_real_atan(x))
REAL(sinh, wr_real_sinh(x))
REAL(cosh, wr_real_cosh(x))
REAL(tanh, wr_real_tanh(x))
REAL(asinh, wr_real_asinh(x))
REAL(acosh, wr_real_acosh(x))
REAL(atanh, wr_real_atanh(x))
REAL(degrees, x *(180 / 3.14159265358979323846))
REAL(radians, x *(3.14159265358979323846 / 180))
REAL(even, copysign(2 * ceil(fabs(x) / 2), x))
REAL(floor, floor(x))
REAL(ceil, ceil(x))
REAL(round, round(x))
REAL(trunc, trunc(x))
REAL32(floor, floorf(x))
REAL32(ceil, ceilf(x))
REAL32(round, roundf(x))
REAL32(trunc, truncf(x))

/* ---- functions of two ---- */

#define REAL2(name, expression)                                                                                        \
    RUN(run_##name) {                                                                                                  \
        (void)arg_count;                                                                                               \
        WR_TRY(wr_call_prepare(c, result));                                                                            \
        double *out = wr_vector_data_mut(result);                                                                      \
        for (uint32_t i = 0; i < c->row_count; i++) {                                                                  \
            double x = ROW(&args[0], double, i), y = ROW(&args[1], double, i);                                         \
            out[i] = (expression);                                                                                     \
        }                                                                                                              \
        return WR_OK;                                                                                                  \
    }

/* Small whole powers are products: x^2 is asked for most. */
static double power(double x, double y) {
    return y == 2 ? x * x : y == 1 ? x : y == 0.5 && x > 0 ? sqrt(x) : wr_real_pow(x, y);
}

REAL2(pow, power(x, y))
REAL2(atan2, wr_real_atan2(x, y))
REAL2(log_base, wr_real_log(y) / wr_real_log(x))

/* ---- tests of one ---- */

#define TEST(name, type, expression)                                                                                   \
    RUN(run_##name) {                                                                                                  \
        (void)arg_count;                                                                                               \
        WR_TRY(wr_call_prepare(c, result));                                                                            \
        const type *a = args[0].data;                                                                                  \
        uint64_t *out = wr_vector_data_mut(result);                                                                    \
        for (uint32_t i = 0; i < c->row_count; i++) {                                                                  \
            type x = a[i];                                                                                             \
            wr_bit_put(out, i, (expression));                                                                          \
        }                                                                                                              \
        return WR_OK;                                                                                                  \
    }
TEST(isnan, double, isnan(x))
TEST(isinf, double, isinf(x))
TEST(isfinite, double, isfinite(x))
TEST(signbit, double, signbit(x))

/* ---- rounding decimals and integers ---- */

typedef enum rounding { ROUND_HALF, ROUND_DOWN, ROUND_UP, ROUND_CUT } rounding;

/* Units of the last place that are dropped, and a factor that gives zeros back in front of the point. */
typedef struct round_plan {
    wr_int128 divisor, factor;
    wr_int128 limit; /* that the result stays below, when that is not sure; else 0 */
    bool by_row;     /* the number of places is a column: the argument is DOUBLE */
} round_plan;

static wr_int128 round_units(wr_int128 x, const round_plan *plan, rounding how) {
    wr_int128 q = x / plan->divisor, r = x % plan->divisor;
    if (how == ROUND_HALF) {
        if (r < 0 ? -r >= plan->divisor + r : r >= plan->divisor - r) q += x < 0 ? -1 : 1;
    } else if (how == ROUND_DOWN) {
        q -= r < 0;
    } else if (how == ROUND_UP) {
        q += r > 0;
    }
    return q * plan->factor;
}

static wr_int128 load_integer(const wr_vector *v, uint32_t row) {
    switch (v->phys) {
    case WR_PHYS_I8: return ((const int8_t *)v->data)[row];
    case WR_PHYS_I16: return ((const int16_t *)v->data)[row];
    case WR_PHYS_I32: return ((const int32_t *)v->data)[row];
    case WR_PHYS_I64: return ((const int64_t *)v->data)[row];
    case WR_PHYS_U8: return ((const uint8_t *)v->data)[row];
    case WR_PHYS_U16: return ((const uint16_t *)v->data)[row];
    case WR_PHYS_U32: return ((const uint32_t *)v->data)[row];
    case WR_PHYS_U64: return ((const uint64_t *)v->data)[row];
    default: return ((const wr_int128 *)v->data)[row];
    }
}

static bool store_integer(wr_vector *v, uint32_t row, wr_int128 x) {
    void *data = wr_vector_data_mut(v);
    switch (v->phys) {
    case WR_PHYS_I8: return ((int8_t *)data)[row] = (int8_t)x, x == (int8_t)x;
    case WR_PHYS_I16: return ((int16_t *)data)[row] = (int16_t)x, x == (int16_t)x;
    case WR_PHYS_I32: return ((int32_t *)data)[row] = (int32_t)x, x == (int32_t)x;
    case WR_PHYS_I64: return ((int64_t *)data)[row] = (int64_t)x, x == (int64_t)x;
    case WR_PHYS_U8: return ((uint8_t *)data)[row] = (uint8_t)x, x == (uint8_t)x;
    case WR_PHYS_U16: return ((uint16_t *)data)[row] = (uint16_t)x, x == (uint16_t)x;
    case WR_PHYS_U32: return ((uint32_t *)data)[row] = (uint32_t)x, x == (uint32_t)x;
    case WR_PHYS_U64: return ((uint64_t *)data)[row] = (uint64_t)x, x == (wr_int128)(uint64_t)x;
    default: return ((wr_int128 *)data)[row] = x, true;
    }
}

static wr_status round_exact(wr_call_context *c, const wr_vector *args, uint32_t arg_count, rounding how,
                             const char *name, wr_vector *result) {
    const round_plan *plan = c->data;
    WR_TRY(wr_call_prepare(c, result));
    for (uint32_t i = 0; i < c->row_count; i++) {
        wr_int128 x = round_units(load_integer(&args[0], i), plan, how);
        bool fits = store_integer(result, i, x) && (!plan->limit || (x < plan->limit && x > -plan->limit));
        if (fits || !wr_is_active(c, i)) continue;
        return wr_call_fail(c, args, arg_count, name, i, "the rounded number does not fit its type");
    }
    return WR_OK;
}
RUN(run_round_exact) {
    return round_exact(c, args, arg_count, ROUND_HALF, "round", result);
}
RUN(run_floor_exact) {
    return round_exact(c, args, arg_count, ROUND_DOWN, "floor", result);
}
RUN(run_ceil_exact) {
    return round_exact(c, args, arg_count, ROUND_UP, "ceil", result);
}
RUN(run_trunc_exact) {
    return round_exact(c, args, arg_count, ROUND_CUT, "trunc", result);
}

static wr_status keep_plan(wr_resolution *r, round_plan plan, wr_error *err) {
    round_plan *kept = WR_ARENA_NEW(r->arena, round_plan);
    if (!kept) return wr_fail_memory(err, sizeof *kept, "the plan");
    *kept = plan;
    r->data = kept;
    return WR_OK;
}

/* To whole numbers: the same precision holds one digit more in front of the point when there was one behind it. */
static wr_status resolve_whole(wr_resolution *r, wr_error *err) {
    wr_type type = r->arg_types[0];
    r->result = wr_type_decimal(type.precision, 0);
    return keep_plan(r, (round_plan){.divisor = wr_power_of_ten(type.scale), .factor = 1}, err);
}

/* The type's own digits in front of the point may become one more when there are none behind it to make room. */
static wr_status resolve_places(wr_resolution *r, wr_error *err) {
    wr_type type = r->arg_types[0];
    const wr_value *places = wr_constant_argument(r, 1);
    r->result = type;
    if (!places) {
        r->arg_types[0] = r->result = wr_type_of(WR_TYPE_DOUBLE);
        return keep_plan(r, (round_plan){.by_row = true}, err);
    }
    int64_t n = places->i64, scale = type.id == WR_TYPE_DECIMAL ? type.scale : 0;
    int64_t kept = n > scale ? scale : n < 0 ? 0 : n;
    int64_t dropped = scale - n, zeros = n < 0 ? -n : 0;
    wr_int128 limit = 0;
    if (type.id == WR_TYPE_DECIMAL) {
        /* A carry needs a digit in front, where none behind the point makes room for it. */
        unsigned more = dropped > 0 && scale == 0 && type.precision < WR_DECIMAL_MAX_DIGITS;
        r->result = wr_type_decimal(type.precision + more, (unsigned)kept);
        r->can_fail = dropped > 0 && scale == 0 && !more;
        if (r->can_fail) limit = wr_power_of_ten(WR_DECIMAL_MAX_DIGITS);
    } else {
        r->can_fail = n < 0;
    }
    round_plan plan = {.divisor = dropped > 0 ? wr_power_of_ten(dropped > 38 ? 38 : (unsigned)dropped) : 1,
                       .factor = zeros > 38 ? 0 : wr_power_of_ten((unsigned)zeros),
                       .limit = limit};
    return keep_plan(r, plan, err);
}

/* As text behind the point would be cut: x * 10^n is rounded, and divided again. */
static double round_places(double x, int64_t n, bool cut) {
    if (n > 308) return x;
    if (n < -308) return 0;
    double power_of_ten = n < 0 ? wr_real_pow(10, (double)-n) : wr_real_pow(10, (double)n);
    double scaled = n < 0 ? x / power_of_ten : x * power_of_ten;
    if (!isfinite(scaled)) return x;
    scaled = cut ? trunc(scaled) : round(scaled);
    return n < 0 ? scaled * power_of_ten : scaled / power_of_ten;
}

static void round_real(const wr_call_context *c, const wr_vector *args, bool cut, wr_vector *result) {
    void *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        int64_t n = ROW(&args[1], int64_t, i);
        if (args[0].phys == WR_PHYS_F32) {
            ((float *)out)[i] = (float)round_places((double)ROW(&args[0], float, i), n, cut);
        } else {
            ((double *)out)[i] = round_places(ROW(&args[0], double, i), n, cut);
        }
    }
}

RUN(run_round_places) {
    const round_plan *plan = c->data;
    if (plan && !plan->by_row) return run_round_exact(c, args, arg_count, result);
    WR_TRY(wr_call_prepare(c, result));
    round_real(c, args, false, result);
    return WR_OK;
}
RUN(run_trunc_places) {
    const round_plan *plan = c->data;
    if (plan && !plan->by_row) return run_trunc_exact(c, args, arg_count, result);
    WR_TRY(wr_call_prepare(c, result));
    round_real(c, args, true, result);
    return WR_OK;
}

RUN(run_same) {
    (void)arg_count;
    return wr_call_copy(c, &args[0], result);
}

static wr_status resolve_same(wr_resolution *r, wr_error *err) {
    (void)err;
    r->result = r->arg_types[0];
    return WR_OK;
}

/* ---- sign ---- */

RUN(run_sign) {
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    int8_t *out = wr_vector_data_mut(result);
    const wr_vector *a = &args[0];
    for (uint32_t i = 0; i < c->row_count; i++) {
        if (a->phys == WR_PHYS_F64) {
            double x = ((const double *)a->data)[i];
            out[i] = (int8_t)((x > 0) - (x < 0));
        } else if (a->phys == WR_PHYS_F32) {
            float x = ((const float *)a->data)[i];
            out[i] = (int8_t)((x > 0) - (x < 0));
        } else {
            wr_int128 x = load_integer(a, i);
            out[i] = (int8_t)((x > 0) - (x < 0));
        }
    }
    return WR_OK;
}

/* ---- number theory ---- */

static uint64_t gcd_of(uint64_t a, uint64_t b) {
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}
static uint64_t size_of(int64_t x) {
    return x < 0 ? -(uint64_t)x : (uint64_t)x;
}
static bool gcd_row(int64_t a, int64_t b, int64_t *out) {
    uint64_t gcd = gcd_of(size_of(a), size_of(b));
    *out = (int64_t)gcd;
    return gcd <= INT64_MAX;
}
static bool lcm_row(int64_t a, int64_t b, int64_t *out) {
    *out = 0;
    if (a == 0 || b == 0) return true;
    uint64_t lcm;
    if (__builtin_mul_overflow(size_of(a) / gcd_of(size_of(a), size_of(b)), size_of(b), &lcm)) return false;
    *out = (int64_t)lcm;
    return lcm <= INT64_MAX;
}
static bool factorial_row(int32_t n, wr_int128 *out) {
    *out = 1;
    for (int32_t i = 2; i <= n; i++) {
        if (__builtin_mul_overflow(*out, (wr_int128)i, out)) return false;
    }
    return n >= 0;
}

#define EACH(type_out, name, what, body)                                                                               \
    do {                                                                                                               \
        WR_TRY(wr_call_prepare(c, result));                                                                            \
        type_out *out = wr_vector_data_mut(result);                                                                    \
        for (uint32_t i = 0; i < c->row_count; i++) {                                                                  \
            if (WR_UNLIKELY(!(body)) && wr_is_active(c, i)) return wr_call_fail(c, args, arg_count, name, i, what);    \
        }                                                                                                              \
        return WR_OK;                                                                                                  \
    } while (0)

RUN(run_gcd) {
    EACH(int64_t, "gcd", "overflow", gcd_row(ROW(&args[0], int64_t, i), ROW(&args[1], int64_t, i), &out[i]));
}
RUN(run_lcm) {
    EACH(int64_t, "lcm", "overflow", lcm_row(ROW(&args[0], int64_t, i), ROW(&args[1], int64_t, i), &out[i]));
}
RUN(run_factorial) {
    EACH(wr_int128, "factorial", "out of range", factorial_row(ROW(&args[0], int32_t, i), &out[i]));
}

/* ---- constants and random numbers ---- */

RUN(run_pi) {
    (void)args;
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    double *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) out[i] = 3.14159265358979323846;
    return WR_OK;
}

/* A worker's own sequence: splitmix64 from a seed of the system's. */
static wr_status random_create(const void *data, wr_allocator *a, void **local, wr_error *err) {
    (void)data;
    uint64_t *seed = wr_alloc(a, sizeof *seed);
    if (!seed) return wr_fail_memory(err, sizeof *seed, "a random generator");
    *seed = wr_os_random();
    *local = seed;
    return WR_OK;
}
static void random_destroy(void *local, wr_allocator *a) {
    wr_free(a, local, sizeof(uint64_t));
}
RUN(run_random) {
    (void)args;
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    uint64_t *seed = c->local;
    double *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        uint64_t x = *seed += UINT64_C(0x9e3779b97f4a7c15);
        x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
        out[i] = (double)((x ^ x >> 31) >> 11) * 0x1p-53;
    }
    return WR_OK;
}

/* ---- rows ---- */

#define D WR_EXACT(DOUBLE)
#define N WR_EXACT(BIGINT)
#define OF_DOUBLE(name_, aliases_, run_, cost, text)                                                                   \
    {                                                                                                                  \
        .name = name_, .aliases = aliases_, .parameters = {D}, .result_id = WR_TYPE_DOUBLE, .run = run_,               \
        .cost_ns = cost, .summary = text                                                                               \
    }
#define OF_FLOAT(name_, aliases_, run_, text)                                                                          \
    {                                                                                                                  \
        .name = name_, .aliases = aliases_, .parameters = {WR_EXACT(FLOAT)}, .result_id = WR_TYPE_FLOAT, .run = run_,  \
        .cost_ns = 1, .summary = text                                                                                  \
    }
#define OF_DECIMAL(name_, aliases_, run_, text)                                                                        \
    {                                                                                                                  \
        .name = name_, .aliases = aliases_, .parameters = {WR_DECIMAL}, .resolve = resolve_whole, .run = run_,         \
        .cost_ns = 5, .summary = text                                                                                  \
    }
#define OF_INTEGER(name_, text)                                                                                        \
    {                                                                                                                  \
        .name = name_, .parameters = {WR_INTEGER}, .resolve = resolve_same, .run = run_same, .cost_ns = 0.2f,          \
        .summary = text                                                                                                \
    }
#define PLACES(name_, parameter, run_, resolve_, text)                                                                 \
    { .name = name_, .parameters = {parameter, N}, .resolve = resolve_, .run = run_, .cost_ns = 10, .summary = text }
#define TEST_OF(name_, run_, text)                                                                                     \
    { .name = name_, .parameters = {D}, .result_id = WR_TYPE_BOOLEAN, .run = run_, .cost_ns = 1, .summary = text }

static const wr_function rows[] = {
    OF_DOUBLE("sqrt", NULL, run_sqrt, 2, "square root"),
    OF_DOUBLE("cbrt", NULL, run_cbrt, 150, "cube root"),
    OF_DOUBLE("exp", NULL, run_exp, 20, "e to the power of the argument"),
    OF_DOUBLE("ln", NULL, run_ln, 45, "natural logarithm"),
    OF_DOUBLE("log10", "log", run_log10, 55, "logarithm to base 10"),
    OF_DOUBLE("log2", NULL, run_log2, 55, "logarithm to base 2"),
    {.name = "log",
     .parameters = {D, D},
     .result_id = WR_TYPE_DOUBLE,
     .run = run_log_base,
     .cost_ns = 90,
     .summary = "logarithm of the second argument to the base of the first"},
    {.name = "pow",
     .aliases = "power ^ **",
     .parameters = {D, D},
     .result_id = WR_TYPE_DOUBLE,
     .run = run_pow,
     .cost_ns = 80,
     .summary = "the first argument to the power of the second"},
    OF_DOUBLE("sin", NULL, run_sin, 400, "sine"),
    OF_DOUBLE("cos", NULL, run_cos, 400, "cosine"),
    OF_DOUBLE("tan", NULL, run_tan, 400, "tangent"),
    OF_DOUBLE("cot", NULL, run_cot, 400, "cotangent"),
    OF_DOUBLE("asin", NULL, run_asin, 900, "arc sine"),
    OF_DOUBLE("acos", NULL, run_acos, 900, "arc cosine"),
    OF_DOUBLE("atan", NULL, run_atan, 900, "arc tangent"),
    {.name = "atan2",
     .parameters = {D, D},
     .result_id = WR_TYPE_DOUBLE,
     .run = run_atan2,
     .cost_ns = 900,
     .summary = "the angle of the point (x, y), given y first"},
    OF_DOUBLE("sinh", NULL, run_sinh, 100, "hyperbolic sine"),
    OF_DOUBLE("cosh", NULL, run_cosh, 100, "hyperbolic cosine"),
    OF_DOUBLE("tanh", NULL, run_tanh, 150, "hyperbolic tangent"),
    OF_DOUBLE("asinh", NULL, run_asinh, 150, "inverse hyperbolic sine"),
    OF_DOUBLE("acosh", NULL, run_acosh, 100, "inverse hyperbolic cosine"),
    OF_DOUBLE("atanh", NULL, run_atanh, 300, "inverse hyperbolic tangent"),
    OF_DOUBLE("degrees", NULL, run_degrees, 1, "radians as degrees"),
    OF_DOUBLE("radians", NULL, run_radians, 1, "degrees as radians"),
    OF_DOUBLE("even", NULL, run_even, 2, "the next even number away from zero"),
    OF_DOUBLE("floor", NULL, run_floor, 1, "the next whole number below"),
    OF_FLOAT("floor", NULL, run_floor_32, "the next whole number below"),
    OF_DECIMAL("floor", NULL, run_floor_exact, "the next whole number below"),
    OF_DOUBLE("ceil", "ceiling", run_ceil, 1, "the next whole number above"),
    OF_FLOAT("ceil", "ceiling", run_ceil_32, "the next whole number above"),
    OF_DECIMAL("ceil", "ceiling", run_ceil_exact, "the next whole number above"),
    OF_DOUBLE("round", NULL, run_round, 2, "the nearest whole number, halves away from zero"),
    OF_FLOAT("round", NULL, run_round_32, "the nearest whole number, halves away from zero"),
    OF_DECIMAL("round", NULL, run_round_exact, "the nearest whole number, halves away from zero"),
    OF_INTEGER("round", "the number itself"),
    PLACES("round", WR_INTEGER, run_round_places, resolve_places, "rounded to tens, hundreds, ..."),
    PLACES("round", WR_DECIMAL, run_round_places, resolve_places, "rounded to so many digits behind the point"),
    PLACES("round", D, run_round_places, resolve_same, "rounded to so many digits behind the point"),
    PLACES("round", WR_EXACT(FLOAT), run_round_places, resolve_same, "rounded to so many digits behind the point"),
    OF_DOUBLE("trunc", NULL, run_trunc, 1, "without what is behind the point"),
    OF_FLOAT("trunc", NULL, run_trunc_32, "without what is behind the point"),
    OF_DECIMAL("trunc", NULL, run_trunc_exact, "without what is behind the point"),
    OF_INTEGER("trunc", "the number itself"),
    PLACES("trunc", WR_INTEGER, run_trunc_places, resolve_places, "cut to tens, hundreds, ..."),
    PLACES("trunc", WR_DECIMAL, run_trunc_places, resolve_places, "cut to so many digits behind the point"),
    PLACES("trunc", D, run_trunc_places, resolve_same, "cut to so many digits behind the point"),
    {.name = "sign",
     .parameters = {WR_NUMBER},
     .result_id = WR_TYPE_TINYINT,
     .run = run_sign,
     .cost_ns = 1,
     .summary = "-1, 0 or 1"},
    TEST_OF("isnan", run_isnan, "the number is NaN"),
    TEST_OF("isinf", run_isinf, "the number is infinite"),
    TEST_OF("isfinite", run_isfinite, "the number is neither infinite nor NaN"),
    TEST_OF("signbit", run_signbit, "the sign bit is set"),
    {.name = "gcd",
     .aliases = "greatest_common_divisor",
     .parameters = {N, N},
     .result_id = WR_TYPE_BIGINT,
     .run = run_gcd,
     .can_fail = true,
     .cost_ns = 60,
     .summary = "greatest common divisor"},
    {.name = "lcm",
     .aliases = "least_common_multiple",
     .parameters = {N, N},
     .result_id = WR_TYPE_BIGINT,
     .run = run_lcm,
     .can_fail = true,
     .cost_ns = 60,
     .summary = "least common multiple"},
    {.name = "factorial",
     .aliases = "!",
     .parameters = {WR_EXACT(INTEGER)},
     .result_id = WR_TYPE_HUGEINT,
     .run = run_factorial,
     .can_fail = true,
     .cost_ns = 20,
     .summary = "product of the numbers from 1 on"},
    {.name = "pi", .result_id = WR_TYPE_DOUBLE, .run = run_pi, .summary = "3.14159..."},
    {.name = "random",
     .aliases = "rand",
     .volatility = WR_VOLATILE,
     .result_id = WR_TYPE_DOUBLE,
     .run = run_random,
     .local_create = random_create,
     .local_destroy = random_destroy,
     .cost_ns = 2,
     .summary = "a random number, 0 <= x < 1"},
};

const wr_function_set wr_functions_math = {"math", rows, WR_COUNT_OF(rows)};
