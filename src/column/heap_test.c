#include "column/vector.h"
#include "tests/unit/test.h"

static void put(wr_heap *heap, const char *z, char **at) {
    uint32_t size = (uint32_t)strlen(z);
    if (WR_CHECK_OK(wr_heap_alloc(heap, size, at, NULL), NULL)) memcpy(*at, z, size);
}

WR_TEST(heap, strings_keep_their_places_as_it_grows) {
    wr_heap *heap;
    char *places[3000];
    WR_CHECK_OK(wr_heap_create(&heap, wr_test_allocator(), NULL), NULL);
    for (int i = 0; i < 3000; i++) put(heap, "some twenty characters", &places[i]);
    for (int i = 0; i < 3000; i++) WR_CHECK(memcmp(places[i], "some twenty characters", 22) == 0);
    WR_CHECK(heap->count > 1 && heap->count < 10);
    char *large;
    WR_CHECK_OK(wr_heap_alloc(heap, 3000000, &large, NULL), NULL);
    memset(large, 'x', 3000000);
    wr_heap_release(heap);
}

WR_TEST(heap, foreign_buffers_are_held_and_never_written) {
    wr_allocator *a = wr_test_allocator();
    wr_heap *heap;
    wr_buffer *foreign;
    char *at;
    WR_CHECK_OK(wr_heap_create(&heap, a, NULL), NULL);
    WR_CHECK_OK(wr_buffer_create(&foreign, a, 1000, NULL), NULL);
    WR_CHECK_OK(wr_heap_add(heap, foreign, NULL), NULL);
    WR_CHECK_EQ_INT(foreign->refs, 2);
    put(heap, "first", &at);
    WR_CHECK(at < (char *)foreign->data || at >= (char *)foreign->data + 1000);
    WR_CHECK_OK(wr_heap_add(heap, foreign, NULL), NULL);
    char *next;
    put(heap, "second", &next);
    WR_CHECK(next == at + 5);
    WR_CHECK_EQ_INT(heap->count, 3);
    wr_heap_release(heap);
    WR_CHECK_EQ_INT(foreign->refs, 1);
    wr_buffer_release(foreign);
}

WR_TEST(heap, recycle_keeps_the_newest_buffer_when_nobody_else_has_it) {
    wr_allocator *a = wr_test_allocator();
    wr_heap *heap = NULL;
    char *first, *again;
    WR_CHECK_OK(wr_heap_recycle(&heap, a, NULL), NULL);
    put(heap, "abc", &first);
    WR_CHECK_OK(wr_heap_recycle(&heap, a, NULL), NULL);
    put(heap, "def", &again);
    WR_CHECK(again == first);
    wr_buffer *held = wr_buffer_retain(heap->buffers[0]);
    WR_CHECK_OK(wr_heap_recycle(&heap, a, NULL), NULL);
    put(heap, "ghi", &again);
    WR_CHECK(again != first);
    WR_CHECK(memcmp(first, "def", 3) == 0);
    wr_buffer_release(held);
    wr_heap *other = wr_heap_retain(heap);
    WR_CHECK_OK(wr_heap_recycle(&heap, a, NULL), NULL);
    WR_CHECK(heap != other);
    wr_heap_release(other);
    wr_heap_release(heap);
}

WR_TEST(heap, failing_allocations) {
    wr_allocator *a = wr_test_allocator();
    for (uint64_t nth = 1; nth < 20; nth++) {
        wr_heap *heap = NULL;
        char *at;
        wr_fault_arm(WR_FAULT_ALLOC, nth);
        wr_status status = wr_heap_create(&heap, a, NULL);
        for (int i = 0; i < 20 && status == WR_OK; i++) status = wr_heap_alloc(heap, 3000, &at, NULL);
        wr_fault_disarm_all();
        if (status != WR_OK && heap) put(heap, "still works", &at);
        wr_heap_release(heap);
    }
}
