#include <stdio.h>

#include "plan/plan_test_util.h"

static wr_type boolean(void) {
    return wr_type_of(WR_TYPE_BOOLEAN);
}
static wr_type integer(void) {
    return wr_type_of(WR_TYPE_INTEGER);
}
static wr_expr *is_null(fixture *f, wr_expr *e) {
    return logic(f, WR_EXPR_IS_NULL, e);
}
static wr_expr *quotient(fixture *f, wr_expr *a, wr_expr *b) {
    return call(f, "//", a, b);
}

WR_TEST(program, three_valued_logic) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "BOOLEAN", "true|true|true|false|false|false|NULL|NULL|NULL");
    wr_expr *b = column(&f, "BOOLEAN", "true|false|NULL|true|false|NULL|true|false|NULL");
    check(&f, logic(&f, WR_EXPR_AND, a, b), "true|false|NULL|false|false|false|NULL|false|NULL");
    check(&f, logic(&f, WR_EXPR_OR, a, b), "true|true|true|true|false|NULL|true|NULL|NULL");
    check(&f, logic(&f, WR_EXPR_NOT, a), "false|false|false|true|true|true|NULL|NULL|NULL");
    check(&f, is_null(&f, a), "false|false|false|false|false|false|true|true|true");
    end(&f);
}

WR_TEST(program, later_terms_run_where_earlier_ones_leave_it_open) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "INTEGER", "10|10|NULL|10"), *b = column(&f, "INTEGER", "5|0|0|3");
    wr_expr *not_zero = call(&f, "<>", b, number(&f, 0));
    wr_expr *is_two = call(&f, "=", quotient(&f, a, b), number(&f, 2));
    check(&f, logic(&f, WR_EXPR_AND, not_zero, is_two), "true|false|false|false");
    check(&f, logic(&f, WR_EXPR_OR, call(&f, "=", b, number(&f, 0)), is_two), "true|true|true|false");
    check_fails(&f, logic(&f, WR_EXPR_AND, is_two, not_zero), "division by zero: 10 // 0");
    /* A NULL leaves AND open: the error is that of the written order. */
    wr_expr *unknown = call(&f, ">", a, number(&f, 0));
    check_fails(&f, logic(&f, WR_EXPR_AND, unknown, call(&f, "=", quotient(&f, number(&f, 1), b), a)), "1 // 0");
    end(&f);
}

WR_TEST(program, case_evaluates_the_branch_that_is_taken) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "INTEGER", "1|2|3|NULL"), *b = column(&f, "INTEGER", "0|1|2|0");
    wr_expr *zero = call(&f, "=", b, number(&f, 0)), *one = call(&f, "=", b, number(&f, 1));
    wr_expr *ratio = quotient(&f, number(&f, 100), b);
    check(&f, case_of(&f, integer(), zero, number(&f, -1), one, a, ratio), "-1|2|50|-1");
    check(&f, case_of(&f, integer(), one, ratio, zero, a, ratio), "1|100|50|NULL");
    check_fails(&f, case_of(&f, integer(), one, ratio, ratio), "100 // 0");
    /* Nested: a condition that is itself guarded. */
    wr_expr *inner = case_of(&f, integer(), call(&f, "=", ratio, number(&f, 50)), number(&f, 7), number(&f, 8));
    check(&f, case_of(&f, integer(), zero, literal(&f, "INTEGER", "NULL"), inner), "NULL|8|7|NULL");
    end(&f);
}

WR_TEST(program, case_of_every_width) {
    fixture f;
    begin(&f);
    wr_expr *pick = column(&f, "BOOLEAN", "true|false|NULL|true");
    static const struct {
        const char *type, *yes, *no, *expected;
    } cases[] = {
        {"BOOLEAN", "true|true|false|NULL", "false|NULL|true|true", "true|NULL|true|NULL"},
        {"TINYINT", "1|2|3|NULL", "-1|-2|NULL|-4", "1|-2|NULL|NULL"},
        {"SMALLINT", "1|2|3|NULL", "-1|-2|NULL|-4", "1|-2|NULL|NULL"},
        {"BIGINT", "1|2|3|NULL", "-1|-2|NULL|-4", "1|-2|NULL|NULL"},
        {"HUGEINT", "1|2|3|NULL", "-1|-2|NULL|-4", "1|-2|NULL|NULL"},
        {"DOUBLE", "1|2|3|NULL", "-1|-2|NULL|-4", "1.0|-2.0|NULL|NULL"},
        {"INTERVAL", "1 day|2 days|3 days|NULL", "1 hour|2 hours|NULL|4 hours", "1 day|02:00:00|NULL|NULL"},
        {"VARCHAR", "a|b|c|NULL", "a text of more than twelve|another text of more|NULL|d",
         "a|another text of more|NULL|NULL"},
    };
    for (size_t i = 0; i < WR_COUNT_OF(cases); i++) {
        wr_expr *yes = column(&f, cases[i].type, cases[i].yes), *no = column(&f, cases[i].type, cases[i].no);
        check(&f, case_of(&f, yes->type, pick, yes, no), cases[i].expected);
        f.column_count -= 2;
        wr_vector_deinit(&f.columns[1]);
        wr_vector_deinit(&f.columns[2]);
    }
    end(&f);
}

WR_TEST(program, in_lists_of_all_sizes) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "INTEGER", "1|5|NULL|1000000|-3"), *s = column(&f, "VARCHAR", "x|y|NULL|a long text here|");
    wr_expr *list[64] = {a};
    for (uint32_t i = 1; i < 20; i++) list[i] = number(&f, i == 1 ? 5 : 100 + i);
    check(&f, node(&f, WR_EXPR_IN, boolean(), list, 3), "false|true|NULL|false|false");
    check(&f, node(&f, WR_EXPR_IN, boolean(), list, 20), "false|true|NULL|false|false"); /* a bitmap */
    list[2] = number(&f, 1000000);
    check(&f, node(&f, WR_EXPR_IN, boolean(), list, 20), "false|true|NULL|true|false"); /* a table */
    list[3] = literal(&f, "INTEGER", "NULL");
    check(&f, node(&f, WR_EXPR_IN, boolean(), list, 20), "NULL|true|NULL|true|NULL");
    wr_expr *texts[20] = {s, text(&f, "y"), text(&f, "a long text here")};
    check(&f, node(&f, WR_EXPR_IN, boolean(), texts, 3), "false|true|NULL|true|false");
    for (uint32_t i = 3; i < 20; i++)
        texts[i] = wr_expr_constant(&f.arena, (wr_value){.type = s->type, .text = wr_arena_format(&f.arena, "t%u", i)});
    check(&f, node(&f, WR_EXPR_IN, boolean(), texts, 20), "false|true|NULL|true|false");
    end(&f);
}

WR_TEST(program, few_active_rows_are_gathered) {
    fixture f;
    begin(&f);
    char digits[4096] = "", expected[4096] = "";
    for (int i = 0; i < 200; i++) {
        snprintf(digits + strlen(digits), 16, "%s%d", i ? "|" : "", i);
        snprintf(expected + strlen(expected), 16, "%s%d", i ? "|" : "", i % 50 == 7 ? 1000 / i : -1);
    }
    wr_expr *x = column(&f, "INTEGER", digits);
    wr_expr *rare = call(&f, "=", call(&f, "%", x, number(&f, 50)), number(&f, 7));
    wr_expr *e = case_of(&f, integer(), rare, quotient(&f, number(&f, 1000), x), number(&f, -1));
    check(&f, e, expected);
    /* A guarded CASE inside a gathered branch: scopes within scopes. */
    wr_expr *inner = case_of(&f, integer(), call(&f, ">", quotient(&f, number(&f, 1000), x), number(&f, 10)),
                             quotient(&f, number(&f, 2000), x), number(&f, 0));
    expected[0] = 0;
    for (int i = 0; i < 200; i++) {
        int value = i % 50 == 7 ? (1000 / i > 10 ? 2000 / i : 0) : -1;
        snprintf(expected + strlen(expected), 16, "%s%d", i ? "|" : "", value);
    }
    check(&f, case_of(&f, integer(), rare, inner, number(&f, -1)), expected);
    end(&f);
}

/* ---- filters ---- */

static void check_filter(fixture *f, wr_expr **terms, uint32_t count, const char *expected, int line) {
    wr_allocator *a = wr_test_allocator();
    wr_program *program = NULL;
    wr_program_state *state = NULL;
    const wr_vector *columns[FIXTURE_COLUMNS];
    for (uint32_t i = 0; i < f->column_count; i++) columns[i] = &f->columns[i];
    wr_status status = wr_program_compile(&program, a, terms, count, f->ids, f->column_count, &f->environment, &f->err);
    if (status == WR_OK) status = wr_program_state_create(&state, program, a, &f->err);
    uint64_t pass[8];
    for (int round = 0; round < 40 && status == WR_OK; round++) { /* past the first reordering */
        status = wr_program_filter_vectors(state, columns, f->row_count, pass, &f->err);
        for (uint32_t i = 0; i < f->row_count && status == WR_OK; i++) {
            if (wr_bit_get(pass, i) != (expected[i] == '1')) {
                wr_test_fail(__FILE__, line, "round %d, row %u: %d", round, i, wr_bit_get(pass, i));
                round = 40;
            }
        }
    }
    if (status != WR_OK)
        wr_test_check_str(__FILE__, line, "the error", wr_str_from(f->err.message), wr_str_from(expected));
    wr_program_state_destroy(state);
    wr_program_destroy(program);
}
#define CHECK_FILTER(f, expected, ...)                                                                                 \
    check_filter((f), (wr_expr *[]){__VA_ARGS__}, sizeof((wr_expr *[]){__VA_ARGS__}) / sizeof(wr_expr *), (expected),  \
                 __LINE__)

WR_TEST(program, filters_keep_rows_where_all_is_true) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "INTEGER", "1|2|3|4|5|NULL|7"),
            *b = column(&f, "BOOLEAN", "true|true|true|false|NULL|true|true");
    wr_expr *low = call(&f, ">", a, number(&f, 1)), *high = call(&f, "<=", a, number(&f, 5));
    CHECK_FILTER(&f, "0111100", low, high);
    CHECK_FILTER(&f, "0110000", high, b, low);
    CHECK_FILTER(&f, "1110011", b);
    CHECK_FILTER(&f, "0110000", logic(&f, WR_EXPR_AND, low, logic(&f, WR_EXPR_AND, high, b)));
    CHECK_FILTER(&f, "1111111", wr_expr_boolean(&f.arena, true));
    CHECK_FILTER(&f, "0000000", low, wr_expr_boolean(&f.arena, false), b);
    CHECK_FILTER(&f, "0000000", literal(&f, "BOOLEAN", "NULL"));
    /* Bounds at the ends of the type. */
    CHECK_FILTER(&f, "0000000", call(&f, ">", a, number(&f, INT32_MAX)), high);
    end(&f);
}

WR_TEST(program, a_filter_hides_errors_of_rows_that_earlier_terms_drop) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "INTEGER", "4|0|2|0|1"), *b = column(&f, "INTEGER", "1|2|3|4|5");
    wr_expr *not_zero = call(&f, "<>", a, number(&f, 0)),
            *ratio = call(&f, ">", quotient(&f, number(&f, 4), a), number(&f, 1));
    wr_expr *more = call(&f, "<", quotient(&f, number(&f, 4), a), number(&f, 4));
    CHECK_FILTER(&f, "00101", not_zero, ratio);
    CHECK_FILTER(&f, "00101", ratio, not_zero); /* what cannot fail goes first: hiding an error is allowed */
    CHECK_FILTER(&f, "00100", not_zero, ratio, more, call(&f, "<", b, number(&f, 5)));
    CHECK_FILTER(&f, "division by zero: 4 // 0", ratio, call(&f, "<", b, number(&f, 5)));
    end(&f);
}

/* ---- dictionaries ---- */

WR_TEST(program, an_entry_that_fails_is_no_error_unless_a_row_has_it) {
    fixture f;
    begin(&f);
    wr_allocator *a = wr_test_allocator();
    wr_expr *x = column(&f, "INTEGER", "1|0|2");
    wr_expr *e = quotient(&f, number(&f, 10), x);
    wr_vector dictionary = {0}, result = {0};
    WR_CHECK_OK(as_dictionary(&dictionary, &f.columns[0], &f.err), &f.err);
    uint32_t *codes = wr_vector_data_mut(&dictionary);
    codes[0] = codes[1] = codes[2] = 2; /* entry 1 */
    wr_program *program = NULL;
    wr_program_state *state = NULL;
    wr_batch batch;
    WR_CHECK_OK(wr_program_compile(&program, a, &e, 1, f.ids, 1, &f.environment, &f.err), &f.err);
    WR_CHECK_OK(wr_program_state_create(&state, program, a, &f.err), &f.err);
    WR_CHECK_OK(wr_batch_init(&batch, a, 1, &f.err), &f.err);
    wr_vector_move(&batch.columns[0], &dictionary);
    wr_batch_set_rows(&batch, 3);
    WR_CHECK_OK(wr_program_run(state, &batch, &result, &f.err), &f.err);
    WR_CHECK_EQ_INT(result.kind, WR_FLAT);
    WR_CHECK_EQ_INT(((const int32_t *)result.data)[2], 10);
    codes[1] = 1;
    WR_CHECK_STATUS(wr_program_run(state, &batch, &result, &f.err), WR_VALUE, &f.err);
    wr_vector_deinit(&result);
    wr_batch_deinit(&batch);
    wr_program_state_destroy(state);
    wr_program_destroy(program);
    end(&f);
}

WR_TEST(program, results_over_a_dictionary_stay_one) {
    fixture f;
    begin(&f);
    wr_allocator *a = wr_test_allocator();
    wr_expr *x = column(&f, "INTEGER", "1|2|3");
    wr_expr *e[2] = {call(&f, "+", x, number(&f, 1)), call(&f, "*", call(&f, "+", x, number(&f, 1)), x)};
    wr_vector results[2] = {{.row_count = 0}, {.row_count = 0}};
    wr_program *program = NULL;
    wr_program_state *state = NULL;
    wr_batch batch;
    WR_CHECK_OK(wr_program_compile(&program, a, e, 2, f.ids, 1, &f.environment, &f.err), &f.err);
    WR_CHECK_OK(wr_program_state_create(&state, program, a, &f.err), &f.err);
    WR_CHECK_OK(wr_batch_init(&batch, a, 1, &f.err), &f.err);
    WR_CHECK_OK(as_dictionary(&batch.columns[0], &f.columns[0], &f.err), &f.err);
    wr_batch_set_rows(&batch, 3);
    WR_CHECK_OK(wr_program_run(state, &batch, results, &f.err), &f.err);
    const wr_vector_set *first = results[0].children;
    WR_CHECK_EQ_INT(results[0].kind, WR_DICTIONARY);
    WR_CHECK_EQ_INT(results[1].kind, WR_DICTIONARY);
    WR_CHECK_OK(wr_program_run(state, &batch, results, &f.err), &f.err);
    WR_CHECK(results[0].children == first); /* kept with the dictionary */
    wr_text printed;
    wr_text_init(&printed, a);
    WR_CHECK_OK(print_rows(&f, &printed, &results[1], NULL, 3), &f.err);
    WR_CHECK_EQ_STR(wr_text_view(&printed), "2|6|12");
    wr_text_deinit(&printed);
    wr_vector_deinit(&results[0]);
    wr_vector_deinit(&results[1]);
    wr_batch_deinit(&batch);
    wr_program_state_destroy(state);
    wr_program_destroy(program);
    end(&f);
}

/* ---- failing allocations ---- */

WR_TEST(program, every_allocation_may_fail) {
    fixture f;
    begin(&f);
    wr_expr *a = column(&f, "INTEGER", "1|2|NULL|0"), *s = column(&f, "VARCHAR", "x|NULL|a text of more than twelve|y");
    wr_expr *e = case_of(
        &f, s->type, call(&f, ">", a, number(&f, 1)), call(&f, "greatest", s, text(&f, "some long text to keep")),
        call(&f, "=", quotient(&f, number(&f, 6), call(&f, "nullif", a, number(&f, 0))), number(&f, 6)),
        text(&f, "six"), s);
    bool done = false;
    for (uint64_t nth = 1; nth < 400 && !done; nth++) {
        wr_text seen;
        wr_text_init(&seen, wr_system_allocator());
        for (shape how = SHAPE_FLAT; how <= SHAPE_DICTIONARY; how++) {
            wr_fault_arm(WR_FAULT_ALLOC, nth);
            wr_status status = run_shape(&f, e, how, WR_BATCH_ROWS, &seen);
            done = status == WR_OK && wr_fault_calls(WR_FAULT_ALLOC) < nth;
            wr_fault_disarm_all();
            if (!done && status != WR_OK) WR_CHECK_STATUS(status, WR_NO_MEMORY, &f.err);
        }
        wr_text_deinit(&seen);
    }
    WR_CHECK(done);
    end(&f);
}

WR_TEST(program, evaluates_constants) {
    fixture f;
    begin(&f);
    wr_value value;
    wr_expr *e = wr_expr_cast(&f.arena, text(&f, "2020-02-30"), wr_type_of(WR_TYPE_DATE), false);
    WR_CHECK_STATUS(wr_expr_evaluate(&f.arena, e, &f.environment, &value, &f.err), WR_VALUE, &f.err);
    WR_CHECK_CONTAINS(f.err.message, "cannot cast to DATE: '2020-02-30'");
    e = wr_expr_cast(&f.arena, text(&f, "2020-02-29"), wr_type_of(WR_TYPE_DATE), false);
    WR_CHECK_OK(wr_expr_evaluate(&f.arena, e, &f.environment, &value, &f.err), &f.err);
    WR_CHECK_EQ_INT(value.i64, 18321);
    wr_expr *parameter = wr_expr_create(&f.arena, WR_EXPR_PARAMETER, integer(), 0);
    parameter->parameter = 0;
    wr_value given = {.type = wr_type_of(WR_TYPE_BIGINT), .i64 = 41};
    f.environment.parameters = &given;
    f.environment.parameter_count = 1;
    e = call(&f, "+", parameter, number(&f, 1));
    WR_CHECK_OK(wr_expr_evaluate(&f.arena, e, &f.environment, &value, &f.err), &f.err);
    WR_CHECK_EQ_INT(value.i64, 42);
    end(&f);
}
