/* Resolution of calls: the row that needs the fewest casts, then its own say about types, then the expression.
 *
 * Literals bend: a text constant takes the type that is asked for, a written integer any integer type that holds it.
 * That is a rule about expressions, not about types, so it lives here and not in cast_rules.c. Calls of constants that
 * always give the same answer are evaluated at once, so that later calls see constants (a pattern, a date bound); what
 * fails stays a call and fails when it runs, if it runs. */
#include <stdio.h>

#include "plan/cast.h"
#include "plan/program.h"

/* ---- literals ---- */

static bool is_text_literal(const wr_expr *e) {
    return e->kind == WR_EXPR_CONSTANT && e->type.id == WR_TYPE_VARCHAR && !e->value.is_null;
}

static bool is_integer_literal(const wr_expr *e) {
    return e->kind == WR_EXPR_CONSTANT && e->bends;
}

static bool integer_fits(const wr_expr *e, wr_type type) {
    wr_int128 value = wr_value_integer(&e->value);
    switch ((wr_type_id)type.id) {
    case WR_TYPE_TINYINT: return value == (int8_t)value;
    case WR_TYPE_SMALLINT: return value == (int16_t)value;
    case WR_TYPE_INTEGER: return value == (int32_t)value;
    case WR_TYPE_BIGINT: return value == (int64_t)value;
    case WR_TYPE_UTINYINT: return value == (uint8_t)value;
    case WR_TYPE_USMALLINT: return value == (uint16_t)value;
    case WR_TYPE_UINTEGER: return value == (uint32_t)value;
    case WR_TYPE_UBIGINT: return value == (wr_int128)(uint64_t)value;
    default: return true;
    }
}

bool wr_expr_common_type(wr_expr *const *args, uint32_t arg_count, wr_type *out) {
    wr_type common = wr_type_of(WR_TYPE_NULL);
    for (uint32_t i = 0; i < arg_count; i++) {
        if (is_text_literal(args[i]) || is_integer_literal(args[i])) continue;
        if (!wr_type_common(common, args[i]->type, &common)) return false;
    }
    for (uint32_t i = 0; i < arg_count; i++) {
        if (!is_integer_literal(args[i])) continue;
        if (wr_type_is_integer(common) && integer_fits(args[i], common)) continue;
        if (!wr_type_common(common, args[i]->type, &common)) return false;
    }
    for (uint32_t i = 0; i < arg_count; i++) {
        if (!is_text_literal(args[i])) continue;
        if (common.id == WR_TYPE_NULL) common = args[i]->type;
        if (!wr_cast_exists(args[i]->type, common)) return false;
    }
    *out = common;
    return true;
}

/* ---- folding ---- */

/* Answers that depend on the query's time zone are for its environment to give. */
static bool depends_on_zone(const wr_expr *e) {
    if (e->type.id == WR_TYPE_TIMESTAMP_TZ) return true;
    for (uint32_t i = 0; i < e->arg_count; i++) {
        if (e->args[i]->type.id == WR_TYPE_TIMESTAMP_TZ) return true;
    }
    return false;
}

static bool may_fold(const wr_expr *e) {
    if (e->kind < WR_EXPR_CALL || e->kind > WR_EXPR_IN || depends_on_zone(e)) return false;
    if (e->kind == WR_EXPR_CALL && e->function->volatility != WR_IMMUTABLE) return false;
    for (uint32_t i = 0; i < e->arg_count; i++) {
        if (e->args[i]->kind != WR_EXPR_CONSTANT) return false;
    }
    return true;
}

static wr_expr *fold_node(wr_expr *e, void *user) {
    wr_arena *arena = user;
    if (!may_fold(e)) return e;
    wr_program_environment environment = {.kernels = wr_kernels_best(), .batch_rows = 1};
    wr_value value;
    if (wr_expr_evaluate(arena, e, &environment, &value, NULL) != WR_OK) return e;
    wr_expr *constant = wr_expr_constant(arena, value);
    if (constant) constant->position = e->position;
    return constant;
}

wr_expr *wr_expr_fold(wr_arena *arena, wr_expr *expr) {
    return wr_expr_rewrite(arena, expr, fold_node, arena);
}

wr_expr *wr_expr_as(wr_arena *arena, wr_expr *operand, wr_type type) {
    wr_expr *cast = wr_expr_cast(arena, operand, type, false);
    if (!cast || cast == operand || operand->kind != WR_EXPR_CONSTANT) return cast;
    return fold_node(cast, arena);
}

/* ---- choosing the row ---- */

enum { NO_MATCH = -1, COST_TEXT_LITERAL = 3, COST_TEXT_NUMBER = 2 };

static int cost_of(const wr_expr *arg, wr_type to) {
    if (wr_type_equal(arg->type, to)) return 0;
    if (is_text_literal(arg)) return wr_cast_exists(arg->type, to) ? COST_TEXT_LITERAL : NO_MATCH;
    if (is_integer_literal(arg) && wr_type_is_integer(to)) return integer_fits(arg, to) ? 1 : NO_MATCH;
    return wr_cast_cost(arg->type, to);
}

static const wr_parameter_type *parameter_at(const wr_function *row, uint32_t i) {
    uint32_t last = 0;
    for (uint32_t p = 0; p < WR_FUNCTION_PARAMETERS && row->parameters[p].accepts != WR_PARAMETER_END; p++) {
        if (p == i) return &row->parameters[p];
        last = p + 1;
    }
    return row->variadic && last ? &row->parameters[last - 1] : NULL;
}

static uint32_t parameter_count(const wr_function *row) {
    uint32_t count = 0;
    while (count < WR_FUNCTION_PARAMETERS && row->parameters[count].accepts != WR_PARAMETER_END) count++;
    return count;
}

/* The type that SAME parameters have in this call. */
static bool common_of_same(const wr_function *row, wr_expr **args, uint32_t arg_count, wr_arena *arena, wr_type *out,
                           bool *ok) {
    wr_expr **same = WR_ARENA_ARRAY(arena, wr_expr *, arg_count);
    if (!same) return false;
    uint32_t count = 0;
    for (uint32_t i = 0; i < arg_count; i++) {
        if (parameter_at(row, i)->accepts == WR_PARAMETER_SAME) same[count++] = args[i];
    }
    *ok = count == 0 || wr_expr_common_type(same, count, out);
    return true;
}

/* A text constant among numbers is one, too: of the type that another argument has; alone, a DOUBLE. */
static bool number_beside(const wr_expr *text, wr_expr **args, uint32_t arg_count, bool integer, wr_type *out) {
    if (!is_text_literal(text)) return false;
    *out = wr_type_of(WR_TYPE_DOUBLE);
    if (arg_count == 1) return !integer;
    for (uint32_t i = 0; i < arg_count; i++) {
        *out = args[i]->type;
        if (integer ? wr_type_is_integer(*out) : wr_type_is_numeric(*out)) return true;
    }
    return false;
}

/* Sum of the costs of the casts, or NO_MATCH; types[] gets what the arguments are cast to. */
static int match_row(const wr_function *row, wr_expr **args, uint32_t arg_count, wr_arena *arena, wr_type *types) {
    uint32_t count = parameter_count(row);
    if (row->variadic ? arg_count < count : arg_count != count) return NO_MATCH;
    wr_type same = wr_type_of(WR_TYPE_NULL);
    bool ok;
    if (!common_of_same(row, args, arg_count, arena, &same, &ok) || !ok) return NO_MATCH;
    int total = 0;
    for (uint32_t i = 0; i < arg_count; i++) {
        const wr_parameter_type *p = parameter_at(row, i);
        wr_type type = args[i]->type;
        bool fits = true;
        int cost = 0;
        switch ((wr_parameter)p->accepts) {
        case WR_PARAMETER_EXACT:
            type = p->id == type.id && p->id == WR_TYPE_VARCHAR ? type : wr_type_of((wr_type_id)p->id);
            cost = cost_of(args[i], type);
            break;
        case WR_PARAMETER_SAME: type = same; break;
        case WR_PARAMETER_NUMBER: fits = wr_type_is_numeric(type); break;
        case WR_PARAMETER_INTEGER: fits = wr_type_is_integer(type); break;
        case WR_PARAMETER_DECIMAL: fits = type.id == WR_TYPE_DECIMAL; break;
        case WR_PARAMETER_ANY:
        case WR_PARAMETER_END: break;
        }
        bool integer = p->accepts == WR_PARAMETER_INTEGER;
        if (!fits && p->accepts != WR_PARAMETER_DECIMAL && number_beside(args[i], args, arg_count, integer, &type)) {
            cost = COST_TEXT_NUMBER;
        } else if (!fits) {
            /* A bare NULL is a number, too. */
            if (args[i]->type.id != WR_TYPE_NULL || p->accepts == WR_PARAMETER_DECIMAL) return NO_MATCH;
            type = wr_type_of(WR_TYPE_INTEGER);
            cost = 1;
        }
        if (cost < 0) return NO_MATCH;
        total += cost;
        types[i] = type;
    }
    return total;
}

static const wr_function *choose_row(wr_function_match match, wr_expr **args, uint32_t arg_count, wr_arena *arena,
                                     wr_type *types, wr_type *scratch) {
    const wr_function *best = NULL;
    int best_cost = 0;
    for (uint32_t i = 0; i < match.count; i++) {
        int cost = match_row(match.rows[i], args, arg_count, arena, scratch);
        if (cost == NO_MATCH || (best && cost >= best_cost)) continue;
        best = match.rows[i];
        best_cost = cost;
        memcpy(types, scratch, arg_count * sizeof *types);
    }
    return best;
}

/* ---- errors ---- */

static void print_types(wr_text *text, wr_expr *const *args, uint32_t arg_count) {
    wr_text_addz(text, "(");
    for (uint32_t i = 0; i < arg_count; i++) {
        if (i) wr_text_addz(text, ", ");
        wr_type_print(text, args[i]->type);
    }
    wr_text_addz(text, ")");
}

static void print_signature(wr_text *text, const wr_function *row) {
    static const char *const words[] = {"", "", "any", "same", "number", "integer", "decimal"};
    wr_text_format(text, "%s(", row->name);
    uint32_t count = parameter_count(row);
    for (uint32_t i = 0; i < count; i++) {
        const wr_parameter_type *p = &row->parameters[i];
        if (i) wr_text_addz(text, ", ");
        wr_text_addz(text, p->accepts == WR_PARAMETER_EXACT ? wr_type_id_name((wr_type_id)p->id) : words[p->accepts]);
    }
    wr_text_addz(text, row->variadic ? ", ...)" : ")");
}

static wr_status fail_unknown(const wr_registry *registry, wr_str name, uint32_t position, wr_error *err) {
    const char *near[3];
    uint32_t count = wr_registry_suggest(registry, name, near, WR_COUNT_OF(near));
    wr_status status = wr_fail_at(err, WR_NOT_FOUND, position, "there is no function \"%.*s\"", WR_STR_ARGS(name));
    if (count == 0 || !err) return status;
    return wr_hint(err, count > 1 ? "did you mean \"%s\" or \"%s\"?" : "did you mean \"%s\"?", near[0],
                   count > 1 ? near[1] : "");
}

static wr_status fail_no_match(wr_function_match match, wr_arena *arena, wr_str name, uint32_t position,
                               wr_expr *const *args, uint32_t arg_count, wr_error *err) {
    wr_text text;
    wr_text_init(&text, arena->allocator);
    wr_text_format(&text, "%.*s", WR_STR_ARGS(name));
    print_types(&text, args, arg_count);
    wr_text_addz(&text, " does not exist; there is ");
    for (uint32_t i = 0; i < match.count && i < 6; i++) {
        if (i) wr_text_addz(&text, i + 1 == match.count ? " and " : ", ");
        print_signature(&text, match.rows[i]);
    }
    if (match.count > 6) wr_text_addz(&text, " and more");
    wr_status status = text.failed ? wr_fail_memory(err, text.size, "an error message")
                                   : wr_fail_at(err, WR_INVALID, position, "%s", text.data);
    wr_text_deinit(&text);
    if (err && status == WR_INVALID) wr_hint(err, "cast the arguments to types that it takes");
    return status;
}

/* ---- the call ---- */

static bool has_null_argument(wr_expr *const *args, uint32_t arg_count) {
    for (uint32_t i = 0; i < arg_count; i++) {
        if (args[i]->kind == WR_EXPR_CONSTANT && args[i]->value.is_null) return true;
    }
    return false;
}

static wr_status build_call(wr_arena *arena, const wr_function *row, uint32_t position, wr_expr **args,
                            uint32_t arg_count, wr_type *types, wr_expr **out, wr_error *err) {
    wr_resolution r = {.arena = arena,
                       .function = row,
                       .arg_count = arg_count,
                       .arg_types = types,
                       .args = args,
                       .result = wr_type_of((wr_type_id)row->result_id),
                       .can_fail = row->can_fail};
    if (row->resolve) {
        wr_status status = row->resolve(&r, err);
        if (status != WR_OK) {
            if (err && err->position == WR_NO_POSITION) err->position = position;
            return status;
        }
    }
    bool aggregate = row->kind == WR_FUNCTION_AGGREGATE;
    wr_expr *e = wr_expr_create(arena, aggregate ? WR_EXPR_AGGREGATE : WR_EXPR_CALL, r.result, arg_count);
    if (!e) return wr_fail_memory(err, sizeof *e, "the plan");
    for (uint32_t i = 0; i < arg_count; i++) {
        e->args[i] = wr_expr_as(arena, args[i], types[i]);
        if (!e->args[i]) return wr_fail_memory(err, sizeof *e, "the plan");
    }
    e->position = position;
    e->function = row;
    e->function_data = r.data;
    e->own_can_fail = r.can_fail;
    wr_expr_refresh(e);
    if (!aggregate && row->nulls == WR_NULLS_STRICT && has_null_argument(e->args, arg_count)) {
        e = wr_expr_constant(arena, (wr_value){.type = r.result, .is_null = true});
    } else {
        e = fold_node(e, arena);
    }
    if (!e) return wr_fail_memory(err, sizeof *e, "the plan");
    e->position = position;
    *out = e;
    return WR_OK;
}

wr_status wr_function_bind(const wr_registry *registry, wr_arena *arena, wr_str name, uint32_t position, wr_expr **args,
                           uint32_t arg_count, wr_expr **out, wr_error *err) {
    wr_function_match match = wr_registry_find(registry, name);
    if (match.count == 0) return fail_unknown(registry, name, position, err);
    wr_expr **folded = WR_ARENA_ARRAY(arena, wr_expr *, arg_count + 1);
    wr_type *types = WR_ARENA_ARRAY(arena, wr_type, arg_count + 1);
    wr_type *scratch = WR_ARENA_ARRAY(arena, wr_type, arg_count + 1);
    if (!folded || !types || !scratch) return wr_fail_memory(err, arg_count * sizeof *types, "the plan");
    for (uint32_t i = 0; i < arg_count; i++) {
        folded[i] = wr_expr_fold(arena, args[i]);
        if (!folded[i]) return wr_fail_memory(err, sizeof **folded, "the plan");
    }
    const wr_function *row = choose_row(match, folded, arg_count, arena, types, scratch);
    if (!row) return fail_no_match(match, arena, name, position, args, arg_count, err);
    if (row->kind != WR_FUNCTION_SCALAR && row->kind != WR_FUNCTION_AGGREGATE) {
        return wr_fail_at(err, WR_INVALID, position, "%s is a %s function and cannot be called here", row->name,
                          row->kind == WR_FUNCTION_TABLE ? "table" : "window");
    }
    if (!row->expand) return build_call(arena, row, position, folded, arg_count, types, out, err);
    WR_TRY(row->expand(registry, arena, position, folded, arg_count, out, err));
    *out = wr_expr_fold(arena, *out);
    return *out ? WR_OK : wr_fail_memory(err, sizeof **out, "the plan");
}
