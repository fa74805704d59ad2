/* What the sources of aggregation share: the plan of an aggregation, tables of groups, partitions. See AGGREGATION.md.
 *
 * A group is an entry: its key, then the states of all aggregates, so that a row's updates touch one place. Entries lie
 * side by side and are addressed by index, so they move as bytes and their array may move. Keys in an entry: AGG_WORD
 * 8 bytes: all key columns packed                     [word      ][states…] AGG_WORDS   16 bytes: the same in two words
 * [word][word][states…] AGG_ROWS    the key columns are in a row elsewhere, with hash   [row* ][hash][states…]
 *   AGG_NO_KEY  nothing: the index says it all (dense arrays, one group)       [states…]
 * On pages (partitions, spilled or not) an entry is the tail of a row whose columns, for AGG_ROWS, are the keys. */
#ifndef WR_EXEC_AGGREGATE_INTERNAL_H
#define WR_EXEC_AGGREGATE_INTERNAL_H

#include "exec/hash_aggregate.h"
#include "exec/key_hash.h"
#include "kernel/group.h"

typedef enum wr_agg_mode { WR_AGG_NO_KEY, WR_AGG_WORD, WR_AGG_WORDS, WR_AGG_ROWS } wr_agg_mode;

typedef struct wr_agg_key {
    wr_aggregate_key spec;
    wr_type type;
    uint8_t phys;
    uint8_t word; /* AGG_WORDS: which */
    wr_pack_field field;
} wr_agg_key;

typedef struct wr_agg_call {
    wr_aggregate_call spec;
    const wr_aggregate_ops *ops;
    wr_type arg_type;
    uint32_t offset; /* of the state in an entry */
} wr_agg_call;

/* What is known before the first row; immutable. */
typedef struct wr_agg_plan {
    wr_exec *exec;
    wr_budget *budget; /* charged with all that grows */
    wr_allocator *allocator;
    const wr_kernels *kernels;
    uint32_t input_count, key_count, call_count, arg_count, product_count;
    wr_agg_key *keys;
    wr_agg_call *calls;
    uint32_t *args; /* of all calls */
    const wr_aggregate_product *products;
    wr_program *program; /* of the products; NULL: there are none */
    bool folds;          /* some call can go by dictionary algebra */
    bool *null_equals;   /* of each key: true */
    wr_agg_mode mode;
    bool owns; /* some state holds memory of its own */
    uint32_t entry_bytes, entry_align;
    wr_row_layout layout;     /* of pages: key columns (AGG_ROWS), the entry as tail */
    wr_row_layout key_layout; /* AGG_ROWS, of rows beside a table: the same columns at the same places, no tail */
    uint32_t radix_bits;      /* of the first partitioning */
    uint32_t page_bytes;
    uint32_t table_groups;     /* a worker's table is flushed beyond */
    uint32_t probation_groups; /* so many show whether grouping reduces */
} wr_agg_plan;

/* `keyless`: entries hold no key, whatever there are. */
WR_MUST_CHECK wr_status wr_agg_plan_init(wr_agg_plan *plan, wr_exec *exec, wr_budget *budget,
                                         const wr_aggregate_spec *spec, bool keyless, wr_error *err);
void wr_agg_plan_deinit(wr_agg_plan *plan);

/* ---- states ---- */

typedef struct wr_agg_algebra wr_agg_algebra;

/* One worker's contexts for calling aggregates; `err` and `ordinal` are set where they are used. */
typedef struct wr_agg_states {
    const wr_agg_plan *plan;
    wr_aggregate_context *contexts; /* of each call */
    wr_vector *args;                /* room for a call's arguments side by side */
    uint64_t *pass;                 /* FILTER */
    uint32_t pass_capacity;
    wr_vector flat;
    wr_program_state *program; /* made when a product is first asked for */
    wr_vector *products;
    wr_agg_algebra *algebra; /* or NULL; what it holds is not in the entries yet */
    uint64_t folded_rows;    /* that went through it */
} wr_agg_states;

WR_MUST_CHECK wr_status wr_agg_states_init(wr_agg_states *s, const wr_agg_plan *plan, wr_error *err);
void wr_agg_states_deinit(wr_agg_states *s);
void wr_agg_states_create(wr_agg_states *s, uint8_t *entries, uint32_t stride, uint32_t count);
void wr_agg_states_destroy(wr_agg_states *s, uint8_t *entries, uint32_t stride, uint32_t count);
/* Adds row i of the batch to entry groups[i]; groups NULL: to the one at `entries`. With a group_count, all groups are
 * below it, they keep their places, and sums may be held back until they are settled. */
WR_MUST_CHECK wr_status wr_agg_states_update(wr_agg_states *s, const wr_batch *batch, uint8_t *entries,
                                             const uint32_t *groups, uint32_t group_count, wr_error *err);
/* Adds what was held back: before anybody else reads the entries, or they change their places. */
void wr_agg_states_settle(wr_agg_states *s, uint8_t *entries);
/* Adds entry i of the source to groups[i] of `entries`. The source's states are dead afterwards, also on failure. */
WR_MUST_CHECK wr_status wr_agg_states_merge(wr_agg_states *s, uint8_t *source, uint32_t stride, uint32_t count,
                                            uint8_t *entries, const uint32_t *groups, wr_error *err);
/* The results of `count` entries as columns key_count… of the batch. */
WR_MUST_CHECK wr_status wr_agg_states_finalize(wr_agg_states *s, const uint8_t *entries, uint32_t count, wr_batch *out,
                                               wr_error *err);

/* ---- dictionary algebra: sums by joint code in front of the states; see aggregate_algebra.c ---- */

bool wr_agg_algebra_applies(const wr_agg_plan *plan);
/* NULL when there is no memory: the ordinary way needs none. */
wr_agg_algebra *wr_agg_algebra_create(const wr_agg_plan *plan);
void wr_agg_algebra_destroy(wr_agg_algebra *a);
/* Holds the batch's rows for the calls that it handles; false: it took nothing. Groups are below group_count. */
bool wr_agg_algebra_add(wr_agg_algebra *a, const wr_batch *batch, const wr_aggregate_context *contexts,
                        uint8_t *entries, const uint32_t *groups, uint32_t group_count);
bool wr_agg_algebra_handles(const wr_agg_algebra *a, uint32_t call);
void wr_agg_algebra_settle(wr_agg_algebra *a, const wr_aggregate_context *contexts, uint8_t *entries);

/* ---- keys of a batch, or of entries ---- */

typedef struct wr_agg_keys {
    const wr_agg_plan *plan;
    uint32_t count, capacity;
    uint64_t *words, *seconds, *hashes; /* words: AGG_WORD and AGG_WORDS */
    wr_vector *columns;                 /* AGG_ROWS: of a batch; borrowed */
    wr_vector *canonical;               /* AGG_ROWS: floats with one zero and one NaN */
    uint8_t **rows;                     /* AGG_ROWS: of entries; NULL: columns */
    uint8_t **row_storage;
    wr_key_hash hash;
    wr_vector flat;
} wr_agg_keys;

WR_MUST_CHECK wr_status wr_agg_keys_init(wr_agg_keys *keys, const wr_agg_plan *plan, wr_error *err);
void wr_agg_keys_deinit(wr_agg_keys *keys);
/* columns[k]: the column of key k. */
WR_MUST_CHECK wr_status wr_agg_keys_of_columns(wr_agg_keys *keys, const wr_vector *const *columns, uint32_t count,
                                               wr_error *err);
/* Entries of a table, or on a page: rows[i] is entry i's row. */
WR_MUST_CHECK wr_status wr_agg_keys_of_entries(wr_agg_keys *keys, const uint8_t *entries, uint32_t stride,
                                               uint32_t count, bool on_page, wr_error *err);
/* Hashes of `count` entries. */
void wr_agg_entry_hashes(const wr_agg_plan *plan, const uint8_t *entries, uint32_t stride, uint32_t count,
                         uint64_t *words, uint64_t *seconds, uint64_t *hashes);
/* The error for a value outside of the bounds of its key; `flat` has one. */
wr_status wr_agg_fail_bounds(const wr_agg_key *key, const wr_vector *flat, wr_error *err);
/* Keys of the entries as columns 0… of the batch. */
WR_MUST_CHECK wr_status wr_agg_keys_emit(const wr_agg_plan *plan, const uint8_t *entries, uint32_t count, wr_batch *out,
                                         wr_error *err);

/* ---- a table of groups ---- */

typedef struct wr_agg_table {
    const wr_agg_plan *plan;
    wr_agg_states *states;
    uint8_t *entries;
    uint32_t first; /* entries before it were moved elsewhere */
    uint32_t count, capacity, limit;
    uint32_t *directory;
    uint32_t slot_count; /* a power of two, or 0 */
    wr_row_list rows;    /* AGG_ROWS: keys of entries, of key_layout */
    wr_row_list pages;   /* AGG_ROWS: pages from elsewhere that keys of entries are on */
    uint64_t generation; /* rises when entries are dropped */
} wr_agg_table;

/* `limit`: groups that it is meant to hold; it takes more when one call brings more. */
void wr_agg_table_init(wr_agg_table *t, const wr_agg_plan *plan, wr_agg_states *states, uint32_t limit);
void wr_agg_table_deinit(wr_agg_table *t);
/* Forgets all groups, whose states were moved elsewhere; keeps its memory. */
void wr_agg_table_reset(wr_agg_table *t);
/* groups[i] of the rows that have one; the others are listed in `missed` (room for count + 1) and counted. Changes
 * nothing. */
uint32_t wr_agg_table_probe(wr_agg_table *t, const wr_agg_keys *keys, uint32_t *groups, uint32_t *missed);
/* What wr_agg_table_insert will allocate at most for these rows. */
size_t wr_agg_table_need(const wr_agg_table *t, const wr_agg_keys *keys, const uint32_t *missed, uint32_t missed_count);
/* Finds or makes groups of the missed rows; new ones have fresh states. Keys that are rows stay where they are: the
 * page must live as long as the table. */
WR_MUST_CHECK wr_status wr_agg_table_insert(wr_agg_table *t, const wr_agg_keys *keys, const uint32_t *missed,
                                            uint32_t missed_count, uint32_t *groups, wr_error *err);
/* A group for each row, without looking for an equal one: groups count on from table->count. The table must be flushed
 * before it is probed again. */
WR_MUST_CHECK wr_status wr_agg_table_append(wr_agg_table *t, const wr_agg_keys *keys, uint32_t *groups, wr_error *err);

/* The directory of a table whose groups were appended, all different. */
WR_MUST_CHECK wr_status wr_agg_table_index(wr_agg_table *t, wr_error *err);
/* AGG_ROWS: copies of the rows of groups [first, count) to the table's own pages. */
WR_MUST_CHECK wr_status wr_agg_table_own_rows(wr_agg_table *t, uint32_t first, wr_error *err);

/* ---- partitions: entries by the top bits of their hash, on pages, in memory or spilled ---- */

typedef struct wr_agg_partition {
    wr_row_list rows;
    uint8_t *cursor, *end; /* of the page being written; AGG_WORD and AGG_WORDS */
    wr_spilled_rows spilled;
} wr_agg_partition;

typedef struct wr_agg_partitions {
    const wr_agg_plan *plan;
    wr_agg_states *states;
    uint32_t bits, used_bits; /* of the hash */
    wr_agg_partition *items;  /* 1 << bits; NULL: none yet */
    uint64_t memory_bytes;    /* of pages */
    uint64_t spilled_bytes;   /* ever */
} wr_agg_partitions;

void wr_agg_partitions_init(wr_agg_partitions *p, const wr_agg_plan *plan, wr_agg_states *states, uint32_t bits,
                            uint32_t used_bits);
void wr_agg_partitions_deinit(wr_agg_partitions *p);
/* Moves all groups of the table here and resets it. On failure some were moved, the others are still the table's. */
WR_MUST_CHECK wr_status wr_agg_flush(wr_agg_partitions *p, wr_agg_table *t, wr_error *err);
/* The same with as little memory as there is: when a page is refused, those that are there go to disk. */
WR_MUST_CHECK wr_status wr_agg_flush_tight(wr_agg_partitions *p, wr_agg_table *t, wr_error *err);
/* Room that a flush needs at most. */
size_t wr_agg_flush_need(const wr_agg_partitions *p, const wr_agg_table *t);
/* Pages to disk, the largest partitions first, until no more than `keep_bytes` are in memory. */
WR_MUST_CHECK wr_status wr_agg_spill(wr_agg_partitions *p, uint64_t keep_bytes, wr_error *err);
/* Takes the next page of partition `index`, from memory or from disk; NULL when there is none. *cursor counts spilled
 * pages from 0. */
WR_MUST_CHECK wr_status wr_agg_next_page(wr_agg_partitions *p, uint32_t index, uint32_t *cursor, wr_row_page **out,
                                         wr_error *err);

/* ---- merging ---- */

/* A part of a partition by further bits, when its groups do not fit at once. */
enum { WR_AGG_LEVELS = 8 };
typedef struct wr_agg_level {
    wr_agg_partitions parts;
    uint32_t index; /* of the partition being merged */
    uint32_t cursor;
} wr_agg_level;

/* One worker's merging of partitions: pages in, complete tables out. */
typedef struct wr_agg_merger {
    const wr_agg_plan *plan;
    wr_agg_states states;
    wr_agg_keys keys;
    wr_agg_table table;
    uint32_t *groups, *missed;
    uint32_t capacity;
    wr_row_page *page; /* taken, and not merged yet */
    wr_agg_partitions **inputs;
    uint32_t input_count, input, index, cursor;
    wr_agg_level levels[WR_AGG_LEVELS];
    uint32_t level; /* levels[0..level) are being read; levels[level] takes what does not fit */
} wr_agg_merger;

WR_MUST_CHECK wr_status wr_agg_merger_init(wr_agg_merger *m, const wr_agg_plan *plan, wr_error *err);
void wr_agg_merger_deinit(wr_agg_merger *m);
/* Partition `index` of all inputs, which nobody else reads. */
void wr_agg_merger_start(wr_agg_merger *m, wr_agg_partitions **inputs, uint32_t input_count, uint32_t index);
/* A page's worth of work. HAVE_OUTPUT: the table's groups are complete; the caller takes them out and resets it. DONE:
 * all have been. NEED_INPUT: call again. */
WR_MUST_CHECK wr_status wr_agg_merger_step(wr_agg_merger *m, wr_flow *flow, wr_waker *waker, wr_error *err);
/* Merges another table's groups into `t`; the other one is empty afterwards. */
WR_MUST_CHECK wr_status wr_agg_table_absorb(wr_agg_table *t, wr_agg_keys *keys, wr_agg_table *other, wr_error *err);

/* Groups as a batch: keys, then results. */
WR_MUST_CHECK wr_status wr_agg_emit(const wr_agg_plan *plan, wr_agg_states *states, const uint8_t *entries,
                                    uint32_t count, wr_batch *out, wr_error *err);

/* ---- a cache in front of a table: joint codes of keys from small domains, to groups ----
 *
 * Keys that are dictionary codes, or integers in a small window, make one number together; a map leads from it to the
 * group, so that rows of a group that is known cost a multiplication and a load a key. */

typedef struct wr_agg_joint wr_agg_joint;
WR_MUST_CHECK wr_status wr_agg_joint_create(wr_agg_joint **out, const wr_agg_plan *plan, wr_error *err);
void wr_agg_joint_destroy(wr_agg_joint *j);
/* groups[i] of every row whose group the map knows. *applies is false when these keys have no joint codes. Rows of
 * which the map knows nothing are listed once for each joint code in rows[0..*row_count): the caller finds their groups
 * and then calls learn. */
WR_MUST_CHECK wr_status wr_agg_joint_lookup(wr_agg_joint *j, const wr_vector *const *columns, uint32_t count,
                                            const wr_agg_table *table, uint32_t *groups, bool *applies,
                                            const uint32_t **rows, uint32_t *row_count, wr_error *err);
/* found[k] is the group of rows[k]; completes groups[0..count). */
void wr_agg_joint_learn(wr_agg_joint *j, const uint32_t *found, uint32_t count, uint32_t *groups);

/* ---- a whole aggregation: what tasks hand over, how it becomes a result, and its source ---- */

/* What one task has grouped; handed from task to the shared state, and back when an epoch did not end the input. */
typedef struct wr_agg_groups {
    struct wr_agg_groups *next;
    wr_agg_states states;
    wr_agg_table table;
    wr_agg_partitions parts;
} wr_agg_groups;

typedef enum wr_agg_result { WR_AGG_NOTHING, WR_AGG_TABLE, WR_AGG_PARTITIONS } wr_agg_result;

/* Shared by the nodes of an aggregation, each with a reference. */
typedef struct wr_aggregation {
    _Atomic int32_t refs;
    wr_exec *exec;
    wr_budget *budget;
    wr_agg_plan plan;
    _Atomic size_t spillable_bytes;
    wr_mutex lock;
    wr_agg_groups *handed; /* under lock until the epoch's end */
    wr_wait_list waiting;  /* under lock: of a late source, for the end of the epoch */
    wr_control *ends;      /* under lock: of epochs that ended, which a late source has not yet ended, too */
    uint32_t end_count, end_capacity;
    wr_agg_result result;
    wr_agg_groups **workers;    /* all that was handed over, once the input has ended */
    wr_agg_partitions **inputs; /* of the same */
    uint32_t worker_count;
    wr_agg_keys finish_keys;
    uint64_t morsel_next, morsel_count;
} wr_aggregation;

WR_MUST_CHECK wr_status wr_aggregation_create(wr_aggregation **out, wr_exec *exec, const wr_aggregate_spec *spec,
                                              const char *label, wr_error *err);
wr_aggregation *wr_aggregation_retain(wr_aggregation *g);
void wr_aggregation_release(wr_aggregation *g);
/* What an earlier epoch has left, or a new one. */
WR_MUST_CHECK wr_status wr_aggregation_acquire(wr_aggregation *g, wr_agg_groups **out, wr_error *err);
void wr_aggregation_hand_over(wr_aggregation *g, wr_agg_groups *groups);
/* Once per epoch, when all tasks have handed over; *task_count finish calls follow. */
WR_MUST_CHECK wr_status wr_aggregation_end(wr_aggregation *g, const wr_control *control, uint32_t *task_count,
                                           wr_error *err);
/* Without a waker it does not wait for memory but makes do. */
WR_MUST_CHECK wr_status wr_aggregation_finish(wr_aggregation *g, uint32_t task, uint64_t *spilled_bytes, wr_flow *flow,
                                              wr_waker *waker, wr_error *err);
/* Tells a late source that all of it is done. */
WR_MUST_CHECK wr_status wr_aggregation_complete(wr_aggregation *g, const wr_control *control, wr_error *err);
/* The groups. `late`: waits by itself for the end of each epoch. */
WR_MUST_CHECK wr_status wr_aggregation_source_create(wr_source **out, wr_aggregation *g, bool late, const char *label,
                                                     uint32_t logical_id, wr_error *err);

/* ---- the ways to aggregate; wr_aggregate_create chooses ---- */

WR_MUST_CHECK wr_status wr_hash_aggregate_create(wr_sink **sink, wr_source **source, wr_exec *exec,
                                                 const wr_aggregate_spec *spec, wr_error *err);
/* The keys make a small domain; whether it is used is decided when the size of states is known: *sink is NULL if not.
 */
bool wr_dense_aggregate_applies(const wr_exec *exec, const wr_aggregate_spec *spec);
WR_MUST_CHECK wr_status wr_dense_aggregate_create(wr_sink **sink, wr_source **source, wr_exec *exec,
                                                  const wr_aggregate_spec *spec, wr_error *err);
WR_MUST_CHECK wr_status wr_plain_aggregate_create(wr_sink **sink, wr_source **source, wr_exec *exec,
                                                  const wr_aggregate_spec *spec, wr_error *err);

#endif
