/* Logical and physical types.
 *
 * A wr_type is 16 bytes, passed by value. Nested types point to children that live as long as the plan or the schema
 * that owns them. Kernels know physical types alone (types.def lists them once); the binder casts operands to one
 * physical type. */
#ifndef WR_COLUMN_TYPE_H
#define WR_COLUMN_TYPE_H

#include "base/str.h"

typedef enum wr_type_id {
    WR_TYPE_NULL, /* the type of a bare NULL, held as I8: casts to every other */
    WR_TYPE_BOOLEAN,
    WR_TYPE_TINYINT,
    WR_TYPE_SMALLINT,
    WR_TYPE_INTEGER,
    WR_TYPE_BIGINT,
    WR_TYPE_HUGEINT,
    WR_TYPE_UTINYINT,
    WR_TYPE_USMALLINT,
    WR_TYPE_UINTEGER,
    WR_TYPE_UBIGINT,
    WR_TYPE_FLOAT,
    WR_TYPE_DOUBLE,
    WR_TYPE_DECIMAL, /* precision 1..38, scale 0..precision; 18 digits or less are int64, above int128 */
    WR_TYPE_VARCHAR, /* UTF-8, checked on the way in */
    WR_TYPE_BLOB,
    WR_TYPE_DATE,         /* int32 days since 1970-01-01 */
    WR_TYPE_TIME,         /* int64 microseconds since midnight */
    WR_TYPE_TIMESTAMP,    /* int64 since 1970-01-01 in the type's unit, no zone */
    WR_TYPE_TIMESTAMP_TZ, /* the same, an instant in UTC */
    WR_TYPE_INTERVAL,
    WR_TYPE_UUID, /* int128 in the order of its text: the 16 bytes as a big-endian number, top bit flipped */
    WR_TYPE_LIST,
    WR_TYPE_STRUCT,
    WR_TYPE_MAP,
    WR_TYPE_ID_COUNT
} wr_type_id;

typedef enum wr_phys {
#define WR_PHYS(ID, name, c_type, ...) WR_PHYS_##ID,
#include "column/types.def"
    WR_PHYS_COUNT
} wr_phys;

typedef enum wr_unit { WR_UNIT_S, WR_UNIT_MS, WR_UNIT_US, WR_UNIT_NS } wr_unit;

struct wr_field;
typedef struct wr_type {
    uint8_t id;         /* wr_type_id */
    uint8_t precision;  /* DECIMAL */
    uint8_t scale;      /* DECIMAL */
    uint8_t unit;       /* TIMESTAMP, TIMESTAMP_TZ: wr_unit */
    uint16_t collation; /* VARCHAR; 0 is binary order */
    uint16_t child_count;
    const struct wr_field *children; /* LIST: one; STRUCT: its fields; MAP: key and value */
} wr_type;

typedef struct wr_field {
    wr_str name;
    wr_type type;
    bool nullable;
} wr_field;

typedef struct wr_schema {
    uint32_t field_count;
    wr_field *fields;
} wr_schema;

/* 16-byte string views, as in Arrow: the length, then 12 bytes inline, or a 4-byte prefix and a pointer. Unused inline
 * bytes are zero, so that short strings compare as two words. */
typedef union wr_string_view {
    struct {
        uint32_t size;
        char prefix[4];
        const char *data; /* size > WR_STRING_INLINE */
    };
    struct {
        uint32_t size_;
        char inlined[12];
    };
    uint64_t words[2];
} wr_string_view;
enum { WR_STRING_INLINE = 12 };

typedef struct wr_interval {
    int32_t months, days;
    int64_t micros;
} wr_interval;

/* Intervals are equal, ordered and hashed by their length: a month counts 30 days, a day 24 hours. */
static inline __int128 wr_interval_length(wr_interval v) {
    return ((__int128)v.months * 30 + v.days) * INT64_C(86400000000) + v.micros;
}

typedef struct wr_list_view {
    uint32_t offset, size; /* in the child vector */
} wr_list_view;

typedef __int128 wr_int128;
typedef unsigned __int128 wr_uint128;

static inline wr_type wr_type_of(wr_type_id id) {
    return (wr_type){.id = (uint8_t)id, .unit = WR_UNIT_US};
}
static inline wr_type wr_type_decimal(unsigned precision, unsigned scale) {
    return (wr_type){
        .id = WR_TYPE_DECIMAL, .precision = (uint8_t)precision, .scale = (uint8_t)scale, .unit = WR_UNIT_US};
}
enum { WR_DECIMAL_SMALL_DIGITS = 18, WR_DECIMAL_MAX_DIGITS = 38 };

wr_phys wr_type_phys(wr_type type);
static inline bool wr_phys_is_nested(wr_phys phys) {
    return phys == WR_PHYS_LIST || phys == WR_PHYS_STRUCT;
}
bool wr_type_equal(wr_type a, wr_type b);
bool wr_type_is_integer(wr_type type);
bool wr_type_is_numeric(wr_type type);
/* As SQL writes it: "DECIMAL(15,2)", "STRUCT(a INTEGER, b VARCHAR[])". */
void wr_type_print(wr_text *text, wr_type type);
const char *wr_type_id_name(wr_type_id id);
/* Reads the same; accepts the usual other names (INT, TEXT, INT8, NUMERIC(10), TIMESTAMPTZ). Children are made in the
 * arena. False when it is not a type. */
struct wr_arena;
bool wr_type_parse(wr_str text, struct wr_arena *arena, wr_type *out);

static inline wr_str wr_view_str(const wr_string_view *v) {
    return (wr_str){v->size <= WR_STRING_INLINE ? v->inlined : v->data, v->size};
}
static inline wr_string_view wr_view_make(const char *data, uint32_t size) {
    wr_string_view v = {.words = {0, 0}};
    v.size = size;
    if (size <= WR_STRING_INLINE) {
        memcpy(v.inlined, data, size);
    } else {
        memcpy(v.prefix, data, 4);
        v.data = data;
    }
    return v;
}

static inline size_t wr_phys_bytes(wr_phys phys) { /* of a value; BOOL is packed: 0 */
    static const uint8_t bytes[WR_PHYS_COUNT] = {
#define WR_PHYS(ID, name, c_type, width, ...) width,
#include "column/types.def"
    };
    return bytes[phys];
}

#endif
