/* A bump allocator for what lives and dies together: plans, per-query state. Nothing is freed alone. Not for sharing
 * between threads without a lock of the owner's. */
#ifndef WR_BASE_ARENA_H
#define WR_BASE_ARENA_H

#include "base/alloc.h"
#include "base/str.h"

typedef struct wr_arena_block wr_arena_block;
typedef struct wr_arena {
    wr_allocator *allocator;
    wr_arena_block *blocks; /* newest first */
    uint8_t *cursor, *end;
    size_t block_bytes;
} wr_arena;

void wr_arena_init(wr_arena *arena, wr_allocator *a);
void wr_arena_deinit(wr_arena *arena);
/* Cleared bytes, 16-byte aligned; NULL when there is no memory. */
void *wr_arena_alloc(wr_arena *arena, size_t size_bytes);
#define WR_ARENA_NEW(arena, type) ((type *)wr_arena_alloc((arena), sizeof(type)))
#define WR_ARENA_ARRAY(arena, type, count) ((type *)wr_arena_alloc((arena), sizeof(type) * (size_t)(count)))
/* A copy with a terminating zero behind it; data is NULL when there is no memory. */
wr_str wr_arena_copy(wr_arena *arena, wr_str text);
wr_str wr_arena_format(wr_arena *arena, const char *format, ...) WR_PRINTF(2, 3);
/* Arrays that grow inside an arena: the old copy stays behind as garbage, doubling bounds it. */
WR_MUST_CHECK bool wr_arena_push(wr_arena *arena, void *items_pointer, uint32_t *count, uint32_t *capacity,
                                 size_t item_bytes, const void *item);

#endif
