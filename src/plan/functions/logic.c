/* coalesce, ifnull, if, nullif, least, greatest.
 *
 * The first four are ways to write a CASE and become one, so that their later arguments are evaluated on the rows that
 * need them alone. least and greatest look at all of their arguments and skip NULLs. */
#include "kernel/bits.h"
#include "kernel/compare.h"
#include "plan/functions/call.h"
#include "plan/functions/internal.h"

/* ---- CASE in other words ---- */

static wr_status no_memory(wr_error *err) {
    return wr_fail_memory(err, sizeof(wr_expr), "the plan");
}

static wr_status fail_mixed(wr_arena *arena, const char *name, wr_type a, wr_type b, wr_error *err) {
    wr_text text;
    wr_text_init(&text, arena->allocator);
    wr_type_print(&text, a);
    wr_text_addz(&text, " and ");
    wr_type_print(&text, b);
    wr_status status = wr_fail(err, WR_INVALID, "%s cannot mix %s", name, text.failed ? "these types" : text.data);
    wr_text_deinit(&text);
    return err ? wr_hint(err, "cast the arguments to one type") : status;
}

static wr_expr *is_not_null(wr_arena *arena, wr_expr *operand) {
    wr_expr *is_null = wr_expr_create(arena, WR_EXPR_IS_NULL, wr_type_of(WR_TYPE_BOOLEAN), 1);
    wr_expr *not_null = wr_expr_create(arena, WR_EXPR_NOT, wr_type_of(WR_TYPE_BOOLEAN), 1);
    if (!is_null || !not_null) return NULL;
    is_null->args[0] = operand;
    not_null->args[0] = wr_expr_refresh(is_null);
    return wr_expr_refresh(not_null);
}

static wr_status expand_coalesce(const wr_registry *registry, wr_arena *arena, uint32_t position, wr_expr **args,
                                 uint32_t arg_count, wr_expr **out, wr_error *err) {
    (void)registry;
    wr_type type;
    if (!wr_expr_common_type(args, arg_count, &type)) {
        return fail_mixed(arena, "coalesce", args[0]->type, args[arg_count - 1]->type, err);
    }
    wr_expr *e = wr_expr_create(arena, WR_EXPR_CASE, type, 2 * arg_count - 1);
    if (!e) return no_memory(err);
    for (uint32_t i = 0; i < arg_count; i++) {
        bool last = i + 1 == arg_count;
        if (!last && !(e->args[2 * i] = is_not_null(arena, args[i]))) return no_memory(err);
        wr_expr *value = wr_expr_as(arena, args[i], type);
        if (!value) return no_memory(err);
        e->args[last ? 2 * i : 2 * i + 1] = value;
    }
    e->position = position;
    *out = arg_count == 1 ? e->args[0] : wr_expr_refresh(e);
    return WR_OK;
}

static wr_status expand_if(const wr_registry *registry, wr_arena *arena, uint32_t position, wr_expr **args,
                           uint32_t arg_count, wr_expr **out, wr_error *err) {
    (void)registry;
    (void)arg_count;
    wr_type type;
    if (!wr_expr_common_type(args + 1, 2, &type)) return fail_mixed(arena, "if", args[1]->type, args[2]->type, err);
    wr_expr *e = wr_expr_create(arena, WR_EXPR_CASE, type, 3);
    if (!e) return no_memory(err);
    e->args[0] = wr_expr_as(arena, args[0], wr_type_of(WR_TYPE_BOOLEAN));
    e->args[1] = wr_expr_as(arena, args[1], type);
    e->args[2] = wr_expr_as(arena, args[2], type);
    if (!e->args[0] || !e->args[1] || !e->args[2]) return no_memory(err);
    e->position = position;
    *out = wr_expr_refresh(e);
    return WR_OK;
}

static wr_status expand_nullif(const wr_registry *registry, wr_arena *arena, uint32_t position, wr_expr **args,
                               uint32_t arg_count, wr_expr **out, wr_error *err) {
    wr_expr *equal;
    WR_TRY(wr_function_bind(registry, arena, WR_STR("="), position, args, arg_count, &equal, err));
    wr_expr *e = wr_expr_create(arena, WR_EXPR_CASE, args[0]->type, 3);
    if (!e) return no_memory(err);
    e->args[0] = equal;
    e->args[1] = wr_expr_constant(arena, (wr_value){.type = args[0]->type, .is_null = true});
    e->args[2] = args[0];
    if (!e->args[1]) return no_memory(err);
    e->position = position;
    *out = wr_expr_refresh(e);
    return WR_OK;
}

/* The type's name as SQL writes it: known when the call is bound. */
static wr_status expand_typeof(const wr_registry *registry, wr_arena *arena, uint32_t position, wr_expr **args,
                               uint32_t arg_count, wr_expr **out, wr_error *err) {
    (void)registry;
    (void)position;
    (void)arg_count;
    wr_text name;
    wr_text_init(&name, arena->allocator);
    wr_type_print(&name, args[0]->type);
    wr_value value = {.type = wr_type_of(WR_TYPE_VARCHAR), .text = wr_arena_copy(arena, wr_text_view(&name))};
    *out = name.failed || !value.text.data ? NULL : wr_expr_constant(arena, value);
    wr_text_deinit(&name);
    return *out ? WR_OK : no_memory(err);
}

/* ---- NOT ---- */

static wr_status run_not(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    c->kernels->bits->not_(args[0].data, c->row_count, wr_vector_data_mut(result));
    return WR_OK;
}

const wr_function wr_not_function = {.name = "not",
                                     .parameters = {WR_EXACT(BOOLEAN)},
                                     .result_id = WR_TYPE_BOOLEAN,
                                     .run = run_not,
                                     .cost_ns = 0.05f,
                                     .summary = "negation"};

/* ---- least and greatest ---- */

static wr_status resolve_extreme(wr_resolution *r, wr_error *err) {
    r->result = r->arg_types[0];
    if (r->result.id < WR_TYPE_LIST && !r->result.collation) return WR_OK;
    return wr_fail(err, WR_UNSUPPORTED, "%s of %s is not supported", r->function->name,
                   wr_type_id_name((wr_type_id)r->result.id));
}

/* Copies row i of v, a column or a constant, to row i of out where bit i of `take` is set. */
static void take_rows(const wr_vector *v, const uint64_t *take, uint32_t n, wr_vector *out) {
    size_t width = wr_phys_bytes((wr_phys)v->phys), step = wr_step(v) * width;
    const uint8_t *from = v->data;
    uint8_t *to = wr_vector_data_mut(out);
    for (uint32_t w = 0; w * 64 < n; w++) {
        for (uint64_t left = take[w]; left; left &= left - 1) {
            size_t i = (size_t)w * 64 + (size_t)__builtin_ctzll(left);
            if (v->phys == WR_PHYS_BOOL) {
                wr_bit_put((uint64_t *)(void *)to, i, wr_bool_row(v, (uint32_t)i));
            } else {
                memcpy(to + i * width, from + i * step, width);
            }
        }
    }
}

static uint64_t valid_word(const wr_vector *v, size_t w) {
    if (!v->validity) return ~UINT64_C(0);
    if (v->kind == WR_CONSTANT) return v->validity[0] & 1 ? ~UINT64_C(0) : 0;
    return v->validity[w];
}

static void compare_with_best(const wr_call_context *c, const wr_vector *v, const wr_vector *best, wr_compare_op op,
                              uint64_t *out) {
    static const wr_compare_op swapped[] = {WR_EQ, WR_NE, WR_GT, WR_GE, WR_LT, WR_LE};
    const wr_compare_kernels *k = c->kernels->compare;
    if (v->kind != WR_CONSTANT) {
        k->vv[v->phys][op](v->data, best->data, c->row_count, out);
        return;
    }
    uint64_t word = v->phys == WR_PHYS_BOOL && wr_bool_row(v, 0) ? ~UINT64_C(0) : 0;
    k->vc[v->phys][swapped[op]](best->data, v->phys == WR_PHYS_BOOL ? &word : v->data, c->row_count, out);
}

/* c->failed serves as the bitmap of the rows to take. */
static wr_status run_extreme(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_compare_op op,
                             wr_vector *result) {
    WR_TRY(wr_call_prepare_nullable(c, result));
    uint64_t *valid = wr_vector_validity_mut(result), *take = c->failed;
    size_t words = wr_bitmap_words(c->row_count);
    wr_bitmap_fill(valid, c->row_count, false);
    memset(wr_vector_data_mut(result), 0,
           args[0].phys == WR_PHYS_BOOL ? words * 8 : c->row_count * wr_phys_bytes((wr_phys)args[0].phys));
    for (uint32_t a = 0; a < arg_count; a++) {
        const wr_vector *v = &args[a];
        if (wr_is_constant_null(v)) continue;
        if (result->phys == WR_PHYS_VIEW) WR_TRY(wr_vector_keep_heap(result, c->allocator, v, c->err));
        compare_with_best(c, v, result, op, take);
        for (size_t w = 0; w < words; w++) {
            uint64_t here = valid_word(v, w);
            take[w] = here & (take[w] | ~valid[w]);
            valid[w] |= here;
        }
        take[words - 1] &= wr_bitmap_tail(c->row_count);
        take_rows(v, take, c->row_count, result);
    }
    return WR_OK;
}
static wr_status run_least(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    return run_extreme(c, args, arg_count, WR_LT, result);
}
static wr_status run_greatest(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    return run_extreme(c, args, arg_count, WR_GT, result);
}

static const wr_function rows[] = {
    {.name = "coalesce",
     .parameters = {WR_ANY},
     .variadic = true,
     .expand = expand_coalesce,
     .summary = "the first argument that is not NULL"},
    {.name = "ifnull",
     .aliases = "nvl",
     .parameters = {WR_ANY, WR_ANY},
     .expand = expand_coalesce,
     .summary = "the first argument, or the second where that is NULL"},
    {.name = "if",
     .aliases = "iff",
     .parameters = {WR_ANY, WR_ANY, WR_ANY},
     .expand = expand_if,
     .summary = "the second argument where the first is true, else the third"},
    {.name = "nullif",
     .parameters = {WR_ANY, WR_ANY},
     .expand = expand_nullif,
     .summary = "NULL where both arguments are equal, else the first"},
    {.name = "typeof",
     .aliases = "pg_typeof",
     .parameters = {WR_ANY},
     .expand = expand_typeof,
     .summary = "the name of the argument's type"},
    {.name = "least",
     .nulls = WR_NULLS_OWN,
     .parameters = {WR_SAME},
     .variadic = true,
     .resolve = resolve_extreme,
     .run = run_least,
     .cost_ns = 2,
     .summary = "the smallest argument that is not NULL"},
    {.name = "greatest",
     .nulls = WR_NULLS_OWN,
     .parameters = {WR_SAME},
     .variadic = true,
     .resolve = resolve_extreme,
     .run = run_greatest,
     .cost_ns = 2,
     .summary = "the largest argument that is not NULL"},
};

const wr_function_set wr_functions_logic = {"logic", rows, WR_COUNT_OF(rows)};
