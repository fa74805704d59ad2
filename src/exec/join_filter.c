/* What a build side tells the scans of its probe side: bounds, and an exact bitmap where the keys are integers of a small
 * range, else a blocked bloom filter. It is filled once, when the whole build side is in memory, and never changes then;
 * each worker of a scan has its own scratch. A worker that sees nearly all rows pass stops asking. */
#include "exec/join_internal.h"

enum {
    BITMAP_RANGE_SMALL = 1 << 20,
    BITMAP_RANGE_PER_ROW = 64,
    BLOOM_ROWS_MAX = 8 << 20, /* above, a look into the filter costs what a look into the table does */
    BLOOM_BITS_PER_ROW = 12,
    BLOCK_ROWS = 1024,
    TRIAL_ROWS = 64 * 1024
};
static const double pointless_share = 0.95; /* of rows that pass */

struct wr_join_filter {
    _Atomic int32_t refs;
    wr_allocator *allocator;
    const wr_kernels *kernels;
    wr_key_plan plan; /* of the one column */
    /* Written before `published`. */
    bool empty;        /* no key: nothing passes */
    uint64_t min, max; /* words; integers alone */
    uint64_t range;    /* of the bitmap; 0: there is none */
    wr_buffer *bits;   /* NULL: all of the range */
    wr_buffer *blocks;
    uint32_t block_count;
    _Atomic bool published;
};

wr_status wr_join_filter_create(wr_join_filter **out, wr_exec *exec, wr_type type, wr_error *err) {
    wr_join_filter *f = *out = wr_alloc_zeroed(exec->allocator, sizeof *f);
    if (!f) return wr_fail_memory(err, sizeof *f, "join filter");
    f->refs = 1;
    f->allocator = exec->allocator;
    f->kernels = exec->environment.kernels;
    wr_join_key_spec key = {.type = type};
    wr_status status = wr_key_plan_init(&f->plan, &key, 1, err);
    if (status != WR_OK) {
        wr_join_filter_release(f);
        *out = NULL;
    }
    return status;
}

wr_join_filter *wr_join_filter_retain(wr_join_filter *f) {
    if (f) f->refs++;
    return f;
}

void wr_join_filter_release(wr_join_filter *f) {
    if (!f || --f->refs > 0) return;
    wr_buffer_release(f->bits);
    wr_buffer_release(f->blocks);
    wr_free(f->allocator, f, sizeof *f);
}

/* ---- filling: the keys of the table, a block of words at a time ---- */

typedef void (*words_visitor)(wr_join_filter *f, const uint64_t *const *words, uint32_t count);

/* A part's own word from the words that all parts share: integers get their sign back. */
static void unpack_part(const wr_key_part *part, uint64_t *words, uint32_t count) {
    bool is_signed = part->phys >= WR_PHYS_I8 && part->phys <= WR_PHYS_I64;
    unsigned up = 64u - part->bits - part->shift, down = 64u - part->bits;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t top = words[i] << up;
        words[i] = is_signed ? (uint64_t)((int64_t)top >> down) : top >> down;
    }
}

static void visit_entries(const wr_join *join, uint32_t key, wr_join_filter *f, words_visitor visit) {
    const wr_join_table *t = &join->table;
    const wr_key_part *part = &join->keys.parts[key];
    uint32_t bytes = t->directory.entry_bytes;
    bool shared = join->keys.part_count > 1;
    uint64_t words[2][BLOCK_ROWS];
    const uint64_t *views[2] = {words[0], words[1]};
    for (uint32_t first = 0; first < t->indexed_count; first += BLOCK_ROWS) {
        uint32_t count = t->indexed_count - first < BLOCK_ROWS ? t->indexed_count - first : BLOCK_ROWS;
        const uint8_t *entry = t->entries + (size_t)first * bytes + (shared ? part->word * 8u : 0);
        for (uint32_t i = 0; i < count; i++, entry += bytes) {
            memcpy(&words[0][i], entry, 8);
            if (f->plan.word_count == 2) memcpy(&words[1][i], entry + 8, 8);
        }
        if (shared) unpack_part(part, words[0], count);
        visit(f, views, count);
    }
}

static wr_status visit_column(const wr_join *join, uint32_t key, wr_join_filter *f, words_visitor visit,
                              wr_error *err) {
    const wr_join_table *t = &join->table;
    const wr_vector *column = &t->columns[join->store.slots[join->build_keys[key]]];
    wr_key_scratch scratch;
    wr_vector part = {.kind = WR_FLAT};
    wr_status status = WR_OK;
    wr_key_scratch_init(&scratch, join->allocator, join->kernels);
    for (uint32_t first = 0; first < t->indexed_count && status == WR_OK; first += BLOCK_ROWS) {
        uint32_t count = t->indexed_count - first < BLOCK_ROWS ? t->indexed_count - first : BLOCK_ROWS;
        const wr_vector *view = &part;
        wr_keys keys;
        status = wr_vector_slice(&part, join->allocator, column, first, count, err);
        if (status == WR_OK) status = wr_keys_compute(&f->plan, &scratch, &view, NULL, count, &keys, err);
        if (status == WR_OK) visit(f, keys.words, count);
    }
    wr_vector_deinit(&part);
    wr_key_scratch_deinit(&scratch);
    return status;
}

static wr_status visit_keys(const wr_join *join, uint32_t key, wr_join_filter *f, words_visitor visit, wr_error *err) {
    if (join->keys.mode == WR_KEY_HASHED) return visit_column(join, key, f, visit, err);
    visit_entries(join, key, f, visit);
    return WR_OK;
}

static void widen_bounds(wr_join_filter *f, const uint64_t *const *words, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (wr_key_below(&f->plan, words[0][i], f->min)) f->min = words[0][i];
        if (wr_key_below(&f->plan, f->max, words[0][i])) f->max = words[0][i];
    }
}

static void set_bits(wr_join_filter *f, const uint64_t *const *words, uint32_t count) {
    uint64_t *bits = (uint64_t *)(void *)f->bits->data;
    for (uint32_t i = 0; i < count; i++) wr_bit_set(bits, words[0][i] - f->min);
}

static void set_bloom(wr_join_filter *f, const uint64_t *const *words, uint32_t count) {
    uint64_t *blocks = (uint64_t *)(void *)f->blocks->data, hashes[BLOCK_ROWS];
    wr_words_hash(&f->plan, f->kernels, words, count, hashes);
    for (uint32_t i = 0; i < count; i++) {
        blocks[wr_bloom_block(hashes[i], f->block_count)] |= wr_bloom_bits(hashes[i]);
    }
}

static wr_status zeroed_buffer(wr_buffer **out, wr_allocator *a, size_t bytes, wr_error *err) {
    WR_TRY(wr_buffer_create(out, a, bytes, err));
    memset((*out)->data, 0, bytes);
    return WR_OK;
}

static bool wants_bitmap(wr_join_filter *f, uint64_t rows) {
    if (!f->plan.is_integer) return false;
    uint64_t range = f->max - f->min + 1;
    if (range == 0 || (range > BITMAP_RANGE_SMALL && range / BITMAP_RANGE_PER_ROW >= rows)) return false;
    f->range = range;
    return true;
}

static wr_status fill(wr_join *join, uint32_t key, wr_join_filter *f, wr_error *err) {
    const wr_join_table *t = &join->table;
    if (f->plan.is_integer) {
        f->min = f->plan.is_signed ? (uint64_t)INT64_MAX : UINT64_MAX;
        f->max = f->plan.is_signed ? (uint64_t)INT64_MIN : 0;
        WR_TRY(visit_keys(join, key, f, widen_bounds, err));
    }
    if (wants_bitmap(f, t->indexed_count)) {
        WR_TRY(zeroed_buffer(&f->bits, join->allocator, wr_bitmap_bytes(f->range), err));
        return visit_keys(join, key, f, set_bits, err);
    }
    if (t->indexed_count > BLOOM_ROWS_MAX) return WR_OK;
    f->block_count = t->indexed_count / 64 * BLOOM_BITS_PER_ROW + 16;
    WR_TRY(zeroed_buffer(&f->blocks, join->allocator, sizeof(uint64_t) * f->block_count, err));
    return visit_keys(join, key, f, set_bloom, err);
}

static void share_dense(const wr_join_table *t, wr_join_filter *f) {
    f->min = t->min;
    f->max = t->min + t->range - 1;
    f->range = t->range;
    f->bits = wr_buffer_retain(t->bits_buffer);
}

wr_status wr_join_publish(wr_join *join, wr_error *err) {
    const wr_join_table *t = &join->table;
    if (join->spill.on || !wr_join_filters_probe((wr_join_kind)join->kind, join->build_left)) return WR_OK;
    for (uint32_t k = 0; k < join->keys.part_count; k++) {
        wr_join_filter *f = join->filters[k];
        if (!f || join->keys.parts[k].null_equals_null) continue;
        if (t->indexed_count == 0) {
            f->empty = true;
        } else if (t->index == WR_INDEX_DENSE) {
            share_dense(t, f);
        } else {
            WR_TRY(fill(join, k, f, err));
            if (!f->plan.is_integer && !f->blocks) continue; /* nothing to say */
        }
        __atomic_store_n((bool *)&f->published, true, __ATOMIC_RELEASE);
    }
    return WR_OK;
}

/* ---- a worker's copy ---- */

typedef struct filter_copy {
    wr_join_filter *filter;
    wr_allocator *allocator;
    wr_key_scratch scratch;
    bool pointless;
    uint64_t rows_in, rows_out; /* of the trial */
    /* Bits of the entries of the last dictionary. */
    wr_vector_set *dictionary; /* held */
    uint64_t *entry_bits;
    uint32_t entry_count;
} filter_copy;

static bool copy_active(void *user) {
    const filter_copy *c = user;
    return !c->pointless && __atomic_load_n((bool *)&c->filter->published, __ATOMIC_ACQUIRE);
}

static bool some_bit(const wr_join_filter *f, uint64_t low, uint64_t high) {
    const uint64_t *bits = (const uint64_t *)(const void *)f->bits->data;
    uint64_t first = low - f->min, last = high - f->min;
    for (uint64_t w = first / 64; w <= last / 64; w++) {
        uint64_t word = bits[w];
        if (w == first / 64) word &= ~UINT64_C(0) << (first & 63);
        if (w == last / 64) word &= wr_bitmap_tail(last + 1);
        if (word) return true;
    }
    return false;
}

static wr_zone_answer copy_zone(void *user, const wr_column_bounds *b) {
    const wr_join_filter *f = ((filter_copy *)user)->filter;
    if (f->empty || (b->null_count >= 0 && b->null_count == b->row_count)) return WR_ZONE_NONE;
    if (!f->plan.is_integer || !b->has_bounds) return WR_ZONE_SOME;
    uint64_t low = b->min.u64, high = b->max.u64;
    if (wr_key_below(&f->plan, high, f->min) || wr_key_below(&f->plan, f->max, low)) return WR_ZONE_NONE;
    bool inside = !wr_key_below(&f->plan, low, f->min) && !wr_key_below(&f->plan, f->max, high);
    if (f->range && !f->bits && inside && b->null_count == 0) return WR_ZONE_ALL;
    if (!f->bits) return WR_ZONE_SOME;
    if (wr_key_below(&f->plan, low, f->min)) low = f->min;
    if (wr_key_below(&f->plan, f->max, high)) high = f->max;
    return some_bit(f, low, high) ? WR_ZONE_SOME : WR_ZONE_NONE;
}

/* Flat and constant vectors: by the words of the first n rows. */
static wr_status test_rows(filter_copy *c, const wr_vector *v, uint32_t n, uint64_t *pass, wr_error *err) {
    const wr_join_filter *f = c->filter;
    wr_keys keys;
    WR_TRY(wr_keys_compute(&f->plan, &c->scratch, &v, NULL, n, &keys, err));
    if (f->range) {
        const uint64_t *bits = f->bits ? (const uint64_t *)(const void *)f->bits->data : NULL;
        f->kernels->join->dense_test(keys.words[0], n, f->min, f->range, bits, pass);
    } else if (f->blocks) {
        const uint64_t *hashes = wr_keys_hash(&f->plan, &c->scratch, &keys);
        f->kernels->join->bloom_test(hashes, n, (const uint64_t *)(const void *)f->blocks->data, f->block_count, pass);
    } else {
        f->kernels->join->dense_test(keys.words[0], n, f->min, f->max - f->min + 1, NULL, pass);
    }
    if (keys.valid) f->kernels->bits->and_(pass, keys.valid, n, pass);
    return WR_OK;
}

static void drop_dictionary(filter_copy *c) {
    wr_vector_set_release(c->dictionary);
    wr_free(c->allocator, c->entry_bits, wr_padded_bitmap_bytes(c->entry_count));
    c->dictionary = NULL;
    c->entry_bits = NULL;
    c->entry_count = 0;
}

static wr_status test_codes(filter_copy *c, const wr_vector *v, uint32_t n, uint64_t *pass, wr_error *err) {
    const wr_bits_kernels *bits = c->filter->kernels->bits;
    const wr_vector *entries = wr_vector_dictionary(v);
    if (c->dictionary != v->children) {
        drop_dictionary(c);
        uint64_t *made = wr_alloc(c->allocator, wr_padded_bitmap_bytes(entries->row_count));
        if (!made) return wr_fail_memory(err, wr_padded_bitmap_bytes(entries->row_count), "join filter");
        c->entry_bits = made;
        c->entry_count = entries->row_count;
        if (entries->row_count) WR_TRY(test_rows(c, entries, entries->row_count, made, err));
        c->dictionary = wr_vector_set_retain(v->children);
    }
    if (c->entry_count == 0) {
        wr_bitmap_fill(pass, n, false);
        return WR_OK;
    }
    bits->lookup(c->entry_bits, v->data, n, pass);
    if (v->validity) bits->and_(pass, v->validity, n, pass);
    return WR_OK;
}

static wr_status copy_evaluate(void *user, const wr_vector *const *columns, uint32_t n, uint64_t *pass, wr_error *err) {
    filter_copy *c = user;
    const wr_vector *v = columns[0];
    if (n == 0) return WR_OK;
    if (c->filter->empty) {
        wr_bitmap_fill(pass, n, false);
    } else if (v->kind == WR_DICTIONARY) {
        WR_TRY(test_codes(c, v, n, pass, err));
    } else if (v->kind == WR_CONSTANT) {
        uint64_t one;
        wr_vector value = *v; /* borrowed */
        value.kind = WR_FLAT;
        value.row_count = 1;
        WR_TRY(test_rows(c, &value, 1, &one, err));
        wr_bitmap_fill(pass, n, one & 1);
    } else {
        WR_TRY(test_rows(c, v, n, pass, err));
    }
    if (c->rows_in >= TRIAL_ROWS) return WR_OK;
    c->rows_in += n;
    c->rows_out += c->filter->kernels->bits->count(pass, n);
    c->pointless = c->rows_in >= TRIAL_ROWS && (double)c->rows_out > pointless_share * (double)c->rows_in;
    return WR_OK;
}

static wr_status copy_create(void *shared, wr_allocator *a, wr_scan_filter *out, wr_error *err) {
    wr_join_filter *f = shared;
    filter_copy *c = wr_alloc_zeroed(a, sizeof *c);
    if (!c) return wr_fail_memory(err, sizeof *c, "join filter");
    c->filter = f;
    c->allocator = a;
    wr_key_scratch_init(&c->scratch, a, f->kernels);
    *out = (wr_scan_filter){.cost = f->plan.is_integer ? 1 : 4,
                            .user = c,
                            .active = copy_active,
                            .zone = copy_zone,
                            .evaluate = copy_evaluate};
    return WR_OK;
}

static void copy_destroy(void *shared, wr_scan_filter *copy) {
    (void)shared;
    filter_copy *c = copy->user;
    drop_dictionary(c);
    wr_key_scratch_deinit(&c->scratch);
    wr_free(c->allocator, c, sizeof *c);
}

static void maker_release(void *shared) {
    wr_join_filter_release(shared);
}

void wr_join_filter_maker(wr_join_filter *f, wr_filter_maker *out) {
    *out = (wr_filter_maker){
        .shared = wr_join_filter_retain(f), .create = copy_create, .destroy = copy_destroy, .release = maker_release};
}
