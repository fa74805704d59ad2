/* Sorting: against a stable sort of values by wr_value_compare, whatever threads, batches and memory do. */
#include "exec/sort.h"

#include <stdio.h>

#include "exec/exec_test_util.h"

/* ---- tables ---- */

static wr_value random_text(test_table *t, uint64_t *seed, uint32_t kinds) {
    static const char *const stems[] = {
        "", "a", "ab", "abcdefg", "abcdefgh", "abcdefghijkl", "abcdefghijklm", "DELIVER IN PERSON TO THE DOOR"};
    const char *stem = stems[test_random(seed) % WR_COUNT_OF(stems)];
    uint64_t tail = test_random(seed) % kinds;
    uint32_t size = (uint32_t)strlen(stem), extra = (uint32_t)(tail % 5);
    char *text = WR_ARENA_ARRAY(&t->arena, char, size + 6);
    memcpy(text, stem, size);
    for (uint32_t i = 0; i < extra; i++) text[size + i] = (char)(tail >> i * 3) % 4;
    return (wr_value){.type = wr_type_of(WR_TYPE_VARCHAR), .text = {text, size + extra}};
}

static wr_value random_value(test_table *t, wr_type type, uint64_t *seed, uint32_t kinds) {
    wr_value v = {.type = type};
    int64_t small = (int64_t)(test_random(seed) % kinds) - kinds / 2;
    bool wide = test_random(seed) % 8 == 0;
    uint64_t bits = test_random(seed);
    switch (wr_type_phys(type)) {
    case WR_PHYS_BOOL: v.boolean = bits & 1; break;
    case WR_PHYS_I8: v.i64 = (int8_t)(wide ? bits : (uint64_t)small); break;
    case WR_PHYS_I16: v.i64 = (int16_t)(wide ? bits : (uint64_t)small); break;
    case WR_PHYS_I32: v.i64 = (int32_t)(wide ? bits : (uint64_t)small); break;
    case WR_PHYS_I64: v.i64 = wide ? (int64_t)bits : small; break;
    case WR_PHYS_I128: v.i128 = wide ? (wr_int128)(((wr_uint128)bits << 64) | test_random(seed)) : small; break;
    case WR_PHYS_U8: v.u64 = (uint8_t)(wide ? bits : (uint64_t)small); break;
    case WR_PHYS_U16: v.u64 = (uint16_t)(wide ? bits : (uint64_t)small); break;
    case WR_PHYS_U32: v.u64 = (uint32_t)(wide ? bits : (uint64_t)small); break;
    case WR_PHYS_U64: v.u64 = wide ? bits : (uint64_t)small; break;
    case WR_PHYS_F32:
    case WR_PHYS_F64: {
        static const double special[] = {
            0.0, -0.0, __builtin_nan(""), -__builtin_nan(""), __builtin_inf(), -__builtin_inf(), 1e-40, -1e-40};
        v.f64 = wide ? special[bits % WR_COUNT_OF(special)] : (double)small / 4;
        break;
    }
    case WR_PHYS_VIEW: {
        v = random_text(t, seed, kinds);
        v.type = type;
        break;
    }
    case WR_PHYS_INTERVAL:
        v.interval =
            (wr_interval){(int32_t)(bits % 3), (int32_t)small * 15, (int64_t)(bits >> 60) * INT64_C(21600000000)};
        break;
    case WR_PHYS_LIST: {
        v.item_count = (uint32_t)(bits % 3);
        wr_value *items = WR_ARENA_ARRAY(&t->arena, wr_value, 3);
        for (uint32_t i = 0; i < v.item_count; i++) {
            items[i] = (wr_value){.type = type.children[0].type,
                                  .i64 = (int64_t)(test_random(seed) % 3),
                                  .is_null = test_random(seed) % 5 == 0};
        }
        v.items = items;
        break;
    }
    default: {
        v.item_count = 2;
        wr_value *items = WR_ARENA_ARRAY(&t->arena, wr_value, 2);
        items[0] = (wr_value){.type = type.children[0].type, .i64 = (int64_t)(bits % 3)};
        items[1] = random_text(t, seed, kinds);
        v.items = items;
        break;
    }
    }
    return v;
}

static void add_random(test_table *t, wr_type type, uint32_t row_count, uint32_t kinds, uint32_t null_percent,
                       uint64_t *seed) {
    wr_value *values = WR_ARENA_ARRAY(&t->arena, wr_value, row_count + 1);
    for (uint32_t i = 0; i < row_count; i++) {
        values[i] = random_value(t, type, seed, kinds);
        values[i].is_null = test_random(seed) % 100 < null_percent;
    }
    test_table_add(t, type, values, row_count);
}

static const wr_field list_child[] = {{.type = {.id = WR_TYPE_INTEGER}, .nullable = true}};
static const wr_field struct_children[] = {{.name = {"a", 1}, .type = {.id = WR_TYPE_BIGINT}},
                                           {.name = {"b", 1}, .type = {.id = WR_TYPE_VARCHAR}}};

enum { TYPE_COUNT = 20 };
static wr_type type_at(uint32_t i) {
    static const wr_type_id ids[] = {
        WR_TYPE_BOOLEAN,  WR_TYPE_TINYINT,   WR_TYPE_SMALLINT, WR_TYPE_INTEGER,   WR_TYPE_BIGINT,  WR_TYPE_HUGEINT,
        WR_TYPE_UTINYINT, WR_TYPE_USMALLINT, WR_TYPE_UINTEGER, WR_TYPE_UBIGINT,   WR_TYPE_FLOAT,   WR_TYPE_DOUBLE,
        WR_TYPE_VARCHAR,  WR_TYPE_BLOB,      WR_TYPE_DATE,     WR_TYPE_TIMESTAMP, WR_TYPE_INTERVAL};
    if (i < WR_COUNT_OF(ids)) return wr_type_of(ids[i]);
    if (i == 17) return wr_type_decimal(30, 2);
    wr_type type = wr_type_of(i == 18 ? WR_TYPE_LIST : WR_TYPE_STRUCT);
    type.children = i == 18 ? list_child : struct_children;
    type.child_count = i == 18 ? 1 : 2;
    return type;
}

/* ---- the reference ---- */

typedef struct reference {
    const test_table *table;
    const wr_sort_column *keys;
    uint32_t key_count;
    wr_value *cells[16]; /* by key */
} reference;

static int reference_compare(const reference *r, uint32_t a, uint32_t b) {
    for (uint32_t k = 0; k < r->key_count; k++) {
        const wr_value *x = &r->cells[k][a], *y = &r->cells[k][b];
        if (x->is_null != y->is_null) return x->is_null == r->keys[k].nulls_first ? -1 : 1;
        int order = x->is_null ? 0 : wr_value_compare(x, y);
        if (order) return r->keys[k].descending ? -order : order;
    }
    return 0;
}

/* The rows' numbers in order: a merge sort, which is stable. */
static void reference_sort(const reference *r, uint32_t *rows, uint32_t *scratch, uint32_t count) {
    if (count < 2) return;
    uint32_t half = count / 2, left = 0, right = half, to = 0;
    reference_sort(r, rows, scratch, half);
    reference_sort(r, rows + half, scratch + half, count - half);
    while (left < half || right < count) {
        bool take_left = right == count || (left < half && reference_compare(r, rows[left], rows[right]) <= 0);
        scratch[to++] = rows[take_left ? left++ : right++];
    }
    memcpy(rows, scratch, sizeof(uint32_t) * count);
}

/* ---- running ---- */

typedef struct sort_case {
    wr_sort_column keys[4];
    uint32_t key_count;
    uint64_t limit, offset;
    uint32_t threads, batch_rows, morsel_rows;
    test_shape shape;
    bool force_spill, spills; /* expected */
    size_t limit_bytes;
    uint32_t inputs; /* pipelines that feed it; 0 is 1 */
} sort_case;

static wr_status run_sort(test_table *t, const sort_case *c, test_world *w, test_scan *scans, test_result *result,
                          wr_error *err) {
    WR_TRY(test_world_open(w, c->threads, c->batch_rows, c->limit_bytes ? c->limit_bytes : WR_BUDGET_NO_LIMIT, err));
    w->exec.force_spill = c->force_spill;
    wr_sort_spec spec = {.types = t->types,
                         .column_count = t->column_count,
                         .keys = c->keys,
                         .key_count = c->key_count,
                         .limit = c->limit,
                         .offset = c->offset};
    wr_sink *sink;
    wr_source *source;
    wr_pipeline *in = NULL, *out;
    WR_TRY(wr_sort_create(&w->exec, &spec, &sink, &source, err));
    wr_status status =
        wr_pipeline_add(w->set, &out, source, test_result_init(result, w, t->types, t->column_count), err);
    bool fed = false;
    uint32_t inputs = c->inputs ? c->inputs : 1;
    for (uint32_t i = 0; i < inputs && status == WR_OK; i++) {
        wr_source *scan = test_scan_init(&scans[i], w, t, c->morsel_rows, c->shape);
        scans[i].first = t->row_count / inputs * i;
        scans[i].end = i + 1 == inputs ? t->row_count : t->row_count / inputs * (i + 1);
        status = wr_pipeline_add(w->set, &in, scan, sink, err);
        fed |= status == WR_OK;
        if (status == WR_OK) status = wr_pipeline_depend(out, in, err);
    }
    (void)fed;
    WR_TRY(status);
    WR_TRY(wr_pipeline_set_start(w->set, err));
    WR_TRY(wr_pipeline_set_wait(w->set, -1, err));
    if (c->spills) WR_CHECK(sink->base.counters.spilled_bytes > 0);
    return WR_OK;
}

static void check_result(test_table *t, const sort_case *c, const test_result *result) {
    reference r = {t, c->keys, c->key_count, {0}};
    for (uint32_t k = 0; k < c->key_count; k++) {
        r.cells[k] = WR_ARENA_ARRAY(&t->arena, wr_value, t->row_count + 1);
        for (uint32_t i = 0; i < t->row_count; i++) r.cells[k][i] = test_table_value(t, c->keys[k].column, i);
    }
    uint32_t *rows = WR_ARENA_ARRAY(&t->arena, uint32_t, t->row_count + 1),
             *scratch = WR_ARENA_ARRAY(&t->arena, uint32_t, t->row_count + 1);
    for (uint32_t i = 0; i < t->row_count; i++) rows[i] = i;
    reference_sort(&r, rows, scratch, t->row_count);
    uint64_t first = c->offset < t->row_count ? c->offset : t->row_count, count = t->row_count - first;
    if (count > c->limit) count = c->limit;
    if (!WR_CHECK_EQ_UINT(result->row_count, count)) return;
    WR_CHECK(result->largest_batch <= c->batch_rows);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = rows[first + i];
        for (uint32_t k = t->column_count; k-- > 0;) {
            wr_error err;
            wr_value seen, expected = test_table_value(t, k, row);
            WR_CHECK_OK(wr_vector_value(&result->columns[k], i, &t->arena, &seen, &err), &err);
            if (!WR_CHECK(wr_value_equal(&seen, &expected))) {
                printf("  row %u of the result, column %u; expected was row %u\n", i, k, row);
                return;
            }
        }
    }
}

static void check_case(test_table *t, const sort_case *c) {
    test_world w;
    test_scan scans[4];
    test_result result = {0};
    wr_error err;
    wr_error_clear(&err);
    if (WR_CHECK_OK(run_sort(t, c, &w, scans, &result, &err), &err)) check_result(t, c, &result);
    test_world_close(&w);
    test_result_deinit(&result);
}

/* ---- tests ---- */

WR_TEST(sort, every_type_direction_and_order_of_nulls) {
    uint64_t seed = 1;
    for (uint32_t type = 0; type < TYPE_COUNT; type++) {
        test_table t;
        test_table_init(&t);
        add_random(&t, type_at(type), 700, 40, 10, &seed);
        test_table_add_numbers(&t, 700);
        for (uint32_t mode = 0; mode < 8; mode++) {
            sort_case c = {.keys = {{0, mode & 1, mode >> 1 & 1}},
                           .key_count = 1,
                           .limit = UINT64_MAX,
                           .threads = 1 + (mode >> 2) * 3,
                           .batch_rows = 100,
                           .morsel_rows = 150,
                           .shape = (test_shape)((type + mode) % 3)};
            check_case(&t, &c);
        }
        test_table_deinit(&t);
    }
}

WR_TEST(sort, several_keys_of_all_types) {
    uint64_t seed = 2;
    for (uint32_t round = 0; round < 60; round++) {
        test_table t;
        test_table_init(&t);
        sort_case c = {.limit = UINT64_MAX,
                       .threads = 1 + round % 2 * 3,
                       .batch_rows = 128,
                       .morsel_rows = 200,
                       .shape = (test_shape)(round % 3)};
        c.key_count = 2 + round % 3;
        for (uint32_t k = 0; k < c.key_count; k++) {
            add_random(&t, type_at((uint32_t)(test_random(&seed) % TYPE_COUNT)), 600, 3 + round % 5, round % 3 * 20,
                       &seed);
            c.keys[k] = (wr_sort_column){k, test_random(&seed) & 1, test_random(&seed) & 1};
        }
        test_table_add_numbers(&t, 600);
        check_case(&t, &c);
        test_table_deinit(&t);
    }
}

WR_TEST(sort, few_rows_and_none) {
    uint64_t seed = 3;
    static const uint32_t counts[] = {0, 1, 2, 3, 30};
    for (uint32_t i = 0; i < WR_COUNT_OF(counts); i++) {
        for (uint32_t nulls = 0; nulls <= 100; nulls += 50) {
            test_table t;
            test_table_init(&t);
            add_random(&t, wr_type_of(WR_TYPE_BIGINT), counts[i], 5, nulls, &seed);
            add_random(&t, wr_type_of(WR_TYPE_VARCHAR), counts[i], 5, nulls, &seed);
            test_table_add_numbers(&t, counts[i]);
            for (uint32_t key_count = 0; key_count <= 2; key_count++) {
                sort_case c = {.keys = {{0, false, true}, {1, true, false}},
                               .key_count = key_count,
                               .limit = UINT64_MAX,
                               .threads = 4,
                               .batch_rows = 2048,
                               .morsel_rows = 2};
                check_case(&t, &c);
            }
            test_table_deinit(&t);
        }
    }
}

WR_TEST(sort, batches_morsels_and_threads_of_any_size) {
    uint64_t seed = 4;
    static const uint32_t batches[] = {1, 3, 2048}, morsels[] = {1, 7, 5000};
    test_table t;
    test_table_init(&t);
    add_random(&t, wr_type_of(WR_TYPE_INTEGER), 2000, 50, 5, &seed);
    add_random(&t, wr_type_of(WR_TYPE_VARCHAR), 2000, 50, 5, &seed);
    test_table_add_numbers(&t, 2000);
    for (uint32_t b = 0; b < 3; b++) {
        for (uint32_t m = 0; m < 3; m++) {
            for (uint32_t threads = 1; threads <= 4; threads += 3) {
                for (uint32_t spill = 0; spill < 2; spill++) {
                    sort_case c = {.keys = {{spill, threads & 1, b & 1}},
                                   .key_count = 1,
                                   .limit = UINT64_MAX,
                                   .threads = threads,
                                   .batch_rows = batches[b],
                                   .morsel_rows = morsels[m],
                                   .force_spill = spill,
                                   .spills = spill,
                                   .inputs = 1 + m % 2};
                    check_case(&t, &c);
                }
            }
        }
    }
    test_table_deinit(&t);
}

WR_TEST(sort, spilled_rows_of_every_type) {
    uint64_t seed = 5;
    for (uint32_t type = 0; type < TYPE_COUNT; type++) {
        test_table t;
        test_table_init(&t);
        add_random(&t, type_at(type), 1500, 30, 10, &seed);
        add_random(&t, type_at((type + 7) % TYPE_COUNT), 1500, 30, 10, &seed);
        test_table_add_numbers(&t, 1500);
        for (uint32_t mode = 0; mode < 4; mode++) {
            sort_case c = {.keys = {{0, mode & 1, mode >> 1}, {1, mode >> 1, mode & 1}},
                           .key_count = 1 + mode % 2,
                           .limit = UINT64_MAX,
                           .threads = 1 + mode,
                           .batch_rows = 32,
                           .morsel_rows = 300,
                           .shape = (test_shape)((type + mode) % 3),
                           .force_spill = true,
                           .spills = true};
            check_case(&t, &c);
        }
        test_table_deinit(&t);
    }
}

WR_TEST(sort, limits_and_offsets) {
    uint64_t seed = 6;
    static const uint64_t limits[] = {0, 1, 10, 500, 1000, 1200, 5000, UINT64_MAX},
                          offsets[] = {0, 1, 7, 990, 1000, 2000};
    test_table t;
    test_table_init(&t);
    add_random(&t, wr_type_of(WR_TYPE_INTEGER), 1000, 20, 10, &seed);
    test_table_add_numbers(&t, 1000);
    for (uint32_t l = 0; l < WR_COUNT_OF(limits); l++) {
        for (uint32_t o = 0; o < WR_COUNT_OF(offsets); o++) {
            for (uint32_t mode = 0; mode < 4; mode++) {
                sort_case c = {.keys = {{0, l & 1, o & 1}},
                               .key_count = 1,
                               .limit = limits[l],
                               .offset = offsets[o],
                               .threads = 1 + mode / 2 * 3,
                               .batch_rows = 16,
                               .morsel_rows = 100,
                               .force_spill = mode & 1,
                               .shape = (test_shape)((l + o) % 3)};
                check_case(&t, &c);
            }
        }
    }
    test_table_deinit(&t);
}

/* ---- input that is in order ---- */

static void add_ordered(test_table *t, uint32_t row_count, int64_t step, uint32_t run) {
    wr_value *values = WR_ARENA_ARRAY(&t->arena, wr_value, row_count);
    for (uint32_t i = 0; i < row_count; i++)
        values[i] = (wr_value){.type = wr_type_of(WR_TYPE_BIGINT), .i64 = (int64_t)(i / run) * step};
    test_table_add(t, wr_type_of(WR_TYPE_BIGINT), values, row_count);
}

WR_TEST(sort, rows_in_order_and_in_reverse) {
    for (uint32_t mode = 0; mode < 16; mode++) {
        test_table t;
        test_table_init(&t);
        add_ordered(&t, 5000, mode & 1 ? 3 : -3, mode & 8 ? 3 : 1);
        test_table_add_numbers(&t, 5000);
        sort_case c = {.keys = {{0, mode >> 1 & 1, false}},
                       .key_count = 1,
                       .limit = UINT64_MAX,
                       .threads = mode & 4 ? 4 : 1,
                       .batch_rows = 64,
                       .morsel_rows = 300};
        check_case(&t, &c);
        c.force_spill = c.spills = true;
        check_case(&t, &c);
        test_table_deinit(&t);
    }
}

/* ---- texts that agree for long ---- */

WR_TEST(sort, texts_that_agree_in_many_words) {
    enum { ROWS = 3000 };
    uint64_t seed = 8;
    test_table t;
    test_table_init(&t);
    wr_value *values = WR_ARENA_ARRAY(&t.arena, wr_value, ROWS);
    for (uint32_t i = 0; i < ROWS; i++) {
        uint32_t size = 200 + (uint32_t)(test_random(&seed) % 300);
        char *text = WR_ARENA_ARRAY(&t.arena, char, size);
        memset(text, 'x', size);
        if (i % 3) text[test_random(&seed) % size] = (char)('w' + test_random(&seed) % 3);
        values[i] = (wr_value){.type = wr_type_of(WR_TYPE_VARCHAR), .text = {text, size}};
    }
    test_table_add(&t, wr_type_of(WR_TYPE_VARCHAR), values, ROWS);
    test_table_add_numbers(&t, ROWS);
    for (uint32_t mode = 0; mode < 8; mode++) {
        sort_case c = {.keys = {{0, mode & 1, false}},
                       .key_count = 1,
                       .limit = UINT64_MAX,
                       .threads = mode & 2 ? 4 : 1,
                       .batch_rows = 50,
                       .morsel_rows = 300,
                       .force_spill = mode & 4,
                       .spills = mode & 4};
        check_case(&t, &c);
    }
    test_table_deinit(&t);
}
