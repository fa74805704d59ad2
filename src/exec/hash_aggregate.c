/* Aggregation by hashing: a sink that groups, and the source of the groups. See AGGREGATION.md for the whole picture.
 *
 * Each task has a table of its own. A table that is full moves to the task's partitions; when it was hardly smaller than
 * the rows that filled it, the next rows go to the partitions directly. At the end of the epoch the tasks hand over what
 * they have:
 *   one table, nothing else       it is the result as it is
 *   tables with few groups        one finish task merges them
 *   else                          each table is partitioned by a finish task; partition i of all tasks is morsel i of the
 *                                 source, merged when it is read
 * An epoch that does not end the input only hands over: the next one goes on with the same tables. */
#include <stdlib.h>

#include "exec/aggregate_internal.h"

enum {
    SORTED_GROUPS = 4096,  /* results of so many groups come in an order that does not depend on timing */
    MORSEL_GROUPS = 65536, /* of a table that is a result */
    SPIN_MAX = 1000,       /* times that a task gives way to others that should spill */
    BYPASS_TABLES = 16,    /* rows that pass by, in tables' sizes, before grouping is tried again */
};
#define BYPASS_RATIO 0.7 /* groups a row above which grouping does not reduce */

/* What one task has grouped; handed from task to shared state and back. */
typedef struct worker_groups {
    struct worker_groups *next;
    wr_agg_states states;
    wr_agg_table table;
    wr_agg_partitions parts;
} worker_groups;

typedef enum result_kind { RESULT_NONE, RESULT_TABLE, RESULT_PARTITIONS } result_kind;

/* What sink and source share. */
typedef struct aggregation {
    _Atomic int32_t refs;
    wr_exec *exec;
    wr_budget *budget;
    wr_agg_plan plan;
    wr_mutex lock;
    worker_groups *handed; /* under lock until the epoch's control */
    _Atomic size_t spillable_bytes;
    wr_control control; /* of the last epoch */
    result_kind kind;
    wr_agg_partitions **inputs; /* PARTITIONS: of all workers */
    worker_groups **workers;    /* the same, for finish tasks */
    uint32_t worker_count;
    wr_agg_keys finish_keys;
    uint64_t morsel_next, morsel_count;
} aggregation;

static void groups_destroy(aggregation *g, worker_groups *w) {
    wr_agg_table_deinit(&w->table);
    wr_agg_partitions_deinit(&w->parts);
    wr_agg_states_deinit(&w->states);
    wr_free(g->plan.allocator, w, sizeof *w);
}

static void aggregation_release(aggregation *g) {
    if (!g || __atomic_fetch_sub((int32_t *)&g->refs, 1, __ATOMIC_ACQ_REL) != 1) return;
    for (worker_groups *w = g->handed, *next; w; w = next) {
        next = w->next;
        groups_destroy(g, w);
    }
    if (g->inputs) wr_free(g->plan.allocator, g->inputs, sizeof *g->inputs * g->worker_count);
    if (g->workers) wr_free(g->plan.allocator, g->workers, sizeof *g->workers * g->worker_count);
    wr_agg_keys_deinit(&g->finish_keys);
    wr_agg_plan_deinit(&g->plan);
    if (g->budget) wr_budget_close(g->budget);
    wr_mutex_deinit(&g->lock);
    wr_free(g->exec->allocator, g, sizeof *g);
}

static wr_status aggregation_create(aggregation **out, wr_exec *exec, const wr_aggregate_spec *spec, wr_error *err) {
    aggregation *g = wr_alloc_zeroed(exec->allocator, sizeof *g);
    if (!g) return wr_fail_memory(err, sizeof *g, "aggregation");
    g->refs = 1;
    g->exec = exec;
    wr_mutex_init(&g->lock);
    wr_status status = wr_budget_create(&g->budget, exec->budget, NULL, "HASH AGGREGATE", WR_BUDGET_NO_LIMIT, err);
    if (status == WR_OK) status = wr_agg_plan_init(&g->plan, exec, g->budget, spec, false, err);
    if (status == WR_OK) status = wr_agg_keys_init(&g->finish_keys, &g->plan, err);
    if (status != WR_OK) {
        aggregation_release(g);
        return status;
    }
    *out = g;
    return WR_OK;
}

/* ---- the sink: locals ---- */

typedef struct sink_local {
    wr_agg_keys keys;
    wr_agg_joint *joint;
    worker_groups *groups;  /* NULL: nothing of this epoch yet */
    wr_agg_table passing;   /* rows that are not grouped, on their way to the partitions */
    wr_agg_states passing_states;
    uint64_t table_rows;    /* since the table was emptied */
    uint64_t bypass_rows;   /* to go by before grouping is tried again */
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
    aggregation *shared;
} aggregate_sink;

static void report_spillable(aggregation *g, sink_local *l, size_t bytes) {
    if (bytes == l->spillable_bytes) return;
    size_t change = bytes - l->spillable_bytes; /* wraps when it is less */
    size_t sum = __atomic_add_fetch((size_t *)&g->spillable_bytes, change, __ATOMIC_RELAXED);
    l->spillable_bytes = bytes;
    wr_budget_set_spillable(g->budget, sum);
}

static void sink_local_destroy(wr_sink *sink, wr_local *local) {
    aggregation *g = ((aggregate_sink *)sink)->shared;
    sink_local *l = (sink_local *)local;
    wr_allocator *a = g->plan.allocator;
    report_spillable(g, l, 0);
    wr_node_count(&sink->base, &l->counters);
    if (l->groups) groups_destroy(g, l->groups);
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
    aggregation *g = ((aggregate_sink *)sink)->shared;
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

/* What an earlier epoch handed over, or a new one. */
static wr_status acquire_groups(aggregation *g, sink_local *l, wr_error *err) {
    wr_mutex_lock(&g->lock);
    worker_groups *w = g->handed;
    if (w) g->handed = w->next;
    wr_mutex_unlock(&g->lock);
    if (!w) {
        w = wr_alloc_zeroed(g->plan.allocator, sizeof *w);
        if (!w) return wr_fail_memory(err, sizeof *w, "aggregation");
        wr_status status = wr_agg_states_init(&w->states, &g->plan, err);
        if (status != WR_OK) {
            wr_free(g->plan.allocator, w, sizeof *w);
            return status;
        }
        wr_agg_table_init(&w->table, &g->plan, &w->states, g->plan.table_groups);
        wr_agg_partitions_init(&w->parts, &g->plan, &w->states, g->plan.radix_bits, 0);
    }
    /* A map of joint codes leads to the groups of one table alone. */
    w->table.generation++;
    w->next = NULL;
    l->groups = w;
    return WR_OK;
}

static wr_status reserve_rows(aggregation *g, sink_local *l, uint32_t count, wr_error *err) {
    if (count < l->capacity) return WR_OK;
    wr_allocator *a = g->plan.allocator;
    wr_free(a, l->row_groups, sizeof *l->row_groups * l->capacity);
    wr_free(a, l->found, sizeof *l->found * l->capacity);
    wr_free(a, l->missed, sizeof *l->missed * l->capacity);
    l->capacity = (count + 64) & ~63u;
    l->row_groups = wr_alloc(a, sizeof *l->row_groups * l->capacity);
    l->found = wr_alloc(a, sizeof *l->found * l->capacity);
    l->missed = wr_alloc(a, sizeof *l->missed * l->capacity);
    if (l->row_groups && l->found && l->missed) return WR_OK;
    return wr_fail_memory(err, 3 * sizeof *l->found * l->capacity, "aggregation");
}

/* ---- the sink: memory ---- */

static wr_status spill(aggregation *g, sink_local *l, wr_error *err) {
    uint64_t before = l->groups->parts.spilled_bytes;
    wr_status status = wr_agg_spill(&l->groups->parts, 0, err);
    l->counters.spilled_bytes += l->groups->parts.spilled_bytes - before;
    report_spillable(g, l, l->groups->parts.memory_bytes);
    return status;
}

/* The mark is for whoever has pages; when nobody has any, nothing is left to do about it. */
static wr_status see_mark(aggregation *g, sink_local *l, wr_error *err) {
    if (!wr_budget_marked(g->budget)) return WR_OK;
    bool mine = l->groups->parts.memory_bytes > 0;
    if (mine) WR_TRY(spill(g, l, err));
    if (mine || __atomic_load_n((size_t *)&g->spillable_bytes, __ATOMIC_RELAXED) == 0) wr_budget_spilled(g->budget);
    return WR_OK;
}

/* Asks for room. When there is none: own pages go to disk, then others of this node are asked for theirs, while this task
 * gives way; and then `*short_of` is set: the caller has to make do with less. */
static wr_status request(aggregation *g, sink_local *l, size_t bytes, size_t *granted, bool *short_of, wr_flow *flow,
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
static wr_status flush(aggregation *g, sink_local *l, wr_agg_table *t, wr_flow *flow, wr_waker *waker, wr_error *err) {
    wr_agg_partitions *parts = &l->groups->parts;
    size_t need = wr_agg_flush_need(parts, t), granted;
    bool short_of;
    WR_TRY(request(g, l, need, &granted, &short_of, flow, waker, err));
    if (*flow == WR_BLOCKED) return WR_OK;
    uint64_t before = parts->spilled_bytes;
    bool to_disk = g->exec->force_spill || short_of;
    wr_status status = to_disk ? wr_agg_flush_to_disk(parts, t, err) : wr_agg_flush(parts, t, err);
    if (granted) wr_budget_settle(g->budget, granted);
    l->counters.spilled_bytes += parts->spilled_bytes - before;
    report_spillable(g, l, parts->memory_bytes);
    return status;
}

/* ---- the sink: a batch ---- */

/* Moves the full table away, and decides whether grouping is worth while for what comes. */
static wr_status empty_table(aggregation *g, sink_local *l, wr_flow *flow, wr_waker *waker, wr_error *err) {
    wr_agg_table *t = &l->groups->table;
    uint64_t groups = t->count;
    WR_TRY(flush(g, l, t, flow, waker, err));
    if (*flow == WR_BLOCKED) return WR_OK;
    if ((double)groups > BYPASS_RATIO * (double)l->table_rows) {
        l->bypass_rows = (uint64_t)BYPASS_TABLES * g->plan.table_groups;
    }
    l->table_rows = 0;
    return WR_OK;
}

/* Finds groups of the rows in l->keys. Rows without one are in l->missed; for them there is room. *flow is BLOCKED, or the
 * table was emptied (*again) and all has to be looked up anew. */
static wr_status look_up(aggregation *g, sink_local *l, uint32_t *groups, uint32_t *missed_count, size_t *granted,
                         bool *again, wr_flow *flow, wr_waker *waker, wr_error *err) {
    wr_agg_table *t = &l->groups->table;
    *again = false;
    *granted = 0;
    *missed_count = wr_agg_table_probe(t, &l->keys, groups, l->missed);
    if (!*missed_count) return WR_OK;
    if (t->count && (uint64_t)t->count + *missed_count > g->plan.table_groups) {
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

static wr_status gather_keys(aggregation *g, sink_local *l, const uint32_t *rows, uint32_t count, wr_error *err) {
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
static wr_status find_groups(aggregation *g, sink_local *l, uint32_t count, wr_flow *flow, wr_waker *waker, wr_error *err) {
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
static wr_status pass_by(aggregation *g, sink_local *l, const wr_batch *in, wr_flow *flow, wr_waker *waker, wr_error *err) {
    wr_agg_table *t = &l->passing;
    if (!t->count) {
        WR_TRY(wr_agg_keys_of_columns(&l->keys, l->columns, in->row_count, err));
        WR_TRY(wr_agg_table_append(t, &l->keys, l->row_groups, err));
        WR_TRY(wr_agg_states_update(&l->passing_states, in, t->entries, l->row_groups, err));
    }
    WR_TRY(flush(g, l, t, flow, waker, err));
    if (*flow == WR_BLOCKED) return WR_OK; /* the same batch comes again, and waits in the table */
    l->bypass_rows -= l->bypass_rows < in->row_count ? l->bypass_rows : in->row_count;
    return WR_OK;
}

static wr_status sink_consume(wr_sink *sink, wr_local *local, wr_batch *in, wr_flow *flow, wr_waker *waker, wr_error *err) {
    aggregation *g = ((aggregate_sink *)sink)->shared;
    sink_local *l = (sink_local *)local;
    *flow = WR_NEED_INPUT;
    if (in->sel) WR_TRY(wr_batch_compact(in, err));
    if (!in->row_count) return WR_OK;
    if (!l->groups) WR_TRY(acquire_groups(g, l, err));
    WR_TRY(reserve_rows(g, l, in->row_count, err));
    WR_TRY(see_mark(g, l, err));
    for (uint32_t k = 0; k < g->plan.key_count; k++) l->columns[k] = &in->columns[g->plan.keys[k].spec.column];
    if (l->bypass_rows) {
        WR_TRY(pass_by(g, l, in, flow, waker, err));
    } else {
        WR_TRY(find_groups(g, l, in->row_count, flow, waker, err));
        if (*flow != WR_BLOCKED) {
            wr_agg_table *t = &l->groups->table;
            WR_TRY(wr_agg_states_update(&l->groups->states, in, t->entries, l->row_groups, err));
            l->table_rows += in->row_count;
        }
    }
    if (*flow == WR_BLOCKED) return WR_OK;
    return WR_OK;
}

static wr_status sink_combine(wr_sink *sink, wr_local *local, wr_error *err) {
    (void)err;
    aggregation *g = ((aggregate_sink *)sink)->shared;
    sink_local *l = (sink_local *)local;
    if (!l->groups) return WR_OK;
    report_spillable(g, l, 0); /* nobody looks at marks for it any more */
    wr_mutex_lock(&g->lock);
    l->groups->next = g->handed;
    g->handed = l->groups;
    wr_mutex_unlock(&g->lock);
    l->groups = NULL;
    return WR_OK;
}

/* ---- the end of an epoch ---- */

static wr_status collect_workers(aggregation *g, wr_error *err) {
    wr_allocator *a = g->plan.allocator;
    uint32_t count = 0;
    for (const worker_groups *w = g->handed; w; w = w->next) count++;
    g->workers = wr_alloc(a, sizeof *g->workers * count);
    g->inputs = wr_alloc(a, sizeof *g->inputs * count);
    if (!g->workers || !g->inputs) {
        if (g->workers) wr_free(a, g->workers, sizeof *g->workers * count);
        if (g->inputs) wr_free(a, g->inputs, sizeof *g->inputs * count);
        g->workers = NULL;
        g->inputs = NULL;
        return wr_fail_memory(err, sizeof *g->workers * count, "aggregation");
    }
    for (worker_groups *w = g->handed; w; w = w->next) {
        g->inputs[g->worker_count] = &w->parts;
        g->workers[g->worker_count++] = w;
    }
    return WR_OK;
}

static wr_status sink_control(wr_sink *sink, const wr_control *control, uint32_t *task_count, wr_error *err) {
    aggregation *g = ((aggregate_sink *)sink)->shared;
    *task_count = 0;
    g->control = *control;
    if (control->kind != WR_END || !g->handed) return WR_OK;
    WR_TRY(collect_workers(g, err));
    uint64_t groups = 0;
    bool partitioned = false;
    for (uint32_t i = 0; i < g->worker_count; i++) {
        groups += g->workers[i]->table.count;
        partitioned |= g->workers[i]->parts.items != NULL;
    }
    if (!partitioned && (g->worker_count == 1 || groups <= g->plan.table_groups)) {
        g->kind = RESULT_TABLE;
        *task_count = 1;
    } else {
        g->kind = RESULT_PARTITIONS;
        g->morsel_count = UINT64_C(1) << g->plan.radix_bits;
        *task_count = g->worker_count;
    }
    return WR_OK;
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

/* Few groups are put in the order of their hashes, so that the same query gives the same order with any number of threads:
 * it would else be that in which tasks met them. */
static wr_status sort_groups(aggregation *g, wr_agg_table *t, wr_error *err) {
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

static wr_status finish_table(aggregation *g, wr_error *err) {
    wr_agg_table *t = &g->workers[0]->table;
    for (uint32_t i = 1; i < g->worker_count; i++) {
        WR_TRY(wr_agg_table_absorb(t, &g->finish_keys, &g->workers[i]->table, err));
    }
    WR_TRY(sort_groups(g, t, err));
    g->morsel_count = (t->count + MORSEL_GROUPS - 1) / MORSEL_GROUPS;
    return WR_OK;
}

/* Partitions a task's table; what is short of memory goes to disk. */
static wr_status finish_worker(aggregation *g, worker_groups *w, wr_flow *flow, wr_waker *waker, wr_error *err) {
    size_t need = w->table.count ? wr_agg_flush_need(&w->parts, &w->table) : 0;
    bool tight = g->exec->force_spill || wr_budget_marked(g->budget);
    if (need) {
        wr_budget_answer answer = wr_budget_request(g->budget, need, waker);
        if (answer == WR_BUDGET_PARKED) {
            *flow = WR_BLOCKED;
            return WR_OK;
        }
        tight |= answer != WR_BUDGET_GRANTED;
        if (answer != WR_BUDGET_GRANTED) need = 0;
    }
    wr_status status = WR_OK;
    if (tight) {
        status = wr_agg_flush_to_disk(&w->parts, &w->table, err);
    } else if (w->table.count) {
        status = wr_agg_flush(&w->parts, &w->table, err);
    }
    if (need) wr_budget_settle(g->budget, need);
    WR_TRY(status);
    wr_agg_table_deinit(&w->table); /* its memory is better used by whoever merges */
    return WR_OK;
}

static wr_status sink_finish(wr_sink *sink, uint32_t task, wr_flow *flow, wr_waker *waker, wr_error *err) {
    aggregation *g = ((aggregate_sink *)sink)->shared;
    *flow = WR_DONE;
    if (g->kind == RESULT_TABLE) return finish_table(g, err);
    worker_groups *w = g->workers[task];
    uint64_t before = w->parts.spilled_bytes;
    WR_TRY(finish_worker(g, w, flow, waker, err));
    wr_node_count(&sink->base, &(wr_counters){.spilled_bytes = w->parts.spilled_bytes - before});
    return WR_OK;
}

static void sink_destroy(wr_sink *sink) {
    aggregate_sink *s = (aggregate_sink *)sink;
    wr_allocator *a = sink->base.exec->allocator;
    sink->base.budget = NULL; /* the aggregation's, which outlives whoever goes first */
    wr_node_base_deinit(&sink->base);
    aggregation_release(s->shared);
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

/* ---- the source ---- */

typedef struct aggregate_source {
    wr_source source;
    aggregation *shared;
} aggregate_source;

typedef struct source_local {
    wr_agg_merger merger;
    wr_batch out;
    bool reading;    /* a morsel is being read */
    bool emitting;   /* PARTITIONS: the merger's table is complete */
    uint32_t at, end; /* groups to give */
    wr_counters counters;
} source_local;

static void source_destroy(wr_source *source) {
    aggregate_source *s = (aggregate_source *)source;
    wr_allocator *a = source->base.exec->allocator;
    source->base.budget = NULL;
    wr_node_base_deinit(&source->base);
    aggregation_release(s->shared);
    wr_free(a, s, sizeof *s);
}

static void source_local_destroy(wr_source *source, wr_local *local) {
    aggregation *g = ((aggregate_source *)source)->shared;
    source_local *l = (source_local *)local;
    for (uint32_t i = 0; i < WR_AGG_LEVELS; i++) l->counters.spilled_bytes += l->merger.levels[i].parts.spilled_bytes;
    wr_node_count(&source->base, &l->counters);
    wr_agg_merger_deinit(&l->merger);
    wr_batch_deinit(&l->out);
    wr_free(g->plan.allocator, l, sizeof *l);
}

static wr_status source_local_create(wr_source *source, wr_local **out, wr_error *err) {
    aggregation *g = ((aggregate_source *)source)->shared;
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

static wr_status source_next(wr_source *source, wr_morsel *morsel, wr_control *control, wr_flow *flow, wr_waker *waker,
                             wr_error *err) {
    (void)waker;
    (void)err;
    aggregation *g = ((aggregate_source *)source)->shared;
    if (g->control.kind == WR_END && g->morsel_next < g->morsel_count) {
        *morsel = (wr_morsel){.index = g->morsel_next++, .epoch = g->control.epoch};
        *flow = WR_HAVE_OUTPUT;
    } else {
        *control = g->control;
        *flow = WR_DONE;
    }
    return WR_OK;
}

static void start_morsel(aggregation *g, source_local *l, uint64_t index) {
    l->reading = true;
    l->emitting = false;
    if (g->kind == RESULT_PARTITIONS) {
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
    aggregation *g = ((aggregate_source *)source)->shared;
    source_local *l = (source_local *)local;
    if (!l->reading) start_morsel(g, l, morsel->index);
    wr_agg_table *t = g->kind == RESULT_TABLE ? &g->workers[0]->table : &l->merger.table;
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
        if (g->kind == RESULT_TABLE) break;
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
    const aggregation *g = ((aggregate_source *)source)->shared;
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

wr_status wr_hash_aggregate_create(wr_sink **sink, wr_source **source, wr_exec *exec, const wr_aggregate_spec *spec,
                                   wr_error *err) {
    aggregation *g = NULL;
    WR_TRY(aggregation_create(&g, exec, spec, err));
    aggregate_sink *in = wr_alloc_zeroed(exec->allocator, sizeof *in);
    aggregate_source *out = wr_alloc_zeroed(exec->allocator, sizeof *out);
    if (!in || !out) {
        wr_free(exec->allocator, in, sizeof *in);
        wr_free(exec->allocator, out, sizeof *out);
        aggregation_release(g);
        return wr_fail_memory(err, sizeof *in + sizeof *out, "aggregation");
    }
    g->refs = 2;
    in->shared = out->shared = g;
    in->sink.ops = &sink_ops;
    out->source.ops = &source_ops;
    wr_node_base_init(&in->sink.base, exec, "HASH AGGREGATE", spec->logical_id);
    wr_node_base_init(&out->source.base, exec, "HASH AGGREGATE", spec->logical_id);
    in->sink.base.budget = out->source.base.budget = g->budget;
    *sink = &in->sink;
    *source = &out->source;
    return WR_OK;
}
