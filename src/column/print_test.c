#include "column/print.h"

#include <math.h>
#include <stdlib.h>

#include "column/civil.h"
#include "tests/unit/test.h"

#define CHECK_PRINTS(call, expected)                                                                                   \
    do {                                                                                                               \
        char out[WR_PRINT_BYTES];                                                                                      \
        size_t size = call;                                                                                            \
        WR_CHECK_EQ_STR(((wr_str){out, (uint32_t)size}), expected);                                                    \
    } while (0)

WR_TEST(print, integers) {
    wr_int128 least = (wr_int128)((wr_uint128)1 << 127);
    CHECK_PRINTS(wr_print_i64(out, 0), "0");
    CHECK_PRINTS(wr_print_i64(out, INT64_MIN), "-9223372036854775808");
    CHECK_PRINTS(wr_print_u64(out, UINT64_MAX), "18446744073709551615");
    CHECK_PRINTS(wr_print_i128(out, least), "-170141183460469231731687303715884105728");
    CHECK_PRINTS(wr_print_i128(out, -1 - least), "170141183460469231731687303715884105727");
}

WR_TEST(print, decimals) {
    CHECK_PRINTS(wr_print_decimal(out, -5, 2), "-0.05");
    CHECK_PRINTS(wr_print_decimal(out, 0, 2), "0.00");
    CHECK_PRINTS(wr_print_decimal(out, 12345, 2), "123.45");
    CHECK_PRINTS(wr_print_decimal(out, 12345, 0), "12345");
    CHECK_PRINTS(wr_print_decimal(out, 1, 38), "0.00000000000000000000000000000000000001");
    CHECK_PRINTS(wr_print_decimal(out, 100, 2), "1.00");
    CHECK_PRINTS(wr_print_decimal(out, 99, 2), "0.99");
}

WR_TEST(print, floats) {
    CHECK_PRINTS(wr_print_f64(out, 0.1), "0.1");
    CHECK_PRINTS(wr_print_f64(out, -0.0), "-0.0");
    CHECK_PRINTS(wr_print_f64(out, 1e15), "1000000000000000.0");
    CHECK_PRINTS(wr_print_f64(out, 1e16), "1e+16");
    CHECK_PRINTS(wr_print_f64(out, 123456789012345680.0), "1.2345678901234568e+17");
    CHECK_PRINTS(wr_print_f64(out, 1e-5), "1e-05");
    CHECK_PRINTS(wr_print_f64(out, 0.0001), "0.0001");
    CHECK_PRINTS(wr_print_f64(out, 5e-324), "5e-324");
    CHECK_PRINTS(wr_print_f64(out, 1.7976931348623157e308), "1.7976931348623157e+308");
    CHECK_PRINTS(wr_print_f64(out, 9007199254740993.0), "9007199254740992.0");
    CHECK_PRINTS(wr_print_f64(out, 123.456), "123.456");
    CHECK_PRINTS(wr_print_f64(out, NAN), "nan");
    CHECK_PRINTS(wr_print_f64(out, -INFINITY), "-inf");
    CHECK_PRINTS(wr_print_f32(out, 0.1f), "0.1");
    CHECK_PRINTS(wr_print_f32(out, 16777216.0f), "16777216.0");
    CHECK_PRINTS(wr_print_f32(out, 1e20f), "1e+20");
}

WR_TEST(print, floats_read_back) {
    uint64_t seed = 1;
    for (int i = 0; i < 20000; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        double value;
        float single;
        uint32_t high = (uint32_t)(seed >> 32);
        memcpy(&value, &seed, 8);
        memcpy(&single, &high, 4);
        char out[WR_PRINT_BYTES];
        if (isfinite(value)) {
            out[wr_print_f64(out, value)] = 0;
            WR_CHECK_EQ_DOUBLE(strtod(out, NULL), value);
        }
        if (isfinite(single)) {
            out[wr_print_f32(out, single)] = 0;
            WR_CHECK_EQ_DOUBLE(strtof(out, NULL), single);
        }
    }
}

WR_TEST(print, dates_and_times) {
    CHECK_PRINTS(wr_print_date(out, 0), "1970-01-01");
    CHECK_PRINTS(wr_print_date(out, -719528), "0001-01-01 (BC)");
    CHECK_PRINTS(wr_print_date(out, -719162), "0001-01-01");
    CHECK_PRINTS(wr_print_date(out, 3672396), "12024-09-05");
    CHECK_PRINTS(wr_print_time(out, 0), "00:00:00");
    CHECK_PRINTS(wr_print_time(out, 43200000100), "12:00:00.0001");
    CHECK_PRINTS(wr_print_timestamp(out, -1, WR_UNIT_US), "1969-12-31 23:59:59.999999");
    CHECK_PRINTS(wr_print_timestamp(out, 1704112496789, WR_UNIT_MS), "2024-01-01 12:34:56.789");
    CHECK_PRINTS(wr_print_timestamp(out, 1704112496, WR_UNIT_S), "2024-01-01 12:34:56");
    CHECK_PRINTS(wr_print_timestamp(out, -62198755200, WR_UNIT_S), "0002-01-01 (BC) 00:00:00");
    char out[WR_PRINT_BYTES];
    for (int unit = WR_UNIT_S; unit <= WR_UNIT_NS; unit++) {
        WR_CHECK(wr_print_timestamp(out, INT64_MIN, (wr_unit)unit) < WR_PRINT_BYTES);
        WR_CHECK(wr_print_timestamp(out, INT64_MAX, (wr_unit)unit) < WR_PRINT_BYTES);
    }
}

WR_TEST(print, intervals) {
    CHECK_PRINTS(wr_print_interval(out, ((wr_interval){14, 3, 14706500000})), "1 year 2 months 3 days 04:05:06.5");
    CHECK_PRINTS(wr_print_interval(out, ((wr_interval){-14, 0, 0})), "-1 year -2 months");
    CHECK_PRINTS(wr_print_interval(out, ((wr_interval){0, -1, -10800000000})), "-1 day -03:00:00");
    CHECK_PRINTS(wr_print_interval(out, ((wr_interval){0, 0, 0})), "00:00:00");
    CHECK_PRINTS(wr_print_interval(out, ((wr_interval){0, 0, 360000000000})), "100:00:00");
    CHECK_PRINTS(wr_print_interval(out, ((wr_interval){0, 0, -1})), "-00:00:00.000001");
    char out[WR_PRINT_BYTES];
    WR_CHECK(wr_print_interval(out, (wr_interval){INT32_MIN, INT32_MIN, INT64_MIN}) < WR_PRINT_BYTES);
}

WR_TEST(print, uuids_sort_as_their_text) {
    wr_int128 least = (wr_int128)((wr_uint128)1 << 127);
    CHECK_PRINTS(wr_print_uuid(out, least), "00000000-0000-0000-0000-000000000000");
    CHECK_PRINTS(wr_print_uuid(out, 0), "80000000-0000-0000-0000-000000000000");
    CHECK_PRINTS(wr_print_uuid(out, -1 - least), "ffffffff-ffff-ffff-ffff-ffffffffffff");
    CHECK_PRINTS(wr_print_uuid(out, 0x123456789abcdef), "80000000-0000-0000-0123-456789abcdef");
}

WR_TEST(civil, every_day_of_eight_centuries_and_the_ends) {
    wr_civil before = wr_civil_from_days(-200001);
    for (int64_t days = -200000; days < 100000; days++) {
        wr_civil civil = wr_civil_from_days(days);
        if (!WR_CHECK_EQ_INT(wr_civil_to_days(civil.year, civil.month, civil.day), days)) return;
        bool next_day = civil.day == before.day + 1 && civil.month == before.month && civil.year == before.year;
        bool next_month = civil.day == 1 && civil.month == before.month + 1 && civil.year == before.year;
        bool next_year = civil.day == 1 && civil.month == 1 && before.month == 12 && civil.year == before.year + 1;
        if (!WR_CHECK(next_day || next_month || next_year)) return;
        before = civil;
    }
    wr_civil leap = wr_civil_from_days(11016);
    WR_CHECK(leap.year == 2000 && leap.month == 2 && leap.day == 29);
    for (int64_t days = INT32_MIN; days <= INT32_MAX; days += UINT32_MAX) {
        wr_civil civil = wr_civil_from_days(days);
        WR_CHECK_EQ_INT(wr_civil_to_days(civil.year, civil.month, civil.day), days);
    }
}
