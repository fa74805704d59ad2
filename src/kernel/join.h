/* Loops of joins and of the filters that joins give to scans. Keys come as one or two 64-bit words a row (see
 * exec/JOIN.md): equal words are equal keys.
 *
 * A dense index is a bitmap over the range of one-word keys, with the number of set bits in front of each of its words:
 * the rank of a key's bit is its place among the distinct keys in rising order.
 *
 * A hash index is an array of entries, ordered by slot, and a directory with a word a slot: where its entries begin (they
 * end where those of the next slot begin), and a bloom filter of 16 bits over the tags of their hashes (Birler, Schmidt,
 * Fent, Neumann: Simple, Efficient, and Robust Hash Tables for Join Processing, 2024). */
#ifndef WR_KERNEL_JOIN_H
#define WR_KERNEL_JOIN_H

#include "base/hash.h"
#include "kernel/kernel.h"

/* The slot is hash & slot_mask, the tag is made of the bits above it. `entries` are word_count words and a 32-bit id
 * each, packed. */
typedef struct wr_join_directory {
    const uint64_t *slots; /* slot_mask + 2: begin << 16 | bloom; the last one ends the entries */
    uint64_t slot_mask;
    unsigned tag_shift;
    uint32_t entry_bytes;
    const uint8_t *entries;
} wr_join_directory;

enum { WR_JOIN_WINDOW = 256 }; /* rows whose cache lines stay in the first level from prefetch to use */

static inline uint32_t wr_join_entry_bytes(unsigned word_count) {
    return word_count * 8 + 4;
}
static inline uint64_t wr_join_tag(uint64_t hash, unsigned tag_shift) {
    uint64_t bits = hash >> tag_shift;
    return UINT64_C(1) << (bits & 15) | UINT64_C(1) << (bits >> 4 & 15) | UINT64_C(1) << (bits >> 8 & 15);
}
static inline uint32_t wr_join_slot_begin(uint64_t slot) {
    return (uint32_t)(slot >> 16);
}

/* Rows that may have matches, and the entries that may be those: [begin, end). */
typedef struct wr_join_candidates {
    uint32_t count;
    uint16_t *rows;
    uint32_t *begin, *end;
} wr_join_candidates;

/* Where a match that gives several pairs a row went on. */
typedef struct wr_join_cursor {
    uint32_t candidate, entry; /* entries of that candidate that are done */
} wr_join_cursor;

/* A blocked bloom filter: one 64-bit word a key, three bits in it. */
static inline uint64_t wr_bloom_bits(uint64_t hash) {
    return UINT64_C(1) << (hash >> 32 & 63) | UINT64_C(1) << (hash >> 37 & 63) | UINT64_C(1) << (hash >> 42 & 63);
}
static inline uint32_t wr_bloom_block(uint64_t hash, uint32_t block_count) {
    return (uint32_t)(((hash & UINT32_MAX) * block_count) >> 32);
}

typedef struct wr_join_kernels {
    /* Hashes of keys of one word, or of two when `second` is not NULL. */
    void (*hash)(const uint64_t *first, const uint64_t *second, uint32_t n, uint64_t *out);
    /* Signed and unsigned integers of 1, 2 and 4 bytes (by log2 of the width) to words. */
    void (*widen_signed[3])(const void *a, uint32_t n, uint64_t *out);
    void (*widen_unsigned[3])(const void *a, uint32_t n, uint64_t *out);

    /* pass bit i: keys[i] - min < range, and that bit of `bits` is set (NULL: all are). Whole words. */
    void (*dense_test)(const uint64_t *keys, uint32_t n, uint64_t min, uint64_t range, const uint64_t *bits,
                       uint64_t *pass);
    /* ids[i] = rank of keys[rows[i]]; rows NULL: of keys[i]. The keys are in range. bits NULL: all are set. */
    void (*dense_rank)(const uint64_t *keys, const uint16_t *rows, uint32_t n, uint64_t min, const uint64_t *bits,
                       const uint32_t *ranks, uint32_t *ids);
    /* ranks[w] = bits set in front of word w; returns the number of all. */
    uint64_t (*rank_sums)(const uint64_t *bits, uint64_t word_count, uint32_t *ranks);

    /* Adds the rows whose tag is in their slot, numbered from `base`; their entries are on their way to the cache. */
    void (*candidates)(const wr_join_directory *directory, const uint64_t *hashes, uint32_t n, uint16_t base,
                       wr_join_candidates *out);
    /* By word count - 1. The first entry that has the key, for candidates from `from` on; rows and ids of those that
     * have one. */
    uint32_t (*match_first[2])(const wr_join_directory *directory, const uint64_t *first, const uint64_t *second,
                               const wr_join_candidates *candidates, uint32_t from, uint16_t *rows, uint32_t *ids);
    /* By word count - 1. All entries that have the key, from the cursor on, at most `room`; there are more as long as
     * the cursor is not at the candidates' end, also when none was found. */
    uint32_t (*match_all[2])(const wr_join_directory *directory, const uint64_t *first, const uint64_t *second,
                             const wr_join_candidates *candidates, wr_join_cursor *cursor, uint16_t *rows,
                             uint32_t *ids, uint32_t room);

    /* pass bit i: all bits of hashes[i] are set in its block. */
    void (*bloom_test)(const uint64_t *hashes, uint32_t n, const uint64_t *blocks, uint32_t block_count,
                       uint64_t *pass);
} wr_join_kernels;

#endif
