/* Stable hashes. A hash of a value is the same on every run, machine and instruction set, because partitions and
 * spilled pages are keyed by it; changing a function here means changing WR_HASH_VERSION.
 *
 * Disjoint bits serve disjoint ends, so that choosing a partition does not empty the table's slots:
 *   bits 63..48  radix partition (the top ones first; repartitioning goes down)
 *   bits 47..32  blocked bloom filter: bits inside the block
 *   bits 31..0   table slot; the 16 bits above the slot's bits are the tag */
#ifndef WR_BASE_HASH_H
#define WR_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WR_HASH_VERSION = 1 };

#define WR_HASH_NULL UINT64_C(0xbf58476d1ce4e5b9)

/* Forced by tests: when set, every hash is zero, so that every table works by comparing alone. Read by the kernels'
 * callers, not in their loops. */
extern _Atomic int wr_hash_all_zero;

/* The mixer of one 64-bit word: multiply, fold, multiply (bijective). Narrower integers are sign-extended to 64 bits
 * first, so that equal numbers of different widths hash alike. */
static inline uint64_t wr_hash_u64(uint64_t x) {
    x ^= x >> 32;
    x *= UINT64_C(0x9e3779b97f4a7c15);
    x ^= x >> 29;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    return x;
}
static inline uint64_t wr_hash_combine(uint64_t hash, uint64_t next) {
    return (hash ^ next) * UINT64_C(0x9fb21c651e98df25) + (hash >> 27);
}
/* Floats hash as doubles; -0 and 0 are one number, and so are all NaN. */
static inline uint64_t wr_hash_f64(double x) {
    uint64_t bits;
    x += 0.0;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return wr_hash_u64(x == x ? bits : UINT64_C(0x7ff8000000000000));
}
/* What fits 64 bits, signed or unsigned, hashes as those; else both words count. */
static inline uint64_t wr_hash_i128(__int128 x) {
    uint64_t low = (uint64_t)x, high = (uint64_t)((unsigned __int128)x >> 64);
    uint64_t hash = wr_hash_u64(low);
    bool narrow = high == 0 || (high == UINT64_MAX && low >> 63);
    return narrow ? hash : wr_hash_combine(hash, wr_hash_u64(high));
}
uint64_t wr_hash_bytes(const void *data, size_t size);

static inline uint32_t wr_hash_radix(uint64_t hash, unsigned bits, unsigned used_bits) {
    return bits ? (uint32_t)((hash << used_bits) >> (64 - bits)) : 0;
}

#endif
