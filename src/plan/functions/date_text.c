/* Dates by format (strftime, strptime) and by name, the query's clock, time zones, and the numbers behind timestamps. */
#include <math.h>

#include "column/parse.h"
#include "column/print.h"
#include "plan/functions/date.h"
#include "plan/functions/text_out.h"
#include "plan/time_zone.h"

static const char *const day_names[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char *const month_names[] = {"January", "February", "March",     "April",   "May",      "June",
                                          "July",    "August",   "September", "October", "November", "December"};
enum { NAME_SHORT = 3 };

static inline wr_str text_row(const wr_vector *v, uint32_t row) {
    return wr_view_str((const wr_string_view *)v->data + row * wr_step(v));
}

/* Local microseconds of a date, a timestamp, or an instant. */
static int64_t micros_row(const wr_call_context *c, const wr_vector *v, uint32_t row) {
    size_t at = row * wr_step(v);
    if (v->phys == WR_PHYS_I32) {
        int64_t days = ((const int32_t *)v->data)[at];
        bool inside = days > -100000000 && days < 100000000;
        return inside ? days * WR_MICROS_PER_DAY : days > 0 ? WR_TIMESTAMP_INFINITY : WR_TIMESTAMP_MINUS_INFINITY;
    }
    int64_t value = ((const int64_t *)v->data)[at];
    return v->type.id == WR_TYPE_TIMESTAMP_TZ ? wr_local_micros(c, value) : value;
}

/* ---- strftime ---- */

typedef struct moment {
    wr_civil civil;
    int64_t days, micros; /* of the day */
    int32_t offset;       /* seconds east of UTC */
    wr_str zone;
} moment;

static char *put_number(char *at, int64_t value, int width, bool padded) {
    char digits[24];
    size_t size = wr_print_i64(digits, value);
    for (int i = (int)size; padded && i < width; i++) *at++ = '0';
    memcpy(at, digits, size);
    return at + size;
}

static char *put_text(char *at, const char *text, size_t size) {
    memcpy(at, text, size);
    return at + size;
}

/* Weeks of the year that begin on Sunday (first 0) or Monday (1); days before the first are week 0. */
static int64_t plain_week(const moment *m, int first) {
    int64_t day_of_year = m->days - wr_civil_to_days(m->civil.year, 1, 1);
    return (day_of_year + 7 - wr_floor_mod(wr_weekday(m->days) - first, 7)) / 7;
}

static char *put_offset(char *at, int32_t offset) {
    *at++ = offset < 0 ? '-' : '+';
    int32_t size = offset < 0 ? -offset : offset;
    at = put_number(at, size / 3600, 2, true);
    if (size % 3600) {
        *at++ = ':';
        at = put_number(at, size / 60 % 60, 2, true);
    }
    return at;
}

enum { FIELD_BYTES_MAX = 80 }; /* of one field, the composed ones too */

static char *put_date_field(char *at, char field, bool padded, const moment *m) {
    int64_t iso_year, week = wr_iso_week(m->days, &iso_year);
    int64_t weekday = wr_weekday(m->days);
    switch (field) {
    case 'Y': return put_number(at, m->civil.year, 4, padded);
    case 'y': return put_number(at, wr_floor_mod(m->civil.year, 100), 2, padded);
    case 'm': return put_number(at, m->civil.month, 2, padded);
    case 'd': return put_number(at, m->civil.day, 2, padded);
    case 'j': return put_number(at, m->days - wr_civil_to_days(m->civil.year, 1, 1) + 1, 3, padded);
    case 'a': return put_text(at, day_names[weekday], NAME_SHORT);
    case 'A': return put_text(at, day_names[weekday], strlen(day_names[weekday]));
    case 'b':
    case 'h': return put_text(at, month_names[m->civil.month - 1], NAME_SHORT);
    case 'B': return put_text(at, month_names[m->civil.month - 1], strlen(month_names[m->civil.month - 1]));
    case 'w': return put_number(at, weekday, 1, false);
    case 'u': return put_number(at, weekday ? weekday : 7, 1, false);
    case 'U': return put_number(at, plain_week(m, 0), 2, padded);
    case 'W': return put_number(at, plain_week(m, 1), 2, padded);
    case 'V': return put_number(at, week, 2, padded);
    case 'G': return put_number(at, iso_year, 4, padded);
    default: return NULL;
    }
}

static char *put_time_field(char *at, char field, bool padded, const moment *m) {
    int64_t hour = m->micros / WR_MICROS_PER_HOUR;
    switch (field) {
    case 'H': return put_number(at, hour, 2, padded);
    case 'I': return put_number(at, hour % 12 ? hour % 12 : 12, 2, padded);
    case 'p': return put_text(at, hour < 12 ? "AM" : "PM", 2);
    case 'M': return put_number(at, m->micros / WR_MICROS_PER_MINUTE % 60, 2, padded);
    case 'S': return put_number(at, m->micros / WR_MICROS_PER_SECOND % 60, 2, padded);
    case 'f': return put_number(at, m->micros % WR_MICROS_PER_SECOND, 6, true);
    case 'g': return put_number(at, m->micros % WR_MICROS_PER_SECOND / 1000, 3, true);
    case 'n': return put_number(at, m->micros % WR_MICROS_PER_SECOND * 1000, 9, true);
    case 'z': return put_offset(at, m->offset);
    case 'Z': return put_text(at, m->zone.data, m->zone.size < 40 ? m->zone.size : 40);
    default: return NULL;
    }
}

static char *put_composed(char *at, const char *fields, const moment *m) {
    for (; *fields; fields++) {
        if ((*fields >= 'a' && *fields <= 'z') || (*fields >= 'A' && *fields <= 'Z')) {
            char *next = put_date_field(at, *fields, true, m);
            at = next ? next : put_time_field(at, *fields, true, m);
        } else {
            *at++ = *fields;
        }
    }
    return at;
}

/* NULL for a letter that stands for nothing. */
static char *put_field(char *at, char field, bool padded, const moment *m) {
    switch (field) {
    case '%': *at = '%'; return at + 1;
    case 'c': return put_composed(at, "Y-m-d H:M:S", m);
    case 'x': return put_composed(at, "Y-m-d", m);
    case 'X': return put_composed(at, "H:M:S", m);
    default: break;
    }
    char *next = put_date_field(at, field, padded, m);
    return next ? next : put_time_field(at, field, padded, m);
}

static wr_status fail_format(const wr_call_context *c, wr_str format, uint32_t at) {
    wr_fail(c->err, WR_VALUE, "the format '%.*s' has an unknown field at character %u", WR_STR_ARGS(format), at + 1);
    return c->err ? wr_hint(c->err, "fields are %%Y %%m %%d %%H %%M %%S %%f %%a %%A %%b %%B %%j %%p %%I %%y and others")
                  : WR_VALUE;
}

static wr_status format_row(const wr_call_context *c, wr_text_out *out, uint32_t row, wr_str format, const moment *m) {
    WR_TRY(wr_text_out_room(out, (size_t)format.size * (FIELD_BYTES_MAX / 2) + FIELD_BYTES_MAX));
    char *at = out->at;
    for (uint32_t i = 0; i < format.size; i++) {
        if (format.data[i] != '%') {
            *at++ = format.data[i];
            continue;
        }
        bool padded = i + 1 >= format.size || format.data[i + 1] != '-';
        i += padded ? 1 : 2;
        char *next = i < format.size ? put_field(at, format.data[i], padded, m) : NULL;
        if (!next) return fail_format(c, format, i);
        at = next;
    }
    wr_text_out_row(out, row, (uint32_t)(at - out->at));
    return WR_OK;
}

static moment moment_of(const wr_call_context *c, const wr_vector *v, uint32_t row, int64_t local) {
    moment m = {.days = wr_floor_div(local, WR_MICROS_PER_DAY), .micros = wr_floor_mod(local, WR_MICROS_PER_DAY)};
    m.civil = wr_civil_from_days(m.days);
    if (v->type.id == WR_TYPE_TIMESTAMP_TZ) {
        int64_t utc = ((const int64_t *)v->data)[row * wr_step(v)];
        m.offset = (int32_t)((local - utc) / WR_MICROS_PER_SECOND);
        m.zone = wr_time_zone_name(c->time_zone);
    } else {
        m.zone = WR_STR("");
    }
    return m;
}

/* strftime takes its arguments in either order. */
static wr_status run_strftime(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    bool format_first = args[0].phys == WR_PHYS_VIEW;
    const wr_vector *dates = &args[format_first ? 1 : 0], *formats = &args[format_first ? 0 : 1];
    wr_text_out out;
    WR_TRY(wr_text_out_begin(c, result, false, &out));
    for (uint32_t i = 0; i < c->row_count; i++) {
        if (!wr_is_active(c, i) || !wr_is_valid_row(dates, i) || !wr_is_valid_row(formats, i)) continue;
        int64_t local = micros_row(c, dates, i);
        if (!wr_timestamp_is_finite(local)) {
            WR_TRY(wr_text_out_copy(&out, i, local > 0 ? WR_STR("infinity") : WR_STR("-infinity")));
            continue;
        }
        moment m = moment_of(c, dates, i, local);
        WR_TRY(format_row(c, &out, i, text_row(formats, i), &m));
    }
    return WR_OK;
}

/* ---- strptime ---- */

typedef struct parsed {
    int64_t year, month, day, hour, minute, second, micros, day_of_year;
    int32_t offset;
    bool afternoon, has_half, has_offset;
} parsed;

typedef struct reader {
    const char *at, *end;
} reader;

static bool read_number(reader *r, int digits_max, int64_t *out) {
    const char *start = r->at;
    bool negative = digits_max > 4 && r->at < r->end && *r->at == '-';
    if (negative) start = ++r->at;
    *out = 0;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9' && r->at - start < digits_max) {
        *out = *out * 10 + (*r->at++ - '0');
    }
    if (negative) *out = -*out;
    return r->at > start;
}

static bool read_name(reader *r, const char *const *names, int count, bool whole, int64_t *out) {
    for (int i = 0; i < count; i++) {
        uint32_t size = whole ? (uint32_t)strlen(names[i]) : NAME_SHORT;
        if ((size_t)(r->end - r->at) < size) continue;
        if (!wr_str_equal_nocase((wr_str){r->at, size}, (wr_str){names[i], size})) continue;
        r->at += size;
        *out = i;
        return true;
    }
    return false;
}

static bool read_fraction(reader *r, int digits, int64_t *micros) {
    int64_t unit = 100000;
    const char *start = r->at;
    *micros = 0;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9' && r->at - start < digits; r->at++) {
        *micros += unit * (*r->at - '0');
        unit /= 10;
    }
    return r->at > start;
}

static bool read_offset(reader *r, int32_t *out) {
    if (r->at < r->end && *r->at == 'Z') {
        r->at++;
        *out = 0;
        return true;
    }
    if (r->at == r->end || (*r->at != '+' && *r->at != '-')) return false;
    bool negative = *r->at++ == '-';
    int64_t hours, minutes = 0;
    if (!read_number(r, 2, &hours)) return false;
    bool colon = r->at < r->end && *r->at == ':';
    if (colon) r->at++;
    if (!read_number(r, 2, &minutes) && colon) return false;
    *out = (int32_t)(hours * 3600 + minutes * 60);
    if (negative) *out = -*out;
    return hours <= 18 && minutes <= 59;
}

static bool read_field(reader *r, char field, parsed *p) {
    int64_t ignored;
    switch (field) {
    case 'Y': return read_number(r, 6, &p->year);
    case 'y':
        if (!read_number(r, 2, &p->year)) return false;
        p->year += p->year < 69 ? 2000 : 1900;
        return true;
    case 'm': return read_number(r, 2, &p->month);
    case 'd': return read_number(r, 2, &p->day);
    case 'j': return read_number(r, 3, &p->day_of_year);
    case 'H': return read_number(r, 2, &p->hour);
    case 'I': return read_number(r, 2, &p->hour);
    case 'M': return read_number(r, 2, &p->minute);
    case 'S': return read_number(r, 2, &p->second);
    case 'f':
    case 'n': return read_fraction(r, 9, &p->micros);
    case 'g': return read_fraction(r, 3, &p->micros);
    case 'a': return read_name(r, day_names, 7, false, &ignored);
    case 'A': return read_name(r, day_names, 7, true, &ignored);
    case 'b':
    case 'h':
    case 'B':
        if (!read_name(r, month_names, 12, field == 'B', &p->month)) return false;
        p->month++;
        return true;
    case 'p': {
        static const char *const halves[] = {"AM ", "PM "};
        if (r->end - r->at < 2) return false;
        wr_str half = {r->at, 2};
        p->has_half = true;
        p->afternoon = wr_str_equal_nocase(half, (wr_str){halves[1], 2});
        r->at += 2;
        return p->afternoon || wr_str_equal_nocase(half, (wr_str){halves[0], 2});
    }
    case 'z': p->has_offset = true; return read_offset(r, &p->offset);
    default: return false;
    }
}

/* Composed fields are read as what they stand for. */
static bool read_format(reader *r, wr_str format, parsed *p) {
    for (uint32_t i = 0; i < format.size; i++) {
        char ch = format.data[i];
        if (ch == ' ') {
            while (r->at < r->end && *r->at == ' ') r->at++;
            continue;
        }
        if (ch != '%' || i + 1 == format.size) {
            if (r->at == r->end || *r->at++ != ch) return false;
            continue;
        }
        ch = format.data[++i];
        if (ch == '-' && i + 1 < format.size) ch = format.data[++i];
        bool ok = ch == 'c'   ? read_format(r, WR_STR("%Y-%m-%d %H:%M:%S"), p)
                  : ch == 'x' ? read_format(r, WR_STR("%Y-%m-%d"), p)
                  : ch == 'X' ? read_format(r, WR_STR("%H:%M:%S"), p)
                  : ch == '%' ? r->at < r->end && *r->at++ == '%'
                              : read_field(r, ch, p);
        if (!ok) return false;
    }
    return true;
}

static bool parse_row(wr_str text, wr_str format, int64_t *out) {
    parsed p = {.year = 1900, .month = 1, .day = 1};
    reader r = {text.data, text.data + text.size};
    while (r.end > r.at && r.end[-1] == ' ') r.end--;
    if (!read_format(&r, format, &p) || r.at != r.end) return false;
    if (p.has_half) {
        if (p.hour < 1 || p.hour > 12) return false;
        p.hour = p.hour % 12 + (p.afternoon ? 12 : 0);
    }
    if (p.month < 1 || p.month > 12 || p.day < 1 || p.hour > 23 || p.minute > 59 || p.second > 59) return false;
    if (p.year < -290000 || p.year > 294000 || p.day > wr_days_in_month(p.year, (uint32_t)p.month)) return false;
    int64_t days = wr_civil_to_days(p.year, (uint32_t)p.month, (uint32_t)p.day);
    if (p.day_of_year) {
        if (p.day_of_year > 365 + wr_is_leap_year(p.year)) return false;
        days = wr_civil_to_days(p.year, 1, 1) + p.day_of_year - 1;
    }
    int64_t seconds = (p.hour * 60 + p.minute) * 60 + p.second - p.offset;
    return wr_timestamp_add(0, (wr_interval){0, (int32_t)days, seconds * WR_MICROS_PER_SECOND + p.micros}, out);
}

WR_ALWAYS_INLINE wr_status run_parse(wr_call_context *c, const wr_vector *args, bool try_, wr_vector *result) {
    WR_TRY(wr_call_prepare(c, result));
    int64_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        out[i] = 0;
        if (!wr_is_valid_row(&args[0], i) || !wr_is_valid_row(&args[1], i)) continue;
        if (parse_row(text_row(&args[0], i), text_row(&args[1], i), &out[i])) continue;
        if (try_) {
            WR_TRY(wr_vector_add_validity(result, c->allocator, c->err));
            wr_bit_clear(wr_vector_validity_mut(result), i);
        } else if (wr_is_active(c, i)) {
            wr_call_fail(c, args, 2, "strptime", i, "the text is not as the format says");
            return c->err ? wr_hint(c->err, "try_strptime gives NULL instead") : WR_VALUE;
        }
    }
    return WR_OK;
}
static wr_status run_strptime(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return run_parse(c, args, false, result);
}
static wr_status run_try_strptime(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return run_parse(c, args, true, result);
}

/* ---- names ---- */

WR_ALWAYS_INLINE wr_status run_name(wr_call_context *c, const wr_vector *args, bool month, wr_vector *result) {
    wr_text_out out;
    WR_TRY(wr_text_out_begin(c, result, false, &out));
    for (uint32_t i = 0; i < c->row_count; i++) {
        int64_t local = micros_row(c, &args[0], i);
        if (!wr_timestamp_is_finite(local)) {
            WR_TRY(wr_vector_add_validity(result, c->allocator, c->err));
            wr_bit_clear(wr_vector_validity_mut(result), i);
            continue;
        }
        int64_t days = wr_floor_div(local, WR_MICROS_PER_DAY);
        const char *name = month ? month_names[wr_civil_from_days(days).month - 1] : day_names[wr_weekday(days)];
        out.views[i] = wr_view_make(name, (uint32_t)strlen(name));
    }
    return WR_OK;
}
static wr_status run_dayname(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return run_name(c, args, false, result);
}
static wr_status run_monthname(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return run_name(c, args, true, result);
}

/* ---- the query's clock ---- */

static wr_status run_now(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)args;
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    int64_t *out = wr_vector_data_mut(result);
    int64_t local = wr_local_micros(c, c->now_us);
    for (uint32_t i = 0; i < c->row_count; i++) {
        out[i] = c->result.id == WR_TYPE_TIMESTAMP_TZ ? c->now_us
                 : c->result.id == WR_TYPE_TIME       ? wr_floor_mod(local, WR_MICROS_PER_DAY)
                                                      : local;
    }
    return WR_OK;
}

static wr_status run_today(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)args;
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    int32_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        out[i] = (int32_t)wr_floor_div(wr_local_micros(c, c->now_us), WR_MICROS_PER_DAY);
    }
    return WR_OK;
}

/* ---- zones and numbers ---- */

/* timezone(zone, timestamp): the local time there of an instant, or the instant of a local time there. */
static wr_status run_timezone(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    const int64_t *micros = args[1].data;
    int64_t *out = wr_vector_data_mut(result);
    bool to_local = args[1].type.id == WR_TYPE_TIMESTAMP_TZ;
    wr_str last = {NULL, 0};
    const wr_time_zone *zone = NULL;
    for (uint32_t i = 0; i < c->row_count; i++) {
        int64_t value = micros[i * wr_step(&args[1])];
        out[i] = value;
        if (!wr_is_valid_row(&args[0], i) || !wr_is_valid_row(&args[1], i) || !wr_timestamp_is_finite(value)) continue;
        wr_str name = text_row(&args[0], i);
        if (!wr_str_equal(name, last)) {
            zone = wr_time_zone_find(c->time_zone, name);
            last = name;
        }
        if (!zone && !wr_str_equal_nocase(name, WR_STR("UTC"))) {
            if (!wr_is_active(c, i)) continue;
            return wr_fail(c->err, WR_VALUE, "there is no time zone \"%.*s\"", WR_STR_ARGS(name));
        }
        int64_t seconds = wr_floor_div(value, WR_MICROS_PER_SECOND);
        int64_t offset = to_local ? wr_time_zone_offset_at(zone, seconds)
                         : zone   ? wr_time_zone_offset_of_local(zone, seconds)
                                  : 0;
        out[i] += (to_local ? offset : -offset) * WR_MICROS_PER_SECOND;
    }
    return WR_OK;
}

static wr_status resolve_timezone(wr_resolution *r, wr_error *err) {
    (void)err;
    r->result = wr_type_of(r->arg_types[1].id == WR_TYPE_TIMESTAMP ? WR_TYPE_TIMESTAMP_TZ : WR_TYPE_TIMESTAMP);
    return WR_OK;
}

static wr_status resolve_ticks(wr_resolution *r, wr_error *err) {
    int64_t *per_milli = WR_ARENA_NEW(r->arena, int64_t); /* ticks that a millisecond has */
    if (!per_milli) return wr_fail_memory(err, sizeof *per_milli, "the plan");
    const char *name = r->function->name;
    *per_milli = strcmp(name, "epoch_ms") == 0 ? 1 : strcmp(name, "epoch_us") == 0 ? 1000 : 1000000;
    r->data = per_milli;
    r->result = wr_type_of(WR_TYPE_BIGINT);
    return WR_OK;
}

static wr_status run_ticks(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    WR_TRY(wr_call_prepare(c, result));
    int64_t per_milli = *(const int64_t *)c->data, *out = wr_vector_data_mut(result);
    const int64_t *micros = args[0].data;
    for (uint32_t i = 0; i < c->row_count; i++) {
        bool ok = true;
        if (per_milli >= 1000) {
            ok = !__builtin_mul_overflow(micros[i], per_milli / 1000, &out[i]);
        } else {
            int64_t rest = micros[i] % 1000;
            out[i] = micros[i] / 1000 + (rest >= 500) - (rest <= -500);
        }
        if (!ok && wr_is_active(c, i)) return wr_call_fail(c, args, arg_count, "epoch_ns", i, "timestamp out of range");
    }
    return WR_OK;
}

static wr_status run_date_isfinite(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    uint64_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        bool finite = args[0].phys == WR_PHYS_I32 ? wr_date_is_finite(((const int32_t *)args[0].data)[i])
                                                  : wr_timestamp_is_finite(((const int64_t *)args[0].data)[i]);
        wr_bit_put(out, i, finite);
    }
    return WR_OK;
}

/* ---- rows ---- */

#define E(ID) WR_EXACT(ID)
#define STRFTIME(a, b, stability)                                                                                      \
    {                                                                                                                  \
        .name = "strftime", .volatility = stability, .parameters = {E(a), E(b)}, .result_id = WR_TYPE_VARCHAR,         \
        .run = run_strftime, .can_fail = true, .cost_ns = 80, .summary = "the date as text in a format: %Y-%m-%d"      \
    }
#define NAME(name_, type, stability, run_, text)                                                                       \
    {                                                                                                                  \
        .name = name_, .volatility = stability, .parameters = {E(type)}, .result_id = WR_TYPE_VARCHAR, .run = run_,    \
        .cost_ns = 6, .summary = text                                                                                  \
    }
#define CLOCK(name_, aliases_, type, run_, text)                                                                       \
    {                                                                                                                  \
        .name = name_, .aliases = aliases_, .volatility = WR_STABLE, .result_id = WR_TYPE_##type, .run = run_,         \
        .summary = text                                                                                                \
    }
#define TICKS(name_, type, text)                                                                                       \
    {                                                                                                                  \
        .name = name_, .parameters = {E(type)}, .resolve = resolve_ticks, .run = run_ticks, .can_fail = true,          \
        .cost_ns = 1, .summary = text                                                                                  \
    }
#define FINITE(type)                                                                                                   \
    {                                                                                                                  \
        .name = "isfinite", .parameters = {E(type)}, .result_id = WR_TYPE_BOOLEAN, .run = run_date_isfinite,           \
        .cost_ns = 1, .summary = "neither infinity"                                                                    \
    }

static const wr_function rows[] = {
    STRFTIME(DATE, VARCHAR, WR_IMMUTABLE),
    STRFTIME(TIMESTAMP, VARCHAR, WR_IMMUTABLE),
    STRFTIME(TIMESTAMP_TZ, VARCHAR, WR_STABLE),
    STRFTIME(VARCHAR, DATE, WR_IMMUTABLE),
    STRFTIME(VARCHAR, TIMESTAMP, WR_IMMUTABLE),
    STRFTIME(VARCHAR, TIMESTAMP_TZ, WR_STABLE),
    {.name = "strptime",
     .parameters = {E(VARCHAR), E(VARCHAR)},
     .result_id = WR_TYPE_TIMESTAMP,
     .run = run_strptime,
     .can_fail = true,
     .cost_ns = 60,
     .summary = "the text in a format as a timestamp"},
    {.name = "try_strptime",
     .parameters = {E(VARCHAR), E(VARCHAR)},
     .result_id = WR_TYPE_TIMESTAMP,
     .run = run_try_strptime,
     .cost_ns = 60,
     .summary = "the text in a format as a timestamp, NULL if it is not so"},
    NAME("dayname", DATE, WR_IMMUTABLE, run_dayname, "the name of the day of the week"),
    NAME("dayname", TIMESTAMP, WR_IMMUTABLE, run_dayname, "the name of the day of the week"),
    NAME("dayname", TIMESTAMP_TZ, WR_STABLE, run_dayname, "the name of the day of the week"),
    NAME("monthname", DATE, WR_IMMUTABLE, run_monthname, "the name of the month"),
    NAME("monthname", TIMESTAMP, WR_IMMUTABLE, run_monthname, "the name of the month"),
    NAME("monthname", TIMESTAMP_TZ, WR_STABLE, run_monthname, "the name of the month"),
    CLOCK("now", "current_timestamp get_current_timestamp transaction_timestamp", TIMESTAMP_TZ, run_now,
          "when the query began"),
    CLOCK("localtimestamp", "current_localtimestamp", TIMESTAMP, run_now, "when the query began, by the local clock"),
    CLOCK("current_time", "localtime current_localtime get_current_time", TIME, run_now, "the time of day"),
    CLOCK("today", "current_date", DATE, run_today, "the day"),
    {.name = "timezone",
     .volatility = WR_STABLE,
     .parameters = {E(VARCHAR), E(TIMESTAMP_TZ)},
     .resolve = resolve_timezone,
     .run = run_timezone,
     .can_fail = true,
     .cost_ns = 30,
     .summary = "the local time in a zone: t AT TIME ZONE 'Europe/Berlin'"},
    {.name = "timezone",
     .volatility = WR_STABLE,
     .parameters = {E(VARCHAR), E(TIMESTAMP)},
     .resolve = resolve_timezone,
     .run = run_timezone,
     .can_fail = true,
     .cost_ns = 30,
     .summary = "the instant of a local time in a zone"},
    TICKS("epoch_ms", TIMESTAMP, "milliseconds since 1970-01-01"),
    TICKS("epoch_ms", TIMESTAMP_TZ, "milliseconds since 1970-01-01"),
    TICKS("epoch_us", TIMESTAMP, "microseconds since 1970-01-01"),
    TICKS("epoch_us", TIMESTAMP_TZ, "microseconds since 1970-01-01"),
    TICKS("epoch_ns", TIMESTAMP, "nanoseconds since 1970-01-01"),
    TICKS("epoch_ns", TIMESTAMP_TZ, "nanoseconds since 1970-01-01"),
    FINITE(DATE),
    FINITE(TIMESTAMP),
    FINITE(TIMESTAMP_TZ),
};

const wr_function_set wr_functions_date_text = {"date_text", rows, WR_COUNT_OF(rows)};
