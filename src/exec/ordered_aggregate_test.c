/* Ordered aggregation against sums kept in an array: keys that rise or are mixed inside morsels, groups that span
 * morsels, NULLs, several keys, morsels that are too large, and files that lie about their order. */
#include "exec/hash_aggregate.h"

#include <stdio.h>

#include "base/hash.h"
#include "tests/unit/test.h"

static uint32_t sum_bytes(const wr_type *types, uint32_t count) {
    (void)types;
    (void)count;
    return 8;
}
static void sum_init(const wr_aggregate_context *c, uint8_t *base, uint32_t stride, uint32_t count) {
    (void)c;
    for (uint32_t i = 0; i < count; i++) memset(base + (size_t)i * stride, 0, 8);
}
static wr_status sum_update(const wr_aggregate_context *c, const wr_vector *args, uint32_t arg_count,
                            const uint64_t *pass, uint32_t row_count, wr_state_rows s) {
    (void)c;
    (void)arg_count;
    (void)pass;
    for (uint32_t i = 0; i < row_count; i++) {
        *(int64_t *)(void *)(s.base + (size_t)s.group[i] * s.stride) += ((const int64_t *)args->data)[i];
    }
    return WR_OK;
}
static wr_status sum_merge(const wr_aggregate_context *c, uint8_t *source, uint32_t stride, uint32_t count,
                           wr_state_rows t) {
    (void)c;
    for (uint32_t i = 0; i < count; i++) {
        *(int64_t *)(void *)(t.base + (size_t)t.group[i] * t.stride) +=
            *(int64_t *)(void *)(source + (size_t)i * stride);
    }
    return WR_OK;
}
static wr_status sum_finalize(const wr_aggregate_context *c, const uint8_t *base, uint32_t stride, uint32_t count,
                              wr_vector *result) {
    WR_TRY(wr_vector_prepare(result, c->allocator, c->result, count, false, c->err));
    for (uint32_t i = 0; i < count; i++)
        memcpy((int64_t *)wr_vector_data_mut(result) + i, base + (size_t)i * stride, 8);
    return WR_OK;
}
static const wr_aggregate_ops sum_ops = {.state_bytes = sum_bytes,
                                         .state_align = 8,
                                         .init = sum_init,
                                         .update = sum_update,
                                         .merge = sum_merge,
                                         .finalize = sum_finalize};
static const wr_function sum_function = {.name = "sum", .kind = WR_FUNCTION_AGGREGATE, .aggregate = &sum_ops};

/* ---- input: morsels of rows (key, second key, value) ---- */

static uint64_t seed;

static uint32_t random_below(uint32_t limit) {
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)((seed >> 33) % limit);
}

enum { KEYS = 1000, SECONDS = 3, MORSELS = 20, MORSEL_ROWS = 300, BATCH = 64, LOCALS = 3 };

typedef struct setup {
    bool second; /* a second key, VARCHAR */
    bool mixed;  /* rows of a morsel in no order */
    bool nulls;  /* some ordering keys are NULL */
    bool force_spill;
    uint32_t step;   /* keys a row */
    int64_t lie;     /* added to the keys of morsel 7 */
    wr_type_id type; /* of the ordering key: INTEGER or BIGINT */
} setup;

typedef struct morsel_rows {
    uint32_t count;
    int64_t keys[MORSEL_ROWS]; /* KEYS: NULL */
    uint8_t seconds[MORSEL_ROWS];
    int64_t values[MORSEL_ROWS];
} morsel_rows;

static morsel_rows morsels[MORSELS];
static int64_t expected[KEYS + 1][SECONDS], seen[KEYS + 1][SECONDS];
static uint32_t times_seen[KEYS + 1][SECONDS];
static bool exists[KEYS + 1][SECONDS];

static void make_rows(const setup *s) {
    int64_t key = 0;
    memset(expected, 0, sizeof expected);
    memset(seen, 0, sizeof seen);
    memset(times_seen, 0, sizeof times_seen);
    memset(exists, 0, sizeof exists);
    for (uint32_t m = 0; m < MORSELS; m++) {
        morsel_rows *rows = &morsels[m];
        rows->count = m % 5 == 3 ? m % 2 : 1 + random_below(MORSEL_ROWS);
        for (uint32_t i = 0; i < rows->count; i++) {
            if (random_below(4) < s->step && key < KEYS - 1) key++;
            rows->keys[i] = s->nulls && random_below(10) == 0 ? KEYS : key;
            rows->seconds[i] = s->second ? (uint8_t)random_below(SECONDS) : 0;
            rows->values[i] = random_below(1000);
            expected[rows->keys[i]][rows->seconds[i]] += rows->values[i];
            exists[rows->keys[i]][rows->seconds[i]] = true;
        }
        for (uint32_t i = 0; s->mixed && i < rows->count; i++) {
            uint32_t j = random_below(rows->count);
            int64_t k = rows->keys[i], v = rows->values[i];
            uint8_t second = rows->seconds[i];
            rows->keys[i] = rows->keys[j], rows->keys[j] = k;
            rows->values[i] = rows->values[j], rows->values[j] = v;
            rows->seconds[i] = rows->seconds[j], rows->seconds[j] = second;
        }
    }
}

static const char *const second_names[SECONDS] = {"a", "another one that is long", "a third one, longer still"};

static wr_status make_batch(wr_batch *batch, const setup *s, uint32_t m, uint32_t first, uint32_t count,
                            wr_error *err) {
    wr_allocator *a = wr_test_allocator();
    const morsel_rows *rows = &morsels[m];
    WR_TRY(wr_batch_init(batch, a, 3, err));
    WR_TRY(wr_vector_prepare(&batch->columns[0], a, wr_type_of(s->type), count, s->nulls, err));
    WR_TRY(wr_vector_prepare(&batch->columns[1], a, wr_type_of(WR_TYPE_VARCHAR), count, false, err));
    WR_TRY(wr_vector_prepare(&batch->columns[2], a, wr_type_of(WR_TYPE_BIGINT), count, false, err));
    for (uint32_t i = 0; i < count; i++) {
        int64_t key = rows->keys[first + i] - 500 + (m == 7 ? s->lie : 0);
        if (s->type == WR_TYPE_INTEGER) {
            ((int32_t *)wr_vector_data_mut(&batch->columns[0]))[i] = (int32_t)key;
        } else {
            ((int64_t *)wr_vector_data_mut(&batch->columns[0]))[i] = key;
        }
        if (rows->keys[first + i] == KEYS) wr_bit_clear(wr_vector_validity_mut(&batch->columns[0]), i);
        const char *name = second_names[rows->seconds[first + i]];
        ((wr_string_view *)wr_vector_data_mut(&batch->columns[1]))[i] = wr_view_make(name, (uint32_t)strlen(name));
        ((int64_t *)wr_vector_data_mut(&batch->columns[2]))[i] = rows->values[first + i];
    }
    wr_batch_set_rows(batch, count);
    batch->ordinal.morsel = m;
    return WR_OK;
}

/* ---- the driver ---- */

static void no_wake(wr_waker *self) {
    (void)self;
}

static uint32_t woken;
static void count_wake(wr_waker *self) {
    (void)self;
    woken++;
}

typedef struct driver {
    wr_exec exec;
    wr_budget *budget;
    wr_operator *op;
    wr_source *late;
    wr_local *locals[LOCALS], *late_local;
    uint32_t late_groups, prompt_groups;
} driver;

static wr_status driver_init(driver *d, const setup *s, wr_error *err) {
    memset(d, 0, sizeof *d);
    WR_TRY(wr_budget_create(&d->budget, NULL, wr_test_allocator(), "test", WR_BUDGET_NO_LIMIT, err));
    d->exec = (wr_exec){.budget = d->budget,
                        .allocator = wr_budget_allocator(d->budget),
                        .batch_rows = BATCH,
                        .thread_count = LOCALS,
                        .force_spill = s->force_spill};
    d->exec.environment.kernels = wr_kernels_best();
    WR_TRY(wr_spill_create(&d->exec.spill, d->exec.allocator, "/tmp", UINT64_MAX, err));
    wr_type types[] = {wr_type_of(s->type), wr_type_of(WR_TYPE_VARCHAR), wr_type_of(WR_TYPE_BIGINT)};
    wr_aggregate_key keys[] = {{.column = 1}, {.column = 0, .nullable = s->nulls}};
    uint32_t value = 2, first = s->second ? 0 : 1;
    wr_aggregate_call call = {&sum_function, NULL, wr_type_of(WR_TYPE_BIGINT), &value, 1, WR_AGGREGATE_NO_FILTER};
    wr_aggregate_spec spec = {.input_types = types,
                              .input_count = 3,
                              .keys = keys + first,
                              .key_count = 2 - first,
                              .calls = &call,
                              .call_count = 1,
                              .ordered_by = 1 - first};
    WR_TRY(wr_ordered_aggregate_create(&d->op, &d->late, &d->exec, &spec, err));
    for (uint32_t i = 0; i < LOCALS; i++) WR_TRY(d->op->ops->local_create(d->op, &d->locals[i], err));
    return d->late->ops->local_create(d->late, &d->late_local, err);
}

static void drop_locals(driver *d) {
    for (uint32_t i = 0; i < LOCALS; i++) {
        if (d->locals[i]) d->op->ops->local_destroy(d->op, d->locals[i]);
        d->locals[i] = NULL;
    }
}

static void driver_deinit(driver *d) {
    if (d->op) drop_locals(d);
    if (d->late_local) d->late->ops->local_destroy(d->late, d->late_local);
    if (d->late) d->late->ops->destroy(d->late);
    if (d->op) d->op->ops->destroy(d->op);
    wr_spill_destroy(d->exec.spill);
    if (d->budget) wr_budget_close(d->budget);
}

static void take_rows(const setup *s, const wr_batch *batch) {
    for (uint32_t i = 0; i < batch->row_count; i++) {
        const wr_vector *keys = &batch->columns[s->second], *sums = &batch->columns[s->second + 1];
        int64_t key = KEYS;
        uint32_t second = 0;
        if (wr_valid(keys->validity, i)) {
            key = s->type == WR_TYPE_INTEGER ? ((const int32_t *)keys->data)[i] : ((const int64_t *)keys->data)[i];
            key += 500;
        }
        wr_str name = s->second ? wr_view_str((const wr_string_view *)batch->columns[0].data + i) : wr_str_from("a");
        while (second < SECONDS - 1 && !wr_str_equal(name, wr_str_from(second_names[second]))) second++;
        if (s->lie && (key < 0 || key > KEYS)) continue;
        if (!WR_CHECK(key >= 0 && key <= KEYS)) continue;
        seen[key][second] += ((const int64_t *)sums->data)[i];
        times_seen[key][second]++;
    }
}

static wr_status run_morsel(driver *d, const setup *s, uint32_t m, wr_error *err) {
    wr_waker waker = {no_wake, NULL};
    wr_local *local = d->locals[m % LOCALS];
    wr_batch *out;
    wr_flow flow = WR_HAVE_OUTPUT;
    for (uint32_t first = 0, n; first < morsels[m].count; first += n) {
        wr_batch batch = {0};
        n = morsels[m].count - first < BATCH ? morsels[m].count - first : BATCH;
        wr_status status = make_batch(&batch, s, m, first, n, err);
        if (status == WR_OK) status = d->op->ops->push(d->op, local, &batch, &out, &flow, &waker, err);
        if (batch.columns) wr_batch_deinit(&batch);
        WR_TRY(status);
        WR_CHECK_EQ_INT(flow, WR_NEED_INPUT);
    }
    for (;;) {
        WR_TRY(d->op->ops->flush(d->op, local, &out, &flow, &waker, err));
        if (flow == WR_NEED_INPUT) return WR_OK;
        WR_CHECK(out->row_count <= BATCH);
        d->prompt_groups += out->row_count;
        take_rows(s, out);
    }
}

static wr_status run(driver *d, const setup *s, wr_error *err) {
    wr_waker waker = {count_wake, NULL};
    wr_morsel morsel;
    wr_control control = {WR_END, 0, WR_WATERMARK_INFINITY};
    wr_flow flow;
    wr_batch *batch;
    WR_TRY(d->late->ops->next(d->late, &morsel, &control, &flow, &waker, err));
    WR_CHECK_EQ_INT(flow, WR_BLOCKED);
    for (uint32_t m = 0; m < MORSELS; m++) WR_TRY(run_morsel(d, s, m, err));
    drop_locals(d);
    woken = 0;
    control = (wr_control){WR_END, 0, WR_WATERMARK_INFINITY};
    WR_TRY(d->op->ops->control(d->op, &control, err));
    WR_CHECK_EQ_INT(woken, 1);
    for (;;) {
        WR_TRY(d->late->ops->next(d->late, &morsel, &control, &flow, &waker, err));
        if (flow == WR_DONE) return WR_OK;
        for (;;) {
            WR_TRY(d->late->ops->read(d->late, d->late_local, &morsel, &batch, &flow, &waker, err));
            if (flow == WR_NEED_INPUT) break;
            d->late_groups += batch->row_count;
            take_rows(s, batch);
        }
    }
}

static void check(const setup *s, const char *what) {
    wr_error err;
    driver d;
    wr_error_clear(&err);
    make_rows(s);
    wr_status status = driver_init(&d, s, &err);
    if (status == WR_OK) status = run(&d, s, &err);
    driver_deinit(&d);
    if (!WR_CHECK_OK(status, &err)) return;
    for (uint32_t k = 0; k <= KEYS; k++) {
        for (uint32_t second = 0; second < SECONDS; second++) {
            bool right = seen[k][second] == expected[k][second] && times_seen[k][second] == exists[k][second];
            if (right) continue;
            wr_test_fail(__FILE__, __LINE__, "%s: key %u, %u came %u times with %lld, expected %lld", what, k, second,
                         times_seen[k][second], (long long)seen[k][second], (long long)expected[k][second]);
            return;
        }
    }
    /* Groups at the ends of morsels are late, the others are not. */
    if (s->force_spill) return;
    WR_CHECK(d.late_groups <= MORSELS * 2 * SECONDS + SECONDS);
    if (s->step > 1) WR_CHECK(d.prompt_groups > d.late_groups);
}

WR_TEST(ordered_aggregate, groups_leave_with_their_morsel) {
    seed = 1;
    for (uint32_t step = 0; step <= 4; step += 2) {
        for (int form = 0; form < 32; form++) {
            setup s = {.step = step,
                       .second = form & 1,
                       .mixed = form & 2,
                       .nulls = form & 4,
                       .force_spill = form & 8,
                       .type = form & 16 ? WR_TYPE_INTEGER : WR_TYPE_BIGINT};
            char what[64];
            snprintf(what, sizeof what, "step %u form %d", step, form);
            check(&s, what);
        }
    }
}

WR_TEST(ordered_aggregate, equal_hashes) {
    seed = 2;
    wr_hash_all_zero = 1;
    for (int form = 0; form < 4; form++) {
        setup s = {.step = 1, .second = form & 1, .mixed = form & 2, .type = WR_TYPE_BIGINT};
        check(&s, "zero hashes");
    }
    wr_hash_all_zero = 0;
}

WR_TEST(ordered_aggregate, a_broken_promise_is_an_error) {
    seed = 3;
    for (int form = 0; form < 2; form++) {
        setup s = {.step = 2, .second = form, .lie = form ? 400 : -100, .type = WR_TYPE_BIGINT};
        wr_error err;
        driver d;
        wr_error_clear(&err);
        make_rows(&s);
        wr_status status = driver_init(&d, &s, &err);
        if (status == WR_OK) status = run(&d, &s, &err);
        driver_deinit(&d);
        WR_CHECK_STATUS(status, WR_CORRUPT, &err);
        WR_CHECK_CONTAINS(err.message, "parts follow each other");
    }
}

WR_TEST(ordered_aggregate, every_failure_is_reported) {
    for (int form = 0; form < 8; form++) {
        wr_status status = WR_NO_MEMORY;
        for (uint64_t n = 1; status != WR_OK; n += 1 + n / 50) {
            setup s = {
                .step = 2, .second = form & 1, .mixed = form & 2, .force_spill = form & 4, .type = WR_TYPE_BIGINT};
            wr_error err;
            driver d;
            wr_error_clear(&err);
            seed = 4;
            make_rows(&s);
            wr_fault_arm(WR_FAULT_ALLOC, n);
            status = driver_init(&d, &s, &err);
            if (status == WR_OK) status = run(&d, &s, &err);
            wr_fault_disarm_all();
            driver_deinit(&d);
            if (status != WR_OK) WR_CHECK_EQ_INT(err.code, status);
            if (!WR_CHECK_EQ_UINT(wr_test_live_blocks(), 0)) return;
        }
    }
}
