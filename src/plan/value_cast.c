/* One value to another type: the cast of a column of one row. */
#include "plan/cast.h"

wr_status wr_value_keep(wr_arena *arena, wr_value *value, wr_error *err) {
    if (value->is_null) return WR_OK;
    if (value->type.id == WR_TYPE_VARCHAR || value->type.id == WR_TYPE_BLOB) {
        value->text = wr_arena_copy(arena, value->text);
        return value->text.data ? WR_OK : wr_fail_memory(err, value->text.size, "a constant");
    }
    if (value->type.id < WR_TYPE_LIST || value->item_count == 0) return WR_OK;
    wr_value *items = WR_ARENA_ARRAY(arena, wr_value, value->item_count);
    if (!items) return wr_fail_memory(err, value->item_count * sizeof *items, "a constant");
    for (uint32_t i = 0; i < value->item_count; i++) {
        items[i] = value->items[i];
        WR_TRY(wr_value_keep(arena, &items[i], err));
    }
    value->items = items;
    return WR_OK;
}

wr_status wr_value_cast(const wr_value *value, wr_type type, wr_arena *arena, wr_value *out, wr_error *err) {
    return wr_value_cast_in(NULL, value, type, arena, out, err);
}

wr_status wr_value_cast_in(const struct wr_time_zone *zone, const wr_value *value, wr_type type, wr_arena *arena,
                           wr_value *out, wr_error *err) {
    if (wr_type_equal(value->type, type)) {
        *out = *value;
        return WR_OK;
    }
    if (value->is_null) {
        *out = (wr_value){.type = type, .is_null = true};
        return WR_OK;
    }
    wr_allocator *a = arena->allocator;
    wr_vector in = {0}, result = {0};
    uint64_t failed = 0;
    wr_status status;
    WR_TRY_CLEANUP(wr_vector_constant(&in, a, value, 1, err));
    in.kind = WR_FLAT;
    wr_call_context c = {.allocator = a,
                         .kernels = wr_kernels_best(),
                         .result = type,
                         .row_count = 1,
                         .failed = &failed,
                         .time_zone = zone,
                         .err = err};
    WR_TRY_CLEANUP(wr_cast_functions[0].run(&c, &in, 1, &result));
    WR_TRY_CLEANUP(wr_vector_value(&result, 0, arena, out, err));
    status = wr_value_keep(arena, out, err);
cleanup:
    wr_vector_deinit(&in);
    wr_vector_deinit(&result);
    return status;
}
