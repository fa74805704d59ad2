/* An opened Parquet file. */
#ifndef WR_FORMAT_PARQUET_FILE_H
#define WR_FORMAT_PARQUET_FILE_H

#include "format/format.h"
#include "format/parquet/schema.h"

typedef struct wr_pq_file {
    wr_table_file base;
    wr_allocator *allocator;
    wr_arena arena;
    wr_buffer *footer_bytes; /* statistics are views into it */
    wr_pq_footer footer;
    wr_pq_schema schema;
} wr_pq_file;

extern const wr_format wr_parquet_format;

static inline const wr_pq_file *wr_pq_file_of(const wr_table_file *file) {
    return (const wr_pq_file *)file;
}
/* cursor.c */
wr_status wr_pq_cursor_create(wr_part_cursor **out, wr_table_file *file, wr_allocator *a, const wr_scan_spec *spec,
                              wr_error *err);

/* statistics.c: what the footer says of a chunk, as far as it can be believed. */
void wr_pq_chunk_bounds(const wr_pq_file *file, uint32_t row_group, uint32_t leaf, wr_column_bounds *out);
/* The same of a page, from a column index. */
void wr_pq_page_index_bounds(const wr_pq_file *file, uint32_t leaf, const wr_pq_page_bounds *page, uint64_t row_count,
                             wr_column_bounds *out);

#endif
