/* What is believed of columns: how many values they have, between which bounds, in how many rows. Footers tell it of
 * scans' columns; of what is computed from them it is derived. All of it is for estimates alone. */
#include <math.h>

#include "optimize/optimize_internal.h"

enum { UNKNOWN_SHARE = 10 }; /* of a column that nothing is known of, one value in ten rows is new */

static wr_status note_maker(wr_logical **slot, void *user, wr_error *err) {
    wr_estimator *e = user;
    wr_logical *node = *slot;
    (void)err;
    if (node->kind == WR_LOGICAL_PROJECT || node->kind == WR_LOGICAL_AGGREGATE) {
        bool project = node->kind == WR_LOGICAL_PROJECT;
        const wr_named_expr *items = project ? node->project.items : node->aggregate.keys;
        uint32_t count = project ? node->project.count : node->aggregate.key_count;
        for (uint32_t i = 0; i < count; i++) {
            if (!wr_is_pass(&items[i])) e->makers[items[i].id] = node;
        }
        for (uint32_t i = 0; !project && i < node->aggregate.aggregate_count; i++) {
            e->makers[node->aggregate.aggregates[i].id] = node;
        }
        return WR_OK;
    }
    if (node->kind == WR_LOGICAL_JOIN && node->join.mark) e->makers[node->join.mark] = node;
    bool makes =
        node->kind == WR_LOGICAL_SCAN || node->kind == WR_LOGICAL_VALUES || node->kind == WR_LOGICAL_SET_OPERATION;
    for (uint32_t i = 0; makes && i < node->column_count; i++) e->makers[node->columns[i]] = node;
    for (uint32_t i = 0; node->kind == WR_LOGICAL_SCAN && i < node->scan.hidden_count; i++) {
        e->makers[node->scan.hidden[i]] = node;
    }
    return WR_OK;
}

wr_status wr_estimator_init(wr_estimator *e, wr_plan *plan, const wr_optimizer_context *context, wr_error *err) {
    *e = (wr_estimator){.plan = plan, .context = context, .column_count = plan->column_count};
    WR_NEED(e->makers = WR_ARENA_ARRAY(&plan->arena, wr_logical *, plan->column_count + 1));
    WR_NEED(e->facts = WR_ARENA_ARRAY(&plan->arena, wr_column_fact, plan->column_count + 1));
    wr_walk walk = {.plan = plan, .visit = note_maker, .user = e};
    return wr_walk_up(&walk, &plan->root, err);
}

/* ---- values as numbers ---- */

bool wr_value_as_number(const wr_value *v, double *out) {
    if (v->is_null) return false;
    switch (wr_type_phys(v->type)) {
    case WR_PHYS_BOOL: *out = v->boolean; break;
    case WR_PHYS_I8:
    case WR_PHYS_I16:
    case WR_PHYS_I32:
    case WR_PHYS_I64: *out = (double)v->i64; break;
    case WR_PHYS_U8:
    case WR_PHYS_U16:
    case WR_PHYS_U32:
    case WR_PHYS_U64: *out = (double)v->u64; break;
    case WR_PHYS_I128: *out = (double)v->i128; break;
    case WR_PHYS_F32:
    case WR_PHYS_F64: *out = v->f64; break;
    default: return false;
    }
    if (v->type.id == WR_TYPE_DECIMAL) *out /= pow(10, v->type.scale);
    return isfinite(*out);
}

/* ---- facts by maker ---- */

static void guess(wr_column_fact *f, double rows) {
    f->source_rows = rows < 1 ? 1 : rows;
    f->distinct = fmax(1, f->source_rows / UNKNOWN_SHARE);
    f->guessed = true;
}

static wr_status fact_of_scan(const wr_logical *scan, wr_column_id id, wr_column_fact *f, wr_error *err) {
    wr_table *table = scan->scan.table;
    uint32_t place = UINT32_MAX;
    for (uint32_t i = 0; i < scan->column_count; i++) {
        if (scan->columns[i] == id) place = scan->scan.table_columns[i];
    }
    for (uint32_t i = 0; i < scan->scan.hidden_count; i++) {
        if (scan->scan.hidden[i] == id) place = scan->scan.hidden_positions[i];
    }
    guess(f, table->row_count);
    if (place == UINT32_MAX || !table->ops || !table->ops->statistics) return WR_OK;
    wr_column_statistics s = {.null_fraction = -1, .distinct_count = -1};
    WR_TRY(table->ops->statistics(table, place, &s, err));
    if (s.null_fraction > 0) f->null_fraction = s.null_fraction;
    f->bounded = s.proven_bounds && wr_value_as_number(&s.min, &f->low) && wr_value_as_number(&s.max, &f->high);
    if (s.distinct_count > 0) {
        f->distinct = fmin(s.distinct_count, f->source_rows);
        f->guessed = false;
    }
    if (s.unique) f->distinct = f->source_rows;
    bool whole =
        wr_type_is_integer(table->schema.fields[place].type) || table->schema.fields[place].type.id == WR_TYPE_DATE;
    if (f->bounded && whole) f->distinct = fmin(f->distinct, f->high - f->low + 1);
    f->distinct = fmax(1, f->distinct);
    return WR_OK;
}

/* year(d) and the like: as many values as years lie between the bounds. */
static void narrow_by_part(const wr_expr *expr, const wr_column_fact *argument, wr_column_fact *f) {
    static const struct {
        const char *part;
        double days, most;
    } parts[] = {{"year", 365.25, 1e9}, {"month", 30.4, 12}, {"quarter", 91, 4}, {"day", 1, 31}, {"dow", 1, 7}};
    const char *name = expr->function->name;
    for (uint32_t i = 0; i < WR_COUNT_OF(parts); i++) {
        bool by_argument = expr->args[0]->kind == WR_EXPR_CONSTANT && expr->args[0]->type.id == WR_TYPE_VARCHAR &&
                           wr_str_equal_nocase(expr->args[0]->value.text, wr_str_from(parts[i].part));
        if (strcmp(name, parts[i].part) != 0 && !by_argument) continue;
        double values = argument->bounded ? ceil((argument->high - argument->low) / parts[i].days) + 1 : 10;
        f->distinct = fmax(1, fmin(f->distinct, fmin(values, parts[i].most)));
    }
}

wr_status wr_distinct_of(wr_estimator *e, const wr_expr *expr, wr_column_fact *out, wr_error *err) {
    if (expr->kind == WR_EXPR_COLUMN) return wr_column_fact_of(e, expr->column, out, err);
    *out = (wr_column_fact){.known = true, .distinct = 1, .source_rows = 1};
    if (expr->kind == WR_EXPR_CONSTANT) return WR_OK;
    wr_column_set read = {0};
    wr_column_fact last = {0};
    WR_NEED(wr_expr_columns(expr, &e->plan->arena, &read));
    for (uint32_t w = 0; w < read.word_count; w++) {
        for (uint64_t left = read.words[w]; left; left &= left - 1) {
            WR_TRY(wr_column_fact_of(e, w * 64 + (uint32_t)__builtin_ctzll(left), &last, err));
            out->distinct *= last.distinct;
            out->source_rows = fmax(out->source_rows, last.source_rows);
            out->guessed |= last.guessed;
        }
    }
    out->distinct = fmin(out->distinct, out->source_rows);
    if (expr->type.id == WR_TYPE_BOOLEAN) out->distinct = fmin(out->distinct, 2);
    if (expr->kind == WR_EXPR_CALL && expr->arg_count) narrow_by_part(expr, &last, out);
    return WR_OK;
}

static wr_status fact_of_set(wr_estimator *e, const wr_logical *node, wr_column_id id, wr_column_fact *f,
                             wr_error *err) {
    for (uint32_t i = 0; i < node->column_count; i++) {
        if (node->columns[i] != id) continue;
        wr_column_fact sides[2];
        for (int s = 0; s < 2; s++) WR_TRY(wr_column_fact_of(e, node->set.inputs[s][i], &sides[s], err));
        f->distinct = fmax(sides[0].distinct, sides[1].distinct);
        f->source_rows = sides[0].source_rows + sides[1].source_rows;
        f->bounded = sides[0].bounded && sides[1].bounded;
        f->low = fmin(sides[0].low, sides[1].low);
        f->high = fmax(sides[0].high, sides[1].high);
        f->guessed = sides[0].guessed || sides[1].guessed;
    }
    return WR_OK;
}

static wr_status make_fact(wr_estimator *e, wr_column_id id, wr_column_fact *f, wr_error *err) {
    const wr_logical *maker = id < e->column_count ? e->makers[id] : NULL;
    guess(f, maker && maker->row_estimate > 0 ? maker->row_estimate : 1000);
    if (!maker) return WR_OK;
    switch ((wr_logical_kind)maker->kind) {
    case WR_LOGICAL_SCAN: return fact_of_scan(maker, id, f, err);
    case WR_LOGICAL_SET_OPERATION: return fact_of_set(e, maker, id, f, err);
    case WR_LOGICAL_PROJECT: {
        const wr_named_expr *item = wr_find_item(maker->project.items, maker->project.count, id);
        return item ? wr_distinct_of(e, item->expr, f, err) : WR_OK;
    }
    case WR_LOGICAL_AGGREGATE: {
        const wr_named_expr *item = wr_find_item(maker->aggregate.keys, maker->aggregate.key_count, id);
        return item ? wr_distinct_of(e, item->expr, f, err) : WR_OK;
    }
    case WR_LOGICAL_VALUES: f->source_rows = f->distinct = fmax(1, maker->values.row_count); return WR_OK;
    case WR_LOGICAL_JOIN: f->distinct = 2; return WR_OK;
    default: return WR_OK;
    }
}

wr_status wr_column_fact_of(wr_estimator *e, wr_column_id id, wr_column_fact *out, wr_error *err) {
    if (id < e->column_count && e->facts[id].known) {
        *out = e->facts[id];
        return WR_OK;
    }
    *out = (wr_column_fact){0};
    WR_TRY(make_fact(e, id, out, err));
    out->known = true;
    if (id < e->column_count) e->facts[id] = *out;
    return WR_OK;
}

/* Of d values, each in n/d rows, those of which a row is left when a share f of the rows is. */
double wr_distinct_among(const wr_column_fact *fact, double rows) {
    if (rows >= fact->source_rows) return fmax(1, fact->distinct);
    double share = rows / fact->source_rows, copies = fact->source_rows / fact->distinct;
    double left = fact->distinct * (1 - pow(1 - share, copies));
    return fmax(1, fmin(left, rows));
}

double wr_node_bytes(const wr_plan *plan, const wr_logical *node) {
    double bytes = 8;
    for (uint32_t i = 0; i < node->column_count; i++) bytes += wr_column_bytes(plan, node->columns[i]);
    return bytes * node->row_estimate;
}

double wr_column_bytes(const wr_plan *plan, wr_column_id id) {
    wr_type type = plan->columns[id].type;
    double bytes = (double)wr_phys_bytes(wr_type_phys(type));
    return type.id == WR_TYPE_VARCHAR || type.id == WR_TYPE_BLOB ? 32 : bytes < 1 ? 1 : bytes;
}
