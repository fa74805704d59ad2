/* Row estimates of every node, from the leaves up; never below one row. They choose join orders and build sides, and
 * EXPLAIN shows them. */
#include <math.h>

#include "optimize/optimize_internal.h"

static double at_least_one(double rows) {
    return rows < 1 || isnan(rows) ? 1 : rows;
}

/* ---- joins ---- */

double wr_join_rows(wr_join_kind kind, double left, double right, double selectivity, double match_share) {
    double inner = left * right * selectivity;
    switch (kind) {
    case WR_JOIN_INNER: return at_least_one(inner);
    case WR_JOIN_OUTER_LEFT: return at_least_one(fmax(inner, left));
    case WR_JOIN_OUTER_FULL: return at_least_one(fmax(inner, left) + right * 0.1);
    case WR_JOIN_SEMI: return at_least_one(left * fmin(match_share, 1));
    case WR_JOIN_ANTI:
    case WR_JOIN_ANTI_NULL_AWARE: return at_least_one(left * fmax(1 - match_share, 0.1));
    case WR_JOIN_MARK:
    case WR_JOIN_SINGLE:
    case WR_JOIN_KINDS: break;
    }
    return at_least_one(left);
}

/* The share of left rows whose keys some right row has. */
static wr_status match_share(wr_estimator *e, const wr_logical *join, double residual, double *out, wr_error *err) {
    double right_rows = join->children[1]->row_estimate;
    *out = 1;
    for (uint32_t i = 0; i < join->join.key_count; i++) {
        wr_column_fact l, r;
        WR_TRY(wr_distinct_of(e, join->join.keys[i].left, &l, err));
        WR_TRY(wr_distinct_of(e, join->join.keys[i].right, &r, err));
        *out = fmin(*out, wr_distinct_among(&r, right_rows) / fmax(1, fmax(l.distinct, r.distinct)));
    }
    /* A residual has several rows to be true for. */
    *out *= sqrt(residual);
    return WR_OK;
}

static wr_status estimate_join(wr_estimator *e, wr_logical *join, wr_error *err) {
    double keys, residual, share;
    wr_key_pair *pairs = WR_ARENA_ARRAY(&e->plan->arena, wr_key_pair, join->join.key_count + 1);
    WR_NEED(pairs);
    for (uint32_t i = 0; i < join->join.key_count; i++) {
        pairs[i] = (wr_key_pair){join->join.keys[i].left, join->join.keys[i].right};
    }
    WR_TRY(wr_key_selectivity(e, pairs, join->join.key_count, &keys, err));
    WR_TRY(wr_selectivity(e, join->join.residual, join->join.residual_count, NULL, &residual, err));
    WR_TRY(match_share(e, join, residual, &share, err));
    join->row_estimate = wr_join_rows((wr_join_kind)join->join.kind, join->children[0]->row_estimate,
                                      join->children[1]->row_estimate, keys * residual, share);
    return WR_OK;
}

/* ---- groups ---- */

/* Keys of one source have no more combinations than it has rows; sources multiply. */
static wr_status estimate_groups(wr_estimator *e, wr_logical *node, wr_error *err) {
    double rows = node->children[0]->row_estimate, groups = 1;
    uint32_t count = node->aggregate.key_count;
    const wr_logical **sources = WR_ARENA_ARRAY(&e->plan->arena, const wr_logical *, count + 1);
    double *products = WR_ARENA_ARRAY(&e->plan->arena, double, count + 1);
    WR_NEED(sources && products);
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        const wr_expr *key = node->aggregate.keys[i].expr;
        wr_column_fact f;
        WR_TRY(wr_distinct_of(e, key, &f, err));
        const wr_logical *source =
            key->kind == WR_EXPR_COLUMN && key->column < e->column_count ? e->makers[key->column] : NULL;
        uint32_t at = 0;
        while (at < used && (!source || sources[at] != source)) at++;
        if (at == used) {
            sources[used] = source;
            products[used++] = 1;
        }
        products[at] = fmin(products[at] * wr_distinct_among(&f, rows), f.source_rows);
    }
    for (uint32_t i = 0; i < used; i++) groups *= products[i];
    node->row_estimate = at_least_one(fmin(groups, rows));
    return WR_OK;
}

/* ---- all kinds ---- */

static wr_status estimate_scan(wr_estimator *e, wr_logical *node, wr_error *err) {
    double share;
    if (node->row_estimate >= 0) return WR_OK;
    WR_TRY(wr_selectivity(e, node->scan.conjuncts, node->scan.conjunct_count, node, &share, err));
    node->row_estimate = at_least_one(node->scan.table->row_count * share);
    return WR_OK;
}

static double limit_of(const wr_logical *node) {
    const wr_expr *limit = node->limit.limit;
    bool known = limit && limit->kind == WR_EXPR_CONSTANT && !limit->value.is_null;
    return known ? (double)limit->value.i64 : INFINITY;
}

static wr_status estimate_own(wr_estimator *e, wr_logical *node, wr_error *err) {
    double first = node->child_count ? node->children[0]->row_estimate : 1, share;
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_SCAN: return estimate_scan(e, node, err);
    case WR_LOGICAL_JOIN: return estimate_join(e, node, err);
    case WR_LOGICAL_AGGREGATE: return estimate_groups(e, node, err);
    case WR_LOGICAL_FILTER:
        WR_TRY(wr_selectivity(e, node->filter.conjuncts, node->filter.count, NULL, &share, err));
        node->row_estimate = at_least_one(first * share);
        return WR_OK;
    case WR_LOGICAL_VALUES: node->row_estimate = at_least_one(node->values.row_count); return WR_OK;
    case WR_LOGICAL_LIMIT: node->row_estimate = at_least_one(fmin(limit_of(node), first)); return WR_OK;
    case WR_LOGICAL_SINGLE_ROW: node->row_estimate = 1; return WR_OK;
    case WR_LOGICAL_SET_OPERATION:
        node->row_estimate = node->set.operation == WR_SET_UNION ? first + node->children[1]->row_estimate : first;
        return WR_OK;
    case WR_LOGICAL_PROJECT:
    case WR_LOGICAL_SORT:
    case WR_LOGICAL_SHARED: node->row_estimate = first; return WR_OK;
    case WR_LOGICAL_KINDS: break;
    }
    return WR_OK;
}

wr_status wr_estimate(wr_estimator *e, wr_logical *node, wr_error *err) {
    if (node->kind == WR_LOGICAL_SHARED) {
        if (wr_column_set_has(&e->seen, node->id)) return WR_OK;
        WR_NEED(wr_column_set_add(&e->seen, &e->plan->arena, node->id));
    }
    for (uint32_t i = 0; i < node->child_count; i++) WR_TRY(wr_estimate(e, node->children[i], err));
    return estimate_own(e, node, err);
}
