/* Moving values: gather by row list or by dictionary code, compress by bitmap. Indexed by log2 of the width in bytes
 * (1, 2, 4, 8, 16); packed booleans go through bits.h. */
#ifndef WR_KERNEL_SELECT_H
#define WR_KERNEL_SELECT_H

#include "kernel/kernel.h"

enum { WR_WIDTHS = 5 };

typedef struct wr_select_kernels {
    /* out[i] = a[rows[i]] */
    void (*gather16[WR_WIDTHS])(const void *a, const uint16_t *rows, uint32_t n, void *out);
    void (*gather32[WR_WIDTHS])(const void *a, const uint32_t *rows, uint32_t n, void *out);
    /* Keeps the values of a whose bit is set, side by side; returns how many. Room for n + 64 bytes. */
    uint32_t (*compress[WR_WIDTHS])(const void *a, const uint64_t *pass, uint32_t n, void *out);
    /* The inverse, for decoding columns with NULLs: value k of a goes to the k-th set bit; other slots are zero. */
    void (*expand[WR_WIDTHS])(const void *a, const uint64_t *valid, uint32_t n, void *out);
} wr_select_kernels;

static inline unsigned wr_width_index(unsigned bytes) {
    return (unsigned)__builtin_ctz(bytes);
}

#endif
