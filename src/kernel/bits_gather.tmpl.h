/* Bits of a bitmap by index.
 *   INDEX  type of an index
 *   NAME   suffix of the function */

#if WR_AVX512

WR_ALWAYS_INLINE __m512i WR_CAT(load_index, NAME)(const INDEX *index) {
    return sizeof(INDEX) == 2 ? _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)index))
                              : _mm512_loadu_si512(index);
}

static void WR_CAT(gather, NAME)(const uint64_t *a, const INDEX *index, uint32_t n, uint64_t *out) {
    __m512i one = _mm512_set1_epi32(1), low_bits = _mm512_set1_epi32(31);
    for (uint32_t row = 0; row < n; row += 64) {
        uint32_t left = n - row;
        uint64_t word = 0;
        for (unsigned j = 0; j < 64 && j < left; j += 16) {
            /* Lanes past n hold no index: they must not be followed. */
            __mmask16 live = (__mmask16)(left - j < 16 ? (1u << (left - j)) - 1 : 0xffff);
            __m512i at = WR_CAT(load_index, NAME)(index + row + j);
            __m512i held = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), live, _mm512_srli_epi32(at, 5), a, 4);
            __m512i bit = _mm512_sllv_epi32(one, _mm512_and_si512(at, low_bits));
            word |= (uint64_t)_mm512_test_epi32_mask(held, bit) << j;
        }
        out[row / 64] = word;
    }
}

#else

static void WR_CAT(gather, NAME)(const uint64_t *a, const INDEX *index, uint32_t n, uint64_t *out) {
    for (uint32_t row = 0; row < n; row += 64) {
        uint32_t count_here = wr_word_rows(row, n);
        uint64_t word = 0;
        for (uint32_t j = 0; j < count_here; j++) {
            uint32_t at = index[row + j];
            word |= (a[at >> 6] >> (at & 63) & 1) << j;
        }
        out[row / 64] = word;
    }
}

#endif

#undef INDEX
#undef NAME
