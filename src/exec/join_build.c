/* The sink of the build side, and the finish that makes the table.
 *
 * Rows go to chunks of the worker; full chunks go to the join, from where any worker can take them when memory is short
 * and write them to partitions. Finishing is a row of phases, each a number of items that workers claim; whoever is
 * done with the last item of a phase begins the next one, whoever finds nothing to claim parks:
 *
 *   ADMIT      one item: asks for the memory of the index; if there is none, partitions leave until it fits
 *   PARTITION  an item a worker: only when ADMIT has begun to spill
 *   LOAD       an item a partition: those that stayed in memory become chunks again
 *   TABLE      the phases of wr_table_build */
#include "exec/join_internal.h"

enum finish_phase { FINISH_ADMIT, FINISH_PARTITION, FINISH_LOAD, FINISH_TABLE, FINISH_DONE };

enum { FINISH_PARALLEL_ROWS = 64 * 1024 };

typedef struct build_sink {
    wr_sink sink;
    wr_join *join;
    uint8_t phase; /* enum finish_phase: changed by who advances, when nobody has an item */
    /* The finish; under the join's lock. */
    bool advancing, finished;
    uint32_t item_next, item_count, item_done;
    wr_waker *waiting;
    size_t granted_bytes, cushion_bytes;
    wr_table_build *build;
} build_sink;

/* A worker's part; a collector is one whose chunks go to a list. */
typedef struct wr_join_collector {
    wr_key_scratch scratch;
    wr_join_chunk *current[2];         /* rows with keys, rows whose keys are NULL */
    uint32_t chunk_number, chunk_rows; /* of the next chunk */
    size_t text_bytes;                 /* of the batch: long strings */
    uint32_t capacity;
    uint16_t *rows[2], *positions;
    uint64_t *words[2];
    const wr_vector **columns; /* of the batch, those that are kept */
    wr_join_chunk **list;      /* where full chunks go; NULL: to the join */
    size_t list_bytes;
    uint32_t expected_rows; /* capacity of the list's first chunk; 0: as usual */
    wr_join_writer writer;
    bool has_writer;
    size_t cushion_bytes; /* reserved for the writer's pages: they are needed when there is no memory left */
    wr_counters counters;
} wr_join_collector;
typedef wr_join_collector build_local;

/* ---- locals ---- */

static void drop_local(build_local *l, wr_join *join) {
    wr_key_scratch_deinit(&l->scratch);
    for (uint32_t i = 0; i < 2; i++) {
        wr_join_chunk_destroy(l->current[i], join);
        wr_free(join->allocator, l->rows[i], sizeof(uint16_t) * l->capacity);
        wr_free(join->allocator, l->words[i], sizeof(uint64_t) * l->capacity);
    }
    wr_free(join->allocator, l->positions, sizeof(uint16_t) * l->capacity);
    if (l->has_writer) wr_join_writer_deinit(&l->writer);
    wr_budget_release(join->budget, l->cushion_bytes);
    wr_free(join->allocator, l->columns, sizeof(wr_vector *) * (join->store.count + 1));
    wr_free(join->allocator, l, sizeof *l);
}

static wr_status make_local(build_local **out, wr_join *join, wr_error *err) {
    build_local *l = *out = wr_alloc_zeroed(join->allocator, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "hash join build");
    wr_key_scratch_init(&l->scratch, join->allocator, join->kernels);
    l->chunk_rows = WR_CHUNK_ROWS_MIN;
    l->columns = wr_alloc(join->allocator, sizeof(wr_vector *) * (join->store.count + 1));
    if (l->columns) return WR_OK;
    drop_local(l, join);
    *out = NULL;
    return wr_fail_memory(err, sizeof(wr_vector *) * join->store.count, "hash join build");
}

static wr_status build_local_create(wr_sink *sink, wr_local **out, wr_error *err) {
    build_local *l;
    wr_join *join = ((build_sink *)sink)->join;
    WR_TRY(make_local(&l, join, err));
    size_t bytes = wr_join_writer_bytes(join, WR_JOIN_BUILD, 0) + 2 * join->chunk_limit_bytes;
    if (wr_budget_reserve(join->budget, bytes, NULL) == WR_OK) l->cushion_bytes = bytes;
    *out = (wr_local *)l;
    return WR_OK;
}

static void build_local_destroy(wr_sink *sink, wr_local *local) {
    build_local *l = (build_local *)local;
    wr_node_count(&sink->base, &l->counters);
    drop_local(l, ((build_sink *)sink)->join);
}

static wr_status reserve(build_local *l, wr_join *join, uint32_t count, wr_error *err) {
    if (count + 64 <= l->capacity) return WR_OK;
    wr_allocator *a = join->allocator;
    uint32_t capacity = (count + 127) & ~63u;
    bool failed = false;
    for (uint32_t i = 0; i < 2; i++) {
        wr_free(a, l->rows[i], sizeof(uint16_t) * l->capacity);
        wr_free(a, l->words[i], sizeof(uint64_t) * l->capacity);
    }
    wr_free(a, l->positions, sizeof(uint16_t) * l->capacity);
    l->capacity = capacity;
    for (uint32_t i = 0; i < 2; i++) {
        failed |= !(l->rows[i] = wr_alloc(a, sizeof(uint16_t) * capacity));
        failed |= !(l->words[i] = wr_alloc(a, sizeof(uint64_t) * capacity));
    }
    failed |= !(l->positions = wr_alloc(a, sizeof(uint16_t) * capacity));
    return failed ? wr_fail_memory(err, sizeof(uint64_t) * capacity, "hash join build") : WR_OK;
}

/* ---- chunks ---- */

static void give_chunk(build_local *l, wr_join *join, wr_join_chunk *chunk) {
    if (l->list) {
        chunk->next = *l->list;
        *l->list = chunk;
        l->list_bytes += wr_join_chunk_size(join, chunk);
        return;
    }
    wr_mutex_lock(&join->lock);
    chunk->next = join->chunks;
    join->chunks = chunk;
    join->chunk_count++;
    join->chunk_bytes += wr_join_chunk_size(join, chunk);
    wr_join_tell_spillable(join);
    wr_mutex_unlock(&join->lock);
}

static void give_rest(build_local *l, wr_join *join) {
    for (uint32_t i = 0; i < 2; i++) {
        if (l->current[i]) give_chunk(l, join, l->current[i]);
        l->current[i] = NULL;
    }
}

static wr_join_chunk *take_chunk(wr_join *join) {
    wr_mutex_lock(&join->lock);
    wr_join_chunk *chunk = join->chunks;
    if (chunk) {
        join->chunks = chunk->next;
        join->chunk_count--;
        join->chunk_bytes -= wr_join_chunk_size(join, chunk);
        wr_join_tell_spillable(join);
    }
    wr_mutex_unlock(&join->lock);
    return chunk;
}

/* Chunks double in size. */
static uint32_t next_capacity(build_local *l, const wr_join *join) {
    size_t row = wr_join_chunk_bytes(join, 1024) / 1024 + 1, most = join->chunk_limit_bytes / row;
    uint32_t capacity = l->chunk_rows, expected = l->expected_rows;
    l->expected_rows = 0;
    if (expected) return expected;
    if (most > WR_CHUNK_ROWS_MAX) most = WR_CHUNK_ROWS_MAX;
    if (capacity * 2 <= most) l->chunk_rows *= 2;
    return capacity;
}

static uint32_t room_of(const wr_join *join, const wr_join_chunk *chunk) {
    if (!chunk || chunk->text_bytes > join->chunk_limit_bytes) return 0;
    return chunk->capacity - chunk->row_count;
}

static wr_status store_rows(build_local *l, wr_join *join, bool null_keys, wr_ordinal ordinal,
                            const wr_vector *const *columns, const uint16_t *rows, const uint64_t *const *words,
                            uint32_t count, wr_error *err) {
    wr_join_chunk **current = &l->current[null_keys];
    for (uint32_t done = 0; done < count;) {
        if (room_of(join, *current) == 0) {
            if (*current) give_chunk(l, join, *current);
            *current = NULL;
            uint32_t capacity = null_keys ? WR_CHUNK_ROWS_MIN : next_capacity(l, join);
            WR_TRY(wr_join_chunk_create(current, join, capacity, null_keys, err));
            (*current)->number = l->chunk_number++;
        }
        uint32_t left = count - done, room = room_of(join, *current), part = left < room ? left : room;
        const uint64_t *part_words[2] = {words[0] ? words[0] + done : NULL, words[1] ? words[1] + done : NULL};
        const uint16_t *part_rows = rows;
        if (rows) {
            part_rows = rows + done;
        } else if (part < left || done) { /* rows [done, done + part) have to be named */
            for (uint32_t i = 0; i < part; i++) l->positions[i] = (uint16_t)(done + i);
            part_rows = l->positions;
        }
        WR_TRY(wr_join_chunk_append(*current, join, ordinal, columns, part_rows, part_words, part, err));
        done += part;
    }
    return WR_OK;
}

/* ---- memory ---- */

static wr_status writer_of(build_local *l, wr_join *join, wr_error *err) {
    if (l->has_writer) return WR_OK;
    wr_budget_release(join->budget, l->cushion_bytes);
    l->cushion_bytes = 0;
    l->has_writer = true;
    return wr_join_writer_init(&l->writer, join, WR_JOIN_BUILD, 0, false, err);
}

/* Begins to spill: `count` partitions go out at once. */
static void begin_spilling(wr_join *join, uint32_t count) {
    uint32_t all = join->one_partition ? 1 : WR_PARTITIONS;
    if (count > all) count = all;
    wr_mutex_lock(&join->lock);
    if (!join->spill.on) {
        join->spill.out |= (1u << count) - 1;
        join->spill.on = true;
    }
    wr_mutex_unlock(&join->lock);
}

/* Partitions leave until there is room for the pages of one chunk's rows; if there is none, all are out from now on,
 * and pages are written as they fill. */
static wr_status make_room(build_local *l, wr_join *join, const wr_join_chunk *chunk, wr_error *err) {
    size_t needed = wr_join_writer_bytes(join, WR_JOIN_BUILD, chunk->row_count) + chunk->text_bytes;
    while (wr_budget_available(join->budget) < needed) {
        uint64_t bytes;
        WR_TRY(wr_join_evict(join, &bytes, err));
        l->counters.spilled_bytes += bytes;
        if (bytes) continue;
        join->spill.out |= join->one_partition ? 1 : (1u << WR_PARTITIONS) - 1;
        break;
    }
    return WR_OK;
}

static wr_status write_chunk(build_local *l, wr_join *join, wr_join_chunk *chunk, wr_error *err) {
    wr_status status = make_room(l, join, chunk, err);
    if (status == WR_OK) return wr_join_write_chunk(&l->writer, chunk, err);
    wr_join_chunk_destroy(chunk, join);
    return status;
}

static wr_status write_chunks(build_local *l, wr_join *join, wr_error *err) {
    WR_TRY(writer_of(l, join, err));
    for (uint32_t i = 0; i < 2; i++) {
        wr_join_chunk *chunk = l->current[i];
        l->current[i] = NULL;
        if (chunk) WR_TRY(write_chunk(l, join, chunk, err));
    }
    for (wr_join_chunk *chunk; (chunk = take_chunk(join));) WR_TRY(write_chunk(l, join, chunk, err));
    return WR_OK;
}

/* Gives memory back; *some is false when there was none to give. */
static wr_status relieve(build_local *l, wr_join *join, bool *some, wr_error *err) {
    *some = true;
    if (!join->spill.on) {
        begin_spilling(join, join->exec->force_spill ? WR_PARTITIONS : WR_PARTITIONS / 2);
        return write_chunks(l, join, err);
    }
    if (join->chunk_count || l->current[0] || l->current[1]) return write_chunks(l, join, err);
    uint64_t bytes;
    WR_TRY(wr_join_evict(join, &bytes, err));
    *some = bytes > 0;
    l->counters.spilled_bytes += bytes;
    return WR_OK;
}

/* Room for `bytes`: granted, or *flow is BLOCKED. */
static wr_status admit(build_local *l, wr_join *join, size_t bytes, wr_flow *flow, wr_waker *waker, wr_error *err) {
    bool some = true;
    *flow = WR_NEED_INPUT;
    while (some) {
        switch (wr_budget_request(join->budget, bytes, waker)) {
        case WR_BUDGET_GRANTED: return WR_OK;
        case WR_BUDGET_PARKED: *flow = WR_BLOCKED; return WR_OK;
        default: WR_TRY(relieve(l, join, &some, err)); break;
        }
    }
    return wr_budget_fail(join->budget, bytes, err);
}

static size_t long_string_bytes(const wr_join *join, const wr_batch *in) {
    size_t bytes = 0;
    for (uint32_t c = 0; c < join->store.count; c++) {
        const wr_vector *v = &in->columns[join->store.positions[c]];
        if (v->phys != WR_PHYS_VIEW) continue;
        const wr_vector *leaf = v->kind == WR_DICTIONARY ? wr_vector_dictionary(v) : v;
        if (leaf->kind != WR_FLAT && leaf->kind != WR_CONSTANT) continue;
        for (uint32_t i = 0; i < in->sel_count; i++) {
            uint32_t row = in->sel ? in->sel[i] : i;
            if (!wr_valid(v->validity, v->kind == WR_CONSTANT ? 0 : row)) continue;
            uint32_t at = v->kind == WR_DICTIONARY ? ((const uint32_t *)v->data)[row] : row;
            const wr_string_view *view = (const wr_string_view *)leaf->data + (leaf->kind == WR_CONSTANT ? 0 : at);
            if (view->size > WR_STRING_INLINE) bytes += view->size;
        }
    }
    return bytes;
}

/* What consuming the batch may allocate at most. */
static size_t batch_bytes(build_local *l, const wr_join *join, const wr_batch *in) {
    size_t text = l->text_bytes = long_string_bytes(join, in);
    if (join->spill.on) return wr_join_writer_bytes(join, WR_JOIN_BUILD, in->sel_count) + text;
    size_t bytes = text ? text + text / 2 + 4096 : 0;
    if (room_of(join, l->current[0]) < in->sel_count) {
        uint32_t rows = l->chunk_rows > in->sel_count ? l->chunk_rows : in->sel_count;
        bytes += wr_join_chunk_bytes(join, rows + 128);
    }
    if (join->stores_nulls) bytes += wr_join_chunk_bytes(join, WR_CHUNK_ROWS_MIN + 128);
    return bytes;
}

/* ---- consuming ---- */

/* Rows with keys and rows without, and the words of those with: rows[0], words; rows[1]. */
static void split_by_key(build_local *l, const wr_join *join, const wr_batch *in, const wr_keys *keys,
                         uint32_t counts[2]) {
    counts[0] = counts[1] = 0;
    for (uint32_t i = 0; i < keys->count; i++) {
        bool is_null = !wr_bit_get(keys->valid, i);
        uint16_t row = in->sel ? in->sel[i] : (uint16_t)i;
        for (uint32_t w = 0; w < join->keys.word_count && !is_null; w++) {
            l->words[w][counts[0]] = keys->words[w][i];
        }
        l->rows[is_null][counts[is_null]++] = row;
    }
}

static wr_status store_batch(build_local *l, wr_join *join, const wr_batch *in, const wr_vector *const *columns,
                             const wr_keys *keys, wr_error *err) {
    if (!keys->valid) {
        return store_rows(l, join, false, in->ordinal, columns, in->sel, keys->words, keys->count, err);
    }
    uint32_t counts[2];
    split_by_key(l, join, in, keys, counts);
    const uint64_t *words[2] = {l->words[0], l->words[1]}, *none[2] = {NULL, NULL};
    WR_TRY(store_rows(l, join, false, in->ordinal, columns, l->rows[0], words, counts[0], err));
    if (!join->stores_nulls) return WR_OK;
    return store_rows(l, join, true, in->ordinal, columns, l->rows[1], none, counts[1], err);
}

static wr_status write_batch(build_local *l, wr_join *join, const wr_batch *in, const wr_vector *const *columns,
                             const wr_keys *keys, wr_error *err) {
    WR_TRY(writer_of(l, join, err));
    const uint64_t *take = join->stores_nulls ? NULL : keys->valid;
    return wr_join_writer_add(&l->writer, columns, in->sel, keys, take, err);
}

static wr_status consume_granted(build_local *l, wr_join *join, const wr_batch *in, wr_error *err) {
    const wr_vector **columns = l->columns;
    const wr_vector *key_columns[WR_JOIN_KEYS_MAX];
    wr_keys keys;
    for (uint32_t c = 0; c < join->store.count; c++) columns[c] = &in->columns[join->store.positions[c]];
    for (uint32_t k = 0; k < join->keys.part_count; k++) key_columns[k] = &in->columns[join->build_keys[k]];
    WR_TRY(reserve(l, join, in->row_count, err));
    WR_TRY(wr_keys_compute(&join->keys, &l->scratch, key_columns, in->sel, in->sel_count, &keys, err));
    WR_TRY(join->spill.on ? write_batch(l, join, in, columns, &keys, err)
                          : store_batch(l, join, in, columns, &keys, err));
    if (l->current[0]) l->current[0]->text_bytes += l->text_bytes;
    join->build_rows += keys.count;
    join->build_null_rows += keys.null_count;
    return WR_OK;
}

static wr_status build_relieve(wr_sink *sink, wr_local *local, wr_error *err) {
    wr_join *join = ((build_sink *)sink)->join;
    bool some;
    WR_TRY(relieve((build_local *)local, join, &some, err));
    wr_budget_spilled(join->budget);
    return WR_OK;
}

static wr_status build_consume(wr_sink *sink, wr_local *local, wr_batch *in, wr_flow *flow, wr_waker *waker,
                               wr_error *err) {
    wr_join *join = ((build_sink *)sink)->join;
    build_local *l = (build_local *)local;
    if (wr_budget_marked(join->budget) || (join->exec->force_spill && !join->spill.on)) {
        WR_TRY(build_relieve(sink, local, err));
    }
    if (join->spill.on && (l->current[0] || l->current[1])) WR_TRY(write_chunks(l, join, err));
    /* Not to the last byte: whoever feeds this sink allocates without asking. */
    size_t bytes = batch_bytes(l, join, in) + 4 * join->chunk_limit_bytes;
    WR_TRY(admit(l, join, bytes, flow, waker, err));
    if (*flow == WR_BLOCKED) return WR_OK;
    wr_status status = consume_granted(l, join, in, err);
    wr_budget_settle(join->budget, bytes);
    return status;
}

static wr_status build_combine(wr_sink *sink, wr_local *local, wr_error *err) {
    wr_join *join = ((build_sink *)sink)->join;
    build_local *l = (build_local *)local;
    if (join->spill.on) {
        WR_TRY(write_chunks(l, join, err));
        WR_TRY(wr_join_writer_flush(&l->writer, err));
        wr_join_add_part(join, WR_JOIN_BUILD, wr_join_writer_take(&l->writer));
        l->counters.spilled_bytes += l->writer.spilled_bytes;
        wr_join_writer_deinit(&l->writer);
        l->has_writer = false;
        return WR_OK;
    }
    give_rest(l, join);
    wr_mutex_lock(&join->lock); /* the finish may have to spill, too */
    ((build_sink *)sink)->cushion_bytes += l->cushion_bytes;
    wr_mutex_unlock(&join->lock);
    l->cushion_bytes = 0;
    return WR_OK;
}

/* ---- finishing: the items ---- */

/* Every page where it belongs: those of partitions in memory in `resident`, the others with a part. */
static wr_status sort_out_pages(wr_join *join, wr_error *err) {
    wr_join_part *strays = wr_alloc_zeroed(join->allocator, sizeof *strays);
    if (!strays) return wr_fail_memory(err, sizeof *strays, "hash join build");
    for (uint32_t p = 0; p < WR_PARTITIONS; p++) {
        bool out = join->spill.out >> p & 1;
        if (out) wr_row_list_join(&strays->rows[p].pages, &join->spill.resident[p]);
        for (wr_join_part *part = join->spill.parts[WR_JOIN_BUILD]; part && !out; part = part->next) {
            wr_row_list_join(&join->spill.resident[p], &part->rows[p].pages);
        }
    }
    wr_join_add_part(join, WR_JOIN_BUILD, strays);
    return WR_OK;
}

static uint64_t resident_rows(const wr_join *join) {
    if (!join->spill.on) return join->build_rows;
    uint64_t rows = 0;
    for (uint32_t p = 0; p < WR_PARTITIONS; p++) rows += join->spill.resident[p].row_count;
    return rows;
}

/* The index, and one column twice. */
static size_t table_bytes(const wr_join *join, uint64_t rows) {
    size_t widest = 0;
    for (uint32_t c = 0; c < join->store.count; c++) {
        size_t bytes = wr_phys_bytes(wr_type_phys(join->store.types[c]));
        if (bytes > widest) widest = bytes;
    }
    return wr_index_bytes(join, rows) + rows * widest + rows / 4;
}

/* So many partitions that the others, with their index, fit what there is, and a little less. */
static uint32_t partitions_too_many(const wr_join *join, size_t needed) {
    double have = (double)join->chunk_bytes + (double)wr_budget_available(join->budget);
    double all = (double)join->chunk_bytes + (double)needed;
    /* The machine may refuse what no limit forbids: then one goes. */
    double keep = WR_PARTITIONS * 0.75 * have / all;
    if (keep > WR_PARTITIONS - 1) keep = WR_PARTITIONS - 1;
    return WR_PARTITIONS - (uint32_t)keep;
}

static void count_spilled(build_sink *s, uint64_t bytes) {
    wr_node_count(&s->sink.base, &(wr_counters){.spilled_bytes = bytes});
}

static void release_cushion(build_sink *s) {
    wr_budget_release(s->join->budget, s->cushion_bytes);
    s->cushion_bytes = 0;
}

static wr_status admit_table(build_sink *s, wr_flow *flow, wr_waker *waker, wr_error *err) {
    wr_join *join = s->join;
    *flow = WR_NEED_INPUT;
    if (join->spill.on) WR_TRY(sort_out_pages(join, err));
    if (join->spill.on && join->chunk_count) return WR_OK; /* to be partitioned first */
    for (uint64_t evicted = 1; evicted;) {
        uint64_t rows = resident_rows(join);
        size_t needed = table_bytes(join, rows);
        bool fits = rows < WR_JOIN_NO_ROW;
        if (rows == 0) return WR_OK;
        wr_budget_answer answer = fits ? wr_budget_request(join->budget, needed, waker) : WR_BUDGET_SPILL_SELF;
        if (answer == WR_BUDGET_GRANTED) {
            s->granted_bytes = needed;
            return WR_OK;
        }
        if (answer == WR_BUDGET_PARKED) {
            *flow = WR_BLOCKED;
            return WR_OK;
        }
        release_cushion(s);
        if (!join->spill.on) {
            begin_spilling(join, fits ? partitions_too_many(join, needed) : WR_PARTITIONS);
            return WR_OK;
        }
        WR_TRY(wr_join_evict(join, &evicted, err));
        count_spilled(s, evicted);
    }
    return WR_OK;
}

static wr_status partition_item(build_sink *s, wr_error *err) {
    wr_join *join = s->join;
    build_local *l;
    WR_TRY(make_local(&l, join, err));
    wr_status status = write_chunks(l, join, err);
    if (status == WR_OK) status = wr_join_writer_flush(&l->writer, err);
    if (l->writer.part) wr_join_add_part(join, WR_JOIN_BUILD, wr_join_writer_take(&l->writer));
    count_spilled(s, l->counters.spilled_bytes + l->writer.spilled_bytes);
    drop_local(l, join);
    return status;
}

/* ---- rows that come from elsewhere ---- */

static wr_status collect(build_local *l, wr_join *join, const wr_batch *in, const wr_keys *keys, wr_error *err) {
    for (uint32_t c = 0; c < join->store.count; c++) l->columns[c] = &in->columns[join->store.positions[c]];
    WR_TRY(reserve(l, join, in->row_count, err));
    WR_TRY(store_batch(l, join, in, l->columns, keys, err));
    if (l->current[0]) l->current[0]->text_bytes += long_string_bytes(join, in);
    return WR_OK;
}

wr_status wr_join_collector_create(wr_join_collector **out, wr_join *join, wr_join_chunk **list, uint32_t row_count,
                                   wr_error *err) {
    WR_TRY(make_local(out, join, err));
    (*out)->list = list;
    (*out)->expected_rows = row_count;
    return WR_OK;
}

wr_status wr_join_collector_add(wr_join_collector *c, wr_join *join, const wr_batch *in, wr_error *err) {
    const wr_vector *columns[WR_JOIN_KEYS_MAX];
    wr_keys keys;
    for (uint32_t k = 0; k < join->keys.part_count; k++) columns[k] = &in->columns[join->build_keys[k]];
    WR_TRY(wr_keys_compute(&join->keys, &c->scratch, columns, in->sel, in->sel_count, &keys, err));
    return collect(c, join, in, &keys, err);
}

void wr_join_collector_finish(wr_join_collector *c, wr_join *join) {
    give_rest(c, join);
    drop_local(c, join);
}

wr_status wr_join_load_chunks(wr_join *join, wr_join_reader *reader, size_t limit_bytes, wr_join_chunk **list,
                              bool *more, wr_error *err) {
    build_local *l;
    WR_TRY(make_local(&l, join, err));
    l->list = list;
    l->chunk_number = reader->index << 20;
    wr_status status = WR_OK;
    *more = true;
    while (status == WR_OK && l->list_bytes < limit_bytes && !join->exec->cancelled) {
        status = wr_join_reader_next(reader, more, err);
        if (status != WR_OK || !*more) break;
        status = collect(l, join, &reader->batch, &reader->keys, err);
    }
    if (status == WR_OK) give_rest(l, join);
    drop_local(l, join);
    return status;
}

static wr_status load_item(wr_join *join, uint32_t partition, wr_error *err) {
    wr_join_part *part = wr_alloc_zeroed(join->allocator, sizeof *part);
    if (!part) return wr_fail_memory(err, sizeof *part, "hash join build");
    wr_mutex_lock(&join->lock);
    wr_row_list_join(&part->rows[partition].pages, &join->spill.resident[partition]);
    wr_mutex_unlock(&join->lock);
    wr_join_reader reader;
    bool more;
    wr_status status = wr_join_reader_init(&reader, join, WR_JOIN_BUILD, part, partition, false, err);
    if (status == WR_OK) status = wr_join_load_chunks(join, &reader, SIZE_MAX, NULL, &more, err);
    wr_join_reader_deinit(&reader);
    wr_join_parts_destroy(&part, join);
    return status;
}

/* ---- finishing: the phases ---- */

static wr_status begin_table(build_sink *s, wr_error *err) {
    wr_join *join = s->join;
    s->phase = FINISH_TABLE;
    release_cushion(s);
    join->chunk_bytes = 0;
    join->chunk_count = 0;
    wr_budget_set_spillable(join->budget, 0);
    return wr_table_build_create(&s->build, &join->table, join, &join->chunks, join->exec->thread_count, err);
}

/* The next phase that has items, or DONE. Alone. */
static wr_status next_phase(build_sink *s, uint32_t *items, wr_error *err) {
    wr_join *join = s->join;
    *items = 0;
    if (s->phase == FINISH_ADMIT && join->spill.on && join->chunk_count) {
        s->phase = FINISH_PARTITION;
        *items = join->exec->thread_count;
        return WR_OK;
    }
    if (s->phase == FINISH_PARTITION) {
        s->phase = FINISH_ADMIT;
        *items = 1;
        return WR_OK;
    }
    if (s->phase == FINISH_ADMIT && join->spill.on) {
        s->phase = FINISH_LOAD;
        *items = WR_PARTITIONS;
        return WR_OK;
    }
    if (s->phase != FINISH_TABLE) WR_TRY(begin_table(s, err));
    WR_TRY(wr_table_build_advance(s->build, items, err));
    if (*items) return WR_OK;
    wr_table_build_destroy(s->build);
    s->build = NULL;
    WR_TRY(wr_join_publish(join, err));
    wr_budget_settle(join->budget, s->granted_bytes);
    s->granted_bytes = 0;
    s->phase = FINISH_DONE;
    return WR_OK;
}

static wr_status run_item(build_sink *s, uint32_t item, wr_flow *flow, wr_waker *waker, wr_error *err) {
    *flow = WR_NEED_INPUT;
    switch ((enum finish_phase)s->phase) {
    case FINISH_ADMIT: return admit_table(s, flow, waker, err);
    case FINISH_PARTITION: return partition_item(s, err);
    case FINISH_LOAD: return load_item(s->join, item, err);
    default: return wr_table_build_item(s->build, item, err);
    }
}

/* The last item of a phase is done; `advancing` keeps others away. */
static wr_status advance(build_sink *s, wr_error *err) {
    uint32_t items;
    WR_TRY(next_phase(s, &items, err));
    wr_mutex_lock(&s->join->lock);
    s->item_next = s->item_done = 0;
    s->item_count = items;
    s->advancing = false;
    s->finished = s->phase == FINISH_DONE;
    wr_waker *waiting = s->waiting;
    s->waiting = NULL;
    wr_mutex_unlock(&s->join->lock);
    wr_wakers_wake(waiting);
    return WR_OK;
}

static wr_status build_finish(wr_sink *sink, uint32_t task, wr_flow *flow, wr_waker *waker, wr_error *err) {
    (void)task;
    build_sink *s = (build_sink *)sink;
    wr_join *join = s->join;
    wr_mutex_lock(&join->lock);
    bool done = s->finished, claimed = !done && !s->advancing && s->item_next < s->item_count;
    uint32_t item = s->item_next;
    if (claimed) s->item_next++;
    if (!done && !claimed) wr_wakers_park(&s->waiting, waker);
    wr_mutex_unlock(&join->lock);
    *flow = done ? WR_DONE : WR_BLOCKED;
    if (!claimed) return WR_OK;
    WR_TRY(run_item(s, item, flow, waker, err));
    wr_mutex_lock(&join->lock);
    if (*flow == WR_BLOCKED) {
        s->item_next--; /* of a phase with one item */
    } else {
        s->advancing = ++s->item_done == s->item_count;
    }
    bool last = s->advancing && *flow != WR_BLOCKED;
    wr_mutex_unlock(&join->lock);
    return last ? advance(s, err) : WR_OK;
}

static wr_status build_control(wr_sink *sink, const wr_control *control, uint32_t *task_count, wr_error *err) {
    (void)err;
    build_sink *s = (build_sink *)sink;
    *task_count = 0;
    if (control->kind != WR_END) return WR_OK;
    s->phase = FINISH_ADMIT;
    s->item_count = 1;
    *task_count = s->join->build_rows >= FINISH_PARALLEL_ROWS || s->join->spill.on ? s->join->exec->thread_count : 1;
    return WR_OK;
}

static void build_destroy(wr_sink *sink) {
    build_sink *s = (build_sink *)sink;
    wr_join *join = s->join;
    wr_allocator *a = join->exec->allocator;
    wr_table_build_destroy(s->build);
    if (s->granted_bytes) wr_budget_settle(join->budget, s->granted_bytes);
    release_cushion(s);
    sink->base.budget = NULL; /* the join's */
    wr_node_base_deinit(&sink->base);
    wr_free(a, s, sizeof *s);
    wr_join_release(join);
}

static const wr_sink_ops build_ops = {
    .name = "JOIN BUILD",
    .destroy = build_destroy,
    .local_create = build_local_create,
    .local_destroy = build_local_destroy,
    .consume = build_consume,
    .combine = build_combine,
    .control = build_control,
    .finish = build_finish,
    .relieve = build_relieve,
};

wr_status wr_join_build_sink(wr_join *join, wr_sink **out, wr_error *err) {
    build_sink *s = wr_alloc_zeroed(join->exec->allocator, sizeof *s);
    if (!s) return wr_fail_memory(err, sizeof *s, "hash join build");
    wr_node_base_init(&s->sink.base, join->exec, "JOIN BUILD", join->logical_id);
    s->sink.base.budget = join->budget;
    s->sink.ops = &build_ops;
    s->join = wr_join_retain(join);
    *out = &s->sink;
    return WR_OK;
}
