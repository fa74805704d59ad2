/* What comes out of a probe: pairs and chosen rows, through the batch they came in or gathered into another; see
 * join_probe.c. */
#include "exec/join_internal.h"

/* ---- what comes out ---- */

/* Positions below this have had all their pairs. */
static uint32_t complete_below(const wr_join_prober *p) {
    if (p->exhausted) return p->count;
    return p->table->index == WR_INDEX_NONE ? p->cursor.candidate : p->candidates.rows[p->cursor.candidate];
}

/* The pairs found, and among them, where they belong, the rows that have none. */
void wr_prober_merge_unmatched(wr_join_prober *p) {
    uint32_t pair = 0, out = 0, complete = complete_below(p);
    for (uint32_t row = p->merged_to; row < complete; row++) {
        if (!wr_bit_get(p->row_true, row)) {
            p->emit_rows[out] = (uint16_t)row;
            p->emit_ids[out++] = WR_JOIN_NO_ROW;
        }
        for (; pair < p->pair_count && p->pair_rows[pair] == row; pair++) {
            p->emit_rows[out] = (uint16_t)row;
            p->emit_ids[out++] = p->pair_ids[pair];
        }
    }
    for (; pair < p->pair_count; pair++) {
        p->emit_rows[out] = p->pair_rows[pair];
        p->emit_ids[out++] = p->pair_ids[pair];
    }
    p->merged_to = complete;
    p->emit_count = out;
}

/* It is enough to know whether there is a NULL on either side: the answer for rows without a match. */
static void spread_nulls(wr_join_prober *p) {
    const wr_join *join = p->join;
    bool any = join->build_rows > 0, any_null = join->build_null_rows > 0;
    for (uint32_t w = 0; w < wr_bitmap_words(p->count); w++) {
        uint64_t has_key = p->keys.valid ? p->keys.valid[w] : ~UINT64_C(0);
        p->row_unknown[w] = (any_null ? has_key : 0) | (any ? ~has_key : 0);
    }
}

void wr_prober_choose_rows(wr_join_prober *p) {
    const wr_join *join = p->join;
    uint32_t words = (uint32_t)wr_bitmap_words(p->count);
    if (join->three_valued && join->simple_nulls) spread_nulls(p);
    for (uint32_t w = 0; w < words; w++) {
        uint64_t is_true = p->row_true[w], unknown = p->row_unknown[w];
        switch ((wr_join_kind)join->kind) {
        case WR_JOIN_SEMI: p->row_pass[w] = is_true; break;
        case WR_JOIN_MARK: p->row_pass[w] = ~UINT64_C(0); break;
        case WR_JOIN_ANTI_NULL_AWARE: p->row_pass[w] = ~(is_true | unknown); break;
        default: p->row_pass[w] = ~is_true; break;
        }
    }
    p->emit_count = join->kernels->bits->rows(p->row_pass, p->count, 0, p->emit_rows);
    if (join->keeps_probe) memset(p->emit_ids, 0xff, sizeof(uint32_t) * p->emit_count);
    p->emit_at = 0;
    p->one_each = true;
}

/* ---- through ---- */

static bool goes_through(const wr_join_prober *p) {
    return p->one_each && p->emit_count > 0 && p->emit_count >= p->in->row_count / 2;
}

/* The input's columns are let go as soon as the batch is used up, so that their source can write into them again. */
static void release_through(wr_join_prober *p) {
    if (!p->through_given) return;
    for (uint32_t c = 0; c < p->join->output_count; c++) {
        if (p->join->outputs[c].side == WR_JOIN_PROBE) wr_vector_deinit(&p->through.columns[c]);
    }
    p->through_given = false;
}

/* By row of the batch: the id that goes with it. Rows that do not come out have any. */
static const uint32_t *align_ids(wr_join_prober *p) {
    uint32_t rows = p->in->row_count;
    if (p->emit_count == rows) return p->emit_ids;
    uint32_t any = p->table->row_count ? 0 : WR_JOIN_NO_ROW;
    for (uint32_t i = 0; i < rows; i++) p->aligned_ids[i] = any;
    for (uint32_t i = 0; i < p->emit_count; i++) {
        p->aligned_ids[p->rows ? p->rows[p->emit_rows[i]] : p->emit_rows[i]] = p->emit_ids[i];
    }
    return p->aligned_ids;
}

static wr_status mark_through(wr_join_prober *p, wr_vector *to, wr_error *err) {
    WR_TRY(wr_vector_prepare(to, p->allocator, wr_type_of(WR_TYPE_BOOLEAN), p->in->row_count, true, err));
    uint64_t *values = wr_vector_data_mut(to), *valid = wr_vector_validity_mut(to);
    for (uint32_t i = 0; i < p->count; i++) {
        uint32_t row = p->rows ? p->rows[i] : i;
        bool is_true = wr_bit_get(p->row_true, i);
        wr_bit_put(values, row, is_true);
        wr_bit_put(valid, row, is_true || !wr_bit_get(p->row_unknown, i));
    }
    return WR_OK;
}

static wr_status select_through(wr_join_prober *p, wr_error *err) {
    wr_batch *to = &p->through;
    wr_batch_set_rows(to, p->in->row_count);
    if (p->emit_count == p->in->row_count) return WR_OK;
    WR_TRY(wr_buffer_recycle(&to->sel_buffer, p->allocator, sizeof(uint16_t) * p->emit_count, err));
    uint16_t *sel = (uint16_t *)(void *)to->sel_buffer->data;
    for (uint32_t i = 0; i < p->emit_count; i++) sel[i] = p->rows ? p->rows[p->emit_rows[i]] : p->emit_rows[i];
    to->sel = sel;
    to->sel_count = p->emit_count;
    return WR_OK;
}

static wr_status pass_through(wr_join_prober *p, wr_batch **out, wr_error *err) {
    const wr_join *join = p->join;
    const uint32_t *ids = NULL;
    p->through_given = true;
    for (uint32_t c = 0; c < join->output_count; c++) {
        wr_vector *to = &p->through.columns[c];
        const wr_join_column *from = &join->outputs[c];
        if (from->side == WR_JOIN_PROBE) {
            wr_vector_share(to, &p->in->columns[from->column]);
        } else if (from->side == WR_JOIN_MARKED) {
            WR_TRY(mark_through(p, to, err));
        } else {
            if (!ids) ids = align_ids(p);
            const wr_vector *column = &p->table->columns[join->store.slots[from->column]];
            WR_TRY(wr_vector_gather32(to, p->allocator, column, ids, p->in->row_count, err));
        }
    }
    WR_TRY(select_through(p, err));
    p->emit_at = p->emit_count;
    *out = &p->through;
    return WR_OK;
}

/* ---- gathered ---- */

static bool accepts(const wr_join_prober *p) {
    const wr_join *join = p->join;
    for (uint32_t c = 0; c < join->output_count; c++) {
        const wr_join_column *from = &join->outputs[c];
        const wr_vector *v = NULL;
        if (from->side == WR_JOIN_PROBE) v = &p->in->columns[from->column];
        if (from->side == WR_JOIN_BUILD) v = &p->table->columns[join->store.slots[from->column]];
        if (v && !wr_batch_builder_accepts(&p->out, c, v)) return false;
    }
    return true;
}

static wr_status add_marks(wr_join_prober *p, uint32_t column, uint32_t first, uint32_t count, wr_error *err) {
    uint64_t *values = p->keep, *valid = p->truth;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = p->emit_rows[first + i];
        bool is_true = wr_bit_get(p->row_true, row);
        wr_bit_put(values, i, is_true);
        wr_bit_put(valid, i, is_true || !wr_bit_get(p->row_unknown, row));
    }
    return wr_batch_builder_add_bits(&p->out, column, values, valid, count, err);
}

static wr_status add_rows(wr_join_prober *p, uint32_t first, uint32_t count, wr_error *err) {
    const wr_join *join = p->join;
    const uint16_t *rows = p->emit_rows + first;
    if (p->rows) {
        for (uint32_t i = 0; i < count; i++) p->physical[i] = p->rows[rows[i]];
        rows = p->physical;
    }
    for (uint32_t c = 0; c < join->output_count; c++) {
        const wr_join_column *from = &join->outputs[c];
        if (from->side == WR_JOIN_PROBE) {
            WR_TRY(wr_batch_builder_add16(&p->out, c, &p->in->columns[from->column], rows, count, err));
        } else if (from->side == WR_JOIN_MARKED) {
            WR_TRY(add_marks(p, c, first, count, err));
        } else {
            const wr_vector *column = &p->table->columns[join->store.slots[from->column]];
            WR_TRY(wr_batch_builder_add32(&p->out, c, column, p->emit_ids + first, count, err));
        }
    }
    wr_batch_builder_commit(&p->out, count);
    return WR_OK;
}

wr_status wr_prober_emit(wr_join_prober *p, wr_batch **out, wr_error *err) {
    *out = NULL;
    release_through(p);
    if (p->emit_at == 0 && goes_through(p)) {
        *out = wr_prober_flush(p); /* rows that came before */
        return *out ? WR_OK : pass_through(p, out, err);
    }
    while (p->emit_at < p->emit_count) {
        uint32_t left = p->emit_count - p->emit_at, room = wr_batch_builder_room(&p->out);
        uint32_t count = left < room ? left : room;
        if (!accepts(p)) {
            *out = wr_prober_flush(p);
            return WR_OK;
        }
        WR_TRY(add_rows(p, p->emit_at, count, err));
        p->emit_at += count;
        if (wr_batch_builder_room(&p->out) == 0) {
            *out = wr_prober_flush(p);
            return WR_OK;
        }
    }
    if (p->out.row_count >= (p->out.capacity + 1) / 2) *out = wr_prober_flush(p);
    return WR_OK;
}

wr_batch *wr_prober_flush(wr_join_prober *p) {
    return p->out.row_count ? wr_batch_builder_take(&p->out) : NULL;
}

/* ---- rows of the table ---- */

wr_status wr_prober_add_table_rows(wr_join_prober *p, const uint32_t *ids, uint32_t count, const uint64_t *mark,
                                   const uint64_t *mark_valid, wr_error *err) {
    const wr_join *join = p->join;
    for (uint32_t c = 0; c < join->output_count; c++) {
        const wr_join_column *from = &join->outputs[c];
        if (from->side == WR_JOIN_PROBE) {
            WR_TRY(wr_batch_builder_add_nulls(&p->out, c, count, err));
        } else if (from->side == WR_JOIN_MARKED) {
            WR_TRY(wr_batch_builder_add_bits(&p->out, c, mark, mark_valid, count, err));
        } else {
            const wr_vector *column = &p->table->columns[join->store.slots[from->column]];
            WR_TRY(wr_batch_builder_add32(&p->out, c, column, ids, count, err));
        }
    }
    wr_batch_builder_commit(&p->out, count);
    return WR_OK;
}
