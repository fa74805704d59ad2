/* first and any_value: the value of the first row, NULLs counted or not. First is by ordinal, never by time: a state keeps
 * where its value stood, so that states merge in any order. */
#include "plan/functions/aggregate.h"

/* Zero is no value. */
typedef struct first_state {
    wr_kept kept;
    wr_ordinal ordinal;
    uint64_t row; /* in its batch */
} first_state;

static uint32_t state_bytes(const wr_type *arg_types, uint32_t arg_count) {
    (void)arg_types;
    (void)arg_count;
    return sizeof(first_state);
}

static void init(const wr_aggregate_context *c, uint8_t *base, uint32_t stride, uint32_t count) {
    (void)c;
    WR_CLEAR_STATES(base, stride, count, sizeof(first_state));
}

static bool comes_before(wr_ordinal ordinal, uint64_t row, const first_state *state) {
    if (!state->kept.seen) return true;
    int order = wr_ordinal_compare(ordinal, state->ordinal);
    return order ? order < 0 : row < state->row;
}

/* The state of a row that comes before what it has, now standing there; NULL where it has an earlier one. */
static first_state *claim(const wr_aggregate_context *c, wr_state_rows states, uint32_t index, uint64_t row) {
    first_state *state = (first_state *)(void *)wr_state_of(states, index);
    if (!comes_before(c->ordinal, row, state)) return NULL;
    state->ordinal = c->ordinal;
    state->row = row;
    return state;
}

static wr_status value_rows(const wr_aggregate_context *c, const wr_chunk *chunk) {
    WR_EACH_VALID(chunk, i) {
        first_state *state = claim(c, chunk->states, (uint32_t)i, chunk->first + i);
        if (state) WR_TRY(wr_kept_set(c, &state->kept, wr_type_phys(c->arg_type), chunk->data, i));
    }
    return WR_OK;
}

static void null_rows(const wr_aggregate_context *c, const wr_vector *arg, const uint64_t *pass, uint32_t row_count,
                      wr_state_rows states) {
    uint64_t scratch[WR_AGGREGATE_SCRATCH_WORDS];
    bool any;
    const uint64_t *valid = wr_aggregate_rows(c, arg, pass, row_count, scratch, &any);
    for (uint32_t i = 0; i < row_count; i++) {
        if (!wr_valid(pass, i) || (any && wr_valid(valid, i))) continue;
        first_state *state = claim(c, states, i, i);
        if (!state) continue;
        wr_kept_drop(c, &state->kept);
        state->kept.seen = state->kept.is_null = 1;
    }
}

static wr_status update_any(const wr_aggregate_context *c, const wr_vector *args, uint32_t arg_count,
                            const uint64_t *pass, uint32_t row_count, wr_state_rows states) {
    (void)arg_count;
    return wr_aggregate_chunks(c, &args[0], pass, row_count, states, value_rows);
}
static wr_status update_first(const wr_aggregate_context *c, const wr_vector *args, uint32_t arg_count,
                              const uint64_t *pass, uint32_t row_count, wr_state_rows states) {
    null_rows(c, &args[0], pass, row_count, states);
    return update_any(c, args, arg_count, pass, row_count, states);
}

static wr_status merge(const wr_aggregate_context *c, uint8_t *source, uint32_t source_stride, uint32_t count,
                       wr_state_rows targets) {
    for (uint32_t i = 0; i < count; i++) {
        first_state *from = (first_state *)(void *)(source + (size_t)i * source_stride);
        first_state *to = (first_state *)(void *)wr_state_of(targets, i);
        if (!from->kept.seen || !comes_before(from->ordinal, from->row, to)) {
            wr_kept_drop(c, &from->kept);
            continue;
        }
        wr_kept_take(c, &to->kept, &from->kept);
        to->ordinal = from->ordinal;
        to->row = from->row;
    }
    return WR_OK;
}

static wr_status finalize(const wr_aggregate_context *c, const uint8_t *base, uint32_t stride, uint32_t count,
                          wr_vector *result) {
    WR_TRY(wr_vector_prepare(result, c->allocator, c->result, count, true, c->err));
    for (uint32_t i = 0; i < count; i++) {
        const first_state *state = (const first_state *)(const void *)(base + (size_t)i * stride);
        WR_TRY(wr_kept_put(&state->kept, result, i, c->err));
    }
    return WR_OK;
}

/* ---- states of text have memory of their own ---- */

static void destroy(const wr_aggregate_context *c, uint8_t *base, uint32_t stride, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) wr_kept_drop(c, &((first_state *)(void *)(base + (size_t)i * stride))->kept);
}

enum { PLACE_BYTES = sizeof(first_state) - sizeof(wr_kept) };

static size_t write_bytes(const uint8_t *bytes) {
    const first_state *state = (const first_state *)(const void *)bytes;
    return PLACE_BYTES + wr_kept_write_bytes(&state->kept, WR_PHYS_VIEW);
}
static void write(const uint8_t *bytes, uint8_t *out) {
    const first_state *state = (const first_state *)(const void *)bytes;
    memcpy(out, &state->ordinal, PLACE_BYTES);
    (void)wr_kept_write(&state->kept, WR_PHYS_VIEW, out + PLACE_BYTES);
}
static wr_status read(const wr_aggregate_context *c, uint8_t *out, const uint8_t *bytes, size_t size) {
    first_state *state = (first_state *)(void *)out;
    if (size < PLACE_BYTES) return wr_fail(c->err, WR_CORRUPT, "an aggregate's state is cut short");
    memcpy(&state->ordinal, bytes, PLACE_BYTES);
    const uint8_t *at = bytes + PLACE_BYTES;
    return wr_kept_read(c, &state->kept, WR_PHYS_VIEW, &at, bytes + size);
}

static wr_status resolve(wr_resolution *r, wr_error *err) {
    r->result = r->arg_types[0];
    if (r->result.id < WR_TYPE_LIST) return WR_OK;
    return wr_fail(err, WR_UNSUPPORTED, "%s of %s is not supported", r->function->name,
                   wr_type_id_name((wr_type_id)r->result.id));
}

#define PLAIN(update_)                                                                                                 \
    { .state_bytes = state_bytes, .init = init, .update = update_, .merge = merge, .finalize = finalize }
#define WITH_TEXT(update_)                                                                                             \
    {                                                                                                                  \
        .state_bytes = state_bytes, .init = init, .update = update_, .merge = merge, .finalize = finalize,             \
        .destroy = destroy, .write_bytes = write_bytes, .write = write, .read = read                                   \
    }

static const wr_aggregate_ops first_ops = PLAIN(update_first), first_text_ops = WITH_TEXT(update_first);
static const wr_aggregate_ops any_ops = PLAIN(update_any), any_text_ops = WITH_TEXT(update_any);

#define ROW(name_, aliases_, parameter, ops, text)                                                                     \
    {                                                                                                                  \
        .name = name_, .aliases = aliases_, .kind = WR_FUNCTION_AGGREGATE, .order_sensitive = true,                    \
        .parameters = {parameter}, .resolve = resolve, .aggregate = &(ops), .summary = text                            \
    }

static const wr_function rows[] = {
    ROW("first", "arbitrary", WR_EXACT(VARCHAR), first_text_ops, "value of the first row"),
    ROW("first", "arbitrary", WR_EXACT(BLOB), first_text_ops, "value of the first row"),
    ROW("first", "arbitrary", WR_ANY, first_ops, "value of the first row"),
    ROW("any_value", NULL, WR_EXACT(VARCHAR), any_text_ops, "first value that is not NULL"),
    ROW("any_value", NULL, WR_EXACT(BLOB), any_text_ops, "first value that is not NULL"),
    ROW("any_value", NULL, WR_ANY, any_ops, "first value that is not NULL"),
};

const wr_function_set wr_functions_aggregate_first = {"aggregate_first", rows, WR_COUNT_OF(rows)};
