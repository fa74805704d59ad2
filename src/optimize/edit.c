/* Walking and editing plans: the few moves that every pass makes. Nodes are changed in place or replaced in their
 * parent's slot; expressions are immutable and built anew. */
#include "optimize/optimize_internal.h"

/* ---- walking ---- */

typedef struct subquery_walk {
    wr_walk *walk;
    wr_status status;
    wr_error *err;
} subquery_walk;

static bool walk_subquery(wr_expr *expr, void *user) {
    subquery_walk *s = user;
    if (expr->kind == WR_EXPR_SUBQUERY) s->status = wr_walk_up(s->walk, &expr->query, s->err);
    return s->status == WR_OK;
}

static wr_status walk_expr(wr_expr **slot, void *user) {
    subquery_walk *s = user;
    wr_expr_walk(*slot, walk_subquery, s);
    return s->status;
}

wr_status wr_walk_up(wr_walk *walk, wr_logical **slot, wr_error *err) {
    wr_logical *node = *slot;
    if (node->kind == WR_LOGICAL_SHARED) {
        if (wr_column_set_has(&walk->seen, node->id)) return WR_OK;
        WR_NEED(wr_column_set_add(&walk->seen, &walk->plan->arena, node->id));
    }
    for (uint32_t i = 0; i < node->child_count; i++) WR_TRY(wr_walk_up(walk, &node->children[i], err));
    if (walk->subqueries) {
        subquery_walk s = {walk, WR_OK, err};
        WR_TRY(wr_logical_each_expr(node, walk_expr, &s));
    }
    WR_NEED(wr_logical_refresh(walk->plan, node));
    return walk->visit(slot, walk->user, err);
}

static wr_status count_reader(wr_logical **slot, void *user, wr_error *err) {
    (void)user;
    (void)err;
    for (uint32_t i = 0; i < (*slot)->child_count; i++) {
        wr_logical *child = (*slot)->children[i];
        if (child->kind == WR_LOGICAL_SHARED) child->shared.reader_count++;
    }
    return WR_OK;
}

static wr_status clear_reader(wr_logical **slot, void *user, wr_error *err) {
    (void)user;
    (void)err;
    if ((*slot)->kind == WR_LOGICAL_SHARED) (*slot)->shared.reader_count = 0;
    return WR_OK;
}

wr_status wr_count_readers(wr_plan *plan, wr_error *err) {
    wr_walk clear = {.plan = plan, .subqueries = true, .visit = clear_reader};
    wr_walk count = {.plan = plan, .subqueries = true, .visit = count_reader};
    WR_TRY(wr_walk_up(&clear, &plan->root, err));
    return wr_walk_up(&count, &plan->root, err);
}

/* ---- terms ---- */

bool wr_terms_add(wr_terms *terms, wr_arena *arena, wr_expr *term) {
    if (term->kind == WR_EXPR_AND) return wr_terms_add_all(terms, arena, term->args, term->arg_count);
    if (wr_is_true(term)) return true;
    for (uint32_t i = 0; i < terms->count && !term->volatile_; i++) {
        if (wr_expr_equal(terms->items[i], term)) return true;
    }
    return wr_arena_push(arena, &terms->items, &terms->count, &terms->capacity, sizeof term, &term);
}

bool wr_terms_add_all(wr_terms *terms, wr_arena *arena, wr_expr *const *items, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!wr_terms_add(terms, arena, items[i])) return false;
    }
    return true;
}

/* ---- nodes ---- */

wr_logical *wr_make_filter(wr_plan *plan, wr_logical *child, const wr_terms *terms) {
    if (terms->count == 0) return child;
    wr_logical *filter = wr_logical_create(plan, WR_LOGICAL_FILTER, 1);
    if (!filter) return NULL;
    filter->children[0] = child;
    filter->filter.count = terms->count;
    filter->filter.conjuncts = WR_ARENA_ARRAY(&plan->arena, wr_expr *, terms->count);
    if (!filter->filter.conjuncts) return NULL;
    memcpy(filter->filter.conjuncts, terms->items, terms->count * sizeof *terms->items);
    return wr_logical_refresh(plan, filter) ? filter : NULL;
}

wr_logical *wr_make_project(wr_plan *plan, wr_logical *child, const wr_named_expr *items, uint32_t count) {
    wr_logical *project = wr_logical_create(plan, WR_LOGICAL_PROJECT, 1);
    if (!project) return NULL;
    project->children[0] = child;
    project->project.count = count;
    project->project.items = WR_ARENA_ARRAY(&plan->arena, wr_named_expr, count + 1);
    if (!project->project.items) return NULL;
    if (count) memcpy(project->project.items, items, count * sizeof *items);
    for (uint32_t i = 0; i < count; i++) {
        if (!wr_is_pass(&items[i])) plan->columns[items[i].id].source = project;
    }
    return wr_logical_refresh(plan, project) ? project : NULL;
}

wr_status wr_restore_root(wr_plan *plan, const wr_column_id *columns, uint32_t count, wr_error *err) {
    wr_logical *root = plan->root;
    bool same = root->column_count == count;
    for (uint32_t i = 0; i < count && same; i++) same = root->columns[i] == columns[i];
    if (same) return WR_OK;
    wr_named_expr *items = WR_ARENA_ARRAY(&plan->arena, wr_named_expr, count + 1);
    WR_NEED(items);
    for (uint32_t i = 0; i < count; i++) {
        items[i].id = columns[i];
        WR_NEED(items[i].expr = wr_column_of(plan, columns[i]));
    }
    WR_NEED(plan->root = wr_make_project(plan, root, items, count));
    return WR_OK;
}

wr_logical *wr_make_join(wr_plan *plan, wr_join_kind kind, wr_logical *left, wr_logical *right) {
    wr_logical *join = wr_logical_create(plan, WR_LOGICAL_JOIN, 2);
    if (!join) return NULL;
    join->join.kind = (uint8_t)kind;
    join->children[0] = left;
    join->children[1] = right;
    return wr_logical_refresh(plan, join) ? join : NULL;
}

wr_named_expr *wr_pass_items(wr_plan *plan, const wr_logical *child, uint32_t room, uint32_t *count) {
    wr_named_expr *items = WR_ARENA_ARRAY(&plan->arena, wr_named_expr, child->column_count + room + 1);
    for (uint32_t i = 0; items && i < child->column_count; i++) {
        items[i].id = child->columns[i];
        if (!(items[i].expr = wr_column_of(plan, child->columns[i]))) return NULL;
    }
    *count = child->column_count;
    return items;
}

wr_expr *wr_column_of(wr_plan *plan, wr_column_id id) {
    return wr_expr_column(&plan->arena, id, plan->columns[id].type);
}

/* ---- expressions ---- */

wr_expr *wr_make_call(const wr_optimizer_context *context, wr_arena *arena, const char *name, wr_expr **args,
                      uint32_t count) {
    wr_expr *expr;
    wr_status status =
        wr_function_bind(context->registry, arena, wr_str_from(name), WR_NO_POSITION, args, count, &expr, NULL);
    return status == WR_OK ? expr : NULL;
}

wr_expr *wr_make_compare(const wr_optimizer_context *context, wr_arena *arena, wr_compare_op op, wr_expr *left,
                         wr_expr *right) {
    static const char *const signs[WR_COMPARE_OPS] = {"=", "<>", "<", "<=", ">", ">="};
    wr_expr *expr = wr_make_call(context, arena, signs[op], (wr_expr *[]){left, right}, 2);
    if (expr) expr->position = left->position;
    return expr;
}

static wr_expr *make(wr_arena *arena, wr_expr_kind kind, wr_type type, wr_expr **args, uint32_t count) {
    wr_expr *expr = wr_expr_create(arena, kind, type, count);
    if (!expr) return NULL;
    memcpy(expr->args, args, count * sizeof *args);
    expr->position = args[0]->position;
    return wr_expr_refresh(expr);
}

wr_expr *wr_make_not(wr_arena *arena, wr_expr *operand) {
    return make(arena, WR_EXPR_NOT, wr_type_of(WR_TYPE_BOOLEAN), &operand, 1);
}

wr_expr *wr_make_is_null(wr_arena *arena, wr_expr *operand) {
    return make(arena, WR_EXPR_IS_NULL, wr_type_of(WR_TYPE_BOOLEAN), &operand, 1);
}

wr_expr *wr_make_case(wr_arena *arena, wr_expr *condition, wr_expr *then, wr_expr *otherwise) {
    return make(arena, WR_EXPR_CASE, then->type, (wr_expr *[]){condition, then, otherwise}, 3);
}

/* ---- columns ---- */

bool wr_add_outputs(wr_column_set *set, wr_arena *arena, const wr_logical *node) {
    for (uint32_t i = 0; i < node->column_count; i++) {
        if (!wr_column_set_add(set, arena, node->columns[i])) return false;
    }
    return true;
}

bool wr_gives(const wr_logical *node, wr_column_id id) {
    for (uint32_t i = 0; i < node->column_count; i++) {
        if (node->columns[i] == id) return true;
    }
    return false;
}

bool wr_is_pass(const wr_named_expr *item) {
    return item->expr->kind == WR_EXPR_COLUMN && item->expr->column == item->id;
}

const wr_named_expr *wr_find_item(const wr_named_expr *items, uint32_t count, wr_column_id id) {
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].id == id) return &items[i];
    }
    return NULL;
}

static wr_expr *substitute_node(wr_expr *expr, void *user) {
    const wr_substitution *by = user;
    if (expr->kind != WR_EXPR_COLUMN) return expr;
    const wr_named_expr *item = wr_find_item(by->items, by->count, expr->column);
    return item ? item->expr : expr;
}

wr_expr *wr_substitute(const wr_substitution *by, wr_expr *expr) {
    return wr_expr_rewrite(by->arena, expr, substitute_node, (void *)(uintptr_t)by);
}
