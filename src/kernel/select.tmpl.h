/* Gather, compress and expand of one width.
 *   VALUE  an unsigned type of that width
 *   WIDTH  its bytes, the suffix of the functions */

static void WR_CAT(gather16, WIDTH)(const void *a, const uint16_t *rows, uint32_t n, void *out) {
    const VALUE *from = a;
    VALUE *restrict to = out;
    WR_UNROLL(4)
    for (uint32_t i = 0; i < n; i++) to[i] = from[rows[i]];
}

static void WR_CAT(gather32, WIDTH)(const void *a, const uint32_t *rows, uint32_t n, void *out) {
    const VALUE *from = a;
    VALUE *restrict to = out;
    WR_UNROLL(4)
    for (uint32_t i = 0; i < n; i++) to[i] = from[rows[i]];
}

static uint32_t WR_CAT(compress, WIDTH)(const void *a, const uint64_t *pass, uint32_t n, void *out) {
    const VALUE *from = a;
    VALUE *to = out;
    for (uint32_t row = 0; row < n; row += 64, from += 64) {
        uint64_t word = wr_word_at(pass, row / 64, n);
        if (word == 0) continue;
        if (word == ~UINT64_C(0)) {
            memcpy(to, from, 64 * sizeof(VALUE));
            to += 64;
            continue;
        }
        uint32_t count = wr_word_rows(row, n);
        for (uint32_t j = 0; j < count; j += compress_rows(WIDTH)) {
            unsigned mask = group_mask(word, j, compress_rows(WIDTH));
            compress_group(WIDTH, from + j, mask, to);
            to += __builtin_popcount(mask);
        }
    }
    return (uint32_t)(to - (VALUE *)out);
}

static void WR_CAT(expand, WIDTH)(const void *a, const uint64_t *valid, uint32_t n, void *out) {
    const VALUE *from = a;
    VALUE *to = out;
    for (uint32_t row = 0; row < n; row += 64, to += 64) {
        uint64_t word = wr_word_at(valid, row / 64, n);
        uint32_t count = wr_word_rows(row, n);
        for (uint32_t j = 0; j < count; j += expand_rows(WIDTH)) {
            unsigned mask = group_mask(word, j, expand_rows(WIDTH));
            expand_group(WIDTH, from, mask, to + j);
            from += __builtin_popcount(mask);
        }
    }
}

#undef VALUE
#undef WIDTH
