/* The table of passes, in the order in which they run, and the runner. Why this order: subqueries become joins before
 * all else, as every other pass knows joins alone; filters are where they belong before join order asks how many rows
 * there are; columns are pruned last, when it is known who reads what. */
#include "optimize/optimize_internal.h"

/* clang-format off */
const wr_pass wr_passes[] = {
    {"simplify", false, wr_pass_simplify},
    {"unnest", true, wr_pass_unnest},
    {"set_operation", true, wr_pass_set_operation},
    {"distinct", true, wr_pass_distinct},
    {"shared", true, wr_pass_shared},
    {"factor", false, wr_pass_factor},
    {"outer_join", false, wr_pass_outer_join},
    {"pushdown", true, wr_pass_pushdown},
    {"transitive", false, wr_pass_transitive},
    {"pushdown", false, wr_pass_pushdown},
    {"simplify", false, wr_pass_simplify},
    {"sort", false, wr_pass_sort},
    {"limit", false, wr_pass_limit},
    {"merge", false, wr_pass_merge},
    {"common", false, wr_pass_common},
    {"prune", false, wr_pass_prune},
    {"join_order", false, wr_pass_join_order},
    {"merge", false, wr_pass_merge},
    {"prune", false, wr_pass_prune},
    {"eager", false, wr_pass_eager},
    {"settle", true, wr_pass_settle},
    {"ordered", false, wr_pass_ordered},
};
/* clang-format on */
const uint32_t wr_pass_count = WR_COUNT_OF(wr_passes);

/* Whether the comma-separated list has the name. */
static bool is_listed(const char *list, const char *name) {
    size_t size = strlen(name);
    while (list && *list) {
        size_t item = strcspn(list, ",");
        if (item == size && memcmp(list, name, size) == 0) return true;
        list += item + (list[item] == ',');
    }
    return false;
}

static wr_status run_pass(const wr_pass *pass, wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    wr_status status = pass->run(plan, context, err);
    if (status == WR_NO_MEMORY && err && err->code != WR_NO_MEMORY) return wr_fail_memory(err, 0, "the query's plan");
    if (status != WR_OK) return status;
#ifndef NDEBUG
    WR_TRY(wr_plan_check(plan, pass->name, err));
#endif
    if (context->observe) context->observe(context->observe_user, pass->name, plan);
    return WR_OK;
}

wr_status wr_optimize(wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
#ifndef NDEBUG
    WR_TRY(wr_plan_check(plan, "binding", err));
#endif
    for (uint32_t i = 0; i < wr_pass_count; i++) {
        const wr_pass *pass = &wr_passes[i];
        if (!pass->necessary && (!context->enabled || is_listed(context->skip, pass->name))) continue;
        WR_TRY(run_pass(pass, plan, context, err));
    }
    return WR_OK;
}
