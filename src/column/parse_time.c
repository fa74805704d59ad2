/* Dates, times, timestamps and intervals out of text: a cursor that takes what it can and says whether it could. */
#include "column/civil.h"
#include "column/parse.h"
#include "column/parse_internal.h"

typedef struct cursor {
    const char *at, *end;
} cursor;

static cursor cursor_of(wr_str text) {
    wr_str s = wr_parse_trim(text);
    return (cursor){s.data, s.data + s.size};
}

static bool take(cursor *c, char expected) {
    if (c->at == c->end || *c->at != expected) return false;
    c->at++;
    return true;
}

static void skip_blanks(cursor *c) {
    while (c->at < c->end && wr_is_blank(*c->at)) c->at++;
}

static wr_str rest(const cursor *c) {
    return (wr_str){c->at, (uint32_t)(c->end - c->at)};
}

static bool take_number(cursor *c, unsigned digits_max, int64_t *out) {
    const char *start = c->at;
    *out = 0;
    while (c->at < c->end && wr_is_digit(*c->at) && (unsigned)(c->at - start) < digits_max) {
        *out = *out * 10 + (*c->at++ - '0');
    }
    return c->at > start;
}

static uint32_t last_day(int64_t year, int64_t month) {
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

/* ---- dates ---- */

static bool take_date(cursor *c, int64_t *days) {
    int64_t year, month, day;
    bool negative = take(c, '-');
    if (!take_number(c, 7, &year) || c->at == c->end) return false;
    char separator = *c->at;
    if (separator != '-' && separator != '/' && separator != '\\') return false;
    c->at++;
    if (!take_number(c, 2, &month) || !take(c, separator) || !take_number(c, 2, &day)) return false;
    if (c->at < c->end && wr_is_digit(*c->at)) return false;
    if (negative) year = -year;
    static const char era[] = " (BC)";
    if ((size_t)(c->end - c->at) >= sizeof era - 1 && memcmp(c->at, era, sizeof era - 1) == 0) {
        if (year <= 0) return false;
        year = 1 - year;
        c->at += sizeof era - 1;
    }
    if (month < 1 || month > 12 || day < 1 || day > last_day(year, month)) return false;
    *days = wr_civil_to_days(year, (uint32_t)month, (uint32_t)day);
    return true;
}

/* epoch, infinity, -infinity: 2 for the first, 1 and -1 for the others, 0 for none. */
static int named_date(wr_str s) {
    if (wr_parse_word(s, "epoch")) return 2;
    if (wr_parse_word(s, "infinity") || wr_parse_word(s, "inf")) return 1;
    return wr_parse_word(s, "-infinity") || wr_parse_word(s, "-inf") ? -1 : 0;
}

bool wr_parse_date(wr_str text, int32_t *out) {
    wr_parsed_timestamp parsed;
    if (!wr_parse_timestamp(text, &parsed)) return false;
    if (parsed.infinite) {
        *out = parsed.infinite * INT32_MAX;
        return true;
    }
    *out = (int32_t)parsed.days;
    return parsed.days < INT32_MAX && parsed.days > -INT32_MAX;
}

/* ---- times ---- */

static bool take_fraction(cursor *c, int64_t *nanos) {
    int64_t unit = 100000000;
    *nanos = 0;
    const char *start = c->at;
    for (; c->at < c->end && wr_is_digit(*c->at); c->at++) {
        *nanos += unit * (*c->at - '0');
        unit /= 10;
    }
    return c->at > start;
}

/* hh:mm[:ss[.fraction]] */
static bool take_time(cursor *c, int64_t *nanos) {
    int64_t hours, minutes, seconds = 0, fraction = 0;
    if (!take_number(c, 2, &hours) || !take(c, ':') || !take_number(c, 2, &minutes)) return false;
    if (take(c, ':')) {
        if (!take_number(c, 2, &seconds)) return false;
        if (take(c, '.') && !take_fraction(c, &fraction)) return false;
    }
    bool midnight = hours == 24 && minutes == 0 && seconds == 0 && fraction == 0;
    if ((hours > 23 && !midnight) || minutes > 59 || seconds > 59) return false;
    *nanos = ((hours * 60 + minutes) * 60 + seconds) * 1000000000 + fraction;
    return true;
}

bool wr_parse_time(wr_str text, int64_t *out) {
    cursor c = cursor_of(text);
    int64_t nanos;
    if (!take_time(&c, &nanos) || c.at != c.end) return false;
    *out = nanos / 1000;
    return true;
}

/* +hh[[:]mm[[:]ss]] */
static bool take_offset(cursor *c, int32_t *seconds) {
    bool negative = c->at < c->end && *c->at == '-';
    c->at++;
    int64_t parts[3] = {0, 0, 0};
    if (!take_number(c, 2, &parts[0])) return false;
    for (int i = 1; i < 3 && c->at < c->end; i++) {
        bool colon = take(c, ':');
        if (!take_number(c, 2, &parts[i]) && colon) return false;
    }
    if (parts[0] > 18 || parts[1] > 59 || parts[2] > 59) return false;
    *seconds = (int32_t)(parts[0] * 3600 + parts[1] * 60 + parts[2]);
    if (negative) *seconds = -*seconds;
    return true;
}

static bool take_zone(cursor *c, wr_parsed_timestamp *out) {
    skip_blanks(c);
    if (c->at == c->end) return true;
    if ((*c->at == 'Z' || *c->at == 'z') && c->at + 1 == c->end) {
        c->at++;
        out->has_offset = true;
        return true;
    }
    if (*c->at == '+' || *c->at == '-') {
        out->has_offset = true;
        return take_offset(c, &out->offset_seconds);
    }
    out->zone = rest(c);
    for (uint32_t i = 0; i < out->zone.size; i++) {
        char z = out->zone.data[i];
        if (!wr_is_letter(z) && !(i && (wr_is_digit(z) || z == '/' || z == '_' || z == '-' || z == '+'))) return false;
    }
    c->at = c->end;
    return true;
}

bool wr_parse_timestamp(wr_str text, wr_parsed_timestamp *out) {
    *out = (wr_parsed_timestamp){.zone = {NULL, 0}};
    cursor c = cursor_of(text);
    int named = named_date(rest(&c));
    if (named) {
        out->infinite = (int8_t)(named == 2 ? 0 : named);
        return true;
    }
    if (!take_date(&c, &out->days)) return false;
    if (c.at == c.end) return true;
    if (*c.at != 'T' && *c.at != 't' && !wr_is_blank(*c.at)) return false;
    c.at++;
    skip_blanks(&c);
    return take_time(&c, &out->nanos) && take_zone(&c, out) && c.at == c.end;
}

bool wr_timestamp_from_parsed(const wr_parsed_timestamp *parsed, wr_unit unit, bool use_offset, int64_t *out) {
    static const int64_t per_second[] = {1, 1000, 1000000, 1000000000};
    if (parsed->infinite) {
        *out = parsed->infinite * INT64_MAX;
        return true;
    }
    wr_int128 seconds = (wr_int128)parsed->days * 86400 - (use_offset ? parsed->offset_seconds : 0);
    wr_int128 value = seconds * per_second[unit] + parsed->nanos / (1000000000 / per_second[unit]);
    *out = (int64_t)value;
    return value < INT64_MAX && value > -INT64_MAX;
}

/* ---- intervals ---- */

typedef struct unit_name {
    const char *names; /* with blanks between them */
    wr_interval one;
} unit_name;

#define MICROS INT64_C(1000000)
static const unit_name units[] = {
    {"microsecond microseconds us usec usecs usecond useconds", {0, 0, 1}},
    {"millisecond milliseconds ms msec msecs msecond mseconds", {0, 0, 1000}},
    {"second seconds sec secs s", {0, 0, MICROS}},
    {"minute minutes min mins m", {0, 0, 60 * MICROS}},
    {"hour hours hr hrs h", {0, 0, 3600 * MICROS}},
    {"day days d dayofmonth", {0, 1, 0}},
    {"week weeks w", {0, 7, 0}},
    {"month months mon mons", {1, 0, 0}},
    {"quarter quarters", {3, 0, 0}},
    {"year years yr yrs y", {12, 0, 0}},
    {"decade decades dec decs", {120, 0, 0}},
    {"century centuries cent c", {1200, 0, 0}},
    {"millennium millennia millenium mil mils", {12000, 0, 0}},
};

static bool lists_name(const char *names, wr_str name) {
    while (*names) {
        size_t size = strcspn(names, " ");
        if (wr_str_equal_nocase((wr_str){names, (uint32_t)size}, name)) return true;
        names += size;
        names += *names == ' ';
    }
    return false;
}

bool wr_parse_interval_unit(wr_str name, wr_interval *out) {
    for (size_t i = 0; i < WR_COUNT_OF(units); i++) {
        if (lists_name(units[i].names, name)) {
            *out = units[i].one;
            return true;
        }
    }
    return false;
}

/* A sum that is checked once, at the end. */
typedef struct wide_interval {
    wr_int128 months, days, micros;
} wide_interval;

/* count + fraction / 10^9 of a unit: what is left of a month becomes days, of a day a time. */
static void add_units(wide_interval *sum, wr_interval one, int64_t count, int64_t nano_fraction, bool negative) {
    int sign = negative ? -1 : 1;
    if (one.months) {
        sum->months += sign * (wr_int128)count * one.months;
        wr_int128 part = (wr_int128)nano_fraction * one.months; /* of months, in billionths */
        sum->months += sign * (part / 1000000000);
        part = part % 1000000000 * 30;
        sum->days += sign * (part / 1000000000);
        sum->micros += sign * (part % 1000000000 * 86400 * MICROS / 1000000000);
    } else if (one.days) {
        sum->days += sign * (wr_int128)count * one.days;
        wr_int128 part = (wr_int128)nano_fraction * one.days;
        sum->days += sign * (part / 1000000000);
        sum->micros += sign * (part % 1000000000 * 86400 * MICROS / 1000000000);
    } else {
        sum->micros += sign * ((wr_int128)count * one.micros + (wr_int128)nano_fraction * one.micros / 1000000000);
    }
}

/* hh:mm:ss of any number of hours, behind a number that was read as the hours. */
static bool take_clock(cursor *c, int64_t hours, bool negative, wide_interval *sum) {
    int64_t minutes, seconds = 0, fraction = 0;
    if (!take(c, ':') || !take_number(c, 2, &minutes)) return false;
    if (take(c, ':')) {
        if (!take_number(c, 2, &seconds)) return false;
        if (take(c, '.') && !take_fraction(c, &fraction)) return false;
    }
    if (minutes > 59 || seconds > 59) return false;
    wr_int128 micros = (((wr_int128)hours * 60 + minutes) * 60 + seconds) * MICROS + fraction / 1000;
    sum->micros += negative ? -micros : micros;
    return true;
}

static bool take_part(cursor *c, wide_interval *sum) {
    bool negative = take(c, '-');
    if (!negative) (void)take(c, '+');
    int64_t count, fraction = 0;
    if (!take_number(c, 18, &count)) return false;
    if (c->at < c->end && *c->at == ':') return take_clock(c, count, negative, sum);
    if (take(c, '.') && !take_fraction(c, &fraction)) return false;
    skip_blanks(c);
    wr_str name = {c->at, 0};
    while (c->at < c->end && wr_is_letter(*c->at)) c->at++;
    name.size = (uint32_t)(c->at - name.data);
    wr_interval one = {0, 0, MICROS}; /* a number at the end is seconds */
    if (!(name.size == 0 && c->at == c->end) && !wr_parse_interval_unit(name, &one)) return false;
    add_units(sum, one, count, fraction, negative);
    return true;
}

bool wr_parse_interval(wr_str text, wr_interval *out) {
    cursor c = cursor_of(text);
    wide_interval sum = {0, 0, 0};
    (void)take(&c, '@');
    skip_blanks(&c);
    if (c.at == c.end) return false;
    while (c.at < c.end) {
        if (wr_parse_word(rest(&c), "ago")) {
            sum = (wide_interval){-sum.months, -sum.days, -sum.micros};
            break;
        }
        if (!take_part(&c, &sum)) return false;
        skip_blanks(&c);
    }
    *out = (wr_interval){(int32_t)sum.months, (int32_t)sum.days, (int64_t)sum.micros};
    return out->months == sum.months && out->days == sum.days && out->micros == sum.micros;
}
