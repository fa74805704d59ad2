/* Our own snappy: untrusted bytes in, exactly as many bytes out as the header says, or false.
 *
 * The bytes of a page are planned ahead, a vector at a time, as if a step began at each of them; what is left to do one
 * after the other is one short, branch-free step for each copy and the short literal before it. See snappy.c. */
#ifndef WR_KERNEL_SNAPPY_H
#define WR_KERNEL_SNAPPY_H

#include "base/buffer.h"
#include "kernel/kernel.h"

typedef struct wr_inflate_page {
    const uint8_t *input;
    size_t input_bytes; /* readable up to WR_BUFFER_PAD bytes further */
    uint8_t *output;
    size_t output_bytes; /* writable up to WR_BUFFER_PAD bytes further */
    size_t failed_at;    /* out, on failure: input offset of what was wrong */
} wr_inflate_page;

typedef struct wr_snappy_kernels {
    /* False when the input is not whole and consistent, or does not give exactly output_bytes. */
    bool (*inflate)(wr_inflate_page *page);
} wr_snappy_kernels;

/* Pages that do not compress are stored as one literal: then its bytes, else NULL. Codes of dictionaries mostly are,
 * and are read in place. */
static inline const uint8_t *wr_snappy_stored(const uint8_t *input, size_t input_bytes, size_t output_bytes) {
    size_t head = 1;
    for (size_t rest = output_bytes; rest > 0x7f; rest >>= 7) head++;
    unsigned extra = output_bytes <= 60 ? 0 : output_bytes <= 1 << 8 ? 1 : output_bytes <= 1 << 16 ? 2 : 3;
    if (output_bytes == 0 || output_bytes > 1 << 24 || input_bytes != head + 1 + extra + output_bytes) return NULL;
    size_t stated = 0, length = 0;
    for (size_t i = 0; i < head; i++) stated |= (size_t)(input[i] & 0x7f) << (7 * i);
    for (unsigned i = 0; i < extra; i++) length |= (size_t)input[head + 1 + i] << (8 * i);
    uint8_t tag = (uint8_t)(extra ? 59 + extra : output_bytes - 1);
    if (stated != output_bytes || input[head] != tag << 2) return NULL;
    return !extra || length + 1 == output_bytes ? input + head + 1 + extra : NULL;
}

#endif
