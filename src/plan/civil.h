/* Civil time for functions: months that carry, weeks, infinities, and the lengths that intervals are measured in. */
#ifndef WR_PLAN_CIVIL_H
#define WR_PLAN_CIVIL_H

#include <stdbool.h>

#include "column/civil.h"

#define WR_MICROS_PER_SECOND INT64_C(1000000)
#define WR_MICROS_PER_MINUTE (60 * WR_MICROS_PER_SECOND)
#define WR_MICROS_PER_HOUR (60 * WR_MICROS_PER_MINUTE)
#define WR_MICROS_PER_DAY (24 * WR_MICROS_PER_HOUR)
enum { WR_DAYS_PER_MONTH = 30, WR_MONTHS_PER_YEAR = 12 }; /* of intervals, where months have to be days */

/* Dates and timestamps before and after all others; they take no part in arithmetic. */
#define WR_DATE_INFINITY INT32_MAX
#define WR_DATE_MINUS_INFINITY (-INT32_MAX)
#define WR_TIMESTAMP_INFINITY INT64_MAX
#define WR_TIMESTAMP_MINUS_INFINITY (-INT64_MAX)
static inline bool wr_date_is_finite(int64_t days) {
    return days < WR_DATE_INFINITY && days > WR_DATE_MINUS_INFINITY;
}
static inline bool wr_timestamp_is_finite(int64_t value) {
    return value != WR_TIMESTAMP_INFINITY && value != WR_TIMESTAMP_MINUS_INFINITY;
}

/* The divisor is positive. */
static inline int64_t wr_floor_div(int64_t a, int64_t b) {
    int64_t q = a / b;
    return q - (a % b < 0);
}
static inline int64_t wr_floor_mod(int64_t a, int64_t b) {
    int64_t r = a % b;
    return r < 0 ? r + b : r;
}

static inline bool wr_is_leap_year(int64_t year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}
static inline uint32_t wr_days_in_month(int64_t year, uint32_t month) {
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && wr_is_leap_year(year) ? 29 : days[month - 1];
}

/* Adds months and keeps the day, or takes the last day of a shorter month. */
static inline int64_t wr_days_add_months(int64_t days, int64_t months) {
    wr_civil c = wr_civil_from_days(days);
    int64_t index = c.year * 12 + (int64_t)c.month - 1 + months;
    int64_t year = wr_floor_div(index, 12);
    uint32_t month = (uint32_t)wr_floor_mod(index, 12) + 1, last = wr_days_in_month(year, month);
    return wr_civil_to_days(year, month, c.day < last ? c.day : last);
}

/* 0 is Sunday. */
static inline int64_t wr_weekday(int64_t days) {
    return wr_floor_mod(days + 4, 7);
}
/* Monday of the day's week. */
static inline int64_t wr_week_start(int64_t days) {
    return days - wr_floor_mod(days + 3, 7);
}
/* The ISO week: its year and number; a week belongs to the year of its Thursday. */
static inline int64_t wr_iso_week(int64_t days, int64_t *iso_year) {
    int64_t thursday = wr_week_start(days) + 3;
    *iso_year = wr_civil_from_days(thursday).year;
    return (thursday - wr_civil_to_days(*iso_year, 1, 1)) / 7 + 1;
}

#endif
