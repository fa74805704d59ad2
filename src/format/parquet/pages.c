/* Pages of a chunk: their bytes, headers, levels; from stored to ready to decode. */
#include <libdeflate.h>

#include "format/parquet/reader.h"
#include "kernel/snappy.h"

enum {
    READ_BYTES = 1 << 20, /* of a chunk at a time; smaller chunks are read whole */
    READ_WHOLE_BYTES = 2 << 20,
    HEADER_BYTES = 512,          /* most headers are shorter */
    HEADER_BYTES_MAX = 16 << 20, /* statistics in headers may be long */
    PAGE_BYTES_MAX = 1 << 30,
};

wr_status wr_pq_reader_blame(const wr_pq_reader *r, uint64_t offset, wr_error *err) {
    if (!err) return WR_CORRUPT;
    bool is_ours =
        err->code == WR_CORRUPT || err->code == WR_UNSUPPORTED || err->code == WR_VALUE || err->code == WR_LIMIT;
    if (!is_ours || r->dictionary.failed) return err->code;
    wr_str path = wr_object_describe(r->context->file->base.object)->path;
    return wr_error_prefix(err, "file '%.*s', column '%.*s', page at byte %llu: ", WR_STR_ARGS(path),
                           WR_STR_ARGS(r->name), (unsigned long long)offset);
}

/* ---- bytes ---- */

/* The last place whose `key` is not above the value; there is at least one. */
static uint32_t find_place(const wr_pq_reader *r, uint64_t value, size_t key) {
    uint32_t low = 0, high = r->place_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        uint64_t seen;
        memcpy(&seen, (const uint8_t *)&r->places[middle] + key, sizeof seen);
        if (seen <= value) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* What lies in front of the next page that is not wanted: a page, or the dictionary. */
static uint64_t indexed_bytes(const wr_pq_reader *r, uint64_t offset) {
    if (!r->place_count) return 0;
    if (offset < r->places[0].offset) return r->places[0].offset - offset;
    const wr_pq_page_place *place = &r->places[find_place(r, offset, offsetof(wr_pq_page_place, offset))];
    return offset - place->offset < place->stored_bytes ? place->stored_bytes - (offset - place->offset) : 0;
}

static size_t read_size(const wr_pq_reader *r, uint64_t offset, size_t size) {
    uint64_t left = r->end - offset;
    uint64_t wanted = r->sparse ? indexed_bytes(r, offset) : left <= READ_WHOLE_BYTES ? left : READ_BYTES;
    if (wanted < size) wanted = size;
    return (size_t)(wanted < left ? wanted : left);
}

wr_status wr_pq_reader_recycle(wr_pq_reader *r, wr_buffer **slot, size_t size, wr_error *err) {
    size_t step = size < 1 << 16 ? 1 << 12 : 1 << 16;
    return wr_buffer_recycle(slot, r->context->allocator, (size + step - 1) & ~(step - 1), err);
}

static bool holds(uint64_t start, size_t held, uint64_t offset, size_t size) {
    return offset >= start && offset - start <= held && size <= held - (offset - start);
}

/* A dictionary that was passed and not inflated yet stays in memory as it is stored. */
static void keep_dictionary(wr_pq_reader *r) {
    wr_pq_dictionary *d = &r->dictionary;
    uint64_t payload = d->offset + d->header.header_bytes;
    if (!d->found || d->set || d->stored || !holds(r->bytes_offset, r->bytes_size, payload, d->header.stored_bytes))
        return;
    d->stored = wr_buffer_retain(r->bytes);
    d->stored_offset = r->bytes_offset;
}

static wr_status make_room(wr_pq_reader *r, uint64_t offset, size_t size, wr_error *err) {
    keep_dictionary(r);
    WR_TRY(wr_pq_reader_recycle(r, &r->bytes, size, err));
    r->bytes_size = 0;
    r->bytes_offset = offset;
    return WR_OK;
}

wr_status wr_pq_reader_bytes(wr_pq_reader *r, uint64_t offset, size_t size, const uint8_t **out, wr_error *err) {
    if (offset > r->end || size > r->end - offset) {
        return wr_fail(err, WR_CORRUPT, "%zu bytes at byte %llu are beyond the end of its column chunk at %llu", size,
                       (unsigned long long)offset, (unsigned long long)r->end);
    }
    if (!holds(r->bytes_offset, r->bytes_size, offset, size)) {
        size_t wanted = read_size(r, offset, size);
        WR_TRY(make_room(r, offset, wanted, err));
        wr_range range = {offset, wanted, r->bytes->data};
        WR_TRY(wr_object_read(r->context->file->base.object, &range, 1, err));
        r->bytes_size = wanted;
        r->context->counters->bytes_read += wanted;
    }
    *out = r->bytes->data + (offset - r->bytes_offset);
    return WR_OK;
}

wr_status wr_pq_reader_plan(wr_pq_reader *r, wr_range *out, bool *wanted, wr_error *err) {
    *wanted = false;
    if (r->next_page >= r->end) return WR_OK;
    size_t size = read_size(r, r->next_page, 0);
    WR_TRY(make_room(r, r->next_page, size, err));
    *out = (wr_range){r->next_page, size, r->bytes->data};
    r->bytes_size = size;
    r->context->counters->bytes_read += size;
    *wanted = true;
    return WR_OK;
}

/* ---- headers ---- */

static wr_status check_header(const wr_pq_reader *r, uint64_t offset, const wr_pq_page_header *h, wr_error *err) {
    if (h->stored_bytes > r->end - offset - h->header_bytes) {
        return wr_fail(err, WR_CORRUPT, "it claims %u bytes, but its column chunk ends in %llu", h->stored_bytes,
                       (unsigned long long)(r->end - offset - h->header_bytes));
    }
    if (h->plain_bytes > PAGE_BYTES_MAX) {
        return wr_fail(err, WR_LIMIT, "it claims to inflate to %u bytes, at most %d are taken", h->plain_bytes,
                       PAGE_BYTES_MAX);
    }
    unsigned codec = h->is_compressed ? r->chunk->codec : WR_PQ_UNCOMPRESSED;
    size_t levels = (size_t)h->definition_bytes + h->repetition_bytes;
    if (h->plain_bytes - levels > wr_pq_codec_plain_max(codec, h->stored_bytes - levels)) {
        return wr_fail(err, WR_CORRUPT, "it claims to inflate from %u to %u bytes, which %s cannot do", h->stored_bytes,
                       h->plain_bytes, wr_pq_codec_name(codec));
    }
    return WR_OK;
}

wr_status wr_pq_reader_header(wr_pq_reader *r, uint64_t offset, wr_pq_page_header *out, wr_error *err) {
    for (size_t size = HEADER_BYTES;; size *= 8) {
        uint64_t left = offset < r->end ? r->end - offset : 0;
        if (size > left) size = (size_t)left;
        const uint8_t *data = NULL;
        const char *failure = "there is nothing";
        WR_TRY(wr_pq_reader_bytes(r, offset, size, &data, err));
        wr_pq_parse answer = size ? wr_pq_page_header_parse(out, data, size, &failure) : WR_PQ_BROKEN;
        if (answer == WR_PQ_PARSED) return check_header(r, offset, out, err);
        if (answer == WR_PQ_BROKEN || size == left || size > HEADER_BYTES_MAX / 8) {
            return wr_fail(err, WR_CORRUPT, "the page's header is broken: %s", failure);
        }
    }
}

/* ---- which page ---- */

static wr_status note_dictionary(wr_pq_reader *r, uint64_t offset, const wr_pq_page_header *h, wr_error *err) {
    if (r->dictionary.found) return wr_fail(err, WR_CORRUPT, "the column chunk has a second dictionary");
    if (h->encoding != WR_PQ_PLAIN && h->encoding != WR_PQ_PLAIN_DICTIONARY) {
        return wr_fail(err, WR_CORRUPT, "a dictionary cannot be encoded as %s", wr_pq_encoding_name(h->encoding));
    }
    r->dictionary.found = true;
    r->dictionary.offset = offset;
    r->dictionary.header = *h;
    return WR_OK;
}

/* The index tells the page of a row that lies further on: goes there. *rows: what the page must hold then. */
static wr_status jump(wr_pq_reader *r, uint64_t row, uint64_t *rows, wr_error *err) {
    uint32_t low = find_place(r, row, offsetof(wr_pq_page_place, first_row));
    const wr_pq_page_place *place = &r->places[low];
    if (place->first_row <= r->row || place->offset <= r->next_page || place->offset >= r->end) return WR_OK;
    if (!r->dictionary.found && r->next_page == r->chunk->first_byte) {
        wr_pq_page_header h;
        WR_TRY(wr_pq_reader_header(r, r->next_page, &h, err));
        if (h.kind == WR_PQ_DICTIONARY_PAGE) WR_TRY(note_dictionary(r, r->next_page, &h, err));
    }
    r->next_page = place->offset;
    r->row = place->first_row;
    *rows = (low + 1 < r->place_count ? place[1].first_row : r->row_count) - place->first_row;
    return WR_OK;
}

wr_status wr_pq_reader_next_page(wr_pq_reader *r, uint64_t row, wr_error *err) {
    if (r->context->cancelled && __atomic_load_n((const bool *)r->context->cancelled, __ATOMIC_RELAXED)) {
        return wr_fail(err, WR_CANCELLED, "the query was cancelled");
    }
    r->page_open = false;
    wr_buffer_release(r->page_owner);
    r->page_owner = NULL;
    uint64_t indexed_rows = 0;
    if (r->place_count) WR_TRY(jump(r, row, &indexed_rows, err));
    for (;;) {
        uint64_t offset = r->page_offset = r->next_page;
        if (offset >= r->end) {
            return wr_fail(err, WR_CORRUPT, "the column chunk ends after %llu of its %llu rows",
                           (unsigned long long)r->row, (unsigned long long)r->row_count);
        }
        wr_pq_page_header h;
        WR_TRY(wr_pq_reader_header(r, offset, &h, err));
        r->next_page = offset + h.header_bytes + h.stored_bytes;
        if (h.kind == WR_PQ_DICTIONARY_PAGE) {
            WR_TRY(note_dictionary(r, offset, &h, err));
        } else if (h.kind != WR_PQ_INDEX_PAGE && h.value_count > 0) {
            if (h.value_count > r->row_count - r->row) {
                return wr_fail(err, WR_CORRUPT, "it has %u rows, but only %llu of the row group's %llu are left",
                               h.value_count, (unsigned long long)(r->row_count - r->row),
                               (unsigned long long)r->row_count);
            }
            if (indexed_rows && h.value_count != indexed_rows) {
                return wr_fail(err, WR_CORRUPT, "it has %u rows, the offset index says %llu", h.value_count,
                               (unsigned long long)indexed_rows);
            }
            r->page = h;
            r->page_left = h.value_count;
            return WR_OK;
        }
    }
}

/* ---- opening ---- */

wr_status wr_pq_reader_payload(wr_pq_reader *r, uint64_t offset, const wr_pq_page_header *h, const uint8_t **out,
                               wr_error *err) {
    const wr_pq_dictionary *d = &r->dictionary;
    if (d->stored && offset == d->offset) {
        *out = d->stored->data + (offset + h->header_bytes - d->stored_offset);
    } else {
        WR_TRY(wr_pq_reader_bytes(r, offset + h->header_bytes, h->stored_bytes, out, err));
    }
    if (!h->has_crc) return WR_OK;
    uint32_t seen = libdeflate_crc32(0, *out, h->stored_bytes);
    if (seen == h->crc) return WR_OK;
    return wr_fail(err, WR_CORRUPT, "its CRC is %08x, its header says %08x", seen, h->crc);
}

/* The inflated values, and who owns them. Pages that are stored as they are stay where they were read. */
static wr_status inflate_page(wr_pq_reader *r, const uint8_t *stored, size_t stored_bytes, size_t plain_bytes,
                              const uint8_t **out, wr_error *err) {
    const wr_pq_page_header *h = &r->page;
    unsigned codec = h->is_compressed ? r->chunk->codec : WR_PQ_UNCOMPRESSED;
    const uint8_t *in_place = codec == WR_PQ_UNCOMPRESSED && stored_bytes == plain_bytes ? stored : NULL;
    if (codec == WR_PQ_SNAPPY) in_place = wr_snappy_stored(stored, stored_bytes, plain_bytes);
    if (in_place) {
        r->page_owner = wr_buffer_retain(r->bytes);
        *out = in_place;
        return WR_OK;
    }
    /* The rows of a window may still be in the page before. */
    wr_buffer **slot = &r->inflated[r->inflated[0] && !wr_buffer_unique(r->inflated[0])];
    WR_TRY(wr_pq_reader_recycle(r, slot, plain_bytes, err));
    WR_TRY(wr_pq_inflate(&r->context->codecs, codec, stored, stored_bytes, (*slot)->data, plain_bytes, err));
    (*slot)->size_bytes = plain_bytes;
    r->page_owner = wr_buffer_retain(*slot);
    r->context->counters->pages_inflated++;
    r->context->counters->bytes_inflated += plain_bytes;
    *out = (*slot)->data;
    return WR_OK;
}

/* Version 1: levels are in front of the values, behind their size; the old encoding has a size by itself. */
static wr_status take_levels(wr_pq_reader *r, wr_span *page, wr_error *err) {
    if (r->page.level_encoding == WR_PQ_BIT_PACKED) {
        r->level_bytes = (r->page.value_count + 7) / 8;
        r->level_bits = wr_span_take(page, r->level_bytes);
        r->level_at = 0;
        return r->level_bits ? WR_OK : wr_fail(err, WR_CORRUPT, "its levels end too soon");
    }
    uint32_t size;
    if (r->page.level_encoding != WR_PQ_RLE) {
        return wr_fail(err, WR_CORRUPT, "its levels cannot be encoded as %s",
                       wr_pq_encoding_name(r->page.level_encoding));
    }
    if (!wr_span_u32le(page, &size) || size > wr_span_left(page)) {
        return wr_fail(err, WR_CORRUPT, "its levels are larger than the page of %zu bytes", page->size);
    }
    wr_span levels = {wr_span_take(page, size), size, 0, 0};
    wr_pq_hybrid_init(&r->levels, r->context->kernels->unpack, levels, 1);
    return WR_OK;
}

static wr_status open_values(wr_pq_reader *r, wr_span values, wr_error *err) {
    const wr_pq_page_header *h = &r->page;
    const wr_pq_decoder_ops *ops = wr_pq_decoder_find(h->encoding, r->leaf->physical);
    if (!ops) {
        return wr_fail(err, WR_UNSUPPORTED, "its encoding, %s (%u), is not one for this type",
                       wr_pq_encoding_name(h->encoding), h->encoding);
    }
    if (wr_pq_page_has_codes(h) && !r->dictionary.found) {
        return wr_fail(err, WR_CORRUPT, "it has codes of a dictionary, but the column chunk has none");
    }
    wr_pq_decoder *d = &r->decoder;
    d->ops = ops;
    d->span = values;
    d->value_count = h->value_count;
    d->dictionary_count = r->dictionary.header.value_count;
    d->heap = r->heap;
    r->page_open = true;
    return ops->open(d, err);
}

wr_status wr_pq_reader_open_page(wr_pq_reader *r, wr_error *err) {
    if (r->page_open) return WR_OK;
    const wr_pq_page_header *h = &r->page;
    const uint8_t *stored, *plain;
    WR_TRY(wr_pq_reader_payload(r, r->page_offset, h, &stored, err));
    size_t levels = (size_t)h->definition_bytes + h->repetition_bytes; /* none in version 1 */
    WR_TRY(inflate_page(r, stored + levels, h->stored_bytes - levels, h->plain_bytes - levels, &plain, err));
    wr_span page = wr_span_from(plain, h->plain_bytes - levels, 0);
    r->level_bits = NULL;
    if (r->leaf->definition_max && h->kind == WR_PQ_DATA_PAGE) WR_TRY(take_levels(r, &page, err));
    if (r->leaf->definition_max && h->kind == WR_PQ_DATA_PAGE_V2) {
        /* These are never compressed; they are kept apart, as the bytes may go when more are read. */
        WR_TRY(wr_buffer_recycle(&r->level_buffer, r->context->allocator, h->definition_bytes, err));
        memcpy(r->level_buffer->data, stored + h->repetition_bytes, h->definition_bytes);
        wr_span span = wr_span_from(r->level_buffer->data, h->definition_bytes, 0);
        wr_pq_hybrid_init(&r->levels, r->context->kernels->unpack, span, 1);
    }
    wr_span values = wr_span_from(page.data + page.at, wr_span_left(&page), 0);
    return open_values(r, values, err);
}
