/* What the binder and the optimizer ask of tables: names to tables, columns, what is proven about them.
 *
 * A query pins one version of the catalog; tables found through it stay as they were until it is released, whatever others
 * do. A source kind (files, a table in memory, an Arrow stream, later Iceberg) is one wr_table_ops. */
#ifndef WR_PLAN_CATALOG_H
#define WR_PLAN_CATALOG_H

#include "format/format.h"
#include "plan/expression.h"
#include "plan/node.h"

/* What is known of a column of a whole table. Estimates are for the optimizer; what is `proven` may change answers. */
typedef struct wr_column_statistics {
    bool proven_bounds; /* min and max enclose all values */
    wr_value min, max;
    double null_fraction;  /* negative: unknown */
    double distinct_count; /* estimate; negative: unknown */
    bool ordered; /* parts do not overlap on this column and rise in it: an aggregate or a join may go part by part */
    bool unique;  /* proven: no value twice */
} wr_column_statistics;

typedef struct wr_table wr_table;
typedef struct wr_table_ops {
    const char *kind; /* "parquet files" */
    /* Cheap: from cached metadata. Values live as long as the table. */
    wr_status (*statistics)(wr_table *table, uint32_t column, wr_column_statistics *out, wr_error *err);
    /* Share of the rows that a conjunct of one column leaves, from a small sample; negative: cannot say. NULL: never. */
    wr_status (*sample_selectivity)(wr_table *table, uint32_t column, wr_scan_filter *filter, double *out,
                                    wr_error *err);
    void (*destroy)(wr_table *table);
} wr_table_ops;

struct wr_table {
    const wr_table_ops *ops;
    _Atomic int32_t refs;
    wr_str name;
    wr_schema schema;
    double row_count; /* exact where the source knows */
    bool row_count_exact;
    /* Files: what exec/ scans. Other kinds leave it NULL and are known to exec by ops. */
    wr_table_file **files;
    uint32_t file_count;
};
wr_table *wr_table_retain(wr_table *table);
void wr_table_release(wr_table *table);

typedef struct wr_view {
    wr_str name;
    const wr_node *query; /* unbound, owned by the catalog version */
    const wr_str *columns;
    uint32_t column_count;
} wr_view;

/* A pinned version, as a front end sees it. */
typedef struct wr_catalog wr_catalog;
typedef struct wr_catalog_ops {
    /* At most one of table and view is set; WR_NOT_FOUND leaves suggestions to the caller (see names). The table has a
     * reference of the caller's. */
    wr_status (*find)(wr_catalog *catalog, const wr_str *names, uint32_t name_count, wr_table **table,
                      const wr_view **view, wr_error *err);
    /* A path or pattern as a table. */
    wr_status (*open_files)(wr_catalog *catalog, wr_str pattern, wr_table **table, wr_error *err);
    /* Every table and view name, for hints and completion. */
    wr_status (*names)(wr_catalog *catalog, wr_status (*each)(void *user, wr_str name), void *user, wr_error *err);
} wr_catalog_ops;
struct wr_catalog {
    const wr_catalog_ops *ops;
    uint64_t version;
};

#endif
