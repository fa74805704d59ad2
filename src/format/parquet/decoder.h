/* Decoders: the values of one data page, in order.
 *
 * A decoder is opened on the bytes of a page behind its levels, and then decodes and skips values (NULLs are not among
 * them). An encoding is a file with one or more wr_pq_decoder_ops, and lines in decoder.c's table. Values come as their
 * leaf says: raw_bytes each, or string views; dictionary codes as uint32_t. */
#ifndef WR_FORMAT_PARQUET_DECODER_H
#define WR_FORMAT_PARQUET_DECODER_H

#include "format/parquet/hybrid.h"
#include "format/parquet/schema.h"

typedef struct wr_pq_decoder wr_pq_decoder;
typedef struct wr_pq_decoder_ops {
    wr_status (*open)(wr_pq_decoder *d, wr_error *err);
    /* `out` has room for n values and WR_BUFFER_PAD bytes. */
    wr_status (*decode)(wr_pq_decoder *d, uint32_t n, void *out, wr_error *err);
    wr_status (*skip)(wr_pq_decoder *d, uint32_t n, wr_error *err);
} wr_pq_decoder_ops;

/* DELTA_BINARY_PACKED integers; delta_text.c has them for lengths. */
enum { WR_PQ_DELTA_BUFFER = 32 };
typedef struct wr_pq_delta {
    const wr_unpack_kernels *unpack;
    wr_span span;
    uint64_t left; /* values not yet given, buffered ones included */
    uint64_t last; /* the value before the next one to decode */
    uint64_t min_delta;
    uint32_t miniblock_values, miniblock_count;
    const uint8_t *widths; /* of the current block */
    uint32_t miniblock;    /* in it */
    const uint8_t *packed; /* what is left of the current miniblock */
    uint32_t packed_left;  /* values in it */
    unsigned width;
    uint32_t buffered, buffer_at;
    uint64_t buffer[WR_PQ_DELTA_BUFFER];
} wr_pq_delta;
WR_MUST_CHECK wr_status wr_pq_delta_open(wr_pq_delta *d, const wr_unpack_kernels *unpack, wr_span span, wr_error *err);
WR_MUST_CHECK wr_status wr_pq_delta_decode(wr_pq_delta *d, uint32_t n, uint64_t *out, wr_error *err);
WR_MUST_CHECK wr_status wr_pq_delta_skip(wr_pq_delta *d, uint64_t n, wr_error *err);

/* What a look at all text of a page proved. */
typedef enum wr_pq_text {
    WR_PQ_TEXT_ASCII,  /* nothing is left to check */
    WR_PQ_TEXT_VALID,  /* valid as a whole: a value is when it does not begin within a character */
    WR_PQ_TEXT_UNKNOWN /* every value has to be looked at */
} wr_pq_text;

struct wr_pq_decoder {
    const wr_pq_decoder_ops *ops;
    const wr_kernels *kernels;
    wr_allocator *allocator;
    const wr_pq_leaf *leaf;
    wr_span span;              /* the values; 64 readable bytes behind it */
    uint32_t value_count;      /* of the page, NULLs included where it does not say */
    uint32_t dictionary_count; /* entries, for codes */
    wr_heap *heap;             /* where bytes go that are not in the page */
    wr_pq_text text;
    wr_pq_hybrid hybrid;
    wr_pq_delta delta, suffixes;
    uint32_t bit_at;  /* plain booleans */
    wr_text previous; /* DELTA_BYTE_ARRAY */
};

/* NULL when this encoding does not go with this physical type. */
const wr_pq_decoder_ops *wr_pq_decoder_find(wr_pq_encoding encoding, wr_pq_physical physical);
const char *wr_pq_encoding_name(unsigned encoding);

extern const wr_pq_decoder_ops wr_pq_plain_fixed, wr_pq_plain_boolean, wr_pq_plain_bytes;
extern const wr_pq_decoder_ops wr_pq_codes, wr_pq_rle_boolean;
extern const wr_pq_decoder_ops wr_pq_delta_integer, wr_pq_delta_length, wr_pq_delta_bytes;
extern const wr_pq_decoder_ops wr_pq_byte_split;

/* text.c: looks at the bytes that values are made of, lengths among them or not. */
wr_pq_text wr_pq_text_look(const wr_kernels *kernels, const uint8_t *data, size_t size);
/* WR_CORRUPT when one of the values is not UTF-8. */
WR_MUST_CHECK wr_status wr_pq_text_check(const wr_pq_decoder *d, const wr_string_view *views, uint32_t n,
                                         wr_error *err);

/* Too few bytes for the values that are asked for. */
wr_status wr_pq_fail_short(const wr_pq_decoder *d, uint32_t wanted, wr_error *err);

#endif
