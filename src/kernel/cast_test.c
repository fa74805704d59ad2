#include "kernel/cast.h"

#include <math.h>

#include "tests/unit/kernel_values.h"
#include "tests/unit/kernels.h"

static const wr_phys number_types[] = {WR_PHYS_I8,  WR_PHYS_I16, WR_PHYS_I32, WR_PHYS_I64, WR_PHYS_I128, WR_PHYS_U8,
                                       WR_PHYS_U16, WR_PHYS_U32, WR_PHYS_U64, WR_PHYS_F32, WR_PHYS_F64};

static bool is_unsigned(wr_phys phys) {
    return phys == WR_PHYS_U8 || phys == WR_PHYS_U16 || phys == WR_PHYS_U32 || phys == WR_PHYS_U64;
}

/* ---- one value; true when it fails ---- */

static bool put_integer(wr_phys to, wr_int128 x, void *out) {
    memcpy(out, &x, wr_phys_bytes(to));
    return test_widen(to, out) != x;
}

static bool plain_cast(wr_phys from, wr_phys to, const void *at, void *out) {
    if (!test_is_float(from)) {
        wr_int128 x = test_widen(from, at);
        float narrow = (float)x;
        double wide = (double)x;
        if (to == WR_PHYS_F32) memcpy(out, &narrow, sizeof narrow);
        if (to == WR_PHYS_F64) memcpy(out, &wide, sizeof wide);
        return !test_is_float(to) && put_integer(to, x, out);
    }
    double x = test_float(from, at);
    if (to == WR_PHYS_F64) {
        memcpy(out, &x, sizeof x);
        return false;
    }
    if (to == WR_PHYS_F32) {
        float narrow = (float)x;
        memcpy(out, &narrow, sizeof narrow);
        return isinf(narrow) && !isinf(x);
    }
    /* To even by hand, so as not to trust what is tested. */
    double down = floor(x), rest = x - down, rounded = rest < 0.5 ? down : down + 1;
    if (rest == 0.5 && fmod(down, 2) == 0) rounded = down;
    double bits = (double)wr_phys_bytes(to) * 8, end = exp2(is_unsigned(to) ? bits : bits - 1);
    if (!(rounded >= (is_unsigned(to) ? 0.0 : -end) && rounded < end)) return true;
    return put_integer(to, (wr_int128)rounded, out);
}

static bool same_value(wr_phys phys, const void *a, const void *b) {
    if (test_is_float(phys) && isnan(test_float(phys, a))) return isnan(test_float(phys, b));
    return memcmp(a, b, wr_phys_bytes(phys)) == 0;
}

static void check_pair(const wr_kernels *k, wr_phys from, wr_phys to, uint32_t n, unsigned kind, uint64_t *state) {
    test_memory memory = {0};
    size_t width = wr_phys_bytes(from), to_width = wr_phys_bytes(to);
    uint8_t *a = test_column(&memory, from, n, state);
    /* Small numbers alone, so that the pass that finds nothing is there too. */
    for (uint32_t i = 0; kind == 0 && i < n; i++) {
        float f = (float)(i % 100);
        double d = i % 100 + 0.5;
        wr_int128 integer = i % 100;
        const void *value = from == WR_PHYS_F32 ? (void *)&f : from == WR_PHYS_F64 ? (void *)&d : (void *)&integer;
        memcpy(a + i * width, value, width);
    }
    uint8_t *out = test_output(&memory, n, to_width), expected[16];
    uint64_t *failed = test_output_bits(&memory, n);
    bool some = k->cast->number[from][to](a, n, out, failed), expect_some = false;
    for (uint32_t i = 0; i < n; i++) {
        bool fails = plain_cast(from, to, a + i * width, expected);
        expect_some |= fails;
        bool right = some ? wr_bit_get(failed, i) == fails : !fails;
        if (!right || (!fails && !same_value(to, out + i * to_width, expected))) {
            wr_test_fail(__FILE__, __LINE__, "%s to %s on %s, row %u of %u: wrong %s", test_phys_name(from),
                         test_phys_name(to), wr_isa_name(k->isa), i, n, right ? "value" : "verdict");
            break;
        }
    }
    WR_CHECK_EQ_INT(some, expect_some);
    test_memory_deinit(&memory);
}

WR_TEST(kernel_cast, every_pair_of_numbers) {
    uint64_t state = 1;
    EACH_ISA(k)
    EACH_ROW_COUNT(n)
    for (unsigned from = 0; from < WR_COUNT_OF(number_types); from++)
        for (unsigned to = 0; to < WR_COUNT_OF(number_types); to++)
            for (unsigned kind = 0; kind < 2; kind++) {
                check_pair(k, number_types[from], number_types[to], n, kind, &state);
            }
}

WR_TEST(kernel_cast, floats_round_half_to_even_up_to_the_limits) {
    const double a[] = {0.5, 1.5, 2.5, -0.5, -1.5, 127.49, 127.5, -128.5, -128.51, NAN};
    const int8_t expected[] = {0, 2, 2, 0, -2, 127, 0, -128, 0, 0};
    const uint64_t expect_failed = 1u << 6 | 1u << 8 | 1u << 9;
    const double edges[] = {9223372036854774784.0, 9223372036854775808.0, -9223372036854775808.0,
                            -9223372036854777856.0};
    EACH_ISA(k) {
        int8_t out[64];
        int64_t wide[64];
        uint64_t failed = 0;
        WR_CHECK(k->cast->number[WR_PHYS_F64][WR_PHYS_I8](a, 10, out, &failed));
        WR_CHECK_EQ_UINT(failed & 0x3ff, expect_failed);
        for (unsigned i = 0; i < 10; i++) WR_CHECK((expect_failed >> i & 1) || out[i] == expected[i]);
        WR_CHECK(k->cast->number[WR_PHYS_F64][WR_PHYS_I64](edges, 4, wide, &failed));
        WR_CHECK_EQ_UINT(failed & 0xf, 0xa);
        WR_CHECK(wide[0] == INT64_MAX - 1023 && wide[2] == INT64_MIN);
    }
}

WR_TEST(kernel_cast, booleans) {
    uint64_t state = 2;
    EACH_ISA(k) EACH_ROW_COUNT(n) for (unsigned type = 0; type < WR_COUNT_OF(number_types); type++) {
        test_memory memory = {0};
        wr_phys phys = number_types[type];
        size_t width = wr_phys_bytes(phys);
        uint64_t *bits = test_bits(&memory, n, 2, &state), *back = test_output_bits(&memory, n);
        uint8_t *out = test_output(&memory, n, width);
        WR_CHECK(!k->cast->number[WR_PHYS_BOOL][phys](bits, n, out, NULL));
        for (uint32_t i = 0; i < n; i++) {
            uint8_t *x = out + i * width;
            WR_CHECK(wr_bit_get(bits, i) ==
                     (test_is_float(phys) ? test_float(phys, x) == 1 : test_widen(phys, x) == 1));
            if (i % 3 == 0 && wr_bit_get(bits, i)) x[width - 1] = 0x40; /* not 1, and not 0 */
        }
        WR_CHECK(!k->cast->number[phys][WR_PHYS_BOOL](out, n, back, NULL));
        test_same_bits("number to boolean", k, n, back, bits);
        WR_CHECK(!k->cast->number[WR_PHYS_BOOL][WR_PHYS_BOOL](bits, n, back, NULL));
        test_same_bits("boolean to boolean", k, n, back, bits);
        test_memory_deinit(&memory);
    }
    EACH_ISA(k) {
        WR_CHECK(!k->cast->number[WR_PHYS_VIEW][WR_PHYS_I8] && !k->cast->number[WR_PHYS_I8][WR_PHYS_INTERVAL]);
    }
}

/* ---- decimals ---- */

static const wr_phys rescale_from[] = {WR_PHYS_I64, WR_PHYS_I64, WR_PHYS_I128, WR_PHYS_I128};
static const wr_phys rescale_to[] = {WR_PHYS_I64, WR_PHYS_I128, WR_PHYS_I128, WR_PHYS_I64};

static wr_int128 power_of_10(unsigned exponent) {
    wr_int128 power = 1;
    while (exponent--) power *= 10;
    return power;
}

/* Decimals of up to `digits` digits; the largest and halves of the divisor among them. */
static uint8_t *decimal_column(test_memory *memory, wr_phys phys, unsigned digits, wr_int128 divisor, uint32_t n,
                               uint64_t *state) {
    size_t width = wr_phys_bytes(phys);
    wr_int128 limit = power_of_10(digits) - 1;
    uint8_t *a = test_block(memory, n * width + WR_BUFFER_PAD);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t random = test_random(state);
        wr_int128 wide = (wr_int128)(((wr_uint128)random << 63 | test_random(state)) >> 1 >> random % 120),
                  x = wide % limit;
        if (random >> 60 == 0) x = limit;
        if (random >> 60 == 1) x = (x / divisor * divisor + divisor / 2 - (wr_int128)(random >> 59 & 1)) % limit;
        if (random >> 58 & 1) x = -x;
        memcpy(a + i * width, &x, width);
    }
    return a;
}

static void check_rescale(const wr_kernels *k, unsigned form, unsigned digits, unsigned exponent, unsigned limit_digits,
                          uint32_t n, uint64_t *state) {
    test_memory memory = {0};
    wr_phys from = rescale_from[form], to = rescale_to[form];
    size_t width = wr_phys_bytes(from), to_width = wr_phys_bytes(to);
    wr_int128 power = power_of_10(exponent), limit = power_of_10(limit_digits) - 1;
    uint8_t *a = decimal_column(&memory, from, digits, power, n, state);
    uint8_t *out = test_output(&memory, n, to_width), expected[16];
    uint64_t *failed = test_output_bits(&memory, n);
    for (int down = 0; down < 2; down++) {
        bool some = (down ? k->cast->rescale_down : k->cast->rescale_up)[form](a, n, power, limit, out, failed);
        bool expect_some = false;
        for (uint32_t i = 0; i < n; i++) {
            wr_int128 x = test_widen(from, a + i * width), size = x < 0 ? -x : x, result;
            bool fails;
            if (down) {
                result = size / power + (size % power >= power - size % power);
                fails = result > limit;
            } else {
                fails = size > limit / power;
                result = fails ? 0 : size * power;
            }
            result = x < 0 ? -result : result;
            expect_some |= fails;
            memcpy(expected, &result, to_width);
            WR_CHECK(some ? wr_bit_get(failed, i) == fails : !fails);
            if (!fails) WR_CHECK_EQ_BYTES(out + i * to_width, expected, to_width);
        }
        WR_CHECK_EQ_INT(some, expect_some);
    }
    test_memory_deinit(&memory);
}

WR_TEST(kernel_cast, decimals_to_another_scale) {
    static const unsigned exponents[] = {0, 1, 2, 9, 17, 18, 19, 20, 37};
    uint64_t state = 3;
    EACH_ISA(k) for (unsigned form = 0; form < 4; form++) for (unsigned i = 0; i < WR_COUNT_OF(exponents); i++) {
        unsigned most = rescale_from[form] == WR_PHYS_I64 ? 18 : 38,
                 to_most = rescale_to[form] == WR_PHYS_I64 ? 18 : 38;
        check_rescale(k, form, most, exponents[i], to_most, 200, &state);
        check_rescale(k, form, 5, exponents[i], to_most, 65, &state);
        check_rescale(k, form, most, exponents[i], 6, 64, &state);
        check_rescale(k, form, most, exponents[i], to_most, 0, &state);
    }
}
