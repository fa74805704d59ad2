/* The nth allocation, reservation, open, read, write, map or thread start of a query fails, for every n: a status comes
 * back, with the code that the fault stands for; or the fault was absorbed, and the answer is right. Then the same
 * session gives the right answer, and when all is closed nothing is left.
 *
 *     weir_fault --list                          the names of the cases
 *     weir_fault [options] CASE...               last line: N passed, N failed, a fault point of a case being one
 *         --threads N          of the database (default 1)
 *         --stride N --from N  every Nth fault, from that one on (default: all)
 *
 * What could hang ends the process by an alarm that says where. Memory of the test itself comes from the C library,
 * so that only the engine's is counted and made to fail. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fault.h"
#include "column/arrow.h"
#include "engine/engine_internal.h"
#include "tests/fault/cases.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/allocator_interface.h>
#include <sanitizer/lsan_interface.h>
static size_t live_bytes(void) {
    return __sanitizer_get_current_allocated_bytes();
}
static bool has_leaks(void) {
    return __lsan_do_recoverable_leak_check() != 0;
}
#else
static size_t live_bytes(void) {
    return 0;
}
static bool has_leaks(void) {
    return false;
}
#endif

enum { SECONDS_MAX = 60, ARRAYS_MAX = 64, FAILURES_SHOWN = 3, FEW_FAULTS = 24 };

/* ---- memory of the test ---- */

static void *own_alloc(wr_allocator *self, size_t size_bytes, size_t align) {
    (void)self;
    return aligned_alloc(align, (size_bytes + align) & ~(align - 1));
}
static void own_free(wr_allocator *self, void *block, size_t size_bytes, size_t align) {
    (void)self;
    (void)size_bytes;
    (void)align;
    free(block);
}
static void *own_resize(wr_allocator *self, void *block, size_t old_bytes, size_t new_bytes, size_t align) {
    void *moved = own_alloc(self, new_bytes, align);
    if (moved && block) memcpy(moved, block, old_bytes < new_bytes ? old_bytes : new_bytes);
    if (moved) own_free(self, block, old_bytes, align);
    return moved;
}
static wr_allocator own = {own_alloc, own_resize, own_free};

/* ---- what a script gives ---- */

typedef struct outcome {
    weir_status status;
    wr_text rows;
    char message[1024];
    bool broken; /* the error says another code than the call, or nothing */
} outcome;

static void outcome_init(outcome *o) {
    *o = (outcome){0};
    wr_text_init(&o->rows, &own);
    wr_text_addz(&o->rows, "");
}

/* Which of several bad rows an error speaks of depends on timing. */
static bool outcome_equal(const outcome *a, const outcome *b) {
    return a->status == b->status && wr_str_equal(wr_text_view(&a->rows), wr_text_view(&b->rows)) &&
           a->broken == b->broken;
}

static int compare_lines(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A query that does not ask for an order gets its rows in one that may depend on what had to be spilled. */
static void sort_rows(wr_text *rows) {
    enum { LINES_MAX = 4096 };
    static char *lines[LINES_MAX];
    size_t count = 0;
    wr_text sorted;
    wr_text_init(&sorted, &own);
    for (char *at = rows->data, *end; count < LINES_MAX && (end = strchr(at, '\n')); at = end + 1) {
        *end = 0;
        lines[count++] = at;
    }
    qsort(lines, count, sizeof *lines, compare_lines);
    for (size_t i = 0; i < count; i++) wr_text_format(&sorted, "%s\n", lines[i]);
    wr_text_deinit(rows);
    *rows = sorted;
}

/* The operators of the query that stands in the result. */
static void add_name(void *user, uint32_t pipeline, const wr_node_base *node, const char *kind) {
    (void)pipeline;
    (void)node;
    wr_text_format(user, "[%s]", kind);
}

static weir_status read_text(weir_result *result, wr_text *out, weir_error *error) {
    for (size_t rows = 1; rows > 0;) {
        weir_status status = weir_result_fetch(result, &rows, error);
        if (status != WEIR_OK) return status;
        for (size_t row = 0; row < rows; row++) {
            for (size_t c = 0; c < weir_result_column_count(result); c++) {
                size_t size = 0;
                const char *text = weir_result_text(result, row, c, &size);
                /* What EXPLAIN ANALYZE measured differs from run to run. */
                const char *measured = text ? strstr(text, "  [") : NULL;
                if (text && strncmp(text, "total ", 6) == 0) text = "total";
                if (measured) size = (size_t)(measured - text);
                wr_text_addz(out, c ? "|" : "");
                wr_text_add(out, text ? text : "NULL", text && strcmp(text, "total") != 0 ? size : text ? 5 : 4);
            }
            wr_text_addz(out, "\n");
        }
    }
    return WEIR_OK;
}

static void print_array(struct ArrowArray *array, const struct ArrowSchema *schema, wr_text *out) {
    wr_budget *budget = NULL;
    wr_arrow_import *import = NULL;
    wr_arena arena;
    wr_schema columns;
    wr_arena_init(&arena, &own);
    bool ok = wr_budget_create(&budget, NULL, &own, "arrays", WR_BUDGET_NO_LIMIT, NULL) == WR_OK &&
              wr_arrow_schema_import(&columns, &arena, schema, NULL) == WR_OK &&
              wr_arrow_import_create(&import, budget, &columns, schema, array, NULL) == WR_OK;
    for (uint32_t c = 0; ok && c < columns.field_count; c++) {
        wr_vector vector = {0};
        uint32_t rows = (uint32_t)wr_arrow_import_row_count(import);
        ok = wr_arrow_import_column(import, c, 0, rows, &vector, &own, NULL) == WR_OK;
        for (uint32_t row = 0; ok && row < rows; row++) {
            wr_value value;
            ok = wr_vector_value(&vector, row, &arena, &value, NULL) == WR_OK;
            if (ok) wr_value_print(out, &value);
            wr_text_addz(out, "|");
        }
        wr_text_addz(out, "\n");
        wr_vector_deinit(&vector);
    }
    if (!ok) wr_text_addz(out, "(an array that cannot be read)\n");
    wr_arrow_import_destroy(import);
    wr_arena_deinit(&arena);
    wr_budget_close(budget);
}

static weir_status status_of(int code) {
    return code == ENOMEM ? WEIR_NO_MEMORY : code == EIO ? WEIR_IO : WEIR_INVALID;
}

/* Arrays are looked at when the faults are over. */
static weir_status read_stream(weir_result *result, wr_text *out, weir_error *error) {
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray arrays[ARRAYS_MAX];
    int count = 0;
    weir_status status = weir_result_stream(result, &stream, error);
    if (status != WEIR_OK) return status;
    int code = stream.get_schema(&stream, &schema);
    bool has_schema = code == 0;
    while (code == 0 && count < ARRAYS_MAX) {
        code = stream.get_next(&stream, &arrays[count]);
        if (code == 0 && !arrays[count].release) break;
        if (code == 0) count++;
    }
    if (code != 0) {
        const char *text = stream.get_last_error(&stream);
        error->code = status = status_of(code);
        snprintf(error->message, sizeof error->message, "%s", text ? text : "");
    }
    wr_fault_disarm_all();
    for (int i = 0; i < count; i++) {
        if (has_schema) print_array(&arrays[i], &schema, out);
        if (arrays[i].release) arrays[i].release(&arrays[i]);
    }
    if (has_schema) schema.release(&schema);
    stream.release(&stream);
    return status;
}

static void run_script(const fault_case *c, weir_session *session, outcome *out, wr_text *operators) {
    size_t cursor = 0, size = strlen(c->script);
    while (out->status == WEIR_OK) {
        weir_result *result = NULL;
        weir_error error = {0};
        out->status = weir_query_next(session, c->script, size, &cursor, &result, &error);
        if (out->status == WEIR_OK && !result) break;
        if (out->status == WEIR_OK && operators && result->pipelines)
            wr_pipeline_set_each(result->pipelines, add_name, operators);
        if (out->status == WEIR_OK) {
            out->status =
                c->as_stream ? read_stream(result, &out->rows, &error) : read_text(result, &out->rows, &error);
        }
        weir_result_close(result);
        if (out->status == WEIR_OK) continue;
        wr_text_clear(&out->rows); /* what came before an error depends on timing */
        out->broken = error.code != out->status || !error.message[0];
        snprintf(out->message, sizeof out->message, "%s", error.message);
    }
    if (!c->as_stream && !strstr(c->script, "ORDER BY")) sort_rows(&out->rows);
}

/* ---- a database for each fault ---- */

typedef struct options {
    uint32_t threads;
    uint64_t stride, from;
} options;

typedef struct world {
    weir_database *database;
    weir_session *session;
} world;

static bool world_open(world *w, const fault_case *c, const options *o) {
    char threads[16];
    snprintf(threads, sizeof threads, "%u", o->threads);
    const weir_setting settings[] = {{"threads", threads}, {"force_spill", c->spills ? "true" : "false"}};
    weir_error error;
    *w = (world){0};
    if (weir_database_open(settings, 2, &w->database, &error) == WEIR_OK &&
        weir_session_open(w->database, &w->session, &error) == WEIR_OK)
        return true;
    printf("cannot open a database: %s\n", error.message);
    return false;
}

/* The bytes that the database still holds when no query runs. */
static size_t world_close(world *w) {
    weir_session_close(w->session);
    size_t used = w->database ? wr_budget_used(w->database->budget) : 0;
    weir_database_close(w->database);
    return used;
}

/* ---- faults ---- */

typedef struct fault_row {
    const char *name;
    wr_fault_point point;
    wr_fault_kind kind;
    weir_status status; /* OK: nobody may notice */
} fault_row;

static const fault_row faults[] = {
    {"allocation", WR_FAULT_ALLOC, WR_FAULT_ONCE, WEIR_NO_MEMORY},
    {"reservation", WR_FAULT_RESERVE, WR_FAULT_ONCE, WEIR_NO_MEMORY},
    {"open", WR_FAULT_OPEN, WR_FAULT_ONCE, WEIR_IO},
    {"read", WR_FAULT_READ, WR_FAULT_ONCE, WEIR_IO},
    {"write", WR_FAULT_WRITE, WR_FAULT_ONCE, WEIR_IO},
    {"map", WR_FAULT_MAP, WR_FAULT_ONCE, WEIR_NO_MEMORY},
    {"thread", WR_FAULT_THREAD, WR_FAULT_ONCE, WEIR_LIMIT},
    {"all allocations from", WR_FAULT_ALLOC, WR_FAULT_ON, WEIR_NO_MEMORY},
    {"all reservations from", WR_FAULT_RESERVE, WR_FAULT_ON, WEIR_NO_MEMORY},
    {"all reads from", WR_FAULT_READ, WR_FAULT_ON, WEIR_IO},
    {"disk full from write", WR_FAULT_WRITE, WR_FAULT_ON, WEIR_IO},
    {"interrupted read", WR_FAULT_READ, WR_FAULT_INTERRUPT, WEIR_OK},
    {"interrupted write", WR_FAULT_WRITE, WR_FAULT_INTERRUPT, WEIR_OK},
    {"short reads from", WR_FAULT_READ, WR_FAULT_SHORT, WEIR_OK},
    {"short writes from", WR_FAULT_WRITE, WR_FAULT_SHORT, WEIR_OK},
};

/* What is going on, for the alarm. */
static char going_on[256];

static void on_alarm(int signal) {
    (void)signal;
    ssize_t put = write(STDOUT_FILENO, going_on, strlen(going_on));
    put += write(STDOUT_FILENO, ": hangs\n", 8);
    _exit(put > 0 ? 3 : 4);
}

typedef struct reference {
    outcome outcome;
    size_t used_bytes; /* by the caches of a database that has run it */
    size_t live_bytes; /* of the process */
} reference;

static bool complain(const char *what, const outcome *seen) {
    printf("%s: %s: %s %s\n", going_on, what, weir_status_name(seen->status), seen->message);
    return false;
}

static bool check_faulty(const fault_row *f, const reference *r, const outcome *seen, bool as_stream) {
    if (outcome_equal(seen, &r->outcome)) return true;
    if (seen->status == WEIR_OK) return complain("a wrong answer", seen);
    weir_status expected = as_stream && seen->status == WEIR_INVALID ? WEIR_INVALID : f->status;
    return (seen->status == expected && !seen->broken) || complain("not the error of this fault", seen);
}

/* One fault; *calls: how often the point was passed. */
static bool run_fault(const fault_case *c, const options *o, const fault_row *f, uint64_t nth, reference *r,
                      uint64_t *calls) {
    world w;
    outcome faulty, after;
    snprintf(going_on, sizeof going_on, "%s, %u threads, %s %llu", c->name, o->threads, f->name,
             (unsigned long long)nth);
    alarm(SECONDS_MAX);
    if (!world_open(&w, c, o)) return false;
    outcome_init(&faulty);
    outcome_init(&after);
    wr_fault_arm_kind(f->point, nth, f->kind);
    run_script(c, w.session, &faulty, NULL);
    *calls = wr_fault_calls(f->point);
    wr_fault_disarm_all();
    run_script(c, w.session, &after, NULL);
    bool ok = check_faulty(f, r, &faulty, c->as_stream);
    if (!outcome_equal(&after, &r->outcome)) ok = complain("the next query is not right", &after);
    wr_text_deinit(&faulty.rows);
    wr_text_deinit(&after.rows);
    size_t used = world_close(&w), live = live_bytes();
    if (used != r->used_bytes) {
        printf("%s: the database holds %zu bytes, without a fault %zu\n", going_on, used, r->used_bytes);
        ok = false;
    }
    /* Stacks of threads that ended are kept by the C library: more bytes are a reason to look. */
    if (live > r->live_bytes) {
        if (has_leaks()) ok = complain("leaks", &faulty);
        r->live_bytes = live;
    }
    alarm(0);
    return ok;
}

static bool make_reference(const fault_case *c, const options *o, reference *r) {
    world w;
    wr_text operators;
    snprintf(going_on, sizeof going_on, "%s, %u threads, no fault", c->name, o->threads);
    alarm(SECONDS_MAX);
    wr_text_init(&operators, &own);
    outcome_init(&r->outcome);
    if (!world_open(&w, c, o)) return false;
    run_script(c, w.session, &r->outcome, &operators);
    bool ok = true;
    for (int i = 0; i < OPERATORS_MAX && c->operators[i]; i++) {
        char name[64];
        snprintf(name, sizeof name, "[%s]", c->operators[i]);
        if (operators.data && strstr(operators.data, name)) continue;
        printf("%s: no %s is used, but %s\n", going_on, name, operators.data ? operators.data : "nothing");
        ok = false;
    }
    wr_text_deinit(&operators);
    r->used_bytes = world_close(&w);
    r->live_bytes = live_bytes();
    alarm(0);
    return ok;
}

typedef struct totals {
    unsigned passed, failed;
    unsigned long long faults;
} totals;

/* The counts of a run without faults bound n; threads make them differ a little, which is why n goes on as long as it
 * is reached. Where there are few, none is left out. */
static void run_faults(const fault_case *c, const options *o, const fault_row *f, reference *r, totals *sum) {
    uint64_t calls = 0;
    unsigned failures = run_fault(c, o, f, UINT64_MAX, r, &calls) ? 0 : 1;
    uint64_t stride = calls > FEW_FAULTS ? o->stride : 1, from = calls > FEW_FAULTS ? o->from % stride + 1 : 1;
    for (uint64_t nth = from, seen; nth <= calls && failures < FAILURES_SHOWN; nth += stride) {
        if (!run_fault(c, o, f, nth, r, &seen)) failures++;
        sum->faults++;
    }
    *(failures ? &sum->failed : &sum->passed) += 1;
}

static void run_case(const fault_case *c, const options *o, totals *sum) {
    reference r = {0};
    *(make_reference(c, o, &r) ? &sum->passed : &sum->failed) += 1;
    for (size_t i = 0; i < WR_COUNT_OF(faults); i++) run_faults(c, o, &faults[i], &r, sum);
    wr_text_deinit(&r.outcome.rows);
}

int main(int argc, char **argv) {
    options o = {1, 1, 0};
    totals sum = {0};
    signal(SIGALRM, on_alarm);
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc, known = false;
        if (strcmp(argv[i], "--list") == 0) {
            for (size_t k = 0; k < WR_COUNT_OF(cases); k++) printf("%s\n", cases[k].name);
            return 0;
        }
        if (more && strcmp(argv[i], "--threads") == 0) {
            o.threads = (uint32_t)strtoul(argv[++i], NULL, 10);
        } else if (more && strcmp(argv[i], "--stride") == 0) {
            o.stride = strtoull(argv[++i], NULL, 10);
        } else if (more && strcmp(argv[i], "--from") == 0) {
            o.from = strtoull(argv[++i], NULL, 10);
        } else {
            for (size_t k = 0; k < WR_COUNT_OF(cases); k++) {
                if (strcmp(argv[i], cases[k].name) != 0) continue;
                run_case(&cases[k], &o, &sum);
                known = true;
            }
            if (!known) {
                printf("there is no case %s\n", argv[i]);
                sum.failed++;
            }
        }
    }
    printf("%llu faults\n%u passed, %u failed\n", sum.faults, sum.passed, sum.failed);
    return sum.failed != 0;
}
