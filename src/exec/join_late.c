/* The late source: what a join gives when its whole probe side has passed. First the rows of the table that come out by
 * their flags, then the partitions that are out, one after the other, each by one worker:
 *
 *   fits memory       its rows become a table, its probe rows pass it
 *   does not          it is cut again, by the next bits of the hash
 *   cannot be cut     (equal keys, or no keys): a block of its build rows at a time becomes a table that all its probe rows
 *                     pass; what flags decide comes out after the last block
 *
 * A worker waits for memory that others of the same join hold; only one that is alone cuts. */
#include "exec/join_internal.h"

enum { ROWS_PER_MORSEL = 64 * 1024, BLOCK_BYTES_MIN = 256 * 1024, FORCED_BLOCK_BYTES = 4096 };

/* Partitions that were made by cutting one, kept until all of them are done. */
typedef struct cut_parts {
    uint32_t refs; /* under the join's lock */
    wr_join_part *parts[2];
} cut_parts;

typedef struct late_item {
    struct late_item *next;
    uint64_t morsel; /* as which it was handed out */
    uint32_t level, index;
    bool whole;     /* cutting the one above has not made it smaller */
    cut_parts *cut; /* NULL: the join's own parts */
} late_item;

typedef struct late_source {
    wr_source source;
    wr_join *join;
    bool prepared;
    uint32_t next_row;
    uint64_t morsel_count;
    /* Under the join's lock. */
    late_item *items;  /* to be done */
    late_item *handed; /* given to a worker that has not begun */
    uint32_t active;   /* items handed out and not done */
    uint32_t running;  /* of those, such as hold memory */
    wr_waker *waiting;
} late_source;

enum late_stage {
    LATE_IDLE,
    LATE_ROWS,  /* rows of the table come out by their flags */
    LATE_ADMIT, /* a partition waits for memory */
    LATE_LOAD,  /* its build rows, or a block of them, become a table */
    LATE_PROBE, /* its probe rows pass */
    LATE_FLAGS  /* its probe rows come out by their flags */
};

typedef struct late_local {
    wr_join_prober prober;
    uint8_t stage; /* enum late_stage */
    bool begun;    /* the morsel */
    bool busy;     /* the prober is in a batch */
    bool by_blocks, more_blocks, running;
    uint32_t id, id_end; /* ROWS */
    uint32_t *ids;
    uint64_t *mark, *mark_valid;
    late_item *item;
    wr_join_table table;
    wr_join_reader build, probe;
    size_t block_bytes;
    /* Blocks: flags of all probe rows of the partition, in the order in which they are read. */
    uint64_t *flags[2], flag_rows, flag_at;
} late_local;

/* ---- items ---- */

static wr_join_part *parts_of(const late_source *s, const late_item *item, wr_join_side side) {
    return item->cut ? item->cut->parts[side] : s->join->spill.parts[side];
}

static void sum_rows(const late_source *s, const late_item *item, wr_join_side side, uint64_t *rows, uint64_t *bytes) {
    *rows = *bytes = 0;
    for (const wr_join_part *part = parts_of(s, item, side); part; part = part->next) {
        const wr_join_rows *r = &part->rows[item->index];
        *rows += r->pages.row_count + r->disk.row_count;
        *bytes += r->pages.page_bytes + r->disk.page_bytes;
    }
}

static void free_item(late_source *s, late_item *item) {
    wr_join *join = s->join;
    cut_parts *cut = item->cut;
    wr_free(join->allocator, item, sizeof *item);
    if (!cut) return;
    wr_mutex_lock(&join->lock);
    bool last = --cut->refs == 0;
    wr_mutex_unlock(&join->lock);
    if (!last) return;
    for (uint32_t side = 0; side < 2; side++) wr_join_parts_destroy(&cut->parts[side], join);
    wr_free(join->allocator, cut, sizeof *cut);
}

static wr_status add_item(late_source *s, const late_item *model, wr_error *err) {
    late_item *item = wr_alloc(s->join->allocator, sizeof *item);
    if (!item) return wr_fail_memory(err, sizeof *item, "hash join");
    *item = *model;
    wr_mutex_lock(&s->join->lock);
    if (item->cut) item->cut->refs++;
    item->next = s->items;
    s->items = item;
    wr_mutex_unlock(&s->join->lock);
    return WR_OK;
}

static void wake_waiting(late_source *s) {
    wr_mutex_lock(&s->join->lock);
    wr_waker *waiting = s->waiting;
    s->waiting = NULL;
    wr_mutex_unlock(&s->join->lock);
    wr_wakers_wake(waiting);
}

/* ---- locals ---- */

static void drop_block(late_local *l, wr_join *join) {
    wr_join_table_deinit(&l->table);
    l->prober.table = &join->table;
}

static void drop_item(late_source *s, late_local *l) {
    wr_join *join = s->join;
    drop_block(l, join);
    wr_join_reader_deinit(&l->build);
    wr_join_reader_deinit(&l->probe);
    for (uint32_t i = 0; i < 2; i++) {
        wr_free(join->allocator, l->flags[i], wr_bitmap_bytes(l->flag_rows));
        l->flags[i] = NULL;
    }
    l->flag_rows = 0;
    if (!l->item) return;
    free_item(s, l->item);
    l->item = NULL;
    wr_mutex_lock(&join->lock);
    s->active--;
    if (l->running) s->running--;
    l->running = false;
    wr_mutex_unlock(&join->lock);
    wake_waiting(s);
}

static void late_local_destroy(wr_source *source, wr_local *local) {
    late_source *s = (late_source *)source;
    late_local *l = (late_local *)local;
    wr_allocator *a = s->join->allocator;
    uint32_t rows = s->join->exec->batch_rows;
    drop_item(s, l);
    wr_node_count(&source->base, &l->prober.counters);
    wr_prober_deinit(&l->prober);
    wr_free(a, l->ids, sizeof(uint32_t) * rows + WR_BUFFER_PAD);
    wr_free(a, l->mark, wr_bitmap_bytes(rows));
    wr_free(a, l->mark_valid, wr_bitmap_bytes(rows));
    wr_free(a, l, sizeof *l);
}

static wr_status late_local_create(wr_source *source, wr_local **out, wr_error *err) {
    wr_join *join = ((late_source *)source)->join;
    late_local *l = wr_alloc_zeroed(join->allocator, sizeof *l);
    uint32_t rows = join->exec->batch_rows;
    if (!l) return wr_fail_memory(err, sizeof *l, "hash join");
    wr_status status = wr_prober_init(&l->prober, join, err);
    if (status == WR_OK) {
        l->ids = wr_alloc(join->allocator, sizeof(uint32_t) * rows + WR_BUFFER_PAD);
        l->mark = wr_alloc(join->allocator, wr_bitmap_bytes(rows));
        l->mark_valid = wr_alloc(join->allocator, wr_bitmap_bytes(rows));
        bool all = l->ids && l->mark && l->mark_valid;
        if (!all) status = wr_fail_memory(err, sizeof(uint32_t) * rows, "hash join");
    }
    if (status != WR_OK) {
        late_local_destroy(source, (wr_local *)l);
        return status;
    }
    *out = (wr_local *)l;
    return WR_OK;
}

/* ---- rows of a table, by their flags ---- */

static bool is_unknown(const wr_join *join, const wr_join_table *t, uint32_t id) {
    if (!join->three_valued) return false;
    if (!join->simple_nulls) return wr_bit_get(t->unknown, id);
    return id < t->indexed_count ? join->probe_null : join->probe_any;
}

/* Whether the row comes out; with MARK, what is said of it. */
static bool chosen(const wr_join *join, const wr_join_table *t, uint32_t id, bool *mark, bool *mark_valid) {
    bool matched = wr_bit_get(t->matched, id), unknown = !matched && is_unknown(join, t, id);
    *mark = matched;
    *mark_valid = !unknown;
    switch ((wr_join_kind)join->kind) {
    case WR_JOIN_MARK: return true;
    case WR_JOIN_SEMI: return matched;
    case WR_JOIN_ANTI_NULL_AWARE: return !matched && !unknown;
    default: return !matched;
    }
}

static wr_status give_rows(late_local *l, wr_batch **out, wr_error *err) {
    wr_join_prober *p = &l->prober;
    while (l->id < l->id_end) {
        uint32_t room = wr_batch_builder_room(&p->out), count = 0;
        for (; l->id < l->id_end && count < room; l->id++) {
            bool mark, valid;
            if (!chosen(p->join, p->table, l->id, &mark, &valid)) continue;
            wr_bit_put(l->mark, count, mark);
            wr_bit_put(l->mark_valid, count, valid);
            l->ids[count++] = l->id;
        }
        if (count) WR_TRY(wr_prober_add_table_rows(p, l->ids, count, l->mark, l->mark_valid, err));
        if (wr_batch_builder_room(&p->out) == 0) {
            *out = wr_prober_flush(p);
            return WR_OK;
        }
    }
    *out = wr_prober_flush(p);
    return WR_OK;
}

/* ---- a partition ---- */

enum late_mode { MODE_WHOLE, MODE_CUT, MODE_BLOCKS };

static bool can_cut(const wr_join *join, const late_item *item, uint64_t rows) {
    return !join->one_partition && !item->whole && item->level + 1 < WR_PARTITION_LEVELS && rows > 1;
}

/* Tests that spill everything take each way in turn. */
static enum late_mode forced_mode(const wr_join *join, const late_item *item, uint64_t rows) {
    uint32_t way = (item->index + item->level) % 3;
    if (join->one_partition || way == 2) return MODE_BLOCKS;
    return way == 1 && can_cut(join, item, rows) ? MODE_CUT : MODE_WHOLE;
}

/* The mode, or *blocked: memory that somebody else has will be free. */
static enum late_mode choose_mode(late_source *s, late_local *l, bool *blocked, wr_waker *waker) {
    wr_join *join = s->join;
    uint64_t rows, bytes;
    *blocked = false;
    sum_rows(s, l->item, WR_JOIN_BUILD, &rows, &bytes);
    if (join->exec->force_spill) return forced_mode(join, l->item, rows);
    size_t needed = bytes + bytes / 4 + wr_index_bytes(join, rows);
    wr_budget_answer answer = WR_BUDGET_REFUSED;
    if (rows < WR_JOIN_NO_ROW) answer = wr_budget_request(join->budget, needed, waker);
    if (answer == WR_BUDGET_PARKED) {
        *blocked = true;
    } else if (answer == WR_BUDGET_GRANTED) {
        wr_budget_settle(join->budget, needed);
        return MODE_WHOLE;
    }
    if (*blocked) return MODE_WHOLE;
    wr_mutex_lock(&join->lock);
    *blocked = s->running > 0;
    if (*blocked) wr_wakers_park(&s->waiting, waker);
    wr_mutex_unlock(&join->lock);
    return can_cut(join, l->item, rows) ? MODE_CUT : MODE_BLOCKS;
}

static wr_status cut_side(late_source *s, late_local *l, wr_join_side side, cut_parts *cut, wr_error *err) {
    wr_join *join = s->join;
    const wr_join_kept *kept = side == WR_JOIN_BUILD ? &join->store : &join->spool;
    wr_join_writer writer = {0};
    wr_join_reader reader = {0};
    bool more = true;
    wr_status status = WR_OK;
    const wr_vector **columns = wr_alloc(join->allocator, sizeof(wr_vector *) * (kept->count + 1));
    if (!columns) return wr_fail_memory(err, sizeof(wr_vector *) * kept->count, "spilling a join");
    WR_TRY_CLEANUP(wr_join_writer_init(&writer, join, side, l->item->level + 1, true, err));
    WR_TRY_CLEANUP(wr_join_reader_init(&reader, join, side, parts_of(s, l->item, side), l->item->index, false, err));
    while (!join->exec->cancelled) {
        WR_TRY_CLEANUP(wr_join_reader_next(&reader, &more, err));
        if (!more) break;
        for (uint32_t c = 0; c < kept->count; c++) columns[c] = &reader.batch.columns[kept->positions[c]];
        WR_TRY_CLEANUP(wr_join_writer_add(&writer, columns, NULL, &reader.keys, NULL, err));
    }
    WR_TRY_CLEANUP(wr_join_writer_flush(&writer, err));
    l->prober.counters.spilled_bytes += writer.spilled_bytes;
    cut->parts[side] = wr_join_writer_take(&writer);
cleanup:
    wr_join_reader_deinit(&reader);
    wr_join_writer_deinit(&writer);
    wr_free(join->allocator, columns, sizeof(wr_vector *) * (kept->count + 1));
    return status;
}

static wr_status cut_item(late_source *s, late_local *l, wr_error *err) {
    wr_join *join = s->join;
    uint64_t rows, part_rows, bytes;
    sum_rows(s, l->item, WR_JOIN_BUILD, &rows, &bytes);
    cut_parts *cut = wr_alloc_zeroed(join->allocator, sizeof *cut);
    late_item model = {.level = l->item->level + 1, .cut = cut};
    if (!cut) return wr_fail_memory(err, sizeof *cut, "spilling a join");
    late_item *holder = wr_alloc(join->allocator, sizeof *holder); /* so that the parts are freed in one place */
    if (!holder) {
        wr_free(join->allocator, cut, sizeof *cut);
        return wr_fail_memory(err, sizeof *holder, "spilling a join");
    }
    *holder = model;
    cut->refs = 1;
    wr_status status = cut_side(s, l, WR_JOIN_BUILD, cut, err);
    if (status == WR_OK) status = cut_side(s, l, WR_JOIN_PROBE, cut, err);
    for (uint32_t p = 0; p < WR_PARTITIONS && status == WR_OK; p++) {
        model.index = p;
        sum_rows(s, &model, WR_JOIN_PROBE, &part_rows, &bytes);
        bool some = part_rows > 0;
        sum_rows(s, &model, WR_JOIN_BUILD, &part_rows, &bytes);
        model.whole = part_rows == rows;
        if (some || part_rows) status = add_item(s, &model, err);
    }
    free_item(s, holder);
    return status;
}

/* ---- a partition as a table ---- */

static wr_status begin_table(late_source *s, late_local *l, bool by_blocks, wr_error *err) {
    wr_join *join = s->join;
    uint64_t bytes;
    l->by_blocks = by_blocks;
    l->prober.defer = by_blocks;
    l->block_bytes = SIZE_MAX;
    l->stage = LATE_LOAD;
    wr_mutex_lock(&join->lock);
    l->running = true;
    s->running++;
    wr_mutex_unlock(&join->lock);
    if (by_blocks) {
        l->block_bytes = wr_budget_available(join->budget) / 3;
        if (l->block_bytes < BLOCK_BYTES_MIN) l->block_bytes = BLOCK_BYTES_MIN;
        if (l->block_bytes > UINT32_MAX) l->block_bytes = UINT32_MAX; /* also bounds the ids */
        if (join->exec->force_spill) l->block_bytes = FORCED_BLOCK_BYTES;
        sum_rows(s, l->item, WR_JOIN_PROBE, &l->flag_rows, &bytes);
        for (uint32_t i = 0; i < 2; i++) {
            l->flags[i] = wr_alloc_zeroed(join->allocator, wr_bitmap_bytes(l->flag_rows));
            if (!l->flags[i]) return wr_fail_memory(err, wr_bitmap_bytes(l->flag_rows), "hash join");
        }
    }
    return wr_join_reader_init(&l->build, join, WR_JOIN_BUILD, parts_of(s, l->item, WR_JOIN_BUILD), l->item->index,
                               false, err);
}

static wr_status begin_probe_pass(late_source *s, late_local *l, bool keep, wr_error *err) {
    wr_join_reader_deinit(&l->probe);
    l->flag_at = 0;
    return wr_join_reader_init(&l->probe, s->join, WR_JOIN_PROBE, parts_of(s, l->item, WR_JOIN_PROBE), l->item->index,
                               keep, err);
}

static wr_status load(late_source *s, late_local *l, wr_error *err) {
    wr_join_chunk *chunks = NULL;
    drop_block(l, s->join);
    wr_status status = wr_join_load_chunks(s->join, &l->build, l->block_bytes, &chunks, &l->more_blocks, err);
    if (status == WR_OK) status = wr_join_table_build(&l->table, s->join, &chunks, err);
    wr_join_chunks_destroy(&chunks, s->join);
    WR_TRY(status);
    l->prober.table = &l->table;
    l->stage = LATE_PROBE;
    return begin_probe_pass(s, l, l->by_blocks, err);
}

static void load_flags(late_local *l) {
    wr_join_prober *p = &l->prober;
    if (!l->by_blocks) return;
    wr_bitmap_copy(p->row_true, 0, l->flags[0], l->flag_at, p->count);
    wr_bitmap_copy(p->row_unknown, 0, l->flags[1], l->flag_at, p->count);
}

static void store_flags(late_local *l) {
    wr_join_prober *p = &l->prober;
    if (!l->by_blocks) return;
    wr_bitmap_copy(l->flags[0], l->flag_at, p->row_true, 0, p->count);
    wr_bitmap_copy(l->flags[1], l->flag_at, p->row_unknown, 0, p->count);
    l->flag_at += p->count;
}

/* The next batch of a pass over the probe rows, or NULL at its end. */
static wr_status pass_probe(late_source *s, late_local *l, bool flags_only, wr_batch **out, wr_error *err) {
    wr_join_prober *p = &l->prober;
    bool more;
    *out = NULL;
    while (!s->join->exec->cancelled) {
        if (l->busy) {
            WR_TRY(wr_prober_next(p, out, err));
            if (*out) return WR_OK;
            l->busy = false;
            store_flags(l);
        }
        WR_TRY(wr_join_reader_next(&l->probe, &more, err));
        if (!more) break;
        WR_TRY(flags_only ? wr_prober_begin_flags(p, &l->probe.batch, &l->probe.keys, err)
                          : wr_prober_begin(p, &l->probe.batch, &l->probe.keys, err));
        load_flags(l);
        l->busy = true;
    }
    return WR_OK;
}

static void end_item(late_source *s, late_local *l) {
    drop_item(s, l);
    l->prober.defer = false;
    l->stage = LATE_IDLE;
}

/* A block has been dealt with: the next one, or the end. */
static wr_status after_block(late_source *s, late_local *l, wr_error *err) {
    const wr_join *join = s->join;
    if (l->by_blocks && l->more_blocks) {
        l->stage = LATE_LOAD;
    } else if (l->by_blocks && (join->keeps_probe || join->filters_probe)) {
        l->stage = LATE_FLAGS;
        l->prober.defer = false;
        return begin_probe_pass(s, l, false, err);
    } else {
        end_item(s, l);
    }
    return WR_OK;
}

/* A stage has nothing more to give. */
static wr_status after_stage(late_source *s, late_local *l, wr_error *err) {
    if (l->stage == LATE_PROBE && s->join->flags_build) {
        l->stage = LATE_ROWS;
        l->id = 0;
        l->id_end = l->table.row_count;
        return WR_OK;
    }
    if (l->item && l->stage != LATE_FLAGS) return after_block(s, l, err);
    end_item(s, l);
    return WR_OK;
}

static wr_status admit_item(late_source *s, late_local *l, bool *blocked, wr_waker *waker, wr_error *err) {
    enum late_mode mode = choose_mode(s, l, blocked, waker);
    if (*blocked) return WR_OK;
    if (mode != MODE_CUT) return begin_table(s, l, mode == MODE_BLOCKS, err);
    WR_TRY(cut_item(s, l, err));
    end_item(s, l);
    return WR_OK;
}

/* ---- the source ---- */

static void begin_morsel(late_source *s, late_local *l, const wr_morsel *morsel) {
    l->begun = true;
    l->stage = LATE_ROWS;
    l->id = (uint32_t)morsel->first;
    l->id_end = (uint32_t)(morsel->first + morsel->count);
    if (morsel->count) return;
    wr_mutex_lock(&s->join->lock);
    late_item **at = &s->handed;
    while ((*at)->morsel != morsel->index) at = &(*at)->next;
    l->item = *at;
    *at = l->item->next;
    wr_mutex_unlock(&s->join->lock);
    l->stage = LATE_ADMIT;
}

static wr_status step(late_source *s, late_local *l, wr_batch **out, bool *blocked, wr_waker *waker, wr_error *err) {
    switch ((enum late_stage)l->stage) {
    case LATE_ADMIT: return admit_item(s, l, blocked, waker, err);
    case LATE_LOAD: return load(s, l, err);
    case LATE_ROWS: WR_TRY(give_rows(l, out, err)); break;
    default:
        WR_TRY(pass_probe(s, l, l->stage == LATE_FLAGS, out, err));
        if (!*out) *out = wr_prober_flush(&l->prober);
    }
    return *out ? WR_OK : after_stage(s, l, err);
}

static wr_status late_read(wr_source *source, wr_local *local, const wr_morsel *morsel, wr_batch **out, wr_flow *flow,
                           wr_waker *waker, wr_error *err) {
    late_source *s = (late_source *)source;
    late_local *l = (late_local *)local;
    bool blocked = false;
    *out = NULL;
    if (!l->begun) begin_morsel(s, l, morsel);
    while (!*out && !blocked && l->stage != LATE_IDLE && !s->join->exec->cancelled) {
        WR_TRY(step(s, l, out, &blocked, waker, err));
    }
    if (!*out && !blocked) l->begun = false;
    *flow = *out ? WR_HAVE_OUTPUT : blocked ? WR_BLOCKED : WR_NEED_INPUT;
    return WR_OK;
}

static wr_status prepare(late_source *s, wr_error *err) {
    wr_join *join = s->join;
    s->prepared = true;
    for (uint32_t p = WR_PARTITIONS; p-- > 0;) {
        late_item item = {.index = p};
        if (join->spill.out >> p & 1) WR_TRY(add_item(s, &item, err));
    }
    return WR_OK;
}

static wr_status late_next(wr_source *source, wr_morsel *morsel, wr_control *control, wr_flow *flow, wr_waker *waker,
                           wr_error *err) {
    late_source *s = (late_source *)source;
    wr_join *join = s->join;
    wr_mutex_lock(&join->lock);
    bool ended = join->ended;
    if (!ended) wr_wakers_park(&join->late_waiting, waker);
    wr_mutex_unlock(&join->lock);
    *flow = WR_BLOCKED;
    if (!ended) return WR_OK;
    if (!s->prepared) WR_TRY(prepare(s, err));
    *morsel = (wr_morsel){.index = s->morsel_count, .epoch = 0};
    if (join->flags_build && s->next_row < join->table.row_count) {
        uint32_t left = join->table.row_count - s->next_row;
        morsel->first = s->next_row;
        morsel->count = left < ROWS_PER_MORSEL ? left : ROWS_PER_MORSEL;
        s->next_row += (uint32_t)morsel->count;
        s->morsel_count++;
        *flow = WR_HAVE_OUTPUT;
        return WR_OK;
    }
    wr_mutex_lock(&join->lock);
    late_item *item = s->items;
    if (item) {
        s->items = item->next;
        item->next = s->handed;
        item->morsel = s->morsel_count++;
        s->handed = item;
        s->active++;
        *flow = WR_HAVE_OUTPUT;
    } else if (s->active) {
        wr_wakers_park(&s->waiting, waker);
    } else {
        *control = (wr_control){WR_END, 0, WR_WATERMARK_INFINITY};
        *flow = WR_DONE;
    }
    wr_mutex_unlock(&join->lock);
    return WR_OK;
}

static void drop_items(late_source *s, late_item **list) {
    while (*list) {
        late_item *item = *list;
        *list = item->next;
        free_item(s, item);
    }
}

static void late_destroy(wr_source *source) {
    late_source *s = (late_source *)source;
    wr_join *join = s->join;
    wr_allocator *a = join->exec->allocator;
    drop_items(s, &s->items);
    drop_items(s, &s->handed);
    source->base.budget = NULL; /* the join's */
    wr_node_base_deinit(&source->base);
    wr_free(a, s, sizeof *s);
    wr_join_release(join);
}

static const wr_source_ops late_ops = {
    .name = "JOIN LATE",
    .destroy = late_destroy,
    .local_create = late_local_create,
    .local_destroy = late_local_destroy,
    .next = late_next,
    .read = late_read,
};

wr_status wr_join_late_source(wr_join *join, wr_source **out, wr_error *err) {
    late_source *s = wr_alloc_zeroed(join->exec->allocator, sizeof *s);
    if (!s) return wr_fail_memory(err, sizeof *s, "hash join");
    wr_node_base_init(&s->source.base, join->exec, "JOIN LATE", join->logical_id);
    s->source.base.budget = join->budget;
    s->source.ops = &late_ops;
    s->join = wr_join_retain(join);
    *out = &s->source;
    return WR_OK;
}
