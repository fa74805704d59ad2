/* How the entries of a join's hash table lie, and what a look into it costs: docs/decisions/0008-join-index.md.
 *
 *     bench_join_layout [ROWS...]
 *
 * Keys are unique and random. Each layout takes probe keys a window at a time, prefetches what it can of the window,
 * and gives the row number of each key that is there. Shown are nanoseconds a probe, the best of five passes over two
 * million probes, when all and when one in twenty match, and the bytes of a build row.
 *
 *   unchained   entries in the order of their slots, a directory of places and 16-bit bloom filters (kernel/join.h)
 *   chained     a directory of first entries, each entry leads to the next
 *   linear      open addressing, at most half full, keys beside row numbers */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/join.h"
#include "os/os.h"

enum { WINDOW = WR_JOIN_WINDOW, PROBES = 2 << 20, PASSES = 5, NONE = -1 };

typedef struct __attribute__((packed)) entry {
    uint64_t key;
    uint32_t row;
} entry;

typedef struct chained_entry {
    uint64_t key;
    int32_t row, next;
} chained_entry;

typedef struct table {
    uint64_t count, mask;
    wr_join_directory directory;
    uint64_t *slots;
    entry *entries;
    int32_t *heads;
    chained_entry *chained;
    chained_entry *open; /* row NONE: free */
    uint64_t open_mask;
} table;

typedef uint64_t (*probe)(const table *t, const wr_join_kernels *k, const uint64_t *keys, const uint64_t *hashes);

static void *take(size_t bytes) {
    void *memory = calloc(1, bytes);
    if (!memory) exit(1);
    return memory;
}

static uint64_t random_u64(void) {
    static uint64_t state = 88172645463325252;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* ---- building: as simple as can be, it is not measured ---- */

static void build_unchained(table *t, const uint64_t *keys, const uint64_t *hashes) {
    unsigned bits = (unsigned)__builtin_popcountll(t->mask);
    t->slots = take((t->mask + 2) * sizeof *t->slots);
    t->entries = take(t->count * sizeof *t->entries + 64);
    for (uint64_t i = 0; i < t->count; i++) t->slots[(hashes[i] & t->mask) + 1] += UINT64_C(1) << 16;
    for (uint64_t s = 0; s <= t->mask; s++) t->slots[s + 1] += t->slots[s];
    uint64_t *at = take((t->mask + 1) * sizeof *at);
    for (uint64_t s = 0; s <= t->mask; s++) at[s] = t->slots[s] >> 16;
    for (uint64_t i = 0; i < t->count; i++) {
        uint64_t slot = hashes[i] & t->mask;
        t->entries[at[slot]++] = (entry){keys[i], (uint32_t)i};
        t->slots[slot] |= wr_join_tag(hashes[i], bits);
    }
    free(at);
    t->directory = (wr_join_directory){t->slots, t->mask, bits, sizeof(entry), (const uint8_t *)t->entries};
}

static void build_others(table *t, const uint64_t *keys, const uint64_t *hashes) {
    t->heads = take((t->mask + 1) * sizeof *t->heads);
    t->chained = take(t->count * sizeof *t->chained);
    t->open_mask = t->mask * 2 + 1;
    t->open = take((t->open_mask + 1) * sizeof *t->open);
    for (uint64_t s = 0; s <= t->mask; s++) t->heads[s] = NONE;
    for (uint64_t s = 0; s <= t->open_mask; s++) t->open[s].row = NONE;
    for (uint64_t i = 0; i < t->count; i++) {
        int32_t *head = &t->heads[hashes[i] & t->mask];
        t->chained[i] = (chained_entry){keys[i], (int32_t)i, *head};
        *head = (int32_t)i;
        uint64_t slot = hashes[i] & t->open_mask;
        while (t->open[slot].row != NONE) slot = (slot + 1) & t->open_mask;
        t->open[slot] = (chained_entry){keys[i], (int32_t)i, 0};
    }
}

/* ---- probing a window: the sum of row numbers ---- */

static uint64_t probe_unchained(const table *t, const wr_join_kernels *k, const uint64_t *keys,
                                const uint64_t *hashes) {
    uint16_t rows[WINDOW + 64], found[WINDOW + 64];
    uint32_t begin[WINDOW + 64], end[WINDOW + 64], ids[WINDOW + 64];
    wr_join_candidates c = {.rows = rows, .begin = begin, .end = end};
    k->candidates(&t->directory, hashes, WINDOW, 0, &c);
    uint32_t count = k->match_first[0](&t->directory, keys, NULL, &c, 0, found, ids);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) sum += ids[i];
    return sum;
}

static uint64_t probe_chained(const table *t, const wr_join_kernels *k, const uint64_t *keys, const uint64_t *hashes) {
    (void)k;
    int32_t at[WINDOW];
    uint64_t sum = 0;
    for (uint32_t i = 0; i < WINDOW; i++) __builtin_prefetch(&t->heads[hashes[i] & t->mask]);
    for (uint32_t i = 0; i < WINDOW; i++) {
        at[i] = t->heads[hashes[i] & t->mask];
        if (at[i] != NONE) __builtin_prefetch(&t->chained[at[i]]);
    }
    for (uint32_t i = 0; i < WINDOW; i++) {
        int32_t e = at[i];
        while (e != NONE && t->chained[e].key != keys[i]) e = t->chained[e].next;
        if (e != NONE) sum += (uint32_t)t->chained[e].row;
    }
    return sum;
}

static uint64_t probe_linear(const table *t, const wr_join_kernels *k, const uint64_t *keys, const uint64_t *hashes) {
    (void)k;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < WINDOW; i++) __builtin_prefetch(&t->open[hashes[i] & t->open_mask]);
    for (uint32_t i = 0; i < WINDOW; i++) {
        uint64_t slot = hashes[i] & t->open_mask;
        while (t->open[slot].row != NONE && t->open[slot].key != keys[i]) slot = (slot + 1) & t->open_mask;
        if (t->open[slot].row != NONE) sum += (uint32_t)t->open[slot].row;
    }
    return sum;
}

/* ---- measuring ---- */

static double measure(const table *t, const wr_join_kernels *k, probe run, const uint64_t *keys, uint64_t *sum) {
    double best = 1e18;
    uint64_t hashes[WINDOW];
    for (int pass = 0; pass < PASSES; pass++) {
        int64_t started = wr_clock_thread_cpu_ns();
        *sum = 0;
        for (uint32_t first = 0; first < PROBES; first += WINDOW) {
            k->hash(keys + first, NULL, WINDOW, hashes);
            *sum += run(t, k, keys + first, hashes);
        }
        double ns = (double)(wr_clock_thread_cpu_ns() - started) / PROBES;
        if (ns < best) best = ns;
    }
    return best;
}

static void compare(uint64_t rows, const wr_join_kernels *k) {
    static const struct {
        const char *name;
        probe run;
    } layouts[] = {{"unchained", probe_unchained}, {"chained", probe_chained}, {"linear", probe_linear}};
    table t = {.count = rows, .mask = 1};
    while (t.mask + 1 < rows) t.mask = t.mask * 2 + 1;
    uint64_t *keys = take((rows + 64) * sizeof *keys), *hashes = take((rows + 64) * sizeof *hashes);
    uint64_t *all = take(PROBES * sizeof *all), *few = take(PROBES * sizeof *few);
    for (uint64_t i = 0; i < rows; i++) keys[i] = random_u64();
    for (uint64_t i = 0; i < rows; i += 1024)
        k->hash(keys + i, NULL, rows - i < 1024 ? (uint32_t)(rows - i) : 1024, hashes + i);
    for (uint32_t i = 0; i < PROBES; i++) {
        all[i] = keys[random_u64() % rows];
        few[i] = i % 20 ? random_u64() : all[i];
    }
    build_unchained(&t, keys, hashes);
    build_others(&t, keys, hashes);
    double slots = (double)(t.mask + 1) / (double)rows;
    const double bytes[] = {sizeof(entry) + 8 * slots, sizeof(chained_entry) + 4 * slots,
                            2 * sizeof(chained_entry) * slots};
    uint64_t first_sums[2] = {0};
    for (size_t l = 0; l < WR_COUNT_OF(layouts); l++) {
        uint64_t sums[2];
        double ns_all = measure(&t, k, layouts[l].run, all, &sums[0]),
               ns_few = measure(&t, k, layouts[l].run, few, &sums[1]);
        if (l == 0) memcpy(first_sums, sums, sizeof sums);
        bool same = memcmp(first_sums, sums, sizeof sums) == 0;
        printf("%9" PRIu64 " rows  %-10s all match %6.2f ns   1 of 20 %6.2f ns   %5.1f bytes a row%s\n", rows,
               layouts[l].name, ns_all, ns_few, bytes[l], same ? "" : "   DIFFERS");
    }
    void *const memory[] = {keys, hashes, all, few, t.slots, t.entries, t.heads, t.chained, t.open};
    for (size_t i = 0; i < WR_COUNT_OF(memory); i++) free(memory[i]);
}

int main(int argc, char **argv) {
    static const uint64_t usual[] = {10000, 100000, 1000000, 10000000};
    const wr_join_kernels *k = wr_kernels_best()->join;
    for (int i = 1; i < argc; i++) compare(strtoull(argv[i], NULL, 10), k);
    for (size_t i = 0; argc == 1 && i < WR_COUNT_OF(usual); i++) compare(usual[i], k);
    return 0;
}
