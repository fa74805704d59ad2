/* A table of groups: entries in an array, a directory of slots that lead to them.
 *
 * The directory has at least two slots a group; a slot holds the entry's index and 8 bits of its hash (kernel/group.h).
 * Collisions go to the next slot. Looking is split in two: the first look at all rows changes nothing and runs in a
 * kernel, so that the caller knows, before anything changes, how many rows may need new groups and what they will cost;
 * the second look inserts. Groups are numbered in the order in which their first rows came. */
#include "exec/aggregate_internal.h"

enum { CAPACITY_MIN = 512 };

void wr_agg_table_init(wr_agg_table *t, const wr_agg_plan *plan, wr_agg_states *states, uint32_t limit) {
    *t = (wr_agg_table){.plan = plan, .states = states, .limit = limit};
}

static uint8_t *entry_at(const wr_agg_table *t, uint32_t index) {
    return t->entries + (size_t)index * t->plan->entry_bytes;
}

static size_t entry_array_bytes(const wr_agg_table *t, uint32_t capacity) {
    return (size_t)t->plan->entry_bytes * capacity;
}

static void free_directory(wr_agg_table *t) {
    wr_allocator *a = t->plan->allocator;
    if (t->directory) a->free(a, t->directory, sizeof *t->directory * t->slot_count, WR_ALIGN_BUFFER);
    t->directory = NULL;
    t->slot_count = 0;
}

void wr_agg_table_deinit(wr_agg_table *t) {
    if (!t->plan) return;
    wr_allocator *a = t->plan->allocator;
    if (t->entries) {
        uint8_t *left = t->entries + (size_t)t->first * t->plan->entry_bytes;
        wr_agg_states_destroy(t->states, left, t->plan->entry_bytes, t->count - t->first);
        a->free(a, t->entries, entry_array_bytes(t, t->capacity), WR_ALIGN_BUFFER);
    }
    free_directory(t);
    wr_row_list_destroy(&t->rows, a);
    wr_row_list_destroy(&t->pages, a);
    *t = (wr_agg_table){0};
}

void wr_agg_table_reset(wr_agg_table *t) {
    t->first = t->count = 0;
    t->generation++;
    if (t->directory) memset(t->directory, 0, sizeof *t->directory * t->slot_count);
    wr_row_list_destroy(&t->rows, t->plan->allocator);
    wr_row_list_destroy(&t->pages, t->plan->allocator);
}

static uint64_t entry_word(const uint8_t *entry, uint32_t word) {
    uint64_t value;
    memcpy(&value, entry + 8 * word, 8);
    return value;
}

/* ---- growing ---- */

static uint32_t grown_capacity(const wr_agg_table *t, uint64_t needed) {
    uint64_t capacity = t->capacity ? t->capacity : CAPACITY_MIN;
    while (capacity < needed) capacity *= 2;
    if (capacity > t->limit) capacity = t->limit > needed ? t->limit : needed;
    return (uint32_t)(capacity < WR_GROUPS_MAX ? capacity : WR_GROUPS_MAX);
}

static uint32_t slots_for(uint64_t groups) {
    uint32_t slots = 2 * CAPACITY_MIN;
    while (slots < 2 * groups) slots *= 2;
    return slots;
}

static wr_status grow_entries(wr_agg_table *t, uint64_t needed, wr_error *err) {
    if (needed <= t->capacity) return WR_OK;
    if (needed > WR_GROUPS_MAX) {
        return wr_fail(err, WR_INTERNAL, "a table of %llu groups; it is flushed at %d", (unsigned long long)needed,
                       WR_GROUPS_MAX);
    }
    wr_allocator *a = t->plan->allocator;
    uint32_t capacity = grown_capacity(t, needed);
    size_t bytes = entry_array_bytes(t, capacity);
    uint8_t *entries = a->resize(a, t->entries, entry_array_bytes(t, t->capacity), bytes, WR_ALIGN_BUFFER);
    if (!entries) return wr_fail_memory(err, bytes, "the groups of an aggregation");
    t->entries = entries;
    t->capacity = capacity;
    return WR_OK;
}

static void directory_put(wr_agg_table *t, uint32_t index, uint64_t hash) {
    uint32_t mask = t->slot_count - 1, slot = (uint32_t)hash & mask;
    while (t->directory[slot]) slot = (slot + 1) & mask;
    t->directory[slot] = wr_group_slot(index, hash);
}

enum { HASH_CHUNK = 256 };

static void fill_directory(wr_agg_table *t) {
    uint64_t words[HASH_CHUNK], seconds[HASH_CHUNK], hashes[HASH_CHUNK];
    for (uint32_t first = 0; first < t->count; first += HASH_CHUNK) {
        uint32_t n = t->count - first < HASH_CHUNK ? t->count - first : HASH_CHUNK;
        wr_agg_entry_hashes(t->plan, entry_at(t, first), t->plan->entry_bytes, n, words, seconds, hashes);
        for (uint32_t i = 0; i < n; i++) directory_put(t, first + i, hashes[i]);
    }
}

static wr_status grow_directory(wr_agg_table *t, uint64_t groups, wr_error *err) {
    if (t->slot_count >= 2 * groups) return WR_OK;
    wr_allocator *a = t->plan->allocator;
    uint32_t slot_count = slots_for(groups);
    size_t bytes = sizeof *t->directory * slot_count;
    uint32_t *directory = a->alloc(a, bytes, WR_ALIGN_BUFFER);
    if (!directory) return wr_fail_memory(err, bytes, "the table of an aggregation");
    memset(directory, 0, bytes);
    free_directory(t);
    t->directory = directory;
    t->slot_count = slot_count;
    fill_directory(t);
    return WR_OK;
}

wr_status wr_agg_table_index(wr_agg_table *t, wr_error *err) {
    if (t->slot_count < 2 * (uint64_t)t->count) return grow_directory(t, t->count, err);
    fill_directory(t); /* which was cleared with the groups before */
    return WR_OK;
}

wr_status wr_agg_table_own_rows(wr_agg_table *t, uint32_t first, wr_error *err) {
    const wr_agg_plan *plan = t->plan;
    for (uint32_t i = first; i < t->count; i++) {
        uint8_t *entry = entry_at(t, i), *row;
        memcpy(&row, entry, sizeof row);
        WR_TRY(wr_row_copy(&t->rows, plan->allocator, &plan->key_layout, plan->page_bytes, &row, 1, &row, err));
        memcpy(entry, &row, sizeof row);
    }
    return WR_OK;
}

size_t wr_agg_table_need(const wr_agg_table *t, const wr_agg_keys *keys, const uint32_t *missed,
                         uint32_t missed_count) {
    if (!missed_count) return 0;
    uint64_t groups = (uint64_t)t->count + missed_count;
    size_t bytes = 0;
    if (groups > t->capacity) bytes += entry_array_bytes(t, grown_capacity(t, groups));
    if (2 * groups > t->slot_count) bytes += sizeof *t->directory * slots_for(groups);
    if (t->plan->mode == WR_AGG_ROWS && !keys->rows) {
        bytes += wr_row_append_bytes(&t->plan->key_layout, t->plan->page_bytes, keys->columns, missed, missed_count);
    }
    return bytes;
}

/* ---- keys that are rows: candidates have the hash, and are compared ---- */

enum { MATCH_WORDS = WR_BATCH_ROWS_MAX / 64 };

/* Clears bit i where key i is not that of entry groups[i]; looks only at set bits. */
static void match_rows(const wr_agg_table *t, const wr_agg_keys *keys, const uint32_t *groups, uint64_t *match) {
    const wr_agg_plan *plan = t->plan;
    for (uint32_t w = 0; w < wr_bitmap_words(keys->count); w++) {
        for (uint64_t word = match[w]; word; word &= word - 1) {
            uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(word);
            const uint8_t *row = (const uint8_t *)(uintptr_t)entry_word(entry_at(t, groups[i]), 0);
            if (!keys->rows) {
                keys->row_storage[i] = (uint8_t *)(uintptr_t)row;
            } else if (!wr_row_equal(&plan->key_layout, plan->key_count, keys->rows[i], row)) {
                match[w] &= ~(word & -word);
            }
        }
    }
    if (keys->rows) return;
    wr_row_match(&plan->key_layout, keys->columns, plan->key_count, plan->null_equals, keys->row_storage, keys->count,
                 match);
}

/* ---- the first look ---- */

static uint32_t probe_rows(const wr_agg_table *t, const wr_agg_keys *keys, uint32_t *groups, uint32_t *missed) {
    uint64_t match[MATCH_WORDS];
    uint32_t n = keys->count, mask = t->slot_count - 1;
    uint32_t missed_count = t->plan->kernels->group->probe1(t->directory, mask, t->entries + 8, t->plan->entry_bytes,
                                                            keys->hashes, keys->hashes, n, groups, missed);
    wr_bitmap_fill(match, n, true);
    if (n & 63) match[n / 64] &= wr_bitmap_tail(n);
    for (uint32_t i = 0; i < missed_count; i++) wr_bit_clear(match, missed[i]);
    match_rows(t, keys, groups, match);
    missed_count = 0;
    for (uint32_t w = 0; w < wr_bitmap_words(n); w++) {
        uint64_t word = ~match[w] & (w == n / 64 ? wr_bitmap_tail(n) : UINT64_MAX);
        for (; word; word &= word - 1) missed[missed_count++] = w * 64 + (uint32_t)__builtin_ctzll(word);
    }
    return missed_count;
}

uint32_t wr_agg_table_probe(wr_agg_table *t, const wr_agg_keys *keys, uint32_t *groups, uint32_t *missed) {
    uint32_t n = keys->count;
    if (t->count == 0) {
        for (uint32_t i = 0; i < n; i++) missed[i] = i;
        return n;
    }
    const wr_group_kernels *kernels = t->plan->kernels->group;
    uint32_t mask = t->slot_count - 1, stride = t->plan->entry_bytes;
    switch (t->plan->mode) {
    case WR_AGG_WORD:
        return kernels->probe1(t->directory, mask, t->entries, stride, keys->words, keys->hashes, n, groups, missed);
    case WR_AGG_WORDS:
        return kernels->probe2(t->directory, mask, t->entries, stride, keys->words, keys->seconds, keys->hashes, n,
                               groups, missed);
    default: return probe_rows(t, keys, groups, missed);
    }
}

/* ---- the second look ---- */

/* The first slot from `slot` on that is empty or whose entry has the hash's bits in its tag. */
static uint32_t next_candidate(const wr_agg_table *t, uint32_t slot, uint64_t hash) {
    uint32_t mask = t->slot_count - 1;
    for (;; slot = (slot + 1) & mask) {
        uint32_t held = t->directory[slot];
        if (!held || held >> WR_GROUP_TAG_SHIFT == (uint8_t)(hash >> 32)) return slot;
    }
}

static uint32_t slot_index(const wr_agg_table *t, uint32_t slot) {
    return (t->directory[slot] & ((1u << WR_GROUP_TAG_SHIFT) - 1)) - 1;
}

static void insert_words(wr_agg_table *t, const wr_agg_keys *keys, const uint32_t *missed, uint32_t missed_count,
                         uint32_t *groups) {
    const uint32_t mask = t->slot_count - 1;
    const bool two = t->plan->mode == WR_AGG_WORDS;
    for (uint32_t m = 0; m < missed_count; m++) {
        uint32_t i = missed[m], index, slot = (uint32_t)keys->hashes[i] & mask;
        uint64_t word = keys->words[i], second = two ? keys->seconds[i] : 0;
        for (;; slot = (slot + 1) & mask) {
            slot = next_candidate(t, slot, keys->hashes[i]);
            if (!t->directory[slot]) {
                index = t->count++;
                memcpy(entry_at(t, index), &word, 8);
                if (two) memcpy(entry_at(t, index) + 8, &second, 8);
                t->directory[slot] = wr_group_slot(index, keys->hashes[i]);
                break;
            }
            index = slot_index(t, slot);
            const uint8_t *entry = entry_at(t, index);
            if (entry_word(entry, 0) == word && (!two || entry_word(entry, 1) == second)) break;
        }
        groups[i] = index;
    }
}

/* Gives the entries from `index` on the rows of their keys: rows `rows` of the keys. */
static wr_status adopt_rows(wr_agg_table *t, const wr_agg_keys *keys, const uint32_t *rows, uint32_t count,
                            uint32_t index, wr_error *err) {
    uint8_t **addresses = keys->row_storage; /* of keys that are columns: free until they are compared */
    if (!keys->rows) {
        WR_TRY(wr_row_append(&t->rows, t->plan->allocator, &t->plan->key_layout, t->plan->page_bytes, keys->columns,
                             rows, count, addresses, err));
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *row = keys->rows ? keys->rows[rows[i]] : addresses[i];
        memcpy(entry_at(t, index + i), &row, sizeof row);
    }
    return WR_OK;
}

enum { INSERT_CHUNK = 512 };

typedef struct row_insert {
    uint32_t pending_count;
    uint32_t pending[INSERT_CHUNK]; /* rows */
    uint32_t slots[INSERT_CHUNK];   /* where each goes on */
    uint32_t fresh[INSERT_CHUNK];   /* rows that made a group in this round */
} row_insert;

/* Each pending row takes an empty slot, or finds a candidate, which is compared with all others of the round; who
 * differs goes on behind it in the next. Nearly always there is one round, as equal hashes are equal keys. */
static wr_status insert_round(wr_agg_table *t, const wr_agg_keys *keys, row_insert *in, uint32_t *groups,
                              wr_error *err) {
    uint64_t match[MATCH_WORDS];
    uint32_t candidate_count = 0, fresh_count = 0, first_fresh = t->count;
    memset(match, 0, wr_bitmap_bytes(keys->count));
    for (uint32_t p = 0; p < in->pending_count; p++) {
        uint32_t i = in->pending[p], slot = in->slots[p];
        uint64_t hash = keys->hashes[i];
        for (;; slot = (slot + 1) & (t->slot_count - 1)) {
            slot = next_candidate(t, slot, hash);
            if (!t->directory[slot] || entry_word(entry_at(t, slot_index(t, slot)), 1) == hash) break;
        }
        if (!t->directory[slot]) {
            groups[i] = t->count++;
            memcpy(entry_at(t, groups[i]) + 8, &hash, 8);
            t->directory[slot] = wr_group_slot(groups[i], hash);
            in->fresh[fresh_count++] = i;
        } else {
            groups[i] = slot_index(t, slot);
            wr_bit_set(match, i);
            in->pending[candidate_count] = i;
            in->slots[candidate_count++] = slot;
        }
    }
    if (fresh_count) WR_TRY(adopt_rows(t, keys, in->fresh, fresh_count, first_fresh, err));
    in->pending_count = 0;
    if (!candidate_count) return WR_OK;
    match_rows(t, keys, groups, match);
    for (uint32_t p = 0; p < candidate_count; p++) {
        if (wr_bit_get(match, in->pending[p])) continue;
        in->pending[in->pending_count] = in->pending[p];
        in->slots[in->pending_count++] = (in->slots[p] + 1) & (t->slot_count - 1);
    }
    return WR_OK;
}

static wr_status insert_rows(wr_agg_table *t, const wr_agg_keys *keys, const uint32_t *missed, uint32_t missed_count,
                             uint32_t *groups, wr_error *err) {
    row_insert in;
    for (uint32_t done = 0; done < missed_count; done += INSERT_CHUNK) {
        uint32_t n = missed_count - done < INSERT_CHUNK ? missed_count - done : INSERT_CHUNK;
        in.pending_count = n;
        for (uint32_t p = 0; p < n; p++) {
            in.pending[p] = missed[done + p];
            in.slots[p] = (uint32_t)keys->hashes[in.pending[p]] & (t->slot_count - 1);
        }
        while (in.pending_count) WR_TRY(insert_round(t, keys, &in, groups, err));
    }
    return WR_OK;
}

wr_status wr_agg_table_insert(wr_agg_table *t, const wr_agg_keys *keys, const uint32_t *missed, uint32_t missed_count,
                              uint32_t *groups, wr_error *err) {
    if (!missed_count) return WR_OK;
    uint32_t old_count = t->count;
    WR_TRY(grow_entries(t, (uint64_t)old_count + missed_count, err));
    WR_TRY(grow_directory(t, (uint64_t)old_count + missed_count, err));
    if (t->plan->mode == WR_AGG_ROWS) {
        wr_status status = insert_rows(t, keys, missed, missed_count, groups, err);
        if (status != WR_OK) {
            t->count = old_count; /* the directory leads to entries that are not: the table is only good for its end */
            return status;
        }
    } else {
        insert_words(t, keys, missed, missed_count, groups);
    }
    wr_agg_states_create(t->states, entry_at(t, old_count), t->plan->entry_bytes, t->count - old_count);
    return WR_OK;
}

wr_status wr_agg_table_append(wr_agg_table *t, const wr_agg_keys *keys, uint32_t *groups, wr_error *err) {
    const wr_agg_plan *plan = t->plan;
    uint32_t n = keys->count, old_count = t->count;
    WR_TRY(grow_entries(t, (uint64_t)old_count + n, err));
    for (uint32_t i = 0; i < n; i++) groups[i] = old_count + i;
    if (plan->mode == WR_AGG_ROWS) {
        WR_ASSERT(!keys->rows);
        WR_TRY(wr_row_append(&t->rows, plan->allocator, &plan->key_layout, plan->page_bytes, keys->columns, NULL, n,
                             keys->row_storage, err));
    }
    uint8_t *entry = entry_at(t, old_count);
    for (uint32_t i = 0; i < n; i++, entry += plan->entry_bytes) {
        uint64_t first = plan->mode == WR_AGG_ROWS ? (uintptr_t)keys->row_storage[i] : keys->words[i];
        memcpy(entry, &first, 8);
        if (plan->mode == WR_AGG_WORD) continue;
        memcpy(entry + 8, plan->mode == WR_AGG_ROWS ? &keys->hashes[i] : &keys->seconds[i], 8);
    }
    t->count += n;
    wr_agg_states_create(t->states, entry_at(t, old_count), plan->entry_bytes, n);
    return WR_OK;
}
