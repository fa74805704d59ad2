/* Codecs: the bytes of a page, inflated. A codec is a function and a line in codec.c's table. */
#ifndef WR_FORMAT_PARQUET_CODEC_H
#define WR_FORMAT_PARQUET_CODEC_H

#include "base/buffer.h"
#include "kernel/kernel.h"

enum { WR_PQ_UNCOMPRESSED = 0, WR_PQ_SNAPPY = 1 };

/* One worker's: libraries keep tables between pages. */
typedef struct wr_pq_codecs {
    wr_allocator *allocator;
    const wr_kernels *kernels;
    void *zstd, *deflate; /* made when first needed */
} wr_pq_codecs;

void wr_pq_codecs_init(wr_pq_codecs *codecs, wr_allocator *a, const wr_kernels *kernels);
void wr_pq_codecs_deinit(wr_pq_codecs *codecs);

const char *wr_pq_codec_name(unsigned codec);
/* WR_UNSUPPORTED, naming it, when there is no such codec here. */
WR_MUST_CHECK wr_status wr_pq_codec_check(unsigned codec, wr_error *err);
/* The most that `stored` bytes can be inflated to; a page that claims more is not believed. */
size_t wr_pq_codec_plain_max(unsigned codec, size_t stored);
/* Exactly out_size bytes, or an error. Input and output have WR_BUFFER_PAD bytes behind them. */
WR_MUST_CHECK wr_status wr_pq_inflate(wr_pq_codecs *codecs, unsigned codec, const uint8_t *in, size_t in_size,
                                      uint8_t *out, size_t out_size, wr_error *err);

#endif
