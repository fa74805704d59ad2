/* Bit unpacking.
 *
 * Eight values of w bits are w whole bytes, so value i of eight always begins at byte i * w / 8, bit i * w % 8: for a
 * width known at compile time a value is one load, one shift and one mask at constant places. With vectors, four values
 * of up to 25 bits lie within the 16 bytes that begin at the first; a byte shuffle brings the four bytes that hold each
 * to its place, and one shift and one mask do the rest. The pattern has a period of eight values, so one table of 32
 * bytes for each width serves both vector sizes. */
#include "kernel/unpack.h"

#include <string.h>

#if defined __AVX2__
#include <immintrin.h>
#endif

WR_ALWAYS_INLINE uint64_t load64(const uint8_t *p) {
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

#define EACH_WIDTH(X)                                                                                                  \
    X(1)                                                                                                               \
    X(2)                                                                                                               \
    X(3)                                                                                                               \
    X(4)                                                                                                               \
    X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) \
        X(25) X(26) X(27) X(28) X(29) X(30) X(31) X(32)

WR_ALWAYS_INLINE void unpack_plain(const uint8_t *packed, uint32_t n, unsigned width, uint32_t *out) {
    uint32_t mask = (uint32_t)((UINT64_C(1) << width) - 1);
    for (uint32_t i = 0; i < n; i += 8, packed += width) {
#pragma GCC unroll 8
        for (unsigned k = 0; k < 8; k++)
            out[i + k] = (uint32_t)(load64(packed + k * width / 8) >> k * width % 8) & mask;
    }
}

#if defined __AVX2__

enum { SHUFFLE_WIDTH_MAX = 25 };

/* For value `i` of eight: the four bytes that hold it, counted from the byte at which its half begins. */
#define BYTE_OF(width, i) ((i) * (width) / 8 - ((i) / 4) * ((width) / 2))
#define BYTES_OF(width, i) BYTE_OF(width, i), BYTE_OF(width, i) + 1, BYTE_OF(width, i) + 2, BYTE_OF(width, i) + 3
#define SHUFFLE_ROW(width)                                                                                             \
    [width] = {BYTES_OF(width, 0), BYTES_OF(width, 1), BYTES_OF(width, 2), BYTES_OF(width, 3),                         \
               BYTES_OF(width, 4), BYTES_OF(width, 5), BYTES_OF(width, 6), BYTES_OF(width, 7)},
#define SHIFT_ROW(width)                                                                                               \
    [width] = {0,                                                                                                      \
               (width) % 8,                                                                                            \
               2 * (width) % 8,                                                                                        \
               3 * (width) % 8,                                                                                        \
               4 * (width) % 8,                                                                                        \
               5 * (width) % 8,                                                                                        \
               6 * (width) % 8,                                                                                        \
               7 * (width) % 8},
static const uint8_t shuffle_rows[33][32] = {EACH_WIDTH(SHUFFLE_ROW)};
static const uint32_t shift_rows[33][8] = {EACH_WIDTH(SHIFT_ROW)};

/* Reads up to 16 bytes behind the value that begins last. */
static void unpack_shuffled(const uint8_t *packed, uint32_t n, unsigned width, uint32_t *out) {
    const __m256i shuffle = _mm256_loadu_si256((const __m256i *)shuffle_rows[width]);
    const __m256i shift = _mm256_loadu_si256((const __m256i *)shift_rows[width]);
    const unsigned half = width / 2;
#if defined __AVX512BW__
    const __m512i shuffle_2 = _mm512_broadcast_i64x4(shuffle), shift_2 = _mm512_broadcast_i64x4(shift);
    const __m512i mask = _mm512_set1_epi32((1 << width) - 1);
    for (uint32_t i = 0; i < n; i += 16, packed += 2 * width) {
        __m512i v = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)packed));
        v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(packed + half)), 1);
        v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(packed + width)), 2);
        v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(packed + width + half)), 3);
        v = _mm512_srlv_epi32(_mm512_shuffle_epi8(v, shuffle_2), shift_2);
        _mm512_storeu_si512(out + i, _mm512_and_si512(v, mask));
    }
#else
    const __m256i mask = _mm256_set1_epi32((1 << width) - 1);
    for (uint32_t i = 0; i < n; i += 8, packed += width) {
        __m256i v = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)packed));
        v = _mm256_inserti128_si256(v, _mm_loadu_si128((const __m128i *)(packed + half)), 1);
        v = _mm256_srlv_epi32(_mm256_shuffle_epi8(v, shuffle), shift);
        _mm256_storeu_si256((__m256i *)(out + i), _mm256_and_si256(v, mask));
    }
#endif
}

#endif

static void unpack_u32(const uint8_t *packed, uint32_t n, unsigned width, uint32_t *out) {
#if defined __AVX2__
    if (width <= SHUFFLE_WIDTH_MAX) {
        unpack_shuffled(packed, n, width, out);
        return;
    }
#endif
#define CASE(width_)                                                                                                   \
    case width_: unpack_plain(packed, n, width_, out); break;
    switch (width) {
        EACH_WIDTH(CASE)
    default: memset(out, 0, n * sizeof *out);
    }
#undef CASE
}

static void unpack_u64(const uint8_t *packed, uint32_t n, unsigned width, uint64_t *out) {
    if (width == 0) {
        memset(out, 0, n * sizeof *out);
    } else if (width <= 57) {
        uint64_t mask = (UINT64_C(1) << width) - 1, bit = 0;
        for (uint32_t i = 0; i < n; i++, bit += width) out[i] = load64(packed + bit / 8) >> bit % 8 & mask;
    } else {
        uint64_t mask = width == 64 ? ~UINT64_C(0) : (UINT64_C(1) << width) - 1, bit = 0;
        for (uint32_t i = 0; i < n; i++, bit += width) {
            const uint8_t *p = packed + bit / 8;
            out[i] = (load64(p) >> bit % 8 | (uint64_t)p[8] << 1 << (63 - bit % 8)) & mask;
        }
    }
}

static uint64_t prefix_sum(uint64_t *values, uint32_t n, uint64_t first, uint64_t min_delta) {
    for (uint32_t i = 0; i < n; i++) {
        first += values[i] + min_delta;
        values[i] = first;
    }
    return first;
}

static bool codes_below(const uint32_t *codes, uint32_t n, uint32_t limit) {
    uint32_t above = 0;
    for (uint32_t i = 0; i < n; i++) above |= (uint32_t)(codes[i] >= limit);
    return !above;
}

const wr_unpack_kernels WR_ISA_NAME(wr_unpack_kernels) = {unpack_u32, unpack_u64, prefix_sum, codes_below};
