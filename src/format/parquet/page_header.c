/* Headers of pages and the page indexes, from Thrift to structs. */
#include "format/parquet/metadata.h"

static void parse_data_header(wr_thrift *t, wr_pq_page_header *h) {
    wr_thrift_field f = {0};
    while (wr_thrift_next(t, &f)) {
        switch (f.id) {
        case 1: h->value_count = (uint32_t)wr_thrift_count(t, &f, INT32_MAX); break;
        case 2: h->encoding = (uint8_t)wr_thrift_count(t, &f, UINT8_MAX); break;
        case 3: h->level_encoding = (uint8_t)wr_thrift_count(t, &f, UINT8_MAX); break;
        default: wr_thrift_skip(t, &f);
        }
    }
}

static void parse_dictionary_header(wr_thrift *t, wr_pq_page_header *h) {
    wr_thrift_field f = {0};
    while (wr_thrift_next(t, &f)) {
        switch (f.id) {
        case 1: h->value_count = (uint32_t)wr_thrift_count(t, &f, INT32_MAX); break;
        case 2: h->encoding = (uint8_t)wr_thrift_count(t, &f, UINT8_MAX); break;
        default: wr_thrift_skip(t, &f);
        }
    }
}

static void parse_data_header_v2(wr_thrift *t, wr_pq_page_header *h) {
    wr_thrift_field f = {0};
    while (wr_thrift_next(t, &f)) {
        switch (f.id) {
        case 1: h->value_count = (uint32_t)wr_thrift_count(t, &f, INT32_MAX); break;
        case 2: h->null_count = (int64_t)wr_thrift_count(t, &f, INT32_MAX); break;
        case 4: h->encoding = (uint8_t)wr_thrift_count(t, &f, UINT8_MAX); break;
        case 5: h->definition_bytes = (uint32_t)wr_thrift_count(t, &f, INT32_MAX); break;
        case 6: h->repetition_bytes = (uint32_t)wr_thrift_count(t, &f, INT32_MAX); break;
        case 7: h->is_compressed = wr_thrift_bool(t, &f); break;
        default: wr_thrift_skip(t, &f);
        }
    }
}

wr_pq_parse wr_pq_page_header_parse(wr_pq_page_header *h, const uint8_t *data, size_t size, const char **failure) {
    *h = (wr_pq_page_header){.kind = UINT8_MAX, .encoding = UINT8_MAX, .is_compressed = true, .null_count = -1};
    wr_thrift t = wr_thrift_from(data, size, 0);
    wr_thrift_field f = {0};
    bool has_header = false;
    while (wr_thrift_next(&t, &f)) {
        switch (f.id) {
        case 1: h->kind = (uint8_t)wr_thrift_count(&t, &f, UINT8_MAX); break;
        case 2: h->plain_bytes = (uint32_t)wr_thrift_count(&t, &f, INT32_MAX); break;
        case 3: h->stored_bytes = (uint32_t)wr_thrift_count(&t, &f, INT32_MAX); break;
        case 4:
            h->crc = (uint32_t)wr_thrift_int(&t, &f);
            h->has_crc = true;
            break;
        case 5:
        case 7:
        case 8:
            if (!wr_thrift_enter(&t, &f)) break;
            has_header = true;
            if (f.id == 5) parse_data_header(&t, h);
            if (f.id == 7) parse_dictionary_header(&t, h);
            if (f.id == 8) parse_data_header_v2(&t, h);
            break;
        default: wr_thrift_skip(&t, &f);
        }
    }
    if (!wr_thrift_ok(&t)) {
        *failure = t.failure;
        return WR_PQ_TOO_SHORT; /* a header that claims what lies behind it looks just like a broken one */
    }
    *failure = "the page's kind is unknown";
    if (h->kind > WR_PQ_DATA_PAGE_V2) return WR_PQ_BROKEN;
    *failure = "the header of its kind is missing";
    if (h->kind != WR_PQ_INDEX_PAGE && !has_header) return WR_PQ_BROKEN;
    *failure = "its levels are larger than the page";
    uint64_t levels = (uint64_t)h->definition_bytes + h->repetition_bytes;
    if (levels > h->stored_bytes || levels > h->plain_bytes) return WR_PQ_BROKEN;
    h->header_bytes = (uint32_t)t.span.at;
    return WR_PQ_PARSED;
}

/* ---- page indexes ---- */

static void parse_place(wr_thrift *t, wr_pq_page_place *place) {
    wr_thrift_field f = {0};
    while (wr_thrift_next(t, &f)) {
        switch (f.id) {
        case 1: place->offset = wr_thrift_count(t, &f, INT64_MAX); break;
        case 2: place->stored_bytes = (uint32_t)wr_thrift_count(t, &f, INT32_MAX); break;
        case 3: place->first_row = wr_thrift_count(t, &f, INT64_MAX); break;
        default: wr_thrift_skip(t, &f);
        }
    }
}

wr_status wr_pq_offset_index_parse(wr_pq_page_place **out, uint32_t *count, wr_arena *arena, const uint8_t *data,
                                   size_t size, uint64_t position, wr_error *err) {
    wr_thrift t = wr_thrift_from(data, size, position);
    wr_thrift_field f = {0}, element;
    *out = NULL;
    *count = 0;
    while (wr_thrift_next(&t, &f)) {
        if (f.id != 1) {
            wr_thrift_skip(&t, &f);
            continue;
        }
        *count = wr_thrift_list(&t, &f, &element);
        *out = WR_ARENA_ARRAY(arena, wr_pq_page_place, *count + 1);
        if (!*out) return wr_fail_memory(err, sizeof **out * *count, "a page index");
        for (uint32_t i = 0; i < *count && wr_thrift_enter(&t, &element); i++) parse_place(&t, &(*out)[i]);
    }
    if (!wr_thrift_ok(&t)) return wr_thrift_fail(&t, "an offset index is broken", err);
    for (uint32_t i = 1; i < *count; i++) {
        if ((*out)[i].first_row < (*out)[i - 1].first_row || (*out)[i].offset <= (*out)[i - 1].offset) {
            return wr_fail(err, WR_CORRUPT, "an offset index at byte %llu does not rise", (unsigned long long)position);
        }
    }
    return WR_OK;
}

static bool make_pages(wr_pq_page_bounds **out, uint32_t *count, uint32_t seen, wr_arena *arena) {
    if (*out) return seen == *count;
    *count = seen;
    *out = WR_ARENA_ARRAY(arena, wr_pq_page_bounds, seen + 1);
    for (uint32_t i = 0; *out && i < seen; i++) (*out)[i].null_count = -1;
    return *out != NULL;
}

wr_status wr_pq_column_index_parse(wr_pq_page_bounds **out, uint32_t *count, wr_arena *arena, const uint8_t *data,
                                   size_t size, uint64_t position, wr_error *err) {
    wr_thrift t = wr_thrift_from(data, size, position);
    wr_thrift_field f = {0}, element;
    *out = NULL;
    *count = 0;
    while (wr_thrift_next(&t, &f)) {
        if (f.id != 1 && f.id != 2 && f.id != 3 && f.id != 5) {
            wr_thrift_skip(&t, &f);
            continue;
        }
        uint32_t seen = wr_thrift_list(&t, &f, &element);
        if (!wr_thrift_ok(&t)) break;
        if (!make_pages(out, count, seen, arena)) {
            return *out ? wr_fail(err, WR_CORRUPT, "a column index at byte %llu counts its pages in two ways",
                                  (unsigned long long)position)
                        : wr_fail_memory(err, sizeof **out * seen, "a page index");
        }
        for (uint32_t i = 0; i < seen && wr_thrift_ok(&t); i++) {
            wr_pq_page_bounds *page = &(*out)[i];
            if (f.id == 1) page->all_null = wr_thrift_element_bool(&t);
            if (f.id == 2) page->min = wr_thrift_binary(&t, &element);
            if (f.id == 3) page->max = wr_thrift_binary(&t, &element);
            if (f.id == 5) page->null_count = wr_thrift_int(&t, &element);
        }
    }
    return wr_thrift_ok(&t) ? WR_OK : wr_thrift_fail(&t, "a column index is broken", err);
}
