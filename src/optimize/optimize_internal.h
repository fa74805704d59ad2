/* What passes share: walking and editing the plan (edit.c), reading conditions (predicate.c), what is known of columns
 * and sizes (property.c, estimate.c). The passes themselves are declared at the end, one file each. */
#ifndef WR_OPTIMIZE_OPTIMIZE_INTERNAL_H
#define WR_OPTIMIZE_OPTIMIZE_INTERNAL_H

#include "optimize/optimizer.h"

#define WR_NEED(pointer)                                                                                               \
    do {                                                                                                               \
        if (WR_UNLIKELY(!(pointer))) return wr_fail_memory(err, 0, "the query's plan");                                \
    } while (0)

/* ---- walking (edit.c) ---- */

/* Calls `visit` on the slot of every node, children first, a SHARED node once; subqueries' plans too when `subqueries`.
 * The visitor may replace the node; each node's columns are refreshed after its children were visited. */
typedef struct wr_walk {
    wr_plan *plan;
    bool subqueries;
    wr_status (*visit)(wr_logical **slot, void *user, wr_error *err);
    void *user;
    wr_column_set seen; /* ids of SHARED nodes */
} wr_walk;
WR_MUST_CHECK wr_status wr_walk_up(wr_walk *walk, wr_logical **slot, wr_error *err);
/* Sets reader_count of every SHARED node to the number of parents it has now. */
WR_MUST_CHECK wr_status wr_count_readers(wr_plan *plan, wr_error *err);

/* ---- building (edit.c) ---- */

typedef struct wr_terms {
    wr_expr **items;
    uint32_t count, capacity;
} wr_terms;
WR_MUST_CHECK bool wr_terms_add(wr_terms *terms, wr_arena *arena, wr_expr *term); /* flattens ANDs, drops TRUE */
WR_MUST_CHECK bool wr_terms_add_all(wr_terms *terms, wr_arena *arena, wr_expr *const *items, uint32_t count);

/* All give a refreshed node, or NULL when there is no memory. */
wr_logical *wr_make_filter(wr_plan *plan, wr_logical *child, const wr_terms *terms); /* child, when there are none */
wr_logical *wr_make_project(wr_plan *plan, wr_logical *child, const wr_named_expr *items, uint32_t count);
/* Puts a projection on top where the root does not give just these columns in this order. */
WR_MUST_CHECK wr_status wr_restore_root(wr_plan *plan, const wr_column_id *columns, uint32_t count, wr_error *err);
wr_logical *wr_make_join(wr_plan *plan, wr_join_kind kind, wr_logical *left, wr_logical *right);
/* Gives columns of `child` as they are: the identity, to which a caller adds items. */
wr_named_expr *wr_pass_items(wr_plan *plan, const wr_logical *child, uint32_t room, uint32_t *count);
wr_expr *wr_column_of(wr_plan *plan, wr_column_id id);
/* A call by name over arguments that have the right types, and the usual ones. NULL: no memory, or no such function. */
wr_expr *wr_make_call(const wr_optimizer_context *context, wr_arena *arena, const char *name, wr_expr **args,
                      uint32_t count);
wr_expr *wr_make_compare(const wr_optimizer_context *context, wr_arena *arena, wr_compare_op op, wr_expr *left,
                         wr_expr *right);
wr_expr *wr_make_not(wr_arena *arena, wr_expr *operand);
wr_expr *wr_make_is_null(wr_arena *arena, wr_expr *operand);
wr_expr *wr_make_case(wr_arena *arena, wr_expr *condition, wr_expr *then, wr_expr *otherwise);

WR_MUST_CHECK bool wr_add_outputs(wr_column_set *set, wr_arena *arena, const wr_logical *node);
bool wr_gives(const wr_logical *node, wr_column_id id);

/* Columns replaced by expressions: where a projection is crossed. */
typedef struct wr_substitution {
    wr_arena *arena;
    const wr_named_expr *items;
    uint32_t count;
} wr_substitution;
wr_expr *wr_substitute(const wr_substitution *by, wr_expr *expr); /* NULL: no memory */
const wr_named_expr *wr_find_item(const wr_named_expr *items, uint32_t count, wr_column_id id);
bool wr_is_pass(const wr_named_expr *item); /* COLUMN under its own id */

/* ---- conditions (predicate.c) ---- */

bool wr_is_true(const wr_expr *expr);
bool wr_is_false_or_null(const wr_expr *expr);
/* expr is left <op> right by one of the six comparisons. */
bool wr_match_compare(const wr_expr *expr, wr_compare_op *op, wr_expr **left, wr_expr **right);
bool wr_is_call(const wr_expr *expr, const char *name, uint32_t arg_count);
wr_compare_op wr_compare_swapped(wr_compare_op op); /* a op b as b op' a */
wr_compare_op wr_compare_negated(wr_compare_op op);
/* NULL in every column of `nulls` makes the expression NULL; makes the condition not true. */
bool wr_expr_is_strict(const wr_expr *expr, const wr_column_set *nulls);
bool wr_rejects_null(const wr_expr *condition, const wr_column_set *nulls);

/* What an OR says of these columns alone (factor.c); NULL in *out when it says nothing. */
WR_MUST_CHECK wr_status wr_implied_by_or(wr_plan *plan, wr_expr *either, const wr_column_set *columns, wr_expr **out,
                                         wr_error *err);

/* ---- what is known (property.c) ---- */

/* Columns of the node's output that may be NULL. */
WR_MUST_CHECK wr_status wr_nullable_columns(wr_plan *plan, const wr_logical *node, wr_column_set *out, wr_error *err);
bool wr_expr_is_nullable(const wr_expr *expr, const wr_column_set *nullable);
/* No two rows of the node's output agree in all of `columns` (NULLs among them count as equal). */
WR_MUST_CHECK wr_status wr_is_unique_on(wr_plan *plan, const wr_logical *node, const wr_column_set *columns, bool *out,
                                        wr_error *err);
/* The node gives at most one row; exactly one. */
bool wr_gives_at_most_one(const wr_logical *node);
bool wr_gives_exactly_one(const wr_logical *node);

/* ---- estimates (column_fact.c, selectivity.c, estimate.c) ---- */

/* What is believed of a column where it is made. */
typedef struct wr_column_fact {
    bool known;         /* asked for already */
    double distinct;    /* of the whole source; at least 1 */
    double source_rows; /* of the source, before any filter; at least 1 */
    bool guessed;       /* distinct is no more than a guess */
    bool bounded;
    double low, high; /* as numbers, when bounded */
    double null_fraction;
} wr_column_fact;

typedef struct wr_estimator {
    wr_plan *plan;
    const wr_optimizer_context *context;
    wr_logical **makers;   /* by column id: the node that makes it */
    wr_column_fact *facts; /* by column id */
    uint32_t column_count;
    wr_column_set seen; /* SHARED nodes estimated */
} wr_estimator;

/* Facts are of the plan as it is: an estimator lives for one pass. */
WR_MUST_CHECK wr_status wr_estimator_init(wr_estimator *e, wr_plan *plan, const wr_optimizer_context *context,
                                          wr_error *err);
WR_MUST_CHECK wr_status wr_column_fact_of(wr_estimator *e, wr_column_id id, wr_column_fact *out, wr_error *err);
/* The value as a number, for shares of ranges; false when it has no order of that sort. */
bool wr_value_as_number(const wr_value *value, double *out);
/* Distinct values of the expression in the source, and among `rows` rows of what came from it. */
WR_MUST_CHECK wr_status wr_distinct_of(wr_estimator *e, const wr_expr *expr, wr_column_fact *out, wr_error *err);
double wr_distinct_among(const wr_column_fact *fact, double rows);
/* The share of rows that pass all the conjuncts; above 0, at most 1. `scan` is the scan they are on, or NULL: it can be
 * asked for a sample. */
WR_MUST_CHECK wr_status wr_selectivity(wr_estimator *e, wr_expr *const *conjuncts, uint32_t count,
                                       const wr_logical *scan, double *out, wr_error *err);
/* The share of all pairs of rows that keys (left[i] = right[i]) let pass. */
typedef struct wr_key_pair {
    const wr_expr *left, *right;
} wr_key_pair;
WR_MUST_CHECK wr_status wr_key_selectivity(wr_estimator *e, const wr_key_pair *keys, uint32_t count, double *out,
                                           wr_error *err);
/* The scans whose columns the expression reads, at most `room`. */
WR_MUST_CHECK wr_status wr_scans_read(const wr_estimator *e, const wr_expr *expr, const wr_logical **scans,
                                      uint32_t room, uint32_t *count, wr_error *err);
/* Sets row_estimate of the node and all below it. Scans that have one keep it. */
WR_MUST_CHECK wr_status wr_estimate(wr_estimator *e, wr_logical *node, wr_error *err);
/* The rows of a join of two inputs of so many rows. */
double wr_join_rows(wr_join_kind kind, double left, double right, double selectivity, double match_share);
/* Bytes of a row of these columns, roughly. */
double wr_column_bytes(const wr_plan *plan, wr_column_id id);
/* Bytes that a hash table of the node's rows takes, by its estimate. */
double wr_node_bytes(const wr_plan *plan, const wr_logical *node);

/* ---- unnesting: unnest.c calls these for one correlated subplan (unnest_pull.c, unnest_domain.c) ---- */

typedef struct wr_unnester {
    wr_plan *plan;
    wr_arena *arena; /* the plan's */
    const wr_optimizer_context *context;
    wr_column_set seen; /* ids of SHARED nodes */
} wr_unnester;

/* What a subplan that ends in an aggregate without keys gives when no row comes in. */
typedef enum wr_empty_kind { WR_EMPTY_NOT_SCALAR, WR_EMPTY_NO_ROW, WR_EMPTY_ROW, WR_EMPTY_UNKNOWN } wr_empty_kind;
typedef struct wr_empty_row {
    wr_empty_kind kind;
    wr_named_expr *values; /* ROW: by output column, a constant each */
    uint32_t count;
} wr_empty_row;
WR_MUST_CHECK wr_status wr_find_empty_row(wr_unnester *u, const wr_logical *node, wr_empty_row *out, wr_error *err);
/* The constant that an aggregate gives over no rows. */
WR_MUST_CHECK wr_status wr_empty_value(wr_unnester *u, const wr_expr *aggregate, wr_expr **out, wr_error *err);

typedef struct wr_pull {
    wr_column_set outer; /* columns from outside of the subplan */
    bool duplicates_matter;
    bool scalar_allowed; /* an aggregate without keys at the top may get keys: the caller sees to empty groups */
    bool limit_allowed;  /* LIMIT 1 may become the first row of each group */
} wr_pull;
/* Takes the conditions that read outer columns out of the subplan: the subplan equals the new one filtered by `terms`.
 * *done is false, and nothing has changed, when they cannot all be taken out. */
WR_MUST_CHECK wr_status wr_pull_correlation(wr_unnester *u, wr_logical **slot, const wr_pull *how, wr_terms *terms,
                                            bool *done, wr_error *err);
/* Makes the subplan run for every distinct combination of the columns of `outer_side` that it reads: *outer_side is
 * replaced by a reader of it, terms get the conditions that tie the two together. */
WR_MUST_CHECK wr_status wr_push_domain(wr_unnester *u, wr_logical **outer_side, wr_logical **slot, wr_terms *terms,
                                       wr_error *err);

/* ---- aggregates in two steps (combine.c) ---- */

bool wr_can_combine(const wr_expr *aggregate);
/* Adds the whole aggregate as a part to `lower`, which has room; *upper combines its results. */
WR_MUST_CHECK wr_status wr_add_part(wr_plan *plan, const wr_optimizer_context *context, wr_logical *lower,
                                    wr_expr *whole, wr_expr **upper, wr_error *err);
/* The projection item that makes the combined result what the whole aggregate gives, under its id; `upper` may get
 * another one. may_be_empty: there may be a group for which nothing is combined. */
WR_MUST_CHECK wr_status wr_settle_combined(wr_plan *plan, const wr_optimizer_context *context, wr_named_expr *upper,
                                           const wr_expr *whole, bool may_be_empty, wr_named_expr *item, wr_error *err);
/* The upper node with the projection above it, where that does something. */
WR_MUST_CHECK wr_status wr_finish_combined(wr_plan *plan, wr_logical *upper, const wr_named_expr *items, uint32_t count,
                                           wr_logical **out, wr_error *err);

/* ---- passes ---- */

#define WR_PASS(name) WR_MUST_CHECK wr_status name(wr_plan *plan, const wr_optimizer_context *context, wr_error *err)
WR_PASS(wr_pass_simplify);
WR_PASS(wr_pass_unnest);
WR_PASS(wr_pass_set_operation);
WR_PASS(wr_pass_shared);
WR_PASS(wr_pass_factor);
WR_PASS(wr_pass_outer_join);
WR_PASS(wr_pass_pushdown);
WR_PASS(wr_pass_prune);
WR_PASS(wr_pass_join_order);
WR_PASS(wr_pass_distinct);
WR_PASS(wr_pass_common);
WR_PASS(wr_pass_eager);
WR_PASS(wr_pass_merge);
WR_PASS(wr_pass_transitive);
WR_PASS(wr_pass_sort);
WR_PASS(wr_pass_limit);
WR_PASS(wr_pass_ordered);
WR_PASS(wr_pass_settle);

#endif
