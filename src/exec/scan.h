/* Scans of files: morsels are parts (row groups), filters run inside the format's cursor.
 *
 * Filters come as makers, since each worker needs its own copy: conjuncts of the query (scan_filter.c) and what joins
 * publish while the query runs (join_filter.c) are the same thing to a scan. */
#ifndef WR_EXEC_SCAN_H
#define WR_EXEC_SCAN_H

#include "exec/operator.h"
#include "plan/catalog.h"

typedef struct wr_filter_maker {
    void *shared;
    /* Fills all of `out` but columns and column_count. */
    wr_status (*create)(void *shared, wr_allocator *a, wr_scan_filter *out, wr_error *err);
    void (*destroy)(void *shared, wr_scan_filter *filter); /* what create made */
    void (*release)(void *shared);                         /* the maker itself; NULL: somebody else's */
    uint32_t *columns; /* positions in the scan's columns; taken, from the query's allocator */
    uint32_t column_count;
} wr_filter_maker;

typedef struct wr_scan_source_spec {
    wr_table *table;         /* retained */
    const uint32_t *columns; /* positions in the table's schema: outputs first, then those that only filters need */
    uint32_t column_count, output_count;
    wr_filter_maker *makers; /* taken, each of them, also on failure */
    uint32_t maker_count;
    uint32_t logical_id;
} wr_scan_source_spec;

WR_MUST_CHECK wr_status wr_scan_create(wr_source **out, wr_exec *exec, const wr_scan_source_spec *spec, wr_error *err);
/* Part `part` of file `file` as a morsel for read: for who picks parts by itself, instead of next. False when the
 * filters exclude it. One call at a time. */
bool wr_scan_pick(wr_source *source, uint32_t file, uint32_t part, wr_morsel *out);
/* Totals of all workers so far: EXPLAIN ANALYZE. NULL when it is no scan. */
const wr_scan_counters *wr_scan_counters_of(const wr_node_base *node);

/* A conjunct as a filter: programs for evaluation, and what bounds prove about it. `inputs` are the ids of the scan's
 * columns. */
WR_MUST_CHECK wr_status wr_conjunct_maker(wr_filter_maker *out, wr_exec *exec, wr_expr *conjunct,
                                          const wr_column_id *inputs, uint32_t input_count, wr_error *err);
/* What bounds of the columns in `columns` say of a conjunct: three-valued, over rows without knowledge of which. */
wr_zone_answer wr_zone_of(const wr_expr *conjunct, const wr_column_id *columns, uint32_t column_count,
                          const wr_column_bounds *bounds);

#endif
