#include "plan/plan_test_util.h"

WR_TEST(compare, all_signs) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "INTEGER", "1|2|3|NULL"), *two = number(&f, 2);
    check(&f, call(&f, "=", a, two), "false|true|false|NULL");
    check(&f, call(&f, "<>", a, two), "true|false|true|NULL");
    check(&f, call(&f, "<", a, two), "true|false|false|NULL");
    check(&f, call(&f, "<=", two, a), "false|true|true|NULL");
    check(&f, call(&f, ">", a, two), "false|false|true|NULL");
    check(&f, call(&f, ">=", two, a), "true|true|false|NULL");
    end(&f);
}

WR_TEST(compare, types_meet) {
    fixture f;
    begin(&f);
    wr_expr *d = column(&f, "DECIMAL(15,2)", "0.05|0.07|24.00");
    check(&f, call(&f, "<", d, number(&f, 24)), "true|true|false");
    check(&f, call(&f, ">=", d, literal(&f, "DECIMAL(3,2)", "0.07")), "false|true|true");
    wr_expr *t = column(&f, "TINYINT", "1|2|3");
    check(&f, call(&f, "=", t, number(&f, 300)), "false|false|false");
    check(&f, call(&f, "<", t, literal(&f, "DECIMAL(2,1)", "1.5")), "true|false|false");
    check(&f, call(&f, "=", t, text(&f, "2")), "false|true|false");
    wr_expr *s = column(&f, "VARCHAR", "1|02|x");
    check_fails(&f, call(&f, "=", s, t), "cannot cast to TINYINT: 'x'");
    check_unbound(&f, "cannot compare", "=", t, column(&f, "DATE", "2020-01-01|2020-01-01|2020-01-01"));
    end(&f);
}

WR_TEST(compare, text_is_binary) {
    fixture f;
    begin(&f);
    wr_expr *s = column(&f, "VARCHAR", "abc|abd|ABC||a long text that is not inline|NULL|\xc3\xa4");
    check(&f, call(&f, "<", s, text(&f, "abd")), "true|false|true|true|true|NULL|false");
    check(&f, call(&f, "=", s, text(&f, "a long text that is not inline")), "false|false|false|false|true|NULL|false");
    end(&f);
}

WR_TEST(compare, dates_with_timestamps) {
    fixture f;
    begin(&f);
    wr_expr *d = column(&f, "DATE", "1993-06-30|1993-07-01|1993-07-02|NULL");
    wr_expr *midnight = literal(&f, "TIMESTAMP", "1993-07-01 00:00:00");
    wr_expr *noon = literal(&f, "TIMESTAMP", "1993-07-01 12:00:00");
    wr_expr *e = call(&f, ">=", d, midnight);
    check_type(&f, e->args[0], "DATE");
    check_type(&f, e->args[1], "DATE");
    check(&f, e, "false|true|true|NULL");
    check(&f, call(&f, "<", d, midnight), "true|false|false|NULL");
    check(&f, call(&f, "=", d, midnight), "false|true|false|NULL");
    check(&f, call(&f, "<", d, noon), "true|true|false|NULL");
    check(&f, call(&f, "<=", d, noon), "true|true|false|NULL");
    check(&f, call(&f, ">", noon, d), "true|true|false|NULL");
    check(&f, call(&f, ">=", d, noon), "false|false|true|NULL");
    check(&f, call(&f, "=", d, noon), "false|false|false|NULL");
    end(&f);
}

WR_TEST(compare, null_as_a_value) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "INTEGER", "1|NULL|NULL|2"), *b = column(&f, "INTEGER", "1|NULL|1|3");
    check(&f, call(&f, "is_distinct_from", a, b), "false|false|true|true");
    check(&f, call(&f, "is_not_distinct_from", a, b), "true|true|false|false");
    check(&f, call(&f, "is_distinct_from", a, literal(&f, "INTEGER", "NULL")), "true|false|false|true");
    end(&f);
}

WR_TEST(compare, floats_are_ordered_totally) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "DOUBLE", "nan|inf|-0.0|1");
    check(&f, call(&f, "=", a, literal(&f, "DOUBLE", "nan")), "true|false|false|false");
    check(&f, call(&f, ">", a, literal(&f, "DOUBLE", "inf")), "true|false|false|false");
    check(&f, call(&f, "=", a, literal(&f, "DOUBLE", "0")), "false|false|true|false");
    end(&f);
}
