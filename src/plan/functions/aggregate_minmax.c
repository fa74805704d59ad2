/* min and max of every flat type. Numbers go through kernel/reduce.h; booleans, intervals and text keep one value a
 * state. */
#include "plan/functions/aggregate.h"

/* Number states: the value, then a byte that says there is one. */
static bool is_number(wr_type type) {
    wr_phys phys = wr_type_phys(type);
    return phys >= WR_PHYS_I8 && phys <= WR_PHYS_F64;
}

static uint32_t seen_offset(wr_type type) {
    return (uint32_t)wr_phys_bytes(wr_type_phys(type));
}

static uint32_t state_bytes(const wr_type *arg_types, uint32_t arg_count) {
    (void)arg_count;
    return is_number(arg_types[0]) ? (seen_offset(arg_types[0]) + 8) / 8 * 8 : sizeof(wr_kept);
}

static void init(const wr_aggregate_context *c, uint8_t *base, uint32_t stride, uint32_t count) {
    WR_CLEAR_STATES(base, stride, count, state_bytes(&c->arg_type, 1));
}

/* ---- numbers ---- */

static void number_rows(const wr_aggregate_context *c, const wr_chunk *chunk, bool is_max) {
    const wr_reduce_kernels *k = c->kernels->reduce;
    wr_phys phys = wr_type_phys(c->arg_type);
    uint32_t offset = seen_offset(c->arg_type);
    wr_state_rows states = chunk->states;
    if (states.group) {
        (is_max ? k->group_max : k->group_min)[phys](chunk->data, chunk->valid, states.group, chunk->row_count,
                                                     states.base, states.stride, offset);
        return;
    }
    wr_int128 min, max;
    if (!k->bounds[phys](chunk->data, chunk->valid, chunk->row_count, &min, &max)) return;
    static const uint32_t first = 0;
    (is_max ? k->group_max : k->group_min)[phys](is_max ? &max : &min, NULL, &first, 1, states.base, 0, offset);
}

/* ---- other values ---- */

/* A whole batch into one state: finds the extreme row first, so that text is copied once. */
static wr_status kept_rows(const wr_aggregate_context *c, const wr_chunk *chunk, bool is_max) {
    wr_phys phys = wr_type_phys(c->arg_type);
    int sign = is_max ? 1 : -1;
    if (chunk->states.group) {
        WR_EACH_VALID(chunk, i) {
            wr_kept *kept = (wr_kept *)(void *)wr_state_of(chunk->states, (uint32_t)i);
            if (kept->seen && wr_kept_compare(phys, chunk->data, i, kept) * sign <= 0) continue;
            WR_TRY(wr_kept_set(c, kept, phys, chunk->data, i));
        }
        return WR_OK;
    }
    wr_kept best = {.seen = 0};
    size_t best_row = 0;
    wr_kept *kept = (wr_kept *)(void *)chunk->states.base;
    WR_EACH_VALID(chunk, i) {
        const wr_kept *against = best.seen ? &best : kept;
        if (against->seen && wr_kept_compare(phys, chunk->data, i, against) * sign <= 0) continue;
        best_row = i;
        best.seen = 1;
        if (phys == WR_PHYS_VIEW) {
            best.view = ((const wr_string_view *)chunk->data)[i]; /* borrowed */
        } else {
            WR_TRY(wr_kept_set(c, &best, phys, chunk->data, i));
        }
    }
    return best.seen ? wr_kept_set(c, kept, phys, chunk->data, best_row) : WR_OK;
}

static wr_status min_rows(const wr_aggregate_context *c, const wr_chunk *chunk) {
    if (!is_number(c->arg_type)) return kept_rows(c, chunk, false);
    number_rows(c, chunk, false);
    return WR_OK;
}
static wr_status max_rows(const wr_aggregate_context *c, const wr_chunk *chunk) {
    if (!is_number(c->arg_type)) return kept_rows(c, chunk, true);
    number_rows(c, chunk, true);
    return WR_OK;
}

static wr_status update_min(const wr_aggregate_context *c, const wr_vector *args, uint32_t arg_count,
                            const uint64_t *pass, uint32_t row_count, wr_state_rows states) {
    (void)arg_count;
    return wr_aggregate_chunks(c, &args[0], pass, row_count, states, min_rows);
}
static wr_status update_max(const wr_aggregate_context *c, const wr_vector *args, uint32_t arg_count,
                            const uint64_t *pass, uint32_t row_count, wr_state_rows states) {
    (void)arg_count;
    return wr_aggregate_chunks(c, &args[0], pass, row_count, states, max_rows);
}

/* ---- merging ---- */

static void merge_number(const wr_aggregate_context *c, uint8_t *source, uint8_t *target, bool is_max) {
    static const uint32_t first = 0;
    const wr_reduce_kernels *k = c->kernels->reduce;
    uint32_t offset = seen_offset(c->arg_type);
    if (!source[offset]) return;
    (is_max ? k->group_max : k->group_min)[wr_type_phys(c->arg_type)](source, NULL, &first, 1, target, 0, offset);
}

static void merge_kept(const wr_aggregate_context *c, wr_kept *source, wr_kept *target, bool is_max) {
    wr_phys phys = wr_type_phys(c->arg_type);
    bool better =
        source->seen && (!target->seen || wr_kept_compare(phys, source->words, 0, target) * (is_max ? 1 : -1) > 0);
    if (better) {
        wr_kept_take(c, target, source);
    } else {
        wr_kept_drop(c, source);
    }
}

static wr_status merge(const wr_aggregate_context *c, uint8_t *source, uint32_t source_stride, uint32_t count,
                       wr_state_rows targets, bool is_max) {
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *from = source + (size_t)i * source_stride, *to = wr_state_of(targets, i);
        if (is_number(c->arg_type)) {
            merge_number(c, from, to, is_max);
        } else {
            merge_kept(c, (wr_kept *)(void *)from, (wr_kept *)(void *)to, is_max);
        }
    }
    return WR_OK;
}
static wr_status merge_min(const wr_aggregate_context *c, uint8_t *source, uint32_t source_stride, uint32_t count,
                           wr_state_rows targets) {
    return merge(c, source, source_stride, count, targets, false);
}
static wr_status merge_max(const wr_aggregate_context *c, uint8_t *source, uint32_t source_stride, uint32_t count,
                           wr_state_rows targets) {
    return merge(c, source, source_stride, count, targets, true);
}

/* ---- results ---- */

static wr_status finalize(const wr_aggregate_context *c, const uint8_t *base, uint32_t stride, uint32_t count,
                          wr_vector *result) {
    WR_TRY(wr_vector_prepare(result, c->allocator, c->result, count, true, c->err));
    if (!is_number(c->arg_type)) {
        for (uint32_t i = 0; i < count; i++) {
            WR_TRY(wr_kept_put((const wr_kept *)(const void *)(base + (size_t)i * stride), result, i, c->err));
        }
        return WR_OK;
    }
    uint32_t width = seen_offset(c->arg_type);
    uint8_t *out = wr_vector_data_mut(result);
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *state = base + (size_t)i * stride;
        memcpy(out + (size_t)i * width, state, width);
        if (!state[width]) wr_bit_clear(wr_vector_validity_mut(result), i);
    }
    return WR_OK;
}

static void destroy(const wr_aggregate_context *c, uint8_t *base, uint32_t stride, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) wr_kept_drop(c, (wr_kept *)(void *)(base + (size_t)i * stride));
}
static size_t write_bytes(const uint8_t *state) {
    return wr_kept_write_bytes((const wr_kept *)(const void *)state, WR_PHYS_VIEW);
}
static void write(const uint8_t *state, uint8_t *out) {
    (void)wr_kept_write((const wr_kept *)(const void *)state, WR_PHYS_VIEW, out);
}
static wr_status read(const wr_aggregate_context *c, uint8_t *state, const uint8_t *bytes, size_t size) {
    return wr_kept_read(c, (wr_kept *)(void *)state, WR_PHYS_VIEW, &bytes, bytes + size);
}

static wr_status resolve(wr_resolution *r, wr_error *err) {
    r->result = r->arg_types[0];
    if (r->result.id < WR_TYPE_LIST && !r->result.collation) return WR_OK;
    return wr_fail(err, WR_UNSUPPORTED, "%s of %s is not supported", r->function->name,
                   wr_type_id_name((wr_type_id)r->result.id));
}

static const wr_aggregate_ops min_ops = {.state_bytes = state_bytes,
                                         .init = init,
                                         .update = update_min,
                                         .merge = merge_min,
                                         .finalize = finalize,
                                         .combines_with = "min"};
static const wr_aggregate_ops max_ops = {.state_bytes = state_bytes,
                                         .init = init,
                                         .update = update_max,
                                         .merge = merge_max,
                                         .finalize = finalize,
                                         .combines_with = "max"};
/* Text has memory of its own. */
static const wr_aggregate_ops min_text_ops = {.state_bytes = state_bytes,
                                              .init = init,
                                              .update = update_min,
                                              .merge = merge_min,
                                              .finalize = finalize,
                                              .destroy = destroy,
                                              .write_bytes = write_bytes,
                                              .write = write,
                                              .read = read,
                                              .combines_with = "min"};
static const wr_aggregate_ops max_text_ops = {.state_bytes = state_bytes,
                                              .init = init,
                                              .update = update_max,
                                              .merge = merge_max,
                                              .finalize = finalize,
                                              .destroy = destroy,
                                              .write_bytes = write_bytes,
                                              .write = write,
                                              .read = read,
                                              .combines_with = "max"};

#define EXTREME(name_, parameter, ops, text)                                                                           \
    {                                                                                                                  \
        .name = name_, .kind = WR_FUNCTION_AGGREGATE, .parameters = {parameter}, .resolve = resolve,                   \
        .aggregate = &(ops), .summary = text                                                                           \
    }

static const wr_function rows[] = {
    EXTREME("min", WR_EXACT(VARCHAR), min_text_ops, "smallest text in binary order"),
    EXTREME("min", WR_EXACT(BLOB), min_text_ops, "smallest value in binary order"),
    EXTREME("min", WR_ANY, min_ops, "smallest value"),
    EXTREME("max", WR_EXACT(VARCHAR), max_text_ops, "largest text in binary order"),
    EXTREME("max", WR_EXACT(BLOB), max_text_ops, "largest value in binary order"),
    EXTREME("max", WR_ANY, max_ops, "largest value"),
};

const wr_function_set wr_functions_aggregate_minmax = {"aggregate_minmax", rows, WR_COUNT_OF(rows)};
