/* Joins on an order that both sides share: the build side is read part by part, as the key of the probe side passes.
 *
 * Footers have proven that the parts of the build side's table follow each other on the key, and that the probe side
 * comes in the order of the same key. So a batch of the probe side meets one of these parts, or two. The first batch
 * that meets a part makes a table of its rows, small enough for the caches; workers that are near use it too; it goes
 * when others have been used after it. The build side has no pipeline, and never more than a few parts of it are held.
 *
 * The answer does not depend on the order: a batch is held against every part whose bounds overlap its keys. Only speed
 * does. Where the probe side comes out of order (what a join below gives late, from its spilled partitions), the
 * planner puts a sort in front.
 *
 * A worker that needs a part which another one is reading reads the next one that nobody has, rather than wait:
 * somebody will soon need it. */
#include "exec/join_internal.h"

typedef enum part_state { PART_ABSENT, PART_LOADING, PART_READY } part_state;

typedef struct build_part {
    uint32_t file, part;
    uint64_t row_count;
    uint64_t min, max;    /* words of the key */
    uint8_t state;        /* part_state */
    uint32_t users;       /* batches that look into the table */
    uint64_t used;        /* when it was last needed */
    size_t bytes;         /* of the table, about */
    wr_join_table *table; /* READY; NULL: no row passes the scan's filters */
} build_part;

struct wr_ordered_join {
    _Atomic int32_t refs;
    wr_join *join;
    wr_source *scan;
    uint32_t *positions;
    build_part *parts; /* in the order of the key; their states are under the join's lock */
    uint32_t part_count, part_capacity;
    uint32_t ready_count, ready_max;
    uint64_t clock;
    size_t idle_bytes; /* of tables that nobody looks into */
    wr_waker *waiting;
    uint32_t operator_count, ended_count;
};

typedef struct ordered_operator {
    wr_operator op;
    wr_ordered_join *shared;
    bool first; /* of the operators */
} ordered_operator;

typedef struct ordered_local {
    wr_join_prober prober;
    wr_local *reader;    /* the scan's */
    wr_batch build;      /* a batch of the scan as the join's build side */
    wr_keys keys;        /* of the batch */
    bool busy;           /* in a batch */
    uint32_t at, end;    /* parts that it still has to be held against */
    build_part *current; /* it is held against this one now */
} ordered_local;

/* ---- tables that come and go; the lock is held ---- */

static void tell_idle(wr_ordered_join *o) {
    wr_budget_set_spillable(o->join->budget, o->idle_bytes);
}

static void drop_table(wr_ordered_join *o, build_part *p) {
    if (p->table) {
        wr_join_table_deinit(p->table);
        wr_free(o->join->allocator, p->table, sizeof *p->table);
    }
    p->table = NULL;
    p->state = PART_ABSENT;
    o->ready_count--;
    o->idle_bytes -= p->bytes;
}

/* Of those that nobody looks into, the one that was not needed for longest. */
static build_part *oldest_idle(wr_ordered_join *o) {
    build_part *oldest = NULL;
    for (uint32_t i = 0; i < o->part_count; i++) {
        build_part *p = &o->parts[i];
        if (p->state != PART_READY || p->users) continue;
        if (!oldest || p->used < oldest->used) oldest = p;
    }
    return oldest;
}

/* Keeps at most `count` tables, as far as they are idle; whether one went. */
static bool keep_at_most(wr_ordered_join *o, uint32_t count) {
    bool some = false;
    for (build_part *p; o->ready_count > count && (p = oldest_idle(o)); some = true) drop_table(o, p);
    if (some) tell_idle(o);
    return some;
}

static void take(wr_ordered_join *o, build_part *p) {
    if (p->users++ == 0) o->idle_bytes -= p->bytes;
    p->used = ++o->clock;
    tell_idle(o);
}

/* Those who wait are to be woken when the lock is given back. */
static wr_waker *take_waiting(wr_ordered_join *o) {
    wr_waker *waiting = o->waiting;
    o->waiting = NULL;
    return waiting;
}

static void let_go(wr_ordered_join *o, build_part *p) {
    wr_mutex_lock(&o->join->lock);
    if (--p->users == 0) o->idle_bytes += p->bytes;
    tell_idle(o);
    wr_waker *waiting = take_waiting(o);
    wr_mutex_unlock(&o->join->lock);
    wr_wakers_wake(waiting);
}

static void relieve(wr_ordered_join *o) {
    wr_mutex_lock(&o->join->lock);
    (void)keep_at_most(o, 0);
    wr_mutex_unlock(&o->join->lock);
    wr_budget_spilled(o->join->budget);
}

/* ---- reading a part ---- */

/* What making its table takes at most; strings are guessed. */
static size_t bytes_of(const wr_ordered_join *o, const build_part *p) {
    const wr_join *join = o->join;
    size_t bytes = wr_join_chunk_bytes(join, (uint32_t)p->row_count + 128) + wr_index_bytes(join, p->row_count);
    for (uint32_t c = 0; c < join->store.count; c++) {
        if (wr_type_phys(join->store.types[c]) == WR_PHYS_VIEW) bytes += 16 * p->row_count;
    }
    return bytes;
}

static wr_status collect_rows(wr_ordered_join *o, ordered_local *l, const wr_morsel *morsel, wr_join_collector *to,
                              wr_error *err) {
    wr_join *join = o->join;
    wr_counters counters = {0};
    for (uint64_t sequence = 0; !join->exec->cancelled; sequence++) {
        wr_batch *in;
        wr_flow flow;
        WR_TRY(o->scan->ops->read(o->scan, l->reader, morsel, &in, &flow, NULL, err));
        if (flow != WR_HAVE_OUTPUT) break;
        for (uint32_t c = 0; c < join->build_column_count; c++) {
            wr_vector_share(&l->build.columns[c], &in->columns[o->positions[c]]);
        }
        wr_batch_set_rows(&l->build, in->row_count);
        l->build.ordinal = (wr_ordinal){.morsel = morsel->index, .sequence = (uint32_t)sequence};
        wr_status status = wr_join_collector_add(to, join, &l->build, err);
        for (uint32_t c = 0; c < join->build_column_count; c++) wr_vector_deinit(&l->build.columns[c]);
        WR_TRY(status);
        counters.rows_out += in->row_count;
        counters.batches_out++;
    }
    wr_node_count(&o->scan->base, &counters);
    return WR_OK;
}

static wr_status make_table(wr_ordered_join *o, ordered_local *l, const wr_morsel *morsel, uint64_t row_count,
                            wr_join_table **out, wr_error *err) {
    wr_join *join = o->join;
    wr_join_chunk *chunks = NULL;
    wr_join_collector *to;
    wr_join_table *table = wr_alloc_zeroed(join->allocator, sizeof *table);
    if (!table) return wr_fail_memory(err, sizeof *table, "ordered join");
    wr_status status = wr_join_collector_create(&to, join, &chunks, (uint32_t)row_count, err);
    if (status == WR_OK) {
        status = collect_rows(o, l, morsel, to, err);
        wr_join_collector_finish(to, join);
    }
    if (status == WR_OK) status = wr_join_table_build(table, join, &chunks, err);
    wr_join_chunks_destroy(&chunks, join);
    if (status == WR_OK) {
        *out = table;
        return WR_OK;
    }
    wr_join_table_deinit(table);
    wr_free(join->allocator, table, sizeof *table);
    return status;
}

/* Room for a table; *flow is BLOCKED when it has to be waited for. */
static wr_status admit(wr_ordered_join *o, size_t bytes, wr_flow *flow, wr_waker *waker, wr_error *err) {
    for (;;) {
        switch (wr_budget_request(o->join->budget, bytes, waker)) {
        case WR_BUDGET_GRANTED: *flow = WR_NEED_INPUT; return WR_OK;
        case WR_BUDGET_PARKED: *flow = WR_BLOCKED; return WR_OK;
        default: break;
        }
        wr_mutex_lock(&o->join->lock);
        bool some = keep_at_most(o, 0), others = o->ready_count > 0;
        if (!some && others) wr_wakers_park(&o->waiting, waker); /* those who look into the others will let go */
        wr_mutex_unlock(&o->join->lock);
        if (some) continue;
        if (!others) return wr_budget_fail(o->join->budget, bytes, err);
        *flow = WR_BLOCKED;
        return WR_OK;
    }
}

/* Makes the table of a part that is LOADING, by us. */
static wr_status load(wr_ordered_join *o, ordered_local *l, build_part *p, wr_flow *flow, wr_waker *waker,
                      wr_error *err) {
    size_t bytes = bytes_of(o, p);
    wr_join_table *table = NULL;
    wr_morsel morsel;
    wr_status status = admit(o, bytes, flow, waker, err);
    bool granted = status == WR_OK && *flow != WR_BLOCKED;
    if (granted) {
        wr_mutex_lock(&o->join->lock);
        bool picked = wr_scan_pick(o->scan, p->file, p->part, &morsel);
        wr_mutex_unlock(&o->join->lock);
        if (picked) status = make_table(o, l, &morsel, p->row_count, &table, err);
        wr_budget_settle(o->join->budget, bytes);
    }
    wr_mutex_lock(&o->join->lock);
    p->state = granted && status == WR_OK ? PART_READY : PART_ABSENT;
    if (p->state == PART_READY) {
        p->table = table;
        p->used = ++o->clock;
        p->bytes = table ? bytes : 0;
        o->idle_bytes += p->bytes;
        o->ready_count++;
    }
    tell_idle(o);
    wr_waker *waiting = take_waiting(o);
    wr_mutex_unlock(&o->join->lock);
    wr_wakers_wake(waiting);
    return status;
}

/* The part to load for one who needs parts[at]: itself, or, when another worker is at it, one of the next. NULL: all of
 * them are taken care of. */
static build_part *choose(wr_ordered_join *o, uint32_t at) {
    uint32_t end = at + o->join->exec->thread_count;
    if (end > o->part_count) end = o->part_count;
    for (uint32_t i = at; i < end; i++) {
        if (o->parts[i].state == PART_ABSENT) return &o->parts[i];
    }
    return NULL;
}

/* l->current becomes parts[l->at]; or *flow is BLOCKED. */
static wr_status acquire(wr_ordered_join *o, ordered_local *l, wr_flow *flow, wr_waker *waker, wr_error *err) {
    build_part *wanted = &o->parts[l->at];
    for (;;) {
        wr_mutex_lock(&o->join->lock);
        build_part *p = NULL;
        bool ready = wanted->state == PART_READY;
        if (ready) {
            take(o, wanted);
        } else {
            (void)keep_at_most(o, o->ready_max - 1);
            p = choose(o, l->at);
            if (p) p->state = PART_LOADING;
            if (!p) wr_wakers_park(&o->waiting, waker);
        }
        wr_mutex_unlock(&o->join->lock);
        if (ready) {
            l->current = wanted;
            return WR_OK;
        }
        *flow = WR_BLOCKED;
        if (!p) return WR_OK;
        WR_TRY(load(o, l, p, flow, waker, err));
        if (*flow == WR_BLOCKED) return WR_OK;
    }
}

/* ---- the operator ---- */

/* The first part that does not end below the key. */
static uint32_t first_part(const wr_ordered_join *o, uint64_t key) {
    uint32_t low = 0, high = o->part_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (wr_key_below(&o->join->keys, o->parts[middle].max, key)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Which parts the batch meets. */
static void find_parts(const wr_ordered_join *o, ordered_local *l) {
    const wr_key_plan *plan = &o->join->keys;
    const wr_keys *keys = &l->keys;
    const uint64_t *words = keys->words[0];
    bool any = false;
    uint64_t min = 0, max = 0;
    for (uint32_t i = 0; i < keys->count; i++) {
        if (!wr_valid(keys->valid, i)) continue;
        if (!any || wr_key_below(plan, words[i], min)) min = words[i];
        if (!any || wr_key_below(plan, max, words[i])) max = words[i];
        any = true;
    }
    l->at = l->end = 0;
    if (!any) return;
    l->at = first_part(o, min);
    for (l->end = l->at; l->end < o->part_count && !wr_key_below(plan, max, o->parts[l->end].min);) l->end++;
}

static wr_status begin(wr_ordered_join *o, ordered_local *l, wr_batch *in, wr_error *err) {
    if (wr_budget_marked(o->join->budget)) relieve(o);
    l->prober.table = &o->join->table; /* there for the keys alone */
    WR_TRY(wr_prober_begin(&l->prober, in, NULL, err));
    l->keys = l->prober.keys;
    find_parts(o, l);
    l->busy = true;
    return WR_OK;
}

static wr_status ordered_push(wr_operator *op, wr_local *local, wr_batch *in, wr_batch **out, wr_flow *flow,
                              wr_waker *waker, wr_error *err) {
    wr_ordered_join *o = ((ordered_operator *)op)->shared;
    ordered_local *l = (ordered_local *)local;
    if (!l->busy && in->sel_count) WR_TRY(begin(o, l, in, err));
    for (;;) {
        if (l->current) {
            *out = NULL;
            if (l->current->table) WR_TRY(wr_prober_next(&l->prober, out, err));
            *flow = WR_HAVE_OUTPUT;
            if (*out) return WR_OK;
            let_go(o, l->current);
            l->current = NULL;
            l->at++;
        }
        *flow = WR_NEED_INPUT;
        if (l->at == l->end) {
            l->busy = false;
            return WR_OK;
        }
        WR_TRY(acquire(o, l, flow, waker, err));
        if (!l->current) return WR_OK;
        if (!l->current->table) continue;
        l->prober.table = l->current->table;
        WR_TRY(wr_prober_begin(&l->prober, in, &l->keys, err));
    }
}

static wr_status ordered_flush(wr_operator *op, wr_local *local, wr_batch **out, wr_flow *flow, wr_waker *waker,
                               wr_error *err) {
    (void)op;
    (void)waker;
    (void)err;
    *out = wr_prober_flush(&((ordered_local *)local)->prober);
    *flow = *out ? WR_HAVE_OUTPUT : WR_NEED_INPUT;
    return WR_OK;
}

static wr_status ordered_control(wr_operator *op, const wr_control *control, wr_error *err) {
    (void)err;
    wr_ordered_join *o = ((ordered_operator *)op)->shared;
    if (control->kind != WR_END) return WR_OK;
    wr_mutex_lock(&o->join->lock);
    if (++o->ended_count == o->operator_count) (void)keep_at_most(o, 0);
    wr_mutex_unlock(&o->join->lock);
    return WR_OK;
}

static wr_status ordered_relieve(wr_operator *op, wr_local *local, wr_error *err) {
    (void)local;
    (void)err;
    relieve(((ordered_operator *)op)->shared);
    return WR_OK;
}

static wr_source *ordered_reads(wr_operator *op) {
    ordered_operator *o = (ordered_operator *)op;
    return o->first ? o->shared->scan : NULL;
}

static void ordered_local_destroy(wr_operator *op, wr_local *local) {
    wr_ordered_join *o = ((ordered_operator *)op)->shared;
    ordered_local *l = (ordered_local *)local;
    if (l->current) let_go(o, l->current);
    if (l->reader) o->scan->ops->local_destroy(o->scan, l->reader);
    wr_node_count(&op->base, &l->prober.counters);
    wr_prober_deinit(&l->prober);
    wr_batch_deinit(&l->build);
    wr_free(o->join->allocator, l, sizeof *l);
}

static wr_status ordered_local_create(wr_operator *op, wr_local **out, wr_error *err) {
    wr_ordered_join *o = ((ordered_operator *)op)->shared;
    wr_join *join = o->join;
    ordered_local *l = wr_alloc_zeroed(join->allocator, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "ordered join");
    wr_status status = wr_prober_init(&l->prober, join, err);
    if (status == WR_OK) status = wr_batch_init(&l->build, join->allocator, join->build_column_count, err);
    if (status == WR_OK) status = o->scan->ops->local_create(o->scan, &l->reader, err);
    if (status != WR_OK) {
        ordered_local_destroy(op, (wr_local *)l);
        return status;
    }
    *out = (wr_local *)l;
    return WR_OK;
}

static void ordered_destroy(wr_operator *op) {
    wr_ordered_join *o = ((ordered_operator *)op)->shared;
    wr_allocator *a = op->base.exec->allocator;
    op->base.budget = NULL; /* the join's */
    wr_node_base_deinit(&op->base);
    wr_free(a, op, sizeof(ordered_operator));
    wr_ordered_join_release(o);
}

static const wr_operator_ops ordered_ops = {
    .name = "ORDERED JOIN",
    .destroy = ordered_destroy,
    .local_create = ordered_local_create,
    .local_destroy = ordered_local_destroy,
    .push = ordered_push,
    .flush = ordered_flush,
    .control = ordered_control,
    .relieve = ordered_relieve,
    .reads = ordered_reads,
};

wr_status wr_ordered_join_operator(wr_ordered_join *o, wr_operator **out, wr_error *err) {
    wr_join *join = o->join;
    ordered_operator *op = wr_alloc_zeroed(join->exec->allocator, sizeof *op);
    if (!op) return wr_fail_memory(err, sizeof *op, "ordered join");
    wr_node_base_init(&op->op.base, join->exec, "ORDERED JOIN", join->logical_id);
    op->op.base.budget = join->budget;
    op->op.ops = &ordered_ops;
    op->shared = o;
    op->first = o->operator_count++ == 0;
    o->refs++;
    *out = &op->op;
    return WR_OK;
}

/* ---- the shared part ---- */

static wr_status list_parts(wr_ordered_join *o, const wr_ordered_join_spec *spec, wr_error *err) {
    for (uint32_t f = 0; f < spec->table->file_count; f++) {
        wr_table_file *file = spec->table->files[f];
        for (uint32_t i = 0; i < file->part_count; i++) {
            wr_column_bounds b;
            file->ops->bounds(file, i, spec->key_column, &b);
            if (b.row_count == 0 || b.null_count == b.row_count) continue; /* no key: no match */
            if (!b.has_bounds) return wr_fail(err, WR_INTERNAL, "an ordered join got a part without bounds");
            WR_TRY(wr_grow(o->join->allocator, (void **)&o->parts, &o->part_capacity, o->part_count, 1,
                           sizeof *o->parts, err));
            o->parts[o->part_count++] = (build_part){
                .file = f, .part = i, .row_count = file->parts[i].row_count, .min = b.min.u64, .max = b.max.u64};
        }
    }
    return WR_OK;
}

void wr_ordered_join_release(wr_ordered_join *o) {
    if (!o || --o->refs > 0) return;
    wr_join *join = o->join;
    for (uint32_t i = 0; i < o->part_count; i++) {
        if (o->parts[i].state == PART_READY) drop_table(o, &o->parts[i]);
    }
    o->scan->ops->destroy(o->scan);
    wr_free(join->allocator, o->parts, sizeof *o->parts * o->part_capacity);
    wr_free(join->allocator, o->positions, sizeof(uint32_t) * (join->build_column_count + 1));
    wr_free(join->allocator, o, sizeof *o);
    wr_join_release(join);
}

wr_status wr_ordered_join_create(wr_ordered_join **out, const wr_ordered_join_spec *spec, wr_error *err) {
    wr_join *join = spec->join;
    uint32_t width = join->build_column_count;
    wr_ordered_join *o = *out = wr_alloc_zeroed(join->allocator, sizeof *o);
    if (!o) {
        spec->scan->ops->destroy(spec->scan);
        return wr_fail_memory(err, sizeof *o, "ordered join");
    }
    o->refs = 1;
    o->join = wr_join_retain(join);
    o->scan = spec->scan;
    o->ready_max = 2 * join->exec->thread_count + 2;
    o->positions = wr_alloc(join->allocator, sizeof(uint32_t) * (width + 1));
    wr_status status = o->positions ? WR_OK : wr_fail_memory(err, sizeof(uint32_t) * width, "ordered join");
    if (status == WR_OK) {
        if (width) memcpy(o->positions, spec->positions, sizeof(uint32_t) * width);
        status = list_parts(o, spec, err);
    }
    if (status != WR_OK) {
        wr_ordered_join_release(o);
        *out = NULL;
    }
    return status;
}
