/* Logical plan to pipelines, node by node from the root down; see build_internal.h for streams. */
#include "exec/build_internal.h"
#include "exec/materialize.h"

/* ---- streams ---- */

wr_status wr_flowing_from(wr_builder *b, wr_flowing *out, wr_source *source, const wr_column_id *columns,
                          uint32_t column_count, wr_error *err) {
    *out = (wr_flowing){0};
    wr_stream *stream = WR_ARENA_NEW(b->arena, wr_stream);
    wr_column_id *ids = WR_ARENA_ARRAY(b->arena, wr_column_id, column_count);
    if (!stream || !ids) {
        source->ops->destroy(source);
        return wr_fail_memory(err, sizeof *stream, "pipeline");
    }
    if (column_count) memcpy(ids, columns, sizeof(wr_column_id) * column_count);
    stream->source = source;
    *out = (wr_flowing){stream, 1, ids, column_count};
    return WR_OK;
}

void wr_flowing_drop(wr_flowing *flowing) {
    for (uint32_t i = 0; i < flowing->stream_count; i++) {
        wr_stream *s = &flowing->streams[i];
        for (uint32_t k = 0; k < s->operator_count; k++) s->operators[k]->ops->destroy(s->operators[k]);
        if (s->source) s->source->ops->destroy(s->source);
    }
    *flowing = (wr_flowing){0};
}

wr_status wr_stream_push(wr_stream *stream, wr_operator *op, wr_error *err) {
    if (stream->operator_count == WR_PIPELINE_OPERATORS_MAX) {
        op->ops->destroy(op);
        return wr_fail(err, WR_LIMIT, "the query has more than %d operators in one pipeline",
                       WR_PIPELINE_OPERATORS_MAX);
    }
    stream->operators[stream->operator_count++] = op;
    return WR_OK;
}

wr_status wr_stream_depend(wr_stream *stream, wr_pipeline *on, wr_error *err) {
    for (uint32_t i = 0; i < stream->dependency_count; i++) {
        if (stream->dependencies[i] == on) return WR_OK;
    }
    if (stream->dependency_count == WR_PIPELINE_DEPENDENCIES_MAX) {
        return wr_fail(err, WR_LIMIT, "a pipeline of the query waits for more than %d others",
                       WR_PIPELINE_DEPENDENCIES_MAX);
    }
    stream->dependencies[stream->dependency_count++] = on;
    return WR_OK;
}

wr_status wr_flowing_depend(wr_flowing *flowing, wr_pipeline *const *pipelines, uint32_t count, wr_error *err) {
    for (uint32_t i = 0; i < flowing->stream_count; i++) {
        for (uint32_t k = 0; k < count; k++) WR_TRY(wr_stream_depend(&flowing->streams[i], pipelines[k], err));
    }
    return WR_OK;
}

static wr_status finish_stream(wr_builder *b, wr_stream *stream, wr_sink *sink, wr_pipeline **made, wr_error *err) {
    wr_source *source = stream->source;
    stream->source = NULL; /* wr_pipeline_add takes it in any case */
    WR_TRY(wr_pipeline_add(b->set, made, source, sink, err));
    for (uint32_t i = 0; i < stream->dependency_count; i++)
        WR_TRY(wr_pipeline_depend(*made, stream->dependencies[i], err));
    wr_status status = WR_OK;
    for (uint32_t i = 0; i < stream->operator_count; i++) {
        if (status == WR_OK) {
            status = wr_pipeline_push_operator(*made, stream->operators[i], err);
        } else {
            stream->operators[i]->ops->destroy(stream->operators[i]);
        }
    }
    stream->operator_count = 0;
    return status;
}

wr_status wr_flowing_finish(wr_builder *b, wr_flowing *flowing, wr_sink *sink, wr_pipeline **made, wr_error *err) {
    wr_status status = WR_OK;
    for (uint32_t i = 0; i < flowing->stream_count && status == WR_OK; i++) {
        status = finish_stream(b, &flowing->streams[i], sink, &made[i], err);
    }
    wr_flowing_drop(flowing);
    return status;
}

uint32_t wr_flowing_find(const wr_flowing *flowing, wr_column_id column) {
    for (uint32_t i = 0; i < flowing->column_count; i++) {
        if (flowing->columns[i] == column) return i;
    }
    return UINT32_MAX;
}

wr_status wr_flowing_types(wr_builder *b, const wr_flowing *flowing, wr_type **out, wr_error *err) {
    wr_type *types = *out = WR_ARENA_ARRAY(b->arena, wr_type, flowing->column_count);
    if (!types) return wr_fail_memory(err, sizeof(wr_type) * flowing->column_count, "pipeline");
    for (uint32_t i = 0; i < flowing->column_count; i++) types[i] = b->plan->columns[flowing->columns[i]].type;
    return WR_OK;
}

static wr_status compile(wr_builder *b, const wr_flowing *flowing, wr_expr *const *exprs, uint32_t count,
                         wr_program **out, wr_error *err) {
    return wr_program_compile(out, b->exec->allocator, exprs, count, flowing->columns, flowing->column_count,
                              &b->exec->environment, err);
}

static bool changes_nothing(const wr_flowing *flowing, wr_expr *const *exprs, const wr_column_id *ids, uint32_t count) {
    if (count != flowing->column_count) return false;
    for (uint32_t i = 0; i < count; i++) {
        if (exprs[i]->kind != WR_EXPR_COLUMN || exprs[i]->column != flowing->columns[i] ||
            ids[i] != flowing->columns[i])
            return false;
    }
    return true;
}

wr_status wr_flowing_project(wr_builder *b, wr_flowing *flowing, wr_expr *const *exprs, const wr_column_id *ids,
                             uint32_t count, uint32_t logical_id, wr_error *err) {
    if (changes_nothing(flowing, exprs, ids, count)) return WR_OK;
    for (uint32_t i = 0; i < flowing->stream_count; i++) {
        wr_program *program;
        wr_operator *op;
        WR_TRY(compile(b, flowing, exprs, count, &program, err));
        WR_TRY(wr_project_create(&op, b->exec, program, count, logical_id, err));
        WR_TRY(wr_stream_push(&flowing->streams[i], op, err));
    }
    wr_column_id *columns = WR_ARENA_ARRAY(b->arena, wr_column_id, count);
    if (!columns) return wr_fail_memory(err, sizeof(wr_column_id) * count, "projection");
    if (count) memcpy(columns, ids, sizeof(wr_column_id) * count);
    flowing->columns = columns;
    flowing->column_count = count;
    return WR_OK;
}

wr_status wr_flowing_filter(wr_builder *b, wr_flowing *flowing, wr_expr *const *conjuncts, uint32_t count,
                            uint32_t logical_id, wr_error *err) {
    if (!count) return WR_OK;
    for (uint32_t i = 0; i < flowing->stream_count; i++) {
        wr_program *program;
        wr_operator *op;
        WR_TRY(compile(b, flowing, conjuncts, count, &program, err));
        WR_TRY(wr_filter_create(&op, b->exec, program, logical_id, err));
        WR_TRY(wr_stream_push(&flowing->streams[i], op, err));
    }
    return WR_OK;
}

/* ---- plain nodes ---- */

static wr_status build_values(wr_builder *b, wr_logical *node, wr_flowing *out, wr_error *err) {
    wr_type *types = WR_ARENA_ARRAY(b->arena, wr_type, node->column_count);
    if (!types) return wr_fail_memory(err, 0, "values");
    for (uint32_t i = 0; i < node->column_count; i++) types[i] = b->plan->columns[node->columns[i]].type;
    wr_source *source;
    WR_TRY(wr_values_create(&source, b->exec, node->values.rows, node->values.row_count, types, node->column_count,
                            node->id, err));
    return wr_flowing_from(b, out, source, node->columns, node->column_count, err);
}

static wr_status build_filter(wr_builder *b, wr_logical *node, wr_flowing *out, wr_error *err) {
    WR_TRY(wr_build_node(b, node->children[0], out, err));
    return wr_flowing_filter(b, out, node->filter.conjuncts, node->filter.count, node->id, err);
}

static wr_status build_project(wr_builder *b, wr_logical *node, wr_flowing *out, wr_error *err) {
    WR_TRY(wr_build_node(b, node->children[0], out, err));
    uint32_t count = node->project.count;
    wr_expr **exprs = WR_ARENA_ARRAY(b->arena, wr_expr *, count);
    wr_column_id *ids = WR_ARENA_ARRAY(b->arena, wr_column_id, count);
    if (!exprs || !ids) return wr_fail_memory(err, 0, "projection");
    for (uint32_t i = 0; i < count; i++) {
        exprs[i] = node->project.items[i].expr;
        ids[i] = node->project.items[i].id;
    }
    return wr_flowing_project(b, out, exprs, ids, count, node->id, err);
}

/* Puts `sink` behind `flowing` and goes on with `source`, which shows the same columns. */
static wr_status break_pipeline(wr_builder *b, wr_flowing *flowing, wr_sink *sink, wr_source *source, wr_error *err) {
    wr_pipeline **made = WR_ARENA_ARRAY(b->arena, wr_pipeline *, flowing->stream_count);
    wr_column_id *columns = flowing->columns;
    uint32_t column_count = flowing->column_count, stream_count = flowing->stream_count;
    wr_status status = made ? wr_flowing_finish(b, flowing, sink, made, err) : wr_fail_memory(err, 0, "pipeline");
    if (status != WR_OK) {
        source->ops->destroy(source);
        return status;
    }
    WR_TRY(wr_flowing_from(b, flowing, source, columns, column_count, err));
    return wr_flowing_depend(flowing, made, stream_count, err);
}

static wr_status count_of(wr_builder *b, wr_expr *expr, const char *what, uint64_t none, uint64_t *out, wr_error *err) {
    *out = none;
    if (!expr) return WR_OK;
    wr_value value, number;
    WR_TRY(wr_expr_evaluate(b->arena, expr, &b->exec->environment, &value, err));
    if (value.is_null) return WR_OK;
    WR_TRY(wr_value_cast(&value, wr_type_of(WR_TYPE_BIGINT), b->arena, &number, err));
    if (number.i64 < 0) return wr_fail_at(err, WR_INVALID, expr->position, "%s cannot be negative", what);
    *out = (uint64_t)number.i64;
    return WR_OK;
}

static wr_status build_limit(wr_builder *b, wr_logical *node, wr_flowing *out, wr_error *err) {
    uint64_t limit, offset;
    WR_TRY(count_of(b, node->limit.limit, "LIMIT", UINT64_MAX, &limit, err));
    WR_TRY(count_of(b, node->limit.offset, "OFFSET", 0, &offset, err));
    b->offers = NULL; /* which rows come first must not depend on a join above */
    if (node->children[0]->kind == WR_LOGICAL_SORT) return wr_build_sort(b, node->children[0], limit, offset, out, err);
    WR_TRY(wr_build_node(b, node->children[0], out, err));
    wr_sink *sink;
    wr_source *source;
    WR_TRY(wr_limit_create(&sink, &source, b->exec, limit, offset, node->id, err));
    return break_pipeline(b, out, sink, source, err);
}

static wr_status build_single_row(wr_builder *b, wr_logical *node, wr_flowing *out, wr_error *err) {
    b->offers = NULL;
    WR_TRY(wr_build_node(b, node->children[0], out, err));
    wr_type *types;
    WR_TRY(wr_flowing_types(b, out, &types, err));
    wr_sink *sink;
    wr_source *source;
    WR_TRY(wr_single_row_create(&sink, &source, b->exec, types, out->column_count, node->id, err));
    return break_pipeline(b, out, sink, source, err);
}

/* UNION ALL: the streams of both sides, each brought into the order of the output columns. */
static wr_status build_union(wr_builder *b, wr_logical *node, wr_flowing *out, wr_error *err) {
    wr_flowing sides[2] = {{0}, {0}};
    wr_status status = WR_OK;
    b->offers = NULL;
    if (node->set.operation != WR_SET_UNION || !node->set.all) {
        return wr_fail(err, WR_INTERNAL, "a set operation other than UNION ALL reached execution");
    }
    wr_expr **exprs = WR_ARENA_ARRAY(b->arena, wr_expr *, node->column_count);
    if (!exprs) return wr_fail_memory(err, 0, "union");
    for (uint32_t side = 0; side < 2; side++) {
        WR_TRY_CLEANUP(wr_build_node(b, node->children[side], &sides[side], err));
        for (uint32_t c = 0; c < node->column_count; c++) {
            wr_column_id id = node->set.inputs[side][c];
            exprs[c] = wr_expr_column(b->arena, id, b->plan->columns[id].type);
            if (!exprs[c]) WR_TRY_CLEANUP(wr_fail_memory(err, 0, "union"));
        }
        WR_TRY_CLEANUP(wr_flowing_project(b, &sides[side], exprs, node->columns, node->column_count, node->id, err));
    }
    uint32_t total = sides[0].stream_count + sides[1].stream_count;
    wr_stream *streams = WR_ARENA_ARRAY(b->arena, wr_stream, total);
    if (!streams) WR_TRY_CLEANUP(wr_fail_memory(err, sizeof(wr_stream) * total, "union"));
    memcpy(streams, sides[0].streams, sizeof(wr_stream) * sides[0].stream_count);
    memcpy(streams + sides[0].stream_count, sides[1].streams, sizeof(wr_stream) * sides[1].stream_count);
    *out = (wr_flowing){streams, total, sides[0].columns, node->column_count};
    return WR_OK;
cleanup:
    wr_flowing_drop(&sides[0]);
    wr_flowing_drop(&sides[1]);
    return status;
}

/* A shared subplan runs once into memory; each reader is a source over it. */
static wr_status build_shared(wr_builder *b, wr_logical *node, wr_flowing *out, wr_error *err) {
    wr_built_shared *s = b->shared;
    while (s && s->node != node) s = s->next;
    if (!s) {
        b->offers = NULL;
        WR_TRY(wr_build_node(b, node->children[0], out, err));
        s = WR_ARENA_NEW(b->arena, wr_built_shared);
        if (!s) return wr_fail_memory(err, sizeof *s, "shared subplan");
        if (out->stream_count > WR_PIPELINE_DEPENDENCIES_MAX) {
            return wr_fail(err, WR_LIMIT, "a shared subplan is a union of more than %d parts",
                           WR_PIPELINE_DEPENDENCIES_MAX);
        }
        *s = (wr_built_shared){.next = b->shared,
                               .node = node,
                               .columns = out->columns,
                               .column_count = out->column_count,
                               .pipeline_count = out->stream_count};
        wr_sink *sink;
        WR_TRY(wr_materialize_create(&s->rows, &sink, b->exec, node->id, err));
        WR_TRY(wr_flowing_finish(b, out, sink, s->pipelines, err));
        b->shared = s;
    }
    wr_source *source;
    WR_TRY(wr_materialized_source(&source, s->rows, b->exec, node->id, err));
    WR_TRY(wr_flowing_from(b, out, source, s->columns, s->column_count, err));
    return wr_flowing_depend(out, s->pipelines, s->pipeline_count, err);
}

static wr_status add_columns_of(wr_expr **slot, void *user) {
    struct need {
        wr_arena *arena;
        wr_column_set *set;
    } *need = user;
    return wr_expr_columns(*slot, need->arena, need->set) ? WR_OK : WR_NO_MEMORY;
}

/* What the node's children have to give: what is read above the node, and what it reads itself. */
static wr_status add_needs(wr_builder *b, wr_logical *node, wr_column_set *needed, wr_error *err) {
    struct {
        wr_arena *arena;
        wr_column_set *set;
    } need = {b->arena, needed};
    bool complete = wr_column_set_add_all(needed, b->arena, b->needed_above);
    if (complete) complete = wr_logical_each_expr(node, add_columns_of, &need) == WR_OK;
    if (node->kind == WR_LOGICAL_SET_OPERATION) {
        for (uint32_t side = 0; side < 2; side++) {
            for (uint32_t c = 0; complete && c < node->column_count; c++) {
                complete = wr_column_set_add(needed, b->arena, node->set.inputs[side][c]);
            }
        }
    }
    bool all = node->kind == WR_LOGICAL_SHARED || node->kind == WR_LOGICAL_SINGLE_ROW;
    for (uint32_t c = 0; all && complete && c < node->column_count; c++)
        complete = wr_column_set_add(needed, b->arena, node->columns[c]);
    return complete ? WR_OK : wr_fail_memory(err, 0, "pipelines");
}

static wr_status build_kind(wr_builder *b, wr_logical *node, wr_flowing *out, wr_error *err) {
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_SCAN: return wr_build_scan(b, node, out, err);
    case WR_LOGICAL_VALUES: return build_values(b, node, out, err);
    case WR_LOGICAL_FILTER: return build_filter(b, node, out, err);
    case WR_LOGICAL_PROJECT: return build_project(b, node, out, err);
    case WR_LOGICAL_AGGREGATE: return wr_build_aggregate(b, node, out, err);
    case WR_LOGICAL_JOIN: return wr_build_join(b, node, out, err);
    case WR_LOGICAL_SORT: return wr_build_sort(b, node, UINT64_MAX, 0, out, err);
    case WR_LOGICAL_LIMIT: return build_limit(b, node, out, err);
    case WR_LOGICAL_SET_OPERATION: return build_union(b, node, out, err);
    case WR_LOGICAL_SHARED: return build_shared(b, node, out, err);
    case WR_LOGICAL_SINGLE_ROW: return build_single_row(b, node, out, err);
    default: return wr_fail(err, WR_INTERNAL, "plan node of kind %d reached execution", node->kind);
    }
}

wr_status wr_build_node(wr_builder *b, wr_logical *node, wr_flowing *out, wr_error *err) {
    *out = (wr_flowing){0};
    /* What a node withholds from its children, its siblings still get. */
    wr_offered_filter *offers = b->offers;
    const wr_column_set *above = b->needed_above, *at = b->needed;
    wr_column_set needed = {0};
    b->needed_above = b->needed;
    wr_status status = add_needs(b, node, &needed, err);
    b->needed = &needed;
    if (status == WR_OK) status = build_kind(b, node, out, err);
    b->offers = offers;
    b->needed_above = above;
    b->needed = at;
    if (status != WR_OK) wr_flowing_drop(out);
    return status;
}

wr_status wr_build_pipelines(wr_pipeline_set *set, wr_exec *exec, wr_plan *plan, wr_result_queue **queue,
                             wr_error *err) {
    wr_builder b = {.set = set, .exec = exec, .plan = plan, .arena = &plan->arena};
    wr_logical *root = plan->root;
    wr_flowing flowing;
    wr_column_set needed = {0};
    for (uint32_t i = 0; i < root->column_count; i++) {
        if (!wr_column_set_add(&needed, b.arena, root->columns[i])) return wr_fail_memory(err, 0, "pipelines");
    }
    b.needed = &needed;
    WR_TRY(wr_build_node(&b, root, &flowing, err));
    wr_expr **exprs = WR_ARENA_ARRAY(b.arena, wr_expr *, root->column_count);
    wr_pipeline **made = WR_ARENA_ARRAY(b.arena, wr_pipeline *, flowing.stream_count);
    wr_status status = exprs && made ? WR_OK : wr_fail_memory(err, 0, "result");
    for (uint32_t i = 0; i < root->column_count && status == WR_OK; i++) {
        exprs[i] = wr_expr_column(b.arena, root->columns[i], plan->columns[root->columns[i]].type);
        if (!exprs[i]) status = wr_fail_memory(err, 0, "result");
    }
    if (status == WR_OK) status = wr_flowing_project(&b, &flowing, exprs, root->columns, root->column_count, 0, err);
    wr_sink *sink;
    if (status == WR_OK) status = wr_result_create(&sink, queue, exec, err);
    if (status != WR_OK) {
        wr_flowing_drop(&flowing);
        return status;
    }
    uint32_t count = flowing.stream_count;
    WR_TRY(wr_flowing_finish(&b, &flowing, sink, made, err));
    for (uint32_t i = 0; i < count; i++) WR_TRY(wr_result_add_input(*queue, wr_pipeline_index(made[i]), err));
    return WR_OK;
}
