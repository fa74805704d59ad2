/* The operator that the probe side passes: a worker's prober, and a writer for the rows of partitions that are out. */
#include "exec/join_internal.h"

typedef struct probe_operator {
    wr_operator op;
    wr_join *join;
} probe_operator;

typedef struct probe_local {
    wr_join_prober prober;
    bool busy; /* in a batch */
    wr_join_writer writer;
    bool has_writer;
    uint64_t *out_rows, *stay_rows; /* bits by position */
    uint32_t capacity;
    const wr_vector **columns; /* of the batch, those that are written */
} probe_local;

static void probe_local_destroy(wr_operator *op, wr_local *local) {
    wr_join *join = ((probe_operator *)op)->join;
    probe_local *l = (probe_local *)local;
    if (l->has_writer) {
        l->prober.counters.spilled_bytes = l->writer.spilled_bytes;
        if (l->writer.part) wr_join_add_part(join, WR_JOIN_PROBE, wr_join_writer_take(&l->writer));
        wr_join_writer_deinit(&l->writer);
    }
    wr_node_count(&op->base, &l->prober.counters);
    wr_prober_deinit(&l->prober);
    wr_free(join->allocator, l->out_rows, wr_padded_bitmap_bytes(l->capacity));
    wr_free(join->allocator, l->stay_rows, wr_padded_bitmap_bytes(l->capacity));
    wr_free(join->allocator, l->columns, sizeof(wr_vector *) * (join->spool.count + 1));
    wr_free(join->allocator, l, sizeof *l);
}

static wr_status probe_local_create(wr_operator *op, wr_local **out, wr_error *err) {
    wr_join *join = ((probe_operator *)op)->join;
    probe_local *l = wr_alloc_zeroed(join->allocator, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "hash join probe");
    wr_status status = wr_prober_init(&l->prober, join, err);
    if (status == WR_OK) {
        l->columns = wr_alloc(join->allocator, sizeof(wr_vector *) * (join->spool.count + 1));
        if (!l->columns) status = wr_fail_memory(err, sizeof(wr_vector *) * join->spool.count, "hash join probe");
    }
    if (status != WR_OK) {
        probe_local_destroy(op, (wr_local *)l);
        return status;
    }
    *out = (wr_local *)l;
    return WR_OK;
}

/* ---- rows of partitions that are out ---- */

static wr_status reserve(probe_local *l, wr_join *join, uint32_t count, wr_error *err) {
    if (!l->has_writer) {
        l->has_writer = true;
        WR_TRY(wr_join_writer_init(&l->writer, join, WR_JOIN_PROBE, 0, true, err));
    }
    if (count <= l->capacity) return WR_OK;
    wr_free(join->allocator, l->out_rows, wr_padded_bitmap_bytes(l->capacity));
    wr_free(join->allocator, l->stay_rows, wr_padded_bitmap_bytes(l->capacity));
    l->capacity = (count + 63) & ~63u;
    l->out_rows = wr_alloc(join->allocator, wr_padded_bitmap_bytes(l->capacity));
    l->stay_rows = wr_alloc(join->allocator, wr_padded_bitmap_bytes(l->capacity));
    if (l->out_rows && l->stay_rows) return WR_OK;
    return wr_fail_memory(err, wr_padded_bitmap_bytes(l->capacity), "hash join probe");
}

/* Rows without a key match nothing, and can stay, unless all pairs are looked at. */
static void find_out_rows(probe_local *l, wr_join *join) {
    wr_join_prober *p = &l->prober;
    uint32_t out = join->spill.out;
    if (join->one_partition) {
        wr_bitmap_fill(l->out_rows, p->count, true);
        wr_bitmap_fill(l->stay_rows, p->count, false);
        return;
    }
    const uint64_t *hashes = wr_keys_hash(&join->keys, &p->scratch, &p->keys);
    for (uint32_t first = 0; first < p->count; first += 64) {
        uint32_t rows = p->count - first < 64 ? p->count - first : 64;
        uint64_t word = 0;
        for (uint32_t i = 0; i < rows; i++) {
            word |= (uint64_t)(out >> wr_join_partition(join, hashes[first + i], 0) & 1) << i;
        }
        if (p->keys.valid) word &= p->keys.valid[first / 64];
        l->out_rows[first / 64] = word;
        l->stay_rows[first / 64] = ~word;
    }
}

static wr_status write_out_rows(probe_local *l, wr_join *join, wr_error *err) {
    wr_join_prober *p = &l->prober;
    WR_TRY(reserve(l, join, p->in->row_count, err));
    find_out_rows(l, join);
    for (uint32_t c = 0; c < join->spool.count; c++) l->columns[c] = &p->in->columns[join->spool.positions[c]];
    WR_TRY(wr_join_writer_add(&l->writer, l->columns, p->rows, &p->keys, l->out_rows, err));
    wr_prober_narrow(p, l->stay_rows);
    return WR_OK;
}

/* Pages for the rows: their last ones are written to make room for others. */
static wr_status admit(probe_local *l, wr_join *join, size_t bytes, wr_flow *flow, wr_waker *waker, wr_error *err) {
    *flow = WR_NEED_INPUT;
    for (bool flushed = false;; flushed = true) {
        switch (wr_budget_request(join->budget, bytes, waker)) {
        case WR_BUDGET_GRANTED: return WR_OK;
        case WR_BUDGET_PARKED: *flow = WR_BLOCKED; return WR_OK;
        default: break;
        }
        if (flushed || !l->has_writer) return wr_budget_fail(join->budget, bytes, err);
        WR_TRY(wr_join_writer_flush(&l->writer, err));
    }
}

/* ---- the operator ---- */

/* Nothing of the probe side could come out, now or later. */
static bool is_pointless(const wr_join *join) {
    const wr_join_table *t = &join->table;
    if (join->spill.out || t->indexed_count || join->keeps_probe) return false;
    if (join->filters_probe && join->kind != WR_JOIN_SEMI) return false;
    return !(join->three_valued && t->row_count);
}

static wr_status begin(probe_local *l, wr_join *join, wr_batch *in, wr_flow *flow, wr_waker *waker, wr_error *err) {
    size_t bytes = 0;
    *flow = WR_NEED_INPUT;
    if (join->spill.out) {
        bytes = wr_join_writer_bytes(join, WR_JOIN_PROBE, in->sel_count);
        WR_TRY(admit(l, join, bytes, flow, waker, err));
        if (*flow == WR_BLOCKED) return WR_OK;
    }
    wr_status status = wr_prober_begin(&l->prober, in, NULL, err);
    if (status == WR_OK && join->filters_build && join->three_valued && in->sel_count) {
        join->probe_any = true;
        if (l->prober.keys.null_count) join->probe_null = true;
    }
    if (status == WR_OK && join->spill.out && in->sel_count) status = write_out_rows(l, join, err);
    if (bytes) wr_budget_settle(join->budget, bytes);
    l->busy = true;
    return status;
}

static wr_status probe_push(wr_operator *op, wr_local *local, wr_batch *in, wr_batch **out, wr_flow *flow,
                            wr_waker *waker, wr_error *err) {
    wr_join *join = ((probe_operator *)op)->join;
    probe_local *l = (probe_local *)local;
    if (!l->busy) {
        if (is_pointless(join)) {
            *flow = WR_DONE;
            return WR_OK;
        }
        WR_TRY(begin(l, join, in, flow, waker, err));
        if (*flow == WR_BLOCKED) return WR_OK;
    }
    WR_TRY(wr_prober_next(&l->prober, out, err));
    l->busy = *out != NULL;
    *flow = *out ? WR_HAVE_OUTPUT : WR_NEED_INPUT;
    return WR_OK;
}

static wr_status probe_flush(wr_operator *op, wr_local *local, wr_batch **out, wr_flow *flow, wr_waker *waker,
                             wr_error *err) {
    (void)waker;
    wr_join *join = ((probe_operator *)op)->join;
    probe_local *l = (probe_local *)local;
    *out = wr_prober_flush(&l->prober);
    *flow = *out ? WR_HAVE_OUTPUT : WR_NEED_INPUT;
    if (!*out && join->exec->force_spill && l->has_writer) WR_TRY(wr_join_writer_flush(&l->writer, err));
    return WR_OK;
}

static wr_status probe_control(wr_operator *op, const wr_control *control, wr_error *err) {
    (void)err;
    wr_join *join = ((probe_operator *)op)->join;
    if (control->kind != WR_END) return WR_OK;
    wr_mutex_lock(&join->lock);
    bool ended = ++join->ended_count == join->operator_count;
    join->ended = ended;
    wr_waker *waiting = ended ? join->late_waiting : NULL;
    if (ended) join->late_waiting = NULL;
    wr_mutex_unlock(&join->lock);
    if (ended && !join->flags_build && !join->spill.out) wr_join_table_deinit(&join->table);
    wr_wakers_wake(waiting);
    return WR_OK;
}

static void probe_destroy(wr_operator *op) {
    probe_operator *o = (probe_operator *)op;
    wr_join *join = o->join;
    wr_allocator *a = join->exec->allocator;
    op->base.budget = NULL; /* the join's */
    wr_node_base_deinit(&op->base);
    wr_free(a, o, sizeof *o);
    wr_join_release(join);
}

static const wr_operator_ops probe_ops = {
    .name = "JOIN",
    .destroy = probe_destroy,
    .local_create = probe_local_create,
    .local_destroy = probe_local_destroy,
    .push = probe_push,
    .flush = probe_flush,
    .control = probe_control,
};

wr_status wr_join_probe_operator(wr_join *join, wr_operator **out, wr_error *err) {
    probe_operator *o = wr_alloc_zeroed(join->exec->allocator, sizeof *o);
    if (!o) return wr_fail_memory(err, sizeof *o, "hash join probe");
    wr_node_base_init(&o->op.base, join->exec, "JOIN", join->logical_id);
    o->op.base.budget = join->budget;
    o->op.ops = &probe_ops;
    o->join = wr_join_retain(join);
    join->operator_count++;
    *out = &o->op;
    return WR_OK;
}
