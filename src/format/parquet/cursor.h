/* A worker's way through row groups: what the files of the cursor share.
 *
 *     cursor.c    parts, windows, batches
 *     ranges.c    rows that page indexes leave of a part
 *     filters.c   rows of a window that pass
 *     output.c    batches put together from windows */
#ifndef WR_FORMAT_PARQUET_CURSOR_H
#define WR_FORMAT_PARQUET_CURSOR_H

#include "format/parquet/reader.h"

typedef enum wr_pq_answer { WR_PQ_ANSWER_UNKNOWN, WR_PQ_ANSWER_USELESS, WR_PQ_ANSWER_KNOWN } wr_pq_answer;

/* A filter of the scan, and what is known of it in this part and from the parts before. */
typedef struct wr_pq_filter {
    wr_scan_filter *filter;
    bool settled; /* every row of the part passes */
    /* what it says of the entries of its column's dictionary */
    uint8_t answer; /* wr_pq_answer */
    bool passes_all, passes_none, passes_null;
    wr_buffer *entries; /* bitmap */
    /* measured, fading */
    double rows, passed, timed_rows, nanoseconds;
    /* one a column of the filter */
    wr_vector *gathered, *flattened; /* the rows that are left, when they are few; values in place of codes */
    const wr_vector **vectors;       /* what it is asked about */
} wr_pq_filter;

/* A column of the batch that is being filled. */
typedef struct wr_pq_output {
    wr_pq_reader *reader;
    uint8_t kind; /* wr_vector_kind: flat or dictionary, once there are rows */
    bool has_validity;
    wr_buffer *data, *validity;
    wr_heap *heap;
    wr_vector_set *dictionary;
} wr_pq_output;

typedef struct wr_pq_rows {
    uint64_t first, end;
} wr_pq_rows;

typedef struct wr_pq_cursor {
    wr_part_cursor base;
    wr_allocator *allocator;
    wr_pq_context context;
    wr_table_file *file;
    wr_scan_column *columns;
    uint32_t column_count, filter_count, output_count, batch_rows;
    wr_pq_reader *readers; /* one a column */
    wr_pq_filter *filters; /* in the order in which they run */
    wr_pq_output *outputs;

    /* the part */
    wr_arena arena; /* its page indexes and ranges */
    uint32_t part;
    wr_pq_rows *ranges;
    uint32_t range_count, range_at;
    uint64_t row;               /* the next one, within the current range */
    uint32_t fruitless_indexes; /* parts in a row whose page indexes excluded nothing */

    /* the window: some rows that were filtered */
    uint64_t window_row;
    uint32_t window_rows, window_passed;
    bool window_pending; /* its rows are not in a batch yet */
    uint32_t windows;    /* so far, for what is done once in a while */
    uint64_t *pass;      /* a bit a row; of no meaning when all passed */
    uint64_t *scratch_bits, *more_bits;
    uint16_t *rows, *scratch_rows; /* room for batch_rows + 64 */

    uint32_t filled; /* rows in the outputs */
} wr_pq_cursor;

/* Bytes of one bitmap of the cursor. */
static inline size_t wr_pq_cursor_bits_bytes(const wr_pq_cursor *c) {
    return wr_bitmap_bytes(c->batch_rows) + WR_BUFFER_PAD;
}
static inline size_t wr_pq_cursor_rows_bytes(const wr_pq_cursor *c) {
    return ((size_t)c->batch_rows + 64) * sizeof(uint16_t);
}

/* ranges.c: narrows c->ranges by page indexes. */
WR_MUST_CHECK wr_status wr_pq_cursor_use_indexes(wr_pq_cursor *c, wr_error *err);

/* filters.c: what zones say of the part; *none: no row passes. */
void wr_pq_cursor_use_zones(wr_pq_cursor *c, bool *none);
/* Filters rows [c->row, c->row + n); sets the window. *skip is how many more rows behind it are known not to pass. */
WR_MUST_CHECK wr_status wr_pq_cursor_filter(wr_pq_cursor *c, uint32_t n, uint64_t *skip, wr_error *err);
void wr_pq_cursor_order_filters(wr_pq_cursor *c);

/* output.c */
WR_MUST_CHECK wr_status wr_pq_output_append(wr_pq_cursor *c, wr_error *err); /* the window, to the outputs */
WR_MUST_CHECK wr_status wr_pq_output_share(wr_pq_cursor *c, wr_batch *batch, wr_error *err); /* the window as it is */
void wr_pq_output_give(wr_pq_cursor *c, wr_batch *batch);                                    /* the outputs */
void wr_pq_output_deinit(wr_pq_output *output);

#endif
