/* Hashes of key columns; see key_hash.h. Hashes of a dictionary's entries are kept while batches of it come. */
#include "exec/key_hash.h"

#include "column/row_page.h"
#include "kernel/hash.h"

typedef struct wr_key_hash_cache {
    wr_vector_set *dictionary; /* retained, so that no other one takes its address */
    uint64_t *hashes;
    uint32_t capacity;
} wr_key_hash_cache;

wr_status wr_key_hash_init(wr_key_hash *h, wr_allocator *a, const wr_kernels *kernels, uint32_t key_count,
                           wr_error *err) {
    *h = (wr_key_hash){.allocator = a, .kernels = kernels};
    h->caches = wr_alloc_zeroed(a, sizeof *h->caches * (key_count + 1));
    if (!h->caches) return wr_fail_memory(err, sizeof *h->caches * (key_count + 1), "hashing");
    h->key_count = key_count;
    return WR_OK;
}

void wr_key_hash_deinit(wr_key_hash *h) {
    if (!h->caches) return;
    for (uint32_t k = 0; k < h->key_count; k++) {
        wr_vector_set_release(h->caches[k].dictionary);
        wr_free(h->allocator, h->caches[k].hashes, sizeof(uint64_t) * h->caches[k].capacity);
    }
    wr_free(h->allocator, h->caches, sizeof *h->caches * (h->key_count + 1));
    wr_vector_deinit(&h->flat);
    *h = (wr_key_hash){0};
}

static void hash_flat(const wr_key_hash *h, const wr_vector *v, uint32_t count, bool first, uint64_t *hashes) {
    const wr_hash_kernels *kernels = h->kernels->hash;
    if (kernels->hash[v->phys]) {
        (first ? kernels->hash : kernels->combine)[v->phys](v->data, v->validity, count, hashes);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint64_t hash = wr_row_value_hash(v, i);
        hashes[i] = first ? hash : wr_hash_combine(hashes[i], hash);
    }
}

static void hash_constant(const wr_key_hash *h, const wr_vector *v, uint32_t count, bool first, uint64_t *hashes) {
    uint64_t one[64];
    hash_flat(h, v, 1, true, one);
    if (first) {
        for (uint32_t i = 0; i < count; i++) hashes[i] = one[0];
    } else {
        for (uint32_t i = 0; i < count; i++) hashes[i] = wr_hash_combine(hashes[i], one[0]);
    }
}

/* Hashing all entries pays when they are few or come again. */
static bool entries_pay(const wr_key_hash_cache *cache, const wr_vector *v, uint32_t count) {
    const wr_vector *entries = wr_vector_dictionary(v);
    if (v->validity || entries->kind != WR_FLAT) return false;
    return cache->dictionary == v->children || entries->row_count <= 2 * count;
}

static wr_status cache_entries(wr_key_hash *h, wr_key_hash_cache *cache, const wr_vector *v, wr_error *err) {
    if (cache->dictionary == v->children) return WR_OK;
    const wr_vector *entries = wr_vector_dictionary(v);
    wr_vector_set_release(cache->dictionary);
    cache->dictionary = NULL;
    uint32_t room = entries->row_count + 64;
    WR_TRY(wr_grow(h->allocator, (void **)&cache->hashes, &cache->capacity, 0, room, sizeof(uint64_t), err));
    hash_flat(h, entries, entries->row_count, true, cache->hashes);
    cache->dictionary = wr_vector_set_retain(v->children);
    return WR_OK;
}

wr_status wr_key_hash_run(wr_key_hash *h, const wr_vector *keys, uint32_t count, uint64_t *hashes, wr_error *err) {
    if (WR_UNLIKELY(__atomic_load_n((int *)&wr_hash_all_zero, __ATOMIC_RELAXED)) || h->key_count == 0) {
        memset(hashes, 0, sizeof *hashes * count);
        return WR_OK;
    }
    for (uint32_t k = 0; k < h->key_count; k++) {
        const wr_vector *v = &keys[k];
        if (v->kind == WR_CONSTANT) {
            hash_constant(h, v, count, k == 0, hashes);
        } else if (v->kind == WR_FLAT) {
            hash_flat(h, v, count, k == 0, hashes);
        } else if (entries_pay(&h->caches[k], v, count)) {
            WR_TRY(cache_entries(h, &h->caches[k], v, err));
            const wr_hash_kernels *kernels = h->kernels->hash;
            (k == 0 ? kernels->by_code : kernels->combine_by_code)(h->caches[k].hashes, v->data, count, hashes);
        } else {
            WR_TRY(wr_vector_flatten(&h->flat, h->allocator, v, err));
            hash_flat(h, &h->flat, count, k == 0, hashes);
        }
    }
    return WR_OK;
}
