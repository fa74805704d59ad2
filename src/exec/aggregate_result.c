/* What becomes of the groups that tasks have handed over, and the source that gives them out.
 *
 * At the end of the input there is
 *   one table, nothing else       which is the result as it is
 *   tables with few groups        which one finish task merges into the first
 *   else                          each table is partitioned by a finish task; partition i of all tasks is morsel i of
 * the source, merged when it is read An epoch that does not end the input changes nothing: tasks take back what they
 * have handed over. */
#include <stdlib.h>

#include "exec/aggregate_internal.h"

enum {
    SORTED_GROUPS = 4096,  /* results of so many groups come in an order that does not depend on timing */
    MORSEL_GROUPS = 65536, /* of a table that is a result */
    MERGED_GROUPS = 32768, /* of all tasks together that one task merges */
};

static void groups_destroy(wr_aggregation *g, wr_agg_groups *w) {
    wr_agg_table_deinit(&w->table);
    wr_agg_partitions_deinit(&w->parts);
    wr_agg_states_deinit(&w->states);
    wr_free(g->plan.allocator, w, sizeof *w);
}

wr_aggregation *wr_aggregation_retain(wr_aggregation *g) {
    __atomic_fetch_add((int32_t *)&g->refs, 1, __ATOMIC_RELAXED);
    return g;
}

void wr_aggregation_release(wr_aggregation *g) {
    if (__atomic_fetch_sub((int32_t *)&g->refs, 1, __ATOMIC_ACQ_REL) != 1) return;
    for (wr_agg_groups *w = g->handed, *next; w; w = next) {
        next = w->next;
        groups_destroy(g, w);
    }
    if (g->inputs) wr_free(g->plan.allocator, g->inputs, sizeof *g->inputs * g->worker_count);
    if (g->workers) wr_free(g->plan.allocator, g->workers, sizeof *g->workers * g->worker_count);
    wr_agg_keys_deinit(&g->finish_keys);
    wr_free(g->plan.allocator, g->ends, sizeof *g->ends * g->end_capacity);
    wr_agg_plan_deinit(&g->plan);
    if (g->budget) wr_budget_close(g->budget);
    wr_mutex_deinit(&g->lock);
    wr_free(g->exec->allocator, g, sizeof *g);
}

wr_status wr_aggregation_create(wr_aggregation **out, wr_exec *exec, const wr_aggregate_spec *spec, const char *label,
                                wr_error *err) {
    wr_aggregation *g = wr_alloc_zeroed(exec->allocator, sizeof *g);
    if (!g) return wr_fail_memory(err, sizeof *g, "aggregation");
    g->refs = 1;
    g->exec = exec;
    wr_mutex_init(&g->lock);
    wr_status status = wr_budget_create(&g->budget, exec->budget, NULL, label, WR_BUDGET_NO_LIMIT, err);
    if (status == WR_OK) status = wr_agg_plan_init(&g->plan, exec, g->budget, spec, false, err);
    if (status == WR_OK) status = wr_agg_keys_init(&g->finish_keys, &g->plan, err);
    if (status != WR_OK) {
        wr_aggregation_release(g);
        return status;
    }
    *out = g;
    return WR_OK;
}

/* ---- groups of tasks ---- */

static wr_status groups_create(wr_aggregation *g, wr_agg_groups **out, wr_error *err) {
    wr_agg_groups *w = wr_alloc_zeroed(g->plan.allocator, sizeof *w);
    if (!w) return wr_fail_memory(err, sizeof *w, "aggregation");
    wr_status status = wr_agg_states_init(&w->states, &g->plan, err);
    if (status != WR_OK) {
        wr_free(g->plan.allocator, w, sizeof *w);
        return status;
    }
    wr_agg_table_init(&w->table, &g->plan, &w->states, g->plan.table_groups);
    wr_agg_partitions_init(&w->parts, &g->plan, &w->states, g->plan.radix_bits, 0);
    *out = w;
    return WR_OK;
}

wr_status wr_aggregation_acquire(wr_aggregation *g, wr_agg_groups **out, wr_error *err) {
    wr_mutex_lock(&g->lock);
    wr_agg_groups *w = g->handed;
    if (w) g->handed = w->next;
    wr_mutex_unlock(&g->lock);
    if (!w) WR_TRY(groups_create(g, &w, err));
    w->next = NULL;
    w->table.generation++; /* what somebody else remembers of its groups is not for the new owner */
    *out = w;
    return WR_OK;
}

void wr_aggregation_hand_over(wr_aggregation *g, wr_agg_groups *groups) {
    wr_mutex_lock(&g->lock);
    groups->next = g->handed;
    g->handed = groups;
    wr_mutex_unlock(&g->lock);
}

/* ---- the end of an epoch ---- */

static wr_status collect_workers(wr_aggregation *g, wr_error *err) {
    wr_allocator *a = g->plan.allocator;
    uint32_t count = 0;
    for (const wr_agg_groups *w = g->handed; w; w = w->next) count++;
    g->workers = wr_alloc(a, sizeof *g->workers * count);
    g->inputs = wr_alloc(a, sizeof *g->inputs * count);
    if (!g->workers || !g->inputs) {
        if (g->workers) wr_free(a, g->workers, sizeof *g->workers * count);
        if (g->inputs) wr_free(a, g->inputs, sizeof *g->inputs * count);
        g->workers = NULL;
        g->inputs = NULL;
        return wr_fail_memory(err, sizeof *g->workers * count, "aggregation");
    }
    for (wr_agg_groups *w = g->handed; w; w = w->next) {
        g->inputs[g->worker_count] = &w->parts;
        g->workers[g->worker_count++] = w;
    }
    return WR_OK;
}

wr_status wr_aggregation_end(wr_aggregation *g, const wr_control *control, uint32_t *task_count, wr_error *err) {
    *task_count = 0;
    if (control->kind != WR_END || !g->handed) return WR_OK;
    WR_TRY(collect_workers(g, err));
    uint64_t groups = 0;
    bool partitioned = false;
    for (uint32_t i = 0; i < g->worker_count; i++) {
        groups += g->workers[i]->table.count;
        partitioned |= g->workers[i]->parts.items != NULL;
    }
    if (!partitioned && (g->worker_count == 1 || (groups <= MERGED_GROUPS && groups <= g->plan.table_groups))) {
        g->result = WR_AGG_TABLE;
        *task_count = 1;
    } else {
        g->result = WR_AGG_PARTITIONS;
        g->morsel_count = UINT64_C(1) << g->plan.radix_bits;
        *task_count = g->worker_count;
    }
    return WR_OK;
}

wr_status wr_aggregation_complete(wr_aggregation *g, const wr_control *control, wr_error *err) {
    wr_mutex_lock(&g->lock);
    wr_status status =
        wr_grow(g->plan.allocator, (void **)&g->ends, &g->end_capacity, g->end_count, 1, sizeof *g->ends, err);
    if (status == WR_OK) g->ends[g->end_count++] = *control;
    wr_wait_list_wake(&g->waiting);
    wr_mutex_unlock(&g->lock);
    return status;
}

typedef struct sort_item {
    uint64_t hash;
    uint32_t index;
} sort_item;

static int compare_items(const void *a, const void *b) {
    const sort_item *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Few groups are put in the order of their hashes, so that the same query gives the same order with any number of
 * threads: it would else be that in which tasks met them. */
static wr_status sort_groups(wr_aggregation *g, wr_agg_table *t, wr_error *err) {
    wr_allocator *a = g->plan.allocator;
    uint32_t stride = g->plan.entry_bytes, n = t->count;
    if (n > SORTED_GROUPS || n < 2) return WR_OK;
    size_t item_bytes = sizeof(sort_item) * n, entry_bytes = (size_t)stride * n;
    sort_item *items = wr_alloc(a, item_bytes);
    uint64_t *hashes = wr_alloc(a, 3 * sizeof *hashes * n);
    uint8_t *sorted = a->alloc(a, entry_bytes, WR_ALIGN_BUFFER);
    bool complete = items && hashes && sorted;
    if (complete) {
        wr_agg_entry_hashes(&g->plan, t->entries, stride, n, hashes + n, hashes + 2 * n, hashes);
        for (uint32_t i = 0; i < n; i++) items[i] = (sort_item){hashes[i], i};
        qsort(items, n, sizeof *items, compare_items);
        for (uint32_t i = 0; i < n; i++) {
            memcpy(sorted + (size_t)i * stride, t->entries + (size_t)items[i].index * stride, stride);
        }
        memcpy(t->entries, sorted, entry_bytes);
    }
    if (sorted) a->free(a, sorted, entry_bytes, WR_ALIGN_BUFFER);
    if (hashes) wr_free(a, hashes, 3 * sizeof *hashes * n);
    if (items) wr_free(a, items, item_bytes);
    return complete ? WR_OK : wr_fail_memory(err, item_bytes + entry_bytes, "aggregation");
}

static wr_status finish_table(wr_aggregation *g, wr_error *err) {
    wr_agg_table *t = &g->workers[0]->table;
    for (uint32_t i = 1; i < g->worker_count; i++) {
        WR_TRY(wr_agg_table_absorb(t, &g->finish_keys, &g->workers[i]->table, err));
    }
    WR_TRY(sort_groups(g, t, err));
    g->morsel_count = (t->count + MORSEL_GROUPS - 1) / MORSEL_GROUPS;
    return WR_OK;
}

/* Partitions a task's table; when memory is short, with what there is. */
static wr_status finish_worker(wr_aggregation *g, wr_agg_groups *w, wr_flow *flow, wr_waker *waker, wr_error *err) {
    size_t need = w->table.count ? wr_agg_flush_need(&w->parts, &w->table) : 0, granted = 0;
    if (need && waker) {
        wr_budget_answer answer = wr_budget_request(g->budget, need, waker);
        if (answer == WR_BUDGET_PARKED) {
            *flow = WR_BLOCKED;
            return WR_OK;
        }
        if (answer == WR_BUDGET_GRANTED) granted = need;
    }
    wr_status status = w->table.count ? wr_agg_flush_tight(&w->parts, &w->table, err) : WR_OK;
    if (granted) wr_budget_settle(g->budget, granted);
    WR_TRY(status);
    wr_agg_table_deinit(&w->table); /* its memory is better used by whoever merges */
    bool to_disk = g->exec->force_spill || wr_budget_marked(g->budget);
    return to_disk ? wr_agg_spill(&w->parts, 0, err) : WR_OK;
}

wr_status wr_aggregation_finish(wr_aggregation *g, uint32_t task, uint64_t *spilled_bytes, wr_flow *flow,
                                wr_waker *waker, wr_error *err) {
    *flow = WR_DONE;
    *spilled_bytes = 0;
    if (g->result == WR_AGG_TABLE) return finish_table(g, err);
    wr_agg_groups *w = g->workers[task];
    uint64_t before = w->parts.spilled_bytes;
    wr_status status = finish_worker(g, w, flow, waker, err);
    *spilled_bytes = w->parts.spilled_bytes - before;
    return status;
}

/* ---- the source ---- */

typedef struct result_source {
    wr_source source;
    wr_aggregation *shared;
    bool late;
} result_source;

typedef struct source_local {
    wr_agg_merger merger;
    wr_batch out;
    bool reading;     /* a morsel is being read */
    bool emitting;    /* PARTITIONS: the merger's table is complete */
    uint32_t at, end; /* groups to give */
    wr_counters counters;
} source_local;

static void source_destroy(wr_source *source) {
    result_source *s = (result_source *)source;
    wr_allocator *a = source->base.exec->allocator;
    source->base.budget = NULL;
    wr_node_base_deinit(&source->base);
    wr_aggregation_release(s->shared);
    wr_free(a, s, sizeof *s);
}

static void source_local_destroy(wr_source *source, wr_local *local) {
    wr_aggregation *g = ((result_source *)source)->shared;
    source_local *l = (source_local *)local;
    for (uint32_t i = 0; i < WR_AGG_LEVELS; i++) l->counters.spilled_bytes += l->merger.levels[i].parts.spilled_bytes;
    wr_node_count(&source->base, &l->counters);
    wr_agg_merger_deinit(&l->merger);
    wr_batch_deinit(&l->out);
    wr_free(g->plan.allocator, l, sizeof *l);
}

static wr_status source_local_create(wr_source *source, wr_local **out, wr_error *err) {
    wr_aggregation *g = ((result_source *)source)->shared;
    source_local *l = wr_alloc_zeroed(g->plan.allocator, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "aggregation");
    wr_status status = wr_batch_init(&l->out, g->exec->allocator, g->plan.key_count + g->plan.call_count, err);
    if (status == WR_OK) status = wr_agg_merger_init(&l->merger, &g->plan, err);
    if (status != WR_OK) {
        source_local_destroy(source, (wr_local *)l);
        return status;
    }
    *out = (wr_local *)l;
    return WR_OK;
}

/* How the next epoch ended for the operators, which no pipeline says that the late source's depends on; false when they
 * have not ended it, and then the waker waits for it. */
static bool epoch_over(wr_aggregation *g, wr_control *control, wr_waker *waker) {
    wr_mutex_lock(&g->lock);
    bool over = g->end_count > 0;
    if (over) *control = g->ends[0];
    if (!over) wr_wait_list_add(&g->waiting, waker);
    wr_mutex_unlock(&g->lock);
    return over;
}

static void forget_epoch(wr_aggregation *g) {
    wr_mutex_lock(&g->lock);
    memmove(g->ends, g->ends + 1, sizeof *g->ends * --g->end_count);
    wr_mutex_unlock(&g->lock);
}

static wr_status source_next(wr_source *source, wr_morsel *morsel, wr_control *control, wr_flow *flow, wr_waker *waker,
                             wr_error *err) {
    (void)err;
    const result_source *s = (const result_source *)source;
    wr_aggregation *g = s->shared;
    *flow = WR_BLOCKED;
    if (s->late && !epoch_over(g, control, waker)) return WR_OK;
    *flow = WR_DONE;
    if (control->kind == WR_END && g->morsel_next < g->morsel_count) {
        *morsel = (wr_morsel){.index = g->morsel_next++, .epoch = control->epoch};
        *flow = WR_HAVE_OUTPUT;
    } else if (s->late) {
        forget_epoch(g);
    }
    return WR_OK;
}

static void start_morsel(wr_aggregation *g, source_local *l, uint64_t index) {
    l->reading = true;
    l->emitting = false;
    if (g->result == WR_AGG_PARTITIONS) {
        wr_agg_merger_start(&l->merger, g->inputs, g->worker_count, (uint32_t)index);
        return;
    }
    uint64_t count = g->workers[0]->table.count, end = (index + 1) * MORSEL_GROUPS;
    l->emitting = true;
    l->at = (uint32_t)(index * MORSEL_GROUPS);
    l->end = (uint32_t)(end < count ? end : count);
}

static wr_status source_read(wr_source *source, wr_local *local, const wr_morsel *morsel, wr_batch **out, wr_flow *flow,
                             wr_waker *waker, wr_error *err) {
    wr_aggregation *g = ((result_source *)source)->shared;
    source_local *l = (source_local *)local;
    if (!l->reading) start_morsel(g, l, morsel->index);
    wr_agg_table *t = g->result == WR_AGG_TABLE ? &g->workers[0]->table : &l->merger.table;
    for (;;) {
        if (l->emitting && l->at < l->end) {
            uint32_t n = l->end - l->at < g->exec->batch_rows ? l->end - l->at : g->exec->batch_rows;
            const uint8_t *entries = t->entries + (size_t)l->at * g->plan.entry_bytes;
            WR_TRY(wr_agg_emit(&g->plan, &l->merger.states, entries, n, &l->out, err));
            l->at += n;
            *out = &l->out;
            *flow = WR_HAVE_OUTPUT;
            return WR_OK;
        }
        if (g->result == WR_AGG_TABLE) break;
        if (l->emitting) {
            wr_agg_states_destroy(&l->merger.states, t->entries, g->plan.entry_bytes, t->count);
            wr_agg_table_reset(t);
            l->emitting = false;
        }
        if (g->exec->cancelled) break;
        WR_TRY(wr_agg_merger_step(&l->merger, flow, waker, err));
        if (*flow == WR_BLOCKED) return WR_OK;
        if (*flow == WR_DONE) break;
        l->emitting = *flow == WR_HAVE_OUTPUT;
        l->at = 0;
        l->end = t->count;
    }
    l->reading = false;
    *flow = WR_NEED_INPUT;
    return WR_OK;
}

static double source_progress(wr_source *source) {
    const wr_aggregation *g = ((result_source *)source)->shared;
    return g->morsel_count ? (double)g->morsel_next / (double)g->morsel_count : 0;
}

static const wr_source_ops source_ops = {
    .name = "HASH AGGREGATE",
    .destroy = source_destroy,
    .local_create = source_local_create,
    .local_destroy = source_local_destroy,
    .next = source_next,
    .read = source_read,
    .progress = source_progress,
};

wr_status wr_aggregation_source_create(wr_source **out, wr_aggregation *g, bool late, const char *label,
                                       uint32_t logical_id, wr_error *err) {
    result_source *s = wr_alloc_zeroed(g->exec->allocator, sizeof *s);
    if (!s) return wr_fail_memory(err, sizeof *s, "aggregation");
    s->shared = wr_aggregation_retain(g);
    s->late = late;
    s->source.ops = &source_ops;
    wr_node_base_init(&s->source.base, g->exec, label, logical_id);
    s->source.base.budget = g->budget;
    *out = &s->source;
    return WR_OK;
}
