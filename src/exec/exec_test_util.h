/* What the tests of nodes that keep rows share: tables of random values, a source that gives them in batches of every
 * kind, and a sink that puts what comes out side by side in the order of its ordinals. */
#ifndef WR_EXEC_TEST_UTIL_H
#define WR_EXEC_TEST_UTIL_H

#include "base/arena.h"
#include "exec/pipeline.h"
#include "tests/unit/test.h"

/* ---- the world of a query ---- */

typedef struct test_world {
    wr_budget *budget;
    wr_scheduler *scheduler;
    wr_exec exec;
    wr_pipeline_set *set;
    bool open;
} test_world;

static inline void test_world_close(test_world *w) {
    wr_pipeline_set_destroy(w->set);
    wr_task_group_destroy(w->exec.group);
    wr_scheduler_destroy(w->scheduler);
    wr_spill_destroy(w->exec.spill);
    if (w->budget) wr_budget_close(w->budget);
    *w = (test_world){0};
}

static inline wr_status test_world_open(test_world *w, uint32_t threads, uint32_t batch_rows, size_t limit_bytes,
                                        wr_error *err) {
    *w = (test_world){0};
    wr_allocator *system = wr_test_allocator();
    WR_TRY(wr_budget_create(&w->budget, NULL, system, "test", limit_bytes, err));
    wr_allocator *a = wr_budget_allocator(w->budget);
    w->exec = (wr_exec){.allocator = a, .budget = w->budget, .thread_count = threads, .batch_rows = batch_rows};
    WR_TRY(wr_scheduler_create(&w->scheduler, system, threads, err));
    w->exec.scheduler = w->scheduler;
    WR_TRY(wr_task_group_create(&w->exec.group, w->scheduler, system, err));
    WR_TRY(wr_spill_create(&w->exec.spill, system, "/tmp", UINT64_MAX, err));
    return wr_pipeline_set_create(&w->set, &w->exec, err);
}

/* ---- tables ---- */

typedef struct test_table {
    wr_allocator *allocator;
    uint32_t column_count, row_count;
    wr_type types[16];
    wr_vector columns[16];   /* flat */
    wr_vector_set *sets[16]; /* the same as dictionaries */
    wr_arena arena;
} test_table;

static inline uint64_t test_random(uint64_t *seed) {
    *seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t x = *seed;
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static inline void test_table_init(test_table *t) {
    *t = (test_table){.allocator = wr_test_allocator()};
    wr_arena_init(&t->arena, t->allocator);
}

static inline void test_table_deinit(test_table *t) {
    for (uint32_t c = 0; c < t->column_count; c++) {
        wr_vector_deinit(&t->columns[c]);
        wr_vector_set_release(t->sets[c]);
    }
    wr_arena_deinit(&t->arena);
}

/* A column of row_count values. */
static inline void test_table_add(test_table *t, wr_type type, const wr_value *values, uint32_t row_count) {
    wr_error err;
    uint32_t c = t->column_count++;
    wr_vector one = {0};
    t->types[c] = type;
    t->row_count = row_count;
    WR_CHECK_OK(wr_vector_prepare(&t->columns[c], t->allocator, type, 0, false, &err), &err);
    for (uint32_t i = 0; i < row_count; i++) {
        WR_CHECK_OK(wr_vector_constant(&one, t->allocator, &values[i], 1, &err), &err);
        WR_CHECK_OK(wr_vector_append(&t->columns[c], t->allocator, &one, NULL, 1, &err), &err);
    }
    wr_vector_deinit(&one);
    WR_CHECK_OK(wr_vector_set_create(&t->sets[c], t->allocator, 1, &err), &err);
    wr_vector_share(&t->sets[c]->items[0], &t->columns[c]);
}

/* The row's number, as the last column. */
static inline void test_table_add_numbers(test_table *t, uint32_t row_count) {
    wr_value *values = WR_ARENA_ARRAY(&t->arena, wr_value, row_count + 1);
    for (uint32_t i = 0; i < row_count; i++) values[i] = (wr_value){.type = wr_type_of(WR_TYPE_BIGINT), .i64 = i};
    test_table_add(t, wr_type_of(WR_TYPE_BIGINT), values, row_count);
}

static inline wr_value test_table_value(test_table *t, uint32_t column, uint32_t row) {
    wr_error err;
    wr_value value = {0};
    WR_CHECK_OK(wr_vector_value(&t->columns[column], row, &t->arena, &value, &err), &err);
    return value;
}

/* ---- a source: morsels of `morsel_rows` rows, in batches of the query's size ---- */

typedef enum test_shape { TEST_FLAT, TEST_DICTIONARY, TEST_SELECTED } test_shape;

typedef struct test_scan {
    wr_source source;
    const test_table *table;
    uint32_t first, end, morsel_rows;
    test_shape shape;
    uint64_t next_index;
} test_scan;

typedef struct test_scan_local {
    wr_batch out;
    uint32_t at;
    uint64_t morsel; /* that `at` belongs to, plus one */
} test_scan_local;

static inline wr_status test_scan_local_create(wr_source *source, wr_local **out, wr_error *err) {
    wr_allocator *a = source->base.exec->allocator;
    test_scan_local *l = wr_alloc_zeroed(a, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "test");
    wr_status status = wr_batch_init(&l->out, a, ((test_scan *)source)->table->column_count, err);
    if (status != WR_OK) {
        wr_free(a, l, sizeof *l);
        return status;
    }
    *out = (wr_local *)l;
    return WR_OK;
}

static inline void test_scan_local_destroy(wr_source *source, wr_local *local) {
    test_scan_local *l = (test_scan_local *)local;
    wr_batch_deinit(&l->out);
    wr_free(source->base.exec->allocator, l, sizeof *l);
}

static inline wr_status test_scan_next(wr_source *source, wr_morsel *morsel, wr_control *control, wr_flow *flow,
                                       wr_waker *waker, wr_error *err) {
    (void)control;
    (void)waker;
    (void)err;
    test_scan *s = (test_scan *)source;
    *flow = s->first < s->end ? WR_HAVE_OUTPUT : WR_DONE;
    if (*flow == WR_DONE) return WR_OK;
    uint32_t count = s->end - s->first < s->morsel_rows ? s->end - s->first : s->morsel_rows;
    *morsel = (wr_morsel){.index = s->next_index++, .first = s->first, .count = count};
    s->first += count;
    return WR_OK;
}

/* Rows [first, first + count): SELECTED puts another row of the table behind each and selects the right ones. */
static inline wr_status test_scan_fill(const test_scan *s, wr_batch *out, uint32_t first, uint32_t count,
                                       wr_error *err) {
    const test_table *t = s->table;
    uint32_t rows[WR_BATCH_ROWS * 2];
    uint32_t step = s->shape == TEST_SELECTED ? 2 : 1;
    for (uint32_t i = 0; i < count; i++) {
        rows[i * step] = first + i;
        if (step == 2) rows[i * 2 + 1] = (first * 7 + i) % t->row_count;
    }
    wr_batch_clear(out);
    for (uint32_t c = 0; c < t->column_count; c++) {
        wr_vector *v = &out->columns[c];
        WR_TRY(wr_vector_gather32(v, out->allocator, &t->columns[c], rows, count * step, err));
        if (s->shape != TEST_DICTIONARY) continue;
        wr_vector_deinit(v);
        *v = (wr_vector){.type = t->types[c], .phys = t->columns[c].phys, .kind = WR_DICTIONARY, .row_count = count};
        v->children = wr_vector_set_retain(t->sets[c]);
        WR_TRY(wr_buffer_create(&v->data_buffer, out->allocator, sizeof(uint32_t) * count, err));
        v->data = memcpy(v->data_buffer->data, rows, sizeof(uint32_t) * count);
    }
    wr_batch_set_rows(out, count * step);
    if (step == 1) return WR_OK;
    uint64_t pass[WR_BATCH_ROWS * 2 / 64 + 1];
    memset(pass, 0x55, sizeof pass);
    return wr_batch_filter(out, pass, err);
}

static inline wr_status test_scan_read(wr_source *source, wr_local *local, const wr_morsel *morsel, wr_batch **out,
                                       wr_flow *flow, wr_waker *waker, wr_error *err) {
    (void)waker;
    test_scan *s = (test_scan *)source;
    test_scan_local *l = (test_scan_local *)local;
    if (l->morsel != morsel->index + 1) l->at = 0;
    l->morsel = morsel->index + 1;
    uint32_t left = (uint32_t)morsel->count - l->at, rows = source->base.exec->batch_rows;
    if (left < rows) rows = left;
    *flow = rows ? WR_HAVE_OUTPUT : WR_NEED_INPUT;
    if (!rows) {
        l->morsel = 0;
        return WR_OK;
    }
    WR_TRY(test_scan_fill(s, &l->out, (uint32_t)morsel->first + l->at, rows, err));
    l->at += rows;
    *out = &l->out;
    return WR_OK;
}

static inline void test_scan_destroy(wr_source *source) {
    wr_node_base_deinit(&source->base);
}

static const wr_source_ops test_scan_ops = {
    .name = "TEST SCAN",
    .destroy = test_scan_destroy,
    .local_create = test_scan_local_create,
    .local_destroy = test_scan_local_destroy,
    .next = test_scan_next,
    .read = test_scan_read,
};

static inline wr_source *test_scan_init(test_scan *s, test_world *w, const test_table *table, uint32_t morsel_rows,
                                        test_shape shape) {
    *s = (test_scan){.source.ops = &test_scan_ops,
                     .table = table,
                     .end = table->row_count,
                     .morsel_rows = morsel_rows,
                     .shape = shape};
    wr_node_base_init(&s->source.base, &w->exec, "TEST SCAN", 0);
    return &s->source;
}

/* ---- a sink ---- */

typedef struct test_result {
    wr_sink sink;
    wr_mutex lock;
    uint32_t column_count;
    const wr_type *types;
    wr_batch *batches;
    uint32_t count, capacity;
    wr_vector columns[16]; /* all rows, at the end */
    uint32_t row_count, largest_batch;
    uint64_t seen_rows;
} test_result;

static inline wr_status test_result_consume(wr_sink *sink, wr_local *local, wr_batch *in, wr_flow *flow,
                                            wr_waker *waker, wr_error *err) {
    (void)local;
    (void)waker;
    test_result *r = (test_result *)sink;
    wr_allocator *a = wr_test_allocator();
    *flow = WR_NEED_INPUT;
    wr_batch copy;
    WR_TRY(wr_batch_init(&copy, a, r->column_count, err));
    wr_status status = wr_batch_copy(&copy, a, in, err);
    wr_mutex_lock(&r->lock);
    if (status == WR_OK) status = wr_grow(a, (void **)&r->batches, &r->capacity, r->count, 1, sizeof(wr_batch), err);
    if (status == WR_OK) {
        r->seen_rows += copy.row_count;
        if (copy.row_count > r->largest_batch) r->largest_batch = copy.row_count;
        uint32_t at = r->count++;
        for (; at > 0 && wr_ordinal_compare(copy.ordinal, r->batches[at - 1].ordinal) < 0; at--)
            r->batches[at] = r->batches[at - 1];
        r->batches[at] = copy;
    }
    wr_mutex_unlock(&r->lock);
    if (status != WR_OK) wr_batch_deinit(&copy);
    return status;
}

static inline wr_status test_result_control(wr_sink *sink, const wr_control *control, uint32_t *task_count,
                                            wr_error *err) {
    (void)control;
    test_result *r = (test_result *)sink;
    *task_count = 0;
    for (uint32_t c = 0; c < r->column_count; c++) {
        WR_TRY(wr_vector_prepare(&r->columns[c], wr_test_allocator(), r->types[c], 0, false, err));
        for (uint32_t b = 0; b < r->count; b++) {
            WR_TRY(wr_vector_append(&r->columns[c], wr_test_allocator(), &r->batches[b].columns[c], NULL,
                                    r->batches[b].row_count, err));
        }
    }
    r->row_count = (uint32_t)r->seen_rows;
    return WR_OK;
}

/* What it holds is for the test to look at: test_result_deinit frees it. */
static inline void test_result_destroy(wr_sink *sink) {
    wr_node_base_deinit(&sink->base);
}

static const wr_sink_ops test_result_ops = {
    .name = "TEST RESULT",
    .destroy = test_result_destroy,
    .consume = test_result_consume,
    .control = test_result_control,
};

static inline wr_sink *test_result_init(test_result *r, test_world *w, const wr_type *types, uint32_t column_count) {
    *r = (test_result){.sink.ops = &test_result_ops, .types = types, .column_count = column_count};
    wr_mutex_init(&r->lock);
    wr_node_base_init(&r->sink.base, &w->exec, "TEST RESULT", 0);
    return &r->sink;
}

static inline void test_result_deinit(test_result *r) {
    for (uint32_t b = 0; b < r->count; b++) wr_batch_deinit(&r->batches[b]);
    wr_free(wr_test_allocator(), r->batches, sizeof(wr_batch) * r->capacity);
    for (uint32_t c = 0; c < r->column_count; c++) wr_vector_deinit(&r->columns[c]);
    wr_mutex_deinit(&r->lock);
    *r = (test_result){0};
}

#endif
