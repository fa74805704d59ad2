/* The object that the nodes of a join share: what was asked for, and what follows from it. */
#include "exec/join_internal.h"

/* ---- what is kept of either side ---- */

static wr_status kept_init(wr_join_kept *kept, wr_join *join, uint32_t width, wr_error *err) {
    wr_allocator *a = join->allocator;
    kept->width = width;
    kept->positions = wr_alloc(a, sizeof(uint32_t) * (width + 1));
    kept->types = wr_alloc(a, sizeof(wr_type) * (width + 1));
    kept->slots = wr_alloc(a, sizeof(uint32_t) * (width + 1));
    if (!kept->positions || !kept->types || !kept->slots) {
        return wr_fail_memory(err, sizeof(wr_type) * width, "hash join");
    }
    for (uint32_t i = 0; i < width; i++) kept->slots[i] = UINT32_MAX;
    return WR_OK;
}

static void kept_deinit(wr_join_kept *kept, wr_join *join) {
    wr_free(join->allocator, kept->positions, sizeof(uint32_t) * (kept->width + 1));
    wr_free(join->allocator, kept->types, sizeof(wr_type) * (kept->width + 1));
    wr_free(join->allocator, kept->slots, sizeof(uint32_t) * (kept->width + 1));
}

static void keep(wr_join_kept *kept, uint32_t position, const wr_type *types) {
    if (kept->slots[position] != UINT32_MAX) return;
    kept->slots[position] = kept->count;
    kept->positions[kept->count] = position;
    kept->types[kept->count++] = types[position];
}

static void keep_columns(wr_join *join, const wr_join_column *columns, uint32_t count, const wr_join_spec *spec) {
    for (uint32_t i = 0; i < count; i++) {
        if (columns[i].side == WR_JOIN_BUILD) keep(&join->store, columns[i].column, spec->build_types);
        if (columns[i].side == WR_JOIN_PROBE) keep(&join->spool, columns[i].column, spec->probe_types);
    }
}

/* Values of keys are looked at again where words are hashes, and where it matters which key is NULL. */
static void keep_all(wr_join *join, const wr_join_spec *spec) {
    keep_columns(join, spec->outputs, spec->output_count, spec);
    keep_columns(join, spec->residual_inputs, spec->residual_input_count, spec);
    bool values = join->keys.mode == WR_KEY_HASHED || (join->three_valued && !join->simple_nulls);
    for (uint32_t k = 0; k < spec->key_count && values; k++) {
        keep(&join->store, spec->keys[k].build_column, spec->build_types);
        keep(&join->spool, spec->keys[k].probe_column, spec->probe_types);
    }
}

/* ---- the kinds ---- */

static void derive(wr_join *join) {
    wr_join_kind kind = (wr_join_kind)join->kind;
    bool left = join->build_left, outer = kind == WR_JOIN_OUTER_LEFT || kind == WR_JOIN_SINGLE;
    bool filters =
        kind == WR_JOIN_SEMI || kind == WR_JOIN_ANTI || kind == WR_JOIN_ANTI_NULL_AWARE || kind == WR_JOIN_MARK;
    join->emits_pairs = !filters;
    join->keeps_probe = (outer && !left) || kind == WR_JOIN_OUTER_FULL;
    join->keeps_build = (outer && left) || kind == WR_JOIN_OUTER_FULL;
    join->filters_probe = filters && !left;
    join->filters_build = filters && left;
    join->flags_build = join->keeps_build || join->filters_build;
    join->three_valued = (kind == WR_JOIN_MARK && join->null_aware) || kind == WR_JOIN_ANTI_NULL_AWARE;
    join->simple_nulls = join->three_valued && join->keys.part_count == 1 && !join->residual;
    join->first_only = join->filters_probe && !join->residual && join->keys.mode == WR_KEY_WORDS;
    join->stores_nulls = join->flags_build || (join->three_valued && !join->simple_nulls);
    join->one_partition = join->keys.mode == WR_KEY_NONE || (join->three_valued && !join->simple_nulls);
}

bool wr_join_filters_probe(wr_join_kind kind, bool build_left) {
    if (kind == WR_JOIN_INNER || kind == WR_JOIN_SEMI) return true;
    return build_left && kind != WR_JOIN_OUTER_FULL && kind != WR_JOIN_ANTI_NULL_AWARE && kind != WR_JOIN_MARK;
}

/* ---- life ---- */

static wr_type output_type(const wr_join_spec *spec, const wr_join_column *column) {
    if (column->side == WR_JOIN_MARKED) return wr_type_of(WR_TYPE_BOOLEAN);
    return (column->side == WR_JOIN_BUILD ? spec->build_types : spec->probe_types)[column->column];
}

static wr_status copy_columns(wr_join *join, const wr_join_spec *spec, wr_error *err) {
    wr_allocator *a = join->allocator;
    uint32_t outputs = join->output_count = spec->output_count;
    uint32_t inputs = join->residual_input_count = spec->residual_input_count;
    join->outputs = wr_alloc(a, sizeof(wr_join_column) * (outputs + 1));
    join->output_types = wr_alloc(a, sizeof(wr_type) * (outputs + 1));
    join->residual_inputs = wr_alloc(a, sizeof(wr_join_column) * (inputs + 1));
    if (!join->outputs || !join->output_types || !join->residual_inputs) {
        return wr_fail_memory(err, sizeof(wr_type) * outputs, "hash join");
    }
    for (uint32_t i = 0; i < outputs; i++) {
        join->outputs[i] = spec->outputs[i];
        join->output_types[i] = output_type(spec, &spec->outputs[i]);
    }
    if (inputs) memcpy(join->residual_inputs, spec->residual_inputs, sizeof(wr_join_column) * inputs);
    return WR_OK;
}

static wr_status init(wr_join *join, const wr_join_spec *spec, wr_error *err) {
    WR_TRY(wr_key_plan_init(&join->keys, spec->keys, spec->key_count, err));
    for (uint32_t k = 0; k < spec->key_count; k++) {
        join->probe_keys[k] = spec->keys[k].probe_column;
        join->build_keys[k] = spec->keys[k].build_column;
        join->filters[k] = wr_join_filter_retain(spec->keys[k].filter);
    }
    derive(join);
    WR_TRY(copy_columns(join, spec, err));
    WR_TRY(kept_init(&join->store, join, spec->build_column_count, err));
    WR_TRY(kept_init(&join->spool, join, spec->probe_column_count, err));
    keep_all(join, spec);
    size_t available = wr_budget_available(join->budget), limit = available / 128;
    size_t share = available / (8 * WR_PARTITIONS * (size_t)join->exec->thread_count);
    if (limit > WR_CHUNK_BYTES_MAX) limit = WR_CHUNK_BYTES_MAX;
    join->chunk_limit_bytes = limit < WR_CHUNK_BYTES_MIN ? WR_CHUNK_BYTES_MIN : limit;
    uint32_t page = WR_ROW_PAGE_MIN;
    while (page < WR_ROW_PAGE_MAX / 4 && page * 2 <= share) page *= 2;
    join->spill.page_bytes = page;
    return wr_join_spill_init(join, err);
}

wr_status wr_join_create(wr_join **out, wr_exec *exec, const wr_join_spec *spec, wr_error *err) {
    *out = NULL;
    wr_join *join = wr_alloc_zeroed(exec->allocator, sizeof *join);
    if (!join) {
        if (spec->residual) wr_program_destroy(spec->residual);
        return wr_fail_memory(err, sizeof *join, "hash join");
    }
    join->refs = 1;
    join->exec = exec;
    join->kernels = exec->environment.kernels;
    join->logical_id = spec->logical_id;
    join->kind = spec->kind;
    join->build_left = spec->build_left;
    join->null_aware = spec->null_aware;
    join->residual = spec->residual;
    join->residual_count = spec->residual_count;
    join->probe_column_count = spec->probe_column_count;
    join->build_column_count = spec->build_column_count;
    wr_mutex_init(&join->lock);
    wr_status status = wr_budget_create(&join->budget, exec->budget, NULL, "hash join", WR_BUDGET_NO_LIMIT, err);
    if (status == WR_OK) {
        join->allocator = wr_budget_allocator(join->budget);
        status = init(join, spec, err);
    }
    if (status != WR_OK) {
        wr_join_release(join);
        return status;
    }
    *out = join;
    return WR_OK;
}

void wr_wakers_park(wr_waker **list, wr_waker *waker) {
    for (wr_waker *w = *list; w; w = w->next) {
        if (w == waker) return;
    }
    waker->next = *list;
    *list = waker;
}

void wr_wakers_wake(wr_waker *list) {
    while (list) {
        wr_waker *next = list->next;
        list->next = NULL;
        list->wake(list);
        list = next;
    }
}

wr_join *wr_join_retain(wr_join *join) {
    join->refs++;
    return join;
}

static void destroy(wr_join *join) {
    if (join->budget) {
        wr_join_table_deinit(&join->table);
        wr_join_chunks_destroy(&join->chunks, join);
        wr_join_spill_deinit(join);
        kept_deinit(&join->store, join);
        kept_deinit(&join->spool, join);
        wr_free(join->allocator, join->outputs, sizeof(wr_join_column) * (join->output_count + 1));
        wr_free(join->allocator, join->output_types, sizeof(wr_type) * (join->output_count + 1));
        wr_free(join->allocator, join->residual_inputs, sizeof(wr_join_column) * (join->residual_input_count + 1));
        wr_budget_close(join->budget);
    }
    for (uint32_t k = 0; k < join->keys.part_count; k++) wr_join_filter_release(join->filters[k]);
    if (join->residual) wr_program_destroy(join->residual);
    wr_mutex_deinit(&join->lock);
    wr_free(join->exec->allocator, join, sizeof *join);
}

void wr_join_release(wr_join *join) {
    if (join && --join->refs == 0) destroy(join);
}
