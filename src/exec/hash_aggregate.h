/* Grouping and aggregates. See AGGREGATION.md.
 *
 * Input batches hold the keys and the aggregates' arguments as columns: a projection in front has evaluated them.
 * Output batches hold the keys, then the aggregates' results. Without keys there is one group, also of no rows.
 *
 * wr_aggregate_create makes a sink and the source behind it, which gives the groups when the sink's epoch is complete.
 * wr_ordered_aggregate_create makes an operator for input that comes ordered by a key: groups that no other morsel can
 * have leave it at the end of each morsel; those at the edges of a morsel come out of a late source: a pipeline with
 * the same operators above and the same sink, which blocks until the operator has seen the end. */
#ifndef WR_EXEC_HASH_AGGREGATE_H
#define WR_EXEC_HASH_AGGREGATE_H

#include "exec/operator.h"

enum { WR_AGGREGATE_NO_FILTER = UINT32_MAX };

typedef struct wr_aggregate_key {
    uint32_t column; /* of the input */
    bool nullable;
    bool bounded; /* integers, dates, times and decimals of 64 bits: all values lie in [low, high]. An input that breaks
                   * this is an error that names it */
    int64_t low, high; /* as uint64_t for UBIGINT */
    wr_str origin;     /* for that error: "file 'a.parquet', column 'x'"; outlives the nodes; may be empty */
} wr_aggregate_key;

/* An argument that is a product of input columns, exact or an error. An aggregation that has its factors in codes need
 * not multiply row by row; see aggregate_algebra.c. All that it points to outlives the nodes. */
typedef struct wr_aggregate_product {
    wr_expr *expr;           /* over the ids of input columns */
    const uint32_t *factors; /* input columns, from left to right */
    uint32_t factor_count;   /* 2 to WR_AGGREGATE_FACTORS */
    /* The multiplications in postfix: a factor, or WR_AGGREGATE_TIMES, each of which fails beyond the next of `limits`.
     */
    const uint8_t *steps;
    const wr_int128 *limits;
} wr_aggregate_product;
enum { WR_AGGREGATE_FACTORS = 8, WR_AGGREGATE_TIMES = UINT8_MAX };

typedef struct wr_aggregate_call {
    const wr_function *function;
    const void *data; /* function data; outlives the nodes */
    wr_type result;
    const uint32_t *args; /* columns of the input */
    uint32_t arg_count;
    uint32_t filter; /* column of the input, BOOLEAN; or WR_AGGREGATE_NO_FILTER */
} wr_aggregate_call;

/* All is copied, but for what products point to. */
typedef struct wr_aggregate_spec {
    const wr_type *input_types; /* then those of the products: argument input_count + k is product k */
    uint32_t input_count;
    const uint32_t *input_ids;            /* column ids, for the products' expressions; may be NULL without products */
    const wr_aggregate_product *products; /* of calls without a filter */
    uint32_t product_count;
    const wr_aggregate_key *keys;
    uint32_t key_count;
    const wr_aggregate_call *calls;
    uint32_t call_count;
    double estimated_groups; /* 0: unknown */
    uint32_t ordered_by;     /* wr_ordered_aggregate_create: position in `keys` */
    uint32_t logical_id;
} wr_aggregate_spec;

WR_MUST_CHECK wr_status wr_aggregate_create(wr_sink **sink, wr_source **source, wr_exec *exec,
                                            const wr_aggregate_spec *spec, wr_error *err);

/* Whether the key's type can order an aggregate: integers, dates, times, timestamps, decimals of 64 bits. */
bool wr_aggregate_can_order_by(wr_type type);
/* The input's morsels come in rising order of the key: the last key of one is at most the first of the next. Broken,
 * that is an error (WR_CORRUPT), since footers have promised it. Inside a morsel any order is right and a rising one is
 * fast. */
WR_MUST_CHECK wr_status wr_ordered_aggregate_create(wr_operator **op, wr_source **late, wr_exec *exec,
                                                    const wr_aggregate_spec *spec, wr_error *err);

#endif
