/* Bound expressions: typed trees over column ids.
 *
 * A column has one id in the whole plan, given where it is made (a scan, a projection, an aggregate), so an expression
 * can be moved up and down the plan without renumbering. Operands have been cast: a call's arguments have exactly the
 * types that its function works on. Nodes live in the plan's arena and are immutable once built: passes build new ones,
 * and subtrees may be shared. */
#ifndef WR_PLAN_EXPRESSION_H
#define WR_PLAN_EXPRESSION_H

#include "base/arena.h"
#include "column/vector.h"

typedef uint32_t wr_column_id; /* 0 is none */

typedef enum wr_expr_kind {
    WR_EXPR_COLUMN,
    WR_EXPR_CONSTANT,
    WR_EXPR_PARAMETER, /* filled in at run: a constant that is known then */
    WR_EXPR_CALL,      /* scalar function */
    WR_EXPR_CAST,      /* `try_`: NULL instead of an error */
    WR_EXPR_AND,       /* n-ary, three-valued */
    WR_EXPR_OR,
    WR_EXPR_NOT,
    WR_EXPR_IS_NULL,
    WR_EXPR_CASE,      /* args: condition, value, …, else value */
    WR_EXPR_IN,        /* args[0] in constants args[1..], all of its type; NULLs among them as SQL says */
    WR_EXPR_AGGREGATE, /* only inside an aggregate node's list */
    WR_EXPR_SUBQUERY,  /* before unnesting alone */
    WR_EXPR_KINDS
} wr_expr_kind;

typedef enum wr_subquery_kind {
    WR_SUBQUERY_SCALAR, /* one column, at most one row (an error above) */
    WR_SUBQUERY_EXISTS,
    WR_SUBQUERY_IN,  /* args[0] = ANY */
    WR_SUBQUERY_ANY, /* args[0] <compare> ANY */
    WR_SUBQUERY_ALL
} wr_subquery_kind;

struct wr_function;
struct wr_logical;
typedef struct wr_expr wr_expr;
struct wr_expr {
    uint8_t kind;  /* wr_expr_kind */
    bool try_;     /* CAST */
    bool distinct; /* AGGREGATE */
    bool ignore_nulls;
    bool bends;        /* CONSTANT: an integer as it was written, which takes any integer type that holds it */
    bool own_can_fail; /* CALL: this very node may raise an error, as its resolution said */
    bool can_fail;     /* this node or one below may raise an error for some row; see wr_expr_refresh */
    bool volatile_;    /* this node or one below */
    uint32_t position; /* in the SQL */
    wr_type type;
    uint32_t arg_count;
    wr_expr **args;
    union {
        wr_column_id column;
        wr_value value; /* CONSTANT */
        uint32_t parameter;
        struct {
            const struct wr_function *function;
            void *function_data; /* what its bind made: a compiled pattern, a unit; in the arena */
            wr_expr *filter;     /* AGGREGATE: FILTER (WHERE …) */
        };
        struct {
            struct wr_logical *query;
            uint8_t subquery; /* wr_subquery_kind */
            uint8_t compare;  /* wr_compare_op of ANY and ALL */
        };
    };
};

/* Builders; NULL when there is no memory. They fold nothing. */
wr_expr *wr_expr_column(wr_arena *arena, wr_column_id column, wr_type type);
wr_expr *wr_expr_constant(wr_arena *arena, wr_value value);
wr_expr *wr_expr_boolean(wr_arena *arena, bool value);
wr_expr *wr_expr_create(wr_arena *arena, wr_expr_kind kind, wr_type type, uint32_t arg_count);
/* AND or OR of a list: flattens, drops neutral elements; the empty list is the neutral element. */
wr_expr *wr_expr_junction(wr_arena *arena, wr_expr_kind kind, wr_expr *const *terms, uint32_t count);
/* A cast, unless it has the type already. */
wr_expr *wr_expr_cast(wr_arena *arena, wr_expr *operand, wr_type type, bool try_);
wr_expr *wr_expr_copy_node(wr_arena *arena,
                           const wr_expr *expr); /* this node alone; args array is new, its items shared */
/* Sets can_fail and volatile_ from the node and its arguments; returns it. For whoever fills in or replaces arguments.
 */
wr_expr *wr_expr_refresh(wr_expr *expr);

bool wr_expr_equal(const wr_expr *a, const wr_expr *b);
uint64_t wr_expr_hash(const wr_expr *expr);
/* Calls `visit` on every node, parents first; subqueries' plans are not entered. False from visit stops. */
bool wr_expr_walk(wr_expr *expr, bool (*visit)(wr_expr *expr, void *user), void *user);
/* Rebuilds the tree bottom-up: `replace` gives the new node for each (already rebuilt) node, or the same one; NULL is
 * out of memory. Unchanged subtrees are shared. */
wr_expr *wr_expr_rewrite(wr_arena *arena, wr_expr *expr, wr_expr *(*replace)(wr_expr *expr, void *user), void *user);

/* Sets of column ids, as growing bitmaps in an arena. */
typedef struct wr_column_set {
    uint64_t *words;
    uint32_t word_count;
} wr_column_set;
bool wr_column_set_has(const wr_column_set *set, wr_column_id column);
WR_MUST_CHECK bool wr_column_set_add(wr_column_set *set, wr_arena *arena, wr_column_id column);
WR_MUST_CHECK bool wr_column_set_add_all(wr_column_set *set, wr_arena *arena, const wr_column_set *other);
bool wr_column_set_contains(const wr_column_set *outer, const wr_column_set *inner);
bool wr_column_set_overlaps(const wr_column_set *a, const wr_column_set *b);
/* The columns that the expression reads; of a subquery, those that it reads from outside itself. */
WR_MUST_CHECK bool wr_expr_columns(const wr_expr *expr, wr_arena *arena, wr_column_set *set);

/* As SQL, columns by the name that `name_of` gives. */
void wr_expr_print(const wr_expr *expr, wr_text *out, wr_str (*name_of)(wr_column_id column, void *user), void *user);

#endif
