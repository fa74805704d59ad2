/* The index over a table's rows: dense where the keys are integers of a small range, else a hash table.
 *
 * Both are built without atomic operations and in the order of ids, so that the rows of one key follow one another as
 * they came in. Dense: workers share the range of keys, each looks at all slices that reach into its part. Hash: rows are
 * scattered by the upper bits of their slot, to where a histogram of every slice says, and each part, small enough for
 * the second-level cache, is then brought into the order of its slots.
 *
 * Dense pays far beyond what a bitmap of the range seems to be worth: at 64 keys in the range for one that is there, bitmap
 * and ranks take 12 bytes a row, a hash table's entries and slots more than 20; and where rows come in the order of their
 * keys, as they mostly do from files, ids are the ranks themselves. */
#include "exec/join_internal.h"

enum {
    DENSE_RANGE_SMALL = 1 << 20, /* a bitmap of 128 KB serves however few keys there are */
    DENSE_RANGE_PER_ROW = 64,
    DENSE_PARALLEL_ROWS = 64 * 1024,
    PART_BYTES = 256 * 1024, /* of entries and slots: half of the second-level cache */
    PART_BITS_MAX = 10,
    SLOT_BITS_MIN = 4,
    BLOCK_ROWS = 1024,
    SLOT_ROWS_COMPARED = 32 /* slots with more rows count as having repeated keys */
};

static const uint64_t *words_of(const wr_join_segment *s, unsigned w) {
    return s->chunk->words[w] ? s->chunk->words[w] + s->first : NULL;
}

/* ---- dense ---- */

/* Keys [low, low + count) belong to part `range`; whole words of the bitmap. */
static void range_part(const wr_table_build *b, uint32_t range, uint64_t *low, uint64_t *count) {
    uint64_t words = (b->table->range + 63) / 64;
    uint64_t first = words / b->range_count * range, end = words / b->range_count * (range + 1);
    if (range + 1 == b->range_count) end = words;
    *low = b->table->min + first * 64;
    *count = (end - first) * 64;
}

static bool slice_reaches(const wr_table_build *b, const wr_join_slice *slice, uint64_t low, uint64_t count) {
    uint64_t base = b->table->min;
    return slice->max - base >= low - base && slice->min - base < low - base + count;
}

/* A slice's bounds, and whether its keys rise. */
static void look_at_slice(wr_table_build *b, wr_join_slice *slice) {
    const wr_key_plan *keys = &b->join->keys;
    uint64_t last = words_of(&b->segments[slice->first], 0)[0];
    bool rising = true;
    slice->min = slice->max = last;
    for (uint32_t i = slice->first; i < slice->end; i++) {
        const uint64_t *words = words_of(&b->segments[i], 0);
        for (uint32_t k = 0; k < b->segments[i].count; k++) {
            uint64_t word = words[k];
            rising &= !wr_key_below(keys, word, last);
            last = word;
            if (wr_key_below(keys, word, slice->min)) slice->min = word;
            if (wr_key_below(keys, slice->max, word)) slice->max = word;
        }
    }
    slice->rising = rising;
}

/* Positions in a block of the keys of a part. */
static uint32_t rows_in_part(const uint64_t *words, uint32_t count, uint64_t low, uint64_t range, uint16_t *rows) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        rows[found] = (uint16_t)i;
        found += words[i] - low < range;
    }
    return found;
}

/* Calls `each` with blocks of the keys that lie in the part, in the order of ids. */
typedef void (*block_visitor)(wr_table_build *b, const uint64_t *words, const uint16_t *rows, uint32_t count,
                              uint32_t id);
static uint64_t visit_part(wr_table_build *b, uint64_t low, uint64_t range, block_visitor each) {
    uint16_t rows[BLOCK_ROWS];
    uint64_t total = 0;
    for (uint32_t s = 0; s < b->indexed_slices; s++) {
        const wr_join_slice *slice = &b->slices[s];
        if (!slice_reaches(b, slice, low, range)) continue;
        for (uint32_t i = slice->first; i < slice->end; i++) {
            const wr_join_segment *segment = &b->segments[i];
            const uint64_t *words = words_of(segment, 0);
            for (uint32_t at = 0; at < segment->count; at += BLOCK_ROWS) {
                uint32_t count = segment->count - at < BLOCK_ROWS ? segment->count - at : BLOCK_ROWS;
                uint32_t found = rows_in_part(words + at, count, low, range, rows);
                if (found) each(b, words + at, rows, found, segment->id + at);
                total += found;
            }
        }
    }
    return total;
}

static void set_bits(wr_table_build *b, const uint64_t *words, const uint16_t *rows, uint32_t count, uint32_t id) {
    (void)id;
    uint64_t *bits = (uint64_t *)(void *)b->table->bits_buffer->data, min = b->table->min, repeats = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t at = words[rows[i]] - min, bit = UINT64_C(1) << (at & 63);
        repeats |= bits[at >> 6] & bit;
        bits[at >> 6] |= bit;
    }
    if (repeats) b->repeats = true;
}

static void ranks_of(const wr_table_build *b, const uint64_t *words, const uint16_t *rows, uint32_t count,
                     uint32_t *ranks) {
    const wr_join_table *t = b->table;
    b->join->kernels->join->dense_rank(words, rows, count, t->min, t->bits, t->ranks, ranks);
}

static void place_unique(wr_table_build *b, const uint64_t *words, const uint16_t *rows, uint32_t count, uint32_t id) {
    uint32_t ranks[BLOCK_ROWS];
    ranks_of(b, words, rows, count, ranks);
    for (uint32_t i = 0; i < count; i++) b->table->order[ranks[i]] = id + rows[i];
}

static void count_ranks(wr_table_build *b, const uint64_t *words, const uint16_t *rows, uint32_t count, uint32_t id) {
    (void)id;
    uint32_t ranks[BLOCK_ROWS];
    ranks_of(b, words, rows, count, ranks);
    for (uint32_t i = 0; i < count; i++) b->table->offsets[ranks[i] + 1]++;
}

static void place_rows(wr_table_build *b, const uint64_t *words, const uint16_t *rows, uint32_t count, uint32_t id) {
    uint32_t ranks[BLOCK_ROWS];
    ranks_of(b, words, rows, count, ranks);
    for (uint32_t i = 0; i < count; i++) b->table->order[b->table->offsets[ranks[i] + 1]++] = id + rows[i];
}

/* Distinct keys in front of the part. */
static uint32_t rank_before(const wr_table_build *b, uint64_t key) {
    const wr_join_table *t = b->table;
    uint64_t at = key - t->min;
    if (at >= t->range) return t->distinct;
    return t->bits ? t->ranks[at >> 6] : (uint32_t)at;
}

/* Rows of keys that come several times: offsets[rank + 1] counts them, then is where they begin, and when they are
 * placed, where they end, which is where the next rank begins. */
static void place_part(wr_table_build *b, uint32_t range) {
    wr_join_table *t = b->table;
    uint64_t low, count;
    range_part(b, range, &low, &count);
    if (!t->offsets) {
        visit_part(b, low, count, place_unique);
        return;
    }
    uint32_t first = rank_before(b, low), end = rank_before(b, low + count), at = 0;
    for (uint32_t r = 0; r < range; r++) at += (uint32_t)b->range_rows[r];
    memset(t->offsets + first + 1, 0, sizeof(uint32_t) * (end - first));
    visit_part(b, low, count, count_ranks);
    for (uint32_t rank = first; rank < end; rank++) {
        uint32_t rows = t->offsets[rank + 1];
        t->offsets[rank + 1] = t->order ? at : at + rows;
        at += rows;
    }
    if (t->order) visit_part(b, low, count, place_rows);
}

static void mark_part(wr_table_build *b, uint32_t range) {
    uint64_t low, count;
    range_part(b, range, &low, &count);
    memset(b->table->bits_buffer->data + (low - b->table->min) / 8, 0, count / 8);
    b->range_rows[range] = visit_part(b, low, count, set_bits);
}

static wr_status begin_marking(wr_table_build *b, uint32_t *item_count, wr_error *err) {
    wr_join_table *t = b->table;
    bool rising = true;
    for (uint32_t s = 0; s < b->indexed_slices; s++) {
        rising &= b->slices[s].rising;
        if (s) rising &= !wr_key_below(&b->join->keys, b->slices[s].min, b->slices[s - 1].max);
    }
    b->rising = rising;
    uint64_t words = (t->range + 63) / 64;
    b->range_count = 1;
    if (t->indexed_count >= DENSE_PARALLEL_ROWS) b->range_count = 2 * b->thread_count;
    if (b->range_count > words) b->range_count = 1;
    b->range_rows = wr_alloc_zeroed(b->allocator, sizeof(uint64_t) * b->range_count);
    if (!b->range_rows) return wr_fail_memory(err, sizeof(uint64_t) * b->range_count, "hash join build");
    WR_TRY(wr_buffer_create(&t->bits_buffer, b->allocator, words * 8, err));
    t->bits = (const uint64_t *)(void *)t->bits_buffer->data;
    *item_count = b->range_count;
    return WR_OK;
}

/* The bitmap is there: ranks, and what leads from ranks to ids. */
static wr_status begin_placing(wr_table_build *b, uint32_t *item_count, wr_error *err) {
    wr_join_table *t = b->table;
    uint64_t words = (t->range + 63) / 64;
    t->ranks = wr_alloc(b->allocator, sizeof(uint32_t) * words);
    if (!t->ranks) return wr_fail_memory(err, sizeof(uint32_t) * words, "hash join build");
    t->distinct = (uint32_t)b->join->kernels->join->rank_sums(t->bits, words, t->ranks);
    t->unique = !b->repeats;
    if (t->distinct == t->range) {
        wr_buffer_release(t->bits_buffer);
        t->bits_buffer = NULL;
        t->bits = NULL;
        wr_free(b->allocator, t->ranks, sizeof(uint32_t) * words);
        t->ranks = NULL;
    }
    if (t->unique && b->rising) return WR_OK;
    if (!t->unique) {
        t->offsets = wr_alloc(b->allocator, sizeof(uint32_t) * ((size_t)t->distinct + 1));
        if (!t->offsets) return wr_fail_memory(err, sizeof(uint32_t) * ((size_t)t->distinct + 1), "hash join build");
        t->offsets[0] = 0;
    }
    if (!b->rising) {
        t->order = wr_alloc(b->allocator, sizeof(uint32_t) * t->indexed_count);
        if (!t->order) return wr_fail_memory(err, sizeof(uint32_t) * t->indexed_count, "hash join build");
    }
    *item_count = b->range_count;
    return WR_OK;
}

/* ---- hash ---- */

static unsigned bits_for(uint64_t count) {
    unsigned bits = 0;
    while (bits < 63 && UINT64_C(1) << bits < count) bits++;
    return bits;
}

static uint64_t slot_count(const wr_table_build *b) {
    return UINT64_C(1) << b->slot_bits;
}

static uint32_t part_count(const wr_table_build *b) {
    return UINT32_C(1) << b->part_bits;
}

static wr_status begin_hash(wr_table_build *b, uint32_t *item_count, wr_error *err) {
    wr_join_table *t = b->table;
    uint32_t entry_bytes = wr_join_entry_bytes(b->join->keys.word_count);
    b->slot_bits = bits_for(t->indexed_count);
    if (b->slot_bits < SLOT_BITS_MIN) b->slot_bits = SLOT_BITS_MIN;
    b->part_bits = bits_for(((uint64_t)t->indexed_count * entry_bytes + slot_count(b) * 8) / PART_BYTES);
    if (b->part_bits > PART_BITS_MAX) b->part_bits = PART_BITS_MAX;
    if (b->part_bits > b->slot_bits) b->part_bits = b->slot_bits;
    b->histogram_bytes = sizeof(uint32_t) * b->indexed_slices * (size_t)part_count(b);
    b->histogram = wr_alloc_zeroed(b->allocator, b->histogram_bytes);
    b->part_first = wr_alloc_zeroed(b->allocator, sizeof(uint32_t) * ((size_t)part_count(b) + 1));
    if (!b->histogram || !b->part_first) return wr_fail_memory(err, b->histogram_bytes, "hash join build");
    *item_count = b->indexed_slices;
    return WR_OK;
}

static void write_entry(uint8_t *entry, unsigned word_count, uint64_t first, uint64_t second, uint32_t id) {
    memcpy(entry, &first, 8);
    if (word_count == 2) memcpy(entry + 8, &second, 8);
    memcpy(entry + 8 * (size_t)word_count, &id, 4);
}

/* Counts the slice's rows by part, or scatters them. */
static void pass_slice(wr_table_build *b, uint32_t index, bool scatter) {
    const wr_join_slice *slice = &b->slices[index];
    wr_join_table *t = b->table;
    unsigned word_count = b->join->keys.word_count, shift = b->slot_bits - b->part_bits;
    uint32_t *at = b->histogram + (size_t)index * part_count(b), entry_bytes = wr_join_entry_bytes(word_count);
    uint64_t hashes[BLOCK_ROWS], mask = slot_count(b) - 1;
    for (uint32_t i = slice->first; i < slice->end; i++) {
        const wr_join_segment *s = &b->segments[i];
        for (uint32_t first = 0; first < s->count; first += BLOCK_ROWS) {
            uint32_t count = s->count - first < BLOCK_ROWS ? s->count - first : BLOCK_ROWS;
            const uint64_t *second = words_of(s, 1);
            const uint64_t *words[2] = {words_of(s, 0) + first, second ? second + first : NULL};
            wr_words_hash(&b->join->keys, b->join->kernels, words, count, hashes);
            for (uint32_t k = 0; k < count; k++) {
                uint32_t part = (uint32_t)((hashes[k] & mask) >> shift), row = at[part]++;
                if (!scatter) continue;
                write_entry(t->entries + (size_t)row * entry_bytes, word_count, words[0][k],
                            word_count == 2 ? words[1][k] : 0, s->id + first + k);
            }
        }
    }
}

static wr_status begin_scatter(wr_table_build *b, uint32_t *item_count, wr_error *err) {
    wr_join_table *t = b->table;
    uint32_t parts = part_count(b), row = 0;
    for (uint32_t p = 0; p < parts; p++) {
        b->part_first[p] = row;
        for (uint32_t s = 0; s < b->indexed_slices; s++) {
            uint32_t *at = &b->histogram[(size_t)s * parts + p], count = *at;
            *at = row;
            row += count;
        }
    }
    b->part_first[parts] = row;
    uint32_t entry_bytes = wr_join_entry_bytes(b->join->keys.word_count);
    t->directory =
        (wr_join_directory){.slot_mask = slot_count(b) - 1, .tag_shift = b->slot_bits, .entry_bytes = entry_bytes};
    t->entries = wr_alloc(b->allocator, (size_t)t->indexed_count * entry_bytes);
    t->slots = wr_alloc(b->allocator, sizeof(uint64_t) * (slot_count(b) + 1));
    t->directory.entries = t->entries;
    t->directory.slots = t->slots;
    *item_count = b->indexed_slices;
    return t->entries && t->slots ? WR_OK
                                  : wr_fail_memory(err, (size_t)t->indexed_count * entry_bytes, "hash join build");
}

static void entry_hashes(const wr_table_build *b, const uint8_t *entries, uint32_t count, uint64_t *hashes) {
    unsigned word_count = b->join->keys.word_count;
    uint32_t bytes = wr_join_entry_bytes(word_count);
    uint64_t words[2][BLOCK_ROWS];
    for (uint32_t i = 0; i < count; i++) {
        memcpy(&words[0][i], entries + (size_t)i * bytes, 8);
        if (word_count == 2) memcpy(&words[1][i], entries + (size_t)i * bytes + 8, 8);
    }
    const uint64_t *sides[2] = {words[0], words[1]};
    wr_words_hash(&b->join->keys, b->join->kernels, sides, count, hashes);
}

static bool slot_repeats(const uint8_t *entries, uint32_t count, uint32_t entry_bytes) {
    if (count > SLOT_ROWS_COMPARED) return true;
    for (uint32_t i = 1; i < count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (memcmp(entries + (size_t)i * entry_bytes, entries + (size_t)k * entry_bytes, entry_bytes - 4) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* While a part is sorted, the upper 48 bits of a slot count its rows, then lead to where the next one goes. */
static void sort_part(wr_table_build *b, uint32_t part, uint8_t *copy) {
    wr_join_table *t = b->table;
    const uint32_t bytes = t->directory.entry_bytes, begin = b->part_first[part];
    const uint32_t count = b->part_first[part + 1] - begin;
    uint64_t slots = slot_count(b) >> b->part_bits, *slot = t->slots + part * slots;
    uint64_t hashes[BLOCK_ROWS], mask = t->directory.slot_mask, next = begin;
    memset(slot, 0, sizeof(uint64_t) * slots);
    memcpy(copy, t->entries + (size_t)begin * bytes, (size_t)count * bytes);
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t first = 0; first < count; first += BLOCK_ROWS) {
            uint32_t n = count - first < BLOCK_ROWS ? count - first : BLOCK_ROWS;
            const uint8_t *from = copy + (size_t)first * bytes;
            entry_hashes(b, from, n, hashes);
            for (uint32_t i = 0; i < n; i++, from += bytes) {
                uint64_t *at = t->slots + (hashes[i] & mask);
                if (pass) memcpy(t->entries + (*at >> 16) * bytes, from, bytes);
                *at = (*at + (UINT64_C(1) << 16)) | wr_join_tag(hashes[i], t->directory.tag_shift);
            }
        }
        bool repeats = false;
        uint64_t last = begin;
        for (uint64_t s = 0; s < slots; s++) {
            uint64_t upper = slot[s] >> 16, bloom = slot[s] & 0xffff;
            if (pass) {
                repeats |= slot_repeats(t->entries + last * bytes, (uint32_t)(upper - last), bytes);
                slot[s] = last << 16 | bloom;
                last = upper;
            } else {
                slot[s] = next << 16 | bloom;
                next += upper;
            }
        }
        if (repeats) b->repeats = true;
    }
}

static wr_status sort_item(wr_table_build *b, uint32_t part, wr_error *err) {
    size_t bytes = (size_t)(b->part_first[part + 1] - b->part_first[part]) * b->table->directory.entry_bytes;
    uint8_t *copy = wr_alloc(b->allocator, bytes);
    if (!copy) return wr_fail_memory(err, bytes, "hash join build");
    sort_part(b, part, copy);
    wr_free(b->allocator, copy, bytes);
    return WR_OK;
}

/* ---- phases ---- */

static bool choose_dense(wr_table_build *b) {
    wr_join_table *t = b->table;
    const wr_key_plan *keys = &b->join->keys;
    if (!keys->is_integer) return false;
    uint64_t min = 0, max = 0;
    bool some = false;
    for (const wr_join_chunk *chunk = b->chunks; chunk; chunk = chunk->next) {
        if (chunk->null_keys || chunk->row_count == 0) continue;
        if (!some || wr_key_below(keys, chunk->min, min)) min = chunk->min;
        if (!some || wr_key_below(keys, max, chunk->max)) max = chunk->max;
        some = true;
    }
    uint64_t range = max - min + 1;
    bool small = range <= DENSE_RANGE_SMALL || range / DENSE_RANGE_PER_ROW < t->indexed_count;
    if (range == 0 || !small) return false;
    t->min = min;
    t->range = range;
    return true;
}

static wr_status begin_index(wr_table_build *b, uint32_t *item_count, wr_error *err) {
    wr_join_table *t = b->table;
    t->unique = t->indexed_count <= 1 && b->join->keys.mode != WR_KEY_NONE;
    b->phase = WR_BUILD_DONE;
    if (b->join->keys.mode == WR_KEY_NONE || t->indexed_count == 0) return WR_OK;
    if (choose_dense(b)) {
        t->index = WR_INDEX_DENSE;
        b->phase = WR_BUILD_DENSE_LOOK;
        *item_count = b->indexed_slices;
        return WR_OK;
    }
    t->index = WR_INDEX_HASH;
    b->phase = WR_BUILD_HASH_COUNT;
    return begin_hash(b, item_count, err);
}

wr_status wr_index_advance(wr_table_build *b, uint32_t *item_count, wr_error *err) {
    wr_join_table *t = b->table;
    switch ((enum wr_build_phase)b->phase) {
    case WR_BUILD_DENSE_LOOK: b->phase = WR_BUILD_DENSE_MARK; return begin_marking(b, item_count, err);
    case WR_BUILD_DENSE_MARK: b->phase = WR_BUILD_DENSE_PLACE; return begin_placing(b, item_count, err);
    case WR_BUILD_HASH_COUNT: b->phase = WR_BUILD_HASH_SCATTER; return begin_scatter(b, item_count, err);
    case WR_BUILD_HASH_SCATTER:
        b->phase = WR_BUILD_HASH_SORT;
        *item_count = part_count(b);
        return WR_OK;
    case WR_BUILD_HASH_SORT:
        t->slots[slot_count(b)] = (uint64_t)t->indexed_count << 16;
        t->unique = !b->repeats;
        b->phase = WR_BUILD_DONE;
        return WR_OK;
    case WR_BUILD_DENSE_PLACE: b->phase = WR_BUILD_DONE; return WR_OK;
    default: return begin_index(b, item_count, err);
    }
}

wr_status wr_index_item(wr_table_build *b, uint32_t item, wr_error *err) {
    switch ((enum wr_build_phase)b->phase) {
    case WR_BUILD_DENSE_LOOK: look_at_slice(b, &b->slices[item]); return WR_OK;
    case WR_BUILD_DENSE_MARK: mark_part(b, item); return WR_OK;
    case WR_BUILD_DENSE_PLACE: place_part(b, item); return WR_OK;
    case WR_BUILD_HASH_COUNT: pass_slice(b, item, false); return WR_OK;
    case WR_BUILD_HASH_SCATTER: pass_slice(b, item, true); return WR_OK;
    default: return sort_item(b, item, err);
    }
}

void wr_index_build_deinit(wr_table_build *b) {
    wr_free(b->allocator, b->range_rows, sizeof(uint64_t) * b->range_count);
    wr_free(b->allocator, b->histogram, b->histogram_bytes);
    wr_free(b->allocator, b->part_first, sizeof(uint32_t) * ((size_t)part_count(b) + 1));
}

void wr_index_deinit(wr_join_table *t) {
    wr_allocator *a = t->allocator;
    uint64_t words = (t->range + 63) / 64;
    wr_buffer_release(t->bits_buffer);
    wr_free(a, t->ranks, sizeof(uint32_t) * words);
    wr_free(a, t->order, sizeof(uint32_t) * t->indexed_count);
    wr_free(a, t->offsets, sizeof(uint32_t) * ((size_t)t->distinct + 1));
    wr_free(a, t->slots, sizeof(uint64_t) * (t->directory.slot_mask + 2));
    wr_free(a, t->entries, (size_t)t->indexed_count * t->directory.entry_bytes);
}

size_t wr_index_bytes(const wr_join *join, uint64_t row_count) {
    if (join->keys.mode == WR_KEY_NONE) return 0;
    return row_count * (wr_join_entry_bytes(join->keys.word_count) + 2 * sizeof(uint64_t)) + PART_BYTES;
}
