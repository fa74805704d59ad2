/* What can be proven of a node's rows: which columns may be NULL, on which columns no two rows agree, how many there
 * are at most. Proofs, unlike estimates, may change a plan's shape where only the same answer is allowed. */
#include "optimize/optimize_internal.h"

/* ---- NULLs ---- */

/* Strict functions that give NULL for NULL arguments alone. Others may have NULLs of their own. */
static bool adds_no_nulls(const wr_expr *call) {
    static const char *const names[] = {"=",
                                        "<>",
                                        "<",
                                        "<=",
                                        ">",
                                        ">=",
                                        "+",
                                        "-",
                                        "*",
                                        "~~",
                                        "!~~",
                                        "||",
                                        "is_distinct_from",
                                        "is_not_distinct_from",
                                        "substring",
                                        "substr"};
    for (uint32_t i = 0; i < WR_COUNT_OF(names); i++) {
        if (strcmp(call->function->name, names[i]) == 0) return true;
    }
    return false;
}

bool wr_expr_is_nullable(const wr_expr *e, const wr_column_set *nullable) {
    uint32_t first = 0, step = 1;
    switch ((wr_expr_kind)e->kind) {
    case WR_EXPR_COLUMN: return wr_column_set_has(nullable, e->column);
    case WR_EXPR_CONSTANT: return e->value.is_null;
    case WR_EXPR_IS_NULL: return false;
    case WR_EXPR_CALL:
        if (!adds_no_nulls(e)) return true;
        if (e->function->nulls == WR_NULLS_OWN) return false;
        break;
    case WR_EXPR_CAST:
        if (e->try_) return true;
        break;
    case WR_EXPR_CASE: /* its values: every second one, and the last */
        if (wr_expr_is_nullable(e->args[e->arg_count - 1], nullable)) return true;
        first = 1;
        step = 2;
        break;
    case WR_EXPR_AND:
    case WR_EXPR_OR:
    case WR_EXPR_NOT:
    case WR_EXPR_IN: break;
    default: return true;
    }
    for (uint32_t i = first; i < e->arg_count; i += step) {
        if (wr_expr_is_nullable(e->args[i], nullable)) return true;
    }
    return false;
}

static bool aggregate_is_nullable(const wr_expr *e, const wr_column_set *nullable, bool grouped) {
    static const char *const names[] = {"sum", "min", "max", "avg", "any_value", "first", "last"};
    if (strncmp(e->function->name, "count", 5) == 0) return false;
    if (!grouped || e->filter || e->arg_count == 0) return true;
    for (uint32_t i = 0; i < WR_COUNT_OF(names); i++) {
        if (strcmp(e->function->name, names[i]) == 0) return wr_expr_is_nullable(e->args[0], nullable);
    }
    return true;
}

static wr_status drop_rejected(wr_plan *plan, wr_expr *const *conjuncts, uint32_t count, wr_column_set *set,
                               wr_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        wr_column_set read = {0};
        WR_NEED(wr_expr_columns(conjuncts[i], &plan->arena, &read));
        for (uint32_t w = 0; w < read.word_count && w < set->word_count; w++) {
            for (uint64_t left = read.words[w] & set->words[w]; left; left &= left - 1) {
                wr_column_id id = w * 64 + (uint32_t)__builtin_ctzll(left);
                wr_column_set one = {0};
                WR_NEED(wr_column_set_add(&one, &plan->arena, id));
                if (wr_rejects_null(conjuncts[i], &one)) wr_bit_clear(set->words, id);
            }
        }
    }
    return WR_OK;
}

static wr_status nullable_of_join(wr_plan *plan, const wr_logical *node, wr_column_set *out, wr_error *err) {
    const wr_logical *left = node->children[0], *right = node->children[1];
    wr_join_kind kind = (wr_join_kind)node->join.kind;
    WR_TRY(wr_nullable_columns(plan, left, out, err));
    if (kind == WR_JOIN_MARK) {
        if (node->join.null_aware) WR_NEED(wr_column_set_add(out, &plan->arena, node->join.mark));
        return WR_OK;
    }
    if (kind == WR_JOIN_ANTI || kind == WR_JOIN_ANTI_NULL_AWARE) return WR_OK;
    if (kind == WR_JOIN_OUTER_LEFT || kind == WR_JOIN_OUTER_FULL || kind == WR_JOIN_SINGLE) {
        if (kind == WR_JOIN_OUTER_FULL) WR_NEED(wr_add_outputs(out, &plan->arena, left));
        WR_NEED(wr_add_outputs(out, &plan->arena, right));
        return WR_OK;
    }
    if (kind == WR_JOIN_INNER) WR_TRY(wr_nullable_columns(plan, right, out, err));
    for (uint32_t i = 0; i < node->join.key_count; i++) {
        const wr_join_key *key = &node->join.keys[i];
        if (key->null_equals_null) continue;
        const wr_expr *sides[2] = {key->left, key->right};
        for (int s = 0; s < 2; s++) {
            if (sides[s]->kind == WR_EXPR_COLUMN && wr_column_set_has(out, sides[s]->column))
                wr_bit_clear(out->words, sides[s]->column);
        }
    }
    return drop_rejected(plan, node->join.residual, node->join.residual_count, out, err);
}

/* What comes from outside of a subplan may be NULL. */
static wr_status add_outside(wr_plan *plan, const wr_logical *node, const wr_named_expr *items, uint32_t count,
                             wr_column_set *set, wr_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        wr_column_set read = {0};
        WR_NEED(wr_expr_columns(items[i].expr, &plan->arena, &read));
        for (uint32_t w = 0; w < read.word_count; w++) {
            for (uint64_t left = read.words[w]; left; left &= left - 1) {
                wr_column_id id = w * 64 + (uint32_t)__builtin_ctzll(left);
                if (!wr_gives(node->children[0], id)) WR_NEED(wr_column_set_add(set, &plan->arena, id));
            }
        }
    }
    return WR_OK;
}

static wr_status nullable_of_items(wr_plan *plan, const wr_logical *node, wr_column_set *out, wr_error *err) {
    wr_column_set below = {0};
    WR_TRY(wr_nullable_columns(plan, node->children[0], &below, err));
    bool project = node->kind == WR_LOGICAL_PROJECT;
    const wr_named_expr *items = project ? node->project.items : node->aggregate.keys;
    uint32_t count = project ? node->project.count : node->aggregate.key_count;
    WR_TRY(add_outside(plan, node, items, count, &below, err));
    for (uint32_t i = 0; i < count; i++) {
        if (wr_expr_is_nullable(items[i].expr, &below)) WR_NEED(wr_column_set_add(out, &plan->arena, items[i].id));
    }
    for (uint32_t i = 0; !project && i < node->aggregate.aggregate_count; i++) {
        const wr_named_expr *item = &node->aggregate.aggregates[i];
        if (aggregate_is_nullable(item->expr, &below, count > 0))
            WR_NEED(wr_column_set_add(out, &plan->arena, item->id));
    }
    return WR_OK;
}

static wr_status nullable_of_leaf(wr_plan *plan, const wr_logical *node, wr_column_set *out, wr_error *err) {
    if (node->kind == WR_LOGICAL_SCAN) {
        for (uint32_t i = 0; i < node->column_count; i++) {
            if (plan->columns[node->columns[i]].nullable)
                WR_NEED(wr_column_set_add(out, &plan->arena, node->columns[i]));
        }
        return drop_rejected(plan, node->scan.conjuncts, node->scan.conjunct_count, out, err);
    }
    for (uint32_t i = 0; i < node->column_count; i++) {
        for (uint32_t r = 0; r < node->values.row_count; r++) {
            const wr_expr *value = node->values.rows[r][i];
            if (value->kind == WR_EXPR_CONSTANT && !value->value.is_null) continue;
            WR_NEED(wr_column_set_add(out, &plan->arena, node->columns[i]));
            break;
        }
    }
    return WR_OK;
}

wr_status wr_nullable_columns(wr_plan *plan, const wr_logical *node, wr_column_set *out, wr_error *err) {
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_SCAN:
    case WR_LOGICAL_VALUES: return nullable_of_leaf(plan, node, out, err);
    case WR_LOGICAL_PROJECT:
    case WR_LOGICAL_AGGREGATE: return nullable_of_items(plan, node, out, err);
    case WR_LOGICAL_JOIN: return nullable_of_join(plan, node, out, err);
    case WR_LOGICAL_FILTER:
        WR_TRY(wr_nullable_columns(plan, node->children[0], out, err));
        return drop_rejected(plan, node->filter.conjuncts, node->filter.count, out, err);
    case WR_LOGICAL_SORT:
    case WR_LOGICAL_LIMIT:
    case WR_LOGICAL_SHARED: return wr_nullable_columns(plan, node->children[0], out, err);
    case WR_LOGICAL_SINGLE_ROW:
        if (wr_gives_exactly_one(node->children[0])) return wr_nullable_columns(plan, node->children[0], out, err);
        WR_NEED(wr_add_outputs(out, &plan->arena, node));
        return WR_OK;
    case WR_LOGICAL_SET_OPERATION:
        for (int side = 0; side < 2; side++) {
            wr_column_set below = {0};
            WR_TRY(wr_nullable_columns(plan, node->children[side], &below, err));
            for (uint32_t i = 0; i < node->column_count; i++) {
                if (wr_column_set_has(&below, node->set.inputs[side][i]))
                    WR_NEED(wr_column_set_add(out, &plan->arena, node->columns[i]));
            }
        }
        return WR_OK;
    case WR_LOGICAL_KINDS: break;
    }
    return WR_OK;
}

/* ---- row counts ---- */

static bool limits_to_one(const wr_logical *node) {
    const wr_expr *limit = node->limit.limit;
    return limit && limit->kind == WR_EXPR_CONSTANT && !limit->value.is_null && limit->value.i64 <= 1;
}

bool wr_gives_at_most_one(const wr_logical *node) {
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_VALUES: return node->values.row_count <= 1;
    case WR_LOGICAL_AGGREGATE: return node->aggregate.key_count == 0;
    case WR_LOGICAL_SINGLE_ROW: return true;
    case WR_LOGICAL_LIMIT: return limits_to_one(node) || wr_gives_at_most_one(node->children[0]);
    case WR_LOGICAL_FILTER:
    case WR_LOGICAL_PROJECT:
    case WR_LOGICAL_SORT:
    case WR_LOGICAL_SHARED: return wr_gives_at_most_one(node->children[0]);
    case WR_LOGICAL_JOIN:
        if (!wr_gives_at_most_one(node->children[0])) return false;
        return (node->join.kind != WR_JOIN_INNER && node->join.kind != WR_JOIN_OUTER_LEFT &&
                node->join.kind != WR_JOIN_OUTER_FULL) ||
               (wr_gives_at_most_one(node->children[1]) && node->join.kind != WR_JOIN_OUTER_FULL);
    default: return false;
    }
}

bool wr_gives_exactly_one(const wr_logical *node) {
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_VALUES: return node->values.row_count == 1;
    case WR_LOGICAL_AGGREGATE: return node->aggregate.key_count == 0;
    case WR_LOGICAL_SINGLE_ROW: return true;
    case WR_LOGICAL_PROJECT:
    case WR_LOGICAL_SORT:
    case WR_LOGICAL_SHARED: return wr_gives_exactly_one(node->children[0]);
    case WR_LOGICAL_JOIN: {
        bool padded = node->join.kind == WR_JOIN_OUTER_LEFT || node->join.kind == WR_JOIN_SINGLE;
        bool cross = node->join.kind == WR_JOIN_INNER && node->join.key_count == 0 && node->join.residual_count == 0;
        if (!wr_gives_exactly_one(node->children[0])) return false;
        if (node->join.kind == WR_JOIN_MARK || node->join.kind == WR_JOIN_SINGLE) return true;
        return (cross && wr_gives_exactly_one(node->children[1])) ||
               (padded && wr_gives_at_most_one(node->children[1]));
    }
    default: return false;
    }
}

/* ---- uniqueness ---- */

static wr_status unique_scan(wr_plan *plan, const wr_logical *node, const wr_column_set *columns, bool *out,
                             wr_error *err) {
    wr_table *table = node->scan.table;
    for (uint32_t i = 0; i < node->column_count && !*out; i++) {
        if (!wr_column_set_has(columns, node->columns[i]) || plan->columns[node->columns[i]].nullable) continue;
        wr_column_statistics statistics = {0};
        WR_TRY(table->ops->statistics(table, node->scan.table_columns[i], &statistics, err));
        *out = statistics.unique;
    }
    return WR_OK;
}

/* The columns below a projection that the given ones are. */
static wr_status unique_project(wr_plan *plan, const wr_logical *node, const wr_column_set *columns, bool *out,
                                wr_error *err) {
    wr_column_set below = {0};
    for (uint32_t i = 0; i < node->project.count; i++) {
        const wr_named_expr *item = &node->project.items[i];
        if (item->expr->kind == WR_EXPR_COLUMN && wr_column_set_has(columns, item->id))
            WR_NEED(wr_column_set_add(&below, &plan->arena, item->expr->column));
    }
    return wr_is_unique_on(plan, node->children[0], &below, out, err);
}

/* A side whose key is unique multiplies no row of the other side. */
static wr_status key_is_unique(wr_plan *plan, const wr_logical *join, int side, bool *out, wr_error *err) {
    wr_column_set keys = {0};
    for (uint32_t i = 0; i < join->join.key_count; i++) {
        const wr_expr *key = side ? join->join.keys[i].right : join->join.keys[i].left;
        if (key->kind == WR_EXPR_COLUMN) WR_NEED(wr_column_set_add(&keys, &plan->arena, key->column));
    }
    return wr_is_unique_on(plan, join->children[side], &keys, out, err);
}

static wr_status unique_join(wr_plan *plan, const wr_logical *node, const wr_column_set *columns, bool *out,
                             wr_error *err) {
    wr_join_kind kind = (wr_join_kind)node->join.kind;
    bool one_sided = kind == WR_JOIN_SEMI || kind == WR_JOIN_ANTI || kind == WR_JOIN_ANTI_NULL_AWARE ||
                     kind == WR_JOIN_MARK || kind == WR_JOIN_SINGLE;
    bool left = false, right = false;
    wr_column_set closure = {0};
    WR_NEED(wr_column_set_add_all(&closure, &plan->arena, columns));
    for (uint32_t i = 0; kind == WR_JOIN_INNER && i < node->join.key_count; i++) {
        const wr_join_key *key = &node->join.keys[i];
        if (key->left->kind != WR_EXPR_COLUMN || key->right->kind != WR_EXPR_COLUMN) continue;
        if (wr_column_set_has(&closure, key->left->column) || wr_column_set_has(&closure, key->right->column)) {
            WR_NEED(wr_column_set_add(&closure, &plan->arena, key->left->column));
            WR_NEED(wr_column_set_add(&closure, &plan->arena, key->right->column));
        }
    }
    WR_TRY(wr_is_unique_on(plan, node->children[0], &closure, &left, err));
    if (one_sided || kind == WR_JOIN_OUTER_FULL) {
        *out = left && one_sided;
        return WR_OK;
    }
    bool multiplies_no_left = false, multiplies_no_right = false;
    WR_TRY(key_is_unique(plan, node, 1, &multiplies_no_left, err));
    *out = left && multiplies_no_left;
    if (*out || kind != WR_JOIN_INNER) return WR_OK;
    WR_TRY(wr_is_unique_on(plan, node->children[1], &closure, &right, err));
    WR_TRY(key_is_unique(plan, node, 0, &multiplies_no_right, err));
    *out = (right && multiplies_no_right) || (left && right);
    return WR_OK;
}

wr_status wr_is_unique_on(wr_plan *plan, const wr_logical *node, const wr_column_set *columns, bool *out,
                          wr_error *err) {
    *out = wr_gives_at_most_one(node);
    if (*out) return WR_OK;
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_SCAN: return unique_scan(plan, node, columns, out, err);
    case WR_LOGICAL_PROJECT: return unique_project(plan, node, columns, out, err);
    case WR_LOGICAL_JOIN: return unique_join(plan, node, columns, out, err);
    case WR_LOGICAL_AGGREGATE:
        *out = true;
        for (uint32_t i = 0; i < node->aggregate.key_count; i++) {
            *out &= wr_column_set_has(columns, node->aggregate.keys[i].id);
        }
        return WR_OK;
    case WR_LOGICAL_FILTER:
    case WR_LOGICAL_SORT:
    case WR_LOGICAL_LIMIT:
    case WR_LOGICAL_SHARED: return wr_is_unique_on(plan, node->children[0], columns, out, err);
    case WR_LOGICAL_SET_OPERATION:
        *out = !node->set.all;
        for (uint32_t i = 0; i < node->column_count; i++) *out &= wr_column_set_has(columns, node->columns[i]);
        return WR_OK;
    default: return WR_OK;
    }
}
