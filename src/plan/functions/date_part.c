/* date_part (EXTRACT), the functions named after its units, date_diff, date_sub and age.
 *
 * A timestamp is looked at as days and the microseconds of the day; with a time zone, of the local clock. Parts of infinite
 * dates are NULL. */
#include <math.h>

#include "kernel/compare.h"
#include "plan/functions/date.h"
#include "plan/time_zone.h"

/* ---- units ---- */

typedef struct unit_name {
    const char *names; /* a blank between them */
    wr_date_unit unit;
} unit_name;

static const unit_name unit_names[] = {
    {"year years yr yrs y", WR_DATE_YEAR},
    {"month months mon mons", WR_DATE_MONTH},
    {"day days d dayofmonth", WR_DATE_DAY},
    {"hour hours hr hrs h", WR_DATE_HOUR},
    {"minute minutes min mins m", WR_DATE_MINUTE},
    {"second seconds sec secs s", WR_DATE_SECOND},
    {"millisecond milliseconds ms msec msecs msecond mseconds", WR_DATE_MILLISECONDS},
    {"microsecond microseconds us usec usecs usecond useconds", WR_DATE_MICROSECONDS},
    {"week weeks w weekofyear", WR_DATE_WEEK},
    {"quarter quarters", WR_DATE_QUARTER},
    {"decade decades dec decs", WR_DATE_DECADE},
    {"century centuries cent c", WR_DATE_CENTURY},
    {"millennium millennia millenium mil mils", WR_DATE_MILLENNIUM},
    {"dow dayofweek weekday", WR_DATE_DOW},
    {"isodow", WR_DATE_ISODOW},
    {"doy dayofyear", WR_DATE_DOY},
    {"isoyear", WR_DATE_ISOYEAR},
    {"yearweek", WR_DATE_YEARWEEK},
    {"era", WR_DATE_ERA},
    {"timezone", WR_DATE_TIMEZONE},
    {"timezone_hour", WR_DATE_TIMEZONE_HOUR},
    {"timezone_minute", WR_DATE_TIMEZONE_MINUTE},
    {"epoch", WR_DATE_EPOCH},
    {"julian", WR_DATE_JULIAN},
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

wr_status wr_date_unit_find(wr_str name, wr_date_unit *out, wr_error *err) {
    for (size_t i = 0; i < WR_COUNT_OF(unit_names); i++) {
        if (lists_name(unit_names[i].names, name)) {
            *out = unit_names[i].unit;
            return WR_OK;
        }
    }
    wr_fail(err, WR_INVALID, "\"%.*s\" is no part of a date or time", WR_STR_ARGS(name));
    return err ? wr_hint(err,
                         "parts are year, quarter, month, week, day, hour, minute, second, epoch, dow, doy and others")
               : WR_INVALID;
}

wr_status wr_date_unit_argument(const wr_resolution *r, wr_date_unit *out, wr_error *err) {
    const wr_value *name = wr_constant_argument(r, 0);
    if (name) return wr_date_unit_find(name->text, out, err);
    return wr_fail(err, WR_INVALID, "the unit of %s must be a constant text", r->function->name);
}

int64_t wr_local_micros(const wr_call_context *c, int64_t micros) {
    if (!c->time_zone || !wr_timestamp_is_finite(micros)) return micros;
    return micros + (int64_t)wr_time_zone_offset_at(c->time_zone, wr_floor_div(micros, WR_MICROS_PER_SECOND)) *
                        WR_MICROS_PER_SECOND;
}

/* ---- parts ---- */

typedef struct part_plan {
    wr_date_unit unit;
    wr_type type; /* of the date */
} part_plan;

static int64_t century_of(int64_t year, int64_t years) {
    return year > 0 ? (year - 1) / years + 1 : -((-year) / years + 1);
}

static int64_t part_of_days(wr_date_unit unit, int64_t days) {
    int64_t iso_year, week;
    wr_civil c = wr_civil_from_days(days);
    switch (unit) {
    case WR_DATE_YEAR: return c.year;
    case WR_DATE_MONTH: return c.month;
    case WR_DATE_DAY: return c.day;
    case WR_DATE_QUARTER: return (c.month - 1) / 3 + 1;
    case WR_DATE_DECADE: return wr_floor_div(c.year, 10);
    case WR_DATE_CENTURY: return century_of(c.year, 100);
    case WR_DATE_MILLENNIUM: return century_of(c.year, 1000);
    case WR_DATE_WEEK: return wr_iso_week(days, &iso_year);
    case WR_DATE_ISOYEAR: wr_iso_week(days, &iso_year); return iso_year;
    case WR_DATE_YEARWEEK: week = wr_iso_week(days, &iso_year); return iso_year * 100 + (iso_year > 0 ? week : -week);
    case WR_DATE_DOW: return wr_weekday(days);
    case WR_DATE_ISODOW: return wr_floor_mod(days + 3, 7) + 1;
    case WR_DATE_DOY: return days - wr_civil_to_days(c.year, 1, 1) + 1;
    case WR_DATE_ERA: return c.year > 0;
    default: return 0;
    }
}

static bool is_time_unit(wr_date_unit unit) {
    return unit <= WR_DATE_HOUR;
}

static int64_t part_of_time(wr_date_unit unit, int64_t micros) {
    switch (unit) {
    case WR_DATE_HOUR: return micros / WR_MICROS_PER_HOUR;
    case WR_DATE_MINUTE: return micros / WR_MICROS_PER_MINUTE % 60;
    case WR_DATE_SECOND: return micros / WR_MICROS_PER_SECOND % 60;
    case WR_DATE_MILLISECONDS: return micros % WR_MICROS_PER_MINUTE / 1000;
    default: return micros % WR_MICROS_PER_MINUTE;
    }
}

static int64_t part_of_zone(const wr_call_context *c, wr_date_unit unit, int64_t micros) {
    int64_t offset = wr_time_zone_offset_at(c->time_zone, wr_floor_div(micros, WR_MICROS_PER_SECOND));
    return unit == WR_DATE_TIMEZONE ? offset : unit == WR_DATE_TIMEZONE_HOUR ? offset / 3600 : offset % 3600 / 60;
}

static bool is_zone_unit(wr_date_unit unit) {
    return unit >= WR_DATE_TIMEZONE && unit <= WR_DATE_TIMEZONE_MINUTE;
}

static wr_status set_null(wr_call_context *c, wr_vector *result, uint32_t row) {
    WR_TRY(wr_vector_add_validity(result, c->allocator, c->err));
    wr_bit_clear(wr_vector_validity_mut(result), row);
    return WR_OK;
}

/* The date argument is the last one; the unit's name is a constant that resolution has read. */
static wr_status run_date_part(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    const part_plan *plan = c->data;
    const int32_t *days = args[arg_count - 1].data;
    WR_TRY(wr_call_prepare(c, result));
    int64_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        bool finite = wr_date_is_finite(days[i]);
        out[i] = finite ? part_of_days(plan->unit, days[i]) : 0;
        if (WR_UNLIKELY(!finite)) WR_TRY(set_null(c, result, i));
    }
    return WR_OK;
}

static wr_status run_timestamp_part(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    const part_plan *plan = c->data;
    const int64_t *micros = args[arg_count - 1].data;
    bool zoned = plan->type.id == WR_TYPE_TIMESTAMP_TZ;
    WR_TRY(wr_call_prepare(c, result));
    int64_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        out[i] = 0;
        if (WR_UNLIKELY(!wr_timestamp_is_finite(micros[i]))) {
            WR_TRY(set_null(c, result, i));
            continue;
        }
        int64_t local = zoned ? wr_local_micros(c, micros[i]) : micros[i];
        if (is_time_unit(plan->unit)) {
            out[i] = part_of_time(plan->unit, wr_floor_mod(local, WR_MICROS_PER_DAY));
        } else if (is_zone_unit(plan->unit)) {
            out[i] = zoned ? part_of_zone(c, plan->unit, micros[i]) : 0;
        } else {
            out[i] = part_of_days(plan->unit, wr_floor_div(local, WR_MICROS_PER_DAY));
        }
    }
    return WR_OK;
}

static wr_status run_time_part(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    const part_plan *plan = c->data;
    const int64_t *micros = args[arg_count - 1].data;
    WR_TRY(wr_call_prepare(c, result));
    int64_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) out[i] = part_of_time(plan->unit, micros[i]);
    return WR_OK;
}

static int64_t part_of_interval(wr_date_unit unit, wr_interval v) {
    switch (unit) {
    case WR_DATE_YEAR: return v.months / 12;
    case WR_DATE_MONTH: return v.months % 12;
    case WR_DATE_QUARTER: return v.months % 12 / 3 + 1;
    case WR_DATE_DECADE: return v.months / 120;
    case WR_DATE_CENTURY: return v.months / 1200;
    case WR_DATE_MILLENNIUM: return v.months / 12000;
    case WR_DATE_DAY: return v.days;
    default: return unit == WR_DATE_HOUR ? v.micros / WR_MICROS_PER_HOUR : part_of_time(unit, v.micros);
    }
}

static wr_status run_interval_part(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    const part_plan *plan = c->data;
    const wr_interval *v = args[arg_count - 1].data;
    WR_TRY(wr_call_prepare(c, result));
    int64_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) out[i] = part_of_interval(plan->unit, v[i]);
    return WR_OK;
}

/* ---- epoch and julian: doubles ---- */

/* Years of 365.25 days and months of 30, as PostgreSQL counts them. */
static double interval_seconds(wr_interval v) {
    int64_t years = v.months / 12, months = v.months % 12;
    int64_t seconds = years * 31557600 + (months * WR_DAYS_PER_MONTH + v.days) * INT64_C(86400);
    return (double)seconds + (double)v.micros / 1e6;
}

static double real_part(const wr_call_context *c, const part_plan *plan, const wr_vector *v, uint32_t row,
                        bool *finite) {
    *finite = true;
    int64_t micros;
    switch ((wr_type_id)plan->type.id) {
    case WR_TYPE_INTERVAL: return interval_seconds(((const wr_interval *)v->data)[row]);
    case WR_TYPE_DATE: {
        int32_t days = ((const int32_t *)v->data)[row];
        *finite = wr_date_is_finite(days);
        if (plan->unit == WR_DATE_JULIAN) return (double)days + 2440588;
        return (double)days * 86400;
    }
    default: micros = ((const int64_t *)v->data)[row];
    }
    *finite = wr_timestamp_is_finite(micros);
    if (plan->unit == WR_DATE_EPOCH) return (double)micros / 1e6;
    if (plan->type.id == WR_TYPE_TIMESTAMP_TZ) micros = wr_local_micros(c, micros);
    int64_t days = wr_floor_div(micros, WR_MICROS_PER_DAY);
    return (double)days + 2440588 + (double)(micros - days * WR_MICROS_PER_DAY) / (double)WR_MICROS_PER_DAY;
}

static wr_status run_real_part(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    WR_TRY(wr_call_prepare(c, result));
    double *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        bool finite;
        out[i] = real_part(c, c->data, &args[arg_count - 1], i, &finite);
        if (WR_UNLIKELY(!finite)) {
            out[i] = 0;
            WR_TRY(set_null(c, result, i));
        }
    }
    return WR_OK;
}

/* The loop that the type and the unit call for. */
static wr_status run_part(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    const part_plan *plan = c->data;
    if (plan->unit >= WR_DATE_EPOCH) return run_real_part(c, args, arg_count, result);
    switch ((wr_type_id)plan->type.id) {
    case WR_TYPE_DATE: return run_date_part(c, args, arg_count, result);
    case WR_TYPE_TIME: return run_time_part(c, args, arg_count, result);
    case WR_TYPE_INTERVAL: return run_interval_part(c, args, arg_count, result);
    default: return run_timestamp_part(c, args, arg_count, result);
    }
}

static bool has_part(wr_type type, wr_date_unit unit) {
    if (type.id == WR_TYPE_TIME) return is_time_unit(unit) || unit == WR_DATE_EPOCH;
    if (type.id != WR_TYPE_INTERVAL) return true;
    return unit == WR_DATE_EPOCH || (unit <= WR_DATE_MILLENNIUM && unit != WR_DATE_WEEK);
}

static wr_status plan_part(wr_resolution *r, wr_date_unit unit, wr_error *err) {
    wr_type type = r->arg_types[r->arg_count - 1];
    if (!has_part(type, unit)) {
        return wr_fail(err, WR_INVALID, "a value of type %s has no such part", wr_type_id_name((wr_type_id)type.id));
    }
    part_plan *plan = WR_ARENA_NEW(r->arena, part_plan);
    if (!plan) return wr_fail_memory(err, sizeof *plan, "the plan");
    *plan = (part_plan){unit, type};
    r->data = plan;
    r->result = wr_type_of(unit >= WR_DATE_EPOCH ? WR_TYPE_DOUBLE : WR_TYPE_BIGINT);
    return WR_OK;
}

static wr_status resolve_part(wr_resolution *r, wr_error *err) {
    wr_date_unit unit;
    WR_TRY(wr_date_unit_argument(r, &unit, err));
    return plan_part(r, unit, err);
}

static wr_status resolve_named_part(wr_resolution *r, wr_error *err) {
    wr_date_unit unit;
    WR_TRY(wr_date_unit_find(wr_str_from(r->function->name), &unit, err));
    return plan_part(r, unit, err);
}

/* ---- from a part back to the dates that have it ---- */

static bool year_bounds(wr_date_unit unit, int64_t value, int64_t *low, int64_t *high) {
    switch (unit) {
    case WR_DATE_YEAR:
        *low = value;
        *high = value + 1;
        return true;
    case WR_DATE_DECADE:
        *low = value * 10;
        *high = *low + 10;
        return true;
    case WR_DATE_CENTURY:
        *low = (value - 1) * 100 + 1;
        *high = *low + 100;
        return value > 0;
    case WR_DATE_MILLENNIUM:
        *low = (value - 1) * 1000 + 1;
        *high = *low + 1000;
        return value > 0;
    default: return false;
    }
}

static bool first_of_year(wr_type type, int64_t year, wr_value *out) {
    int64_t days = wr_civil_to_days(year, 1, 1);
    *out = (wr_value){.type = type, .i64 = type.id == WR_TYPE_DATE ? days : days * WR_MICROS_PER_DAY};
    return true;
}

static bool preimage(const void *data, const wr_value *result, wr_arena *arena, wr_preimage *out) {
    (void)arena;
    const part_plan *plan = data;
    int64_t low, high;
    bool plain = plan->type.id == WR_TYPE_DATE || plan->type.id == WR_TYPE_TIMESTAMP;
    if (!plain || result->is_null || result->type.id != WR_TYPE_BIGINT) return false;
    if (result->i64 < -100000 || result->i64 > 200000 || !year_bounds(plan->unit, result->i64, &low, &high))
        return false;
    return first_of_year(plan->type, low, &out->low) && first_of_year(plan->type, high, &out->high);
}

/* ---- differences ---- */

static int64_t months_of(int64_t days) {
    wr_civil c = wr_civil_from_days(days);
    return c.year * 12 + c.month - 1;
}

static int64_t unit_months(wr_date_unit unit) {
    switch (unit) {
    case WR_DATE_MONTH: return 1;
    case WR_DATE_QUARTER: return 3;
    case WR_DATE_YEAR: return 12;
    case WR_DATE_DECADE: return 120;
    case WR_DATE_CENTURY: return 1200;
    case WR_DATE_MILLENNIUM: return 12000;
    default: return 0;
    }
}

static int64_t unit_micros(wr_date_unit unit) {
    switch (unit) {
    case WR_DATE_MICROSECONDS: return 1;
    case WR_DATE_MILLISECONDS: return 1000;
    case WR_DATE_SECOND: return WR_MICROS_PER_SECOND;
    case WR_DATE_MINUTE: return WR_MICROS_PER_MINUTE;
    case WR_DATE_HOUR: return WR_MICROS_PER_HOUR;
    case WR_DATE_WEEK: return 7 * WR_MICROS_PER_DAY;
    default: return WR_MICROS_PER_DAY;
    }
}

/* Borders of the unit between the two. */
static int64_t count_borders(wr_date_unit unit, int64_t from, int64_t to) {
    int64_t days_from = wr_floor_div(from, WR_MICROS_PER_DAY), days_to = wr_floor_div(to, WR_MICROS_PER_DAY);
    if (unit_months(unit)) {
        int64_t size = unit_months(unit);
        return wr_floor_div(months_of(days_to), size) - wr_floor_div(months_of(days_from), size);
    }
    if (unit == WR_DATE_WEEK) return (days_to - days_from) / 7; /* whole weeks, as in DuckDB */
    if (unit == WR_DATE_ISOYEAR) return part_of_days(unit, days_to) - part_of_days(unit, days_from);
    return wr_floor_div(to, unit_micros(unit)) - wr_floor_div(from, unit_micros(unit));
}

/* Whole units that fit in between, toward zero. */
static int64_t count_whole(wr_date_unit unit, int64_t from, int64_t to) {
    if (from > to) return -count_whole(unit, to, from);
    if (!unit_months(unit)) return (to - from) / unit_micros(unit);
    int64_t days = wr_floor_div(from, WR_MICROS_PER_DAY), rest = wr_floor_mod(from, WR_MICROS_PER_DAY);
    int64_t months = months_of(wr_floor_div(to, WR_MICROS_PER_DAY)) - months_of(days);
    if (months > 0 && wr_days_add_months(days, months) * WR_MICROS_PER_DAY + rest > to) months--;
    return months / unit_months(unit);
}

static wr_status resolve_difference(wr_resolution *r, wr_error *err) {
    WR_TRY(resolve_part(r, err));
    wr_date_unit unit = ((const part_plan *)r->data)->unit;
    r->result = wr_type_of(WR_TYPE_BIGINT);
    if (unit <= WR_DATE_MILLENNIUM || unit == WR_DATE_ISOYEAR) return WR_OK;
    return wr_fail(err, WR_INVALID, "%s counts no such unit", r->function->name);
}

static int64_t micros_row(const wr_call_context *c, const wr_vector *v, uint32_t row) {
    size_t at = row * wr_step(v);
    if (v->phys == WR_PHYS_I32) {
        int32_t days = ((const int32_t *)v->data)[at];
        return wr_date_is_finite(days) && days > -100000000 && days < 100000000 ? (int64_t)days * WR_MICROS_PER_DAY
                                                                                : WR_TIMESTAMP_INFINITY;
    }
    int64_t value = ((const int64_t *)v->data)[at];
    return v->type.id == WR_TYPE_TIMESTAMP_TZ ? wr_local_micros(c, value) : value;
}

WR_ALWAYS_INLINE wr_status run_difference(wr_call_context *c, const wr_vector *args, bool whole, wr_vector *result) {
    const part_plan *plan = c->data;
    WR_TRY(wr_call_prepare(c, result));
    int64_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        int64_t from = micros_row(c, &args[1], i), to = micros_row(c, &args[2], i), ignored;
        out[i] = 0;
        bool ok =
            wr_timestamp_is_finite(from) && wr_timestamp_is_finite(to) && !__builtin_sub_overflow(to, from, &ignored);
        if (!ok) {
            WR_TRY(set_null(c, result, i));
        } else {
            out[i] = whole ? count_whole(plan->unit, from, to) : count_borders(plan->unit, from, to);
        }
    }
    return WR_OK;
}
static wr_status run_date_diff(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return run_difference(c, args, false, result);
}
static wr_status run_date_sub(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return run_difference(c, args, true, result);
}

/* The difference in years, months, days and time as a calendar shows it; `to` is not before `from`. */
static wr_interval calendar_difference(int64_t from, int64_t to) {
    int64_t days_from = wr_floor_div(from, WR_MICROS_PER_DAY), days_to = wr_floor_div(to, WR_MICROS_PER_DAY);
    int64_t micros = wr_floor_mod(to, WR_MICROS_PER_DAY) - wr_floor_mod(from, WR_MICROS_PER_DAY);
    wr_civil a = wr_civil_from_days(days_from), b = wr_civil_from_days(days_to);
    int64_t months = (b.year - a.year) * 12 + ((int64_t)b.month - a.month), days = (int64_t)b.day - a.day;
    if (micros < 0) {
        micros += WR_MICROS_PER_DAY;
        days--;
    }
    if (days < 0) {
        days += wr_days_in_month(a.year, a.month);
        months--;
    }
    return (wr_interval){(int32_t)months, (int32_t)days, micros};
}

static wr_status run_age(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    wr_interval *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        int64_t to = micros_row(c, &args[0], i), from = micros_row(c, &args[1], i);
        out[i] = (wr_interval){0, 0, 0};
        if (!wr_timestamp_is_finite(from) || !wr_timestamp_is_finite(to)) {
            WR_TRY(set_null(c, result, i));
        } else if (from <= to) {
            out[i] = calendar_difference(from, to);
        } else {
            wr_interval back = calendar_difference(to, from);
            out[i] = (wr_interval){-back.months, -back.days, -back.micros};
        }
    }
    return WR_OK;
}

/* ---- rows ---- */

#define E(ID) WR_EXACT(ID)
#define PART_OF(type, stability)                                                                                       \
    {                                                                                                                  \
        .name = "date_part", .aliases = "datepart", .volatility = stability, .parameters = {E(VARCHAR), E(type)},      \
        .resolve = resolve_part, .run = run_part, .preimage = preimage, .cost_ns = 4,                                  \
        .summary = "a part of a date or time: EXTRACT(year FROM d)"                                                    \
    }
#define NAMED_OF(name_, aliases_, type, stability, text)                                                               \
    {                                                                                                                  \
        .name = name_, .aliases = aliases_, .volatility = stability, .parameters = {E(type)},                          \
        .resolve = resolve_named_part, .run = run_part, .preimage = preimage, .cost_ns = 4, .summary = text            \
    }
#define NAMED(name_, aliases_, text)                                                                                   \
    NAMED_OF(name_, aliases_, DATE, WR_IMMUTABLE, text), NAMED_OF(name_, aliases_, TIMESTAMP, WR_IMMUTABLE, text),     \
        NAMED_OF(name_, aliases_, TIMESTAMP_TZ, WR_STABLE, text),                                                      \
        NAMED_OF(name_, aliases_, INTERVAL, WR_IMMUTABLE, text)
#define NAMED_TIME(name_, text) NAMED(name_, NULL, text), NAMED_OF(name_, NULL, TIME, WR_IMMUTABLE, text)
#define DIFFERENCE(name_, aliases_, type, stability, run_, text)                                                       \
    {                                                                                                                  \
        .name = name_, .aliases = aliases_, .volatility = stability, .parameters = {E(VARCHAR), E(type), E(type)},     \
        .resolve = resolve_difference, .run = run_, .cost_ns = 8, .summary = text                                      \
    }
#define DIFFERENCES(name_, aliases_, run_, text)                                                                       \
    DIFFERENCE(name_, aliases_, DATE, WR_IMMUTABLE, run_, text),                                                       \
        DIFFERENCE(name_, aliases_, TIMESTAMP, WR_IMMUTABLE, run_, text),                                              \
        DIFFERENCE(name_, aliases_, TIMESTAMP_TZ, WR_STABLE, run_, text),                                              \
        DIFFERENCE(name_, aliases_, TIME, WR_IMMUTABLE, run_, text)

static const wr_function rows[] = {
    PART_OF(DATE, WR_IMMUTABLE),
    PART_OF(TIMESTAMP, WR_IMMUTABLE),
    PART_OF(TIMESTAMP_TZ, WR_STABLE),
    PART_OF(TIME, WR_IMMUTABLE),
    PART_OF(INTERVAL, WR_IMMUTABLE),
    NAMED("year", NULL, "the year"),
    NAMED("quarter", NULL, "the quarter, 1 to 4"),
    NAMED("month", NULL, "the month, 1 to 12"),
    NAMED("week", "weekofyear", "the ISO week, 1 to 53"),
    NAMED("day", "dayofmonth", "the day of the month"),
    NAMED("decade", NULL, "the year divided by ten"),
    NAMED("century", NULL, "the century; 2001 is in the 21st"),
    NAMED("millennium", NULL, "the millennium; 2001 is in the third"),
    NAMED("dayofweek", "weekday", "the day of the week, 0 is Sunday"),
    NAMED("isodow", NULL, "the day of the week, 1 is Monday"),
    NAMED("dayofyear", NULL, "the day of the year, from 1"),
    NAMED("isoyear", NULL, "the year of the ISO week"),
    NAMED("yearweek", NULL, "ISO year and week as one number"),
    NAMED("era", NULL, "1, or 0 before the year 1"),
    NAMED("julian", NULL, "days since 4713 BC"),
    NAMED_TIME("hour", "the hour"),
    NAMED_TIME("minute", "the minute"),
    NAMED_TIME("second", "the second"),
    NAMED_TIME("millisecond", "seconds and what is behind them, in milliseconds"),
    NAMED_TIME("microsecond", "seconds and what is behind them, in microseconds"),
    NAMED_TIME("epoch", "seconds since 1970-01-01"),
    DIFFERENCES("date_diff", "datediff", run_date_diff, "borders of a unit between two dates"),
    DIFFERENCES("date_sub", "datesub", run_date_sub, "whole units between two dates"),
    {.name = "age",
     .parameters = {E(TIMESTAMP), E(TIMESTAMP)},
     .result_id = WR_TYPE_INTERVAL,
     .run = run_age,
     .cost_ns = 15,
     .summary = "the first less the second in years, months and days"},
    {.name = "age",
     .volatility = WR_STABLE,
     .parameters = {E(TIMESTAMP_TZ), E(TIMESTAMP_TZ)},
     .result_id = WR_TYPE_INTERVAL,
     .run = run_age,
     .cost_ns = 40,
     .summary = "the first less the second in years, months and days"},
};

const wr_function_set wr_functions_date_part = {"date_part", rows, WR_COUNT_OF(rows)};
