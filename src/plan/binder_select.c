/* SELECT. The clauses are bound in the order in which SQL means them (FROM, WHERE, the list, GROUP BY, HAVING, ORDER
 * BY), all over the columns of FROM; then the plan is put together:
 *
 *     scan and joins, FILTER (WHERE), AGGREGATE, FILTER (HAVING), PROJECT (the list, and what ORDER BY needs besides),
 *     AGGREGATE (DISTINCT), SORT, LIMIT, PROJECT (the list alone)
 *
 * where each is left out that has nothing to do. */
#include "plan/binder_internal.h"

typedef struct select_item {
    const wr_node *node; /* NULL: from a star */
    wr_expr *expr;
    wr_str name;
    uint32_t aliases_before; /* of items to its left */
} select_item;

typedef struct order_item {
    wr_expr *expr;
    uint32_t item; /* of the list, or UINT32_MAX */
    wr_sort_key direction;
} order_item;

typedef struct select {
    wr_binder *b;
    const wr_node *node;
    const wr_query_tail *tail;
    wr_scope scope;
    wr_logical *plan;
    select_item *items;
    uint32_t item_count, item_capacity;
    order_item *order;
    uint32_t order_count, order_capacity;
    wr_expr **on; /* DISTINCT ON */
    uint32_t on_count;
    wr_expr *having;
    wr_grouping grouping;
    bool aggregated, null_type_stays;
} select;

/* ---- small builders ---- */

bool wr_split_conjuncts(wr_arena *arena, wr_expr *condition, wr_expr ***out, uint32_t *count) {
    wr_expr *all = wr_expr_junction(arena, WR_EXPR_AND, &condition, 1);
    if (!all) return false;
    *count = all->kind == WR_EXPR_AND ? all->arg_count : 1;
    if (!(*out = WR_ARENA_ARRAY(arena, wr_expr *, *count))) return false;
    for (uint32_t i = 0; i < *count; i++) (*out)[i] = all->kind == WR_EXPR_AND ? all->args[i] : all;
    return true;
}

wr_logical *wr_bind_filter(wr_binder *b, wr_logical *child, wr_expr *condition) {
    wr_logical *filter = wr_logical_create(b->plan, WR_LOGICAL_FILTER, 1);
    if (!filter) return NULL;
    filter->children[0] = child;
    if (!wr_split_conjuncts(b->arena, condition, &filter->filter.conjuncts, &filter->filter.count)) return NULL;
    return wr_logical_refresh(b->plan, filter) ? filter : NULL;
}

static bool may_be_null(const wr_plan *plan, const wr_expr *expr) {
    if (expr->kind == WR_EXPR_CONSTANT) return expr->value.is_null;
    return expr->kind != WR_EXPR_COLUMN || plan->columns[expr->column].nullable;
}

wr_status wr_bind_project(wr_binder *b, wr_logical *child, wr_expr *const *exprs, const wr_str *names, uint32_t count,
                          wr_logical **out, wr_error *err) {
    wr_logical *project = wr_logical_create(b->plan, WR_LOGICAL_PROJECT, 1);
    WR_NEED(project);
    project->children[0] = child;
    WR_NEED(project->project.items = WR_ARENA_ARRAY(b->arena, wr_named_expr, count + 1));
    project->project.count = count;
    wr_column_set given = {0}, used = {0};
    for (uint32_t i = 0; i < child->column_count; i++) WR_NEED(wr_column_set_add(&given, b->arena, child->columns[i]));
    for (uint32_t i = 0; i < count; i++) {
        wr_named_expr *item = &project->project.items[i];
        item->expr = exprs[i];
        bool passes = exprs[i]->kind == WR_EXPR_COLUMN && wr_column_set_has(&given, exprs[i]->column) &&
                      !wr_column_set_has(&used, exprs[i]->column);
        if (passes) {
            item->id = exprs[i]->column;
            WR_NEED(wr_column_set_add(&used, b->arena, item->id));
        } else {
            bool nullable = may_be_null(b->plan, exprs[i]);
            WR_NEED(item->id = wr_plan_add_column(b->plan, names[i], exprs[i]->type, nullable, project));
        }
    }
    WR_NEED(wr_logical_refresh(b->plan, project));
    *out = project;
    return WR_OK;
}

/* ---- the list ---- */

static wr_status add_item(select *s, select_item item, wr_error *err) {
    WR_NEED(wr_arena_push(s->b->arena, &s->items, &s->item_count, &s->item_capacity, sizeof item, &item));
    return WR_OK;
}

static const wr_node *find_named(const wr_node *list, wr_str name) {
    for (uint32_t i = 0; list && i < list->child_count; i++) {
        if (wr_str_equal_nocase(list->children[i]->text, name)) return list->children[i];
    }
    return NULL;
}

static wr_status add_star_column(select *s, const wr_node *star, const wr_scope_column *column, bool qualified,
                                 wr_error *err) {
    if (find_named(star->children[WR_STAR_EXCLUDE], column->name)) return WR_OK;
    select_item item = {.name = column->name, .aliases_before = s->scope.alias_count};
    const wr_node *replace = find_named(star->children[WR_STAR_REPLACE], column->name);
    if (replace) {
        item.node = replace->children[0];
    } else if (column->merged && !qualified) {
        item.expr = column->merged;
    } else {
        WR_NEED(item.expr = wr_bind_column(s->b, column->id, star->position));
    }
    return add_item(s, item, err);
}

/* EXCLUDE and REPLACE must name columns that are there. */
static wr_status check_star_names(select *s, const wr_node *list, const wr_scope *tables, wr_error *err) {
    (void)s;
    for (uint32_t n = 0; list && n < list->child_count; n++) {
        wr_str name = list->children[n]->text;
        bool found = false;
        wr_nearest nearest = wr_nearest_to(name);
        for (uint32_t t = 0; t < tables->table_count; t++) {
            for (uint32_t i = 0; i < tables->tables[t].count; i++) {
                found |= wr_str_equal_nocase(tables->tables[t].columns[i].name, name);
                wr_nearest_offer(&nearest, tables->tables[t].columns[i].name);
            }
        }
        if (found) continue;
        (void)wr_fail_at(err, WR_NOT_FOUND, list->children[n]->position, "* has no column \"%.*s\"", WR_STR_ARGS(name));
        return wr_nearest_hint(&nearest, err);
    }
    return WR_OK;
}

static wr_status expand_star(select *s, const wr_node *star, wr_error *err) {
    wr_scope tables = s->scope;
    const wr_node *qualifier = star->children[WR_STAR_QUALIFIER];
    if (qualifier) {
        wr_str path[8];
        bool column = qualifier->kind == WR_NODE_COLUMN;
        uint32_t count = column ? qualifier->child_count : 1;
        if (count > WR_COUNT_OF(path)) count = WR_COUNT_OF(path);
        for (uint32_t i = 0; i < count; i++) path[i] = column ? qualifier->children[i]->text : qualifier->text;
        wr_str name = path[count - 1];
        tables.tables = wr_scope_find_table(&s->scope, path, count);
        tables.table_count = 1;
        if (!tables.tables) {
            (void)wr_fail_at(err, WR_NOT_FOUND, star->position, "table \"%.*s\" is not in FROM", WR_STR_ARGS(name));
            wr_nearest nearest = wr_nearest_to(name);
            for (uint32_t i = 0; i < s->scope.table_count; i++) wr_nearest_offer(&nearest, s->scope.tables[i].alias);
            return wr_nearest_hint(&nearest, err);
        }
    } else if (tables.table_count == 0) {
        return wr_fail_at(err, WR_INVALID, star->position, "SELECT * needs a FROM");
    }
    WR_TRY(check_star_names(s, star->children[WR_STAR_EXCLUDE], &tables, err));
    WR_TRY(check_star_names(s, star->children[WR_STAR_REPLACE], &tables, err));
    for (uint32_t t = 0; t < tables.table_count; t++) {
        for (uint32_t i = 0; i < tables.tables[t].count; i++) {
            const wr_scope_column *column = &tables.tables[t].columns[i];
            if (column->hidden && !qualifier) continue;
            WR_TRY(add_star_column(s, star, column, qualifier != NULL, err));
        }
    }
    return WR_OK;
}

static wr_status collect_items(select *s, wr_error *err) {
    const wr_node *list = s->node->children[WR_SELECT_ITEMS];
    /* Only aliases that were written can be named elsewhere; a column's own name is the column's. */
    WR_NEED(s->scope.aliases = WR_ARENA_ARRAY(s->b->arena, wr_scope_alias, list->child_count + 1));
    for (uint32_t i = 0; i < list->child_count; i++) {
        const wr_node *node = list->children[i];
        if (node->kind == WR_NODE_STAR) {
            WR_TRY(expand_star(s, node, err));
            continue;
        }
        select_item item = {.node = node, .aliases_before = s->scope.alias_count};
        if (node->kind == WR_NODE_ALIAS) {
            item.node = node->children[0];
            item.name = node->text;
            s->scope.aliases[s->scope.alias_count++] = (wr_scope_alias){.name = item.name, .expr = item.node};
        } else {
            WR_NEED((item.name = wr_bind_name(s->b, node)).data);
        }
        WR_TRY(add_item(s, item, err));
    }
    if (s->item_count == 0) return wr_fail_at(err, WR_INVALID, s->node->position, "SELECT gives no column");
    return WR_OK;
}

/* An item may name the aliases of items to its left. */
static wr_status bind_items(select *s, wr_error *err) {
    uint32_t all = s->scope.alias_count;
    wr_expr_scope in = {.scope = &s->scope, .clause = "SELECT", .aliases = true, .aggregates = true};
    for (uint32_t i = 0; i < s->item_count; i++) {
        select_item *item = &s->items[i];
        if (item->expr) continue;
        s->scope.alias_count = item->aliases_before;
        WR_TRY(wr_bind_expr(s->b, &in, item->node, &item->expr, err));
        if (item->expr->type.id == WR_TYPE_NULL && !s->null_type_stays)
            WR_TRY(wr_bind_cast(s->b, item->expr, wr_type_of(WR_TYPE_INTEGER), &item->expr, err));
    }
    s->scope.alias_count = all;
    return WR_OK;
}

/* ---- GROUP BY ---- */

bool wr_bind_is_ordinal(const wr_node *node, uint32_t *out) {
    if (node->kind != WR_NODE_NUMBER || node->text.size == 0 || node->text.size > 9) return false;
    uint32_t value = 0;
    for (uint32_t i = 0; i < node->text.size; i++) {
        if (node->text.data[i] < '0' || node->text.data[i] > '9') return false;
        value = value * 10 + (uint32_t)(node->text.data[i] - '0');
    }
    *out = value;
    return true;
}

static wr_status item_of_ordinal(const select *s, const wr_node *node, uint32_t ordinal, const char *clause,
                                 uint32_t *out, wr_error *err) {
    if (ordinal == 0 || ordinal > s->item_count)
        return wr_fail_at(err, WR_INVALID, node->position, "%s %u: the SELECT list has %u items", clause, ordinal,
                          s->item_count);
    *out = ordinal - 1;
    return WR_OK;
}

static uint32_t find_item(const select *s, wr_str name) {
    for (uint32_t i = 0; i < s->item_count; i++) {
        if (wr_str_equal_nocase(s->items[i].name, name)) return i;
    }
    return UINT32_MAX;
}

/* What an alias stands for is bound already, and may hold a subquery, which bound anew is another. */
static wr_expr *item_of_alias(const select *s, const wr_node *node, wr_expr *key) {
    bool is_name = node->kind == WR_NODE_COLUMN && node->child_count == 1;
    uint32_t at = is_name && key->kind != WR_EXPR_COLUMN ? find_item(s, node->children[0]->text) : UINT32_MAX;
    return at == UINT32_MAX ? key : s->items[at].expr;
}

static wr_status add_group(select *s, const wr_node *node, wr_error *err) {
    uint32_t ordinal, at = 0;
    static const char *const sets[] = {"rollup", "cube", "grouping_sets"};
    if (wr_bind_is_ordinal(node, &ordinal)) {
        WR_TRY(item_of_ordinal(s, node, ordinal, "GROUP BY", &at, err));
        return wr_grouping_add_key(&s->grouping, s->items[at].expr, s->items[at].name, err);
    }
    if (node->kind == WR_NODE_CALL && !(node->flags & WR_NODE_OPERATOR)) {
        for (uint32_t i = 0; i < WR_COUNT_OF(sets); i++) {
            if (wr_str_equal_nocase(node->text, wr_str_from(sets[i])))
                return wr_fail_at(err, WR_UNSUPPORTED, node->position, "GROUP BY %.*s is not supported",
                                  WR_STR_ARGS(node->text));
        }
        const wr_node *args = node->children[WR_CALL_ARGUMENTS];
        if (wr_str_equal_nocase(node->text, WR_STR("row"))) {
            for (uint32_t i = 0; i < args->child_count; i++) WR_TRY(add_group(s, args->children[i], err));
            return WR_OK;
        }
    }
    wr_expr_scope in = {.scope = &s->scope, .clause = "GROUP BY", .aliases = true};
    wr_expr *key;
    wr_str name = wr_bind_name(s->b, node);
    WR_NEED(name.data);
    WR_TRY(wr_bind_expr(s->b, &in, node, &key, err));
    return wr_grouping_add_key(&s->grouping, item_of_alias(s, node, key), name, err);
}

static wr_status bind_group(select *s, wr_error *err) {
    const wr_node *group = s->node->children[WR_SELECT_GROUP];
    WR_TRY(wr_grouping_init(&s->grouping, s->b, s->plan, err));
    if (!group) return WR_OK;
    s->aggregated = true;
    if (group->kind != WR_NODE_STAR) {
        for (uint32_t i = 0; i < group->child_count; i++) WR_TRY(add_group(s, group->children[i], err));
        return WR_OK;
    }
    for (uint32_t i = 0; i < s->item_count; i++) {
        if (wr_expr_has_aggregate(s->items[i].expr)) continue;
        WR_TRY(wr_grouping_add_key(&s->grouping, s->items[i].expr, s->items[i].name, err));
    }
    return WR_OK;
}

/* ---- ORDER BY and DISTINCT ON ---- */

/* An expression of ORDER BY: a place, an item by its name, or anything over the columns of FROM. */
static wr_status bind_order_expr(select *s, const wr_node *node, const char *clause, wr_expr **out, uint32_t *item,
                                 wr_error *err) {
    uint32_t ordinal;
    *item = UINT32_MAX;
    if (wr_bind_is_ordinal(node, &ordinal)) {
        WR_TRY(item_of_ordinal(s, node, ordinal, clause, item, err));
    } else if (node->kind == WR_NODE_COLUMN && node->child_count == 1) {
        *item = find_item(s, node->children[0]->text);
    }
    if (*item != UINT32_MAX) {
        *out = s->items[*item].expr;
        return WR_OK;
    }
    wr_expr_scope in = {.scope = &s->scope, .clause = clause, .aliases = true, .aggregates = true};
    return wr_bind_expr(s->b, &in, node, out, err);
}

static wr_status bind_order(select *s, wr_error *err) {
    const wr_node *list = s->tail->order;
    for (uint32_t i = 0; list && i < list->child_count; i++) {
        const wr_node *key = list->children[i];
        order_item item = {.item = UINT32_MAX, .direction = wr_bind_direction(key)};
        bool all = key->children[0]->kind == WR_NODE_STAR;
        if (!all) WR_TRY(bind_order_expr(s, key->children[0], "ORDER BY", &item.expr, &item.item, err));
        for (uint32_t n = 0; n < (all ? s->item_count : 1); n++) {
            if (all) {
                item.expr = s->items[n].expr;
                item.item = n;
            }
            WR_NEED(wr_arena_push(s->b->arena, &s->order, &s->order_count, &s->order_capacity, sizeof item, &item));
        }
    }
    return WR_OK;
}

static wr_status bind_distinct_on(select *s, wr_error *err) {
    const wr_node *list = s->node->children[WR_SELECT_DISTINCT];
    if (!list || list->child_count == 0) return WR_OK;
    WR_NEED(s->on = WR_ARENA_ARRAY(s->b->arena, wr_expr *, list->child_count));
    for (uint32_t i = 0; i < list->child_count; i++) {
        uint32_t item;
        WR_TRY(bind_order_expr(s, list->children[i], "DISTINCT ON", &s->on[i], &item, err));
    }
    s->on_count = list->child_count;
    return WR_OK;
}

/* ---- aggregation ---- */

static wr_status rewrite_grouped(select *s, wr_error *err) {
    for (uint32_t i = 0; i < s->item_count; i++) s->aggregated |= wr_expr_has_aggregate(s->items[i].expr);
    for (uint32_t i = 0; i < s->order_count; i++) s->aggregated |= wr_expr_has_aggregate(s->order[i].expr);
    if (s->having) s->aggregated = true;
    if (!s->aggregated) return WR_OK;
    for (uint32_t i = 0; i < s->item_count; i++) {
        WR_TRY(wr_grouping_rewrite(&s->grouping, s->items[i].expr, &s->items[i].expr, err));
    }
    for (uint32_t i = 0; i < s->order_count; i++) {
        WR_TRY(wr_grouping_rewrite(&s->grouping, s->order[i].expr, &s->order[i].expr, err));
    }
    for (uint32_t i = 0; i < s->on_count; i++) WR_TRY(wr_grouping_rewrite(&s->grouping, s->on[i], &s->on[i], err));
    if (s->having) WR_TRY(wr_grouping_rewrite(&s->grouping, s->having, &s->having, err));
    WR_TRY(wr_grouping_node(&s->grouping, s->plan, &s->plan, err));
    if (s->having) WR_NEED(s->plan = wr_bind_filter(s->b, s->plan, s->having));
    return WR_OK;
}

/* ---- the upper part of the plan ---- */

/* Expressions of the projection: the items, then what ORDER BY and DISTINCT ON need besides. */
typedef struct projection {
    wr_expr **exprs;
    wr_str *names;
    uint32_t count;
} projection;

static uint32_t project_expr(projection *p, wr_expr *expr) {
    for (uint32_t i = 0; i < p->count && !expr->volatile_; i++) {
        if (wr_expr_equal(p->exprs[i], expr)) return i;
    }
    p->exprs[p->count] = expr;
    p->names[p->count] = WR_STR("key");
    return p->count++;
}

static wr_status add_sort(select *s, const wr_column_id *columns, const uint32_t *places, wr_error *err) {
    if (s->order_count == 0) return WR_OK;
    wr_logical *sort = wr_logical_create(s->b->plan, WR_LOGICAL_SORT, 1);
    WR_NEED(sort);
    sort->children[0] = s->plan;
    WR_NEED(sort->sort.keys = WR_ARENA_ARRAY(s->b->arena, wr_sort_key, s->order_count));
    for (uint32_t i = 0; i < s->order_count; i++) {
        sort->sort.keys[i] = s->order[i].direction;
        WR_NEED(sort->sort.keys[i].expr = wr_bind_column(s->b, columns[places[i]], s->order[i].expr->position));
    }
    sort->sort.count = s->order_count;
    WR_NEED(wr_logical_refresh(s->b->plan, sort));
    s->plan = sort;
    return WR_OK;
}

static wr_status add_distinct(select *s, wr_error *err) {
    wr_logical *distinct = wr_logical_create(s->b->plan, WR_LOGICAL_AGGREGATE, 1);
    WR_NEED(distinct);
    distinct->children[0] = s->plan;
    distinct->aggregate.key_count = s->plan->column_count;
    WR_NEED(distinct->aggregate.keys = WR_ARENA_ARRAY(s->b->arena, wr_named_expr, s->plan->column_count));
    for (uint32_t i = 0; i < s->plan->column_count; i++) {
        wr_column_id id = s->plan->columns[i];
        distinct->aggregate.keys[i].id = id;
        WR_NEED(distinct->aggregate.keys[i].expr = wr_bind_column(s->b, id, WR_NO_POSITION));
    }
    WR_NEED(wr_logical_refresh(s->b->plan, distinct));
    s->plan = distinct;
    return WR_OK;
}

/* DISTINCT ON: of the rows in order, the first of each key. columns[i] becomes what stands for it above. */
static wr_status add_distinct_on(select *s, const uint32_t *on_places, wr_column_id *columns, wr_error *err) {
    wr_plan *plan = s->b->plan;
    uint32_t count = s->plan->column_count;
    wr_logical *node = wr_logical_create(plan, WR_LOGICAL_AGGREGATE, 1);
    WR_NEED(node);
    node->children[0] = s->plan;
    WR_NEED(node->aggregate.keys = WR_ARENA_ARRAY(s->b->arena, wr_named_expr, count));
    WR_NEED(node->aggregate.aggregates = WR_ARENA_ARRAY(s->b->arena, wr_named_expr, count));
    for (uint32_t i = 0; i < count; i++) {
        bool key = false;
        for (uint32_t k = 0; k < s->on_count; k++) key |= on_places[k] == i;
        wr_expr *column = wr_bind_column(s->b, columns[i], WR_NO_POSITION);
        WR_NEED(column);
        if (key) {
            node->aggregate.keys[node->aggregate.key_count++] = (wr_named_expr){columns[i], column};
            continue;
        }
        wr_named_expr *item = &node->aggregate.aggregates[node->aggregate.aggregate_count++];
        WR_TRY(wr_function_bind(s->b->context->registry, s->b->arena, WR_STR("first"), s->node->position, &column, 1,
                                &item->expr, err));
        wr_str name = plan->columns[columns[i]].name;
        WR_NEED(item->id = columns[i] = wr_plan_add_column(plan, name, item->expr->type, true, node));
    }
    WR_NEED(wr_logical_refresh(plan, node));
    s->plan = node;
    return WR_OK;
}

static wr_status keep_items(select *s, const wr_column_id *columns, wr_error *err) {
    bool same = s->plan->column_count == s->item_count;
    for (uint32_t i = 0; i < s->item_count && same; i++) same = s->plan->columns[i] == columns[i];
    if (same) return WR_OK;
    wr_expr **exprs = WR_ARENA_ARRAY(s->b->arena, wr_expr *, s->item_count);
    wr_str *names = WR_ARENA_ARRAY(s->b->arena, wr_str, s->item_count);
    WR_NEED(exprs && names);
    for (uint32_t i = 0; i < s->item_count; i++) {
        WR_NEED(exprs[i] = wr_bind_column(s->b, columns[i], WR_NO_POSITION));
        names[i] = s->items[i].name;
    }
    return wr_bind_project(s->b, s->plan, exprs, names, s->item_count, &s->plan, err);
}

static wr_status build_top(select *s, wr_error *err) {
    uint32_t most = s->item_count + s->order_count + s->on_count;
    bool distinct = s->node->children[WR_SELECT_DISTINCT] != NULL && s->on_count == 0;
    projection p = {0};
    WR_NEED(p.exprs = WR_ARENA_ARRAY(s->b->arena, wr_expr *, most));
    WR_NEED(p.names = WR_ARENA_ARRAY(s->b->arena, wr_str, most));
    uint32_t *places = WR_ARENA_ARRAY(s->b->arena, uint32_t, most);
    uint32_t *on_places = WR_ARENA_ARRAY(s->b->arena, uint32_t, most);
    wr_column_id *columns = WR_ARENA_ARRAY(s->b->arena, wr_column_id, most);
    WR_NEED(places && on_places && columns);
    for (uint32_t i = 0; i < s->item_count; i++) {
        p.exprs[i] = s->items[i].expr;
        p.names[i] = s->items[i].name;
    }
    p.count = s->item_count;
    for (uint32_t i = 0; i < s->order_count; i++) {
        places[i] = s->order[i].item != UINT32_MAX ? s->order[i].item : project_expr(&p, s->order[i].expr);
        if (distinct && places[i] >= s->item_count)
            return wr_fail_at(err, WR_INVALID, s->order[i].expr->position,
                              "SELECT DISTINCT: ORDER BY must be over items of the SELECT list");
    }
    for (uint32_t i = 0; i < s->on_count; i++) on_places[i] = project_expr(&p, s->on[i]);
    WR_TRY(wr_bind_project(s->b, s->plan, p.exprs, p.names, p.count, &s->plan, err));
    for (uint32_t i = 0; i < p.count; i++) columns[i] = s->plan->columns[i];
    if (distinct) WR_TRY(add_distinct(s, err));
    if (s->on_count) {
        WR_TRY(add_sort(s, columns, places, err));
        WR_TRY(add_distinct_on(s, on_places, columns, err));
    }
    WR_TRY(add_sort(s, columns, places, err));
    WR_TRY(wr_bind_limit(s->b, s->tail, &s->plan, err));
    return keep_items(s, columns, err);
}

/* ---- all of it ---- */

static wr_status bind_from(select *s, wr_error *err) {
    const wr_node *from = s->node->children[WR_SELECT_FROM];
    if (from) return wr_bind_relation(s->b, from, &s->scope, &s->plan, err);
    WR_NEED(s->plan = wr_logical_create(s->b->plan, WR_LOGICAL_VALUES, 0));
    s->plan->values.row_count = 1;
    WR_NEED(s->plan->values.rows = WR_ARENA_ARRAY(s->b->arena, wr_expr **, 1));
    WR_NEED(s->plan->columns = WR_ARENA_ARRAY(s->b->arena, wr_column_id, 1));
    WR_NEED(s->plan->values.rows[0] = WR_ARENA_ARRAY(s->b->arena, wr_expr *, 1));
    return WR_OK;
}

static wr_status bind_where(select *s, wr_error *err) {
    const wr_node *where = s->node->children[WR_SELECT_WHERE];
    if (!where) return WR_OK;
    wr_expr_scope in = {.scope = &s->scope, .clause = "WHERE", .aliases = true};
    wr_expr *condition;
    WR_TRY(wr_bind_condition(s->b, &in, where, &condition, err));
    WR_NEED(s->plan = wr_bind_filter(s->b, s->plan, condition));
    return WR_OK;
}

static wr_status bind_having(select *s, wr_error *err) {
    const wr_node *having = s->node->children[WR_SELECT_HAVING];
    if (!having) return WR_OK;
    wr_expr_scope in = {.scope = &s->scope, .clause = "HAVING", .aliases = true, .aggregates = true};
    return wr_bind_condition(s->b, &in, having, &s->having, err);
}

wr_status wr_bind_select(wr_binder *b, const wr_node *node, wr_scope *outer, const wr_query_tail *tail,
                         wr_bound_query *out, wr_error *err) {
    select s = {.b = b, .node = node, .tail = tail, .scope = {.outer = outer}, .null_type_stays = b->null_type_stays};
    b->null_type_stays = false;
    if (node->children[WR_SELECT_QUALIFY])
        return wr_fail_at(err, WR_UNSUPPORTED, node->children[WR_SELECT_QUALIFY]->position, "QUALIFY is not supported");
    WR_TRY(bind_from(&s, err));
    WR_TRY(collect_items(&s, err));
    WR_TRY(bind_where(&s, err));
    WR_TRY(bind_items(&s, err));
    WR_TRY(bind_group(&s, err));
    WR_TRY(bind_having(&s, err));
    WR_TRY(bind_order(&s, err));
    WR_TRY(bind_distinct_on(&s, err));
    WR_TRY(rewrite_grouped(&s, err));
    WR_TRY(build_top(&s, err));
    out->node = s.plan;
    WR_NEED(out->names = WR_ARENA_ARRAY(b->arena, wr_str, s.item_count));
    for (uint32_t i = 0; i < s.item_count; i++) out->names[i] = s.items[i].name;
    return WR_OK;
}
