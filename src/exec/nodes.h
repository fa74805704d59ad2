/* The plain nodes: those whose whole interface is how they are made. Operators with more to say (joins, aggregation,
 * sort) have headers of their own. Every constructor copies what it is given but programs and bound expressions' data.
 */
#ifndef WR_EXEC_NODES_H
#define WR_EXEC_NODES_H

#include "exec/operator.h"

/* Conjuncts over the batch's columns: narrows the selection. Takes the program. */
WR_MUST_CHECK wr_status wr_filter_create(wr_operator **out, wr_exec *exec, wr_program *program, uint32_t logical_id,
                                         wr_error *err);
/* Expressions over the batch's columns make the new columns. Takes the program, which has `count` expressions. */
WR_MUST_CHECK wr_status wr_project_create(wr_operator **out, wr_exec *exec, wr_program *program, uint32_t count,
                                          uint32_t logical_id, wr_error *err);
/* Passes one row; makes a row of NULLs when there is none; an error when there are more. A sink and the source behind
 * it. */
WR_MUST_CHECK wr_status wr_single_row_create(wr_sink **sink, wr_source **source, wr_exec *exec, const wr_type *types,
                                             uint32_t column_count, uint32_t logical_id, wr_error *err);
/* Rows [offset, offset + limit) in the order of ordinals; asks for no more input once they are there. */
WR_MUST_CHECK wr_status wr_limit_create(wr_sink **sink, wr_source **source, wr_exec *exec, uint64_t limit,
                                        uint64_t offset, uint32_t logical_id, wr_error *err);
/* Constant rows: `rows` is row_count * column_count expressions without columns. No columns give row_count empty rows.
 */
WR_MUST_CHECK wr_status wr_values_create(wr_source **out, wr_exec *exec, wr_expr ***rows, uint32_t row_count,
                                         const wr_type *types, uint32_t column_count, uint32_t logical_id,
                                         wr_error *err);

/* ---- results: batches in the order of their ordinals, read by a thread outside the pool ---- */

typedef struct wr_result_queue wr_result_queue;
WR_MUST_CHECK wr_status wr_result_create(wr_sink **out, wr_result_queue **queue, wr_exec *exec, wr_error *err);
/* A pipeline that feeds it, by index; in the order in which their rows are to come. */
WR_MUST_CHECK wr_status wr_result_add_input(wr_result_queue *queue, uint32_t source, wr_error *err);
/* Waits for the next batch and moves it to `batch` (initialised by the caller with the query's allocator). *more is
 * false at the end of the query, or when it failed or was stopped: the pipeline set knows why. */
void wr_result_next(wr_result_queue *queue, wr_batch *batch, bool *more);

/* A list of batches that is filled in one place and emptied in another; lock held by the owner. */
typedef struct wr_batch_list {
    wr_allocator *allocator;
    wr_batch *items;
    uint32_t count, capacity;
    size_t pinned_bytes;
} wr_batch_list;
void wr_batch_list_init(wr_batch_list *list, wr_allocator *a);
void wr_batch_list_deinit(wr_batch_list *list);
/* Adds what is selected of `batch`, kept as by wr_batch_keep. */
WR_MUST_CHECK wr_status wr_batch_list_add(wr_batch_list *list, const wr_batch *batch, wr_error *err);
/* `to` (uninitialised) gets what is selected of `batch`: shared when that pins little more than it needs, else copied.
 */
WR_MUST_CHECK wr_status wr_batch_keep(wr_batch *to, wr_allocator *a, const wr_batch *batch, wr_error *err);

#endif
