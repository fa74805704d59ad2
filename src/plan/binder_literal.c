/* Literals and their types: 1 is an INTEGER (BIGINT, HUGEINT where it does not fit), 1.50 a DECIMAL(3,2), 1e3 a DOUBLE.
 * A text in quotes is a VARCHAR that adapts to what it is compared or combined with, so constants are cast here and not
 * left to run time; but a cast that the user wrote, and that fails, fails only if it is reached. */
#include <stdlib.h>

#include "plan/binder_internal.h"

static wr_status constant(wr_binder *b, wr_value value, uint32_t position, wr_expr **out, wr_error *err) {
    WR_NEED(*out = wr_expr_constant(b->arena, value));
    (*out)->position = position;
    return WR_OK;
}

/* ---- numbers ---- */

typedef struct number_parts {
    bool negative, exponent, point;
    bool overflows; /* more than an int128 holds: the value is wrong */
    uint32_t digits, scale;
    wr_int128 value; /* of all the digits */
} number_parts;

static number_parts number_split(wr_str text) {
    number_parts n = {0};
    for (uint32_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '-' && i == 0) n.negative = true;
        if (c == '.') n.point = true;
        if (c == 'e' || c == 'E') n.exponent = true;
        if (c < '0' || c > '9' || n.exponent) continue;
        int digit = n.negative ? '0' - c : c - '0';
        n.overflows |=
            __builtin_mul_overflow(n.value, 10, &n.value) || __builtin_add_overflow(n.value, digit, &n.value);
        n.digits++;
        n.scale += n.point;
    }
    return n;
}

static wr_status bind_double(wr_binder *b, const wr_node *node, wr_expr **out, wr_error *err) {
    char buffer[400];
    if (node->text.size >= sizeof buffer)
        return wr_fail_at(err, WR_LIMIT, node->position, "a number of %u characters is too long", node->text.size);
    memcpy(buffer, node->text.data, node->text.size);
    buffer[node->text.size] = 0;
    wr_value value = {.type = wr_type_of(WR_TYPE_DOUBLE), .f64 = strtod(buffer, NULL)};
    return constant(b, value, node->position, out, err);
}

static wr_status bind_number(wr_binder *b, const wr_node *node, wr_expr **out, wr_error *err) {
    number_parts n = number_split(node->text);
    if (n.exponent || n.overflows || (n.point && n.digits > WR_DECIMAL_MAX_DIGITS))
        return bind_double(b, node, out, err);
    wr_value value = {0};
    if (n.point) {
        value.type = wr_type_decimal(n.digits ? n.digits : 1, n.scale);
        if (n.digits > WR_DECIMAL_SMALL_DIGITS) {
            value.i128 = n.value;
        } else {
            value.i64 = (int64_t)n.value;
        }
    } else if (n.value >= INT32_MIN && n.value <= INT32_MAX) {
        value.type = wr_type_of(WR_TYPE_INTEGER);
        value.i64 = (int64_t)n.value;
    } else if (n.value >= INT64_MIN && n.value <= INT64_MAX) {
        value.type = wr_type_of(WR_TYPE_BIGINT);
        value.i64 = (int64_t)n.value;
    } else {
        value.type = wr_type_of(WR_TYPE_HUGEINT);
        value.i128 = n.value;
    }
    WR_TRY(constant(b, value, node->position, out, err));
    (*out)->bends = !n.point;
    return WR_OK;
}

/* ---- typed literals and intervals ---- */

wr_status wr_bind_type(wr_binder *b, wr_str name, uint32_t position, wr_type *out, wr_error *err) {
    if (wr_type_parse(name, b->arena, out)) return WR_OK;
    (void)wr_fail_at(err, WR_INVALID, position, "there is no type \"%.*s\"", WR_STR_ARGS(name));
    wr_str decimal = WR_STR("DECIMAL("), start = {name.data, decimal.size};
    if (name.size < decimal.size || !wr_str_equal_nocase(start, decimal)) return WR_INVALID;
    return wr_hint(err, "DECIMAL(digits, scale) has 1 to %d digits, scale of them behind the point",
                   WR_DECIMAL_MAX_DIGITS);
}

/* DATE '1998-12-01' must be a date: said at once, as PostgreSQL does. */
static wr_status bind_typed(wr_binder *b, const wr_node *node, wr_expr **out, wr_error *err) {
    const char *zero = memchr(node->text.data, 0, node->text.size);
    if (!zero) return wr_fail_at(err, WR_INVALID, node->position, "a typed literal without a text");
    uint32_t type_size = (uint32_t)(zero - node->text.data);
    wr_str type_name = {node->text.data, type_size};
    wr_str text = {zero + 1, node->text.size - type_size - 1};
    wr_type type;
    WR_TRY(wr_bind_type(b, type_name, node->position, &type, err));
    wr_value from = {.type = wr_type_of(WR_TYPE_VARCHAR), .text = text}, to;
    wr_status status = wr_value_cast_in(b->context->time_zone, &from, type, b->arena, &to, err);
    if (status != WR_OK) {
        if (err) err->position = node->position;
        return status;
    }
    return constant(b, to, node->position, out, err);
}

/* What one of a unit is, in the three parts of an interval. */
typedef struct unit_row {
    const char *name;
    int32_t months, days;
    int64_t micros;
} unit_row;
static const unit_row unit_rows[] = {
    {"millennium", 12000, 0, 0},
    {"century", 1200, 0, 0},
    {"decade", 120, 0, 0},
    {"year", 12, 0, 0},
    {"quarter", 3, 0, 0},
    {"month", 1, 0, 0},
    {"week", 0, 7, 0},
    {"day", 0, 1, 0},
    {"hour", 0, 0, INT64_C(3600000000)},
    {"minute", 0, 0, INT64_C(60000000)},
    {"second", 0, 0, INT64_C(1000000)},
    {"millisecond", 0, 0, INT64_C(1000)},
    {"microsecond", 0, 0, INT64_C(1)},
};

static wr_status scaled_interval(const unit_row *unit, int64_t count, uint32_t position, wr_value *out, wr_error *err) {
    int64_t months, days;
    *out = (wr_value){.type = wr_type_of(WR_TYPE_INTERVAL)};
    if (__builtin_mul_overflow(count, unit->months, &months) || __builtin_mul_overflow(count, unit->days, &days) ||
        __builtin_mul_overflow(count, unit->micros, &out->interval.micros) || months != (int32_t)months ||
        days != (int32_t)days)
        return wr_fail_at(err, WR_VALUE, position, "interval is out of range");
    out->interval.months = (int32_t)months;
    out->interval.days = (int32_t)days;
    return WR_OK;
}

/* INTERVAL '1.5' hour and INTERVAL '1 day 2 hours': the text with its unit behind it is read by the cast. */
static wr_status interval_of_text(wr_binder *b, const wr_node *node, wr_str text, wr_expr **out, wr_error *err) {
    if (node->text.size) {
        text = wr_arena_format(b->arena, "%.*s %.*s", WR_STR_ARGS(text), WR_STR_ARGS(node->text));
        WR_NEED(text.data);
    }
    wr_value from = {.type = wr_type_of(WR_TYPE_VARCHAR), .text = text}, to;
    wr_status status = wr_value_cast(&from, wr_type_of(WR_TYPE_INTERVAL), b->arena, &to, err);
    if (status != WR_OK) {
        if (err) err->position = node->position;
        return status;
    }
    return constant(b, to, node->position, out, err);
}

static wr_status bind_interval(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out,
                               wr_error *err) {
    wr_expr *count;
    WR_TRY(wr_bind_expr(b, in, node->children[0], &count, err));
    if (wr_is_string_literal(count)) return interval_of_text(b, node, count->value.text, out, err);
    const unit_row *unit = NULL;
    for (uint32_t i = 0; i < WR_COUNT_OF(unit_rows); i++) {
        if (wr_str_equal_nocase(node->text, wr_str_from(unit_rows[i].name))) unit = &unit_rows[i];
    }
    if (!unit)
        return wr_fail_at(err, WR_INVALID, node->position,
                          "an interval needs a unit: INTERVAL 3 day, INTERVAL '3 days'");
    if (count->kind == WR_EXPR_CONSTANT && wr_type_is_integer(count->type) && !count->value.is_null &&
        count->type.id != WR_TYPE_HUGEINT && count->type.id != WR_TYPE_UBIGINT) {
        wr_value value;
        WR_TRY(scaled_interval(unit, count->value.i64, node->position, &value, err));
        return constant(b, value, node->position, out, err);
    }
    /* A computed count: as many of one unit. */
    wr_value one;
    WR_TRY(scaled_interval(unit, 1, node->position, &one, err));
    wr_expr *args[2];
    WR_NEED(args[0] = wr_expr_constant(b->arena, one));
    args[1] = count;
    return wr_function_bind(b->context->registry, b->arena, WR_STR("*"), node->position, args, 2, out, err);
}

/* ---- parameters ---- */

static wr_status bind_parameter(wr_binder *b, const wr_node *node, wr_expr **out, wr_error *err) {
    uint64_t number = 0;
    for (uint32_t i = 0; i < node->text.size; i++) {
        char c = node->text.data[i];
        if (c < '0' || c > '9' || number > UINT32_MAX)
            return wr_fail_at(err, WR_UNSUPPORTED, node->position, "named parameters are not supported: $%.*s",
                              WR_STR_ARGS(node->text));
        number = number * 10 + (uint64_t)(c - '0');
    }
    if (number == 0 || number > b->context->parameter_count || !b->context->parameters) {
        (void)wr_fail_at(err, WR_INVALID, node->position, "parameter $%.*s has no value", WR_STR_ARGS(node->text));
        return wr_hint(err, "%u values are given", b->context->parameter_count);
    }
    WR_NEED(*out = wr_expr_create(b->arena, WR_EXPR_PARAMETER, b->context->parameters[number - 1].type, 0));
    (*out)->parameter = (uint32_t)number - 1;
    (*out)->position = node->position;
    return WR_OK;
}

wr_status wr_bind_literal(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out, wr_error *err) {
    wr_value value = {0};
    switch ((wr_node_kind)node->kind) {
    case WR_NODE_NUMBER: return bind_number(b, node, out, err);
    case WR_NODE_TYPED: return bind_typed(b, node, out, err);
    case WR_NODE_INTERVAL: return bind_interval(b, in, node, out, err);
    case WR_NODE_PARAMETER: return bind_parameter(b, node, out, err);
    case WR_NODE_STRING:
        value = (wr_value){.type = wr_type_of(WR_TYPE_VARCHAR), .text = node->text};
        return constant(b, value, node->position, out, err);
    case WR_NODE_NULL:
        value = (wr_value){.type = wr_type_of(WR_TYPE_NULL), .is_null = true};
        return constant(b, value, node->position, out, err);
    case WR_NODE_BOOLEAN:
        value =
            (wr_value){.type = wr_type_of(WR_TYPE_BOOLEAN), .boolean = wr_str_equal_nocase(node->text, WR_STR("true"))};
        return constant(b, value, node->position, out, err);
    default: return wr_fail_at(err, WR_INTERNAL, node->position, "%s is no literal", wr_node_kind_name(node->kind));
    }
}
