/* Row pages: rows of a fixed part and a heap, the one form in which operators keep rows: hash tables, sort runs,
 * spilled partitions, materialised results.
 *
 * A page is one block: a header, rows growing up from the front, the bytes of their long strings growing down from the
 * back. Everything a row refers to is in its own page (strings) or owned by it (aggregate states, see tail), so a page
 * is written to disk as it is; on load, pointers are shifted by the distance between its old and new address.
 *
 * Row:  [validity bits of all columns][columns, aligned][tail: the owner's bytes, e.g. a hash or aggregate states]
 * The cell of a NULL is zeros. LIST, STRUCT and MAP columns are kept as an encoded run of bytes behind a string view,
 * without pointers inside. */
#ifndef WR_COLUMN_ROW_PAGE_H
#define WR_COLUMN_ROW_PAGE_H

#include "column/vector.h"

typedef struct wr_row_column {
    wr_type type;
    uint8_t phys;
    uint32_t offset; /* in the row; BOOL takes a byte */
} wr_row_column;

typedef struct wr_row_layout {
    wr_allocator *allocator;
    uint32_t column_count;
    wr_row_column *columns;
    uint32_t validity_bytes;
    uint32_t tail_offset; /* aligned as asked */
    uint32_t row_bytes;   /* a multiple of 8, or of 16 when anything in it is */
    bool has_heap;        /* some column may have heap bytes */
} wr_row_layout;

WR_MUST_CHECK wr_status wr_row_layout_init(wr_row_layout *layout, wr_allocator *a, const wr_type *types, uint32_t count,
                                           uint32_t tail_bytes, uint32_t tail_align, wr_error *err);
void wr_row_layout_deinit(wr_row_layout *layout);

enum { WR_ROW_PAGE_MIN = 16 * 1024, WR_ROW_PAGE_MAX = 256 * 1024 };

typedef struct wr_row_page {
    struct wr_row_page *next; /* the owner's list */
    uint64_t home;            /* address when its pointers were written */
    uint32_t page_bytes;      /* of the whole block */
    uint32_t row_count;
    uint32_t row_bytes;
    uint32_t heap_bytes;  /* used at the back */
    uint32_t rows_offset; /* of row 0 */
    uint32_t unused;
} wr_row_page;

static inline uint8_t *wr_row_at(const wr_row_page *page, uint32_t row) {
    return (uint8_t *)(uintptr_t)page + page->rows_offset + (size_t)row * page->row_bytes;
}

/* A page for rows of the layout; large enough for one row with `heap_bytes` at least. */
WR_MUST_CHECK wr_status wr_row_page_create(wr_row_page **out, wr_allocator *a, const wr_row_layout *layout,
                                           uint32_t page_bytes, size_t heap_bytes, wr_error *err);
void wr_row_page_destroy(wr_row_page *page, wr_allocator *a);
/* Room for one more row with `heap_bytes` of heap: its address, *heap its heap part; NULL when the page is full. */
uint8_t *wr_row_page_add(wr_row_page *page, size_t heap_bytes, char **heap);
/* After a page was loaded at a new address: shifts its pointers home. Trusts the page (spill files are ours). */
void wr_row_page_rebase(wr_row_page *page, const wr_row_layout *layout);

/* Pages in order, with a count: what one writer fills. */
typedef struct wr_row_list {
    wr_row_page *first, *last;
    uint64_t row_count;
    uint64_t page_bytes; /* sum, for budgets and spill decisions */
} wr_row_list;
void wr_row_list_destroy(wr_row_list *list, wr_allocator *a);
void wr_row_list_push(wr_row_list *list, wr_row_page *page);
void wr_row_list_join(wr_row_list *list, wr_row_list *tail); /* takes all of tail */

/* ---- columns to rows and back ---- */

/* Appends rows `rows[0..count)` of the columns (all of 0..count when rows is NULL) to the list's last page or new ones,
 * and gives each row's address. Tails are not written. Columns may be of any kind. On failure rows written so far are
 * complete. */
WR_MUST_CHECK wr_status wr_row_append(wr_row_list *list, wr_allocator *a, const wr_row_layout *layout,
                                      uint32_t page_bytes, const wr_vector *columns, const uint32_t *rows,
                                      uint32_t count, uint8_t **addresses, wr_error *err);
/* Copies whole rows (heap included, tail bytes as they are) to a list: moving groups to partitions. */
WR_MUST_CHECK wr_status wr_row_copy(wr_row_list *list, wr_allocator *a, const wr_row_layout *layout,
                                    uint32_t page_bytes, uint8_t *const *source, uint32_t count, uint8_t **addresses,
                                    wr_error *err);
/* Bytes of heap that a row refers to; and a copy of them to `heap`, where the row's views then point. */
WR_MUST_CHECK wr_status wr_row_heap_bytes(const wr_row_layout *layout, const uint8_t *row, uint32_t *out,
                                          wr_error *err);
void wr_row_heap_copy(const wr_row_layout *layout, uint8_t *row, char *heap);
/* Room that wr_row_append will need at most for these rows beside the list's last page. */
size_t wr_row_append_bytes(const wr_row_layout *layout, uint32_t page_bytes, const wr_vector *columns,
                           const uint32_t *rows, uint32_t count);
/* Column `column` of the addressed rows as a flat vector. NULL addresses give NULL rows. Strings: with `copy` the bytes
 * are copied into the vector's heap; without, views point into the pages, which the caller keeps alive. */
WR_MUST_CHECK wr_status wr_row_gather(wr_vector *out, wr_allocator *a, const wr_row_layout *layout, uint32_t column,
                                      uint8_t *const *addresses, uint32_t count, bool copy, wr_error *err);
/* Clears bit i of `match` where row i of the key columns is not equal to the addressed row's columns 0..key_count-1;
 * looks only at set bits. null_equals[k]: NULL equals NULL in key k (grouping); else NULL equals nothing (joining). */
void wr_row_match(const wr_row_layout *layout, const wr_vector *keys, uint32_t key_count, const bool *null_equals,
                  uint8_t *const *addresses, uint32_t count, uint64_t *match);
/* Equality of two rows on the first key_count columns, NULLs equal. */
bool wr_row_equal(const wr_row_layout *layout, uint32_t key_count, const uint8_t *a, const uint8_t *b);
/* Order of the cells of one column in two rows, neither of them NULL: as wr_value_compare. */
int wr_row_compare(const wr_row_layout *layout, uint32_t column, const uint8_t *a, const uint8_t *b);
/* Hash of row `row` of a column of any type, by value as comparing goes: for LIST, STRUCT and MAP, which no kernel
 * does. */
uint64_t wr_row_value_hash(const wr_vector *v, uint32_t row);
static inline bool wr_row_is_valid(const uint8_t *row, uint32_t column) {
    return (row[column >> 3] >> (column & 7)) & 1;
}

#endif
