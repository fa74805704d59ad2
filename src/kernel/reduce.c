/* Sums, minima and maxima; see reduce.h. Groups are added to as group_run.h says. */
#include "kernel/reduce.h"

#include "kernel/group_run.h"
#include "kernel/kernel_internal.h"

static void group_count(const uint64_t *valid, const uint32_t *group, uint32_t n, uint8_t *base, uint32_t stride) {
    for (uint32_t row = 0; row < n; row += RUN) {
        uint32_t count = n - row < RUN ? n - row : RUN;
        unsigned bits = valid ? (unsigned)(valid[row / 64] >> (row & 63)) & 0xff : 0xff;
        if (count == RUN && same_group(group + row)) {
            *(uint64_t *)state_of(base, group[row], stride) += (unsigned)__builtin_popcount(bits);
            continue;
        }
        for (uint32_t j = 0; j < count; j++) *(uint64_t *)state_of(base, group[row + j], stride) += bits >> j & 1;
    }
}

/* ---- minima and maxima: every type by an order of integers ---- */

/* Doubles as integers in the same order: -0 below 0, and one NaN above all. The map is its own inverse. */
WR_ALWAYS_INLINE int64_t flip_64(int64_t bits) {
    return bits ^ (int64_t)((uint64_t)(bits >> 63) >> 1);
}
WR_ALWAYS_INLINE int64_t order_f64(double x) {
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return x == x ? flip_64(bits) : INT64_C(0x7ff8000000000000);
}
WR_ALWAYS_INLINE double value_f64(int64_t order) {
    double x;
    order = flip_64(order);
    memcpy(&x, &order, sizeof x);
    return x;
}
WR_ALWAYS_INLINE int32_t flip_32(int32_t bits) {
    return bits ^ (int32_t)((uint32_t)(bits >> 31) >> 1);
}
WR_ALWAYS_INLINE int32_t order_f32(float x) {
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return x == x ? flip_32(bits) : INT32_C(0x7fc00000);
}
WR_ALWAYS_INLINE float value_f32(int32_t order) {
    float x;
    order = flip_32(order);
    memcpy(&x, &order, sizeof x);
    return x;
}

#define TEMPLATE "kernel/reduce_bounds.tmpl.h"
#include "kernel/each_number.tmpl.h"

/* ---- sums ---- */

#include "kernel/reduce_float.h"

#define TEMPLATE "kernel/reduce_sum.tmpl.h"
#include "kernel/each_number.tmpl.h"

/* ---- sums in slots ---- */

#include "kernel/reduce_slots.h"

WR_ALWAYS_INLINE unsigned bits_of(uint64_t seen) {
    return seen ? 64 - (unsigned)__builtin_clzll(seen) : 0;
}

#define TEMPLATE "kernel/reduce_terms.tmpl.h"
#include "kernel/each_number.tmpl.h"

/* 128-bit integers do not pass through slots. */
#define IF_WORD_I8(...) __VA_ARGS__
#define IF_WORD_I16(...) __VA_ARGS__
#define IF_WORD_I32(...) __VA_ARGS__
#define IF_WORD_I64(...) __VA_ARGS__
#define IF_WORD_I128(...)
#define IF_WORD_U8(...) __VA_ARGS__
#define IF_WORD_U16(...) __VA_ARGS__
#define IF_WORD_U32(...) __VA_ARGS__
#define IF_WORD_U64(...) __VA_ARGS__
#define IF_WORD_F32(...)
#define IF_WORD_F64(...)

const wr_reduce_kernels WR_ISA_NAME(wr_reduce_kernels) = {
    .group_count = group_count,
    .sum =
        {
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_NUMBER_##class([WR_PHYS_##ID] = sum_##name, )
#include "column/types.def"
        },
    .bounds =
        {
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_NUMBER_##class([WR_PHYS_##ID] = bounds_##name, )
#include "column/types.def"
        },
    .group_sum =
        {
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_NUMBER_##class([WR_PHYS_##ID] = group_sum_##name, )
#include "column/types.def"
        },
    .group_sum_by_code =
        {
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_NUMBER_##class([WR_PHYS_##ID] = group_sum_by_code_##name, )
#include "column/types.def"
        },
    .terms =
        {
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_INTEGER_##class(IF_WORD_##ID([WR_PHYS_##ID] = terms_##name, ))
#include "column/types.def"
        },
    .terms_by_code =
        {
#define WR_PHYS(ID, name, c_type, width, class)                                                                        \
    WR_IF_INTEGER_##class(IF_WORD_##ID([WR_PHYS_##ID] = terms_by_code_##name, ))
#include "column/types.def"
        },
    .slots_add = {slots_add_0, slots_add_1, slots_add_2, slots_add_3, slots_add_4},
    .slots_count_add = {slots_count_add_0, slots_count_add_1, slots_count_add_2, slots_count_add_3, slots_count_add_4},
    .group_min =
        {
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_NUMBER_##class([WR_PHYS_##ID] = group_min_##name, )
#include "column/types.def"
        },
    .group_max =
        {
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_NUMBER_##class([WR_PHYS_##ID] = group_max_##name, )
#include "column/types.def"
        },
};
