/* Unbound nodes to a logical plan: names to columns, overloads, casts, scopes, aggregates, subqueries (left in
 * expressions or as dependent joins for optimize/ to unnest). */
#ifndef WR_PLAN_BINDER_H
#define WR_PLAN_BINDER_H

#include "plan/logical.h"
#include "plan/node.h"

typedef struct wr_binder_context {
    wr_catalog *catalog;
    const wr_registry *registry;
    const wr_value *parameters; /* known at bind time for their types; may be NULL */
    uint32_t parameter_count;
    int64_t now_us;
    const struct wr_time_zone *time_zone;
} wr_binder_context;

/* `plan` was initialised; `node` is a QUERY (or what may stand for one). */
WR_MUST_CHECK wr_status wr_bind_query(wr_plan *plan, const wr_binder_context *context, const wr_node *node,
                                      wr_error *err);

#endif
