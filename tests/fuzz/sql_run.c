/* Any text as a script that is run, on the tables of TPC-H with a few rows each. Rows come, or an error that knows its
 * place in the text; never one that is a bug. What runs on for too long is cancelled, and must then end. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "tests/fuzz/fuzz.h"
#include "weir/weir.h"

enum { ROWS_MAX = 2000, CANCEL_MS = 300, END_MS = 3000, STEP_MS = 20 };

static const char tables[] = "CREATE VIEW nation AS FROM 'tests/data/tpch/nation.parquet';"
                             "CREATE VIEW region AS FROM 'tests/data/tpch/region.parquet';"
                             "CREATE VIEW supplier AS FROM 'tests/data/tpch/supplier.parquet' LIMIT 20;"
                             "CREATE VIEW customer AS FROM 'tests/data/tpch/customer.parquet' LIMIT 20;"
                             "CREATE VIEW part AS FROM 'tests/data/tpch/part.parquet' LIMIT 20;"
                             "CREATE VIEW partsupp AS FROM 'tests/data/tpch/partsupp.parquet' LIMIT 20;"
                             "CREATE VIEW orders AS FROM 'tests/data/tpch/orders.parquet' LIMIT 20;"
                             "CREATE VIEW lineitem AS FROM 'tests/data/tpch/lineitem.parquet' LIMIT 20;";

/* ---- a statement that takes too long ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static weir_session *running; /* under `lock` */
static int running_ms;

static void *watch(void *unused) {
    const struct timespec step = {0, STEP_MS * 1000000L};
    for (;;) {
        nanosleep(&step, NULL);
        pthread_mutex_lock(&lock);
        running_ms += STEP_MS;
        if (running && running_ms > CANCEL_MS) weir_session_cancel(running);
        pthread_mutex_unlock(&lock);
    }
    return unused;
}

/* How long the statement before ran. */
static int set_running(weir_session *session) {
    pthread_mutex_lock(&lock);
    int ms = running_ms;
    running = session;
    running_ms = 0;
    pthread_mutex_unlock(&lock);
    return ms;
}

/* ---- running ---- */

static weir_status read_rows(weir_result *result, weir_error *error) {
    size_t rows = 1, total = 0;
    while (rows > 0 && total < ROWS_MAX) {
        weir_status status = weir_result_fetch(result, &rows, error);
        if (status != WEIR_OK) return status;
        for (size_t row = 0; row < rows; row++) {
            for (size_t c = 0; c < weir_result_column_count(result); c++) {
                size_t size = 0;
                const char *text = weir_result_text(result, row, c, &size);
                WR_FUZZ_REQUIRE(!text || text[size] == 0);
            }
        }
        total += rows;
    }
    return WEIR_OK;
}

/* What is wrong with the text itself is somewhere in it. */
static bool needs_position(weir_status status) {
    return status == WEIR_INVALID || status == WEIR_NOT_FOUND || status == WEIR_UNSUPPORTED;
}

static void check_error(const char *script, size_t size, weir_status status, const weir_error *error) {
    bool placed = error->position < size || (error->position == size && size > 0);
    bool good = error->code == status && error->message[0] && status != WEIR_INTERNAL &&
                (placed || (error->position == WEIR_NO_POSITION && !needs_position(status)));
    if (!good) {
        fprintf(stderr, "%s, at %u of %zu: %s\n%.*s\n", weir_status_name(status), error->position, size, error->message,
                (int)size, script);
    }
    WR_FUZZ_REQUIRE(good);
}

static void run_script(weir_session *session, const char *script, size_t size) {
    for (size_t cursor = 0; cursor < size;) {
        weir_result *result = NULL;
        weir_error error = {.position = WEIR_NO_POSITION};
        size_t before = cursor;
        set_running(session);
        weir_status status = weir_query_next(session, script, size, &cursor, &result, &error);
        bool at_end = status == WEIR_OK && !result;
        if (result) status = read_rows(result, &error);
        if (result) weir_result_close(result);
        int ms = set_running(NULL);
        if (at_end) break;
        if (ms > END_MS) fprintf(stderr, "%d ms for %.*s\n", ms, (int)(cursor - before), script + before);
        WR_FUZZ_REQUIRE(ms <= END_MS);
        if (status != WEIR_OK) check_error(script, size, status, &error);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const weir_setting settings[] = {{"threads", "2"}, {"memory_limit", "128MB"}};
    static bool watched;
    weir_database *database;
    weir_session *session;
    weir_error error;
    pthread_t watcher;
    if (!watched) watched = pthread_create(&watcher, NULL, watch, NULL) == 0;
    WR_FUZZ_REQUIRE(watched);
    WR_FUZZ_REQUIRE(weir_database_open(settings, 2, &database, &error) == WEIR_OK);
    WR_FUZZ_REQUIRE(weir_session_open(database, &session, &error) == WEIR_OK);
    run_script(session, tables, strlen(tables));
    run_script(session, (const char *)data, size);
    weir_session_close(session);
    weir_database_close(database);
    return 0;
}
