#include "kernel/arith.h"

#include <math.h>

#include "tests/unit/kernel_values.h"
#include "tests/unit/kernels.h"

static const wr_phys number_types[] = {WR_PHYS_I8,  WR_PHYS_I16, WR_PHYS_I32, WR_PHYS_I64, WR_PHYS_I128, WR_PHYS_U8,
                                       WR_PHYS_U16, WR_PHYS_U32, WR_PHYS_U64, WR_PHYS_F32, WR_PHYS_F64};

static bool is_unsigned(wr_phys phys) {
    return phys == WR_PHYS_U8 || phys == WR_PHYS_U16 || phys == WR_PHYS_U32 || phys == WR_PHYS_U64;
}

/* ---- one value, in 128 bits with wrap-around and a note of overflow ---- */

static wr_int128 wrap(wr_phys phys, wr_int128 x) {
    unsigned bits = (unsigned)wr_phys_bytes(phys) * 8;
    if (bits == 128) return x;
    wr_uint128 low = (wr_uint128)x & (((wr_uint128)1 << bits) - 1);
    return !is_unsigned(phys) && low >> (bits - 1) ? (wr_int128)(low - ((wr_uint128)1 << bits)) : (wr_int128)low;
}

static bool plain_128(wr_arith_op op, wr_int128 x, wr_int128 y, wr_int128 *out) {
    const wr_int128 least = (wr_int128)((wr_uint128)1 << 127);
    wr_uint128 a = (wr_uint128)x, b = (wr_uint128)y;
    switch (op) {
    case WR_ADD: *out = (wr_int128)(a + b); return y >= 0 ? *out < x : *out > x;
    case WR_SUB: *out = (wr_int128)(a - b); return y >= 0 ? *out > x : *out < x;
    case WR_MUL:
        *out = (wr_int128)(a * b);
        if (x == -1 || y == -1) return x == least || y == least;
        return x != 0 && (*out / x != y || *out % x != 0);
    case WR_DIV:
        *out = 0;
        if (y == 0 || (x == least && y == -1)) return true;
        *out = x / y;
        return false;
    default:
        *out = 0;
        if (y == 0) return true;
        *out = y == -1 ? 0 : x % y;
        return false;
    }
}

/* True when the operation fails; then the result may be anything. */
static bool plain(wr_phys phys, wr_arith_op op, const void *a, const void *b, void *out) {
    size_t width = wr_phys_bytes(phys);
    if (phys == WR_PHYS_F32) {
        float x, y;
        memcpy(&x, a, 4);
        memcpy(&y, b, 4);
        float results[] = {x + y, x - y, x * y, x / y, (float)fmod((double)x, (double)y)};
        memcpy(out, &results[op], 4);
        return false;
    }
    if (phys == WR_PHYS_F64) {
        double x = test_float(phys, a), y = test_float(phys, b), results[] = {x + y, x - y, x * y, x / y, fmod(x, y)};
        memcpy(out, &results[op], 8);
        return false;
    }
    wr_int128 result;
    bool failed = plain_128(op, test_widen(phys, a), test_widen(phys, b), &result);
    wr_int128 wrapped = wrap(phys, result);
    memcpy(out, &wrapped, width);
    return failed || wrapped != result;
}

static bool same_result(wr_phys phys, const void *a, const void *b) {
    if (test_is_float(phys) && isnan(test_float(phys, a))) return isnan(test_float(phys, b));
    return memcmp(a, b, wr_phys_bytes(phys)) == 0;
}

/* ---- checked ---- */

typedef struct arith_case {
    const wr_kernels *k;
    wr_phys phys;
    wr_arith_op op;
    uint32_t n;
    const uint8_t *a, *b;
    bool a_constant, b_constant;
} arith_case;

static void check_loop(const arith_case *c, wr_arith_checked loop) {
    test_memory memory = {0};
    size_t width = wr_phys_bytes(c->phys);
    uint8_t *out = test_output(&memory, c->n, width), expected[16];
    uint64_t *failed = test_output_bits(&memory, c->n);
    bool some = loop(c->a, c->b, c->n, out, failed), expect_some = false;
    for (uint32_t i = 0; i < c->n; i++) {
        const uint8_t *x = c->a + (c->a_constant ? 0 : i * width), *y = c->b + (c->b_constant ? 0 : i * width);
        bool fails = plain(c->phys, c->op, x, y, expected);
        expect_some |= fails;
        if (some && wr_bit_get(failed, i) != fails) {
            wr_test_fail(__FILE__, __LINE__, "%s op %d on %s, row %u of %u: failed is %d", test_phys_name(c->phys),
                         c->op, wr_isa_name(c->k->isa), i, c->n, !fails);
            break;
        }
        if (!fails && !same_result(c->phys, out + i * width, expected)) {
            wr_test_fail(__FILE__, __LINE__, "%s op %d on %s, row %u of %u: another result", test_phys_name(c->phys),
                         c->op, wr_isa_name(c->k->isa), i, c->n);
            break;
        }
    }
    WR_CHECK_EQ_INT(some, expect_some);
    test_memory_deinit(&memory);
}

/* A third of the columns hold small numbers alone, so that the pass that finds nothing is there too. */
static uint8_t *operand_column(test_memory *memory, wr_phys phys, uint32_t n, unsigned kind, uint64_t *state) {
    uint8_t *a = test_column(memory, phys, n, state);
    for (uint32_t i = 0; kind == 0 && i < n * wr_phys_bytes(phys); i++) {
        if (!test_is_float(phys)) a[i] = i % wr_phys_bytes(phys) == 0 ? 1 + a[i] % 7 : 0;
    }
    return a;
}

WR_TEST(kernel_arith, checked) {
    uint64_t state = 1;
    EACH_ISA(k)
    EACH_ROW_COUNT(n)
    for (unsigned type = 0; type < WR_COUNT_OF(number_types); type++)
        for (unsigned kind = 0; kind < 3; kind++) {
            test_memory memory = {0};
            wr_phys phys = number_types[type];
            arith_case c = {.k = k, .phys = phys, .n = n};
            c.a = operand_column(&memory, phys, n, kind, &state);
            c.b = operand_column(&memory, phys, n, kind, &state);
            const uint8_t *constant = operand_column(&memory, phys, 1, kind, &state), *column = c.b, *first = c.a;
            for (unsigned op = 0; op < WR_ARITH_OPS; op++) {
                c.op = (wr_arith_op)op;
                c.a = first, c.b = column, c.a_constant = c.b_constant = false;
                check_loop(&c, k->arith->vv[phys][op]);
                c.b = constant, c.b_constant = true;
                check_loop(&c, k->arith->vc[phys][op]);
                c.a = constant, c.b = column, c.a_constant = true, c.b_constant = false;
                check_loop(&c, k->arith->cv[phys][op]);
            }
            test_memory_deinit(&memory);
        }
}

/* Every pair of bytes: quotients through doubles leave no room for luck. */
WR_TEST(kernel_arith, all_pairs_of_bytes) {
    int8_t a[256], b[256];
    for (int i = 0; i < 256; i++) a[i] = (int8_t)(i - 128);
    EACH_ISA(k) for (unsigned op = 0; op < WR_ARITH_OPS; op++) for (int y = -128; y < 128; y++) {
        memset(b, y, sizeof b);
        arith_case c = {k, WR_PHYS_I8, (wr_arith_op)op, 256, (uint8_t *)a, (uint8_t *)b, false, false};
        check_loop(&c, k->arith->vv[WR_PHYS_I8][op]);
    }
}

WR_TEST(kernel_arith, quotients_near_integers) {
    uint64_t state = 2;
    uint32_t a[2048], b[2048];
    for (unsigned i = 0; i < 2048; i++) {
        b[i] = (uint32_t)test_random(&state) >> test_random(&state) % 32;
        b[i] += b[i] == 0;
        uint64_t multiple = (test_random(&state) % (UINT32_MAX / b[i] + UINT64_C(1))) * b[i];
        a[i] = (uint32_t)(multiple + test_random(&state) % 3 - 1);
    }
    EACH_ISA(k) for (unsigned op = WR_DIV; op <= WR_MOD; op++) {
        arith_case c = {k, WR_PHYS_U32, (wr_arith_op)op, 2048, (uint8_t *)a, (uint8_t *)b, false, false};
        check_loop(&c, k->arith->vv[WR_PHYS_U32][op]);
        c.phys = WR_PHYS_I32;
        check_loop(&c, k->arith->vv[WR_PHYS_I32][op]);
    }
}

/* ---- unchecked, wide, one operand ---- */

static void check_unchecked(const wr_kernels *k, wr_phys phys, uint32_t n, uint64_t *state) {
    test_memory memory = {0};
    size_t width = wr_phys_bytes(phys);
    const uint8_t *a = test_column(&memory, phys, n, state), *b = test_column(&memory, phys, n, state);
    const uint8_t *constant = test_column(&memory, phys, 1, state);
    uint8_t *out = test_output(&memory, n, width), *expected = test_output(&memory, n, width);
    for (unsigned op = 0; op <= WR_MUL; op++) {
        for (uint32_t i = 0; i < n; i++)
            plain(phys, (wr_arith_op)op, a + i * width, b + i * width, expected + i * width);
        k->arith->fast_vv[phys][op](a, b, n, out);
        test_same_bytes("fast_vv", k, n, out, expected, n * width);
        for (uint32_t i = 0; i < n; i++) plain(phys, (wr_arith_op)op, a + i * width, constant, expected + i * width);
        k->arith->fast_vc[phys][op](a, constant, n, out);
        test_same_bytes("fast_vc", k, n, out, expected, n * width);
        for (uint32_t i = 0; i < n; i++) plain(phys, (wr_arith_op)op, constant, b + i * width, expected + i * width);
        k->arith->fast_cv[phys][op](constant, b, n, out);
        test_same_bytes("fast_cv", k, n, out, expected, n * width);
    }
    test_memory_deinit(&memory);
}

WR_TEST(kernel_arith, unchecked) {
    uint64_t state = 3;
    EACH_ISA(k) EACH_ROW_COUNT(n) for (unsigned type = 0; type < WR_COUNT_OF(number_types); type++) {
        if (!test_is_float(number_types[type])) check_unchecked(k, number_types[type], n, &state);
    }
    EACH_ISA(k) WR_CHECK(!k->arith->fast_vv[WR_PHYS_F64][WR_ADD] && !k->arith->vv[WR_PHYS_VIEW][WR_ADD]);
}

WR_TEST(kernel_arith, mul_wide) {
    uint64_t state = 4;
    EACH_ISA(k) EACH_ROW_COUNT(n) {
        test_memory memory = {0};
        int64_t *a = test_column(&memory, WR_PHYS_I64, n, &state), *b = test_column(&memory, WR_PHYS_I64, n, &state);
        wr_int128 *out = test_output(&memory, n, 16), *expected = test_output(&memory, n, 16);
        for (uint32_t i = 0; i < n; i++) expected[i] = (wr_int128)a[i] * b[i];
        k->arith->mul_wide_vv(a, b, n, out);
        test_same_bytes("mul_wide_vv", k, n, out, expected, n * 16);
        int64_t factor = INT64_MIN;
        for (uint32_t i = 0; i < n; i++) expected[i] = (wr_int128)a[i] * factor;
        k->arith->mul_wide_vc(a, &factor, n, out);
        test_same_bytes("mul_wide_vc", k, n, out, expected, n * 16);
        test_memory_deinit(&memory);
    }
}

static void check_one_operand(const wr_kernels *k, wr_phys phys, uint32_t n, bool absolute, unsigned kind,
                              uint64_t *state) {
    test_memory memory = {0};
    size_t width = wr_phys_bytes(phys);
    const uint8_t *a = operand_column(&memory, phys, n, kind, state);
    uint8_t *out = test_output(&memory, n, width), expected[16], zero[16] = {0};
    uint64_t *failed = test_output_bits(&memory, n);
    bool some = (absolute ? k->arith->absolute : k->arith->negate)[phys](a, n, out, failed), expect_some = false;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *x = a + i * width;
        bool fails = false, keeps = absolute && !test_is_float(phys) && test_widen(phys, x) >= 0;
        if (test_is_float(phys)) {
            /* The sign bit alone changes, of NaN and -0 too. */
            memcpy(expected, x, width);
            expected[width - 1] = (uint8_t)(absolute ? expected[width - 1] & 0x7f : expected[width - 1] ^ 0x80);
        } else if (keeps) {
            memcpy(expected, x, width);
        } else {
            fails = plain(phys, WR_SUB, zero, x, expected);
        }
        expect_some |= fails;
        WR_CHECK(!some || wr_bit_get(failed, i) == fails);
        WR_CHECK(fails || same_result(phys, out + i * width, expected));
    }
    WR_CHECK_EQ_INT(some, expect_some);
    test_memory_deinit(&memory);
}

WR_TEST(kernel_arith, negate_and_absolute) {
    uint64_t state = 5;
    EACH_ISA(k)
    EACH_ROW_COUNT(n)
    for (unsigned type = 0; type < WR_COUNT_OF(number_types); type++)
        for (unsigned kind = 0; kind < 2; kind++) {
            check_one_operand(k, number_types[type], n, false, kind, &state);
            check_one_operand(k, number_types[type], n, true, kind, &state);
        }
}
