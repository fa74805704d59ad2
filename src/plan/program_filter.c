/* Filters: conjuncts in the order that throws away most rows for the least work.
 *
 * Each term's share of rows that pass is counted always, its time on a few batches; a term's rank is the rows that it
 * removes for a nanosecond. Terms that can fail keep the written order and run after all others: they see the fewest rows,
 * and none that the written order would have kept from them. */
#include "kernel/bits.h"
#include "os/os.h"
#include "plan/program_internal.h"

enum {
    TIMED_AT_FIRST = 4, /* batches that are timed before the first reordering */
    TIMED_EVERY = 32,   /* and then one of so many */
    REORDER_EVERY = 16,
    FORGET_EVERY = 256, /* batches after which what was measured counts half */
};

static double rank_of(const conjunct *c, const conjunct_state *seen) {
    double removed = seen->rows_in > 0 ? 1 - seen->rows_out / seen->rows_in : 0.5;
    double cost = seen->rows_timed > 0 ? seen->nanoseconds / seen->rows_timed : (double)c->cost_ns;
    return removed / (cost + 0.02);
}

static void reorder(form_state *st) {
    const form *f = st->form;
    for (uint32_t i = 1; i < f->conjunct_count; i++) {
        uint32_t moving = st->order[i], at = i;
        double rank = rank_of(&f->conjuncts[moving], &st->conjuncts[moving]);
        for (; at > 0; at--) {
            uint32_t before = st->order[at - 1];
            bool fails = f->conjuncts[moving].can_fail, other_fails = f->conjuncts[before].can_fail;
            bool earlier = fails != other_fails ? other_fails
                           : fails              ? moving < before
                                                : rank > rank_of(&f->conjuncts[before], &st->conjuncts[before]);
            if (!earlier) break;
            st->order[at] = before;
        }
        st->order[at] = moving;
    }
}

static void forget(form_state *st) {
    for (uint32_t i = 0; i < st->form->conjunct_count; i++) {
        conjunct_state *c = &st->conjuncts[i];
        *c = (conjunct_state){c->rows_in / 2, c->rows_out / 2, c->nanoseconds / 2, c->rows_timed / 2};
    }
}

/* Clears the bits of rows for which the term is not true. */
static void keep_true(wr_program_state *state, const form_state *st, uint32_t s, const wr_vector *v,
                      uint32_t row_count) {
    const scope_state *sc = &st->scopes[s];
    if (sc->space == SCOPE_BATCH) {
        size_t words = wr_bitmap_words(row_count);
        for (size_t w = 0; w < words; w++) state->pass[w] &= wr_value_word(v, w) & wr_valid_word(v, w);
        return;
    }
    const uint16_t *rows = st->scopes[sc->space].rows;
    for (uint32_t w = 0; w * 64 < sc->row_count; w++) {
        uint64_t drop = ~(wr_value_word(v, w) & wr_valid_word(v, w));
        uint32_t left = sc->row_count - w * 64;
        if (left < 64) drop &= wr_bitmap_tail(left);
        for (; drop; drop &= drop - 1) wr_bit_clear(state->pass, rows[w * 64 + (uint32_t)__builtin_ctzll(drop)]);
    }
}

static wr_status run_conjunct(wr_program_state *state, form_state *st, const conjunct *c, uint32_t row_count,
                              wr_error *err) {
    WR_TRY(wr_scope_enter(state, st, c->scope, err));
    for (uint32_t i = 0; i < c->step_count; i++) {
        WR_TRY(wr_step_run(state, st, st->form->needs[c->first_step + i], err));
    }
    const wr_vector *v;
    WR_TRY(wr_operand_flat(state, st, c->value, &v, err));
    keep_true(state, st, c->scope, v, row_count);
    return WR_OK;
}

static wr_status run_terms(wr_program_state *state, form_state *st, uint32_t row_count, wr_error *err) {
    const form *f = st->form;
    const wr_bits_kernels *bits = state->program->environment.kernels->bits;
    uint64_t batch = state->batches++;
    bool several = f->conjunct_count > 1;
    bool timed = several && (batch < TIMED_AT_FIRST || batch % TIMED_EVERY == 0);
    if (several && (batch == TIMED_AT_FIRST || batch % REORDER_EVERY == 0)) reorder(st); /* at 0 by known costs */
    if (several && batch % FORGET_EVERY == FORGET_EVERY - 1) forget(st);
    uint32_t left = bits->count(state->pass, row_count);
    for (uint32_t i = 0; i < f->conjunct_count && left; i++) {
        uint32_t number = st->order[i];
        conjunct_state *seen = &st->conjuncts[number];
        int64_t started = timed ? wr_clock_monotonic_ns() : 0;
        WR_TRY(run_conjunct(state, st, &f->conjuncts[number], row_count, err));
        uint32_t before = left;
        left = bits->count(state->pass, row_count);
        seen->rows_in += before;
        seen->rows_out += left;
        if (timed) {
            seen->nanoseconds += (double)(wr_clock_monotonic_ns() - started);
            seen->rows_timed += row_count;
        }
    }
    return WR_OK;
}

static wr_status run_filter(wr_program_state *state, uint32_t row_count, uint64_t *pass, wr_error *err) {
    if (!state->program->is_filter) return wr_fail(err, WR_INTERNAL, "a filter's expressions are not all boolean");
    if (row_count == 0) return WR_OK;
    form_state *st = &state->filter;
    state->pass = pass;
    pass[wr_bitmap_words(row_count) - 1] &= wr_bitmap_tail(row_count);
    WR_TRY(wr_state_begin(state, st, &state->program->filter, row_count, err));
    WR_TRY(wr_scope_enter(state, st, SCOPE_ROOT, err));
    wr_status status = run_terms(state, st, row_count, err);
    wr_state_end(st);
    return status;
}

wr_status wr_program_filter(wr_program_state *state, const wr_batch *batch, uint64_t *pass, wr_error *err) {
    for (uint32_t i = 0; i < state->program->input_count; i++) state->batch_inputs[i] = &batch->columns[i];
    state->inputs = state->batch_inputs;
    state->selection = NULL;
    wr_bitmap_fill(pass, batch->row_count, !batch->sel);
    for (uint32_t i = 0; batch->sel && i < batch->sel_count; i++) wr_bit_set(pass, batch->sel[i]);
    return run_filter(state, batch->row_count, pass, err);
}

wr_status wr_program_filter_vectors(wr_program_state *state, const wr_vector *const *columns, uint32_t row_count,
                                    uint64_t *pass, wr_error *err) {
    for (uint32_t i = 0; i < state->program->input_count; i++) state->batch_inputs[i] = columns[i];
    state->inputs = state->batch_inputs;
    state->selection = NULL;
    wr_bitmap_fill(pass, row_count, true);
    return run_filter(state, row_count, pass, err);
}
