/* Status codes and the rich error.
 *
 * Every function that can fail returns a wr_status, and where there is something to say to a person it also takes
 * a wr_error as its last parameter and fills it. The error is storage of the caller's: it is preallocated, so that
 * running out of memory can be reported without memory. There is no longjmp, no errno and no abort on input. */
#ifndef WR_BASE_STATUS_H
#define WR_BASE_STATUS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The codes tell whose turn it is: the user's to change the query, the owner's of the file, the operator's of the
 * machine, or ours. */
typedef enum wr_status {
    WR_OK = 0,
    WR_INVALID,     /* the SQL or an argument is wrong */
    WR_NOT_FOUND,   /* a table, column, function or file does not exist */
    WR_EXISTS,      /* it exists already */
    WR_VALUE,       /* a value cannot be computed: overflow, division by zero, a cast of bad text */
    WR_CORRUPT,     /* a file breaks its own format */
    WR_IO,          /* the operating system failed a read, a write, an open */
    WR_NO_MEMORY,   /* the memory limit, or the machine, has no more */
    WR_LIMIT,       /* another limit: depth, temp space, statement size */
    WR_CANCELLED,   /* the user asked for it to stop */
    WR_TIMED_OUT,   /* the statement's time is over */
    WR_UNSUPPORTED, /* well-formed, named, and not built */
    WR_DENIED,      /* the gate in io/ refuses this path */
    WR_INTERNAL,    /* a bug of ours */
} wr_status;

#define WR_MUST_CHECK __attribute__((warn_unused_result))
#define WR_ALWAYS_INLINE static inline __attribute__((always_inline))
#define WR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum { WR_ERROR_MESSAGE_BYTES = 768, WR_ERROR_HINT_BYTES = 256 };
enum { WR_NO_POSITION = UINT32_MAX };

typedef struct wr_error {
    wr_status code;
    uint32_t position; /* byte offset in the SQL text, or WR_NO_POSITION */
    char message[WR_ERROR_MESSAGE_BYTES];
    char hint[WR_ERROR_HINT_BYTES]; /* what to do; empty when there is nothing to say */
} wr_error;

void wr_error_clear(wr_error *err);

/* Fills `err` and returns `code`, so that `return wr_fail(err, WR_VALUE, "...")` reads as one thing. `err` may be
 * NULL where the caller wants the code alone. Text that does not fit is cut at a character boundary. */
wr_status wr_fail(wr_error *err, wr_status code, const char *format, ...) WR_PRINTF(3, 4);
/* The same with a place in the SQL. */
wr_status wr_fail_at(wr_error *err, wr_status code, uint32_t position, const char *format, ...) WR_PRINTF(4, 5);
/* Adds what to do about it; returns the error's code. */
wr_status wr_hint(wr_error *err, const char *format, ...) WR_PRINTF(2, 3);
/* Puts context in front of the message: "file 'a.parquet', column 'x': " + message. Returns the error's code. */
wr_status wr_error_prefix(wr_error *err, const char *format, ...) WR_PRINTF(2, 3);
/* Reports a failed allocation of `size_bytes` for `what` ("hash join build"). */
wr_status wr_fail_memory(wr_error *err, size_t size_bytes, const char *what);

/* None of these gives WR_OK: said to the compiler, so that it knows what is set when a caller goes on. */
WR_ALWAYS_INLINE wr_status wr_not_ok(wr_status status) {
    if (status == WR_OK) __builtin_unreachable();
    return status;
}
#define wr_fail(...) wr_not_ok(wr_fail(__VA_ARGS__))
#define wr_fail_at(...) wr_not_ok(wr_fail_at(__VA_ARGS__))
#define wr_hint(...) wr_not_ok(wr_hint(__VA_ARGS__))
#define wr_error_prefix(...) wr_not_ok(wr_error_prefix(__VA_ARGS__))
#define wr_fail_memory(...) wr_not_ok(wr_fail_memory(__VA_ARGS__))

const char *wr_status_name(wr_status status);

#define WR_TRY(expression)                                                                                             \
    do {                                                                                                               \
        wr_status try_status_ = (expression);                                                                          \
        if (__builtin_expect(try_status_ != WR_OK, 0)) return try_status_;                                             \
    } while (0)

/* Within a function that has `wr_status status` and a label `cleanup`. */
#define WR_TRY_CLEANUP(expression)                                                                                     \
    do {                                                                                                               \
        status = (expression);                                                                                         \
        if (__builtin_expect(status != WR_OK, 0)) goto cleanup;                                                        \
    } while (0)

#define WR_LIKELY(x) __builtin_expect(!!(x), 1)
#define WR_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define WR_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* An assertion states what our own code guarantees; it never guards against input. */
#ifdef NDEBUG
#define WR_ASSERT(condition) ((void)sizeof(condition))
#else
void wr_assert_failed(const char *condition, const char *file, int line) __attribute__((noreturn));
#define WR_ASSERT(condition) ((condition) ? (void)0 : wr_assert_failed(#condition, __FILE__, __LINE__))
#endif

#endif
