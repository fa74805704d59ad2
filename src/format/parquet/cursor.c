/* The cursor: parts, windows, batches.
 *
 * A part is walked in windows of batch_rows rows, within the ranges that statistics and page indexes leave. Filters
 * read their columns for the window; the columns of the output are read only if a row is left, so that pages all of
 * whose rows fail are never inflated. */
#include "format/parquet/cursor.h"

/* ---- life ---- */

static void cursor_destroy(wr_part_cursor *base) {
    wr_pq_cursor *c = (wr_pq_cursor *)base;
    wr_allocator *a = c->allocator;
    for (uint32_t i = 0; c->filters && i < c->filter_count; i++) {
        wr_pq_filter *f = &c->filters[i];
        uint32_t count = f->filter ? f->filter->column_count : 0;
        for (uint32_t k = 0; k < count; k++) {
            if (f->gathered) wr_vector_deinit(&f->gathered[k]);
            if (f->flattened) wr_vector_deinit(&f->flattened[k]);
        }
        wr_free(a, f->gathered, sizeof(wr_vector) * count);
        wr_free(a, f->flattened, sizeof(wr_vector) * count);
        wr_free(a, f->vectors, sizeof(wr_vector *) * count);
        wr_buffer_release(f->entries);
    }
    for (uint32_t i = 0; c->outputs && i < c->output_count; i++) wr_pq_output_deinit(&c->outputs[i]);
    for (uint32_t i = 0; c->readers && i < c->column_count; i++) wr_pq_reader_deinit(&c->readers[i]);
    wr_free(a, c->filters, sizeof(wr_pq_filter) * c->filter_count);
    wr_free(a, c->outputs, sizeof(wr_pq_output) * c->output_count);
    wr_free(a, c->readers, sizeof(wr_pq_reader) * c->column_count);
    wr_free(a, c->columns, sizeof(wr_scan_column) * c->column_count);
    uint64_t *const bitmaps[] = {c->pass, c->scratch_bits, c->more_bits};
    for (size_t i = 0; i < WR_COUNT_OF(bitmaps); i++) wr_free(a, bitmaps[i], wr_pq_cursor_bits_bytes(c));
    wr_free(a, c->rows, wr_pq_cursor_rows_bytes(c));
    wr_free(a, c->scratch_rows, wr_pq_cursor_rows_bytes(c));
    wr_arena_deinit(&c->arena);
    wr_pq_codecs_deinit(&c->context.codecs);
    wr_table_file_release(c->file);
    wr_free(a, c, sizeof *c);
}

/* NULL stays NULL for nothing. */
static bool make(wr_allocator *a, void *out, size_t size_bytes) {
    if (!size_bytes) return true;
    void *data = wr_alloc_zeroed(a, size_bytes);
    memcpy(out, &data, sizeof data);
    return data != NULL;
}

static bool make_filters(wr_pq_cursor *c, wr_scan_filter *filters) {
    for (uint32_t i = 0; i < c->filter_count; i++) c->filters[i].filter = &filters[i];
    for (uint32_t i = 0; i < c->filter_count; i++) {
        wr_pq_filter *f = &c->filters[i];
        uint32_t count = filters[i].column_count;
        if (!make(c->allocator, &f->gathered, sizeof(wr_vector) * count) ||
            !make(c->allocator, &f->flattened, sizeof(wr_vector) * count) ||
            !make(c->allocator, &f->vectors, sizeof(wr_vector *) * count)) {
            return false;
        }
    }
    return true;
}

static bool make_memory(wr_pq_cursor *c, const wr_scan_spec *spec) {
    wr_allocator *a = c->allocator;
    size_t bits = wr_pq_cursor_bits_bytes(c), rows = wr_pq_cursor_rows_bytes(c);
    return make(a, &c->columns, sizeof(wr_scan_column) * c->column_count) &&
           make(a, &c->readers, sizeof(wr_pq_reader) * c->column_count) &&
           make(a, &c->outputs, sizeof(wr_pq_output) * c->output_count) &&
           make(a, &c->filters, sizeof(wr_pq_filter) * c->filter_count) && make(a, &c->pass, bits) &&
           make(a, &c->scratch_bits, bits) && make(a, &c->more_bits, bits) && make(a, &c->rows, rows) &&
           make(a, &c->scratch_rows, rows) && make_filters(c, spec->filters);
}

static wr_status check_column(const wr_pq_file *file, uint32_t column, wr_error *err) {
    wr_str path = wr_object_describe(file->base.object)->path;
    if (column >= file->schema.fields.field_count) {
        return wr_fail(err, WR_INTERNAL, "file '%.*s' has %u columns, column %u is asked for", WR_STR_ARGS(path),
                       file->schema.fields.field_count, column);
    }
    const wr_field *field = &file->schema.fields.fields[column];
    const char *refusal =
        file->schema.columns[column].nested ? NULL : file->schema.leaves[file->schema.columns[column].leaf].refusal;
    if (refusal) {
        return wr_fail(err, WR_UNSUPPORTED, "file '%.*s': column '%.*s' is %s", WR_STR_ARGS(path),
                       WR_STR_ARGS(field->name), refusal);
    }
    if (!file->schema.columns[column].nested) return WR_OK;
    (void)wr_fail(err, WR_UNSUPPORTED,
                  "file '%.*s': column '%.*s' is nested (%s), and nested columns cannot be read yet", WR_STR_ARGS(path),
                  WR_STR_ARGS(field->name), wr_type_id_name((wr_type_id)field->type.id));
    return wr_hint(err, "leave it out: SELECT * EXCLUDE (\"%.*s\")", WR_STR_ARGS(field->name));
}

static const wr_part_cursor_ops cursor_ops;

wr_status wr_pq_cursor_create(wr_part_cursor **out, wr_table_file *file, wr_allocator *a, const wr_scan_spec *spec,
                              wr_error *err) {
    const wr_pq_file *f = wr_pq_file_of(file);
    uint32_t outputs = 0;
    for (uint32_t i = 0; i < spec->column_count; i++) {
        WR_TRY(check_column(f, spec->columns[i].file_column, err));
        outputs += spec->columns[i].output;
    }
    wr_pq_cursor *c = wr_alloc_zeroed(a, sizeof *c);
    if (!c) return wr_fail_memory(err, sizeof *c, "a scan");
    *c = (wr_pq_cursor){
        .base = {.ops = &cursor_ops},
        .allocator = a,
        .context = {.allocator = a, .kernels = spec->kernels, .file = f, .cancelled = spec->cancelled},
        .file = wr_table_file_retain(file),
        .column_count = spec->column_count,
        .filter_count = spec->filter_count,
        .output_count = outputs,
        .batch_rows = spec->batch_rows,
    };
    c->context.counters = &c->base.counters;
    wr_arena_init(&c->arena, a);
    wr_pq_codecs_init(&c->context.codecs, a, spec->kernels);
    if (!make_memory(c, spec)) {
        cursor_destroy(&c->base);
        return wr_fail_memory(err, sizeof(wr_pq_reader) * spec->column_count, "a scan");
    }
    outputs = 0;
    for (uint32_t i = 0; i < spec->column_count; i++) {
        uint32_t column = spec->columns[i].file_column;
        c->columns[i] = spec->columns[i];
        wr_pq_reader_init(&c->readers[i], &c->context, &f->schema.leaves[f->schema.columns[column].leaf],
                          f->schema.fields.fields[column].name);
        if (spec->columns[i].output) c->outputs[outputs++].reader = &c->readers[i];
    }
    wr_pq_cursor_order_filters(c);
    *out = &c->base;
    return WR_OK;
}

/* ---- parts ---- */

/* Reads the first bytes of the columns that are needed first, in one call: those of filters, or all. */
static wr_status read_ahead(wr_pq_cursor *c, wr_error *err) {
    wr_range *ranges = WR_ARENA_ARRAY(&c->arena, wr_range, c->column_count + 1);
    bool *needed = WR_ARENA_ARRAY(&c->arena, bool, c->column_count + 1);
    if (!ranges || !needed) return wr_fail_memory(err, sizeof *ranges * c->column_count, "a scan");
    bool filtered = false;
    for (uint32_t i = 0; i < c->filter_count; i++) {
        if (c->filters[i].settled) continue;
        for (uint32_t k = 0; k < c->filters[i].filter->column_count; k++)
            needed[c->filters[i].filter->columns[k]] = true;
        filtered = true;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->column_count; i++) {
        bool wanted = false;
        if (filtered ? needed[i] : c->columns[i].output) {
            WR_TRY(wr_pq_reader_plan(&c->readers[i], &ranges[count], &wanted, err));
        }
        count += wanted;
    }
    return count ? wr_object_read(c->file->object, ranges, count, err) : WR_OK;
}

static wr_status cursor_begin(wr_part_cursor *base, uint32_t part, uint64_t first_row, uint64_t row_count,
                              wr_error *err) {
    wr_pq_cursor *c = (wr_pq_cursor *)base;
    const wr_pq_file *f = wr_pq_file_of(c->file);
    uint64_t part_rows = part < c->file->part_count ? c->file->parts[part].row_count : 0;
    c->window_pending = false;
    c->filled = c->range_count = c->range_at = 0;
    if (part >= c->file->part_count || first_row > part_rows || row_count > part_rows - first_row) {
        return wr_fail(err, WR_INTERNAL, "rows %llu and %llu behind are asked of part %u, which has %llu",
                       (unsigned long long)first_row, (unsigned long long)row_count, part,
                       (unsigned long long)part_rows);
    }
    for (uint32_t i = 0; i < c->output_count; i++) {
        wr_vector_set_release(c->outputs[i].dictionary);
        c->outputs[i].dictionary = NULL;
    }
    wr_arena_deinit(&c->arena);
    wr_arena_init(&c->arena, c->allocator);
    c->part = part;
    bool none;
    c->base.counters.parts++;
    wr_pq_cursor_use_zones(c, &none);
    if (none || row_count == 0) {
        c->base.counters.parts_pruned += none;
        return WR_OK;
    }
    c->ranges = WR_ARENA_NEW(&c->arena, wr_pq_rows);
    if (!c->ranges) return wr_fail_memory(err, sizeof(wr_pq_rows), "a scan");
    c->ranges[0] = (wr_pq_rows){first_row, first_row + row_count};
    c->range_count = 1;
    for (uint32_t i = 0; i < c->column_count; i++) {
        uint32_t leaf = f->schema.columns[c->columns[i].file_column].leaf;
        WR_TRY(wr_pq_reader_begin(&c->readers[i], &f->footer.row_groups[part].chunks[leaf], part_rows, err));
    }
    WR_TRY(wr_pq_cursor_use_indexes(c, err));
    if (c->range_count == 0) {
        c->base.counters.parts_pruned++;
        return WR_OK;
    }
    c->row = c->ranges[0].first;
    bool whole = c->range_count == 1 && c->ranges[0].end - c->ranges[0].first == part_rows;
    return whole ? read_ahead(c, err) : WR_OK;
}

/* ---- windows ---- */

/* Filters windows until one has rows that pass; c->window_pending says if there was one. */
static wr_status next_window(wr_pq_cursor *c, wr_error *err) {
    while (!c->window_pending && c->range_at < c->range_count) {
        const wr_pq_rows *range = &c->ranges[c->range_at];
        uint64_t left = range->end - c->row, skip;
        uint32_t n = left < c->batch_rows ? (uint32_t)left : c->batch_rows;
        WR_TRY(wr_pq_cursor_filter(c, n, &skip, err));
        uint64_t taken = n + (skip < left - n ? skip : left - n);
        c->base.counters.rows_in += taken;
        c->base.counters.rows_out += c->window_passed;
        c->row += taken;
        c->window_pending = c->window_passed > 0;
        if (c->row == range->end && ++c->range_at < c->range_count) c->row = c->ranges[c->range_at].first;
    }
    return WR_OK;
}

static wr_status cursor_next(wr_part_cursor *base, wr_batch *batch, bool *more, wr_error *err) {
    wr_pq_cursor *c = (wr_pq_cursor *)base;
    wr_batch_clear(batch);
    *more = false;
    for (;;) {
        if (!c->window_pending) WR_TRY(next_window(c, err));
        if (!c->window_pending || c->filled + c->window_passed > c->batch_rows) break;
        bool all_pass = c->window_passed == c->window_rows;
        bool is_large = c->window_rows >= c->batch_rows / 2 || c->range_at == c->range_count;
        if (c->filled == 0 && all_pass && is_large) {
            *more = true;
            return wr_pq_output_share(c, batch, err);
        }
        WR_TRY(wr_pq_output_append(c, err));
        if (c->filled > c->batch_rows - c->batch_rows / 8) break;
    }
    *more = c->filled > 0;
    if (*more) wr_pq_output_give(c, batch);
    return WR_OK;
}

static const wr_part_cursor_ops cursor_ops = {cursor_destroy, cursor_begin, cursor_next};
