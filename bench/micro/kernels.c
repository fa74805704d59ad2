/* Nanoseconds a row of the kernels, one column an instruction set.
 *
 *     bench_kernels [SUBSTRING...]
 *
 * Every case runs on 2,048 rows that stay in the first-level cache; the best of many repetitions is shown, as the
 * machine's other work only ever adds. A case is one line in a cases_*.h file: its name and the call. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernel/arith.h"
#include "kernel/bits.h"
#include "kernel/cast.h"
#include "kernel/compare.h"
#include "kernel/hash.h"
#include "kernel/kernel.h"
#include "kernel/reduce.h"
#include "kernel/select.h"
#include "kernel/text.h"

enum { ROWS = 2048, SLACK = 64, TEXT_BYTES = 1 << 16, GROUPS = 16, STATE_BYTES = 256 };

typedef struct inputs {
    uint64_t words[ROWS * 2 + SLACK]; /* random bits, read as any type */
    uint64_t other[ROWS * 2 + SLACK]; /* others */
    int64_t small[ROWS + SLACK];      /* below 2^31, so that products fit */
    wr_int128 i128[ROWS + SLACK];     /* below 2^60 */
    int64_t codes64[ROWS + SLACK];    /* below 1,000 */
    double f64[ROWS + SLACK];         /* prices */
    float f32[ROWS + SLACK];
    int32_t i32[ROWS + SLACK];
    uint64_t bits[ROWS / 64 + SLACK];    /* half are set */
    uint64_t dense[ROWS / 64 + SLACK];   /* 31 of 32 are set */
    uint64_t sparse[ROWS / 64 + SLACK];  /* 1 of 32 is set */
    uint64_t entries[1 << 14];           /* a bitmap of a dictionary */
    uint32_t codes_small[ROWS + SLACK];  /* below 1,000 */
    uint32_t codes_large[ROWS + SLACK];  /* below 4,000 */
    uint32_t groups[ROWS + SLACK];       /* below GROUPS */
    uint32_t groups_4[ROWS + SLACK];     /* below 4 */
    uint32_t group_one[ROWS + SLACK];    /* 0 */
    uint32_t group_runs[ROWS + SLACK];   /* the same group many times in a row */
    uint16_t rows[ROWS + SLACK];         /* rising, every second */
    wr_string_view views[ROWS + SLACK];  /* 32 bytes each, back to back */
    wr_string_view others[ROWS + SLACK]; /* equal text elsewhere */
    char text[TEXT_BYTES + SLACK];       /* ASCII words */
    char text_copy[TEXT_BYTES + SLACK];
    char text_cyrillic[TEXT_BYTES + SLACK];
    wr_string_view apart[ROWS + SLACK]; /* every text followed by one from elsewhere */
    uint8_t states[GROUPS * STATE_BYTES + SLACK];
    uint64_t out[ROWS * 2 + SLACK * 8];
    uint64_t out_bits[ROWS / 64 + SLACK];
} inputs;

static inputs x;
static volatile uint64_t sink;

static uint64_t random_next(void) {
    static uint64_t state = 42;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void fill_text(void) {
    static const char *const words[] = {"furiously ", "packages ", "quick ", "deposits ", "sleep ", "ironic "};
    for (size_t at = 0; at < TEXT_BYTES;) {
        const char *word = words[random_next() % WR_COUNT_OF(words)];
        for (; *word && at < TEXT_BYTES; word++) x.text[at++] = *word;
    }
    memcpy(x.text_copy, x.text, TEXT_BYTES);
    for (size_t at = 0; at < TEXT_BYTES; at++) x.text_cyrillic[at] = at % 2 ? '\xb6' : '\xd0';
    for (uint32_t i = 0; i < ROWS; i++) {
        x.views[i] = wr_view_make(x.text + i * 32, 32);
        x.others[i] = wr_view_make(x.text_copy + i * 32, 32);
        x.apart[i] = i % 2 ? x.others[i] : x.views[i];
    }
}

static void fill(void) {
    for (uint32_t i = 0; i < ROWS * 2; i++) {
        x.words[i] = random_next();
        x.other[i] = random_next();
    }
    for (uint32_t i = 0; i < ROWS; i++) {
        x.small[i] = (int64_t)(random_next() >> 34);
        x.i128[i] = (wr_int128)(random_next() >> 4);
        x.codes64[i] = (int64_t)(random_next() % 1000);
        x.i32[i] = (int32_t)random_next() >> 2;
        x.f64[i] = (double)(random_next() % 10000000) / 100.0;
        x.f32[i] = (float)x.f64[i];
        x.codes_small[i] = (uint32_t)(random_next() % 1000);
        x.codes_large[i] = (uint32_t)(random_next() % 4000);
        x.groups[i] = (uint32_t)(random_next() % GROUPS);
        x.groups_4[i] = (uint32_t)(random_next() % 4);
        x.group_runs[i] = i / 100 % GROUPS;
        x.rows[i] = (uint16_t)i;
    }
    for (uint32_t i = 0; i < ROWS / 64; i++) {
        x.bits[i] = random_next();
        x.sparse[i] = random_next() & random_next() & random_next() & random_next() & random_next();
        x.dense[i] = ~x.sparse[i];
    }
    for (uint32_t i = 0; i < WR_COUNT_OF(x.entries); i++) x.entries[i] = random_next();
    fill_text();
}

typedef struct bench_case {
    const char *name;
    uint64_t units; /* a call works on */
    void (*run)(const wr_kernels *k);
} bench_case;

#define CASE(id, label, units, call)                                                                                   \
    static void run_##id(const wr_kernels *k) {                                                                        \
        call;                                                                                                          \
    }
#include "bench/micro/kernel_cases.h"

static const bench_case cases[] = {
#define CASE(id, label, units, call) {label, units, run_##id},
#include "bench/micro/kernel_cases.h"
};

static double now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static double measure(const bench_case *one, const wr_kernels *k) {
    enum { CALLS = 20, REPETITIONS = 200 };
    double best = 1e18;
    for (unsigned repetition = 0; repetition < REPETITIONS; repetition++) {
        double start = now_ns();
        for (unsigned call = 0; call < CALLS; call++) {
            one->run(k);
            __asm__ volatile("" ::: "memory");
        }
        double spent = (now_ns() - start) / CALLS / (double)one->units;
        if (spent < best) best = spent;
    }
    return best;
}

static bool wanted(const char *name, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (strstr(name, argv[i])) return true;
    }
    return argc == 1;
}

int main(int argc, char **argv) {
    fill();
    printf("%-44s", "ns a row (text: ns a byte)");
    for (unsigned isa = 0; isa < WR_ISA_COUNT; isa++) {
        if (wr_kernels_select((wr_isa)isa)) printf("%9s", wr_isa_name((wr_isa)isa));
    }
    printf("\n");
    for (unsigned i = 0; i < WR_COUNT_OF(cases); i++) {
        if (!wanted(cases[i].name, argc, argv)) continue;
        printf("%-44s", cases[i].name);
        for (unsigned isa = 0; isa < WR_ISA_COUNT; isa++) {
            const wr_kernels *k = wr_kernels_select((wr_isa)isa);
            if (k) printf("%9.3f", measure(&cases[i], k));
        }
        printf("\n");
    }
    return 0;
}
