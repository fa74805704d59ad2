/* The compiled form of a list of expressions, and what one worker keeps to run it.
 *
 * A form is steps over registers. A register is an input column, a constant, or the result of one step. A scope is a set
 * of rows on which some steps have to be right: SCOPE_BATCH is all rows of the batch, SCOPE_ROOT those that are selected,
 * and a branch of CASE or a later term of AND and OR has a scope inside the one that it is written in. At run time a scope
 * either works on the rows of its parent under a mask, or, when few rows are left, on a gathered copy of them: then it
 * has a row space of its own. An operand is a register as a scope sees it; it is where gathered and flattened copies are
 * kept.
 *
 * A step that cannot fail belongs to the innermost scope that encloses all its uses, so it is computed once. A step that
 * can fail is shared only with uses whose rows it covers anyway: a wider scope could raise an error that the written
 * order avoids. */
#ifndef WR_PLAN_PROGRAM_INTERNAL_H
#define WR_PLAN_PROGRAM_INTERNAL_H

#include "plan/program.h"

enum { SCOPE_BATCH, SCOPE_ROOT };
#define NONE UINT32_MAX

typedef enum step_kind { STEP_CALL, STEP_RELABEL, STEP_IS_NULL, STEP_AND, STEP_OR, STEP_CASE } step_kind;

/* Which rows of the parent a scope keeps, by the condition's value. */
typedef enum scope_mode { KEEP_TRUE, KEEP_NOT_TRUE, KEEP_NOT_FALSE } scope_mode;

typedef struct scope {
    uint32_t parent;
    uint32_t condition; /* operand; NONE: the selection, or what a filter has let pass so far */
    uint8_t mode;       /* scope_mode */
    float cost_ns;      /* of its steps, a row */
    uint32_t moved;     /* operands that would have to be gathered into it */
} scope;

typedef struct reg {
    wr_type type;
    uint32_t scope;  /* where it is computed; SCOPE_BATCH for inputs and constants */
    uint32_t step;   /* NONE for inputs and constants */
    bool constant;   /* the same in every batch */
    wr_vector value; /* of a literal */
} reg;

typedef struct operand {
    uint32_t reg, scope;
} operand;

typedef struct step {
    uint8_t kind;  /* step_kind */
    bool can_fail; /* this very step */
    uint32_t scope, result, position;
    uint32_t first_arg, arg_count; /* operand numbers at form->args + first_arg */
    const wr_function *function;
    const void *data;
    float cost_ns;
} step;

/* A term of a filter: the steps it needs, in order (some shared with other terms), and its scope. */
typedef struct conjunct {
    uint32_t value; /* operand in its scope */
    uint32_t scope;
    uint32_t first_step, step_count; /* step numbers at form->needs + first_step */
    bool can_fail;
    float cost_ns;
} conjunct;

typedef struct form {
    reg *regs;
    operand *operands;
    step *steps;
    scope *scopes;
    uint32_t *args;      /* operand numbers */
    uint32_t *results;   /* register of each expression; plain programs */
    conjunct *conjuncts; /* filters */
    uint32_t *needs;
    uint32_t reg_count, operand_count, step_count, scope_count, arg_count, result_count, conjunct_count, need_count;
    uint32_t reg_capacity, operand_capacity, step_capacity, scope_capacity, arg_capacity, conjunct_capacity,
        need_capacity;
    uint32_t max_args;
} form;

struct wr_program {
    wr_allocator *allocator;
    wr_arena arena;
    wr_program_environment environment;
    uint32_t input_count, expression_count;
    form plain;  /* for wr_program_run */
    form filter; /* for wr_program_filter; only when all expressions are boolean */
    bool is_filter;
};

/* ---- one worker ---- */

typedef struct scope_state {
    uint64_t generation; /* of the batch it was entered for */
    uint32_t space;      /* the scope whose rows it works on: itself when gathered */
    uint32_t row_count;  /* of its space */
    uint32_t active_count;
    const uint64_t *active; /* over its space; NULL: all rows */
    const uint16_t *rows;   /* gathered: row numbers in the batch, rising */
    uint64_t *mask;         /* own memory for `capacity` rows: bits, then room for rows */
    uint16_t *row_room;
    uint32_t capacity;
} scope_state;

typedef struct reg_state {
    uint64_t generation;
    const wr_vector *value;
    wr_vector own;     /* memory that is used again */
    wr_vector view;    /* what shows others' memory: dictionaries; holds no references */
    bool borrows_heap; /* own.heap belongs to an argument */
} reg_state;

typedef struct operand_state {
    uint64_t generation, flat_generation;
    const wr_vector *value, *flat_value;
    wr_vector moved, flat; /* memory of the copies */
} operand_state;

/* The result of a step over the entries of the last dictionary that it saw. */
typedef struct dictionary_cache {
    wr_vector_set **sources; /* one an argument, NULL where it is constant; retained */
    wr_vector_set *result;
    uint64_t rows_seen;
    bool refused; /* an entry fails */
} dictionary_cache;

typedef struct step_state {
    void *local;
    bool has_local;
    dictionary_cache cache;
} step_state;

typedef struct conjunct_state {
    double rows_in, rows_out, nanoseconds, rows_timed;
} conjunct_state;

/* A form as it runs. */
typedef struct form_state {
    const form *form;
    bool ready;
    reg_state *regs;
    operand_state *operands;
    scope_state *scopes;
    step_state *steps;
    conjunct_state *conjuncts;
    uint32_t *order;    /* of the conjuncts */
    wr_vector *args;    /* of the step that runs */
    wr_vector *entries; /* the same, as dictionary entries */
} form_state;

struct wr_program_state {
    const wr_program *program;
    wr_allocator *allocator;
    wr_arena arena;
    uint64_t generation;
    const wr_vector **inputs;
    const wr_vector **batch_inputs; /* memory for `inputs` of a batch */
    const uint16_t *selection;      /* of the batch; NULL: all rows */
    uint32_t selected;
    uint64_t *pass;      /* of the filter that runs; NULL: none does */
    uint64_t *failed;    /* scratch for the steps: bits */
    uint64_t *both;      /* scratch: activity and validity */
    uint16_t *positions; /* scratch: row numbers of one space in another */
    uint32_t scratch_rows;
    uint64_t batches; /* that the filter has seen */
    form_state plain, filter;
};

/* ---- between the files of the evaluator ---- */

WR_MUST_CHECK wr_status wr_form_compile(form *f, wr_program *program, wr_expr *const *expressions, uint32_t count,
                                        const wr_column_id *inputs, bool as_filter, wr_error *err);

WR_MUST_CHECK wr_status wr_form_state_init(wr_program_state *state, form_state *st, const form *f, wr_error *err);
/* The batch's inputs are in state->inputs; begin and end stand around the steps. */
WR_MUST_CHECK wr_status wr_state_begin(wr_program_state *state, form_state *st, const form *f, uint32_t row_count,
                                       wr_error *err);
void wr_state_end(form_state *st);

size_t wr_scope_room_bytes(uint32_t capacity);
/* Where the rows of the gathered scope `inner` are in the row space of `outer`, which holds them all. */
const uint16_t *wr_scope_positions(wr_program_state *state, const form_state *st, uint32_t inner, uint32_t outer);
/* Enters a scope for this batch; st->scopes[s] tells its rows. */
WR_MUST_CHECK wr_status wr_scope_enter(wr_program_state *state, form_state *st, uint32_t s, wr_error *err);
/* The operand's value in its scope's row space: any kind, or flat and constant alone. */
WR_MUST_CHECK wr_status wr_operand_value(wr_program_state *state, form_state *st, uint32_t o, const wr_vector **out,
                                         wr_error *err);
WR_MUST_CHECK wr_status wr_operand_flat(wr_program_state *state, form_state *st, uint32_t o, const wr_vector **out,
                                        wr_error *err);
/* Runs one step, unless it ran already or has no rows. */
WR_MUST_CHECK wr_status wr_step_run(wr_program_state *state, form_state *st, uint32_t s, wr_error *err);
WR_MUST_CHECK wr_status wr_step_call(wr_program_state *state, form_state *st, const step *s, wr_error *err);
WR_MUST_CHECK wr_status wr_step_is_null(wr_program_state *state, form_state *st, const step *s, wr_error *err);
WR_MUST_CHECK wr_status wr_step_junction(wr_program_state *state, form_state *st, const step *s, wr_error *err);
WR_MUST_CHECK wr_status wr_step_case(wr_program_state *state, form_state *st, const step *s, wr_error *err);
/* Makes the scratch bitmaps large enough. */
WR_MUST_CHECK wr_status wr_state_scratch(wr_program_state *state, uint32_t row_count, wr_error *err);
/* Copies a vector over gathered rows to those rows of `out`, whose other rows stay well-formed but mean nothing. */
WR_MUST_CHECK wr_status wr_vector_scatter(wr_vector *out, wr_allocator *a, const wr_vector *v, const uint16_t *rows,
                                          uint32_t count, uint32_t row_count, wr_error *err);

/* Word w of "value is true" or "row is not NULL" of a flat or constant vector. */
static inline uint64_t wr_valid_word(const wr_vector *v, size_t w) {
    if (!v->validity) return ~UINT64_C(0);
    return v->kind == WR_CONSTANT ? -(v->validity[0] & 1) : v->validity[w];
}
static inline uint64_t wr_value_word(const wr_vector *v, size_t w) {
    const uint64_t *bits = v->data;
    return v->kind == WR_CONSTANT ? -(bits[0] & 1) : bits[w];
}

#endif
