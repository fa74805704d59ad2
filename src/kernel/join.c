/* Loops of joins; see join.h.
 *
 * Looking up is a matter of misses, not of instructions: each loop has a body without branches on the data, so that the
 * processor keeps as many loads under way as it can. A row that finds nothing loads a word that is hot. */
#include "kernel/join.h"

#include "kernel/kernel_internal.h"

static void hash(const uint64_t *first, const uint64_t *second, uint32_t n, uint64_t *out) {
    if (!second) {
        for (uint32_t i = 0; i < n; i++) out[i] = wr_hash_u64(first[i]);
        return;
    }
    for (uint32_t i = 0; i < n; i++) out[i] = wr_hash_combine(wr_hash_u64(first[i]), wr_hash_u64(second[i]));
}

#define WIDEN(name, type, wide)                                                                                        \
    static void name(const void *a, uint32_t n, uint64_t *out) {                                                       \
        const type *from = a;                                                                                          \
        for (uint32_t i = 0; i < n; i++) out[i] = (uint64_t)(wide)from[i];                                             \
    }
WIDEN(widen_i8, int8_t, int64_t)
WIDEN(widen_i16, int16_t, int64_t)
WIDEN(widen_i32, int32_t, int64_t)
WIDEN(widen_u8, uint8_t, uint64_t)
WIDEN(widen_u16, uint16_t, uint64_t)
WIDEN(widen_u32, uint32_t, uint64_t)

/* ---- dense ---- */

WR_ALWAYS_INLINE uint64_t dense_bit(uint64_t key, uint64_t min, uint64_t range, const uint64_t *bits) {
    uint64_t at = key - min, inside = at < range;
    if (!bits) return inside;
    at = inside ? at : 0;
    return bits[at >> 6] >> (at & 63) & inside;
}

WR_ALWAYS_INLINE void dense_loop(const uint64_t *keys, uint32_t n, uint64_t min, uint64_t range, const uint64_t *bits,
                                 uint64_t *pass) {
    uint32_t row = 0;
    for (; row + 64 <= n; row += 64) {
        uint64_t word = 0;
        WR_UNROLL(8)
        for (uint32_t i = 0; i < 64; i++) word |= dense_bit(keys[row + i], min, range, bits) << i;
        pass[row / 64] = word;
    }
    if (row == n) return;
    uint64_t word = 0;
    for (uint32_t i = 0; row + i < n; i++) word |= dense_bit(keys[row + i], min, range, bits) << i;
    pass[row / 64] = word;
}

static void dense_test(const uint64_t *keys, uint32_t n, uint64_t min, uint64_t range, const uint64_t *bits,
                       uint64_t *pass) {
    if (range == 0) {
        memset(pass, 0, wr_bitmap_bytes(n));
    } else if (bits) {
        dense_loop(keys, n, min, range, bits, pass);
    } else {
        dense_loop(keys, n, min, range, NULL, pass);
    }
}

WR_ALWAYS_INLINE uint32_t rank_of(uint64_t at, const uint64_t *bits, const uint32_t *ranks) {
    uint64_t below = bits[at >> 6] & ((UINT64_C(1) << (at & 63)) - 1);
    return ranks[at >> 6] + (uint32_t)__builtin_popcountll(below);
}

static void dense_rank(const uint64_t *keys, const uint16_t *rows, uint32_t n, uint64_t min, const uint64_t *bits,
                       const uint32_t *ranks, uint32_t *ids) {
    if (!bits) {
        for (uint32_t i = 0; i < n; i++) ids[i] = (uint32_t)(keys[rows ? rows[i] : i] - min);
    } else if (rows) {
        for (uint32_t i = 0; i < n; i++) ids[i] = rank_of(keys[rows[i]] - min, bits, ranks);
    } else {
        for (uint32_t i = 0; i < n; i++) ids[i] = rank_of(keys[i] - min, bits, ranks);
    }
}

static uint64_t rank_sums(const uint64_t *bits, uint64_t word_count, uint32_t *ranks) {
    uint64_t sum = 0;
    for (uint64_t w = 0; w < word_count; w++) {
        ranks[w] = (uint32_t)sum;
        sum += (uint64_t)__builtin_popcountll(bits[w]);
    }
    return sum;
}

/* ---- hash ---- */

/* In two passes: the first only loads, the second filters and asks for the entries. Stores whose place hangs on what a load
 * brings would fill the store queue and keep later loads from starting (measured at 8 million keys: 30 ns a row, against 13). */
static void candidates(const wr_join_directory *d, const uint64_t *hashes, uint32_t n, uint16_t base,
                       wr_join_candidates *out) {
    uint64_t slots[WR_JOIN_WINDOW];
    uint32_t ends[WR_JOIN_WINDOW], found = out->count;
    for (uint32_t first = 0; first < n; first += WR_JOIN_WINDOW) {
        uint32_t count = n - first < WR_JOIN_WINDOW ? n - first : WR_JOIN_WINDOW;
        for (uint32_t i = 0; i < count; i++) {
            const uint64_t *slot = d->slots + (hashes[first + i] & d->slot_mask);
            slots[i] = slot[0];
            ends[i] = wr_join_slot_begin(slot[1]);
        }
        for (uint32_t i = 0; i < count; i++) {
            uint64_t tag = wr_join_tag(hashes[first + i], d->tag_shift);
            bool hit = (slots[i] & tag) == tag;
            uint32_t begin = wr_join_slot_begin(slots[i]);
            out->rows[found] = (uint16_t)(base + first + i);
            out->begin[found] = begin;
            out->end[found] = ends[i];
            found += hit;
            __builtin_prefetch(d->entries + (hit ? (size_t)begin * d->entry_bytes : 0));
        }
    }
    out->count = found;
}

typedef uint64_t word_packed __attribute__((aligned(4), may_alias));
typedef uint32_t id_packed __attribute__((aligned(4), may_alias));

WR_ALWAYS_INLINE bool entry_equal(const uint8_t *entry, unsigned words, uint64_t first, uint64_t second) {
    const word_packed *held = (const word_packed *)entry;
    return words == 1 ? held[0] == first : ((held[0] ^ first) | (held[1] ^ second)) == 0;
}

WR_ALWAYS_INLINE uint32_t entry_id(const uint8_t *entry, unsigned words) {
    return *(const id_packed *)(entry + words * 8);
}

WR_ALWAYS_INLINE uint32_t match_first_loop(unsigned words, const wr_join_directory *d, const uint64_t *first,
                                           const uint64_t *second, const wr_join_candidates *c, uint32_t from,
                                           uint16_t *rows, uint32_t *ids) {
    const uint32_t bytes = wr_join_entry_bytes(words);
    uint32_t found = 0;
    for (uint32_t i = from; i < c->count; i++) {
        uint16_t row = c->rows[i];
        const uint8_t *entry = d->entries + (size_t)c->begin[i] * bytes;
        const uint8_t *end = d->entries + (size_t)c->end[i] * bytes;
        uint64_t a = first[row], b = words == 2 ? second[row] : 0;
        bool equal = entry_equal(entry, words, a, b);
        while (!equal && (entry += bytes) < end) equal = entry_equal(entry, words, a, b);
        rows[found] = row;
        ids[found] = equal ? entry_id(entry, words) : 0;
        found += equal;
    }
    return found;
}

WR_ALWAYS_INLINE uint32_t match_all_loop(unsigned words, const wr_join_directory *d, const uint64_t *first,
                                         const uint64_t *second, const wr_join_candidates *c, wr_join_cursor *cursor,
                                         uint16_t *rows, uint32_t *ids, uint32_t room) {
    const uint32_t bytes = wr_join_entry_bytes(words);
    uint32_t found = 0, i = cursor->candidate, done = cursor->entry;
    for (; i < c->count && found < room; i++, done = 0) {
        uint16_t row = c->rows[i];
        uint64_t a = first[row], b = words == 2 ? second[row] : 0;
        uint32_t left = c->end[i] - c->begin[i] - done, take = left < room - found ? left : room - found;
        const uint8_t *entry = d->entries + ((size_t)c->begin[i] + done) * bytes;
        for (uint32_t k = 0; k < take; k++, entry += bytes) {
            rows[found] = row;
            ids[found] = entry_id(entry, words);
            found += entry_equal(entry, words, a, b);
        }
        if (take < left) {
            done += take;
            break;
        }
    }
    *cursor = (wr_join_cursor){i, i < c->count ? done : 0};
    return found;
}

#define MATCH(words)                                                                                                   \
    static uint32_t match_first_##words(const wr_join_directory *d, const uint64_t *first, const uint64_t *second,     \
                                        const wr_join_candidates *c, uint32_t from, uint16_t *rows, uint32_t *ids) {   \
        return match_first_loop(words, d, first, second, c, from, rows, ids);                                          \
    }                                                                                                                  \
    static uint32_t match_all_##words(const wr_join_directory *d, const uint64_t *first, const uint64_t *second,       \
                                      const wr_join_candidates *c, wr_join_cursor *cursor, uint16_t *rows,             \
                                      uint32_t *ids, uint32_t room) {                                                  \
        return match_all_loop(words, d, first, second, c, cursor, rows, ids, room);                                    \
    }
MATCH(1)
MATCH(2)

static void bloom_test(const uint64_t *hashes, uint32_t n, const uint64_t *blocks, uint32_t block_count,
                       uint64_t *pass) {
    for (uint32_t row = 0; row < n; row += 64) {
        uint32_t count = wr_word_rows(row, n);
        uint64_t word = 0;
        for (uint32_t i = 0; i < count; i++) {
            uint64_t h = hashes[row + i], bits = wr_bloom_bits(h);
            word |= (uint64_t)((blocks[wr_bloom_block(h, block_count)] & bits) == bits) << i;
        }
        pass[row / 64] = word;
    }
}

const wr_join_kernels WR_ISA_NAME(wr_join_kernels) = {
    .hash = hash,
    .widen_signed = {widen_i8, widen_i16, widen_i32},
    .widen_unsigned = {widen_u8, widen_u16, widen_u32},
    .dense_test = dense_test,
    .dense_rank = dense_rank,
    .rank_sums = rank_sums,
    .candidates = candidates,
    .match_first = {match_first_1, match_first_2},
    .match_all = {match_all_1, match_all_2},
    .bloom_test = bloom_test,
};
