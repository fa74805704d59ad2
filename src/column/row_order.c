/* The order of two rows by one column, cell against cell. */
#include "column/row_internal.h"

/* Signed and unsigned numbers, alike in every width. */
#define ORDER(type) (*(const type *)a > *(const type *)b) - (*(const type *)a < *(const type *)b)

typedef wr_int128 __attribute__((may_alias, aligned(8))) cell_i128;

/* NaN is above all numbers and equal to itself. */
static int float_order(double a, double b) {
    if (a == b) return 0;
    if (a != a || b != b) return (a != a) - (b != b);
    return a < b ? -1 : 1;
}

static int view_order(const wr_string_view *a, const wr_string_view *b) {
    uint32_t x, y;
    memcpy(&x, a->prefix, 4);
    memcpy(&y, b->prefix, 4);
    if (x != y) return __builtin_bswap32(x) < __builtin_bswap32(y) ? -1 : 1;
    return wr_str_compare(wr_view_str(a), wr_view_str(b));
}

int wr_row_value_compare(wr_phys phys, const void *a, const void *b) {
    switch (phys) {
    case WR_PHYS_BOOL:
    case WR_PHYS_U8: return ORDER(uint8_t);
    case WR_PHYS_I8: return ORDER(int8_t);
    case WR_PHYS_I16: return ORDER(int16_t);
    case WR_PHYS_I32: return ORDER(int32_t);
    case WR_PHYS_I64: return ORDER(int64_t);
    case WR_PHYS_I128: return ORDER(cell_i128);
    case WR_PHYS_U16: return ORDER(uint16_t);
    case WR_PHYS_U32: return ORDER(uint32_t);
    case WR_PHYS_U64: return ORDER(uint64_t);
    case WR_PHYS_F32: return float_order(*(const float *)a, *(const float *)b);
    case WR_PHYS_F64: return float_order(*(const double *)a, *(const double *)b);
    case WR_PHYS_VIEW: return view_order(a, b);
    case WR_PHYS_INTERVAL: {
        wr_int128 x = wr_interval_length(*(const wr_interval *)a), y = wr_interval_length(*(const wr_interval *)b);
        return (x > y) - (x < y);
    }
    default: return 0;
    }
}

int wr_row_compare(const wr_row_layout *layout, uint32_t column, const uint8_t *a, const uint8_t *b) {
    const wr_row_column *c = &layout->columns[column];
    a += c->offset;
    b += c->offset;
    if (!wr_phys_is_nested(c->phys)) return wr_row_value_compare(c->phys, a, b);
    const uint8_t *run_a = (const uint8_t *)wr_view_str((const wr_string_view *)a).data;
    const uint8_t *run_b = (const uint8_t *)wr_view_str((const wr_string_view *)b).data;
    return wr_nested_compare(c->type, &run_a, &run_b);
}
