/* sum: exact for integers and decimals, in states that cannot overflow and a check at the end; independent of the order of
 * rows for floats (kernel/float_sum.h). */
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
    return wr_sum_update(c, &args[0], pass, row_count, states, WR_TAIL_MARK);
}

static void add_total(const wr_aggregate_context *c, uint8_t *state, wr_int128 sum, uint64_t count) {
    (void)count;
    wr_sum_kind kind = wr_sum_kind_of(c->arg_type);
    wr_sum_add(kind, state, sum);
    *wr_sum_tail_of(kind, state) |= 1;
}

static wr_status merge(const wr_aggregate_context *c, uint8_t *source, uint32_t source_stride, uint32_t count,
                       wr_state_rows targets) {
    wr_sum_kind kind = wr_sum_kind_of(c->arg_type);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *target = wr_state_of(targets, i), *from = source + (size_t)i * source_stride;
        wr_sum_merge(kind, target, from);
        *wr_sum_tail_of(kind, target) |= *wr_sum_tail_of(kind, from);
    }
    return WR_OK;
}

static wr_status fail_overflow(const wr_aggregate_context *c) {
    wr_text type;
    wr_text_init(&type, c->allocator);
    wr_type_print(&type, c->result);
    wr_status status = wr_fail(c->err, WR_VALUE, "a sum does not fit %s", type.failed ? "its type" : type.data);
    wr_text_deinit(&type);
    return c->err ? wr_hint(c->err, "sum the argument as DOUBLE") : status;
}

static wr_status finalize_exact(const wr_aggregate_context *c, wr_sum_kind kind, const uint8_t *base, uint32_t stride,
                                uint32_t count, wr_vector *result) {
    wr_int128 *out = wr_vector_data_mut(result);
    bool decimal = c->result.id == WR_TYPE_DECIMAL;
    wr_int128 limit = decimal ? wr_power_of_ten(c->result.precision) : 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *state = base + (size_t)i * stride;
        out[i] = 0;
        if (!wr_sum_tail_value(kind, state)) {
            wr_bit_clear(wr_vector_validity_mut(result), i);
            continue;
        }
        bool fits = true;
        if (kind == WR_SUM_128) {
            out[i] = wr_sum_read128(state);
        } else {
            fits = wr_sum192_get((const wr_sum192 *)(const void *)state, &out[i]);
        }
        if (!fits || (decimal && (out[i] >= limit || out[i] <= -limit))) return fail_overflow(c);
    }
    return WR_OK;
}

static wr_status finalize(const wr_aggregate_context *c, const uint8_t *base, uint32_t stride, uint32_t count,
                          wr_vector *result) {
    wr_sum_kind kind = wr_sum_kind_of(c->arg_type);
    WR_TRY(wr_vector_prepare(result, c->allocator, c->result, count, true, c->err));
    if (kind != WR_SUM_FLOAT) return finalize_exact(c, kind, base, stride, count, result);
    double *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *state = base + (size_t)i * stride;
        out[i] = wr_float_sum_finish((const wr_float_sum *)(const void *)state);
        if (!wr_sum_tail_value(kind, state)) wr_bit_clear(wr_vector_validity_mut(result), i);
    }
    return WR_OK;
}

static wr_status resolve(wr_resolution *r, wr_error *err) {
    (void)err;
    wr_type type = r->arg_types[0];
    r->result =
        type.id == WR_TYPE_DECIMAL ? wr_type_decimal(WR_DECIMAL_MAX_DIGITS, type.scale) : wr_type_of(WR_TYPE_HUGEINT);
    if (type.id == WR_TYPE_BOOLEAN) r->arg_types[0] = wr_type_of(WR_TYPE_TINYINT);
    return WR_OK;
}

static wr_status resolve_float(wr_resolution *r, wr_error *err) {
    (void)err;
    r->result = wr_type_of(WR_TYPE_DOUBLE);
    return WR_OK;
}

/* Rounded sums of floats would depend on how the rows were split: they do not combine. */
static const wr_aggregate_ops exact_ops = {.state_bytes = state_bytes,
                                           .init = init,
                                           .update = update,
                                           .merge = merge,
                                           .finalize = finalize,
                                           .add_total = add_total,
                                           .combines_with = "sum"};
static const wr_aggregate_ops float_ops = {
    .state_bytes = state_bytes, .init = init, .update = update, .merge = merge, .finalize = finalize};

#define SUM(parameter, ops, resolution)                                                                                \
    {                                                                                                                  \
        .name = "sum", .kind = WR_FUNCTION_AGGREGATE, .parameters = {parameter}, .resolve = resolution,                \
        .aggregate = &(ops), .summary = "sum of the values that are not NULL"                                          \
    }

static const wr_function rows[] = {
    SUM(WR_INTEGER, exact_ops, resolve),
    SUM(WR_DECIMAL, exact_ops, resolve),
    SUM(WR_EXACT(DOUBLE), float_ops, resolve_float),
    SUM(WR_EXACT(FLOAT), float_ops, resolve_float),
    SUM(WR_EXACT(BOOLEAN), exact_ops, resolve),
};

const wr_function_set wr_functions_aggregate_sum = {"aggregate_sum", rows, WR_COUNT_OF(rows)};
