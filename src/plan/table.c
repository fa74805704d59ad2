/* Tables are counted: a plan holds those that it scans. */
#include "plan/catalog.h"

wr_table *wr_table_retain(wr_table *table) {
    __atomic_fetch_add((int32_t *)&table->refs, 1, __ATOMIC_RELAXED);
    return table;
}

void wr_table_release(wr_table *table) {
    if (!table) return;
    if (__atomic_fetch_sub((int32_t *)&table->refs, 1, __ATOMIC_ACQ_REL) == 1) table->ops->destroy(table);
}
