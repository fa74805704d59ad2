#include "kernel/select.h"

#include "tests/unit/kernels.h"

static uint8_t *random_column(test_memory *memory, uint32_t n, size_t width, uint64_t *state) {
    uint8_t *a = test_block(memory, n * width + WR_BUFFER_PAD);
    for (size_t i = 0; i < n * width; i++) a[i] = (uint8_t)test_random(state);
    return a;
}

static void check_gather(const wr_kernels *k, uint32_t n, unsigned index, uint64_t *state) {
    enum { SOURCE_ROWS = 3000 };
    test_memory memory = {0};
    size_t width = (size_t)1 << index;
    uint8_t *a = random_column(&memory, SOURCE_ROWS, width, state);
    uint8_t *out = test_output(&memory, n, width), *expected = test_output(&memory, n, width);
    uint16_t *rows = test_block(&memory, n * sizeof *rows + WR_BUFFER_PAD);
    uint32_t *wide_rows = test_block(&memory, n * sizeof *wide_rows + WR_BUFFER_PAD);
    for (uint32_t i = 0; i < n; i++) {
        rows[i] = (uint16_t)(i % 5 ? test_random(state) % SOURCE_ROWS : SOURCE_ROWS - 1);
        wide_rows[i] = rows[i];
        memcpy(expected + i * width, a + rows[i] * width, width);
    }
    k->select->gather16[index](a, rows, n, out);
    test_same_bytes("gather16", k, n, out, expected, n * width);
    memset(out, 0, n * width);
    k->select->gather32[index](a, wide_rows, n, out);
    test_same_bytes("gather32", k, n, out, expected, n * width);
    test_memory_deinit(&memory);
}

WR_TEST(kernel_select, gather) {
    uint64_t state = 1;
    EACH_ISA(k)
    EACH_ROW_COUNT(n) for (unsigned index = 0; index < WR_WIDTHS; index++) check_gather(k, n, index, &state);
}

static void check_compress(const wr_kernels *k, uint32_t n, unsigned index, unsigned kind, uint64_t *state) {
    test_memory memory = {0};
    size_t width = (size_t)1 << index;
    uint64_t *pass = test_bits(&memory, n, kind, state);
    uint8_t *a = random_column(&memory, n, width, state);
    uint8_t *out = test_block(&memory, n * width + 64), *expected = test_output(&memory, n, width);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (wr_bit_get(pass, i)) memcpy(expected + kept++ * width, a + i * width, width);
    }
    WR_CHECK_EQ_INT(k->select->compress[index](a, pass, n, out), kept);
    test_same_bytes("compress", k, n, out, expected, kept * width);
    test_memory_deinit(&memory);
}

WR_TEST(kernel_select, compress_keeps_what_passes) {
    uint64_t state = 2;
    EACH_ISA(k)
    EACH_ROW_COUNT(n)
    for (unsigned index = 0; index < WR_WIDTHS; index++)
        for (unsigned kind = 0; kind < TEST_BIT_KINDS; kind++) check_compress(k, n, index, kind, &state);
}

static void check_expand(const wr_kernels *k, uint32_t n, unsigned index, unsigned kind, uint64_t *state) {
    test_memory memory = {0};
    size_t width = (size_t)1 << index;
    uint64_t *valid = test_bits(&memory, n, kind, state);
    uint32_t values = 0;
    for (uint32_t i = 0; i < n; i++) values += wr_bit_get(valid, i);
    uint8_t *a = random_column(&memory, values, width, state);
    uint8_t *out = test_output(&memory, n, width), *expected = test_output(&memory, n, width);
    for (uint32_t i = 0, at = 0; i < n; i++) {
        memset(expected + i * width, 0, width);
        if (wr_bit_get(valid, i)) memcpy(expected + i * width, a + at++ * width, width);
    }
    k->select->expand[index](a, valid, n, out);
    test_same_bytes("expand", k, n, out, expected, n * width);
    test_memory_deinit(&memory);
}

WR_TEST(kernel_select, expand_is_the_inverse) {
    uint64_t state = 3;
    EACH_ISA(k)
    EACH_ROW_COUNT(n)
    for (unsigned index = 0; index < WR_WIDTHS; index++)
        for (unsigned kind = 0; kind < TEST_BIT_KINDS; kind++) check_expand(k, n, index, kind, &state);
}
