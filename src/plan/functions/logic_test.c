#include "plan/plan_test_util.h"

WR_TEST(logic, coalesce_and_friends) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "INTEGER", "1|NULL|NULL"), *b = column(&f, "INTEGER", "5|6|NULL");
    wr_expr *s = column(&f, "VARCHAR", "a text longer than twelve|NULL|x"), *none = literal(&f, "INTEGER", "NULL");
    check(&f, call(&f, "coalesce", a, b, number(&f, 0)), "1|6|0");
    check(&f, call(&f, "ifnull", a, b), "1|6|NULL");
    check(&f, call(&f, "coalesce", none, a), "1|NULL|NULL");
    check(&f, call(&f, "coalesce", s, text(&f, "-")), "a text longer than twelve|-|x");
    check(&f, call(&f, "nullif", b, number(&f, 6)), "5|NULL|NULL");
    check(&f, call(&f, "if", call(&f, ">", b, number(&f, 5)), b, a), "1|6|NULL");
    check_type(&f, call(&f, "coalesce", a, literal(&f, "DECIMAL(2,1)", "2.5")), "DECIMAL(11,1)");
    check_unbound(&f, "coalesce cannot mix", "coalesce", a, s);
    end(&f);
}

WR_TEST(logic, guards_hide_errors) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "INTEGER", "6|NULL|0"), *b = column(&f, "INTEGER", "2|3|0");
    check(&f, call(&f, "coalesce", call(&f, "nullif", a, number(&f, 0)), b, call(&f, "//", number(&f, 1), b)), "6|3|0");
    check(&f, call(&f, "if", call(&f, "<>", b, number(&f, 0)), call(&f, "//", number(&f, 12), b), number(&f, -1)),
          "6|4|-1");
    end(&f);
}

WR_TEST(logic, least_and_greatest_skip_nulls) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "INTEGER", "1|NULL|7|NULL"), *b = column(&f, "INTEGER", "3|2|NULL|NULL");
    check(&f, call(&f, "least", a, b), "1|2|7|NULL");
    check(&f, call(&f, "greatest", a, b, number(&f, 5)), "5|5|7|5");
    wr_expr *s = column(&f, "VARCHAR", "b|NULL|a long text, not inline|z"), *t = column(&f, "VARCHAR", "a|q|z|NULL");
    check(&f, call(&f, "greatest", s, t), "b|q|z|z");
    check(&f, call(&f, "least", s, t, text(&f, "another long text, not inline")),
          "a|another long text, not inline|a long text, not inline|another long text, not inline");
    wr_expr *x = column(&f, "BOOLEAN", "true|false|NULL|true"), *y = column(&f, "BOOLEAN", "false|false|true|NULL");
    check(&f, call(&f, "greatest", x, y), "true|false|true|true");
    check(&f, call(&f, "least", x, y), "false|false|true|true");
    end(&f);
}
