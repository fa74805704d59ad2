/* Joins: a sink that takes the build side, an operator that the probe side passes, a source of what is left when it has
 * passed. Joins without an equality are the same three nodes over a table without an index. See JOIN.md.
 *
 * A wr_join is what the three share. The planner creates it, makes
 *   one sink      for the pipeline of the build side,
 *   one operator  for each pipeline of the probe side (behind a UNION, or behind another join's late source, there may
 * be several), which depends on the build pipeline, one source    for a late pipeline with the same operators above and
 * the same sink as the probe pipeline: it gives the rows of the build side that a join emits by itself, and all that
 * went through spilled partitions. It blocks until every probe operator has seen the end. and lets go of its own
 * reference. */
#ifndef WR_EXEC_HASH_JOIN_H
#define WR_EXEC_HASH_JOIN_H

#include "exec/operator.h"
#include "exec/scan.h"
#include "plan/logical.h"

typedef struct wr_join wr_join;
typedef struct wr_join_filter wr_join_filter;

enum { WR_JOIN_KEYS_MAX = 64 };

/* The two key columns have one type. */
typedef struct wr_join_key_spec {
    wr_type type;
    uint32_t probe_column, build_column; /* positions in the batches of either side */
    bool null_equals_null;
    wr_join_filter *filter; /* what the build tells the scan that this probe column comes from; retained; may be NULL */
} wr_join_key_spec;

typedef enum wr_join_side { WR_JOIN_PROBE, WR_JOIN_BUILD, WR_JOIN_MARKED } wr_join_side;

typedef struct wr_join_column {
    uint8_t side;    /* wr_join_side; MARKED: the boolean that a MARK join adds */
    uint32_t column; /* position in that side's batches */
} wr_join_column;

typedef struct wr_join_spec {
    uint8_t kind;    /* wr_join_kind; its child 0 is the probe side unless: */
    bool build_left; /* child 0 is the build side */
    bool null_aware; /* MARK: NULL where a NULL leaves it open; else the mark is true or false */
    uint32_t logical_id;
    const wr_join_key_spec *keys; /* none: every pair of rows is a candidate */
    uint32_t key_count;
    const wr_type *probe_types, *build_types;
    uint32_t probe_column_count, build_column_count;
    /* Columns of the output in order: only those that somebody above reads. SEMI, ANTI: of child 0 alone. */
    const wr_join_column *outputs;
    uint32_t output_count;
    /* Further conditions: a program of `residual_count` conjuncts whose input i is residual_inputs[i]. The join takes
     * it. */
    wr_program *residual;
    uint32_t residual_count;
    const wr_join_column *residual_inputs;
    uint32_t residual_input_count;
} wr_join_spec;

/* The residual program is taken, also on failure. */
WR_MUST_CHECK wr_status wr_join_create(wr_join **out, wr_exec *exec, const wr_join_spec *spec, wr_error *err);
wr_join *wr_join_retain(wr_join *join);
void wr_join_release(wr_join *join);

WR_MUST_CHECK wr_status wr_join_build_sink(wr_join *join, wr_sink **out, wr_error *err);
WR_MUST_CHECK wr_status wr_join_probe_operator(wr_join *join, wr_operator **out, wr_error *err);
WR_MUST_CHECK wr_status wr_join_late_source(wr_join *join, wr_source **out, wr_error *err);

/* ---- joins on an order that both sides share (ordered_join.c) ----
 *
 * The operator alone, without sink and late source: it reads the build side from a scan by itself, part by part. For
 * INNER joins with one integer key. Any order of the probe side gives the right rows; that of the scan's parts is fast.
 */

typedef struct wr_ordered_join wr_ordered_join;

typedef struct wr_ordered_join_spec {
    wr_join *join;             /* retained */
    wr_source *scan;           /* taken, also on failure */
    wr_table *table;           /* that it scans; its parts rise in the key and do not overlap */
    uint32_t key_column;       /* of the table */
    const uint32_t *positions; /* of the join's build columns in the scan's batches */
} wr_ordered_join_spec;

WR_MUST_CHECK wr_status wr_ordered_join_create(wr_ordered_join **out, const wr_ordered_join_spec *spec, wr_error *err);
void wr_ordered_join_release(wr_ordered_join *o);
/* One for each stream of the probe side. */
WR_MUST_CHECK wr_status wr_ordered_join_operator(wr_ordered_join *o, wr_operator **out, wr_error *err);

/* ---- dynamic filters: what a build side tells the scans of its probe side ----
 *
 * The planner creates a filter for a key whose probe column is a column of a scan, gives it to the join's key and to
 * the scan, and lets go. When the whole build side is in, the join publishes the key's bounds and an exact bitmap or a
 * bloom filter; until then the filter is not active. Joins that keep probe rows without a match never publish
 * (wr_join_filters_probe says so); neither does one whose build side went over the limit of what pays. */

/* Rows of the probe side without a match do not come out of this join. */
bool wr_join_filters_probe(wr_join_kind kind, bool build_left);
WR_MUST_CHECK wr_status wr_join_filter_create(wr_join_filter **out, wr_exec *exec, wr_type type, wr_error *err);
wr_join_filter *wr_join_filter_retain(wr_join_filter *filter);
void wr_join_filter_release(wr_join_filter *filter);
/* For the scan; its columns (the one position) are the caller's to fill in. Holds a reference until it is released. */
void wr_join_filter_maker(wr_join_filter *filter, wr_filter_maker *out);

#endif
