/* Kept batches; see nodes.h. */
#include "exec/nodes.h"

void wr_batch_list_init(wr_batch_list *list, wr_allocator *a) {
    *list = (wr_batch_list){.allocator = a};
}

void wr_batch_list_deinit(wr_batch_list *list) {
    for (uint32_t i = 0; i < list->count; i++) wr_batch_deinit(&list->items[i]);
    wr_free(list->allocator, list->items, sizeof(wr_batch) * list->capacity);
    *list = (wr_batch_list){.allocator = list->allocator};
}

/* A kept batch may pin twice what its rows need, and no more; scans that recycle their buffers would otherwise have to
 * make new ones for a few rows that a selective filter left. */
static bool worth_sharing(const wr_batch *batch) {
    return !batch->sel || batch->sel_count >= batch->row_count / 2;
}

wr_status wr_batch_keep(wr_batch *to, wr_allocator *a, const wr_batch *batch, wr_error *err) {
    WR_TRY(wr_batch_init(to, a, batch->column_count, err));
    if (worth_sharing(batch)) {
        wr_batch_share(to, batch);
    } else {
        wr_status status = wr_batch_copy(to, a, batch, err);
        if (status != WR_OK) {
            wr_batch_deinit(to);
            return status;
        }
    }
    to->ordinal = batch->ordinal;
    return WR_OK;
}

wr_status wr_batch_list_add(wr_batch_list *list, const wr_batch *batch, wr_error *err) {
    WR_TRY(wr_grow(list->allocator, (void **)&list->items, &list->capacity, list->count, 1, sizeof(wr_batch), err));
    WR_TRY(wr_batch_keep(&list->items[list->count], list->allocator, batch, err));
    list->pinned_bytes += wr_batch_pinned_bytes(&list->items[list->count++]);
    return WR_OK;
}
