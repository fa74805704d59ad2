/* Text whose lengths are delta-packed integers.
 *
 * DELTA_LENGTH_BYTE_ARRAY has all lengths first, then all bytes: the lengths are walked once to find where the bytes
 * begin, then again beside them, so that nothing has to be kept. DELTA_BYTE_ARRAY says for each value how much of the
 * one before it begins it (all of these first), then has the rest of each as above; values longer than a view holds are
 * put together in the column's heap. */
#include "format/parquet/decoder.h"

enum { LENGTHS_AT_ONCE = 128 };

/* Opens `lengths` at the span's cursor and leaves the cursor behind them. */
static wr_status open_lengths(wr_pq_decoder *d, wr_pq_delta *lengths, wr_error *err) {
    wr_span rest = {d->span.data + d->span.at, d->span.size - d->span.at, 0, 0};
    wr_pq_delta walk;
    WR_TRY(wr_pq_delta_open(&walk, d->kernels->unpack, rest, err));
    if (walk.left > d->value_count) {
        return wr_fail(err, WR_CORRUPT, "it has %llu lengths for %u values", (unsigned long long)walk.left,
                       d->value_count);
    }
    WR_TRY(wr_pq_delta_skip(&walk, walk.left, err));
    d->span.at += walk.span.at;
    return wr_pq_delta_open(lengths, d->kernels->unpack, rest, err);
}

static bool is_empty(const wr_pq_decoder *d) {
    return d->span.size == 0;
}

/* ---- DELTA_LENGTH_BYTE_ARRAY ---- */

static wr_status length_open(wr_pq_decoder *d, wr_error *err) {
    d->delta = (wr_pq_delta){0};
    if (is_empty(d)) return WR_OK;
    WR_TRY(open_lengths(d, &d->delta, err));
    if (d->leaf->check_utf8) d->text = wr_pq_text_look(d->kernels, d->span.data + d->span.at, wr_span_left(&d->span));
    return WR_OK;
}

static wr_status length_decode(wr_pq_decoder *d, uint32_t n, void *out, wr_error *err) {
    wr_string_view *views = out;
    for (uint32_t at = 0; at < n;) {
        uint64_t lengths[LENGTHS_AT_ONCE];
        uint32_t some = n - at < LENGTHS_AT_ONCE ? n - at : LENGTHS_AT_ONCE;
        WR_TRY(wr_pq_delta_decode(&d->delta, some, lengths, err));
        for (uint32_t i = 0; i < some; i++, at++) {
            if (lengths[i] > wr_span_left(&d->span)) return wr_pq_fail_short(d, n - at, err);
            const uint8_t *text = wr_span_take(&d->span, (size_t)lengths[i]);
            views[at] = wr_view_make((const char *)text, (uint32_t)lengths[i]);
        }
    }
    return d->leaf->check_utf8 ? wr_pq_text_check(d, views, n, err) : WR_OK;
}

static wr_status length_skip(wr_pq_decoder *d, uint32_t n, wr_error *err) {
    for (uint32_t at = 0; at < n;) {
        uint64_t lengths[LENGTHS_AT_ONCE];
        uint32_t some = n - at < LENGTHS_AT_ONCE ? n - at : LENGTHS_AT_ONCE;
        WR_TRY(wr_pq_delta_decode(&d->delta, some, lengths, err));
        for (uint32_t i = 0; i < some; i++, at++) {
            if (lengths[i] > wr_span_left(&d->span)) return wr_pq_fail_short(d, n - at, err);
            (void)wr_span_take(&d->span, (size_t)lengths[i]);
        }
    }
    return WR_OK;
}

const wr_pq_decoder_ops wr_pq_delta_length = {length_open, length_decode, length_skip};

/* ---- DELTA_BYTE_ARRAY ---- */

static wr_status front_open(wr_pq_decoder *d, wr_error *err) {
    d->delta = d->suffixes = (wr_pq_delta){0};
    d->previous.size = 0;
    d->text = WR_PQ_TEXT_UNKNOWN;
    if (is_empty(d)) return WR_OK;
    WR_TRY(open_lengths(d, &d->delta, err));
    return open_lengths(d, &d->suffixes, err);
}

/* The next value replaces d->previous. */
static wr_status front_next(wr_pq_decoder *d, wr_error *err) {
    uint64_t prefix, suffix;
    WR_TRY(wr_pq_delta_decode(&d->delta, 1, &prefix, err));
    WR_TRY(wr_pq_delta_decode(&d->suffixes, 1, &suffix, err));
    if (prefix > d->previous.size) {
        return wr_fail(err, WR_CORRUPT, "a value shares %llu bytes with the one before it, which has %zu",
                       (unsigned long long)prefix, d->previous.size);
    }
    if (suffix > wr_span_left(&d->span)) return wr_pq_fail_short(d, 1, err);
    d->previous.size = (size_t)prefix;
    wr_text_add(&d->previous, (const char *)wr_span_take(&d->span, (size_t)suffix), (size_t)suffix);
    return d->previous.failed ? wr_fail_memory(err, (size_t)(prefix + suffix), "a value") : WR_OK;
}

static wr_status front_decode(wr_pq_decoder *d, uint32_t n, void *out, wr_error *err) {
    wr_string_view *views = out;
    for (uint32_t i = 0; i < n; i++) {
        WR_TRY(front_next(d, err));
        uint32_t size = (uint32_t)d->previous.size;
        if (d->leaf->physical == WR_PQ_FIXED && size != d->leaf->fixed_bytes) {
            return wr_fail(err, WR_CORRUPT, "a value has %u bytes, its type %u", size, d->leaf->fixed_bytes);
        }
        if (!d->leaf->raw_views) {
            memcpy((uint8_t *)out + (size_t)i * size, d->previous.data, size);
        } else if (size <= WR_STRING_INLINE) {
            views[i] = wr_view_make(size ? d->previous.data : "", size);
        } else {
            char *place;
            WR_TRY(wr_heap_alloc(d->heap, size, &place, err));
            memcpy(place, d->previous.data, size);
            views[i] = wr_view_make(place, size);
        }
    }
    return d->leaf->check_utf8 ? wr_pq_text_check(d, views, n, err) : WR_OK;
}

static wr_status front_skip(wr_pq_decoder *d, uint32_t n, wr_error *err) {
    for (uint32_t i = 0; i < n; i++) WR_TRY(front_next(d, err));
    return WR_OK;
}

const wr_pq_decoder_ops wr_pq_delta_bytes = {front_open, front_decode, front_skip};
