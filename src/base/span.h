/* A bounds-checked reader over untrusted bytes. Decoders read through it alone: each call either gives what was asked
 * or says no, and the cursor never passes the end. Offsets for error messages are kept. */
#ifndef WR_BASE_SPAN_H
#define WR_BASE_SPAN_H

#include <string.h>

#include "base/status.h"

typedef struct wr_span {
    const uint8_t *data;
    size_t size;
    size_t at;         /* cursor */
    uint64_t position; /* of data[0] in its file */
} wr_span;

static inline wr_span wr_span_from(const void *data, size_t size, uint64_t position) {
    return (wr_span){(const uint8_t *)data, size, 0, position};
}
static inline size_t wr_span_left(const wr_span *s) {
    return s->size - s->at;
}
/* NULL when fewer than `size` bytes are left. */
static inline const uint8_t *wr_span_take(wr_span *s, size_t size) {
    if (WR_UNLIKELY(size > s->size - s->at)) return NULL;
    const uint8_t *p = s->data + s->at;
    s->at += size;
    return p;
}
static inline bool wr_span_u8(wr_span *s, uint8_t *out) {
    if (WR_UNLIKELY(s->at >= s->size)) return false;
    *out = s->data[s->at++];
    return true;
}
static inline bool wr_span_u32le(wr_span *s, uint32_t *out) {
    const uint8_t *p = wr_span_take(s, 4);
    if (p) memcpy(out, p, 4);
    return p != NULL;
}
static inline bool wr_span_u64le(wr_span *s, uint64_t *out) {
    const uint8_t *p = wr_span_take(s, 8);
    if (p) memcpy(out, p, 8);
    return p != NULL;
}
/* ULEB128 of at most 64 bits; refuses what does not fit. */
static inline bool wr_span_varint(wr_span *s, uint64_t *out) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte;
        if (!wr_span_u8(s, &byte)) return false;
        if (shift == 63 && byte > 1) return false;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *out = value;
            return true;
        }
    }
    return false;
}
static inline bool wr_span_zigzag(wr_span *s, int64_t *out) {
    uint64_t raw;
    if (!wr_span_varint(s, &raw)) return false;
    *out = (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
    return true;
}

#endif
