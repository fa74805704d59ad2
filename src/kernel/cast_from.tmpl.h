/* The casts of one number type to all others, to itself and to and from booleans.
 *   FROM                    the C type
 *   FROM_NAME               its short name
 *   FROM_BITS               its width
 *   FROM_FLAG               an unsigned type of that width, or a narrower one
 *   FROM_FLOAT, FROM_SIGNED 0 or 1 */

#define TEMPLATE "kernel/cast_pair.tmpl.h"
#include "kernel/each_number.tmpl.h"

static bool WR_CAT(cast, WR_CAT(FROM_NAME, bits))(const void *a, uint32_t n, void *out, uint64_t *failed) {
    (void)failed;
    const FROM *x = a;
    uint64_t *to = out;
    WR_FILL_BITS(to, n, i, x[i] != 0);
    return false;
}

static bool WR_CAT(cast, WR_CAT(bits, FROM_NAME))(const void *a, uint32_t n, void *out, uint64_t *failed) {
    (void)failed;
    const uint64_t *x = a;
    FROM *to = out;
    for (uint32_t row = 0; row < n; row++) to[row] = (FROM)(x[row / 64] >> (row % 64) & 1);
    return false;
}

#undef FROM
#undef FROM_NAME
#undef FROM_BITS
#undef FROM_FLAG
#undef FROM_FLOAT
#undef FROM_SIGNED
