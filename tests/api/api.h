/* What the tests of the library share: an open database, and queries whose answer is text. They run from the root of
 * the project. */
#ifndef WR_TESTS_API_H
#define WR_TESTS_API_H

#include "tests/unit/test.h"
#include "weir/weir.h"

#define NATION "'tests/data/tpch/nation.parquet'"
#define ORDERS "'tests/data/tpch/orders.parquet'"
#define LINEITEM "'tests/data/tpch/lineitem.parquet'"

typedef struct api {
    weir_database *database;
    weir_session *session;
    weir_error error;
} api;

/* `settings` may be NULL. */
static inline bool api_open(api *t, const weir_setting *settings, size_t setting_count) {
    *t = (api){0};
    weir_status status = weir_database_open(settings, setting_count, &t->database, &t->error);
    if (status == WEIR_OK) status = weir_session_open(t->database, &t->session, &t->error);
    return status == WEIR_OK || wr_test_fail(__FILE__, __LINE__, "open: %s", t->error.message);
}

static inline void api_close(api *t) {
    weir_session_close(t->session);
    weir_database_close(t->database);
}

#define API_CHECK_OK(t, status)                                                                                        \
    ((status) == WEIR_OK ? true : wr_test_fail(__FILE__, __LINE__, "%s: %s", #status, (t)->error.message))
#define API_CHECK_STATUS(status, expected) WR_CHECK_EQ_STR(weir_status_name(status), weir_status_name(expected))

/* All rows, a line each, columns separated by '|', NULL as nothing. */
static inline weir_status api_rows(weir_result *result, wr_text *out, weir_error *error) {
    size_t row_count = 1;
    while (row_count > 0) {
        weir_status status = weir_result_fetch(result, &row_count, error);
        if (status != WEIR_OK) return status;
        for (size_t row = 0; row < row_count; row++) {
            for (size_t c = 0; c < weir_result_column_count(result); c++) {
                size_t size = 0;
                const char *text = weir_result_text(result, row, c, &size);
                if (c) wr_text_addz(out, "|");
                if (text) wr_text_add(out, text, size);
            }
            wr_text_addz(out, "\n");
        }
    }
    return WEIR_OK;
}

/* Runs a statement to its end; the rows go to `out` unless it is NULL. */
static inline weir_status api_run(api *t, const char *sql, wr_text *out) {
    weir_result *result;
    wr_text rows;
    weir_status status = weir_query(t->session, sql, &result, &t->error);
    if (status != WEIR_OK) return status;
    wr_text_init(&rows, wr_system_allocator());
    status = api_rows(result, out ? out : &rows, &t->error);
    wr_text_deinit(&rows);
    weir_result_close(result);
    return status;
}

static inline bool api_check_rows(const char *file, int line, api *t, const char *sql, const char *expected) {
    wr_text rows;
    wr_text_init(&rows, wr_system_allocator());
    wr_text_addz(&rows, "");
    bool ok = api_run(t, sql, &rows) == WEIR_OK ||
              wr_test_fail(file, line, "%s: %s", weir_status_name(t->error.code), t->error.message);
    ok = ok && wr_test_check_str(file, line, sql, wr_text_view(&rows), wr_str_from(expected));
    wr_text_deinit(&rows);
    return ok;
}
#define API_CHECK_ROWS(t, sql, expected) api_check_rows(__FILE__, __LINE__, t, sql, expected)

#endif
