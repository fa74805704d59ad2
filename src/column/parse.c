/* Numbers, booleans and UUIDs out of text; dates and times are in parse_time.c.
 *
 * A number is first read as digits and a power of ten, which is all that any of the numeric types needs. A double is then
 * exact when both fit a double exactly (Clinger's fast path), which is nearly always; else the C library rounds it, from
 * a text without a point, so that no locale has a say. */
#include "column/parse.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "column/parse_internal.h"

enum { DIGITS_MAX = 39, DIGITS_OF_TEXT = 800, EXPONENT_MAX = 100000 };
#define ROOM_FOR_A_DIGIT ((~(wr_uint128)0 - 9) / 10)

typedef struct number_text {
    bool negative;
    wr_uint128 digits; /* as many of the first significant ones as fit */
    int exponent;      /* of the last of them */
    bool cut;          /* digits that are not zero were dropped */
} number_text;

wr_str wr_parse_trim(wr_str s) {
    while (s.size && wr_is_blank(s.data[0])) {
        s.data++;
        s.size--;
    }
    while (s.size && wr_is_blank(s.data[s.size - 1])) s.size--;
    return s;
}

bool wr_parse_word(wr_str s, const char *word) {
    return wr_str_equal_nocase(s, wr_str_from(word));
}

/* An underscore stands between two digits. */
static bool skip_underscore(wr_str s, uint32_t at) {
    return s.data[at] == '_' && at > 0 && wr_is_digit(s.data[at - 1]) && at + 1 < s.size && wr_is_digit(s.data[at + 1]);
}

static bool read_exponent(wr_str s, uint32_t at, int *out) {
    bool negative = at < s.size && s.data[at] == '-';
    if (at < s.size && (s.data[at] == '-' || s.data[at] == '+')) at++;
    if (at == s.size) return false;
    int value = 0;
    for (; at < s.size; at++) {
        if (!wr_is_digit(s.data[at])) return false;
        if (value < EXPONENT_MAX) value = value * 10 + (s.data[at] - '0');
    }
    *out = negative ? -value : value;
    return true;
}

static bool read_number(wr_str s, number_text *out) {
    *out = (number_text){.negative = false};
    uint32_t at = 0;
    if (s.size && (s.data[0] == '-' || s.data[0] == '+')) out->negative = s.data[at++] == '-';
    bool any = false, behind = false, full = false;
    for (; at < s.size; at++) {
        char c = s.data[at];
        if (c == '.' && !behind) {
            behind = true;
        } else if (wr_is_digit(c)) {
            any = true;
            if (!full && out->digits <= ROOM_FOR_A_DIGIT) {
                out->digits = out->digits * 10 + (unsigned)(c - '0');
                out->exponent -= behind;
            } else {
                full = true;
                out->cut |= c != '0';
                out->exponent += !behind;
            }
        } else if (!skip_underscore(s, at)) {
            break;
        }
    }
    if (!any) return false;
    if (at == s.size) return true;
    if (s.data[at] != 'e' && s.data[at] != 'E') return false;
    int exponent;
    if (!read_exponent(s, at + 1, &exponent)) return false;
    out->exponent += exponent;
    return true;
}

bool wr_parse_bool(wr_str text, bool *out) {
    static const char *const yes[] = {"true", "t", "1", "yes", "y"}, *const no[] = {"false", "f", "0", "no", "n"};
    wr_str s = wr_parse_trim(text);
    for (size_t i = 0; i < WR_COUNT_OF(yes); i++) {
        if (wr_parse_word(s, yes[i]) || wr_parse_word(s, no[i])) {
            *out = wr_parse_word(s, yes[i]);
            return true;
        }
    }
    return false;
}

/* ---- integers and decimals ---- */

/* digits * 10^exponent, rounded half away from zero; false beyond 128 bits. */
static bool scale_number(const number_text *n, int exponent, wr_int128 *out) {
    wr_uint128 value = n->digits;
    if (exponent > 0 && value != 0) {
        if (exponent > DIGITS_MAX) return false;
        for (int i = 0; i < exponent; i++) {
            if (__builtin_mul_overflow(value, (wr_uint128)10, &value)) return false;
        }
    }
    if (exponent < 0) {
        int drop = -exponent;
        for (; drop > 1 && value; drop--) value /= 10;
        value = drop == 1 ? (value + 5) / 10 : 0;
    }
    if (value >> 127) {
        if (!n->negative || value != (wr_uint128)1 << 127) return false;
    }
    *out = n->negative ? (wr_int128)-value : (wr_int128)value;
    return true;
}

static bool parse_hexadecimal(wr_str s, wr_int128 *out) {
    wr_uint128 value = 0;
    if (s.size < 3 || s.size > 34) return false;
    for (uint32_t i = 2; i < s.size; i++) {
        int digit = wr_hex_digit(s.data[i]);
        if (digit < 0) return false;
        value = value << 4 | (unsigned)digit;
    }
    *out = (wr_int128)value;
    return *out >= 0;
}

/* What nearly all integers in text look like. */
static bool parse_plain(wr_str s, wr_int128 *out) {
    uint32_t at = s.size && (s.data[0] == '-' || s.data[0] == '+');
    if (s.size - at == 0 || s.size - at > 18) return false;
    int64_t value = 0;
    for (uint32_t i = at; i < s.size; i++) {
        if (!wr_is_digit(s.data[i])) return false;
        value = value * 10 + (s.data[i] - '0');
    }
    *out = s.data[0] == '-' ? -value : value;
    return true;
}

bool wr_parse_integer(wr_str text, wr_int128 *out) {
    wr_str s = wr_parse_trim(text);
    if (parse_plain(s, out)) return true;
    if (s.size > 2 && s.data[0] == '0' && (s.data[1] == 'x' || s.data[1] == 'X')) return parse_hexadecimal(s, out);
    number_text n;
    return read_number(s, &n) && scale_number(&n, n.exponent, out);
}

bool wr_parse_decimal(wr_str text, unsigned precision, unsigned scale, wr_int128 *out) {
    number_text n;
    if (!read_number(wr_parse_trim(text), &n) || !scale_number(&n, n.exponent + (int)scale, out)) return false;
    wr_int128 limit = 1;
    for (unsigned i = 0; i < precision; i++) limit *= 10;
    return *out<limit && * out> - limit;
}

/* ---- floats ---- */

static bool parse_named(wr_str s, double *out) {
    bool negative = s.size && s.data[0] == '-';
    if (s.size && (s.data[0] == '-' || s.data[0] == '+')) {
        s.data++;
        s.size--;
    }
    bool infinite = wr_parse_word(s, "inf") || wr_parse_word(s, "infinity");
    if (!infinite && !wr_parse_word(s, "nan")) return false;
    *out = infinite ? (negative ? -INFINITY : INFINITY) : NAN;
    return true;
}

/* The text again without point and underscores, for the C library. */
static void rewrite_number(wr_str s, const number_text *n, char out[DIGITS_OF_TEXT + 32]) {
    size_t at = 0;
    int dropped = 0, seen = 0;
    bool behind = false;
    if (n->negative) out[at++] = '-';
    int exponent = 0;
    for (uint32_t i = 0; i < s.size && s.data[i] != 'e' && s.data[i] != 'E'; i++) {
        if (s.data[i] == '.') behind = true;
        if (!wr_is_digit(s.data[i])) continue;
        if (s.data[i] == '0' && seen == 0) {
            exponent -= behind;
            continue;
        }
        if (seen < DIGITS_OF_TEXT) {
            out[at++] = s.data[i];
            seen++;
            exponent -= behind;
        } else {
            dropped |= s.data[i] != '0';
            exponent += !behind;
        }
    }
    /* A digit behind 800 others only says on which side of a middle the number is. */
    if (dropped) out[at - 1] |= 1;
    int written = 0;
    for (uint32_t i = 0; i < s.size; i++) {
        if (s.data[i] == 'e' || s.data[i] == 'E') (void)read_exponent(s, i + 1, &written);
    }
    if (seen == 0) out[at++] = '0';
    snprintf(out + at, 24, "e%d", exponent + written);
}

bool wr_parse_f64(wr_str text, double *out) {
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    wr_str s = wr_parse_trim(text);
    number_text n;
    if (!read_number(s, &n)) return parse_named(s, out);
    if (!n.cut && n.digits <= (wr_uint128)1 << 53 && n.exponent >= -22 && n.exponent <= 22) {
        double value = (double)(uint64_t)n.digits;
        value = n.exponent < 0 ? value / powers[-n.exponent] : value * powers[n.exponent];
        *out = n.negative ? -value : value;
        return true;
    }
    char plain[DIGITS_OF_TEXT + 32];
    rewrite_number(s, &n, plain);
    *out = strtod(plain, NULL);
    return true;
}

bool wr_parse_f32(wr_str text, float *out) {
    static const float powers[] = {1e0f, 1e1f, 1e2f, 1e3f, 1e4f, 1e5f, 1e6f, 1e7f, 1e8f, 1e9f, 1e10f};
    wr_str s = wr_parse_trim(text);
    number_text n;
    if (!read_number(s, &n)) {
        double named;
        if (!parse_named(s, &named)) return false;
        *out = (float)named;
        return true;
    }
    if (!n.cut && n.digits <= (wr_uint128)1 << 24 && n.exponent >= -10 && n.exponent <= 10) {
        float value = (float)(uint32_t)n.digits;
        value = n.exponent < 0 ? value / powers[-n.exponent] : value * powers[n.exponent];
        *out = n.negative ? -value : value;
        return true;
    }
    char plain[DIGITS_OF_TEXT + 32];
    rewrite_number(s, &n, plain);
    *out = strtof(plain, NULL);
    return true;
}

/* ---- UUIDs ---- */

bool wr_parse_uuid(wr_str text, wr_int128 *out) {
    wr_str s = wr_parse_trim(text);
    if (s.size > 1 && s.data[0] == '{' && s.data[s.size - 1] == '}') s = (wr_str){s.data + 1, s.size - 2};
    wr_uint128 bits = 0;
    unsigned digits = 0;
    for (uint32_t i = 0; i < s.size; i++) {
        int digit = wr_hex_digit(s.data[i]);
        if (digit < 0) {
            bool between_bytes =
                s.data[i] == '-' && digits > 0 && digits < 32 && digits % 4 == 0 && s.data[i - 1] != '-';
            if (!between_bytes) return false;
            continue;
        }
        bits = bits << 4 | (unsigned)digit;
        if (++digits > 32) return false;
    }
    *out = (wr_int128)(bits ^ (wr_uint128)1 << 127);
    return digits == 32;
}
