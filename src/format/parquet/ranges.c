/* Rows of a part that its page indexes leave over.
 *
 * For each filter of one column that has a zone, the column index gives bounds of every page, and the offset index the
 * rows of it. What is left is a list of ranges; when that excludes anything, the offset indexes of all other columns
 * are read too, so that they go straight to the pages they need. Where data are in no order, indexes exclude nothing:
 * after a few parts in a row they are looked at only now and then. */
#include "format/parquet/cursor.h"

enum { FRUITLESS_MAX = 4, RETRY_EVERY = 16, INDEX_BYTES_MAX = 64 << 20 };

typedef struct index_pages {
    wr_pq_page_place *places;
    wr_pq_page_bounds *bounds;
    uint32_t count;
} index_pages;

static bool is_sane(const wr_pq_cursor *c, uint64_t offset, uint32_t bytes) {
    uint64_t file_bytes = wr_object_describe(c->file->object)->size_bytes;
    return offset && bytes && bytes <= INDEX_BYTES_MAX && offset <= file_bytes && bytes <= file_bytes - offset;
}

static wr_status read_index(wr_pq_cursor *c, uint64_t offset, uint32_t bytes, const uint8_t **out, wr_error *err) {
    void *data = wr_arena_alloc(&c->arena, bytes);
    if (!data) return wr_fail_memory(err, bytes, "a page index");
    wr_range range = {offset, bytes, data};
    WR_TRY(wr_object_read(c->file->object, &range, 1, err));
    c->base.counters.bytes_read += bytes;
    *out = data;
    return WR_OK;
}

/* The places of the data pages; count is 0 when there is no usable index. */
static wr_status read_places(wr_pq_cursor *c, wr_pq_reader *r, wr_pq_page_place **out, uint32_t *count, wr_error *err) {
    *count = 0;
    const wr_pq_chunk *chunk = r->chunk;
    if (!is_sane(c, chunk->offset_index_offset, chunk->offset_index_bytes)) return WR_OK;
    const uint8_t *data = NULL;
    WR_TRY(read_index(c, chunk->offset_index_offset, chunk->offset_index_bytes, &data, err));
    wr_status status = wr_pq_offset_index_parse(out, count, &c->arena, data, chunk->offset_index_bytes,
                                                chunk->offset_index_offset, err);
    if (status == WR_OK && *count && ((*out)[0].first_row != 0 || (*out)[*count - 1].first_row >= r->row_count)) {
        status = wr_fail(err, WR_CORRUPT, "the offset index has rows outside of its row group");
    }
    return status == WR_OK ? WR_OK : wr_pq_reader_blame(r, chunk->offset_index_offset, err);
}

static wr_status read_pages(wr_pq_cursor *c, wr_pq_reader *r, index_pages *out, wr_error *err) {
    const wr_pq_chunk *chunk = r->chunk;
    *out = (index_pages){0};
    if (!is_sane(c, chunk->column_index_offset, chunk->column_index_bytes)) return WR_OK;
    uint32_t count, bounds_count;
    WR_TRY(read_places(c, r, &out->places, &count, err));
    if (!count) return WR_OK;
    const uint8_t *data = NULL;
    WR_TRY(read_index(c, chunk->column_index_offset, chunk->column_index_bytes, &data, err));
    wr_status status = wr_pq_column_index_parse(&out->bounds, &bounds_count, &c->arena, data, chunk->column_index_bytes,
                                                chunk->column_index_offset, err);
    if (status == WR_OK && bounds_count != count) {
        status = wr_fail(err, WR_CORRUPT, "the column index has %u pages, the offset index %u", bounds_count, count);
    }
    out->count = count;
    return status == WR_OK ? WR_OK : wr_pq_reader_blame(r, chunk->column_index_offset, err);
}

/* Takes rows [first, end) out of the ranges. */
static wr_status exclude(wr_pq_cursor *c, uint64_t first, uint64_t end, wr_error *err) {
    wr_pq_rows *kept = WR_ARENA_ARRAY(&c->arena, wr_pq_rows, c->range_count + 1);
    if (!kept) return wr_fail_memory(err, sizeof *kept * c->range_count, "row ranges");
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->range_count; i++) {
        wr_pq_rows range = c->ranges[i];
        if (range.first < first) kept[count++] = (wr_pq_rows){range.first, range.end < first ? range.end : first};
        if (range.end > end) kept[count++] = (wr_pq_rows){range.first > end ? range.first : end, range.end};
    }
    c->ranges = kept;
    c->range_count = count;
    return WR_OK;
}

static wr_status use_filter(wr_pq_cursor *c, wr_pq_filter *f, bool *excluded, wr_error *err) {
    const wr_scan_filter *filter = f->filter;
    uint32_t column = filter->columns[0];
    wr_pq_reader *r = &c->readers[column];
    uint32_t leaf = wr_pq_file_of(c->file)->schema.columns[c->columns[column].file_column].leaf;
    index_pages pages;
    WR_TRY(read_pages(c, r, &pages, err));
    for (uint32_t i = 0; i < pages.count;) {
        /* Neighbours that are excluded go together. */
        uint32_t end = i;
        for (; end < pages.count; end++) {
            uint64_t behind = end + 1 < pages.count ? pages.places[end + 1].first_row : r->row_count;
            wr_column_bounds bounds;
            wr_pq_page_index_bounds(wr_pq_file_of(c->file), leaf, &pages.bounds[end],
                                    behind - pages.places[end].first_row, &bounds);
            if (filter->zone(filter->user, &bounds) != WR_ZONE_NONE) break;
        }
        if (end > i) {
            WR_TRY(exclude(c, pages.places[i].first_row, end < pages.count ? pages.places[end].first_row : r->row_count,
                           err));
            *excluded = true;
        }
        i = end + 1;
    }
    return WR_OK;
}

wr_status wr_pq_cursor_use_indexes(wr_pq_cursor *c, wr_error *err) {
    bool excluded = false;
    if (c->fruitless_indexes >= FRUITLESS_MAX && c->part % RETRY_EVERY) return WR_OK;
    uint32_t tried = 0;
    for (uint32_t i = 0; i < c->filter_count; i++) {
        wr_pq_filter *f = &c->filters[i];
        const wr_scan_filter *filter = f->filter;
        if (f->settled || !filter->zone || filter->column_count != 1) continue;
        if (filter->active && !filter->active(filter->user)) continue;
        WR_TRY(use_filter(c, f, &excluded, err));
        tried++;
    }
    if (!excluded) {
        c->fruitless_indexes += tried > 0;
        return WR_OK;
    }
    c->fruitless_indexes = 0;
    for (uint32_t i = 0; i < c->column_count && c->range_count; i++) {
        wr_pq_page_place *places;
        WR_TRY(read_places(c, &c->readers[i], &places, &c->readers[i].place_count, err));
        c->readers[i].places = places;
        c->readers[i].sparse = c->readers[i].place_count > 0;
    }
    return WR_OK;
}
