/* Finding the cells of a column of any kind: dictionaries and constants are followed, at any depth, to a flat or nested
 * vector and a position in it. */
#include "column/row_internal.h"

static void cells_all_valid_to_bytes(wr_row_cells *cells, uint32_t count) {
    if (!cells->all_valid) return;
    memset(cells->valid, 1, count);
    cells->all_valid = false;
}

static void cells_and_validity(wr_row_cells *cells, const uint64_t *validity, uint32_t count) {
    if (!validity) return;
    cells_all_valid_to_bytes(cells, count);
    for (uint32_t i = 0; i < count; i++) {
        if (cells->valid[i]) cells->valid[i] = wr_bit_get(validity, cells->index[i]);
    }
}

/* Codes of NULL rows may be anything: they are not followed. */
static void cells_follow_codes(wr_row_cells *cells, const uint32_t *codes, uint32_t count) {
    if (cells->all_valid) {
        for (uint32_t i = 0; i < count; i++) cells->own_index[i] = codes[cells->index[i]];
    } else {
        for (uint32_t i = 0; i < count; i++) cells->own_index[i] = cells->valid[i] ? codes[cells->index[i]] : 0;
    }
    cells->index = cells->own_index;
}

void wr_row_cells_find(wr_row_cells *cells, const wr_vector *v, const uint32_t *rows, uint32_t count) {
    cells->index = rows;
    cells->all_valid = true;
    for (; v->kind != WR_FLAT; v = wr_vector_dictionary(v)) {
        if (v->kind == WR_CONSTANT) {
            memset(cells->own_index, 0, sizeof *cells->own_index * count);
            cells->index = cells->own_index;
            break;
        }
        cells_and_validity(cells, v->validity, count);
        cells_follow_codes(cells, v->data, count);
    }
    cells_and_validity(cells, v->validity, count);
    cells->leaf = v;
}

const wr_vector *wr_row_cell(const wr_vector *v, uint32_t row, uint32_t *position) {
    for (; v->kind != WR_FLAT; v = wr_vector_dictionary(v)) {
        if (v->kind == WR_CONSTANT) {
            row = 0;
            break;
        }
        if (!wr_valid(v->validity, row)) return NULL;
        row = ((const uint32_t *)v->data)[row];
    }
    *position = row;
    return wr_valid(v->validity, row) ? v : NULL;
}
