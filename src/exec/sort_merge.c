/* Runs to one order: a tree of losers (Knuth, volume 3, 5.4.1) over a cursor for each run.
 *
 * The keys of the heads lie side by side, so a step up the tree is one comparison of numbers; rows are looked at when words
 * are equal, and then, when the keys are equal too, the rank of the morsel decides, and last the number of the run: runs of
 * one store are merged in the order in which they were made.
 *
 * A cursor gives entries side by side: those of the run, or those that it makes of rows of pages. A page that was read from
 * disk to its end is kept until the caller has looked at its rows; when there are some of these, the merge returns early. */
#include "exec/sort_internal.h"

enum { RETIRED_MAX = 4 };

/* ---- cursors ---- */

static void retire_page(wr_sort_merge *m, wr_sort_cursor *c) {
    if (!c->page) return;
    c->page->next = m->retired;
    m->retired = c->page;
    m->retired_count++;
    c->page = NULL;
}

static void free_retired(wr_sort_merge *m) {
    for (wr_row_page *page = m->retired, *next; page; page = next) {
        next = page->next;
        wr_row_page_destroy(page, m->allocator);
    }
    m->retired = NULL;
    m->retired_count = 0;
}

static wr_status read_page(wr_sort_merge *m, wr_sort_cursor *c, uint32_t index, wr_error *err) {
    wr_sort *sort = m->sort;
    wr_spill *spill = sort->exec->spill;
    wr_spilled_rows *pages = (wr_spilled_rows *)(uintptr_t)&c->run->spilled;
    return m->frees_slots ? wr_unspill_page(spill, pages, index, &sort->layout, m->allocator, &c->page, err)
                          : wr_spill_read_page(spill, pages, index, &sort->layout, m->allocator, &c->page, err);
}

/* Entries of the page in front of the place, or all. */
static uint32_t rows_before(const wr_sort_merge *m, const wr_sort_cursor *c, uint32_t count,
                            const wr_sort_mark *place) {
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (wr_sort_is_before(m->sort, c->run->row_class, &c->entries[middle], place)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static wr_status next_page(wr_sort_merge *m, wr_sort_cursor *c, wr_error *err) {
    uint32_t index = (uint32_t)c->next++;
    WR_TRY(read_page(m, c, index, err));
    uint32_t count = c->page->row_count;
    WR_TRY(wr_grow(m->allocator, (void **)&c->entries, &c->entry_capacity, 0, count, sizeof *c->entries, err));
    for (uint32_t i = 0; i < count; i++) c->entries[i].row = wr_row_at(c->page, i);
    wr_sort_load(m->order, (wr_sort_place){0, 0}, c->entries, count);
    uint32_t first = 0, end = count;
    if (m->low && wr_sort_mark_compare(m->sort, &c->run->marks[index], m->low) < 0)
        first = rows_before(m, c, count, m->low);
    if (m->high && c->next == c->stop) end = rows_before(m, c, count, m->high);
    c->at = c->entries + first;
    c->end = c->entries + end;
    return WR_OK;
}

/* Rows of pages in memory. */
static wr_status next_rows(wr_sort_merge *m, wr_sort_cursor *c, wr_error *err) {
    uint8_t *rows[WR_SORT_SLICE];
    uint32_t count = c->stop - c->next < WR_SORT_SLICE ? (uint32_t)(c->stop - c->next) : WR_SORT_SLICE;
    WR_TRY(wr_grow(m->allocator, (void **)&c->entries, &c->entry_capacity, 0, count, sizeof *c->entries, err));
    wr_sort_run_rows(c->run, c->next, count, rows);
    for (uint32_t i = 0; i < count; i++) c->entries[i].row = rows[i];
    wr_sort_load(m->order, (wr_sort_place){0, 0}, c->entries, count);
    c->at = c->entries;
    c->end = c->entries + count;
    c->next += count;
    return WR_OK;
}

/* The next entries side by side; at == end when there are none. */
static wr_status refill(wr_sort_merge *m, wr_sort_cursor *c, wr_error *err) {
    const wr_sort_run *run = c->run;
    if (wr_sort_run_is_spilled(run)) {
        while (c->at == c->end && c->next < c->stop) {
            retire_page(m, c);
            WR_TRY(next_page(m, c, err));
        }
        if (c->at == c->end) retire_page(m, c);
        return WR_OK;
    }
    if (c->next == c->stop) return WR_OK;
    if (run->entries) {
        c->at = run->entries + c->next;
        c->end = run->entries + c->stop;
        c->next = c->stop;
        return WR_OK;
    }
    return next_rows(m, c, err);
}

static wr_status open_cursor(wr_sort_merge *m, wr_sort_cursor *c, const wr_sort_run *run, wr_error *err) {
    *c = (wr_sort_cursor){.run = run};
    if (wr_sort_run_is_spilled(run)) {
        c->next = m->low ? wr_sort_run_find_page(m->sort, run, m->low) : 0;
        if (c->next) c->next--; /* the page in front may end behind the place */
        c->stop = m->high ? wr_sort_run_find_page(m->sort, run, m->high) : run->spilled.count;
        if (c->next > c->stop) c->next = c->stop;
    } else {
        c->next = m->low ? wr_sort_run_find(m->sort, run, m->low) : 0;
        c->stop = m->high ? wr_sort_run_find(m->sort, run, m->high) : run->count;
    }
    return refill(m, c, err);
}

/* ---- the tree ---- */

static bool is_at_end(const wr_sort_cursor *c) {
    return c->at == c->end;
}

/* The keys of two heads are equal. A cursor at its end has the highest key. */
static bool tied_before(const wr_sort_merge *m, uint32_t a, uint32_t b) {
    const wr_sort_cursor *x = &m->cursors[a], *y = &m->cursors[b];
    if (is_at_end(x) || is_at_end(y)) return is_at_end(y) && !(is_at_end(x) && b < a);
    int order = wr_sort_compare_tied(m->order, x->at->key, x->at->row, y->at->row);
    if (order) return order < 0;
    uint32_t i = m->sort->morsels[wr_sort_row_morsel(m->sort, x->at->row)].rank;
    uint32_t k = m->sort->morsels[wr_sort_row_morsel(m->sort, y->at->row)].rank;
    return i != k ? i < k : a < b;
}

static inline bool is_before(const wr_sort_merge *m, uint32_t a, uint32_t b) {
    if (WR_LIKELY(m->keys[a] != m->keys[b])) return m->keys[a] < m->keys[b];
    return tied_before(m, a, b);
}

/* Carries the winner's new head up: at each node the loser stays. */
static inline void replay(wr_sort_merge *m, uint32_t winner) {
    for (uint32_t node = (winner + m->count) / 2; node > 0; node /= 2) {
        uint32_t other = m->losers[node];
        bool wins = is_before(m, other, winner);
        m->losers[node] = wins ? winner : other;
        winner = wins ? other : winner;
    }
    m->losers[0] = winner;
}

/* The winner of the tree below `node`; leaves are nodes count to 2 * count - 1. */
static uint32_t build(wr_sort_merge *m, uint32_t node) {
    if (node >= m->count) return node - m->count;
    uint32_t a = build(m, node * 2), b = build(m, node * 2 + 1);
    bool wins = is_before(m, a, b);
    m->losers[node] = wins ? b : a;
    return wins ? a : b;
}

static void set_key(wr_sort_merge *m, uint32_t cursor) {
    const wr_sort_cursor *c = &m->cursors[cursor];
    m->keys[cursor] = is_at_end(c) ? UINT64_MAX : c->at->key;
}

wr_status wr_sort_merge_init(wr_sort_merge *m, wr_sort *sort, wr_sort_run *const *runs, uint32_t count,
                             const wr_sort_mark *low, const wr_sort_mark *high, wr_allocator *a, bool frees_slots,
                             wr_error *err) {
    *m = (wr_sort_merge){.sort = sort,
                         .order = &sort->orders[runs[0]->row_class],
                         .allocator = a,
                         .low = low,
                         .high = high,
                         .frees_slots = frees_slots,
                         .count = count};
    m->cursors = wr_alloc_zeroed(a, sizeof *m->cursors * count);
    m->keys = wr_alloc(a, sizeof *m->keys * count);
    m->losers = wr_alloc(a, sizeof *m->losers * count);
    if (!m->cursors || !m->keys || !m->losers)
        return wr_fail_memory(err, sizeof *m->cursors * count, "merging sorted runs");
    for (uint32_t i = 0; i < count; i++) {
        WR_TRY(open_cursor(m, &m->cursors[i], runs[i], err));
        set_key(m, i);
    }
    m->losers[0] = build(m, 1);
    return WR_OK;
}

void wr_sort_merge_deinit(wr_sort_merge *m) {
    if (!m->allocator) return;
    for (uint32_t i = 0; m->cursors && i < m->count; i++) {
        wr_row_page_destroy(m->cursors[i].page, m->allocator);
        wr_free(m->allocator, m->cursors[i].entries, sizeof(wr_sort_entry) * m->cursors[i].entry_capacity);
    }
    free_retired(m);
    wr_free(m->allocator, m->cursors, sizeof *m->cursors * m->count);
    wr_free(m->allocator, m->keys, sizeof *m->keys * m->count);
    wr_free(m->allocator, m->losers, sizeof *m->losers * m->count);
    *m = (wr_sort_merge){0};
}

/* ---- taking ---- */

static wr_status take_from_one(wr_sort_merge *m, uint8_t **rows, uint32_t max, uint32_t *count, wr_error *err) {
    wr_sort_cursor *c = &m->cursors[0];
    uint32_t n = 0;
    while (n < max && !is_at_end(c)) {
        for (; n < max && c->at < c->end; c->at++) rows[n++] = c->at->row;
        if (is_at_end(c)) WR_TRY(refill(m, c, err));
        if (m->retired_count >= RETIRED_MAX) break;
    }
    *count = n;
    return WR_OK;
}

wr_status wr_sort_merge_take(wr_sort_merge *m, uint8_t **rows, uint32_t max, uint32_t *count, wr_error *err) {
    free_retired(m);
    if (m->count == 1) return take_from_one(m, rows, max, count, err);
    uint32_t n = 0;
    while (n < max) {
        uint32_t winner = m->losers[0];
        wr_sort_cursor *c = &m->cursors[winner];
        if (is_at_end(c)) break;
        rows[n++] = c->at++->row;
        if (is_at_end(c)) WR_TRY(refill(m, c, err));
        set_key(m, winner);
        replay(m, winner);
        if (WR_UNLIKELY(m->retired_count >= RETIRED_MAX)) break;
    }
    *count = n;
    return WR_OK;
}

size_t wr_sort_merge_bytes(wr_sort_run *const *runs, uint32_t count) {
    size_t bytes = 0, largest = 0;
    for (uint32_t i = 0; i < count; i++) {
        bytes += runs[i]->page_cost + 1024;
        if (runs[i]->page_cost > largest) largest = runs[i]->page_cost;
    }
    return bytes + RETIRED_MAX * largest;
}
