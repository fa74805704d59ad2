/* Pipelines and the driver that runs them: morsels, epochs, errors, the end. See operator.h for the contract and
 * pipeline.c for the state machine. */
#ifndef WR_EXEC_PIPELINE_H
#define WR_EXEC_PIPELINE_H

#include "exec/operator.h"

enum { WR_PIPELINE_OPERATORS_MAX = 64, WR_PIPELINE_DEPENDENCIES_MAX = 64 };

typedef struct wr_pipeline wr_pipeline;
typedef struct wr_pipeline_set wr_pipeline_set; /* all pipelines of a query */

WR_MUST_CHECK wr_status wr_pipeline_set_create(wr_pipeline_set **out, wr_exec *exec, wr_error *err);
/* Stops what runs, waits for it, destroys all pipelines and their nodes. */
void wr_pipeline_set_destroy(wr_pipeline_set *set);

/* Takes source, operators and sink (destroyed with the set; a sink that several pipelines feed once). */
WR_MUST_CHECK wr_status wr_pipeline_add(wr_pipeline_set *set, wr_pipeline **out, wr_source *source, wr_sink *sink,
                                        wr_error *err);
WR_MUST_CHECK wr_status wr_pipeline_push_operator(wr_pipeline *pipeline, wr_operator *op, wr_error *err);
/* `pipeline` works on an epoch only when `on` has completed it. */
WR_MUST_CHECK wr_status wr_pipeline_depend(wr_pipeline *pipeline, wr_pipeline *on, wr_error *err);
/* Its number: the `source` of ordinals. */
uint32_t wr_pipeline_index(const wr_pipeline *pipeline);

/* Starts; does not wait. */
WR_MUST_CHECK wr_status wr_pipeline_set_start(wr_pipeline_set *set, wr_error *err);
/* Waits for the end of all, or the first error. A timeout in ns (negative: none) gives WR_TIMED_OUT and leaves it
 * running. */
WR_MUST_CHECK wr_status wr_pipeline_set_wait(wr_pipeline_set *set, int64_t timeout_ns, wr_error *err);
/* From any thread: tasks stop at their next batch; parked ones are woken. The first reason given is the one reported.
 */
void wr_pipeline_set_stop(wr_pipeline_set *set, wr_status reason, const char *message);
double wr_pipeline_set_progress(wr_pipeline_set *set);
/* The nodes in order, for EXPLAIN ANALYZE. */
void wr_pipeline_set_each(wr_pipeline_set *set,
                          void (*each)(void *user, uint32_t pipeline, const wr_node_base *node, const char *kind),
                          void *user);

#endif
