/* What is said about a damaged file: each row damages one place of a file, and the error names the file, the column
 * where it is one's, and the byte. */
#include "format/parquet/file.h"
#include "tests/unit/parquet.h"

typedef enum place {
    IN_FILE,    /* bytes of the file; negative: from its end */
    IN_FOOTER,  /* bytes of the footer */
    IN_ELEMENT, /* bytes from the name of the column in the schema */
    IN_HEADER,  /* the nth field of the first page's header, all of which are numbers */
    IN_COUNT,   /* the number of values in that header */
    IN_PAGE,    /* bytes behind that header */
    AT_END,     /* the file ends there */
} place;

typedef struct damage_row {
    const char *file;
    int column; /* -1: none */
    place place;
    int at;
    const char *bytes; /* written there, but the terminating zero */
    size_t size;
    const char *says;
} damage_row;

#define BYTES(text) text, sizeof(text) - 1

static const damage_row rows[] = {
    /* ---- the ends of the file ---- */
    {"plain", -1, IN_FILE, -1, BYTES("X"), "its last bytes, from byte"},
    {"plain", -1, AT_END, 60000, NULL, 0, "it is no Parquet file, or cut short"},
    {"plain", -1, AT_END, 7, NULL, 0, "it has 7 bytes, too few for a Parquet file"},
    {"plain", -1, IN_FILE, -8, BYTES("\xff\xff\xff\x7f"), "claims 2147483647 bytes"},
    {"plain", -1, IN_FILE, -8, BYTES("\0\0\0\0"), "the footer is broken at byte"},
    {"plain", -1, IN_FILE, -8, BYTES("\x40\0\0\0"), "byte"},
    /* ---- the footer ---- */
    {"plain", -1, IN_FOOTER, 0, BYTES("\xff\xff\xff"), "the footer is broken at byte"},
    {"plain", -1, IN_FOOTER, 2, BYTES("\x19\xfc\xff\xff\xff\xff\x0f"), "claims more elements than there are bytes"},
    {"plain", COLUMN_FEW, IN_ELEMENT, -4, BYTES("\x04"), "has physical type 1, the schema says 2"},
    {"plain", COLUMN_CODE, IN_ELEMENT, -4, BYTES("\0"), "has fixed-size values of no size"},
    /* ---- headers of pages ---- */
    {"plain", COLUMN_MANY, IN_HEADER, 0, BYTES("\xff"), "the page's header is broken"},
    {"plain", COLUMN_MANY, IN_HEADER, 1, BYTES("\x01"), "a count, size or offset is negative"},
    {"plain", COLUMN_MANY, IN_HEADER, 3, BYTES("\xfe\x7f"), "it claims 8191 bytes, but its column chunk ends in"},
    {"plain", COLUMN_MANY, IN_HEADER, 2, BYTES("\xfe\x7f"), "it claims to inflate from"},
    {"version2", COLUMN_MANY, IN_HEADER, 2, BYTES("\xfe\x7f"), "do not give the"},
    {"plain", COLUMN_MANY, IN_COUNT, 0, BYTES("\xfe\x7f"), "it has 8191 rows, but only 300"},
    /* ---- bytes of pages ---- */
    {"plain", COLUMN_MANY, IN_PAGE, 0, BYTES("\xff\xff\xff\xff"), "its levels are larger than the page"},
    {"plain", COLUMN_MANY, IN_PAGE, 4, BYTES("\0\0\0"), "its levels end or break within the next"},
    {"plain", COLUMN_WORD, IN_PAGE, 12, BYTES("\xff\xff\xff\x7f"), "its values end within the next"},
    {"plain", COLUMN_TEXT, IN_PAGE, 20, BYTES("\xff\xff"), "is not UTF-8"},
    {"fallback", COLUMN_MANY, IN_COUNT, 0, BYTES("\x82\0"), "but the dictionary has 1 entries"},
    {"fallback", COLUMN_MANY, IN_PAGE, 0, BYTES("\x03"), "of SNAPPY do not give the"},
    {"dictionary", COLUMN_MANY, IN_PAGE, 9, BYTES("\xaa\xaa"), "its CRC is"},
    {"delta", COLUMN_MANY, IN_PAGE, 20, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), "of GZIP do not give the"},
    {"front", COLUMN_TEXT, IN_PAGE, 0, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), "of LZ4"},
    {"version2", COLUMN_HUGE, IN_PAGE, 9, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), "of ZSTD do not give the"},
    {"brotli", COLUMN_TEXT, IN_PAGE, 3, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), "of BROTLI do not give the"},
};

typedef struct bytes {
    uint8_t *data;
    size_t size;
    uint64_t footer, chunk; /* where they begin */
} bytes;

static bool read_bytes(bytes *b, const damage_row *row) {
    char path[256];
    uint32_t footer_size;
    snprintf(path, sizeof path, "tests/data/parquet/%s.parquet", row->file);
    FILE *in = fopen(path, "rb");
    if (!WR_CHECK(in != NULL)) return false;
    b->data = wr_alloc(wr_test_allocator(), 1 << 20);
    b->size = fread(b->data, 1, 1 << 20, in);
    fclose(in);
    memcpy(&footer_size, b->data + b->size - 8, sizeof footer_size);
    b->footer = b->size - 8 - footer_size;
    wr_table_file *file = test_open(row->file);
    if (!file) return false;
    const wr_pq_file *f = wr_pq_file_of(file);
    b->chunk = row->column < 0 ? 0 : f->footer.row_groups[0].chunks[f->schema.columns[row->column].leaf].first_byte;
    wr_table_file_release(file);
    return true;
}

static const uint8_t *skip_number(const uint8_t *at) {
    while (*at++ & 0x80) {}
    return at;
}

/* Field n of a page's header; they begin with a byte that says which it is. Behind three numbers there is a struct, and
 * its first number is the number of values, in front of which a checksum may stand. */
static size_t header_field(const bytes *b, const damage_row *row) {
    const uint8_t *at = b->data + b->chunk;
    int fields = row->place == IN_COUNT ? 3 : row->at;
    for (int i = 1; i < fields; i++) at = skip_number(at + 1);
    if (row->place != IN_COUNT) return (size_t)(at - b->data) + (fields > 0);
    at = skip_number(at + 1);
    if ((*at & 0x0f) == 5) at = skip_number(at + 1);
    return (size_t)(at - b->data) + 2;
}

static size_t find_place(const bytes *b, const damage_row *row) {
    static const char *const names[] = {[COLUMN_FEW] = "\x03\x66\x65w", [COLUMN_CODE] = "\x04\x63ode"};
    wr_pq_page_header header;
    const char *failure = "";
    switch (row->place) {
    case IN_FILE: return row->at < 0 ? b->size - (size_t)-row->at : (size_t)row->at;
    case IN_FOOTER: return (size_t)b->footer + (size_t)row->at;
    case IN_ELEMENT: {
        const char *name = names[row->column];
        const uint8_t *found = memmem(b->data + b->footer, b->size - b->footer, name, strlen(name));
        return (size_t)(found - b->data) + (size_t)row->at;
    }
    case IN_HEADER:
    case IN_COUNT: return header_field(b, row);
    case IN_PAGE:
        WR_CHECK_EQ_INT(wr_pq_page_header_parse(&header, b->data + b->chunk, 200, &failure), WR_PQ_PARSED);
        return (size_t)b->chunk + header.header_bytes + (size_t)row->at;
    case AT_END: break;
    }
    return 0;
}

static wr_status scan_damaged(const bytes *b, int column, wr_error *err) {
    wr_allocator *a = wr_test_allocator();
    wr_buffer *buffer;
    wr_object *object;
    wr_table_file *file = NULL;
    WR_TRY(wr_buffer_create(&buffer, a, b->size, err));
    memcpy(buffer->data, b->data, b->size);
    buffer->size_bytes = b->size;
    wr_status status = wr_object_open_memory(&object, a, WR_STR("a/damaged.parquet"), buffer, err);
    wr_buffer_release(buffer);
    if (status != WR_OK) return status;
    status = test_open_object(&file, object, err);
    test_scan s = {.columns = {{column < 0 ? COLUMN_ID : (uint32_t)column, true}}, .column_count = 1};
    test_rows seen = {0};
    if (status == WR_OK) status = test_scan_run(file, &s, &seen, err);
    test_rows_deinit(&seen);
    if (file) wr_table_file_release(file);
    wr_object_release(object);
    return status;
}

static void check_row(const damage_row *row) {
    static const char *const names[] = {
        [COLUMN_FEW] = "column 'few'",   [COLUMN_MANY] = "column 'many'", [COLUMN_HUGE] = "column 'huge'",
        [COLUMN_WORD] = "column 'word'", [COLUMN_TEXT] = "column 'text'", [COLUMN_CODE] = "column 'code'"};
    bytes b = {0};
    wr_error err;
    if (read_bytes(&b, row)) {
        size_t at = find_place(&b, row);
        if (row->place == AT_END) b.size = (size_t)row->at;
        if (row->size) memcpy(b.data + at, row->bytes, row->size);
        wr_error_clear(&err);
        bool good = WR_CHECK_STATUS(scan_damaged(&b, row->column, &err), WR_CORRUPT, &err);
        good = WR_CHECK_CONTAINS(err.message, row->says) && good;
        good = WR_CHECK_CONTAINS(err.message, "file 'a/damaged.parquet'") && good;
        if (row->column >= 0) good = WR_CHECK_CONTAINS(err.message, names[row->column]) && good;
        /* A file that is too short has no place worth naming. */
        if (b.size > 100) good = WR_CHECK_CONTAINS(err.message, " byte ") && good;
        const char *first = strstr(err.message, "file '");
        good = WR_CHECK(first && !strstr(first + 1, "file '")) && good;
        if (!good) wr_test_fail(__FILE__, __LINE__, "%s, \"%s\": %s", row->file, row->says, err.message);
    }
    wr_free(wr_test_allocator(), b.data, 1 << 20);
}

WR_TEST(parquet_damage, errors_name_file_column_and_byte) {
    for (size_t i = 0; i < WR_COUNT_OF(rows); i++) check_row(&rows[i]);
}
