/* One UTF-8 character at a time, for text that people write: names, SQL. Columns of text go through kernel/text.h. */
#ifndef WR_BASE_UTF8_H
#define WR_BASE_UTF8_H

#include "base/str.h"

/* The size of the character at the start of text, 1 to 4, or 0 when the bytes are not valid UTF-8 (overlong forms,
 * surrogates and what lies beyond U+10FFFF are not); *out is its code point. */
static inline uint32_t wr_utf8_decode(wr_str text, uint32_t *out) {
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (text.size == 0) return 0;
    const uint8_t *p = (const uint8_t *)text.data;
    uint32_t size = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    if (size == 0 || size > text.size) return 0;
    uint32_t point = size == 1 ? p[0] : p[0] & (0x7fu >> size);
    for (uint32_t i = 1; i < size; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
        point = point << 6 | (p[i] & 0x3f);
    }
    if (point < least[size] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return 0;
    *out = point;
    return size;
}

/* The offset of the first byte that is not valid, or text.size. */
static inline uint32_t wr_utf8_valid_prefix(wr_str text) {
    uint32_t at = 0, point;
    while (at < text.size) {
        if ((uint8_t)text.data[at] < 0x80) {
            at++;
            continue;
        }
        uint32_t size = wr_utf8_decode((wr_str){text.data + at, text.size - at}, &point);
        if (size == 0) break;
        at += size;
    }
    return at;
}

/* Writes the character and returns its size; 0 when there is no such character. */
static inline uint32_t wr_utf8_encode(uint32_t point, char out[4]) {
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return 0;
    uint32_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const uint8_t lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (uint32_t i = size; i-- > 1; point >>= 6) out[i] = (char)(0x80 | (point & 0x3f));
    out[0] = (char)(lead[size] | point);
    return size;
}

#endif
