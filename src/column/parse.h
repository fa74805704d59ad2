/* Text to single values, the counterpart of print.h: casts, literals and readers of text files accept the same. Blanks
 * around a value do not count. Nothing asks the locale. Each returns false for what it cannot read. */
#ifndef WR_COLUMN_PARSE_H
#define WR_COLUMN_PARSE_H

#include "column/type.h"

/* "t", "true", "yes", "y", "1" and their opposites, in any case. */
bool wr_parse_bool(wr_str text, bool *out);
/* Digits with an optional sign, point, exponent and single underscores; 0x1f. What is behind the point rounds half away
 * from zero. */
bool wr_parse_integer(wr_str text, wr_int128 *out);
/* The same, as a number of units of the last place; false also when it has more digits than the precision. */
bool wr_parse_decimal(wr_str text, unsigned precision, unsigned scale, wr_int128 *out);
/* Also nan, inf and infinity; rounds correctly. */
bool wr_parse_f64(wr_str text, double *out);
bool wr_parse_f32(wr_str text, float *out);

/* "2020-01-31", also "2020/1/31", "44-03-15 (BC)", epoch, infinity, -infinity; a time of day may follow and is dropped. */
bool wr_parse_date(wr_str text, int32_t *out);
/* "10:11:12.5": microseconds. */
bool wr_parse_time(wr_str text, int64_t *out);

typedef struct wr_parsed_timestamp {
    int64_t days;
    int64_t nanos;   /* of the day */
    int8_t infinite; /* 1 or -1 */
    bool has_offset;
    int32_t offset_seconds; /* east of UTC */
    wr_str zone;            /* the name of a time zone; empty when there was none */
} wr_parsed_timestamp;
/* A date, then a time and a zone if they are there. */
bool wr_parse_timestamp(wr_str text, wr_parsed_timestamp *out);
/* In units of the type, the zone's offset taken off where `use_offset`; false when it does not fit. */
bool wr_timestamp_from_parsed(const wr_parsed_timestamp *parsed, wr_unit unit, bool use_offset, int64_t *out);

/* "1 year 2 mons -3 days 04:05:06.7", "2 hours ago". */
bool wr_parse_interval(wr_str text, wr_interval *out);
/* The unit of an interval by its name: one of it in months, days and microseconds. */
bool wr_parse_interval_unit(wr_str name, wr_interval *out);
bool wr_parse_uuid(wr_str text, wr_int128 *out);

#endif
