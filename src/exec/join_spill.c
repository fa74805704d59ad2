/* Partitions of both sides, in memory and on disk.
 *
 * A join begins without partitions. When memory runs short its chunks are written to pages by partition of the hash, some
 * of which go to disk at once; from then on the build side comes in that way. A partition that is out stays out: the
 * probe side's rows of it are written as well, and joined when all others are done. Hashes of partitions use the upper
 * bits, four a level, so that a partition can be cut again. */
#include "exec/join_internal.h"

static const wr_join_kept *kept_of(const wr_join *join, uint32_t side) {
    return side == WR_JOIN_BUILD ? &join->store : &join->spool;
}

uint32_t wr_join_partition(const wr_join *join, uint64_t hash, uint32_t level) {
    return join->one_partition ? 0 : wr_hash_radix(hash, WR_PARTITION_BITS, level * WR_PARTITION_BITS);
}

wr_status wr_join_spill_init(wr_join *join, wr_error *err) {
    wr_type types[2];
    types[0] = types[1] = wr_type_of(WR_TYPE_UBIGINT);
    for (uint32_t side = 0; side < 2; side++) {
        const wr_join_kept *kept = kept_of(join, side);
        uint32_t count = join->keys.word_count + kept->count;
        wr_type *all = wr_alloc(join->allocator, sizeof(wr_type) * (count + 1));
        if (!all) return wr_fail_memory(err, sizeof(wr_type) * count, "hash join");
        memcpy(all, types, sizeof(wr_type) * join->keys.word_count);
        if (kept->count) memcpy(all + join->keys.word_count, kept->types, sizeof(wr_type) * kept->count);
        wr_status status = wr_row_layout_init(&join->spill.layouts[side], join->allocator, all, count, 0, 1, err);
        wr_free(join->allocator, all, sizeof(wr_type) * (count + 1));
        WR_TRY(status);
    }
    return WR_OK;
}

static void drop_rows(wr_join_rows *rows, const wr_join *join) {
    wr_row_list_destroy(&rows->pages, join->allocator);
    wr_spilled_rows_deinit(&rows->disk, join->exec->spill);
}

static void destroy_part(wr_join_part *part, const wr_join *join) {
    if (!part) return;
    for (uint32_t p = 0; p < WR_PARTITIONS; p++) drop_rows(&part->rows[p], join);
    wr_free(join->allocator, part, sizeof *part);
}

void wr_join_parts_destroy(wr_join_part **parts, const wr_join *join) {
    while (*parts) {
        wr_join_part *part = *parts;
        *parts = part->next;
        destroy_part(part, join);
    }
}

void wr_join_spill_deinit(wr_join *join) {
    for (uint32_t p = 0; p < WR_PARTITIONS; p++) wr_row_list_destroy(&join->spill.resident[p], join->allocator);
    for (uint32_t side = 0; side < 2; side++) {
        wr_join_parts_destroy(&join->spill.parts[side], join);
        wr_row_layout_deinit(&join->spill.layouts[side]);
    }
}

/* ---- writing ---- */

wr_status wr_join_writer_init(wr_join_writer *w, wr_join *join, wr_join_side side, uint32_t level, bool all_out,
                              wr_error *err) {
    *w = (wr_join_writer){.join = join, .side = (uint8_t)side, .level = level, .all_out = all_out};
    wr_allocator *a = join->allocator;
    uint32_t count = join->spill.layouts[side].column_count + 1;
    w->part = wr_alloc_zeroed(a, sizeof *w->part);
    w->columns = wr_alloc_zeroed(a, sizeof(wr_vector) * count);
    w->gathered = wr_alloc_zeroed(a, sizeof(wr_vector) * count);
    if (w->part && w->columns && w->gathered) return WR_OK;
    return wr_fail_memory(err, sizeof(wr_vector) * count, "spilling a join");
}

static void drop_arrays(wr_join_writer *w) {
    wr_allocator *a = w->join->allocator;
    size_t n = w->capacity;
    wr_free(a, w->positions, sizeof(uint16_t) * n);
    wr_free(a, w->order, sizeof(uint32_t) * n);
    wr_free(a, w->words[0], sizeof(uint64_t) * n);
    wr_free(a, w->words[1], sizeof(uint64_t) * n);
    wr_free(a, w->hashes, sizeof(uint64_t) * n);
    wr_free(a, w->valid, wr_padded_bitmap_bytes(n));
    wr_free(a, w->partitions, n);
    w->positions = NULL;
    w->order = NULL;
    w->words[0] = w->words[1] = w->hashes = w->valid = NULL;
    w->partitions = NULL;
    w->capacity = 0;
}

static wr_status reserve(wr_join_writer *w, uint32_t count, wr_error *err) {
    if (count + 64 <= w->capacity) return WR_OK;
    drop_arrays(w);
    wr_allocator *a = w->join->allocator;
    w->capacity = (count + 127) & ~63u;
    size_t n = w->capacity;
    w->positions = wr_alloc(a, sizeof(uint16_t) * n);
    w->order = wr_alloc(a, sizeof(uint32_t) * n);
    w->words[0] = wr_alloc(a, sizeof(uint64_t) * n);
    w->words[1] = wr_alloc(a, sizeof(uint64_t) * n);
    w->hashes = wr_alloc(a, sizeof(uint64_t) * n);
    w->valid = wr_alloc(a, wr_padded_bitmap_bytes(n));
    w->partitions = wr_alloc(a, n);
    bool all = w->positions && w->order && w->words[0] && w->words[1] && w->hashes && w->valid && w->partitions;
    return all ? WR_OK : wr_fail_memory(err, sizeof(uint64_t) * n, "spilling a join");
}

void wr_join_writer_deinit(wr_join_writer *w) {
    if (!w->join) return;
    wr_allocator *a = w->join->allocator;
    uint32_t count = w->join->spill.layouts[w->side].column_count + 1;
    for (uint32_t c = 0; w->gathered && c < count; c++) wr_vector_deinit(&w->gathered[c]);
    wr_free(a, w->columns, sizeof(wr_vector) * count);
    wr_free(a, w->gathered, sizeof(wr_vector) * count);
    drop_arrays(w);
    destroy_part(w->part, w->join);
    *w = (wr_join_writer){0};
}

wr_join_part *wr_join_writer_take(wr_join_writer *w) {
    wr_join_part *part = w->part;
    w->part = NULL;
    return part;
}

size_t wr_join_writer_bytes(const wr_join *join, wr_join_side side, uint32_t row_count) {
    uint32_t partitions = join->one_partition ? 1 : WR_PARTITIONS;
    size_t rows = (size_t)row_count * join->spill.layouts[side].row_bytes;
    return rows + (size_t)partitions * join->spill.page_bytes;
}

/* The rows that are taken, side by side in w->columns. */
static wr_status gather_rows(wr_join_writer *w, const wr_vector *const *columns, const uint16_t *rows,
                             const wr_keys *keys, const uint64_t *take, uint32_t *out_count, wr_error *err) {
    const wr_join *join = w->join;
    const wr_join_kept *kept = kept_of(join, w->side);
    uint32_t count = keys->count, words = join->keys.word_count;
    uint16_t *positions = take ? w->positions : NULL;
    if (take) count = join->kernels->bits->rows(take, keys->count, 0, positions);
    *out_count = count;
    const uint64_t *valid = keys->valid;
    if (valid && positions) {
        join->kernels->bits->gather(valid, positions, count, w->valid);
        valid = w->valid;
    }
    for (uint32_t k = 0; k < words; k++) {
        const uint64_t *from = keys->words[k];
        if (positions) {
            join->kernels->select->gather16[3](from, positions, count, w->words[k]);
            from = w->words[k];
        }
        w->columns[k] = (wr_vector){.type = wr_type_of(WR_TYPE_UBIGINT),
                                    .kind = WR_FLAT,
                                    .phys = WR_PHYS_U64,
                                    .row_count = count,
                                    .validity = valid,
                                    .data = from};
    }
    if (positions && rows) {
        for (uint32_t i = 0; i < count; i++) positions[i] = rows[positions[i]];
    }
    const uint16_t *physical = positions ? positions : rows;
    for (uint32_t c = 0; c < kept->count; c++) {
        w->columns[words + c] = *columns[c]; /* borrowed */
        if (!physical) continue;
        WR_TRY(wr_vector_gather(&w->gathered[c], join->allocator, columns[c], physical, count, err));
        w->columns[words + c] = w->gathered[c];
    }
    return WR_OK;
}

/* Rows by partition in w->order; partition p is [first[p], first[p + 1]). */
static void order_rows(wr_join_writer *w, uint32_t count, uint32_t *first) {
    const wr_join *join = w->join;
    uint32_t counts[WR_PARTITIONS + 1] = {0};
    if (!join->one_partition) {
        const uint64_t *words[2] = {w->columns[0].data, join->keys.word_count == 2 ? w->columns[1].data : NULL};
        const uint64_t *valid = w->columns[0].validity;
        wr_words_hash(&join->keys, join->kernels, words, count, w->hashes);
        for (uint32_t i = 0; valid && i < count; i++) {
            if (!wr_bit_get(valid, i)) w->hashes[i] = WR_HASH_NULL;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        w->partitions[i] = join->one_partition ? 0 : (uint8_t)wr_join_partition(join, w->hashes[i], w->level);
        counts[w->partitions[i] + 1]++;
    }
    for (uint32_t p = 0; p < WR_PARTITIONS; p++) counts[p + 1] += counts[p];
    memcpy(first, counts, sizeof counts);
    for (uint32_t i = 0; i < count; i++) w->order[counts[w->partitions[i]]++] = i;
}

static bool is_out(const wr_join_writer *w, uint32_t partition) {
    return w->all_out || w->join->spill.out >> partition & 1;
}

/* Adds to *written what went to disk: pages go without the room that is left in them. */
static wr_status write_pages(wr_join *join, wr_row_list *pages, wr_spilled_rows *disk, uint64_t *written,
                             wr_error *err) {
    if (!pages->first) return WR_OK;
    uint64_t before = disk->page_bytes;
    wr_status status = wr_spill_rows(join->exec->spill, pages, join->allocator, disk, err);
    *written += disk->page_bytes - before;
    return status;
}

/* All pages but the last, which is not full. */
static void split_full(wr_row_list *list, wr_row_list *full) {
    *full = (wr_row_list){0};
    while (list->first != list->last) {
        wr_row_page *page = list->first;
        list->first = page->next;
        list->row_count -= page->row_count;
        list->page_bytes -= page->page_bytes;
        wr_row_list_push(full, page);
    }
}

void wr_join_tell_spillable(wr_join *join) {
    size_t bytes = join->chunk_bytes;
    for (uint32_t p = 0; p < WR_PARTITIONS; p++) bytes += join->spill.resident[p].page_bytes;
    wr_budget_set_spillable(join->budget, bytes);
}

static wr_status settle_pages(wr_join_writer *w, uint32_t partition, wr_error *err) {
    wr_join *join = w->join;
    wr_join_rows *rows = &w->part->rows[partition];
    wr_row_list full;
    split_full(&rows->pages, &full);
    if (!full.first) return WR_OK;
    if (is_out(w, partition)) {
        wr_status status = write_pages(join, &full, &rows->disk, &w->spilled_bytes, err);
        wr_row_list_destroy(&full, join->allocator); /* what an error left */
        return status;
    }
    wr_mutex_lock(&join->lock);
    wr_row_list_join(&join->spill.resident[partition], &full);
    wr_join_tell_spillable(join);
    wr_mutex_unlock(&join->lock);
    return WR_OK;
}

wr_status wr_join_writer_add(wr_join_writer *w, const wr_vector *const *columns, const uint16_t *rows,
                             const wr_keys *keys, const uint64_t *take, wr_error *err) {
    wr_join *join = w->join;
    const wr_row_layout *layout = &join->spill.layouts[w->side];
    uint32_t count, first[WR_PARTITIONS + 1];
    WR_TRY(reserve(w, keys->count, err));
    WR_TRY(gather_rows(w, columns, rows, keys, take, &count, err));
    order_rows(w, count, first);
    for (uint32_t p = 0; p < WR_PARTITIONS; p++) {
        if (first[p + 1] == first[p]) continue;
        WR_TRY(wr_row_append(&w->part->rows[p].pages, join->allocator, layout, join->spill.page_bytes, w->columns,
                             w->order + first[p], first[p + 1] - first[p], NULL, err));
        WR_TRY(settle_pages(w, p, err));
    }
    return WR_OK;
}

wr_status wr_join_writer_flush(wr_join_writer *w, wr_error *err) {
    for (uint32_t p = 0; p < WR_PARTITIONS; p++) {
        wr_join_rows *rows = &w->part->rows[p];
        if (!is_out(w, p)) continue;
        WR_TRY(write_pages(w->join, &rows->pages, &rows->disk, &w->spilled_bytes, err));
    }
    return WR_OK;
}

wr_status wr_join_write_chunk(wr_join_writer *w, wr_join_chunk *chunk, wr_error *err) {
    const wr_join *join = w->join;
    enum { STEP_ROWS = 2048 };
    wr_status status = WR_OK;
    wr_vector *parts = wr_alloc_zeroed(join->allocator, sizeof(wr_vector) * (join->store.count + 1));
    const wr_vector **columns = wr_alloc(join->allocator, sizeof(wr_vector *) * (join->store.count + 1));
    const uint64_t none[STEP_ROWS / 64] = {0};
    if (!parts || !columns) {
        status = wr_fail_memory(err, sizeof(wr_vector) * join->store.count, "spilling a join");
        goto cleanup;
    }
    WR_TRY_CLEANUP(reserve(w, STEP_ROWS, err));
    for (uint32_t first = 0; first < chunk->row_count; first += STEP_ROWS) {
        uint32_t count = chunk->row_count - first < STEP_ROWS ? chunk->row_count - first : STEP_ROWS;
        for (uint32_t c = 0; c < join->store.count; c++) {
            WR_TRY_CLEANUP(wr_vector_slice(&parts[c], join->allocator, &chunk->columns[c], first, count, err));
            columns[c] = &parts[c];
        }
        wr_keys keys = {.count = count};
        if (chunk->null_keys) keys = (wr_keys){.count = count, .null_count = count, .valid = none};
        for (uint32_t k = 0; k < join->keys.word_count; k++) {
            keys.words[k] = chunk->null_keys ? w->words[k] : chunk->words[k] + first;
        }
        WR_TRY_CLEANUP(wr_join_writer_add(w, columns, NULL, &keys, NULL, err));
    }
cleanup:
    for (uint32_t c = 0; parts && c < join->store.count; c++) wr_vector_deinit(&parts[c]);
    wr_free(join->allocator, parts, sizeof(wr_vector) * (join->store.count + 1));
    wr_free(join->allocator, columns, sizeof(wr_vector *) * (join->store.count + 1));
    wr_join_chunk_destroy(chunk, join);
    return status;
}

wr_status wr_join_evict(wr_join *join, uint64_t *bytes, wr_error *err) {
    wr_row_list taken = {0};
    uint32_t largest = 0;
    wr_join_part *part = wr_alloc_zeroed(join->allocator, sizeof *part);
    if (!part) return wr_fail_memory(err, sizeof *part, "spilling a join");
    wr_mutex_lock(&join->lock);
    for (uint32_t p = 1; p < WR_PARTITIONS; p++) {
        if (join->spill.resident[p].page_bytes > join->spill.resident[largest].page_bytes) largest = p;
    }
    *bytes = 0;
    if (join->spill.resident[largest].first) {
        join->spill.out |= 1u << largest;
        wr_row_list_join(&taken, &join->spill.resident[largest]);
        wr_join_tell_spillable(join);
    }
    wr_mutex_unlock(&join->lock);
    wr_status status = write_pages(join, &taken, &part->rows[largest].disk, bytes, err);
    wr_row_list_join(&part->rows[largest].pages, &taken);
    wr_join_add_part(join, WR_JOIN_BUILD, part);
    return status;
}

void wr_join_add_part(wr_join *join, wr_join_side side, wr_join_part *part) {
    wr_mutex_lock(&join->lock);
    part->next = join->spill.parts[side];
    join->spill.parts[side] = part;
    wr_mutex_unlock(&join->lock);
}

/* ---- reading ---- */

wr_status wr_join_reader_init(wr_join_reader *r, wr_join *join, wr_join_side side, wr_join_part *parts, uint32_t index,
                              bool keep, wr_error *err) {
    *r = (wr_join_reader){.join = join, .side = (uint8_t)side, .keep = keep, .index = index, .part = parts};
    uint32_t columns = side == WR_JOIN_BUILD ? join->build_column_count : join->probe_column_count;
    WR_TRY(wr_batch_init(&r->batch, join->allocator, columns, err));
    r->addresses = wr_alloc(join->allocator, sizeof(uint8_t *) * join->exec->batch_rows);
    if (!r->addresses) return wr_fail_memory(err, sizeof(uint8_t *) * join->exec->batch_rows, "reading a spilled join");
    if (parts) r->next_page = parts->rows[index].pages.first;
    return WR_OK;
}

static void leave_page(wr_join_reader *r) {
    if (r->page && r->page_owned) wr_row_page_destroy(r->page, r->join->allocator);
    r->page = NULL;
}

void wr_join_reader_deinit(wr_join_reader *r) {
    if (!r->join) return;
    leave_page(r);
    wr_batch_deinit(&r->batch);
    wr_vector_deinit(&r->words[0]);
    wr_vector_deinit(&r->words[1]);
    wr_free(r->join->allocator, r->addresses, sizeof(uint8_t *) * r->join->exec->batch_rows);
    *r = (wr_join_reader){0};
}

/* Takes the next page: those in memory first. False: there is none. */
static wr_status enter_page(wr_join_reader *r, bool *some, wr_error *err) {
    wr_join *join = r->join;
    leave_page(r);
    r->row = 0;
    *some = true;
    while (r->part) {
        wr_join_rows *rows = &r->part->rows[r->index];
        if (r->keep && r->next_page) {
            r->page = r->next_page;
            r->next_page = r->page->next;
            r->page_owned = false;
            return WR_OK;
        }
        r->page_owned = true;
        if (!r->keep && rows->pages.first) {
            wr_row_page *page = r->page = rows->pages.first;
            rows->pages.first = page->next;
            rows->pages.page_bytes -= page->page_bytes;
            rows->pages.row_count -= page->row_count;
            if (!page->next) rows->pages.last = NULL;
            return WR_OK;
        }
        if (r->slot < rows->disk.count) {
            wr_spill *spill = join->exec->spill;
            const wr_row_layout *layout = &join->spill.layouts[r->side];
            uint32_t slot = r->slot++;
            return r->keep ? wr_spill_read_page(spill, &rows->disk, slot, layout, join->allocator, &r->page, err)
                           : wr_unspill_page(spill, &rows->disk, slot, layout, join->allocator, &r->page, err);
        }
        r->part = r->part->next;
        r->slot = 0;
        r->next_page = r->part ? r->part->rows[r->index].pages.first : NULL;
    }
    *some = false;
    return WR_OK;
}

static wr_status gather_batch(wr_join_reader *r, uint32_t count, wr_error *err) {
    wr_join *join = r->join;
    const wr_row_layout *layout = &join->spill.layouts[r->side];
    const wr_join_kept *kept = kept_of(join, r->side);
    uint32_t words = join->keys.word_count;
    r->keys = (wr_keys){.count = count};
    for (uint32_t k = 0; k < words; k++) {
        WR_TRY(wr_row_gather(&r->words[k], join->allocator, layout, k, r->addresses, count, false, err));
        r->keys.words[k] = r->words[k].data;
    }
    if (words && r->words[0].validity) {
        uint32_t there = join->kernels->bits->count(r->words[0].validity, count);
        r->keys.null_count = count - there;
        r->keys.valid = r->keys.null_count ? r->words[0].validity : NULL;
    }
    for (uint32_t c = 0; c < kept->count; c++) {
        WR_TRY(wr_row_gather(&r->batch.columns[kept->positions[c]], join->allocator, layout, words + c, r->addresses,
                             count, true, err));
    }
    wr_batch_set_rows(&r->batch, count);
    return WR_OK;
}

wr_status wr_join_reader_next(wr_join_reader *r, bool *more, wr_error *err) {
    *more = true;
    while (!r->page || r->row == r->page->row_count) {
        WR_TRY(enter_page(r, more, err));
        if (!*more) return WR_OK;
    }
    uint32_t left = r->page->row_count - r->row, batch_rows = r->join->exec->batch_rows;
    uint32_t count = left < batch_rows ? left : batch_rows;
    for (uint32_t i = 0; i < count; i++) r->addresses[i] = wr_row_at(r->page, r->row + i);
    r->row += count;
    return gather_batch(r, count, err);
}
