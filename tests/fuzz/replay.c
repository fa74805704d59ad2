/* Runs a fuzz target over the files it is given, or over a seeded stream of mutations of them:
 *
 *     fuzz_x [--mutate N] FILE…
 *
 * A failure aborts. The last line is "N passed, N failed", a file being one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX_BYTES = 1 << 20 };

static uint64_t state = 0x9e3779b97f4a7c15u;

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

static int replay(const char *path, long mutations) {
    static uint8_t data[INPUT_MAX_BYTES], changed[2 * INPUT_MAX_BYTES];
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 1;
    }
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    run_input(data, size);
    for (long i = 0; i < mutations; i++) {
        memcpy(changed, data, size);
        run_input(changed, mutate(changed, size, size * 2 + 64));
    }
    return 0;
}

int main(int argc, char **argv) {
    int passed = 0, failed = 0;
    long mutations = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--mutate") == 0 && i + 1 < argc) {
            mutations = strtol(argv[++i], NULL, 10);
        } else if (replay(argv[i], mutations) == 0) {
            passed++;
        } else {
            failed++;
        }
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
