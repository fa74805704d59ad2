/* BYTE_STREAM_SPLIT: the first bytes of all values, then the second bytes of all, and so on; alike bytes side by side
 * compress better. */
#include "format/parquet/decoder.h"

static size_t stored_bytes(const wr_pq_leaf *leaf) {
    return leaf->physical == WR_PQ_FIXED ? leaf->fixed_bytes : leaf->raw_bytes;
}

/* span.at counts values here. */
static wr_status split_open(wr_pq_decoder *d, wr_error *err) {
    size_t width = stored_bytes(d->leaf);
    if (d->span.size % width == 0) return WR_OK;
    return wr_fail(err, WR_CORRUPT, "%zu bytes are not a whole number of values of %zu bytes", d->span.size, width);
}

static wr_status split_skip(wr_pq_decoder *d, uint32_t n, wr_error *err) {
    size_t values = d->span.size / stored_bytes(d->leaf);
    if (n > values - d->span.at) {
        return wr_fail(err, WR_CORRUPT, "it has %zu values, but %zu are needed", values, d->span.at + n);
    }
    d->span.at += n;
    return WR_OK;
}

/* The width is a constant where it is common, so that the loops over bytes unroll. */
WR_ALWAYS_INLINE void gather_bytes(const uint8_t *first, size_t stride, uint32_t n, size_t width, uint8_t *out) {
    for (uint32_t i = 0; i < n; i++) {
        for (size_t b = 0; b < width; b++) out[i * width + b] = first[b * stride + i];
    }
}

static wr_status split_decode(wr_pq_decoder *d, uint32_t n, void *out, wr_error *err) {
    size_t width = stored_bytes(d->leaf), stride = d->span.size / width;
    const uint8_t *first = d->span.data + d->span.at;
    WR_TRY(split_skip(d, n, err));
    if (!d->leaf->raw_views) {
        if (width == 4) {
            gather_bytes(first, stride, n, 4, out);
        } else if (width == 8) {
            gather_bytes(first, stride, n, 8, out);
        } else {
            gather_bytes(first, stride, n, width, out);
        }
        return WR_OK;
    }
    wr_string_view *views = out;
    for (uint32_t i = 0; i < n; i++) {
        char *place, inlined[WR_STRING_INLINE];
        if (width <= WR_STRING_INLINE) {
            place = inlined;
        } else {
            WR_TRY(wr_heap_alloc(d->heap, (uint32_t)width, &place, err));
        }
        gather_bytes(first + i, stride, 1, width, (uint8_t *)place);
        views[i] = wr_view_make(place, (uint32_t)width);
    }
    return WR_OK;
}

const wr_pq_decoder_ops wr_pq_byte_split = {split_open, split_decode, split_skip};
