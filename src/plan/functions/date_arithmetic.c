/* Sums and differences of dates, times, timestamps and intervals, and what makes them out of numbers.
 *
 * Months are added to the calendar (31 January and a month is the last of February), then days, then microseconds. With a
 * time zone, months and days are those of the local clock. Infinite dates stay what they are. */
#include <math.h>
#include <stdio.h>

#include "plan/civil.h"
#include "plan/functions/call.h"
#include "plan/functions/date.h"
#include "plan/time_zone.h"

/* ---- one value ---- */

bool wr_timestamp_add(int64_t micros, wr_interval add, int64_t *out) {
    *out = micros;
    if (!wr_timestamp_is_finite(micros)) return true;
    int64_t days = wr_floor_div(micros, WR_MICROS_PER_DAY), rest = wr_floor_mod(micros, WR_MICROS_PER_DAY);
    if (add.months) days = wr_days_add_months(days, add.months);
    wr_int128 sum = ((wr_int128)days + add.days) * WR_MICROS_PER_DAY + rest + add.micros;
    *out = (int64_t)sum;
    return sum < WR_TIMESTAMP_INFINITY && sum > WR_TIMESTAMP_MINUS_INFINITY;
}

static bool zoned_add(const wr_time_zone *zone, int64_t micros, wr_interval add, int64_t *out) {
    if (!zone || !wr_timestamp_is_finite(micros) || (add.months == 0 && add.days == 0)) {
        return wr_timestamp_add(micros, add, out);
    }
    int64_t local =
        micros + wr_time_zone_offset_at(zone, wr_floor_div(micros, WR_MICROS_PER_SECOND)) * WR_MICROS_PER_SECOND;
    if (!wr_timestamp_add(local, (wr_interval){add.months, add.days, 0}, &local)) return false;
    int64_t seconds = wr_floor_div(local, WR_MICROS_PER_SECOND);
    local -= wr_time_zone_offset_of_local(zone, seconds) * WR_MICROS_PER_SECOND;
    return wr_timestamp_add(local, (wr_interval){0, 0, add.micros}, out);
}

static bool negate_interval(wr_interval i, wr_interval *out) {
    if (i.months == INT32_MIN || i.days == INT32_MIN || i.micros == INT64_MIN) return false;
    *out = (wr_interval){-i.months, -i.days, -i.micros};
    return true;
}

static bool add_intervals(wr_interval a, wr_interval b, wr_interval *out) {
    return !__builtin_add_overflow(a.months, b.months, &out->months) &&
           !__builtin_add_overflow(a.days, b.days, &out->days) &&
           !__builtin_add_overflow(a.micros, b.micros, &out->micros);
}

static bool date_to_micros(int32_t days, int64_t *out) {
    if (!wr_date_is_finite(days)) {
        *out = days > 0 ? WR_TIMESTAMP_INFINITY : WR_TIMESTAMP_MINUS_INFINITY;
        return true;
    }
    return !__builtin_mul_overflow((int64_t)days, WR_MICROS_PER_DAY, out);
}

/* ---- loops ---- */

#define ROW(v, type, i) (((const type *)(v)->data)[(size_t)(i)*wr_step(v)])

/* Every row: `body` says whether it could be computed; else the row is an error when it is active. */
#define EACH(type_out, sign, what, body)                                                                               \
    do {                                                                                                               \
        WR_TRY(wr_call_prepare(c, result));                                                                            \
        type_out *out = wr_vector_data_mut(result);                                                                    \
        for (uint32_t i = 0; i < c->row_count; i++) {                                                                  \
            if (WR_UNLIKELY(!(body))) {                                                                                \
                memset(&out[i], 0, sizeof out[i]);                                                                     \
                if (wr_is_active(c, i)) return wr_call_fail(c, args, arg_count, (sign), i, (what));                    \
            }                                                                                                          \
        }                                                                                                              \
        return WR_OK;                                                                                                  \
    } while (0)

#define RUN(name)                                                                                                      \
    static wr_status name(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result)

static bool date_plus_days(int32_t date, int64_t days, int32_t *out) {
    *out = date;
    if (!wr_date_is_finite(date)) return true;
    int64_t sum = date + days;
    *out = (int32_t)sum;
    return wr_date_is_finite(sum) && sum > INT32_MIN;
}

RUN(run_date_plus_days) {
    EACH(int32_t, "+", "date out of range",
         date_plus_days(ROW(&args[0], int32_t, i), ROW(&args[1], int32_t, i), &out[i]));
}
RUN(run_days_plus_date) {
    EACH(int32_t, "+", "date out of range",
         date_plus_days(ROW(&args[1], int32_t, i), ROW(&args[0], int32_t, i), &out[i]));
}
RUN(run_date_minus_days) {
    EACH(int32_t, "-", "date out of range",
         date_plus_days(ROW(&args[0], int32_t, i), -(int64_t)ROW(&args[1], int32_t, i), &out[i]));
}
RUN(run_date_minus_date) {
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    int64_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) {
        out[i] = (int64_t)ROW(&args[0], int32_t, i) - ROW(&args[1], int32_t, i);
    }
    return WR_OK;
}

static bool date_plus(int32_t date, wr_interval interval, int64_t *out) {
    int64_t micros;
    return date_to_micros(date, &micros) && wr_timestamp_add(micros, interval, out);
}
static bool date_minus(int32_t date, wr_interval interval, int64_t *out) {
    return negate_interval(interval, &interval) && date_plus(date, interval, out);
}
static bool timestamp_minus(int64_t micros, wr_interval interval, int64_t *out) {
    return negate_interval(interval, &interval) && wr_timestamp_add(micros, interval, out);
}
static bool zoned_minus(const wr_time_zone *zone, int64_t micros, wr_interval interval, int64_t *out) {
    return negate_interval(interval, &interval) && zoned_add(zone, micros, interval, out);
}

static const char too_far[] = "timestamp out of range";

RUN(run_date_plus) {
    EACH(int64_t, "+", too_far, date_plus(ROW(&args[0], int32_t, i), ROW(&args[1], wr_interval, i), &out[i]));
}
RUN(run_plus_date) {
    EACH(int64_t, "+", too_far, date_plus(ROW(&args[1], int32_t, i), ROW(&args[0], wr_interval, i), &out[i]));
}
RUN(run_date_minus) {
    EACH(int64_t, "-", too_far, date_minus(ROW(&args[0], int32_t, i), ROW(&args[1], wr_interval, i), &out[i]));
}
RUN(run_timestamp_plus) {
    EACH(int64_t, "+", too_far, wr_timestamp_add(ROW(&args[0], int64_t, i), ROW(&args[1], wr_interval, i), &out[i]));
}
RUN(run_plus_timestamp) {
    EACH(int64_t, "+", too_far, wr_timestamp_add(ROW(&args[1], int64_t, i), ROW(&args[0], wr_interval, i), &out[i]));
}
RUN(run_timestamp_minus) {
    EACH(int64_t, "-", too_far, timestamp_minus(ROW(&args[0], int64_t, i), ROW(&args[1], wr_interval, i), &out[i]));
}
RUN(run_zoned_plus) {
    EACH(int64_t, "+", too_far,
         zoned_add(c->time_zone, ROW(&args[0], int64_t, i), ROW(&args[1], wr_interval, i), &out[i]));
}
RUN(run_plus_zoned) {
    EACH(int64_t, "+", too_far,
         zoned_add(c->time_zone, ROW(&args[1], int64_t, i), ROW(&args[0], wr_interval, i), &out[i]));
}
RUN(run_zoned_minus) {
    EACH(int64_t, "-", too_far,
         zoned_minus(c->time_zone, ROW(&args[0], int64_t, i), ROW(&args[1], wr_interval, i), &out[i]));
}

/* Days of 24 hours and the rest. */
static bool difference(int64_t a, int64_t b, wr_interval *out) {
    int64_t micros;
    if (!wr_timestamp_is_finite(a) || !wr_timestamp_is_finite(b) || __builtin_sub_overflow(a, b, &micros)) return false;
    *out = (wr_interval){0, (int32_t)(micros / WR_MICROS_PER_DAY), micros % WR_MICROS_PER_DAY};
    return true;
}
RUN(run_timestamp_difference) {
    EACH(wr_interval, "-", "interval out of range",
         difference(ROW(&args[0], int64_t, i), ROW(&args[1], int64_t, i), &out[i]));
}

RUN(run_time_plus) {
    EACH(int64_t, "+", too_far,
         (out[i] = wr_floor_mod(ROW(&args[0], int64_t, i) + ROW(&args[1], wr_interval, i).micros % WR_MICROS_PER_DAY,
                                WR_MICROS_PER_DAY),
          true));
}
RUN(run_plus_time) {
    EACH(int64_t, "+", too_far,
         (out[i] = wr_floor_mod(ROW(&args[1], int64_t, i) + ROW(&args[0], wr_interval, i).micros % WR_MICROS_PER_DAY,
                                WR_MICROS_PER_DAY),
          true));
}
RUN(run_time_minus) {
    EACH(int64_t, "-", too_far,
         (out[i] = wr_floor_mod(ROW(&args[0], int64_t, i) - ROW(&args[1], wr_interval, i).micros % WR_MICROS_PER_DAY,
                                WR_MICROS_PER_DAY),
          true));
}
RUN(run_date_plus_time) {
    EACH(int64_t, "+", too_far,
         date_plus(ROW(&args[0], int32_t, i), (wr_interval){0, 0, ROW(&args[1], int64_t, i)}, &out[i]));
}

/* ---- intervals ---- */

static const char wide_interval[] = "interval out of range";

RUN(run_interval_plus) {
    EACH(wr_interval, "+", wide_interval,
         add_intervals(ROW(&args[0], wr_interval, i), ROW(&args[1], wr_interval, i), &out[i]));
}
static bool subtract_intervals(wr_interval a, wr_interval b, wr_interval *out) {
    return negate_interval(b, &b) && add_intervals(a, b, out);
}
RUN(run_interval_minus) {
    EACH(wr_interval, "-", wide_interval,
         subtract_intervals(ROW(&args[0], wr_interval, i), ROW(&args[1], wr_interval, i), &out[i]));
}
RUN(run_interval_negate) {
    EACH(wr_interval, "-", wide_interval, negate_interval(ROW(&args[0], wr_interval, i), &out[i]));
}

static bool multiply_interval(wr_interval a, int64_t by, wr_interval *out) {
    wr_int128 months = (wr_int128)a.months * by, days = (wr_int128)a.days * by, micros = (wr_int128)a.micros * by;
    *out = (wr_interval){(int32_t)months, (int32_t)days, (int64_t)micros};
    return out->months == months && out->days == days && out->micros == micros;
}
RUN(run_interval_times) {
    EACH(wr_interval, "*", wide_interval,
         multiply_interval(ROW(&args[0], wr_interval, i), ROW(&args[1], int64_t, i), &out[i]));
}
RUN(run_times_interval) {
    EACH(wr_interval, "*", wide_interval,
         multiply_interval(ROW(&args[1], wr_interval, i), ROW(&args[0], int64_t, i), &out[i]));
}

/* What is left of a month becomes days of 1/30, what is left of a day a time. */
static bool scale_interval(wr_interval a, double by, wr_interval *out) {
    double months = a.months * by, days = a.days * by, micros = (double)a.micros * by;
    double whole_months = trunc(months);
    days += (months - whole_months) * WR_DAYS_PER_MONTH;
    double whole_days = trunc(days + copysign(1e-9, days));
    micros += (days - whole_days) * (double)WR_MICROS_PER_DAY;
    micros = nearbyint(micros);
    if (!(fabs(whole_months) <= INT32_MAX) || !(fabs(whole_days) <= INT32_MAX) || !(fabs(micros) < 0x1p63))
        return false;
    *out = (wr_interval){(int32_t)whole_months, (int32_t)whole_days, (int64_t)micros};
    return true;
}
RUN(run_interval_scaled) {
    EACH(wr_interval, "*", wide_interval,
         scale_interval(ROW(&args[0], wr_interval, i), ROW(&args[1], double, i), &out[i]));
}
RUN(run_scaled_interval) {
    EACH(wr_interval, "*", wide_interval,
         scale_interval(ROW(&args[1], wr_interval, i), ROW(&args[0], double, i), &out[i]));
}
RUN(run_interval_divided) {
    EACH(wr_interval, "/", ROW(&args[1], double, i) == 0 ? "division by zero" : wide_interval,
         ROW(&args[1], double, i) != 0 &&
             scale_interval(ROW(&args[0], wr_interval, i), 1 / ROW(&args[1], double, i), &out[i]));
}

/* ---- out of numbers ---- */

/* The interval of one unit; the name of the function says which: to_days. */
static wr_status resolve_to_unit(wr_resolution *r, wr_error *err) {
    wr_interval *one = WR_ARENA_NEW(r->arena, wr_interval);
    if (!one) return wr_fail_memory(err, sizeof *one, "the plan");
    static const struct {
        const char *name;
        wr_interval one;
    } units[] = {
        {"to_millennia", {12000, 0, 0}},
        {"to_centuries", {1200, 0, 0}},
        {"to_decades", {120, 0, 0}},
        {"to_years", {12, 0, 0}},
        {"to_quarters", {3, 0, 0}},
        {"to_months", {1, 0, 0}},
        {"to_weeks", {0, 7, 0}},
        {"to_days", {0, 1, 0}},
        {"to_hours", {0, 0, WR_MICROS_PER_HOUR}},
        {"to_minutes", {0, 0, WR_MICROS_PER_MINUTE}},
        {"to_seconds", {0, 0, WR_MICROS_PER_SECOND}},
        {"to_milliseconds", {0, 0, 1000}},
        {"to_microseconds", {0, 0, 1}},
    };
    for (size_t i = 0; i < WR_COUNT_OF(units); i++) {
        if (strcmp(units[i].name, r->function->name) == 0) *one = units[i].one;
    }
    r->result = wr_type_of(WR_TYPE_INTERVAL);
    r->data = one;
    return WR_OK;
}
RUN(run_to_unit) {
    EACH(wr_interval, "to_interval", wide_interval,
         multiply_interval(*(const wr_interval *)c->data, ROW(&args[0], int64_t, i), &out[i]));
}
RUN(run_to_unit_scaled) {
    EACH(wr_interval, "to_interval", wide_interval,
         scale_interval(*(const wr_interval *)c->data, ROW(&args[0], double, i), &out[i]));
}

static bool make_date(int64_t year, int64_t month, int64_t day, int64_t *days) {
    if (year < -5877641 || year > 5881580 || month < 1 || month > 12 || day < 1) return false;
    if (day > wr_days_in_month(year, (uint32_t)month)) return false;
    *days = wr_civil_to_days(year, (uint32_t)month, (uint32_t)day);
    return wr_date_is_finite(*days);
}
static bool make_date32(int64_t year, int64_t month, int64_t day, int32_t *out) {
    int64_t days;
    if (!make_date(year, month, day, &days)) return false;
    *out = (int32_t)days;
    return true;
}
RUN(run_make_date) {
    EACH(int32_t, "make_date", "there is no such day",
         make_date32(ROW(&args[0], int64_t, i), ROW(&args[1], int64_t, i), ROW(&args[2], int64_t, i), &out[i]));
}
RUN(run_date_of_days) {
    EACH(int32_t, "make_date", "date out of range", (out[i] = ROW(&args[0], int32_t, i), wr_date_is_finite(out[i])));
}

static bool make_time(int64_t hour, int64_t minute, double second, int64_t *out) {
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || !(second >= 0 && second < 60)) return false;
    *out = hour * WR_MICROS_PER_HOUR + minute * WR_MICROS_PER_MINUTE + (int64_t)nearbyint(second * 1e6);
    return true;
}
RUN(run_make_time) {
    EACH(int64_t, "make_time", "there is no such time",
         make_time(ROW(&args[0], int64_t, i), ROW(&args[1], int64_t, i), ROW(&args[2], double, i), &out[i]));
}

static bool make_timestamp(const wr_vector *args, uint32_t i, int64_t *out) {
    int64_t days, time;
    return make_date(ROW(&args[0], int64_t, i), ROW(&args[1], int64_t, i), ROW(&args[2], int64_t, i), &days) &&
           make_time(ROW(&args[3], int64_t, i), ROW(&args[4], int64_t, i), ROW(&args[5], double, i), &time) &&
           wr_timestamp_add(0, (wr_interval){0, (int32_t)days, time}, out);
}
RUN(run_make_timestamp) {
    EACH(int64_t, "make_timestamp", "there is no such time", make_timestamp(args, i, &out[i]));
}

static bool scaled_micros(int64_t value, int64_t unit, int64_t *out) {
    return !__builtin_mul_overflow(value, unit, out) && wr_timestamp_is_finite(*out);
}
RUN(run_timestamp_of_micros) {
    EACH(int64_t, "make_timestamp", too_far, scaled_micros(ROW(&args[0], int64_t, i), 1, &out[i]));
}
RUN(run_timestamp_of_millis) {
    EACH(int64_t, "epoch_ms", too_far, scaled_micros(ROW(&args[0], int64_t, i), 1000, &out[i]));
}
static bool seconds_to_micros(double seconds, int64_t *out) {
    double micros = nearbyint(seconds * 1e6);
    if (!(fabs(micros) < 0x1p63)) return false;
    *out = (int64_t)micros;
    return wr_timestamp_is_finite(*out);
}
RUN(run_timestamp_of_seconds) {
    EACH(int64_t, "to_timestamp", too_far, seconds_to_micros(ROW(&args[0], double, i), &out[i]));
}

/* ---- rows ---- */

static wr_status resolve_zoned(wr_resolution *r, wr_error *err) {
    (void)err;
    r->result = wr_type_of(WR_TYPE_TIMESTAMP_TZ);
    return WR_OK;
}

#define E(ID) WR_EXACT(ID)
#define SUM(name_, aliases_, a, b, result_, run_)                                                                      \
    {                                                                                                                  \
        .name = name_, .aliases = aliases_, .parameters = {E(a), E(b)}, .result_id = WR_TYPE_##result_, .run = run_,   \
        .can_fail = true, .cost_ns = 4, .summary = "arithmetic of dates and times"                                     \
    }
#define ZONED(name_, aliases_, a, b, run_)                                                                             \
    {                                                                                                                  \
        .name = name_, .aliases = aliases_, .parameters = {E(a), E(b)}, .resolve = resolve_zoned, .run = run_,         \
        .volatility = WR_STABLE, .can_fail = true, .cost_ns = 30, .summary = "arithmetic of dates and times"           \
    }
#define UNIT(name_, type, run_)                                                                                        \
    {                                                                                                                  \
        .name = name_, .parameters = {E(type)}, .resolve = resolve_to_unit, .run = run_, .can_fail = true,             \
        .cost_ns = 2, .summary = "an interval of so many units"                                                        \
    }

static const wr_function rows[] = {
    SUM("+", NULL, DATE, INTEGER, DATE, run_date_plus_days),
    SUM("+", NULL, INTEGER, DATE, DATE, run_days_plus_date),
    SUM("+", "date_add", DATE, INTERVAL, TIMESTAMP, run_date_plus),
    SUM("+", NULL, INTERVAL, DATE, TIMESTAMP, run_plus_date),
    SUM("+", "date_add", TIMESTAMP, INTERVAL, TIMESTAMP, run_timestamp_plus),
    SUM("+", NULL, INTERVAL, TIMESTAMP, TIMESTAMP, run_plus_timestamp),
    ZONED("+", "date_add", TIMESTAMP_TZ, INTERVAL, run_zoned_plus),
    ZONED("+", NULL, INTERVAL, TIMESTAMP_TZ, run_plus_zoned),
    SUM("+", NULL, TIME, INTERVAL, TIME, run_time_plus),
    SUM("+", NULL, INTERVAL, TIME, TIME, run_plus_time),
    SUM("+", NULL, DATE, TIME, TIMESTAMP, run_date_plus_time),
    SUM("+", NULL, INTERVAL, INTERVAL, INTERVAL, run_interval_plus),
    SUM("-", NULL, DATE, DATE, BIGINT, run_date_minus_date),
    SUM("-", NULL, DATE, INTEGER, DATE, run_date_minus_days),
    SUM("-", NULL, DATE, INTERVAL, TIMESTAMP, run_date_minus),
    SUM("-", NULL, TIMESTAMP, INTERVAL, TIMESTAMP, run_timestamp_minus),
    ZONED("-", NULL, TIMESTAMP_TZ, INTERVAL, run_zoned_minus),
    SUM("-", NULL, TIMESTAMP, TIMESTAMP, INTERVAL, run_timestamp_difference),
    SUM("-", NULL, TIMESTAMP_TZ, TIMESTAMP_TZ, INTERVAL, run_timestamp_difference),
    SUM("-", NULL, TIME, INTERVAL, TIME, run_time_minus),
    SUM("-", NULL, INTERVAL, INTERVAL, INTERVAL, run_interval_minus),
    {.name = "-",
     .parameters = {E(INTERVAL)},
     .result_id = WR_TYPE_INTERVAL,
     .run = run_interval_negate,
     .can_fail = true,
     .cost_ns = 1,
     .summary = "the interval backwards"},
    SUM("*", NULL, INTERVAL, BIGINT, INTERVAL, run_interval_times),
    SUM("*", NULL, BIGINT, INTERVAL, INTERVAL, run_times_interval),
    SUM("*", NULL, INTERVAL, DOUBLE, INTERVAL, run_interval_scaled),
    SUM("*", NULL, DOUBLE, INTERVAL, INTERVAL, run_scaled_interval),
    SUM("/", NULL, INTERVAL, DOUBLE, INTERVAL, run_interval_divided),
    UNIT("to_millennia", BIGINT, run_to_unit),
    UNIT("to_centuries", BIGINT, run_to_unit),
    UNIT("to_decades", BIGINT, run_to_unit),
    UNIT("to_years", BIGINT, run_to_unit),
    UNIT("to_quarters", BIGINT, run_to_unit),
    UNIT("to_months", BIGINT, run_to_unit),
    UNIT("to_weeks", BIGINT, run_to_unit),
    UNIT("to_days", BIGINT, run_to_unit),
    UNIT("to_hours", BIGINT, run_to_unit),
    UNIT("to_minutes", BIGINT, run_to_unit),
    UNIT("to_seconds", DOUBLE, run_to_unit_scaled),
    UNIT("to_milliseconds", DOUBLE, run_to_unit_scaled),
    UNIT("to_microseconds", BIGINT, run_to_unit),
    {.name = "make_date",
     .parameters = {E(BIGINT), E(BIGINT), E(BIGINT)},
     .result_id = WR_TYPE_DATE,
     .run = run_make_date,
     .can_fail = true,
     .cost_ns = 5,
     .summary = "the date of a year, month and day"},
    {.name = "make_date",
     .parameters = {E(INTEGER)},
     .result_id = WR_TYPE_DATE,
     .run = run_date_of_days,
     .can_fail = true,
     .cost_ns = 1,
     .summary = "the date so many days after 1970-01-01"},
    {.name = "make_time",
     .parameters = {E(BIGINT), E(BIGINT), E(DOUBLE)},
     .result_id = WR_TYPE_TIME,
     .run = run_make_time,
     .can_fail = true,
     .cost_ns = 5,
     .summary = "the time of an hour, minute and second"},
    {.name = "make_timestamp",
     .parameters = {E(BIGINT), E(BIGINT), E(BIGINT), E(BIGINT), E(BIGINT), E(DOUBLE)},
     .result_id = WR_TYPE_TIMESTAMP,
     .run = run_make_timestamp,
     .can_fail = true,
     .cost_ns = 10,
     .summary = "the timestamp of year, month, day, hour, minute and second"},
    {.name = "make_timestamp",
     .parameters = {E(BIGINT)},
     .result_id = WR_TYPE_TIMESTAMP,
     .run = run_timestamp_of_micros,
     .can_fail = true,
     .cost_ns = 1,
     .summary = "the timestamp so many microseconds after 1970-01-01"},
    {.name = "epoch_ms",
     .parameters = {E(BIGINT)},
     .result_id = WR_TYPE_TIMESTAMP,
     .run = run_timestamp_of_millis,
     .can_fail = true,
     .cost_ns = 1,
     .summary = "the timestamp so many milliseconds after 1970-01-01"},
    {.name = "to_timestamp",
     .parameters = {E(DOUBLE)},
     .resolve = resolve_zoned,
     .run = run_timestamp_of_seconds,
     .can_fail = true,
     .cost_ns = 2,
     .summary = "the instant so many seconds after 1970-01-01 UTC"},
};

const wr_function_set wr_functions_date_arithmetic = {"date_arithmetic", rows, WR_COUNT_OF(rows)};
