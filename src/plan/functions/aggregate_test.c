#include "plan/aggregate_test_util.h"

WR_TEST(aggregate, count) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "INTEGER", "1|NULL|3|NULL|5");
    check_whole(&f, "count", ARGS(a), "3");
    check_groups(&f, "count", ARGS(a), "0|0|1|1|2", "1|1|1");
    check_groups_at(&f, "count", NULL, 0, "0|0|1|1|2", "2|2|1", __FILE__, __LINE__);
    wr_expr *b = column(&f, "BOOLEAN", "true|false|NULL|true|true");
    check_whole(&f, "count_if", ARGS(b), "3");
    check_groups(&f, "count_if", ARGS(b), "0|0|0|1|2", "1|1|1");
    end(&f);
}

WR_TEST(aggregate, sum_of_every_type) {
    fixture f;
    begin(&f);
    static const struct {
        const char *type, *expected, *result;
    } cases[] = {
        {"TINYINT", "8|NULL|-2", "HUGEINT"},
        {"SMALLINT", "8|NULL|-2", "HUGEINT"},
        {"INTEGER", "8|NULL|-2", "HUGEINT"},
        {"BIGINT", "8|NULL|-2", "HUGEINT"},
        {"HUGEINT", "8|NULL|-2", "HUGEINT"},
        {"DECIMAL(9,2)", "8.00|NULL|-2.00", "DECIMAL(38,2)"},
        {"DECIMAL(30,2)", "8.00|NULL|-2.00", "DECIMAL(38,2)"},
        {"DOUBLE", "8.0|NULL|-2.0", "DOUBLE"},
        {"FLOAT", "8.0|NULL|-2.0", "DOUBLE"},
    };
    for (size_t i = 0; i < WR_COUNT_OF(cases); i++) {
        wr_expr *a = column(&f, cases[i].type, "1|NULL|7|-2|NULL");
        check_groups(&f, "sum", ARGS(a), "0|1|0|2|2", cases[i].expected);
        check_type(&f, call(&f, "sum", a), cases[i].result);
        forget_columns(&f);
    }
    wr_expr *b = column(&f, "BOOLEAN", "true|true|NULL");
    check_type(&f, call(&f, "sum", b), "HUGEINT");
    end(&f);
}

WR_TEST(aggregate, sum_does_not_overflow_on_the_way) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "BIGINT", "9223372036854775807|9223372036854775807|-9223372036854775808");
    check_whole(&f, "sum", ARGS(a), "9223372036854775806");
    wr_expr *h = column(&f, "HUGEINT",
                        "170141183460469231731687303715884105727|170141183460469231731687303715884105727|"
                        "-170141183460469231731687303715884105727");
    check_whole(&f, "sum", ARGS(h), "170141183460469231731687303715884105727");
    end(&f);
}

WR_TEST(aggregate, sum_of_floats_does_not_depend_on_order) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "DOUBLE", "1e100|1|-1e100|1e-5");
    check_whole(&f, "sum", ARGS(a), "0.0"); /* 1 is beyond the window below 1e100, in every order */
    wr_expr *b = column(&f, "DOUBLE", "0.1|0.2|0.3|-0.6");
    check_whole(&f, "sum", ARGS(b), "2.7755575615628914e-17"); /* exact, rounded once */
    end(&f);
}

WR_TEST(aggregate, avg) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "INTEGER", "1|2|NULL|4|NULL"), *d = column(&f, "DECIMAL(15,2)", "0.01|0.02|1.00|NULL|NULL");
    check_groups(&f, "avg", ARGS(a), "0|0|0|1|2", "1.5|4.0|NULL");
    check_groups(&f, "avg", ARGS(d), "0|0|1|1|2", "0.015|1.0|NULL");
    wr_expr *t = column(&f, "TIMESTAMP", "2020-01-01 00:00:00|2020-01-02 00:00:00|NULL|NULL|NULL");
    check_groups(&f, "avg", ARGS(t), "0|0|1|1|1", "2020-01-01 12:00:00|NULL");
    wr_expr *h =
        column(&f, "HUGEINT", "170141183460469231731687303715884105727|170141183460469231731687303715884105727|0|0|0");
    check_groups(&f, "avg", ARGS(h), "0|0|1|1|1", "1.7014118346046923e+38|0.0");
    end(&f);
}

WR_TEST(aggregate, min_and_max_of_every_type) {
    fixture f;
    begin(&f);
    static const struct {
        const char *type, *values, *min, *max;
    } cases[] = {
        {"TINYINT", "3|NULL|-7|5", "-7|5", "3|5"},
        {"UTINYINT", "3|NULL|200|5", "3|5", "200|5"},
        {"INTEGER", "3|NULL|-7|NULL", "-7|NULL", "3|NULL"},
        {"BIGINT", "3|NULL|-7|5", "-7|5", "3|5"},
        {"HUGEINT", "3|NULL|-7|5", "-7|5", "3|5"},
        {"DOUBLE", "nan|NULL|-7|5", "-7.0|5.0", "nan|5.0"},
        {"DECIMAL(20,1)", "3.5|NULL|-7|5", "-7.0|5.0", "3.5|5.0"},
        {"BOOLEAN", "true|NULL|false|true", "false|true", "true|true"},
        {"DATE", "2020-01-02|NULL|1969-01-01|NULL", "1969-01-01|NULL", "2020-01-02|NULL"},
        {"INTERVAL", "1 month|NULL|31 days|1 day", "1 month|1 day", "31 days|1 day"},
        {"VARCHAR", "b|NULL|a text of more than twelve|z", "a text of more than twelve|z", "b|z"},
        {"VARCHAR", "a text of more than twelve!|NULL|a text of more than twelve|NULL",
         "a text of more than twelve|NULL", "a text of more than twelve!|NULL"},
        {"BLOB", "b|NULL|\\xFF|z", "b|z", "\\xFF|z"},
    };
    for (size_t i = 0; i < WR_COUNT_OF(cases); i++) {
        wr_expr *a = column(&f, cases[i].type, cases[i].values);
        check_groups(&f, "min", ARGS(a), "0|0|0|1", cases[i].min);
        check_groups(&f, "max", ARGS(a), "0|0|0|1", cases[i].max);
        forget_columns(&f);
    }
    wr_expr *s = column(&f, "VARCHAR", "bb|NULL|a text of more than twelve|z");
    check_whole(&f, "min", ARGS(s), "a text of more than twelve");
    check_whole(&f, "max", ARGS(s), "z");
    end(&f);
}
