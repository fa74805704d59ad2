/* Finding the instruction set: the processor must have the level's features, and the system must save the registers
 * (XCR0), or using them traps. */
#include "base/cpu.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>

static bool has_all(unsigned value, unsigned bits) {
    return (value & bits) == bits;
}

static wr_isa find_isa(void) {
    enum { FMA = 1u << 12, MOVBE = 1u << 22, OSXSAVE = 1u << 27, AVX = 1u << 28, F16C = 1u << 29 };
    enum { BMI1 = 1u << 3, AVX2 = 1u << 5, BMI2 = 1u << 8 };
    enum { AVX512F = 1u << 16, AVX512DQ = 1u << 17, AVX512CD = 1u << 28, AVX512BW = 1u << 30 };
    const unsigned avx512vl = 1u << 31;
    enum { LZCNT = 1u << 5 };
    enum { XCR0_YMM = 6, XCR0_ZMM = 6 | 0xe0 };
    unsigned a, b, c, d, features, extended;
    if (!__get_cpuid(1, &a, &b, &features, &d) || !has_all(features, FMA | MOVBE | OSXSAVE | AVX | F16C)) {
        return WR_ISA_BASE;
    }
    if (!__get_cpuid(0x80000001, &a, &b, &extended, &d) || !has_all(extended, LZCNT)) return WR_ISA_BASE;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !has_all(b, BMI1 | AVX2 | BMI2)) return WR_ISA_BASE;
    unsigned xcr0, xcr0_high;
    __asm__("xgetbv" : "=a"(xcr0), "=d"(xcr0_high) : "c"(0));
    if (!has_all(xcr0, XCR0_YMM)) return WR_ISA_BASE;
    if (!has_all(xcr0, XCR0_ZMM) || !has_all(b, AVX512F | AVX512DQ | AVX512CD | AVX512BW | avx512vl)) {
        return WR_ISA_V3;
    }
    return WR_ISA_V4;
}
#else
static wr_isa find_isa(void) {
    return WR_ISA_BASE;
}
#endif

/* Threads that come at the same time find the same, so a plain cache will do. */
wr_isa wr_cpu_isa(void) {
    static _Atomic int found = -1;
    int isa = __atomic_load_n((int *)&found, __ATOMIC_RELAXED);
    if (isa < 0) {
        isa = find_isa();
        __atomic_store_n((int *)&found, isa, __ATOMIC_RELAXED);
    }
    return (wr_isa)isa;
}

static const char *const isa_names[WR_ISA_COUNT] = {"base", "v3", "v4"};

const char *wr_isa_name(wr_isa isa) {
    return isa_names[isa];
}

bool wr_isa_parse(const char *name, wr_isa *out) {
    for (int i = 0; i < WR_ISA_COUNT; i++) {
        if (strcmp(name, isa_names[i]) == 0) {
            *out = (wr_isa)i;
            return true;
        }
    }
    return false;
}

/* The processors that the control group's quota pays for ("max 100000" or "150000 100000"), rounded up; 0: no limit.
 * A container sees its own group at this place. */
static unsigned quota_count(void) {
    int fd = open("/sys/fs/cgroup/cpu.max", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    char text[64] = {0};
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    unsigned long long quota, period;
    if (size <= 0 || sscanf(text, "%llu %llu", &quota, &period) != 2 || period == 0) return 0;
    return (unsigned)((quota + period - 1) / period);
}

unsigned wr_cpu_count(void) {
    cpu_set_t set;
    unsigned count = 0;
    if (sched_getaffinity(0, sizeof set, &set) == 0) count = (unsigned)CPU_COUNT(&set);
    if (count == 0) {
        long online = sysconf(_SC_NPROCESSORS_ONLN);
        count = online > 0 ? (unsigned)online : 1;
    }
    unsigned quota = quota_count();
    return quota > 0 && quota < count ? quota : count;
}
