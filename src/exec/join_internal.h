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
 *   join_filter.c   what a build side tells scans */
#ifndef WR_EXEC_JOIN_INTERNAL_H
#define WR_EXEC_JOIN_INTERNAL_H

#include "exec/batch_builder.h"
#include "exec/hash_join.h"
#include "kernel/bits.h"
#include "kernel/hash.h"
#include "kernel/join.h"
#include "kernel/select.h"

#define WR_JOIN_NO_ROW UINT32_MAX

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
    } *entries;
} wr_key_scratch;

WR_MUST_CHECK wr_status wr_key_plan_init(wr_key_plan *plan, const wr_join_key_spec *keys, uint32_t count,
                                         wr_error *err);
void wr_key_scratch_init(wr_key_scratch *s, wr_allocator *a, const wr_kernels *kernels);
void wr_key_scratch_deinit(wr_key_scratch *s);
/* Keys of rows `rows[0..count)` (NULL: the first `count`) of columns[part]. The result is the scratch's or the columns',
 * until the next call. */
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

/* ---- rows of the build side, as they come in ---- */

/* Rows of one morsel in a chunk: from `first` to the next run. */
typedef struct wr_join_run {
    uint32_t source, first;
    uint64_t morsel;
} wr_join_run;

enum { WR_CHUNK_ROWS_MAX = 64 * 1024, WR_CHUNK_ROWS_MIN = 1024, WR_CHUNK_BYTES_MAX = 4 << 20 };

typedef struct wr_join_chunk {
    struct wr_join_chunk *next;
    uint32_t row_count, capacity;
    bool null_keys; /* of rows whose keys match nothing: they have no words */
    uint64_t *words[2];
    wr_vector *columns; /* the join's store columns */
    wr_join_run *runs;
    uint32_t run_count, run_capacity;
    uint64_t min, max; /* of words[0] of an integer key */
} wr_join_chunk;

WR_MUST_CHECK wr_status wr_join_chunk_create(wr_join_chunk **out, const wr_join *join, uint32_t capacity,
                                             bool null_keys, wr_error *err);
void wr_join_chunk_destroy(wr_join_chunk *chunk, const wr_join *join);
void wr_join_chunks_destroy(wr_join_chunk **list, const wr_join *join);
/* Bytes of a chunk for `capacity` rows, long strings aside. */
size_t wr_join_chunk_bytes(const wr_join *join, uint32_t capacity);
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

/* Rows of chunks, in the order of ids. */
typedef struct wr_join_segment {
    wr_join_chunk *chunk;
    uint32_t first, count, id;
    uint32_t source;
    uint64_t morsel;
} wr_join_segment;

/* Segments [first, end) make a piece of work. */
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
    WR_BUILD_DENSE_BITS,
    WR_BUILD_DENSE_COUNT,
    WR_BUILD_DENSE_PLACE,
    WR_BUILD_HASH_COUNT,
    WR_BUILD_HASH_SCATTER,
    WR_BUILD_HASH_SLOTS,
    WR_BUILD_DONE
};

struct wr_table_build {
    wr_join_table *table;
    const wr_join *join;
    wr_allocator *allocator;
    uint32_t thread_count;
    uint8_t phase; /* enum wr_build_phase */
    uint32_t column;
    uint32_t segment_count, segment_capacity, slice_count;
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
    size_t bits_bytes, ranks_bytes;
};

/* join_index.c: what follows when the columns are there. */
WR_MUST_CHECK wr_status wr_index_begin(wr_table_build *build, uint32_t *item_count, wr_error *err);
WR_MUST_CHECK wr_status wr_index_item(wr_table_build *build, uint32_t item, wr_error *err);
void wr_index_deinit(wr_join_table *table);
/* Bytes that an index for so many rows takes at most while it is made. */
size_t wr_index_bytes(const wr_join *join, uint64_t row_count);

#endif
