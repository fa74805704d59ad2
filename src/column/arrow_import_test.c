/* Arrays as other makers write them: every layout that maps to a type of ours, sliced, with NULLs that hide nonsense,
 * in blocks of exactly their size, so that a sanitizer sees a read too far; and arrays that are wrong. */
#include <math.h>

#include "base/arena.h"
#include "column/arrow.h"
#include "tests/unit/test.h"

enum { MAX_NODES = 6, MAX_BLOCKS = 24 };

/* A schema and its array, whose blocks go when the array is released. Node 0 is the rows, node 1 the column. */
typedef struct foreign {
    struct ArrowSchema schemas[MAX_NODES], *schema_children[MAX_NODES][2];
    struct ArrowArray arrays[MAX_NODES], *array_children[MAX_NODES][2];
    const void *buffers[MAX_NODES][5];
    uint32_t node_count, block_count;
    struct {
        void *data;
        size_t size_bytes;
    } blocks[MAX_BLOCKS];
    int release_count;
} foreign;

static void release_foreign(struct ArrowArray *array) {
    foreign *f = array->private_data;
    for (uint32_t i = 0; i < f->block_count; i++)
        wr_free(wr_test_allocator(), f->blocks[i].data, f->blocks[i].size_bytes);
    f->release_count++;
    array->release = NULL;
}

/* A new node below `parent`, or its dictionary. */
static uint32_t add_node(foreign *f, uint32_t parent, const char *format, int64_t length, int64_t offset) {
    uint32_t n = f->node_count++;
    f->schemas[n] = (struct ArrowSchema){
        .format = format, .name = "x", .flags = ARROW_FLAG_NULLABLE, .children = f->schema_children[n]};
    f->arrays[n] = (struct ArrowArray){.length = length,
                                       .null_count = -1,
                                       .offset = offset,
                                       .buffers = f->buffers[n],
                                       .children = f->array_children[n]};
    if (n > 0) {
        f->schema_children[parent][f->schemas[parent].n_children++] = &f->schemas[n];
        f->array_children[parent][f->arrays[parent].n_children++] = &f->arrays[n];
    }
    return n;
}

static uint32_t add_dictionary(foreign *f, uint32_t parent, const char *format, int64_t length) {
    uint32_t n = add_node(f, parent, format, length, 0);
    f->schemas[parent].n_children = f->arrays[parent].n_children = 0;
    f->schemas[parent].dictionary = &f->schemas[n];
    f->arrays[parent].dictionary = &f->arrays[n];
    return n;
}

static void begin_foreign(foreign *f, const char *format, int64_t length, int64_t offset) {
    *f = (foreign){0};
    add_node(f, 0, "+s", length, 0);
    f->arrays[0].n_buffers = 1;
    f->arrays[0].release = release_foreign;
    f->arrays[0].private_data = f;
    add_node(f, 0, format, length, offset);
}

/* The next buffer of a node: a copy in a block of that size; NULL stays NULL. */
static void add_buffer(foreign *f, uint32_t node, const void *data, size_t size_bytes) {
    void *block = NULL;
    if (data) {
        block = wr_alloc(wr_test_allocator(), size_bytes);
        if (!WR_CHECK(block != NULL)) return;
        memcpy(block, data, size_bytes);
        f->blocks[f->block_count].data = block;
        f->blocks[f->block_count++].size_bytes = size_bytes;
    }
    f->buffers[node][f->arrays[node].n_buffers++] = block;
}

#define ADD_BUFFER(f, node, array) add_buffer(f, node, array, sizeof(array))

typedef struct reading {
    wr_budget *budget;
    wr_arena arena;
    wr_schema columns;
    wr_arrow_import *import;
} reading;

static wr_status read_foreign(reading *r, foreign *f, wr_vector *out, wr_error *err) {
    wr_error_clear(err);
    wr_arena_init(&r->arena, wr_test_allocator());
    WR_TRY(wr_budget_create(&r->budget, NULL, wr_test_allocator(), "import", WR_BUDGET_NO_LIMIT, err));
    WR_TRY(wr_arrow_schema_import(&r->columns, &r->arena, &f->schemas[0], err));
    WR_TRY(wr_arrow_import_create(&r->import, r->budget, &r->columns, &f->schemas[0], &f->arrays[0], err));
    return wr_arrow_import_column(r->import, 0, 0, (uint32_t)f->arrays[0].length, out, wr_test_allocator(), err);
}

static void end_reading(reading *r, foreign *f) {
    wr_arrow_import_destroy(r->import);
    wr_arena_deinit(&r->arena);
    wr_budget_close(r->budget);
    if (f->arrays[0].release) f->arrays[0].release(&f->arrays[0]);
    WR_CHECK_EQ_INT(f->release_count, 1);
}

/* The type and the rows as text: "DECIMAL(5,2): 1.00 NULL". Ends the array. */
static void check_reads(foreign *f, const char *expected) {
    reading r = {0};
    wr_error err;
    wr_vector v = {0};
    wr_text text;
    wr_text_init(&text, wr_system_allocator());
    if (WR_CHECK_OK(read_foreign(&r, f, &v, &err), &err)) {
        wr_type_print(&text, r.columns.fields[0].type);
        wr_text_addz(&text, ":");
        for (uint32_t i = 0; i < v.row_count; i++) {
            wr_value value;
            WR_CHECK_OK(wr_vector_value(&v, i, &r.arena, &value, &err), &err);
            wr_text_addz(&text, " ");
            wr_value_print(&text, &value);
        }
        WR_CHECK_EQ_STR(text.data, expected);
    }
    wr_text_deinit(&text);
    wr_vector_deinit(&v);
    end_reading(&r, f);
}

static void check_fails(foreign *f, wr_status status, const char *message) {
    reading r = {0};
    wr_error err;
    wr_vector v = {0};
    WR_CHECK_STATUS(read_foreign(&r, f, &v, &err), status, &err);
    WR_CHECK_EQ_STR(err.message, message);
    wr_vector_deinit(&v);
    end_reading(&r, f);
}

/* Rows 1 to 3 of four, the third NULL. */
static const uint8_t second_is_null[] = {0x0b};

static void check_plain(const char *format, const void *values, size_t size_bytes, const char *expected) {
    foreign f;
    begin_foreign(&f, format, 3, 1);
    ADD_BUFFER(&f, 1, second_is_null);
    add_buffer(&f, 1, values, size_bytes);
    check_reads(&f, expected);
}
#define CHECK_PLAIN(format, values, expected) check_plain(format, values, sizeof(values), expected)

WR_TEST(arrow_import, numbers) {
    CHECK_PLAIN("b", ((const uint8_t[]){0x0a}), "BOOLEAN: true NULL true");
    CHECK_PLAIN("c", ((const int8_t[]){9, -128, 9, 127}), "TINYINT: -128 NULL 127");
    CHECK_PLAIN("L", ((const uint64_t[]){9, 0, 9, UINT64_MAX}), "UBIGINT: 0 NULL 18446744073709551615");
    CHECK_PLAIN("g", ((const double[]){9, 0.5, 9, -1e300}), "DOUBLE: 0.5 NULL -1e+300");
    CHECK_PLAIN("e", ((const uint16_t[]){9, 0x3c00, 9, 0xfbff}), "FLOAT: 1.0 NULL -65504.0");
    CHECK_PLAIN("e", ((const uint16_t[]){9, 0x0001, 9, 0x7c00}), "FLOAT: 5.9604645e-08 NULL inf");
    CHECK_PLAIN("e", ((const uint16_t[]){9, 0x8400, 9, 0x7e00}), "FLOAT: -6.1035156e-05 NULL nan");
}

WR_TEST(arrow_import, decimals) {
    const wr_int128 large = (wr_int128)1 << 120;
    CHECK_PLAIN("d:5,2,32", ((const int32_t[]){9, 12345, INT32_MAX, -1}), "DECIMAL(5,2): 123.45 NULL -0.01");
    CHECK_PLAIN("d:18,0,64", ((const int64_t[]){9, 12345, 9, -1}), "DECIMAL(18,0): 12345 NULL -1");
    CHECK_PLAIN("d:9,3", ((const wr_int128[]){9, 12345, large, -1}), "DECIMAL(9,3): 12.345 NULL -0.001");
    CHECK_PLAIN("d:38,0,128", ((const wr_int128[]){9, large, 9, -1}),
                "DECIMAL(38,0): 1329227995784915872903807060280344576 NULL -1");
    CHECK_PLAIN("d:30,1,256", ((const wr_int128[]){9, 9, 123, 0, 9, 9, -123, -1}), "DECIMAL(30,1): 12.3 NULL -12.3");
    CHECK_PLAIN("d:8,1,256", ((const wr_int128[]){9, 9, 123, 0, 9, 9, -123, -1}), "DECIMAL(8,1): 12.3 NULL -12.3");
}

WR_TEST(arrow_import, times) {
    CHECK_PLAIN("tdD", ((const int32_t[]){9, 0, 9, -1}), "DATE: 1970-01-01 NULL 1969-12-31");
    CHECK_PLAIN("tdm", ((const int64_t[]){9, 86400000, 9, -1}), "DATE: 1970-01-02 NULL 1969-12-31");
    CHECK_PLAIN("tts", ((const int32_t[]){9, 3661, 9, 0}), "TIME: 01:01:01 NULL 00:00:00");
    CHECK_PLAIN("ttm", ((const int32_t[]){9, 3661001, 9, 0}), "TIME: 01:01:01.001 NULL 00:00:00");
    CHECK_PLAIN("ttu", ((const int64_t[]){9, 3661000001, 9, 0}), "TIME: 01:01:01.000001 NULL 00:00:00");
    CHECK_PLAIN("ttn", ((const int64_t[]){9, 3661000001000, 9, 0}), "TIME: 01:01:01.000001 NULL 00:00:00");
    CHECK_PLAIN("tss:", ((const int64_t[]){9, 1, 9, 0}), "TIMESTAMP_S: 1970-01-01 00:00:01 NULL 1970-01-01 00:00:00");
    CHECK_PLAIN("tsn:", ((const int64_t[]){9, 1, 9, 0}),
                "TIMESTAMP_NS: 1970-01-01 00:00:00.000000001 NULL 1970-01-01 00:00:00");
    CHECK_PLAIN("tsm:Europe/Vienna", ((const int64_t[]){9, 1000, 9, 0}),
                "TIMESTAMP_MS WITH TIME ZONE: 1970-01-01 00:00:01+00 NULL 1970-01-01 00:00:00+00");
}

WR_TEST(arrow_import, intervals) {
    CHECK_PLAIN("tDs", ((const int64_t[]){9, 61, INT64_MAX, -1}), "INTERVAL: 00:01:01 NULL -00:00:01");
    CHECK_PLAIN("tDm", ((const int64_t[]){9, 61, 9, -1}), "INTERVAL: 00:00:00.061 NULL -00:00:00.001");
    CHECK_PLAIN("tDu", ((const int64_t[]){9, 61, 9, -1}), "INTERVAL: 00:00:00.000061 NULL -00:00:00.000001");
    CHECK_PLAIN("tDn", ((const int64_t[]){9, 61000, 61, -1000}), "INTERVAL: 00:00:00.000061 NULL -00:00:00.000001");
    CHECK_PLAIN("tiM", ((const int32_t[]){9, 14, 9, 0}), "INTERVAL: 1 year 2 months NULL 00:00:00");
    CHECK_PLAIN("tiD", ((const int32_t[]){9, 9, 3, 1000, 9, 9, 0, 1}), "INTERVAL: 3 days 00:00:01 NULL 00:00:00.001");
    struct {
        int32_t months, days;
        int64_t nanos;
    } all[] = {{9, 9, 9}, {14, 3, 1000000000}, {9, 9, 9}, {0, 0, 1000}};
    CHECK_PLAIN("tin", all, "INTERVAL: 1 year 2 months 3 days 00:00:01 NULL 00:00:00.000001");
}

WR_TEST(arrow_import, texts) {
    foreign f;
    static const char bytes[] = "....ab\xff\xc3\xa4 longer than what fits inline";
    begin_foreign(&f, "u", 3, 1);
    ADD_BUFFER(&f, 1, second_is_null);
    ADD_BUFFER(&f, 1, ((const int32_t[]){0, 4, 6, 7, 38}));
    add_buffer(&f, 1, bytes, sizeof bytes - 1);
    check_reads(&f, "VARCHAR: ab NULL \xc3\xa4 longer than what fits inline");

    begin_foreign(&f, "Z", 3, 1);
    ADD_BUFFER(&f, 1, second_is_null);
    ADD_BUFFER(&f, 1, ((const int64_t[]){0, 4, 6, 7, 7}));
    add_buffer(&f, 1, bytes, 7);
    check_reads(&f, "BLOB: ab NULL ");

    begin_foreign(&f, "w:3", 2, 1);
    add_buffer(&f, 1, NULL, 0);
    add_buffer(&f, 1, "...abcdef", 9);
    check_reads(&f, "BLOB: abc def");

    begin_foreign(&f, "w:0", 2, 0);
    add_buffer(&f, 1, NULL, 0);
    add_buffer(&f, 1, NULL, 0);
    check_reads(&f, "BLOB:  ");

    begin_foreign(&f, "u", 2, 0);
    add_buffer(&f, 1, NULL, 0);
    ADD_BUFFER(&f, 1, ((const int32_t[]){0, 0, 0}));
    add_buffer(&f, 1, NULL, 0);
    check_reads(&f, "VARCHAR:  ");
}

WR_TEST(arrow_import, text_views) {
    static const struct {
        int32_t size;
        char prefix[4];
        int32_t buffer, offset;
    } views[] = {{99, "abcd", 7, 7}, {2, "ab", 0, 0}, {99, "abcd", 7, 7}, {13, "fghi", 1, 2}};
    foreign f;
    begin_foreign(&f, "vu", 3, 1);
    ADD_BUFFER(&f, 1, second_is_null);
    ADD_BUFFER(&f, 1, views);
    add_buffer(&f, 1, "short", 5);
    add_buffer(&f, 1, "defghijklmnopqrs", 15);
    ADD_BUFFER(&f, 1, ((const int64_t[]){5, 15}));
    check_reads(&f, "VARCHAR: ab NULL fghijklmnopqr");
    begin_foreign(&f, "vz", 1, 3);
    add_buffer(&f, 1, NULL, 0);
    ADD_BUFFER(&f, 1, views);
    add_buffer(&f, 1, "short", 5);
    add_buffer(&f, 1, "defghijklmnopq", 14);
    ADD_BUFFER(&f, 1, ((const int64_t[]){5, 14}));
    check_fails(&f, WR_CORRUPT, "column \"x\": an Arrow view of 13 bytes at 2 of buffer 1 lies outside of it");
}

WR_TEST(arrow_import, uuids) {
    static const char metadata[] = "\x01\0\0\0\x14\0\0\0ARROW:extension:name\x0a\0\0\0arrow.uuid";
    foreign f;
    begin_foreign(&f, "w:16", 1, 0);
    f.schemas[1].metadata = metadata;
    add_buffer(&f, 1, NULL, 0);
    add_buffer(&f, 1, "\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10", 16);
    check_reads(&f, "UUID: 01234567-89ab-cdef-fedc-ba9876543210");
}

static void add_list_items(foreign *f) {
    uint32_t items = add_node(f, 1, "s", 6, 2);
    ADD_BUFFER(f, items, ((const uint8_t[]){0x7f}));
    ADD_BUFFER(f, items, ((const int16_t[]){-1, -1, 1, 2, 3, 4, 5, -1}));
}

WR_TEST(arrow_import, lists) {
    foreign f;
    begin_foreign(&f, "+l", 3, 1);
    ADD_BUFFER(&f, 1, second_is_null);
    ADD_BUFFER(&f, 1, ((const int32_t[]){0, 1, 3, 4, 6}));
    add_list_items(&f);
    check_reads(&f, "SMALLINT[]: [2, 3] NULL [5, NULL]");

    begin_foreign(&f, "+L", 2, 0);
    add_buffer(&f, 1, NULL, 0);
    ADD_BUFFER(&f, 1, ((const int64_t[]){2, 2, 4}));
    add_list_items(&f);
    check_reads(&f, "SMALLINT[]: [] [3, 4]");

    begin_foreign(&f, "+vl", 3, 1);
    ADD_BUFFER(&f, 1, second_is_null);
    ADD_BUFFER(&f, 1, ((const int32_t[]){0, 4, 99, 0}));
    ADD_BUFFER(&f, 1, ((const int32_t[]){0, 1, 99, 2}));
    add_list_items(&f);
    check_reads(&f, "SMALLINT[]: [5] NULL [1, 2]");

    begin_foreign(&f, "+vL", 2, 0);
    add_buffer(&f, 1, NULL, 0);
    ADD_BUFFER(&f, 1, ((const int64_t[]){4, 4}));
    ADD_BUFFER(&f, 1, ((const int64_t[]){1, 0}));
    add_list_items(&f);
    check_reads(&f, "SMALLINT[]: [5] []");

    begin_foreign(&f, "+w:2", 2, 1);
    add_buffer(&f, 1, NULL, 0);
    add_list_items(&f);
    check_reads(&f, "SMALLINT[]: [3, 4] [5, NULL]");
}

WR_TEST(arrow_import, structs_and_maps) {
    foreign f;
    begin_foreign(&f, "+s", 2, 1);
    ADD_BUFFER(&f, 1, ((const uint8_t[]){0x02}));
    add_list_items(&f);
    f.schemas[2].name = "a";
    check_reads(&f, "STRUCT(a SMALLINT): {'a': 2} NULL");

    begin_foreign(&f, "+m", 2, 0);
    add_buffer(&f, 1, NULL, 0);
    ADD_BUFFER(&f, 1, ((const int32_t[]){0, 1, 3}));
    uint32_t entries = add_node(&f, 1, "+s", 3, 1);
    add_buffer(&f, entries, NULL, 0);
    for (int i = 0; i < 2; i++) {
        uint32_t part = add_node(&f, entries, "i", 4, 0);
        add_buffer(&f, part, NULL, 0);
        ADD_BUFFER(&f, part, ((const int32_t[]){1, 2, 3, 4}));
    }
    check_reads(&f, "MAP(INTEGER, INTEGER): {2=2} {3=3, 4=4}");
}

static void add_words(foreign *f, uint32_t node) {
    ADD_BUFFER(f, node, ((const uint8_t[]){0x03}));
    ADD_BUFFER(f, node, ((const int32_t[]){0, 1, 2, 2}));
    add_buffer(f, node, "ab", 2);
}

WR_TEST(arrow_import, dictionaries) {
    static const int8_t narrow[] = {9, 1, -9, 2};
    static const int64_t wide[] = {9, 0, INT64_MIN, 1};
    foreign f;
    begin_foreign(&f, "c", 3, 1);
    ADD_BUFFER(&f, 1, second_is_null);
    ADD_BUFFER(&f, 1, narrow);
    add_words(&f, add_dictionary(&f, 1, "u", 3));
    check_reads(&f, "VARCHAR: b NULL NULL");
    begin_foreign(&f, "l", 3, 1);
    ADD_BUFFER(&f, 1, second_is_null);
    ADD_BUFFER(&f, 1, wide);
    add_words(&f, add_dictionary(&f, 1, "u", 3));
    check_reads(&f, "VARCHAR: a NULL b");
    begin_foreign(&f, "c", 1, 2);
    add_buffer(&f, 1, NULL, 0);
    ADD_BUFFER(&f, 1, narrow);
    add_words(&f, add_dictionary(&f, 1, "u", 3));
    check_fails(&f, WR_CORRUPT, "column \"x\": index -9 of an Arrow array lies outside of its dictionary of 3");
}

/* Entries are one vector for all parts. */
WR_TEST(arrow_import, parts_share_their_dictionary) {
    foreign f;
    reading r = {0};
    wr_error err;
    uint32_t codes[300];
    wr_vector a = {0}, b = {0};
    for (uint32_t i = 0; i < 300; i++) codes[i] = i % 2;
    begin_foreign(&f, "I", 300, 0);
    add_buffer(&f, 1, NULL, 0);
    ADD_BUFFER(&f, 1, codes);
    add_words(&f, add_dictionary(&f, 1, "u", 3));
    WR_CHECK_OK(read_foreign(&r, &f, &a, &err), &err);
    WR_CHECK_OK(wr_arrow_import_column(r.import, 0, 64, 128, &b, wr_test_allocator(), &err), &err);
    WR_CHECK(a.kind == WR_DICTIONARY && a.children == b.children);
    WR_CHECK(b.data == (const uint32_t *)f.buffers[1][1] + 64);
    wr_vector_deinit(&a);
    wr_vector_deinit(&b);
    end_reading(&r, &f);
}

static void begin_runs(foreign *f, int64_t length, int64_t offset) {
    begin_foreign(f, "+r", length, offset);
    f->arrays[1].null_count = 0;
    uint32_t ends = add_node(f, 1, "s", 3, 1);
    add_buffer(f, ends, NULL, 0);
    ADD_BUFFER(f, ends, ((const int16_t[]){99, 2, 3, 6}));
    add_words(f, add_node(f, 1, "u", 3, 0));
}

WR_TEST(arrow_import, runs) {
    foreign f;
    begin_runs(&f, 6, 0);
    check_reads(&f, "VARCHAR: a a b NULL NULL NULL");
    begin_runs(&f, 3, 1);
    check_reads(&f, "VARCHAR: a b NULL");
    begin_runs(&f, 7, 0);
    check_fails(&f, WR_CORRUPT, "column \"x\": the runs of an Arrow array end before its row 6");
}

WR_TEST(arrow_import, empty_arrays_need_no_buffers) {
    foreign f;
    begin_foreign(&f, "u", 0, 0);
    f.arrays[1].n_buffers = 3;
    check_reads(&f, "VARCHAR:");
    begin_foreign(&f, "+l", 0, 0);
    f.arrays[1].n_buffers = 2;
    f.arrays[add_node(&f, 1, "l", 0, 0)].n_buffers = 2;
    check_reads(&f, "BIGINT[]:");
    begin_foreign(&f, "n", 2, 0);
    check_reads(&f, "NULL: NULL NULL");
}

/* ---- what is wrong ---- */

static void check_number_fails(const char *format, const void *value, size_t size_bytes, const char *message) {
    foreign f;
    begin_foreign(&f, format, 1, 0);
    add_buffer(&f, 1, NULL, 0);
    add_buffer(&f, 1, value, size_bytes);
    check_fails(&f, WR_VALUE, message);
}
#define CHECK_NUMBER_FAILS(format, values, message) check_number_fails(format, values, sizeof(values), message)

WR_TEST(arrow_import, values_that_do_not_fit) {
    CHECK_NUMBER_FAILS("d:9,2", ((const wr_int128[]){(wr_int128)1 << 64}),
                       "column \"x\": row 0: a value of Arrow's decimal does not fit DECIMAL");
    CHECK_NUMBER_FAILS("d:30,2,256", ((const wr_int128[]){0, 1}),
                       "column \"x\": row 0: a value of Arrow's decimal does not fit DECIMAL");
    CHECK_NUMBER_FAILS("ttn", ((const int64_t[]){1}),
                       "column \"x\": row 0: a value of Arrow's time64 does not fit TIME");
    CHECK_NUMBER_FAILS("tDs", ((const int64_t[]){INT64_MAX}),
                       "column \"x\": row 0: a value of Arrow's duration does not fit INTERVAL");
    CHECK_NUMBER_FAILS("tdm", ((const int64_t[]){INT64_MAX}),
                       "column \"x\": row 0: a value of Arrow's date64 does not fit DATE");
}

static void begin_text(foreign *f, int32_t first, int32_t second, int32_t third, const char *bytes) {
    begin_foreign(f, "u", 2, 0);
    add_buffer(f, 1, NULL, 0);
    ADD_BUFFER(f, 1, ((const int32_t[]){first, second, third}));
    add_buffer(f, 1, bytes, strlen(bytes));
}

WR_TEST(arrow_import, texts_that_are_wrong) {
    foreign f;
    begin_text(&f, 0, 1, 3, "a\xc3z");
    check_fails(&f, WR_VALUE, "column \"x\": a text holds the byte 0xc3 at 0, which is no valid UTF-8 there");
    begin_text(&f, 0, 1, 2, "\xc3\xa4");
    check_fails(&f, WR_VALUE, "column \"x\": a text holds the byte 0xc3 at 0, which is no valid UTF-8 there");
    begin_text(&f, 0, 2, 1, "abc");
    check_fails(&f, WR_CORRUPT, "column \"x\": offset 2 of an Arrow array follows 0; its text has 1 bytes");
    begin_text(&f, -1, 0, 1, "abc");
    check_fails(&f, WR_CORRUPT, "column \"x\": offset 0 of an Arrow array follows -1; its text has 1 bytes");
    begin_text(&f, 0, 0, -1, "abc");
    check_fails(&f, WR_CORRUPT, "column \"x\": an Arrow array of utf8 has text of size -1");
}

WR_TEST(arrow_import, lists_that_are_wrong) {
    foreign f;
    begin_foreign(&f, "+l", 1, 0);
    add_buffer(&f, 1, NULL, 0);
    ADD_BUFFER(&f, 1, ((const int32_t[]){0, 7}));
    add_list_items(&f);
    check_fails(&f, WR_CORRUPT, "column \"x\": an Arrow array of list has a child that is too short: 6");
    begin_foreign(&f, "+l", 2, 0);
    add_buffer(&f, 1, NULL, 0);
    ADD_BUFFER(&f, 1, ((const int32_t[]){0, 7, 6}));
    add_list_items(&f);
    check_fails(&f, WR_CORRUPT, "column \"x\": a list of 7 items from 0 on lies outside of its 6 items");
    begin_foreign(&f, "+vl", 1, 0);
    add_buffer(&f, 1, NULL, 0);
    ADD_BUFFER(&f, 1, ((const int32_t[]){-1}));
    ADD_BUFFER(&f, 1, ((const int32_t[]){1}));
    add_list_items(&f);
    check_fails(&f, WR_CORRUPT, "column \"x\": a list of 1 items from -1 on lies outside of its 6 items");
}

static void check_refused(const char *format, wr_status status, const char *message) {
    foreign f;
    begin_foreign(&f, format, 0, 0);
    check_fails(&f, status, message);
}

WR_TEST(arrow_import, types_without_a_counterpart) {
    check_refused("+ud:0,1", WR_UNSUPPORTED, "column \"x\": Arrow's dense union ('+ud:0,1') has no counterpart here");
    check_refused("+us:0", WR_UNSUPPORTED, "column \"x\": Arrow's sparse union ('+us:0') has no counterpart here");
    check_refused(
        "d:10,-2", WR_UNSUPPORTED,
        "column \"x\": Arrow's decimal ('d:10,-2') has no counterpart here: the scale of a DECIMAL is between "
        "0 and its precision");
    check_refused("d:50,2,256", WR_UNSUPPORTED,
                  "column \"x\": Arrow's decimal ('d:50,2,256') has no counterpart here: DECIMAL holds at most 38 "
                  "digits");
    check_refused("d:40,2", WR_INVALID, "column \"x\": 'd:40,2' is no Arrow format");
    check_refused("d:4", WR_INVALID, "column \"x\": 'd:4' is no Arrow format");
    check_refused("w:", WR_INVALID, "column \"x\": 'w:' is no Arrow format");
    check_refused("", WR_INVALID, "column \"x\": '' is no Arrow format");
    check_refused("+l", WR_INVALID, "column \"x\": an Arrow schema of format '+l' has 0 children");
    check_refused("+s", WR_INVALID, "column \"x\": an Arrow schema of format '+s' has 0 children");
    foreign f;
    begin_foreign(&f, "g", 0, 0);
    (void)add_dictionary(&f, 1, "u", 0);
    check_fails(&f, WR_UNSUPPORTED,
                "column \"x\": Arrow's float64 ('g') has no counterpart here: as the index of a dictionary");
}

WR_TEST(arrow_import, deep_types_are_refused) {
    struct ArrowSchema rows = {.format = "+s", .n_children = 1}, lists[100], *children[100];
    wr_arena arena;
    wr_schema out;
    wr_error err;
    for (int i = 0; i < 100; i++) {
        children[i] = &lists[i];
        lists[i] = (struct ArrowSchema){.format = i < 99 ? "+l" : "i", .name = "x", .n_children = i < 99};
        if (i < 99) lists[i].children = &children[i + 1];
    }
    rows.children = children;
    wr_arena_init(&arena, wr_test_allocator());
    WR_CHECK_STATUS(wr_arrow_schema_import(&out, &arena, &rows, &err), WR_LIMIT, &err);
    WR_CHECK_CONTAINS(err.message, "Arrow types are nested deeper than 64 levels");
    wr_arena_deinit(&arena);
}

WR_TEST(arrow_import, shapes_that_are_wrong) {
    foreign f;
    begin_foreign(&f, "l", 1, 0);
    add_buffer(&f, 1, NULL, 0);
    check_fails(&f, WR_CORRUPT, "column \"x\": an Arrow array of int64 has a buffer count of 1");
    begin_foreign(&f, "l", 1, 0);
    add_buffer(&f, 1, NULL, 0);
    add_buffer(&f, 1, NULL, 0);
    check_fails(&f, WR_CORRUPT, "column \"x\": an Arrow array of int64 has nothing as buffer 1");
    begin_foreign(&f, "l", 1, 0);
    f.arrays[1].length = -1;
    check_fails(&f, WR_CORRUPT, "column \"x\": an Arrow array of int64 has length -1");
    begin_foreign(&f, "l", 1, INT64_MAX);
    check_fails(&f, WR_CORRUPT, "column \"x\": an Arrow array of int64 has offset 9223372036854775807");
    begin_foreign(&f, "n", 1, 0);
    f.arrays[1].length = 0;
    check_fails(&f, WR_CORRUPT, "column \"x\": an Arrow array of null has a length below that of its rows: 0");
    begin_foreign(&f, "n", 1, 0);
    f.arrays[0].n_children = 0;
    check_fails(&f, WR_CORRUPT, "an Arrow array of struct has a child count of 0");
    begin_foreign(&f, "n", 2, 0);
    f.arrays[0].n_buffers = 0;
    add_buffer(&f, 0, second_is_null, 1);
    check_reads(&f, "NULL: NULL NULL");
    begin_foreign(&f, "n", 3, 0);
    f.arrays[0].n_buffers = 0;
    add_buffer(&f, 0, second_is_null, 1);
    check_fails(&f, WR_UNSUPPORTED, "row 2 of an Arrow struct is NULL as a whole");
}

WR_TEST(arrow_import, memory_is_charged_and_given_back) {
    int64_t numbers[1000] = {0};
    foreign f;
    reading r = {0};
    wr_error err;
    wr_vector v = {0};
    begin_foreign(&f, "l", 1000, 0);
    add_buffer(&f, 1, NULL, 0);
    ADD_BUFFER(&f, 1, numbers);
    wr_arena_init(&r.arena, wr_test_allocator());
    WR_CHECK_OK(wr_budget_create(&r.budget, NULL, wr_test_allocator(), "import", 4000, &err), &err);
    WR_CHECK_OK(wr_arrow_schema_import(&r.columns, &r.arena, &f.schemas[0], &err), &err);
    WR_CHECK_STATUS(wr_arrow_import_create(&r.import, r.budget, &r.columns, &f.schemas[0], &f.arrays[0], &err),
                    WR_NO_MEMORY, &err);
    WR_CHECK_EQ_INT(f.release_count, 0);
    WR_CHECK(f.arrays[0].release && wr_budget_used(r.budget) == 0);
    wr_budget_set_limit(r.budget, 16000);
    WR_CHECK_OK(wr_arrow_import_create(&r.import, r.budget, &r.columns, &f.schemas[0], &f.arrays[0], &err), &err);
    WR_CHECK(!f.arrays[0].release && wr_budget_used(r.budget) >= 8000);
    WR_CHECK_OK(wr_arrow_import_column(r.import, 0, 0, 100, &v, wr_test_allocator(), &err), &err);
    wr_arrow_import_destroy(r.import);
    r.import = NULL;
    WR_CHECK_EQ_INT(f.release_count, 0);
    WR_CHECK(wr_budget_used(r.budget) >= 8000);
    wr_vector_deinit(&v);
    WR_CHECK_EQ_INT(f.release_count, 1);
    WR_CHECK_EQ_INT(wr_budget_used(r.budget), 0);
    end_reading(&r, &f);
}
