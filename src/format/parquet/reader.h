/* Readers of column chunks: rows of one column of one row group, in order, as vectors.
 *
 * A reader walks over pages. Rows that nobody needs are only counted; a page whose rows all pass by so is never
 * inflated. Rows that are read come as codes where their page has codes, and the dictionary is inflated when somebody
 * asks for its values. At any time a reader holds some of the file's bytes, at most one inflated page, and its
 * dictionary; their memory is used again for the next page and the next row group, unless a batch still shows it. */
#ifndef WR_FORMAT_PARQUET_READER_H
#define WR_FORMAT_PARQUET_READER_H

#include "format/parquet/codec.h"
#include "format/parquet/decoder.h"
#include "format/parquet/file.h"

/* What the readers of a cursor share. */
typedef struct wr_pq_context {
    wr_allocator *allocator;
    const wr_kernels *kernels;
    const wr_pq_file *file;
    wr_pq_codecs codecs;
    wr_scan_counters *counters;
    const _Atomic bool *cancelled;
} wr_pq_context;

typedef struct wr_pq_dictionary {
    bool found;      /* its header was seen */
    bool failed;     /* its values could not be made, and the error says where */
    uint64_t offset; /* of its header */
    wr_pq_page_header header;
    wr_vector_set *set; /* NULL: not inflated yet */
    wr_buffer *stored;  /* bytes of the file that hold it, kept when the reader moved on before it was needed */
    uint64_t stored_offset;
    wr_buffer *bytes, *values; /* its page, inflated; its values, where they are not the page itself */
} wr_pq_dictionary;

typedef struct wr_pq_reader {
    wr_pq_context *context;
    const wr_pq_leaf *leaf;
    wr_str name; /* of the column, for errors */

    /* the chunk */
    const wr_pq_chunk *chunk;
    uint64_t row_count, end;        /* rows of the row group; where the chunk ends in the file */
    const wr_pq_page_place *places; /* of its data pages, when the offset index was read */
    uint32_t place_count;
    bool sparse; /* read pages one by one: many are passed over */

    /* bytes of the file */
    wr_buffer *bytes;
    uint64_t bytes_offset;
    size_t bytes_size; /* 0: none are there */

    /* the current page */
    uint64_t next_page;   /* offset of the header behind it */
    uint64_t page_offset; /* of its own header */
    wr_pq_page_header page;
    uint64_t row;           /* the next row: those before it were taken or passed over */
    uint32_t page_left;     /* rows of the page from there on */
    bool page_open;         /* inflated, decoders are set up */
    uint32_t skip_in_page;  /* rows passed over before it was opened */
    wr_buffer *page_owner;  /* what its values are in */
    wr_buffer *inflated[2]; /* to inflate into: the one that nobody shows */
    wr_pq_decoder decoder;
    wr_pq_hybrid levels;
    wr_buffer *level_buffer;   /* version 2: a copy */
    const uint8_t *level_bits; /* BIT_PACKED levels instead, most significant bit first */
    uint32_t level_at, level_bytes;

    wr_pq_dictionary dictionary;

    /* the rows that were read last */
    wr_vector vector; /* a dictionary vector has its children only after wr_pq_reader_attach */
    uint64_t vector_row;
    wr_buffer *codes, *data, *raw, *expanded, *validity;
    wr_heap *heap;
} wr_pq_reader;

void wr_pq_reader_init(wr_pq_reader *r, wr_pq_context *context, const wr_pq_leaf *leaf, wr_str name);
void wr_pq_reader_deinit(wr_pq_reader *r);
/* Starts on another chunk. */
WR_MUST_CHECK wr_status wr_pq_reader_begin(wr_pq_reader *r, const wr_pq_chunk *chunk, uint64_t row_count,
                                           wr_error *err);
/* Lets go of everything the vector shows. */
void wr_pq_reader_release(wr_pq_reader *r);

/* The first read of the chunk, to be done together with those of other columns; false when there is none to do. The
 * bytes count as there after it. */
WR_MUST_CHECK wr_status wr_pq_reader_plan(wr_pq_reader *r, wr_range *out, bool *wanted, wr_error *err);

/* Moves to the page of `row`, which is the first of the rows that were read last, or not before the end of them. Says
 * whether its values are codes, and how many rows of it there are from there on. */
WR_MUST_CHECK wr_status wr_pq_reader_find(wr_pq_reader *r, uint64_t row, bool *codes, uint32_t *left, wr_error *err);
/* True when r->vector holds these rows. */
static inline bool wr_pq_reader_has(const wr_pq_reader *r, uint64_t row, uint32_t count) {
    return r->vector_row == row && r->vector.row_count == count;
}
/* Rows [row, row + count) to r->vector, or nothing when they are there already. Rows before them can no longer be read.
 */
WR_MUST_CHECK wr_status wr_pq_reader_read(wr_pq_reader *r, uint64_t row, uint32_t count, wr_error *err);
/* Inflates the dictionary, if that was not done. */
WR_MUST_CHECK wr_status wr_pq_reader_load_dictionary(wr_pq_reader *r, wr_error *err);
/* Completes a dictionary vector with its dictionary. */
WR_MUST_CHECK wr_status wr_pq_reader_attach(wr_pq_reader *r, wr_error *err);

/* ---- between the files of the reader ---- */

/* pages.c: bytes of the chunk, with WR_BUFFER_PAD readable ones behind them. */
WR_MUST_CHECK wr_status wr_pq_reader_bytes(wr_pq_reader *r, uint64_t offset, size_t size, const uint8_t **out,
                                           wr_error *err);
WR_MUST_CHECK wr_status wr_pq_reader_header(wr_pq_reader *r, uint64_t offset, wr_pq_page_header *out, wr_error *err);
/* Moves to the next data page, or to the one that has `row` when an index tells where it is. */
WR_MUST_CHECK wr_status wr_pq_reader_next_page(wr_pq_reader *r, uint64_t row, wr_error *err);
WR_MUST_CHECK wr_status wr_pq_reader_open_page(wr_pq_reader *r, wr_error *err);
/* What is behind a header, checked against its CRC. */
WR_MUST_CHECK wr_status wr_pq_reader_payload(wr_pq_reader *r, uint64_t offset, const wr_pq_page_header *h,
                                             const uint8_t **out, wr_error *err);
/* Puts file, column and place in front of what went wrong with the page at `offset`. */
wr_status wr_pq_reader_blame(const wr_pq_reader *r, uint64_t offset, wr_error *err);

/* wr_buffer_recycle for pages, whose sizes differ a little: steps keep buffers from being made anew for each. */
WR_MUST_CHECK wr_status wr_pq_reader_recycle(wr_pq_reader *r, wr_buffer **slot, size_t size, wr_error *err);

static inline bool wr_pq_page_has_codes(const wr_pq_page_header *page) {
    return page->encoding == WR_PQ_RLE_DICTIONARY || page->encoding == WR_PQ_PLAIN_DICTIONARY;
}
/* Bytes of a value before the vector is complete: booleans have a byte each. */
static inline size_t wr_pq_dense_bytes(const wr_pq_leaf *leaf) {
    return leaf->phys == WR_PHYS_BOOL ? 1 : wr_phys_bytes((wr_phys)leaf->phys);
}

#endif
