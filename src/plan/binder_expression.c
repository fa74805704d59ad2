/* Expressions: names to columns, literals to constants, calls to functions, operands to one type.
 *
 * What SQL has many words for becomes few kinds: BETWEEN is two comparisons, IS TRUE is (x AND x IS NOT NULL), CASE x
 * WHEN is CASE WHEN x =, IN over constants is WR_EXPR_IN and over others a chain of ORs. A name is a column first and
 * an item of the SELECT list second; such an item is bound again where it is used, so that clauses evaluated before the
 * list see it too (equal expressions are computed once later). */
#include "plan/binder_internal.h"
#include "plan/cast.h"

static const wr_type boolean_type = {.id = WR_TYPE_BOOLEAN, .unit = WR_UNIT_US};

/* ---- types ---- */

bool wr_is_string_literal(const wr_expr *expr) {
    return expr->kind == WR_EXPR_CONSTANT && expr->type.id == WR_TYPE_VARCHAR && !expr->value.is_null;
}

static wr_status fail_cast(wr_binder *b, const wr_expr *expr, wr_type type, wr_error *err) {
    wr_text text;
    wr_text_init(&text, b->arena->allocator);
    wr_type_print(&text, expr->type);
    wr_text_addz(&text, " cannot become ");
    wr_type_print(&text, type);
    wr_status status = wr_fail_at(err, WR_INVALID, expr->position, "%s without a cast", text.failed ? "it" : text.data);
    wr_text_deinit(&text);
    return status;
}

wr_status wr_bind_cast(wr_binder *b, wr_expr *expr, wr_type type, wr_expr **out, wr_error *err) {
    if (expr->kind != WR_EXPR_CONSTANT && !wr_cast_exists(expr->type, type)) return fail_cast(b, expr, type, err);
    WR_NEED(*out = wr_expr_as(b->arena, expr, type));
    return WR_OK;
}

wr_status wr_bind_common_type(wr_binder *b, wr_expr *const *exprs, uint32_t count, const char *what, wr_type *out,
                              wr_error *err) {
    if (wr_expr_common_type(exprs, count, out)) return WR_OK;
    /* Names the first two that disagree. */
    uint32_t i = 1;
    while (i + 1 < count && wr_expr_common_type(exprs, i + 1, out)) i++;
    wr_text names;
    wr_text_init(&names, b->arena->allocator);
    wr_type_print(&names, exprs[i - 1]->type);
    wr_text_addz(&names, " and ");
    wr_type_print(&names, exprs[i]->type);
    (void)wr_fail_at(err, WR_INVALID, exprs[i]->position, "%s: %s have no common type", what,
                     names.failed ? "they" : names.data);
    wr_text_deinit(&names);
    return wr_hint(err, "cast one of them");
}

wr_status wr_bind_condition(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out, wr_error *err) {
    wr_expr *expr;
    WR_TRY(wr_bind_expr(b, in, node, &expr, err));
    if (expr->type.id != WR_TYPE_BOOLEAN && expr->type.id != WR_TYPE_NULL && !wr_type_is_numeric(expr->type) &&
        !wr_is_string_literal(expr)) {
        wr_text text;
        wr_text_init(&text, b->arena->allocator);
        wr_type_print(&text, expr->type);
        wr_status status = wr_fail_at(err, WR_INVALID, node->position, "%s needs a BOOLEAN, this is %s", in->clause,
                                      text.failed ? "of another type" : text.data);
        wr_text_deinit(&text);
        return status;
    }
    return wr_bind_cast(b, expr, boolean_type, out, err);
}

/* ---- columns and aliases ---- */

/* Names behind the column are fields of it. */
static wr_status bind_fields(wr_binder *b, const wr_node *node, uint32_t used, wr_expr **expr, wr_error *err) {
    for (; used < node->child_count; used++) {
        wr_expr *args[2] = {*expr, NULL};
        wr_value name = {.type = wr_type_of(WR_TYPE_VARCHAR), .text = node->children[used]->text};
        WR_NEED(args[1] = wr_expr_constant(b->arena, name));
        WR_TRY(wr_function_bind(b->context->registry, b->arena, WR_STR("struct_extract"), node->position, args, 2, expr,
                                err));
    }
    return WR_OK;
}

static wr_scope_alias *find_alias(const wr_expr_scope *in, const wr_node *node) {
    if (!in->aliases || node->child_count != 1) return NULL;
    for (uint32_t i = in->scope->alias_count; i-- > 0;) {
        wr_scope_alias *alias = &in->scope->aliases[i];
        if (wr_str_equal_nocase(alias->name, node->children[0]->text)) return alias;
    }
    return NULL;
}

static wr_status bind_alias(wr_binder *b, const wr_expr_scope *in, wr_scope_alias *alias, const wr_node *node,
                            wr_expr **out, wr_error *err) {
    if (alias->binding)
        return wr_fail_at(err, WR_INVALID, node->position, "alias \"%.*s\" is defined by itself",
                          WR_STR_ARGS(alias->name));
    alias->binding = true;
    wr_status status = wr_bind_expr(b, in, alias->expr, out, err);
    alias->binding = false;
    if (status != WR_OK) return status;
    if ((*out)->volatile_)
        return wr_fail_at(err, WR_UNSUPPORTED, node->position,
                          "alias \"%.*s\" stands for an expression that gives another value each time; put it into a "
                          "subquery to use it again",
                          WR_STR_ARGS(alias->name));
    return WR_OK;
}

static wr_status bind_column(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out, wr_error *err) {
    uint32_t used = 0;
    WR_TRY(wr_scope_resolve(b, in->scope, node, out, &used, err));
    if (*out) return bind_fields(b, node, used, out, err);
    wr_scope_alias *alias = find_alias(in, node);
    if (alias) return bind_alias(b, in, alias, node, out, err);
    return wr_scope_fail(b, in->scope, node, err);
}

/* ---- comparisons ---- */

wr_status wr_bind_comparison(wr_binder *b, wr_str sign, uint32_t position, wr_expr *left, wr_expr *right, wr_expr **out,
                             wr_error *err) {
    return wr_function_bind(b->context->registry, b->arena, sign, position, (wr_expr *[]){left, right}, 2, out, err);
}

static wr_status junction(wr_binder *b, wr_expr_kind kind, wr_expr **terms, uint32_t count, uint32_t position,
                          wr_expr **out, wr_error *err) {
    WR_NEED(*out = wr_expr_create(b->arena, kind, boolean_type, count));
    memcpy((*out)->args, terms, count * sizeof *terms);
    (*out)->position = position;
    wr_expr_refresh(*out);
    return WR_OK;
}

static wr_status negate(wr_binder *b, bool negated, uint32_t position, wr_expr **expr, wr_error *err) {
    if (!negated) return WR_OK;
    return junction(b, WR_EXPR_NOT, (wr_expr *[]){*expr}, 1, position, expr, err);
}

static wr_status bind_between(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out,
                              wr_error *err) {
    wr_expr *operand, *low, *high, *both[2];
    WR_TRY(wr_bind_expr(b, in, node->children[0], &operand, err));
    WR_TRY(wr_bind_expr(b, in, node->children[1], &low, err));
    WR_TRY(wr_bind_expr(b, in, node->children[2], &high, err));
    WR_TRY(wr_bind_comparison(b, WR_STR(">="), node->position, operand, low, &both[0], err));
    WR_TRY(wr_bind_comparison(b, WR_STR("<="), node->position, operand, high, &both[1], err));
    WR_TRY(junction(b, WR_EXPR_AND, both, 2, node->position, out, err));
    return negate(b, (node->flags & WR_NODE_NEGATED) != 0, node->position, out, err);
}

static bool is_row(const wr_node *node) {
    return node->kind == WR_NODE_CALL && !(node->flags & WR_NODE_OPERATOR) &&
           wr_str_equal_nocase(node->text, WR_STR("row"));
}

/* (a, b) = (c, d): each with each. */
static wr_status bind_row_comparison(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out,
                                     wr_error *err) {
    const wr_node *args = node->children[WR_CALL_ARGUMENTS];
    const wr_node *left = args->children[0]->children[WR_CALL_ARGUMENTS];
    const wr_node *right = args->children[1]->children[WR_CALL_ARGUMENTS];
    bool negated = wr_str_equal(node->text, WR_STR("<>"));
    if (!negated && !wr_str_equal(node->text, WR_STR("=")))
        return wr_fail_at(err, WR_UNSUPPORTED, node->position, "rows are compared with = and <> alone");
    if (left->child_count != right->child_count || left->child_count == 0)
        return wr_fail_at(err, WR_INVALID, node->position, "rows of %u and %u values cannot be compared",
                          left->child_count, right->child_count);
    wr_expr **terms = WR_ARENA_ARRAY(b->arena, wr_expr *, left->child_count);
    WR_NEED(terms);
    for (uint32_t i = 0; i < left->child_count; i++) {
        wr_expr *l, *r;
        WR_TRY(wr_bind_expr(b, in, left->children[i], &l, err));
        WR_TRY(wr_bind_expr(b, in, right->children[i], &r, err));
        WR_TRY(wr_bind_comparison(b, WR_STR("="), node->position, l, r, &terms[i], err));
    }
    WR_NEED(*out = wr_expr_junction(b->arena, WR_EXPR_AND, terms, left->child_count));
    return negate(b, negated, node->position, out, err);
}

/* ---- IN (list) ---- */

/* Constants of the list go into one IN, the others into comparisons beside it. */
static wr_status bind_in_list(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out,
                              wr_error *err) {
    const wr_node *list = node->children[1];
    uint32_t count = list->child_count, constants = 0, others = 0;
    wr_expr **all = WR_ARENA_ARRAY(b->arena, wr_expr *, count + 2);
    wr_expr **terms = WR_ARENA_ARRAY(b->arena, wr_expr *, count + 2);
    WR_NEED(all && terms);
    WR_TRY(wr_bind_expr(b, in, node->children[0], &all[0], err));
    for (uint32_t i = 0; i < count; i++) WR_TRY(wr_bind_expr(b, in, list->children[i], &all[i + 1], err));
    wr_type type;
    WR_TRY(wr_bind_common_type(b, all, count + 1, "IN", &type, err));
    for (uint32_t i = 0; i <= count; i++) WR_TRY(wr_bind_cast(b, all[i], type, &all[i], err));
    for (uint32_t i = 1; i <= count; i++) {
        if (all[i]->kind == WR_EXPR_CONSTANT) {
            constants++;
        } else {
            WR_TRY(wr_bind_comparison(b, WR_STR("="), node->position, all[0], all[i], &terms[others++], err));
        }
    }
    if (constants) {
        wr_expr *set = wr_expr_create(b->arena, WR_EXPR_IN, boolean_type, constants + 1);
        WR_NEED(set);
        uint32_t at = 0;
        for (uint32_t i = 0; i <= count; i++) {
            if (i == 0 || all[i]->kind == WR_EXPR_CONSTANT) set->args[at++] = all[i];
        }
        set->position = node->position;
        terms[others++] = wr_expr_refresh(set);
    }
    WR_NEED(*out = wr_expr_junction(b->arena, WR_EXPR_OR, terms, others));
    return negate(b, (node->flags & WR_NODE_NEGATED) != 0, node->position, out, err);
}

static wr_status bind_in(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out, wr_error *err) {
    const wr_node *values = node->children[1];
    if (values->kind == WR_NODE_QUERY) {
        WR_TRY(wr_bind_subquery(b, in, node, out, err));
        return negate(b, (node->flags & WR_NODE_NEGATED) != 0, node->position, out, err);
    }
    if (values->kind == WR_NODE_LIST) return bind_in_list(b, in, node, out, err);
    wr_expr *args[2];
    WR_TRY(wr_bind_expr(b, in, values, &args[0], err));
    WR_TRY(wr_bind_expr(b, in, node->children[0], &args[1], err));
    WR_TRY(
        wr_function_bind(b->context->registry, b->arena, WR_STR("list_contains"), node->position, args, 2, out, err));
    return negate(b, (node->flags & WR_NODE_NEGATED) != 0, node->position, out, err);
}

/* ---- IS ---- */

static wr_status is_null(wr_binder *b, wr_expr *operand, bool negated, wr_expr **out, wr_error *err) {
    WR_TRY(junction(b, WR_EXPR_IS_NULL, &operand, 1, operand->position, out, err));
    return negate(b, negated, operand->position, out, err);
}

static wr_status bind_is(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out, wr_error *err) {
    wr_expr *operand, *terms[2];
    bool negated = (node->flags & WR_NODE_NEGATED) != 0;
    WR_TRY(wr_bind_expr(b, in, node->children[0], &operand, err));
    if (wr_str_equal_nocase(node->text, WR_STR("distinct"))) {
        wr_expr *other;
        WR_TRY(wr_bind_expr(b, in, node->children[1], &other, err));
        wr_str name = negated ? WR_STR("is_not_distinct_from") : WR_STR("is_distinct_from");
        return wr_bind_comparison(b, name, node->position, operand, other, out, err);
    }
    if (wr_str_equal_nocase(node->text, WR_STR("null"))) return is_null(b, operand, negated, out, err);
    WR_TRY(wr_bind_cast(b, operand, boolean_type, &operand, err));
    if (wr_str_equal_nocase(node->text, WR_STR("unknown"))) return is_null(b, operand, negated, out, err);
    WR_TRY(is_null(b, operand, true, &terms[0], err));
    terms[1] = operand;
    WR_TRY(negate(b, wr_str_equal_nocase(node->text, WR_STR("false")), node->position, &terms[1], err));
    WR_TRY(junction(b, WR_EXPR_AND, terms, 2, node->position, out, err));
    return negate(b, negated, node->position, out, err);
}

/* ---- CASE, CAST, junctions ---- */

static wr_status bind_case_values(wr_binder *b, wr_expr *expr, wr_error *err) {
    uint32_t pairs = expr->arg_count / 2;
    wr_expr **values = WR_ARENA_ARRAY(b->arena, wr_expr *, pairs + 1);
    WR_NEED(values);
    for (uint32_t i = 0; i < pairs; i++) values[i] = expr->args[2 * i + 1];
    values[pairs] = expr->args[2 * pairs];
    WR_TRY(wr_bind_common_type(b, values, pairs + 1, "CASE", &expr->type, err));
    for (uint32_t i = 0; i <= pairs; i++) {
        uint32_t at = i < pairs ? 2 * i + 1 : 2 * pairs;
        WR_TRY(wr_bind_cast(b, values[i], expr->type, &expr->args[at], err));
    }
    return WR_OK;
}

static wr_status bind_case(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out, wr_error *err) {
    const wr_node *branches = node->children[WR_CASE_BRANCHES], *otherwise = node->children[WR_CASE_ELSE];
    wr_expr *operand = NULL;
    if (node->children[WR_CASE_OPERAND]) WR_TRY(wr_bind_expr(b, in, node->children[WR_CASE_OPERAND], &operand, err));
    uint32_t count = branches->child_count;
    wr_expr *expr = wr_expr_create(b->arena, WR_EXPR_CASE, boolean_type, count + 1);
    WR_NEED(expr);
    wr_expr_scope condition = *in;
    condition.clause = "WHEN";
    for (uint32_t i = 0; i + 1 < count; i += 2) {
        if (operand) {
            wr_expr *value;
            WR_TRY(wr_bind_expr(b, in, branches->children[i], &value, err));
            WR_TRY(wr_bind_comparison(b, WR_STR("="), branches->children[i]->position, operand, value, &expr->args[i],
                                      err));
        } else {
            WR_TRY(wr_bind_condition(b, &condition, branches->children[i], &expr->args[i], err));
        }
        WR_TRY(wr_bind_expr(b, in, branches->children[i + 1], &expr->args[i + 1], err));
    }
    if (otherwise) {
        WR_TRY(wr_bind_expr(b, in, otherwise, &expr->args[count], err));
    } else {
        WR_NEED(expr->args[count] =
                    wr_expr_constant(b->arena, (wr_value){.type = {.id = WR_TYPE_NULL}, .is_null = true}));
    }
    WR_TRY(bind_case_values(b, expr, err));
    expr->position = node->position;
    *out = wr_expr_refresh(expr);
    return WR_OK;
}

/* A cast that was written: what fails here would fail at run time only if it were reached, so it is left to that. */
static wr_status bind_written_cast(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out,
                                   wr_error *err) {
    wr_expr *operand;
    wr_type type;
    WR_TRY(wr_bind_expr(b, in, node->children[0], &operand, err));
    WR_TRY(wr_bind_type(b, node->text, node->position, &type, err));
    if (operand->kind == WR_EXPR_CONSTANT) {
        wr_value value = {.type = type, .is_null = true};
        if (operand->value.is_null ||
            wr_value_cast_in(b->context->time_zone, &operand->value, type, b->arena, &value, NULL) == WR_OK) {
            WR_NEED(*out = wr_expr_constant(b->arena, value));
            (*out)->position = node->position;
            return WR_OK;
        }
    }
    WR_NEED(*out = wr_expr_cast(b->arena, operand, type, (node->flags & WR_NODE_TRY) != 0));
    if (*out != operand) (*out)->position = node->position;
    return WR_OK;
}

static wr_status bind_junction(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr_kind kind,
                               wr_expr **out, wr_error *err) {
    wr_expr_scope condition = *in;
    condition.clause = kind == WR_EXPR_AND ? "AND" : kind == WR_EXPR_OR ? "OR" : "NOT";
    wr_expr **terms = WR_ARENA_ARRAY(b->arena, wr_expr *, node->child_count);
    WR_NEED(terms);
    for (uint32_t i = 0; i < node->child_count; i++) {
        WR_TRY(wr_bind_condition(b, &condition, node->children[i], &terms[i], err));
    }
    return junction(b, kind, terms, node->child_count, node->position, out, err);
}

/* ---- lists, fields, slices ---- */

static wr_status bind_function_of(wr_binder *b, const wr_expr_scope *in, const char *name, const wr_node *node,
                                  wr_expr **out, wr_error *err) {
    wr_expr **args = WR_ARENA_ARRAY(b->arena, wr_expr *, node->child_count + 1);
    WR_NEED(args);
    uint32_t count = 0;
    for (uint32_t i = 0; i < node->child_count; i++) {
        if (node->children[i]) WR_TRY(wr_bind_expr(b, in, node->children[i], &args[count++], err));
    }
    return wr_function_bind(b->context->registry, b->arena, wr_str_from(name), node->position, args, count, out, err);
}

static wr_status bind_field(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out, wr_error *err) {
    wr_expr *args[2];
    WR_TRY(wr_bind_expr(b, in, node->children[0], &args[0], err));
    wr_value name = {.type = wr_type_of(WR_TYPE_VARCHAR), .text = node->text};
    WR_NEED(args[1] = wr_expr_constant(b->arena, name));
    return wr_function_bind(b->context->registry, b->arena, WR_STR("struct_extract"), node->position, args, 2, out,
                            err);
}

static wr_status bind_operator_call(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out,
                                    wr_error *err) {
    const wr_node *args = node->children[WR_CALL_ARGUMENTS];
    bool rows = args->child_count == 2 && is_row(args->children[0]) && is_row(args->children[1]);
    return rows ? bind_row_comparison(b, in, node, out, err) : wr_bind_call(b, in, node, out, err);
}

wr_status wr_bind_expr(wr_binder *b, const wr_expr_scope *in, const wr_node *node, wr_expr **out, wr_error *err) {
    switch ((wr_node_kind)node->kind) {
    case WR_NODE_COLUMN: return bind_column(b, in, node, out, err);
    case WR_NODE_NUMBER:
    case WR_NODE_STRING:
    case WR_NODE_NULL:
    case WR_NODE_BOOLEAN:
    case WR_NODE_INTERVAL:
    case WR_NODE_TYPED:
    case WR_NODE_PARAMETER: return wr_bind_literal(b, in, node, out, err);
    case WR_NODE_CALL:
        if (node->flags & WR_NODE_OPERATOR) return bind_operator_call(b, in, node, out, err);
        return wr_bind_call(b, in, node, out, err);
    case WR_NODE_CAST: return bind_written_cast(b, in, node, out, err);
    case WR_NODE_CASE: return bind_case(b, in, node, out, err);
    case WR_NODE_AND: return bind_junction(b, in, node, WR_EXPR_AND, out, err);
    case WR_NODE_OR: return bind_junction(b, in, node, WR_EXPR_OR, out, err);
    case WR_NODE_NOT: return bind_junction(b, in, node, WR_EXPR_NOT, out, err);
    case WR_NODE_BETWEEN: return bind_between(b, in, node, out, err);
    case WR_NODE_IN: return bind_in(b, in, node, out, err);
    case WR_NODE_IS: return bind_is(b, in, node, out, err);
    case WR_NODE_QUANTIFIED:
    case WR_NODE_EXISTS:
    case WR_NODE_SCALAR_QUERY: return wr_bind_subquery(b, in, node, out, err);
    case WR_NODE_FIELD: return bind_field(b, in, node, out, err);
    case WR_NODE_SLICE: return bind_function_of(b, in, "list_slice", node, out, err);
    case WR_NODE_LIST: return wr_fail_at(err, WR_UNSUPPORTED, node->position, "lists are not supported");
    case WR_NODE_STAR:
        return wr_fail_at(err, WR_INVALID, node->position, "* is possible in the SELECT list and in count(*) alone");
    case WR_NODE_LAMBDA: return wr_fail_at(err, WR_UNSUPPORTED, node->position, "lambda functions are not supported");
    default:
        return wr_fail_at(err, WR_UNSUPPORTED, node->position, "%s is not supported in an expression",
                          wr_node_kind_name(node->kind));
    }
}
