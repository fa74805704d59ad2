/* Writing text results: views in order, long ones into large pieces of the result's heap. */
#ifndef WR_PLAN_FUNCTIONS_TEXT_OUT_H
#define WR_PLAN_FUNCTIONS_TEXT_OUT_H

#include "plan/functions/call.h"

enum { WR_TEXT_PIECE_BYTES = 16 * 1024 };

typedef struct wr_text_out {
    wr_vector *result; /* prepared by begin; its views are cleared */
    wr_string_view *views;
    char *at, *end;
    wr_error *err;
} wr_text_out;

static inline wr_status wr_text_out_begin(wr_call_context *c, wr_vector *result, bool nullable, wr_text_out *out) {
    WR_TRY(wr_vector_prepare(result, c->allocator, c->result, c->row_count, nullable, c->err));
    *out = (wr_text_out){result, wr_vector_data_mut(result), NULL, NULL, c->err};
    memset(out->views, 0, c->row_count * sizeof *out->views);
    return WR_OK;
}

/* out->at has room for so many bytes then. */
static inline wr_status wr_text_out_room(wr_text_out *out, size_t size) {
    if (WR_LIKELY((size_t)(out->end - out->at) >= size)) return WR_OK;
    if (size > UINT32_MAX / 2)
        return wr_fail(out->err, WR_VALUE, "a text of %zu bytes is too long, at most 2 GB", size);
    size_t piece = size > WR_TEXT_PIECE_BYTES ? size : WR_TEXT_PIECE_BYTES;
    WR_TRY(wr_heap_alloc(out->result->heap, (uint32_t)piece, &out->at, out->err));
    out->end = out->at + piece;
    return WR_OK;
}

/* The next `size` bytes at out->at are row `row`. */
static inline void wr_text_out_row(wr_text_out *out, uint32_t row, uint32_t size) {
    if (size == 0) return;
    out->views[row] = wr_view_make(out->at, size);
    if (size > WR_STRING_INLINE) out->at += size;
}

/* A copy of bytes from elsewhere. */
static inline wr_status wr_text_out_copy(wr_text_out *out, uint32_t row, wr_str text) {
    if (text.size > WR_STRING_INLINE) {
        WR_TRY(wr_text_out_room(out, text.size));
        memcpy(out->at, text.data, text.size);
        wr_text_out_row(out, row, text.size);
    } else if (text.size) {
        out->views[row] = wr_view_make(text.data, text.size);
    }
    return WR_OK;
}

#endif
