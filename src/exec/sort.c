/* Sorting in memory: rows in row pages, an entry for each with its place in the order of arrival, merge sort of entries. */
#include "column/row_page.h"
#include "exec/sort.h"

enum { MORSEL_BATCHES = 32 };

/* Rows arrive in the order (source, morsel, number in the morsel). */
typedef struct entry {
    uint8_t *row;
    uint64_t morsel, number;
    uint32_t source;
} entry;

typedef struct rows {
    wr_row_list list;
    entry *entries;
    uint32_t count, capacity;
} rows;

typedef struct sort_state {
    uint32_t refs; /* sink and source; both die with the query, on one thread */
    wr_allocator *allocator;
    wr_row_layout layout;
    wr_sort_column *keys;
    uint32_t key_count, column_count, batch_rows;
    uint64_t first, end; /* of the order: what comes out */
    wr_mutex lock;       /* of `all` while it is filled */
    rows all;
    uint64_t next; /* row to hand out */
    uint64_t morsel_index;
} sort_state;

typedef struct sort_sink {
    wr_sink sink;
    sort_state *state;
} sort_sink;
typedef struct sort_source {
    wr_source source;
    sort_state *state;
} sort_source;

typedef struct sink_local {
    rows rows;
    wr_ordinal last;
    uint64_t number;
    uint8_t **addresses; /* of a batch */
    uint32_t *positions;
} sink_local;

typedef struct source_local {
    wr_batch out;
    uint8_t **addresses;
    uint64_t at;
} source_local;

static void rows_deinit(rows *r, wr_allocator *a) {
    wr_row_list_destroy(&r->list, a);
    wr_free(a, r->entries, sizeof(entry) * r->capacity);
    *r = (rows){0};
}

static void state_release(sort_state *s) {
    if (--s->refs) return;
    wr_allocator *a = s->allocator;
    rows_deinit(&s->all, a);
    wr_row_layout_deinit(&s->layout);
    wr_free(a, s->keys, sizeof(wr_sort_column) * s->key_count);
    wr_mutex_deinit(&s->lock);
    wr_free(a, s, sizeof *s);
}

/* ---- the order ---- */

static int compare_rows(const sort_state *s, const uint8_t *a, const uint8_t *b) {
    for (uint32_t k = 0; k < s->key_count; k++) {
        const wr_sort_column *key = &s->keys[k];
        bool valid_a = wr_row_is_valid(a, key->column), valid_b = wr_row_is_valid(b, key->column);
        if (valid_a != valid_b) return valid_a == key->nulls_first ? 1 : -1;
        int order = valid_a ? wr_row_compare(&s->layout, key->column, a, b) : 0;
        if (order) return key->descending ? -order : order;
    }
    return 0;
}

static bool is_before(const sort_state *s, const entry *a, const entry *b) {
    int order = compare_rows(s, a->row, b->row);
    if (order) return order < 0;
    if (a->source != b->source) return a->source < b->source;
    return a->morsel != b->morsel ? a->morsel < b->morsel : a->number < b->number;
}

static void sort_entries(const sort_state *s, entry *items, entry *scratch, uint32_t count) {
    if (count < 2) return;
    uint32_t half = count / 2, left = 0, right = half, to = 0;
    sort_entries(s, items, scratch, half);
    sort_entries(s, items + half, scratch + half, count - half);
    while (left < half && right < count) {
        bool take_right = is_before(s, &items[right], &items[left]);
        scratch[to++] = items[take_right ? right++ : left++];
    }
    while (left < half) scratch[to++] = items[left++];
    memcpy(items, scratch, sizeof(entry) * to);
}

/* ---- the sink ---- */

static void sink_local_destroy(wr_sink *sink, wr_local *local) {
    sink_local *l = (sink_local *)local;
    sort_state *s = ((sort_sink *)sink)->state;
    rows_deinit(&l->rows, s->allocator);
    wr_free(s->allocator, l->addresses, sizeof(uint8_t *) * WR_BATCH_ROWS_MAX);
    wr_free(s->allocator, l->positions, sizeof(uint32_t) * WR_BATCH_ROWS_MAX);
    wr_free(s->allocator, l, sizeof *l);
}

static wr_status sink_local_create(wr_sink *sink, wr_local **out, wr_error *err) {
    sort_state *s = ((sort_sink *)sink)->state;
    sink_local *l = wr_alloc_zeroed(s->allocator, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "sort");
    l->addresses = wr_alloc(s->allocator, sizeof(uint8_t *) * WR_BATCH_ROWS_MAX);
    l->positions = wr_alloc(s->allocator, sizeof(uint32_t) * WR_BATCH_ROWS_MAX);
    if (!l->addresses || !l->positions) {
        sink_local_destroy(sink, (wr_local *)l);
        return wr_fail_memory(err, sizeof(uint8_t *) * WR_BATCH_ROWS_MAX, "sort");
    }
    *out = (wr_local *)l;
    return WR_OK;
}

static wr_status sink_consume(wr_sink *sink, wr_local *local, wr_batch *in, wr_flow *flow, wr_waker *waker, wr_error *err) {
    (void)waker;
    sort_state *s = ((sort_sink *)sink)->state;
    sink_local *l = (sink_local *)local;
    rows *r = &l->rows;
    uint32_t count = in->sel_count;
    *flow = s->end == s->first ? WR_DONE : WR_NEED_INPUT;
    if (!count || *flow == WR_DONE) return WR_OK;
    if (in->ordinal.source != l->last.source || in->ordinal.morsel != l->last.morsel) l->number = 0;
    l->last = in->ordinal;
    WR_TRY(wr_grow(s->allocator, (void **)&r->entries, &r->capacity, r->count, count, sizeof(entry), err));
    for (uint32_t i = 0; i < count; i++) l->positions[i] = in->sel ? in->sel[i] : i;
    WR_TRY(wr_row_append(&r->list, s->allocator, &s->layout, WR_ROW_PAGE_MAX, in->columns, l->positions, count, l->addresses, err));
    for (uint32_t i = 0; i < count; i++) {
        r->entries[r->count++] = (entry){l->addresses[i], in->ordinal.morsel, l->number++, in->ordinal.source};
    }
    return WR_OK;
}

static wr_status sink_combine(wr_sink *sink, wr_local *local, wr_error *err) {
    sort_state *s = ((sort_sink *)sink)->state;
    rows *from = &((sink_local *)local)->rows, *to = &s->all;
    wr_mutex_lock(&s->lock);
    wr_status status = wr_grow(s->allocator, (void **)&to->entries, &to->capacity, to->count, from->count, sizeof(entry), err);
    if (status == WR_OK) {
        if (from->count) memcpy(to->entries + to->count, from->entries, sizeof(entry) * from->count);
        to->count += from->count;
        from->count = 0;
        wr_row_list_join(&to->list, &from->list);
    }
    wr_mutex_unlock(&s->lock);
    return status;
}

static wr_status sink_control(wr_sink *sink, const wr_control *control, uint32_t *task_count, wr_error *err) {
    sort_state *s = ((sort_sink *)sink)->state;
    *task_count = 0;
    if (control->kind != WR_END || !s->all.count) return WR_OK;
    size_t bytes = sizeof(entry) * s->all.count;
    entry *scratch = wr_alloc(s->allocator, bytes);
    if (!scratch) return wr_fail_memory(err, bytes, "sort");
    sort_entries(s, s->all.entries, scratch, s->all.count);
    wr_free(s->allocator, scratch, bytes);
    s->next = s->first < s->all.count ? s->first : s->all.count;
    if (s->end > s->all.count) s->end = s->all.count;
    return WR_OK;
}

static void sink_destroy(wr_sink *sink) {
    wr_allocator *a = sink->base.exec->allocator;
    state_release(((sort_sink *)sink)->state);
    wr_node_base_deinit(&sink->base);
    wr_free(a, sink, sizeof(sort_sink));
}

static const wr_sink_ops sink_ops = {
    .name = "SORT",
    .destroy = sink_destroy,
    .local_create = sink_local_create,
    .local_destroy = sink_local_destroy,
    .consume = sink_consume,
    .combine = sink_combine,
    .control = sink_control,
};

/* ---- the source ---- */

static void source_local_destroy(wr_source *source, wr_local *local) {
    source_local *l = (source_local *)local;
    sort_state *s = ((sort_source *)source)->state;
    wr_batch_deinit(&l->out);
    wr_free(s->allocator, l->addresses, sizeof(uint8_t *) * s->batch_rows);
    wr_free(s->allocator, l, sizeof *l);
}

static wr_status source_local_create(wr_source *source, wr_local **out, wr_error *err) {
    sort_state *s = ((sort_source *)source)->state;
    source_local *l = wr_alloc_zeroed(s->allocator, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "sort");
    l->at = UINT64_MAX;
    l->addresses = wr_alloc(s->allocator, sizeof(uint8_t *) * s->batch_rows);
    wr_status status = l->addresses ? WR_OK : wr_fail_memory(err, sizeof(uint8_t *) * s->batch_rows, "sort");
    if (status == WR_OK) status = wr_batch_init(&l->out, s->allocator, s->column_count, err);
    if (status != WR_OK) {
        source_local_destroy(source, (wr_local *)l);
        return status;
    }
    *out = (wr_local *)l;
    return WR_OK;
}

static wr_status source_next(wr_source *source, wr_morsel *morsel, wr_control *control, wr_flow *flow, wr_waker *waker, wr_error *err) {
    (void)control;
    (void)waker;
    (void)err;
    sort_state *s = ((sort_source *)source)->state;
    uint64_t end = s->end < s->all.count ? s->end : s->all.count;
    *flow = s->next < end ? WR_HAVE_OUTPUT : WR_DONE;
    if (*flow == WR_DONE) return WR_OK;
    uint64_t count = (uint64_t)s->batch_rows * MORSEL_BATCHES;
    if (count > end - s->next) count = end - s->next;
    *morsel = (wr_morsel){.index = s->morsel_index++, .first = s->next, .count = count};
    s->next += count;
    return WR_OK;
}

static wr_status source_read(wr_source *source, wr_local *local, const wr_morsel *morsel, wr_batch **out, wr_flow *flow, wr_waker *waker,
                             wr_error *err) {
    (void)waker;
    sort_state *s = ((sort_source *)source)->state;
    source_local *l = (source_local *)local;
    if (l->at == UINT64_MAX) l->at = morsel->first;
    uint64_t left = morsel->first + morsel->count - l->at;
    uint32_t count = left < s->batch_rows ? (uint32_t)left : s->batch_rows;
    *flow = count ? WR_HAVE_OUTPUT : WR_NEED_INPUT;
    if (!count) {
        l->at = UINT64_MAX;
        return WR_OK;
    }
    for (uint32_t i = 0; i < count; i++) l->addresses[i] = s->all.entries[l->at + i].row;
    for (uint32_t c = 0; c < s->column_count; c++) {
        WR_TRY(wr_row_gather(&l->out.columns[c], s->allocator, &s->layout, c, l->addresses, count, true, err));
    }
    l->at += count;
    wr_batch_set_rows(&l->out, count);
    *out = &l->out;
    return WR_OK;
}

static void source_destroy(wr_source *source) {
    wr_allocator *a = source->base.exec->allocator;
    state_release(((sort_source *)source)->state);
    wr_node_base_deinit(&source->base);
    wr_free(a, source, sizeof(sort_source));
}

static const wr_source_ops source_ops = {
    .name = "SORT",
    .destroy = source_destroy,
    .local_create = source_local_create,
    .local_destroy = source_local_destroy,
    .next = source_next,
    .read = source_read,
};

/* ---- both ---- */

static wr_status state_init(sort_state *s, wr_exec *exec, const wr_sort_spec *spec, wr_error *err) {
    s->allocator = exec->allocator;
    s->key_count = spec->key_count;
    s->column_count = spec->column_count;
    s->batch_rows = exec->batch_rows;
    s->first = spec->limit ? spec->offset : 0;
    s->end = spec->limit > UINT64_MAX - s->first ? UINT64_MAX : s->first + spec->limit;
    if (s->key_count) memcpy(s->keys, spec->keys, sizeof(wr_sort_column) * s->key_count);
    return wr_row_layout_init(&s->layout, s->allocator, spec->types, spec->column_count, 0, 0, err);
}

wr_status wr_sort_create(wr_exec *exec, const wr_sort_spec *spec, wr_sink **sink, wr_source **source, wr_error *err) {
    wr_allocator *a = exec->allocator;
    sort_state *s = wr_alloc_zeroed(a, sizeof *s);
    sort_sink *in = wr_alloc_zeroed(a, sizeof *in);
    sort_source *from = wr_alloc_zeroed(a, sizeof *from);
    wr_sort_column *keys = wr_alloc(a, sizeof(wr_sort_column) * spec->key_count);
    wr_status status = s && in && from && keys ? WR_OK : wr_fail_memory(err, sizeof *s, "sort");
    if (status == WR_OK) {
        s->keys = keys;
        status = state_init(s, exec, spec, err);
    }
    if (status != WR_OK) {
        if (s) wr_row_layout_deinit(&s->layout);
        wr_free(a, keys, sizeof(wr_sort_column) * spec->key_count);
        wr_free(a, s, sizeof *s);
        wr_free(a, in, sizeof *in);
        wr_free(a, from, sizeof *from);
        return status;
    }
    s->refs = 2;
    wr_mutex_init(&s->lock);
    in->sink.ops = &sink_ops;
    in->state = from->state = s;
    from->source.ops = &source_ops;
    wr_node_base_init(&in->sink.base, exec, "SORT", spec->logical_id);
    wr_node_base_init(&from->source.base, exec, "SORT", spec->logical_id);
    *sink = &in->sink;
    *source = &from->source;
    return WR_OK;
}
