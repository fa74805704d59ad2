/* Growing flat vectors row by row: what builds, queues and copies rows stands on this.
 *
 * Row numbers are resolved through dictionaries and constants down to a flat vector, UINT32_MAX being a NULL row, and
 * copied there by one loop a width. Long strings are copied into the target's own heap, list elements appended to its
 * own child, so that the result pins nothing of its source. A failure leaves the row count as it was. */
#include "column/vector_internal.h"

enum { CHUNK_ROWS = 1024 };

/* Makes *buffer ours alone with room for `wanted` bytes, keeping the first `used` bytes at *data. */
static wr_status own_bytes(wr_buffer **buffer, const void **data, wr_allocator *a, size_t used, size_t wanted,
                           wr_error *err) {
    wr_buffer *held = *buffer;
    if (held && wr_buffer_unique(held) && *data == held->data) {
        if (held->capacity_bytes >= wanted) return WR_OK;
        if (wanted < held->capacity_bytes * 2) wanted = held->capacity_bytes * 2;
        WR_TRY(wr_buffer_reserve(buffer, a, wanted, err));
    } else {
        wr_buffer *copy;
        WR_TRY(wr_buffer_create(&copy, a, wanted, err));
        if (used && *data) memcpy(copy->data, *data, used);
        wr_buffer_release(held);
        *buffer = copy;
    }
    *data = (*buffer)->data;
    return WR_OK;
}

/* Room for `count` more rows in data and, where there is one or it is wanted, in the bitmap, whose new bits are set. */
static wr_status grow(wr_vector *to, wr_allocator *a, uint32_t count, bool with_validity, wr_error *err) {
    uint32_t old = to->row_count;
    if ((uint64_t)old + count >= UINT32_MAX) return wr_fail(err, WR_LIMIT, "a vector of more than %u rows", UINT32_MAX);
    size_t rows = (size_t)old + count;
    wr_phys phys = (wr_phys)to->phys;
    if (phys != WR_PHYS_STRUCT) {
        WR_TRY(own_bytes(&to->data_buffer, &to->data, a, wr_vector_data_bytes(phys, old),
                         wr_vector_data_bytes(phys, rows), err));
        to->data_buffer->size_bytes = wr_vector_data_bytes(phys, rows);
    }
    if (!to->validity && !with_validity) return WR_OK;
    bool had_none = !to->validity;
    const void *bits = to->validity;
    WR_TRY(own_bytes(&to->validity_buffer, &bits, a, wr_bitmap_bytes(old), wr_bitmap_bytes(rows), err));
    to->validity = bits;
    to->validity_buffer->size_bytes = wr_bitmap_bytes(rows);
    uint32_t from = had_none ? 0 : old;
    wr_bitmap_set_range(wr_vector_validity_mut(to), from, rows - from, true);
    return WR_OK;
}

/* A heap that may be written: ours alone. One that is shared stays behind, with its buffers held by the new one. */
static wr_status own_heap(wr_vector *to, wr_allocator *a, wr_error *err) {
    wr_heap *held = to->heap, *own = NULL;
    if (held && __atomic_load_n((int32_t *)&held->refs, __ATOMIC_ACQUIRE) == 1) return WR_OK;
    wr_status status = WR_OK;
    WR_TRY_CLEANUP(wr_heap_create(&own, a, err));
    for (uint32_t i = 0; held && i < held->count; i++) WR_TRY_CLEANUP(wr_heap_add(own, held->buffers[i], err));
    wr_heap_release(held);
    to->heap = own;
    own = NULL;
cleanup:
    wr_heap_release(own);
    return status;
}

void wr_vector_truncate(wr_vector *v, uint32_t row_count) {
    v->row_count = row_count;
    for (uint32_t i = 0; v->phys == WR_PHYS_STRUCT && v->children && i < v->children->count; i++) {
        wr_vector_truncate(&v->children->items[i], row_count);
    }
}

wr_status wr_vector_extend(wr_vector *to, wr_allocator *a, uint32_t count, wr_error *err) {
    WR_TRY(grow(to, a, count, false, err));
    if (to->phys == WR_PHYS_VIEW) WR_TRY(own_heap(to, a, err));
    to->row_count += count;
    return WR_OK;
}

/* ---- by physical type; `from` is flat, or a constant whose rows are all 0 ---- */

/* NULL rows get the value of row 0, which means nothing; from an empty vector all rows are NULL and get zeros. */
static void copy_values(wr_vector *to, const wr_vector *from, const uint32_t *rows, uint32_t count, bool has_nulls) {
    uint32_t clean[CHUNK_ROWS];
    size_t width = wr_phys_bytes((wr_phys)to->phys);
    uint8_t *target = (uint8_t *)wr_vector_data_mut(to) + to->row_count * width;
    if (from->kind == WR_FLAT && from->row_count == 0) {
        memset(target, 0, count * width);
        return;
    }
    if (has_nulls) {
        for (uint32_t i = 0; i < count; i++) clean[i] = rows[i] == UINT32_MAX ? 0 : rows[i];
        rows = clean;
    }
    wr_gather_values(width, from->data, rows, count, target);
}

/* Bits of the rows behind the row_count bits that are there; `bits` NULL stands for all set. */
static void copy_bits(uint64_t *target, uint32_t at, const uint64_t *bits, const uint32_t *rows, uint32_t count,
                      bool has_nulls) {
    uint64_t packed[CHUNK_ROWS / 64];
    wr_gather_bits(bits, rows, count, has_nulls, packed);
    wr_bitmap_copy(target, at, packed, 0, count);
}

static bool row_is_valid(const wr_vector *v, uint32_t row) {
    return row != UINT32_MAX && wr_valid(v->validity, row);
}

/* Strings of a chunk get one piece of the heap when that is of a sane size, else a piece each. */
enum { PIECE_MAX_BYTES = 1 << 28 };

static wr_status copy_views(wr_vector *to, wr_allocator *a, const wr_vector *from, const uint32_t *rows, uint32_t count,
                            wr_error *err) {
    const wr_string_view *source = from->data;
    wr_string_view *target = (wr_string_view *)wr_vector_data_mut(to) + to->row_count;
    size_t total = 0;
    WR_TRY(own_heap(to, a, err));
    for (uint32_t i = 0; i < count; i++) {
        if (row_is_valid(from, rows[i]) && source[rows[i]].size > WR_STRING_INLINE) total += source[rows[i]].size;
    }
    char *piece = NULL;
    bool one_piece = total > 0 && total <= PIECE_MAX_BYTES;
    if (one_piece) WR_TRY(wr_heap_alloc(to->heap, (uint32_t)total, &piece, err));
    for (uint32_t i = 0; i < count; i++) {
        if (!row_is_valid(from, rows[i])) {
            target[i] = (wr_string_view){.words = {0, 0}};
            continue;
        }
        target[i] = source[rows[i]];
        uint32_t size = target[i].size;
        if (size <= WR_STRING_INLINE) continue;
        if (!one_piece) WR_TRY(wr_heap_alloc(to->heap, size, &piece, err));
        memcpy(piece, target[i].data, size);
        target[i].data = piece;
        piece += size;
    }
    return WR_OK;
}

/* Elements are appended to the child through a window of row numbers, so that short lists cost no call each. */
static wr_status copy_lists(wr_vector *to, wr_allocator *a, const wr_vector *from, const uint32_t *rows, uint32_t count,
                            wr_error *err) {
    const wr_list_view *source = from->data;
    wr_list_view *target = (wr_list_view *)wr_vector_data_mut(to) + to->row_count;
    wr_vector *child = &to->children->items[0];
    const wr_vector *elements = &from->children->items[0];
    uint32_t window[CHUNK_ROWS], pending = 0;
    for (uint32_t i = 0; i < count; i++) {
        target[i] = (wr_list_view){0, 0};
        if (!row_is_valid(from, rows[i])) continue;
        wr_list_view list = source[rows[i]];
        if ((uint64_t)child->row_count + pending + list.size >= UINT32_MAX) {
            return wr_fail(err, WR_LIMIT, "lists of a vector hold more than %u elements", UINT32_MAX);
        }
        target[i] = (wr_list_view){child->row_count + pending, list.size};
        for (uint32_t k = 0; k < list.size; k++) {
            window[pending++] = list.offset + k;
            if (pending == CHUNK_ROWS) {
                WR_TRY(wr_vector_append_rows(child, a, elements, window, pending, err));
                pending = 0;
            }
        }
    }
    return wr_vector_append_rows(child, a, elements, window, pending, err);
}

static wr_status append_flat(wr_vector *to, wr_allocator *a, const wr_vector *from, const uint32_t *rows,
                             uint32_t count, wr_error *err) {
    uint32_t null_rows = 0;
    for (uint32_t i = 0; i < count; i++) null_rows += rows[i] == UINT32_MAX;
    bool has_nulls = null_rows > 0, with_validity = has_nulls || from->validity;
    WR_TRY(grow(to, a, count, with_validity, err));
    if (with_validity) copy_bits(wr_vector_validity_mut(to), to->row_count, from->validity, rows, count, has_nulls);
    switch (to->phys) {
    case WR_PHYS_BOOL: copy_bits(wr_vector_data_mut(to), to->row_count, from->data, rows, count, has_nulls); break;
    case WR_PHYS_VIEW: return copy_views(to, a, from, rows, count, err);
    case WR_PHYS_LIST: return copy_lists(to, a, from, rows, count, err);
    case WR_PHYS_STRUCT:
        for (uint32_t i = 0; i < to->children->count; i++) {
            WR_TRY(wr_vector_append_rows(&to->children->items[i], a, &from->children->items[i], rows, count, err));
        }
        break;
    default: copy_values(to, from, rows, count, has_nulls);
    }
    return WR_OK;
}

/* At most CHUNK_ROWS rows. */
static wr_status append_chunk(wr_vector *to, wr_allocator *a, const wr_vector *from, const uint32_t *rows,
                              uint32_t count, wr_error *err) {
    uint32_t resolved[CHUNK_ROWS];
    while (from->kind != WR_FLAT) {
        const uint32_t *codes = from->data;
        bool constant = from->kind == WR_CONSTANT;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t row = rows[i];
            if (row != UINT32_MAX && constant) row = 0;
            if (row_is_valid(from, row)) {
                resolved[i] = constant ? 0 : codes[row];
            } else {
                resolved[i] = UINT32_MAX;
            }
        }
        rows = resolved;
        if (constant) break;
        from = wr_vector_dictionary(from);
    }
    uint32_t old = to->row_count;
    wr_status status = append_flat(to, a, from, rows, count, err);
    if (status == WR_OK) {
        to->row_count = old + count;
    } else {
        wr_vector_truncate(to, old);
    }
    return status;
}

wr_status wr_vector_append_rows(wr_vector *to, wr_allocator *a, const wr_vector *from, const uint32_t *rows,
                                uint32_t count, wr_error *err) {
    WR_ASSERT(to->kind == WR_FLAT && to->phys == from->phys);
    uint32_t old = to->row_count;
    for (uint32_t at = 0; at < count; at += CHUNK_ROWS) {
        uint32_t part = count - at < CHUNK_ROWS ? count - at : CHUNK_ROWS;
        wr_status status = append_chunk(to, a, from, rows + at, part, err);
        if (status != WR_OK) {
            wr_vector_truncate(to, old);
            return status;
        }
    }
    return WR_OK;
}

/* Rows [0, count) of a flat vector of values without anything behind them: as bytes and bits. */
static wr_status append_plain(wr_vector *to, wr_allocator *a, const wr_vector *from, uint32_t count, wr_error *err) {
    WR_TRY(grow(to, a, count, from->validity != NULL, err));
    if (to->validity) wr_bitmap_copy(wr_vector_validity_mut(to), to->row_count, from->validity, 0, count);
    if (to->phys == WR_PHYS_BOOL) {
        wr_bitmap_copy(wr_vector_data_mut(to), to->row_count, from->data, 0, count);
    } else if (count) {
        size_t width = wr_phys_bytes((wr_phys)to->phys);
        memcpy((uint8_t *)wr_vector_data_mut(to) + to->row_count * width, from->data, count * width);
    }
    to->row_count += count;
    return WR_OK;
}

wr_status wr_vector_append(wr_vector *to, wr_allocator *a, const wr_vector *from, const uint16_t *sel, uint32_t count,
                           wr_error *err) {
    WR_ASSERT(to->kind == WR_FLAT && to->phys == from->phys);
    bool plain = to->phys != WR_PHYS_VIEW && to->phys != WR_PHYS_LIST && to->phys != WR_PHYS_STRUCT;
    if (!sel && plain && from->kind == WR_FLAT) return append_plain(to, a, from, count, err);
    uint32_t rows[CHUNK_ROWS], old = to->row_count;
    for (uint32_t at = 0; at < count; at += CHUNK_ROWS) {
        uint32_t part = count - at < CHUNK_ROWS ? count - at : CHUNK_ROWS;
        for (uint32_t i = 0; i < part; i++) rows[i] = sel ? sel[at + i] : at + i;
        wr_status status = append_chunk(to, a, from, rows, part, err);
        if (status != WR_OK) {
            wr_vector_truncate(to, old);
            return status;
        }
    }
    return WR_OK;
}
