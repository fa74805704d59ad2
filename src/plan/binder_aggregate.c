/* GROUP BY and aggregates of one SELECT.
 *
 * All expressions are bound over the rows of FROM first, aggregates inside of them. Then each is rewritten from the top
 * down: what equals a group key becomes the key's column, what is an aggregate becomes the aggregate's column, and a
 * column that is left over is the user's error. A key that is a plain column keeps its id, so a subquery that reads it
 * needs no rewriting. */
#include "plan/binder_internal.h"

wr_status wr_grouping_init(wr_grouping *g, wr_binder *b, const wr_logical *input, wr_error *err) {
    memset(g, 0, sizeof *g);
    g->b = b;
    g->input = input;
    for (uint32_t i = 0; i < input->column_count; i++) {
        WR_NEED(wr_column_set_add(&g->input_columns, b->arena, input->columns[i]));
    }
    return WR_OK;
}

static bool find_aggregate(wr_expr *expr, void *user) {
    (void)user;
    return expr->kind != WR_EXPR_AGGREGATE;
}

bool wr_expr_has_aggregate(wr_expr *expr) {
    return !wr_expr_walk(expr, find_aggregate, NULL);
}

static bool is_input_column(const wr_grouping *g, const wr_expr *expr) {
    return expr->kind == WR_EXPR_COLUMN && wr_column_set_has(&g->input_columns, expr->column);
}

wr_status wr_grouping_add_key(wr_grouping *g, wr_expr *key, wr_str name, wr_error *err) {
    wr_plan *plan = g->b->plan;
    if (wr_expr_has_aggregate(key))
        return wr_fail_at(err, WR_INVALID, key->position, "an aggregate is not possible in GROUP BY");
    for (uint32_t i = 0; i < g->key_count; i++) {
        if (wr_expr_equal(g->keys[i].expr, key)) return WR_OK;
    }
    wr_named_expr item = {.expr = key};
    if (is_input_column(g, key)) {
        item.id = key->column;
    } else {
        WR_NEED(item.id = wr_plan_add_column(plan, name, key->type, true, NULL));
    }
    WR_NEED(wr_arena_push(g->b->arena, &g->keys, &g->key_count, &g->key_capacity, sizeof item, &item));
    return WR_OK;
}

static wr_status add_aggregate(wr_grouping *g, wr_expr *expr, wr_expr **out, wr_error *err) {
    wr_column_id id = 0;
    for (uint32_t i = 0; i < g->aggregate_count && !expr->volatile_; i++) {
        if (wr_expr_equal(g->aggregates[i].expr, expr)) id = g->aggregates[i].id;
    }
    if (!id) {
        wr_named_expr item = {.expr = expr};
        WR_NEED(item.id = wr_plan_add_column(g->b->plan, wr_str_from(expr->function->name), expr->type, true, NULL));
        WR_NEED(wr_arena_push(g->b->arena, &g->aggregates, &g->aggregate_count, &g->aggregate_capacity, sizeof item,
                              &item));
        id = item.id;
    }
    WR_NEED(*out = wr_bind_column(g->b, id, expr->position));
    return WR_OK;
}

static wr_status fail_ungrouped(const wr_grouping *g, wr_column_id id, uint32_t position, wr_error *err) {
    wr_str name = g->b->plan->columns[id].name;
    (void)wr_fail_at(err, WR_INVALID, position, "column \"%.*s\" must appear in GROUP BY or inside of an aggregate",
                     WR_STR_ARGS(name));
    return wr_hint(err, "add it to GROUP BY, write GROUP BY ALL, or any_value(%.*s) where its value does not matter",
                   WR_STR_ARGS(name));
}

/* A subquery may read group keys, but no other column of the rows that were grouped. */
static wr_status check_subquery(const wr_grouping *g, const wr_expr *expr, wr_error *err) {
    wr_column_set outside = {0};
    WR_NEED(wr_logical_free_columns(expr->query, g->b->arena, &outside));
    for (uint32_t i = 0; i < g->key_count; i++) {
        const wr_expr *key = g->keys[i].expr;
        if (is_input_column(g, key) && wr_column_set_has(&outside, key->column))
            wr_bit_clear(outside.words, key->column);
    }
    for (uint32_t i = 0; i < g->input->column_count; i++) {
        wr_column_id id = g->input->columns[i];
        if (wr_column_set_has(&outside, id)) return fail_ungrouped(g, id, expr->position, err);
    }
    return WR_OK;
}

wr_status wr_grouping_rewrite(wr_grouping *g, wr_expr *expr, wr_expr **out, wr_error *err) {
    *out = expr;
    if (expr->kind == WR_EXPR_CONSTANT) return WR_OK;
    for (uint32_t i = 0; i < g->key_count && !expr->volatile_; i++) {
        if (!wr_expr_equal(g->keys[i].expr, expr)) continue;
        WR_NEED(*out = wr_bind_column(g->b, g->keys[i].id, expr->position));
        return WR_OK;
    }
    if (expr->kind == WR_EXPR_AGGREGATE) return add_aggregate(g, expr, out, err);
    if (is_input_column(g, expr)) return fail_ungrouped(g, expr->column, expr->position, err);
    if (expr->kind == WR_EXPR_SUBQUERY) WR_TRY(check_subquery(g, expr, err));
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        wr_expr *arg;
        WR_TRY(wr_grouping_rewrite(g, expr->args[i], &arg, err));
        if (arg == expr->args[i]) continue;
        if (*out == expr) WR_NEED(*out = wr_expr_copy_node(g->b->arena, expr));
        (*out)->args[i] = arg;
    }
    if (*out != expr) wr_expr_refresh(*out);
    return WR_OK;
}

wr_status wr_grouping_node(wr_grouping *g, wr_logical *input, wr_logical **out, wr_error *err) {
    wr_logical *node = wr_logical_create(g->b->plan, WR_LOGICAL_AGGREGATE, 1);
    WR_NEED(node);
    node->children[0] = input;
    node->aggregate.keys = g->keys;
    node->aggregate.key_count = g->key_count;
    node->aggregate.aggregates = g->aggregates;
    node->aggregate.aggregate_count = g->aggregate_count;
    WR_NEED(wr_logical_refresh(g->b->plan, node));
    for (uint32_t i = 0; i < node->column_count; i++) {
        wr_plan_column *column = &g->b->plan->columns[node->columns[i]];
        if (!column->source) column->source = node;
    }
    *out = node;
    return WR_OK;
}
