/* Statements: what comes back, what goes wrong, and that a session goes on. */
#include "tests/api/api.h"

static void check_error(api *t, const char *sql, weir_status status, uint32_t position, const char *message,
                        const char *hint) {
    API_CHECK_STATUS(api_run(t, sql, NULL), status);
    API_CHECK_STATUS(t->error.code, status);
    WR_CHECK_EQ_UINT(t->error.position, position);
    WR_CHECK_EQ_STR(t->error.message, message);
    WR_CHECK_EQ_STR(t->error.hint, hint);
    API_CHECK_ROWS(t, "SELECT n_name FROM " NATION " WHERE n_nationkey = 7", "GERMANY\n");
}

WR_TEST(api_statement, errors_say_where_and_what_to_do) {
    api t;
    if (!api_open(&t, NULL, 0)) return;
    check_error(&t, "SELECT n_nam FROM " NATION, WEIR_NOT_FOUND, 7, "column \"n_nam\" does not exist",
                "did you mean \"n_name\"?");
    check_error(&t, "SELEC 1", WEIR_INVALID, 0, "unexpected \"SELEC\", expected a statement such as SELECT",
                "did you mean SELECT?");
    check_error(&t, "SELECT nosuch(1)", WEIR_NOT_FOUND, 7, "there is no function \"nosuch\"", "");
    check_error(&t, "FROM nowhere", WEIR_NOT_FOUND, 5, "table \"nowhere\" does not exist",
                "a file is written in single quotes: FROM 'orders.parquet'");
    check_error(&t, "FROM 'nowhere.parquet'", WEIR_NOT_FOUND, 5, "'nowhere.parquet' does not exist", "");
    check_error(&t, "SET thread = 1", WEIR_NOT_FOUND, 0, "there is no setting \"thread\"", "did you mean \"threads\"?");
    check_error(&t, "", WEIR_INVALID, WEIR_NO_POSITION, "the text holds no statement", "");
    check_error(&t, "-- nothing\n;", WEIR_INVALID, WEIR_NO_POSITION, "the text holds no statement", "");
    api_close(&t);
}

WR_TEST(api_statement, errors_while_it_runs) {
    api t;
    if (!api_open(&t, NULL, 0)) return;
    check_error(&t, "SELECT CAST(n_name AS INTEGER) FROM " NATION, WEIR_VALUE, 7, "cannot cast to INTEGER: 'ALGERIA'",
                "TRY_CAST gives NULL instead");
    check_error(&t, "SELECT 9223372036854775807 + n_nationkey FROM " NATION " WHERE n_nationkey > 3", WEIR_VALUE, 27,
                "overflow of BIGINT: 9223372036854775807 + 4", "cast an operand to a wider type");
    api_close(&t);
}

WR_TEST(api_statement, an_error_stays_when_a_fetch_is_repeated) {
    api t;
    weir_result *result;
    size_t row_count = 9;
    if (!api_open(&t, NULL, 0)) return;
    API_CHECK_OK(&t, weir_query(t.session, "SELECT CAST(n_name AS DATE) FROM " NATION, &result, &t.error));
    for (int i = 0; i < 3; i++) {
        API_CHECK_STATUS(weir_result_fetch(result, &row_count, &t.error), WEIR_VALUE);
        WR_CHECK_EQ_INT(row_count, 0);
    }
    weir_result_close(result);
    API_CHECK_ROWS(&t, "SELECT 1", "1\n");
    api_close(&t);
}

WR_TEST(api_statement, scripts) {
    static const char script[] = "SELECT 1; SELECT nope; -- between\nSELECT 2 AS two; ";
    const size_t size = sizeof script - 1;
    size_t cursor = 0, row_count;
    weir_result *result;
    api t;
    if (!api_open(&t, NULL, 0)) return;
    API_CHECK_OK(&t, weir_query_next(t.session, script, size, &cursor, &result, &t.error));
    weir_result_close(result);
    WR_CHECK_EQ_STR(((wr_str){script + cursor, 12}), " SELECT nope");
    API_CHECK_STATUS(weir_query_next(t.session, script, size, &cursor, &result, &t.error), WEIR_NOT_FOUND);
    WR_CHECK(result == NULL);
    WR_CHECK_EQ_INT(t.error.position, 17);
    API_CHECK_OK(&t, weir_query_next(t.session, script, size, &cursor, &result, &t.error));
    WR_CHECK_EQ_STR(weir_result_column_name(result, 0), "two");
    API_CHECK_OK(&t, weir_result_fetch(result, &row_count, &t.error));
    WR_CHECK_EQ_STR(weir_result_text(result, 0, 0, NULL), "2");
    weir_result_close(result);
    API_CHECK_OK(&t, weir_query_next(t.session, script, size, &cursor, &result, &t.error));
    WR_CHECK(result == NULL && cursor == size);
    api_close(&t);
}

WR_TEST(api_statement, incomplete_scripts) {
    WR_CHECK(weir_script_is_incomplete("SELECT 1", 8));
    WR_CHECK(weir_script_is_incomplete("SELECT 'a;", 10));
    WR_CHECK(weir_script_is_incomplete("SELECT 1; SELECT", 16));
    WR_CHECK(!weir_script_is_incomplete("SELECT 1;", 9));
    WR_CHECK(!weir_script_is_incomplete("", 0));
}

WR_TEST(api_statement, columns_and_values) {
    api t;
    weir_result *result;
    size_t row_count, size;
    if (!api_open(&t, NULL, 0)) return;
    API_CHECK_OK(
        &t, weir_query(t.session, "SELECT 1.50 AS a, 'x''y' AS \"b c\", NULL::DATE AS d, '' AS e", &result, &t.error));
    WR_CHECK_EQ_INT(weir_result_column_count(result), 4);
    WR_CHECK_EQ_STR(weir_result_column_name(result, 1), "b c");
    WR_CHECK_EQ_STR(weir_result_column_type(result, 0), "DECIMAL(3,2)");
    WR_CHECK_EQ_STR(weir_result_column_type(result, 2), "DATE");
    API_CHECK_OK(&t, weir_result_fetch(result, &row_count, &t.error));
    if (WR_CHECK_EQ_INT(row_count, 1)) {
        WR_CHECK_EQ_STR(weir_result_text(result, 0, 0, &size), "1.50");
        WR_CHECK_EQ_INT(size, 4);
        WR_CHECK_EQ_STR(weir_result_text(result, 0, 1, NULL), "x'y");
        WR_CHECK(weir_result_text(result, 0, 2, &size) == NULL);
        WR_CHECK_EQ_STR(weir_result_text(result, 0, 3, &size), "");
        WR_CHECK_EQ_INT(size, 0);
    }
    API_CHECK_OK(&t, weir_result_fetch(result, &row_count, &t.error));
    WR_CHECK_EQ_INT(row_count, 0);
    API_CHECK_OK(&t, weir_result_fetch(result, &row_count, &t.error));
    WR_CHECK_EQ_INT(row_count, 0);
    weir_result_close(result);
    api_close(&t);
}

WR_TEST(api_statement, what_is_no_query_has_no_columns) {
    api t;
    weir_result *result;
    size_t row_count = 9;
    if (!api_open(&t, NULL, 0)) return;
    API_CHECK_OK(&t, weir_query(t.session, "SET batch_rows = 100", &result, &t.error));
    WR_CHECK_EQ_INT(weir_result_column_count(result), 0);
    API_CHECK_OK(&t, weir_result_fetch(result, &row_count, &t.error));
    WR_CHECK_EQ_INT(row_count, 0);
    weir_result_close(result);
    api_close(&t);
}

WR_TEST(api_statement, results_that_are_not_read_to_their_end) {
    api t;
    weir_result *result;
    size_t row_count;
    if (!api_open(&t, NULL, 0)) return;
    for (int fetched = 0; fetched < 3; fetched++) {
        API_CHECK_OK(&t, weir_query(t.session, "FROM " LINEITEM, &result, &t.error));
        for (int i = 0; i < fetched; i++) {
            API_CHECK_OK(&t, weir_result_fetch(result, &row_count, &t.error));
            WR_CHECK(row_count > 0);
        }
        weir_result_close(result);
    }
    API_CHECK_ROWS(&t, "SELECT count(*) FROM " LINEITEM, "60175\n");
    api_close(&t);
}

/* The order of rows does not hang on threads or batches. */
WR_TEST(api_statement, the_same_rows_in_the_same_order) {
    const char *sql = "SELECT o_orderkey, o_custkey FROM " ORDERS " WHERE o_orderkey % 7 = 0";
    const weir_setting settings[][2] = {{{"threads", "1"}, {"batch_rows", "2048"}},
                                        {{"threads", "4"}, {"batch_rows", "100"}},
                                        {{"threads", "2"}, {"batch_rows", "1"}}};
    wr_text rows[3];
    for (size_t i = 0; i < WR_COUNT_OF(settings); i++) {
        api t;
        wr_text_init(&rows[i], wr_system_allocator());
        if (!api_open(&t, settings[i], 2)) return;
        API_CHECK_OK(&t, api_run(&t, sql, &rows[i]));
        WR_CHECK(rows[i].size > 1000);
        WR_CHECK(wr_str_equal(wr_text_view(&rows[i]), wr_text_view(&rows[0])));
        api_close(&t);
    }
    for (size_t i = 0; i < WR_COUNT_OF(settings); i++) wr_text_deinit(&rows[i]);
}

/* The limit belongs to the database: sessions that are opened later have it, too. */
WR_TEST(api_statement, the_memory_limit_is_set_and_reset) {
    static const char query[] = "SELECT length(repeat('x', 8000000))";
    const weir_setting settings[] = {{"memory_limit", "256MB"}, {"threads", "1"}};
    api t;
    if (!api_open(&t, settings, 2)) return;
    API_CHECK_ROWS(&t, query, "8000000\n");
    API_CHECK_OK(&t, api_run(&t, "SET memory_limit = '6MB'", NULL));
    API_CHECK_STATUS(api_run(&t, query, NULL), WEIR_NO_MEMORY);
    weir_session *first = t.session;
    API_CHECK_OK(&t, weir_session_open(t.database, &t.session, &t.error));
    API_CHECK_STATUS(api_run(&t, query, NULL), WEIR_NO_MEMORY);
    API_CHECK_OK(&t, api_run(&t, "RESET memory_limit", NULL));
    API_CHECK_ROWS(&t, query, "8000000\n");
    API_CHECK_STATUS(api_run(&t, "RESET threads", NULL), WEIR_UNSUPPORTED);
    weir_session_close(first);
    api_close(&t);
}

static void check_plan(api *t, const char *sql, bool by_code) {
    wr_text rows;
    wr_text_init(&rows, wr_system_allocator());
    API_CHECK_OK(t, api_run(t, sql, &rows));
    wr_text_add(&rows, "", 1);
    bool seen = strstr(rows.data, " 60175 rows by code") != NULL;
    if (seen != by_code) wr_test_fail(__FILE__, __LINE__, "%s", rows.data);
    wr_text_deinit(&rows);
}

WR_TEST(api_statement, explain_analyze_tells_what_went_by_code) {
    api t;
    if (!api_open(&t, NULL, 0)) return;
    check_plan(&t,
               "EXPLAIN ANALYZE SELECT l_returnflag, sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)), count(*) "
               "FROM " LINEITEM " GROUP BY 1",
               true);
    check_plan(&t, "EXPLAIN ANALYZE SELECT l_quantity, sum(l_extendedprice * l_tax) FROM " LINEITEM " GROUP BY 1",
               true);
    check_plan(&t, "EXPLAIN ANALYZE SELECT l_returnflag, max(l_quantity) FROM " LINEITEM " GROUP BY 1", false);
    check_plan(&t, "EXPLAIN ANALYZE SELECT l_returnflag, sum(l_extendedprice * l_partkey) FROM " LINEITEM " GROUP BY 1",
               false);
    api_close(&t);
}
