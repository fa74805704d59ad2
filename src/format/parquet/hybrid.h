/* The hybrid of runs and bit-packed groups: dictionary codes, levels, booleans. */
#ifndef WR_FORMAT_PARQUET_HYBRID_H
#define WR_FORMAT_PARQUET_HYBRID_H

#include "base/span.h"
#include "kernel/unpack.h"

typedef struct wr_pq_hybrid {
    const wr_unpack_kernels *unpack;
    wr_span span;          /* runs that were not begun; 64 readable bytes behind it */
    unsigned width;        /* bits of a value, 0 to 32 */
    uint32_t run_left;     /* values of the current run */
    uint32_t run_at;       /* values taken of it, when it is packed */
    const uint8_t *packed; /* NULL: a run of `value` */
    uint32_t value;
} wr_pq_hybrid;

static inline void wr_pq_hybrid_init(wr_pq_hybrid *h, const wr_unpack_kernels *unpack, wr_span span, unsigned width) {
    *h = (wr_pq_hybrid){.unpack = unpack, .span = span, .width = width};
}
/* False when there are fewer values, or a run is broken. `out` has room for n + 16. */
WR_MUST_CHECK bool wr_pq_hybrid_decode(wr_pq_hybrid *h, uint32_t n, uint32_t *out);
WR_MUST_CHECK bool wr_pq_hybrid_skip(wr_pq_hybrid *h, uint32_t n);
/* Width 1: bits [to, to + n) of the bitmap, the others of its words stay. */
WR_MUST_CHECK bool wr_pq_hybrid_bits(wr_pq_hybrid *h, uint32_t n, uint64_t *bits, size_t to);
/* Length of the current run when it is one of equal values, else 0; begins the next run where one is due. */
uint32_t wr_pq_hybrid_run(wr_pq_hybrid *h, uint32_t *value);

#endif
