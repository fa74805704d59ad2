/* Scans: which columns, which conjuncts become filters of the cursor, which filters of joins are taken up. */
#include "exec/build_internal.h"

/* A position of the scan's column `id` in `ids`, or UINT32_MAX. */
static uint32_t find(const wr_column_id *ids, uint32_t count, wr_column_id id) {
    for (uint32_t i = 0; i < count; i++) {
        if (ids[i] == id) return i;
    }
    return UINT32_MAX;
}

typedef struct scan_parts {
    wr_column_id *ids; /* outputs, then hidden ones */
    uint32_t *positions;
    uint32_t count;
    wr_filter_maker *makers;
    uint32_t maker_count;
    wr_pipeline *waits[WR_PIPELINE_DEPENDENCIES_MAX];
    uint32_t wait_count;
} scan_parts;

static void drop_makers(wr_builder *b, scan_parts *p) {
    for (uint32_t i = 0; i < p->maker_count; i++) {
        if (p->makers[i].release) p->makers[i].release(p->makers[i].shared);
        wr_free(b->exec->allocator, p->makers[i].columns, sizeof(uint32_t) * p->makers[i].column_count);
    }
}

static wr_status collect_columns(wr_builder *b, wr_logical *node, scan_parts *p, wr_error *err) {
    uint32_t outputs = node->column_count;
    p->count = outputs + node->scan.hidden_count;
    p->ids = WR_ARENA_ARRAY(b->arena, wr_column_id, p->count);
    p->positions = WR_ARENA_ARRAY(b->arena, uint32_t, p->count);
    if (!p->ids || !p->positions) return wr_fail_memory(err, 0, "scan");
    for (uint32_t i = 0; i < p->count; i++) {
        p->ids[i] = i < outputs ? node->columns[i] : node->scan.hidden[i - outputs];
        p->positions[i] = i < outputs ? node->scan.table_columns[i] : node->scan.hidden_positions[i - outputs];
    }
    return WR_OK;
}

static wr_status take_offer(wr_builder *b, scan_parts *p, const wr_offered_filter *offer, wr_error *err) {
    uint32_t position = find(p->ids, p->count, offer->column);
    if (position == UINT32_MAX || p->wait_count == WR_PIPELINE_DEPENDENCIES_MAX) return WR_OK;
    wr_filter_maker *maker = &p->makers[p->maker_count];
    WR_TRY(offer->maker(offer->user, maker, err));
    p->maker_count++;
    maker->columns = wr_alloc(b->exec->allocator, sizeof(uint32_t));
    if (!maker->columns) return wr_fail_memory(err, sizeof(uint32_t), "scan filter");
    maker->columns[0] = position;
    maker->column_count = 1;
    p->waits[p->wait_count++] = offer->build;
    return WR_OK;
}

static wr_status collect_makers(wr_builder *b, wr_logical *node, scan_parts *p, wr_error *err) {
    uint32_t offers = 0;
    for (const wr_offered_filter *o = b->offers; o; o = o->next) offers++;
    p->makers = WR_ARENA_ARRAY(b->arena, wr_filter_maker, node->scan.conjunct_count + offers);
    if (!p->makers) return wr_fail_memory(err, 0, "scan filters");
    for (uint32_t i = 0; i < node->scan.conjunct_count; i++) {
        WR_TRY(wr_conjunct_maker(&p->makers[p->maker_count], b->exec, node->scan.conjuncts[i], p->ids, p->count, err));
        p->maker_count++;
    }
    for (const wr_offered_filter *o = b->offers; o; o = o->next) WR_TRY(take_offer(b, p, o, err));
    return WR_OK;
}

wr_status wr_build_scan(wr_builder *b, wr_logical *node, wr_flowing *out, wr_error *err) {
    scan_parts p = {0};
    WR_TRY(collect_columns(b, node, &p, err));
    wr_status status = collect_makers(b, node, &p, err);
    if (status != WR_OK) {
        drop_makers(b, &p);
        return status;
    }
    wr_scan_source_spec spec = {
        .table = node->scan.table,
        .columns = p.positions,
        .column_count = p.count,
        .output_count = node->column_count,
        .makers = p.makers,
        .maker_count = p.maker_count,
        .logical_id = node->id,
    };
    wr_source *source;
    WR_TRY(wr_scan_create(&source, b->exec, &spec, err));
    WR_TRY(wr_flowing_from(b, out, source, node->columns, node->column_count, err));
    return wr_flowing_depend(out, p.waits, p.wait_count, err);
}
