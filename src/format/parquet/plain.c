/* PLAIN: values as they are. Fixed-size ones are copied out of the page, text is viewed in it. */
#include "format/parquet/decoder.h"

/* ---- fixed size ---- */

static wr_status open_nothing(wr_pq_decoder *d, wr_error *err) {
    (void)d, (void)err;
    return WR_OK;
}

static size_t stored_bytes(const wr_pq_leaf *leaf) {
    return leaf->physical == WR_PQ_FIXED ? leaf->fixed_bytes : leaf->raw_bytes;
}

static wr_status fixed_decode(wr_pq_decoder *d, uint32_t n, void *out, wr_error *err) {
    size_t width = stored_bytes(d->leaf);
    const uint8_t *from = wr_span_take(&d->span, width * n);
    if (!from) return wr_pq_fail_short(d, n, err);
    if (!d->leaf->raw_views) {
        memcpy(out, from, width * n);
        return WR_OK;
    }
    wr_string_view *views = out;
    for (uint32_t i = 0; i < n; i++) views[i] = wr_view_make((const char *)from + width * i, (uint32_t)width);
    return WR_OK;
}

static wr_status fixed_skip(wr_pq_decoder *d, uint32_t n, wr_error *err) {
    return wr_span_take(&d->span, stored_bytes(d->leaf) * n) ? WR_OK : wr_pq_fail_short(d, n, err);
}

const wr_pq_decoder_ops wr_pq_plain_fixed = {open_nothing, fixed_decode, fixed_skip};

/* ---- booleans: a bit each, given as bytes ---- */

static wr_status boolean_open(wr_pq_decoder *d, wr_error *err) {
    (void)err;
    d->bit_at = 0;
    return WR_OK;
}

static wr_status boolean_skip(wr_pq_decoder *d, uint32_t n, wr_error *err) {
    if (((uint64_t)d->bit_at + n + 7) / 8 > d->span.size) return wr_pq_fail_short(d, n, err);
    d->bit_at += n;
    return WR_OK;
}

static wr_status boolean_decode(wr_pq_decoder *d, uint32_t n, void *out, wr_error *err) {
    uint32_t at = d->bit_at;
    WR_TRY(boolean_skip(d, n, err));
    uint8_t *bytes = out;
    for (uint32_t i = 0; i < n; i++) bytes[i] = d->span.data[(at + i) / 8] >> (at + i) % 8 & 1;
    return WR_OK;
}

const wr_pq_decoder_ops wr_pq_plain_boolean = {boolean_open, boolean_decode, boolean_skip};

/* ---- text and bytes: a length of 4 bytes in front of each ---- */

static wr_status bytes_open(wr_pq_decoder *d, wr_error *err) {
    (void)err;
    if (d->leaf->check_utf8) d->text = wr_pq_text_look(d->kernels, d->span.data, d->span.size);
    return WR_OK;
}

/* Masks of the bytes that a short value fills: [size] for the first four and for the next eight. */
static const uint32_t head_masks[WR_STRING_INLINE + 2] = {0,   0xff, 0xffff, 0xffffff, ~0u, ~0u, ~0u,
                                                          ~0u, ~0u,  ~0u,    ~0u,      ~0u, ~0u, ~0u};
#define ONES(bytes) ((UINT64_C(1) << 8 * (bytes)) - 1)
static const uint64_t tail_masks[WR_STRING_INLINE + 2] = {
    0, 0, 0, 0, 0, ONES(1), ONES(2), ONES(3), ONES(4), ONES(5), ONES(6), ONES(7), ~UINT64_C(0), 0};
#undef ONES

/* A view without a branch on the length, of which columns of text have many. Reads 12 bytes. */
WR_ALWAYS_INLINE wr_string_view view_of(const uint8_t *text, uint32_t size) {
    uint32_t head, row = size <= WR_STRING_INLINE ? size : WR_STRING_INLINE + 1;
    uint64_t tail, address = (uint64_t)(uintptr_t)text;
    memcpy(&head, text, 4);
    memcpy(&tail, text + 4, 8);
    tail &= tail_masks[row];
    wr_string_view view;
    view.words[0] = size | (uint64_t)(head & head_masks[row]) << 32;
    view.words[1] = size <= WR_STRING_INLINE ? tail : address;
    return view;
}

static wr_status bytes_decode(wr_pq_decoder *d, uint32_t n, void *out, wr_error *err) {
    wr_string_view *views = out;
    const uint8_t *at = d->span.data + d->span.at, *end = d->span.data + d->span.size;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t size;
        if (WR_UNLIKELY(end - at < 4)) return wr_pq_fail_short(d, n - i, err);
        memcpy(&size, at, 4);
        at += 4;
        if (WR_UNLIKELY(size > (size_t)(end - at))) return wr_pq_fail_short(d, n - i, err);
        views[i] = view_of(at, size);
        at += size;
    }
    d->span.at = (size_t)(at - d->span.data);
    return d->leaf->check_utf8 ? wr_pq_text_check(d, views, n, err) : WR_OK;
}

static wr_status bytes_skip(wr_pq_decoder *d, uint32_t n, wr_error *err) {
    const uint8_t *at = d->span.data + d->span.at, *end = d->span.data + d->span.size;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t size;
        if (WR_UNLIKELY(end - at < 4)) return wr_pq_fail_short(d, n - i, err);
        memcpy(&size, at, 4);
        at += 4;
        if (WR_UNLIKELY(size > (size_t)(end - at))) return wr_pq_fail_short(d, n - i, err);
        at += size;
    }
    d->span.at = (size_t)(at - d->span.data);
    return WR_OK;
}

const wr_pq_decoder_ops wr_pq_plain_bytes = {bytes_open, bytes_decode, bytes_skip};
