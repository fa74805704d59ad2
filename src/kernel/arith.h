/* Arithmetic over columns.
 *
 * Checked loops return true when any row failed and then have set that row's bit in `failed` (all of its n bits are
 * written in that case, and none otherwise): the caller ANDs it with validity and selection, and only what is left is an
 * error. The fast pass accumulates "did any overflow" without branches; only then a second pass finds the rows. The
 * unchecked loops wrap, for ranges that statistics prove. Floats never fail. */
#ifndef WR_KERNEL_ARITH_H
#define WR_KERNEL_ARITH_H

#include "column/type.h"
#include "kernel/kernel.h"

typedef enum wr_arith_op {
    WR_ADD,
    WR_SUB,
    WR_MUL,
    WR_DIV, /* integers truncate toward zero; a zero divisor or MIN / -1 fails */
    WR_MOD, /* sign of the dividend; a zero divisor fails; MIN % -1 is 0 */
    WR_ARITH_OPS
} wr_arith_op;

typedef bool (*wr_arith_checked)(const void *a, const void *b, uint32_t n, void *out, uint64_t *failed);
typedef void (*wr_arith_unchecked)(const void *a, const void *b, uint32_t n, void *out);

typedef struct wr_arith_kernels {
    /* Integers (I8..I128, U8..U64) and floats; NULL for other types. */
    wr_arith_checked vv[WR_PHYS_COUNT][WR_ARITH_OPS];
    wr_arith_checked vc[WR_PHYS_COUNT][WR_ARITH_OPS];
    wr_arith_checked cv[WR_PHYS_COUNT][WR_ARITH_OPS];
    /* ADD, SUB, MUL of integers. */
    wr_arith_unchecked fast_vv[WR_PHYS_COUNT][WR_MUL + 1];
    wr_arith_unchecked fast_vc[WR_PHYS_COUNT][WR_MUL + 1];
    wr_arith_unchecked fast_cv[WR_PHYS_COUNT][WR_MUL + 1];
    /* Two int64 to the exact int128: products of small decimals. */
    void (*mul_wide_vv)(const int64_t *a, const int64_t *b, uint32_t n, wr_int128 *out);
    void (*mul_wide_vc)(const int64_t *a, const int64_t *b, uint32_t n, wr_int128 *out);
    bool (*negate[WR_PHYS_COUNT])(const void *a, uint32_t n, void *out, uint64_t *failed);
    bool (*absolute[WR_PHYS_COUNT])(const void *a, uint32_t n, void *out, uint64_t *failed);
} wr_arith_kernels;

#endif
