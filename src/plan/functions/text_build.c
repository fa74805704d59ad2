/* Functions that make new text: each row's bytes are written once, behind each other, into the result's heap. */
#include "kernel/text.h"
#include "plan/functions/text_out.h"
#include "plan/functions/text_point.h"

static inline wr_str text_row(const wr_vector *v, uint32_t row) {
    return wr_view_str((const wr_string_view *)v->data + row * wr_step(v));
}
static inline int64_t integer_row(const wr_vector *v, uint32_t row) {
    return ((const int64_t *)v->data)[row * wr_step(v)];
}

/* Rows that nobody asked for are not built: their arguments may be anything, also very long. */
static bool skips(const wr_call_context *c, const wr_vector *args, uint32_t arg_count, uint32_t row) {
    if (!wr_is_active(c, row)) return true;
    for (uint32_t i = 0; i < arg_count; i++) {
        if (!wr_is_valid_row(&args[i], row)) return true;
    }
    return false;
}

static void append(char **at, wr_str s) {
    if (s.size == 0) return;
    memcpy(*at, s.data, s.size);
    *at += s.size;
}

/* ---- || and concat ---- */

static wr_status resolve_to_text(wr_resolution *r, wr_error *err) {
    bool blobs = true;
    for (uint32_t i = 0; i < r->arg_count; i++) {
        blobs &= r->arg_types[i].id == WR_TYPE_BLOB;
        if (r->arg_types[i].id >= WR_TYPE_LIST) {
            return wr_fail(err, WR_UNSUPPORTED, "%s of %s is not supported", r->function->name,
                           wr_type_id_name((wr_type_id)r->arg_types[i].id));
        }
    }
    r->result = wr_type_of(blobs ? WR_TYPE_BLOB : WR_TYPE_VARCHAR);
    for (uint32_t i = 0; i < r->arg_count; i++) r->arg_types[i] = r->result;
    return WR_OK;
}

/* All arguments that are not NULL, a separator between them (NULL: none). */
static wr_status join_row(wr_text_out *out, const wr_vector *args, uint32_t arg_count, const wr_vector *separator,
                          uint32_t row) {
    size_t size = 0;
    wr_str between = separator ? text_row(separator, row) : (wr_str){NULL, 0};
    for (uint32_t i = 0; i < arg_count; i++) {
        if (wr_is_valid_row(&args[i], row)) size += text_row(&args[i], row).size + (size_t)between.size;
    }
    WR_TRY(wr_text_out_room(out, size));
    char *at = out->at;
    bool any = false;
    for (uint32_t i = 0; i < arg_count; i++) {
        if (!wr_is_valid_row(&args[i], row)) continue;
        if (any) append(&at, between);
        append(&at, text_row(&args[i], row));
        any = true;
    }
    wr_text_out_row(out, row, (uint32_t)(at - out->at));
    return WR_OK;
}

static wr_status run_concat(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    wr_text_out out;
    WR_TRY(wr_text_out_begin(c, result, false, &out));
    for (uint32_t i = 0; i < c->row_count; i++) {
        if (wr_is_active(c, i)) WR_TRY(join_row(&out, args, arg_count, NULL, i));
    }
    return WR_OK;
}

/* A NULL separator gives NULL, NULL arguments are left out. */
static wr_status run_concat_ws(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    wr_text_out out;
    WR_TRY(wr_text_out_begin(c, result, args[0].validity != NULL, &out));
    for (uint32_t i = 0; i < c->row_count; i++) {
        if (!wr_is_valid_row(&args[0], i)) {
            wr_bit_clear(wr_vector_validity_mut(result), i);
        } else if (wr_is_active(c, i)) {
            WR_TRY(join_row(&out, args + 1, arg_count - 1, &args[0], i));
        }
    }
    return WR_OK;
}

static wr_status run_append(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    wr_text_out out;
    WR_TRY(wr_text_out_begin(c, result, false, &out));
    for (uint32_t i = 0; i < c->row_count; i++) {
        if (!skips(c, args, arg_count, i)) WR_TRY(join_row(&out, args, arg_count, NULL, i));
    }
    return WR_OK;
}

/* ---- replace, translate, overlay ---- */

static size_t find(const wr_call_context *c, wr_str s, size_t from, wr_str needle) {
    return c->kernels->text->find(s.data, s.size, from, needle.data, needle.size);
}

static wr_status replace_row(const wr_call_context *c, wr_text_out *out, uint32_t row, wr_str s, wr_str from,
                             wr_str to) {
    size_t at = from.size && from.size <= s.size ? find(c, s, 0, from) : SIZE_MAX, count = 0;
    if (at == SIZE_MAX) return wr_text_out_copy(out, row, s);
    for (size_t next = at; next != SIZE_MAX; next = find(c, s, next + from.size, from)) count++;
    WR_TRY(wr_text_out_room(out, s.size - count * from.size + count * to.size));
    char *put = out->at;
    size_t done = 0;
    for (; at != SIZE_MAX; at = find(c, s, done, from)) {
        append(&put, (wr_str){s.data + done, (uint32_t)(at - done)});
        append(&put, to);
        done = at + from.size;
    }
    append(&put, (wr_str){s.data + done, (uint32_t)(s.size - done)});
    wr_text_out_row(out, row, (uint32_t)(put - out->at));
    return WR_OK;
}

static wr_status run_replace(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    wr_text_out out;
    WR_TRY(wr_text_out_begin(c, result, false, &out));
    for (uint32_t i = 0; i < c->row_count; i++) {
        if (skips(c, args, arg_count, i)) continue;
        WR_TRY(replace_row(c, &out, i, text_row(&args[0], i), text_row(&args[1], i), text_row(&args[2], i)));
    }
    return WR_OK;
}

/* Which character of `from` stands at s.data[at]; its counterpart in `to`, empty when that is shorter. */
static bool translated(wr_str point, wr_str from, wr_str to, wr_str *out) {
    uint32_t index = 0;
    for (uint32_t at = 0; at < from.size; at += wr_point_size(from.data[at]), index++) {
        if (!wr_str_equal(point, (wr_str){from.data + at, wr_point_size(from.data[at])})) continue;
        uint32_t offset = wr_point_offset(to, index);
        *out = (wr_str){to.data + offset, offset < to.size ? wr_point_size(to.data[offset]) : 0};
        return true;
    }
    return false;
}

static wr_status run_translate(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    wr_text_out out;
    WR_TRY(wr_text_out_begin(c, result, false, &out));
    for (uint32_t i = 0; i < c->row_count; i++) {
        if (skips(c, args, arg_count, i)) continue;
        wr_str s = text_row(&args[0], i), from = text_row(&args[1], i), to = text_row(&args[2], i);
        WR_TRY(wr_text_out_room(&out, (size_t)s.size * 4));
        char *put = out.at;
        for (uint32_t at = 0; at < s.size; at += wr_point_size(s.data[at])) {
            wr_str point = {s.data + at, wr_point_size(s.data[at])};
            (void)translated(point, from, to, &point);
            append(&put, point);
        }
        wr_text_out_row(&out, i, (uint32_t)(put - out.at));
    }
    return WR_OK;
}

/* overlay(s, new, start, length): characters of s from start on give way to the new text. */
static wr_status run_overlay(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    wr_text_out out;
    WR_TRY(wr_text_out_begin(c, result, false, &out));
    for (uint32_t i = 0; i < c->row_count; i++) {
        if (skips(c, args, arg_count, i)) continue;
        wr_str s = text_row(&args[0], i), put = text_row(&args[1], i);
        int64_t start = integer_row(&args[2], i);
        int64_t length = arg_count > 3 ? integer_row(&args[3], i) : (int64_t)wr_point_count(put);
        if (start < 1) start = 1;
        if (length < 0) length = 0;
        uint32_t from = wr_point_offset(s, (uint64_t)start - 1);
        uint32_t to = from + wr_point_offset((wr_str){s.data + from, s.size - from}, (uint64_t)length);
        WR_TRY(wr_text_out_room(&out, (size_t)s.size + put.size));
        char *at = out.at;
        append(&at, (wr_str){s.data, from});
        append(&at, put);
        append(&at, (wr_str){s.data + to, s.size - to});
        wr_text_out_row(&out, i, (uint32_t)(at - out.at));
    }
    return WR_OK;
}

/* ---- repeat, reverse, padding ---- */

enum { TEXT_BYTES_MAX = INT32_MAX };

static wr_status fail_long(const wr_call_context *c, const char *name) {
    return wr_fail(c->err, WR_VALUE, "%s would make a text of more than 2 GB", name);
}

static wr_status run_repeat(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    wr_text_out out;
    WR_TRY(wr_text_out_begin(c, result, false, &out));
    for (uint32_t i = 0; i < c->row_count; i++) {
        if (skips(c, args, arg_count, i)) continue;
        wr_str s = text_row(&args[0], i);
        int64_t times = integer_row(&args[1], i);
        if (times <= 0 || s.size == 0) continue;
        if (times > TEXT_BYTES_MAX / s.size) return fail_long(c, "repeat");
        WR_TRY(wr_text_out_room(&out, (size_t)times * s.size));
        char *at = out.at;
        for (int64_t k = 0; k < times; k++) append(&at, s);
        wr_text_out_row(&out, i, (uint32_t)(at - out.at));
    }
    return WR_OK;
}

static wr_status run_reverse(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    wr_text_out out;
    WR_TRY(wr_text_out_begin(c, result, false, &out));
    for (uint32_t i = 0; i < c->row_count; i++) {
        if (skips(c, args, arg_count, i)) continue;
        wr_str s = text_row(&args[0], i);
        if (s.size == 0) continue;
        WR_TRY(wr_text_out_room(&out, s.size));
        char *end = out.at + s.size;
        for (uint32_t at = 0; at < s.size;) {
            uint32_t size = wr_point_size(s.data[at]);
            if (size > s.size - at) size = s.size - at;
            end -= size;
            memcpy(end, s.data + at, size);
            at += size;
        }
        wr_text_out_row(&out, i, s.size);
    }
    return WR_OK;
}

/* `count` characters out of the endless repetition of `fill`. */
static void append_fill(char **at, wr_str fill, uint64_t count) {
    uint64_t points = wr_point_count(fill);
    for (; count >= points; count -= points) append(at, fill);
    append(at, (wr_str){fill.data, wr_point_offset(fill, count)});
}

WR_ALWAYS_INLINE wr_status run_pad(wr_call_context *c, const wr_vector *args, uint32_t arg_count, bool at_left,
                                   wr_vector *result) {
    const char *name = at_left ? "lpad" : "rpad";
    wr_text_out out;
    WR_TRY(wr_text_out_begin(c, result, false, &out));
    for (uint32_t i = 0; i < c->row_count; i++) {
        if (skips(c, args, arg_count, i)) continue;
        wr_str s = text_row(&args[0], i), fill = arg_count > 2 ? text_row(&args[2], i) : WR_STR(" ");
        int64_t wanted = integer_row(&args[1], i), have = (int64_t)wr_point_count(s);
        if (wanted <= 0) continue;
        if (wanted <= have) {
            WR_TRY(wr_text_out_copy(&out, i, (wr_str){s.data, wr_point_offset(s, (uint64_t)wanted)}));
            continue;
        }
        if (fill.size == 0) return wr_fail(c->err, WR_VALUE, "%s has nothing to fill with", name);
        if (wanted > TEXT_BYTES_MAX / 4) return fail_long(c, name);
        WR_TRY(wr_text_out_room(&out, s.size + (size_t)(wanted - have) * 4));
        char *at = out.at;
        if (!at_left) append(&at, s);
        append_fill(&at, fill, (uint64_t)(wanted - have));
        if (at_left) append(&at, s);
        wr_text_out_row(&out, i, (uint32_t)(at - out.at));
    }
    return WR_OK;
}
static wr_status run_lpad(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    return run_pad(c, args, arg_count, true, result);
}
static wr_status run_rpad(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    return run_pad(c, args, arg_count, false, result);
}

/* ---- characters and digits ---- */

static wr_status run_chr(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    wr_text_out out;
    WR_TRY(wr_text_out_begin(c, result, false, &out));
    for (uint32_t i = 0; i < c->row_count; i++) {
        if (skips(c, args, 1, i)) continue;
        int64_t point = integer_row(&args[0], i);
        char bytes[4];
        uint32_t size = point < 0 || point > 0x10ffff ? 0 : wr_utf8_encode((uint32_t)point, bytes);
        if (!size) return wr_fail(c->err, WR_VALUE, "there is no character %lld", (long long)point);
        out.views[i] = wr_view_make(bytes, size);
    }
    return WR_OK;
}

static const char hex_digits[] = "0123456789ABCDEF";

static wr_status run_hex_text(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    wr_text_out out;
    WR_TRY(wr_text_out_begin(c, result, false, &out));
    for (uint32_t i = 0; i < c->row_count; i++) {
        if (skips(c, args, 1, i)) continue;
        wr_str s = text_row(&args[0], i);
        WR_TRY(wr_text_out_room(&out, (size_t)s.size * 2));
        for (uint32_t k = 0; k < s.size; k++) {
            out.at[2 * k] = hex_digits[(uint8_t)s.data[k] >> 4];
            out.at[2 * k + 1] = hex_digits[(uint8_t)s.data[k] & 15];
        }
        wr_text_out_row(&out, i, s.size * 2);
    }
    return WR_OK;
}

static wr_status run_hex_number(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    wr_text_out out;
    WR_TRY(wr_text_out_begin(c, result, false, &out));
    for (uint32_t i = 0; i < c->row_count; i++) {
        uint64_t value = (uint64_t)integer_row(&args[0], i);
        char digits[16];
        uint32_t at = sizeof digits;
        do {
            digits[--at] = hex_digits[value & 15];
            value >>= 4;
        } while (value);
        WR_TRY(wr_text_out_copy(&out, i, (wr_str){digits + at, (uint32_t)sizeof digits - at}));
    }
    return WR_OK;
}

#define TEXT WR_EXACT(VARCHAR)
#define NUMBER WR_EXACT(BIGINT)
#define GIVES_TEXT .result_id = WR_TYPE_VARCHAR

static const wr_function rows[] = {
    {.name = "||",
     .parameters = {WR_ANY, WR_ANY},
     .resolve = resolve_to_text,
     .run = run_append,
     .cost_ns = 12,
     .summary = "both texts, one behind the other"},
    {.name = "concat",
     .nulls = WR_NULLS_OWN,
     .parameters = {WR_ANY},
     .variadic = true,
     .resolve = resolve_to_text,
     .run = run_concat,
     .cost_ns = 15,
     .summary = "all texts that are not NULL, one behind the other"},
    {.name = "concat_ws",
     .nulls = WR_NULLS_OWN,
     .parameters = {TEXT, WR_ANY},
     .variadic = true,
     .resolve = resolve_to_text,
     .run = run_concat_ws,
     .cost_ns = 15,
     .summary = "all texts that are not NULL, the first argument between them"},
    {.name = "replace",
     .parameters = {TEXT, TEXT, TEXT},
     GIVES_TEXT,
     .run = run_replace,
     .cost_ns = 20,
     .summary = "every occurrence of the second text replaced by the third"},
    {.name = "translate",
     .parameters = {TEXT, TEXT, TEXT},
     GIVES_TEXT,
     .run = run_translate,
     .cost_ns = 40,
     .summary = "each character of the second text replaced by that at its place in the third"},
    {.name = "overlay",
     .parameters = {TEXT, TEXT, NUMBER},
     GIVES_TEXT,
     .run = run_overlay,
     .cost_ns = 20,
     .summary = "the second text written over the first from a position on"},
    {.name = "overlay",
     .parameters = {TEXT, TEXT, NUMBER, NUMBER},
     GIVES_TEXT,
     .run = run_overlay,
     .cost_ns = 20,
     .summary = "the second text in the place of so many characters of the first"},
    {.name = "repeat",
     .parameters = {TEXT, NUMBER},
     GIVES_TEXT,
     .run = run_repeat,
     .can_fail = true,
     .cost_ns = 20,
     .summary = "the text so many times"},
    {.name = "reverse",
     .parameters = {TEXT},
     GIVES_TEXT,
     .run = run_reverse,
     .cost_ns = 20,
     .summary = "the characters in reverse order"},
    {.name = "lpad",
     .parameters = {TEXT, NUMBER},
     GIVES_TEXT,
     .run = run_lpad,
     .can_fail = true,
     .cost_ns = 20,
     .summary = "filled up with blanks in front, or cut, to so many characters"},
    {.name = "lpad",
     .parameters = {TEXT, NUMBER, TEXT},
     GIVES_TEXT,
     .run = run_lpad,
     .can_fail = true,
     .cost_ns = 20,
     .summary = "filled up in front, or cut, to so many characters"},
    {.name = "rpad",
     .parameters = {TEXT, NUMBER},
     GIVES_TEXT,
     .run = run_rpad,
     .can_fail = true,
     .cost_ns = 20,
     .summary = "filled up with blanks, or cut, to so many characters"},
    {.name = "rpad",
     .parameters = {TEXT, NUMBER, TEXT},
     GIVES_TEXT,
     .run = run_rpad,
     .can_fail = true,
     .cost_ns = 20,
     .summary = "filled up behind, or cut, to so many characters"},
    {.name = "chr",
     .parameters = {NUMBER},
     GIVES_TEXT,
     .run = run_chr,
     .can_fail = true,
     .cost_ns = 3,
     .summary = "the character of a number"},
    {.name = "hex",
     .aliases = "to_hex",
     .parameters = {TEXT},
     GIVES_TEXT,
     .run = run_hex_text,
     .cost_ns = 15,
     .summary = "the bytes as hexadecimal digits"},
    {.name = "hex",
     .aliases = "to_hex",
     .parameters = {WR_EXACT(BLOB)},
     GIVES_TEXT,
     .run = run_hex_text,
     .cost_ns = 15,
     .summary = "the bytes as hexadecimal digits"},
    {.name = "hex",
     .aliases = "to_hex",
     .parameters = {NUMBER},
     GIVES_TEXT,
     .run = run_hex_number,
     .cost_ns = 10,
     .summary = "the number in hexadecimal digits"},
};

const wr_function_set wr_functions_text_build = {"text_build", rows, WR_COUNT_OF(rows)};
