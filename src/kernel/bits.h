/* Bitmap logic and the bridges between bitmaps, row lists and dictionary codes. */
#ifndef WR_KERNEL_BITS_H
#define WR_KERNEL_BITS_H

#include "base/bitmap.h"
#include "kernel/kernel.h"

typedef struct wr_bits_kernels {
    /* out may be one of the inputs; whole words. */
    void (*and_)(const uint64_t *a, const uint64_t *b, uint32_t n, uint64_t *out);
    void (*or_)(const uint64_t *a, const uint64_t *b, uint32_t n, uint64_t *out);
    void (*and_not)(const uint64_t *a, const uint64_t *b, uint32_t n, uint64_t *out); /* a & ~b */
    void (*not_)(const uint64_t *a, uint32_t n, uint64_t *out);
    uint32_t (*count)(const uint64_t *a, uint32_t n);
    /* Rows whose bit is set, in rising order, plus `first`; n <= 65536. Returns how many. `rows` has room for n + 64. */
    uint32_t (*rows)(const uint64_t *a, uint32_t n, uint16_t first, uint16_t *rows);
    /* out bit i = bit codes[i] of `entries`: a filter on a dictionary, carried to the rows. Codes are in range. */
    void (*lookup)(const uint64_t *entries, const uint32_t *codes, uint32_t n, uint64_t *out);
    /* out bit i = bit rows[i] of a. */
    void (*gather)(const uint64_t *a, const uint16_t *rows, uint32_t n, uint64_t *out);
    void (*gather32)(const uint64_t *a, const uint32_t *rows, uint32_t n, uint64_t *out);
    /* Keeps the bits of a whose bit in `pass` is set, side by side; returns how many. */
    uint32_t (*compress)(const uint64_t *a, const uint64_t *pass, uint32_t n, uint64_t *out);
} wr_bits_kernels;

#endif
