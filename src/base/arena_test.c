#include "base/arena.h"

#include "tests/unit/test.h"

WR_TEST(arena, items_are_cleared_aligned_and_apart) {
    wr_arena arena;
    uint8_t *items[2000];
    wr_arena_init(&arena, wr_test_allocator());
    for (int i = 0; i < 2000; i++) {
        size_t size = i % 100 == 99 ? 50000 : (size_t)i % 70;
        items[i] = wr_arena_alloc(&arena, size);
        if (!WR_CHECK(items[i] && (uintptr_t)items[i] % 16 == 0)) return;
        for (size_t k = 0; k < size; k++) {
            if (!WR_CHECK_EQ_INT(items[i][k], 0)) return;
        }
        memset(items[i], i % 251 + 1, size);
    }
    for (int i = 0; i < 2000; i++) {
        size_t size = i % 100 == 99 ? 50000 : (size_t)i % 70;
        for (size_t k = 0; k < size; k++) {
            if (!WR_CHECK_EQ_INT(items[i][k], i % 251 + 1)) return;
        }
    }
    WR_CHECK(wr_test_live_blocks() < 40);
    wr_arena_deinit(&arena);
    WR_CHECK_EQ_INT(wr_test_live_blocks(), 0);
    WR_CHECK(wr_arena_alloc(&arena, 1) != NULL); /* may be used again */
    wr_arena_deinit(&arena);
}

WR_TEST(arena, texts_end_with_a_zero) {
    wr_arena arena;
    wr_arena_init(&arena, wr_test_allocator());
    wr_str copy = wr_arena_copy(&arena, (wr_str){"abcdef", 3});
    WR_CHECK_EQ_STR(copy, "abc");
    WR_CHECK_EQ_INT(copy.data[3], 0);
    wr_str empty = wr_arena_copy(&arena, (wr_str){NULL, 0});
    WR_CHECK(empty.data && empty.size == 0);
    wr_str formatted = wr_arena_format(&arena, "%d of %s", 3, "four");
    WR_CHECK_EQ_STR(formatted, "3 of four");
    WR_CHECK_EQ_INT(formatted.data[9], 0);
    wr_arena_deinit(&arena);
}

WR_TEST(arena, push_grows_an_array) {
    wr_arena arena;
    uint32_t *items = NULL, count = 0, capacity = 0;
    wr_arena_init(&arena, wr_test_allocator());
    for (uint32_t i = 0; i < 5000; i++) WR_CHECK(wr_arena_push(&arena, &items, &count, &capacity, sizeof i, &i));
    WR_CHECK_EQ_INT(count, 5000);
    for (uint32_t i = 0; i < 5000; i++) WR_CHECK_EQ_INT(items[i], i);
    wr_arena_deinit(&arena);
}

WR_TEST(arena, copes_without_memory) {
    wr_arena arena;
    wr_arena_init(&arena, wr_test_allocator());
    WR_CHECK(wr_arena_alloc(&arena, SIZE_MAX - 3) == NULL);
    for (int i = 0; i < 4; i++) {
        wr_fault_arm(WR_FAULT_ALLOC, 1);
        if (i == 0) WR_CHECK(wr_arena_alloc(&arena, 100) == NULL);
        if (i == 1) WR_CHECK(wr_arena_alloc(&arena, 100000) == NULL);
        if (i == 2) WR_CHECK(wr_arena_copy(&arena, WR_STR("x")).data == NULL);
        if (i == 3) WR_CHECK(wr_arena_format(&arena, "%d", 1).data == NULL);
    }
    uint32_t *items = NULL, count = 0, capacity = 0, item = 1;
    wr_fault_arm(WR_FAULT_ALLOC, 1);
    WR_CHECK(!wr_arena_push(&arena, &items, &count, &capacity, sizeof item, &item) && count == 0);
    wr_fault_disarm_all();
    WR_CHECK(wr_arena_alloc(&arena, 100) != NULL);
    wr_arena_deinit(&arena);
}
