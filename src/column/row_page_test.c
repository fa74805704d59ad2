/* Columns of every type and kind go to rows and come back, are compared with them, copied and moved. */
#include "column/row_page.h"

#include <math.h>

#include "base/arena.h"
#include "column/vector_internal.h"
#include "tests/unit/test.h"

static const wr_field struct_fields[] = {{{"a", 1}, {.id = WR_TYPE_INTEGER}, true},
                                         {{"b", 1}, {.id = WR_TYPE_VARCHAR}, true},
                                         {{"c", 1}, {.id = WR_TYPE_DOUBLE}, true},
                                         {{"d", 1}, {.id = WR_TYPE_BOOLEAN}, true}};
static const wr_field list_element = {
    {"element", 7}, {.id = WR_TYPE_STRUCT, .child_count = 4, .children = struct_fields}, true};
static const wr_field map_fields[] = {{{"key", 3}, {.id = WR_TYPE_VARCHAR}, false},
                                      {{"value", 5}, {.id = WR_TYPE_BIGINT}, true}};
enum { TYPE_COUNT = 18 };

static wr_type type_at(int i) {
    static const uint8_t simple[] = {WR_TYPE_BOOLEAN,  WR_TYPE_TINYINT, WR_TYPE_SMALLINT, WR_TYPE_INTEGER,
                                     WR_TYPE_BIGINT,   WR_TYPE_HUGEINT, WR_TYPE_UTINYINT, WR_TYPE_USMALLINT,
                                     WR_TYPE_UINTEGER, WR_TYPE_UBIGINT, WR_TYPE_FLOAT,    WR_TYPE_DOUBLE,
                                     WR_TYPE_VARCHAR,  WR_TYPE_DATE,    WR_TYPE_INTERVAL};
    if (i < (int)sizeof simple) return wr_type_of((wr_type_id)simple[i]);
    switch (i - (int)sizeof simple) {
    case 0: return (wr_type){.id = WR_TYPE_STRUCT, .child_count = 4, .children = struct_fields};
    case 1: return (wr_type){.id = WR_TYPE_LIST, .child_count = 1, .children = &list_element};
    default: return (wr_type){.id = WR_TYPE_MAP, .child_count = 2, .children = map_fields};
    }
}

static uint64_t seed = 1;

static uint32_t random_below(uint32_t limit) {
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)((seed >> 33) % limit);
}

static const char letters[] = "the quick brown fox jumps over the lazy dog and then some more of it";

/* Few different values, so that equal ones are frequent. */
static wr_value random_value(wr_type type, wr_arena *arena, uint32_t nulls_per_10) {
    wr_value value = {.type = type, .is_null = random_below(10) < nulls_per_10};
    if (value.is_null) return value;
    switch (wr_type_phys(type)) {
    case WR_PHYS_BOOL: value.boolean = random_below(2); break;
    case WR_PHYS_I8:
    case WR_PHYS_I16:
    case WR_PHYS_I32:
    case WR_PHYS_I64: value.i64 = (int64_t)random_below(3) - 1; break;
    case WR_PHYS_I128: value.i128 = ((wr_int128)random_below(2) << 100) - random_below(2); break;
    case WR_PHYS_F32:
    case WR_PHYS_F64: {
        static const double values[] = {0.0, -0.0, NAN, 1.5};
        value.f64 = values[random_below(4)];
        break;
    }
    case WR_PHYS_VIEW: value.text = (wr_str){letters, 11 + random_below(3)}; break;
    case WR_PHYS_INTERVAL:
        value.interval = (wr_interval){(int32_t)random_below(2), (int32_t)random_below(2) * 30, 0};
        break;
    case WR_PHYS_LIST:
    case WR_PHYS_STRUCT: {
        uint32_t count = type.id == WR_TYPE_STRUCT ? type.child_count : random_below(3);
        if (type.id == WR_TYPE_MAP) count *= 2;
        wr_value *items = WR_ARENA_ARRAY(arena, wr_value, count + 1);
        value.is_null = !items; /* a failing allocation */
        if (!items) return value;
        for (uint32_t i = 0; i < count; i++) {
            wr_type item = type.children[type.id == WR_TYPE_LIST ? 0 : i % type.child_count].type;
            bool key = type.id == WR_TYPE_MAP && i % 2 == 0;
            items[i] = random_value(item, arena, key ? 0 : nulls_per_10);
        }
        value.items = items;
        value.item_count = count;
        break;
    }
    default: value.u64 = random_below(3);
    }
    return value;
}

static wr_status make_flat(wr_vector *v, wr_allocator *a, wr_type type, uint32_t rows, uint32_t nulls_per_10,
                           wr_error *err) {
    wr_arena arena;
    wr_arena_init(&arena, a);
    wr_status status = wr_vector_prepare(v, a, type, 0, nulls_per_10 > 0, err);
    for (uint32_t i = 0; status == WR_OK && i < rows; i++) {
        wr_value value = random_value(type, &arena, nulls_per_10);
        status = wr_vector_append_value(v, a, &value, err);
    }
    wr_arena_deinit(&arena);
    return status;
}

static wr_status make_dictionary(wr_vector *v, wr_allocator *a, wr_type type, uint32_t rows, uint32_t nulls_per_10,
                                 wr_error *err) {
    wr_vector_set *set;
    WR_TRY(wr_vector_set_create(&set, a, 1, err));
    wr_status status = make_flat(&set->items[0], a, type, 7, nulls_per_10, err);
    if (status == WR_OK) status = wr_vector_begin(v, a, type, WR_DICTIONARY, rows, err);
    if (status != WR_OK) {
        wr_vector_set_release(set);
        return status;
    }
    v->children = set;
    for (uint32_t i = 0; i < rows; i++) ((uint32_t *)wr_vector_data_mut(v))[i] = random_below(7);
    if (nulls_per_10) {
        WR_TRY(wr_vector_add_validity(v, a, err));
        for (uint32_t i = 0; i < rows; i++) {
            if (random_below(10) >= nulls_per_10) continue;
            wr_bit_clear(wr_vector_validity_mut(v), i);
            ((uint32_t *)wr_vector_data_mut(v))[i] = UINT32_MAX; /* codes of NULL rows may be anything */
        }
    }
    return WR_OK;
}

static wr_status make(wr_vector *v, wr_allocator *a, wr_type type, wr_vector_kind kind, uint32_t rows,
                      uint32_t nulls_per_10, wr_error *err) {
    if (kind == WR_FLAT) return make_flat(v, a, type, rows, nulls_per_10, err);
    if (kind == WR_DICTIONARY) return make_dictionary(v, a, type, rows, nulls_per_10, err);
    wr_arena arena;
    wr_arena_init(&arena, a);
    wr_value value = random_value(type, &arena, nulls_per_10);
    wr_status status = wr_vector_constant(v, a, &value, rows, err);
    wr_arena_deinit(&arena);
    return status;
}

static bool rows_equal(const wr_vector *a, uint32_t i, const wr_vector *b, uint32_t j) {
    wr_arena arena;
    wr_arena_init(&arena, wr_test_allocator());
    wr_value x, y;
    bool equal = wr_vector_value(a, i, &arena, &x, NULL) == WR_OK && wr_vector_value(b, j, &arena, &y, NULL) == WR_OK &&
                 wr_value_equal(&x, &y);
    wr_arena_deinit(&arena);
    return equal;
}

enum { ROWS = 700, COLUMNS = 3, PAGE_BYTES = 4096 };

/* Columns of one type and three kinds, in rows with a tail. */
typedef struct fixture {
    wr_vector columns[COLUMNS];
    wr_row_layout layout;
    wr_row_list list;
    uint8_t *addresses[ROWS];
} fixture;

static wr_status fixture_init(fixture *f, wr_type type, uint32_t nulls_per_10, const uint32_t *rows, wr_error *err) {
    wr_allocator *a = wr_test_allocator();
    memset(f, 0, sizeof *f);
    WR_TRY(make(&f->columns[0], a, type, WR_FLAT, ROWS, nulls_per_10, err));
    WR_TRY(make(&f->columns[1], a, type, WR_DICTIONARY, ROWS, nulls_per_10, err));
    WR_TRY(make(&f->columns[2], a, type, WR_CONSTANT, ROWS, nulls_per_10, err));
    wr_type types[COLUMNS] = {type, type, type};
    WR_TRY(wr_row_layout_init(&f->layout, a, types, COLUMNS, 8, 8, err));
    WR_TRY(wr_row_append(&f->list, a, &f->layout, PAGE_BYTES, f->columns, rows, ROWS, f->addresses, err));
    return WR_OK;
}

static void fixture_deinit(fixture *f) {
    for (int c = 0; c < COLUMNS; c++) wr_vector_deinit(&f->columns[c]);
    wr_row_list_destroy(&f->list, wr_test_allocator());
    wr_row_layout_deinit(&f->layout);
}

static void check_gather(fixture *f, const uint32_t *rows, uint8_t *const *addresses, bool copy, const char *what) {
    wr_error err;
    for (uint32_t c = 0; c < COLUMNS; c++) {
        wr_vector out = {0};
        if (!WR_CHECK_OK(wr_row_gather(&out, wr_test_allocator(), &f->layout, c, addresses, ROWS, copy, &err), &err))
            return;
        for (uint32_t i = 0; i < ROWS; i++) {
            if (rows_equal(&out, i, &f->columns[c], rows ? rows[i] : i)) continue;
            wr_test_fail(__FILE__, __LINE__, "%s: %s column %u row %u differs", what,
                         wr_type_id_name((wr_type_id)out.type.id), c, i);
            break;
        }
        wr_vector_deinit(&out);
    }
}

WR_TEST(row_page, columns_to_rows_and_back) {
    wr_error err;
    static fixture f;
    uint32_t backwards[ROWS];
    for (uint32_t i = 0; i < ROWS; i++) backwards[i] = ROWS - 1 - i;
    for (int t = 0; t < TYPE_COUNT; t++) {
        for (uint32_t nulls = 0; nulls <= 10; nulls += 5) {
            const uint32_t *rows = nulls == 5 ? backwards : NULL;
            if (WR_CHECK_OK(fixture_init(&f, type_at(t), nulls, rows, &err), &err)) {
                WR_CHECK_EQ_UINT(f.list.row_count, ROWS);
                WR_CHECK(f.list.first != f.list.last);
                check_gather(&f, rows, f.addresses, false, "views");
                check_gather(&f, rows, f.addresses, true, "copies");
            }
            fixture_deinit(&f);
        }
    }
}

WR_TEST(row_page, copies_of_rows_outlive_them) {
    wr_error err;
    static fixture f;
    wr_allocator *a = wr_test_allocator();
    for (int t = 0; t < TYPE_COUNT; t++) {
        wr_row_list copies = {0};
        uint8_t *addresses[ROWS];
        if (WR_CHECK_OK(fixture_init(&f, type_at(t), 3, NULL, &err), &err)) {
            for (uint32_t i = 0; i < ROWS; i++) memcpy(f.addresses[i] + f.layout.tail_offset, &i, sizeof i);
            WR_CHECK_OK(wr_row_copy(&copies, a, &f.layout, PAGE_BYTES, f.addresses, ROWS, addresses, &err), &err);
            wr_row_list_destroy(&f.list, a);
            check_gather(&f, NULL, addresses, false, "copied rows");
            uint32_t tail;
            memcpy(&tail, addresses[ROWS - 1] + f.layout.tail_offset, sizeof tail);
            WR_CHECK_EQ_UINT(tail, ROWS - 1);
        }
        wr_row_list_destroy(&copies, a);
        fixture_deinit(&f);
    }
}

/* A page as a spill file gives it back: the same bytes elsewhere, the old ones gone. */
static wr_row_page *moved_page(wr_row_page *page) {
    wr_allocator *a = wr_test_allocator();
    wr_row_page *moved = a->alloc(a, page->page_bytes, 64);
    if (!moved) return NULL;
    memcpy(moved, page, page->page_bytes);
    memset(page + 1, 0xee, page->page_bytes - sizeof *page);
    wr_row_page_destroy(page, a);
    return moved;
}

WR_TEST(row_page, pages_move) {
    wr_error err;
    static fixture f;
    for (int t = 0; t < TYPE_COUNT; t++) {
        if (WR_CHECK_OK(fixture_init(&f, type_at(t), 3, NULL, &err), &err)) {
            wr_row_list list = {0};
            uint32_t row = 0;
            for (wr_row_page *page = f.list.first, *next; page; page = next) {
                next = page->next;
                page = moved_page(page);
                wr_row_page_rebase(page, &f.layout);
                for (uint32_t i = 0; i < page->row_count; i++) f.addresses[row++] = wr_row_at(page, i);
                wr_row_list_push(&list, page);
            }
            WR_CHECK_EQ_UINT(row, ROWS);
            f.list = list;
            check_gather(&f, NULL, f.addresses, false, "moved rows");
        }
        fixture_deinit(&f);
    }
}

WR_TEST(row_page, match_agrees_with_values) {
    wr_error err;
    static fixture f;
    for (int t = 0; t < TYPE_COUNT; t++) {
        for (int grouping = 0; grouping <= 1; grouping++) {
            if (WR_CHECK_OK(fixture_init(&f, type_at(t), 2, NULL, &err), &err)) {
                /* Row i of the columns with the row that lies 7 further; every third is not asked for. */
                uint8_t *addresses[ROWS];
                uint64_t match[(ROWS + 63) / 64] = {0};
                bool null_equals[COLUMNS] = {grouping, grouping, grouping};
                for (uint32_t i = 0; i < ROWS; i++) {
                    addresses[i] = i % 3 ? f.addresses[(i + 7) % ROWS] : NULL;
                    if (i % 3) wr_bit_set(match, i);
                }
                wr_row_match(&f.layout, f.columns, 2, null_equals, addresses, ROWS, match);
                for (uint32_t i = 0; i < ROWS; i++) {
                    uint32_t j = (i + 7) % ROWS;
                    bool expected = i % 3 != 0;
                    for (uint32_t c = 0; c < 2 && expected; c++) {
                        expected = rows_equal(&f.columns[c], i, &f.columns[c], j);
                        wr_value value;
                        if (!grouping && wr_vector_value(&f.columns[c], i, NULL, &value, NULL) == WR_OK &&
                            value.is_null) {
                            expected = false;
                        }
                    }
                    if (wr_bit_get(match, i) == expected) continue;
                    wr_test_fail(__FILE__, __LINE__, "%s: row %u with %u is %d",
                                 wr_type_id_name((wr_type_id)type_at(t).id), i, j, expected);
                    break;
                }
            }
            fixture_deinit(&f);
        }
    }
}

WR_TEST(row_page, equal_rows) {
    wr_error err;
    static fixture f;
    for (int t = 0; t < TYPE_COUNT; t++) {
        if (WR_CHECK_OK(fixture_init(&f, type_at(t), 2, NULL, &err), &err)) {
            for (uint32_t i = 0; i < ROWS; i++) {
                uint32_t j = (i * 31 + 5) % ROWS;
                bool expected = rows_equal(&f.columns[0], i, &f.columns[0], j);
                if (wr_row_equal(&f.layout, 1, f.addresses[i], f.addresses[j]) == expected) continue;
                wr_test_fail(__FILE__, __LINE__, "%s: rows %u and %u", wr_type_id_name((wr_type_id)type_at(t).id), i,
                             j);
                break;
            }
        }
        fixture_deinit(&f);
    }
}

WR_TEST(row_page, missing_rows_are_null) {
    wr_error err;
    static fixture f;
    uint8_t *none[ROWS] = {0};
    for (int t = 0; t < TYPE_COUNT; t++) {
        if (WR_CHECK_OK(fixture_init(&f, type_at(t), 0, NULL, &err), &err)) {
            wr_vector out = {0};
            none[1] = f.addresses[1];
            WR_CHECK_OK(wr_row_gather(&out, wr_test_allocator(), &f.layout, 0, none, ROWS, false, &err), &err);
            WR_CHECK(!wr_valid(out.validity, 0));
            WR_CHECK(wr_valid(out.validity, 1));
            WR_CHECK(!wr_valid(out.validity, ROWS - 1));
            wr_vector_deinit(&out);
        }
        fixture_deinit(&f);
    }
}

WR_TEST(row_page, a_row_longer_than_a_page_gets_its_own) {
    wr_error err;
    wr_allocator *a = wr_test_allocator();
    wr_type type = wr_type_of(WR_TYPE_VARCHAR);
    static char text[3 * PAGE_BYTES];
    memset(text, 'x', sizeof text);
    wr_value value = {.type = type, .text = {text, sizeof text}};
    wr_vector v = {0};
    wr_row_layout layout;
    wr_row_list list = {0};
    WR_CHECK_OK(wr_vector_constant(&v, a, &value, 3, &err), &err);
    WR_CHECK_OK(wr_row_layout_init(&layout, a, &type, 1, 0, 1, &err), &err);
    WR_CHECK_OK(wr_row_append(&list, a, &layout, PAGE_BYTES, &v, NULL, 3, NULL, &err), &err);
    WR_CHECK_EQ_UINT(list.row_count, 3);
    WR_CHECK_EQ_UINT(list.first->row_count, 1);
    wr_row_list_destroy(&list, a);
    wr_row_layout_deinit(&layout);
    wr_vector_deinit(&v);
}

WR_TEST(row_page, layout_wastes_little) {
    wr_error err;
    wr_type types[] = {wr_type_of(WR_TYPE_BIGINT), wr_type_of(WR_TYPE_TINYINT), wr_type_of(WR_TYPE_HUGEINT),
                       wr_type_of(WR_TYPE_INTEGER), wr_type_of(WR_TYPE_SMALLINT)};
    wr_row_layout layout;
    WR_CHECK_OK(wr_row_layout_init(&layout, wr_test_allocator(), types, 5, 8, 8, &err), &err);
    WR_CHECK_EQ_UINT(layout.columns[2].offset, 16);
    WR_CHECK_EQ_UINT(layout.tail_offset, 32);
    WR_CHECK_EQ_UINT(layout.row_bytes, 48);
    wr_row_layout_deinit(&layout);
}

WR_TEST(row_page, failing_allocations) {
    static fixture f;
    for (int t = 12; t < TYPE_COUNT; t++) {
        wr_status status = WR_NO_MEMORY;
        for (uint64_t n = 1; status != WR_OK; n++) {
            wr_error err;
            wr_vector out = {0};
            seed = 5;
            wr_fault_arm(WR_FAULT_ALLOC, n);
            status = fixture_init(&f, type_at(t), 3, NULL, &err);
            if (status == WR_OK) {
                status = wr_row_gather(&out, wr_test_allocator(), &f.layout, 0, f.addresses, ROWS, true, &err);
            }
            wr_fault_disarm_all();
            wr_vector_deinit(&out);
            fixture_deinit(&f);
            if (status != WR_OK && !WR_CHECK_STATUS(status, WR_NO_MEMORY, &err)) return;
        }
    }
}
