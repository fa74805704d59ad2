/* Single values: out of vectors, into vectors, compared and printed. Used for constants, statistics, bounds and results
 * shown to people, never in loops over rows. */
#include <math.h>

#include "base/arena.h"
#include "column/print.h"
#include "column/vector_internal.h"

/* ---- out of vectors ---- */

static wr_status read_items(const wr_vector *v, uint32_t row, wr_arena *arena, wr_value *out, wr_error *err) {
    bool is_struct = v->phys == WR_PHYS_STRUCT, is_map = v->type.id == WR_TYPE_MAP;
    const wr_vector *child = &v->children->items[0];
    wr_list_view list = is_struct ? (wr_list_view){0, v->children->count} : ((const wr_list_view *)v->data)[row];
    uint32_t count = is_map ? list.size * 2 : list.size;
    wr_value *items = arena ? WR_ARENA_ARRAY(arena, wr_value, count) : NULL;
    if (!items) return wr_fail_memory(err, count * sizeof(wr_value), "a nested value");
    for (uint32_t i = 0; i < count; i++) {
        const wr_vector *source = is_struct ? &v->children->items[i] : child;
        uint32_t at = is_struct ? row : list.offset + i;
        if (is_map) {
            at = list.offset + i / 2;
            while (source->kind != WR_FLAT) {
                at = source->kind == WR_CONSTANT ? 0 : ((const uint32_t *)source->data)[at];
                if (source->kind == WR_CONSTANT) break;
                source = wr_vector_dictionary(source);
            }
            source = &source->children->items[i % 2];
        }
        WR_TRY(wr_vector_value(source, at, arena, &items[i], err));
    }
    out->items = items;
    out->item_count = count;
    return WR_OK;
}

wr_status wr_vector_value(const wr_vector *v, uint32_t row, struct wr_arena *arena, wr_value *out, wr_error *err) {
    *out = (wr_value){.type = v->type, .is_null = true};
    for (;;) {
        if (v->kind == WR_CONSTANT) row = 0;
        if (!wr_valid(v->validity, row)) return WR_OK;
        if (v->kind != WR_DICTIONARY) break;
        row = ((const uint32_t *)v->data)[row];
        v = wr_vector_dictionary(v);
    }
    out->is_null = false;
    const void *data = v->data;
    switch (v->phys) {
    case WR_PHYS_BOOL: out->boolean = wr_bit_get(data, row); break;
    case WR_PHYS_I8: out->i64 = ((const int8_t *)data)[row]; break;
    case WR_PHYS_I16: out->i64 = ((const int16_t *)data)[row]; break;
    case WR_PHYS_I32: out->i64 = ((const int32_t *)data)[row]; break;
    case WR_PHYS_I64: out->i64 = ((const int64_t *)data)[row]; break;
    case WR_PHYS_I128: memcpy(&out->i128, (const uint8_t *)data + row * sizeof(wr_int128), sizeof(wr_int128)); break;
    case WR_PHYS_U8: out->u64 = ((const uint8_t *)data)[row]; break;
    case WR_PHYS_U16: out->u64 = ((const uint16_t *)data)[row]; break;
    case WR_PHYS_U32: out->u64 = ((const uint32_t *)data)[row]; break;
    case WR_PHYS_U64: out->u64 = ((const uint64_t *)data)[row]; break;
    case WR_PHYS_F32: out->f64 = (double)((const float *)data)[row]; break;
    case WR_PHYS_F64: out->f64 = ((const double *)data)[row]; break;
    case WR_PHYS_VIEW: out->text = wr_view_str((const wr_string_view *)data + row); break;
    case WR_PHYS_INTERVAL: out->interval = ((const wr_interval *)data)[row]; break;
    default: return read_items(v, row, arena, out, err);
    }
    return WR_OK;
}

/* ---- into vectors ---- */

static wr_status append_items(wr_vector *to, wr_allocator *a, const wr_value *value, wr_error *err) {
    bool is_map = value->type.id == WR_TYPE_MAP;
    wr_vector *child = &to->children->items[0];
    uint32_t first = child->row_count, count = is_map ? value->item_count / 2 : value->item_count;
    for (uint32_t i = 0; i < value->item_count; i++) {
        wr_vector *target = is_map ? &child->children->items[i % 2] : child;
        WR_TRY(wr_vector_append_value(target, a, &value->items[i], err));
    }
    if (is_map) WR_TRY(wr_vector_extend(child, a, count, err));
    ((wr_list_view *)wr_vector_data_mut(to))[to->row_count - 1] = (wr_list_view){first, count};
    return WR_OK;
}

static wr_status write_text(wr_vector *to, uint32_t row, wr_str text, wr_error *err) {
    const char *data = text.data;
    if (text.size > WR_STRING_INLINE) {
        char *copy;
        WR_TRY(wr_heap_alloc(to->heap, text.size, &copy, err));
        memcpy(copy, text.data, text.size);
        data = copy;
    }
    ((wr_string_view *)wr_vector_data_mut(to))[row] = wr_view_make(data, text.size);
    return WR_OK;
}

/* The row is there already. */
static wr_status write_value(wr_vector *to, wr_allocator *a, uint32_t row, const wr_value *value, wr_error *err) {
    void *data = wr_vector_data_mut(to);
    switch (to->phys) {
    case WR_PHYS_BOOL: wr_bit_put(data, row, value->boolean); break;
    case WR_PHYS_I8: ((int8_t *)data)[row] = (int8_t)value->i64; break;
    case WR_PHYS_I16: ((int16_t *)data)[row] = (int16_t)value->i64; break;
    case WR_PHYS_I32: ((int32_t *)data)[row] = (int32_t)value->i64; break;
    case WR_PHYS_I64: ((int64_t *)data)[row] = value->i64; break;
    case WR_PHYS_I128: ((wr_int128 *)data)[row] = value->i128; break;
    case WR_PHYS_U8: ((uint8_t *)data)[row] = (uint8_t)value->u64; break;
    case WR_PHYS_U16: ((uint16_t *)data)[row] = (uint16_t)value->u64; break;
    case WR_PHYS_U32: ((uint32_t *)data)[row] = (uint32_t)value->u64; break;
    case WR_PHYS_U64: ((uint64_t *)data)[row] = value->u64; break;
    case WR_PHYS_F32: ((float *)data)[row] = (float)value->f64; break;
    case WR_PHYS_F64: ((double *)data)[row] = value->f64; break;
    case WR_PHYS_VIEW: return write_text(to, row, value->text, err);
    case WR_PHYS_INTERVAL: ((wr_interval *)data)[row] = value->interval; break;
    case WR_PHYS_LIST: return append_items(to, a, value, err);
    default: break;
    }
    return WR_OK;
}

static wr_status append_null(wr_vector *to, wr_allocator *a, wr_error *err) {
    WR_TRY(wr_vector_extend(to, a, 1, err));
    WR_TRY(wr_vector_add_validity(to, a, err));
    uint32_t row = to->row_count - 1;
    wr_bit_clear(wr_vector_validity_mut(to), row);
    size_t width = wr_phys_bytes((wr_phys)to->phys);
    if (width) memset((uint8_t *)wr_vector_data_mut(to) + row * width, 0, width);
    if (to->phys == WR_PHYS_BOOL) wr_bit_clear(wr_vector_data_mut(to), row);
    for (uint32_t i = 0; to->phys == WR_PHYS_STRUCT && i < to->children->count; i++) {
        WR_TRY(append_null(&to->children->items[i], a, err));
    }
    return WR_OK;
}

wr_status wr_vector_append_value(wr_vector *to, wr_allocator *a, const wr_value *value, wr_error *err) {
    if (value->is_null) return append_null(to, a, err);
    WR_TRY(wr_vector_extend(to, a, 1, err));
    if (to->phys != WR_PHYS_STRUCT) return write_value(to, a, to->row_count - 1, value, err);
    for (uint32_t i = 0; i < to->children->count; i++) {
        WR_TRY(wr_vector_append_value(&to->children->items[i], a, &value->items[i], err));
    }
    return WR_OK;
}

wr_status wr_vector_constant(wr_vector *out, wr_allocator *a, const wr_value *value, uint32_t row_count,
                             wr_error *err) {
    WR_TRY(wr_vector_prepare(out, a, value->type, 0, false, err));
    WR_TRY(wr_vector_append_value(out, a, value, err));
    out->kind = WR_CONSTANT;
    out->row_count = row_count;
    return WR_OK;
}

/* ---- compared ---- */

static int compare_f64(double a, double b) {
    if (isnan(a) || isnan(b)) return isnan(a) - isnan(b);
    return (a > b) - (a < b);
}

/* A month counts as 30 days, a day as 24 hours. */
static wr_int128 interval_micros(wr_interval i) {
    return ((wr_int128)i.months * 30 + i.days) * 86400000000 + i.micros;
}

static int compare_item(const wr_value *a, const wr_value *b) {
    if (a->is_null || b->is_null) return a->is_null - b->is_null;
    return wr_value_compare(a, b);
}

static int compare_items(const wr_value *a, const wr_value *b) {
    uint32_t common = a->item_count < b->item_count ? a->item_count : b->item_count;
    for (uint32_t i = 0; i < common; i++) {
        int order = compare_item(&a->items[i], &b->items[i]);
        if (order) return order;
    }
    return (a->item_count > b->item_count) - (a->item_count < b->item_count);
}

int wr_value_compare(const wr_value *a, const wr_value *b) {
    switch (wr_type_phys(a->type)) {
    case WR_PHYS_BOOL: return a->boolean - b->boolean;
    case WR_PHYS_I8:
    case WR_PHYS_I16:
    case WR_PHYS_I32:
    case WR_PHYS_I64: return (a->i64 > b->i64) - (a->i64 < b->i64);
    case WR_PHYS_U8:
    case WR_PHYS_U16:
    case WR_PHYS_U32:
    case WR_PHYS_U64: return (a->u64 > b->u64) - (a->u64 < b->u64);
    case WR_PHYS_I128: return (a->i128 > b->i128) - (a->i128 < b->i128);
    case WR_PHYS_F32:
    case WR_PHYS_F64: return compare_f64(a->f64, b->f64);
    case WR_PHYS_VIEW: return wr_str_compare(a->text, b->text);
    case WR_PHYS_INTERVAL: {
        wr_int128 x = interval_micros(a->interval), y = interval_micros(b->interval);
        return (x > y) - (x < y);
    }
    default: return compare_items(a, b);
    }
}

bool wr_value_equal(const wr_value *a, const wr_value *b) {
    return wr_type_equal(a->type, b->type) && compare_item(a, b) == 0;
}

/* ---- printed ---- */

static void print_blob(wr_text *text, wr_str bytes) {
    for (uint32_t i = 0; i < bytes.size; i++) {
        uint8_t byte = (uint8_t)bytes.data[i];
        bool plain = byte >= 32 && byte < 127 && byte != '\\' && byte != '\'' && byte != '"';
        if (plain) {
            wr_text_add(text, &bytes.data[i], 1);
        } else {
            wr_text_format(text, "\\x%02X", byte);
        }
    }
}

static void print_quoted(wr_text *text, wr_str s) {
    wr_text_add(text, "'", 1);
    for (uint32_t i = 0; i < s.size; i++) {
        if (s.data[i] == '\'' || s.data[i] == '\\') wr_text_add(text, "\\", 1);
        wr_text_add(text, &s.data[i], 1);
    }
    wr_text_add(text, "'", 1);
}

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Inside a list or struct, text that could be read as something else stands in quotes. */
static bool needs_quotes(wr_str s) {
    if (s.size == 0 || is_blank(s.data[0]) || is_blank(s.data[s.size - 1])) return true;
    if (wr_str_equal_nocase(s, WR_STR("null"))) return true;
    for (uint32_t i = 0; i < s.size; i++) {
        if (s.data[i] && strchr("()[]{},\"'=:\\", s.data[i])) return true;
    }
    return false;
}

static void print_item(wr_text *text, const wr_value *item) {
    bool nested = wr_type_phys(item->type) == WR_PHYS_LIST || wr_type_phys(item->type) == WR_PHYS_STRUCT;
    if (item->is_null || nested) {
        wr_value_print(text, item);
        return;
    }
    wr_text inner;
    wr_text_init(&inner, text->allocator);
    wr_value_print(&inner, item);
    wr_str s = inner.data ? wr_text_view(&inner) : WR_STR("");
    if (inner.failed) {
        text->failed = true;
    } else if (needs_quotes(s)) {
        print_quoted(text, s);
    } else {
        wr_text_add(text, s.data, s.size);
    }
    wr_text_deinit(&inner);
}

static void print_items(wr_text *text, const wr_value *value) {
    bool is_list = value->type.id == WR_TYPE_LIST, is_map = value->type.id == WR_TYPE_MAP;
    wr_text_addz(text, is_list ? "[" : "{");
    for (uint32_t i = 0; i < value->item_count; i++) {
        bool is_map_value = is_map && i % 2;
        if (i && !is_map_value) wr_text_addz(text, ", ");
        if (is_map_value) wr_text_addz(text, "=");
        if (value->type.id == WR_TYPE_STRUCT) {
            print_quoted(text, value->type.children[i].name);
            wr_text_addz(text, ": ");
        }
        print_item(text, &value->items[i]);
    }
    wr_text_addz(text, is_list ? "]" : "}");
}

static size_t print_decimal_value(char *out, const wr_value *value) {
    bool small = value->type.precision <= WR_DECIMAL_SMALL_DIGITS;
    return wr_print_decimal(out, small ? (wr_int128)value->i64 : value->i128, value->type.scale);
}

void wr_value_print(wr_text *text, const wr_value *value) {
    char out[WR_PRINT_BYTES];
    size_t size = 0;
    if (value->is_null) {
        wr_text_addz(text, "NULL");
        return;
    }
    switch (value->type.id) {
    case WR_TYPE_BOOLEAN: wr_text_addz(text, value->boolean ? "true" : "false"); return;
    case WR_TYPE_VARCHAR: wr_text_add(text, value->text.data, value->text.size); return;
    case WR_TYPE_BLOB: print_blob(text, value->text); return;
    case WR_TYPE_LIST:
    case WR_TYPE_STRUCT:
    case WR_TYPE_MAP: print_items(text, value); return;
    case WR_TYPE_UTINYINT:
    case WR_TYPE_USMALLINT:
    case WR_TYPE_UINTEGER:
    case WR_TYPE_UBIGINT: size = wr_print_u64(out, value->u64); break;
    case WR_TYPE_HUGEINT: size = wr_print_i128(out, value->i128); break;
    case WR_TYPE_FLOAT: size = wr_print_f32(out, (float)value->f64); break;
    case WR_TYPE_DOUBLE: size = wr_print_f64(out, value->f64); break;
    case WR_TYPE_DECIMAL: size = print_decimal_value(out, value); break;
    case WR_TYPE_DATE: size = wr_print_date(out, value->i64); break;
    case WR_TYPE_TIME: size = wr_print_time(out, value->i64); break;
    case WR_TYPE_TIMESTAMP: size = wr_print_timestamp(out, value->i64, (wr_unit)value->type.unit); break;
    case WR_TYPE_TIMESTAMP_TZ:
        size = wr_print_timestamp(out, value->i64, (wr_unit)value->type.unit);
        memcpy(out + size, "+00", 3);
        size += 3;
        break;
    case WR_TYPE_INTERVAL: size = wr_print_interval(out, value->interval); break;
    case WR_TYPE_UUID: size = wr_print_uuid(out, value->i128); break;
    default: size = wr_print_i64(out, value->i64);
    }
    wr_text_add(text, out, size);
}
