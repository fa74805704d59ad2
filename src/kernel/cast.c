/* Number to number; see cast.h.
 *
 * A cast checks its source against the least and the greatest value that both types hold; they are constants of the
 * source type, so that a cast that cannot fail has no check left. Decimals are rescaled up by checking the source
 * against limit / factor, after which the product cannot be wrong, and down by a multiplication with the divisor's
 * inverse. */
#include "kernel/cast.h"

#include <math.h>

#include "kernel/divide.h"
#include "kernel/kernel_internal.h"

/* ---- what integers hold: 128 bits hold all of it ---- */

WR_ALWAYS_INLINE wr_int128 least_of(unsigned bits, bool is_signed) {
    return is_signed ? (wr_int128)(-((wr_uint128)1 << (bits - 1))) : 0;
}
WR_ALWAYS_INLINE wr_int128 most_of(unsigned bits, bool is_signed) {
    return (wr_int128)(((wr_uint128)1 << (bits - is_signed)) - 1);
}
WR_ALWAYS_INLINE wr_int128 larger(wr_int128 a, wr_int128 b) {
    return a > b ? a : b;
}
WR_ALWAYS_INLINE wr_int128 smaller(wr_int128 a, wr_int128 b) {
    return a < b ? a : b;
}

/* Half to even, as the processor rounds. */
#define round_even(x) _Generic((x), float : rintf, double : rint)(x)

/* ---- every type to every type ---- */

#define FROM int8_t
#define FROM_NAME i8
#define FROM_BITS 8
#define FROM_FLAG uint8_t
#define FROM_FLOAT 0
#define FROM_SIGNED 1
#include "kernel/cast_from.tmpl.h"

#define FROM int16_t
#define FROM_NAME i16
#define FROM_BITS 16
#define FROM_FLAG uint16_t
#define FROM_FLOAT 0
#define FROM_SIGNED 1
#include "kernel/cast_from.tmpl.h"

#define FROM int32_t
#define FROM_NAME i32
#define FROM_BITS 32
#define FROM_FLAG uint32_t
#define FROM_FLOAT 0
#define FROM_SIGNED 1
#include "kernel/cast_from.tmpl.h"

#define FROM int64_t
#define FROM_NAME i64
#define FROM_BITS 64
#define FROM_FLAG uint64_t
#define FROM_FLOAT 0
#define FROM_SIGNED 1
#include "kernel/cast_from.tmpl.h"

#define FROM wr_int128_packed
#define FROM_NAME i128
#define FROM_BITS 128
#define FROM_FLAG uint64_t
#define FROM_FLOAT 0
#define FROM_SIGNED 1
#include "kernel/cast_from.tmpl.h"

#define FROM uint8_t
#define FROM_NAME u8
#define FROM_BITS 8
#define FROM_FLAG uint8_t
#define FROM_FLOAT 0
#define FROM_SIGNED 0
#include "kernel/cast_from.tmpl.h"

#define FROM uint16_t
#define FROM_NAME u16
#define FROM_BITS 16
#define FROM_FLAG uint16_t
#define FROM_FLOAT 0
#define FROM_SIGNED 0
#include "kernel/cast_from.tmpl.h"

#define FROM uint32_t
#define FROM_NAME u32
#define FROM_BITS 32
#define FROM_FLAG uint32_t
#define FROM_FLOAT 0
#define FROM_SIGNED 0
#include "kernel/cast_from.tmpl.h"

#define FROM uint64_t
#define FROM_NAME u64
#define FROM_BITS 64
#define FROM_FLAG uint64_t
#define FROM_FLOAT 0
#define FROM_SIGNED 0
#include "kernel/cast_from.tmpl.h"

#define FROM float
#define FROM_NAME f32
#define FROM_BITS 32
#define FROM_FLAG uint32_t
#define FROM_FLOAT 1
#define FROM_SIGNED 1
#include "kernel/cast_from.tmpl.h"

#define FROM double
#define FROM_NAME f64
#define FROM_BITS 64
#define FROM_FLAG uint64_t
#define FROM_FLOAT 1
#define FROM_SIGNED 1
#include "kernel/cast_from.tmpl.h"

static bool cast_bits_bits(const void *a, uint32_t n, void *out, uint64_t *failed) {
    (void)failed;
    memcpy(out, a, wr_bitmap_bytes(n));
    return false;
}

/* ---- decimals ---- */

typedef struct rounding_divisor {
    wr_uint128 divisor, half;
    wr_divider inverse;
    bool narrow; /* there is an inverse */
} rounding_divisor;

static rounding_divisor rounding_divisor_of(wr_int128 divisor) {
    rounding_divisor by = {.divisor = (wr_uint128)divisor, .half = (wr_uint128)divisor / 2};
    by.narrow = divisor <= INT64_MAX;
    if (by.narrow) by.inverse = wr_divider_of((uint64_t)divisor);
    return by;
}

/* To nearest; halves go up, away from zero once the sign is back. */
WR_ALWAYS_INLINE wr_uint128 divide_rounding(wr_uint128 magnitude, const rounding_divisor *by) {
    wr_uint128 sum = magnitude + by->half;
    return WR_LIKELY(by->narrow && sum >> 64 == 0) ? wr_divide((uint64_t)sum, by->inverse) : sum / by->divisor;
}

#define NAME i64_i64
#define FROM int64_t
#define TO int64_t
#include "kernel/rescale.tmpl.h"

#define NAME i64_i128
#define FROM int64_t
#define TO wr_int128_packed
#include "kernel/rescale.tmpl.h"

#define NAME i128_i128
#define FROM wr_int128_packed
#define TO wr_int128_packed
#include "kernel/rescale.tmpl.h"

#define NAME i128_i64
#define FROM wr_int128_packed
#define TO int64_t
#include "kernel/rescale.tmpl.h"

/* ---- the table ---- */

#define TARGETS(from)                                                                                                  \
    {                                                                                                                  \
        [WR_PHYS_BOOL] = cast_##from##_bits, [WR_PHYS_I8] = cast_##from##_i8, [WR_PHYS_I16] = cast_##from##_i16,       \
        [WR_PHYS_I32] = cast_##from##_i32, [WR_PHYS_I64] = cast_##from##_i64, [WR_PHYS_I128] = cast_##from##_i128,     \
        [WR_PHYS_U8] = cast_##from##_u8, [WR_PHYS_U16] = cast_##from##_u16, [WR_PHYS_U32] = cast_##from##_u32,         \
        [WR_PHYS_U64] = cast_##from##_u64, [WR_PHYS_F32] = cast_##from##_f32, [WR_PHYS_F64] = cast_##from##_f64,       \
    }

const wr_cast_kernels WR_ISA_NAME(wr_cast_kernels) = {
    .number =
        {
            [WR_PHYS_BOOL] = TARGETS(bits),
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_NUMBER_##class([WR_PHYS_##ID] = TARGETS(name), )
#include "column/types.def"
        },
    .rescale_up = {rescale_up_i64_i64, rescale_up_i64_i128, rescale_up_i128_i128, rescale_up_i128_i64},
    .rescale_down = {rescale_down_i64_i64, rescale_down_i64_i128, rescale_down_i128_i128, rescale_down_i128_i64},
};
