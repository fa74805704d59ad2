/* Reads Parquet files and compares rows, NULLs and a hash of the values of their columns with what another reader
 * found; tools/parquet_expected.py writes the list and says what the hash is.
 *
 *     outside_parquet_values FOLDER VALUES ERRORS
 *
 * A line of ERRORS is: file, column ("" for the file itself), and a part of the message that must come. They go before
 * VALUES. Every column is read with batches of 1, 3 and 2,048 rows. The last line is "N passed, N failed", a line of
 * the lists being one. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "format/format.h"

typedef struct expected {
    char file[256], column[128], message[256];
    uint64_t rows, nulls, hash;
} expected;

typedef struct seen {
    uint64_t rows, nulls, hash;
} seen;

/* ---- hashing ---- */

static void add_bytes(seen *s, const void *data, size_t size) {
    for (size_t i = 0; i < size; i++) s->hash = (s->hash ^ ((const uint8_t *)data)[i]) * UINT64_C(0x100000001b3);
}

static void add_uuid(seen *s, wr_int128 value) {
    wr_uint128 bits = (wr_uint128)value ^ (wr_uint128)1 << 127;
    uint8_t bytes[16];
    uint32_t size = sizeof bytes;
    for (unsigned i = 0; i < 16; i++) bytes[i] = (uint8_t)(bits >> (120 - 8 * i));
    add_bytes(s, &size, 4);
    add_bytes(s, bytes, size);
}

static void add_interval(seen *s, wr_interval v) {
    uint32_t size = 12, parts[3] = {(uint32_t)v.months, (uint32_t)v.days, (uint32_t)(v.micros / 1000)};
    add_bytes(s, &size, 4);
    add_bytes(s, parts, size);
}

static void add_value(seen *s, const wr_value *v) {
    uint8_t there = !v->is_null;
    s->rows++;
    s->nulls += v->is_null;
    add_bytes(s, &there, 1);
    if (v->is_null) return;
    wr_int128 number = 0;
    switch (wr_type_phys(v->type)) {
    case WR_PHYS_VIEW:
        add_bytes(s, &v->text.size, 4);
        add_bytes(s, v->text.data, v->text.size);
        return;
    case WR_PHYS_F32:
    case WR_PHYS_F64: {
        uint64_t bits = UINT64_C(0x7ff8) << 48;
        if (!isnan(v->f64)) memcpy(&bits, &v->f64, 8);
        add_bytes(s, &bits, 8);
        return;
    }
    case WR_PHYS_INTERVAL: add_interval(s, v->interval); return;
    case WR_PHYS_BOOL: number = v->boolean; break;
    case WR_PHYS_I128: number = v->i128; break;
    case WR_PHYS_U8:
    case WR_PHYS_U16:
    case WR_PHYS_U32:
    case WR_PHYS_U64: number = v->u64; break;
    default: number = v->i64;
    }
    if (v->type.id == WR_TYPE_UUID) {
        add_uuid(s, number);
    } else {
        add_bytes(s, &number, 16);
    }
}

/* ---- reading ---- */

static wr_status add_batch(seen *s, const wr_batch *batch, wr_error *err) {
    for (uint32_t i = 0; i < batch->row_count; i++) {
        wr_value value;
        WR_TRY(wr_vector_value(&batch->columns[0], i, NULL, &value, err));
        add_value(s, &value);
    }
    return WR_OK;
}

static wr_status scan_column(wr_table_file *file, uint32_t column, uint32_t batch_rows, seen *s, wr_error *err) {
    wr_allocator *a = wr_system_allocator();
    wr_scan_column columns[1] = {{column, true}};
    wr_scan_spec spec = {.kernels = wr_kernels_best(), .columns = columns, .column_count = 1, .batch_rows = batch_rows};
    wr_part_cursor *cursor;
    wr_batch batch;
    *s = (seen){.hash = UINT64_C(0xcbf29ce484222325)};
    WR_TRY(wr_batch_init(&batch, a, 1, err));
    wr_status status = file->ops->cursor_create(&cursor, file, a, &spec, err);
    if (status != WR_OK) {
        wr_batch_deinit(&batch);
        return status;
    }
    for (uint32_t part = 0; part < file->part_count && status == WR_OK; part++) {
        status = cursor->ops->begin(cursor, part, 0, file->parts[part].row_count, err);
        for (bool more = true; status == WR_OK && more;) {
            status = cursor->ops->next(cursor, &batch, &more, err);
            if (status == WR_OK && more) status = add_batch(s, &batch, err);
        }
    }
    wr_batch_deinit(&batch);
    cursor->ops->destroy(cursor);
    return status;
}

static wr_status open_file(wr_table_file **out, const char *path, wr_error *err) {
    wr_object *object;
    const wr_format *format;
    WR_TRY(wr_object_open(&object, wr_system_allocator(), NULL, wr_str_from(path), err));
    wr_status status = wr_format_find(object, &format, err);
    if (status == WR_OK) status = format->open(out, wr_system_allocator(), object, wr_kernels_best(), err);
    wr_object_release(object);
    return status;
}

static wr_status read_column(const char *path, const char *column, uint32_t batch_rows, seen *s, wr_error *err) {
    wr_table_file *file;
    WR_TRY(open_file(&file, path, err));
    wr_status status = column[0] ? wr_fail(err, WR_NOT_FOUND, "no column '%s'", column) : WR_OK;
    for (uint32_t i = 0; i < file->schema.field_count; i++) {
        if (!wr_str_equal(file->schema.fields[i].name, wr_str_from(column))) continue;
        status = scan_column(file, i, batch_rows, s, err);
        break;
    }
    wr_table_file_release(file);
    return status;
}

/* ---- checking ---- */

static bool check_values(const char *path, const expected *e) {
    static const uint32_t batch_rows[] = {1, 3, WR_BATCH_ROWS};
    for (size_t i = 0; i < WR_COUNT_OF(batch_rows); i++) {
        wr_error err;
        seen s;
        if (read_column(path, e->column, batch_rows[i], &s, &err) != WR_OK) {
            printf("%s, %s: %s\n", e->file, e->column, err.message);
            return false;
        }
        if (s.rows != e->rows || s.nulls != e->nulls || s.hash != e->hash) {
            printf("%s, %s, batches of %u: %llu rows, %llu NULLs, hash %016llx; expected %llu, %llu, %016llx\n",
                   e->file, e->column, batch_rows[i], (unsigned long long)s.rows, (unsigned long long)s.nulls,
                   (unsigned long long)s.hash, (unsigned long long)e->rows, (unsigned long long)e->nulls,
                   (unsigned long long)e->hash);
            return false;
        }
    }
    return true;
}

static bool check_error(const char *path, const expected *e) {
    wr_error err;
    seen s;
    wr_status status = read_column(path, e->column, WR_BATCH_ROWS, &s, &err);
    if (status != WR_OK && strstr(err.message, e->message)) return true;
    printf("%s, %s: %s; expected an error with \"%s\"\n", e->file, e->column,
           status == WR_OK ? "was read" : err.message, e->message);
    return false;
}

/* Fields are between tabs; strtok would join empty ones. */
static bool split(char *line, char **fields, unsigned count) {
    line[strcspn(line, "\n")] = 0;
    for (unsigned i = 0; i < count; i++) {
        fields[i] = line;
        line += strcspn(line, "\t");
        if (i + 1 < count && !*line) return false;
        if (*line) *line++ = 0;
    }
    return true;
}

static bool parse_line(char *line, bool errors, expected *e) {
    char *fields[5];
    *e = (expected){0};
    if (line[0] == '#' || !split(line, fields, errors ? 3 : 5)) return false;
    snprintf(e->file, sizeof e->file, "%s", fields[0]);
    snprintf(e->column, sizeof e->column, "%s", fields[1]);
    if (errors) {
        snprintf(e->message, sizeof e->message, "%s", fields[2]);
    } else {
        e->rows = strtoull(fields[2], NULL, 10);
        e->nulls = strtoull(fields[3], NULL, 10);
        e->hash = strtoull(fields[4], NULL, 16);
    }
    return true;
}

enum { ERRORS_MAX = 256 };
static expected errors[ERRORS_MAX];
static uint32_t error_count;

static bool is_error(const expected *e) {
    for (uint32_t i = 0; i < error_count; i++) {
        if (strcmp(errors[i].file, e->file) == 0 &&
            (!errors[i].column[0] || strcmp(errors[i].column, e->column) == 0)) {
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv) {
    char line[1024], path[1024];
    unsigned passed = 0, failed = 0;
    FILE *lists[2] = {argc == 4 ? fopen(argv[3], "r") : NULL, argc == 4 ? fopen(argv[2], "r") : NULL};
    if (!lists[0] || !lists[1]) {
        fprintf(stderr, "usage: outside_parquet_values FOLDER VALUES ERRORS\n");
        return 2;
    }
    while (error_count < ERRORS_MAX && fgets(line, sizeof line, lists[0])) {
        expected *e = &errors[error_count];
        if (!parse_line(line, true, e)) continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], e->file);
        bool good = check_error(path, e);
        passed += good;
        failed += !good;
        error_count++;
    }
    while (fgets(line, sizeof line, lists[1])) {
        expected e;
        if (!parse_line(line, false, &e) || is_error(&e)) continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], e.file);
        bool good = check_values(path, &e);
        passed += good;
        failed += !good;
    }
    fclose(lists[0]);
    fclose(lists[1]);
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
