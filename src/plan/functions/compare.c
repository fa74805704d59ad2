/* = <> < <= > >= and IS [NOT] DISTINCT FROM.
 *
 * Both sides meet in one type; text that meets something else is cast to it. A date that is compared with a constant
 * timestamp stays a date, as the constant has a neighbouring day that says the same: bounds of files are dates, too. */
#include "kernel/compare.h"

#include "kernel/bits.h"
#include "plan/cast.h"
#include "plan/civil.h"
#include "plan/functions/call.h"
#include "plan/functions/internal.h"

/* What a row's user field says. */
typedef struct comparison {
    wr_compare_op op, swapped;
    const char *sign;
} comparison;

static const comparison comparisons[] = {
    {WR_EQ, WR_EQ, "="},  {WR_NE, WR_NE, "<>"}, {WR_LT, WR_GT, "<"},
    {WR_LE, WR_GE, "<="}, {WR_GT, WR_LT, ">"},  {WR_GE, WR_LE, ">="},
};

/* ---- types ---- */

static bool is_integer_constant(const wr_expr *e) {
    return e->kind == WR_EXPR_CONSTANT && wr_type_is_integer(e->type) && !e->value.is_null;
}

/* An integer constant beside a decimal counts by its own digits, so that the column need not be widened. */
static wr_type own_digits(const wr_expr *e) {
    if (!is_integer_constant(e)) return e->type;
    wr_int128 value = wr_value_integer(&e->value), limit = 10;
    unsigned digits = 1;
    while (digits < WR_DECIMAL_MAX_DIGITS && (value >= limit || value <= -limit)) {
        limit *= 10;
        digits++;
    }
    return wr_type_decimal(digits, 0);
}

static bool meet(wr_resolution *r, wr_type *out) {
    wr_expr *a = r->args[0], *b = r->args[1];
    if (a->type.id == WR_TYPE_DECIMAL && is_integer_constant(b)) return wr_type_common(a->type, own_digits(b), out);
    if (b->type.id == WR_TYPE_DECIMAL && is_integer_constant(a)) return wr_type_common(own_digits(a), b->type, out);
    if (wr_expr_common_type(r->args, 2, out)) return true;
    bool text_a = a->type.id == WR_TYPE_VARCHAR, text_b = b->type.id == WR_TYPE_VARCHAR;
    if (text_a == text_b) return false;
    *out = text_a ? b->type : a->type;
    return wr_cast_exists(text_a ? a->type : b->type, *out);
}

static int64_t floor_day(int64_t micros) {
    return wr_floor_div(micros, WR_MICROS_PER_DAY);
}

/* `date op constant timestamp`: the constant becomes the day for which the same holds. `column` is the date's side. */
static bool compare_as_date(wr_resolution *r, uint32_t column, wr_compare_op op) {
    wr_expr *date = r->args[column], *other = r->args[1 - column];
    if (date->type.id != WR_TYPE_DATE || date->kind == WR_EXPR_CONSTANT) return false;
    if (other->kind != WR_EXPR_CONSTANT || other->type.id != WR_TYPE_TIMESTAMP || other->type.unit != WR_UNIT_US) {
        return false;
    }
    if (other->value.is_null || !wr_timestamp_is_finite(other->value.i64)) return false;
    int64_t day = floor_day(other->value.i64);
    bool midnight = day * WR_MICROS_PER_DAY == other->value.i64;
    if (!midnight && (op == WR_EQ || op == WR_NE)) return false;
    if (!midnight && (op == WR_LT || op == WR_GE)) day++;
    wr_expr *constant = wr_expr_constant(r->arena, (wr_value){.type = wr_type_of(WR_TYPE_DATE), .i64 = day});
    if (!constant) return false;
    constant->position = other->position;
    r->args[1 - column] = constant;
    r->arg_types[0] = r->arg_types[1] = constant->type;
    return true;
}

static wr_status resolve_types(wr_resolution *r, const comparison *how, wr_error *err) {
    r->result = wr_type_of(WR_TYPE_BOOLEAN);
    r->data = (void *)(uintptr_t)how;
    if (compare_as_date(r, 0, how->op) || compare_as_date(r, 1, how->swapped)) return WR_OK;
    wr_type common;
    if (!meet(r, &common)) {
        wr_text text;
        wr_text_init(&text, r->arena->allocator);
        wr_type_print(&text, r->args[0]->type);
        wr_text_addz(&text, " with ");
        wr_type_print(&text, r->args[1]->type);
        wr_status status = wr_fail(err, WR_INVALID, "cannot compare %s", text.failed ? "these types" : text.data);
        wr_text_deinit(&text);
        return err ? wr_hint(err, "cast one side to the type of the other") : status;
    }
    if (common.id >= WR_TYPE_LIST || common.collation) {
        return wr_fail(err, WR_UNSUPPORTED, "comparing %s is not supported",
                       common.collation ? "text with a collation" : wr_type_id_name((wr_type_id)common.id));
    }
    r->arg_types[0] = r->arg_types[1] = common;
    return WR_OK;
}

static wr_status resolve_compare(wr_resolution *r, wr_error *err) {
    return resolve_types(r, r->function->user, err);
}

/* ---- loops ---- */

static void compare(const wr_call_context *c, const wr_vector *args, const comparison *how, uint64_t *out) {
    const wr_compare_kernels *k = c->kernels->compare;
    const wr_vector *a = &args[0], *b = &args[1];
    wr_phys phys = (wr_phys)a->phys;
    if (a->kind != WR_CONSTANT && b->kind != WR_CONSTANT) {
        k->vv[phys][how->op](a->data, b->data, c->row_count, out);
        return;
    }
    const wr_vector *column = a->kind == WR_CONSTANT ? b : a, *constant = a->kind == WR_CONSTANT ? a : b;
    uint64_t word = 0;
    const void *value = constant->data;
    if (phys == WR_PHYS_BOOL) {
        word = wr_bool_row(constant, 0) ? ~UINT64_C(0) : 0;
        value = &word;
    }
    k->vc[phys][a->kind == WR_CONSTANT ? how->swapped : how->op](column->data, value, c->row_count, out);
}

static wr_status run_compare(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    compare(c, args, c->data, wr_vector_data_mut(result));
    return WR_OK;
}

static wr_status run_range(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    c->kernels->compare->range[args[0].phys](args[0].data, args[1].data, args[2].data, c->row_count,
                                             wr_vector_data_mut(result));
    return WR_OK;
}

const wr_function wr_range_function = {.name = "in_range",
                                       .parameters = {WR_SAME, WR_SAME, WR_SAME},
                                       .result_id = WR_TYPE_BOOLEAN,
                                       .run = run_range,
                                       .cost_ns = 0.3f,
                                       .summary = "between two constants"};

/* ---- NULL as a value ---- */

static wr_status resolve_distinct(wr_resolution *r, wr_error *err) {
    return resolve_types(r, &comparisons[WR_EQ], err);
}

/* Word w of "row is valid". */
static uint64_t valid_word(const wr_vector *v, size_t w) {
    if (!v->validity) return ~UINT64_C(0);
    if (v->kind == WR_CONSTANT) return v->validity[0] & 1 ? ~UINT64_C(0) : 0;
    return v->validity[w];
}

WR_ALWAYS_INLINE wr_status run_null_compare(wr_call_context *c, const wr_vector *args, bool equal, wr_vector *result) {
    WR_TRY(wr_call_prepare(c, result));
    uint64_t *out = wr_vector_data_mut(result);
    compare(c, args, &comparisons[WR_EQ], out);
    size_t words = wr_bitmap_words(c->row_count);
    for (size_t w = 0; w < words; w++) {
        uint64_t a = valid_word(&args[0], w), b = valid_word(&args[1], w);
        uint64_t same = (out[w] & a & b) | (~a & ~b);
        out[w] = equal ? same : ~same;
    }
    return WR_OK;
}
static wr_status run_distinct(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return run_null_compare(c, args, false, result);
}
static wr_status run_not_distinct(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    return run_null_compare(c, args, true, result);
}

#define COMPARE(sign_, aliases_, op, text)                                                                             \
    {                                                                                                                  \
        .name = sign_, .aliases = aliases_, .parameters = {WR_ANY, WR_ANY}, .resolve = resolve_compare,                \
        .run = run_compare, .cost_ns = 0.3f, .user = (void *)(uintptr_t)&comparisons[op], .summary = text              \
    }

static const wr_function rows[] = {
    COMPARE("=", "==", WR_EQ, "equal"),
    COMPARE("<>", "!=", WR_NE, "not equal"),
    COMPARE("<", NULL, WR_LT, "less"),
    COMPARE("<=", NULL, WR_LE, "less or equal"),
    COMPARE(">", NULL, WR_GT, "greater"),
    COMPARE(">=", NULL, WR_GE, "greater or equal"),
    {.name = "is_distinct_from",
     .nulls = WR_NULLS_OWN,
     .parameters = {WR_ANY, WR_ANY},
     .resolve = resolve_distinct,
     .run = run_distinct,
     .cost_ns = 0.5f,
     .summary = "not equal, where NULL is a value like others"},
    {.name = "is_not_distinct_from",
     .nulls = WR_NULLS_OWN,
     .parameters = {WR_ANY, WR_ANY},
     .resolve = resolve_distinct,
     .run = run_not_distinct,
     .cost_ns = 0.5f,
     .summary = "equal, where NULL is a value like others"},
};

const wr_function_set wr_functions_compare = {"compare", rows, WR_COUNT_OF(rows)};
