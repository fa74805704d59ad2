/* Rows of a chunk as vectors; see reader.h.
 *
 * The values of a window are first laid side by side without the NULLs between them, as codes or as values, whatever
 * pages they come from; then they are spread to their rows. Where a window goes from a page of codes to one of values,
 * the codes are exchanged for their values, so that a vector never mixes. */
#include "format/parquet/reader.h"

#include "kernel/select.h"

enum { FORGOTTEN_HEADER_BYTES = 100 };

void wr_pq_reader_init(wr_pq_reader *r, wr_pq_context *context, const wr_pq_leaf *leaf, wr_str name) {
    *r = (wr_pq_reader){.context = context, .leaf = leaf, .name = name};
    r->decoder = (wr_pq_decoder){.kernels = context->kernels, .allocator = context->allocator, .leaf = leaf};
    wr_text_init(&r->decoder.previous, context->allocator);
}

void wr_pq_reader_release(wr_pq_reader *r) {
    wr_vector_deinit(&r->vector);
    wr_buffer_release(r->page_owner);
    r->page_owner = NULL;
    wr_vector_set_release(r->dictionary.set);
    wr_buffer_release(r->dictionary.stored);
    r->dictionary.set = NULL;
    r->dictionary.stored = NULL;
    r->dictionary.found = r->dictionary.failed = false;
    r->page_open = false;
    r->page_left = 0;
}

void wr_pq_reader_deinit(wr_pq_reader *r) {
    wr_pq_reader_release(r);
    wr_buffer *const buffers[] = {
        r->bytes, r->inflated[0], r->inflated[1], r->level_buffer, r->dictionary.bytes, r->dictionary.values,
        r->codes, r->data,        r->raw,         r->expanded,     r->validity};
    for (size_t i = 0; i < WR_COUNT_OF(buffers); i++) wr_buffer_release(buffers[i]);
    wr_heap_release(r->heap);
    wr_text_deinit(&r->decoder.previous);
    *r = (wr_pq_reader){0};
}

static wr_status check_chunk(const wr_pq_reader *r, uint64_t file_bytes, wr_error *err) {
    const wr_pq_chunk *chunk = r->chunk;
    if (r->leaf->refusal) return wr_fail(err, WR_UNSUPPORTED, "the column is %s", r->leaf->refusal);
    if (chunk->encrypted) return wr_fail(err, WR_UNSUPPORTED, "the column chunk is encrypted");
    if (chunk->elsewhere) return wr_fail(err, WR_UNSUPPORTED, "the column chunk is in another file");
    if (chunk->physical != r->leaf->physical) {
        return wr_fail(err, WR_CORRUPT, "the column chunk has physical type %u, the schema says %u", chunk->physical,
                       r->leaf->physical);
    }
    if (chunk->first_byte > file_bytes || chunk->stored_bytes > file_bytes - chunk->first_byte) {
        return wr_fail(err, WR_CORRUPT, "the column chunk of %llu bytes is beyond the end of the file, %llu",
                       (unsigned long long)chunk->stored_bytes, (unsigned long long)file_bytes);
    }
    if (chunk->value_count != r->row_count) {
        return wr_fail(err, WR_CORRUPT, "the column chunk has %llu values, its row group %llu rows",
                       (unsigned long long)chunk->value_count, (unsigned long long)r->row_count);
    }
    return wr_pq_codec_check(chunk->codec, err);
}

wr_status wr_pq_reader_begin(wr_pq_reader *r, const wr_pq_chunk *chunk, uint64_t row_count, wr_error *err) {
    wr_pq_reader_release(r);
    uint64_t file_bytes = wr_object_describe(r->context->file->base.object)->size_bytes;
    r->chunk = chunk;
    r->row_count = row_count;
    r->row = 0;
    r->vector_row = UINT64_MAX;
    r->next_page = r->page_offset = chunk->first_byte;
    r->end = chunk->first_byte + chunk->stored_bytes;
    r->places = NULL;
    r->place_count = 0;
    r->sparse = false;
    r->bytes_size = 0;
    if (check_chunk(r, file_bytes, err) != WR_OK) return wr_pq_reader_blame(r, chunk->first_byte, err);
    if (r->context->file->footer.forgets_headers) {
        r->end = file_bytes - r->end < FORGOTTEN_HEADER_BYTES ? file_bytes : r->end + FORGOTTEN_HEADER_BYTES;
    }
    return WR_OK;
}

/* ---- levels ---- */

enum { LEVELS_AT_ONCE = 2048 };

/* Levels of `n` rows to bits [to, to + n); gives how many are set. */
static wr_status take_validity(wr_pq_reader *r, uint32_t n, uint64_t *bits, size_t to, uint32_t *set, wr_error *err) {
    *set = 0;
    for (uint32_t at = 0; at < n; at += LEVELS_AT_ONCE) {
        uint64_t some_bits[LEVELS_AT_ONCE / 64] = {0};
        uint32_t some = n - at < LEVELS_AT_ONCE ? n - at : LEVELS_AT_ONCE;
        bool whole = true;
        if (r->level_bits) {
            whole = r->level_at + some <= r->level_bytes * 8;
            for (uint32_t i = 0; whole && i < some; i++, r->level_at++) {
                wr_bit_put(some_bits, i, r->level_bits[r->level_at / 8] >> (7 - r->level_at % 8) & 1);
            }
        } else {
            whole = wr_pq_hybrid_bits(&r->levels, some, some_bits, 0);
        }
        if (!whole) return wr_fail(err, WR_CORRUPT, "its levels end or break within the next %u rows", some);
        *set += (uint32_t)wr_bitmap_count(some_bits, some);
        if (bits) wr_bitmap_copy(bits, to + at, some_bits, 0, some);
    }
    return WR_OK;
}

/* ---- moving without reading ---- */

static wr_status skip_in_page(wr_pq_reader *r, uint32_t n, wr_error *err) {
    if (r->page_open) {
        uint32_t values = n;
        if (r->leaf->definition_max) WR_TRY(take_validity(r, n, NULL, 0, &values, err));
        WR_TRY(r->decoder.ops->skip(&r->decoder, values, err));
    } else {
        r->skip_in_page += n;
    }
    r->row += n;
    r->page_left -= n;
    return WR_OK;
}

/* Opens the page and passes over the rows that were skipped before it had to be. */
static wr_status open_page(wr_pq_reader *r, wr_error *err) {
    if (r->page_open) return WR_OK;
    WR_TRY(wr_pq_reader_open_page(r, err));
    uint32_t skipped = r->skip_in_page, values = skipped;
    r->skip_in_page = 0;
    if (!skipped) return WR_OK;
    if (r->leaf->definition_max) WR_TRY(take_validity(r, skipped, NULL, 0, &values, err));
    return r->decoder.ops->skip(&r->decoder, values, err);
}

/* Makes the page that holds `row` the current one, and that row the next. */
static wr_status go_to(wr_pq_reader *r, uint64_t row, wr_error *err) {
    WR_ASSERT(row >= r->row && row < r->row_count);
    for (;;) {
        uint64_t ahead = row - r->row;
        uint32_t n = ahead < r->page_left ? (uint32_t)ahead : r->page_left;
        if (n == r->page_left) {
            /* The rest of the page is nobody's. */
            if (n && !r->page_open) r->context->counters->pages_skipped++;
            r->row += n;
            r->page_left = 0;
            WR_TRY(wr_pq_reader_next_page(r, row, err));
            r->skip_in_page = 0;
        } else {
            return n ? skip_in_page(r, n, err) : WR_OK;
        }
    }
}

wr_status wr_pq_reader_find(wr_pq_reader *r, uint64_t row, bool *codes, uint32_t *left, wr_error *err) {
    if (row < r->row && r->vector.row_count && row == r->vector_row) {
        /* Another filter has read these rows. */
        *codes = r->vector.kind == WR_DICTIONARY;
        *left = r->vector.row_count + (wr_pq_page_has_codes(&r->page) ? r->page_left : 0);
        return WR_OK;
    }
    wr_status status = go_to(r, row, err);
    if (status != WR_OK) return wr_pq_reader_blame(r, r->page_offset, err);
    *codes = wr_pq_page_has_codes(&r->page);
    *left = r->page_left;
    return WR_OK;
}

/* ---- reading ---- */

typedef enum window_kind { WINDOW_EMPTY, WINDOW_CODES, WINDOW_VALUES } window_kind;

typedef struct window {
    uint32_t rows, values; /* so far */
    uint8_t kind;          /* window_kind */
} window;

static wr_status make_buffers(wr_pq_reader *r, uint32_t n, wr_error *err) {
    wr_allocator *a = r->context->allocator;
    wr_vector_deinit(&r->vector);
    if (r->leaf->definition_max) WR_TRY(wr_buffer_recycle(&r->validity, a, wr_bitmap_bytes(n), err));
    if (r->leaf->raw_views && !r->leaf->convert) {
        WR_TRY(wr_heap_recycle(&r->heap, a, err));
        r->decoder.heap = r->heap;
    }
    return WR_OK;
}

/* Exchanges the window's codes for their values. */
static wr_status flatten(wr_pq_reader *r, uint32_t n, window *w, wr_error *err) {
    WR_TRY(wr_pq_reader_load_dictionary(r, err));
    const wr_vector *dictionary = &r->dictionary.set->items[0];
    size_t width = wr_pq_dense_bytes(r->leaf);
    WR_TRY(wr_buffer_recycle(&r->data, r->context->allocator, n * width, err));
    r->context->kernels->select->gather32[wr_width_index((unsigned)width)](dictionary->data, (uint32_t *)r->codes->data,
                                                                           w->values, r->data->data);
    w->kind = WINDOW_VALUES;
    return dictionary->heap ? wr_heap_add(r->heap, r->dictionary.bytes, err) : WR_OK;
}

static wr_status read_codes(wr_pq_reader *r, uint32_t n, uint32_t values, window *w, wr_error *err) {
    wr_allocator *a = r->context->allocator;
    if (w->kind == WINDOW_VALUES) {
        WR_TRY(wr_buffer_recycle(&r->raw, a, values * sizeof(uint32_t), err));
        uint32_t *codes = (uint32_t *)r->raw->data;
        WR_TRY(r->decoder.ops->decode(&r->decoder, values, codes, err));
        WR_TRY(wr_pq_reader_load_dictionary(r, err));
        const wr_vector *dictionary = &r->dictionary.set->items[0];
        size_t width = wr_pq_dense_bytes(r->leaf);
        r->context->kernels->select->gather32[wr_width_index((unsigned)width)](dictionary->data, codes, values,
                                                                               r->data->data + w->values * width);
        return dictionary->heap ? wr_heap_add(r->heap, r->dictionary.bytes, err) : WR_OK;
    }
    if (w->kind == WINDOW_EMPTY) WR_TRY(wr_buffer_recycle(&r->codes, a, n * sizeof(uint32_t), err));
    w->kind = WINDOW_CODES;
    return r->decoder.ops->decode(&r->decoder, values, (uint32_t *)r->codes->data + w->values, err);
}

static wr_status read_values(wr_pq_reader *r, uint32_t n, uint32_t values, window *w, wr_error *err) {
    wr_allocator *a = r->context->allocator;
    const wr_pq_leaf *leaf = r->leaf;
    size_t width = wr_pq_dense_bytes(leaf);
    if (w->kind == WINDOW_CODES) WR_TRY(flatten(r, n, w, err));
    if (w->kind == WINDOW_EMPTY) WR_TRY(wr_buffer_recycle(&r->data, a, n * width, err));
    w->kind = WINDOW_VALUES;
    uint8_t *out = r->data->data + w->values * width;
    if (leaf->raw_views && !leaf->convert) WR_TRY(wr_heap_add(r->heap, r->page_owner, err));
    if (!leaf->convert) return r->decoder.ops->decode(&r->decoder, values, out, err);
    WR_TRY(wr_buffer_recycle(&r->raw, a, (size_t)values * leaf->raw_bytes, err));
    WR_TRY(r->decoder.ops->decode(&r->decoder, values, r->raw->data, err));
    return leaf->convert(leaf, r->raw->data, values, out, err);
}

/* The next rows of the current page, at most `n` in all. */
static wr_status read_page(wr_pq_reader *r, uint32_t n, window *w, wr_error *err) {
    WR_TRY(open_page(r, err));
    uint32_t rows = n - w->rows < r->page_left ? n - w->rows : r->page_left, values = rows;
    if (r->leaf->definition_max) {
        WR_TRY(take_validity(r, rows, (uint64_t *)r->validity->data, w->rows, &values, err));
    }
    WR_TRY(wr_pq_page_has_codes(&r->page) ? read_codes(r, n, values, w, err) : read_values(r, n, values, w, err));
    w->values += values;
    w->rows += rows;
    r->row += rows;
    r->page_left -= rows;
    return WR_OK;
}

/* Bytes of 0 and 1 to bits. */
static void pack_booleans(const uint8_t *bytes, uint32_t n, uint64_t *bits) {
    for (uint32_t at = 0; at < n; at += 64) {
        uint64_t word = 0;
        uint32_t some = n - at < 64 ? n - at : 64;
        for (uint32_t i = 0; i < some; i++) word |= (uint64_t)(bytes[at + i] & 1) << i;
        bits[at / 64] = word;
    }
}

/* Spreads the values over the rows and makes the vector. */
static wr_status finish(wr_pq_reader *r, uint32_t n, const window *w, wr_error *err) {
    wr_allocator *a = r->context->allocator;
    const wr_pq_leaf *leaf = r->leaf;
    bool is_codes = w->kind == WINDOW_CODES, is_bits = !is_codes && leaf->phys == WR_PHYS_BOOL;
    size_t width = is_codes ? sizeof(uint32_t) : wr_pq_dense_bytes(leaf);
    wr_buffer *values = is_codes ? r->codes : r->data;
    if (w->values < n || is_bits) WR_TRY(wr_buffer_recycle(&r->expanded, a, n * width + 64, err));
    if (w->values < n) {
        const uint64_t *valid = (const uint64_t *)r->validity->data;
        r->context->kernels->select->expand[wr_width_index((unsigned)width)](values->data, valid, n, r->expanded->data);
        if (is_bits) memcpy(values->data, r->expanded->data, n);
        values = is_bits ? values : r->expanded;
    }
    if (is_bits) {
        pack_booleans(values->data, n, (uint64_t *)r->expanded->data);
        values = r->expanded;
    }
    r->vector = (wr_vector){
        .type = leaf->type,
        .kind = is_codes ? WR_DICTIONARY : WR_FLAT,
        .phys = leaf->phys,
        .row_count = n,
        .data = values->data,
        .data_buffer = wr_buffer_retain(values),
        .heap = !is_codes && leaf->phys == WR_PHYS_VIEW ? wr_heap_retain(r->heap) : NULL,
    };
    if (w->values < n) {
        r->vector.validity = (const uint64_t *)r->validity->data;
        r->vector.validity_buffer = wr_buffer_retain(r->validity);
    }
    return WR_OK;
}

wr_status wr_pq_reader_read(wr_pq_reader *r, uint64_t row, uint32_t n, wr_error *err) {
    if (wr_pq_reader_has(r, row, n)) return WR_OK;
    window w = {0};
    r->vector_row = UINT64_MAX;
    WR_TRY(make_buffers(r, n, err));
    wr_status status = go_to(r, row, err);
    if (status != WR_OK) return wr_pq_reader_blame(r, r->page_offset, err);
    while (w.rows < n) {
        if (r->page_left == 0) {
            status = wr_pq_reader_next_page(r, r->row, err);
            if (status != WR_OK) return wr_pq_reader_blame(r, r->page_offset, err);
            r->skip_in_page = 0;
        }
        status = read_page(r, n, &w, err);
        if (status != WR_OK) return wr_pq_reader_blame(r, r->page_offset, err);
    }
    WR_TRY(finish(r, n, &w, err));
    r->vector_row = row;
    return WR_OK;
}
