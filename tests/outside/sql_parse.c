/* Reads SQL scripts and parses each of their statements; what parses is encoded, decoded and compared. For texts that
 * lie outside the repository.
 *
 *     outside_sql_parse [--print] [--repeat N] FILE…
 *
 * --print writes the nodes; --repeat parses each file N times and prints the time of one parse. The last line is
 * "N passed, N failed", a file being one. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sql/parser.h"

typedef struct options {
    bool print;
    int repeat;
} options;

static bool read_file(const char *path, wr_text *out) {
    char buffer[65536];
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    size_t size;
    while ((size = fread(buffer, 1, sizeof buffer, file)) > 0) wr_text_add(out, buffer, size);
    bool whole = !ferror(file) && !out->failed;
    fclose(file);
    return whole;
}

static wr_status check_encoding(const wr_node *node, wr_arena *arena, wr_error *err) {
    wr_text bytes;
    wr_text_init(&bytes, wr_system_allocator());
    wr_node *back = NULL;
    wr_status status = wr_node_encode(node, &bytes, err);
    if (status == WR_OK) {
        wr_span in = wr_span_from(bytes.data, bytes.size, 0);
        status = wr_node_decode(&in, arena, &back, err);
    }
    if (status == WR_OK && !wr_node_equal(node, back)) status = wr_fail(err, WR_INTERNAL, "does not decode equal");
    wr_text_deinit(&bytes);
    return status;
}

/* All statements of the script; *count is how many there are. */
static wr_status parse_script(wr_str script, const options *what, bool full, uint32_t *count, wr_error *err) {
    uint32_t cursor = 0;
    wr_status status = WR_OK;
    *count = 0;
    while (status == WR_OK) {
        wr_statement statement;
        wr_arena arena;
        wr_arena_init(&arena, wr_system_allocator());
        status = wr_sql_parse_next(&arena, script, &cursor, &statement, err);
        bool ended = !statement.node;
        if (status == WR_OK && !ended) {
            *count += 1;
            if (full) status = check_encoding(statement.node, &arena, err);
            if (full && what->print) {
                wr_text text;
                wr_text_init(&text, wr_system_allocator());
                wr_node_print(statement.node, &text);
                printf("%.*s\n", WR_STR_ARGS(wr_text_view(&text)));
                wr_text_deinit(&text);
            }
        }
        wr_arena_deinit(&arena);
        if (ended) break;
    }
    return status;
}

static void measure(const char *path, wr_str script, const options *what) {
    struct timespec begin, end;
    uint32_t count;
    wr_error err;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < what->repeat; i++) {
        if (parse_script(script, what, false, &count, &err) != WR_OK) return;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) * 1e-9;
    printf("%s: %.2f us\n", path, seconds * 1e6 / what->repeat);
}

static bool run(const char *path, const options *what) {
    wr_text script;
    wr_error err = {.position = WR_NO_POSITION};
    uint32_t count = 0;
    wr_text_init(&script, wr_system_allocator());
    wr_status status = WR_OK;
    if (!read_file(path, &script)) status = wr_fail(&err, WR_IO, "cannot be read");
    wr_str view = wr_text_view(&script);
    if (status == WR_OK) status = parse_script(view, what, true, &count, &err);
    if (status == WR_OK && count == 0) status = wr_fail(&err, WR_INVALID, "holds no statement");
    if (status == WR_OK && what->repeat > 0) measure(path, view, what);
    if (status != WR_OK) {
        uint32_t line = 1;
        for (uint32_t i = 0; err.position != WR_NO_POSITION && i < err.position; i++) line += view.data[i] == '\n';
        printf("%s:%" PRIu32 ": %s%s%s\n", path, line, err.message, err.hint[0] ? "; " : "", err.hint);
    }
    wr_text_deinit(&script);
    return status == WR_OK;
}

int main(int argc, char **argv) {
    options what = {.repeat = 0};
    int passed = 0, failed = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--print") == 0) {
            what.print = true;
        } else if (strcmp(argv[i], "--repeat") == 0 && i + 1 < argc) {
            what.repeat = (int)strtol(argv[++i], NULL, 10);
        } else if (run(argv[i], &what)) {
            passed++;
        } else {
            failed++;
        }
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
