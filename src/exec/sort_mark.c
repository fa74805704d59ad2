/* Places in the order: marks of rows, and where they fall into a run.
 *
 * A mark is the first words of a row's key; when these are the whole key, the rank of the row's morsel follows, so that rows
 * of equal keys are cut into ranges too. Rows that no mark tells apart stay together. */
#include "exec/sort_internal.h"

void wr_sort_mark_of(const wr_sort *sort, unsigned row_class, const uint8_t *row, wr_sort_mark *out) {
    const wr_sort_order *order = &sort->orders[row_class];
    wr_sort_place place = {0, 0};
    wr_sort_step step = WR_SORT_WORD;
    wr_sort_entry entry = {.row = (uint8_t *)(uintptr_t)row};
    *out = (wr_sort_mark){.morsel = wr_sort_row_morsel(sort, row)};
    while (step == WR_SORT_WORD && out->word_count < WR_SORT_MARK_WORDS) {
        wr_sort_load(order, place, &entry, 1);
        out->words[out->word_count++] = entry.key;
        step = wr_sort_next(order, place, entry.key, &place);
    }
    out->complete = step == WR_SORT_END;
}

int wr_sort_mark_compare(const wr_sort *sort, const wr_sort_mark *a, const wr_sort_mark *b) {
    for (uint32_t i = 0; i < a->word_count && i < b->word_count; i++) {
        if (a->words[i] != b->words[i]) return a->words[i] < b->words[i] ? -1 : 1;
    }
    if (!a->complete || !b->complete) return 0;
    uint32_t x = sort->morsels[a->morsel].rank, y = sort->morsels[b->morsel].rank;
    return (x > y) - (x < y);
}

bool wr_sort_is_before(const wr_sort *sort, unsigned row_class, const wr_sort_entry *entry, const wr_sort_mark *place) {
    if (entry->key != place->words[0]) return entry->key < place->words[0];
    wr_sort_mark mark;
    wr_sort_mark_of(sort, row_class, entry->row, &mark);
    return wr_sort_mark_compare(sort, &mark, place) < 0;
}

uint64_t wr_sort_run_find(const wr_sort *sort, const wr_sort_run *run, const wr_sort_mark *place) {
    uint64_t low = 0, high = run->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        wr_sort_entry entry = {.row = wr_sort_run_row(run, middle)};
        wr_sort_load(&sort->orders[run->row_class], (wr_sort_place){0, 0}, &entry, 1);
        if (wr_sort_is_before(sort, run->row_class, &entry, place)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

uint32_t wr_sort_run_find_page(const wr_sort *sort, const wr_sort_run *run, const wr_sort_mark *place) {
    uint32_t low = 0, high = run->spilled.count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (wr_sort_mark_compare(sort, &run->marks[middle], place) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}
