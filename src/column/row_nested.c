/* Nested values as runs of bytes (see row_internal.h): how LIST, STRUCT and MAP columns lie in rows.
 *
 * A run holds no pointers, so that it moves with its page, and it is compared by value: floats by SQL's order, so that
 * the bytes of a stored value stay those that came in. Recursion is as deep as the type. */
#include "base/hash.h"
#include "column/row_internal.h"
#include "column/vector_internal.h"

/* ---- from vectors ---- */

size_t wr_nested_bytes(const wr_vector *v, uint32_t row) {
    v = wr_row_cell(v, row, &row);
    if (!v) return 1;
    switch (v->phys) {
    case WR_PHYS_BOOL: return 2;
    case WR_PHYS_VIEW: return 1 + 4 + (size_t)((const wr_string_view *)v->data)[row].size;
    case WR_PHYS_LIST: {
        wr_list_view list = ((const wr_list_view *)v->data)[row];
        size_t bytes = 1 + 4;
        for (uint32_t i = 0; i < list.size; i++) bytes += wr_nested_bytes(&v->children->items[0], list.offset + i);
        return bytes;
    }
    case WR_PHYS_STRUCT: {
        size_t bytes = 1;
        for (uint32_t f = 0; f < v->children->count; f++) bytes += wr_nested_bytes(&v->children->items[f], row);
        return bytes;
    }
    default: return 1 + wr_phys_bytes(v->phys);
    }
}

static uint8_t *write_bytes(uint8_t *out, const void *data, size_t size) {
    if (size) memcpy(out, data, size);
    return out + size;
}

uint8_t *wr_nested_write(const wr_vector *v, uint32_t row, uint8_t *out) {
    v = wr_row_cell(v, row, &row);
    *out++ = v != NULL;
    if (!v) return out;
    switch (v->phys) {
    case WR_PHYS_BOOL: *out++ = wr_bit_get(v->data, row); return out;
    case WR_PHYS_VIEW: {
        const wr_string_view *view = (const wr_string_view *)v->data + row;
        out = write_bytes(out, &view->size, 4);
        return write_bytes(out, wr_view_str(view).data, view->size);
    }
    case WR_PHYS_LIST: {
        wr_list_view list = ((const wr_list_view *)v->data)[row];
        out = write_bytes(out, &list.size, 4);
        for (uint32_t i = 0; i < list.size; i++) out = wr_nested_write(&v->children->items[0], list.offset + i, out);
        return out;
    }
    case WR_PHYS_STRUCT:
        for (uint32_t f = 0; f < v->children->count; f++) out = wr_nested_write(&v->children->items[f], row, out);
        return out;
    default: {
        size_t bytes = wr_phys_bytes(v->phys);
        return write_bytes(out, (const uint8_t *)v->data + row * bytes, bytes);
    }
    }
}

/* ---- hashing ---- */

static uint64_t fixed_hash(const wr_vector *v, uint32_t row) {
    const uint8_t *at = (const uint8_t *)v->data + row * wr_phys_bytes(v->phys);
    switch (v->phys) {
    case WR_PHYS_F32: return wr_hash_f64(*(const float *)at);
    case WR_PHYS_F64: return wr_hash_f64(*(const double *)at);
    case WR_PHYS_INTERVAL: return wr_hash_i128(wr_interval_length(*(const wr_interval *)at));
    default: {
        uint64_t words[2] = {0, 0};
        memcpy(words, at, wr_phys_bytes(v->phys));
        return wr_hash_combine(wr_hash_u64(words[0]), words[1]);
    }
    }
}

uint64_t wr_row_value_hash(const wr_vector *v, uint32_t row) {
    v = wr_row_cell(v, row, &row);
    if (!v) return WR_HASH_NULL;
    switch (v->phys) {
    case WR_PHYS_BOOL: return wr_hash_u64(wr_bit_get(v->data, row));
    case WR_PHYS_VIEW: {
        wr_str text = wr_view_str((const wr_string_view *)v->data + row);
        return wr_hash_bytes(text.data, text.size);
    }
    case WR_PHYS_LIST: {
        wr_list_view list = ((const wr_list_view *)v->data)[row];
        uint64_t hash = wr_hash_u64(list.size);
        for (uint32_t i = 0; i < list.size; i++) {
            hash = wr_hash_combine(hash, wr_row_value_hash(&v->children->items[0], list.offset + i));
        }
        return hash;
    }
    case WR_PHYS_STRUCT: {
        uint64_t hash = v->children->count;
        for (uint32_t f = 0; f < v->children->count; f++) {
            hash = wr_hash_combine(hash, wr_row_value_hash(&v->children->items[f], row));
        }
        return hash;
    }
    default: return fixed_hash(v, row);
    }
}

/* ---- comparing ---- */

static bool fixed_equal(wr_phys phys, const uint8_t *a, const uint8_t *b) {
    wr_int128 x, y; /* aligned copies: runs are not */
    memcpy(&x, a, wr_phys_bytes(phys));
    memcpy(&y, b, wr_phys_bytes(phys));
    return wr_row_value_equal(phys, &x, &y);
}

const uint8_t *wr_nested_match(const wr_vector *v, uint32_t row, const uint8_t *run) {
    v = wr_row_cell(v, row, &row);
    if (*run++ != (v != NULL)) return NULL;
    if (!v) return run;
    switch (v->phys) {
    case WR_PHYS_BOOL: return *run == wr_bit_get(v->data, row) ? run + 1 : NULL;
    case WR_PHYS_VIEW: {
        const wr_string_view *view = (const wr_string_view *)v->data + row;
        if (memcmp(run, &view->size, 4) != 0) return NULL;
        return memcmp(run + 4, wr_view_str(view).data, view->size) == 0 ? run + 4 + view->size : NULL;
    }
    case WR_PHYS_LIST: {
        wr_list_view list = ((const wr_list_view *)v->data)[row];
        if (memcmp(run, &list.size, 4) != 0) return NULL;
        run += 4;
        for (uint32_t i = 0; i < list.size && run; i++) {
            run = wr_nested_match(&v->children->items[0], list.offset + i, run);
        }
        return run;
    }
    case WR_PHYS_STRUCT:
        for (uint32_t f = 0; f < v->children->count && run; f++)
            run = wr_nested_match(&v->children->items[f], row, run);
        return run;
    default: {
        size_t bytes = wr_phys_bytes(v->phys);
        return fixed_equal(v->phys, (const uint8_t *)v->data + row * bytes, run) ? run + bytes : NULL;
    }
    }
}

static uint32_t read_u32(const uint8_t **run) {
    uint32_t value;
    memcpy(&value, *run, 4);
    *run += 4;
    return value;
}

bool wr_nested_equal(wr_type type, const uint8_t **a, const uint8_t **b) {
    uint8_t valid_a = *(*a)++, valid_b = *(*b)++;
    if (valid_a != valid_b) return false;
    if (!valid_a) return true;
    wr_phys phys = wr_type_phys(type);
    switch (phys) {
    case WR_PHYS_BOOL: return *(*a)++ == *(*b)++;
    case WR_PHYS_VIEW: {
        uint32_t size = read_u32(a);
        if (size != read_u32(b) || memcmp(*a, *b, size) != 0) return false;
        *a += size;
        *b += size;
        return true;
    }
    case WR_PHYS_LIST: {
        uint32_t count = read_u32(a);
        if (count != read_u32(b)) return false;
        wr_type item = wr_vector_child_type(type, 0);
        for (uint32_t i = 0; i < count; i++) {
            if (!wr_nested_equal(item, a, b)) return false;
        }
        return true;
    }
    case WR_PHYS_STRUCT:
        for (uint32_t f = 0; f < type.child_count; f++) {
            if (!wr_nested_equal(type.children[f].type, a, b)) return false;
        }
        return true;
    default: {
        size_t bytes = wr_phys_bytes(phys);
        if (!fixed_equal(phys, *a, *b)) return false;
        *a += bytes;
        *b += bytes;
        return true;
    }
    }
}

int wr_nested_compare(wr_type type, const uint8_t **a, const uint8_t **b) {
    uint8_t valid_a = *(*a)++, valid_b = *(*b)++;
    if (valid_a != valid_b) return valid_a ? -1 : 1;
    if (!valid_a) return 0;
    wr_phys phys = wr_type_phys(type);
    switch (phys) {
    case WR_PHYS_BOOL: return (int)*(*a)++ - (int)*(*b)++;
    case WR_PHYS_VIEW: {
        wr_str x = {.size = read_u32(a)}, y = {.size = read_u32(b)};
        x.data = (const char *)*a;
        y.data = (const char *)*b;
        *a += x.size;
        *b += y.size;
        return wr_str_compare(x, y);
    }
    case WR_PHYS_LIST: {
        uint32_t x = read_u32(a), y = read_u32(b);
        wr_type item = wr_vector_child_type(type, 0);
        for (uint32_t i = 0; i < x && i < y; i++) {
            int order = wr_nested_compare(item, a, b);
            if (order) return order;
        }
        return (x > y) - (x < y);
    }
    case WR_PHYS_STRUCT:
        for (uint32_t f = 0; f < type.child_count; f++) {
            int order = wr_nested_compare(type.children[f].type, a, b);
            if (order) return order;
        }
        return 0;
    default: {
        wr_int128 x, y; /* aligned copies: runs are not */
        size_t bytes = wr_phys_bytes(phys);
        memcpy(&x, *a, bytes);
        memcpy(&y, *b, bytes);
        *a += bytes;
        *b += bytes;
        return wr_row_value_compare(phys, &x, &y);
    }
    }
}

/* ---- back to vectors ---- */

static const uint8_t *run_skip(wr_type type, const uint8_t *run) {
    if (!*run++) return run;
    wr_phys phys = wr_type_phys(type);
    switch (phys) {
    case WR_PHYS_BOOL: return run + 1;
    case WR_PHYS_VIEW: {
        uint32_t size = read_u32(&run);
        return run + size;
    }
    case WR_PHYS_LIST: {
        uint32_t count = read_u32(&run);
        for (uint32_t i = 0; i < count; i++) run = run_skip(wr_vector_child_type(type, 0), run);
        return run;
    }
    case WR_PHYS_STRUCT:
        for (uint32_t f = 0; f < type.child_count; f++) run = run_skip(type.children[f].type, run);
        return run;
    default: return run + wr_phys_bytes(phys);
    }
}

/* Reads the bytes that say which values are valid. */
static void read_validity(wr_vector *out, const uint8_t **cursors, uint32_t count) {
    uint64_t *validity = wr_vector_validity_mut(out);
    for (uint32_t i = 0; i < count; i++) {
        if (!cursors[i] || !*cursors[i]++) wr_bit_clear(validity, i);
    }
}

static wr_status read_views(wr_vector *out, const uint8_t **cursors, uint32_t count, bool copy, wr_error *err) {
    wr_string_view *views = wr_vector_data_mut(out);
    for (uint32_t i = 0; i < count; i++) {
        views[i] = (wr_string_view){.words = {0, 0}};
        if (!wr_bit_get(out->validity, i)) continue;
        uint32_t size = read_u32(&cursors[i]);
        const char *data = (const char *)cursors[i];
        cursors[i] += size;
        if (copy && size > WR_STRING_INLINE) {
            char *own;
            WR_TRY(wr_heap_alloc(out->heap, size, &own, err));
            data = memcpy(own, data, size);
        }
        views[i] = wr_view_make(data, size);
    }
    return WR_OK;
}

static void read_fixed(wr_vector *out, const uint8_t **cursors, uint32_t count) {
    uint8_t *data = wr_vector_data_mut(out);
    size_t bytes = wr_phys_bytes(out->phys);
    for (uint32_t i = 0; i < count; i++) {
        if (wr_bit_get(out->validity, i)) {
            memcpy(data + i * bytes, cursors[i], bytes);
            cursors[i] += bytes;
        } else {
            memset(data + i * bytes, 0, bytes);
        }
    }
}

static void read_bools(wr_vector *out, const uint8_t **cursors, uint32_t count) {
    uint64_t *bits = wr_vector_data_mut(out);
    for (uint32_t i = 0; i < count; i++) wr_bit_put(bits, i, wr_bit_get(out->validity, i) ? *cursors[i]++ : 0);
}

/* Items of all lists side by side, in the order of rows. */
static wr_status read_lists(wr_vector *out, wr_allocator *a, const uint8_t **cursors, uint32_t count, bool copy,
                            wr_error *err) {
    wr_type item = wr_vector_child_type(out->type, 0);
    wr_list_view *lists = wr_vector_data_mut(out);
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t size = wr_bit_get(out->validity, i) ? read_u32(&cursors[i]) : 0;
        lists[i] = (wr_list_view){(uint32_t)total, size};
        total += size;
    }
    if (total > UINT32_MAX)
        return wr_fail(err, WR_LIMIT, "lists of one batch hold %llu items", (unsigned long long)total);
    const uint8_t **items = wr_alloc(a, sizeof *items * (total + 1));
    if (!items) return wr_fail_memory(err, sizeof *items * (total + 1), "the items of lists");
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *run = cursors[i];
        for (uint32_t k = 0; k < lists[i].size; k++) {
            items[lists[i].offset + k] = run;
            run = run_skip(item, run);
        }
        cursors[i] = run;
    }
    wr_status status = wr_nested_read(&out->children->items[0], a, item, items, (uint32_t)total, copy, err);
    wr_free(a, items, sizeof *items * (total + 1));
    return status;
}

/* Fields of a NULL struct were not written: their cursors are NULL while the fields are read. */
static wr_status read_fields(wr_vector *out, wr_allocator *a, const uint8_t **cursors, uint32_t count, bool copy,
                             wr_error *err) {
    size_t bytes = sizeof *cursors * (count + 1);
    const uint8_t **field_cursors = wr_alloc(a, bytes);
    if (!field_cursors) return wr_fail_memory(err, bytes, "the fields of structs");
    for (uint32_t i = 0; i < count; i++) field_cursors[i] = wr_bit_get(out->validity, i) ? cursors[i] : NULL;
    wr_status status = WR_OK;
    for (uint32_t f = 0; f < out->type.child_count && status == WR_OK; f++) {
        status =
            wr_nested_read(&out->children->items[f], a, out->type.children[f].type, field_cursors, count, copy, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (field_cursors[i]) cursors[i] = field_cursors[i];
    }
    wr_free(a, field_cursors, bytes);
    return status;
}

wr_status wr_nested_read(wr_vector *out, wr_allocator *a, wr_type type, const uint8_t **cursors, uint32_t count,
                         bool copy, wr_error *err) {
    WR_TRY(wr_vector_prepare(out, a, type, count, true, err));
    read_validity(out, cursors, count);
    switch (out->phys) {
    case WR_PHYS_BOOL: read_bools(out, cursors, count); return WR_OK;
    case WR_PHYS_VIEW: return read_views(out, cursors, count, copy, err);
    case WR_PHYS_LIST: return read_lists(out, a, cursors, count, copy, err);
    case WR_PHYS_STRUCT: return read_fields(out, a, cursors, count, copy, err);
    default: read_fixed(out, cursors, count); return WR_OK;
    }
}
