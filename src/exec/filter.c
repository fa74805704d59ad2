/* Filter: conjuncts narrow the selection of the batch in place; the columns stay where they are. */
#include "exec/nodes.h"

typedef struct filter {
    wr_operator op;
    wr_program *program;
} filter;

typedef struct filter_local {
    wr_program_state *state;
    wr_buffer *pass;
    bool given; /* the input went out; the next call asks for more */
} filter_local;

static void filter_destroy(wr_operator *op) {
    filter *f = (filter *)op;
    wr_allocator *a = op->base.exec->allocator;
    wr_program_destroy(f->program);
    wr_node_base_deinit(&op->base);
    wr_free(a, f, sizeof *f);
}

static void filter_local_destroy(wr_operator *op, wr_local *local) {
    filter_local *l = (filter_local *)local;
    wr_program_state_destroy(l->state);
    wr_buffer_release(l->pass);
    wr_free(op->base.exec->allocator, l, sizeof *l);
}

static wr_status filter_local_create(wr_operator *op, wr_local **out, wr_error *err) {
    wr_allocator *a = op->base.exec->allocator;
    filter_local *l = wr_alloc_zeroed(a, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "filter");
    wr_status status = wr_program_state_create(&l->state, ((filter *)op)->program, a, err);
    if (status == WR_OK) status = wr_buffer_create(&l->pass, a, wr_bitmap_bytes(WR_BATCH_ROWS_MAX), err);
    if (status != WR_OK) {
        filter_local_destroy(op, (wr_local *)l);
        return status;
    }
    *out = (wr_local *)l;
    return WR_OK;
}

static wr_status filter_push(wr_operator *op, wr_local *local, wr_batch *in, wr_batch **out, wr_flow *flow,
                             wr_waker *waker, wr_error *err) {
    (void)op;
    (void)waker;
    filter_local *l = (filter_local *)local;
    if (l->given) {
        l->given = false;
        *flow = WR_NEED_INPUT;
        return WR_OK;
    }
    uint64_t *pass = (uint64_t *)(void *)l->pass->data;
    WR_TRY(wr_program_filter(l->state, in, pass, err));
    WR_TRY(wr_batch_filter(in, pass, err));
    if (in->sel_count == 0) {
        *flow = WR_NEED_INPUT;
        return WR_OK;
    }
    l->given = true;
    *out = in;
    *flow = WR_HAVE_OUTPUT;
    return WR_OK;
}

static const wr_operator_ops filter_ops = {
    .name = "FILTER",
    .destroy = filter_destroy,
    .local_create = filter_local_create,
    .local_destroy = filter_local_destroy,
    .push = filter_push,
    .retracts = true,
};

wr_status wr_filter_create(wr_operator **out, wr_exec *exec, wr_program *program, uint32_t logical_id, wr_error *err) {
    filter *f = wr_alloc_zeroed(exec->allocator, sizeof *f);
    if (!f) {
        wr_program_destroy(program);
        return wr_fail_memory(err, sizeof *f, "filter");
    }
    f->op.ops = &filter_ops;
    f->program = program;
    *out = &f->op;
    wr_node_base_init(&f->op.base, exec, "FILTER", logical_id);
    return WR_OK;
}
