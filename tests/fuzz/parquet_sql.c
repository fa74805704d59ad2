/* Reads arbitrary bytes as a Parquet file, in full, as a user would: all columns, a filter, a group-by. Rows come, or
 * an error that says the file is damaged, or beyond what is built, and names it; within a memory limit, and in no time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "tests/fuzz/fuzz.h"
#include "weir/weir.h"

enum { ROWS_MAX = 100000, CPU_SECONDS_MAX = 4, COLUMNS_MAX = 64 };

static char path[256];

static void write_file(const uint8_t *data, size_t size) {
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/weir_fuzz_%d.parquet", folder && *folder ? folder : "/tmp", (int)getpid());
    FILE *file = fopen(path, "wb");
    WR_FUZZ_REQUIRE(file && fwrite(data, 1, size, file) == size);
    WR_FUZZ_REQUIRE(fclose(file) == 0);
}

static void check_error(weir_status status, const weir_error *error) {
    bool expected = status == WEIR_CORRUPT || status == WEIR_UNSUPPORTED || status == WEIR_LIMIT;
    /* Text may be damaged so that a cast of it fails, and dates so that they are none. */
    expected |= status == WEIR_VALUE;
    if (!expected) fprintf(stderr, "%s: %s\n", weir_status_name(status), error->message);
    WR_FUZZ_REQUIRE(expected);
    WR_FUZZ_REQUIRE(error->code == status);
    if (status == WEIR_CORRUPT && !strstr(error->message, path)) fprintf(stderr, "%s\n", error->message);
    WR_FUZZ_REQUIRE(status != WEIR_CORRUPT || strstr(error->message, path));
}

/* *columns: how many the query gives. */
static bool run(weir_session *session, const char *sql, size_t *columns) {
    weir_result *result;
    weir_error error = {0};
    weir_status status = weir_query(session, sql, &result, &error);
    size_t rows = 1, total = 0;
    if (status == WEIR_OK) *columns = weir_result_column_count(result);
    while (status == WEIR_OK && rows > 0 && total < ROWS_MAX) {
        status = weir_result_fetch(result, &rows, &error);
        for (size_t row = 0; row < rows; row++) {
            for (size_t c = 0; c < *columns; c++) {
                size_t size = 0;
                const char *text = weir_result_text(result, row, c, &size);
                WR_FUZZ_REQUIRE(!text || text[size] == 0);
            }
        }
        total += rows;
    }
    if (status != WEIR_OK) check_error(status, &error);
    if (result) weir_result_close(result);
    return status == WEIR_OK;
}

/* The columns get names of ours: those in the file may be damaged. */
static void use_columns(weir_session *session, size_t columns, size_t seed) {
    wr_text names, sql;
    size_t first = seed % columns, second = seed / 7 % columns, count = 0;
    wr_text_init(&names, wr_system_allocator());
    wr_text_init(&sql, wr_system_allocator());
    for (size_t c = 0; c < columns; c++) wr_text_format(&names, "%sc%zu", c ? ", " : "", c);
    wr_text_format(&sql, "SELECT count(*), count(c%zu) FROM '%s' t(%s) WHERE c%zu::VARCHAR > '2' AND c%zu IS NOT NULL",
                   second, path, names.data, first, second);
    run(session, sql.data, &count);
    wr_text_clear(&sql);
    wr_text_format(&sql, "SELECT c%zu, count(*), max(c%zu) FROM '%s' t(%s) GROUP BY 1", first, second, path,
                   names.data);
    run(session, sql.data, &count);
    wr_text_deinit(&sql);
    wr_text_deinit(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const weir_setting settings[][2] = {{{"threads", "1"}, {"memory_limit", "64MB"}},
                                               {{"threads", "3"}, {"memory_limit", "64MB"}}};
    weir_database *database;
    weir_session *session;
    weir_error error;
    char sql[512];
    size_t columns = 0;
    clock_t started = clock();
    write_file(data, size);
    WR_FUZZ_REQUIRE(weir_database_open(settings[size % 4 == 0], 2, &database, &error) == WEIR_OK);
    WR_FUZZ_REQUIRE(weir_session_open(database, &session, &error) == WEIR_OK);
    snprintf(sql, sizeof sql, "SELECT * FROM '%s'", path);
    run(session, sql, &columns);
    if (columns > 0 && columns < COLUMNS_MAX) use_columns(session, columns, size);
    weir_session_close(session);
    weir_database_close(database);
    remove(path);
    WR_FUZZ_REQUIRE((clock() - started) / CLOCKS_PER_SEC < CPU_SECONDS_MAX);
    return 0;
}
