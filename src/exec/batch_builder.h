/* Gathers rows of many batches into full ones: behind whatever lets few rows of a batch pass. Rows are copied once, from
 * where they are to where they go out. Codes stay codes as long as all rows come from one dictionary; strings are not
 * copied, their heaps are held. */
#ifndef WR_EXEC_BATCH_BUILDER_H
#define WR_EXEC_BATCH_BUILDER_H

#include "column/vector.h"
#include "kernel/kernel.h"

typedef struct wr_batch_builder {
    wr_allocator *allocator;
    const wr_kernels *kernels;
    const wr_type *types; /* of the columns; the owner's */
    uint32_t capacity;
    uint32_t row_count; /* committed */
    wr_batch batch;
    bool *begun;        /* by column: it has rows or takes some now */
    uint64_t *bits;     /* capacity bits, scratch */
    uint32_t *rows;     /* capacity, scratch */
    wr_vector gathered; /* scratch */
} wr_batch_builder;

WR_MUST_CHECK wr_status wr_batch_builder_init(wr_batch_builder *b, wr_allocator *a, const wr_kernels *kernels,
                                              const wr_type *types, uint32_t column_count, uint32_t capacity,
                                              wr_error *err);
void wr_batch_builder_deinit(wr_batch_builder *b);
static inline uint32_t wr_batch_builder_room(const wr_batch_builder *b) {
    return b->capacity - b->row_count;
}
/* Rows of `from` can go behind the rows that column `column` has. If not, take the batch first. */
bool wr_batch_builder_accepts(const wr_batch_builder *b, uint32_t column, const wr_vector *from);
/* Rows of `from` for column `column`, behind the committed ones: by 16-bit numbers (NULL: rows 0 to count), or, when it is
 * no constant, by 32-bit numbers of which UINT32_MAX is a NULL row. */
WR_MUST_CHECK wr_status wr_batch_builder_add16(wr_batch_builder *b, uint32_t column, const wr_vector *from,
                                               const uint16_t *rows, uint32_t count, wr_error *err);
WR_MUST_CHECK wr_status wr_batch_builder_add32(wr_batch_builder *b, uint32_t column, const wr_vector *from,
                                               const uint32_t *rows, uint32_t count, wr_error *err);
WR_MUST_CHECK wr_status wr_batch_builder_add_nulls(wr_batch_builder *b, uint32_t column, uint32_t count, wr_error *err);
/* Booleans from a bitmap of values and one of validity (NULL: all valid). */
WR_MUST_CHECK wr_status wr_batch_builder_add_bits(wr_batch_builder *b, uint32_t column, const uint64_t *values,
                                                  const uint64_t *valid, uint32_t count, wr_error *err);
/* All columns have got `count` rows more. */
void wr_batch_builder_commit(wr_batch_builder *b, uint32_t count);
/* The rows so far, the builder's until the next add; the builder is empty. */
wr_batch *wr_batch_builder_take(wr_batch_builder *b);

#endif
