/* Thrift's compact protocol, read only: the encoding of all of Parquet's metadata.
 *
 *     wr_thrift_field f = {0};
 *     while (wr_thrift_next(t, &f)) {
 *         switch (f.id) {
 *         case 1: out->rows = wr_thrift_int(t, &f); break;
 *         default: wr_thrift_skip(t, &f);
 *         }
 *     }
 *
 * A failure sticks: every later call gives nothing, so that it is looked at once, at the end (wr_thrift_ok). A value of
 * another type than the one asked for is a failure. */
#ifndef WR_FORMAT_PARQUET_THRIFT_H
#define WR_FORMAT_PARQUET_THRIFT_H

#include "base/span.h"
#include "base/str.h"

typedef struct wr_thrift {
    wr_span span;
    const char *failure; /* NULL: none yet */
} wr_thrift;

typedef enum wr_thrift_type {
    WR_THRIFT_STOP,
    WR_THRIFT_TRUE,
    WR_THRIFT_FALSE,
    WR_THRIFT_I8,
    WR_THRIFT_I16,
    WR_THRIFT_I32,
    WR_THRIFT_I64,
    WR_THRIFT_DOUBLE,
    WR_THRIFT_BINARY,
    WR_THRIFT_LIST,
    WR_THRIFT_SET,
    WR_THRIFT_MAP,
    WR_THRIFT_STRUCT,
    WR_THRIFT_UUID,
} wr_thrift_type;

typedef struct wr_thrift_field {
    int32_t id;
    uint8_t type; /* wr_thrift_type */
} wr_thrift_field;

static inline wr_thrift wr_thrift_from(const void *data, size_t size, uint64_t position) {
    return (wr_thrift){wr_span_from(data, size, position), NULL};
}
static inline bool wr_thrift_ok(const wr_thrift *t) {
    return !t->failure;
}
/* False at the end of the struct, and on failure. */
bool wr_thrift_next(wr_thrift *t, wr_thrift_field *f);
void wr_thrift_skip(wr_thrift *t, const wr_thrift_field *f);
/* Integers of any width; the second form fails outside [0, max]. */
int64_t wr_thrift_int(wr_thrift *t, const wr_thrift_field *f);
uint64_t wr_thrift_count(wr_thrift *t, const wr_thrift_field *f, uint64_t max);
bool wr_thrift_bool(wr_thrift *t, const wr_thrift_field *f);
/* An element of a list of booleans, which takes a byte there. */
bool wr_thrift_element_bool(wr_thrift *t);
/* A view of the bytes. */
wr_str wr_thrift_binary(wr_thrift *t, const wr_thrift_field *f);
/* True when the field is a struct, which is then read by wr_thrift_next with a field of its own. */
bool wr_thrift_enter(wr_thrift *t, const wr_thrift_field *f);
/* The number of elements of a list; `element` becomes the field that each of them is read as. Never more than there are
 * bytes left. */
uint32_t wr_thrift_list(wr_thrift *t, const wr_thrift_field *f, wr_thrift_field *element);
/* WR_CORRUPT with the place and the reason. */
wr_status wr_thrift_fail(const wr_thrift *t, const char *what, wr_error *err);

#endif
