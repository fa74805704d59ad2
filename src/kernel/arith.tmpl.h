/* Arithmetic of one number type. Parameters: see each_number.tmpl.h. Integers: multiply_<name> and quotient_<name> are
 * there already.
 *
 * apply_<name> is an operation on two values: it gives the result, wrapped around, and a word that is 0 when the result
 * is right. All loops are made from it. */

#if IS_FLOAT

WR_ALWAYS_INLINE UNSIGNED WR_CAT(apply, NAME)(wr_arith_op op, T x, T y, T *out) {
    switch (op) {
    case WR_ADD: *out = x + y; break;
    case WR_SUB: *out = x - y; break;
    case WR_MUL: *out = x * y; break;
    case WR_DIV: *out = x / y; break;
    default: *out = (T)fmod((double)x, (double)y); break;
    }
    return 0;
}

#else

#define OVERFLOWN(sign_bits) ((UNSIGNED)((UNSIGNED)(sign_bits) >> (LANE_BITS - 1)))
#define LEAST ((T)((UNSIGNED)1 << (LANE_BITS - 1)))

WR_ALWAYS_INLINE UNSIGNED WR_CAT(divide, NAME)(T x, T y, T *out) {
    bool bad = (y == 0) | (IS_SIGNED && (x == LEAST) & (y == (T)-1));
    *out = WR_CAT(quotient, NAME)(x, bad ? (T)1 : y);
    return bad;
}

WR_ALWAYS_INLINE UNSIGNED WR_CAT(remainder, NAME)(T x, T y, T *out) {
    bool trivial = (y == 0) | (IS_SIGNED && y == (T)-1);
    T divisor = trivial ? (T)1 : y;
    *out = (T)(x - WR_CAT(quotient, NAME)(x, divisor) * divisor);
    return y == 0;
}

WR_ALWAYS_INLINE UNSIGNED WR_CAT(apply, NAME)(wr_arith_op op, T x, T y, T *out) {
    switch (op) {
    case WR_ADD:
        *out = (T)((UNSIGNED)x + (UNSIGNED)y);
        return IS_SIGNED ? OVERFLOWN((x ^ *out) & (y ^ *out)) : *out < x;
    case WR_SUB: *out = (T)((UNSIGNED)x - (UNSIGNED)y); return IS_SIGNED ? OVERFLOWN((x ^ y) & (x ^ *out)) : x < y;
    case WR_MUL: return WR_CAT(multiply, NAME)(x, y, out);
    case WR_DIV: return WR_CAT(divide, NAME)(x, y, out);
    default: return WR_CAT(remainder, NAME)(x, y, out);
    }
}

#undef OVERFLOWN

#endif

/* ---- checked loops ---- */

static __attribute__((noinline)) void WR_CAT(find_failed, NAME)(wr_arith_op op, const T *x, const T *y, bool x_constant,
                                                                bool y_constant, uint32_t n, uint64_t *failed) {
    T result;
    WR_FILL_BITS(failed, n, i, WR_CAT(apply, NAME)(op, x[x_constant ? 0 : i], y[y_constant ? 0 : i], &result) != 0);
}

#if !IS_FLOAT && LANE_BITS == 64
/* Quotients or remainders by a constant above 1, which cannot fail. */
WR_ALWAYS_INLINE void WR_CAT(divide_column, NAME)(wr_arith_op op, const T *x, T divisor, uint32_t n, T *restrict to) {
    const wr_divider by = wr_divider_of((uint64_t)divisor);
    for (uint32_t i = 0; i < n; i++) {
        const UNSIGNED sign = IS_SIGNED ? (UNSIGNED)0 - ((UNSIGNED)x[i] >> (LANE_BITS - 1)) : 0;
        UNSIGNED quotient = (wr_divide(((UNSIGNED)x[i] ^ sign) - sign, by) ^ sign) - sign;
        to[i] = op == WR_DIV ? (T)quotient : (T)((UNSIGNED)x[i] - quotient * (UNSIGNED)divisor);
    }
}
#endif

WR_ALWAYS_INLINE bool WR_CAT(checked, NAME)(wr_arith_op op, const void *a, const void *b, bool a_constant,
                                            bool b_constant, uint32_t n, void *out, uint64_t *failed) {
    const T *x = a, *y = b;
    T *restrict to = out;
    UNSIGNED any = 0;
#if !IS_FLOAT && LANE_BITS == 64
    if (b_constant && (op == WR_DIV || op == WR_MOD) && *y > 1) {
        WR_CAT(divide_column, NAME)(op, x, *y, n, to);
        return false;
    }
#endif
    for (uint32_t i = 0; i < n; i++) {
        any |= WR_CAT(apply, NAME)(op, x[a_constant ? 0 : i], y[b_constant ? 0 : i], &to[i]);
    }
    if (WR_LIKELY(!any)) return false;
    WR_CAT(find_failed, NAME)(op, x, y, a_constant, b_constant, n, failed);
    return true;
}

#define LOOPS(op, OP)                                                                                                  \
    static bool WR_CAT(op##_vv, NAME)(const void *a, const void *b, uint32_t n, void *out, uint64_t *failed) {         \
        return WR_CAT(checked, NAME)(OP, a, b, false, false, n, out, failed);                                          \
    }                                                                                                                  \
    static bool WR_CAT(op##_vc, NAME)(const void *a, const void *b, uint32_t n, void *out, uint64_t *failed) {         \
        return WR_CAT(checked, NAME)(OP, a, b, false, true, n, out, failed);                                           \
    }                                                                                                                  \
    static bool WR_CAT(op##_cv, NAME)(const void *a, const void *b, uint32_t n, void *out, uint64_t *failed) {         \
        return WR_CAT(checked, NAME)(OP, a, b, true, false, n, out, failed);                                           \
    }
ARITH_OPS(LOOPS)
#undef LOOPS

/* ---- one operand ---- */

static bool WR_CAT(negate, NAME)(const void *a, uint32_t n, void *out, uint64_t *failed) {
    const T *x = a;
    T *restrict to = out;
#if IS_FLOAT
    (void)failed;
    for (uint32_t i = 0; i < n; i++) to[i] = -x[i];
    return false;
#else
    const T zero = 0;
    (void)x;
    (void)to;
    return WR_CAT(checked, NAME)(WR_SUB, &zero, a, true, false, n, out, failed);
#endif
}

static bool WR_CAT(absolute, NAME)(const void *a, uint32_t n, void *out, uint64_t *failed) {
    const T *x = a;
    T *restrict to = out;
#if IS_FLOAT
    (void)failed;
    for (uint32_t i = 0; i < n; i++) to[i] = (T)fabs((double)x[i]);
    return false;
#elif !IS_SIGNED
    (void)failed;
    memcpy(to, x, n * sizeof(T));
    return false;
#else
    bool any = false;
    for (uint32_t i = 0; i < n; i++) {
        any |= x[i] == LEAST;
        to[i] = x[i] < 0 ? (T)(0 - (UNSIGNED)x[i]) : x[i];
    }
    if (WR_LIKELY(!any)) return false;
    WR_FILL_BITS(failed, n, i, x[i] == LEAST);
    return true;
#endif
}

/* ---- unchecked ---- */

#if !IS_FLOAT
WR_ALWAYS_INLINE void WR_CAT(unchecked, NAME)(wr_arith_op op, const void *a, const void *b, bool a_constant,
                                              bool b_constant, uint32_t n, void *out) {
    const T *x = a, *y = b;
    T *restrict to = out;
    for (uint32_t i = 0; i < n; i++) {
        UNSIGNED left = (UNSIGNED)x[a_constant ? 0 : i], right = (UNSIGNED)y[b_constant ? 0 : i];
        /* 1u: a product of two uint16_t would overflow the int that they are promoted to. */
        UNSIGNED result = (UNSIGNED)(1u * left * right);
        if (op == WR_ADD) result = (UNSIGNED)(left + right);
        if (op == WR_SUB) result = (UNSIGNED)(left - right);
        to[i] = (T)result;
    }
}

#define LOOPS(op, OP)                                                                                                  \
    static void WR_CAT(fast_##op##_vv, NAME)(const void *a, const void *b, uint32_t n, void *out) {                    \
        WR_CAT(unchecked, NAME)(OP, a, b, false, false, n, out);                                                       \
    }                                                                                                                  \
    static void WR_CAT(fast_##op##_vc, NAME)(const void *a, const void *b, uint32_t n, void *out) {                    \
        WR_CAT(unchecked, NAME)(OP, a, b, false, true, n, out);                                                        \
    }                                                                                                                  \
    static void WR_CAT(fast_##op##_cv, NAME)(const void *a, const void *b, uint32_t n, void *out) {                    \
        WR_CAT(unchecked, NAME)(OP, a, b, true, false, n, out);                                                        \
    }
LOOPS(add, WR_ADD)
LOOPS(sub, WR_SUB)
LOOPS(mul, WR_MUL)
#undef LOOPS
#undef LEAST
#endif

#include "kernel/each_number_end.tmpl.h"
