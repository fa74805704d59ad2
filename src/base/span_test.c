#include "base/span.h"

#include "tests/unit/test.h"

WR_TEST(span, gives_what_is_there_and_no_more) {
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
    wr_span s = wr_span_from(bytes, sizeof bytes, 100);
    uint8_t u8;
    uint32_t u32;
    uint64_t u64;
    WR_CHECK(wr_span_u8(&s, &u8) && u8 == 1);
    WR_CHECK(wr_span_u32le(&s, &u32) && u32 == 0x05040302);
    WR_CHECK(wr_span_u64le(&s, &u64) && u64 == UINT64_C(0x0d0c0b0a09080706));
    WR_CHECK(wr_span_left(&s) == 0 && !wr_span_u8(&s, &u8) && !wr_span_u32le(&s, &u32) && !wr_span_u64le(&s, &u64));
    s.at = 10;
    WR_CHECK(!wr_span_u32le(&s, &u32) && s.at == 10);
    WR_CHECK(!wr_span_take(&s, SIZE_MAX) && wr_span_take(&s, 3) == bytes + 10 && wr_span_take(&s, 0));
}

static bool read_varint(const char *bytes, size_t size, uint64_t *out) {
    wr_span s = wr_span_from(bytes, size, 0);
    return wr_span_varint(&s, out);
}

WR_TEST(span, varints) {
    uint64_t value;
    WR_CHECK(read_varint("\x00", 1, &value) && value == 0);
    WR_CHECK(read_varint("\xac\x02", 2, &value) && value == 300);
    WR_CHECK(read_varint("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, &value) && value == UINT64_MAX);
    WR_CHECK(!read_varint("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, &value)); /* 65 bits */
    WR_CHECK(!read_varint("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11, &value));
    WR_CHECK(!read_varint("\x80", 1, &value) && !read_varint("", 0, &value));
    static const uint8_t zigzag[] = {0, 1, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1};
    wr_span s = wr_span_from(zigzag, sizeof zigzag, 0);
    int64_t number;
    WR_CHECK(wr_span_zigzag(&s, &number) && number == 0);
    WR_CHECK(wr_span_zigzag(&s, &number) && number == -1);
    WR_CHECK(wr_span_zigzag(&s, &number) && number == 1);
    WR_CHECK(wr_span_zigzag(&s, &number) && number == INT64_MIN);
}
