/* Hashes of columns, equal to base/hash.h value by value. Integers of any width and sign hash as their 64-bit value
 * (int128 outside 64 bits mixes both words), floats as doubles with -0 and NaN made one, text by wr_hash_bytes. */
#ifndef WR_KERNEL_HASH_H
#define WR_KERNEL_HASH_H

#include "base/hash.h"
#include "column/type.h"
#include "kernel/kernel.h"

typedef struct wr_hash_kernels {
    /* out[i] = hash(a[i]); NULL rows give WR_HASH_NULL. `validity` may be NULL. */
    void (*hash[WR_PHYS_COUNT])(const void *a, const uint64_t *validity, uint32_t n, uint64_t *out);
    /* out[i] = combine(out[i], hash(a[i])) */
    void (*combine[WR_PHYS_COUNT])(const void *a, const uint64_t *validity, uint32_t n, uint64_t *out);
    /* The same of precomputed entry hashes by code. */
    void (*by_code)(const uint64_t *entry_hashes, const uint32_t *codes, uint32_t n, uint64_t *out);
    void (*combine_by_code)(const uint64_t *entry_hashes, const uint32_t *codes, uint32_t n, uint64_t *out);
} wr_hash_kernels;

#endif
