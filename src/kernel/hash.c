/* Hashes of columns; see hash.h. Rows are hashed 64 at a time as if none were NULL, so that the mixing vectorises, and
 * then those that are NULL are set; combining works on such a block while it is in registers or near. */
#include "kernel/hash.h"

#include "kernel/kernel_internal.h"

WR_ALWAYS_INLINE void put_nulls(uint64_t *hashes, uint64_t null) {
    for (; null; null &= null - 1) hashes[__builtin_ctzll(null)] = WR_HASH_NULL;
}

WR_ALWAYS_INLINE void combine_block(const uint64_t *fresh, uint32_t count, uint64_t *out) {
    for (uint32_t j = 0; j < count; j++) out[j] = wr_hash_combine(out[j], fresh[j]);
}

#define TEMPLATE "kernel/hash_number.tmpl.h"
#include "kernel/each_number.tmpl.h"

WR_ALWAYS_INLINE void fill_bits(const void *a, uint32_t row, uint64_t word, uint32_t count, uint64_t *out) {
    (void)word;
    const uint64_t hash_false = wr_hash_u64(0), hash_true = wr_hash_u64(1);
    uint64_t bits = ((const uint64_t *)a)[row / 64];
    for (uint32_t j = 0; j < count; j++) out[j] = bits >> j & 1 ? hash_true : hash_false;
}

/* The view of a NULL row may lead nowhere. */
WR_ALWAYS_INLINE void fill_view(const void *a, uint32_t row, uint64_t word, uint32_t count, uint64_t *out) {
    const wr_string_view *x = (const wr_string_view *)a + row;
    for (uint32_t j = 0; j < count; j++) {
        if (!(word >> j & 1)) continue;
        wr_str text = wr_view_str(&x[j]);
        out[j] = wr_hash_bytes(text.data, text.size);
    }
}

WR_ALWAYS_INLINE void fill_interval(const void *a, uint32_t row, uint64_t word, uint32_t count, uint64_t *out) {
    (void)word;
    const wr_interval *x = (const wr_interval *)a + row;
    for (uint32_t j = 0; j < count; j++) out[j] = wr_hash_i128(wr_interval_length(x[j]));
}

#define NAME bits
#define FILL fill_bits
#include "kernel/hash.tmpl.h"

#define NAME view
#define FILL fill_view
#include "kernel/hash.tmpl.h"

#define NAME interval
#define FILL fill_interval
#include "kernel/hash.tmpl.h"

static void by_code(const uint64_t *entry_hashes, const uint32_t *codes, uint32_t n, uint64_t *out) {
    WR_UNROLL(4)
    for (uint32_t i = 0; i < n; i++) out[i] = entry_hashes[codes[i]];
}

static void combine_by_code(const uint64_t *entry_hashes, const uint32_t *codes, uint32_t n, uint64_t *out) {
    uint64_t fresh[64];
    uint32_t row = 0;
    for (; row + 64 <= n; row += 64) {
        by_code(entry_hashes, codes + row, 64, fresh);
        combine_block(fresh, 64, out + row);
    }
    by_code(entry_hashes, codes + row, n - row, fresh);
    combine_block(fresh, n - row, out + row);
}

const wr_hash_kernels WR_ISA_NAME(wr_hash_kernels) = {
    .hash =
        {
            [WR_PHYS_BOOL] = hash_bits,
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_SCALAR_##class([WR_PHYS_##ID] = hash_##name, )
#include "column/types.def"
        },
    .combine =
        {
            [WR_PHYS_BOOL] = combine_bits,
#define WR_PHYS(ID, name, c_type, width, class) WR_IF_SCALAR_##class([WR_PHYS_##ID] = combine_##name, )
#include "column/types.def"
        },
    .by_code = by_code,
    .combine_by_code = combine_by_code,
};
