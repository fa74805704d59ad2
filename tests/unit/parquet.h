/* What the tests of the Parquet reader share: files of tests/data/parquet, whole scans into vectors, filters written
 * plainly. Tests run with the repository's root as their folder. */
#ifndef WR_TESTS_UNIT_PARQUET_H
#define WR_TESTS_UNIT_PARQUET_H

#include <stdio.h>

#include "format/format.h"
#include "tests/unit/test.h"

enum { TEST_COLUMNS = 17, TEST_ROWS = 900, TEST_PART_ROWS = 300 };
/* The columns of the files by tools/make_parquet_data.py, in their order. */
typedef enum test_column {
    COLUMN_ID,
    COLUMN_FEW,
    COLUMN_MANY,
    COLUMN_TINY,
    COLUMN_BIG,
    COLUMN_FLAG,
    COLUMN_REAL,
    COLUMN_SINGLE,
    COLUMN_PRICE,
    COLUMN_HUGE,
    COLUMN_DAY,
    COLUMN_INSTANT,
    COLUMN_WORD,
    COLUMN_TEXT,
    COLUMN_BYTES,
    COLUMN_CODE,
    COLUMN_NOTHING,
} test_column;
static const char *const test_files[] = {"plain", "dictionary", "fallback", "version2", "delta", "front", "brotli"};

static inline wr_status test_open_object(wr_table_file **out, wr_object *object, wr_error *err) {
    const wr_format *format;
    WR_TRY(wr_format_find(object, &format, err));
    return format->open(out, wr_test_allocator(), object, wr_kernels_best(), err);
}

static inline wr_status test_open_status(wr_table_file **out, const char *name, wr_error *err) {
    char path[256];
    wr_object *object;
    snprintf(path, sizeof path, "tests/data/parquet/%s.parquet", name);
    WR_TRY(wr_object_open(&object, wr_test_allocator(), NULL, wr_str_from(path), err));
    wr_status status = test_open_object(out, object, err);
    wr_object_release(object);
    return status;
}

static inline wr_table_file *test_open(const char *name) {
    wr_error err;
    wr_table_file *file = NULL;
    WR_CHECK_OK(test_open_status(&file, name, &err), &err);
    return file;
}

/* ---- scans ---- */

typedef struct test_scan {
    const wr_kernels *kernels; /* NULL: the best */
    wr_scan_column columns[TEST_COLUMNS];
    uint32_t column_count;
    wr_scan_filter *filters;
    uint32_t filter_count, batch_rows;
    uint64_t first_row, row_count; /* of every part; 0 rows: all */
    const _Atomic bool *cancelled;
    wr_scan_counters counters; /* out */
    uint32_t largest_batch;    /* out */
} test_scan;

static inline void test_scan_all_columns(test_scan *s) {
    s->column_count = TEST_COLUMNS;
    for (uint32_t i = 0; i < TEST_COLUMNS; i++) s->columns[i] = (wr_scan_column){i, true};
}

/* What came out, one flat vector an output column. */
typedef struct test_rows {
    wr_vector columns[TEST_COLUMNS];
    uint32_t column_count;
    uint64_t row_count;
} test_rows;

static inline void test_rows_deinit(test_rows *rows) {
    for (uint32_t i = 0; i < TEST_COLUMNS; i++) wr_vector_deinit(&rows->columns[i]);
}

static inline wr_status test_scan_part(wr_part_cursor *cursor, wr_table_file *file, uint32_t part, test_scan *s,
                                       wr_batch *batch, test_rows *out, wr_error *err) {
    uint64_t all = file->parts[part].row_count, first = s->first_row < all ? s->first_row : all;
    uint64_t count = s->row_count && s->row_count < all - first ? s->row_count : all - first;
    WR_TRY(cursor->ops->begin(cursor, part, first, count, err));
    for (;;) {
        bool more;
        WR_TRY(cursor->ops->next(cursor, batch, &more, err));
        if (!more) return WR_OK;
        if (batch->row_count > s->largest_batch) s->largest_batch = batch->row_count;
        for (uint32_t i = 0; i < batch->column_count; i++) {
            WR_TRY(wr_vector_append(&out->columns[i], wr_test_allocator(), &batch->columns[i], NULL, batch->row_count,
                                    err));
        }
        out->row_count += batch->row_count;
    }
}

static inline wr_status test_scan_run(wr_table_file *file, test_scan *s, test_rows *out, wr_error *err) {
    wr_allocator *a = wr_test_allocator();
    wr_scan_spec spec = {
        s->kernels ? s->kernels : wr_kernels_best(),   s->columns,  s->column_count, s->filters, s->filter_count,
        s->batch_rows ? s->batch_rows : WR_BATCH_ROWS, s->cancelled};
    *out = (test_rows){0};
    for (uint32_t i = 0; i < s->column_count; i++) {
        if (!s->columns[i].output) continue;
        wr_type type = file->schema.fields[s->columns[i].file_column].type;
        wr_vector *v = &out->columns[out->column_count++];
        if (type.id < WR_TYPE_LIST) WR_TRY(wr_vector_prepare(v, a, type, 0, false, err));
    }
    wr_part_cursor *cursor = NULL;
    wr_batch batch;
    WR_TRY(wr_batch_init(&batch, a, out->column_count, err));
    wr_status status = file->ops->cursor_create(&cursor, file, a, &spec, err);
    for (uint32_t part = 0; status == WR_OK && part < file->part_count; part++) {
        status = test_scan_part(cursor, file, part, s, &batch, out, err);
    }
    if (cursor) s->counters = cursor->counters;
    wr_batch_deinit(&batch);
    if (cursor) cursor->ops->destroy(cursor);
    return status;
}

/* ---- comparing ---- */

static inline bool test_same_value(const wr_vector *a, uint32_t row_a, const wr_vector *b, uint32_t row_b) {
    wr_value x, y;
    wr_error err;
    if (!WR_CHECK_OK(wr_vector_value(a, row_a, NULL, &x, &err), &err)) return false;
    if (!WR_CHECK_OK(wr_vector_value(b, row_b, NULL, &y, &err), &err)) return false;
    return wr_value_equal(&x, &y);
}

/* Row i of `seen` is row rows[i] (NULL: i) of `all`, in the columns that `s` puts out. */
static inline bool test_same_rows(const char *what, const test_scan *s, const test_rows *seen, const test_rows *all,
                                  const uint32_t *rows, uint64_t row_count) {
    if (seen->row_count != row_count) {
        return wr_test_fail(__FILE__, __LINE__, "%s: %llu rows, expected %llu", what,
                            (unsigned long long)seen->row_count, (unsigned long long)row_count);
    }
    uint32_t output = 0;
    for (uint32_t c = 0; c < s->column_count; c++) {
        if (!s->columns[c].output) continue;
        const wr_vector *v = &seen->columns[output++];
        for (uint32_t i = 0; i < row_count; i++) {
            uint32_t row = rows ? rows[i] : i;
            if (!test_same_value(v, i, &all->columns[s->columns[c].file_column], row)) {
                return wr_test_fail(__FILE__, __LINE__, "%s: column %u differs in row %u of the file", what,
                                    s->columns[c].file_column, row);
            }
        }
    }
    return true;
}

#endif
