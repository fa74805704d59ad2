/* Our snappy against the library, on the pages of real columns.
 *
 *     bench_snappy FILE COLUMN...
 *
 * Takes the compressed pages of some row groups of each column (those that are not stored as one literal), and inflates
 * them with the library and with each instruction set of ours, in turn; the best of several rounds is shown in GB of
 * output a second. */
#include <snappy-c.h>
#include <stdio.h>
#include <stdlib.h>

#include "format/parquet/file.h"
#include "format/parquet/reader.h"
#include "kernel/snappy.h"
#include "os/os.h"

enum { PAGES_MAX = 256, ROW_GROUPS = 20, ROUNDS = 9 };

typedef struct page {
    uint8_t *stored;
    size_t stored_bytes, plain_bytes;
} page;

static page pages[PAGES_MAX];
static uint32_t page_count;
static size_t plain_total, plain_max;

static _Noreturn void die(const wr_error *err) {
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static void add_page(const uint8_t *stored, const wr_pq_page_header *h) {
    if (page_count == PAGES_MAX || wr_snappy_stored(stored, h->stored_bytes, h->plain_bytes)) return;
    page *p = &pages[page_count++];
    p->stored = wr_alloc_zeroed(wr_system_allocator(), h->stored_bytes + WR_BUFFER_PAD);
    if (!p->stored) exit(1);
    memcpy(p->stored, stored, h->stored_bytes);
    p->stored_bytes = h->stored_bytes;
    p->plain_bytes = h->plain_bytes;
    plain_total += h->plain_bytes;
    if (h->plain_bytes > plain_max) plain_max = h->plain_bytes;
}

static void add_chunk(wr_pq_context *context, uint32_t row_group, uint32_t leaf) {
    wr_error err;
    const wr_pq_file *file = context->file;
    const wr_pq_row_group *group = &file->footer.row_groups[row_group];
    wr_pq_reader reader;
    wr_pq_reader_init(&reader, context, &file->schema.leaves[leaf], WR_STR("column"));
    if (wr_pq_reader_begin(&reader, &group->chunks[leaf], group->row_count, &err) != WR_OK) die(&err);
    for (uint64_t offset = reader.next_page; offset < reader.end;) {
        wr_pq_page_header h;
        const uint8_t *stored;
        if (wr_pq_reader_header(&reader, offset, &h, &err) != WR_OK) die(&err);
        if (wr_pq_reader_payload(&reader, offset, &h, &stored, &err) != WR_OK) die(&err);
        add_page(stored, &h);
        offset += h.header_bytes + h.stored_bytes;
    }
    wr_pq_reader_deinit(&reader);
}

/* Seconds for all pages; kernels NULL is the library. */
static double inflate_all(const wr_kernels *kernels, uint8_t *out) {
    int64_t start = wr_clock_monotonic_ns();
    for (uint32_t i = 0; i < page_count; i++) {
        const page *p = &pages[i];
        bool whole;
        if (kernels) {
            wr_inflate_page inflate = {p->stored, p->stored_bytes, out, p->plain_bytes, 0};
            whole = kernels->snappy->inflate(&inflate);
        } else {
            size_t size = p->plain_bytes;
            whole = snappy_uncompress((const char *)p->stored, p->stored_bytes, (char *)out, &size) == SNAPPY_OK;
        }
        if (!whole) exit(1);
    }
    return (double)(wr_clock_monotonic_ns() - start) * 1e-9;
}

static void measure(const char *column) {
    double best[WR_ISA_COUNT + 1];
    uint8_t *out = wr_alloc_zeroed(wr_system_allocator(), plain_max + WR_BUFFER_PAD);
    if (!out) exit(1);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i <= WR_ISA_COUNT; i++) {
            const wr_kernels *kernels = i ? wr_kernels_select((wr_isa)(i - 1)) : NULL;
            double seconds = i && !kernels ? 1e9 : inflate_all(kernels, out);
            if (round == 0 || seconds < best[i]) best[i] = seconds;
        }
    }
    printf("%-20s %6u %9.1f %9.2f", column, page_count, (double)plain_total * 1e-6,
           (double)plain_total / best[0] * 1e-9);
    for (int i = 1; i <= WR_ISA_COUNT; i++) printf(" %8.2f", (double)plain_total / best[i] * 1e-9);
    printf("\n");
    wr_free(wr_system_allocator(), out, plain_max + WR_BUFFER_PAD);
}

int main(int argc, char **argv) {
    wr_error err;
    wr_object *object;
    wr_table_file *file;
    wr_allocator *a = wr_system_allocator();
    if (argc < 3) {
        fprintf(stderr, "usage: bench_snappy FILE COLUMN...\n");
        return 2;
    }
    if (wr_object_open(&object, a, NULL, wr_str_from(argv[1]), &err) != WR_OK) die(&err);
    if (wr_parquet_format.open(&file, a, object, wr_kernels_best(), &err) != WR_OK) die(&err);
    wr_scan_counters counters = {0};
    wr_pq_context context = {
        .allocator = a, .kernels = wr_kernels_best(), .file = wr_pq_file_of(file), .counters = &counters};
    printf("%-20s %6s %9s %9s", "column", "pages", "MB", "library");
    for (int i = 0; i < WR_ISA_COUNT; i++) printf(" %8s", wr_isa_name((wr_isa)i));
    printf("\n");
    for (int c = 2; c < argc; c++) {
        for (uint32_t i = 0; i < page_count; i++) wr_free(a, pages[i].stored, pages[i].stored_bytes + WR_BUFFER_PAD);
        page_count = 0;
        plain_total = plain_max = 0;
        for (uint32_t i = 0; i < file->schema.field_count; i++) {
            if (!wr_str_equal(file->schema.fields[i].name, wr_str_from(argv[c]))) continue;
            for (uint32_t g = 0; g < ROW_GROUPS && g < file->part_count; g++) {
                add_chunk(&context, g, wr_pq_file_of(file)->schema.columns[i].leaf);
            }
        }
        measure(argv[c]);
    }
    wr_table_file_release(file);
    wr_object_release(object);
    return 0;
}
