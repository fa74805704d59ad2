/* What the built-in functions share: reading arguments, preparing results, reporting the row that failed. */
#ifndef WR_PLAN_FUNCTIONS_CALL_H
#define WR_PLAN_FUNCTIONS_CALL_H

#include "plan/function.h"

/* Rows of a parameter list. */
#define WR_EXACT(ID)                                                                                                   \
    { WR_PARAMETER_EXACT, WR_TYPE_##ID }
#define WR_ANY                                                                                                         \
    { WR_PARAMETER_ANY, 0 }
#define WR_SAME                                                                                                        \
    { WR_PARAMETER_SAME, 0 }
#define WR_NUMBER                                                                                                      \
    { WR_PARAMETER_NUMBER, 0 }
#define WR_INTEGER                                                                                                     \
    { WR_PARAMETER_INTEGER, 0 }
#define WR_DECIMAL                                                                                                     \
    { WR_PARAMETER_DECIMAL, 0 }

static inline wr_status wr_call_prepare(wr_call_context *c, wr_vector *result) {
    return wr_vector_prepare(result, c->allocator, c->result, c->row_count, false, c->err);
}
static inline wr_status wr_call_prepare_nullable(wr_call_context *c, wr_vector *result) {
    return wr_vector_prepare(result, c->allocator, c->result, c->row_count, true, c->err);
}

/* The values of a flat argument of a fixed-width type, as they are. */
static inline wr_status wr_call_copy(wr_call_context *c, const wr_vector *arg, wr_vector *result) {
    WR_TRY(wr_call_prepare(c, result));
    memcpy(wr_vector_data_mut(result), arg->data, c->row_count * wr_phys_bytes((wr_phys)arg->phys));
    return WR_OK;
}

/* 0 for a constant and 1 for a column, so that data[i * step] is the value of row i. */
static inline size_t wr_step(const wr_vector *v) {
    return v->kind == WR_CONSTANT ? 0 : 1;
}
static inline bool wr_is_constant_null(const wr_vector *v) {
    return v->kind == WR_CONSTANT && v->validity && !(v->validity[0] & 1);
}
static inline bool wr_is_valid_row(const wr_vector *v, uint32_t row) {
    return wr_valid(v->validity, v->kind == WR_CONSTANT ? 0 : row);
}
/* A BOOL column's or constant's bit. */
static inline bool wr_bool_row(const wr_vector *v, uint32_t row) {
    return wr_bit_get(v->data, v->kind == WR_CONSTANT ? 0 : row);
}
static inline bool wr_is_active(const wr_call_context *c, uint32_t row) {
    return wr_valid(c->active, row);
}

/* The first row that is set in c->failed and active; UINT32_MAX when there is none. */
uint32_t wr_call_first_failed(const wr_call_context *c);
/* "what: 127 + 1" for row `row`: the sign stands between two arguments, in front of one, and as a name before more. */
wr_status wr_call_fail(const wr_call_context *c, const wr_vector *args, uint32_t arg_count, const char *sign,
                       uint32_t row, const char *what);

/* Makes `out`, a VIEW vector under construction, keep alive what the views of `from` point into: views may then be
 * copied from one to the other. */
WR_MUST_CHECK wr_status wr_vector_keep_heap(wr_vector *out, wr_allocator *a, const wr_vector *from, wr_error *err);

/* Decimal limits: 10^digits for 0 to 38. */
wr_int128 wr_power_of_ten(unsigned digits);
/* Raises an error for the first active row of a decimal result that has more digits than its type. */
wr_status wr_call_check_digits(wr_call_context *c, const wr_vector *args, uint32_t arg_count, const char *sign,
                               const wr_vector *result);

/* A constant argument's value at resolution; false when it is no constant or NULL. */
static inline const wr_value *wr_constant_argument(const wr_resolution *r, uint32_t i) {
    if (i >= r->arg_count || r->args[i]->kind != WR_EXPR_CONSTANT || r->args[i]->value.is_null) return NULL;
    return &r->args[i]->value;
}

#endif
