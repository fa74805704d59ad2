/* Vectors of every type and kind go through every operation and are compared, value by value, with where their rows
 * came from. Failing allocations are tried for all of them at the end. */
#include "base/arena.h"
#include "column/vector_internal.h"
#include "column/vector_test_values.h"
#include "tests/unit/test.h"

static const wr_field struct_fields[] = {{{"a", 1}, {.id = WR_TYPE_INTEGER}, true},
                                         {{"b", 1}, {.id = WR_TYPE_VARCHAR}, true},
                                         {{"c", 1}, {.id = WR_TYPE_BOOLEAN}, true}};
static const wr_field text_element = {{"element", 7}, {.id = WR_TYPE_VARCHAR}, true};
static const wr_type struct_type = {.id = WR_TYPE_STRUCT, .child_count = 3, .children = struct_fields};
static const wr_type list_type = {.id = WR_TYPE_LIST, .child_count = 1, .children = &text_element};
static const wr_field list_element = {
    {"element", 7}, {.id = WR_TYPE_LIST, .child_count = 1, .children = &text_element}, true};
static const wr_field map_fields[] = {{{"key", 3}, {.id = WR_TYPE_VARCHAR}, false},
                                      {{"value", 5}, {.id = WR_TYPE_DOUBLE}, true}};
enum { TYPE_COUNT = 19 };

static wr_type type_at(int i) {
    static const uint8_t simple[] = {WR_TYPE_BOOLEAN,  WR_TYPE_TINYINT,   WR_TYPE_SMALLINT, WR_TYPE_INTEGER,
                                     WR_TYPE_BIGINT,   WR_TYPE_HUGEINT,   WR_TYPE_UTINYINT, WR_TYPE_USMALLINT,
                                     WR_TYPE_UINTEGER, WR_TYPE_UBIGINT,   WR_TYPE_FLOAT,    WR_TYPE_DOUBLE,
                                     WR_TYPE_VARCHAR,  WR_TYPE_TIMESTAMP, WR_TYPE_INTERVAL};
    if (i < (int)sizeof simple) return wr_type_of((wr_type_id)simple[i]);
    switch (i - (int)sizeof simple) {
    case 0: return struct_type;
    case 1: return list_type;
    case 2: return (wr_type){.id = WR_TYPE_LIST, .child_count = 1, .children = &list_element};
    default: return (wr_type){.id = WR_TYPE_MAP, .child_count = 2, .children = map_fields};
    }
}

/* seen[i] == source[rows[i]], or NULL for UINT32_MAX; rows NULL: source[first + i]. */
static bool check_rows(const wr_vector *seen, uint32_t at, const wr_vector *source, const uint32_t *rows,
                       uint32_t first, uint32_t count) {
    wr_arena arena;
    bool ok = true;
    wr_arena_init(&arena, wr_system_allocator());
    for (uint32_t i = 0; i < count && ok; i++) {
        wr_value a, b = {.type = source->type, .is_null = true};
        uint32_t row = rows ? rows[i] : first + i;
        ok = WR_CHECK_OK(wr_vector_value(seen, at + i, &arena, &a, NULL), NULL);
        if (row != UINT32_MAX) ok &= WR_CHECK_OK(wr_vector_value(source, row, &arena, &b, NULL), NULL);
        if (!wr_value_equal(&a, &b)) {
            wr_text x, y;
            wr_text_init(&x, wr_system_allocator());
            wr_text_init(&y, wr_system_allocator());
            wr_type_print(&x, source->type);
            wr_text_addz(&x, " ");
            wr_value_print(&x, &a);
            wr_value_print(&y, &b);
            ok = wr_test_fail(__FILE__, __LINE__, "row %u (kind %d): %s, expected %s", i, source->kind, x.data, y.data);
            wr_text_deinit(&x);
            wr_text_deinit(&y);
        }
    }
    wr_arena_deinit(&arena);
    return ok;
}

typedef void (*each_vector)(const wr_vector *v);

/* All types and kinds, in several sizes, without and with NULLs, and all NULL. */
static void for_all_vectors(each_vector each) {
    static const uint32_t sizes[] = {0, 1, 3, 64, 200, 2100};
    static const uint32_t nulls[] = {0, 3, 10};
    for (int t = 0; t < TYPE_COUNT; t++) {
        for (int kind = WR_FLAT; kind <= WR_DICTIONARY; kind++) {
            for (size_t s = 0; s < WR_COUNT_OF(sizes); s++) {
                for (size_t n = 0; n < WR_COUNT_OF(nulls); n++) {
                    wr_vector v = {0};
                    wr_status status = random_vector(&v, wr_test_allocator(), type_at(t), (wr_vector_kind)kind,
                                                     sizes[s], nulls[n], NULL);
                    if (WR_CHECK_OK(status, NULL)) each(&v);
                    wr_vector_deinit(&v);
                }
            }
        }
    }
}

static void check_gather(const wr_vector *v) {
    uint16_t rows16[500];
    uint32_t rows[500], some_null[500], count = v->row_count ? 500 : 0;
    for (uint32_t i = 0; i < count; i++) {
        rows16[i] = (uint16_t)random_below(v->row_count);
        rows[i] = rows16[i];
        some_null[i] = random_below(4) ? rows[i] : UINT32_MAX;
    }
    for (uint32_t i = count; i < 500; i++) some_null[i] = UINT32_MAX;
    wr_allocator *a = wr_test_allocator();
    wr_vector out = {0};
    WR_CHECK_OK(wr_vector_gather(&out, a, v, rows16, count, NULL), NULL);
    WR_CHECK(out.row_count == count && out.kind == v->kind);
    check_rows(&out, 0, v, rows, 0, count);
    WR_CHECK_OK(wr_vector_gather32(&out, a, v, rows, count, NULL), NULL);
    check_rows(&out, 0, v, rows, 0, count);
    WR_CHECK_OK(wr_vector_gather32(&out, a, v, some_null, 500, NULL), NULL);
    check_rows(&out, 0, v, some_null, 0, 500);
    WR_CHECK(v->kind == WR_FLAT ? out.kind == WR_FLAT : out.kind == WR_DICTIONARY);
    wr_vector_deinit(&out);
}

WR_TEST(vector, gather) {
    for_all_vectors(check_gather);
}

static void check_flatten(const wr_vector *v) {
    wr_allocator *a = wr_test_allocator();
    wr_vector out = {0}, twice = {0};
    WR_CHECK_OK(wr_vector_flatten(&out, a, v, NULL), NULL);
    WR_CHECK(out.kind == WR_FLAT && out.row_count == v->row_count);
    check_rows(&out, 0, v, NULL, 0, v->row_count);
    if (v->kind == WR_FLAT) WR_CHECK(out.data == v->data && out.children == v->children);
    /* A dictionary whose values are a dictionary, flattened in place. */
    if (v->row_count > 0) {
        uint32_t rows[100];
        WR_CHECK_OK(wr_vector_begin(&twice, a, v->type, WR_DICTIONARY, 100, NULL), NULL);
        WR_CHECK_OK(wr_vector_set_create(&twice.children, a, 1, NULL), NULL);
        wr_vector_share(&twice.children->items[0], v);
        for (uint32_t i = 0; i < 100; i++) rows[i] = random_below(v->row_count);
        memcpy(wr_vector_data_mut(&twice), rows, sizeof rows);
        check_rows(&twice, 0, v, rows, 0, 100);
        WR_CHECK_OK(wr_vector_flatten(&twice, a, &twice, NULL), NULL);
        WR_CHECK(twice.kind == WR_FLAT && twice.row_count == 100);
        check_rows(&twice, 0, v, rows, 0, 100);
    }
    wr_vector_deinit(&twice);
    wr_vector_deinit(&out);
}

WR_TEST(vector, flatten) {
    for_all_vectors(check_flatten);
}

static void check_slice(const wr_vector *v) {
    static const uint32_t starts[] = {0, 1, 63, 64, 128, 199};
    wr_allocator *a = wr_test_allocator();
    wr_vector out = {0}, again = {0};
    for (size_t i = 0; i < WR_COUNT_OF(starts) && starts[i] <= v->row_count; i++) {
        uint32_t rest = v->row_count - starts[i], count = random_below(rest + 1);
        WR_CHECK_OK(wr_vector_slice(&out, a, v, starts[i], count, NULL), NULL);
        WR_CHECK_EQ_INT(out.row_count, count);
        check_rows(&out, 0, v, NULL, starts[i], count);
        uint32_t half = count / 2;
        WR_CHECK_OK(wr_vector_slice(&again, a, &out, half, count - half, NULL), NULL);
        check_rows(&again, 0, v, NULL, starts[i] + half, count - half);
    }
    wr_vector_deinit(&again);
    wr_vector_deinit(&out);
}

WR_TEST(vector, slice) {
    for_all_vectors(check_slice);
}

static void check_append(const wr_vector *v) {
    wr_allocator *a = wr_test_allocator();
    wr_vector to = {0}, shared = {0};
    uint16_t sel[100];
    uint32_t rows[100], selected = v->row_count < 100 ? v->row_count : 100, all = v->row_count;
    for (uint32_t i = 0; i < selected; i++) rows[i] = sel[i] = (uint16_t)(v->row_count - selected + i);
    WR_CHECK_OK(wr_vector_prepare(&to, a, v->type, 0, false, NULL), NULL);
    WR_CHECK_OK(wr_vector_append(&to, a, v, sel, selected, NULL), NULL);
    WR_CHECK_OK(wr_vector_append(&to, a, v, NULL, all, NULL), NULL);
    WR_CHECK_OK(wr_vector_append(&to, a, v, sel, selected, NULL), NULL);
    WR_CHECK_EQ_INT(to.row_count, 2 * selected + all);
    check_rows(&to, 0, v, rows, 0, selected);
    check_rows(&to, selected, v, NULL, 0, all);
    check_rows(&to, selected + all, v, rows, 0, selected);
    /* Buffers that somebody else holds by now are copied, not written. */
    if (to.phys != WR_PHYS_STRUCT && to.phys != WR_PHYS_LIST) {
        wr_vector_share(&shared, &to);
        WR_CHECK_OK(wr_vector_append(&to, a, v, sel, selected, NULL), NULL);
        WR_CHECK_EQ_INT(shared.row_count, 2 * selected + all);
        check_rows(&shared, selected, v, NULL, 0, all);
        check_rows(&to, 2 * selected + all, v, rows, 0, selected);
        check_rows(&to, selected, v, NULL, 0, all);
    }
    wr_vector_deinit(&shared);
    wr_vector_deinit(&to);
}

WR_TEST(vector, append) {
    for_all_vectors(check_append);
}

WR_TEST(vector, prepare_recycles_what_is_its_own) {
    wr_allocator *a = wr_test_allocator();
    wr_vector v = {0}, other = {0};
    wr_type text = wr_type_of(WR_TYPE_VARCHAR);
    WR_CHECK_OK(wr_vector_prepare(&v, a, text, 1000, true, NULL), NULL);
    const void *data = v.data, *validity = v.validity;
    wr_heap *heap = v.heap;
    WR_CHECK_EQ_INT(wr_bitmap_count(v.validity, 1000), 1000);
    WR_CHECK_OK(wr_vector_prepare(&v, a, text, 10, true, NULL), NULL);
    WR_CHECK(v.data == data && v.validity == validity && v.heap == heap);
    WR_CHECK_OK(wr_vector_prepare(&v, a, wr_type_of(WR_TYPE_BIGINT), 1000, false, NULL), NULL);
    WR_CHECK(v.data == data && !v.validity && !v.heap);
    wr_vector_share(&other, &v);
    WR_CHECK_OK(wr_vector_prepare(&v, a, text, 1000, true, NULL), NULL);
    WR_CHECK(v.data != data && other.data == data);
    wr_vector_deinit(&other);
    WR_CHECK_OK(wr_vector_prepare(&v, a, struct_type, 5, true, NULL), NULL);
    wr_vector_set *children = v.children;
    WR_CHECK(!v.data && children->count == 3 && children->items[1].row_count == 5 && children->items[1].heap);
    WR_CHECK_OK(wr_vector_prepare(&v, a, struct_type, 7, false, NULL), NULL);
    WR_CHECK(v.children == children && children->items[2].row_count == 7);
    WR_CHECK_OK(wr_vector_prepare(&v, a, list_type, 7, false, NULL), NULL);
    WR_CHECK(v.children->count == 1 && v.children->items[0].type.id == WR_TYPE_VARCHAR);
    wr_vector_deinit(&v);
}

WR_TEST(vector, constants_from_values) {
    wr_arena arena;
    wr_arena_init(&arena, wr_test_allocator());
    for (int t = 0; t < TYPE_COUNT; t++) {
        for (int i = 0; i < 20; i++) {
            wr_value value = random_value(type_at(t), &arena, 2), seen;
            wr_vector v = {0};
            WR_CHECK_OK(wr_vector_constant(&v, wr_test_allocator(), &value, 50, NULL), NULL);
            WR_CHECK(v.kind == WR_CONSTANT && v.row_count == 50);
            WR_CHECK_OK(wr_vector_value(&v, 49, &arena, &seen, NULL), NULL);
            WR_CHECK(wr_value_equal(&seen, &value));
            wr_vector_deinit(&v);
        }
    }
    wr_arena_deinit(&arena);
}

WR_TEST(vector, sizes) {
    wr_allocator *a = wr_test_allocator();
    wr_vector v = {0}, part = {0};
    WR_CHECK_OK(random_vector(&v, a, wr_type_of(WR_TYPE_VARCHAR), WR_FLAT, 2000, 0, NULL), NULL);
    WR_CHECK(wr_vector_needed_bytes(&v) <= wr_vector_pinned_bytes(&v));
    WR_CHECK(wr_vector_needed_bytes(&v) > 2000 * 16);
    WR_CHECK_OK(wr_vector_slice(&part, a, &v, 0, 64, NULL), NULL);
    WR_CHECK_EQ_INT(wr_vector_pinned_bytes(&part), wr_vector_pinned_bytes(&v));
    WR_CHECK(wr_vector_needed_bytes(&part) < wr_vector_pinned_bytes(&part) / 8);
    wr_vector_deinit(&part);
    wr_vector_deinit(&v);
}

/* Every operation with the nth allocation failing, for all n: the source is as it was, nothing leaks. */
static wr_status all_operations(const wr_vector *v, wr_vector *out, wr_vector *to, wr_error *err) {
    static const uint16_t rows16[] = {3, 1, 4, 1, 5};
    static const uint32_t rows[] = {3, UINT32_MAX, 4, 1, 5};
    wr_allocator *a = wr_test_allocator();
    WR_TRY(wr_vector_gather(out, a, v, rows16, 5, err));
    WR_TRY(wr_vector_gather32(out, a, v, rows, 5, err));
    WR_TRY(wr_vector_flatten(out, a, v, err));
    WR_TRY(wr_vector_slice(out, a, v, 3, 20, err));
    WR_TRY(wr_vector_prepare(to, a, v->type, 0, false, err));
    WR_TRY(wr_vector_append(to, a, v, rows16, 5, err));
    uint32_t before = to->row_count;
    wr_status status = wr_vector_append(to, a, v, NULL, v->row_count, err);
    if (status != WR_OK) {
        WR_CHECK_EQ_INT(to->row_count, before);
        wr_fault_disarm_all();
        WR_CHECK_OK(wr_vector_append(to, a, v, NULL, v->row_count, err), err);
        check_rows(to, before, v, NULL, 0, v->row_count);
    }
    return status;
}

WR_TEST(vector, failing_allocations) {
    for (int t = 0; t < TYPE_COUNT; t++) {
        for (int kind = WR_FLAT; kind <= WR_DICTIONARY; kind++) {
            wr_vector v = {0};
            WR_CHECK_OK(random_vector(&v, wr_test_allocator(), type_at(t), (wr_vector_kind)kind, 100, 3, NULL), NULL);
            for (uint64_t nth = 1;; nth++) {
                wr_vector out = {0}, to = {0};
                wr_error err;
                wr_fault_arm(WR_FAULT_ALLOC, nth);
                wr_status status = all_operations(&v, &out, &to, &err);
                wr_fault_disarm_all();
                wr_vector_deinit(&out);
                wr_vector_deinit(&to);
                if (status == WR_OK) break;
                WR_CHECK_EQ_INT(status, WR_NO_MEMORY);
                WR_CHECK(err.code == WR_NO_MEMORY && err.message[0]);
            }
            wr_vector_deinit(&v);
        }
    }
}
