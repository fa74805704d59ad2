/* Aggregation of input that comes ordered by a key: an operator, with a late source for what it keeps.
 *
 * Footers have proven that the morsels' ranges of the key touch at most at their ends. So a group whose key lies
 * strictly inside its morsel's range is complete at the morsel's end and leaves at once; groups at either end, and
 * those whose ordering key is NULL, are kept aside: a few for each morsel, merged when the input has ended, and given
 * by the late source. Nothing is ever held but one morsel's groups.
 *
 * Inside a morsel any order is right: the groups are in a table. With one integer key that rises, groups are runs of
 * rows and the table needs no directory; where a key falls, the rest of the morsel is hashed (the table gets its
 * directory when it is next looked into). A morsel with more groups than a table should hold goes to the partitions of
 * the late source as a whole.
 *
 * That ranges touch at most at their ends is checked when all of them are known. It is the files' promise: where it is
 * broken, groups have left that were not complete, and the query fails, naming it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "exec/aggregate_internal.h"

/* What a morsel's ordering keys lie between, as values extended to 64 bits. */
typedef struct key_range {
    uint64_t morsel;
    uint64_t low, high;
} key_range;

typedef struct range_list {
    struct range_list *next; /* of another task */
    key_range *items;
    uint32_t count, capacity;
} range_list;

typedef struct ordered_aggregate {
    wr_operator op;
    wr_aggregation *shared;
    uint32_t order_key;
    bool is_signed;
    bool runs;          /* one integer key: groups may be runs */
    range_list *ranges; /* under the aggregation's lock */
} ordered_aggregate;

typedef struct ordered_local {
    wr_agg_groups *kept;  /* groups at the ends of morsels, and morsels that were too large */
    wr_agg_states states; /* of the morsel's table */
    wr_agg_table table;
    wr_agg_keys keys;
    uint64_t morsel;
    bool rising;      /* all keys of the morsel so far: the table has no directory */
    bool overflowed;  /* some of the morsel's groups are in the partitions: all of them have to go there */
    bool ending;      /* its groups are being given */
    uint64_t last;    /* rising: key of the last row */
    uint32_t at, end; /* groups to give */
    range_list *ranges;
    uint32_t *row_groups, *missed;
    uint32_t capacity;
    const wr_vector **columns;
    wr_vector starts; /* keys of the rows that begin a run */
    wr_vector flat;   /* keys of a batch that came as codes */
    wr_batch out;
    wr_counters counters;
} ordered_local;

/* ---- making and ending ---- */

static void free_ranges(ordered_aggregate *o, range_list *list) {
    wr_allocator *a = o->shared->plan.allocator;
    for (range_list *next; list; list = next) {
        next = list->next;
        wr_free(a, list->items, sizeof *list->items * list->capacity);
        wr_free(a, list, sizeof *list);
    }
}

static void ordered_destroy(wr_operator *op) {
    ordered_aggregate *o = (ordered_aggregate *)op;
    wr_allocator *a = op->base.exec->allocator;
    op->base.budget = NULL; /* the aggregation's, which outlives whoever goes first */
    wr_node_base_deinit(&op->base);
    free_ranges(o, o->ranges);
    wr_aggregation_release(o->shared);
    wr_free(a, o, sizeof *o);
}

static size_t columns_bytes(const wr_agg_plan *plan) {
    return sizeof(wr_vector *) * (plan->key_count + 1);
}

/* The end of a task: what it kept goes to the others'. */
static void ordered_local_destroy(wr_operator *op, wr_local *local) {
    ordered_aggregate *o = (ordered_aggregate *)op;
    ordered_local *l = (ordered_local *)local;
    wr_aggregation *g = o->shared;
    wr_allocator *a = g->plan.allocator;
    wr_node_count(&op->base, &l->counters);
    if (l->kept) wr_aggregation_hand_over(g, l->kept);
    if (l->ranges) {
        wr_mutex_lock(&g->lock);
        l->ranges->next = o->ranges;
        o->ranges = l->ranges;
        wr_mutex_unlock(&g->lock);
    }
    wr_agg_table_deinit(&l->table);
    wr_agg_states_deinit(&l->states);
    wr_agg_keys_deinit(&l->keys);
    wr_vector_deinit(&l->starts);
    wr_vector_deinit(&l->flat);
    wr_batch_deinit(&l->out);
    wr_free(a, l->row_groups, sizeof *l->row_groups * l->capacity);
    wr_free(a, l->missed, sizeof *l->missed * l->capacity);
    if (l->columns) wr_free(a, l->columns, columns_bytes(&g->plan));
    wr_free(a, l, sizeof *l);
}

static wr_status fill_local(ordered_aggregate *o, ordered_local *l, wr_error *err) {
    wr_aggregation *g = o->shared;
    wr_allocator *a = g->plan.allocator;
    WR_TRY(wr_agg_states_init(&l->states, &g->plan, err));
    wr_agg_table_init(&l->table, &g->plan, &l->states, g->plan.table_groups);
    WR_TRY(wr_agg_keys_init(&l->keys, &g->plan, err));
    WR_TRY(wr_batch_init(&l->out, g->exec->allocator, g->plan.key_count + g->plan.call_count, err));
    l->columns = wr_alloc_zeroed(a, columns_bytes(&g->plan));
    l->ranges = wr_alloc_zeroed(a, sizeof *l->ranges);
    if (!l->columns || !l->ranges) return wr_fail_memory(err, sizeof *l->ranges, "aggregation");
    return wr_aggregation_acquire(g, &l->kept, err);
}

static wr_status ordered_local_create(wr_operator *op, wr_local **out, wr_error *err) {
    ordered_aggregate *o = (ordered_aggregate *)op;
    ordered_local *l = wr_alloc_zeroed(o->shared->plan.allocator, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "aggregation");
    wr_status status = fill_local(o, l, err);
    if (status != WR_OK) {
        ordered_local_destroy(op, (wr_local *)l);
        return status;
    }
    l->rising = o->runs;
    *out = (wr_local *)l;
    return WR_OK;
}

static wr_status reserve_rows(ordered_local *l, uint32_t count, wr_error *err) {
    if (count < l->capacity) return WR_OK;
    wr_allocator *a = l->table.plan->allocator;
    wr_free(a, l->row_groups, sizeof *l->row_groups * l->capacity);
    wr_free(a, l->missed, sizeof *l->missed * l->capacity);
    l->capacity = (count + 127) & ~63u; /* kernels read behind the end */
    l->row_groups = wr_alloc(a, sizeof *l->row_groups * l->capacity);
    l->missed = wr_alloc(a, sizeof *l->missed * l->capacity);
    return l->row_groups && l->missed ? WR_OK : wr_fail_memory(err, sizeof *l->missed * l->capacity, "aggregation");
}

/* ---- rows ---- */

/* Rows whose key is the one before share its group; the others begin one. *rises is false when a key falls, and then
 * nothing was changed. */
static wr_status find_runs(ordered_local *l, const wr_vector *v, uint32_t count, bool *rises, wr_error *err) {
    wr_agg_table *t = &l->table;
    const wr_agg_plan *plan = t->plan;
    size_t width = wr_phys_bytes((wr_phys)v->phys);
    bool first = t->count == 0;
    uint32_t begun;
    const void *previous = first ? v->data : &l->last;
    *rises = plan->kernels->group->runs[v->phys](v->data, count, previous, first ? 0 : t->count - 1, l->row_groups,
                                                 l->missed + first, &begun);
    if (!*rises) return WR_OK;
    if (first) l->missed[0] = 0; /* the first row of all begins a group, whatever its key */
    memcpy(&l->last, (const uint8_t *)v->data + (count - 1) * width, width);
    if (!begun && !first) return WR_OK;
    WR_TRY(wr_vector_gather32(&l->starts, plan->allocator, v, l->missed, begun + first, err));
    const wr_vector *starts = &l->starts;
    WR_TRY(wr_agg_keys_of_columns(&l->keys, &starts, begun + first, err));
    return wr_agg_table_append(t, &l->keys, l->missed, err);
}

/* The morsel's groups so far to the partitions, because they are too many for a table. */
static wr_status overflow(ordered_local *l, wr_error *err) {
    l->overflowed = true;
    uint64_t before = l->kept->parts.spilled_bytes;
    WR_TRY(wr_agg_flush_tight(&l->kept->parts, &l->table, err));
    l->counters.spilled_bytes += l->kept->parts.spilled_bytes - before;
    return WR_OK;
}

static wr_status find_groups(ordered_aggregate *o, ordered_local *l, uint32_t count, wr_error *err) {
    wr_agg_table *t = &l->table;
    if (l->rising) {
        const wr_vector *v = l->columns[0];
        bool rises = false;
        if (t->count + count <= t->plan->table_groups) {
            if (v->kind != WR_FLAT) { /* values cost less than what codes would need instead: a look into a table */
                WR_TRY(wr_vector_flatten(&l->flat, t->plan->allocator, v, err));
                v = &l->flat;
            }
            if (!v->validity) WR_TRY(find_runs(l, v, count, &rises, err));
        }
        if (rises) return WR_OK;
        l->rising = false;
        WR_TRY(wr_agg_table_index(t, err));
    }
    WR_TRY(wr_agg_keys_of_columns(&l->keys, l->columns, count, err));
    uint32_t missed_count = wr_agg_table_probe(t, &l->keys, l->row_groups, l->missed);
    bool full = (uint64_t)t->count + missed_count > o->shared->plan.table_groups;
    if (t->count && missed_count && full) {
        WR_TRY(overflow(l, err));
        missed_count = wr_agg_table_probe(t, &l->keys, l->row_groups, l->missed);
    }
    return wr_agg_table_insert(t, &l->keys, l->missed, missed_count, l->row_groups, err);
}

/* Room for the table to double. Where there is none, the morsel goes to the partitions. */
static wr_status make_room(ordered_aggregate *o, ordered_local *l, uint32_t row_count, wr_flow *flow, wr_waker *waker,
                           wr_error *err) {
    const wr_agg_table *t = &l->table;
    if (!t->count || t->count + row_count <= t->capacity) return WR_OK;
    size_t need = ((size_t)t->capacity + row_count) * (2 * t->plan->entry_bytes + 16);
    switch (wr_budget_request(o->shared->budget, need, waker)) {
    case WR_BUDGET_GRANTED: wr_budget_settle(o->shared->budget, need); return WR_OK;
    case WR_BUDGET_PARKED: *flow = WR_BLOCKED; return WR_OK;
    default: return overflow(l, err);
    }
}

static wr_status ordered_push(wr_operator *op, wr_local *local, wr_batch *in, wr_batch **out, wr_flow *flow,
                              wr_waker *waker, wr_error *err) {
    (void)out;
    ordered_aggregate *o = (ordered_aggregate *)op;
    ordered_local *l = (ordered_local *)local;
    wr_aggregation *g = o->shared;
    *flow = WR_NEED_INPUT;
    if (in->sel) WR_TRY(wr_batch_compact(in, err));
    if (!in->row_count) return WR_OK;
    WR_TRY(reserve_rows(l, in->row_count, err));
    for (uint32_t k = 0; k < g->plan.key_count; k++) l->columns[k] = &in->columns[g->plan.keys[k].spec.column];
    l->morsel = in->ordinal.morsel;
    WR_TRY(make_room(o, l, in->row_count, flow, waker, err));
    if (*flow == WR_BLOCKED) return WR_OK;
    WR_TRY(find_groups(o, l, in->row_count, err));
    WR_TRY(wr_agg_states_update(&l->states, in, l->table.entries, l->row_groups, 0, err));
    return WR_OK;
}

/* ---- the end of a morsel ---- */

/* The ordering key of entry `index` as a value extended to 64 bits; false when it is NULL. */
static bool entry_key(const ordered_aggregate *o, const wr_agg_table *t, uint32_t index, uint64_t *value) {
    const wr_agg_plan *plan = t->plan;
    const wr_agg_key *key = &plan->keys[o->order_key];
    const uint8_t *entry = t->entries + (size_t)index * plan->entry_bytes;
    if (plan->mode != WR_AGG_ROWS) {
        uint64_t word;
        memcpy(&word, entry + 8 * key->word, 8);
        if (key->spec.nullable && (word >> key->field.null_shift & 1)) return false;
        uint64_t mask = key->field.range ? UINT64_MAX >> __builtin_clzll(key->field.range) : 0;
        *value = ((word >> key->field.shift) & mask) + key->field.base;
        return true;
    }
    const uint8_t *row;
    memcpy(&row, entry, sizeof row);
    if (!wr_row_is_valid(row, o->order_key)) return false;
    const void *cell = row + plan->key_layout.columns[o->order_key].offset;
    switch (key->phys) {
    case WR_PHYS_I8: *value = (uint64_t)(int64_t) * (const int8_t *)cell; break;
    case WR_PHYS_I16: *value = (uint64_t)(int64_t) * (const int16_t *)cell; break;
    case WR_PHYS_I32: *value = (uint64_t)(int64_t) * (const int32_t *)cell; break;
    case WR_PHYS_U8: *value = *(const uint8_t *)cell; break;
    case WR_PHYS_U16: *value = *(const uint16_t *)cell; break;
    case WR_PHYS_U32: *value = *(const uint32_t *)cell; break;
    default: *value = *(const uint64_t *)cell; break;
    }
    return true;
}

static bool below(const ordered_aggregate *o, uint64_t a, uint64_t b) {
    return o->is_signed ? (int64_t)a < (int64_t)b : a < b;
}

/* The range of the morsel's ordering keys; false when all are NULL. */
static bool find_range(const ordered_aggregate *o, const ordered_local *l, key_range *range) {
    const wr_agg_table *t = &l->table;
    bool any = false;
    *range = (key_range){.morsel = l->morsel};
    if (l->rising) {
        return entry_key(o, t, 0, &range->low) && entry_key(o, t, t->count - 1, &range->high);
    }
    for (uint32_t i = 0; i < t->count; i++) {
        uint64_t value;
        if (!entry_key(o, t, i, &value)) continue;
        if (!any || below(o, value, range->low)) range->low = value;
        if (!any || below(o, range->high, value)) range->high = value;
        any = true;
    }
    return any;
}

static void swap_entries(wr_agg_table *t, uint32_t i, uint32_t j) {
    enum { PIECE = 64 };
    uint8_t piece[PIECE];
    const uint32_t bytes = t->plan->entry_bytes;
    uint8_t *a = t->entries + (size_t)i * bytes, *b = t->entries + (size_t)j * bytes;
    for (uint32_t at = 0; i != j && at < bytes; at += PIECE) {
        uint32_t n = bytes - at < PIECE ? bytes - at : PIECE;
        memcpy(piece, a + at, n);
        memcpy(a + at, b + at, n);
        memcpy(b + at, piece, n);
    }
}

/* Moves the groups at the range's ends, and those of NULL, behind the others; how many others there are. */
static uint32_t part_edges(const ordered_aggregate *o, wr_agg_table *t, const key_range *range, bool rising) {
    uint32_t inner = 0;
    if (rising) { /* the ends are the first and the last */
        if (t->count <= 2) return 0;
        swap_entries(t, 0, t->count - 2);
        return t->count - 2;
    }
    for (uint32_t i = 0; i < t->count; i++) {
        uint64_t value;
        bool edge = !entry_key(o, t, i, &value) || value == range->low || value == range->high;
        if (!edge) swap_entries(t, i, inner++);
    }
    return inner;
}

/* Entries [first, count) of the morsel's table to the groups that are kept. */
static wr_status keep_edges(ordered_local *l, uint32_t first, wr_error *err) {
    enum { CHUNK = 512 };
    uint32_t groups[CHUNK + 64], missed[CHUNK + 1];
    wr_agg_table *t = &l->table, *kept = &l->kept->table;
    const wr_agg_plan *plan = t->plan;
    while (t->count > first) {
        uint32_t n = t->count - first < CHUNK ? t->count - first : CHUNK;
        uint8_t *entries = t->entries + (size_t)(t->count - n) * plan->entry_bytes;
        WR_TRY(wr_agg_keys_of_entries(&l->keys, entries, plan->entry_bytes, n, false, err));
        uint32_t missed_count = wr_agg_table_probe(kept, &l->keys, groups, missed);
        if (kept->count && (uint64_t)kept->count + missed_count > plan->table_groups) {
            WR_TRY(wr_agg_flush_tight(&l->kept->parts, kept, err));
            missed_count = wr_agg_table_probe(kept, &l->keys, groups, missed);
        }
        uint32_t old_count = kept->count;
        WR_TRY(wr_agg_table_insert(kept, &l->keys, missed, missed_count, groups, err));
        if (plan->mode == WR_AGG_ROWS) WR_TRY(wr_agg_table_own_rows(kept, old_count, err));
        t->count -= n;
        WR_TRY(wr_agg_states_merge(&l->kept->states, entries, plan->entry_bytes, n, kept->entries, groups, err));
    }
    return WR_OK;
}

static wr_status end_morsel(ordered_aggregate *o, ordered_local *l, wr_error *err) {
    wr_agg_table *t = &l->table;
    key_range range;
    bool any = t->count && find_range(o, l, &range);
    l->at = l->end = 0;
    if (any) {
        range_list *list = l->ranges;
        WR_TRY(wr_grow(t->plan->allocator, (void **)&list->items, &list->capacity, list->count, 1, sizeof range, err));
        list->items[list->count++] = range;
    }
    if (l->overflowed) return t->count ? overflow(l, err) : WR_OK;
    if (!t->count) return WR_OK;
    uint32_t inner = any ? part_edges(o, t, &range, l->rising) : 0;
    WR_TRY(keep_edges(l, inner, err));
    l->end = inner;
    return WR_OK;
}

static wr_status ordered_flush(wr_operator *op, wr_local *local, wr_batch **out, wr_flow *flow, wr_waker *waker,
                               wr_error *err) {
    (void)waker;
    ordered_aggregate *o = (ordered_aggregate *)op;
    ordered_local *l = (ordered_local *)local;
    wr_aggregation *g = o->shared;
    if (!l->ending) {
        WR_TRY(end_morsel(o, l, err));
        l->ending = true;
    }
    uint32_t count = l->end - l->at < g->exec->batch_rows ? l->end - l->at : g->exec->batch_rows;
    if (count) {
        const uint8_t *entries = l->table.entries + (size_t)l->at * g->plan.entry_bytes;
        WR_TRY(wr_agg_emit(&g->plan, &l->states, entries, count, &l->out, err));
        l->at += count;
        *out = &l->out;
        *flow = WR_HAVE_OUTPUT;
        return WR_OK;
    }
    wr_agg_states_destroy(&l->states, l->table.entries, g->plan.entry_bytes, l->table.count);
    wr_agg_table_reset(&l->table);
    l->ending = l->overflowed = false;
    l->rising = o->runs;
    *flow = WR_NEED_INPUT;
    return WR_OK;
}

/* ---- the end of the input ---- */

static int compare_ranges(const void *a, const void *b) {
    const key_range *x = a, *y = b;
    return x->morsel < y->morsel ? -1 : x->morsel > y->morsel;
}

static wr_status fail_order(const ordered_aggregate *o, const key_range *a, const key_range *b, wr_error *err) {
    char ends[32], begins[32];
    snprintf(ends, sizeof ends, o->is_signed ? "%" PRId64 : "%" PRIu64, a->high);
    snprintf(begins, sizeof begins, o->is_signed ? "%" PRId64 : "%" PRIu64, b->low);
    (void)wr_fail(err, WR_CORRUPT,
                  "%.*s: the statistics say that its parts follow each other, but one ends at %s and the "
                  "next begins at %s",
                  WR_STR_ARGS(o->shared->plan.keys[o->order_key].spec.origin), ends, begins);
    return wr_hint(err, "the footer of a file is wrong; write the file anew");
}

static wr_status check_ranges(ordered_aggregate *o, wr_error *err) {
    wr_allocator *a = o->shared->plan.allocator;
    size_t count = 0, at = 0;
    for (const range_list *list = o->ranges; list; list = list->next) count += list->count;
    if (!count) return WR_OK;
    key_range *all = wr_alloc(a, sizeof *all * count);
    if (!all) return wr_fail_memory(err, sizeof *all * count, "aggregation");
    for (const range_list *list = o->ranges; list; list = list->next) {
        if (list->count) memcpy(all + at, list->items, sizeof *all * list->count);
        at += list->count;
    }
    qsort(all, count, sizeof *all, compare_ranges);
    wr_status status = WR_OK;
    for (size_t i = 1; i < count && status == WR_OK; i++) {
        if (below(o, all[i].low, all[i - 1].high)) status = fail_order(o, &all[i - 1], &all[i], err);
    }
    wr_free(a, all, sizeof *all * count);
    return status;
}

static wr_status ordered_control(wr_operator *op, const wr_control *control, wr_error *err) {
    ordered_aggregate *o = (ordered_aggregate *)op;
    wr_aggregation *g = o->shared;
    uint32_t tasks;
    if (control->kind == WR_END) WR_TRY(check_ranges(o, err));
    WR_TRY(wr_aggregation_end(g, control, &tasks, err));
    for (uint32_t task = 0; task < tasks; task++) {
        wr_flow flow;
        wr_counters counters = {0};
        WR_TRY(wr_aggregation_finish(g, task, &counters.spilled_bytes, &flow, NULL, err));
        wr_node_count(&op->base, &counters);
    }
    return wr_aggregation_complete(g, control, err);
}

static const wr_operator_ops ordered_ops = {
    .name = "ORDERED AGGREGATE",
    .destroy = ordered_destroy,
    .local_create = ordered_local_create,
    .local_destroy = ordered_local_destroy,
    .push = ordered_push,
    .flush = ordered_flush,
    .control = ordered_control,
};

wr_status wr_ordered_aggregate_create(wr_operator **op, wr_source **late, wr_exec *exec, const wr_aggregate_spec *spec,
                                      wr_error *err) {
    wr_aggregation *g = NULL;
    WR_TRY(wr_aggregation_create(&g, exec, spec, "ORDERED AGGREGATE", err));
    ordered_aggregate *o = wr_alloc_zeroed(exec->allocator, sizeof *o);
    wr_status status = o ? WR_OK : wr_fail_memory(err, sizeof *o, "aggregation");
    if (status == WR_OK) {
        status = wr_aggregation_source_create(late, g, true, "ORDERED AGGREGATE", spec->logical_id, err);
    }
    if (status != WR_OK) {
        wr_free(exec->allocator, o, sizeof *o);
        wr_aggregation_release(g);
        return status;
    }
    wr_phys phys = g->plan.keys[spec->ordered_by].phys;
    o->shared = g;
    o->order_key = spec->ordered_by;
    o->is_signed = phys >= WR_PHYS_I8 && phys <= WR_PHYS_I64;
    o->runs = spec->key_count == 1 && g->plan.mode == WR_AGG_WORD;
    o->op.ops = &ordered_ops;
    wr_node_base_init(&o->op.base, exec, "ORDERED AGGREGATE", spec->logical_id);
    o->op.base.budget = g->budget;
    *op = &o->op;
    return WR_OK;
}
