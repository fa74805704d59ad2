/* Programs and their states: made, run over a batch, let go. */
#include "plan/program_internal.h"

#include "kernel/bits.h"

/* ---- programs ---- */

wr_status wr_program_compile(wr_program **out, wr_allocator *a, wr_expr *const *expressions, uint32_t count,
                             const wr_column_id *inputs, uint32_t input_count,
                             const wr_program_environment *environment, wr_error *err) {
    wr_program *p = wr_alloc_zeroed(a, sizeof *p);
    if (!p) return wr_fail_memory(err, sizeof *p, "a compiled expression");
    p->allocator = a;
    p->environment = *environment;
    p->input_count = input_count;
    p->expression_count = count;
    wr_arena_init(&p->arena, a);
    p->is_filter = true;
    for (uint32_t i = 0; i < count; i++) p->is_filter &= expressions[i]->type.id == WR_TYPE_BOOLEAN;
    wr_status status = wr_form_compile(&p->plain, p, expressions, count, inputs, false, err);
    if (status == WR_OK && p->is_filter) {
        status = wr_form_compile(&p->filter, p, expressions, count, inputs, true, err);
    }
    if (status != WR_OK) {
        wr_program_destroy(p);
        return status;
    }
    *out = p;
    return WR_OK;
}

static void destroy_literals(form *f) {
    for (uint32_t i = 0; i < f->reg_count; i++) wr_vector_deinit(&f->regs[i].value);
}

void wr_program_destroy(wr_program *p) {
    if (!p) return;
    wr_allocator *a = p->allocator;
    destroy_literals(&p->plain);
    destroy_literals(&p->filter);
    wr_arena_deinit(&p->arena);
    wr_free(a, p, sizeof *p);
}

/* ---- states ---- */

wr_status wr_program_state_create(wr_program_state **out, const wr_program *program, wr_allocator *a, wr_error *err) {
    wr_program_state *state = wr_alloc_zeroed(a, sizeof *state);
    if (!state) return wr_fail_memory(err, sizeof *state, "an expression's state");
    state->program = program;
    state->allocator = a;
    wr_arena_init(&state->arena, a);
    state->batch_inputs = WR_ARENA_ARRAY(&state->arena, const wr_vector *, program->input_count + 1);
    if (!state->batch_inputs) {
        wr_program_state_destroy(state);
        return wr_fail_memory(err, program->input_count * sizeof(void *), "an expression's state");
    }
    *out = state;
    return WR_OK;
}

/* Bits that may fail, bits of activity, row numbers: one block. */
static size_t scratch_bytes(uint32_t rows) {
    return rows ? 2 * wr_bitmap_bytes(rows) + (rows + 64) * sizeof(uint16_t) : 0;
}

static void cache_release(dictionary_cache *cache, uint32_t arg_count) {
    for (uint32_t i = 0; cache->sources && i < arg_count; i++) wr_vector_set_release(cache->sources[i]);
    wr_vector_set_release(cache->result);
}

static void form_state_deinit(form_state *st, wr_allocator *a) {
    if (!st->ready) return;
    const form *f = st->form;
    for (uint32_t i = 0; i < f->reg_count; i++) wr_vector_deinit(&st->regs[i].own);
    for (uint32_t i = 0; i < f->operand_count; i++) {
        wr_vector_deinit(&st->operands[i].moved);
        wr_vector_deinit(&st->operands[i].flat);
    }
    for (uint32_t i = 0; i < f->scope_count; i++) {
        wr_free(a, st->scopes[i].mask, wr_scope_room_bytes(st->scopes[i].capacity));
    }
    for (uint32_t i = 0; i < f->step_count; i++) {
        if (st->steps[i].has_local) f->steps[i].function->local_destroy(st->steps[i].local, a);
        cache_release(&st->steps[i].cache, f->steps[i].arg_count);
    }
}

void wr_program_state_destroy(wr_program_state *state) {
    if (!state) return;
    wr_allocator *a = state->allocator;
    form_state_deinit(&state->plain, a);
    form_state_deinit(&state->filter, a);
    wr_free(a, state->failed, scratch_bytes(state->scratch_rows));
    wr_arena_deinit(&state->arena);
    wr_free(a, state, sizeof *state);
}

wr_status wr_form_state_init(wr_program_state *state, form_state *st, const form *f, wr_error *err) {
    if (st->ready) return WR_OK;
    wr_arena *arena = &state->arena;
    st->form = f;
    st->regs = WR_ARENA_ARRAY(arena, reg_state, f->reg_count + 1);
    st->operands = WR_ARENA_ARRAY(arena, operand_state, f->operand_count + 1);
    st->scopes = WR_ARENA_ARRAY(arena, scope_state, f->scope_count + 1);
    st->steps = WR_ARENA_ARRAY(arena, step_state, f->step_count + 1);
    st->conjuncts = WR_ARENA_ARRAY(arena, conjunct_state, f->conjunct_count + 1);
    st->order = WR_ARENA_ARRAY(arena, uint32_t, f->conjunct_count + 1);
    st->args = WR_ARENA_ARRAY(arena, wr_vector, f->max_args + 1);
    st->entries = WR_ARENA_ARRAY(arena, wr_vector, f->max_args + 1);
    if (!st->regs || !st->operands || !st->scopes || !st->steps || !st->conjuncts || !st->order || !st->args ||
        !st->entries) {
        return wr_fail_memory(err, f->reg_count * sizeof(reg_state), "an expression's state");
    }
    for (uint32_t i = 0; i < f->step_count; i++) {
        st->steps[i].cache.sources = WR_ARENA_ARRAY(arena, wr_vector_set *, f->steps[i].arg_count + 1);
        if (!st->steps[i].cache.sources) return wr_fail_memory(err, sizeof(void *), "an expression's state");
    }
    for (uint32_t i = 0; i < f->conjunct_count; i++) st->order[i] = i;
    for (uint32_t i = 0; i < f->reg_count; i++) {
        if (f->regs[i].constant && f->regs[i].step == NONE) st->regs[i].value = &f->regs[i].value;
    }
    st->ready = true;
    return WR_OK;
}

wr_status wr_state_scratch(wr_program_state *state, uint32_t row_count, wr_error *err) {
    if (row_count <= state->scratch_rows) return WR_OK;
    uint32_t rows = row_count < WR_BATCH_ROWS ? WR_BATCH_ROWS : row_count;
    wr_free(state->allocator, state->failed, scratch_bytes(state->scratch_rows));
    state->scratch_rows = 0;
    state->failed = wr_alloc(state->allocator, scratch_bytes(rows));
    if (!state->failed) return wr_fail_memory(err, scratch_bytes(rows), "an expression's scratch memory");
    state->both = state->failed + wr_bitmap_words(rows);
    state->positions = (uint16_t *)(void *)(state->both + wr_bitmap_words(rows));
    state->scratch_rows = rows;
    return WR_OK;
}

/* ---- a batch ---- */

wr_status wr_state_begin(wr_program_state *state, form_state *st, const form *f, uint32_t row_count, wr_error *err) {
    WR_TRY(wr_form_state_init(state, st, f, err));
    WR_TRY(wr_state_scratch(state, row_count, err));
    state->generation++;
    scope_state *batch = &st->scopes[SCOPE_BATCH];
    *batch = (scope_state){
        .generation = state->generation, .space = SCOPE_BATCH, .row_count = row_count, .active_count = row_count};
    for (uint32_t i = 0; i < state->program->input_count; i++) st->regs[i].value = state->inputs[i];
    return WR_OK;
}

/* Memory of the arguments that results pointed into is let go, so that whoever made it can use it again. */
void wr_state_end(form_state *st) {
    for (uint32_t i = 0; i < st->form->reg_count; i++) {
        reg_state *r = &st->regs[i];
        if (!r->borrows_heap || st->form->regs[i].constant) continue;
        wr_heap_release(r->own.heap);
        r->own.heap = NULL;
        r->borrows_heap = false;
    }
    for (uint32_t i = 0; i < st->form->operand_count; i++) {
        wr_heap_release(st->operands[i].moved.heap);
        wr_heap_release(st->operands[i].flat.heap);
        st->operands[i].moved.heap = st->operands[i].flat.heap = NULL;
    }
}

static wr_status null_result(wr_program_state *state, wr_type type, uint32_t row_count, wr_vector *out, wr_error *err) {
    wr_value value = {.type = type, .is_null = true};
    return wr_vector_constant(out, state->allocator, &value, row_count, err);
}

static wr_status give_result(wr_program_state *state, form_state *st, uint32_t r, uint32_t row_count, wr_vector *out,
                             wr_error *err) {
    const reg *made = &st->form->regs[r];
    const scope_state *root = &st->scopes[SCOPE_ROOT];
    const wr_vector *value = st->regs[r].value;
    bool computed = made->step != NONE && !made->constant;
    if (computed && st->regs[r].generation != state->generation) {
        return null_result(state, made->type, row_count, out, err); /* no row is selected */
    }
    if (made->constant && !value) return null_result(state, made->type, row_count, out, err);
    if (computed && root->space == SCOPE_ROOT && value->kind != WR_CONSTANT) {
        return wr_vector_scatter(out, state->allocator, value, root->rows, root->row_count, row_count, err);
    }
    wr_vector_share(out, value);
    out->row_count = row_count;
    return WR_OK;
}

wr_status wr_program_run(wr_program_state *state, const wr_batch *batch, wr_vector *results, wr_error *err) {
    const form *f = &state->program->plain;
    form_state *st = &state->plain;
    for (uint32_t i = 0; i < f->result_count; i++) wr_vector_deinit(&results[i]);
    for (uint32_t i = 0; i < state->program->input_count; i++) state->batch_inputs[i] = &batch->columns[i];
    state->inputs = state->batch_inputs;
    state->selection = batch->sel;
    state->selected = batch->sel_count;
    state->pass = NULL;
    WR_TRY(wr_state_begin(state, st, f, batch->row_count, err));
    WR_TRY(wr_scope_enter(state, st, SCOPE_ROOT, err));
    for (uint32_t s = 0; s < f->step_count; s++) WR_TRY(wr_step_run(state, st, s, err));
    for (uint32_t i = 0; i < f->result_count; i++) {
        WR_TRY(give_result(state, st, f->results[i], batch->row_count, &results[i], err));
    }
    wr_state_end(st);
    return WR_OK;
}
