/* Rows of the build side in chunks: columns whose batches come in one form after another. */
#include "exec/exec_test_util.h"
#include "exec/join_internal.h"

enum { CAPACITY = 8192, NULLS = 100, ROWS = 1000 };

static wr_status open_join(wr_join **join, test_world *w, wr_error *err) {
    wr_type types[2] = {wr_type_of(WR_TYPE_BIGINT), wr_type_of(WR_TYPE_BIGINT)};
    wr_join_key_spec key = {.type = types[0]};
    wr_join_column output = {WR_JOIN_BUILD, 1};
    wr_join_spec spec = {.kind = WR_JOIN_INNER,
                         .keys = &key,
                         .key_count = 1,
                         .probe_types = types,
                         .build_types = types,
                         .probe_column_count = 1,
                         .build_column_count = 2,
                         .outputs = &output,
                         .output_count = 1};
    WR_TRY(test_world_open(w, 1, ROWS, WR_BUDGET_NO_LIMIT, err));
    w->exec.environment = (wr_program_environment){.kernels = wr_kernels_best(), .batch_rows = ROWS};
    return wr_join_create(join, &w->exec, &spec, err);
}

/* NULLs as a constant, then values of which every third is NULL, until the chunk is full. */
static wr_status fill(wr_join_chunk *chunk, const wr_join *join, wr_vector *constant, wr_vector *flat, wr_error *err) {
    wr_type type = wr_type_of(WR_TYPE_BIGINT);
    uint64_t words[ROWS] = {0};
    const uint64_t *both[2] = {words, NULL};
    const wr_vector *columns[1] = {constant};
    WR_TRY(wr_vector_prepare(constant, join->allocator, type, 1, true, err));
    wr_bit_clear(wr_vector_validity_mut(constant), 0);
    constant->kind = WR_CONSTANT;
    constant->row_count = NULLS;
    WR_TRY(wr_join_chunk_append(chunk, join, (wr_ordinal){0}, columns, NULL, both, NULLS, err));
    WR_TRY(wr_vector_prepare(flat, join->allocator, type, ROWS, true, err));
    for (uint32_t i = 0; i < ROWS; i++) {
        ((int64_t *)wr_vector_data_mut(flat))[i] = i;
        if (i % 3 == 0) wr_bit_clear(wr_vector_validity_mut(flat), i);
    }
    columns[0] = flat;
    while (chunk->row_count < CAPACITY) {
        uint32_t room = CAPACITY - chunk->row_count, count = room < ROWS ? room : ROWS;
        WR_TRY(wr_join_chunk_append(chunk, join, (wr_ordinal){0}, columns, NULL, both, count, err));
    }
    return WR_OK;
}

WR_TEST(join_store, a_bitmap_that_begins_small_holds_the_whole_chunk) {
    test_world w;
    wr_error err;
    wr_join *join = NULL;
    wr_join_chunk *chunk = NULL;
    wr_vector constant = {0}, flat = {0};
    wr_status status = open_join(&join, &w, &err);
    if (status == WR_OK) status = wr_join_chunk_create(&chunk, join, CAPACITY, false, &err);
    if (status == WR_OK) status = fill(chunk, join, &constant, &flat, &err);
    if (WR_CHECK_OK(status, &err)) {
        const wr_vector *v = &chunk->columns[0];
        for (uint32_t i = 0; i < CAPACITY; i++) {
            uint32_t at = i < NULLS ? 0 : (i - NULLS) % ROWS;
            bool valid = at % 3 != 0;
            if (!WR_CHECK_EQ_INT(wr_valid(v->validity, i), valid)) break;
            if (valid && !WR_CHECK_EQ_INT(((const int64_t *)v->data)[i], at)) break;
        }
    }
    wr_vector_deinit(&constant);
    wr_vector_deinit(&flat);
    if (join) wr_join_chunk_destroy(chunk, join);
    if (join) wr_join_release(join);
    test_world_close(&w);
}
