/* Days since 1970-01-01 and the proleptic Gregorian calendar, both ways, for any 32-bit number of days.
 *
 * A year is counted from March, so that the leap day is its last: then days before a month follow from a linear
 * formula, and 400 years are always the same number of days. */
#ifndef WR_COLUMN_CIVIL_H
#define WR_COLUMN_CIVIL_H

#include <stdint.h>

typedef struct wr_civil {
    int64_t year; /* 0 is 1 BC */
    uint32_t month, day;
} wr_civil;

enum { WR_DAYS_PER_ERA = 146097 /* 400 years */, WR_DAYS_TO_1970 = 719468 /* from 0000-03-01 */ };

static inline wr_civil wr_civil_from_days(int64_t days) {
    int64_t shifted = days + WR_DAYS_TO_1970;
    int64_t era = (shifted >= 0 ? shifted : shifted - (WR_DAYS_PER_ERA - 1)) / WR_DAYS_PER_ERA;
    uint32_t day_of_era = (uint32_t)(shifted - era * WR_DAYS_PER_ERA);
    /* Leap days before it taken out, every year has 365 days. */
    uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t month = (5 * day_of_year + 2) / 153; /* 0 is March */
    wr_civil civil = {.year = era * 400 + year_of_era + (month >= 10),
                      .month = month < 10 ? month + 3 : month - 9,
                      .day = day_of_year - (153 * month + 2) / 5 + 1};
    return civil;
}

/* The month is 1 to 12; the day is not checked against its month. */
static inline int64_t wr_civil_to_days(int64_t year, uint32_t month, uint32_t day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    uint32_t year_of_era = (uint32_t)(year - era * 400);
    uint32_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    uint32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * WR_DAYS_PER_ERA + day_of_era - WR_DAYS_TO_1970;
}

#endif
