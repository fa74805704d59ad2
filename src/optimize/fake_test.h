/* A catalog without data for tests of plans: tables, their columns and what is known of them, from a table in C. */
#ifndef WR_OPTIMIZE_FAKE_TEST_H
#define WR_OPTIMIZE_FAKE_TEST_H

#include "plan/catalog.h"

typedef struct fake_column {
    const char *name, *type;
    const char *min, *max; /* as text; NULL: not known */
    double distinct;       /* 0: not known */
    const char *flags;     /* "unique ordered nullable", or NULL */
} fake_column;

typedef struct fake_table {
    const char *name;
    double row_count;
    const fake_column *columns;
    uint32_t column_count;
} fake_table;

typedef struct fake_catalog fake_catalog;
/* Views are added by SQL: (name, node). NULL when there is no memory. */
fake_catalog *fake_catalog_create(const fake_table *tables, uint32_t table_count, wr_allocator *a);
void fake_catalog_destroy(fake_catalog *catalog);
wr_catalog *fake_catalog_of(fake_catalog *catalog);
void fake_catalog_add_view(fake_catalog *catalog, const char *name, const wr_node *query);

#endif
