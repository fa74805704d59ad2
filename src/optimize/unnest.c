/* Subqueries become joins.
 *
 * From the leaves up, every subquery in an expression is replaced: in a filter, EXISTS and IN as conjuncts of their own
 * are semi and anti joins; anywhere else they are mark joins, which add their answer as a column. A subquery used as a
 * value is joined in as a column: by a cross join when it reads nothing from outside, else by an outer join that errs
 * when an outer row finds two. Lateral joins lose their dependence in the same way.
 *
 * What is left correlated after that is decorrelated, by pulling its conditions up where that is possible
 * (unnest_pull.c), else by running it over the domain of its outer columns (unnest_domain.c). Nested subqueries are
 * unnested from the innermost out; what an inner one reads from further out stays free until its turn comes.
 *
 * NULLs: x IN (…) is NULL, not false, when nothing equals x but a comparison was NULL. In a filter both drop the row.
 * NOT IN must keep them apart: a null-aware anti join where the subquery stands alone, else an anti join on "not
 * false". */
#include "optimize/optimize_internal.h"

static wr_status unnest_node(wr_unnester *u, wr_logical **slot, wr_error *err);

#define ADD(terms, term) WR_NEED(wr_terms_add((terms), u->arena, (term)))

static wr_status has_outside(wr_unnester *u, const wr_logical *node, bool *out, wr_error *err) {
    wr_column_set outside = {0};
    WR_NEED(wr_logical_free_columns(node, u->arena, &outside));
    *out = !wr_column_set_contains(&(wr_column_set){0}, &outside);
    return WR_OK;
}

/* The subplan reads columns that `node` gives. */
static wr_status reads_from(wr_unnester *u, const wr_logical *subplan, const wr_logical *node, bool *out,
                            wr_error *err) {
    wr_column_set outside = {0}, given = {0};
    WR_NEED(wr_logical_free_columns(subplan, u->arena, &outside));
    WR_NEED(wr_add_outputs(&given, u->arena, node));
    *out = wr_column_set_overlaps(&outside, &given);
    return WR_OK;
}

/* ---- joining a subplan in ---- */

typedef struct connection {
    wr_join_kind kind;
    wr_terms terms; /* the join condition so far */
    wr_column_id mark;
    bool limit_allowed, scalar_allowed;
} connection;

static bool matches_alone_count(wr_join_kind kind) {
    return kind == WR_JOIN_SEMI || kind == WR_JOIN_ANTI || kind == WR_JOIN_MARK;
}

/* Puts the subplan beside *child. Left correlated, it is freed of what it reads from *child; of what it reads from
 * further out, the conditions are lifted into this join's, where the next one finds them. */
static wr_status connect(wr_unnester *u, wr_logical **child, wr_logical *subplan, connection *c, wr_logical **join,
                         wr_error *err) {
    bool correlated;
    WR_TRY(has_outside(u, subplan, &correlated, err));
    if (correlated) {
        bool done = false;
        wr_pull how = {.duplicates_matter = !matches_alone_count(c->kind),
                       .scalar_allowed = c->scalar_allowed,
                       .limit_allowed = c->limit_allowed};
        WR_NEED(wr_logical_free_columns(subplan, u->arena, &how.outer));
        WR_TRY(wr_pull_correlation(u, &subplan, &how, &c->terms, &done, err));
        if (!done) {
            WR_TRY(reads_from(u, subplan, *child, &correlated, err));
            if (correlated) WR_TRY(wr_push_domain(u, child, &subplan, &c->terms, err));
        }
    }
    WR_NEED(*join = wr_make_join(u->plan, c->kind, *child, subplan));
    (*join)->join.mark = c->mark;
    (*join)->join.residual = c->terms.items;
    (*join)->join.residual_count = c->terms.count;
    WR_NEED(wr_logical_refresh(u->plan, *join));
    *child = *join;
    return WR_OK;
}

/* ---- what EXISTS and IN do not need ---- */

static bool is_limit_at_least_one(const wr_logical *node) {
    const wr_expr *limit = node->limit.limit;
    return !node->limit.offset && limit && limit->kind == WR_EXPR_CONSTANT && !limit->value.is_null &&
           limit->value.i64 >= 1;
}

/* Whether there is a row does not depend on its columns, their order, how often they come. */
static wr_logical *strip_for_exists(wr_logical *node) {
    for (;;) {
        bool goes = node->kind == WR_LOGICAL_PROJECT || node->kind == WR_LOGICAL_SORT ||
                    (node->kind == WR_LOGICAL_AGGREGATE && node->aggregate.key_count) ||
                    (node->kind == WR_LOGICAL_LIMIT && is_limit_at_least_one(node));
        if (!goes) return node;
        node = node->children[0];
    }
}

/* Which values there are does not depend on order and repetition. */
static wr_logical *strip_for_in(wr_logical *node) {
    for (;;) {
        bool goes = node->kind == WR_LOGICAL_SORT || (node->kind == WR_LOGICAL_AGGREGATE && node->aggregate.key_count &&
                                                      !node->aggregate.aggregate_count);
        /* The columns that are compared must be there below, in their places. */
        const wr_logical *child = goes ? node->children[0] : NULL;
        if (!goes || child->column_count != node->column_count ||
            memcmp(child->columns, node->columns, node->column_count * sizeof *node->columns) != 0)
            return node;
        node = node->children[0];
    }
}

/* ---- comparisons with a subquery ---- */

/* args[i] <op> column i of the subquery, all of them. */
static wr_status comparison_terms(wr_unnester *u, const wr_expr *subquery, wr_compare_op op, wr_terms *terms,
                                  wr_error *err) {
    for (uint32_t i = 0; i < subquery->arg_count; i++) {
        wr_expr *column = wr_column_of(u->plan, subquery->query->columns[i]);
        WR_NEED(column);
        wr_expr *term = wr_make_compare(u->context, u->arena, op, subquery->args[i], column);
        WR_NEED(term);
        ADD(terms, term);
    }
    return WR_OK;
}

static wr_compare_op compare_of(const wr_expr *subquery) {
    return subquery->subquery == WR_SUBQUERY_IN ? WR_EQ : (wr_compare_op)subquery->compare;
}

/* Some comparison with the subquery may be NULL. */
static wr_status may_be_unknown(wr_unnester *u, const wr_expr *subquery, const wr_logical *child, bool *out,
                                wr_error *err) {
    wr_column_set left = {0}, right = {0}, outside = {0};
    WR_TRY(wr_nullable_columns(u->plan, child, &left, err));
    WR_TRY(wr_nullable_columns(u->plan, subquery->query, &right, err));
    *out = false;
    for (uint32_t i = 0; i < subquery->arg_count; i++) {
        *out |= wr_expr_is_nullable(subquery->args[i], &left) || wr_column_set_has(&right, subquery->query->columns[i]);
    }
    /* An operand from further out: nothing is known of it here. */
    for (uint32_t i = 0; i < subquery->arg_count; i++) {
        WR_NEED(wr_expr_columns(subquery->args[i], u->arena, &outside));
    }
    wr_column_set given = {0};
    WR_NEED(wr_add_outputs(&given, u->arena, child));
    *out |= !wr_column_set_contains(&given, &outside);
    return WR_OK;
}

static wr_status join_terms(wr_unnester *u, const wr_terms *terms, wr_expr **out, wr_error *err) {
    WR_NEED(*out = wr_expr_junction(u->arena, WR_EXPR_AND, terms->items, terms->count));
    return WR_OK;
}

/* The terms as one condition that is true where they are NULL, too. */
static wr_status or_unknown(wr_unnester *u, wr_terms *terms, wr_error *err) {
    wr_expr *all, *unknown;
    WR_TRY(join_terms(u, terms, &all, err));
    wr_expr *either[2] = {all, NULL};
    WR_NEED(either[1] = unknown = wr_make_is_null(u->arena, all));
    WR_NEED(all = wr_expr_junction(u->arena, WR_EXPR_OR, either, 2));
    terms->count = 0;
    ADD(terms, all);
    return WR_OK;
}

static wr_status set_null_aware_key(wr_unnester *u, wr_logical *join, const wr_expr *subquery, wr_error *err) {
    WR_NEED(join->join.keys = WR_ARENA_ARRAY(u->arena, wr_join_key, 1));
    join->join.keys[0].left = subquery->args[0];
    WR_NEED(join->join.keys[0].right = wr_column_of(u->plan, subquery->query->columns[0]));
    join->join.key_count = 1;
    return WR_OK;
}

/* A single comparison that only reads what the two sides give: what null-aware joins can do. */
static wr_status is_plain_in(wr_unnester *u, const wr_expr *subquery, const wr_logical *child, bool *out,
                             wr_error *err) {
    bool correlated;
    wr_column_set read = {0}, given = {0};
    WR_TRY(has_outside(u, subquery->query, &correlated, err));
    *out = !correlated && subquery->arg_count == 1 && compare_of(subquery) == WR_EQ;
    if (!*out) return WR_OK;
    WR_NEED(wr_expr_columns(subquery->args[0], u->arena, &read));
    WR_NEED(wr_add_outputs(&given, u->arena, child));
    *out = wr_column_set_contains(&given, &read);
    return WR_OK;
}

/* ---- as a conjunct of a filter ---- */

/* Rows for which the comparison is true for no row of the subquery, nor unknown for one. */
static wr_status anti_join(wr_unnester *u, wr_logical **child, const wr_expr *subquery, wr_compare_op op,
                           wr_error *err) {
    bool unknown, plain;
    connection c = {.kind = WR_JOIN_ANTI};
    wr_logical *join;
    WR_TRY(may_be_unknown(u, subquery, *child, &unknown, err));
    WR_TRY(is_plain_in(u, subquery, *child, &plain, err));
    plain &= op == WR_EQ;
    if (unknown && plain) {
        c.kind = WR_JOIN_ANTI_NULL_AWARE;
        WR_TRY(connect(u, child, subquery->query, &c, &join, err));
        return set_null_aware_key(u, join, subquery, err);
    }
    WR_TRY(comparison_terms(u, subquery, op, &c.terms, err));
    if (unknown) WR_TRY(or_unknown(u, &c.terms, err));
    return connect(u, child, subquery->query, &c, &join, err);
}

static wr_status semi_join(wr_unnester *u, wr_logical **child, const wr_expr *subquery, wr_compare_op op,
                           wr_error *err) {
    connection c = {.kind = WR_JOIN_SEMI};
    wr_logical *join;
    WR_TRY(comparison_terms(u, subquery, op, &c.terms, err));
    return connect(u, child, subquery->query, &c, &join, err);
}

/* [NOT] subquery as a condition: rows of *child that pass. */
static wr_status filter_by(wr_unnester *u, wr_logical **child, wr_expr *subquery, bool negated, wr_error *err) {
    wr_compare_op op = compare_of(subquery);
    wr_logical *join;
    switch ((wr_subquery_kind)subquery->subquery) {
    case WR_SUBQUERY_EXISTS: {
        connection c = {.kind = negated ? WR_JOIN_ANTI : WR_JOIN_SEMI};
        return connect(u, child, subquery->query, &c, &join, err);
    }
    case WR_SUBQUERY_IN:
    case WR_SUBQUERY_ANY: return (negated ? anti_join : semi_join)(u, child, subquery, op, err);
    case WR_SUBQUERY_ALL: /* x < ALL is: no row with NOT x < */
        return (negated ? semi_join : anti_join)(u, child, subquery, wr_compare_negated(op), err);
    case WR_SUBQUERY_SCALAR: break;
    }
    return wr_fail(err, WR_INTERNAL, "a scalar subquery is no condition");
}

/* ---- as a value ---- */

static wr_status mark_join(wr_unnester *u, wr_logical **child, wr_logical *query, const wr_terms *terms,
                           wr_logical **join, wr_expr **out, wr_error *err) {
    connection c = {.kind = WR_JOIN_MARK, .terms = *terms};
    WR_NEED(c.mark = wr_plan_add_column(u->plan, WR_STR("mark"), wr_type_of(WR_TYPE_BOOLEAN), true, NULL));
    WR_TRY(connect(u, child, query, &c, join, err));
    u->plan->columns[c.mark].source = *join;
    WR_NEED(*out = wr_column_of(u->plan, c.mark));
    return WR_OK;
}

/* x <op> ANY (…) as a column. Where it may be NULL and no null-aware join serves, a second mark tells whether some
 * comparison is unknown. */
static wr_status value_of_any(wr_unnester *u, wr_logical **child, wr_expr *subquery, wr_compare_op op, wr_expr **out,
                              wr_error *err) {
    bool unknown, plain;
    wr_logical *join;
    wr_terms terms = {0};
    WR_TRY(may_be_unknown(u, subquery, *child, &unknown, err));
    WR_TRY(is_plain_in(u, subquery, *child, &plain, err));
    if (unknown && plain && op == WR_EQ) {
        WR_TRY(mark_join(u, child, subquery->query, &terms, &join, out, err));
        join->join.null_aware = true;
        return set_null_aware_key(u, join, subquery, err);
    }
    wr_expr second = *subquery;
    if (unknown) {
        wr_column_id *map = WR_ARENA_ARRAY(u->arena, wr_column_id, u->plan->column_count);
        WR_NEED(map);
        WR_NEED(second.query = wr_logical_copy(u->plan, subquery->query, map));
    }
    WR_TRY(comparison_terms(u, subquery, op, &terms, err));
    WR_TRY(mark_join(u, child, subquery->query, &terms, &join, out, err));
    if (!unknown) return WR_OK;
    wr_terms unknown_terms = {0};
    wr_expr *all, *null, *is_unknown;
    WR_TRY(comparison_terms(u, &second, op, &unknown_terms, err));
    WR_TRY(join_terms(u, &unknown_terms, &all, err));
    WR_NEED(null = wr_make_is_null(u->arena, all));
    unknown_terms.count = 0;
    ADD(&unknown_terms, null);
    WR_TRY(mark_join(u, child, second.query, &unknown_terms, &join, &is_unknown, err));
    wr_expr *no = wr_expr_boolean(u->arena, false), *yes = wr_expr_boolean(u->arena, true);
    wr_expr *nothing = wr_expr_constant(u->arena, (wr_value){.type = (*out)->type, .is_null = true});
    WR_NEED(no && yes && nothing);
    wr_expr *otherwise = wr_make_case(u->arena, is_unknown, nothing, no);
    WR_NEED(otherwise);
    WR_NEED(*out = wr_make_case(u->arena, *out, yes, otherwise));
    return WR_OK;
}

/* ---- scalar subqueries and lateral joins ---- */

/* A SINGLE join whose other side has no two rows for one outer row need not look for a second. */
static wr_status relax_single(wr_unnester *u, wr_logical *join, wr_error *err) {
    wr_column_set fixed = {0}, right = {0};
    WR_NEED(wr_add_outputs(&right, u->arena, join->children[1]));
    for (uint32_t i = 0; i < join->join.residual_count; i++) {
        wr_compare_op op = WR_EQ;
        wr_expr *sides[2];
        const wr_expr *term = join->join.residual[i];
        if (!wr_match_compare(term, &op, &sides[0], &sides[1])) {
            if (!wr_is_call(term, "is_not_distinct_from", 2)) continue;
            sides[0] = term->args[0];
            sides[1] = term->args[1];
        }
        for (int s = 0; s < 2 && op == WR_EQ; s++) {
            wr_column_set other = {0};
            WR_NEED(wr_expr_columns(sides[1 - s], u->arena, &other));
            if (sides[s]->kind == WR_EXPR_COLUMN && wr_column_set_has(&right, sides[s]->column) &&
                !wr_column_set_overlaps(&other, &right))
                WR_NEED(wr_column_set_add(&fixed, u->arena, sides[s]->column));
        }
    }
    bool unique;
    WR_TRY(wr_is_unique_on(u->plan, join->children[1], &fixed, &unique, err));
    if (unique) join->join.kind = WR_JOIN_OUTER_LEFT;
    return WR_OK;
}

/* Adds a column that is TRUE: where it is NULL above an outer join, there was no row. */
static wr_status add_mark(wr_unnester *u, wr_logical **subplan, wr_expr **missing, wr_error *err) {
    uint32_t count;
    wr_named_expr *items = wr_pass_items(u->plan, *subplan, 1, &count);
    WR_NEED(items);
    WR_NEED(items[count].expr = wr_expr_boolean(u->arena, true));
    WR_NEED(items[count].id = wr_plan_add_column(u->plan, WR_STR("there"), wr_type_of(WR_TYPE_BOOLEAN), false, NULL));
    wr_expr *mark = wr_column_of(u->plan, items[count].id);
    WR_NEED(mark && (*missing = wr_make_is_null(u->arena, mark)));
    WR_NEED(*subplan = wr_make_project(u->plan, *subplan, items, count + 1));
    return WR_OK;
}

static wr_status scalar_without_outside(wr_unnester *u, wr_logical **child, wr_logical *subplan, wr_error *err) {
    connection c = {.kind = WR_JOIN_INNER};
    wr_logical *join;
    if (!wr_gives_exactly_one(subplan)) {
        wr_logical *single = wr_logical_create(u->plan, WR_LOGICAL_SINGLE_ROW, 1);
        WR_NEED(single);
        single->children[0] = subplan;
        WR_NEED(wr_logical_refresh(u->plan, single));
        subplan = single;
    }
    return connect(u, child, subplan, &c, &join, err);
}

static wr_status value_of_scalar(wr_unnester *u, wr_logical **child, wr_expr *subquery, wr_expr **out, wr_error *err) {
    wr_logical *subplan = subquery->query, *join;
    wr_column_id id = subplan->columns[0];
    bool correlated;
    WR_NEED(*out = wr_column_of(u->plan, id));
    WR_TRY(has_outside(u, subplan, &correlated, err));
    if (!correlated) return scalar_without_outside(u, child, subplan, err);
    wr_empty_row empty;
    WR_TRY(wr_find_empty_row(u, subplan, &empty, err));
    connection c = {.kind = WR_JOIN_SINGLE, .limit_allowed = true};
    c.scalar_allowed = empty.kind == WR_EMPTY_ROW || empty.kind == WR_EMPTY_NO_ROW;
    const wr_named_expr *value = empty.kind == WR_EMPTY_ROW ? wr_find_item(empty.values, empty.count, id) : NULL;
    if (value && !value->expr->value.is_null) {
        wr_expr *missing;
        WR_TRY(add_mark(u, &subplan, &missing, err));
        WR_NEED(*out = wr_make_case(u->arena, missing, value->expr, *out));
    }
    WR_TRY(connect(u, child, subplan, &c, &join, err));
    return relax_single(u, join, err);
}

static bool is_all_null(const wr_empty_row *empty) {
    for (uint32_t i = 0; i < empty->count; i++) {
        if (!empty->values[i].expr->value.is_null) return false;
    }
    return true;
}

/* A lateral aggregate gives a row for every outer row. Its columns are made anew below, so that a projection above the
 * join can give the padded ones under the old ids. */
static wr_status pad_lateral(wr_unnester *u, wr_logical **subplan, const wr_empty_row *empty, wr_named_expr **padded,
                             wr_error *err) {
    uint32_t count = (*subplan)->column_count;
    wr_column_id *map = WR_ARENA_ARRAY(u->arena, wr_column_id, u->plan->column_count);
    WR_NEED(map && (*padded = WR_ARENA_ARRAY(u->arena, wr_named_expr, count + 1)));
    const wr_logical *original = *subplan;
    wr_expr *missing;
    WR_NEED(*subplan = wr_logical_copy(u->plan, original, map));
    WR_TRY(add_mark(u, subplan, &missing, err));
    for (uint32_t i = 0; i < count; i++) {
        wr_column_id id = original->columns[i];
        const wr_named_expr *value = wr_find_item(empty->values, empty->count, id);
        wr_expr *below = wr_column_of(u->plan, map[id]);
        WR_NEED(below);
        (*padded)[i] = (wr_named_expr){id, below};
        if (value && !value->expr->value.is_null)
            WR_NEED((*padded)[i].expr = wr_make_case(u->arena, missing, value->expr, below));
    }
    return WR_OK;
}

static wr_status unnest_lateral(wr_unnester *u, wr_logical **slot, wr_error *err) {
    wr_logical *node = *slot, *subplan = node->children[1], *child = node->children[0], *join;
    bool correlated;
    WR_TRY(reads_from(u, subplan, child, &correlated, err));
    node->join.dependent = false;
    if (!correlated) return WR_OK;
    wr_empty_row empty;
    wr_named_expr *padded = NULL;
    connection c = {.kind = (wr_join_kind)node->join.kind, .limit_allowed = true};
    WR_NEED(wr_terms_add_all(&c.terms, u->arena, node->join.residual, node->join.residual_count));
    WR_TRY(wr_find_empty_row(u, subplan, &empty, err));
    bool has_row =
        empty.kind == WR_EMPTY_ROW && c.terms.count == 0 && (c.kind == WR_JOIN_INNER || c.kind == WR_JOIN_OUTER_LEFT);
    c.scalar_allowed = has_row || empty.kind == WR_EMPTY_NO_ROW;
    uint32_t values = subplan->column_count, count;
    if (has_row) c.kind = WR_JOIN_OUTER_LEFT;
    if (has_row && !is_all_null(&empty)) WR_TRY(pad_lateral(u, &subplan, &empty, &padded, err));
    wr_named_expr *items = wr_pass_items(u->plan, child, values, &count);
    WR_NEED(items);
    WR_TRY(connect(u, &child, subplan, &c, &join, err));
    *slot = join;
    if (!padded) return WR_OK;
    for (uint32_t i = 0; i < values; i++) items[count++] = padded[i];
    WR_NEED(*slot = wr_make_project(u->plan, join, items, count));
    return WR_OK;
}

/* ---- expressions ---- */

/* A subquery that stands in several places of one node (x BETWEEN, CASE x WHEN) is joined in once. */
typedef struct answer {
    wr_expr *subquery, *value;
} answer;

typedef struct replacement {
    wr_unnester *u;
    wr_logical **child; /* where the answers are joined in */
    wr_error *err;
    wr_status status;
    answer *answers;
    uint32_t count, capacity;
} replacement;

static wr_status value_of(replacement *r, wr_expr *subquery, wr_expr **out) {
    wr_unnester *u = r->u;
    wr_error *err = r->err;
    wr_compare_op op = compare_of(subquery);
    wr_terms none = {0};
    wr_logical *join;
    switch ((wr_subquery_kind)subquery->subquery) {
    case WR_SUBQUERY_SCALAR: return value_of_scalar(u, r->child, subquery, out, err);
    case WR_SUBQUERY_EXISTS: return mark_join(u, r->child, subquery->query, &none, &join, out, err);
    case WR_SUBQUERY_IN:
    case WR_SUBQUERY_ANY: return value_of_any(u, r->child, subquery, op, out, err);
    case WR_SUBQUERY_ALL:
        WR_TRY(value_of_any(u, r->child, subquery, wr_compare_negated(op), out, err));
        WR_NEED(*out = wr_make_not(u->arena, *out));
        return WR_OK;
    }
    return wr_fail(err, WR_INTERNAL, "a subquery of no kind");
}

/* The subquery's own plan, free of subqueries, and without what its kind does not need. NULL in *out: it is always
 * true. */
static wr_status prepare(wr_unnester *u, wr_expr *subquery, wr_expr **out, wr_error *err) {
    WR_NEED(*out = wr_expr_copy_node(u->arena, subquery));
    WR_TRY(unnest_node(u, &(*out)->query, err));
    if (subquery->subquery == WR_SUBQUERY_EXISTS) {
        (*out)->query = strip_for_exists((*out)->query);
        if (wr_gives_exactly_one((*out)->query)) *out = NULL;
    } else if (subquery->subquery != WR_SUBQUERY_SCALAR) {
        (*out)->query = strip_for_in((*out)->query);
    }
    return WR_OK;
}

/* What is refused about a subquery is where it stands. */
static wr_status placed(wr_status status, const wr_expr *subquery, wr_error *err) {
    if (status == WR_UNSUPPORTED && err && err->position == WR_NO_POSITION) err->position = subquery->position;
    return status;
}

static wr_expr *replace_subquery(wr_expr *expr, void *user) {
    replacement *r = user;
    if (expr->kind != WR_EXPR_SUBQUERY || r->status != WR_OK) return expr;
    for (uint32_t i = 0; i < r->count; i++) {
        if (wr_expr_equal(r->answers[i].subquery, expr)) return r->answers[i].value;
    }
    answer found = {.subquery = expr};
    wr_expr *prepared;
    r->status = prepare(r->u, expr, &prepared, r->err);
    if (r->status != WR_OK) return expr;
    if (!prepared) return wr_expr_boolean(r->u->arena, true);
    r->status = placed(value_of(r, prepared, &found.value), expr, r->err);
    if (r->status != WR_OK) return expr;
    if (!wr_arena_push(r->u->arena, &r->answers, &r->count, &r->capacity, sizeof found, &found)) return NULL;
    return found.value;
}

/* Replaces the subqueries in the expression by columns that are joined to *r->child. */
static wr_status replace_in(replacement *r, wr_expr **slot, wr_error *err) {
    wr_expr *made = wr_expr_rewrite(r->u->arena, *slot, replace_subquery, r);
    WR_TRY(r->status);
    WR_NEED(made);
    *slot = made;
    return WR_OK;
}

static bool is_no_subquery(wr_expr *expr, void *user) {
    (void)user;
    return expr->kind != WR_EXPR_SUBQUERY;
}

static bool has_subquery(wr_expr *expr) {
    return !wr_expr_walk(expr, is_no_subquery, NULL);
}

/* ---- filters ---- */

/* A conjunct that is a subquery or its negation, whose own operands are plain. */
static wr_expr *condition_subquery(wr_expr *term, bool *negated) {
    *negated = term->kind == WR_EXPR_NOT;
    wr_expr *subquery = *negated ? term->args[0] : term;
    if (subquery->kind != WR_EXPR_SUBQUERY || subquery->subquery == WR_SUBQUERY_SCALAR) return NULL;
    for (uint32_t i = 0; i < subquery->arg_count; i++) {
        if (has_subquery(subquery->args[i])) return NULL;
    }
    return subquery;
}

/* Plain conjuncts go below the joins, as they leave fewer rows for them; one that can fail, and stands behind a
 * subquery, stays behind it. */
static wr_status unnest_filter(wr_unnester *u, wr_logical **slot, wr_error *err) {
    wr_logical *node = *slot, *child = node->children[0];
    wr_terms below = {0}, above = {0}, subqueries = {0};
    for (uint32_t i = 0; i < node->filter.count; i++) {
        wr_expr *term = node->filter.conjuncts[i];
        if (has_subquery(term)) {
            ADD(&subqueries, term);
        } else {
            ADD(term->can_fail && subqueries.count ? &above : &below, term);
        }
    }
    if (subqueries.count == 0) return WR_OK;
    WR_NEED(child = wr_make_filter(u->plan, child, &below));
    replacement r = {.u = u, .child = &child, .err = err};
    for (uint32_t i = 0; i < subqueries.count; i++) {
        bool negated;
        wr_expr *term = subqueries.items[i], *subquery = condition_subquery(term, &negated);
        if (!subquery) {
            WR_TRY(replace_in(&r, &term, err));
            ADD(&above, term);
            continue;
        }
        wr_expr *prepared;
        WR_TRY(prepare(u, subquery, &prepared, err));
        if (prepared) {
            WR_TRY(placed(filter_by(u, &child, prepared, negated, err), subquery, err));
        } else if (negated) {
            WR_NEED(term = wr_expr_boolean(u->arena, false));
            ADD(&above, term);
        }
    }
    WR_NEED(*slot = wr_make_filter(u->plan, child, &above));
    return WR_OK;
}

/* ---- joins ---- */

/* The subqueries of a join's condition are answered on the side that they read; those that read both sides of an inner
 * join are for a filter above it. */
static wr_status unnest_condition(wr_unnester *u, wr_logical *node, wr_terms *above, wr_error *err) {
    wr_terms kept = {0};
    replacement sides[2] = {{.u = u, .child = &node->children[0], .err = err},
                            {.u = u, .child = &node->children[1], .err = err}};
    wr_column_set left = {0}, right = {0};
    WR_NEED(wr_add_outputs(&left, u->arena, node->children[0]));
    WR_NEED(wr_add_outputs(&right, u->arena, node->children[1]));
    for (uint32_t i = 0; i < node->join.residual_count; i++) {
        wr_expr *term = node->join.residual[i];
        wr_column_set read = {0};
        WR_NEED(wr_expr_columns(term, u->arena, &read));
        bool reads_left = wr_column_set_overlaps(&read, &left), reads_right = wr_column_set_overlaps(&read, &right);
        if (!has_subquery(term)) {
            ADD(&kept, term);
        } else if (!(reads_left && reads_right)) {
            WR_TRY(replace_in(&sides[reads_left ? 0 : 1], &term, err));
            ADD(&kept, term);
        } else if (node->join.kind == WR_JOIN_INNER) {
            ADD(above, term);
        } else {
            return wr_fail_at(err, WR_UNSUPPORTED, term->position,
                              "a subquery in the ON of an outer join that reads both sides is not supported");
        }
    }
    node->join.residual = kept.items;
    node->join.residual_count = kept.count;
    WR_NEED(wr_logical_refresh(u->plan, node));
    return WR_OK;
}

static wr_status unnest_join(wr_unnester *u, wr_logical **slot, wr_error *err) {
    wr_terms above = {0};
    WR_NEED(wr_logical_refresh(u->plan, *slot));
    WR_TRY(unnest_condition(u, *slot, &above, err));
    if ((*slot)->join.dependent) WR_TRY(unnest_lateral(u, slot, err));
    if (above.count == 0) return WR_OK;
    WR_NEED(*slot = wr_make_filter(u->plan, *slot, &above));
    return unnest_filter(u, slot, err);
}

/* ---- all kinds ---- */

static wr_status unnest_values(const wr_logical *node, wr_error *err) {
    for (uint32_t r = 0; r < node->values.row_count; r++) {
        for (uint32_t i = 0; i < node->column_count; i++) {
            if (has_subquery(node->values.rows[r][i]))
                return wr_fail_at(err, WR_UNSUPPORTED, node->values.rows[r][i]->position,
                                  "subqueries in VALUES are not supported; SELECT … UNION ALL can have them");
        }
    }
    return WR_OK;
}

static wr_status replace_slot(wr_expr **slot, void *user) {
    replacement *r = user;
    return has_subquery(*slot) ? replace_in(r, slot, r->err) : WR_OK;
}

static wr_status unnest_node(wr_unnester *u, wr_logical **slot, wr_error *err) {
    wr_logical *node = *slot;
    if (node->kind == WR_LOGICAL_SHARED) {
        if (wr_column_set_has(&u->seen, node->id)) return WR_OK;
        WR_NEED(wr_column_set_add(&u->seen, u->arena, node->id));
    }
    for (uint32_t i = 0; i < node->child_count; i++) WR_TRY(unnest_node(u, &node->children[i], err));
    switch ((wr_logical_kind)node->kind) {
    case WR_LOGICAL_VALUES: return unnest_values(node, err);
    case WR_LOGICAL_FILTER: WR_TRY(unnest_filter(u, slot, err)); break;
    case WR_LOGICAL_JOIN: WR_TRY(unnest_join(u, slot, err)); break;
    case WR_LOGICAL_PROJECT:
    case WR_LOGICAL_AGGREGATE:
    case WR_LOGICAL_SORT: {
        replacement r = {.u = u, .child = &node->children[0], .err = err};
        WR_TRY(wr_logical_each_expr(node, replace_slot, &r));
        break;
    }
    default: break;
    }
    WR_NEED(wr_logical_refresh(u->plan, *slot));
    return WR_OK;
}

wr_status wr_pass_unnest(wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    wr_unnester u = {.plan = plan, .arena = &plan->arena, .context = context};
    uint32_t count = plan->root->column_count;
    wr_column_id *result = WR_ARENA_ARRAY(&plan->arena, wr_column_id, count + 1);
    WR_NEED(result);
    for (uint32_t i = 0; i < count; i++) result[i] = plan->root->columns[i];
    WR_TRY(unnest_node(&u, &plan->root, err));
    return wr_restore_root(plan, result, count, err);
}
