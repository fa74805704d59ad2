/* Hashing of bytes: XXH3, whose result is fixed for all platforms. */
#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

_Atomic int wr_hash_all_zero;

uint64_t wr_hash_bytes(const void *data, size_t size) {
    if (__builtin_expect(__atomic_load_n((int *)&wr_hash_all_zero, __ATOMIC_RELAXED), 0)) return 0;
    return XXH3_64bits(data, size);
}
