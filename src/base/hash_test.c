#include "base/hash.h"

#include "tests/unit/test.h"

/* Spilled pages and partitions are keyed by these: a change here asks for another WR_HASH_VERSION. */
WR_TEST(hash, values_are_fixed) {
    WR_CHECK_EQ_UINT(wr_hash_bytes("", 0), UINT64_C(0x2d06800538d394c2));
    WR_CHECK_EQ_UINT(wr_hash_bytes("abc", 3), UINT64_C(0x78af5f94892f3950));
    WR_CHECK_EQ_UINT(wr_hash_u64(0), 0);
    WR_CHECK_EQ_INT(WR_HASH_VERSION, 1);
}

WR_TEST(hash, all_zero_for_tests) {
    wr_hash_all_zero = 1;
    WR_CHECK_EQ_UINT(wr_hash_bytes("abc", 3), 0);
    wr_hash_all_zero = 0;
    WR_CHECK(wr_hash_bytes("abc", 3) != 0);
}

WR_TEST(hash, every_bit_of_the_input_moves_half_of_the_output) {
    for (int bit = 0; bit < 64; bit++) {
        int flipped = 0;
        for (uint64_t x = 1; x <= 100; x++) {
            uint64_t key = x * UINT64_C(0x9e3779b97f4a7c15);
            flipped += __builtin_popcountll(wr_hash_u64(key) ^ wr_hash_u64(key ^ UINT64_C(1) << bit));
        }
        WR_CHECK(flipped > 100 * 32 * 3 / 4 && flipped < 100 * 32 * 5 / 4);
    }
}

WR_TEST(hash, small_integers_fill_partitions_evenly) {
    uint32_t counts[64] = {0};
    for (uint64_t x = 0; x < 64000; x++) counts[wr_hash_radix(wr_hash_u64(x), 6, 0)]++;
    for (int i = 0; i < 64; i++) WR_CHECK(counts[i] > 800 && counts[i] < 1200);
}

WR_TEST(hash, radix_goes_down_the_bits) {
    uint64_t hash = UINT64_C(0xabcd000000000000);
    WR_CHECK_EQ_UINT(wr_hash_radix(hash, 4, 0), 0xa);
    WR_CHECK_EQ_UINT(wr_hash_radix(hash, 4, 4), 0xb);
    WR_CHECK_EQ_UINT(wr_hash_radix(hash, 8, 8), 0xcd);
    WR_CHECK_EQ_UINT(wr_hash_radix(hash, 0, 0), 0);
}

WR_TEST(hash, combining_minds_the_order) {
    uint64_t a = wr_hash_u64(1), b = wr_hash_u64(2);
    WR_CHECK(wr_hash_combine(a, b) != wr_hash_combine(b, a));
    WR_CHECK(wr_hash_combine(a, WR_HASH_NULL) != wr_hash_combine(WR_HASH_NULL, a));
}
