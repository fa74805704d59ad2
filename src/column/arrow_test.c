/* Rows go out as Arrow arrays and come back the same, in every type, kind, layout and selection; what is shared is
 * seen by its address. Arrays of other makers are in arrow_import_test.c. */
#include "base/arena.h"
#include "column/arrow.h"
#include "column/vector_internal.h"
#include "column/vector_test_values.h"
#include "tests/unit/test.h"

static const char *const type_names[] = {
    "NULL",
    "BOOLEAN",
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL(9,2)",
    "DECIMAL(30,5)",
    "VARCHAR",
    "BLOB",
    "DATE",
    "TIME",
    "TIMESTAMP_S",
    "TIMESTAMP",
    "TIMESTAMP_NS",
    "TIMESTAMPTZ",
    "INTERVAL",
    "UUID",
    "VARCHAR[]",
    "DECIMAL(9,2)[][]",
    "STRUCT(a INTEGER, b VARCHAR, c BOOLEAN[])",
    "STRUCT(a STRUCT(b BIGINT, c TIME))[]",
    "MAP(VARCHAR, DOUBLE)",
    "MAP(DATE, STRUCT(x UUID, y INTERVAL)[])",
};

static wr_type parse(wr_arena *arena, const char *name) {
    wr_type type = wr_type_of(WR_TYPE_NULL);
    WR_CHECK(wr_type_parse(wr_str_from(name), arena, &type));
    return type;
}

/* A schema as a consumer would write it: one column. */
typedef struct request {
    struct ArrowSchema rows, column, child;
    struct ArrowSchema *columns[1], *children[1];
} request;

static const struct ArrowSchema *request_format(request *r, const char *format) {
    *r = (request){.rows = {.format = "+s", .n_children = 1}, .column = {.format = format}};
    r->columns[0] = &r->column;
    r->children[0] = &r->child;
    r->rows.children = r->columns;
    r->column.children = r->children;
    return &r->rows;
}

static const struct ArrowSchema *request_child(request *r, const char *format, const char *child) {
    (void)request_format(r, format);
    r->child.format = child;
    r->column.n_children = 1;
    return &r->rows;
}

static const struct ArrowSchema *request_dictionary(request *r, const char *index, const char *values) {
    (void)request_format(r, index);
    r->child.format = values;
    r->column.dictionary = &r->child;
    return &r->rows;
}

/* One column that shows v, of which `sel` (NULL: all) are selected. */
static wr_status make_batch(wr_batch *batch, const wr_vector *v, const uint16_t *sel, uint32_t sel_count,
                            wr_error *err) {
    WR_TRY(wr_batch_init(batch, wr_test_allocator(), 1, err));
    wr_vector_share(&batch->columns[0], v);
    wr_batch_set_rows(batch, v->row_count);
    batch->sel = sel;
    if (sel) batch->sel_count = sel_count;
    return WR_OK;
}

typedef struct trip {
    wr_budget *budget;
    wr_arena arena;
    wr_schema columns;
    struct ArrowSchema schema;
    struct ArrowArray array;
    wr_arrow_import *import;
} trip;

static wr_status go_out(trip *t, const wr_batch *batch, const struct ArrowSchema *requested, wr_error *err) {
    wr_field field = {WR_STR("x"), batch->columns[0].type, true};
    wr_schema schema = {1, &field};
    WR_TRY(wr_arrow_schema_export(&t->schema, wr_test_allocator(), &schema, requested, err));
    return wr_arrow_batch_export(&t->array, wr_test_allocator(), batch, &t->schema, err);
}

static wr_status come_back(trip *t, wr_error *err) {
    wr_arena_init(&t->arena, wr_test_allocator());
    WR_TRY(wr_budget_create(&t->budget, NULL, wr_test_allocator(), "import", WR_BUDGET_NO_LIMIT, err));
    WR_TRY(wr_arrow_schema_import(&t->columns, &t->arena, &t->schema, err));
    return wr_arrow_import_create(&t->import, t->budget, &t->columns, &t->schema, &t->array, err);
}

static void end_trip(trip *t) {
    wr_arrow_import_destroy(t->import);
    if (t->array.release) t->array.release(&t->array);
    if (t->schema.release) t->schema.release(&t->schema);
    if (t->arena.allocator) wr_arena_deinit(&t->arena);
    wr_budget_close(t->budget);
    *t = (trip){0};
}

/* Rows [first, first + seen->row_count) of what was selected of v. */
static bool check_rows(const wr_vector *seen, const wr_vector *v, const uint16_t *sel, uint32_t first) {
    wr_arena arena;
    wr_arena_init(&arena, wr_system_allocator());
    bool ok = true;
    for (uint32_t i = 0; i < seen->row_count && ok; i++) {
        wr_value a, b;
        uint32_t row = sel ? sel[first + i] : first + i;
        ok = WR_CHECK_OK(wr_vector_value(seen, i, &arena, &a, NULL), NULL) &&
             WR_CHECK_OK(wr_vector_value(v, row, &arena, &b, NULL), NULL);
        if (b.type.id == WR_TYPE_HUGEINT) b.type = wr_type_decimal(38, 0);
        bool same = wr_value_equal(&a, &b);
        if (same && b.type.id == WR_TYPE_INTERVAL && !b.is_null)
            same = memcmp(&a.interval, &b.interval, sizeof a.interval) == 0;
        if (same) continue;
        wr_text text;
        wr_text_init(&text, wr_system_allocator());
        wr_value_print(&text, &a);
        wr_text_addz(&text, ", expected ");
        wr_value_print(&text, &b);
        ok = wr_test_fail(__FILE__, __LINE__, "row %u, kind %d: %s", first + i, v->kind, text.data);
        wr_text_deinit(&text);
    }
    wr_arena_deinit(&arena);
    return ok;
}

static int64_t count_nulls(const wr_vector *v, const uint16_t *sel, uint32_t count) {
    wr_arena arena;
    int64_t nulls = 0;
    wr_arena_init(&arena, wr_system_allocator());
    for (uint32_t i = 0; i < count; i++) {
        wr_value value;
        WR_CHECK_OK(wr_vector_value(v, sel ? sel[i] : i, &arena, &value, NULL), NULL);
        nulls += value.is_null;
    }
    wr_arena_deinit(&arena);
    return nulls;
}

static wr_status read_parts(trip *t, const wr_vector *v, const uint16_t *sel, uint32_t part, wr_error *err) {
    wr_vector seen = {0};
    wr_status status = WR_OK;
    uint32_t count = (uint32_t)wr_arrow_import_row_count(t->import);
    for (uint32_t first = 0; first < count && status == WR_OK; first += part) {
        uint32_t rows = count - first < part ? count - first : part;
        status = wr_arrow_import_column(t->import, 0, first, rows, &seen, wr_test_allocator(), err);
        if (status == WR_OK && (!WR_CHECK_EQ_INT(seen.row_count, rows) || !check_rows(&seen, v, sel, first))) break;
    }
    wr_vector_deinit(&seen);
    return status;
}

/* Out and back, read whole and in parts. */
static wr_status round_trip(const wr_vector *v, const uint16_t *sel, uint32_t sel_count,
                            const struct ArrowSchema *requested, wr_error *err) {
    trip t = {0};
    wr_batch batch = {0};
    uint32_t count = sel ? sel_count : v->row_count;
    wr_status status = make_batch(&batch, v, sel, sel_count, err);
    if (status == WR_OK) status = go_out(&t, &batch, requested, err);
    wr_batch_deinit(&batch);
    if (status == WR_OK) {
        WR_CHECK_EQ_INT(t.array.length, count);
        /* Entries of a dictionary may be NULL where its rows are not. */
        if (!t.schema.children[0]->dictionary)
            WR_CHECK_EQ_INT(t.array.children[0]->null_count, count_nulls(v, sel, count));
        status = come_back(&t, err);
    }
    if (status == WR_OK && v->type.id != WR_TYPE_HUGEINT) WR_CHECK(wr_type_equal(t.columns.fields[0].type, v->type));
    if (status == WR_OK) status = read_parts(&t, v, sel, WR_BATCH_ROWS_MAX, err);
    if (status == WR_OK) status = read_parts(&t, v, sel, 64, err);
    if (status == WR_OK && count <= 200) status = read_parts(&t, v, sel, 1, err);
    if (status == WR_OK) status = read_parts(&t, v, sel, 97, err);
    end_trip(&t);
    return status;
}

static uint32_t some_rows(uint16_t *out, uint32_t row_count) {
    uint32_t count = 0;
    for (uint32_t row = 0; row < row_count; row++) {
        if (random_below(3) == 0) out[count++] = (uint16_t)row;
    }
    return count;
}

static void check_round_trips(const wr_vector *v, const struct ArrowSchema *requested) {
    uint16_t sel[3000];
    wr_error err;
    WR_CHECK_OK(round_trip(v, NULL, 0, requested, &err), &err);
    WR_CHECK_OK(round_trip(v, sel, some_rows(sel, v->row_count), requested, &err), &err);
    WR_CHECK_OK(round_trip(v, sel, 0, requested, &err), &err);
}

/* Every kind, in several sizes, without and with NULLs, and all NULL. */
static void for_all_vectors(const char *type_name, const struct ArrowSchema *requested) {
    static const uint32_t sizes[] = {0, 1, 3, 65, 2100}, nulls[] = {0, 3, 10};
    wr_arena arena;
    wr_arena_init(&arena, wr_system_allocator());
    wr_type type = parse(&arena, type_name);
    for (int kind = WR_FLAT; kind <= WR_DICTIONARY; kind++) {
        for (size_t i = 0; i < WR_COUNT_OF(sizes) * WR_COUNT_OF(nulls); i++) {
            uint32_t rows = sizes[i / WR_COUNT_OF(nulls)];
            uint32_t null_share = type.id == WR_TYPE_NULL ? 10 : nulls[i % WR_COUNT_OF(nulls)];
            wr_vector v = {0};
            if (WR_CHECK_OK(random_vector(&v, wr_test_allocator(), type, (wr_vector_kind)kind, rows, null_share, NULL),
                            NULL))
                check_round_trips(&v, requested);
            wr_vector_deinit(&v);
        }
    }
    wr_arena_deinit(&arena);
}

WR_TEST(arrow, all_types_go_out_and_come_back) {
    for (size_t i = 0; i < WR_COUNT_OF(type_names); i++) for_all_vectors(type_names[i], NULL);
}

WR_TEST(arrow, layouts_on_request) {
    request r;
    for_all_vectors("VARCHAR", request_format(&r, "U"));
    for_all_vectors("VARCHAR", request_format(&r, "vu"));
    for_all_vectors("BLOB", request_format(&r, "Z"));
    for_all_vectors("BLOB", request_format(&r, "vz"));
    for_all_vectors("DECIMAL(9,2)", request_format(&r, "d:9,2,64"));
    for_all_vectors("DECIMAL(30,5)", request_format(&r, "d:30,5,128"));
    for_all_vectors("TIMESTAMPTZ", request_format(&r, "tsu:Asia/Tokyo"));
    for_all_vectors("VARCHAR[]", request_child(&r, "+L", "vu"));
    for_all_vectors("VARCHAR[]", request_child(&r, "+vl", "U"));
}

WR_TEST(arrow, dictionaries_on_request) {
    static const char *const indices[] = {"i", "I", "l", "L", "s", "S"};
    request r;
    for (size_t i = 0; i < WR_COUNT_OF(indices); i++)
        for_all_vectors("VARCHAR", request_dictionary(&r, indices[i], "u"));
    for_all_vectors("BOOLEAN", request_dictionary(&r, "i", "b"));
    for_all_vectors("DECIMAL(9,2)", request_dictionary(&r, "S", "d:9,2,64"));
}

static wr_vector make_numbers(uint32_t count) {
    wr_vector v = {0};
    WR_CHECK_OK(wr_vector_prepare(&v, wr_test_allocator(), wr_type_of(WR_TYPE_BIGINT), count, true, NULL), NULL);
    for (uint32_t i = 0; i < count; i++) {
        ((int64_t *)wr_vector_data_mut(&v))[i] = i;
        wr_bit_put(wr_vector_validity_mut(&v), i, i % 7 > 0);
    }
    return v;
}

WR_TEST(arrow, flat_columns_are_given_without_a_copy_and_live_on) {
    wr_vector v = make_numbers(2000), part = {0};
    const void *data = v.data, *validity = v.validity;
    wr_batch batch;
    trip t = {0}, parts = {0};
    WR_CHECK_OK(wr_vector_slice(&part, wr_test_allocator(), &v, 128, 1000, NULL), NULL);
    WR_CHECK_OK(make_batch(&batch, &v, NULL, 0, NULL), NULL);
    WR_CHECK_OK(go_out(&t, &batch, NULL, NULL), NULL);
    wr_batch_deinit(&batch);
    WR_CHECK_OK(make_batch(&batch, &part, NULL, 0, NULL), NULL);
    WR_CHECK_OK(go_out(&parts, &batch, NULL, NULL), NULL);
    wr_batch_deinit(&batch);
    wr_vector_deinit(&part);
    wr_vector_deinit(&v);
    WR_CHECK(t.array.children[0]->buffers[0] == validity && t.array.children[0]->buffers[1] == data);
    WR_CHECK(parts.array.children[0]->buffers[0] == (const uint64_t *)validity + 2);
    WR_CHECK(parts.array.children[0]->buffers[1] == (const int64_t *)data + 128);
    WR_CHECK_EQ_INT(parts.array.children[0]->null_count, 143);
    end_trip(&t);
    WR_CHECK_EQ_INT(((const int64_t *)parts.array.children[0]->buffers[1])[999], 1127);
    end_trip(&parts);
}

WR_TEST(arrow, what_has_no_owner_is_copied) {
    static const int64_t numbers[] = {1, 2, 3};
    wr_vector v = {.type = wr_type_of(WR_TYPE_BIGINT), .phys = WR_PHYS_I64, .row_count = 3, .data = numbers};
    wr_batch batch;
    trip t = {0};
    WR_CHECK_OK(make_batch(&batch, &v, NULL, 0, NULL), NULL);
    WR_CHECK_OK(go_out(&t, &batch, NULL, NULL), NULL);
    wr_batch_deinit(&batch);
    WR_CHECK(t.array.children[0]->buffers[1] != numbers);
    WR_CHECK_EQ_BYTES(t.array.children[0]->buffers[1], numbers, sizeof numbers);
    end_trip(&t);
}

WR_TEST(arrow, children_live_on_when_they_are_moved_out) {
    wr_vector v = make_numbers(10);
    wr_batch batch;
    trip t = {0};
    WR_CHECK_OK(make_batch(&batch, &v, NULL, 0, NULL), NULL);
    WR_CHECK_OK(go_out(&t, &batch, NULL, NULL), NULL);
    wr_batch_deinit(&batch);
    wr_vector_deinit(&v);
    struct ArrowArray column = *t.array.children[0];
    struct ArrowSchema schema = *t.schema.children[0];
    t.array.children[0]->release = NULL;
    t.schema.children[0]->release = NULL;
    end_trip(&t);
    WR_CHECK_EQ_INT(((const int64_t *)column.buffers[1])[9], 9);
    WR_CHECK_EQ_STR(schema.name, "x");
    column.release(&column);
    schema.release(&schema);
    WR_CHECK(!column.release && !schema.release);
}

WR_TEST(arrow, parts_of_an_import_point_into_it) {
    wr_vector v = make_numbers(5000), whole = {0}, part = {0}, tail = {0};
    const int64_t *data = v.data;
    wr_batch batch;
    trip t = {0};
    WR_CHECK_OK(make_batch(&batch, &v, NULL, 0, NULL), NULL);
    WR_CHECK_OK(go_out(&t, &batch, NULL, NULL), NULL);
    wr_batch_deinit(&batch);
    WR_CHECK_OK(come_back(&t, NULL), NULL);
    WR_CHECK(t.array.release == NULL);
    WR_CHECK_OK(wr_arrow_import_column(t.import, 0, 2048, 2048, &part, wr_test_allocator(), NULL), NULL);
    WR_CHECK_OK(wr_arrow_import_column(t.import, 0, 4096, 904, &tail, wr_test_allocator(), NULL), NULL);
    WR_CHECK_OK(wr_arrow_import_column(t.import, 0, 0, 5000, &whole, wr_test_allocator(), NULL), NULL);
    WR_CHECK(part.data == data + 2048 && part.validity == v.validity + 32);
    WR_CHECK(tail.data != data + 4096 && whole.data != data);
    wr_arrow_import_destroy(t.import);
    t.import = NULL;
    wr_vector_deinit(&v);
    check_rows(&part, &whole, NULL, 2048);
    check_rows(&tail, &whole, NULL, 4096);
    WR_CHECK(wr_budget_used(t.budget) >= 5000 * 8);
    wr_vector_deinit(&part);
    WR_CHECK(wr_budget_used(t.budget) < 5000 * 8);
    wr_vector_deinit(&tail);
    wr_vector_deinit(&whole);
    end_trip(&t);
}

/* The memory of an import goes when the last vector does, also after its budget was closed. */
WR_TEST(arrow, imports_outlive_their_budget) {
    wr_vector v = make_numbers(5000), part = {0};
    wr_batch batch;
    trip t = {0};
    WR_CHECK_OK(make_batch(&batch, &v, NULL, 0, NULL), NULL);
    WR_CHECK_OK(go_out(&t, &batch, NULL, NULL), NULL);
    wr_batch_deinit(&batch);
    WR_CHECK_OK(come_back(&t, NULL), NULL);
    WR_CHECK_OK(wr_arrow_import_column(t.import, 0, 64, 2048, &part, wr_test_allocator(), NULL), NULL);
    end_trip(&t);
    check_rows(&part, &v, NULL, 64);
    wr_vector_deinit(&part);
    wr_vector_deinit(&v);
}

WR_TEST(arrow, string_views_share_their_heap_while_it_is_alive) {
    wr_vector v = {0};
    wr_batch batch;
    trip t = {0};
    request r;
    char *text;
    WR_CHECK_OK(wr_vector_prepare(&v, wr_test_allocator(), wr_type_of(WR_TYPE_VARCHAR), 100, false, NULL), NULL);
    wr_string_view *views = wr_vector_data_mut(&v);
    for (uint32_t i = 0; i < 100; i++) {
        WR_CHECK_OK(wr_heap_alloc(v.heap, 40, &text, NULL), NULL);
        memset(text, 'a' + (int)(i % 26), 40);
        views[i] = wr_view_make(text, i % 10 ? 40 : 3);
    }
    const void *heap = v.heap->buffers[0]->data;
    WR_CHECK_OK(make_batch(&batch, &v, NULL, 0, NULL), NULL);
    WR_CHECK_OK(go_out(&t, &batch, request_format(&r, "vu"), NULL), NULL);
    WR_CHECK_EQ_INT(t.array.children[0]->n_buffers, 4);
    WR_CHECK(t.array.children[0]->buffers[2] == heap);
    end_trip(&t);
    static const uint16_t few[] = {3, 50};
    batch.sel = few;
    batch.sel_count = 2;
    WR_CHECK_OK(go_out(&t, &batch, request_format(&r, "vu"), NULL), NULL);
    WR_CHECK_EQ_INT(t.array.children[0]->n_buffers, 4);
    WR_CHECK(t.array.children[0]->buffers[2] != heap);
    WR_CHECK_EQ_INT(((const int64_t *)t.array.children[0]->buffers[3])[0], 40);
    end_trip(&t);
    wr_batch_deinit(&batch);
    wr_vector_deinit(&v);
}

WR_TEST(arrow, a_dictionary_is_given_with_what_its_rows_use) {
    wr_arena arena;
    wr_vector v = {0}, part = {0};
    wr_batch batch;
    trip t = {0};
    request r;
    wr_arena_init(&arena, wr_system_allocator());
    WR_CHECK_OK(random_vector(&v, wr_test_allocator(), wr_type_of(WR_TYPE_BIGINT), WR_DICTIONARY, 100, 0, NULL), NULL);
    WR_CHECK_OK(make_batch(&batch, &v, NULL, 0, NULL), NULL);
    WR_CHECK_OK(go_out(&t, &batch, request_dictionary(&r, "i", "l"), NULL), NULL);
    WR_CHECK(t.array.children[0]->buffers[1] == v.data);
    WR_CHECK_EQ_INT(t.array.children[0]->dictionary->length, 7);
    end_trip(&t);
    wr_batch_deinit(&batch);
    WR_CHECK_OK(wr_vector_slice(&part, wr_test_allocator(), &v, 0, 2, NULL), NULL);
    WR_CHECK_OK(make_batch(&batch, &part, NULL, 0, NULL), NULL);
    WR_CHECK_OK(go_out(&t, &batch, request_dictionary(&r, "c", "l"), NULL), NULL);
    WR_CHECK(t.array.children[0]->dictionary->length <= 2);
    end_trip(&t);
    wr_batch_deinit(&batch);
    wr_vector_deinit(&part);
    wr_vector_deinit(&v);
    wr_arena_deinit(&arena);
}

/* ---- refusals ---- */

static void check_refused(const wr_value *value, const struct ArrowSchema *requested, wr_status status,
                          const char *message) {
    wr_vector v = {0};
    wr_batch batch;
    wr_error err;
    trip t = {0};
    wr_error_clear(&err);
    WR_CHECK_OK(wr_vector_constant(&v, wr_test_allocator(), value, 300, NULL), NULL);
    WR_CHECK_OK(make_batch(&batch, &v, NULL, 0, NULL), NULL);
    WR_CHECK_STATUS(go_out(&t, &batch, requested, &err), status, &err);
    WR_CHECK_EQ_STR(err.message, message);
    WR_CHECK(!t.array.release);
    end_trip(&t);
    wr_batch_deinit(&batch);
    wr_vector_deinit(&v);
}

WR_TEST(arrow, values_that_arrow_cannot_hold) {
    wr_int128 most = 1;
    for (int i = 0; i < 38; i++) most *= 10;
    wr_value huge = {.type = wr_type_of(WR_TYPE_HUGEINT), .i128 = most};
    check_refused(&huge, NULL, WR_VALUE,
                  "column \"x\": a HUGEINT of more than 38 digits does not fit Arrow's decimal(38,0)");
    huge.i128 = -most;
    check_refused(&huge, NULL, WR_VALUE,
                  "column \"x\": a HUGEINT of more than 38 digits does not fit Arrow's decimal(38,0)");
    wr_value interval = {.type = wr_type_of(WR_TYPE_INTERVAL), .interval = {0, 0, INT64_MAX}};
    check_refused(&interval, NULL, WR_VALUE,
                  "column \"x\": an INTERVAL of more than 292 years in hours and below does not fit Arrow's "
                  "nanoseconds");
}

WR_TEST(arrow, requests_that_cannot_be_met) {
    request r;
    wr_value text = {.type = wr_type_of(WR_TYPE_VARCHAR), .text = WR_STR("a")};
    check_refused(&text, request_format(&r, "i"), WR_INVALID,
                  "column \"x\": VARCHAR cannot be given as Arrow format 'i'");
    check_refused(&text, request_format(&r, "z"), WR_INVALID,
                  "column \"x\": VARCHAR cannot be given as Arrow format 'z'");
    check_refused(&text, request_format(&r, "?"), WR_INVALID,
                  "column \"x\": VARCHAR cannot be given as Arrow format '?'");
    check_refused(&text, request_dictionary(&r, "f", "u"), WR_INVALID,
                  "column \"x\": a dictionary cannot have indices of Arrow format 'f'");
    check_refused(&text, request_dictionary(&r, "i", "l"), WR_INVALID,
                  "column \"x\": VARCHAR cannot be given as Arrow format 'l'");
    wr_value decimal = {.type = wr_type_decimal(20, 2)};
    check_refused(&decimal, request_format(&r, "d:20,3"), WR_INVALID,
                  "column \"x\": DECIMAL(20,2) cannot be given as Arrow format 'd:20,3'");
    wr_value instant = {.type = wr_type_of(WR_TYPE_TIMESTAMP_TZ)};
    check_refused(&instant, request_format(&r, "tsu:"), WR_INVALID,
                  "column \"x\": TIMESTAMP WITH TIME ZONE cannot be given as Arrow format 'tsu:'");
    (void)request_format(&r, "u");
    r.rows.n_children = 0;
    check_refused(&text, &r.rows, WR_INVALID, "the requested Arrow schema has 0 columns, the rows have 1");
    check_refused(&text, request_child(&r, "u", "i"), WR_INVALID,
                  "column \"x\": the requested Arrow schema has 1 children where there are 0");
    (void)request_format(&r, "u");
    r.rows.format = "u";
    check_refused(&text, &r.rows, WR_INVALID, "a schema of Arrow format 'u' was requested; rows are a struct, '+s'");
}

WR_TEST(arrow, narrow_indices_that_do_not_suffice) {
    request r;
    wr_vector v = make_numbers(300);
    wr_batch batch;
    wr_error err;
    trip t = {0};
    WR_CHECK_OK(make_batch(&batch, &v, NULL, 0, NULL), NULL);
    WR_CHECK_STATUS(go_out(&t, &batch, request_dictionary(&r, "C", "l"), &err), WR_LIMIT, &err);
    WR_CHECK_EQ_STR(err.message,
                    "column \"x\": 300 entries of a dictionary are more than indices of uint8 can tell apart");
    end_trip(&t);
    wr_batch_deinit(&batch);
    wr_vector_deinit(&v);
}

/* ---- failing memory ---- */

/* Without looking at the rows, which takes memory too. */
static wr_status plain_trip(const wr_batch *batch, const struct ArrowSchema *requested, wr_error *err) {
    trip t = {0};
    wr_vector seen = {0};
    wr_status status = go_out(&t, batch, requested, err);
    if (status == WR_OK) status = come_back(&t, err);
    if (status == WR_OK)
        status = wr_arrow_import_column(t.import, 0, 0, batch->sel_count, &seen, wr_test_allocator(), err);
    wr_vector_deinit(&seen);
    end_trip(&t);
    return status;
}

WR_TEST(arrow, failing_allocations) {
    request r;
    uint16_t sel[100];
    wr_arena arena;
    wr_arena_init(&arena, wr_system_allocator());
    for (size_t i = 0; i < WR_COUNT_OF(type_names); i++) {
        for (int kind = WR_FLAT; kind <= WR_DICTIONARY; kind++) {
            wr_vector v = {0};
            WR_CHECK_OK(random_vector(&v, wr_test_allocator(), parse(&arena, type_names[i]), (wr_vector_kind)kind, 100,
                                      i ? 3 : 10, NULL),
                        NULL);
            wr_batch batch;
            bool is_text = v.type.id == WR_TYPE_VARCHAR;
            const struct ArrowSchema *requested = !is_text          ? NULL
                                                  : kind == WR_FLAT ? request_format(&r, "vu")
                                                                    : request_dictionary(&r, "i", "u");
            WR_CHECK_OK(make_batch(&batch, &v, sel, some_rows(sel, 100), NULL), NULL);
            for (uint64_t nth = 1;; nth++) {
                wr_error err;
                wr_fault_arm(WR_FAULT_ALLOC, nth);
                wr_status status = plain_trip(&batch, requested, &err);
                wr_fault_disarm_all();
                if (status == WR_OK) break;
                if (!WR_CHECK(status == WR_NO_MEMORY && err.code == WR_NO_MEMORY && err.message[0])) break;
            }
            wr_batch_deinit(&batch);
            wr_vector_deinit(&v);
        }
    }
    wr_arena_deinit(&arena);
}
