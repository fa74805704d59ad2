/* Vectors and batches: how columns are held while they are worked on.
 *
 * A vector is a typed column of row_count rows in one of three kinds, at every level of nesting:
 *   FLAT        data holds one value per row
 *   CONSTANT    data holds one value, that of every row (validity bit 0 alone counts)
 *   DICTIONARY  data holds a uint32_t code per row; the values are a vector of their own, shared by all the batches
 *               that came from one dictionary. Validity is per row; dictionary entries themselves may be NULL too.
 * LIST data are wr_list_view into one child; STRUCT has one child a field and no data; MAP is LIST of
 * STRUCT(key, value).
 *
 * Ownership: a vector holds references to the buffers that its pointers lead into. Copying the struct is a move: the
 * source must be forgotten or cleared. wr_vector_share makes a second owner. Data behind a shared buffer is immutable;
 * who makes vectors recycles a buffer only when it is unique again (wr_buffer_recycle).
 *
 * Selection is on the batch alone: sel lists, in rising order, the rows that count. Expressions work on all the rows
 * of a batch or on a gathered part of it, never through sel; see plan/expression.h. */
#ifndef WR_COLUMN_VECTOR_H
#define WR_COLUMN_VECTOR_H

#include "base/bitmap.h"
#include "base/buffer.h"
#include "column/type.h"

typedef enum wr_vector_kind { WR_FLAT, WR_CONSTANT, WR_DICTIONARY } wr_vector_kind;

enum {
    WR_BATCH_ROWS = 2048,     /* the default; a session's batch_rows may be anything from 1 to the maximum */
    WR_BATCH_ROWS_MAX = 32768 /* row numbers inside a batch fit 16 bits */
};

/* A counted set of buffers that string views point into. Grows while it has one owner. */
typedef struct wr_heap {
    _Atomic int32_t refs;
    wr_allocator *allocator;
    uint32_t count, capacity;
    wr_buffer **buffers;
    size_t last_used_bytes; /* of the newest buffer, when views are written into it */
} wr_heap;

WR_MUST_CHECK wr_status wr_heap_create(wr_heap **out, wr_allocator *a, wr_error *err);
static inline wr_heap *wr_heap_retain(wr_heap *heap) {
    if (heap) __atomic_fetch_add((int32_t *)&heap->refs, 1, __ATOMIC_RELAXED);
    return heap;
}
void wr_heap_release(wr_heap *heap);
/* Retains `buffer` in the heap. */
WR_MUST_CHECK wr_status wr_heap_add(wr_heap *heap, wr_buffer *buffer, wr_error *err);
/* Room for `size` bytes that a view may point to. */
WR_MUST_CHECK wr_status wr_heap_alloc(wr_heap *heap, uint32_t size, char **out, wr_error *err);
/* Makes *slot an empty heap of the caller's alone, keeping its newest buffer for writing again if nobody else has
 * it. */
WR_MUST_CHECK wr_status wr_heap_recycle(wr_heap **slot, wr_allocator *a, wr_error *err);

struct wr_vector_set;
typedef struct wr_vector {
    wr_type type;
    uint8_t kind; /* wr_vector_kind */
    uint8_t phys; /* wr_phys of type */
    uint32_t row_count;
    const uint64_t *validity; /* NULL: no NULLs */
    const void *data;
    wr_buffer *validity_buffer, *data_buffer; /* NULL when borrowed from something that outlives the vector */
    wr_heap *heap;                            /* VIEW, flat or constant */
    struct wr_vector_set *children;           /* DICTIONARY: one, the values; LIST: one; STRUCT: its fields */
} wr_vector;

/* Children, counted, so that a dictionary is shared by pointer: equal pointers are equal dictionaries, which is what
 * per-dictionary caches go by (they retain the set). */
typedef struct wr_vector_set {
    _Atomic int32_t refs;
    wr_allocator *allocator;
    uint32_t count;
    wr_vector items[];
} wr_vector_set;

WR_MUST_CHECK wr_status wr_vector_set_create(wr_vector_set **out, wr_allocator *a, uint32_t count, wr_error *err);
static inline wr_vector_set *wr_vector_set_retain(wr_vector_set *set) {
    if (set) __atomic_fetch_add((int32_t *)&set->refs, 1, __ATOMIC_RELAXED);
    return set;
}
void wr_vector_set_release(wr_vector_set *set);

static inline const wr_vector *wr_vector_dictionary(const wr_vector *v) {
    return &v->children->items[0];
}

/* Lets go of all references and clears. */
void wr_vector_deinit(wr_vector *v);
/* Makes `to` a second owner of what `from` shows; to's old content is released. */
void wr_vector_share(wr_vector *to, const wr_vector *from);
/* Forgets `from` and gives it to `to`, whose old content is released. */
void wr_vector_move(wr_vector *to, wr_vector *from);

/* A flat vector for writing: recycles its own buffers when unique, else makes new ones. Data are not cleared. With
 * `with_validity` a validity bitmap is there, all set. VIEW vectors get an empty heap of their own. */
WR_MUST_CHECK wr_status wr_vector_prepare(wr_vector *v, wr_allocator *a, wr_type type, uint32_t row_count,
                                          bool with_validity, wr_error *err);
static inline uint64_t *wr_vector_validity_mut(wr_vector *v) {
    return (uint64_t *)(uintptr_t)v->validity;
}
static inline void *wr_vector_data_mut(wr_vector *v) {
    return (void *)(uintptr_t)v->data;
}
/* Adds an all-set validity bitmap to a vector under construction that has none. */
WR_MUST_CHECK wr_status wr_vector_add_validity(wr_vector *v, wr_allocator *a, wr_error *err);

/* Rows [first, first + count) of `from`, sharing where bit offsets allow it (first % 64 == 0 or no bitmaps), else
 * copying bits. */
WR_MUST_CHECK wr_status wr_vector_slice(wr_vector *to, wr_allocator *a, const wr_vector *from, uint32_t first,
                                        uint32_t count, wr_error *err);
/* out[i] = v[rows[i]]: stays a dictionary (codes gathered) or a constant, else flat. Strings share the heap,
 * lists the child. `out` is another vector than v. */
WR_MUST_CHECK wr_status wr_vector_gather(wr_vector *out, wr_allocator *a, const wr_vector *v, const uint16_t *rows,
                                         uint32_t count, wr_error *err);
/* The same with 32-bit row numbers; UINT32_MAX stands for a NULL row. */
WR_MUST_CHECK wr_status wr_vector_gather32(wr_vector *out, wr_allocator *a, const wr_vector *v, const uint32_t *rows,
                                           uint32_t count, wr_error *err);
/* A flat vector with the same rows; shares when it is flat already. */
WR_MUST_CHECK wr_status wr_vector_flatten(wr_vector *out, wr_allocator *a, const wr_vector *v, wr_error *err);
/* Appends rows of `from` (all, or those in sel) behind those of the flat vector `to`, whose buffers grow; strings
 * are copied into its heap. */
WR_MUST_CHECK wr_status wr_vector_append(wr_vector *to, wr_allocator *a, const wr_vector *from, const uint16_t *sel,
                                         uint32_t count, wr_error *err);
/* Bytes kept alive by the vector, and bytes its rows need (an estimate for dictionaries): what queues a batch compacts
 * it when the second is below one half of the first. */
size_t wr_vector_pinned_bytes(const wr_vector *v);
size_t wr_vector_needed_bytes(const wr_vector *v);

/* ---- single values: constants in plans, statistics, bounds ---- */

typedef struct wr_value {
    wr_type type;
    bool is_null;
    union {
        bool boolean;
        int64_t i64;    /* all signed integers, DATE, TIME, TIMESTAMP, small DECIMAL */
        uint64_t u64;   /* unsigned integers */
        wr_int128 i128; /* HUGEINT, large DECIMAL, UUID */
        double f64;     /* FLOAT (exactly) and DOUBLE */
        wr_str text;    /* VARCHAR, BLOB; not owned */
        wr_interval interval;
        const struct wr_value *items; /* LIST, STRUCT, MAP (keys and values in turn) */
    };
    uint32_t item_count;
} wr_value;

/* Row `row` of v. Text points into the vector. Nested values are made in the arena. */
struct wr_arena;
WR_MUST_CHECK wr_status wr_vector_value(const wr_vector *v, uint32_t row, struct wr_arena *arena, wr_value *out,
                                        wr_error *err);
/* A constant vector of one value; text is copied. */
WR_MUST_CHECK wr_status wr_vector_constant(wr_vector *out, wr_allocator *a, const wr_value *value, uint32_t row_count,
                                           wr_error *err);
/* Total order of two values of one type: NaN above all numbers and equal to itself, -0 equals 0. No NULLs. */
int wr_value_compare(const wr_value *a, const wr_value *b);
bool wr_value_equal(const wr_value *a, const wr_value *b); /* NULL equals NULL */
/* As the shell prints it. */
void wr_value_print(wr_text *text, const wr_value *value);

/* ---- batches ---- */

/* Where a batch stands in the order of its query: results, LIMIT, first(), list() and ties go by it, so that order
 * never depends on timing. */
typedef struct wr_ordinal {
    uint32_t source;   /* which input of the query */
    uint32_t sequence; /* batch within the morsel */
    uint64_t morsel;   /* in the source's order */
} wr_ordinal;

static inline int wr_ordinal_compare(wr_ordinal a, wr_ordinal b) {
    if (a.source != b.source) return a.source < b.source ? -1 : 1;
    if (a.morsel != b.morsel) return a.morsel < b.morsel ? -1 : 1;
    return a.sequence < b.sequence ? -1 : a.sequence > b.sequence;
}

typedef struct wr_batch {
    wr_allocator *allocator; /* of columns[] and what operations on the batch make */
    uint32_t column_count;
    uint32_t row_count;  /* physical rows of every column */
    uint32_t sel_count;  /* rows that count: row_count when sel is NULL */
    const uint16_t *sel; /* NULL: all rows */
    wr_buffer *sel_buffer;
    wr_vector *columns;
    wr_ordinal ordinal;
    const int64_t *weights; /* NULL: every row is +1; else a retraction where negative */
    wr_buffer *weight_buffer;
} wr_batch;

WR_MUST_CHECK wr_status wr_batch_init(wr_batch *batch, wr_allocator *a, uint32_t column_count, wr_error *err);
void wr_batch_deinit(wr_batch *batch);
/* Drops the rows and what the columns hold; the column count stays. */
void wr_batch_clear(wr_batch *batch);
/* `to` (initialised, same column count) becomes a second owner of all that `from` shows. */
void wr_batch_share(wr_batch *to, const wr_batch *from);
static inline void wr_batch_set_rows(wr_batch *batch, uint32_t row_count) {
    batch->row_count = batch->sel_count = row_count;
    batch->sel = NULL;
}
/* Narrows the batch to the rows whose bit is set in `pass` (over physical rows; ANDed with the selection). */
WR_MUST_CHECK wr_status wr_batch_filter(wr_batch *batch, const uint64_t *pass, wr_error *err);
/* Replaces columns by gathered ones and drops the selection. */
WR_MUST_CHECK wr_status wr_batch_compact(wr_batch *batch, wr_error *err);
/* A copy that pins only what its rows need, without selection: for queues and for results that are kept. `to` is
 * initialised and has the same column count. A dictionary stays shared where it is smaller than the values would be. */
WR_MUST_CHECK wr_status wr_batch_copy(wr_batch *to, wr_allocator *a, const wr_batch *from, wr_error *err);
size_t wr_batch_pinned_bytes(const wr_batch *batch);
size_t wr_batch_needed_bytes(const wr_batch *batch); /* of the selected rows */

#endif
