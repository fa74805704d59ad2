/* The optimizer: passes over the logical plan, one file each, run from one table in optimizer.c.
 *
 * A pass is a function of the plan; it may count on the invariants of wr_plan_check and must keep them. With the
 * optimizer off, only the passes that are needed to run at all are left (unnesting, the choice of join keys, shared
 * subplans). */
#ifndef WR_OPTIMIZE_OPTIMIZER_H
#define WR_OPTIMIZE_OPTIMIZER_H

#include "plan/logical.h"
#include "plan/program.h"

typedef struct wr_optimizer_context {
    const wr_registry *registry;
    wr_program_environment environment; /* for folding */
    wr_allocator *allocator;            /* scratch that a pass frees */
    bool enabled;                       /* false: necessary passes alone */
    bool force_order;                   /* tests: orders of scans are used however small the inputs */
    const char *skip;                   /* comma-separated names of passes to leave out: tests and bug hunts */
    /* EXPLAIN of the stages: called after each pass that changed the plan; may be NULL. */
    void (*observe)(void *user, const char *pass, const wr_plan *plan);
    void *observe_user;
} wr_optimizer_context;

WR_MUST_CHECK wr_status wr_optimize(wr_plan *plan, const wr_optimizer_context *context, wr_error *err);

typedef struct wr_pass {
    const char *name;
    bool necessary;
    wr_status (*run)(wr_plan *plan, const wr_optimizer_context *context, wr_error *err);
} wr_pass;
extern const wr_pass wr_passes[];
extern const uint32_t wr_pass_count;

#endif
