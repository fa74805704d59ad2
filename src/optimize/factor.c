/* What all branches of an OR have in common.
 *
 * A condition that stands in every branch is taken out in front: (a AND b) OR (a AND c) is a AND (b OR c), and `a` may
 * then be a join key or go down alone. What the branches say of one table each is not common, but together implies a
 * condition on that table: from (x = 1 AND y = 2) OR (x = 3 AND y = 4) follows x IN (1, 3). It is added beside the OR,
 * so that scans can filter by it. Conditions that can fail stay where they are. */
#include "optimize/optimize_internal.h"

typedef struct factorer {
    wr_plan *plan;
    wr_arena *arena;
    wr_estimator makers; /* which scan makes a column */
} factorer;

static wr_expr *const *branch_terms(wr_expr *const *branch, uint32_t *count) {
    bool and = (*branch)->kind == WR_EXPR_AND;
    *count = and? (*branch)->arg_count : 1;
    return and? (*branch)->args : branch;
}

static bool has_term(wr_expr *const *branch, const wr_expr *term) {
    uint32_t count;
    wr_expr *const *terms = branch_terms(branch, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (wr_expr_equal(terms[i], term)) return true;
    }
    return false;
}

static bool is_common(const wr_expr *either, const wr_expr *term) {
    if (term->can_fail || term->volatile_) return false;
    for (uint32_t i = 1; i < either->arg_count; i++) {
        if (!has_term(&either->args[i], term)) return false;
    }
    return true;
}

static bool is_listed(const wr_terms *terms, const wr_expr *term) {
    for (uint32_t i = 0; i < terms->count; i++) {
        if (wr_expr_equal(terms->items[i], term)) return true;
    }
    return false;
}

/* The branch without the common terms. */
static wr_expr *rest_of(factorer *f, wr_expr *const *branch, const wr_terms *common) {
    uint32_t count;
    wr_expr *const *terms = branch_terms(branch, &count);
    wr_terms kept = {0};
    for (uint32_t i = 0; i < count; i++) {
        if (!is_listed(common, terms[i]) && !wr_terms_add(&kept, f->arena, terms[i])) return NULL;
    }
    return wr_expr_junction(f->arena, WR_EXPR_AND, kept.items, kept.count);
}

static wr_status factor_term(factorer *f, wr_expr *term, wr_terms *out, wr_error *err) {
    wr_terms common = {0};
    uint32_t count = 0;
    wr_expr *const *first = term->kind == WR_EXPR_OR ? branch_terms(&term->args[0], &count) : NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (is_common(term, first[i])) WR_NEED(wr_terms_add(&common, f->arena, first[i]));
    }
    if (common.count) {
        wr_expr **rests = WR_ARENA_ARRAY(f->arena, wr_expr *, term->arg_count);
        WR_NEED(rests);
        for (uint32_t i = 0; i < term->arg_count; i++) WR_NEED(rests[i] = rest_of(f, &term->args[i], &common));
        /* A branch of nothing but common terms makes the OR true. */
        bool decided = false;
        for (uint32_t i = 0; i < term->arg_count; i++) decided |= wr_is_true(rests[i]);
        WR_NEED(wr_terms_add_all(out, f->arena, common.items, common.count));
        if (decided) return WR_OK;
        WR_NEED(term = wr_expr_junction(f->arena, WR_EXPR_OR, rests, term->arg_count));
    }
    WR_NEED(wr_terms_add(out, f->arena, term));
    return WR_OK;
}

/* ---- conditions on one table ---- */

static bool reads_only(factorer *f, const wr_expr *term, const wr_column_set *columns, bool *memory) {
    wr_column_set read = {0};
    *memory = wr_expr_columns(term, f->arena, &read);
    return *memory && wr_column_set_overlaps(&read, columns) && wr_column_set_contains(columns, &read);
}

/* What the OR says of the columns; NULL in *out: nothing. */
wr_status wr_implied_by_or(wr_plan *plan, wr_expr *either, const wr_column_set *columns, wr_expr **out, wr_error *err) {
    factorer f = {.plan = plan, .arena = &plan->arena};
    wr_expr **branches = WR_ARENA_ARRAY(f.arena, wr_expr *, either->arg_count);
    WR_NEED(branches);
    *out = NULL;
    for (uint32_t i = 0; i < either->arg_count; i++) {
        uint32_t count;
        wr_expr *const *terms = branch_terms(&either->args[i], &count);
        wr_terms mine = {0};
        for (uint32_t t = 0; t < count; t++) {
            bool memory, only = reads_only(&f, terms[t], columns, &memory);
            WR_NEED(memory);
            if (only && !terms[t]->can_fail && !terms[t]->volatile_) WR_NEED(wr_terms_add(&mine, f.arena, terms[t]));
        }
        if (mine.count == 0) return WR_OK;
        WR_NEED(branches[i] = wr_expr_junction(f.arena, WR_EXPR_AND, mine.items, mine.count));
    }
    WR_NEED(*out = wr_expr_junction(f.arena, WR_EXPR_OR, branches, either->arg_count));
    return WR_OK;
}

wr_status wr_scans_read(const wr_estimator *e, const wr_expr *expr, const wr_logical **scans, uint32_t room,
                        uint32_t *count, wr_error *err) {
    wr_column_set read = {0};
    WR_NEED(wr_expr_columns(expr, &e->plan->arena, &read));
    *count = 0;
    for (uint32_t w = 0; w < read.word_count; w++) {
        for (uint64_t left = read.words[w]; left; left &= left - 1) {
            wr_column_id id = w * 64 + (uint32_t)__builtin_ctzll(left);
            const wr_logical *maker = id < e->column_count ? e->makers[id] : NULL;
            if (!maker || maker->kind != WR_LOGICAL_SCAN) continue;
            uint32_t at = 0;
            while (at < *count && scans[at] != maker) at++;
            if (at == *count && at < room) scans[(*count)++] = maker;
        }
    }
    return WR_OK;
}

static wr_status add_implied(factorer *f, wr_expr *term, wr_terms *out, wr_error *err) {
    const wr_logical *scans[16];
    uint32_t count;
    if (term->kind != WR_EXPR_OR) return WR_OK;
    WR_TRY(wr_scans_read(&f->makers, term, scans, WR_COUNT_OF(scans), &count, err));
    for (uint32_t i = 0; i < count && count > 1; i++) {
        wr_column_set columns = {0};
        wr_expr *implied;
        WR_NEED(wr_add_outputs(&columns, f->arena, scans[i]));
        WR_TRY(wr_implied_by_or(f->plan, term, &columns, &implied, err));
        if (implied) WR_NEED(wr_terms_add(out, f->arena, implied));
    }
    return WR_OK;
}

/* ---- the pass ---- */

static wr_status factor_list(factorer *f, wr_expr ***terms, uint32_t *count, bool implies, wr_error *err) {
    wr_terms made = {0}, implied = {0};
    for (uint32_t i = 0; i < *count; i++) WR_TRY(factor_term(f, (*terms)[i], &made, err));
    for (uint32_t i = 0; i < made.count && implies; i++) WR_TRY(add_implied(f, made.items[i], &implied, err));
    WR_NEED(wr_terms_add_all(&made, f->arena, implied.items, implied.count));
    *terms = made.items;
    *count = made.count;
    return WR_OK;
}

static wr_status factor_node(wr_logical **slot, void *user, wr_error *err) {
    factorer *f = user;
    wr_logical *node = *slot;
    if (node->kind == WR_LOGICAL_FILTER) return factor_list(f, &node->filter.conjuncts, &node->filter.count, true, err);
    /* Only where a condition that rejects a row drops it may another one be added in its place. */
    bool drops = node->kind == WR_LOGICAL_JOIN && (node->join.kind == WR_JOIN_INNER || node->join.kind == WR_JOIN_SEMI);
    if (node->kind == WR_LOGICAL_JOIN && node->join.residual_count)
        return factor_list(f, &node->join.residual, &node->join.residual_count, drops, err);
    return WR_OK;
}

wr_status wr_pass_factor(wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    factorer f = {.plan = plan, .arena = &plan->arena};
    WR_TRY(wr_estimator_init(&f.makers, plan, context, err));
    wr_walk walk = {.plan = plan, .visit = factor_node, .user = &f};
    return wr_walk_up(&walk, &plan->root, err);
}
