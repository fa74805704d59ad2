#include "base/alloc.h"

#include "tests/unit/test.h"

static const size_t sizes[] = {0, 1, 100, 65536, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 2 << 20, (5 << 20) + 12345};

WR_TEST(alloc, blocks_of_all_sizes_are_aligned_and_usable) {
    wr_allocator *a = wr_system_allocator();
    static const size_t aligns[] = {16, 64, 4096, 65536};
    for (size_t i = 0; i < WR_COUNT_OF(sizes); i++) {
        for (size_t k = 0; k < WR_COUNT_OF(aligns); k++) {
            uint8_t *block = a->alloc(a, sizes[i], aligns[k]);
            if (!WR_CHECK(block != NULL)) continue;
            WR_CHECK_EQ_INT((uintptr_t)block % aligns[k], 0);
            memset(block, 0xab, sizes[i]);
            a->free(a, block, sizes[i], aligns[k]);
        }
    }
}

WR_TEST(alloc, resize_keeps_the_content_and_the_alignment) {
    wr_allocator *a = wr_system_allocator();
    for (size_t align = 16; align <= 64; align *= 4) {
        for (size_t i = 0; i < WR_COUNT_OF(sizes); i++) {
            for (size_t k = 0; k < WR_COUNT_OF(sizes); k++) {
                uint8_t *block = a->alloc(a, sizes[i], align);
                for (size_t at = 0; at < sizes[i]; at += 97) block[at] = (uint8_t)(at / 97);
                block = a->resize(a, block, sizes[i], sizes[k], align);
                if (!WR_CHECK(block && (uintptr_t)block % align == 0)) return;
                size_t common = sizes[i] < sizes[k] ? sizes[i] : sizes[k];
                for (size_t at = 0; at < common; at += 97) WR_CHECK_EQ_INT(block[at], (uint8_t)(at / 97));
                memset(block, 1, sizes[k]);
                a->free(a, block, sizes[k], align);
            }
        }
    }
}

WR_TEST(alloc, impossible_sizes_give_null) {
    wr_allocator *a = wr_system_allocator();
    WR_CHECK(a->alloc(a, SIZE_MAX, 16) == NULL);
    WR_CHECK(a->alloc(a, SIZE_MAX / 2 - 100, 64) == NULL);
}

WR_TEST(alloc, zeroed_is_zeroed) {
    wr_allocator *a = wr_test_allocator();
    uint8_t *block = wr_alloc_zeroed(a, 1000);
    for (int i = 0; i < 1000; i++) WR_CHECK_EQ_INT(block[i], 0);
    wr_free(a, block, 1000);
    wr_free(a, NULL, 1000);
}

WR_TEST(alloc, grow_makes_room_in_a_typed_array) {
    wr_allocator *a = wr_test_allocator();
    uint64_t *items = NULL;
    uint32_t count = 0, capacity = 0, moves = 0;
    for (; count < 1000; count++) {
        uint32_t before = capacity;
        WR_CHECK_OK(wr_grow(a, (void **)&items, &capacity, count, 1, sizeof *items, NULL), NULL);
        moves += capacity != before;
        items[count] = count;
    }
    WR_CHECK(moves < 10 && capacity >= 1000);
    for (uint32_t i = 0; i < count; i++) WR_CHECK_EQ_INT(items[i], i);
    WR_CHECK_OK(wr_grow(a, (void **)&items, &capacity, count, 5000, sizeof *items, NULL), NULL);
    WR_CHECK(capacity >= 6000);
    uint32_t before = capacity;
    wr_error err;
    WR_CHECK_STATUS(wr_grow(a, (void **)&items, &capacity, count, UINT32_MAX, sizeof *items, &err), WR_LIMIT, &err);
    wr_fault_arm(WR_FAULT_ALLOC, 1);
    WR_CHECK_STATUS(wr_grow(a, (void **)&items, &capacity, count, 9000, sizeof *items, &err), WR_NO_MEMORY, &err);
    WR_CHECK(capacity == before && items[999] == 999);
    wr_free(a, items, capacity * sizeof *items);
}
