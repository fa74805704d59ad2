#include <math.h>

#include "tests/unit/parquet.h"

static uint64_t random_next(uint64_t *state) {
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* All rows of plain.parquet, which others are compared with. */
static void read_plain(test_rows *out) {
    wr_error err;
    wr_table_file *file = test_open("plain");
    test_scan s = {0};
    test_scan_all_columns(&s);
    if (file) WR_CHECK_OK(test_scan_run(file, &s, out, &err), &err);
    WR_CHECK_EQ_INT(out->row_count, TEST_ROWS);
    wr_table_file_release(file);
}

WR_TEST(parquet_cursor, every_encoding_gives_the_same_rows) {
    static const uint32_t batch_rows[] = {1, 3, 64, 100, 2048, 32768};
    test_rows all, seen;
    read_plain(&all);
    for (size_t f = 0; f < WR_COUNT_OF(test_files); f++) {
        wr_table_file *file = test_open(test_files[f]);
        for (size_t b = 0; file && b < WR_COUNT_OF(batch_rows); b++) {
            wr_error err;
            test_scan s = {.batch_rows = batch_rows[b]};
            test_scan_all_columns(&s);
            WR_CHECK_OK(test_scan_run(file, &s, &seen, &err), &err);
            test_same_rows(test_files[f], &s, &seen, &all, NULL, TEST_ROWS);
            WR_CHECK(s.largest_batch <= batch_rows[b]);
            test_rows_deinit(&seen);
        }
        wr_table_file_release(file);
    }
    test_rows_deinit(&all);
}

WR_TEST(parquet_cursor, every_instruction_set_gives_the_same_rows) {
    test_rows all, seen;
    read_plain(&all);
    for (int isa = 0; isa < WR_ISA_COUNT; isa++) {
        const wr_kernels *kernels = wr_kernels_select((wr_isa)isa);
        for (size_t f = 0; kernels && f < WR_COUNT_OF(test_files); f++) {
            wr_error err;
            wr_table_file *file = test_open(test_files[f]);
            test_scan s = {.kernels = kernels};
            test_scan_all_columns(&s);
            WR_CHECK_OK(test_scan_run(file, &s, &seen, &err), &err);
            test_same_rows(test_files[f], &s, &seen, &all, NULL, TEST_ROWS);
            test_rows_deinit(&seen);
            wr_table_file_release(file);
        }
    }
    test_rows_deinit(&all);
}

WR_TEST(parquet_cursor, ranges_of_rows) {
    static const uint64_t ranges[][2] = {{0, 1}, {1, 3}, {299, 1}, {37, 200}, {300, 5}, {100, 0}};
    test_rows all, seen;
    read_plain(&all);
    for (size_t f = 0; f < WR_COUNT_OF(test_files); f++) {
        wr_table_file *file = test_open(test_files[f]);
        for (size_t r = 0; file && r < WR_COUNT_OF(ranges); r++) {
            wr_error err;
            uint32_t rows[TEST_ROWS], count = 0;
            test_scan s = {.batch_rows = 64, .first_row = ranges[r][0], .row_count = ranges[r][1]};
            test_scan_all_columns(&s);
            for (uint32_t part = 0; part < TEST_ROWS; part += TEST_PART_ROWS) {
                uint64_t end = ranges[r][1] ? ranges[r][0] + ranges[r][1] : TEST_PART_ROWS;
                for (uint64_t i = ranges[r][0]; i < end && i < TEST_PART_ROWS; i++) rows[count++] = part + (uint32_t)i;
            }
            WR_CHECK_OK(test_scan_run(file, &s, &seen, &err), &err);
            test_same_rows(test_files[f], &s, &seen, &all, rows, count);
            test_rows_deinit(&seen);
        }
        wr_table_file_release(file);
    }
    test_rows_deinit(&all);
}

/* ---- filters ---- */

/* A value passes when it is between two others; a NULL when `nulls` says so. With two columns, the first must be below
 * the second as well. */
typedef struct between {
    wr_value low, high;
    bool nulls, broken; /* broken: it was asked about what it must not see */
    uint32_t columns[2], column_count;
    const struct between *guard; /* row_wise: only rows that pass this one, on columns[1], may be asked about */
} between;

static bool passes_one(const between *f, const wr_value *v) {
    if (v->is_null) return f->nulls;
    return wr_value_compare(&f->low, v) <= 0 && wr_value_compare(v, &f->high) <= 0;
}

static wr_status evaluate(void *user, const wr_vector *const *columns, uint32_t n, uint64_t *pass, wr_error *err) {
    between *f = user;
    for (uint32_t i = 0; i < n; i++) {
        wr_value v, other;
        WR_TRY(wr_vector_value(columns[0], i, NULL, &v, err));
        wr_bit_put(pass, i, passes_one(f, &v));
        if (!f->guard) continue;
        WR_TRY(wr_vector_value(columns[1], i, NULL, &other, err));
        f->broken |= !passes_one(f->guard, &other);
    }
    return WR_OK;
}

static wr_zone_answer zone(void *user, const wr_column_bounds *b) {
    const between *f = user;
    bool all_null = b->null_count == b->row_count;
    if (all_null) return f->nulls ? WR_ZONE_ALL : WR_ZONE_NONE;
    if (!b->has_bounds) return WR_ZONE_SOME;
    bool is_float = f->low.type.id == WR_TYPE_DOUBLE || f->low.type.id == WR_TYPE_FLOAT; /* NaN is in no bounds */
    bool below = wr_value_compare(&b->max, &f->low) < 0 && !is_float, above = wr_value_compare(&f->high, &b->min) < 0;
    if ((below || above) && (!f->nulls || b->null_count == 0)) return WR_ZONE_NONE;
    bool inside = wr_value_compare(&f->low, &b->min) <= 0 && wr_value_compare(&b->max, &f->high) <= 0;
    return inside && !is_float && (f->nulls || b->null_count == 0) ? WR_ZONE_ALL : WR_ZONE_SOME;
}

/* Bounds are two values of the column. */
static between make_between(const test_rows *all, uint32_t column, uint64_t *state) {
    between f = {.columns = {column}, .column_count = 1, .nulls = random_next(state) % 4 == 0};
    wr_error err;
    wr_value *const ends[2] = {&f.low, &f.high};
    for (int k = 0; k < 2; k++) {
        do {
            uint32_t row = (uint32_t)(random_next(state) % TEST_ROWS);
            if (!WR_CHECK_OK(wr_vector_value(&all->columns[column], row, NULL, ends[k], &err), &err)) return f;
        } while (ends[k]->is_null);
    }
    if (wr_value_compare(&f.low, &f.high) > 0) {
        wr_value swap = f.low;
        f.low = f.high;
        f.high = swap;
    }
    return f;
}

/* A scan with random filters over random columns, and the rows that pass. */
typedef struct filtered {
    test_scan scan;
    between filters[4];
    wr_scan_filter scan_filters[4];
    uint32_t positions[4][2];
    uint32_t rows[TEST_ROWS], row_count;
} filtered;

static uint32_t position_of(test_scan *s, uint32_t column) {
    for (uint32_t i = 0; i < s->column_count; i++) {
        if (s->columns[i].file_column == column) return i;
    }
    s->columns[s->column_count] = (wr_scan_column){column, false};
    return s->column_count++;
}

static void make_filtered(filtered *f, const test_rows *all, uint64_t *state) {
    static const uint32_t batch_rows[] = {1, 3, 40, 64, 200, 2048};
    *f = (filtered){.scan = {.batch_rows = batch_rows[random_next(state) % WR_COUNT_OF(batch_rows)]}};
    for (uint32_t i = 0; i < TEST_COLUMNS; i++) {
        if (random_next(state) % 2) f->scan.columns[f->scan.column_count++] = (wr_scan_column){i, true};
    }
    uint32_t count = 1 + (uint32_t)(random_next(state) % 3);
    for (uint32_t i = 0; i < count; i++) {
        f->filters[i] = make_between(all, (uint32_t)(random_next(state) % COLUMN_NOTHING), state);
    }
    if (random_next(state) % 4 == 0) {
        f->filters[count] = make_between(all, (uint32_t)(random_next(state) % COLUMN_NOTHING), state);
        f->filters[count].guard = &f->filters[0];
        f->filters[count].columns[1] = f->filters[0].columns[0];
        f->filters[count++].column_count = 2;
    }
    for (uint32_t i = 0; i < count; i++) {
        between *b = &f->filters[i];
        for (uint32_t k = 0; k < b->column_count; k++) f->positions[i][k] = position_of(&f->scan, b->columns[k]);
        f->scan_filters[i] = (wr_scan_filter){.columns = f->positions[i],
                                              .column_count = b->column_count,
                                              .row_wise = b->guard != NULL,
                                              .cost = 1,
                                              .user = b,
                                              .zone = b->guard || random_next(state) % 2 ? NULL : zone,
                                              .evaluate = evaluate};
    }
    f->scan.filters = f->scan_filters;
    f->scan.filter_count = count;
    for (uint32_t row = 0; row < TEST_ROWS; row++) {
        bool passes = true;
        for (uint32_t i = 0; i < count && passes; i++) {
            wr_value v;
            wr_error err;
            WR_CHECK_OK(wr_vector_value(&all->columns[f->filters[i].columns[0]], row, NULL, &v, &err), &err);
            passes = passes_one(&f->filters[i], &v);
        }
        if (passes) f->rows[f->row_count++] = row;
    }
}

WR_TEST(parquet_cursor, filters_leave_what_they_should) {
    enum { TRIES = 150 };
    test_rows all, seen;
    read_plain(&all);
    for (size_t f = 0; f < WR_COUNT_OF(test_files); f++) {
        uint64_t state = 100 + f;
        wr_table_file *file = test_open(test_files[f]);
        for (int i = 0; file && i < TRIES; i++) {
            wr_error err;
            filtered x;
            make_filtered(&x, &all, &state);
            if (!WR_CHECK_OK(test_scan_run(file, &x.scan, &seen, &err), &err)) break;
            test_same_rows(test_files[f], &x.scan, &seen, &all, x.rows, x.row_count);
            WR_CHECK_EQ_INT(x.scan.counters.rows_out, x.row_count);
            for (uint32_t k = 0; k < x.scan.filter_count; k++) WR_CHECK(!x.filters[k].broken);
            test_rows_deinit(&seen);
        }
        wr_table_file_release(file);
    }
    test_rows_deinit(&all);
}

static void set_ids(between *f, int64_t low, int64_t high) {
    *f = (between){.columns = {COLUMN_ID}, .column_count = 1};
    f->low = f->high = (wr_value){.type = wr_type_of(WR_TYPE_BIGINT)};
    f->low.i64 = low;
    f->high.i64 = high;
}

WR_TEST(parquet_cursor, statistics_and_indexes_pass_over_parts_and_pages) {
    static const uint32_t zero = 0;
    between ids;
    wr_scan_filter filter = {.columns = &zero, .column_count = 1, .user = &ids, .zone = zone, .evaluate = evaluate};
    test_rows all, seen;
    read_plain(&all);
    for (int f = 0; f < 3; f++) {
        wr_error err;
        wr_table_file *file = test_open(test_files[f]);
        test_scan s = {.filters = &filter, .filter_count = 1};
        uint32_t rows[3] = {410, 411, 412};
        test_scan_all_columns(&s);
        set_ids(&ids, 410, 412);
        WR_CHECK_OK(test_scan_run(file, &s, &seen, &err), &err);
        test_same_rows(test_files[f], &s, &seen, &all, rows, 3);
        WR_CHECK_EQ_INT(s.counters.parts, 3);
        WR_CHECK_EQ_INT(s.counters.parts_pruned, 2);
        WR_CHECK(s.counters.rows_in < TEST_PART_ROWS);
        uint64_t read = s.counters.bytes_read;
        test_rows_deinit(&seen);
        set_ids(&ids, 0, 1000);
        WR_CHECK_OK(test_scan_run(file, &s, &seen, &err), &err);
        WR_CHECK_EQ_INT(seen.row_count, TEST_ROWS);
        WR_CHECK_EQ_INT(s.counters.parts_pruned, 0);
        WR_CHECK(s.counters.bytes_read > 2 * read);
        test_rows_deinit(&seen);
        wr_table_file_release(file);
    }
    test_rows_deinit(&all);
}

WR_TEST(parquet_cursor, columns_without_a_row_left_are_not_inflated) {
    static const uint32_t zero = 0;
    between ids;
    wr_error err;
    test_rows seen;
    wr_scan_filter filter = {.columns = &zero, .column_count = 1, .user = &ids, .evaluate = evaluate};
    wr_table_file *file = test_open("dictionary");
    test_scan s = {.filters = &filter, .filter_count = 1};
    test_scan_all_columns(&s);
    set_ids(&ids, -2, -1);
    WR_CHECK_OK(test_scan_run(file, &s, &seen, &err), &err);
    WR_CHECK_EQ_INT(seen.row_count, 0);
    WR_CHECK_EQ_INT(s.counters.pages_inflated, 3); /* the dictionaries of id */
    test_rows_deinit(&seen);
    wr_table_file_release(file);
}

WR_TEST(parquet_cursor, without_columns_rows_are_counted) {
    wr_error err;
    test_rows seen;
    wr_table_file *file = test_open("plain");
    test_scan s = {.batch_rows = 64};
    WR_CHECK_OK(test_scan_run(file, &s, &seen, &err), &err);
    WR_CHECK_EQ_INT(seen.row_count, TEST_ROWS);
    WR_CHECK_EQ_INT(s.counters.bytes_read, 0);
    wr_table_file_release(file);
}

/* ---- what is refused ---- */

WR_TEST(parquet_cursor, what_cannot_be_read_is_refused_when_it_is_selected) {
    static const struct {
        uint32_t column;
        const char *message; /* NULL: it can be read */
    } cases[] = {{0, "column 'list' is nested (LIST)"},
                 {1, NULL},
                 {2, "column 'struct' is nested (STRUCT)"},
                 {3, "column 'map' is nested (MAP)"},
                 {4, "column 'wide' is a DECIMAL of more than 38 digits"},
                 {5, NULL},
                 {6, "has 6 columns"}};
    wr_table_file *file = test_open("wide");
    for (size_t i = 0; file && i < WR_COUNT_OF(cases); i++) {
        wr_error err = {0};
        test_rows seen;
        test_scan s = {.columns = {{cases[i].column, true}}, .column_count = cases[i].column < 6};
        if (cases[i].column == 6) {
            wr_part_cursor *cursor;
            wr_scan_column column = {6, true};
            wr_scan_spec spec = {.kernels = wr_kernels_best(), .columns = &column, .column_count = 1, .batch_rows = 8};
            wr_status status = file->ops->cursor_create(&cursor, file, wr_test_allocator(), &spec, &err);
            WR_CHECK_STATUS(status, WR_INTERNAL, &err);
        } else {
            wr_status status = test_scan_run(file, &s, &seen, &err);
            WR_CHECK_STATUS(status, cases[i].message ? WR_UNSUPPORTED : WR_OK, &err);
            if (status == WR_OK) WR_CHECK_EQ_INT(seen.row_count, 300);
            test_rows_deinit(&seen);
        }
        if (cases[i].message) WR_CHECK_CONTAINS(err.message, cases[i].message);
    }
    if (file) {
        wr_text text;
        wr_text_init(&text, wr_test_allocator());
        for (uint32_t i = 0; i < file->schema.field_count; i++) {
            wr_text_addz(&text, i ? ", " : "");
            wr_type_print(&text, file->schema.fields[i].type);
        }
        WR_CHECK_EQ_STR(wr_text_view(&text),
                        "INTEGER[], INTEGER, STRUCT(a BIGINT, b VARCHAR), MAP(VARCHAR, INTEGER), BLOB, VARCHAR");
        wr_text_deinit(&text);
    }
    wr_table_file_release(file);
}

WR_TEST(parquet_cursor, a_cancelled_scan_says_so) {
    static const _Atomic bool cancelled = true;
    wr_error err;
    test_rows seen;
    wr_table_file *file = test_open("plain");
    test_scan s = {.columns = {{0, true}}, .column_count = 1, .cancelled = &cancelled};
    WR_CHECK_STATUS(test_scan_run(file, &s, &seen, &err), WR_CANCELLED, &err);
    test_rows_deinit(&seen);
    wr_table_file_release(file);
}

/* ---- failures ---- */

/* Opens and scans with filters; every failure on the way must come back, and leak nothing. */
static wr_status open_and_scan(const char *name, const test_rows *all, uint64_t *row_count, wr_error *err) {
    uint64_t state = 4;
    filtered x;
    make_filtered(&x, all, &state);
    x.scan.batch_rows = 64;
    x.scan.column_count = 0;
    test_scan_all_columns(&x.scan);
    for (uint32_t i = 0; i < x.scan.filter_count; i++) {
        for (uint32_t k = 0; k < x.filters[i].column_count; k++) x.positions[i][k] = x.filters[i].columns[k];
    }
    wr_table_file *file;
    test_rows seen;
    *row_count = x.row_count;
    WR_TRY(test_open_status(&file, name, err));
    wr_status status = test_scan_run(file, &x.scan, &seen, err);
    if (status == WR_OK) WR_CHECK_EQ_INT(seen.row_count, x.row_count);
    test_rows_deinit(&seen);
    wr_table_file_release(file);
    return status;
}

static void fail_every(wr_fault_point point, wr_status expected) {
    test_rows all;
    read_plain(&all);
    for (size_t f = 0; f < WR_COUNT_OF(test_files); f++) {
        bool done = false;
        for (uint64_t nth = 1; !done && nth < 20000; nth += 1 + nth / 40) {
            wr_error err;
            uint64_t rows;
            wr_fault_arm(point, nth);
            wr_status status = open_and_scan(test_files[f], &all, &rows, &err);
            done = wr_fault_calls(point) < nth;
            wr_fault_disarm_all();
            if (!done && !WR_CHECK_STATUS(status, expected, &err)) break;
            if (done) WR_CHECK_OK(status, &err);
        }
        WR_CHECK(done);
    }
    test_rows_deinit(&all);
}

WR_TEST(parquet_cursor, every_failed_allocation_comes_back) {
    fail_every(WR_FAULT_ALLOC, WR_NO_MEMORY);
}

WR_TEST(parquet_cursor, every_failed_read_comes_back) {
    fail_every(WR_FAULT_READ, WR_IO);
}
