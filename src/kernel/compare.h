/* Comparisons of columns: one bitmap word a step of 64 rows. Floats compare in SQL's total order: NaN equals itself and
 * is above all, -0 equals 0. */
#ifndef WR_KERNEL_COMPARE_H
#define WR_KERNEL_COMPARE_H

#include "column/type.h"
#include "kernel/kernel.h"

typedef enum wr_compare_op { WR_EQ, WR_NE, WR_LT, WR_LE, WR_GT, WR_GE, WR_COMPARE_OPS } wr_compare_op;

typedef struct wr_compare_kernels {
    /* NULL where the type has no such loop (LIST, STRUCT). BOOL columns are bitmaps; a BOOL constant is a uint64_t of
     * all zeros or all ones. VIEW constants are wr_string_view. */
    void (*vv[WR_PHYS_COUNT][WR_COMPARE_OPS])(const void *a, const void *b, uint32_t n, uint64_t *out);
    void (*vc[WR_PHYS_COUNT][WR_COMPARE_OPS])(const void *a, const void *b, uint32_t n, uint64_t *out);
    /* low <= a and a <= high, one pass. Fixed-width numbers alone. */
    void (*range[WR_PHYS_COUNT])(const void *a, const void *low, const void *high, uint32_t n, uint64_t *out);
} wr_compare_kernels;

#endif
