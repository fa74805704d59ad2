/* Joins: the build side becomes a pipeline of its own, the probe side goes on through an operator, and a late stream
 * brings what the join gives when the probe side has ended. Keys that are no plain columns are computed in front. When
 * unmatched rows of the probe side are of no interest, the join offers a filter for each key to the scans below. A join
 * in the order of both sides has one operator alone, which reads the build side's scan by itself. */
#include "exec/build_internal.h"
#include "exec/hash_join.h"
#include "exec/sort.h"

/* One side's columns, in the order that the join knows: those of the logical child, then computed keys. */
typedef struct side {
    wr_logical *child;
    wr_expr **exprs;
    wr_column_id *ids;
    wr_type *types;
    uint32_t count;
} side;

typedef struct join_build {
    wr_logical *node;
    side probe, build;
    wr_join_key_spec *keys;
    wr_join *join;
} join_build;

static wr_status side_init(wr_builder *b, side *s, wr_logical *child, uint32_t key_count, wr_error *err) {
    uint32_t room = child->column_count + key_count;
    s->child = child;
    s->exprs = WR_ARENA_ARRAY(b->arena, wr_expr *, room);
    s->ids = WR_ARENA_ARRAY(b->arena, wr_column_id, room);
    s->types = WR_ARENA_ARRAY(b->arena, wr_type, room);
    if (!s->exprs || !s->ids || !s->types) return wr_fail_memory(err, 0, "join");
    for (uint32_t i = 0; i < child->column_count; i++) {
        if (!wr_column_set_has(b->needed, child->columns[i])) continue;
        s->ids[s->count] = child->columns[i];
        s->types[s->count] = b->plan->columns[child->columns[i]].type;
        s->exprs[s->count] = wr_expr_column(b->arena, s->ids[s->count], s->types[s->count]);
        if (!s->exprs[s->count++]) return wr_fail_memory(err, 0, "join");
    }
    return WR_OK;
}

static uint32_t side_find(const side *s, wr_column_id id) {
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->ids[i] == id) return i;
    }
    return UINT32_MAX;
}

/* The position of a key's value on this side; a new column when it is an expression. */
static wr_status side_key(wr_builder *b, side *s, wr_expr *expr, uint32_t *position, wr_error *err) {
    if (expr->kind == WR_EXPR_COLUMN) {
        *position = side_find(s, expr->column);
        if (*position == UINT32_MAX)
            return wr_fail(err, WR_INTERNAL, "a join's key column %u is not made below it", expr->column);
        return WR_OK;
    }
    *position = s->count++;
    s->exprs[*position] = expr;
    s->types[*position] = expr->type;
    s->ids[*position] = wr_plan_add_column(b->plan, WR_STR("join key"), expr->type, true, s->child);
    return s->ids[*position] ? WR_OK : wr_fail_memory(err, 0, "join");
}

static wr_status collect_keys(wr_builder *b, join_build *j, wr_error *err) {
    wr_logical *node = j->node;
    j->keys = WR_ARENA_ARRAY(b->arena, wr_join_key_spec, node->join.key_count);
    if (!j->keys) return wr_fail_memory(err, 0, "join");
    for (uint32_t i = 0; i < node->join.key_count; i++) {
        const wr_join_key *key = &node->join.keys[i];
        bool swapped = node->join.build_left;
        j->keys[i] = (wr_join_key_spec){.type = key->left->type, .null_equals_null = key->null_equals_null};
        WR_TRY(side_key(b, &j->probe, swapped ? key->right : key->left, &j->keys[i].probe_column, err));
        WR_TRY(side_key(b, &j->build, swapped ? key->left : key->right, &j->keys[i].build_column, err));
    }
    return WR_OK;
}

/* Where the join finds a column; false when neither side has it. */
static bool locate(const join_build *j, wr_column_id id, wr_join_column *out) {
    uint32_t position = side_find(&j->probe, id);
    *out = (wr_join_column){WR_JOIN_PROBE, position};
    if (position != UINT32_MAX) return true;
    position = side_find(&j->build, id);
    *out = (wr_join_column){WR_JOIN_BUILD, position};
    if (position != UINT32_MAX) return true;
    *out = (wr_join_column){WR_JOIN_MARKED, 0};
    return j->node->join.mark && j->node->join.mark == id;
}

/* The residual as a program over columns of both sides. */
static wr_status compile_residual(wr_builder *b, join_build *j, wr_join_spec *spec, wr_error *err) {
    wr_logical *node = j->node;
    if (!node->join.residual_count) return WR_OK;
    uint32_t room = j->probe.count + j->build.count, count = 0;
    wr_column_set reads = {0};
    wr_column_id *ids = WR_ARENA_ARRAY(b->arena, wr_column_id, room);
    wr_join_column *inputs = WR_ARENA_ARRAY(b->arena, wr_join_column, room);
    if (!ids || !inputs) return wr_fail_memory(err, 0, "join condition");
    for (uint32_t i = 0; i < node->join.residual_count; i++) {
        if (!wr_expr_columns(node->join.residual[i], b->arena, &reads)) return wr_fail_memory(err, 0, "join condition");
    }
    for (uint32_t i = 0; i < room; i++) {
        wr_column_id id = i < j->probe.count ? j->probe.ids[i] : j->build.ids[i - j->probe.count];
        if (!wr_column_set_has(&reads, id) || !locate(j, id, &inputs[count])) continue;
        ids[count++] = id;
    }
    spec->residual_count = node->join.residual_count;
    spec->residual_inputs = inputs;
    spec->residual_input_count = count;
    return wr_program_compile(&spec->residual, b->exec->allocator, node->join.residual, node->join.residual_count, ids,
                              count, &b->exec->environment, err);
}

static wr_status create_join(wr_builder *b, join_build *j, wr_column_id *output_ids, uint32_t *output_count,
                             wr_error *err) {
    wr_logical *node = j->node;
    wr_join_column *outputs = WR_ARENA_ARRAY(b->arena, wr_join_column, node->column_count);
    if (!outputs) return wr_fail_memory(err, 0, "join");
    *output_count = 0;
    for (uint32_t i = 0; i < node->column_count; i++) {
        if (!wr_column_set_has(b->needed_above, node->columns[i])) continue;
        if (!locate(j, node->columns[i], &outputs[*output_count])) {
            return wr_fail(err, WR_INTERNAL, "a join's column %u is not made below it", node->columns[i]);
        }
        output_ids[(*output_count)++] = node->columns[i];
    }
    wr_join_spec spec = {
        .kind = node->join.kind,
        .build_left = node->join.build_left,
        .null_aware = node->join.null_aware,
        .logical_id = node->id,
        .keys = j->keys,
        .key_count = node->join.key_count,
        .probe_types = j->probe.types,
        .build_types = j->build.types,
        .probe_column_count = j->probe.count,
        .build_column_count = j->build.count,
        .outputs = outputs,
        .output_count = *output_count,
    };
    WR_TRY(compile_residual(b, j, &spec, err));
    return wr_join_create(&j->join, b->exec, &spec, err);
}

/* ---- filters for the scans below ---- */

static wr_status make_filter(void *user, wr_filter_maker *out, wr_error *err) {
    (void)err;
    wr_join_filter_maker(user, out);
    return WR_OK;
}

static wr_status create_filters(wr_builder *b, join_build *j, wr_error *err) {
    if (!wr_join_filters_probe((wr_join_kind)j->node->join.kind, j->node->join.build_left)) return WR_OK;
    for (uint32_t i = 0; i < j->node->join.key_count; i++) {
        if (j->probe.exprs[j->keys[i].probe_column]->kind != WR_EXPR_COLUMN || j->keys[i].null_equals_null) continue;
        WR_TRY(wr_join_filter_create(&j->keys[i].filter, b->exec, j->keys[i].type, err));
    }
    return WR_OK;
}

static wr_status offer_filters(wr_builder *b, join_build *j, wr_pipeline *build, wr_error *err) {
    for (uint32_t i = 0; i < j->node->join.key_count; i++) {
        if (!j->keys[i].filter) continue;
        wr_offered_filter *offer = WR_ARENA_NEW(b->arena, wr_offered_filter);
        if (!offer) return wr_fail_memory(err, sizeof *offer, "join filter");
        *offer = (wr_offered_filter){b->offers, j->probe.ids[j->keys[i].probe_column], make_filter, j->keys[i].filter,
                                     build};
        b->offers = offer;
    }
    return WR_OK;
}

/* ---- the three pipelines ---- */

static wr_status build_side(wr_builder *b, join_build *j, wr_pipeline ***made, uint32_t *made_count, wr_error *err) {
    wr_flowing flowing;
    wr_sink *sink;
    WR_TRY(wr_build_node(b, j->build.child, &flowing, err));
    wr_status status = wr_flowing_project(b, &flowing, j->build.exprs, j->build.ids, j->build.count, 0, err);
    *made_count = flowing.stream_count;
    *made = WR_ARENA_ARRAY(b->arena, wr_pipeline *, flowing.stream_count);
    if (status == WR_OK && !*made) status = wr_fail_memory(err, 0, "join");
    if (status == WR_OK) status = wr_join_build_sink(j->join, &sink, err);
    if (status == WR_OK) return wr_flowing_finish(b, &flowing, sink, *made, err);
    wr_flowing_drop(&flowing);
    return status;
}

static wr_status probe_side(wr_builder *b, join_build *j, wr_pipeline *const *build, uint32_t build_count,
                            wr_flowing *out, wr_error *err) {
    WR_TRY(offer_filters(b, j, build[0], err));
    WR_TRY(wr_build_node(b, j->probe.child, out, err));
    WR_TRY(wr_flowing_project(b, out, j->probe.exprs, j->probe.ids, j->probe.count, 0, err));
    for (uint32_t i = 0; i < out->stream_count; i++) {
        wr_operator *op;
        WR_TRY(wr_join_probe_operator(j->join, &op, err));
        WR_TRY(wr_stream_push(&out->streams[i], op, err));
    }
    return wr_flowing_depend(out, build, build_count, err);
}

static wr_status add_late_stream(wr_builder *b, join_build *j, wr_pipeline *const *build, uint32_t build_count,
                                 wr_flowing *out, wr_error *err) {
    wr_flowing late;
    wr_source *source;
    wr_stream *streams = WR_ARENA_ARRAY(b->arena, wr_stream, out->stream_count + 1);
    if (!streams) return wr_fail_memory(err, 0, "join");
    WR_TRY(wr_join_late_source(j->join, &source, err));
    WR_TRY(wr_flowing_from(b, &late, source, out->columns, out->column_count, err));
    memcpy(streams, out->streams, sizeof(wr_stream) * out->stream_count);
    streams[out->stream_count] = late.streams[0];
    out->streams = streams;
    uint32_t last = out->stream_count++;
    for (uint32_t k = 0; k < build_count; k++) WR_TRY(wr_stream_depend(&out->streams[last], build[k], err));
    return WR_OK;
}

/* ---- a build side that is read in order ---- */

static wr_status create_ordered(wr_builder *b, join_build *j, wr_ordered_join **ordered, wr_flowing *scan,
                                wr_error *err) {
    uint32_t *positions = WR_ARENA_ARRAY(b->arena, uint32_t, j->build.count + 1);
    if (!positions) return wr_fail_memory(err, 0, "join");
    WR_TRY(wr_build_node(b, j->build.child, scan, err));
    for (uint32_t i = 0; i < j->build.count; i++) positions[i] = wr_flowing_find(scan, j->build.ids[i]);
    wr_column_id key = j->build.ids[j->keys[0].build_column];
    wr_ordered_join_spec spec = {
        .join = j->join,
        .scan = scan->streams[0].source,
        .table = j->build.child->scan.table,
        .key_column = j->build.child->scan.table_columns[wr_flowing_find(scan, key)],
        .positions = positions,
    };
    scan->streams[0].source = NULL;
    return wr_ordered_join_create(ordered, &spec, err);
}

/* All streams but the first have rows in any order: one stream that is sorted by the key instead. */
static wr_status sort_late_streams(wr_builder *b, wr_flowing *flowing, uint32_t key, wr_error *err) {
    if (flowing->stream_count == 1) return WR_OK;
    wr_flowing late = *flowing;
    late.streams++;
    late.stream_count--;
    wr_sort_column by = {.column = key};
    wr_sort_spec spec = {.column_count = late.column_count, .keys = &by, .key_count = 1, .limit = UINT64_MAX};
    wr_type *types;
    wr_pipeline **made = WR_ARENA_ARRAY(b->arena, wr_pipeline *, late.stream_count);
    wr_sink *sink;
    wr_source *source;
    if (!made) return wr_fail_memory(err, 0, "join");
    WR_TRY(wr_flowing_types(b, flowing, &types, err));
    spec.types = types;
    WR_TRY(wr_sort_create(b->exec, &spec, &sink, &source, err));
    uint32_t count = late.stream_count;
    flowing->stream_count = 1;
    wr_status status = wr_flowing_finish(b, &late, sink, made, err);
    if (status != WR_OK) {
        source->ops->destroy(source);
        return status;
    }
    flowing->streams[1] = (wr_stream){.source = source};
    flowing->stream_count = 2;
    for (uint32_t i = 0; i < count; i++) WR_TRY(wr_stream_depend(&flowing->streams[1], made[i], err));
    return WR_OK;
}

static wr_status probe_in_order(wr_builder *b, join_build *j, wr_ordered_join *ordered, const wr_flowing *scan,
                                wr_flowing *out, wr_error *err) {
    WR_TRY(wr_build_node(b, j->probe.child, out, err));
    WR_TRY(wr_flowing_project(b, out, j->probe.exprs, j->probe.ids, j->probe.count, 0, err));
    WR_TRY(sort_late_streams(b, out, j->keys[0].probe_column, err));
    for (uint32_t i = 0; i < out->stream_count; i++) {
        wr_operator *op;
        WR_TRY(wr_ordered_join_operator(ordered, &op, err));
        WR_TRY(wr_stream_push(&out->streams[i], op, err));
    }
    return wr_flowing_depend(out, scan->streams[0].dependencies, scan->streams[0].dependency_count, err);
}

static wr_status build_ordered(wr_builder *b, join_build *j, wr_column_id *ids, wr_flowing *out, wr_error *err) {
    wr_ordered_join *ordered = NULL;
    wr_flowing scan = {0};
    uint32_t output_count;
    wr_status status = create_join(b, j, ids, &output_count, err);
    if (status == WR_OK) status = create_ordered(b, j, &ordered, &scan, err);
    if (status == WR_OK) status = probe_in_order(b, j, ordered, &scan, out, err);
    wr_flowing_drop(&scan);
    wr_ordered_join_release(ordered);
    if (j->join) wr_join_release(j->join);
    out->columns = ids;
    out->column_count = output_count;
    return status;
}

wr_status wr_build_join(wr_builder *b, wr_logical *node, wr_flowing *out, wr_error *err) {
    join_build j = {.node = node};
    wr_pipeline **build = NULL;
    uint32_t build_count = 0;
    bool swapped = node->join.build_left;
    wr_column_id *ids = WR_ARENA_ARRAY(b->arena, wr_column_id, node->column_count);
    if (!ids) return wr_fail_memory(err, 0, "join");
    uint32_t output_count = 0;
    WR_TRY(side_init(b, &j.probe, node->children[swapped ? 1 : 0], node->join.key_count, err));
    WR_TRY(side_init(b, &j.build, node->children[swapped ? 0 : 1], node->join.key_count, err));
    WR_TRY(collect_keys(b, &j, err));
    if (node->join.in_order) return build_ordered(b, &j, ids, out, err);
    wr_status status = create_filters(b, &j, err);
    if (status == WR_OK) status = create_join(b, &j, ids, &output_count, err);
    if (status == WR_OK) status = build_side(b, &j, &build, &build_count, err);
    if (status == WR_OK) status = probe_side(b, &j, build, build_count, out, err);
    if (status == WR_OK) {
        out->columns = ids;
        out->column_count = output_count;
        status = add_late_stream(b, &j, build, build_count, out, err);
    }
    for (uint32_t i = 0; j.keys && i < node->join.key_count; i++) {
        if (j.keys[i].filter) wr_join_filter_release(j.keys[i].filter);
    }
    if (j.join) wr_join_release(j.join);
    return status;
}
