/* The bump allocator. Blocks double up to BLOCK_MAX_BYTES, so that small plans cost one small block and large ones few
 * calls; what does not fit a block gets one of its own, behind the current one, whose rest stays in use. */
#include "base/arena.h"

#include <stdio.h>

struct wr_arena_block {
    wr_arena_block *next;
    size_t size_bytes; /* with this header */
};

enum { HEADER_BYTES = 16, BLOCK_FIRST_BYTES = 4096, BLOCK_MAX_BYTES = 256 * 1024 };
_Static_assert(sizeof(wr_arena_block) <= HEADER_BYTES, "the first item of a block must be 16-byte aligned");

void wr_arena_init(wr_arena *arena, wr_allocator *a) {
    *arena = (wr_arena){.allocator = a, .block_bytes = BLOCK_FIRST_BYTES};
}

void wr_arena_deinit(wr_arena *arena) {
    wr_arena_block *block = arena->blocks;
    while (block) {
        wr_arena_block *next = block->next;
        wr_free(arena->allocator, block, block->size_bytes);
        block = next;
    }
    wr_arena_init(arena, arena->allocator);
}

static wr_arena_block *block_create(wr_arena *arena, size_t size_bytes) {
    wr_arena_block *block = wr_alloc(arena->allocator, size_bytes);
    if (block) block->size_bytes = size_bytes;
    return block;
}

/* A block for one large item; the newest block stays the one that is bumped. */
static void *alloc_alone(wr_arena *arena, size_t size_bytes) {
    wr_arena_block *block = block_create(arena, size_bytes + HEADER_BYTES);
    if (!block) return NULL;
    wr_arena_block **at = arena->blocks ? &arena->blocks->next : &arena->blocks;
    block->next = *at;
    *at = block;
    return memset((uint8_t *)block + HEADER_BYTES, 0, size_bytes);
}

void *wr_arena_alloc(wr_arena *arena, size_t size_bytes) {
    if (size_bytes > SIZE_MAX / 2) return NULL;
    size_bytes = size_bytes ? (size_bytes + 15) & ~(size_t)15 : 16;
    if (size_bytes > (size_t)(arena->end - arena->cursor)) {
        if (size_bytes > arena->block_bytes / 4) return alloc_alone(arena, size_bytes);
        wr_arena_block *block = block_create(arena, arena->block_bytes);
        if (!block) return NULL;
        block->next = arena->blocks;
        arena->blocks = block;
        arena->cursor = (uint8_t *)block + HEADER_BYTES;
        arena->end = (uint8_t *)block + block->size_bytes;
        if (arena->block_bytes < BLOCK_MAX_BYTES) arena->block_bytes *= 2;
    }
    void *p = arena->cursor;
    arena->cursor += size_bytes;
    return memset(p, 0, size_bytes);
}

wr_str wr_arena_copy(wr_arena *arena, wr_str text) {
    char *data = wr_arena_alloc(arena, (size_t)text.size + 1);
    if (!data) return (wr_str){NULL, 0};
    if (text.size) memcpy(data, text.data, text.size);
    return (wr_str){data, text.size};
}

wr_str wr_arena_format(wr_arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0) return (wr_str){NULL, 0};
    char *data = wr_arena_alloc(arena, (size_t)size + 1);
    if (!data) return (wr_str){NULL, 0};
    va_start(args, format);
    vsnprintf(data, (size_t)size + 1, format, args);
    va_end(args);
    return (wr_str){data, (uint32_t)size};
}

bool wr_arena_push(wr_arena *arena, void *items_pointer, uint32_t *count, uint32_t *capacity, size_t item_bytes,
                   const void *item) {
    void *items;
    memcpy(&items, items_pointer, sizeof items);
    if (*count == *capacity) {
        uint64_t wanted = *capacity ? (uint64_t)*capacity * 2 : 4;
        if (wanted > UINT32_MAX) return false;
        void *moved = wr_arena_alloc(arena, (size_t)wanted * item_bytes);
        if (!moved) return false;
        if (*count) memcpy(moved, items, *count * item_bytes);
        items = moved;
        memcpy(items_pointer, &items, sizeof items);
        *capacity = (uint32_t)wanted;
    }
    memcpy((uint8_t *)items + *count * item_bytes, item, item_bytes);
    *count += 1;
    return true;
}
