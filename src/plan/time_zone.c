/* TZif files: transitions and what holds between them, then a rule (as in POSIX's TZ) for all later years.
 *
 * The rule is expanded once into transitions up to RULE_LAST_YEAR; later years ask for the same day of an earlier year with
 * the same calendar (the Gregorian calendar repeats after 400 years), so that a lookup is always one binary search. */
#include "plan/time_zone.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/lock.h"
#include "base/span.h"
#include "column/print.h"
#include "os/os.h"
#include "plan/civil.h"

enum { FILE_BYTES_MAX = 1 << 20, NAME_BYTES_MAX = 64, RULE_FIRST_YEAR = 1970, RULE_LAST_YEAR = 2470 };
#define SECONDS_PER_DAY INT64_C(86400)
#define SECONDS_PER_ERA (INT64_C(146097) * SECONDS_PER_DAY) /* 400 years */

typedef struct transition {
    int64_t at;     /* UTC */
    int32_t offset; /* from then on */
} transition;

struct wr_time_zone {
    wr_arena arena; /* of all that it has, itself too */
    wr_time_zones *zones;
    wr_time_zone *next;
    wr_str name;
    int32_t first_offset; /* before all transitions */
    transition *transitions;
    uint32_t count;
    int64_t last;   /* from here on, ask 400 years earlier; INT64_MAX when the last offset holds for ever */
    bool no_memory; /* while it was read */
};

struct wr_time_zones {
    wr_allocator *allocator;
    wr_text folder;
    wr_mutex lock; /* of the list; zones are read without it, and whoever comes second drops his */
    wr_time_zone *first;
};

/* ---- lookups ---- */

int32_t wr_time_zone_offset_at(const wr_time_zone *zone, int64_t seconds) {
    if (!zone) return 0;
    if (seconds >= zone->last) seconds -= ((seconds - zone->last) / SECONDS_PER_ERA + 1) * SECONDS_PER_ERA;
    uint32_t low = 0, high = zone->count; /* the first transition after it */
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (zone->transitions[middle].at <= seconds) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low ? zone->transitions[low - 1].offset : zone->first_offset;
}

/* The offset before a change near by is right unless the local time lies behind the change by both clocks. */
int32_t wr_time_zone_offset_of_local(const wr_time_zone *zone, int64_t local) {
    int32_t before = wr_time_zone_offset_at(zone, local - SECONDS_PER_DAY);
    int32_t after = wr_time_zone_offset_at(zone, local + SECONDS_PER_DAY);
    if (before == after && wr_time_zone_offset_at(zone, local - before) == before) return before;
    if (wr_time_zone_offset_at(zone, local - before) == before) return before;
    int32_t there = wr_time_zone_offset_at(zone, local - before);
    return wr_time_zone_offset_at(zone, local - there) == there ? there : before;
}

wr_str wr_time_zone_name(const wr_time_zone *zone) {
    return zone ? zone->name : WR_STR("UTC");
}

size_t wr_print_zoned(char *out, int64_t value, wr_unit unit, const wr_time_zone *zone) {
    static const int64_t per_second[] = {1, 1000, 1000000, 1000000000};
    if (!wr_timestamp_is_finite(value)) return wr_print_timestamp(out, value, unit);
    int64_t offset = wr_time_zone_offset_at(zone, wr_floor_div(value, per_second[unit]));
    size_t at = wr_print_timestamp(out, value + offset * per_second[unit], unit);
    out[at++] = offset < 0 ? '-' : '+';
    int64_t size = offset < 0 ? -offset : offset;
    int64_t parts[3] = {size / 3600, size / 60 % 60, size % 60};
    int shown = parts[2] ? 3 : parts[1] ? 2 : 1;
    for (int i = 0; i < shown; i++) {
        if (i) out[at++] = ':';
        out[at++] = (char)('0' + parts[i] / 10);
        out[at++] = (char)('0' + parts[i] % 10);
    }
    return at;
}

/* ---- the rule for later years: std offset dst [offset],start[/time],end[/time] ---- */

typedef struct rule_date {
    char kind; /* M, J or 0: month.week.day, day 1-365 without 29 February, day 0-365 */
    int month, week, day;
    int32_t seconds; /* of the day */
} rule_date;

typedef struct rule {
    int32_t standard, summer;
    bool has_summer;
    rule_date start, end;
} rule;

typedef struct rule_text {
    const char *at, *end;
} rule_text;

static bool rule_take(rule_text *t, char c) {
    if (t->at == t->end || *t->at != c) return false;
    t->at++;
    return true;
}

static bool rule_number(rule_text *t, int *out) {
    const char *start = t->at;
    int value = 0;
    while (t->at < t->end && *t->at >= '0' && *t->at <= '9' && value < 100000) value = value * 10 + (*t->at++ - '0');
    *out = value;
    return t->at > start;
}

static bool rule_name(rule_text *t) {
    const char *start = t->at;
    if (rule_take(t, '<')) {
        while (t->at < t->end && *t->at != '>') t->at++;
        return rule_take(t, '>');
    }
    while (t->at < t->end && ((*t->at >= 'a' && *t->at <= 'z') || (*t->at >= 'A' && *t->at <= 'Z'))) t->at++;
    return t->at > start;
}

/* [+-]hh[:mm[:ss]] */
static bool rule_clock(rule_text *t, int32_t *out) {
    bool negative = rule_take(t, '-');
    if (!negative) (void)rule_take(t, '+');
    int parts[3] = {0, 0, 0};
    if (!rule_number(t, &parts[0])) return false;
    for (int i = 1; i < 3 && rule_take(t, ':'); i++) {
        if (!rule_number(t, &parts[i])) return false;
    }
    if (parts[0] > 167 || parts[1] > 59 || parts[2] > 59) return false;
    *out = parts[0] * 3600 + parts[1] * 60 + parts[2];
    if (negative) *out = -*out;
    return true;
}

static bool rule_day(rule_text *t, rule_date *d) {
    *d = (rule_date){.kind = '0', .seconds = 2 * 3600};
    if (rule_take(t, 'M')) {
        d->kind = 'M';
        if (!rule_number(t, &d->month) || !rule_take(t, '.') || !rule_number(t, &d->week) || !rule_take(t, '.') ||
            !rule_number(t, &d->day) || d->month < 1 || d->month > 12 || d->week < 1 || d->week > 5 || d->day > 6) {
            return false;
        }
    } else {
        if (rule_take(t, 'J')) d->kind = 'J';
        if (!rule_number(t, &d->day) || d->day > 365) return false;
    }
    return !rule_take(t, '/') || rule_clock(t, &d->seconds);
}

static bool rule_parse(wr_str text, rule *r) {
    rule_text t = {text.data, text.data + text.size};
    *r = (rule){.has_summer = false};
    int32_t west;
    if (!rule_name(&t) || !rule_clock(&t, &west)) return false;
    r->standard = -west;
    if (t.at == t.end) return true;
    r->has_summer = true;
    r->summer = r->standard + 3600;
    if (!rule_name(&t)) return false;
    if (t.at < t.end && *t.at != ',') {
        if (!rule_clock(&t, &west)) return false;
        r->summer = -west;
    }
    return rule_take(&t, ',') && rule_day(&t, &r->start) && rule_take(&t, ',') && rule_day(&t, &r->end) &&
           t.at == t.end;
}

/* Seconds since 1970 of the local moment in that year. */
static int64_t rule_moment(const rule_date *d, int64_t year) {
    int64_t days;
    if (d->kind == 'M') {
        int64_t first = wr_civil_to_days(year, (uint32_t)d->month, 1);
        int64_t day = first + wr_floor_mod(d->day - wr_weekday(first), 7) + (d->week - 1) * 7;
        if (day >= first + wr_days_in_month(year, (uint32_t)d->month)) day -= 7;
        days = day;
    } else {
        days = wr_civil_to_days(year, 1, 1) + d->day - (d->kind == 'J');
        if (d->kind == 'J' && wr_is_leap_year(year) && d->day >= 60) days++;
    }
    return days * SECONDS_PER_DAY + d->seconds;
}

static bool add_transition(wr_time_zone *zone, uint32_t *capacity, const transition *t) {
    zone->no_memory = !wr_arena_push(&zone->arena, &zone->transitions, &zone->count, capacity, sizeof *t, t);
    return !zone->no_memory;
}

/* Appends the rule's transitions behind those of the file. */
static bool rule_expand(const rule *r, wr_time_zone *zone, uint32_t *capacity) {
    int64_t known = zone->count ? zone->transitions[zone->count - 1].at : INT64_MIN;
    for (int64_t year = RULE_FIRST_YEAR; year <= RULE_LAST_YEAR && r->has_summer; year++) {
        transition pair[2] = {{rule_moment(&r->start, year) - r->standard, r->summer},
                              {rule_moment(&r->end, year) - r->summer, r->standard}};
        bool swap = pair[1].at < pair[0].at;
        for (int i = 0; i < 2; i++) {
            const transition *t = &pair[swap ? 1 - i : i];
            if (t->at <= known) continue;
            if (!add_transition(zone, capacity, t)) return false;
        }
    }
    if (r->has_summer) zone->last = wr_civil_to_days(RULE_LAST_YEAR, 1, 1) * SECONDS_PER_DAY;
    return true;
}

/* ---- the file ---- */

typedef struct tzif_header {
    uint8_t version;
    uint32_t counts[6]; /* isut, isstd, leap, time, type, char */
} tzif_header;

static bool read_u32(wr_span *s, uint32_t *out) {
    const uint8_t *p = wr_span_take(s, 4);
    if (p) *out = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    return p != NULL;
}

static bool read_header(wr_span *s, tzif_header *h) {
    const uint8_t *magic = wr_span_take(s, 4);
    if (!magic || memcmp(magic, "TZif", 4) != 0 || !wr_span_u8(s, &h->version) || !wr_span_take(s, 15)) return false;
    for (int i = 0; i < 6; i++) {
        if (!read_u32(s, &h->counts[i]) || h->counts[i] > FILE_BYTES_MAX) return false;
    }
    return true;
}

static size_t body_bytes(const tzif_header *h, size_t time_bytes) {
    const uint32_t *n = h->counts;
    return n[3] * (time_bytes + 1) + n[4] * 6 + n[5] + n[2] * (time_bytes + 4) + n[1] + n[0];
}

static int64_t be64(const uint8_t *p) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value = value << 8 | p[i];
    return (int64_t)value;
}

static int32_t type_offset(const uint8_t *types, unsigned type) {
    const uint8_t *p = types + type * 6;
    return (int32_t)((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]);
}

/* The transitions of the 64-bit part; false when the bytes are not what they should be. */
static bool read_body(wr_span *s, const tzif_header *h, wr_time_zone *zone, uint32_t *capacity) {
    uint32_t times = h->counts[3], types = h->counts[4];
    const uint8_t *body = wr_span_take(s, body_bytes(h, 8));
    if (!body || types == 0) return false;
    const uint8_t *indices = body + (size_t)times * 8, *type_table = indices + times;
    zone->first_offset = type_offset(type_table, 0);
    for (uint32_t i = 0; i < times; i++) {
        if (indices[i] >= types) return false;
        transition t = {be64(body + (size_t)i * 8), type_offset(type_table, indices[i])};
        if (i && t.at <= zone->transitions[zone->count - 1].at) return false;
        if (!add_transition(zone, capacity, &t)) return false;
    }
    return true;
}

static bool read_footer(wr_span *s, wr_str *out) {
    const char *rest = (const char *)s->data + s->at;
    size_t size = wr_span_left(s);
    if (size < 2 || rest[0] != '\n') return false;
    const char *end = memchr(rest + 1, '\n', size - 1);
    if (!end) return false;
    *out = (wr_str){rest + 1, (uint32_t)(end - rest - 1)};
    return true;
}

static wr_status parse_file(wr_str bytes, wr_time_zone *zone, wr_error *err) {
    wr_span s = wr_span_from(bytes.data, bytes.size, 0);
    tzif_header h;
    uint32_t capacity = 0;
    wr_str text;
    rule r;
    bool ok = read_header(&s, &h) && h.version >= '2' && wr_span_take(&s, body_bytes(&h, 4)) && read_header(&s, &h) &&
              read_body(&s, &h, zone, &capacity) && read_footer(&s, &text);
    if (ok && text.size) ok = rule_parse(text, &r) && rule_expand(&r, zone, &capacity);
    if (ok) return WR_OK;
    if (zone->no_memory) return wr_fail_memory(err, sizeof(transition) * capacity, "a time zone");
    return wr_fail(err, WR_CORRUPT, "the time zone file of \"%.*s\" is damaged at byte %zu", WR_STR_ARGS(zone->name),
                   s.at);
}

static wr_status read_file(wr_allocator *a, const char *path, wr_text *out, wr_error *err) {
    wr_file *file;
    wr_file_info info;
    WR_TRY(wr_file_open(&file, a, path, WR_FILE_READ, err));
    wr_status status = wr_file_stat(file, &info, err);
    if (status == WR_OK && (info.is_folder || info.size_bytes > FILE_BYTES_MAX)) {
        status = wr_fail(err, WR_NOT_FOUND, "not a time zone file");
    }
    char piece[4096];
    for (uint64_t at = 0; status == WR_OK && at < info.size_bytes;) {
        size_t size = info.size_bytes - at < sizeof piece ? (size_t)(info.size_bytes - at) : sizeof piece;
        status = wr_file_read(file, at, piece, size, err);
        wr_text_add(out, piece, size);
        at += size;
    }
    wr_file_close(file);
    if (status == WR_OK && out->failed) status = wr_fail_memory(err, out->size, "a time zone");
    return status;
}

/* ---- the set ---- */

/* Names lead to files: letters, digits and separators alone, and no way out of the folder. */
static bool is_name(wr_str name) {
    if (name.size == 0 || name.size > NAME_BYTES_MAX || name.data[0] == '/' || name.data[0] == '.') return false;
    for (uint32_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '/' && c != '_' && c != '-' && c != '+') return false;
    }
    return true;
}

static bool is_utc(wr_str name) {
    static const char *const names[] = {"UTC", "GMT", "Z", "Etc/UTC", "Zulu"};
    for (size_t i = 0; i < WR_COUNT_OF(names); i++) {
        if (wr_str_equal_nocase(name, wr_str_from(names[i]))) return true;
    }
    return false;
}

/* +02, -03:30: east of UTC, unlike in the rules of files. */
static bool is_offset(wr_str name, int32_t *out) {
    if (name.size < 2 || (name.data[0] != '+' && name.data[0] != '-')) return false;
    rule_text t = {name.data, name.data + name.size};
    return rule_clock(&t, out) && t.at == t.end && *out <= 18 * 3600 && *out >= -18 * 3600;
}

static wr_status fill_zone(wr_time_zones *zones, wr_time_zone *zone, wr_error *err) {
    if (is_utc(zone->name) || is_offset(zone->name, &zone->first_offset)) return WR_OK;
    wr_status status = wr_fail(err, WR_NOT_FOUND, "there is no time zone \"%.*s\"", WR_STR_ARGS(zone->name));
    if (!is_name(zone->name)) return status;
    char path[512];
    int size = snprintf(path, sizeof path, "%s/%.*s", zones->folder.data, WR_STR_ARGS(zone->name));
    if (size < 0 || (size_t)size >= sizeof path) return status;
    wr_text bytes;
    wr_text_init(&bytes, zones->allocator);
    wr_error cause;
    wr_status read = read_file(zones->allocator, path, &bytes, &cause);
    if (read == WR_OK) {
        status = parse_file(wr_text_view(&bytes), zone, err);
    } else if (read != WR_NOT_FOUND && err) {
        *err = cause;
        status = read;
    } else if (err) {
        wr_hint(err, "names are like \"Europe/Berlin\", offsets like \"+02:00\"");
    }
    wr_text_deinit(&bytes);
    return status;
}

static wr_time_zone *find_known(wr_time_zones *zones, wr_str name) {
    wr_mutex_lock(&zones->lock);
    wr_time_zone *found = zones->first;
    while (found && !wr_str_equal(found->name, name)) found = found->next;
    wr_mutex_unlock(&zones->lock);
    return found;
}

static void zone_destroy(wr_time_zone *zone) {
    wr_arena arena = zone->arena;
    wr_arena_deinit(&arena);
}

static wr_status zone_create(wr_time_zone **out, wr_time_zones *zones, wr_str name, wr_error *err) {
    wr_arena arena;
    wr_arena_init(&arena, zones->allocator);
    wr_time_zone *zone = WR_ARENA_NEW(&arena, wr_time_zone);
    wr_str copy = wr_arena_copy(&arena, name);
    if (!zone || !copy.data) {
        wr_arena_deinit(&arena);
        return wr_fail_memory(err, sizeof *zone, "a time zone");
    }
    zone->arena = arena;
    zone->zones = zones;
    zone->last = INT64_MAX;
    zone->name = copy;
    wr_status status = fill_zone(zones, zone, err);
    if (status != WR_OK) {
        zone_destroy(zone);
        return status;
    }
    *out = zone;
    return WR_OK;
}

wr_status wr_time_zones_find(wr_time_zones *zones, wr_str name, const wr_time_zone **out, wr_error *err) {
    if (name.size > NAME_BYTES_MAX) return wr_fail(err, WR_NOT_FOUND, "there is no time zone of such a long name");
    *out = find_known(zones, name);
    if (*out) return WR_OK;
    wr_time_zone *zone;
    WR_TRY(zone_create(&zone, zones, name, err));
    wr_mutex_lock(&zones->lock);
    wr_time_zone *other = zones->first;
    while (other && !wr_str_equal(other->name, name)) other = other->next;
    if (!other) {
        zone->next = zones->first;
        zones->first = zone;
    }
    wr_mutex_unlock(&zones->lock);
    if (other) zone_destroy(zone);
    *out = other ? other : zone;
    return WR_OK;
}

const wr_time_zone *wr_time_zone_find(const wr_time_zone *zone, wr_str name) {
    const wr_time_zone *found = NULL;
    if (!zone || wr_time_zones_find(zone->zones, name, &found, NULL) != WR_OK) return NULL;
    return found;
}

wr_status wr_time_zones_create(wr_time_zones **out, wr_allocator *a, const char *folder, wr_error *err) {
    wr_time_zones *zones = wr_alloc_zeroed(a, sizeof *zones);
    if (!zones) return wr_fail_memory(err, sizeof *zones, "time zones");
    zones->allocator = a;
    wr_mutex_init(&zones->lock);
    wr_text_init(&zones->folder, a);
    wr_text_addz(&zones->folder, folder);
    if (zones->folder.failed) {
        wr_time_zones_destroy(zones);
        return wr_fail_memory(err, strlen(folder), "time zones");
    }
    *out = zones;
    return WR_OK;
}

void wr_time_zones_destroy(wr_time_zones *zones) {
    if (!zones) return;
    while (zones->first) {
        wr_time_zone *zone = zones->first;
        zones->first = zone->next;
        zone_destroy(zone);
    }
    wr_text_deinit(&zones->folder);
    wr_mutex_deinit(&zones->lock);
    wr_free(zones->allocator, zones, sizeof *zones);
}
