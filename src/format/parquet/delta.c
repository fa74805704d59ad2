/* DELTA_BINARY_PACKED: a first value, then blocks of deltas, each a least delta and miniblocks of what is above it,
 * packed to the width that each needs.
 *
 * Values are decoded 32 at a time into a small buffer, as miniblocks have a multiple of 32, so that whoever asks for
 * any number of them gets it. Sums wrap around, as writers let them. */
#include "format/parquet/decoder.h"

enum { BLOCK_VALUES_MAX = 1 << 24, MINIBLOCKS_MAX = 1 << 12 };

static wr_status fail_delta(const wr_pq_delta *d, const char *what, wr_error *err) {
    return wr_fail(err, WR_CORRUPT, "delta-packed integers: %s (%zu of %zu bytes are left)", what,
                   wr_span_left(&d->span), d->span.size);
}

wr_status wr_pq_delta_open(wr_pq_delta *d, const wr_unpack_kernels *unpack, wr_span span, wr_error *err) {
    *d = (wr_pq_delta){.unpack = unpack, .span = span};
    uint64_t block, miniblocks;
    int64_t first;
    if (!wr_span_varint(&d->span, &block) || !wr_span_varint(&d->span, &miniblocks) ||
        !wr_span_varint(&d->span, &d->left) || !wr_span_zigzag(&d->span, &first)) {
        return fail_delta(d, "the header ends too soon", err);
    }
    if (miniblocks == 0 || miniblocks > MINIBLOCKS_MAX || block > BLOCK_VALUES_MAX || block % miniblocks ||
        block / miniblocks % 32 || block == 0) {
        return wr_fail(err, WR_CORRUPT,
                       "delta-packed integers: blocks of %llu values in %llu miniblocks are not possible",
                       (unsigned long long)block, (unsigned long long)miniblocks);
    }
    d->miniblock_values = (uint32_t)(block / miniblocks);
    d->miniblock_count = (uint32_t)miniblocks;
    d->miniblock = d->miniblock_count;
    d->last = (uint64_t)first;
    if (d->left) {
        d->buffer[0] = (uint64_t)first;
        d->buffered = 1;
    }
    return WR_OK;
}

static wr_status next_miniblock(wr_pq_delta *d, wr_error *err) {
    if (d->miniblock == d->miniblock_count) {
        int64_t least;
        if (!wr_span_zigzag(&d->span, &least)) return fail_delta(d, "a block is missing", err);
        d->widths = wr_span_take(&d->span, d->miniblock_count);
        if (!d->widths) return fail_delta(d, "a block ends within its widths", err);
        d->min_delta = (uint64_t)least;
        d->miniblock = 0;
    }
    d->width = d->widths[d->miniblock++];
    if (d->width > 64) return fail_delta(d, "a miniblock has more than 64 bits a value", err);
    size_t bytes = (size_t)d->miniblock_values * d->width / 8, left = wr_span_left(&d->span);
    uint64_t values = d->left < d->miniblock_values ? d->left : d->miniblock_values;
    if (bytes > left) {
        /* The last one may lack what pads it. */
        bytes = left;
        if (values * d->width > (uint64_t)left * 8) return fail_delta(d, "a miniblock ends too soon", err);
    }
    d->packed = wr_span_take(&d->span, bytes);
    d->packed_left = d->miniblock_values;
    return WR_OK;
}

/* Called when the buffer is empty; d->left counts what is still packed then. */
static wr_status fill(wr_pq_delta *d, wr_error *err) {
    if (d->packed_left == 0) WR_TRY(next_miniblock(d, err));
    uint32_t n = d->left < WR_PQ_DELTA_BUFFER ? (uint32_t)d->left : WR_PQ_DELTA_BUFFER;
    d->unpack->u64(d->packed, n, d->width, d->buffer);
    d->last = d->unpack->prefix_sum(d->buffer, n, d->last, d->min_delta);
    d->packed += WR_PQ_DELTA_BUFFER * d->width / 8;
    d->packed_left -= WR_PQ_DELTA_BUFFER;
    d->buffered = n;
    d->buffer_at = 0;
    return WR_OK;
}

/* Gives up to `n` values that lie side by side. */
static wr_status take(wr_pq_delta *d, uint32_t n, const uint64_t **values, uint32_t *count, wr_error *err) {
    *values = NULL;
    *count = 0;
    if (d->left == 0) return fail_delta(d, "there are fewer values than the page says", err);
    if (d->buffer_at == d->buffered) WR_TRY(fill(d, err));
    *count = d->buffered - d->buffer_at < n ? d->buffered - d->buffer_at : n;
    *values = d->buffer + d->buffer_at;
    d->buffer_at += *count;
    d->left -= *count;
    return WR_OK;
}

wr_status wr_pq_delta_decode(wr_pq_delta *d, uint32_t n, uint64_t *out, wr_error *err) {
    while (n) {
        const uint64_t *values;
        uint32_t count;
        WR_TRY(take(d, n, &values, &count, err));
        memcpy(out, values, count * sizeof *out);
        out += count;
        n -= count;
    }
    return WR_OK;
}

wr_status wr_pq_delta_skip(wr_pq_delta *d, uint64_t n, wr_error *err) {
    while (n) {
        const uint64_t *values;
        uint32_t count;
        WR_TRY(take(d, n < UINT32_MAX ? (uint32_t)n : UINT32_MAX, &values, &count, err));
        n -= count;
    }
    return WR_OK;
}

/* ---- as an encoding of integers ---- */

static wr_status integer_open(wr_pq_decoder *d, wr_error *err) {
    if (d->span.size == 0 && d->value_count == 0) return WR_OK;
    return wr_pq_delta_open(&d->delta, d->kernels->unpack, d->span, err);
}

static wr_status integer_decode(wr_pq_decoder *d, uint32_t n, void *out, wr_error *err) {
    if (d->leaf->physical == WR_PQ_INT64) return wr_pq_delta_decode(&d->delta, n, out, err);
    uint32_t *narrow = out;
    while (n) {
        const uint64_t *values;
        uint32_t count;
        WR_TRY(take(&d->delta, n, &values, &count, err));
        for (uint32_t i = 0; i < count; i++) narrow[i] = (uint32_t)values[i];
        narrow += count;
        n -= count;
    }
    return WR_OK;
}

static wr_status integer_skip(wr_pq_decoder *d, uint32_t n, wr_error *err) {
    return wr_pq_delta_skip(&d->delta, n, err);
}

const wr_pq_decoder_ops wr_pq_delta_integer = {integer_open, integer_decode, integer_skip};
