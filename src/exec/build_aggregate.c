/* Aggregation: keys, arguments and filters become columns in front; then a sink and its source, or, when the input
 * comes ordered by a key in one stream, an operator and a late stream for the groups at the edges of morsels. */
#include "exec/build_internal.h"

typedef struct aggregate_build {
    wr_builder *builder;
    wr_logical *node;
    wr_expr **exprs; /* the columns in front, each once */
    wr_column_id *ids;
    wr_type *types;
    uint32_t count;
    wr_aggregate_key *keys;
    wr_aggregate_call *calls;
    wr_column_id *outputs;
    bool folds;                     /* products may be taken apart */
    wr_aggregate_product *products; /* each once */
    wr_expr **product_exprs;
    uint32_t product_count;
} aggregate_build;

/* The position of an expression among the columns in front; a new one when it is not there yet. */
static wr_status column_for(wr_builder *b, aggregate_build *a, wr_expr *expr, uint32_t *position, wr_error *err) {
    for (uint32_t i = 0; i < a->count; i++) {
        if (wr_expr_equal(a->exprs[i], expr)) {
            *position = i;
            return WR_OK;
        }
    }
    *position = a->count++;
    a->exprs[*position] = expr;
    a->types[*position] = expr->type;
    a->ids[*position] = expr->kind == WR_EXPR_COLUMN
                            ? expr->column
                            : wr_plan_add_column(b->plan, WR_STR("aggregate input"), expr->type, true, a->node);
    return a->ids[*position] ? WR_OK : wr_fail_memory(err, 0, "aggregate");
}

/* ---- products ---- */

enum { PRODUCT = 1u << 31 }; /* marks the number of a product until the count of columns is known */

static wr_status factor_for(void *user, wr_expr *expr, uint32_t *position, wr_column_id *id, wr_error *err) {
    aggregate_build *a = user;
    WR_TRY(column_for(a->builder, a, expr, position, err));
    *id = a->ids[*position];
    return WR_OK;
}

static wr_status product_for(wr_builder *b, aggregate_build *a, wr_expr *expr, uint32_t *position, wr_error *err) {
    uint32_t i = 0;
    while (i < a->product_count && !wr_expr_equal(a->product_exprs[i], expr)) i++;
    *position = PRODUCT | i;
    if (i < a->product_count) return WR_OK;
    a->product_exprs[a->product_count] = expr;
    WR_TRY(wr_build_product(b, expr, factor_for, a, &a->products[a->product_count], err));
    a->product_count++;
    return WR_OK;
}

static wr_status argument_for(wr_builder *b, aggregate_build *a, const wr_expr *call, wr_expr *arg, uint32_t *position,
                              wr_error *err) {
    bool product = a->folds && !call->filter && call->arg_count == 1 && call->function->aggregate->add_total &&
                   wr_build_is_product(arg);
    return product ? product_for(b, a, arg, position, err) : column_for(b, a, arg, position, err);
}

/* Products are behind the columns. */
static void place_products(aggregate_build *a) {
    for (uint32_t i = 0; i < a->node->aggregate.aggregate_count; i++) {
        if (a->calls[i].arg_count != 1 || !(a->calls[i].args[0] & PRODUCT)) continue;
        uint32_t *arg = (uint32_t *)(uintptr_t)a->calls[i].args;
        *arg = a->count + (*arg & ~PRODUCT);
    }
    for (uint32_t i = 0; i < a->product_count; i++) a->types[a->count + i] = a->product_exprs[i]->type;
}

/* ---- what is proven about keys ---- */

/* The scan that makes a column, through projections that only pass it on; NULL when it is computed. */
static wr_logical *scan_of(const wr_plan *plan, wr_column_id *column) {
    for (;;) {
        wr_logical *node = plan->columns[*column].source;
        if (!node) return NULL;
        if (node->kind == WR_LOGICAL_SCAN) return node;
        const wr_named_expr *items = node->kind == WR_LOGICAL_PROJECT     ? node->project.items
                                     : node->kind == WR_LOGICAL_AGGREGATE ? node->aggregate.keys
                                                                          : NULL;
        uint32_t count = node->kind == WR_LOGICAL_PROJECT     ? node->project.count
                         : node->kind == WR_LOGICAL_AGGREGATE ? node->aggregate.key_count
                                                              : 0;
        const wr_expr *expr = NULL;
        for (uint32_t i = 0; i < count; i++) {
            if (items[i].id == *column) expr = items[i].expr;
        }
        if (!expr || expr->kind != WR_EXPR_COLUMN || expr->column == *column) return NULL;
        *column = expr->column;
    }
}

static bool has_integer_bounds(wr_type type) {
    switch (wr_type_phys(type)) {
    case WR_PHYS_I8:
    case WR_PHYS_I16:
    case WR_PHYS_I32:
    case WR_PHYS_I64:
    case WR_PHYS_U8:
    case WR_PHYS_U16:
    case WR_PHYS_U32:
    case WR_PHYS_U64: return true;
    default: return false;
    }
}

static wr_status prove_key(wr_builder *b, const wr_expr *expr, wr_aggregate_key *key, wr_error *err) {
    key->nullable = expr->kind != WR_EXPR_COLUMN || b->plan->columns[expr->column].nullable;
    if (expr->kind != WR_EXPR_COLUMN || !has_integer_bounds(expr->type)) return WR_OK;
    wr_column_id column = expr->column;
    wr_logical *scan = scan_of(b->plan, &column);
    if (!scan) return WR_OK;
    wr_table *table = scan->scan.table;
    for (uint32_t i = 0; i < scan->column_count; i++) {
        if (scan->columns[i] != column) continue;
        wr_column_statistics s;
        key->origin = wr_arena_format(b->arena, "file '%.*s', column '%.*s'", WR_STR_ARGS(table->name),
                                      WR_STR_ARGS(table->schema.fields[scan->scan.table_columns[i]].name));
        if (!key->origin.data) return wr_fail_memory(err, 0, "aggregate");
        WR_TRY(table->ops->statistics(table, scan->scan.table_columns[i], &s, err));
        if (!s.proven_bounds || !wr_type_equal(s.min.type, expr->type)) return WR_OK;
        key->bounded = true;
        key->low = s.min.i64;
        key->high = s.max.i64;
    }
    return WR_OK;
}

/* ---- the spec ---- */

static wr_status collect_calls(wr_builder *b, aggregate_build *a, wr_error *err) {
    wr_logical *node = a->node;
    for (uint32_t i = 0; i < node->aggregate.aggregate_count; i++) {
        wr_expr *expr = node->aggregate.aggregates[i].expr;
        if (expr->distinct) return wr_fail(err, WR_INTERNAL, "a DISTINCT aggregate reached execution");
        uint32_t *args = WR_ARENA_ARRAY(b->arena, uint32_t, expr->arg_count);
        if (!args) return wr_fail_memory(err, 0, "aggregate");
        for (uint32_t k = 0; k < expr->arg_count; k++) {
            WR_TRY(argument_for(b, a, expr, expr->args[k], &args[k], err));
        }
        a->calls[i] = (wr_aggregate_call){
            .function = expr->function,
            .data = expr->function_data,
            .result = expr->type,
            .args = args,
            .arg_count = expr->arg_count,
            .filter = WR_AGGREGATE_NO_FILTER,
        };
        if (expr->filter) WR_TRY(column_for(b, a, expr->filter, &a->calls[i].filter, err));
        a->outputs[node->aggregate.key_count + i] = node->aggregate.aggregates[i].id;
    }
    return WR_OK;
}

static wr_status collect(wr_builder *b, aggregate_build *a, wr_error *err) {
    wr_logical *node = a->node;
    uint32_t keys = node->aggregate.key_count, calls = node->aggregate.aggregate_count, room = keys + calls;
    for (uint32_t i = 0; i < calls; i++) {
        room += node->aggregate.aggregates[i].expr->arg_count * (WR_AGGREGATE_FACTORS + 1);
    }
    a->exprs = WR_ARENA_ARRAY(b->arena, wr_expr *, room);
    a->ids = WR_ARENA_ARRAY(b->arena, wr_column_id, room);
    a->types = WR_ARENA_ARRAY(b->arena, wr_type, room);
    a->keys = WR_ARENA_ARRAY(b->arena, wr_aggregate_key, keys);
    a->calls = WR_ARENA_ARRAY(b->arena, wr_aggregate_call, calls);
    a->outputs = WR_ARENA_ARRAY(b->arena, wr_column_id, keys + calls);
    a->products = WR_ARENA_ARRAY(b->arena, wr_aggregate_product, calls);
    a->product_exprs = WR_ARENA_ARRAY(b->arena, wr_expr *, calls);
    if (!a->exprs || !a->ids || !a->types || !a->keys || !a->calls || !a->outputs || !a->products || !a->product_exprs)
        return wr_fail_memory(err, 0, "aggregate");
    for (uint32_t i = 0; i < keys; i++) {
        WR_TRY(column_for(b, a, node->aggregate.keys[i].expr, &a->keys[i].column, err));
        WR_TRY(prove_key(b, node->aggregate.keys[i].expr, &a->keys[i], err));
        a->outputs[i] = node->aggregate.keys[i].id;
    }
    WR_TRY(collect_calls(b, a, err));
    place_products(a);
    return WR_OK;
}

/* The key that the input is ordered by, when that can be used. */
static bool find_order(const aggregate_build *a, const wr_flowing *flowing, uint32_t *key) {
    const wr_logical *node = a->node;
    if (!node->aggregate.ordered_by || flowing->stream_count != 1) return false;
    for (uint32_t i = 0; i < node->aggregate.key_count; i++) {
        const wr_expr *expr = node->aggregate.keys[i].expr;
        bool same = node->aggregate.keys[i].id == node->aggregate.ordered_by ||
                    (expr->kind == WR_EXPR_COLUMN && expr->column == node->aggregate.ordered_by);
        if (!same || !wr_aggregate_can_order_by(expr->type)) continue;
        *key = i;
        return true;
    }
    return false;
}

static wr_status finish_ordered(wr_builder *b, aggregate_build *a, const wr_aggregate_spec *spec, wr_flowing *out,
                                wr_error *err) {
    wr_operator *op;
    wr_source *late;
    wr_flowing edges;
    WR_TRY(wr_ordered_aggregate_create(&op, &late, b->exec, spec, err));
    wr_status status = wr_stream_push(&out->streams[0], op, err);
    if (status != WR_OK) {
        late->ops->destroy(late);
        return status;
    }
    uint32_t columns = spec->key_count + spec->call_count;
    WR_TRY(wr_flowing_from(b, &edges, late, a->outputs, columns, err));
    wr_stream *streams = WR_ARENA_ARRAY(b->arena, wr_stream, 2);
    if (!streams) {
        wr_flowing_drop(&edges);
        return wr_fail_memory(err, 0, "aggregate");
    }
    streams[0] = out->streams[0];
    streams[1] = edges.streams[0];
    *out = (wr_flowing){streams, 2, edges.columns, columns};
    return WR_OK;
}

static wr_status finish_hashed(wr_builder *b, aggregate_build *a, const wr_aggregate_spec *spec, wr_flowing *out,
                               wr_error *err) {
    wr_sink *sink;
    wr_source *source;
    uint32_t streams = out->stream_count;
    wr_pipeline **made = WR_ARENA_ARRAY(b->arena, wr_pipeline *, streams);
    if (!made) return wr_fail_memory(err, 0, "aggregate");
    WR_TRY(wr_aggregate_create(&sink, &source, b->exec, spec, err));
    wr_status status = wr_flowing_finish(b, out, sink, made, err);
    if (status != WR_OK) {
        source->ops->destroy(source);
        return status;
    }
    WR_TRY(wr_flowing_from(b, out, source, a->outputs, spec->key_count + spec->call_count, err));
    return wr_flowing_depend(out, made, streams, err);
}

wr_status wr_build_aggregate(wr_builder *b, wr_logical *node, wr_flowing *out, wr_error *err) {
    aggregate_build a = {.builder = b, .node = node};
    uint32_t ordered_by = 0;
    WR_TRY(wr_build_node(b, node->children[0], out, err));
    bool ordered = find_order(&a, out, &ordered_by);
    a.folds = !ordered && node->aggregate.key_count > 0;
    WR_TRY(collect(b, &a, err));
    WR_TRY(wr_flowing_project(b, out, a.exprs, a.ids, a.count, 0, err));
    wr_aggregate_spec spec = {
        .input_types = a.types,
        .input_count = a.count,
        .input_ids = a.ids,
        .products = a.products,
        .product_count = a.product_count,
        .keys = a.keys,
        .key_count = node->aggregate.key_count,
        .calls = a.calls,
        .call_count = node->aggregate.aggregate_count,
        .estimated_groups = node->row_estimate > 0 ? node->row_estimate : 0,
        .ordered_by = ordered_by,
        .logical_id = node->id,
    };
    return ordered ? finish_ordered(b, &a, &spec, out, err) : finish_hashed(b, &a, &spec, out, err);
}
