#include "base/buffer.h"

#include "tests/unit/test.h"

WR_TEST(buffer, is_aligned_and_padded) {
    static const size_t sizes[] = {0, 1, 63, 64, 65, 4096, 3000000};
    for (size_t i = 0; i < WR_COUNT_OF(sizes); i++) {
        wr_buffer *buffer;
        WR_CHECK_OK(wr_buffer_create(&buffer, wr_test_allocator(), sizes[i], NULL), NULL);
        WR_CHECK_EQ_INT((uintptr_t)buffer->data % WR_ALIGN_BUFFER, 0);
        WR_CHECK(buffer->size_bytes == 0 && buffer->capacity_bytes >= sizes[i]);
        memset(buffer->data, 1, buffer->capacity_bytes + WR_BUFFER_PAD);
        wr_buffer_release(buffer);
    }
    wr_error err;
    wr_buffer *none = NULL;
    WR_CHECK_STATUS(wr_buffer_create(&none, wr_test_allocator(), SIZE_MAX - 10, &err), WR_NO_MEMORY, &err);
}

WR_TEST(buffer, lives_until_its_last_owner_lets_go) {
    wr_buffer *buffer;
    WR_CHECK_OK(wr_buffer_create(&buffer, wr_test_allocator(), 10, NULL), NULL);
    WR_CHECK(wr_buffer_unique(buffer));
    WR_CHECK(wr_buffer_retain(buffer) == buffer);
    WR_CHECK(!wr_buffer_unique(buffer));
    wr_buffer_release(buffer);
    WR_CHECK(wr_buffer_unique(buffer) && wr_test_live_blocks() == 1);
    wr_buffer_release(buffer);
    WR_CHECK_EQ_INT(wr_test_live_blocks(), 0);
    wr_buffer_release(NULL);
    WR_CHECK(wr_buffer_retain(NULL) == NULL);
}

static void count_release(void *user) {
    ++*(int *)user;
}

WR_TEST(buffer, foreign_memory_is_released_once_and_never_ours_to_write) {
    static uint8_t memory[10];
    int released = 0;
    wr_buffer *buffer;
    WR_CHECK_OK(wr_buffer_wrap(&buffer, wr_test_allocator(), memory, 10, count_release, &released, NULL), NULL);
    WR_CHECK(buffer->data == memory && buffer->size_bytes == 10 && !wr_buffer_unique(buffer));
    wr_buffer_retain(buffer);
    wr_buffer_release(buffer);
    WR_CHECK_EQ_INT(released, 0);
    wr_buffer_release(buffer);
    WR_CHECK_EQ_INT(released, 1);
    wr_fault_arm(WR_FAULT_ALLOC, 1);
    WR_CHECK_STATUS(wr_buffer_wrap(&buffer, wr_test_allocator(), memory, 10, count_release, &released, NULL),
                    WR_NO_MEMORY, NULL);
    WR_CHECK_EQ_INT(released, 1);
}

WR_TEST(buffer, recycle_uses_the_same_memory_when_nobody_kept_it) {
    wr_allocator *a = wr_test_allocator();
    wr_buffer *slot = NULL;
    WR_CHECK_OK(wr_buffer_recycle(&slot, a, 1000, NULL), NULL);
    wr_buffer *first = slot;
    slot->size_bytes = 500;
    WR_CHECK_OK(wr_buffer_recycle(&slot, a, 900, NULL), NULL);
    WR_CHECK(slot == first && slot->size_bytes == 0);
    wr_buffer_retain(first);
    first->data[0] = 7;
    WR_CHECK_OK(wr_buffer_recycle(&slot, a, 10, NULL), NULL);
    WR_CHECK(slot != first && first->data[0] == 7 && wr_buffer_unique(first));
    wr_buffer_release(first);
    WR_CHECK_OK(wr_buffer_recycle(&slot, a, 100000, NULL), NULL);
    WR_CHECK(slot->capacity_bytes >= 100000);
    wr_fault_arm(WR_FAULT_ALLOC, 1);
    WR_CHECK_STATUS(wr_buffer_recycle(&slot, a, 200000, NULL), WR_NO_MEMORY, NULL);
    WR_CHECK(slot == NULL);
}

WR_TEST(buffer, reserve_keeps_what_is_there) {
    wr_allocator *a = wr_test_allocator();
    wr_buffer *slot = NULL;
    WR_CHECK_OK(wr_buffer_reserve(&slot, a, 10, NULL), NULL);
    memcpy(slot->data, "0123456789", 10);
    slot->size_bytes = 10;
    static const size_t sizes[] = {5, 1000, 2000000, 3000000};
    for (size_t i = 0; i < WR_COUNT_OF(sizes); i++) {
        WR_CHECK_OK(wr_buffer_reserve(&slot, a, sizes[i], NULL), NULL);
        WR_CHECK(slot->capacity_bytes >= sizes[i] && slot->size_bytes == 10);
        WR_CHECK_EQ_BYTES(slot->data, "0123456789", 10);
    }
    wr_buffer *held = slot;
    wr_fault_arm(WR_FAULT_ALLOC, 1);
    WR_CHECK_STATUS(wr_buffer_reserve(&slot, a, 9000000, NULL), WR_NO_MEMORY, NULL);
    WR_CHECK(slot == held);
    WR_CHECK_EQ_BYTES(slot->data, "0123456789", 10);
    wr_buffer_release(slot);
}
