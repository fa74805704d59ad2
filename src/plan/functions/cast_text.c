/* Casts from text and to text. */
#include "column/parse.h"
#include "column/print.h"
#include "plan/functions/cast_internal.h"
#include "plan/functions/text_out.h"
#include "plan/time_zone.h"

/* ---- from text ---- */

/* One bit a row; the failed ones get a zero value. */
#define EACH_TEXT(body)                                                                                                \
    do {                                                                                                               \
        const wr_string_view *views = in->data;                                                                        \
        wr_bitmap_fill(c->failed, c->row_count, false);                                                                \
        for (uint32_t i = 0; i < c->row_count; i++) {                                                                  \
            if (!wr_valid(in->validity, i)) continue;                                                                  \
            wr_str text = wr_view_str(&views[i]);                                                                      \
            if (!(body)) {                                                                                             \
                wr_bit_set(c->failed, i);                                                                              \
                *failed = true;                                                                                        \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

static wr_status prepare_cleared(wr_call_context *c, wr_vector *result) {
    WR_TRY(wr_call_prepare(c, result));
    size_t width = wr_phys_bytes((wr_phys)result->phys);
    memset(wr_vector_data_mut(result), 0, width ? width * c->row_count : wr_bitmap_bytes(c->row_count));
    return WR_OK;
}

/* The integer as the type stores it; false when it does not fit. */
static bool store_integer(void *out, wr_phys phys, uint32_t row, wr_int128 value) {
    switch (phys) {
    case WR_PHYS_I8: return ((int8_t *)out)[row] = (int8_t)value, value == (int8_t)value;
    case WR_PHYS_I16: return ((int16_t *)out)[row] = (int16_t)value, value == (int16_t)value;
    case WR_PHYS_I32: return ((int32_t *)out)[row] = (int32_t)value, value == (int32_t)value;
    case WR_PHYS_I64: return ((int64_t *)out)[row] = (int64_t)value, value == (int64_t)value;
    case WR_PHYS_U8: return ((uint8_t *)out)[row] = (uint8_t)value, value == (uint8_t)value;
    case WR_PHYS_U16: return ((uint16_t *)out)[row] = (uint16_t)value, value == (uint16_t)value;
    case WR_PHYS_U32: return ((uint32_t *)out)[row] = (uint32_t)value, value == (uint32_t)value;
    case WR_PHYS_U64: return ((uint64_t *)out)[row] = (uint64_t)value, value == (wr_int128)(uint64_t)value;
    default: return ((wr_int128 *)out)[row] = value, true;
    }
}

static wr_status text_to_integer(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    WR_TRY(prepare_cleared(c, result));
    void *out = wr_vector_data_mut(result);
    wr_phys phys = (wr_phys)result->phys;
    wr_int128 value;
    EACH_TEXT(wr_parse_integer(text, &value) && store_integer(out, phys, i, value));
    return WR_OK;
}

static wr_status text_to_decimal(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    WR_TRY(prepare_cleared(c, result));
    void *out = wr_vector_data_mut(result);
    wr_phys phys = (wr_phys)result->phys;
    wr_int128 value;
    EACH_TEXT(wr_parse_decimal(text, c->result.precision, c->result.scale, &value) &&
              store_integer(out, phys, i, value));
    return WR_OK;
}

static wr_status text_to_float(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    WR_TRY(prepare_cleared(c, result));
    void *out = wr_vector_data_mut(result);
    if (result->phys == WR_PHYS_F64) {
        EACH_TEXT(wr_parse_f64(text, (double *)out + i));
    } else {
        EACH_TEXT(wr_parse_f32(text, (float *)out + i));
    }
    return WR_OK;
}

static bool put_bool(uint64_t *out, uint32_t row, wr_str text) {
    bool value;
    if (!wr_parse_bool(text, &value)) return false;
    wr_bit_put(out, row, value);
    return true;
}

static wr_status text_to_boolean(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    WR_TRY(prepare_cleared(c, result));
    uint64_t *out = wr_vector_data_mut(result);
    EACH_TEXT(put_bool(out, i, text));
    return WR_OK;
}

static wr_status text_to_date(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    WR_TRY(prepare_cleared(c, result));
    int32_t *out = wr_vector_data_mut(result);
    EACH_TEXT(wr_parse_date(text, &out[i]));
    return WR_OK;
}

static wr_status text_to_time(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    WR_TRY(prepare_cleared(c, result));
    int64_t *out = wr_vector_data_mut(result);
    EACH_TEXT(wr_parse_time(text, &out[i]));
    return WR_OK;
}

/* Without a zone the offset in the text is only read past; with one, text that names none means the query's. */
static bool put_timestamp(const wr_call_context *c, wr_str text, int64_t *out) {
    wr_parsed_timestamp parsed;
    if (!wr_parse_timestamp(text, &parsed)) return false;
    bool zoned = c->result.id == WR_TYPE_TIMESTAMP_TZ;
    if (parsed.zone.size && !wr_str_equal_nocase(parsed.zone, WR_STR("UTC"))) {
        const wr_time_zone *zone = zoned ? wr_time_zone_find(c->time_zone, parsed.zone) : NULL;
        if (!zone) return false;
        parsed.offset_seconds = wr_time_zone_offset_of_local(zone, parsed.days * 86400 + parsed.nanos / 1000000000);
    } else if (zoned && !parsed.has_offset && !parsed.zone.size && c->time_zone) {
        parsed.offset_seconds =
            wr_time_zone_offset_of_local(c->time_zone, parsed.days * 86400 + parsed.nanos / 1000000000);
    }
    return wr_timestamp_from_parsed(&parsed, (wr_unit)c->result.unit, zoned, out);
}

static wr_status text_to_timestamp(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    WR_TRY(prepare_cleared(c, result));
    int64_t *out = wr_vector_data_mut(result);
    EACH_TEXT(put_timestamp(c, text, &out[i]));
    return WR_OK;
}

static wr_status text_to_interval(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    WR_TRY(prepare_cleared(c, result));
    wr_interval *out = wr_vector_data_mut(result);
    EACH_TEXT(wr_parse_interval(text, &out[i]));
    return WR_OK;
}

static wr_status text_to_uuid(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    WR_TRY(prepare_cleared(c, result));
    wr_int128 *out = wr_vector_data_mut(result);
    EACH_TEXT(wr_parse_uuid(text, &out[i]));
    return WR_OK;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* \x41 stands for a byte, ASCII for itself; -1 where there is something else. */
static int64_t unescape(wr_str text, char *out) {
    char *to = out;
    for (uint32_t i = 0; i < text.size; i++) {
        char ch = text.data[i];
        if (ch == '\\') {
            if (i + 3 >= text.size || text.data[i + 1] != 'x') return -1;
            int high = hex_digit(text.data[i + 2]), low = hex_digit(text.data[i + 3]);
            if (high < 0 || low < 0) return -1;
            ch = (char)(high << 4 | low);
            i += 3;
        } else if ((uint8_t)ch >= 0x80) {
            return -1;
        }
        *to++ = ch;
    }
    return to - out;
}

static wr_status text_to_blob(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    wr_text_out out;
    WR_TRY(wr_text_out_begin(c, result, false, &out));
    const wr_string_view *views = in->data;
    wr_bitmap_fill(c->failed, c->row_count, false);
    for (uint32_t i = 0; i < c->row_count; i++) {
        if (!wr_valid(in->validity, i)) continue;
        WR_TRY(wr_text_out_room(&out, views[i].size));
        int64_t size = unescape(wr_view_str(&views[i]), out.at);
        if (size >= 0) {
            wr_text_out_row(&out, i, (uint32_t)size);
        } else {
            wr_bit_set(c->failed, i);
            *failed = true;
        }
    }
    return WR_OK;
}

/* ---- to text ---- */

#define EACH_PRINTED(print)                                                                                            \
    do {                                                                                                               \
        wr_text_out out;                                                                                               \
        WR_TRY(wr_text_out_begin(c, result, false, &out));                                                             \
        for (uint32_t i = 0; i < c->row_count; i++) {                                                                  \
            if (!wr_valid(in->validity, i)) continue;                                                                  \
            WR_TRY(wr_text_out_room(&out, WR_PRINT_BYTES));                                                            \
            wr_text_out_row(&out, i, (uint32_t)(print));                                                               \
        }                                                                                                              \
    } while (0)

static wr_status integer_to_text(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    (void)failed;
    const void *a = in->data;
    switch (in->phys) {
    case WR_PHYS_I8: EACH_PRINTED(wr_print_i64(out.at, ((const int8_t *)a)[i])); break;
    case WR_PHYS_I16: EACH_PRINTED(wr_print_i64(out.at, ((const int16_t *)a)[i])); break;
    case WR_PHYS_I32: EACH_PRINTED(wr_print_i64(out.at, ((const int32_t *)a)[i])); break;
    case WR_PHYS_I64: EACH_PRINTED(wr_print_i64(out.at, ((const int64_t *)a)[i])); break;
    case WR_PHYS_U8: EACH_PRINTED(wr_print_u64(out.at, ((const uint8_t *)a)[i])); break;
    case WR_PHYS_U16: EACH_PRINTED(wr_print_u64(out.at, ((const uint16_t *)a)[i])); break;
    case WR_PHYS_U32: EACH_PRINTED(wr_print_u64(out.at, ((const uint32_t *)a)[i])); break;
    case WR_PHYS_U64: EACH_PRINTED(wr_print_u64(out.at, ((const uint64_t *)a)[i])); break;
    default: EACH_PRINTED(wr_print_i128(out.at, ((const wr_int128 *)a)[i])); break;
    }
    return WR_OK;
}

static wr_status float_to_text(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    (void)failed;
    if (in->phys == WR_PHYS_F64) {
        EACH_PRINTED(wr_print_f64(out.at, ((const double *)in->data)[i]));
    } else {
        EACH_PRINTED(wr_print_f32(out.at, ((const float *)in->data)[i]));
    }
    return WR_OK;
}

static wr_status decimal_to_text(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    (void)failed;
    if (in->phys == WR_PHYS_I64) {
        EACH_PRINTED(wr_print_decimal(out.at, ((const int64_t *)in->data)[i], in->type.scale));
    } else {
        EACH_PRINTED(wr_print_decimal(out.at, ((const wr_int128 *)in->data)[i], in->type.scale));
    }
    return WR_OK;
}

static wr_status boolean_to_text(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    (void)failed;
    wr_text_out out;
    WR_TRY(wr_text_out_begin(c, result, false, &out));
    for (uint32_t i = 0; i < c->row_count; i++) {
        out.views[i] = wr_bit_get(in->data, i) ? wr_view_make("true", 4) : wr_view_make("false", 5);
    }
    return WR_OK;
}

static wr_status time_to_text(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    (void)failed;
    const void *a = in->data;
    wr_unit unit = (wr_unit)in->type.unit;
    switch ((wr_type_id)in->type.id) {
    case WR_TYPE_DATE: EACH_PRINTED(wr_print_date(out.at, ((const int32_t *)a)[i])); break;
    case WR_TYPE_TIME: EACH_PRINTED(wr_print_time(out.at, ((const int64_t *)a)[i])); break;
    case WR_TYPE_TIMESTAMP: EACH_PRINTED(wr_print_timestamp(out.at, ((const int64_t *)a)[i], unit)); break;
    case WR_TYPE_TIMESTAMP_TZ: EACH_PRINTED(wr_print_zoned(out.at, ((const int64_t *)a)[i], unit, c->time_zone)); break;
    case WR_TYPE_INTERVAL: EACH_PRINTED(wr_print_interval(out.at, ((const wr_interval *)a)[i])); break;
    default: EACH_PRINTED(wr_print_uuid(out.at, ((const wr_int128 *)a)[i])); break;
    }
    return WR_OK;
}

/* What prints through a single value: blobs and nested types. */
static wr_status value_to_text(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    (void)failed;
    wr_text_out out;
    WR_TRY(wr_text_out_begin(c, result, false, &out));
    wr_text printed;
    wr_text_init(&printed, c->allocator);
    wr_status status = WR_OK;
    for (uint32_t i = 0; i < c->row_count && status == WR_OK; i++) {
        if (!wr_valid(in->validity, i)) continue;
        wr_arena arena;
        wr_arena_init(&arena, c->allocator);
        wr_value value;
        status = wr_vector_value(in, i, &arena, &value, c->err);
        wr_text_clear(&printed);
        if (status == WR_OK) wr_value_print(&printed, &value);
        if (status == WR_OK && printed.failed) status = wr_fail_memory(c->err, printed.size, "a cast to text");
        if (status == WR_OK && printed.size) status = wr_text_out_copy(&out, i, wr_text_view(&printed));
        wr_arena_deinit(&arena);
    }
    wr_text_deinit(&printed);
    return status;
}

static wr_cast_loop from_text(wr_type to) {
    switch ((wr_type_id)to.id) {
    case WR_TYPE_BOOLEAN: return text_to_boolean;
    case WR_TYPE_DECIMAL: return text_to_decimal;
    case WR_TYPE_FLOAT:
    case WR_TYPE_DOUBLE: return text_to_float;
    case WR_TYPE_DATE: return text_to_date;
    case WR_TYPE_TIME: return text_to_time;
    case WR_TYPE_TIMESTAMP:
    case WR_TYPE_TIMESTAMP_TZ: return text_to_timestamp;
    case WR_TYPE_INTERVAL: return text_to_interval;
    case WR_TYPE_UUID: return text_to_uuid;
    case WR_TYPE_BLOB: return text_to_blob;
    default: return wr_type_is_integer(to) ? text_to_integer : NULL;
    }
}

wr_cast_loop wr_cast_text_loop(wr_type from, wr_type to) {
    if (from.id == WR_TYPE_VARCHAR) return from_text(to);
    if (to.id != WR_TYPE_VARCHAR) return NULL;
    switch ((wr_type_id)from.id) {
    case WR_TYPE_BOOLEAN: return boolean_to_text;
    case WR_TYPE_DECIMAL: return decimal_to_text;
    case WR_TYPE_FLOAT:
    case WR_TYPE_DOUBLE: return float_to_text;
    case WR_TYPE_DATE:
    case WR_TYPE_TIME:
    case WR_TYPE_TIMESTAMP:
    case WR_TYPE_TIMESTAMP_TZ:
    case WR_TYPE_INTERVAL:
    case WR_TYPE_UUID: return time_to_text;
    default: return wr_type_is_integer(from) ? integer_to_text : value_to_text;
    }
}
