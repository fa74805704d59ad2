/* Sums, minima and maxima: of a whole column, or by group.
 *
 * Grouped loops add to states that lie `stride` bytes apart: the state of row i is base + group[i] * stride. Exact sums
 * of integers are 128 bits wide (low word, high word), so that no order of rows can overflow on the way; the aggregate
 * checks once, at the end. Sums of floats do not depend on the order of rows (see reduce_float.c). */
#ifndef WR_KERNEL_REDUCE_H
#define WR_KERNEL_REDUCE_H

#include "column/type.h"
#include "kernel/kernel.h"

typedef struct wr_reduce_kernels {
    /* Sum of the rows whose bit is set in `valid` (NULL: all). Integers. */
    wr_int128 (*sum[WR_PHYS_COUNT])(const void *a, const uint64_t *valid, uint32_t n);
    /* Minimum and maximum of the rows in `valid`; false when there is none. Fixed-width numbers; floats in total order. */
    bool (*bounds[WR_PHYS_COUNT])(const void *a, const uint64_t *valid, uint32_t n, void *min, void *max);

    /* state: wr_int128. */
    void (*group_sum[WR_PHYS_COUNT])(const void *a, const uint64_t *valid, const uint32_t *group, uint32_t n,
                                     uint8_t *base, uint32_t stride);
    /* The values come from a dictionary: value of row i is a[codes[i]]. I32, I64, I128. */
    void (*group_sum_by_code[WR_PHYS_COUNT])(const void *a, const uint32_t *codes, const uint64_t *valid,
                                             const uint32_t *group, uint32_t n, uint8_t *base, uint32_t stride);
    /* state: uint64_t. */
    void (*group_count)(const uint64_t *valid, const uint32_t *group, uint32_t n, uint8_t *base, uint32_t stride);
    /* state: the value, then a byte that says one was seen, at `seen_offset` from the state. */
    void (*group_min[WR_PHYS_COUNT])(const void *a, const uint64_t *valid, const uint32_t *group, uint32_t n,
                                     uint8_t *base, uint32_t stride, uint32_t seen_offset);
    void (*group_max[WR_PHYS_COUNT])(const void *a, const uint64_t *valid, const uint32_t *group, uint32_t n,
                                     uint8_t *base, uint32_t stride, uint32_t seen_offset);
} wr_reduce_kernels;

#endif
