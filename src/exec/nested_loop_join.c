/* Pairs where no equality narrows them down: every row of the probe side with every row of the table, in the order of the
 * rows, and for each of the ids. The residual conditions do the rest.
 *
 * A table of one row, as a subquery that gives one value makes, counts as unique: its batches go through as they are. */
#include "exec/join_internal.h"

static uint32_t pairs_of_one(wr_join_prober *p) {
    for (uint32_t i = 0; i < p->count; i++) {
        p->pair_rows[i] = (uint16_t)i;
        p->pair_ids[i] = 0;
    }
    p->exhausted = p->one_each = true;
    return p->count;
}

/* Rows that have their answer already need no more pairs. */
static bool is_answered(const wr_join_prober *p, uint32_t row) {
    return p->join->filters_probe && wr_bit_get(p->row_true, row);
}

uint32_t wr_cross_pairs(wr_join_prober *p, uint32_t room) {
    uint32_t rows = p->table->indexed_count, row = p->cursor.candidate, id = p->cursor.entry, found = 0;
    if (rows == 1) return pairs_of_one(p);
    while (row < p->count && found < room) {
        uint32_t left = is_answered(p, row) ? 0 : rows - id, take = left < room - found ? left : room - found;
        for (uint32_t i = 0; i < take; i++) {
            p->pair_rows[found + i] = (uint16_t)row;
            p->pair_ids[found + i] = id + i;
        }
        found += take;
        id += take;
        if (take < left) break;
        row++;
        id = 0;
    }
    p->cursor = (wr_join_cursor){row, id};
    p->exhausted = row == p->count;
    return found;
}
