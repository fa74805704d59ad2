/* Projection: a program makes new columns, or passes old ones on. The selection stays; when few rows are selected, the
 * input is compacted first, so that no expression works on rows that nobody wants. */
#include "exec/nodes.h"

typedef struct project {
    wr_operator op;
    wr_program *program;
    uint32_t count;
} project;

typedef struct project_local {
    wr_program_state *state;
    wr_batch out;
    bool given;
} project_local;

static void project_destroy(wr_operator *op) {
    project *p = (project *)op;
    wr_allocator *a = op->base.exec->allocator;
    wr_program_destroy(p->program);
    wr_node_base_deinit(&op->base);
    wr_free(a, p, sizeof *p);
}

static void project_local_destroy(wr_operator *op, wr_local *local) {
    project_local *l = (project_local *)local;
    wr_batch_deinit(&l->out);
    wr_program_state_destroy(l->state);
    wr_free(op->base.exec->allocator, l, sizeof *l);
}

static wr_status project_local_create(wr_operator *op, wr_local **out, wr_error *err) {
    project *p = (project *)op;
    wr_allocator *a = op->base.exec->allocator;
    project_local *l = wr_alloc_zeroed(a, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "projection");
    wr_status status = wr_batch_init(&l->out, a, p->count, err);
    if (status == WR_OK) status = wr_program_state_create(&l->state, p->program, a, err);
    if (status != WR_OK) {
        project_local_destroy(op, (wr_local *)l);
        return status;
    }
    *out = (wr_local *)l;
    return WR_OK;
}

static bool is_sparse(const wr_batch *batch) {
    return batch->sel && batch->sel_count < batch->row_count - batch->row_count / 4;
}

static wr_status project_push(wr_operator *op, wr_local *local, wr_batch *in, wr_batch **out, wr_flow *flow,
                              wr_waker *waker, wr_error *err) {
    (void)op;
    (void)waker;
    project_local *l = (project_local *)local;
    if (l->given) {
        l->given = false;
        *flow = WR_NEED_INPUT;
        return WR_OK;
    }
    if (is_sparse(in)) WR_TRY(wr_batch_compact(in, err));
    WR_TRY(wr_program_run(l->state, in, l->out.columns, err));
    wr_buffer *sel = wr_buffer_retain(in->sel_buffer);
    wr_buffer_release(l->out.sel_buffer);
    l->out.sel_buffer = sel;
    l->out.sel = in->sel;
    l->out.sel_count = in->sel_count;
    l->out.row_count = in->row_count;
    wr_buffer *weights = wr_buffer_retain(in->weight_buffer);
    wr_buffer_release(l->out.weight_buffer);
    l->out.weight_buffer = weights;
    l->out.weights = in->weights;
    l->given = true;
    *out = &l->out;
    *flow = WR_HAVE_OUTPUT;
    return WR_OK;
}

static const wr_operator_ops project_ops = {
    .name = "PROJECT",
    .destroy = project_destroy,
    .local_create = project_local_create,
    .local_destroy = project_local_destroy,
    .push = project_push,
    .retracts = true,
};

wr_status wr_project_create(wr_operator **out, wr_exec *exec, wr_program *program, uint32_t count, uint32_t logical_id,
                            wr_error *err) {
    project *p = wr_alloc_zeroed(exec->allocator, sizeof *p);
    if (!p) {
        wr_program_destroy(program);
        return wr_fail_memory(err, sizeof *p, "projection");
    }
    p->op.ops = &project_ops;
    p->program = program;
    p->count = count;
    *out = &p->op;
    wr_node_base_init(&p->op.base, exec, "PROJECT", logical_id);
    return WR_OK;
}
