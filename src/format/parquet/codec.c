/* Codecs. Snappy is ours (kernel/snappy.c), the others are their libraries'. Memory of the libraries is taken from the
 * worker's allocator where they let us; libdeflate 1.14 does not, its 11 KB are not counted. */
#define ZSTD_STATIC_LINKING_ONLY /* for an allocator of the caller's */
#include "format/parquet/codec.h"

#include <brotli/decode.h>
#include <libdeflate.h>
#include <lz4.h>
#include <string.h>
#include <zstd.h>

#include "kernel/snappy.h"

/* ---- allocation for libraries, which free without a size: it stands in front ---- */

enum { HEAD_BYTES = 16 };

static void *library_alloc(void *opaque, size_t size) {
    uint8_t *block = wr_alloc(opaque, size + HEAD_BYTES);
    if (!block) return NULL;
    memcpy(block, &size, sizeof size);
    return block + HEAD_BYTES;
}

static void library_free(void *opaque, void *data) {
    if (!data) return;
    uint8_t *block = (uint8_t *)data - HEAD_BYTES;
    size_t size;
    memcpy(&size, block, sizeof size);
    wr_free(opaque, block, size + HEAD_BYTES);
}

/* ---- one function a codec ---- */

static wr_status fail_broken(const char *codec, size_t in_size, size_t out_size, const char *why, wr_error *err) {
    return wr_fail(err, WR_CORRUPT, "its %zu bytes of %s do not give the %zu bytes they should: %s", in_size, codec,
                   out_size, why);
}

static wr_status inflate_snappy(wr_pq_codecs *c, const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size,
                                wr_error *err) {
    wr_inflate_page page = {in, in_size, out, out_size, 0};
    if (c->kernels->snappy->inflate(&page)) return WR_OK;
    return wr_fail(err, WR_CORRUPT, "its %zu bytes of SNAPPY do not give the %zu bytes they should: wrong at byte %zu",
                   in_size, out_size, page.failed_at);
}

/* Members may follow each other. */
static wr_status inflate_gzip(wr_pq_codecs *c, const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size,
                              wr_error *err) {
    if (!c->deflate) c->deflate = libdeflate_alloc_decompressor();
    if (!c->deflate) return wr_fail_memory(err, 0, "a GZIP decoder");
    size_t in_at = 0, out_at = 0;
    while (in_at < in_size) {
        size_t in_used, out_used;
        enum libdeflate_result result = libdeflate_gzip_decompress_ex(
            c->deflate, in + in_at, in_size - in_at, out + out_at, out_size - out_at, &in_used, &out_used);
        if (result != LIBDEFLATE_SUCCESS) {
            const char *why = result == LIBDEFLATE_INSUFFICIENT_SPACE ? "there is more" : "they are damaged";
            return fail_broken("GZIP", in_size, out_size, why, err);
        }
        in_at += in_used;
        out_at += out_used;
    }
    return out_at == out_size ? WR_OK : fail_broken("GZIP", in_size, out_size, "there is less", err);
}

static wr_status inflate_brotli(wr_pq_codecs *c, const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size,
                                wr_error *err) {
    BrotliDecoderState *state = BrotliDecoderCreateInstance(library_alloc, library_free, c->allocator);
    if (!state) return wr_fail_memory(err, 0, "a BROTLI decoder");
    BrotliDecoderResult result = BrotliDecoderDecompressStream(state, &in_size, &in, &out_size, &out, NULL);
    bool whole = result == BROTLI_DECODER_RESULT_SUCCESS && in_size == 0 && out_size == 0;
    BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(state);
    BrotliDecoderDestroyInstance(state);
    if (whole) return WR_OK;
    bool memory =
        code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES && code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
    return memory ? wr_fail_memory(err, 0, "a BROTLI decoder")
                  : fail_broken("BROTLI", in_size, out_size, "they are damaged, or there is more or less", err);
}

static wr_status inflate_zstd(wr_pq_codecs *c, const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size,
                              wr_error *err) {
    if (!c->zstd) c->zstd = ZSTD_createDCtx_advanced((ZSTD_customMem){library_alloc, library_free, c->allocator});
    if (!c->zstd) return wr_fail_memory(err, 0, "a ZSTD decoder");
    size_t written = ZSTD_decompressDCtx(c->zstd, out, out_size, in, in_size);
    if (!ZSTD_isError(written) && written == out_size) return WR_OK;
    const char *why = ZSTD_isError(written) ? ZSTD_getErrorName(written) : "there is less";
    return fail_broken("ZSTD", in_size, out_size, why, err);
}

static bool lz4_block(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size) {
    if (in_size > INT32_MAX || out_size > INT32_MAX) return false;
    return LZ4_decompress_safe((const char *)in, (char *)out, (int)in_size, (int)out_size) == (int)out_size;
}

static wr_status inflate_lz4_raw(wr_pq_codecs *c, const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size,
                                 wr_error *err) {
    (void)c;
    if (lz4_block(in, in_size, out, out_size)) return WR_OK;
    return fail_broken("LZ4_RAW", in_size, out_size, "they are damaged, or there is more or less", err);
}

static size_t read_size(const uint8_t *in) {
    return (size_t)in[0] << 24 | (size_t)in[1] << 16 | (size_t)in[2] << 8 | in[3];
}

/* Hadoop's framing: blocks, each behind its sizes, inflated and stored, in 4 big-endian bytes. */
static bool hadoop_blocks(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size) {
    while (in_size >= 8) {
        size_t plain = read_size(in), stored = read_size(in + 4);
        in += 8;
        in_size -= 8;
        if (stored > in_size || plain > out_size || !lz4_block(in, stored, out, plain)) return false;
        in += stored;
        in_size -= stored;
        out += plain;
        out_size -= plain;
    }
    return in_size == 0 && out_size == 0;
}

/* The old LZ4 means either, depending on who wrote it. */
static wr_status inflate_lz4(wr_pq_codecs *c, const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size,
                             wr_error *err) {
    (void)c;
    if (hadoop_blocks(in, in_size, out, out_size) || lz4_block(in, in_size, out, out_size)) return WR_OK;
    return fail_broken("LZ4", in_size, out_size, "they are damaged, or there is more or less", err);
}

/* ---- the table ---- */

/* How far a byte can be inflated: by the longest copy that the shortest tag can ask for. */
static const struct {
    const char *name;
    uint32_t expansion_max;
    wr_status (*inflate)(wr_pq_codecs *c, const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size,
                         wr_error *err);
} table[] = {
    [WR_PQ_UNCOMPRESSED] = {"UNCOMPRESSED", 1, NULL},
    [WR_PQ_SNAPPY] = {"SNAPPY", 22, inflate_snappy},
    [2] = {"GZIP", 1032, inflate_gzip},
    [3] = {"LZO", 0, NULL},
    [4] = {"BROTLI", 1 << 20, inflate_brotli},
    [5] = {"LZ4", 256, inflate_lz4},
    [6] = {"ZSTD", 1 << 17, inflate_zstd},
    [7] = {"LZ4_RAW", 256, inflate_lz4_raw},
};

const char *wr_pq_codec_name(unsigned codec) {
    return codec < WR_COUNT_OF(table) ? table[codec].name : "an unknown codec";
}

wr_status wr_pq_codec_check(unsigned codec, wr_error *err) {
    if (codec < WR_COUNT_OF(table) && table[codec].expansion_max) return WR_OK;
    (void)wr_fail(err, WR_UNSUPPORTED, "its pages are compressed with codec %u (%s)", codec, wr_pq_codec_name(codec));
    return wr_hint(err, "UNCOMPRESSED, SNAPPY, GZIP, BROTLI, LZ4, ZSTD and LZ4_RAW can be read");
}

size_t wr_pq_codec_plain_max(unsigned codec, size_t stored) {
    enum { ANY_PAGE_BYTES = 64 };
    return codec == WR_PQ_UNCOMPRESSED ? stored : ANY_PAGE_BYTES + stored * table[codec].expansion_max;
}

wr_status wr_pq_inflate(wr_pq_codecs *codecs, unsigned codec, const uint8_t *in, size_t in_size, uint8_t *out,
                        size_t out_size, wr_error *err) {
    if (codec == WR_PQ_UNCOMPRESSED) {
        if (in_size != out_size) return fail_broken("UNCOMPRESSED", in_size, out_size, "sizes differ", err);
        memcpy(out, in, in_size);
        return WR_OK;
    }
    if (in_size == 0 && out_size == 0) return WR_OK;
    return table[codec].inflate(codecs, in, in_size, out, out_size, err);
}

void wr_pq_codecs_init(wr_pq_codecs *codecs, wr_allocator *a, const wr_kernels *kernels) {
    *codecs = (wr_pq_codecs){.allocator = a, .kernels = kernels};
}

void wr_pq_codecs_deinit(wr_pq_codecs *codecs) {
    ZSTD_freeDCtx(codecs->zstd);
    if (codecs->deflate) libdeflate_free_decompressor(codecs->deflate);
    *codecs = (wr_pq_codecs){0};
}
