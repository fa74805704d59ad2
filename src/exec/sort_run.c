/* Stores to runs: sorted rows of one class, in memory as entries or as the pages that they came in, on disk as pages of
 * rows in order.
 *
 * A store whose rows came in order is a run as it is, and so is one whose rows came strictly in reverse, read from its end.
 * A run on disk has a mark for each page, the place of its first row, so that a reader of a range begins in the middle. */
#include "exec/sort_internal.h"

/* ---- runs in memory ---- */

static wr_status new_run(wr_sort *sort, uint32_t store, unsigned row_class, wr_sort_run **out, wr_error *err) {
    wr_sort_run *run = *out = wr_alloc_zeroed(sort->allocator, sizeof *run);
    if (!run) return wr_fail_memory(err, sizeof *run, "a sorted run");
    run->store = store;
    run->row_class = (uint8_t)row_class;
    return WR_OK;
}

void wr_sort_run_destroy(wr_sort *sort, wr_sort_run *run) {
    if (!run) return;
    wr_allocator *a = sort->allocator;
    wr_free(a, run->entries, sizeof *run->entries * (run->count + WR_SORT_SLICE));
    wr_free(a, run->pages, sizeof *run->pages * run->page_count);
    wr_free(a, run->page_ends, sizeof *run->page_ends * run->page_count);
    wr_spilled_rows_deinit(&run->spilled, sort->exec->spill);
    wr_free(a, run->marks, sizeof *run->marks * run->mark_capacity);
    wr_free(a, run, sizeof *run);
}

static wr_status adopt_pages(wr_sort *sort, wr_sort_run *run, const wr_row_page *first, uint32_t page_count,
                             wr_error *err) {
    run->page_count = page_count;
    run->pages = wr_alloc(sort->allocator, sizeof *run->pages * page_count);
    run->page_ends = wr_alloc(sort->allocator, sizeof *run->page_ends * page_count);
    if (!run->pages || !run->page_ends) return wr_fail_memory(err, sizeof *run->pages * page_count, "a sorted run");
    uint64_t rows = 0;
    for (uint32_t p = 0; p < page_count; p++, first = first->next) {
        run->pages[p] = first;
        run->page_ends[p] = rows += first->row_count;
    }
    return WR_OK;
}

static uint64_t count_rows(const wr_sort_pages *pages) {
    uint64_t rows = 0;
    const wr_row_page *page = pages->first;
    for (uint32_t p = 0; p < pages->count; p++, page = page->next) {
        for (uint32_t i = 0; pages->mixed && i < page->row_count; i++) {
            rows += wr_row_is_valid(wr_row_at(page, i), pages->null_column) == pages->valid;
        }
        if (!pages->mixed) rows += page->row_count;
    }
    return rows;
}

static wr_status make_run(wr_sort *sort, const wr_sort_store *store, const wr_sort_pages *pages, unsigned row_class,
                          wr_sort_run **out, wr_error *err) {
    wr_sort_run *run;
    WR_TRY(new_run(sort, store->number, row_class, &run, err));
    wr_status status;
    if (store->rising || store->falling) {
        run->count = pages->row_count;
        run->is_reversed = !store->rising;
        status = adopt_pages(sort, run, pages->first, pages->count, err);
    } else {
        status = wr_sort_pages_sort(pages, sort->allocator, &run->entries, &sort->exec->cancelled, err);
        if (status == WR_OK) run->count = pages->row_count;
    }
    if (status != WR_OK) {
        wr_sort_run_destroy(sort, run);
        return status;
    }
    *out = run;
    return WR_OK;
}

/* The rows of one class in some of the store's pages; *out is NULL when there are none. */
static wr_status sort_class(wr_sort *sort, const wr_sort_store *store, const wr_row_page *first, uint32_t page_count,
                            unsigned row_class, wr_sort_run **out, wr_error *err) {
    *out = NULL;
    if (store->class_rows[row_class] == 0) return WR_OK;
    wr_sort_pages pages = {
        .order = &sort->orders[row_class],
        .first = first,
        .count = page_count,
        .mixed = store->class_rows[!row_class] > 0,
        .valid = row_class == WR_SORT_VALUES,
        .null_column = sort->key_count ? sort->keys[0].column : 0,
    };
    pages.row_count = count_rows(&pages);
    return pages.row_count ? make_run(sort, store, &pages, row_class, out, err) : WR_OK;
}

wr_status wr_sort_store_sort(wr_sort *sort, const wr_sort_store *store, const wr_row_page *first, uint32_t page_count,
                             uint32_t number, wr_error *err) {
    for (unsigned c = 0; c < WR_SORT_CLASSES; c++) {
        wr_sort_run *run;
        WR_TRY(sort_class(sort, store, first, page_count, c, &run, err));
        if (!run) continue;
        run->number = number;
        wr_sort_add_run(sort, run);
    }
    return WR_OK;
}

/* The page that has row i, which is made its number in the page. */
static uint32_t page_of(const wr_sort_run *run, uint64_t *i) {
    uint32_t low = 0, high = run->page_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (run->page_ends[middle] <= *i) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *i -= low ? run->page_ends[low - 1] : 0;
    return low;
}

uint8_t *wr_sort_run_row(const wr_sort_run *run, uint64_t i) {
    if (run->entries) return run->entries[i].row;
    if (run->is_reversed) i = run->count - 1 - i;
    uint32_t page = page_of(run, &i);
    return wr_row_at(run->pages[page], (uint32_t)i);
}

static void rows_of_pages(const wr_sort_run *run, uint64_t first, uint32_t count, uint8_t **rows) {
    uint64_t at = run->is_reversed ? run->count - first - count : first;
    uint32_t page = page_of(run, &at);
    for (uint32_t done = 0; done < count; page++, at = 0) {
        for (; done < count && at < run->pages[page]->row_count; at++, done++) {
            rows[run->is_reversed ? count - 1 - done : done] = wr_row_at(run->pages[page], (uint32_t)at);
        }
    }
}

void wr_sort_run_rows(const wr_sort_run *run, uint64_t first, uint32_t count, uint8_t **rows) {
    if (count && !run->entries) {
        rows_of_pages(run, first, count, rows);
        return;
    }
    for (uint32_t i = 0; i < count; i++) rows[i] = run->entries[first + i].row;
}

void wr_sort_add_run(wr_sort *sort, wr_sort_run *run) {
    wr_mutex_lock(&sort->lock);
    run->next = sort->runs;
    sort->runs = run;
    wr_mutex_unlock(&sort->lock);
}

/* ---- writing ---- */

typedef struct writer {
    wr_sort *sort;
    wr_sort_run *run;
    wr_row_page *page;
    uint64_t written_bytes;
} writer;

static wr_status flush_page(writer *w, wr_error *err) {
    wr_sort_run *run = w->run;
    wr_row_list list = {0};
    if (!w->page) return WR_OK;
    uint64_t rows = w->page->row_count, bytes = run->spilled.page_bytes;
    wr_row_list_push(&list, w->page);
    w->page = NULL;
    wr_status status = wr_spill_rows(w->sort->exec->spill, &list, w->sort->allocator, &run->spilled, err);
    wr_row_list_destroy(&list, w->sort->allocator);
    bytes = run->spilled.page_bytes - bytes;
    w->written_bytes += bytes;
    uint64_t cost = bytes + rows * sizeof(wr_sort_entry);
    if (cost > run->page_cost) run->page_cost = cost;
    return status;
}

static wr_status open_page(writer *w, const uint8_t *row, uint32_t heap_bytes, wr_error *err) {
    wr_sort *sort = w->sort;
    wr_sort_run *run = w->run;
    WR_TRY(flush_page(w, err));
    WR_TRY(wr_grow(sort->allocator, (void **)&run->marks, &run->mark_capacity, run->spilled.count, 1,
                   sizeof *run->marks, err));
    wr_sort_mark_of(sort, run->row_class, row, &run->marks[run->spilled.count]);
    return wr_row_page_create(&w->page, sort->allocator, &sort->layout, sort->spill_page_bytes, heap_bytes, err);
}

static wr_status write_row(writer *w, const uint8_t *row, wr_error *err) {
    const wr_row_layout *layout = &w->sort->layout;
    uint32_t heap_bytes = 0;
    char *heap;
    if (layout->has_heap) WR_TRY(wr_row_heap_bytes(layout, row, &heap_bytes, err));
    uint8_t *to = w->page ? wr_row_page_add(w->page, heap_bytes, &heap) : NULL;
    if (!to) {
        WR_TRY(open_page(w, row, heap_bytes, err));
        to = wr_row_page_add(w->page, heap_bytes, &heap);
    }
    memcpy(to, row, layout->row_bytes);
    if (heap_bytes) wr_row_heap_copy(layout, to, heap);
    w->run->count++;
    return WR_OK;
}

static wr_status end_writing(writer *w, wr_error *err) {
    WR_TRY(flush_page(w, err));
    wr_node_count(w->sort->node, &(wr_counters){.spilled_bytes = w->written_bytes});
    w->sort->has_spilled = true;
    return WR_OK;
}

static wr_status write_run(wr_sort *sort, const wr_sort_run *from, uint64_t limit, wr_sort_run *to, wr_error *err) {
    writer w = {.sort = sort, .run = to};
    uint8_t *rows[WR_SORT_SLICE];
    wr_status status = WR_OK;
    uint64_t count = from->count < limit ? from->count : limit;
    for (uint64_t at = 0; at < count && status == WR_OK; at += WR_SORT_SLICE) {
        uint32_t slice = count - at < WR_SORT_SLICE ? (uint32_t)(count - at) : WR_SORT_SLICE;
        if (sort->exec->cancelled) status = wr_fail(err, WR_CANCELLED, "the query was stopped");
        wr_sort_run_rows(from, at, slice, rows);
        for (uint32_t i = 0; i < slice && status == WR_OK; i++) status = write_row(&w, rows[i], err);
    }
    if (status == WR_OK) status = end_writing(&w, err);
    wr_row_page_destroy(w.page, sort->allocator);
    return status;
}

static wr_status spill_class(wr_sort *sort, wr_sort_store *store, unsigned row_class, wr_error *err) {
    wr_sort_run *sorted, *run = NULL;
    WR_TRY(sort_class(sort, store, store->rows.first, store->page_count, row_class, &sorted, err));
    if (!sorted) return WR_OK;
    wr_status status = new_run(sort, store->number, row_class, &run, err);
    if (status == WR_OK) status = write_run(sort, sorted, sort->end, run, err);
    wr_sort_run_destroy(sort, sorted);
    if (status != WR_OK) {
        wr_sort_run_destroy(sort, run);
        return status;
    }
    run->number = store->run_count++;
    wr_sort_add_run(sort, run);
    return WR_OK;
}

wr_status wr_sort_store_spill(wr_sort *sort, wr_sort_store *store, wr_error *err) {
    wr_status status = WR_OK;
    for (unsigned c = 0; c < WR_SORT_CLASSES && status == WR_OK; c++) status = spill_class(sort, store, c, err);
    wr_sort_store_clear(sort, store);
    return status;
}

/* ---- runs to one ---- */

wr_status wr_sort_runs_join(wr_sort *sort, wr_sort_run **runs, uint32_t count, wr_sort_run **out, wr_error *err) {
    wr_sort_run *run = NULL;
    wr_sort_merge merge = {0};
    writer w = {.sort = sort};
    uint8_t *rows[WR_SORT_SLICE];
    wr_status status = new_run(sort, runs[0]->store, runs[0]->row_class, &run, err);
    if (status == WR_OK) status = wr_sort_merge_init(&merge, sort, runs, count, NULL, NULL, sort->allocator, true, err);
    w.run = run;
    for (uint32_t taken = 1; status == WR_OK && taken > 0 && w.run->count < sort->end;) {
        if (sort->exec->cancelled) status = wr_fail(err, WR_CANCELLED, "the query was stopped");
        if (status == WR_OK) status = wr_sort_merge_take(&merge, rows, WR_SORT_SLICE, &taken, err);
        for (uint32_t i = 0; i < taken && status == WR_OK; i++) status = write_row(&w, rows[i], err);
    }
    if (status == WR_OK) status = end_writing(&w, err);
    wr_row_page_destroy(w.page, sort->allocator);
    wr_sort_merge_deinit(&merge);
    if (status != WR_OK) {
        wr_sort_run_destroy(sort, run);
        return status;
    }
    run->number = runs[0]->number;
    *out = run;
    for (uint32_t i = 0; i < count; i++) wr_sort_run_destroy(sort, runs[i]);
    return WR_OK;
}
