/* Arrow's format strings: one row each, exact or a prefix with parameters behind it. */
#include <stdlib.h>

#include "column/arrow_internal.h"

typedef struct format_row {
    const char *text;
    uint8_t layout, buffer_count;
    uint8_t width, unit;
    const char *name;
    bool is_text;
} format_row;

static const format_row exact_rows[] = {
    {"n", WR_ARROW_NULL, 0, 0, 0, "null", false},
    {"b", WR_ARROW_BOOL, 2, 0, 0, "bool", false},
    {"c", WR_ARROW_I8, 2, 1, 0, "int8", false},
    {"C", WR_ARROW_U8, 2, 1, 0, "uint8", false},
    {"s", WR_ARROW_I16, 2, 2, 0, "int16", false},
    {"S", WR_ARROW_U16, 2, 2, 0, "uint16", false},
    {"i", WR_ARROW_I32, 2, 4, 0, "int32", false},
    {"I", WR_ARROW_U32, 2, 4, 0, "uint32", false},
    {"l", WR_ARROW_I64, 2, 8, 0, "int64", false},
    {"L", WR_ARROW_U64, 2, 8, 0, "uint64", false},
    {"e", WR_ARROW_F16, 2, 2, 0, "float16", false},
    {"f", WR_ARROW_F32, 2, 4, 0, "float32", false},
    {"g", WR_ARROW_F64, 2, 8, 0, "float64", false},
    {"z", WR_ARROW_TEXT, 3, 4, 0, "binary", false},
    {"Z", WR_ARROW_LARGE_TEXT, 3, 8, 0, "large binary", false},
    {"vz", WR_ARROW_TEXT_VIEW, 3, 16, 0, "binary view", false},
    {"u", WR_ARROW_TEXT, 3, 4, 0, "utf8", true},
    {"U", WR_ARROW_LARGE_TEXT, 3, 8, 0, "large utf8", true},
    {"vu", WR_ARROW_TEXT_VIEW, 3, 16, 0, "utf8 view", true},
    {"tdD", WR_ARROW_DATE_DAYS, 2, 4, 0, "date32", false},
    {"tdm", WR_ARROW_DATE_MS, 2, 8, 0, "date64", false},
    {"tts", WR_ARROW_TIME32, 2, 4, WR_UNIT_S, "time32", false},
    {"ttm", WR_ARROW_TIME32, 2, 4, WR_UNIT_MS, "time32", false},
    {"ttu", WR_ARROW_TIME64, 2, 8, WR_UNIT_US, "time64", false},
    {"ttn", WR_ARROW_TIME64, 2, 8, WR_UNIT_NS, "time64", false},
    {"tDs", WR_ARROW_DURATION, 2, 8, WR_UNIT_S, "duration", false},
    {"tDm", WR_ARROW_DURATION, 2, 8, WR_UNIT_MS, "duration", false},
    {"tDu", WR_ARROW_DURATION, 2, 8, WR_UNIT_US, "duration", false},
    {"tDn", WR_ARROW_DURATION, 2, 8, WR_UNIT_NS, "duration", false},
    {"tiM", WR_ARROW_MONTHS, 2, 4, 0, "interval of months", false},
    {"tiD", WR_ARROW_DAY_TIME, 2, 8, 0, "interval of days and time", false},
    {"tin", WR_ARROW_MONTH_DAY_NANO, 2, 16, 0, "interval of months, days and nanoseconds", false},
    {"+l", WR_ARROW_LIST, 2, 4, 0, "list", false},
    {"+L", WR_ARROW_LARGE_LIST, 2, 8, 0, "large list", false},
    {"+vl", WR_ARROW_LIST_VIEW, 3, 4, 0, "list view", false},
    {"+vL", WR_ARROW_LARGE_LIST_VIEW, 3, 8, 0, "large list view", false},
    {"+s", WR_ARROW_STRUCT, 1, 0, 0, "struct", false},
    {"+m", WR_ARROW_MAP, 2, 4, 0, "map", false},
    {"+r", WR_ARROW_RUN_ENDS, 0, 0, 0, "run-end encoded", false},
};

static const format_row prefix_rows[] = {
    {"d:", WR_ARROW_DECIMAL, 2, 16, 0, "decimal", false},
    {"w:", WR_ARROW_FIXED_BINARY, 2, 0, 0, "fixed-size binary", false},
    {"tss:", WR_ARROW_TIMESTAMP, 2, 8, WR_UNIT_S, "timestamp", false},
    {"tsm:", WR_ARROW_TIMESTAMP, 2, 8, WR_UNIT_MS, "timestamp", false},
    {"tsu:", WR_ARROW_TIMESTAMP, 2, 8, WR_UNIT_US, "timestamp", false},
    {"tsn:", WR_ARROW_TIMESTAMP, 2, 8, WR_UNIT_NS, "timestamp", false},
    {"+w:", WR_ARROW_FIXED_LIST, 1, 0, 0, "fixed-size list", false},
    {"+ud:", WR_ARROW_UNION, 2, 0, 0, "dense union", false},
    {"+us:", WR_ARROW_UNION, 1, 0, 0, "sparse union", false},
};

/* Reads a number within [low, high] up to `end`; *at moves behind it and behind `end`. */
static bool read_number(const char **at, char end, long low, long high, long *out) {
    char *stop;
    *out = strtol(*at, &stop, 10);
    if (stop == *at || *stop != end || *out < low || *out > high) return false;
    *at = stop + (end != 0);
    return true;
}

/* "precision,scale" with the bits of a value behind it, 128 when they are left out. */
static bool read_decimal(const char *at, wr_arrow_format *out) {
    long precision, scale, bits = 128;
    if (!read_number(&at, ',', 1, 76, &precision)) return false;
    bool has_bits = strchr(at, ',') != NULL;
    if (!read_number(&at, has_bits ? ',' : 0, INT8_MIN, INT8_MAX, &scale)) return false;
    if (has_bits && !read_number(&at, 0, 32, 256, &bits)) return false;
    long most = bits == 32 ? 9 : bits == 64 ? 18 : bits == 128 ? 38 : bits == 256 ? 76 : 0;
    if (precision > most) return false;
    out->precision = (int32_t)precision;
    out->scale = (int32_t)scale;
    out->width = (uint32_t)bits / 8;
    return true;
}

static wr_arrow_format format_of_row(const format_row *row) {
    return (wr_arrow_format){.layout = row->layout,
                             .buffer_count = row->buffer_count,
                             .unit = row->unit,
                             .is_text = row->is_text,
                             .width = row->width,
                             .zone = "",
                             .name = row->name};
}

bool wr_arrow_format_parse(const char *text, wr_arrow_format *out) {
    if (!text) return false;
    for (size_t i = 0; i < WR_COUNT_OF(exact_rows); i++) {
        if (strcmp(text, exact_rows[i].text) != 0) continue;
        *out = format_of_row(&exact_rows[i]);
        return true;
    }
    for (size_t i = 0; i < WR_COUNT_OF(prefix_rows); i++) {
        size_t size = strlen(prefix_rows[i].text);
        if (strncmp(text, prefix_rows[i].text, size) != 0) continue;
        *out = format_of_row(&prefix_rows[i]);
        const char *rest = text + size;
        long width;
        switch (out->layout) {
        case WR_ARROW_DECIMAL: return read_decimal(rest, out);
        case WR_ARROW_TIMESTAMP: out->zone = rest; return true;
        case WR_ARROW_FIXED_BINARY:
        case WR_ARROW_FIXED_LIST:
            if (!read_number(&rest, 0, 0, INT32_MAX, &width)) return false;
            out->width = (uint32_t)width;
            return true;
        default: return true;
        }
    }
    return false;
}
