/* Finding groups; see group.h.
 *
 * The probe looks at one slot a row and lists the rows that need a second look without a branch: nothing is
 * mispredicted, so the loads of many rows are in flight at once, which is what prefetching would do, for tables in any
 * level of cache. The second look finds its lines in the first level. */
#include "kernel/group.h"

#include "kernel/kernel_internal.h"

typedef uint64_t __attribute__((may_alias)) key_word;

WR_ALWAYS_INLINE uint64_t word_at(const uint8_t *words, uint32_t stride, uint32_t i) {
    return *(const key_word *)(words + (size_t)i * stride);
}

#define TEMPLATE "kernel/group.tmpl.h"
#include "kernel/each_number.tmpl.h"

/* ---- booleans ---- */

static bool pack_bits(const void *a, const uint64_t *validity, uint32_t n, const wr_pack_field *field,
                      uint64_t *words) {
    const uint64_t *bits = a;
    uint64_t outside = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t valid = validity ? (validity[i >> 6] >> (i & 63)) & 1 : 1;
        uint64_t value = (((bits[i >> 6] >> (i & 63)) & 1) - field->base) & -valid;
        outside |= value > field->range;
        words[i] |= value << field->shift;
        if (validity) words[i] |= (valid ^ 1) << field->null_shift;
    }
    return !outside;
}

static void unpack_bits(const uint8_t *words, uint32_t stride, uint32_t n, const wr_pack_field *field, void *out) {
    uint64_t *to = out;
    for (uint32_t first = 0; first < n; first += 64) {
        uint32_t count = wr_word_rows(first, n);
        uint64_t word = 0;
        for (uint32_t i = 0; i < count; i++) {
            uint64_t value = word_at(words, stride, first + i) >> field->shift;
            word |= ((value & field->range & 1) + field->base) << i;
        }
        to[first / 64] = word;
    }
}

static void unpack_validity(const uint8_t *words, uint32_t stride, uint32_t n, const wr_pack_field *field,
                            uint64_t *out) {
    for (uint32_t first = 0; first < n; first += 64) {
        uint32_t count = wr_word_rows(first, n);
        uint64_t word = 0;
        for (uint32_t i = 0; i < count; i++) {
            word |= (~(word_at(words, stride, first + i) >> field->null_shift) & 1) << i;
        }
        out[first / 64] = word;
    }
}

static bool joint_bits(const void *a, const uint64_t *validity, uint32_t n, uint64_t low, uint32_t size,
                       uint32_t multiplier, uint32_t *joint) {
    const uint64_t *bits = a;
    bool outside = false;
    for (uint32_t i = 0; i < n; i++) {
        bool valid = wr_valid(validity, i);
        uint64_t digit = ((bits[i >> 6] >> (i & 63)) & 1) - low;
        outside |= valid & (digit >= size);
        joint[i] += (valid ? (uint32_t)digit : size) * multiplier;
    }
    return !outside;
}

/* ---- hashes of packed keys ---- */

static void hash1(const uint64_t *words, uint32_t n, uint64_t *hashes) {
    for (uint32_t i = 0; i < n; i++) hashes[i] = wr_hash_u64(words[i]);
}

static void hash2(const uint64_t *words, const uint64_t *seconds, uint32_t n, uint64_t *hashes) {
    for (uint32_t i = 0; i < n; i++) hashes[i] = wr_hash_combine(wr_hash_u64(words[i]), wr_hash_u64(seconds[i]));
}

/* ---- the first look ---- */

enum { PROBE_BLOCK = 256 };

/* Slots of the rows of a block, and their entries on the way to the cache. */
WR_ALWAYS_INLINE void probe_slots(const uint32_t *directory, uint64_t slot_mask, const uint8_t *entries,
                                  uint32_t stride, const uint64_t *hashes, uint32_t n, uint32_t *slots) {
    const uint32_t index_mask = (1u << WR_GROUP_TAG_SHIFT) - 1;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t slot = directory[hashes[i] & slot_mask], index = (slot & index_mask) - (slot != 0);
        slots[i] = slot;
        __builtin_prefetch(entries + (size_t)index * stride);
    }
}

WR_ALWAYS_INLINE uint32_t probe(const uint32_t *directory, uint64_t slot_mask, const uint8_t *entries, uint32_t stride,
                                const uint64_t *words, const uint64_t *seconds, const uint64_t *hashes, uint32_t n,
                                uint32_t *groups, uint32_t *missed) {
    const uint32_t index_mask = (1u << WR_GROUP_TAG_SHIFT) - 1;
    uint32_t missed_count = 0, slots[PROBE_BLOCK];
    for (uint32_t first = 0; first < n; first += PROBE_BLOCK) {
        uint32_t count = n - first < PROBE_BLOCK ? n - first : PROBE_BLOCK;
        probe_slots(directory, slot_mask, entries, stride, hashes + first, count, slots);
        for (uint32_t j = 0; j < count; j++) {
            uint32_t i = first + j, slot = slots[j];
            bool found = slot >> WR_GROUP_TAG_SHIFT == (uint8_t)(hashes[i] >> 32);
            /* The entry of an empty slot is looked at like any other: entry 0 is there, and is not what was found. */
            uint32_t index = (slot & index_mask) - (slot != 0);
            const uint8_t *entry = entries + (size_t)index * stride;
            found &= (slot != 0) & (*(const key_word *)entry == words[i]);
            if (seconds) found &= *(const key_word *)(entry + 8) == seconds[i];
            groups[i] = index;
            missed[missed_count] = i;
            missed_count += !found;
        }
    }
    return missed_count;
}

static uint32_t probe1(const uint32_t *directory, uint64_t slot_mask, const uint8_t *entries, uint32_t stride,
                       const uint64_t *words, const uint64_t *hashes, uint32_t n, uint32_t *groups, uint32_t *missed) {
    return probe(directory, slot_mask, entries, stride, words, NULL, hashes, n, groups, missed);
}

static uint32_t probe2(const uint32_t *directory, uint64_t slot_mask, const uint8_t *entries, uint32_t stride,
                       const uint64_t *words, const uint64_t *seconds, const uint64_t *hashes, uint32_t n,
                       uint32_t *groups, uint32_t *missed) {
    return probe(directory, slot_mask, entries, stride, words, seconds, hashes, n, groups, missed);
}

/* ---- joint codes ---- */

static void joint_codes(const uint32_t *codes, const uint64_t *validity, uint32_t n, uint32_t size, uint32_t multiplier,
                        uint32_t *joint) {
    if (!validity) {
        for (uint32_t i = 0; i < n; i++) joint[i] += codes[i] * multiplier;
    } else {
        for (uint32_t i = 0; i < n; i++) {
            bool valid = (validity[i >> 6] >> (i & 63)) & 1;
            joint[i] += (valid ? codes[i] : size) * multiplier;
        }
    }
}

static bool lookup(const uint32_t *map, const uint32_t *joint, uint32_t n, uint32_t *groups) {
    uint32_t highest = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t group = map[joint[i]];
        groups[i] = group;
        highest = group > highest ? group : highest;
    }
    return highest != UINT32_MAX;
}

/* ---- the table ---- */

/* 128-bit integers take two words by themselves: their owner splits them. */
#define IF_WORD_I8(x) x
#define IF_WORD_I16(x) x
#define IF_WORD_I32(x) x
#define IF_WORD_I64(x) x
#define IF_WORD_I128(x)
#define IF_WORD_U8(x) x
#define IF_WORD_U16(x) x
#define IF_WORD_U32(x) x
#define IF_WORD_U64(x) x
#define IF_WORD_F32(x) x
#define IF_WORD_F64(x) x
#define MEMBER(ID, function) [WR_PHYS_##ID] = function,

const wr_group_kernels WR_ISA_NAME(wr_group_kernels) = {
    .pack =
        {
            [WR_PHYS_BOOL] = pack_bits,
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_NUMBER_##class(IF_WORD_##ID(MEMBER(ID, pack_##name)))
#include "column/types.def"
        },
    .unpack =
        {
            [WR_PHYS_BOOL] = unpack_bits,
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_NUMBER_##class(IF_WORD_##ID(MEMBER(ID, unpack_##name)))
#include "column/types.def"
        },
    .unpack_validity = unpack_validity,
    .hash1 = hash1,
    .hash2 = hash2,
    .probe1 = probe1,
    .probe2 = probe2,
    .joint_codes = joint_codes,
    .joint =
        {
            [WR_PHYS_BOOL] = joint_bits,
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_INTEGER_##class(IF_WORD_##ID(MEMBER(ID, joint_##name)))
#include "column/types.def"
        },
    .lookup = lookup,
    .runs =
        {
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_INTEGER_##class(IF_WORD_##ID(MEMBER(ID, runs_##name)))
#include "column/types.def"
        },
};
