/* ArrowArray to rows: the tree of an imported array, what it costs, how long it lives, and its nested layouts.
 *
 * The tree is built once: it checks that the array has the shape its schema tells of, wraps the buffers, and makes
 * vectors of dictionaries. Rows are then read in parts, by any number of threads, as the tree does not change. Whatever
 * points into foreign memory holds a wrapped buffer, and each of these holds the array. */
#include "base/arena.h"
#include "column/arrow_internal.h"
#include "column/vector_internal.h"

/* What the wrapped buffers keep alive. */
typedef struct import_core {
    _Atomic int32_t refs;
    wr_budget *budget;
    size_t charged_bytes;
    struct ArrowArray array; /* not released while the import is being made */
} import_core;

struct wr_arrow_import {
    import_core *core;
    wr_arena arena; /* of the nodes */
    const wr_field *fields;
    uint32_t column_count;
    wr_arrow_node *columns;
    uint64_t first_row, row_count;
};

static void release_core(void *user) {
    import_core *core = user;
    if (__atomic_fetch_sub((int32_t *)&core->refs, 1, __ATOMIC_ACQ_REL) != 1) return;
    if (core->array.release) core->array.release(&core->array);
    /* A closed budget lives as long as something is charged to it: the core goes last. */
    wr_budget_release(core->budget, core->charged_bytes);
    wr_free(wr_budget_allocator(core->budget), core, sizeof *core);
}

static wr_status wrap(wr_buffer **out, import_core *core, const void *data, uint64_t size, wr_error *err) {
    if (!data) return WR_OK;
    WR_TRY(
        wr_buffer_wrap(out, wr_budget_allocator(core->budget), (void *)(uintptr_t)data, size, release_core, core, err));
    __atomic_fetch_add((int32_t *)&core->refs, 1, __ATOMIC_RELAXED);
    return WR_OK;
}

static void deinit_node(wr_arrow_node *n) {
    for (uint32_t i = 0; i < n->child_count; i++) deinit_node(&n->children[i]);
    wr_buffer_release(n->validity);
    wr_buffer_release(n->values);
    wr_heap_release(n->heap);
    wr_vector_set_release(n->entries);
}

/* ---- the tree ---- */

static wr_status fail_shape(const wr_arrow_node *n, const char *what, int64_t seen, wr_error *err) {
    return wr_fail(err, WR_CORRUPT, "an Arrow array of %s has %s %lld", n->format.name, what, (long long)seen);
}

static bool has_offsets(const wr_arrow_node *n) {
    switch (n->format.layout) {
    case WR_ARROW_TEXT:
    case WR_ARROW_LARGE_TEXT:
    case WR_ARROW_LIST:
    case WR_ARROW_LARGE_LIST:
    case WR_ARROW_MAP: return true;
    default: return false;
    }
}

/* The counts that the layout tells, and buffers where there are values. */
static wr_status check_shape(const wr_arrow_node *n, const struct ArrowSchema *schema, wr_error *err) {
    const struct ArrowArray *array = n->array;
    bool is_view = n->format.layout == WR_ARROW_TEXT_VIEW;
    int64_t most = (INT64_MAX >> 8) / (n->format.width ? n->format.width : 1); /* sizes below do not overflow */
    if (array->length < 0 || array->length > most) return fail_shape(n, "length", array->length, err);
    if (array->offset < 0 || array->offset > most) return fail_shape(n, "offset", array->offset, err);
    if (n->format.layout == WR_ARROW_NULL) return WR_OK;
    if (is_view ? array->n_buffers < n->format.buffer_count : array->n_buffers != n->format.buffer_count) {
        return fail_shape(n, "a buffer count of", array->n_buffers, err);
    }
    if (array->n_children != schema->n_children) return fail_shape(n, "a child count of", array->n_children, err);
    if (!array->dictionary != !schema->dictionary)
        return fail_shape(n, "dictionaries:", array->dictionary != NULL, err);
    for (int64_t i = 1; i < n->format.buffer_count && array->length > 0; i++) {
        bool may_be_missing = (has_offsets(n) && i == 2) || (is_view && i > 1) || n->format.width == 0;
        if (n->format.layout == WR_ARROW_BOOL) may_be_missing = false;
        if (!array->buffers[i] && !may_be_missing) return fail_shape(n, "nothing as buffer", i, err);
    }
    return WR_OK;
}

static int64_t last_offset(const wr_arrow_node *n) {
    const struct ArrowArray *array = n->array;
    size_t at = (size_t)(array->offset + array->length) * n->format.width;
    int32_t narrow;
    int64_t wide = 0;
    if (array->length == 0) return 0;
    if (n->format.width == 8) {
        memcpy(&wide, (const char *)array->buffers[1] + at, sizeof wide);
    } else {
        memcpy(&narrow, (const char *)array->buffers[1] + at, sizeof narrow);
        wide = narrow;
    }
    return wide;
}

static wr_status wrap_text(wr_arrow_node *n, import_core *core, const void *data, int64_t size, wr_error *err) {
    wr_buffer *buffer = NULL;
    if (size < 0) return fail_shape(n, "text of size", size, err);
    WR_TRY(wrap(&buffer, core, data, (uint64_t)size, err));
    if (!buffer) return WR_OK;
    wr_status status = wr_heap_add(n->heap, buffer, err);
    wr_buffer_release(buffer);
    core->charged_bytes += (size_t)size;
    return status;
}

static wr_status wrap_texts(wr_arrow_node *n, import_core *core, wr_error *err) {
    const struct ArrowArray *array = n->array;
    WR_TRY(wr_heap_create(&n->heap, wr_budget_allocator(core->budget), err));
    if (array->length == 0) return WR_OK;
    if (n->format.layout == WR_ARROW_FIXED_BINARY) {
        return wrap_text(n, core, array->buffers[1], (array->offset + array->length) * (int64_t)n->format.width, err);
    }
    if (n->format.layout != WR_ARROW_TEXT_VIEW) {
        n->text_bytes = (uint64_t)last_offset(n);
        return wrap_text(n, core, array->buffers[2], last_offset(n), err);
    }
    for (int64_t i = 0; i < array->n_buffers - 3; i++) {
        int64_t size;
        memcpy(&size, (const int64_t *)array->buffers[array->n_buffers - 1] + i, sizeof size);
        WR_TRY(wrap_text(n, core, array->buffers[2 + i], size, err));
    }
    return WR_OK;
}

static wr_status wrap_buffers(wr_arrow_node *n, import_core *core, wr_error *err) {
    const struct ArrowArray *array = n->array;
    uint64_t length = (uint64_t)array->length, end = (uint64_t)array->offset + length;
    uint8_t layout = n->format.layout;
    bool has_validity = n->format.buffer_count > 0 && layout != WR_ARROW_NULL && array->null_count != 0;
    if (has_validity) WR_TRY(wrap(&n->validity, core, array->buffers[0], (end + 7) / 8, err));
    if (n->validity) core->charged_bytes += (length + 7) / 8;
    if (layout >= WR_ARROW_TEXT && layout <= WR_ARROW_FIXED_BINARY && n->type.id != WR_TYPE_UUID) {
        if (layout != WR_ARROW_FIXED_BINARY) core->charged_bytes += length * n->format.width;
        return wrap_texts(n, core, err);
    }
    if (n->format.buffer_count < 2) return WR_OK;
    bool is_bits = layout == WR_ARROW_BOOL;
    core->charged_bytes += is_bits ? (length + 7) / 8 : length * n->format.width;
    return wrap(&n->values, core, array->buffers[1], is_bits ? (end + 7) / 8 : end * n->format.width, err);
}

static wr_status import_part(const wr_arrow_node *n, uint64_t first, uint64_t count, wr_vector *out, wr_allocator *a,
                             wr_error *err);
static wr_status build_node(wr_arrow_import *import, wr_arrow_node *n, wr_type type, const struct ArrowSchema *schema,
                            const struct ArrowArray *array, wr_error *err);

/* Dictionaries and the values of runs become entries, which all vectors share. */
static wr_status build_entries(wr_arrow_import *import, wr_arrow_node *n, const struct ArrowSchema *schema,
                               const struct ArrowArray *array, wr_error *err) {
    wr_allocator *a = wr_budget_allocator(import->core->budget);
    wr_arrow_node values = {0};
    WR_TRY(wr_vector_set_create(&n->entries, a, 1, err));
    wr_status status = build_node(import, &values, n->type, schema, array, err);
    if (status == WR_OK) status = import_part(&values, 0, (uint64_t)array->length, &n->entries->items[0], a, err);
    deinit_node(&values);
    return status;
}

static wr_type child_type(const wr_arrow_node *n, uint32_t i) {
    if (n->format.layout == WR_ARROW_RUN_ENDS) return wr_type_of(WR_TYPE_NULL); /* of the ends: not looked at */
    return wr_vector_child_type(n->type, i);
}

/* Rows that a child has to have for all rows of its parent to be there. */
static int64_t rows_needed(const wr_arrow_node *n) {
    int64_t end = n->array->offset + n->array->length;
    switch (n->format.layout) {
    case WR_ARROW_STRUCT: return end;
    case WR_ARROW_FIXED_LIST: return end * n->format.width;
    case WR_ARROW_LIST:
    case WR_ARROW_LARGE_LIST:
    case WR_ARROW_MAP: return last_offset(n);
    default: return 0;
    }
}

static wr_status build_children(wr_arrow_import *import, wr_arrow_node *n, const struct ArrowSchema *schema,
                                wr_error *err) {
    uint32_t count = (uint32_t)n->array->n_children;
    if (n->format.layout == WR_ARROW_RUN_ENDS) {
        WR_TRY(build_entries(import, n, schema->children[1], n->array->children[1], err));
        count = 1;
    }
    n->children = WR_ARENA_ARRAY(&import->arena, wr_arrow_node, count);
    if (!n->children) return wr_fail_memory(err, count * sizeof(wr_arrow_node), "an Arrow import");
    for (uint32_t i = 0; i < count; i++) {
        const struct ArrowArray *child = n->array->children[i];
        n->child_count = i + 1;
        WR_TRY(build_node(import, &n->children[i], child_type(n, i), schema->children[i], child, err));
        if (child->length < rows_needed(n)) return fail_shape(n, "a child that is too short:", child->length, err);
    }
    return WR_OK;
}

static wr_status build_node(wr_arrow_import *import, wr_arrow_node *n, wr_type type, const struct ArrowSchema *schema,
                            const struct ArrowArray *array, wr_error *err) {
    *n = (wr_arrow_node){.type = type, .format = wr_arrow_format_of(schema->format), .array = array};
    WR_TRY(check_shape(n, schema, err));
    WR_TRY(wrap_buffers(n, import->core, err));
    if (schema->dictionary) return build_entries(import, n, schema->dictionary, array->dictionary, err);
    return schema->n_children > 0 ? build_children(import, n, schema, err) : WR_OK;
}

/* ---- nested layouts ---- */

static wr_status begin_children(wr_vector *out, wr_allocator *a, const wr_arrow_node *n, uint32_t count,
                                wr_error *err) {
    WR_TRY(wr_vector_begin(out, a, n->type, WR_FLAT, count, err));
    return wr_vector_set_create(&out->children, a, n->child_count, err);
}

static wr_status import_struct(const wr_arrow_node *n, uint64_t at, uint32_t count, wr_vector *out, wr_allocator *a,
                               wr_error *err) {
    WR_TRY(begin_children(out, a, n, count, err));
    for (uint32_t i = 0; i < n->child_count; i++) {
        WR_TRY(import_part(&n->children[i], at, count, &out->children->items[i], a, err));
    }
    return wr_arrow_validity_import(n, at, out, a, err);
}

typedef struct list_range {
    uint64_t offset, size;
} list_range;

static uint64_t read_offset(const void *buffer, size_t width, uint64_t i) {
    int32_t narrow;
    int64_t wide;
    if (width == 8) {
        memcpy(&wide, (const int64_t *)buffer + i, sizeof wide);
        return (uint64_t)wide;
    }
    memcpy(&narrow, (const int32_t *)buffer + i, sizeof narrow);
    return (uint64_t)narrow;
}

static list_range list_at(const wr_arrow_node *n, uint64_t i) {
    size_t width = n->format.width;
    const void *offsets = n->array->n_buffers > 1 ? n->array->buffers[1] : NULL;
    switch (n->format.layout) {
    case WR_ARROW_FIXED_LIST: return (list_range){i * width, width};
    case WR_ARROW_LIST_VIEW:
    case WR_ARROW_LARGE_LIST_VIEW:
        return (list_range){read_offset(offsets, width, i), read_offset(n->array->buffers[2], width, i)};
    default: {
        uint64_t begin = read_offset(offsets, width, i);
        return (list_range){begin, read_offset(offsets, width, i + 1) - begin};
    }
    }
}

/* The child is read from the first item to the last that these rows name. */
static wr_status import_list(const wr_arrow_node *n, uint64_t at, uint32_t count, wr_vector *out, wr_allocator *a,
                             wr_error *err) {
    WR_TRY(begin_children(out, a, n, count, err));
    WR_TRY(wr_arrow_validity_import(n, at, out, a, err));
    wr_list_view *lists = wr_vector_data_mut(out);
    uint64_t begin = UINT64_MAX, end = 0, length = (uint64_t)n->children[0].array->length;
    for (uint32_t i = 0; i < count; i++) {
        list_range list = list_at(n, at + i);
        if (!wr_valid(out->validity, i) || list.size == 0) continue;
        if (list.offset > length || list.size > length - list.offset) {
            return wr_fail(err, WR_CORRUPT, "a list of %lld items from %lld on lies outside of its %lld items",
                           (long long)list.size, (long long)list.offset, (long long)length);
        }
        begin = list.offset < begin ? list.offset : begin;
        end = list.offset + list.size > end ? list.offset + list.size : end;
    }
    if (end == 0) begin = 0;
    if (end - begin >= UINT32_MAX) {
        return wr_fail(err, WR_LIMIT, "%llu items in the lists of %u rows", (unsigned long long)(end - begin), count);
    }
    for (uint32_t i = 0; i < count; i++) {
        list_range list = list_at(n, at + i);
        bool has_items = wr_valid(out->validity, i) && list.size > 0;
        lists[i] = has_items ? (wr_list_view){(uint32_t)(list.offset - begin), (uint32_t)list.size} : (wr_list_view){0};
    }
    return import_part(&n->children[0], begin, end - begin, &out->children->items[0], a, err);
}

/* ---- dictionaries and runs ---- */

static wr_status begin_codes(wr_vector *out, wr_allocator *a, const wr_arrow_node *n, uint32_t count, wr_error *err) {
    WR_TRY(wr_vector_begin(out, a, n->type, WR_DICTIONARY, count, err));
    out->children = wr_vector_set_retain(n->entries);
    return WR_OK;
}

/* An index as an unsigned number: a negative one is too large for every dictionary. */
static uint64_t index_at(const wr_arrow_node *n, uint64_t i) {
    const void *data = n->array->buffers[1];
    uint64_t value = 0;
    switch (n->format.layout) {
    case WR_ARROW_I8: return (uint64_t)((const int8_t *)data)[i];
    case WR_ARROW_U8: return ((const uint8_t *)data)[i];
    case WR_ARROW_I16: {
        int16_t narrow;
        memcpy(&narrow, (const int16_t *)data + i, sizeof narrow);
        return (uint64_t)narrow;
    }
    default:
        memcpy(&value, (const uint8_t *)data + i * n->format.width, n->format.width);
        return n->format.layout == WR_ARROW_I32 ? (uint64_t)(int32_t)value : value;
    }
}

/* Indices of 32 bits stay where they are; a code of a NULL row means nothing here either. */
static wr_status import_codes(const wr_arrow_node *n, uint64_t at, uint32_t count, wr_vector *out, wr_allocator *a,
                              wr_error *err) {
    bool is_shared = n->format.width == 4 && wr_arrow_can_share(n->values, at * 4, count * sizeof(uint32_t), 8);
    if (is_shared) {
        wr_vector_deinit(out);
        *out = (wr_vector){.type = n->type,
                           .kind = WR_DICTIONARY,
                           .phys = (uint8_t)wr_type_phys(n->type),
                           .row_count = count,
                           .data = n->values->data + at * 4,
                           .data_buffer = wr_buffer_retain(n->values),
                           .children = wr_vector_set_retain(n->entries)};
    } else {
        WR_TRY(begin_codes(out, a, n, count, err));
    }
    WR_TRY(wr_arrow_validity_import(n, at, out, a, err));
    uint32_t entry_count = n->entries->items[0].row_count;
    uint32_t *codes = wr_vector_data_mut(out);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t code = index_at(n, at + i);
        if (code >= entry_count && wr_valid(out->validity, i)) {
            return wr_fail(err, WR_CORRUPT, "index %lld of an Arrow array lies outside of its dictionary of %u",
                           (long long)code, entry_count);
        }
        if (!is_shared) codes[i] = (uint32_t)code;
    }
    return WR_OK;
}

static wr_status import_runs(const wr_arrow_node *n, uint64_t at, uint32_t count, wr_vector *out, wr_allocator *a,
                             wr_error *err) {
    const wr_arrow_node *ends = &n->children[0];
    uint64_t first = (uint64_t)ends->array->offset, run = 0, high = (uint64_t)ends->array->length;
    uint64_t run_count = high < n->entries->items[0].row_count ? high : n->entries->items[0].row_count;
    while (run < high) { /* the first run that ends behind `at` */
        uint64_t middle = run + (high - run) / 2;
        if (index_at(ends, first + middle) > at) {
            high = middle;
        } else {
            run = middle + 1;
        }
    }
    WR_TRY(begin_codes(out, a, n, count, err));
    uint32_t *codes = wr_vector_data_mut(out);
    for (uint32_t i = 0; i < count; i++) {
        while (run < run_count && index_at(ends, first + run) <= at + i) run++;
        if (run >= run_count) {
            return wr_fail(err, WR_CORRUPT, "the runs of an Arrow array end before its row %llu",
                           (unsigned long long)(at + i));
        }
        codes[i] = (uint32_t)run;
    }
    return WR_OK;
}

/* ---- all ---- */

/* Rows [first, first + count) of the node, in an empty vector or one to be used again. */
static wr_status import_part(const wr_arrow_node *n, uint64_t first, uint64_t count, wr_vector *out, wr_allocator *a,
                             wr_error *err) {
    if (count >= UINT32_MAX) {
        return wr_fail(err, WR_LIMIT, "%llu values in one piece of an Arrow array", (unsigned long long)count);
    }
    if (count == 0) return wr_vector_prepare(out, a, n->type, 0, false, err);
    uint64_t at = first + (uint64_t)n->array->offset;
    uint32_t rows = (uint32_t)count;
    if (n->format.layout == WR_ARROW_RUN_ENDS) return import_runs(n, at, rows, out, a, err);
    if (n->entries) return import_codes(n, at, rows, out, a, err);
    if (n->format.layout == WR_ARROW_STRUCT) return import_struct(n, at, rows, out, a, err);
    if (n->format.layout >= WR_ARROW_LIST) return import_list(n, at, rows, out, a, err);
    return wr_arrow_values_import(n, at, rows, out, a, err);
}

/* Rows themselves cannot be NULL. */
static wr_status check_rows(const wr_schema *columns, const struct ArrowSchema *schema, const struct ArrowArray *array,
                            wr_error *err) {
    wr_arrow_node rows = {.format = wr_arrow_format_of("+s"), .array = array};
    WR_TRY(check_shape(&rows, schema, err));
    WR_ASSERT(schema->n_children == columns->field_count);
    const uint8_t *validity = array->null_count ? array->buffers[0] : NULL;
    for (int64_t i = array->offset; validity && i < array->offset + array->length; i++) {
        if (validity[i / 8] >> (i % 8) & 1) continue;
        return wr_fail(err, WR_UNSUPPORTED, "row %lld of an Arrow struct is NULL as a whole",
                       (long long)(i - array->offset));
    }
    return WR_OK;
}

static wr_status build_columns(wr_arrow_import *import, const wr_schema *columns, const struct ArrowSchema *schema,
                               const struct ArrowArray *array, wr_error *err) {
    import->columns = WR_ARENA_ARRAY(&import->arena, wr_arrow_node, columns->field_count);
    if (!import->columns) return wr_fail_memory(err, 0, "an Arrow import");
    for (uint32_t i = 0; i < columns->field_count; i++) {
        const struct ArrowArray *column = array->children[i];
        import->column_count = i + 1;
        wr_arrow_node *n = &import->columns[i];
        wr_status status = build_node(import, n, columns->fields[i].type, schema->children[i], column, err);
        if (status == WR_OK && column->length < array->offset + array->length) {
            status = fail_shape(n, "a length below that of its rows:", column->length, err);
        }
        if (status != WR_OK) {
            (void)wr_error_prefix(err, "column \"%.*s\": ", WR_STR_ARGS(columns->fields[i].name));
            return status;
        }
    }
    return WR_OK;
}

wr_status wr_arrow_import_create(wr_arrow_import **out, wr_budget *budget, const wr_schema *columns,
                                 const struct ArrowSchema *schema, struct ArrowArray *array, wr_error *err) {
    wr_allocator *a = wr_budget_allocator(budget);
    WR_TRY(check_rows(columns, schema, array, err));
    wr_arrow_import *import = wr_alloc_zeroed(a, sizeof *import);
    import_core *core = wr_alloc_zeroed(a, sizeof *core);
    if (!import || !core) {
        wr_free(a, import, sizeof *import);
        wr_free(a, core, sizeof *core);
        return wr_fail_memory(err, sizeof *import, "an Arrow import");
    }
    *core = (import_core){.refs = 1, .budget = budget};
    import->core = core;
    import->fields = columns->fields;
    import->first_row = (uint64_t)array->offset;
    import->row_count = (uint64_t)array->length;
    wr_arena_init(&import->arena, a);
    wr_status status = build_columns(import, columns, schema, array, err);
    if (status == WR_OK) status = wr_budget_reserve(budget, core->charged_bytes, err);
    if (status != WR_OK) {
        core->charged_bytes = 0;
        wr_arrow_import_destroy(import);
        return status;
    }
    core->array = *array;
    array->release = NULL;
    *out = import;
    return WR_OK;
}

uint64_t wr_arrow_import_row_count(const wr_arrow_import *import) {
    return import->row_count;
}

wr_status wr_arrow_import_column(const wr_arrow_import *import, uint32_t column, uint64_t first, uint32_t count,
                                 wr_vector *out, wr_allocator *a, wr_error *err) {
    WR_ASSERT(column < import->column_count && first + count <= import->row_count);
    wr_status status = import_part(&import->columns[column], import->first_row + first, count, out, a, err);
    if (status != WR_OK) (void)wr_error_prefix(err, "column \"%.*s\": ", WR_STR_ARGS(import->fields[column].name));
    return status;
}

void wr_arrow_import_destroy(wr_arrow_import *import) {
    if (!import) return;
    import_core *core = import->core;
    wr_allocator *a = wr_budget_allocator(core->budget);
    for (uint32_t i = 0; i < import->column_count; i++) deinit_node(&import->columns[i]);
    wr_arena_deinit(&import->arena);
    wr_free(a, import, sizeof *import);
    release_core(core);
}
