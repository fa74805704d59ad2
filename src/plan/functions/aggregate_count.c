/* count(*), count(x), count_if(condition). */
#include "kernel/bits.h"
#include "plan/functions/aggregate.h"

static uint32_t state_bytes(const wr_type *arg_types, uint32_t arg_count) {
    (void)arg_types;
    (void)arg_count;
    return sizeof(uint64_t);
}

static void init(const wr_aggregate_context *c, uint8_t *base, uint32_t stride, uint32_t count) {
    (void)c;
    WR_CLEAR_STATES(base, stride, count, sizeof(uint64_t));
}

static void add_rows(const wr_aggregate_context *c, const uint64_t *rows, uint32_t row_count, wr_state_rows states) {
    if (states.group) {
        c->kernels->reduce->group_count(rows, states.group, row_count, states.base, states.stride);
    } else {
        *(uint64_t *)(void *)states.base += rows ? c->kernels->bits->count(rows, row_count) : row_count;
    }
}

static wr_status update(const wr_aggregate_context *c, const wr_vector *args, uint32_t arg_count, const uint64_t *pass,
                        uint32_t row_count, wr_state_rows states) {
    uint64_t scratch[WR_AGGREGATE_SCRATCH_WORDS];
    bool any = true;
    const uint64_t *rows = arg_count ? wr_aggregate_rows(c, &args[0], pass, row_count, scratch, &any) : pass;
    if (any) add_rows(c, rows, row_count, states);
    return WR_OK;
}

static wr_status true_rows(const wr_aggregate_context *c, const wr_chunk *chunk) {
    uint64_t rows[WR_AGGREGATE_SCRATCH_WORDS];
    const uint64_t *value = chunk->data;
    for (uint32_t w = 0; w * 64 < chunk->row_count; w++) rows[w] = value[w] & wr_chunk_word(chunk, w);
    add_rows(c, rows, chunk->row_count, chunk->states);
    return WR_OK;
}

static wr_status update_if(const wr_aggregate_context *c, const wr_vector *args, uint32_t arg_count,
                           const uint64_t *pass, uint32_t row_count, wr_state_rows states) {
    (void)arg_count;
    return wr_aggregate_chunks(c, &args[0], pass, row_count, states, true_rows);
}

static wr_status merge(const wr_aggregate_context *c, uint8_t *source, uint32_t source_stride, uint32_t count,
                       wr_state_rows targets) {
    (void)c;
    for (uint32_t i = 0; i < count; i++) {
        *(uint64_t *)(void *)wr_state_of(targets, i) += *(uint64_t *)(void *)(source + (size_t)i * source_stride);
    }
    return WR_OK;
}

static wr_status finalize(const wr_aggregate_context *c, const uint8_t *base, uint32_t stride, uint32_t count,
                          wr_vector *result) {
    WR_TRY(wr_vector_prepare(result, c->allocator, c->result, count, false, c->err));
    int64_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < count; i++) memcpy(&out[i], base + (size_t)i * stride, sizeof out[i]);
    return WR_OK;
}

static wr_status retract(const wr_aggregate_context *c, const wr_vector *args, uint32_t arg_count, const uint64_t *pass,
                         uint32_t row_count, wr_state_rows states) {
    uint64_t scratch[WR_AGGREGATE_SCRATCH_WORDS];
    bool any = true;
    const uint64_t *rows = arg_count ? wr_aggregate_rows(c, &args[0], pass, row_count, scratch, &any) : pass;
    wr_chunk chunk = {NULL, rows, any ? row_count : 0, 0, states};
    WR_EACH_VALID(&chunk, i) * (uint64_t *)(void *)wr_state_of(states, (uint32_t)i) -= 1;
    return WR_OK;
}

static void add_total(const wr_aggregate_context *c, uint8_t *state, wr_int128 sum, uint64_t count) {
    (void)c;
    (void)sum;
    *(uint64_t *)(void *)state += count;
}

static const wr_aggregate_ops count_rows_ops = {.state_bytes = state_bytes,
                                                .init = init,
                                                .update = update,
                                                .merge = merge,
                                                .finalize = finalize,
                                                .retract = retract,
                                                .add_total = add_total,
                                                .combines_with = "sum"};
static const wr_aggregate_ops count_ops = {.state_bytes = state_bytes,
                                           .init = init,
                                           .update = update,
                                           .merge = merge,
                                           .finalize = finalize,
                                           .retract = retract,
                                           .combines_with = "sum"};
static const wr_aggregate_ops count_if_ops = {.state_bytes = state_bytes,
                                              .init = init,
                                              .update = update_if,
                                              .merge = merge,
                                              .finalize = finalize,
                                              .combines_with = "sum"};

static const wr_function rows[] = {
    {.name = "count",
     .aliases = "count_star",
     .kind = WR_FUNCTION_AGGREGATE,
     .result_id = WR_TYPE_BIGINT,
     .aggregate = &count_rows_ops,
     .summary = "number of rows"},
    {.name = "count",
     .kind = WR_FUNCTION_AGGREGATE,
     .parameters = {WR_ANY},
     .result_id = WR_TYPE_BIGINT,
     .aggregate = &count_ops,
     .summary = "number of rows where the argument is not NULL"},
    {.name = "count_if",
     .aliases = "countif",
     .kind = WR_FUNCTION_AGGREGATE,
     .parameters = {WR_EXACT(BOOLEAN)},
     .result_id = WR_TYPE_BIGINT,
     .aggregate = &count_if_ops,
     .summary = "number of rows where the argument is true"},
};

const wr_function_set wr_functions_aggregate_count = {"aggregate_count", rows, WR_COUNT_OF(rows)};
