#include <math.h>

#include "base/arena.h"
#include "column/vector.h"
#include "tests/unit/test.h"

static wr_value text_value(const char *z) {
    return (wr_value){.type = wr_type_of(WR_TYPE_VARCHAR), .text = wr_str_from(z)};
}

static wr_value double_value(double x) {
    return (wr_value){.type = wr_type_of(WR_TYPE_DOUBLE), .f64 = x};
}

static wr_value integer_value(int64_t x) {
    return (wr_value){.type = wr_type_of(WR_TYPE_INTEGER), .i64 = x};
}

static wr_value null_value(wr_type_id id) {
    return (wr_value){.type = wr_type_of(id), .is_null = true};
}

static void check_print(const wr_value *value, const char *expected) {
    wr_text text;
    wr_text_init(&text, wr_test_allocator());
    wr_value_print(&text, value);
    WR_CHECK_EQ_STR(wr_text_view(&text), expected);
    wr_text_deinit(&text);
}

WR_TEST(value, order_of_doubles_is_total) {
    const double rising[] = {-INFINITY, -1.5, 0.0, 5e-324, 1, INFINITY, NAN};
    for (size_t i = 0; i < WR_COUNT_OF(rising); i++) {
        for (size_t k = 0; k < WR_COUNT_OF(rising); k++) {
            wr_value a = double_value(rising[i]), b = double_value(rising[k]);
            int order = wr_value_compare(&a, &b);
            WR_CHECK_EQ_INT((order > 0) - (order < 0), (i > k) - (i < k));
        }
    }
    wr_value zero = double_value(0.0), minus_zero = double_value(-0.0), nan = double_value(-NAN);
    wr_value other_nan = double_value(NAN);
    WR_CHECK(wr_value_equal(&zero, &minus_zero));
    WR_CHECK(wr_value_equal(&nan, &other_nan));
}

WR_TEST(value, compares_by_type) {
    wr_value a = text_value("ab"), b = text_value("abc"), c = text_value("\xc3\xa4");
    WR_CHECK(wr_value_compare(&a, &b) < 0 && wr_value_compare(&b, &c) < 0);
    wr_value month = {.type = wr_type_of(WR_TYPE_INTERVAL), .interval = {1, 0, 0}}, days = month, more = month;
    days.interval = (wr_interval){0, 30, 0};
    more.interval = (wr_interval){0, 29, INT64_C(86400000001)};
    WR_CHECK(wr_value_compare(&month, &days) == 0 && wr_value_compare(&more, &days) > 0);
    wr_value big = {.type = wr_type_of(WR_TYPE_UBIGINT), .u64 = UINT64_MAX}, small = big;
    small.u64 = 1;
    WR_CHECK(wr_value_compare(&big, &small) > 0);
    wr_value null_text = null_value(WR_TYPE_VARCHAR), null_integer = null_value(WR_TYPE_INTEGER);
    WR_CHECK(wr_value_equal(&null_text, &null_text));
    WR_CHECK(!wr_value_equal(&null_text, &a));
    WR_CHECK(!wr_value_equal(&null_text, &null_integer));
}

WR_TEST(value, lists_compare_item_by_item_with_null_last) {
    wr_field element = {WR_STR("element"), wr_type_of(WR_TYPE_INTEGER), true};
    wr_type list = {.id = WR_TYPE_LIST, .child_count = 1, .children = &element};
    wr_value x[] = {integer_value(1), integer_value(2)}, y[] = {integer_value(1), null_value(WR_TYPE_INTEGER)};
    wr_value a = {.type = list, .items = x, .item_count = 2}, b = {.type = list, .items = y, .item_count = 2}, c = a;
    c.item_count = 1;
    WR_CHECK(wr_value_compare(&a, &b) < 0);
    WR_CHECK(wr_value_compare(&c, &a) < 0);
    WR_CHECK(wr_value_compare(&b, &b) == 0);
}

WR_TEST(value, prints_as_the_shell_does) {
    wr_value v = integer_value(-7);
    check_print(&v, "-7");
    v = null_value(WR_TYPE_DATE);
    check_print(&v, "NULL");
    v = (wr_value){.type = wr_type_of(WR_TYPE_BOOLEAN), .boolean = true};
    check_print(&v, "true");
    v = (wr_value){.type = wr_type_decimal(20, 3), .i128 = -1};
    check_print(&v, "-0.001");
    v = (wr_value){.type = wr_type_decimal(4, 2), .i64 = 150};
    check_print(&v, "1.50");
    v = (wr_value){.type = wr_type_of(WR_TYPE_TIMESTAMP_TZ), .i64 = 0};
    check_print(&v, "1970-01-01 00:00:00+00");
    v = (wr_value){.type = wr_type_of(WR_TYPE_BLOB), .text = {"\0ab\xff'\"z", 7}};
    check_print(&v, "\\x00ab\\xFF\\x27\\x22z");
    v = (wr_value){.type = wr_type_of(WR_TYPE_FLOAT), .f64 = (double)0.1f};
    check_print(&v, "0.1");
}

WR_TEST(value, prints_nested_values) {
    wr_field element = {WR_STR("element"), wr_type_of(WR_TYPE_VARCHAR), true};
    wr_type list = {.id = WR_TYPE_LIST, .child_count = 1, .children = &element};
    wr_value items[] = {text_value("a"),    text_value("b c"),  text_value("a, b"),          text_value(""),
                        text_value("it's"), text_value("null"), null_value(WR_TYPE_VARCHAR), text_value(" x")};
    wr_value v = {.type = list, .items = items, .item_count = 8};
    check_print(&v, "[a, b c, 'a, b', '', 'it\\'s', 'null', NULL, ' x']");
    v.item_count = 0;
    check_print(&v, "[]");
    wr_field fields[] = {{WR_STR("a"), wr_type_of(WR_TYPE_INTEGER), true}, {WR_STR("b c"), list, true}};
    v.item_count = 2;
    wr_value parts[] = {integer_value(1), v};
    wr_value s = {
        .type = {.id = WR_TYPE_STRUCT, .child_count = 2, .children = fields}, .items = parts, .item_count = 2};
    check_print(&s, "{'a': 1, 'b c': [a, b c]}");
    wr_field entry[] = {{WR_STR("key"), wr_type_of(WR_TYPE_VARCHAR), false},
                        {WR_STR("value"), wr_type_of(WR_TYPE_INTEGER), true}};
    wr_value pairs[] = {text_value("k"), integer_value(1), text_value("a=b"), integer_value(2)};
    wr_value map = {.type = {.id = WR_TYPE_MAP, .child_count = 2, .children = entry}, .items = pairs, .item_count = 4};
    check_print(&map, "{k=1, 'a=b'=2}");
}

WR_TEST(value, printing_copes_without_memory) {
    wr_field element = {WR_STR("element"), wr_type_of(WR_TYPE_VARCHAR), true};
    wr_value items[] = {text_value("a, b"), text_value("a text that is longer than the first piece of memory it gets")};
    wr_value v = {
        .type = {.id = WR_TYPE_LIST, .child_count = 1, .children = &element}, .items = items, .item_count = 2};
    for (uint64_t nth = 1; nth < 10; nth++) {
        wr_text text;
        wr_text_init(&text, wr_test_allocator());
        wr_fault_arm(WR_FAULT_ALLOC, nth);
        wr_value_print(&text, &v);
        bool failed = wr_fault_calls(WR_FAULT_ALLOC) >= nth;
        wr_fault_disarm_all();
        WR_CHECK(text.failed == failed);
        wr_text_deinit(&text);
    }
}
