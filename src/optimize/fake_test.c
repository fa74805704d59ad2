/* Tables that say what files would say, without files. */
#include "optimize/fake_test.h"

#include "plan/function.h"

enum { FAKE_VIEWS = 8, FAKE_TABLES = 64 };

typedef struct known_table {
    wr_table table;
    const fake_table *spec;
    wr_arena arena;
    wr_allocator *allocator;
} known_table;

struct fake_catalog {
    wr_catalog catalog;
    wr_allocator *allocator;
    const fake_table *tables;
    uint32_t table_count;
    wr_table *made[FAKE_TABLES]; /* by table, once it was asked for */
    wr_view views[FAKE_VIEWS];
    uint32_t view_count;
};

static bool has_flag(const fake_column *column, const char *flag) {
    return column->flags && strstr(column->flags, flag);
}

static wr_status read_bound(known_table *t, const char *text, wr_type type, wr_value *out, wr_error *err) {
    wr_value from = {.type = wr_type_of(WR_TYPE_VARCHAR), .text = wr_str_from(text)};
    return wr_value_cast(&from, type, &t->arena, out, err);
}

static wr_status statistics(wr_table *table, uint32_t at, wr_column_statistics *out, wr_error *err) {
    known_table *t = (known_table *)table;
    const fake_column *column = &t->spec->columns[at];
    memset(out, 0, sizeof *out);
    out->null_fraction = has_flag(column, "nullable") ? 0.1 : 0;
    out->distinct_count = column->distinct > 0 ? column->distinct : -1;
    out->ordered = has_flag(column, "ordered");
    out->unique = has_flag(column, "unique");
    if (!column->min) return WR_OK;
    out->proven_bounds = true;
    WR_TRY(read_bound(t, column->min, table->schema.fields[at].type, &out->min, err));
    return read_bound(t, column->max, table->schema.fields[at].type, &out->max, err);
}

static void destroy_table(wr_table *table) {
    known_table *t = (known_table *)table;
    wr_arena_deinit(&t->arena);
    wr_free(t->allocator, t, sizeof *t);
}

static const wr_table_ops ops = {.kind = "fake", .statistics = statistics, .destroy = destroy_table};

static wr_status make_table(fake_catalog *c, const fake_table *spec, wr_table **out, wr_error *err) {
    known_table *t = wr_alloc_zeroed(c->allocator, sizeof *t);
    if (!t) return wr_fail_memory(err, sizeof *t, "table");
    t->spec = spec;
    t->allocator = c->allocator;
    wr_arena_init(&t->arena, c->allocator);
    t->table.ops = &ops;
    t->table.refs = 1;
    t->table.name = wr_str_from(spec->name);
    t->table.row_count = spec->row_count;
    t->table.row_count_exact = true;
    t->table.schema.field_count = spec->column_count;
    t->table.schema.fields = WR_ARENA_ARRAY(&t->arena, wr_field, spec->column_count);
    wr_status status = t->table.schema.fields ? WR_OK : wr_fail_memory(err, 0, "table");
    for (uint32_t i = 0; i < spec->column_count && status == WR_OK; i++) {
        wr_field *field = &t->table.schema.fields[i];
        field->name = wr_str_from(spec->columns[i].name);
        field->nullable = has_flag(&spec->columns[i], "nullable");
        if (!wr_type_parse(wr_str_from(spec->columns[i].type), &t->arena, &field->type))
            status = wr_fail(err, WR_INVALID, "no type %s", spec->columns[i].type);
    }
    if (status == WR_OK) {
        *out = &t->table;
    } else {
        destroy_table(&t->table);
    }
    return status;
}

static wr_status find(wr_catalog *catalog, const wr_str *names, uint32_t name_count, wr_table **table,
                      const wr_view **view, wr_error *err) {
    fake_catalog *c = (fake_catalog *)catalog;
    wr_str name = names[name_count - 1];
    for (uint32_t i = 0; i < c->view_count; i++) {
        if (!wr_str_equal_nocase(c->views[i].name, name)) continue;
        *view = &c->views[i];
        return WR_OK;
    }
    for (uint32_t i = 0; i < c->table_count; i++) {
        if (!wr_str_equal_nocase(wr_str_from(c->tables[i].name), name)) continue;
        if (!c->made[i]) WR_TRY(make_table(c, &c->tables[i], &c->made[i], err));
        *table = wr_table_retain(c->made[i]);
        return WR_OK;
    }
    return wr_fail(err, WR_NOT_FOUND, "no table");
}

static wr_status open_files(wr_catalog *catalog, wr_str pattern, wr_table **table, wr_error *err) {
    (void)catalog;
    (void)table;
    return wr_fail(err, WR_NOT_FOUND, "no file matches '%.*s'", WR_STR_ARGS(pattern));
}

static wr_status names(wr_catalog *catalog, wr_status (*each)(void *user, wr_str name), void *user, wr_error *err) {
    fake_catalog *c = (fake_catalog *)catalog;
    (void)err;
    for (uint32_t i = 0; i < c->table_count; i++) WR_TRY(each(user, wr_str_from(c->tables[i].name)));
    return WR_OK;
}

static const wr_catalog_ops catalog_ops = {find, open_files, names};

fake_catalog *fake_catalog_create(const fake_table *tables, uint32_t table_count, wr_allocator *a) {
    fake_catalog *c = wr_alloc_zeroed(a, sizeof *c);
    if (!c) return NULL;
    c->catalog.ops = &catalog_ops;
    c->allocator = a;
    c->tables = tables;
    c->table_count = table_count;
    return c;
}

void fake_catalog_destroy(fake_catalog *catalog) {
    if (!catalog) return;
    for (uint32_t i = 0; i < FAKE_TABLES; i++) wr_table_release(catalog->made[i]);
    wr_free(catalog->allocator, catalog, sizeof *catalog);
}

wr_catalog *fake_catalog_of(fake_catalog *catalog) {
    return &catalog->catalog;
}

void fake_catalog_add_view(fake_catalog *catalog, const char *name, const wr_node *query) {
    if (catalog->view_count == FAKE_VIEWS) return;
    catalog->views[catalog->view_count++] = (wr_view){.name = wr_str_from(name), .query = query};
}
