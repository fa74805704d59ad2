/* Thrift's compact protocol; see thrift.h. Structs nest only as deep as the functions that read them, but what is
 * skipped may claim any depth, and is refused beyond SKIP_DEPTH_MAX. */
#include "format/parquet/thrift.h"

enum { SKIP_DEPTH_MAX = 24 };

static void fail(wr_thrift *t, const char *failure) {
    if (!t->failure) t->failure = failure;
}

static uint64_t read_varint(wr_thrift *t) {
    uint64_t value = 0;
    if (!t->failure && !wr_span_varint(&t->span, &value)) fail(t, "an integer does not end");
    return t->failure ? 0 : value;
}

static uint8_t read_byte(wr_thrift *t) {
    uint8_t byte = 0;
    if (!t->failure && !wr_span_u8(&t->span, &byte)) fail(t, "it ends too soon");
    return t->failure ? 0 : byte;
}

static int64_t read_zigzag(wr_thrift *t) {
    uint64_t raw = read_varint(t);
    return (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1);
}

bool wr_thrift_next(wr_thrift *t, wr_thrift_field *f) {
    uint8_t head = read_byte(t);
    if (head == 0) return false; /* the end, or a failure */
    f->type = head & 0x0f;
    int64_t id = head >> 4 ? f->id + (head >> 4) : read_zigzag(t);
    if (id < INT16_MIN || id > INT16_MAX) fail(t, "a field's number does not fit 16 bits");
    if (f->type > WR_THRIFT_UUID) fail(t, "a field has a type that does not exist");
    f->id = (int32_t)id;
    return !t->failure;
}

static void skip_value(wr_thrift *t, uint8_t type, unsigned depth, bool in_list);

static void skip_struct(wr_thrift *t, unsigned depth) {
    wr_thrift_field f = {0};
    while (wr_thrift_next(t, &f)) skip_value(t, f.type, depth, false);
}

static void skip_list(wr_thrift *t, unsigned depth) {
    wr_thrift_field list = {.type = WR_THRIFT_LIST}, element;
    uint32_t count = wr_thrift_list(t, &list, &element);
    for (uint32_t i = 0; i < count && !t->failure; i++) skip_value(t, element.type, depth, true);
}

static void skip_map(wr_thrift *t, unsigned depth) {
    uint64_t count = read_varint(t);
    if (count == 0) return;
    uint8_t types = read_byte(t);
    for (uint64_t i = 0; i < count && !t->failure; i++) {
        skip_value(t, types >> 4, depth, true);
        skip_value(t, types & 0x0f, depth, true);
    }
}

static void skip_bytes(wr_thrift *t, uint64_t size) {
    if (t->failure) return;
    if (size > wr_span_left(&t->span)) {
        fail(t, "it ends too soon");
    } else {
        (void)wr_span_take(&t->span, (size_t)size);
    }
}

static void skip_value(wr_thrift *t, uint8_t type, unsigned depth, bool in_list) {
    if (t->failure) return;
    if (depth >= SKIP_DEPTH_MAX) {
        fail(t, "it is nested too deep");
        return;
    }
    switch (type) {
    case WR_THRIFT_TRUE:
    case WR_THRIFT_FALSE:
        if (in_list) skip_bytes(t, 1);
        break;
    case WR_THRIFT_I8: skip_bytes(t, 1); break;
    case WR_THRIFT_I16:
    case WR_THRIFT_I32:
    case WR_THRIFT_I64: (void)read_varint(t); break;
    case WR_THRIFT_DOUBLE: skip_bytes(t, 8); break;
    case WR_THRIFT_BINARY: skip_bytes(t, read_varint(t)); break;
    case WR_THRIFT_LIST:
    case WR_THRIFT_SET: skip_list(t, depth + 1); break;
    case WR_THRIFT_MAP: skip_map(t, depth + 1); break;
    case WR_THRIFT_STRUCT: skip_struct(t, depth + 1); break;
    case WR_THRIFT_UUID: skip_bytes(t, 16); break;
    default: fail(t, "a value has a type that does not exist");
    }
}

void wr_thrift_skip(wr_thrift *t, const wr_thrift_field *f) {
    skip_value(t, f->type, 0, false);
}

int64_t wr_thrift_int(wr_thrift *t, const wr_thrift_field *f) {
    if (f->type == WR_THRIFT_I8) return (int8_t)read_byte(t);
    if (f->type == WR_THRIFT_I16 || f->type == WR_THRIFT_I32 || f->type == WR_THRIFT_I64) return read_zigzag(t);
    fail(t, "an integer is expected");
    return 0;
}

uint64_t wr_thrift_count(wr_thrift *t, const wr_thrift_field *f, uint64_t max) {
    int64_t value = wr_thrift_int(t, f);
    if (value >= 0 && (uint64_t)value <= max) return (uint64_t)value;
    fail(t, value < 0 ? "a count, size or offset is negative" : "a count, size or offset is too large");
    return 0;
}

bool wr_thrift_bool(wr_thrift *t, const wr_thrift_field *f) {
    if (f->type != WR_THRIFT_TRUE && f->type != WR_THRIFT_FALSE) fail(t, "a boolean is expected");
    return f->type == WR_THRIFT_TRUE;
}

bool wr_thrift_element_bool(wr_thrift *t) {
    return read_byte(t) == WR_THRIFT_TRUE;
}

wr_str wr_thrift_binary(wr_thrift *t, const wr_thrift_field *f) {
    if (f->type != WR_THRIFT_BINARY) fail(t, "bytes are expected");
    uint64_t size = read_varint(t);
    if (!t->failure && size > wr_span_left(&t->span)) fail(t, "it ends too soon");
    if (t->failure) return (wr_str){0};
    return (wr_str){(const char *)wr_span_take(&t->span, (size_t)size), (uint32_t)size};
}

bool wr_thrift_enter(wr_thrift *t, const wr_thrift_field *f) {
    if (f->type != WR_THRIFT_STRUCT) fail(t, "a struct is expected");
    return !t->failure;
}

uint32_t wr_thrift_list(wr_thrift *t, const wr_thrift_field *f, wr_thrift_field *element) {
    if (f->type != WR_THRIFT_LIST && f->type != WR_THRIFT_SET) fail(t, "a list is expected");
    uint8_t head = read_byte(t);
    uint64_t count = head >> 4;
    if (count == 15) count = read_varint(t);
    *element = (wr_thrift_field){.type = head & 0x0f};
    if (!t->failure && count > wr_span_left(&t->span)) fail(t, "a list claims more elements than there are bytes");
    return t->failure ? 0 : (uint32_t)count;
}

wr_status wr_thrift_fail(const wr_thrift *t, const char *what, wr_error *err) {
    return wr_fail(err, WR_CORRUPT, "%s at byte %llu: %s", what, (unsigned long long)(t->span.position + t->span.at),
                   t->failure ? t->failure : "it is not well-formed");
}
