/* The logical plan: relational operators over columns with plan-wide ids.
 *
 * The binder builds it, optimizer passes rewrite it in place or build anew, exec/ turns it into pipelines. All of it
 * lives in the plan's arena. Column ids are positions in the plan's column table, which holds name, type and where it
 * is made. */
#ifndef WR_PLAN_LOGICAL_H
#define WR_PLAN_LOGICAL_H

#include "kernel/compare.h"
#include "plan/catalog.h"
#include "plan/expression.h"
#include "plan/function.h"

typedef enum wr_logical_kind {
    WR_LOGICAL_SCAN,   /* a table; conjuncts that were pushed down, and columns */
    WR_LOGICAL_VALUES, /* rows of expressions; one empty row for SELECT without FROM */
    WR_LOGICAL_FILTER,
    WR_LOGICAL_PROJECT,
    WR_LOGICAL_AGGREGATE, /* also DISTINCT: keys alone */
    WR_LOGICAL_JOIN,
    WR_LOGICAL_SORT,
    WR_LOGICAL_LIMIT, /* with a SORT below: top-N */
    WR_LOGICAL_SET_OPERATION,
    WR_LOGICAL_SHARED, /* a subplan that several parents read: its definition, once. It reads no column from outside;
                        * each parent is a PROJECT that gives its columns new ids */
    WR_LOGICAL_SINGLE_ROW, /* passes one row, gives one row of NULLs for none, an error for more: scalar subqueries */
    WR_LOGICAL_KINDS
} wr_logical_kind;

typedef enum wr_join_kind {
    WR_JOIN_INNER,
    WR_JOIN_OUTER_LEFT, /* every row of child 0 */
    WR_JOIN_OUTER_FULL,
    WR_JOIN_SEMI,            /* rows of child 0 with a match */
    WR_JOIN_ANTI,            /* rows of child 0 without one */
    WR_JOIN_ANTI_NULL_AWARE, /* NOT IN: no row passes when the other side has a NULL key, unless it is empty */
    WR_JOIN_MARK,            /* every row of child 0 with a column that says whether it has a match; see null_aware */
    WR_JOIN_SINGLE,          /* outer left, an error when a row finds two matches: a correlated scalar subquery */
    WR_JOIN_KINDS            /* right joins are left joins with the children swapped */
} wr_join_kind;

typedef struct wr_plan_column {
    wr_str name; /* as people see it */
    wr_type type;
    bool nullable;             /* where it is made: an outer join above may add NULLs */
    struct wr_logical *source; /* where it is made */
} wr_plan_column;

typedef struct wr_sort_key {
    wr_expr *expr;
    bool descending, nulls_first;
} wr_sort_key;

/* An equality of a join: left over child 0's columns, right over child 1's, of one type. */
typedef struct wr_join_key {
    wr_expr *left, *right;
    bool null_equals_null; /* IS NOT DISTINCT FROM */
} wr_join_key;

/* A column that a node makes: the id and the expression. */
typedef struct wr_named_expr {
    wr_column_id id;
    wr_expr *expr;
} wr_named_expr;

typedef struct wr_logical wr_logical;
struct wr_logical {
    uint8_t kind; /* wr_logical_kind */
    uint32_t id;  /* of the node, for EXPLAIN */
    uint32_t child_count;
    wr_logical *children[2];
    /* Output columns in order. Passes keep them true through wr_logical_refresh. */
    wr_column_id *columns;
    uint32_t column_count;
    double row_estimate; /* negative: not estimated */
    union {
        struct {
            wr_table *table; /* the plan holds a reference */
            wr_str alias;
            uint32_t *table_columns; /* position in the table's schema of columns[i] */
            wr_expr **conjuncts;     /* over the scan's columns; may use columns that are not output, see scan_only */
            uint32_t conjunct_count;
            wr_column_id *hidden; /* columns that only the conjuncts need, with their positions */
            uint32_t *hidden_positions;
            uint32_t hidden_count;
            wr_column_id order; /* 0, or: give rows part by part in this column's order (a consumer relies on it) */
        } scan;
        struct {
            wr_expr ***rows;
            uint32_t row_count;
        } values;
        struct {
            wr_expr **conjuncts;
            uint32_t count;
        } filter;
        struct {
            wr_named_expr *items; /* a pass-through is a COLUMN expression under its own id */
            uint32_t count;
        } project;
        struct {
            wr_named_expr *keys;
            uint32_t key_count;
            wr_named_expr *aggregates; /* AGGREGATE expressions */
            uint32_t aggregate_count;
            wr_column_id
                ordered_by; /* 0, or: the input comes grouped by this key (scan order): close groups as it passes */
        } aggregate;
        struct {
            uint8_t kind; /* wr_join_kind */
            wr_join_key *keys;
            uint32_t key_count;
            wr_expr **residual; /* conjuncts over both sides that are not keys; part of the join condition */
            uint32_t residual_count;
            wr_column_id mark; /* MARK: the column it adds */
            bool null_aware;   /* MARK with one key and no residual: NULL as IN says; else the mark is true or false */
            bool build_left;   /* hash table on child 0: chosen by the optimizer; for SEMI, ANTI, OUTER too */
            bool in_order;     /* the build side is a scan, read part by part as the probe side's key passes */
            bool dependent;    /* child 1 refers to columns of child 0: before unnesting alone */
        } join;
        struct {
            wr_sort_key *keys;
            uint32_t count;
        } sort;
        struct {
            wr_expr *limit, *offset; /* constants or parameters; NULL: none */
        } limit;
        struct {
            uint8_t operation; /* wr_set_operation */
            bool all;
            wr_column_id *inputs[2]; /* for each output column the child's */
        } set;
        struct {
            uint32_t reader_count;
            bool keep; /* the user said MATERIALIZED: never copied into its readers */
        } shared;
    };
};
typedef enum wr_set_operation { WR_SET_UNION, WR_SET_INTERSECT, WR_SET_EXCEPT } wr_set_operation;

/* A statement's plan: the tree, its columns, and what must live as long as it. */
typedef struct wr_plan {
    wr_arena arena;
    wr_logical *root;
    wr_plan_column *columns; /* by id; columns[0] is unused */
    uint32_t column_count, column_capacity;
    uint32_t node_count;
    wr_str *result_names; /* of root's columns, as the user wrote or we named them */
    wr_table **tables;    /* references held */
    uint32_t table_count, table_capacity;
    wr_type *parameter_types;
    uint32_t parameter_count;
} wr_plan;

void wr_plan_init(wr_plan *plan, wr_allocator *a);
void wr_plan_deinit(wr_plan *plan);
/* A new column id; 0 when there is no memory. */
wr_column_id wr_plan_add_column(wr_plan *plan, wr_str name, wr_type type, bool nullable, wr_logical *source);
WR_MUST_CHECK wr_status wr_plan_hold_table(wr_plan *plan, wr_table *table, wr_error *err); /* takes the reference */
wr_logical *wr_logical_create(wr_plan *plan, wr_logical_kind kind, uint32_t child_count);  /* NULL: no memory */
/* Recomputes `columns` of a node from its kind and children. */
WR_MUST_CHECK bool wr_logical_refresh(wr_plan *plan, wr_logical *node);
/* Columns that the subtree reads but does not make: not empty means correlated. Added to `out`; false: no memory. */
WR_MUST_CHECK bool wr_logical_free_columns(const wr_logical *node, wr_arena *arena, wr_column_set *out);
/* Every expression slot of this node alone, for passes. */
WR_MUST_CHECK wr_status wr_logical_each_expr(wr_logical *node, wr_status (*each)(wr_expr **slot, void *user),
                                             void *user);
/* The invariants: every column read is made below, types agree, ids are unique. A bug of ours when broken: WR_INTERNAL
 * with the pass's name. Run after each pass in debug builds and tests. */
WR_MUST_CHECK wr_status wr_plan_check(wr_plan *plan, const char *after, wr_error *err);
/* A deep copy whose columns are new: for subplans that are wanted twice. `map` (by old id, plan->column_count entries
 * as of the call) tells the new id of each column that was made inside; SHARED nodes stay shared. NULL: no memory. */
wr_logical *wr_logical_copy(wr_plan *plan, const wr_logical *node, wr_column_id *map);
/* The expression with columns replaced as map says (0: as it is); plans of subqueries are copied. NULL: no memory. */
wr_expr *wr_expr_map_columns(wr_plan *plan, wr_expr *expr, wr_column_id *map);
/* The tree as EXPLAIN shows it, one node a line. */
void wr_plan_print(const wr_plan *plan, wr_text *out);
/* The same with something added behind each node's line. */
void wr_plan_print_with(const wr_plan *plan, wr_text *out,
                        void (*add)(const wr_logical *node, wr_text *out, void *user), void *user);

#endif
