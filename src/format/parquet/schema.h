/* From a file's own schema to ours: which column becomes which type, and how its values do. */
#ifndef WR_FORMAT_PARQUET_SCHEMA_H
#define WR_FORMAT_PARQUET_SCHEMA_H

#include "column/vector.h"
#include "format/parquet/metadata.h"

struct wr_pq_leaf;
/* Values as the decoders leave them to values as vectors hold them. NULL slots are not among them. */
typedef wr_status (*wr_pq_convert)(const struct wr_pq_leaf *leaf, const void *raw, uint32_t n, void *out,
                                   wr_error *err);

/* A column of values; a flat column of ours has one. */
typedef struct wr_pq_leaf {
    wr_type type;
    uint8_t phys;           /* wr_phys of type */
    uint8_t physical;       /* wr_pq_physical */
    uint8_t definition_max; /* 0: no NULLs, 1: they are possible; more in nested columns */
    bool check_utf8;
    bool raw_views;        /* decoders give wr_string_view */
    uint32_t raw_bytes;    /* of a value as decoders give it; booleans take a byte */
    uint32_t fixed_bytes;  /* WR_PQ_FIXED */
    wr_pq_convert convert; /* NULL: what decoders give is what vectors hold */
    const char *refusal;   /* why it cannot be read, or NULL */
} wr_pq_leaf;

/* A field of the schema that users see. */
typedef struct wr_pq_column {
    uint32_t leaf; /* the first of its leaves */
    bool nested;
} wr_pq_column;

typedef struct wr_pq_schema {
    uint32_t leaf_count;
    wr_pq_leaf *leaves;
    wr_schema fields;
    wr_pq_column *columns; /* one a field */
} wr_pq_schema;

WR_MUST_CHECK wr_status wr_pq_schema_build(wr_pq_schema *out, const wr_pq_footer *footer, wr_arena *arena,
                                           wr_error *err);

/* convert.c: fills phys, raw_bytes, convert and the rest from physical, type and the element. */
void wr_pq_leaf_set_conversion(wr_pq_leaf *leaf, const wr_pq_element *element);

#endif
