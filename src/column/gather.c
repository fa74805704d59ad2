/* Moving rows by number: gather, flatten, slice.
 *
 * All gathers go through one body: row numbers are brought a chunk at a time into 32-bit form on the stack, where
 * UINT32_MAX is a NULL row, and each width has one tight loop over them. Nested values are cheap to move: lists are
 * offsets into a child that is shared, structs recurse, dictionaries move their codes. */
#include "column/vector_internal.h"

enum { CHUNK_ROWS = 1024 }; /* a multiple of 64, so that chunks start at a bitmap's word */

/* Where row numbers come from: one of the two lists, and for the codes of a dictionary vector its validity. */
typedef struct row_source {
    const uint16_t *rows16;
    const uint32_t *rows32;
    const uint64_t *validity;
    bool has_nulls; /* some row number may be UINT32_MAX, or some bit of validity is clear */
} row_source;

typedef struct pair64 {
    uint64_t words[2];
} pair64;

/* The row numbers [at, at + count); without NULL rows 32-bit lists are used where they are. */
static const uint32_t *load_rows(const row_source *s, uint32_t at, uint32_t count, uint32_t *room) {
    if (s->rows16) {
        const uint16_t *rows = s->rows16 + at;
        for (uint32_t i = 0; i < count; i++) room[i] = rows[i];
        return room;
    }
    if (!s->validity) return s->rows32 + at;
    const uint32_t *rows = s->rows32 + at;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t valid = (uint32_t)wr_bit_get(s->validity, at + i);
        room[i] = rows[i] | (valid - 1);
    }
    return room;
}

WR_ALWAYS_INLINE void gather_bits_body(const uint64_t *bits, const uint32_t *rows, uint32_t count, bool has_nulls,
                                       uint64_t *out) {
    for (uint32_t at = 0; at < count; at += 64) {
        uint32_t end = count - at < 64 ? count - at : 64;
        uint64_t word = 0;
        for (uint32_t i = 0; i < end; i++) {
            uint32_t row = rows[at + i];
            uint64_t bit = !has_nulls || row != UINT32_MAX;
            if (bits && (!has_nulls || bit)) bit = bits[row >> 6] >> (row & 63) & 1;
            word |= bit << i;
        }
        out[at / 64] = word;
    }
}

void wr_gather_bits(const uint64_t *bits, const uint32_t *rows, uint32_t count, bool has_nulls, uint64_t *out) {
    if (!bits) {
        gather_bits_body(NULL, rows, count, true, out);
    } else if (has_nulls) {
        gather_bits_body(bits, rows, count, true, out);
    } else {
        gather_bits_body(bits, rows, count, false, out);
    }
}

#define GATHER_LOOP(type)                                                                                              \
    do {                                                                                                               \
        const type *from = data;                                                                                       \
        type *to = out;                                                                                                \
        for (uint32_t i = 0; i < count; i++) to[i] = from[rows[i]];                                                    \
    } while (0)

void wr_gather_values(size_t width, const void *data, const uint32_t *rows, uint32_t count, void *out) {
    switch (width) {
    case 1: GATHER_LOOP(uint8_t); break;
    case 2: GATHER_LOOP(uint16_t); break;
    case 4: GATHER_LOOP(uint32_t); break;
    case 8: GATHER_LOOP(uint64_t); break;
    case 16: GATHER_LOOP(pair64); break;
    default: break;
    }
}

/* Moves data (of `width` bytes a value, 0: bits) and validity of `v` to `out`, which has begun. */
static wr_status gather_plain(wr_vector *out, wr_allocator *a, const wr_vector *v, size_t width, const row_source *s,
                              wr_error *err) {
    uint32_t rows_room[CHUNK_ROWS], clean[CHUNK_ROWS];
    uint64_t *validity = NULL;
    if (v->validity || s->has_nulls) WR_TRY(wr_vector_begin_validity(out, a, &validity, err));
    uint8_t *target = wr_vector_data_mut(out);
    bool empty = v->row_count == 0; /* then every row asked for is NULL */
    if (empty && target) memset(target, 0, width ? width * out->row_count : wr_bitmap_bytes(out->row_count));
    for (uint32_t at = 0; at < out->row_count; at += CHUNK_ROWS) {
        uint32_t count = out->row_count - at < CHUNK_ROWS ? out->row_count - at : CHUNK_ROWS;
        const uint32_t *rows = load_rows(s, at, count, rows_room);
        if (validity) wr_gather_bits(v->validity, rows, count, s->has_nulls, validity + at / 64);
        if (empty || !target) continue;
        if (s->has_nulls && width) {
            for (uint32_t i = 0; i < count; i++) clean[i] = rows[i] == UINT32_MAX ? 0 : rows[i];
            rows = clean;
        }
        if (width) {
            wr_gather_values(width, v->data, rows, count, target + at * width);
        } else {
            wr_gather_bits(v->data, rows, count, s->has_nulls, (uint64_t *)target + at / 64);
        }
    }
    return WR_OK;
}

static wr_status gather_rows(wr_vector *out, wr_allocator *a, const wr_vector *v, const row_source *s, uint32_t count,
                             wr_error *err);

static wr_status gather_children(wr_vector *out, wr_allocator *a, const wr_vector *v, const row_source *s,
                                 wr_error *err) {
    uint32_t count = v->children->count;
    WR_TRY(wr_vector_set_create(&out->children, a, count, err));
    for (uint32_t i = 0; i < count; i++) {
        WR_TRY(gather_rows(&out->children->items[i], a, &v->children->items[i], s, out->row_count, err));
    }
    return WR_OK;
}

static wr_status gather_flat(wr_vector *out, wr_allocator *a, const wr_vector *v, const row_source *s, uint32_t count,
                             wr_error *err) {
    WR_TRY(wr_vector_begin(out, a, v->type, WR_FLAT, count, err));
    out->heap = wr_heap_retain(v->heap);
    WR_TRY(gather_plain(out, a, v, wr_phys_bytes((wr_phys)v->phys), s, err));
    if (v->phys == WR_PHYS_STRUCT) return gather_children(out, a, v, s, err);
    out->children = wr_vector_set_retain(v->children);
    return WR_OK;
}

static wr_status gather_dictionary(wr_vector *out, wr_allocator *a, const wr_vector *v, const row_source *s,
                                   uint32_t count, wr_error *err) {
    WR_TRY(wr_vector_begin(out, a, v->type, WR_DICTIONARY, count, err));
    out->children = wr_vector_set_retain(v->children);
    return gather_plain(out, a, v, sizeof(uint32_t), s, err);
}

/* A constant of which some rows become NULL: a dictionary of its one value. */
static wr_status gather_constant(wr_vector *out, wr_allocator *a, const wr_vector *v, const row_source *s,
                                 uint32_t count, wr_error *err) {
    if (!s->has_nulls) {
        wr_vector_share(out, v);
        out->row_count = count;
        return WR_OK;
    }
    WR_TRY(wr_vector_begin(out, a, v->type, WR_DICTIONARY, count, err));
    WR_TRY(wr_vector_set_create(&out->children, a, 1, err));
    wr_vector *value = &out->children->items[0];
    wr_vector_share(value, v);
    value->kind = WR_FLAT;
    value->row_count = 1;
    memset(wr_vector_data_mut(out), 0, count * sizeof(uint32_t));
    uint64_t *validity;
    WR_TRY(wr_vector_begin_validity(out, a, &validity, err));
    uint32_t room[CHUNK_ROWS];
    for (uint32_t at = 0; at < count; at += CHUNK_ROWS) {
        uint32_t part = count - at < CHUNK_ROWS ? count - at : CHUNK_ROWS;
        wr_gather_bits(NULL, load_rows(s, at, part, room), part, true, validity + at / 64);
    }
    return WR_OK;
}

static wr_status gather_rows(wr_vector *out, wr_allocator *a, const wr_vector *v, const row_source *s, uint32_t count,
                             wr_error *err) {
    switch (v->kind) {
    case WR_CONSTANT: return gather_constant(out, a, v, s, count, err);
    case WR_DICTIONARY: return gather_dictionary(out, a, v, s, count, err);
    default: return gather_flat(out, a, v, s, count, err);
    }
}

wr_status wr_vector_gather(wr_vector *out, wr_allocator *a, const wr_vector *v, const uint16_t *rows, uint32_t count,
                           wr_error *err) {
    WR_ASSERT(out != v);
    row_source source = {.rows16 = rows};
    return gather_rows(out, a, v, &source, count, err);
}

wr_status wr_vector_gather32(wr_vector *out, wr_allocator *a, const wr_vector *v, const uint32_t *rows, uint32_t count,
                             wr_error *err) {
    WR_ASSERT(out != v);
    uint32_t null_rows = 0;
    for (uint32_t i = 0; i < count; i++) null_rows += rows[i] == UINT32_MAX;
    row_source source = {.rows32 = rows, .has_nulls = null_rows > 0};
    return gather_rows(out, a, v, &source, count, err);
}

/* ---- flatten ---- */

static wr_status broadcast_null(wr_vector *out, wr_allocator *a, wr_type type, uint32_t count, wr_error *err) {
    WR_TRY(wr_vector_prepare(out, a, type, count, true, err));
    wr_bitmap_fill(wr_vector_validity_mut(out), count, false);
    if (out->data) memset(wr_vector_data_mut(out), 0, wr_vector_data_bytes((wr_phys)out->phys, count));
    for (uint32_t i = 0; type.id == WR_TYPE_STRUCT && i < type.child_count; i++) {
        WR_TRY(broadcast_null(&out->children->items[i], a, type.children[i].type, count, err));
    }
    return WR_OK;
}

#define FILL_LOOP(type)                                                                                                \
    do {                                                                                                               \
        const type value = ((const type *)data)[row];                                                                  \
        type *to = out;                                                                                                \
        for (uint32_t i = 0; i < count; i++) to[i] = value;                                                            \
    } while (0)

static void fill_values(size_t width, const void *data, uint32_t row, uint32_t count, void *out) {
    switch (width) {
    case 0: wr_bitmap_fill(out, count, wr_bit_get(data, row)); break;
    case 1: FILL_LOOP(uint8_t); break;
    case 2: FILL_LOOP(uint16_t); break;
    case 4: FILL_LOOP(uint32_t); break;
    case 8: FILL_LOOP(uint64_t); break;
    default: FILL_LOOP(pair64); break;
    }
}

/* Row `row` of v, `count` times, flat. */
static wr_status broadcast(wr_vector *out, wr_allocator *a, const wr_vector *v, uint32_t row, uint32_t count,
                           wr_error *err) {
    for (;;) {
        if (v->kind == WR_CONSTANT) row = 0;
        if (!wr_valid(v->validity, row)) return broadcast_null(out, a, v->type, count, err);
        if (v->kind != WR_DICTIONARY) break;
        row = ((const uint32_t *)v->data)[row];
        v = wr_vector_dictionary(v);
    }
    WR_TRY(wr_vector_begin(out, a, v->type, WR_FLAT, count, err));
    if (v->phys != WR_PHYS_STRUCT) {
        out->heap = wr_heap_retain(v->heap);
        out->children = wr_vector_set_retain(v->children);
        fill_values(wr_phys_bytes((wr_phys)v->phys), v->data, row, count, wr_vector_data_mut(out));
        return WR_OK;
    }
    WR_TRY(wr_vector_set_create(&out->children, a, v->children->count, err));
    for (uint32_t i = 0; i < v->children->count; i++) {
        WR_TRY(broadcast(&out->children->items[i], a, &v->children->items[i], row, count, err));
    }
    return WR_OK;
}

static wr_status flatten_once(wr_vector *out, wr_allocator *a, const wr_vector *v, wr_error *err) {
    if (v->kind == WR_CONSTANT) return broadcast(out, a, v, 0, v->row_count, err);
    row_source codes = {.rows32 = v->data, .validity = v->validity, .has_nulls = v->validity != NULL};
    return gather_rows(out, a, wr_vector_dictionary(v), &codes, v->row_count, err);
}

wr_status wr_vector_flatten(wr_vector *out, wr_allocator *a, const wr_vector *v, wr_error *err) {
    if (v->kind == WR_FLAT) {
        if (out != v) wr_vector_share(out, v);
        return WR_OK;
    }
    wr_vector flat = {.kind = WR_FLAT};
    wr_status status = flatten_once(out == v ? &flat : out, a, v, err);
    if (out == v) {
        if (status == WR_OK) wr_vector_move(out, &flat);
        wr_vector_deinit(&flat);
    }
    /* The dictionary's values were a constant or a dictionary themselves. */
    return status == WR_OK && out->kind != WR_FLAT ? wr_vector_flatten(out, a, out, err) : status;
}

/* ---- slices ---- */

/* Bits [first, first + count): the same words where they are aligned, else a copy in a new buffer. */
static wr_status slice_bits(const void **bits, wr_buffer **buffer, wr_allocator *a, uint32_t first, uint32_t count,
                            wr_error *err) {
    if (first % 64 == 0) {
        *bits = (const uint64_t *)*bits + first / 64;
        return WR_OK;
    }
    wr_buffer *copy;
    WR_TRY(wr_buffer_create(&copy, a, wr_bitmap_bytes(count), err));
    copy->size_bytes = wr_bitmap_bytes(count);
    wr_bitmap_copy((uint64_t *)copy->data, 0, *bits, first, count);
    wr_buffer_release(*buffer);
    *buffer = copy;
    *bits = copy->data;
    return WR_OK;
}

static wr_status slice_children(wr_vector *to, wr_allocator *a, uint32_t first, uint32_t count, wr_error *err) {
    wr_vector_set *whole = to->children, *parts;
    WR_TRY(wr_vector_set_create(&parts, a, whole->count, err));
    wr_status status = WR_OK;
    for (uint32_t i = 0; i < whole->count && status == WR_OK; i++) {
        status = wr_vector_slice(&parts->items[i], a, &whole->items[i], first, count, err);
    }
    to->children = parts;
    wr_vector_set_release(whole);
    return status;
}

wr_status wr_vector_slice(wr_vector *to, wr_allocator *a, const wr_vector *from, uint32_t first, uint32_t count,
                          wr_error *err) {
    WR_ASSERT((uint64_t)first + count <= from->row_count);
    wr_vector part = {.kind = WR_FLAT};
    wr_vector_share(&part, from);
    wr_status status = WR_OK;
    part.row_count = count;
    if (part.kind != WR_CONSTANT) {
        if (part.validity) {
            const void *bits = part.validity;
            WR_TRY_CLEANUP(slice_bits(&bits, &part.validity_buffer, a, first, count, err));
            part.validity = bits;
        }
        if (part.kind == WR_DICTIONARY) {
            part.data = (const uint32_t *)part.data + first;
        } else if (part.phys == WR_PHYS_BOOL) {
            WR_TRY_CLEANUP(slice_bits(&part.data, &part.data_buffer, a, first, count, err));
        } else if (part.phys == WR_PHYS_STRUCT) {
            WR_TRY_CLEANUP(slice_children(&part, a, first, count, err));
        } else {
            part.data = (const uint8_t *)part.data + first * wr_phys_bytes((wr_phys)part.phys);
        }
    }
    wr_vector_move(to, &part);
cleanup:
    wr_vector_deinit(&part);
    return status;
}
