/* Databases, sessions, settings. */
#include "tests/api/api.h"

WR_TEST(api_open, names) {
    WR_CHECK(weir_version()[0] != 0);
    WR_CHECK_EQ_STR(weir_status_name(WEIR_OK), "OK");
    WR_CHECK_EQ_STR(weir_status_name(WEIR_INTERNAL), "INTERNAL");
}

WR_TEST(api_open, without_settings) {
    api t;
    if (api_open(&t, NULL, 0)) API_CHECK_ROWS(&t, "SELECT 1 + 1", "2\n");
    api_close(&t);
}

WR_TEST(api_open, closing_nothing) {
    weir_session_close(NULL);
    weir_database_close(NULL);
    weir_result_close(NULL);
}

static void check_open_fails(const char *name, const char *value, weir_status status, const char *message,
                             const char *hint) {
    const weir_setting setting = {name, value};
    weir_database *database;
    weir_error error;
    API_CHECK_STATUS(weir_database_open(&setting, 1, &database, &error), status);
    WR_CHECK(database == NULL);
    WR_CHECK_EQ_STR(error.message, message);
    WR_CHECK_EQ_STR(error.hint, hint);
    WR_CHECK_EQ_INT(error.position, WEIR_NO_POSITION);
}

WR_TEST(api_open, settings_that_are_wrong) {
    check_open_fails("thread", "2", WEIR_NOT_FOUND, "there is no setting \"thread\"", "did you mean \"threads\"?");
    check_open_fails("threads", "0", WEIR_INVALID, "setting threads: '0' is not a number from 1 to 1024", "");
    check_open_fails("memory_limit", "1MB", WEIR_INVALID,
                     "setting memory_limit: '1MB' is not a size of 4MiB or more, such as 256MB or 4GiB", "");
}

/* Errors need not be taken. */
WR_TEST(api_open, without_an_error_to_fill) {
    const weir_setting setting = {"thread", "2"};
    weir_database *database;
    API_CHECK_STATUS(weir_database_open(&setting, 1, &database, NULL), WEIR_NOT_FOUND);
}

WR_TEST(api_open, sessions_have_settings_of_their_own) {
    api t;
    weir_session *other;
    weir_error error;
    if (!api_open(&t, NULL, 0)) return;
    API_CHECK_STATUS(weir_session_open(t.database, &other, &error), WEIR_OK);
    API_CHECK_STATUS(weir_session_set(t.session, "batch_rows", "3", &error), WEIR_OK);
    const char *sql = "SELECT n_nationkey FROM " NATION " LIMIT 7";
    weir_session *sessions[] = {t.session, other};
    for (int i = 0; i < 2; i++) {
        weir_result *result;
        size_t row_count = 0;
        API_CHECK_STATUS(weir_query(sessions[i], sql, &result, &error), WEIR_OK);
        API_CHECK_STATUS(weir_result_fetch(result, &row_count, &error), WEIR_OK);
        WR_CHECK(i == 0 ? row_count <= 3 : row_count == 7);
        weir_result_close(result);
    }
    API_CHECK_STATUS(weir_session_set(t.session, "threads", "3", &error), WEIR_UNSUPPORTED);
    WR_CHECK_CONTAINS(error.message, "belongs to the database");
    API_CHECK_STATUS(weir_session_set(t.session, "batch_row", "3", &error), WEIR_NOT_FOUND);
    WR_CHECK_EQ_STR(error.hint, "did you mean \"batch_rows\"?");
    API_CHECK_ROWS(&t, "SET batch_rows = 1", "");
    API_CHECK_ROWS(&t, "SELECT count(*) FROM " NATION, "25\n");
    weir_session_close(other);
    api_close(&t);
}

WR_TEST(api_open, databases_know_nothing_of_each_other) {
    const weir_setting settings[] = {{"threads", "3"}, {"batch_rows", "5"}};
    api a, b;
    weir_result *first, *second;
    wr_text rows;
    wr_text_init(&rows, wr_system_allocator());
    if (!api_open(&a, NULL, 0) || !api_open(&b, settings, 2)) return;
    API_CHECK_ROWS(&a, "CREATE VIEW v AS SELECT 'a' AS name", "");
    API_CHECK_ROWS(&b, "CREATE VIEW v AS SELECT 'b' AS name", "");
    API_CHECK_ROWS(&a, "FROM v", "a\n");
    API_CHECK_ROWS(&b, "FROM v", "b\n");
    /* Both at once. */
    const char *sql = "SELECT n_regionkey, count(*) FROM " NATION " GROUP BY 1 ORDER BY 1";
    API_CHECK_OK(&a, weir_query(a.session, sql, &first, &a.error));
    API_CHECK_OK(&b, weir_query(b.session, sql, &second, &b.error));
    API_CHECK_OK(&b, api_rows(second, &rows, &b.error));
    API_CHECK_OK(&a, api_rows(first, &rows, &a.error));
    WR_CHECK_EQ_STR(wr_text_view(&rows), "0|5\n1|5\n2|5\n3|5\n4|5\n0|5\n1|5\n2|5\n3|5\n4|5\n");
    weir_result_close(second);
    weir_result_close(first);
    api_close(&a);
    API_CHECK_ROWS(&b, "SELECT max(n_name) FROM " NATION, "VIETNAM\n");
    api_close(&b);
    wr_text_deinit(&rows);
}
