/* Rows of the build side as they come in: compact columns in chunks, each written by one worker.
 *
 * A chunk has its memory from the start, long strings aside, so that appending a batch does not move what is there. Runs
 * remember which morsel rows came from: tables put them in the order of morsels, whoever read those, and so matches come
 * in an order that depends on no timing. */
#include "exec/join_internal.h"
#include "kernel/reduce.h"

/* A dictionary larger than this is not kept alive for the sake of its codes. Kernels may write up to 64 rows too many. */
enum { DICTIONARY_MAX = 4096, SLACK_ROWS = 64 };

static size_t column_bytes(wr_phys phys) {
    if (phys == WR_PHYS_BOOL) return 1;
    size_t bytes = wr_phys_bytes(phys);
    return bytes ? bytes : 16;
}

size_t wr_join_chunk_bytes(const wr_join *join, uint32_t capacity) {
    size_t row = 8 * (size_t)join->keys.word_count;
    for (uint32_t c = 0; c < join->store.count; c++) row += column_bytes(wr_type_phys(join->store.types[c]));
    return capacity * row + join->store.count * (sizeof(wr_vector) + 2 * WR_BUFFER_PAD) + sizeof(wr_join_chunk);
}

wr_status wr_join_chunk_create(wr_join_chunk **out, const wr_join *join, uint32_t capacity, bool null_keys,
                               wr_error *err) {
    wr_allocator *a = join->allocator;
    wr_join_chunk *chunk = *out = wr_alloc_zeroed(a, sizeof *chunk);
    if (!chunk) return wr_fail_memory(err, sizeof *chunk, "hash join build");
    chunk->capacity = capacity;
    chunk->null_keys = null_keys;
    bool failed = false;
    if (join->store.count) {
        chunk->columns = wr_alloc_zeroed(a, sizeof(wr_vector) * join->store.count);
        failed = !chunk->columns;
    }
    for (uint32_t w = 0; w < join->keys.word_count && !null_keys; w++) {
        chunk->words[w] = wr_alloc(a, sizeof(uint64_t) * capacity + WR_BUFFER_PAD);
        failed |= !chunk->words[w];
    }
    if (!failed) return WR_OK;
    wr_join_chunk_destroy(chunk, join);
    *out = NULL;
    return wr_fail_memory(err, sizeof(uint64_t) * capacity, "hash join build");
}

void wr_join_chunk_destroy(wr_join_chunk *chunk, const wr_join *join) {
    if (!chunk) return;
    wr_allocator *a = join->allocator;
    for (uint32_t c = 0; chunk->columns && c < join->store.count; c++) wr_vector_deinit(&chunk->columns[c]);
    wr_free(a, chunk->columns, sizeof(wr_vector) * join->store.count);
    for (uint32_t w = 0; w < 2; w++) wr_free(a, chunk->words[w], sizeof(uint64_t) * chunk->capacity + WR_BUFFER_PAD);
    wr_free(a, chunk->runs, sizeof(wr_join_run) * chunk->run_capacity);
    wr_free(a, chunk, sizeof *chunk);
}

void wr_join_chunks_destroy(wr_join_chunk **list, const wr_join *join) {
    while (*list) {
        wr_join_chunk *chunk = *list;
        *list = chunk->next;
        wr_join_chunk_destroy(chunk, join);
    }
}

/* ---- appending ---- */

static bool keeps_codes(const wr_join *join, uint32_t column, const wr_vector *from) {
    if (from->kind != WR_DICTIONARY || wr_type_phys(join->store.types[column]) != WR_PHYS_VIEW) return false;
    const wr_vector *entries = wr_vector_dictionary(from);
    return entries->kind == WR_FLAT && entries->row_count > 0 && entries->row_count <= DICTIONARY_MAX;
}

static wr_status begin_column(wr_join_chunk *chunk, const wr_join *join, uint32_t column, const wr_vector *from,
                              wr_error *err) {
    wr_vector *to = &chunk->columns[column];
    wr_type type = join->store.types[column];
    if (!keeps_codes(join, column, from)) {
        bool nested = wr_phys_is_nested(wr_type_phys(type));
        WR_TRY(wr_vector_prepare(to, join->allocator, type, nested ? 0 : chunk->capacity + SLACK_ROWS, false, err));
        to->row_count = 0;
        return WR_OK;
    }
    WR_TRY(wr_buffer_create(&to->data_buffer, join->allocator, sizeof(uint32_t) * (chunk->capacity + SLACK_ROWS), err));
    to->type = type;
    to->kind = WR_DICTIONARY;
    to->phys = from->phys;
    to->data = to->data_buffer->data;
    to->children = wr_vector_set_retain(from->children);
    return WR_OK;
}

/* Codes of another dictionary cannot follow: the column becomes flat. */
static wr_status end_codes(wr_join_chunk *chunk, const wr_join *join, wr_vector *column, wr_error *err) {
    wr_vector codes = {.kind = WR_FLAT};
    wr_vector_move(&codes, column);
    wr_status status = wr_vector_prepare(column, join->allocator, codes.type, chunk->capacity + SLACK_ROWS, false, err);
    column->row_count = 0;
    uint32_t count = codes.row_count;
    if (status == WR_OK) status = wr_vector_append(column, join->allocator, &codes, NULL, count, err);
    wr_vector_deinit(&codes);
    return status;
}

static wr_status append_validity(wr_join_chunk *chunk, const wr_join *join, wr_vector *to, const wr_vector *from,
                                 const uint16_t *rows, uint32_t count, wr_error *err) {
    if (!from->validity && !to->validity) return WR_OK;
    bool had_none = !to->validity;
    if (had_none || to->validity_buffer->capacity_bytes < wr_bitmap_bytes(chunk->capacity)) {
        WR_TRY(wr_buffer_reserve(&to->validity_buffer, join->allocator, wr_bitmap_bytes(chunk->capacity), err));
        to->validity = (const uint64_t *)to->validity_buffer->data;
        if (had_none) wr_bitmap_set_range(wr_vector_validity_mut(to), 0, to->row_count, true);
    }
    uint64_t gathered[WR_BATCH_ROWS_MAX / 64 + 1];
    const uint64_t *bits = from->validity;
    if (bits && rows) {
        join->kernels->bits->gather(bits, rows, count, gathered);
        bits = gathered;
    }
    wr_bitmap_copy(wr_vector_validity_mut(to), to->row_count, bits, 0, count);
    return WR_OK;
}

/* Values of a fixed width, or codes, side by side in memory that is there. */
static wr_status append_plain(wr_join_chunk *chunk, const wr_join *join, wr_vector *to, const wr_vector *from,
                              const uint16_t *rows, uint32_t count, wr_error *err) {
    size_t width = to->kind == WR_DICTIONARY ? sizeof(uint32_t) : wr_phys_bytes((wr_phys)to->phys);
    WR_TRY(append_validity(chunk, join, to, from, rows, count, err));
    uint8_t *data = (uint8_t *)wr_vector_data_mut(to) + to->row_count * width;
    if (rows) {
        join->kernels->select->gather16[wr_width_index((unsigned)width)](from->data, rows, count, data);
    } else {
        memcpy(data, from->data, count * width);
    }
    to->row_count += count;
    to->data_buffer->size_bytes = to->row_count * width;
    return WR_OK;
}

static wr_status append_column(wr_join_chunk *chunk, const wr_join *join, uint32_t column, const wr_vector *from,
                               const uint16_t *rows, uint32_t count, wr_error *err) {
    wr_vector *to = &chunk->columns[column];
    if (chunk->row_count == 0) {
        wr_vector_deinit(to);
        WR_TRY(begin_column(chunk, join, column, from, err));
    }
    if (to->kind == WR_DICTIONARY) {
        if (from->kind == WR_DICTIONARY && from->children == to->children) {
            return append_plain(chunk, join, to, from, rows, count, err);
        }
        WR_TRY(end_codes(chunk, join, to, err));
    }
    wr_phys phys = (wr_phys)to->phys;
    bool plain = from->kind == WR_FLAT && phys != WR_PHYS_BOOL && phys != WR_PHYS_VIEW && !wr_phys_is_nested(phys);
    if (plain) return append_plain(chunk, join, to, from, rows, count, err);
    return wr_vector_append(to, join->allocator, from, rows, count, err);
}

/* A run for rows of this morsel from here on. */
static wr_status begin_run(wr_join_chunk *chunk, const wr_join *join, wr_ordinal ordinal, wr_error *err) {
    const wr_join_run *last = chunk->run_count ? &chunk->runs[chunk->run_count - 1] : NULL;
    if (last && last->source == ordinal.source && last->morsel == ordinal.morsel) return WR_OK;
    WR_TRY(wr_grow(join->allocator, (void **)&chunk->runs, &chunk->run_capacity, chunk->run_count, 1,
                   sizeof(wr_join_run), err));
    chunk->runs[chunk->run_count++] = (wr_join_run){ordinal.source, chunk->row_count, ordinal.morsel};
    return WR_OK;
}

static void widen_bounds(wr_join_chunk *chunk, const wr_join *join, const uint64_t *words, uint32_t count) {
    if (!join->keys.is_integer || count == 0) return;
    uint64_t bounds[2];
    wr_phys phys = join->keys.is_signed ? WR_PHYS_I64 : WR_PHYS_U64;
    if (!join->kernels->reduce->bounds[phys](words, NULL, count, &bounds[0], &bounds[1])) return;
    if (chunk->row_count == 0) {
        chunk->min = bounds[0];
        chunk->max = bounds[1];
    }
    if (wr_key_below(&join->keys, bounds[0], chunk->min)) chunk->min = bounds[0];
    if (wr_key_below(&join->keys, chunk->max, bounds[1])) chunk->max = bounds[1];
}

wr_status wr_join_chunk_append(wr_join_chunk *chunk, const wr_join *join, wr_ordinal ordinal,
                               const wr_vector *const *columns, const uint16_t *rows, const uint64_t *const *words,
                               uint32_t count, wr_error *err) {
    WR_ASSERT(chunk->row_count + count <= chunk->capacity);
    WR_TRY(begin_run(chunk, join, ordinal, err));
    for (uint32_t c = 0; c < join->store.count; c++) {
        WR_TRY(append_column(chunk, join, c, columns[c], rows, count, err));
    }
    for (uint32_t w = 0; w < join->keys.word_count && !chunk->null_keys; w++) {
        memcpy(chunk->words[w] + chunk->row_count, words[w], sizeof(uint64_t) * count);
    }
    if (!chunk->null_keys) widen_bounds(chunk, join, words[0], count);
    chunk->row_count += count;
    return WR_OK;
}
