/* Hashes of one number type. Parameters: see each_number.tmpl.h. */

WR_ALWAYS_INLINE void WR_CAT(fill, NAME)(const void *a, uint32_t row, uint64_t word, uint32_t count, uint64_t *out) {
    (void)word;
    const T *x = (const T *)a + row;
    for (uint32_t j = 0; j < count; j++) {
#if LANE_BITS == 128
        out[j] = wr_hash_i128(x[j]);
#elif IS_FLOAT
        out[j] = wr_hash_f64((double)x[j]);
#else
        out[j] = wr_hash_u64((uint64_t)(IS_SIGNED ? (uint64_t)(int64_t)x[j] : (uint64_t)x[j]));
#endif
    }
}

#define FILL WR_CAT(fill, NAME)
#include "kernel/hash.tmpl.h"

#include "kernel/each_number_end.tmpl.h"
