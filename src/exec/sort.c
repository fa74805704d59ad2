/* The nodes of a sort: the sink that takes rows in, and the source that gives them out in order; see SORT.md. */
#include "exec/sort_internal.h"

enum {
    PAGE_BYTES_MAX = 2 << 20,
    NEEDS_SHARE = 8,          /* of a limit that the rows of a slice may take at most */
    FORCED_SPILL_BATCHES = 4, /* when spilling is forced: so many at a time */
};

typedef struct sort_sink {
    wr_sink sink;
    wr_sort *sort;
} sort_sink;

typedef struct sort_source {
    wr_source source;
    wr_sort *sort;
} sort_source;

typedef struct sink_local {
    wr_sort_store *store;
    uint32_t taken; /* rows of the batch that is being consumed */
    wr_counters counters;
} sink_local;

typedef struct source_local {
    wr_batch out;
    uint8_t **rows;             /* of a batch */
    const wr_sort_range *range; /* that is open */
    uint64_t given, skipped;
    wr_sort_merge merge;
    size_t granted_bytes;
    bool is_active; /* counted in active_ranges */
    wr_counters counters;
} source_local;

static wr_sort *sort_of_sink(wr_sink *sink) {
    return ((sort_sink *)sink)->sort;
}
static wr_sort *sort_of_source(wr_source *source) {
    return ((sort_source *)source)->sort;
}

/* ---- what they share ---- */

/* All that was made from the sink's budget. */
static void drop_rows(wr_sort *s) {
    wr_allocator *a = s->allocator;
    while (s->runs) {
        wr_sort_run *run = s->runs;
        s->runs = run->next;
        wr_sort_run_destroy(s, run);
    }
    for (unsigned c = 0; c < WR_SORT_CLASSES; c++) {
        wr_sort_runs *runs = &s->class_runs[c];
        for (uint32_t i = 0; i < runs->count; i++) wr_sort_run_destroy(s, runs->items[i]);
        wr_free(a, runs->items, sizeof *runs->items * runs->capacity);
        *runs = (wr_sort_runs){0};
    }
    while (s->stores) {
        wr_sort_store *store = s->stores;
        s->stores = store->next;
        wr_sort_store_destroy(s, store);
    }
    wr_free(a, s->morsels, sizeof *s->morsels * s->morsel_capacity);
    wr_sort_jobs_deinit(s);
    wr_free(a, s->ranges, sizeof *s->ranges * s->range_capacity);
    wr_free(a, s->splitters, sizeof *s->splitters * s->splitter_capacity);
}

static void sort_release(wr_sort *s) {
    if (--s->refs) return;
    wr_allocator *a = s->exec->allocator;
    for (unsigned c = 0; c < WR_SORT_CLASSES; c++) wr_sort_order_deinit(&s->orders[c]);
    wr_row_layout_deinit(&s->layout);
    wr_free(a, s->keys, sizeof *s->keys * (s->key_count + 1));
    wr_mutex_deinit(&s->lock);
    wr_free(a, s, sizeof *s);
}

/* ---- making room ---- */

/* The larger of the local's store and of what was combined before; NULL when none holds anything. */
static wr_sort_store *take_largest(wr_sort *s, wr_sort_store *own) {
    wr_sort_store *largest = own && own->held_bytes ? own : NULL, **link = NULL;
    wr_mutex_lock(&s->lock);
    for (wr_sort_store **at = &s->stores; *at; at = &(*at)->next) {
        if ((*at)->held_bytes <= (largest ? largest->held_bytes : 0)) continue;
        largest = *at;
        link = at;
    }
    if (link) *link = largest->next;
    wr_mutex_unlock(&s->lock);
    return largest;
}

static wr_status spill_store(wr_sort *s, wr_sort_store *store, wr_sort_store *own, wr_error *err) {
    wr_status status = wr_sort_store_spill(s, store, err);
    wr_mutex_lock(&s->lock);
    if (store != own) {
        store->next = s->stores;
        s->stores = store;
    }
    wr_wait_list_wake(&s->waiting);
    wr_mutex_unlock(&s->lock);
    wr_budget_spilled(s->budget);
    return status;
}

/* The budget is marked. Stores that hold much less than their share leave it to others: runs had better be long. */
static wr_status relieve(wr_sort *s, wr_sort_store *own, wr_error *err) {
    uint64_t held = s->held_bytes, share = held / (2 * (uint64_t)s->exec->thread_count + 1);
    if (held == 0) {
        wr_budget_spilled(s->budget);
        return WR_OK;
    }
    wr_sort_store *store = take_largest(s, own);
    if (!store) return WR_OK;
    if (store == own && own->held_bytes < share) return WR_OK;
    return spill_store(s, store, own, err);
}

/* *flow is BLOCKED when the waker was parked. */
static wr_status make_room(wr_sort *s, wr_sort_store *own, size_t bytes, wr_flow *flow, wr_waker *waker,
                           wr_error *err) {
    for (;;) {
        wr_budget_answer answer = wr_budget_request(s->budget, bytes, waker);
        if (answer == WR_BUDGET_GRANTED) return WR_OK;
        if (answer == WR_BUDGET_PARKED) {
            *flow = WR_BLOCKED;
            return WR_OK;
        }
        wr_sort_store *store = take_largest(s, own);
        if (store) {
            WR_TRY(spill_store(s, store, own, err));
            continue;
        }
        if (answer == WR_BUDGET_REFUSED || s->held_bytes == 0) return wr_budget_fail(s->budget, bytes, err);
        /* What there is to spill is in another task's hands. */
        wr_budget_mark(s->budget);
        wr_mutex_lock(&s->lock);
        wr_wait_list_add(&s->waiting, waker);
        wr_mutex_unlock(&s->lock);
        *flow = WR_BLOCKED;
        return WR_OK;
    }
}

/* ---- the sink ---- */

static void sink_local_destroy(wr_sink *sink, wr_local *local) {
    sink_local *l = (sink_local *)local;
    wr_sort *s = sort_of_sink(sink);
    wr_sort_store_destroy(s, l->store);
    wr_node_count(&sink->base, &l->counters);
    wr_free(s->exec->allocator, l, sizeof *l);
}

static wr_status sink_local_create(wr_sink *sink, wr_local **out, wr_error *err) {
    sink_local *l = wr_alloc_zeroed(sink->base.exec->allocator, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "sort");
    *out = (wr_local *)l;
    return WR_OK;
}

static bool must_spill(const wr_sort *s, const wr_sort_store *store) {
    if (!s->exec->force_spill) return false;
    return store->rows.row_count >= (uint64_t)s->exec->batch_rows * FORCED_SPILL_BATCHES;
}

/* The next rows of the batch, as many as may be asked for at once, and what they need. */
static uint32_t next_slice(const wr_sort *s, const sink_local *l, const wr_batch *in, uint32_t *rows, size_t *needs) {
    uint32_t count = in->sel_count - l->taken < WR_SORT_SLICE ? in->sel_count - l->taken : WR_SORT_SLICE;
    for (uint32_t i = 0; i < count; i++) rows[i] = in->sel ? in->sel[l->taken + i] : l->taken + i;
    *needs = wr_sort_store_needs(s, l->store, in->columns, rows, count);
    while (count > 1 && *needs > s->needs_max) {
        count /= 2;
        *needs = wr_sort_store_needs(s, l->store, in->columns, rows, count);
    }
    return count;
}

static wr_status sink_consume(wr_sink *sink, wr_local *local, wr_batch *in, wr_flow *flow, wr_waker *waker,
                              wr_error *err) {
    wr_sort *s = sort_of_sink(sink);
    sink_local *l = (sink_local *)local;
    *flow = s->first == s->end ? WR_DONE : WR_NEED_INPUT;
    if (*flow == WR_DONE) return WR_OK;
    if (!l->store) WR_TRY(wr_sort_store_create(s, &l->store, err));
    if (wr_budget_marked(s->budget)) WR_TRY(relieve(s, l->store, err));
    if (must_spill(s, l->store)) WR_TRY(spill_store(s, l->store, l->store, err));
    while (l->taken < in->sel_count) {
        uint32_t rows[WR_SORT_SLICE];
        size_t needs;
        uint32_t count = next_slice(s, l, in, rows, &needs);
        if (needs) WR_TRY(make_room(s, l->store, needs, flow, waker, err));
        if (*flow == WR_BLOCKED) return WR_OK;
        WR_TRY(wr_sort_store_add(s, l->store, in->columns, in->ordinal, rows, count, needs, err));
        l->taken += count;
    }
    l->taken = 0;
    return WR_OK;
}

static wr_status sink_relieve(wr_sink *sink, wr_local *local, wr_error *err) {
    return relieve(sort_of_sink(sink), ((sink_local *)local)->store, err);
}

/* From here on any task may spill it; if it is to be, this one does. */
static wr_status sink_combine(wr_sink *sink, wr_local *local, wr_error *err) {
    wr_sort *s = sort_of_sink(sink);
    sink_local *l = (sink_local *)local;
    if (!l->store) return WR_OK;
    wr_mutex_lock(&s->lock);
    l->store->next = s->stores;
    s->stores = l->store;
    wr_wait_list_wake(&s->waiting);
    wr_mutex_unlock(&s->lock);
    l->store = NULL;
    return wr_budget_marked(s->budget) ? relieve(s, NULL, err) : WR_OK;
}

static wr_status sink_control(wr_sink *sink, const wr_control *control, uint32_t *task_count, wr_error *err) {
    *task_count = 0;
    return control->kind == WR_END ? wr_sort_jobs_init(sort_of_sink(sink), task_count, err) : WR_OK;
}

static wr_status sink_finish(wr_sink *sink, uint32_t task, wr_flow *flow, wr_waker *waker, wr_error *err) {
    (void)task;
    return wr_sort_jobs_step(sort_of_sink(sink), flow, waker, err);
}

static void sink_destroy(wr_sink *sink) {
    wr_sort *s = sort_of_sink(sink);
    wr_allocator *a = sink->base.exec->allocator;
    drop_rows(s);
    wr_node_base_deinit(&sink->base);
    sort_release(s);
    wr_free(a, sink, sizeof(sort_sink));
}

static const wr_sink_ops sink_ops = {
    .name = "SORT",
    .destroy = sink_destroy,
    .local_create = sink_local_create,
    .local_destroy = sink_local_destroy,
    .consume = sink_consume,
    .combine = sink_combine,
    .control = sink_control,
    .finish = sink_finish,
    .relieve = sink_relieve,
};

/* ---- the source ---- */

static void close_range(wr_sort *s, wr_source *source, source_local *l) {
    if (!l->range) return;
    wr_sort_merge_deinit(&l->merge);
    if (l->granted_bytes) wr_budget_settle(source->base.budget, l->granted_bytes);
    if (l->is_active) {
        wr_mutex_lock(&s->lock);
        s->active_ranges--;
        wr_wait_list_wake(&s->waiting);
        wr_mutex_unlock(&s->lock);
    }
    l->range = NULL;
    l->is_active = false;
    l->granted_bytes = 0;
    l->given = l->skipped = 0;
}

static void source_local_destroy(wr_source *source, wr_local *local) {
    source_local *l = (source_local *)local;
    wr_sort *s = sort_of_source(source);
    wr_allocator *a = s->exec->allocator;
    close_range(s, source, l);
    wr_batch_deinit(&l->out);
    wr_node_count(&source->base, &l->counters);
    wr_free(a, l->rows, sizeof *l->rows * s->exec->batch_rows);
    wr_free(a, l, sizeof *l);
}

static wr_status source_local_create(wr_source *source, wr_local **out, wr_error *err) {
    wr_sort *s = sort_of_source(source);
    wr_allocator *a = s->exec->allocator;
    source_local *l = wr_alloc_zeroed(a, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "sort");
    l->rows = wr_alloc(a, sizeof *l->rows * s->exec->batch_rows);
    wr_status status = l->rows ? WR_OK : wr_fail_memory(err, sizeof *l->rows * s->exec->batch_rows, "sort");
    if (status == WR_OK) status = wr_batch_init(&l->out, a, s->column_count, err);
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
    wr_sort *s = sort_of_source(source);
    *flow = WR_DONE;
    if (control->kind != WR_END) return WR_OK;
    if (!s->is_planned) WR_TRY(wr_sort_plan_ranges(s, err));
    s->is_planned = true;
    *flow = s->next_range < s->range_count ? WR_HAVE_OUTPUT : WR_DONE;
    if (*flow == WR_DONE) return WR_OK;
    const wr_sort_range *range = &s->ranges[s->next_range];
    *morsel = (wr_morsel){.index = s->next_range++, .first = range->first, .count = range->count};
    return WR_OK;
}

/* Counts a range with pages of its own as open, if there may be one more. */
static bool may_open(wr_sort *s, wr_waker *waker) {
    wr_mutex_lock(&s->lock);
    bool may = s->active_ranges < s->active_max;
    if (may) {
        s->active_ranges++;
    } else {
        wr_wait_list_add(&s->waiting, waker);
    }
    wr_mutex_unlock(&s->lock);
    return may;
}

static wr_status open_range(wr_source *source, source_local *l, const wr_sort_range *range, wr_flow *flow,
                            wr_waker *waker, wr_error *err) {
    wr_sort *s = sort_of_source(source);
    const wr_sort_runs *runs = &s->class_runs[range->row_class];
    if (range->is_merge) {
        size_t bytes = wr_sort_merge_bytes(runs->items, runs->count);
        if (!l->is_active && !may_open(s, waker)) {
            *flow = WR_BLOCKED;
            return WR_OK;
        }
        l->is_active = true;
        wr_budget_answer answer = wr_budget_request(source->base.budget, bytes, waker);
        if (answer == WR_BUDGET_PARKED) {
            *flow = WR_BLOCKED;
            return WR_OK;
        }
        l->granted_bytes = answer == WR_BUDGET_GRANTED ? bytes : 0;
    }
    l->range = range;
    if (!range->is_merge) return WR_OK;
    const wr_sort_mark *low = range->low ? &s->splitters[range->low - 1] : NULL,
                       *high = range->high ? &s->splitters[range->high - 1] : NULL;
    return wr_sort_merge_init(&l->merge, s, runs->items, runs->count, low, high,
                              wr_budget_allocator(source->base.budget), false, err);
}

/* The next rows of the open range; 0 at its end. */
static wr_status take_rows(wr_sort *s, source_local *l, uint32_t *count, wr_error *err) {
    const wr_sort_range *range = l->range;
    uint64_t left = range->count - l->given;
    uint32_t max = left < s->exec->batch_rows ? (uint32_t)left : s->exec->batch_rows;
    *count = max;
    if (range->is_merge) {
        uint64_t skips;
        do {
            skips = range->first - l->skipped;
            *count = 0;
            if (s->exec->cancelled) return wr_fail(err, WR_CANCELLED, "the query was stopped");
            if (skips > s->exec->batch_rows) skips = s->exec->batch_rows;
            WR_TRY(wr_sort_merge_take(&l->merge, l->rows, skips ? (uint32_t)skips : max, count, err));
            if (skips) l->skipped += *count;
        } while (skips && *count);
    } else {
        const wr_sort_run *run = s->class_runs[range->row_class].items[0];
        wr_sort_run_rows(run, range->first + l->given, max, l->rows);
    }
    l->given += *count;
    return WR_OK;
}

static wr_status source_read(wr_source *source, wr_local *local, const wr_morsel *morsel, wr_batch **out, wr_flow *flow,
                             wr_waker *waker, wr_error *err) {
    wr_sort *s = sort_of_source(source);
    source_local *l = (source_local *)local;
    *flow = WR_HAVE_OUTPUT;
    if (!l->range) WR_TRY(open_range(source, l, &s->ranges[morsel->index], flow, waker, err));
    if (*flow == WR_BLOCKED) return WR_OK;
    uint32_t count;
    WR_TRY(take_rows(s, l, &count, err));
    if (count == 0) {
        close_range(s, source, l);
        *flow = WR_NEED_INPUT;
        return WR_OK;
    }
    for (uint32_t c = 0; c < s->column_count; c++) {
        WR_TRY(wr_row_gather(&l->out.columns[c], s->exec->allocator, &s->layout, c, l->rows, count, true, err));
    }
    wr_batch_set_rows(&l->out, count);
    *out = &l->out;
    return WR_OK;
}

static double source_progress(wr_source *source) {
    wr_sort *s = sort_of_source(source);
    return s->range_count ? (double)s->next_range / (double)s->range_count : 0;
}

static void source_destroy(wr_source *source) {
    wr_allocator *a = source->base.exec->allocator;
    wr_node_base_deinit(&source->base);
    sort_release(sort_of_source(source));
    wr_free(a, source, sizeof(sort_source));
}

static const wr_source_ops source_ops = {
    .name = "SORT",
    .destroy = source_destroy,
    .local_create = source_local_create,
    .local_destroy = source_local_destroy,
    .next = source_next,
    .read = source_read,
    .progress = source_progress,
};

/* ---- making them ---- */

static wr_status check_keys(const wr_sort_spec *spec, wr_error *err) {
    for (uint32_t k = 0; k < spec->key_count; k++) {
        if (!spec->types[spec->keys[k].column].collation) continue;
        return wr_fail(err, WR_UNSUPPORTED,
                       "sort key %u is text with a collation, which only binary order is supported for", k + 1);
    }
    return WR_OK;
}

/* Pages are as large as the memory limit bears. */
static void choose_sizes(wr_sort *s) {
    size_t room = wr_budget_available(s->budget),
           share = room / (32 * (size_t)(s->exec->thread_count ? s->exec->thread_count : 1));
    s->page_bytes_max = WR_ROW_PAGE_MIN;
    while (s->page_bytes_max < PAGE_BYTES_MAX && s->page_bytes_max < share) s->page_bytes_max *= 2;
    s->spill_page_bytes = WR_ROW_PAGE_MIN;
    while (s->spill_page_bytes < WR_ROW_PAGE_MAX && s->spill_page_bytes * 8 < share) s->spill_page_bytes *= 2;
    s->needs_max = room / NEEDS_SHARE;
}

static wr_status make_orders(wr_sort *s, const wr_sort_spec *spec, wr_error *err) {
    wr_allocator *a = s->exec->allocator;
    size_t bytes = sizeof(wr_type) * ((size_t)spec->column_count + 1);
    wr_type *types = wr_alloc(a, bytes);
    if (!types) return wr_fail_memory(err, bytes, "sort");
    if (spec->column_count) memcpy(types, spec->types, sizeof *types * spec->column_count);
    types[spec->column_count] = wr_type_of(WR_TYPE_UINTEGER);
    wr_status status = wr_row_layout_init(&s->layout, a, types, spec->column_count + 1, 0, 0, err);
    wr_free(a, types, bytes);
    WR_TRY(status);
    WR_TRY(wr_sort_order_init(&s->orders[WR_SORT_VALUES], a, &s->layout, s->keys, s->key_count, true, err));
    uint32_t others = s->key_count ? s->key_count - 1 : 0;
    return wr_sort_order_init(&s->orders[WR_SORT_NULLS], a, &s->layout, s->keys + (s->key_count - others), others,
                              false, err);
}

static wr_status sort_init(wr_sort *s, const wr_sort_spec *spec, wr_error *err) {
    s->column_count = spec->column_count;
    s->key_count = spec->key_count;
    s->first = spec->limit ? spec->offset : 0;
    s->end = spec->limit > UINT64_MAX - s->first ? UINT64_MAX : s->first + spec->limit;
    s->keys = wr_alloc(s->exec->allocator, sizeof *s->keys * (spec->key_count + 1));
    if (!s->keys) return wr_fail_memory(err, sizeof *s->keys * spec->key_count, "sort");
    if (spec->key_count) memcpy(s->keys, spec->keys, sizeof *s->keys * spec->key_count);
    return make_orders(s, spec, err);
}

wr_status wr_sort_create(wr_exec *exec, const wr_sort_spec *spec, wr_sink **sink, wr_source **source, wr_error *err) {
    wr_allocator *a = exec->allocator;
    WR_TRY(check_keys(spec, err));
    wr_sort *s = wr_alloc_zeroed(a, sizeof *s);
    sort_sink *in = wr_alloc_zeroed(a, sizeof *in);
    sort_source *from = wr_alloc_zeroed(a, sizeof *from);
    if (!s || !in || !from) {
        wr_free(a, s, sizeof *s);
        wr_free(a, in, sizeof *in);
        wr_free(a, from, sizeof *from);
        return wr_fail_memory(err, sizeof *s, "sort");
    }
    s->refs = 2;
    s->exec = exec;
    wr_mutex_init(&s->lock);
    in->sink.ops = &sink_ops;
    in->sort = from->sort = s;
    from->source.ops = &source_ops;
    wr_node_base_init(&in->sink.base, exec, "SORT", spec->logical_id);
    wr_node_base_init(&from->source.base, exec, "SORT", spec->logical_id);
    s->node = &in->sink.base;
    wr_status status = wr_node_base_add_budget(&in->sink.base, err);
    if (status == WR_OK) status = wr_node_base_add_budget(&from->source.base, err);
    if (status == WR_OK) {
        s->budget = in->sink.base.budget;
        s->allocator = wr_budget_allocator(s->budget);
        choose_sizes(s);
        status = sort_init(s, spec, err);
    }
    if (status != WR_OK) {
        source_destroy(&from->source);
        sink_destroy(&in->sink);
        return status;
    }
    *sink = &in->sink;
    *source = &from->source;
    return WR_OK;
}
