/* The life of a vector: made, shared, moved, counted, let go. Copying rows is in gather.c and append.c. */
#include "column/vector_internal.h"

wr_type wr_vector_child_type(wr_type type, uint32_t i) {
    if (type.id != WR_TYPE_MAP) return type.children[i].type;
    wr_type entry = wr_type_of(WR_TYPE_STRUCT);
    entry.child_count = type.child_count;
    entry.children = type.children;
    return entry;
}

uint32_t wr_vector_child_count(wr_type type) {
    return type.id == WR_TYPE_MAP ? 1 : type.child_count;
}

size_t wr_vector_data_bytes(wr_phys phys, size_t row_count) {
    return phys == WR_PHYS_BOOL ? wr_bitmap_bytes(row_count) : wr_phys_bytes(phys) * row_count;
}

/* ---- sets of children ---- */

static size_t set_bytes(uint32_t count) {
    return sizeof(wr_vector_set) + count * sizeof(wr_vector);
}

wr_status wr_vector_set_create(wr_vector_set **out, wr_allocator *a, uint32_t count, wr_error *err) {
    wr_vector_set *set = wr_alloc_zeroed(a, set_bytes(count));
    if (!set) return wr_fail_memory(err, set_bytes(count), "a vector's children");
    set->refs = 1;
    set->allocator = a;
    set->count = count;
    *out = set;
    return WR_OK;
}

void wr_vector_set_release(wr_vector_set *set) {
    if (!set || __atomic_fetch_sub((int32_t *)&set->refs, 1, __ATOMIC_ACQ_REL) != 1) return;
    for (uint32_t i = 0; i < set->count; i++) wr_vector_deinit(&set->items[i]);
    wr_free(set->allocator, set, set_bytes(set->count));
}

/* ---- owners ---- */

void wr_vector_deinit(wr_vector *v) {
    wr_buffer_release(v->validity_buffer);
    wr_buffer_release(v->data_buffer);
    wr_heap_release(v->heap);
    wr_vector_set_release(v->children);
    *v = (wr_vector){.kind = WR_FLAT};
}

void wr_vector_share(wr_vector *to, const wr_vector *from) {
    wr_vector shared = *from;
    wr_buffer_retain(shared.validity_buffer);
    wr_buffer_retain(shared.data_buffer);
    wr_heap_retain(shared.heap);
    wr_vector_set_retain(shared.children);
    wr_vector_deinit(to);
    *to = shared;
}

void wr_vector_move(wr_vector *to, wr_vector *from) {
    wr_vector moved = *from;
    *from = (wr_vector){.kind = WR_FLAT};
    wr_vector_deinit(to);
    *to = moved;
}

/* ---- vectors for writing ---- */

wr_status wr_vector_begin(wr_vector *v, wr_allocator *a, wr_type type, wr_vector_kind kind, uint32_t row_count,
                          wr_error *err) {
    wr_heap_release(v->heap);
    wr_vector_set_release(v->children);
    wr_phys phys = wr_type_phys(type);
    /* A bitmap of our own is kept for wr_vector_begin_validity; another's would be pinned for nothing. */
    if (v->validity_buffer && !wr_buffer_unique(v->validity_buffer)) {
        wr_buffer_release(v->validity_buffer);
        v->validity_buffer = NULL;
    }
    *v = (wr_vector){.type = type,
                     .kind = (uint8_t)kind,
                     .phys = (uint8_t)phys,
                     .row_count = row_count,
                     .validity_buffer = v->validity_buffer,
                     .data_buffer = v->data_buffer};
    size_t bytes = kind == WR_DICTIONARY ? row_count * sizeof(uint32_t) : wr_vector_data_bytes(phys, row_count);
    if (kind == WR_FLAT && phys == WR_PHYS_STRUCT) {
        wr_buffer_release(v->data_buffer);
        v->data_buffer = NULL;
        return WR_OK;
    }
    WR_TRY(wr_buffer_recycle(&v->data_buffer, a, bytes, err));
    v->data_buffer->size_bytes = bytes;
    v->data = v->data_buffer->data;
    return WR_OK;
}

wr_status wr_vector_begin_validity(wr_vector *v, wr_allocator *a, uint64_t **out, wr_error *err) {
    size_t bytes = wr_bitmap_bytes(v->row_count);
    WR_TRY(wr_buffer_recycle(&v->validity_buffer, a, bytes, err));
    v->validity_buffer->size_bytes = bytes;
    *out = (uint64_t *)v->validity_buffer->data;
    v->validity = *out;
    return WR_OK;
}

/* The children of the type: the old ones where nobody else has them. */
static wr_status prepare_children(wr_vector_set **slot, wr_allocator *a, wr_type type, uint32_t row_count,
                                  bool with_validity, wr_error *err) {
    uint32_t count = wr_vector_child_count(type);
    wr_vector_set *set = *slot;
    if (!set || set->count != count || __atomic_load_n((int32_t *)&set->refs, __ATOMIC_ACQUIRE) != 1) {
        *slot = NULL;
        wr_vector_set_release(set);
        WR_TRY(wr_vector_set_create(slot, a, count, err));
        set = *slot;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t rows = type.id == WR_TYPE_STRUCT ? row_count : 0;
        WR_TRY(wr_vector_prepare(&set->items[i], a, wr_vector_child_type(type, i), rows, with_validity, err));
    }
    return WR_OK;
}

wr_status wr_vector_prepare(wr_vector *v, wr_allocator *a, wr_type type, uint32_t row_count, bool with_validity,
                            wr_error *err) {
    /* Heap and children are taken out, so that they are recycled rather than released. */
    wr_heap *heap = v->heap;
    wr_vector_set *children = v->kind == WR_DICTIONARY ? NULL : v->children;
    v->heap = NULL;
    if (children) v->children = NULL;
    wr_status status = wr_vector_begin(v, a, type, WR_FLAT, row_count, err);
    if (status == WR_OK && v->phys == WR_PHYS_VIEW) status = wr_heap_recycle(&heap, a, err);
    if (status == WR_OK && v->phys == WR_PHYS_VIEW) {
        v->heap = heap;
        heap = NULL;
    }
    if (status == WR_OK && wr_vector_child_count(type) > 0) {
        status = prepare_children(&children, a, type, row_count, with_validity, err);
        v->children = children;
        children = NULL;
    }
    if (status == WR_OK && with_validity) status = wr_vector_add_validity(v, a, err);
    wr_heap_release(heap);
    wr_vector_set_release(children);
    return status;
}

wr_status wr_vector_add_validity(wr_vector *v, wr_allocator *a, wr_error *err) {
    if (v->validity) return WR_OK;
    uint64_t *bits;
    WR_TRY(wr_vector_begin_validity(v, a, &bits, err));
    wr_bitmap_fill(bits, v->row_count, true);
    return WR_OK;
}

/* ---- sizes ---- */

static size_t buffer_bytes(const wr_buffer *buffer) {
    return buffer ? buffer->capacity_bytes : 0;
}

size_t wr_vector_pinned_bytes(const wr_vector *v) {
    size_t bytes = buffer_bytes(v->validity_buffer) + buffer_bytes(v->data_buffer);
    for (uint32_t i = 0; v->heap && i < v->heap->count; i++) bytes += buffer_bytes(v->heap->buffers[i]);
    for (uint32_t i = 0; v->children && i < v->children->count; i++) {
        bytes += wr_vector_pinned_bytes(&v->children->items[i]);
    }
    return bytes;
}

static size_t long_view_bytes(const wr_vector *v, uint32_t row_count) {
    const wr_string_view *views = v->data;
    size_t bytes = 0;
    for (uint32_t i = 0; i < row_count; i++) {
        if (wr_valid(v->validity, i) && views[i].size > WR_STRING_INLINE) bytes += views[i].size;
    }
    return bytes;
}

size_t wr_vector_needed_bytes(const wr_vector *v) {
    uint32_t rows = v->kind == WR_CONSTANT ? 1 : v->row_count;
    size_t bytes = v->validity ? wr_bitmap_bytes(rows) : 0;
    if (v->kind == WR_DICTIONARY) {
        /* A dictionary larger than its rows could be exchanged for their own values. */
        const wr_vector *values = wr_vector_dictionary(v);
        size_t all = wr_vector_needed_bytes(values);
        size_t own = values->row_count > rows ? all / values->row_count * rows : all;
        return bytes + rows * sizeof(uint32_t) + own;
    }
    bytes += wr_vector_data_bytes((wr_phys)v->phys, rows);
    if (v->phys == WR_PHYS_VIEW) bytes += long_view_bytes(v, rows);
    for (uint32_t i = 0; v->children && i < v->children->count; i++) {
        bytes += wr_vector_needed_bytes(&v->children->items[i]);
    }
    return bytes;
}
