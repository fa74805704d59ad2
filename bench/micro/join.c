/* Nanoseconds a row of joins, on one thread: sink and operator are driven directly.
 *
 *     bench_join [SUBSTRING...]
 *
 * `build` is the processor time of consuming and finishing by build row, `probe` that of all push calls by probe row.
 * Input vectors are made beforehand; output batches are only counted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec/hash_join.h"
#include "os/os.h"

enum { BATCH = 2048, COLUMNS = 3 };

typedef enum order { RISING, RANDOM } order;

typedef struct bench_case {
    const char *name;
    wr_join_kind kind;
    uint32_t key_count;
    uint64_t build_rows, probe_rows;
    uint64_t build_domain, probe_domain; /* keys are below; build keys are spread evenly over theirs */
    uint64_t scale;                      /* what keys are multiplied by: sparse ones are hashed */
    order build_order, probe_order;
    uint32_t copies; /* rows a build key */
    bool payload;
} bench_case;

static const bench_case cases[] = {
    {"dense 1M, 5% of 60M match", WR_JOIN_INNER, 1, 1000000, 60000000, 1000000, 20000000, 1, RANDOM, RANDOM, 1, true},
    {"dense 1M, all match", WR_JOIN_INNER, 1, 1000000, 20000000, 1000000, 1000000, 1, RISING, RANDOM, 1, true},
    {"dense 1M, all match, 4 rows a key", WR_JOIN_INNER, 1, 1000000, 5000000, 250000, 250000, 1, RANDOM, RANDOM, 4,
     true},
    {"semi 1M of 20M", WR_JOIN_SEMI, 1, 1000000, 60000000, 20000000, 20000000, 1, RANDOM, RANDOM, 1, false},
    {"orders: dense 15M of 60M, in order", WR_JOIN_INNER, 1, 15000000, 15000000, 60000000, 60000000, 1, RISING, RISING,
     1, true},
    {"dense 15M of 60M, random", WR_JOIN_INNER, 1, 15000000, 3000000, 60000000, 60000000, 1, RANDOM, RANDOM, 1, true},
    {"hash 15M", WR_JOIN_INNER, 1, 15000000, 3000000, 15000000, 15000000, 1000003, RANDOM, RANDOM, 1, true},
    {"partsupp: hash 8M, two keys", WR_JOIN_INNER, 2, 8000000, 3000000, 8000000, 8000000, 1, RISING, RANDOM, 1, true},
    {"hash 100k", WR_JOIN_INNER, 1, 100000, 20000000, 100000, 100000, 1000003, RANDOM, RANDOM, 1, true},
    {"hash 100k, 5% match", WR_JOIN_INNER, 1, 100000, 20000000, 100000, 2000000, 1000003, RANDOM, RANDOM, 1, true},
    {"outer 1M, half match", WR_JOIN_OUTER_LEFT, 1, 1000000, 20000000, 1000000, 2000000, 1, RANDOM, RANDOM, 1, true},
};

static void must(wr_status status, const wr_error *err) {
    if (status == WR_OK) return;
    fprintf(stderr, "%s: %s\n", wr_status_name(status), err->message);
    exit(1);
}

static uint64_t random_state = 88172645463325252;
static uint64_t random_u64(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* ---- input: two keys and an INTEGER, batches are windows of long columns ---- */

typedef struct table {
    uint64_t rows;
    int64_t *keys[2];
    int32_t *payload;
} table;

static void *big(size_t bytes) {
    void *p = wr_os_map(bytes);
    if (!p) exit(1);
    return p;
}

static void shuffle(int64_t *keys, uint64_t rows) {
    for (uint64_t i = rows; i > 1; i--) {
        uint64_t k = random_u64() % i;
        int64_t swapped = keys[i - 1];
        keys[i - 1] = keys[k];
        keys[k] = swapped;
    }
}

/* As partsupp: the first key is below, the second is made of it and of which of four it is. */
static void second_keys(table *t) {
    for (uint64_t i = 0; i < t->rows; i++) {
        int64_t key = t->keys[0][i];
        t->keys[0][i] = key / 4;
        t->keys[1][i] = (key / 4 + key % 4 * 25001) % 100000;
    }
}

static void fill(table *t, const bench_case *c, bool build) {
    t->rows = build ? c->build_rows : c->probe_rows;
    for (uint32_t k = 0; k < 2; k++) t->keys[k] = big(t->rows * 8 + 64);
    t->payload = big(t->rows * 4 + 64);
    for (uint64_t i = 0; i < t->rows; i++) {
        uint64_t key;
        if (build) {
            uint64_t groups = t->rows / c->copies;
            key = (uint64_t)((unsigned __int128)(i / c->copies) * c->build_domain / groups);
        } else {
            key = c->probe_order == RISING ? (uint64_t)((unsigned __int128)i * c->probe_domain / t->rows)
                                           : random_u64() % c->probe_domain;
        }
        t->keys[0][i] = (int64_t)(key * c->scale);
        t->payload[i] = (int32_t)i;
    }
    if (build && c->build_order == RANDOM) shuffle(t->keys[0], t->rows);
    if (c->key_count == 2) second_keys(t);
}

static void drop(table *t) {
    for (uint32_t k = 0; k < 2; k++) wr_os_unmap(t->keys[k], t->rows * 8 + 64);
    wr_os_unmap(t->payload, t->rows * 4 + 64);
}

static void window(wr_batch *batch, const table *t, uint64_t first, uint32_t rows) {
    for (uint32_t k = 0; k < 2; k++) {
        batch->columns[k] = (wr_vector){
            .type = wr_type_of(WR_TYPE_BIGINT), .phys = WR_PHYS_I64, .row_count = rows, .data = t->keys[k] + first};
    }
    batch->columns[2] = (wr_vector){
        .type = wr_type_of(WR_TYPE_INTEGER), .phys = WR_PHYS_I32, .row_count = rows, .data = t->payload + first};
    wr_batch_set_rows(batch, rows);
}

/* ---- driving ---- */

static wr_join *make_join(wr_exec *exec, const bench_case *c) {
    wr_error err;
    wr_type types[COLUMNS] = {wr_type_of(WR_TYPE_BIGINT), wr_type_of(WR_TYPE_BIGINT), wr_type_of(WR_TYPE_INTEGER)};
    wr_join_key_spec keys[2] = {{.type = types[0], .probe_column = 0, .build_column = 0},
                                {.type = types[1], .probe_column = 1, .build_column = 1}};
    wr_join_column outputs[2] = {{WR_JOIN_PROBE, 2}, {WR_JOIN_BUILD, 2}};
    wr_join_spec spec = {.kind = c->kind,
                         .keys = keys,
                         .key_count = c->key_count,
                         .probe_types = types,
                         .build_types = types,
                         .probe_column_count = COLUMNS,
                         .build_column_count = COLUMNS,
                         .outputs = outputs,
                         .output_count = c->payload ? 2 : 1};
    wr_join *join;
    must(wr_join_create(&join, exec, &spec, &err), &err);
    return join;
}

static double run_build(wr_join *join, const table *t, wr_batch *batch) {
    wr_error err;
    wr_sink *sink;
    wr_local *local;
    wr_flow flow;
    wr_waker waker = {0};
    must(wr_join_build_sink(join, &sink, &err), &err);
    int64_t started = wr_clock_thread_cpu_ns();
    must(sink->ops->local_create(sink, &local, &err), &err);
    for (uint64_t at = 0; at < t->rows; at += BATCH) {
        uint32_t rows = t->rows - at < BATCH ? (uint32_t)(t->rows - at) : BATCH;
        window(batch, t, at, rows);
        batch->ordinal.morsel = at / 100000;
        must(sink->ops->consume(sink, local, batch, &flow, &waker, &err), &err);
    }
    must(sink->ops->combine(sink, local, &err), &err);
    sink->ops->local_destroy(sink, local);
    uint32_t tasks;
    wr_control end = {WR_END, 0, WR_WATERMARK_INFINITY};
    must(sink->ops->control(sink, &end, &tasks, &err), &err);
    for (flow = WR_NEED_INPUT; flow != WR_DONE;) must(sink->ops->finish(sink, 0, &flow, &waker, &err), &err);
    double ns = (double)(wr_clock_thread_cpu_ns() - started);
    sink->ops->destroy(sink);
    return ns;
}

static double run_probe(wr_join *join, const table *t, wr_batch *batch, uint64_t *out_rows, uint64_t *out_batches) {
    wr_error err;
    wr_operator *op;
    wr_local *local;
    wr_flow flow;
    wr_waker waker = {0};
    wr_batch *out;
    must(wr_join_probe_operator(join, &op, &err), &err);
    must(op->ops->local_create(op, &local, &err), &err);
    int64_t started = wr_clock_thread_cpu_ns();
    for (uint64_t at = 0; at < t->rows; at += BATCH) {
        uint32_t rows = t->rows - at < BATCH ? (uint32_t)(t->rows - at) : BATCH;
        window(batch, t, at, rows);
        for (flow = WR_HAVE_OUTPUT; flow == WR_HAVE_OUTPUT;) {
            must(op->ops->push(op, local, batch, &out, &flow, &waker, &err), &err);
            if (flow != WR_HAVE_OUTPUT) break;
            *out_rows += out->sel_count;
            *out_batches += 1;
        }
    }
    double ns = (double)(wr_clock_thread_cpu_ns() - started);
    op->ops->local_destroy(op, local);
    op->ops->destroy(op);
    return ns;
}

static void run_case(wr_exec *exec, const bench_case *c) {
    table build, probe;
    wr_batch batch;
    wr_error err;
    uint64_t rows = 0, batches = 0;
    must(wr_batch_init(&batch, exec->allocator, COLUMNS, &err), &err);
    fill(&build, c, true);
    fill(&probe, c, false);
    wr_join *join = make_join(exec, c);
    double build_ns = run_build(join, &build, &batch);
    size_t bytes = wr_budget_used(exec->budget);
    double probe_ns = run_probe(join, &probe, &batch, &rows, &batches);
    printf("%-36s build %7.2f ns %5.1f B (peak %5.1f)  probe %6.2f ns  out %9llu rows, %5.0f a batch\n", c->name,
           build_ns / (double)build.rows, (double)bytes / (double)build.rows,
           (double)wr_budget_peak(exec->budget) / (double)build.rows, probe_ns / (double)probe.rows,
           (unsigned long long)rows, batches ? (double)rows / (double)batches : 0);
    fflush(stdout);
    wr_join_release(join);
    wr_batch_clear(&batch);
    wr_batch_deinit(&batch);
    drop(&build);
    drop(&probe);
}

int main(int argc, char **argv) {
    for (size_t i = 0; i < WR_COUNT_OF(cases); i++) {
        bool wanted = argc == 1;
        for (int a = 1; a < argc; a++) wanted |= strstr(cases[i].name, argv[a]) != NULL;
        if (!wanted) continue;
        wr_error err;
        wr_budget *budget;
        must(wr_budget_create(&budget, NULL, wr_system_allocator(), "bench", WR_BUDGET_NO_LIMIT, &err), &err);
        wr_exec exec = {.allocator = wr_budget_allocator(budget),
                        .budget = budget,
                        .environment = {.kernels = wr_kernels_best()},
                        .thread_count = 1,
                        .batch_rows = BATCH};
        run_case(&exec, &cases[i]);
        wr_budget_close(budget);
    }
    return 0;
}
