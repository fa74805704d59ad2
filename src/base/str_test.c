#include "base/str.h"

#include "tests/unit/test.h"

WR_TEST(str, equality_and_order) {
    wr_str empty = {NULL, 0};
    WR_CHECK(wr_str_equal(empty, WR_STR("")) && wr_str_equal(WR_STR("ab"), WR_STR("ab")));
    WR_CHECK(!wr_str_equal(WR_STR("ab"), WR_STR("aB")) && wr_str_equal_nocase(WR_STR("ab_1"), WR_STR("aB_1")));
    WR_CHECK(!wr_str_equal_nocase(WR_STR("ab"), WR_STR("abc")));
    WR_CHECK(!wr_str_equal_nocase(WR_STR("@"), WR_STR("`"))); /* 32 apart, and no letters */
    WR_CHECK(wr_str_compare(WR_STR("a"), WR_STR("ab")) < 0 && wr_str_compare(WR_STR("b"), WR_STR("ab")) > 0);
    WR_CHECK(wr_str_compare(WR_STR("\xff"), WR_STR("a")) > 0 && wr_str_compare(empty, empty) == 0);
    WR_CHECK(wr_str_from(NULL).size == 0);
}

WR_TEST(str, distance_counts_edits) {
    WR_CHECK_EQ_INT(wr_str_distance(WR_STR("orderdate"), WR_STR("o_orderdate"), 5), 2);
    WR_CHECK_EQ_INT(wr_str_distance(WR_STR("kitten"), WR_STR("sitting"), 9), 3);
    WR_CHECK_EQ_INT(wr_str_distance(WR_STR("naem"), WR_STR("NAME"), 9), 1); /* neighbours swapped */
    WR_CHECK_EQ_INT(wr_str_distance(WR_STR(""), WR_STR("abc"), 9), 3);
    WR_CHECK_EQ_INT(wr_str_distance(WR_STR("same"), WR_STR("SAME"), 3), 0);
    WR_CHECK_EQ_INT(wr_str_distance(WR_STR("completely"), WR_STR("different"), 3), 3);
    char longer[301];
    memset(longer, 'x', 300);
    longer[300] = 0;
    WR_CHECK_EQ_INT(wr_str_distance(wr_str_from(longer), wr_str_from(longer), 4), 0);
    WR_CHECK_EQ_INT(wr_str_distance(wr_str_from(longer), wr_str_from(longer + 1), 4), 4);
}

WR_TEST(str, text_grows) {
    wr_text text;
    wr_text_init(&text, wr_test_allocator());
    wr_text_addz(&text, "a");
    for (int i = 0; i < 1000; i++) wr_text_format(&text, "%d,", i);
    wr_text_add(&text, NULL, 0);
    WR_CHECK(!text.failed && text.size == 3891 && text.data[text.size] == 0);
    WR_CHECK(memcmp(text.data, "a0,1,2,", 7) == 0);
    wr_text_clear(&text);
    wr_text_addz(&text, "again");
    WR_CHECK_EQ_STR(wr_text_view(&text), "again");
    wr_text_deinit(&text);
}

WR_TEST(str, text_remembers_that_it_failed) {
    for (uint64_t nth = 1; nth < 4; nth++) {
        wr_text text;
        wr_text_init(&text, wr_test_allocator());
        wr_fault_arm(WR_FAULT_ALLOC, nth);
        for (int i = 0; i < 50; i++) wr_text_format(&text, "%s", "0123456789");
        wr_fault_disarm_all();
        size_t size = text.size;
        wr_text_addz(&text, "later");
        WR_CHECK(text.failed && text.size == size && size < 500);
        wr_text_deinit(&text);
    }
}
