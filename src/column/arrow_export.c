/* Rows to ArrowArray.
 *
 * Whatever kind a vector is of, it comes down to a row_source: a flat vector (of a constant, its one value) and the
 * numbers of the rows that are to be written, none when they are consecutive. Selections, codes and constants are
 * composed into those numbers, once, and each layout has one loop over them. Consecutive rows in a layout that is
 * Arrow's are not written at all: the array holds their buffer.
 *
 * An array and its children are blocks of their own, as a consumer may move children out and release them apart. */
#include "base/arena.h"
#include "column/arrow_internal.h"
#include "column/vector_internal.h"

typedef struct row_source {
    const wr_vector *vector;
    const uint32_t *rows; /* UINT32_MAX is a NULL row; NULL: first, first + 1, ... */
    uint32_t first, count;
    bool has_nulls; /* some row may be UINT32_MAX */
} row_source;

typedef struct exporter {
    wr_allocator *allocator;
    wr_arena scratch; /* row numbers */
} exporter;

static uint32_t row_at(const row_source *s, uint32_t i) {
    return s->rows ? s->rows[i] : s->first + i;
}

static bool is_valid(const row_source *s, uint32_t row) {
    return row != UINT32_MAX && wr_valid(s->vector->validity, row);
}

static uint32_t *scratch_rows(exporter *e, size_t count, wr_error *err) {
    uint32_t *rows = WR_ARENA_ARRAY(&e->scratch, uint32_t, count);
    if (!rows) (void)wr_fail_memory(err, count * sizeof(uint32_t), "rows for Arrow");
    return rows;
}

/* Composes constants and codes into the row numbers, until the values are there. */
static wr_status resolve(exporter *e, row_source *s, wr_error *err) {
    while (s->vector->kind != WR_FLAT) {
        const wr_vector *v = s->vector;
        const uint32_t *codes = v->data;
        bool is_constant = v->kind == WR_CONSTANT;
        uint32_t *rows = scratch_rows(e, s->count, err);
        if (!rows) return WR_NO_MEMORY;
        for (uint32_t i = 0; i < s->count; i++) {
            uint32_t row = row_at(s, i);
            if (is_constant && row != UINT32_MAX) row = 0;
            if (!is_valid(s, row)) {
                rows[i] = UINT32_MAX;
            } else {
                rows[i] = is_constant ? 0 : codes[row];
            }
        }
        s->rows = rows;
        s->has_nulls |= v->validity != NULL;
        if (is_constant) return WR_OK;
        s->vector = wr_vector_dictionary(v);
    }
    return WR_OK;
}

/* ---- arrays ---- */

typedef struct array_block {
    wr_allocator *allocator;
    size_t size_bytes;
    wr_buffer **owners; /* of the buffers, one each; NULL where there is none */
} array_block;

static void release_array(struct ArrowArray *array) {
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release) array->children[i]->release(array->children[i]);
    }
    if (array->dictionary && array->dictionary->release) array->dictionary->release(array->dictionary);
    array_block *block = array->private_data;
    for (int64_t i = 0; i < array->n_buffers; i++) wr_buffer_release(block->owners[i]);
    array->release = NULL;
    wr_free(block->allocator, block, block->size_bytes);
}

/* An array without buffers yet; its children and dictionary count as released until they are made. */
static wr_status make_array(struct ArrowArray *out, exporter *e, uint32_t length, uint32_t buffer_count,
                            uint32_t child_count, bool has_dictionary, wr_error *err) {
    size_t node_count = child_count + has_dictionary;
    size_t bytes = sizeof(array_block) + node_count * sizeof(struct ArrowArray) +
                   child_count * sizeof(struct ArrowArray *) + buffer_count * (sizeof(void *) + sizeof(wr_buffer *));
    array_block *block = wr_alloc_zeroed(e->allocator, bytes);
    if (!block) return wr_fail_memory(err, bytes, "an Arrow array");
    struct ArrowArray *nodes = (struct ArrowArray *)(block + 1);
    struct ArrowArray **children = (struct ArrowArray **)(nodes + node_count);
    const void **buffers = (const void **)(children + child_count);
    *block = (array_block){e->allocator, bytes, (wr_buffer **)(buffers + buffer_count)};
    for (uint32_t i = 0; i < child_count; i++) children[i] = &nodes[i];
    *out = (struct ArrowArray){.length = length,
                               .n_buffers = buffer_count,
                               .n_children = child_count,
                               .buffers = buffers,
                               .children = children,
                               .dictionary = has_dictionary ? &nodes[child_count] : NULL,
                               .release = release_array,
                               .private_data = block};
    return WR_OK;
}

/* Buffer i is at `data`, in what `owner` keeps alive. Some consumers do not take NULL where there are no values. */
static void set_buffer(struct ArrowArray *array, uint32_t i, const void *data, wr_buffer *owner) {
    static const uint64_t nothing[WR_BUFFER_PAD / 8];
    array->buffers[i] = data ? data : nothing;
    ((array_block *)array->private_data)->owners[i] = owner;
}

static wr_status new_buffer(struct ArrowArray *array, uint32_t i, exporter *e, size_t bytes, void *out, wr_error *err) {
    wr_buffer *buffer;
    WR_TRY(wr_buffer_create(&buffer, e->allocator, bytes, err));
    buffer->size_bytes = bytes;
    set_buffer(array, i, buffer->data, buffer);
    *(void **)out = buffer->data;
    return WR_OK;
}

/* ---- bitmaps ---- */

/* Bits of the rows as buffer i. NULL rows, and all where there are no bits, are 0 in values. */
static wr_status export_bits(exporter *e, struct ArrowArray *out, uint32_t i, const row_source *s, const uint64_t *bits,
                             wr_buffer *owner, wr_error *err) {
    if (!s->rows && owner && s->first % 64 == 0) {
        set_buffer(out, i, bits + s->first / 64, wr_buffer_retain(owner));
        return WR_OK;
    }
    uint64_t *to;
    WR_TRY(new_buffer(out, i, e, wr_bitmap_bytes(s->count), &to, err));
    if (!s->rows) {
        wr_bitmap_copy(to, 0, bits, s->first, s->count);
    } else {
        wr_gather_bits(bits, s->rows, s->count, s->has_nulls, to);
    }
    return WR_OK;
}

static wr_status export_validity(exporter *e, struct ArrowArray *out, const row_source *s, wr_error *err) {
    const wr_vector *v = s->vector;
    if (!v->validity && !s->has_nulls) return WR_OK;
    WR_TRY(export_bits(e, out, 0, s, v->validity, v->validity_buffer, err));
    out->null_count = s->count - (int64_t)wr_bitmap_count(out->buffers[0], s->count);
    return WR_OK;
}

static wr_status export_booleans(exporter *e, struct ArrowArray *out, const row_source *s, wr_error *err) {
    const wr_vector *v = s->vector;
    if (v->data && v->row_count > 0) return export_bits(e, out, 1, s, v->data, v->data_buffer, err);
    uint64_t *to; /* only NULL rows */
    WR_TRY(new_buffer(out, 1, e, wr_bitmap_bytes(s->count), &to, err));
    wr_bitmap_fill(to, s->count, false);
    return WR_OK;
}

/* ---- values of a fixed width ---- */

static wr_status export_plain(exporter *e, struct ArrowArray *out, const row_source *s, size_t width, wr_error *err) {
    const wr_vector *v = s->vector;
    const uint8_t *from = v->data;
    if (!s->rows && v->data_buffer) {
        set_buffer(out, 1, from + s->first * width, wr_buffer_retain(v->data_buffer));
        return WR_OK;
    }
    void *to;
    WR_TRY(new_buffer(out, 1, e, s->count * width, &to, err));
    if (s->count == 0) return WR_OK;
    if (!from || v->row_count == 0) { /* only NULL rows */
        memset(to, 0, s->count * width);
        return WR_OK;
    }
    if (!s->rows) {
        memcpy(to, from + s->first * width, s->count * width);
        return WR_OK;
    }
    const uint32_t *rows = s->rows;
    if (s->has_nulls) {
        uint32_t *clean = scratch_rows(e, s->count, err);
        if (!clean) return WR_NO_MEMORY;
        for (uint32_t i = 0; i < s->count; i++) clean[i] = rows[i] == UINT32_MAX ? 0 : rows[i];
        rows = clean;
    }
    wr_gather_values(width, from, rows, s->count, to);
    return WR_OK;
}

/* Small decimals are int64 here and int128 there. */
static wr_status export_wide_decimals(exporter *e, struct ArrowArray *out, const row_source *s, wr_error *err) {
    const int64_t *from = s->vector->data;
    wr_int128 *to;
    WR_TRY(new_buffer(out, 1, e, s->count * sizeof *to, &to, err));
    if (!s->rows) {
        for (uint32_t i = 0; i < s->count; i++) to[i] = from[s->first + i];
        return WR_OK;
    }
    for (uint32_t i = 0; i < s->count; i++) to[i] = s->rows[i] == UINT32_MAX ? 0 : from[s->rows[i]];
    return WR_OK;
}

/* Arrow has no 128-bit integer: 38 digits are what it can say. */
static wr_status export_hugeints(exporter *e, struct ArrowArray *out, const row_source *s, wr_error *err) {
    const wr_int128 *values = s->vector->data;
    const wr_int128 limit = (wr_int128)UINT64_C(10000000000000000000) * UINT64_C(10000000000000000000);
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t row = row_at(s, i);
        if (!is_valid(s, row) || (values[row] < limit && values[row] > -limit)) continue;
        (void)wr_fail(err, WR_VALUE, "a HUGEINT of more than 38 digits does not fit Arrow's decimal(38,0)");
        return wr_hint(err, "cast the column to VARCHAR or DOUBLE");
    }
    return export_plain(e, out, s, sizeof *values, err);
}

static wr_status export_uuids(exporter *e, struct ArrowArray *out, const row_source *s, wr_error *err) {
    const wr_int128 *from = s->vector->data;
    uint8_t *to;
    WR_TRY(new_buffer(out, 1, e, s->count * sizeof *from, &to, err));
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t row = row_at(s, i);
        wr_uint128 value = is_valid(s, row) ? (wr_uint128)from[row] ^ (wr_uint128)1 << 127 : 0;
        uint64_t words[2] = {__builtin_bswap64((uint64_t)(value >> 64)), __builtin_bswap64((uint64_t)value)};
        memcpy(to + i * sizeof words, words, sizeof words);
    }
    return WR_OK;
}

typedef struct arrow_interval {
    int32_t months, days;
    int64_t nanos;
} arrow_interval;

static wr_status export_intervals(exporter *e, struct ArrowArray *out, const row_source *s, wr_error *err) {
    const wr_interval *from = s->vector->data;
    arrow_interval *to;
    WR_TRY(new_buffer(out, 1, e, s->count * sizeof *to, &to, err));
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t row = row_at(s, i);
        to[i] = (arrow_interval){0};
        if (!is_valid(s, row)) continue;
        to[i] = (arrow_interval){from[row].months, from[row].days, 0};
        if (__builtin_mul_overflow(from[row].micros, 1000, &to[i].nanos)) {
            (void)wr_fail(err, WR_VALUE,
                          "an INTERVAL of more than 292 years in hours and below does not fit Arrow's "
                          "nanoseconds");
            return wr_hint(err, "cast the column to VARCHAR");
        }
    }
    return WR_OK;
}

/* ---- text ---- */

/* Offsets of `width` bytes, of which Arrow counts 31 or 63 bits. */
static void put_offset(void *offsets, size_t width, uint32_t i, uint64_t value) {
    if (width == 4) {
        ((uint32_t *)offsets)[i] = (uint32_t)value;
    } else {
        ((uint64_t *)offsets)[i] = value;
    }
}

static wr_status export_text(exporter *e, struct ArrowArray *out, const row_source *s, const wr_arrow_format *f,
                             wr_error *err) {
    const wr_string_view *views = s->vector->data;
    void *offsets;
    char *to;
    uint64_t total = 0;
    WR_TRY(new_buffer(out, 1, e, (s->count + (size_t)1) * f->width, &offsets, err));
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t row = row_at(s, i);
        put_offset(offsets, f->width, i, total);
        if (is_valid(s, row)) total += views[row].size;
    }
    put_offset(offsets, f->width, s->count, total);
    if (f->width == 4 && total > INT32_MAX) {
        (void)wr_fail(err, WR_LIMIT, "%llu bytes of text in one batch do not fit Arrow's %s", (unsigned long long)total,
                      f->name);
        return wr_hint(err, "request Arrow format '%s'", f->is_text ? "U" : "Z");
    }
    WR_TRY(new_buffer(out, 2, e, total, &to, err));
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t row = row_at(s, i);
        if (!is_valid(s, row)) continue;
        const wr_string_view *view = &views[row];
        if (view->size <= WR_STRING_INLINE) {
            /* More than there is: the next one, or the padding, lies there. */
            memcpy(to, view->inlined, WR_STRING_INLINE);
        } else {
            memcpy(to, view->data, view->size);
        }
        to += view->size;
    }
    return WR_OK;
}

typedef struct arrow_view {
    int32_t size;
    union {
        char inlined[WR_STRING_INLINE];
        struct {
            char prefix[4];
            int32_t buffer, offset;
        };
    };
} arrow_view;
_Static_assert(sizeof(arrow_view) == 16, "as Arrow lays it out");

/* Where long strings are: in buffers of the vector's heap, or copied into one of our own, whose buffers are counted
 * behind those of the first. */
typedef struct view_writer {
    exporter *exporter;
    const wr_heap *shared; /* NULL: nothing is */
    wr_heap *copied;
    uint32_t last_hit;
} view_writer;

static uint32_t shared_count(const view_writer *w) {
    return w->shared ? w->shared->count : 0;
}

static bool lies_in(const wr_buffer *buffer, const wr_string_view *view, int32_t *offset) {
    uintptr_t base = (uintptr_t)buffer->data, at = (uintptr_t)view->data;
    if (at < base || at - base > INT32_MAX || at - base + view->size > buffer->size_bytes) return false;
    *offset = (int32_t)(at - base);
    return true;
}

static bool find_shared(view_writer *w, const wr_string_view *view, arrow_view *to) {
    uint32_t count = shared_count(w);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = w->last_hit + i < count ? w->last_hit + i : w->last_hit + i - count;
        if (!lies_in(w->shared->buffers[at], view, &to->offset)) continue;
        to->buffer = (int32_t)at;
        w->last_hit = at;
        return true;
    }
    return false;
}

static wr_status write_view(view_writer *w, const wr_string_view *view, arrow_view *to, wr_error *err) {
    if (view->size > INT32_MAX) {
        return wr_fail(err, WR_LIMIT, "a text of %u bytes is longer than an Arrow view may be", view->size);
    }
    if (view->size <= WR_STRING_INLINE) {
        memcpy(to, view, sizeof *to);
        return WR_OK;
    }
    to->size = (int32_t)view->size;
    memcpy(to->prefix, view->prefix, sizeof to->prefix);
    if (find_shared(w, view, to)) return WR_OK;
    char *copy;
    if (!w->copied) WR_TRY(wr_heap_create(&w->copied, w->exporter->allocator, err));
    WR_TRY(wr_heap_alloc(w->copied, view->size, &copy, err));
    memcpy(copy, view->data, view->size);
    const wr_buffer *newest = w->copied->buffers[w->copied->count - 1];
    to->buffer = (int32_t)(shared_count(w) + w->copied->count - 1);
    to->offset = (int32_t)(copy - (char *)newest->data);
    return WR_OK;
}

/* The heap is given along when at least half of what it holds is alive in these rows. */
static const wr_heap *worth_sharing(const row_source *s) {
    const wr_heap *heap = s->vector->heap;
    const wr_string_view *views = s->vector->data;
    size_t held = 0, alive = 0;
    for (uint32_t i = 0; heap && i < heap->count; i++) held += heap->buffers[i]->capacity_bytes;
    for (uint32_t i = 0; heap && i < s->count; i++) {
        uint32_t row = row_at(s, i);
        if (is_valid(s, row) && views[row].size > WR_STRING_INLINE) alive += views[row].size;
    }
    return alive * 2 >= held ? heap : NULL;
}

/* Behind validity and views stand the buffers that views point into, and then how long those are. */
static wr_status attach_heaps(struct ArrowArray *out, const view_writer *w, wr_error *err) {
    uint32_t at = 2;
    const wr_heap *heaps[] = {w->shared, w->copied};
    int64_t *sizes;
    WR_TRY(new_buffer(out, (uint32_t)out->n_buffers - 1, w->exporter, (size_t)(out->n_buffers - 3) * sizeof *sizes,
                      &sizes, err));
    for (int h = 0; h < 2; h++) {
        for (uint32_t i = 0; heaps[h] && i < heaps[h]->count; i++) {
            wr_buffer *buffer = heaps[h]->buffers[i];
            sizes[at - 2] = (int64_t)buffer->size_bytes;
            set_buffer(out, at++, buffer->data, wr_buffer_retain(buffer));
        }
    }
    return WR_OK;
}

static wr_status export_text_views(exporter *e, struct ArrowArray *out, const row_source *s, wr_error *err) {
    const wr_string_view *views = s->vector->data;
    view_writer w = {.exporter = e, .shared = worth_sharing(s)};
    wr_buffer *buffer;
    WR_TRY(wr_buffer_create(&buffer, e->allocator, s->count * sizeof(arrow_view), err));
    arrow_view *to = (arrow_view *)buffer->data;
    wr_status status = WR_OK;
    for (uint32_t i = 0; i < s->count && status == WR_OK; i++) {
        uint32_t row = row_at(s, i);
        to[i] = (arrow_view){0};
        if (is_valid(s, row)) status = write_view(&w, &views[row], &to[i], err);
    }
    uint32_t copied_count = w.copied ? w.copied->count : 0;
    if (status == WR_OK) status = make_array(out, e, s->count, 3 + shared_count(&w) + copied_count, 0, false, err);
    if (status == WR_OK) {
        set_buffer(out, 1, buffer->data, buffer);
        status = attach_heaps(out, &w, err);
    } else {
        wr_buffer_release(buffer);
    }
    wr_heap_release(w.copied);
    return status == WR_OK ? export_validity(e, out, s, err) : status;
}

/* ---- nested ---- */

static wr_status export_vector(exporter *e, struct ArrowArray *out, row_source s, const struct ArrowSchema *schema,
                               wr_error *err);

/* The rows of the child that the lists name one after the other: a range of it, or numbers of their own. */
static wr_status list_children(exporter *e, const row_source *s, uint64_t total, bool is_range, row_source *out,
                               wr_error *err) {
    const wr_list_view *lists = s->vector->data;
    uint32_t at = 0, *rows = NULL;
    *out = (row_source){.vector = &s->vector->children->items[0], .count = (uint32_t)total};
    if (!is_range && !(rows = scratch_rows(e, total, err))) return WR_NO_MEMORY;
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t row = row_at(s, i);
        if (!is_valid(s, row) || lists[row].size == 0) continue;
        if (is_range) {
            out->first = lists[row].offset;
            break;
        }
        for (uint32_t j = 0; j < lists[row].size; j++) rows[at++] = lists[row].offset + j;
    }
    out->rows = rows;
    return WR_OK;
}

static wr_status export_list(exporter *e, struct ArrowArray *out, const row_source *s, const wr_arrow_format *f,
                             const struct ArrowSchema *schema, wr_error *err) {
    const wr_list_view *lists = s->vector->data;
    uint64_t total = 0, next = 0;
    bool is_range = true;
    void *offsets;
    WR_TRY(new_buffer(out, 1, e, (s->count + (size_t)1) * f->width, &offsets, err));
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t row = row_at(s, i);
        put_offset(offsets, f->width, i, total);
        if (!is_valid(s, row) || lists[row].size == 0) continue;
        is_range &= total == 0 || lists[row].offset == next;
        next = (uint64_t)lists[row].offset + lists[row].size;
        total += lists[row].size;
    }
    put_offset(offsets, f->width, s->count, total);
    uint64_t limit = f->width == 4 ? INT32_MAX : UINT32_MAX - 1;
    if (total > limit) {
        return wr_fail(err, WR_LIMIT, "%llu items in the lists of one batch are more than Arrow's %s takes, %llu",
                       (unsigned long long)total, f->name, (unsigned long long)limit);
    }
    row_source child;
    WR_TRY(list_children(e, s, total, is_range, &child, err));
    return export_vector(e, out->children[0], child, schema->children[0], err);
}

/* Views keep lists where they are, so the child goes whole. */
static wr_status export_list_views(exporter *e, struct ArrowArray *out, const row_source *s,
                                   const struct ArrowSchema *schema, wr_error *err) {
    const wr_list_view *lists = s->vector->data;
    const wr_vector *child = &s->vector->children->items[0];
    int32_t *offsets, *sizes;
    if (child->row_count > INT32_MAX) {
        return wr_fail(err, WR_LIMIT, "%u items in the lists of one batch are more than Arrow's list view takes",
                       child->row_count);
    }
    WR_TRY(new_buffer(out, 1, e, s->count * sizeof(int32_t), &offsets, err));
    WR_TRY(new_buffer(out, 2, e, s->count * sizeof(int32_t), &sizes, err));
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t row = row_at(s, i);
        bool has_items = is_valid(s, row) && lists[row].size > 0;
        offsets[i] = has_items ? (int32_t)lists[row].offset : 0;
        sizes[i] = has_items ? (int32_t)lists[row].size : 0;
    }
    row_source whole = {.vector = child, .count = child->row_count};
    return export_vector(e, out->children[0], whole, schema->children[0], err);
}

static wr_status export_struct(exporter *e, struct ArrowArray *out, const row_source *s,
                               const struct ArrowSchema *schema, wr_error *err) {
    for (int64_t i = 0; i < schema->n_children; i++) {
        row_source child = *s;
        child.vector = &s->vector->children->items[i];
        WR_TRY(export_vector(e, out->children[i], child, schema->children[i], err));
    }
    return WR_OK;
}

/* ---- dictionaries ---- */

/* Drops the entries that no row has: what is given then grows with the rows, not with the dictionary. */
static wr_status renumber(exporter *e, uint32_t *codes, uint32_t count, row_source *entries, wr_error *err) {
    uint32_t *numbers = scratch_rows(e, entries->count, err), *used = numbers ? scratch_rows(e, count, err) : NULL;
    if (!used) return WR_NO_MEMORY;
    uint32_t used_count = 0; /* numbers[] are one more than they say, as scratch is cleared */
    for (uint32_t i = 0; i < count; i++) {
        if (codes[i] == UINT32_MAX) continue;
        uint32_t *number = &numbers[codes[i]];
        if (*number == 0) {
            used[used_count++] = codes[i];
            *number = used_count;
        }
        codes[i] = *number - 1;
    }
    entries->rows = used;
    entries->count = used_count;
    return WR_OK;
}

/* Codes of the rows and the entries they mean. Rows that are no dictionary are their own entries. */
static wr_status find_codes(exporter *e, const row_source *s, uint32_t *codes, row_source *entries, wr_error *err) {
    const wr_vector *v = s->vector;
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t row = row_at(s, i);
        if (v->kind == WR_CONSTANT && row != UINT32_MAX) row = 0;
        codes[i] = !is_valid(s, row)          ? UINT32_MAX
                   : v->kind == WR_DICTIONARY ? ((const uint32_t *)v->data)[row]
                   : v->kind == WR_CONSTANT   ? 0
                                              : i;
    }
    *entries = *s;
    if (v->kind == WR_CONSTANT) *entries = (row_source){.vector = v, .count = 1};
    if (v->kind != WR_DICTIONARY) return WR_OK;
    *entries = (row_source){.vector = wr_vector_dictionary(v), .count = wr_vector_dictionary(v)->row_count};
    return entries->count > s->count ? renumber(e, codes, s->count, entries, err) : WR_OK;
}

#define CODE_LOOP(type)                                                                                                \
    do {                                                                                                               \
        type *to = data;                                                                                               \
        for (uint32_t i = 0; i < count; i++) to[i] = codes[i] == UINT32_MAX ? 0 : (type)codes[i];                      \
    } while (0)

static wr_status export_codes(exporter *e, struct ArrowArray *out, const uint32_t *codes, const wr_arrow_format *f,
                              wr_error *err) {
    uint64_t *validity;
    void *data;
    uint32_t count = (uint32_t)out->length;
    WR_TRY(new_buffer(out, 0, e, wr_bitmap_bytes(count), &validity, err));
    WR_TRY(new_buffer(out, 1, e, count * (size_t)f->width, &data, err));
    wr_gather_bits(NULL, codes, count, true, validity);
    out->null_count = count - (int64_t)wr_bitmap_count(validity, count);
    switch (f->width) {
    case 1: CODE_LOOP(uint8_t); break;
    case 2: CODE_LOOP(uint16_t); break;
    case 4: CODE_LOOP(uint32_t); break;
    default: CODE_LOOP(uint64_t); break;
    }
    return WR_OK;
}

/* True when the codes can be given as they are. */
static bool shares_codes(const row_source *s, const wr_arrow_format *f) {
    const wr_vector *v = s->vector;
    return v->kind == WR_DICTIONARY && !s->rows && !v->validity && v->data_buffer && f->width == sizeof(uint32_t) &&
           wr_vector_dictionary(v)->row_count <= s->count;
}

static wr_status export_dictionary(exporter *e, struct ArrowArray *out, const row_source *s,
                                   const struct ArrowSchema *schema, wr_error *err) {
    wr_arrow_format f = wr_arrow_format_of(schema->format);
    row_source entries;
    if (shares_codes(s, &f)) {
        const wr_vector *v = s->vector, *values = wr_vector_dictionary(v);
        WR_TRY(make_array(out, e, s->count, 2, 0, true, err));
        set_buffer(out, 1, (const uint32_t *)v->data + s->first, wr_buffer_retain(v->data_buffer));
        entries = (row_source){.vector = values, .count = values->row_count};
        return export_vector(e, out->dictionary, entries, schema->dictionary, err);
    }
    uint32_t *codes = scratch_rows(e, s->count, err);
    if (!codes) return WR_NO_MEMORY;
    WR_TRY(find_codes(e, s, codes, &entries, err));
    bool is_signed = f.layout == WR_ARROW_I8 || f.layout == WR_ARROW_I16 || f.layout == WR_ARROW_I32;
    uint64_t most = f.width == 8 ? UINT32_MAX : UINT64_C(1) << (f.width * 8 - is_signed);
    if (entries.count > most) {
        (void)wr_fail(err, WR_LIMIT, "%u entries of a dictionary are more than indices of %s can tell apart",
                      entries.count, f.name);
        return wr_hint(err, "request wider indices, such as Arrow format 'i'");
    }
    WR_TRY(make_array(out, e, s->count, 2, 0, true, err));
    WR_TRY(export_codes(e, out, codes, &f, err));
    return export_vector(e, out->dictionary, entries, schema->dictionary, err);
}

/* ---- all ---- */

static wr_status export_values(exporter *e, struct ArrowArray *out, const row_source *s, const wr_arrow_format *f,
                               const struct ArrowSchema *schema, wr_error *err) {
    wr_type type = s->vector->type;
    switch (f->layout) {
    case WR_ARROW_BOOL: return export_booleans(e, out, s, err);
    case WR_ARROW_DECIMAL:
        if (type.id == WR_TYPE_HUGEINT) return export_hugeints(e, out, s, err);
        if (f->width != wr_phys_bytes((wr_phys)s->vector->phys)) return export_wide_decimals(e, out, s, err);
        return export_plain(e, out, s, f->width, err);
    case WR_ARROW_TEXT:
    case WR_ARROW_LARGE_TEXT: return export_text(e, out, s, f, err);
    case WR_ARROW_FIXED_BINARY: return export_uuids(e, out, s, err);
    case WR_ARROW_MONTH_DAY_NANO: return export_intervals(e, out, s, err);
    case WR_ARROW_LIST:
    case WR_ARROW_LARGE_LIST:
    case WR_ARROW_MAP: return export_list(e, out, s, f, schema, err);
    case WR_ARROW_LIST_VIEW: return export_list_views(e, out, s, schema, err);
    case WR_ARROW_STRUCT: return export_struct(e, out, s, schema, err);
    default: return export_plain(e, out, s, f->width, err);
    }
}

static wr_status export_vector(exporter *e, struct ArrowArray *out, row_source s, const struct ArrowSchema *schema,
                               wr_error *err) {
    if (schema->dictionary) return export_dictionary(e, out, &s, schema, err);
    wr_arrow_format f = wr_arrow_format_of(schema->format);
    WR_TRY(resolve(e, &s, err));
    if (f.layout == WR_ARROW_TEXT_VIEW) return export_text_views(e, out, &s, err);
    WR_TRY(make_array(out, e, s.count, f.buffer_count, (uint32_t)schema->n_children, false, err));
    if (f.layout == WR_ARROW_NULL) {
        out->null_count = s.count;
        return WR_OK;
    }
    WR_TRY(export_validity(e, out, &s, err));
    return export_values(e, out, &s, &f, schema, err);
}

static wr_status export_columns(exporter *e, struct ArrowArray *out, const wr_batch *batch,
                                const struct ArrowSchema *schema, wr_error *err) {
    row_source s = {.count = batch->sel_count};
    if (batch->sel) {
        uint32_t *rows = scratch_rows(e, batch->sel_count, err);
        if (!rows) return WR_NO_MEMORY;
        for (uint32_t i = 0; i < batch->sel_count; i++) rows[i] = batch->sel[i];
        s.rows = rows;
    }
    for (uint32_t i = 0; i < batch->column_count; i++) {
        s.vector = &batch->columns[i];
        wr_status status = export_vector(e, out->children[i], s, schema->children[i], err);
        if (status != WR_OK) {
            (void)wr_error_prefix(err, "column \"%s\": ", schema->children[i]->name);
            return status;
        }
    }
    return WR_OK;
}

wr_status wr_arrow_batch_export(struct ArrowArray *out, wr_allocator *a, const wr_batch *batch,
                                const struct ArrowSchema *schema, wr_error *err) {
    WR_ASSERT(schema->n_children == batch->column_count);
    exporter e = {.allocator = a};
    *out = (struct ArrowArray){0};
    wr_arena_init(&e.scratch, a);
    wr_status status = make_array(out, &e, batch->sel_count, 1, batch->column_count, false, err);
    if (status == WR_OK) status = export_columns(&e, out, batch, schema, err);
    if (status != WR_OK && out->release) out->release(out);
    wr_arena_deinit(&e.scratch);
    return status;
}
