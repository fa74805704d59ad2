/* Values of imported arrays: shared where the layout is ours, else converted, each layout by one loop.
 *
 * Foreign memory is read as it is: it may be unaligned, and nothing is known to lie behind the last value, so bits are
 * taken by bytes. A value that cannot be converted is an error only where the row is not NULL. */
#include <math.h>

#include "base/utf8.h"
#include "column/arrow_internal.h"
#include "column/vector_internal.h"

typedef int16_t __attribute__((aligned(1), may_alias)) any_i16;
typedef int32_t __attribute__((aligned(1), may_alias)) any_i32;
typedef int64_t __attribute__((aligned(1), may_alias)) any_i64;
typedef uint64_t __attribute__((aligned(1), may_alias)) any_u64;
typedef wr_int128 __attribute__((aligned(1), may_alias)) any_i128;

bool wr_arrow_can_share(const wr_buffer *buffer, uint64_t from_bytes, uint64_t size_bytes, size_t align) {
    return ((uintptr_t)buffer->data + from_bytes) % align == 0 &&
           from_bytes + size_bytes + WR_BUFFER_PAD <= buffer->size_bytes;
}

/* Bits [at, at + count) without reading a byte that holds none of them. */
static void copy_bits(uint64_t *to, const uint8_t *bits, uint64_t at, uint32_t count) {
    const uint8_t *from = bits + at / 8;
    unsigned shift = at % 8;
    size_t byte_count = (shift + (size_t)count + 7) / 8;
    for (size_t i = 0; i < wr_bitmap_words(count); i++) {
        size_t begin = i * 8, rest = byte_count - begin;
        uint64_t low = 0;
        memcpy(&low, from + begin, rest < 8 ? rest : 8);
        uint64_t high = rest > 8 && shift ? (uint64_t)from[begin + 8] << (64 - shift) : 0;
        to[i] = low >> shift | high;
    }
}

wr_status wr_arrow_validity_import(const wr_arrow_node *n, uint64_t at, wr_vector *out, wr_allocator *a,
                                   wr_error *err) {
    if (!n->validity) return WR_OK;
    if (at % 64 == 0 && wr_arrow_can_share(n->validity, at / 8, wr_bitmap_bytes(out->row_count), 8)) {
        wr_buffer_release(out->validity_buffer);
        out->validity_buffer = wr_buffer_retain(n->validity);
        out->validity = (const uint64_t *)(n->validity->data + at / 8);
        return WR_OK;
    }
    uint64_t *bits;
    WR_TRY(wr_vector_begin_validity(out, a, &bits, err));
    copy_bits(bits, n->validity->data, at, out->row_count);
    return WR_OK;
}

/* ---- the same layout ---- */

/* Makes `out` show foreign memory. */
static void share_values(const wr_arrow_node *n, uint64_t from_bytes, uint32_t count, wr_vector *out) {
    wr_vector_deinit(out);
    *out = (wr_vector){.type = n->type,
                       .kind = WR_FLAT,
                       .phys = (uint8_t)wr_type_phys(n->type),
                       .row_count = count,
                       .data = n->values->data + from_bytes,
                       .data_buffer = wr_buffer_retain(n->values)};
}

static wr_status import_plain(const wr_arrow_node *n, uint64_t at, uint32_t count, wr_vector *out, wr_allocator *a,
                              wr_error *err) {
    size_t width = n->format.width;
    if (wr_arrow_can_share(n->values, at * width, count * width, width < 8 ? 8 : width)) {
        share_values(n, at * width, count, out);
        return WR_OK;
    }
    WR_TRY(wr_vector_begin(out, a, n->type, WR_FLAT, count, err));
    memcpy(wr_vector_data_mut(out), n->values->data + at * width, count * width);
    return WR_OK;
}

static wr_status import_booleans(const wr_arrow_node *n, uint64_t at, uint32_t count, wr_vector *out, wr_allocator *a,
                                 wr_error *err) {
    if (at % 64 == 0 && wr_arrow_can_share(n->values, at / 8, wr_bitmap_bytes(count), 8)) {
        share_values(n, at / 8, count, out);
        return WR_OK;
    }
    WR_TRY(wr_vector_begin(out, a, n->type, WR_FLAT, count, err));
    copy_bits(wr_vector_data_mut(out), n->values->data, at, count);
    return WR_OK;
}

static wr_status import_nulls(const wr_arrow_node *n, uint32_t count, wr_vector *out, wr_allocator *a, wr_error *err) {
    const wr_value null = {.type = n->type, .is_null = true};
    return wr_vector_constant(out, a, &null, count, err);
}

/* ---- numbers that change their layout ---- */

/* Writes one value; false when ours cannot hold it. */
typedef bool (*convert_value)(const uint8_t *from, uint8_t *to, wr_unit unit);

/* Validity has been imported. */
WR_ALWAYS_INLINE wr_status convert(const wr_arrow_node *n, uint64_t at, wr_vector *out, size_t to_width,
                                   convert_value value, wr_error *err) {
    size_t width = n->format.width;
    const uint8_t *from = n->values->data + at * width;
    uint8_t *to = wr_vector_data_mut(out);
    for (uint32_t i = 0; i < out->row_count; i++) {
        if (WR_LIKELY(value(from + i * width, to + i * to_width, (wr_unit)n->format.unit))) continue;
        if (!wr_valid(out->validity, i)) continue;
        return wr_fail(err, WR_VALUE, "row %llu: a value of Arrow's %s does not fit %s",
                       (unsigned long long)(at - (uint64_t)n->array->offset + i), n->format.name,
                       wr_type_id_name((wr_type_id)n->type.id));
    }
    return WR_OK;
}

WR_ALWAYS_INLINE bool put_i64(uint8_t *to, int64_t value) {
    *(int64_t *)to = value;
    return true;
}

static bool half_to_f32(const uint8_t *from, uint8_t *to, wr_unit unit) {
    (void)unit;
    uint16_t half = (uint16_t) * (const any_i16 *)from;
    int exponent = half >> 10 & 31;
    float fraction = (float)(half & 1023);
    float value = exponent == 31 ? (fraction > 0 ? NAN : INFINITY)
                  : exponent     ? ldexpf(fraction + 1024, exponent - 25)
                                 : ldexpf(fraction, -24);
    *(float *)to = half >> 15 ? -value : value;
    return true;
}

static bool decimal32_to_i64(const uint8_t *from, uint8_t *to, wr_unit unit) {
    (void)unit;
    return put_i64(to, *(const any_i32 *)from);
}

static bool decimal128_to_i64(const uint8_t *from, uint8_t *to, wr_unit unit) {
    (void)unit;
    wr_int128 value = *(const any_i128 *)from;
    return put_i64(to, (int64_t)value) && (int64_t)value == value;
}

static bool decimal256_to_i128(const uint8_t *from, uint8_t *to, wr_unit unit) {
    (void)unit;
    wr_int128 low = *(const any_i128 *)from, high = *(const any_i128 *)(from + 16);
    *(wr_int128 *)to = low;
    return high == low >> 127;
}

static bool decimal256_to_i64(const uint8_t *from, uint8_t *to, wr_unit unit) {
    wr_int128 value;
    return decimal256_to_i128(from, (uint8_t *)&value, unit) && decimal128_to_i64((uint8_t *)&value, to, unit);
}

static bool ms_to_date(const uint8_t *from, uint8_t *to, wr_unit unit) {
    (void)unit;
    const int64_t day = 86400000;
    int64_t ms = *(const any_i64 *)from, days = ms / day - (ms % day < 0);
    *(int32_t *)to = (int32_t)days;
    return days == (int32_t)days;
}

/* Counts of a unit in microseconds; those of nanoseconds have to be whole ones. */
static bool scale_to_us(int64_t value, wr_unit unit, int64_t *out) {
    static const int64_t factors[] = {[WR_UNIT_S] = 1000000, [WR_UNIT_MS] = 1000, [WR_UNIT_US] = 1};
    *out = value / 1000;
    return unit == WR_UNIT_NS ? value % 1000 == 0 : !__builtin_mul_overflow(value, factors[unit], out);
}

static bool time32_to_us(const uint8_t *from, uint8_t *to, wr_unit unit) {
    int64_t us;
    return scale_to_us(*(const any_i32 *)from, unit, &us) && put_i64(to, us);
}

static bool time64_to_us(const uint8_t *from, uint8_t *to, wr_unit unit) {
    int64_t us;
    return scale_to_us(*(const any_i64 *)from, unit, &us) && put_i64(to, us);
}

static bool duration_to_interval(const uint8_t *from, uint8_t *to, wr_unit unit) {
    wr_interval *interval = (wr_interval *)to;
    *interval = (wr_interval){0};
    return scale_to_us(*(const any_i64 *)from, unit, &interval->micros);
}

static bool months_to_interval(const uint8_t *from, uint8_t *to, wr_unit unit) {
    (void)unit;
    *(wr_interval *)to = (wr_interval){.months = *(const any_i32 *)from};
    return true;
}

static bool day_time_to_interval(const uint8_t *from, uint8_t *to, wr_unit unit) {
    (void)unit;
    *(wr_interval *)to = (wr_interval){.days = *(const any_i32 *)from, .micros = *(const any_i32 *)(from + 4) * 1000LL};
    return true;
}

static bool month_day_nano_to_interval(const uint8_t *from, uint8_t *to, wr_unit unit) {
    (void)unit;
    wr_interval *interval = (wr_interval *)to;
    *interval = (wr_interval){.months = *(const any_i32 *)from, .days = *(const any_i32 *)(from + 4)};
    return scale_to_us(*(const any_i64 *)(from + 8), WR_UNIT_NS, &interval->micros);
}

static bool bytes_to_uuid(const uint8_t *from, uint8_t *to, wr_unit unit) {
    (void)unit;
    wr_uint128 high = __builtin_bswap64(*(const any_u64 *)from), low = __builtin_bswap64(*(const any_u64 *)(from + 8));
    *(wr_uint128 *)to = (high << 64 | low) ^ (wr_uint128)1 << 127;
    return true;
}

static wr_status import_decimals(const wr_arrow_node *n, uint64_t at, wr_vector *out, wr_error *err) {
    bool is_small = out->phys == WR_PHYS_I64;
    if (n->format.width == 32 && !is_small) return convert(n, at, out, 16, decimal256_to_i128, err);
    if (n->format.width == 32) return convert(n, at, out, 8, decimal256_to_i64, err);
    if (n->format.width == 16) return convert(n, at, out, 8, decimal128_to_i64, err);
    return convert(n, at, out, 8, decimal32_to_i64, err);
}

static wr_status import_converted(const wr_arrow_node *n, uint64_t at, uint32_t count, wr_vector *out, wr_allocator *a,
                                  wr_error *err) {
    WR_TRY(wr_vector_begin(out, a, n->type, WR_FLAT, count, err));
    WR_TRY(wr_arrow_validity_import(n, at, out, a, err));
    switch (n->format.layout) {
    case WR_ARROW_F16: return convert(n, at, out, 4, half_to_f32, err);
    case WR_ARROW_DECIMAL: return import_decimals(n, at, out, err);
    case WR_ARROW_DATE_MS: return convert(n, at, out, 4, ms_to_date, err);
    case WR_ARROW_TIME32: return convert(n, at, out, 8, time32_to_us, err);
    case WR_ARROW_TIME64: return convert(n, at, out, 8, time64_to_us, err);
    case WR_ARROW_DURATION: return convert(n, at, out, sizeof(wr_interval), duration_to_interval, err);
    case WR_ARROW_MONTHS: return convert(n, at, out, sizeof(wr_interval), months_to_interval, err);
    case WR_ARROW_DAY_TIME: return convert(n, at, out, sizeof(wr_interval), day_time_to_interval, err);
    case WR_ARROW_MONTH_DAY_NANO: return convert(n, at, out, sizeof(wr_interval), month_day_nano_to_interval, err);
    default: return convert(n, at, out, 16, bytes_to_uuid, err);
    }
}

/* ---- text ---- */

static bool is_ascii(const char *data, size_t size) {
    uint64_t seen = 0;
    size_t at = 0;
    for (; at + 8 <= size; at += 8) seen |= *(const any_u64 *)(data + at);
    for (; at < size; at++) seen |= (uint8_t)data[at];
    return (seen & UINT64_C(0x8080808080808080)) == 0;
}

static wr_status check_utf8(const wr_vector *v, wr_error *err) {
    const wr_string_view *views = v->data;
    for (uint32_t i = 0; i < v->row_count; i++) {
        if (!wr_valid(v->validity, i)) continue;
        wr_str text = wr_view_str(&views[i]);
        uint32_t good = is_ascii(text.data, text.size) ? text.size : wr_utf8_valid_prefix(text);
        if (good == text.size) continue;
        return wr_fail(err, WR_VALUE, "a text holds the byte 0x%02x at %u, which is no valid UTF-8 there",
                       (uint8_t)text.data[good], good);
    }
    return WR_OK;
}

static uint64_t offset_at(const void *offsets, size_t width, uint64_t i) {
    return width == 4 ? (uint64_t)((const any_i32 *)offsets)[i] : (uint64_t)((const any_i64 *)offsets)[i];
}

/* A negative offset is a large one here. */
static wr_status text_views(const wr_arrow_node *n, uint64_t at, wr_vector *out, wr_error *err) {
    const void *offsets = n->array->buffers[1];
    const char *text = n->array->buffers[2] ? n->array->buffers[2] : "";
    wr_string_view *views = wr_vector_data_mut(out);
    size_t width = n->format.width;
    uint64_t begin = offset_at(offsets, width, at), first = begin;
    for (uint32_t i = 0; i < out->row_count; i++) {
        uint64_t end = offset_at(offsets, width, at + i + 1);
        if (begin > end || end > n->text_bytes) {
            return wr_fail(err, WR_CORRUPT, "offset %lld of an Arrow array follows %lld; its text has %llu bytes",
                           (long long)end, (long long)begin, (unsigned long long)n->text_bytes);
        }
        if (end - begin > UINT32_MAX) {
            return wr_fail(err, WR_LIMIT, "a text of %llu bytes; 4 GiB is the most", (unsigned long long)(end - begin));
        }
        views[i] = wr_view_make(text + begin, (uint32_t)(end - begin));
        begin = end;
    }
    bool checked = n->type.id == WR_TYPE_BLOB || is_ascii(text + first, begin - first);
    return checked ? WR_OK : check_utf8(out, err);
}

/* Only rows that are not NULL are looked at. */
static wr_status text_views_of_views(const wr_arrow_node *n, uint64_t at, wr_vector *out, wr_error *err) {
    const struct ArrowArray *array = n->array;
    const uint8_t *from = (const uint8_t *)array->buffers[1] + at * sizeof(wr_string_view);
    const any_i64 *sizes = array->buffers[array->n_buffers - 1];
    wr_string_view *views = wr_vector_data_mut(out);
    for (uint32_t i = 0; i < out->row_count; i++, from += sizeof *views) {
        int64_t size = *(const any_i32 *)from, buffer = *(const any_i32 *)(from + 8);
        int64_t offset = *(const any_i32 *)(from + 12);
        views[i] = (wr_string_view){.words = {0, 0}};
        if (!wr_valid(out->validity, i)) continue;
        if (size >= 0 && size <= WR_STRING_INLINE) {
            views[i] = wr_view_make((const char *)from + 4, (uint32_t)size);
        } else if (size > 0 && buffer >= 0 && buffer < array->n_buffers - 3 && offset >= 0 &&
                   offset + size <= sizes[buffer]) {
            views[i] = wr_view_make((const char *)array->buffers[2 + buffer] + offset, (uint32_t)size);
        } else {
            return wr_fail(err, WR_CORRUPT, "an Arrow view of %lld bytes at %lld of buffer %lld lies outside of it",
                           (long long)size, (long long)offset, (long long)buffer);
        }
    }
    return n->type.id == WR_TYPE_BLOB ? WR_OK : check_utf8(out, err);
}

static wr_status import_text(const wr_arrow_node *n, uint64_t at, uint32_t count, wr_vector *out, wr_allocator *a,
                             wr_error *err) {
    WR_TRY(wr_vector_begin(out, a, n->type, WR_FLAT, count, err));
    WR_TRY(wr_arrow_validity_import(n, at, out, a, err));
    out->heap = wr_heap_retain(n->heap);
    if (n->format.layout == WR_ARROW_TEXT_VIEW) return text_views_of_views(n, at, out, err);
    if (n->format.layout != WR_ARROW_FIXED_BINARY) return text_views(n, at, out, err);
    wr_string_view *views = wr_vector_data_mut(out);
    const char *from = n->format.width ? (const char *)n->array->buffers[1] + at * n->format.width : "";
    for (uint32_t i = 0; i < count; i++) views[i] = wr_view_make(from + i * (size_t)n->format.width, n->format.width);
    return WR_OK;
}

/* ---- all ---- */

static bool is_text(const wr_arrow_node *n) {
    uint8_t layout = n->format.layout;
    return layout >= WR_ARROW_TEXT && layout <= WR_ARROW_FIXED_BINARY && n->type.id != WR_TYPE_UUID;
}

/* True when values of the layout are ours as they stand. */
static bool is_same_layout(const wr_arrow_node *n) {
    switch (n->format.layout) {
    case WR_ARROW_F16:
    case WR_ARROW_DATE_MS:
    case WR_ARROW_TIME32:
    case WR_ARROW_DURATION:
    case WR_ARROW_MONTHS:
    case WR_ARROW_DAY_TIME:
    case WR_ARROW_MONTH_DAY_NANO:
    case WR_ARROW_FIXED_BINARY: return false;
    case WR_ARROW_TIME64: return n->format.unit == WR_UNIT_US;
    default: return n->format.width == wr_phys_bytes(wr_type_phys(n->type));
    }
}

wr_status wr_arrow_values_import(const wr_arrow_node *n, uint64_t at, uint32_t count, wr_vector *out, wr_allocator *a,
                                 wr_error *err) {
    if (n->format.layout == WR_ARROW_NULL) return import_nulls(n, count, out, a, err);
    if (is_text(n)) return import_text(n, at, count, out, a, err);
    if (n->format.layout != WR_ARROW_BOOL && !is_same_layout(n)) return import_converted(n, at, count, out, a, err);
    WR_TRY(n->format.layout == WR_ARROW_BOOL ? import_booleans(n, at, count, out, a, err)
                                             : import_plain(n, at, count, out, a, err));
    return wr_arrow_validity_import(n, at, out, a, err);
}
