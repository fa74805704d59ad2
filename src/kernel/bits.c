/* Bitmap logic and the bridges between bitmaps, row lists and dictionary codes; see bits.h.
 *
 * A bitmap becomes a row list eight bits at a time: a table gives the positions of a byte's set bits, which are
 * widened, offset and stored whole; the cursor moves by their number, so that no branch depends on the data (0.10 ns a
 * row; AVX-512's compress takes 0.13). A dictionary's filter of up to 1,024 entries fits two AVX-512 registers, where a
 * lookup is one permutation (0.04 ns a row against 0.24 for gathered words, 0.43 for scalar loads). */
#include "kernel/bits.h"

#include "kernel/byte_positions.h"
#include "kernel/kernel_internal.h"

static void and_(const uint64_t *a, const uint64_t *b, uint32_t n, uint64_t *out) {
    for (size_t i = 0, words = wr_bitmap_words(n); i < words; i++) out[i] = a[i] & b[i];
}

static void or_(const uint64_t *a, const uint64_t *b, uint32_t n, uint64_t *out) {
    for (size_t i = 0, words = wr_bitmap_words(n); i < words; i++) out[i] = a[i] | b[i];
}

static void and_not(const uint64_t *a, const uint64_t *b, uint32_t n, uint64_t *out) {
    for (size_t i = 0, words = wr_bitmap_words(n); i < words; i++) out[i] = a[i] & ~b[i];
}

static void not_(const uint64_t *a, uint32_t n, uint64_t *out) {
    for (size_t i = 0, words = wr_bitmap_words(n); i < words; i++) out[i] = ~a[i];
}

static uint32_t count(const uint64_t *a, uint32_t n) {
    uint32_t sum = 0, full = n / 64;
    for (uint32_t i = 0; i < full; i++) sum += (uint32_t)__builtin_popcountll(a[i]);
    if (n & 63) sum += (uint32_t)__builtin_popcountll(a[full] & wr_bitmap_tail(n));
    return sum;
}

/* ---- bitmap to row list ---- */

typedef uint8_t bytes_8 __attribute__((vector_size(8), may_alias));
typedef uint16_t shorts_8 __attribute__((vector_size(16)));

WR_ALWAYS_INLINE uint16_t *rows_of_word(uint64_t word, uint16_t first, uint16_t *out) {
    for (unsigned byte = 0; byte < 8; byte++) {
        unsigned bits = word >> (8 * byte) & 0xff;
        shorts_8 row = __builtin_convertvector(*(const bytes_8 *)&wr_byte_positions[bits], shorts_8);
        row += (uint16_t)(first + 8 * byte);
        memcpy(out, &row, sizeof row);
        out += __builtin_popcount(bits);
    }
    return out;
}

static uint32_t rows(const uint64_t *a, uint32_t n, uint16_t first, uint16_t *out) {
    uint16_t *end = out;
    for (uint32_t row = 0; row < n; row += 64) {
        uint64_t word = wr_word_at(a, row / 64, n);
        if (word) end = rows_of_word(word, (uint16_t)(first + row), end);
    }
    return (uint32_t)(end - out);
}

/* ---- bits by index ---- */

#define INDEX uint32_t
#define NAME u32
#include "kernel/bits_gather.tmpl.h"

#define INDEX uint16_t
#define NAME u16
#include "kernel/bits_gather.tmpl.h"

#if WR_AVX512

enum { REGISTER_ENTRIES = 1024 };

static uint32_t largest(const uint32_t *codes, uint32_t n) {
    __m512i most = _mm512_setzero_si512();
    uint32_t i = 0;
    for (; i + 16 <= n; i += 16) most = _mm512_max_epu32(most, _mm512_loadu_si512(codes + i));
    most = _mm512_max_epu32(most, _mm512_maskz_loadu_epi32((__mmask16)((1u << (n - i)) - 1), codes + i));
    return _mm512_reduce_max_epu32(most);
}

/* Entries in two registers of 512 bits; `last` is the largest code, beyond whose word nothing is read. */
static void lookup_registers(const uint64_t *entries, uint32_t last, const uint32_t *codes, uint32_t n, uint64_t *out) {
    uint32_t words = last / 32 + 1;
    __mmask16 low_mask = (__mmask16)(words < 16 ? (1u << words) - 1 : 0xffff);
    __mmask16 high_mask = (__mmask16)(words > 16 ? (1u << (words - 16)) - 1 : 0);
    __m512i low = _mm512_maskz_loadu_epi32(low_mask, entries);
    __m512i high = _mm512_maskz_loadu_epi32(high_mask, entries + 8);
    __m512i one = _mm512_set1_epi32(1);
    for (uint32_t row = 0; row < n; row += 64) {
        uint32_t left = n - row;
        uint64_t word = 0;
        WR_UNROLL(4)
        for (unsigned j = 0; j < 64; j += 16) {
            if (j >= left) break;
            __m512i code = _mm512_loadu_si512(codes + row + j);
            __m512i held = _mm512_permutex2var_epi32(low, _mm512_srli_epi32(code, 5), high);
            __m512i bit = _mm512_sllv_epi32(one, _mm512_and_si512(code, _mm512_set1_epi32(31)));
            word |= (uint64_t)_mm512_test_epi32_mask(held, bit) << j;
        }
        out[row / 64] = word;
    }
}

static void lookup(const uint64_t *entries, const uint32_t *codes, uint32_t n, uint64_t *out) {
    uint32_t last = largest(codes, n);
    if (last < REGISTER_ENTRIES) {
        lookup_registers(entries, last, codes, n, out);
    } else {
        gather_u32(entries, codes, n, out);
    }
}

#else

static void lookup(const uint64_t *entries, const uint32_t *codes, uint32_t n, uint64_t *out) {
    gather_u32(entries, codes, n, out);
}

#endif

/* ---- compress ---- */

/* Processors with AVX-512 have a fast pext; among those with AVX2 some take hundreds of cycles for it. */
#if WR_AVX512
WR_ALWAYS_INLINE uint64_t compress_word(uint64_t a, uint64_t pass) {
    return _pext_u64(a, pass);
}
#else
/* Moves the bits of a under `pass` down to the bottom in six steps of doubling length (Warren, Hacker's Delight, 7-4):
 * `odd` marks the bits that go down by the step's length, because an odd number of gaps of that size is below them. */
WR_ALWAYS_INLINE uint64_t compress_word(uint64_t a, uint64_t pass) {
    a &= pass;
    uint64_t gaps = ~pass << 1;
    for (unsigned step = 0; step < 6; step++) {
        uint64_t parity = gaps;
        for (unsigned shift = 1; shift < 64; shift *= 2) parity ^= parity << shift;
        uint64_t odd = parity & pass, moved = a & odd;
        pass = (pass ^ odd) | (odd >> (1u << step));
        a = (a ^ moved) | (moved >> (1u << step));
        gaps &= ~parity;
    }
    return a;
}
#endif

static uint32_t compress(const uint64_t *a, const uint64_t *pass, uint32_t n, uint64_t *out) {
    uint64_t pending = 0;
    uint32_t kept = 0;
    for (uint32_t index = 0; index < wr_bitmap_words(n); index++) {
        uint64_t mask = wr_word_at(pass, index, n);
        uint64_t bits = compress_word(a[index], mask);
        unsigned held = kept & 63, more = (unsigned)__builtin_popcountll(mask);
        pending |= bits << held;
        kept += more;
        if (held + more >= 64) {
            out[kept / 64 - 1] = pending;
            pending = held ? bits >> (64 - held) : 0;
        }
    }
    if (kept & 63) out[kept / 64] = pending;
    return kept;
}

const wr_bits_kernels WR_ISA_NAME(wr_bits_kernels) = {
    .and_ = and_,
    .or_ = or_,
    .and_not = and_not,
    .not_ = not_,
    .count = count,
    .rows = rows,
    .lookup = lookup,
    .gather = gather_u16,
    .gather32 = gather_u32,
    .compress = compress,
};
