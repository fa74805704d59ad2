/* What the sources of row_page.h share: finding the cells of a column, and the encoding of nested values. */
#ifndef WR_COLUMN_ROW_INTERNAL_H
#define WR_COLUMN_ROW_INTERNAL_H

#include "column/row_page.h"

enum {
    WR_ROW_CHUNK = 512,        /* rows worked on at a time, so that scratch space is on the stack */
    WR_ROW_PAGE_ALIGN = 64,    /* of the block and of row 0 */
    WR_ROW_VALUE_MAX = 1 << 30 /* bytes of one row's heap part */
};

/* Cells are moved by width, whatever their type. In vectors 16-byte values are 8-byte aligned. */
typedef uint8_t wr_cell_1;
typedef uint16_t __attribute__((may_alias)) wr_cell_2;
typedef uint32_t __attribute__((may_alias)) wr_cell_4;
typedef uint64_t __attribute__((may_alias)) wr_cell_8;
typedef wr_uint128 __attribute__((may_alias, aligned(8))) wr_cell_16;

/* Cells of a column of any kind, resolved down to a flat (or nested) vector and a position in it. */
typedef struct wr_row_cells {
    const wr_vector *leaf;
    const uint32_t *index; /* of each row in the leaf */
    bool all_valid;
    uint8_t valid[WR_ROW_CHUNK];
    uint32_t own_index[WR_ROW_CHUNK];
} wr_row_cells;

/* `rows` are positions in v, at most WR_ROW_CHUNK of them. */
void wr_row_cells_find(wr_row_cells *cells, const wr_vector *v, const uint32_t *rows, uint32_t count);
/* The same for one row: the leaf and the position in it, or NULL for a NULL. */
const wr_vector *wr_row_cell(const wr_vector *v, uint32_t row, uint32_t *position);

static inline bool wr_phys_has_heap(wr_phys phys) {
    return phys == WR_PHYS_VIEW || phys == WR_PHYS_LIST || phys == WR_PHYS_STRUCT;
}
/* In a row: nested values are behind a view, a boolean takes a byte. */
static inline uint32_t wr_row_phys_bytes(wr_phys phys) {
    if (phys == WR_PHYS_BOOL) return 1;
    return wr_phys_is_nested(phys) ? sizeof(wr_string_view) : (uint32_t)wr_phys_bytes(phys);
}
/* The heap part behind a view. */
static inline size_t wr_view_heap_bytes(const wr_string_view *view) {
    return view->size > WR_STRING_INLINE ? view->size : 0;
}

static inline bool wr_f32_equal(float a, float b) {
    return a == b || (a != a && b != b);
}
static inline bool wr_f64_equal(double a, double b) {
    return a == b || (a != a && b != b);
}
static inline bool wr_view_equal(const wr_string_view *a, const wr_string_view *b) {
    if (a->words[0] != b->words[0]) return false;
    if (a->size <= WR_STRING_INLINE) return a->words[1] == b->words[1];
    return a->data == b->data || memcmp(a->data, b->data, a->size) == 0;
}
/* Two values that lie in memory as vectors hold them; not for BOOL and nested. */
bool wr_row_value_equal(wr_phys phys, const void *a, const void *b);
int wr_row_value_compare(wr_phys phys, const void *a, const void *b);

/* ---- nested values as a run of bytes: a byte that says whether it is valid, then
 *   fixed width   the value           BOOL     a byte
 *   VIEW          u32 size, bytes     LIST     u32 count, items        STRUCT   its fields
 * unaligned, without pointers. MAP is a LIST of STRUCT. ---- */

size_t wr_nested_bytes(const wr_vector *v, uint32_t row);
uint8_t *wr_nested_write(const wr_vector *v, uint32_t row, uint8_t *out);
/* The end of the run, when row `row` of v equals the value that starts there; else NULL. */
const uint8_t *wr_nested_match(const wr_vector *v, uint32_t row, const uint8_t *run);
/* Equality of two runs; moves both past the value when it holds. */
bool wr_nested_equal(wr_type type, const uint8_t **a, const uint8_t **b);
/* Order of two runs, NULLs inside them last; moves both past the value when they are equal. */
int wr_nested_compare(wr_type type, const uint8_t **a, const uint8_t **b);
/* A flat vector of the values that start at the cursors (NULL: a NULL row), which are moved past them. With a heap
 * strings are copied into it, else views point into the runs. */
WR_MUST_CHECK wr_status wr_nested_read(wr_vector *out, wr_allocator *a, wr_type type, const uint8_t **cursors,
                                       uint32_t count, bool copy, wr_error *err);

#endif
