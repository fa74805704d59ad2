/* Casts: which exist, which can fail, how one runs over a column. One implementation serves CAST in a query, folding,
 * literals and statistics. */
#ifndef WR_PLAN_CAST_H
#define WR_PLAN_CAST_H

#include "plan/function.h"

/* A cast that somebody may write; what is done unasked is wr_cast_cost's to say. */
bool wr_cast_exists(wr_type from, wr_type to);
/* Some value of `from` has no counterpart in `to`. */
bool wr_cast_can_fail(wr_type from, wr_type to);

/* The same bits mean the same value in both types: nothing is to be done. */
bool wr_cast_is_relabel(wr_type from, wr_type to);
/* Copies what the value points to into the arena. */
WR_MUST_CHECK wr_status wr_value_keep(wr_arena *arena, wr_value *value, wr_error *err);

/* The decimal that holds every value of an integer type; a decimal as it is. */
wr_type wr_type_as_decimal(wr_type type);

/* An integer's or a decimal's digits as one number, whatever its width. */
static inline wr_int128 wr_value_integer(const wr_value *v) {
    if (v->type.id == WR_TYPE_HUGEINT ||
        (v->type.id == WR_TYPE_DECIMAL && v->type.precision > WR_DECIMAL_SMALL_DIGITS)) {
        return v->i128;
    }
    return v->type.id >= WR_TYPE_UTINYINT && v->type.id <= WR_TYPE_UBIGINT ? (wr_int128)v->u64 : (wr_int128)v->i64;
}
/* The casts as functions of one argument: from its type to context->result. [0] raises an error, [1] gives NULL. */
extern const wr_function wr_cast_functions[2];
/* Nanoseconds a row, roughly. */
float wr_cast_cost_ns(wr_type from, wr_type to);

#endif
