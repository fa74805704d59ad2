/* Columns back from rows: one column of addressed rows as a flat vector. */
#include "column/row_internal.h"

/* NULL rows (no address, or the column's bit not set) get a cleared bit; a vector without any keeps no bitmap. */
static wr_status gather_validity(wr_vector *out, wr_allocator *a, uint32_t column, uint8_t *const *addresses,
                                 uint32_t count, wr_error *err) {
    uint32_t byte = column >> 3, shift = column & 7;
    for (uint32_t first = 0; first < count; first += 64) {
        uint32_t n = count - first < 64 ? count - first : 64;
        uint64_t word = 0;
        for (uint32_t i = 0; i < n; i++) {
            const uint8_t *row = addresses[first + i];
            word |= (uint64_t)(row ? (row[byte] >> shift) & 1 : 0) << i;
        }
        if (word == wr_bitmap_tail(n)) continue;
        if (!out->validity) WR_TRY(wr_vector_add_validity(out, a, err));
        wr_vector_validity_mut(out)[first / 64] = word;
    }
    return WR_OK;
}

/* A valid row's cell, or zero. The cell of a NULL is zero already: only missing rows differ. */
#define GATHER(type)                                                                                                   \
    do {                                                                                                               \
        type *to = wr_vector_data_mut(out);                                                                            \
        for (uint32_t i = 0; i < count; i++) {                                                                         \
            to[i] = addresses[i] ? *(const type *)(addresses[i] + offset) : (type){0};                                 \
        }                                                                                                              \
    } while (0)

static void gather_fixed(wr_vector *out, uint32_t bytes, uint32_t offset, uint8_t *const *addresses, uint32_t count) {
    switch (bytes) {
    case 1: GATHER(wr_cell_1); break;
    case 2: GATHER(wr_cell_2); break;
    case 4: GATHER(wr_cell_4); break;
    case 8: GATHER(wr_cell_8); break;
    default: GATHER(wr_cell_16); break;
    }
}

static void gather_bool(wr_vector *out, uint32_t offset, uint8_t *const *addresses, uint32_t count) {
    uint64_t *bits = wr_vector_data_mut(out);
    for (uint32_t first = 0; first < count; first += 64) {
        uint32_t n = count - first < 64 ? count - first : 64;
        uint64_t word = 0;
        for (uint32_t i = 0; i < n; i++) {
            const uint8_t *row = addresses[first + i];
            word |= (uint64_t)(row ? row[offset] & 1 : 0) << i;
        }
        bits[first / 64] = word;
    }
}

/* The bytes of long strings move into the vector's heap. */
static wr_status own_views(wr_vector *out, uint32_t count, wr_error *err) {
    wr_string_view *views = wr_vector_data_mut(out);
    for (uint32_t i = 0; i < count; i++) {
        if (views[i].size <= WR_STRING_INLINE) continue;
        char *own;
        WR_TRY(wr_heap_alloc(out->heap, views[i].size, &own, err));
        views[i].data = memcpy(own, views[i].data, views[i].size);
    }
    return WR_OK;
}

static wr_status gather_nested(wr_vector *out, wr_allocator *a, const wr_row_column *column, uint32_t index,
                               uint8_t *const *addresses, uint32_t count, bool copy, wr_error *err) {
    size_t bytes = sizeof(uint8_t *) * (count + 1);
    const uint8_t **cursors = wr_alloc(a, bytes);
    if (!cursors) return wr_fail_memory(err, bytes, "nested values of rows");
    for (uint32_t i = 0; i < count; i++) {
        cursors[i] = NULL;
        if (!addresses[i] || !wr_row_is_valid(addresses[i], index)) continue;
        cursors[i] = (const uint8_t *)wr_view_str((const wr_string_view *)(addresses[i] + column->offset)).data;
    }
    wr_status status = wr_nested_read(out, a, column->type, cursors, count, copy, err);
    wr_free(a, cursors, bytes);
    return status;
}

wr_status wr_row_gather(wr_vector *out, wr_allocator *a, const wr_row_layout *layout, uint32_t column,
                        uint8_t *const *addresses, uint32_t count, bool copy, wr_error *err) {
    const wr_row_column *c = &layout->columns[column];
    if (wr_phys_is_nested(c->phys)) return gather_nested(out, a, c, column, addresses, count, copy, err);
    WR_TRY(wr_vector_prepare(out, a, c->type, count, false, err));
    WR_TRY(gather_validity(out, a, column, addresses, count, err));
    if (c->phys == WR_PHYS_BOOL) {
        gather_bool(out, c->offset, addresses, count);
        return WR_OK;
    }
    gather_fixed(out, wr_row_phys_bytes(c->phys), c->offset, addresses, count);
    return c->phys == WR_PHYS_VIEW && copy ? own_views(out, count, err) : WR_OK;
}
