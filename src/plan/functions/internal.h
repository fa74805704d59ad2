/* Functions that expressions have no name for: what the evaluator makes of NOT, IN and pairs of bounds. */
#ifndef WR_PLAN_FUNCTIONS_INTERNAL_H
#define WR_PLAN_FUNCTIONS_INTERNAL_H

#include "plan/function.h"

extern const wr_function wr_not_function;
/* x, low, high, the last two constants: low <= x and x <= high. */
extern const wr_function wr_range_function;
/* x in the list that is its data. */
extern const wr_function wr_in_function;
WR_MUST_CHECK wr_status wr_in_list_create(wr_arena *arena, const wr_expr *in, const void **out, wr_error *err);

#endif
