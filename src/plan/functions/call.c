/* Shared pieces of the built-in functions; see call.h. */
#include "plan/functions/call.h"

#include "base/arena.h"
#include "kernel/compare.h"

uint32_t wr_call_first_failed(const wr_call_context *c) {
    size_t words = wr_bitmap_words(c->row_count);
    for (size_t w = 0; w < words; w++) {
        uint64_t bits = c->failed[w] & (c->active ? c->active[w] : ~UINT64_C(0));
        if (w + 1 == words) bits &= wr_bitmap_tail(c->row_count);
        if (bits) return (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(bits);
    }
    return UINT32_MAX;
}

enum { SHOWN_BYTES = 60 };

/* A value as an error message shows it: text is quoted and cut. */
static void print_value(wr_text *text, wr_arena *arena, const wr_vector *v, uint32_t row) {
    wr_value value;
    if (wr_vector_value(v, v->kind == WR_CONSTANT ? 0 : row, arena, &value, NULL) != WR_OK) {
        wr_text_addz(text, "?");
        return;
    }
    if (value.is_null || value.type.id != WR_TYPE_VARCHAR) {
        wr_value_print(text, &value);
        return;
    }
    bool cut = value.text.size > SHOWN_BYTES;
    uint32_t size = cut ? SHOWN_BYTES : value.text.size;
    while (cut && size && ((uint8_t)value.text.data[size] & 0xc0) == 0x80) size--;
    wr_text_format(text, "'%.*s%s'", (int)size, value.text.data, cut ? "..." : "");
}

wr_status wr_call_fail(const wr_call_context *c, const wr_vector *args, uint32_t arg_count, const char *sign,
                       uint32_t row, const char *what) {
    wr_text text;
    wr_text_init(&text, c->allocator);
    wr_arena arena;
    wr_arena_init(&arena, c->allocator);
    bool between = arg_count == 2 && !(sign[0] >= 'a' && sign[0] <= 'z');
    if (!between) wr_text_addz(&text, sign);
    if (!between && arg_count > 1) wr_text_addz(&text, "(");
    for (uint32_t i = 0; i < arg_count; i++) {
        if (i && between) wr_text_format(&text, " %s ", sign);
        if (i && !between) wr_text_addz(&text, ", ");
        if (!between && i == 0 && arg_count == 1 && sign[0] >= 'a' && sign[0] <= 'z') wr_text_addz(&text, " of ");
        print_value(&text, &arena, &args[i], row);
    }
    if (!between && arg_count > 1) wr_text_addz(&text, ")");
    wr_status status =
        text.failed ? wr_fail(c->err, WR_VALUE, "%s", what) : wr_fail(c->err, WR_VALUE, "%s: %s", what, text.data);
    wr_arena_deinit(&arena);
    wr_text_deinit(&text);
    return status;
}

static bool heap_holds(const wr_heap *heap, const wr_buffer *buffer) {
    for (uint32_t i = 0; i < heap->count; i++) {
        if (heap->buffers[i] == buffer) return true;
    }
    return false;
}

static wr_status add_buffers(wr_heap *to, const wr_heap *from, wr_error *err) {
    for (uint32_t i = 0; i < from->count; i++) {
        if (!heap_holds(to, from->buffers[i])) WR_TRY(wr_heap_add(to, from->buffers[i], err));
    }
    return WR_OK;
}

wr_status wr_vector_keep_heap(wr_vector *out, wr_allocator *a, const wr_vector *from, wr_error *err) {
    if (!from->heap || from->heap->count == 0 || from->heap == out->heap) return WR_OK;
    if (!out->heap || out->heap->count == 0) {
        wr_heap_release(out->heap);
        out->heap = wr_heap_retain(from->heap);
        return WR_OK;
    }
    if (__atomic_load_n((int32_t *)&out->heap->refs, __ATOMIC_ACQUIRE) == 1)
        return add_buffers(out->heap, from->heap, err);
    wr_heap *both;
    WR_TRY(wr_heap_create(&both, a, err));
    wr_status status = add_buffers(both, out->heap, err);
    if (status == WR_OK) status = add_buffers(both, from->heap, err);
    if (status != WR_OK) {
        wr_heap_release(both);
        return status;
    }
    wr_heap_release(out->heap);
    out->heap = both;
    return WR_OK;
}

wr_int128 wr_power_of_ten(unsigned digits) {
    wr_int128 power = 1;
    for (; digits >= 18; digits -= 18) power *= INT64_C(1000000000000000000);
    static const int64_t small[] = {1,
                                    10,
                                    100,
                                    1000,
                                    10000,
                                    100000,
                                    1000000,
                                    10000000,
                                    100000000,
                                    1000000000,
                                    10000000000,
                                    100000000000,
                                    1000000000000,
                                    10000000000000,
                                    100000000000000,
                                    1000000000000000,
                                    10000000000000000,
                                    100000000000000000};
    return power * small[digits];
}

wr_status wr_call_check_digits(wr_call_context *c, const wr_vector *args, uint32_t arg_count, const char *sign,
                               const wr_vector *result) {
    wr_int128 high = wr_power_of_ten(c->result.precision) - 1, low = -high;
    int64_t high64 = (int64_t)high, low64 = (int64_t)low;
    bool wide = result->phys == WR_PHYS_I128;
    c->kernels->compare->range[result->phys](result->data, wide ? (const void *)&low : &low64,
                                             wide ? (const void *)&high : &high64, c->row_count, c->failed);
    size_t words = wr_bitmap_words(c->row_count);
    for (size_t w = 0; w < words; w++) c->failed[w] = ~c->failed[w];
    uint32_t row = wr_call_first_failed(c);
    if (row == UINT32_MAX) return WR_OK;
    wr_status status = wr_call_fail(c, args, arg_count, sign, row, "decimal overflow");
    if (c->err) wr_hint(c->err, "the result has more than %u digits; cast to DOUBLE", c->result.precision);
    return status;
}
