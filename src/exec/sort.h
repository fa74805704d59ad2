/* Sorting, and the first rows of a sort. */
#ifndef WR_EXEC_SORT_H
#define WR_EXEC_SORT_H

#include "exec/operator.h"

typedef struct wr_sort_column {
    uint32_t column; /* of the input */
    bool descending, nulls_first;
} wr_sort_column;

typedef struct wr_sort_spec {
    const wr_type *types; /* of the input's columns, all of which come out */
    uint32_t column_count;
    const wr_sort_column *keys;
    uint32_t key_count;
    uint64_t limit, offset; /* UINT64_MAX and 0: all rows. Else top-N: rows [offset, offset + limit) of the order */
    uint32_t logical_id;
} wr_sort_spec;

/* Rows that are equal in all keys come in the order of their ordinals: the result is the same with any number of threads.
 * The source gives its morsels in the order of the rows. */
WR_MUST_CHECK wr_status wr_sort_create(wr_exec *exec, const wr_sort_spec *spec, wr_sink **sink, wr_source **source,
                                       wr_error *err);

#endif
