/* Scopes and operands at run time: which rows a step works on, and the values of its arguments for just those rows. */
#include "kernel/bits.h"
#include "kernel/select.h"
#include "plan/program_internal.h"

/* What moving costs, a row and an operand: gathering in and scattering the result back. */
#define GATHER_COST_NS 1.0f
#define SCATTER_COST_NS 1.0f

/* ---- scopes ---- */

/* Bits, then row numbers; both loops write up to 64 rows past the end. */
static uint32_t padded_rows(uint32_t capacity) {
    return (capacity + 63) / 64 * 64;
}

size_t wr_scope_room_bytes(uint32_t capacity) {
    return capacity ? padded_rows(capacity) / 8 + (padded_rows(capacity) + 64) * sizeof(uint16_t) : 0;
}

static wr_status make_room(wr_program_state *state, scope_state *s, uint32_t row_count, wr_error *err) {
    if (row_count <= s->capacity) return WR_OK;
    uint32_t capacity =
        row_count < state->program->environment.batch_rows ? state->program->environment.batch_rows : row_count;
    wr_free(state->allocator, s->mask, wr_scope_room_bytes(s->capacity));
    s->capacity = 0;
    s->mask = wr_alloc(state->allocator, wr_scope_room_bytes(capacity));
    if (!s->mask) return wr_fail_memory(err, wr_scope_room_bytes(capacity), "an expression's scratch memory");
    s->row_room = (uint16_t *)(void *)((uint8_t *)s->mask + padded_rows(capacity) / 8);
    s->capacity = capacity;
    return WR_OK;
}

static bool pays_to_gather(const form *f, uint32_t s, uint32_t active, uint32_t rows) {
    const scope *sc = &f->scopes[s];
    float gathered = (float)active * (sc->cost_ns + (float)sc->moved * GATHER_COST_NS + SCATTER_COST_NS);
    return gathered < (float)rows * sc->cost_ns;
}

/* The mask stands in me->mask; settles whether the scope works under it or on a gathered copy. */
static void settle(wr_program_state *state, form_state *st, uint32_t s) {
    scope_state *me = &st->scopes[s];
    const scope_state *parent = &st->scopes[st->form->scopes[s].parent];
    const wr_bits_kernels *bits = state->program->environment.kernels->bits;
    me->active_count = bits->count(me->mask, parent->row_count);
    me->active = me->mask;
    me->space = parent->space;
    me->row_count = parent->row_count;
    if (me->active_count == parent->row_count) {
        me->active = NULL;
    } else if (me->active_count && pays_to_gather(st->form, s, me->active_count, parent->row_count)) {
        bits->rows(me->mask, parent->row_count, 0, me->row_room);
        if (parent->space != SCOPE_BATCH) {
            const uint16_t *through = st->scopes[parent->space].rows;
            for (uint32_t i = 0; i < me->active_count; i++) me->row_room[i] = through[me->row_room[i]];
        }
        me->rows = me->row_room;
        me->active = NULL;
        me->space = s;
        me->row_count = me->active_count;
    }
}

/* The root: the batch's selection. */
static wr_status enter_selected(wr_program_state *state, form_state *st, wr_error *err) {
    scope_state *me = &st->scopes[SCOPE_ROOT];
    const scope_state *batch = &st->scopes[SCOPE_BATCH];
    me->space = SCOPE_BATCH;
    me->row_count = batch->row_count;
    me->active_count = batch->row_count;
    me->active = NULL;
    if (!state->selection) return WR_OK;
    if (state->selected && pays_to_gather(st->form, SCOPE_ROOT, state->selected, batch->row_count)) {
        me->rows = state->selection;
        me->space = SCOPE_ROOT;
        me->row_count = me->active_count = state->selected;
        return WR_OK;
    }
    WR_TRY(make_room(state, me, batch->row_count, err));
    wr_bitmap_fill(me->mask, batch->row_count, false);
    for (uint32_t i = 0; i < state->selected; i++) wr_bit_set(me->mask, state->selection[i]);
    me->active = me->mask;
    me->active_count = state->selected;
    return WR_OK;
}

/* A filter's term: what has passed so far, seen from the parent's rows. */
static void mask_of_filter(wr_program_state *state, form_state *st, uint32_t s) {
    scope_state *me = &st->scopes[s];
    const scope_state *parent = &st->scopes[st->form->scopes[s].parent];
    if (parent->space == SCOPE_BATCH) {
        memcpy(me->mask, state->pass, wr_bitmap_bytes(parent->row_count));
    } else {
        const wr_bits_kernels *bits = state->program->environment.kernels->bits;
        bits->gather(state->pass, st->scopes[parent->space].rows, parent->row_count, me->mask);
    }
}

static wr_status mask_of_condition(wr_program_state *state, form_state *st, uint32_t s, wr_error *err) {
    const scope *sc = &st->form->scopes[s];
    scope_state *me = &st->scopes[s];
    const scope_state *parent = &st->scopes[sc->parent];
    const wr_vector *v;
    WR_TRY(wr_operand_flat(state, st, sc->condition, &v, err));
    size_t words = wr_bitmap_words(parent->row_count);
    for (size_t w = 0; w < words; w++) {
        uint64_t value = wr_value_word(v, w), valid = wr_valid_word(v, w), keep;
        switch ((scope_mode)sc->mode) {
        case KEEP_TRUE: keep = value & valid; break;
        case KEEP_NOT_TRUE: keep = ~(value & valid); break;
        default: keep = value | ~valid; break;
        }
        me->mask[w] = keep & (parent->active ? parent->active[w] : ~UINT64_C(0));
    }
    return WR_OK;
}

wr_status wr_scope_enter(wr_program_state *state, form_state *st, uint32_t s, wr_error *err) {
    scope_state *me = &st->scopes[s];
    if (me->generation == state->generation) return WR_OK;
    uint32_t p = st->form->scopes[s].parent;
    WR_TRY(wr_scope_enter(state, st, p, err));
    const scope_state *parent = &st->scopes[p];
    if (s == SCOPE_ROOT) {
        WR_TRY(enter_selected(state, st, err));
    } else if (parent->active_count == 0) {
        me->space = parent->space;
        me->row_count = parent->row_count;
        me->active = parent->active;
        me->active_count = 0;
    } else {
        WR_TRY(make_room(state, me, parent->row_count, err));
        size_t words = wr_bitmap_words(parent->row_count);
        if (st->form->scopes[s].condition == NONE) {
            mask_of_filter(state, st, s);
        } else {
            WR_TRY(mask_of_condition(state, st, s, err));
        }
        if (words) me->mask[words - 1] &= wr_bitmap_tail(parent->row_count);
        settle(state, st, s);
    }
    me->generation = state->generation;
    return WR_OK;
}

const uint16_t *wr_scope_positions(wr_program_state *state, const form_state *st, uint32_t inner, uint32_t outer) {
    const scope_state *in = &st->scopes[inner];
    if (outer == SCOPE_BATCH) return in->rows;
    const uint16_t *rows = st->scopes[outer].rows;
    uint32_t at = 0;
    for (uint32_t i = 0; i < in->row_count; i++) {
        while (rows[at] != in->rows[i]) at++;
        state->positions[i] = (uint16_t)at;
    }
    return state->positions;
}

/* ---- operands ---- */

wr_status wr_operand_value(wr_program_state *state, form_state *st, uint32_t o, const wr_vector **out, wr_error *err) {
    const operand *op = &st->form->operands[o];
    const reg *r = &st->form->regs[op->reg];
    const wr_vector *v = st->regs[op->reg].value;
    uint32_t from = st->scopes[r->scope].space, to = st->scopes[op->scope].space;
    *out = v;
    if (r->constant || from == to || v->kind == WR_CONSTANT) return WR_OK;
    operand_state *mine = &st->operands[o];
    if (mine->generation != state->generation) {
        WR_TRY(wr_vector_gather(&mine->moved, state->allocator, v, wr_scope_positions(state, st, to, from),
                                st->scopes[to].row_count, err));
        mine->generation = state->generation;
    }
    *out = &mine->moved;
    return WR_OK;
}

/* Codes of rows that are NULL are in range, too, as long as the dictionary has an entry. */
static wr_status flatten(wr_program_state *state, wr_vector *to, const wr_vector *v, wr_error *err) {
    const wr_vector *values = wr_vector_dictionary(v);
    bool plain = values->kind == WR_FLAT && values->row_count > 0;
    if (!plain || v->phys == WR_PHYS_VIEW || v->phys >= WR_PHYS_LIST) {
        return wr_vector_flatten(to, state->allocator, v, err);
    }
    const wr_kernels *k = state->program->environment.kernels;
    uint32_t n = v->row_count;
    bool nullable = v->validity || values->validity;
    WR_TRY(wr_vector_prepare(to, state->allocator, v->type, n, nullable, err));
    if (v->phys == WR_PHYS_BOOL) {
        k->bits->lookup(values->data, v->data, n, wr_vector_data_mut(to));
    } else {
        unsigned width = (unsigned)wr_phys_bytes((wr_phys)v->phys);
        k->select->gather32[wr_width_index(width)](values->data, v->data, n, wr_vector_data_mut(to));
    }
    if (values->validity) k->bits->lookup(values->validity, v->data, n, wr_vector_validity_mut(to));
    if (v->validity) k->bits->and_(to->validity, v->validity, n, wr_vector_validity_mut(to));
    return WR_OK;
}

wr_status wr_operand_flat(wr_program_state *state, form_state *st, uint32_t o, const wr_vector **out, wr_error *err) {
    const wr_vector *v;
    WR_TRY(wr_operand_value(state, st, o, &v, err));
    *out = v;
    if (v->kind != WR_DICTIONARY) return WR_OK;
    operand_state *mine = &st->operands[o];
    if (mine->flat_generation != state->generation) {
        WR_TRY(flatten(state, &mine->flat, v, err));
        mine->flat_generation = state->generation;
    }
    *out = &mine->flat;
    return WR_OK;
}
