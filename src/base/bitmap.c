/* Bitmap loops, a word at a time. Unaligned copies read two words of the source per word of the target, and never
 * a word that holds none of the bits asked for, so that foreign memory without padding is safe. */
#include "base/bitmap.h"

#include <string.h>

void wr_bitmap_fill(uint64_t *bits, size_t count, bool value) {
    memset(bits, value ? 0xff : 0, wr_bitmap_bytes(count));
}

size_t wr_bitmap_count(const uint64_t *bits, size_t count) {
    if (!bits) return count;
    size_t whole = count / 64, sum = 0;
    for (size_t i = 0; i < whole; i++) sum += (size_t)__builtin_popcountll(bits[i]);
    if (count & 63) sum += (size_t)__builtin_popcountll(bits[whole] & wr_bitmap_tail(count));
    return sum;
}

/* Bits [at, at + count) as the low bits of a word; 1 <= count <= 64. The bits above are not cleared. */
static uint64_t fetch(const uint64_t *bits, size_t at, size_t count) {
    const uint64_t *word = bits + (at >> 6);
    unsigned shift = at & 63;
    uint64_t low = word[0] >> shift;
    return shift + count > 64 ? low | word[1] << (64 - shift) : low;
}

/* Replaces `count` bits of *word from bit `at` on; at + count <= 64. */
static void store(uint64_t *word, unsigned at, size_t count, uint64_t value) {
    uint64_t mask = wr_bitmap_tail(count) << at;
    *word = (*word & ~mask) | ((value << at) & mask);
}

void wr_bitmap_copy(uint64_t *target, size_t to, const uint64_t *source, size_t from, size_t count) {
    if (!source) {
        wr_bitmap_set_range(target, to, count, true);
        return;
    }
    if (count == 0) return;
    if (to & 63) {
        size_t head = 64 - (to & 63) < count ? 64 - (to & 63) : count;
        store(target + (to >> 6), to & 63, head, fetch(source, from, head));
        to += head, from += head, count -= head;
    }
    uint64_t *out = target + (to >> 6);
    size_t whole = count / 64, rest = count & 63;
    const uint64_t *in = source + (from >> 6);
    unsigned shift = from & 63;
    if (shift == 0) {
        if (whole) memcpy(out, in, whole * 8);
    } else {
        for (size_t i = 0; i < whole; i++) out[i] = in[i] >> shift | in[i + 1] << (64 - shift);
    }
    if (rest) store(out + whole, 0, rest, fetch(source, from + whole * 64, rest));
}

void wr_bitmap_set_range(uint64_t *bits, size_t from, size_t count, bool value) {
    if (count == 0) return;
    uint64_t fill = value ? ~UINT64_C(0) : 0;
    if (from & 63) {
        size_t head = 64 - (from & 63) < count ? 64 - (from & 63) : count;
        store(bits + (from >> 6), from & 63, head, fill);
        from += head, count -= head;
    }
    size_t whole = count / 64;
    if (whole) memset(bits + (from >> 6), value ? 0xff : 0, whole * 8);
    if (count & 63) store(bits + (from >> 6) + whole, 0, count & 63, fill);
}
