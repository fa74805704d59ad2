/* What the files of build_*.c share: streams under construction.
 *
 * A stream is a pipeline without its sink: a source and operators so far, what it has to wait for, and which column id
 * stands at which place of its batches. A node gives one stream, or several that are read one behind the other (UNION
 * ALL); whoever puts a sink behind them feeds it from all. */
#ifndef WR_EXEC_BUILD_INTERNAL_H
#define WR_EXEC_BUILD_INTERNAL_H

#include "exec/build.h"
#include "exec/hash_aggregate.h"
#include "exec/scan.h"

typedef struct wr_stream {
    wr_source *source;
    wr_operator *operators[WR_PIPELINE_OPERATORS_MAX];
    uint32_t operator_count;
    wr_pipeline *dependencies[WR_PIPELINE_DEPENDENCIES_MAX];
    uint32_t dependency_count;
} wr_stream;

/* What a node gives: streams of the same columns. */
typedef struct wr_flowing {
    wr_stream *streams; /* in the plan's arena */
    uint32_t stream_count;
    wr_column_id *columns;
    uint32_t column_count;
} wr_flowing;

/* A filter that a join publishes when its build side is complete, offered to scans of the probe side that make
 * `column`. */
typedef struct wr_offered_filter {
    struct wr_offered_filter *next;
    wr_column_id column;
    wr_status (*maker)(void *user, wr_filter_maker *out, wr_error *err);
    void *user;
    wr_pipeline *build; /* the scan's pipeline waits for it; `user` lives until the plan is built */
} wr_offered_filter;

/* A shared subplan that was built: its readers' sources come from here. */
typedef struct wr_built_shared {
    struct wr_built_shared *next;
    const wr_logical *node;
    struct wr_materialized *rows;
    wr_pipeline *pipelines[WR_PIPELINE_DEPENDENCIES_MAX];
    uint32_t pipeline_count;
    wr_column_id *columns;
    uint32_t column_count;
} wr_built_shared;

typedef struct wr_builder {
    wr_pipeline_set *set;
    wr_exec *exec;
    wr_plan *plan;
    wr_arena *arena;                   /* the plan's */
    wr_offered_filter *offers;         /* of the joins above the node that is being built */
    const wr_column_set *needed_above; /* columns that somebody above the node reads */
    const wr_column_set *needed;       /* those, and what the node itself reads: what its children have to give */
    wr_built_shared *shared;
} wr_builder;

/* Dispatches by the node's kind. On an error everything that was made is destroyed with the set or by the callee. */
WR_MUST_CHECK wr_status wr_build_node(wr_builder *b, wr_logical *node, wr_flowing *out, wr_error *err);
WR_MUST_CHECK wr_status wr_build_scan(wr_builder *b, wr_logical *node, wr_flowing *out, wr_error *err);
WR_MUST_CHECK wr_status wr_build_join(wr_builder *b, wr_logical *node, wr_flowing *out, wr_error *err);
WR_MUST_CHECK wr_status wr_build_aggregate(wr_builder *b, wr_logical *node, wr_flowing *out, wr_error *err);
WR_MUST_CHECK wr_status wr_build_sort(wr_builder *b, wr_logical *node, uint64_t limit, uint64_t offset, wr_flowing *out,
                                      wr_error *err);

/* One stream around a source, with the columns of `node` in order. Takes the source. */
WR_MUST_CHECK wr_status wr_flowing_from(wr_builder *b, wr_flowing *out, wr_source *source, const wr_column_id *columns,
                                        uint32_t column_count, wr_error *err);
/* Destroys what a flowing holds that never became a pipeline. */
void wr_flowing_drop(wr_flowing *flowing);
WR_MUST_CHECK wr_status wr_stream_push(wr_stream *stream, wr_operator *op, wr_error *err);
WR_MUST_CHECK wr_status wr_stream_depend(wr_stream *stream, wr_pipeline *on, wr_error *err);
/* All streams become pipelines into `sink`; the flowing is empty afterwards. The pipelines are given to `made` (room
 * for stream_count). */
WR_MUST_CHECK wr_status wr_flowing_finish(wr_builder *b, wr_flowing *flowing, wr_sink *sink, wr_pipeline **made,
                                          wr_error *err);
/* Everything that reads the result of `pipelines` waits for them. */
WR_MUST_CHECK wr_status wr_flowing_depend(wr_flowing *flowing, wr_pipeline *const *pipelines, uint32_t count,
                                          wr_error *err);

/* Puts a projection of `exprs` behind every stream; the columns get `ids`. Does nothing when it would change nothing.
 */
WR_MUST_CHECK wr_status wr_flowing_project(wr_builder *b, wr_flowing *flowing, wr_expr *const *exprs,
                                           const wr_column_id *ids, uint32_t count, uint32_t logical_id, wr_error *err);
WR_MUST_CHECK wr_status wr_flowing_filter(wr_builder *b, wr_flowing *flowing, wr_expr *const *conjuncts, uint32_t count,
                                          uint32_t logical_id, wr_error *err);
/* Position of a column, or UINT32_MAX. */
uint32_t wr_flowing_find(const wr_flowing *flowing, wr_column_id column);
/* Types of the columns, in the arena. */
WR_MUST_CHECK wr_status wr_flowing_types(wr_builder *b, const wr_flowing *flowing, wr_type **out, wr_error *err);

/* An argument of an aggregate that is a product of 2 to WR_AGGREGATE_FACTORS factors. `factor` gives each a column in
 * front of the aggregation. */
typedef wr_status (*wr_build_factor)(void *user, wr_expr *expr, uint32_t *position, wr_column_id *id, wr_error *err);
bool wr_build_is_product(const wr_expr *expr);
WR_MUST_CHECK wr_status wr_build_product(wr_builder *b, wr_expr *expr, wr_build_factor factor, void *user,
                                         wr_aggregate_product *out, wr_error *err);

#endif
