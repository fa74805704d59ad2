#include "kernel/reduce.h"

#include <float.h>
#include <math.h>

#include "tests/unit/kernel_values.h"
#include "tests/unit/kernels.h"

enum { GROUPS = 40, STRIDE = 64, SEEN_OFFSET = 48 };

static const wr_phys number_types[] = {WR_PHYS_I8,  WR_PHYS_I16, WR_PHYS_I32, WR_PHYS_I64, WR_PHYS_I128, WR_PHYS_U8,
                                       WR_PHYS_U16, WR_PHYS_U32, WR_PHYS_U64, WR_PHYS_F32, WR_PHYS_F64};

/* ---- plain sums ---- */

static size_t state_bytes(wr_phys phys) {
    return test_is_float(phys) ? sizeof(wr_float_sum) : phys == WR_PHYS_I128 ? sizeof(wr_sum192) : sizeof(wr_int128);
}

static void plain_add(wr_phys phys, const void *at, uint8_t *state) {
    if (test_is_float(phys)) {
        wr_float_sum_add((wr_float_sum *)(void *)state, test_float(phys, at));
        return;
    }
    /* 192 bits by hand, in words of 32. */
    wr_int128 x = test_widen(phys, at);
    uint32_t words[6] = {0}, count = (uint32_t)state_bytes(phys) / 4;
    memcpy(words, state, count * 4);
    uint64_t carry = 0;
    for (uint32_t i = 0; i < count; i++) {
        carry += (uint64_t)words[i] + (uint32_t)(i < 4 ? x >> (32 * i) : x >> 127);
        words[i] = (uint32_t)carry;
        carry >>= 32;
    }
    memcpy(state, words, count * 4);
}

/* Groups at random, all alike, or in runs. */
static uint32_t *group_column(test_memory *memory, uint32_t n, unsigned kind, uint64_t *state) {
    uint32_t *group = test_block(memory, n * sizeof *group + WR_BUFFER_PAD);
    for (uint32_t i = 0; i < n; i++) {
        group[i] = kind == 0 ? (uint32_t)(test_random(state) % GROUPS) : kind == 1 ? 7 : i / 13 % GROUPS;
    }
    return group;
}

typedef struct sum_case {
    const wr_kernels *k;
    wr_phys phys;
    uint32_t n;
    const uint8_t *a;
    const uint64_t *valid;
    const uint32_t *group;
    uint8_t *seen, *expected; /* states */
} sum_case;

static void check_states(const sum_case *c, const char *what) {
    WR_CHECK(test_same_bytes(what, c->k, c->n, c->seen, c->expected, GROUPS * STRIDE));
    memset(c->seen, 0, GROUPS * STRIDE);
    memset(c->expected, 0, GROUPS * STRIDE);
}

/* A row that is not valid counts as 0, whose bin is the lowest: states are compared by their results. */
static void finish_floats(uint8_t *states) {
    for (uint32_t i = 0; i < GROUPS; i++) {
        double sum = wr_float_sum_finish((const wr_float_sum *)(const void *)(states + i * STRIDE));
        memset(states + i * STRIDE, 0, STRIDE);
        memcpy(states + i * STRIDE, &sum, sizeof sum);
    }
}

static void check_sums(const sum_case *c, test_memory *memory, uint64_t *state) {
    size_t width = wr_phys_bytes(c->phys);
    bool is_float = test_is_float(c->phys);
    for (uint32_t i = 0; i < c->n; i++) {
        if (wr_valid(c->valid, i)) plain_add(c->phys, c->a + i * width, c->expected);
    }
    c->k->reduce->sum[c->phys](c->a, c->valid, c->n, c->seen);
    if (is_float) finish_floats(c->seen), finish_floats(c->expected);
    check_states(c, "sum");

    for (uint32_t i = 0; i < c->n; i++) {
        if (wr_valid(c->valid, i)) plain_add(c->phys, c->a + i * width, c->expected + c->group[i] * STRIDE);
    }
    c->k->reduce->group_sum[c->phys](c->a, c->valid, c->group, c->n, c->seen, STRIDE);
    if (is_float) finish_floats(c->seen), finish_floats(c->expected);
    check_states(c, "group_sum");

    uint32_t *codes = test_block(memory, c->n * sizeof *codes + WR_BUFFER_PAD);
    for (uint32_t i = 0; i < c->n; i++) {
        bool valid = wr_valid(c->valid, i);
        codes[i] = valid ? (uint32_t)(test_random(state) % c->n) : UINT32_MAX;
        if (valid) plain_add(c->phys, c->a + codes[i] * width, c->expected + c->group[i] * STRIDE);
    }
    c->k->reduce->group_sum_by_code[c->phys](c->a, codes, c->valid, c->group, c->n, c->seen, STRIDE);
    if (is_float) finish_floats(c->seen), finish_floats(c->expected);
    check_states(c, "group_sum_by_code");
}

static void check_sum_type(const wr_kernels *k, wr_phys phys, uint32_t n, unsigned kind, uint64_t *state) {
    test_memory memory = {0};
    sum_case c = {.k = k, .phys = phys, .n = n};
    uint8_t *a = test_column(&memory, phys, n, state);
    /* Finite floats only, half of the time: NaN hides all else. */
    if (test_is_float(phys) && kind % 2 == 0) {
        for (uint32_t i = 0; i < n; i++) {
            float x = (float)(int32_t)test_random(state) * (test_random(state) % 2 ? 1e-30f : 1e20f);
            double y = (double)x;
            memcpy(a + i * wr_phys_bytes(phys), phys == WR_PHYS_F32 ? (void *)&x : (void *)&y, wr_phys_bytes(phys));
        }
    }
    c.a = a;
    c.valid = kind == 1 ? NULL : test_bits(&memory, n, kind, state);
    c.group = group_column(&memory, n, kind % 3, state);
    c.seen = test_block(&memory, GROUPS * STRIDE);
    c.expected = test_block(&memory, GROUPS * STRIDE);
    memset(c.seen, 0, GROUPS * STRIDE);
    memset(c.expected, 0, GROUPS * STRIDE);
    check_sums(&c, &memory, state);
    test_memory_deinit(&memory);
}

WR_TEST(kernel_reduce, sums) {
    uint64_t state = 1;
    EACH_ISA(k)
    EACH_ROW_COUNT(n)
    for (unsigned i = 0; i < WR_COUNT_OF(number_types); i++)
        for (unsigned kind = 0; kind < TEST_BIT_KINDS; kind++) check_sum_type(k, number_types[i], n, kind, &state);
}

WR_TEST(kernel_reduce, integer_sums_do_not_overflow_on_the_way) {
    int64_t most[2048];
    wr_int128 wide[2048], sum;
    for (unsigned i = 0; i < 2048; i++) {
        most[i] = i < 1024 ? INT64_MAX : INT64_MIN;
        wide[i] = (wr_int128)(((wr_uint128)1 << 127) - 1);
    }
    EACH_ISA(k) {
        wr_int128 narrow_state = 0;
        k->reduce->sum[WR_PHYS_I64](most, NULL, 2048, &narrow_state);
        WR_CHECK_EQ_INT(narrow_state, -1024);
        wr_sum192 state = {0, 0, 0}, other;
        k->reduce->sum[WR_PHYS_I128](wide, NULL, 1, &state);
        WR_CHECK(wr_sum192_get(&state, &sum) && sum == wide[0]);
        k->reduce->sum[WR_PHYS_I128](wide, NULL, 2048, &state);
        WR_CHECK(!wr_sum192_get(&state, &sum));
        other = state;
        wr_sum192_merge(&state, &other);
        WR_CHECK(!wr_sum192_get(&state, &sum));
        for (unsigned i = 0; i < 2 * 2049; i++) wr_sum192_add(&state, -wide[0]);
        WR_CHECK(wr_sum192_get(&state, &sum) && sum == 0);
        for (unsigned i = 0; i < 2049; i++) wr_sum192_add(&state, -wide[0]);
        wr_sum192_merge(&state, &other);
        WR_CHECK(wr_sum192_get(&state, &sum) && sum == 0);
    }
}

/* ---- float sums ---- */

static double sum_in_order(const wr_kernels *k, const double *a, const uint32_t *order, uint32_t n, uint32_t cut) {
    double column[2048] = {0};
    for (uint32_t i = 0; i < n; i++) column[i] = a[order[i]];
    wr_float_sum left = {{0}, 0}, right = {{0}, 0};
    double *rest = column + cut;
    k->reduce->sum[WR_PHYS_F64](column, NULL, cut, &left);
    k->reduce->sum[WR_PHYS_F64](rest, NULL, n - cut, &right);
    wr_float_sum_merge(&left, &right);
    return wr_float_sum_finish(&left);
}

static void shuffle(uint32_t *order, uint32_t n, uint64_t *state) {
    for (uint32_t i = n; i > 1; i--) {
        uint32_t other = (uint32_t)(test_random(state) % i), held = order[i - 1];
        order[i - 1] = order[other];
        order[other] = held;
    }
}

WR_TEST(kernel_reduce, float_sums_do_not_depend_on_order) {
    enum { N = 1000 };
    uint64_t state = 2;
    double a[N];
    uint32_t order[N];
    for (unsigned round = 0; round < 40; round++) {
        /* From money to all the exponents that there are, NaN and infinities left out in most rounds. */
        int spread = (int[]){10, 60, 300, 2000}[round % 4];
        for (uint32_t i = 0; i < N; i++) {
            double mantissa = (double)(int64_t)test_random(&state);
            a[i] = scalbn(mantissa, (int)(test_random(&state) % (unsigned)spread) - spread / 2 - 63);
            if (round > 36) a[i] = test_special_float(test_random(&state));
            order[i] = i;
        }
        double first = sum_in_order(wr_kernels_select(WR_ISA_BASE), a, order, N, N);
        EACH_ISA(k) for (unsigned times = 0; times < 5; times++) {
            shuffle(order, N, &state);
            double again = sum_in_order(k, a, order, N, (uint32_t)(test_random(&state) % N) / 8 * 8);
            WR_CHECK_EQ_BYTES(&again, &first, sizeof first);
        }
    }
}

WR_TEST(kernel_reduce, float_sums_are_rounded_once) {
    /* Multiples of 2^-20 below 2^40: exact in 128 bits. */
    uint64_t state = 3;
    double a[2048];
    wr_int128 exact = 0;
    for (unsigned i = 0; i < 2048; i++) {
        int64_t units = (int64_t)test_random(&state) >> 4;
        a[i] = (double)(units & ~INT64_C(127)) / 1048576.0;
        exact += units & ~INT64_C(127);
    }
    EACH_ISA(k) {
        wr_float_sum sum = {{0}, 0};
        k->reduce->sum[WR_PHYS_F64](a, NULL, 2048, &sum);
        WR_CHECK_EQ_DOUBLE(wr_float_sum_finish(&sum), (double)exact / 1048576.0);
    }
}

static double sum_of(const double *a, uint32_t n) {
    wr_float_sum sum = {{0}, 0};
    for (uint32_t i = 0; i < n; i++) wr_float_sum_add(&sum, a[i]);
    return wr_float_sum_finish(&sum);
}
#define SUM_OF(...) sum_of((const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

WR_TEST(kernel_reduce, float_sums_at_the_edges) {
    WR_CHECK_EQ_DOUBLE(sum_of(NULL, 0), 0.0);
    WR_CHECK_EQ_DOUBLE(SUM_OF(1e16, 1, -1e16), 1.0);
    WR_CHECK_EQ_DOUBLE(SUM_OF(0.1, 0.2, -0.3), 0.1 + (0.2 - 0.3)); /* 2.8e-17, exactly */
    WR_CHECK_EQ_DOUBLE(SUM_OF(4.9e-324), 4.9e-324);
    WR_CHECK_EQ_DOUBLE(SUM_OF(4.9e-324, 4.9e-324, -4.9e-324), 4.9e-324);
    WR_CHECK_EQ_DOUBLE(SUM_OF(DBL_MIN, -4.9e-324), DBL_MIN - 4.9e-324);
    WR_CHECK_EQ_DOUBLE(SUM_OF(DBL_MAX), DBL_MAX);
    WR_CHECK_EQ_DOUBLE(SUM_OF(DBL_MAX, DBL_MAX, -DBL_MAX), DBL_MAX);
    WR_CHECK_EQ_DOUBLE(SUM_OF(DBL_MAX, DBL_MAX), (double)INFINITY);
    WR_CHECK_EQ_DOUBLE(SUM_OF(-DBL_MAX, -DBL_MAX), -(double)INFINITY);
    WR_CHECK_EQ_DOUBLE(SUM_OF(INFINITY, 1, DBL_MAX), (double)INFINITY);
    WR_CHECK_EQ_DOUBLE(SUM_OF(1, -INFINITY), -(double)INFINITY);
    WR_CHECK_EQ_DOUBLE(SUM_OF(INFINITY, -INFINITY), (double)NAN);
    WR_CHECK_EQ_DOUBLE(SUM_OF(NAN, INFINITY), (double)NAN);
    WR_CHECK(!signbit(SUM_OF(-0.0, -0.0)));
    /* What lies more than the window below the largest value is lost, in either order. */
    WR_CHECK_EQ_DOUBLE(SUM_OF(1e300, 1, -1e300), 0.0);
    WR_CHECK_EQ_DOUBLE(SUM_OF(1, 1e300, -1e300), 0.0);
}

WR_TEST(kernel_reduce, float_sums_with_many_addends) {
    /* More than the lowest lanes could hold without room above the bin: lanes that are far from normal. */
    wr_float_sum sum = {{0}, 0}, twice;
    wr_float_sum_add(&sum, 1.9999999999999998);
    for (unsigned i = 0; i < 38; i++) {
        twice = sum;
        wr_float_sum_merge(&sum, &twice);
    }
    WR_CHECK_EQ_DOUBLE(wr_float_sum_finish(&sum), scalbn(1.9999999999999998, 38));
    wr_float_sum_add(&sum, -1.9999999999999998);
    WR_CHECK_EQ_DOUBLE(wr_float_sum_finish(&sum), scalbn(1.9999999999999998, 38) - 1.9999999999999998);
}

/* ---- counts ---- */

WR_TEST(kernel_reduce, group_count) {
    uint64_t state = 4;
    EACH_ISA(k) EACH_ROW_COUNT(n) for (unsigned kind = 0; kind < TEST_BIT_KINDS; kind++) {
        test_memory memory = {0};
        const uint64_t *valid = kind == 1 ? NULL : test_bits(&memory, n, kind, &state);
        const uint32_t *group = group_column(&memory, n, kind % 3, &state);
        uint64_t seen[GROUPS * 2] = {0}, expected[GROUPS * 2] = {0};
        for (uint32_t i = 0; i < n; i++) expected[group[i] * 2] += wr_valid(valid, i);
        k->reduce->group_count(valid, group, n, (uint8_t *)seen, 16);
        test_same_bytes("group_count", k, n, seen, expected, sizeof seen);
        test_memory_deinit(&memory);
    }
}

/* ---- sums in slots ---- */

static unsigned plain_bits(wr_int128 x) {
    unsigned bits = 0;
    while (!(-((wr_int128)1 << bits) <= x && x < (wr_int128)1 << bits)) bits++;
    return bits;
}

static void check_terms(const wr_kernels *k, wr_phys phys, uint32_t n, unsigned kind, uint64_t *state) {
    test_memory memory = {0};
    size_t width = wr_phys_bytes(phys);
    const uint8_t *a = test_column(&memory, phys, n, state);
    const uint64_t *valid = kind == 1 ? NULL : test_bits(&memory, n, kind, state);
    uint32_t *codes = test_block(&memory, n * sizeof *codes + WR_BUFFER_PAD);
    int64_t *seen = test_output(&memory, n, sizeof *seen);
    for (unsigned by_code = 0; by_code < 2; by_code++) {
        unsigned bits = 0;
        for (uint32_t i = 0; i < n; i++) {
            codes[i] = wr_valid(valid, i) ? (uint32_t)(test_random(state) % n) : UINT32_MAX;
            if (!wr_valid(valid, i)) continue;
            unsigned needs = plain_bits(test_widen(phys, a + (by_code ? codes[i] : i) * width));
            bits = needs > bits ? needs : bits;
        }
        unsigned found = by_code ? k->reduce->terms_by_code[phys](a, codes, valid, n, seen)
                                 : k->reduce->terms[phys](a, valid, n, seen);
        WR_CHECK_EQ_UINT(found, bits);
        for (uint32_t i = 0; i < n && bits < 64; i++) {
            wr_int128 x = wr_valid(valid, i) ? test_widen(phys, a + (by_code ? codes[i] : i) * width) : 0;
            WR_CHECK(seen[i] == x);
        }
    }
    test_memory_deinit(&memory);
}

WR_TEST(kernel_reduce, terms) {
    uint64_t state = 6;
    EACH_ISA(k)
    EACH_ROW_COUNT(n)
    for (unsigned i = 0; i < WR_COUNT_OF(number_types); i++) {
        WR_CHECK_EQ_INT(k->reduce->terms[number_types[i]] == NULL,
                        test_is_float(number_types[i]) || number_types[i] == WR_PHYS_I128);
        if (!k->reduce->terms[number_types[i]]) continue;
        for (unsigned kind = 0; kind < TEST_BIT_KINDS; kind++) check_terms(k, number_types[i], n, kind, &state);
    }
}

WR_TEST(kernel_reduce, slots) {
    enum { WORDS = 6 };
    uint64_t state = 7;
    EACH_ISA(k) EACH_ROW_COUNT(n) for (uint32_t lists = 0; lists <= WR_SLOT_TERMS; lists++) {
        test_memory memory = {0};
        const int64_t *terms[WR_SLOT_TERMS] = {NULL};
        const uint32_t *index = group_column(&memory, n, lists % 3, &state);
        uint64_t seen[GROUPS * WORDS] = {0}, expected[GROUPS * WORDS] = {0};
        for (uint32_t l = 0; l < lists; l++) terms[l] = test_column(&memory, WR_PHYS_I64, n, &state);
        for (uint32_t i = 0; i < n; i++) {
            for (uint32_t l = 0; l < lists; l++) expected[index[i] * WORDS + l] += (uint64_t)terms[l][i];
        }
        k->reduce->slots_add[lists](index, n, terms, seen, WORDS);
        test_same_bytes("slots_add", k, n, seen, expected, sizeof seen);
        for (uint32_t i = 0; i < n; i++) {
            expected[index[i] * WORDS]++;
            for (uint32_t l = 0; l < lists; l++) expected[index[i] * WORDS + l + 1] += (uint64_t)terms[l][i];
        }
        k->reduce->slots_count_add[lists](index, n, terms, seen, WORDS);
        test_same_bytes("slots_count_add", k, n, seen, expected, sizeof seen);
        test_memory_deinit(&memory);
    }
}

/* ---- minima and maxima ---- */

/* In total order, -0 below 0. */
static int bound_order(wr_phys phys, const void *a, const void *b) {
    int order = test_order(phys, a, b);
    if (order == 0 && test_is_float(phys)) {
        order = (signbit(test_float(phys, b)) != 0) - (signbit(test_float(phys, a)) != 0);
        if (isnan(test_float(phys, a))) order = 0;
    }
    return order;
}

static bool same_value(wr_phys phys, const void *a, const void *b) {
    if (test_is_float(phys) && isnan(test_float(phys, a))) return isnan(test_float(phys, b));
    return memcmp(a, b, wr_phys_bytes(phys)) == 0;
}

static void check_bounds_type(const wr_kernels *k, wr_phys phys, uint32_t n, unsigned kind, uint64_t *state) {
    test_memory memory = {0};
    size_t width = wr_phys_bytes(phys);
    const uint8_t *a = test_column(&memory, phys, n, state);
    const uint64_t *valid = kind == 1 ? NULL : test_bits(&memory, n, kind, state);
    const uint32_t *group = group_column(&memory, n, kind % 3, state);
    uint8_t min[GROUPS * STRIDE] = {0}, max[GROUPS * STRIDE] = {0};
    const uint8_t *least[GROUPS] = {0}, *most[GROUPS] = {0}, *low = NULL, *high = NULL;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *x = a + i * width;
        if (!wr_valid(valid, i)) continue;
        if (!low || bound_order(phys, x, low) < 0) low = x;
        if (!high || bound_order(phys, x, high) > 0) high = x;
        if (!least[group[i]] || bound_order(phys, x, least[group[i]]) < 0) least[group[i]] = x;
        if (!most[group[i]] || bound_order(phys, x, most[group[i]]) > 0) most[group[i]] = x;
    }
    WR_CHECK_EQ_INT(k->reduce->bounds[phys](a, valid, n, min, max), low != NULL);
    if (low) WR_CHECK(same_value(phys, min, low) && same_value(phys, max, high));
    memset(min, 0, sizeof min);
    memset(max, 0, sizeof max);
    k->reduce->group_min[phys](a, valid, group, n, min, STRIDE, SEEN_OFFSET);
    k->reduce->group_max[phys](a, valid, group, n, max, STRIDE, SEEN_OFFSET);
    for (uint32_t i = 0; i < GROUPS; i++) {
        WR_CHECK_EQ_INT(min[i * STRIDE + SEEN_OFFSET], least[i] != NULL);
        WR_CHECK_EQ_INT(max[i * STRIDE + SEEN_OFFSET], most[i] != NULL);
        if (!least[i]) continue;
        WR_CHECK(same_value(phys, min + i * STRIDE, least[i]) && same_value(phys, max + i * STRIDE, most[i]));
    }
    test_memory_deinit(&memory);
}

WR_TEST(kernel_reduce, minima_and_maxima) {
    uint64_t state = 5;
    EACH_ISA(k)
    EACH_ROW_COUNT(n)
    for (unsigned i = 0; i < WR_COUNT_OF(number_types); i++)
        for (unsigned kind = 0; kind < TEST_BIT_KINDS; kind++) check_bounds_type(k, number_types[i], n, kind, &state);
}
