/* Probe rows to pairs, pairs to output.
 *
 *   begin -> MATCH -> (EMIT -> MATCH …) -> (NULLS) -> (FLAGS) -> used up
 *
 * MATCH fills the pair arrays: rows in their order, and for each row ids in theirs. Pairs whose words are only hashes are
 * compared by value, then the residual conditions are evaluated on what is left. Joins that give pairs emit them; those
 * that keep or filter probe rows set flags by position, and rows without a match are merged into the pairs where they
 * belong, so that the order of the probe side is kept.
 *
 * Output has two ways. When at least half of a batch's rows come out, once each, the batch goes on as it is, with a
 * narrower selection and the build side's columns beside it. Else rows are gathered into a batch of their own, which goes
 * on when it is half full: a selective join does not leave crumbs for the operators above. */
#include "exec/join_internal.h"

enum { PAIRS_MIN = 64 };

/* ---- memory ---- */

/* Every array, its size in bytes given positions and pairs. */
typedef struct array_row {
    void **array;
    size_t bytes;
} array_row;

enum { ARRAYS = 15 };

static void list_arrays(wr_join_prober *p, size_t rows, size_t pairs, array_row out[ARRAYS]) {
    const array_row list[ARRAYS] = {
        {(void **)&p->candidates.rows, sizeof(uint16_t) * rows},
        {(void **)&p->candidates.begin, sizeof(uint32_t) * rows},
        {(void **)&p->candidates.end, sizeof(uint32_t) * rows},
        {(void **)&p->narrow_rows, sizeof(uint16_t) * rows},
        {(void **)&p->row_true, wr_padded_bitmap_bytes(rows)},
        {(void **)&p->row_unknown, wr_padded_bitmap_bytes(rows)},
        {(void **)&p->row_pass, wr_padded_bitmap_bytes(rows)},
        {(void **)&p->aligned_ids, sizeof(uint32_t) * rows},
        {(void **)&p->pair_rows, sizeof(uint16_t) * pairs},
        {(void **)&p->pair_ids, sizeof(uint32_t) * pairs},
        {(void **)&p->physical, sizeof(uint16_t) * (pairs + rows)},
        {(void **)&p->keep, wr_padded_bitmap_bytes(pairs)},
        {(void **)&p->truth, wr_padded_bitmap_bytes(pairs)},
        {(void **)&p->emit_rows, sizeof(uint16_t) * (pairs + rows)},
        {(void **)&p->emit_ids, sizeof(uint32_t) * (pairs + rows)},
    };
    memcpy(out, list, sizeof list);
}

static void drop_arrays(wr_join_prober *p) {
    array_row list[ARRAYS];
    list_arrays(p, p->capacity, p->pair_capacity, list);
    for (uint32_t i = 0; i < ARRAYS; i++) {
        wr_free(p->allocator, *list[i].array, list[i].bytes);
        *list[i].array = NULL;
    }
    p->capacity = p->pair_capacity = 0;
}

/* Arrays for batches of `rows` rows; kernels write up to 64 more. */
static wr_status reserve(wr_join_prober *p, uint32_t rows, wr_error *err) {
    if (rows + 64 <= p->capacity) return WR_OK;
    drop_arrays(p);
    uint32_t pairs = p->out.capacity > PAIRS_MIN ? p->out.capacity : PAIRS_MIN;
    if (pairs < rows) pairs = rows;
    p->capacity = (rows + 127) & ~63u;
    p->pair_capacity = (pairs + 127) & ~63u;
    array_row list[ARRAYS];
    list_arrays(p, p->capacity, p->pair_capacity, list);
    for (uint32_t i = 0; i < ARRAYS; i++) {
        *list[i].array = wr_alloc(p->allocator, list[i].bytes);
        if (!*list[i].array) return wr_fail_memory(err, list[i].bytes, "hash join probe");
    }
    return WR_OK;
}

wr_status wr_prober_init(wr_join_prober *p, wr_join *join, wr_error *err) {
    *p = (wr_join_prober){.join = join, .table = &join->table, .allocator = join->allocator};
    wr_key_scratch_init(&p->scratch, join->allocator, join->kernels);
    WR_TRY(wr_batch_builder_init(&p->out, join->allocator, join->kernels, join->output_types, join->output_count,
                                 join->exec->batch_rows, err));
    WR_TRY(wr_batch_init(&p->through, join->allocator, join->output_count, err));
    if (!join->residual) return WR_OK;
    WR_TRY(wr_program_state_create(&p->residual, join->residual, join->allocator, err));
    WR_TRY(wr_batch_init(&p->pair_batch, join->allocator, join->residual_input_count, err));
    p->truths = wr_alloc_zeroed(p->allocator, sizeof(wr_vector) * join->residual_count);
    return p->truths ? WR_OK : wr_fail_memory(err, sizeof(wr_vector) * join->residual_count, "hash join probe");
}

void wr_prober_deinit(wr_join_prober *p) {
    if (!p->join) return;
    drop_arrays(p);
    wr_key_scratch_deinit(&p->scratch);
    wr_batch_builder_deinit(&p->out);
    wr_batch_deinit(&p->through);
    wr_batch_deinit(&p->pair_batch);
    for (uint32_t i = 0; p->truths && i < p->join->residual_count; i++) wr_vector_deinit(&p->truths[i]);
    wr_free(p->allocator, p->truths, sizeof(wr_vector) * p->join->residual_count);
    wr_program_state_destroy(p->residual);
    p->join = NULL;
}

/* ---- beginning ---- */

static wr_status begin(wr_join_prober *p, wr_batch *in, const wr_keys *keys, wr_error *err) {
    const wr_join *join = p->join;
    p->in = in;
    p->count = in->sel_count;
    p->rows = in->sel;
    p->pair_count = p->emit_count = p->emit_at = 0;
    p->narrowed = p->exhausted = p->one_each = p->has_candidates = false;
    p->cursor = (wr_join_cursor){0, 0};
    p->merged_to = p->null_row = p->null_id = 0;
    WR_TRY(reserve(p, in->row_count, err));
    memset(p->row_true, 0, wr_bitmap_bytes(p->count));
    memset(p->row_unknown, 0, wr_bitmap_bytes(p->count));
    if (keys) {
        p->keys = *keys;
        return wr_key_scratch_reserve(&p->scratch, &join->keys, p->count, err);
    }
    const wr_vector *columns[WR_JOIN_KEYS_MAX];
    for (uint32_t k = 0; k < join->keys.part_count; k++) columns[k] = &in->columns[join->probe_keys[k]];
    return wr_keys_compute(&join->keys, &p->scratch, columns, p->rows, p->count, &p->keys, err);
}

wr_status wr_prober_begin(wr_join_prober *p, wr_batch *in, const wr_keys *keys, wr_error *err) {
    WR_TRY(begin(p, in, keys, err));
    p->stage = p->count ? WR_PROBE_MATCH : WR_PROBE_IDLE;
    return WR_OK;
}

wr_status wr_prober_begin_flags(wr_join_prober *p, wr_batch *in, const wr_keys *keys, wr_error *err) {
    WR_TRY(begin(p, in, keys, err));
    p->exhausted = true;
    p->stage = p->count ? WR_PROBE_FLAGS : WR_PROBE_IDLE;
    return WR_OK;
}

void wr_prober_narrow(wr_join_prober *p, const uint64_t *stay) {
    const wr_kernels *k = p->join->kernels;
    uint16_t *kept = p->physical; /* positions */
    uint32_t count = k->bits->rows(stay, p->count, 0, kept);
    if (count == p->count) return;
    for (uint32_t w = 0; w < p->join->keys.word_count; w++) {
        uint64_t *words = p->scratch.words[w]; /* where they may be already: they only move to the front */
        for (uint32_t i = 0; i < count; i++) words[i] = p->keys.words[w][kept[i]];
        p->keys.words[w] = words;
    }
    if (p->keys.valid) {
        k->bits->gather(p->keys.valid, kept, count, p->row_pass);
        memcpy(p->scratch.valid, p->row_pass, wr_bitmap_bytes(count));
        p->keys.valid = p->scratch.valid;
        p->keys.null_count = count - k->bits->count(p->keys.valid, count);
    }
    for (uint32_t i = 0; i < count; i++) p->narrow_rows[i] = p->rows ? p->rows[kept[i]] : kept[i];
    p->narrowed = true;
    p->rows = p->narrow_rows;
    p->count = p->keys.count = count;
    if (count == 0) p->stage = WR_PROBE_IDLE;
}

/* ---- pairs by the index ---- */

/* Bits of the rows whose key is in a dense index. */
static void test_dense(wr_join_prober *p, uint64_t *pass) {
    const wr_join_table *t = p->table;
    p->join->kernels->join->dense_test(p->keys.words[0], p->count, t->min, t->range, t->bits, pass);
    if (p->keys.valid) p->join->kernels->bits->and_(pass, p->keys.valid, p->count, pass);
}

/* Rows that are in a dense index, and the ranks of their keys. */
static uint32_t rank_dense(wr_join_prober *p, uint16_t *rows, uint32_t *ranks) {
    const wr_join_table *t = p->table;
    test_dense(p, p->row_pass);
    uint32_t count = p->join->kernels->bits->rows(p->row_pass, p->count, 0, rows);
    p->join->kernels->join->dense_rank(p->keys.words[0], rows, count, t->min, t->bits, t->ranks, ranks);
    return count;
}

static void drop_null_candidates(wr_join_prober *p, uint32_t from) {
    wr_join_candidates *c = &p->candidates;
    uint32_t kept = from;
    for (uint32_t i = from; i < c->count; i++) {
        c->rows[kept] = c->rows[i];
        c->begin[kept] = c->begin[i];
        c->end[kept] = c->end[i];
        kept += wr_bit_get(p->keys.valid, c->rows[i]);
    }
    c->count = kept;
}

/* Slots are looked up a window at a time; with `first`, so are the entries, as long as their lines are near. */
static void look_up(wr_join_prober *p, bool first) {
    const wr_join_kernels *k = p->join->kernels->join;
    const wr_join_directory *d = &p->table->directory;
    const uint64_t *hashes = wr_keys_hash(&p->join->keys, &p->scratch, &p->keys), *const *words = p->keys.words;
    unsigned loop = p->join->keys.word_count - 1u;
    p->candidates.count = 0;
    for (uint32_t at = 0; at < p->count; at += WR_JOIN_WINDOW) {
        uint32_t window = p->count - at < WR_JOIN_WINDOW ? p->count - at : WR_JOIN_WINDOW;
        if (first) p->candidates.count = 0;
        uint32_t from = p->candidates.count;
        k->candidates(d, hashes + at, window, (uint16_t)at, &p->candidates);
        if (p->keys.valid) drop_null_candidates(p, from);
        if (!first) continue;
        p->pair_count += k->match_first[loop](d, words[0], words[1], &p->candidates, 0, p->pair_rows + p->pair_count,
                                              p->pair_ids + p->pair_count);
    }
}

/* Whole groups of a dense index with several rows a key: [begin, end) of its order. */
static void group_dense(wr_join_prober *p) {
    const wr_join_table *t = p->table;
    wr_join_candidates *c = &p->candidates;
    c->count = rank_dense(p, c->rows, c->begin);
    for (uint32_t i = 0; i < c->count; i++) {
        uint32_t rank = c->begin[i];
        c->begin[i] = t->offsets[rank];
        c->end[i] = t->offsets[rank + 1];
    }
}

static void expand_dense(wr_join_prober *p, uint32_t room) {
    const wr_join_table *t = p->table;
    const wr_join_candidates *c = &p->candidates;
    uint32_t found = 0, i = p->cursor.candidate, done = p->cursor.entry;
    for (; i < c->count && found < room; i++, done = 0) {
        uint32_t first = c->begin[i] + done, left = c->end[i] - first, take = left < room - found ? left : room - found;
        for (uint32_t k = 0; k < take; k++) {
            p->pair_rows[found + k] = c->rows[i];
            p->pair_ids[found + k] = t->order ? t->order[first + k] : first + k;
        }
        found += take;
        if (take < left) {
            done += take;
            break;
        }
    }
    p->cursor = (wr_join_cursor){i, i < c->count ? done : 0};
    p->pair_count = found;
}

static void find_several(wr_join_prober *p) {
    const wr_join_table *t = p->table;
    uint32_t room = p->pair_capacity - 64;
    if (!p->has_candidates) {
        if (t->index == WR_INDEX_DENSE) {
            group_dense(p);
        } else {
            look_up(p, false);
        }
        p->has_candidates = true;
    }
    if (t->index == WR_INDEX_DENSE) {
        expand_dense(p, room);
    } else {
        p->pair_count = p->join->kernels->join->match_all[p->join->keys.word_count - 1u](
            &t->directory, p->keys.words[0], p->keys.words[1], &p->candidates, &p->cursor, p->pair_rows, p->pair_ids,
            room);
    }
    p->exhausted = p->cursor.candidate == p->candidates.count;
}

/* At most one pair a row, all at once. */
static void find_one_each(wr_join_prober *p) {
    const wr_join_table *t = p->table;
    p->exhausted = p->one_each = true;
    if (t->index == WR_INDEX_HASH) {
        look_up(p, true);
        return;
    }
    p->pair_count = rank_dense(p, p->pair_rows, p->pair_ids);
    uint32_t *ids = p->pair_ids;
    for (uint32_t i = 0; t->offsets && i < p->pair_count; i++) ids[i] = t->offsets[ids[i]];
    for (uint32_t i = 0; t->order && i < p->pair_count; i++) ids[i] = t->order[ids[i]];
}

static void find_pairs(wr_join_prober *p) {
    const wr_join_table *t = p->table;
    p->pair_count = 0;
    if (t->indexed_count == 0) {
        p->exhausted = p->one_each = true;
    } else if (t->index == WR_INDEX_NONE) {
        p->pair_count = wr_cross_pairs(p, p->pair_capacity - 64);
    } else if (t->unique || p->join->first_only) {
        find_one_each(p);
    } else {
        find_several(p);
    }
}

/* ---- conditions on pairs ---- */

static void fill_bits(uint64_t *bits, uint32_t count) {
    wr_bitmap_fill(bits, count, true);
}

/* Keeps the pairs whose bit is set; `truth` bits go along. */
static void keep_pairs(wr_join_prober *p) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->pair_count; i++) {
        p->pair_rows[kept] = p->pair_rows[i];
        p->pair_ids[kept] = p->pair_ids[i];
        if (p->truths) wr_bit_put(p->truth, kept, wr_bit_get(p->truth, i));
        kept += wr_bit_get(p->keep, i);
    }
    p->pair_count = kept;
}

static const uint16_t *physical_rows(wr_join_prober *p, const uint16_t *positions, uint32_t count) {
    if (!p->rows) return positions;
    for (uint32_t i = 0; i < count; i++) p->physical[i] = p->rows[positions[i]];
    return p->physical;
}

static wr_status verify_pairs(wr_join_prober *p, bool maybe, wr_error *err) {
    const wr_join *join = p->join;
    const wr_vector *probe[WR_JOIN_KEYS_MAX], *build[WR_JOIN_KEYS_MAX];
    for (uint32_t k = 0; k < join->keys.part_count; k++) {
        probe[k] = &p->in->columns[join->probe_keys[k]];
        build[k] = &p->table->columns[join->store.slots[join->build_keys[k]]];
    }
    const uint16_t *rows = physical_rows(p, p->pair_rows, p->pair_count);
    fill_bits(p->keep, p->pair_count);
    WR_TRY(
        wr_keys_verify(&join->keys, &p->scratch, probe, build, rows, p->pair_ids, p->pair_count, maybe, p->keep, err));
    keep_pairs(p);
    return WR_OK;
}

static wr_status gather_inputs(wr_join_prober *p, wr_error *err) {
    const wr_join *join = p->join;
    const uint16_t *rows = physical_rows(p, p->pair_rows, p->pair_count);
    bool all_rows = p->pair_count == p->in->row_count && p->one_each;
    for (uint32_t i = 0; i < join->residual_input_count; i++) {
        wr_vector *to = &p->pair_batch.columns[i];
        uint32_t column = join->residual_inputs[i].column;
        if (join->residual_inputs[i].side == WR_JOIN_BUILD) {
            const wr_vector *from = &p->table->columns[join->store.slots[column]];
            WR_TRY(wr_vector_gather32(to, p->allocator, from, p->pair_ids, p->pair_count, err));
        } else if (all_rows) {
            wr_vector_share(to, &p->in->columns[column]);
        } else {
            WR_TRY(wr_vector_gather(to, p->allocator, &p->in->columns[column], rows, p->pair_count, err));
        }
    }
    wr_batch_set_rows(&p->pair_batch, p->pair_count);
    return WR_OK;
}

/* Nothing of the input is held longer than the evaluation takes. */
static void release_inputs(wr_join_prober *p) {
    for (uint32_t i = 0; i < p->join->residual_input_count; i++) {
        if (p->join->residual_inputs[i].side == WR_JOIN_PROBE) wr_vector_deinit(&p->pair_batch.columns[i]);
    }
}

/* keep: the conditions are not false; truth: they are true. */
static void truth_of(wr_join_prober *p, const wr_vector *condition) {
    for (uint32_t i = 0; i < p->pair_count; i++) {
        uint32_t at = condition->kind == WR_CONSTANT ? 0 : i;
        bool valid = wr_valid(condition->validity, at);
        const wr_vector *leaf = condition;
        if (condition->kind == WR_DICTIONARY && valid) {
            at = ((const uint32_t *)condition->data)[i];
            leaf = wr_vector_dictionary(condition);
            valid = wr_valid(leaf->validity, at);
        }
        bool value = valid && wr_bit_get(leaf->data, at);
        if (valid && !value) wr_bit_clear(p->keep, i);
        if (!value) wr_bit_clear(p->truth, i);
    }
}

static wr_status apply_residual(wr_join_prober *p, wr_error *err) {
    if (!p->residual || p->pair_count == 0) return WR_OK;
    WR_TRY(gather_inputs(p, err));
    wr_status status;
    if (p->join->three_valued) {
        fill_bits(p->keep, p->pair_count);
        status = wr_program_run(p->residual, &p->pair_batch, p->truths, err);
        for (uint32_t i = 0; i < p->join->residual_count && status == WR_OK; i++) truth_of(p, &p->truths[i]);
    } else {
        status = wr_program_filter(p->residual, &p->pair_batch, p->keep, err);
    }
    release_inputs(p);
    if (status == WR_OK) keep_pairs(p);
    return status;
}

/* ---- flags ---- */

static wr_status second_match(const wr_join *join, wr_error *err) {
    (void)join;
    (void)wr_fail(err, WR_VALUE, "a subquery used as a value gave more than one row");
    return wr_hint(err, "add LIMIT 1, or an aggregate such as max() around its column");
}

static bool set_shared_bit(uint64_t *bits, uint32_t id) {
    uint64_t mask = UINT64_C(1) << (id & 63), *word = &bits[id >> 6];
    if (__atomic_load_n(word, __ATOMIC_RELAXED) & mask) return true;
    return __atomic_fetch_or(word, mask, __ATOMIC_RELAXED) & mask;
}

static wr_status mark_pairs(wr_join_prober *p, bool certain, wr_error *err) {
    const wr_join *join = p->join;
    bool single = join->kind == WR_JOIN_SINGLE, by_truth = p->truths && join->three_valued;
    if (join->flags_build) {
        for (uint32_t i = 0; i < p->pair_count; i++) {
            bool is_true = certain && (!by_truth || wr_bit_get(p->truth, i));
            bool was = set_shared_bit(is_true ? p->table->matched : p->table->unknown, p->pair_ids[i]);
            if (was && single && join->build_left) return second_match(join, err);
        }
    }
    if (!join->keeps_probe && !join->filters_probe) return WR_OK;
    for (uint32_t i = 0; i < p->pair_count; i++) {
        bool is_true = certain && (!by_truth || wr_bit_get(p->truth, i));
        uint64_t *bits = is_true ? p->row_true : p->row_unknown;
        if (single && wr_bit_get(bits, p->pair_rows[i])) return second_match(join, err);
        wr_bit_set(bits, p->pair_rows[i]);
    }
    return WR_OK;
}

/* ---- NULLs, where it matters which ----
 *
 * A pair of which some key is NULL, and of which no key and no condition says that it is no match, leaves the answer open.
 * Rows whose keys are NULL are held against the whole table, the others against its rows with NULL keys. */

/* Up to `room` pairs from where it stands; false at the end. */
static bool find_null_pairs(wr_join_prober *p, uint32_t room) {
    const wr_join_table *t = p->table;
    p->pair_count = 0;
    for (; p->null_row < p->count && p->pair_count < room; p->null_row++, p->null_id = 0) {
        bool has_key = wr_valid(p->keys.valid, p->null_row);
        if (p->join->filters_probe && wr_bit_get(p->row_true, p->null_row)) continue;
        uint32_t id = p->null_id ? p->null_id : has_key ? t->indexed_count : 0;
        while (id < t->row_count && p->pair_count < room) {
            p->pair_rows[p->pair_count] = (uint16_t)p->null_row;
            p->pair_ids[p->pair_count++] = id++;
        }
        p->null_id = id;
        if (id < t->row_count) break;
    }
    return p->pair_count > 0;
}

static wr_status match_nulls(wr_join_prober *p, wr_error *err) {
    if (!find_null_pairs(p, p->pair_capacity - 64)) {
        p->stage = WR_PROBE_FLAGS;
        return WR_OK;
    }
    fill_bits(p->truth, p->pair_count);
    WR_TRY(verify_pairs(p, true, err));
    WR_TRY(apply_residual(p, err));
    return mark_pairs(p, false, err);
}

/* ---- the stages ---- */

static wr_status match(wr_join_prober *p, wr_error *err) {
    const wr_join *join = p->join;
    find_pairs(p);
    if (p->truths) fill_bits(p->truth, p->pair_count);
    if (join->keys.mode == WR_KEY_HASHED && p->pair_count) WR_TRY(verify_pairs(p, false, err));
    WR_TRY(apply_residual(p, err));
    WR_TRY(mark_pairs(p, true, err));
    if (join->emits_pairs) {
        if (join->keeps_probe && !p->defer) {
            wr_prober_merge_unmatched(p);
        } else {
            memcpy(p->emit_rows, p->pair_rows, sizeof(uint16_t) * p->pair_count);
            memcpy(p->emit_ids, p->pair_ids, sizeof(uint32_t) * p->pair_count);
            p->emit_count = p->pair_count;
        }
        p->emit_at = 0;
        p->stage = WR_PROBE_EMIT;
    } else if (p->exhausted) {
        bool nulls = join->three_valued && !join->simple_nulls;
        p->stage = nulls ? WR_PROBE_NULLS : WR_PROBE_FLAGS;
    }
    return WR_OK;
}

/* SEMI and ANTI by a dense index need no pairs. */
static bool match_by_bits(wr_join_prober *p) {
    const wr_join *join = p->join;
    if (!join->first_only || p->table->index != WR_INDEX_DENSE || p->table->indexed_count == 0) return false;
    test_dense(p, p->row_pass);
    for (size_t w = 0; w < wr_bitmap_words(p->count); w++) p->row_true[w] |= p->row_pass[w]; /* of blocks before, too */
    p->exhausted = true;
    p->stage = WR_PROBE_FLAGS;
    return true;
}

wr_status wr_prober_next(wr_join_prober *p, wr_batch **out, wr_error *err) {
    *out = NULL;
    for (;;) {
        /* A batch against a large table may give billions of pairs of which none comes out. */
        if (p->join->exec->cancelled) return wr_fail(err, WR_CANCELLED, "the query was stopped");
        switch ((wr_probe_stage)p->stage) {
        case WR_PROBE_IDLE: return WR_OK;
        case WR_PROBE_MATCH:
            if (!match_by_bits(p)) WR_TRY(match(p, err));
            break;
        case WR_PROBE_EMIT:
            WR_TRY(wr_prober_emit(p, out, err));
            if (*out) return WR_OK;
            p->stage = p->exhausted ? WR_PROBE_IDLE : WR_PROBE_MATCH;
            break;
        case WR_PROBE_NULLS: WR_TRY(match_nulls(p, err)); break;
        case WR_PROBE_FLAGS:
            p->stage = WR_PROBE_IDLE;
            if (p->defer || !(p->join->filters_probe || p->join->keeps_probe)) break;
            wr_prober_choose_rows(p);
            p->stage = WR_PROBE_LAST;
            break;
        case WR_PROBE_LAST:
            WR_TRY(wr_prober_emit(p, out, err));
            if (*out) return WR_OK;
            p->stage = WR_PROBE_IDLE;
            break;
        }
    }
}
