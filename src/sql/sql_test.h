/* Checks that the tests of the parser share. */
#ifndef WR_SQL_SQL_TEST_H
#define WR_SQL_SQL_TEST_H

#include "sql/parser.h"

typedef struct wr_sql_example {
    const char *sql, *nodes;
} wr_sql_example;

/* Parses `sql` as one statement, has it encoded, decoded and compared, and compares what is printed. */
void wr_sql_check_prints(const char *file, int line, const char *sql, const char *expected);
/* The message, then " | " and the hint where there is one, then " @" and the position. */
void wr_sql_check_fails(const char *file, int line, const char *sql, wr_status code, const char *expected);

/* Statements of all kinds, for tests that break them. */
extern const char *const wr_sql_samples[];
extern const uint32_t wr_sql_sample_count;

#endif
