/* Packed bitmaps of 64-bit words: validity, booleans, the result of a compare. Bit i of word i/64 is row i. Bits past
 * the row count are undefined unless a function says it clears them. */
#ifndef WR_BASE_BITMAP_H
#define WR_BASE_BITMAP_H

#include "base/status.h"

static inline size_t wr_bitmap_words(size_t bits) {
    return (bits + 63) / 64;
}
static inline size_t wr_bitmap_bytes(size_t bits) {
    return wr_bitmap_words(bits) * 8;
}
/* A NULL bitmap stands for "all set". */
static inline bool wr_bit_get(const uint64_t *bits, size_t i) {
    return (bits[i >> 6] >> (i & 63)) & 1;
}
static inline bool wr_valid(const uint64_t *validity, size_t i) {
    return !validity || wr_bit_get(validity, i);
}
static inline void wr_bit_set(uint64_t *bits, size_t i) {
    bits[i >> 6] |= UINT64_C(1) << (i & 63);
}
static inline void wr_bit_clear(uint64_t *bits, size_t i) {
    bits[i >> 6] &= ~(UINT64_C(1) << (i & 63));
}
static inline void wr_bit_put(uint64_t *bits, size_t i, bool value) {
    uint64_t mask = UINT64_C(1) << (i & 63);
    bits[i >> 6] = value ? bits[i >> 6] | mask : bits[i >> 6] & ~mask;
}
/* The mask of the bits that count in the last word of `bits` (all ones when it is full). */
static inline uint64_t wr_bitmap_tail(size_t bits) {
    return bits & 63 ? (UINT64_C(1) << (bits & 63)) - 1 : ~UINT64_C(0);
}
void wr_bitmap_fill(uint64_t *bits, size_t count, bool value); /* whole words */
size_t wr_bitmap_count(const uint64_t *bits, size_t count);    /* set bits among the first `count`; NULL counts all */
/* Copies bits [from, from + count) of `source` (NULL: all set) to bits [to, to + count) of `target`. */
void wr_bitmap_copy(uint64_t *target, size_t to, const uint64_t *source, size_t from, size_t count);
/* Sets bits [from, from + count) to value. */
void wr_bitmap_set_range(uint64_t *bits, size_t from, size_t count, bool value);

#endif
