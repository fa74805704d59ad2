/* Weir: an analytical SQL engine. This is the whole interface of the library.
 *
 *     weir_database *db;  weir_session *session;  weir_result *result;  weir_error error;
 *     weir_database_open(NULL, 0, &db, &error);
 *     weir_session_open(db, &session, &error);
 *     if (weir_query(session, "SELECT count(*) FROM 'orders.parquet'", &result, &error) != WEIR_OK)
 *         fprintf(stderr, "%s\n", error.message);
 *
 * Handles: a database may be used from any thread; a session and its results from one thread at a time, but for
 * weir_session_cancel and weir_session_progress, which may be called from any. A result belongs to its session and
 * is closed before it. Nothing is global: databases in one process know nothing of each other. */
#ifndef WEIR_H
#define WEIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/weir_arrow.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WEIR_API __attribute__((visibility("default")))
#else
#define WEIR_API
#endif

typedef enum weir_status {
    WEIR_OK = 0,
    WEIR_INVALID,     /* the SQL or an argument is wrong */
    WEIR_NOT_FOUND,   /* a table, column, function or file does not exist */
    WEIR_EXISTS,      /* it exists already */
    WEIR_VALUE,       /* a value cannot be computed: overflow, division by zero, a cast of bad text */
    WEIR_CORRUPT,     /* a file breaks its own format */
    WEIR_IO,          /* the operating system failed a read, a write, an open */
    WEIR_NO_MEMORY,   /* the memory limit, or the machine, has no more */
    WEIR_LIMIT,       /* another limit: depth, temp space, statement size */
    WEIR_CANCELLED,   /* weir_session_cancel */
    WEIR_TIMED_OUT,   /* the statement's time is over */
    WEIR_UNSUPPORTED, /* well-formed, and not built */
    WEIR_DENIED,      /* the path is not allowed */
    WEIR_INTERNAL     /* a bug of ours: please report it */
} weir_status;

#define WEIR_NO_POSITION UINT32_MAX

/* The caller's storage; filled when a call does not return WEIR_OK. */
typedef struct weir_error {
    weir_status code;
    uint32_t position; /* byte offset in the SQL text, or WEIR_NO_POSITION */
    char message[768];
    char hint[256]; /* what to do; may be empty */
} weir_error;

WEIR_API const char *weir_version(void);
WEIR_API const char *weir_status_name(weir_status status);

typedef struct weir_database weir_database;
typedef struct weir_session weir_session;
typedef struct weir_result weir_result;

/* A setting by name: "threads", "memory_limit", "temp_directory", …; see docs/settings.md. */
typedef struct weir_setting {
    const char *name, *value;
} weir_setting;

WEIR_API weir_status weir_database_open(const weir_setting *settings, size_t setting_count, weir_database **out,
                                        weir_error *error);
/* Every session has been closed. */
WEIR_API void weir_database_close(weir_database *database);

WEIR_API weir_status weir_session_open(weir_database *database, weir_session **out, weir_error *error);
WEIR_API void weir_session_close(weir_session *session);
/* The same as SQL's SET for this session. */
WEIR_API weir_status weir_session_set(weir_session *session, const char *name, const char *value, weir_error *error);
/* Stops what the session runs, from any thread; the next call on its result says WEIR_CANCELLED. */
WEIR_API void weir_session_cancel(weir_session *session);
/* Share of the running query that is done, 0 to 1; from any thread. */
WEIR_API double weir_session_progress(weir_session *session);

/* Runs one statement. The result has to be closed. */
WEIR_API weir_status weir_query(weir_session *session, const char *sql, weir_result **out, weir_error *error);
/* Runs the next statement of a script: *cursor moves behind it; *out is NULL when none is left. On an error the cursor
 * stands behind the statement that failed, and the error's position counts from the script's start. */
WEIR_API weir_status weir_query_next(weir_session *session, const char *script, size_t size, size_t *cursor,
                                     weir_result **out, weir_error *error);
/* True when the text ends inside a statement: a shell reads on. */
WEIR_API bool weir_script_is_incomplete(const char *script, size_t size);

WEIR_API void weir_result_close(weir_result *result);
WEIR_API size_t weir_result_column_count(const weir_result *result); /* 0: not a query */
WEIR_API const char *weir_result_column_name(const weir_result *result, size_t column);
WEIR_API const char *weir_result_column_type(const weir_result *result, size_t column); /* as SQL writes it */

/* ---- rows as Arrow ---- */

/* Gives the result's rows as a stream, once; the result stays open until the stream was released. Arrays that the
 * stream gave live on by themselves, also when the database is closed. docs/arrow.md tells the types. */
WEIR_API weir_status weir_result_stream(weir_result *result, struct ArrowArrayStream *out, weir_error *error);
/* The same in layouts of the reader's choice: `requested` is a struct with a child for each column, whose format is
 * taken ("vu" for text, a dictionary, "+L" for lists) where the column's type has it, and refused where it has not. */
WEIR_API weir_status weir_result_stream_as(weir_result *result, const struct ArrowSchema *requested,
                                           struct ArrowArrayStream *out, weir_error *error);

/* ---- rows as text: for shells and logs ---- */

/* Takes the next rows; *row_count is 0 at the end. They live until the next call. */
WEIR_API weir_status weir_result_fetch(weir_result *result, size_t *row_count, weir_error *error);
/* A value of the fetched rows as text, zero-terminated; NULL for NULL. Lives until the next call of this function for the
 * same column. When there is no memory for it, it is NULL too, and the next weir_result_fetch says WEIR_NO_MEMORY. */
WEIR_API const char *weir_result_text(weir_result *result, size_t row, size_t column, size_t *size);

#ifdef __cplusplus
}
#endif
#endif
