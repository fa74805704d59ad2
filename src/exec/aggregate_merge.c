/* Merging partitions into tables of complete groups.
 *
 * A partition is read page by page, from memory or from disk, into one table. When the table may not grow (memory, or
 * its own limit), it is emptied into partitions by further bits of the hash, a level deeper, and reading goes on; in
 * the end the deeper partitions are merged one by one in the same way. So what must fit memory is one part of one
 * partition, and nothing is written twice that was not refused room. */
#include "exec/aggregate_internal.h"

enum { LEVEL_BITS = 4, LEVEL_BITS_END = 40, SPILL_MERGE_GROUPS = 64 };

wr_status wr_agg_merger_init(wr_agg_merger *m, const wr_agg_plan *plan, wr_error *err) {
    memset(m, 0, sizeof *m);
    m->plan = plan;
    wr_status status = wr_agg_states_init(&m->states, plan, err);
    if (status == WR_OK) status = wr_agg_keys_init(&m->keys, plan, err);
    if (status != WR_OK) {
        wr_agg_states_deinit(&m->states);
        m->plan = NULL;
        return status;
    }
    wr_agg_table_init(&m->table, plan, &m->states, WR_GROUPS_MAX);
    return WR_OK;
}

static uint8_t *page_entries(const wr_agg_plan *plan, const wr_row_page *page) {
    return wr_row_at(page, 0) + plan->layout.tail_offset;
}

static void drop_page(wr_agg_merger *m) {
    if (!m->page) return;
    wr_agg_states_destroy(&m->states, page_entries(m->plan, m->page), m->page->row_bytes, m->page->row_count);
    wr_row_page_destroy(m->page, m->plan->allocator);
    m->page = NULL;
}

void wr_agg_merger_deinit(wr_agg_merger *m) {
    if (!m->plan) return;
    wr_allocator *a = m->plan->allocator;
    drop_page(m);
    for (uint32_t i = 0; i < WR_AGG_LEVELS; i++) wr_agg_partitions_deinit(&m->levels[i].parts);
    wr_agg_table_deinit(&m->table);
    wr_agg_keys_deinit(&m->keys);
    wr_agg_states_deinit(&m->states);
    wr_free(a, m->groups, sizeof *m->groups * m->capacity);
    wr_free(a, m->missed, sizeof *m->missed * m->capacity);
    m->plan = NULL;
}

void wr_agg_merger_start(wr_agg_merger *m, wr_agg_partitions **inputs, uint32_t input_count, uint32_t index) {
    m->inputs = inputs;
    m->input_count = input_count;
    m->input = m->cursor = 0;
    m->index = index;
}

static wr_status reserve_rows(wr_agg_merger *m, uint32_t count, wr_error *err) {
    if (count < m->capacity) return WR_OK;
    wr_allocator *a = m->plan->allocator;
    wr_free(a, m->groups, sizeof *m->groups * m->capacity);
    wr_free(a, m->missed, sizeof *m->missed * m->capacity);
    m->capacity = (count + 127) & ~63u; /* kernels read behind the end */
    m->groups = wr_alloc(a, sizeof *m->groups * m->capacity);
    m->missed = wr_alloc(a, sizeof *m->missed * m->capacity);
    return m->groups && m->missed ? WR_OK : wr_fail_memory(err, sizeof *m->groups * m->capacity, "merging groups");
}

/* ---- a page into the table ---- */

/* New groups refer to rows of the page. When they are few, their rows are copied and the page can go. */
static wr_status keep_rows(wr_agg_table *t, wr_row_page *page, uint32_t old_count, bool *kept, wr_error *err) {
    uint32_t fresh = t->count - old_count;
    *kept = fresh > page->row_count / 4;
    if (*kept) {
        wr_row_list_push(&t->pages, page);
        return WR_OK;
    }
    return wr_agg_table_own_rows(t, old_count, err);
}

/* The page's keys are in m->keys, and its first look has been taken. */
static wr_status merge_page(wr_agg_merger *m, uint32_t missed_count, wr_error *err) {
    const wr_agg_plan *plan = m->plan;
    wr_agg_table *t = &m->table;
    wr_row_page *page = m->page;
    uint32_t old_count = t->count;
    bool kept = false;
    WR_TRY(wr_agg_table_insert(t, &m->keys, m->missed, missed_count, m->groups, err));
    wr_status status = wr_agg_states_merge(&m->states, page_entries(plan, page), page->row_bytes, page->row_count,
                                           t->entries, m->groups, err);
    m->page = NULL;
    if (status == WR_OK && plan->mode == WR_AGG_ROWS) status = keep_rows(t, page, old_count, &kept, err);
    if (!kept) wr_row_page_destroy(page, plan->allocator);
    return status;
}

/* ---- going deeper ---- */

static bool can_go_deeper(const wr_agg_merger *m) {
    uint32_t used_bits = m->plan->radix_bits + m->level * LEVEL_BITS;
    return m->level < WR_AGG_LEVELS && used_bits + LEVEL_BITS <= LEVEL_BITS_END;
}

static uint32_t groups_limit(const wr_agg_merger *m) {
    bool forced = m->plan->exec->force_spill && m->level < 2;
    return forced ? SPILL_MERGE_GROUPS : WR_GROUPS_MAX;
}

/* Empties the table into the next level; to disk, where it has to be. */
static wr_status go_deeper(wr_agg_merger *m, wr_error *err) {
    wr_agg_partitions *parts = &m->levels[m->level].parts;
    if (!parts->plan) {
        wr_agg_partitions_init(parts, m->plan, &m->states, LEVEL_BITS, m->plan->radix_bits + m->level * LEVEL_BITS);
    }
    WR_TRY(wr_agg_flush_tight(parts, &m->table, err));
    bool to_disk = m->plan->exec->force_spill || wr_budget_marked(m->plan->budget);
    return to_disk ? wr_agg_spill(parts, 0, err) : WR_OK;
}

/* Room for what the page adds. *again: the table was emptied, look once more. */
static wr_status make_room(wr_agg_merger *m, uint32_t missed_count, size_t *granted, bool *again, wr_flow *flow,
                           wr_waker *waker, wr_error *err) {
    const wr_agg_plan *plan = m->plan;
    *again = false;
    *granted = 0;
    bool full = (uint64_t)m->table.count + missed_count > groups_limit(m) || wr_budget_marked(plan->budget);
    if (full && m->table.count && can_go_deeper(m)) {
        *again = true;
        WR_TRY(go_deeper(m, err));
        if (wr_budget_marked(plan->budget)) wr_budget_spilled(plan->budget);
        return WR_OK;
    }
    size_t need = wr_agg_table_need(&m->table, &m->keys, m->missed, missed_count);
    if (!need) return WR_OK;
    switch (wr_budget_request(plan->budget, need, waker)) {
    case WR_BUDGET_GRANTED: *granted = need; return WR_OK;
    case WR_BUDGET_PARKED: *flow = WR_BLOCKED; return WR_OK;
    default: break;
    }
    *again = true;
    if (m->table.count && can_go_deeper(m)) return go_deeper(m, err);
    /* The table is as small as can be: what may still go to disk are pages of the level below. */
    wr_agg_partitions *parts = m->level < WR_AGG_LEVELS ? &m->levels[m->level].parts : NULL;
    if (!parts || !parts->memory_bytes) return wr_budget_fail(plan->budget, need, err);
    return wr_agg_spill(parts, 0, err);
}

static wr_status step_page(wr_agg_merger *m, wr_flow *flow, wr_waker *waker, wr_error *err) {
    const wr_agg_plan *plan = m->plan;
    bool again = true;
    size_t granted = 0;
    uint32_t missed_count = 0;
    WR_TRY(reserve_rows(m, m->page->row_count, err));
    WR_TRY(wr_agg_keys_of_entries(&m->keys, page_entries(plan, m->page), m->page->row_bytes, m->page->row_count, true,
                                  err));
    while (again) {
        missed_count = wr_agg_table_probe(&m->table, &m->keys, m->groups, m->missed);
        WR_TRY(make_room(m, missed_count, &granted, &again, flow, waker, err));
        if (*flow == WR_BLOCKED) return WR_OK;
    }
    wr_status status = merge_page(m, missed_count, err);
    if (granted) wr_budget_settle(plan->budget, granted);
    return status;
}

/* ---- the way through inputs and levels ---- */

static wr_status next_page(wr_agg_merger *m, wr_error *err) {
    if (m->level > 0) {
        wr_agg_level *level = &m->levels[m->level - 1];
        return wr_agg_next_page(&level->parts, level->index, &level->cursor, &m->page, err);
    }
    while (m->input < m->input_count) {
        WR_TRY(wr_agg_next_page(m->inputs[m->input], m->index, &m->cursor, &m->page, err));
        if (m->page) return WR_OK;
        m->input++;
        m->cursor = 0;
    }
    return WR_OK;
}

/* All pages of what is being read are in: deeper, if something went there; else the table is complete. Once it was
 * taken out, the next part of the level, or of the one above. */
static wr_status step_end(wr_agg_merger *m, wr_flow *flow, wr_error *err) {
    if (m->level < WR_AGG_LEVELS && m->levels[m->level].parts.items) {
        if (m->table.count) WR_TRY(go_deeper(m, err));
        m->levels[m->level].index = m->levels[m->level].cursor = 0;
        m->level++;
        return WR_OK;
    }
    if (m->table.count) {
        *flow = WR_HAVE_OUTPUT;
        return WR_OK;
    }
    while (m->level > 0) {
        wr_agg_level *level = &m->levels[m->level - 1];
        level->cursor = 0;
        if (++level->index < 1u << level->parts.bits) return WR_OK;
        wr_agg_partitions_deinit(&level->parts);
        m->level--;
    }
    *flow = WR_DONE;
    return WR_OK;
}

wr_status wr_agg_merger_step(wr_agg_merger *m, wr_flow *flow, wr_waker *waker, wr_error *err) {
    *flow = WR_NEED_INPUT;
    if (!m->page) {
        wr_status status = next_page(m, err);
        if (status == WR_NO_MEMORY && m->table.count && can_go_deeper(m)) return go_deeper(m, err);
        WR_TRY(status);
    }
    return m->page ? step_page(m, flow, waker, err) : step_end(m, flow, err);
}

/* ---- whole tables ---- */

enum { ABSORB_CHUNK = 2048 };

wr_status wr_agg_table_absorb(wr_agg_table *t, wr_agg_keys *keys, wr_agg_table *other, wr_error *err) {
    const wr_agg_plan *plan = t->plan;
    uint32_t groups[ABSORB_CHUNK + 64], missed[ABSORB_CHUNK + 1];
    while (other->first < other->count) {
        uint32_t n = other->count - other->first < ABSORB_CHUNK ? other->count - other->first : ABSORB_CHUNK;
        uint8_t *entries = other->entries + (size_t)other->first * plan->entry_bytes;
        WR_TRY(wr_agg_keys_of_entries(keys, entries, plan->entry_bytes, n, false, err));
        uint32_t missed_count = wr_agg_table_probe(t, keys, groups, missed);
        WR_TRY(wr_agg_table_insert(t, keys, missed, missed_count, groups, err));
        other->first += n;
        WR_TRY(wr_agg_states_merge(t->states, entries, plan->entry_bytes, n, t->entries, groups, err));
    }
    wr_row_list_join(&t->pages, &other->rows);
    wr_row_list_join(&t->pages, &other->pages);
    wr_agg_table_reset(other);
    return WR_OK;
}

wr_status wr_agg_emit(const wr_agg_plan *plan, wr_agg_states *states, const uint8_t *entries, uint32_t count,
                      wr_batch *out, wr_error *err) {
    wr_batch_set_rows(out, count);
    WR_TRY(wr_agg_keys_emit(plan, entries, count, out, err));
    return wr_agg_states_finalize(states, entries, count, out, err);
}
