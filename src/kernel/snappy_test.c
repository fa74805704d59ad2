#include "kernel/snappy.h"

#include <snappy-c.h>

#include "tests/unit/kernels.h"

/* ---- pages of every shape ---- */

typedef void (*fill)(uint8_t *data, size_t size, uint64_t *state);

static void fill_noise(uint8_t *data, size_t size, uint64_t *state) {
    for (size_t i = 0; i < size; i++) data[i] = (uint8_t)test_random(state);
}
/* Like a dictionary of prices: 8 bytes each, two or three of which differ. */
static void fill_integers(uint8_t *data, size_t size, uint64_t *state) {
    for (size_t i = 0; i < size; i += 8) {
        uint64_t value = test_random(state) % 10000000;
        memcpy(data + i, &value, size - i < 8 ? size - i : 8);
    }
}
static void fill_rising(uint8_t *data, size_t size, uint64_t *state) {
    uint64_t value = test_random(state);
    for (size_t i = 0; i < size; i += 8) {
        value += test_random(state) % 3;
        memcpy(data + i, &value, size - i < 8 ? size - i : 8);
    }
}
static void fill_words(uint8_t *data, size_t size, uint64_t *state) {
    static const char *const words[] = {"the ", "final ", "deposits ", "sleep ", "furiously ", "a", "x; ", "quickly "};
    for (size_t i = 0; i < size;) {
        const char *word = words[test_random(state) % WR_COUNT_OF(words)];
        while (*word && i < size) data[i++] = (uint8_t)*word++;
        if (test_random(state) % 5 == 0 && i < size) data[i++] = (uint8_t)test_random(state);
    }
}
/* Copies that overlap themselves at every short distance. */
static void fill_periods(uint8_t *data, size_t size, uint64_t *state) {
    for (size_t i = 0; i < size;) {
        size_t period = 1 + test_random(state) % 20, run = 1 + test_random(state) % 300;
        for (size_t k = 0; k < run && i < size; k++, i++)
            data[i] = k < period || i < period ? (uint8_t)test_random(state) : data[i - period];
    }
}
static void fill_zero(uint8_t *data, size_t size, uint64_t *state) {
    (void)state;
    memset(data, 0, size);
}
static const fill fills[] = {fill_noise, fill_integers, fill_rising, fill_words, fill_periods, fill_zero};
static const size_t page_sizes[] = {0,   1,   3,   7,    20,   60,    61,    64,    100,
                                    255, 256, 257, 1000, 4096, 20000, 65536, 65537, 200000};

enum { GUARD_BYTES = 64, GUARD = 0x5c };

typedef struct case_pages {
    test_memory memory;
    uint8_t *plain, *packed, *out;
    size_t plain_bytes, packed_bytes;
} case_pages;

static void make_pages(case_pages *c, fill fill_page, size_t size, uint64_t *state) {
    c->memory = (test_memory){0};
    c->plain_bytes = size;
    c->plain = test_block(&c->memory, size + 8);
    fill_page(c->plain, size, state);
    size_t room = snappy_max_compressed_length(size);
    uint8_t *packed = test_block(&c->memory, room);
    c->packed_bytes = room;
    WR_CHECK(snappy_compress((const char *)c->plain, size, (char *)packed, &c->packed_bytes) == SNAPPY_OK);
    c->packed = test_input(&c->memory, packed, c->packed_bytes);
    c->out = test_block(&c->memory, size + WR_BUFFER_PAD + GUARD_BYTES);
}

static bool inflate(const wr_kernels *k, case_pages *c, const uint8_t *packed, size_t packed_bytes) {
    memset(c->out + c->plain_bytes + WR_BUFFER_PAD, GUARD, GUARD_BYTES);
    wr_inflate_page page = {packed, packed_bytes, c->out, c->plain_bytes, 0};
    bool ok = k->snappy->inflate(&page);
    for (size_t i = 0; i < GUARD_BYTES; i++) {
        if (c->out[c->plain_bytes + WR_BUFFER_PAD + i] != GUARD) return WR_CHECK(!"wrote behind the output"), ok;
    }
    WR_CHECK(ok || page.failed_at <= packed_bytes);
    return ok;
}

WR_TEST(kernel_snappy, inflates_what_the_library_packed) {
    EACH_ISA(k) {
        uint64_t state = 11;
        for (size_t f = 0; f < WR_COUNT_OF(fills); f++) {
            for (size_t s = 0; s < WR_COUNT_OF(page_sizes); s++) {
                case_pages c;
                make_pages(&c, fills[f], page_sizes[s], &state);
                WR_CHECK(inflate(k, &c, c.packed, c.packed_bytes));
                test_same_bytes("snappy", k, (uint32_t)c.plain_bytes, c.out, c.plain, c.plain_bytes);
                test_memory_deinit(&c.memory);
            }
        }
    }
}

WR_TEST(kernel_snappy, every_cut_of_a_page_is_refused) {
    EACH_ISA(k) {
        uint64_t state = 12;
        for (size_t f = 0; f < WR_COUNT_OF(fills); f++) {
            case_pages c;
            make_pages(&c, fills[f], 3000, &state);
            for (size_t cut = 0; cut < c.packed_bytes; cut++) WR_CHECK(!inflate(k, &c, c.packed, cut));
            test_memory_deinit(&c.memory);
        }
    }
}

/* Damaged pages: the same answer as the library's, and nothing written where it must not. */
WR_TEST(kernel_snappy, agrees_with_the_library_on_damage) {
    enum { TRIES = 600 };
    EACH_ISA(k) {
        uint64_t state = 13;
        for (size_t f = 0; f < WR_COUNT_OF(fills); f++) {
            case_pages c;
            make_pages(&c, fills[f], 5000, &state);
            uint8_t *damaged = test_block(&c.memory, c.packed_bytes + WR_BUFFER_PAD);
            uint8_t *expected = test_block(&c.memory, c.plain_bytes);
            for (int i = 0; i < TRIES; i++) {
                memcpy(damaged, c.packed, c.packed_bytes + WR_BUFFER_PAD);
                for (int hits = 1 + i % 4; hits; hits--) {
                    damaged[2 + test_random(&state) % (c.packed_bytes - 2)] = (uint8_t)test_random(&state);
                }
                size_t size = c.plain_bytes;
                bool good =
                    snappy_uncompress((const char *)damaged, c.packed_bytes, (char *)expected, &size) == SNAPPY_OK;
                bool ours = inflate(k, &c, damaged, c.packed_bytes);
                if (!WR_CHECK(ours == good)) break;
                if (good) test_same_bytes("damaged snappy", k, (uint32_t)size, c.out, expected, size);
            }
            test_memory_deinit(&c.memory);
        }
    }
}

WR_TEST(kernel_snappy, another_size_than_stated_is_refused) {
    static const uint8_t packed[8 + WR_BUFFER_PAD] = {5, 4 << 2, 'h', 'e', 'l', 'l', 'o'};
    EACH_ISA(k) {
        uint8_t out[8 + WR_BUFFER_PAD];
        for (size_t size = 4; size <= 6; size++) {
            wr_inflate_page page = {packed, 7, out, size, 0};
            WR_CHECK(k->snappy->inflate(&page) == (size == 5));
        }
        wr_inflate_page endless = {(const uint8_t[16 + WR_BUFFER_PAD]){255, 255, 255, 255, 255, 255}, 6, out, 5, 0};
        WR_CHECK(!k->snappy->inflate(&endless));
    }
}

WR_TEST(kernel_snappy, stored_pages_are_recognised) {
    uint64_t state = 14;
    for (size_t s = 0; s < WR_COUNT_OF(page_sizes); s++) {
        case_pages c;
        make_pages(&c, fill_noise, page_sizes[s], &state);
        const uint8_t *stored = wr_snappy_stored(c.packed, c.packed_bytes, c.plain_bytes);
        bool one_literal = c.plain_bytes > 0 && c.plain_bytes <= 65536;
        if (WR_CHECK((stored != NULL) == one_literal) && stored) WR_CHECK_EQ_BYTES(stored, c.plain, c.plain_bytes);
        WR_CHECK(!wr_snappy_stored(c.packed, c.packed_bytes, c.plain_bytes + 1));
        WR_CHECK(!c.packed_bytes || !wr_snappy_stored(c.packed, c.packed_bytes - 1, c.plain_bytes));
        test_memory_deinit(&c.memory);
        make_pages(&c, fill_zero, page_sizes[s] + 80, &state);
        WR_CHECK(!wr_snappy_stored(c.packed, c.packed_bytes, c.plain_bytes));
        test_memory_deinit(&c.memory);
    }
}
