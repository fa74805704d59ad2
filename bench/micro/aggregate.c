/* Nanoseconds a row of aggregation, on one thread: sink and source are driven directly.
 *
 *     bench_aggregate [SUBSTRING...]
 *
 * `in` is the processor time of all consume calls by input row, `out` that of the end (finish tasks and reading all
 * groups), by input row too. Input vectors are made beforehand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec/hash_aggregate.h"
#include "kernel/reduce.h"
#include "os/os.h"

enum { BATCH = 2048 };

/* ---- aggregates as plain as can be: what is measured is the grouping ---- */

static uint32_t count_bytes(const wr_type *types, uint32_t count) {
    (void)types;
    (void)count;
    return 8;
}
static uint32_t sum_bytes(const wr_type *types, uint32_t count) {
    (void)types;
    (void)count;
    return 16;
}
static void count_init(const wr_aggregate_context *c, uint8_t *base, uint32_t stride, uint32_t count) {
    (void)c;
    for (uint32_t i = 0; i < count; i++) memset(base + (size_t)i * stride, 0, 8);
}
static void sum_init(const wr_aggregate_context *c, uint8_t *base, uint32_t stride, uint32_t count) {
    (void)c;
    for (uint32_t i = 0; i < count; i++) memset(base + (size_t)i * stride, 0, 16);
}
static wr_status count_update(const wr_aggregate_context *c, const wr_vector *args, uint32_t arg_count,
                              const uint64_t *pass, uint32_t row_count, wr_state_rows s) {
    (void)args;
    (void)arg_count;
    c->kernels->reduce->group_count(pass, s.group, row_count, s.base, s.stride);
    return WR_OK;
}
static wr_status sum_update(const wr_aggregate_context *c, const wr_vector *args, uint32_t arg_count,
                            const uint64_t *pass, uint32_t row_count, wr_state_rows s) {
    (void)arg_count;
    c->kernels->reduce->group_sum[WR_PHYS_I64](args->data, pass, s.group, row_count, s.base, s.stride);
    return WR_OK;
}
static wr_status count_merge(const wr_aggregate_context *c, uint8_t *source, uint32_t stride, uint32_t count,
                             wr_state_rows t) {
    (void)c;
    for (uint32_t i = 0; i < count; i++) {
        *(uint64_t *)(void *)(t.base + (size_t)t.group[i] * t.stride) +=
            *(uint64_t *)(void *)(source + (size_t)i * stride);
    }
    return WR_OK;
}
typedef wr_int128 __attribute__((aligned(8), may_alias)) sum_state;
static wr_status sum_merge(const wr_aggregate_context *c, uint8_t *source, uint32_t stride, uint32_t count,
                           wr_state_rows t) {
    (void)c;
    for (uint32_t i = 0; i < count; i++) {
        *(sum_state *)(t.base + (size_t)t.group[i] * t.stride) += *(sum_state *)(source + (size_t)i * stride);
    }
    return WR_OK;
}
static wr_status finalize(const wr_aggregate_context *c, const uint8_t *base, uint32_t stride, uint32_t count,
                          wr_vector *result) {
    WR_TRY(wr_vector_prepare(result, c->allocator, c->result, count, false, c->err));
    uint64_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < count; i++) memcpy(&out[i], base + (size_t)i * stride, 8);
    return WR_OK;
}
static const wr_aggregate_ops count_ops = {.state_bytes = count_bytes,
                                           .state_align = 8,
                                           .init = count_init,
                                           .update = count_update,
                                           .merge = count_merge,
                                           .finalize = finalize};
static const wr_aggregate_ops sum_ops = {.state_bytes = sum_bytes,
                                         .state_align = 8,
                                         .init = sum_init,
                                         .update = sum_update,
                                         .merge = sum_merge,
                                         .finalize = finalize};
static const wr_function count_function = {.name = "count", .kind = WR_FUNCTION_AGGREGATE, .aggregate = &count_ops};
static const wr_function sum_function = {.name = "sum", .kind = WR_FUNCTION_AGGREGATE, .aggregate = &sum_ops};

/* ---- input ---- */

static uint64_t random_next(void) {
    static uint64_t state = 42;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * UINT64_C(0x2545f4914f6cdd1d);
}

static wr_allocator *heap;

static void *room(size_t bytes) {
    void *p = heap->alloc(heap, bytes + 4096, 64);
    if (!p) exit(1);
    return p;
}

typedef struct bench_case {
    const char *name;
    uint64_t rows, groups; /* UINT64_MAX: all different */
    int keys;              /* columns of them */
    enum { CODES, INTEGERS, BOUNDED, RISING, TEXT } form;
    bool count;
    int sums;
} bench_case;

static const bench_case cases[] = {
    {"joint 4 groups, count", 20000000, 4, 2, CODES, true, 0},
    {"joint 4 groups, count, sum", 20000000, 4, 2, CODES, true, 1},
    {"joint 4 groups, count, 4 sums", 20000000, 4, 2, CODES, true, 4},
    {"joint 600 groups, count, sum", 20000000, 576, 2, CODES, true, 1},
    {"window 1000 groups, count, sum", 20000000, 1000, 1, INTEGERS, true, 1},
    {"hash 100k groups, sum", 10000000, 100000, 1, INTEGERS, false, 1},
    {"hash 1M groups, sum", 10000000, 1000000, 1, INTEGERS, false, 1},
    {"hash 10M groups, sum", 10000000, UINT64_MAX, 1, INTEGERS, false, 1},
    {"hash 100k groups of two keys, sum", 10000000, 100000, 2, INTEGERS, false, 1},
    {"dense 1.5M groups, count", 15000000, 1500000, 1, BOUNDED, true, 0},
    {"rising 15M groups, sum", 60000000, 15000000, 1, RISING, false, 1},
    {"text 1000 groups, sum", 10000000, 1000, 1, TEXT, false, 1},
    {"text 100k groups, sum", 10000000, 100000, 1, TEXT, false, 1},
    {"text 10M groups, sum", 10000000, UINT64_MAX, 1, TEXT, false, 1},
};

enum { KEYS_MAX = 2 };

typedef struct input {
    wr_vector keys[KEYS_MAX];
    int64_t *values;
} input;

static void fill_integers(const bench_case *c, int64_t *to, int key) {
    for (uint64_t i = 0; i < c->rows; i++) {
        uint64_t n = c->groups == UINT64_MAX ? random_next() >> 1 : random_next() % c->groups;
        if (c->form == RISING) n = i * c->groups / c->rows;
        /* Far apart, so that no window holds them. */
        bool spread = c->form == INTEGERS && c->groups > 10000;
        to[i] = (int64_t)(spread ? n * UINT64_C(0x9e3779b97f4a7c15) : n) + key;
    }
}

static void fill_text(const bench_case *c, wr_string_view *to) {
    char *text = room(c->rows * 20);
    for (uint64_t i = 0; i < c->rows; i++, text += 20) {
        uint64_t n = c->groups == UINT64_MAX ? i * 7919 % c->rows : random_next() % c->groups;
        memcpy(text, "customer#0000000000", 20);
        for (int digit = 18; n; digit--, n /= 10) text[digit] = (char)('0' + n % 10);
        to[i] = wr_view_make(text, 19);
    }
}

static void fill_codes(const bench_case *c, wr_vector *v, int key) {
    uint32_t entries = c->groups == 4 ? 2 : 24, *codes = room(c->rows * sizeof *codes);
    wr_vector_set *set;
    if (wr_vector_set_create(&set, heap, 1, NULL) != WR_OK) exit(1);
    wr_vector *dictionary = &set->items[0];
    if (wr_vector_prepare(dictionary, heap, wr_type_of(WR_TYPE_VARCHAR), entries, false, NULL) != WR_OK) exit(1);
    for (uint32_t i = 0; i < entries; i++) {
        char text[16];
        int size = snprintf(text, sizeof text, "k%d-%u", key, i);
        ((wr_string_view *)wr_vector_data_mut(dictionary))[i] = wr_view_make(text, (uint32_t)size);
    }
    for (uint64_t i = 0; i < c->rows; i++) codes[i] = (uint32_t)(random_next() % entries);
    *v = (wr_vector){.type = wr_type_of(WR_TYPE_VARCHAR),
                     .kind = WR_DICTIONARY,
                     .phys = WR_PHYS_VIEW,
                     .data = codes,
                     .children = set};
}

static void input_fill(input *in, const bench_case *c) {
    memset(in, 0, sizeof *in);
    for (int k = 0; k < c->keys; k++) {
        wr_vector *v = &in->keys[k];
        if (c->form == CODES) {
            fill_codes(c, v, k);
        } else if (c->form == TEXT) {
            wr_string_view *views = room(c->rows * sizeof *views);
            fill_text(c, views);
            *v = (wr_vector){.type = wr_type_of(WR_TYPE_VARCHAR), .phys = WR_PHYS_VIEW, .data = views};
        } else {
            int64_t *values = room(c->rows * sizeof *values);
            if (k) {
                for (uint64_t i = 0; i < c->rows; i++) values[i] = ((const int64_t *)in->keys[0].data)[i] / 3;
            } else {
                fill_integers(c, values, k);
            }
            *v = (wr_vector){.type = wr_type_of(WR_TYPE_BIGINT), .phys = WR_PHYS_I64, .data = values};
        }
    }
    in->values = room(c->rows * sizeof *in->values);
    for (uint64_t i = 0; i < c->rows; i++) in->values[i] = (int64_t)(random_next() % 100000);
}

/* ---- running ---- */

static void must(wr_status status, const wr_error *err) {
    if (status == WR_OK) return;
    printf("%s\n", err->message);
    exit(1);
}

static void no_wake(wr_waker *self) {
    (void)self;
}

static size_t key_bytes(const wr_vector *v) {
    return v->kind == WR_DICTIONARY ? 4 : wr_phys_bytes((wr_phys)v->phys);
}

static uint64_t read_all(wr_source *source, wr_error *err) {
    wr_local *local;
    wr_waker waker = {no_wake, NULL};
    uint64_t groups = 0;
    must(source->ops->local_create(source, &local, err), err);
    for (;;) {
        wr_morsel morsel;
        wr_control control = {WR_END, 0, WR_WATERMARK_INFINITY};
        wr_flow flow;
        wr_batch *batch;
        must(source->ops->next(source, &morsel, &control, &flow, &waker, err), err);
        if (flow == WR_DONE) break;
        while (flow != WR_NEED_INPUT) {
            must(source->ops->read(source, local, &morsel, &batch, &flow, &waker, err), err);
            if (flow == WR_HAVE_OUTPUT) groups += batch->row_count;
        }
    }
    source->ops->local_destroy(source, local);
    return groups;
}

typedef struct timing {
    double in_ns, out_ns; /* a row */
    uint64_t groups;
    size_t peak_bytes;
} timing;

/* What a case needs beside its input. */
typedef struct bench {
    const bench_case *c;
    const input *in;
    wr_budget *budget;
    wr_exec exec;
    wr_type types[KEYS_MAX + 1];
    wr_aggregate_key keys[KEYS_MAX];
    wr_aggregate_call calls[8];
    uint32_t value; /* the column of values */
    wr_aggregate_spec spec;
    wr_batch batch;
    wr_error err;
} bench;

static void bench_init(bench *b, const bench_case *c, const input *in) {
    memset(b, 0, sizeof *b);
    b->c = c;
    b->in = in;
    must(wr_budget_create(&b->budget, NULL, heap, "bench", WR_BUDGET_NO_LIMIT, &b->err), &b->err);
    b->exec = (wr_exec){
        .allocator = wr_budget_allocator(b->budget), .budget = b->budget, .thread_count = 1, .batch_rows = BATCH};
    b->exec.environment.kernels = wr_kernels_best();
    b->exec.environment.batch_rows = BATCH;
    for (int k = 0; k < c->keys; k++) {
        b->types[k] = in->keys[k].type;
        b->keys[k] =
            (wr_aggregate_key){.column = (uint32_t)k, .bounded = c->form == BOUNDED, .high = (int64_t)c->groups};
    }
    b->value = (uint32_t)c->keys;
    wr_type bigint = wr_type_of(WR_TYPE_BIGINT);
    b->types[b->value] = bigint;
    uint32_t calls = 0;
    if (c->count) {
        b->calls[calls++] = (wr_aggregate_call){&count_function, NULL, bigint, NULL, 0, WR_AGGREGATE_NO_FILTER};
    }
    for (int i = 0; i < c->sums; i++) {
        b->calls[calls++] = (wr_aggregate_call){&sum_function, NULL, bigint, &b->value, 1, WR_AGGREGATE_NO_FILTER};
    }
    b->spec = (wr_aggregate_spec){.input_types = b->types,
                                  .input_count = b->value + 1,
                                  .keys = b->keys,
                                  .key_count = b->value,
                                  .calls = b->calls,
                                  .call_count = calls,
                                  .estimated_groups = (double)(c->groups < c->rows ? c->groups : c->rows)};
    must(wr_batch_init(&b->batch, heap, b->value + 1, &b->err), &b->err);
}

/* The batch that begins at row `first`; how many rows it has. */
static uint32_t bench_batch(bench *b, uint64_t first) {
    uint32_t n = b->c->rows - first < BATCH ? (uint32_t)(b->c->rows - first) : BATCH;
    for (uint32_t k = 0; k < b->value; k++) {
        wr_vector *v = &b->batch.columns[k];
        *v = b->in->keys[k];
        v->data = (const uint8_t *)v->data + first * key_bytes(v);
        v->row_count = n;
    }
    b->batch.columns[b->value] =
        (wr_vector){.type = b->types[b->value], .phys = WR_PHYS_I64, .data = b->in->values + first, .row_count = n};
    wr_batch_set_rows(&b->batch, n);
    return n;
}

static timing run_hashed(bench *b) {
    wr_sink *sink;
    wr_source *source;
    wr_local *local;
    wr_waker waker = {no_wake, NULL};
    wr_flow flow;
    uint32_t tasks;
    must(wr_aggregate_create(&sink, &source, &b->exec, &b->spec, &b->err), &b->err);
    must(sink->ops->local_create(sink, &local, &b->err), &b->err);
    int64_t start = wr_clock_thread_cpu_ns();
    for (uint64_t first = 0; first < b->c->rows;) {
        first += bench_batch(b, first);
        must(sink->ops->consume(sink, local, &b->batch, &flow, &waker, &b->err), &b->err);
    }
    int64_t middle = wr_clock_thread_cpu_ns();
    must(sink->ops->combine(sink, local, &b->err), &b->err);
    sink->ops->local_destroy(sink, local);
    must(sink->ops->control(sink, &(wr_control){WR_END, 0, WR_WATERMARK_INFINITY}, &tasks, &b->err), &b->err);
    for (uint32_t t = 0; t < tasks; t++) must(sink->ops->finish(sink, t, &flow, &waker, &b->err), &b->err);
    uint64_t groups = read_all(source, &b->err);
    int64_t end = wr_clock_thread_cpu_ns();
    source->ops->destroy(source);
    sink->ops->destroy(sink);
    return (timing){(double)(middle - start), (double)(end - middle), groups, 0};
}

enum { MORSEL_BATCHES = 56 };

static timing run_ordered(bench *b) {
    wr_operator *op;
    wr_source *late;
    wr_local *local;
    wr_waker waker = {no_wake, NULL};
    wr_batch *out;
    wr_flow flow;
    uint64_t groups = 0, batches = 0;
    must(wr_ordered_aggregate_create(&op, &late, &b->exec, &b->spec, &b->err), &b->err);
    must(op->ops->local_create(op, &local, &b->err), &b->err);
    int64_t start = wr_clock_thread_cpu_ns();
    for (uint64_t first = 0; first < b->c->rows;) {
        first += bench_batch(b, first);
        b->batch.ordinal.morsel = batches / MORSEL_BATCHES;
        must(op->ops->push(op, local, &b->batch, &out, &flow, &waker, &b->err), &b->err);
        flow = WR_HAVE_OUTPUT;
        if (++batches % MORSEL_BATCHES && first < b->c->rows) continue;
        while (flow == WR_HAVE_OUTPUT) {
            must(op->ops->flush(op, local, &out, &flow, &waker, &b->err), &b->err);
            if (flow == WR_HAVE_OUTPUT) groups += out->row_count;
        }
    }
    int64_t middle = wr_clock_thread_cpu_ns();
    op->ops->local_destroy(op, local);
    must(op->ops->control(op, &(wr_control){WR_END, 0, WR_WATERMARK_INFINITY}, &b->err), &b->err);
    groups += read_all(late, &b->err);
    int64_t end = wr_clock_thread_cpu_ns();
    late->ops->destroy(late);
    op->ops->destroy(op);
    return (timing){(double)(middle - start), (double)(end - middle), groups, 0};
}

static timing run(const bench_case *c, const input *in) {
    bench b;
    bench_init(&b, c, in);
    timing t = c->form == RISING ? run_ordered(&b) : run_hashed(&b);
    t.in_ns /= (double)c->rows;
    t.out_ns /= (double)c->rows;
    t.peak_bytes = wr_budget_peak(b.budget);
    wr_free(heap, b.batch.columns, sizeof *b.batch.columns * b.batch.column_count);
    wr_budget_close(b.budget);
    return t;
}

enum { ROUNDS = 3 };

/* The best of some rounds: the first ones pay for memory that the system has to find. */
static void measure(const bench_case *c) {
    static input in;
    timing best = {0};
    input_fill(&in, c);
    for (int round = 0; round < ROUNDS; round++) {
        timing t = run(c, &in);
        if (round == 0 || t.in_ns + t.out_ns < best.in_ns + best.out_ns) best = t;
    }
    printf("%-36s in %6.2f  out %6.2f  all %6.2f ns/row   %9llu groups  %5zu MB\n", c->name, best.in_ns, best.out_ns,
           best.in_ns + best.out_ns, (unsigned long long)best.groups, best.peak_bytes >> 20);
    fflush(stdout);
}

int main(int argc, char **argv) {
    heap = wr_system_allocator();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool wanted = argc == 1;
        for (int a = 1; a < argc; a++) wanted |= strstr(cases[i].name, argv[a]) != NULL;
        if (wanted) measure(&cases[i]);
    }
    return 0;
}
