/* From another thread: stopping what runs, and watching it. The query that is stopped would compare 3.6 billion pairs.
 */
#include <pthread.h>
#include <sched.h>

#include "tests/api/api.h"

#define LONG_QUERY                                                                                                     \
    "SELECT count(*) FROM " LINEITEM " AS a, " LINEITEM " AS b WHERE a.l_orderkey + b.l_partkey < b.l_suppkey - "      \
    "a.l_suppkey"

typedef struct watcher {
    weir_session *session;
    _Atomic bool is_done;
    double least, most;
    bool cancels;
} watcher;

/* Looks until the query runs, then stops it; or looks until the query is done. */
static void *watch(void *user) {
    watcher *w = user;
    for (int seen = 0; !w->is_done;) {
        double progress = weir_session_progress(w->session);
        if (progress < w->least) w->least = progress;
        if (progress > w->most) w->most = progress;
        if (w->cancels && ++seen > 100) weir_session_cancel(w->session);
        sched_yield();
    }
    return NULL;
}

/* The same without a row that comes out: one call of the operator compares a batch with all of the other side. */
#define LONG_NOT_IN                                                                                                    \
    "SELECT count(*) FROM " LINEITEM " WHERE (nullif(l_orderkey, l_orderkey), l_partkey) NOT IN "                      \
    "(SELECT l_suppkey, l_linenumber FROM " LINEITEM ")"

static void check_cancelled(const char *query) {
    const weir_setting settings[] = {{"threads", "2"}};
    pthread_t thread;
    api t;
    if (!api_open(&t, settings, 1)) return;
    watcher w = {.session = t.session, .cancels = true};
    if (!WR_CHECK(pthread_create(&thread, NULL, watch, &w) == 0)) return;
    API_CHECK_STATUS(api_run(&t, query, NULL), WEIR_CANCELLED);
    WR_CHECK_EQ_STR(t.error.message, "the query was cancelled");
    w.is_done = true;
    pthread_join(thread, NULL);
    API_CHECK_ROWS(&t, "SELECT count(*) FROM " NATION, "25\n");
    api_close(&t);
}

WR_TEST(api_cancel, from_another_thread) {
    check_cancelled(LONG_QUERY);
}

WR_TEST(api_cancel, within_a_batch) {
    check_cancelled(LONG_NOT_IN);
}

/* Between a query and the first look at its rows. */
WR_TEST(api_cancel, the_next_call_says_so) {
    api t;
    weir_result *result;
    size_t row_count = 9;
    if (!api_open(&t, NULL, 0)) return;
    API_CHECK_OK(&t, weir_query(t.session, LONG_QUERY, &result, &t.error));
    weir_session_cancel(t.session);
    API_CHECK_STATUS(weir_result_fetch(result, &row_count, &t.error), WEIR_CANCELLED);
    WR_CHECK_EQ_INT(row_count, 0);
    weir_result_close(result);
    api_close(&t);
}

WR_TEST(api_cancel, nothing_runs) {
    api t;
    if (!api_open(&t, NULL, 0)) return;
    weir_session_cancel(t.session);
    WR_CHECK_EQ_DOUBLE(weir_session_progress(t.session), 0);
    API_CHECK_ROWS(&t, "SELECT count(*) FROM " NATION, "25\n");
    weir_session_cancel(t.session);
    WR_CHECK_EQ_DOUBLE(weir_session_progress(t.session), 0);
    API_CHECK_ROWS(&t, "SELECT count(*) FROM " NATION, "25\n");
    api_close(&t);
}

WR_TEST(api_cancel, other_sessions_go_on) {
    api t;
    weir_session *other;
    weir_result *slow, *result;
    wr_text rows;
    wr_text_init(&rows, wr_system_allocator());
    if (!api_open(&t, NULL, 0)) return;
    API_CHECK_OK(&t, weir_session_open(t.database, &other, &t.error));
    API_CHECK_OK(&t, weir_query(other, LONG_QUERY, &slow, &t.error));
    API_CHECK_OK(&t, weir_query(t.session, "FROM " LINEITEM, &result, &t.error));
    weir_session_cancel(other);
    API_CHECK_OK(&t, api_rows(result, &rows, &t.error));
    weir_result_close(result);
    weir_result_close(slow);
    weir_session_close(other);
    api_close(&t);
    size_t lines = 0;
    for (size_t i = 0; i < rows.size; i++) lines += rows.data[i] == '\n';
    WR_CHECK_EQ_INT(lines, 60175);
    wr_text_deinit(&rows);
}

WR_TEST(api_cancel, progress_is_a_share) {
    pthread_t thread;
    api t;
    if (!api_open(&t, NULL, 0)) return;
    watcher w = {.session = t.session};
    if (!WR_CHECK(pthread_create(&thread, NULL, watch, &w) == 0)) return;
    for (int i = 0; i < 20; i++)
        API_CHECK_ROWS(&t, "SELECT count(*) FROM " LINEITEM " WHERE l_comment >= ''", "60175\n");
    w.is_done = true;
    pthread_join(thread, NULL);
    WR_CHECK(w.least >= 0 && w.most <= 1);
    api_close(&t);
}
