#include "column/type.h"

#include "base/arena.h"
#include "tests/unit/test.h"

static void check_round_trip(const char *text, const char *expected) {
    wr_arena arena;
    wr_text printed;
    wr_type type;
    wr_arena_init(&arena, wr_test_allocator());
    wr_text_init(&printed, wr_test_allocator());
    if (WR_CHECK(wr_type_parse(wr_str_from(text), &arena, &type))) {
        wr_type_print(&printed, type);
        WR_CHECK_EQ_STR(wr_text_view(&printed), expected);
        wr_type again;
        WR_CHECK(wr_type_parse(wr_text_view(&printed), &arena, &again) && wr_type_equal(type, again));
    }
    wr_text_deinit(&printed);
    wr_arena_deinit(&arena);
}

WR_TEST(type, names_round_trip) {
    static const char *const pairs[][2] = {
        {"int", "INTEGER"},
        {" BigInt ", "BIGINT"},
        {"int8", "BIGINT"},
        {"text", "VARCHAR"},
        {"varchar(10)", "VARCHAR"},
        {"character varying(10)", "VARCHAR"},
        {"bytea", "BLOB"},
        {"double precision", "DOUBLE"},
        {"real", "FLOAT"},
        {"decimal", "DECIMAL(18,3)"},
        {"numeric(10)", "DECIMAL(10,0)"},
        {"DECIMAL( 38 , 38 )", "DECIMAL(38,38)"},
        {"timestamp", "TIMESTAMP"},
        {"timestamp(9)", "TIMESTAMP_NS"},
        {"timestamp without time zone", "TIMESTAMP"},
        {"timestamptz", "TIMESTAMP WITH TIME ZONE"},
        {"timestamp with time zone", "TIMESTAMP WITH TIME ZONE"},
        {"timestamp_ns with time zone", "TIMESTAMP_NS WITH TIME ZONE"},
        {"timestamp_s", "TIMESTAMP_S"},
        {"time", "TIME"},
        {"uuid", "UUID"},
        {"null", "NULL"},
        {"int[]", "INTEGER[]"},
        {"int[] []", "INTEGER[][]"},
        {"struct(a int, b varchar[])", "STRUCT(a INTEGER, b VARCHAR[])"},
        {"row(\"a \"\"b\" int, x_1 struct(y date))", "STRUCT(\"a \"\"b\" INTEGER, x_1 STRUCT(y DATE))"},
        {"map(varchar, decimal(5,2)[])[]", "MAP(VARCHAR, DECIMAL(5,2)[])[]"},
    };
    for (size_t i = 0; i < WR_COUNT_OF(pairs); i++) check_round_trip(pairs[i][0], pairs[i][1]);
}

WR_TEST(type, what_is_no_type_is_refused) {
    static const char *const texts[] = {
        "",
        "intt",
        "int x",
        "int[",
        "int[3]",
        "decimal(0)",
        "decimal(39,2)",
        "decimal(5,6)",
        "decimal(5",
        "struct()",
        "struct(int)",
        "struct(a int",
        "map(int)",
        "map(int,int,int)",
        "timestamp(10)",
        "timestamp with time",
        "struct(\"a int)",
        "varchar(x)",
        "decimal(99999999999)",
    };
    wr_arena arena;
    wr_type type;
    wr_arena_init(&arena, wr_test_allocator());
    for (size_t i = 0; i < WR_COUNT_OF(texts); i++) {
        if (wr_type_parse(wr_str_from(texts[i]), &arena, &type)) wr_test_fail(__FILE__, __LINE__, "%s", texts[i]);
    }
    wr_arena_deinit(&arena);
}

WR_TEST(type, nesting_is_bounded) {
    wr_arena arena;
    wr_text deep;
    wr_type type;
    wr_arena_init(&arena, wr_test_allocator());
    wr_text_init(&deep, wr_test_allocator());
    for (int i = 0; i < 100000; i++) wr_text_addz(&deep, "struct(a ");
    WR_CHECK(!wr_type_parse(wr_text_view(&deep), &arena, &type));
    wr_text_clear(&deep);
    wr_text_addz(&deep, "int");
    for (int i = 0; i < 1000; i++) wr_text_addz(&deep, "[]");
    WR_CHECK(!wr_type_parse(wr_text_view(&deep), &arena, &type));
    wr_text_deinit(&deep);
    wr_arena_deinit(&arena);
}

WR_TEST(type, parsing_copes_without_memory) {
    const char *text = "struct(\"a b\" int, c map(varchar, date)[])";
    for (uint64_t nth = 1;; nth++) {
        wr_arena arena;
        wr_type type;
        wr_arena_init(&arena, wr_test_allocator());
        wr_fault_arm(WR_FAULT_ALLOC, nth);
        bool parsed = wr_type_parse(wr_str_from(text), &arena, &type);
        bool failed = wr_fault_calls(WR_FAULT_ALLOC) >= nth;
        wr_fault_disarm_all();
        wr_arena_deinit(&arena);
        WR_CHECK(parsed == !failed);
        if (!failed) break;
    }
}

WR_TEST(type, physical_types) {
    WR_CHECK_EQ_INT(wr_type_phys(wr_type_decimal(18, 2)), WR_PHYS_I64);
    WR_CHECK_EQ_INT(wr_type_phys(wr_type_decimal(19, 2)), WR_PHYS_I128);
    WR_CHECK_EQ_INT(wr_type_phys(wr_type_of(WR_TYPE_DATE)), WR_PHYS_I32);
    WR_CHECK_EQ_INT(wr_type_phys(wr_type_of(WR_TYPE_MAP)), WR_PHYS_LIST);
    WR_CHECK_EQ_INT(wr_phys_bytes(WR_PHYS_INTERVAL), 16);
    WR_CHECK_EQ_INT(sizeof(wr_type), 16);
    WR_CHECK_EQ_INT(sizeof(wr_string_view), 16);
}

WR_TEST(type, equality_looks_at_parameters) {
    wr_type ns = wr_type_of(WR_TYPE_TIMESTAMP), us = ns;
    ns.unit = WR_UNIT_NS;
    WR_CHECK(!wr_type_equal(ns, us));
    WR_CHECK(wr_type_equal(us, us));
    WR_CHECK(!wr_type_equal(wr_type_decimal(10, 2), wr_type_decimal(10, 3)));
    wr_field a = {WR_STR("a"), wr_type_of(WR_TYPE_DATE), true}, b = a;
    b.name = WR_STR("b");
    wr_type x = {.id = WR_TYPE_STRUCT, .child_count = 1, .children = &a}, y = x;
    y.children = &b;
    WR_CHECK(!wr_type_equal(x, y));
    x.id = y.id = WR_TYPE_LIST;
    WR_CHECK(wr_type_equal(x, y));
}

WR_TEST(type, views_hold_short_strings) {
    wr_string_view empty = wr_view_make("", 0), twelve = wr_view_make("123456789012", 12);
    const char *text = "1234567890123";
    wr_string_view thirteen = wr_view_make(text, 13);
    WR_CHECK_EQ_UINT(empty.words[0], 0);
    WR_CHECK_EQ_UINT(empty.words[1], 0);
    WR_CHECK_EQ_STR(wr_view_str(&twelve), "123456789012");
    WR_CHECK(wr_view_str(&thirteen).data == text);
    WR_CHECK_EQ_STR(wr_view_str(&thirteen), "1234567890123");
    wr_string_view one = wr_view_make("a", 1);
    WR_CHECK_EQ_UINT(one.words[1], 0);
}
