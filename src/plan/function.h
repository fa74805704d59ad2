/* The function registry: one row a function and signature.
 *
 * A scalar row says which arguments it takes, what it gives and how it behaves; its `run` works on flat and constant
 * vectors of exactly its argument types. The evaluator around it (program.h) sees to NULLs where nulls is STRICT, to
 * dictionaries (once per entry where the function may be called on values that no row has), to selections and to errors.
 *
 * An aggregate row has states of a fixed size that lie in rows of an aggregation table; states that need more memory
 * take it from an allocator and say how to be written and read back, so that they spill like everything else. */
#ifndef WR_PLAN_FUNCTION_H
#define WR_PLAN_FUNCTION_H

#include "column/vector.h"
#include "kernel/kernel.h"
#include "plan/expression.h"

typedef enum wr_function_kind {
    WR_FUNCTION_SCALAR,
    WR_FUNCTION_AGGREGATE,
    WR_FUNCTION_TABLE,
    WR_FUNCTION_WINDOW
} wr_function_kind;
typedef enum wr_volatility { WR_IMMUTABLE, WR_STABLE /* within one query */, WR_VOLATILE } wr_volatility;
typedef enum wr_null_handling { WR_NULLS_STRICT /* a NULL argument gives NULL */, WR_NULLS_OWN } wr_null_handling;
typedef enum wr_concurrency { WR_PARALLEL, WR_SERIAL } wr_concurrency;

/* What a parameter accepts. SAME: the common type of all SAME arguments. */
typedef enum wr_parameter {
    WR_PARAMETER_END,
    WR_PARAMETER_EXACT, /* the type id in the row; timestamps in microseconds */
    WR_PARAMETER_ANY,   /* anything, uncast */
    WR_PARAMETER_SAME,
    WR_PARAMETER_NUMBER,  /* a number, uncast */
    WR_PARAMETER_INTEGER, /* an integer, uncast */
    WR_PARAMETER_DECIMAL, /* a decimal, uncast */
} wr_parameter;
enum { WR_FUNCTION_PARAMETERS = 6 };

typedef struct wr_parameter_type {
    uint8_t accepts; /* wr_parameter */
    uint8_t id;      /* EXACT: wr_type_id */
} wr_parameter_type;

/* The second half of overload resolution: given argument types and constants, decide what the arguments are cast to,
 * the result, and data for run. Rows whose types say it all leave it NULL. */
typedef struct wr_resolution {
    wr_arena *arena;
    const struct wr_function *function;
    uint32_t arg_count;
    wr_type *arg_types; /* in: as given (after the row's own casts); out: as needed */
    wr_expr **args;     /* to look at constants; may be replaced by what gives the same answer */
    wr_type result;     /* out */
    void *data;         /* out, in the arena */
    bool can_fail;      /* in: the row's; out */
} wr_resolution;

typedef struct wr_call_context {
    wr_allocator *allocator; /* of result buffers: the operator's */
    const wr_kernels *kernels;
    const void *data; /* resolution's data */
    void *local;      /* what local_create made for this worker */
    wr_type result;
    uint32_t row_count;
    const uint64_t *active; /* rows whose errors count; NULL: all. Inactive rows may hold anything (well-formed) */
    uint64_t *failed;       /* room for row_count bits: scratch of loops that say which rows failed */
    int64_t now_us;         /* the query's one clock reading */
    const struct wr_time_zone *time_zone; /* the query's */
    wr_error *err;
} wr_call_context;

/* Bounds of an argument from the bounds of a result: where f(x) is compared with a constant and f is monotone. */
typedef struct wr_preimage {
    wr_value low, high; /* low <= x < high; a NULL value: unbounded */
} wr_preimage;

struct wr_aggregate_ops;
struct wr_registry;
typedef struct wr_function {
    const char *name;
    const char *aliases; /* other names, a blank between them; or NULL */
    uint8_t kind;        /* wr_function_kind */
    uint8_t volatility;
    uint8_t nulls;
    uint8_t concurrency;
    bool can_fail;
    bool order_sensitive; /* AGGREGATE: depends on the order of rows */
    bool monotone;        /* rises with its first argument, for bounds */
    bool is_product;      /* of two arguments; of integers and decimals exactly, or an error */
    float cost_ns;        /* a row */
    wr_parameter_type parameters[WR_FUNCTION_PARAMETERS];
    bool variadic;     /* the last parameter repeats */
    uint8_t result_id; /* wr_type_id, when resolve is NULL */
    wr_status (*resolve)(wr_resolution *r, wr_error *err);
    /* For what is only a way to write something else (coalesce is a CASE): gives that, instead of a call. The arguments are
     * not cast. */
    wr_status (*expand)(const struct wr_registry *registry, wr_arena *arena, uint32_t position, wr_expr **args,
                        uint32_t arg_count, wr_expr **out, wr_error *err);
    /* Args are flat or constant, not all constant (then they come as one flat row). The result is flat: run prepares it
     * and adds only the NULLs that are its own. Every slot of a VIEW result is a well-formed view, NULL or not. */
    wr_status (*run)(wr_call_context *context, const wr_vector *args, uint32_t arg_count, wr_vector *result);
    /* What one worker keeps for one call in a program: a compiled pattern, a random generator. Both or neither. */
    wr_status (*local_create)(const void *data, wr_allocator *a, void **local, wr_error *err);
    void (*local_destroy)(void *local, wr_allocator *a);
    bool (*preimage)(const void *data, const wr_value *result, wr_arena *arena, wr_preimage *out);
    const struct wr_aggregate_ops *aggregate;
    const char *summary; /* one line for people */
    void *user;          /* a registered function's own, and its destructor */
    void (*user_destroy)(void *user);
} wr_function;

/* ---- aggregates ---- */

/* Where the states of a batch of rows are: state of row i at base + (size_t)group[i] * stride. */
typedef struct wr_state_rows {
    uint8_t *base;
    const uint32_t *group; /* NULL: all rows belong to one state, at base */
    uint32_t stride;
} wr_state_rows;

typedef struct wr_aggregate_context {
    wr_allocator *allocator; /* of what states hold beside their fixed part */
    const wr_kernels *kernels;
    const void *data;
    wr_type result;
    wr_type arg_type;   /* of the first argument */
    wr_ordinal ordinal; /* of the batch in update: functions that depend on order keep it with what they keep */
    wr_error *err;
} wr_aggregate_context;

typedef struct wr_aggregate_ops {
    /* Fixed part; aligned to 8, or to 16 when it says so. */
    uint32_t (*state_bytes)(const wr_type *arg_types, uint32_t arg_count);
    uint32_t state_align;
    void (*init)(const wr_aggregate_context *c, uint8_t *base, uint32_t stride, uint32_t count);
    /* Adds row i of args to its state; args are flat, constant or dictionary (by code where it pays). Rows where the
     * FILTER is not true, or `pass` has no bit, do not count; NULLs are the function's to skip. */
    wr_status (*update)(const wr_aggregate_context *c, const wr_vector *args, uint32_t arg_count, const uint64_t *pass,
                        uint32_t row_count, wr_state_rows states);
    /* target(i) += source i; the source's memory is taken over or dropped. */
    wr_status (*merge)(const wr_aggregate_context *c, uint8_t *source, uint32_t source_stride, uint32_t count,
                       wr_state_rows targets);
    /* Results of `count` states as a flat vector (prepared here); states stay valid. */
    wr_status (*finalize)(const wr_aggregate_context *c, const uint8_t *base, uint32_t stride, uint32_t count,
                          wr_vector *result);
    /* Adds to one state what `count` > 0 valid arguments make, whose exact sum is `sum`, so that rows can be summed up
     * elsewhere first; without arguments, `count` rows. Of integers and decimals alone. NULL: not a function of these
     * two, or the sum would be made for nothing. */
    void (*add_total)(const wr_aggregate_context *c, uint8_t *state, wr_int128 sum, uint64_t count);
    /* Taking back what update added; NULL: cannot. */
    wr_status (*retract)(const wr_aggregate_context *c, const wr_vector *args, uint32_t arg_count, const uint64_t *pass,
                         uint32_t row_count, wr_state_rows states);
    /* States with memory of their own: NULL for all that are plain bytes. */
    void (*destroy)(const wr_aggregate_context *c, uint8_t *base, uint32_t stride, uint32_t count);
    size_t (*write_bytes)(const uint8_t *state);
    void (*write)(const uint8_t *state, uint8_t *out);
    wr_status (*read)(const wr_aggregate_context *c, uint8_t *state, const uint8_t *bytes, size_t size);
    /* For partial aggregation (below a join or an exchange): the aggregate that merges finished results of this one, by
     * name ("sum" for sum and count, "min" for min); NULL: it cannot be split so. */
    const char *combines_with;
} wr_aggregate_ops;

/* ---- the registry: built-in rows, then what a database registered; immutable while a query runs ---- */

typedef struct wr_function_set {
    const char *area; /* "text" */
    const wr_function *rows;
    uint32_t count;
} wr_function_set;

/* All rows of a name, in order of preference, the case of the name folded. Valid until the next wr_registry_add. */
typedef struct wr_function_match {
    const wr_function *const *rows;
    uint32_t count;
} wr_function_match;

typedef struct wr_registry wr_registry;
WR_MUST_CHECK wr_status wr_registry_create(wr_registry **out, wr_allocator *a, wr_error *err); /* with the built-ins */
void wr_registry_destroy(wr_registry *registry);
WR_MUST_CHECK wr_status wr_registry_add(wr_registry *registry, const wr_function *row,
                                        wr_error *err); /* row is copied */
wr_function_match wr_registry_find(const wr_registry *registry, wr_str name);
/* Nearest names, for hints; returns how many were written. */
uint32_t wr_registry_suggest(const wr_registry *registry, wr_str name, const char **out, uint32_t room);

/* Resolves a call: picks the row by the fewest casts, casts the arguments, builds the expression (CALL or AGGREGATE). */
WR_MUST_CHECK wr_status wr_function_bind(const wr_registry *registry, wr_arena *arena, wr_str name, uint32_t position,
                                         wr_expr **args, uint32_t arg_count, wr_expr **out, wr_error *err);

/* Casting rules. Implicit: what SQL does unasked; its cost orders overloads (negative: not possible). */
int wr_cast_cost(wr_type from, wr_type to);
/* The type both sides of a UNION or a CASE meet in; false when there is none. */
bool wr_type_common(wr_type a, wr_type b, wr_type *out);
/* The same over expressions, where constants bend: a text constant takes the others' type, an integer constant a
 * narrower one that holds it. For CASE, IN, VALUES and whoever else mixes literals with columns. */
bool wr_expr_common_type(wr_expr *const *args, uint32_t arg_count, wr_type *out);
/* As an argument of that type: a cast, folded when the operand is a constant that has a counterpart. NULL: no memory. */
wr_expr *wr_expr_as(wr_arena *arena, wr_expr *operand, wr_type type);
/* Replaces what depends on nothing but constants by its value; what fails stays as it is. NULL: no memory. */
wr_expr *wr_expr_fold(wr_arena *arena, wr_expr *expr);
/* One value; used by folding, statistics and literals. Instants are read and printed in a zone, by default in UTC. */
WR_MUST_CHECK wr_status wr_value_cast_in(const struct wr_time_zone *zone, const wr_value *value, wr_type type,
                                         wr_arena *arena, wr_value *out, wr_error *err);
WR_MUST_CHECK wr_status wr_value_cast(const wr_value *value, wr_type type, wr_arena *arena, wr_value *out,
                                      wr_error *err);

#endif
