/* The dictionary of a column chunk: inflated when a value of it is needed, then shared by all batches by pointer. */
#include "format/parquet/reader.h"

/* Entries cost at least so many bytes of their page: no count is believed beyond it. */
static size_t entry_bytes_min(const wr_pq_leaf *leaf) {
    if (leaf->physical == WR_PQ_BYTE_ARRAY) return 4;
    return leaf->physical == WR_PQ_FIXED ? leaf->fixed_bytes : leaf->raw_bytes;
}

static wr_status inflate(wr_pq_reader *r, wr_error *err) {
    const wr_pq_dictionary *d = &r->dictionary;
    const uint8_t *stored;
    WR_TRY(wr_pq_reader_payload(r, d->offset, &d->header, &stored, err));
    if (d->header.value_count > d->header.plain_bytes / entry_bytes_min(r->leaf)) {
        return wr_fail(err, WR_CORRUPT, "a dictionary of %u entries cannot fit %u bytes", d->header.value_count,
                       d->header.plain_bytes);
    }
    WR_TRY(wr_pq_reader_recycle(r, &r->dictionary.bytes, d->header.plain_bytes + 16, err));
    wr_buffer *bytes = r->dictionary.bytes;
    WR_TRY(wr_pq_inflate(&r->context->codecs, r->chunk->codec, stored, d->header.stored_bytes, bytes->data,
                         d->header.plain_bytes, err));
    bytes->size_bytes = d->header.plain_bytes;
    wr_buffer_release(d->stored);
    r->dictionary.stored = NULL;
    r->context->counters->pages_inflated++;
    r->context->counters->bytes_inflated += d->header.plain_bytes;
    return WR_OK;
}

/* Decodes the entries to `out`, which holds them as vectors do. */
static wr_status decode_entries(wr_pq_reader *r, uint32_t count, void *out, wr_error *err) {
    const wr_pq_leaf *leaf = r->leaf;
    wr_buffer *bytes = r->dictionary.bytes;
    wr_pq_decoder decoder = {
        .ops = wr_pq_decoder_find(WR_PQ_PLAIN, leaf->physical),
        .kernels = r->context->kernels,
        .allocator = r->context->allocator,
        .leaf = leaf,
        .span = wr_span_from(bytes->data, bytes->size_bytes, 0),
        .value_count = count,
    };
    WR_TRY(decoder.ops->open(&decoder, err));
    if (!leaf->convert) return decoder.ops->decode(&decoder, count, out, err);
    WR_TRY(wr_buffer_recycle(&r->raw, r->context->allocator, (size_t)count * leaf->raw_bytes + 16, err));
    WR_TRY(decoder.ops->decode(&decoder, count, r->raw->data, err));
    return leaf->convert(leaf, r->raw->data, count, out, err);
}

static wr_status make_values(wr_pq_reader *r, wr_error *err) {
    const wr_pq_leaf *leaf = r->leaf;
    wr_pq_dictionary *d = &r->dictionary;
    uint32_t count = d->header.value_count;
    if (!leaf->convert && !leaf->raw_views) {
        wr_buffer_release(d->values); /* the page is the values */
        d->values = wr_buffer_retain(d->bytes);
    } else {
        if (d->values == d->bytes) {
            wr_buffer_release(d->values);
            d->values = NULL;
        }
        WR_TRY(
            wr_buffer_recycle(&d->values, r->context->allocator, ((size_t)count + 1) * wr_pq_dense_bytes(leaf), err));
        WR_TRY(decode_entries(r, count, d->values->data, err));
    }
    /* There is always an entry, so that the codes of NULL rows lead somewhere. */
    if (count == 0) memset(d->values->data, 0, wr_pq_dense_bytes(leaf));
    return WR_OK;
}

wr_status wr_pq_reader_load_dictionary(wr_pq_reader *r, wr_error *err) {
    wr_pq_dictionary *d = &r->dictionary;
    if (d->set) return WR_OK;
    if (!d->found)
        return wr_fail(err, WR_INTERNAL, "the dictionary of column '%.*s' is not known", WR_STR_ARGS(r->name));
    wr_status status = inflate(r, err);
    if (status == WR_OK) status = make_values(r, err);
    if (status != WR_OK) {
        status = wr_pq_reader_blame(r, d->offset, err);
        d->failed = true;
        return status;
    }
    wr_vector_set *set;
    WR_TRY(wr_vector_set_create(&set, r->context->allocator, 1, err));
    wr_vector *values = &set->items[0];
    *values = (wr_vector){
        .type = r->leaf->type,
        .kind = WR_FLAT,
        .phys = r->leaf->phys,
        .row_count = d->header.value_count ? d->header.value_count : 1,
        .data = d->values->data,
        .data_buffer = wr_buffer_retain(d->values),
    };
    if (values->phys == WR_PHYS_VIEW) {
        status = wr_heap_create(&values->heap, r->context->allocator, err);
        if (status == WR_OK) status = wr_heap_add(values->heap, d->bytes, err);
        if (status != WR_OK) {
            wr_vector_set_release(set);
            return status;
        }
    }
    d->set = set;
    return WR_OK;
}

wr_status wr_pq_reader_attach(wr_pq_reader *r, wr_error *err) {
    if (r->vector.kind != WR_DICTIONARY || r->vector.children) return WR_OK;
    WR_TRY(wr_pq_reader_load_dictionary(r, err));
    r->vector.children = wr_vector_set_retain(r->dictionary.set);
    return WR_OK;
}
