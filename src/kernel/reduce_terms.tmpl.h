/* Columns of integers as int64 and how large they are, for sums in slots. Parameters: see each_number.tmpl.h. */

#if !IS_FLOAT && LANE_BITS <= 64

/* Bits of the value and of its complement, whichever is not negative; all bits for what is no int64. */
WR_ALWAYS_INLINE uint64_t WR_CAT(magnitude, NAME)(T x) {
#if IS_SIGNED
    int64_t wide = x;
    return (uint64_t)(wide ^ (wide >> 63));
#else
    return x;
#endif
}

/* Gathering and measuring apart: the first is bound by loads, the second is vectors. */
WR_ALWAYS_INLINE unsigned WR_CAT(terms_gathered, NAME)(const T *a, const uint32_t *codes, const uint64_t *valid,
                                                       uint32_t n, int64_t *restrict out) {
    uint64_t seen = 0;
    if (!valid) {
        WR_UNROLL(4)
        for (uint32_t i = 0; i < n; i++) out[i] = (int64_t)a[codes[i]];
    } else {
        for (uint32_t i = 0; i < n; i++) out[i] = wr_valid(valid, i) ? (int64_t)a[codes ? codes[i] : i] : 0;
    }
    for (uint32_t i = 0; i < n; i++) seen |= WR_CAT(magnitude, NAME)((T)out[i]);
    return bits_of(seen);
}

static unsigned WR_CAT(terms, NAME)(const void *a, const uint64_t *valid, uint32_t n, int64_t *out) {
    const T *x = a;
    uint64_t seen = 0;
    if (valid) return WR_CAT(terms_gathered, NAME)(a, NULL, valid, n, out);
    for (uint32_t i = 0; i < n; i++) {
        out[i] = (int64_t)x[i];
        seen |= WR_CAT(magnitude, NAME)(x[i]);
    }
    return bits_of(seen);
}

static unsigned WR_CAT(terms_by_code, NAME)(const void *a, const uint32_t *codes, const uint64_t *valid, uint32_t n,
                                            int64_t *out) {
    return WR_CAT(terms_gathered, NAME)(a, codes, valid, n, out);
}

#endif
#include "kernel/each_number_end.tmpl.h"
