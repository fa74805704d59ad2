/* Partitions: groups on pages by the top bits of their hash.
 *
 * A table that is full moves its entries here, and so does whoever finds that grouping does not reduce. An entry moves
 * as bytes; the memory that its states own goes with it. Each partition writes to one page at a time, so a worker
 * writes to as many places as there are partitions, which caches and the second-level TLB hold.
 *
 * Pages go to disk as they are. States with memory of their own are written first: their bytes go to the page's heap,
 * one run a row [u32 size, bytes]…, and the first such state holds, in its first four bytes, how far from the end of
 * the page the run starts (which does not change when the gap inside a page is closed). */
#include "exec/aggregate_internal.h"

void wr_agg_partitions_init(wr_agg_partitions *p, const wr_agg_plan *plan, wr_agg_states *states, uint32_t bits,
                            uint32_t used_bits) {
    *p = (wr_agg_partitions){.plan = plan, .states = states, .bits = bits, .used_bits = used_bits};
}

static uint32_t partition_count(const wr_agg_partitions *p) {
    return 1u << p->bits;
}

static uint8_t *page_entries(const wr_agg_plan *plan, const wr_row_page *page) {
    return wr_row_at(page, 0) + plan->layout.tail_offset;
}

/* The count of a page that is being written is that of its cursor. */
static void settle(wr_agg_partition *part) {
    wr_row_page *page = part->rows.last;
    if (!part->cursor) return;
    uint32_t count = (uint32_t)((size_t)(part->cursor - wr_row_at(page, 0)) / page->row_bytes);
    part->rows.row_count += count - page->row_count;
    page->row_count = count;
    part->cursor = part->end = NULL;
}

void wr_agg_partitions_deinit(wr_agg_partitions *p) {
    if (!p->items) return;
    const wr_agg_plan *plan = p->plan;
    for (uint32_t i = 0; i < partition_count(p); i++) {
        wr_agg_partition *part = &p->items[i];
        settle(part);
        for (wr_row_page *page = part->rows.first; page; page = page->next) {
            wr_agg_states_destroy(p->states, page_entries(plan, page), page->row_bytes, page->row_count);
        }
        wr_row_list_destroy(&part->rows, plan->allocator);
        wr_spilled_rows_deinit(&part->spilled, plan->exec->spill);
    }
    wr_free(plan->allocator, p->items, sizeof *p->items * partition_count(p));
    p->items = NULL;
}

static wr_status open_items(wr_agg_partitions *p, wr_error *err) {
    if (p->items) return WR_OK;
    size_t bytes = sizeof *p->items * partition_count(p);
    p->items = wr_alloc_zeroed(p->plan->allocator, bytes);
    return p->items ? WR_OK : wr_fail_memory(err, bytes, "the partitions of an aggregation");
}

/* Pages leave this much free, so that what spilling itself needs is there when it comes to that. */
enum { RESERVE_BYTES = 128 * 1024 };

static wr_status new_page(wr_agg_partitions *p, wr_agg_partition *part, size_t heap_bytes, wr_error *err) {
    wr_row_page *page;
    if (p->memory_bytes && wr_budget_available(p->plan->budget) < p->plan->page_bytes + heap_bytes + RESERVE_BYTES) {
        return wr_fail_memory(err, p->plan->page_bytes + heap_bytes, "a page of rows");
    }
    settle(part);
    WR_TRY(wr_row_page_create(&page, p->plan->allocator, &p->plan->layout, p->plan->page_bytes, heap_bytes, err));
    wr_row_list_push(&part->rows, page);
    p->memory_bytes += page->page_bytes;
    return WR_OK;
}

/* ---- moving entries in ---- */

/* Sizes that are known to the compiler are a few wide moves. */
WR_ALWAYS_INLINE void copy_entry(uint8_t *to, const uint8_t *from, uint32_t bytes) {
    switch (bytes) {
    case 8: memcpy(to, from, 8); break;
    case 16: memcpy(to, from, 16); break;
    case 24: memcpy(to, from, 24); break;
    case 32: memcpy(to, from, 32); break;
    case 40: memcpy(to, from, 40); break;
    case 48: memcpy(to, from, 48); break;
    case 64: memcpy(to, from, 64); break;
    default: memcpy(to, from, bytes);
    }
}

static wr_status move_words(wr_agg_partitions *p, wr_agg_table *t, const uint64_t *hashes, uint32_t count,
                            wr_error *err) {
    const uint32_t bytes = p->plan->entry_bytes, row_bytes = p->plan->layout.row_bytes;
    const uint8_t *entry = t->entries + (size_t)t->first * bytes;
    for (uint32_t i = 0; i < count; i++, entry += bytes) {
        wr_agg_partition *part = &p->items[wr_hash_radix(hashes[i], p->bits, p->used_bits)];
        if (WR_UNLIKELY(part->cursor == part->end)) {
            wr_status status = new_page(p, part, 0, err);
            if (status != WR_OK) {
                t->first += i;
                return status;
            }
            const wr_row_page *page = part->rows.last;
            uint32_t rows = (page->page_bytes - page->rows_offset) / row_bytes;
            part->cursor = wr_row_at(page, 0);
            part->end = part->cursor + (size_t)rows * row_bytes;
        }
        copy_entry(part->cursor, entry, bytes);
        part->cursor += row_bytes;
    }
    t->first += count;
    return WR_OK;
}

static wr_status move_row(wr_agg_partitions *p, const uint8_t *entry, uint64_t hash, wr_error *err) {
    const wr_agg_plan *plan = p->plan;
    wr_agg_partition *part = &p->items[wr_hash_radix(hash, p->bits, p->used_bits)];
    const uint8_t *key;
    uint32_t heap_bytes = 0;
    char *heap;
    memcpy(&key, entry, sizeof key);
    if (plan->layout.has_heap) WR_TRY(wr_row_heap_bytes(&plan->key_layout, key, &heap_bytes, err));
    uint8_t *row = part->rows.last ? wr_row_page_add(part->rows.last, heap_bytes, &heap) : NULL;
    if (!row) {
        WR_TRY(new_page(p, part, heap_bytes, err));
        row = wr_row_page_add(part->rows.last, heap_bytes, &heap);
    }
    part->rows.row_count++;
    memcpy(row, key, plan->key_layout.tail_offset);
    if (heap_bytes) wr_row_heap_copy(&plan->layout, row, heap);
    memcpy(row + plan->layout.tail_offset, entry, plan->entry_bytes);
    return WR_OK;
}

enum { FLUSH_CHUNK = 512 };

wr_status wr_agg_flush(wr_agg_partitions *p, wr_agg_table *t, wr_error *err) {
    const wr_agg_plan *plan = p->plan;
    uint64_t words[FLUSH_CHUNK], seconds[FLUSH_CHUNK], hashes[FLUSH_CHUNK];
    WR_TRY(open_items(p, err));
    while (t->first < t->count) {
        uint32_t n = t->count - t->first < FLUSH_CHUNK ? t->count - t->first : FLUSH_CHUNK;
        const uint8_t *entries = t->entries + (size_t)t->first * plan->entry_bytes;
        wr_agg_entry_hashes(plan, entries, plan->entry_bytes, n, words, seconds, hashes);
        if (plan->mode != WR_AGG_ROWS) {
            WR_TRY(move_words(p, t, hashes, n, err));
        } else {
            for (uint32_t i = 0; i < n; i++, t->first++) {
                WR_TRY(move_row(p, entries + (size_t)i * plan->entry_bytes, hashes[i], err));
            }
        }
    }
    wr_agg_table_reset(t);
    return WR_OK;
}

wr_status wr_agg_flush_tight(wr_agg_partitions *p, wr_agg_table *t, wr_error *err) {
    for (;;) {
        wr_status status = wr_agg_flush(p, t, err);
        /* Where not even a page fits there is nothing to be done. */
        if (status != WR_NO_MEMORY || !p->memory_bytes) return status;
        WR_TRY(wr_agg_spill(p, 0, err));
    }
}

size_t wr_agg_flush_need(const wr_agg_partitions *p, const wr_agg_table *t) {
    /* What is written, the rest of a page at each page's end, and a page begun in each partition. */
    size_t bytes = (size_t)t->count * p->plan->layout.row_bytes + t->rows.page_bytes;
    return bytes + bytes / 8 + ((size_t)p->plan->page_bytes << p->bits);
}

/* ---- states with memory of their own, to bytes and back ---- */

static bool is_owning(const wr_agg_call *call) {
    return call->ops->destroy != NULL;
}

static const wr_agg_call *first_owning(const wr_agg_plan *plan) {
    const wr_agg_call *call = plan->calls;
    while (!is_owning(call)) call++;
    return call;
}

static size_t run_bytes(const wr_agg_plan *plan, const uint8_t *entry) {
    size_t bytes = 0;
    for (uint32_t c = 0; c < plan->call_count; c++) {
        const wr_agg_call *call = &plan->calls[c];
        if (is_owning(call)) bytes += 4 + call->ops->write_bytes(entry + call->offset);
    }
    return bytes;
}

static void run_write(const wr_agg_plan *plan, const uint8_t *entry, uint8_t *run) {
    for (uint32_t c = 0; c < plan->call_count; c++) {
        const wr_agg_call *call = &plan->calls[c];
        if (!is_owning(call)) continue;
        uint32_t size = (uint32_t)call->ops->write_bytes(entry + call->offset);
        memcpy(run, &size, 4);
        call->ops->write(entry + call->offset, run + 4);
        run += 4 + size;
    }
}

/* A copy of row `row` with its states written to the heap, on the last page of the list. */
static wr_status freeze_row(const wr_agg_plan *plan, wr_row_list *list, const uint8_t *row, wr_error *err) {
    uint32_t text_bytes = 0;
    char *heap;
    if (plan->layout.has_heap) WR_TRY(wr_row_heap_bytes(&plan->layout, row, &text_bytes, err));
    size_t heap_bytes = text_bytes + run_bytes(plan, row + plan->layout.tail_offset);
    if (heap_bytes > UINT32_MAX / 4) {
        return wr_fail(err, WR_LIMIT, "the state of one group takes %zu bytes and cannot be spilled", heap_bytes);
    }
    uint8_t *copy = list->last ? wr_row_page_add(list->last, heap_bytes, &heap) : NULL;
    if (!copy) {
        wr_row_page *page;
        WR_TRY(wr_row_page_create(&page, plan->allocator, &plan->layout, plan->page_bytes, heap_bytes, err));
        wr_row_list_push(list, page);
        copy = wr_row_page_add(page, heap_bytes, &heap);
    }
    list->row_count++;
    memcpy(copy, row, plan->layout.row_bytes);
    if (text_bytes) wr_row_heap_copy(&plan->layout, copy, heap);
    uint8_t *run = (uint8_t *)heap + text_bytes;
    uint32_t from_end = (uint32_t)((uint8_t *)list->last + list->last->page_bytes - run);
    run_write(plan, row + plan->layout.tail_offset, run);
    memcpy(copy + plan->layout.tail_offset + first_owning(plan)->offset, &from_end, 4);
    return WR_OK;
}

/* Reads the states of a page that was loaded. On failure those that were not read are fresh. */
static wr_status thaw_page(wr_agg_partitions *p, wr_row_page *page, wr_error *err) {
    const wr_agg_plan *plan = p->plan;
    uint32_t at = first_owning(plan)->offset;
    wr_status status = WR_OK;
    for (uint32_t i = 0; i < page->row_count; i++) {
        uint8_t *entry = wr_row_at(page, i) + plan->layout.tail_offset;
        uint32_t from_end, size;
        memcpy(&from_end, entry + at, 4);
        const uint8_t *run = (const uint8_t *)page + page->page_bytes - from_end;
        for (uint32_t c = 0; c < plan->call_count; c++) {
            const wr_agg_call *call = &plan->calls[c];
            if (!is_owning(call)) continue;
            wr_aggregate_context *context = &p->states->contexts[c];
            context->err = err;
            memcpy(&size, run, 4);
            if (status == WR_OK) status = call->ops->read(context, entry + call->offset, run + 4, size);
            if (status != WR_OK) call->ops->init(context, entry + call->offset, page->row_bytes, 1);
            run += 4 + size;
        }
    }
    return status;
}

/* ---- to disk and back ---- */

static void drop_first_page(wr_agg_partitions *p, wr_agg_partition *part, bool with_page) {
    wr_row_page *page = part->rows.first;
    part->rows.first = page->next;
    if (!page->next) part->rows.last = NULL;
    part->rows.row_count -= page->row_count;
    part->rows.page_bytes -= page->page_bytes;
    p->memory_bytes -= page->page_bytes;
    page->next = NULL;
    if (with_page) wr_row_page_destroy(page, p->plan->allocator);
}

static wr_status spill_frozen(wr_agg_partitions *p, wr_agg_partition *part, wr_error *err) {
    const wr_agg_plan *plan = p->plan;
    while (part->rows.first) {
        wr_row_page *page = part->rows.first;
        wr_row_list frozen = {0};
        wr_status status = WR_OK;
        for (uint32_t i = 0; i < page->row_count && status == WR_OK; i++) {
            status = freeze_row(plan, &frozen, wr_row_at(page, i), err);
        }
        /* All of a page or nothing: once a frozen page is on disk, its rows are no longer these. */
        wr_spilled_rows spilled = {0};
        if (status == WR_OK) status = wr_spill_rows(plan->exec->spill, &frozen, plan->allocator, &spilled, err);
        if (status == WR_OK) {
            status = wr_grow(plan->allocator, (void **)&part->spilled.slots, &part->spilled.capacity,
                             part->spilled.count, spilled.count, sizeof *spilled.slots, err);
            part->spilled.allocator = plan->allocator;
        }
        if (status == WR_OK) {
            memcpy(part->spilled.slots + part->spilled.count, spilled.slots, sizeof *spilled.slots * spilled.count);
            part->spilled.count += spilled.count;
            part->spilled.row_count += spilled.row_count;
            part->spilled.page_bytes += spilled.page_bytes;
            spilled.count = 0;
            wr_agg_states_destroy(p->states, page_entries(plan, page), page->row_bytes, page->row_count);
            drop_first_page(p, part, true);
        }
        wr_row_list_destroy(&frozen, plan->allocator);
        wr_spilled_rows_deinit(&spilled, plan->exec->spill);
        WR_TRY(status);
    }
    return WR_OK;
}

static wr_status spill_partition(wr_agg_partitions *p, wr_agg_partition *part, wr_error *err) {
    const wr_agg_plan *plan = p->plan;
    settle(part);
    uint64_t before = part->spilled.page_bytes, in_memory = part->rows.page_bytes;
    wr_status status;
    if (plan->owns) {
        status = spill_frozen(p, part, err);
    } else {
        status = wr_spill_rows(plan->exec->spill, &part->rows, plan->allocator, &part->spilled, err);
        p->memory_bytes -= in_memory - part->rows.page_bytes;
    }
    p->spilled_bytes += part->spilled.page_bytes - before;
    return status;
}

wr_status wr_agg_spill(wr_agg_partitions *p, uint64_t keep_bytes, wr_error *err) {
    while (p->items && p->memory_bytes > keep_bytes) {
        wr_agg_partition *largest = p->items;
        for (uint32_t i = 1; i < partition_count(p); i++) {
            if (p->items[i].rows.page_bytes > largest->rows.page_bytes) largest = &p->items[i];
        }
        WR_TRY(spill_partition(p, largest, err));
    }
    return WR_OK;
}

wr_status wr_agg_next_page(wr_agg_partitions *p, uint32_t index, uint32_t *cursor, wr_row_page **out, wr_error *err) {
    const wr_agg_plan *plan = p->plan;
    *out = NULL;
    if (!p->items) return WR_OK;
    wr_agg_partition *part = &p->items[index];
    settle(part);
    if (part->rows.first) {
        *out = part->rows.first;
        drop_first_page(p, part, false);
        return WR_OK;
    }
    if (*cursor == part->spilled.count) return WR_OK;
    WR_TRY(wr_unspill_page(plan->exec->spill, &part->spilled, *cursor, &plan->layout, plan->allocator, out, err));
    ++*cursor;
    if (!plan->owns) return WR_OK;
    wr_status status = thaw_page(p, *out, err);
    if (status != WR_OK) {
        wr_agg_states_destroy(p->states, page_entries(plan, *out), (*out)->row_bytes, (*out)->row_count);
        wr_row_page_destroy(*out, plan->allocator);
        *out = NULL;
    }
    return status;
}
