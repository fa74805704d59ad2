/* Float sums of blocks of up to 64 doubles, for reduce.c alone. A block is split into mantissas, exponents and signs by
 * a loop that vectorises; then either all rows go to one state, a lane at a time, or each row to its group's state, all
 * four lanes in one vector. The result is that of wr_float_sum_add for each row, lane by lane. */
#ifndef WR_KERNEL_REDUCE_FLOAT_H
#define WR_KERNEL_REDUCE_FLOAT_H

#include "kernel/float_sum.h"
#include "kernel/kernel_internal.h"

typedef struct float_block {
    uint64_t mantissa[64];
    int64_t exponent[64];
    int64_t sign[64]; /* 0 or -1 */
    int64_t bin[64];
    int64_t most; /* the highest exponent */
} float_block;

/* Rows whose bit is clear count as 0. */
WR_ALWAYS_INLINE void split_block(float_block *block, const uint64_t *bits, uint64_t word, uint32_t count) {
    const uint64_t hidden = UINT64_C(1) << 52;
    int64_t most = 0;
    for (uint32_t j = 0; j < count; j++) {
        uint64_t x = bits[j] & -(word >> j & 1);
        int64_t exponent = (int64_t)(x >> 52 & 0x7ff);
        block->mantissa[j] = (x & (hidden - 1)) | (exponent ? hidden : 0);
        exponent += exponent == 0;
        block->exponent[j] = exponent;
        block->sign[j] = -(int64_t)(x >> 63);
        block->bin[j] = (int64_t)((uint32_t)(exponent + 52) / WR_FLOAT_SUM_BIN_BITS);
        most = exponent > most ? exponent : most;
    }
    block->most = most;
}

/* `distance` is never below -43, as no value lies above the window; see wr_float_sum_chunk. */
WR_ALWAYS_INLINE int64_t lane_sum(const float_block *block, int64_t bin_start, uint32_t count) {
    int64_t sum = 0;
    for (uint32_t j = 0; j < count; j++) {
        int64_t distance = bin_start - block->exponent[j];
        int64_t right = distance < 0 ? 0 : distance, left = distance < 0 ? -distance : 0;
        right = right > 63 ? 63 : right;
        int64_t chunk = (int64_t)(block->mantissa[j] >> right << left & ((1u << WR_FLOAT_SUM_BIN_BITS) - 1));
        sum += (chunk ^ block->sign[j]) - block->sign[j];
    }
    return sum;
}

WR_ALWAYS_INLINE void add_block(wr_float_sum *state, const float_block *block, uint32_t count) {
    int64_t top = wr_float_sum_bin((uint32_t)block->most);
    if (top > state->top) wr_float_sum_raise(state, top);
    for (unsigned lane = 0; lane < WR_FLOAT_SUM_LANES; lane++) {
        state->lanes[lane] += lane_sum(block, (state->top - lane) * WR_FLOAT_SUM_BIN_BITS, count);
    }
}

/* ---- one row: four lanes at once ---- */

#if WR_AVX2

typedef __m256i row_lanes;

WR_ALWAYS_INLINE row_lanes lanes_of_row(const float_block *block, uint32_t j, int64_t top) {
    const __m256i below =
        _mm256_set_epi64x(-3 * WR_FLOAT_SUM_BIN_BITS, -2 * WR_FLOAT_SUM_BIN_BITS, -WR_FLOAT_SUM_BIN_BITS, 0);
    __m256i mantissa = _mm256_set1_epi64x((int64_t)block->mantissa[j]), sign = _mm256_set1_epi64x(block->sign[j]);
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
    int64_t lane[WR_FLOAT_SUM_LANES];
} row_lanes;

WR_ALWAYS_INLINE row_lanes lanes_of_row(const float_block *block, uint32_t j, int64_t top) {
    row_lanes lanes;
    int64_t distance = top * WR_FLOAT_SUM_BIN_BITS - block->exponent[j], sign = block->sign[j];
    for (unsigned i = 0; i < WR_FLOAT_SUM_LANES; i++, distance -= WR_FLOAT_SUM_BIN_BITS) {
        int64_t chunk = (int64_t)wr_float_sum_chunk(block->mantissa[j], distance);
        lanes.lane[i] = (chunk ^ sign) - sign;
    }
    return lanes;
}
WR_ALWAYS_INLINE row_lanes lanes_add(row_lanes a, row_lanes b) {
    for (unsigned i = 0; i < WR_FLOAT_SUM_LANES; i++) a.lane[i] += b.lane[i];
    return a;
}
WR_ALWAYS_INLINE void lanes_put(wr_float_sum *state, row_lanes lanes) {
    for (unsigned i = 0; i < WR_FLOAT_SUM_LANES; i++) state->lanes[i] += lanes.lane[i];
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

/* ---- blocks of doubles, given as their bits ---- */

static void float_sum_block(wr_float_sum *state, const uint64_t *bits, uint64_t word, uint32_t count) {
    float_block block;
    split_block(&block, bits, word, count);
    if (WR_LIKELY(block.most < WR_FLOAT_SUM_MAX_EXPONENT)) {
        add_block(state, &block, count);
        return;
    }
    for (uint32_t j = 0; j < count; j++) {
        double x;
        memcpy(&x, &bits[j], sizeof x);
        if (word >> j & 1) wr_float_sum_add(state, x);
    }
}

static void float_group_block(const uint64_t *bits, uint64_t word, const uint32_t *group, uint32_t count, uint8_t *base,
                              uint32_t stride) {
    float_block block;
    split_block(&block, bits, word, count);
    if (WR_UNLIKELY(block.most == WR_FLOAT_SUM_MAX_EXPONENT)) {
        for (uint32_t j = 0; j < count; j++) {
            double x;
            memcpy(&x, &bits[j], sizeof x);
            if (word >> j & 1) wr_float_sum_add(state_of(base, group[j], stride), x);
        }
        return;
    }
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
