/* Keys to words, to digits and to runs, for one type of number; included by each_number.tmpl.h. */
#define HAS_WORD (LANE_BITS <= 64)

#if HAS_WORD

WR_ALWAYS_INLINE uint64_t WR_CAT(key_word, NAME)(T value) {
#if IS_FLOAT
    UNSIGNED bits;
    value = value == 0 ? 0 : value != value ? (T)__builtin_nan("") : value;
    memcpy(&bits, &value, sizeof bits);
    return bits;
#elif IS_SIGNED
    return (uint64_t)(int64_t)value;
#else
    return value;
#endif
}

WR_ALWAYS_INLINE bool WR_CAT(pack_any, NAME)(const T *a, const uint64_t *validity, uint32_t n,
                                             const wr_pack_field *field, uint64_t *words) {
    const uint64_t base = field->base, range = field->range, null_bit = UINT64_C(1) << field->null_shift;
    const unsigned shift = field->shift;
    uint64_t outside = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t value = WR_CAT(key_word, NAME)(a[i]) - base;
        if (validity) {
            uint64_t valid = -((validity[i >> 6] >> (i & 63)) & 1);
            value &= valid;
            words[i] |= null_bit & ~valid;
        }
        outside |= value > range;
        words[i] |= value << shift;
    }
    return !outside;
}

static bool WR_CAT(pack, NAME)(const void *a, const uint64_t *validity, uint32_t n, const wr_pack_field *field,
                               uint64_t *words) {
    return validity ? WR_CAT(pack_any, NAME)(a, validity, n, field, words)
                    : WR_CAT(pack_any, NAME)(a, NULL, n, field, words);
}

static void WR_CAT(unpack, NAME)(const uint8_t *words, uint32_t stride, uint32_t n, const wr_pack_field *field,
                                 void *out) {
    T *to = out;
    uint64_t mask = field->range ? ~UINT64_C(0) >> __builtin_clzll(field->range) : 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t value = ((word_at(words, stride, i) >> field->shift) & mask) + field->base;
        UNSIGNED bits = (UNSIGNED)value;
        memcpy(&to[i], &bits, sizeof bits);
    }
}

#if !IS_FLOAT

WR_ALWAYS_INLINE bool WR_CAT(joint_any, NAME)(const T *a, const uint64_t *validity, uint32_t n, uint64_t low,
                                              uint32_t size, uint32_t multiplier, uint32_t *joint) {
    uint64_t outside = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t digit = WR_CAT(key_word, NAME)(a[i]) - low;
        bool valid = !validity || ((validity[i >> 6] >> (i & 63)) & 1);
        outside |= valid & (digit >= size);
        joint[i] += (valid ? (uint32_t)digit : size) * multiplier;
    }
    return !outside;
}

static bool WR_CAT(joint, NAME)(const void *a, const uint64_t *validity, uint32_t n, uint64_t low, uint32_t size,
                                uint32_t multiplier, uint32_t *joint) {
    return validity ? WR_CAT(joint_any, NAME)(a, validity, n, low, size, multiplier, joint)
                    : WR_CAT(joint_any, NAME)(a, NULL, n, low, size, multiplier, joint);
}

static bool WR_CAT(runs, NAME)(const void *values, uint32_t n, const void *previous, uint32_t group, uint32_t *groups,
                               uint32_t *starts, uint32_t *start_count) {
    const T *a = values;
    T before = *(const T *)previous;
    UNSIGNED falls = n && a[0] < before; /* as wide as the values, so that the loop vectorises */
    for (uint32_t i = 1; i < n; i++) falls |= (UNSIGNED)(a[i] < a[i - 1]);
    *start_count = 0;
    if (falls) return false;
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool change = a[i] != before;
        before = a[i];
        starts[count] = i;
        count += change;
        groups[i] = group + count;
    }
    *start_count = count;
    return true;
}

#endif
#endif
#undef HAS_WORD
#include "kernel/each_number_end.tmpl.h"
