/* The random numbers of the fuzz targets: the same from the same seed, everywhere. */
#ifndef WR_TESTS_FUZZ_RANDOM_H
#define WR_TESTS_FUZZ_RANDOM_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t random_start(uint64_t seed) {
    return (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

/* 0 when there is nothing below. */
static inline uint32_t random_below(uint64_t *state, uint64_t below) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return below ? (uint32_t)((*state >> 32) % below) : 0;
}

#endif
