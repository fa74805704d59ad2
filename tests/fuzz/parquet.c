/* Opens arbitrary bytes as a Parquet file, asks for all bounds, and scans every column that can be read, with and
 * without a filter. Whatever comes is an error or rows; batches must be well-formed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/format.h"
#include "tests/fuzz/fuzz.h"

enum { COLUMNS_MAX = 24, ROWS_MAX = 20000, PARTS_MAX = 8 };

/* Touches all that the vector shows. */
static uint64_t touch(const wr_vector *v, uint32_t rows) {
    uint64_t sum = 0;
    WR_FUZZ_REQUIRE(v->row_count == rows);
    for (uint32_t i = 0; i < rows; i++) {
        wr_value value;
        WR_FUZZ_REQUIRE(v->kind != WR_DICTIONARY ||
                        ((const uint32_t *)v->data)[i] < wr_vector_dictionary(v)->row_count);
        WR_FUZZ_REQUIRE(wr_vector_value(v, i, NULL, &value, NULL) == WR_OK);
        if (value.is_null || v->phys != WR_PHYS_VIEW) continue;
        for (uint32_t k = 0; k < value.text.size; k++) sum += (uint8_t)value.text.data[k];
    }
    return sum;
}

/* Every second value passes, by what it is. */
static wr_status evaluate(void *user, const wr_vector *const *columns, uint32_t n, uint64_t *pass, wr_error *err) {
    (void)user;
    for (uint32_t i = 0; i < n; i++) {
        wr_value value;
        WR_TRY(wr_vector_value(columns[0], i, NULL, &value, err));
        wr_bit_put(pass, i, !value.is_null && (value.u64 & 1));
    }
    return WR_OK;
}

static wr_zone_answer zone(void *user, const wr_column_bounds *bounds) {
    (void)user;
    return bounds->has_bounds && wr_value_compare(&bounds->min, &bounds->max) == 0 ? WR_ZONE_NONE : WR_ZONE_SOME;
}

static uint64_t scan(wr_table_file *file, const wr_scan_spec *spec, uint32_t outputs) {
    wr_allocator *a = wr_system_allocator();
    wr_part_cursor *cursor = NULL;
    wr_batch batch;
    wr_error err;
    uint64_t sum = 0;
    WR_FUZZ_REQUIRE(wr_batch_init(&batch, a, outputs, &err) == WR_OK);
    wr_status status = file->ops->cursor_create(&cursor, file, a, spec, &err);
    for (uint32_t part = 0; status == WR_OK && part < file->part_count && part < PARTS_MAX; part++) {
        uint64_t rows = file->parts[part].row_count, limit = 0;
        status = cursor->ops->begin(cursor, part, 0, rows, &err);
        for (bool more = true; status == WR_OK && more && limit < ROWS_MAX; limit += batch.row_count) {
            status = cursor->ops->next(cursor, &batch, &more, &err);
            if (status != WR_OK || !more) break;
            WR_FUZZ_REQUIRE(batch.row_count > 0 && batch.row_count <= spec->batch_rows);
            for (uint32_t i = 0; i < outputs; i++) sum += touch(&batch.columns[i], batch.row_count);
        }
    }
    WR_FUZZ_REQUIRE(status == WR_OK || err.message[0]);
    wr_batch_deinit(&batch);
    if (cursor) cursor->ops->destroy(cursor);
    return sum;
}

static uint64_t use(wr_table_file *file) {
    uint64_t sum = 0;
    wr_scan_column columns[COLUMNS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < file->schema.field_count && i < COLUMNS_MAX; i++) {
        for (uint32_t part = 0; part < file->part_count && part < PARTS_MAX; part++) {
            wr_column_bounds bounds;
            file->ops->bounds(file, part, i, &bounds);
            if (bounds.has_bounds) sum += (uint64_t)wr_value_compare(&bounds.min, &bounds.max);
            if (file->ops->sample(file, part, i, &bounds, NULL) == WR_OK) sum++;
        }
        wr_scan_column one = {i, true};
        wr_scan_spec spec = {wr_kernels_best(), &one, 1, NULL, 0, 100, NULL};
        sum += scan(file, &spec, 1);
        if (file->schema.fields[i].type.id < WR_TYPE_LIST) columns[count++] = one;
    }
    static const uint32_t zero = 0;
    wr_scan_filter filter = {.columns = &zero, .column_count = 1, .cost = 1, .zone = zone, .evaluate = evaluate};
    wr_scan_spec spec = {wr_kernels_best(), columns, count, &filter, count > 0, 64, NULL};
    return sum + scan(file, &spec, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wr_allocator *a = wr_system_allocator();
    wr_buffer *bytes;
    wr_object *object;
    wr_table_file *file;
    const wr_format *format;
    wr_error err;
    WR_FUZZ_REQUIRE(wr_buffer_create(&bytes, a, size, &err) == WR_OK);
    memcpy(bytes->data, data, size);
    bytes->size_bytes = size;
    WR_FUZZ_REQUIRE(wr_object_open_memory(&object, a, WR_STR("fuzz.parquet"), bytes, &err) == WR_OK);
    WR_FUZZ_REQUIRE(wr_format_find(object, &format, &err) == WR_OK);
    volatile uint64_t sum = 0;
    if (format->open(&file, a, object, wr_kernels_best(), &err) == WR_OK) {
        sum = use(file);
        wr_table_file_release(file);
    } else {
        WR_FUZZ_REQUIRE(err.message[0]);
    }
    (void)sum;
    wr_object_release(object);
    wr_buffer_release(bytes);
    return 0;
}
