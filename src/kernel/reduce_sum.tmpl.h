/* Sums of one number type, whole, by group and by group of values in a dictionary. Parameters: see each_number.tmpl.h.
 */

#if IS_FLOAT

/* As the bits of doubles. */
WR_ALWAYS_INLINE uint64_t WR_CAT(term, NAME)(T x) {
    double wide = (double)x;
    uint64_t bits;
    memcpy(&bits, &wide, sizeof bits);
    return bits;
}

static void WR_CAT(sum, NAME)(const void *a, const uint64_t *valid, uint32_t n, void *state) {
    const T *x = a;
    for (uint32_t row = 0; row < n; row += 64, x += 64) {
        uint64_t word = wr_word_at(valid, row / 64, n), terms[64] = {0};
        if (word == ~UINT64_C(0)) {
            for (uint32_t j = 0; j < 64; j++) terms[j] = WR_CAT(term, NAME)(x[j]);
        } else {
            uint32_t count = wr_word_rows(row, n);
            for (uint32_t j = 0; j < count; j++) terms[j] = WR_CAT(term, NAME)(x[j]) & -(word >> j & 1);
        }
        float_sum_block(state, terms);
    }
}

#define ADD_BLOCK(terms, group, count) float_group_block((terms), (group), (count), base, stride)
#define TERM uint64_t

#else

#if LANE_BITS == 128
#define TERM wr_int128
#define STATE wr_sum192
#define ADD(state, x) wr_sum192_add((state), (x))
#else
#define STATE wr_int128_packed
#define ADD(state, x) (*(STATE *)(state) += (x))
#if IS_SIGNED
#define TERM int64_t
#else
#define TERM uint64_t
#endif
#endif

WR_ALWAYS_INLINE TERM WR_CAT(term, NAME)(T x) {
    return x;
}

/* Rows side by side, all valid. */
WR_ALWAYS_INLINE void WR_CAT(sum_run, NAME)(const T *x, uint32_t count, void *state) {
#if LANE_BITS < 64
    TERM sum = 0;
    for (uint32_t j = 0; j < count; j++) sum += x[j];
    ADD(state, sum);
#elif LANE_BITS == 64
    /* Halves apart: 2^32 of them fit a word. The sign bit is turned, so that the high half is unsigned too. */
    const uint64_t turn = IS_SIGNED ? UINT64_C(1) << 63 : 0;
    uint64_t low = 0, high = 0;
    for (uint32_t j = 0; j < count; j++) {
        low += (uint32_t)x[j];
        high += ((uint64_t)x[j] ^ turn) >> 32;
    }
    ADD(state, (wr_int128)(((wr_uint128)high << 32) + low - (wr_uint128)turn * count));
#else
    wr_sum192 sum = {0, 0, 0};
    for (uint32_t j = 0; j < count; j++) wr_sum192_add(&sum, x[j]);
    wr_sum192_merge(state, &sum);
#endif
}

static void WR_CAT(sum, NAME)(const void *a, const uint64_t *valid, uint32_t n, void *state) {
    const T *x = a;
    if (!valid) {
        WR_CAT(sum_run, NAME)(x, n, state);
        return;
    }
    for (uint32_t row = 0; row < n; row += 64, x += 64) {
        uint64_t word = wr_word_at(valid, row / 64, n);
        if (word == ~UINT64_C(0)) {
            WR_CAT(sum_run, NAME)(x, 64, state);
        } else {
            T kept[64];
            uint32_t count = wr_word_rows(row, n);
            for (uint32_t j = 0; j < count; j++) kept[j] = x[j] & (T) - (T)(word >> j & 1);
            WR_CAT(sum_run, NAME)(kept, count, state);
        }
    }
}

WR_ALWAYS_INLINE void WR_CAT(group_block, NAME)(const TERM *terms, const uint32_t *group, uint32_t count, uint8_t *base,
                                                uint32_t stride) {
    uint32_t j = 0;
    for (; j + RUN <= count; j += RUN) {
        if (same_group(group + j)) {
            STATE sum;
            memset(&sum, 0, sizeof sum);
            WR_UNROLL(8)
            for (uint32_t i = j; i < j + RUN; i++) ADD(&sum, terms[i]);
#if LANE_BITS == 128
            wr_sum192_merge(state_of(base, group[j], stride), &sum);
#else
            ADD(state_of(base, group[j], stride), sum);
#endif
        } else {
            WR_UNROLL(8)
            for (uint32_t i = j; i < j + RUN; i++) ADD(state_of(base, group[i], stride), terms[i]);
        }
    }
    for (; j < count; j++) ADD(state_of(base, group[j], stride), terms[j]);
}

#define ADD_BLOCK(terms, group, count) WR_CAT(group_block, NAME)((terms), (group), (count), base, stride)
#endif

static void WR_CAT(group_sum, NAME)(const void *a, const uint64_t *valid, const uint32_t *group, uint32_t n,
                                    uint8_t *base, uint32_t stride) {
    const T *x = a;
    for (uint32_t row = 0; row < n; row += 64, x += 64, group += 64) {
        uint64_t word = wr_word_at(valid, row / 64, n);
        uint32_t count = wr_word_rows(row, n);
        TERM terms[64];
        if (word == ~UINT64_C(0)) {
            for (uint32_t j = 0; j < 64; j++) terms[j] = WR_CAT(term, NAME)(x[j]);
        } else {
            memset(terms, 0, sizeof terms);
            for (uint32_t j = 0; j < count; j++) terms[j] = WR_CAT(term, NAME)(x[j]) & (TERM) - (TERM)(word >> j & 1);
        }
        ADD_BLOCK(terms, group, count);
    }
}

static void WR_CAT(group_sum_by_code, NAME)(const void *a, const uint32_t *codes, const uint64_t *valid,
                                            const uint32_t *group, uint32_t n, uint8_t *base, uint32_t stride) {
    const T *x = a;
    for (uint32_t row = 0; row < n; row += 64, codes += 64, group += 64) {
        uint64_t word = wr_word_at(valid, row / 64, n);
        uint32_t count = wr_word_rows(row, n);
        TERM terms[64];
        if (word == ~UINT64_C(0)) {
            for (uint32_t j = 0; j < 64; j++) terms[j] = WR_CAT(term, NAME)(x[codes[j]]);
        } else {
            memset(terms, 0, sizeof terms);
            for (uint64_t left = word; left; left &= left - 1) {
                unsigned j = (unsigned)__builtin_ctzll(left);
                terms[j] = WR_CAT(term, NAME)(x[codes[j]]);
            }
        }
        ADD_BLOCK(terms, group, count);
    }
}

#undef TERM
#undef STATE
#undef ADD
#undef ADD_BLOCK
#include "kernel/each_number_end.tmpl.h"
