#include "kernel/text.h"

#include "tests/unit/kernel_values.h"
#include "tests/unit/kernels.h"

/* Plain search; SIZE_MAX when there is none. */
static size_t plain_find(const char *data, size_t size, size_t from, const char *text, size_t text_size) {
    for (size_t at = from; at + text_size <= size; at++) {
        if (memcmp(data + at, text, text_size) == 0) return at;
    }
    return SIZE_MAX;
}

/* Text of two letters, so that candidates and near misses are everywhere; in a block of exactly its size. */
static char *random_text(test_memory *memory, size_t size, uint64_t *state) {
    char *data = test_block(memory, size);
    for (size_t i = 0; i < size; i++) data[i] = test_random(state) % 4 ? 'a' : 'b';
    return data;
}

/* ---- find ---- */

WR_TEST(kernel_text, find_reads_only_what_it_was_given) {
    uint64_t state = 1;
    EACH_ISA(k)
    for (size_t size = 0; size < 200; size += size < 140 ? 1 : 7)
        for (size_t text_size = 1; text_size < 20; text_size++) {
            test_memory memory = {0};
            const char *data = random_text(&memory, size, &state), *text = random_text(&memory, text_size, &state);
            for (size_t from = 0; from <= size + 1; from += 1 + size / 8) {
                WR_CHECK_EQ_UINT(k->text->find(data, size, from, text, text_size),
                                 plain_find(data, size, from, text, text_size));
            }
            test_memory_deinit(&memory);
        }
}

WR_TEST(kernel_text, find_every_place) {
    static const char *const texts[] = {"x", "xy", "xyz", "xaaax", "x0123456789abcdef0123456789abcdefx"};
    EACH_ISA(k) for (unsigned i = 0; i < WR_COUNT_OF(texts); i++) {
        char data[300];
        size_t text_size = strlen(texts[i]);
        for (size_t place = 0; place + text_size <= sizeof data; place++) {
            memset(data, 'a', sizeof data);
            memcpy(data + place, texts[i], text_size);
            WR_CHECK_EQ_UINT(k->text->find(data, sizeof data, 0, texts[i], text_size), place);
            WR_CHECK_EQ_UINT(k->text->find(data, place + text_size, 0, texts[i], text_size), place);
            WR_CHECK_EQ_UINT(k->text->find(data, place + text_size - 1, 0, texts[i], text_size), SIZE_MAX);
            WR_CHECK_EQ_UINT(k->text->find(data, sizeof data, place + 1, texts[i], text_size), SIZE_MAX);
        }
    }
}

/* ---- columns ---- */

/* Views over one block: side by side, with lengths between, or in any order and overlapping; short ones among them. */
static wr_string_view *view_column(test_memory *memory, uint32_t n, unsigned kind, uint64_t *state) {
    enum { MOST = 40 };
    size_t gap = kind == 1 ? 4 : kind == 2 ? 5 : 0, used = 0, capacity = (size_t)n * (MOST + gap);
    uint32_t *sizes = test_block(memory, n * sizeof *sizes);
    for (uint32_t i = 0; i < n; i++) {
        sizes[i] = (uint32_t)(test_random(state) % MOST);
        if (test_random(state) % 4) sizes[i] = 13 + sizes[i] % 27;
        used += sizes[i] + gap;
    }
    used -= n && gap ? gap : 0; /* nothing behind the last one */
    char *data = random_text(memory, kind == 3 ? capacity : used, state);
    wr_string_view *a = test_block(memory, n * sizeof *a + WR_BUFFER_PAD);
    size_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (kind == 3) at = test_random(state) % (capacity - sizes[i]);
        a[i] = wr_view_make(data + at, sizes[i]);
        at += sizes[i] + gap;
    }
    return a;
}

typedef enum text_op { CONTAINS, CONTAINS_ALL, STARTS_WITH, ENDS_WITH, TEXT_OPS } text_op;

static bool plain_holds(text_op op, wr_str text, const wr_str *pieces, uint32_t piece_count) {
    size_t at = 0;
    switch (op) {
    case STARTS_WITH: return text.size >= pieces[0].size && memcmp(text.data, pieces[0].data, pieces[0].size) == 0;
    case ENDS_WITH:
        at = text.size - pieces[0].size;
        return text.size >= pieces[0].size && memcmp(text.data + at, pieces[0].data, pieces[0].size) == 0;
    default:
        for (uint32_t i = 0; i < (op == CONTAINS ? 1 : piece_count); i++) {
            at = plain_find(text.data, text.size, at, pieces[i].data, pieces[i].size);
            if (at == SIZE_MAX) return false;
            at += pieces[i].size;
        }
        return true;
    }
}

static void check_column(const wr_kernels *k, uint32_t n, unsigned kind, uint64_t *state) {
    test_memory memory = {0};
    const wr_string_view *a = view_column(&memory, n, kind, state);
    uint64_t *out = test_output_bits(&memory, n), *expected = test_output_bits(&memory, n);
    for (uint32_t round = 0; round < 8; round++) {
        test_memory inner = {0};
        wr_str pieces[3];
        uint32_t piece_count = 1 + round % 3;
        for (uint32_t i = 0; i < 3; i++) {
            uint32_t size = 1 + (uint32_t)(test_random(state) % (round == 7 ? 20 : 6));
            pieces[i] = (wr_str){random_text(&inner, size, state), size};
        }
        for (unsigned op = 0; op < TEXT_OPS; op++) {
            for (uint32_t i = 0; i < n; i++) {
                wr_bit_put(expected, i, plain_holds((text_op)op, wr_view_str(&a[i]), pieces, piece_count));
            }
            if (op == CONTAINS) k->text->contains(a, n, pieces[0].data, pieces[0].size, out);
            if (op == CONTAINS_ALL) k->text->contains_all(a, n, pieces, piece_count, out);
            if (op == STARTS_WITH) k->text->starts_with(a, n, pieces[0].data, pieces[0].size, out);
            if (op == ENDS_WITH) k->text->ends_with(a, n, pieces[0].data, pieces[0].size, out);
            static const char *const names[] = {"contains", "contains_all", "starts_with", "ends_with"};
            test_same_bits(names[op], k, n, out, expected);
        }
        test_memory_deinit(&inner);
    }
    test_memory_deinit(&memory);
}

WR_TEST(kernel_text, columns) {
    uint64_t state = 2;
    EACH_ISA(k) EACH_ROW_COUNT(n) for (unsigned kind = 0; kind < 4; kind++) check_column(k, n, kind, &state);
}

WR_TEST(kernel_text, a_hit_across_two_texts_is_none) {
    static const char page[] = "first text of the page"
                               "second text of the page"
                               "third, and it is the last";
    const wr_string_view a[64] = {wr_view_make(page, 22), wr_view_make(page + 22, 23), wr_view_make(page + 45, 25)};
    EACH_ISA(k) {
        uint64_t out = 0;
        k->text->contains(a, 3, "pagesecond", 10, &out);
        WR_CHECK_EQ_UINT(out & 7, 0);
        k->text->contains(a, 3, "page", 4, &out);
        WR_CHECK_EQ_UINT(out & 7, 3);
        k->text->contains(a, 3, "the last", 8, &out);
        WR_CHECK_EQ_UINT(out & 7, 4);
        k->text->starts_with(a, 3, "", 0, &out);
        WR_CHECK_EQ_UINT(out & 7, 7);
        k->text->ends_with(a, 3, "", 0, &out);
        WR_CHECK_EQ_UINT(out & 7, 7);
    }
}

/* ---- UTF-8 ---- */

/* By decoding: true when the bytes are one whole code point, encoded as short as can be. */
static bool is_code_point(const uint8_t *bytes, size_t size) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t point = size == 1 ? bytes[0] : bytes[0] & (0x7fu >> size);
    if (size == 1) return bytes[0] < 0x80;
    if ((uint32_t)bytes[0] >> (7 - size) != (1u << (size + 1)) - 2) return false;
    for (size_t i = 1; i < size; i++) {
        if (bytes[i] >> 6 != 2) return false;
        point = point << 6 | (bytes[i] & 0x3f);
    }
    return point >= least[size] && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
}

static size_t plain_utf8_check(const uint8_t *data, size_t size) {
    for (size_t at = 0; at < size;) {
        size_t length = 1;
        while (length <= 4 && !(at + length <= size && is_code_point(data + at, length))) length++;
        if (length > 4) return at;
        at += length;
    }
    return SIZE_MAX;
}

WR_TEST(kernel_text, utf8_every_sequence) {
    /* All leads and second bytes with third and fourth bytes at the edges, at places around a vector's end. */
    static const uint8_t edges[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0xbf, 0xc0, 0xff};
    EACH_ISA(k) for (size_t place = 61; place < 66; place++) {
        uint8_t data[80];
        for (unsigned pair = 0; pair < 65536; pair++)
            for (unsigned i = 0; i < WR_COUNT_OF(edges); i++) {
                memset(data, 'a', sizeof data);
                data[place] = (uint8_t)(pair >> 8);
                data[place + 1] = (uint8_t)pair;
                data[place + 2] = edges[i];
                data[place + 3] = edges[(i + pair) % WR_COUNT_OF(edges)];
                size_t seen = k->text->utf8_check((const char *)data, sizeof data);
                size_t expected = plain_utf8_check(data, sizeof data);
                if (seen != expected) {
                    wr_test_fail(__FILE__, __LINE__, "%02x %02x %02x %02x at %zu on %s: bad at %zu, expected %zu",
                                 data[place], data[place + 1], data[place + 2], data[place + 3], place,
                                 wr_isa_name(k->isa), seen, expected);
                    return;
                }
            }
    }
}

WR_TEST(kernel_text, utf8_cut_short) {
    static const char text[] = "naïve café, Ελλάδα, 日本語, 😀";
    EACH_ISA(k) for (size_t size = 0; size < sizeof text; size++) {
        test_memory memory = {0};
        char *data = test_block(&memory, size);
        memcpy(data, text, size);
        WR_CHECK_EQ_UINT(k->text->utf8_check(data, size), plain_utf8_check((uint8_t *)data, size));
        test_memory_deinit(&memory);
    }
}

WR_TEST(kernel_text, char_count) {
    static const char unit[] = "aé日😀b";
    EACH_ISA(k) {
        test_memory memory = {0};
        wr_string_view a[256];
        int64_t expected[256], out[256];
        /* Every size up to 200, cut anywhere: what counts is bytes that begin a code point. */
        for (uint32_t size = 0; size < 200; size++) {
            char text[200];
            expected[size] = 0;
            for (uint32_t i = 0; i < size; i++) {
                text[i] = unit[i % (sizeof unit - 1)];
                expected[size] += ((uint8_t)text[i] & 0xc0) != 0x80;
            }
            if (size % 50 == 0) test_memory_deinit(&memory);
            a[size] = wr_view_make(text, size);
            if (size > WR_STRING_INLINE) {
                char *own = test_block(&memory, size);
                memcpy(own, text, size);
                a[size].data = own;
            }
            k->text->char_count(&a[size], 1, &out[size]);
            WR_CHECK_EQ_INT(out[size], expected[size]);
        }
        k->text->char_count(a + 1, 12, out);
        WR_CHECK_EQ_BYTES(out, expected + 1, 12 * sizeof *out);
        test_memory_deinit(&memory);
    }
}
