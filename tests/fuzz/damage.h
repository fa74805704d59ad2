/* Damages a Parquet file as disks, networks and ill will do: bits, bytes, runs that are lost, repeated or from
 * elsewhere, numbers that are too large; in the footer as often as in the pages, which take more room. */
#ifndef WR_TESTS_FUZZ_DAMAGE_H
#define WR_TESTS_FUZZ_DAMAGE_H

#include <stdint.h>
#include <string.h>

enum { DAMAGE_RUN_MAX = 64, DAMAGE_TAIL = 8 }; /* the tail: footer length, magic */

typedef struct damage_place {
    size_t at, run; /* run: how many bytes there are from `at` on, at most DAMAGE_RUN_MAX */
} damage_place;

static inline uint32_t damage_random(uint64_t *state, uint64_t below) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return below ? (uint32_t)((*state >> 32) % below) : 0;
}

static inline damage_place damage_pick(const uint8_t *data, size_t size, uint64_t *random) {
    uint32_t footer = 0;
    size_t first = 0, last = size;
    if (size > DAMAGE_TAIL) memcpy(&footer, data + size - DAMAGE_TAIL, sizeof footer);
    if (damage_random(random, 2) && footer > 0 && footer < size - DAMAGE_TAIL) first = size - DAMAGE_TAIL - footer;
    damage_place p = {first + damage_random(random, last - first), 1 + damage_random(random, DAMAGE_RUN_MAX)};
    if (p.run > size - p.at) p.run = size - p.at;
    return p;
}

static inline void damage_number(uint8_t *at, size_t room, uint64_t *random) {
    static const uint32_t numbers[] = {0, 1, 2, 255, 0x7fffffff, 0x80000000, 0xffffffff, 0x10000};
    static const uint8_t varints[][5] = {{0xff, 0xff, 0xff, 0xff, 0x0f},
                                         {0xfe, 0xff, 0xff, 0xff, 0x0f},
                                         {0x80, 0x80, 0x80, 0x01, 0x00},
                                         {0x80, 0x80, 0x04, 0x00, 0x00}};
    uint32_t number = numbers[damage_random(random, 8)];
    if (damage_random(random, 2)) number = damage_random(random, 1 << damage_random(random, 31));
    const void *bytes =
        damage_random(random, 2) ? (const void *)varints[damage_random(random, 4)] : (const void *)&number;
    memcpy(at, bytes, room < 4 ? room : 4);
}

/* Bytes of `size` are changed in place, where there is room for `capacity`; returns the new size. */
static inline size_t damage(uint8_t *data, size_t size, size_t capacity, uint64_t seed) {
    static const uint8_t bytes[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
    uint64_t random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t rounds = 1 + damage_random(&random, 3); rounds > 0 && size > 0; rounds--) {
        damage_place p = damage_pick(data, size, &random), from = damage_pick(data, size, &random);
        uint8_t *at = data + p.at;
        switch (damage_random(&random, 9)) {
        case 0:
        case 1: *at ^= (uint8_t)(1 << damage_random(&random, 8)); break;
        case 2: *at = bytes[damage_random(&random, sizeof bytes)]; break;
        case 3: *at = (uint8_t)damage_random(&random, 256); break;
        case 4: damage_number(at, p.run, &random); break;
        case 5: memmove(at, data + from.at, p.run < from.run ? p.run : from.run); break;
        case 6: /* lost */
            memmove(at, at + p.run, size - p.at - p.run);
            size -= p.run;
            break;
        case 7: /* repeated */
            if (size + p.run > capacity) break;
            memmove(at + p.run, at, size - p.at);
            size += p.run;
            break;
        default: /* the end is missing, or the number before the magic is another */
            if (damage_random(&random, 2)) {
                size = p.at;
            } else if (size > DAMAGE_TAIL) {
                damage_number(data + size - DAMAGE_TAIL, 4, &random);
            }
        }
    }
    return size;
}

#endif
