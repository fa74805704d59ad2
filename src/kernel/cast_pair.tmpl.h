/* The cast of one number type to another. Parameters: the target, as each_number.tmpl.h gives it, and the source, as
 * cast_from.tmpl.h says. */

#define NAMED(what) WR_CAT(what, WR_CAT(FROM_NAME, NAME))

/* True when the value cannot be held. */
WR_ALWAYS_INLINE bool NAMED(convert)(FROM x, T *out) {
#if !FROM_FLOAT && !IS_FLOAT
    const FROM least = (FROM)larger(least_of(FROM_BITS, FROM_SIGNED), least_of(LANE_BITS, IS_SIGNED));
    const FROM most = (FROM)smaller(most_of(FROM_BITS, FROM_SIGNED), most_of(LANE_BITS, IS_SIGNED));
    *out = (T)x;
    return (x < least) | (x > most);
#elif !FROM_FLOAT
    *out = (T)x;
    return false;
#elif !IS_FLOAT
    const FROM least = (FROM)least_of(LANE_BITS, IS_SIGNED);
    const FROM end = IS_SIGNED ? -least : (FROM)((wr_int128)1 << (LANE_BITS % 128));
    FROM rounded = round_even(x);
    bool holds = (rounded >= least) & (rounded < end);
    *out = (T)(holds ? rounded : 0);
    return !holds;
#else
    *out = (T)x;
    return FROM_BITS > LANE_BITS && (fabs((double)*out) == (double)INFINITY) & (fabs((double)x) != (double)INFINITY);
#endif
}

static bool NAMED(cast)(const void *a, uint32_t n, void *out, uint64_t *failed) {
    const FROM *x = a;
    T *restrict to = out;
    FROM_FLAG any = 0;
    for (uint32_t i = 0; i < n; i++) any |= (FROM_FLAG)NAMED(convert)(x[i], &to[i]);
    if (WR_LIKELY(!any)) return false;
    T result;
    WR_FILL_BITS(failed, n, i, NAMED(convert)(x[i], &result));
    return true;
}

#undef NAMED
#include "kernel/each_number_end.tmpl.h"
