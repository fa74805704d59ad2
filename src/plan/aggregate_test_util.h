/* Unit tests of aggregates: rows into groups, in every shape and split, with a merge and, where states have memory, a
 * round trip through bytes in between.
 *
 *     check_groups(&f, "sum", ARGS(column(&f, "INTEGER", "1|2|NULL|4")), "0|1|0|1", "1|6");
 *
 * The groups' results are printed in order. The argument columns are the first ones of the fixture. */
#ifndef WR_PLAN_AGGREGATE_TEST_UTIL_H
#define WR_PLAN_AGGREGATE_TEST_UTIL_H

#include "plan/plan_test_util.h"

enum { GROUPS_MAX = 16 };

typedef struct aggregate_run {
    fixture *f;
    const wr_expr *e;
    const wr_aggregate_ops *ops;
    wr_aggregate_context c;
    uint32_t stride;
    uint32_t group_count;
    uint32_t groups[1024];
} aggregate_run;

static inline uint8_t *states_create(const aggregate_run *r) {
    uint8_t *base = wr_alloc(wr_test_allocator(), (size_t)r->stride * GROUPS_MAX);
    if (base) {
        memset(base, 0xaa, (size_t)r->stride * GROUPS_MAX);
        r->ops->init(&r->c, base, r->stride, r->group_count);
    }
    return base;
}

static inline void states_destroy(const aggregate_run *r, uint8_t *base) {
    if (!base) return;
    if (r->ops->destroy) r->ops->destroy(&r->c, base, r->stride, r->group_count);
    wr_free(wr_test_allocator(), base, (size_t)r->stride * GROUPS_MAX);
}

/* Adds rows [first, first + count); `whole` gives the group as NULL. */
static inline wr_status add_rows(aggregate_run *r, uint8_t *base, shape how, uint32_t first, uint32_t count) {
    fixture *f = r->f;
    wr_allocator *a = wr_test_allocator();
    wr_vector args[4] = {{.row_count = 0}, {.row_count = 0}, {.row_count = 0}, {.row_count = 0}};
    wr_status status = WR_OK;
    for (uint32_t i = 0; i < r->e->arg_count && status == WR_OK; i++) {
        if (r->e->args[i]->kind == WR_EXPR_CONSTANT) {
            status = wr_vector_constant(&args[i], a, &r->e->args[i]->value, count, &f->err);
            continue;
        }
        wr_vector part = {.row_count = 0};
        uint32_t number = r->e->args[i]->kind == WR_EXPR_COLUMN ? r->e->args[i]->column - 1 : i;
        status = wr_vector_slice(&part, a, &f->columns[number], first, count, &f->err);
        if (status == WR_OK && how == SHAPE_DICTIONARY) {
            status = as_dictionary(&args[i], &part, &f->err);
        } else if (status == WR_OK && how == SHAPE_CONSTANT) {
            status = as_constant(&args[i], f, &part, 0, &f->err);
        } else if (status == WR_OK) {
            wr_vector_move(&args[i], &part);
        }
        wr_vector_deinit(&part);
    }
    r->c.ordinal = (wr_ordinal){.morsel = first};
    wr_state_rows states = {base, r->group_count > 1 ? r->groups + first : NULL, r->stride};
    if (status == WR_OK) status = r->ops->update(&r->c, args, r->e->arg_count, NULL, count, states);
    for (uint32_t i = 0; i < 4; i++) wr_vector_deinit(&args[i]);
    return status;
}

/* Writes and reads back every state that has memory of its own. */
static inline wr_status round_trip(aggregate_run *r, uint8_t *base) {
    wr_allocator *a = wr_test_allocator();
    for (uint32_t g = 0; r->ops->write && g < r->group_count; g++) {
        uint8_t *state = base + (size_t)g * r->stride;
        size_t size = r->ops->write_bytes(state);
        uint8_t *bytes = wr_alloc(a, size + 1);
        if (!bytes) return WR_NO_MEMORY;
        r->ops->write(state, bytes);
        r->ops->destroy(&r->c, state, r->stride, 1);
        r->ops->init(&r->c, state, r->stride, 1);
        wr_status status = r->ops->read(&r->c, state, bytes, size);
        wr_free(a, bytes, size + 1);
        WR_TRY(status);
    }
    return WR_OK;
}

/* Two sets of states take turns over batches and are merged. */
static inline wr_status run_aggregate(aggregate_run *r, shape how, uint32_t batch_rows, wr_text *out) {
    uint8_t *sets[2] = {states_create(r), states_create(r)};
    wr_vector result = {.row_count = 0};
    wr_status status = sets[0] && sets[1] ? WR_OK : WR_NO_MEMORY;
    uint32_t rows = r->f->row_count, turn = 0;
    for (uint32_t at = 0; at < rows && status == WR_OK; at += batch_rows, turn ^= 1) {
        status = add_rows(r, sets[turn], how, at, rows - at < batch_rows ? rows - at : batch_rows);
    }
    if (status == WR_OK) status = round_trip(r, sets[0]);
    if (status == WR_OK) status = round_trip(r, sets[1]);
    uint32_t numbers[GROUPS_MAX];
    for (uint32_t g = 0; g < GROUPS_MAX; g++) numbers[g] = g;
    if (status == WR_OK) {
        status = r->ops->merge(&r->c, sets[1], r->stride, r->group_count,
                               (wr_state_rows){sets[0], r->group_count > 1 ? numbers : NULL, r->stride});
        /* What was merged is gone; init makes it safe to destroy. */
        r->ops->init(&r->c, sets[1], r->stride, r->group_count);
    }
    if (status == WR_OK) status = r->ops->finalize(&r->c, sets[0], r->stride, r->group_count, &result);
    if (status == WR_OK) status = print_rows(r->f, out, &result, NULL, r->group_count);
    wr_vector_deinit(&result);
    states_destroy(r, sets[0]);
    states_destroy(r, sets[1]);
    return status;
}

static inline void read_groups(aggregate_run *r, const char *groups) {
    r->group_count = 1;
    uint32_t row = 0;
    for (const char *at = groups; at && *at; at++) {
        if (*at < '0' || *at > '9') continue;
        r->groups[row] = (uint32_t)(*at - '0');
        if (r->groups[row] + 1 > r->group_count) r->group_count = r->groups[row] + 1;
        row++;
    }
}

static inline void check_groups_at(fixture *f, const char *name, wr_expr **args, uint32_t count, const char *groups,
                                   const char *expected, const char *file, int line) {
    static const struct {
        shape how;
        uint32_t batch_rows;
    } shapes[] = {{SHAPE_FLAT, WR_BATCH_ROWS}, {SHAPE_DICTIONARY, WR_BATCH_ROWS},
                  {SHAPE_SLICED, 1},           {SHAPE_SLICED, 3},
                  {SHAPE_DICTIONARY, 3},       {SHAPE_CONSTANT, 1}};
    wr_expr *e = call_list(f, name, args, count);
    if (f->failed || !e || e->kind != WR_EXPR_AGGREGATE) {
        wr_test_fail(file, line, "not bound: %s", f->err.message);
        return;
    }
    wr_type types[4];
    for (uint32_t i = 0; i < count; i++) types[i] = e->args[i]->type;
    aggregate_run r = {.f = f, .e = e, .ops = e->function->aggregate};
    read_groups(&r, groups);
    r.c = (wr_aggregate_context){.allocator = wr_test_allocator(),
                                 .kernels = f->environment.kernels,
                                 .data = e->function_data,
                                 .result = e->type,
                                 .arg_type = count ? types[0] : wr_type_of(WR_TYPE_NULL),
                                 .err = &f->err};
    uint32_t align = r.ops->state_align > 8 ? r.ops->state_align : 8;
    r.stride =
        (r.ops->state_bytes(types, count) + 8 + align - 1) / align * align; /* states do not stand back to back */
    for (size_t i = 0; i < WR_COUNT_OF(shapes); i++) {
        wr_text seen;
        wr_text_init(&seen, wr_test_allocator());
        wr_status status = run_aggregate(&r, shapes[i].how, shapes[i].batch_rows, &seen);
        if (status != WR_OK) {
            wr_test_fail(file, line, "shape %zu: %s", i, f->err.message);
        } else if (strcmp(seen.data ? seen.data : "", expected) != 0) {
            wr_test_fail(file, line, "shape %zu: %s, expected %s", i, seen.data ? seen.data : "", expected);
        }
        wr_text_deinit(&seen);
    }
}
#define ARGS(...) (wr_expr *[]){__VA_ARGS__}, sizeof((wr_expr *[]){__VA_ARGS__}) / sizeof(wr_expr *)
#define check_groups(f, name, args, groups, expected)                                                                  \
    check_groups_at((f), (name), args, (groups), (expected), __FILE__, __LINE__)
/* All rows in one group, given as none. */
#define check_whole(f, name, args, expected) check_groups_at((f), (name), args, NULL, (expected), __FILE__, __LINE__)

#endif
