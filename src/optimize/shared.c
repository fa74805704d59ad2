/* Shared subplans (common table expressions with several readers): kept where running them once pays, else copied into
 * their readers, so that each reader's filters and columns go into its own copy.
 *
 * One reader is no sharing. A subplan of scans, filters and projections costs about as much to keep as to run again,
 * and loses every filter of its readers; the user may say otherwise (MATERIALIZED). */
#include "optimize/optimize_internal.h"

static bool is_cheap(const wr_logical *node) {
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_SCAN:
    case WR_LOGICAL_VALUES: return true;
    case WR_LOGICAL_FILTER: return is_cheap(node->children[0]);
    case WR_LOGICAL_PROJECT:
        for (uint32_t i = 0; i < node->project.count; i++) {
            if (node->project.items[i].expr->volatile_) return false;
        }
        return is_cheap(node->children[0]);
    default: return false;
    }
}

typedef struct inliner {
    wr_plan *plan;
    bool cheap_too;
} inliner;

/* The reader is a projection of the shared columns under its own ids. */
static wr_status copy_into(wr_plan *plan, wr_logical *reader, const wr_logical *shared, wr_error *err) {
    wr_column_id *map = WR_ARENA_ARRAY(&plan->arena, wr_column_id, plan->column_count);
    WR_NEED(map);
    WR_NEED(reader->children[0] = wr_logical_copy(plan, shared->children[0], map));
    for (uint32_t i = 0; i < reader->project.count; i++) {
        wr_named_expr *item = &reader->project.items[i];
        WR_NEED(item->expr = wr_expr_map_columns(plan, item->expr, map));
    }
    return WR_OK;
}

/* One of the readers may give the shared columns under their own ids: that one cannot read a copy. */
static bool keeps_ids(const wr_logical *reader) {
    for (uint32_t i = 0; i < reader->project.count; i++) {
        if (wr_is_pass(&reader->project.items[i])) return true;
    }
    return false;
}

static wr_status inline_child(wr_logical **slot, void *user, wr_error *err) {
    inliner *in = user;
    wr_logical *node = *slot;
    for (uint32_t i = 0; i < node->child_count; i++) {
        wr_logical *shared = node->children[i];
        if (shared->kind != WR_LOGICAL_SHARED) continue;
        if (shared->shared.reader_count == 1) {
            node->children[i] = shared->children[0];
        } else if (in->cheap_too && node->kind == WR_LOGICAL_PROJECT && !shared->shared.keep &&
                   is_cheap(shared->children[0]) && !keeps_ids(node)) {
            shared->shared.reader_count--;
            WR_TRY(copy_into(in->plan, node, shared, err));
        }
    }
    return WR_OK;
}

wr_status wr_pass_shared(wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    inliner in = {plan, context->enabled};
    WR_TRY(wr_count_readers(plan, err));
    /* Twice: the reader that keeps the ids takes the original when the others have their copies. */
    for (int round = 0; round < 2; round++) {
        wr_walk walk = {.plan = plan, .visit = inline_child, .user = &in};
        WR_TRY(wr_walk_up(&walk, &plan->root, err));
    }
    return WR_OK;
}
