/* Runs a fuzz target over the files it is given, or over a seeded stream of mutations of them:
 *
 *     fuzz_x [--seed S] [--mutate N | --damage N] FILE…
 *
 * --mutate changes text, --damage a Parquet file; the nth of a file is the same whatever was run before it, and --nth I
 * runs that one alone. A failure aborts, and says which one it was; what takes too long is one. The last line is
 * "N passed, N failed", a file being one. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "tests/fuzz/damage.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX_BYTES = 1 << 20, SECONDS_MAX = 30 };

static uint64_t state;

static uint32_t next_random(uint32_t below) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 32) % below);
}

/* Changes, removes, repeats or swaps a few runs of bytes; returns the new size, at most twice the old one and 64. */
static size_t mutate(uint8_t *data, size_t size, size_t capacity) {
    static const char pieces[] = "()[]{}'\",;.:*-+=<>|~!@%^&?$\\ \n_0159aEx";
    for (uint32_t rounds = 1 + next_random(4); rounds > 0; rounds--) {
        size_t at = size ? next_random((uint32_t)size) : 0, run = 1 + next_random(8);
        if (run > size - at) run = size - at;
        switch (next_random(5)) {
        case 0:
            if (size) data[at] = (uint8_t)next_random(256);
            break;
        case 1:
            if (size) data[at] = (uint8_t)pieces[next_random(sizeof pieces - 1)];
            break;
        case 2:
            memmove(data + at, data + at + run, size - at - run);
            size -= run;
            break;
        case 3:
            if (size + run > capacity) break;
            memmove(data + at + run, data + at, size - at);
            size += run;
            break;
        default:
            if (size + 1 > capacity) break;
            memmove(data + at + 1, data + at, size - at);
            data[at] = (uint8_t)pieces[next_random(sizeof pieces - 1)];
            size++;
        }
    }
    return size;
}

/* Each run gets a block of its own size, so that the sanitizer sees a read behind its end. */
static void run_input(const uint8_t *data, size_t size) {
    wr_allocator *heap = wr_system_allocator();
    size_t block_bytes = size ? size : 1;
    uint8_t *copy = wr_alloc(heap, block_bytes);
    if (!copy) abort();
    if (size) memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    wr_free(heap, copy, block_bytes);
}

/* What runs, for the signal that ends it. */
static char going_on[512];

static void on_signal(int signal_number) {
    const char *what = signal_number == SIGALRM ? ": takes too long\n" : ": fails\n";
    ssize_t put = write(STDERR_FILENO, going_on, strlen(going_on));
    put += write(STDERR_FILENO, what, strlen(what));
    _exit(put > 0 ? 3 : 4);
}

/* There in builds with a sanitizer alone. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void on_death(void) {
    fprintf(stderr, "%s: fails\n", going_on);
}

typedef struct options {
    uint64_t seed;
    long mutations, nth; /* nth < 0: all */
    bool is_binary;
} options;

static void run_mutation(const options *o, const uint8_t *data, size_t size, long nth) {
    static uint8_t changed[2 * INPUT_MAX_BYTES + 64];
    memcpy(changed, data, size);
    uint64_t seed = (o->seed << 32) + (uint64_t)nth;
    state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    size_t capacity = size * 2 + 64;
    run_input(changed, o->is_binary ? damage(changed, size, capacity, seed) : mutate(changed, size, capacity));
}

static int replay(const char *path, const options *o) {
    static uint8_t data[INPUT_MAX_BYTES];
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 1;
    }
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    snprintf(going_on, sizeof going_on, "%s", path);
    alarm(SECONDS_MAX);
    if (o->nth < 0) run_input(data, size);
    for (long i = o->nth < 0 ? 0 : o->nth; i < (o->nth < 0 ? o->mutations : o->nth + 1); i++) {
        snprintf(going_on, sizeof going_on, "%s, --seed %llu --nth %ld", path, (unsigned long long)o->seed, i);
        alarm(SECONDS_MAX);
        run_mutation(o, data, size, i);
    }
    return 0;
}

int main(int argc, char **argv) {
    int passed = 0, failed = 0;
    options o = {.nth = -1};
    signal(SIGALRM, on_signal);
    signal(SIGABRT, on_signal);
    if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(on_death);
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (more && (strcmp(argv[i], "--mutate") == 0 || strcmp(argv[i], "--damage") == 0)) {
            o.is_binary = argv[i][2] == 'd';
            o.mutations = strtol(argv[++i], NULL, 10);
        } else if (more && strcmp(argv[i], "--seed") == 0) {
            o.seed = strtoull(argv[++i], NULL, 10);
        } else if (more && strcmp(argv[i], "--nth") == 0) {
            o.nth = strtol(argv[++i], NULL, 10);
        } else if (replay(argv[i], &o) == 0) {
            passed++;
        } else {
            failed++;
        }
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
