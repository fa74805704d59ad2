#include "base/bitmap.h"

#include "tests/unit/test.h"

enum { BITS = 400 };

static void random_bits(uint64_t *bits, size_t count, uint64_t seed) {
    for (size_t i = 0; i < wr_bitmap_words(count); i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        bits[i] = seed ^ seed >> 29;
    }
}

WR_TEST(bitmap, single_bits) {
    uint64_t bits[2] = {0, 0};
    wr_bit_set(bits, 63);
    wr_bit_set(bits, 64);
    wr_bit_put(bits, 70, true);
    wr_bit_clear(bits, 63);
    wr_bit_put(bits, 70, false);
    WR_CHECK_EQ_UINT(bits[0], 0);
    WR_CHECK_EQ_UINT(bits[1], 1);
    WR_CHECK(wr_valid(NULL, 1000) && wr_valid(bits, 64) && !wr_valid(bits, 65));
    WR_CHECK_EQ_INT(wr_bitmap_words(0), 0);
    WR_CHECK_EQ_INT(wr_bitmap_bytes(65), 16);
    WR_CHECK_EQ_UINT(wr_bitmap_tail(64), UINT64_MAX);
    WR_CHECK_EQ_UINT(wr_bitmap_tail(65), 1);
}

WR_TEST(bitmap, count_looks_at_no_bit_behind) {
    uint64_t bits[7];
    random_bits(bits, BITS, 1);
    size_t expected = 0;
    for (size_t count = 0; count <= BITS; count++) {
        WR_CHECK_EQ_INT(wr_bitmap_count(bits, count), expected);
        expected += wr_bit_get(bits, count);
    }
    WR_CHECK_EQ_INT(wr_bitmap_count(NULL, 77), 77);
    wr_bitmap_fill(bits, 65, true);
    WR_CHECK_EQ_INT(wr_bitmap_count(bits, 128), 128);
    wr_bitmap_fill(bits, 65, false);
    WR_CHECK_EQ_INT(wr_bitmap_count(bits, 128), 0);
}

WR_TEST(bitmap, copies_between_all_offsets) {
    static const size_t counts[] = {0, 1, 2, 63, 64, 65, 127, 130, 200};
    uint64_t source[7], target[7], before[7];
    random_bits(source, BITS, 2);
    for (size_t c = 0; c < WR_COUNT_OF(counts); c++) {
        for (size_t from = 0; from < 130; from += from < 66 ? 1 : 13) {
            for (size_t to = 0; to < 130; to += to < 66 ? 1 : 11) {
                random_bits(before, BITS, 3);
                memcpy(target, before, sizeof target);
                /* The last word of the source alone must be enough. */
                size_t words = wr_bitmap_words(from + counts[c]);
                uint64_t exact[7];
                memcpy(exact + 7 - words, source, words * 8);
                wr_bitmap_copy(target, to, exact + 7 - words, from, counts[c]);
                for (size_t i = 0; i < BITS; i++) {
                    bool inside = i >= to && i < to + counts[c];
                    bool expected = inside ? wr_bit_get(source, from + i - to) : wr_bit_get(before, i);
                    if (!WR_CHECK_EQ_INT(wr_bit_get(target, i), expected)) return;
                }
            }
        }
    }
}

WR_TEST(bitmap, sets_ranges) {
    for (size_t from = 0; from < 140; from++) {
        for (size_t count = 0; count < 200; count += 7) {
            uint64_t bits[7], ones[7];
            wr_bitmap_fill(bits, BITS, false);
            wr_bitmap_fill(ones, BITS, true);
            wr_bitmap_set_range(bits, from, count, true);
            wr_bitmap_set_range(ones, from, count, false);
            WR_CHECK_EQ_INT(wr_bitmap_count(bits, BITS), count);
            WR_CHECK_EQ_INT(wr_bitmap_count(ones, BITS), BITS - count);
            if (count) WR_CHECK(wr_bit_get(bits, from) && wr_bit_get(bits, from + count - 1));
            uint64_t copied[7] = {0};
            wr_bitmap_copy(copied, from, NULL, 9, count);
            WR_CHECK_EQ_BYTES(copied, bits, sizeof copied);
        }
    }
}
