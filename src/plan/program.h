/* Compiled expressions: a flat list of kernel calls over registers.
 *
 * wr_program_compile turns bound expressions into steps. Equal subexpressions become one step. A step has an activity:
 * the rows on which it has to be right (branches of CASE, later terms of AND and OR, which the written order guards). It
 * runs dense over the batch when most rows are active, on a gathered part when few are. Steps that cannot fail may run on
 * more rows than need it; steps that can fail raise an error only for active rows.
 *
 * On a dictionary vector, a step whose other arguments are constants runs once per dictionary entry and gives a dictionary
 * vector over the same codes; the result is kept with the dictionary while batches of it come. A step that can fail runs so
 * only if no entry fails.
 *
 * A program is immutable and shared; a wr_program_state (registers, caches) belongs to one worker. */
#ifndef WR_PLAN_PROGRAM_H
#define WR_PLAN_PROGRAM_H

#include "plan/expression.h"
#include "plan/function.h"

typedef struct wr_program wr_program;
typedef struct wr_program_state wr_program_state;

/* Values of the query that are not in the plan. */
typedef struct wr_program_environment {
    const wr_kernels *kernels;
    int64_t now_us;
    const struct wr_time_zone *time_zone;
    const wr_value *parameters;
    uint32_t parameter_count;
    uint32_t batch_rows;
} wr_program_environment;

/* inputs[i] is the id of batch column i. The program keeps nothing of the arena's expressions but their constants and
 * function data, which must outlive it. */
WR_MUST_CHECK wr_status wr_program_compile(wr_program **out, wr_allocator *a, wr_expr *const *expressions,
                                           uint32_t count, const wr_column_id *inputs, uint32_t input_count,
                                           const wr_program_environment *environment, wr_error *err);
void wr_program_destroy(wr_program *program);

WR_MUST_CHECK wr_status wr_program_state_create(wr_program_state **out, const wr_program *program, wr_allocator *a,
                                                wr_error *err);
void wr_program_state_destroy(wr_program_state *state);

/* Evaluates every expression over the batch: results[k] has the batch's physical rows (rows outside the selection hold
 * anything) and shares the state's buffers until somebody retains them. */
WR_MUST_CHECK wr_status wr_program_run(wr_program_state *state, const wr_batch *batch, wr_vector *results,
                                       wr_error *err);
/* The program is a list of conjuncts: pass bit i is set when row i is selected and all are true. Conjuncts that cannot fail are
 * reordered by measured selectivity and cost. */
WR_MUST_CHECK wr_status wr_program_filter(wr_program_state *state, const wr_batch *batch, uint64_t *pass,
                                          wr_error *err);
/* The same over bare vectors (a scan's filter): columns[i] stands for inputs[i]. */
WR_MUST_CHECK wr_status wr_program_filter_vectors(wr_program_state *state, const wr_vector *const *columns,
                                                  uint32_t row_count, uint64_t *pass, wr_error *err);

/* A constant expression's value, in the arena: folding. */
WR_MUST_CHECK wr_status wr_expr_evaluate(wr_arena *arena, const wr_expr *expr,
                                         const wr_program_environment *environment, wr_value *out, wr_error *err);

#endif
