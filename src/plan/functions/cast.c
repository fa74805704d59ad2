/* CAST and TRY_CAST: numbers here, text in cast_text.c, dates and times in cast_time.c.
 *
 * A conversion says which rows it could not convert; what becomes of them, an error or NULL, is decided once, here. */
#include "plan/functions/cast_internal.h"

#include <math.h>

#include "kernel/arith.h"
#include "kernel/bits.h"
#include "kernel/cast.h"
#include "kernel/compare.h"

/* ---- numbers ---- */

static wr_status cast_number(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    WR_TRY(wr_call_prepare(c, result));
    *failed =
        c->kernels->cast->number[in->phys][result->phys](in->data, c->row_count, wr_vector_data_mut(result), c->failed);
    return WR_OK;
}

/* Which of the four rescaling loops. */
static unsigned rescale_index(wr_phys from, wr_phys to) {
    if (from == WR_PHYS_I64) return to == WR_PHYS_I64 ? 0 : 1;
    return to == WR_PHYS_I128 ? 2 : 3;
}

/* The integer as int64 or int128 first (loops that look twice may not write over what they read), then the digits. */
static wr_status cast_integer_to_decimal(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    WR_TRY(wr_call_prepare(c, result));
    const wr_cast_kernels *k = c->kernels->cast;
    bool wide = in->phys == WR_PHYS_I128 || in->phys == WR_PHYS_U64;
    wr_phys phys = wide ? WR_PHYS_I128 : WR_PHYS_I64;
    wr_int128 factor = wr_power_of_ten(c->result.scale), limit = wr_power_of_ten(c->result.precision) - 1;
    wr_vector integers = {0};
    const void *from = in->data;
    if (in->phys != phys) {
        wr_type type = wr_type_of(wide ? WR_TYPE_HUGEINT : WR_TYPE_BIGINT);
        WR_TRY(wr_vector_prepare(&integers, c->allocator, type, c->row_count, false, c->err));
        (void)k->number[in->phys][phys](in->data, c->row_count, wr_vector_data_mut(&integers), c->failed);
        from = integers.data;
    }
    *failed = k->rescale_up[rescale_index(phys, (wr_phys)result->phys)](from, c->row_count, factor, limit,
                                                                        wr_vector_data_mut(result), c->failed);
    wr_vector_deinit(&integers);
    return WR_OK;
}

static wr_status cast_decimal(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    WR_TRY(wr_call_prepare(c, result));
    const wr_cast_kernels *k = c->kernels->cast;
    void *out = wr_vector_data_mut(result);
    wr_int128 limit = wr_power_of_ten(c->result.precision) - 1;
    unsigned from = in->type.scale, to = c->result.scale;
    unsigned loop = rescale_index((wr_phys)in->phys, (wr_phys)result->phys);
    *failed = to >= from
                  ? k->rescale_up[loop](in->data, c->row_count, wr_power_of_ten(to - from), limit, out, c->failed)
                  : k->rescale_down[loop](in->data, c->row_count, wr_power_of_ten(from - to), limit, out, c->failed);
    return WR_OK;
}

static wr_status cast_decimal_to_integer(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    WR_TRY(wr_call_prepare(c, result));
    const wr_cast_kernels *k = c->kernels->cast;
    wr_vector whole = {0};
    WR_TRY(wr_vector_prepare(&whole, c->allocator,
                             wr_type_of(in->phys == WR_PHYS_I64 ? WR_TYPE_BIGINT : WR_TYPE_HUGEINT), c->row_count,
                             false, c->err));
    wr_int128 limit = (wr_int128)(~(wr_uint128)0 >> 1);
    (void)k->rescale_down[rescale_index((wr_phys)in->phys, (wr_phys)in->phys)](
        in->data, c->row_count, wr_power_of_ten(in->type.scale), limit, wr_vector_data_mut(&whole), c->failed);
    if (whole.phys == result->phys) {
        memcpy(wr_vector_data_mut(result), whole.data, c->row_count * wr_phys_bytes((wr_phys)whole.phys));
    } else {
        *failed = k->number[whole.phys][result->phys](whole.data, c->row_count, wr_vector_data_mut(result), c->failed);
    }
    wr_vector_deinit(&whole);
    return WR_OK;
}

static wr_status cast_decimal_to_float(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    (void)failed;
    WR_TRY(wr_call_prepare(c, result));
    if (result->phys == WR_PHYS_F64) {
        double unit = (double)wr_power_of_ten(in->type.scale);
        double *out = wr_vector_data_mut(result);
        (void)c->kernels->cast->number[in->phys][WR_PHYS_F64](in->data, c->row_count, out, c->failed);
        if (in->type.scale) {
            (void)c->kernels->arith->vc[WR_PHYS_F64][WR_DIV](out, &unit, c->row_count, out, c->failed);
        }
        return WR_OK;
    }
    double unit = (double)wr_power_of_ten(in->type.scale);
    float *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        double digits =
            in->phys == WR_PHYS_I64 ? (double)((const int64_t *)in->data)[i] : (double)((const wr_int128 *)in->data)[i];
        out[i] = (float)(digits / unit);
    }
    return WR_OK;
}

/* Rounds half away from zero; what has too many digits, and NaN, fails. */
static wr_status cast_float_to_decimal(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    WR_TRY(wr_call_prepare(c, result));
    double unit = (double)wr_power_of_ten(c->result.scale), limit = (double)wr_power_of_ten(c->result.precision);
    bool small = result->phys == WR_PHYS_I64;
    void *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        if (i % 64 == 0) c->failed[i / 64] = 0;
        double x = in->phys == WR_PHYS_F64 ? ((const double *)in->data)[i] : (double)((const float *)in->data)[i];
        double digits = round(x * unit);
        bool fits = fabs(digits) < limit;
        if (!fits) {
            digits = 0;
            *failed = true;
            wr_bit_set(c->failed, i);
        }
        if (small) {
            ((int64_t *)out)[i] = (int64_t)digits;
        } else {
            ((wr_int128 *)out)[i] = (wr_int128)digits;
        }
    }
    return WR_OK;
}

static wr_status cast_to_boolean(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    (void)failed;
    static const wr_int128 zero = 0; /* of any width, and of floats */
    WR_TRY(wr_call_prepare(c, result));
    c->kernels->compare->vc[in->phys][WR_NE](in->data, &zero, c->row_count, wr_vector_data_mut(result));
    return WR_OK;
}

static wr_status cast_null(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    (void)in;
    (void)failed;
    WR_TRY(wr_call_prepare_nullable(c, result));
    memset(wr_vector_data_mut(result), 0,
           result->phys == WR_PHYS_BOOL ? wr_bitmap_bytes(c->row_count)
                                        : c->row_count * wr_phys_bytes((wr_phys)result->phys));
    wr_bitmap_fill(wr_vector_validity_mut(result), c->row_count, false);
    return WR_OK;
}

static wr_cast_loop number_loop(wr_type from, wr_type to) {
    bool decimal_from = from.id == WR_TYPE_DECIMAL, decimal_to = to.id == WR_TYPE_DECIMAL;
    bool float_from = from.id == WR_TYPE_FLOAT || from.id == WR_TYPE_DOUBLE;
    bool float_to = to.id == WR_TYPE_FLOAT || to.id == WR_TYPE_DOUBLE;
    bool number_from = wr_type_is_numeric(from) || from.id == WR_TYPE_BOOLEAN;
    if (!number_from || !(wr_type_is_numeric(to) || to.id == WR_TYPE_BOOLEAN)) return NULL;
    if (to.id == WR_TYPE_BOOLEAN) return cast_to_boolean;
    if (decimal_from && decimal_to) return cast_decimal;
    if (decimal_from) return float_to ? cast_decimal_to_float : cast_decimal_to_integer;
    if (decimal_to) return float_from ? cast_float_to_decimal : cast_integer_to_decimal;
    return cast_number;
}

/* ---- the outcome ---- */

static wr_status fail_row(const wr_call_context *c, const wr_vector *in, uint32_t row) {
    wr_text type;
    wr_text_init(&type, c->allocator);
    wr_text_addz(&type, "cannot cast to ");
    wr_type_print(&type, c->result);
    wr_status status = wr_call_fail(c, in, 1, "", row, type.failed ? "cannot cast" : type.data);
    wr_text_deinit(&type);
    if (c->err && status == WR_VALUE) wr_hint(c->err, "TRY_CAST gives NULL instead");
    return status;
}

static wr_status nullify(wr_call_context *c, wr_vector *result) {
    WR_TRY(wr_vector_add_validity(result, c->allocator, c->err));
    c->kernels->bits->and_not(result->validity, c->failed, c->row_count, wr_vector_validity_mut(result));
    return WR_OK;
}

static wr_status run(wr_call_context *c, const wr_vector *in, bool try_, wr_vector *result) {
    wr_type from = in->type, to = c->result;
    wr_cast_loop loop = from.id == WR_TYPE_NULL ? cast_null : number_loop(from, to);
    if (!loop) loop = wr_cast_time_loop(from, to);
    if (!loop) loop = wr_cast_text_loop(from, to);
    if (!loop) {
        wr_text types;
        wr_text_init(&types, c->allocator);
        wr_type_print(&types, from);
        wr_text_addz(&types, " to ");
        wr_type_print(&types, to);
        wr_status status = wr_fail(c->err, WR_INVALID, "there is no cast from %s", types.failed ? "?" : types.data);
        wr_text_deinit(&types);
        return status;
    }
    bool failed = false;
    WR_TRY(loop(c, in, result, &failed));
    if (!failed) return WR_OK;
    if (try_) return nullify(c, result);
    uint32_t row = wr_call_first_failed(c);
    return row == UINT32_MAX ? WR_OK : fail_row(c, in, row);
}

static wr_status run_cast(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return run(c, args, false, result);
}
static wr_status run_try_cast(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return run(c, args, true, result);
}

const wr_function wr_cast_functions[2] = {
    {.name = "cast",
     .parameters = {WR_ANY},
     .run = run_cast,
     .can_fail = true,
     .cost_ns = 1,
     .summary = "the value in another type"},
    {.name = "try_cast",
     .parameters = {WR_ANY},
     .run = run_try_cast,
     .cost_ns = 1,
     .summary = "the value in another type, NULL where it has no counterpart"},
};
