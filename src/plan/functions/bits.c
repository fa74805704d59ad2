/* & | xor ~ << >> and bit_count, of integers. */
#include "plan/functions/call.h"

#define RUN(name)                                                                                                      \
    static wr_status name(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result)

static wr_status resolve_common(wr_resolution *r, wr_error *err) {
    wr_type common;
    if (!wr_expr_common_type(r->args, r->arg_count, &common)) {
        return wr_fail(err, WR_INVALID, "%s does not take these types", r->function->name);
    }
    for (uint32_t i = 0; i < r->arg_count; i++) r->arg_types[i] = common;
    r->result = common;
    return WR_OK;
}

static wr_status resolve_first(wr_resolution *r, wr_error *err) {
    (void)err;
    r->result = r->arg_types[0];
    return WR_OK;
}

/* One loop for each width; signs do not matter to bits. */
#define EACH_WIDTH(body)                                                                                               \
    switch (wr_phys_bytes((wr_phys)args[0].phys)) {                                                                    \
    case 1: body(uint8_t); break;                                                                                      \
    case 2: body(uint16_t); break;                                                                                     \
    case 4: body(uint32_t); break;                                                                                     \
    case 8: body(uint64_t); break;                                                                                     \
    default: body(wr_uint128); break;                                                                                  \
    }

#define BINARY(name, sign)                                                                                             \
    RUN(run_##name) {                                                                                                  \
        (void)arg_count;                                                                                               \
        WR_TRY(wr_call_prepare(c, result));                                                                            \
        size_t step_a = wr_step(&args[0]), step_b = wr_step(&args[1]);                                                 \
        EACH_WIDTH(BINARY_##name)                                                                                      \
        return WR_OK;                                                                                                  \
    }
#define BINARY_LOOP(type, sign)                                                                                        \
    do {                                                                                                               \
        const type *a = args[0].data, *b = args[1].data;                                                               \
        type *out = wr_vector_data_mut(result);                                                                        \
        for (uint32_t i = 0; i < c->row_count; i++) out[i] = (type)(a[i * step_a] sign b[i * step_b]);                 \
    } while (0)
#define BINARY_and(type) BINARY_LOOP(type, &)
#define BINARY_or(type) BINARY_LOOP(type, |)
#define BINARY_xor(type) BINARY_LOOP(type, ^)
BINARY(and, &)
BINARY(or, |)
BINARY(xor, ^)

RUN(run_not) {
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    size_t bytes = c->row_count * wr_phys_bytes((wr_phys)args[0].phys);
    const uint8_t *a = args[0].data;
    uint8_t *out = wr_vector_data_mut(result);
    for (size_t i = 0; i < bytes; i++) out[i] = (uint8_t)~a[i];
    return WR_OK;
}

RUN(run_count) {
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    int8_t *out = wr_vector_data_mut(result);
    size_t width = wr_phys_bytes((wr_phys)args[0].phys);
    const uint8_t *a = args[0].data;
    for (uint32_t i = 0; i < c->row_count; i++) {
        int count = 0;
        for (size_t k = 0; k < width; k++) count += __builtin_popcount(a[i * width + k]);
        out[i] = (int8_t)count;
    }
    return WR_OK;
}

/* Shifts of BIGINT: bits that are pushed out of the type are an error, as is a shift by a negative number. */
static bool shift_left(int64_t value, int64_t by, int64_t *out) {
    *out = 0;
    if (by < 0 || value < 0) return false;
    if (by >= 64) return value == 0;
    *out = (int64_t)((uint64_t)value << by);
    return by == 0 || value >> (63 - by) == 0;
}
RUN(run_left) {
    WR_TRY(wr_call_prepare(c, result));
    const int64_t *a = args[0].data, *b = args[1].data;
    int64_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        if (!shift_left(a[i * wr_step(&args[0])], b[i * wr_step(&args[1])], &out[i]) && wr_is_active(c, i)) {
            return wr_call_fail(c, args, arg_count, "<<", i, "overflow in a shift");
        }
    }
    return WR_OK;
}
RUN(run_right) {
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    const int64_t *a = args[0].data, *b = args[1].data;
    int64_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        int64_t by = b[i * wr_step(&args[1])];
        out[i] = by < 0 || by >= 64 ? 0 : a[i * wr_step(&args[0])] >> by;
    }
    return WR_OK;
}

#define I WR_INTEGER
#define B WR_EXACT(BIGINT)

static const wr_function rows[] = {
    {.name = "&",
     .parameters = {I, I},
     .resolve = resolve_common,
     .run = run_and,
     .cost_ns = 0.5f,
     .summary = "bits that are set in both"},
    {.name = "|",
     .parameters = {I, I},
     .resolve = resolve_common,
     .run = run_or,
     .cost_ns = 0.5f,
     .summary = "bits that are set in one of both"},
    {.name = "xor",
     .parameters = {I, I},
     .resolve = resolve_common,
     .run = run_xor,
     .cost_ns = 0.5f,
     .summary = "bits that are set in exactly one"},
    {.name = "~",
     .parameters = {I},
     .resolve = resolve_first,
     .run = run_not,
     .cost_ns = 0.5f,
     .summary = "all bits turned over"},
    {.name = "<<",
     .parameters = {B, B},
     .result_id = WR_TYPE_BIGINT,
     .run = run_left,
     .can_fail = true,
     .cost_ns = 1,
     .summary = "bits moved to the left"},
    {.name = ">>",
     .parameters = {B, B},
     .result_id = WR_TYPE_BIGINT,
     .run = run_right,
     .cost_ns = 1,
     .summary = "bits moved to the right"},
    {.name = "bit_count",
     .parameters = {I},
     .result_id = WR_TYPE_TINYINT,
     .run = run_count,
     .cost_ns = 2,
     .summary = "number of bits that are set"},
};

const wr_function_set wr_functions_bits = {"bits", rows, WR_COUNT_OF(rows)};
