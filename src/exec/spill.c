/* The spill file: slots in one unnamed temporary file.
 *
 * A slot is cut into blocks of 64 KB, each compressed alone, with a table of their stored lengths in front:
 *
 *     [u32 length | raw flag of every block][block 0][block 1]…
 *
 * A block passes through a buffer on the stack, so writing and reading take no memory of the budget: spilling happens
 * because there is none. A slot is given room for the worst case, written, and its unused end is given back. When the
 * first block saves less than an eighth, the others are not tried.
 *
 * Space is counted in units of 4 KB. The free extents lie sorted in an array that can hold one more than there are
 * slots, which is the most there can be; it grows when a slot is made, so that freeing one never needs memory. Files
 * are written and read, and memory is allocated, outside the lock. */
#include "exec/spill.h"

#include <lz4.h>

enum { UNIT_BYTES = 4096, BLOCK_BYTES = 64 * 1024 };
#define RAW_FLAG UINT32_C(0x80000000)

typedef struct extent {
    uint64_t offset, bytes;
} extent;

struct wr_spill {
    wr_allocator *allocator;
    char *folder;
    size_t folder_bytes;
    uint64_t limit_bytes;
    _Atomic(wr_file *) file;
    wr_mutex lock;
    extent *holes; /* sorted by offset, never adjacent; under lock, as all below */
    uint32_t hole_count, hole_capacity, slot_count;
    uint64_t end; /* of the last slot */
    uint64_t stored_bytes;
    _Atomic uint64_t written_bytes;
};

wr_status wr_spill_create(wr_spill **out, wr_allocator *a, const char *folder, uint64_t limit_bytes, wr_error *err) {
    wr_spill *spill = wr_alloc_zeroed(a, sizeof *spill);
    if (!spill) return wr_fail_memory(err, sizeof *spill, "the spill file");
    spill->allocator = a;
    spill->folder_bytes = strlen(folder) + 1;
    spill->folder = wr_alloc(a, spill->folder_bytes);
    if (!spill->folder) {
        wr_free(a, spill, sizeof *spill);
        return wr_fail_memory(err, strlen(folder) + 1, "the spill file");
    }
    memcpy(spill->folder, folder, spill->folder_bytes);
    spill->limit_bytes = limit_bytes;
    wr_mutex_init(&spill->lock);
    *out = spill;
    return WR_OK;
}

void wr_spill_destroy(wr_spill *spill) {
    if (!spill) return;
    if (spill->file) wr_file_close(spill->file);
    wr_mutex_deinit(&spill->lock);
    wr_allocator *a = spill->allocator;
    wr_free(a, spill->holes, sizeof *spill->holes * spill->hole_capacity);
    wr_free(a, spill->folder, spill->folder_bytes);
    wr_free(a, spill, sizeof *spill);
}

uint64_t wr_spill_written_bytes(const wr_spill *spill) {
    return spill->written_bytes;
}

uint64_t wr_spill_stored_bytes(const wr_spill *spill) {
    wr_mutex *lock = (wr_mutex *)(uintptr_t)&spill->lock;
    wr_mutex_lock(lock);
    uint64_t bytes = spill->stored_bytes;
    wr_mutex_unlock(lock);
    return bytes;
}

/* Whoever comes first opens it; a second one that raced closes its own again. */
static wr_status spill_file(wr_spill *spill, wr_file **out, wr_error *err) {
    *out = spill->file;
    if (*out) return WR_OK;
    wr_file *mine = NULL, *theirs = NULL;
    if (wr_file_open(&mine, spill->allocator, spill->folder, WR_FILE_TEMPORARY, err) != WR_OK) {
        wr_error_prefix(err, "cannot spill to '%s': ", spill->folder);
        if (err->code == WR_NO_MEMORY) return WR_NO_MEMORY;
        return wr_hint(err, "set temp_directory to a folder that exists and can be written");
    }
    if (__atomic_compare_exchange_n((wr_file **)&spill->file, &theirs, mine, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE)) {
        *out = mine;
    } else {
        wr_file_close(mine);
        *out = theirs;
    }
    return WR_OK;
}

/* ---- space ---- */

static uint64_t round_units(uint64_t bytes) {
    return (bytes + UNIT_BYTES - 1) & ~(uint64_t)(UNIT_BYTES - 1);
}

static void holes_insert(wr_spill *spill, uint32_t at, extent hole) {
    memmove(spill->holes + at + 1, spill->holes + at, sizeof *spill->holes * (spill->hole_count - at));
    spill->holes[at] = hole;
    spill->hole_count++;
}

static void holes_remove(wr_spill *spill, uint32_t at) {
    spill->hole_count--;
    memmove(spill->holes + at, spill->holes + at + 1, sizeof *spill->holes * (spill->hole_count - at));
}

/* The first hole behind `offset`. */
static uint32_t holes_find(const wr_spill *spill, uint64_t offset) {
    uint32_t low = 0, high = spill->hole_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (spill->holes[middle].offset < offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void space_give(wr_spill *spill, uint64_t offset, uint64_t bytes) {
    if (!bytes) return;
    uint32_t at = holes_find(spill, offset);
    bool joins_left = at > 0 && spill->holes[at - 1].offset + spill->holes[at - 1].bytes == offset;
    bool joins_right = at < spill->hole_count && offset + bytes == spill->holes[at].offset;
    if (joins_left && joins_right) {
        spill->holes[at - 1].bytes += bytes + spill->holes[at].bytes;
        holes_remove(spill, at--);
    } else if (joins_left) {
        spill->holes[--at].bytes += bytes;
    } else if (joins_right) {
        spill->holes[at] = (extent){offset, spill->holes[at].bytes + bytes};
    } else {
        holes_insert(spill, at, (extent){offset, bytes});
    }
    if (spill->holes[at].offset + spill->holes[at].bytes == spill->end) {
        spill->end = spill->holes[at].offset;
        holes_remove(spill, at);
    }
}

static bool space_take(wr_spill *spill, uint64_t bytes, uint64_t *offset) {
    for (uint32_t i = 0; i < spill->hole_count; i++) {
        extent *hole = &spill->holes[i];
        if (hole->bytes < bytes) continue;
        *offset = hole->offset;
        hole->offset += bytes;
        hole->bytes -= bytes;
        if (!hole->bytes) holes_remove(spill, i);
        return true;
    }
    if (spill->limit_bytes - spill->end < bytes || spill->end > spill->limit_bytes) return false;
    *offset = spill->end;
    spill->end += bytes;
    return true;
}

/* Room in the array of holes for one slot more. */
static wr_status holes_reserve(wr_spill *spill, wr_error *err) {
    wr_allocator *a = spill->allocator;
    for (;;) {
        wr_mutex_lock(&spill->lock);
        uint32_t needed = spill->slot_count + 2, old = spill->hole_capacity;
        if (needed <= old) {
            spill->slot_count++;
            wr_mutex_unlock(&spill->lock);
            return WR_OK;
        }
        wr_mutex_unlock(&spill->lock);
        uint32_t capacity = needed < 32 ? 64 : needed + needed / 2;
        extent *bigger = wr_alloc(a, sizeof *bigger * capacity), *smaller = bigger;
        if (!bigger) return wr_fail_memory(err, sizeof *bigger * capacity, "the spill file's free space");
        uint32_t smaller_capacity = capacity;
        wr_mutex_lock(&spill->lock);
        if (spill->hole_capacity < capacity) {
            if (spill->hole_count) memcpy(bigger, spill->holes, sizeof *bigger * spill->hole_count);
            smaller = spill->holes;
            smaller_capacity = spill->hole_capacity;
            spill->holes = bigger;
            spill->hole_capacity = capacity;
        }
        wr_mutex_unlock(&spill->lock);
        wr_free(a, smaller, sizeof *smaller * smaller_capacity);
    }
}

static wr_status slot_take(wr_spill *spill, uint64_t bytes, uint64_t *offset, wr_error *err) {
    WR_TRY(holes_reserve(spill, err));
    wr_mutex_lock(&spill->lock);
    bool taken = space_take(spill, bytes, offset);
    if (taken) {
        spill->stored_bytes += bytes;
    } else {
        spill->slot_count--;
    }
    uint64_t end = spill->end;
    wr_mutex_unlock(&spill->lock);
    if (taken) return WR_OK;
    (void)wr_fail(err, WR_LIMIT, "spilling needs %llu bytes more in '%s', which holds %llu of at most %llu bytes",
                  (unsigned long long)bytes, spill->folder, (unsigned long long)end,
                  (unsigned long long)spill->limit_bytes);
    (void)wr_hint(err, "raise the limit of temporary space or the memory limit");
    return WR_LIMIT;
}

static void slot_give(wr_spill *spill, uint64_t offset, uint64_t bytes, bool whole) {
    wr_mutex_lock(&spill->lock);
    space_give(spill, offset, bytes);
    spill->stored_bytes -= bytes;
    spill->slot_count -= whole;
    wr_mutex_unlock(&spill->lock);
}

/* ---- slots ---- */

static uint32_t block_count(uint32_t bytes) {
    return (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
}

static uint32_t block_bytes(uint32_t bytes, uint32_t block) {
    uint32_t left = bytes - block * BLOCK_BYTES;
    return left < BLOCK_BYTES ? left : BLOCK_BYTES;
}

/* Writes the blocks behind a table of `count` lengths, which is written last; *stored is the length of all. */
static wr_status write_blocks(wr_file *file, uint64_t offset, const uint8_t *data, uint32_t size, uint32_t *table,
                              uint32_t count, uint32_t *stored, wr_error *err) {
    char packed[BLOCK_BYTES];
    uint64_t at = offset + sizeof *table * (uint64_t)count;
    bool pays = true;
    for (uint32_t b = 0; b < count; b++) {
        const char *block = (const char *)data + (size_t)b * BLOCK_BYTES;
        uint32_t bytes = block_bytes(size, b);
        int room = (int)(bytes - bytes / 8);
        int length = pays ? LZ4_compress_default(block, packed, (int)bytes, room) : 0;
        pays = length > 0;
        table[b] = pays ? (uint32_t)length : bytes | RAW_FLAG;
        WR_TRY(wr_file_write(file, at, pays ? packed : block, table[b] & ~RAW_FLAG, err));
        at += table[b] & ~RAW_FLAG;
    }
    *stored = (uint32_t)(at - offset);
    return wr_file_write(file, offset, table, sizeof *table * (size_t)count, err);
}

enum { TABLE_ON_STACK = 64 };

static uint32_t *table_open(wr_spill *spill, uint32_t *on_stack, uint32_t count) {
    return count <= TABLE_ON_STACK ? on_stack : wr_alloc(spill->allocator, sizeof(uint32_t) * (size_t)count);
}

static void table_close(wr_spill *spill, uint32_t *on_stack, uint32_t *table, uint32_t count) {
    if (table != on_stack) wr_free(spill->allocator, table, sizeof *table * (size_t)count);
}

wr_status wr_spill_write(wr_spill *spill, const void *data, uint32_t size, wr_spill_slot *out, wr_error *err) {
    *out = (wr_spill_slot){0};
    if (!size) return WR_OK;
    wr_file *file;
    WR_TRY(spill_file(spill, &file, err));
    uint32_t on_stack[TABLE_ON_STACK], count = block_count(size), stored = 0;
    uint32_t *table = table_open(spill, on_stack, count);
    if (!table) return wr_fail_memory(err, sizeof *table * (size_t)count, "spilling");
    uint64_t offset = 0, room = round_units(size + sizeof *table * (uint64_t)count);
    wr_status status = slot_take(spill, room, &offset, err);
    if (status == WR_OK) {
        status = write_blocks(file, offset, data, size, table, count, &stored, err);
        uint64_t kept = status == WR_OK ? round_units(stored) : 0;
        slot_give(spill, offset + kept, room - kept, status != WR_OK);
    }
    table_close(spill, on_stack, table, count);
    if (status == WR_IO) (void)wr_hint(err, "free some space, or set temp_directory to a folder on another disk");
    if (status != WR_OK) return status;
    *out = (wr_spill_slot){offset, stored, size};
    spill->written_bytes += size;
    return WR_OK;
}

static wr_status damaged(const wr_spill *spill, const wr_spill_slot *slot, wr_error *err) {
    return wr_fail(err, WR_IO, "the spill file in '%s' does not hold at offset %llu what was written there",
                   spill->folder, (unsigned long long)slot->offset);
}

static wr_status read_blocks(wr_spill *spill, const wr_spill_slot *slot, uint8_t *data, const uint32_t *table,
                             uint32_t count, wr_error *err) {
    char packed[BLOCK_BYTES];
    uint64_t at = slot->offset + sizeof *table * (uint64_t)count;
    for (uint32_t b = 0; b < count; b++) {
        char *block = (char *)data + (size_t)b * BLOCK_BYTES;
        uint32_t bytes = block_bytes(slot->bytes, b), length = table[b] & ~RAW_FLAG;
        bool raw = table[b] & RAW_FLAG;
        if (length > bytes || (raw && length != bytes)) return damaged(spill, slot, err);
        WR_TRY(wr_file_read(spill->file, at, raw ? block : packed, length, err));
        at += length;
        if (!raw && LZ4_decompress_safe(packed, block, (int)length, (int)bytes) != (int)bytes) {
            return damaged(spill, slot, err);
        }
    }
    return WR_OK;
}

wr_status wr_spill_read(wr_spill *spill, const wr_spill_slot *slot, void *data, wr_error *err) {
    if (!slot->bytes) return WR_OK;
    uint32_t on_stack[TABLE_ON_STACK], count = block_count(slot->bytes);
    uint32_t *table = table_open(spill, on_stack, count);
    if (!table) return wr_fail_memory(err, sizeof *table * (size_t)count, "reading what was spilled");
    wr_status status = wr_file_read(spill->file, slot->offset, table, sizeof *table * (size_t)count, err);
    if (status == WR_OK) status = read_blocks(spill, slot, data, table, count, err);
    table_close(spill, on_stack, table, count);
    return status;
}

void wr_spill_free(wr_spill *spill, wr_spill_slot *slot) {
    if (slot->bytes) {
        uint64_t bytes = round_units(slot->stored_bytes);
        /* Before the space is anyone else's. What the system has not yet written to disk, it need not. */
        wr_file_punch(spill->file, slot->offset, bytes);
        slot_give(spill, slot->offset, bytes, true);
    }
    *slot = (wr_spill_slot){0};
}

/* ---- row lists ---- */

/* A page is written without the gap between its rows and its heap: the heap moves down, and `home` moves up by as much,
 * since pointers lead into the heap alone. */
static uint32_t page_close_gap(wr_row_page *page) {
    uint32_t rows_end = page->rows_offset + page->row_count * page->row_bytes;
    uint32_t heap_at = page->page_bytes - page->heap_bytes;
    uint32_t gap = (heap_at - rows_end) & ~63u;
    memmove((uint8_t *)page + heap_at - gap, (uint8_t *)page + heap_at, page->heap_bytes);
    page->page_bytes -= gap;
    page->home += gap;
    return gap;
}

static void page_open_gap(wr_row_page *page, uint32_t gap) {
    uint32_t heap_at = page->page_bytes - page->heap_bytes;
    memmove((uint8_t *)page + heap_at + gap, (uint8_t *)page + heap_at, page->heap_bytes);
    page->page_bytes += gap;
    page->home -= gap;
}

static void list_drop_first(wr_row_list *list, wr_allocator *a) {
    wr_row_page *page = list->first;
    list->first = page->next;
    if (!list->first) list->last = NULL;
    list->row_count -= page->row_count;
    list->page_bytes -= page->page_bytes;
    wr_row_page_destroy(page, a);
}

wr_status wr_spill_rows(wr_spill *spill, wr_row_list *list, wr_allocator *a, wr_spilled_rows *out, wr_error *err) {
    out->allocator = a;
    while (list->first) {
        wr_row_page *page = list->first;
        if (page->row_count) {
            WR_TRY(wr_grow(a, (void **)&out->slots, &out->capacity, out->count, 1, sizeof *out->slots, err));
            uint32_t gap = page_close_gap(page), stored_bytes = page->page_bytes;
            wr_status status = wr_spill_write(spill, page, page->page_bytes, &out->slots[out->count], err);
            page_open_gap(page, gap);
            if (status != WR_OK) return status;
            out->count++;
            out->row_count += page->row_count;
            out->page_bytes += stored_bytes;
        }
        list_drop_first(list, a);
    }
    return WR_OK;
}

wr_status wr_spill_read_page(wr_spill *spill, const wr_spilled_rows *rows, uint32_t index, const wr_row_layout *layout,
                             wr_allocator *a, wr_row_page **out, wr_error *err) {
    const wr_spill_slot *slot = &rows->slots[index];
    uint32_t bytes = slot->bytes;
    wr_row_page *page = a->alloc(a, bytes, WR_ALIGN_BUFFER);
    if (!page) return wr_fail_memory(err, bytes, "a page of rows");
    wr_status status = wr_spill_read(spill, slot, page, err);
    if (status != WR_OK) {
        a->free(a, page, bytes, WR_ALIGN_BUFFER);
        return status;
    }
    page->next = NULL;
    wr_row_page_rebase(page, layout);
    *out = page;
    return WR_OK;
}

wr_status wr_unspill_page(wr_spill *spill, wr_spilled_rows *rows, uint32_t index, const wr_row_layout *layout,
                          wr_allocator *a, wr_row_page **out, wr_error *err) {
    WR_TRY(wr_spill_read_page(spill, rows, index, layout, a, out, err));
    wr_spill_free(spill, &rows->slots[index]);
    return WR_OK;
}

void wr_spilled_rows_deinit(wr_spilled_rows *rows, wr_spill *spill) {
    for (uint32_t i = 0; i < rows->count; i++) wr_spill_free(spill, &rows->slots[i]);
    if (rows->allocator) wr_free(rows->allocator, rows->slots, sizeof *rows->slots * rows->capacity);
    *rows = (wr_spilled_rows){0};
}
