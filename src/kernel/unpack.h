/* Integers packed to a width in bits, least significant bit first, as Parquet packs them: 32 values are `width` words of
 * 32 bits. */
#ifndef WR_KERNEL_UNPACK_H
#define WR_KERNEL_UNPACK_H

#include "kernel/kernel.h"

typedef struct wr_unpack_kernels {
    /* n values of `width` bits (0 to 32) to 32-bit words, n rounded up to 16 are written; reads (n * width + 7) / 8 bytes
     * and up to 64 more, which must be readable. */
    void (*u32)(const uint8_t *packed, uint32_t n, unsigned width, uint32_t *out);
    void (*u64)(const uint8_t *packed, uint32_t n, unsigned width, uint64_t *out); /* width 0 to 64 */
    /* Running sum in place with wrap-around: out[i] = first + delta[0] + min_delta + ... ; returns the last value. */
    uint64_t (*prefix_sum)(uint64_t *values, uint32_t n, uint64_t first, uint64_t min_delta);
    /* True when all codes are below `limit`. */
    bool (*codes_below)(const uint32_t *codes, uint32_t n, uint32_t limit);
} wr_unpack_kernels;

#endif
