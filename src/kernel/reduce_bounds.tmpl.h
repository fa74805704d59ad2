/* Minimum and maximum of one number type. Parameters: see each_number.tmpl.h. */

/* ORDER is an integer type in whose order the values are compared. */
#if IS_FLOAT && LANE_BITS == 64
#define ORDER int64_t
#elif IS_FLOAT
#define ORDER int32_t
#else
#define ORDER T
#endif
#if IS_FLOAT
#define TO_ORDER(x) WR_CAT(order, NAME)(x)
#define TO_VALUE(order) WR_CAT(value, NAME)(order)
#else
#define TO_ORDER(x) (x)
#define TO_VALUE(order) (order)
#endif

static bool WR_CAT(bounds, NAME)(const void *a, const uint64_t *valid, uint32_t n, void *min, void *max) {
    const T *x = a;
    ORDER low = 0, high = 0;
    bool seen = false;
    for (uint32_t row = 0; row < n; row += 64, x += 64) {
        uint64_t word = wr_word_at(valid, row / 64, n);
        if (!word) continue;
        if (!seen) low = high = TO_ORDER(x[__builtin_ctzll(word)]);
        seen = true;
        if (word == ~UINT64_C(0)) {
            for (unsigned j = 0; j < 64; j++) {
                ORDER order = TO_ORDER(x[j]);
                low = order < low ? order : low;
                high = order > high ? order : high;
            }
            continue;
        }
        for (; word; word &= word - 1) {
            ORDER order = TO_ORDER(x[__builtin_ctzll(word)]);
            low = order < low ? order : low;
            high = order > high ? order : high;
        }
    }
    if (!seen) return false;
    *(T *)min = TO_VALUE(low);
    *(T *)max = TO_VALUE(high);
    return true;
}

WR_ALWAYS_INLINE void WR_CAT(group_bound, NAME)(const void *a, const uint64_t *valid, const uint32_t *group, uint32_t n,
                                                uint8_t *base, uint32_t stride, uint32_t seen_offset, bool want_max) {
    const T *x = a;
    for (uint32_t row = 0; row < n; row += 64, x += 64, group += 64) {
        uint64_t word = wr_word_at(valid, row / 64, n);
        for (; word; word &= word - 1) {
            unsigned j = (unsigned)__builtin_ctzll(word);
            uint8_t *state = state_of(base, group[j], stride);
            ORDER order = TO_ORDER(x[j]), held = TO_ORDER(*(const T *)(const void *)state);
            bool better = want_max ? order > held : order < held;
            if (better | !state[seen_offset]) *(T *)(void *)state = TO_VALUE(order);
            state[seen_offset] = 1;
        }
    }
}

static void WR_CAT(group_min, NAME)(const void *a, const uint64_t *valid, const uint32_t *group, uint32_t n,
                                    uint8_t *base, uint32_t stride, uint32_t seen_offset) {
    WR_CAT(group_bound, NAME)(a, valid, group, n, base, stride, seen_offset, false);
}
static void WR_CAT(group_max, NAME)(const void *a, const uint64_t *valid, const uint32_t *group, uint32_t n,
                                    uint8_t *base, uint32_t stride, uint32_t seen_offset) {
    WR_CAT(group_bound, NAME)(a, valid, group, n, base, stride, seen_offset, true);
}

#undef ORDER
#undef TO_ORDER
#undef TO_VALUE
#include "kernel/each_number_end.tmpl.h"
