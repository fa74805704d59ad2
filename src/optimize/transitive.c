/* Conditions on one side of a join equality hold for the other side, too: from a = b and a < 5 follows b < 5. Where the
 * kind of join allows it, the other side is filtered by it, so that its scan reads less. The conditions are looked up
 * below the join, through everything that hands the key on unchanged; what is found is put above the other side, and
 * goes down with the next filter pass. */
#include "optimize/optimize_internal.h"

typedef struct deriver {
    wr_plan *plan;
    wr_arena *arena;
} deriver;

static wr_status add_conditions(deriver *d, wr_expr *const *conjuncts, uint32_t count, wr_column_id column,
                                wr_terms *out, wr_error *err) {
    wr_column_set only = {0};
    WR_NEED(wr_column_set_add(&only, d->arena, column));
    for (uint32_t i = 0; i < count; i++) {
        wr_column_set read = {0};
        if (conjuncts[i]->can_fail || conjuncts[i]->volatile_) continue;
        WR_NEED(wr_expr_columns(conjuncts[i], d->arena, &read));
        if (wr_column_set_has(&read, column) && wr_column_set_contains(&only, &read))
            WR_NEED(wr_terms_add(out, d->arena, conjuncts[i]));
    }
    return WR_OK;
}

/* What holds for the column in every row that the node gives. */
static wr_status find_conditions(deriver *d, const wr_logical *node, wr_column_id column, wr_terms *out,
                                 wr_error *err) {
    if (!wr_gives(node, column)) return WR_OK;
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_SCAN: return add_conditions(d, node->scan.conjuncts, node->scan.conjunct_count, column, out, err);
    case WR_LOGICAL_FILTER:
        WR_TRY(add_conditions(d, node->filter.conjuncts, node->filter.count, column, out, err));
        return find_conditions(d, node->children[0], column, out, err);
    case WR_LOGICAL_JOIN: {
        bool both = node->join.kind == WR_JOIN_INNER;
        if (node->join.kind == WR_JOIN_OUTER_FULL) return WR_OK;
        WR_TRY(find_conditions(d, node->children[0], column, out, err));
        return both ? find_conditions(d, node->children[1], column, out, err) : WR_OK;
    }
    case WR_LOGICAL_PROJECT:
    case WR_LOGICAL_AGGREGATE:
    case WR_LOGICAL_SORT:
    case WR_LOGICAL_LIMIT: return find_conditions(d, node->children[0], column, out, err);
    default: return WR_OK;
    }
}

/* Filters child `to` of the join by what holds for `from_column` on the other side. */
static wr_status derive(deriver *d, wr_logical *join, int to, wr_expr *from, wr_expr *other, wr_error *err) {
    wr_terms known = {0}, found = {0}, fresh = {0};
    WR_TRY(find_conditions(d, join->children[1 - to], from->column, &found, err));
    if (found.count == 0) return WR_OK;
    WR_TRY(find_conditions(d, join->children[to], other->column, &known, err));
    wr_named_expr item = {from->column, other};
    wr_substitution by = {d->arena, &item, 1};
    for (uint32_t i = 0; i < found.count; i++) {
        wr_expr *term = wr_substitute(&by, found.items[i]);
        WR_NEED(term);
        bool there = false;
        for (uint32_t k = 0; k < known.count && !there; k++) there = wr_expr_equal(known.items[k], term);
        if (!there) WR_NEED(wr_terms_add(&fresh, d->arena, term));
    }
    WR_NEED(join->children[to] = wr_make_filter(d->plan, join->children[to], &fresh));
    return WR_OK;
}

static wr_status derive_join(wr_logical **slot, void *user, wr_error *err) {
    deriver *d = user;
    wr_logical *join = *slot;
    if (join->kind != WR_LOGICAL_JOIN || join->join.null_aware) return WR_OK;
    wr_join_kind kind = (wr_join_kind)join->join.kind;
    if (kind == WR_JOIN_OUTER_FULL || kind == WR_JOIN_ANTI_NULL_AWARE) return WR_OK;
    bool to_left = kind == WR_JOIN_INNER || kind == WR_JOIN_SEMI;
    for (uint32_t i = 0; i < join->join.key_count; i++) {
        const wr_join_key *key = &join->join.keys[i];
        if (key->null_equals_null || key->left->kind != WR_EXPR_COLUMN || key->right->kind != WR_EXPR_COLUMN) continue;
        WR_TRY(derive(d, join, 1, key->left, key->right, err));
        if (to_left) WR_TRY(derive(d, join, 0, key->right, key->left, err));
    }
    return WR_OK;
}

wr_status wr_pass_transitive(wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    (void)context;
    deriver d = {plan, &plan->arena};
    wr_walk walk = {.plan = plan, .visit = derive_join, .user = &d};
    return wr_walk_up(&walk, &plan->root, err);
}
