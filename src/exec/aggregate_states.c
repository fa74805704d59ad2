/* Calling the aggregates: all of a batch for one aggregate after the other, so that each runs its own tight loop. */
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

wr_status wr_agg_states_update(wr_agg_states *s, const wr_batch *batch, uint8_t *entries, const uint32_t *groups,
                               wr_error *err) {
    for (uint32_t c = 0; c < s->plan->call_count; c++) {
        const wr_agg_call *call = &s->plan->calls[c];
        const wr_vector *args = s->args;
        if (call->spec.arg_count == 1) {
            args = &batch->columns[call->spec.args[0]];
        } else {
            /* Borrowed for the call alone: nothing is retained or released. */
            for (uint32_t i = 0; i < call->spec.arg_count; i++) s->args[i] = batch->columns[call->spec.args[i]];
        }
        bool filtered = call->spec.filter != WR_AGGREGATE_NO_FILTER;
        if (filtered) WR_TRY(filter_pass(s, &batch->columns[call->spec.filter], batch->row_count, err));
        wr_aggregate_context *context = &s->contexts[c];
        context->err = err;
        context->ordinal = batch->ordinal;
        WR_TRY(call->ops->update(context, args, call->spec.arg_count, filtered ? s->pass : NULL, batch->row_count,
                                 (wr_state_rows){entries + call->offset, groups, s->plan->entry_bytes}));
    }
    return WR_OK;
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
