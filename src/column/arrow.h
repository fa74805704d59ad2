/* The Arrow C data interface, out and in: schemas, arrays, rows. docs/arrow.md has the table of types.
 *
 * Out: what our vectors hold in Arrow's own layout leaves without a copy, and the array keeps the buffers until it is
 * released, by whoever, whenever, in whatever thread, also after everything else of the query is gone. All else
 * (a selection, constants, dictionaries, text, small decimals) is written in one pass over the rows that count. The
 * schema that was agreed on is the plan of that pass: layouts are read off its format strings.
 *
 * In: an array is taken whole and read in parts. Vectors point into its memory where the layout is ours, the address
 * is aligned, and reading WR_BUFFER_PAD bytes past the part still lies in what the array holds, which is known for
 * all but its last rows; elsewhere they are copies. The array is released when the last of those vectors is. */
#ifndef WR_COLUMN_ARROW_H
#define WR_COLUMN_ARROW_H

#include "base/budget.h"
#include "column/vector.h"
#include "weir/weir_arrow.h"

struct wr_arena;

/* ---- out ---- */

/* The schema of rows with these columns: a struct. `requested` may be NULL; otherwise it is such a struct with as many
 * children, and each child's format is taken where the type has that layout, refused where it has not; its names, flags
 * and metadata are not looked at. */
WR_MUST_CHECK wr_status wr_arrow_schema_export(struct ArrowSchema *out, wr_allocator *a, const wr_schema *columns,
                                               const struct ArrowSchema *requested, wr_error *err);
/* The selected rows of a batch as a struct array, without weights. `schema` was made by wr_arrow_schema_export for the
 * types of its columns. */
WR_MUST_CHECK wr_status wr_arrow_batch_export(struct ArrowArray *out, wr_allocator *a, const wr_batch *batch,
                                              const struct ArrowSchema *schema, wr_error *err);

/* ---- in ---- */

/* The columns of a struct; names and nested types are made in the arena. What has no counterpart is refused by name. */
WR_MUST_CHECK wr_status wr_arrow_schema_import(wr_schema *out, struct wr_arena *arena, const struct ArrowSchema *schema,
                                               wr_error *err);

typedef struct wr_arrow_import wr_arrow_import;
/* Takes a struct array: its memory is charged to the budget, and array->release becomes NULL. When it fails, the array
 * is still the caller's. `columns` came from wr_arrow_schema_import of the same schema and outlives the vectors. */
WR_MUST_CHECK wr_status wr_arrow_import_create(wr_arrow_import **out, wr_budget *budget, const wr_schema *columns,
                                               const struct ArrowSchema *schema, struct ArrowArray *array,
                                               wr_error *err);
uint64_t wr_arrow_import_row_count(const wr_arrow_import *import);
/* Rows [first, first + count) of a column. May be called from several threads at once. Parts that begin at multiples of
 * 64 rows are those that can be shared. */
WR_MUST_CHECK wr_status wr_arrow_import_column(const wr_arrow_import *import, uint32_t column, uint64_t first,
                                               uint32_t count, wr_vector *out, wr_allocator *a, wr_error *err);
/* Vectors that were made live on. */
void wr_arrow_import_destroy(wr_arrow_import *import);

#endif
