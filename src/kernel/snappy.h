/* Our own snappy: untrusted bytes in, exactly as many bytes out as the header says, or false.
 *
 * Integer pages are almost only pairs of a short literal and a short copy; a table of tags takes such a pair in one
 * branch-free step, and two pages in lockstep hide each other's latency. */
#ifndef WR_KERNEL_SNAPPY_H
#define WR_KERNEL_SNAPPY_H

#include "kernel/kernel.h"

typedef struct wr_inflate_page {
    const uint8_t *input;
    size_t input_bytes; /* readable up to 64 bytes further */
    uint8_t *output;
    size_t output_bytes; /* writable up to WR_BUFFER_PAD bytes further */
    bool ok;             /* out: whole and consistent */
    size_t failed_at;    /* out: input offset of what was wrong */
} wr_inflate_page;

typedef struct wr_snappy_kernels {
    /* Inflates all pages; sets ok of each. */
    void (*inflate)(wr_inflate_page *pages, uint32_t page_count);
} wr_snappy_kernels;

#endif
