/* The system allocator and the helpers over any allocator.
 *
 * Small blocks come from the C library's heap (which mimalloc replaces in the binary). Blocks of MAP_BYTES and more
 * are anonymous maps of their own: a heap keeps freed pages for later, and a memory limit that is to hold for the
 * process needs them back at once. Maps of a huge page or more start at a huge page boundary, which kernels before
 * 6.7 do not do by themselves. Callers say the size again when they free, so no header is needed to tell the two
 * apart. Under AddressSanitizer everything comes from the heap, whose bounds and leaks it sees. */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fault.h"

#if defined(__SANITIZE_ADDRESS__)
#define MAP_BYTES SIZE_MAX
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MAP_BYTES SIZE_MAX
#endif
#endif
#ifndef MAP_BYTES
#define MAP_BYTES ((size_t)1 << 20)
#endif

#define PAGE_BYTES ((size_t)4096) /* maps are at least so aligned; larger alignments go to the heap */
#define HUGE_PAGE_BYTES ((size_t)2 << 20)

#define BLOCK_MAX_BYTES ((size_t)1 << 46) /* more is a mistake in a size, and some heaps abort on it */

static bool is_mapped(size_t size_bytes, size_t align) {
    return size_bytes >= MAP_BYTES && align <= PAGE_BYTES;
}

static void *map_plain(size_t size_bytes) {
    void *p = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

/* Maps one huge page more than asked for and gives back what lies before and behind the aligned part. */
static void *map_aligned(size_t size_bytes) {
    size_t rounded = (size_bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
    uint8_t *p = map_plain(rounded + HUGE_PAGE_BYTES);
    if (!p) return NULL;
    size_t front = -(uintptr_t)p & (HUGE_PAGE_BYTES - 1);
    if (front) munmap(p, front);
    munmap(p + front + rounded, HUGE_PAGE_BYTES - front);
    return p + front;
}

void *wr_map_pages(size_t size_bytes) {
    if (size_bytes > BLOCK_MAX_BYTES) return NULL;
    void *p = map_plain(size_bytes);
    if (!p || size_bytes < HUGE_PAGE_BYTES) return p;
    if ((uintptr_t)p & (HUGE_PAGE_BYTES - 1)) {
        munmap(p, size_bytes);
        p = map_aligned(size_bytes);
    }
    if (p) madvise(p, size_bytes, MADV_HUGEPAGE);
    return p;
}

void wr_unmap_pages(void *data, size_t size_bytes) {
    munmap(data, size_bytes);
}

static void *system_alloc(wr_allocator *self, size_t size_bytes, size_t align) {
    (void)self;
    if (wr_fault(WR_FAULT_ALLOC) || size_bytes > BLOCK_MAX_BYTES) return NULL;
    if (size_bytes == 0) size_bytes = 1;
    if (is_mapped(size_bytes, align)) return wr_map_pages(size_bytes);
    if (align <= WR_ALIGN_SMALL) return malloc(size_bytes);
    void *p;
    return posix_memalign(&p, align, size_bytes) == 0 ? p : NULL;
}

static void system_free(wr_allocator *self, void *block, size_t size_bytes, size_t align) {
    (void)self;
    if (!block) return;
    if (is_mapped(size_bytes, align)) {
        munmap(block, size_bytes);
    } else {
        free(block);
    }
}

static void *system_resize(wr_allocator *self, void *block, size_t old_bytes, size_t new_bytes, size_t align) {
    if (!block) return system_alloc(self, new_bytes, align);
    bool was_mapped = is_mapped(old_bytes, align), be_mapped = is_mapped(new_bytes, align);
    if (was_mapped == be_mapped && (was_mapped || align <= WR_ALIGN_SMALL)) {
        if (wr_fault(WR_FAULT_ALLOC) || new_bytes > BLOCK_MAX_BYTES) return NULL;
        if (!was_mapped) return realloc(block, new_bytes ? new_bytes : 1);
        void *moved = mremap(block, old_bytes, new_bytes, MREMAP_MAYMOVE);
        return moved == MAP_FAILED ? NULL : moved;
    }
    void *moved = system_alloc(self, new_bytes, align);
    if (!moved) return NULL;
    memcpy(moved, block, old_bytes < new_bytes ? old_bytes : new_bytes);
    system_free(self, block, old_bytes, align);
    return moved;
}

wr_allocator *wr_system_allocator(void) {
    static wr_allocator allocator = {system_alloc, system_resize, system_free};
    return &allocator;
}

void *wr_alloc_zeroed(wr_allocator *a, size_t size_bytes) {
    void *p = wr_alloc(a, size_bytes);
    if (p) memset(p, 0, size_bytes);
    return p;
}

wr_status wr_grow(wr_allocator *a, void **items, uint32_t *capacity, uint32_t count, uint32_t extra, size_t item_bytes,
                  wr_error *err) {
    uint64_t needed = (uint64_t)count + extra;
    if (needed <= *capacity) return WR_OK;
    uint64_t wanted = (uint64_t)*capacity * 2;
    if (wanted < 8) wanted = 8;
    if (wanted < needed) wanted = needed;
    if (wanted > UINT32_MAX) wanted = UINT32_MAX;
    size_t new_bytes;
    if (needed > UINT32_MAX || __builtin_mul_overflow((size_t)wanted, item_bytes, &new_bytes)) {
        return wr_fail(err, WR_LIMIT, "an array of %llu items is too large", (unsigned long long)needed);
    }
    void *moved = *items ? wr_resize(a, *items, *capacity * item_bytes, new_bytes) : wr_alloc(a, new_bytes);
    if (!moved) return wr_fail_memory(err, new_bytes, "an array");
    *items = moved;
    *capacity = (uint32_t)wanted;
    return WR_OK;
}
