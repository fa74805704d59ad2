/* What the sources of this folder share: the name of the instruction set, vectors as wide as its registers, and the way
 * from a vector of comparison results to bits.
 *
 * Loops are written with the compiler's vector types, so that one text serves SSE, AVX2, AVX-512 and NEON; what has no
 * operator in C (a mask to bits, compress, gather) is an intrinsic here or in the one loop that needs it, under #if,
 * with plain C beside it. */
#ifndef WR_KERNEL_INTERNAL_H
#define WR_KERNEL_INTERNAL_H

#include <string.h>

#include "base/bitmap.h"
#include "column/type.h"
#include "kernel/kernel.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512CD__) && defined(__AVX512DQ__) &&                 \
    defined(__AVX512VL__)
#define WR_AVX512 1
#else
#define WR_AVX512 0
#endif
#if defined(__AVX2__) && defined(__BMI2__)
#define WR_AVX2 1
#else
#define WR_AVX2 0
#endif
#if defined(__SSE4_2__)
#define WR_SSE4 1
#include <immintrin.h>
#else
#define WR_SSE4 0
#endif
#if defined(__aarch64__)
#define WR_NEON 1
#include <arm_neon.h>
#else
#define WR_NEON 0
#endif

#ifdef WR_ISA_SUFFIX
#define WR_KERNEL_TABLE_(name) extern const struct wr_##name##_kernels WR_ISA_NAME(wr_##name##_kernels);
WR_KERNEL_FAMILIES(WR_KERNEL_TABLE_)
#undef WR_KERNEL_TABLE_
#endif

/* Templates name their functions by it: WR_CAT(sum, i32) is sum_i32. */
#define WR_CAT_(a, b) a##_##b
#define WR_CAT(a, b) WR_CAT_(a, b)

/* Clang unrolls on its own and takes the wish for a promise. */
#if defined(__clang__)
#define WR_UNROLL(count)
#else
#define WR_PRAGMA_(text) _Pragma(#text)
#define WR_UNROLL(count) WR_PRAGMA_(GCC unroll count)
#endif

/* Tables are made from column/types.def: WR_IF_NUMBER_<class>(x) is x for the classes of numbers and nothing for the
 * others; INTEGER and SCALAR (numbers, views, intervals) likewise. Booleans, being bitmaps, have lines of their own. */
#define WR_IF_NUMBER_signed(...) __VA_ARGS__
#define WR_IF_NUMBER_unsigned(...) __VA_ARGS__
#define WR_IF_NUMBER_float(...) __VA_ARGS__
#define WR_IF_NUMBER_bits(...)
#define WR_IF_NUMBER_view(...)
#define WR_IF_NUMBER_interval(...)
#define WR_IF_NUMBER_nested(...)
#define WR_IF_INTEGER_signed(...) __VA_ARGS__
#define WR_IF_INTEGER_unsigned(...) __VA_ARGS__
#define WR_IF_INTEGER_float(...)
#define WR_IF_INTEGER_bits(...)
#define WR_IF_INTEGER_view(...)
#define WR_IF_INTEGER_interval(...)
#define WR_IF_INTEGER_nested(...)
#define WR_IF_SCALAR_signed(...) __VA_ARGS__
#define WR_IF_SCALAR_unsigned(...) __VA_ARGS__
#define WR_IF_SCALAR_float(...) __VA_ARGS__
#define WR_IF_SCALAR_bits(...)
#define WR_IF_SCALAR_view(...) __VA_ARGS__
#define WR_IF_SCALAR_interval(...) __VA_ARGS__
#define WR_IF_SCALAR_nested(...)

/* Writes a bitmap of n rows: bit `row` says whether the condition, an expression of `row`, holds. */
#define WR_FILL_BITS(bits, n, row, condition)                                                                          \
    for (uint32_t first_ = 0; first_ < (n); first_ += 64) {                                                            \
        uint64_t word_ = 0;                                                                                            \
        for (uint32_t row = first_; row < (n) && row < first_ + 64; row++) {                                           \
            word_ |= (uint64_t)(condition) << (row - first_);                                                          \
        }                                                                                                              \
        (bits)[first_ / 64] = word_;                                                                                   \
    }

/* 128-bit values in columns and group states are 8-byte aligned; the plain type would let the compiler assume 16. */
typedef wr_int128 wr_int128_packed __attribute__((aligned(8), may_alias));

/* ---- vectors of a register's width ---- */

#if WR_AVX512
enum { WR_VECTOR_BYTES = 64 };
#elif WR_AVX2
enum { WR_VECTOR_BYTES = 32 };
#else
enum { WR_VECTOR_BYTES = 16 };
#endif

#define WR_VECTOR(type) type __attribute__((vector_size(WR_VECTOR_BYTES), aligned(1), may_alias))
typedef WR_VECTOR(int8_t) wr_v_i8;
typedef WR_VECTOR(int16_t) wr_v_i16;
typedef WR_VECTOR(int32_t) wr_v_i32;
typedef WR_VECTOR(int64_t) wr_v_i64;
typedef WR_VECTOR(uint8_t) wr_v_u8;
typedef WR_VECTOR(uint16_t) wr_v_u16;
typedef WR_VECTOR(uint32_t) wr_v_u32;
typedef WR_VECTOR(uint64_t) wr_v_u64;
typedef WR_VECTOR(float) wr_v_f32;
typedef WR_VECTOR(double) wr_v_f64;

/* Lane i of a comparison's result (0 or -1) becomes bit i. */
#if WR_AVX512
WR_ALWAYS_INLINE uint64_t wr_mask_8(wr_v_i8 v) {
    return _mm512_movepi8_mask((__m512i)v);
}
WR_ALWAYS_INLINE uint64_t wr_mask_16(wr_v_i16 v) {
    return _mm512_movepi16_mask((__m512i)v);
}
WR_ALWAYS_INLINE uint64_t wr_mask_32(wr_v_i32 v) {
    return _mm512_movepi32_mask((__m512i)v);
}
WR_ALWAYS_INLINE uint64_t wr_mask_64(wr_v_i64 v) {
    return _mm512_movepi64_mask((__m512i)v);
}
#elif WR_AVX2
WR_ALWAYS_INLINE uint64_t wr_mask_8(wr_v_i8 v) {
    return (uint32_t)_mm256_movemask_epi8((__m256i)v);
}
WR_ALWAYS_INLINE uint64_t wr_mask_16(wr_v_i16 v) {
    __m128i low = _mm256_castsi256_si128((__m256i)v), high = _mm256_extracti128_si256((__m256i)v, 1);
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high));
}
WR_ALWAYS_INLINE uint64_t wr_mask_32(wr_v_i32 v) {
    return (uint32_t)_mm256_movemask_ps((__m256)v);
}
WR_ALWAYS_INLINE uint64_t wr_mask_64(wr_v_i64 v) {
    return (uint32_t)_mm256_movemask_pd((__m256d)v);
}
#elif WR_SSE4
WR_ALWAYS_INLINE uint64_t wr_mask_8(wr_v_i8 v) {
    return (uint32_t)_mm_movemask_epi8((__m128i)v);
}
WR_ALWAYS_INLINE uint64_t wr_mask_16(wr_v_i16 v) {
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16((__m128i)v, _mm_setzero_si128()));
}
WR_ALWAYS_INLINE uint64_t wr_mask_32(wr_v_i32 v) {
    return (uint32_t)_mm_movemask_ps((__m128)v);
}
WR_ALWAYS_INLINE uint64_t wr_mask_64(wr_v_i64 v) {
    return (uint32_t)_mm_movemask_pd((__m128d)v);
}
#elif WR_NEON
WR_ALWAYS_INLINE uint64_t wr_mask_8(wr_v_i8 v) {
    const uint8x16_t weight = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bits = vandq_u8((uint8x16_t)v, weight);
    return (uint64_t)vaddv_u8(vget_low_u8(bits)) | (uint64_t)vaddv_u8(vget_high_u8(bits)) << 8;
}
WR_ALWAYS_INLINE uint64_t wr_mask_16(wr_v_i16 v) {
    const uint16x8_t weight = {1, 2, 4, 8, 16, 32, 64, 128};
    return vaddvq_u16(vandq_u16((uint16x8_t)v, weight));
}
WR_ALWAYS_INLINE uint64_t wr_mask_32(wr_v_i32 v) {
    const uint32x4_t weight = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32((uint32x4_t)v, weight));
}
WR_ALWAYS_INLINE uint64_t wr_mask_64(wr_v_i64 v) {
    const uint64x2_t weight = {1, 2};
    return vaddvq_u64(vandq_u64((uint64x2_t)v, weight));
}
#else
#define WR_PLAIN_MASK(bits)                                                                                            \
    WR_ALWAYS_INLINE uint64_t wr_mask_##bits(wr_v_i##bits v) {                                                         \
        uint64_t word = 0;                                                                                             \
        for (unsigned lane = 0; lane < WR_VECTOR_BYTES * 8 / bits; lane++) word |= (uint64_t)(v[lane] & 1) << lane;    \
        return word;                                                                                                   \
    }
WR_PLAIN_MASK(8)
WR_PLAIN_MASK(16)
WR_PLAIN_MASK(32)
WR_PLAIN_MASK(64)
#undef WR_PLAIN_MASK
#endif

/* Rows of the word that begins at row `first`: 64, or what is left of n. */
WR_ALWAYS_INLINE uint32_t wr_word_rows(uint32_t first, uint32_t n) {
    return n - first < 64 ? n - first : 64;
}
/* Word `index` of a bitmap of n rows with the bits past n cleared; a NULL bitmap is all set. */
WR_ALWAYS_INLINE uint64_t wr_word_at(const uint64_t *bits, uint32_t index, uint32_t n) {
    uint64_t word = bits ? bits[index] : ~UINT64_C(0);
    return n - index * 64 < 64 ? word & wr_bitmap_tail(n) : word;
}

#endif
