#include "kernel/compare.h"

#include <math.h>

#include "tests/unit/kernel_values.h"
#include "tests/unit/kernels.h"

static bool holds(wr_compare_op op, int order) {
    const bool answers[WR_COMPARE_OPS] = {order == 0, order != 0, order<0, order <= 0, order> 0, order >= 0};
    return answers[op];
}

static void check_vv(const wr_kernels *k, wr_phys phys, uint32_t n, const uint8_t *a, const uint8_t *b,
                     test_memory *memory) {
    uint64_t *out = test_output_bits(memory, n), *expected = test_output_bits(memory, n);
    size_t width = wr_phys_bytes(phys);
    for (unsigned op = 0; op < WR_COMPARE_OPS; op++) {
        for (uint32_t i = 0; i < n; i++) {
            wr_bit_put(expected, i, holds((wr_compare_op)op, test_order(phys, a + i * width, b + i * width)));
        }
        k->compare->vv[phys][op](a, b, n, out);
        test_same_bits(test_phys_name(phys), k, n, out, expected);
    }
}

static void check_vc(const wr_kernels *k, wr_phys phys, uint32_t n, const uint8_t *a, const uint8_t *b,
                     test_memory *memory) {
    uint64_t *out = test_output_bits(memory, n), *expected = test_output_bits(memory, n);
    size_t width = wr_phys_bytes(phys);
    uint8_t *constant = test_block(memory, 16);
    memcpy(constant, b, width);
    for (unsigned op = 0; op < WR_COMPARE_OPS; op++) {
        for (uint32_t i = 0; i < n; i++) {
            wr_bit_put(expected, i, holds((wr_compare_op)op, test_order(phys, a + i * width, constant)));
        }
        k->compare->vc[phys][op](a, constant, n, out);
        test_same_bits(test_phys_name(phys), k, n, out, expected);
    }
}

static void check_range(const wr_kernels *k, wr_phys phys, uint32_t n, const uint8_t *a, const uint8_t *low,
                        const uint8_t *high, test_memory *memory) {
    if (!k->compare->range[phys]) return;
    uint64_t *out = test_output_bits(memory, n), *expected = test_output_bits(memory, n);
    size_t width = wr_phys_bytes(phys);
    for (uint32_t i = 0; i < n; i++) {
        bool inside = test_order(phys, low, a + i * width) <= 0 && test_order(phys, a + i * width, high) <= 0;
        wr_bit_put(expected, i, inside);
    }
    k->compare->range[phys](a, low, high, n, out);
    test_same_bits(test_phys_name(phys), k, n, out, expected);
}

static void check_type(const wr_kernels *k, wr_phys phys, uint32_t n, uint64_t *state) {
    test_memory memory = {0};
    size_t width = wr_phys_bytes(phys);
    uint8_t *a = test_column(&memory, phys, n, state), *b = test_column(&memory, phys, n, state);
    uint8_t *pick = test_column(&memory, phys, 64, state);
    check_vv(k, phys, n, a, b, &memory);
    for (uint32_t i = 0; i < 8; i++) {
        test_memory inner = {0};
        check_vc(k, phys, n, a, pick + i * width, &inner);
        check_range(k, phys, n, a, pick + i * width, pick + (i + 8) * width, &inner);
        test_memory_deinit(&inner);
    }
    test_memory_deinit(&memory);
}

#define TEST_TYPE(ID, name)                                                                                            \
    WR_TEST(kernel_compare, type_##name) {                                                                             \
        uint64_t state = 1;                                                                                            \
        EACH_ISA(k) EACH_ROW_COUNT(n) check_type(k, WR_PHYS_##ID, n, &state);                                          \
    }
TEST_TYPE(I8, i8)
TEST_TYPE(I16, i16)
TEST_TYPE(I32, i32)
TEST_TYPE(I64, i64)
TEST_TYPE(I128, i128)
TEST_TYPE(U8, u8)
TEST_TYPE(U16, u16)
TEST_TYPE(U32, u32)
TEST_TYPE(U64, u64)
TEST_TYPE(F32, f32)
TEST_TYPE(F64, f64)
TEST_TYPE(VIEW, view)
TEST_TYPE(INTERVAL, interval)

WR_TEST(kernel_compare, booleans) {
    uint64_t state = 2;
    EACH_ISA(k) EACH_ROW_COUNT(n) {
        test_memory memory = {0};
        uint64_t *a = test_bits(&memory, n, 2, &state), *b = test_bits(&memory, n, 2, &state);
        uint64_t *out = test_output_bits(&memory, n), *expected = test_output_bits(&memory, n);
        for (unsigned op = 0; op < WR_COMPARE_OPS; op++) {
            for (uint32_t i = 0; i < n; i++) {
                wr_bit_put(expected, i, holds((wr_compare_op)op, wr_bit_get(a, i) - wr_bit_get(b, i)));
            }
            k->compare->vv[WR_PHYS_BOOL][op](a, b, n, out);
            test_same_bits("boolean", k, n, out, expected);
            for (int constant = 0; constant < 2; constant++) {
                uint64_t word = constant ? ~UINT64_C(0) : 0;
                for (uint32_t i = 0; i < n; i++) {
                    wr_bit_put(expected, i, holds((wr_compare_op)op, wr_bit_get(a, i) - constant));
                }
                k->compare->vc[WR_PHYS_BOOL][op](a, &word, n, out);
                test_same_bits("boolean constant", k, n, out, expected);
            }
        }
        test_memory_deinit(&memory);
    }
}

WR_TEST(kernel_compare, floats_are_in_total_order) {
    /* Each is below the next; equal ones share a line. */
    const double a[] = {-INFINITY, -1, -0.0, 0.0, 1, INFINITY, NAN, -NAN};
    const int rank[] = {0, 1, 2, 2, 3, 4, 5, 5};
    EACH_ISA(k) {
        for (unsigned i = 0; i < WR_COUNT_OF(a); i++) {
            double column[64] = {0};
            uint64_t less, equal;
            memcpy(column, a, sizeof a);
            k->compare->vc[WR_PHYS_F64][WR_LT](column, &a[i], WR_COUNT_OF(a), &less);
            k->compare->vc[WR_PHYS_F64][WR_EQ](column, &a[i], WR_COUNT_OF(a), &equal);
            for (unsigned j = 0; j < WR_COUNT_OF(a); j++) {
                WR_CHECK_EQ_INT(less >> j & 1, rank[j] < rank[i]);
                WR_CHECK_EQ_INT(equal >> j & 1, rank[j] == rank[i]);
            }
        }
    }
}

WR_TEST(kernel_compare, nested_types_have_no_loops) {
    EACH_ISA(k) {
        WR_CHECK(!k->compare->vv[WR_PHYS_LIST][WR_EQ]);
        WR_CHECK(!k->compare->vc[WR_PHYS_STRUCT][WR_EQ]);
        WR_CHECK(!k->compare->range[WR_PHYS_VIEW]);
        WR_CHECK(!k->compare->range[WR_PHYS_BOOL]);
    }
}
