/* Chooses among the tables of the instruction sets. */
#include "kernel/kernel.h"

extern const wr_kernels wr_kernels_table_base;
#if defined(__x86_64__)
extern const wr_kernels wr_kernels_table_v3, wr_kernels_table_v4;
#endif

const wr_kernels *wr_kernels_select(wr_isa isa) {
    static const wr_kernels *const tables[WR_ISA_COUNT] = {
        [WR_ISA_BASE] = &wr_kernels_table_base,
#if defined(__x86_64__)
        [WR_ISA_V3] = &wr_kernels_table_v3,
        [WR_ISA_V4] = &wr_kernels_table_v4,
#endif
    };
    return isa < WR_ISA_COUNT && isa <= wr_cpu_isa() ? tables[isa] : NULL;
}

const wr_kernels *wr_kernels_best(void) {
    return wr_kernels_select(wr_cpu_isa());
}
