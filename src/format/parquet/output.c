/* Batches from windows.
 *
 * A window all of whose rows pass becomes the batch as it is, its buffers shared. Otherwise rows are gathered side by
 * side until the batch is full: codes as codes, as long as all windows have them. Text stays where it is, in its pages;
 * when only a few rows of a window pass it is copied, as a batch of such rows would keep many pages in memory. */
#include "format/parquet/cursor.h"
#include "kernel/bits.h"
#include "kernel/select.h"

enum { SPARSE_SHARE = 8 }; /* text is copied when fewer than one row in so many passes */

void wr_pq_output_deinit(wr_pq_output *o) {
    wr_buffer_release(o->data);
    wr_buffer_release(o->validity);
    wr_heap_release(o->heap);
    wr_vector_set_release(o->dictionary);
    *o = (wr_pq_output){.reader = o->reader};
}

static size_t width_of(const wr_pq_output *o) {
    if (o->kind == WR_DICTIONARY) return sizeof(uint32_t);
    return wr_phys_bytes((wr_phys)o->reader->leaf->phys);
}

/* Starts an output whose batch is empty. */
static wr_status start(wr_pq_cursor *c, wr_pq_output *o, const wr_vector *v, wr_error *err) {
    o->kind = v->kind;
    o->has_validity = false;
    wr_vector_set_release(o->dictionary);
    o->dictionary = wr_vector_set_retain(v->kind == WR_DICTIONARY ? v->children : NULL);
    size_t width = width_of(o), bytes = width ? width * c->batch_rows : wr_bitmap_bytes(c->batch_rows);
    WR_TRY(wr_buffer_recycle(&o->data, c->allocator, bytes, err));
    return v->phys == WR_PHYS_VIEW && v->kind == WR_FLAT ? wr_heap_recycle(&o->heap, c->allocator, err) : WR_OK;
}

/* Values in place of the codes that the output has so far. */
static wr_status flatten(wr_pq_cursor *c, wr_pq_output *o, wr_error *err) {
    const wr_vector *values = &o->dictionary->items[0];
    wr_buffer *codes = o->data;
    size_t width = wr_phys_bytes((wr_phys)values->phys);
    o->data = NULL;
    wr_status status = wr_buffer_create(&o->data, c->allocator, width * c->batch_rows, err);
    if (status == WR_OK && values->heap) status = wr_heap_recycle(&o->heap, c->allocator, err);
    for (uint32_t i = 0; status == WR_OK && values->heap && i < values->heap->count; i++) {
        status = wr_heap_add(o->heap, values->heap->buffers[i], err);
    }
    if (status == WR_OK) {
        c->context.kernels->select->gather32[wr_width_index((unsigned)width)](values->data, (uint32_t *)codes->data,
                                                                              c->filled, o->data->data);
        o->kind = WR_FLAT;
    }
    wr_buffer_release(codes);
    return status;
}

/* Makes the text of rows [filled, filled + n) the output's own. */
static wr_status copy_text(wr_pq_cursor *c, wr_pq_output *o, uint32_t n, wr_error *err) {
    wr_string_view *views = (wr_string_view *)o->data->data + c->filled;
    for (uint32_t i = 0; i < n; i++) {
        if (views[i].size <= WR_STRING_INLINE) continue;
        char *place;
        WR_TRY(wr_heap_alloc(o->heap, views[i].size, &place, err));
        memcpy(place, views[i].data, views[i].size);
        views[i].data = place;
    }
    return WR_OK;
}

static wr_status keep_text(wr_pq_cursor *c, wr_pq_output *o, const wr_heap *heap, uint32_t n, wr_error *err) {
    if (n < c->window_rows / SPARSE_SHARE) return copy_text(c, o, n, err);
    for (uint32_t i = 0; i < heap->count; i++) {
        bool there = false;
        for (uint32_t k = o->heap->count; k-- > 0 && !there;) there = o->heap->buffers[k] == heap->buffers[i];
        if (!there) WR_TRY(wr_heap_add(o->heap, heap->buffers[i], err));
    }
    return WR_OK;
}

/* Copies the window's passing values of `width` bytes to `out`. */
static void gather(wr_pq_cursor *c, const void *values, size_t width, bool few, uint8_t *out) {
    const wr_select_kernels *select = c->context.kernels->select;
    unsigned index = wr_width_index((unsigned)width);
    if (c->window_passed == c->window_rows) {
        memcpy(out, values, width * c->window_rows);
    } else if (few) {
        select->gather16[index](values, c->rows, c->window_passed, out);
    } else {
        select->compress[index](values, c->pass, c->window_rows, out);
    }
}

/* Copies the window's passing bits to bits [filled, ...) of `out`. */
static void gather_bits(wr_pq_cursor *c, const uint64_t *bits, uint64_t *out) {
    if (c->window_passed < c->window_rows) {
        c->context.kernels->bits->compress(bits, c->pass, c->window_rows, c->scratch_bits);
        bits = c->scratch_bits;
    }
    wr_bitmap_copy(out, c->filled, bits, 0, c->window_passed);
}

static wr_status append_validity(wr_pq_cursor *c, wr_pq_output *o, const wr_vector *v, wr_error *err) {
    if (v->validity && !o->has_validity) {
        WR_TRY(wr_buffer_recycle(&o->validity, c->allocator, wr_bitmap_bytes(c->batch_rows), err));
        wr_bitmap_set_range((uint64_t *)o->validity->data, 0, c->filled, true);
        o->has_validity = true;
    }
    if (!o->has_validity) return WR_OK;
    if (v->validity) {
        gather_bits(c, v->validity, (uint64_t *)o->validity->data);
    } else {
        wr_bitmap_set_range((uint64_t *)o->validity->data, c->filled, c->window_passed, true);
    }
    return WR_OK;
}

static wr_status append_column(wr_pq_cursor *c, wr_pq_output *o, bool few, wr_error *err) {
    wr_pq_reader *r = o->reader;
    WR_TRY(wr_pq_reader_read(r, c->window_row, c->window_rows, err));
    WR_TRY(wr_pq_reader_attach(r, err));
    const wr_vector *v = &r->vector;
    if (c->filled == 0) WR_TRY(start(c, o, v, err));
    bool same = o->kind == v->kind && (v->kind != WR_DICTIONARY || o->dictionary == v->children);
    if (!same && o->kind == WR_DICTIONARY) WR_TRY(flatten(c, o, err));
    WR_TRY(append_validity(c, o, v, err));
    if (v->kind == WR_FLAT && v->phys == WR_PHYS_BOOL) {
        gather_bits(c, v->data, (uint64_t *)o->data->data);
        return WR_OK;
    }
    size_t width = width_of(o);
    uint8_t *out = o->data->data + c->filled * width;
    if (v->kind == WR_DICTIONARY && o->kind == WR_FLAT) {
        const wr_vector *values = wr_vector_dictionary(v);
        WR_TRY(wr_buffer_recycle(&r->raw, c->allocator, sizeof(uint32_t) * c->window_rows, err));
        gather(c, v->data, sizeof(uint32_t), few, r->raw->data);
        c->context.kernels->select->gather32[wr_width_index((unsigned)width)](values->data, (uint32_t *)r->raw->data,
                                                                              c->window_passed, out);
        return values->heap ? keep_text(c, o, values->heap, c->window_passed, err) : WR_OK;
    }
    gather(c, v->data, width, few, out);
    return v->heap && o->kind == WR_FLAT ? keep_text(c, o, v->heap, c->window_passed, err) : WR_OK;
}

wr_status wr_pq_output_append(wr_pq_cursor *c, wr_error *err) {
    bool few = c->window_passed < c->window_rows / 8;
    if (few) c->context.kernels->bits->rows(c->pass, c->window_rows, 0, c->rows);
    for (uint32_t i = 0; i < c->output_count; i++) WR_TRY(append_column(c, &c->outputs[i], few, err));
    c->filled += c->window_passed;
    c->window_pending = false;
    return WR_OK;
}

wr_status wr_pq_output_share(wr_pq_cursor *c, wr_batch *batch, wr_error *err) {
    for (uint32_t i = 0; i < c->output_count; i++) {
        wr_pq_reader *r = c->outputs[i].reader;
        WR_TRY(wr_pq_reader_read(r, c->window_row, c->window_rows, err));
        WR_TRY(wr_pq_reader_attach(r, err));
        wr_vector_share(&batch->columns[i], &r->vector);
    }
    c->window_pending = false;
    wr_batch_set_rows(batch, c->window_rows);
    return WR_OK;
}

void wr_pq_output_give(wr_pq_cursor *c, wr_batch *batch) {
    for (uint32_t i = 0; i < c->output_count; i++) {
        wr_pq_output *o = &c->outputs[i];
        wr_vector v = {
            .type = o->reader->leaf->type,
            .kind = o->kind,
            .phys = o->reader->leaf->phys,
            .row_count = c->filled,
            .data = o->data->data,
            .data_buffer = wr_buffer_retain(o->data),
            .heap = o->kind == WR_FLAT && o->reader->leaf->phys == WR_PHYS_VIEW ? wr_heap_retain(o->heap) : NULL,
            .children = o->kind == WR_DICTIONARY ? wr_vector_set_retain(o->dictionary) : NULL,
        };
        if (o->has_validity) {
            v.validity = (const uint64_t *)o->validity->data;
            v.validity_buffer = wr_buffer_retain(o->validity);
        }
        wr_vector_move(&batch->columns[i], &v);
    }
    wr_batch_set_rows(batch, c->filled);
    c->filled = 0;
}
