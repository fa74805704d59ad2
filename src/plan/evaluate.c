/* One value of a constant expression: folding. The expression is compiled and run over one row without columns, so that
 * constants mean what rows mean. */
#include "plan/cast.h"
#include "plan/program.h"

wr_status wr_expr_evaluate(wr_arena *arena, const wr_expr *expr, const wr_program_environment *environment,
                           wr_value *out, wr_error *err) {
    wr_allocator *a = arena->allocator;
    wr_expr *expressions[1] = {(wr_expr *)(uintptr_t)expr};
    wr_program *program = NULL;
    wr_program_state *state = NULL;
    wr_vector result = {0};
    wr_batch batch = {.allocator = a, .row_count = 1, .sel_count = 1};
    wr_status status;
    WR_TRY_CLEANUP(wr_program_compile(&program, a, expressions, 1, NULL, 0, environment, err));
    WR_TRY_CLEANUP(wr_program_state_create(&state, program, a, err));
    WR_TRY_CLEANUP(wr_program_run(state, &batch, &result, err));
    WR_TRY_CLEANUP(wr_vector_value(&result, 0, arena, out, err));
    status = wr_value_keep(arena, out, err); /* text points into the result's heap, which goes */
cleanup:
    wr_vector_deinit(&result);
    wr_program_state_destroy(state);
    wr_program_destroy(program);
    return status;
}
