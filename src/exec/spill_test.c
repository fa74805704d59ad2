/* The spill file: what is written comes back, its space is used again, and every failure is reported and survived. */
#include "exec/spill.h"

#include "tests/unit/test.h"

#define FOLDER "/tmp"

static void fill(uint8_t *data, size_t size, uint64_t seed, bool compressible) {
    for (size_t i = 0; i < size; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        data[i] = compressible && i % 32 ? 7 : (uint8_t)(seed >> 33);
    }
}

static uint8_t data[1 << 20], back[1 << 20];

WR_TEST(spill, what_is_written_comes_back) {
    static const uint32_t sizes[] = {0, 1, 100, 4096, 65535, 65536, 65537, 200000, 1 << 20};
    wr_error err;
    wr_spill *spill;
    if (!WR_CHECK_OK(wr_spill_create(&spill, wr_test_allocator(), FOLDER, UINT64_MAX, &err), &err)) return;
    for (int compressible = 0; compressible <= 1; compressible++) {
        for (size_t i = 0; i < WR_COUNT_OF(sizes); i++) {
            wr_spill_slot slot;
            fill(data, sizes[i], i, compressible);
            WR_CHECK_OK(wr_spill_write(spill, data, sizes[i], &slot, &err), &err);
            WR_CHECK_EQ_UINT(slot.bytes, sizes[i]);
            if (compressible && sizes[i] > 4096) WR_CHECK(slot.stored_bytes < sizes[i] / 2);
            WR_CHECK_OK(wr_spill_read(spill, &slot, back, &err), &err);
            WR_CHECK_EQ_BYTES(back, data, sizes[i]);
            wr_spill_free(spill, &slot);
        }
    }
    WR_CHECK_EQ_UINT(wr_spill_stored_bytes(spill), 0);
    WR_CHECK(wr_spill_written_bytes(spill) > 2 << 20);
    wr_spill_destroy(spill);
}

WR_TEST(spill, space_is_used_again) {
    enum { SLOTS = 50 };
    wr_error err;
    wr_spill *spill;
    wr_spill_slot slots[SLOTS];
    uint32_t sizes[SLOTS], seeds[SLOTS];
    const uint64_t limit_bytes = SLOTS * 50000; /* half of what is written in a round would be too much twice */
    if (!WR_CHECK_OK(wr_spill_create(&spill, wr_test_allocator(), FOLDER, limit_bytes, &err), &err)) return;
    for (uint32_t i = 0; i < SLOTS; i++) slots[i] = (wr_spill_slot){0};
    for (uint32_t round = 0; round < 20; round++) {
        for (uint32_t i = round % 3; i < SLOTS; i += 1 + round % 4) {
            if (slots[i].bytes) {
                WR_CHECK_OK(wr_spill_read(spill, &slots[i], back, &err), &err);
                fill(data, sizes[i], seeds[i], false);
                WR_CHECK_EQ_BYTES(back, data, sizes[i]);
            }
            wr_spill_free(spill, &slots[i]);
            seeds[i] = round * SLOTS + i;
            sizes[i] = 1 + (seeds[i] * 7919) % 40000;
            fill(data, sizes[i], seeds[i], false);
            if (!WR_CHECK_OK(wr_spill_write(spill, data, sizes[i], &slots[i], &err), &err)) break;
        }
    }
    for (uint32_t i = 0; i < SLOTS; i++) wr_spill_free(spill, &slots[i]);
    WR_CHECK_EQ_UINT(wr_spill_stored_bytes(spill), 0);
    wr_spill_destroy(spill);
}

WR_TEST(spill, a_limit_is_an_error_with_a_hint) {
    wr_error err;
    wr_spill *spill;
    wr_spill_slot slot;
    wr_error_clear(&err);
    if (!WR_CHECK_OK(wr_spill_create(&spill, wr_test_allocator(), FOLDER, 100000, &err), &err)) return;
    fill(data, 200000, 1, false);
    WR_CHECK_STATUS(wr_spill_write(spill, data, 200000, &slot, &err), WR_LIMIT, &err);
    WR_CHECK_CONTAINS(err.message, "at most 100000 bytes");
    WR_CHECK_CONTAINS(err.hint, "temporary space");
    WR_CHECK_OK(wr_spill_write(spill, data, 50000, &slot, &err), &err);
    wr_spill_free(spill, &slot);
    wr_spill_destroy(spill);
}

WR_TEST(spill, a_folder_that_is_not_there_is_named) {
    wr_error err;
    wr_spill *spill;
    wr_spill_slot slot;
    wr_error_clear(&err);
    if (!WR_CHECK_OK(wr_spill_create(&spill, wr_test_allocator(), "/nowhere/at/all", UINT64_MAX, &err), &err)) return;
    WR_CHECK(wr_spill_write(spill, data, 10, &slot, &err) != WR_OK);
    WR_CHECK_CONTAINS(err.message, "/nowhere/at/all");
    wr_spill_destroy(spill);
}

/* ---- lists of rows ---- */

enum { ROWS = 3000, PAGE_BYTES = 16 * 1024 };
static const char letters[] = "the quick brown fox jumps over the lazy dog and then some more of it";

typedef struct fixture {
    wr_vector columns[2];
    wr_row_layout layout;
    wr_row_list list;
    wr_spill *spill;
    wr_spilled_rows spilled;
} fixture;

static wr_status fixture_init(fixture *f, wr_error *err) {
    wr_allocator *a = wr_test_allocator();
    memset(f, 0, sizeof *f);
    wr_type types[2] = {wr_type_of(WR_TYPE_VARCHAR), wr_type_of(WR_TYPE_BIGINT)};
    WR_TRY(wr_vector_prepare(&f->columns[0], a, types[0], ROWS, false, err));
    WR_TRY(wr_vector_prepare(&f->columns[1], a, types[1], ROWS, false, err));
    for (uint32_t i = 0; i < ROWS; i++) {
        ((wr_string_view *)wr_vector_data_mut(&f->columns[0]))[i] = wr_view_make(letters + i % 20, i % 40);
        ((int64_t *)wr_vector_data_mut(&f->columns[1]))[i] = i;
    }
    WR_TRY(wr_row_layout_init(&f->layout, a, types, 2, 0, 1, err));
    WR_TRY(wr_row_append(&f->list, a, &f->layout, PAGE_BYTES, f->columns, NULL, ROWS, NULL, err));
    return wr_spill_create(&f->spill, a, FOLDER, UINT64_MAX, err);
}

static void fixture_deinit(fixture *f) {
    wr_vector_deinit(&f->columns[0]);
    wr_vector_deinit(&f->columns[1]);
    wr_row_list_destroy(&f->list, wr_test_allocator());
    wr_spilled_rows_deinit(&f->spilled, f->spill);
    wr_row_layout_deinit(&f->layout);
    wr_spill_destroy(f->spill);
}

static void check_page(const fixture *f, const wr_row_page *page, uint32_t *row) {
    for (uint32_t i = 0; i < page->row_count; i++, ++*row) {
        const uint8_t *at = wr_row_at(page, i);
        const wr_string_view *view = (const wr_string_view *)(at + f->layout.columns[0].offset);
        WR_CHECK_EQ_INT(*(const int64_t *)(at + f->layout.columns[1].offset), *row);
        WR_CHECK_EQ_STR(wr_view_str(view), ((wr_str){letters + *row % 20, *row % 40}));
    }
}

static wr_status round_trip(fixture *f, wr_error *err) {
    wr_allocator *a = wr_test_allocator();
    WR_TRY(wr_spill_rows(f->spill, &f->list, a, &f->spilled, err));
    uint32_t row = 0;
    for (uint32_t i = 0; i < f->spilled.count; i++) {
        wr_row_page *page;
        WR_TRY(wr_unspill_page(f->spill, &f->spilled, i, &f->layout, a, &page, err));
        check_page(f, page, &row);
        wr_row_page_destroy(page, a);
    }
    WR_CHECK_EQ_UINT(row, ROWS);
    return WR_OK;
}

WR_TEST(spill, lists_of_rows) {
    wr_error err;
    fixture f;
    if (WR_CHECK_OK(fixture_init(&f, &err), &err)) {
        WR_CHECK_OK(round_trip(&f, &err), &err);
        WR_CHECK_EQ_UINT(f.spilled.row_count, ROWS);
        WR_CHECK_EQ_UINT(f.list.row_count, 0);
        WR_CHECK(f.list.first == NULL && f.list.last == NULL);
        WR_CHECK_EQ_UINT(wr_spill_stored_bytes(f.spill), 0);
    }
    fixture_deinit(&f);
}

/* What was not written stays, whole. */
WR_TEST(spill, failing_writes_keep_the_rows) {
    wr_error err;
    fixture f;
    wr_status status = WR_IO;
    for (uint64_t n = 1; status != WR_OK; n++) {
        if (!WR_CHECK_OK(fixture_init(&f, &err), &err)) return;
        wr_fault_arm(WR_FAULT_WRITE, n);
        status = wr_spill_rows(f.spill, &f.list, wr_test_allocator(), &f.spilled, &err);
        wr_fault_disarm_all();
        WR_CHECK_EQ_UINT(f.list.row_count + f.spilled.row_count, ROWS);
        uint32_t row = (uint32_t)f.spilled.row_count;
        for (wr_row_page *page = f.list.first; page; page = page->next) check_page(&f, page, &row);
        WR_CHECK_EQ_UINT(row, ROWS);
        fixture_deinit(&f);
    }
}

WR_TEST(spill, every_failure_is_reported) {
    static const wr_fault_point points[] = {WR_FAULT_ALLOC, WR_FAULT_OPEN, WR_FAULT_READ, WR_FAULT_WRITE};
    for (size_t p = 0; p < WR_COUNT_OF(points); p++) {
        wr_status status = WR_NO_MEMORY;
        for (uint64_t n = 1; status != WR_OK; n++) {
            wr_error err;
            fixture f;
            wr_error_clear(&err);
            wr_fault_arm(points[p], n);
            status = fixture_init(&f, &err);
            if (status == WR_OK) status = round_trip(&f, &err);
            wr_fault_disarm_all();
            if (status != WR_OK) WR_CHECK_EQ_INT(err.code, status);
            fixture_deinit(&f);
        }
    }
}
