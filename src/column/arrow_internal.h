/* Shared by the files that implement arrow.h: format strings, taken apart. */
#ifndef WR_COLUMN_ARROW_INTERNAL_H
#define WR_COLUMN_ARROW_INTERNAL_H

#include "column/arrow.h"

/* How the buffers of an array are laid out; what a layout's values mean is in the rest of wr_arrow_format. */
typedef enum wr_arrow_layout {
    WR_ARROW_NULL,
    WR_ARROW_BOOL,
    WR_ARROW_I8,
    WR_ARROW_U8,
    WR_ARROW_I16,
    WR_ARROW_U16,
    WR_ARROW_I32,
    WR_ARROW_U32,
    WR_ARROW_I64,
    WR_ARROW_U64,
    WR_ARROW_F16,
    WR_ARROW_F32,
    WR_ARROW_F64,
    WR_ARROW_DECIMAL,
    WR_ARROW_TEXT,       /* 32-bit offsets and bytes; is_text tells UTF-8 from binary */
    WR_ARROW_LARGE_TEXT, /* 64-bit offsets */
    WR_ARROW_TEXT_VIEW,
    WR_ARROW_FIXED_BINARY,
    WR_ARROW_DATE_DAYS,
    WR_ARROW_DATE_MS,
    WR_ARROW_TIME32,
    WR_ARROW_TIME64,
    WR_ARROW_TIMESTAMP,
    WR_ARROW_DURATION,
    WR_ARROW_MONTHS,
    WR_ARROW_DAY_TIME,
    WR_ARROW_MONTH_DAY_NANO,
    WR_ARROW_LIST,
    WR_ARROW_LARGE_LIST,
    WR_ARROW_LIST_VIEW,
    WR_ARROW_LARGE_LIST_VIEW,
    WR_ARROW_FIXED_LIST,
    WR_ARROW_STRUCT,
    WR_ARROW_MAP,
    WR_ARROW_RUN_ENDS,
    WR_ARROW_UNION,
} wr_arrow_layout;

typedef struct wr_arrow_format {
    uint8_t layout; /* wr_arrow_layout */
    uint8_t buffer_count;
    uint8_t unit; /* wr_unit */
    bool is_text;
    int32_t precision, scale; /* DECIMAL */
    uint32_t width;           /* bytes of a value, items of a FIXED_LIST */
    const char *zone;         /* TIMESTAMP: "" when it has none */
    const char *name;         /* for messages: "large list" */
} wr_arrow_format;

/* False when the text is no format that Arrow has. */
bool wr_arrow_format_parse(const char *text, wr_arrow_format *out);
/* For schemas that were checked before. */
static inline wr_arrow_format wr_arrow_format_of(const char *text) {
    wr_arrow_format format = {0};
    bool known = wr_arrow_format_parse(text, &format);
    WR_ASSERT(known);
    (void)known;
    return format;
}
/* An index of a dictionary may be any integer. */
static inline bool wr_arrow_is_integer(const wr_arrow_format *format) {
    return format->layout >= WR_ARROW_I8 && format->layout <= WR_ARROW_U64;
}

enum { WR_ARROW_MAX_DEPTH = 64 };

/* A column of an imported array, or a part of one: what is known once and read by every call for rows. */
typedef struct wr_arrow_node {
    wr_type type;
    wr_arrow_format format;
    const struct ArrowArray *array;
    wr_buffer *validity, *values; /* foreign memory: NULL where there is none; sizes are what is known to be there */
    wr_heap *heap;                /* of text */
    uint64_t text_bytes;          /* of the one buffer that offsets lead into */
    wr_vector_set *entries;       /* of a dictionary or of runs, which become one; NULL: plain values */
    struct wr_arrow_node *children;
    uint32_t child_count;
} wr_arrow_node;

/* arrow_values.c: `count` (at least one) values of no nested layout, from value `at` of the array's buffers on. */
WR_MUST_CHECK wr_status wr_arrow_values_import(const wr_arrow_node *n, uint64_t at, uint32_t count, wr_vector *out,
                                               wr_allocator *a, wr_error *err);
/* Validity of those rows, for a vector that has begun. */
WR_MUST_CHECK wr_status wr_arrow_validity_import(const wr_arrow_node *n, uint64_t at, wr_vector *out, wr_allocator *a,
                                                 wr_error *err);
/* True when a vector may point at these bytes: they are aligned, and what loops may read behind them is there. */
bool wr_arrow_can_share(const wr_buffer *buffer, uint64_t from_bytes, uint64_t size_bytes, size_t align);

#endif
