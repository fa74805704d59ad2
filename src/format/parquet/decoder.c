/* Which decoder reads which encoding of which physical type. */
#include "format/parquet/decoder.h"

#define BIT(physical) (1u << WR_PQ_##physical)
#define BITS_32_64 (BIT(INT32) | BIT(INT64))
#define FLOATS (BIT(FLOAT) | BIT(DOUBLE))

static const struct {
    uint8_t encoding;
    uint16_t physicals;
    const wr_pq_decoder_ops *ops;
} table[] = {
    {WR_PQ_PLAIN, BIT(BOOLEAN), &wr_pq_plain_boolean},
    {WR_PQ_PLAIN, BITS_32_64 | FLOATS | BIT(INT96) | BIT(FIXED), &wr_pq_plain_fixed},
    {WR_PQ_PLAIN, BIT(BYTE_ARRAY), &wr_pq_plain_bytes},
    {WR_PQ_PLAIN_DICTIONARY, 0xff & ~BIT(BOOLEAN), &wr_pq_codes},
    {WR_PQ_RLE_DICTIONARY, 0xff & ~BIT(BOOLEAN), &wr_pq_codes},
    {WR_PQ_RLE, BIT(BOOLEAN), &wr_pq_rle_boolean},
    {WR_PQ_DELTA_BINARY_PACKED, BITS_32_64, &wr_pq_delta_integer},
    {WR_PQ_DELTA_LENGTH_BYTE_ARRAY, BIT(BYTE_ARRAY), &wr_pq_delta_length},
    {WR_PQ_DELTA_BYTE_ARRAY, BIT(BYTE_ARRAY) | BIT(FIXED), &wr_pq_delta_bytes},
    {WR_PQ_BYTE_STREAM_SPLIT, BITS_32_64 | FLOATS | BIT(FIXED), &wr_pq_byte_split},
};

const wr_pq_decoder_ops *wr_pq_decoder_find(wr_pq_encoding encoding, wr_pq_physical physical) {
    for (size_t i = 0; i < WR_COUNT_OF(table); i++) {
        if (table[i].encoding == encoding && table[i].physicals >> physical & 1) return table[i].ops;
    }
    return NULL;
}

const char *wr_pq_encoding_name(unsigned encoding) {
    static const char *const names[WR_PQ_ENCODINGS] = {
        [WR_PQ_PLAIN] = "PLAIN",
        [WR_PQ_PLAIN_DICTIONARY] = "PLAIN_DICTIONARY",
        [WR_PQ_RLE] = "RLE",
        [WR_PQ_BIT_PACKED] = "BIT_PACKED",
        [WR_PQ_DELTA_BINARY_PACKED] = "DELTA_BINARY_PACKED",
        [WR_PQ_DELTA_LENGTH_BYTE_ARRAY] = "DELTA_LENGTH_BYTE_ARRAY",
        [WR_PQ_DELTA_BYTE_ARRAY] = "DELTA_BYTE_ARRAY",
        [WR_PQ_RLE_DICTIONARY] = "RLE_DICTIONARY",
        [WR_PQ_BYTE_STREAM_SPLIT] = "BYTE_STREAM_SPLIT",
    };
    return encoding < WR_PQ_ENCODINGS && names[encoding] ? names[encoding] : "an unknown encoding";
}

wr_status wr_pq_fail_short(const wr_pq_decoder *d, uint32_t wanted, wr_error *err) {
    return wr_fail(err, WR_CORRUPT, "its values end within the next %u: %zu of %zu bytes are left", wanted,
                   wr_span_left(&d->span), d->span.size);
}
