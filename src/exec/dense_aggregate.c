/* Aggregation over a small domain that is proven: the keys, as digits of a mixed radix, are the index of the group.
 *
 * Each task has an array with an entry for every index, and a byte that says whether a row was there. Entries are made
 * a block at a time when a row first falls into it, so that tasks whose rows come from one end of the domain touch that
 * part of memory alone. Blocks of all tasks are merged when the source reads them. There is no hashing, no comparing
 * and no key: groups come in the order of their keys. */
#include "exec/aggregate_internal.h"

enum {
    DOMAIN_MAX = 4 * 1024 * 1024,
    SPARSENESS_MAX = 8, /* indexes, in the arrays of all tasks, for each group that is expected */
    BLOCK = 4096,       /* indexes that are made ready at once */
    MORSEL_BLOCKS = 16,
};

typedef struct dense_groups {
    struct dense_groups *next;
    wr_agg_states states;
    uint8_t *entries;
    uint8_t *seen;  /* of each index */
    uint8_t *ready; /* of each block */
} dense_groups;

typedef struct dense_aggregation {
    _Atomic int32_t refs;
    wr_exec *exec;
    wr_budget *budget;
    wr_agg_plan plan;
    uint32_t index_count;
    uint32_t domain; /* those, as a multiple of BLOCK */
    uint32_t *sizes; /* of each key, without NULL */
    uint32_t *multipliers;
    wr_mutex lock;
    dense_groups *handed; /* under lock until the epoch's end */
    uint64_t morsel_next, morsel_count;
    uint32_t identity[BLOCK]; /* 0, 1, 2…: merging blocks */
} dense_aggregation;

static size_t entries_bytes(const dense_aggregation *g) {
    return (size_t)g->domain * g->plan.entry_bytes;
}

static void groups_destroy(dense_aggregation *g, dense_groups *d) {
    wr_allocator *a = g->plan.allocator;
    if (d->entries) a->free(a, d->entries, entries_bytes(g), WR_ALIGN_BUFFER);
    wr_free(a, d->seen, g->domain);
    wr_free(a, d->ready, g->domain / BLOCK);
    wr_agg_states_deinit(&d->states);
    wr_free(a, d, sizeof *d);
}

static wr_status groups_create(dense_aggregation *g, dense_groups **out, wr_error *err) {
    wr_allocator *a = g->plan.allocator;
    dense_groups *d = wr_alloc_zeroed(a, sizeof *d);
    if (!d) return wr_fail_memory(err, sizeof *d, "aggregation");
    wr_status status = wr_agg_states_init(&d->states, &g->plan, err);
    if (status == WR_OK) {
        d->entries = a->alloc(a, entries_bytes(g), WR_ALIGN_BUFFER);
        d->seen = wr_alloc_zeroed(a, g->domain);
        d->ready = wr_alloc_zeroed(a, g->domain / BLOCK);
        if (!d->entries || !d->seen || !d->ready) {
            status = wr_fail_memory(err, entries_bytes(g) + g->domain, "the groups of an aggregation");
        }
    }
    if (status != WR_OK) {
        groups_destroy(g, d);
        return status;
    }
    *out = d;
    return WR_OK;
}

static void dense_release(dense_aggregation *g) {
    if (__atomic_fetch_sub((int32_t *)&g->refs, 1, __ATOMIC_ACQ_REL) != 1) return;
    for (dense_groups *d = g->handed, *next; d; d = next) {
        next = d->next;
        groups_destroy(g, d);
    }
    wr_free(g->exec->allocator, g->sizes, sizeof *g->sizes * 2 * (g->plan.key_count + 1));
    wr_agg_plan_deinit(&g->plan);
    if (g->budget) wr_budget_close(g->budget);
    wr_mutex_deinit(&g->lock);
    wr_free(g->exec->allocator, g, sizeof *g);
}

/* ---- the domain ---- */

/* Values of a key without NULL; 0 when it is not small. */
static uint64_t key_size(const wr_aggregate_spec *spec, const wr_aggregate_key *key) {
    wr_phys phys = wr_type_phys(spec->input_types[key->column]);
    if (phys == WR_PHYS_BOOL) return 2;
    uint64_t range = (uint64_t)key->high - (uint64_t)key->low;
    return key->bounded && wr_aggregate_can_order_by(spec->input_types[key->column]) && range < DOMAIN_MAX ? range + 1
                                                                                                           : 0;
}

/* Indexes of the domain; 0 when it is none or too large. */
static uint64_t domain_size(const wr_aggregate_spec *spec) {
    uint64_t size = 1;
    for (uint32_t k = 0; k < spec->key_count; k++) {
        uint64_t values = key_size(spec, &spec->keys[k]);
        if (!values) return 0;
        size *= values + 1;
        if (size > DOMAIN_MAX) return 0;
    }
    return size;
}

static bool memory_allows(const dense_aggregation *g) {
    const wr_exec *exec = g->exec;
    uint64_t bytes = (entries_bytes(g) + g->domain) * (exec->thread_count ? exec->thread_count : 1);
    return !g->plan.owns && bytes <= wr_budget_available(exec->budget) / 4;
}

/* The arrays cannot be spilled: they have to be small beside what is free, and beside a table of the groups unless they fit
 * the cache, and their states without memory of their own. */
bool wr_dense_aggregate_applies(const wr_exec *exec, const wr_aggregate_spec *spec) {
    uint64_t size = domain_size(spec), tasks = exec->thread_count ? exec->thread_count : 1;
    if (!size || exec->force_spill) return false;
    double all = size <= BLOCK ? (double)size : (double)(size * tasks);
    return all <= SPARSENESS_MAX * spec->estimated_groups;
}

/* ---- the sink ---- */

typedef struct dense_sink {
    wr_sink sink;
    dense_aggregation *shared;
} dense_sink;

typedef struct dense_local {
    dense_groups *groups; /* NULL: nothing of this epoch yet */
    uint32_t *row_groups;
    uint32_t capacity;
    wr_vector flat;
    wr_counters counters;
} dense_local;

static void sink_destroy(wr_sink *sink) {
    dense_sink *s = (dense_sink *)sink;
    wr_allocator *a = sink->base.exec->allocator;
    sink->base.budget = NULL; /* the aggregation's, which outlives whoever goes first */
    wr_node_base_deinit(&sink->base);
    dense_release(s->shared);
    wr_free(a, s, sizeof *s);
}

static wr_status sink_local_create(wr_sink *sink, wr_local **out, wr_error *err) {
    dense_local *l = wr_alloc_zeroed(sink->base.exec->allocator, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "aggregation");
    *out = (wr_local *)l;
    return WR_OK;
}

static void sink_local_destroy(wr_sink *sink, wr_local *local) {
    dense_aggregation *g = ((dense_sink *)sink)->shared;
    dense_local *l = (dense_local *)local;
    wr_node_count(&sink->base, &l->counters);
    if (l->groups) groups_destroy(g, l->groups);
    wr_free(g->plan.allocator, l->row_groups, sizeof *l->row_groups * l->capacity);
    wr_vector_deinit(&l->flat);
    wr_free(sink->base.exec->allocator, l, sizeof *l);
}

static wr_status acquire_groups(dense_aggregation *g, dense_local *l, wr_error *err) {
    wr_mutex_lock(&g->lock);
    l->groups = g->handed;
    if (l->groups) g->handed = l->groups->next;
    wr_mutex_unlock(&g->lock);
    if (!l->groups) WR_TRY(groups_create(g, &l->groups, err));
    l->groups->next = NULL;
    return WR_OK;
}

static wr_status reserve_rows(dense_aggregation *g, dense_local *l, uint32_t count, wr_error *err) {
    if (count <= l->capacity) return WR_OK;
    wr_allocator *a = g->plan.allocator;
    wr_free(a, l->row_groups, sizeof *l->row_groups * l->capacity);
    l->capacity = (count + 127) & ~63u; /* kernels read behind the end */
    l->row_groups = wr_alloc(a, sizeof *l->row_groups * l->capacity);
    if (l->row_groups) return WR_OK;
    size_t bytes = sizeof *l->row_groups * l->capacity;
    l->capacity = 0;
    return wr_fail_memory(err, bytes, "aggregation");
}

static wr_status find_indexes(dense_aggregation *g, dense_local *l, const wr_batch *in, wr_error *err) {
    const wr_agg_plan *plan = &g->plan;
    memset(l->row_groups, 0, sizeof *l->row_groups * in->row_count);
    for (uint32_t k = 0; k < plan->key_count; k++) {
        const wr_agg_key *key = &plan->keys[k];
        const wr_vector *v = &in->columns[key->spec.column];
        if (v->kind != WR_FLAT) {
            WR_TRY(wr_vector_flatten(&l->flat, plan->allocator, v, err));
            v = &l->flat;
        }
        uint64_t low = key->phys == WR_PHYS_BOOL ? 0 : (uint64_t)key->spec.low;
        if (!plan->kernels->group->joint[key->phys](v->data, v->validity, in->row_count, low, g->sizes[k],
                                                    g->multipliers[k], l->row_groups)) {
            return wr_agg_fail_bounds(key, v, err);
        }
    }
    return WR_OK;
}

static void make_ready(dense_aggregation *g, dense_groups *d, const uint32_t *indexes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t block = indexes[i] / BLOCK;
        if (d->ready[block]) continue;
        uint32_t stride = g->plan.entry_bytes;
        wr_agg_states_create(&d->states, d->entries + (size_t)block * BLOCK * stride, stride, BLOCK);
        d->ready[block] = true;
    }
}

/* Marks the indexes and has their entries brought near, since no loop of an aggregate has as many loads in flight as
 * this one. False when one is in a block that is not ready. */
static bool mark_seen(const dense_aggregation *g, dense_groups *d, const uint32_t *indexes, uint32_t count) {
    uint8_t ready = 1, *entries = d->entries, *seen = d->seen;
    const uint8_t *is_ready = d->ready;
    const size_t stride = g->plan.entry_bytes;
    for (uint32_t i = 0; i < count; i++) {
        __builtin_prefetch(entries + indexes[i] * stride, 1);
        ready &= is_ready[indexes[i] / BLOCK];
    }
    for (uint32_t i = 0; i < count; i++) seen[indexes[i]] = 1;
    return ready;
}

static wr_status sink_consume(wr_sink *sink, wr_local *local, wr_batch *in, wr_flow *flow, wr_waker *waker,
                              wr_error *err) {
    (void)waker;
    dense_aggregation *g = ((dense_sink *)sink)->shared;
    dense_local *l = (dense_local *)local;
    *flow = WR_NEED_INPUT;
    if (in->sel) WR_TRY(wr_batch_compact(in, err));
    if (!in->row_count) return WR_OK;
    if (!l->groups) WR_TRY(acquire_groups(g, l, err));
    WR_TRY(reserve_rows(g, l, in->row_count, err));
    WR_TRY(find_indexes(g, l, in, err));
    if (!mark_seen(g, l->groups, l->row_groups, in->row_count)) make_ready(g, l->groups, l->row_groups, in->row_count);
    return wr_agg_states_update(&l->groups->states, in, l->groups->entries, l->row_groups, g->index_count, err);
}

static wr_status sink_combine(wr_sink *sink, wr_local *local, wr_error *err) {
    (void)err;
    dense_aggregation *g = ((dense_sink *)sink)->shared;
    dense_local *l = (dense_local *)local;
    if (!l->groups) return WR_OK;
    wr_agg_states_settle(&l->groups->states, l->groups->entries);
    l->counters.folded_rows += l->groups->states.folded_rows;
    l->groups->states.folded_rows = 0;
    wr_mutex_lock(&g->lock);
    l->groups->next = g->handed;
    g->handed = l->groups;
    wr_mutex_unlock(&g->lock);
    l->groups = NULL;
    return WR_OK;
}

static wr_status sink_control(wr_sink *sink, const wr_control *control, uint32_t *task_count, wr_error *err) {
    (void)err;
    dense_aggregation *g = ((dense_sink *)sink)->shared;
    *task_count = 0;
    uint32_t blocks = g->domain / BLOCK;
    if (control->kind == WR_END && g->handed) g->morsel_count = (blocks + MORSEL_BLOCKS - 1) / MORSEL_BLOCKS;
    return WR_OK;
}

static const wr_sink_ops sink_ops = {
    .name = "DENSE AGGREGATE",
    .destroy = sink_destroy,
    .local_create = sink_local_create,
    .local_destroy = sink_local_destroy,
    .consume = sink_consume,
    .combine = sink_combine,
    .control = sink_control,
};

/* ---- the source ---- */

typedef struct dense_source {
    wr_source source;
    dense_aggregation *shared;
} dense_source;

typedef struct dense_source_local {
    wr_agg_states states;
    wr_batch out;
    bool reading;
    uint32_t block, block_end; /* of the morsel, yet to be read */
    uint32_t indexes[BLOCK];   /* of the block's groups */
    uint32_t at, count;        /* of those to give */
    uint8_t *entries;          /* of a batch, side by side */
    wr_counters counters;
} dense_source_local;

static void source_destroy(wr_source *source) {
    dense_source *s = (dense_source *)source;
    wr_allocator *a = source->base.exec->allocator;
    source->base.budget = NULL;
    wr_node_base_deinit(&source->base);
    dense_release(s->shared);
    wr_free(a, s, sizeof *s);
}

static size_t batch_bytes(const dense_aggregation *g) {
    return (size_t)g->plan.entry_bytes * g->exec->batch_rows;
}

static void source_local_destroy(wr_source *source, wr_local *local) {
    dense_aggregation *g = ((dense_source *)source)->shared;
    dense_source_local *l = (dense_source_local *)local;
    wr_allocator *a = g->plan.allocator;
    wr_node_count(&source->base, &l->counters);
    wr_batch_deinit(&l->out);
    wr_agg_states_deinit(&l->states);
    if (l->entries) a->free(a, l->entries, batch_bytes(g), WR_ALIGN_BUFFER);
    wr_free(a, l, sizeof *l);
}

static wr_status source_local_create(wr_source *source, wr_local **out, wr_error *err) {
    dense_aggregation *g = ((dense_source *)source)->shared;
    wr_allocator *a = g->plan.allocator;
    dense_source_local *l = wr_alloc_zeroed(a, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "aggregation");
    wr_status status = wr_batch_init(&l->out, g->exec->allocator, g->plan.key_count + g->plan.call_count, err);
    if (status == WR_OK) status = wr_agg_states_init(&l->states, &g->plan, err);
    if (status == WR_OK) {
        l->entries = a->alloc(a, batch_bytes(g), WR_ALIGN_BUFFER);
        if (!l->entries) status = wr_fail_memory(err, batch_bytes(g), "aggregation");
    }
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
    dense_aggregation *g = ((dense_source *)source)->shared;
    *flow = WR_DONE;
    if (control->kind == WR_END && g->morsel_next < g->morsel_count) {
        *morsel = (wr_morsel){.index = g->morsel_next++, .epoch = control->epoch};
        *flow = WR_HAVE_OUTPUT;
    }
    return WR_OK;
}

/* All tasks' groups of the block to those of the first that has any; the indexes that are groups. */
static wr_status merge_block(dense_aggregation *g, dense_source_local *l, uint32_t block, const uint8_t **entries,
                             wr_error *err) {
    uint32_t stride = g->plan.entry_bytes, first = block * BLOCK;
    dense_groups *target = NULL;
    for (dense_groups *d = g->handed; d; d = d->next) {
        if (!d->ready[block]) continue;
        if (target) {
            WR_TRY(wr_agg_states_merge(&l->states, d->entries + (size_t)first * stride, stride, BLOCK,
                                       target->entries + (size_t)first * stride, g->identity, err));
            for (uint32_t i = first; i < first + BLOCK; i++) target->seen[i] |= d->seen[i];
        } else {
            target = d;
        }
    }
    l->at = l->count = 0;
    if (!target) return WR_OK;
    for (uint32_t i = 0; i < BLOCK; i++) {
        l->indexes[l->count] = first + i;
        l->count += target->seen[first + i];
    }
    *entries = target->entries;
    return WR_OK;
}

#define EMIT(type)                                                                                                     \
    do {                                                                                                               \
        type *to = wr_vector_data_mut(v);                                                                              \
        for (uint32_t i = 0; i < count; i++) to[i] = (type)(low + indexes[i] / multiplier % radix);                    \
    } while (0)

/* The digit that is NULL's gives a value that nobody looks at. */
static wr_status emit_key(const dense_aggregation *g, uint32_t k, const uint32_t *indexes, uint32_t count, wr_vector *v,
                          wr_error *err) {
    const wr_agg_key *key = &g->plan.keys[k];
    uint32_t multiplier = g->multipliers[k], radix = g->sizes[k] + 1;
    uint64_t low = (uint64_t)key->spec.low;
    WR_TRY(wr_vector_prepare(v, g->plan.allocator, key->type, count, key->spec.nullable, err));
    switch (key->phys) {
    case WR_PHYS_BOOL:
        for (uint32_t i = 0; i < count; i++) wr_bit_put(wr_vector_data_mut(v), i, indexes[i] / multiplier % radix == 1);
        break;
    case WR_PHYS_I8:
    case WR_PHYS_U8: EMIT(uint8_t); break;
    case WR_PHYS_I16:
    case WR_PHYS_U16: EMIT(uint16_t); break;
    case WR_PHYS_I32:
    case WR_PHYS_U32: EMIT(uint32_t); break;
    default: EMIT(uint64_t); break;
    }
    for (uint32_t i = 0; key->spec.nullable && i < count; i++) {
        if (indexes[i] / multiplier % radix == radix - 1) wr_bit_clear(wr_vector_validity_mut(v), i);
    }
    return WR_OK;
}

static wr_status emit(dense_aggregation *g, dense_source_local *l, const uint8_t *entries, wr_error *err) {
    uint32_t stride = g->plan.entry_bytes, count = l->count - l->at;
    if (count > g->exec->batch_rows) count = g->exec->batch_rows;
    const uint32_t *indexes = l->indexes + l->at;
    for (uint32_t i = 0; i < count; i++) {
        memcpy(l->entries + (size_t)i * stride, entries + (size_t)indexes[i] * stride, stride);
    }
    wr_batch_set_rows(&l->out, count);
    for (uint32_t k = 0; k < g->plan.key_count; k++) {
        WR_TRY(emit_key(g, k, indexes, count, &l->out.columns[k], err));
    }
    WR_TRY(wr_agg_states_finalize(&l->states, l->entries, count, &l->out, err));
    l->at += count;
    return WR_OK;
}

/* The entries of the block that is being given: those of the first task that has it. */
static const uint8_t *block_entries(const dense_aggregation *g, uint32_t block) {
    const dense_groups *d = g->handed;
    while (!d->ready[block]) d = d->next;
    return d->entries;
}

static wr_status source_read(wr_source *source, wr_local *local, const wr_morsel *morsel, wr_batch **out, wr_flow *flow,
                             wr_waker *waker, wr_error *err) {
    (void)waker;
    dense_aggregation *g = ((dense_source *)source)->shared;
    dense_source_local *l = (dense_source_local *)local;
    if (!l->reading) {
        uint32_t blocks = g->domain / BLOCK;
        l->reading = true;
        l->block = (uint32_t)morsel->index * MORSEL_BLOCKS;
        l->block_end = l->block + MORSEL_BLOCKS < blocks ? l->block + MORSEL_BLOCKS : blocks;
        l->at = l->count = 0;
    }
    const uint8_t *entries = NULL;
    while (l->at == l->count && l->block < l->block_end) WR_TRY(merge_block(g, l, l->block++, &entries, err));
    if (l->at == l->count) {
        l->reading = false;
        *flow = WR_NEED_INPUT;
        return WR_OK;
    }
    WR_TRY(emit(g, l, entries ? entries : block_entries(g, l->block - 1), err));
    *out = &l->out;
    *flow = WR_HAVE_OUTPUT;
    return WR_OK;
}

static const wr_source_ops source_ops = {
    .name = "DENSE AGGREGATE",
    .destroy = source_destroy,
    .local_create = source_local_create,
    .local_destroy = source_local_destroy,
    .next = source_next,
    .read = source_read,
};

/* ---- making both ---- */

static wr_status dense_create(dense_aggregation **out, wr_exec *exec, const wr_aggregate_spec *spec, wr_error *err) {
    dense_aggregation *g = wr_alloc_zeroed(exec->allocator, sizeof *g);
    if (!g) return wr_fail_memory(err, sizeof *g, "aggregation");
    g->refs = 1;
    g->exec = exec;
    wr_mutex_init(&g->lock);
    for (uint32_t i = 0; i < BLOCK; i++) g->identity[i] = i;
    wr_status status = wr_budget_create(&g->budget, exec->budget, NULL, "DENSE AGGREGATE", WR_BUDGET_NO_LIMIT, err);
    if (status == WR_OK) status = wr_agg_plan_init(&g->plan, exec, g->budget, spec, true, err);
    if (status == WR_OK) {
        size_t bytes = sizeof *g->sizes * 2 * (spec->key_count + 1);
        g->sizes = wr_alloc_zeroed(exec->allocator, bytes);
        if (!g->sizes) status = wr_fail_memory(err, bytes, "aggregation");
    }
    if (status != WR_OK) {
        dense_release(g);
        return status;
    }
    g->multipliers = g->sizes + spec->key_count + 1;
    uint32_t size = 1;
    for (uint32_t k = 0; k < spec->key_count; k++) {
        g->sizes[k] = (uint32_t)key_size(spec, &spec->keys[k]);
        g->multipliers[k] = size;
        size *= g->sizes[k] + 1;
    }
    g->index_count = size;
    g->domain = (size + BLOCK - 1) & ~(uint32_t)(BLOCK - 1);
    *out = g;
    return WR_OK;
}

wr_status wr_dense_aggregate_create(wr_sink **sink, wr_source **source, wr_exec *exec, const wr_aggregate_spec *spec,
                                    wr_error *err) {
    dense_aggregation *g = NULL;
    *sink = NULL;
    *source = NULL;
    WR_TRY(dense_create(&g, exec, spec, err));
    if (!memory_allows(g)) {
        dense_release(g);
        return WR_OK;
    }
    dense_sink *in = wr_alloc_zeroed(exec->allocator, sizeof *in);
    dense_source *out = wr_alloc_zeroed(exec->allocator, sizeof *out);
    if (!in || !out) {
        wr_free(exec->allocator, in, sizeof *in);
        wr_free(exec->allocator, out, sizeof *out);
        dense_release(g);
        return wr_fail_memory(err, sizeof *in + sizeof *out, "aggregation");
    }
    g->refs = 2;
    in->shared = out->shared = g;
    in->sink.ops = &sink_ops;
    out->source.ops = &source_ops;
    wr_node_base_init(&in->sink.base, exec, "DENSE AGGREGATE", spec->logical_id);
    wr_node_base_init(&out->source.base, exec, "DENSE AGGREGATE", spec->logical_id);
    in->sink.base.budget = out->source.base.budget = g->budget;
    *sink = &in->sink;
    *source = &out->source;
    return WR_OK;
}
