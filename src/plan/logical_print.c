/* The plan as EXPLAIN shows it: one node a line, children indented below their parent, a shared subplan once, where it
 * is met first. A column is shown by its name; where several columns of the plan have one name they are told apart by a
 * number in the order of their making ("n_name#2"), which stays the same when unrelated parts of the plan change. */
#include "plan/logical.h"

typedef struct printer {
    const wr_plan *plan;
    wr_text *out;
    void (*add)(const wr_logical *node, wr_text *out, void *user);
    void *user;
    uint32_t *number;      /* by column id: 0 not in the plan, else which of its name it is */
    const uint32_t *total; /* by column id: how many have its name */
    wr_arena scratch;
    uint32_t *shared; /* ids of the SHARED nodes met */
    uint32_t shared_count, shared_capacity;
} printer;

/* ---- names ---- */

static bool met(printer *p, const wr_logical *node, uint32_t *number) {
    for (uint32_t i = 0; i < p->shared_count; i++) {
        if (p->shared[i] == node->id) {
            *number = i + 1;
            return true;
        }
    }
    if (!wr_arena_push(&p->scratch, &p->shared, &p->shared_count, &p->shared_capacity, sizeof node->id, &node->id))
        p->out->failed = true;
    *number = p->shared_count;
    return false;
}

static void mark(printer *p, wr_column_id id) {
    if (id && id < p->plan->column_count) p->number[id] = 1;
}

static void mark_live(printer *p, const wr_logical *node) {
    uint32_t number;
    if (p->out->failed || (node->kind == WR_LOGICAL_SHARED && met(p, node, &number))) return;
    for (uint32_t i = 0; i < node->column_count; i++) mark(p, node->columns[i]);
    if (node->kind == WR_LOGICAL_SCAN) {
        for (uint32_t i = 0; i < node->scan.hidden_count; i++) mark(p, node->scan.hidden[i]);
    }
    for (uint32_t i = 0; i < node->child_count; i++) mark_live(p, node->children[i]);
}

/* Numbers the live columns within their name. */
static bool number_columns(printer *p) {
    uint32_t count = p->plan->column_count;
    uint32_t *total = WR_ARENA_ARRAY(&p->scratch, uint32_t, count + 1);
    p->number = WR_ARENA_ARRAY(&p->scratch, uint32_t, count + 1);
    if (!total || !p->number) return false;
    p->total = total;
    if (p->plan->root) mark_live(p, p->plan->root);
    p->shared_count = 0;
    for (uint32_t i = 1; i < count; i++) {
        if (!p->number[i] || total[i]) continue;
        uint32_t n = 0;
        for (uint32_t k = i; k < count; k++) {
            if (p->number[k] && wr_str_equal_nocase(p->plan->columns[i].name, p->plan->columns[k].name))
                p->number[k] = ++n;
        }
        for (uint32_t k = i; k < count; k++) {
            if (p->number[k] && wr_str_equal_nocase(p->plan->columns[i].name, p->plan->columns[k].name)) total[k] = n;
        }
    }
    return true;
}

static wr_str name_of(wr_column_id id, void *user) {
    printer *p = user;
    if (id >= p->plan->column_count) return WR_STR("?");
    wr_str name = p->plan->columns[id].name;
    if (p->total[id] <= 1) return name;
    wr_str numbered = wr_arena_format(&p->scratch, "%.*s#%u", WR_STR_ARGS(name), p->number[id]);
    return numbered.data ? numbered : name;
}

static void add_str(wr_text *out, wr_str s) {
    wr_text_add(out, s.data, s.size);
}

static void print_columns(printer *p, const wr_column_id *ids, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (i) wr_text_addz(p->out, ", ");
        add_str(p->out, name_of(ids[i], p));
    }
}

static void print_expr(printer *p, const wr_expr *expr) {
    wr_expr_print(expr, p->out, name_of, p);
}

/* "a AND b": conjuncts of one list. */
static void print_conjuncts(printer *p, wr_expr *const *conjuncts, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (i) wr_text_addz(p->out, " AND ");
        bool inner = conjuncts[i]->kind == WR_EXPR_OR && count > 1;
        if (inner) wr_text_addz(p->out, "(");
        print_expr(p, conjuncts[i]);
        if (inner) wr_text_addz(p->out, ")");
    }
}

static void print_named(printer *p, const wr_named_expr *items, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (i) wr_text_addz(p->out, ", ");
        print_expr(p, items[i].expr);
        if (items[i].expr->kind == WR_EXPR_COLUMN && items[i].expr->column == items[i].id) continue;
        wr_text_addz(p->out, " AS ");
        add_str(p->out, name_of(items[i].id, p));
    }
}

/* ---- kinds ---- */

static void print_scan(printer *p, const wr_logical *n) {
    wr_text_addz(p->out, "SCAN ");
    wr_str name = n->scan.table ? n->scan.table->name : WR_STR("?");
    add_str(p->out, name);
    if (n->scan.alias.size && !wr_str_equal_nocase(n->scan.alias, name)) {
        wr_text_addz(p->out, " AS ");
        add_str(p->out, n->scan.alias);
    }
    wr_text_addz(p->out, ": ");
    print_columns(p, n->columns, n->column_count);
    if (n->scan.hidden_count) {
        wr_text_addz(p->out, n->column_count ? " (and " : "(");
        print_columns(p, n->scan.hidden, n->scan.hidden_count);
        wr_text_addz(p->out, ")");
    }
    if (n->scan.conjunct_count) {
        wr_text_addz(p->out, " WHERE ");
        print_conjuncts(p, n->scan.conjuncts, n->scan.conjunct_count);
    }
    if (n->scan.order) {
        wr_text_addz(p->out, " IN ORDER OF ");
        add_str(p->out, name_of(n->scan.order, p));
    }
}

static void print_values(printer *p, const wr_logical *n) {
    wr_text_format(p->out, "VALUES %u row%s", n->values.row_count, n->values.row_count == 1 ? "" : "s");
    if (n->column_count) {
        wr_text_addz(p->out, ": ");
        print_columns(p, n->columns, n->column_count);
    }
}

static void print_aggregate(printer *p, const wr_logical *n) {
    wr_text_addz(p->out, n->aggregate.aggregate_count ? "AGGREGATE " : "DISTINCT ");
    print_named(p, n->aggregate.aggregates, n->aggregate.aggregate_count);
    if (n->aggregate.key_count) {
        if (n->aggregate.aggregate_count) wr_text_addz(p->out, " BY ");
        print_named(p, n->aggregate.keys, n->aggregate.key_count);
    }
    if (n->aggregate.ordered_by) {
        wr_text_addz(p->out, " ORDERED BY ");
        add_str(p->out, name_of(n->aggregate.ordered_by, p));
    }
}

static void print_join(printer *p, const wr_logical *n) {
    static const char *const names[WR_JOIN_KINDS] = {"INNER",           "LEFT", "FULL",  "SEMI", "ANTI",
                                                     "ANTI NULL-AWARE", "MARK", "SINGLE"};
    bool cross = n->join.kind == WR_JOIN_INNER && n->join.key_count == 0 && n->join.residual_count == 0;
    wr_text_format(p->out, "%sJOIN %s", n->join.dependent ? "DEPENDENT " : "", cross ? "CROSS" : names[n->join.kind]);
    if (n->join.null_aware) wr_text_addz(p->out, " NULL-AWARE");
    for (uint32_t i = 0; i < n->join.key_count; i++) {
        wr_text_addz(p->out, i ? " AND " : " ON ");
        print_expr(p, n->join.keys[i].left);
        wr_text_addz(p->out, n->join.keys[i].null_equals_null ? " IS NOT DISTINCT FROM " : " = ");
        print_expr(p, n->join.keys[i].right);
    }
    if (n->join.residual_count) {
        wr_text_addz(p->out, n->join.key_count ? " AND WHERE " : " WHERE ");
        print_conjuncts(p, n->join.residual, n->join.residual_count);
    }
    if (n->join.mark) {
        wr_text_addz(p->out, " AS ");
        add_str(p->out, name_of(n->join.mark, p));
    }
    if (n->join.in_order) wr_text_addz(p->out, " IN ORDER");
    if (n->join.build_left) wr_text_addz(p->out, " BUILD LEFT");
}

static void print_sort(printer *p, const wr_logical *n) {
    wr_text_addz(p->out, "SORT ");
    for (uint32_t i = 0; i < n->sort.count; i++) {
        const wr_sort_key *key = &n->sort.keys[i];
        if (i) wr_text_addz(p->out, ", ");
        print_expr(p, key->expr);
        if (key->descending) wr_text_addz(p->out, " DESC");
        if (key->nulls_first) wr_text_addz(p->out, " NULLS FIRST");
    }
}

static void print_limit(printer *p, const wr_logical *n) {
    wr_text_addz(p->out, "LIMIT ");
    if (n->limit.limit) {
        print_expr(p, n->limit.limit);
    } else {
        wr_text_addz(p->out, "ALL");
    }
    if (n->limit.offset) {
        wr_text_addz(p->out, " OFFSET ");
        print_expr(p, n->limit.offset);
    }
}

static void print_set(printer *p, const wr_logical *n) {
    static const char *const names[] = {"UNION", "INTERSECT", "EXCEPT"};
    wr_text_format(p->out, "%s%s: ", names[n->set.operation], n->set.all ? " ALL" : "");
    print_columns(p, n->columns, n->column_count);
}

/* The node's own line; false when its children are shown elsewhere. */
static bool print_line(printer *p, const wr_logical *n) {
    uint32_t number;
    switch ((wr_logical_kind)n->kind) {
    case WR_LOGICAL_SCAN: print_scan(p, n); break;
    case WR_LOGICAL_VALUES: print_values(p, n); break;
    case WR_LOGICAL_FILTER:
        wr_text_addz(p->out, "FILTER ");
        print_conjuncts(p, n->filter.conjuncts, n->filter.count);
        break;
    case WR_LOGICAL_PROJECT:
        wr_text_addz(p->out, "PROJECT ");
        print_named(p, n->project.items, n->project.count);
        break;
    case WR_LOGICAL_AGGREGATE: print_aggregate(p, n); break;
    case WR_LOGICAL_JOIN: print_join(p, n); break;
    case WR_LOGICAL_SORT: print_sort(p, n); break;
    case WR_LOGICAL_LIMIT: print_limit(p, n); break;
    case WR_LOGICAL_SET_OPERATION: print_set(p, n); break;
    case WR_LOGICAL_SHARED: {
        bool again = met(p, n, &number);
        wr_text_format(p->out, "SHARED %u%s", number, again ? " (shown above)" : "");
        return !again;
    }
    case WR_LOGICAL_SINGLE_ROW: wr_text_addz(p->out, "SINGLE ROW"); break;
    case WR_LOGICAL_KINDS: break;
    }
    return true;
}

static void print_node(printer *p, const wr_logical *node, uint32_t depth) {
    for (uint32_t i = 0; i < depth; i++) wr_text_addz(p->out, "  ");
    bool enter = print_line(p, node);
    if (node->row_estimate >= 0) wr_text_format(p->out, "  ~%.0f", node->row_estimate);
    if (p->add) p->add(node, p->out, p->user);
    wr_text_addz(p->out, "\n");
    for (uint32_t i = 0; enter && i < node->child_count; i++) print_node(p, node->children[i], depth + 1);
}

void wr_plan_print_with(const wr_plan *plan, wr_text *out,
                        void (*add)(const wr_logical *node, wr_text *out, void *user), void *user) {
    printer p = {.plan = plan, .out = out, .add = add, .user = user};
    wr_arena_init(&p.scratch, out->allocator);
    if (!number_columns(&p)) {
        out->failed = true;
    } else if (plan->root) {
        print_node(&p, plan->root, 0);
    }
    wr_arena_deinit(&p.scratch);
}

void wr_plan_print(const wr_plan *plan, wr_text *out) {
    wr_plan_print_with(plan, out, NULL, NULL);
}
