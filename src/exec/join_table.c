/* Chunks become a table.
 *
 * The runs of all chunks are put in the order of their morsels; rows get their ids in that order. Then, column by column,
 * the parts are copied side by side and the chunks' memory is let go, so that no more than one column is there twice;
 * then comes the index. A column is not copied when there is only one chunk. */
#include "exec/join_internal.h"

enum { SLICE_ROWS = 32 * 1024, SLACK_ROWS = 64 };

/* ---- segments ---- */

static int segment_compare(const wr_join_segment *a, const wr_join_segment *b) {
    if (a->chunk->null_keys != b->chunk->null_keys) return a->chunk->null_keys ? 1 : -1;
    if (a->source != b->source) return a->source < b->source ? -1 : 1;
    if (a->morsel != b->morsel) return a->morsel < b->morsel ? -1 : 1;
    if (a->chunk->number != b->chunk->number) return a->chunk->number < b->chunk->number ? -1 : 1;
    return a->first < b->first ? -1 : a->first > b->first;
}

static void sift(wr_join_segment *s, uint32_t at, uint32_t count) {
    wr_join_segment moved = s[at];
    for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && segment_compare(&s[child + 1], &s[child]) > 0) child++;
        if (segment_compare(&moved, &s[child]) >= 0) break;
        s[at] = s[child];
    }
    s[at] = moved;
}

/* By a heap: it needs no memory, and most often there is nothing to do. */
static void sort_segments(wr_join_segment *s, uint32_t count) {
    bool sorted = true;
    for (uint32_t i = 1; i < count && sorted; i++) sorted = segment_compare(&s[i - 1], &s[i]) <= 0;
    if (sorted) return;
    for (uint32_t i = count / 2; i-- > 0;) sift(s, i, count);
    for (uint32_t i = count; i-- > 1;) {
        wr_join_segment top = s[0];
        s[0] = s[i];
        s[i] = top;
        sift(s, 0, i);
    }
}

static wr_status collect_segments(wr_table_build *b, wr_error *err) {
    for (wr_join_chunk *chunk = b->chunks; chunk; chunk = chunk->next) {
        WR_TRY(wr_grow(b->allocator, (void **)&b->segments, &b->segment_capacity, b->segment_count, chunk->run_count,
                       sizeof(wr_join_segment), err));
        for (uint32_t r = 0; r < chunk->run_count; r++) {
            const wr_join_run *run = &chunk->runs[r];
            uint32_t end = r + 1 < chunk->run_count ? chunk->runs[r + 1].first : chunk->row_count;
            if (end == run->first) continue;
            b->segments[b->segment_count++] = (wr_join_segment){.chunk = chunk,
                                                                .first = run->first,
                                                                .count = end - run->first,
                                                                .source = run->source,
                                                                .morsel = run->morsel};
        }
    }
    sort_segments(b->segments, b->segment_count);
    return WR_OK;
}

/* Segments that lie behind one another become one; ids are given. */
static void number_rows(wr_table_build *b) {
    uint32_t kept = 0, id = 0, indexed = 0;
    for (uint32_t i = 0; i < b->segment_count; i++) {
        wr_join_segment s = b->segments[i];
        wr_join_segment *last = kept ? &b->segments[kept - 1] : NULL;
        if (last && last->chunk == s.chunk && last->first + last->count == s.first) {
            last->count += s.count;
        } else {
            s.id = id;
            b->segments[kept++] = s;
        }
        id += s.count;
        if (!s.chunk->null_keys) indexed = id;
    }
    b->segment_count = kept;
    b->table->row_count = id;
    b->table->indexed_count = indexed;
}

static wr_status cut_slices(wr_table_build *b, wr_error *err) {
    uint32_t most = 1 + b->table->row_count / SLICE_ROWS * 2 + 2;
    b->slices = wr_alloc_zeroed(b->allocator, sizeof(wr_join_slice) * most);
    if (!b->slices) return wr_fail_memory(err, sizeof(wr_join_slice) * most, "hash join build");
    b->slice_capacity = most;
    wr_join_slice *slice = NULL;
    for (uint32_t i = 0; i < b->segment_count; i++) {
        const wr_join_segment *s = &b->segments[i];
        bool kinds_differ = slice && b->segments[slice->first].chunk->null_keys != s->chunk->null_keys;
        if (!slice || slice->count >= SLICE_ROWS || kinds_differ) {
            slice = &b->slices[b->slice_count++];
            *slice = (wr_join_slice){.first = i, .id = s->id};
        }
        slice->end = i + 1;
        slice->count += s->count;
        if (!s->chunk->null_keys) b->indexed_slices = b->slice_count;
    }
    return WR_OK;
}

/* ---- columns ---- */

static const wr_vector *part_of(const wr_table_build *b, uint32_t segment) {
    return &b->segments[segment].chunk->columns[b->column];
}

/* The dictionary that all parts have codes of, or NULL. */
static wr_vector_set *common_dictionary(const wr_table_build *b) {
    const wr_vector *first = part_of(b, 0);
    for (uint32_t i = 0; i < b->segment_count; i++) {
        const wr_vector *part = part_of(b, i);
        if (part->kind != WR_DICTIONARY || part->children != first->children) return NULL;
    }
    return first->children;
}

static wr_status hold_buffers(wr_heap *heap, const wr_heap *more, wr_error *err) {
    for (uint32_t i = 0; more && i < more->count; i++) WR_TRY(wr_heap_add(heap, more->buffers[i], err));
    return WR_OK;
}

/* One heap for the strings of all parts; those of one chunk follow one another or not, its buffers are held once. */
static wr_status gather_heaps(wr_table_build *b, wr_vector *to, wr_error *err) {
    WR_TRY(wr_heap_create(&to->heap, b->allocator, err));
    const wr_vector_set *last = NULL;
    for (const wr_join_chunk *chunk = b->chunks; chunk; chunk = chunk->next) {
        const wr_vector *part = &chunk->columns[b->column];
        if (chunk->row_count == 0) continue;
        if (part->kind == WR_DICTIONARY) {
            if (part->children != last) WR_TRY(hold_buffers(to->heap, wr_vector_dictionary(part)->heap, err));
            last = part->children;
        } else {
            WR_TRY(hold_buffers(to->heap, part->heap, err));
        }
    }
    return WR_OK;
}

/* Bits are copied here, by one thread: neighbours share words. */
static wr_status copy_validity(wr_table_build *b, wr_vector *to, wr_error *err) {
    bool some = false;
    for (uint32_t i = 0; i < b->segment_count && !some; i++) {
        const wr_vector *part = part_of(b, i);
        some = part->validity || (part->kind == WR_DICTIONARY && wr_vector_dictionary(part)->validity);
    }
    if (!some) return WR_OK;
    WR_TRY(wr_vector_add_validity(to, b->allocator, err));
    uint64_t *bits = wr_vector_validity_mut(to);
    for (uint32_t i = 0; i < b->segment_count; i++) {
        const wr_vector *part = part_of(b, i);
        const wr_join_segment *s = &b->segments[i];
        wr_bitmap_copy(bits, s->id, part->validity, s->first, s->count);
        if (to->kind == WR_DICTIONARY || part->kind != WR_DICTIONARY || !wr_vector_dictionary(part)->validity) continue;
        const uint32_t *codes = (const uint32_t *)part->data + s->first;
        for (uint32_t k = 0; k < s->count; k++) {
            if (!wr_bit_get(wr_vector_dictionary(part)->validity, codes[k])) wr_bit_clear(bits, s->id + k);
        }
    }
    return WR_OK;
}

static wr_status begin_codes(wr_table_build *b, wr_vector *to, wr_vector_set *dictionary, wr_error *err) {
    WR_TRY(wr_buffer_create(&to->data_buffer, b->allocator,
                            sizeof(uint32_t) * ((size_t)b->table->row_count + SLACK_ROWS), err));
    to->type = b->join->store.types[b->column];
    to->kind = WR_DICTIONARY;
    to->phys = WR_PHYS_VIEW;
    to->row_count = b->table->row_count;
    to->data = to->data_buffer->data;
    to->children = wr_vector_set_retain(dictionary);
    return copy_validity(b, to, err);
}

/* Nested values and booleans, one part behind the other. */
static wr_status append_parts(wr_table_build *b, wr_vector *to, wr_error *err) {
    WR_TRY(wr_vector_prepare(to, b->allocator, b->join->store.types[b->column], 0, false, err));
    wr_vector part = {.kind = WR_FLAT};
    wr_status status = WR_OK;
    for (uint32_t i = 0; i < b->segment_count && status == WR_OK; i++) {
        const wr_join_segment *s = &b->segments[i];
        status = wr_vector_slice(&part, b->allocator, part_of(b, i), s->first, s->count, err);
        if (status == WR_OK) status = wr_vector_append(to, b->allocator, &part, NULL, s->count, err);
    }
    wr_vector_deinit(&part);
    return status;
}

static wr_status begin_column(wr_table_build *b, uint32_t *item_count, wr_error *err) {
    wr_vector *to = &b->table->columns[b->column];
    wr_type type = b->join->store.types[b->column];
    wr_phys phys = wr_type_phys(type);
    *item_count = 0;
    if (b->segment_count == 0) return wr_vector_prepare(to, b->allocator, type, 0, false, err);
    if (b->segment_count == 1) {
        wr_vector_move(to, &b->segments[0].chunk->columns[b->column]);
        return WR_OK;
    }
    if (wr_phys_is_nested(phys) || phys == WR_PHYS_BOOL) return append_parts(b, to, err);
    wr_vector_set *dictionary = common_dictionary(b);
    *item_count = b->slice_count;
    if (dictionary) return begin_codes(b, to, dictionary, err);
    WR_TRY(wr_vector_prepare(to, b->allocator, type, b->table->row_count, false, err));
    if (phys == WR_PHYS_VIEW) {
        wr_heap_release(to->heap);
        to->heap = NULL;
        WR_TRY(gather_heaps(b, to, err));
    }
    return copy_validity(b, to, err);
}

static void copy_slice(wr_table_build *b, const wr_join_slice *slice) {
    wr_vector *to = &b->table->columns[b->column];
    size_t width = to->kind == WR_DICTIONARY ? sizeof(uint32_t) : wr_phys_bytes((wr_phys)to->phys);
    for (uint32_t i = slice->first; i < slice->end; i++) {
        const wr_join_segment *s = &b->segments[i];
        const wr_vector *part = part_of(b, i);
        uint8_t *data = (uint8_t *)wr_vector_data_mut(to) + s->id * width;
        if (part->kind == WR_DICTIONARY && to->kind != WR_DICTIONARY) {
            const wr_string_view *entries = wr_vector_dictionary(part)->data;
            const uint32_t *codes = (const uint32_t *)part->data + s->first;
            for (uint32_t k = 0; k < s->count; k++) ((wr_string_view *)(void *)data)[k] = entries[codes[k]];
        } else {
            memcpy(data, (const uint8_t *)part->data + s->first * width, s->count * width);
        }
    }
}

static void end_column(wr_table_build *b) {
    for (wr_join_chunk *chunk = b->chunks; chunk; chunk = chunk->next) wr_vector_deinit(&chunk->columns[b->column]);
}

/* ---- phases ---- */

wr_status wr_table_build_create(wr_table_build **out, wr_join_table *table, const wr_join *join, wr_join_chunk **chunks,
                                uint32_t thread_count, wr_error *err) {
    wr_table_build *b = *out = wr_alloc_zeroed(join->allocator, sizeof *b);
    if (!b) return wr_fail_memory(err, sizeof *b, "hash join build");
    b->table = table;
    b->join = join;
    b->allocator = join->allocator;
    b->thread_count = thread_count;
    b->chunks = *chunks;
    *chunks = NULL;
    *table = (wr_join_table){.join = join, .allocator = join->allocator};
    if (join->store.count) {
        table->columns = wr_alloc_zeroed(b->allocator, sizeof(wr_vector) * join->store.count);
        if (!table->columns) return wr_fail_memory(err, sizeof(wr_vector) * join->store.count, "hash join build");
    }
    WR_TRY(collect_segments(b, err));
    number_rows(b);
    return cut_slices(b, err);
}

void wr_table_build_destroy(wr_table_build *b) {
    if (!b) return;
    wr_join_chunks_destroy(&b->chunks, b->join);
    wr_index_build_deinit(b);
    wr_free(b->allocator, b->segments, sizeof(wr_join_segment) * b->segment_capacity);
    wr_free(b->allocator, b->slices, sizeof(wr_join_slice) * b->slice_capacity);
    wr_free(b->allocator, b, sizeof *b);
}

static wr_status make_flags(wr_table_build *b, wr_error *err) {
    wr_join_table *t = b->table;
    if (!b->join->flags_build) return WR_OK;
    size_t bytes = wr_bitmap_bytes((size_t)t->row_count + 1);
    t->matched = wr_alloc_zeroed(t->allocator, bytes);
    t->unknown = b->join->three_valued ? wr_alloc_zeroed(t->allocator, bytes) : NULL;
    if (t->matched && (t->unknown || !b->join->three_valued)) return WR_OK;
    return wr_fail_memory(err, bytes, "hash join build");
}

wr_status wr_table_build_advance(wr_table_build *b, uint32_t *item_count, wr_error *err) {
    *item_count = 0;
    while (*item_count == 0 && b->phase != WR_BUILD_DONE) {
        if (b->phase == WR_BUILD_START || b->phase == WR_BUILD_COLUMN) {
            if (b->phase == WR_BUILD_COLUMN) {
                end_column(b);
                b->column++;
            }
            b->phase = WR_BUILD_COLUMN;
            if (b->column < b->join->store.count) {
                WR_TRY(begin_column(b, item_count, err));
                continue;
            }
            WR_TRY(make_flags(b, err));
        }
        WR_TRY(wr_index_advance(b, item_count, err));
    }
    return WR_OK;
}

wr_status wr_table_build_item(wr_table_build *b, uint32_t item, wr_error *err) {
    if (b->phase != WR_BUILD_COLUMN) return wr_index_item(b, item, err);
    copy_slice(b, &b->slices[item]);
    return WR_OK;
}

wr_status wr_join_table_build(wr_join_table *table, const wr_join *join, wr_join_chunk **chunks, wr_error *err) {
    wr_table_build *b;
    wr_status status = wr_table_build_create(&b, table, join, chunks, 1, err);
    for (uint32_t count = 1; status == WR_OK && count;) {
        status = wr_table_build_advance(b, &count, err);
        for (uint32_t i = 0; i < count && status == WR_OK; i++) status = wr_table_build_item(b, i, err);
    }
    wr_table_build_destroy(b);
    return status;
}

void wr_join_table_deinit(wr_join_table *t) {
    if (!t->join) return;
    for (uint32_t c = 0; t->columns && c < t->join->store.count; c++) wr_vector_deinit(&t->columns[c]);
    wr_free(t->allocator, t->columns, sizeof(wr_vector) * t->join->store.count);
    wr_index_deinit(t);
    size_t bytes = wr_bitmap_bytes((size_t)t->row_count + 1);
    wr_free(t->allocator, t->matched, bytes);
    wr_free(t->allocator, t->unknown, bytes);
    *t = (wr_join_table){0};
}
