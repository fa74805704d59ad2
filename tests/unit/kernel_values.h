/* Columns of every physical type for the tests of kernels, full of extreme and of equal values, and a plain total
 * order. */
#ifndef WR_TESTS_UNIT_KERNEL_VALUES_H
#define WR_TESTS_UNIT_KERNEL_VALUES_H

#include <math.h>

#include "column/type.h"
#include "tests/unit/kernels.h"

static inline const char *test_phys_name(wr_phys phys) {
    static const char *const names[WR_PHYS_COUNT] = {
#define WR_PHYS(ID, name, ...) [WR_PHYS_##ID] = #ID,
#include "column/types.def"
    };
    return names[phys];
}

typedef union test_value {
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    wr_int128 i128;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    float f32;
    double f64;
    wr_string_view view;
    wr_interval interval;
} test_value;

static inline double test_special_float(uint64_t random) {
    const double special[] = {0.0,      -0.0,           1.0,      -1.0,      0.5,          1.5,
                              2.5,      -2.5,           INFINITY, -INFINITY, NAN,          -NAN,
                              4.9e-324, 1.17549435e-38, 1e30,     -1e30,     2147483647.5, 9.2233720368547758e18};
    return special[random % WR_COUNT_OF(special)];
}

/* Near zero, near the limits, near powers of two, or anything. */
static inline wr_int128 test_integer(uint64_t *state) {
    uint64_t random = test_random(state);
    wr_int128 wide = (wr_int128)((wr_uint128)random << 64 | test_random(state));
    switch (random % 8) {
    case 0: return (wr_int128)(random >> 8) % 3 - 1;
    case 1: return (wr_int128)(((wr_uint128)1 << (random >> 8) % 128) + (random >> 40) % 3 - 1);
    case 2: return -(wr_int128)((wr_uint128)1 << (random >> 8) % 127) + (wr_int128)(random >> 40) % 3 - 1;
    case 3: return (wr_int128)(random >> 8) % 100;
    case 4: return wide >> (random >> 8) % 128;
    default: return wide;
    }
}

/* Texts of 0 to 40 bytes over a few letters and zero bytes, so that equal ones and prefixes are frequent. */
static inline wr_string_view test_text(uint64_t *state) {
    static char pool[4096];
    static const char letters[] = {'a', 'b', '\0', '\xff'};
    uint64_t random = test_random(state);
    uint32_t size = (uint32_t)(random % 41), at = (uint32_t)(random >> 8) % 16 * 64;
    uint32_t kind = (uint32_t)(random >> 16) % 4;
    for (uint32_t i = 0; i < sizeof pool; i++) pool[i] = i % 64 < 20 ? 'a' : letters[i / 64 * 7 % 4];
    return wr_view_make(pool + at, kind ? size : 12);
}

static inline test_value test_any(wr_phys phys, uint64_t *state) {
    test_value v = {.view = {.words = {0, 0}}};
    wr_int128 integer = test_integer(state);
    double real = test_random(state) % 2 ? test_special_float(test_random(state)) : (double)(int64_t)integer / 8;
    switch (phys) {
    case WR_PHYS_I8: v.i8 = (int8_t)integer; break;
    case WR_PHYS_I16: v.i16 = (int16_t)integer; break;
    case WR_PHYS_I32: v.i32 = (int32_t)integer; break;
    case WR_PHYS_I64: v.i64 = (int64_t)integer; break;
    case WR_PHYS_I128: v.i128 = integer; break;
    case WR_PHYS_U8: v.u8 = (uint8_t)integer; break;
    case WR_PHYS_U16: v.u16 = (uint16_t)integer; break;
    case WR_PHYS_U32: v.u32 = (uint32_t)integer; break;
    case WR_PHYS_U64: v.u64 = (uint64_t)integer; break;
    case WR_PHYS_F32: v.f32 = (float)real; break;
    case WR_PHYS_F64: v.f64 = real; break;
    case WR_PHYS_VIEW: v.view = test_text(state); break;
    case WR_PHYS_INTERVAL:
        v.interval = (wr_interval){(int32_t)(integer % 3), (int32_t)(integer >> 40) % 61, 0};
        v.interval.micros = test_random(state) % 2 ? 0 : (int64_t)(integer >> 20);
        break;
    default: break;
    }
    return v;
}

static inline void *test_column(test_memory *memory, wr_phys phys, uint32_t n, uint64_t *state) {
    size_t width = wr_phys_bytes(phys);
    uint8_t *a = test_block(memory, n * width + WR_BUFFER_PAD);
    for (uint32_t i = 0; i < n; i++) {
        test_value v = test_any(phys, state);
        memcpy(a + i * width, &v, width);
    }
    return a;
}

static inline int test_order_floats(double a, double b) {
    if (isnan(a) || isnan(b)) return (isnan(a) != 0) - (isnan(b) != 0);
    return (a > b) - (a < b);
}
static inline int test_order_texts(const wr_string_view *a, const wr_string_view *b) {
    wr_str x = wr_view_str(a), y = wr_view_str(b);
    for (uint32_t i = 0; i < x.size && i < y.size; i++) {
        if (x.data[i] != y.data[i]) return (uint8_t)x.data[i] < (uint8_t)y.data[i] ? -1 : 1;
    }
    return (x.size > y.size) - (x.size < y.size);
}

/* Integers of any type, exactly. */
static inline wr_int128 test_widen(wr_phys phys, const void *at) {
    test_value v = {.i128 = 0};
    memcpy(&v, at, wr_phys_bytes(phys));
    switch (phys) {
    case WR_PHYS_I8: return v.i8;
    case WR_PHYS_I16: return v.i16;
    case WR_PHYS_I32: return v.i32;
    case WR_PHYS_I64: return v.i64;
    case WR_PHYS_U8: return v.u8;
    case WR_PHYS_U16: return v.u16;
    case WR_PHYS_U32: return v.u32;
    case WR_PHYS_U64: return v.u64;
    case WR_PHYS_INTERVAL:
        return ((wr_int128)v.interval.months * 30 + v.interval.days) * INT64_C(86400000000) + v.interval.micros;
    default: return v.i128;
    }
}
static inline double test_float(wr_phys phys, const void *at) {
    float narrow;
    double wide;
    if (phys == WR_PHYS_F32) {
        memcpy(&narrow, at, sizeof narrow);
        return (double)narrow;
    }
    memcpy(&wide, at, sizeof wide);
    return wide;
}
static inline bool test_is_float(wr_phys phys) {
    return phys == WR_PHYS_F32 || phys == WR_PHYS_F64;
}
static inline int test_order(wr_phys phys, const void *a, const void *b) {
    if (test_is_float(phys)) return test_order_floats(test_float(phys, a), test_float(phys, b));
    if (phys == WR_PHYS_VIEW) {
        wr_string_view x, y;
        memcpy(&x, a, sizeof x);
        memcpy(&y, b, sizeof y);
        return test_order_texts(&x, &y);
    }
    wr_int128 x = test_widen(phys, a), y = test_widen(phys, b);
    return (x > y) - (x < y);
}

#endif
