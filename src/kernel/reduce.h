/* Sums, minima and maxima: of a whole column, or by group.
 *
 * Loops add to states: one, or those that lie `stride` bytes apart, where the state of row i is base + group[i] *
 * stride. States are 8-byte aligned; a cleared one is empty. Sums are kept in states wide enough that no order of rows
 * can overflow on the way, and the aggregate checks once, at the end: integers of up to 64 bits   wr_int128 I128
 * wr_sum192 F32, F64                    wr_float_sum, which does not depend on the order of rows either Minima and
 * maxima of floats go by total order, in which -0 is then taken to be below 0 and all NaN to be one, so that their bits
 * do not depend on the order of rows. */
#ifndef WR_KERNEL_REDUCE_H
#define WR_KERNEL_REDUCE_H

#include "column/type.h"
#include "kernel/float_sum.h"
#include "kernel/kernel.h"

/* A sum of 128-bit integers: two's complement, low word first. */
typedef struct wr_sum192 {
    uint64_t low, middle;
    int64_t high;
} wr_sum192;

static inline void wr_sum192_add(wr_sum192 *state, wr_int128 value) {
    wr_uint128 old = (wr_uint128)state->middle << 64 | state->low, sum = old + (wr_uint128)value;
    state->low = (uint64_t)sum;
    state->middle = (uint64_t)(sum >> 64);
    state->high += (value < 0 ? -1 : 0) + (sum < old);
}
static inline void wr_sum192_merge(wr_sum192 *state, const wr_sum192 *other) {
    wr_sum192_add(state, (wr_int128)((wr_uint128)other->middle << 64 | other->low));
    state->high += other->high + (int64_t)(other->middle >> 63);
}
/* False when the sum does not fit. */
static inline bool wr_sum192_get(const wr_sum192 *state, wr_int128 *out) {
    *out = (wr_int128)((wr_uint128)state->middle << 64 | state->low);
    return state->high == (*out < 0 ? -1 : 0);
}

enum { WR_SLOT_TERMS = 4 };

typedef struct wr_reduce_kernels {
    /* Adds the rows whose bit is set in `valid` (NULL: all). Numbers. */
    void (*sum[WR_PHYS_COUNT])(const void *a, const uint64_t *valid, uint32_t n, void *state);
    /* Minimum and maximum of the rows in `valid`; false when there is none. Fixed-width numbers; floats in total order.
     */
    bool (*bounds[WR_PHYS_COUNT])(const void *a, const uint64_t *valid, uint32_t n, void *min, void *max);

    void (*group_sum[WR_PHYS_COUNT])(const void *a, const uint64_t *valid, const uint32_t *group, uint32_t n,
                                     uint8_t *base, uint32_t stride);
    /* The values come from a dictionary: value of row i is a[codes[i]]. Codes of rows that are not valid are not
     * followed. Numbers. */
    void (*group_sum_by_code[WR_PHYS_COUNT])(const void *a, const uint32_t *codes, const uint64_t *valid,
                                             const uint32_t *group, uint32_t n, uint8_t *base, uint32_t stride);
    /* state: uint64_t. */
    void (*group_count)(const uint64_t *valid, const uint32_t *group, uint32_t n, uint8_t *base, uint32_t stride);
    /* ---- sums in slots: small tables of int64 that exact sums pass through on their way to states ---- */

    /* out[i] = row i of a (by code: a[codes[i]]), 0 where its bit is not set in `valid`; codes of those rows are not
     * followed. Returns b such that -2^b <= out[i] < 2^b for all rows: 64 when some value is no int64. Integers of up
     * to 64 bits. */
    unsigned (*terms[WR_PHYS_COUNT])(const void *a, const uint64_t *valid, uint32_t n, int64_t *out);
    unsigned (*terms_by_code[WR_PHYS_COUNT])(const void *a, const uint32_t *codes, const uint64_t *valid, uint32_t n,
                                             int64_t *out);
    /* Slot index[i] has `words` words; word k of it += terms[k][i], of 1 to WR_SLOT_TERMS lists. */
    void (*slots_add[WR_SLOT_TERMS + 1])(const uint32_t *index, uint32_t n, const int64_t *const *terms,
                                         uint64_t *slots, uint32_t words);
    /* The same, with 0 to WR_SLOT_TERMS lists behind a word 0 that counts rows. */
    void (*slots_count_add[WR_SLOT_TERMS + 1])(const uint32_t *index, uint32_t n, const int64_t *const *terms,
                                               uint64_t *slots, uint32_t words);

    /* state: the value, then a byte that says one was seen, at `seen_offset` from the state. */
    void (*group_min[WR_PHYS_COUNT])(const void *a, const uint64_t *valid, const uint32_t *group, uint32_t n,
                                     uint8_t *base, uint32_t stride, uint32_t seen_offset);
    void (*group_max[WR_PHYS_COUNT])(const void *a, const uint64_t *valid, const uint32_t *group, uint32_t n,
                                     uint8_t *base, uint32_t stride, uint32_t seen_offset);
} wr_reduce_kernels;

#endif
