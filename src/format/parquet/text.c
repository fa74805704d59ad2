/* Is it UTF-8? Asked once for all the bytes of a page, so that ASCII costs next to nothing.
 *
 * The bytes looked at may have lengths between the values. When the whole is ASCII, every value is. When the whole is
 * valid, then a value that begins at the start of a character is valid too, if what follows it begins one as well: the
 * next value, or its length, whose first byte counts like text. What is left is looked at value by value. */
#include "kernel/text.h"
#include "format/parquet/decoder.h"

static bool is_ascii(const uint8_t *data, size_t size) {
    uint64_t high = 0, word;
    size_t i = 0;
    for (; i + 64 <= size; i += 64) {
        uint64_t words[8];
        memcpy(words, data + i, 64);
        for (unsigned k = 0; k < 8; k++) high |= words[k];
    }
    for (; i + 8 <= size; i += 8) {
        memcpy(&word, data + i, 8);
        high |= word;
    }
    for (; i < size; i++) high |= data[i];
    return !(high & UINT64_C(0x8080808080808080));
}

wr_pq_text wr_pq_text_look(const wr_kernels *kernels, const uint8_t *data, size_t size) {
    if (is_ascii(data, size)) return WR_PQ_TEXT_ASCII;
    bool valid = kernels->text->utf8_check((const char *)data, size) == SIZE_MAX;
    return valid ? WR_PQ_TEXT_VALID : WR_PQ_TEXT_UNKNOWN;
}

static bool begins_character(uint8_t byte) {
    return (byte & 0xc0) != 0x80;
}

static bool is_valid(const wr_pq_decoder *d, const wr_string_view *view) {
    wr_str s = wr_view_str(view);
    if (s.size == 0) return true;
    if (d->text == WR_PQ_TEXT_VALID && s.size > WR_STRING_INLINE) {
        /* A long view lies in the page, where the byte behind it may be looked at. */
        const uint8_t *text = (const uint8_t *)s.data;
        bool is_last = text + s.size >= d->span.data + d->span.size;
        if (begins_character(text[0]) && (is_last || begins_character(text[s.size]))) return true;
    }
    return d->kernels->text->utf8_check(s.data, s.size) == SIZE_MAX;
}

wr_status wr_pq_text_check(const wr_pq_decoder *d, const wr_string_view *views, uint32_t n, wr_error *err) {
    if (d->text == WR_PQ_TEXT_ASCII) return WR_OK;
    for (uint32_t i = 0; i < n; i++) {
        if (is_valid(d, &views[i])) continue;
        wr_str s = wr_view_str(&views[i]);
        size_t at = d->kernels->text->utf8_check(s.data, s.size);
        return wr_fail(err, WR_CORRUPT, "a text of %u bytes is not UTF-8 at its byte %zu (0x%02x)", s.size, at,
                       (uint8_t)s.data[at]);
    }
    return WR_OK;
}
