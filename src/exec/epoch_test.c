/* Epochs through nodes that are in use: a filter, a projection and the probe side of a join, into an aggregation that a
 * second input feeds too. Each is watched: control comes to it once an epoch, behind the last batch of that epoch and
 * before the first of the next, with nobody inside. */
#include "exec/exec_test_util.h"
#include "exec/hash_aggregate.h"
#include "exec/hash_join.h"
#include "exec/nodes.h"
#include "plan/plan_test_util.h"

enum { EPOCHS = 3, MORSELS = 40, BATCHES = 3, ROWS = 4, KEYS = 4, KEYS_PASSING = 2, MATCHES = 2, THREADS = 4 };
enum { EPOCH_ROWS = MORSELS * BATCHES * ROWS };

static const wr_control_kind kinds[EPOCHS] = {WR_WATERMARK, WR_BARRIER, WR_END};

/* ---- a source of three epochs ---- */

typedef struct epoch_scan {
    test_scan scan; /* first */
    wr_source_ops ops;
    uint32_t epoch;
    int64_t watermark;
} epoch_scan;

static wr_status epoch_next(wr_source *source, wr_morsel *morsel, wr_control *control, wr_flow *flow, wr_waker *waker,
                            wr_error *err) {
    epoch_scan *s = (epoch_scan *)source;
    s->scan.end = (s->epoch + 1) * EPOCH_ROWS;
    WR_TRY(test_scan_next(source, morsel, control, flow, waker, err));
    morsel->epoch = s->epoch;
    if (*flow != WR_DONE) return WR_OK;
    *control = (wr_control){kinds[s->epoch], s->epoch, s->epoch + 1 == EPOCHS ? WR_WATERMARK_INFINITY : s->watermark};
    s->epoch++;
    return WR_OK;
}

static wr_source *epoch_scan_init(epoch_scan *s, test_world *w, const test_table *table, int64_t watermark) {
    test_scan_init(&s->scan, w, table, BATCHES * ROWS, TEST_FLAT);
    s->ops = test_scan_ops;
    s->ops.next = epoch_next;
    s->scan.source.ops = &s->ops;
    s->epoch = 0;
    s->watermark = watermark;
    return &s->scan.source;
}

/* ---- watching a node: its functions are called by ours ---- */

typedef struct watched {
    wr_operator_ops op; /* first, as is the other: the node's `ops` leads here */
    const wr_operator_ops *real_op;
    const wr_sink_ops *real_sink;
    _Atomic uint32_t inside, controls;
    _Atomic uint64_t seen[EPOCHS]; /* operators: batches; sinks: rows */
    int64_t watermark;             /* of the first control */
} watched;

typedef struct watched_sink {
    wr_sink_ops ops;
    watched *by;
} watched_sink;

static void watch_control(watched *w, const wr_control *control) {
    uint32_t epoch = w->controls++;
    WR_CHECK_EQ_INT(w->inside, 0);
    WR_CHECK_EQ_INT(control->epoch, epoch);
    if (WR_CHECK(epoch < EPOCHS)) WR_CHECK_EQ_INT(control->kind, kinds[epoch]);
    if (epoch == 0) w->watermark = control->watermark;
}

/* The epoch of a batch, which has to be the one that is open. */
static uint32_t watch_batch(watched *w, const wr_batch *in) {
    uint64_t epoch = in->ordinal.morsel / MORSELS;
    WR_CHECK_EQ_UINT(epoch, w->controls);
    return epoch < EPOCHS ? (uint32_t)epoch : 0;
}

static wr_status watched_push(wr_operator *op, wr_local *local, wr_batch *in, wr_batch **out, wr_flow *flow,
                              wr_waker *waker, wr_error *err) {
    watched *w = (watched *)(uintptr_t)op->ops;
    uint32_t epoch = watch_batch(w, in);
    w->inside++;
    wr_status status = w->real_op->push(op, local, in, out, flow, waker, err);
    if (*flow == WR_NEED_INPUT) w->seen[epoch]++;
    w->inside--;
    return status;
}

static wr_status watched_op_control(wr_operator *op, const wr_control *control, wr_error *err) {
    watched *w = (watched *)(uintptr_t)op->ops;
    watch_control(w, control);
    return w->real_op->control ? w->real_op->control(op, control, err) : WR_OK;
}

static wr_operator *watch_operator(watched *w, wr_operator *op) {
    *w = (watched){.op = *op->ops, .real_op = op->ops};
    w->op.push = watched_push;
    w->op.control = watched_op_control;
    op->ops = &w->op;
    return op;
}

static wr_status watched_consume(wr_sink *sink, wr_local *local, wr_batch *in, wr_flow *flow, wr_waker *waker,
                                 wr_error *err) {
    watched *w = ((watched_sink *)(uintptr_t)sink->ops)->by;
    uint32_t epoch = watch_batch(w, in), rows = in->sel_count;
    w->inside++;
    wr_status status = w->real_sink->consume(sink, local, in, flow, waker, err);
    if (*flow == WR_NEED_INPUT) w->seen[epoch] += rows;
    w->inside--;
    return status;
}

static wr_status watched_sink_control(wr_sink *sink, const wr_control *control, uint32_t *task_count, wr_error *err) {
    watched *w = ((watched_sink *)(uintptr_t)sink->ops)->by;
    watch_control(w, control);
    return w->real_sink->control(sink, control, task_count, err);
}

static wr_sink *watch_sink(watched_sink *s, watched *w, wr_sink *sink) {
    *w = (watched){.real_sink = sink->ops};
    *s = (watched_sink){*sink->ops, w};
    s->ops.consume = watched_consume;
    s->ops.control = watched_sink_control;
    sink->ops = &s->ops;
    return sink;
}

static void check_watched(const watched *w, uint64_t seen_per_epoch, int64_t watermark) {
    WR_CHECK_EQ_INT(w->controls, EPOCHS);
    for (uint32_t i = 0; i < EPOCHS; i++) WR_CHECK_EQ_UINT(w->seen[i], seen_per_epoch);
    WR_CHECK_EQ_INT(w->watermark, watermark);
}

/* ---- the query: SELECT key, count(*) FROM (… probe JOIN build … UNION ALL … other) WHERE key < 2 GROUP BY key ---- */

typedef struct query {
    fixture f;
    test_world w;
    test_table rows, matches;
    epoch_scan probe_scan, other_scan;
    test_scan build_scan;
    watched filter[2], project[2], join, aggregate;
    watched_sink aggregate_sink;
    wr_pipeline *build, *probe, *other, *last;
    test_result result;
    wr_type result_types[2];
} query;

static const wr_column_id ids[2] = {1, 2};

static void make_tables(query *q) {
    test_table *const tables[2] = {&q->rows, &q->matches};
    const uint32_t counts[2] = {EPOCHS * EPOCH_ROWS, KEYS * MATCHES};
    for (int t = 0; t < 2; t++) {
        test_table_init(tables[t]);
        wr_value *keys = WR_ARENA_ARRAY(&tables[t]->arena, wr_value, counts[t]);
        for (uint32_t i = 0; i < counts[t]; i++)
            keys[i] = (wr_value){.type = wr_type_of(WR_TYPE_BIGINT), .i64 = i % KEYS};
        test_table_add(tables[t], wr_type_of(WR_TYPE_BIGINT), keys, counts[t]);
        test_table_add_numbers(tables[t], counts[t]);
    }
}

/* key < 2, then key and number + 1. */
static wr_status add_front(query *q, wr_pipeline *p, int input, wr_error *err) {
    wr_type bigint = wr_type_of(WR_TYPE_BIGINT);
    fixture *f = &q->f;
    wr_expr *key = wr_expr_column(&f->arena, ids[0], bigint),
            *number_column = wr_expr_column(&f->arena, ids[1], bigint);
    wr_expr *passes = call(f, "<", key, literal(f, "BIGINT", "2"));
    wr_expr *items[2] = {key, call(f, "+", number_column, literal(f, "BIGINT", "1"))};
    wr_program *program;
    wr_operator *op;
    wr_allocator *a = q->w.exec.allocator;
    WR_TRY(wr_program_compile(&program, a, &passes, 1, ids, 2, &q->w.exec.environment, err));
    WR_TRY(wr_filter_create(&op, &q->w.exec, program, 0, err));
    WR_TRY(wr_pipeline_push_operator(p, watch_operator(&q->filter[input], op), err));
    WR_TRY(wr_program_compile(&program, a, items, 2, ids, 2, &q->w.exec.environment, err));
    WR_TRY(wr_project_create(&op, &q->w.exec, program, 2, 0, err));
    return wr_pipeline_push_operator(p, watch_operator(&q->project[input], op), err);
}

static wr_status add_join(query *q, wr_error *err) {
    wr_type types[2] = {wr_type_of(WR_TYPE_BIGINT), wr_type_of(WR_TYPE_BIGINT)};
    wr_join_key_spec key = {.type = types[0]};
    wr_join_column outputs[2] = {{WR_JOIN_PROBE, 0}, {WR_JOIN_BUILD, 1}};
    wr_join_spec spec = {.kind = WR_JOIN_INNER,
                         .keys = &key,
                         .key_count = 1,
                         .probe_types = types,
                         .build_types = types,
                         .probe_column_count = 2,
                         .build_column_count = 2,
                         .outputs = outputs,
                         .output_count = 2};
    wr_join *join;
    wr_sink *sink;
    wr_operator *op;
    WR_TRY(wr_join_create(&join, &q->w.exec, &spec, err));
    wr_status status = wr_join_build_sink(join, &sink, err);
    if (status == WR_OK) {
        wr_source *source = test_scan_init(&q->build_scan, &q->w, &q->matches, 2, TEST_FLAT);
        status = wr_pipeline_add(q->w.set, &q->build, source, sink, err);
    }
    if (status == WR_OK) status = wr_join_probe_operator(join, &op, err);
    if (status == WR_OK) status = wr_pipeline_push_operator(q->probe, watch_operator(&q->join, op), err);
    wr_join_release(join);
    WR_TRY(status);
    return wr_pipeline_depend(q->probe, q->build, err);
}

static wr_status make_aggregate(query *q, wr_sink **sink, wr_source **source, wr_error *err) {
    wr_type types[2] = {wr_type_of(WR_TYPE_BIGINT), wr_type_of(WR_TYPE_BIGINT)};
    wr_aggregate_key key = {.column = 0};
    wr_expr *count = call_list(&q->f, "count", NULL, 0);
    if (!count) return wr_fail_memory(err, 0, "test");
    wr_aggregate_call counting = {.function = count->function,
                                  .data = count->function_data,
                                  .result = count->type,
                                  .filter = WR_AGGREGATE_NO_FILTER};
    wr_aggregate_spec spec = {
        .input_types = types, .input_count = 2, .keys = &key, .key_count = 1, .calls = &counting, .call_count = 1};
    return wr_aggregate_create(sink, source, &q->w.exec, &spec, err);
}

static wr_status plan(query *q, wr_error *err) {
    wr_sink *sink;
    wr_source *groups;
    WR_TRY(make_aggregate(q, &sink, &groups, err));
    watch_sink(&q->aggregate_sink, &q->aggregate, sink);
    WR_TRY(wr_pipeline_add(q->w.set, &q->probe, epoch_scan_init(&q->probe_scan, &q->w, &q->rows, 100), sink, err));
    WR_TRY(wr_pipeline_add(q->w.set, &q->other, epoch_scan_init(&q->other_scan, &q->w, &q->rows, 70), sink, err));
    WR_TRY(add_front(q, q->probe, 0, err));
    WR_TRY(add_front(q, q->other, 1, err));
    WR_TRY(add_join(q, err));
    q->result_types[0] = q->result_types[1] = wr_type_of(WR_TYPE_BIGINT);
    WR_TRY(wr_pipeline_add(q->w.set, &q->last, groups, test_result_init(&q->result, &q->w, q->result_types, 2), err));
    WR_TRY(wr_pipeline_depend(q->last, q->probe, err));
    return wr_pipeline_depend(q->last, q->other, err);
}

static void check_result(query *q) {
    uint64_t once = EPOCHS * EPOCH_ROWS / KEYS;
    if (!WR_CHECK_EQ_INT(q->result.row_count, KEYS_PASSING)) return;
    for (uint32_t row = 0; row < KEYS_PASSING; row++) {
        WR_CHECK_EQ_UINT(((const uint64_t *)q->result.columns[1].data)[row], once * MATCHES + once);
    }
}

WR_TEST(epoch, control_passes_every_node_once_behind_its_epoch) {
    for (int times = 0; times < 20; times++) {
        query q;
        wr_error err;
        memset(&q, 0, sizeof q);
        begin(&q.f);
        make_tables(&q);
        WR_CHECK_OK(test_world_open(&q.w, THREADS, ROWS, WR_BUDGET_NO_LIMIT, &err), &err);
        q.w.exec.environment = (wr_program_environment){.kernels = wr_kernels_best(), .batch_rows = ROWS};
        wr_status status = plan(&q, &err);
        if (status == WR_OK) status = wr_pipeline_set_start(q.w.set, &err);
        if (status == WR_OK) status = wr_pipeline_set_wait(q.w.set, -1, &err);
        if (WR_CHECK_OK(status, &err)) {
            uint64_t batches = MORSELS * BATCHES, passing = EPOCH_ROWS / KEYS * KEYS_PASSING;
            check_watched(&q.filter[0], batches, 100);
            check_watched(&q.project[0], batches, 100);
            check_watched(&q.join, batches, 100);
            check_watched(&q.filter[1], batches, 70);
            check_watched(&q.project[1], batches, 70);
            check_watched(&q.aggregate, passing * MATCHES + passing, 70);
            check_result(&q);
        }
        test_world_close(&q.w);
        test_result_deinit(&q.result);
        test_table_deinit(&q.rows);
        test_table_deinit(&q.matches);
        end(&q.f);
    }
}
