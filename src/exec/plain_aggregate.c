/* Aggregates without keys: one group, also of no rows. Each task has one entry, which the aggregates' whole-column
 * loops add to; the end of the input merges them. */
#include "exec/aggregate_internal.h"

typedef struct plain_entry {
    struct plain_entry *next;
    wr_agg_states states;
    uint8_t *entry;
} plain_entry;

typedef struct plain_aggregation {
    _Atomic int32_t refs;
    wr_exec *exec;
    wr_budget *budget;
    wr_agg_plan plan;
    wr_mutex lock;
    plain_entry *handed; /* under lock until the epoch's control; then its first is the result */
    bool given;
} plain_aggregation;

static void entry_destroy(plain_aggregation *g, plain_entry *e) {
    wr_allocator *a = g->plan.allocator;
    if (e->entry) {
        wr_agg_states_destroy(&e->states, e->entry, g->plan.entry_bytes, 1);
        a->free(a, e->entry, g->plan.entry_bytes, WR_ALIGN_BUFFER);
    }
    wr_agg_states_deinit(&e->states);
    wr_free(a, e, sizeof *e);
}

static wr_status entry_create(plain_aggregation *g, plain_entry **out, wr_error *err) {
    wr_allocator *a = g->plan.allocator;
    plain_entry *e = wr_alloc_zeroed(a, sizeof *e);
    if (!e) return wr_fail_memory(err, sizeof *e, "aggregation");
    wr_status status = wr_agg_states_init(&e->states, &g->plan, err);
    uint8_t *entry = status == WR_OK ? a->alloc(a, g->plan.entry_bytes, WR_ALIGN_BUFFER) : NULL;
    if (status == WR_OK && !entry) status = wr_fail_memory(err, g->plan.entry_bytes, "aggregation");
    if (status != WR_OK) {
        entry_destroy(g, e);
        return status;
    }
    wr_agg_states_create(&e->states, entry, g->plan.entry_bytes, 1);
    e->entry = entry;
    *out = e;
    return WR_OK;
}

static void plain_release(plain_aggregation *g) {
    if (__atomic_fetch_sub((int32_t *)&g->refs, 1, __ATOMIC_ACQ_REL) != 1) return;
    for (plain_entry *e = g->handed, *next; e; e = next) {
        next = e->next;
        entry_destroy(g, e);
    }
    wr_agg_plan_deinit(&g->plan);
    if (g->budget) wr_budget_close(g->budget);
    wr_mutex_deinit(&g->lock);
    wr_free(g->exec->allocator, g, sizeof *g);
}

/* ---- the sink ---- */

typedef struct plain_sink {
    wr_sink sink;
    plain_aggregation *shared;
} plain_sink;

typedef struct plain_local {
    plain_entry *entry; /* NULL: nothing of this epoch yet */
    wr_counters counters;
} plain_local;

static void sink_destroy(wr_sink *sink) {
    plain_sink *s = (plain_sink *)sink;
    wr_allocator *a = sink->base.exec->allocator;
    sink->base.budget = NULL; /* the aggregation's, which outlives whoever goes first */
    wr_node_base_deinit(&sink->base);
    plain_release(s->shared);
    wr_free(a, s, sizeof *s);
}

static wr_status sink_local_create(wr_sink *sink, wr_local **out, wr_error *err) {
    plain_local *l = wr_alloc_zeroed(sink->base.exec->allocator, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "aggregation");
    *out = (wr_local *)l;
    return WR_OK;
}

static void sink_local_destroy(wr_sink *sink, wr_local *local) {
    plain_local *l = (plain_local *)local;
    wr_node_count(&sink->base, &l->counters);
    if (l->entry) entry_destroy(((plain_sink *)sink)->shared, l->entry);
    wr_free(sink->base.exec->allocator, l, sizeof *l);
}

/* What an earlier epoch handed over, or a new one. */
static wr_status acquire_entry(plain_aggregation *g, plain_local *l, wr_error *err) {
    wr_mutex_lock(&g->lock);
    l->entry = g->handed;
    if (l->entry) g->handed = l->entry->next;
    wr_mutex_unlock(&g->lock);
    if (!l->entry) WR_TRY(entry_create(g, &l->entry, err));
    l->entry->next = NULL;
    return WR_OK;
}

static wr_status sink_consume(wr_sink *sink, wr_local *local, wr_batch *in, wr_flow *flow, wr_waker *waker,
                              wr_error *err) {
    (void)waker;
    plain_aggregation *g = ((plain_sink *)sink)->shared;
    plain_local *l = (plain_local *)local;
    *flow = WR_NEED_INPUT;
    if (in->sel) WR_TRY(wr_batch_compact(in, err));
    if (!in->row_count) return WR_OK;
    if (!l->entry) WR_TRY(acquire_entry(g, l, err));
    return wr_agg_states_update(&l->entry->states, in, l->entry->entry, NULL, 0, err);
}

static wr_status sink_combine(wr_sink *sink, wr_local *local, wr_error *err) {
    (void)err;
    plain_aggregation *g = ((plain_sink *)sink)->shared;
    plain_local *l = (plain_local *)local;
    if (!l->entry) return WR_OK;
    wr_mutex_lock(&g->lock);
    l->entry->next = g->handed;
    g->handed = l->entry;
    wr_mutex_unlock(&g->lock);
    l->entry = NULL;
    return WR_OK;
}

static wr_status sink_control(wr_sink *sink, const wr_control *control, uint32_t *task_count, wr_error *err) {
    plain_aggregation *g = ((plain_sink *)sink)->shared;
    *task_count = 0;
    if (control->kind != WR_END) return WR_OK;
    if (!g->handed) return entry_create(g, &g->handed, err);
    plain_entry *first = g->handed;
    while (first->next) {
        plain_entry *e = first->next;
        wr_status status =
            wr_agg_states_merge(&first->states, e->entry, g->plan.entry_bytes, 1, first->entry, NULL, err);
        first->next = e->next;
        wr_allocator *a = g->plan.allocator; /* its states are dead */
        a->free(a, e->entry, g->plan.entry_bytes, WR_ALIGN_BUFFER);
        e->entry = NULL;
        entry_destroy(g, e);
        WR_TRY(status);
    }
    return WR_OK;
}

static const wr_sink_ops sink_ops = {
    .name = "AGGREGATE",
    .destroy = sink_destroy,
    .local_create = sink_local_create,
    .local_destroy = sink_local_destroy,
    .consume = sink_consume,
    .combine = sink_combine,
    .control = sink_control,
};

/* ---- the source: one row ---- */

typedef struct plain_source {
    wr_source source;
    plain_aggregation *shared;
} plain_source;

typedef struct plain_source_local {
    wr_batch out;
    bool given;
} plain_source_local;

static void source_destroy(wr_source *source) {
    plain_source *s = (plain_source *)source;
    wr_allocator *a = source->base.exec->allocator;
    source->base.budget = NULL;
    wr_node_base_deinit(&source->base);
    plain_release(s->shared);
    wr_free(a, s, sizeof *s);
}

static void source_local_destroy(wr_source *source, wr_local *local) {
    plain_source_local *l = (plain_source_local *)local;
    wr_batch_deinit(&l->out);
    wr_free(source->base.exec->allocator, l, sizeof *l);
}

static wr_status source_local_create(wr_source *source, wr_local **out, wr_error *err) {
    const plain_aggregation *g = ((plain_source *)source)->shared;
    plain_source_local *l = wr_alloc_zeroed(g->exec->allocator, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "aggregation");
    wr_status status = wr_batch_init(&l->out, g->exec->allocator, g->plan.call_count, err);
    if (status != WR_OK) {
        wr_free(g->exec->allocator, l, sizeof *l);
        return status;
    }
    *out = (wr_local *)l;
    return WR_OK;
}

static wr_status source_next(wr_source *source, wr_morsel *morsel, wr_control *control, wr_flow *flow, wr_waker *waker,
                             wr_error *err) {
    (void)waker;
    (void)err;
    plain_aggregation *g = ((plain_source *)source)->shared;
    *flow = WR_DONE;
    if (control->kind == WR_END && !g->given) {
        g->given = true;
        *morsel = (wr_morsel){.epoch = control->epoch, .count = 1};
        *flow = WR_HAVE_OUTPUT;
    }
    return WR_OK;
}

static wr_status source_read(wr_source *source, wr_local *local, const wr_morsel *morsel, wr_batch **out, wr_flow *flow,
                             wr_waker *waker, wr_error *err) {
    (void)morsel;
    (void)waker;
    plain_aggregation *g = ((plain_source *)source)->shared;
    plain_source_local *l = (plain_source_local *)local;
    *flow = WR_NEED_INPUT;
    if (l->given) return WR_OK;
    l->given = true;
    WR_TRY(wr_agg_emit(&g->plan, &g->handed->states, g->handed->entry, 1, &l->out, err));
    *out = &l->out;
    *flow = WR_HAVE_OUTPUT;
    return WR_OK;
}

static const wr_source_ops source_ops = {
    .name = "AGGREGATE",
    .destroy = source_destroy,
    .local_create = source_local_create,
    .local_destroy = source_local_destroy,
    .next = source_next,
    .read = source_read,
};

wr_status wr_plain_aggregate_create(wr_sink **sink, wr_source **source, wr_exec *exec, const wr_aggregate_spec *spec,
                                    wr_error *err) {
    plain_aggregation *g = wr_alloc_zeroed(exec->allocator, sizeof *g);
    plain_sink *in = wr_alloc_zeroed(exec->allocator, sizeof *in);
    plain_source *out = wr_alloc_zeroed(exec->allocator, sizeof *out);
    wr_status status =
        g && in && out ? WR_OK : wr_fail_memory(err, sizeof *g + sizeof *in + sizeof *out, "aggregation");
    if (status == WR_OK) {
        status = wr_budget_create(&g->budget, exec->budget, NULL, "AGGREGATE", WR_BUDGET_NO_LIMIT, err);
    }
    if (status == WR_OK) {
        status = wr_agg_plan_init(&g->plan, exec, g->budget, spec, true, err);
        if (status != WR_OK) wr_budget_close(g->budget);
    }
    if (status != WR_OK) {
        wr_free(exec->allocator, g, sizeof *g);
        wr_free(exec->allocator, in, sizeof *in);
        wr_free(exec->allocator, out, sizeof *out);
        return status;
    }
    g->refs = 2;
    g->exec = exec;
    wr_mutex_init(&g->lock);
    in->shared = out->shared = g;
    in->sink.ops = &sink_ops;
    out->source.ops = &source_ops;
    wr_node_base_init(&in->sink.base, exec, "AGGREGATE", spec->logical_id);
    wr_node_base_init(&out->source.base, exec, "AGGREGATE", spec->logical_id);
    in->sink.base.budget = out->source.base.budget = g->budget;
    *sink = &in->sink;
    *source = &out->source;
    return WR_OK;
}
