/* Values as text. Nothing here asks the locale: of what the C library prints, digits alone are taken. */
#include "column/print.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "column/civil.h"

static size_t put(char *out, const char *z) {
    size_t size = strlen(z);
    memcpy(out, z, size);
    return size;
}

static size_t put_u128(char *out, wr_uint128 value) {
    char digits[40];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value);
    memcpy(out, digits + at, sizeof digits - at);
    return sizeof digits - at;
}

size_t wr_print_u64(char *out, uint64_t value) {
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value);
    memcpy(out, digits + at, sizeof digits - at);
    return sizeof digits - at;
}

size_t wr_print_i64(char *out, int64_t value) {
    if (value >= 0) return wr_print_u64(out, (uint64_t)value);
    *out = '-';
    return 1 + wr_print_u64(out + 1, -(uint64_t)value);
}

static wr_uint128 magnitude(wr_int128 value) {
    return value < 0 ? -(wr_uint128)value : (wr_uint128)value;
}

size_t wr_print_i128(char *out, wr_int128 value) {
    size_t sign = value < 0;
    if (sign) *out = '-';
    return sign + put_u128(out + sign, magnitude(value));
}

size_t wr_print_decimal(char *out, wr_int128 value, unsigned scale) {
    char digits[40];
    size_t count = put_u128(digits, magnitude(value)), at = 0;
    if (value < 0) out[at++] = '-';
    if (count <= scale) {
        out[at++] = '0';
    } else {
        memcpy(out + at, digits, count - scale);
        at += count - scale;
    }
    if (scale == 0) return at;
    out[at++] = '.';
    for (size_t pad = count; pad < scale; pad++) out[at++] = '0';
    size_t fraction = count < scale ? count : scale;
    memcpy(out + at, digits + count - fraction, fraction);
    return at + fraction;
}

/* ---- floats ---- */

enum { MAX_DIGITS = 17 };

typedef struct float_digits {
    char digits[MAX_DIGITS + 1];
    int count;    /* without zeros at the end */
    int exponent; /* of the first digit */
} float_digits;

static bool reads_back(const char *text, double value, bool single) {
    return single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value;
}

/* The digits of a positive, finite number: as few as read back. Normal numbers need 15 (6) at least to be sure of,
 * which trailing zeros taken off make the shortest; subnormal ones have fewer digits in them and are tried from one on.
 */
static float_digits digits_of(double value, bool single) {
    int least = single ? 6 : 15, most = single ? 9 : 17;
    if (value < (single ? 1.17549435082228751e-38 : 2.2250738585072014e-308)) least = 1;
    char text[48];
    for (int count = least;; count++) {
        snprintf(text, sizeof text, "%.*e", count - 1, value);
        if (count == most || reads_back(text, value, single)) break;
    }
    float_digits d = {.count = 0};
    const char *at = text;
    for (; *at && *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9' && d.count < MAX_DIGITS) d.digits[d.count++] = *at;
    }
    d.exponent = *at ? (int)strtol(at + 1, NULL, 10) : 0;
    while (d.count > 1 && d.digits[d.count - 1] == '0') d.count--;
    return d;
}

/* At least two digits: "e-05", "e+308". */
static size_t put_exponent(char *out, int exponent) {
    unsigned size = (unsigned)(exponent < 0 ? -exponent : exponent);
    out[0] = 'e';
    out[1] = exponent < 0 ? '-' : '+';
    out[2] = '0';
    return 2 + (size < 10) + wr_print_u64(out + 2 + (size < 10), size);
}

static size_t put_digits(char *out, float_digits d) {
    size_t at = 0;
    if (d.exponent < -4 || d.exponent >= 16) {
        out[at++] = d.digits[0];
        if (d.count > 1) out[at++] = '.';
        for (int i = 1; i < d.count; i++) out[at++] = d.digits[i];
        return at + put_exponent(out + at, d.exponent);
    }
    if (d.exponent < 0) {
        at += put(out, "0.");
        for (int i = d.exponent + 1; i < 0; i++) out[at++] = '0';
        for (int i = 0; i < d.count; i++) out[at++] = d.digits[i];
        return at;
    }
    for (int i = 0; i <= d.exponent; i++) out[at++] = i < d.count ? d.digits[i] : '0';
    out[at++] = '.';
    if (d.count <= d.exponent + 1) out[at++] = '0';
    for (int i = d.exponent + 1; i < d.count; i++) out[at++] = d.digits[i];
    return at;
}

static size_t put_float(char *out, double value, bool single) {
    if (isnan(value)) return put(out, "nan");
    size_t sign = signbit(value) != 0;
    if (sign) *out = '-';
    if (isinf(value)) return sign + put(out + sign, "inf");
    if (value == 0) return sign + put(out + sign, "0.0");
    return sign + put_digits(out + sign, digits_of(fabs(value), single));
}

size_t wr_print_f64(char *out, double value) {
    return put_float(out, value, false);
}

size_t wr_print_f32(char *out, float value) {
    return put_float(out, (double)value, true);
}

/* ---- dates and times ---- */

static size_t put_2(char *out, uint32_t value) {
    out[0] = (char)('0' + value / 10);
    out[1] = (char)('0' + value % 10);
    return 2;
}

size_t wr_print_date(char *out, int64_t days) {
    if (days == INT32_MAX || days == -INT32_MAX) return put(out, days < 0 ? "-infinity" : "infinity");
    wr_civil civil = wr_civil_from_days(days);
    bool before_christ = civil.year <= 0;
    uint64_t year = (uint64_t)(before_christ ? 1 - civil.year : civil.year);
    size_t at = 0;
    for (uint64_t limit = 1000; limit > 1 && year < limit; limit /= 10) out[at++] = '0';
    at += wr_print_u64(out + at, year);
    out[at++] = '-';
    at += put_2(out + at, civil.month);
    out[at++] = '-';
    at += put_2(out + at, civil.day);
    return before_christ ? at + put(out + at, " (BC)") : at;
}

/* "hh:mm:ss" and a fraction without zeros at its end; `ticks_per_second` is a power of ten. Hours may be many. */
static size_t put_clock(char *out, uint64_t ticks, uint64_t ticks_per_second) {
    uint64_t seconds = ticks / ticks_per_second, fraction = ticks % ticks_per_second;
    uint64_t hours = seconds / 3600;
    size_t at = 0;
    at += hours < 100 ? put_2(out, (uint32_t)hours) : wr_print_u64(out, hours);
    out[at++] = ':';
    at += put_2(out + at, (uint32_t)(seconds / 60 % 60));
    out[at++] = ':';
    at += put_2(out + at, (uint32_t)(seconds % 60));
    if (fraction == 0) return at;
    out[at++] = '.';
    while (fraction) {
        ticks_per_second /= 10;
        out[at++] = (char)('0' + (int)(fraction / ticks_per_second));
        fraction %= ticks_per_second;
    }
    return at;
}

size_t wr_print_time(char *out, int64_t micros) {
    size_t sign = micros < 0;
    if (sign) *out = '-';
    return sign + put_clock(out + sign, (uint64_t)(micros < 0 ? -micros : micros), 1000000);
}

size_t wr_print_timestamp(char *out, int64_t value, wr_unit unit) {
    static const int64_t per_second[] = {1, 1000, 1000000, 1000000000};
    if (value == INT64_MAX || value == -INT64_MAX) return put(out, value < 0 ? "-infinity" : "infinity");
    int64_t per_day = per_second[unit] * 86400;
    int64_t days = value / per_day, rest = value % per_day;
    if (rest < 0) {
        days -= 1;
        rest += per_day;
    }
    size_t at = wr_print_date(out, days);
    out[at++] = ' ';
    return at + put_clock(out + at, (uint64_t)rest, (uint64_t)per_second[unit]);
}

static size_t put_part(char *out, size_t at, int32_t count, const char *unit) {
    if (count == 0) return at;
    if (at) out[at++] = ' ';
    at += wr_print_i64(out + at, count);
    out[at++] = ' ';
    at += put(out + at, unit);
    if (count != 1 && count != -1) out[at++] = 's';
    return at;
}

size_t wr_print_interval(char *out, wr_interval value) {
    size_t at = put_part(out, 0, value.months / 12, "year");
    at = put_part(out, at, value.months % 12, "month");
    at = put_part(out, at, value.days, "day");
    if (value.micros == 0 && at > 0) return at;
    if (at) out[at++] = ' ';
    if (value.micros < 0) out[at++] = '-';
    uint64_t micros = value.micros < 0 ? -(uint64_t)value.micros : (uint64_t)value.micros;
    return at + put_clock(out + at, micros, 1000000);
}

size_t wr_print_uuid(char *out, wr_int128 value) {
    wr_uint128 bits = (wr_uint128)value ^ ((wr_uint128)1 << 127);
    size_t at = 0;
    for (int nibble = 31; nibble >= 0; nibble--) {
        out[at++] = "0123456789abcdef"[(unsigned)(bits >> (nibble * 4)) & 15];
        if (nibble == 24 || nibble == 20 || nibble == 16 || nibble == 12) out[at++] = '-';
    }
    return at;
}
