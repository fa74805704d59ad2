/* The built-in functions, one set a file: src/plan/functions/<area>.c defines wr_functions_<area>. */
#ifndef WR_PLAN_FUNCTIONS_FUNCTIONS_H
#define WR_PLAN_FUNCTIONS_FUNCTIONS_H

#include "plan/function.h"

#define WR_FUNCTION_SETS(SET)                                                                                          \
    SET(arithmetic)                                                                                                    \
    SET(compare)                                                                                                       \
    SET(logic)                                                                                                         \
    SET(math)                                                                                                          \
    SET(bits)                                                                                                          \
    SET(text)                                                                                                          \
    SET(text_build)                                                                                                    \
    SET(text_case)                                                                                                     \
    SET(like)                                                                                                          \
    SET(regexp)                                                                                                        \
    SET(date_arithmetic)                                                                                               \
    SET(date_part)                                                                                                     \
    SET(date_trunc)                                                                                                    \
    SET(date_text)                                                                                                     \
    SET(aggregate_count)                                                                                               \
    SET(aggregate_sum)                                                                                                 \
    SET(aggregate_avg)                                                                                                 \
    SET(aggregate_minmax)                                                                                              \
    SET(aggregate_first)

#define WR_FUNCTION_SET_(area) extern const wr_function_set wr_functions_##area;
WR_FUNCTION_SETS(WR_FUNCTION_SET_)
#undef WR_FUNCTION_SET_

#endif
