#include "kernel/unpack.h"

#include "tests/unit/kernels.h"

static uint64_t bits_at(const uint8_t *packed, uint64_t bit, unsigned width) {
    uint64_t value = 0;
    for (unsigned i = 0; i < width; i++) value |= (uint64_t)(packed[(bit + i) / 8] >> (bit + i) % 8 & 1) << i;
    return value;
}

static void check_width(const wr_kernels *k, uint32_t n, unsigned width, uint64_t *state) {
    test_memory memory = {0};
    size_t packed_bytes = ((size_t)n * width + 7) / 8;
    uint8_t *packed = test_block(&memory, packed_bytes + WR_BUFFER_PAD);
    for (size_t i = 0; i < packed_bytes; i++) packed[i] = (uint8_t)test_random(state);
    uint64_t *wide = test_output(&memory, n, 8), *expected = test_output(&memory, n, 8);
    for (uint32_t i = 0; i < n; i++) expected[i] = bits_at(packed, (uint64_t)i * width, width);
    k->unpack->u64(packed, n, width, wide);
    test_same_bytes("unpack u64", k, n, wide, expected, n * sizeof *wide);
    if (width <= 32) {
        uint32_t *narrow = test_output(&memory, n, 4), *expected_narrow = test_output(&memory, n, 4);
        for (uint32_t i = 0; i < n; i++) expected_narrow[i] = (uint32_t)expected[i];
        k->unpack->u32(packed, n, width, narrow);
        test_same_bytes("unpack u32", k, n, narrow, expected_narrow, n * sizeof *narrow);
    }
    test_memory_deinit(&memory);
}

WR_TEST(kernel_unpack, every_width) {
    uint64_t state = 5;
    EACH_ISA(k)
    EACH_ROW_COUNT(n) for (unsigned width = 0; width <= 64; width++) check_width(k, n, width, &state);
}

WR_TEST(kernel_unpack, prefix_sum_wraps_around) {
    EACH_ISA(k) {
        uint64_t values[64] = {1, 2, UINT64_MAX, 0};
        WR_CHECK_EQ_UINT(k->unpack->prefix_sum(values, 4, UINT64_MAX, 10), 41);
        WR_CHECK_EQ_UINT(values[0], 10);
        WR_CHECK_EQ_UINT(values[1], 22);
        WR_CHECK_EQ_UINT(values[2], 31);
        WR_CHECK_EQ_UINT(values[3], 41);
        WR_CHECK_EQ_UINT(k->unpack->prefix_sum(values, 0, 7, 10), 7);
    }
}

WR_TEST(kernel_unpack, codes_below_sees_every_row) {
    EACH_ISA(k) {
        EACH_ROW_COUNT(n) {
            uint32_t codes[2048 + 16] = {0};
            WR_CHECK(k->unpack->codes_below(codes, n, 1));
            for (uint32_t i = 0; i < n; i += n / 7 + 1) {
                codes[i] = UINT32_MAX;
                WR_CHECK(!k->unpack->codes_below(codes, n, UINT32_MAX));
                codes[i] = 5;
                WR_CHECK(k->unpack->codes_below(codes, n, 6));
                WR_CHECK(!k->unpack->codes_below(codes, n, 5));
                codes[i] = 0;
            }
        }
    }
}
