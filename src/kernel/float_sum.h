/* Sums of floats that do not depend on the order of what is added: any batches, threads or spills give the same bits.
 *
 * The exponents of doubles are cut into fixed bins of 24 bits. A value is split at the bins' borders into chunks, and a
 * state adds the chunks of each bin as integers, which no order changes. It keeps the four highest bins that it has
 * seen: a value above them moves the window up, and what falls below is dropped. Bins never carry into each other
 * before the end, so that what a bin holds, and with it what is dropped, is the same in every order. (The idea of bins
 * is Demmel and Nguyen's, "Parallel reproducible summation", 2015; theirs are floats. Why this one:
 * docs/decisions/0003-float-sums.md.)
 *
 * The window holds at least 73 bits from the highest bit of the largest value down: each addend loses less than 2^-72
 * of the largest one, where a plain sum of doubles loses up to 2^-53 of the sum with each addition. The sum is rounded
 * once, at the end. A bin has room for 2^39 addends.
 *
 * Infinities and NaN are a bin above all others, where the lanes count them by kind; finite values then fall out of the
 * window, as they should. A cleared state is the sum of nothing. */
#ifndef WR_KERNEL_FLOAT_SUM_H
#define WR_KERNEL_FLOAT_SUM_H

#include <math.h>

#include "column/type.h"

enum {
    WR_FLOAT_SUM_LANES = 4,
    WR_FLOAT_SUM_BIN_BITS = 24,
    WR_FLOAT_SUM_SPECIAL = 95, /* its four bins are above those of every finite value, the highest of which is 87 */
    WR_FLOAT_SUM_MAX_EXPONENT = 2047,
};

typedef struct wr_float_sum {
    int64_t lanes[WR_FLOAT_SUM_LANES]; /* sums of chunks, highest bin first; in the special bin: NaN, +inf, -inf */
    int64_t top;                       /* the highest bin */
} wr_float_sum;

/* A double as (-1)^sign * mantissa * 2^(exponent - 1075); exponent is 1 to 2046, or 2047 when it is not finite. */
typedef struct wr_float_parts {
    uint64_t mantissa;
    uint32_t exponent;
    bool negative;
} wr_float_parts;

static inline wr_float_parts wr_float_split(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t exponent = (uint32_t)(bits >> 52) & 0x7ff;
    uint64_t hidden = (uint64_t)(exponent != 0) << 52;
    return (wr_float_parts){(bits & ((UINT64_C(1) << 52) - 1)) | hidden, exponent + (exponent == 0), bits >> 63};
}

/* The bin of the highest bit that a value of this exponent may have. */
static inline int64_t wr_float_sum_bin(uint32_t exponent) {
    return (exponent + 52) / WR_FLOAT_SUM_BIN_BITS;
}

/* Moves the window up. */
static inline void wr_float_sum_raise(wr_float_sum *state, int64_t top) {
    int64_t old[WR_FLOAT_SUM_LANES], up = top - state->top;
    memcpy(old, state->lanes, sizeof old);
    for (int64_t lane = 0; lane < WR_FLOAT_SUM_LANES; lane++) {
        state->lanes[lane] = lane >= up ? old[lane - up] : 0;
    }
    state->top = top;
}

/* Exponent 2047. */
static inline void wr_float_sum_add_special(wr_float_sum *state, wr_float_parts x) {
    if (state->top < WR_FLOAT_SUM_SPECIAL) wr_float_sum_raise(state, WR_FLOAT_SUM_SPECIAL);
    bool is_nan = x.mantissa != UINT64_C(1) << 52;
    state->lanes[is_nan ? 0 : x.negative ? 2 : 1]++;
}

/* The chunk of a mantissa whose lowest bit lies `distance` bits below the lowest of the bin (above it when negative).
 */
static inline uint64_t wr_float_sum_chunk(uint64_t mantissa, int64_t distance) {
    int64_t right = distance < 0 ? 0 : distance > 63 ? 63 : distance;
    int64_t left = distance > 0 ? 0 : distance < -63 ? 63 : -distance;
    return mantissa >> right << left & ((1u << WR_FLOAT_SUM_BIN_BITS) - 1);
}

static inline void wr_float_sum_add(wr_float_sum *state, double value) {
    wr_float_parts x = wr_float_split(value);
    if (x.exponent == WR_FLOAT_SUM_MAX_EXPONENT) {
        wr_float_sum_add_special(state, x);
        return;
    }
    int64_t bin = wr_float_sum_bin(x.exponent);
    if (bin > state->top) wr_float_sum_raise(state, bin);
    int64_t distance = state->top * WR_FLOAT_SUM_BIN_BITS - (int64_t)x.exponent;
    for (unsigned lane = 0; lane < WR_FLOAT_SUM_LANES; lane++, distance -= WR_FLOAT_SUM_BIN_BITS) {
        int64_t chunk = (int64_t)wr_float_sum_chunk(x.mantissa, distance);
        state->lanes[lane] += x.negative ? -chunk : chunk;
    }
}

static inline void wr_float_sum_merge(wr_float_sum *state, const wr_float_sum *other) {
    wr_float_sum from = *other;
    if (from.top > state->top) wr_float_sum_raise(state, from.top);
    if (from.top < state->top) wr_float_sum_raise(&from, state->top);
    for (unsigned lane = 0; lane < WR_FLOAT_SUM_LANES; lane++) state->lanes[lane] += from.lanes[lane];
}

/* The sum, rounded to nearest. Sums of nothing are 0, as is what cancels out. */
static inline double wr_float_sum_finish(const wr_float_sum *state) {
    if (state->top == WR_FLOAT_SUM_SPECIAL) {
        if (state->lanes[0] || (state->lanes[1] && state->lanes[2])) return (double)NAN;
        return state->lanes[1] ? (double)INFINITY : -(double)INFINITY;
    }
    const int64_t bin_mask = (1 << WR_FLOAT_SUM_BIN_BITS) - 1;
    int64_t lane[WR_FLOAT_SUM_LANES];
    memcpy(lane, state->lanes, sizeof lane);
    for (unsigned i = WR_FLOAT_SUM_LANES - 1; i > 0; i--) {
        lane[i - 1] += lane[i] >> WR_FLOAT_SUM_BIN_BITS;
        lane[i] &= bin_mask;
    }
    wr_int128 whole = ((wr_int128)lane[0] * ((wr_int128)1 << 48)) + ((wr_int128)lane[1] << 24) + lane[2];
    int exponent = (int)(state->top - 2) * WR_FLOAT_SUM_BIN_BITS - 1075;
    /* The lowest lane in full where its bits can reach the result, else as one bit that decides between halves. */
    if (whole < (wr_int128)1 << 100 && whole > -((wr_int128)1 << 100)) {
        whole = whole * (1 << WR_FLOAT_SUM_BIN_BITS) + lane[3];
        exponent -= WR_FLOAT_SUM_BIN_BITS;
    } else if (lane[3]) {
        whole |= 1;
    }
    return scalbn((double)whole, exponent);
}

#endif
