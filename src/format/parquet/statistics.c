/* What minimum and maximum in a file's metadata prove.
 *
 * They are believed only where the order they were computed in is known to be ours: the newer fields when the footer
 * says so, the older ones for types whose only order is that of signed numbers. NaN makes no bound; bounds of floats
 * are those of the other values. Text bounds may be cut, and are exact only when the file says so. */
#include <math.h>

#include "format/parquet/file.h"

static bool is_float(const wr_pq_leaf *leaf) {
    return leaf->phys == WR_PHYS_F32 || leaf->phys == WR_PHYS_F64;
}

/* False for types whose bytes are not ordered as our values are. */
static bool order_is_known(const wr_pq_file *file, uint32_t index, bool legacy) {
    const wr_pq_leaf *leaf = &file->schema.leaves[index];
    if (leaf->refusal || leaf->definition_max > 1) return false;
    if (leaf->physical == WR_PQ_INT96 || leaf->type.id == WR_TYPE_INTERVAL) return false;
    bool is_unsigned =
        leaf->phys == WR_PHYS_U8 || leaf->phys == WR_PHYS_U16 || leaf->phys == WR_PHYS_U32 || leaf->phys == WR_PHYS_U64;
    bool is_bytes = leaf->physical == WR_PQ_BYTE_ARRAY || leaf->physical == WR_PQ_FIXED;
    if (legacy) return !is_unsigned && !is_bytes;
    uint8_t order = file->footer.leaf_orders ? file->footer.leaf_orders[index] : WR_PQ_ORDER_UNKNOWN;
    return order == WR_PQ_ORDER_TYPE || (order == WR_PQ_ORDER_IEEE_TOTAL && is_float(leaf));
}

/* A value as statistics hold it: plain, text without its length. */
static bool read_value(const wr_pq_leaf *leaf, wr_str bytes, wr_value *out) {
    *out = (wr_value){.type = leaf->type};
    if (leaf->phys == WR_PHYS_VIEW) {
        out->text = bytes;
        return true;
    }
    if (leaf->phys == WR_PHYS_BOOL) {
        out->boolean = bytes.size == 1 && bytes.data[0];
        return bytes.size == 1;
    }
    uint64_t raw[8] = {0}, converted[2];
    wr_string_view view;
    const void *from = raw;
    if (leaf->raw_views) {
        view = wr_view_make(bytes.data, bytes.size);
        from = &view;
    } else {
        if (bytes.size != leaf->raw_bytes || bytes.size > sizeof raw) return false;
        memcpy(raw, bytes.data, bytes.size);
    }
    if (leaf->convert) {
        if (leaf->convert(leaf, from, 1, converted, NULL) != WR_OK) return false;
        from = converted;
    }
    const wr_vector v = {.type = leaf->type, .kind = WR_FLAT, .phys = leaf->phys, .row_count = 1, .data = from};
    return wr_vector_value(&v, 0, NULL, out, NULL) == WR_OK;
}

static void set_bounds(const wr_pq_leaf *leaf, wr_str min, wr_str max, wr_column_bounds *out) {
    if (!min.data || !max.data || !read_value(leaf, min, &out->min) || !read_value(leaf, max, &out->max)) return;
    if (is_float(leaf)) {
        if (isnan(out->min.f64) || isnan(out->max.f64)) return;
        if (out->min.f64 == 0) out->min.f64 = -0.0;
        if (out->max.f64 == 0) out->max.f64 = 0.0;
    }
    /* Bounds the wrong way round are a writer's mistake, and prove nothing. */
    out->has_bounds = wr_value_compare(&out->min, &out->max) <= 0;
}

void wr_pq_chunk_bounds(const wr_pq_file *file, uint32_t row_group, uint32_t index, wr_column_bounds *out) {
    const wr_pq_leaf *leaf = &file->schema.leaves[index];
    const wr_pq_row_group *group = &file->footer.row_groups[row_group];
    const wr_pq_statistics *s = &group->chunks[index].statistics;
    int64_t rows = (int64_t)group->row_count;
    *out = (wr_column_bounds){.null_count = -1, .row_count = rows, .distinct_count = -1};
    if (leaf->definition_max > 1) return;
    if (leaf->definition_max == 0) {
        out->null_count = 0;
    } else if (s->null_count >= 0 && s->null_count <= rows) {
        out->null_count = s->null_count;
    }
    if (!order_is_known(file, index, s->legacy)) return;
    set_bounds(leaf, s->min, s->max, out);
    bool is_text = leaf->phys == WR_PHYS_VIEW;
    out->exact = out->has_bounds && !is_float(leaf) && (!is_text || (s->min_exact && s->max_exact));
}

void wr_pq_page_index_bounds(const wr_pq_file *file, uint32_t index, const wr_pq_page_bounds *page, uint64_t row_count,
                             wr_column_bounds *out) {
    const wr_pq_leaf *leaf = &file->schema.leaves[index];
    int64_t rows = (int64_t)row_count;
    *out = (wr_column_bounds){.null_count = -1, .row_count = rows, .distinct_count = -1};
    if (page->all_null) {
        out->null_count = rows;
        return;
    }
    if (leaf->definition_max == 0) {
        out->null_count = 0;
    } else if (page->null_count >= 0 && page->null_count <= rows) {
        out->null_count = page->null_count;
    }
    if (order_is_known(file, index, false)) set_bounds(leaf, page->min, page->max, out);
}
