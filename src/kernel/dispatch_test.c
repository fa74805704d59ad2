/* A forced instruction set gives the table of that set, whose loops come from the object compiled for it. */
#include <stdio.h>

#include "tests/unit/kernels.h"

#define TABLES(suffix)                                                                                                 \
    WR_KERNEL_FAMILIES(TABLE_##suffix)                                                                                 \
    extern const wr_kernels wr_kernels_table_##suffix;
#define TABLE_base(name) extern const struct wr_##name##_kernels wr_##name##_kernels_base;
#define TABLE_v3(name) extern const struct wr_##name##_kernels wr_##name##_kernels_v3;
#define TABLE_v4(name) extern const struct wr_##name##_kernels wr_##name##_kernels_v4;

TABLES(base)
#define CHECK_base(name) WR_CHECK(k->name == &wr_##name##_kernels_base);
#if defined(__x86_64__)
TABLES(v3)
TABLES(v4)
#define CHECK_v3(name) WR_CHECK(k->name == &wr_##name##_kernels_v3);
#define CHECK_v4(name) WR_CHECK(k->name == &wr_##name##_kernels_v4);
#endif

/* The first member of every family's table is a function (or an array of them). */
static const void *first_loop(const void *table) {
    const void *loop;
    memcpy(&loop, table, sizeof loop);
    return loop;
}

WR_TEST(kernel_dispatch, a_forced_isa_is_that_isa) {
    EACH_ISA(k) {
        WR_CHECK_EQ_INT(k->isa, isa_);
        switch ((wr_isa)isa_) {
        case WR_ISA_BASE: WR_KERNEL_FAMILIES(CHECK_base) break;
#if defined(__x86_64__)
        case WR_ISA_V3: WR_KERNEL_FAMILIES(CHECK_v3) break;
        case WR_ISA_V4: WR_KERNEL_FAMILIES(CHECK_v4) break;
#endif
        default: wr_test_fail(__FILE__, __LINE__, "instruction set %d is not one of this build", isa_); break;
        }
    }
}

WR_TEST(kernel_dispatch, loops_are_each_isas_own) {
    for (int a = 0; a < WR_ISA_COUNT; a++) {
        const wr_kernels *first = wr_kernels_select((wr_isa)a);
        if (!first) printf("instruction set %s: absent here\n", wr_isa_name((wr_isa)a));
        for (int b = a + 1; first && b < WR_ISA_COUNT; b++) {
            const wr_kernels *second = wr_kernels_select((wr_isa)b);
            if (second) WR_CHECK(first_loop(first->bits) != first_loop(second->bits));
        }
    }
}

WR_TEST(kernel_dispatch, the_best_is_what_the_cpu_has) {
    WR_CHECK(wr_kernels_best() == wr_kernels_select(wr_cpu_isa()));
    WR_CHECK(wr_kernels_select(WR_ISA_BASE) != NULL);
    WR_CHECK(wr_kernels_select(WR_ISA_COUNT) == NULL);
    for (int isa = (int)wr_cpu_isa() + 1; isa < WR_ISA_COUNT; isa++) WR_CHECK(wr_kernels_select((wr_isa)isa) == NULL);
}
