/* Aggregation against a naive one: every type of key, vectors of all kinds, several tasks, spilling, failures.
 *
 * The driver stands for a pipeline: it gives batches to the sink's locals in turn, ends the epoch, runs the finish
 * tasks and reads the source's morsels with several locals. Results are compared as sorted lines of text. */
#include "exec/hash_aggregate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "kernel/reduce.h"
#include "tests/unit/test.h"

/* ---- aggregates: a count, a sum, and the greatest text, which owns memory ---- */

static uint64_t *state_at(const wr_state_rows *s, uint32_t i) {
    return (uint64_t *)(void *)(s->base + (s->group ? (size_t)s->group[i] * s->stride : 0));
}

static uint32_t bytes_8(const wr_type *types, uint32_t count) {
    (void)types;
    (void)count;
    return 8;
}
static uint32_t bytes_16(const wr_type *types, uint32_t count) {
    (void)types;
    (void)count;
    return 16;
}
static void clear_8(const wr_aggregate_context *c, uint8_t *base, uint32_t stride, uint32_t count) {
    (void)c;
    for (uint32_t i = 0; i < count; i++) memset(base + (size_t)i * stride, 0, 8);
}
static void clear_16(const wr_aggregate_context *c, uint8_t *base, uint32_t stride, uint32_t count) {
    (void)c;
    for (uint32_t i = 0; i < count; i++) memset(base + (size_t)i * stride, 0, 16);
}

static wr_status count_update(const wr_aggregate_context *c, const wr_vector *args, uint32_t arg_count,
                              const uint64_t *pass, uint32_t row_count, wr_state_rows states) {
    (void)c;
    (void)args;
    (void)arg_count;
    for (uint32_t i = 0; i < row_count; i++) *state_at(&states, i) += wr_valid(pass, i);
    return WR_OK;
}
static wr_status count_merge(const wr_aggregate_context *c, uint8_t *source, uint32_t stride, uint32_t count,
                             wr_state_rows targets) {
    (void)c;
    for (uint32_t i = 0; i < count; i++) *state_at(&targets, i) += *(uint64_t *)(void *)(source + (size_t)i * stride);
    return WR_OK;
}
static wr_status count_finalize(const wr_aggregate_context *c, const uint8_t *base, uint32_t stride, uint32_t count,
                                wr_vector *result) {
    WR_TRY(wr_vector_prepare(result, c->allocator, c->result, count, false, c->err));
    for (uint32_t i = 0; i < count; i++) {
        memcpy((uint64_t *)wr_vector_data_mut(result) + i, base + (size_t)i * stride, 8);
    }
    return WR_OK;
}
static const wr_aggregate_ops count_ops = {.state_bytes = bytes_8,
                                           .state_align = 8,
                                           .init = clear_8,
                                           .update = count_update,
                                           .merge = count_merge,
                                           .finalize = count_finalize};
static const wr_function count_function = {.name = "count", .kind = WR_FUNCTION_AGGREGATE, .aggregate = &count_ops};

/* Of BIGINT; NULLs count as nothing. */
static wr_status sum_update(const wr_aggregate_context *c, const wr_vector *args, uint32_t arg_count,
                            const uint64_t *pass, uint32_t row_count, wr_state_rows states) {
    (void)arg_count;
    wr_vector flat = {0};
    WR_TRY(wr_vector_flatten(&flat, c->allocator, args, c->err));
    for (uint32_t i = 0; i < row_count; i++) {
        if (wr_valid(pass, i) && wr_valid(flat.validity, i)) *state_at(&states, i) += ((const uint64_t *)flat.data)[i];
    }
    wr_vector_deinit(&flat);
    return WR_OK;
}
static const wr_aggregate_ops sum_ops = {.state_bytes = bytes_8,
                                         .state_align = 8,
                                         .init = clear_8,
                                         .update = sum_update,
                                         .merge = count_merge,
                                         .finalize = count_finalize};
static const wr_function sum_function = {.name = "sum", .kind = WR_FUNCTION_AGGREGATE, .aggregate = &sum_ops};

typedef struct text_state {
    char *data; /* NULL: none yet */
    uint64_t size;
} text_state;

static wr_status text_offer(const wr_aggregate_context *c, text_state *s, wr_str text) {
    if (s->data && wr_str_compare((wr_str){s->data, (uint32_t)s->size}, text) >= 0) return WR_OK;
    char *data = wr_alloc(c->allocator, (size_t)text.size + 1);
    if (!data) return wr_fail_memory(c->err, text.size, "text");
    memcpy(data, text.data, text.size);
    if (s->data) wr_free(c->allocator, s->data, s->size + 1);
    *s = (text_state){data, text.size};
    return WR_OK;
}
static wr_status text_update(const wr_aggregate_context *c, const wr_vector *args, uint32_t arg_count,
                             const uint64_t *pass, uint32_t row_count, wr_state_rows states) {
    (void)arg_count;
    wr_vector flat = {0};
    wr_status status = wr_vector_flatten(&flat, c->allocator, args, c->err);
    for (uint32_t i = 0; i < row_count && status == WR_OK; i++) {
        if (!wr_valid(pass, i) || !wr_valid(flat.validity, i)) continue;
        text_state *s = (text_state *)(void *)state_at(&states, i);
        status = text_offer(c, s, wr_view_str((const wr_string_view *)flat.data + i));
    }
    wr_vector_deinit(&flat);
    return status;
}
static void text_destroy(const wr_aggregate_context *c, uint8_t *base, uint32_t stride, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        text_state *s = (text_state *)(void *)(base + (size_t)i * stride);
        if (s->data) wr_free(c->allocator, s->data, s->size + 1);
        *s = (text_state){0};
    }
}
static wr_status text_merge(const wr_aggregate_context *c, uint8_t *source, uint32_t stride, uint32_t count,
                            wr_state_rows targets) {
    wr_status status = WR_OK;
    for (uint32_t i = 0; i < count && status == WR_OK; i++) {
        text_state *from = (text_state *)(void *)(source + (size_t)i * stride);
        text_state *to = (text_state *)(void *)state_at(&targets, i);
        if (from->data) status = text_offer(c, to, (wr_str){from->data, (uint32_t)from->size});
    }
    text_destroy(c, source, stride, count);
    return status;
}
static wr_status text_finalize(const wr_aggregate_context *c, const uint8_t *base, uint32_t stride, uint32_t count,
                               wr_vector *result) {
    WR_TRY(wr_vector_prepare(result, c->allocator, c->result, count, true, c->err));
    for (uint32_t i = 0; i < count; i++) {
        const text_state *s = (const text_state *)(const void *)(base + (size_t)i * stride);
        wr_string_view view = {.words = {0, 0}};
        if (!s->data) {
            wr_bit_clear(wr_vector_validity_mut(result), i);
        } else if (s->size <= WR_STRING_INLINE) {
            view = wr_view_make(s->data, (uint32_t)s->size);
        } else {
            char *own;
            WR_TRY(wr_heap_alloc(result->heap, (uint32_t)s->size, &own, c->err));
            memcpy(own, s->data, s->size);
            view = wr_view_make(own, (uint32_t)s->size);
        }
        ((wr_string_view *)wr_vector_data_mut(result))[i] = view;
    }
    return WR_OK;
}
static size_t text_write_bytes(const uint8_t *state) {
    const text_state *s = (const text_state *)(const void *)state;
    return s->data ? 1 + s->size : 0;
}
static void text_write(const uint8_t *state, uint8_t *out) {
    const text_state *s = (const text_state *)(const void *)state;
    if (s->data) memcpy(out + 1, s->data, s->size);
}
static wr_status text_read(const wr_aggregate_context *c, uint8_t *state, const uint8_t *bytes, size_t size) {
    text_state *s = (text_state *)(void *)state;
    *s = (text_state){0};
    return size ? text_offer(c, s, (wr_str){(const char *)bytes + 1, (uint32_t)size - 1}) : WR_OK;
}
static const wr_aggregate_ops text_ops = {.state_bytes = bytes_16,
                                          .state_align = 8,
                                          .init = clear_16,
                                          .update = text_update,
                                          .merge = text_merge,
                                          .finalize = text_finalize,
                                          .destroy = text_destroy,
                                          .write_bytes = text_write_bytes,
                                          .write = text_write,
                                          .read = text_read};
static const wr_function text_function = {
    .name = "greatest_text", .kind = WR_FUNCTION_AGGREGATE, .aggregate = &text_ops};

/* ---- input ---- */

static uint64_t seed;

static uint32_t random_below(uint32_t limit) {
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)((seed >> 33) % limit);
}

static const wr_field struct_fields[] = {{{"a", 1}, {.id = WR_TYPE_INTEGER}, true},
                                         {{"b", 1}, {.id = WR_TYPE_VARCHAR}, true}};
static const wr_field list_element = {{"element", 7}, {.id = WR_TYPE_VARCHAR}, true};
enum { TYPE_COUNT = 18 };

static wr_type type_at(uint32_t i) {
    static const uint8_t simple[] = {WR_TYPE_BOOLEAN,  WR_TYPE_TINYINT,   WR_TYPE_SMALLINT, WR_TYPE_INTEGER,
                                     WR_TYPE_BIGINT,   WR_TYPE_HUGEINT,   WR_TYPE_UTINYINT, WR_TYPE_USMALLINT,
                                     WR_TYPE_UINTEGER, WR_TYPE_UBIGINT,   WR_TYPE_FLOAT,    WR_TYPE_DOUBLE,
                                     WR_TYPE_VARCHAR,  WR_TYPE_TIMESTAMP, WR_TYPE_INTERVAL};
    if (i < sizeof simple) return wr_type_of((wr_type_id)simple[i]);
    switch (i - sizeof simple) {
    case 0: return (wr_type){.id = WR_TYPE_STRUCT, .child_count = 2, .children = struct_fields};
    case 1: return (wr_type){.id = WR_TYPE_LIST, .child_count = 1, .children = &list_element};
    default: return wr_type_decimal(15, 2);
    }
}

static const char letters[] = "the quick brown fox jumps over the lazy dog and then some more of it, again and again";

/* Value `n` of a type: different ones differ, as far as the type goes. */
static wr_value value_of(wr_type type, uint32_t n, wr_arena *arena, char *text) {
    wr_value value = {.type = type};
    switch (wr_type_phys(type)) {
    case WR_PHYS_BOOL: value.boolean = n & 1; break;
    case WR_PHYS_I8: value.i64 = (int8_t)(n * 7); break;
    case WR_PHYS_I16: value.i64 = (int16_t)(n * 77); break;
    case WR_PHYS_I32: value.i64 = (int32_t)(n % 7 ? n : n * 2654435761u); break;
    case WR_PHYS_I64: value.i64 = n % 5 ? (int64_t)(n * UINT64_C(0x9e3779b97f4a7c15)) : (int64_t)n - 100; break;
    case WR_PHYS_I128: value.i128 = ((wr_int128)n << 100) - n; break;
    case WR_PHYS_U8: value.u64 = n & 255; break;
    case WR_PHYS_U16: value.u64 = n & 65535; break;
    case WR_PHYS_U32: value.u64 = n * 2654435761u; break;
    case WR_PHYS_U64: value.u64 = ~(uint64_t)n; break;
    case WR_PHYS_F32:
    case WR_PHYS_F64: value.f64 = n % 10 == 0 ? 0.0 : n % 10 == 1 ? -0.0 : n % 10 == 2 ? NAN : n / 4.0; break;
    case WR_PHYS_VIEW:
        value.text = (wr_str){text, (uint32_t)snprintf(text, 64, "%u%.*s", n, (int)(n % 40), letters)};
        break;
    case WR_PHYS_INTERVAL: value.interval = (wr_interval){(int32_t)n, 0, 7}; break;
    default: {
        uint32_t count = type.id == WR_TYPE_STRUCT ? 2 : n % 4;
        wr_value *items = WR_ARENA_ARRAY(arena, wr_value, count + 1);
        for (uint32_t i = 0; i < count; i++) {
            char *item_text = wr_arena_alloc(arena, 64);
            items[i] = value_of(type.children[type.id == WR_TYPE_STRUCT ? i : 0].type, n + i, arena, item_text);
            items[i].is_null = (n + i) % 11 == 0;
        }
        value.items = items;
        value.item_count = count;
    }
    }
    return value;
}

enum { KEYS_MAX = 4 };

/* A table of rows in memory: key columns, then a BIGINT, a VARCHAR and a BOOLEAN for arguments and filter. */
typedef struct table {
    wr_arena arena;
    uint32_t row_count, key_count;
    wr_type types[KEYS_MAX + 3];
    wr_value *values; /* by row, then column */
} table;

static const wr_value *cell(const table *t, uint32_t row, uint32_t column) {
    return &t->values[(size_t)row * (t->key_count + 3) + column];
}

static void table_init(table *t, const wr_type *key_types, uint32_t key_count, uint32_t row_count, uint32_t distinct,
                       uint32_t nulls_per_10) {
    wr_arena_init(&t->arena, wr_test_allocator());
    t->row_count = row_count;
    t->key_count = key_count;
    for (uint32_t k = 0; k < key_count; k++) t->types[k] = key_types[k];
    t->types[key_count] = wr_type_of(WR_TYPE_BIGINT);
    t->types[key_count + 1] = wr_type_of(WR_TYPE_VARCHAR);
    t->types[key_count + 2] = wr_type_of(WR_TYPE_BOOLEAN);
    t->values = WR_ARENA_ARRAY(&t->arena, wr_value, (size_t)row_count * (key_count + 3) + 1);
    for (uint32_t i = 0; i < row_count; i++) {
        for (uint32_t c = 0; c < key_count + 3; c++) {
            bool is_key = c < key_count;
            wr_value *value = &t->values[(size_t)i * (key_count + 3) + c];
            char *text = wr_arena_alloc(&t->arena, 64);
            *value = value_of(t->types[c], random_below(is_key ? distinct : 50), &t->arena, text);
            value->is_null = random_below(10) < (is_key ? nulls_per_10 : 1);
        }
    }
}

/* Rows [first, first + count) of a column as a vector, each `times` times. */
static wr_status make_vector(wr_vector *v, wr_allocator *a, const table *t, uint32_t column, uint32_t first,
                             uint32_t count, uint32_t times, wr_error *err) {
    wr_type type = t->types[column];
    WR_TRY(wr_vector_prepare(v, a, type, 0, false, err));
    for (uint32_t i = 0; i < count * times; i++) {
        wr_vector one = {0};
        wr_status status = wr_vector_constant(&one, a, cell(t, first + i / times, column), 1, err);
        if (status == WR_OK) status = wr_vector_append(v, a, &one, NULL, 1, err);
        wr_vector_deinit(&one);
        WR_TRY(status);
    }
    return WR_OK;
}

/* The same as codes into a dictionary that has a value as often as it occurs. */
static wr_status to_dictionary(wr_vector *v, wr_allocator *a, wr_error *err) {
    wr_vector_set *set;
    wr_vector out = {0};
    uint32_t n = v->row_count;
    WR_TRY(wr_vector_set_create(&set, a, 1, err));
    wr_vector_share(&set->items[0], v);
    wr_buffer *codes;
    wr_status status = wr_buffer_create(&codes, a, sizeof(uint32_t) * (n + 1), err);
    if (status != WR_OK) {
        wr_vector_set_release(set);
        return status;
    }
    for (uint32_t i = 0; i < n; i++) ((uint32_t *)(void *)codes->data)[i] = i;
    out = (wr_vector){.type = v->type,
                      .kind = WR_DICTIONARY,
                      .phys = v->phys,
                      .row_count = n,
                      .data = codes->data,
                      .data_buffer = codes,
                      .children = set};
    wr_vector_move(v, &out);
    return WR_OK;
}

/* ---- the naive way ---- */

static void print_key(wr_text *text, const wr_value *value) {
    wr_value copy = *value;
    wr_phys phys = wr_type_phys(value->type);
    if ((phys == WR_PHYS_F32 || phys == WR_PHYS_F64) && copy.f64 == 0) copy.f64 = 0;
    if (copy.is_null) {
        wr_text_addz(text, "NULL");
    } else {
        wr_value_print(text, &copy);
    }
    wr_text_addz(text, " | ");
}

static int compare_lines(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

typedef struct lines {
    wr_arena arena;
    char **items;
    uint32_t count, capacity;
} lines;

static void lines_init(lines *l) {
    memset(l, 0, sizeof *l);
    wr_arena_init(&l->arena, wr_test_allocator());
}

static void lines_add(lines *l, wr_text *text) {
    wr_text_add(text, "", 1);
    char *line = (char *)(uintptr_t)wr_arena_copy(&l->arena, wr_text_view(text)).data;
    WR_CHECK(wr_arena_push(&l->arena, &l->items, &l->count, &l->capacity, sizeof *l->items, &line));
}

static void lines_sort(lines *l) {
    if (l->count) qsort(l->items, l->count, sizeof *l->items, compare_lines);
}

typedef struct naive_group {
    char *key;
    uint64_t count, sum;
    const wr_value *text;
} naive_group;

static int compare_groups(const void *a, const void *b) {
    return strcmp(((const naive_group *)a)->key, ((const naive_group *)b)->key);
}

/* count(*), sum(number) filtered by the boolean, greatest_text(text). */
static void naive(const table *t, lines *out) {
    naive_group *rows = WR_ARENA_ARRAY(&out->arena, naive_group, t->row_count + 1);
    wr_text text;
    wr_text_init(&text, wr_test_allocator());
    for (uint32_t i = 0; i < t->row_count; i++) {
        wr_text_clear(&text);
        for (uint32_t k = 0; k < t->key_count; k++) print_key(&text, cell(t, i, k));
        const wr_value *number = cell(t, i, t->key_count), *pass = cell(t, i, t->key_count + 2);
        bool counts = !pass->is_null && pass->boolean && !number->is_null;
        rows[i].key = (char *)(uintptr_t)wr_arena_copy(&out->arena, wr_text_view(&text)).data;
        if (!rows[i].key) rows[i].key = (char *)(uintptr_t) "";
        rows[i].count = 1;
        rows[i].sum = counts ? (uint64_t)number->i64 : 0;
        rows[i].text = cell(t, i, t->key_count + 1);
        if (rows[i].text->is_null) rows[i].text = NULL;
    }
    if (t->row_count) qsort(rows, t->row_count, sizeof *rows, compare_groups);
    for (uint32_t i = 0, n; i < t->row_count; i += n) {
        naive_group *g = &rows[i];
        for (n = 1; i + n < t->row_count && strcmp(rows[i + n].key, g->key) == 0; n++) {
            g->count++;
            g->sum += rows[i + n].sum;
            const wr_value *other = rows[i + n].text;
            if (other && (!g->text || wr_str_compare(g->text->text, other->text) < 0)) g->text = other;
        }
        wr_text_clear(&text);
        wr_text_format(&text, "%s%lld | %lld | %.*s", g->key, (long long)g->count, (long long)g->sum,
                       g->text ? (int)g->text->text.size : 4, g->text ? g->text->text.data : "NULL");
        lines_add(out, &text);
    }
    wr_text_deinit(&text);
    lines_sort(out);
}

/* ---- the driver ---- */

enum { LOCALS_MAX = 4 };

typedef struct setup {
    uint32_t batch_rows, local_count;
    bool force_spill, bounded;
    int64_t low, high; /* bounded: 0, 0 stands for the usual bounds */
    double estimated_groups;
    wr_vector_kind kind;
    size_t limit_bytes;
    uint32_t epochs;   /* 0 and 1: all rows in one */
    bool twice;        /* batches have every row twice, and a selection that takes it once */
    bool without_text; /* only aggregates that are plain bytes */
} setup;

typedef struct driver {
    wr_exec exec;
    wr_budget *budget;
    wr_sink *sink;
    wr_source *source;
    wr_local *locals[LOCALS_MAX], *source_locals[LOCALS_MAX];
    uint64_t spilled_bytes;
} driver;

static void no_wake(wr_waker *self) {
    (void)self;
}

static wr_status driver_init(driver *d, const table *t, const setup *s, wr_error *err) {
    memset(d, 0, sizeof *d);
    wr_allocator *system = wr_test_allocator();
    WR_TRY(
        wr_budget_create(&d->budget, NULL, system, "test", s->limit_bytes ? s->limit_bytes : WR_BUDGET_NO_LIMIT, err));
    d->exec.budget = d->budget;
    d->exec.allocator = wr_budget_allocator(d->budget);
    d->exec.environment.kernels = wr_kernels_best();
    d->exec.environment.batch_rows = s->batch_rows;
    d->exec.batch_rows = s->batch_rows;
    d->exec.thread_count = s->local_count;
    d->exec.force_spill = s->force_spill;
    WR_TRY(wr_spill_create(&d->exec.spill, d->exec.allocator, "/tmp", UINT64_MAX, err));
    uint32_t number = t->key_count, text = t->key_count + 1;
    wr_aggregate_key keys[KEYS_MAX];
    for (uint32_t k = 0; k < t->key_count; k++) {
        keys[k] =
            (wr_aggregate_key){.column = k, .nullable = true, .bounded = s->bounded, .low = s->low, .high = s->high};
        if (!s->low && !s->high) keys[k].low = -100, keys[k].high = 1000000;
    }
    wr_aggregate_call calls[] = {
        {&count_function, NULL, wr_type_of(WR_TYPE_BIGINT), NULL, 0, WR_AGGREGATE_NO_FILTER},
        {&sum_function, NULL, wr_type_of(WR_TYPE_BIGINT), &number, 1, t->key_count + 2},
        {&text_function, NULL, wr_type_of(WR_TYPE_VARCHAR), &text, 1, WR_AGGREGATE_NO_FILTER},
    };
    wr_aggregate_spec spec = {.input_types = t->types,
                              .input_count = t->key_count + 3,
                              .keys = keys,
                              .key_count = t->key_count,
                              .calls = calls,
                              .call_count = s->without_text ? 2 : 3,
                              .estimated_groups = s->estimated_groups};
    WR_TRY(wr_aggregate_create(&d->sink, &d->source, &d->exec, &spec, err));
    for (uint32_t i = 0; i < s->local_count; i++) {
        WR_TRY(d->sink->ops->local_create(d->sink, &d->locals[i], err));
        WR_TRY(d->source->ops->local_create(d->source, &d->source_locals[i], err));
    }
    return WR_OK;
}

static void drop_locals(driver *d) {
    for (uint32_t i = 0; i < LOCALS_MAX; i++) {
        if (d->locals[i]) d->sink->ops->local_destroy(d->sink, d->locals[i]);
        d->locals[i] = NULL;
    }
}

static void driver_deinit(driver *d) {
    drop_locals(d);
    for (uint32_t i = 0; i < LOCALS_MAX; i++) {
        if (d->source_locals[i]) d->source->ops->local_destroy(d->source, d->source_locals[i]);
    }
    if (d->sink) d->spilled_bytes += d->sink->base.counters.spilled_bytes;
    if (d->source) d->source->ops->destroy(d->source);
    if (d->sink) d->sink->ops->destroy(d->sink);
    wr_spill_destroy(d->exec.spill);
    if (d->budget) wr_budget_close(d->budget);
}

static wr_status feed_batch(driver *d, wr_local *local, wr_batch *batch, wr_error *err) {
    wr_waker waker = {no_wake, NULL};
    for (uint32_t tries = 0; tries < 100000; tries++) {
        wr_flow flow;
        WR_TRY(d->sink->ops->consume(d->sink, local, batch, &flow, &waker, err));
        if (flow == WR_NEED_INPUT) return WR_OK;
        wr_budget_unpark(d->sink->base.budget, &waker);
    }
    return wr_fail(err, WR_INTERNAL, "blocked for ever");
}

static wr_status make_batch(wr_batch *batch, wr_allocator *a, const table *t, const setup *s, uint32_t first,
                            uint32_t count, wr_error *err) {
    uint32_t columns = t->key_count + 3, times = s->twice ? 2 : 1;
    WR_TRY(wr_batch_init(batch, a, columns, err));
    for (uint32_t c = 0; c < columns; c++) {
        wr_vector *v = &batch->columns[c];
        if (s->kind == WR_CONSTANT && c < t->key_count) {
            WR_TRY(wr_vector_constant(v, a, cell(t, first, c), count * times, err));
            continue;
        }
        WR_TRY(make_vector(v, a, t, c, first, count, times, err));
        if (s->kind == WR_DICTIONARY && (c < t->key_count || (first + c) % 2)) WR_TRY(to_dictionary(v, a, err));
    }
    wr_batch_set_rows(batch, count * times);
    if (!s->twice) return WR_OK;
    uint64_t pass[WR_BATCH_ROWS_MAX / 64];
    memset(pass, 0x55, sizeof pass);
    return wr_batch_filter(batch, pass, err);
}

static wr_status end_epoch(driver *d, const setup *s, wr_control_kind kind, uint64_t epoch, wr_error *err) {
    wr_waker waker = {no_wake, NULL};
    for (uint32_t i = 0; i < s->local_count; i++) WR_TRY(d->sink->ops->combine(d->sink, d->locals[i], err));
    if (kind == WR_END) drop_locals(d);
    wr_control control = {kind, epoch, WR_WATERMARK_INFINITY};
    uint32_t tasks;
    WR_TRY(d->sink->ops->control(d->sink, &control, &tasks, err));
    for (uint32_t task = 0; task < tasks; task++) {
        wr_flow flow = WR_NEED_INPUT;
        for (uint32_t tries = 0; flow != WR_DONE; tries++) {
            WR_TRY(d->sink->ops->finish(d->sink, task, &flow, &waker, err));
            if (tries > 100000) return wr_fail(err, WR_INTERNAL, "blocked for ever");
        }
    }
    return WR_OK;
}

/* All batches of a table. */
typedef struct input {
    wr_batch *items;
    uint32_t count, capacity;
} input;

static void input_deinit(input *in) {
    for (uint32_t i = 0; i < in->count; i++) wr_batch_deinit(&in->items[i]);
    wr_free(wr_test_allocator(), in->items, sizeof *in->items * in->capacity);
}

static wr_status input_init(input *in, const table *t, const setup *s, wr_error *err) {
    wr_allocator *a = wr_test_allocator();
    memset(in, 0, sizeof *in);
    for (uint32_t first = 0, n; first < t->row_count; first += n) {
        /* Constants are those of the first row: one row a batch. */
        n = s->kind == WR_CONSTANT ? 1 : s->batch_rows;
        if (n > t->row_count - first) n = t->row_count - first;
        WR_TRY(wr_grow(a, (void **)&in->items, &in->capacity, in->count, 1, sizeof *in->items, err));
        WR_TRY(make_batch(&in->items[in->count++], a, t, s, first, n, err));
    }
    return WR_OK;
}

static wr_status feed(driver *d, const input *in, const setup *s, wr_error *err) {
    uint32_t epochs = s->epochs ? s->epochs : 1, ended = 0;
    for (uint32_t i = 0; i < in->count; i++) {
        WR_TRY(feed_batch(d, d->locals[i % s->local_count], &in->items[i], err));
        if (ended + 1 < epochs && i + 1 >= in->count * (ended + 1) / epochs) {
            WR_TRY(end_epoch(d, s, WR_WATERMARK, ended++, err));
        }
    }
    return end_epoch(d, s, WR_END, epochs - 1, err);
}

static void add_rows(const wr_batch *batch, lines *out) {
    wr_text text;
    wr_arena arena;
    wr_text_init(&text, wr_test_allocator());
    wr_arena_init(&arena, wr_test_allocator());
    for (uint32_t i = 0; i < batch->row_count; i++) {
        wr_text_clear(&text);
        for (uint32_t c = 0; c < batch->column_count; c++) {
            wr_value value;
            if (wr_vector_value(&batch->columns[c], i, &arena, &value, NULL) != WR_OK) continue;
            print_key(&text, &value);
        }
        if (text.size >= 3) text.size -= 3; /* the last separator */
        lines_add(out, &text);
    }
    wr_arena_deinit(&arena);
    wr_text_deinit(&text);
}

static wr_status collect(driver *d, const setup *s, lines *out, wr_error *err) {
    wr_waker waker = {no_wake, NULL};
    for (uint32_t turn = 0;; turn++) {
        wr_morsel morsel;
        wr_control control = {WR_END, 0, WR_WATERMARK_INFINITY};
        wr_flow flow;
        WR_TRY(d->source->ops->next(d->source, &morsel, &control, &flow, &waker, err));
        if (flow == WR_DONE) {
            WR_CHECK_EQ_INT(control.kind, WR_END);
            return WR_OK;
        }
        WR_CHECK_EQ_UINT(morsel.index, turn);
        for (uint32_t tries = 0; flow != WR_NEED_INPUT; tries++) {
            wr_batch *batch;
            WR_TRY(d->source->ops->read(d->source, d->source_locals[turn % s->local_count], &morsel, &batch, &flow,
                                        &waker, err));
            if (flow == WR_HAVE_OUTPUT) add_rows(batch, out);
            if (flow == WR_HAVE_OUTPUT) WR_CHECK(batch->row_count <= s->batch_rows);
            if (tries > 10000000) return wr_fail(err, WR_INTERNAL, "blocked for ever");
        }
    }
}

static wr_status run(const table *t, const setup *s, lines *out, uint64_t *spilled_bytes, wr_error *err) {
    driver d;
    input in;
    WR_CHECK_OK(input_init(&in, t, s, err), err);
    wr_status status = driver_init(&d, t, s, err);
    if (status == WR_OK) status = feed(&d, &in, s, err);
    if (status == WR_OK) status = collect(&d, s, out, err);
    driver_deinit(&d);
    input_deinit(&in);
    if (spilled_bytes) *spilled_bytes = d.spilled_bytes;
    return status;
}

/* The text aggregate's column is cut off where the run was without it. */
static void drop_text(lines *l) {
    for (uint32_t i = 0; i < l->count; i++) {
        char *last = strrchr(l->items[i], '|');
        if (last) last[-1] = 0;
    }
    lines_sort(l);
}

static bool check(const table *t, const setup *s, uint64_t *spilled_bytes, const char *what) {
    wr_error err;
    lines expected, seen;
    wr_error_clear(&err);
    lines_init(&expected);
    lines_init(&seen);
    naive(t, &expected);
    if (s->without_text) drop_text(&expected);
    bool ok = WR_CHECK_OK(run(t, s, &seen, spilled_bytes, &err), &err);
    lines_sort(&seen);
    if (ok && seen.count != expected.count) {
        ok = wr_test_fail(__FILE__, __LINE__, "%s: %u groups, expected %u", what, seen.count, expected.count);
    }
    for (uint32_t i = 0; ok && i < seen.count; i++) {
        if (strcmp(seen.items[i], expected.items[i]) == 0) continue;
        ok = wr_test_fail(__FILE__, __LINE__, "%s: \"%s\", expected \"%s\"", what, seen.items[i], expected.items[i]);
    }
    wr_arena_deinit(&expected.arena);
    wr_arena_deinit(&seen.arena);
    return ok;
}

/* ---- tests ---- */

WR_TEST(aggregate, every_type_of_key) {
    static const wr_vector_kind kinds[] = {WR_FLAT, WR_DICTIONARY, WR_CONSTANT};
    static const uint32_t batches[] = {2048, 3, 1};
    seed = 1;
    for (uint32_t type = 0; type < TYPE_COUNT; type++) {
        wr_type key = type_at(type);
        table t;
        table_init(&t, &key, 1, 1500, 400, type % 2 ? 2 : 0);
        for (uint32_t kind = 0; kind < 3; kind++) {
            for (uint32_t b = 0; b < 3; b++) {
                setup s = {.batch_rows = batches[b], .local_count = b == 1 ? 1 : 4, .kind = kinds[kind]};
                if (!check(&t, &s, NULL, wr_type_id_name((wr_type_id)key.id))) break;
            }
        }
        wr_arena_deinit(&t.arena);
    }
}

WR_TEST(aggregate, several_keys) {
    static const uint32_t sets[][KEYS_MAX] = {{3, 3, 1, 0}, {4, 3, 2, 1}, {12, 3, 0, 12}, {11, 10, 4, 3},
                                              {0, 1, 2, 6}, {9, 4, 0, 0}, {15, 16, 14, 5}};
    seed = 2;
    for (uint32_t i = 0; i < WR_COUNT_OF(sets); i++) {
        for (uint32_t count = 2; count <= KEYS_MAX; count++) {
            wr_type keys[KEYS_MAX];
            for (uint32_t k = 0; k < count; k++) keys[k] = type_at(sets[i][k]);
            table t;
            table_init(&t, keys, count, 2000, 6, i % 3);
            setup flat = {.batch_rows = 100, .local_count = 4};
            setup coded = {.batch_rows = 2048, .local_count = 1, .kind = WR_DICTIONARY};
            check(&t, &flat, NULL, "several keys");
            check(&t, &coded, NULL, "several keys, coded");
            wr_arena_deinit(&t.arena);
        }
    }
}

WR_TEST(aggregate, bounded_keys_take_few_bits) {
    wr_type keys[] = {type_at(4), type_at(4), type_at(4), type_at(4)};
    wr_type small = wr_type_of(WR_TYPE_INTEGER);
    seed = 3;
    table t;
    table_init(&t, &small, 1, 1000, 90, 1);
    for (uint32_t i = 0; i < t.row_count; i++) t.values[(size_t)i * 4].i64 = (int64_t)random_below(1000) - 100;
    setup s = {.batch_rows = 100, .local_count = 2, .bounded = true};
    check(&t, &s, NULL, "bounded");
    wr_arena_deinit(&t.arena);
    table_init(&t, keys, 4, 1000, 4, 2);
    for (uint32_t i = 0; i < t.row_count; i++) {
        for (uint32_t k = 0; k < 4; k++) t.values[(size_t)i * 7 + k].i64 = random_below(3) * UINT64_C(300000);
    }
    check(&t, &s, NULL, "four bounded keys");
    t.values[700].is_null = false;
    t.values[700].i64 = 2000000;
    wr_error err;
    lines seen;
    wr_error_clear(&err);
    lines_init(&seen);
    WR_CHECK_STATUS(run(&t, &s, &seen, NULL, &err), WR_CORRUPT, &err);
    WR_CHECK_CONTAINS(err.message, "holds 2000000, but");
    wr_arena_deinit(&seen.arena);
    wr_arena_deinit(&t.arena);
}

WR_TEST(aggregate, dense_domains) {
    static const uint8_t types[] = {WR_TYPE_INTEGER,  WR_TYPE_BIGINT,  WR_TYPE_SMALLINT,
                                    WR_TYPE_UINTEGER, WR_TYPE_TINYINT, WR_TYPE_USMALLINT};
    static const uint32_t batches[] = {1, 3, 100, 2048};
    seed = 13;
    for (uint32_t i = 0; i < WR_COUNT_OF(types); i++) {
        for (uint32_t key_count = 1; key_count <= 3; key_count++) {
            wr_type keys[] = {wr_type_of((wr_type_id)types[i]), wr_type_of(WR_TYPE_BOOLEAN),
                              wr_type_of(WR_TYPE_BIGINT)};
            table t;
            table_init(&t, keys, key_count, 2000, 4, i % 3);
            for (uint32_t r = 0; r < t.row_count; r++) {
                for (uint32_t k = 0; k < key_count; k += 2)
                    t.values[(size_t)r * (key_count + 3) + k].i64 = 5 + random_below(100);
            }
            setup s = {.batch_rows = batches[(i + key_count) % 4],
                       .local_count = 1 + i % 4,
                       .bounded = true,
                       .low = 3,
                       .high = 120,
                       .estimated_groups = 1e6,
                       .without_text = true,
                       .epochs = i % 2 ? 3 : 1,
                       .kind = i == 4 ? WR_DICTIONARY : WR_FLAT};
            check(&t, &s, NULL, "dense");
            setup out_of_bounds = s;
            out_of_bounds.high = 50;
            wr_error err;
            lines seen;
            wr_error_clear(&err);
            lines_init(&seen);
            WR_CHECK_STATUS(run(&t, &out_of_bounds, &seen, NULL, &err), WR_CORRUPT, &err);
            WR_CHECK_CONTAINS(err.message, "between 3 and 50");
            wr_arena_deinit(&seen.arena);
            wr_arena_deinit(&t.arena);
        }
    }
}

/* A domain far larger than a block, of which tasks see different ends. */
WR_TEST(aggregate, sparse_blocks_of_a_dense_domain) {
    seed = 14;
    wr_type key = wr_type_of(WR_TYPE_INTEGER);
    table t;
    table_init(&t, &key, 1, 4000, 4, 0);
    for (uint32_t r = 0; r < t.row_count; r++) t.values[(size_t)r * 4].i64 = r / 1000 * 70000 + random_below(300);
    setup s = {.batch_rows = 1000,
               .local_count = 3,
               .bounded = true,
               .high = 300000,
               .estimated_groups = 1e6,
               .without_text = true};
    check(&t, &s, NULL, "sparse");
    wr_arena_deinit(&t.arena);
}

WR_TEST(aggregate, selections_are_respected) {
    seed = 12;
    for (uint32_t keys = 0; keys <= 2; keys++) {
        wr_type types[] = {type_at(12), type_at(4)};
        table t;
        table_init(&t, types, keys, 1000, 20, 1);
        setup s = {.batch_rows = 100, .local_count = 2, .twice = true, .kind = keys == 1 ? WR_DICTIONARY : WR_FLAT};
        check(&t, &s, NULL, "selected rows");
        wr_arena_deinit(&t.arena);
    }
}

WR_TEST(aggregate, no_rows_and_no_keys) {
    seed = 4;
    table t;
    wr_type key = type_at(3);
    setup s = {.batch_rows = 10, .local_count = 4};
    table_init(&t, &key, 1, 0, 10, 0);
    check(&t, &s, NULL, "no rows");
    wr_arena_deinit(&t.arena);
    table_init(&t, &key, 0, 1000, 10, 0);
    check(&t, &s, NULL, "no keys");
    s.epochs = 3;
    check(&t, &s, NULL, "no keys, epochs");
    wr_arena_deinit(&t.arena);
    table_init(&t, &key, 0, 0, 10, 0);
    lines seen;
    wr_error err;
    lines_init(&seen);
    WR_CHECK_OK(run(&t, &s, &seen, NULL, &err), &err);
    if (WR_CHECK_EQ_UINT(seen.count, 1)) WR_CHECK_EQ_STR(seen.items[0], "0 | 0 | NULL");
    wr_arena_deinit(&seen.arena);
    wr_arena_deinit(&t.arena);
}

WR_TEST(aggregate, forced_spilling_changes_nothing) {
    static const uint32_t types[] = {3, 4, 11, 12, 16, 5};
    seed = 5;
    for (uint32_t i = 0; i < WR_COUNT_OF(types); i++) {
        for (int plain = 0; plain <= 1; plain++) {
            wr_type keys[] = {type_at(types[i]), type_at(3)};
            table t;
            table_init(&t, keys, 1 + i % 2, 8000, 3000, 1);
            setup s = {.batch_rows = i % 3 ? 2048 : 100,
                       .local_count = 1 + 3 * (i % 2),
                       .force_spill = true,
                       .without_text = plain};
            uint64_t spilled_bytes = 0;
            check(&t, &s, &spilled_bytes, "spilled");
            WR_CHECK(spilled_bytes > 0);
            wr_arena_deinit(&t.arena);
        }
    }
}

WR_TEST(aggregate, a_tight_budget_is_kept) {
    static const uint32_t types[] = {4, 12};
    seed = 6;
    for (uint32_t i = 0; i < WR_COUNT_OF(types); i++) {
        wr_type key = type_at(types[i]);
        table t;
        table_init(&t, &key, 1, 60000, 50000, 0);
        setup s = {.batch_rows = 512, .local_count = 2, .limit_bytes = 2000 * 1024, .without_text = true};
        uint64_t spilled_bytes = 0;
        check(&t, &s, &spilled_bytes, "tight");
        WR_CHECK(spilled_bytes > 0);
        wr_arena_deinit(&t.arena);
    }
}

/* More groups than a table takes, which do and do not repeat. */
WR_TEST(aggregate, tables_that_are_full_move_on) {
    static const uint32_t types[] = {4, 12};
    seed = 7;
    for (uint32_t i = 0; i < WR_COUNT_OF(types); i++) {
        for (uint32_t distinct = 5000; distinct <= 500000; distinct *= 10) {
            wr_type key = type_at(types[i]);
            table t;
            table_init(&t, &key, 1, 20000, distinct, 0);
            setup s = {.batch_rows = 300, .local_count = 2, .limit_bytes = 8 << 20};
            check(&t, &s, NULL, "full tables");
            wr_arena_deinit(&t.arena);
        }
    }
}

WR_TEST(aggregate, equal_hashes) {
    static const uint32_t types[] = {3, 12, 16};
    seed = 8;
    wr_hash_all_zero = 1;
    for (uint32_t i = 0; i < WR_COUNT_OF(types); i++) {
        wr_type keys[] = {type_at(types[i]), type_at(4), type_at(4)};
        table t;
        table_init(&t, keys, 1 + i, 1000, 4 + 100 / (1 + i * i * 40), 1);
        setup s = {.batch_rows = 200, .local_count = 2},
              spilling = {.batch_rows = 200, .local_count = 2, .force_spill = true};
        check(&t, &s, NULL, "zero hashes");
        check(&t, &spilling, NULL, "zero hashes, spilled");
        wr_arena_deinit(&t.arena);
    }
    wr_hash_all_zero = 0;
}

WR_TEST(aggregate, epochs_accumulate) {
    seed = 9;
    wr_type key = type_at(12);
    table t;
    table_init(&t, &key, 1, 5000, 300, 1);
    for (uint32_t epochs = 2; epochs < 8; epochs += 3) {
        setup s = {.batch_rows = 50, .local_count = 4, .epochs = epochs}, spilling = s;
        check(&t, &s, NULL, "epochs");
        spilling.force_spill = true;
        check(&t, &spilling, NULL, "epochs, spilled");
    }
    wr_arena_deinit(&t.arena);
}

/* Few groups come in the same order however many tasks there are. */
WR_TEST(aggregate, order_does_not_depend_on_tasks) {
    seed = 10;
    wr_type key = type_at(12);
    table t;
    table_init(&t, &key, 1, 5000, 1000, 1);
    lines first, second;
    wr_error err;
    lines_init(&first);
    lines_init(&second);
    setup one = {.batch_rows = 2048, .local_count = 1}, four = {.batch_rows = 37, .local_count = 4};
    WR_CHECK_OK(run(&t, &one, &first, NULL, &err), &err);
    WR_CHECK_OK(run(&t, &four, &second, NULL, &err), &err);
    WR_CHECK_EQ_UINT(first.count, second.count);
    for (uint32_t i = 0; i < first.count && i < second.count; i++) {
        if (!WR_CHECK_EQ_STR(first.items[i], second.items[i])) break;
    }
    wr_arena_deinit(&first.arena);
    wr_arena_deinit(&second.arena);
    wr_arena_deinit(&t.arena);
}

/* Reads all there is, without looking at it. */
static wr_status drain(driver *d, wr_error *err) {
    wr_waker waker = {no_wake, NULL};
    for (;;) {
        wr_morsel morsel;
        wr_control control = {WR_END, 0, WR_WATERMARK_INFINITY};
        wr_batch *batch;
        wr_flow flow;
        WR_TRY(d->source->ops->next(d->source, &morsel, &control, &flow, &waker, err));
        if (flow == WR_DONE) return WR_OK;
        while (flow != WR_NEED_INPUT) {
            WR_TRY(d->source->ops->read(d->source, d->source_locals[0], &morsel, &batch, &flow, &waker, err));
        }
    }
}

static void fail_each(const table *t, const setup *s, wr_fault_point point) {
    wr_status status = WR_NO_MEMORY;
    wr_error err;
    input in;
    wr_error_clear(&err);
    WR_CHECK_OK(input_init(&in, t, s, &err), &err);
    for (uint64_t n = 1; status != WR_OK; n++) {
        size_t before = wr_test_live_blocks();
        driver d;
        wr_fault_arm(point, n);
        status = driver_init(&d, t, s, &err);
        if (status == WR_OK) status = feed(&d, &in, s, &err);
        if (status == WR_OK) status = drain(&d, &err);
        wr_fault_disarm_all();
        driver_deinit(&d);
        if (status != WR_OK) WR_CHECK_EQ_INT(err.code, status);
        if (!WR_CHECK_EQ_UINT(wr_test_live_blocks(), before)) break;
    }
    input_deinit(&in);
}

WR_TEST(aggregate, every_failure_is_reported) {
    static const uint32_t types[] = {4, 12, 16};
    seed = 11;
    for (uint32_t i = 0; i <= WR_COUNT_OF(types); i++) {
        wr_type key = type_at(types[i % WR_COUNT_OF(types)]);
        table t;
        table_init(&t, &key, i < WR_COUNT_OF(types), 300, 150, 1);
        setup s = {.batch_rows = 100, .local_count = 2};
        setup spilling = {.batch_rows = 100, .local_count = 2, .force_spill = true};
        fail_each(&t, &s, WR_FAULT_ALLOC);
        fail_each(&t, &s, WR_FAULT_RESERVE);
        fail_each(&t, &spilling, WR_FAULT_ALLOC);
        fail_each(&t, &spilling, WR_FAULT_WRITE);
        fail_each(&t, &spilling, WR_FAULT_READ);
        wr_arena_deinit(&t.arena);
    }
    wr_type key = wr_type_of(WR_TYPE_UTINYINT);
    table t;
    table_init(&t, &key, 1, 300, 150, 1);
    setup dense = {.batch_rows = 100,
                   .local_count = 2,
                   .bounded = true,
                   .high = 255,
                   .estimated_groups = 256,
                   .without_text = true};
    fail_each(&t, &dense, WR_FAULT_ALLOC);
    wr_arena_deinit(&t.arena);
}
