/* Queries: WITH, the body, set operations, ORDER BY over their results, LIMIT. */
#include "plan/binder_internal.h"

/* ---- LIMIT ---- */

static bool is_unknown_yet(wr_expr *expr, void *user) {
    (void)user;
    return expr->kind != WR_EXPR_SUBQUERY && expr->kind != WR_EXPR_COLUMN;
}

static wr_status bind_count(wr_binder *b, const wr_node *node, const char *clause, wr_expr **out, wr_error *err) {
    *out = NULL;
    if (!node) return WR_OK;
    wr_scope empty = {0};
    wr_expr_scope in = {.scope = &empty, .clause = clause};
    wr_expr *expr;
    WR_TRY(wr_bind_expr(b, &in, node, &expr, err));
    if (!wr_expr_walk(expr, is_unknown_yet, NULL))
        return wr_fail_at(err, WR_UNSUPPORTED, node->position, "%s must be a constant or a parameter", clause);
    if (expr->kind == WR_EXPR_CONSTANT && expr->value.is_null) return WR_OK; /* LIMIT NULL is none */
    WR_TRY(wr_bind_cast(b, expr, wr_type_of(WR_TYPE_BIGINT), &expr, err));
    if (expr->kind == WR_EXPR_CONSTANT && expr->value.i64 < 0)
        return wr_fail_at(err, WR_INVALID, node->position, "%s must not be negative", clause);
    *out = expr;
    return WR_OK;
}

wr_status wr_bind_limit(wr_binder *b, const wr_query_tail *tail, wr_logical **node, wr_error *err) {
    wr_expr *limit, *offset;
    WR_TRY(bind_count(b, tail->limit, "LIMIT", &limit, err));
    WR_TRY(bind_count(b, tail->offset, "OFFSET", &offset, err));
    if (!limit && !offset) return WR_OK;
    wr_logical *top = wr_logical_create(b->plan, WR_LOGICAL_LIMIT, 1);
    WR_NEED(top);
    top->children[0] = *node;
    top->limit.limit = limit;
    top->limit.offset = offset;
    WR_NEED(wr_logical_refresh(b->plan, top));
    *node = top;
    return WR_OK;
}

/* ---- ORDER BY over the columns of a result ---- */

static wr_status bind_output_key(wr_binder *b, const wr_node *key, const wr_bound_query *query, wr_scope *scope,
                                 wr_sort_key *out, wr_error *err) {
    uint32_t ordinal;
    const wr_node *expr = key->children[0];
    *out = wr_bind_direction(key);
    if (wr_bind_is_ordinal(expr, &ordinal)) {
        if (ordinal == 0 || ordinal > query->node->column_count)
            return wr_fail_at(err, WR_INVALID, expr->position, "ORDER BY %u: the result has %u columns", ordinal,
                              query->node->column_count);
        WR_NEED(out->expr = wr_bind_column(b, query->node->columns[ordinal - 1], expr->position));
        return WR_OK;
    }
    wr_expr_scope in = {.scope = scope, .clause = "ORDER BY"};
    return wr_bind_expr(b, &in, expr, &out->expr, err);
}

static wr_status sort_result(wr_binder *b, const wr_node *order, wr_bound_query *query, wr_error *err) {
    if (!order) return WR_OK;
    wr_logical *sort = wr_logical_create(b->plan, WR_LOGICAL_SORT, 1);
    WR_NEED(sort);
    wr_scope scope = {0};
    WR_TRY(wr_scope_add_table(b, &scope, WR_STR(""), query->node, query->names, err));
    uint32_t columns = query->node->column_count;
    WR_NEED(sort->sort.keys = WR_ARENA_ARRAY(b->arena, wr_sort_key, order->child_count + columns));
    for (uint32_t i = 0; i < order->child_count; i++) {
        const wr_node *key = order->children[i];
        if (key->children[0]->kind != WR_NODE_STAR) {
            WR_TRY(bind_output_key(b, key, query, &scope, &sort->sort.keys[sort->sort.count++], err));
            continue;
        }
        for (uint32_t c = 0; c < columns && sort->sort.count < order->child_count + columns; c++) {
            wr_sort_key *made = &sort->sort.keys[sort->sort.count++];
            *made = wr_bind_direction(key);
            WR_NEED(made->expr = wr_bind_column(b, query->node->columns[c], key->position));
        }
    }
    sort->children[0] = query->node;
    WR_NEED(wr_logical_refresh(b->plan, sort));
    query->node = sort;
    return WR_OK;
}

/* ---- set operations ---- */

/* For BY NAME: the names of both, the left ones first; where[side][i] is the input's column, or UINT32_MAX. */
typedef struct matching {
    wr_str *names;
    uint32_t count;
    uint32_t *where[2];
} matching;

static wr_status match_columns(wr_binder *b, const wr_node *node, const wr_bound_query sides[2], matching *m,
                               wr_error *err) {
    uint32_t left = sides[0].node->column_count, right = sides[1].node->column_count;
    WR_NEED(m->names = WR_ARENA_ARRAY(b->arena, wr_str, left + right + 1));
    for (int side = 0; side < 2; side++) WR_NEED(m->where[side] = WR_ARENA_ARRAY(b->arena, uint32_t, left + right + 1));
    bool by_name = (node->flags & WR_NODE_BY_NAME) != 0;
    if (!by_name && left != right)
        return wr_fail_at(err, WR_INVALID, node->position, "%.*s: the left side has %u columns, the right one %u",
                          WR_STR_ARGS(node->text), left, right);
    for (uint32_t i = 0; i < left; i++) {
        m->names[i] = sides[0].names[i];
        m->where[0][i] = i;
        m->where[1][i] = by_name ? UINT32_MAX : i;
    }
    m->count = left;
    for (uint32_t i = 0; by_name && i < right; i++) {
        uint32_t at = 0;
        while (at < m->count && !wr_str_equal_nocase(m->names[at], sides[1].names[i])) at++;
        if (at == m->count) {
            m->names[at] = sides[1].names[i];
            m->where[0][at] = UINT32_MAX;
            m->count++;
        }
        m->where[1][at] = i;
    }
    return WR_OK;
}

/* The input as the operation needs it: its columns in order, cast; NULL where it has none of the name. */
static wr_status adapt_side(wr_binder *b, wr_bound_query *side, const matching *m, int at, const wr_type *types,
                            wr_error *err) {
    wr_expr **exprs = WR_ARENA_ARRAY(b->arena, wr_expr *, m->count);
    WR_NEED(exprs);
    bool same = side->node->column_count == m->count;
    for (uint32_t i = 0; i < m->count; i++) {
        uint32_t from = m->where[at][i];
        if (from == UINT32_MAX) {
            WR_NEED(exprs[i] = wr_expr_constant(b->arena, (wr_value){.type = types[i], .is_null = true}));
            same = false;
            continue;
        }
        wr_expr *column = wr_bind_column(b, side->node->columns[from], WR_NO_POSITION);
        WR_NEED(column);
        WR_TRY(wr_bind_cast(b, column, types[i], &exprs[i], err));
        same &= exprs[i] == column && from == i;
    }
    if (same) return WR_OK;
    return wr_bind_project(b, side->node, exprs, m->names, m->count, &side->node, err);
}

static wr_status common_types(wr_binder *b, const wr_bound_query sides[2], const matching *m, wr_type *types,
                              wr_error *err) {
    for (uint32_t i = 0; i < m->count; i++) {
        wr_expr *both[2];
        uint32_t count = 0;
        for (int side = 0; side < 2; side++) {
            if (m->where[side][i] == UINT32_MAX) continue;
            WR_NEED(both[count++] = wr_bind_column(b, sides[side].node->columns[m->where[side][i]], WR_NO_POSITION));
        }
        WR_TRY(wr_bind_common_type(b, both, count, "a set operation", &types[i], err));
    }
    return WR_OK;
}

static wr_set_operation operation_of(wr_str text) {
    if (wr_str_equal_nocase(text, WR_STR("intersect"))) return WR_SET_INTERSECT;
    return wr_str_equal_nocase(text, WR_STR("except")) ? WR_SET_EXCEPT : WR_SET_UNION;
}

static wr_status bind_set_operation(wr_binder *b, const wr_node *node, wr_scope *outer, wr_bound_query *out,
                                    wr_error *err) {
    wr_bound_query sides[2];
    for (int i = 0; i < 2; i++) {
        b->null_type_stays = true;
        wr_status status = wr_bind_query_node(b, node->children[i], outer, &sides[i], err);
        b->null_type_stays = false;
        WR_TRY(status);
    }
    matching m = {0};
    WR_TRY(match_columns(b, node, sides, &m, err));
    wr_type *types = WR_ARENA_ARRAY(b->arena, wr_type, m.count + 1);
    WR_NEED(types);
    wr_status status = common_types(b, sides, &m, types, err);
    if (status != WR_OK) {
        if (err && err->position == WR_NO_POSITION) err->position = node->position;
        return status;
    }
    wr_logical *set = wr_logical_create(b->plan, WR_LOGICAL_SET_OPERATION, 2);
    WR_NEED(set);
    set->set.operation = (uint8_t)operation_of(node->text);
    set->set.all = (node->flags & WR_NODE_ALL) != 0;
    if (set->set.all && set->set.operation != WR_SET_UNION) {
        return wr_fail_at(err, WR_UNSUPPORTED, node->position,
                          "%.*s ALL is not supported; without ALL, repeated rows count once", WR_STR_ARGS(node->text));
    }
    WR_NEED(set->columns = WR_ARENA_ARRAY(b->arena, wr_column_id, m.count + 1));
    set->column_count = m.count;
    for (int side = 0; side < 2; side++) {
        WR_TRY(adapt_side(b, &sides[side], &m, side, types, err));
        set->children[side] = sides[side].node;
        WR_NEED(set->set.inputs[side] = WR_ARENA_ARRAY(b->arena, wr_column_id, m.count + 1));
        memcpy(set->set.inputs[side], sides[side].node->columns, m.count * sizeof(wr_column_id));
    }
    for (uint32_t i = 0; i < m.count; i++) {
        WR_NEED(set->columns[i] = wr_plan_add_column(b->plan, m.names[i], types[i], true, set));
    }
    *out = (wr_bound_query){set, m.names};
    return WR_OK;
}

/* ---- WITH ---- */

static wr_status add_ctes(wr_binder *b, const wr_node *query, wr_scope *scope, wr_error *err) {
    const wr_node *list = query->children[WR_QUERY_WITH];
    for (uint32_t i = 0; list && i < list->child_count; i++) {
        for (wr_cte *other = scope->ctes; other; other = other->next) {
            if (wr_str_equal_nocase(other->node->text, list->children[i]->text))
                return wr_fail_at(err, WR_INVALID, list->children[i]->position, "WITH defines \"%.*s\" twice",
                                  WR_STR_ARGS(list->children[i]->text));
        }
        wr_cte *cte = WR_ARENA_NEW(b->arena, wr_cte);
        WR_NEED(cte);
        cte->node = list->children[i];
        cte->next = scope->ctes;
        /* It sees those before it, and, to be told about, itself if the user said RECURSIVE. */
        WR_NEED(cte->scope = WR_ARENA_NEW(b->arena, wr_scope));
        *cte->scope = *scope;
        scope->ctes = cte;
        if (query->flags & WR_NODE_RECURSIVE) cte->scope->ctes = cte;
    }
    return WR_OK;
}

/* A common table expression that nobody reads is still checked. */
static wr_status check_unread(wr_binder *b, wr_scope *scope, wr_error *err) {
    for (wr_cte *cte = scope->ctes; cte; cte = cte->next) {
        if (cte->checked) continue;
        cte->binding = cte->checked = true;
        wr_bound_query unused;
        WR_TRY(wr_bind_query_node(b, cte->node->children[1], cte->scope, &unused, err));
        cte->binding = false;
    }
    return WR_OK;
}

/* ---- queries ---- */

static wr_status bind_body(wr_binder *b, const wr_node *body, wr_scope *scope, const wr_query_tail *tail,
                           wr_bound_query *out, wr_error *err) {
    switch ((wr_node_kind)body->kind) {
    case WR_NODE_SELECT: return wr_bind_select(b, body, scope, tail, out, err);
    case WR_NODE_SET_OPERATION: WR_TRY(bind_set_operation(b, body, scope, out, err)); break;
    case WR_NODE_VALUES: WR_TRY(wr_bind_values(b, body, scope, out, err)); break;
    case WR_NODE_QUERY: WR_TRY(wr_bind_query_node(b, body, scope, out, err)); break;
    default: return wr_fail_at(err, WR_UNSUPPORTED, body->position, "%s is no query", wr_node_kind_name(body->kind));
    }
    WR_TRY(sort_result(b, tail->order, out, err));
    return wr_bind_limit(b, tail, &out->node, err);
}

wr_status wr_bind_query_node(wr_binder *b, const wr_node *node, wr_scope *outer, wr_bound_query *out, wr_error *err) {
    if (b->depth >= WR_BIND_DEPTH_MAX)
        return wr_fail_at(err, WR_LIMIT, node->position, "queries are nested more than %d deep", WR_BIND_DEPTH_MAX);
    if (b->plan->node_count > WR_BIND_NODES_MAX)
        return wr_fail_at(err, WR_LIMIT, node->position, "the query's plan has more than %d nodes", WR_BIND_NODES_MAX);
    b->depth++;
    wr_query_tail tail = {0};
    wr_status status;
    if (node->kind == WR_NODE_QUERY) {
        wr_scope *scope = WR_ARENA_NEW(b->arena, wr_scope);
        WR_NEED(scope);
        scope->outer = outer;
        tail = (wr_query_tail){node->children[WR_QUERY_ORDER], node->children[WR_QUERY_LIMIT],
                               node->children[WR_QUERY_OFFSET]};
        status = add_ctes(b, node, scope, err);
        if (status == WR_OK) status = bind_body(b, node->children[WR_QUERY_BODY], scope, &tail, out, err);
        if (status == WR_OK) status = check_unread(b, scope, err);
    } else {
        status = bind_body(b, node, outer, &tail, out, err);
    }
    b->depth--;
    return status;
}

/* A column that is NULL in every row of a set operation or VALUES is an INTEGER, like that of SELECT NULL. */
static wr_status settle_types(wr_binder *b, wr_bound_query *query, wr_error *err) {
    uint32_t count = query->node->column_count;
    bool same = true;
    wr_expr **exprs = WR_ARENA_ARRAY(b->arena, wr_expr *, count + 1);
    WR_NEED(exprs);
    for (uint32_t i = 0; i < count; i++) {
        WR_NEED(exprs[i] = wr_bind_column(b, query->node->columns[i], WR_NO_POSITION));
        if (exprs[i]->type.id != WR_TYPE_NULL) continue;
        WR_NEED(exprs[i] = wr_expr_cast(b->arena, exprs[i], wr_type_of(WR_TYPE_INTEGER), false));
        same = false;
    }
    return same ? WR_OK : wr_bind_project(b, query->node, exprs, query->names, count, &query->node, err);
}

wr_status wr_bind_query(wr_plan *plan, const wr_binder_context *context, const wr_node *node, wr_error *err) {
    wr_binder b = {.plan = plan, .arena = &plan->arena, .context = context};
    /* Names and texts of the statement live on in the plan. */
    wr_node *own = wr_node_copy(b.arena, node);
    WR_NEED(own);
    wr_bound_query query;
    WR_TRY(wr_bind_query_node(&b, own, NULL, &query, err));
    WR_TRY(settle_types(&b, &query, err));
    plan->root = query.node;
    plan->result_names = query.names;
    plan->parameter_count = context->parameter_count;
    WR_NEED(plan->parameter_types = WR_ARENA_ARRAY(b.arena, wr_type, context->parameter_count + 1));
    for (uint32_t i = 0; i < context->parameter_count && context->parameters; i++) {
        plan->parameter_types[i] = context->parameters[i].type;
    }
    return WR_OK;
}
