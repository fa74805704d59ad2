/* The share of rows that conditions let pass.
 *
 * Comparisons of a column with constants are collected into one interval a column, so that the two ends of a range are
 * not taken for independent; an interval's share follows from the column's bounds, a value's from the number of values.
 * What says nothing of itself (LIKE, functions) is tried on a sample of the table. The rest is guessed, never as zero:
 * a wrong zero makes every plan above it look free. */
#include <math.h>

#include "optimize/optimize_internal.h"

#define LEAST_SHARE 1e-7

static double clamp(double share) {
    return share < LEAST_SHARE ? LEAST_SHARE : share > 1 ? 1 : share;
}

/* ---- intervals ---- */

typedef struct interval {
    wr_column_id column;
    double low, high;
    bool has_low, has_high;
    double equals; /* how many constants it must be one of; 0: none */
    bool compared; /* with a constant that is no number */
} interval;

typedef struct intervals {
    interval *items;
    uint32_t count, capacity;
} intervals;

static interval *interval_of(wr_estimator *e, intervals *all, wr_column_id column) {
    for (uint32_t i = 0; i < all->count; i++) {
        if (all->items[i].column == column) return &all->items[i];
    }
    interval fresh = {.column = column};
    if (!wr_arena_push(&e->plan->arena, &all->items, &all->count, &all->capacity, sizeof fresh, &fresh)) return NULL;
    return &all->items[all->count - 1];
}

/* column <op> constant, or column IN (constants). */
static bool add_to_interval(wr_estimator *e, intervals *all, const wr_expr *term) {
    wr_compare_op op;
    wr_expr *left, *right;
    double value;
    if (term->kind == WR_EXPR_IN && term->args[0]->kind == WR_EXPR_COLUMN) {
        interval *in = interval_of(e, all, term->args[0]->column);
        if (!in) return false;
        double values = term->arg_count - 1;
        in->equals = in->equals > 0 ? fmin(in->equals, values) : values;
        return true;
    }
    if (!wr_match_compare(term, &op, &left, &right) || left->kind != WR_EXPR_COLUMN || right->kind != WR_EXPR_CONSTANT)
        return false;
    if (op == WR_NE) return false;
    interval *in = interval_of(e, all, left->column);
    if (!in) return false;
    if (op == WR_EQ) {
        in->equals = 1;
    } else if (!wr_value_as_number(&right->value, &value)) {
        in->compared = true;
    } else if (op == WR_LT || op == WR_LE) {
        in->high = in->has_high ? fmin(in->high, value) : value;
        in->has_high = true;
    } else {
        in->low = in->has_low ? fmax(in->low, value) : value;
        in->has_low = true;
    }
    return true;
}

static wr_status interval_share(wr_estimator *e, const interval *in, double *out, wr_error *err) {
    wr_column_fact f;
    WR_TRY(wr_column_fact_of(e, in->column, &f, err));
    *out = 1 - f.null_fraction;
    if (in->equals > 0) {
        *out *= fmin(1, in->equals / (f.guessed ? fmin(f.distinct, 20) : f.distinct));
        return WR_OK;
    }
    if (in->compared) *out /= 3;
    if (!in->has_low && !in->has_high) return WR_OK;
    if (!f.bounded) {
        *out *= in->has_low && in->has_high ? 0.1 : 0.33;
        return WR_OK;
    }
    double low = in->has_low ? fmax(in->low, f.low) : f.low, high = in->has_high ? fmin(in->high, f.high) : f.high;
    double width = f.high - f.low;
    *out *= high < low ? LEAST_SHARE : width > 0 ? fmax((high - low) / width, 1 / f.distinct) : 1;
    return WR_OK;
}

/* ---- samples ---- */

typedef struct sample {
    wr_program_state *state;
} sample;

static wr_status sample_evaluate(void *user, const wr_vector *const *columns, uint32_t n, uint64_t *pass,
                                 wr_error *err) {
    sample *s = user;
    return wr_program_filter_vectors(s->state, columns, n, pass, err);
}

/* Tries the conjunct on the table; negative when it cannot say. What goes wrong in a sample is no error of the query's.
 */
static double sample_share(wr_estimator *e, wr_expr *conjunct, const wr_logical *scan, wr_column_id column,
                           uint32_t place) {
    wr_table *table = scan->scan.table;
    if (!table->ops || !table->ops->sample_selectivity || conjunct->can_fail) return -1;
    wr_allocator *a = e->context->allocator;
    wr_program *program = NULL;
    sample s = {0};
    double share = -1;
    wr_status status = wr_program_compile(&program, a, &conjunct, 1, &column, 1, &e->context->environment, NULL);
    if (status == WR_OK) status = wr_program_state_create(&s.state, program, a, NULL);
    if (status == WR_OK) {
        wr_scan_filter filter = {.cost = 1, .user = &s, .evaluate = sample_evaluate};
        status = table->ops->sample_selectivity(table, place, &filter, &share, NULL);
    }
    if (s.state) wr_program_state_destroy(s.state);
    if (program) wr_program_destroy(program);
    return status == WR_OK ? share : -1;
}

/* The only column that the expression reads, and its place in the scan's table. */
static bool single_column(wr_estimator *e, const wr_expr *expr, const wr_logical *scan, wr_column_id *column,
                          uint32_t *place) {
    wr_column_set read = {0};
    uint32_t found = 0;
    if (!scan || !wr_expr_columns(expr, &e->plan->arena, &read)) return false;
    for (uint32_t i = 0; i < scan->column_count + scan->scan.hidden_count; i++) {
        bool hidden = i >= scan->column_count;
        uint32_t at = hidden ? i - scan->column_count : i;
        wr_column_id id = hidden ? scan->scan.hidden[at] : scan->columns[at];
        if (!wr_column_set_has(&read, id)) continue;
        *column = id;
        *place = hidden ? scan->scan.hidden_positions[at] : scan->scan.table_columns[at];
        found++;
    }
    return found == 1;
}

/* ---- one condition ---- */

static wr_status share_of(wr_estimator *e, wr_expr *term, const wr_logical *scan, double *out, wr_error *err);

/* What an OR over several tables implies for each of them is filtered there already, and not to be counted again. */
static wr_status discount_implied(wr_estimator *e, wr_expr *either, const wr_logical *scan, double *share,
                                  wr_error *err) {
    const wr_logical *scans[16];
    uint32_t count;
    if (scan) return WR_OK;
    WR_TRY(wr_scans_read(e, either, scans, WR_COUNT_OF(scans), &count, err));
    for (uint32_t i = 0; i < count && count > 1; i++) {
        wr_column_set columns = {0};
        wr_expr *implied;
        double part;
        WR_NEED(wr_add_outputs(&columns, &e->plan->arena, scans[i]));
        WR_TRY(wr_implied_by_or(e->plan, either, &columns, &implied, err));
        if (!implied) continue;
        WR_TRY(share_of(e, implied, scans[i], &part, err));
        *share = fmin(1, *share / part);
    }
    return WR_OK;
}

static wr_status share_of_or(wr_estimator *e, wr_expr *term, const wr_logical *scan, double *out, wr_error *err) {
    double none = 1;
    for (uint32_t i = 0; i < term->arg_count; i++) {
        double share;
        WR_TRY(share_of(e, term->args[i], scan, &share, err));
        none *= 1 - share;
    }
    *out = 1 - none;
    return discount_implied(e, term, scan, out, err);
}

static wr_status share_of_compare(wr_estimator *e, wr_compare_op op, const wr_expr *left, const wr_expr *right,
                                  double *out, wr_error *err) {
    wr_column_fact l, r;
    WR_TRY(wr_distinct_of(e, left, &l, err));
    WR_TRY(wr_distinct_of(e, right, &r, err));
    double equal = 1 / fmax(1, fmax(l.distinct, r.distinct));
    bool constant = right->kind == WR_EXPR_CONSTANT;
    if (op == WR_EQ || op == WR_NE) {
        if (l.guessed && constant) equal = fmax(equal, 0.05);
        *out = op == WR_EQ ? equal : 1 - equal;
    } else {
        *out = constant ? 0.2 : 0.5;
    }
    return WR_OK;
}

/* What neither its form nor a sample tells. */
static double default_share(const wr_expr *term) {
    if (wr_is_call(term, "~~", 2) || wr_is_call(term, "~~", 3)) return 0.1;
    if (wr_is_call(term, "!~~", 2) || wr_is_call(term, "!~~", 3)) return 0.9;
    if (wr_is_call(term, "is_not_distinct_from", 2)) return 0.1;
    return term->kind == WR_EXPR_COLUMN ? 0.5 : 0.25;
}

static wr_status share_of_in(wr_estimator *e, const wr_expr *term, double *out, wr_error *err) {
    wr_column_fact f;
    WR_TRY(wr_distinct_of(e, term->args[0], &f, err));
    double values = f.guessed ? fmin(f.distinct, 20) : f.distinct;
    *out = fmin(1, (term->arg_count - 1) / fmax(1, values));
    return WR_OK;
}

static wr_status share_of_null(wr_estimator *e, const wr_expr *operand, double *out, wr_error *err) {
    wr_column_fact f;
    *out = 0.1;
    if (operand->kind != WR_EXPR_COLUMN) return WR_OK;
    WR_TRY(wr_column_fact_of(e, operand->column, &f, err));
    *out = f.null_fraction;
    return WR_OK;
}

static wr_status share_of(wr_estimator *e, wr_expr *term, const wr_logical *scan, double *out, wr_error *err) {
    wr_compare_op op;
    wr_expr *left, *right;
    wr_column_id column = 0;
    uint32_t place = 0;
    wr_status status = WR_OK;
    if (wr_is_true(term)) {
        *out = 1;
    } else if (wr_is_false_or_null(term)) {
        *out = LEAST_SHARE;
    } else if (term->kind == WR_EXPR_OR) {
        status = share_of_or(e, term, scan, out, err);
    } else if (term->kind == WR_EXPR_AND) {
        status = wr_selectivity(e, term->args, term->arg_count, scan, out, err);
    } else if (term->kind == WR_EXPR_NOT) {
        status = share_of(e, term->args[0], scan, out, err);
        *out = 1 - *out;
    } else if (term->kind == WR_EXPR_IS_NULL) {
        status = share_of_null(e, term->args[0], out, err);
    } else {
        intervals one = {0};
        if (add_to_interval(e, &one, term)) {
            status = interval_share(e, &one.items[0], out, err);
        } else if (single_column(e, term, scan, &column, &place) &&
                   (*out = sample_share(e, term, scan, column, place)) >= 0) {
            *out = fmax(*out, 1e-4); /* none in a small sample is not none */
        } else if (term->kind == WR_EXPR_IN) {
            status = share_of_in(e, term, out, err);
        } else if (wr_match_compare(term, &op, &left, &right)) {
            status = share_of_compare(e, op, left, right, out, err);
        } else {
            *out = default_share(term);
        }
    }
    if (status == WR_OK) *out = clamp(*out);
    return status;
}

wr_status wr_selectivity(wr_estimator *e, wr_expr *const *conjuncts, uint32_t count, const wr_logical *scan,
                         double *out, wr_error *err) {
    intervals all = {0};
    *out = 1;
    for (uint32_t i = 0; i < count; i++) {
        double share;
        if (add_to_interval(e, &all, conjuncts[i])) continue;
        WR_TRY(share_of(e, conjuncts[i], scan, &share, err));
        *out *= share;
    }
    for (uint32_t i = 0; i < all.count; i++) {
        double share;
        WR_TRY(interval_share(e, &all.items[i], &share, err));
        *out *= clamp(share);
    }
    *out = clamp(*out);
    return WR_OK;
}

/* ---- join keys ---- */

/* How many values both sides choose from. When a key looks unique on a side whose range the other shares, the other's
 * values are taken from it. */
static double key_domain(const wr_column_fact *l, const wr_column_fact *r) {
    bool unique_left = l->distinct >= 0.9 * l->source_rows, unique_right = r->distinct >= 0.9 * r->source_rows;
    if (unique_left != unique_right) return fmax(1, unique_left ? l->distinct : r->distinct);
    return fmax(1, fmax(l->distinct, r->distinct));
}

/* Where both sides are filtered on the key itself, they choose from what passed. */
static wr_status own_share(wr_estimator *e, const wr_expr *key, double *out, wr_error *err) {
    *out = 1;
    if (key->kind != WR_EXPR_COLUMN || key->column >= e->column_count) return WR_OK;
    const wr_logical *scan = e->makers[key->column];
    if (!scan || scan->kind != WR_LOGICAL_SCAN) return WR_OK;
    intervals all = {0};
    for (uint32_t i = 0; i < scan->scan.conjunct_count; i++) (void)add_to_interval(e, &all, scan->scan.conjuncts[i]);
    for (uint32_t i = 0; i < all.count; i++) {
        if (all.items[i].column == key->column) WR_TRY(interval_share(e, &all.items[i], out, err));
    }
    *out = clamp(*out);
    return WR_OK;
}

wr_status wr_key_selectivity(wr_estimator *e, const wr_key_pair *keys, uint32_t count, double *out, wr_error *err) {
    double domain = 1, left = 1, right = 1, left_rows = 1, right_rows = 1;
    for (uint32_t i = 0; i < count; i++) {
        wr_column_fact l, r;
        WR_TRY(wr_distinct_of(e, keys[i].left, &l, err));
        WR_TRY(wr_distinct_of(e, keys[i].right, &r, err));
        double share_left, share_right;
        WR_TRY(own_share(e, keys[i].left, &share_left, err));
        WR_TRY(own_share(e, keys[i].right, &share_right, err));
        domain *= fmax(1, key_domain(&l, &r) * fmax(share_left, share_right));
        left *= l.distinct;
        right *= r.distinct;
        left_rows = fmax(left_rows, l.source_rows);
        right_rows = fmax(right_rows, r.source_rows);
    }
    /* Several columns have no more combinations than rows; the smaller side is then taken to hold all there are. */
    if (count > 1 && (left > left_rows || right > right_rows)) {
        domain = fmin(domain, fmin(fmin(left, left_rows), fmin(right, right_rows)));
    }
    *out = clamp(1 / fmax(1, domain));
    return WR_OK;
}
