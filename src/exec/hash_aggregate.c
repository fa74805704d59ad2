/* Aggregation by hashing: the sink that groups. See AGGREGATION.md for the whole picture.
 *
 * Each task has a table of its own. A table that is full moves to the task's partitions; when it was hardly smaller
 * than the rows that filled it, the next rows go to the partitions directly. At the end of the epoch the tasks hand
 * over what they have; see aggregate_result.c. */
#include "exec/aggregate_internal.h"

enum {
    SPIN_MAX = 1000,       /* times that a task gives way to others that should spill */
    BYPASS_ROWS = 1 << 20, /* that pass by before grouping is tried again, at first */
    BYPASS_ROWS_MAX = 1 << 24,
};
#define BYPASS_RATIO 0.7 /* groups a row above which grouping does not reduce */

/* ---- the sink: locals ---- */

typedef struct sink_local {
    wr_agg_keys keys;
    wr_agg_joint *joint;
    wr_agg_groups *groups; /* NULL: nothing of this epoch yet */
    wr_agg_table passing;  /* rows that are not grouped, on their way to the partitions */
    wr_agg_states passing_states;
    uint64_t table_rows;  /* since the table was emptied */
    uint64_t bypass_rows; /* to go by before grouping is tried again */
    uint64_t bypass_next;
    bool on_probation;                     /* the table has not yet shown that grouping reduces */
    uint32_t *row_groups, *found, *missed; /* of the batch */
    uint32_t capacity;
    const wr_vector **columns; /* of keys */
    wr_vector *gathered;       /* key columns of the rows that the joint codes do not know */
    size_t spillable_bytes;    /* of ours in the shared sum */
    uint32_t spins;
    wr_counters counters;
} sink_local;

typedef struct aggregate_sink {
    wr_sink sink;
    wr_aggregation *shared;
} aggregate_sink;

static void report_spillable(wr_aggregation *g, sink_local *l, size_t bytes) {
    if (bytes == l->spillable_bytes) return;
    size_t change = bytes - l->spillable_bytes; /* wraps when it is less */
    size_t sum = __atomic_add_fetch((size_t *)&g->spillable_bytes, change, __ATOMIC_RELAXED);
    l->spillable_bytes = bytes;
    wr_budget_set_spillable(g->budget, sum);
}

static void sink_local_destroy(wr_sink *sink, wr_local *local) {
    wr_aggregation *g = ((aggregate_sink *)sink)->shared;
    sink_local *l = (sink_local *)local;
    wr_allocator *a = g->plan.allocator;
    report_spillable(g, l, 0);
    wr_node_count(&sink->base, &l->counters);
    if (l->groups) wr_aggregation_hand_over(g, l->groups); /* the query failed: it goes with the others */
    wr_agg_table_deinit(&l->passing);
    wr_agg_states_deinit(&l->passing_states);
    wr_agg_joint_destroy(l->joint);
    wr_agg_keys_deinit(&l->keys);
    for (uint32_t k = 0; l->gathered && k < g->plan.key_count; k++) wr_vector_deinit(&l->gathered[k]);
    if (l->gathered) wr_free(a, l->gathered, sizeof *l->gathered * (g->plan.key_count + 1));
    if (l->columns) wr_free(a, l->columns, sizeof *l->columns * (g->plan.key_count + 1));
    wr_free(a, l->row_groups, sizeof *l->row_groups * l->capacity);
    wr_free(a, l->found, sizeof *l->found * l->capacity);
    wr_free(a, l->missed, sizeof *l->missed * l->capacity);
    wr_free(a, l, sizeof *l);
}

static wr_status sink_local_create(wr_sink *sink, wr_local **out, wr_error *err) {
    wr_aggregation *g = ((aggregate_sink *)sink)->shared;
    wr_allocator *a = g->plan.allocator;
    uint32_t keys = g->plan.key_count + 1;
    sink_local *l = wr_alloc_zeroed(a, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "aggregation");
    wr_status status = wr_agg_keys_init(&l->keys, &g->plan, err);
    if (status == WR_OK) status = wr_agg_joint_create(&l->joint, &g->plan, err);
    if (status == WR_OK) status = wr_agg_states_init(&l->passing_states, &g->plan, err);
    if (status == WR_OK) {
        wr_agg_table_init(&l->passing, &g->plan, &l->passing_states, 0);
        l->columns = wr_alloc_zeroed(a, sizeof *l->columns * keys);
        l->gathered = wr_alloc_zeroed(a, sizeof *l->gathered * keys);
        if (!l->columns || !l->gathered) status = wr_fail_memory(err, sizeof *l->gathered * keys, "aggregation");
    }
    if (status != WR_OK) {
        sink_local_destroy(sink, (wr_local *)l);
        return status;
    }
    *out = (wr_local *)l;
    return WR_OK;
}

static wr_status begin_epoch(wr_aggregation *g, sink_local *l, wr_error *err) {
    WR_TRY(wr_aggregation_acquire(g, &l->groups, err));
    uint32_t left = l->groups->table.count;
    l->table_rows = 2 * (uint64_t)left; /* what an earlier epoch left has shown that it reduces */
    l->on_probation = left == 0;
    l->bypass_next = BYPASS_ROWS;
    return WR_OK;
}

static wr_status reserve_rows(wr_aggregation *g, sink_local *l, uint32_t count, wr_error *err) {
    if (count < l->capacity) return WR_OK;
    wr_allocator *a = g->plan.allocator;
    wr_free(a, l->row_groups, sizeof *l->row_groups * l->capacity);
    wr_free(a, l->found, sizeof *l->found * l->capacity);
    wr_free(a, l->missed, sizeof *l->missed * l->capacity);
    l->capacity = (count + 127) & ~63u; /* kernels read behind the end */
    l->row_groups = wr_alloc(a, sizeof *l->row_groups * l->capacity);
    l->found = wr_alloc(a, sizeof *l->found * l->capacity);
    l->missed = wr_alloc(a, sizeof *l->missed * l->capacity);
    if (l->row_groups && l->found && l->missed) return WR_OK;
    return wr_fail_memory(err, 3 * sizeof *l->found * l->capacity, "aggregation");
}

/* ---- the sink: memory ---- */

static wr_status spill(wr_aggregation *g, sink_local *l, wr_error *err) {
    uint64_t before = l->groups->parts.spilled_bytes;
    wr_status status = wr_agg_spill(&l->groups->parts, 0, err);
    l->counters.spilled_bytes += l->groups->parts.spilled_bytes - before;
    report_spillable(g, l, l->groups->parts.memory_bytes);
    return status;
}

/* The mark is for whoever has pages; when nobody has any, nothing is left to do about it. */
static wr_status see_mark(wr_aggregation *g, sink_local *l, wr_error *err) {
    if (!wr_budget_marked(g->budget)) return WR_OK;
    bool mine = l->groups->parts.memory_bytes > 0;
    if (mine) WR_TRY(spill(g, l, err));
    if (mine || __atomic_load_n((size_t *)&g->spillable_bytes, __ATOMIC_RELAXED) == 0) wr_budget_spilled(g->budget);
    return WR_OK;
}

/* Asks for room. When there is none: own pages go to disk, then others of this node are asked for theirs, while this
 * task gives way; and then `*short_of` is set: the caller has to make do with less. */
static wr_status request(wr_aggregation *g, sink_local *l, size_t bytes, size_t *granted, bool *short_of, wr_flow *flow,
                         wr_waker *waker, wr_error *err) {
    *granted = 0;
    *short_of = false;
    while (bytes) {
        wr_budget_answer answer = wr_budget_request(g->budget, bytes, waker);
        if (answer == WR_BUDGET_GRANTED) {
            *granted = bytes;
            break;
        }
        if (answer == WR_BUDGET_PARKED) {
            *flow = WR_BLOCKED;
            return WR_OK;
        }
        if (l->groups->parts.memory_bytes) {
            WR_TRY(spill(g, l, err));
            continue;
        }
        if (__atomic_load_n((size_t *)&g->spillable_bytes, __ATOMIC_RELAXED) && l->spins < SPIN_MAX) {
            l->spins++;
            wr_budget_mark(g->budget);
            waker->wake(waker);
            *flow = WR_BLOCKED;
            return WR_OK;
        }
        *short_of = true;
        return WR_OK;
    }
    l->spins = 0;
    return WR_OK;
}

/* The table's groups to the partitions. Without room for all pages at once, they go to disk as they fill. */
static wr_status flush(wr_aggregation *g, sink_local *l, wr_agg_table *t, wr_flow *flow, wr_waker *waker,
                       wr_error *err) {
    wr_agg_partitions *parts = &l->groups->parts;
    size_t need = wr_agg_flush_need(parts, t), granted;
    bool short_of;
    WR_TRY(request(g, l, need, &granted, &short_of, flow, waker, err));
    if (*flow == WR_BLOCKED) return WR_OK;
    if (t == &l->groups->table) wr_agg_states_settle(&l->groups->states, t->entries);
    uint64_t before = parts->spilled_bytes;
    wr_status status = wr_agg_flush_tight(parts, t, err);
    if (status == WR_OK && g->exec->force_spill) status = wr_agg_spill(parts, 0, err);
    if (granted) wr_budget_settle(g->budget, granted);
    l->counters.spilled_bytes += parts->spilled_bytes - before;
    report_spillable(g, l, parts->memory_bytes);
    return status;
}

/* ---- the sink: a batch ---- */

/* Moves the full table away, and decides whether grouping is worth while for what comes. */
static wr_status empty_table(wr_aggregation *g, sink_local *l, wr_flow *flow, wr_waker *waker, wr_error *err) {
    wr_agg_table *t = &l->groups->table;
    bool reduces = (double)t->count <= BYPASS_RATIO * (double)l->table_rows;
    WR_TRY(flush(g, l, t, flow, waker, err));
    if (*flow == WR_BLOCKED) return WR_OK;
    if (reduces) {
        l->bypass_next = BYPASS_ROWS;
    } else {
        l->bypass_rows = l->bypass_next;
        if (l->bypass_next < BYPASS_ROWS_MAX) l->bypass_next *= 2;
    }
    l->table_rows = 0;
    l->on_probation = true;
    return WR_OK;
}

/* How many groups there may be in all, if the rows so far are a fair sample: the fewer of them met a group that was
 * there, the more groups there are (the birthday paradox). */
static double expected_groups(uint64_t rows, uint32_t groups) {
    double repeats = (double)(rows - groups) + 1;
    return (double)rows * (double)rows / (2 * repeats);
}

/* Once, when the table has grown so far that it leaves the caches: a table that will not even hold the groups in the
 * end is given up early. */
static bool fails_probation(const wr_aggregation *g, sink_local *l) {
    const wr_agg_table *t = &l->groups->table;
    if (!l->on_probation || t->count < g->plan.probation_groups) return false;
    l->on_probation = false;
    return (double)t->count > BYPASS_RATIO * (double)l->table_rows &&
           expected_groups(l->table_rows, t->count) > (double)g->plan.table_groups;
}

/* Finds groups of the rows in l->keys. Rows without one are in l->missed; for them there is room. *flow is BLOCKED, or
 * the table was emptied (*again) and all has to be looked up anew. */
static wr_status look_up(wr_aggregation *g, sink_local *l, uint32_t *groups, uint32_t *missed_count, size_t *granted,
                         bool *again, wr_flow *flow, wr_waker *waker, wr_error *err) {
    wr_agg_table *t = &l->groups->table;
    *again = false;
    *granted = 0;
    *missed_count = wr_agg_table_probe(t, &l->keys, groups, l->missed);
    if (!*missed_count) return WR_OK;
    if (t->count && ((uint64_t)t->count + *missed_count > g->plan.table_groups || fails_probation(g, l))) {
        *again = true;
        return empty_table(g, l, flow, waker, err);
    }
    bool short_of;
    size_t need = wr_agg_table_need(t, &l->keys, l->missed, *missed_count);
    WR_TRY(request(g, l, need, granted, &short_of, flow, waker, err));
    if (*flow == WR_BLOCKED || !short_of) return WR_OK;
    if (!t->count) return wr_budget_fail(g->budget, need, err);
    *again = true;
    return empty_table(g, l, flow, waker, err);
}

static wr_status gather_keys(wr_aggregation *g, sink_local *l, const uint32_t *rows, uint32_t count, wr_error *err) {
    const wr_vector *columns[64], **gathered = columns;
    size_t bytes = sizeof *gathered * g->plan.key_count;
    if (g->plan.key_count > WR_COUNT_OF(columns)) gathered = wr_alloc(g->plan.allocator, bytes);
    if (!gathered) return wr_fail_memory(err, bytes, "aggregation");
    wr_status status = WR_OK;
    for (uint32_t k = 0; k < g->plan.key_count && status == WR_OK; k++) {
        status = wr_vector_gather32(&l->gathered[k], g->plan.allocator, l->columns[k], rows, count, err);
        gathered[k] = &l->gathered[k];
    }
    if (status == WR_OK) status = wr_agg_keys_of_columns(&l->keys, gathered, count, err);
    if (gathered != columns) wr_free(g->plan.allocator, gathered, bytes);
    return status;
}

/* The group of every row of the batch, in l->row_groups. */
static wr_status find_groups(wr_aggregation *g, sink_local *l, uint32_t count, wr_flow *flow, wr_waker *waker,
                             wr_error *err) {
    wr_agg_table *t = &l->groups->table;
    for (bool again = true; again;) {
        bool joint;
        const uint32_t *rows;
        uint32_t row_count, missed_count;
        size_t granted;
        WR_TRY(wr_agg_joint_lookup(l->joint, l->columns, count, t, l->row_groups, &joint, &rows, &row_count, err));
        if (joint && !row_count) return WR_OK;
        if (joint) {
            WR_TRY(gather_keys(g, l, rows, row_count, err));
        } else {
            WR_TRY(wr_agg_keys_of_columns(&l->keys, l->columns, count, err));
        }
        uint32_t *groups = joint ? l->found : l->row_groups;
        WR_TRY(look_up(g, l, groups, &missed_count, &granted, &again, flow, waker, err));
        if (*flow == WR_BLOCKED) return WR_OK;
        if (again) continue;
        wr_status status = wr_agg_table_insert(t, &l->keys, l->missed, missed_count, groups, err);
        if (granted) wr_budget_settle(g->budget, granted);
        WR_TRY(status);
        if (joint) wr_agg_joint_learn(l->joint, l->found, count, l->row_groups);
    }
    return WR_OK;
}

/* Rows that grouping does not reduce: each is a group of its own on its way to the partitions. */
static wr_status pass_by(wr_aggregation *g, sink_local *l, const wr_batch *in, wr_flow *flow, wr_waker *waker,
                         wr_error *err) {
    wr_agg_table *t = &l->passing;
    if (!t->count) {
        WR_TRY(wr_agg_keys_of_columns(&l->keys, l->columns, in->row_count, err));
        WR_TRY(wr_agg_table_append(t, &l->keys, l->row_groups, err));
        WR_TRY(wr_agg_states_update(&l->passing_states, in, t->entries, l->row_groups, 0, err));
    }
    WR_TRY(flush(g, l, t, flow, waker, err));
    if (*flow == WR_BLOCKED) return WR_OK; /* the same batch comes again, and waits in the table */
    l->bypass_rows -= l->bypass_rows < in->row_count ? l->bypass_rows : in->row_count;
    return WR_OK;
}

static wr_status sink_consume(wr_sink *sink, wr_local *local, wr_batch *in, wr_flow *flow, wr_waker *waker,
                              wr_error *err) {
    wr_aggregation *g = ((aggregate_sink *)sink)->shared;
    sink_local *l = (sink_local *)local;
    *flow = WR_NEED_INPUT;
    if (in->sel) WR_TRY(wr_batch_compact(in, err));
    if (!in->row_count) return WR_OK;
    if (!l->groups) WR_TRY(begin_epoch(g, l, err));
    WR_TRY(reserve_rows(g, l, in->row_count, err));
    WR_TRY(see_mark(g, l, err));
    for (uint32_t k = 0; k < g->plan.key_count; k++) l->columns[k] = &in->columns[g->plan.keys[k].spec.column];
    if (l->bypass_rows) {
        WR_TRY(pass_by(g, l, in, flow, waker, err));
    } else {
        WR_TRY(find_groups(g, l, in->row_count, flow, waker, err));
        if (*flow != WR_BLOCKED) {
            wr_agg_table *t = &l->groups->table;
            WR_TRY(wr_agg_states_update(&l->groups->states, in, t->entries, l->row_groups, t->count, err));
            l->table_rows += in->row_count;
        }
    }
    if (*flow == WR_BLOCKED) return WR_OK;
    return WR_OK;
}

static wr_status sink_combine(wr_sink *sink, wr_local *local, wr_error *err) {
    (void)err;
    wr_aggregation *g = ((aggregate_sink *)sink)->shared;
    sink_local *l = (sink_local *)local;
    if (!l->groups) return WR_OK;
    report_spillable(g, l, 0); /* nobody looks at marks for it any more */
    wr_agg_states_settle(&l->groups->states, l->groups->table.entries);
    l->counters.folded_rows += l->groups->states.folded_rows;
    l->groups->states.folded_rows = 0;
    wr_aggregation_hand_over(g, l->groups);
    l->groups = NULL;
    return WR_OK;
}

static wr_status sink_control(wr_sink *sink, const wr_control *control, uint32_t *task_count, wr_error *err) {
    return wr_aggregation_end(((aggregate_sink *)sink)->shared, control, task_count, err);
}

static wr_status sink_finish(wr_sink *sink, uint32_t task, wr_flow *flow, wr_waker *waker, wr_error *err) {
    wr_counters counters = {0};
    wr_status status =
        wr_aggregation_finish(((aggregate_sink *)sink)->shared, task, &counters.spilled_bytes, flow, waker, err);
    wr_node_count(&sink->base, &counters);
    return status;
}

static void sink_destroy(wr_sink *sink) {
    aggregate_sink *s = (aggregate_sink *)sink;
    wr_allocator *a = sink->base.exec->allocator;
    sink->base.budget = NULL; /* the aggregation's, which outlives whoever goes first */
    wr_node_base_deinit(&sink->base);
    wr_aggregation_release(s->shared);
    wr_free(a, s, sizeof *s);
}

static const wr_sink_ops sink_ops = {
    .name = "HASH AGGREGATE",
    .destroy = sink_destroy,
    .local_create = sink_local_create,
    .local_destroy = sink_local_destroy,
    .consume = sink_consume,
    .combine = sink_combine,
    .control = sink_control,
    .finish = sink_finish,
};

wr_status wr_hash_aggregate_create(wr_sink **sink, wr_source **source, wr_exec *exec, const wr_aggregate_spec *spec,
                                   wr_error *err) {
    wr_aggregation *g;
    WR_TRY(wr_aggregation_create(&g, exec, spec, "HASH AGGREGATE", err));
    aggregate_sink *in = wr_alloc_zeroed(exec->allocator, sizeof *in);
    wr_status status = in ? WR_OK : wr_fail_memory(err, sizeof *in, "aggregation");
    if (status == WR_OK)
        status = wr_aggregation_source_create(source, g, false, "HASH AGGREGATE", spec->logical_id, err);
    if (status != WR_OK) {
        wr_free(exec->allocator, in, sizeof *in);
        wr_aggregation_release(g);
        return status;
    }
    in->shared = g;
    in->sink.ops = &sink_ops;
    wr_node_base_init(&in->sink.base, exec, "HASH AGGREGATE", spec->logical_id);
    in->sink.base.budget = g->budget;
    *sink = &in->sink;
    return WR_OK;
}
