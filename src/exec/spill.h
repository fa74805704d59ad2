/* Where rows go when memory is short: one unnamed temporary file a query (made when first needed, gone with the process),
 * cut into slots. Slots are written and read whole, compressed with LZ4 when that pays, and their space is used again. All
 * calls are safe from any thread; writes of different slots run side by side. */
#ifndef WR_EXEC_SPILL_H
#define WR_EXEC_SPILL_H

#include "column/row_page.h"
#include "os/os.h"

typedef struct wr_spill wr_spill;
typedef struct wr_spill_slot {
    uint64_t offset;
    uint32_t stored_bytes; /* as written */
    uint32_t bytes;        /* as handed in; 0: empty slot */
} wr_spill_slot;

/* `folder` is copied; nothing is created until the first write. limit_bytes bounds the file. */
WR_MUST_CHECK wr_status wr_spill_create(wr_spill **out, wr_allocator *a, const char *folder, uint64_t limit_bytes,
                                        wr_error *err);
void wr_spill_destroy(wr_spill *spill);
WR_MUST_CHECK wr_status wr_spill_write(wr_spill *spill, const void *data, uint32_t size, wr_spill_slot *out,
                                       wr_error *err);
WR_MUST_CHECK wr_status wr_spill_read(wr_spill *spill, const wr_spill_slot *slot, void *data, wr_error *err);
void wr_spill_free(wr_spill *spill, wr_spill_slot *slot);
uint64_t wr_spill_written_bytes(const wr_spill *spill); /* ever, uncompressed */
uint64_t wr_spill_stored_bytes(const wr_spill *spill);  /* now, in the file */

/* ---- row lists on disk: the unit that operators spill ---- */

typedef struct wr_spilled_rows {
    wr_allocator *allocator;
    wr_spill_slot *slots; /* a page each */
    uint32_t count, capacity;
    uint64_t row_count;
    uint64_t page_bytes; /* in memory again */
} wr_spilled_rows;
/* Writes every page of the list and frees it; the list is empty afterwards. On an error, what was not written stays. */
WR_MUST_CHECK wr_status wr_spill_rows(wr_spill *spill, wr_row_list *list, wr_allocator *a, wr_spilled_rows *out,
                                      wr_error *err);
/* Page `index` in memory, its pointers rebased; its slot stays, to be read again. */
WR_MUST_CHECK wr_status wr_spill_read_page(wr_spill *spill, const wr_spilled_rows *rows, uint32_t index,
                                           const wr_row_layout *layout, wr_allocator *a, wr_row_page **out,
                                           wr_error *err);
/* The same; its slot is freed. */
WR_MUST_CHECK wr_status wr_unspill_page(wr_spill *spill, wr_spilled_rows *rows, uint32_t index,
                                        const wr_row_layout *layout, wr_allocator *a, wr_row_page **out, wr_error *err);
void wr_spilled_rows_deinit(wr_spilled_rows *rows, wr_spill *spill);

#endif
