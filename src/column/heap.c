/* String heaps. Buffers are written one after the other; the newest may be half full. A foreign buffer that is added
 * goes in front of one that is being written, so that the newest is the writable one as long as there is one. */
#include "column/vector.h"

/* last_used_bytes of a heap whose newest buffer is not for writing. */
#define NOT_WRITABLE SIZE_MAX
enum { BUFFER_FIRST_BYTES = 4096, BUFFER_MAX_BYTES = 1 << 20 };

wr_status wr_heap_create(wr_heap **out, wr_allocator *a, wr_error *err) {
    wr_heap *heap = wr_alloc(a, sizeof *heap);
    if (!heap) return wr_fail_memory(err, sizeof *heap, "a string heap");
    *heap = (wr_heap){.refs = 1, .allocator = a, .last_used_bytes = NOT_WRITABLE};
    *out = heap;
    return WR_OK;
}

void wr_heap_release(wr_heap *heap) {
    if (!heap || __atomic_fetch_sub((int32_t *)&heap->refs, 1, __ATOMIC_ACQ_REL) != 1) return;
    for (uint32_t i = 0; i < heap->count; i++) wr_buffer_release(heap->buffers[i]);
    wr_free(heap->allocator, heap->buffers, heap->capacity * sizeof(wr_buffer *));
    wr_free(heap->allocator, heap, sizeof *heap);
}

static wr_status heap_grow(wr_heap *heap, wr_error *err) {
    return wr_grow(heap->allocator, (void **)&heap->buffers, &heap->capacity, heap->count, 1, sizeof(wr_buffer *), err);
}

wr_status wr_heap_add(wr_heap *heap, wr_buffer *buffer, wr_error *err) {
    WR_TRY(heap_grow(heap, err));
    wr_buffer_retain(buffer);
    heap->buffers[heap->count++] = buffer;
    if (heap->last_used_bytes != NOT_WRITABLE) {
        heap->buffers[heap->count - 1] = heap->buffers[heap->count - 2];
        heap->buffers[heap->count - 2] = buffer;
    }
    return WR_OK;
}

wr_status wr_heap_alloc(wr_heap *heap, uint32_t size, char **out, wr_error *err) {
    bool writable = heap->last_used_bytes != NOT_WRITABLE;
    wr_buffer *newest = writable ? heap->buffers[heap->count - 1] : NULL;
    if (!newest || newest->capacity_bytes - heap->last_used_bytes < size) {
        size_t wanted = newest ? newest->capacity_bytes * 2 : BUFFER_FIRST_BYTES;
        if (wanted > BUFFER_MAX_BYTES) wanted = BUFFER_MAX_BYTES;
        if (wanted < size) wanted = size;
        WR_TRY(heap_grow(heap, err));
        WR_TRY(wr_buffer_create(&newest, heap->allocator, wanted, err));
        heap->buffers[heap->count++] = newest;
        heap->last_used_bytes = 0;
    }
    *out = (char *)newest->data + heap->last_used_bytes;
    heap->last_used_bytes += size;
    newest->size_bytes = heap->last_used_bytes;
    return WR_OK;
}

wr_status wr_heap_recycle(wr_heap **slot, wr_allocator *a, wr_error *err) {
    wr_heap *heap = *slot;
    if (!heap || __atomic_load_n((int32_t *)&heap->refs, __ATOMIC_ACQUIRE) != 1) {
        *slot = NULL;
        wr_heap_release(heap);
        return wr_heap_create(slot, a, err);
    }
    wr_buffer *kept = NULL;
    if (heap->last_used_bytes != NOT_WRITABLE && wr_buffer_unique(heap->buffers[heap->count - 1])) {
        kept = heap->buffers[--heap->count];
    }
    while (heap->count > 0) wr_buffer_release(heap->buffers[--heap->count]);
    heap->last_used_bytes = NOT_WRITABLE;
    if (kept) {
        kept->size_bytes = 0;
        heap->buffers[heap->count++] = kept;
        heap->last_used_bytes = 0;
    }
    return WR_OK;
}
