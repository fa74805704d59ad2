/* Settings: one table row each. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "engine/engine_internal.h"

typedef struct setting_row {
    const char *name;
    bool at_open; /* can be set only when the database is opened */
    wr_status (*read)(wr_settings *settings, wr_str value, wr_error *err);
    void (*copy)(wr_settings *to, const wr_settings *from); /* for RESET */
} setting_row;

static wr_status bad(wr_error *err, const char *name, wr_str value, const char *expected) {
    return wr_fail(err, WR_INVALID, "setting %s: '%.*s' is not %s", name, WR_STR_ARGS(value), expected);
}

static bool read_count(wr_str value, uint64_t low, uint64_t high, uint64_t *out) {
    uint64_t n = 0;
    if (value.size == 0 || value.size > 19) return false;
    for (uint32_t i = 0; i < value.size; i++) {
        if (!isdigit((unsigned char)value.data[i])) return false;
        n = n * 10 + (uint64_t)(value.data[i] - '0');
    }
    *out = n;
    return n >= low && n <= high;
}

/* "256MB", "1.5 GiB", "4096": powers of 1000 and of 1024. */
static bool read_bytes(wr_str value, uint64_t *out) {
    static const struct {
        const char *unit;
        double factor;
    } units[] = {{"", 1},
                 {"b", 1},
                 {"kb", 1e3},
                 {"mb", 1e6},
                 {"gb", 1e9},
                 {"tb", 1e12},
                 {"k", 1e3},
                 {"m", 1e6},
                 {"g", 1e9},
                 {"kib", 1024.0},
                 {"mib", 1048576.0},
                 {"gib", 1073741824.0},
                 {"tib", 1099511627776.0}};
    char text[64];
    if (value.size == 0 || value.size >= sizeof text) return false;
    memcpy(text, value.data, value.size);
    text[value.size] = 0;
    char *end;
    double number = strtod(text, &end);
    if (end == text || !(number >= 0)) return false;
    while (*end == ' ') end++;
    for (size_t i = 0; i < WR_COUNT_OF(units); i++) {
        if (!wr_str_equal_nocase(wr_str_from(end), wr_str_from(units[i].unit))) continue;
        double bytes = number * units[i].factor;
        if (bytes > 9e18) return false;
        *out = (uint64_t)bytes;
        return true;
    }
    return false;
}

static bool read_bool(wr_str value, bool *out) {
    static const char *const yes[] = {"true", "on", "1", "yes"}, *const no[] = {"false", "off", "0", "no"};
    for (size_t i = 0; i < WR_COUNT_OF(yes); i++) {
        if (wr_str_equal_nocase(value, wr_str_from(yes[i]))) return *out = true, true;
        if (wr_str_equal_nocase(value, wr_str_from(no[i]))) return *out = false, true;
    }
    return false;
}

static bool read_text(wr_str value, char *out, size_t room) {
    if (value.size >= room) return false;
    memcpy(out, value.data, value.size);
    out[value.size] = 0;
    return true;
}

static wr_status set_threads(wr_settings *s, wr_str v, wr_error *err) {
    uint64_t n;
    if (!read_count(v, 1, 1024, &n)) return bad(err, "threads", v, "a number from 1 to 1024");
    s->threads = (uint32_t)n;
    return WR_OK;
}
static wr_status set_memory_limit(wr_settings *s, wr_str v, wr_error *err) {
    uint64_t n;
    if (!read_bytes(v, &n) || n < 4u << 20)
        return bad(err, "memory_limit", v, "a size of 4MiB or more, such as 256MB or 4GiB");
    s->memory_limit = n;
    return WR_OK;
}
static wr_status set_temp_directory(wr_settings *s, wr_str v, wr_error *err) {
    return read_text(v, s->temp_directory, sizeof s->temp_directory)
               ? WR_OK
               : bad(err, "temp_directory", v, "a path of under 1024 bytes");
}
static wr_status set_temp_limit(wr_settings *s, wr_str v, wr_error *err) {
    return read_bytes(v, &s->temp_limit) ? WR_OK : bad(err, "temp_limit", v, "a size such as 10GB");
}
static wr_status set_batch_rows(wr_settings *s, wr_str v, wr_error *err) {
    uint64_t n;
    if (!read_count(v, 1, WR_BATCH_ROWS_MAX, &n)) return bad(err, "batch_rows", v, "a number from 1 to 32768");
    s->batch_rows = (uint32_t)n;
    return WR_OK;
}
static wr_status set_isa(wr_settings *s, wr_str v, wr_error *err) {
    char name[16];
    wr_isa isa = wr_kernels_best()->isa;
    bool known =
        read_text(v, name, sizeof name) && (wr_str_equal_nocase(v, WR_STR("auto")) || wr_isa_parse(name, &isa));
    if (!known) return bad(err, "instruction_set", v, "auto, base, v3 or v4");
    if (!wr_kernels_select(isa))
        return wr_fail(err, WR_UNSUPPORTED, "this processor does not have instruction set %s", wr_isa_name(isa));
    s->isa = isa;
    return WR_OK;
}
static wr_status set_optimizer(wr_settings *s, wr_str v, wr_error *err) {
    return read_bool(v, &s->optimizer) ? WR_OK : bad(err, "optimizer", v, "true or false");
}
static wr_status set_skip_passes(wr_settings *s, wr_str v, wr_error *err) {
    return read_text(v, s->skip_passes, sizeof s->skip_passes) ? WR_OK
                                                               : bad(err, "skip_passes", v, "a short list of names");
}
static wr_status set_force_spill(wr_settings *s, wr_str v, wr_error *err) {
    return read_bool(v, &s->force_spill) ? WR_OK : bad(err, "force_spill", v, "true or false");
}
static wr_status set_force_order(wr_settings *s, wr_str v, wr_error *err) {
    return read_bool(v, &s->force_order) ? WR_OK : bad(err, "force_order", v, "true or false");
}
/* Of the whole process: hashes have no handle to hang a setting on. Tests alone. */
static wr_status set_hash_zero(wr_settings *s, wr_str v, wr_error *err) {
    if (!read_bool(v, &s->hash_zero)) return bad(err, "hash_zero", v, "true or false");
    wr_hash_all_zero = s->hash_zero;
    return WR_OK;
}
static wr_status set_time_zone(wr_settings *s, wr_str v, wr_error *err) {
    return read_text(v, s->time_zone, sizeof s->time_zone) ? WR_OK
                                                           : bad(err, "time_zone", v, "the name of a time zone");
}

#define COPY_SCALAR(field)                                                                                             \
    static void copy_##field(wr_settings *to, const wr_settings *from) {                                               \
        to->field = from->field;                                                                                       \
    }
#define COPY_TEXT(field)                                                                                               \
    static void copy_##field(wr_settings *to, const wr_settings *from) {                                               \
        memcpy(to->field, from->field, sizeof to->field);                                                              \
    }
COPY_SCALAR(threads)
COPY_SCALAR(memory_limit)
COPY_TEXT(temp_directory)
COPY_SCALAR(temp_limit)
COPY_SCALAR(batch_rows)
COPY_SCALAR(isa)
COPY_SCALAR(optimizer)
COPY_TEXT(skip_passes)
COPY_SCALAR(force_spill)
COPY_SCALAR(force_order)
COPY_SCALAR(hash_zero)
COPY_TEXT(time_zone)

static const setting_row rows[] = {
    {"threads", true, set_threads, copy_threads},
    {"memory_limit", false, set_memory_limit, copy_memory_limit},
    {"temp_directory", false, set_temp_directory, copy_temp_directory},
    {"temp_limit", false, set_temp_limit, copy_temp_limit},
    {"batch_rows", false, set_batch_rows, copy_batch_rows},
    {"instruction_set", false, set_isa, copy_isa},
    {"optimizer", false, set_optimizer, copy_optimizer},
    {"skip_passes", false, set_skip_passes, copy_skip_passes},
    {"force_spill", false, set_force_spill, copy_force_spill},
    {"force_order", false, set_force_order, copy_force_order},
    {"hash_zero", true, set_hash_zero, copy_hash_zero},
    {"time_zone", false, set_time_zone, copy_time_zone},
    {"timezone", false, set_time_zone, copy_time_zone}, /* SET TIME ZONE, and the name that other dialects have */
};

void wr_settings_default(wr_settings *s) {
    *s = (wr_settings){
        .threads = wr_cpu_count(),
        .memory_limit = wr_os_memory_bytes() / 5 * 4,
        .temp_limit = UINT64_MAX,
        .batch_rows = WR_BATCH_ROWS,
        .isa = wr_kernels_best()->isa,
        .optimizer = true,
        .time_zone = "UTC",
    };
    const char *folder = getenv("TMPDIR");
    snprintf(s->temp_directory, sizeof s->temp_directory, "%s", folder && *folder ? folder : "/tmp");
}

static wr_status find_setting(wr_str name, const setting_row **out, wr_error *err) {
    const setting_row *nearest = &rows[0];
    uint32_t least = UINT32_MAX;
    for (size_t i = 0; i < WR_COUNT_OF(rows); i++) {
        uint32_t distance = wr_str_distance(name, wr_str_from(rows[i].name), 8);
        if (distance < least) {
            least = distance;
            nearest = &rows[i];
        }
    }
    *out = nearest;
    if (least == 0) return WR_OK;
    wr_fail(err, WR_NOT_FOUND, "there is no setting \"%.*s\"", WR_STR_ARGS(name));
    return least <= 3 ? wr_hint(err, "did you mean \"%s\"?", nearest->name) : WR_NOT_FOUND;
}

static wr_status fail_at_open(const setting_row *row, wr_error *err) {
    return wr_fail(err, WR_UNSUPPORTED,
                   "setting %s belongs to the database and is given when it is opened (--set %s=…)", row->name,
                   row->name);
}

wr_status wr_settings_set(wr_settings *s, wr_str name, wr_str value, bool open, wr_error *err) {
    const setting_row *row;
    WR_TRY(find_setting(name, &row, err));
    return row->at_open && !open ? fail_at_open(row, err) : row->read(s, value, err);
}

wr_status wr_settings_reset(wr_settings *s, const wr_settings *defaults, wr_str name, wr_error *err) {
    const setting_row *row;
    WR_TRY(find_setting(name, &row, err));
    if (row->at_open) return fail_at_open(row, err);
    row->copy(s, defaults);
    return WR_OK;
}
