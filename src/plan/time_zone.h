/* Time zones: our own reader of TZif files (RFC 8536), as the system's tzdata holds them. The C library's are one a
 * process, which a library must not change.
 *
 * A database has one set of zones. A zone is read when it is first asked for and stays, so that pointers to it are good as
 * long as the set. All calls are safe from any thread. */
#ifndef WR_PLAN_TIME_ZONE_H
#define WR_PLAN_TIME_ZONE_H

#include "column/type.h"

typedef struct wr_time_zones wr_time_zones;
typedef struct wr_time_zone wr_time_zone;

/* `folder` holds the files ("/usr/share/zoneinfo"); it is copied. */
WR_MUST_CHECK wr_status wr_time_zones_create(wr_time_zones **out, wr_allocator *a, const char *folder, wr_error *err);
void wr_time_zones_destroy(wr_time_zones *zones);
/* A name ("Europe/Berlin", in any case for UTC and GMT) or an offset ("+02", "-03:30"). WR_NOT_FOUND names it. */
WR_MUST_CHECK wr_status wr_time_zones_find(wr_time_zones *zones, wr_str name, const wr_time_zone **out, wr_error *err);
/* Another zone of the same set; NULL when there is none of that name. */
const wr_time_zone *wr_time_zone_find(const wr_time_zone *zone, wr_str name);
wr_str wr_time_zone_name(const wr_time_zone *zone);

/* An instant by the zone's clock: "2020-01-02 10:11:12+01". At most WR_PRINT_BYTES (column/print.h). */
size_t wr_print_zoned(char *out, int64_t value, wr_unit unit, const wr_time_zone *zone);

/* Seconds east of UTC at an instant (seconds since 1970-01-01 UTC); a NULL zone is UTC. */
int32_t wr_time_zone_offset_at(const wr_time_zone *zone, int64_t seconds);
/* The same at a local time. In a gap, the offset before it (a clock that was not set forward); in an overlap, the first. */
int32_t wr_time_zone_offset_of_local(const wr_time_zone *zone, int64_t local_seconds);

#endif
