/* Division by a number that stays the same for a whole column: a multiplication and two shifts (Granlund and
 * Montgomery, "Division by invariant integers using multiplication", 1994, figure 4.1), in about half
 * of a division's time. */
#ifndef WR_KERNEL_DIVIDE_H
#define WR_KERNEL_DIVIDE_H

#include "column/type.h"

typedef struct wr_divider {
    uint64_t magic;
    unsigned shift_first, shift_last;
} wr_divider;

/* divisor >= 1 */
static inline wr_divider wr_divider_of(uint64_t divisor) {
    unsigned bits = divisor > 1 ? 64 - (unsigned)__builtin_clzll(divisor - 1) : 0;
    wr_uint128 excess = ((wr_uint128)1 << bits) - divisor;
    return (wr_divider){(uint64_t)((excess << 64) / divisor + 1), bits > 0, bits > 0 ? bits - 1 : 0};
}

WR_ALWAYS_INLINE uint64_t wr_divide(uint64_t x, wr_divider by) {
    uint64_t high = (uint64_t)((wr_uint128)by.magic * x >> 64);
    return (high + ((x - high) >> by.shift_first)) >> by.shift_last;
}

#endif
