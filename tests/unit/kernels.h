/* What the tests of kernels share: every instruction set the CPU has, row counts at the edges of words and batches, and
 * inputs in blocks of exactly the size that the contract promises, so that a sanitizer sees a read too far. */
#ifndef WR_TESTS_UNIT_KERNELS_H
#define WR_TESTS_UNIT_KERNELS_H

#include "base/bitmap.h"
#include "base/buffer.h"
#include "kernel/kernel.h"
#include "tests/unit/test.h"

/* Runs the body with `k` as each instruction set's kernels. */
#define EACH_ISA(k)                                                                                                    \
    for (int isa_ = 0; isa_ < WR_ISA_COUNT; isa_++)                                                                    \
        for (const wr_kernels *k = wr_kernels_select((wr_isa)isa_); k; k = NULL)

static const uint32_t test_row_counts[] = {0, 1, 3, 63, 64, 65, 127, 2047, 2048};
#define EACH_ROW_COUNT(n)                                                                                              \
    for (size_t at_ = 0; at_ < WR_COUNT_OF(test_row_counts); at_++)                                                    \
        for (uint32_t n = test_row_counts[at_], once_ = 1; once_; once_ = 0)

/* ---- blocks that are freed together ---- */

enum { TEST_BLOCKS = 64 };
typedef struct test_memory {
    uint32_t count;
    struct {
        void *data;
        size_t size_bytes;
    } blocks[TEST_BLOCKS];
} test_memory;

/* Bytes are 0xa5, so that what was never written shows. */
static inline void *test_block(test_memory *memory, size_t size_bytes) {
    wr_allocator *a = wr_test_allocator();
    void *data = a->alloc(a, size_bytes, WR_ALIGN_BUFFER);
    memory->blocks[memory->count].data = data;
    memory->blocks[memory->count++].size_bytes = size_bytes;
    memset(data, 0xa5, size_bytes);
    return data;
}
static inline void test_memory_deinit(test_memory *memory) {
    wr_allocator *a = wr_test_allocator();
    while (memory->count) {
        memory->count--;
        a->free(a, memory->blocks[memory->count].data, memory->blocks[memory->count].size_bytes, WR_ALIGN_BUFFER);
    }
}
/* An input column: its bytes and the pad that loops may read. */
static inline void *test_input(test_memory *memory, const void *data, size_t size_bytes) {
    uint8_t *block = test_block(memory, size_bytes + WR_BUFFER_PAD);
    memcpy(block, data, size_bytes);
    return block;
}
/* An output column: n values, rounded up to 64, and 64 bytes. */
static inline void *test_output(test_memory *memory, uint32_t n, size_t value_bytes) {
    return test_block(memory, wr_bitmap_words(n) * 64 * value_bytes + 64);
}
static inline uint64_t *test_output_bits(test_memory *memory, uint32_t n) {
    return test_block(memory, wr_bitmap_bytes(n) + 8);
}

/* ---- repeatable random numbers ---- */

static inline uint64_t test_random(uint64_t *state) {
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
/* A bitmap of n bits: `kind` 0 none, 1 all, 2 half, 3 few, 4 long runs. Bits past n are noise. */
enum { TEST_BIT_KINDS = 5 };
static inline uint64_t *test_bits(test_memory *memory, uint32_t n, unsigned kind, uint64_t *state) {
    uint64_t *bits = test_block(memory, wr_bitmap_bytes(n) + WR_BUFFER_PAD);
    for (size_t i = 0; i < wr_bitmap_words(n); i++) {
        uint64_t noise = test_random(state);
        uint64_t few = noise & test_random(state) & test_random(state) & test_random(state);
        const uint64_t kinds[TEST_BIT_KINDS] = {0, ~UINT64_C(0), noise, few,
                                                i % 3 ? noise & 1 ? 0 : ~UINT64_C(0) : noise};
        bits[i] = kinds[kind];
    }
    uint64_t past = ~wr_bitmap_tail(n);
    if (n) bits[n / 64 - !(n & 63)] ^= past & test_random(state);
    return bits;
}

/* Compares the first n bits. */
static inline bool test_same_bits(const char *what, const wr_kernels *k, uint32_t n, const uint64_t *seen,
                                  const uint64_t *expected) {
    for (uint32_t i = 0; i < n; i++) {
        if (wr_bit_get(seen, i) != wr_bit_get(expected, i)) {
            return wr_test_fail(__FILE__, __LINE__, "%s on %s: row %u of %u is %d, expected %d", what,
                                wr_isa_name(k->isa), i, n, wr_bit_get(seen, i), wr_bit_get(expected, i));
        }
    }
    return true;
}
static inline bool test_same_bytes(const char *what, const wr_kernels *k, uint32_t n, const void *seen,
                                   const void *expected, size_t size_bytes) {
    if (size_bytes == 0 || memcmp(seen, expected, size_bytes) == 0) return true;
    size_t at = 0;
    while (((const uint8_t *)seen)[at] == ((const uint8_t *)expected)[at]) at++;
    return wr_test_fail(__FILE__, __LINE__, "%s on %s, %u rows: differs at byte %zu of %zu", what, wr_isa_name(k->isa),
                        n, at, size_bytes);
}

#endif
