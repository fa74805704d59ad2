/* Keys of rows and of entries: packed or as columns, with their hashes; and keys as columns again. */
#include <inttypes.h>
#include <math.h>

#include "exec/aggregate_internal.h"

/* Kernels write whole blocks of 64, and read behind the end. */
static uint32_t round_rows(uint32_t count) {
    return (count + 127) & ~63u;
}

wr_status wr_agg_keys_init(wr_agg_keys *keys, const wr_agg_plan *plan, wr_error *err) {
    *keys = (wr_agg_keys){.plan = plan};
    if (plan->mode != WR_AGG_ROWS) return WR_OK;
    size_t bytes = sizeof *keys->columns * (plan->key_count + 1);
    keys->columns = wr_alloc_zeroed(plan->allocator, bytes);
    keys->canonical = wr_alloc_zeroed(plan->allocator, bytes);
    wr_status status = WR_OK;
    if (!keys->columns || !keys->canonical) status = wr_fail_memory(err, bytes, "aggregation");
    if (status == WR_OK) status = wr_key_hash_init(&keys->hash, plan->allocator, plan->kernels, plan->key_count, err);
    if (status != WR_OK) wr_agg_keys_deinit(keys);
    return status;
}

static void free_words(wr_agg_keys *keys) {
    wr_allocator *a = keys->plan->allocator;
    wr_free(a, keys->words, sizeof *keys->words * keys->capacity);
    wr_free(a, keys->seconds, sizeof *keys->seconds * keys->capacity);
    wr_free(a, keys->hashes, sizeof *keys->hashes * keys->capacity);
    wr_free(a, keys->row_storage, sizeof *keys->row_storage * keys->capacity);
    keys->words = keys->seconds = keys->hashes = NULL;
    keys->row_storage = NULL;
    keys->capacity = 0;
}

void wr_agg_keys_deinit(wr_agg_keys *keys) {
    const wr_agg_plan *plan = keys->plan;
    if (!plan) return;
    free_words(keys);
    size_t bytes = sizeof *keys->columns * (plan->key_count + 1);
    for (uint32_t k = 0; keys->canonical && k < plan->key_count; k++) wr_vector_deinit(&keys->canonical[k]);
    if (keys->columns) wr_free(plan->allocator, keys->columns, bytes);
    if (keys->canonical) wr_free(plan->allocator, keys->canonical, bytes);
    wr_key_hash_deinit(&keys->hash);
    wr_vector_deinit(&keys->flat);
    *keys = (wr_agg_keys){0};
}

static wr_status reserve(wr_agg_keys *keys, uint32_t count, wr_error *err) {
    if (count <= keys->capacity) return WR_OK;
    wr_allocator *a = keys->plan->allocator;
    uint32_t capacity = round_rows(count);
    free_words(keys);
    keys->capacity = capacity;
    keys->hashes = wr_alloc(a, sizeof *keys->hashes * capacity);
    bool complete = keys->hashes != NULL;
    if (keys->plan->mode == WR_AGG_ROWS) {
        keys->row_storage = wr_alloc(a, sizeof *keys->row_storage * capacity);
        complete &= keys->row_storage != NULL;
    } else {
        keys->words = wr_alloc(a, sizeof *keys->words * capacity);
        keys->seconds = wr_alloc(a, sizeof *keys->seconds * capacity);
        complete &= keys->words && keys->seconds;
    }
    return complete ? WR_OK : wr_fail_memory(err, 3 * sizeof(uint64_t) * capacity, "aggregation");
}

static void hash_words(const wr_agg_plan *plan, const uint64_t *words, const uint64_t *seconds, uint32_t count,
                       uint64_t *hashes) {
    if (WR_UNLIKELY(__atomic_load_n((int *)&wr_hash_all_zero, __ATOMIC_RELAXED))) {
        memset(hashes, 0, sizeof *hashes * count);
    } else if (plan->mode == WR_AGG_WORD) {
        plan->kernels->group->hash1(words, count, hashes);
    } else {
        plan->kernels->group->hash2(words, seconds, count, hashes);
    }
}

/* ---- from columns ---- */

static int64_t signed_value(const wr_vector *v, uint32_t row) {
    switch (v->phys) {
    case WR_PHYS_I8: return ((const int8_t *)v->data)[row];
    case WR_PHYS_I16: return ((const int16_t *)v->data)[row];
    case WR_PHYS_I32: return ((const int32_t *)v->data)[row];
    case WR_PHYS_U8: return ((const uint8_t *)v->data)[row];
    case WR_PHYS_U16: return ((const uint16_t *)v->data)[row];
    case WR_PHYS_U32: return ((const uint32_t *)v->data)[row];
    default: return ((const int64_t *)v->data)[row];
    }
}

wr_status wr_agg_fail_bounds(const wr_agg_key *key, const wr_vector *flat, wr_error *err) {
    for (uint32_t i = 0; i < flat->row_count; i++) {
        int64_t value = signed_value(flat, i);
        if (!wr_valid(flat->validity, i) ||
            (uint64_t)value - (uint64_t)key->spec.low <= (uint64_t)key->spec.high - (uint64_t)key->spec.low)
            continue;
        (void)wr_fail(err, WR_CORRUPT,
                      "%.*s: it holds %" PRId64
                      ", but the statistics of its files say that all values are between %" PRId64 " and %" PRId64,
                      WR_STR_ARGS(key->spec.origin), value, key->spec.low, key->spec.high);
        return wr_hint(err, "the footer of a file is wrong; write the file anew");
    }
    return wr_fail(err, WR_INTERNAL, "a key is out of bounds, and then it is not");
}

static wr_status pack_columns(wr_agg_keys *keys, const wr_vector *const *columns, uint32_t count, wr_error *err) {
    const wr_agg_plan *plan = keys->plan;
    memset(keys->words, 0, sizeof *keys->words * count);
    if (plan->mode == WR_AGG_WORDS) memset(keys->seconds, 0, sizeof *keys->seconds * count);
    for (uint32_t k = 0; k < plan->key_count; k++) {
        const wr_agg_key *key = &plan->keys[k];
        const wr_vector *v = columns[k];
        if (v->kind != WR_FLAT) {
            WR_TRY(wr_vector_flatten(&keys->flat, plan->allocator, v, err));
            v = &keys->flat;
        }
        const uint64_t *validity = v->validity;
        if (validity && !key->spec.nullable) {
            if (wr_bitmap_count(validity, count) < count)
                return wr_fail(err, WR_INTERNAL, "a key that cannot be NULL is");
            validity = NULL; /* it says that no row is NULL */
        }
        uint64_t *words = key->word ? keys->seconds : keys->words;
        if (!plan->kernels->group->pack[key->phys](v->data, validity, count, &key->field, words)) {
            return wr_agg_fail_bounds(key, v, err);
        }
    }
    hash_words(plan, keys->words, keys->seconds, count, keys->hashes);
    return WR_OK;
}

#define CANONICAL(type)                                                                                                \
    do {                                                                                                               \
        const type *from = flat->data;                                                                                 \
        type *to = wr_vector_data_mut(out);                                                                            \
        for (uint32_t i = 0; i < count; i++) to[i] = from[i] == 0 ? 0 : from[i] != from[i] ? (type)NAN : from[i];      \
    } while (0)

/* One zero and one NaN, so that it does not depend on timing which of them a group shows. */
static wr_status canonical_float(wr_agg_keys *keys, uint32_t k, const wr_vector *v, uint32_t count, wr_error *err) {
    wr_allocator *a = keys->plan->allocator;
    WR_TRY(wr_vector_flatten(&keys->flat, a, v, err));
    const wr_vector *flat = &keys->flat;
    wr_vector *out = &keys->canonical[k];
    WR_TRY(wr_vector_prepare(out, a, v->type, count, flat->validity != NULL, err));
    if (flat->validity) memcpy(wr_vector_validity_mut(out), flat->validity, wr_bitmap_bytes(count));
    if (v->phys == WR_PHYS_F32) {
        CANONICAL(float);
    } else {
        CANONICAL(double);
    }
    keys->columns[k] = *out;
    return WR_OK;
}

wr_status wr_agg_keys_of_columns(wr_agg_keys *keys, const wr_vector *const *columns, uint32_t count, wr_error *err) {
    const wr_agg_plan *plan = keys->plan;
    keys->count = 0;
    WR_TRY(reserve(keys, count, err));
    keys->count = count;
    keys->rows = NULL;
    if (plan->mode != WR_AGG_ROWS) return pack_columns(keys, columns, count, err);
    for (uint32_t k = 0; k < plan->key_count; k++) {
        keys->columns[k] = *columns[k];
        bool is_float = plan->keys[k].phys == WR_PHYS_F32 || plan->keys[k].phys == WR_PHYS_F64;
        if (is_float) WR_TRY(canonical_float(keys, k, columns[k], count, err));
    }
    return wr_key_hash_run(&keys->hash, keys->columns, count, keys->hashes, err);
}

/* ---- from entries ---- */

void wr_agg_entry_hashes(const wr_agg_plan *plan, const uint8_t *entries, uint32_t stride, uint32_t count,
                         uint64_t *words, uint64_t *seconds, uint64_t *hashes) {
    if (plan->mode == WR_AGG_ROWS) {
        for (uint32_t i = 0; i < count; i++) memcpy(&hashes[i], entries + (size_t)i * stride + 8, 8);
        return;
    }
    for (uint32_t i = 0; i < count; i++) memcpy(&words[i], entries + (size_t)i * stride, 8);
    if (plan->mode == WR_AGG_WORDS) {
        for (uint32_t i = 0; i < count; i++) memcpy(&seconds[i], entries + (size_t)i * stride + 8, 8);
    }
    hash_words(plan, words, seconds, count, hashes);
}

wr_status wr_agg_keys_of_entries(wr_agg_keys *keys, const uint8_t *entries, uint32_t stride, uint32_t count,
                                 bool on_page, wr_error *err) {
    const wr_agg_plan *plan = keys->plan;
    keys->count = 0;
    WR_TRY(reserve(keys, count, err));
    keys->count = count;
    keys->rows = keys->row_storage;
    wr_agg_entry_hashes(plan, entries, stride, count, keys->words, keys->seconds, keys->hashes);
    if (plan->mode != WR_AGG_ROWS) return WR_OK;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *entry = entries + (size_t)i * stride;
        if (on_page) {
            keys->rows[i] = (uint8_t *)(uintptr_t)(entry - plan->layout.tail_offset);
        } else {
            memcpy(&keys->rows[i], entry, sizeof(uint8_t *));
        }
    }
    return WR_OK;
}

/* ---- to columns ---- */

static wr_status emit_packed(const wr_agg_plan *plan, const uint8_t *entries, uint32_t count, wr_batch *out,
                             wr_error *err) {
    for (uint32_t k = 0; k < plan->key_count; k++) {
        const wr_agg_key *key = &plan->keys[k];
        const uint8_t *words = entries + 8 * key->word;
        wr_vector *v = &out->columns[k];
        WR_TRY(wr_vector_prepare(v, plan->allocator, key->type, count, key->spec.nullable, err));
        plan->kernels->group->unpack[key->phys](words, plan->entry_bytes, count, &key->field, wr_vector_data_mut(v));
        if (!key->spec.nullable) continue;
        plan->kernels->group->unpack_validity(words, plan->entry_bytes, count, &key->field, wr_vector_validity_mut(v));
    }
    return WR_OK;
}

enum { EMIT_CHUNK = 2048 };

static wr_status emit_rows(const wr_agg_plan *plan, const uint8_t *entries, uint32_t count, wr_batch *out,
                           wr_error *err) {
    uint8_t *on_stack[EMIT_CHUNK], **rows = on_stack;
    size_t bytes = sizeof *rows * count;
    if (count > EMIT_CHUNK) rows = wr_alloc(plan->allocator, bytes);
    if (!rows) return wr_fail_memory(err, bytes, "the keys of groups");
    for (uint32_t i = 0; i < count; i++) memcpy(&rows[i], entries + (size_t)i * plan->entry_bytes, sizeof *rows);
    wr_status status = WR_OK;
    for (uint32_t k = 0; k < plan->key_count && status == WR_OK; k++) {
        status = wr_row_gather(&out->columns[k], plan->allocator, &plan->key_layout, k, rows, count, true, err);
    }
    if (rows != on_stack) wr_free(plan->allocator, rows, bytes);
    return status;
}

wr_status wr_agg_keys_emit(const wr_agg_plan *plan, const uint8_t *entries, uint32_t count, wr_batch *out,
                           wr_error *err) {
    if (plan->mode == WR_AGG_NO_KEY) return WR_OK;
    return plan->mode == WR_AGG_ROWS ? emit_rows(plan, entries, count, out, err)
                                     : emit_packed(plan, entries, count, out, err);
}
