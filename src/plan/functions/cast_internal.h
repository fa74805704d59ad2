/* Shared by the files of casts. */
#ifndef WR_PLAN_FUNCTIONS_CAST_INTERNAL_H
#define WR_PLAN_FUNCTIONS_CAST_INTERNAL_H

#include "plan/cast.h"
#include "plan/functions/call.h"

/* Converts a flat column to c->result. Where rows fail, *failed is set and c->failed has their bits (of all rows, valid or
 * not). */
typedef wr_status (*wr_cast_loop)(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed);

/* NULL: not theirs. */
wr_cast_loop wr_cast_text_loop(wr_type from, wr_type to);
wr_cast_loop wr_cast_time_loop(wr_type from, wr_type to);

#endif
