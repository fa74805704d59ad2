/* What a Parquet file says about itself, as it says it: the footer, headers of pages, page indexes. Nothing here is
 * believed yet beyond being well-formed. Texts and statistics are views into the bytes that were parsed. */
#ifndef WR_FORMAT_PARQUET_METADATA_H
#define WR_FORMAT_PARQUET_METADATA_H

#include "base/arena.h"
#include "format/parquet/thrift.h"

/* The numbers of these enums are the file's. */
typedef enum wr_pq_physical {
    WR_PQ_BOOLEAN,
    WR_PQ_INT32,
    WR_PQ_INT64,
    WR_PQ_INT96,
    WR_PQ_FLOAT,
    WR_PQ_DOUBLE,
    WR_PQ_BYTE_ARRAY,
    WR_PQ_FIXED,
    WR_PQ_PHYSICALS,
    WR_PQ_GROUP = 0xff, /* an element that is no column */
} wr_pq_physical;

typedef enum wr_pq_encoding {
    WR_PQ_PLAIN = 0,
    WR_PQ_PLAIN_DICTIONARY = 2,
    WR_PQ_RLE = 3,
    WR_PQ_BIT_PACKED = 4,
    WR_PQ_DELTA_BINARY_PACKED = 5,
    WR_PQ_DELTA_LENGTH_BYTE_ARRAY = 6,
    WR_PQ_DELTA_BYTE_ARRAY = 7,
    WR_PQ_RLE_DICTIONARY = 8,
    WR_PQ_BYTE_STREAM_SPLIT = 9,
    WR_PQ_ENCODINGS,
} wr_pq_encoding;

typedef enum wr_pq_repetition { WR_PQ_REQUIRED, WR_PQ_OPTIONAL, WR_PQ_REPEATED } wr_pq_repetition;

/* The annotations of a column: the newer LogicalType and the older ConvertedType brought to one list. */
typedef enum wr_pq_logical {
    WR_PQ_NO_LOGICAL,
    WR_PQ_STRING,
    WR_PQ_MAP,
    WR_PQ_LIST,
    WR_PQ_ENUM,
    WR_PQ_DECIMAL,
    WR_PQ_DATE,
    WR_PQ_TIME,
    WR_PQ_TIMESTAMP,
    WR_PQ_INTEGER,
    WR_PQ_NULL,
    WR_PQ_JSON,
    WR_PQ_BSON,
    WR_PQ_UUID,
    WR_PQ_FLOAT16,
    WR_PQ_INTERVAL,
    WR_PQ_OTHER, /* VARIANT, GEOMETRY, and what came later: read as its physical type */
} wr_pq_logical;

typedef struct wr_pq_element {
    wr_str name;
    uint8_t physical;   /* wr_pq_physical */
    uint8_t repetition; /* wr_pq_repetition */
    uint8_t logical;    /* wr_pq_logical */
    uint8_t unit;       /* wr_unit: TIME, TIMESTAMP */
    uint8_t bits;       /* INTEGER */
    bool is_signed;     /* INTEGER */
    bool is_utc;        /* TIME, TIMESTAMP */
    uint32_t fixed_bytes;
    uint32_t child_count;
    uint32_t precision, scale; /* DECIMAL */
} wr_pq_element;

typedef struct wr_pq_statistics {
    wr_str min, max;                               /* data NULL: unknown */
    int64_t null_count, distinct_count, nan_count; /* -1: unknown */
    bool legacy;               /* min and max are the old fields, ordered as signed bytes or numbers */
    bool min_exact, max_exact; /* said to be values that occur */
} wr_pq_statistics;

/* A column chunk: the pages of one column in one row group. */
typedef struct wr_pq_chunk {
    uint64_t value_count;
    uint64_t first_byte, stored_bytes;
    uint64_t dictionary_offset;                        /* 0: unknown or none */
    uint64_t column_index_offset, offset_index_offset; /* 0: none */
    uint32_t column_index_bytes, offset_index_bytes;
    uint8_t physical; /* wr_pq_physical */
    uint8_t codec;
    bool encrypted, elsewhere; /* not readable from this file */
    bool all_dictionary;       /* every data page is dictionary-encoded, it says */
    wr_pq_statistics statistics;
} wr_pq_chunk;

typedef struct wr_pq_row_group {
    uint64_t row_count;
    wr_pq_chunk *chunks; /* one for each leaf */
} wr_pq_row_group;

typedef struct wr_pq_footer {
    uint64_t row_count;
    uint32_t element_count, leaf_count, row_group_count;
    wr_pq_element *elements; /* the schema, depth first; the root is element 0 */
    wr_pq_row_group *row_groups;
    uint8_t *leaf_orders; /* by leaf: wr_pq_order; NULL when the file does not say */
    wr_str created_by;
    bool encrypted;       /* columns may be, the footer is not */
    bool forgets_headers; /* written by a parquet-mr whose chunks are longer than they say, by a page's header */
} wr_pq_footer;

typedef enum wr_pq_order { WR_PQ_ORDER_UNKNOWN, WR_PQ_ORDER_TYPE, WR_PQ_ORDER_IEEE_TOTAL } wr_pq_order;

/* Everything is made in the arena. */
WR_MUST_CHECK wr_status wr_pq_footer_parse(wr_pq_footer *out, wr_arena *arena, const uint8_t *data, size_t size,
                                           uint64_t position, wr_error *err);

typedef enum wr_pq_page_kind {
    WR_PQ_DATA_PAGE,
    WR_PQ_INDEX_PAGE,
    WR_PQ_DICTIONARY_PAGE,
    WR_PQ_DATA_PAGE_V2
} wr_pq_page_kind;

typedef struct wr_pq_page_header {
    uint8_t kind;           /* wr_pq_page_kind */
    uint8_t encoding;       /* wr_pq_encoding */
    uint8_t level_encoding; /* of definition levels, v1 */
    bool is_compressed;     /* v2; true otherwise */
    bool has_crc;
    uint32_t crc;
    uint32_t header_bytes;
    uint32_t stored_bytes;                       /* behind the header */
    uint32_t plain_bytes;                        /* when inflated; levels included */
    uint32_t value_count;                        /* rows, of a flat column */
    uint32_t definition_bytes, repetition_bytes; /* v2 */
    int64_t null_count;                          /* v2; -1 otherwise */
} wr_pq_page_header;

typedef enum wr_pq_parse { WR_PQ_PARSED, WR_PQ_TOO_SHORT, WR_PQ_BROKEN } wr_pq_parse;

/* TOO_SHORT: with more bytes it might parse. `failure` says what is broken. */
wr_pq_parse wr_pq_page_header_parse(wr_pq_page_header *out, const uint8_t *data, size_t size, const char **failure);

typedef struct wr_pq_page_place {
    uint64_t offset;
    uint32_t stored_bytes; /* header included */
    uint64_t first_row;
} wr_pq_page_place;

typedef struct wr_pq_page_bounds {
    wr_str min, max;
    int64_t null_count; /* -1: unknown */
    bool all_null;
} wr_pq_page_bounds;

/* One entry a data page. */
WR_MUST_CHECK wr_status wr_pq_offset_index_parse(wr_pq_page_place **out, uint32_t *count, wr_arena *arena,
                                                 const uint8_t *data, size_t size, uint64_t position, wr_error *err);
WR_MUST_CHECK wr_status wr_pq_column_index_parse(wr_pq_page_bounds **out, uint32_t *count, wr_arena *arena,
                                                 const uint8_t *data, size_t size, uint64_t position, wr_error *err);

#endif
