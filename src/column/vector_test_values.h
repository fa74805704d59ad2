/* Random vectors of every type and kind, for the tests of this module. */
#ifndef WR_COLUMN_VECTOR_TEST_VALUES_H
#define WR_COLUMN_VECTOR_TEST_VALUES_H

#include <math.h>

#include "base/arena.h"
#include "column/vector_internal.h"

static const char test_letters[] = "the quick brown fox jumps over the lazy dog and then some more of it";

static inline uint32_t random_below(uint32_t limit) {
    static uint64_t seed = 1;
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)((seed >> 33) % limit);
}

static inline wr_value random_value(wr_type type, wr_arena *arena, uint32_t nulls_per_10) {
    wr_value value = {.type = type, .is_null = random_below(10) < nulls_per_10};
    if (value.is_null) return value;
    switch (wr_type_phys(type)) {
    case WR_PHYS_BOOL: value.boolean = random_below(2); break;
    case WR_PHYS_I8:
    case WR_PHYS_I16:
    case WR_PHYS_I32:
    case WR_PHYS_I64: value.i64 = (int64_t)random_below(256) - 128; break;
    case WR_PHYS_I128: value.i128 = ((wr_int128)random_below(1000) << 100) - random_below(1000); break;
    case WR_PHYS_F32:
    case WR_PHYS_F64: value.f64 = random_below(20) ? random_below(1000) / 4.0 - 100 : NAN; break;
    case WR_PHYS_VIEW: value.text = (wr_str){test_letters + random_below(20), random_below(40)}; break;
    case WR_PHYS_INTERVAL: value.interval = (wr_interval){(int32_t)random_below(20), -3, random_below(9999)}; break;
    case WR_PHYS_LIST:
    case WR_PHYS_STRUCT: {
        uint32_t count = type.id == WR_TYPE_STRUCT ? type.child_count : random_below(4);
        if (type.id == WR_TYPE_MAP) count *= 2;
        wr_value *items = WR_ARENA_ARRAY(arena, wr_value, count);
        for (uint32_t i = 0; i < count; i++) {
            wr_type item = type.children[type.id == WR_TYPE_LIST ? 0 : i % type.child_count].type;
            bool key = type.id == WR_TYPE_MAP && i % 2 == 0;
            items[i] = random_value(item, arena, key ? 0 : nulls_per_10);
        }
        value.items = items;
        value.item_count = count;
        break;
    }
    default: value.u64 = random_below(256);
    }
    return value;
}

/* A vector of random rows. A dictionary vector has NULL rows and, with them, NULL entries. */
static inline wr_status random_vector(wr_vector *v, wr_allocator *a, wr_type type, wr_vector_kind kind, uint32_t rows,
                                      uint32_t nulls_per_10, wr_error *err) {
    wr_arena arena;
    wr_arena_init(&arena, wr_system_allocator());
    wr_vector values = {0};
    wr_status status = WR_OK;
    uint32_t entries = kind == WR_FLAT ? rows : kind == WR_CONSTANT ? 1 : 7;
    WR_TRY_CLEANUP(wr_vector_prepare(&values, a, type, 0, false, err));
    for (uint32_t i = 0; i < entries; i++) {
        wr_value value = random_value(type, &arena, nulls_per_10);
        WR_TRY_CLEANUP(wr_vector_append_value(&values, a, &value, err));
    }
    if (kind != WR_DICTIONARY) {
        wr_vector_move(v, &values);
        v->kind = (uint8_t)kind;
        v->row_count = rows;
    } else {
        WR_TRY_CLEANUP(wr_vector_begin(v, a, type, WR_DICTIONARY, rows, err));
        WR_TRY_CLEANUP(wr_vector_set_create(&v->children, a, 1, err));
        wr_vector_move(&v->children->items[0], &values);
        for (uint32_t i = 0; i < rows; i++) ((uint32_t *)wr_vector_data_mut(v))[i] = random_below(entries);
        if (nulls_per_10) {
            WR_TRY_CLEANUP(wr_vector_add_validity(v, a, err));
            for (uint32_t i = 0; i < rows; i++) {
                bool valid = random_below(10) >= nulls_per_10;
                wr_bit_put(wr_vector_validity_mut(v), i, valid);
                if (!valid) ((uint32_t *)wr_vector_data_mut(v))[i] = 0xdeadbeef; /* a NULL row's code means nothing */
            }
        }
    }
cleanup:
    wr_vector_deinit(&values);
    wr_arena_deinit(&arena);
    return status;
}

#endif
