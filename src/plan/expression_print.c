/* Bound expressions as SQL, for EXPLAIN and error messages. */
#include "plan/expression.h"
#include "plan/function.h"

typedef struct printer {
    wr_text *out;
    wr_str (*name_of)(wr_column_id column, void *user);
    void *user;
} printer;

static void print(const printer *p, const wr_expr *e);

static void print_list(const printer *p, wr_expr *const *args, uint32_t count, const char *between) {
    for (uint32_t i = 0; i < count; i++) {
        if (i) wr_text_addz(p->out, between);
        print(p, args[i]);
    }
}

static void print_quoted(wr_text *out, wr_str text) {
    wr_text_addz(out, "'");
    for (uint32_t i = 0; i < text.size; i++) {
        if (text.data[i] == '\'') wr_text_addz(out, "'");
        wr_text_add(out, text.data + i, 1);
    }
    wr_text_addz(out, "'");
}

static void print_constant(wr_text *out, const wr_value *value) {
    if (value->is_null) {
        wr_text_addz(out, "NULL");
        return;
    }
    switch ((wr_type_id)value->type.id) {
    case WR_TYPE_VARCHAR: print_quoted(out, value->text); return;
    case WR_TYPE_BLOB:
    case WR_TYPE_DATE:
    case WR_TYPE_TIME:
    case WR_TYPE_TIMESTAMP:
    case WR_TYPE_TIMESTAMP_TZ:
    case WR_TYPE_INTERVAL:
    case WR_TYPE_UUID:
        wr_type_print(out, value->type);
        wr_text_addz(out, " '");
        wr_value_print(out, value);
        wr_text_addz(out, "'");
        return;
    default: wr_value_print(out, value);
    }
}

static bool is_operator(const char *name) {
    return !((name[0] >= 'a' && name[0] <= 'z') || name[0] == '_');
}

static void print_call(const printer *p, const wr_expr *e) {
    const char *name = e->function->name;
    if (is_operator(name) && e->arg_count == 2) {
        wr_text_addz(p->out, "(");
        print(p, e->args[0]);
        wr_text_format(p->out, " %s ", name);
        print(p, e->args[1]);
        wr_text_addz(p->out, ")");
        return;
    }
    wr_text_addz(p->out, name);
    if (is_operator(name) && e->arg_count == 1) {
        print(p, e->args[0]);
        return;
    }
    wr_text_addz(p->out, e->distinct ? "(DISTINCT " : "(");
    if (e->kind == WR_EXPR_AGGREGATE && e->arg_count == 0) wr_text_addz(p->out, "*");
    print_list(p, e->args, e->arg_count, ", ");
    wr_text_addz(p->out, e->ignore_nulls ? " IGNORE NULLS)" : ")");
    if (e->kind == WR_EXPR_AGGREGATE && e->filter) {
        wr_text_addz(p->out, " FILTER (WHERE ");
        print(p, e->filter);
        wr_text_addz(p->out, ")");
    }
}

static void print_case(const printer *p, const wr_expr *e) {
    wr_text_addz(p->out, "CASE");
    for (uint32_t i = 0; i + 1 < e->arg_count; i += 2) {
        wr_text_addz(p->out, " WHEN ");
        print(p, e->args[i]);
        wr_text_addz(p->out, " THEN ");
        print(p, e->args[i + 1]);
    }
    wr_text_addz(p->out, " ELSE ");
    print(p, e->args[e->arg_count - 1]);
    wr_text_addz(p->out, " END");
}

static void print_subquery(const printer *p, const wr_expr *e) {
    static const char *const compare[] = {"=", "<>", "<", "<=", ">", ">="};
    if (e->arg_count) print(p, e->args[0]);
    switch ((wr_subquery_kind)e->subquery) {
    case WR_SUBQUERY_SCALAR: wr_text_addz(p->out, "(subquery)"); break;
    case WR_SUBQUERY_EXISTS: wr_text_addz(p->out, "EXISTS (subquery)"); break;
    case WR_SUBQUERY_IN: wr_text_addz(p->out, " IN (subquery)"); break;
    case WR_SUBQUERY_ANY: wr_text_format(p->out, " %s ANY (subquery)", compare[e->compare]); break;
    case WR_SUBQUERY_ALL: wr_text_format(p->out, " %s ALL (subquery)", compare[e->compare]); break;
    }
}

static void print_column(const printer *p, const wr_expr *e) {
    wr_str name = p->name_of ? p->name_of(e->column, p->user) : (wr_str){NULL, 0};
    if (name.size) {
        wr_text_add(p->out, name.data, name.size);
    } else {
        wr_text_format(p->out, "#%u", e->column);
    }
}

static void print(const printer *p, const wr_expr *e) {
    switch ((wr_expr_kind)e->kind) {
    case WR_EXPR_COLUMN: print_column(p, e); return;
    case WR_EXPR_CONSTANT: print_constant(p->out, &e->value); return;
    case WR_EXPR_PARAMETER: wr_text_format(p->out, "$%u", e->parameter + 1); return;
    case WR_EXPR_CALL:
    case WR_EXPR_AGGREGATE: print_call(p, e); return;
    case WR_EXPR_CAST:
        wr_text_addz(p->out, e->try_ ? "TRY_CAST(" : "CAST(");
        print(p, e->args[0]);
        wr_text_addz(p->out, " AS ");
        wr_type_print(p->out, e->type);
        wr_text_addz(p->out, ")");
        return;
    case WR_EXPR_AND:
    case WR_EXPR_OR:
        wr_text_addz(p->out, "(");
        print_list(p, e->args, e->arg_count, e->kind == WR_EXPR_AND ? " AND " : " OR ");
        wr_text_addz(p->out, ")");
        return;
    case WR_EXPR_NOT:
        wr_text_addz(p->out, "(NOT ");
        print(p, e->args[0]);
        wr_text_addz(p->out, ")");
        return;
    case WR_EXPR_IS_NULL:
        print(p, e->args[0]);
        wr_text_addz(p->out, " IS NULL");
        return;
    case WR_EXPR_CASE: print_case(p, e); return;
    case WR_EXPR_IN:
        print(p, e->args[0]);
        wr_text_addz(p->out, " IN (");
        print_list(p, e->args + 1, e->arg_count - 1, ", ");
        wr_text_addz(p->out, ")");
        return;
    case WR_EXPR_SUBQUERY: print_subquery(p, e); return;
    case WR_EXPR_KINDS: return;
    }
}

void wr_expr_print(const wr_expr *expr, wr_text *out, wr_str (*name_of)(wr_column_id column, void *user), void *user) {
    print(&(printer){out, name_of, user}, expr);
}
