#include <stdio.h>

#include "base/arena.h"
#include "column/vector.h"
#include "tests/unit/test.h"

enum { COLUMNS = 4 };

/* Rows 0..count-1: the number, its text (long for odd ones), a dictionary of three entries, a constant. */
static wr_status make(wr_batch *batch, uint32_t count, wr_error *err) {
    wr_allocator *a = wr_test_allocator();
    WR_TRY(wr_batch_init(batch, a, COLUMNS, err));
    wr_vector *numbers = &batch->columns[0], *texts = &batch->columns[1], *codes = &batch->columns[2];
    WR_TRY(wr_vector_prepare(numbers, a, wr_type_of(WR_TYPE_BIGINT), count, true, err));
    WR_TRY(wr_vector_prepare(texts, a, wr_type_of(WR_TYPE_VARCHAR), count, false, err));
    for (uint32_t i = 0; i < count; i++) {
        char text[64], *place;
        int size = snprintf(text, sizeof text, i % 2 ? "the number %u as a long text" : "%u", i);
        WR_TRY(wr_heap_alloc(texts->heap, (uint32_t)size, &place, err));
        memcpy(place, text, (size_t)size);
        ((wr_string_view *)wr_vector_data_mut(texts))[i] = wr_view_make(place, (uint32_t)size);
        ((int64_t *)wr_vector_data_mut(numbers))[i] = i;
        if (i % 5 == 0) wr_bit_clear(wr_vector_validity_mut(numbers), i);
    }
    WR_TRY(wr_vector_prepare(codes, a, wr_type_of(WR_TYPE_INTEGER), count, false, err));
    for (uint32_t i = 0; i < count; i++) ((uint32_t *)wr_vector_data_mut(codes))[i] = i % 3;
    codes->kind = WR_DICTIONARY;
    WR_TRY(wr_vector_set_create(&codes->children, a, 1, err));
    wr_vector *entries = &codes->children->items[0];
    WR_TRY(wr_vector_prepare(entries, a, wr_type_of(WR_TYPE_INTEGER), 3, false, err));
    for (int i = 0; i < 3; i++) ((int32_t *)wr_vector_data_mut(entries))[i] = i * 100;
    wr_value constant = {.type = wr_type_of(WR_TYPE_VARCHAR), .text = WR_STR("the same long text in every row")};
    WR_TRY(wr_vector_constant(&batch->columns[3], a, &constant, count, err));
    wr_batch_set_rows(batch, count);
    batch->ordinal = (wr_ordinal){1, 2, 3};
    return WR_OK;
}

static wr_value value_at(const wr_batch *batch, uint32_t column, uint32_t row) {
    wr_value value = {.is_null = true};
    WR_CHECK_OK(wr_vector_value(&batch->columns[column], row, NULL, &value, NULL), NULL);
    return value;
}

/* Row `row` of the batch is row `original` of what make() made. */
static void check_row(const wr_batch *batch, uint32_t row, uint32_t original) {
    char text[64];
    wr_value number = value_at(batch, 0, row);
    WR_CHECK_EQ_INT(number.is_null, original % 5 == 0);
    if (!number.is_null) WR_CHECK_EQ_INT(number.i64, original);
    snprintf(text, sizeof text, original % 2 ? "the number %u as a long text" : "%u", original);
    WR_CHECK_EQ_STR(value_at(batch, 1, row).text, text);
    WR_CHECK_EQ_INT(value_at(batch, 2, row).i64, original % 3 * 100);
    WR_CHECK_EQ_STR(value_at(batch, 3, row).text, "the same long text in every row");
}

static void bits_of_multiples(uint64_t *bits, uint32_t count, uint32_t n) {
    for (uint32_t i = 0; i < count; i++) wr_bit_put(bits, i, i % n == 0);
    if (count % 64) bits[count / 64] |= ~wr_bitmap_tail(count); /* what lies behind means nothing */
}

WR_TEST(batch, filter_narrows_the_selection) {
    static const uint32_t counts[] = {0, 1, 3, 64, 100, 2048};
    for (size_t c = 0; c < WR_COUNT_OF(counts); c++) {
        wr_batch batch;
        uint64_t bits[32];
        uint32_t count = counts[c];
        WR_CHECK_OK(make(&batch, count, NULL), NULL);
        bits_of_multiples(bits, count, 1);
        WR_CHECK_OK(wr_batch_filter(&batch, bits, NULL), NULL);
        WR_CHECK(!batch.sel && batch.sel_count == count);
        bits_of_multiples(bits, count, 2);
        WR_CHECK_OK(wr_batch_filter(&batch, bits, NULL), NULL);
        WR_CHECK_EQ_INT(batch.sel_count, (count + 1) / 2);
        bits_of_multiples(bits, count, 3);
        WR_CHECK_OK(wr_batch_filter(&batch, bits, NULL), NULL);
        WR_CHECK_EQ_INT(batch.sel_count, (count + 5) / 6);
        for (uint32_t i = 0; i < batch.sel_count; i++) WR_CHECK_EQ_INT(batch.sel ? batch.sel[i] : i, i * 6);
        WR_CHECK_EQ_INT(batch.row_count, count);
        wr_batch_deinit(&batch);
    }
}

WR_TEST(batch, filter_leaves_a_shared_selection_alone) {
    wr_batch batch, other;
    uint64_t bits[2];
    WR_CHECK_OK(make(&batch, 100, NULL), NULL);
    WR_CHECK_OK(wr_batch_init(&other, wr_test_allocator(), COLUMNS, NULL), NULL);
    bits_of_multiples(bits, 100, 2);
    WR_CHECK_OK(wr_batch_filter(&batch, bits, NULL), NULL);
    wr_batch_share(&other, &batch);
    bits_of_multiples(bits, 100, 10);
    WR_CHECK_OK(wr_batch_filter(&batch, bits, NULL), NULL);
    WR_CHECK_EQ_INT(batch.sel_count, 10);
    WR_CHECK_EQ_INT(other.sel_count, 50);
    for (uint32_t i = 0; i < 50; i++) WR_CHECK_EQ_INT(other.sel[i], i * 2);
    wr_batch_deinit(&batch);
    check_row(&other, 99, 99);
    wr_batch_deinit(&other);
}

WR_TEST(batch, compact_drops_the_selection) {
    wr_batch batch;
    uint64_t bits[4];
    WR_CHECK_OK(make(&batch, 200, NULL), NULL);
    WR_CHECK_OK(wr_buffer_create(&batch.weight_buffer, wr_test_allocator(), 200 * 8, NULL), NULL);
    for (int i = 0; i < 200; i++) ((int64_t *)batch.weight_buffer->data)[i] = -i;
    batch.weights = (const int64_t *)batch.weight_buffer->data;
    WR_CHECK_OK(wr_batch_compact(&batch, NULL), NULL);
    WR_CHECK_EQ_INT(batch.row_count, 200);
    bits_of_multiples(bits, 200, 7);
    WR_CHECK_OK(wr_batch_filter(&batch, bits, NULL), NULL);
    WR_CHECK_OK(wr_batch_compact(&batch, NULL), NULL);
    WR_CHECK(!batch.sel && batch.row_count == 29 && batch.sel_count == 29);
    for (uint32_t i = 0; i < 29; i++) {
        check_row(&batch, i, i * 7);
        WR_CHECK_EQ_INT(batch.weights[i], -7 * (int64_t)i);
    }
    WR_CHECK(batch.columns[2].kind == WR_DICTIONARY && batch.columns[3].kind == WR_CONSTANT);
    WR_CHECK_EQ_INT(batch.ordinal.morsel, 3);
    memset(bits, 0, sizeof bits);
    WR_CHECK_OK(wr_batch_filter(&batch, bits, NULL), NULL);
    WR_CHECK(batch.sel && batch.sel_count == 0);
    WR_CHECK_OK(wr_batch_compact(&batch, NULL), NULL);
    WR_CHECK_EQ_INT(batch.row_count, 0);
    wr_batch_deinit(&batch);
}

WR_TEST(batch, compact_gathers_shared_codes_once) {
    wr_batch batch;
    uint64_t bits[2];
    wr_vector_set *tripled;
    WR_CHECK_OK(make(&batch, 100, NULL), NULL);
    wr_vector_share(&batch.columns[0], &batch.columns[2]);
    WR_CHECK_OK(wr_vector_set_create(&tripled, wr_test_allocator(), 1, NULL), NULL);
    WR_CHECK_OK(wr_vector_prepare(&tripled->items[0], wr_test_allocator(), wr_type_of(WR_TYPE_BIGINT), 3, false, NULL),
                NULL);
    for (int i = 0; i < 3; i++) ((int64_t *)wr_vector_data_mut(&tripled->items[0]))[i] = i * 300;
    wr_vector_set_release(batch.columns[2].children);
    batch.columns[2].children = tripled;
    batch.columns[2].type = wr_type_of(WR_TYPE_BIGINT);
    batch.columns[2].phys = WR_PHYS_I64;
    bits_of_multiples(bits, 100, 4);
    WR_CHECK_OK(wr_batch_filter(&batch, bits, NULL), NULL);
    WR_CHECK_OK(wr_batch_compact(&batch, NULL), NULL);
    WR_CHECK(batch.columns[0].data == batch.columns[2].data);
    for (uint32_t i = 0; i < batch.row_count; i++) {
        WR_CHECK_EQ_INT(value_at(&batch, 0, i).i64, i * 4 % 3 * 100);
        WR_CHECK_EQ_INT(value_at(&batch, 2, i).i64, i * 4 % 3 * 300);
    }
    wr_batch_deinit(&batch);
}

WR_TEST(batch, copy_pins_little) {
    wr_batch batch, copy;
    uint64_t bits[32];
    WR_CHECK_OK(make(&batch, 2048, NULL), NULL);
    WR_CHECK_OK(wr_batch_init(&copy, wr_test_allocator(), COLUMNS, NULL), NULL);
    WR_CHECK_OK(wr_batch_copy(&copy, wr_test_allocator(), &batch, NULL), NULL);
    for (uint32_t i = 0; i < 2048; i += 11) check_row(&copy, i, i);
    WR_CHECK(copy.columns[2].children == batch.columns[2].children);
    bits_of_multiples(bits, 2048, 100);
    WR_CHECK_OK(wr_batch_filter(&batch, bits, NULL), NULL);
    WR_CHECK(wr_batch_needed_bytes(&batch) < wr_batch_pinned_bytes(&batch) / 20);
    WR_CHECK_OK(wr_batch_copy(&copy, wr_test_allocator(), &batch, NULL), NULL);
    size_t whole = wr_batch_pinned_bytes(&batch);
    wr_batch_deinit(&batch);
    WR_CHECK_EQ_INT(copy.row_count, 21);
    for (uint32_t i = 0; i < 21; i++) check_row(&copy, i, i * 100);
    WR_CHECK(wr_batch_pinned_bytes(&copy) < whole / 20);
    WR_CHECK(copy.columns[3].kind == WR_CONSTANT);
    WR_CHECK_EQ_INT(wr_ordinal_compare(copy.ordinal, (wr_ordinal){1, 2, 3}), 0);
    wr_batch_deinit(&copy);
}

WR_TEST(batch, copy_leaves_a_large_dictionary_behind) {
    wr_batch batch, copy;
    wr_allocator *a = wr_test_allocator();
    WR_CHECK_OK(wr_batch_init(&batch, a, 1, NULL), NULL);
    WR_CHECK_OK(wr_batch_init(&copy, a, 1, NULL), NULL);
    wr_vector *codes = &batch.columns[0];
    WR_CHECK_OK(wr_vector_prepare(codes, a, wr_type_of(WR_TYPE_INTEGER), 10, true, NULL), NULL);
    for (uint32_t i = 0; i < 10; i++) ((uint32_t *)wr_vector_data_mut(codes))[i] = i * 100;
    wr_bit_clear(wr_vector_validity_mut(codes), 4);
    codes->kind = WR_DICTIONARY;
    WR_CHECK_OK(wr_vector_set_create(&codes->children, a, 1, NULL), NULL);
    wr_vector *entries = &codes->children->items[0];
    WR_CHECK_OK(wr_vector_prepare(entries, a, wr_type_of(WR_TYPE_INTEGER), 1000, false, NULL), NULL);
    for (int i = 0; i < 1000; i++) ((int32_t *)wr_vector_data_mut(entries))[i] = i + 7;
    wr_batch_set_rows(&batch, 10);
    WR_CHECK_OK(wr_batch_copy(&copy, a, &batch, NULL), NULL);
    WR_CHECK_EQ_INT(copy.columns[0].kind, WR_FLAT);
    for (uint32_t i = 0; i < 10; i++) {
        wr_value value = value_at(&copy, 0, i);
        WR_CHECK(i == 4 ? value.is_null : value.i64 == i * 100 + 7);
    }
    wr_batch_deinit(&batch);
    wr_batch_deinit(&copy);
}

WR_TEST(batch, failing_allocations) {
    for (uint64_t nth = 1;; nth++) {
        wr_batch batch, copy = {0};
        uint64_t bits[4];
        WR_CHECK_OK(make(&batch, 200, NULL), NULL);
        bits_of_multiples(bits, 200, 7);
        wr_fault_arm(WR_FAULT_ALLOC, nth);
        wr_status status = wr_batch_init(&copy, wr_test_allocator(), COLUMNS, NULL);
        if (status == WR_OK) status = wr_batch_copy(&copy, wr_test_allocator(), &batch, NULL);
        if (status == WR_OK) status = wr_batch_filter(&batch, bits, NULL);
        uint32_t selected = batch.sel_count, rows = batch.row_count;
        if (status == WR_OK) status = wr_batch_compact(&batch, NULL);
        wr_fault_disarm_all();
        if (status != WR_OK) {
            WR_CHECK_EQ_INT(status, WR_NO_MEMORY);
            WR_CHECK(batch.sel_count == selected && batch.row_count == rows);
            check_row(&batch, 0, 0);
        }
        wr_batch_deinit(&copy);
        wr_batch_deinit(&batch);
        if (status == WR_OK) break;
    }
}

WR_TEST(batch, ordinals_order_by_source_morsel_sequence) {
    wr_ordinal a = {0, 5, 9}, b = {1, 0, 0}, c = {1, 1, 0}, d = {1, 0, 1};
    WR_CHECK(wr_ordinal_compare(a, b) < 0 && wr_ordinal_compare(b, c) < 0 && wr_ordinal_compare(c, d) < 0);
    WR_CHECK(wr_ordinal_compare(d, a) > 0 && wr_ordinal_compare(a, a) == 0);
}
