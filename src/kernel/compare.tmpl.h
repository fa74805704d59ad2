/* Comparisons of one number type: 64 rows to a word, a vector at a time. Parameters: see each_number.tmpl.h. */

#if LANE_BITS == 128

WR_ALWAYS_INLINE bool WR_CAT(holds, NAME)(wr_compare_op op, T x, T y) {
    switch (op) {
    case WR_EQ: return x == y;
    case WR_NE: return x != y;
    case WR_LT: return x < y;
    case WR_LE: return x <= y;
    case WR_GT: return x > y;
    default: return x >= y;
    }
}

WR_ALWAYS_INLINE uint64_t WR_CAT(compare_word, NAME)(wr_compare_op op, const T *a, const T *b, bool constant,
                                                     uint32_t count) {
    uint64_t word = 0;
    for (uint32_t j = 0; j < count; j++) word |= (uint64_t)WR_CAT(holds, NAME)(op, a[j], b[constant ? 0 : j]) << j;
    return word;
}

#else

/* NaN is what differs from itself: equal to its like, above all else. */
#if IS_FLOAT
#define EQUAL(x, y) ((x == y) | ((x != x) & (y != y)))
#define BELOW(x, y) ((x < y) | ((y != y) & (x == x)))
#define NOT_ABOVE(x, y) ((x <= y) | (y != y))
#else
#define EQUAL(x, y) (x == y)
#define BELOW(x, y) (x < y)
#define NOT_ABOVE(x, y) (x <= y)
#endif

WR_ALWAYS_INLINE MASK_LANES WR_CAT(holds, NAME)(wr_compare_op op, VECTOR x, VECTOR y) {
    switch (op) {
    case WR_EQ: return EQUAL(x, y);
    case WR_NE: return ~EQUAL(x, y);
    case WR_LT: return BELOW(x, y);
    case WR_LE: return NOT_ABOVE(x, y);
    case WR_GT: return BELOW(y, x);
    default: return NOT_ABOVE(y, x);
    }
}

#undef EQUAL
#undef BELOW
#undef NOT_ABOVE

WR_ALWAYS_INLINE uint64_t WR_CAT(compare_word, NAME)(wr_compare_op op, const T *a, const T *b, bool constant,
                                                     uint32_t count) {
    const uint32_t lanes = WR_VECTOR_BYTES * 8 / LANE_BITS;
    VECTOR same = (VECTOR){0} + *b;
    uint64_t word = 0;
    for (uint32_t j = 0; j < count; j += lanes) {
        VECTOR x = *(const VECTOR *)(const void *)(a + j);
        VECTOR y = constant ? same : *(const VECTOR *)(const void *)(b + j);
        word |= WR_CAT(wr_mask, LANE_BITS)((MASK_LANES)WR_CAT(holds, NAME)(op, x, y)) << j;
    }
    return word;
}

#endif

WR_ALWAYS_INLINE void WR_CAT(compare, NAME)(wr_compare_op op, const void *a, const void *b, bool constant, uint32_t n,
                                            uint64_t *out) {
    const T *x = a, *y = b;
    uint32_t row = 0;
    for (; row + 64 <= n; row += 64) {
        out[row / 64] = WR_CAT(compare_word, NAME)(op, x + row, constant ? y : y + row, constant, 64);
    }
    if (row < n) out[row / 64] = WR_CAT(compare_word, NAME)(op, x + row, constant ? y : y + row, constant, n - row);
}

#define LOOPS(op, OP)                                                                                                  \
    static void WR_CAT(op##_vv, NAME)(const void *a, const void *b, uint32_t n, uint64_t *out) {                       \
        WR_CAT(compare, NAME)(OP, a, b, false, n, out);                                                                \
    }                                                                                                                  \
    static void WR_CAT(op##_vc, NAME)(const void *a, const void *b, uint32_t n, uint64_t *out) {                       \
        WR_CAT(compare, NAME)(OP, a, b, true, n, out);                                                                 \
    }
COMPARE_OPS(LOOPS)
#undef LOOPS

static void WR_CAT(range, NAME)(const void *a, const void *low, const void *high, uint32_t n, uint64_t *out) {
    const T *x = a;
    uint32_t row = 0;
    for (; row + 64 <= n; row += 64) {
        out[row / 64] = WR_CAT(compare_word, NAME)(WR_GE, x + row, low, true, 64) &
                        WR_CAT(compare_word, NAME)(WR_LE, x + row, high, true, 64);
    }
    if (row < n) {
        out[row / 64] = WR_CAT(compare_word, NAME)(WR_GE, x + row, low, true, n - row) &
                        WR_CAT(compare_word, NAME)(WR_LE, x + row, high, true, n - row);
    }
}

#include "kernel/each_number_end.tmpl.h"
