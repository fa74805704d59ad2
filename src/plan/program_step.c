/* A step that calls a function: once for constants, once per dictionary entry where that pays, else row by row.
 *
 * When a dictionary is worth it: its entries are evaluated at once when they are not many more than the batch's rows, and
 * otherwise when as many rows have gone by one at a time as it has entries. So no dictionary costs more than twice what
 * the better way would have. */
#include "kernel/bits.h"
#include "plan/program_internal.h"

/* ---- running a function ---- */

static wr_status local_of(wr_program_state *state, form_state *st, const step *s, void **out, wr_error *err) {
    step_state *mine = &st->steps[s - st->form->steps];
    *out = mine->local;
    if (!s->function->local_create || mine->has_local) return WR_OK;
    WR_TRY(s->function->local_create(s->data, state->allocator, &mine->local, err));
    mine->has_local = true;
    *out = mine->local;
    return WR_OK;
}

/* Rows of `active` on which no argument is NULL; NULL for all. Arguments that are constants are valid. */
static const uint64_t *active_and_valid(wr_program_state *state, const uint64_t *active, const wr_vector *args,
                                        uint32_t arg_count, uint32_t n) {
    const wr_bits_kernels *bits = state->program->environment.kernels->bits;
    const uint64_t *all = active;
    for (uint32_t i = 0; i < arg_count; i++) {
        if (!args[i].validity || args[i].kind == WR_CONSTANT) continue;
        if (!all) {
            all = args[i].validity;
        } else {
            bits->and_(all, args[i].validity, n, state->both);
            all = state->both;
        }
    }
    return all;
}

/* NULLs of the arguments become NULLs of the result. */
static wr_status add_argument_nulls(wr_program_state *state, const wr_vector *args, uint32_t arg_count, wr_vector *out,
                                    wr_error *err) {
    const wr_bits_kernels *bits = state->program->environment.kernels->bits;
    for (uint32_t i = 0; i < arg_count; i++) {
        if (!args[i].validity || args[i].kind == WR_CONSTANT) continue;
        WR_TRY(wr_vector_add_validity(out, state->allocator, err));
        bits->and_(out->validity, args[i].validity, out->row_count, wr_vector_validity_mut(out));
    }
    return WR_OK;
}

/* Arguments are flat or constant, and some are flat or there are none. */
static wr_status run_function(wr_program_state *state, form_state *st, const step *s, const wr_vector *args, uint32_t n,
                              const uint64_t *active, wr_vector *out, wr_error *err) {
    const wr_program_environment *environment = &state->program->environment;
    bool strict = s->function->nulls == WR_NULLS_STRICT;
    WR_TRY(wr_state_scratch(state, n, err));
    wr_call_context c = {.allocator = state->allocator,
                         .kernels = environment->kernels,
                         .data = s->data,
                         .result = st->form->regs[s->result].type,
                         .row_count = n,
                         .active = active,
                         .failed = state->failed,
                         .now_us = environment->now_us,
                         .time_zone = environment->time_zone,
                         .err = err};
    WR_TRY(local_of(state, st, s, &c.local, err));
    if (s->can_fail && strict) c.active = active_and_valid(state, active, args, s->arg_count, n);
    wr_status status = s->function->run(&c, args, s->arg_count, out);
    if (status != WR_OK) {
        if (err && err->position == WR_NO_POSITION) err->position = s->position;
        return status;
    }
    return strict ? add_argument_nulls(state, args, s->arg_count, out, err) : WR_OK;
}

/* ---- constants ---- */

static wr_status set_null(wr_program_state *state, form_state *st, const step *s, wr_error *err) {
    reg_state *r = &st->regs[s->result];
    wr_value value = {.type = st->form->regs[s->result].type, .is_null = true};
    WR_TRY(wr_vector_constant(&r->own, state->allocator, &value, 1, err));
    r->value = &r->own;
    return WR_OK;
}

static wr_status run_on_constants(wr_program_state *state, form_state *st, const step *s, wr_vector *args,
                                  wr_error *err) {
    reg_state *r = &st->regs[s->result];
    for (uint32_t i = 0; i < s->arg_count; i++) {
        args[i].kind = WR_FLAT;
        args[i].row_count = 1;
    }
    WR_TRY(run_function(state, st, s, args, 1, NULL, &r->own, err));
    r->own.kind = WR_CONSTANT;
    r->value = &r->own;
    return WR_OK;
}

/* ---- dictionaries ---- */

/* The dictionary vector whose codes all other dictionary arguments share, or NULL when entries cannot stand for rows. A
 * constant of the batch alone is no constant here: the next batch may have another. */
static const wr_vector *common_dictionary(const form *f, const step *s, const wr_vector *args) {
    const wr_vector *first = NULL;
    if (s->function->volatility == WR_VOLATILE) return NULL;
    for (uint32_t i = 0; i < s->arg_count; i++) {
        if (f->regs[f->operands[f->args[s->first_arg + i]].reg].constant) continue;
        if (args[i].kind != WR_DICTIONARY) return NULL;
        const wr_vector *values = wr_vector_dictionary(&args[i]);
        if (values->kind != WR_FLAT || values->row_count == 0) return NULL;
        if (s->function->nulls == WR_NULLS_OWN && args[i].validity) return NULL;
        if (!first) {
            first = &args[i];
        } else if (args[i].data != first->data || args[i].validity != first->validity) {
            return NULL;
        }
    }
    return first;
}

static bool cache_matches(const dictionary_cache *cache, const step *s, const wr_vector *args) {
    for (uint32_t i = 0; i < s->arg_count; i++) {
        if (cache->sources[i] != (args[i].kind == WR_CONSTANT ? NULL : args[i].children)) return false;
    }
    return true;
}

static void cache_reset(dictionary_cache *cache, const step *s, const wr_vector *args) {
    for (uint32_t i = 0; i < s->arg_count; i++) {
        wr_vector_set_release(cache->sources[i]);
        cache->sources[i] = args[i].kind == WR_CONSTANT ? NULL : wr_vector_set_retain(args[i].children);
    }
    wr_vector_set_release(cache->result);
    cache->result = NULL;
    cache->rows_seen = 0;
    cache->refused = false;
}

/* Evaluates the entries into the cache. A value that fails is no error here: no row need have it. */
static wr_status fill_cache(wr_program_state *state, form_state *st, const step *s, const wr_vector *args,
                            uint32_t entries, wr_error *err) {
    dictionary_cache *cache = &st->steps[s - st->form->steps].cache;
    wr_error unseen;
    wr_vector_set *made;
    WR_TRY(wr_vector_set_create(&made, state->allocator, 1, err));
    for (uint32_t i = 0; i < s->arg_count; i++) {
        st->entries[i] = args[i].kind == WR_CONSTANT ? args[i] : *wr_vector_dictionary(&args[i]);
    }
    wr_error_clear(&unseen);
    wr_status status = run_function(state, st, s, st->entries, entries, NULL, &made->items[0], &unseen);
    if (status == WR_OK) {
        cache->result = made;
        return WR_OK;
    }
    wr_vector_set_release(made);
    if (status != WR_VALUE) {
        if (err) *err = unseen;
        return status;
    }
    cache->refused = true;
    return WR_OK;
}

/* A boolean by code becomes a bitmap: that is what is asked of it next. */
static wr_status look_up(wr_program_state *state, reg_state *r, const wr_vector *by, const wr_vector *entries,
                         wr_error *err) {
    const wr_bits_kernels *bits = state->program->environment.kernels->bits;
    uint32_t n = by->row_count;
    bool nullable = by->validity || entries->validity;
    WR_TRY(wr_vector_prepare(&r->own, state->allocator, entries->type, n, nullable, err));
    bits->lookup(entries->data, by->data, n, wr_vector_data_mut(&r->own));
    uint64_t *valid = wr_vector_validity_mut(&r->own);
    if (entries->validity) bits->lookup(entries->validity, by->data, n, valid);
    if (by->validity) bits->and_(r->own.validity, by->validity, n, valid);
    r->value = &r->own;
    return WR_OK;
}

static wr_status run_on_entries(wr_program_state *state, form_state *st, const step *s, const wr_vector *args,
                                const wr_vector *by, uint32_t active, bool *done, wr_error *err) {
    dictionary_cache *cache = &st->steps[s - st->form->steps].cache;
    reg_state *r = &st->regs[s->result];
    uint32_t entries = wr_vector_dictionary(by)->row_count;
    if (!cache_matches(cache, s, args)) cache_reset(cache, s, args);
    if (!cache->result && !cache->refused) {
        cache->rows_seen += active;
        if (entries <= 2 * active || entries <= cache->rows_seen) {
            WR_TRY(fill_cache(state, st, s, args, entries, err));
        }
    }
    *done = cache->result != NULL;
    if (!*done) return WR_OK;
    const wr_vector *made = &cache->result->items[0];
    if (made->phys == WR_PHYS_BOOL) return look_up(state, r, by, made, err);
    r->view = *by;
    r->view.type = made->type;
    r->view.phys = made->phys;
    r->view.children = cache->result;
    r->value = &r->view;
    return WR_OK;
}

/* ---- the step ---- */

wr_status wr_step_call(wr_program_state *state, form_state *st, const step *s, wr_error *err) {
    const scope_state *sc = &st->scopes[s->scope];
    const uint32_t *operands = s->arg_count ? st->form->args + s->first_arg : NULL;
    reg_state *r = &st->regs[s->result];
    wr_vector *args = st->args;
    bool constant = s->function->volatility != WR_VOLATILE, dictionary = false;
    for (uint32_t i = 0; i < s->arg_count; i++) {
        const wr_vector *v;
        WR_TRY(wr_operand_value(state, st, operands[i], &v, err));
        args[i] = *v;
        if (v->kind == WR_CONSTANT) {
            bool is_null = v->validity && !(v->validity[0] & 1);
            if (is_null && s->function->nulls == WR_NULLS_STRICT) return set_null(state, st, s, err);
        } else {
            constant = false;
            dictionary |= v->kind == WR_DICTIONARY;
        }
    }
    if (constant) return run_on_constants(state, st, s, args, err);
    if (dictionary) {
        const wr_vector *by = common_dictionary(st->form, s, args);
        bool done = false;
        if (by) WR_TRY(run_on_entries(state, st, s, args, by, sc->active_count, &done, err));
        if (done) return WR_OK;
        for (uint32_t i = 0; i < s->arg_count; i++) {
            if (args[i].kind != WR_DICTIONARY) continue;
            const wr_vector *v;
            WR_TRY(wr_operand_flat(state, st, operands[i], &v, err));
            args[i] = *v;
        }
    }
    WR_TRY(run_function(state, st, s, args, sc->row_count, sc->active, &r->own, err));
    r->value = &r->own;
    for (uint32_t i = 0; r->own.heap && i < s->arg_count; i++) r->borrows_heap |= r->own.heap == args[i].heap;
    return WR_OK;
}

/* The same bits under another type. */
static wr_status run_relabel(wr_program_state *state, form_state *st, const step *s, wr_error *err) {
    reg_state *r = &st->regs[s->result];
    const wr_vector *v;
    WR_TRY(wr_operand_value(state, st, st->form->args[s->first_arg], &v, err));
    r->view = *v;
    r->view.type = st->form->regs[s->result].type;
    r->value = &r->view;
    return WR_OK;
}

wr_status wr_step_run(wr_program_state *state, form_state *st, uint32_t index, wr_error *err) {
    const step *s = &st->form->steps[index];
    reg_state *r = &st->regs[s->result];
    if (r->generation == state->generation || (st->form->regs[s->result].constant && r->value)) return WR_OK;
    WR_TRY(wr_scope_enter(state, st, s->scope, err));
    if (st->scopes[s->scope].active_count == 0) return WR_OK;
    switch ((step_kind)s->kind) {
    case STEP_CALL: WR_TRY(wr_step_call(state, st, s, err)); break;
    case STEP_RELABEL: WR_TRY(run_relabel(state, st, s, err)); break;
    case STEP_IS_NULL: WR_TRY(wr_step_is_null(state, st, s, err)); break;
    case STEP_AND:
    case STEP_OR: WR_TRY(wr_step_junction(state, st, s, err)); break;
    case STEP_CASE: WR_TRY(wr_step_case(state, st, s, err)); break;
    }
    r->generation = state->generation;
    return WR_OK;
}
