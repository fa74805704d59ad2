/* x IN (constants).
 *
 * A few constants are compared one after the other, a column at a time. More of them are a bitmap when they are integers
 * that lie close together, else an open hash table of their bits: at most half full, so that a miss ends after a probe or
 * two. A NULL among the constants makes every miss a NULL. */
#include "base/hash.h"
#include "kernel/compare.h"
#include "plan/cast.h"
#include "plan/functions/call.h"
#include "plan/functions/internal.h"

enum { FEW = 6, BITMAP_SPAN_MAX = 1 << 17 };

typedef enum in_method { IN_COMPARE, IN_BITMAP, IN_TABLE, IN_TEXT_TABLE } in_method;

typedef struct in_list {
    in_method method;
    bool has_null;
    uint32_t count;
    const wr_value *values; /* without NULLs */
    /* IN_BITMAP */
    int64_t low;
    uint64_t span; /* high - low */
    uint64_t *bitmap;
    /* tables: slot i is used when bit i is set */
    uint32_t mask;
    uint64_t *used;
    wr_uint128 *keys;
    wr_string_view *texts;
} in_list;

/* ---- keys: equal values have equal bits ---- */

static inline uint64_t float_bits(double x) {
    if (x != x) return UINT64_C(0x7ff8000000000000);
    if (x == 0) return 0;
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline uint32_t slot_of(wr_uint128 key, uint32_t mask) {
    uint64_t high = (uint64_t)(key >> 64), low = (uint64_t)key;
    return (uint32_t)wr_hash_u64(high == 0 || high == UINT64_MAX ? low : wr_hash_combine(low, high)) & mask;
}

static wr_uint128 key_of(const wr_value *v) {
    switch (wr_type_phys(v->type)) {
    case WR_PHYS_F32:
    case WR_PHYS_F64: return float_bits(v->f64);
    case WR_PHYS_I128: return (wr_uint128)v->i128;
    case WR_PHYS_U8:
    case WR_PHYS_U16:
    case WR_PHYS_U32:
    case WR_PHYS_U64: return v->u64;
    default: return (wr_uint128)(wr_int128)v->i64;
    }
}

static bool has_key(const in_list *l, wr_uint128 key) {
    for (uint32_t at = slot_of(key, l->mask); wr_bit_get(l->used, at); at = (at + 1) & l->mask) {
        if (l->keys[at] == key) return true;
    }
    return false;
}

static bool views_equal(const wr_string_view *a, const wr_string_view *b) {
    if (a->words[0] != b->words[0]) return false;
    if (a->size <= WR_STRING_INLINE) return a->words[1] == b->words[1];
    return memcmp(a->data, b->data, a->size) == 0;
}

static uint32_t text_slot(const wr_string_view *v, uint32_t mask) {
    wr_str s = wr_view_str(v);
    return (uint32_t)wr_hash_bytes(s.data, s.size) & mask;
}

static bool has_text(const in_list *l, const wr_string_view *v) {
    for (uint32_t at = text_slot(v, l->mask); wr_bit_get(l->used, at); at = (at + 1) & l->mask) {
        if (views_equal(&l->texts[at], v)) return true;
    }
    return false;
}

/* ---- making it ---- */

static bool make_bitmap(wr_arena *arena, in_list *l, wr_type type) {
    bool is_integer = wr_type_phys(type) >= WR_PHYS_I8 && wr_type_phys(type) <= WR_PHYS_I64;
    if (!is_integer) return false;
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (uint32_t i = 0; i < l->count; i++) {
        if (l->values[i].i64 < low) low = l->values[i].i64;
        if (l->values[i].i64 > high) high = l->values[i].i64;
    }
    uint64_t span = (uint64_t)high - (uint64_t)low;
    if (span > BITMAP_SPAN_MAX) return false;
    l->bitmap = WR_ARENA_ARRAY(arena, uint64_t, wr_bitmap_words(span + 1));
    if (!l->bitmap) return false;
    for (uint32_t i = 0; i < l->count; i++) wr_bit_set(l->bitmap, (uint64_t)l->values[i].i64 - (uint64_t)low);
    l->low = low;
    l->span = span;
    l->method = IN_BITMAP;
    return true;
}

static wr_status make_table(wr_arena *arena, in_list *l, bool is_text, wr_error *err) {
    uint32_t size = 16;
    while (size < 2 * l->count) size *= 2;
    l->mask = size - 1;
    l->used = WR_ARENA_ARRAY(arena, uint64_t, wr_bitmap_words(size));
    l->keys = is_text ? NULL : WR_ARENA_ARRAY(arena, wr_uint128, size);
    l->texts = is_text ? WR_ARENA_ARRAY(arena, wr_string_view, size) : NULL;
    if (!l->used || (!l->keys && !l->texts)) return wr_fail_memory(err, size * sizeof(wr_uint128), "an IN list");
    l->method = is_text ? IN_TEXT_TABLE : IN_TABLE;
    for (uint32_t i = 0; i < l->count; i++) {
        if (is_text) {
            wr_string_view v = wr_view_make(l->values[i].text.data, l->values[i].text.size);
            if (has_text(l, &v)) continue;
            uint32_t at = text_slot(&v, l->mask);
            while (wr_bit_get(l->used, at)) at = (at + 1) & l->mask;
            l->texts[at] = v;
            wr_bit_set(l->used, at);
        } else {
            wr_uint128 key = key_of(&l->values[i]);
            if (has_key(l, key)) continue;
            uint32_t at = slot_of(key, l->mask);
            while (wr_bit_get(l->used, at)) at = (at + 1) & l->mask;
            l->keys[at] = key;
            wr_bit_set(l->used, at);
        }
    }
    return WR_OK;
}

wr_status wr_in_list_create(wr_arena *arena, const wr_expr *in, const void **out, wr_error *err) {
    in_list *l = WR_ARENA_NEW(arena, in_list);
    wr_value *values = WR_ARENA_ARRAY(arena, wr_value, in->arg_count);
    if (!l || !values) return wr_fail_memory(err, in->arg_count * sizeof(wr_value), "an IN list");
    wr_type type = in->args[0]->type;
    wr_phys phys = wr_type_phys(type);
    if (phys >= WR_PHYS_LIST) {
        return wr_fail_at(err, WR_UNSUPPORTED, in->position, "IN over values of type %s is not supported",
                          wr_type_id_name((wr_type_id)type.id));
    }
    for (uint32_t i = 1; i < in->arg_count; i++) {
        const wr_expr *item = in->args[i];
        if (item->kind != WR_EXPR_CONSTANT) return wr_fail(err, WR_INTERNAL, "an IN list holds what is no constant");
        if (item->value.is_null) {
            l->has_null = true;
        } else {
            values[l->count++] = item->value;
        }
    }
    l->values = values;
    *out = l;
    bool compares = l->count <= FEW || phys == WR_PHYS_BOOL || phys == WR_PHYS_INTERVAL;
    if (compares || make_bitmap(arena, l, type)) return WR_OK;
    return make_table(arena, l, phys == WR_PHYS_VIEW, err);
}

/* ---- running it ---- */

/* The constant as the comparison loops want it. */
typedef union native {
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    wr_int128 i128;
    float f32;
    double f64;
    wr_string_view view;
    wr_interval interval;
} native;

static native as_native(const wr_value *v) {
    native n = {.i128 = 0};
    switch (wr_type_phys(v->type)) {
    case WR_PHYS_BOOL: n.u64 = v->boolean ? ~UINT64_C(0) : 0; break;
    case WR_PHYS_I8: n.i8 = (int8_t)v->i64; break;
    case WR_PHYS_I16: n.i16 = (int16_t)v->i64; break;
    case WR_PHYS_I32: n.i32 = (int32_t)v->i64; break;
    case WR_PHYS_I64: n.i64 = v->i64; break;
    case WR_PHYS_U8: n.u8 = (uint8_t)v->u64; break;
    case WR_PHYS_U16: n.u16 = (uint16_t)v->u64; break;
    case WR_PHYS_U32: n.u32 = (uint32_t)v->u64; break;
    case WR_PHYS_U64: n.u64 = v->u64; break;
    case WR_PHYS_I128: n.i128 = v->i128; break;
    case WR_PHYS_F32: n.f32 = (float)v->f64; break;
    case WR_PHYS_F64: n.f64 = v->f64; break;
    case WR_PHYS_VIEW: n.view = wr_view_make(v->text.data, v->text.size); break;
    default: n.interval = v->interval; break;
    }
    return n;
}

static void run_compares(wr_call_context *c, const in_list *l, const wr_vector *v, uint64_t *out) {
    size_t words = wr_bitmap_words(c->row_count);
    wr_bitmap_fill(out, c->row_count, false);
    for (uint32_t i = 0; i < l->count; i++) {
        native constant = as_native(&l->values[i]);
        uint64_t *found = i ? c->failed : out;
        c->kernels->compare->vc[v->phys][WR_EQ](v->data, &constant, c->row_count, found);
        for (size_t w = 0; i && w < words; w++) out[w] |= found[w];
    }
}

#define EACH_ROW(type, test)                                                                                           \
    do {                                                                                                               \
        const type *a = v->data;                                                                                       \
        for (uint32_t at = 0; at < n; at += 64) {                                                                      \
            uint32_t end = n - at < 64 ? n - at : 64;                                                                  \
            uint64_t word = 0;                                                                                         \
            for (uint32_t i = 0; i < end; i++) {                                                                       \
                type x = a[at + i];                                                                                    \
                word |= (uint64_t)(test) << i;                                                                         \
            }                                                                                                          \
            out[at / 64] = word;                                                                                       \
        }                                                                                                              \
    } while (0)

#define IN_THE_BITMAP(x)                                                                                               \
    ((uint64_t)(int64_t)(x) - (uint64_t)l->low <= l->span &&                                                           \
     wr_bit_get(l->bitmap, (uint64_t)(int64_t)(x) - (uint64_t)l->low))

static void run_bitmap(const in_list *l, const wr_vector *v, uint32_t n, uint64_t *out) {
    switch (v->phys) {
    case WR_PHYS_I8: EACH_ROW(int8_t, IN_THE_BITMAP(x)); break;
    case WR_PHYS_I16: EACH_ROW(int16_t, IN_THE_BITMAP(x)); break;
    case WR_PHYS_I32: EACH_ROW(int32_t, IN_THE_BITMAP(x)); break;
    default: EACH_ROW(int64_t, IN_THE_BITMAP(x)); break;
    }
}

static void run_table(const in_list *l, const wr_vector *v, uint32_t n, uint64_t *out) {
    switch (v->phys) {
    case WR_PHYS_I8: EACH_ROW(int8_t, has_key(l, (wr_uint128)(wr_int128)x)); break;
    case WR_PHYS_I16: EACH_ROW(int16_t, has_key(l, (wr_uint128)(wr_int128)x)); break;
    case WR_PHYS_I32: EACH_ROW(int32_t, has_key(l, (wr_uint128)(wr_int128)x)); break;
    case WR_PHYS_I64: EACH_ROW(int64_t, has_key(l, (wr_uint128)(wr_int128)x)); break;
    case WR_PHYS_U8: EACH_ROW(uint8_t, has_key(l, x)); break;
    case WR_PHYS_U16: EACH_ROW(uint16_t, has_key(l, x)); break;
    case WR_PHYS_U32: EACH_ROW(uint32_t, has_key(l, x)); break;
    case WR_PHYS_U64: EACH_ROW(uint64_t, has_key(l, x)); break;
    case WR_PHYS_F32: EACH_ROW(float, has_key(l, float_bits((double)x))); break;
    case WR_PHYS_F64: EACH_ROW(double, has_key(l, float_bits(x))); break;
    default: EACH_ROW(wr_int128, has_key(l, (wr_uint128)x)); break;
    }
}

static wr_status run_in(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    const in_list *l = c->data;
    const wr_vector *v = &args[0];
    uint32_t n = c->row_count;
    WR_TRY(wr_vector_prepare(result, c->allocator, c->result, n, l->has_null, c->err));
    uint64_t *out = wr_vector_data_mut(result);
    switch (l->method) {
    case IN_COMPARE: run_compares(c, l, v, out); break;
    case IN_BITMAP: run_bitmap(l, v, n, out); break;
    case IN_TABLE: run_table(l, v, n, out); break;
    case IN_TEXT_TABLE: EACH_ROW(wr_string_view, has_text(l, &x)); break;
    }
    if (l->has_null) memcpy(wr_vector_validity_mut(result), out, wr_bitmap_bytes(n));
    return WR_OK;
}

const wr_function wr_in_function = {.name = "in",
                                    .parameters = {WR_ANY},
                                    .result_id = WR_TYPE_BOOLEAN,
                                    .run = run_in,
                                    .cost_ns = 2,
                                    .summary = "one of a list of constants"};
