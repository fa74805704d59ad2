/* Dictionary algebra against the ordinary way: the same random batches through both must leave the same states, to the
 * bit, and give the same errors. Then cases that must take the fast path, and cases that must not. */
#include "exec/aggregate_internal.h"
#include "exec/build_internal.h"
#include "plan/plan_test_util.h"
#include "tests/unit/kernels.h"

enum { COLUMNS = 6, CALLS_MAX = 16, ENTRIES = 24 };
enum { AMOUNT, RATE, TAX, UNITS, WIDE, UNSIGNED };
static const char *const column_types[COLUMNS] = {"DECIMAL(15,2)", "DECIMAL(16,2)", "DECIMAL(16,2)",
                                                  "INTEGER",       "DECIMAL(38,0)", "UBIGINT"};

typedef struct algebra_test {
    fixture f;
    wr_exec exec;
    wr_builder builder;
    wr_expr *columns[COLUMNS];
    wr_column_id ids[COLUMNS];
    wr_type types[COLUMNS + CALLS_MAX];
    wr_aggregate_call calls[CALLS_MAX];
    wr_aggregate_product products[CALLS_MAX];
    uint32_t args[CALLS_MAX], call_count, product_count;
    wr_agg_plan plan;
} algebra_test;

static wr_status factor_of(void *user, wr_expr *expr, uint32_t *position, wr_column_id *id, wr_error *err) {
    (void)err;
    (void)user;
    *id = expr->column;
    *position = expr->column - 1;
    return WR_OK;
}

/* A call of one argument, or none. */
static void add_call(algebra_test *t, const char *name, wr_expr *arg) {
    wr_expr *e = call_list(&t->f, name, &arg, arg != NULL);
    wr_aggregate_call *c = &t->calls[t->call_count];
    uint32_t *place = &t->args[t->call_count++];
    *c = (wr_aggregate_call){e->function, e->function_data, e->type, place, e->arg_count, WR_AGGREGATE_NO_FILTER};
    if (!arg) return;
    if (!wr_build_is_product(e->args[0])) {
        *place = e->args[0]->column - 1;
        return;
    }
    *place = COLUMNS + t->product_count;
    t->types[*place] = e->args[0]->type;
    wr_aggregate_product *p = &t->products[t->product_count++];
    WR_CHECK_OK(wr_build_product(&t->builder, e->args[0], factor_of, NULL, p, &t->f.err), &t->f.err);
}

static void test_begin(algebra_test *t) {
    memset(t, 0, sizeof *t);
    begin(&t->f);
    t->builder.arena = &t->f.arena;
    for (uint32_t i = 0; i < COLUMNS; i++) {
        t->ids[i] = i + 1;
        t->types[i] = type_of(&t->f, column_types[i]);
        t->columns[i] = wr_expr_column(&t->f.arena, t->ids[i], t->types[i]);
    }
}

static wr_expr *times(algebra_test *t, wr_expr *a, wr_expr *b) {
    return call(&t->f, "*", a, b);
}

static void test_plan(algebra_test *t, const wr_kernels *kernels) {
    WR_CHECK_OK(wr_budget_create(&t->exec.budget, NULL, wr_test_allocator(), "test", WR_BUDGET_NO_LIMIT, &t->f.err),
                &t->f.err);
    t->exec.allocator = wr_budget_allocator(t->exec.budget);
    t->exec.environment = t->f.environment;
    t->exec.environment.kernels = kernels;
    t->exec.batch_rows = WR_BATCH_ROWS;
    t->exec.thread_count = 1;
    wr_aggregate_spec spec = {.input_types = t->types,
                              .input_count = COLUMNS,
                              .input_ids = t->ids,
                              .products = t->products,
                              .product_count = t->product_count,
                              .calls = t->calls,
                              .call_count = t->call_count};
    WR_CHECK_OK(wr_agg_plan_init(&t->plan, &t->exec, t->exec.budget, &spec, true, &t->f.err), &t->f.err);
}

static void plan_end(algebra_test *t) {
    wr_agg_plan_deinit(&t->plan);
    wr_budget_close(t->exec.budget);
}

/* ---- batches ---- */

typedef enum magnitude { SMALL, LARGE, EXTREME } magnitude;

typedef struct batch_kind {
    uint32_t rows;
    magnitude size;
    bool nulls;      /* in rows and in dictionaries */
    bool late_nulls; /* not in the first batches */
    bool same_codes; /* RATE and TAX have the codes of one column */
    bool all_flat;
} batch_kind;

static wr_int128 random_number(wr_type type, magnitude size, uint64_t *state) {
    static const uint64_t limits[] = {1000, UINT64_C(10000000000), 0};
    uint64_t random = test_random(state);
    bool is_signed = wr_type_phys(type) != WR_PHYS_U64;
    if (size != EXTREME) return (wr_int128)(random % limits[size]) - (is_signed ? (wr_int128)limits[size] / 2 : 0);
    switch (random % 4) {
    case 0: return is_signed ? -(wr_int128)(random >> 40) : 0;
    case 1: return (wr_int128)(random >> 40);
    case 2: return is_signed ? (wr_int128)INT64_MIN + 1 : 0;
    default: return is_signed ? (wr_int128)INT64_MAX : (wr_int128)UINT64_MAX;
    }
}

static void fill(wr_vector *v, wr_type type, uint32_t rows, const batch_kind *kind, uint64_t *state) {
    wr_error err;
    wr_phys phys = wr_type_phys(type);
    WR_CHECK_OK(wr_vector_prepare(v, wr_test_allocator(), type, rows, kind->nulls, &err), &err);
    for (uint32_t i = 0; i < rows; i++) {
        wr_int128 x = random_number(type, kind->size, state);
        if (phys == WR_PHYS_I32) x = (int32_t)(x % INT32_MAX);
        memcpy((uint8_t *)wr_vector_data_mut(v) + i * wr_phys_bytes(phys), &x, wr_phys_bytes(phys));
        if (kind->nulls && test_random(state) % 5 == 0) wr_bit_clear(wr_vector_validity_mut(v), i);
    }
}

/* A dictionary over rows that are codes; `codes` NULL makes new ones. */
static void encode(wr_vector *v, wr_vector_set *dictionary, const wr_vector *codes, uint32_t rows,
                   const batch_kind *kind, uint64_t *state) {
    const wr_vector *values = &dictionary->items[0];
    if (codes) {
        wr_vector_share(v, codes);
        wr_vector_set_release(v->children);
    } else {
        fill(v, wr_type_of(WR_TYPE_INTEGER), rows, kind, state);
        uint32_t *code = wr_vector_data_mut(v);
        for (uint32_t i = 0; i < rows; i++) code[i] = (uint32_t)(test_random(state) % values->row_count);
    }
    v->kind = WR_DICTIONARY;
    v->type = values->type;
    v->phys = values->phys;
    v->children = wr_vector_set_retain(dictionary);
}

static void make_batch(algebra_test *t, wr_batch *batch, wr_vector_set *const *dictionaries, const batch_kind *kind,
                       uint64_t *state) {
    wr_batch_clear(batch);
    for (uint32_t c = 0; c < COLUMNS; c++) {
        wr_vector *v = &batch->columns[c];
        bool coded = c == RATE || c == TAX || (c != UNSIGNED && test_random(state) % 4 == 0);
        if (!coded || kind->all_flat) {
            fill(v, t->types[c], kind->rows, kind, state);
        } else {
            bool share = c == TAX && kind->same_codes;
            encode(v, dictionaries[c], share ? &batch->columns[RATE] : NULL, kind->rows, kind, state);
        }
        if (c == WIDE && test_random(state) % 4 == 0) {
            wr_value value = {.type = t->types[c], .i128 = (wr_int128)(test_random(state) % 3)};
            WR_CHECK_OK(wr_vector_constant(v, wr_test_allocator(), &value, kind->rows, &t->f.err), &t->f.err);
        }
    }
    wr_batch_set_rows(batch, kind->rows);
}

/* ---- both ways ---- */

typedef struct way {
    wr_agg_states states;
    uint8_t *entries;
    wr_status status;
} way;

static void way_init(algebra_test *t, way *w, uint32_t groups) {
    wr_allocator *a = wr_test_allocator();
    WR_CHECK_OK(wr_agg_states_init(&w->states, &t->plan, &t->f.err), &t->f.err);
    w->entries = a->alloc(a, (size_t)t->plan.entry_bytes * groups, WR_ALIGN_BUFFER);
    memset(w->entries, 0, (size_t)t->plan.entry_bytes * groups);
    wr_agg_states_create(&w->states, w->entries, t->plan.entry_bytes, groups);
    w->status = WR_OK;
}

static void way_deinit(algebra_test *t, way *w, uint32_t groups) {
    wr_allocator *a = wr_test_allocator();
    wr_agg_states_deinit(&w->states);
    a->free(a, w->entries, (size_t)t->plan.entry_bytes * groups, WR_ALIGN_BUFFER);
}

/* Runs batches through both; returns the rows that went by code. */
static uint64_t compare_ways(algebra_test *t, uint32_t groups, uint32_t batches, const batch_kind *kind,
                             uint64_t *state) {
    way coded, plain;
    wr_batch batch;
    wr_vector_set *dictionaries[COLUMNS] = {NULL};
    uint32_t *group = wr_alloc(wr_test_allocator(), sizeof *group * (kind->rows + 128));
    way_init(t, &coded, groups);
    way_init(t, &plain, groups);
    WR_CHECK_OK(wr_batch_init(&batch, wr_test_allocator(), COLUMNS, &t->f.err), &t->f.err);
    for (uint32_t b = 0; b < batches && coded.status == WR_OK && plain.status == WR_OK; b++) {
        batch_kind now = *kind;
        now.nulls = kind->nulls && (b > 2 || !kind->late_nulls);
        for (uint32_t c = 0; c < COLUMNS && b % 5 == 0; c++) {
            wr_vector_set_release(dictionaries[c]);
            WR_CHECK_OK(wr_vector_set_create(&dictionaries[c], wr_test_allocator(), 1, &t->f.err), &t->f.err);
            uint32_t entries = 1 + (uint32_t)(test_random(state) % ENTRIES);
            fill(&dictionaries[c]->items[0], t->types[c], c == TAX ? dictionaries[RATE]->items[0].row_count : entries,
                 &now, state);
        }
        make_batch(t, &batch, dictionaries, &now, state);
        for (uint32_t i = 0; i < kind->rows; i++) group[i] = (uint32_t)(test_random(state) % groups);
        uint32_t known = b < 2 && groups > 3 ? groups / 2 : groups;
        for (uint32_t i = 0; i < kind->rows; i++) group[i] %= known;
        coded.status = wr_agg_states_update(&coded.states, &batch, coded.entries, group, known, &t->f.err);
        plain.status = wr_agg_states_update(&plain.states, &batch, plain.entries, group, 0, &t->f.err);
        if (b % 7 == 6) wr_agg_states_settle(&coded.states, coded.entries);
    }
    wr_agg_states_settle(&coded.states, coded.entries);
    WR_CHECK_EQ_INT(coded.status, plain.status);
    if (plain.status == WR_OK) {
        WR_CHECK_EQ_BYTES(coded.entries, plain.entries, (size_t)t->plan.entry_bytes * groups);
    }
    uint64_t folded = coded.states.folded_rows;
    WR_CHECK_EQ_UINT(plain.states.folded_rows, 0);
    for (uint32_t c = 0; c < COLUMNS; c++) wr_vector_set_release(dictionaries[c]);
    wr_batch_deinit(&batch);
    way_deinit(t, &coded, groups);
    way_deinit(t, &plain, groups);
    wr_free(wr_test_allocator(), group, sizeof *group * (kind->rows + 128));
    return folded;
}

/* Sums and means of columns, of products that share factors, of squares, of what is too wide. */
enum { CALLS = 13 };
static void add_nth_call(algebra_test *t, uint32_t n) {
    wr_expr **c = t->columns, *net = times(t, c[AMOUNT], c[RATE]);
    wr_expr *const args[CALLS] = {NULL,
                                  c[AMOUNT],
                                  c[AMOUNT],
                                  c[RATE],
                                  net,
                                  times(t, net, c[TAX]),
                                  times(t, c[TAX], c[AMOUNT]),
                                  c[AMOUNT],
                                  c[UNSIGNED],
                                  c[RATE],
                                  times(t, c[RATE], c[RATE]),
                                  times(t, c[AMOUNT], c[WIDE]),
                                  times(t, c[UNITS], c[UNITS])};
    static const char *const names[CALLS] = {"count", "sum", "avg",   "sum", "sum", "sum", "avg",
                                             "min",   "sum", "count", "sum", "sum", "sum"};
    add_call(t, names[n], args[n]);
}

WR_TEST(aggregate_algebra, both_ways_agree) {
    uint64_t state = 1;
    EACH_ISA(k) {
        algebra_test t;
        test_begin(&t);
        for (uint32_t c = 0; c < CALLS; c++) add_nth_call(&t, c);
        test_plan(&t, k);
        for (uint32_t i = 0; i < 96; i++) {
            static const uint32_t rows[] = {2048, 1, 3, 64}, groups[] = {1, 4, 90};
            batch_kind kind = {.rows = rows[i % 4],
                               .size = (magnitude)(i / 4 % 3),
                               .nulls = i / 12 % 2,
                               .late_nulls = i / 48,
                               .same_codes = i / 24 % 2,
                               .all_flat = i % 11 == 0};
            compare_ways(&t, groups[i % 3], 12, &kind, &state);
        }
        plan_end(&t);
        end(&t.f);
    }
}

WR_TEST(aggregate_algebra, each_call_alone) {
    uint64_t state = 2;
    for (uint32_t c = 0; c < CALLS; c++) {
        for (uint32_t i = 0; i < 12; i++) {
            algebra_test t;
            test_begin(&t);
            add_nth_call(&t, c);
            test_plan(&t, wr_kernels_best());
            batch_kind kind = {.rows = 300, .size = (magnitude)(i % 3), .nulls = i / 3 % 2, .same_codes = i / 6};
            compare_ways(&t, 5, 6, &kind, &state);
            plan_end(&t);
            end(&t.f);
        }
    }
}

/* ---- which way ---- */

static uint64_t folded_rows(void (*calls)(algebra_test *t), uint32_t groups, const batch_kind *kind) {
    uint64_t state = 3;
    algebra_test t;
    test_begin(&t);
    calls(&t);
    test_plan(&t, wr_kernels_best());
    uint64_t folded = compare_ways(&t, groups, 10, kind, &state);
    plan_end(&t);
    end(&t.f);
    return folded;
}

static void product_calls(algebra_test *t) {
    wr_expr *net = times(t, t->columns[AMOUNT], t->columns[RATE]);
    add_call(t, "sum", net);
    add_call(t, "sum", times(t, net, t->columns[TAX]));
    add_call(t, "count", NULL);
}
static void single_calls(algebra_test *t) {
    add_call(t, "sum", t->columns[AMOUNT]);
    add_call(t, "avg", t->columns[UNITS]);
}
static void minimum_call(algebra_test *t) {
    add_call(t, "min", t->columns[AMOUNT]);
    add_call(t, "count", NULL);
}

WR_TEST(aggregate_algebra, goes_by_code_where_it_can) {
    const batch_kind small = {.rows = 2048, .size = SMALL}, nulls = {.rows = 2048, .size = SMALL, .nulls = true},
                     large = {.rows = 2048, .size = LARGE};
    WR_CHECK_EQ_UINT(folded_rows(product_calls, 4, &small), 20480);
    WR_CHECK_EQ_UINT(folded_rows(product_calls, 4, &nulls), 20480);
    WR_CHECK_EQ_UINT(folded_rows(single_calls, 1, &small), 20480);
    WR_CHECK_EQ_UINT(folded_rows(single_calls, 1000, &small), 20480);
    WR_CHECK_EQ_UINT(folded_rows(single_calls, 4, &large), 20480);
}

WR_TEST(aggregate_algebra, goes_the_ordinary_way_where_it_must) {
    const batch_kind flat = {.rows = 2048, .size = SMALL, .all_flat = true}, small = {.rows = 2048, .size = SMALL},
                     extreme = {.rows = 2048, .size = EXTREME};
    WR_CHECK_EQ_UINT(folded_rows(product_calls, 4, &flat), 0);
    WR_CHECK_EQ_UINT(folded_rows(product_calls, 5000, &small), 0); /* too many slots */
    WR_CHECK_EQ_UINT(folded_rows(minimum_call, 4, &small), 0);
    WR_CHECK_EQ_UINT(folded_rows(single_calls, 4, &extreme), 0); /* could overflow an int64 */
}

/* int64 lanes are settled before they overflow: 2^61 a row fits a batch of one, and no two of them. */
static void amount_call(algebra_test *t) {
    add_call(t, "sum", t->columns[AMOUNT]);
}

WR_TEST(aggregate_algebra, budgets_are_kept) {
    algebra_test t;
    way coded;
    wr_batch batch;
    const uint32_t groups[64] = {0};
    test_begin(&t);
    amount_call(&t);
    test_plan(&t, wr_kernels_best());
    way_init(&t, &coded, 1);
    WR_CHECK_OK(wr_batch_init(&batch, wr_test_allocator(), COLUMNS, &t.f.err), &t.f.err);
    wr_vector *v = &batch.columns[AMOUNT];
    WR_CHECK_OK(wr_vector_prepare(v, wr_test_allocator(), t.types[AMOUNT], 1, false, &t.f.err), &t.f.err);
    ((int64_t *)wr_vector_data_mut(v))[0] = -(INT64_C(1) << 61);
    wr_batch_set_rows(&batch, 1);
    for (uint32_t i = 0; i < 9; i++) {
        WR_CHECK_OK(wr_agg_states_update(&coded.states, &batch, coded.entries, groups, 1, &t.f.err), &t.f.err);
    }
    wr_agg_states_settle(&coded.states, coded.entries);
    wr_int128 sum;
    memcpy(&sum, coded.entries + t.plan.calls[0].offset, sizeof sum);
    WR_CHECK(sum == -((wr_int128)9 << 61));
    WR_CHECK_EQ_UINT(coded.states.folded_rows, 9);
    wr_batch_deinit(&batch);
    way_deinit(&t, &coded, 1);
    plan_end(&t);
    end(&t.f);
}
