/* Layouts, pages and lists of rows, and moving whole rows.
 *
 * The widths of a row's columns rise from front to back, validity bits first, so that padding appears at most once in
 * front of each width. Pages are 64-byte aligned and so is row 0: rows of 64 bytes do not straddle cache lines. */
#include "column/row_page.h"

#include "column/row_internal.h"

static uint32_t align_up(uint32_t at, uint32_t align) {
    return (at + align - 1) & ~(align - 1);
}

wr_status wr_row_layout_init(wr_row_layout *layout, wr_allocator *a, const wr_type *types, uint32_t count,
                             uint32_t tail_bytes, uint32_t tail_align, wr_error *err) {
    *layout = (wr_row_layout){.allocator = a, .column_count = count, .validity_bytes = (count + 7) / 8};
    if (count) {
        layout->columns = wr_alloc(a, sizeof *layout->columns * count);
        if (!layout->columns) return wr_fail_memory(err, sizeof *layout->columns * count, "a row layout");
    }
    uint32_t at = layout->validity_bytes, row_align = 8;
    for (uint32_t width = 1; width <= 16; width *= 2) {
        for (uint32_t c = 0; c < count; c++) {
            wr_phys phys = wr_type_phys(types[c]);
            if (wr_row_phys_bytes(phys) != width) continue;
            at = align_up(at, width);
            layout->columns[c] = (wr_row_column){types[c], (uint8_t)phys, at};
            at += width;
            if (width > row_align) row_align = width;
            layout->has_heap |= wr_phys_has_heap(phys);
        }
    }
    if (tail_align < 1) tail_align = 1;
    if (tail_align > row_align) row_align = tail_align;
    layout->tail_offset = align_up(at, tail_align);
    layout->row_bytes = align_up(layout->tail_offset + tail_bytes, row_align);
    if (layout->row_bytes == 0) layout->row_bytes = row_align;
    return WR_OK;
}

void wr_row_layout_deinit(wr_row_layout *layout) {
    if (layout->allocator) wr_free(layout->allocator, layout->columns, sizeof *layout->columns * layout->column_count);
    *layout = (wr_row_layout){0};
}

/* ---- pages ---- */

static uint32_t page_rows_offset(void) {
    return align_up(sizeof(wr_row_page), WR_ROW_PAGE_ALIGN);
}

wr_status wr_row_page_create(wr_row_page **out, wr_allocator *a, const wr_row_layout *layout, uint32_t page_bytes,
                             size_t heap_bytes, wr_error *err) {
    size_t needed = page_rows_offset() + (size_t)layout->row_bytes + heap_bytes;
    if (needed > UINT32_MAX / 2) {
        return wr_fail(err, WR_LIMIT, "a row of %zu bytes is longer than a page of rows can hold (%u bytes)", needed,
                       UINT32_MAX / 2);
    }
    if (page_bytes < needed) page_bytes = (uint32_t)needed;
    page_bytes = align_up(page_bytes, WR_ROW_PAGE_ALIGN);
    wr_row_page *page = a->alloc(a, page_bytes, WR_ROW_PAGE_ALIGN);
    if (!page) return wr_fail_memory(err, page_bytes, "a page of rows");
    *page = (wr_row_page){.home = (uintptr_t)page,
                          .page_bytes = page_bytes,
                          .row_bytes = layout->row_bytes,
                          .rows_offset = page_rows_offset()};
    *out = page;
    return WR_OK;
}

void wr_row_page_destroy(wr_row_page *page, wr_allocator *a) {
    if (page) a->free(a, page, page->page_bytes, WR_ROW_PAGE_ALIGN);
}

static size_t page_room(const wr_row_page *page) {
    return page->page_bytes - page->rows_offset - (size_t)page->row_count * page->row_bytes - page->heap_bytes;
}

uint8_t *wr_row_page_add(wr_row_page *page, size_t heap_bytes, char **heap) {
    if (page_room(page) < page->row_bytes + heap_bytes) return NULL;
    page->heap_bytes += (uint32_t)heap_bytes;
    if (heap) *heap = (char *)page + page->page_bytes - page->heap_bytes;
    return wr_row_at(page, page->row_count++);
}

void wr_row_page_rebase(wr_row_page *page, const wr_row_layout *layout) {
    uint64_t shift = (uint64_t)(uintptr_t)page - page->home;
    page->home = (uintptr_t)page;
    if (!shift || !layout->has_heap) return;
    for (uint32_t c = 0; c < layout->column_count; c++) {
        if (!wr_phys_has_heap(layout->columns[c].phys)) continue;
        for (uint32_t i = 0; i < page->row_count; i++) {
            uint8_t *row = wr_row_at(page, i);
            wr_string_view *view = (wr_string_view *)(row + layout->columns[c].offset);
            if (!wr_row_is_valid(row, c) || view->size <= WR_STRING_INLINE) continue;
            view->words[1] += shift;
        }
    }
}

/* ---- lists ---- */

void wr_row_list_destroy(wr_row_list *list, wr_allocator *a) {
    for (wr_row_page *page = list->first, *next; page; page = next) {
        next = page->next;
        wr_row_page_destroy(page, a);
    }
    *list = (wr_row_list){0};
}

void wr_row_list_push(wr_row_list *list, wr_row_page *page) {
    page->next = NULL;
    if (list->last) {
        list->last->next = page;
    } else {
        list->first = page;
    }
    list->last = page;
    list->row_count += page->row_count;
    list->page_bytes += page->page_bytes;
}

void wr_row_list_join(wr_row_list *list, wr_row_list *tail) {
    if (!tail->first) return;
    if (list->last) {
        list->last->next = tail->first;
    } else {
        list->first = tail->first;
    }
    list->last = tail->last;
    list->row_count += tail->row_count;
    list->page_bytes += tail->page_bytes;
    *tail = (wr_row_list){0};
}

/* ---- runs: rows side by side on one page ---- */

/* Rows that are written at once: `count` rows from row `first` of the page, each with a cursor into the page's heap. */
typedef struct row_run {
    uint8_t *base; /* of its first row */
    uint32_t count;
    char *heap[WR_ROW_CHUNK];
} row_run;

/* Takes as many of `count` rows as the list's last page has room for, on a new page when it is full. heap_bytes[i] is
 * what row i needs; NULL: nothing. The rows count in the list when they were written (run_close). */
static wr_status run_open(row_run *run, wr_row_list *list, wr_allocator *a, const wr_row_layout *layout,
                          uint32_t page_bytes, const uint32_t *heap_bytes, uint32_t count, wr_error *err) {
    wr_row_page *page = list->last;
    if (!page || page_room(page) < layout->row_bytes + (size_t)(heap_bytes ? heap_bytes[0] : 0)) {
        WR_TRY(wr_row_page_create(&page, a, layout, page_bytes, heap_bytes ? heap_bytes[0] : 0, err));
        wr_row_list_push(list, page);
    }
    run->base = wr_row_at(page, page->row_count);
    size_t room = page_room(page);
    if (!heap_bytes) {
        uint32_t fit = (uint32_t)(room / layout->row_bytes);
        run->count = fit < count ? fit : count;
        return WR_OK;
    }
    char *end = (char *)page + page->page_bytes - page->heap_bytes;
    uint32_t i = 0;
    for (; i < count && room >= layout->row_bytes + (size_t)heap_bytes[i]; i++) {
        room -= layout->row_bytes + (size_t)heap_bytes[i];
        end -= heap_bytes[i];
        run->heap[i] = end;
    }
    page->heap_bytes = (uint32_t)((char *)page + page->page_bytes - end);
    run->count = i;
    return WR_OK;
}

static void run_close(const row_run *run, wr_row_list *list, const wr_row_layout *layout, uint8_t **addresses) {
    list->last->row_count += run->count;
    list->row_count += run->count;
    if (!addresses) return;
    for (uint32_t i = 0; i < run->count; i++) addresses[i] = run->base + (size_t)i * layout->row_bytes;
}

static wr_status heap_too_long(wr_error *err, size_t bytes) {
    return wr_fail(err, WR_LIMIT, "the text and nested values of one row take %zu bytes; at most %d are supported",
                   bytes, WR_ROW_VALUE_MAX);
}

/* ---- columns to rows ---- */

static wr_status column_heap_bytes(const wr_row_cells *cells, wr_phys phys, uint32_t count, uint32_t *heap_bytes,
                                   wr_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        if (!cells->all_valid && !cells->valid[i]) continue;
        size_t bytes;
        if (phys == WR_PHYS_VIEW) {
            bytes = wr_view_heap_bytes((const wr_string_view *)cells->leaf->data + cells->index[i]);
        } else {
            bytes = wr_nested_bytes(cells->leaf, cells->index[i]);
            if (bytes <= WR_STRING_INLINE) bytes = 0;
        }
        bytes += heap_bytes[i];
        if (WR_UNLIKELY(bytes > WR_ROW_VALUE_MAX)) return heap_too_long(err, bytes);
        heap_bytes[i] = (uint32_t)bytes;
    }
    return WR_OK;
}

static wr_status rows_heap_bytes(const wr_row_layout *layout, const wr_vector *columns, const uint32_t *rows,
                                 uint32_t count, uint32_t *heap_bytes, wr_error *err) {
    memset(heap_bytes, 0, sizeof *heap_bytes * count);
    for (uint32_t c = 0; c < layout->column_count; c++) {
        if (!wr_phys_has_heap(layout->columns[c].phys)) continue;
        wr_row_cells cells;
        wr_row_cells_find(&cells, &columns[c], rows, count);
        WR_TRY(column_heap_bytes(&cells, layout->columns[c].phys, count, heap_bytes, err));
    }
    return WR_OK;
}

/* A NULL's value is written as zeros, so that rows are the same bytes when they hold the same values. */
#define SCATTER(type)                                                                                                  \
    do {                                                                                                               \
        const type *values = cells->leaf->data;                                                                        \
        if (cells->all_valid) {                                                                                        \
            for (uint32_t i = 0; i < count; i++) *(type *)(to + (size_t)i * stride) = values[cells->index[i]];         \
        } else {                                                                                                       \
            for (uint32_t i = 0; i < count; i++) {                                                                     \
                *(type *)(to + (size_t)i * stride) = cells->valid[i] ? values[cells->index[i]] : (type){0};            \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

static void scatter_fixed(const wr_row_cells *cells, uint32_t bytes, uint32_t count, uint8_t *to, uint32_t stride) {
    switch (bytes) {
    case 1: SCATTER(wr_cell_1); break;
    case 2: SCATTER(wr_cell_2); break;
    case 4: SCATTER(wr_cell_4); break;
    case 8: SCATTER(wr_cell_8); break;
    default: SCATTER(wr_cell_16); break;
    }
}

static void scatter_bool(const wr_row_cells *cells, uint32_t count, uint8_t *to, uint32_t stride) {
    const uint64_t *bits = cells->leaf->data;
    for (uint32_t i = 0; i < count; i++) {
        bool valid = cells->all_valid || cells->valid[i];
        to[(size_t)i * stride] = valid && wr_bit_get(bits, cells->index[i]);
    }
}

static void scatter_view(const wr_row_cells *cells, uint32_t count, uint8_t *to, uint32_t stride, char **heap) {
    const wr_string_view *views = cells->leaf->data;
    for (uint32_t i = 0; i < count; i++) {
        wr_string_view view = {.words = {0, 0}};
        if (cells->all_valid || cells->valid[i]) view = views[cells->index[i]];
        if (view.size > WR_STRING_INLINE) {
            memcpy(heap[i], view.data, view.size);
            view.data = heap[i];
            heap[i] += view.size;
        }
        *(wr_string_view *)(to + (size_t)i * stride) = view;
    }
}

static void scatter_nested(const wr_row_cells *cells, uint32_t count, uint8_t *to, uint32_t stride, char **heap) {
    for (uint32_t i = 0; i < count; i++) {
        wr_string_view view = {.words = {0, 0}};
        if (cells->all_valid || cells->valid[i]) {
            size_t bytes = wr_nested_bytes(cells->leaf, cells->index[i]);
            uint8_t small[WR_STRING_INLINE];
            uint8_t *run = bytes <= WR_STRING_INLINE ? small : (uint8_t *)heap[i];
            wr_nested_write(cells->leaf, cells->index[i], run);
            view = wr_view_make((const char *)run, (uint32_t)bytes);
            heap[i] += wr_view_heap_bytes(&view);
        }
        *(wr_string_view *)(to + (size_t)i * stride) = view;
    }
}

static void scatter_validity(const wr_row_cells *cells, uint32_t column, uint32_t count, uint8_t *base,
                             uint32_t stride) {
    if (cells->all_valid) return;
    uint8_t *to = base + (column >> 3);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t is_null = !cells->valid[i];
        to[(size_t)i * stride] &= (uint8_t) ~(is_null << (column & 7));
    }
}

static void run_write(row_run *run, const wr_row_layout *layout, const wr_vector *columns, const uint32_t *rows) {
    uint32_t stride = layout->row_bytes;
    for (uint32_t i = 0; i < run->count; i++) memset(run->base + (size_t)i * stride, 0xff, layout->validity_bytes);
    for (uint32_t c = 0; c < layout->column_count; c++) {
        wr_phys phys = layout->columns[c].phys;
        wr_row_cells cells;
        wr_row_cells_find(&cells, &columns[c], rows, run->count);
        scatter_validity(&cells, c, run->count, run->base, stride);
        uint8_t *to = run->base + layout->columns[c].offset;
        if (phys == WR_PHYS_BOOL) {
            scatter_bool(&cells, run->count, to, stride);
        } else if (phys == WR_PHYS_VIEW) {
            scatter_view(&cells, run->count, to, stride, run->heap);
        } else if (wr_phys_is_nested(phys)) {
            scatter_nested(&cells, run->count, to, stride, run->heap);
        } else {
            scatter_fixed(&cells, wr_row_phys_bytes(phys), run->count, to, stride);
        }
    }
}

wr_status wr_row_append(wr_row_list *list, wr_allocator *a, const wr_row_layout *layout, uint32_t page_bytes,
                        const wr_vector *columns, const uint32_t *rows, uint32_t count, uint8_t **addresses,
                        wr_error *err) {
    uint32_t positions[WR_ROW_CHUNK], heap_bytes[WR_ROW_CHUNK];
    row_run run;
    for (uint32_t done = 0; done < count;) {
        uint32_t chunk = count - done < WR_ROW_CHUNK ? count - done : WR_ROW_CHUNK;
        const uint32_t *at = rows ? rows + done : positions;
        if (!rows) {
            for (uint32_t i = 0; i < chunk; i++) positions[i] = done + i;
        }
        if (layout->has_heap) WR_TRY(rows_heap_bytes(layout, columns, at, chunk, heap_bytes, err));
        for (uint32_t i = 0; i < chunk; i += run.count) {
            WR_TRY(
                run_open(&run, list, a, layout, page_bytes, layout->has_heap ? heap_bytes + i : NULL, chunk - i, err));
            run_write(&run, layout, columns, at + i);
            run_close(&run, list, layout, addresses ? addresses + done + i : NULL);
        }
        done += chunk;
    }
    return WR_OK;
}

size_t wr_row_append_bytes(const wr_row_layout *layout, uint32_t page_bytes, const wr_vector *columns,
                           const uint32_t *rows, uint32_t count) {
    size_t bytes = (size_t)layout->row_bytes * count;
    for (uint32_t c = 0; c < layout->column_count; c++) {
        if (!wr_phys_has_heap(layout->columns[c].phys)) continue;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t row;
            const wr_vector *leaf = wr_row_cell(&columns[c], rows ? rows[i] : i, &row);
            if (!leaf) continue;
            bool is_view = layout->columns[c].phys == WR_PHYS_VIEW;
            bytes +=
                is_view ? wr_view_heap_bytes((const wr_string_view *)leaf->data + row) : wr_nested_bytes(leaf, row);
        }
    }
    /* What does not fit leaves less than a row free on each page; a page more for a row that is longer than one. */
    return bytes ? bytes + bytes / 4 + 2 * (size_t)page_bytes : 0;
}

/* ---- rows to rows ---- */

wr_status wr_row_heap_bytes(const wr_row_layout *layout, const uint8_t *row, uint32_t *out, wr_error *err) {
    size_t bytes = 0;
    for (uint32_t c = 0; c < layout->column_count; c++) {
        if (!wr_phys_has_heap(layout->columns[c].phys)) continue;
        bytes += wr_view_heap_bytes((const wr_string_view *)(row + layout->columns[c].offset));
    }
    if (WR_UNLIKELY(bytes > WR_ROW_VALUE_MAX)) return heap_too_long(err, bytes);
    *out = (uint32_t)bytes;
    return WR_OK;
}

void wr_row_heap_copy(const wr_row_layout *layout, uint8_t *row, char *heap) {
    for (uint32_t c = 0; c < layout->column_count; c++) {
        if (!wr_phys_has_heap(layout->columns[c].phys)) continue;
        wr_string_view *view = (wr_string_view *)(row + layout->columns[c].offset);
        if (view->size <= WR_STRING_INLINE) continue;
        memcpy(heap, view->data, view->size);
        view->data = heap;
        heap += view->size;
    }
}

wr_status wr_row_copy(wr_row_list *list, wr_allocator *a, const wr_row_layout *layout, uint32_t page_bytes,
                      uint8_t *const *source, uint32_t count, uint8_t **addresses, wr_error *err) {
    uint32_t heap_bytes[WR_ROW_CHUNK];
    row_run run;
    for (uint32_t done = 0; done < count;) {
        uint32_t chunk = count - done < WR_ROW_CHUNK ? count - done : WR_ROW_CHUNK;
        for (uint32_t i = 0; layout->has_heap && i < chunk; i++) {
            WR_TRY(wr_row_heap_bytes(layout, source[done + i], &heap_bytes[i], err));
        }
        for (uint32_t i = 0; i < chunk; i += run.count) {
            WR_TRY(
                run_open(&run, list, a, layout, page_bytes, layout->has_heap ? heap_bytes + i : NULL, chunk - i, err));
            for (uint32_t r = 0; r < run.count; r++) {
                uint8_t *row = run.base + (size_t)r * layout->row_bytes;
                memcpy(row, source[done + i + r], layout->row_bytes);
                if (layout->has_heap) wr_row_heap_copy(layout, row, run.heap[r]);
            }
            run_close(&run, list, layout, addresses ? addresses + done + i : NULL);
        }
        done += chunk;
    }
    return WR_OK;
}
