/* Shared pieces of the built-in aggregates; see aggregate.h. */
#include "plan/functions/aggregate.h"

#include "kernel/bits.h"
#include "kernel/select.h"

/* ---- arguments ---- */

const uint64_t *wr_aggregate_rows(const wr_aggregate_context *c, const wr_vector *arg, const uint64_t *pass,
                                  uint32_t row_count, uint64_t *scratch, bool *any) {
    const wr_bits_kernels *bits = c->kernels->bits;
    *any = !wr_is_constant_null(arg);
    if (arg->kind == WR_CONSTANT || !*any) return pass;
    const uint64_t *valid = arg->validity;
    if (arg->kind == WR_DICTIONARY) {
        const wr_vector *values = wr_vector_dictionary(arg);
        *any = values->row_count > 0;
        if (*any && values->validity) {
            bits->lookup(values->validity, arg->data, row_count, scratch);
            if (valid) bits->and_(scratch, valid, row_count, scratch);
            valid = scratch;
        }
    }
    if (!valid || !pass) return valid ? valid : pass;
    bits->and_(valid, pass, row_count, scratch);
    return scratch;
}

enum { PIECE_ROWS = 512 };

typedef union piece_buffer {
    uint8_t bytes[PIECE_ROWS * 16];
    wr_int128 aligned;
} piece_buffer;

static void fill_constant(const wr_vector *arg, piece_buffer *piece) {
    if (arg->phys == WR_PHYS_BOOL) {
        memset(piece->bytes, wr_bool_row(arg, 0) ? 0xff : 0, PIECE_ROWS / 8);
        return;
    }
    size_t width = wr_phys_bytes((wr_phys)arg->phys);
    for (size_t i = 0; i < PIECE_ROWS; i++) memcpy(piece->bytes + i * width, arg->data, width);
}

wr_status wr_aggregate_chunks(const wr_aggregate_context *c, const wr_vector *arg, const uint64_t *pass,
                              uint32_t row_count, wr_state_rows states,
                              wr_status (*each)(const wr_aggregate_context *c, const wr_chunk *chunk)) {
    uint64_t scratch[WR_AGGREGATE_SCRATCH_WORDS];
    bool any;
    const uint64_t *valid = wr_aggregate_rows(c, arg, pass, row_count, scratch, &any);
    if (!any) return WR_OK;
    if (arg->kind == WR_FLAT) return each(c, &(wr_chunk){arg->data, valid, row_count, 0, states});
    piece_buffer piece;
    if (arg->kind == WR_CONSTANT) fill_constant(arg, &piece);
    for (uint32_t at = 0; at < row_count; at += PIECE_ROWS) {
        uint32_t n = row_count - at < PIECE_ROWS ? row_count - at : PIECE_ROWS;
        if (arg->kind == WR_DICTIONARY) {
            const wr_vector *values = wr_vector_dictionary(arg);
            const uint32_t *codes = (const uint32_t *)arg->data + at;
            if (arg->phys == WR_PHYS_BOOL) {
                c->kernels->bits->lookup(values->data, codes, n, (uint64_t *)(void *)piece.bytes);
            } else {
                unsigned width = (unsigned)wr_phys_bytes((wr_phys)arg->phys);
                c->kernels->select->gather32[wr_width_index(width)](values->data, codes, n, piece.bytes);
            }
        }
        WR_TRY(each(c, &(wr_chunk){piece.bytes, valid ? valid + at / 64 : NULL, n, at, wr_states_from(states, at)}));
    }
    return WR_OK;
}

void wr_aggregate_mark(const wr_chunk *chunk, uint32_t offset) {
    wr_state_rows states = chunk->states;
    if (!states.group) {
        for (uint32_t w = 0; w * 64 < chunk->row_count; w++) states.base[offset] |= wr_chunk_word(chunk, w) != 0;
    } else if (!chunk->valid) {
        uint8_t *marks = states.base + offset;
        for (uint32_t i = 0; i < chunk->row_count; i++) marks[(size_t)states.group[i] * states.stride] = 1;
    } else {
        WR_EACH_VALID(chunk, i) wr_state_of(states, (uint32_t)i)[offset] = 1;
    }
}

/* ---- sums ---- */

static void add_tail(const wr_aggregate_context *c, const wr_chunk *chunk, wr_sum_tail tail) {
    uint32_t offset = wr_sum_bytes(wr_sum_kind_of(c->arg_type));
    wr_state_rows states = chunk->states;
    if (tail == WR_TAIL_MARK) {
        wr_aggregate_mark(chunk, offset);
    } else if (states.group) {
        c->kernels->reduce->group_count(chunk->valid, states.group, chunk->row_count, states.base + offset,
                                        states.stride);
    } else {
        uint64_t *count = (uint64_t *)(void *)(states.base + offset);
        *count += chunk->valid ? c->kernels->bits->count(chunk->valid, chunk->row_count) : chunk->row_count;
    }
}

static void add_sum(const wr_aggregate_context *c, const wr_chunk *chunk) {
    const wr_reduce_kernels *k = c->kernels->reduce;
    wr_phys phys = wr_type_phys(c->arg_type);
    if (chunk->states.group) {
        k->group_sum[phys](chunk->data, chunk->valid, chunk->states.group, chunk->row_count, chunk->states.base,
                           chunk->states.stride);
    } else {
        k->sum[phys](chunk->data, chunk->valid, chunk->row_count, chunk->states.base);
    }
}

static wr_status sum_and_mark(const wr_aggregate_context *c, const wr_chunk *chunk) {
    add_sum(c, chunk);
    add_tail(c, chunk, WR_TAIL_MARK);
    return WR_OK;
}

static wr_status sum_and_count(const wr_aggregate_context *c, const wr_chunk *chunk) {
    add_sum(c, chunk);
    add_tail(c, chunk, WR_TAIL_COUNT);
    return WR_OK;
}

/* By code, without a copy of the values. */
static void sum_by_code(const wr_aggregate_context *c, const wr_vector *arg, const uint64_t *pass, uint32_t row_count,
                        wr_state_rows states, wr_sum_tail tail) {
    uint64_t scratch[WR_AGGREGATE_SCRATCH_WORDS];
    bool any;
    const uint64_t *valid = wr_aggregate_rows(c, arg, pass, row_count, scratch, &any);
    if (!any) return;
    c->kernels->reduce->group_sum_by_code[arg->phys](wr_vector_dictionary(arg)->data, arg->data, valid, states.group,
                                                     row_count, states.base, states.stride);
    add_tail(c, &(wr_chunk){NULL, valid, row_count, 0, states}, tail);
}

wr_status wr_sum_update(const wr_aggregate_context *c, const wr_vector *arg, const uint64_t *pass, uint32_t row_count,
                        wr_state_rows states, wr_sum_tail tail) {
    if (arg->kind == WR_DICTIONARY && states.group && c->kernels->reduce->group_sum_by_code[arg->phys]) {
        sum_by_code(c, arg, pass, row_count, states, tail);
        return WR_OK;
    }
    return wr_aggregate_chunks(c, arg, pass, row_count, states, tail == WR_TAIL_MARK ? sum_and_mark : sum_and_count);
}

void wr_sum_add(wr_sum_kind kind, uint8_t *state, wr_int128 sum) {
    if (kind == WR_SUM_192) {
        wr_sum192_add((wr_sum192 *)(void *)state, sum);
    } else {
        wr_uint128 total = (wr_uint128)wr_sum_read128(state) + (wr_uint128)sum;
        memcpy(state, &total, sizeof total);
    }
}

void wr_sum_merge(wr_sum_kind kind, uint8_t *target, const uint8_t *source) {
    switch (kind) {
    case WR_SUM_128: {
        wr_uint128 sum = (wr_uint128)wr_sum_read128(target) + (wr_uint128)wr_sum_read128(source);
        memcpy(target, &sum, sizeof sum);
        break;
    }
    case WR_SUM_192: wr_sum192_merge((wr_sum192 *)(void *)target, (const wr_sum192 *)(const void *)source); break;
    case WR_SUM_FLOAT:
        wr_float_sum_merge((wr_float_sum *)(void *)target, (const wr_float_sum *)(const void *)source);
        break;
    }
}

/* ---- kept values ---- */

static wr_status set_text(const wr_aggregate_context *c, wr_kept *kept, const wr_string_view *v) {
    if (v->size <= WR_STRING_INLINE) {
        wr_kept_drop(c, kept);
        kept->view = *v;
        return WR_OK;
    }
    if (kept->capacity < v->size) {
        uint32_t capacity = v->size < 32 ? 32 : (v->size + v->size / 4 + 15) & ~15u;
        if (capacity < v->size) capacity = v->size;
        char *data = wr_alloc(c->allocator, capacity);
        if (!data) return wr_fail_memory(c->err, capacity, "an aggregate's text");
        wr_kept_drop(c, kept);
        kept->view.data = data;
        kept->capacity = capacity;
    }
    char *own = (char *)(uintptr_t)kept->view.data;
    memcpy(own, v->data, v->size);
    kept->view = wr_view_make(own, v->size);
    return WR_OK;
}

wr_status wr_kept_set(const wr_aggregate_context *c, wr_kept *kept, wr_phys phys, const void *data, size_t row) {
    if (phys == WR_PHYS_VIEW) {
        WR_TRY(set_text(c, kept, (const wr_string_view *)data + row));
    } else if (phys == WR_PHYS_BOOL) {
        kept->words[0] = wr_bit_get(data, row);
    } else {
        size_t width = wr_phys_bytes(phys);
        memcpy(kept->words, (const uint8_t *)data + row * width, width);
    }
    kept->seen = 1;
    kept->is_null = 0;
    return WR_OK;
}

void wr_kept_drop(const wr_aggregate_context *c, wr_kept *kept) {
    if (kept->capacity) wr_free(c->allocator, (void *)(uintptr_t)kept->view.data, kept->capacity);
    *kept = (wr_kept){.seen = 0};
}

void wr_kept_take(const wr_aggregate_context *c, wr_kept *kept, wr_kept *source) {
    wr_kept_drop(c, kept);
    *kept = *source;
    *source = (wr_kept){.seen = 0};
}

static int compare_views(const wr_string_view *a, const wr_string_view *b) {
    uint32_t x = __builtin_bswap32((uint32_t)(a->words[0] >> 32)), y = __builtin_bswap32((uint32_t)(b->words[0] >> 32));
    if (x != y) return x < y ? -1 : 1;
    return wr_str_compare(wr_view_str(a), wr_view_str(b));
}

static int compare_doubles(double a, double b) {
    if (a != a || b != b) return (a != a) - (b != b);
    return (a > b) - (a < b);
}

static wr_int128 interval_micros(wr_interval i) {
    return ((wr_int128)i.months * 30 + i.days) * INT64_C(86400000000) + i.micros;
}

#define COMPARE_AS(type)                                                                                               \
    do {                                                                                                               \
        type x, y;                                                                                                     \
        memcpy(&x, (const uint8_t *)data + row * sizeof x, sizeof x);                                                  \
        memcpy(&y, kept->words, sizeof y);                                                                             \
        return (x > y) - (x < y);                                                                                      \
    } while (0)

int wr_kept_compare(wr_phys phys, const void *data, size_t row, const wr_kept *kept) {
    switch (phys) {
    case WR_PHYS_BOOL: return (int)wr_bit_get(data, row) - (int)kept->words[0];
    case WR_PHYS_I8: COMPARE_AS(int8_t);
    case WR_PHYS_I16: COMPARE_AS(int16_t);
    case WR_PHYS_I32: COMPARE_AS(int32_t);
    case WR_PHYS_I64: COMPARE_AS(int64_t);
    case WR_PHYS_I128: COMPARE_AS(wr_int128);
    case WR_PHYS_U8: COMPARE_AS(uint8_t);
    case WR_PHYS_U16: COMPARE_AS(uint16_t);
    case WR_PHYS_U32: COMPARE_AS(uint32_t);
    case WR_PHYS_U64: COMPARE_AS(uint64_t);
    case WR_PHYS_VIEW: return compare_views((const wr_string_view *)data + row, &kept->view);
    case WR_PHYS_F32: {
        float y;
        memcpy(&y, kept->words, sizeof y);
        return compare_doubles((double)((const float *)data)[row], (double)y);
    }
    case WR_PHYS_F64: {
        double y;
        memcpy(&y, kept->words, sizeof y);
        return compare_doubles(((const double *)data)[row], y);
    }
    default: {
        wr_interval y;
        memcpy(&y, kept->words, sizeof y);
        wr_int128 a = interval_micros(((const wr_interval *)data)[row]), b = interval_micros(y);
        return (a > b) - (a < b);
    }
    }
}

wr_status wr_kept_put(const wr_kept *kept, wr_vector *out, uint32_t row, wr_error *err) {
    uint8_t *data = wr_vector_data_mut(out);
    size_t width = wr_phys_bytes((wr_phys)out->phys);
    bool is_null = !kept->seen || kept->is_null;
    if (is_null) wr_bit_clear(wr_vector_validity_mut(out), row);
    if (out->phys == WR_PHYS_BOOL) {
        wr_bit_put((uint64_t *)(void *)data, row, !is_null && kept->words[0]);
    } else if (is_null) {
        memset(data + row * width, 0, width);
    } else if (out->phys == WR_PHYS_VIEW && kept->view.size > WR_STRING_INLINE) {
        char *copy;
        WR_TRY(wr_heap_alloc(out->heap, kept->view.size, &copy, err));
        memcpy(copy, kept->view.data, kept->view.size);
        ((wr_string_view *)(void *)data)[row] = wr_view_make(copy, kept->view.size);
    } else {
        memcpy(data + row * width, kept->words, width);
    }
    return WR_OK;
}

static uint32_t text_bytes(const wr_kept *kept, wr_phys phys) {
    return phys == WR_PHYS_VIEW && kept->view.size > WR_STRING_INLINE ? kept->view.size : 0;
}

size_t wr_kept_write_bytes(const wr_kept *kept, wr_phys phys) {
    return sizeof *kept + text_bytes(kept, phys);
}

uint8_t *wr_kept_write(const wr_kept *kept, wr_phys phys, uint8_t *out) {
    memcpy(out, kept, sizeof *kept);
    uint32_t size = text_bytes(kept, phys);
    if (size) memcpy(out + sizeof *kept, kept->view.data, size);
    return out + sizeof *kept + size;
}

/* Bytes are our own, from a spill file; sizes are checked all the same. */
wr_status wr_kept_read(const wr_aggregate_context *c, wr_kept *kept, wr_phys phys, const uint8_t **bytes,
                       const uint8_t *end) {
    wr_kept read;
    if ((size_t)(end - *bytes) < sizeof read) return wr_fail(c->err, WR_CORRUPT, "an aggregate's state is cut short");
    memcpy(&read, *bytes, sizeof read);
    *bytes += sizeof read;
    read.capacity = 0;
    uint32_t size = text_bytes(&read, phys);
    if ((size_t)(end - *bytes) < size) return wr_fail(c->err, WR_CORRUPT, "an aggregate's state is cut short");
    wr_kept made = {.seen = 0};
    if (size) {
        wr_string_view v = wr_view_make((const char *)*bytes, size);
        WR_TRY(set_text(c, &made, &v));
        *bytes += size;
        made.seen = read.seen;
        made.is_null = read.is_null;
        *kept = made;
        return WR_OK;
    }
    *kept = read;
    return WR_OK;
}
