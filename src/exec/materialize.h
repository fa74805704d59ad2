/* A subplan's rows, kept once for several readers. */
#ifndef WR_EXEC_MATERIALIZE_H
#define WR_EXEC_MATERIALIZE_H

#include "exec/nodes.h"

typedef struct wr_materialized wr_materialized;
/* The sink fills it; the rows live until the sink and all sources are destroyed. */
WR_MUST_CHECK wr_status wr_materialize_create(wr_materialized **out, wr_sink **sink, wr_exec *exec, uint32_t logical_id,
                                              wr_error *err);
/* One reader: every source gives all rows, in the order of their ordinals. */
WR_MUST_CHECK wr_status wr_materialized_source(wr_source **out, wr_materialized *rows, wr_exec *exec,
                                               uint32_t logical_id, wr_error *err);

#endif
