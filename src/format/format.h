/* File formats: what a reader tells about a file, and how its rows come out.
 *
 * A wr_table_file is an opened file: its schema, its parts (row groups, blocks: the morsels of a scan), and what its
 * metadata prove about each part. A wr_part_cursor is one worker's way through parts; it filters while it decodes and
 * gives batches of the rows that are left. Formats know nothing of expressions: filters come as callbacks.
 *
 * A new format is one wr_format row in format.c's table and a folder of its own. */
#ifndef WR_FORMAT_FORMAT_H
#define WR_FORMAT_FORMAT_H

#include "column/vector.h"
#include "io/store.h"
#include "kernel/kernel.h"

/* What is known of a column within a part, or of a whole file. Bounds enclose all values that are not NULL; text bounds
 * may be cut, and are then not exact. NaN and the sign of zero never make bounds exclude a row. */
typedef struct wr_column_bounds {
    bool has_bounds;
    bool exact; /* both bounds occur as values */
    wr_value min, max;
    int64_t null_count; /* -1: unknown */
    int64_t row_count;
    int64_t distinct_count; /* values of the dictionary when the whole part uses it, else -1 */
} wr_column_bounds;

typedef struct wr_table_file wr_table_file;
typedef struct wr_part_cursor wr_part_cursor;

/* ---- filters, as a scan sees them ---- */

typedef enum wr_zone_answer { WR_ZONE_NONE, WR_ZONE_SOME, WR_ZONE_ALL } wr_zone_answer; /* rows that can pass */

/* One conjunct of the scan's filter. Each worker has its own copy (evaluation has scratch memory); `user` is the
 * caller's. NULL means: not passed. */
typedef struct wr_scan_filter {
    const uint32_t *columns; /* positions in wr_scan_spec.columns */
    uint32_t column_count;
    bool row_wise; /* it can fail, or is not a function of the values alone: run only on rows that earlier filters
                      left, in the given order, and never on dictionary entries */
    double cost;   /* nanoseconds a row, a guess */
    void *user;
    /* False while a dynamic filter has nothing to say yet; asked once a window. NULL: always on. */
    bool (*active)(void *user);
    /* What part- or page-level bounds of columns[0..] say. NULL: nothing. */
    wr_zone_answer (*zone)(void *user, const wr_column_bounds *bounds);
    /* pass bit i: row i passes. Vectors may be flat, constant or dictionary; all bits up to n are written. */
    wr_status (*evaluate)(void *user, const wr_vector *const *columns, uint32_t n, uint64_t *pass, wr_error *err);
} wr_scan_filter;

typedef struct wr_scan_column {
    uint32_t file_column; /* position in the file's schema */
    bool output;          /* false: a filter's need alone */
} wr_scan_column;

typedef struct wr_scan_spec {
    const wr_kernels *kernels;
    const wr_scan_column *columns;
    uint32_t column_count;
    wr_scan_filter *filters; /* this worker's copies */
    uint32_t filter_count;
    uint32_t batch_rows;
    const _Atomic bool *cancelled; /* looked at once a page; may be NULL */
} wr_scan_spec;

/* Counters for EXPLAIN ANALYZE, added up by the cursor. */
typedef struct wr_scan_counters {
    uint64_t parts, parts_pruned, pages_inflated, pages_skipped, bytes_read, bytes_inflated, rows_in, rows_out;
} wr_scan_counters;

typedef struct wr_format {
    const char *name; /* "parquet" */
    const char *const *extensions;
    /* True when the first bytes (up to 16) look like it. */
    bool (*sniff)(const uint8_t *head, size_t size);
    wr_status (*open)(wr_table_file **out, wr_allocator *a, wr_object *object, const wr_kernels *kernels,
                      wr_error *err);
} wr_format;

/* By extension, else by content; WR_UNSUPPORTED names what was seen. */
WR_MUST_CHECK wr_status wr_format_find(wr_object *object, const wr_format **out, wr_error *err);

/* ---- files: an immutable description, shared by all threads ---- */

typedef struct wr_table_file_ops {
    void (*destroy)(wr_table_file *file);
    /* Bounds of file column `column` in part `part`. Values live as long as the file. */
    void (*bounds)(const wr_table_file *file, uint32_t part, uint32_t column, wr_column_bounds *out);
    /* Reads a little to learn more than metadata tell: dictionary sizes of one part. May do I/O. NULL: nothing to add.
     */
    wr_status (*sample)(wr_table_file *file, uint32_t part, uint32_t column, wr_column_bounds *out, wr_error *err);
    /* A worker's cursor. Its memory is charged to `a`. */
    wr_status (*cursor_create)(wr_part_cursor **out, wr_table_file *file, wr_allocator *a, const wr_scan_spec *spec,
                               wr_error *err);
} wr_table_file_ops;

typedef struct wr_file_part {
    uint64_t row_count;
    uint64_t first_row;    /* in the file */
    uint64_t stored_bytes; /* of all columns: how much work it is */
} wr_file_part;

struct wr_table_file {
    const wr_table_file_ops *ops;
    _Atomic int32_t refs;
    wr_object *object;
    const wr_format *format;
    wr_schema schema;
    uint64_t row_count;
    uint32_t part_count;
    wr_file_part *parts;
};
wr_table_file *wr_table_file_retain(wr_table_file *file);
void wr_table_file_release(wr_table_file *file);

/* ---- cursors: one worker's, used again for part after part ---- */

typedef struct wr_part_cursor_ops {
    void (*destroy)(wr_part_cursor *cursor);
    /* Starts on rows [first_row, first_row + row_count) of a part; what it held of the last one is kept for reuse. */
    wr_status (*begin)(wr_part_cursor *cursor, uint32_t part, uint64_t first_row, uint64_t row_count, wr_error *err);
    /* The next rows that pass, in order, as flat, constant or dictionary columns in the order of the spec's output
     * columns, without a selection. A batch holds at most batch_rows rows and is filled from several windows when few
     * rows pass. *more is false when the part is at its end and the batch is empty. The batch (initialised by the
     * caller) shares the cursor's buffers; who wants to keep it retains them. */
    wr_status (*next)(wr_part_cursor *cursor, wr_batch *batch, bool *more, wr_error *err);
} wr_part_cursor_ops;

struct wr_part_cursor {
    const wr_part_cursor_ops *ops;
    wr_scan_counters counters;
};

#endif
