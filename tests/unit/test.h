/* The unit test framework: a test registers itself by a constructor, a check prints what it saw and goes on.
 *
 *     WR_TEST(bitmap, counts_across_words) {
 *         uint64_t bits[2] = {~UINT64_C(0), 1};
 *         WR_CHECK_EQ_INT(wr_bitmap_count(bits, 65), 65);
 *     }
 *
 * Every check is an expression that is true when it passed: `if (!WR_CHECK(p != NULL)) return;`. Checks may run in
 * any thread. What a test allocates through wr_test_allocator must be freed when it ends, with the size and the
 * alignment it was allocated with. Faults that a test armed are disarmed after it. */
#ifndef WR_TESTS_UNIT_TEST_H
#define WR_TESTS_UNIT_TEST_H

#include "base/alloc.h"
#include "base/fault.h"
#include "base/str.h"

typedef struct wr_test {
    const char *suite, *name, *file;
    int line;
    void (*run)(void);
    struct wr_test *next;
} wr_test;

void wr_test_register(wr_test *test);

#define WR_TEST(suite_, name_)                                                                                         \
    static void wr_test_run_##suite_##_##name_(void);                                                                  \
    __attribute__((constructor)) static void wr_test_add_##suite_##_##name_(void) {                                    \
        static wr_test test = {#suite_, #name_, __FILE__, __LINE__, wr_test_run_##suite_##_##name_, NULL};             \
        wr_test_register(&test);                                                                                       \
    }                                                                                                                  \
    static void wr_test_run_##suite_##_##name_(void)

/* Counts live blocks and bytes; verified to be empty after each test. Fails where WR_FAULT_ALLOC says so. */
wr_allocator *wr_test_allocator(void);
size_t wr_test_live_bytes(void);
size_t wr_test_live_blocks(void);

/* Reports a failure of the running test in words of the caller's; returns false. */
bool wr_test_fail(const char *file, int line, const char *format, ...) WR_PRINTF(3, 4);
bool wr_test_check_int(const char *file, int line, const char *text, int64_t seen, int64_t expected);
bool wr_test_check_uint(const char *file, int line, const char *text, uint64_t seen, uint64_t expected);
bool wr_test_check_double(const char *file, int line, const char *text, double seen, double expected);
bool wr_test_check_str(const char *file, int line, const char *text, wr_str seen, wr_str expected);
bool wr_test_check_bytes(const char *file, int line, const char *text, const void *seen, const void *expected,
                         size_t size);
bool wr_test_check_status(const char *file, int line, const char *text, wr_status seen, wr_status expected,
                          const wr_error *err);
bool wr_test_check_contains(const char *file, int line, const char *text, const char *part);

static inline wr_str wr_test_str_z(const char *z) {
    return wr_str_from(z);
}
static inline wr_str wr_test_str(wr_str s) {
    return s;
}
#define WR_TEST_AS_STR(s) _Generic((s), wr_str : wr_test_str, default : wr_test_str_z)(s)

#define WR_CHECK(condition) ((condition) ? true : wr_test_fail(__FILE__, __LINE__, "%s", #condition))
/* Integers, seen first; what does not fit int64 goes through WR_CHECK_EQ_UINT. */
#define WR_CHECK_EQ_INT(seen, expected)                                                                                \
    wr_test_check_int(__FILE__, __LINE__, #seen, (int64_t)(seen), (int64_t)(expected))
#define WR_CHECK_EQ_UINT(seen, expected)                                                                               \
    wr_test_check_uint(__FILE__, __LINE__, #seen, (uint64_t)(seen), (uint64_t)(expected))
/* The same number, or both NaN. */
#define WR_CHECK_EQ_DOUBLE(seen, expected)                                                                             \
    wr_test_check_double(__FILE__, __LINE__, #seen, (double)(seen), (double)(expected))
/* Each of the two may be a wr_str or zero-terminated. */
#define WR_CHECK_EQ_STR(seen, expected)                                                                                \
    wr_test_check_str(__FILE__, __LINE__, #seen, WR_TEST_AS_STR(seen), WR_TEST_AS_STR(expected))
#define WR_CHECK_EQ_BYTES(seen, expected, size)                                                                        \
    wr_test_check_bytes(__FILE__, __LINE__, #seen, (seen), (expected), (size))
/* `err` is the wr_error that the call was given, for its message; may be NULL. */
#define WR_CHECK_OK(status, err) wr_test_check_status(__FILE__, __LINE__, #status, (status), WR_OK, (err))
#define WR_CHECK_STATUS(status, expected, err)                                                                         \
    wr_test_check_status(__FILE__, __LINE__, #status, (status), (expected), (err))
#define WR_CHECK_CONTAINS(text, part) wr_test_check_contains(__FILE__, __LINE__, (text), (part))

#endif
