/* Logical plan to pipelines. */
#ifndef WR_EXEC_BUILD_H
#define WR_EXEC_BUILD_H

#include "exec/nodes.h"
#include "exec/pipeline.h"
#include "plan/logical.h"

/* Adds the pipelines of `plan` to the set; rows come out of *queue in the order of the root's columns. The plan must
 * outlive the set. */
WR_MUST_CHECK wr_status wr_build_pipelines(wr_pipeline_set *set, wr_exec *exec, wr_plan *plan, wr_result_queue **queue,
                                           wr_error *err);

#endif
