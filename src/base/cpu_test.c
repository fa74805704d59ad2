#include "base/cpu.h"

#include "tests/unit/test.h"

WR_TEST(cpu, names_go_both_ways) {
    for (int i = 0; i < WR_ISA_COUNT; i++) {
        wr_isa isa;
        WR_CHECK(wr_isa_parse(wr_isa_name((wr_isa)i), &isa) && isa == (wr_isa)i);
    }
    wr_isa isa = WR_ISA_V3;
    WR_CHECK(!wr_isa_parse("v5", &isa) && !wr_isa_parse("auto", &isa) && isa == WR_ISA_V3);
}

WR_TEST(cpu, the_level_agrees_with_the_compiler) {
    wr_isa isa = wr_cpu_isa();
    WR_CHECK(isa == wr_cpu_isa() && isa < WR_ISA_COUNT);
#if defined(__x86_64__)
    bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("fma");
    bool v4 = v3 && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd");
    WR_CHECK_EQ_INT(isa, v4 ? WR_ISA_V4 : v3 ? WR_ISA_V3 : WR_ISA_BASE);
#else
    WR_CHECK_EQ_INT(isa, WR_ISA_BASE);
#endif
}

WR_TEST(cpu, there_is_a_processor) {
    WR_CHECK(wr_cpu_count() >= 1 && wr_cpu_count() < 100000);
}
