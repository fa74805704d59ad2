/* Functions that measure text, look into it, or take a part of it. Parts are views into the argument's memory: nothing is
 * copied. Positions and lengths count characters (code points), from 1. */
#include "kernel/text.h"
#include "kernel/bits.h"
#include "plan/functions/call.h"
#include "plan/functions/text_point.h"

static inline wr_str text_row(const wr_vector *v, uint32_t row) {
    return wr_view_str((const wr_string_view *)v->data + row * wr_step(v));
}
static inline int64_t integer_row(const wr_vector *v, uint32_t row) {
    return ((const int64_t *)v->data)[row * wr_step(v)];
}

/* ---- lengths ---- */

static wr_status run_length(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    c->kernels->text->char_count(args[0].data, c->row_count, wr_vector_data_mut(result));
    return WR_OK;
}

static wr_status run_bytes(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    const wr_string_view *a = args[0].data;
    int64_t *out = wr_vector_data_mut(result), unit = (int64_t)(intptr_t)c->data;
    for (uint32_t i = 0; i < c->row_count; i++) out[i] = (int64_t)a[i].size * unit;
    return WR_OK;
}

static wr_status resolve_bytes(wr_resolution *r, wr_error *err) {
    (void)err;
    r->result = wr_type_of(WR_TYPE_BIGINT);
    r->data = (void *)(intptr_t)1;
    return WR_OK;
}
static wr_status resolve_bits(wr_resolution *r, wr_error *err) {
    (void)err;
    r->result = wr_type_of(WR_TYPE_BIGINT);
    r->data = (void *)(intptr_t)8;
    return WR_OK;
}

/* ---- parts ---- */

/* Results that point into argument 0. */
static wr_status prepare_parts(wr_call_context *c, const wr_vector *arg, wr_vector *result, wr_string_view **out) {
    WR_TRY(wr_call_prepare(c, result));
    WR_TRY(wr_vector_keep_heap(result, c->allocator, arg, c->err));
    *out = wr_vector_data_mut(result);
    return WR_OK;
}

static inline wr_string_view part_of(wr_str s, uint32_t from, uint32_t to) {
    return from < to ? wr_view_make(s.data + from, to - from) : (wr_string_view){.words = {0, 0}};
}

/* Characters [first, last) counted from 0, of a text whose number of characters is known or not needed. */
static wr_string_view points_of(wr_str s, int64_t first, int64_t last) {
    if (last <= first || last <= 0) return part_of(s, 0, 0);
    if (first < 0) first = 0;
    if ((uint64_t)first >= s.size) return part_of(s, 0, 0);
    uint32_t from = wr_point_offset(s, (uint64_t)first);
    uint32_t size = wr_point_offset((wr_str){s.data + from, s.size - from}, (uint64_t)(last - first));
    return part_of(s, from, from + size);
}

static int64_t saturating_add(int64_t a, int64_t b) {
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? (b < 0 ? INT64_MIN : INT64_MAX) : sum;
}

/* As in PostgreSQL a start before the text uses up length; a negative start counts from the end, a negative length takes
 * what is in front of the start. */
static wr_string_view substring_of(wr_str s, int64_t start, bool has_length, int64_t length) {
    int64_t first = start >= 0 ? start - 1 : (int64_t)wr_point_count(s) + start;
    if (!has_length) return points_of(s, first, INT64_MAX);
    return length < 0 ? points_of(s, saturating_add(first, length), first)
                      : points_of(s, first, saturating_add(first, length));
}

static wr_status run_substring(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    wr_string_view *out;
    WR_TRY(prepare_parts(c, &args[0], result, &out));
    for (uint32_t i = 0; i < c->row_count; i++) {
        int64_t length = arg_count > 2 ? integer_row(&args[2], i) : 0;
        out[i] = substring_of(text_row(&args[0], i), integer_row(&args[1], i), arg_count > 2, length);
    }
    return WR_OK;
}

static wr_status run_left(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    wr_string_view *out;
    WR_TRY(prepare_parts(c, &args[0], result, &out));
    for (uint32_t i = 0; i < c->row_count; i++) {
        wr_str s = text_row(&args[0], i);
        int64_t n = integer_row(&args[1], i);
        out[i] = points_of(s, 0, n >= 0 ? n : saturating_add((int64_t)wr_point_count(s), n));
    }
    return WR_OK;
}

static wr_status run_right(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    wr_string_view *out;
    WR_TRY(prepare_parts(c, &args[0], result, &out));
    for (uint32_t i = 0; i < c->row_count; i++) {
        wr_str s = text_row(&args[0], i);
        int64_t n = integer_row(&args[1], i);
        int64_t first = n >= 0 ? (int64_t)wr_point_count(s) - n : n == INT64_MIN ? INT64_MAX : -n;
        out[i] = points_of(s, first, INT64_MAX);
    }
    return WR_OK;
}

/* ---- trimming ---- */

typedef enum trim_side { TRIM_LEFT = 1, TRIM_RIGHT = 2, TRIM_BOTH = 3 } trim_side;

/* Blanks of Unicode's category Zs; tabs and line ends are not. */
static bool is_space(uint32_t point) {
    return point == ' ' || point == 0xa0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200a) ||
           point == 0x202f || point == 0x205f || point == 0x3000;
}

/* One of the characters of `set`, or a blank when there is no set. */
static bool is_trimmed(wr_str point, const wr_str *set) {
    if (!set) {
        uint32_t value = 0;
        (void)wr_utf8_decode(point, &value);
        return is_space(value);
    }
    for (uint32_t at = 0; at < set->size; at += wr_point_size(set->data[at])) {
        if (wr_str_equal(point, (wr_str){set->data + at, wr_point_size(set->data[at])})) return true;
    }
    return false;
}

static wr_string_view trim(wr_str s, const wr_str *set, trim_side side) {
    uint32_t from = 0, to = s.size;
    while ((side & TRIM_LEFT) && from < to) {
        uint32_t size = wr_point_size(s.data[from]);
        if (!is_trimmed((wr_str){s.data + from, size}, set)) break;
        from += size;
    }
    while ((side & TRIM_RIGHT) && from < to) {
        uint32_t at = wr_point_before(s, to);
        if (!is_trimmed((wr_str){s.data + at, to - at}, set)) break;
        to = at;
    }
    return part_of(s, from, to);
}

WR_ALWAYS_INLINE wr_status run_trim_side(wr_call_context *c, const wr_vector *args, uint32_t arg_count, trim_side side,
                                         wr_vector *result) {
    wr_string_view *out;
    WR_TRY(prepare_parts(c, &args[0], result, &out));
    for (uint32_t i = 0; i < c->row_count; i++) {
        wr_str set = arg_count > 1 ? text_row(&args[1], i) : (wr_str){NULL, 0};
        out[i] = trim(text_row(&args[0], i), arg_count > 1 ? &set : NULL, side);
    }
    return WR_OK;
}
static wr_status run_trim(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    return run_trim_side(c, args, arg_count, TRIM_BOTH, result);
}
static wr_status run_ltrim(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    return run_trim_side(c, args, arg_count, TRIM_LEFT, result);
}
static wr_status run_rtrim(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    return run_trim_side(c, args, arg_count, TRIM_RIGHT, result);
}

/* ---- fields ---- */

static size_t find(const wr_call_context *c, wr_str s, size_t from, wr_str needle) {
    return c->kernels->text->find(s.data, s.size, from, needle.data, needle.size);
}

/* Field `n` from 1; from the end when negative. An empty separator makes every character a field. */
static wr_string_view field_of(const wr_call_context *c, wr_str s, wr_str separator, int64_t n) {
    if (n == 0) return part_of(s, 0, 0);
    if (separator.size == 0) {
        int64_t first = n > 0 ? n - 1 : saturating_add((int64_t)wr_point_count(s), n);
        return first < 0 ? part_of(s, 0, 0) : points_of(s, first, saturating_add(first, 1));
    }
    if (n < 0) {
        int64_t fields = 1;
        for (size_t at = find(c, s, 0, separator); at != SIZE_MAX; at = find(c, s, at + separator.size, separator))
            fields++;
        n = saturating_add(fields + 1, n);
        if (n < 1) return part_of(s, 0, 0);
    }
    size_t from = 0;
    for (;; n--) {
        size_t at = find(c, s, from, separator);
        if (n == 1) return part_of(s, (uint32_t)from, at == SIZE_MAX ? s.size : (uint32_t)at);
        if (at == SIZE_MAX) return part_of(s, 0, 0);
        from = at + separator.size;
    }
}

static wr_status run_split_part(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    wr_string_view *out;
    WR_TRY(prepare_parts(c, &args[0], result, &out));
    for (uint32_t i = 0; i < c->row_count; i++) {
        out[i] = field_of(c, text_row(&args[0], i), text_row(&args[1], i), integer_row(&args[2], i));
    }
    return WR_OK;
}

/* ---- searching ---- */

static wr_status run_position(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    int64_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        wr_str s = text_row(&args[0], i), needle = text_row(&args[1], i);
        size_t at = needle.size ? find(c, s, 0, needle) : 0;
        out[i] = at == SIZE_MAX ? 0 : (int64_t)wr_point_count((wr_str){s.data, (uint32_t)at}) + 1;
    }
    return WR_OK;
}

typedef enum search_kind { SEARCH_ANYWHERE, SEARCH_START, SEARCH_END } search_kind;

static bool search_row(const wr_call_context *c, wr_str s, wr_str needle, search_kind kind) {
    if (needle.size == 0) return true;
    if (needle.size > s.size) return false;
    if (kind == SEARCH_ANYWHERE) return find(c, s, 0, needle) != SIZE_MAX;
    const char *from = kind == SEARCH_START ? s.data : s.data + s.size - needle.size;
    return memcmp(from, needle.data, needle.size) == 0;
}

WR_ALWAYS_INLINE wr_status run_search(wr_call_context *c, const wr_vector *args, search_kind kind, wr_vector *result) {
    WR_TRY(wr_call_prepare(c, result));
    uint64_t *out = wr_vector_data_mut(result);
    const wr_text_kernels *k = c->kernels->text;
    wr_str needle = text_row(&args[1], 0);
    if (args[0].kind == WR_CONSTANT || args[1].kind != WR_CONSTANT) {
        for (uint32_t i = 0; i < c->row_count; i++) {
            wr_bit_put(out, i, search_row(c, text_row(&args[0], i), text_row(&args[1], i), kind));
        }
    } else if (needle.size == 0) {
        wr_bitmap_fill(out, c->row_count, true);
    } else if (kind == SEARCH_ANYWHERE) {
        k->contains(args[0].data, c->row_count, needle.data, needle.size, out);
    } else if (kind == SEARCH_START) {
        k->starts_with(args[0].data, c->row_count, needle.data, needle.size, out);
    } else {
        k->ends_with(args[0].data, c->row_count, needle.data, needle.size, out);
    }
    return WR_OK;
}
static wr_status run_contains(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return run_search(c, args, SEARCH_ANYWHERE, result);
}
static wr_status run_starts_with(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return run_search(c, args, SEARCH_START, result);
}
static wr_status run_ends_with(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return run_search(c, args, SEARCH_END, result);
}

/* ---- characters as numbers ---- */

static wr_status resolve_point(wr_resolution *r, wr_error *err) {
    (void)err;
    r->result = wr_type_of(WR_TYPE_INTEGER);
    /* What an empty text gives. */
    r->data = (void *)(intptr_t)(strcmp(r->function->name, "unicode") == 0 ? -1 : 0);
    return WR_OK;
}

static wr_status run_point(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    int32_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        uint32_t point = 0;
        out[i] = wr_utf8_decode(text_row(&args[0], i), &point) ? (int32_t)point : (int32_t)(intptr_t)c->data;
    }
    return WR_OK;
}

#define TEXT WR_EXACT(VARCHAR)
#define NUMBER WR_EXACT(BIGINT)

static const wr_function rows[] = {
    {.name = "length",
     .aliases = "len char_length character_length",
     .parameters = {TEXT},
     .result_id = WR_TYPE_BIGINT,
     .run = run_length,
     .cost_ns = 4,
     .summary = "number of characters"},
    {.name = "strlen",
     .aliases = "octet_length",
     .parameters = {TEXT},
     .resolve = resolve_bytes,
     .run = run_bytes,
     .cost_ns = 0.5f,
     .summary = "number of bytes"},
    {.name = "octet_length",
     .parameters = {WR_EXACT(BLOB)},
     .resolve = resolve_bytes,
     .run = run_bytes,
     .cost_ns = 0.5f,
     .summary = "number of bytes"},
    {.name = "bit_length",
     .parameters = {TEXT},
     .resolve = resolve_bits,
     .run = run_bytes,
     .cost_ns = 0.5f,
     .summary = "number of bits"},
    {.name = "substring",
     .aliases = "substr",
     .parameters = {TEXT, NUMBER},
     .result_id = WR_TYPE_VARCHAR,
     .run = run_substring,
     .cost_ns = 6,
     .summary = "the text from a position on"},
    {.name = "substring",
     .aliases = "substr",
     .parameters = {TEXT, NUMBER, NUMBER},
     .result_id = WR_TYPE_VARCHAR,
     .run = run_substring,
     .cost_ns = 6,
     .summary = "so many characters from a position on"},
    {.name = "left",
     .parameters = {TEXT, NUMBER},
     .result_id = WR_TYPE_VARCHAR,
     .run = run_left,
     .cost_ns = 6,
     .summary = "the first characters; all but the last ones for a negative number"},
    {.name = "right",
     .parameters = {TEXT, NUMBER},
     .result_id = WR_TYPE_VARCHAR,
     .run = run_right,
     .cost_ns = 10,
     .summary = "the last characters; all but the first ones for a negative number"},
    {.name = "trim",
     .aliases = "btrim",
     .parameters = {TEXT},
     .result_id = WR_TYPE_VARCHAR,
     .run = run_trim,
     .cost_ns = 6,
     .summary = "without blanks at both ends"},
    {.name = "trim",
     .aliases = "btrim",
     .parameters = {TEXT, TEXT},
     .result_id = WR_TYPE_VARCHAR,
     .run = run_trim,
     .cost_ns = 10,
     .summary = "without any of some characters at both ends"},
    {.name = "ltrim",
     .parameters = {TEXT},
     .result_id = WR_TYPE_VARCHAR,
     .run = run_ltrim,
     .cost_ns = 5,
     .summary = "without blanks in front"},
    {.name = "ltrim",
     .parameters = {TEXT, TEXT},
     .result_id = WR_TYPE_VARCHAR,
     .run = run_ltrim,
     .cost_ns = 8,
     .summary = "without any of some characters in front"},
    {.name = "rtrim",
     .parameters = {TEXT},
     .result_id = WR_TYPE_VARCHAR,
     .run = run_rtrim,
     .cost_ns = 5,
     .summary = "without blanks at the end"},
    {.name = "rtrim",
     .parameters = {TEXT, TEXT},
     .result_id = WR_TYPE_VARCHAR,
     .run = run_rtrim,
     .cost_ns = 8,
     .summary = "without any of some characters at the end"},
    {.name = "split_part",
     .parameters = {TEXT, TEXT, NUMBER},
     .result_id = WR_TYPE_VARCHAR,
     .run = run_split_part,
     .cost_ns = 20,
     .summary = "a field of a separated text, from 1; from the end when negative"},
    {.name = "strpos",
     .aliases = "instr position",
     .parameters = {TEXT, TEXT},
     .result_id = WR_TYPE_BIGINT,
     .run = run_position,
     .cost_ns = 12,
     .summary = "where the second text first is in the first, from 1; 0 if nowhere"},
    {.name = "contains",
     .parameters = {TEXT, TEXT},
     .result_id = WR_TYPE_BOOLEAN,
     .run = run_contains,
     .cost_ns = 6,
     .summary = "the second text is in the first"},
    {.name = "starts_with",
     .aliases = "prefix ^@",
     .parameters = {TEXT, TEXT},
     .result_id = WR_TYPE_BOOLEAN,
     .run = run_starts_with,
     .cost_ns = 1,
     .summary = "the first text starts with the second"},
    {.name = "ends_with",
     .aliases = "suffix",
     .parameters = {TEXT, TEXT},
     .result_id = WR_TYPE_BOOLEAN,
     .run = run_ends_with,
     .cost_ns = 1.5f,
     .summary = "the first text ends with the second"},
    {.name = "ascii",
     .parameters = {TEXT},
     .resolve = resolve_point,
     .run = run_point,
     .cost_ns = 2,
     .summary = "the first character as a number, 0 for an empty text"},
    {.name = "unicode",
     .aliases = "ord",
     .parameters = {TEXT},
     .resolve = resolve_point,
     .run = run_point,
     .cost_ns = 2,
     .summary = "the first character as a number, -1 for an empty text"},
};

const wr_function_set wr_functions_text = {"text", rows, WR_COUNT_OF(rows)};
