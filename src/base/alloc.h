/* The allocator contract. An allocator is passed, never ambient; whoever frees says the size again, so that a budget
 * can count without headers in front of the blocks. All calls are safe from any thread. */
#ifndef WR_BASE_ALLOC_H
#define WR_BASE_ALLOC_H

#include "base/status.h"

typedef struct wr_allocator wr_allocator;
struct wr_allocator {
    /* NULL when there is no memory; `align` is a power of two of at least 16. The bytes are not cleared. */
    void *(*alloc)(wr_allocator *self, size_t size_bytes, size_t align);
    /* Grows or shrinks; on NULL the old block is untouched. Alignment as at allocation. */
    void *(*resize)(wr_allocator *self, void *block, size_t old_bytes, size_t new_bytes, size_t align);
    void (*free)(wr_allocator *self, void *block, size_t size_bytes, size_t align);
};

enum { WR_ALIGN_SMALL = 16, WR_ALIGN_BUFFER = 64 };

/* The C library's heap, behind the failure hook; it has no budget. */
wr_allocator *wr_system_allocator(void);

static inline void *wr_alloc(wr_allocator *a, size_t size_bytes) {
    return a->alloc(a, size_bytes, WR_ALIGN_SMALL);
}
/* Pages of the system's, cleared, huge where it gives them; NULL on failure. For the allocator and os/ alone. */
void *wr_map_pages(size_t size_bytes);
void wr_unmap_pages(void *data, size_t size_bytes);

void *wr_alloc_zeroed(wr_allocator *a, size_t size_bytes);
static inline void *wr_resize(wr_allocator *a, void *block, size_t old_bytes, size_t new_bytes) {
    return a->resize(a, block, old_bytes, new_bytes, WR_ALIGN_SMALL);
}
static inline void wr_free(wr_allocator *a, void *block, size_t size_bytes) {
    if (block) a->free(a, block, size_bytes, WR_ALIGN_SMALL);
}

/* Growth of a typed array that its owner declares as pointer, count and capacity: makes room for `extra` more items.
 * Example: WR_TRY(wr_grow(a, (void **)&items, &capacity, count, 1, sizeof *items, err)); */
WR_MUST_CHECK wr_status wr_grow(wr_allocator *a, void **items, uint32_t *capacity, uint32_t count, uint32_t extra,
                                size_t item_bytes, wr_error *err);

#endif
