/* Arithmetic over columns; see arith.h.
 *
 * Products of narrow integers are taken in the next width. Quotients of integers of up to 32 bits are taken in doubles,
 * which divide eight at a time where integers have no vector division: both operands are exact, and a quotient below an
 * integer k lies at least 1/y below it, more than rounding moves it, as k * y is below 2^53. */
#include "kernel/arith.h"

#include <math.h>

#include "kernel/divide.h"
#include "kernel/kernel_internal.h"

#define ARITH_OPS(OP) OP(add, WR_ADD) OP(sub, WR_SUB) OP(mul, WR_MUL) OP(div, WR_DIV) OP(mod, WR_MOD)

/* ---- products and quotients of integers ---- */

#define NARROW(name, type, unsigned_type, product_type, quotient_type)                                                 \
    WR_ALWAYS_INLINE unsigned_type multiply_##name(type x, type y, type *out) {                                        \
        product_type product = (product_type)((product_type)x * (product_type)y);                                      \
        *out = (type)product;                                                                                          \
        return product != (product_type)*out;                                                                          \
    }                                                                                                                  \
    WR_ALWAYS_INLINE type quotient_##name(type x, type y) {                                                            \
        return (type)(quotient_type)((double)x / (double)y);                                                           \
    }
NARROW(i8, int8_t, uint8_t, int16_t, int32_t)
NARROW(i16, int16_t, uint16_t, int32_t, int32_t)
NARROW(i32, int32_t, uint32_t, int64_t, int32_t)
NARROW(u8, uint8_t, uint8_t, uint16_t, int32_t)
NARROW(u16, uint16_t, uint16_t, uint32_t, int32_t)
NARROW(u32, uint32_t, uint32_t, uint64_t, uint32_t)

WR_ALWAYS_INLINE uint64_t multiply_i64(int64_t x, int64_t y, int64_t *out) {
    return __builtin_mul_overflow(x, y, out);
}
WR_ALWAYS_INLINE int64_t quotient_i64(int64_t x, int64_t y) {
    return x / y;
}
WR_ALWAYS_INLINE uint64_t multiply_u64(uint64_t x, uint64_t y, uint64_t *out) {
    return __builtin_mul_overflow(x, y, out);
}
WR_ALWAYS_INLINE uint64_t quotient_u64(uint64_t x, uint64_t y) {
    return x / y;
}

/* Magnitudes in halves: when both high halves are set the product is too large; else one cross product is 0 and the
 * other must fit above the low product. The builtin is a function of a library with one of the compilers. */
static bool multiply_halves(wr_int128 x, wr_int128 y, wr_int128 *out) {
    bool negative = (x < 0) != (y < 0);
    wr_uint128 a = x < 0 ? -(wr_uint128)x : (wr_uint128)x, b = y < 0 ? -(wr_uint128)y : (wr_uint128)y;
    uint64_t a_high = (uint64_t)(a >> 64), a_low = (uint64_t)a, b_high = (uint64_t)(b >> 64), b_low = (uint64_t)b;
    wr_uint128 cross = (wr_uint128)a_high * b_low + (wr_uint128)b_high * a_low, low = (wr_uint128)a_low * b_low;
    wr_uint128 sum = low + (cross << 64), limit = ((wr_uint128)1 << 127) - !negative;
    *out = (wr_int128)((wr_uint128)x * (wr_uint128)y);
    return (a_high && b_high) || cross >> 64 || sum < low || sum > limit;
}
WR_ALWAYS_INLINE wr_uint128 multiply_i128(wr_int128 x, wr_int128 y, wr_int128_packed *out) {
    if (WR_LIKELY(x == (int64_t)x && y == (int64_t)y)) {
        *out = (wr_int128)(int64_t)x * (int64_t)y;
        return false;
    }
    wr_int128 product;
    bool failed = multiply_halves(x, y, &product);
    *out = product;
    return failed;
}
WR_ALWAYS_INLINE wr_int128 quotient_i128(wr_int128 x, wr_int128 y) {
    return x / y;
}

#define TEMPLATE "kernel/arith.tmpl.h"
#include "kernel/each_number.tmpl.h"

/* ---- exact products ---- */

static void mul_wide_vv(const int64_t *a, const int64_t *b, uint32_t n, wr_int128 *out) {
    wr_int128_packed *restrict to = (wr_int128_packed *)out;
    for (uint32_t i = 0; i < n; i++) to[i] = (wr_int128)a[i] * b[i];
}

static void mul_wide_vc(const int64_t *a, const int64_t *b, uint32_t n, wr_int128 *out) {
    wr_int128_packed *restrict to = (wr_int128_packed *)out;
    const int64_t factor = *b;
    for (uint32_t i = 0; i < n; i++) to[i] = (wr_int128)a[i] * factor;
}

/* ---- the table ---- */

#define CHECKED(form, name)                                                                                            \
    { add_##form##_##name, sub_##form##_##name, mul_##form##_##name, div_##form##_##name, mod_##form##_##name }
#define UNCHECKED(form, name)                                                                                          \
    { fast_add_##form##_##name, fast_sub_##form##_##name, fast_mul_##form##_##name }

const wr_arith_kernels WR_ISA_NAME(wr_arith_kernels) = {
    .vv =
        {
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_NUMBER_##class([WR_PHYS_##ID] = CHECKED(vv, name), )
#include "column/types.def"
        },
    .vc =
        {
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_NUMBER_##class([WR_PHYS_##ID] = CHECKED(vc, name), )
#include "column/types.def"
        },
    .cv =
        {
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_NUMBER_##class([WR_PHYS_##ID] = CHECKED(cv, name), )
#include "column/types.def"
        },
    .fast_vv =
        {
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_INTEGER_##class([WR_PHYS_##ID] = UNCHECKED(vv, name), )
#include "column/types.def"
        },
    .fast_vc =
        {
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_INTEGER_##class([WR_PHYS_##ID] = UNCHECKED(vc, name), )
#include "column/types.def"
        },
    .fast_cv =
        {
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_INTEGER_##class([WR_PHYS_##ID] = UNCHECKED(cv, name), )
#include "column/types.def"
        },
    .mul_wide_vv = mul_wide_vv,
    .mul_wide_vc = mul_wide_vc,
    .negate =
        {
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_NUMBER_##class([WR_PHYS_##ID] = negate_##name, )
#include "column/types.def"
        },
    .absolute =
        {
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_NUMBER_##class([WR_PHYS_##ID] = absolute_##name, )
#include "column/types.def"
        },
};
