/* The database's catalog: versions of views, and a cache of opened files.
 *
 * A version is immutable and counted; a query pins one, a change makes the next. Files are found by path or pattern; an
 * opened file (its footer) is cached by path, size and time, since small queries live from it. */
#ifndef WR_ENGINE_CATALOG_H
#define WR_ENGINE_CATALOG_H

#include "plan/catalog.h"

typedef struct wr_database_catalog wr_database_catalog;
WR_MUST_CHECK wr_status wr_database_catalog_create(wr_database_catalog **out, wr_allocator *a, const wr_gate *gate,
                                                   const wr_kernels *kernels, wr_error *err);
void wr_database_catalog_destroy(wr_database_catalog *catalog);

wr_catalog *wr_catalog_pin(wr_database_catalog *catalog);
void wr_catalog_unpin(wr_catalog *version);

/* Copies the nodes. WR_EXISTS unless `replace`, or quietly nothing when `if_not_exists`. */
WR_MUST_CHECK wr_status wr_catalog_create_view(wr_database_catalog *catalog, const wr_view *view, bool replace,
                                               bool if_not_exists, wr_error *err);
WR_MUST_CHECK wr_status wr_catalog_drop_view(wr_database_catalog *catalog, wr_str name, bool if_exists, wr_error *err);

/* Files as one table: schemas are united by position and must agree in names and types. Takes the files. */
WR_MUST_CHECK wr_status wr_file_table_create(wr_table **out, wr_allocator *a, wr_str name, wr_table_file **files,
                                             uint32_t file_count, wr_error *err);

#endif
