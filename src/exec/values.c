/* Constant rows. They are evaluated when the node is made into batches at the first read; one morsel. */
#include "exec/nodes.h"

typedef struct values {
    wr_source source;
    wr_expr ***rows;
    uint32_t row_count;
    wr_type *types;
    uint32_t column_count;
    bool handed_out;
} values;

typedef struct values_local {
    wr_batch out;
    uint32_t at;
} values_local;

static void values_local_destroy(wr_source *source, wr_local *local) {
    values_local *l = (values_local *)local;
    wr_batch_deinit(&l->out);
    wr_free(source->base.exec->allocator, l, sizeof *l);
}

static wr_status values_local_create(wr_source *source, wr_local **out, wr_error *err) {
    values_local *l = wr_alloc_zeroed(source->base.exec->allocator, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "values");
    wr_status status = wr_batch_init(&l->out, source->base.exec->allocator, ((values *)source)->column_count, err);
    if (status != WR_OK) {
        wr_free(source->base.exec->allocator, l, sizeof *l);
        return status;
    }
    *out = (wr_local *)l;
    return WR_OK;
}

static wr_status values_next(wr_source *source, wr_morsel *morsel, wr_control *control, wr_flow *flow, wr_waker *waker,
                             wr_error *err) {
    (void)control;
    (void)waker;
    (void)err;
    values *v = (values *)source;
    *flow = v->handed_out ? WR_DONE : WR_HAVE_OUTPUT;
    *morsel = (wr_morsel){.count = v->row_count};
    v->handed_out = true;
    return WR_OK;
}

/* Column `column` of rows [first, first + count): each value by itself, joined behind one another. */
static wr_status fill_column(values *v, wr_vector *out, uint32_t column, uint32_t first, uint32_t count,
                             wr_error *err) {
    wr_exec *exec = v->source.base.exec;
    wr_arena arena;
    wr_arena_init(&arena, exec->allocator);
    wr_vector one = {0};
    wr_status status = wr_vector_prepare(out, exec->allocator, v->types[column], 0, false, err);
    for (uint32_t r = 0; status == WR_OK && r < count; r++) {
        wr_value value;
        status = wr_expr_evaluate(&arena, v->rows[first + r][column], &exec->environment, &value, err);
        if (status == WR_OK && value.is_null) value.type = v->types[column];
        if (status == WR_OK) status = wr_vector_constant(&one, exec->allocator, &value, 1, err);
        if (status == WR_OK) status = wr_vector_append(out, exec->allocator, &one, NULL, 1, err);
    }
    wr_vector_deinit(&one);
    wr_arena_deinit(&arena);
    return status;
}

static wr_status values_read(wr_source *source, wr_local *local, const wr_morsel *morsel, wr_batch **out, wr_flow *flow,
                             wr_waker *waker, wr_error *err) {
    (void)morsel;
    (void)waker;
    values *v = (values *)source;
    values_local *l = (values_local *)local;
    uint32_t count = v->row_count - l->at;
    if (count > source->base.exec->batch_rows) count = source->base.exec->batch_rows;
    *flow = count ? WR_HAVE_OUTPUT : WR_NEED_INPUT;
    if (!count) return WR_OK;
    wr_batch_clear(&l->out);
    for (uint32_t c = 0; c < v->column_count; c++) WR_TRY(fill_column(v, &l->out.columns[c], c, l->at, count, err));
    wr_batch_set_rows(&l->out, count);
    l->at += count;
    *out = &l->out;
    return WR_OK;
}

static void values_destroy(wr_source *source) {
    values *v = (values *)source;
    wr_allocator *a = source->base.exec->allocator;
    wr_free(a, v->types, sizeof(wr_type) * v->column_count);
    wr_node_base_deinit(&source->base);
    wr_free(a, v, sizeof *v);
}

static const wr_source_ops values_ops = {
    .name = "VALUES",
    .destroy = values_destroy,
    .local_create = values_local_create,
    .local_destroy = values_local_destroy,
    .next = values_next,
    .read = values_read,
};

wr_status wr_values_create(wr_source **out, wr_exec *exec, wr_expr ***rows, uint32_t row_count, const wr_type *types,
                           uint32_t column_count, uint32_t logical_id, wr_error *err) {
    wr_allocator *a = exec->allocator;
    values *v = wr_alloc_zeroed(a, sizeof *v);
    if (!v) return wr_fail_memory(err, sizeof *v, "values");
    v->source.ops = &values_ops;
    wr_node_base_init(&v->source.base, exec, "VALUES", logical_id);
    v->rows = rows;
    v->row_count = row_count;
    if (column_count) {
        v->types = wr_alloc(a, sizeof(wr_type) * column_count);
        if (!v->types) {
            values_destroy(&v->source);
            return wr_fail_memory(err, sizeof(wr_type) * column_count, "values");
        }
        memcpy(v->types, types, sizeof(wr_type) * column_count);
        v->column_count = column_count;
    }
    *out = &v->source;
    return WR_OK;
}
