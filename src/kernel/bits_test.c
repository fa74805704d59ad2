#include "kernel/bits.h"

#include "tests/unit/kernels.h"

static void check_logic(const wr_kernels *k, uint32_t n, unsigned kind, uint64_t *state) {
    test_memory memory = {0};
    uint64_t *a = test_bits(&memory, n, kind, state), *b = test_bits(&memory, n, 2, state);
    uint64_t *out = test_output_bits(&memory, n), *expected = test_output_bits(&memory, n);
    uint32_t set = 0;
    for (uint32_t i = 0; i < n; i++) set += wr_bit_get(a, i);
    WR_CHECK_EQ_INT(k->bits->count(a, n), set);
    for (uint32_t i = 0; i < n; i++) wr_bit_put(expected, i, wr_bit_get(a, i) && wr_bit_get(b, i));
    k->bits->and_(a, b, n, out);
    test_same_bits("and", k, n, out, expected);
    for (uint32_t i = 0; i < n; i++) wr_bit_put(expected, i, wr_bit_get(a, i) || wr_bit_get(b, i));
    k->bits->or_(a, b, n, out);
    test_same_bits("or", k, n, out, expected);
    for (uint32_t i = 0; i < n; i++) wr_bit_put(expected, i, wr_bit_get(a, i) && !wr_bit_get(b, i));
    k->bits->and_not(a, b, n, out);
    test_same_bits("and not", k, n, out, expected);
    for (uint32_t i = 0; i < n; i++) wr_bit_put(expected, i, !wr_bit_get(a, i));
    k->bits->not_(a, n, out);
    test_same_bits("not", k, n, out, expected);
    k->bits->not_(a, n, a);
    test_same_bits("not in place", k, n, a, expected);
    test_memory_deinit(&memory);
}

WR_TEST(kernel_bits, logic) {
    uint64_t state = 1;
    EACH_ISA(k)
    EACH_ROW_COUNT(n) for (unsigned kind = 0; kind < TEST_BIT_KINDS; kind++) check_logic(k, n, kind, &state);
}

static void check_rows(const wr_kernels *k, uint32_t n, unsigned kind, uint16_t first, uint64_t *state) {
    test_memory memory = {0};
    uint64_t *a = test_bits(&memory, n, kind, state);
    uint16_t *seen = test_block(&memory, (n + 64) * sizeof *seen), *expected = test_block(&memory, (n + 64) * 2);
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (wr_bit_get(a, i)) expected[count++] = (uint16_t)(first + i);
    }
    WR_CHECK_EQ_INT(k->bits->rows(a, n, first, seen), count);
    test_same_bytes("rows", k, n, seen, expected, count * sizeof *seen);
    test_memory_deinit(&memory);
}

WR_TEST(kernel_bits, rows_are_listed_in_order) {
    uint64_t state = 2;
    EACH_ISA(k) {
        for (unsigned kind = 0; kind < TEST_BIT_KINDS; kind++) {
            EACH_ROW_COUNT(n) {
                check_rows(k, n, kind, 0, &state);
                check_rows(k, n, kind, 30000, &state);
            }
            check_rows(k, 65536, kind, 0, &state);
        }
    }
}

static void check_by_index(const wr_kernels *k, uint32_t n, uint32_t entry_count, uint64_t *state) {
    test_memory memory = {0};
    uint64_t *entries = test_bits(&memory, entry_count, 2, state);
    uint32_t *codes = test_block(&memory, n * sizeof *codes + WR_BUFFER_PAD);
    uint16_t *rows = test_block(&memory, n * sizeof *rows + WR_BUFFER_PAD);
    uint64_t *out = test_output_bits(&memory, n), *expected = test_output_bits(&memory, n);
    for (uint32_t i = 0; i < n; i++) {
        codes[i] = (uint32_t)(test_random(state) % entry_count);
        if (i % 7 == 0) codes[i] = i % 2 ? 0 : entry_count - 1;
        rows[i] = (uint16_t)(codes[i] % 65536);
        wr_bit_put(expected, i, wr_bit_get(entries, codes[i]));
    }
    k->bits->lookup(entries, codes, n, out);
    test_same_bits("lookup", k, n, out, expected);
    k->bits->gather32(entries, codes, n, out);
    test_same_bits("gather32", k, n, out, expected);
    for (uint32_t i = 0; i < n; i++) wr_bit_put(expected, i, wr_bit_get(entries, rows[i]));
    k->bits->gather(entries, rows, n, out);
    test_same_bits("gather", k, n, out, expected);
    test_memory_deinit(&memory);
}

WR_TEST(kernel_bits, bits_by_index) {
    /* Around what fits one and two registers, and beyond. */
    static const uint32_t entry_counts[] = {1, 2, 63, 64, 511, 512, 513, 1023, 1024, 1025, 5000, 100000};
    uint64_t state = 3;
    EACH_ISA(k)
    EACH_ROW_COUNT(n)
    for (size_t i = 0; i < WR_COUNT_OF(entry_counts); i++) check_by_index(k, n, entry_counts[i], &state);
}

static void check_compress(const wr_kernels *k, uint32_t n, unsigned kind, uint64_t *state) {
    test_memory memory = {0};
    uint64_t *a = test_bits(&memory, n, 2, state), *pass = test_bits(&memory, n, kind, state);
    uint64_t *out = test_output_bits(&memory, n), *expected = test_output_bits(&memory, n);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (wr_bit_get(pass, i)) wr_bit_put(expected, kept++, wr_bit_get(a, i));
    }
    WR_CHECK_EQ_INT(k->bits->compress(a, pass, n, out), kept);
    test_same_bits("compress", k, kept, out, expected);
    test_memory_deinit(&memory);
}

WR_TEST(kernel_bits, compress_keeps_what_passes) {
    uint64_t state = 4;
    EACH_ISA(k)
    EACH_ROW_COUNT(n) for (unsigned kind = 0; kind < TEST_BIT_KINDS; kind++) check_compress(k, n, kind, &state);
}
