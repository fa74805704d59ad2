/* Float sums of blocks of up to 64 doubles, for reduce.c alone. A block is split into mantissas, exponents and signs by
 * a loop that vectorises; then either all rows go to one state, a lane at a time, or each row to its group's state, all
 * four lanes in one vector. The result is that of wr_float_sum_add for each row, lane by lane. */
#ifndef WR_KERNEL_REDUCE_FLOAT_H
#define WR_KERNEL_REDUCE_FLOAT_H

#include "kernel/float_sum.h"
#include "kernel/group_run.h"

enum { LANES = WR_VECTOR_BYTES / 8 };

/* Doubles, given as their bits, in parts; see wr_float_split. `sign` is 0 or -1. */
typedef struct parts {
    wr_v_i64 mantissa, exponent, sign;
} parts;

WR_ALWAYS_INLINE wr_v_u64 load_bits(const uint64_t *bits) {
    return *(const wr_v_u64 *)(const void *)bits;
}

WR_ALWAYS_INLINE parts split(wr_v_u64 bits) {
    const uint64_t hidden = UINT64_C(1) << 52;
    wr_v_i64 exponent = (wr_v_i64)(bits >> 52 & 0x7ff), subnormal = exponent == 0;
    wr_v_i64 mantissa = (wr_v_i64)(bits & (hidden - 1)) | (~subnormal & (int64_t)hidden);
    return (parts){mantissa, exponent - subnormal, -(wr_v_i64)(bits >> 63)};
}

WR_ALWAYS_INLINE wr_v_i64 larger(wr_v_i64 a, wr_v_i64 b) {
    wr_v_i64 first = a > b;
    return (a & first) | (b & ~first);
}

/* The highest exponent of 64 rows. */
WR_ALWAYS_INLINE int64_t most_exponent(const uint64_t *bits) {
    wr_v_i64 most = {1};
    for (uint32_t j = 0; j < 64; j += LANES) most = larger(most, (wr_v_i64)(load_bits(bits + j) >> 52 & 0x7ff));
    int64_t found = 1;
    for (uint32_t i = 0; i < LANES; i++) found = most[i] > found ? most[i] : found;
    return found;
}

/* wr_float_sum_chunk for each lane. The shifts of AVX2 and AVX-512 give 0 for counts that are not 0 to 63, as one of
 * the two here is. */
WR_ALWAYS_INLINE wr_v_i64 chunks(wr_v_i64 mantissa, wr_v_i64 distance) {
    const int64_t mask = (1 << WR_FLOAT_SUM_BIN_BITS) - 1;
#if WR_AVX512
    __m512i right = _mm512_srlv_epi64((__m512i)mantissa, (__m512i)distance);
    return ((wr_v_i64)right | (wr_v_i64)_mm512_sllv_epi64((__m512i)mantissa, (__m512i)-distance)) & mask;
#elif WR_AVX2
    __m256i right = _mm256_srlv_epi64((__m256i)mantissa, (__m256i)distance);
    return ((wr_v_i64)right | (wr_v_i64)_mm256_sllv_epi64((__m256i)mantissa, (__m256i)-distance)) & mask;
#elif WR_NEON
    /* A shift to the left by what is negative is one to the right; counts are a byte. */
    wr_v_i64 left = larger(-distance, (wr_v_i64){0} - 64);
    return (wr_v_i64)vshlq_u64((uint64x2_t)mantissa, (int64x2_t)left) & mask;
#else
    wr_v_i64 chunk;
    for (uint32_t i = 0; i < LANES; i++) {
        chunk[i] = (int64_t)wr_float_sum_chunk((uint64_t)mantissa[i], distance[i]);
    }
    return chunk & mask;
#endif
}

/* Adds 64 finite rows. */
WR_ALWAYS_INLINE void add_block(wr_float_sum *state, const uint64_t *bits, int64_t most) {
    int64_t top = wr_float_sum_bin((uint32_t)most);
    if (top > state->top) wr_float_sum_raise(state, top);
    wr_v_i64 sums[WR_FLOAT_SUM_LANES] = {{0}};
    for (uint32_t j = 0; j < 64; j += LANES) {
        parts x = split(load_bits(bits + j));
        wr_v_i64 distance = state->top * WR_FLOAT_SUM_BIN_BITS - x.exponent;
        WR_UNROLL(4)
        for (unsigned lane = 0; lane < WR_FLOAT_SUM_LANES; lane++) {
            sums[lane] += (chunks(x.mantissa, distance - lane * WR_FLOAT_SUM_BIN_BITS) ^ x.sign) - x.sign;
        }
    }
    for (unsigned lane = 0; lane < WR_FLOAT_SUM_LANES; lane++) {
        for (uint32_t i = 0; i < LANES; i++) state->lanes[lane] += sums[lane][i];
    }
}

/* ---- by group: a block in parts, then row by row ---- */

typedef struct float_block {
    int64_t mantissa[64], exponent[64], sign[64], bin[64];
} float_block;

WR_ALWAYS_INLINE void store_lanes(int64_t *to, wr_v_i64 v) {
    memcpy(to, &v, sizeof v);
}

WR_ALWAYS_INLINE void split_block(float_block *block, const uint64_t *bits) {
    for (uint32_t j = 0; j < 64; j += LANES) {
        parts x = split(load_bits(bits + j));
        store_lanes(block->mantissa + j, x.mantissa);
        store_lanes(block->exponent + j, x.exponent);
        store_lanes(block->sign + j, x.sign);
        /* (exponent + 52) / 24 in 32 bits, exact below 8192. */
        wr_v_i32 scaled = (wr_v_i32)(x.exponent + 52) * 2731;
        store_lanes(block->bin + j, (wr_v_i64)((wr_v_u64)scaled >> 16));
    }
}

/* One row: four lanes at once. */
#if WR_AVX2

typedef __m256i row_lanes;

WR_ALWAYS_INLINE row_lanes lanes_of_row(const float_block *block, uint32_t j, int64_t top) {
    const __m256i below =
        _mm256_set_epi64x(-3 * WR_FLOAT_SUM_BIN_BITS, -2 * WR_FLOAT_SUM_BIN_BITS, -WR_FLOAT_SUM_BIN_BITS, 0);
    __m256i mantissa = _mm256_set1_epi64x(block->mantissa[j]), sign = _mm256_set1_epi64x(block->sign[j]);
    __m256i distance = _mm256_add_epi64(_mm256_set1_epi64x(top * WR_FLOAT_SUM_BIN_BITS - block->exponent[j]), below);
    /* Shifts by what is not 0 to 63 give 0 here: of the two, one is always such, or both are by 0. */
    __m256i chunk = _mm256_or_si256(_mm256_srlv_epi64(mantissa, distance),
                                    _mm256_sllv_epi64(mantissa, _mm256_sub_epi64(_mm256_setzero_si256(), distance)));
    chunk = _mm256_and_si256(chunk, _mm256_set1_epi64x((1 << WR_FLOAT_SUM_BIN_BITS) - 1));
    return _mm256_sub_epi64(_mm256_xor_si256(chunk, sign), sign);
}
WR_ALWAYS_INLINE row_lanes lanes_add(row_lanes a, row_lanes b) {
    return _mm256_add_epi64(a, b);
}
WR_ALWAYS_INLINE void lanes_put(wr_float_sum *state, row_lanes lanes) {
    __m256i held = _mm256_loadu_si256((const __m256i *)(const void *)state->lanes);
    _mm256_storeu_si256((__m256i *)(void *)state->lanes, _mm256_add_epi64(held, lanes));
}

#else

typedef struct row_lanes {
    wr_v_i64 high, low;
} row_lanes;

WR_ALWAYS_INLINE row_lanes lanes_of_row(const float_block *block, uint32_t j, int64_t top) {
    const wr_v_i64 below = {0, WR_FLOAT_SUM_BIN_BITS};
    wr_v_i64 mantissa = (wr_v_i64){0} + block->mantissa[j], sign = (wr_v_i64){0} + block->sign[j];
    wr_v_i64 distance = top * WR_FLOAT_SUM_BIN_BITS - block->exponent[j] - below;
    return (row_lanes){(chunks(mantissa, distance) ^ sign) - sign,
                       (chunks(mantissa, distance - 2 * WR_FLOAT_SUM_BIN_BITS) ^ sign) - sign};
}
WR_ALWAYS_INLINE row_lanes lanes_add(row_lanes a, row_lanes b) {
    return (row_lanes){a.high + b.high, a.low + b.low};
}
WR_ALWAYS_INLINE void lanes_put(wr_float_sum *state, row_lanes lanes) {
    wr_v_i64 *held = (wr_v_i64 *)(void *)state->lanes;
    held[0] += lanes.high;
    held[1] += lanes.low;
}

#endif

WR_ALWAYS_INLINE void add_row(wr_float_sum *state, const float_block *block, uint32_t j) {
    if (WR_UNLIKELY(block->bin[j] > state->top)) wr_float_sum_raise(state, block->bin[j]);
    lanes_put(state, lanes_of_row(block, j, state->top));
}

/* RUN rows of one group. */
WR_ALWAYS_INLINE void add_run(wr_float_sum *state, const float_block *block, uint32_t first) {
    int64_t top = state->top;
    for (uint32_t j = first; j < first + RUN; j++) top = block->bin[j] > top ? block->bin[j] : top;
    if (WR_UNLIKELY(top > state->top)) wr_float_sum_raise(state, top);
    row_lanes sum = lanes_of_row(block, first, top);
    for (uint32_t j = first + 1; j < first + RUN; j++) sum = lanes_add(sum, lanes_of_row(block, j, top));
    lanes_put(state, sum);
}

/* ---- blocks of 64 doubles; rows that do not count are 0 ---- */

WR_ALWAYS_INLINE double double_of(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void float_sum_block(wr_float_sum *state, const uint64_t *bits) {
    int64_t most = most_exponent(bits);
    if (WR_LIKELY(most < WR_FLOAT_SUM_MAX_EXPONENT)) {
        add_block(state, bits, most);
        return;
    }
    for (uint32_t j = 0; j < 64; j++) wr_float_sum_add(state, double_of(bits[j]));
}

static void float_group_block(const uint64_t *bits, const uint32_t *group, uint32_t count, uint8_t *base,
                              uint32_t stride) {
    if (WR_UNLIKELY(most_exponent(bits) == WR_FLOAT_SUM_MAX_EXPONENT)) {
        for (uint32_t j = 0; j < count; j++) wr_float_sum_add(state_of(base, group[j], stride), double_of(bits[j]));
        return;
    }
    float_block block;
    split_block(&block, bits);
    uint32_t j = 0;
    for (; j + RUN <= count; j += RUN) {
        if (same_group(group + j)) {
            add_run(state_of(base, group[j], stride), &block, j);
        } else {
            WR_UNROLL(8)
            for (uint32_t i = j; i < j + RUN; i++) add_row(state_of(base, group[i], stride), &block, i);
        }
    }
    for (; j < count; j++) add_row(state_of(base, group[j], stride), &block, j);
}

#endif
