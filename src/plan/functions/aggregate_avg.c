/* avg: the sum as sum keeps it and a count, divided once at the end. */
#include "plan/functions/aggregate.h"

static uint32_t state_bytes(const wr_type *arg_types, uint32_t arg_count) {
    (void)arg_count;
    return wr_sum_bytes(wr_sum_kind_of(arg_types[0])) + sizeof(uint64_t);
}

static void init(const wr_aggregate_context *c, uint8_t *base, uint32_t stride, uint32_t count) {
    WR_CLEAR_STATES(base, stride, count, state_bytes(&c->arg_type, 1));
}

static wr_status update(const wr_aggregate_context *c, const wr_vector *args, uint32_t arg_count, const uint64_t *pass,
                        uint32_t row_count, wr_state_rows states) {
    (void)arg_count;
    return wr_sum_update(c, &args[0], pass, row_count, states, WR_TAIL_COUNT);
}

static void add_total(const wr_aggregate_context *c, uint8_t *state, wr_int128 sum, uint64_t count) {
    wr_sum_kind kind = wr_sum_kind_of(c->arg_type);
    wr_sum_add(kind, state, sum);
    *wr_sum_tail_of(kind, state) += count;
}

static wr_status merge(const wr_aggregate_context *c, uint8_t *source, uint32_t source_stride, uint32_t count,
                       wr_state_rows targets) {
    wr_sum_kind kind = wr_sum_kind_of(c->arg_type);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *target = wr_state_of(targets, i), *from = source + (size_t)i * source_stride;
        wr_sum_merge(kind, target, from);
        *wr_sum_tail_of(kind, target) += *wr_sum_tail_of(kind, from);
    }
    return WR_OK;
}

/* sum / divisor as whole part and rest, so that what is rounded is the quotient. */
static double divide(wr_int128 sum, wr_int128 divisor) {
    return (double)(sum / divisor) + (double)(sum % divisor) / (double)divisor;
}

static double mean_of(const wr_aggregate_context *c, wr_sum_kind kind, const uint8_t *state, uint64_t count) {
    wr_int128 sum;
    double unit = 1;
    if (kind == WR_SUM_FLOAT) return wr_float_sum_finish((const wr_float_sum *)(const void *)state) / (double)count;
    if (c->arg_type.id == WR_TYPE_DECIMAL) unit = (double)wr_power_of_ten(c->arg_type.scale);
    if (kind == WR_SUM_192) {
        const wr_sum192 *wide = (const wr_sum192 *)(const void *)state;
        if (!wr_sum192_get(wide, &sum)) {
            double value = ((double)wide->high * 0x1p64 + (double)wide->middle) * 0x1p64 + (double)wide->low;
            return value / (double)count / unit;
        }
    } else {
        sum = wr_sum_read128(state);
    }
    wr_int128 divisor;
    bool exact = !__builtin_mul_overflow((wr_int128)count, wr_power_of_ten(unit > 1 ? c->arg_type.scale : 0), &divisor);
    return exact ? divide(sum, divisor) : divide(sum, (wr_int128)count) / unit;
}

static wr_status finalize(const wr_aggregate_context *c, const uint8_t *base, uint32_t stride, uint32_t count,
                          wr_vector *result) {
    wr_sum_kind kind = wr_sum_kind_of(c->arg_type);
    WR_TRY(wr_vector_prepare(result, c->allocator, c->result, count, true, c->err));
    double *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *state = base + (size_t)i * stride;
        uint64_t rows = wr_sum_tail_value(kind, state);
        out[i] = rows ? mean_of(c, kind, state, rows) : 0;
        if (!rows) wr_bit_clear(wr_vector_validity_mut(result), i);
    }
    return WR_OK;
}

/* Of instants: rounded to the nearest tick. */
static wr_status finalize_time(const wr_aggregate_context *c, const uint8_t *base, uint32_t stride, uint32_t count,
                               wr_vector *result) {
    WR_TRY(wr_vector_prepare(result, c->allocator, c->result, count, true, c->err));
    int64_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *state = base + (size_t)i * stride;
        wr_int128 rows = (wr_int128)wr_sum_tail_value(WR_SUM_128, state), sum = wr_sum_read128(state);
        out[i] = rows ? (int64_t)((sum + (sum < 0 ? -rows : rows) / 2) / rows) : 0;
        if (!rows) wr_bit_clear(wr_vector_validity_mut(result), i);
    }
    return WR_OK;
}

static wr_status resolve(wr_resolution *r, wr_error *err) {
    (void)err;
    r->result = wr_type_of(WR_TYPE_DOUBLE);
    return WR_OK;
}

static wr_status resolve_time(wr_resolution *r, wr_error *err) {
    (void)err;
    r->result = r->arg_types[0];
    return WR_OK;
}

static const wr_aggregate_ops ops = {.state_bytes = state_bytes,
                                     .init = init,
                                     .update = update,
                                     .merge = merge,
                                     .finalize = finalize,
                                     .add_total = add_total};
static const wr_aggregate_ops time_ops = {.state_bytes = state_bytes,
                                          .init = init,
                                          .update = update,
                                          .merge = merge,
                                          .finalize = finalize_time,
                                          .add_total = add_total};

#define AVG(parameter, how, resolution)                                                                                \
    {                                                                                                                  \
        .name = "avg", .aliases = "mean", .kind = WR_FUNCTION_AGGREGATE, .parameters = {parameter},                    \
        .resolve = resolution, .aggregate = &(how), .summary = "mean of the values that are not NULL"                  \
    }

static const wr_function rows[] = {
    AVG(WR_NUMBER, ops, resolve),
    AVG(WR_EXACT(TIMESTAMP), time_ops, resolve_time),
    AVG(WR_EXACT(TIMESTAMP_TZ), time_ops, resolve_time),
    AVG(WR_EXACT(TIME), time_ops, resolve_time),
};

const wr_function_set wr_functions_aggregate_avg = {"aggregate_avg", rows, WR_COUNT_OF(rows)};
