/* FROM: tables, views, files, common table expressions, derived tables, VALUES and joins.
 *
 * Tables are added to the scope as they are met, from left to right, so a derived table sees those to its left: it is
 * LATERAL whether or not the word is there, as it cannot be told apart otherwise. A join whose right side reads its
 * left side is marked dependent, for optimize/ to unnest. */
#include "plan/binder_internal.h"

/* ---- tables, files, views ---- */

static wr_status bind_scan(wr_binder *b, wr_table *table, wr_str alias, wr_logical **out, wr_error *err) {
    WR_TRY(wr_plan_hold_table(b->plan, table, err));
    wr_logical *scan = wr_logical_create(b->plan, WR_LOGICAL_SCAN, 0);
    WR_NEED(scan);
    uint32_t count = table->schema.field_count;
    scan->scan.table = table;
    scan->scan.alias = alias;
    WR_NEED(scan->columns = WR_ARENA_ARRAY(b->arena, wr_column_id, count + 1));
    WR_NEED(scan->scan.table_columns = WR_ARENA_ARRAY(b->arena, uint32_t, count + 1));
    for (uint32_t i = 0; i < count; i++) {
        const wr_field *field = &table->schema.fields[i];
        scan->scan.table_columns[i] = i;
        WR_NEED(scan->columns[i] = wr_plan_add_column(b->plan, field->name, field->type, field->nullable, scan));
    }
    scan->column_count = count;
    *out = scan;
    return WR_OK;
}

static wr_status add_scan(wr_binder *b, wr_scope *scope, wr_table *table, wr_str alias, wr_logical **out,
                          wr_error *err) {
    WR_TRY(bind_scan(b, table, alias, out, err));
    wr_str *names = WR_ARENA_ARRAY(b->arena, wr_str, table->schema.field_count + 1);
    WR_NEED(names);
    for (uint32_t i = 0; i < table->schema.field_count; i++) names[i] = table->schema.fields[i].name;
    return wr_scope_add_table(b, scope, alias, *out, names, err);
}

/* "dir/orders.parquet" is called orders, as SQL needs a name for it. */
static wr_str file_alias(wr_str path) {
    uint32_t begin = path.size;
    while (begin > 0 && path.data[begin - 1] != '/') begin--;
    uint32_t end = begin;
    while (end < path.size && path.data[end] != '.' && path.data[end] != '*') end++;
    if (end == begin) return path;
    return (wr_str){path.data + begin, end - begin};
}

static wr_status bind_files(wr_binder *b, wr_str pattern, uint32_t position, wr_scope *scope, wr_logical **out,
                            wr_error *err) {
    wr_catalog *catalog = b->context->catalog;
    wr_table *table = NULL;
    wr_status status = catalog->ops->open_files(catalog, pattern, &table, err);
    if (status != WR_OK) {
        if (err && err->position == WR_NO_POSITION) err->position = position;
        return status;
    }
    return add_scan(b, scope, table, file_alias(pattern), out, err);
}

/* Renames the first `count` of the names. */
static wr_status rename_columns(const wr_node *list, wr_str what, wr_str *names, uint32_t count, wr_error *err) {
    if (!list) return WR_OK;
    if (list->child_count > count)
        return wr_fail_at(err, WR_INVALID, list->position, "\"%.*s\" has %u columns, but %u names are given",
                          WR_STR_ARGS(what), count, list->child_count);
    for (uint32_t i = 0; i < list->child_count; i++) names[i] = list->children[i]->text;
    return WR_OK;
}

static wr_status bind_view(wr_binder *b, const wr_view *view, uint32_t position, wr_bound_query *out, wr_error *err) {
    if (b->view_depth >= WR_VIEW_DEPTH_MAX)
        return wr_fail_at(err, WR_LIMIT, position, "view \"%.*s\" is nested in more than %d views",
                          WR_STR_ARGS(view->name), WR_VIEW_DEPTH_MAX);
    b->view_depth++;
    wr_status status = wr_bind_query_node(b, view->query, NULL, out, err);
    b->view_depth--;
    if (status != WR_OK) {
        /* Positions of the view's own text mean nothing in this one. */
        if (err) err->position = position;
        return wr_error_prefix(err, "view \"%.*s\": ", WR_STR_ARGS(view->name));
    }
    for (uint32_t i = 0; i < view->column_count && i < out->node->column_count; i++) out->names[i] = view->columns[i];
    return WR_OK;
}

static wr_status offer_name(void *user, wr_str name) {
    wr_nearest_offer(user, name);
    return WR_OK;
}

static wr_status fail_no_table(wr_binder *b, const wr_node *node, wr_error *err) {
    wr_str name = node->children[node->child_count - 1]->text;
    (void)wr_fail_at(err, WR_NOT_FOUND, node->position, "table \"%.*s\" does not exist", WR_STR_ARGS(name));
    wr_nearest nearest = wr_nearest_to(name);
    wr_catalog *catalog = b->context->catalog;
    if (catalog->ops->names) WR_TRY(catalog->ops->names(catalog, offer_name, &nearest, NULL));
    if (nearest.best.size) return wr_nearest_hint(&nearest, err);
    return wr_hint(err, "a file is written in single quotes: FROM 'orders.parquet'");
}

static wr_status bind_catalog_table(wr_binder *b, const wr_node *node, wr_scope *scope, wr_logical **out,
                                    wr_error *err) {
    uint32_t count = node->child_count;
    wr_str *path = WR_ARENA_ARRAY(b->arena, wr_str, count);
    WR_NEED(path);
    for (uint32_t i = 0; i < count; i++) path[i] = node->children[i]->text;
    wr_catalog *catalog = b->context->catalog;
    wr_table *table = NULL;
    const wr_view *view = NULL;
    wr_status status = catalog->ops->find(catalog, path, count, &table, &view, err);
    if (status == WR_NOT_FOUND) return fail_no_table(b, node, err);
    if (status != WR_OK) {
        if (err && err->position == WR_NO_POSITION) err->position = node->position;
        return status;
    }
    if (table) {
        WR_TRY(add_scan(b, scope, table, path[count - 1], out, err));
    } else {
        wr_bound_query query;
        WR_TRY(bind_view(b, view, node->position, &query, err));
        WR_TRY(wr_scope_add_table(b, scope, path[count - 1], query.node, query.names, err));
        *out = query.node;
    }
    scope->tables[scope->table_count - 1].path = path;
    scope->tables[scope->table_count - 1].path_count = count;
    return WR_OK;
}

/* ---- common table expressions ---- */

/* A reader of a shared subplan: its columns under ids of the reader's own. */
static wr_status read_shared(wr_binder *b, wr_logical *shared, const wr_str *names, wr_logical **out, wr_error *err) {
    wr_logical *project = wr_logical_create(b->plan, WR_LOGICAL_PROJECT, 1);
    WR_NEED(project);
    project->children[0] = shared;
    project->project.count = shared->column_count;
    WR_NEED(project->project.items = WR_ARENA_ARRAY(b->arena, wr_named_expr, shared->column_count + 1));
    for (uint32_t i = 0; i < shared->column_count; i++) {
        const wr_plan_column column = b->plan->columns[shared->columns[i]];
        wr_named_expr *item = &project->project.items[i];
        WR_NEED(item->id = wr_plan_add_column(b->plan, names[i], column.type, column.nullable, project));
        WR_NEED(item->expr = wr_expr_column(b->arena, shared->columns[i], column.type));
    }
    WR_NEED(wr_logical_refresh(b->plan, project));
    shared->shared.reader_count++;
    *out = project;
    return WR_OK;
}

static wr_status bind_cte_query(wr_binder *b, wr_cte *cte, uint32_t position, wr_bound_query *out, wr_error *err) {
    if (cte->binding) {
        (void)wr_fail_at(err, WR_UNSUPPORTED, position,
                         "recursive common table expressions are not supported: \"%.*s\"",
                         WR_STR_ARGS(cte->node->text));
        return WR_UNSUPPORTED;
    }
    cte->binding = cte->checked = true;
    wr_status status = wr_bind_query_node(b, cte->node->children[1], cte->scope, out, err);
    cte->binding = false;
    if (status != WR_OK) return status;
    return rename_columns(cte->node->children[0], cte->node->text, out->names, out->node->column_count, err);
}

/* The first reader binds the query; if it stands alone (reads no outer column) it is shared by all the readers, and
 * passes over the plan decide whether it stays so. Else, and where the user wants it, each reader gets its own. */
static wr_status bind_cte(wr_binder *b, wr_cte *cte, uint32_t position, wr_scope *scope, wr_logical **out,
                          wr_error *err) {
    if (!cte->shared) {
        wr_bound_query query;
        WR_TRY(bind_cte_query(b, cte, position, &query, err));
        wr_column_set outside = {0};
        WR_NEED(wr_logical_free_columns(query.node, b->arena, &outside));
        bool alone = wr_column_set_contains(&(wr_column_set){0}, &outside);
        if (!alone || (cte->node->flags & WR_NODE_NOT_MATERIALIZED)) {
            *out = query.node;
            return wr_scope_add_table(b, scope, cte->node->text, query.node, query.names, err);
        }
        WR_NEED(cte->shared = wr_logical_create(b->plan, WR_LOGICAL_SHARED, 1));
        cte->shared->children[0] = query.node;
        cte->shared->shared.keep = (cte->node->flags & WR_NODE_MATERIALIZED) != 0;
        cte->names = query.names;
        WR_NEED(wr_logical_refresh(b->plan, cte->shared));
    }
    WR_TRY(read_shared(b, cte->shared, cte->names, out, err));
    return wr_scope_add_table(b, scope, cte->node->text, *out, cte->names, err);
}

/* ---- derived tables, table functions, aliases ---- */

static wr_status bind_derived(wr_binder *b, const wr_node *node, wr_scope *scope, wr_logical **out, wr_error *err) {
    wr_bound_query query;
    WR_TRY(wr_bind_query_node(b, node->children[0], scope, &query, err));
    *out = query.node;
    return wr_scope_add_table(b, scope, (wr_str){"", 0}, query.node, query.names, err);
}

static wr_status bind_table_function(wr_binder *b, const wr_node *node, wr_scope *scope, wr_logical **out,
                                     wr_error *err) {
    static const char *const readers[] = {"read_parquet", "parquet_scan",   "read_csv", "read_csv_auto",
                                          "read_json",    "read_json_auto", "scan"};
    for (uint32_t i = 0; i < WR_COUNT_OF(readers); i++) {
        if (!wr_str_equal_nocase(node->text, wr_str_from(readers[i]))) continue;
        if (node->child_count != 1 || node->children[0]->kind != WR_NODE_STRING)
            return wr_fail_at(err, WR_UNSUPPORTED, node->position, "%s takes one path or pattern in single quotes",
                              readers[i]);
        return bind_files(b, node->children[0]->text, node->position, scope, out, err);
    }
    (void)wr_fail_at(err, WR_UNSUPPORTED, node->position, "table function \"%.*s\" is not supported",
                     WR_STR_ARGS(node->text));
    wr_nearest nearest = wr_nearest_to(node->text);
    for (uint32_t i = 0; i < WR_COUNT_OF(readers); i++) wr_nearest_offer(&nearest, wr_str_from(readers[i]));
    return wr_nearest_hint(&nearest, err);
}

/* An alias hides the names below it: the relation's tables become one table. */
static wr_status bind_alias(wr_binder *b, const wr_node *node, wr_scope *scope, wr_logical **out, wr_error *err) {
    uint32_t first = scope->table_count;
    WR_TRY(wr_bind_relation(b, node->children[0], scope, out, err));
    if (scope->table_count != first + 1) {
        uint32_t count = 0;
        for (uint32_t t = first; t < scope->table_count; t++) count += scope->tables[t].count;
        wr_scope_table all = {0};
        WR_NEED(all.columns = WR_ARENA_ARRAY(b->arena, wr_scope_column, count + 1));
        for (uint32_t t = first; t < scope->table_count; t++) {
            for (uint32_t i = 0; i < scope->tables[t].count; i++) {
                if (!scope->tables[t].columns[i].hidden) all.columns[all.count++] = scope->tables[t].columns[i];
            }
        }
        scope->tables[first] = all;
        scope->table_count = first + 1;
    }
    wr_scope_table *table = &scope->tables[first];
    table->alias = node->text;
    table->path = NULL;
    table->path_count = 0;
    if ((*out)->kind == WR_LOGICAL_SCAN) (*out)->scan.alias = node->text;
    const wr_node *list = node->children[1];
    if (!list) return WR_OK;
    wr_str *names = WR_ARENA_ARRAY(b->arena, wr_str, table->count + 1);
    WR_NEED(names);
    for (uint32_t i = 0; i < table->count; i++) names[i] = table->columns[i].name;
    WR_TRY(rename_columns(list, node->text, names, table->count, err));
    for (uint32_t i = 0; i < table->count; i++) table->columns[i].name = names[i];
    return WR_OK;
}

/* ---- joins ---- */

static bool join_kind_of(const wr_node *node, wr_join_kind *kind, bool *swap) {
    static const struct {
        const char *text;
        wr_join_kind kind;
        bool swap;
    } kinds[] = {
        {"inner", WR_JOIN_INNER, false},     {"cross", WR_JOIN_INNER, false},     {"left", WR_JOIN_OUTER_LEFT, false},
        {"right", WR_JOIN_OUTER_LEFT, true}, {"full", WR_JOIN_OUTER_FULL, false}, {"semi", WR_JOIN_SEMI, false},
        {"anti", WR_JOIN_ANTI, false},
    };
    for (uint32_t i = 0; i < WR_COUNT_OF(kinds); i++) {
        if (!wr_str_equal_nocase(node->text, wr_str_from(kinds[i].text))) continue;
        *kind = kinds[i].kind;
        *swap = kinds[i].swap;
        return !(node->flags & WR_NODE_ASOF);
    }
    return false;
}

/* The column of one side of a USING: unique among the tables [first, end). */
static wr_status find_using(wr_binder *b, const wr_scope *scope, uint32_t first, uint32_t end, wr_str name,
                            uint32_t position, const char *side, wr_scope_column **out, wr_error *err) {
    wr_scope range = *scope;
    range.first_visible = first;
    range.table_count = end;
    WR_TRY(wr_scope_find_column(b, &range, name, position, out, err));
    if (*out) return WR_OK;
    (void)wr_fail_at(err, WR_NOT_FOUND, position, "the %s side of the join has no column \"%.*s\"", side,
                     WR_STR_ARGS(name));
    wr_nearest nearest = wr_nearest_to(name);
    for (uint32_t t = first; t < end; t++) {
        for (uint32_t i = 0; i < scope->tables[t].count; i++)
            wr_nearest_offer(&nearest, scope->tables[t].columns[i].name);
    }
    return wr_nearest_hint(&nearest, err);
}

static wr_status column_expr(wr_binder *b, const wr_scope_column *column, uint32_t position, wr_expr **out,
                             wr_error *err) {
    WR_NEED(*out = column->merged ? column->merged : wr_bind_column(b, column->id, position));
    return WR_OK;
}

/* left = right, and what the bare name means from here on. */
static wr_status merge_using(wr_binder *b, wr_join_kind kind, bool right_join, wr_scope_column *left,
                             wr_scope_column *right, uint32_t position, wr_expr **condition, wr_error *err) {
    wr_expr *l, *r;
    WR_TRY(column_expr(b, left, position, &l, err));
    WR_TRY(column_expr(b, right, position, &r, err));
    WR_TRY(wr_bind_comparison(b, WR_STR("="), position, l, r, condition, err));
    right->hidden = true;
    if (right_join) {
        left->merged = r;
    } else if (kind == WR_JOIN_OUTER_FULL) {
        wr_expr *both[2] = {l, r};
        wr_type type;
        WR_TRY(wr_bind_common_type(b, both, 2, "USING", &type, err));
        for (int i = 0; i < 2; i++) WR_TRY(wr_bind_cast(b, both[i], type, &both[i], err));
        /* coalesce(left, right) */
        wr_expr *missing = wr_expr_create(b->arena, WR_EXPR_IS_NULL, wr_type_of(WR_TYPE_BOOLEAN), 1);
        wr_expr *choice = wr_expr_create(b->arena, WR_EXPR_CASE, type, 3);
        WR_NEED(missing && choice);
        missing->args[0] = both[0];
        choice->args[0] = missing;
        choice->args[1] = both[1];
        choice->args[2] = both[0];
        wr_expr_refresh(missing);
        left->merged = wr_expr_refresh(choice);
    }
    return WR_OK;
}

typedef struct join_names {
    wr_str *names;
    uint32_t count, capacity;
} join_names;

/* NATURAL: every name that both sides show. */
static wr_status natural_names(wr_binder *b, const wr_scope *scope, uint32_t first, uint32_t middle, join_names *out,
                               wr_error *err) {
    for (uint32_t t = first; t < middle; t++) {
        for (uint32_t i = 0; i < scope->tables[t].count; i++) {
            const wr_scope_column *column = &scope->tables[t].columns[i];
            wr_scope range = *scope;
            range.first_visible = middle;
            wr_scope_column *other = NULL;
            if (column->hidden) continue;
            WR_TRY(wr_scope_find_column(b, &range, column->name, WR_NO_POSITION, &other, err));
            if (!other) continue;
            WR_NEED(
                wr_arena_push(b->arena, &out->names, &out->count, &out->capacity, sizeof column->name, &column->name));
        }
    }
    return WR_OK;
}

typedef struct join_binding {
    const wr_node *node;
    wr_join_kind kind;
    bool swap;
    uint32_t first, middle; /* tables of the left side: [first, middle); of the right: the rest */
} join_binding;

static wr_status bind_using(wr_binder *b, const join_binding *j, wr_scope *scope, wr_logical *join, wr_error *err) {
    const wr_node *list = j->node->children[WR_JOIN_USING];
    join_names names = {0};
    if (j->node->flags & WR_NODE_NATURAL) {
        WR_TRY(natural_names(b, scope, j->first, j->middle, &names, err));
    } else {
        for (uint32_t i = 0; i < list->child_count; i++) {
            wr_str name = list->children[i]->text;
            WR_NEED(wr_arena_push(b->arena, &names.names, &names.count, &names.capacity, sizeof name, &name));
        }
    }
    WR_NEED(join->join.residual = WR_ARENA_ARRAY(b->arena, wr_expr *, names.count + 1));
    join->join.residual_count = names.count;
    for (uint32_t i = 0; i < names.count; i++) {
        uint32_t position = list ? list->children[i]->position : j->node->position;
        wr_scope_column *left, *right;
        WR_TRY(find_using(b, scope, j->first, j->middle, names.names[i], position, "left", &left, err));
        WR_TRY(find_using(b, scope, j->middle, scope->table_count, names.names[i], position, "right", &right, err));
        WR_TRY(merge_using(b, j->kind, j->swap, left, right, position, &join->join.residual[i], err));
    }
    return WR_OK;
}

static wr_status bind_on(wr_binder *b, const join_binding *j, wr_scope *scope, wr_logical *join, wr_error *err) {
    const wr_node *on = j->node->children[WR_JOIN_ON];
    if (!on) return WR_OK;
    wr_scope range = *scope;
    range.first_visible = j->first;
    wr_expr_scope in = {.scope = &range, .clause = "ON"};
    wr_expr *condition;
    WR_TRY(wr_bind_condition(b, &in, on, &condition, err));
    WR_NEED(wr_split_conjuncts(b->arena, condition, &join->join.residual, &join->join.residual_count));
    return WR_OK;
}

static wr_status mark_dependent(wr_binder *b, const join_binding *j, wr_logical *left, wr_logical *right,
                                wr_logical *join, wr_error *err) {
    if (right->kind == WR_LOGICAL_SCAN) return WR_OK;
    wr_column_set outside = {0}, given = {0};
    WR_NEED(wr_logical_free_columns(right, b->arena, &outside));
    for (uint32_t i = 0; i < left->column_count; i++) WR_NEED(wr_column_set_add(&given, b->arena, left->columns[i]));
    if (!wr_column_set_overlaps(&outside, &given)) return WR_OK;
    if (j->swap || j->kind == WR_JOIN_OUTER_FULL)
        return wr_fail_at(err, WR_INVALID, j->node->position,
                          "the right side of a %.*s join cannot refer to columns of its left side",
                          WR_STR_ARGS(j->node->text));
    join->join.dependent = true;
    return WR_OK;
}

static wr_status bind_join(wr_binder *b, const wr_node *node, wr_scope *scope, wr_logical **out, wr_error *err) {
    join_binding j = {.node = node, .first = scope->table_count};
    if (!join_kind_of(node, &j.kind, &j.swap))
        return wr_fail_at(err, WR_UNSUPPORTED, node->position, "%s%.*s joins are not supported",
                          node->flags & WR_NODE_ASOF ? "ASOF " : "", WR_STR_ARGS(node->text));
    wr_logical *left, *right, *join = wr_logical_create(b->plan, WR_LOGICAL_JOIN, 2);
    WR_NEED(join);
    WR_TRY(wr_bind_relation(b, node->children[WR_JOIN_LEFT], scope, &left, err));
    j.middle = scope->table_count;
    WR_TRY(wr_bind_relation(b, node->children[WR_JOIN_RIGHT], scope, &right, err));
    join->join.kind = (uint8_t)j.kind;
    WR_TRY(mark_dependent(b, &j, left, right, join, err));
    join->children[0] = j.swap ? right : left;
    join->children[1] = j.swap ? left : right;
    if (node->children[WR_JOIN_USING] || (node->flags & WR_NODE_NATURAL)) {
        WR_TRY(bind_using(b, &j, scope, join, err));
    } else {
        WR_TRY(bind_on(b, &j, scope, join, err));
    }
    if (j.kind == WR_JOIN_SEMI || j.kind == WR_JOIN_ANTI) scope->table_count = j.middle;
    WR_NEED(wr_logical_refresh(b->plan, join));
    *out = join;
    return WR_OK;
}

/* ---- VALUES ---- */

static wr_status bind_value_rows(wr_binder *b, const wr_node *node, wr_scope *outer, wr_logical *values, uint32_t width,
                                 wr_error *err) {
    wr_scope empty = {.outer = outer};
    wr_expr_scope in = {.scope = &empty, .clause = "VALUES"};
    WR_NEED(values->values.rows = WR_ARENA_ARRAY(b->arena, wr_expr **, node->child_count));
    values->values.row_count = node->child_count;
    for (uint32_t r = 0; r < node->child_count; r++) {
        const wr_node *row = node->children[r];
        if (row->child_count != width)
            return wr_fail_at(err, WR_INVALID, row->position, "this row has %u values, the first one has %u",
                              row->child_count, width);
        WR_NEED(values->values.rows[r] = WR_ARENA_ARRAY(b->arena, wr_expr *, width + 1));
        for (uint32_t i = 0; i < width; i++)
            WR_TRY(wr_bind_expr(b, &in, row->children[i], &values->values.rows[r][i], err));
    }
    return WR_OK;
}

static wr_status unify_column(wr_binder *b, wr_logical *values, uint32_t at, wr_type *type, wr_error *err) {
    uint32_t count = values->values.row_count;
    wr_expr **column = WR_ARENA_ARRAY(b->arena, wr_expr *, count);
    WR_NEED(column);
    for (uint32_t r = 0; r < count; r++) column[r] = values->values.rows[r][at];
    WR_TRY(wr_bind_common_type(b, column, count, "VALUES", type, err));
    for (uint32_t r = 0; r < count; r++) WR_TRY(wr_bind_cast(b, column[r], *type, &values->values.rows[r][at], err));
    return WR_OK;
}

wr_status wr_bind_values(wr_binder *b, const wr_node *node, wr_scope *outer, wr_bound_query *out, wr_error *err) {
    uint32_t width = node->children[0]->child_count;
    wr_logical *values = wr_logical_create(b->plan, WR_LOGICAL_VALUES, 0);
    WR_NEED(values);
    WR_TRY(bind_value_rows(b, node, outer, values, width, err));
    WR_NEED(values->columns = WR_ARENA_ARRAY(b->arena, wr_column_id, width + 1));
    WR_NEED(out->names = WR_ARENA_ARRAY(b->arena, wr_str, width + 1));
    for (uint32_t i = 0; i < width; i++) {
        wr_type type;
        WR_TRY(unify_column(b, values, i, &type, err));
        WR_NEED((out->names[i] = wr_arena_format(b->arena, "col%u", i)).data);
        WR_NEED(values->columns[i] = wr_plan_add_column(b->plan, out->names[i], type, true, values));
    }
    values->column_count = width;
    out->node = values;
    return WR_OK;
}

/* ---- all of them ---- */

wr_status wr_bind_relation(wr_binder *b, const wr_node *node, wr_scope *scope, wr_logical **out, wr_error *err) {
    switch ((wr_node_kind)node->kind) {
    case WR_NODE_TABLE: {
        wr_cte *cte = node->child_count == 1 ? wr_scope_find_cte(scope, node->children[0]->text) : NULL;
        if (cte) return bind_cte(b, cte, node->position, scope, out, err);
        return bind_catalog_table(b, node, scope, out, err);
    }
    case WR_NODE_FILE: return bind_files(b, node->text, node->position, scope, out, err);
    case WR_NODE_TABLE_FUNCTION: return bind_table_function(b, node, scope, out, err);
    case WR_NODE_DERIVED: return bind_derived(b, node, scope, out, err);
    case WR_NODE_RELATION_ALIAS: return bind_alias(b, node, scope, out, err);
    case WR_NODE_JOIN: return bind_join(b, node, scope, out, err);
    default:
        return wr_fail_at(err, WR_UNSUPPORTED, node->position, "%s is not supported in FROM",
                          wr_node_kind_name(node->kind));
    }
}
