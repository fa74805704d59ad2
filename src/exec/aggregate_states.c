/* Calling the aggregates: all of a batch for one aggregate after the other, so that each runs its own tight loop; but
 * for those that dictionary algebra takes together. */
#include "exec/aggregate_internal.h"

/* Kernels may read behind the end. */
static size_t pass_bytes(uint32_t capacity) {
    return wr_bitmap_bytes(capacity) + WR_BUFFER_PAD;
}

wr_status wr_agg_states_init(wr_agg_states *s, const wr_agg_plan *plan, wr_error *err) {
    *s = (wr_agg_states){.plan = plan};
    size_t context_bytes = sizeof *s->contexts * (plan->call_count + 1),
           arg_bytes = sizeof *s->args * (plan->arg_count + 1);
    s->contexts = wr_alloc_zeroed(plan->allocator, context_bytes);
    s->args = wr_alloc_zeroed(plan->allocator, arg_bytes);
    if (!s->contexts || !s->args) {
        wr_agg_states_deinit(s);
        return wr_fail_memory(err, context_bytes + arg_bytes, "aggregation");
    }
    for (uint32_t c = 0; c < plan->call_count; c++) {
        const wr_agg_call *call = &plan->calls[c];
        s->contexts[c] = (wr_aggregate_context){.allocator = plan->allocator,
                                                .kernels = plan->kernels,
                                                .data = call->spec.data,
                                                .result = call->spec.result,
                                                .arg_type = call->arg_type};
    }
    return WR_OK;
}

void wr_agg_states_deinit(wr_agg_states *s) {
    const wr_agg_plan *plan = s->plan;
    if (!plan) return;
    if (s->contexts) wr_free(plan->allocator, s->contexts, sizeof *s->contexts * (plan->call_count + 1));
    if (s->args) wr_free(plan->allocator, s->args, sizeof *s->args * (plan->arg_count + 1));
    if (s->pass) wr_free(plan->allocator, s->pass, pass_bytes(s->pass_capacity));
    wr_vector_deinit(&s->flat);
    wr_program_state_destroy(s->program);
    for (uint32_t i = 0; s->products && i < plan->product_count; i++) wr_vector_deinit(&s->products[i]);
    if (s->products) wr_free(plan->allocator, s->products, sizeof *s->products * plan->product_count);
    wr_agg_algebra_destroy(s->algebra);
    *s = (wr_agg_states){0};
}

void wr_agg_states_create(wr_agg_states *s, uint8_t *entries, uint32_t stride, uint32_t count) {
    for (uint32_t c = 0; c < s->plan->call_count; c++) {
        const wr_agg_call *call = &s->plan->calls[c];
        call->ops->init(&s->contexts[c], entries + call->offset, stride, count);
    }
}

void wr_agg_states_destroy(wr_agg_states *s, uint8_t *entries, uint32_t stride, uint32_t count) {
    if (!s->plan->owns || !count) return;
    for (uint32_t c = 0; c < s->plan->call_count; c++) {
        const wr_agg_call *call = &s->plan->calls[c];
        if (call->ops->destroy) call->ops->destroy(&s->contexts[c], entries + call->offset, stride, count);
    }
}

/* Rows where the FILTER is true, as a bitmap. */
static wr_status filter_pass(wr_agg_states *s, const wr_vector *filter, uint32_t count, wr_error *err) {
    wr_allocator *a = s->plan->allocator;
    if (s->pass_capacity < count) {
        uint64_t *pass = wr_alloc(a, pass_bytes(count));
        if (!pass) return wr_fail_memory(err, pass_bytes(count), "the filter of an aggregate");
        if (s->pass) wr_free(a, s->pass, pass_bytes(s->pass_capacity));
        s->pass = pass;
        s->pass_capacity = count;
    }
    if (filter->kind != WR_FLAT) {
        WR_TRY(wr_vector_flatten(&s->flat, a, filter, err));
        filter = &s->flat;
    }
    const uint64_t *bits = filter->data;
    for (size_t w = 0; w < wr_bitmap_words(count); w++) {
        s->pass[w] = bits[w] & (filter->validity ? filter->validity[w] : UINT64_MAX);
    }
    return WR_OK;
}

/* The products of the batch, row by row. */
static wr_status multiply(wr_agg_states *s, const wr_batch *batch, wr_error *err) {
    const wr_agg_plan *plan = s->plan;
    if (!s->products) {
        size_t bytes = sizeof *s->products * plan->product_count;
        s->products = wr_alloc_zeroed(plan->allocator, bytes);
        if (!s->products) return wr_fail_memory(err, bytes, "aggregation");
    }
    if (!s->program) WR_TRY(wr_program_state_create(&s->program, plan->program, plan->allocator, err));
    return wr_program_run(s->program, batch, s->products, err);
}

static const wr_vector *argument(const wr_agg_states *s, const wr_batch *batch, uint32_t arg) {
    return arg < s->plan->input_count ? &batch->columns[arg] : &s->products[arg - s->plan->input_count];
}

static wr_status update_call(wr_agg_states *s, uint32_t c, const wr_batch *batch, uint8_t *entries,
                             const uint32_t *groups, wr_error *err) {
    const wr_agg_call *call = &s->plan->calls[c];
    const wr_vector *args = s->args;
    if (call->spec.arg_count == 1) {
        args = argument(s, batch, call->spec.args[0]);
    } else {
        /* Borrowed for the call alone: nothing is retained or released. */
        for (uint32_t i = 0; i < call->spec.arg_count; i++) s->args[i] = *argument(s, batch, call->spec.args[i]);
    }
    bool filtered = call->spec.filter != WR_AGGREGATE_NO_FILTER;
    if (filtered) WR_TRY(filter_pass(s, &batch->columns[call->spec.filter], batch->row_count, err));
    wr_aggregate_context *context = &s->contexts[c];
    context->err = err;
    context->ordinal = batch->ordinal;
    return call->ops->update(context, args, call->spec.arg_count, filtered ? s->pass : NULL, batch->row_count,
                             (wr_state_rows){entries + call->offset, groups, s->plan->entry_bytes});
}

wr_status wr_agg_states_update(wr_agg_states *s, const wr_batch *batch, uint8_t *entries, const uint32_t *groups,
                               uint32_t group_count, wr_error *err) {
    bool folded = false;
    if (group_count && s->plan->folds) {
        if (!s->algebra) s->algebra = wr_agg_algebra_create(s->plan);
        folded = s->algebra && wr_agg_algebra_add(s->algebra, batch, s->contexts, entries, groups, group_count);
        if (folded) s->folded_rows += batch->row_count;
    }
    bool multiplied = false;
    for (uint32_t c = 0; c < s->plan->call_count; c++) {
        if (folded && wr_agg_algebra_handles(s->algebra, c)) continue;
        const wr_agg_call *call = &s->plan->calls[c];
        for (uint32_t i = 0; i < call->spec.arg_count && !multiplied; i++) {
            if (call->spec.args[i] < s->plan->input_count) continue;
            WR_TRY(multiply(s, batch, err));
            multiplied = true;
        }
        WR_TRY(update_call(s, c, batch, entries, groups, err));
    }
    return WR_OK;
}

void wr_agg_states_settle(wr_agg_states *s, uint8_t *entries) {
    if (s->algebra) wr_agg_algebra_settle(s->algebra, s->contexts, entries);
}

wr_status wr_agg_states_merge(wr_agg_states *s, uint8_t *source, uint32_t stride, uint32_t count, uint8_t *entries,
                              const uint32_t *groups, wr_error *err) {
    wr_status status = WR_OK;
    for (uint32_t c = 0; c < s->plan->call_count; c++) {
        const wr_agg_call *call = &s->plan->calls[c];
        wr_aggregate_context *context = &s->contexts[c];
        context->err = err;
        if (status == WR_OK) {
            status = call->ops->merge(context, source + call->offset, stride, count,
                                      (wr_state_rows){entries + call->offset, groups, s->plan->entry_bytes});
        } else if (call->ops->destroy) {
            call->ops->destroy(context, source + call->offset, stride, count);
        }
    }
    return status;
}

wr_status wr_agg_states_finalize(wr_agg_states *s, const uint8_t *entries, uint32_t count, wr_batch *out,
                                 wr_error *err) {
    for (uint32_t c = 0; c < s->plan->call_count; c++) {
        const wr_agg_call *call = &s->plan->calls[c];
        wr_aggregate_context *context = &s->contexts[c];
        context->err = err;
        WR_TRY(call->ops->finalize(context, entries + call->offset, s->plan->entry_bytes, count,
                                   &out->columns[s->plan->key_count + c]));
    }
    return WR_OK;
}
