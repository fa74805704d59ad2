/* From the values that decoders give to the values that vectors hold, where the two differ.
 *
 * Most columns need nothing: the file's layout is ours. A value that our type cannot hold is an error, never another
 * value: a corrupt narrow integer, an instant that does not fit 64 bits of nanoseconds. */
#include "format/parquet/schema.h"

static wr_status fail_value(const char *what, int64_t value, wr_error *err) {
    return wr_fail(err, WR_CORRUPT, "the value %lld does not fit %s", (long long)value, what);
}

/* ---- integers ---- */

#define NARROW(name, from, to, what)                                                                                   \
    static wr_status name(const wr_pq_leaf *leaf, const void *raw, uint32_t n, void *out, wr_error *err) {             \
        (void)leaf;                                                                                                    \
        const from *in = raw;                                                                                          \
        to *result = out;                                                                                              \
        uint32_t odd = 0;                                                                                              \
        for (uint32_t i = 0; i < n; i++) {                                                                             \
            result[i] = (to)in[i];                                                                                     \
            odd |= (uint32_t)((from)result[i] != in[i]);                                                               \
        }                                                                                                              \
        for (uint32_t i = 0; odd && i < n; i++) {                                                                      \
            if ((from)result[i] != in[i]) return fail_value(what, in[i], err);                                         \
        }                                                                                                              \
        return WR_OK;                                                                                                  \
    }
NARROW(to_i8, int32_t, int8_t, "TINYINT")
NARROW(to_i16, int32_t, int16_t, "SMALLINT")
NARROW(to_u8, int32_t, uint8_t, "UTINYINT")
NARROW(to_u16, int32_t, uint16_t, "USMALLINT")
#undef NARROW

static wr_status i32_to_i64(const wr_pq_leaf *leaf, const void *raw, uint32_t n, void *out, wr_error *err) {
    (void)leaf, (void)err;
    const int32_t *in = raw;
    int64_t *result = out;
    for (uint32_t i = 0; i < n; i++) result[i] = in[i];
    return WR_OK;
}

static void put_i128(void *out, uint32_t i, wr_int128 value) {
    memcpy((uint8_t *)out + (size_t)i * sizeof value, &value, sizeof value);
}

static wr_status i32_to_i128(const wr_pq_leaf *leaf, const void *raw, uint32_t n, void *out, wr_error *err) {
    (void)leaf, (void)err;
    for (uint32_t i = 0; i < n; i++) put_i128(out, i, ((const int32_t *)raw)[i]);
    return WR_OK;
}

static wr_status i64_to_i128(const wr_pq_leaf *leaf, const void *raw, uint32_t n, void *out, wr_error *err) {
    (void)leaf, (void)err;
    for (uint32_t i = 0; i < n; i++) put_i128(out, i, ((const int64_t *)raw)[i]);
    return WR_OK;
}

/* ---- times ---- */

static wr_status millis_to_micros(const wr_pq_leaf *leaf, const void *raw, uint32_t n, void *out, wr_error *err) {
    (void)leaf, (void)err;
    for (uint32_t i = 0; i < n; i++) ((int64_t *)out)[i] = ((const int32_t *)raw)[i] * INT64_C(1000);
    return WR_OK;
}

/* A TIME of ours has microseconds; what is below is cut off. */
static wr_status nanos_to_micros(const wr_pq_leaf *leaf, const void *raw, uint32_t n, void *out, wr_error *err) {
    (void)leaf, (void)err;
    for (uint32_t i = 0; i < n; i++) ((int64_t *)out)[i] = ((const int64_t *)raw)[i] / 1000;
    return WR_OK;
}

/* 8 bytes of nanoseconds within the day, 4 of the Julian day. */
static wr_status int96_to_nanos(const wr_pq_leaf *leaf, const void *raw, uint32_t n, void *out, wr_error *err) {
    (void)leaf;
    enum { EPOCH_JULIAN_DAY = 2440588 };
    const uint8_t *in = raw;
    for (uint32_t i = 0; i < n; i++, in += 12) {
        int64_t nanos, instant;
        int32_t day;
        memcpy(&nanos, in, 8);
        memcpy(&day, in + 8, 4);
        int64_t days = (int64_t)day - EPOCH_JULIAN_DAY;
        if (__builtin_mul_overflow(days, INT64_C(86400000000000), &instant) ||
            __builtin_add_overflow(instant, nanos, &instant)) {
            (void)wr_fail(err, WR_VALUE, "an INT96 timestamp, %lld days after 1970-01-01, does not fit TIMESTAMP_NS",
                          (long long)days);
            return wr_hint(err, "nanoseconds in 64 bits reach from 1677 to 2262");
        }
        ((int64_t *)out)[i] = instant;
    }
    return WR_OK;
}

static wr_status fixed_to_interval(const wr_pq_leaf *leaf, const void *raw, uint32_t n, void *out, wr_error *err) {
    (void)leaf, (void)err;
    const uint8_t *in = raw;
    for (uint32_t i = 0; i < n; i++, in += 12) {
        uint32_t parts[3];
        memcpy(parts, in, sizeof parts);
        ((wr_interval *)out)[i] = (wr_interval){(int32_t)parts[0], (int32_t)parts[1], parts[2] * INT64_C(1000)};
    }
    return WR_OK;
}

/* ---- big-endian bytes ---- */

/* False when the number needs more than 128 bits. */
static bool read_big_endian(const uint8_t *bytes, uint32_t size, wr_int128 *out) {
    uint8_t fill = size && bytes[0] & 0x80 ? 0xff : 0;
    while (size > 16) {
        if (*bytes != fill || ((bytes[1] ^ fill) & 0x80)) return false;
        bytes++;
        size--;
    }
    wr_uint128 value = fill ? ~(wr_uint128)0 : 0;
    for (uint32_t i = 0; i < size; i++) value = value << 8 | bytes[i];
    *out = (wr_int128)value;
    return true;
}

static wr_status put_decimal(const wr_pq_leaf *leaf, const uint8_t *bytes, uint32_t size, void *out, uint32_t i,
                             wr_error *err) {
    wr_int128 value;
    bool fits = read_big_endian(bytes, size, &value);
    if (fits && leaf->phys == WR_PHYS_I64) {
        int64_t narrow = (int64_t)value;
        fits = narrow == value;
        ((int64_t *)out)[i] = narrow;
    } else if (fits) {
        put_i128(out, i, value);
    }
    if (fits) return WR_OK;
    return wr_fail(err, WR_CORRUPT, "a decimal of %u bytes does not fit DECIMAL(%u, %u)", size, leaf->type.precision,
                   leaf->type.scale);
}

static wr_status fixed_to_decimal(const wr_pq_leaf *leaf, const void *raw, uint32_t n, void *out, wr_error *err) {
    const uint8_t *in = raw;
    for (uint32_t i = 0; i < n; i++, in += leaf->fixed_bytes)
        WR_TRY(put_decimal(leaf, in, leaf->fixed_bytes, out, i, err));
    return WR_OK;
}

static wr_status view_to_decimal(const wr_pq_leaf *leaf, const void *raw, uint32_t n, void *out, wr_error *err) {
    const wr_string_view *in = raw;
    for (uint32_t i = 0; i < n; i++) {
        wr_str bytes = wr_view_str(&in[i]);
        WR_TRY(put_decimal(leaf, (const uint8_t *)bytes.data, bytes.size, out, i, err));
    }
    return WR_OK;
}

/* The top bit is flipped, so that signed order is the order of the text. */
static wr_status fixed_to_uuid(const wr_pq_leaf *leaf, const void *raw, uint32_t n, void *out, wr_error *err) {
    (void)leaf, (void)err;
    const uint8_t *in = raw;
    for (uint32_t i = 0; i < n; i++, in += 16) {
        wr_uint128 value = 0;
        for (uint32_t k = 0; k < 16; k++) value = value << 8 | in[k];
        put_i128(out, i, (wr_int128)(value ^ (wr_uint128)1 << 127));
    }
    return WR_OK;
}

/* ---- floats ---- */

static float half_to_float(uint16_t half) {
    uint32_t sign = (uint32_t)(half >> 15) << 31, exponent = half >> 10 & 0x1f, fraction = half & 0x3ff, bits;
    if (exponent == 0x1f) {
        bits = sign | 0x7f800000 | fraction << 13;
    } else if (exponent) {
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    } else {
        float small = (float)fraction * 0x1p-24f; /* exact: subnormal halves are normal floats */
        memcpy(&bits, &small, 4);
        bits |= sign;
    }
    float result;
    memcpy(&result, &bits, 4);
    return result;
}

static wr_status half_to_f32(const wr_pq_leaf *leaf, const void *raw, uint32_t n, void *out, wr_error *err) {
    (void)leaf, (void)err;
    for (uint32_t i = 0; i < n; i++) {
        uint16_t half;
        memcpy(&half, (const uint8_t *)raw + 2 * (size_t)i, 2);
        ((float *)out)[i] = half_to_float(half);
    }
    return WR_OK;
}

/* ---- which one ---- */

static wr_pq_convert integer_conversion(wr_phys phys) {
    switch (phys) {
    case WR_PHYS_I8: return to_i8;
    case WR_PHYS_I16: return to_i16;
    case WR_PHYS_U8: return to_u8;
    case WR_PHYS_U16: return to_u16;
    case WR_PHYS_I64: return i32_to_i64;
    case WR_PHYS_I128: return i32_to_i128;
    default: return NULL;
    }
}

static wr_pq_convert fixed_conversion(const wr_pq_leaf *leaf) {
    switch (leaf->type.id) {
    case WR_TYPE_DECIMAL: return fixed_to_decimal;
    case WR_TYPE_UUID: return fixed_to_uuid;
    case WR_TYPE_FLOAT: return half_to_f32;
    case WR_TYPE_INTERVAL: return fixed_to_interval;
    default: return NULL;
    }
}

void wr_pq_leaf_set_conversion(wr_pq_leaf *leaf, const wr_pq_element *e) {
    static const uint8_t raw_bytes[WR_PQ_PHYSICALS] = {
        1, 4, 8, 12, 4, 8, sizeof(wr_string_view), sizeof(wr_string_view)};
    leaf->phys = (uint8_t)wr_type_phys(leaf->type);
    leaf->check_utf8 = leaf->type.id == WR_TYPE_VARCHAR;
    leaf->raw_bytes = raw_bytes[leaf->physical];
    leaf->raw_views = leaf->physical == WR_PQ_BYTE_ARRAY;
    bool is_time = leaf->type.id == WR_TYPE_TIME;
    switch (leaf->physical) {
    case WR_PQ_INT32: leaf->convert = is_time ? millis_to_micros : integer_conversion((wr_phys)leaf->phys); break;
    case WR_PQ_INT64:
        if (is_time && e->unit == WR_UNIT_NS) leaf->convert = nanos_to_micros;
        if (leaf->phys == WR_PHYS_I128) leaf->convert = i64_to_i128;
        break;
    case WR_PQ_INT96: leaf->convert = int96_to_nanos; break;
    case WR_PQ_BYTE_ARRAY: leaf->convert = leaf->type.id == WR_TYPE_DECIMAL ? view_to_decimal : NULL; break;
    case WR_PQ_FIXED:
        leaf->convert = fixed_conversion(leaf);
        leaf->raw_views = !leaf->convert;
        if (leaf->convert) leaf->raw_bytes = leaf->fixed_bytes;
        break;
    default: break;
    }
}
