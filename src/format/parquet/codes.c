/* What is stored as runs and bit-packed groups: codes of dictionaries, and booleans. */
#include "format/parquet/decoder.h"

/* ---- dictionary codes: their width in a byte, then runs ---- */

static wr_status codes_open(wr_pq_decoder *d, wr_error *err) {
    uint8_t width = 0;
    if (!wr_span_u8(&d->span, &width)) {
        /* A page of NULLs alone may have nothing behind its levels. */
        wr_pq_hybrid_init(&d->hybrid, d->kernels->unpack, d->span, 0);
        return WR_OK;
    }
    if (width > 32) return wr_fail(err, WR_CORRUPT, "dictionary codes claim %u bits, at most 32 are possible", width);
    wr_span runs = {d->span.data + d->span.at, d->span.size - d->span.at, 0, 0};
    wr_pq_hybrid_init(&d->hybrid, d->kernels->unpack, runs, width);
    return WR_OK;
}

static wr_status fail_runs(const wr_pq_decoder *d, uint32_t n, wr_error *err) {
    return wr_fail(err, WR_CORRUPT, "its runs end or break within the next %u values (%zu of %zu bytes are left)", n,
                   wr_span_left(&d->hybrid.span), d->hybrid.span.size);
}

static wr_status codes_decode(wr_pq_decoder *d, uint32_t n, void *out, wr_error *err) {
    if (!wr_pq_hybrid_decode(&d->hybrid, n, out)) return fail_runs(d, n, err);
    unsigned width = d->hybrid.width;
    bool in_range = (width < 32 && UINT64_C(1) << width <= d->dictionary_count) ||
                    d->kernels->unpack->codes_below(out, n, d->dictionary_count);
    if (in_range) return WR_OK;
    uint32_t i = 0;
    while (((const uint32_t *)out)[i] < d->dictionary_count) i++;
    return wr_fail(err, WR_CORRUPT, "a dictionary code is %u, but the dictionary has %u entries",
                   ((const uint32_t *)out)[i], d->dictionary_count);
}

static wr_status codes_skip(wr_pq_decoder *d, uint32_t n, wr_error *err) {
    return wr_pq_hybrid_skip(&d->hybrid, n) ? WR_OK : fail_runs(d, n, err);
}

const wr_pq_decoder_ops wr_pq_codes = {codes_open, codes_decode, codes_skip};

/* ---- booleans: the size of the runs in 4 bytes, then runs of one bit; given as bytes ---- */

static wr_status boolean_open(wr_pq_decoder *d, wr_error *err) {
    uint32_t size = 0;
    if (!wr_span_u32le(&d->span, &size) || size > wr_span_left(&d->span)) {
        return wr_fail(err, WR_CORRUPT, "its runs claim %u bytes, but there are %zu", size, wr_span_left(&d->span));
    }
    wr_span runs = {d->span.data + d->span.at, size, 0, 0};
    wr_pq_hybrid_init(&d->hybrid, d->kernels->unpack, runs, 1);
    return WR_OK;
}

static wr_status boolean_decode(wr_pq_decoder *d, uint32_t n, void *out, wr_error *err) {
    enum { SOME = 256 };
    uint32_t values[SOME + 16];
    uint8_t *bytes = out;
    for (uint32_t at = 0; at < n; at += SOME) {
        uint32_t some = n - at < SOME ? n - at : SOME;
        if (!wr_pq_hybrid_decode(&d->hybrid, some, values)) return fail_runs(d, n - at, err);
        for (uint32_t i = 0; i < some; i++) bytes[at + i] = (uint8_t)values[i];
    }
    return WR_OK;
}

const wr_pq_decoder_ops wr_pq_rle_boolean = {boolean_open, boolean_decode, codes_skip};
