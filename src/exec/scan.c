/* The scan source: hands out parts of files in order, one cursor a worker and file.
 *
 * A part is a morsel. Parts that the filters' zone answers exclude are dropped when they are handed out, so that
 * dynamic filters which came in the meantime count; dropped parts take no morsel index. */
#include "exec/scan.h"

typedef struct scan {
    wr_source source;
    wr_table *table;
    wr_scan_column *columns;
    uint32_t column_count, output_count;
    wr_filter_maker *makers;
    uint32_t maker_count;
    wr_scan_filter *zone_filters; /* the source's own copies, for pruning; used under the driver's lock */
    uint32_t file, part;          /* next to hand out */
    uint64_t next_index;
    uint64_t rows_given, rows_total;
    wr_scan_counters counters; /* under source.base.lock, but parts and parts_pruned of pruning in next */
} scan;

typedef struct scan_local {
    wr_part_cursor *cursor;
    uint32_t cursor_file;
    bool in_morsel;
    wr_scan_filter *filters;
    wr_batch out;
} scan_local;

static void destroy_filters(scan *s, wr_scan_filter *filters) {
    if (!filters) return;
    for (uint32_t i = 0; i < s->maker_count; i++) {
        if (filters[i].user) s->makers[i].destroy(s->makers[i].shared, &filters[i]);
    }
    wr_free(s->source.base.exec->allocator, filters, sizeof(wr_scan_filter) * s->maker_count);
}

static wr_status create_filters(scan *s, wr_scan_filter **out, wr_error *err) {
    wr_allocator *a = s->source.base.exec->allocator;
    *out = NULL;
    if (!s->maker_count) return WR_OK;
    wr_scan_filter *filters = wr_alloc_zeroed(a, sizeof(wr_scan_filter) * s->maker_count);
    if (!filters) return wr_fail_memory(err, sizeof(wr_scan_filter) * s->maker_count, "scan filters");
    for (uint32_t i = 0; i < s->maker_count; i++) {
        wr_status status = s->makers[i].create(s->makers[i].shared, a, &filters[i], err);
        if (status != WR_OK) {
            destroy_filters(s, filters);
            return status;
        }
        filters[i].columns = s->makers[i].columns;
        filters[i].column_count = s->makers[i].column_count;
    }
    *out = filters;
    return WR_OK;
}

static void scan_local_destroy(wr_source *source, wr_local *local) {
    scan *s = (scan *)source;
    scan_local *l = (scan_local *)local;
    if (l->cursor) l->cursor->ops->destroy(l->cursor);
    destroy_filters(s, l->filters);
    wr_batch_deinit(&l->out);
    wr_free(source->base.exec->allocator, l, sizeof *l);
}

static wr_status scan_local_create(wr_source *source, wr_local **out, wr_error *err) {
    scan *s = (scan *)source;
    wr_allocator *a = source->base.exec->allocator;
    scan_local *l = wr_alloc_zeroed(a, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "scan");
    wr_status status = wr_batch_init(&l->out, a, s->output_count, err);
    if (status == WR_OK) status = create_filters(s, &l->filters, err);
    if (status != WR_OK) {
        scan_local_destroy(source, (wr_local *)l);
        return status;
    }
    *out = (wr_local *)l;
    return WR_OK;
}

/* ---- morsels ---- */

static bool is_pruned(scan *s, wr_table_file *file, uint32_t part) {
    wr_column_bounds bounds[8];
    for (uint32_t f = 0; f < s->maker_count; f++) {
        wr_scan_filter *filter = &s->zone_filters[f];
        if (!filter->zone || filter->column_count > WR_COUNT_OF(bounds)) continue;
        if (filter->active && !filter->active(filter->user)) continue;
        for (uint32_t c = 0; c < filter->column_count; c++) {
            file->ops->bounds(file, part, s->columns[filter->columns[c]].file_column, &bounds[c]);
        }
        if (filter->zone(filter->user, bounds) == WR_ZONE_NONE) return true;
    }
    return false;
}

/* Hands a part out, unless filters exclude it. */
static bool give_part(scan *s, uint32_t file_index, uint32_t part, wr_morsel *out) {
    wr_table_file *file = s->table->files[file_index];
    s->rows_given += file->parts[part].row_count;
    s->counters.parts++;
    if (is_pruned(s, file, part)) {
        s->counters.parts_pruned++;
        return false;
    }
    *out = (wr_morsel){.index = s->next_index++, .partition = file_index, .first = part, .count = 1};
    return true;
}

bool wr_scan_pick(wr_source *source, uint32_t file, uint32_t part, wr_morsel *out) {
    return give_part((scan *)source, file, part, out);
}

static wr_status scan_next(wr_source *source, wr_morsel *morsel, wr_control *control, wr_flow *flow, wr_waker *waker,
                           wr_error *err) {
    (void)control;
    (void)waker;
    (void)err;
    scan *s = (scan *)source;
    while (s->file < s->table->file_count) {
        wr_table_file *file = s->table->files[s->file];
        if (s->part == file->part_count) {
            s->file++;
            s->part = 0;
            continue;
        }
        if (!give_part(s, s->file, s->part++, morsel)) continue;
        *flow = WR_HAVE_OUTPUT;
        return WR_OK;
    }
    *flow = WR_DONE;
    return WR_OK;
}

/* ---- batches ---- */

static void add_cursor_counters(scan *s, scan_local *l) {
    const wr_scan_counters *c = &l->cursor->counters;
    wr_mutex_lock(&s->source.base.lock);
    s->counters.pages_inflated += c->pages_inflated;
    s->counters.pages_skipped += c->pages_skipped;
    s->counters.bytes_read += c->bytes_read;
    s->counters.bytes_inflated += c->bytes_inflated;
    s->counters.rows_in += c->rows_in;
    s->counters.rows_out += c->rows_out;
    wr_mutex_unlock(&s->source.base.lock);
    l->cursor->counters = (wr_scan_counters){0};
}

static wr_status open_cursor(scan *s, scan_local *l, uint32_t file_index, wr_error *err) {
    if (l->cursor && l->cursor_file == file_index) return WR_OK;
    if (l->cursor) l->cursor->ops->destroy(l->cursor);
    l->cursor = NULL;
    wr_exec *exec = s->source.base.exec;
    wr_table_file *file = s->table->files[file_index];
    wr_scan_spec spec = {
        .kernels = exec->environment.kernels,
        .columns = s->columns,
        .column_count = s->column_count,
        .filters = l->filters,
        .filter_count = s->maker_count,
        .batch_rows = exec->batch_rows,
        .cancelled = &exec->cancelled,
    };
    WR_TRY(file->ops->cursor_create(&l->cursor, file, exec->allocator, &spec, err));
    l->cursor_file = file_index;
    return WR_OK;
}

static wr_status scan_read(wr_source *source, wr_local *local, const wr_morsel *morsel, wr_batch **out, wr_flow *flow,
                           wr_waker *waker, wr_error *err) {
    (void)waker;
    scan *s = (scan *)source;
    scan_local *l = (scan_local *)local;
    if (!l->in_morsel) {
        WR_TRY(open_cursor(s, l, morsel->partition, err));
        wr_table_file *file = s->table->files[morsel->partition];
        uint64_t rows = file->parts[morsel->first].row_count;
        WR_TRY(l->cursor->ops->begin(l->cursor, (uint32_t)morsel->first, 0, rows, err));
        l->in_morsel = true;
    }
    bool more = false;
    WR_TRY(l->cursor->ops->next(l->cursor, &l->out, &more, err));
    if (!more) {
        add_cursor_counters(s, l);
        l->in_morsel = false;
        *flow = WR_NEED_INPUT;
        return WR_OK;
    }
    *out = &l->out;
    *flow = WR_HAVE_OUTPUT;
    return WR_OK;
}

static double scan_progress(wr_source *source) {
    scan *s = (scan *)source;
    return s->rows_total ? (double)s->rows_given / (double)s->rows_total : 0;
}

static void scan_destroy(wr_source *source) {
    scan *s = (scan *)source;
    wr_allocator *a = source->base.exec->allocator;
    destroy_filters(s, s->zone_filters);
    for (uint32_t i = 0; i < s->maker_count; i++) {
        if (s->makers[i].release) s->makers[i].release(s->makers[i].shared);
        wr_free(a, s->makers[i].columns, sizeof(uint32_t) * s->makers[i].column_count);
    }
    wr_free(a, s->makers, sizeof(wr_filter_maker) * s->maker_count);
    wr_free(a, s->columns, sizeof(wr_scan_column) * s->column_count);
    if (s->table) wr_table_release(s->table);
    wr_node_base_deinit(&source->base);
    wr_free(a, s, sizeof *s);
}

static const wr_source_ops scan_ops = {
    .name = "SCAN",
    .destroy = scan_destroy,
    .local_create = scan_local_create,
    .local_destroy = scan_local_destroy,
    .next = scan_next,
    .read = scan_read,
    .progress = scan_progress,
};

const wr_scan_counters *wr_scan_counters_of(const wr_node_base *node) {
    const wr_source *source = (const wr_source *)((const char *)node - offsetof(wr_source, base));
    return strcmp(node->label, "SCAN") == 0 ? &((const scan *)source)->counters : NULL;
}

static void release_makers(wr_exec *exec, const wr_scan_source_spec *spec) {
    for (uint32_t i = 0; i < spec->maker_count; i++) {
        if (spec->makers[i].release) spec->makers[i].release(spec->makers[i].shared);
        wr_free(exec->allocator, spec->makers[i].columns, sizeof(uint32_t) * spec->makers[i].column_count);
    }
}

wr_status wr_scan_create(wr_source **out, wr_exec *exec, const wr_scan_source_spec *spec, wr_error *err) {
    wr_allocator *a = exec->allocator;
    scan *s = wr_alloc_zeroed(a, sizeof *s);
    if (!s) {
        release_makers(exec, spec);
        return wr_fail_memory(err, sizeof *s, "scan");
    }
    s->source.ops = &scan_ops;
    wr_node_base_init(&s->source.base, exec, "SCAN", spec->logical_id);
    if (spec->maker_count) {
        s->makers = wr_alloc(a, sizeof(wr_filter_maker) * spec->maker_count);
        if (!s->makers) {
            release_makers(exec, spec);
            scan_destroy(&s->source);
            return wr_fail_memory(err, sizeof(wr_filter_maker) * spec->maker_count, "scan filters");
        }
        memcpy(s->makers, spec->makers, sizeof(wr_filter_maker) * spec->maker_count);
        s->maker_count = spec->maker_count;
    }
    s->table = wr_table_retain(spec->table);
    s->output_count = spec->output_count;
    wr_status status = WR_OK;
    s->columns = wr_alloc(a, sizeof(wr_scan_column) * spec->column_count);
    if (!s->columns) status = wr_fail_memory(err, sizeof(wr_scan_column) * spec->column_count, "scan");
    if (status == WR_OK) {
        s->column_count = spec->column_count;
        for (uint32_t i = 0; i < spec->column_count; i++)
            s->columns[i] = (wr_scan_column){spec->columns[i], i < spec->output_count};
        status = create_filters(s, &s->zone_filters, err);
    }
    if (status != WR_OK) {
        scan_destroy(&s->source);
        return status;
    }
    for (uint32_t i = 0; i < s->table->file_count; i++) s->rows_total += s->table->files[i]->row_count;
    *out = &s->source;
    return WR_OK;
}
