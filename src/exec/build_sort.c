/* Sorts: key expressions become columns in front, which are dropped behind. */
#include "exec/build_internal.h"
#include "exec/sort.h"

wr_status wr_build_sort(wr_builder *b, wr_logical *node, uint64_t limit, uint64_t offset, wr_flowing *out,
                        wr_error *err) {
    b->offers = limit == UINT64_MAX && offset == 0 ? b->offers : NULL;
    WR_TRY(wr_build_node(b, node->children[0], out, err));
    uint32_t columns = out->column_count, room = columns + node->sort.count;
    wr_expr **exprs = WR_ARENA_ARRAY(b->arena, wr_expr *, room);
    wr_column_id *ids = WR_ARENA_ARRAY(b->arena, wr_column_id, room);
    wr_sort_column *keys = WR_ARENA_ARRAY(b->arena, wr_sort_column, node->sort.count);
    wr_pipeline **made = WR_ARENA_ARRAY(b->arena, wr_pipeline *, out->stream_count);
    if (!exprs || !ids || !keys || !made) return wr_fail_memory(err, 0, "sort");
    uint32_t count = columns;
    for (uint32_t i = 0; i < columns; i++) {
        ids[i] = out->columns[i];
        exprs[i] = wr_expr_column(b->arena, ids[i], b->plan->columns[ids[i]].type);
        if (!exprs[i]) return wr_fail_memory(err, 0, "sort");
    }
    for (uint32_t i = 0; i < node->sort.count; i++) {
        const wr_sort_key *key = &node->sort.keys[i];
        uint32_t position = key->expr->kind == WR_EXPR_COLUMN ? wr_flowing_find(out, key->expr->column) : UINT32_MAX;
        if (position == UINT32_MAX) {
            position = count++;
            exprs[position] = key->expr;
            ids[position] = wr_plan_add_column(b->plan, WR_STR("sort key"), key->expr->type, true, node);
            if (!ids[position]) return wr_fail_memory(err, 0, "sort");
        }
        keys[i] = (wr_sort_column){position, key->descending, key->nulls_first};
    }
    WR_TRY(wr_flowing_project(b, out, exprs, ids, count, 0, err));
    wr_sort_spec spec = {.column_count = count,
                         .keys = keys,
                         .key_count = node->sort.count,
                         .limit = limit,
                         .offset = offset,
                         .logical_id = node->id};
    wr_type *types;
    WR_TRY(wr_flowing_types(b, out, &types, err));
    spec.types = types;
    wr_sink *sink;
    wr_source *source;
    WR_TRY(wr_sort_create(b->exec, &spec, &sink, &source, err));
    uint32_t streams = out->stream_count;
    wr_status status = wr_flowing_finish(b, out, sink, made, err);
    if (status != WR_OK) {
        source->ops->destroy(source);
        return status;
    }
    WR_TRY(wr_flowing_from(b, out, source, ids, count, err));
    WR_TRY(wr_flowing_depend(out, made, streams, err));
    return wr_flowing_project(b, out, exprs, ids, columns, 0, err);
}
