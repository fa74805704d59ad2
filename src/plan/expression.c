/* Building, comparing, walking and rewriting bound expressions.
 *
 * Two things are derived and kept in every node, because passes ask for them all the time: whether an error can come out
 * of it, and whether it gives the same answer twice. wr_expr_refresh is the one place that knows the rule; whoever
 * changes arguments calls it. */
#include "plan/expression.h"

#include "base/hash.h"
#include "plan/cast.h"
#include "plan/function.h"
#include "plan/logical.h"

/* ---- builders ---- */

static wr_expr *new_expr(wr_arena *arena, wr_expr_kind kind, wr_type type) {
    wr_expr *e = WR_ARENA_NEW(arena, wr_expr);
    if (!e) return NULL;
    e->kind = (uint8_t)kind;
    e->type = type;
    e->position = WR_NO_POSITION;
    return e;
}

wr_expr *wr_expr_column(wr_arena *arena, wr_column_id column, wr_type type) {
    wr_expr *e = new_expr(arena, WR_EXPR_COLUMN, type);
    if (e) e->column = column;
    return e;
}

wr_expr *wr_expr_constant(wr_arena *arena, wr_value value) {
    wr_expr *e = new_expr(arena, WR_EXPR_CONSTANT, value.type);
    if (e) e->value = value;
    return e;
}

wr_expr *wr_expr_boolean(wr_arena *arena, bool value) {
    return wr_expr_constant(arena, (wr_value){.type = wr_type_of(WR_TYPE_BOOLEAN), .boolean = value});
}

wr_expr *wr_expr_create(wr_arena *arena, wr_expr_kind kind, wr_type type, uint32_t arg_count) {
    wr_expr *e = new_expr(arena, kind, type);
    if (!e) return NULL;
    e->arg_count = arg_count;
    if (arg_count) {
        e->args = WR_ARENA_ARRAY(arena, wr_expr *, arg_count);
        if (!e->args) return NULL;
    }
    return e;
}

static bool is_boolean_constant(const wr_expr *e, bool value) {
    return e->kind == WR_EXPR_CONSTANT && e->type.id == WR_TYPE_BOOLEAN && !e->value.is_null &&
           e->value.boolean == value;
}

/* Counts (out NULL) or writes the terms of a junction, flattened. */
static uint32_t collect_terms(wr_expr_kind kind, wr_expr *const *terms, uint32_t count, wr_expr **out) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        wr_expr *term = terms[i];
        if (term->kind == kind) {
            found += collect_terms(kind, term->args, term->arg_count, out ? out + found : NULL);
        } else if (!is_boolean_constant(term, kind == WR_EXPR_AND)) {
            if (out) out[found] = term;
            found++;
        }
    }
    return found;
}

wr_expr *wr_expr_junction(wr_arena *arena, wr_expr_kind kind, wr_expr *const *terms, uint32_t count) {
    uint32_t found = collect_terms(kind, terms, count, NULL);
    if (found == 0) return wr_expr_boolean(arena, kind == WR_EXPR_AND);
    wr_expr *e = wr_expr_create(arena, kind, wr_type_of(WR_TYPE_BOOLEAN), found);
    if (!e) return NULL;
    collect_terms(kind, terms, count, e->args);
    if (found == 1) return e->args[0];
    e->position = e->args[0]->position;
    return wr_expr_refresh(e);
}

wr_expr *wr_expr_cast(wr_arena *arena, wr_expr *operand, wr_type type, bool try_) {
    if (wr_type_equal(operand->type, type)) return operand;
    wr_expr *e = wr_expr_create(arena, WR_EXPR_CAST, type, 1);
    if (!e) return NULL;
    e->args[0] = operand;
    e->try_ = try_;
    e->position = operand->position;
    return wr_expr_refresh(e);
}

wr_expr *wr_expr_copy_node(wr_arena *arena, const wr_expr *expr) {
    wr_expr *e = WR_ARENA_NEW(arena, wr_expr);
    if (!e) return NULL;
    *e = *expr;
    if (e->arg_count) {
        e->args = WR_ARENA_ARRAY(arena, wr_expr *, e->arg_count);
        if (!e->args) return NULL;
        memcpy(e->args, expr->args, e->arg_count * sizeof *e->args);
    }
    return e;
}

static bool fails_itself(const wr_expr *e) {
    switch ((wr_expr_kind)e->kind) {
    case WR_EXPR_CALL: return e->own_can_fail;
    case WR_EXPR_CAST: return !e->try_ && wr_cast_can_fail(e->args[0]->type, e->type);
    case WR_EXPR_SUBQUERY: return true;
    default: return false;
    }
}

wr_expr *wr_expr_refresh(wr_expr *e) {
    e->can_fail = fails_itself(e);
    e->volatile_ = e->kind == WR_EXPR_CALL && e->function->volatility == WR_VOLATILE;
    for (uint32_t i = 0; i < e->arg_count; i++) {
        e->can_fail |= e->args[i]->can_fail;
        e->volatile_ |= e->args[i]->volatile_;
    }
    if (e->kind == WR_EXPR_AGGREGATE && e->filter) {
        e->can_fail |= e->filter->can_fail;
        e->volatile_ |= e->filter->volatile_;
    }
    return e;
}

/* ---- equality and hash ---- */

static bool has_function(const wr_expr *e) {
    return e->kind == WR_EXPR_CALL || e->kind == WR_EXPR_AGGREGATE;
}

/* As values of a plan: -0 and 0 are not the same constant (1 / -0), nor are 30 days and a month; a NaN is as itself. */
static bool same_constant(const wr_value *a, const wr_value *b) {
    if (a->is_null || b->is_null) return a->is_null == b->is_null;
    if (a->type.id == WR_TYPE_DOUBLE || a->type.id == WR_TYPE_FLOAT)
        return memcmp(&a->f64, &b->f64, sizeof a->f64) == 0;
    if (a->type.id == WR_TYPE_INTERVAL) return memcmp(&a->interval, &b->interval, sizeof a->interval) == 0;
    return wr_value_equal(a, b);
}

bool wr_expr_equal(const wr_expr *a, const wr_expr *b) {
    if (a == b) return true;
    if (!a || !b || a->kind != b->kind || a->arg_count != b->arg_count || !wr_type_equal(a->type, b->type))
        return false;
    if (a->try_ != b->try_ || a->distinct != b->distinct || a->ignore_nulls != b->ignore_nulls) return false;
    switch ((wr_expr_kind)a->kind) {
    case WR_EXPR_COLUMN: return a->column == b->column;
    case WR_EXPR_PARAMETER: return a->parameter == b->parameter;
    case WR_EXPR_CONSTANT: return same_constant(&a->value, &b->value);
    case WR_EXPR_CALL:
    case WR_EXPR_AGGREGATE:
        if (a->function != b->function || !wr_expr_equal(a->filter, b->filter)) return false;
        break;
    case WR_EXPR_SUBQUERY:
        if (a->query != b->query || a->subquery != b->subquery || a->compare != b->compare) return false;
        break;
    default: break;
    }
    for (uint32_t i = 0; i < a->arg_count; i++) {
        if (!wr_expr_equal(a->args[i], b->args[i])) return false;
    }
    return true;
}

static uint64_t hash_constant(const wr_value *v) {
    if (v->is_null) return WR_HASH_NULL;
    switch ((wr_type_id)v->type.id) {
    case WR_TYPE_VARCHAR:
    case WR_TYPE_BLOB: return wr_hash_bytes(v->text.data, v->text.size);
    case WR_TYPE_BOOLEAN: return wr_hash_u64(v->boolean);
    case WR_TYPE_INTERVAL: return wr_hash_bytes(&v->interval, sizeof v->interval);
    case WR_TYPE_LIST:
    case WR_TYPE_STRUCT:
    case WR_TYPE_MAP: return v->item_count;
    case WR_TYPE_HUGEINT:
    case WR_TYPE_UUID: return wr_hash_u64((uint64_t)v->i128);
    case WR_TYPE_DECIMAL:
        return wr_hash_u64(v->type.precision > WR_DECIMAL_SMALL_DIGITS ? (uint64_t)v->i128 : (uint64_t)v->i64);
    default: return wr_hash_u64(v->u64);
    }
}

uint64_t wr_expr_hash(const wr_expr *e) {
    uint64_t hash = wr_hash_u64((uint64_t)e->kind << 8 | e->type.id);
    switch ((wr_expr_kind)e->kind) {
    case WR_EXPR_COLUMN: return wr_hash_combine(hash, e->column);
    case WR_EXPR_PARAMETER: return wr_hash_combine(hash, e->parameter);
    case WR_EXPR_CONSTANT: return wr_hash_combine(hash, hash_constant(&e->value));
    case WR_EXPR_CALL:
    case WR_EXPR_AGGREGATE: hash = wr_hash_combine(hash, (uint64_t)(uintptr_t)e->function); break;
    case WR_EXPR_SUBQUERY: hash = wr_hash_combine(hash, (uint64_t)(uintptr_t)e->query); break;
    default: break;
    }
    for (uint32_t i = 0; i < e->arg_count; i++) hash = wr_hash_combine(hash, wr_expr_hash(e->args[i]));
    return hash;
}

/* ---- walking and rewriting ---- */

bool wr_expr_walk(wr_expr *expr, bool (*visit)(wr_expr *expr, void *user), void *user) {
    if (!visit(expr, user)) return false;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (!wr_expr_walk(expr->args[i], visit, user)) return false;
    }
    return expr->kind != WR_EXPR_AGGREGATE || !expr->filter || wr_expr_walk(expr->filter, visit, user);
}

wr_expr *wr_expr_rewrite(wr_arena *arena, wr_expr *expr, wr_expr *(*replace)(wr_expr *expr, void *user), void *user) {
    wr_expr *node = expr;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        wr_expr *arg = wr_expr_rewrite(arena, expr->args[i], replace, user);
        if (!arg) return NULL;
        if (arg == expr->args[i]) continue;
        if (node == expr && !(node = wr_expr_copy_node(arena, expr))) return NULL;
        node->args[i] = arg;
    }
    if (expr->kind == WR_EXPR_AGGREGATE && expr->filter) {
        wr_expr *filter = wr_expr_rewrite(arena, expr->filter, replace, user);
        if (!filter) return NULL;
        if (filter != expr->filter) {
            if (node == expr && !(node = wr_expr_copy_node(arena, expr))) return NULL;
            node->filter = filter;
        }
    }
    if (node != expr) wr_expr_refresh(node);
    return replace(node, user);
}

/* ---- sets of columns ---- */

bool wr_column_set_has(const wr_column_set *set, wr_column_id column) {
    return column / 64 < set->word_count && wr_bit_get(set->words, column);
}

static bool make_room(wr_column_set *set, wr_arena *arena, uint32_t word_count) {
    if (word_count <= set->word_count) return true;
    uint32_t wanted = set->word_count * 2 > word_count ? set->word_count * 2 : word_count;
    uint64_t *words = WR_ARENA_ARRAY(arena, uint64_t, wanted);
    if (!words) return false;
    if (set->word_count) memcpy(words, set->words, set->word_count * sizeof *words);
    set->words = words;
    set->word_count = wanted;
    return true;
}

bool wr_column_set_add(wr_column_set *set, wr_arena *arena, wr_column_id column) {
    if (!make_room(set, arena, column / 64 + 1)) return false;
    wr_bit_set(set->words, column);
    return true;
}

bool wr_column_set_add_all(wr_column_set *set, wr_arena *arena, const wr_column_set *other) {
    if (!make_room(set, arena, other->word_count)) return false;
    for (uint32_t i = 0; i < other->word_count; i++) set->words[i] |= other->words[i];
    return true;
}

bool wr_column_set_contains(const wr_column_set *outer, const wr_column_set *inner) {
    for (uint32_t i = 0; i < inner->word_count; i++) {
        if (inner->words[i] & ~(i < outer->word_count ? outer->words[i] : 0)) return false;
    }
    return true;
}

bool wr_column_set_overlaps(const wr_column_set *a, const wr_column_set *b) {
    uint32_t common = a->word_count < b->word_count ? a->word_count : b->word_count;
    for (uint32_t i = 0; i < common; i++) {
        if (a->words[i] & b->words[i]) return true;
    }
    return false;
}

bool wr_expr_columns(const wr_expr *expr, wr_arena *arena, wr_column_set *set) {
    if (expr->kind == WR_EXPR_COLUMN) return wr_column_set_add(set, arena, expr->column);
    if (expr->kind == WR_EXPR_SUBQUERY && !wr_logical_free_columns(expr->query, arena, set)) return false;
    if (has_function(expr) && expr->filter && !wr_expr_columns(expr->filter, arena, set)) return false;
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (!wr_expr_columns(expr->args[i], arena, set)) return false;
    }
    return true;
}
