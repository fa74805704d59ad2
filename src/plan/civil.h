/* Civil dates: days since 1970-01-01 to year, month and day and back, in the proleptic Gregorian calendar.
 *
 * The arithmetic is Hinnant's, on eras of 400 years that begin on 1 March: leap days fall at the end of a year, and the
 * day of the year gives the month by one linear formula. */
#ifndef WR_PLAN_CIVIL_H
#define WR_PLAN_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

#define WR_MICROS_PER_SECOND INT64_C(1000000)
#define WR_MICROS_PER_MINUTE (60 * WR_MICROS_PER_SECOND)
#define WR_MICROS_PER_HOUR (60 * WR_MICROS_PER_MINUTE)
#define WR_MICROS_PER_DAY (24 * WR_MICROS_PER_HOUR)
enum { WR_DAYS_PER_MONTH = 30, WR_MONTHS_PER_YEAR = 12 }; /* months of intervals, where they have to be days */

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

typedef struct wr_civil {
    int32_t year; /* 0 is 1 BC */
    int32_t month, day; /* from 1 */
} wr_civil;

static inline int64_t wr_floor_div(int64_t a, int64_t b) { /* b > 0 */
    int64_t q = a / b;
    return q - (a % b < 0);
}
static inline int64_t wr_floor_mod(int64_t a, int64_t b) {
    int64_t r = a % b;
    return r < 0 ? r + b : r;
}

static inline wr_civil wr_civil_from_days(int64_t days) {
    days += 719468; /* from 0000-03-01 */
    int64_t era = wr_floor_div(days, 146097);
    uint32_t day_of_era = (uint32_t)(days - era * 146097);
    uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t shifted = (5 * day_of_year + 2) / 153; /* 0 is March */
    uint32_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    return (wr_civil){(int32_t)(era * 400 + year_of_era + (month <= 2)), (int32_t)month,
                      (int32_t)(day_of_year - (153 * shifted + 2) / 5 + 1)};
}

/* Any month and day: months past 12 or before 1 carry into the year, days just count on. */
static inline int64_t wr_days_from_civil(int64_t year, int64_t month, int64_t day) {
    year += wr_floor_div(month - 1, 12);
    uint32_t m = (uint32_t)wr_floor_mod(month - 1, 12) + 1;
    year -= m <= 2;
    int64_t era = wr_floor_div(year, 400);
    uint32_t year_of_era = (uint32_t)(year - era * 400);
    uint32_t day_of_year = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5;
    uint32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468 + (day - 1);
}

static inline bool wr_is_leap_year(int64_t year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}
static inline int32_t wr_days_in_month(int64_t year, int32_t month) {
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && wr_is_leap_year(year) ? 29 : days[month - 1];
}

/* Adds months and keeps the day, or the last day of a shorter month. */
static inline int64_t wr_days_add_months(int64_t days, int64_t months) {
    wr_civil c = wr_civil_from_days(days);
    int64_t index = (int64_t)c.year * 12 + c.month - 1 + months;
    int64_t year = wr_floor_div(index, 12);
    int32_t month = (int32_t)wr_floor_mod(index, 12) + 1, last = wr_days_in_month(year, month);
    return wr_days_from_civil(year, month, c.day < last ? c.day : last);
}

/* 0 is Sunday. */
static inline int32_t wr_weekday(int64_t days) {
    return (int32_t)wr_floor_mod(days + 4, 7);
}
/* Monday of the day's week. */
static inline int64_t wr_week_start(int64_t days) {
    return days - wr_floor_mod(days + 3, 7);
}
/* The ISO week: its year and number; a week belongs to the year of its Thursday. */
static inline int32_t wr_iso_week(int64_t days, int32_t *iso_year) {
    int64_t thursday = wr_week_start(days) + 3;
    *iso_year = wr_civil_from_days(thursday).year;
    return (int32_t)((thursday - wr_days_from_civil(*iso_year, 1, 1)) / 7) + 1;
}

#endif
