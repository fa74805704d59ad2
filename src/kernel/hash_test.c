#include "kernel/hash.h"

#include "tests/unit/kernel_values.h"
#include "tests/unit/kernels.h"

/* By the words of hash.h and base/hash.h, a value at a time. */
static uint64_t plain_hash(wr_phys phys, const void *at) {
    if (test_is_float(phys)) {
        double x = test_float(phys, at);
        uint64_t bits = UINT64_C(0x7ff8000000000000);
        if (x == 0) bits = 0;
        if (x != 0 && !isnan(x)) memcpy(&bits, &x, sizeof bits);
        return wr_hash_u64(bits);
    }
    if (phys == WR_PHYS_VIEW) {
        wr_string_view view;
        memcpy(&view, at, sizeof view);
        wr_str text = wr_view_str(&view);
        return wr_hash_bytes(text.data, text.size);
    }
    wr_int128 x = test_widen(phys, at);
    if (x >= INT64_MIN && x <= (wr_int128)UINT64_MAX) return wr_hash_u64((uint64_t)x);
    return wr_hash_combine(wr_hash_u64((uint64_t)x), wr_hash_u64((uint64_t)((wr_uint128)x >> 64)));
}

static void check_type(const wr_kernels *k, wr_phys phys, uint32_t n, unsigned kind, uint64_t *state) {
    test_memory memory = {0};
    size_t width = wr_phys_bytes(phys);
    uint8_t *a = test_column(&memory, phys, n, state);
    const uint64_t *validity = kind == 1 ? NULL : test_bits(&memory, n, kind, state);
    uint64_t *out = test_output(&memory, n, 8), *expected = test_output(&memory, n, 8);
    uint64_t *combined = test_output(&memory, n, 8);
    for (uint32_t i = 0; i < n; i++) {
        /* A NULL row's view may lead nowhere. */
        if (!wr_valid(validity, i) && phys == WR_PHYS_VIEW) memset(a + i * width, 0xff, width);
        expected[i] = wr_valid(validity, i) ? plain_hash(phys, a + i * width) : WR_HASH_NULL;
        combined[i] = i * UINT64_C(0x123456789abcdef);
    }
    k->hash->hash[phys](a, validity, n, out);
    test_same_bytes(test_phys_name(phys), k, n, out, expected, n * sizeof *out);
    k->hash->combine[phys](a, validity, n, combined);
    for (uint32_t i = 0; i < n; i++) expected[i] = wr_hash_combine(i * UINT64_C(0x123456789abcdef), expected[i]);
    test_same_bytes(test_phys_name(phys), k, n, combined, expected, n * sizeof *out);
    test_memory_deinit(&memory);
}

WR_TEST(kernel_hash, every_type_by_value) {
    static const wr_phys types[] = {WR_PHYS_I8,  WR_PHYS_I16,  WR_PHYS_I32,     WR_PHYS_I64, WR_PHYS_I128,
                                    WR_PHYS_U8,  WR_PHYS_U16,  WR_PHYS_U32,     WR_PHYS_U64, WR_PHYS_F32,
                                    WR_PHYS_F64, WR_PHYS_VIEW, WR_PHYS_INTERVAL};
    uint64_t state = 1;
    EACH_ISA(k)
    EACH_ROW_COUNT(n)
    for (unsigned i = 0; i < WR_COUNT_OF(types); i++)
        for (unsigned kind = 0; kind < TEST_BIT_KINDS; kind++) check_type(k, types[i], n, kind, &state);
}

WR_TEST(kernel_hash, booleans) {
    uint64_t state = 2;
    EACH_ISA(k) EACH_ROW_COUNT(n) {
        test_memory memory = {0};
        uint64_t *a = test_bits(&memory, n, 2, &state), *validity = test_bits(&memory, n, 2, &state);
        uint64_t *out = test_output(&memory, n, 8), *expected = test_output(&memory, n, 8);
        for (uint32_t i = 0; i < n; i++) {
            expected[i] = wr_bit_get(validity, i) ? wr_hash_u64(wr_bit_get(a, i)) : WR_HASH_NULL;
        }
        k->hash->hash[WR_PHYS_BOOL](a, validity, n, out);
        test_same_bytes("boolean", k, n, out, expected, n * sizeof *out);
        test_memory_deinit(&memory);
    }
}

WR_TEST(kernel_hash, equal_numbers_hash_alike) {
    const int8_t narrow = -5;
    const wr_int128 wide = -5;
    const float single[] = {-0.0f, 1.5f, NAN};
    const double real[] = {0.0, 1.5, -NAN};
    EACH_ISA(k) {
        uint64_t a[64], b[64];
        k->hash->hash[WR_PHYS_I8](&narrow, NULL, 1, a);
        k->hash->hash[WR_PHYS_I128](&wide, NULL, 1, b);
        WR_CHECK_EQ_UINT(a[0], b[0]);
        k->hash->hash[WR_PHYS_F32](single, NULL, 3, a);
        k->hash->hash[WR_PHYS_F64](real, NULL, 3, b);
        WR_CHECK_EQ_BYTES(a, b, 3 * sizeof *a);
    }
}

/* A hash is kept in spilled pages: a change is a new WR_HASH_VERSION. */
WR_TEST(kernel_hash, version_1_is_fixed) {
    const int64_t numbers[] = {0, 1, -1, INT64_MAX};
    const uint64_t expected[] = {0, UINT64_C(0xd8685893e3d7d0e9), UINT64_C(0x38895f6f6aeea8e7),
                                 UINT64_C(0x02dcb96babef42af)};
    WR_CHECK_EQ_INT(WR_HASH_VERSION, 1);
    EACH_ISA(k) {
        uint64_t out[64];
        k->hash->hash[WR_PHYS_I64](numbers, NULL, 4, out);
        WR_CHECK_EQ_BYTES(out, expected, sizeof expected);
    }
}

WR_TEST(kernel_hash, by_code) {
    uint64_t state = 3;
    EACH_ISA(k) EACH_ROW_COUNT(n) {
        test_memory memory = {0};
        uint64_t entries[100];
        uint32_t *codes = test_block(&memory, n * sizeof *codes + WR_BUFFER_PAD);
        uint64_t *out = test_output(&memory, n, 8), *expected = test_output(&memory, n, 8);
        for (unsigned i = 0; i < 100; i++) entries[i] = test_random(&state);
        for (uint32_t i = 0; i < n; i++) {
            codes[i] = (uint32_t)(test_random(&state) % 100);
            expected[i] = entries[codes[i]];
        }
        k->hash->by_code(entries, codes, n, out);
        test_same_bytes("by_code", k, n, out, expected, n * sizeof *out);
        for (uint32_t i = 0; i < n; i++) expected[i] = wr_hash_combine(out[i], entries[codes[i]]);
        k->hash->combine_by_code(entries, codes, n, out);
        test_same_bytes("combine_by_code", k, n, out, expected, n * sizeof *out);
        test_memory_deinit(&memory);
    }
}
