/* What the files of the join share; JOIN.md tells how they work together.
 *
 *   join_keys.c     keys of either side to words
 *   join_store.c    rows of the build side as they come in: chunks
 *   join_table.c    chunks to the columns of a table, in phases that run in parallel
 *   join_index.c    the dense and the hash index over a table's rows
 *   join_probe.c    probe rows to pairs, pairs to output: the operator
 *   nested_loop_join.c  pairs where there is no index
 *   join_spill.c    partitions of rows on disk, for both sides
 *   join_late.c     the source: build rows that a join emits by itself, spilled partitions
 *   join_filter.c   what a build side tells scans
 *   ordered_join.c  instead of all that: a table for each part of a build side that comes in the probe side's order */
#ifndef WR_EXEC_JOIN_INTERNAL_H
#define WR_EXEC_JOIN_INTERNAL_H

#include "exec/batch_builder.h"
#include "exec/hash_join.h"
#include "kernel/bits.h"
#include "kernel/hash.h"
#include "kernel/join.h"
#include "kernel/select.h"

#define WR_JOIN_NO_ROW UINT32_MAX

/* Kernels may read WR_BUFFER_PAD bytes behind the end. */
static inline size_t wr_padded_bitmap_bytes(size_t bits) {
    return wr_bitmap_bytes(bits) + WR_BUFFER_PAD;
}

/* ---- keys ----
 *
 * WORDS: the values of all keys, packed into one or two 64-bit words, so that equal words are equal keys. A single
 * integer is its own word, extended by its sign. Floats are normalised: -0 is 0, all NaN are one.
 * HASHED: the word is the hash of the keys; rows whose hashes agree are compared by value (wr_join_verify). */

typedef enum wr_key_mode { WR_KEY_NONE, WR_KEY_WORDS, WR_KEY_HASHED } wr_key_mode;

typedef struct wr_key_part {
    wr_type type;
    uint8_t phys;
    bool null_equals_null;
    uint8_t word, shift, bits;     /* WORDS: where the value is; 128 bits take both words */
    uint8_t null_word, null_shift; /* and, with null_equals_null, the bit that says it is NULL */
} wr_key_part;

typedef struct wr_key_plan {
    uint8_t mode;       /* wr_key_mode */
    uint8_t word_count; /* 0 to 2 */
    bool is_integer;    /* one key, one integer: a dense index may serve */
    bool is_signed;
    uint32_t part_count;
    wr_key_part parts[WR_JOIN_KEYS_MAX];
} wr_key_plan;

/* The order of words that are integer keys. */
static inline bool wr_key_below(const wr_key_plan *plan, uint64_t a, uint64_t b) {
    return plan->is_signed ? (int64_t)a < (int64_t)b : a < b;
}

/* The keys of `count` rows, side by side. Words of rows that are not valid are anything. */
typedef struct wr_keys {
    uint32_t count, null_count;
    const uint64_t *words[2];
    const uint64_t *valid; /* NULL: all rows have keys that can match */
} wr_keys;

/* A worker's memory for keys of a batch. */
typedef struct wr_key_scratch {
    wr_allocator *allocator;
    const wr_kernels *kernels;
    uint32_t capacity;
    uint64_t *words[2];
    uint64_t *hashes;
    uint64_t *values; /* one part, widened */
    uint64_t *valid;
    uint32_t *leaf_rows;
    wr_vector gathered, flat;
    /* Hashes of the entries of the last dictionary, by part. */
    uint32_t part_count;
    struct wr_entry_hashes {
        wr_vector_set *dictionary; /* held */
        uint64_t *hashes;
        uint32_t count;
    } * entries;
} wr_key_scratch;

WR_MUST_CHECK wr_status wr_key_plan_init(wr_key_plan *plan, const wr_join_key_spec *keys, uint32_t count,
                                         wr_error *err);
void wr_key_scratch_init(wr_key_scratch *s, wr_allocator *a, const wr_kernels *kernels);
void wr_key_scratch_deinit(wr_key_scratch *s);
/* Room for the hashes of keys that come from elsewhere. */
WR_MUST_CHECK wr_status wr_key_scratch_reserve(wr_key_scratch *s, const wr_key_plan *plan, uint32_t count,
                                               wr_error *err);
/* Keys of rows `rows[0..count)` (NULL: the first `count`) of columns[part]. The result is the scratch's or the
 * columns', until the next call. */
WR_MUST_CHECK wr_status wr_keys_compute(const wr_key_plan *plan, wr_key_scratch *s, const wr_vector *const *columns,
                                        const uint16_t *rows, uint32_t count, wr_keys *out, wr_error *err);
/* Hashes of keys, from their words alone: in s->hashes or in the words themselves. */
const uint64_t *wr_keys_hash(const wr_key_plan *plan, wr_key_scratch *s, const wr_keys *keys);
void wr_words_hash(const wr_key_plan *plan, const wr_kernels *kernels, const uint64_t *const *words, uint32_t count,
                   uint64_t *out);
/* Clears bit i of `keep` where the keys of probe row rows[i] and build row ids[i] differ; looks at set bits only. With
 * `maybe`, a comparison with NULL does not tell them apart. */
WR_MUST_CHECK wr_status wr_keys_verify(const wr_key_plan *plan, wr_key_scratch *s, const wr_vector *const *probe,
                                       const wr_vector *const *build, const uint16_t *rows, const uint32_t *ids,
                                       uint32_t count, bool maybe, uint64_t *keep, wr_error *err);

/* ---- partitions: rows of either side that left memory, or may ---- */

enum { WR_PARTITION_BITS = 4, WR_PARTITIONS = 1 << WR_PARTITION_BITS, WR_PARTITION_LEVELS = 4 };

/* Rows as pages: their words, then the columns that the side keeps. Rows without a key have NULL words. */
typedef struct wr_join_rows {
    wr_row_list pages;
    wr_spilled_rows disk;
} wr_join_rows;

/* What one worker wrote of one side. */
typedef struct wr_join_part {
    struct wr_join_part *next;
    wr_join_rows rows[WR_PARTITIONS];
} wr_join_part;

typedef struct wr_join_spill {
    _Atomic bool on;      /* the build side goes to partitions */
    _Atomic uint32_t out; /* bit p: partition p is on disk, and the probe side's rows of it go there too */
    uint32_t page_bytes;
    wr_row_layout layouts[2];            /* wr_join_side */
    wr_row_list resident[WR_PARTITIONS]; /* full pages of partitions in memory; under the join's lock */
    wr_join_part *parts[2];              /* of finished workers; under the join's lock */
} wr_join_spill;

/* ---- rows of the build side, as they come in ---- */

/* Rows of one morsel in a chunk: from `first` to the next run. */
typedef struct wr_join_run {
    uint32_t source, first;
    uint64_t morsel;
} wr_join_run;

enum {
    WR_CHUNK_ROWS_MAX = 64 * 1024,
    WR_CHUNK_ROWS_MIN = 1024,
    WR_CHUNK_BYTES_MIN = 64 << 10,
    WR_CHUNK_BYTES_MAX = 2 << 20
};

typedef struct wr_join_chunk {
    struct wr_join_chunk *next;
    uint32_t row_count, capacity;
    uint32_t number; /* among those of its worker, in the order in which they were filled */
    bool null_keys;  /* of rows whose keys match nothing: they have no words */
    uint64_t *words[2];
    wr_vector *columns; /* the join's store columns */
    wr_join_run *runs;
    uint32_t run_count, run_capacity;
    uint64_t min, max; /* of words[0] of an integer key */
    size_t text_bytes; /* long strings, about */
} wr_join_chunk;

WR_MUST_CHECK wr_status wr_join_chunk_create(wr_join_chunk **out, const wr_join *join, uint32_t capacity,
                                             bool null_keys, wr_error *err);
void wr_join_chunk_destroy(wr_join_chunk *chunk, const wr_join *join);
void wr_join_chunks_destroy(wr_join_chunk **list, const wr_join *join);
/* Bytes of a chunk for `capacity` rows, long strings aside. */
size_t wr_join_chunk_bytes(const wr_join *join, uint32_t capacity);
static inline size_t wr_join_chunk_size(const wr_join *join, const wr_join_chunk *chunk) {
    return wr_join_chunk_bytes(join, chunk->capacity) + chunk->text_bytes + chunk->text_bytes / 4;
}
/* Appends rows[0..count) (NULL: the first) of columns, which are the join's store columns, with their words. */
WR_MUST_CHECK wr_status wr_join_chunk_append(wr_join_chunk *chunk, const wr_join *join, wr_ordinal ordinal,
                                             const wr_vector *const *columns, const uint16_t *rows,
                                             const uint64_t *const *words, uint32_t count, wr_error *err);

/* ---- tables ---- */

typedef enum wr_join_index { WR_INDEX_NONE, WR_INDEX_DENSE, WR_INDEX_HASH } wr_join_index;

/* The build side, or a part of it: its rows as columns in the order of their ordinals, and the index over the first
 * indexed_count of them; those behind have a NULL key. Row numbers are ids. Immutable once built, but for the flags. */
typedef struct wr_join_table {
    const wr_join *join;
    wr_allocator *allocator;
    uint32_t row_count, indexed_count;
    wr_vector *columns; /* the join's store columns: flat or dictionary */
    uint8_t index;      /* wr_join_index */
    bool unique;        /* no two rows have one key */
    /* Dense: the rank of a key leads to its ids: order[rank], or where there are several rows a key, the ids
     * order[offsets[rank]] to order[offsets[rank + 1]]. */
    uint64_t min, range;
    uint32_t distinct;
    wr_buffer *bits_buffer;
    const uint64_t *bits; /* NULL: every key of the range is there */
    uint32_t *ranks;
    uint32_t *order;   /* NULL: rows are in the order of their keys */
    uint32_t *offsets; /* NULL: unique */
    /* Hash. */
    wr_join_directory directory;
    uint64_t *slots;
    uint8_t *entries;
    /* Joins that emit build rows: which have matched, and which would have but for a NULL. */
    uint64_t *matched, *unknown;
} wr_join_table;

void wr_join_table_deinit(wr_join_table *table);

/* How a table is made: phases of items. Items of a phase may run at once on any thread; begin comes before its first,
 * end after its last item, alone. */
typedef struct wr_table_build wr_table_build;
WR_MUST_CHECK wr_status wr_table_build_create(wr_table_build **out, wr_join_table *table, const wr_join *join,
                                              wr_join_chunk **chunks, uint32_t thread_count, wr_error *err);
void wr_table_build_destroy(wr_table_build *build);
/* Goes to the next phase that has items: how many; 0: the table is complete. */
WR_MUST_CHECK wr_status wr_table_build_advance(wr_table_build *build, uint32_t *item_count, wr_error *err);
WR_MUST_CHECK wr_status wr_table_build_item(wr_table_build *build, uint32_t item, wr_error *err);
/* All of it at once, by the caller. */
WR_MUST_CHECK wr_status wr_join_table_build(wr_join_table *table, const wr_join *join, wr_join_chunk **chunks,
                                            wr_error *err);

/* Rows [first, first + count) of a chunk, which get the ids from `id` on. */
typedef struct wr_join_segment {
    wr_join_chunk *chunk;
    uint32_t first, count, id;
    uint32_t source;
    uint64_t morsel;
} wr_join_segment;

/* Segments [first, end) make a piece of work. Slices below indexed_slices hold the rows with keys. */
typedef struct wr_join_slice {
    uint32_t first, end;
    uint32_t id, count;
    uint64_t min, max; /* of an integer key */
    bool rising;       /* each key is at least the one before */
} wr_join_slice;

enum wr_build_phase {
    WR_BUILD_START,
    WR_BUILD_COLUMN, /* one for each column */
    WR_BUILD_DENSE_LOOK,
    WR_BUILD_DENSE_MARK,
    WR_BUILD_DENSE_PLACE,
    WR_BUILD_HASH_COUNT,
    WR_BUILD_HASH_SCATTER,
    WR_BUILD_HASH_SORT,
    WR_BUILD_DONE
};

struct wr_table_build {
    wr_join_table *table;
    const wr_join *join;
    wr_allocator *allocator;
    uint32_t thread_count;
    uint8_t phase; /* enum wr_build_phase */
    uint32_t column;
    uint32_t segment_count, segment_capacity;
    uint32_t slice_count, slice_capacity, indexed_slices;
    wr_join_segment *segments;
    wr_join_slice *slices;
    wr_join_chunk *chunks; /* owned */
    /* dense */
    uint32_t range_count; /* parts of the key range */
    uint64_t *range_rows; /* rows in each */
    bool rising;
    _Atomic bool repeats; /* some key came twice */
    /* hash */
    unsigned slot_bits, part_bits;
    uint32_t *histogram; /* [slice][part], then where each slice writes in each part */
    size_t histogram_bytes;
    uint32_t *part_first; /* part_count + 1 */
};

/* join_index.c: what follows when the columns are there. */
WR_MUST_CHECK wr_status wr_index_advance(wr_table_build *build, uint32_t *item_count, wr_error *err);
void wr_index_build_deinit(wr_table_build *build);
WR_MUST_CHECK wr_status wr_index_item(wr_table_build *build, uint32_t item, wr_error *err);
void wr_index_deinit(wr_join_table *table);
/* Bytes that an index for so many rows takes at most while it is made. */
size_t wr_index_bytes(const wr_join *join, uint64_t row_count);

/* ---- the join ---- */

/* Columns of one side that the join keeps: positions in that side's batches, and their types. */
typedef struct wr_join_kept {
    uint32_t width; /* of the batches */
    uint32_t count;
    uint32_t *positions;
    wr_type *types;
    uint32_t *slots; /* by position in the batches: which kept column it is, or UINT32_MAX */
} wr_join_kept;

struct wr_join {
    _Atomic int32_t refs;
    wr_exec *exec;
    wr_budget *budget;
    wr_allocator *allocator; /* the budget's */
    const wr_kernels *kernels;
    uint32_t logical_id;

    /* What is asked for; derived once. */
    uint8_t kind;
    bool build_left, null_aware;
    bool emits_pairs;   /* INNER, OUTER, SINGLE */
    bool keeps_probe;   /* probe rows without a match come out, with NULLs */
    bool keeps_build;   /* the same of build rows, by the late source */
    bool filters_probe; /* probe rows come out by whether they have a match: SEMI, ANTI, MARK */
    bool filters_build; /* build rows do, by the late source */
    bool flags_build;   /* table rows remember that they matched */
    bool three_valued;  /* null-aware MARK, ANTI_NULL_AWARE: a NULL makes a match unknown */
    bool simple_nulls;  /* three_valued, and it is enough to know whether there is a NULL at all */
    bool first_only;    /* one match a probe row is enough */
    bool stores_nulls;  /* build rows with NULL keys are kept */
    bool one_partition; /* rows cannot be told apart by a hash: all pairs have to be looked at */
    wr_key_plan keys;
    uint32_t probe_keys[WR_JOIN_KEYS_MAX], build_keys[WR_JOIN_KEYS_MAX]; /* positions in the batches */
    wr_join_filter *filters[WR_JOIN_KEYS_MAX];
    wr_join_kept store; /* of the build side, in tables */
    wr_join_kept spool; /* of the probe side, in spilled partitions */
    uint32_t probe_column_count, build_column_count;
    uint32_t output_count, residual_count, residual_input_count;
    wr_join_column *outputs, *residual_inputs;
    wr_type *output_types, *residual_types;
    wr_program *residual;

    /* The build side comes in. */
    wr_mutex lock;
    size_t chunk_limit_bytes; /* of one chunk: what a worker holds that nobody else can spill */
    wr_join_chunk *chunks;    /* full ones, and those of finished locals; under lock */
    size_t chunk_bytes;       /* under lock */
    _Atomic uint32_t chunk_count;
    _Atomic uint64_t build_rows, build_null_rows;
    wr_join_table table;

    /* The probe side passes. */
    uint32_t operator_count, ended_count; /* under lock */
    bool ended;                           /* every probe operator has seen the end; under lock */
    wr_waker *late_waiting;               /* under lock */
    _Atomic bool probe_any, probe_null;   /* three_valued with build_left: a row came, one with a NULL key */
    wr_join_spill spill;
};

/* ---- probing ---- */

typedef enum wr_probe_stage {
    WR_PROBE_IDLE,
    WR_PROBE_MATCH, /* find pairs */
    WR_PROBE_EMIT,  /* give them out */
    WR_PROBE_NULLS, /* three_valued, not simple: pairs that a NULL leaves open */
    WR_PROBE_FLAGS, /* choose the rows that come out by their flags */
    WR_PROBE_LAST   /* give those out */
} wr_probe_stage;

/* A worker's way through one batch after the other. Rows of a batch that take part are numbered by position: the first
 * selected row is 0. A pair is a position and an id. */
typedef struct wr_join_prober {
    wr_join *join;
    wr_join_table *table;
    wr_allocator *allocator;
    wr_key_scratch scratch;
    wr_batch_builder out; /* rows on their way to a full batch */
    wr_batch through;     /* a batch that goes on with its columns as they are */
    bool through_given;
    wr_program_state *residual;
    wr_batch pair_batch; /* the residual's inputs */
    wr_vector *truths;   /* and, where a NULL among them counts, its results */
    bool defer;          /* a part of the build side at a time: only pairs come out, flags are kept for the end */

    wr_batch *in;
    uint32_t count;       /* rows that take part */
    const uint16_t *rows; /* where they are in the batch; NULL: position is row */
    wr_keys keys;
    uint8_t stage;  /* wr_probe_stage */
    bool narrowed;  /* not all selected rows take part */
    bool exhausted; /* no more pairs in this batch */
    bool one_each;  /* the pairs found are all of the batch, at most one a row */
    bool has_candidates;
    wr_join_candidates candidates;
    wr_join_cursor cursor;
    uint32_t merged_to;         /* keeps_probe: positions below are done */
    uint32_t null_row, null_id; /* NULLS: where it stands */

    uint32_t capacity;      /* positions that the arrays below have room for */
    uint32_t pair_capacity; /* pairs */
    uint16_t *narrow_rows;
    uint64_t *row_true, *row_unknown, *row_pass; /* by position */
    uint32_t *aligned_ids;                       /* by row of the batch */
    uint16_t *pair_rows, *physical;
    uint32_t *pair_ids;
    uint64_t *keep, *truth; /* by pair */
    uint16_t *emit_rows;    /* pairs that come out; id WR_JOIN_NO_ROW: NULLs */
    uint32_t *emit_ids;
    uint32_t pair_count, emit_count, emit_at;
    wr_counters counters;
} wr_join_prober;

WR_MUST_CHECK wr_status wr_prober_init(wr_join_prober *p, wr_join *join, wr_error *err);
void wr_prober_deinit(wr_join_prober *p);
/* Starts on a batch; it lives until it is used up. `keys` of its rows, where they are known. */
WR_MUST_CHECK wr_status wr_prober_begin(wr_join_prober *p, wr_batch *in, const wr_keys *keys, wr_error *err);
/* Keeps the positions whose bit is set in `stay` and forgets the others, between begin and next. */
void wr_prober_narrow(wr_join_prober *p, const uint64_t *stay);
/* Starts on a batch whose flags (row_true, row_unknown) the caller sets next: no pairs, only what flags decide. */
WR_MUST_CHECK wr_status wr_prober_begin_flags(wr_join_prober *p, wr_batch *in, const wr_keys *keys, wr_error *err);
/* The next batch, or NULL when the input is used up; rows may be held back. */
WR_MUST_CHECK wr_status wr_prober_next(wr_join_prober *p, wr_batch **out, wr_error *err);
/* What is held back, or NULL. */
wr_batch *wr_prober_flush(wr_join_prober *p);

/* join_emit.c */
void wr_prober_merge_unmatched(wr_join_prober *p);
/* Moves emit_rows and emit_ids on; *out is a batch that is ready, or NULL when all were taken. */
WR_MUST_CHECK wr_status wr_prober_emit(wr_join_prober *p, wr_batch **out, wr_error *err);
/* Positions that come out by their flags become the emit arrays. */
void wr_prober_choose_rows(wr_join_prober *p);
/* Rows of the table, for the late source: what is held for `ids` goes to the builder. Mark bits where the join marks.
 */
WR_MUST_CHECK wr_status wr_prober_add_table_rows(wr_join_prober *p, const uint32_t *ids, uint32_t count,
                                                 const uint64_t *mark, const uint64_t *mark_valid, wr_error *err);

/* nested_loop_join.c: pairs of all rows with all ids, from the cursor on; at most `room`. */
uint32_t wr_cross_pairs(wr_join_prober *p, uint32_t room);

/* ---- spilling ---- */

WR_MUST_CHECK wr_status wr_join_spill_init(wr_join *join, wr_error *err);
void wr_join_spill_deinit(wr_join *join);
void wr_join_parts_destroy(wr_join_part **parts, const wr_join *join);

/* Writes rows of one side to partitions. */
typedef struct wr_join_writer {
    wr_join *join;
    uint8_t side; /* wr_join_side */
    uint32_t level;
    bool
        all_out; /* every partition goes to disk; else those in spill.out, and full pages of others to spill.resident */
    wr_join_part *part;
    wr_vector *columns; /* of the layout */
    wr_vector *gathered;
    uint32_t capacity;
    uint16_t *positions;
    uint32_t *order;
    uint64_t *words[2], *hashes, *valid;
    uint8_t *partitions;
    uint64_t spilled_bytes; /* written to disk */
} wr_join_writer;

WR_MUST_CHECK wr_status wr_join_writer_init(wr_join_writer *w, wr_join *join, wr_join_side side, uint32_t level,
                                            bool all_out, wr_error *err);
/* Rows rows[i] (NULL: i) of columns, which are those that the side keeps, where bit i of `take` is set (NULL: all). */
WR_MUST_CHECK wr_status wr_join_writer_add(wr_join_writer *w, const wr_vector *const *columns, const uint16_t *rows,
                                           const wr_keys *keys, const uint64_t *take, wr_error *err);
/* Writes what is in memory of partitions that are out; the last pages too. */
WR_MUST_CHECK wr_status wr_join_writer_flush(wr_join_writer *w, wr_error *err);
/* Gives the part away, to be freed by who gets it. */
wr_join_part *wr_join_writer_take(wr_join_writer *w);
void wr_join_writer_deinit(wr_join_writer *w);

/* Memory that adding a batch may need. */
size_t wr_join_writer_bytes(const wr_join *join, wr_join_side side, uint32_t row_count);
uint32_t wr_join_partition(const wr_join *join, uint64_t hash, uint32_t level);
/* The largest partition in memory goes to disk: its bytes, 0 when there is none. */
WR_MUST_CHECK wr_status wr_join_evict(wr_join *join, uint64_t *bytes, wr_error *err);
/* Rows of a chunk to a writer; the chunk is destroyed. */
WR_MUST_CHECK wr_status wr_join_write_chunk(wr_join_writer *w, wr_join_chunk *chunk, wr_error *err);

/* Gives a worker's part to the join. */
void wr_join_add_part(wr_join *join, wr_join_side side, wr_join_part *part);
/* How much the budget could get back; under the lock. */
void wr_join_tell_spillable(wr_join *join);

/* Reads the rows of a partition, a batch at a time. */
typedef struct wr_join_reader {
    wr_join *join;
    uint8_t side;
    bool keep; /* the rows stay, to be read again; else they are gone when they were read */
    uint32_t index;
    wr_join_part *part; /* this one and those behind it */
    uint32_t slot;      /* of its disk rows */
    wr_row_page *page, *next_page;
    bool page_owned;
    uint32_t row;
    wr_batch batch; /* as wide as the side's batches; only kept columns are there */
    wr_keys keys;
    wr_vector words[2];
    uint8_t **addresses;
} wr_join_reader;

WR_MUST_CHECK wr_status wr_join_reader_init(wr_join_reader *r, wr_join *join, wr_join_side side, wr_join_part *parts,
                                            uint32_t index, bool keep, wr_error *err);
/* *more: batch and keys hold rows. */
WR_MUST_CHECK wr_status wr_join_reader_next(wr_join_reader *r, bool *more, wr_error *err);
void wr_join_reader_deinit(wr_join_reader *r);
/* join_build.c: rows that a reader gives become chunks in `list` (NULL: the join's), until they take limit_bytes or,
 * and then *more is false, there are no more. */
WR_MUST_CHECK wr_status wr_join_load_chunks(wr_join *join, wr_join_reader *reader, size_t limit_bytes,
                                            wr_join_chunk **list, bool *more, wr_error *err);

/* Collects rows of the build side into chunks, for a table that is not the join's own: `list` gets them when it is
 * finished, one chunk when row_count was right. A worker's own. */
typedef struct wr_join_collector wr_join_collector;
WR_MUST_CHECK wr_status wr_join_collector_create(wr_join_collector **out, wr_join *join, wr_join_chunk **list,
                                                 uint32_t row_count, wr_error *err);
WR_MUST_CHECK wr_status wr_join_collector_add(wr_join_collector *c, wr_join *join, const wr_batch *in, wr_error *err);
void wr_join_collector_finish(wr_join_collector *c, wr_join *join);

/* join_filter.c: the table is complete. */
WR_MUST_CHECK wr_status wr_join_publish(wr_join *join, wr_error *err);

/* Lists of parked wakers; the list's lock is held while parking, and not while waking. */
void wr_wakers_park(wr_waker **list, wr_waker *waker);
void wr_wakers_wake(wr_waker *list);

#endif
