/* Ref-counted byte buffers: the unit in which column data is owned and shared.
 *
 * A buffer is 64-byte aligned and padded by WR_BUFFER_PAD bytes behind its capacity, so that loops over whole words
 * and vector registers need no tail. It may be written while it has one owner; once shared it is immutable. It is
 * charged once, to the allocator that made it. */
#ifndef WR_BASE_BUFFER_H
#define WR_BASE_BUFFER_H

#include "base/alloc.h"

enum { WR_BUFFER_PAD = 64 };

typedef struct wr_buffer {
    _Atomic int32_t refs;
    uint8_t *data;
    size_t size_bytes;     /* in use; the owner's to set */
    size_t capacity_bytes; /* usable */
    wr_allocator *allocator;
    void (*release)(void *user); /* foreign memory: called instead of freeing data */
    void *user;
} wr_buffer;

WR_MUST_CHECK wr_status wr_buffer_create(wr_buffer **out, wr_allocator *a, size_t capacity_bytes, wr_error *err);
/* Wraps memory of another owner; `release` is called once when the last reference goes. Foreign memory has no
 * padding: loops over it must not run past its end. */
WR_MUST_CHECK wr_status wr_buffer_wrap(wr_buffer **out, wr_allocator *a, void *data, size_t size_bytes,
                                       void (*release)(void *user), void *user, wr_error *err);

static inline wr_buffer *wr_buffer_retain(wr_buffer *buffer) {
    if (buffer) __atomic_fetch_add((int32_t *)&buffer->refs, 1, __ATOMIC_RELAXED);
    return buffer;
}
void wr_buffer_destroy(wr_buffer *buffer); /* for wr_buffer_release alone */
static inline void wr_buffer_release(wr_buffer *buffer) {
    if (buffer && __atomic_fetch_sub((int32_t *)&buffer->refs, 1, __ATOMIC_ACQ_REL) == 1) wr_buffer_destroy(buffer);
}
/* True when the caller holds the only reference and the memory is ours: then it may be written. */
static inline bool wr_buffer_unique(const wr_buffer *buffer) {
    return !buffer->release && __atomic_load_n((const int32_t *)&buffer->refs, __ATOMIC_ACQUIRE) == 1;
}

/* Makes *slot a buffer that may be written and holds at least `capacity_bytes`; what it held is not kept. This is how
 * decoders and expressions recycle: when nobody kept the last result, its memory is used again. */
WR_MUST_CHECK wr_status wr_buffer_recycle(wr_buffer **slot, wr_allocator *a, size_t capacity_bytes, wr_error *err);
/* As above, but keeps the first size_bytes. The buffer must be unique. */
WR_MUST_CHECK wr_status wr_buffer_reserve(wr_buffer **slot, wr_allocator *a, size_t capacity_bytes, wr_error *err);

#endif
