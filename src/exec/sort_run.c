/* Stores to runs: sorted rows of one class, in memory as entries, on disk as pages of rows in order.
 *
 * A list that came in order is a run as it is, one that came strictly in reverse is turned around; all others are sorted.
 * A run on disk has a mark for each page, the place of its first row, so that a reader of a range begins in the middle. */
#include "exec/sort_internal.h"

/* ---- runs in memory ---- */

static wr_status new_run(wr_sort *sort, uint32_t store, unsigned row_class, wr_sort_run **out, wr_error *err) {
    wr_sort_run *run = *out = wr_alloc_zeroed(sort->allocator, sizeof *run);
    if (!run) return wr_fail_memory(err, sizeof *run, "a sorted run");
    run->store = store;
    run->row_class = (uint8_t)row_class;
    run->shift = 63;
    return WR_OK;
}

static void free_chunks(wr_sort *sort, wr_sort_chunk *chunks, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        wr_free(sort->allocator, chunks[i].entries, sizeof(wr_sort_entry) * chunks[i].capacity);
        chunks[i] = (wr_sort_chunk){0};
    }
}

void wr_sort_run_destroy(wr_sort *sort, wr_sort_run *run) {
    if (!run) return;
    wr_allocator *a = sort->allocator;
    free_chunks(sort, run->chunks, run->chunk_count);
    wr_free(a, run->chunks, sizeof *run->chunks * run->chunk_count);
    wr_spilled_rows_deinit(&run->pages, sort->exec->spill);
    wr_free(a, run->marks, sizeof *run->marks * run->mark_capacity);
    wr_free(a, run, sizeof *run);
}

/* All entries in one chunk, the last first. */
static wr_status turn_around(wr_sort *sort, wr_sort_chunk *chunks, uint32_t chunk_count, uint64_t count, wr_sort_entry **out, wr_error *err) {
    wr_sort_entry *e = *out = wr_alloc(sort->allocator, sizeof *e * count);
    if (!e) return wr_fail_memory(err, sizeof *e * count, "sort");
    uint64_t to = 0;
    for (uint32_t c = chunk_count; c-- > 0;) {
        for (uint64_t i = chunks[c].count; i-- > 0;) e[to++] = chunks[c].entries[i];
    }
    return WR_OK;
}

wr_status wr_sort_run_create(wr_sort *sort, wr_sort_store *store, unsigned row_class, wr_sort_chunk *chunks, uint32_t chunk_count, bool whole,
                             wr_sort_run **out, wr_error *err) {
    const wr_sort_list *list = &store->lists[row_class];
    wr_sort_run *run;
    WR_TRY(new_run(sort, store->number, row_class, &run, err));
    for (uint32_t c = 0; c < chunk_count; c++) run->count += chunks[c].count;
    uint32_t kept = whole && list->rising ? chunk_count : 1;
    run->chunks = wr_alloc_zeroed(sort->allocator, sizeof *run->chunks * kept);
    wr_status status = run->chunks ? WR_OK : wr_fail_memory(err, sizeof *run->chunks * kept, "a sorted run");
    if (status == WR_OK) run->chunk_count = kept;
    if (status == WR_OK && whole && list->rising) {
        memcpy(run->chunks, chunks, sizeof *chunks * chunk_count);
        memset(chunks, 0, sizeof *chunks * chunk_count);
        run->shift = sort->chunk_shift;
    } else if (status == WR_OK) {
        wr_sort_entry *e = NULL;
        status = whole && list->falling ? turn_around(sort, chunks, chunk_count, run->count, &e, err)
                                        : wr_sort_chunks(&sort->orders[row_class], sort->allocator, chunks, chunk_count, &e,
                                                         &sort->exec->cancelled, err);
        if (status == WR_OK) run->chunks[0] = (wr_sort_chunk){e, run->count, run->count};
        if (status == WR_OK) free_chunks(sort, chunks, chunk_count);
    }
    if (status != WR_OK) {
        wr_sort_run_destroy(sort, run);
        return status;
    }
    *out = run;
    return WR_OK;
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
    uint64_t rows = w->page->row_count, bytes = run->pages.page_bytes;
    wr_row_list_push(&list, w->page);
    w->page = NULL;
    wr_status status = wr_spill_rows(w->sort->exec->spill, &list, w->sort->allocator, &run->pages, err);
    wr_row_list_destroy(&list, w->sort->allocator);
    bytes = run->pages.page_bytes - bytes;
    w->written_bytes += bytes;
    uint64_t cost = bytes + rows * sizeof(wr_sort_entry);
    if (cost > run->page_cost) run->page_cost = cost;
    return status;
}

static wr_status open_page(writer *w, const uint8_t *row, uint32_t heap_bytes, wr_error *err) {
    wr_sort *sort = w->sort;
    wr_sort_run *run = w->run;
    WR_TRY(flush_page(w, err));
    WR_TRY(wr_grow(sort->allocator, (void **)&run->marks, &run->mark_capacity, run->pages.count, 1, sizeof *run->marks, err));
    wr_sort_mark_of(sort, run->row_class, row, &run->marks[run->pages.count]);
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
    wr_status status = WR_OK;
    uint64_t count = from->count < limit ? from->count : limit;
    for (uint64_t i = 0; i < count && status == WR_OK; i++) {
        status = write_row(&w, wr_sort_run_at(from, i)->row, err);
        if (i % 4096 == 0 && sort->exec->cancelled && status == WR_OK) status = wr_fail(err, WR_CANCELLED, "the query was stopped");
    }
    if (status == WR_OK) status = end_writing(&w, err);
    wr_row_page_destroy(w.page, sort->allocator);
    return status;
}

static wr_status spill_list(wr_sort *sort, wr_sort_store *store, unsigned row_class, wr_error *err) {
    wr_sort_list *list = &store->lists[row_class];
    wr_sort_run *sorted, *run = NULL;
    if (list->count == 0) return WR_OK;
    WR_TRY(wr_sort_run_create(sort, store, row_class, list->chunks, list->chunk_count, true, &sorted, err));
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
    for (unsigned c = 0; c < WR_SORT_CLASSES && status == WR_OK; c++) status = spill_list(sort, store, c, err);
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
