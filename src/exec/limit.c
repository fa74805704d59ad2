/* LIMIT and OFFSET by order, not by time: the rows kept are those that come first by ordinal, whatever thread was
 * faster.
 *
 * Every morsel keeps at most offset + limit rows of its own. Morsels that are done, counted from the first without a
 * gap, form the prefix; once the prefix holds enough rows the source is told to stop. The rows then go out in order. */
#include <stdlib.h>

#include "exec/nodes.h"

typedef struct morsel_rows {
    uint64_t index;
    uint32_t source;
    bool done;
    uint64_t row_count;
    wr_batch_list batches;
} morsel_rows;

typedef struct limit_state {
    uint32_t refs; /* sink and source; both die with the query, on one thread */
    wr_allocator *allocator;
    uint64_t limit, offset, wanted;
    wr_mutex lock;
    morsel_rows *morsels; /* by (source, index) once finished; under lock until then */
    uint32_t morsel_count, morsel_capacity;
    uint64_t prefix_rows; /* rows in the prefix of done morsels of the first source */
    uint64_t prefix_next;
    uint32_t first_source;
    _Atomic bool enough;
    uint32_t next_morsel, next_batch; /* the source's place */
    uint64_t skipped, given;
} limit_state;

typedef struct limit_sink {
    wr_sink sink;
    limit_state *state;
} limit_sink;
typedef struct limit_source {
    wr_source source;
    limit_state *state;
    bool handed_out;
} limit_source;

static void state_release(limit_state *s) {
    if (--s->refs) return;
    for (uint32_t i = 0; i < s->morsel_count; i++) wr_batch_list_deinit(&s->morsels[i].batches);
    wr_free(s->allocator, s->morsels, sizeof(morsel_rows) * s->morsel_capacity);
    wr_mutex_deinit(&s->lock);
    wr_free(s->allocator, s, sizeof *s);
}

/* state->lock is held. */
static wr_status morsel_of(limit_state *s, uint32_t source, uint64_t index, morsel_rows **out, wr_error *err) {
    for (uint32_t i = s->morsel_count; i-- > 0;) {
        if (s->morsels[i].index == index && s->morsels[i].source == source) {
            *out = &s->morsels[i];
            return WR_OK;
        }
    }
    WR_TRY(
        wr_grow(s->allocator, (void **)&s->morsels, &s->morsel_capacity, s->morsel_count, 1, sizeof(morsel_rows), err));
    if (s->morsel_count == 0 || source < s->first_source) s->first_source = source;
    morsel_rows *m = *out = &s->morsels[s->morsel_count++];
    *m = (morsel_rows){.index = index, .source = source};
    wr_batch_list_init(&m->batches, s->allocator);
    return WR_OK;
}

static wr_status limit_consume(wr_sink *sink, wr_local *local, wr_batch *in, wr_flow *flow, wr_waker *waker,
                               wr_error *err) {
    (void)local;
    (void)waker;
    limit_state *s = ((limit_sink *)sink)->state;
    *flow = s->enough || s->limit == 0 ? WR_DONE : WR_NEED_INPUT;
    if (*flow == WR_DONE) return WR_OK;
    morsel_rows *m;
    wr_mutex_lock(&s->lock);
    wr_status status = morsel_of(s, in->ordinal.source, in->ordinal.morsel, &m, err);
    if (status == WR_OK && m->row_count < s->wanted) {
        status = wr_batch_list_add(&m->batches, in, err);
        if (status == WR_OK) m->row_count += in->sel_count;
    }
    wr_mutex_unlock(&s->lock);
    return status;
}

static wr_status limit_morsel_done(wr_sink *sink, wr_local *local, uint32_t source, const wr_morsel *morsel,
                                   wr_error *err) {
    (void)local;
    limit_state *s = ((limit_sink *)sink)->state;
    morsel_rows *m;
    wr_mutex_lock(&s->lock);
    wr_status status = morsel_of(s, source, morsel->index, &m, err);
    if (status == WR_OK) m->done = true;
    for (uint32_t i = 0; status == WR_OK && i < s->morsel_count;) {
        m = &s->morsels[i++];
        if (m->source != s->first_source || m->index != s->prefix_next || !m->done) continue;
        s->prefix_rows += m->row_count;
        s->prefix_next++;
        if (s->prefix_rows >= s->wanted) s->enough = true;
        i = 0;
    }
    wr_mutex_unlock(&s->lock);
    return status;
}

static int compare_morsels(const void *a, const void *b) {
    const morsel_rows *x = a, *y = b;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static wr_status limit_control(wr_sink *sink, const wr_control *control, uint32_t *task_count, wr_error *err) {
    (void)err;
    limit_state *s = ((limit_sink *)sink)->state;
    *task_count = 0;
    if (control->kind == WR_END && s->morsel_count) {
        qsort(s->morsels, s->morsel_count, sizeof(morsel_rows), compare_morsels);
    }
    return WR_OK;
}

static void limit_sink_destroy(wr_sink *sink) {
    limit_sink *l = (limit_sink *)sink;
    wr_allocator *a = sink->base.exec->allocator;
    state_release(l->state);
    wr_node_base_deinit(&sink->base);
    wr_free(a, l, sizeof *l);
}

static const wr_sink_ops limit_sink_ops = {
    .name = "LIMIT",
    .destroy = limit_sink_destroy,
    .consume = limit_consume,
    .morsel_done = limit_morsel_done,
    .control = limit_control,
};

/* ---- the source: one morsel, since order is all that matters ---- */

static wr_status limit_next(wr_source *source, wr_morsel *morsel, wr_control *control, wr_flow *flow, wr_waker *waker,
                            wr_error *err) {
    (void)control;
    (void)waker;
    (void)err;
    limit_source *l = (limit_source *)source;
    *flow = l->handed_out ? WR_DONE : WR_HAVE_OUTPUT;
    *morsel = (wr_morsel){0};
    l->handed_out = true;
    return WR_OK;
}

/* Cuts `batch` to its selected rows [skip, skip + take). */
static wr_status cut(wr_batch *batch, uint32_t skip, uint32_t take, wr_error *err) {
    if (skip == 0 && take == batch->sel_count) return WR_OK;
    WR_TRY(wr_batch_compact(batch, err));
    wr_vector slice = {0};
    for (uint32_t c = 0; c < batch->column_count; c++) {
        WR_TRY(wr_vector_slice(&slice, batch->allocator, &batch->columns[c], skip, take, err));
        wr_vector_move(&batch->columns[c], &slice);
    }
    wr_batch_set_rows(batch, take);
    return WR_OK;
}

static wr_status limit_read(wr_source *source, wr_local *local, const wr_morsel *morsel, wr_batch **out, wr_flow *flow,
                            wr_waker *waker, wr_error *err) {
    (void)local;
    (void)morsel;
    (void)waker;
    limit_state *s = ((limit_source *)source)->state;
    while (s->next_morsel < s->morsel_count && s->given < s->limit) {
        morsel_rows *m = &s->morsels[s->next_morsel];
        if (s->next_batch == m->batches.count) {
            s->next_morsel++;
            s->next_batch = 0;
            continue;
        }
        wr_batch *batch = &m->batches.items[s->next_batch++];
        uint64_t skip = s->offset - s->skipped;
        if (skip >= batch->sel_count) {
            s->skipped += batch->sel_count;
            continue;
        }
        s->skipped += skip;
        uint64_t take = batch->sel_count - skip;
        if (take > s->limit - s->given) take = s->limit - s->given;
        s->given += take;
        WR_TRY(cut(batch, (uint32_t)skip, (uint32_t)take, err));
        *out = batch;
        *flow = WR_HAVE_OUTPUT;
        return WR_OK;
    }
    *flow = WR_NEED_INPUT;
    return WR_OK;
}

static void limit_source_destroy(wr_source *source) {
    limit_source *l = (limit_source *)source;
    wr_allocator *a = source->base.exec->allocator;
    state_release(l->state);
    wr_node_base_deinit(&source->base);
    wr_free(a, l, sizeof *l);
}

static const wr_source_ops limit_source_ops = {
    .name = "LIMIT",
    .destroy = limit_source_destroy,
    .next = limit_next,
    .read = limit_read,
};

wr_status wr_limit_create(wr_sink **sink, wr_source **source, wr_exec *exec, uint64_t limit, uint64_t offset,
                          uint32_t logical_id, wr_error *err) {
    wr_allocator *a = exec->allocator;
    limit_state *s = wr_alloc_zeroed(a, sizeof *s);
    limit_sink *in = wr_alloc_zeroed(a, sizeof *in);
    limit_source *from = wr_alloc_zeroed(a, sizeof *from);
    if (!s || !in || !from) {
        wr_free(a, s, sizeof *s);
        wr_free(a, in, sizeof *in);
        wr_free(a, from, sizeof *from);
        return wr_fail_memory(err, sizeof *s, "limit");
    }
    s->refs = 2;
    s->allocator = a;
    s->limit = limit;
    s->offset = offset;
    s->wanted = limit > UINT64_MAX - offset ? UINT64_MAX : limit + offset;
    wr_mutex_init(&s->lock);
    in->sink.ops = &limit_sink_ops;
    in->state = s;
    from->source.ops = &limit_source_ops;
    from->state = s;
    wr_node_base_init(&in->sink.base, exec, "LIMIT", logical_id);
    wr_node_base_init(&from->source.base, exec, "LIMIT", logical_id);
    *sink = &in->sink;
    *source = &from->source;
    return WR_OK;
}
