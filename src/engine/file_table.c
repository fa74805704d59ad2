/* Files as a table, and what their metadata say about its columns.
 *
 * Statistics are worked out once a column, when somebody asks, from the bounds of all parts; one part's dictionary is
 * looked at to guess how many different values there are. */
#include "base/lock.h"
#include "engine/catalog.h"

typedef struct column_facts {
    bool known;
    wr_column_statistics statistics;
} column_facts;

typedef struct file_table {
    wr_table table;
    wr_allocator *allocator;
    wr_arena arena; /* name, schema */
    wr_mutex lock;  /* of facts */
    column_facts *facts;
} file_table;

static void file_table_destroy(wr_table *table) {
    file_table *t = (file_table *)table;
    wr_allocator *a = t->allocator;
    for (uint32_t i = 0; i < table->file_count; i++) wr_table_file_release(table->files[i]);
    wr_mutex_deinit(&t->lock);
    wr_arena_deinit(&t->arena);
    wr_free(a, t, sizeof *t);
}

/* ---- statistics ---- */

static void widen(wr_column_statistics *s, const wr_column_bounds *b, bool first) {
    if (first || wr_value_compare(&b->min, &s->min) < 0) s->min = b->min;
    if (first || wr_value_compare(&b->max, &s->max) > 0) s->max = b->max;
}

/* Bounds, NULLs and order of all parts. */
static void add_parts(const wr_table *table, uint32_t column, wr_column_statistics *s) {
    wr_value previous_max = {.is_null = true};
    bool first = true, bounded = true, counted = true, ordered = true;
    double nulls = 0, rows = 0;
    for (uint32_t f = 0; f < table->file_count; f++) {
        wr_table_file *file = table->files[f];
        for (uint32_t p = 0; p < file->part_count; p++) {
            wr_column_bounds b;
            file->ops->bounds(file, p, column, &b);
            rows += (double)b.row_count;
            if (b.null_count < 0) counted = false;
            nulls += b.null_count > 0 ? (double)b.null_count : 0;
            if (b.row_count == 0 || (b.null_count >= 0 && b.null_count == b.row_count)) continue;
            if (!b.has_bounds) {
                bounded = ordered = false;
                continue;
            }
            if (b.null_count != 0) ordered = false;
            if (!previous_max.is_null && wr_value_compare(&b.min, &previous_max) < 0) ordered = false;
            previous_max = b.max;
            widen(s, &b, first);
            first = false;
        }
    }
    s->proven_bounds = bounded && !first;
    s->ordered = ordered && s->proven_bounds;
    s->null_fraction = counted && rows > 0 ? nulls / rows : -1;
}

static double integer_domain(const wr_column_statistics *s) {
    if (!s->proven_bounds) return -1;
    switch (wr_type_phys(s->min.type)) {
    case WR_PHYS_I8:
    case WR_PHYS_I16:
    case WR_PHYS_I32:
    case WR_PHYS_I64: return (double)s->max.i64 - (double)s->min.i64 + 1;
    case WR_PHYS_U8:
    case WR_PHYS_U16:
    case WR_PHYS_U32:
    case WR_PHYS_U64: return (double)s->max.u64 - (double)s->min.u64 + 1;
    default: return -1;
    }
}

/* A dictionary that is small against its part is taken for all there is; a large one grows with the table. */
static wr_status guess_distinct(const wr_table *table, uint32_t column, wr_column_statistics *s, wr_error *err) {
    s->distinct_count = -1;
    double domain = integer_domain(s);
    wr_table_file *file = table->file_count ? table->files[0] : NULL;
    if (file && file->part_count && file->ops->sample) {
        wr_column_bounds b = {.distinct_count = -1};
        WR_TRY(file->ops->sample(file, file->part_count / 2, column, &b, err));
        if (b.distinct_count >= 0 && b.row_count > 0) {
            double share = (double)b.distinct_count / (double)b.row_count;
            s->distinct_count = share < 0.1 ? (double)b.distinct_count : share * table->row_count;
        }
    }
    if (domain > 0 && (s->distinct_count < 0 || domain < s->distinct_count)) s->distinct_count = domain;
    if (s->distinct_count > table->row_count) s->distinct_count = table->row_count;
    return WR_OK;
}

static wr_status file_table_statistics(wr_table *table, uint32_t column, wr_column_statistics *out, wr_error *err) {
    file_table *t = (file_table *)table;
    wr_mutex_lock(&t->lock);
    bool known = t->facts[column].known;
    if (known) *out = t->facts[column].statistics;
    wr_mutex_unlock(&t->lock);
    if (known) return WR_OK;
    *out = (wr_column_statistics){.null_fraction = -1, .distinct_count = -1};
    add_parts(table, column, out);
    WR_TRY(guess_distinct(table, column, out, err));
    wr_mutex_lock(&t->lock);
    t->facts[column] = (column_facts){true, *out};
    wr_mutex_unlock(&t->lock);
    return WR_OK;
}

/* Runs the filter over the first rows of a part in the middle. */
static wr_status file_table_sample(wr_table *table, uint32_t column, wr_scan_filter *filter, double *out,
                                   wr_error *err) {
    enum { SAMPLE_ROWS = 4096 };
    file_table *t = (file_table *)table;
    *out = -1;
    wr_table_file *file = table->file_count ? table->files[table->file_count / 2] : NULL;
    if (!file || file->part_count == 0) return WR_OK;
    uint32_t part = file->part_count / 2, positions[1] = {0};
    filter->columns = positions;
    filter->column_count = 1;
    wr_scan_column columns[1] = {{column, false}};
    wr_scan_spec spec = {
        .kernels = wr_kernels_best(),
        .columns = columns,
        .column_count = 1,
        .filters = filter,
        .filter_count = 1,
        .batch_rows = WR_BATCH_ROWS,
    };
    uint64_t rows = file->parts[part].row_count < SAMPLE_ROWS ? file->parts[part].row_count : SAMPLE_ROWS, passed = 0;
    if (rows == 0) return WR_OK;
    wr_part_cursor *cursor = NULL;
    wr_batch batch;
    WR_TRY(wr_batch_init(&batch, t->allocator, 0, err));
    wr_status status = file->ops->cursor_create(&cursor, file, t->allocator, &spec, err);
    if (status == WR_OK) status = cursor->ops->begin(cursor, part, 0, rows, err);
    for (bool more = true; status == WR_OK && more;) {
        status = cursor->ops->next(cursor, &batch, &more, err);
        if (status == WR_OK && more) passed += batch.sel_count;
    }
    if (cursor) cursor->ops->destroy(cursor);
    wr_batch_deinit(&batch);
    if (status == WR_OK) *out = (double)passed / (double)rows;
    return status;
}

static const wr_table_ops file_table_ops = {
    .kind = "files",
    .statistics = file_table_statistics,
    .sample_selectivity = file_table_sample,
    .destroy = file_table_destroy,
};

/* ---- making one ---- */

static wr_status check_same_schema(const wr_table_file *first, const wr_table_file *other, wr_error *err) {
    wr_str path = wr_object_describe(other->object)->path, base = wr_object_describe(first->object)->path;
    if (other->schema.field_count != first->schema.field_count) {
        wr_fail(err, WR_INVALID, "file '%.*s' has %u columns, but '%.*s' has %u", WR_STR_ARGS(path),
                other->schema.field_count, WR_STR_ARGS(base), first->schema.field_count);
        return wr_hint(err, "files that are read as one table need the same columns; name a narrower pattern");
    }
    for (uint32_t i = 0; i < first->schema.field_count; i++) {
        const wr_field *a = &first->schema.fields[i], *b = &other->schema.fields[i];
        if (wr_str_equal(a->name, b->name) && wr_type_equal(a->type, b->type)) continue;
        wr_fail(err, WR_INVALID,
                "column %u of file '%.*s' is \"%.*s\", but in '%.*s' it is \"%.*s\" or has another type", i + 1,
                WR_STR_ARGS(path), WR_STR_ARGS(b->name), WR_STR_ARGS(base), WR_STR_ARGS(a->name));
        return wr_hint(err, "files that are read as one table need the same columns; name a narrower pattern");
    }
    return WR_OK;
}

wr_status wr_file_table_create(wr_table **out, wr_allocator *a, wr_str name, wr_table_file **files, uint32_t file_count,
                               wr_error *err) {
    wr_status status = WR_OK;
    file_table *t = wr_alloc_zeroed(a, sizeof *t);
    if (!t) status = wr_fail_memory(err, sizeof *t, "table");
    for (uint32_t i = 1; status == WR_OK && i < file_count; i++) status = check_same_schema(files[0], files[i], err);
    if (status != WR_OK) {
        for (uint32_t i = 0; i < file_count; i++) wr_table_file_release(files[i]);
        wr_free(a, t, sizeof *t);
        return status;
    }
    t->allocator = a;
    t->table = (wr_table){.ops = &file_table_ops, .refs = 1, .row_count_exact = true};
    wr_arena_init(&t->arena, a);
    wr_mutex_init(&t->lock);
    uint32_t columns = files[0]->schema.field_count;
    t->table.files = WR_ARENA_ARRAY(&t->arena, wr_table_file *, file_count);
    t->facts = WR_ARENA_ARRAY(&t->arena, column_facts, columns ? columns : 1);
    t->table.name = wr_arena_copy(&t->arena, name);
    t->table.schema = files[0]->schema;
    bool complete = t->table.files && t->facts && t->table.name.data;
    for (uint32_t i = 0; i < file_count; i++) {
        if (complete) {
            t->table.files[t->table.file_count++] = files[i];
            t->table.row_count += (double)files[i]->row_count;
        } else {
            wr_table_file_release(files[i]);
        }
    }
    *out = &t->table;
    if (complete) return WR_OK;
    wr_table_release(&t->table);
    *out = NULL;
    return wr_fail_memory(err, sizeof(column_facts) * columns, "table");
}
