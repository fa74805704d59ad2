/* date_trunc, time_bucket and last_day: the start of the unit that a date is in. */
#include "plan/functions/date.h"
#include "plan/time_zone.h"

typedef struct trunc_plan {
    wr_date_unit unit;
    wr_type type;
} trunc_plan;

static int64_t year_start(int64_t days, int64_t years) {
    return wr_civil_to_days(wr_floor_div(wr_civil_from_days(days).year, years) * years, 1, 1);
}

static int64_t trunc_days(wr_date_unit unit, int64_t days) {
    wr_civil c = wr_civil_from_days(days);
    int64_t iso_year;
    switch (unit) {
    case WR_DATE_WEEK:
    case WR_DATE_YEARWEEK: return wr_week_start(days);
    case WR_DATE_MONTH: return wr_civil_to_days(c.year, c.month, 1);
    case WR_DATE_QUARTER: return wr_civil_to_days(c.year, (c.month - 1) / 3 * 3 + 1, 1);
    case WR_DATE_YEAR: return wr_civil_to_days(c.year, 1, 1);
    case WR_DATE_DECADE: return year_start(days, 10);
    case WR_DATE_CENTURY: return year_start(days, 100);
    case WR_DATE_MILLENNIUM: return year_start(days, 1000);
    case WR_DATE_ISOYEAR: (void)wr_iso_week(days, &iso_year); return wr_week_start(wr_civil_to_days(iso_year, 1, 4));
    default: return days;
    }
}

static int64_t time_unit_micros(wr_date_unit unit) {
    switch (unit) {
    case WR_DATE_MILLISECONDS: return 1000;
    case WR_DATE_SECOND: return WR_MICROS_PER_SECOND;
    case WR_DATE_MINUTE: return WR_MICROS_PER_MINUTE;
    case WR_DATE_HOUR: return WR_MICROS_PER_HOUR;
    default: return 1;
    }
}

static int64_t trunc_micros(wr_date_unit unit, int64_t micros) {
    if (!wr_timestamp_is_finite(micros)) return micros;
    if (unit <= WR_DATE_HOUR) return micros - wr_floor_mod(micros, time_unit_micros(unit));
    return trunc_days(unit, wr_floor_div(micros, WR_MICROS_PER_DAY)) * WR_MICROS_PER_DAY;
}

static bool can_trunc(wr_date_unit unit) {
    return unit <= WR_DATE_MILLENNIUM || unit == WR_DATE_ISOYEAR || unit == WR_DATE_YEARWEEK;
}

static wr_status resolve(wr_resolution *r, wr_error *err) {
    wr_date_unit unit;
    WR_TRY(wr_date_unit_argument(r, &unit, err));
    wr_type type = r->arg_types[1];
    bool of_interval = type.id == WR_TYPE_INTERVAL && unit > WR_DATE_MILLENNIUM;
    if (!can_trunc(unit) || of_interval) return wr_fail(err, WR_INVALID, "date_trunc knows no such unit for this type");
    trunc_plan *plan = WR_ARENA_NEW(r->arena, trunc_plan);
    if (!plan) return wr_fail_memory(err, sizeof *plan, "the plan");
    *plan = (trunc_plan){unit, type};
    r->data = plan;
    r->result = type.id == WR_TYPE_DATE ? wr_type_of(WR_TYPE_TIMESTAMP) : type;
    return WR_OK;
}

/* ---- loops ---- */

static wr_status run_date(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    const trunc_plan *plan = c->data;
    const int32_t *days = args[1].data;
    WR_TRY(wr_call_prepare(c, result));
    int64_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        int64_t start = wr_date_is_finite(days[i]) ? trunc_days(plan->unit, days[i]) : 0;
        if (!wr_date_is_finite(days[i])) {
            out[i] = days[i] > 0 ? WR_TIMESTAMP_INFINITY : WR_TIMESTAMP_MINUS_INFINITY;
        } else if (__builtin_mul_overflow(start, WR_MICROS_PER_DAY, &out[i])) {
            out[i] = 0;
            if (wr_is_active(c, i)) return wr_call_fail(c, args, arg_count, "date_trunc", i, "timestamp out of range");
        }
    }
    return WR_OK;
}

static wr_status run_timestamp(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    const trunc_plan *plan = c->data;
    const int64_t *micros = args[1].data;
    WR_TRY(wr_call_prepare(c, result));
    int64_t *out = wr_vector_data_mut(result);
    int64_t unit = time_unit_micros(plan->unit);
    if (plan->unit <= WR_DATE_HOUR) {
        for (uint32_t i = 0; i < c->row_count; i++) {
            out[i] = wr_timestamp_is_finite(micros[i]) ? micros[i] - wr_floor_mod(micros[i], unit) : micros[i];
        }
        return WR_OK;
    }
    for (uint32_t i = 0; i < c->row_count; i++) out[i] = trunc_micros(plan->unit, micros[i]);
    return WR_OK;
}

static wr_status run_zoned(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    const trunc_plan *plan = c->data;
    const int64_t *micros = args[1].data;
    WR_TRY(wr_call_prepare(c, result));
    int64_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        int64_t local = trunc_micros(plan->unit, wr_local_micros(c, micros[i]));
        out[i] = local;
        if (!c->time_zone || !wr_timestamp_is_finite(local)) continue;
        out[i] -= (int64_t)wr_time_zone_offset_of_local(c->time_zone, wr_floor_div(local, WR_MICROS_PER_SECOND)) *
                  WR_MICROS_PER_SECOND;
    }
    return WR_OK;
}

static wr_interval trunc_interval(wr_date_unit unit, wr_interval v) {
    static const int32_t months[] = {[WR_DATE_MONTH] = 1,    [WR_DATE_QUARTER] = 3,    [WR_DATE_YEAR] = 12,
                                     [WR_DATE_DECADE] = 120, [WR_DATE_CENTURY] = 1200, [WR_DATE_MILLENNIUM] = 12000};
    if (unit <= WR_DATE_HOUR) {
        v.micros -= v.micros % time_unit_micros(unit);
    } else {
        v.micros = 0;
        if (unit == WR_DATE_WEEK) v.days -= v.days % 7;
        if (unit >= WR_DATE_MONTH) v = (wr_interval){v.months - v.months % months[unit], 0, 0};
    }
    return v;
}

static wr_status run_interval(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    const trunc_plan *plan = c->data;
    const wr_interval *v = args[1].data;
    WR_TRY(wr_call_prepare(c, result));
    wr_interval *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) out[i] = trunc_interval(plan->unit, v[i]);
    return WR_OK;
}

/* ---- from a start back to the dates of its unit ---- */

static int64_t next_start(wr_date_unit unit, int64_t micros) {
    int64_t days = wr_floor_div(micros, WR_MICROS_PER_DAY);
    switch (unit) {
    case WR_DATE_DAY: return (days + 1) * WR_MICROS_PER_DAY;
    case WR_DATE_WEEK: return (days + 7) * WR_MICROS_PER_DAY;
    case WR_DATE_MONTH: return wr_days_add_months(days, 1) * WR_MICROS_PER_DAY;
    case WR_DATE_QUARTER: return wr_days_add_months(days, 3) * WR_MICROS_PER_DAY;
    case WR_DATE_YEAR: return wr_days_add_months(days, 12) * WR_MICROS_PER_DAY;
    default: return micros + time_unit_micros(unit);
    }
}

static bool preimage(const void *data, const wr_value *result, wr_arena *arena, wr_preimage *out) {
    (void)arena;
    const trunc_plan *plan = data;
    bool plain = plan->type.id == WR_TYPE_DATE || plan->type.id == WR_TYPE_TIMESTAMP;
    if (!plain || plan->unit > WR_DATE_YEAR || result->is_null) return false;
    int64_t start = result->i64;
    /* Far dates aside, whose next unit may be out of range. */
    if (start > INT64_MAX / 4 || start < INT64_MIN / 4 || trunc_micros(plan->unit, start) != start) return false;
    int64_t end = next_start(plan->unit, start);
    out->low = out->high = (wr_value){.type = plan->type};
    if (plan->type.id == WR_TYPE_DATE) {
        /* Days that begin in the unit. */
        out->low.i64 = -wr_floor_div(-start, WR_MICROS_PER_DAY);
        out->high.i64 = -wr_floor_div(-end, WR_MICROS_PER_DAY);
    } else {
        out->low.i64 = start;
        out->high.i64 = end;
    }
    return true;
}

/* ---- time_bucket ---- */

/* Buckets of a fixed width are counted from Monday 2000-01-03, buckets of months from 2000-01-01. */
static bool bucket_of(wr_interval width, int64_t micros, int64_t *out) {
    if (!wr_timestamp_is_finite(micros)) {
        *out = micros;
        return true;
    }
    if (width.months > 0 && width.days == 0 && width.micros == 0) {
        wr_civil c = wr_civil_from_days(wr_floor_div(micros, WR_MICROS_PER_DAY));
        int64_t months = (c.year - 2000) * 12 + (int64_t)c.month - 1;
        months = wr_floor_div(months, width.months) * width.months;
        *out = wr_civil_to_days(2000 + wr_floor_div(months, 12), (uint32_t)wr_floor_mod(months, 12) + 1, 1) *
               WR_MICROS_PER_DAY;
        return true;
    }
    wr_int128 wide = (wr_int128)width.days * WR_MICROS_PER_DAY + width.micros;
    if (width.months || wide <= 0 || wide > INT64_MAX / 2) return false;
    int64_t size = (int64_t)wide, origin = 10959 * WR_MICROS_PER_DAY, since;
    if (__builtin_sub_overflow(micros, origin, &since)) return false;
    *out = wr_floor_div(since, size) * size + origin;
    return true;
}

static wr_status run_bucket(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    WR_TRY(wr_call_prepare(c, result));
    const wr_interval *width = args[0].data;
    const int64_t *micros = args[1].data;
    int64_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        if (bucket_of(width[i * wr_step(&args[0])], micros[i * wr_step(&args[1])], &out[i])) continue;
        out[i] = 0;
        if (wr_is_active(c, i)) {
            return wr_call_fail(c, args, arg_count, "time_bucket", i, "a bucket is either months or a positive time");
        }
    }
    return WR_OK;
}

static wr_status run_last_day(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    const int32_t *days = args[0].data;
    int32_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        wr_civil civil = wr_civil_from_days(days[i]);
        out[i] = wr_date_is_finite(days[i]) ? days[i] + (int32_t)(wr_days_in_month(civil.year, civil.month) - civil.day)
                                            : days[i];
    }
    return WR_OK;
}

/* Of a timestamp: the cast to DATE is resolution's. */
static wr_status resolve_last_day(wr_resolution *r, wr_error *err) {
    (void)err;
    r->arg_types[0] = r->result = wr_type_of(WR_TYPE_DATE);
    return WR_OK;
}

#define E(ID) WR_EXACT(ID)
#define TRUNC(type, stability, run_, fails)                                                                            \
    {                                                                                                                  \
        .name = "date_trunc", .aliases = "datetrunc", .volatility = stability, .parameters = {E(VARCHAR), E(type)},    \
        .resolve = resolve, .run = run_, .can_fail = fails, .preimage = preimage, .cost_ns = 4,                        \
        .summary = "the start of the unit that a date is in"                                                           \
    }

static const wr_function rows[] = {
    TRUNC(DATE, WR_IMMUTABLE, run_date, true),
    TRUNC(TIMESTAMP, WR_IMMUTABLE, run_timestamp, false),
    TRUNC(TIMESTAMP_TZ, WR_STABLE, run_zoned, false),
    TRUNC(INTERVAL, WR_IMMUTABLE, run_interval, false),
    {.name = "time_bucket",
     .parameters = {E(INTERVAL), E(TIMESTAMP)},
     .result_id = WR_TYPE_TIMESTAMP,
     .run = run_bucket,
     .can_fail = true,
     .cost_ns = 6,
     .summary = "the start of the bucket of a width that a time is in"},
    {.name = "last_day",
     .parameters = {E(DATE)},
     .result_id = WR_TYPE_DATE,
     .run = run_last_day,
     .cost_ns = 5,
     .summary = "the last day of the month"},
    {.name = "last_day",
     .parameters = {E(TIMESTAMP)},
     .resolve = resolve_last_day,
     .run = run_last_day,
     .cost_ns = 5,
     .summary = "the last day of the month"},
};

const wr_function_set wr_functions_date_trunc = {"date_trunc", rows, WR_COUNT_OF(rows)};
