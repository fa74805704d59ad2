/* Rows as they come in, in row pages.
 *
 * Pages grow from small to large, so that a sort of a few rows takes little and a sort of many lies in huge pages: rows are
 * read at random when they come out. Nothing else is kept of a row; but for each one room is held in the budget for what
 * sorting it takes, so a store that was marked can sort itself and go to disk without asking. */
#include "exec/sort_internal.h"

enum { SORT_BYTES = 2 * sizeof(wr_sort_entry) }; /* of a row: an entry, and one of scratch memory */

wr_status wr_sort_store_create(wr_sort *sort, wr_sort_store **out, wr_error *err) {
    wr_sort_store *store = *out = wr_alloc_zeroed(sort->allocator, sizeof *store);
    if (!store) return wr_fail_memory(err, sizeof *store, "sort");
    store->page_bytes = WR_ROW_PAGE_MIN;
    store->columns = wr_alloc(sort->allocator, sizeof *store->columns * sort->layout.column_count);
    if (!store->columns) {
        wr_free(sort->allocator, store, sizeof *store);
        *out = NULL;
        return wr_fail_memory(err, sizeof *store->columns * sort->layout.column_count, "sort");
    }
    wr_mutex_lock(&sort->lock);
    store->number = sort->store_count++;
    wr_mutex_unlock(&sort->lock);
    store->rising = store->falling = true;
    return WR_OK;
}

void wr_sort_store_publish(wr_sort *sort, wr_sort_store *store) {
    uint64_t bytes = store->rows.page_bytes + store->granted_bytes;
    sort->held_bytes += bytes - store->held_bytes;
    store->held_bytes = bytes;
    wr_budget_set_spillable(sort->budget, sort->held_bytes);
}

void wr_sort_store_clear(wr_sort *sort, wr_sort_store *store) {
    wr_row_list_destroy(&store->rows, sort->allocator);
    store->page_count = 0;
    store->class_rows[WR_SORT_VALUES] = store->class_rows[WR_SORT_NULLS] = 0;
    store->rising = store->falling = true;
    if (store->granted_bytes) wr_budget_settle(sort->budget, store->granted_bytes);
    store->granted_bytes = 0;
    wr_sort_store_publish(sort, store);
}

void wr_sort_store_destroy(wr_sort *sort, wr_sort_store *store) {
    if (!store) return;
    wr_sort_store_clear(sort, store);
    wr_free(sort->allocator, store->columns, sizeof *store->columns * sort->layout.column_count);
    wr_free(sort->allocator, store, sizeof *store);
}

/* ---- room ---- */

size_t wr_sort_store_needs(const wr_sort *sort, const wr_sort_store *store, const wr_vector *columns,
                           const uint32_t *rows, uint32_t count) {
    const wr_row_layout *layout = &sort->layout;
    const wr_row_page *page = store->rows.last;
    size_t room = 0, bytes = (size_t)layout->row_bytes * count;
    if (page)
        room = page->page_bytes - page->rows_offset - (size_t)page->row_count * page->row_bytes - page->heap_bytes;
    if (layout->has_heap) {
        wr_row_layout input = *layout;
        input.column_count--;
        bytes = wr_row_append_bytes(&input, 0, columns, rows, count);
    }
    if (bytes <= room) return 0;
    bytes += bytes / 4 + 2 * (size_t)store->page_bytes;
    return bytes + (bytes / layout->row_bytes + 1) * SORT_BYTES;
}

/* ---- adding ---- */

static int compare_entries(const wr_sort_order *order, const wr_sort_entry *a, const wr_sort_entry *b) {
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    return wr_sort_compare_tied(order, a->key, a->row, b->row);
}

/* Looks only as long as there is an order to be lost. */
static void watch_order(const wr_sort *sort, wr_sort_store *store, uint8_t *const *rows, uint32_t count,
                        uint32_t null_count) {
    wr_sort_entry e[WR_SORT_SLICE];
    bool nulls = null_count > 0;
    if ((nulls && null_count < count) || store->class_rows[!nulls]) {
        store->rising = store->falling = false;
        return;
    }
    const wr_sort_order *order = &sort->orders[nulls];
    bool has_last = store->class_rows[nulls] > 0;
    for (uint32_t i = 0; i < count; i++) e[i].row = rows[i];
    wr_sort_load(order, (wr_sort_place){0, 0}, e, count);
    for (uint32_t i = has_last ? 0 : 1; i < count && (store->rising || store->falling); i++) {
        int turn = compare_entries(order, i ? &e[i - 1] : &store->last, &e[i]);
        store->rising &= turn <= 0;
        store->falling &= turn > 0;
    }
    store->last = e[count - 1];
}

static uint32_t count_nulls(const wr_sort *sort, uint8_t *const *rows, uint32_t count) {
    uint32_t nulls = 0;
    if (sort->key_count == 0) return 0;
    for (uint32_t i = 0; i < count; i++) nulls += !wr_row_is_valid(rows[i], sort->keys[0].column);
    return nulls;
}

/* The number of the morsel; one lock a morsel. */
static wr_status note_morsel(wr_sort *sort, wr_sort_store *store, wr_ordinal ordinal, wr_error *err) {
    if (store->has_morsel && store->morsel_index == ordinal.morsel && store->morsel_source == ordinal.source)
        return WR_OK;
    wr_mutex_lock(&sort->lock);
    wr_status status = wr_grow(sort->allocator, (void **)&sort->morsels, &sort->morsel_capacity, sort->morsel_count, 1,
                               sizeof *sort->morsels, err);
    if (status == WR_OK) {
        store->morsel_number = sort->morsel_count++;
        sort->morsels[store->morsel_number] = (wr_sort_morsel){.index = ordinal.morsel, .source = ordinal.source};
    }
    wr_mutex_unlock(&sort->lock);
    if (status != WR_OK) return status;
    store->has_morsel = true;
    store->morsel_index = ordinal.morsel;
    store->morsel_source = ordinal.source;
    return WR_OK;
}

static bool comes_before(const wr_sort_morsel *a, const wr_sort_morsel *b) {
    return a->source != b->source ? a->source < b->source : a->index < b->index;
}

/* Merges pieces of `width` numbers, each in order, to pieces of twice as many. */
static void merge_numbers(const wr_sort_morsel *morsels, const uint32_t *from, uint32_t *to, uint32_t count,
                          uint64_t width) {
    for (uint64_t first = 0; first < count; first += 2 * width) {
        uint64_t middle = first + width < count ? first + width : count,
                 end = first + 2 * width < count ? first + 2 * width : count;
        for (uint64_t a = first, b = middle, at = first; at < end; at++) {
            bool take_a = b == end || (a < middle && !comes_before(&morsels[from[b]], &morsels[from[a]]));
            to[at] = from[take_a ? a++ : b++];
        }
    }
}

wr_status wr_sort_rank_morsels(wr_sort *sort, wr_error *err) {
    uint32_t count = sort->morsel_count;
    size_t bytes = sizeof(uint32_t) * 2 * ((size_t)count + 1);
    uint32_t *numbers = wr_alloc(sort->allocator, bytes);
    if (!numbers) return wr_fail_memory(err, bytes, "sort");
    uint32_t *from = numbers, *to = numbers + count;
    for (uint32_t i = 0; i < count; i++) from[i] = i;
    for (uint64_t width = 1; width < count; width *= 2) {
        merge_numbers(sort->morsels, from, to, count, width);
        uint32_t *other = from;
        from = to;
        to = other;
    }
    for (uint32_t i = 0; i < count; i++) sort->morsels[from[i]].rank = i;
    wr_free(sort->allocator, numbers, bytes);
    return WR_OK;
}

static wr_status add_rows(wr_sort *sort, wr_sort_store *store, const wr_vector *columns, wr_ordinal ordinal,
                          const uint32_t *rows, uint32_t count, wr_error *err) {
    uint8_t *addresses[WR_SORT_SLICE];
    WR_TRY(note_morsel(sort, store, ordinal, err));
    if (sort->column_count) memcpy(store->columns, columns, sizeof *columns * sort->column_count);
    store->columns[sort->column_count] = (wr_vector){
        .type = wr_type_of(WR_TYPE_UINTEGER), .kind = WR_CONSTANT, .phys = WR_PHYS_U32, .data = &store->morsel_number};
    wr_row_page *last = store->rows.last;
    WR_TRY(wr_row_append(&store->rows, sort->allocator, &sort->layout, store->page_bytes, store->columns, rows, count,
                         addresses, err));
    for (const wr_row_page *page = last ? last->next : store->rows.first; page; page = page->next) store->page_count++;
    if (store->rows.last != last && store->page_bytes < sort->page_bytes_max) store->page_bytes *= 2;
    uint32_t nulls = count_nulls(sort, addresses, count);
    if (store->rising || store->falling) watch_order(sort, store, addresses, count, nulls);
    store->class_rows[WR_SORT_NULLS] += nulls;
    store->class_rows[WR_SORT_VALUES] += count - nulls;
    return WR_OK;
}

wr_status wr_sort_store_add(wr_sort *sort, wr_sort_store *store, const wr_vector *columns, wr_ordinal ordinal,
                            const uint32_t *rows, uint32_t count, size_t granted_bytes, wr_error *err) {
    uint64_t before = store->rows.page_bytes;
    wr_status status = add_rows(sort, store, columns, ordinal, rows, count, err);
    if (!granted_bytes) return status;
    uint64_t held = ((store->rows.page_bytes - before) / sort->layout.row_bytes + 1) * SORT_BYTES;
    if (held > granted_bytes) held = granted_bytes;
    store->granted_bytes += held;
    wr_budget_settle(sort->budget, granted_bytes - held);
    wr_sort_store_publish(sort, store);
    return status;
}
