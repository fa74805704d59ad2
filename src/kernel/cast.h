/* Number to number. A value that the target cannot hold fails (as in arith.h). Float to integer rounds half to even
 * and fails on NaN and out of range; integer to float rounds to nearest. BOOL columns are bitmaps. */
#ifndef WR_KERNEL_CAST_H
#define WR_KERNEL_CAST_H

#include "column/type.h"
#include "kernel/kernel.h"

typedef struct wr_cast_kernels {
    /* [from][to] among BOOL, I8..F64; NULL elsewhere. */
    bool (*number[WR_PHYS_COUNT][WR_PHYS_COUNT])(const void *a, uint32_t n, void *out, uint64_t *failed);
    /* Decimal rescale of I64 and I128: times 10^up with a check, or divided by 10^down rounding half away from zero;
     * [0] I64 to I64, [1] I64 to I128, [2] I128 to I128, [3] I128 to I64. Fails beyond +-limit. */
    bool (*rescale_up[4])(const void *a, uint32_t n, wr_int128 factor, wr_int128 limit, void *out, uint64_t *failed);
    bool (*rescale_down[4])(const void *a, uint32_t n, wr_int128 divisor, wr_int128 limit, void *out, uint64_t *failed);
} wr_cast_kernels;

#endif
