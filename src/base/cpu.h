/* What the processor can do, found once. */
#ifndef WR_BASE_CPU_H
#define WR_BASE_CPU_H

#include "base/status.h"

/* Levels in rising order; a level implies those before it on its architecture. */
typedef enum wr_isa {
    WR_ISA_BASE, /* what all the code is compiled for: x86-64-v2, AArch64 with NEON */
    WR_ISA_V3,   /* AVX2, BMI2 */
    WR_ISA_V4,   /* AVX-512 F, BW, CD, DQ, VL */
    WR_ISA_COUNT
} wr_isa;

wr_isa wr_cpu_isa(void);
const char *wr_isa_name(wr_isa isa);              /* "base", "v3", "v4" */
bool wr_isa_parse(const char *name, wr_isa *out); /* "auto" is the caller's business */
unsigned wr_cpu_count(void);                      /* processors this process may use */

#endif
