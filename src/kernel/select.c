/* Moves values of a width, whatever their type; see select.h.
 *
 * Compress and expand move whole groups: values whose bit is set go to the front of a group by one shuffle, the group
 * is stored whole, and the cursor moves by their number. What lies behind the last kept value is overwritten by the
 * next group or is slack that the caller has. Words of all ones are copied and words of zeros skipped, as filters on
 * sorted data make many of them. The plain form does the same a value at a time, also without a branch on the data. */
#include "kernel/select.h"

#include "kernel/byte_positions.h"
#include "kernel/kernel_internal.h"

typedef wr_uint128 uint128_packed __attribute__((aligned(8), may_alias));

/* ---- groups: how many values go at once, and how ---- */

#if WR_AVX512

/* Narrow values take lanes of 32 bits: AVX-512 F compresses no smaller ones. */
WR_ALWAYS_INLINE __m512i load_lanes(unsigned width, const void *from) {
    if (width == 1) return _mm512_cvtepu8_epi32(_mm_loadu_si128(from));
    if (width == 2) return _mm512_cvtepu16_epi32(_mm256_loadu_si256(from));
    return _mm512_loadu_si512(from);
}

WR_ALWAYS_INLINE void store_lanes(unsigned width, __m512i v, void *to) {
    if (width == 1) {
        _mm_storeu_si128(to, _mm512_cvtepi32_epi8(v));
    } else if (width == 2) {
        _mm256_storeu_si256(to, _mm512_cvtepi32_epi16(v));
    } else {
        _mm512_storeu_si512(to, v);
    }
}

/* Bit i to bits 2i and 2i + 1: the words of 16-byte values. */
WR_ALWAYS_INLINE __mmask8 word_mask(unsigned width, unsigned mask) {
    return (__mmask8)(width == 8 ? mask : _pdep_u32(mask, 0x55) * 3);
}

WR_ALWAYS_INLINE void compress_group(unsigned width, const void *from, unsigned mask, void *to) {
    __m512i v = load_lanes(width, from);
    v = width <= 4 ? _mm512_maskz_compress_epi32((__mmask16)mask, v)
                   : _mm512_maskz_compress_epi64(word_mask(width, mask), v);
    store_lanes(width, v, to);
}

WR_ALWAYS_INLINE void expand_group(unsigned width, const void *from, unsigned mask, void *to) {
    __m512i v = load_lanes(width, from);
    v = width <= 4 ? _mm512_maskz_expand_epi32((__mmask16)mask, v)
                   : _mm512_maskz_expand_epi64(word_mask(width, mask), v);
    store_lanes(width, v, to);
}

#else

WR_ALWAYS_INLINE void compress_group(unsigned width, const void *from, unsigned mask, void *to) {
#if WR_AVX2
    if (width == 4 || width == 8) {
        static const uint8_t doubled[16] = {0x00, 0x03, 0x0c, 0x0f, 0x30, 0x33, 0x3c, 0x3f,
                                            0xc0, 0xc3, 0xcc, 0xcf, 0xf0, 0xf3, 0xfc, 0xff};
        unsigned lanes = width == 4 ? mask : doubled[mask];
        __m256i order = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)&wr_byte_positions[lanes]));
        _mm256_storeu_si256(to, _mm256_permutevar8x32_epi32(_mm256_loadu_si256(from), order));
        return;
    }
#endif
    (void)mask;
    memcpy(to, from, width);
}

WR_ALWAYS_INLINE void expand_group(unsigned width, const void *from, unsigned mask, void *to) {
    uint64_t v[2] = {0, 0}, keep = -(uint64_t)mask;
    memcpy(v, from, width);
    v[0] &= keep;
    v[1] &= keep;
    memcpy(to, v, width);
}

#endif

/* Values in a group: one where there is no shuffle for the width. */
WR_ALWAYS_INLINE uint32_t compress_rows(unsigned width) {
    if (WR_AVX512) return width < 4 ? 16 : 64 / width;
    return WR_AVX2 && (width == 4 || width == 8) ? 32 / width : 1;
}
WR_ALWAYS_INLINE uint32_t expand_rows(unsigned width) {
    return WR_AVX512 ? compress_rows(width) : 1;
}
WR_ALWAYS_INLINE unsigned group_mask(uint64_t word, uint32_t first, uint32_t rows) {
    return (unsigned)(word >> first) & ((1u << rows) - 1);
}

#define VALUE uint8_t
#define WIDTH 1
#include "kernel/select.tmpl.h"

#define VALUE uint16_t
#define WIDTH 2
#include "kernel/select.tmpl.h"

#define VALUE uint32_t
#define WIDTH 4
#include "kernel/select.tmpl.h"

#define VALUE uint64_t
#define WIDTH 8
#include "kernel/select.tmpl.h"

#define VALUE uint128_packed
#define WIDTH 16
#include "kernel/select.tmpl.h"

const wr_select_kernels WR_ISA_NAME(wr_select_kernels) = {
    .gather16 = {gather16_1, gather16_2, gather16_4, gather16_8, gather16_16},
    .gather32 = {gather32_1, gather32_2, gather32_4, gather32_8, gather32_16},
    .compress = {compress_1, compress_2, compress_4, compress_8, compress_16},
    .expand = {expand_1, expand_2, expand_4, expand_8, expand_16},
};
