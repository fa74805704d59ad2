/* Rows kept for several readers: every task collects batches, the end of the epoch puts them in the order of their
 * ordinals, and readers take them a batch a morsel. */
#include "exec/materialize.h"

#include <stdlib.h>

struct wr_materialized {
    uint32_t refs; /* the sink and the sources; all die with the query, on one thread */
    wr_allocator *allocator;
    wr_mutex lock; /* of `batches` while it is filled */
    wr_batch_list batches;
};

typedef struct materialize_sink {
    wr_sink sink;
    wr_materialized *rows;
} materialize_sink;

typedef struct materialize_local {
    wr_batch_list batches;
} materialize_local;

static void rows_release(wr_materialized *m) {
    if (--m->refs) return;
    wr_batch_list_deinit(&m->batches);
    wr_mutex_deinit(&m->lock);
    wr_free(m->allocator, m, sizeof *m);
}

static wr_status sink_local_create(wr_sink *sink, wr_local **out, wr_error *err) {
    wr_allocator *a = ((materialize_sink *)sink)->rows->allocator;
    materialize_local *l = wr_alloc_zeroed(a, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "shared subplan");
    wr_batch_list_init(&l->batches, a);
    *out = (wr_local *)l;
    return WR_OK;
}

static void sink_local_destroy(wr_sink *sink, wr_local *local) {
    materialize_local *l = (materialize_local *)local;
    wr_batch_list_deinit(&l->batches);
    wr_free(((materialize_sink *)sink)->rows->allocator, l, sizeof *l);
}

static wr_status sink_consume(wr_sink *sink, wr_local *local, wr_batch *in, wr_flow *flow, wr_waker *waker,
                              wr_error *err) {
    (void)sink;
    (void)waker;
    *flow = WR_NEED_INPUT;
    return in->sel_count ? wr_batch_list_add(&((materialize_local *)local)->batches, in, err) : WR_OK;
}

static wr_status sink_combine(wr_sink *sink, wr_local *local, wr_error *err) {
    wr_materialized *m = ((materialize_sink *)sink)->rows;
    wr_batch_list *from = &((materialize_local *)local)->batches, *to = &m->batches;
    wr_mutex_lock(&m->lock);
    wr_status status =
        wr_grow(to->allocator, (void **)&to->items, &to->capacity, to->count, from->count, sizeof(wr_batch), err);
    if (status == WR_OK) {
        if (from->count) memcpy(to->items + to->count, from->items, sizeof(wr_batch) * from->count);
        to->count += from->count;
        from->count = 0;
    }
    wr_mutex_unlock(&m->lock);
    return status;
}

static int by_ordinal(const void *a, const void *b) {
    return wr_ordinal_compare(((const wr_batch *)a)->ordinal, ((const wr_batch *)b)->ordinal);
}

static wr_status sink_control(wr_sink *sink, const wr_control *control, uint32_t *task_count, wr_error *err) {
    (void)err;
    wr_batch_list *list = &((materialize_sink *)sink)->rows->batches;
    *task_count = 0;
    if (control->kind == WR_END && list->count) qsort(list->items, list->count, sizeof(wr_batch), by_ordinal);
    return WR_OK;
}

static void sink_destroy(wr_sink *sink) {
    wr_allocator *a = sink->base.exec->allocator;
    rows_release(((materialize_sink *)sink)->rows);
    wr_node_base_deinit(&sink->base);
    wr_free(a, sink, sizeof(materialize_sink));
}

static const wr_sink_ops sink_ops = {
    .name = "MATERIALIZE",
    .destroy = sink_destroy,
    .local_create = sink_local_create,
    .local_destroy = sink_local_destroy,
    .consume = sink_consume,
    .combine = sink_combine,
    .control = sink_control,
};

wr_status wr_materialize_create(wr_materialized **out, wr_sink **sink, wr_exec *exec, uint32_t logical_id,
                                wr_error *err) {
    wr_allocator *a = exec->allocator;
    wr_materialized *m = wr_alloc_zeroed(a, sizeof *m);
    materialize_sink *s = wr_alloc_zeroed(a, sizeof *s);
    if (!m || !s) {
        wr_free(a, m, sizeof *m);
        wr_free(a, s, sizeof *s);
        return wr_fail_memory(err, sizeof *s, "shared subplan");
    }
    m->refs = 1;
    m->allocator = a;
    wr_mutex_init(&m->lock);
    wr_batch_list_init(&m->batches, a);
    s->sink.ops = &sink_ops;
    s->rows = m;
    wr_node_base_init(&s->sink.base, exec, "MATERIALIZE", logical_id);
    *out = m;
    *sink = &s->sink;
    return WR_OK;
}

/* ---- readers ---- */

typedef struct reader {
    wr_source source;
    wr_materialized *rows;
    uint32_t next;
} reader;

typedef struct reader_local {
    wr_batch out;
    bool given;
} reader_local;

static wr_status reader_local_create(wr_source *source, wr_local **out, wr_error *err) {
    reader_local *l = wr_alloc_zeroed(source->base.exec->allocator, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "shared subplan");
    *out = (wr_local *)l;
    return WR_OK;
}

static void reader_local_destroy(wr_source *source, wr_local *local) {
    reader_local *l = (reader_local *)local;
    wr_batch_deinit(&l->out);
    wr_free(source->base.exec->allocator, l, sizeof *l);
}

static wr_status reader_next(wr_source *source, wr_morsel *morsel, wr_control *control, wr_flow *flow, wr_waker *waker,
                             wr_error *err) {
    (void)waker;
    (void)err;
    reader *r = (reader *)source;
    *flow = WR_DONE;
    if (control->kind != WR_END) return WR_OK;
    *flow = r->next < r->rows->batches.count ? WR_HAVE_OUTPUT : WR_DONE;
    *morsel = (wr_morsel){.index = r->next, .first = r->next, .count = 1};
    r->next++;
    return WR_OK;
}

/* The batch is shared with other readers, who narrow their own copies. */
static wr_status reader_read(wr_source *source, wr_local *local, const wr_morsel *morsel, wr_batch **out, wr_flow *flow,
                             wr_waker *waker, wr_error *err) {
    (void)waker;
    reader *r = (reader *)source;
    reader_local *l = (reader_local *)local;
    *flow = l->given ? WR_NEED_INPUT : WR_HAVE_OUTPUT;
    l->given = !l->given;
    if (*flow == WR_NEED_INPUT) return WR_OK;
    const wr_batch *kept = &r->rows->batches.items[morsel->first];
    wr_batch_deinit(&l->out);
    WR_TRY(wr_batch_init(&l->out, source->base.exec->allocator, kept->column_count, err));
    wr_batch_share(&l->out, kept);
    *out = &l->out;
    return WR_OK;
}

static void reader_destroy(wr_source *source) {
    wr_allocator *a = source->base.exec->allocator;
    rows_release(((reader *)source)->rows);
    wr_node_base_deinit(&source->base);
    wr_free(a, source, sizeof(reader));
}

static const wr_source_ops reader_ops = {
    .name = "SHARED",
    .destroy = reader_destroy,
    .local_create = reader_local_create,
    .local_destroy = reader_local_destroy,
    .next = reader_next,
    .read = reader_read,
};

wr_status wr_materialized_source(wr_source **out, wr_materialized *rows, wr_exec *exec, uint32_t logical_id,
                                 wr_error *err) {
    reader *r = wr_alloc_zeroed(exec->allocator, sizeof *r);
    if (!r) return wr_fail_memory(err, sizeof *r, "shared subplan");
    r->source.ops = &reader_ops;
    r->rows = rows;
    rows->refs++;
    wr_node_base_init(&r->source.base, exec, "SHARED", logical_id);
    *out = &r->source;
    return WR_OK;
}
