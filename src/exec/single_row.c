/* One row exactly: a scalar subquery that is not correlated. No row becomes a row of NULLs, a second row is an error.
 */
#include "exec/nodes.h"

typedef struct single_state {
    uint32_t refs; /* sink and source, which die with the query */
    wr_allocator *allocator;
    wr_mutex lock;
    wr_batch row;
    bool has_row;
    wr_type *types;
    uint32_t column_count;
} single_state;

typedef struct single_sink {
    wr_sink sink;
    single_state *state;
} single_sink;
typedef struct single_source {
    wr_source source;
    single_state *state;
    bool handed_out, given;
} single_source;

static void state_release(single_state *s) {
    if (--s->refs) return;
    wr_batch_deinit(&s->row);
    wr_free(s->allocator, s->types, sizeof(wr_type) * s->column_count);
    wr_mutex_deinit(&s->lock);
    wr_free(s->allocator, s, sizeof *s);
}

static wr_status single_consume(wr_sink *sink, wr_local *local, wr_batch *in, wr_flow *flow, wr_waker *waker,
                                wr_error *err) {
    (void)local;
    (void)waker;
    single_state *s = ((single_sink *)sink)->state;
    *flow = WR_NEED_INPUT;
    if (in->sel_count == 0) return WR_OK;
    wr_status status = WR_OK;
    wr_mutex_lock(&s->lock);
    if (s->has_row || in->sel_count > 1) {
        status = wr_fail(err, WR_VALUE, "a subquery that is used as a value returned more than one row");
        wr_hint(err, "add LIMIT 1, or an aggregate such as max(), or a condition that leaves one row");
    } else {
        wr_batch_deinit(&s->row);
        s->row = (wr_batch){0};
        status = wr_batch_init(&s->row, s->allocator, s->column_count, err);
        if (status == WR_OK) status = wr_batch_copy(&s->row, s->allocator, in, err);
        s->has_row = status == WR_OK;
    }
    wr_mutex_unlock(&s->lock);
    return status;
}

static wr_status single_control(wr_sink *sink, const wr_control *control, uint32_t *task_count, wr_error *err) {
    single_state *s = ((single_sink *)sink)->state;
    *task_count = 0;
    if (control->kind != WR_END || s->has_row) return WR_OK;
    for (uint32_t c = 0; c < s->column_count; c++) {
        wr_value null = {.type = s->types[c], .is_null = true};
        WR_TRY(wr_vector_constant(&s->row.columns[c], s->allocator, &null, 1, err));
    }
    wr_batch_set_rows(&s->row, 1);
    return WR_OK;
}

static void single_sink_destroy(wr_sink *sink) {
    single_sink *n = (single_sink *)sink;
    wr_allocator *a = sink->base.exec->allocator;
    state_release(n->state);
    wr_node_base_deinit(&sink->base);
    wr_free(a, n, sizeof *n);
}

static const wr_sink_ops single_sink_ops = {
    .name = "SINGLE ROW",
    .destroy = single_sink_destroy,
    .consume = single_consume,
    .control = single_control,
};

static wr_status single_next(wr_source *source, wr_morsel *morsel, wr_control *control, wr_flow *flow, wr_waker *waker,
                             wr_error *err) {
    (void)waker;
    (void)err;
    single_source *n = (single_source *)source;
    *flow = WR_DONE;
    if (control->kind != WR_END) return WR_OK;
    *flow = n->handed_out ? WR_DONE : WR_HAVE_OUTPUT;
    *morsel = (wr_morsel){.count = 1};
    n->handed_out = true;
    return WR_OK;
}

static wr_status single_read(wr_source *source, wr_local *local, const wr_morsel *morsel, wr_batch **out, wr_flow *flow,
                             wr_waker *waker, wr_error *err) {
    (void)local;
    (void)morsel;
    (void)waker;
    (void)err;
    single_source *n = (single_source *)source;
    *flow = n->given ? WR_NEED_INPUT : WR_HAVE_OUTPUT;
    n->given = true;
    *out = &n->state->row;
    return WR_OK;
}

static void single_source_destroy(wr_source *source) {
    single_source *n = (single_source *)source;
    wr_allocator *a = source->base.exec->allocator;
    state_release(n->state);
    wr_node_base_deinit(&source->base);
    wr_free(a, n, sizeof *n);
}

static const wr_source_ops single_source_ops = {
    .name = "SINGLE ROW",
    .destroy = single_source_destroy,
    .next = single_next,
    .read = single_read,
};

wr_status wr_single_row_create(wr_sink **sink, wr_source **source, wr_exec *exec, const wr_type *types,
                               uint32_t column_count, uint32_t logical_id, wr_error *err) {
    wr_allocator *a = exec->allocator;
    single_state *s = wr_alloc_zeroed(a, sizeof *s);
    single_sink *in = wr_alloc_zeroed(a, sizeof *in);
    single_source *from = wr_alloc_zeroed(a, sizeof *from);
    wr_type *copy = wr_alloc(a, sizeof(wr_type) * column_count);
    if (!s || !in || !from || !copy || wr_batch_init(&s->row, a, column_count, err) != WR_OK) {
        wr_free(a, s, sizeof *s);
        wr_free(a, in, sizeof *in);
        wr_free(a, from, sizeof *from);
        wr_free(a, copy, sizeof(wr_type) * column_count);
        return wr_fail_memory(err, sizeof *s, "scalar subquery");
    }
    memcpy(copy, types, sizeof(wr_type) * column_count);
    *s = (single_state){.refs = 2, .allocator = a, .row = s->row, .types = copy, .column_count = column_count};
    wr_mutex_init(&s->lock);
    in->sink.ops = &single_sink_ops;
    in->state = s;
    from->source.ops = &single_source_ops;
    from->state = s;
    wr_node_base_init(&in->sink.base, exec, "SINGLE ROW", logical_id);
    wr_node_base_init(&from->source.base, exec, "SINGLE ROW", logical_id);
    *sink = &in->sink;
    *source = &from->source;
    return WR_OK;
}
