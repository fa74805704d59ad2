/* The tables of this object's instruction set, side by side. */
#include "kernel/kernel_internal.h"

#define ISA_base WR_ISA_BASE
#define ISA_v3 WR_ISA_V3
#define ISA_v4 WR_ISA_V4
#define ISA_OF_(suffix) ISA_##suffix
#define ISA_OF(suffix) ISA_OF_(suffix)

extern const wr_kernels WR_ISA_NAME(wr_kernels_table);
const wr_kernels WR_ISA_NAME(wr_kernels_table) = {.isa = ISA_OF(WR_ISA_SUFFIX),
#define MEMBER(name) .name = &WR_ISA_NAME(wr_##name##_kernels),
                                                  WR_KERNEL_FAMILIES(MEMBER)
#undef MEMBER
};
