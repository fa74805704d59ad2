/* What the files of date functions share: units by name, and timestamps as parts. */
#ifndef WR_PLAN_FUNCTIONS_DATE_H
#define WR_PLAN_FUNCTIONS_DATE_H

#include "plan/civil.h"
#include "plan/functions/call.h"

/* Adds months, days and microseconds, in this order; false when the sum is out of range. Infinity stays. */
bool wr_timestamp_add(int64_t micros, wr_interval add, int64_t *out);

/* Units of date_part, date_trunc and date_diff. */
typedef enum wr_date_unit {
    WR_DATE_MICROSECONDS,
    WR_DATE_MILLISECONDS,
    WR_DATE_SECOND,
    WR_DATE_MINUTE,
    WR_DATE_HOUR,
    WR_DATE_DAY,
    WR_DATE_WEEK,
    WR_DATE_MONTH,
    WR_DATE_QUARTER,
    WR_DATE_YEAR,
    WR_DATE_DECADE,
    WR_DATE_CENTURY,
    WR_DATE_MILLENNIUM,
    /* of date_part alone */
    WR_DATE_DOW,
    WR_DATE_ISODOW,
    WR_DATE_DOY,
    WR_DATE_ISOYEAR,
    WR_DATE_YEARWEEK,
    WR_DATE_ERA,
    WR_DATE_TIMEZONE,
    WR_DATE_TIMEZONE_HOUR,
    WR_DATE_TIMEZONE_MINUTE,
    WR_DATE_EPOCH,
    WR_DATE_JULIAN,
    WR_DATE_UNITS
} wr_date_unit;

WR_MUST_CHECK wr_status wr_date_unit_find(wr_str name, wr_date_unit *out, wr_error *err);
/* The unit that constant argument 0 names. */
WR_MUST_CHECK wr_status wr_date_unit_argument(const wr_resolution *r, wr_date_unit *out, wr_error *err);

/* Local microseconds of an instant in the query's zone. */
int64_t wr_local_micros(const wr_call_context *c, int64_t micros);

#endif
