/* The runner of .slt files; see README.md in this folder. Uses the library by include/weir alone.
 *
 *     weir_slt [--set NAME=VALUE]... [--data DIR] FILE...      last line: N passed, N failed
 *     weir_slt --self-test [options] FILE...                   corrupts each expected row; every corruption must be
 * seen */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weir/weir.h"

enum { SETTINGS_MAX = 32, LINES_MAX = 100000 };

typedef struct runner {
    weir_setting settings[SETTINGS_MAX];
    size_t setting_count;
    const char *data;
    bool self_test, optimizer, is_default;
    unsigned passed, failed;
    const char *file;
} runner;

typedef struct record {
    size_t line; /* where it starts */
    char *head;  /* "query sorted" */
    char *sql;
    char **rows;
    size_t row_count;
} record;

static void *grown(void *old, size_t size) {
    void *p = realloc(old, size);
    if (!p) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    return p;
}

static char *joined(const char *a, const char *b) {
    size_t n = a ? strlen(a) : 0, m = strlen(b);
    char *text = grown(NULL, n + m + 2);
    if (a) memcpy(text, a, n);
    memcpy(text + n, b, m + 1);
    return text;
}

/* ---- reading ---- */

static char *replaced(const char *text, const char *name, const char *value) {
    char *out = joined(NULL, ""), *found;
    for (const char *at = text; (found = strstr(at, name)); at = found + strlen(name)) {
        size_t n = strlen(out), m = (size_t)(found - at);
        out = grown(out, n + m + strlen(value) + strlen(found) + 1);
        memcpy(out + n, at, m);
        memcpy(out + n + m, value, strlen(value) + 1);
        text = found + strlen(name);
    }
    char *all = joined(out, text);
    free(out);
    return all;
}

static char *expanded(const runner *r, const char *line) {
    char tpch[4096];
    snprintf(tpch, sizeof tpch, "%s/tpch", r->data);
    char *once = replaced(line, "$TPCH", tpch), *twice = replaced(once, "$DATA", r->data);
    free(once);
    return twice;
}

static void free_record(record *rec) {
    free(rec->head);
    free(rec->sql);
    for (size_t i = 0; i < rec->row_count; i++) free(rec->rows[i]);
    free(rec->rows);
    *rec = (record){0};
}

/* The next record; false at the end of the file. */
static bool read_record(const runner *r, FILE *in, size_t *line_number, record *rec) {
    char *line = NULL;
    size_t capacity = 0;
    ssize_t got;
    bool in_rows = false;
    *rec = (record){0};
    while ((got = getline(&line, &capacity, in)) >= 0) {
        ++*line_number;
        if (got && line[got - 1] == '\n') line[--got] = 0;
        if (!rec->head) {
            if (!got || line[0] == '#') continue;
            rec->line = *line_number;
            rec->head = joined(NULL, line);
        } else if (!got) {
            break;
        } else if (!in_rows && !strcmp(line, "----")) {
            in_rows = true;
        } else if (in_rows) {
            rec->rows = grown(rec->rows, sizeof(char *) * (rec->row_count + 1));
            rec->rows[rec->row_count++] = joined(NULL, line);
        } else {
            char *more = expanded(r, line), *sql = joined(rec->sql, more);
            free(more);
            free(rec->sql);
            rec->sql = joined(sql, "\n");
            free(sql);
        }
    }
    free(line);
    return rec->head != NULL;
}

/* ---- rows ---- */

enum { COLUMNS_MAX = 256 };

typedef struct row_list {
    char **rows;
    size_t count;
    size_t column_count;
    bool is_float[COLUMNS_MAX]; /* by column */
} row_list;

static void add_row(row_list *list, char *row) {
    list->rows = grown(list->rows, sizeof(char *) * (list->count + 1));
    list->rows[list->count++] = row;
}

static void free_rows(row_list *list) {
    for (size_t i = 0; i < list->count; i++) free(list->rows[i]);
    free(list->rows);
}

static char *row_text(weir_result *result, size_t row) {
    char *text = joined(NULL, "");
    for (size_t c = 0; c < weir_result_column_count(result); c++) {
        size_t size = 0;
        const char *value = weir_result_text(result, row, c, &size);
        char *next = joined(text, c ? "\t" : "");
        free(text);
        text = joined(next, !value ? "NULL" : size == 0 ? "(empty)" : value);
        free(next);
    }
    for (char *p = text; *p; p++) {
        if (*p == '\n') *p = ' ';
    }
    return text;
}

static weir_status collect(weir_result *result, bool types, row_list *out, weir_error *error) {
    size_t rows;
    out->column_count = weir_result_column_count(result);
    for (size_t c = 0; c < out->column_count && c < COLUMNS_MAX; c++) {
        const char *type = weir_result_column_type(result, c);
        out->is_float[c] = !strcmp(type, "DOUBLE") || !strcmp(type, "FLOAT");
    }
    if (types) {
        char *text = joined(NULL, "");
        for (size_t c = 0; c < weir_result_column_count(result); c++) {
            char *next = joined(text, c ? "\t" : "");
            free(text);
            text = joined(next, weir_result_column_type(result, c));
            free(next);
        }
        add_row(out, text);
    }
    do {
        weir_status status = weir_result_fetch(result, &rows, error);
        if (status != WEIR_OK) return status;
        for (size_t i = 0; i < rows; i++) add_row(out, row_text(result, i));
    } while (rows);
    return WEIR_OK;
}

static bool same_value(const char *a, size_t a_size, const char *b, size_t b_size, bool is_float) {
    if (a_size == b_size && !memcmp(a, b, a_size)) return true;
    if (!is_float || !a_size || !b_size) return false;
    char *a_end, *b_end;
    double x = strtod(a, &a_end), y = strtod(b, &b_end);
    if (a_end != a + a_size || b_end != b + b_size) return false;
    if (!isfinite(x) || !isfinite(y)) return x == y || (isnan(x) && isnan(y));
    return fabs(x - y) <= 1e-9 * fmax(fabs(x), fabs(y));
}

static bool same_row(const char *a, const char *b, const bool *is_float) {
    for (size_t c = 0;; c++) {
        size_t n = strcspn(a, "\t"), m = strcspn(b, "\t");
        if (!same_value(a, n, b, m, c < COLUMNS_MAX && is_float[c])) return false;
        if (!a[n] || !b[m]) return a[n] == b[m];
        a += n + 1;
        b += m + 1;
    }
}

static int compare_rows(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ---- records ---- */

static bool report(runner *r, const record *rec, const char *what, const char *detail) {
    if (!r->self_test)
        fprintf(stderr, "%s:%zu: %s%s%s\n%s", r->file, rec->line, what, detail ? ": " : "", detail ? detail : "",
                rec->sql ? rec->sql : "");
    return false;
}

static bool same_rows(runner *r, const record *rec, row_list *seen, bool sorted) {
    if (sorted) {
        qsort(seen->rows, seen->count, sizeof(char *), compare_rows);
        qsort(rec->rows, rec->row_count, sizeof(char *), compare_rows);
    }
    bool same = seen->count == rec->row_count;
    size_t i = 0;
    for (; same && i < seen->count; i++) same = same_row(seen->rows[i], rec->rows[i], seen->is_float);
    if (same) return true;
    report(r, rec, "other rows", NULL);
    for (size_t k = 0; !r->self_test && k < seen->count && k < 40; k++)
        fprintf(stderr, "  seen      %s\n", seen->rows[k]);
    for (size_t k = 0; !r->self_test && k < rec->row_count && k < 40; k++)
        fprintf(stderr, "  expected  %s\n", rec->rows[k]);
    return false;
}

static bool check_error(runner *r, const record *rec, weir_status status, const weir_error *error) {
    char code[64] = "";
    const char *colon = strchr(rec->head, ':');
    sscanf(rec->head, "error %63[A-Z_]", code);
    const char *text = colon ? colon + 1 : "";
    while (*text == ' ') text++;
    if (status == WEIR_OK) return report(r, rec, "succeeded, expected an error", NULL);
    if (strcmp(weir_status_name(status), code)) return report(r, rec, weir_status_name(status), error->message);
    if (strstr(error->message, text) || strstr(error->hint, text)) return true;
    report(r, rec, "another message", error->message);
    return report(r, rec, "its hint", error->hint);
}

/* Whether EXPLAIN ANALYZE of the query says that bytes were written to disk. */
static bool spills(runner *r, weir_session *session, const record *rec) {
    weir_error error;
    weir_result *result = NULL;
    row_list lines = {0};
    char *sql = joined("EXPLAIN ANALYZE ", rec->sql);
    weir_status status = weir_query(session, sql, &result, &error);
    if (status == WEIR_OK) status = collect(result, false, &lines, &error);
    double most = 0;
    for (size_t i = 0; i < lines.count; i++) {
        const char *at = strstr(lines.rows[i], "spilled ");
        double megabytes = at ? strtod(at + strlen("spilled "), NULL) : 0;
        if (megabytes > most) most = megabytes;
    }
    weir_result_close(result);
    free_rows(&lines);
    free(sql);
    if (status != WEIR_OK) return report(r, rec, weir_status_name(status), error.message);
    return most > 0 || report(r, rec, "nothing was spilled", NULL);
}

/* Changes one character of an expected row so that it means something else: the last one, where its column is exact,
 * as a comparison that rounds would miss it there. */
static void corrupt(char *row, const row_list *seen) {
    size_t size = strlen(row);
    char *p = seen->column_count && seen->is_float[seen->column_count - 1] ? row : row + (size ? size - 1 : 0);
    *p = *p == '1' ? '2' : '1';
}

static bool run_record(runner *r, weir_session *session, const record *rec) {
    weir_error error;
    weir_result *result = NULL;
    bool query = !strncmp(rec->head, "query", 5), fails = !strncmp(rec->head, "error", 5);
    if (!query && !fails && strcmp(rec->head, "statement")) return report(r, rec, "unknown record", rec->head);
    row_list seen = {0};
    weir_status status = weir_query(session, rec->sql ? rec->sql : "", &result, &error);
    if (status == WEIR_OK) status = collect(result, query && strstr(rec->head, "types"), &seen, &error);
    bool ok, spoil = r->self_test && query && rec->row_count;
    if (spoil) corrupt(rec->rows[rec->row_count / 2], &seen);
    if (fails) {
        ok = check_error(r, rec, status, &error);
    } else if (status != WEIR_OK) {
        ok = report(r, rec, weir_status_name(status), error.message);
    } else {
        ok = !query || same_rows(r, rec, &seen, strstr(rec->head, "sorted"));
    }
    if (spoil) {
        ok = !ok;
        if (!ok) fprintf(stderr, "%s:%zu: a corrupted row was not seen\n", r->file, rec->line);
    }
    free_rows(&seen);
    weir_result_close(result);
    return ok && (!query || !strstr(rec->head, "spills") || spills(r, session, rec));
}

/* "only optimizer " or "only default " in front: taken off; false when this configuration is another. */
static bool applies(const runner *r, record *rec) {
    char word[32];
    int used = 0;
    if (sscanf(rec->head, "only %31s %n", word, &used) != 1) return true;
    memmove(rec->head, rec->head + used, strlen(rec->head + used) + 1);
    return !strcmp(word, "optimizer") ? r->optimizer : r->is_default;
}

static void run_file(runner *r, const char *path) {
    FILE *in = fopen(path, "r");
    weir_database *db = NULL;
    weir_session *session = NULL;
    weir_error error = {0};
    r->file = path;
    if (!in || weir_database_open(r->settings, r->setting_count, &db, &error) != WEIR_OK ||
        weir_session_open(db, &session, &error) != WEIR_OK) {
        fprintf(stderr, "%s: cannot start: %s\n", path, in ? error.message : "no such file");
        r->failed++;
        exit(2);
    }
    size_t line = 0;
    record rec;
    while (read_record(r, in, &line, &rec)) {
        if (applies(r, &rec)) {
            if (run_record(r, session, &rec)) {
                r->passed++;
            } else {
                r->failed++;
            }
        }
        free_record(&rec);
    }
    free_record(&rec);
    fclose(in);
    weir_session_close(session);
    weir_database_close(db);
}

static void add_setting(runner *r, char *text) {
    char *equals = strchr(text, '=');
    if (!equals || r->setting_count == SETTINGS_MAX) {
        fprintf(stderr, "weir_slt: --set takes NAME=VALUE, not %s\n", text);
        exit(2);
    }
    *equals = 0;
    r->settings[r->setting_count++] = (weir_setting){text, equals + 1};
    r->is_default = false;
    if (!strcmp(text, "optimizer") && strcmp(equals + 1, "true")) r->optimizer = false;
}

int main(int argc, char **argv) {
    runner r = {.data = "tests/data", .optimizer = true, .is_default = true};
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (!strcmp(argv[i], "--self-test")) {
            r.self_test = true;
        } else if (!strcmp(argv[i], "--set") && i + 1 < argc) {
            add_setting(&r, argv[++i]);
        } else if (!strcmp(argv[i], "--data") && i + 1 < argc) {
            r.data = argv[++i];
        } else {
            fprintf(stderr, "weir_slt: unknown option %s\n", argv[i]);
            return 2;
        }
    }
    for (; i < argc; i++) run_file(&r, argv[i]);
    printf("%u passed, %u failed\n", r.passed, r.failed);
    return r.failed ? 1 : 0;
}
