/* Unit tests of expressions and functions: columns out of text, calls by name, and checks that run one expression over
 * many shapes of the same rows.
 *
 *     WR_TEST(arithmetic, adds) {
 *         fixture f;
 *         begin(&f);
 *         wr_expr *a = column(&f, "INTEGER", "1|2|NULL");
 *         check(&f, call(&f, "+", a, number(&f, 1)), "2|3|NULL");
 *         end(&f);
 *     }
 *
 * check() evaluates all rows at once, in batches of 1 and 3, under a selection, with its columns as dictionaries and,
 * row by row, as constants; all must agree. */
#ifndef WR_PLAN_PLAN_TEST_UTIL_H
#define WR_PLAN_PLAN_TEST_UTIL_H

#include "plan/cast.h"
#include "plan/program.h"
#include "plan/time_zone.h"
#include "tests/unit/test.h"

enum { FIXTURE_COLUMNS = 8 };

typedef struct fixture {
    wr_arena arena;
    wr_registry *registry;
    wr_time_zones *zones;
    wr_program_environment environment;
    wr_vector columns[FIXTURE_COLUMNS];
    wr_column_id ids[FIXTURE_COLUMNS];
    uint32_t column_count, row_count;
    wr_error err;
    bool failed; /* something before the check */
} fixture;

static inline void begin(fixture *f) {
    memset(f, 0, sizeof *f);
    wr_arena_init(&f->arena, wr_test_allocator());
    wr_error_clear(&f->err);
    f->failed |= !WR_CHECK_OK(wr_registry_create(&f->registry, wr_test_allocator(), &f->err), &f->err);
    f->failed |=
        !WR_CHECK_OK(wr_time_zones_create(&f->zones, wr_test_allocator(), "/usr/share/zoneinfo", &f->err), &f->err);
    f->environment = (wr_program_environment){.kernels = wr_kernels_best(), .batch_rows = WR_BATCH_ROWS};
    f->environment.now_us = INT64_C(1700000000000000);
}

static inline void forget_columns(fixture *f) {
    for (uint32_t i = 0; i < f->column_count; i++) wr_vector_deinit(&f->columns[i]);
    f->column_count = f->row_count = 0;
}

static inline void end(fixture *f) {
    forget_columns(f);
    wr_registry_destroy(f->registry);
    wr_time_zones_destroy(f->zones);
    wr_arena_deinit(&f->arena);
}

static inline wr_type type_of(fixture *f, const char *name) {
    wr_type type = wr_type_of(WR_TYPE_NULL);
    f->failed |= !WR_CHECK(wr_type_parse(wr_str_from(name), &f->arena, &type));
    return type;
}

static inline wr_value value_of(fixture *f, wr_type type, wr_str text) {
    wr_value value = {.type = wr_type_of(WR_TYPE_VARCHAR), .text = text}, out = {.type = type, .is_null = true};
    if (wr_str_equal(text, WR_STR("NULL"))) return out;
    f->failed |= !WR_CHECK_OK(wr_value_cast(&value, type, &f->arena, &out, &f->err), &f->err);
    return out;
}

/* The values of a column, one "|" between them. */
static inline wr_expr *column(fixture *f, const char *type_name, const char *text) {
    wr_type type = type_of(f, type_name);
    wr_column_id id = f->column_count + 1;
    wr_vector *v = &f->columns[f->column_count];
    wr_allocator *a = wr_test_allocator();
    uint32_t rows = 0;
    f->failed |= wr_vector_prepare(v, a, type, 0, false, &f->err) != WR_OK;
    for (const char *at = text;; at++) {
        size_t size = strcspn(at, "|");
        wr_value value = value_of(f, type, (wr_str){at, (uint32_t)size});
        wr_vector one = {0};
        f->failed |= wr_vector_constant(&one, a, &value, 1, &f->err) != WR_OK;
        f->failed |= wr_vector_append(v, a, &one, NULL, 1, &f->err) != WR_OK;
        wr_vector_deinit(&one);
        rows++;
        at += size;
        if (!*at) break;
    }
    f->ids[f->column_count++] = id;
    f->row_count = rows;
    return wr_expr_column(&f->arena, id, type);
}

static inline wr_expr *literal(fixture *f, const char *type_name, const char *text) {
    return wr_expr_constant(&f->arena, value_of(f, type_of(f, type_name), wr_str_from(text)));
}
static inline wr_expr *number(fixture *f, int64_t value) {
    wr_expr *e = wr_expr_constant(&f->arena, (wr_value){.type = wr_type_of(WR_TYPE_INTEGER), .i64 = value});
    if (e) e->bends = true;
    return e;
}
static inline wr_expr *text(fixture *f, const char *z) {
    return wr_expr_constant(
        &f->arena, (wr_value){.type = wr_type_of(WR_TYPE_VARCHAR), .text = wr_arena_copy(&f->arena, wr_str_from(z))});
}

static inline wr_expr *call_list(fixture *f, const char *name, wr_expr **args, uint32_t count) {
    wr_expr *out = NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (!args[i]) return NULL;
    }
    f->failed |= !WR_CHECK_OK(
        wr_function_bind(f->registry, &f->arena, wr_str_from(name), 0, args, count, &out, &f->err), &f->err);
    return out;
}
#define call(f, name, ...)                                                                                             \
    call_list((f), (name), (wr_expr *[]){__VA_ARGS__}, sizeof((wr_expr *[]){__VA_ARGS__}) / sizeof(wr_expr *))

static inline wr_expr *node(fixture *f, wr_expr_kind kind, wr_type type, wr_expr **args, uint32_t count) {
    wr_expr *e = wr_expr_create(&f->arena, kind, type, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!args[i]) return NULL;
        e->args[i] = args[i];
    }
    return wr_expr_refresh(e);
}
#define logic(f, kind, ...)                                                                                            \
    node((f), (kind), wr_type_of(WR_TYPE_BOOLEAN), (wr_expr *[]){__VA_ARGS__},                                         \
         sizeof((wr_expr *[]){__VA_ARGS__}) / sizeof(wr_expr *))
#define case_of(f, type, ...)                                                                                          \
    node((f), WR_EXPR_CASE, (type), (wr_expr *[]){__VA_ARGS__}, sizeof((wr_expr *[]){__VA_ARGS__}) / sizeof(wr_expr *))

/* ---- running ---- */

typedef enum shape { SHAPE_FLAT, SHAPE_DICTIONARY, SHAPE_SELECTED, SHAPE_SLICED, SHAPE_CONSTANT } shape;

/* Rows twice, the codes leading to the second half backwards: entry order and row order differ. */
static inline wr_status as_dictionary(wr_vector *out, const wr_vector *flat, wr_error *err) {
    wr_allocator *a = wr_test_allocator();
    wr_vector_set *set;
    WR_TRY(wr_vector_set_create(&set, a, 1, err));
    uint32_t n = flat->row_count;
    uint16_t rows[1024];
    for (uint32_t i = 0; i < n; i++) rows[i] = (uint16_t)(n - 1 - i);
    wr_vector_deinit(out);
    wr_status status = wr_vector_gather(&set->items[0], a, flat, rows, n, err);
    if (status == WR_OK) status = wr_buffer_create(&out->data_buffer, a, n * sizeof(uint32_t), err);
    if (status != WR_OK) {
        wr_vector_set_release(set);
        return status;
    }
    uint32_t *codes = (uint32_t *)(void *)out->data_buffer->data;
    for (uint32_t i = 0; i < n; i++) codes[i] = n - 1 - i;
    out->data = codes;
    out->type = flat->type;
    out->phys = flat->phys;
    out->kind = WR_DICTIONARY;
    out->row_count = n;
    out->children = set;
    return WR_OK;
}

static inline wr_status as_constant(wr_vector *out, fixture *f, const wr_vector *flat, uint32_t row, wr_error *err) {
    wr_value value;
    WR_TRY(wr_vector_value(flat, row, &f->arena, &value, err));
    return wr_vector_constant(out, wr_test_allocator(), &value, 1, err);
}

/* Prints rows of the result behind those in `out`. */
static inline wr_status print_rows(fixture *f, wr_text *out, const wr_vector *v, const uint16_t *sel, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        wr_value value;
        WR_TRY(wr_vector_value(v, sel ? sel[i] : i, &f->arena, &value, &f->err));
        if (out->size) wr_text_addz(out, "|");
        wr_value_print(out, &value);
    }
    return WR_OK;
}

/* Rows [first, first + count) in a shape; the result's rows are printed behind `out`. */
static inline wr_status run_part(fixture *f, wr_program_state *state, shape how, uint32_t first, uint32_t count,
                                 wr_text *out) {
    wr_allocator *a = wr_test_allocator();
    wr_batch batch;
    wr_vector result = {0};
    uint16_t sel[512];
    WR_TRY(wr_batch_init(&batch, a, f->column_count, &f->err));
    wr_status status = WR_OK;
    for (uint32_t i = 0; i < f->column_count && status == WR_OK; i++) {
        wr_vector part = {0};
        status = wr_vector_slice(&part, a, &f->columns[i], first, count, &f->err);
        if (status == WR_OK && how == SHAPE_DICTIONARY) {
            status = as_dictionary(&batch.columns[i], &part, &f->err);
        } else if (status == WR_OK && how == SHAPE_CONSTANT) {
            status = as_constant(&batch.columns[i], f, &part, 0, &f->err);
        } else if (status == WR_OK) {
            wr_vector_move(&batch.columns[i], &part);
        }
        wr_vector_deinit(&part);
    }
    wr_batch_set_rows(&batch, count);
    if (how == SHAPE_SELECTED) {
        batch.sel_count = 0;
        for (uint32_t i = 0; i < count && i < 512; i += 2) sel[batch.sel_count++] = (uint16_t)i;
        batch.sel = sel;
    }
    if (status == WR_OK) status = wr_program_run(state, &batch, &result, &f->err);
    if (status == WR_OK) status = print_rows(f, out, &result, batch.sel, batch.sel_count);
    wr_vector_deinit(&result);
    wr_batch_deinit(&batch);
    return status;
}

static inline wr_status run_shape(fixture *f, wr_expr *e, shape how, uint32_t batch_rows, wr_text *out) {
    wr_allocator *a = wr_test_allocator();
    wr_program *program = NULL;
    wr_program_state *state = NULL;
    wr_status status = wr_program_compile(&program, a, &e, 1, f->ids, f->column_count, &f->environment, &f->err);
    if (status == WR_OK) status = wr_program_state_create(&state, program, a, &f->err);
    for (uint32_t at = 0; at < f->row_count && status == WR_OK; at += batch_rows) {
        uint32_t count = f->row_count - at < batch_rows ? f->row_count - at : batch_rows;
        status = run_part(f, state, how, at, count, out);
    }
    wr_program_state_destroy(state);
    wr_program_destroy(program);
    return status;
}

/* Every second value of a text with "|" between them. */
static inline void every_second(const char *all, wr_text *out) {
    bool take = true;
    for (const char *at = all;; take = !take) {
        size_t size = strcspn(at, "|");
        if (take && out->size) wr_text_addz(out, "|");
        if (take) wr_text_add(out, at, size);
        at += size;
        if (!*at) break;
        at++;
    }
}

static inline void check_shape(fixture *f, wr_expr *e, shape how, uint32_t batch_rows, const char *expected,
                               const char *file, int line) {
    static const char *const names[] = {"flat", "dictionary", "selected", "batches", "constants"};
    wr_text seen, selected;
    wr_text_init(&seen, wr_test_allocator());
    wr_text_init(&selected, wr_test_allocator());
    wr_status status = run_shape(f, e, how, batch_rows, &seen);
    if (how == SHAPE_SELECTED) {
        every_second(expected, &selected);
        expected = selected.data ? selected.data : "";
    }
    if (status != WR_OK) {
        wr_test_fail(file, line, "%s rows, batches of %u: %s", names[how], batch_rows, f->err.message);
    } else if (strcmp(seen.data ? seen.data : "", expected) != 0) {
        wr_test_fail(file, line, "%s rows, batches of %u: %s, expected %s", names[how], batch_rows,
                     seen.data ? seen.data : "", expected);
    }
    wr_text_deinit(&seen);
    wr_text_deinit(&selected);
}

static inline void check_at(fixture *f, wr_expr *e, const char *expected, const char *file, int line) {
    if (f->failed || !e) {
        wr_test_fail(file, line, "not run: %s", f->err.message);
        return;
    }
    if (f->column_count == 0) f->row_count = 1;
    check_shape(f, e, SHAPE_FLAT, WR_BATCH_ROWS, expected, file, line);
    check_shape(f, e, SHAPE_DICTIONARY, WR_BATCH_ROWS, expected, file, line);
    check_shape(f, e, SHAPE_SELECTED, WR_BATCH_ROWS, expected, file, line);
    check_shape(f, e, SHAPE_SLICED, 1, expected, file, line);
    check_shape(f, e, SHAPE_SLICED, 3, expected, file, line);
    check_shape(f, e, SHAPE_DICTIONARY, 3, expected, file, line);
    check_shape(f, e, SHAPE_CONSTANT, 1, expected, file, line);
}
#define check(f, e, expected) check_at((f), (e), (expected), __FILE__, __LINE__)

/* Evaluating all rows gives an error that says `part`. */
static inline void check_fails_at(fixture *f, wr_expr *e, const char *part, const char *file, int line) {
    if (f->failed || !e) {
        wr_test_fail(file, line, "not run: %s", f->err.message);
        return;
    }
    if (f->column_count == 0) f->row_count = 1;
    for (shape how = SHAPE_FLAT; how <= SHAPE_DICTIONARY; how++) {
        wr_text seen;
        wr_text_init(&seen, wr_test_allocator());
        wr_error_clear(&f->err);
        wr_status status = run_shape(f, e, how, WR_BATCH_ROWS, &seen);
        if (status == WR_OK) wr_test_fail(file, line, "gives %s, expected an error: %s", seen.data, part);
        if (status != WR_OK) wr_test_check_contains(file, line, f->err.message, part);
        wr_text_deinit(&seen);
    }
}
#define check_fails(f, e, part) check_fails_at((f), (e), (part), __FILE__, __LINE__)

/* The type of an expression, by name. */
static inline void check_type_at(fixture *f, const wr_expr *e, const char *expected, const char *file, int line) {
    wr_text name;
    wr_text_init(&name, wr_test_allocator());
    if (!e) {
        wr_test_fail(file, line, "not bound: %s", f->err.message);
    } else {
        wr_type_print(&name, e->type);
        wr_test_check_str(file, line, "the type", wr_text_view(&name), wr_str_from(expected));
    }
    wr_text_deinit(&name);
}
#define check_type(f, e, expected) check_type_at((f), (e), (expected), __FILE__, __LINE__)

/* Binding fails with a message that says `part`. */
static inline void check_unbound_at(fixture *f, const char *name, wr_expr **args, uint32_t count, const char *part,
                                    const char *file, int line) {
    wr_expr *out = NULL;
    wr_error_clear(&f->err);
    wr_status status = wr_function_bind(f->registry, &f->arena, wr_str_from(name), 0, args, count, &out, &f->err);
    if (status == WR_OK) {
        wr_test_fail(file, line, "binds, expected an error: %s", part);
    } else {
        wr_test_check_contains(file, line, f->err.message, part);
    }
}
#define check_unbound(f, part, name, ...)                                                                              \
    check_unbound_at((f), (name), (wr_expr *[]){__VA_ARGS__}, sizeof((wr_expr *[]){__VA_ARGS__}) / sizeof(wr_expr *),  \
                     (part), __FILE__, __LINE__)

#endif
