/* Rows as they come in: in row pages, with an entry for each in the list of its class.
 *
 * Pages and chunks of entries grow from small to large, so that a sort of a few rows takes little and a sort of many lies
 * in huge pages: rows are read at random when they come out. For each byte of entries another one is held in the budget,
 * for the array that they are sorted into; so a store that was marked can sort itself and go to disk without asking. */
#include "exec/sort_internal.h"

enum { CHUNK_ENTRIES_MIN = 256, CHUNK_GROWTH = 4 };

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
    for (unsigned c = 0; c < WR_SORT_CLASSES; c++) store->lists[c].rising = store->lists[c].falling = true;
    return WR_OK;
}

void wr_sort_list_deinit(wr_sort_list *list, wr_allocator *a) {
    for (uint32_t i = 0; i < list->chunk_count; i++) {
        wr_free(a, list->chunks[i].entries, sizeof(wr_sort_entry) * list->chunks[i].capacity);
    }
    wr_free(a, list->chunks, sizeof(wr_sort_chunk) * list->chunk_capacity);
    *list = (wr_sort_list){.rising = true, .falling = true};
}

void wr_sort_store_publish(wr_sort *sort, wr_sort_store *store) {
    uint64_t bytes = store->rows.page_bytes + store->granted_bytes;
    for (unsigned c = 0; c < WR_SORT_CLASSES; c++) {
        const wr_sort_list *list = &store->lists[c];
        if (list->chunk_count == 0) continue;
        uint64_t full = (uint64_t)(list->chunk_count - 1) << sort->chunk_shift;
        bytes += sizeof(wr_sort_entry) * (full + list->chunks[list->chunk_count - 1].capacity);
    }
    sort->held_bytes += bytes - store->held_bytes;
    store->held_bytes = bytes;
    wr_budget_set_spillable(sort->budget, sort->held_bytes);
}

void wr_sort_store_clear(wr_sort *sort, wr_sort_store *store) {
    wr_row_list_destroy(&store->rows, sort->allocator);
    for (unsigned c = 0; c < WR_SORT_CLASSES; c++) wr_sort_list_deinit(&store->lists[c], sort->allocator);
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

static uint64_t list_room(const wr_sort_list *list) {
    if (list->chunk_count == 0) return 0;
    const wr_sort_chunk *last = &list->chunks[list->chunk_count - 1];
    return last->capacity - last->count;
}

/* What a chunk of this capacity grows to; the same when it is full size. */
static uint64_t larger_chunk(const wr_sort *sort, uint64_t capacity) {
    uint64_t full = UINT64_C(1) << sort->chunk_shift, larger = capacity ? capacity * CHUNK_GROWTH : CHUNK_ENTRIES_MIN;
    return larger < full ? larger : full;
}

/* Bytes that `count` more entries, no more than a full chunk has, add at most. */
static size_t list_needs(const wr_sort *sort, const wr_sort_list *list, uint32_t count) {
    if (list_room(list) >= count) return 0;
    uint64_t full = UINT64_C(1) << sort->chunk_shift, capacity = full;
    if (list->chunk_count <= 1) {
        uint64_t used = list->chunk_count ? list->chunks[0].count : 0;
        capacity = larger_chunk(sort, list->chunk_count ? list->chunks[0].capacity : 0);
        while (capacity < full && capacity - used < count) capacity = larger_chunk(sort, capacity);
    }
    return sizeof(wr_sort_entry) * (capacity < full ? capacity : 2 * full);
}

size_t wr_sort_store_needs(const wr_sort *sort, const wr_sort_store *store, const wr_vector *columns, const uint32_t *rows, uint32_t count) {
    const wr_row_layout *layout = &sort->layout;
    const wr_row_page *page = store->rows.last;
    size_t room = 0, bytes = (size_t)layout->row_bytes * count;
    if (page) room = page->page_bytes - page->rows_offset - (size_t)page->row_count * page->row_bytes - page->heap_bytes;
    if (layout->has_heap) {
        wr_row_layout input = *layout;
        input.column_count--;
        bytes = wr_row_append_bytes(&input, 0, columns, rows, count);
    }
    size_t needs = bytes <= room ? 0 : bytes + bytes / 4 + 2 * (size_t)store->page_bytes;
    for (unsigned c = 0; c < WR_SORT_CLASSES; c++) needs += 2 * list_needs(sort, &store->lists[c], count);
    return needs;
}

/* ---- adding ---- */

static wr_status list_grow(wr_sort *sort, wr_sort_list *list, wr_error *err) {
    wr_allocator *a = sort->allocator;
    uint64_t full = UINT64_C(1) << sort->chunk_shift;
    wr_sort_chunk *last = list->chunk_count ? &list->chunks[list->chunk_count - 1] : NULL;
    if (!last || last->capacity == full) {
        WR_TRY(wr_grow(a, (void **)&list->chunks, &list->chunk_capacity, list->chunk_count, 1, sizeof *list->chunks, err));
        last = &list->chunks[list->chunk_count++];
        *last = (wr_sort_chunk){0};
    }
    /* The first chunk grows, later ones are made whole. */
    uint64_t capacity = list->chunk_count > 1 ? full : larger_chunk(sort, last->capacity);
    size_t bytes = sizeof(wr_sort_entry) * capacity;
    wr_sort_entry *moved = last->entries ? wr_resize(a, last->entries, sizeof(wr_sort_entry) * last->capacity, bytes) : wr_alloc(a, bytes);
    if (!moved) return wr_fail_memory(err, bytes, "sort");
    last->entries = moved;
    last->capacity = capacity;
    return WR_OK;
}

static int compare_entries(const wr_sort_order *order, const wr_sort_entry *a, const wr_sort_entry *b) {
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    return wr_sort_compare_tied(order, a->key, a->row, b->row);
}

/* Looks only as long as there is an order to be lost. */
static void watch_order(const wr_sort_order *order, wr_sort_list *list, const wr_sort_entry *e, size_t count) {
    wr_sort_entry before = list->count ? list->last : e[0];
    for (size_t i = list->count ? 0 : 1; i < count && (list->rising || list->falling); i++) {
        int turn = compare_entries(order, &before, &e[i]);
        list->rising &= turn <= 0;
        list->falling &= turn > 0;
        before = e[i];
    }
    list->last = e[count - 1];
}

static wr_status list_add(wr_sort *sort, wr_sort_list *list, const wr_sort_order *order, uint8_t *const *rows, uint32_t count,
                          wr_error *err) {
    for (uint32_t done = 0; done < count;) {
        if (list_room(list) == 0) WR_TRY(list_grow(sort, list, err));
        wr_sort_chunk *chunk = &list->chunks[list->chunk_count - 1];
        wr_sort_entry *e = chunk->entries + chunk->count;
        uint64_t room = chunk->capacity - chunk->count;
        uint32_t part = count - done < room ? count - done : (uint32_t)room;
        for (uint32_t i = 0; i < part; i++) e[i].row = rows[done + i];
        wr_sort_load(order, (wr_sort_place){0, 0}, e, part);
        watch_order(order, list, e, part);
        chunk->count += part;
        list->count += part;
        done += part;
    }
    return WR_OK;
}

/* Moves the rows whose first key is NULL to `nulls`; returns how many are left. */
static uint32_t part_nulls(const wr_sort *sort, uint8_t **rows, uint32_t count, uint8_t **nulls, uint32_t *null_count) {
    uint32_t kept = 0, n = 0, column = sort->key_count ? sort->keys[0].column : 0;
    if (sort->key_count == 0) return count;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *row = rows[i];
        bool valid = wr_row_is_valid(row, column);
        rows[kept] = nulls[n] = row;
        kept += valid;
        n += !valid;
    }
    *null_count = n;
    return kept;
}

/* The number of the morsel; one lock a morsel. */
static wr_status note_morsel(wr_sort *sort, wr_sort_store *store, wr_ordinal ordinal, wr_error *err) {
    if (store->has_morsel && store->morsel_index == ordinal.morsel && store->morsel_source == ordinal.source) return WR_OK;
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
static void merge_numbers(const wr_sort_morsel *morsels, const uint32_t *from, uint32_t *to, uint32_t count, uint64_t width) {
    for (uint64_t first = 0; first < count; first += 2 * width) {
        uint64_t middle = first + width < count ? first + width : count, end = first + 2 * width < count ? first + 2 * width : count;
        for (uint64_t a = first, b = middle, at = first; at < end; at++) {
            bool take_a = b == end || (a < middle && !comes_before(&morsels[from[b]], &morsels[from[a]]));
            to[at] = from[take_a ? a++ : b++];
        }
    }
}

wr_status wr_sort_rank_morsels(wr_sort *sort, wr_error *err) {
    uint32_t count = sort->morsel_count;
    size_t bytes = sizeof(uint32_t) * 2 * ((size_t)count + 1);
    uint32_t *numbers = wr_alloc(sort->allocator, bytes), *from = numbers, *to = numbers + count;
    if (!numbers) return wr_fail_memory(err, bytes, "sort");
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

static wr_status add_rows(wr_sort *sort, wr_sort_store *store, const wr_vector *columns, wr_ordinal ordinal, const uint32_t *rows,
                          uint32_t count, wr_error *err) {
    uint8_t *addresses[WR_SORT_SLICE], *nulls[WR_SORT_SLICE];
    WR_TRY(note_morsel(sort, store, ordinal, err));
    if (sort->column_count) memcpy(store->columns, columns, sizeof *columns * sort->column_count);
        store->columns[sort->column_count] =
        (wr_vector){.type = wr_type_of(WR_TYPE_UINTEGER), .kind = WR_CONSTANT, .phys = WR_PHYS_U32, .data = &store->morsel_number};
    const wr_row_page *page = store->rows.last;
    WR_TRY(wr_row_append(&store->rows, sort->allocator, &sort->layout, store->page_bytes, store->columns, rows, count, addresses, err));
    if (store->rows.last != page && store->page_bytes < sort->page_bytes_max) store->page_bytes *= 2;
    uint32_t null_count = 0, kept = part_nulls(sort, addresses, count, nulls, &null_count);
    if (kept) WR_TRY(list_add(sort, &store->lists[WR_SORT_VALUES], &sort->orders[WR_SORT_VALUES], addresses, kept, err));
    if (!null_count) return WR_OK;
    return list_add(sort, &store->lists[WR_SORT_NULLS], &sort->orders[WR_SORT_NULLS], nulls, null_count, err);
}

static uint64_t entry_bytes(const wr_sort_store *store) {
    uint64_t capacity = 0;
    for (unsigned c = 0; c < WR_SORT_CLASSES; c++) {
        const wr_sort_list *list = &store->lists[c];
        for (uint32_t i = list->chunk_count; i-- > 0;) capacity += list->chunks[i].capacity;
    }
    return capacity * sizeof(wr_sort_entry);
}

wr_status wr_sort_store_add(wr_sort *sort, wr_sort_store *store, const wr_vector *columns, wr_ordinal ordinal, const uint32_t *rows,
                            uint32_t count, size_t granted_bytes, wr_error *err) {
    uint64_t before = granted_bytes ? entry_bytes(store) : 0;
    wr_status status = add_rows(sort, store, columns, ordinal, rows, count, err);
    if (!granted_bytes) return status;
    uint64_t held = entry_bytes(store) - before;
    if (held > granted_bytes) held = granted_bytes;
    store->granted_bytes += held;
    wr_budget_settle(sort->budget, granted_bytes - held);
    wr_sort_store_publish(sort, store);
    return status;
}
