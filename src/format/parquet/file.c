/* Opening a Parquet file: the footer is read and parsed once, and immutable from then on. */
#include "format/parquet/file.h"

#include "format/parquet/codec.h"
#include "format/parquet/reader.h"

enum {
    TAIL_BYTES = 64 * 1024, /* read at once: most footers fit */
    END_BYTES = 8,          /* the footer's size and the magic */
    FOOTER_BYTES_MAX = 1 << 30,
};

static wr_status blame(const wr_object *object, wr_error *err) {
    if (!err || (err->code != WR_CORRUPT && err->code != WR_UNSUPPORTED && err->code != WR_LIMIT)) {
        return err ? err->code : WR_CORRUPT;
    }
    return wr_error_prefix(err, "file '%.*s': ", WR_STR_ARGS(wr_object_describe(object)->path));
}

/* ---- the footer ---- */

static wr_status check_end(const uint8_t *end, uint64_t file_bytes, uint32_t *footer_bytes, wr_error *err) {
    memcpy(footer_bytes, end, 4);
    if (memcmp(end + 4, "PARE", 4) == 0) {
        return wr_fail(err, WR_UNSUPPORTED, "its footer is encrypted, and encrypted Parquet files cannot be read");
    }
    if (memcmp(end + 4, "PAR1", 4) != 0) {
        return wr_fail(
            err, WR_CORRUPT,
            "its last bytes, from byte %llu on, are %02x %02x %02x %02x, not PAR1: it is no Parquet file, or "
            "cut short",
            (unsigned long long)file_bytes - 4, end[4], end[5], end[6], end[7]);
    }
    if (*footer_bytes > FOOTER_BYTES_MAX || *footer_bytes > file_bytes - END_BYTES) {
        return wr_fail(err, WR_CORRUPT, "its footer, by the size at byte %llu, claims %u bytes, the file has %llu",
                       (unsigned long long)file_bytes - END_BYTES, *footer_bytes, (unsigned long long)file_bytes);
    }
    return WR_OK;
}

static wr_status read_footer(wr_pq_file *f, wr_error *err) {
    uint64_t file_bytes = wr_object_describe(f->base.object)->size_bytes;
    if (file_bytes < END_BYTES + 4) {
        return wr_fail(err, WR_CORRUPT, "it has %llu bytes, too few for a Parquet file",
                       (unsigned long long)file_bytes);
    }
    size_t tail = file_bytes < TAIL_BYTES ? (size_t)file_bytes : TAIL_BYTES;
    WR_TRY(wr_buffer_create(&f->footer_bytes, f->allocator, tail, err));
    wr_range range = {file_bytes - tail, tail, f->footer_bytes->data};
    WR_TRY(wr_object_read(f->base.object, &range, 1, err));
    uint32_t size;
    WR_TRY(check_end(f->footer_bytes->data + tail - END_BYTES, file_bytes, &size, err));
    uint64_t start = file_bytes - END_BYTES - size;
    const uint8_t *data = f->footer_bytes->data + tail - END_BYTES - size;
    if (size > tail - END_BYTES) {
        WR_TRY(wr_buffer_recycle(&f->footer_bytes, f->allocator, size, err));
        range = (wr_range){start, size, f->footer_bytes->data};
        WR_TRY(wr_object_read(f->base.object, &range, 1, err));
        data = f->footer_bytes->data;
    }
    WR_TRY(wr_pq_footer_parse(&f->footer, &f->arena, data, size, start, err));
    wr_status status = wr_pq_schema_build(&f->schema, &f->footer, &f->arena, err);
    if (status != WR_CORRUPT || !err) return status;
    return wr_error_prefix(err, "footer at byte %llu: ", (unsigned long long)start);
}

static wr_status make_parts(wr_pq_file *f, wr_error *err) {
    uint32_t count = f->footer.row_group_count;
    f->base.parts = WR_ARENA_ARRAY(&f->arena, wr_file_part, count + 1);
    if (!f->base.parts) return wr_fail_memory(err, sizeof(wr_file_part) * count, "the footer");
    f->base.part_count = count;
    uint64_t first = 0;
    for (uint32_t i = 0; i < count; i++) {
        const wr_pq_row_group *group = &f->footer.row_groups[i];
        wr_file_part *part = &f->base.parts[i];
        *part = (wr_file_part){.row_count = group->row_count, .first_row = first};
        for (uint32_t c = 0; c < f->schema.leaf_count; c++) part->stored_bytes += group->chunks[c].stored_bytes;
        if (__builtin_add_overflow(first, group->row_count, &first)) {
            return wr_fail(err, WR_CORRUPT, "its row groups have more rows than can be counted");
        }
    }
    /* The row groups are what is read; a footer that counts otherwise is not believed. */
    f->base.row_count = first;
    f->base.schema = f->schema.fields;
    return WR_OK;
}

/* ---- the table of functions ---- */

static void file_destroy(wr_table_file *base) {
    wr_pq_file *f = (wr_pq_file *)base;
    wr_object_release(f->base.object);
    wr_buffer_release(f->footer_bytes);
    wr_arena_deinit(&f->arena);
    wr_free(f->allocator, f, sizeof *f);
}

static void file_bounds(const wr_table_file *base, uint32_t part, uint32_t column, wr_column_bounds *out) {
    const wr_pq_file *f = wr_pq_file_of(base);
    if (!f->schema.columns[column].nested) {
        wr_pq_chunk_bounds(f, part, f->schema.columns[column].leaf, out);
        return;
    }
    *out =
        (wr_column_bounds){.null_count = -1, .row_count = (int64_t)base->parts[part].row_count, .distinct_count = -1};
}

/* The size of the chunk's dictionary, from the header of its page. */
static wr_status file_sample(wr_table_file *base, uint32_t part, uint32_t column, wr_column_bounds *out,
                             wr_error *err) {
    const wr_pq_file *f = wr_pq_file_of(base);
    file_bounds(base, part, column, out);
    const wr_pq_column *c = &f->schema.columns[column];
    const wr_pq_chunk *chunk = &f->footer.row_groups[part].chunks[c->leaf];
    if (c->nested || !chunk->all_dictionary || !chunk->stored_bytes || !base->parts[part].row_count) return WR_OK;
    wr_scan_counters counters = {0};
    wr_pq_context context = {.allocator = f->allocator, .file = f, .counters = &counters};
    wr_pq_reader reader;
    wr_pq_reader_init(&reader, &context, &f->schema.leaves[c->leaf], f->schema.fields.fields[column].name);
    wr_status status = wr_pq_reader_begin(&reader, chunk, base->parts[part].row_count, err);
    reader.sparse = true;
    wr_pq_page_header header;
    if (status == WR_OK) status = wr_pq_reader_header(&reader, chunk->first_byte, &header, err);
    if (status == WR_OK && header.kind == WR_PQ_DICTIONARY_PAGE) out->distinct_count = header.value_count;
    if (status != WR_OK) status = wr_pq_reader_blame(&reader, chunk->first_byte, err);
    wr_pq_reader_deinit(&reader);
    return status;
}

static const wr_table_file_ops file_ops = {
    .destroy = file_destroy,
    .bounds = file_bounds,
    .sample = file_sample,
    .cursor_create = wr_pq_cursor_create,
};

/* PARE: encrypted, which is said when it is opened. */
static bool sniff(const uint8_t *head, size_t size) {
    return size >= 4 && (memcmp(head, "PAR1", 4) == 0 || memcmp(head, "PARE", 4) == 0);
}

static wr_status file_open(wr_table_file **out, wr_allocator *a, wr_object *object, const wr_kernels *kernels,
                           wr_error *err) {
    (void)kernels;
    wr_pq_file *f = wr_alloc_zeroed(a, sizeof *f);
    if (!f) return wr_fail_memory(err, sizeof *f, "a file");
    f->allocator = a;
    wr_arena_init(&f->arena, a);
    f->base =
        (wr_table_file){.ops = &file_ops, .refs = 1, .object = wr_object_retain(object), .format = &wr_parquet_format};
    wr_status status = read_footer(f, err);
    if (status == WR_OK) status = make_parts(f, err);
    if (status != WR_OK) {
        status = blame(object, err);
        file_destroy(&f->base);
        return status;
    }
    *out = &f->base;
    return WR_OK;
}

const wr_format wr_parquet_format = {
    .name = "parquet",
    .extensions = (const char *const[]){"parquet", "parq", "pq", NULL},
    .sniff = sniff,
    .open = file_open,
};
