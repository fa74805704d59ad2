/* The footer of a file, from Thrift to structs. Field numbers are those of parquet.thrift. */
#include "format/parquet/metadata.h"

#include "column/type.h"

enum {
    ELEMENTS_MAX = 1 << 20,
    ROW_GROUPS_MAX = 1 << 24,
    FIXED_BYTES_MAX = 1 << 30,
};

/* ---- schema ---- */

typedef enum converted {
    CONVERTED_UTF8,
    CONVERTED_MAP,
    CONVERTED_MAP_KEY_VALUE,
    CONVERTED_LIST,
    CONVERTED_ENUM,
    CONVERTED_DECIMAL,
    CONVERTED_DATE,
    CONVERTED_TIME_MILLIS,
    CONVERTED_TIME_MICROS,
    CONVERTED_TIMESTAMP_MILLIS,
    CONVERTED_TIMESTAMP_MICROS,
    CONVERTED_UINT_8,
    CONVERTED_UINT_16,
    CONVERTED_UINT_32,
    CONVERTED_UINT_64,
    CONVERTED_INT_8,
    CONVERTED_INT_16,
    CONVERTED_INT_32,
    CONVERTED_INT_64,
    CONVERTED_JSON,
    CONVERTED_BSON,
    CONVERTED_INTERVAL,
    CONVERTED_COUNT
} converted;

/* The older annotation, where there is no newer one. It does not say whether times are instants; as other readers do,
 * we take them as they stand on the clock. */
static void apply_converted(wr_pq_element *e, int64_t kind) {
    static const struct {
        uint8_t logical, unit, bits;
        bool is_signed;
    } table[CONVERTED_COUNT] = {
        [CONVERTED_UTF8] = {.logical = WR_PQ_STRING},
        [CONVERTED_MAP] = {.logical = WR_PQ_MAP},
        [CONVERTED_MAP_KEY_VALUE] = {.logical = WR_PQ_MAP},
        [CONVERTED_LIST] = {.logical = WR_PQ_LIST},
        [CONVERTED_ENUM] = {.logical = WR_PQ_ENUM},
        [CONVERTED_DECIMAL] = {.logical = WR_PQ_DECIMAL},
        [CONVERTED_DATE] = {.logical = WR_PQ_DATE},
        [CONVERTED_TIME_MILLIS] = {.logical = WR_PQ_TIME, .unit = WR_UNIT_MS},
        [CONVERTED_TIME_MICROS] = {.logical = WR_PQ_TIME, .unit = WR_UNIT_US},
        [CONVERTED_TIMESTAMP_MILLIS] = {.logical = WR_PQ_TIMESTAMP, .unit = WR_UNIT_MS},
        [CONVERTED_TIMESTAMP_MICROS] = {.logical = WR_PQ_TIMESTAMP, .unit = WR_UNIT_US},
        [CONVERTED_UINT_8] = {.logical = WR_PQ_INTEGER, .bits = 8},
        [CONVERTED_UINT_16] = {.logical = WR_PQ_INTEGER, .bits = 16},
        [CONVERTED_UINT_32] = {.logical = WR_PQ_INTEGER, .bits = 32},
        [CONVERTED_UINT_64] = {.logical = WR_PQ_INTEGER, .bits = 64},
        [CONVERTED_INT_8] = {.logical = WR_PQ_INTEGER, .bits = 8, .is_signed = true},
        [CONVERTED_INT_16] = {.logical = WR_PQ_INTEGER, .bits = 16, .is_signed = true},
        [CONVERTED_INT_32] = {.logical = WR_PQ_INTEGER, .bits = 32, .is_signed = true},
        [CONVERTED_INT_64] = {.logical = WR_PQ_INTEGER, .bits = 64, .is_signed = true},
        [CONVERTED_JSON] = {.logical = WR_PQ_JSON},
        [CONVERTED_BSON] = {.logical = WR_PQ_BSON},
        [CONVERTED_INTERVAL] = {.logical = WR_PQ_INTERVAL},
    };
    if (kind < 0 || kind >= CONVERTED_COUNT) return;
    e->logical = table[kind].logical;
    e->unit = table[kind].unit;
    e->bits = table[kind].bits;
    e->is_signed = table[kind].is_signed;
}

static void parse_decimal(wr_thrift *t, wr_pq_element *e) {
    wr_thrift_field f = {0};
    while (wr_thrift_next(t, &f)) {
        switch (f.id) {
        case 1: e->scale = (uint32_t)wr_thrift_count(t, &f, INT32_MAX); break;
        case 2: e->precision = (uint32_t)wr_thrift_count(t, &f, INT32_MAX); break;
        default: wr_thrift_skip(t, &f);
        }
    }
}

static void parse_unit(wr_thrift *t, wr_pq_element *e) {
    wr_thrift_field f = {0};
    while (wr_thrift_next(t, &f)) {
        if (f.id >= 1 && f.id <= 3) e->unit = (uint8_t)(WR_UNIT_MS + f.id - 1);
        wr_thrift_skip(t, &f);
    }
}

static void parse_time(wr_thrift *t, wr_pq_element *e) {
    wr_thrift_field f = {0};
    while (wr_thrift_next(t, &f)) {
        if (f.id == 1) {
            e->is_utc = wr_thrift_bool(t, &f);
        } else if (f.id == 2 && wr_thrift_enter(t, &f)) {
            parse_unit(t, e);
        } else {
            wr_thrift_skip(t, &f);
        }
    }
}

static void parse_integer(wr_thrift *t, wr_pq_element *e) {
    wr_thrift_field f = {0};
    while (wr_thrift_next(t, &f)) {
        switch (f.id) {
        case 1: e->bits = (uint8_t)wr_thrift_count(t, &f, 64); break;
        case 2: e->is_signed = wr_thrift_bool(t, &f); break;
        default: wr_thrift_skip(t, &f);
        }
    }
}

/* A union: the one field that is there names the annotation. */
static void parse_logical(wr_thrift *t, wr_pq_element *e) {
    static const uint8_t by_field[] = {
        [1] = WR_PQ_STRING, [2] = WR_PQ_MAP,   [3] = WR_PQ_LIST,      [4] = WR_PQ_ENUM,     [5] = WR_PQ_DECIMAL,
        [6] = WR_PQ_DATE,   [7] = WR_PQ_TIME,  [8] = WR_PQ_TIMESTAMP, [10] = WR_PQ_INTEGER, [11] = WR_PQ_NULL,
        [12] = WR_PQ_JSON,  [13] = WR_PQ_BSON, [14] = WR_PQ_UUID,     [15] = WR_PQ_FLOAT16,
    };
    wr_thrift_field f = {0};
    while (wr_thrift_next(t, &f)) {
        bool known = f.id > 0 && (size_t)f.id < sizeof by_field && by_field[f.id];
        e->logical = known ? by_field[f.id] : WR_PQ_OTHER;
        if (e->logical == WR_PQ_DECIMAL && wr_thrift_enter(t, &f)) {
            parse_decimal(t, e);
        } else if ((e->logical == WR_PQ_TIME || e->logical == WR_PQ_TIMESTAMP) && wr_thrift_enter(t, &f)) {
            parse_time(t, e);
        } else if (e->logical == WR_PQ_INTEGER && wr_thrift_enter(t, &f)) {
            parse_integer(t, e);
        } else {
            wr_thrift_skip(t, &f);
        }
    }
}

static void parse_element(wr_thrift *t, wr_pq_element *e) {
    *e = (wr_pq_element){.physical = WR_PQ_GROUP};
    int64_t old = -1;
    wr_pq_element logical = {0};
    wr_thrift_field f = {0};
    while (wr_thrift_next(t, &f)) {
        switch (f.id) {
        case 1: e->physical = (uint8_t)wr_thrift_count(t, &f, WR_PQ_PHYSICALS - 1); break;
        case 2: e->fixed_bytes = (uint32_t)wr_thrift_count(t, &f, FIXED_BYTES_MAX); break;
        case 3: e->repetition = (uint8_t)wr_thrift_count(t, &f, WR_PQ_REPEATED); break;
        case 4: e->name = wr_thrift_binary(t, &f); break;
        case 5: e->child_count = (uint32_t)wr_thrift_count(t, &f, ELEMENTS_MAX); break;
        case 6: old = wr_thrift_int(t, &f); break;
        case 7: e->scale = (uint32_t)wr_thrift_count(t, &f, INT32_MAX); break;
        case 8: e->precision = (uint32_t)wr_thrift_count(t, &f, INT32_MAX); break;
        case 10:
            if (wr_thrift_enter(t, &f)) parse_logical(t, &logical);
            break;
        default: wr_thrift_skip(t, &f);
        }
    }
    if (logical.logical == WR_PQ_NO_LOGICAL || (logical.logical == WR_PQ_OTHER && old >= 0)) {
        apply_converted(e, old);
        return;
    }
    e->logical = logical.logical;
    e->unit = logical.unit;
    e->bits = logical.bits;
    e->is_signed = logical.is_signed;
    e->is_utc = logical.is_utc;
    if (logical.logical == WR_PQ_DECIMAL) {
        e->precision = logical.precision;
        e->scale = logical.scale;
    }
}

/* ---- statistics ---- */

static void parse_statistics(wr_thrift *t, wr_pq_statistics *s) {
    wr_str old_min = {0}, old_max = {0};
    wr_thrift_field f = {0};
    while (wr_thrift_next(t, &f)) {
        switch (f.id) {
        case 1: old_max = wr_thrift_binary(t, &f); break;
        case 2: old_min = wr_thrift_binary(t, &f); break;
        case 3: s->null_count = wr_thrift_int(t, &f); break;
        case 4: s->distinct_count = wr_thrift_int(t, &f); break;
        case 5: s->max = wr_thrift_binary(t, &f); break;
        case 6: s->min = wr_thrift_binary(t, &f); break;
        case 7: s->max_exact = wr_thrift_bool(t, &f); break;
        case 8: s->min_exact = wr_thrift_bool(t, &f); break;
        case 9: s->nan_count = wr_thrift_int(t, &f); break;
        default: wr_thrift_skip(t, &f);
        }
    }
    if (!s->min.data || !s->max.data) {
        s->legacy = true;
        s->min = old_min;
        s->max = old_max;
    }
}

/* ---- column chunks ---- */

static bool is_dictionary(int64_t encoding) {
    return encoding == WR_PQ_PLAIN_DICTIONARY || encoding == WR_PQ_RLE_DICTIONARY;
}

/* Which encodings the data pages have: true when all have a dictionary's. */
static bool parse_encoding_stats(wr_thrift *t, const wr_thrift_field *list) {
    wr_thrift_field element;
    bool all = true;
    for (uint32_t left = wr_thrift_list(t, list, &element); left && wr_thrift_ok(t); left--) {
        int64_t kind = -1, encoding = -1, count = 0;
        wr_thrift_field f = {0};
        if (!wr_thrift_enter(t, &element)) break;
        while (wr_thrift_next(t, &f)) {
            switch (f.id) {
            case 1: kind = wr_thrift_int(t, &f); break;
            case 2: encoding = wr_thrift_int(t, &f); break;
            case 3: count = wr_thrift_int(t, &f); break;
            default: wr_thrift_skip(t, &f);
            }
        }
        bool is_data = kind == WR_PQ_DATA_PAGE || kind == WR_PQ_DATA_PAGE_V2;
        if (is_data && count > 0 && !is_dictionary(encoding)) all = false;
    }
    return all;
}

static void parse_column_metadata(wr_thrift *t, wr_pq_chunk *c) {
    wr_thrift_field f = {0};
    uint64_t data_offset = 0, dictionary_offset = 0;
    while (wr_thrift_next(t, &f)) {
        switch (f.id) {
        case 1: c->physical = (uint8_t)wr_thrift_count(t, &f, WR_PQ_PHYSICALS - 1); break;
        case 4: c->codec = (uint8_t)wr_thrift_count(t, &f, UINT8_MAX); break;
        case 5: c->value_count = wr_thrift_count(t, &f, INT64_MAX); break;
        case 7: c->stored_bytes = wr_thrift_count(t, &f, INT64_MAX); break;
        case 9: data_offset = wr_thrift_count(t, &f, INT64_MAX); break;
        case 11: dictionary_offset = wr_thrift_count(t, &f, INT64_MAX); break;
        case 12:
            if (wr_thrift_enter(t, &f)) parse_statistics(t, &c->statistics);
            break;
        case 13: c->all_dictionary = parse_encoding_stats(t, &f); break;
        default: wr_thrift_skip(t, &f);
        }
    }
    /* Some writers put a zero, or leave the dictionary to be found in front of the data. */
    c->dictionary_offset = dictionary_offset && dictionary_offset < data_offset ? dictionary_offset : 0;
    c->first_byte = c->dictionary_offset ? c->dictionary_offset : data_offset;
}

static void parse_chunk(wr_thrift *t, wr_pq_chunk *c) {
    *c =
        (wr_pq_chunk){.physical = WR_PQ_GROUP, .statistics = {.null_count = -1, .distinct_count = -1, .nan_count = -1}};
    wr_thrift_field f = {0};
    while (wr_thrift_next(t, &f)) {
        switch (f.id) {
        case 1: c->elsewhere = wr_thrift_binary(t, &f).size > 0; break;
        case 3:
            if (wr_thrift_enter(t, &f)) parse_column_metadata(t, c);
            break;
        case 4: c->offset_index_offset = wr_thrift_count(t, &f, INT64_MAX); break;
        case 5: c->offset_index_bytes = (uint32_t)wr_thrift_count(t, &f, INT32_MAX); break;
        case 6: c->column_index_offset = wr_thrift_count(t, &f, INT64_MAX); break;
        case 7: c->column_index_bytes = (uint32_t)wr_thrift_count(t, &f, INT32_MAX); break;
        case 8:
        case 9:
            c->encrypted = true;
            wr_thrift_skip(t, &f);
            break;
        default: wr_thrift_skip(t, &f);
        }
    }
}

static wr_status parse_row_group(wr_thrift *t, wr_pq_footer *out, wr_pq_row_group *group, wr_arena *arena,
                                 wr_error *err) {
    wr_thrift_field f = {0}, element;
    uint32_t count = 0;
    while (wr_thrift_next(t, &f)) {
        switch (f.id) {
        case 1:
            count = wr_thrift_list(t, &f, &element);
            if (wr_thrift_ok(t) && count != out->leaf_count) {
                return wr_fail(err, WR_CORRUPT, "a row group has %u columns, the schema has %u", count,
                               out->leaf_count);
            }
            group->chunks = WR_ARENA_ARRAY(arena, wr_pq_chunk, count + 1);
            if (!group->chunks) return wr_fail_memory(err, sizeof(wr_pq_chunk) * count, "the footer");
            for (uint32_t i = 0; i < count && wr_thrift_enter(t, &element); i++) parse_chunk(t, &group->chunks[i]);
            break;
        case 3: group->row_count = wr_thrift_count(t, &f, INT64_MAX); break;
        default: wr_thrift_skip(t, &f);
        }
    }
    if (wr_thrift_ok(t) && count != out->leaf_count) return wr_fail(err, WR_CORRUPT, "a row group names no columns");
    return WR_OK;
}

/* ---- the footer ---- */

static wr_status parse_schema(wr_thrift *t, const wr_thrift_field *f, wr_pq_footer *out, wr_arena *arena,
                              wr_error *err) {
    wr_thrift_field element;
    uint32_t count = wr_thrift_list(t, f, &element);
    if (!wr_thrift_ok(t)) return WR_OK; /* told at the end */
    if (count == 0 || count > ELEMENTS_MAX) return wr_fail(err, WR_CORRUPT, "the schema has %u elements", count);
    out->elements = WR_ARENA_ARRAY(arena, wr_pq_element, count);
    if (!out->elements) return wr_fail_memory(err, sizeof(wr_pq_element) * count, "the footer");
    out->element_count = count;
    for (uint32_t i = 0; i < count && wr_thrift_enter(t, &element); i++) {
        parse_element(t, &out->elements[i]);
        bool is_group = out->elements[i].physical == WR_PQ_GROUP;
        out->leaf_count += i > 0 && !is_group;
        if (!wr_thrift_ok(t)) break;
        if (!is_group && out->elements[i].child_count)
            return wr_fail(err, WR_CORRUPT, "a column of the schema has children");
    }
    return WR_OK;
}

static wr_status parse_row_groups(wr_thrift *t, const wr_thrift_field *f, wr_pq_footer *out, wr_arena *arena,
                                  wr_error *err) {
    wr_thrift_field element;
    uint32_t count = wr_thrift_list(t, f, &element);
    if (!wr_thrift_ok(t)) return WR_OK;
    if (!out->elements) return wr_fail(err, WR_CORRUPT, "the footer has row groups before its schema");
    if (count > ROW_GROUPS_MAX) return wr_fail(err, WR_CORRUPT, "the footer has %u row groups", count);
    out->row_groups = WR_ARENA_ARRAY(arena, wr_pq_row_group, count + 1);
    if (!out->row_groups) return wr_fail_memory(err, sizeof(wr_pq_row_group) * count, "the footer");
    out->row_group_count = count;
    for (uint32_t i = 0; i < count && wr_thrift_enter(t, &element); i++) {
        WR_TRY(parse_row_group(t, out, &out->row_groups[i], arena, err));
    }
    return WR_OK;
}

static wr_status parse_orders(wr_thrift *t, const wr_thrift_field *list, wr_pq_footer *out, wr_arena *arena,
                              wr_error *err) {
    wr_thrift_field element;
    uint32_t count = wr_thrift_list(t, list, &element);
    if (!wr_thrift_ok(t)) return WR_OK;
    out->leaf_orders = WR_ARENA_ARRAY(arena, uint8_t, out->leaf_count + 1);
    if (!out->leaf_orders) return wr_fail_memory(err, out->leaf_count, "the footer");
    for (uint32_t i = 0; i < count && wr_thrift_enter(t, &element); i++) {
        wr_thrift_field f = {0};
        while (wr_thrift_next(t, &f)) {
            if (i < out->leaf_count) {
                out->leaf_orders[i] = f.id == 1   ? WR_PQ_ORDER_TYPE
                                      : f.id == 2 ? WR_PQ_ORDER_IEEE_TOTAL
                                                  : WR_PQ_ORDER_UNKNOWN;
            }
            wr_thrift_skip(t, &f);
        }
    }
    return WR_OK;
}

/* parquet-mr before 1.2.9 left the dictionary's header out of a chunk's size. */
static bool forgets_headers(wr_str created_by) {
    static const wr_str name = {"parquet-mr", 10}, version = {"parquet-mr version 1.", 21};
    if (created_by.size < name.size || memcmp(created_by.data, name.data, name.size) != 0) return false;
    if (created_by.size == name.size) return true;
    if (created_by.size < version.size + 3 || memcmp(created_by.data, version.data, version.size) != 0) return false;
    const char *minor = created_by.data + version.size;
    return minor[1] == '.' &&
           (minor[0] < '2' || (minor[0] == '2' && minor[2] < '9' &&
                               !(created_by.size > version.size + 3 && minor[3] >= '0' && minor[3] <= '9')));
}

static wr_status parse_fields(wr_thrift *t, wr_pq_footer *out, wr_arena *arena, wr_error *err) {
    wr_thrift_field f = {0};
    while (wr_thrift_next(t, &f)) {
        switch (f.id) {
        case 2: WR_TRY(parse_schema(t, &f, out, arena, err)); break;
        case 3: out->row_count = wr_thrift_count(t, &f, INT64_MAX); break;
        case 4: WR_TRY(parse_row_groups(t, &f, out, arena, err)); break;
        case 6: out->created_by = wr_thrift_binary(t, &f); break;
        case 7: WR_TRY(parse_orders(t, &f, out, arena, err)); break;
        case 8:
            out->encrypted = true;
            wr_thrift_skip(t, &f);
            break;
        default: wr_thrift_skip(t, &f);
        }
    }
    if (!wr_thrift_ok(t)) return wr_thrift_fail(t, "the footer is broken", err);
    return WR_OK;
}

wr_status wr_pq_footer_parse(wr_pq_footer *out, wr_arena *arena, const uint8_t *data, size_t size, uint64_t position,
                             wr_error *err) {
    *out = (wr_pq_footer){0};
    wr_thrift t = wr_thrift_from(data, size, position);
    wr_status status = parse_fields(&t, out, arena, err);
    if (status == WR_OK && !out->elements) status = wr_fail(err, WR_CORRUPT, "the footer has no schema");
    if (status == WR_CORRUPT && err && wr_thrift_ok(&t)) {
        wr_error_prefix(err, "before byte %llu: ", (unsigned long long)(position + t.span.at));
    }
    out->forgets_headers = forgets_headers(out->created_by);
    return status;
}
