#include "plan/plan_test_util.h"

WR_TEST(arithmetic, integers) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "INTEGER", "7|-7|NULL|0|2147483647"), *b = column(&f, "INTEGER", "2|2|1|NULL|-1");
    check(&f, call(&f, "+", a, b), "9|-5|NULL|NULL|2147483646");
    check(&f, call(&f, "-", a, number(&f, 1)), "6|-8|NULL|-1|2147483646");
    check(&f, call(&f, "-", number(&f, 1), a), "-6|8|NULL|1|-2147483646");
    check(&f, call(&f, "*", b, number(&f, -3)), "-6|-6|-3|NULL|3");
    check(&f, call(&f, "//", a, b), "3|-3|NULL|NULL|-2147483647");
    check(&f, call(&f, "%", a, b), "1|-1|NULL|NULL|0");
    check(&f, call(&f, "/", a, b), "3.5|-3.5|NULL|NULL|-2147483647.0");
    check(&f, call(&f, "-", b), "-2|-2|-1|NULL|1");
    check(&f, call(&f, "abs", a), "7|7|NULL|0|2147483647");
    check_type(&f, call(&f, "+", a, b), "INTEGER");
    check_type(&f, call(&f, "/", a, b), "DOUBLE");
    end(&f);
}

WR_TEST(arithmetic, overflow_names_the_row) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "TINYINT", "1|127|NULL");
    check_fails(&f, call(&f, "+", a, number(&f, 1)), "overflow of TINYINT: 127 + 1");
    check_fails(&f, call(&f, "*", a, a), "overflow of TINYINT: 127 * 127");
    wr_expr *b = column(&f, "BIGINT", "5|-9223372036854775808|1");
    check_fails(&f, call(&f, "-", b), "overflow in negation");
    check_fails(&f, call(&f, "abs", b), "overflow in abs");
    check_fails(&f, call(&f, "//", b, number(&f, 0)), "division by zero: 5 // 0");
    check_fails(&f, call(&f, "%", b, number(&f, 0)), "division by zero: 5 % 0");
    check_fails(&f, call(&f, "//", b, number(&f, -1)), "overflow of BIGINT: -9223372036854775808 // -1");
    end(&f);
}

WR_TEST(arithmetic, literals_bend_to_the_column) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "TINYINT", "1"), *u = column(&f, "UBIGINT", "1");
    check_type(&f, call(&f, "+", a, number(&f, 1)), "TINYINT");
    check_type(&f, call(&f, "+", a, number(&f, 1000)), "INTEGER");
    check_type(&f, call(&f, "+", a, u), "HUGEINT");
    check_type(&f, call(&f, "*", u, number(&f, 2)), "UBIGINT");
    check_type(&f, call(&f, "*", a, literal(&f, "DOUBLE", "2")), "DOUBLE");
    check_unbound(&f, "+(BOOLEAN, INTEGER) does not exist", "+", literal(&f, "BOOLEAN", "true"), number(&f, 1));
    end(&f);
}

WR_TEST(arithmetic, decimals) {
    fixture f;
    begin(&f);
    wr_expr *price = column(&f, "DECIMAL(15,2)", "100.00|0.01|NULL|-9999999999999.99");
    wr_expr *discount = column(&f, "DECIMAL(15,2)", "0.05|0.10|0.00|0.00");
    wr_expr *rest = call(&f, "-", number(&f, 1), discount);
    check_type(&f, rest, "DECIMAL(16,2)");
    check(&f, rest, "0.95|0.90|1.00|1.00");
    wr_expr *net = call(&f, "*", price, rest);
    check_type(&f, net, "DECIMAL(18,4)");
    check(&f, net, "95.0000|0.0090|NULL|-9999999999999.9900");
    check_type(&f, call(&f, "*", net, call(&f, "+", number(&f, 1), discount)), "DECIMAL(18,6)");
    check(&f, call(&f, "/", price, discount), "2000.0|0.09999999999999999|NULL|-inf");
    check_fails(&f, call(&f, "*", price, price), "decimal overflow: -9999999999999.99 * -9999999999999.99");
    end(&f);
}

WR_TEST(arithmetic, wide_decimals) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "DECIMAL(18,10)", "12345678.0123456789|-1.5"), *b = column(&f, "DECIMAL(18,10)", "2|4");
    check_type(&f, call(&f, "*", a, b), "DECIMAL(36,20)");
    check(&f, call(&f, "*", a, b), "24691356.02469135780000000000|-6.00000000000000000000");
    wr_expr *c = column(&f, "DECIMAL(38,0)", "99999999999999999999999999999999999999|1");
    check_type(&f, call(&f, "+", c, c), "DECIMAL(38,0)");
    check_fails(&f, call(&f, "+", c, number(&f, 1)), "decimal overflow");
    check(&f, call(&f, "-", c, c), "0|0");
    end(&f);
}

WR_TEST(arithmetic, floats_never_fail) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "DOUBLE", "1|0|-1|nan|1e308"), *zero = literal(&f, "DOUBLE", "0");
    check(&f, call(&f, "/", a, zero), "inf|nan|-inf|nan|inf");
    check(&f, call(&f, "*", a, literal(&f, "DOUBLE", "10")), "10.0|0.0|-10.0|nan|inf");
    check(&f, call(&f, "%", a, literal(&f, "DOUBLE", "0.75")), "0.25|0.0|-0.25|nan|0.5");
    check_fails(&f, call(&f, "//", a, zero), "division by zero");
    end(&f);
}
