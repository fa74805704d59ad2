/* Batches: columns that stand side by side, and the selection over them. */
#include "column/vector_internal.h"

wr_status wr_batch_init(wr_batch *batch, wr_allocator *a, uint32_t column_count, wr_error *err) {
    *batch = (wr_batch){.allocator = a, .column_count = column_count};
    if (column_count == 0) return WR_OK;
    batch->columns = wr_alloc_zeroed(a, column_count * sizeof(wr_vector));
    if (batch->columns) return WR_OK;
    batch->column_count = 0;
    return wr_fail_memory(err, column_count * sizeof(wr_vector), "a batch's columns");
}

void wr_batch_clear(wr_batch *batch) {
    for (uint32_t i = 0; i < batch->column_count; i++) wr_vector_deinit(&batch->columns[i]);
    wr_buffer_release(batch->sel_buffer);
    wr_buffer_release(batch->weight_buffer);
    *batch = (wr_batch){.allocator = batch->allocator, .column_count = batch->column_count, .columns = batch->columns};
}

void wr_batch_deinit(wr_batch *batch) {
    wr_batch_clear(batch);
    if (batch->columns) wr_free(batch->allocator, batch->columns, batch->column_count * sizeof(wr_vector));
    *batch = (wr_batch){.allocator = batch->allocator};
}

void wr_batch_share(wr_batch *to, const wr_batch *from) {
    WR_ASSERT(to->column_count == from->column_count);
    for (uint32_t i = 0; i < to->column_count; i++) wr_vector_share(&to->columns[i], &from->columns[i]);
    wr_buffer *sel = wr_buffer_retain(from->sel_buffer), *weights = wr_buffer_retain(from->weight_buffer);
    wr_buffer_release(to->sel_buffer);
    wr_buffer_release(to->weight_buffer);
    to->row_count = from->row_count;
    to->sel_count = from->sel_count;
    to->sel = from->sel;
    to->sel_buffer = sel;
    to->ordinal = from->ordinal;
    to->weights = from->weights;
    to->weight_buffer = weights;
}

/* ---- selection ---- */

/* The numbers of the set bits among the first `count`, in order. */
static uint32_t rows_of_bits(const uint64_t *bits, uint32_t count, uint16_t *out) {
    uint32_t found = 0;
    for (uint32_t at = 0; at < count; at += 64) {
        uint64_t word = bits[at / 64];
        if (count - at < 64) word &= wr_bitmap_tail(count);
        if (word == ~UINT64_C(0)) {
            for (uint32_t i = 0; i < 64; i++) out[found + i] = (uint16_t)(at + i);
            found += 64;
            continue;
        }
        for (; word; word &= word - 1) out[found++] = (uint16_t)(at + (uint32_t)__builtin_ctzll(word));
    }
    return found;
}

static uint32_t rows_that_pass(const uint16_t *sel, uint32_t count, const uint64_t *pass, uint16_t *out) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint16_t row = sel[i];
        out[found] = row;
        found += wr_bit_get(pass, row);
    }
    return found;
}

wr_status wr_batch_filter(wr_batch *batch, const uint64_t *pass, wr_error *err) {
    if (!batch->sel && wr_bitmap_count(pass, batch->row_count) == batch->row_count) return WR_OK;
    /* A selection of our own is narrowed in place: what is written never passes what is read. */
    bool in_place = batch->sel && batch->sel_buffer && wr_buffer_unique(batch->sel_buffer) &&
                    (const uint8_t *)batch->sel == batch->sel_buffer->data;
    wr_buffer *held = batch->sel_buffer;
    if (!in_place) {
        size_t bytes = (batch->sel ? batch->sel_count : batch->row_count) * sizeof(uint16_t);
        bool reusable = !batch->sel && held && wr_buffer_unique(held) && held->capacity_bytes >= bytes;
        if (!reusable) WR_TRY(wr_buffer_create(&held, batch->allocator, bytes, err));
    }
    uint16_t *out = (uint16_t *)held->data;
    batch->sel_count = batch->sel ? rows_that_pass(batch->sel, batch->sel_count, pass, out)
                                  : rows_of_bits(pass, batch->row_count, out);
    batch->sel = out;
    if (held != batch->sel_buffer) {
        wr_buffer_release(batch->sel_buffer);
        batch->sel_buffer = held;
    }
    held->size_bytes = batch->sel_count * sizeof(uint16_t);
    return WR_OK;
}

static wr_status gather_weights(wr_buffer **out, wr_allocator *a, const wr_batch *batch, wr_error *err) {
    WR_TRY(wr_buffer_create(out, a, batch->sel_count * sizeof(int64_t), err));
    int64_t *weights = (int64_t *)(*out)->data;
    (*out)->size_bytes = batch->sel_count * sizeof(int64_t);
    for (uint32_t i = 0; i < batch->sel_count; i++) weights[i] = batch->weights[batch->sel ? batch->sel[i] : i];
    return WR_OK;
}

/* All is gathered before anything is replaced, so that a failure leaves the batch as it was. */
/* Columns over the same codes, as expressions on one dictionary are, stay so. */
static bool share_codes(wr_vector *to, const wr_vector *v, const wr_batch *batch, const wr_batch *dense,
                        uint32_t count) {
    if (v->kind != WR_DICTIONARY) return false;
    for (uint32_t i = 0; i < count; i++) {
        const wr_vector *other = &batch->columns[i];
        if (dense->columns[i].kind != WR_DICTIONARY || other->data != v->data || other->validity != v->validity)
            continue;
        wr_vector_share(to, &dense->columns[i]);
        wr_vector_set_release(to->children);
        to->children = wr_vector_set_retain(v->children);
        to->type = v->type;
        to->phys = v->phys;
        return true;
    }
    return false;
}

wr_status wr_batch_compact(wr_batch *batch, wr_error *err) {
    if (!batch->sel) return WR_OK;
    wr_batch dense;
    wr_status status = WR_OK;
    WR_TRY(wr_batch_init(&dense, batch->allocator, batch->column_count, err));
    for (uint32_t i = 0; i < batch->column_count; i++) {
        const wr_vector *v = &batch->columns[i];
        if (share_codes(&dense.columns[i], v, batch, &dense, i)) continue;
        WR_TRY_CLEANUP(wr_vector_gather(&dense.columns[i], batch->allocator, v, batch->sel, batch->sel_count, err));
    }
    if (batch->weights) {
        WR_TRY_CLEANUP(gather_weights(&dense.weight_buffer, batch->allocator, batch, err));
        dense.weights = (const int64_t *)dense.weight_buffer->data;
    }
    wr_batch_set_rows(&dense, batch->sel_count);
    dense.ordinal = batch->ordinal;
    wr_batch old = *batch;
    *batch = dense;
    dense = old;
cleanup:
    wr_batch_deinit(&dense);
    return status;
}

/* ---- copies ---- */

/* The codes are copied, the dictionary is shared. */
static wr_status copy_codes(wr_vector *to, wr_allocator *a, const wr_vector *from, uint32_t count, wr_error *err) {
    WR_TRY(wr_vector_begin(to, a, from->type, WR_DICTIONARY, count, err));
    to->children = wr_vector_set_retain(from->children);
    memcpy(wr_vector_data_mut(to), from->data, count * sizeof(uint32_t));
    if (!from->validity) return WR_OK;
    uint64_t *validity;
    WR_TRY(wr_vector_begin_validity(to, a, &validity, err));
    wr_bitmap_copy(validity, 0, from->validity, 0, count);
    return WR_OK;
}

static wr_status copy_column(wr_vector *to, wr_allocator *a, const wr_vector *from, const uint16_t *sel, uint32_t count,
                             wr_error *err) {
    if (from->kind == WR_DICTIONARY && wr_vector_dictionary(from)->row_count / 2 <= count) {
        return sel ? wr_vector_gather(to, a, from, sel, count, err) : copy_codes(to, a, from, count, err);
    }
    bool constant = from->kind == WR_CONSTANT && count > 0;
    uint32_t rows = constant ? 1 : count;
    /* Prepared for all its rows, so that appending does not grow it. */
    WR_TRY(wr_vector_prepare(to, a, from->type, rows, false, err));
    wr_vector_truncate(to, 0);
    WR_TRY(wr_vector_append(to, a, from, constant ? NULL : sel, rows, err));
    if (constant) {
        to->kind = WR_CONSTANT;
        to->row_count = count;
    }
    return WR_OK;
}

wr_status wr_batch_copy(wr_batch *to, wr_allocator *a, const wr_batch *from, wr_error *err) {
    WR_ASSERT(to->column_count == from->column_count);
    wr_batch_clear(to);
    wr_status status = WR_OK;
    for (uint32_t i = 0; i < from->column_count; i++) {
        WR_TRY_CLEANUP(copy_column(&to->columns[i], a, &from->columns[i], from->sel, from->sel_count, err));
    }
    if (from->weights) {
        WR_TRY_CLEANUP(gather_weights(&to->weight_buffer, a, from, err));
        to->weights = (const int64_t *)to->weight_buffer->data;
    }
    wr_batch_set_rows(to, from->sel_count);
    to->ordinal = from->ordinal;
cleanup:
    if (status != WR_OK) wr_batch_clear(to);
    return status;
}

size_t wr_batch_pinned_bytes(const wr_batch *batch) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < batch->column_count; i++) bytes += wr_vector_pinned_bytes(&batch->columns[i]);
    return bytes;
}

size_t wr_batch_needed_bytes(const wr_batch *batch) {
    size_t bytes = 0;
    for (uint32_t i = 0; i < batch->column_count; i++) bytes += wr_vector_needed_bytes(&batch->columns[i]);
    return batch->row_count ? bytes / batch->row_count * batch->sel_count : 0;
}
