/* Finding groups: keys packed into words, joint codes of small domains, the first look into a hash table, runs of
 * ordered keys.
 *
 * A packed key is one or two 64-bit words that its columns share: each column has a field of bits for value - base, and
 * a bit that says NULL where it can be. Equal words are equal keys: NULL's value bits are zero, -0 is 0 and NaN is one
 * NaN. */
#ifndef WR_KERNEL_GROUP_H
#define WR_KERNEL_GROUP_H

#include "base/hash.h"
#include "column/type.h"
#include "kernel/kernel.h"

typedef struct wr_pack_field {
    uint64_t base;      /* taken from the value, which is extended to 64 bits */
    uint64_t range;     /* value - base is at most this */
    uint8_t shift;      /* of value - base in its word */
    uint8_t null_shift; /* of the bit that says NULL */
} wr_pack_field;

/* A directory's slot: 0 is empty; else the entry's index + 1 below, and 8 bits of its hash above. */
enum { WR_GROUP_TAG_SHIFT = 24, WR_GROUPS_MAX = (1 << WR_GROUP_TAG_SHIFT) - 2 };
static inline uint32_t wr_group_slot(uint32_t index, uint64_t hash) {
    return (uint32_t)(hash >> 32) << WR_GROUP_TAG_SHIFT | (index + 1);
}

typedef struct wr_group_kernels {
    /* words[i] |= the field of value i; false when a valid value is out of range. BOOL, I8..I64, U8..U64, F32, F64. */
    bool (*pack[WR_PHYS_COUNT])(const void *a, const uint64_t *validity, uint32_t n, const wr_pack_field *field,
                                uint64_t *words);
    /* The inverse, from words that lie `stride` bytes apart; NULLs give base. */
    void (*unpack[WR_PHYS_COUNT])(const uint8_t *words, uint32_t stride, uint32_t n, const wr_pack_field *field,
                                  void *out);
    /* out bit i: the field's NULL bit is not set. */
    void (*unpack_validity)(const uint8_t *words, uint32_t stride, uint32_t n, const wr_pack_field *field,
                            uint64_t *out);

    void (*hash1)(const uint64_t *words, uint32_t n, uint64_t *hashes);
    void (*hash2)(const uint64_t *words, const uint64_t *seconds, uint32_t n, uint64_t *hashes);

    /* The first look: groups[i] is the entry in the slot of hash i, if that entry's first word (two words) is the key;
     * the other rows are listed in `missed` (room for n + 1) and counted. */
    uint32_t (*probe1)(const uint32_t *directory, uint64_t slot_mask, const uint8_t *entries, uint32_t stride,
                       const uint64_t *words, const uint64_t *hashes, uint32_t n, uint32_t *groups, uint32_t *missed);
    uint32_t (*probe2)(const uint32_t *directory, uint64_t slot_mask, const uint8_t *entries, uint32_t stride,
                       const uint64_t *words, const uint64_t *seconds, const uint64_t *hashes, uint32_t n,
                       uint32_t *groups, uint32_t *missed);

    /* ---- joint codes: a column of `size` values has the digits 0..size-1, and `size` for NULL ---- */

    /* joint[i] += digit * multiplier; the codes of valid rows are below size. */
    void (*joint_codes)(const uint32_t *codes, const uint64_t *validity, uint32_t n, uint32_t size, uint32_t multiplier,
                        uint32_t *joint);
    /* The same of value - low; false when a valid value is outside, and then joint holds nothing of use. BOOL, I8..I64,
     * U8..U64. */
    bool (*joint[WR_PHYS_COUNT])(const void *a, const uint64_t *validity, uint32_t n, uint64_t low, uint32_t size,
                                 uint32_t multiplier, uint32_t *joint);
    /* groups[i] = map[joint[i]]; false when one of them is UINT32_MAX. */
    bool (*lookup)(const uint32_t *map, const uint32_t *joint, uint32_t n, uint32_t *groups);

    /* groups[i] counts the changes of value up to row i from `group` on; `starts` (room for n + 1) lists the rows that
     * differ from the one before. Row 0 is compared with *previous. False when a value is below the one before, and
     * then nothing of use was written. I8..I64, U8..U64. */
    bool (*runs[WR_PHYS_COUNT])(const void *a, uint32_t n, const void *previous, uint32_t group, uint32_t *groups,
                                uint32_t *starts, uint32_t *start_count);
} wr_group_kernels;

#endif
