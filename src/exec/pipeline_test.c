/* The driver: morsels, epochs, blocking, stopping, with nodes that write down what they see. */
#include "exec/pipeline.h"

#include "tests/unit/test.h"

enum { EPOCHS = 3, MORSELS_PER_EPOCH = 40, BATCHES_PER_MORSEL = 3 };

typedef struct world {
    wr_budget *budget;
    wr_scheduler *scheduler;
    wr_exec exec;
    wr_pipeline_set *set;
} world;

static bool world_open(world *w, uint32_t threads) {
    wr_error err;
    *w = (world){0};
    wr_allocator *a = wr_test_allocator();
    if (!WR_CHECK_OK(wr_budget_create(&w->budget, NULL, a, "test", WR_BUDGET_NO_LIMIT, &err), &err)) return false;
    if (!WR_CHECK_OK(wr_scheduler_create(&w->scheduler, a, threads, &err), &err)) return false;
    w->exec = (wr_exec){
        .allocator = a, .budget = w->budget, .scheduler = w->scheduler, .thread_count = threads, .batch_rows = 4};
    if (!WR_CHECK_OK(wr_task_group_create(&w->exec.group, w->scheduler, a, &err), &err)) return false;
    return WR_CHECK_OK(wr_pipeline_set_create(&w->set, &w->exec, &err), &err);
}

static void world_close(world *w) {
    wr_pipeline_set_destroy(w->set);
    wr_task_group_destroy(w->exec.group);
    wr_scheduler_destroy(w->scheduler);
    wr_budget_close(w->budget);
}

/* What every spying node keeps: rows seen and controls, in order. */
typedef struct spy {
    _Atomic uint64_t rows;
    _Atomic uint32_t in_flight;
    uint32_t control_count;
    wr_control controls[8];
    uint64_t rows_at_control[8];
} spy;

static void spy_control(spy *s, const wr_control *control) {
    WR_CHECK_EQ_INT(s->in_flight, 0);
    if (!WR_CHECK(s->control_count < 8)) return;
    s->rows_at_control[s->control_count] = s->rows;
    s->controls[s->control_count++] = *control;
}

static void check_controls(const spy *s, uint64_t rows_per_epoch, int64_t watermark) {
    static const wr_control_kind kinds[EPOCHS] = {WR_WATERMARK, WR_BARRIER, WR_END};
    if (!WR_CHECK_EQ_INT(s->control_count, EPOCHS)) return;
    for (uint32_t i = 0; i < EPOCHS; i++) {
        WR_CHECK_EQ_INT(s->controls[i].kind, kinds[i]);
        WR_CHECK_EQ_INT(s->controls[i].epoch, i);
        WR_CHECK_EQ_UINT(s->rows_at_control[i], rows_per_epoch * (i + 1));
        if (i == 0) WR_CHECK_EQ_INT(s->controls[i].watermark, watermark);
    }
}

/* ---- a source of EPOCHS epochs; some calls block and are woken from elsewhere ---- */

typedef struct test_source {
    wr_source source;
    spy spy;
    uint64_t epoch;
    uint32_t handed_out;
    uint64_t next_index;
    int64_t watermark;
    bool blocks;
    wr_waker *parked;
} test_source;

typedef struct test_local {
    wr_batch batch;
    uint32_t at;
    bool blocked_once, given;
} test_local;

static wr_status local_create(wr_local **out, wr_error *err) {
    *out = wr_alloc_zeroed(wr_test_allocator(), sizeof(test_local));
    return *out ? WR_OK : wr_fail_memory(err, sizeof(test_local), "test");
}
static wr_status source_local_create(wr_source *s, wr_local **out, wr_error *err) {
    (void)s;
    return local_create(out, err);
}
static void source_local_destroy(wr_source *s, wr_local *local) {
    (void)s;
    wr_free(wr_test_allocator(), local, sizeof(test_local));
}

static wr_status source_next(wr_source *source, wr_morsel *morsel, wr_control *control, wr_flow *flow, wr_waker *waker,
                             wr_error *err) {
    (void)err;
    (void)waker;
    test_source *s = (test_source *)source;
    if (s->handed_out == MORSELS_PER_EPOCH) {
        static const wr_control_kind kinds[EPOCHS] = {WR_WATERMARK, WR_BARRIER, WR_END};
        *control =
            (wr_control){kinds[s->epoch], s->epoch, s->epoch + 1 == EPOCHS ? WR_WATERMARK_INFINITY : s->watermark};
        s->handed_out = 0;
        s->epoch++;
        *flow = WR_DONE;
        return WR_OK;
    }
    s->handed_out++;
    *morsel = (wr_morsel){.index = s->next_index++, .epoch = s->epoch};
    *flow = WR_HAVE_OUTPUT;
    return WR_OK;
}

static wr_status source_read(wr_source *source, wr_local *local, const wr_morsel *morsel, wr_batch **out, wr_flow *flow,
                             wr_waker *waker, wr_error *err) {
    (void)err;
    (void)morsel;
    test_source *s = (test_source *)source;
    test_local *l = (test_local *)local;
    if (s->blocks && !l->blocked_once) {
        l->blocked_once = true;
        *flow = WR_BLOCKED;
        waker->wake(waker); /* before the task has even parked */
        return WR_OK;
    }
    l->blocked_once = false;
    if (l->at == BATCHES_PER_MORSEL) {
        l->at = 0;
        *flow = WR_NEED_INPUT;
        return WR_OK;
    }
    l->at++;
    l->batch.row_count = l->batch.sel_count = 1;
    s->spy.rows++;
    *out = &l->batch;
    *flow = WR_HAVE_OUTPUT;
    return WR_OK;
}

static wr_status source_control(wr_source *source, const wr_control *control, wr_error *err) {
    (void)err;
    spy_control(&((test_source *)source)->spy, control);
    return WR_OK;
}

static void source_destroy(wr_source *source) {
    wr_node_base_deinit(&source->base);
}

static const wr_source_ops source_ops = {
    .name = "TEST SOURCE",
    .destroy = source_destroy,
    .local_create = source_local_create,
    .local_destroy = source_local_destroy,
    .next = source_next,
    .read = source_read,
    .control = source_control,
};

static wr_source *test_source_init(test_source *s, world *w, int64_t watermark) {
    *s = (test_source){.source.ops = &source_ops, .watermark = watermark};
    wr_node_base_init(&s->source.base, &w->exec, "TEST SOURCE", 0);
    return &s->source;
}

/* ---- an operator that gives every row `copies` times, holds one row back until the flush when asked to ---- */

typedef struct test_operator {
    wr_operator op;
    spy spy;
    uint32_t copies;
    bool holds_back;
    uint64_t fail_at; /* rows; 0: never */
} test_operator;

static wr_status operator_local_create(wr_operator *op, wr_local **out, wr_error *err) {
    (void)op;
    return local_create(out, err);
}
static void operator_local_destroy(wr_operator *op, wr_local *local) {
    (void)op;
    wr_free(wr_test_allocator(), local, sizeof(test_local));
}

static wr_status operator_push(wr_operator *op, wr_local *local, wr_batch *in, wr_batch **out, wr_flow *flow,
                               wr_waker *waker, wr_error *err) {
    (void)waker;
    test_operator *o = (test_operator *)op;
    test_local *l = (test_local *)local;
    if (l->at == 0) {
        o->spy.in_flight++;
        uint64_t rows = ++o->spy.rows;
        o->spy.in_flight--;
        if (o->fail_at && rows >= o->fail_at) return wr_fail(err, WR_VALUE, "row %d is bad", (int)o->fail_at);
        if (o->holds_back && !l->given) {
            l->given = true;
            *flow = WR_NEED_INPUT;
            return WR_OK;
        }
    }
    if (l->at == o->copies) {
        l->at = 0;
        *flow = WR_NEED_INPUT;
        return WR_OK;
    }
    l->at++;
    *out = in;
    *flow = WR_HAVE_OUTPUT;
    return WR_OK;
}

static wr_status operator_flush(wr_operator *op, wr_local *local, wr_batch **out, wr_flow *flow, wr_waker *waker,
                                wr_error *err) {
    (void)op;
    (void)waker;
    (void)err;
    test_local *l = (test_local *)local;
    *flow = l->given ? WR_HAVE_OUTPUT : WR_NEED_INPUT;
    l->given = false;
    l->batch.row_count = l->batch.sel_count = 1;
    *out = &l->batch;
    return WR_OK;
}

static wr_status operator_control(wr_operator *op, const wr_control *control, wr_error *err) {
    (void)err;
    spy_control(&((test_operator *)op)->spy, control);
    return WR_OK;
}

static void operator_destroy(wr_operator *op) {
    wr_node_base_deinit(&op->base);
}

static const wr_operator_ops operator_ops = {
    .name = "TEST OPERATOR",
    .destroy = operator_destroy,
    .local_create = operator_local_create,
    .local_destroy = operator_local_destroy,
    .push = operator_push,
    .flush = operator_flush,
    .control = operator_control,
};

static wr_operator *test_operator_init(test_operator *o, world *w, uint32_t copies, bool holds_back) {
    *o = (test_operator){.op.ops = &operator_ops, .copies = copies, .holds_back = holds_back};
    wr_node_base_init(&o->op.base, &w->exec, "TEST OPERATOR", 0);
    return &o->op;
}

/* ---- a sink with finish tasks ---- */

typedef struct test_sink {
    wr_sink sink;
    spy spy;
    _Atomic uint64_t combined, finished, inputs_done;
    uint32_t finish_tasks;
    uint64_t stop_at; /* rows after which it wants no more; 0: never */
} test_sink;

static wr_status sink_local_create(wr_sink *sink, wr_local **out, wr_error *err) {
    (void)sink;
    return local_create(out, err);
}
static void sink_local_destroy(wr_sink *sink, wr_local *local) {
    (void)sink;
    wr_free(wr_test_allocator(), local, sizeof(test_local));
}

static wr_status sink_consume(wr_sink *sink, wr_local *local, wr_batch *in, wr_flow *flow, wr_waker *waker,
                              wr_error *err) {
    (void)waker;
    (void)err;
    test_sink *s = (test_sink *)sink;
    ((test_local *)local)->at += in->sel_count;
    s->spy.in_flight++;
    uint64_t rows = ++s->spy.rows;
    s->spy.in_flight--;
    *flow = s->stop_at && rows >= s->stop_at ? WR_DONE : WR_NEED_INPUT;
    return WR_OK;
}

static wr_status sink_combine(wr_sink *sink, wr_local *local, wr_error *err) {
    (void)err;
    test_local *l = (test_local *)local;
    ((test_sink *)sink)->combined += l->at;
    l->at = 0;
    return WR_OK;
}

static wr_status sink_control(wr_sink *sink, const wr_control *control, uint32_t *task_count, wr_error *err) {
    (void)err;
    test_sink *s = (test_sink *)sink;
    WR_CHECK_EQ_UINT(s->combined, s->spy.rows);
    spy_control(&s->spy, control);
    *task_count = s->finish_tasks;
    return WR_OK;
}

static wr_status sink_finish(wr_sink *sink, uint32_t task, wr_flow *flow, wr_waker *waker, wr_error *err) {
    (void)waker;
    (void)err;
    test_sink *s = (test_sink *)sink;
    WR_CHECK(task < s->finish_tasks);
    s->finished++;
    *flow = WR_DONE;
    return WR_OK;
}

static void sink_input_done(wr_sink *sink, uint32_t source) {
    (void)source;
    ((test_sink *)sink)->inputs_done++;
}

static void sink_destroy(wr_sink *sink) {
    wr_node_base_deinit(&sink->base);
}

static const wr_sink_ops sink_ops = {
    .name = "TEST SINK",
    .destroy = sink_destroy,
    .local_create = sink_local_create,
    .local_destroy = sink_local_destroy,
    .consume = sink_consume,
    .combine = sink_combine,
    .control = sink_control,
    .finish = sink_finish,
    .input_done = sink_input_done,
};

static wr_sink *test_sink_init(test_sink *s, world *w, uint32_t finish_tasks) {
    *s = (test_sink){.sink.ops = &sink_ops, .finish_tasks = finish_tasks};
    wr_node_base_init(&s->sink.base, &w->exec, "TEST SINK", 0);
    return &s->sink;
}

/* ---- tests ---- */

static const uint64_t ROWS_PER_EPOCH = MORSELS_PER_EPOCH * BATCHES_PER_MORSEL;

WR_TEST(pipeline, control_reaches_each_state_once_after_the_last_morsel) {
    world w;
    if (!world_open(&w, 4)) return;
    wr_error err;
    test_source build_source, probe_source, other_source;
    test_operator doubling, holding, probing;
    test_sink build, aggregate;
    wr_pipeline *build_pipeline, *probe_pipeline, *other_pipeline;
    WR_CHECK_OK(wr_pipeline_add(w.set, &build_pipeline, test_source_init(&build_source, &w, 50),
                                test_sink_init(&build, &w, 7), &err),
                &err);
    WR_CHECK_OK(wr_pipeline_push_operator(build_pipeline, test_operator_init(&doubling, &w, 2, false), &err), &err);
    WR_CHECK_OK(wr_pipeline_add(w.set, &probe_pipeline, test_source_init(&probe_source, &w, 100),
                                test_sink_init(&aggregate, &w, 3), &err),
                &err);
    WR_CHECK_OK(wr_pipeline_push_operator(probe_pipeline, test_operator_init(&holding, &w, 1, true), &err), &err);
    WR_CHECK_OK(wr_pipeline_push_operator(probe_pipeline, test_operator_init(&probing, &w, 3, false), &err), &err);
    WR_CHECK_OK(wr_pipeline_depend(probe_pipeline, build_pipeline, &err), &err);
    WR_CHECK_OK(wr_pipeline_add(w.set, &other_pipeline, test_source_init(&other_source, &w, 70), &aggregate.sink, &err),
                &err);
    build_source.blocks = other_source.blocks = true;

    WR_CHECK_OK(wr_pipeline_set_start(w.set, &err), &err);
    WR_CHECK_OK(wr_pipeline_set_wait(w.set, -1, &err), &err);
    check_controls(&build_source.spy, ROWS_PER_EPOCH, 50);
    check_controls(&doubling.spy, ROWS_PER_EPOCH, 50);
    check_controls(&build.spy, ROWS_PER_EPOCH * 2, 50);
    check_controls(&probe_source.spy, ROWS_PER_EPOCH, 50); /* least of its own and the build side's */
    check_controls(&holding.spy, ROWS_PER_EPOCH, 50);
    check_controls(&probing.spy, ROWS_PER_EPOCH, 50);
    check_controls(&other_source.spy, ROWS_PER_EPOCH, 70);
    check_controls(&aggregate.spy, ROWS_PER_EPOCH * 4, 50);
    WR_CHECK_EQ_UINT(build.finished, 7 * EPOCHS);
    WR_CHECK_EQ_UINT(aggregate.finished, 3 * EPOCHS);
    WR_CHECK_EQ_UINT(aggregate.inputs_done, 2 * EPOCHS);
    world_close(&w);
}

WR_TEST(pipeline, an_error_stops_all_and_is_reported_once) {
    for (uint32_t threads = 1; threads <= 4; threads += 3) {
        world w;
        if (!world_open(&w, threads)) return;
        wr_error err;
        test_source source, waiting_source;
        test_operator failing;
        test_sink sink, waiting_sink;
        wr_pipeline *p, *waiting;
        WR_CHECK_OK(wr_pipeline_add(w.set, &p, test_source_init(&source, &w, 0), test_sink_init(&sink, &w, 1), &err),
                    &err);
        WR_CHECK_OK(wr_pipeline_push_operator(p, test_operator_init(&failing, &w, 1, false), &err), &err);
        WR_CHECK_OK(wr_pipeline_add(w.set, &waiting, test_source_init(&waiting_source, &w, 0),
                                    test_sink_init(&waiting_sink, &w, 1), &err),
                    &err);
        WR_CHECK_OK(wr_pipeline_depend(waiting, p, &err), &err);
        failing.fail_at = ROWS_PER_EPOCH + 5;
        WR_CHECK_OK(wr_pipeline_set_start(w.set, &err), &err);
        WR_CHECK_STATUS(wr_pipeline_set_wait(w.set, -1, &err), WR_VALUE, &err);
        WR_CHECK_EQ_STR(err.message, "row 125 is bad");
        world_close(&w);
    }
}

WR_TEST(pipeline, a_sink_that_is_done_stops_the_source) {
    world w;
    if (!world_open(&w, 2)) return;
    wr_error err;
    test_source source;
    test_sink sink;
    wr_pipeline *p;
    WR_CHECK_OK(wr_pipeline_add(w.set, &p, test_source_init(&source, &w, 0), test_sink_init(&sink, &w, 1), &err), &err);
    sink.stop_at = 5;
    WR_CHECK_OK(wr_pipeline_set_start(w.set, &err), &err);
    WR_CHECK_OK(wr_pipeline_set_wait(w.set, -1, &err), &err);
    WR_CHECK(sink.spy.rows >= 5 && sink.spy.rows < ROWS_PER_EPOCH);
    WR_CHECK_EQ_INT(sink.spy.control_count, 1);
    WR_CHECK_EQ_INT(sink.spy.controls[0].kind, WR_END);
    world_close(&w);
}

static wr_status parked_next(wr_source *source, wr_morsel *morsel, wr_control *control, wr_flow *flow, wr_waker *waker,
                             wr_error *err) {
    (void)morsel;
    (void)control;
    (void)err;
    ((test_source *)source)->parked = waker; /* and nobody ever wakes it */
    *flow = WR_BLOCKED;
    return WR_OK;
}

WR_TEST(pipeline, a_parked_query_can_be_stopped) {
    world w;
    if (!world_open(&w, 2)) return;
    wr_error err;
    test_source source;
    test_sink sink;
    wr_pipeline *p;
    wr_source_ops ops = source_ops;
    ops.next = parked_next;
    WR_CHECK_OK(wr_pipeline_add(w.set, &p, test_source_init(&source, &w, 0), test_sink_init(&sink, &w, 1), &err), &err);
    source.source.ops = &ops;
    WR_CHECK_OK(wr_pipeline_set_start(w.set, &err), &err);
    WR_CHECK_STATUS(wr_pipeline_set_wait(w.set, 20 * 1000 * 1000, &err), WR_TIMED_OUT, &err);
    wr_pipeline_set_stop(w.set, WR_CANCELLED, "the query was cancelled");
    WR_CHECK_STATUS(wr_pipeline_set_wait(w.set, -1, &err), WR_CANCELLED, &err);
    world_close(&w);
}
