/* Arguments of aggregates that are products, taken apart: the factors become columns in front of the aggregation, which
 * multiplies by code where it can (aggregate_algebra.c) and row by row where it cannot. */
#include "exec/build_internal.h"

typedef struct product {
    wr_builder *builder;
    wr_build_factor factor;
    void *user;
    uint32_t factors[WR_AGGREGATE_FACTORS], factor_count;
    uint8_t steps[2 * WR_AGGREGATE_FACTORS];
    uint32_t step_count;
    wr_int128 limits[WR_AGGREGATE_FACTORS];
    uint32_t limit_count;
} product;

/* Beyond what absolute value the type gives an error; 0 when it is no integer and no decimal. */
static wr_int128 limit_of(wr_type type) {
    static const uint8_t bits[] = {
        [WR_PHYS_I8] = 7, [WR_PHYS_I16] = 15, [WR_PHYS_I32] = 31, [WR_PHYS_I64] = 63, [WR_PHYS_I128] = 127,
        [WR_PHYS_U8] = 8, [WR_PHYS_U16] = 16, [WR_PHYS_U32] = 32, [WR_PHYS_U64] = 64};
    if (wr_type_is_integer(type)) return (wr_int128)(((wr_uint128)1 << bits[wr_type_phys(type)]) - 1);
    if (type.id != WR_TYPE_DECIMAL) return 0;
    wr_int128 limit = 1;
    for (unsigned i = 0; i < type.precision; i++) limit *= 10;
    return limit - 1;
}

/* A cast that changes no value and cannot fail: to more digits, at the same scale. */
static bool only_widens(const wr_expr *expr) {
    if (expr->kind != WR_EXPR_CAST) return false;
    wr_type to = expr->type, from = expr->args[0]->type;
    return to.id == WR_TYPE_DECIMAL && from.id == WR_TYPE_DECIMAL && to.scale == from.scale &&
           to.precision >= from.precision;
}

static bool is_product(const wr_expr *expr) {
    return expr->kind == WR_EXPR_CALL && expr->function->is_product && limit_of(expr->type) > 0 && !expr->volatile_;
}

static uint32_t count_factors(const wr_expr *expr) {
    if (is_product(expr)) return count_factors(expr->args[0]) + count_factors(expr->args[1]);
    if (only_widens(expr)) return count_factors(expr->args[0]);
    return 1;
}

/* The same expression over the columns of its factors. */
static wr_status take_apart(product *p, wr_expr *expr, wr_expr **out, wr_error *err) {
    wr_arena *arena = p->builder->arena;
    if (!is_product(expr) && !only_widens(expr)) {
        wr_column_id id;
        WR_TRY(p->factor(p->user, expr, &p->factors[p->factor_count], &id, err));
        p->steps[p->step_count++] = (uint8_t)p->factor_count++;
        *out = wr_expr_column(arena, id, expr->type);
        return *out ? WR_OK : wr_fail_memory(err, sizeof(wr_expr), "aggregate");
    }
    *out = wr_expr_copy_node(arena, expr);
    if (!*out) return wr_fail_memory(err, sizeof(wr_expr), "aggregate");
    for (uint32_t i = 0; i < expr->arg_count; i++) WR_TRY(take_apart(p, expr->args[i], &(*out)->args[i], err));
    if (is_product(expr)) {
        p->steps[p->step_count++] = WR_AGGREGATE_TIMES;
        p->limits[p->limit_count++] = limit_of(expr->type);
    }
    wr_expr_refresh(*out);
    return WR_OK;
}

bool wr_build_is_product(const wr_expr *expr) {
    uint32_t factors = count_factors(expr);
    return factors > 1 && factors <= WR_AGGREGATE_FACTORS;
}

wr_status wr_build_product(wr_builder *b, wr_expr *expr, wr_build_factor factor, void *user, wr_aggregate_product *out,
                           wr_error *err) {
    product p = {.builder = b, .factor = factor, .user = user};
    WR_TRY(take_apart(&p, expr, &out->expr, err));
    uint32_t *factors = WR_ARENA_ARRAY(b->arena, uint32_t, p.factor_count);
    uint8_t *steps = WR_ARENA_ARRAY(b->arena, uint8_t, p.step_count);
    wr_int128 *limits = WR_ARENA_ARRAY(b->arena, wr_int128, p.limit_count);
    if (!factors || !steps || !limits) return wr_fail_memory(err, sizeof p, "aggregate");
    memcpy(factors, p.factors, sizeof *factors * p.factor_count);
    memcpy(steps, p.steps, sizeof *steps * p.step_count);
    memcpy(limits, p.limits, sizeof *limits * p.limit_count);
    out->factors = factors;
    out->factor_count = p.factor_count;
    out->steps = steps;
    out->limits = limits;
    return WR_OK;
}
