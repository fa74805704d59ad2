/* Joins against nested loops over single values: every kind, build side, type of key, residual condition, number of
 * threads, size of batches; in memory and spilled. The nodes run in real pipelines between a source of given batches
 * and a sink that writes down rows. */
#include "exec/hash_join.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "exec/pipeline.h"
#include "tests/unit/test.h"

enum { KEYS_MAX = 3, COLUMNS = 3 + KEYS_MAX, NULL_KEY = -1 };
enum { COLUMN_ID, COLUMN_TEXT, COLUMN_NUMBER, COLUMN_KEYS }; /* of either side */

/* ---- what is joined ---- */

typedef enum shape { FLAT_ROWS, SELECTED_ROWS, DICTIONARY_ROWS, CONSTANT_ROWS, SHAPES } shape;

typedef struct side {
    uint32_t row_count;
    int (*keys)[KEYS_MAX]; /* index of the value, or NULL_KEY */
    int *numbers;          /* for the residual; NULL_KEY: NULL */
} side;

typedef struct setup {
    wr_join_kind kind;
    bool build_left, residual, null_equals_null, null_aware;
    uint32_t key_count;
    wr_type types[KEYS_MAX];
    uint32_t batch_rows, threads;
    bool force_spill;
    size_t limit_bytes; /* 0: none */
    shape shape;
    side left, right;
} setup;

/* A row that comes out: ids, or -1 for a side of NULLs; the mark: 0, 1, 2 for NULL. */
typedef struct result_row {
    int64_t left, right;
    int mark;
    wr_ordinal ordinal;
    uint32_t row;
} result_row;

/* ---- values: equal indexes are equal keys, whatever they are written as ---- */

static void put_value(wr_type type, int index, uint32_t variant, void *data, uint32_t row) {
    switch (wr_type_phys(type)) {
    case WR_PHYS_BOOL: wr_bit_put(data, row, index & 1); break;
    case WR_PHYS_I8: ((int8_t *)data)[row] = (int8_t)(index - 5); break;
    case WR_PHYS_I16: ((int16_t *)data)[row] = (int16_t)(index * 100 - 500); break;
    case WR_PHYS_I32: ((int32_t *)data)[row] = index - 20; break;
    case WR_PHYS_I64: /* BIGINT: a small range; TIMESTAMP: a wide one */
        ((int64_t *)data)[row] =
            type.id == WR_TYPE_BIGINT ? index - 3 : (int64_t)((uint64_t)(index - 7) * UINT64_C(0x123456789abcd));
        break;
    case WR_PHYS_U32: ((uint32_t *)data)[row] = (uint32_t)index * 0x03ffffffu; break;
    case WR_PHYS_U64: ((uint64_t *)data)[row] = (uint64_t)index * 0x0fffffffffffffffu; break;
    case WR_PHYS_I128: ((wr_int128 *)data)[row] = (wr_int128)(index - 4) * ((wr_int128)1 << 70); break;
    case WR_PHYS_F32:
        ((float *)data)[row] = index == 0 ? (variant & 1 ? -0.0f : 0.0f) : index == 1 ? NAN : (float)index / 3;
        break;
    case WR_PHYS_F64: {
        double nans[2] = {NAN, -NAN};
        ((double *)data)[row] = index == 0 ? (variant & 1 ? -0.0 : 0.0) : index == 1 ? nans[variant & 1] : index / 3.0;
        break;
    }
    case WR_PHYS_INTERVAL: /* a month is 30 days */
        ((wr_interval *)data)[row] = variant & 1 ? (wr_interval){index, 0, 0} : (wr_interval){0, index * 30, 0};
        break;
    default: break;
    }
}

static wr_status put_text(wr_string_view *out, wr_heap *heap, const char *text, wr_error *err) {
    uint32_t size = (uint32_t)strlen(text);
    *out = (wr_string_view){.words = {0, 0}};
    if (size <= WR_STRING_INLINE) {
        out->size = size;
        memcpy(out->inlined, text, size);
        return WR_OK;
    }
    char *bytes;
    WR_TRY(wr_heap_alloc(heap, size, &bytes, err));
    memcpy(bytes, text, size);
    out->size = size;
    memcpy(out->prefix, text, 4);
    out->data = bytes;
    return WR_OK;
}

static void key_text(char *out, size_t size, int index) {
    snprintf(out, size, index % 3 == 0 ? "k%d" : "a key that is longer than a view %d", index);
}

static int key_of(const side *s, uint32_t row, uint32_t key) {
    return s->keys[row][key];
}

/* Column `column` of the rows [first, first + count) of a side, flat. */
static wr_status make_column(wr_vector *v, wr_allocator *a, const setup *s, const side *from, uint32_t column,
                             uint32_t first, uint32_t count, wr_error *err) {
    wr_type type = column == COLUMN_TEXT  ? wr_type_of(WR_TYPE_VARCHAR)
                   : column < COLUMN_KEYS ? wr_type_of(WR_TYPE_BIGINT)
                                          : s->types[column - COLUMN_KEYS];
    char text[64];
    WR_TRY(wr_vector_prepare(v, a, type, count, true, err));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = first + i;
        int value = column == COLUMN_NUMBER ? from->numbers[row]
                    : column < COLUMN_KEYS  ? 0
                                            : key_of(from, row, column - COLUMN_KEYS);
        wr_bit_put(wr_vector_validity_mut(v), i, value != NULL_KEY);
        if (column == COLUMN_TEXT || type.id == WR_TYPE_VARCHAR) {
            if (column == COLUMN_TEXT) {
                snprintf(text, sizeof text, "the text of row %u", row);
            } else {
                key_text(text, sizeof text, value);
            }
            WR_TRY(put_text((wr_string_view *)wr_vector_data_mut(v) + i, v->heap, text, err));
        } else if (column < COLUMN_KEYS) {
            ((int64_t *)wr_vector_data_mut(v))[i] = column == COLUMN_ID ? (int64_t)row : value;
        } else {
            put_value(type, value == NULL_KEY ? 0 : value, row, wr_vector_data_mut(v), i);
        }
    }
    return WR_OK;
}

/* ---- a source of given rows ---- */

enum { ROWS_PER_MORSEL = 37 };

typedef struct rows_source {
    wr_source source;
    const setup *setup;
    const side *side;
    uint64_t next;
} rows_source;

typedef struct rows_local {
    wr_batch batch;
    wr_buffer *sel;
    uint32_t at;
} rows_local;

static void rows_destroy(wr_source *source) {
    wr_allocator *a = source->base.exec->allocator;
    wr_node_base_deinit(&source->base);
    wr_free(a, source, sizeof(rows_source));
}

static void rows_local_destroy(wr_source *source, wr_local *local) {
    rows_local *l = (rows_local *)local;
    wr_batch_deinit(&l->batch);
    wr_free(source->base.exec->allocator, l, sizeof *l);
}

static wr_status rows_local_create(wr_source *source, wr_local **out, wr_error *err) {
    rows_local *l = wr_alloc_zeroed(source->base.exec->allocator, sizeof *l);
    if (!l) return wr_fail_memory(err, sizeof *l, "test");
    wr_status status = wr_batch_init(&l->batch, source->base.exec->allocator, COLUMNS, err);
    if (status != WR_OK) {
        rows_local_destroy(source, (wr_local *)l);
        return status;
    }
    *out = (wr_local *)l;
    return WR_OK;
}

static wr_status rows_next(wr_source *source, wr_morsel *morsel, wr_control *control, wr_flow *flow, wr_waker *waker,
                           wr_error *err) {
    (void)waker;
    (void)err;
    rows_source *s = (rows_source *)source;
    uint64_t first = s->next * ROWS_PER_MORSEL;
    if (first >= s->side->row_count) {
        *control = (wr_control){WR_END, 0, WR_WATERMARK_INFINITY};
        *flow = WR_DONE;
        return WR_OK;
    }
    uint64_t left = s->side->row_count - first;
    *morsel = (wr_morsel){.index = s->next++, .first = first, .count = left < ROWS_PER_MORSEL ? left : ROWS_PER_MORSEL};
    *flow = WR_HAVE_OUTPUT;
    return WR_OK;
}

/* Keys and the number behind codes; a code a row, in reverse. */
static wr_status code_column(wr_vector *v, wr_allocator *a, wr_error *err) {
    wr_vector_set *set;
    WR_TRY(wr_vector_set_create(&set, a, 1, err));
    wr_vector_move(&set->items[0], v);
    uint32_t count = set->items[0].row_count;
    wr_vector codes = {.type = set->items[0].type,
                       .kind = WR_DICTIONARY,
                       .phys = set->items[0].phys,
                       .row_count = count,
                       .children = set};
    wr_status status = wr_buffer_create(&codes.data_buffer, a, sizeof(uint32_t) * count + 64, err);
    if (status == WR_OK) {
        uint32_t *out = (uint32_t *)(void *)codes.data_buffer->data;
        for (uint32_t i = 0; i < count; i++) out[i] = i;
        codes.data = out;
    }
    wr_vector_move(v, &codes);
    return status;
}

/* Physical rows: with SELECTED_ROWS every row has a wrong one behind it. */
static wr_status fill_batch(rows_source *s, rows_local *l, uint32_t first, uint32_t count, wr_error *err) {
    wr_allocator *a = s->source.base.exec->allocator;
    shape how = s->setup->shape;
    for (uint32_t c = 0; c < COLUMNS; c++) {
        if (c >= COLUMN_KEYS + s->setup->key_count) continue;
        wr_vector *v = &l->batch.columns[c];
        wr_vector_deinit(v);
        WR_TRY(make_column(v, a, s->setup, s->side, c, first, count, err));
        if (how == SELECTED_ROWS) {
            uint16_t rows[2 * 256];
            wr_vector doubled = {.kind = WR_FLAT};
            for (uint32_t i = 0; i < count; i++) {
                rows[2 * i] = (uint16_t)(count - 1 - i);
                rows[2 * i + 1] = (uint16_t)i;
            }
            wr_status status = wr_vector_gather(&doubled, a, v, rows, 2 * count, err);
            wr_vector_move(v, &doubled);
            WR_TRY(status);
        }
        if (how == DICTIONARY_ROWS) WR_TRY(code_column(v, a, err));
        if (how == CONSTANT_ROWS && count == 1) v->kind = WR_CONSTANT;
    }
    uint32_t physical = how == SELECTED_ROWS ? 2 * count : count;
    wr_batch_set_rows(&l->batch, physical);
    if (how != SELECTED_ROWS) return WR_OK;
    WR_TRY(wr_buffer_recycle(&l->batch.sel_buffer, a, sizeof(uint16_t) * count, err));
    uint16_t *sel = (uint16_t *)(void *)l->batch.sel_buffer->data;
    for (uint32_t i = 0; i < count; i++) sel[i] = (uint16_t)(2 * i + 1);
    l->batch.sel = sel;
    l->batch.sel_count = count;
    return WR_OK;
}

static wr_status rows_read(wr_source *source, wr_local *local, const wr_morsel *morsel, wr_batch **out, wr_flow *flow,
                           wr_waker *waker, wr_error *err) {
    (void)waker;
    rows_source *s = (rows_source *)source;
    rows_local *l = (rows_local *)local;
    if (l->at == morsel->count) {
        l->at = 0;
        *flow = WR_NEED_INPUT;
        return WR_OK;
    }
    uint32_t left = (uint32_t)morsel->count - l->at, most = s->setup->shape == CONSTANT_ROWS ? 1 : s->setup->batch_rows;
    uint32_t count = left < most ? left : most;
    WR_TRY(fill_batch(s, l, (uint32_t)morsel->first + l->at, count, err));
    l->at += count;
    *out = &l->batch;
    *flow = WR_HAVE_OUTPUT;
    return WR_OK;
}

static const wr_source_ops rows_ops = {
    .name = "ROWS",
    .destroy = rows_destroy,
    .local_create = rows_local_create,
    .local_destroy = rows_local_destroy,
    .next = rows_next,
    .read = rows_read,
};

static wr_status rows_create(wr_source **out, wr_exec *exec, const setup *s, const side *from, wr_error *err) {
    rows_source *r = wr_alloc_zeroed(exec->allocator, sizeof *r);
    if (!r) return wr_fail_memory(err, sizeof *r, "test");
    wr_node_base_init(&r->source.base, exec, "ROWS", 0);
    r->source.ops = &rows_ops;
    r->setup = s;
    r->side = from;
    *out = &r->source;
    return WR_OK;
}

/* ---- a sink that writes down rows ---- */

typedef struct rows_sink {
    wr_sink sink;
    const setup *setup;
    result_row *rows; /* the caller's */
    uint32_t *row_count;
    uint32_t room;
} rows_sink;

static int64_t id_at(const wr_vector *column, uint32_t row) {
    wr_value value;
    wr_error err;
    if (!WR_CHECK_OK(wr_vector_value(column, row, NULL, &value, &err), &err)) return -2;
    return value.is_null ? -1 : value.i64;
}

/* The text beside an id has to be that row's. */
static void check_text(const wr_vector *column, uint32_t row, int64_t id) {
    wr_value value;
    wr_error err;
    char text[64];
    if (!WR_CHECK_OK(wr_vector_value(column, row, NULL, &value, &err), &err)) return;
    if (!WR_CHECK_EQ_INT(value.is_null, id < 0) || id < 0) return;
    snprintf(text, sizeof text, "the text of row %u", (unsigned)id);
    WR_CHECK_EQ_STR(value.text, text);
}

static bool has_right(const setup *s) {
    return s->kind == WR_JOIN_INNER || s->kind == WR_JOIN_OUTER_LEFT || s->kind == WR_JOIN_OUTER_FULL ||
           s->kind == WR_JOIN_SINGLE;
}

static wr_status sink_consume(wr_sink *sink, wr_local *local, wr_batch *in, wr_flow *flow, wr_waker *waker,
                              wr_error *err) {
    (void)local;
    (void)waker;
    (void)err;
    rows_sink *s = (rows_sink *)sink;
    bool right = has_right(s->setup);
    wr_mutex_lock(&sink->base.lock);
    for (uint32_t i = 0; i < in->sel_count && *s->row_count < s->room; i++) {
        uint32_t row = in->sel ? in->sel[i] : i;
        result_row *out = &s->rows[(*s->row_count)++];
        *out = (result_row){id_at(&in->columns[0], row), -1, -1, in->ordinal, i};
        check_text(&in->columns[1], row, out->left);
        if (right) {
            out->right = id_at(&in->columns[2], row);
            check_text(&in->columns[3], row, out->right);
        }
        if (s->setup->kind == WR_JOIN_MARK) {
            wr_value mark;
            WR_CHECK_OK(wr_vector_value(&in->columns[2], row, NULL, &mark, err), err);
            out->mark = mark.is_null ? 2 : mark.boolean;
        }
    }
    wr_mutex_unlock(&sink->base.lock);
    *flow = WR_NEED_INPUT;
    return WR_OK;
}

static void sink_destroy(wr_sink *sink) {
    wr_allocator *a = sink->base.exec->allocator;
    wr_node_base_deinit(&sink->base);
    wr_free(a, sink, sizeof(rows_sink));
}

static const wr_sink_ops sink_ops = {.name = "WRITE DOWN", .destroy = sink_destroy, .consume = sink_consume};

/* ---- the residual: left number < right number ---- */

static wr_status run_less(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    WR_TRY(wr_vector_prepare(result, c->allocator, wr_type_of(WR_TYPE_BOOLEAN), c->row_count, false, c->err));
    uint64_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        int64_t a = ((const int64_t *)args[0].data)[args[0].kind == WR_CONSTANT ? 0 : i];
        int64_t b = ((const int64_t *)args[1].data)[args[1].kind == WR_CONSTANT ? 0 : i];
        wr_bit_put(out, i, a < b);
    }
    return WR_OK;
}

static const wr_function less_function = {
    .name = "less", .volatility = WR_IMMUTABLE, .nulls = WR_NULLS_STRICT, .run = run_less};

static wr_status make_residual(wr_program **out, wr_arena *arena, wr_exec *exec, wr_error *err) {
    wr_type number = wr_type_of(WR_TYPE_BIGINT);
    wr_expr *call = wr_expr_create(arena, WR_EXPR_CALL, wr_type_of(WR_TYPE_BOOLEAN), 2);
    if (!call) return wr_fail_memory(err, 0, "test");
    call->function = &less_function;
    call->args[0] = wr_expr_column(arena, 1, number);
    call->args[1] = wr_expr_column(arena, 2, number);
    if (!call->args[0] || !call->args[1]) return wr_fail_memory(err, 0, "test");
    const wr_column_id inputs[2] = {1, 2};
    return wr_program_compile(out, exec->allocator, &call, 1, inputs, 2, &exec->environment, err);
}

/* ---- running ---- */

typedef struct world {
    wr_budget *budget;
    wr_scheduler *scheduler;
    wr_spill *spill;
    wr_exec exec;
    wr_pipeline_set *set;
    wr_arena arena;
} world;

static wr_status world_open(world *w, const setup *s, wr_error *err) {
    *w = (world){0};
    wr_allocator *a = wr_test_allocator();
    wr_arena_init(&w->arena, a);
    size_t limit = s->limit_bytes ? s->limit_bytes : WR_BUDGET_NO_LIMIT;
    WR_TRY(wr_budget_create(&w->budget, NULL, a, "test", limit, err));
    WR_TRY(wr_scheduler_create(&w->scheduler, a, s->threads, err));
    WR_TRY(wr_spill_create(&w->spill, a, "/tmp", UINT64_C(1) << 32, err));
    w->exec = (wr_exec){.allocator = wr_budget_allocator(w->budget),
                        .budget = w->budget,
                        .scheduler = w->scheduler,
                        .spill = w->spill,
                        .environment = {.kernels = wr_kernels_best(), .batch_rows = s->batch_rows},
                        .thread_count = s->threads,
                        .batch_rows = s->batch_rows,
                        .force_spill = s->force_spill};
    WR_TRY(wr_task_group_create(&w->exec.group, w->scheduler, a, err));
    return wr_pipeline_set_create(&w->set, &w->exec, err);
}

static void world_close(world *w) {
    if (w->set) wr_pipeline_set_destroy(w->set);
    if (w->exec.group) wr_task_group_destroy(w->exec.group);
    if (w->spill) wr_spill_destroy(w->spill);
    if (w->scheduler) wr_scheduler_destroy(w->scheduler);
    if (w->budget) wr_budget_close(w->budget);
    wr_arena_deinit(&w->arena);
}

static wr_status create_join(world *w, const setup *s, wr_join **out, wr_error *err) {
    wr_join_key_spec keys[KEYS_MAX];
    wr_type types[COLUMNS] = {wr_type_of(WR_TYPE_BIGINT), wr_type_of(WR_TYPE_VARCHAR), wr_type_of(WR_TYPE_BIGINT)};
    for (uint32_t k = 0; k < s->key_count; k++) {
        uint32_t column = COLUMN_KEYS + k;
        types[column] = s->types[k];
        keys[k] = (wr_join_key_spec){.type = s->types[k],
                                     .probe_column = column,
                                     .build_column = column,
                                     .null_equals_null = s->null_equals_null};
    }
    wr_join_side left = s->build_left ? WR_JOIN_BUILD : WR_JOIN_PROBE,
                 right = s->build_left ? WR_JOIN_PROBE : WR_JOIN_BUILD;
    wr_join_column outputs[4] = {{left, COLUMN_ID}, {left, COLUMN_TEXT}, {right, COLUMN_ID}, {right, COLUMN_TEXT}};
    uint32_t output_count = has_right(s) ? 4 : 2;
    if (s->kind == WR_JOIN_MARK) outputs[output_count++] = (wr_join_column){WR_JOIN_MARKED, 0};
    const wr_join_column inputs[2] = {{left, COLUMN_NUMBER}, {right, COLUMN_NUMBER}};
    wr_join_spec spec = {.kind = s->kind,
                         .build_left = s->build_left,
                         .null_aware = s->null_aware,
                         .keys = keys,
                         .key_count = s->key_count,
                         .probe_types = types,
                         .build_types = types,
                         .probe_column_count = COLUMNS,
                         .build_column_count = COLUMNS,
                         .outputs = outputs,
                         .output_count = output_count};
    if (s->residual) {
        WR_TRY(make_residual(&spec.residual, &w->arena, &w->exec, err));
        spec.residual_count = 1;
        spec.residual_inputs = inputs;
        spec.residual_input_count = 2;
    }
    return wr_join_create(out, &w->exec, &spec, err);
}

static wr_status sink_create(rows_sink **out, world *w, const setup *s, result_row *rows, uint32_t *count,
                             uint32_t room, wr_error *err) {
    rows_sink *sink = *out = wr_alloc_zeroed(w->exec.allocator, sizeof *sink);
    if (!sink) return wr_fail_memory(err, sizeof *sink, "test");
    wr_node_base_init(&sink->sink.base, &w->exec, "WRITE DOWN", 0);
    sink->sink.ops = &sink_ops;
    sink->setup = s;
    sink->rows = rows;
    sink->row_count = count;
    sink->room = room;
    return WR_OK;
}

/* build rows -> join; probe rows -> join -> rows; join's late rows -> rows */
static wr_status plan_pipelines(world *w, const setup *s, wr_join *join, result_row *rows, uint32_t *count,
                                uint32_t room, wr_error *err) {
    wr_pipeline *build, *probe, *late;
    wr_source *source;
    wr_sink *sink;
    wr_operator *op;
    rows_sink *result;
    const side *build_side = s->build_left ? &s->left : &s->right, *probe_side = s->build_left ? &s->right : &s->left;
    WR_TRY(rows_create(&source, &w->exec, s, build_side, err));
    wr_status status = wr_join_build_sink(join, &sink, err);
    if (status != WR_OK) {
        source->ops->destroy(source);
        return status;
    }
    WR_TRY(wr_pipeline_add(w->set, &build, source, sink, err));
    WR_TRY(rows_create(&source, &w->exec, s, probe_side, err));
    status = sink_create(&result, w, s, rows, count, room, err);
    if (status != WR_OK) {
        source->ops->destroy(source);
        return status;
    }
    WR_TRY(wr_pipeline_add(w->set, &probe, source, &result->sink, err));
    WR_TRY(wr_join_probe_operator(join, &op, err));
    WR_TRY(wr_pipeline_push_operator(probe, op, err));
    WR_TRY(wr_pipeline_depend(probe, build, err));
    WR_TRY(wr_join_late_source(join, &source, err));
    WR_TRY(wr_pipeline_add(w->set, &late, source, &result->sink, err));
    WR_TRY(wr_pipeline_depend(late, build, err));
    WR_TRY(wr_pipeline_set_start(w->set, err));
    return wr_pipeline_set_wait(w->set, -1, err);
}

static wr_status run_join(const setup *s, result_row *rows, uint32_t *count, uint32_t room, uint64_t *spilled,
                          wr_error *err) {
    world w;
    wr_join *join = NULL;
    *count = 0;
    wr_status status = world_open(&w, s, err);
    if (status == WR_OK) status = create_join(&w, s, &join, err);
    if (status == WR_OK) status = plan_pipelines(&w, s, join, rows, count, room, err);
    if (spilled) *spilled = w.spill ? wr_spill_written_bytes(w.spill) : 0;
    wr_join_release(join);
    world_close(&w);
    return status;
}

/* ---- the reference ---- */

/* 0: no match, 1: match, 2: a NULL leaves it open. */
static int pair_truth(const setup *s, uint32_t l, uint32_t r) {
    int truth = 1;
    for (uint32_t k = 0; k < s->key_count; k++) {
        int a = key_of(&s->left, l, k), b = key_of(&s->right, r, k);
        if (wr_type_phys(s->types[k]) == WR_PHYS_BOOL && a != NULL_KEY && b != NULL_KEY) {
            a &= 1;
            b &= 1;
        }
        if (s->null_equals_null ? a != b : a != NULL_KEY && b != NULL_KEY && a != b) return 0;
        if (!s->null_equals_null && (a == NULL_KEY || b == NULL_KEY)) truth = 2;
    }
    if (!s->residual) return truth;
    int a = s->left.numbers[l], b = s->right.numbers[r];
    if (a == NULL_KEY || b == NULL_KEY) return 2;
    return a < b ? truth : 0;
}

static void expect(result_row *rows, uint32_t *count, uint32_t room, int64_t left, int64_t right, int mark) {
    if (*count < room) rows[(*count)++] = (result_row){.left = left, .right = right, .mark = mark};
}

/* False: a subquery gives two rows for one. */
static bool reference(const setup *s, result_row *rows, uint32_t *count, uint32_t room) {
    bool *right_matched = wr_alloc_zeroed(wr_system_allocator(), s->right.row_count + 1);
    bool single = true, plain = s->key_count && has_right(s) && wr_type_phys(s->types[0]) != WR_PHYS_BOOL;
    *count = 0;
    for (uint32_t l = 0; l < s->left.row_count; l++) {
        uint32_t matches = 0;
        bool open = false;
        for (uint32_t r = 0; r < s->right.row_count; r++) {
            if (plain && s->left.keys[l][0] != s->right.keys[r][0]) continue;
            int truth = pair_truth(s, l, r);
            open |= truth == 2;
            if (truth != 1) continue;
            matches++;
            right_matched[r] = true;
            if (has_right(s)) expect(rows, count, room, l, r, -1);
        }
        if (s->kind == WR_JOIN_SINGLE && matches > 1) single = false;
        switch (s->kind) {
        case WR_JOIN_SEMI:
            if (matches) expect(rows, count, room, l, -1, -1);
            break;
        case WR_JOIN_ANTI:
            if (!matches) expect(rows, count, room, l, -1, -1);
            break;
        case WR_JOIN_ANTI_NULL_AWARE:
            if (!matches && !open) expect(rows, count, room, l, -1, -1);
            break;
        case WR_JOIN_MARK: expect(rows, count, room, l, -1, matches ? 1 : open && s->null_aware ? 2 : 0); break;
        case WR_JOIN_INNER: break;
        default:
            if (!matches) expect(rows, count, room, l, -1, -1);
            break;
        }
    }
    for (uint32_t r = 0; r < s->right.row_count && s->kind == WR_JOIN_OUTER_FULL; r++) {
        if (!right_matched[r]) expect(rows, count, room, -1, r, -1);
    }
    wr_free(wr_system_allocator(), right_matched, s->right.row_count + 1);
    return single;
}

static int compare_rows(const void *x, const void *y) {
    const result_row *a = x, *b = y;
    if (a->left != b->left) return a->left < b->left ? -1 : 1;
    if (a->right != b->right) return a->right < b->right ? -1 : 1;
    return a->mark - b->mark;
}

static int compare_order(const void *x, const void *y) {
    const result_row *a = x, *b = y;
    int c = wr_ordinal_compare(a->ordinal, b->ordinal);
    return c ? c : a->row < b->row ? -1 : a->row > b->row;
}

/* ---- cases ---- */

static uint64_t random_state = 1;
static uint32_t random_below(uint32_t limit) {
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((random_state >> 33) % limit);
}

/* `distinct` values; `null_percent` of the keys are NULL. */
static void side_init(side *s, uint32_t rows, uint32_t distinct, uint32_t null_percent) {
    s->row_count = rows;
    s->keys = wr_alloc_zeroed(wr_system_allocator(), (rows + 1) * sizeof *s->keys);
    s->numbers = wr_alloc_zeroed(wr_system_allocator(), (rows + 1) * sizeof *s->numbers);
    for (uint32_t i = 0; i < rows; i++) {
        for (uint32_t k = 0; k < KEYS_MAX; k++) {
            s->keys[i][k] = random_below(100) < null_percent ? NULL_KEY : (int)random_below(k ? 3 : distinct);
        }
        s->numbers[i] = random_below(20) == 0 ? NULL_KEY : (int)random_below(10);
    }
}

static void side_free(side *s) {
    wr_free(wr_system_allocator(), s->keys, (s->row_count + 1) * sizeof *s->keys);
    wr_free(wr_system_allocator(), s->numbers, (s->row_count + 1) * sizeof *s->numbers);
}

enum { ROOM = 200000 };

static void describe(const setup *s, char *out, size_t size) {
    snprintf(
        out, size,
        "kind %d left %d residual %d nulls-equal %d keys %u type %s batch %u threads %u spill %d limit %zu shape %d rows %u x %u",
        (int)s->kind, s->build_left, s->residual, s->null_equals_null, s->key_count,
        s->key_count ? wr_type_id_name((wr_type_id)s->types[0].id) : "-", s->batch_rows, s->threads, s->force_spill,
        s->limit_bytes, (int)s->shape, s->left.row_count, s->right.row_count);
}

/* Rows without any are not even kept by most joins. */
static bool has_key(const side *s) {
    bool some = false;
    for (uint32_t i = 0; i < s->row_count; i++)
        some |= s->keys[i][0] != NULL_KEY && s->keys[i][1] != NULL_KEY && s->keys[i][2] != NULL_KEY;
    return some;
}

static bool check_setup(const setup *s) {
    static result_row seen[ROOM], expected[ROOM];
    uint32_t seen_count, expected_count;
    uint64_t spilled;
    wr_error err;
    char text[300];
    describe(s, text, sizeof text);
    bool single = reference(s, expected, &expected_count, ROOM);
    wr_error_clear(&err);
    wr_status status = run_join(s, seen, &seen_count, ROOM, &spilled, &err);
    if (!single) {
        if (status == WR_VALUE) return true;
        return wr_test_fail(__FILE__, __LINE__, "%s: %s, expected an error", text, wr_status_name(status));
    }
    if (status != WR_OK) return wr_test_fail(__FILE__, __LINE__, "%s: %s", text, err.message);
    if (s->force_spill && has_key(&s->left) && has_key(&s->right) && spilled == 0) {
        return wr_test_fail(__FILE__, __LINE__, "%s: nothing was spilled", text);
    }
    bool ordered = !s->build_left && s->kind != WR_JOIN_OUTER_FULL && !s->force_spill && !s->limit_bytes;
    qsort(seen, seen_count, sizeof *seen, ordered ? compare_order : compare_rows);
    if (!ordered) qsort(expected, expected_count, sizeof *expected, compare_rows);
    for (uint32_t i = 0; i < seen_count && i < expected_count; i++) {
        const result_row *a = &seen[i], *b = &expected[i];
        if (a->left == b->left && a->right == b->right && a->mark == b->mark) continue;
        return wr_test_fail(__FILE__, __LINE__, "%s: row %u of %u is (%d, %d, %d), expected (%d, %d, %d) of %u", text,
                            i, seen_count, (int)a->left, (int)a->right, a->mark, (int)b->left, (int)b->right, b->mark,
                            expected_count);
    }
    if (seen_count == expected_count) return true;
    return wr_test_fail(__FILE__, __LINE__, "%s: %u rows, expected %u", text, seen_count, expected_count);
}

static const wr_join_kind kinds[] = {WR_JOIN_INNER, WR_JOIN_OUTER_LEFT,      WR_JOIN_OUTER_FULL, WR_JOIN_SEMI,
                                     WR_JOIN_ANTI,  WR_JOIN_ANTI_NULL_AWARE, WR_JOIN_MARK,       WR_JOIN_SINGLE};

/* All kinds on either side, with and without a residual. */
static bool check_kinds(setup s) {
    for (uint32_t k = 0; k < WR_COUNT_OF(kinds); k++) {
        for (uint32_t way = 0; way < (kinds[k] == WR_JOIN_MARK ? 8 : 4); way++) {
            s.kind = kinds[k];
            s.build_left = way & 1;
            s.residual = way & 2;
            s.null_aware = way & 4;
            if (!check_setup(&s)) return false;
        }
    }
    return true;
}

/* The ways to run that go with one set of rows: batches, threads, shapes, in turn. */
static bool check_ways(setup s, uint32_t turn) {
    static const uint32_t batches[] = {2048, 3, 1, 64};
    s.batch_rows = batches[turn % 4];
    s.threads = turn & 1 ? 4 : 1;
    s.shape = (shape)(turn / 2 % SHAPES);
    s.force_spill = false;
    if (!check_kinds(s)) return false;
    s.force_spill = true;
    s.batch_rows = batches[(turn + 1) % 4];
    return check_kinds(s);
}

static void check_types(uint32_t key_count, const wr_type *types, uint32_t turn) {
    static const struct {
        uint32_t left, right, distinct, null_percent;
    } sizes[] = {{90, 60, 8, 10}, {0, 40, 8, 10}, {40, 0, 8, 10}, {120, 100, 30, 0}, {50, 50, 2, 100}, {1, 1, 1, 0}};
    for (uint32_t i = 0; i < WR_COUNT_OF(sizes); i++) {
        setup s = {.key_count = key_count};
        for (uint32_t k = 0; k < key_count; k++) s.types[k] = types[k];
        random_state = turn * 100 + i + 1;
        side_init(&s.left, sizes[i].left, sizes[i].distinct, sizes[i].null_percent);
        side_init(&s.right, sizes[i].right, sizes[i].distinct, sizes[i].null_percent);
        bool ok = check_ways(s, turn + i);
        s.null_equals_null = true;
        if (ok && i < 2) check_ways(s, turn + i + 1);
        side_free(&s.left);
        side_free(&s.right);
        if (!ok) return;
    }
}

static void check_type(wr_type type, uint32_t turn) {
    check_types(1, &type, turn);
}

WR_TEST(join, integers) {
    static const wr_type_id ids[] = {WR_TYPE_BIGINT,   WR_TYPE_INTEGER, WR_TYPE_SMALLINT, WR_TYPE_TINYINT,
                                     WR_TYPE_UINTEGER, WR_TYPE_UBIGINT, WR_TYPE_DATE,     WR_TYPE_TIMESTAMP};
    for (uint32_t i = 0; i < WR_COUNT_OF(ids); i++) check_type(wr_type_of(ids[i]), i);
}

WR_TEST(join, other_types) {
    static const wr_type_id ids[] = {WR_TYPE_BOOLEAN, WR_TYPE_FLOAT,    WR_TYPE_DOUBLE,
                                     WR_TYPE_HUGEINT, WR_TYPE_INTERVAL, WR_TYPE_VARCHAR};
    for (uint32_t i = 0; i < WR_COUNT_OF(ids); i++) check_type(wr_type_of(ids[i]), i);
    check_type(wr_type_decimal(30, 2), 1);
}

WR_TEST(join, several_keys) {
    static const wr_type_id ids[][KEYS_MAX] = {
        {WR_TYPE_BIGINT, WR_TYPE_BIGINT, WR_TYPE_NULL},       {WR_TYPE_INTEGER, WR_TYPE_DATE, WR_TYPE_NULL},
        {WR_TYPE_BIGINT, WR_TYPE_VARCHAR, WR_TYPE_NULL},      {WR_TYPE_BIGINT, WR_TYPE_BIGINT, WR_TYPE_BIGINT},
        {WR_TYPE_SMALLINT, WR_TYPE_BOOLEAN, WR_TYPE_INTEGER}, {WR_TYPE_VARCHAR, WR_TYPE_DOUBLE, WR_TYPE_INTEGER},
    };
    for (uint32_t i = 0; i < WR_COUNT_OF(ids); i++) {
        uint32_t count = ids[i][2] == WR_TYPE_NULL ? 2 : 3;
        wr_type types[KEYS_MAX];
        for (uint32_t k = 0; k < count; k++) types[k] = wr_type_of(ids[i][k]);
        check_types(count, types, i);
    }
}

WR_TEST(join, no_keys) {
    wr_type none[KEYS_MAX] = {{0}};
    for (uint32_t turn = 0; turn < 4; turn++) check_types(0, none, turn);
}

/* Every row of a table that is found by comparing alone. */
WR_TEST(join, hashes_all_zero) {
    wr_type types[KEYS_MAX] = {wr_type_of(WR_TYPE_TIMESTAMP), wr_type_of(WR_TYPE_VARCHAR), wr_type_of(WR_TYPE_BIGINT)};
    wr_hash_all_zero = 1;
    check_types(1, types, 0);
    check_types(2, types, 1);
    check_types(3, types, 2);
    wr_hash_all_zero = 0;
}

/* Enough rows for several chunks, slices, parts and windows. */
WR_TEST(join, many_rows) {
    static const wr_type_id ids[] = {WR_TYPE_BIGINT, WR_TYPE_TIMESTAMP, WR_TYPE_VARCHAR};
    for (uint32_t i = 0; i < 6; i++) {
        setup s = {.kind = i & 1 ? WR_JOIN_OUTER_FULL : WR_JOIN_INNER,
                   .key_count = 1,
                   .types = {wr_type_of(ids[i / 2])},
                   .batch_rows = 2048,
                   .threads = 4};
        random_state = i;
        side_init(&s.left, 3000, 1 << 14, 1);
        side_init(&s.right, 6000, 1 << 14, 1);
        check_setup(&s);
        s.build_left = true;
        check_setup(&s);
        side_free(&s.left);
        side_free(&s.right);
    }
}

/* ---- failures ---- */

/* Fails the nth call of `point` for every n until the join runs through. */
static void check_faults(const setup *s, wr_fault_point point) {
    static result_row seen[ROOM], expected[ROOM];
    uint32_t seen_count, expected_count;
    char text[300];
    describe(s, text, sizeof text);
    if (!reference(s, expected, &expected_count, ROOM)) return;
    for (uint64_t n = 1;; n++) {
        wr_error err;
        wr_error_clear(&err);
        wr_fault_arm(point, n);
        wr_status status = run_join(s, seen, &seen_count, ROOM, NULL, &err);
        bool reached = wr_fault_calls(point) >= n;
        wr_fault_disarm_all();
        if (wr_test_live_blocks()) {
            wr_test_fail(__FILE__, __LINE__, "%s: call %d fails: %zu blocks are left", text, (int)n,
                         wr_test_live_blocks());
            return;
        }
        if (status == WR_OK && seen_count != expected_count) {
            wr_test_fail(__FILE__, __LINE__, "%s: call %d fails: %u rows, expected %u", text, (int)n, seen_count,
                         expected_count);
            return;
        }
        if (status != WR_OK && !reached) {
            wr_test_fail(__FILE__, __LINE__, "%s: call %d: %s", text, (int)n, err.message);
            return;
        }
        if (!reached) return;
    }
}

WR_TEST(join, faults) {
    static const wr_type_id ids[][2] = {
        {WR_TYPE_BIGINT, WR_TYPE_NULL}, {WR_TYPE_BIGINT, WR_TYPE_VARCHAR}, {WR_TYPE_TIMESTAMP, WR_TYPE_NULL}};
    static const wr_fault_point points[] = {WR_FAULT_ALLOC, WR_FAULT_RESERVE, WR_FAULT_WRITE, WR_FAULT_READ};
    static const wr_join_kind tried[] = {WR_JOIN_OUTER_FULL, WR_JOIN_MARK, WR_JOIN_ANTI};
    for (uint32_t turn = 0; turn < 12; turn++) {
        setup s = {.kind = tried[turn % 3],
                   .build_left = turn & 1,
                   .residual = turn & 2,
                   .batch_rows = 16,
                   .threads = 1,
                   .force_spill = turn & 4,
                   .key_count = turn % 3 == 1 ? 2 : 1};
        for (uint32_t k = 0; k < s.key_count; k++) s.types[k] = wr_type_of(ids[turn % 3][k]);
        random_state = turn + 1;
        side_init(&s.left, 50, 12, 10);
        side_init(&s.right, 40, 12, 10);
        for (uint32_t p = 0; p < WR_COUNT_OF(points); p++) check_faults(&s, points[p]);
        side_free(&s.left);
        side_free(&s.right);
    }
}

/* Little memory: partitions leave one by one, whatever is asked for. */
WR_TEST(join, memory_limits) {
    static const size_t limits[] = {8 << 20, 4 << 20, 3 << 20};
    static const wr_type_id ids[] = {WR_TYPE_BIGINT, WR_TYPE_TIMESTAMP, WR_TYPE_VARCHAR};
    for (uint32_t i = 0; i < 18; i++) {
        setup s = {.kind = kinds[i % WR_COUNT_OF(kinds)],
                   .build_left = i & 1,
                   .key_count = 1,
                   .types = {wr_type_of(ids[i % 3])},
                   .batch_rows = 512,
                   .threads = i & 2 ? 2 : 1,
                   .limit_bytes = limits[i / 6]};
        if (s.kind == WR_JOIN_SINGLE) continue;
        random_state = i + 7;
        side_init(&s.left, s.build_left ? 40000 : 2000, 60000, 1);
        side_init(&s.right, s.build_left ? 2000 : 40000, 60000, 1);
        check_setup(&s);
        side_free(&s.left);
        side_free(&s.right);
    }
}
