/* Full batches from parts; see batch_builder.h. A column begins with the first rows that it gets after a batch was taken:
 * its buffers are used again if nobody kept them. */
#include "exec/batch_builder.h"

#include "kernel/bits.h"
#include "kernel/select.h"

/* Kernels may write up to a multiple of 64 rows. */
enum { SLACK_ROWS = 64 };

wr_status wr_batch_builder_init(wr_batch_builder *b, wr_allocator *a, const wr_kernels *kernels, const wr_type *types,
                                uint32_t column_count, uint32_t capacity, wr_error *err) {
    *b = (wr_batch_builder){.allocator = a, .kernels = kernels, .types = types, .capacity = capacity};
    WR_TRY(wr_batch_init(&b->batch, a, column_count, err));
    size_t bytes = wr_bitmap_bytes(capacity) + WR_BUFFER_PAD;
    b->begun = wr_alloc_zeroed(a, column_count + 1);
    b->bits = wr_alloc(a, bytes);
    b->rows = wr_alloc(a, sizeof(uint32_t) * capacity + WR_BUFFER_PAD);
    if (!b->begun || !b->bits || !b->rows) return wr_fail_memory(err, bytes, "batches of joined rows");
    return WR_OK;
}

void wr_batch_builder_deinit(wr_batch_builder *b) {
    wr_free(b->allocator, b->begun, b->batch.column_count + 1);
    wr_free(b->allocator, b->bits, wr_bitmap_bytes(b->capacity) + WR_BUFFER_PAD);
    wr_free(b->allocator, b->rows, sizeof(uint32_t) * b->capacity + WR_BUFFER_PAD);
    wr_vector_deinit(&b->gathered);
    wr_batch_deinit(&b->batch);
}

bool wr_batch_builder_accepts(const wr_batch_builder *b, uint32_t column, const wr_vector *from) {
    if (!b->begun[column] || b->row_count == 0) return true;
    const wr_vector *to = &b->batch.columns[column];
    bool codes = from->kind == WR_DICTIONARY;
    if (to->kind == WR_DICTIONARY) return codes && to->children == from->children;
    return !codes || wr_phys_is_nested((wr_phys)to->phys);
}

/* ---- columns begin ---- */

static wr_status begin_codes(wr_batch_builder *b, wr_vector *to, const wr_vector *from, wr_error *err) {
    wr_buffer *data = to->data_buffer, *validity = to->validity_buffer;
    wr_heap_release(to->heap);
    wr_vector_set_release(to->children);
    *to = (wr_vector){.type = from->type,
                      .kind = WR_DICTIONARY,
                      .phys = from->phys,
                      .validity_buffer = validity,
                      .data_buffer = data,
                      .children = wr_vector_set_retain(from->children)};
    WR_TRY(wr_buffer_recycle(&to->data_buffer, b->allocator, sizeof(uint32_t) * (b->capacity + SLACK_ROWS), err));
    to->data = to->data_buffer->data;
    return WR_OK;
}

static wr_status begin_flat(wr_batch_builder *b, uint32_t column, wr_error *err) {
    wr_vector *to = &b->batch.columns[column];
    wr_type type = b->types[column];
    uint32_t rows = wr_phys_is_nested(wr_type_phys(type)) ? 0 : b->capacity + SLACK_ROWS;
    WR_TRY(wr_vector_prepare(to, b->allocator, type, rows, false, err));
    wr_heap_release(to->heap);
    to->heap = NULL;
    return WR_OK;
}

/* The column as it stands before rows of `from` (NULL: of no vector) are written at row_count. */
static wr_status begin(wr_batch_builder *b, uint32_t column, const wr_vector *from, wr_error *err) {
    wr_vector *to = &b->batch.columns[column];
    if (b->begun[column] && b->row_count > 0) return WR_OK;
    if (from && from->kind == WR_DICTIONARY && !wr_phys_is_nested((wr_phys)from->phys)) {
        WR_TRY(begin_codes(b, to, from, err));
    } else {
        WR_TRY(begin_flat(b, column, err));
    }
    b->begun[column] = true;
    return WR_OK;
}

static wr_status validity_of(wr_batch_builder *b, wr_vector *to, uint64_t **out, wr_error *err) {
    if (!to->validity) {
        WR_TRY(wr_buffer_recycle(&to->validity_buffer, b->allocator, wr_bitmap_bytes(b->capacity), err));
        to->validity = (const uint64_t *)to->validity_buffer->data;
        wr_bitmap_set_range(wr_vector_validity_mut(to), 0, b->row_count, true);
    }
    *out = wr_vector_validity_mut(to);
    return WR_OK;
}

/* Bits of the rows to come: `valid` has them side by side; NULL: all set. */
static wr_status add_validity(wr_batch_builder *b, wr_vector *to, const uint64_t *valid, uint32_t count,
                              wr_error *err) {
    if (!valid && !to->validity) return WR_OK;
    uint64_t *bits;
    WR_TRY(validity_of(b, to, &bits, err));
    wr_bitmap_copy(bits, b->row_count, valid, 0, count);
    return WR_OK;
}

/* ---- strings: the heap of the column holds the buffers of every heap that rows came from ---- */

static wr_status hold_heap(wr_batch_builder *b, wr_vector *to, const wr_vector *from, wr_error *err) {
    if (!from->heap || to->heap == from->heap) return WR_OK;
    if (!to->heap) {
        to->heap = wr_heap_retain(from->heap);
        return WR_OK;
    }
    wr_heap *both;
    WR_TRY(wr_heap_create(&both, b->allocator, err));
    const wr_heap *parts[2] = {to->heap, from->heap};
    wr_status status = WR_OK;
    for (unsigned p = 0; p < 2 && status == WR_OK; p++) {
        for (uint32_t i = 0; i < parts[p]->count && status == WR_OK; i++) {
            status = wr_heap_add(both, parts[p]->buffers[i], err);
        }
    }
    if (status != WR_OK) {
        wr_heap_release(both);
        return status;
    }
    wr_heap_release(to->heap);
    to->heap = both;
    return WR_OK;
}

/* ---- rows ---- */

static wr_status add_gathered(wr_batch_builder *b, uint32_t column, const wr_vector *from, const uint16_t *rows16,
                              const uint32_t *rows32, uint32_t count, wr_error *err) {
    wr_vector *to = &b->batch.columns[column];
    if (rows32) {
        WR_TRY(wr_vector_gather32(&b->gathered, b->allocator, from, rows32, count, err));
        from = &b->gathered;
    }
    wr_status status = wr_vector_append(to, b->allocator, from, rows16, count, err);
    wr_vector_deinit(&b->gathered);
    return status;
}

static void fill(void *data, const void *value, unsigned width, uint32_t at, uint32_t count) {
    uint8_t *to = (uint8_t *)data + (size_t)at * width;
    for (uint32_t i = 0; i < count; i++) memcpy(to + (size_t)i * width, value, width);
}

static wr_status add_constant(wr_batch_builder *b, wr_vector *to, const wr_vector *from, uint32_t count,
                              wr_error *err) {
    if (!wr_valid(from->validity, 0)) {
        uint64_t *bits;
        WR_TRY(validity_of(b, to, &bits, err));
        wr_bitmap_set_range(bits, b->row_count, count, false);
    } else {
        WR_TRY(add_validity(b, to, NULL, count, err));
    }
    if (to->phys == WR_PHYS_BOOL) {
        wr_bitmap_set_range(wr_vector_data_mut(to), b->row_count, count, wr_bit_get(from->data, 0));
    } else {
        fill(wr_vector_data_mut(to), from->data, (unsigned)wr_phys_bytes((wr_phys)to->phys), b->row_count, count);
    }
    return hold_heap(b, to, from, err);
}

/* The 32-bit numbers with NULL rows made row 0, and their bits in b->bits; the same numbers where there are none. */
static const uint32_t *without_nulls(wr_batch_builder *b, const uint32_t *rows, uint32_t count, bool *some) {
    uint64_t missing = 0;
    for (uint32_t i = 0; i < count; i++) missing |= rows[i] == UINT32_MAX;
    *some = missing;
    if (!missing) return rows;
    for (uint32_t at = 0; at < count; at += 64) {
        uint64_t word = 0;
        for (uint32_t i = 0; i < 64 && at + i < count; i++) {
            bool there = rows[at + i] != UINT32_MAX;
            word |= (uint64_t)there << i;
            b->rows[at + i] = there ? rows[at + i] : 0;
        }
        b->bits[at / 64] = word;
    }
    return b->rows;
}

static wr_status add_flat(wr_batch_builder *b, wr_vector *to, const wr_vector *from, const uint16_t *rows16,
                          const uint32_t *rows32, const uint64_t *present, uint32_t count, wr_error *err) {
    const wr_bits_kernels *bits = b->kernels->bits;
    uint64_t gathered[WR_BATCH_ROWS_MAX / 64 + 1];
    const uint64_t *valid = present;
    if (from->validity) {
        if (rows32) {
            bits->gather32(from->validity, rows32, count, gathered);
        } else if (rows16) {
            bits->gather(from->validity, rows16, count, gathered);
        } else {
            wr_bitmap_copy(gathered, 0, from->validity, 0, count);
        }
        if (present) bits->and_(gathered, present, count, gathered);
        valid = gathered;
    }
    WR_TRY(add_validity(b, to, valid, count, err));
    if (to->kind == WR_FLAT && to->phys == WR_PHYS_BOOL) {
        const uint64_t *values = gathered;
        if (rows32) {
            bits->gather32(from->data, rows32, count, gathered);
        } else if (rows16) {
            bits->gather(from->data, rows16, count, gathered);
        } else {
            values = from->data;
        }
        wr_bitmap_copy(wr_vector_data_mut(to), b->row_count, values, 0, count);
        return WR_OK;
    }
    unsigned width = to->kind == WR_DICTIONARY ? 4 : (unsigned)wr_phys_bytes((wr_phys)to->phys);
    uint8_t *data = (uint8_t *)wr_vector_data_mut(to) + (size_t)b->row_count * width;
    if (rows32) {
        b->kernels->select->gather32[wr_width_index(width)](from->data, rows32, count, data);
    } else if (rows16) {
        b->kernels->select->gather16[wr_width_index(width)](from->data, rows16, count, data);
    } else {
        memcpy(data, from->data, (size_t)count * width);
    }
    return to->kind == WR_FLAT ? hold_heap(b, to, from, err) : WR_OK;
}

static wr_status add(wr_batch_builder *b, uint32_t column, const wr_vector *from, const uint16_t *rows16,
                     const uint32_t *rows32, uint32_t count, wr_error *err) {
    WR_ASSERT(count <= wr_batch_builder_room(b));
    wr_vector *to = &b->batch.columns[column];
    WR_TRY(begin(b, column, from, err));
    if (count == 0) return WR_OK;
    if (wr_phys_is_nested((wr_phys)to->phys)) return add_gathered(b, column, from, rows16, rows32, count, err);
    if (from->kind == WR_CONSTANT) return add_constant(b, to, from, count, err);
    if (from->row_count == 0) return wr_batch_builder_add_nulls(b, column, count, err);
    bool some = false;
    if (rows32) rows32 = without_nulls(b, rows32, count, &some);
    return add_flat(b, to, from, rows16, rows32, some ? b->bits : NULL, count, err);
}

wr_status wr_batch_builder_add16(wr_batch_builder *b, uint32_t column, const wr_vector *from, const uint16_t *rows,
                                 uint32_t count, wr_error *err) {
    return add(b, column, from, rows, NULL, count, err);
}

wr_status wr_batch_builder_add32(wr_batch_builder *b, uint32_t column, const wr_vector *from, const uint32_t *rows,
                                 uint32_t count, wr_error *err) {
    return add(b, column, from, NULL, rows, count, err);
}

wr_status wr_batch_builder_add_nulls(wr_batch_builder *b, uint32_t column, uint32_t count, wr_error *err) {
    wr_vector *to = &b->batch.columns[column];
    WR_TRY(begin(b, column, NULL, err));
    if (count == 0) return WR_OK;
    if (wr_phys_is_nested((wr_phys)to->phys)) {
        wr_value null = {.type = b->types[column], .is_null = true};
        WR_TRY(wr_vector_constant(&b->gathered, b->allocator, &null, count, err));
        return add_gathered(b, column, &b->gathered, NULL, NULL, count, err);
    }
    uint64_t *bits;
    WR_TRY(validity_of(b, to, &bits, err));
    wr_bitmap_set_range(bits, b->row_count, count, false);
    if (to->kind == WR_FLAT && to->phys == WR_PHYS_BOOL) {
        wr_bitmap_set_range(wr_vector_data_mut(to), b->row_count, count, false);
    } else {
        size_t width = to->kind == WR_DICTIONARY ? sizeof(uint32_t) : wr_phys_bytes((wr_phys)to->phys);
        memset((uint8_t *)wr_vector_data_mut(to) + b->row_count * width, 0, count * width);
    }
    return WR_OK;
}

wr_status wr_batch_builder_add_bits(wr_batch_builder *b, uint32_t column, const uint64_t *values, const uint64_t *valid,
                                    uint32_t count, wr_error *err) {
    wr_vector *to = &b->batch.columns[column];
    WR_TRY(begin(b, column, NULL, err));
    WR_TRY(add_validity(b, to, valid, count, err));
    wr_bitmap_copy(wr_vector_data_mut(to), b->row_count, values, 0, count);
    return WR_OK;
}

void wr_batch_builder_commit(wr_batch_builder *b, uint32_t count) {
    b->row_count += count;
}

wr_batch *wr_batch_builder_take(wr_batch_builder *b) {
    for (uint32_t c = 0; c < b->batch.column_count; c++) {
        b->batch.columns[c].row_count = b->row_count;
        b->begun[c] = false;
    }
    wr_batch_set_rows(&b->batch, b->row_count);
    b->row_count = 0;
    return &b->batch;
}
