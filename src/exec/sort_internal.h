/* What the files of the sort share; SORT.md tells how they work together.
 *
 *   sort_key.c      rows to normalised keys: a sequence of 64-bit words
 *   sort_entries.c  entries in order, by their words
 *   sort_store.c    rows as they come in, and the memory that they may take
 *   sort_run.c      stores to runs, in memory and on disk
 *   sort_mark.c     places in the order: where runs are cut into ranges
 *   sort_range.c    the ranges: what the source hands out
 *   sort_job.c      what is done between the last row in and the first row out
 *   sort_merge.c    runs to one order
 *   sort.c          the two nodes */
#ifndef WR_EXEC_SORT_INTERNAL_H
#define WR_EXEC_SORT_INTERNAL_H

#include "column/row_page.h"
#include "exec/sort.h"

/* A row and the first word of its key, or the word that is being sorted by. */
typedef struct wr_sort_entry {
    uint64_t key;
    uint8_t *row;
} wr_sort_entry;

/* ---- keys ---- */

/* A piece of a word: what is loaded from the row, where it goes. */
typedef struct wr_sort_part {
    uint32_t column, offset; /* in the row */
    uint8_t load;            /* enum sort_load, see sort_key.c */
    uint8_t left, right;     /* shifts; one of them is 0 */
    uint64_t flip;           /* of the value before it is shifted: its sign, and all its bits when descending */
} wr_sort_part;

/* Parts [first, end) make the word. A text begins in at most its last part: text_bytes of its bytes, then a byte that
 * says how many there are, text_bytes + 1 standing for more. */
typedef struct wr_sort_word {
    uint32_t first, end;
    uint32_t text_offset; /* in the row */
    uint8_t text_bytes;   /* 0: no text */
    uint8_t text_shift;
    bool text_descending;
} wr_sort_word;

/* The order of rows of one class. Rows whose first key is NULL are a class of their own, so that a key of 64 bits needs no
 * bit to say so: they are sorted by the other keys, in front of the other rows or behind them. */
typedef struct wr_sort_order {
    wr_allocator *allocator;
    const wr_row_layout *layout;
    const wr_sort_column *keys; /* of this class */
    uint32_t key_count;
    uint32_t cells_key; /* words stop before this key, which is nested; key_count: they hold all keys */
    uint32_t tie_key;   /* keys before it are equal when the first words are */
    bool exact;         /* equal first words are equal keys */
    uint32_t word_count, part_count;
    wr_sort_word *words;
    wr_sort_part *parts;
} wr_sort_order;

/* A word of the sequence: a planned one, or the n-th more of the text that begins in it. */
typedef struct wr_sort_place {
    uint32_t word, text;
} wr_sort_place;

typedef enum wr_sort_step { WR_SORT_END, WR_SORT_WORD, WR_SORT_CELLS } wr_sort_step;

WR_MUST_CHECK wr_status wr_sort_order_init(wr_sort_order *order, wr_allocator *a, const wr_row_layout *layout,
                                           const wr_sort_column *keys, uint32_t key_count, bool nulls_apart,
                                           wr_error *err);
void wr_sort_order_deinit(wr_sort_order *order);
/* Fills the keys of entries whose rows are there with the word at `place`. */
void wr_sort_load(const wr_sort_order *order, wr_sort_place place, wr_sort_entry *entries, size_t count);
/* What decides between rows that agree in the word `key` at `place`, and in all before it: nothing, the word at *next, or
 * comparing cells from key cells_key on. */
wr_sort_step wr_sort_next(const wr_sort_order *order, wr_sort_place place, uint64_t key, wr_sort_place *next);
int wr_sort_compare(const wr_sort_order *order, uint32_t first_key, const uint8_t *a, const uint8_t *b);
/* Of two rows whose first words are both `key`. */
static inline int wr_sort_compare_tied(const wr_sort_order *order, uint64_t key, const uint8_t *a, const uint8_t *b) {
    wr_sort_place next;
    if (order->exact || wr_sort_next(order, (wr_sort_place){0, 0}, key, &next) == WR_SORT_END) return 0;
    return wr_sort_compare(order, order->tie_key, a, b);
}

/* ---- pages of rows, and entries in order ---- */

enum { WR_SORT_CLASSES = 2, WR_SORT_VALUES = 0, WR_SORT_NULLS = 1 };
enum { WR_SORT_SLICE = 512 }; /* rows that are worked on at a time */

/* Rows of one class in `count` pages from `first` on. */
typedef struct wr_sort_pages {
    const wr_sort_order *order;
    const wr_row_page *first;
    uint32_t count;
    uint64_t row_count;
    bool mixed; /* rows of the other class are among them: those are told apart by null_column */
    bool valid; /* the bit of null_column of those that count */
    uint32_t null_column;
} wr_sort_pages;

/* Entries of the rows in order, equal ones in the order of arrival: in *out, row_count of them and room for a slice. While it
 * works, it holds as many again. WR_CANCELLED when *cancelled is seen. */
WR_MUST_CHECK wr_status wr_sort_pages_sort(const wr_sort_pages *pages, wr_allocator *a, wr_sort_entry **out,
                                           const _Atomic bool *cancelled, wr_error *err);

/* ---- stores: rows as they come in ---- */

/* One writer's rows. Their last column, which is the sort's own, is the number of the morsel that they came with. */
typedef struct wr_sort_store {
    struct wr_sort_store *next;
    uint32_t number; /* of the sort's stores */
    wr_row_list rows;
    uint32_t page_count;
    uint64_t class_rows[WR_SORT_CLASSES];
    bool rising, falling; /* so far: all of one class, and in order, or strictly in reverse */
    wr_sort_entry last;
    uint64_t morsel_index; /* of the last rows */
    uint32_t morsel_source, morsel_number;
    bool has_morsel;
    uint32_t run_count;
    wr_vector *columns;     /* of a batch, and the number of the morsel; scratch */
    uint32_t page_bytes;    /* of the next page of rows */
    uint64_t granted_bytes; /* held for sorting what is here */
    uint64_t held_bytes;    /* counted in the sort's */
} wr_sort_store;

/* ---- runs: sorted rows of one class of one store ---- */

enum { WR_SORT_MARK_WORDS = 4 };

/* A place in the order of a class: the first words of a row's key and, when they are all there are, its morsel's rank. Rows
 * whose marks are equal are never told apart by ranges. */
typedef struct wr_sort_mark {
    uint64_t words[WR_SORT_MARK_WORDS];
    uint8_t word_count;
    bool complete;
    uint32_t morsel;
} wr_sort_mark;

/* A run is one of three: entries; pages in memory whose rows lie in order, or in reverse; pages on disk. */
typedef struct wr_sort_run {
    struct wr_sort_run *next;
    uint32_t store, number; /* of the store, in the order of arrival */
    uint8_t row_class;
    bool is_reversed;
    uint64_t count;
    wr_sort_entry *entries;
    const wr_row_page **pages; /* in memory; the store's */
    uint64_t *page_ends;       /* rows in them and those before */
    uint32_t page_count;
    wr_spilled_rows spilled;
    wr_sort_mark *marks; /* of each spilled page's first row */
    uint32_t mark_capacity;
    uint64_t page_cost; /* bytes that a spilled page takes at most when it is read */
} wr_sort_run;

static inline bool wr_sort_run_is_spilled(const wr_sort_run *run) {
    return run->spilled.count > 0;
}

/* Rows carry the number of an entry of this table: morsels in the order in which their first rows came. */
typedef struct wr_sort_morsel {
    uint64_t index;
    uint32_t source;
    uint32_t rank; /* among all morsels, once all are there */
} wr_sort_morsel;

/* A part of the order that the source hands out: rows [first, first + count) of the only run; or what lies between two
 * places, of which rows [first, first + count). */
typedef struct wr_sort_range {
    uint8_t row_class;
    bool is_merge;
    uint32_t low, high; /* splitters, counted from 1; 0: no bound */
    uint64_t first, count;
} wr_sort_range;

/* Runs of one class, in the order of arrival. */
typedef struct wr_sort_runs {
    wr_sort_run **items;
    uint32_t count, capacity;
} wr_sort_runs;

typedef struct wr_sort_job wr_sort_job;

/* ---- what sink and source share ---- */

typedef struct wr_sort {
    uint32_t refs; /* sink, source and filters; all die with the query, on one thread */
    wr_exec *exec;
    wr_node_base *node;      /* the sink's, for its counters */
    wr_budget *budget;       /* the sink's */
    wr_allocator *allocator; /* the budget's */
    wr_row_layout layout;    /* the input's columns, then the number of the morsel */
    wr_sort_column *keys;
    uint32_t key_count, column_count; /* of the input */
    wr_sort_order orders[WR_SORT_CLASSES];
    uint64_t first, end; /* of the order: what comes out */
    uint32_t page_bytes_max, spill_page_bytes;
    size_t needs_max; /* that is asked for at once, if it can be cut */

    wr_mutex lock;
    wr_sort_morsel *morsels;
    uint32_t morsel_count, morsel_capacity;
    uint32_t store_count;
    wr_sort_store *stores; /* combined */
    wr_sort_run *runs;     /* finished */
    wr_sort_job *jobs;
    uint32_t job_count, job_capacity, next_job, running_jobs;
    wr_sort_runs class_runs[WR_SORT_CLASSES]; /* when all jobs are done */
    wr_sort_range *ranges;
    uint32_t range_count, range_capacity, next_range;
    wr_sort_mark *splitters;
    uint32_t splitter_capacity;
    bool is_planned;
    uint32_t active_ranges, active_max; /* that hold pages */
    wr_wait_list waiting;               /* for a store to spill, or for a job to end */
    _Atomic uint64_t held_bytes;        /* that spilling would free, in all stores */
    _Atomic bool has_spilled;
} wr_sort;

/* sort_store.c */
WR_MUST_CHECK wr_status wr_sort_store_create(wr_sort *sort, wr_sort_store **out, wr_error *err);
void wr_sort_store_destroy(wr_sort *sort, wr_sort_store *store);
/* Room that adding these rows takes at most, with what sorting them takes. */
size_t wr_sort_store_needs(const wr_sort *sort, const wr_sort_store *store, const wr_vector *columns,
                           const uint32_t *rows, uint32_t count);
/* Adds rows of columns, which are the layout's but for the last; at most WR_SORT_SLICE. wr_sort_store_needs was granted
 * before and is settled here. */
WR_MUST_CHECK wr_status wr_sort_store_add(wr_sort *sort, wr_sort_store *store, const wr_vector *columns,
                                          wr_ordinal ordinal, const uint32_t *rows, uint32_t count,
                                          size_t granted_bytes, wr_error *err);
/* The rows are somewhere else now, or of no use any more. */
void wr_sort_store_clear(wr_sort *sort, wr_sort_store *store);
/* Tells the budget how much there is to spill. */
void wr_sort_store_publish(wr_sort *sort, wr_sort_store *store);
/* In the order of arrival, once they are ranked. */
WR_MUST_CHECK wr_status wr_sort_rank_morsels(wr_sort *sort, wr_error *err);
static inline uint32_t wr_sort_row_morsel(const wr_sort *sort, const uint8_t *row) {
    uint32_t morsel;
    memcpy(&morsel, row + sort->layout.columns[sort->column_count].offset, sizeof morsel);
    return morsel;
}

/* sort_run.c */
/* Runs of the rows in `page_count` pages from `first` on, one for each class that is there, added to the sort's. */
WR_MUST_CHECK wr_status wr_sort_store_sort(wr_sort *sort, const wr_sort_store *store, const wr_row_page *first,
                                           uint32_t page_count, uint32_t number, wr_error *err);
/* A run's row in memory. */
uint8_t *wr_sort_run_row(const wr_sort_run *run, uint64_t i);
/* Rows [first, first + count) of a run in memory. */
void wr_sort_run_rows(const wr_sort_run *run, uint64_t first, uint32_t count, uint8_t **rows);
void wr_sort_run_destroy(wr_sort *sort, wr_sort_run *run);
/* All rows of the store go to disk, as runs that are added to the sort's. */
WR_MUST_CHECK wr_status wr_sort_store_spill(wr_sort *sort, wr_sort_store *store, wr_error *err);
/* Runs of one class, side by side in the order of arrival, become one on disk. Takes them. */
WR_MUST_CHECK wr_status wr_sort_runs_join(wr_sort *sort, wr_sort_run **runs, uint32_t count, wr_sort_run **out,
                                          wr_error *err);
void wr_sort_add_run(wr_sort *sort, wr_sort_run *run);

/* sort_job.c */
/* What there is to do when all rows are in; how many tasks can share it. */
WR_MUST_CHECK wr_status wr_sort_jobs_init(wr_sort *sort, uint32_t *task_count, wr_error *err);
void wr_sort_jobs_deinit(wr_sort *sort);
WR_MUST_CHECK wr_status wr_sort_jobs_step(wr_sort *sort, wr_flow *flow, wr_waker *waker, wr_error *err);

/* sort_range.c */
/* Moves the finished runs to class_runs, in the order of arrival. */
WR_MUST_CHECK wr_status wr_sort_collect_runs(wr_sort *sort, wr_error *err);
WR_MUST_CHECK wr_status wr_sort_plan_ranges(wr_sort *sort, wr_error *err);

/* sort_mark.c */
void wr_sort_mark_of(const wr_sort *sort, unsigned row_class, const uint8_t *row, wr_sort_mark *out);
int wr_sort_mark_compare(const wr_sort *sort, const wr_sort_mark *a, const wr_sort_mark *b);
/* Is the row in front of the place? */
bool wr_sort_is_before(const wr_sort *sort, unsigned row_class, const wr_sort_entry *entry, const wr_sort_mark *place);
/* Rows of a run in memory that are in front of the place, and pages of one on disk that begin so. */
uint64_t wr_sort_run_find(const wr_sort *sort, const wr_sort_run *run, const wr_sort_mark *place);
uint32_t wr_sort_run_find_page(const wr_sort *sort, const wr_sort_run *run, const wr_sort_mark *place);

/* sort_merge.c */
typedef struct wr_sort_cursor {
    const wr_sort_run *run;
    const wr_sort_entry *at, *end; /* side by side */
    uint64_t next, stop;           /* in memory: rows; on disk: pages */
    wr_row_page *page;             /* read from disk */
    wr_sort_entry *entries;        /* made of rows of pages */
    uint32_t entry_capacity;
} wr_sort_cursor;

/* Rows of several runs in order: a tree of losers over their cursors. */
typedef struct wr_sort_merge {
    wr_sort *sort;
    const wr_sort_order *order;
    wr_allocator *allocator; /* of pages */
    const wr_sort_mark *low, *high;
    bool frees_slots;
    wr_sort_cursor *cursors;
    uint64_t *keys;   /* of their heads */
    uint32_t *losers; /* losers[0] is the winner */
    uint32_t count;
    wr_row_page *retired; /* pages that were read to the end, with rows that the caller may look at */
    uint32_t retired_count;
} wr_sort_merge;

/* Rows of the runs between the places (NULL: without bound). Runs on disk give their slots back as they are read. */
WR_MUST_CHECK wr_status wr_sort_merge_init(wr_sort_merge *m, wr_sort *sort, wr_sort_run *const *runs, uint32_t count,
                                           const wr_sort_mark *low, const wr_sort_mark *high, wr_allocator *a,
                                           bool frees_slots, wr_error *err);
void wr_sort_merge_deinit(wr_sort_merge *m);
/* The next rows, at most `max` and perhaps fewer; 0 at the end. They stay until the next call. */
WR_MUST_CHECK wr_status wr_sort_merge_take(wr_sort_merge *m, uint8_t **rows, uint32_t max, uint32_t *count,
                                           wr_error *err);
/* Bytes that a merge of these runs holds at most. */
size_t wr_sort_merge_bytes(wr_sort_run *const *runs, uint32_t count);

#endif
