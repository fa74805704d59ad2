/* The typed loops, compiled once per instruction set.
 *
 * Every family of loops is a header (its table: a struct of function pointers, indexed by physical type and variant)
 * and a source that is compiled for each wr_isa; each object exports one table, WR_ISA_NAME(wr_<family>_kernels).
 * wr_kernels_select() gives the tables of one ISA; a database picks the best that the CPU has or the one that a setting
 * forces, and hands the pointer down; there is no ambient choice. Every ISA gives the same answer to the bit.
 *
 * Conventions of all loops: `n` rows; data pointers are to whole columns and 8-byte aligned at least, 64 where they are
 * ours; inputs of ours may be read up to WR_BUFFER_PAD bytes past their end, foreign ones (Arrow imports) are copied
 * before they come here; outputs have room for n rows rounded up to 64. Bitmaps are written in whole words; bits past n
 * are undefined. NULLs are the caller's business: loops run over all rows, validity is ANDed outside. `v` in a name is a
 * column, `c` a pointer to one value. */
#ifndef WR_KERNEL_KERNEL_H
#define WR_KERNEL_KERNEL_H

#include "base/cpu.h"

/* WR_ISA_NAME(x) is x_base, x_v3 or x_v4 inside an object compiled for that set. */
#define WR_ISA_PASTE_(name, suffix) name##_##suffix
#define WR_ISA_PASTE(name, suffix) WR_ISA_PASTE_(name, suffix)
#ifdef WR_ISA_SUFFIX
#define WR_ISA_NAME(name) WR_ISA_PASTE(name, WR_ISA_SUFFIX)
#endif

/* One line a family: WR_KERNEL_FAMILY(name) stands for the header kernel/<name>.h, the table type wr_<name>_kernels and
 * the member <name> of wr_kernels. */
#define WR_KERNEL_FAMILIES(WR_KERNEL_FAMILY)                                                                           \
    WR_KERNEL_FAMILY(bits)    /* bitmap logic, bitmap to row list, lookups by code */                                  \
    WR_KERNEL_FAMILY(compare) /* six comparisons and ranges: columns to bitmaps */                                     \
    WR_KERNEL_FAMILY(arith)   /* checked and unchecked arithmetic */                                                   \
    WR_KERNEL_FAMILY(cast)    /* number to number */                                                                   \
    WR_KERNEL_FAMILY(select)  /* gather by row list or code, compress by bitmap */                                     \
    WR_KERNEL_FAMILY(hash)    /* column hashes */                                                                      \
    WR_KERNEL_FAMILY(join)    /* look-ups in the tables of joins, bloom filters */                                     \
    WR_KERNEL_FAMILY(group)   /* packed keys, joint codes, the first look into a table */                              \
    WR_KERNEL_FAMILY(reduce)  /* sum, min, max of a column, whole or by group */                                       \
    WR_KERNEL_FAMILY(text)    /* search in text, compare views */                                                      \
    WR_KERNEL_FAMILY(unpack)  /* bit-packed and delta-packed integers */                                               \
    WR_KERNEL_FAMILY(snappy)  /* inflate */

#define WR_KERNEL_MEMBER_(name) struct wr_##name##_kernels;
WR_KERNEL_FAMILIES(WR_KERNEL_MEMBER_)
#undef WR_KERNEL_MEMBER_

typedef struct wr_kernels {
    wr_isa isa;
#define WR_KERNEL_MEMBER_(name) const struct wr_##name##_kernels *name;
    WR_KERNEL_FAMILIES(WR_KERNEL_MEMBER_)
#undef WR_KERNEL_MEMBER_
} wr_kernels;

/* NULL when this build or this CPU does not have it. */
const wr_kernels *wr_kernels_select(wr_isa isa);
/* The best one that is there. */
const wr_kernels *wr_kernels_best(void);

#endif
