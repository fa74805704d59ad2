/* Ref-counted buffers. Header and data are one block: the header fills the 64 bytes in front of the data, so that
 * a buffer costs one allocation and the data are aligned. Foreign memory has the header alone. */
#include "base/buffer.h"

#include <string.h>

_Static_assert(sizeof(wr_buffer) <= WR_ALIGN_BUFFER, "the header stands in the 64 bytes in front of the data");

static size_t block_bytes(size_t capacity_bytes) {
    return WR_ALIGN_BUFFER + capacity_bytes + WR_BUFFER_PAD;
}

static size_t round_capacity(size_t capacity_bytes) {
    return (capacity_bytes + 63) & ~(size_t)63;
}

static void buffer_init(wr_buffer *buffer, wr_allocator *a, size_t size_bytes, size_t capacity_bytes) {
    *buffer = (wr_buffer){.refs = 1,
                          .data = (uint8_t *)buffer + WR_ALIGN_BUFFER,
                          .size_bytes = size_bytes,
                          .capacity_bytes = capacity_bytes,
                          .allocator = a};
}

wr_status wr_buffer_create(wr_buffer **out, wr_allocator *a, size_t capacity_bytes, wr_error *err) {
    if (capacity_bytes > SIZE_MAX / 4) return wr_fail_memory(err, capacity_bytes, "a buffer");
    capacity_bytes = round_capacity(capacity_bytes);
    wr_buffer *buffer = a->alloc(a, block_bytes(capacity_bytes), WR_ALIGN_BUFFER);
    if (!buffer) return wr_fail_memory(err, block_bytes(capacity_bytes), "a buffer");
    buffer_init(buffer, a, 0, capacity_bytes);
    *out = buffer;
    return WR_OK;
}

wr_status wr_buffer_wrap(wr_buffer **out, wr_allocator *a, void *data, size_t size_bytes, void (*release)(void *user),
                         void *user, wr_error *err) {
    wr_buffer *buffer = wr_alloc(a, sizeof *buffer);
    if (!buffer) return wr_fail_memory(err, sizeof *buffer, "a buffer's header");
    *buffer = (wr_buffer){.refs = 1,
                          .data = data,
                          .size_bytes = size_bytes,
                          .capacity_bytes = size_bytes,
                          .allocator = a,
                          .release = release,
                          .user = user};
    *out = buffer;
    return WR_OK;
}

void wr_buffer_destroy(wr_buffer *buffer) {
    wr_allocator *a = buffer->allocator;
    if (buffer->release) {
        buffer->release(buffer->user);
        wr_free(a, buffer, sizeof *buffer);
    } else {
        a->free(a, buffer, block_bytes(buffer->capacity_bytes), WR_ALIGN_BUFFER);
    }
}

wr_status wr_buffer_recycle(wr_buffer **slot, wr_allocator *a, size_t capacity_bytes, wr_error *err) {
    wr_buffer *held = *slot;
    if (held && wr_buffer_unique(held) && held->capacity_bytes >= capacity_bytes) {
        held->size_bytes = 0;
        return WR_OK;
    }
    /* The old one goes first, so that both are never held at once. */
    *slot = NULL;
    wr_buffer_release(held);
    return wr_buffer_create(slot, a, capacity_bytes, err);
}

wr_status wr_buffer_reserve(wr_buffer **slot, wr_allocator *a, size_t capacity_bytes, wr_error *err) {
    wr_buffer *held = *slot;
    if (!held) return wr_buffer_create(slot, a, capacity_bytes, err);
    WR_ASSERT(wr_buffer_unique(held));
    if (held->capacity_bytes >= capacity_bytes) return WR_OK;
    if (capacity_bytes > SIZE_MAX / 4) return wr_fail_memory(err, capacity_bytes, "a buffer");
    capacity_bytes = round_capacity(capacity_bytes);
    wr_allocator *owner = held->allocator;
    wr_buffer *moved =
        owner->resize(owner, held, block_bytes(held->capacity_bytes), block_bytes(capacity_bytes), WR_ALIGN_BUFFER);
    if (!moved) return wr_fail_memory(err, block_bytes(capacity_bytes), "a buffer that grows");
    buffer_init(moved, owner, moved->size_bytes, capacity_bytes);
    *slot = moved;
    return WR_OK;
}
