/* Results as rows of text. */
#include "engine/engine_internal.h"

#include "column/print.h"

size_t weir_result_column_count(const weir_result *r) {
    return r->column_count;
}
const char *weir_result_column_name(const weir_result *r, size_t column) {
    return r->names[column].data;
}
const char *weir_result_column_type(const weir_result *r, size_t column) {
    return r->type_names[column].data;
}

static size_t count_lines(wr_str text) {
    size_t lines = 0;
    for (uint32_t i = 0; i < text.size; i++) lines += text.data[i] == '\n';
    return lines;
}

/* A value that could not be shown is no NULL: the rows end with an error. */
static const wr_error *fail_text(wr_error *err) {
    (void)wr_fail(err, WR_NO_MEMORY, "out of memory: a value of the rows before could not be written as text");
    return err;
}

weir_status weir_result_fetch(weir_result *r, size_t *row_count, weir_error *error) {
    wr_error err;
    wr_error_clear(&err);
    *row_count = 0;
    if (r->text_failed) return wr_report(fail_text(&err), error);
    if (r->at_end) return WEIR_OK;
    if (r->lines.data || !r->pipelines) {
        r->at_end = true;
        *row_count = r->lines.data ? count_lines(r->lines) : 0;
        return WEIR_OK;
    }
    bool more = false;
    wr_status status;
    do {
        status = wr_query_fetch(r, &more, &err);
        if (status == WR_OK && more) status = wr_batch_compact(&r->batch, &err);
    } while (status == WR_OK && more && r->batch.row_count == 0);
    if (status != WR_OK) return wr_report(&err, error);
    r->at_end = !more;
    *row_count = more ? r->batch.row_count : 0;
    return WEIR_OK;
}

static wr_str line_at(wr_str text, size_t row) {
    uint32_t begin = 0;
    for (; row > 0; begin++) row -= text.data[begin] == '\n';
    const char *end = memchr(text.data + begin, '\n', text.size - begin);
    return (wr_str){text.data + begin, (uint32_t)(end - (text.data + begin))};
}

const char *weir_result_text(weir_result *r, size_t row, size_t column, size_t *size) {
    wr_text *text = &r->texts[column];
    wr_text_clear(text);
    if (r->lines.data) {
        wr_str line = line_at(r->lines, row);
        wr_text_add(text, line.data, line.size);
    } else {
        wr_value value;
        if (wr_vector_value(&r->batch.columns[column], (uint32_t)row, &r->arena, &value, NULL) != WR_OK) {
            r->text_failed = true;
            return NULL;
        }
        if (value.is_null) return NULL;
        if (value.type.id == WR_TYPE_TIMESTAMP_TZ) {
            char zoned[WR_PRINT_BYTES];
            wr_unit unit = (wr_unit)value.type.unit;
            wr_text_add(text, zoned, wr_print_zoned(zoned, value.i64, unit, r->exec.environment.time_zone));
        } else {
            wr_value_print(text, &value);
        }
    }
    wr_text_add(text, "", 0);
    r->text_failed |= text->failed;
    if (text->failed) return NULL;
    if (size) *size = text->size;
    return text->data;
}
