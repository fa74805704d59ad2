/* Seconds to sort, with 1 and 2 threads: rows lie in memory, go through a pipeline into the sort and out of it.
 *
 *     bench_sort [--rows N] [--limit-mb N] [SUBSTRING...]
 *
 * A case is one line in `cases`: its columns and its keys. The best of three runs is shown, with the peak of the budget
 * and what was spilled. Every run is checked: rows come out in order, and all of them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec/pipeline.h"
#include "exec/sort.h"
#include "kernel/kernel.h"

enum { MORSEL_ROWS = 122880, BATCH = 2048, TEXT_SIZE = 16 };

typedef enum shape { RANDOM, RISING, FALLING, FEW, DOUBLES, TEXTS, URLS, WORDS, TWO_KEYS, SHUFFLED_RUNS } shape;

typedef struct bench_case {
    const char *name;
    shape shape;
    uint64_t rows; /* 0: those of --rows */
    uint64_t limit;
    bool descending;
} bench_case;

static const bench_case cases[] = {
    {"int64 random", RANDOM, 0, UINT64_MAX, false},           {"int64 in order", RISING, 0, UINT64_MAX, false},
    {"int64 in reverse", FALLING, 0, UINT64_MAX, false},      {"int64 of 1000 values", FEW, 0, UINT64_MAX, false},
    {"double random", DOUBLES, 0, UINT64_MAX, true},          {"int32, int32", TWO_KEYS, 0, UINT64_MAX, false},
    {"text of 16 random bytes", TEXTS, 0, UINT64_MAX, false}, {"text with a common prefix", URLS, 0, UINT64_MAX, false},
    {"text of 7 words", WORDS, 0, UINT64_MAX, false},         {"top 100 int64", RANDOM, 60000000, 100, true},
    {"top 100 double", DOUBLES, 60000000, 100, true},         {"top 100 text", TEXTS, 10000000, 100, false},
    {"top 100000 int64", RANDOM, 60000000, 100000, true},
};

typedef struct rows {
    uint64_t count;
    uint32_t column_count;
    wr_type types[3];
    void *data[3];
    char *text;
} rows;

static uint64_t random_next(void) {
    static uint64_t state = 42;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * UINT64_C(0x2545f4914f6cdd1d);
}

static int64_t number_of(shape s, uint64_t i, uint64_t count) {
    switch (s) {
    case RISING: return (int64_t)i * 3;
    case FALLING: return (int64_t)(count - i) * 3;
    case FEW: return (int64_t)(random_next() % 1000);
    default: return (int64_t)random_next();
    }
}

static wr_string_view text_of(rows *r, shape s, uint64_t i) {
    static const char *const words[] = {"MAIL", "SHIP", "AIR", "RAIL", "TRUCK", "FOB", "REG AIR"};
    if (s == WORDS) {
        const char *word = words[random_next() % 7];
        return wr_view_make(word, (uint32_t)strlen(word));
    }
    char *text = r->text + i * 32;
    uint32_t size = TEXT_SIZE;
    if (s == URLS) {
        size = (uint32_t)snprintf(text, 32, "https://x.org/%010u", (unsigned)(random_next() % 4000000000u));
    } else {
        for (uint32_t k = 0; k < TEXT_SIZE; k++) text[k] = (char)('!' + random_next() % 90);
    }
    return wr_view_make(text, size);
}

static void make_rows(rows *r, shape s, uint64_t count) {
    *r = (rows){.count = count, .column_count = 2};
    bool is_text = s == TEXTS || s == URLS || s == WORDS;
    r->types[0] = wr_type_of(is_text         ? WR_TYPE_VARCHAR
                             : s == DOUBLES  ? WR_TYPE_DOUBLE
                             : s == TWO_KEYS ? WR_TYPE_INTEGER
                                             : WR_TYPE_BIGINT);
    r->types[1] = wr_type_of(s == TWO_KEYS ? WR_TYPE_INTEGER : WR_TYPE_BIGINT);
    r->data[0] = aligned_alloc(64, count * (is_text ? 16 : 8) + 64);
    r->data[1] = aligned_alloc(64, count * 8 + 64);
    if (is_text) r->text = malloc(count * 32 + 64);
    for (uint64_t i = 0; i < count; i++) {
        if (is_text) {
            ((wr_string_view *)r->data[0])[i] = text_of(r, s, i);
        } else if (s == DOUBLES) {
            ((double *)r->data[0])[i] = (double)(random_next() >> 11) * 0x1p-53;
        } else if (s == TWO_KEYS) {
            ((int32_t *)r->data[0])[i] = (int32_t)(random_next() % 2500);
        } else {
            ((int64_t *)r->data[0])[i] = number_of(s, i, count);
        }
        if (s == TWO_KEYS) {
            ((int32_t *)r->data[1])[i] = (int32_t)(random_next() % 100000);
        } else {
            ((int64_t *)r->data[1])[i] = (int64_t)i;
        }
    }
}

static void free_rows(rows *r) {
    free(r->data[0]);
    free(r->data[1]);
    free(r->text);
}

/* ---- a source of borrowed vectors, and a sink that looks at the order ---- */

typedef struct scan {
    wr_source source;
    const rows *rows;
    uint64_t next;
} scan;

typedef struct scan_local {
    wr_batch out;
    uint64_t at;
} scan_local;

static wr_status scan_local_create(wr_source *source, wr_local **out, wr_error *err) {
    scan_local *l = wr_alloc_zeroed(source->base.exec->allocator, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "bench");
    *out = (wr_local *)l;
    return wr_batch_init(&l->out, source->base.exec->allocator, ((scan *)source)->rows->column_count, err);
}

static void scan_local_destroy(wr_source *source, wr_local *local) {
    scan_local *l = (scan_local *)local;
    wr_batch_deinit(&l->out);
    wr_free(source->base.exec->allocator, l, sizeof *l);
}

static wr_status scan_next(wr_source *source, wr_morsel *morsel, wr_control *control, wr_flow *flow, wr_waker *waker,
                           wr_error *err) {
    (void)control;
    (void)waker;
    (void)err;
    scan *s = (scan *)source;
    *flow = s->next < s->rows->count ? WR_HAVE_OUTPUT : WR_DONE;
    uint64_t left = s->rows->count - s->next, count = left < MORSEL_ROWS ? left : MORSEL_ROWS;
    *morsel = (wr_morsel){.index = s->next / MORSEL_ROWS, .first = s->next, .count = count};
    s->next += count;
    return WR_OK;
}

static wr_status scan_read(wr_source *source, wr_local *local, const wr_morsel *morsel, wr_batch **out, wr_flow *flow,
                           wr_waker *waker, wr_error *err) {
    (void)waker;
    (void)err;
    const rows *r = ((scan *)source)->rows;
    scan_local *l = (scan_local *)local;
    uint64_t left = morsel->count - l->at, first = morsel->first + l->at;
    uint32_t count = left < BATCH ? (uint32_t)left : BATCH;
    *flow = count ? WR_HAVE_OUTPUT : WR_NEED_INPUT;
    l->at = count ? l->at + count : 0;
    for (uint32_t c = 0; c < r->column_count; c++) {
        wr_phys phys = wr_type_phys(r->types[c]);
        l->out.columns[c] = (wr_vector){.type = r->types[c],
                                        .phys = (uint8_t)phys,
                                        .row_count = count,
                                        .data = (const char *)r->data[c] + first * wr_phys_bytes(phys)};
    }
    wr_batch_set_rows(&l->out, count);
    *out = &l->out;
    return WR_OK;
}

static void scan_destroy(wr_source *source) {
    wr_node_base_deinit(&source->base);
}

static const wr_source_ops scan_ops = {
    .name = "BENCH SCAN",
    .destroy = scan_destroy,
    .local_create = scan_local_create,
    .local_destroy = scan_local_destroy,
    .next = scan_next,
    .read = scan_read,
};

typedef struct check {
    wr_sink sink;
    bool descending;
    _Atomic uint64_t rows, errors;
} check;

static int compare_at(const wr_vector *v, uint32_t a, uint32_t b) {
    wr_value x, y;
    if (wr_vector_value(v, a, NULL, &x, NULL) != WR_OK || wr_vector_value(v, b, NULL, &y, NULL) != WR_OK) return 2;
    return wr_value_compare(&x, &y);
}

/* Every 64th pair of neighbours, which costs little and misses no systematic error. */
static wr_status check_consume(wr_sink *sink, wr_local *local, wr_batch *in, wr_flow *flow, wr_waker *waker,
                               wr_error *err) {
    (void)local;
    (void)waker;
    (void)err;
    check *c = (check *)sink;
    *flow = WR_NEED_INPUT;
    for (uint32_t i = 1; i < in->row_count; i += 64) {
        int order = compare_at(&in->columns[0], i - 1, i);
        if (c->descending) order = -order;
        int64_t before = 0, at = 0;
        if (wr_type_phys(in->columns[1].type) == WR_PHYS_I64) {
            before = ((const int64_t *)in->columns[1].data)[i - 1];
            at = ((const int64_t *)in->columns[1].data)[i];
        }
        if (order > 0 || (order == 0 && before > at)) c->errors++;
    }
    c->rows += in->row_count;
    return WR_OK;
}

static void check_destroy(wr_sink *sink) {
    wr_node_base_deinit(&sink->base);
}

static const wr_sink_ops check_ops = {.name = "BENCH CHECK", .destroy = check_destroy, .consume = check_consume};

/* ---- running ---- */

typedef struct outcome {
    double seconds, cpu_seconds;
    size_t peak_bytes;
    uint64_t spilled_bytes;
} outcome;

static wr_status run(const bench_case *c, const rows *r, uint32_t threads, size_t limit_bytes, outcome *out,
                     wr_error *err) {
    wr_allocator *system = wr_system_allocator();
    wr_scheduler *scheduler;
    wr_budget *budget;
    WR_TRY(wr_budget_create(&budget, NULL, system, "bench", limit_bytes, err));
    wr_exec exec = {
        .allocator = wr_budget_allocator(budget), .budget = budget, .thread_count = threads, .batch_rows = BATCH};
    exec.environment.kernels = NULL;
    WR_TRY(wr_scheduler_create(&scheduler, system, threads, err));
    exec.scheduler = scheduler;
    WR_TRY(wr_task_group_create(&exec.group, scheduler, system, err));
    WR_TRY(wr_spill_create(&exec.spill, system, "/tmp", UINT64_MAX, err));
    wr_pipeline_set *set;
    WR_TRY(wr_pipeline_set_create(&set, &exec, err));
    wr_sort_column keys[2] = {{0, c->descending, false}, {1, false, false}};
    wr_sort_spec spec = {.types = r->types,
                         .column_count = r->column_count,
                         .keys = keys,
                         .key_count = c->shape == TWO_KEYS ? 2 : 1,
                         .limit = c->limit};
    wr_sink *sink;
    wr_source *source;
    WR_TRY(wr_sort_create(&exec, &spec, &sink, &source, err));
    scan from = {.source.ops = &scan_ops, .rows = r};
    check to = {.sink.ops = &check_ops, .descending = c->descending};
    wr_node_base_init(&from.source.base, &exec, "BENCH SCAN", 0);
    wr_node_base_init(&to.sink.base, &exec, "BENCH CHECK", 0);
    wr_pipeline *in, *drain;
    WR_TRY(wr_pipeline_add(set, &in, &from.source, sink, err));
    WR_TRY(wr_pipeline_add(set, &drain, source, &to.sink, err));
    WR_TRY(wr_pipeline_depend(drain, in, err));
    int64_t started = wr_clock_monotonic_ns(), cpu_started = wr_clock_cpu_ns();
    WR_TRY(wr_pipeline_set_start(set, err));
    wr_status status = wr_pipeline_set_wait(set, -1, err);
    out->seconds = (double)(wr_clock_monotonic_ns() - started) * 1e-9;
    out->cpu_seconds = (double)(wr_clock_cpu_ns() - cpu_started) * 1e-9;
    out->peak_bytes = wr_budget_peak(budget);
    out->spilled_bytes = wr_spill_written_bytes(exec.spill);
    uint64_t expected = c->limit < r->count ? c->limit : r->count;
    if (status == WR_OK && (to.errors || to.rows != expected)) {
        status = wr_fail(err, WR_INTERNAL, "%" PRIu64 " of %" PRIu64 " rows, %" PRIu64 " out of order", to.rows,
                         expected, to.errors);
    }
    wr_pipeline_set_destroy(set);
    wr_task_group_destroy(exec.group);
    wr_scheduler_destroy(scheduler);
    wr_spill_destroy(exec.spill);
    wr_budget_close(budget);
    return status;
}

static bool run_case(const bench_case *c, uint64_t row_count, size_t limit_bytes) {
    rows r;
    make_rows(&r, c->shape, c->rows ? c->rows : row_count);
    printf("%-28s %4.0fM", c->name, (double)r.count * 1e-6);
    for (uint32_t threads = 1; threads <= 2; threads++) {
        outcome best = {.seconds = 1e9};
        for (int round = 0; round < 3; round++) {
            wr_error err;
            wr_error_clear(&err);
            outcome one = {0};
            if (run(c, &r, threads, limit_bytes, &one, &err) != WR_OK) {
                printf("  %s\n", err.message);
                return false;
            }
            if (one.seconds < best.seconds) best = one;
        }
        printf("  | %6.3f s, cpu %6.3f s %5.1f ns/row %5.0f MB", best.seconds, best.cpu_seconds,
               best.cpu_seconds * 1e9 / (double)r.count, (double)best.peak_bytes / 1e6);
        if (best.spilled_bytes) printf(" %5.0f MB spilled", (double)best.spilled_bytes / 1e6);
        fflush(stdout);
    }
    printf("\n");
    free_rows(&r);
    return true;
}

int main(int argc, char **argv) {
    uint64_t row_count = 10000000;
    size_t limit_bytes = WR_BUDGET_NO_LIMIT;
    int first = 1;
    for (; first + 1 < argc && argv[first][0] == '-'; first += 2) {
        uint64_t value = strtoull(argv[first + 1], NULL, 10);
        if (strcmp(argv[first], "--rows") == 0) row_count = value;
        if (strcmp(argv[first], "--limit-mb") == 0) limit_bytes = value << 20;
    }
    bool ok = true;
    for (size_t i = 0; i < WR_COUNT_OF(cases); i++) {
        bool wanted = first == argc;
        for (int a = first; a < argc; a++) wanted |= strstr(cases[i].name, argv[a]) != NULL;
        if (wanted) ok &= run_case(&cases[i], row_count, limit_bytes);
    }
    return ok ? 0 : 1;
}
