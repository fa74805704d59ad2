/* IS NULL, AND, OR and CASE: steps that put results of inner scopes together.
 *
 * A scope that works under a mask shares its parent's rows, so its values are blended in whole words of 64 rows; a
 * gathered scope's values are scattered to where its rows are. AND and OR keep two bitmaps, what is surely true and what
 * is surely false; neither is NULL. */
#include "kernel/bits.h"
#include "plan/functions/call.h"
#include "plan/program_internal.h"

/* ---- IS NULL ---- */

static wr_status set_boolean(wr_program_state *state, reg_state *r, bool value, wr_error *err) {
    wr_value constant = {.type = wr_type_of(WR_TYPE_BOOLEAN), .boolean = value};
    WR_TRY(wr_vector_constant(&r->own, state->allocator, &constant, 1, err));
    r->value = &r->own;
    return WR_OK;
}

wr_status wr_step_is_null(wr_program_state *state, form_state *st, const step *s, wr_error *err) {
    const wr_bits_kernels *bits = state->program->environment.kernels->bits;
    reg_state *r = &st->regs[s->result];
    uint32_t n = st->scopes[s->scope].row_count;
    const wr_vector *v;
    WR_TRY(wr_operand_value(state, st, st->form->args[s->first_arg], &v, err));
    if (v->kind == WR_CONSTANT) return set_boolean(state, r, wr_is_constant_null(v), err);
    const wr_vector *values = v->kind == WR_DICTIONARY ? wr_vector_dictionary(v) : NULL;
    bool by_entry = values && values->row_count && values->validity;
    if (!v->validity && !by_entry) return set_boolean(state, r, false, err);
    WR_TRY(wr_vector_prepare(&r->own, state->allocator, wr_type_of(WR_TYPE_BOOLEAN), n, false, err));
    uint64_t *out = wr_vector_data_mut(&r->own);
    if (by_entry) {
        bits->lookup(values->validity, v->data, n, out);
        if (v->validity) bits->and_(out, v->validity, n, out);
        bits->not_(out, n, out);
    } else {
        bits->not_(v->validity, n, out);
    }
    r->value = &r->own;
    return WR_OK;
}

/* ---- AND and OR ---- */

/* One term's rows that are surely true and surely false, added to those of the terms before. */
typedef struct junction {
    bool is_and;
    uint64_t *yes, *no;
} junction;

static void add_words(const junction *j, const wr_vector *v, const uint64_t *mask, uint32_t n) {
    size_t words = wr_bitmap_words(n);
    for (size_t w = 0; w < words; w++) {
        uint64_t m = mask ? mask[w] : ~UINT64_C(0), value = wr_value_word(v, w), valid = wr_valid_word(v, w);
        uint64_t yes = value & valid, no = ~value & valid;
        if (j->is_and) {
            j->yes[w] &= yes | ~m;
            j->no[w] |= no & m;
        } else {
            j->yes[w] |= yes & m;
            j->no[w] &= no | ~m;
        }
    }
}

static void add_rows(const junction *j, const wr_vector *v, const uint16_t *rows, const uint64_t *active, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        if (!wr_valid(active, i)) continue;
        bool valid = wr_is_valid_row(v, i), value = wr_bool_row(v, i);
        bool yes = value && valid, no = !value && valid;
        if (j->is_and ? !yes : yes) wr_bit_put(j->yes, rows[i], !j->is_and);
        if (j->is_and ? no : !no) wr_bit_put(j->no, rows[i], j->is_and);
    }
}

wr_status wr_step_junction(wr_program_state *state, form_state *st, const step *s, wr_error *err) {
    const scope_state *mine = &st->scopes[s->scope];
    reg_state *r = &st->regs[s->result];
    uint32_t n = mine->row_count;
    bool nullable = false;
    WR_TRY(wr_vector_prepare(&r->own, state->allocator, wr_type_of(WR_TYPE_BOOLEAN), n, true, err));
    junction j = {s->kind == STEP_AND, wr_vector_data_mut(&r->own), wr_vector_validity_mut(&r->own)};
    wr_bitmap_fill(j.yes, n, j.is_and);
    wr_bitmap_fill(j.no, n, !j.is_and);
    for (uint32_t i = 0; i < s->arg_count; i++) {
        uint32_t o = st->form->args[s->first_arg + i], inner = st->form->operands[o].scope;
        WR_TRY(wr_scope_enter(state, st, inner, err));
        const scope_state *sc = &st->scopes[inner];
        if (sc->active_count == 0) continue;
        const wr_vector *v;
        WR_TRY(wr_operand_flat(state, st, o, &v, err));
        nullable |= v->validity != NULL;
        if (sc->space == mine->space) {
            add_words(&j, v, inner == s->scope ? NULL : sc->active, n);
        } else {
            add_rows(&j, v, wr_scope_positions(state, st, sc->space, mine->space), sc->active, sc->row_count);
        }
    }
    if (nullable) {
        state->program->environment.kernels->bits->or_(j.yes, j.no, n, j.no);
    } else {
        r->own.validity = NULL;
    }
    r->value = &r->own;
    return WR_OK;
}

/* ---- CASE ---- */

typedef struct pair64 {
    uint64_t words[2];
} pair64;

/* out[i] = v[i] where bit i of `mask` is set; step is 0 for a constant. */
#define BLEND(name, type)                                                                                              \
    static void blend_##name(const void *value, size_t step_, const uint64_t *mask, uint32_t n, void *result) {        \
        const type *v = value;                                                                                         \
        type *out = result;                                                                                            \
        for (uint32_t at = 0; at < n; at += 64) {                                                                      \
            uint64_t m = mask ? mask[at / 64] : ~UINT64_C(0);                                                          \
            uint32_t end = n - at < 64 ? n - at : 64;                                                                  \
            if (m == ~UINT64_C(0) && step_) {                                                                          \
                memcpy(out + at, v + at, end * sizeof *v);                                                             \
            } else if (m == ~UINT64_C(0)) {                                                                            \
                for (uint32_t i = 0; i < end; i++) out[at + i] = v[0];                                                 \
            } else if (m) {                                                                                            \
                for (uint32_t i = 0; i < end; i++) {                                                                   \
                    if (m >> i & 1) out[at + i] = v[(at + i) * step_];                                                 \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }
BLEND(1, uint8_t)
BLEND(2, uint16_t)
BLEND(4, uint32_t)
BLEND(8, uint64_t)
BLEND(16, pair64)

#define SCATTER(type)                                                                                                  \
    do {                                                                                                               \
        const type *from = v->data;                                                                                    \
        type *to = out;                                                                                                \
        for (uint32_t i = 0; i < n; i++) {                                                                             \
            if (wr_valid(active, i)) to[rows[i]] = from[i * step_];                                                    \
        }                                                                                                              \
    } while (0)

/* Gathered rows of which those in `active` count go where they came from. */
static void scatter_values(const wr_vector *v, const uint16_t *rows, const uint64_t *active, uint32_t n, void *out) {
    size_t step_ = wr_step(v);
    if (v->phys == WR_PHYS_BOOL) {
        for (uint32_t i = 0; i < n; i++) {
            if (wr_valid(active, i)) wr_bit_put(out, rows[i], wr_bool_row(v, i));
        }
        return;
    }
    switch (wr_phys_bytes((wr_phys)v->phys)) {
    case 1: SCATTER(uint8_t); break;
    case 2: SCATTER(uint16_t); break;
    case 4: SCATTER(uint32_t); break;
    case 8: SCATTER(uint64_t); break;
    default: SCATTER(pair64); break;
    }
}

static void scatter_nulls(const wr_vector *v, const uint16_t *rows, const uint64_t *active, uint32_t n,
                          uint64_t *valid) {
    if (!v->validity) return;
    for (uint32_t i = 0; i < n; i++) {
        if (wr_valid(active, i) && !wr_is_valid_row(v, i)) wr_bit_clear(valid, rows[i]);
    }
}

static void blend_words(const wr_vector *v, bool validity, const uint64_t *mask, uint32_t n, uint64_t *out) {
    size_t words = wr_bitmap_words(n);
    for (size_t w = 0; w < words; w++) {
        uint64_t m = mask ? mask[w] : ~UINT64_C(0), bits = validity ? wr_valid_word(v, w) : wr_value_word(v, w);
        out[w] = (out[w] & ~m) | (bits & m);
    }
}

static void blend_values(const wr_vector *v, const uint64_t *mask, uint32_t n, void *out) {
    size_t step_ = wr_step(v);
    if (v->phys == WR_PHYS_BOOL) {
        blend_words(v, false, mask, n, out);
        return;
    }
    switch (wr_phys_bytes((wr_phys)v->phys)) {
    case 1: blend_1(v->data, step_, mask, n, out); break;
    case 2: blend_2(v->data, step_, mask, n, out); break;
    case 4: blend_4(v->data, step_, mask, n, out); break;
    case 8: blend_8(v->data, step_, mask, n, out); break;
    default: blend_16(v->data, step_, mask, n, out); break;
    }
}

/* The operands of the values: every second argument, and the last. */
static uint32_t value_operand(const form *f, const step *s, uint32_t branch) {
    uint32_t i = 2 * branch + 1;
    return f->args[s->first_arg + (i < s->arg_count ? i : s->arg_count - 1)];
}

/* Enters the branches; finds out whether one of them is all there is, and whether any value may be NULL. */
static wr_status survey(wr_program_state *state, form_state *st, const step *s, uint32_t branches, uint32_t *only,
                        bool *nullable, wr_error *err) {
    const scope_state *mine = &st->scopes[s->scope];
    *only = NONE;
    *nullable = false;
    for (uint32_t b = 0; b < branches; b++) {
        uint32_t o = value_operand(st->form, s, b), inner = st->form->operands[o].scope;
        WR_TRY(wr_scope_enter(state, st, inner, err));
        const scope_state *sc = &st->scopes[inner];
        if (sc->active_count == 0) continue;
        if (sc->active_count == mine->active_count && sc->space == mine->space) {
            *only = o;
            return WR_OK;
        }
        const wr_vector *v;
        WR_TRY(wr_operand_flat(state, st, o, &v, err));
        *nullable |= v->validity != NULL;
    }
    return WR_OK;
}

static wr_status add_branch(wr_program_state *state, form_state *st, const step *s, uint32_t o, wr_vector *out,
                            wr_error *err) {
    const scope_state *mine = &st->scopes[s->scope], *sc = &st->scopes[st->form->operands[o].scope];
    if (sc->active_count == 0) return WR_OK;
    const wr_vector *v;
    WR_TRY(wr_operand_flat(state, st, o, &v, err));
    if (out->phys == WR_PHYS_VIEW) WR_TRY(wr_vector_keep_heap(out, state->allocator, v, err));
    void *data = wr_vector_data_mut(out);
    uint64_t *valid = wr_vector_validity_mut(out);
    if (sc->space == mine->space) {
        if (!wr_is_constant_null(v)) blend_values(v, sc->active, mine->row_count, data);
        if (v->validity) blend_words(v, true, sc->active, mine->row_count, valid);
    } else {
        const uint16_t *rows = wr_scope_positions(state, st, sc->space, mine->space);
        if (!wr_is_constant_null(v)) scatter_values(v, rows, sc->active, sc->row_count, data);
        scatter_nulls(v, rows, sc->active, sc->row_count, valid);
    }
    return WR_OK;
}

/* Views that nobody writes must still be views. */
static void clear_views(wr_vector *v) {
    if (v->phys == WR_PHYS_VIEW) memset(wr_vector_data_mut(v), 0, v->row_count * sizeof(wr_string_view));
}

wr_status wr_step_case(wr_program_state *state, form_state *st, const step *s, wr_error *err) {
    uint32_t branches = s->arg_count / 2 + 1, only;
    reg_state *r = &st->regs[s->result];
    bool nullable;
    WR_TRY(survey(state, st, s, branches, &only, &nullable, err));
    if (only != NONE) return wr_operand_value(state, st, only, &r->value, err);
    WR_TRY(wr_vector_prepare(&r->own, state->allocator, st->form->regs[s->result].type, st->scopes[s->scope].row_count,
                             nullable, err));
    clear_views(&r->own);
    for (uint32_t b = 0; b < branches; b++) {
        WR_TRY(add_branch(state, st, s, value_operand(st->form, s, b), &r->own, err));
    }
    r->borrows_heap = r->own.heap != NULL;
    r->value = &r->own;
    return WR_OK;
}

/* ---- results of a gathered root ---- */

wr_status wr_vector_scatter(wr_vector *out, wr_allocator *a, const wr_vector *v, const uint16_t *rows, uint32_t count,
                            uint32_t row_count, wr_error *err) {
    if (v->kind == WR_DICTIONARY) {
        wr_vector flat = {0};
        wr_status status = wr_vector_flatten(&flat, a, v, err);
        if (status == WR_OK) status = wr_vector_scatter(out, a, &flat, rows, count, row_count, err);
        wr_vector_deinit(&flat);
        return status;
    }
    WR_TRY(wr_vector_prepare(out, a, v->type, row_count, v->validity != NULL, err));
    clear_views(out);
    if (out->phys == WR_PHYS_VIEW) WR_TRY(wr_vector_keep_heap(out, a, v, err));
    scatter_values(v, rows, NULL, count, wr_vector_data_mut(out));
    if (v->validity) scatter_nulls(v, rows, NULL, count, wr_vector_validity_mut(out));
    return WR_OK;
}
