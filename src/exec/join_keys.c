/* Keys of a join: values to words, words to hashes, and the comparison of values where words are only hashes.
 *
 * Both sides go through the same code, so that only equality counts: words are never ordered, and hold what the two
 * sides have in common, physical values. */
#include <math.h>

#include "exec/join_internal.h"

/* ---- the plan ---- */

static unsigned value_bits(wr_phys phys) {
    switch (phys) {
    case WR_PHYS_BOOL: return 1;
    case WR_PHYS_LIST:
    case WR_PHYS_STRUCT:
    case WR_PHYS_VIEW: return 0;
    default: return (unsigned)wr_phys_bytes(phys) * 8;
    }
}

static bool is_integer(wr_phys phys) {
    return (phys >= WR_PHYS_I8 && phys <= WR_PHYS_I64) || (phys >= WR_PHYS_U8 && phys <= WR_PHYS_U64);
}

/* Places `bits` in the first of two words that has room; false when none has. */
static bool place(unsigned used[2], unsigned bits, uint8_t *word, uint8_t *shift) {
    for (unsigned w = 0; w < 2; w++) {
        if (used[w] + bits > 64) continue;
        *word = (uint8_t)w;
        *shift = (uint8_t)used[w];
        used[w] += bits;
        return true;
    }
    return false;
}

/* False when the keys do not fit two words. */
static bool pack(wr_key_plan *plan) {
    unsigned used[2] = {0, 0};
    for (uint32_t k = 0; k < plan->part_count; k++) {
        wr_key_part *part = &plan->parts[k];
        if (part->bits == 0) return false;
        if (part->bits == 128) {
            if (used[0] || used[1] || part->null_equals_null) return false;
            used[0] = used[1] = 64;
            continue;
        }
        if (!place(used, part->bits, &part->word, &part->shift)) return false;
        if (part->null_equals_null && !place(used, 1, &part->null_word, &part->null_shift)) return false;
    }
    plan->word_count = used[1] ? 2 : 1;
    return true;
}

wr_status wr_key_plan_init(wr_key_plan *plan, const wr_join_key_spec *keys, uint32_t count, wr_error *err) {
    *plan = (wr_key_plan){.part_count = count};
    if (count > WR_JOIN_KEYS_MAX) {
        return wr_fail(err, WR_LIMIT, "a join by %u columns; at most %d are supported", count, WR_JOIN_KEYS_MAX);
    }
    for (uint32_t k = 0; k < count; k++) {
        wr_phys phys = wr_type_phys(keys[k].type);
        if (phys == WR_PHYS_LIST || phys == WR_PHYS_STRUCT) {
            return wr_fail(err, WR_UNSUPPORTED, "a join by a key of type %s; compare its elements one by one",
                           wr_type_id_name((wr_type_id)keys[k].type.id));
        }
        plan->parts[k] = (wr_key_part){.type = keys[k].type,
                                       .phys = (uint8_t)phys,
                                       .null_equals_null = keys[k].null_equals_null,
                                       .bits = (uint8_t)value_bits(phys)};
    }
    if (count == 0) return WR_OK;
    plan->mode = WR_KEY_WORDS;
    if (!pack(plan)) {
        plan->mode = WR_KEY_HASHED;
        plan->word_count = 1;
    }
    plan->is_integer = count == 1 && !keys[0].null_equals_null && is_integer((wr_phys)plan->parts[0].phys);
    plan->is_signed = plan->parts[0].phys <= WR_PHYS_I64;
    return WR_OK;
}

/* ---- scratch ---- */

void wr_key_scratch_init(wr_key_scratch *s, wr_allocator *a, const wr_kernels *kernels) {
    *s = (wr_key_scratch){.allocator = a, .kernels = kernels};
}

static void drop_entries(wr_key_scratch *s, struct wr_entry_hashes *e) {
    wr_vector_set_release(e->dictionary);
    wr_free(s->allocator, e->hashes, sizeof(uint64_t) * e->count);
    *e = (struct wr_entry_hashes){0};
}

static void drop_arrays(wr_key_scratch *s) {
    size_t bytes = sizeof(uint64_t) * s->capacity;
    uint64_t **arrays[] = {&s->words[0], &s->words[1], &s->hashes, &s->values};
    for (uint32_t i = 0; i < WR_COUNT_OF(arrays); i++) {
        wr_free(s->allocator, *arrays[i], bytes);
        *arrays[i] = NULL;
    }
    wr_free(s->allocator, s->valid, wr_padded_bitmap_bytes(s->capacity));
    wr_free(s->allocator, s->leaf_rows, sizeof(uint32_t) * s->capacity);
    s->valid = NULL;
    s->leaf_rows = NULL;
    s->capacity = 0;
}

void wr_key_scratch_deinit(wr_key_scratch *s) {
    drop_arrays(s);
    for (uint32_t k = 0; k < s->part_count; k++) drop_entries(s, &s->entries[k]);
    wr_free(s->allocator, s->entries, sizeof *s->entries * s->part_count);
    wr_vector_deinit(&s->gathered);
    wr_vector_deinit(&s->flat);
    *s = (wr_key_scratch){.allocator = s->allocator};
}

/* Room for `count` rows and what kernels may read or write behind them. */
wr_status wr_key_scratch_reserve(wr_key_scratch *s, const wr_key_plan *plan, uint32_t count, wr_error *err) {
    if (s->part_count < plan->part_count) {
        s->entries = wr_alloc_zeroed(s->allocator, sizeof *s->entries * plan->part_count);
        if (!s->entries) return wr_fail_memory(err, sizeof *s->entries * plan->part_count, "join keys");
        s->part_count = plan->part_count;
    }
    if (count + 64 <= s->capacity) return WR_OK;
    drop_arrays(s);
    s->capacity = (count + 127) & ~63u;
    size_t bytes = sizeof(uint64_t) * s->capacity;
    uint64_t **arrays[] = {&s->words[0], &s->words[1], &s->hashes, &s->values};
    bool failed = false;
    for (uint32_t i = 0; i < WR_COUNT_OF(arrays); i++) failed |= !(*arrays[i] = wr_alloc(s->allocator, bytes));
    failed |= !(s->valid = wr_alloc(s->allocator, wr_padded_bitmap_bytes(s->capacity)));
    failed |= !(s->leaf_rows = wr_alloc(s->allocator, sizeof(uint32_t) * s->capacity));
    return failed ? wr_fail_memory(err, bytes, "join keys") : WR_OK;
}

/* ---- values to words ---- */

/* The selected rows of a column, flat and side by side. */
static wr_status flat_rows(wr_key_scratch *s, const wr_vector *v, const uint16_t *rows, uint32_t count,
                           const wr_vector **out, wr_error *err) {
    if (rows) {
        WR_TRY(wr_vector_gather(&s->gathered, s->allocator, v, rows, count, err));
        v = &s->gathered;
    }
    if (v->kind != WR_FLAT) {
        WR_TRY(wr_vector_flatten(&s->flat, s->allocator, v, err));
        v = &s->flat;
    }
    *out = v;
    return WR_OK;
}

static void float_words(const float *a, uint32_t n, uint64_t *out) {
    for (uint32_t i = 0; i < n; i++) {
        float x = a[i] == 0 ? 0 : a[i] != a[i] ? NAN : a[i];
        uint32_t bits;
        memcpy(&bits, &x, sizeof bits);
        out[i] = bits;
    }
}

static void double_words(const double *a, uint32_t n, uint64_t *out) {
    for (uint32_t i = 0; i < n; i++) {
        double x = a[i] == 0 ? 0 : a[i] != a[i] ? (double)NAN : a[i];
        memcpy(&out[i], &x, sizeof out[i]);
    }
}

static void bool_words(const uint64_t *bits, uint32_t n, uint64_t *out) {
    for (uint32_t i = 0; i < n; i++) out[i] = wr_bit_get(bits, i);
}

/* Values of at most 64 bits; the column's own memory where that has them. */
static const uint64_t *words_of(wr_key_scratch *s, const wr_vector *v, uint32_t n) {
    const wr_join_kernels *k = s->kernels->join;
    switch ((wr_phys)v->phys) {
    case WR_PHYS_I64:
    case WR_PHYS_U64: return v->data;
    case WR_PHYS_BOOL: bool_words(v->data, n, s->values); break;
    case WR_PHYS_F32: float_words(v->data, n, s->values); break;
    case WR_PHYS_F64: double_words(v->data, n, s->values); break;
    default: {
        unsigned width = wr_width_index((unsigned)wr_phys_bytes((wr_phys)v->phys));
        bool is_signed = v->phys <= WR_PHYS_I64;
        (is_signed ? k->widen_signed : k->widen_unsigned)[width](v->data, n, s->values);
    }
    }
    return s->values;
}

static void split_wide(const wr_vector *v, uint32_t n, uint64_t *low, uint64_t *high) {
    if (v->phys == WR_PHYS_INTERVAL) {
        const wr_interval *a = v->data;
        for (uint32_t i = 0; i < n; i++) {
            wr_uint128 span = (wr_uint128)wr_interval_length(a[i]);
            low[i] = (uint64_t)span;
            high[i] = (uint64_t)(span >> 64);
        }
        return;
    }
    const uint64_t *a = v->data;
    for (uint32_t i = 0; i < n; i++) {
        low[i] = a[2 * i];
        high[i] = a[2 * i + 1];
    }
}

/* Puts a part into its bits; `first`: the first that goes into this word, which holds nothing yet. */
static void add_part(const wr_key_part *part, const uint64_t *values, const uint64_t *validity, uint32_t n, bool first,
                     uint64_t *out) {
    uint64_t mask = part->bits == 64 ? ~UINT64_C(0) : (UINT64_C(1) << part->bits) - 1;
    unsigned shift = part->shift;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t value = wr_valid(validity, i) ? (values[i] & mask) << shift : 0;
        out[i] = first ? value : out[i] | value;
    }
}

static void add_null_bits(const wr_key_part *part, const uint64_t *validity, uint32_t n, bool first, uint64_t *out) {
    for (uint32_t i = 0; i < n; i++) {
        uint64_t bit = (uint64_t)!wr_valid(validity, i) << part->null_shift;
        out[i] = first ? bit : out[i] | bit;
    }
}

static void and_valid(wr_key_scratch *s, wr_keys *out, const uint64_t *validity, uint32_t n) {
    if (!validity) return;
    if (out->valid) {
        s->kernels->bits->and_(s->valid, validity, n, s->valid);
    } else {
        wr_bitmap_copy(s->valid, 0, validity, 0, n);
    }
    out->valid = s->valid;
}

static wr_status pack_words(const wr_key_plan *plan, wr_key_scratch *s, const wr_vector *const *columns,
                            const uint16_t *rows, uint32_t count, wr_keys *out, wr_error *err) {
    bool begun[2] = {false, false};
    const wr_vector *v;
    for (uint32_t w = 0; w < plan->word_count; w++) out->words[w] = s->words[w];
    for (uint32_t k = 0; k < plan->part_count; k++) {
        const wr_key_part *part = &plan->parts[k];
        WR_TRY(flat_rows(s, columns[k], rows, count, &v, err));
        if (!part->null_equals_null) and_valid(s, out, v->validity, count);
        if (part->bits == 128) {
            split_wide(v, count, s->words[0], s->words[1]);
            continue;
        }
        const uint64_t *values = words_of(s, v, count);
        if (plan->part_count == 1 && !part->null_equals_null) { /* also without its mask: a sign stays a sign */
            out->words[0] = values;
            return WR_OK;
        }
        const uint64_t *validity = part->null_equals_null ? v->validity : NULL;
        add_part(part, values, validity, count, !begun[part->word], s->words[part->word]);
        begun[part->word] = true;
        if (!part->null_equals_null) continue;
        add_null_bits(part, v->validity, count, !begun[part->null_word], s->words[part->null_word]);
        begun[part->null_word] = true;
    }
    return WR_OK;
}

/* ---- values to hashes ---- */

/* Hashes of the entries of a dictionary, kept as long as the same one comes. */
static wr_status entry_hashes(wr_key_scratch *s, uint32_t part, const wr_vector *v, const uint64_t **out,
                              wr_error *err) {
    struct wr_entry_hashes *e = &s->entries[part];
    const wr_vector *entries = wr_vector_dictionary(v);
    if (e->dictionary != v->children) {
        drop_entries(s, e);
        uint32_t room = (entries->row_count + 63) & ~63u;
        e->hashes = wr_alloc(s->allocator, sizeof(uint64_t) * room);
        if (!e->hashes) return wr_fail_memory(err, sizeof(uint64_t) * room, "join keys");
        e->count = room;
        e->dictionary = wr_vector_set_retain(v->children);
        s->kernels->hash->hash[entries->phys](entries->data, entries->validity, entries->row_count, e->hashes);
    }
    *out = e->hashes;
    return WR_OK;
}

static bool hashes_by_code(const wr_vector *v) {
    return v->kind == WR_DICTIONARY && v->phys == WR_PHYS_VIEW && wr_vector_dictionary(v)->kind == WR_FLAT &&
           wr_vector_dictionary(v)->row_count > 0;
}

/* Codes of rows; the hash of a NULL row is not of use, so that its code may be any. */
static wr_status add_code_hashes(wr_key_scratch *s, uint32_t part, const wr_vector *v, const uint16_t *rows,
                                 uint32_t count, wr_keys *out, bool null_equals_null, wr_error *err) {
    const uint64_t *hashes;
    WR_TRY(entry_hashes(s, part, v, &hashes, err));
    const wr_vector *entries = wr_vector_dictionary(v);
    const uint32_t *codes = v->data;
    uint64_t *valid = s->values; /* at most a bit a row */
    bool some_null = v->validity || entries->validity;
    for (uint32_t i = 0; i < count; i++) s->leaf_rows[i] = codes[rows ? rows[i] : i];
    const wr_hash_kernels *k = s->kernels->hash;
    (part == 0 ? k->by_code : k->combine_by_code)(hashes, s->leaf_rows, count, s->words[0]);
    if (!some_null) return WR_OK;
    memset(valid, 0, wr_bitmap_bytes(count));
    for (uint32_t i = 0; i < count; i++) {
        bool there = wr_valid(v->validity, rows ? rows[i] : i) && wr_valid(entries->validity, s->leaf_rows[i]);
        if (there) wr_bit_set(valid, i);
    }
    if (!null_equals_null) and_valid(s, out, valid, count);
    return WR_OK;
}

static wr_status hash_words(const wr_key_plan *plan, wr_key_scratch *s, const wr_vector *const *columns,
                            const uint16_t *rows, uint32_t count, wr_keys *out, wr_error *err) {
    const wr_hash_kernels *k = s->kernels->hash;
    const wr_vector *v;
    out->words[0] = s->words[0];
    for (uint32_t part = 0; part < plan->part_count; part++) {
        bool null_equals_null = plan->parts[part].null_equals_null;
        if (hashes_by_code(columns[part]) && !(null_equals_null && columns[part]->validity)) {
            WR_TRY(add_code_hashes(s, part, columns[part], rows, count, out, null_equals_null, err));
            continue;
        }
        WR_TRY(flat_rows(s, columns[part], rows, count, &v, err));
        (part == 0 ? k->hash[v->phys] : k->combine[v->phys])(v->data, v->validity, count, s->words[0]);
        if (!null_equals_null) and_valid(s, out, v->validity, count);
    }
    if (wr_hash_all_zero) memset(s->words[0], 0, sizeof(uint64_t) * count);
    return WR_OK;
}

wr_status wr_keys_compute(const wr_key_plan *plan, wr_key_scratch *s, const wr_vector *const *columns,
                          const uint16_t *rows, uint32_t count, wr_keys *out, wr_error *err) {
    *out = (wr_keys){.count = count};
    if (plan->mode == WR_KEY_NONE) return WR_OK;
    WR_TRY(wr_key_scratch_reserve(s, plan, count, err));
    if (plan->mode == WR_KEY_WORDS) {
        WR_TRY(pack_words(plan, s, columns, rows, count, out, err));
    } else {
        WR_TRY(hash_words(plan, s, columns, rows, count, out, err));
    }
    if (out->valid) {
        out->null_count = count - s->kernels->bits->count(out->valid, count);
        if (out->null_count == 0) out->valid = NULL;
    }
    return WR_OK;
}

void wr_words_hash(const wr_key_plan *plan, const wr_kernels *kernels, const uint64_t *const *words, uint32_t count,
                   uint64_t *out) {
    if (wr_hash_all_zero) {
        memset(out, 0, sizeof(uint64_t) * count);
    } else if (plan->mode == WR_KEY_HASHED) {
        memcpy(out, words[0], sizeof(uint64_t) * count);
    } else {
        kernels->join->hash(words[0], plan->word_count == 2 ? words[1] : NULL, count, out);
    }
}

const uint64_t *wr_keys_hash(const wr_key_plan *plan, wr_key_scratch *s, const wr_keys *keys) {
    if (plan->mode == WR_KEY_HASHED) return keys->words[0];
    wr_words_hash(plan, s->kernels, keys->words, keys->count, s->hashes);
    return s->hashes;
}

/* ---- comparing values ---- */

/* Where the values of rows are: a flat vector and positions in it. */
typedef struct cells {
    const wr_vector *leaf;
    const uint32_t *codes; /* position of a row; NULL: the row, or 0 */
    bool constant;
    const wr_vector *outer; /* validity of the rows themselves */
} cells;

static cells cells_of(const wr_vector *v) {
    cells c = {.leaf = v, .outer = v, .constant = v->kind == WR_CONSTANT};
    if (v->kind == WR_DICTIONARY) {
        c.leaf = wr_vector_dictionary(v);
        c.codes = v->data;
    }
    return c;
}

static bool cell(const cells *c, uint32_t row, uint32_t *at) {
    if (c->constant) row = 0;
    if (!wr_valid(c->outer->validity, row)) return false;
    *at = c->codes ? c->codes[row] : row;
    return !c->codes || wr_valid(c->leaf->validity, *at);
}

static bool view_equal(const wr_string_view *a, const wr_string_view *b) {
    if (a->words[0] != b->words[0]) return false;
    if (a->size <= WR_STRING_INLINE) return a->words[1] == b->words[1];
    return memcmp(a->data, b->data, a->size) == 0;
}

static bool value_equal(wr_phys phys, const void *a, uint32_t i, const void *b, uint32_t j) {
    switch (phys) {
    case WR_PHYS_BOOL: return wr_bit_get(a, i) == wr_bit_get(b, j);
    case WR_PHYS_I8:
    case WR_PHYS_U8: return ((const uint8_t *)a)[i] == ((const uint8_t *)b)[j];
    case WR_PHYS_I16:
    case WR_PHYS_U16: return ((const uint16_t *)a)[i] == ((const uint16_t *)b)[j];
    case WR_PHYS_I32:
    case WR_PHYS_U32: return ((const uint32_t *)a)[i] == ((const uint32_t *)b)[j];
    case WR_PHYS_I64:
    case WR_PHYS_U64: return ((const uint64_t *)a)[i] == ((const uint64_t *)b)[j];
    case WR_PHYS_I128: return memcmp((const char *)a + 16 * (size_t)i, (const char *)b + 16 * (size_t)j, 16) == 0;
    case WR_PHYS_F32: {
        float x = ((const float *)a)[i], y = ((const float *)b)[j];
        return x == y || (x != x && y != y);
    }
    case WR_PHYS_F64: {
        double x = ((const double *)a)[i], y = ((const double *)b)[j];
        return x == y || (x != x && y != y);
    }
    case WR_PHYS_INTERVAL:
        return wr_interval_length(((const wr_interval *)a)[i]) == wr_interval_length(((const wr_interval *)b)[j]);
    case WR_PHYS_VIEW: return view_equal((const wr_string_view *)a + i, (const wr_string_view *)b + j);
    default: return false;
    }
}

/* The bodies for the types that keys of several columns are made of; others go by value_equal. */
WR_ALWAYS_INLINE void verify_loop(wr_phys phys, const cells *probe, const cells *build, const uint16_t *rows,
                                  const uint32_t *ids, uint32_t count, bool null_equals_null, bool maybe,
                                  uint64_t *keep) {
    for (uint32_t i = 0; i < count; i++) {
        if (!wr_bit_get(keep, i)) continue;
        uint32_t a = 0, b = 0;
        bool has_a = cell(probe, rows[i], &a), has_b = cell(build, ids[i], &b);
        bool equal;
        if (has_a && has_b) {
            equal = value_equal(phys, probe->leaf->data, a, build->leaf->data, b);
        } else {
            equal = null_equals_null ? has_a == has_b : maybe;
        }
        if (!equal) wr_bit_clear(keep, i);
    }
}

wr_status wr_keys_verify(const wr_key_plan *plan, wr_key_scratch *s, const wr_vector *const *probe,
                         const wr_vector *const *build, const uint16_t *rows, const uint32_t *ids, uint32_t count,
                         bool maybe, uint64_t *keep, wr_error *err) {
    for (uint32_t k = 0; k < plan->part_count; k++) {
        const wr_key_part *part = &plan->parts[k];
        const wr_vector *v = probe[k];
        if (v->kind == WR_DICTIONARY && wr_vector_dictionary(v)->kind != WR_FLAT) {
            WR_TRY(wr_vector_flatten(&s->flat, s->allocator, v, err));
            v = &s->flat;
        }
        cells a = cells_of(v), b = cells_of(build[k]);
        bool nulls = part->null_equals_null;
        switch ((wr_phys)part->phys) {
        case WR_PHYS_VIEW: verify_loop(WR_PHYS_VIEW, &a, &b, rows, ids, count, nulls, maybe, keep); break;
        case WR_PHYS_I64: verify_loop(WR_PHYS_I64, &a, &b, rows, ids, count, nulls, maybe, keep); break;
        case WR_PHYS_I32: verify_loop(WR_PHYS_I32, &a, &b, rows, ids, count, nulls, maybe, keep); break;
        default: verify_loop((wr_phys)part->phys, &a, &b, rows, ids, count, nulls, maybe, keep); break;
        }
    }
    return WR_OK;
}
