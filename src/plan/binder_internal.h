/* The parts of the binder, one file each:
 *   binder_scope       what names mean: tables, columns, aliases, common table expressions; hints for names that are
 * not there binder_relation    FROM: tables, views, files, derived tables, joins, VALUES binder_expression expressions,
 * literals and their types, comparisons, calls binder_subquery    queries inside expressions binder_select      SELECT:
 * items, stars, WHERE, ORDER BY, DISTINCT binder_aggregate   GROUP BY, HAVING and aggregates binder_query       QUERY,
 * WITH, set operations, LIMIT binder_name        what a column without an alias is called
 *
 * Names are bound in one walk. A reference to an outer query's column is simply that column's id; the subquery's plan
 * then reads a column that it does not make, and optimize/ unnests it. */
#ifndef WR_PLAN_BINDER_INTERNAL_H
#define WR_PLAN_BINDER_INTERNAL_H

#include "plan/binder.h"

enum { WR_BIND_DEPTH_MAX = 250, WR_BIND_NODES_MAX = 200000, WR_VIEW_DEPTH_MAX = 32 };

#define WR_NEED(pointer)                                                                                               \
    do {                                                                                                               \
        if (WR_UNLIKELY(!(pointer))) return wr_fail_memory(err, 0, "the query's plan");                                \
    } while (0)

typedef struct wr_binder {
    wr_plan *plan;
    wr_arena *arena; /* the plan's */
    const wr_binder_context *context;
    uint32_t depth; /* of queries in queries */
    uint32_t view_depth;
    bool
        null_type_stays; /* the SELECT bound next is an input of a set operation, which finds the type of a bare NULL */
} wr_binder;

/* ---- scopes ---- */

typedef struct wr_scope_column {
    wr_str name;
    wr_column_id id;
    wr_expr *merged; /* after JOIN USING: what the bare name means; NULL: the column itself */
    bool hidden;     /* after JOIN USING: found through its table's name alone, and not part of * */
} wr_scope_column;

typedef struct wr_scope_table {
    wr_str alias;
    const wr_str *path; /* of a catalog table: its names, outermost first, the last one being the alias */
    uint32_t path_count;
    wr_scope_column *columns;
    uint32_t count;
} wr_scope_table;

/* WITH name (columns) AS (query). */
typedef struct wr_cte {
    const wr_node *node;
    struct wr_scope *scope; /* in which its query is bound */
    wr_logical *shared;     /* the SHARED node, once bound */
    wr_str *names;
    bool binding; /* to see a recursion */
    bool checked; /* was bound at least once */
    struct wr_cte *next;
} wr_cte;

/* An item of the SELECT list, as others may name it. */
typedef struct wr_scope_alias {
    wr_str name;
    const wr_node *expr;
    bool binding; /* to see an alias that means itself */
} wr_scope_alias;

typedef struct wr_scope {
    struct wr_scope *outer;
    wr_cte *ctes; /* newest first */
    wr_scope_table *tables;
    uint32_t table_count, table_capacity;
    uint32_t first_visible; /* tables before it are not seen (the ON of a nested join) */
    wr_scope_alias *aliases;
    uint32_t alias_count;
} wr_scope;

WR_MUST_CHECK wr_status wr_scope_add_table(wr_binder *b, wr_scope *scope, wr_str alias, const wr_logical *node,
                                           const wr_str *names, wr_error *err);
/* The column in this scope alone; *out is NULL when there is none. Says so when there are several. */
WR_MUST_CHECK wr_status wr_scope_find_column(wr_binder *b, const wr_scope *scope, wr_str name, uint32_t position,
                                             wr_scope_column **out, wr_error *err);
wr_scope_table *wr_scope_find_table(const wr_scope *scope, const wr_str *path, uint32_t path_count);
wr_cte *wr_scope_find_cte(const wr_scope *scope, wr_str name);
/* A column by the names of a COLUMN node, in this scope or an outer one. *out is NULL, without an error, when there is
 * none; *used tells how many of the names were used (the others are fields of a struct). */
WR_MUST_CHECK wr_status wr_scope_resolve(wr_binder *b, const wr_scope *scope, const wr_node *column, wr_expr **out,
                                         uint32_t *used, wr_error *err);
/* The error for a name that was not found, with the nearest that exists. */
wr_status wr_scope_fail(wr_binder *b, const wr_scope *scope, const wr_node *column, wr_error *err);

/* The nearest of several names, for hints. */
typedef struct wr_nearest {
    wr_str wanted, best;
    uint32_t distance;
} wr_nearest;
wr_nearest wr_nearest_to(wr_str wanted);
void wr_nearest_offer(wr_nearest *nearest, wr_str name);
wr_status wr_nearest_hint(const wr_nearest *nearest, wr_error *err); /* returns the error's code */

/* ---- expressions ---- */

typedef struct wr_expr_scope {
    wr_scope *scope;
    const char *clause; /* for messages: "WHERE" */
    bool aliases;       /* names that are no columns may be items of the SELECT list */
    bool aggregates;    /* allowed here */
    bool in_aggregate;
} wr_expr_scope;

WR_MUST_CHECK wr_status wr_bind_expr(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out,
                                     wr_error *err);
/* As a condition: cast to BOOLEAN, and refused when it cannot be. */
WR_MUST_CHECK wr_status wr_bind_condition(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out,
                                          wr_error *err);
/* left <sign> right, both bound. */
WR_MUST_CHECK wr_status wr_bind_comparison(wr_binder *b, wr_str sign, uint32_t position, wr_expr *left, wr_expr *right,
                                           wr_expr **out, wr_error *err);
WR_MUST_CHECK wr_status wr_bind_call(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out,
                                     wr_error *err);
/* The type of that name, as a cast or a typed literal writes it. */
WR_MUST_CHECK wr_status wr_bind_type(wr_binder *b, wr_str name, uint32_t position, wr_type *out, wr_error *err);
WR_MUST_CHECK wr_status wr_bind_literal(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out,
                                        wr_error *err);
/* The expression as `type`; an error where no cast leads there. */
WR_MUST_CHECK wr_status wr_bind_cast(wr_binder *b, wr_expr *expr, wr_type type, wr_expr **out, wr_error *err);
/* The type in which all meet; constants bend to the others. `what` is for the message. */
WR_MUST_CHECK wr_status wr_bind_common_type(wr_binder *b, wr_expr *const *exprs, uint32_t count, const char *what,
                                            wr_type *out, wr_error *err);
bool wr_is_string_literal(const wr_expr *expr);

/* EXISTS, IN (query), <sign> ANY/ALL (query), (query). */
WR_MUST_CHECK wr_status wr_bind_subquery(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out,
                                         wr_error *err);

/* ---- relations and queries ---- */

/* A bound query: names[i] is what node->columns[i] is called. */
typedef struct wr_bound_query {
    wr_logical *node;
    wr_str *names;
} wr_bound_query;

WR_MUST_CHECK wr_status wr_bind_query_node(wr_binder *b, const wr_node *node, wr_scope *outer, wr_bound_query *out,
                                           wr_error *err);
/* Adds the relation's tables to the scope and gives its plan. */
WR_MUST_CHECK wr_status wr_bind_relation(wr_binder *b, const wr_node *node, wr_scope *scope, wr_logical **out,
                                         wr_error *err);
WR_MUST_CHECK wr_status wr_bind_values(wr_binder *b, const wr_node *node, wr_scope *outer, wr_bound_query *out,
                                       wr_error *err);
/* A query's ORDER BY, LIMIT and OFFSET, which SELECT needs with its own scope. */
typedef struct wr_query_tail {
    const wr_node *order, *limit, *offset;
} wr_query_tail;
WR_MUST_CHECK wr_status wr_bind_select(wr_binder *b, const wr_node *node, wr_scope *outer, const wr_query_tail *tail,
                                       wr_bound_query *out, wr_error *err);
/* Puts LIMIT above *node. */
WR_MUST_CHECK wr_status wr_bind_limit(wr_binder *b, const wr_query_tail *tail, wr_logical **node, wr_error *err);
/* NULLs come last unless they are asked for first, in both directions. */
static inline wr_sort_key wr_bind_direction(const wr_node *key) {
    return (wr_sort_key){.descending = (key->flags & WR_NODE_DESCENDING) != 0,
                         .nulls_first = (key->flags & WR_NODE_NULLS_FIRST) != 0};
}
/* 1, 2, …: a column by its place. False when the node is no plain integer. */
bool wr_bind_is_ordinal(const wr_node *node, uint32_t *out);

/* ---- aggregation of one SELECT ---- */

typedef struct wr_grouping {
    wr_binder *b;
    const wr_logical *input;
    wr_column_set input_columns;
    wr_named_expr *keys;
    uint32_t key_count, key_capacity;
    wr_named_expr *aggregates;
    uint32_t aggregate_count, aggregate_capacity;
} wr_grouping;

WR_MUST_CHECK wr_status wr_grouping_init(wr_grouping *g, wr_binder *b, const wr_logical *input, wr_error *err);
WR_MUST_CHECK wr_status wr_grouping_add_key(wr_grouping *g, wr_expr *key, wr_str name, wr_error *err);
/* The expression over the aggregate's output: keys and aggregates become columns; what is neither is an error. */
WR_MUST_CHECK wr_status wr_grouping_rewrite(wr_grouping *g, wr_expr *expr, wr_expr **out, wr_error *err);
/* The AGGREGATE node above the input. */
WR_MUST_CHECK wr_status wr_grouping_node(wr_grouping *g, wr_logical *input, wr_logical **out, wr_error *err);
bool wr_expr_has_aggregate(wr_expr *expr);

/* ---- small builders ---- */

/* What SQL would call the expression: the last name of a column, the function's name and arguments, … */
wr_str wr_bind_name(wr_binder *b, const wr_node *expr);
wr_logical *wr_bind_filter(wr_binder *b, wr_logical *child, wr_expr *condition); /* NULL: no memory */
/* Splits at AND; NULL: no memory. */
WR_MUST_CHECK bool wr_split_conjuncts(wr_arena *arena, wr_expr *condition, wr_expr ***out, uint32_t *count);
/* A PROJECT over child that gives each expression a column: its own id where it is a column of the child that was not
 * given yet, else a new one. */
WR_MUST_CHECK wr_status wr_bind_project(wr_binder *b, wr_logical *child, wr_expr *const *exprs, const wr_str *names,
                                        uint32_t count, wr_logical **out, wr_error *err);
wr_expr *wr_bind_column(wr_binder *b, wr_column_id id, uint32_t position);

#endif
