/* The runner of the unit tests.
 *
 *     weir_unit [--list] [SUBSTRING...]     runs the tests whose suite.name contains one of the substrings
 *
 * Its last line is "N passed, N failed". The test allocator puts a header in front of every block, so that a free
 * with another size or alignment than the allocation had is a failure: budgets count by what callers say. */
#include "tests/unit/test.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/lock.h"

static wr_test *tests;
static const wr_test *running;
static _Atomic int failure_count; /* of the running test */
static wr_mutex print_lock = WR_MUTEX_INIT;

void wr_test_register(wr_test *test) {
    wr_test **at = &tests;
    while (*at && (strcmp((*at)->suite, test->suite) < 0 ||
                   (strcmp((*at)->suite, test->suite) == 0 && (*at)->line <= test->line))) {
        at = &(*at)->next;
    }
    test->next = *at;
    *at = test;
}

/* ---- checks ---- */

bool wr_test_fail(const char *file, int line, const char *format, ...) {
    wr_mutex_lock(&print_lock);
    if (failure_count++ == 0) printf("FAIL %s.%s\n", running->suite, running->name);
    printf("  %s:%d: ", file, line);
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
    wr_mutex_unlock(&print_lock);
    return false;
}

bool wr_test_check_int(const char *file, int line, const char *text, int64_t seen, int64_t expected) {
    if (seen == expected) return true;
    return wr_test_fail(file, line, "%s is %" PRId64 ", expected %" PRId64, text, seen, expected);
}

bool wr_test_check_uint(const char *file, int line, const char *text, uint64_t seen, uint64_t expected) {
    if (seen == expected) return true;
    return wr_test_fail(file, line, "%s is %" PRIu64 " (0x%" PRIx64 "), expected %" PRIu64 " (0x%" PRIx64 ")", text,
                        seen, seen, expected, expected);
}

bool wr_test_check_double(const char *file, int line, const char *text, double seen, double expected) {
    if (seen == expected || (isnan(seen) && isnan(expected))) return true;
    return wr_test_fail(file, line, "%s is %.17g, expected %.17g", text, seen, expected);
}

bool wr_test_check_str(const char *file, int line, const char *text, wr_str seen, wr_str expected) {
    if (wr_str_equal(seen, expected) && !seen.data == !expected.data) return true;
    return wr_test_fail(file, line, "%s is \"%.*s\", expected \"%.*s\"", text, WR_STR_ARGS(seen),
                        WR_STR_ARGS(expected));
}

bool wr_test_check_bytes(const char *file, int line, const char *text, const void *seen, const void *expected,
                         size_t size) {
    const uint8_t *a = seen, *b = expected;
    for (size_t i = 0; i < size; i++) {
        if (a[i] != b[i]) {
            return wr_test_fail(file, line, "%s differs at byte %zu of %zu: 0x%02x, expected 0x%02x", text, i, size,
                                a[i], b[i]);
        }
    }
    return true;
}

bool wr_test_check_status(const char *file, int line, const char *text, wr_status seen, wr_status expected,
                          const wr_error *err) {
    if (seen == expected) return true;
    bool has_message = err && seen != WR_OK && err->code == seen;
    return wr_test_fail(file, line, "%s gives %s, expected %s%s%s", text, wr_status_name(seen),
                        wr_status_name(expected), has_message ? ": " : "", has_message ? err->message : "");
}

bool wr_test_check_contains(const char *file, int line, const char *text, const char *part) {
    if (text && strstr(text, part)) return true;
    return wr_test_fail(file, line, "\"%s\" does not contain \"%s\"", text ? text : "(null)", part);
}

/* ---- the counting allocator ---- */

#define BLOCK_MAGIC UINT64_C(0x57454952424c4f43)

typedef struct block_header {
    uint64_t magic;
    size_t size_bytes, align;
} block_header;

static _Atomic size_t live_bytes, live_blocks;

static size_t header_bytes(size_t align) {
    return align > 32 ? align : 32;
}

static block_header *header_of(void *block) {
    return (block_header *)((uint8_t *)block - sizeof(block_header));
}

static void *test_alloc(wr_allocator *self, size_t size_bytes, size_t align) {
    (void)self;
    if (align < WR_ALIGN_SMALL || (align & (align - 1))) {
        wr_test_fail(__FILE__, __LINE__, "allocation of %zu bytes asks for alignment %zu", size_bytes, align);
        return NULL;
    }
    size_t front = header_bytes(align);
    if (size_bytes > SIZE_MAX / 2) return NULL;
    wr_allocator *system = wr_system_allocator();
    uint8_t *raw = system->alloc(system, size_bytes + front, align);
    if (!raw) return NULL;
    *header_of(raw + front) = (block_header){BLOCK_MAGIC, size_bytes, align};
    live_bytes += size_bytes;
    live_blocks += 1;
    return raw + front;
}

static bool header_agrees(void *block, size_t size_bytes, size_t align, const char *call) {
    const block_header *header = header_of(block);
    if (header->magic != BLOCK_MAGIC) {
        return wr_test_fail(__FILE__, __LINE__, "%s: %p is no live block of this allocator", call, block);
    }
    if (header->size_bytes != size_bytes || header->align != align) {
        return wr_test_fail(__FILE__, __LINE__, "%s says %zu bytes aligned %zu; allocated were %zu aligned %zu", call,
                            size_bytes, align, header->size_bytes, header->align);
    }
    return true;
}

static void test_free(wr_allocator *self, void *block, size_t size_bytes, size_t align) {
    (void)self;
    if (!header_agrees(block, size_bytes, align, "free")) return;
    live_bytes -= size_bytes;
    live_blocks -= 1;
    header_of(block)->magic = 0;
    size_t front = header_bytes(align);
    wr_allocator *system = wr_system_allocator();
    system->free(system, (uint8_t *)block - front, size_bytes + front, align);
}

/* Always moves the block, so that a pointer kept across a resize is seen by the sanitizers. */
static void *test_resize(wr_allocator *self, void *block, size_t old_bytes, size_t new_bytes, size_t align) {
    if (block && !header_agrees(block, old_bytes, align, "resize")) return NULL;
    void *moved = test_alloc(self, new_bytes, align);
    if (!moved) return NULL;
    if (block) {
        memcpy(moved, block, old_bytes < new_bytes ? old_bytes : new_bytes);
        test_free(self, block, old_bytes, align);
    }
    return moved;
}

wr_allocator *wr_test_allocator(void) {
    static wr_allocator allocator = {test_alloc, test_resize, test_free};
    return &allocator;
}

size_t wr_test_live_bytes(void) {
    return live_bytes;
}

size_t wr_test_live_blocks(void) {
    return live_blocks;
}

/* ---- running ---- */

/* Read by AddressSanitizer's run time: out of memory is a status here, not an end. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "allocator_may_return_null=1:detect_stack_use_after_return=1";
}

static bool selected(const wr_test *test, int filter_count, char **filters) {
    char name[256];
    snprintf(name, sizeof name, "%s.%s", test->suite, test->name);
    for (int i = 0; i < filter_count; i++) {
        if (strstr(name, filters[i])) return true;
    }
    return filter_count == 0;
}

/* True when the test passed. */
static bool run_test(const wr_test *test) {
    running = test;
    failure_count = 0;
    live_bytes = 0;
    live_blocks = 0;
    test->run();
    wr_fault_disarm_all();
    if (live_blocks && failure_count == 0) {
        wr_test_fail(test->file, test->line, "leaks %zu bytes in %zu blocks", (size_t)live_bytes, (size_t)live_blocks);
    }
    return failure_count == 0;
}

int main(int argc, char **argv) {
    bool list = argc > 1 && strcmp(argv[1], "--list") == 0;
    int first = list ? 2 : 1, passed = 0, failed = 0;
    for (const wr_test *test = tests; test; test = test->next) {
        if (!selected(test, argc - first, argv + first)) continue;
        if (list) {
            printf("%s.%s\n", test->suite, test->name);
        } else if (run_test(test)) {
            passed++;
        } else {
            failed++;
        }
    }
    if (list) return 0;
    if (passed + failed == 0 && argc > first) {
        printf("no test has such a name\n");
        failed = 1;
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
