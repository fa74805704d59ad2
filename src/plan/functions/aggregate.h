/* What the built-in aggregates share: their arguments as flat chunks, sums of all widths, and single values that a state
 * keeps. */
#ifndef WR_PLAN_FUNCTIONS_AGGREGATE_H
#define WR_PLAN_FUNCTIONS_AGGREGATE_H

#include "kernel/reduce.h"
#include "plan/functions/call.h"

static inline uint8_t *wr_state_of(wr_state_rows states, uint32_t row) {
    return states.group ? states.base + (size_t)states.group[row] * states.stride : states.base;
}
static inline wr_state_rows wr_states_from(wr_state_rows states, uint32_t row) {
    if (states.group) states.group += row;
    return states;
}

/* Rows of a flat column; those that count have their bit set in `valid` (NULL: all). */
typedef struct wr_chunk {
    const void *data;
    const uint64_t *valid;
    uint32_t row_count;
    uint32_t first; /* its row 0 in the batch */
    wr_state_rows states;
} wr_chunk;

/* Calls `each` with the argument in flat chunks: a flat column at once, dictionaries and constants in pieces. */
WR_MUST_CHECK wr_status wr_aggregate_chunks(const wr_aggregate_context *c, const wr_vector *arg, const uint64_t *pass,
                                            uint32_t row_count, wr_state_rows states,
                                            wr_status (*each)(const wr_aggregate_context *c, const wr_chunk *chunk));
/* Rows that count: valid in the argument and in `pass`. NULL means all; *any is false when it is none. `scratch` has room
 * for WR_BATCH_ROWS_MAX bits. */
const uint64_t *wr_aggregate_rows(const wr_aggregate_context *c, const wr_vector *arg, const uint64_t *pass,
                                  uint32_t row_count, uint64_t *scratch, bool *any);
enum { WR_AGGREGATE_SCRATCH_WORDS = WR_BATCH_ROWS_MAX / 64 };

/* The rows whose bit is set, one after the other. */
#define WR_EACH_VALID(chunk, row)                                                                                      \
    for (uint32_t row##_word = 0; row##_word * 64 < (chunk)->row_count; row##_word++)                                  \
        for (uint64_t row##_bits = wr_chunk_word((chunk), row##_word), row = 0;                                        \
             row##_bits && (row = row##_word * 64 + (uint64_t)__builtin_ctzll(row##_bits), true);                      \
             row##_bits &= row##_bits - 1)
static inline uint64_t wr_chunk_word(const wr_chunk *chunk, uint32_t word) {
    uint64_t bits = chunk->valid ? chunk->valid[word] : ~UINT64_C(0);
    uint32_t left = chunk->row_count - word * 64;
    return left < 64 ? bits & wr_bitmap_tail(left) : bits;
}

/* Sets the byte at `offset` of the state of every row that counts. */
void wr_aggregate_mark(const wr_chunk *chunk, uint32_t offset);

/* ---- sums ---- */

/* A sum as kernel/reduce.h keeps it, by the physical type of what is added. */
typedef enum wr_sum_kind { WR_SUM_128, WR_SUM_192, WR_SUM_FLOAT } wr_sum_kind;
static inline wr_sum_kind wr_sum_kind_of(wr_type type) {
    wr_phys phys = wr_type_phys(type);
    return phys == WR_PHYS_F32 || phys == WR_PHYS_F64 ? WR_SUM_FLOAT : phys == WR_PHYS_I128 ? WR_SUM_192 : WR_SUM_128;
}
static inline uint32_t wr_sum_bytes(wr_sum_kind kind) {
    return kind == WR_SUM_128 ? sizeof(wr_int128) : kind == WR_SUM_192 ? sizeof(wr_sum192) : sizeof(wr_float_sum);
}
/* Adds an argument to the sums at the front of the states, and marks or counts its rows at `tail` behind them. */
typedef enum wr_sum_tail { WR_TAIL_MARK, WR_TAIL_COUNT } wr_sum_tail;
WR_MUST_CHECK wr_status wr_sum_update(const wr_aggregate_context *c, const wr_vector *arg, const uint64_t *pass,
                                      uint32_t row_count, wr_state_rows states, wr_sum_tail tail);
void wr_sum_merge(wr_sum_kind kind, uint8_t *target, const uint8_t *source);
/* Adds an exact sum to one state of WR_SUM_128 or WR_SUM_192. */
void wr_sum_add(wr_sum_kind kind, uint8_t *state, wr_int128 sum);
static inline uint64_t *wr_sum_tail_of(wr_sum_kind kind, uint8_t *state) {
    return (uint64_t *)(void *)(state + wr_sum_bytes(kind));
}
static inline uint64_t wr_sum_tail_value(wr_sum_kind kind, const uint8_t *state) {
    return *(const uint64_t *)(const void *)(state + wr_sum_bytes(kind));
}
static inline wr_int128 wr_sum_read128(const uint8_t *state) {
    wr_int128 value;
    memcpy(&value, state, sizeof value);
    return value;
}

/* States that are plain zero when empty. */
#define WR_CLEAR_STATES(base, stride, count, bytes)                                                                    \
    do {                                                                                                               \
        for (uint32_t i_ = 0; i_ < (count); i_++) memset((base) + (size_t)i_ * (stride), 0, (bytes));                  \
    } while (0)

/* ---- a kept value ---- */

/* One value of any flat type in 24 bytes; long text has memory of its own. Plain zero is no value. */
typedef struct wr_kept {
    union {
        wr_string_view view; /* also all fixed widths, at its front */
        uint64_t words[2];
    };
    uint32_t capacity; /* of view.data, when it is ours */
    uint8_t seen;      /* there is a value */
    uint8_t is_null;   /* and it is NULL */
    uint16_t unused;
} wr_kept;

/* Keeps row `row` of flat data. */
WR_MUST_CHECK wr_status wr_kept_set(const wr_aggregate_context *c, wr_kept *kept, wr_phys phys, const void *data,
                                    size_t row);
/* Takes over source's value and memory; the old one is dropped. */
void wr_kept_take(const wr_aggregate_context *c, wr_kept *kept, wr_kept *source);
void wr_kept_drop(const wr_aggregate_context *c, wr_kept *kept);
/* -1, 0, 1: row `row` of flat data against the kept value, in the order of comparisons. */
int wr_kept_compare(wr_phys phys, const void *data, size_t row, const wr_kept *kept);
/* Writes the kept value (or NULL) to a row of a prepared, nullable vector; text is copied to its heap. */
WR_MUST_CHECK wr_status wr_kept_put(const wr_kept *kept, wr_vector *out, uint32_t row, wr_error *err);
/* Spilling: the struct without its pointer, then the text. */
size_t wr_kept_write_bytes(const wr_kept *kept, wr_phys phys);
uint8_t *wr_kept_write(const wr_kept *kept, wr_phys phys, uint8_t *out);
WR_MUST_CHECK wr_status wr_kept_read(const wr_aggregate_context *c, wr_kept *kept, wr_phys phys, const uint8_t **bytes,
                                     const uint8_t *end);

#endif
