/* Hashes of key columns of any type and kind: constants are hashed once, dictionaries once per entry. */
#ifndef WR_EXEC_KEY_HASH_H
#define WR_EXEC_KEY_HASH_H

#include "column/vector.h"
#include "kernel/kernel.h"

/* For each key the hashes of its last dictionary's entries. One worker's. */
typedef struct wr_key_hash {
    wr_allocator *allocator;
    const wr_kernels *kernels;
    uint32_t key_count;
    struct wr_key_hash_cache *caches;
    wr_vector flat; /* scratch */
} wr_key_hash;

WR_MUST_CHECK wr_status wr_key_hash_init(wr_key_hash *h, wr_allocator *a, const wr_kernels *kernels, uint32_t key_count,
                                         wr_error *err);
void wr_key_hash_deinit(wr_key_hash *h);
/* hashes[i] of row i over all keys. Room for count rounded up to 64. */
WR_MUST_CHECK wr_status wr_key_hash_run(wr_key_hash *h, const wr_vector *keys, uint32_t count, uint64_t *hashes,
                                        wr_error *err);

#endif
