/* Walking text by characters (code points). Text in VARCHAR columns is valid UTF-8, so a lead byte tells the size. */
#ifndef WR_PLAN_FUNCTIONS_TEXT_POINT_H
#define WR_PLAN_FUNCTIONS_TEXT_POINT_H

#include "base/utf8.h"

static inline uint32_t wr_point_size(char lead) {
    uint8_t c = (uint8_t)lead;
    return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}
static inline bool wr_is_point_start(char c) {
    return ((uint8_t)c & 0xc0) != 0x80;
}

static inline bool wr_is_ascii(wr_str s) {
    uint64_t high = 0;
    uint32_t i = 0;
    for (; i + 8 <= s.size; i += 8) {
        uint64_t word;
        memcpy(&word, s.data + i, 8);
        high |= word;
    }
    for (; i < s.size; i++) high |= (uint8_t)s.data[i];
    return !(high & UINT64_C(0x8080808080808080));
}

static inline uint32_t wr_point_count(wr_str s) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < s.size; i++) count += wr_is_point_start(s.data[i]);
    return count;
}

/* Bytes of the first `points` characters, at most all. */
static inline uint32_t wr_point_offset(wr_str s, uint64_t points) {
    uint32_t at = 0;
    while (points > 0 && at < s.size) {
        at += wr_point_size(s.data[at]);
        points--;
    }
    return at < s.size ? at : s.size;
}

/* The character before byte `at` (above zero). */
static inline uint32_t wr_point_before(wr_str s, uint32_t at) {
    at--;
    while (at > 0 && !wr_is_point_start(s.data[at])) at--;
    return at;
}

#endif
