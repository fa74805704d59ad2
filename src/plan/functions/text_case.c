/* lower and upper: eight bytes at a time while they are ASCII, else character by character through Unicode's simple
 * mappings (one character to one). */
#include "plan/functions/case_table.h"
#include "plan/functions/text_out.h"
#include "plan/functions/text_point.h"

static uint32_t mapped(const wr_case_range *ranges, size_t count, uint32_t point) {
    size_t low = 0, high = count; /* the first range that ends at or behind it */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ranges[middle].last < point) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == count || point < ranges[low].first || (point - ranges[low].first) % ranges[low].step) return point;
    return point + (uint32_t)ranges[low].delta;
}

/* Adds 0x20 to (or takes it from) each byte between `first` and `last`; all bytes are below 0x80. */
WR_ALWAYS_INLINE uint64_t flip_word(uint64_t word, uint8_t first, uint8_t last) {
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t from = word + ones * (uint64_t)(0x80 - first), behind = word + ones * (uint64_t)(0x7f - last);
    return word ^ (((from & ~behind & (ones * 0x80)) >> 2));
}

WR_ALWAYS_INLINE void flip_ascii(const char *from, uint32_t size, char *to, uint8_t first, uint8_t last) {
    uint32_t i = 0;
    for (; i + 8 <= size; i += 8) {
        uint64_t word;
        memcpy(&word, from + i, 8);
        word = flip_word(word, first, last);
        memcpy(to + i, &word, 8);
    }
    for (; i < size; i++) {
        uint8_t c = (uint8_t)from[i];
        to[i] = (char)(c >= first && c <= last ? c ^ 0x20 : c);
    }
}

/* A mapped character has at most half as many bytes more: two become three. */
static uint32_t map_points(wr_str s, const wr_case_range *ranges, size_t count, uint8_t first, uint8_t last, char *to) {
    char *put = to;
    for (uint32_t at = 0; at < s.size;) {
        uint8_t c = (uint8_t)s.data[at];
        uint32_t point, size = c < 0x80 ? 1 : wr_utf8_decode((wr_str){s.data + at, s.size - at}, &point);
        if (c < 0x80 || size == 0) {
            *put++ = (char)(c >= first && c <= last ? c ^ 0x20 : c);
            at++;
            continue;
        }
        put += wr_utf8_encode(mapped(ranges, count, point), put);
        at += size;
    }
    return (uint32_t)(put - to);
}

WR_ALWAYS_INLINE wr_status run(wr_call_context *c, const wr_vector *arg, const wr_case_range *ranges, size_t count,
                               uint8_t first, uint8_t last, wr_vector *result) {
    wr_text_out out;
    WR_TRY(wr_text_out_begin(c, result, false, &out));
    const wr_string_view *views = arg->data;
    for (uint32_t i = 0; i < c->row_count; i++) {
        wr_str s = wr_view_str(&views[i]);
        if (wr_is_ascii(s)) {
            WR_TRY(wr_text_out_room(&out, s.size));
            flip_ascii(s.data, s.size, out.at, first, last);
            wr_text_out_row(&out, i, s.size);
        } else {
            WR_TRY(wr_text_out_room(&out, (size_t)s.size + s.size / 2 + 4));
            wr_text_out_row(&out, i, map_points(s, ranges, count, first, last, out.at));
        }
    }
    return WR_OK;
}

static wr_status run_lower(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return run(c, &args[0], wr_lower_ranges, WR_COUNT_OF(wr_lower_ranges), 'A', 'Z', result);
}
static wr_status run_upper(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return run(c, &args[0], wr_upper_ranges, WR_COUNT_OF(wr_upper_ranges), 'a', 'z', result);
}

static const wr_function rows[] = {
    {.name = "lower",
     .aliases = "lcase",
     .parameters = {WR_EXACT(VARCHAR)},
     .result_id = WR_TYPE_VARCHAR,
     .run = run_lower,
     .cost_ns = 10,
     .summary = "in lower case"},
    {.name = "upper",
     .aliases = "ucase",
     .parameters = {WR_EXACT(VARCHAR)},
     .result_id = WR_TYPE_VARCHAR,
     .run = run_upper,
     .cost_ns = 10,
     .summary = "in upper case"},
};

const wr_function_set wr_functions_text_case = {"text_case", rows, WR_COUNT_OF(rows)};
