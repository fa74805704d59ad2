/* What names mean. A scope holds the tables of one FROM, and leads to the scope of the query around it; the first scope
 * that knows a name wins, so an inner table hides an outer one. Within a scope a bare name must be unique among the
 * columns; the two columns of a JOIN USING count as one.
 *
 * A dotted name is tried from its longest table part: a.b.c is column c of table a.b, else field c of column b of table
 * a, else field c of field b of column a. */
#include "plan/binder_internal.h"

/* ---- hints ---- */

wr_nearest wr_nearest_to(wr_str wanted) {
    return (wr_nearest){.wanted = wanted, .distance = 1 + wr_str_slips(wanted)};
}

void wr_nearest_offer(wr_nearest *nearest, wr_str name) {
    uint32_t distance = wr_str_distance(nearest->wanted, name, nearest->distance + 1);
    if (distance < nearest->distance || (distance == nearest->distance && !nearest->best.size)) {
        nearest->best = name;
        nearest->distance = distance;
    }
}

wr_status wr_nearest_hint(const wr_nearest *nearest, wr_error *err) {
    if (!nearest->best.size) return err ? err->code : WR_NOT_FOUND;
    return wr_hint(err, "did you mean \"%.*s\"?", WR_STR_ARGS(nearest->best));
}

/* ---- tables ---- */

wr_status wr_scope_add_table(wr_binder *b, wr_scope *scope, wr_str alias, const wr_logical *node, const wr_str *names,
                             wr_error *err) {
    wr_scope_table table = {.alias = alias, .count = node->column_count};
    table.columns = WR_ARENA_ARRAY(b->arena, wr_scope_column, node->column_count + 1);
    WR_NEED(table.columns);
    for (uint32_t i = 0; i < node->column_count; i++) {
        table.columns[i] = (wr_scope_column){.name = names[i], .id = node->columns[i]};
    }
    WR_NEED(wr_arena_push(b->arena, &scope->tables, &scope->table_count, &scope->table_capacity, sizeof table, &table));
    return WR_OK;
}

static bool path_matches(const wr_scope_table *table, const wr_str *path, uint32_t count) {
    if (!wr_str_equal_nocase(table->alias, path[count - 1])) return false;
    if (count == 1) return true;
    if (table->path_count < count) return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!wr_str_equal_nocase(table->path[table->path_count - count + i], path[i])) return false;
    }
    return true;
}

wr_scope_table *wr_scope_find_table(const wr_scope *scope, const wr_str *path, uint32_t path_count) {
    for (uint32_t i = scope->first_visible; i < scope->table_count; i++) {
        if (path_matches(&scope->tables[i], path, path_count)) return &scope->tables[i];
    }
    return NULL;
}

wr_cte *wr_scope_find_cte(const wr_scope *scope, wr_str name) {
    for (; scope; scope = scope->outer) {
        for (wr_cte *cte = scope->ctes; cte; cte = cte->next) {
            if (wr_str_equal_nocase(cte->node->text, name)) return cte;
        }
    }
    return NULL;
}

/* ---- columns ---- */

static wr_status fail_ambiguous(wr_str name, uint32_t position, const wr_scope_table *first,
                                const wr_scope_table *second, wr_error *err) {
    (void)wr_fail_at(err, WR_INVALID, position,
                     "column \"%.*s\" is ambiguous: tables \"%.*s\" and \"%.*s\" both have it", WR_STR_ARGS(name),
                     WR_STR_ARGS(first->alias), WR_STR_ARGS(second->alias));
    if (first->alias.size == 0) return WR_INVALID;
    return wr_hint(err, "write \"%.*s.%.*s\"", WR_STR_ARGS(first->alias), WR_STR_ARGS(name));
}

wr_status wr_scope_find_column(wr_binder *b, const wr_scope *scope, wr_str name, uint32_t position,
                               wr_scope_column **out, wr_error *err) {
    (void)b;
    const wr_scope_table *first = NULL;
    *out = NULL;
    for (uint32_t t = scope->first_visible; t < scope->table_count; t++) {
        wr_scope_table *table = &scope->tables[t];
        for (uint32_t i = 0; i < table->count; i++) {
            wr_scope_column *column = &table->columns[i];
            if (column->hidden || !wr_str_equal_nocase(column->name, name)) continue;
            if (*out) return fail_ambiguous(name, position, first, table, err);
            *out = column;
            first = table;
        }
    }
    return WR_OK;
}

static wr_status find_in_table(wr_scope_table *table, wr_str name, uint32_t position, wr_scope_column **out,
                               wr_error *err) {
    *out = NULL;
    for (uint32_t i = 0; i < table->count; i++) {
        if (!wr_str_equal_nocase(table->columns[i].name, name)) continue;
        if (*out) return fail_ambiguous(name, position, table, table, err);
        *out = &table->columns[i];
    }
    return WR_OK;
}

wr_expr *wr_bind_column(wr_binder *b, wr_column_id id, uint32_t position) {
    wr_expr *expr = wr_expr_column(b->arena, id, b->plan->columns[id].type);
    if (expr) expr->position = position;
    return expr;
}

static wr_status resolve_here(wr_binder *b, const wr_scope *scope, const wr_str *path, uint32_t count,
                              uint32_t position, wr_expr **out, uint32_t *used, wr_error *err) {
    for (uint32_t table_names = count - 1; table_names > 0; table_names--) {
        wr_scope_table *table = wr_scope_find_table(scope, path, table_names);
        wr_scope_column *column = NULL;
        if (table) WR_TRY(find_in_table(table, path[table_names], position, &column, err));
        if (!column) continue;
        *used = table_names + 1;
        WR_NEED(*out = wr_bind_column(b, column->id, position));
        return WR_OK;
    }
    wr_scope_column *column;
    WR_TRY(wr_scope_find_column(b, scope, path[0], position, &column, err));
    if (!column) return WR_OK;
    *used = 1;
    if (column->merged) {
        WR_NEED(*out = wr_expr_copy_node(b->arena, column->merged));
        (*out)->position = position;
    } else {
        WR_NEED(*out = wr_bind_column(b, column->id, position));
    }
    return WR_OK;
}

wr_status wr_scope_resolve(wr_binder *b, const wr_scope *scope, const wr_node *column, wr_expr **out, uint32_t *used,
                           wr_error *err) {
    wr_str path[8];
    uint32_t count = column->child_count;
    if (count == 0 || count > WR_COUNT_OF(path))
        return wr_fail_at(err, WR_INVALID, column->position, "a column's name has %u parts, at most %zu are possible",
                          count, WR_COUNT_OF(path));
    for (uint32_t i = 0; i < count; i++) path[i] = column->children[i]->text;
    *out = NULL;
    for (; scope && !*out; scope = scope->outer) {
        WR_TRY(resolve_here(b, scope, path, count, column->position, out, used, err));
    }
    return WR_OK;
}

/* ---- names that are not there ---- */

static wr_status fail_no_table(const wr_scope *scope, wr_str name, uint32_t position, wr_error *err) {
    (void)wr_fail_at(err, WR_NOT_FOUND, position, "table \"%.*s\" is not in FROM", WR_STR_ARGS(name));
    wr_nearest nearest = wr_nearest_to(name);
    for (; scope; scope = scope->outer) {
        for (uint32_t i = scope->first_visible; i < scope->table_count; i++) {
            wr_nearest_offer(&nearest, scope->tables[i].alias);
        }
    }
    return wr_nearest_hint(&nearest, err);
}

static void offer_columns(wr_nearest *nearest, const wr_scope_table *table) {
    for (uint32_t i = 0; i < table->count; i++) wr_nearest_offer(nearest, table->columns[i].name);
}

static bool is_table_of_any(const wr_scope *scope, wr_str name, const wr_scope_table **out) {
    for (; scope; scope = scope->outer) {
        *out = wr_scope_find_table(scope, &name, 1);
        if (*out) return true;
    }
    return false;
}

wr_status wr_scope_fail(wr_binder *b, const wr_scope *scope, const wr_node *column, wr_error *err) {
    (void)b;
    uint32_t count = column->child_count;
    wr_str name = column->children[count - 1]->text;
    wr_nearest nearest = wr_nearest_to(name);
    if (count > 1) {
        const wr_scope_table *table;
        wr_str table_name = column->children[count - 2]->text;
        if (!is_table_of_any(scope, table_name, &table)) return fail_no_table(scope, table_name, column->position, err);
        (void)wr_fail_at(err, WR_NOT_FOUND, column->position, "table \"%.*s\" has no column \"%.*s\"",
                         WR_STR_ARGS(table_name), WR_STR_ARGS(name));
        offer_columns(&nearest, table);
        return wr_nearest_hint(&nearest, err);
    }
    (void)wr_fail_at(err, WR_NOT_FOUND, column->position, "column \"%.*s\" does not exist", WR_STR_ARGS(name));
    for (; scope; scope = scope->outer) {
        for (uint32_t i = 0; i < scope->table_count; i++) {
            if (i < scope->first_visible) continue;
            offer_columns(&nearest, &scope->tables[i]);
        }
        for (uint32_t i = 0; i < scope->alias_count; i++) wr_nearest_offer(&nearest, scope->aliases[i].name);
    }
    if (nearest.best.size) return wr_nearest_hint(&nearest, err);
    if (b->plan->table_count == 0) return wr_hint(err, "there is no FROM; a text is written in single quotes");
    return WR_NOT_FOUND;
}
