/* Hashes of one type, a word of rows at a time.
 *   NAME  suffix of the functions
 *   FILL  FILL(a, row, validity word, count, hashes): the loop over up to 64 rows that begin at `row`; rows whose bit in
 *         the validity word is clear may be left out */

WR_ALWAYS_INLINE void WR_CAT(hash_word, NAME)(const void *a, uint32_t row, uint64_t word, uint32_t count, uint64_t *out,
                                              bool combining) {
    uint64_t fresh[64], *to = out + row;
    uint64_t *hashes = combining ? fresh : to;
    FILL(a, row, word, count, hashes);
    put_nulls(hashes, ~word & wr_bitmap_tail(count));
    if (combining) combine_block(fresh, count, to);
}

WR_ALWAYS_INLINE void WR_CAT(hash_rows, NAME)(const void *a, const uint64_t *validity, uint32_t n, uint64_t *out,
                                              bool combining) {
    uint32_t row = 0;
    for (; row + 64 <= n; row += 64) {
        WR_CAT(hash_word, NAME)(a, row, validity ? validity[row / 64] : ~UINT64_C(0), 64, out, combining);
    }
    if (row < n) WR_CAT(hash_word, NAME)(a, row, wr_word_at(validity, row / 64, n), n - row, out, combining);
}

static void WR_CAT(hash, NAME)(const void *a, const uint64_t *validity, uint32_t n, uint64_t *out) {
    WR_CAT(hash_rows, NAME)(a, validity, n, out, false);
}
static void WR_CAT(combine, NAME)(const void *a, const uint64_t *validity, uint32_t n, uint64_t *out) {
    WR_CAT(hash_rows, NAME)(a, validity, n, out, true);
}

#undef NAME
#undef FILL
