/* Casts among dates, times, timestamps and intervals. A timestamp without a zone that becomes one with a zone, or the
 * other way round, is a local time in the query's zone. */
#include "plan/civil.h"
#include "plan/functions/cast_internal.h"
#include "plan/time_zone.h"

static const int64_t per_second[] = {1, 1000, 1000000, 1000000000};

static bool is_timestamp(wr_type type) {
    return type.id == WR_TYPE_TIMESTAMP || type.id == WR_TYPE_TIMESTAMP_TZ;
}

/* Rows for which `body` is false fail and hold zero. */
#define EACH_VALUE(type_in, type_out, body)                                                                            \
    do {                                                                                                               \
        WR_TRY(wr_call_prepare(c, result));                                                                            \
        const type_in *a = in->data;                                                                                   \
        type_out *out = wr_vector_data_mut(result);                                                                    \
        for (uint32_t i = 0; i < c->row_count; i++) {                                                                  \
            if (i % 64 == 0) c->failed[i / 64] = 0;                                                                    \
            if (!(body)) {                                                                                             \
                out[i] = 0;                                                                                            \
                wr_bit_set(c->failed, i);                                                                              \
                *failed = true;                                                                                        \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

static bool infinity_of(int64_t value, int64_t infinity, int64_t as, int64_t *out) {
    if (value != infinity && value != -infinity) return false;
    *out = value > 0 ? as : -as;
    return true;
}

/* Local ticks to UTC and back, in ticks of the unit. */
static bool to_utc(const wr_time_zone *zone, int64_t local, int64_t ticks, int64_t *out) {
    int64_t offset = wr_time_zone_offset_of_local(zone, wr_floor_div(local, ticks));
    return !__builtin_sub_overflow(local, offset * ticks, out);
}
static bool to_local(const wr_time_zone *zone, int64_t utc, int64_t ticks, int64_t *out) {
    int64_t offset = wr_time_zone_offset_at(zone, wr_floor_div(utc, ticks));
    return !__builtin_add_overflow(utc, offset * ticks, out);
}

static bool date_to_ticks(const wr_call_context *c, int32_t days, bool zoned, int64_t *out) {
    int64_t ticks = per_second[c->result.unit];
    if (infinity_of(days, WR_DATE_INFINITY, WR_TIMESTAMP_INFINITY, out)) return true;
    if (__builtin_mul_overflow((int64_t)days * 86400, ticks, out) || !wr_timestamp_is_finite(*out)) return false;
    return !zoned || !c->time_zone || to_utc(c->time_zone, *out, ticks, out);
}

static wr_status date_to_timestamp(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    bool zoned = c->result.id == WR_TYPE_TIMESTAMP_TZ;
    EACH_VALUE(int32_t, int64_t, date_to_ticks(c, a[i], zoned, &out[i]));
    return WR_OK;
}

/* From one unit to another, rounding half away from zero, and between local time and UTC. */
static bool convert_ticks(const wr_call_context *c, wr_type from, int64_t value, int64_t *out) {
    int64_t ticks_from = per_second[from.unit], ticks_to = per_second[c->result.unit];
    if (!wr_timestamp_is_finite(value)) {
        *out = value;
        return true;
    }
    if (from.id != c->result.id && c->time_zone) {
        bool ok = c->result.id == WR_TYPE_TIMESTAMP_TZ ? to_utc(c->time_zone, value, ticks_from, &value)
                                                       : to_local(c->time_zone, value, ticks_from, &value);
        if (!ok) return false;
    }
    if (ticks_to <= ticks_from) {
        int64_t ratio = ticks_from / ticks_to, whole = value / ratio, rest = value % ratio;
        *out = whole + (ratio > 1 && rest >= ratio / 2) - (ratio > 1 && -rest >= ratio / 2);
        return true;
    }
    return !__builtin_mul_overflow(value, ticks_to / ticks_from, out) && wr_timestamp_is_finite(*out);
}

static wr_status timestamp_to_timestamp(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    wr_type from = in->type;
    EACH_VALUE(int64_t, int64_t, convert_ticks(c, from, a[i], &out[i]));
    return WR_OK;
}

static int64_t local_of(const wr_call_context *c, wr_type from, int64_t value) {
    if (from.id != WR_TYPE_TIMESTAMP_TZ || !c->time_zone) return value;
    int64_t local;
    return to_local(c->time_zone, value, per_second[from.unit], &local) ? local : value;
}

static bool day_of(const wr_call_context *c, wr_type from, int64_t value, int32_t *out) {
    int64_t day;
    if (!infinity_of(value, WR_TIMESTAMP_INFINITY, WR_DATE_INFINITY, &day)) {
        day = wr_floor_div(local_of(c, from, value), per_second[from.unit] * 86400);
    }
    *out = (int32_t)day;
    return day == *out;
}

static wr_status timestamp_to_date(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    wr_type from = in->type;
    EACH_VALUE(int64_t, int32_t, day_of(c, from, a[i], &out[i]));
    return WR_OK;
}

static bool time_of(const wr_call_context *c, wr_type from, int64_t value, int64_t *out) {
    int64_t ticks = per_second[from.unit], rest = wr_floor_mod(local_of(c, from, value), ticks * 86400);
    *out =
        ticks <= WR_MICROS_PER_SECOND ? rest * (WR_MICROS_PER_SECOND / ticks) : rest / (ticks / WR_MICROS_PER_SECOND);
    return wr_timestamp_is_finite(value);
}

static wr_status timestamp_to_time(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    wr_type from = in->type;
    EACH_VALUE(int64_t, int64_t, time_of(c, from, a[i], &out[i]));
    return WR_OK;
}

static wr_status time_to_interval(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    (void)failed;
    WR_TRY(wr_call_prepare(c, result));
    const int64_t *a = in->data;
    wr_interval *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) out[i] = (wr_interval){0, 0, a[i]};
    return WR_OK;
}

static wr_status interval_to_time(wr_call_context *c, const wr_vector *in, wr_vector *result, bool *failed) {
    (void)failed;
    WR_TRY(wr_call_prepare(c, result));
    const wr_interval *a = in->data;
    int64_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < c->row_count; i++) out[i] = wr_floor_mod(a[i].micros, WR_MICROS_PER_DAY);
    return WR_OK;
}

wr_cast_loop wr_cast_time_loop(wr_type from, wr_type to) {
    if (from.id == WR_TYPE_DATE && is_timestamp(to)) return date_to_timestamp;
    if (from.id == WR_TYPE_TIME && to.id == WR_TYPE_INTERVAL) return time_to_interval;
    if (from.id == WR_TYPE_INTERVAL && to.id == WR_TYPE_TIME) return interval_to_time;
    if (!is_timestamp(from)) return NULL;
    if (is_timestamp(to)) return timestamp_to_timestamp;
    return to.id == WR_TYPE_DATE ? timestamp_to_date : to.id == WR_TYPE_TIME ? timestamp_to_time : NULL;
}
