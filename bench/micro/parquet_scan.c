/* How fast row groups come out of a Parquet file, and how much memory that takes.
 *
 *     bench_parquet_scan FILE COLUMN[,COLUMN...] [FILTER...] [--threads N] [--repeat N] [--isa NAME]
 *
 * A filter is COLUMN:LOW:HIGH, both included, in the numbers that the column holds: days, cents. Each thread has a
 * cursor of its own and takes row groups from a counter. The best of the repetitions is shown, with the rows that came
 * out and a sum over fixed-size values, so that two runs can be compared. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "format/format.h"
#include "os/os.h"

enum { COLUMNS_MAX = 64, THREADS_MAX = 64 };

typedef struct range {
    int64_t low, high;
} range;

typedef struct scan {
    wr_table_file *file;
    const wr_kernels *kernels;
    wr_scan_column columns[COLUMNS_MAX];
    uint32_t column_count, filter_count;
    range ranges[COLUMNS_MAX];
    uint32_t filter_columns[COLUMNS_MAX];
    _Atomic uint32_t next_part;
    _Atomic uint64_t rows, sum;
    wr_scan_counters counters;
} scan;

static _Noreturn void die(const wr_error *err) {
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static int64_t value_at(const wr_vector *v, uint32_t i) {
    if (v->phys == WR_PHYS_I32) return ((const int32_t *)v->data)[i];
    return ((const int64_t *)v->data)[i];
}

static wr_status evaluate(void *user, const wr_vector *const *columns, uint32_t n, uint64_t *pass, wr_error *err) {
    (void)err;
    const range *r = user;
    const wr_vector *v = columns[0], *values = v->kind == WR_DICTIONARY ? wr_vector_dictionary(v) : v;
    for (uint32_t at = 0; at < n; at += 64) {
        uint64_t word = 0;
        for (uint32_t i = 0; i < 64 && at + i < n; i++) {
            int64_t x = value_at(values, values == v ? at + i : ((const uint32_t *)v->data)[at + i]);
            word |= (uint64_t)(x >= r->low && x <= r->high) << i;
        }
        pass[at / 64] = word;
    }
    return WR_OK;
}

static wr_zone_answer zone(void *user, const wr_column_bounds *b) {
    const range *r = user;
    if (!b->has_bounds) return WR_ZONE_SOME;
    if (b->max.i64 < r->low || b->min.i64 > r->high) return WR_ZONE_NONE;
    return b->null_count == 0 && b->min.i64 >= r->low && b->max.i64 <= r->high ? WR_ZONE_ALL : WR_ZONE_SOME;
}

/* Touches every row, as whoever reads the batch would. */
static uint64_t sum_of(const wr_vector *v) {
    uint64_t sum = 0;
    if (v->kind == WR_DICTIONARY) {
        for (uint32_t i = 0; i < v->row_count; i++) sum += ((const uint32_t *)v->data)[i];
    } else if (v->phys == WR_PHYS_VIEW) {
        for (uint32_t i = 0; i < v->row_count; i++) sum += ((const wr_string_view *)v->data)[i].size;
    } else if (wr_phys_bytes((wr_phys)v->phys) == 8) {
        for (uint32_t i = 0; i < v->row_count; i++) sum += ((const uint64_t *)v->data)[i];
    }
    return sum;
}

static void work(void *user) {
    scan *s = user;
    wr_error err;
    wr_allocator *a = wr_system_allocator();
    wr_scan_filter filters[COLUMNS_MAX];
    for (uint32_t i = 0; i < s->filter_count; i++) {
        filters[i] = (wr_scan_filter){.columns = &s->filter_columns[i],
                                      .column_count = 1,
                                      .cost = 1,
                                      .user = &s->ranges[i],
                                      .zone = zone,
                                      .evaluate = evaluate};
    }
    wr_scan_spec spec = {s->kernels, s->columns, s->column_count, filters, s->filter_count, WR_BATCH_ROWS, NULL};
    wr_part_cursor *cursor;
    wr_batch batch;
    uint32_t outputs = 0;
    for (uint32_t i = 0; i < s->column_count; i++) outputs += s->columns[i].output;
    if (wr_batch_init(&batch, a, outputs, &err) != WR_OK) die(&err);
    if (s->file->ops->cursor_create(&cursor, s->file, a, &spec, &err) != WR_OK) die(&err);
    uint64_t rows = 0, sum = 0;
    for (uint32_t part; (part = s->next_part++) < s->file->part_count;) {
        if (cursor->ops->begin(cursor, part, 0, s->file->parts[part].row_count, &err) != WR_OK) die(&err);
        for (bool more;;) {
            if (cursor->ops->next(cursor, &batch, &more, &err) != WR_OK) die(&err);
            if (!more) break;
            rows += batch.row_count;
            for (uint32_t i = 0; i < outputs; i++) sum += sum_of(&batch.columns[i]);
        }
    }
    wr_batch_deinit(&batch);
    s->counters = cursor->counters; /* one thread's, as a sample */
    cursor->ops->destroy(cursor);
    s->rows += rows;
    s->sum += sum;
}

static uint32_t find_column(scan *s, wr_str name, bool output) {
    const wr_schema *schema = &s->file->schema;
    for (uint32_t i = 0; i < schema->field_count; i++) {
        if (!wr_str_equal(schema->fields[i].name, name)) continue;
        for (uint32_t k = 0; k < s->column_count; k++) {
            if (s->columns[k].file_column == i) return k;
        }
        s->columns[s->column_count] = (wr_scan_column){i, output};
        return s->column_count++;
    }
    fprintf(stderr, "no column %.*s\n", WR_STR_ARGS(name));
    exit(1);
}

static void add_columns(scan *s, const char *names) {
    while (*names) {
        size_t size = strcspn(names, ",");
        (void)find_column(s, (wr_str){names, (uint32_t)size}, true);
        names += size + (names[size] == ',');
    }
}

static void add_filter(scan *s, const char *text) {
    size_t size = strcspn(text, ":");
    uint32_t i = s->filter_count++;
    s->filter_columns[i] = find_column(s, (wr_str){text, (uint32_t)size}, false);
    if (sscanf(text + size, ":%" SCNd64 ":%" SCNd64, &s->ranges[i].low, &s->ranges[i].high) != 2) {
        fprintf(stderr, "a filter is COLUMN:LOW:HIGH, not %s\n", text);
        exit(1);
    }
}

static double run(scan *s, unsigned threads) {
    wr_error err;
    wr_thread *started[THREADS_MAX];
    s->next_part = 0;
    s->rows = s->sum = 0;
    int64_t start = wr_clock_monotonic_ns();
    for (unsigned i = 0; i < threads; i++) {
        if (wr_thread_start(&started[i], wr_system_allocator(), "scan", work, s, &err) != WR_OK) die(&err);
    }
    for (unsigned i = 0; i < threads; i++) wr_thread_join(started[i]);
    return (double)(wr_clock_monotonic_ns() - start) * 1e-9;
}

int main(int argc, char **argv) {
    static scan s;
    wr_error err;
    wr_object *object;
    const wr_format *format;
    unsigned threads = 2, repeat = 5;
    if (argc < 3) {
        fprintf(stderr, "usage: bench_parquet_scan FILE COLUMN[,COLUMN...] [COLUMN:LOW:HIGH...] [--threads N]\n");
        return 2;
    }
    wr_allocator *a = wr_system_allocator();
    s.kernels = wr_kernels_best();
    if (wr_object_open(&object, a, NULL, wr_str_from(argv[1]), &err) != WR_OK) die(&err);
    if (wr_format_find(object, &format, &err) != WR_OK) die(&err);
    int64_t start = wr_clock_monotonic_ns();
    if (format->open(&s.file, a, object, s.kernels, &err) != WR_OK) die(&err);
    printf("open %.2f ms\n", (double)(wr_clock_monotonic_ns() - start) * 1e-6);
    add_columns(&s, argv[2]);
    for (int i = 3; i < argc; i++) {
        wr_isa isa;
        if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc) {
            threads = (unsigned)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--repeat") == 0 && i + 1 < argc) {
            repeat = (unsigned)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--isa") == 0 && i + 1 < argc && wr_isa_parse(argv[i + 1], &isa)) {
            s.kernels = wr_kernels_select(isa);
            i++;
        } else {
            add_filter(&s, argv[i]);
        }
    }
    if (threads < 1 || threads > THREADS_MAX || !s.kernels) return 2;
    double best = 1e9;
    int64_t cpu = wr_clock_cpu_ns();
    for (unsigned i = 0; i < repeat; i++) {
        double seconds = run(&s, threads);
        if (seconds < best) best = seconds;
    }
    printf("%.3f s  cpu %.3f s  rows %" PRIu64 "  sum %" PRIu64 "  peak %.1f MB\n", best,
           (double)(wr_clock_cpu_ns() - cpu) * 1e-9 / repeat, s.rows, s.sum,
           (double)wr_process_peak_resident_bytes() * 1e-6);
    printf("one thread: %" PRIu64 " pages inflated, %" PRIu64 " passed over, %.1f MB read, %.1f MB inflated\n",
           s.counters.pages_inflated, s.counters.pages_skipped, (double)s.counters.bytes_read * 1e-6,
           (double)s.counters.bytes_inflated * 1e-6);
    wr_table_file_release(s.file);
    wr_object_release(object);
    return 0;
}
