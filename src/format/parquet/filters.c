/* Which rows of a window pass.
 *
 * Filters run one after the other on what the earlier ones left, in an order that follows measured cost and
 * selectivity; those that are row_wise come last, in the order in which they were written. A filter of one column is
 * asked about the entries of a dictionary once a chunk, and then only looked up by code, unless there are more entries
 * than rows that it would still have to see. When few rows are left, a filter sees those alone, gathered. */
#include "format/parquet/cursor.h"
#include "kernel/bits.h"
#include "kernel/select.h"
#include "os/os.h"

enum {
    TIMED_EVERY = 8, /* windows: looking at the clock costs about as much as a cheap filter */
    ORDERED_EVERY = 64,
    COLUMNS_MAX = 32, /* of a filter that has a zone */
};

static bool is_active(const wr_pq_filter *f) {
    return !f->settled && (!f->filter->active || f->filter->active(f->filter->user));
}

/* ---- zones ---- */

void wr_pq_cursor_use_zones(wr_pq_cursor *c, bool *none) {
    *none = false;
    for (uint32_t i = 0; i < c->filter_count && !*none; i++) {
        wr_pq_filter *f = &c->filters[i];
        wr_column_bounds bounds[COLUMNS_MAX];
        f->settled = false;
        f->answer = WR_PQ_ANSWER_UNKNOWN;
        if (!f->filter->zone || f->filter->column_count > COLUMNS_MAX || !is_active(f)) continue;
        for (uint32_t k = 0; k < f->filter->column_count; k++) {
            c->file->ops->bounds(c->file, c->part, c->columns[f->filter->columns[k]].file_column, &bounds[k]);
        }
        wr_zone_answer answer = f->filter->zone(f->filter->user, bounds);
        f->settled = answer == WR_ZONE_ALL;
        *none = answer == WR_ZONE_NONE;
    }
}

/* ---- order ---- */

/* Nanoseconds for each row that it rejects. */
static double rank_of(const wr_pq_filter *f) {
    double cost = f->timed_rows > 0 ? f->nanoseconds / f->timed_rows : f->filter->cost > 0 ? f->filter->cost : 1;
    double rejected = f->rows > 0 ? 1 - f->passed / f->rows : 0.5;
    return cost / (rejected > 0.001 ? rejected : 0.001);
}

static bool runs_before(const wr_pq_filter *a, const wr_pq_filter *b) {
    if (a->filter->row_wise || b->filter->row_wise) return !a->filter->row_wise && b->filter->row_wise;
    return rank_of(a) < rank_of(b);
}

void wr_pq_cursor_order_filters(wr_pq_cursor *c) {
    for (uint32_t i = 1; i < c->filter_count; i++) {
        wr_pq_filter moved = c->filters[i];
        uint32_t at = i;
        for (; at > 0 && runs_before(&moved, &c->filters[at - 1]); at--) c->filters[at] = c->filters[at - 1];
        c->filters[at] = moved;
    }
    for (uint32_t i = 0; i < c->filter_count; i++) {
        wr_pq_filter *f = &c->filters[i];
        f->rows /= 2;
        f->passed /= 2;
        f->timed_rows /= 2;
        f->nanoseconds /= 2;
    }
}

/* ---- the rows that are left ---- */

static void keep_none(wr_pq_cursor *c) {
    c->window_passed = 0;
}

/* Narrows the window to rows that pass in `bits` too. */
static void keep(wr_pq_cursor *c, const uint64_t *bits) {
    const wr_bits_kernels *kernels = c->context.kernels->bits;
    uint32_t n = c->window_rows;
    if (c->window_passed == n) {
        memcpy(c->pass, bits, wr_bitmap_bytes(n));
    } else {
        kernels->and_(c->pass, bits, n, c->pass);
    }
    c->window_passed = kernels->count(c->pass, n);
}

/* Narrows the window to the rows of c->rows whose bit is set. */
static void keep_of_rows(wr_pq_cursor *c, const uint64_t *bits) {
    uint32_t left = c->context.kernels->select->compress[1](c->rows, bits, c->window_passed, c->scratch_rows);
    if (left == c->window_passed) return;
    memset(c->pass, 0, wr_bitmap_bytes(c->window_rows));
    for (uint32_t i = 0; i < left; i++) wr_bit_set(c->pass, c->scratch_rows[i]);
    c->window_passed = left;
}

/* ---- dictionaries ---- */

/* Asks the filter about rows [at, at + n) of flat values. */
static wr_status ask(wr_pq_cursor *c, wr_pq_filter *f, const wr_vector *values, uint32_t at, uint32_t n,
                     wr_error *err) {
    wr_vector slice = *values; /* borrowed */
    slice.row_count = n;
    slice.data = (const uint8_t *)values->data + (size_t)at * wr_phys_bytes((wr_phys)values->phys);
    const wr_vector *columns[1] = {&slice};
    return f->filter->evaluate(f->filter->user, columns, n, c->scratch_bits, err);
}

static wr_status ask_null(wr_pq_cursor *c, wr_pq_filter *f, const wr_vector *values, wr_error *err) {
    uint64_t none = 0;
    wr_vector null = *values;
    null.row_count = 1;
    null.validity = &none;
    const wr_vector *columns[1] = {&null};
    WR_TRY(f->filter->evaluate(f->filter->user, columns, 1, c->scratch_bits, err));
    f->passes_null = wr_bit_get(c->scratch_bits, 0);
    return WR_OK;
}

static wr_status ask_entries(wr_pq_cursor *c, wr_pq_filter *f, wr_pq_reader *r, wr_error *err) {
    WR_TRY(wr_pq_reader_load_dictionary(r, err));
    const wr_vector *values = &r->dictionary.set->items[0];
    uint32_t count = values->row_count, passed = 0;
    WR_TRY(wr_buffer_recycle(&f->entries, c->allocator, wr_bitmap_bytes(count), err));
    uint64_t *bits = (uint64_t *)f->entries->data;
    for (uint32_t at = 0; at < count; at += c->batch_rows) {
        uint32_t n = count - at < c->batch_rows ? count - at : c->batch_rows;
        WR_TRY(ask(c, f, values, at, n, err));
        passed += c->context.kernels->bits->count(c->scratch_bits, n);
        wr_bitmap_copy(bits, at, c->scratch_bits, 0, n);
    }
    f->passes_null = false;
    if (r->leaf->definition_max) WR_TRY(ask_null(c, f, values, err));
    bool nulls_fail = !r->leaf->definition_max || !f->passes_null,
         nulls_pass = !r->leaf->definition_max || f->passes_null;
    f->passes_none = passed == 0 && nulls_fail;
    f->passes_all = passed == count && nulls_pass;
    f->answer = WR_PQ_ANSWER_KNOWN;
    return WR_OK;
}

/* Rows of the part that the filter would still have to see, as things look now. */
static double rows_ahead(const wr_pq_cursor *c) {
    double rows = 0;
    for (uint32_t i = c->range_at; i < c->range_count; i++) rows += (double)(c->ranges[i].end - c->ranges[i].first);
    if (c->range_at < c->range_count) rows -= (double)(c->row - c->ranges[c->range_at].first);
    return rows * c->window_passed / c->window_rows;
}

static void look_up(wr_pq_cursor *c, const wr_pq_filter *f, const wr_vector *v) {
    const wr_bits_kernels *kernels = c->context.kernels->bits;
    uint32_t n = c->window_rows;
    kernels->lookup((const uint64_t *)f->entries->data, v->data, n, c->scratch_bits);
    if (v->validity && f->passes_null) {
        kernels->not_(v->validity, n, c->more_bits);
        kernels->or_(c->scratch_bits, c->more_bits, n, c->scratch_bits);
    } else if (v->validity) {
        kernels->and_(c->scratch_bits, v->validity, n, c->scratch_bits);
    }
    keep(c, c->scratch_bits);
}

/* Tries to answer by the dictionary. *done: it did. */
static wr_status filter_codes(wr_pq_cursor *c, wr_pq_filter *f, bool *done, uint64_t *skip, wr_error *err) {
    wr_pq_reader *r = &c->readers[f->filter->columns[0]];
    bool codes = r->vector.kind == WR_DICTIONARY;
    uint32_t left = 0;
    *done = false;
    if (!wr_pq_reader_has(r, c->window_row, c->window_rows)) {
        WR_TRY(wr_pq_reader_find(r, c->window_row, &codes, &left, err));
    }
    if (!codes || !r->dictionary.found) return WR_OK;
    if (f->answer == WR_PQ_ANSWER_UNKNOWN && r->dictionary.header.value_count > rows_ahead(c)) {
        f->answer = WR_PQ_ANSWER_USELESS;
    }
    if (f->answer == WR_PQ_ANSWER_USELESS) return WR_OK;
    if (f->answer == WR_PQ_ANSWER_UNKNOWN) WR_TRY(ask_entries(c, f, r, err));
    *done = f->passes_none || f->passes_all;
    if (*done && left < c->window_rows) {
        *done = false; /* other pages may have values in place of codes */
    } else if (f->passes_none) {
        keep_none(c);
        if (left - c->window_rows > *skip) *skip = left - c->window_rows;
    }
    if (*done) return WR_OK;
    WR_TRY(wr_pq_reader_read(r, c->window_row, c->window_rows, err));
    if (r->vector.kind != WR_DICTIONARY) return WR_OK;
    look_up(c, f, &r->vector);
    *done = true;
    return WR_OK;
}

/* ---- values ---- */

/* The column's rows for the filter: all of the window, or those in c->rows. A dictionary of more entries than rows is
 * exchanged for values. */
static wr_status column_for(wr_pq_cursor *c, wr_pq_filter *f, uint32_t k, bool few, wr_error *err) {
    wr_pq_reader *r = &c->readers[f->filter->columns[k]];
    WR_TRY(wr_pq_reader_read(r, c->window_row, c->window_rows, err));
    WR_TRY(wr_pq_reader_attach(r, err));
    const wr_vector *v = &r->vector;
    if (few) {
        WR_TRY(wr_vector_gather(&f->gathered[k], c->allocator, v, c->rows, c->window_passed, err));
        v = &f->gathered[k];
    }
    if (v->kind == WR_DICTIONARY && wr_vector_dictionary(v)->row_count > v->row_count) {
        WR_TRY(wr_vector_flatten(&f->flattened[k], c->allocator, v, err));
        v = &f->flattened[k];
    }
    f->vectors[k] = v;
    return WR_OK;
}

/* Vectors that show nothing of a reader's are kept, to be written again. */
static void let_go(wr_vector *v) {
    if (v->heap || v->children) wr_vector_deinit(v);
}

static wr_status filter_values(wr_pq_cursor *c, wr_pq_filter *f, wr_error *err) {
    uint32_t n = c->window_rows, count = f->filter->column_count;
    bool few = c->window_passed < n && (f->filter->row_wise || c->window_passed < n / 2);
    if (few) c->context.kernels->bits->rows(c->pass, n, 0, c->rows);
    wr_status status = WR_OK;
    for (uint32_t k = 0; k < count && status == WR_OK; k++) status = column_for(c, f, k, few, err);
    uint32_t asked = few ? c->window_passed : n;
    if (status == WR_OK) status = f->filter->evaluate(f->filter->user, f->vectors, asked, c->scratch_bits, err);
    for (uint32_t k = 0; k < count; k++) {
        let_go(&f->gathered[k]);
        let_go(&f->flattened[k]);
    }
    WR_TRY(status);
    if (few) {
        keep_of_rows(c, c->scratch_bits);
    } else {
        keep(c, c->scratch_bits);
    }
    return WR_OK;
}

static wr_status run(wr_pq_cursor *c, wr_pq_filter *f, uint64_t *skip, wr_error *err) {
    bool done = false;
    if (f->filter->column_count == 1 && !f->filter->row_wise) WR_TRY(filter_codes(c, f, &done, skip, err));
    return done ? WR_OK : filter_values(c, f, err);
}

wr_status wr_pq_cursor_filter(wr_pq_cursor *c, uint32_t n, uint64_t *skip, wr_error *err) {
    bool timed = c->windows % TIMED_EVERY == 1;
    if (c->windows++ % ORDERED_EVERY == ORDERED_EVERY - 1) wr_pq_cursor_order_filters(c);
    c->window_row = c->row;
    c->window_rows = c->window_passed = n;
    *skip = 0;
    for (uint32_t i = 0; i < c->filter_count && c->window_passed; i++) {
        wr_pq_filter *f = &c->filters[i];
        if (!is_active(f)) continue;
        uint32_t before = c->window_passed;
        int64_t start = timed ? wr_clock_monotonic_ns() : 0;
        WR_TRY(run(c, f, skip, err));
        if (timed) {
            f->nanoseconds += (double)(wr_clock_monotonic_ns() - start);
            f->timed_rows += before;
        }
        f->rows += before;
        f->passed += c->window_passed;
    }
    return WR_OK;
}
