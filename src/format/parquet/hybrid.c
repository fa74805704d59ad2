/* Runs and bit-packed groups; see hybrid.h. Groups have 8 values, and begin at whole bytes. */
#include "format/parquet/hybrid.h"

#include "base/bitmap.h"

static bool next_run(wr_pq_hybrid *h) {
    while (h->run_left == 0) {
        uint64_t head;
        if (!wr_span_varint(&h->span, &head)) return false;
        uint64_t count = head >> 1, bytes = (h->width + 7) / 8;
        h->packed = NULL;
        if (head & 1) {
            if (count > UINT32_MAX / 8) return false;
            bytes = count * h->width;
            count *= 8;
            if (bytes > wr_span_left(&h->span)) {
                /* The last run of a page may lack what pads its last groups. */
                bytes = wr_span_left(&h->span);
                count = bytes * 8 / h->width;
                if (count == 0) return false;
            }
            h->packed = wr_span_take(&h->span, (size_t)bytes);
            h->run_at = 0;
        } else {
            const uint8_t *value = wr_span_take(&h->span, (size_t)bytes);
            if (!value || count > UINT32_MAX) return false;
            h->value = 0;
            for (uint64_t i = 0; i < bytes; i++) h->value |= (uint32_t)value[i] << 8 * i;
            if (h->width < 32 && h->value >> h->width) return false;
        }
        h->run_left = (uint32_t)count;
    }
    return true;
}

/* `n` values of the current packed run. */
static void unpack(wr_pq_hybrid *h, uint32_t n, uint32_t *out) {
    uint32_t group[32], lead = h->run_at & 7;
    const uint8_t *from = h->packed + (size_t)(h->run_at / 8) * h->width;
    if (lead) {
        uint32_t head = 8 - lead < n ? 8 - lead : n;
        h->unpack->u32(from, 8, h->width, group);
        memcpy(out, group + lead, head * sizeof *out);
        from += h->width;
        out += head;
        n -= head;
    }
    if (n) h->unpack->u32(from, n, h->width, out);
}

bool wr_pq_hybrid_decode(wr_pq_hybrid *h, uint32_t n, uint32_t *out) {
    enum { RUN_STEP = 16 };
    while (n) {
        if (h->run_left == 0 && !next_run(h)) return false;
        uint32_t take = n < h->run_left ? n : h->run_left;
        if (h->packed) {
            unpack(h, take, out);
            h->run_at += take;
        } else {
            /* Runs are short more often than not: whole vectors, into the room behind. */
            for (uint32_t i = 0; i < take; i += RUN_STEP) {
                for (uint32_t k = 0; k < RUN_STEP; k++) out[i + k] = h->value;
            }
        }
        h->run_left -= take;
        out += take;
        n -= take;
    }
    return true;
}

bool wr_pq_hybrid_skip(wr_pq_hybrid *h, uint32_t n) {
    while (n) {
        if (h->run_left == 0 && !next_run(h)) return false;
        uint32_t take = n < h->run_left ? n : h->run_left;
        h->run_at += take;
        h->run_left -= take;
        n -= take;
    }
    return true;
}

/* Bits [from, from + n) of the bytes, n <= 56, to the bitmap. */
static void copy_bits(const uint8_t *bytes, size_t from, uint32_t n, uint64_t *bits, size_t to) {
    uint64_t word, mask = (UINT64_C(1) << n) - 1;
    memcpy(&word, bytes + from / 8, 8);
    word = word >> from % 8 & mask;
    uint64_t *out = bits + to / 64;
    unsigned shift = to % 64;
    out[0] = (out[0] & ~(mask << shift)) | word << shift;
    if (shift + n > 64) out[1] = (out[1] & ~(mask >> (64 - shift))) | word >> (64 - shift);
}

bool wr_pq_hybrid_bits(wr_pq_hybrid *h, uint32_t n, uint64_t *bits, size_t to) {
    enum { BITS_AT_ONCE = 56 };
    while (n) {
        if (h->run_left == 0 && !next_run(h)) return false;
        uint32_t take = n < h->run_left ? n : h->run_left;
        if (h->packed) {
            for (uint32_t at = 0; at < take; at += BITS_AT_ONCE) {
                uint32_t some = take - at < BITS_AT_ONCE ? take - at : BITS_AT_ONCE;
                copy_bits(h->packed, h->run_at + at, some, bits, to + at);
            }
            h->run_at += take;
        } else {
            wr_bitmap_set_range(bits, to, take, h->value & 1);
        }
        h->run_left -= take;
        to += take;
        n -= take;
    }
    return true;
}

uint32_t wr_pq_hybrid_run(wr_pq_hybrid *h, uint32_t *value) {
    if (h->run_left == 0 && !next_run(h)) return 0;
    *value = h->value;
    return h->packed ? 0 : h->run_left;
}
