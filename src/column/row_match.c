/* Equality of columns with rows and of rows with rows.
 *
 * Candidates are worked on as a list of positions that each column makes shorter without a branch: most candidates of a
 * probe do match, and those that do not are spread at random. */
#include "column/row_internal.h"

static bool interval_equal(const wr_interval *a, const wr_interval *b) {
    return wr_interval_length(*a) == wr_interval_length(*b);
}

bool wr_row_value_equal(wr_phys phys, const void *a, const void *b) {
    switch (phys) {
    case WR_PHYS_F32: return wr_f32_equal(*(const float *)a, *(const float *)b);
    case WR_PHYS_F64: return wr_f64_equal(*(const double *)a, *(const double *)b);
    case WR_PHYS_VIEW: return wr_view_equal(a, b);
    case WR_PHYS_INTERVAL: return interval_equal(a, b);
    default: return memcmp(a, b, wr_phys_bytes(phys)) == 0;
    }
}

/* Keeps the positions whose cell equals the row's; the cells are valid and so are the rows' columns. */
#define KEEP(type, equal)                                                                                              \
    do {                                                                                                               \
        const type *values = cells->leaf->data;                                                                        \
        for (uint32_t i = 0; i < count; i++) {                                                                         \
            const type *a = &values[cells->index[i]], *b = (const type *)(addresses[positions[i]] + offset);           \
            positions[kept] = positions[i];                                                                            \
            kept += (equal);                                                                                           \
        }                                                                                                              \
    } while (0)

static uint32_t keep_equal(const wr_row_cells *cells, wr_phys phys, uint32_t offset, uint8_t *const *addresses,
                           uint32_t *positions, uint32_t count) {
    uint32_t kept = 0;
    switch (phys) {
    case WR_PHYS_I8:
    case WR_PHYS_U8: KEEP(uint8_t, *a == *b); break;
    case WR_PHYS_I16:
    case WR_PHYS_U16: KEEP(uint16_t, *a == *b); break;
    case WR_PHYS_I32:
    case WR_PHYS_U32: KEEP(uint32_t, *a == *b); break;
    case WR_PHYS_I64:
    case WR_PHYS_U64: KEEP(uint64_t, *a == *b); break;
    case WR_PHYS_I128: KEEP(wr_cell_16, *a == *b); break;
    case WR_PHYS_F32: KEEP(float, wr_f32_equal(*a, *b)); break;
    case WR_PHYS_F64: KEEP(double, wr_f64_equal(*a, *b)); break;
    case WR_PHYS_VIEW: KEEP(wr_string_view, wr_view_equal(a, b)); break;
    case WR_PHYS_INTERVAL: KEEP(wr_interval, interval_equal(a, b)); break;
    case WR_PHYS_BOOL:
        for (uint32_t i = 0; i < count; i++) {
            bool a = wr_bit_get(cells->leaf->data, cells->index[i]);
            positions[kept] = positions[i];
            kept += a == addresses[positions[i]][offset];
        }
        break;
    default: /* LIST and STRUCT */
        for (uint32_t i = 0; i < count; i++) {
            wr_str run = wr_view_str((const wr_string_view *)(addresses[positions[i]] + offset));
            bool equal = wr_nested_match(cells->leaf, cells->index[i], (const uint8_t *)run.data) != NULL;
            positions[kept] = positions[i];
            kept += equal;
        }
    }
    return kept;
}

/* Settles the positions where either side is NULL: `positions` and the cells' indexes keep those where both are valid;
 * those that match as two NULLs are set in `nulls`. */
static uint32_t split_nulls(wr_row_cells *cells, uint32_t column, bool null_equals, uint8_t *const *addresses,
                            uint32_t *positions, uint32_t count, uint64_t *nulls, bool *any) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = positions[i], index = cells->index[i];
        bool cell = cells->all_valid || cells->valid[i], row = wr_row_is_valid(addresses[at], column);
        if (!cell && !row && null_equals) {
            wr_bit_set(nulls, at);
            *any = true;
        }
        positions[kept] = at;
        cells->own_index[kept] = index;
        kept += cell & row;
    }
    cells->index = cells->own_index;
    return kept;
}

static uint32_t list_positions(const uint64_t *bits, uint32_t count, uint32_t *positions) {
    uint32_t n = 0;
    for (uint32_t w = 0; w < wr_bitmap_words(count); w++) {
        uint64_t word = bits[w];
        if (w == (count - 1) / 64) word &= wr_bitmap_tail(count);
        for (; word; word &= word - 1) positions[n++] = w * 64 + (uint32_t)__builtin_ctzll(word);
    }
    return n;
}

static void set_positions(uint64_t *bits, uint32_t count, const uint32_t *positions, uint32_t n) {
    memset(bits, 0, wr_bitmap_bytes(count));
    for (uint32_t i = 0; i < n; i++) wr_bit_set(bits, positions[i]);
}

/* At most WR_ROW_CHUNK rows, from row `first` of the keys. */
static void match_chunk(const wr_row_layout *layout, const wr_vector *keys, uint32_t key_count, const bool *null_equals,
                        uint8_t *const *addresses, uint32_t first, uint32_t count, uint64_t *match) {
    uint32_t positions[WR_ROW_CHUNK], rows[WR_ROW_CHUNK];
    uint64_t nulls[WR_ROW_CHUNK / 64];
    wr_row_cells cells;
    uint32_t n = list_positions(match, count, positions);
    for (uint32_t k = 0; k < key_count && n; k++) {
        const wr_row_column *column = &layout->columns[k];
        for (uint32_t i = 0; i < n; i++) rows[i] = first + positions[i];
        wr_row_cells_find(&cells, &keys[k], rows, n);
        bool any_nulls = false;
        memset(nulls, 0, sizeof nulls);
        n = split_nulls(&cells, k, null_equals[k], addresses, positions, n, nulls, &any_nulls);
        n = keep_equal(&cells, column->phys, column->offset, addresses, positions, n);
        if (!any_nulls) continue;
        for (uint32_t i = 0; i < n; i++) wr_bit_set(nulls, positions[i]);
        n = list_positions(nulls, count, positions);
    }
    set_positions(match, count, positions, n);
}

void wr_row_match(const wr_row_layout *layout, const wr_vector *keys, uint32_t key_count, const bool *null_equals,
                  uint8_t *const *addresses, uint32_t count, uint64_t *match) {
    for (uint32_t first = 0; first < count; first += WR_ROW_CHUNK) {
        uint32_t chunk = count - first < WR_ROW_CHUNK ? count - first : WR_ROW_CHUNK;
        match_chunk(layout, keys, key_count, null_equals, addresses + first, first, chunk, match + first / 64);
    }
}

bool wr_row_equal(const wr_row_layout *layout, uint32_t key_count, const uint8_t *a, const uint8_t *b) {
    for (uint32_t k = 0; k < key_count; k++) {
        const wr_row_column *column = &layout->columns[k];
        bool valid = wr_row_is_valid(a, k);
        if (valid != wr_row_is_valid(b, k)) return false;
        if (!valid) continue;
        const uint8_t *x = a + column->offset, *y = b + column->offset;
        if (column->phys == WR_PHYS_BOOL) {
            if (*x != *y) return false;
        } else if (wr_phys_is_nested(column->phys)) {
            const uint8_t *run_x = (const uint8_t *)wr_view_str((const wr_string_view *)x).data;
            const uint8_t *run_y = (const uint8_t *)wr_view_str((const wr_string_view *)y).data;
            if (!wr_nested_equal(column->type, &run_x, &run_y)) return false;
        } else if (!wr_row_value_equal(column->phys, x, y)) {
            return false;
        }
    }
    return true;
}
