/* An aggregate in two steps: parts below, combined above. What the combination gives can differ from the whole
 * aggregate in type (a count is combined by a sum) and over no rows (a sum of no counts is NULL, not 0); a projection
 * makes up for both. */
#include "optimize/optimize_internal.h"

bool wr_can_combine(const wr_expr *aggregate) {
    return !aggregate->distinct && !aggregate->function->order_sensitive &&
           aggregate->function->aggregate->combines_with;
}

wr_status wr_add_part(wr_plan *plan, const wr_optimizer_context *context, wr_logical *lower, wr_expr *whole,
                      wr_expr **upper, wr_error *err) {
    wr_named_expr *part = &lower->aggregate.aggregates[lower->aggregate.aggregate_count++];
    part->expr = whole;
    WR_NEED(part->id = wr_plan_add_column(plan, wr_str_from(whole->function->name), whole->type, true, lower));
    wr_expr *column = wr_column_of(plan, part->id);
    WR_NEED(column);
    WR_NEED(*upper = wr_make_call(context, &plan->arena, whole->function->aggregate->combines_with, &column, 1));
    return WR_OK;
}

wr_status wr_settle_combined(wr_plan *plan, const wr_optimizer_context *context, wr_named_expr *upper,
                             const wr_expr *whole, bool may_be_empty, wr_named_expr *item, wr_error *err) {
    wr_unnester u = {.plan = plan, .arena = &plan->arena, .context = context};
    wr_expr *empty = NULL;
    item->id = upper->id;
    if (may_be_empty) WR_TRY(wr_empty_value(&u, whole, &empty, err));
    bool pads = empty && !empty->value.is_null;
    if (wr_type_equal(upper->expr->type, whole->type) && !pads) {
        WR_NEED(item->expr = wr_column_of(plan, upper->id));
        return WR_OK;
    }
    WR_NEED(upper->id = wr_plan_add_column(plan, WR_STR("combined"), upper->expr->type, true, NULL));
    wr_expr *value = wr_column_of(plan, upper->id), *missing;
    WR_NEED(value && (missing = wr_make_is_null(&plan->arena, value)));
    WR_NEED(item->expr = wr_expr_cast(&plan->arena, value, whole->type, false));
    if (pads) WR_NEED(item->expr = wr_make_case(&plan->arena, missing, empty, item->expr));
    return WR_OK;
}

wr_status wr_finish_combined(wr_plan *plan, wr_logical *upper, const wr_named_expr *items, uint32_t count,
                             wr_logical **out, wr_error *err) {
    bool plain = true;
    for (uint32_t i = 0; i < count; i++) plain &= wr_is_pass(&items[i]);
    WR_NEED(wr_logical_refresh(plan, upper));
    *out = upper;
    if (!plain) WR_NEED(*out = wr_make_project(plan, upper, items, count));
    return WR_OK;
}
