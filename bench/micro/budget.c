/* What it costs to count memory: docs/decisions/0010-budgets.md.
 *
 *     bench_budget
 *
 * Nanoseconds of an allocation and its free, with one and two threads, the best of several passes: from the system's
 * allocator, from a budget of its own at the end of a chain of four (process, database, query, operator), and from one
 * whose every reservation walks to the root, as it would without strides. */
#include <stdio.h>
#include <stdlib.h>

#include "base/budget.h"
#include "os/os.h"

enum { THREADS_MAX = 2, PASSES = 60, CALLS = 200000, HELD = 16, DEPTH = 4 };

typedef struct job {
    wr_allocator *allocator;
    wr_budget *walks; /* reserves a stride and one byte more for each allocation: never from its own slack */
    size_t size_bytes;
    _Atomic uint32_t *waiting; /* threads that have not begun */
    double ns;
} job;

static void run(void *user) {
    job *j = user;
    void *held[HELD] = {NULL};
    for (--*j->waiting; *j->waiting;) {}
    int64_t started = wr_clock_monotonic_ns();
    for (uint32_t i = 0; i < CALLS; i++) {
        void **slot = &held[i % HELD];
        wr_free(j->allocator, *slot, j->size_bytes);
        if (j->walks) {
            if (wr_budget_reserve(j->walks, WR_BUDGET_STRIDE + 1, NULL) != WR_OK) exit(1);
            wr_budget_release(j->walks, WR_BUDGET_STRIDE + 1);
        }
        *slot = wr_alloc(j->allocator, j->size_bytes);
        if (!*slot) exit(1);
    }
    j->ns = (double)(wr_clock_monotonic_ns() - started) / CALLS;
    for (uint32_t i = 0; i < HELD; i++) wr_free(j->allocator, held[i], j->size_bytes);
}

/* The slower of the threads, in the best of the passes. */
static double measure(job *jobs, uint32_t thread_count) {
    double best = 1e18;
    for (int pass = 0; pass < PASSES; pass++) {
        wr_thread *threads[THREADS_MAX];
        _Atomic uint32_t waiting = thread_count;
        double slowest = 0;
        wr_error err;
        for (uint32_t i = 0; i < thread_count; i++) {
            jobs[i].waiting = &waiting;
            if (wr_thread_start(&threads[i], wr_system_allocator(), "bench", run, &jobs[i], &err) != WR_OK) exit(1);
        }
        for (uint32_t i = 0; i < thread_count; i++) {
            wr_thread_join(threads[i]);
            if (jobs[i].ns > slowest) slowest = jobs[i].ns;
        }
        if (slowest < best) best = slowest;
    }
    return best;
}

static void compare(size_t size_bytes, uint32_t thread_count) {
    wr_allocator *system = wr_system_allocator();
    wr_error err;
    wr_budget *chain[DEPTH] = {NULL}, *leaves[THREADS_MAX];
    for (uint32_t i = 0; i + 1 < DEPTH; i++) {
        if (wr_budget_create(&chain[i], i ? chain[i - 1] : NULL, system, "bench", (size_t)4 << 30, &err) != WR_OK)
            exit(1);
    }
    job jobs[3][THREADS_MAX] = {0};
    for (uint32_t i = 0; i < thread_count; i++) {
        if (wr_budget_create(&leaves[i], chain[DEPTH - 2], NULL, "operator", WR_BUDGET_NO_LIMIT, &err) != WR_OK)
            exit(1);
        jobs[0][i] = (job){.allocator = system, .size_bytes = size_bytes};
        jobs[1][i] = (job){.allocator = wr_budget_allocator(leaves[i]), .size_bytes = size_bytes};
        jobs[2][i] = (job){.allocator = system, .walks = leaves[i], .size_bytes = size_bytes};
    }
    double none = measure(jobs[0], thread_count), strides = measure(jobs[1], thread_count),
           walks = measure(jobs[2], thread_count);
    printf("%6zu bytes, %u thread%s   uncounted %6.1f ns   budget %6.1f ns   budget, walking to the root %6.1f ns\n",
           size_bytes, thread_count, thread_count > 1 ? "s" : " ", none, strides, walks);
    for (uint32_t i = 0; i < thread_count; i++) wr_budget_close(leaves[i]);
    for (uint32_t i = DEPTH - 1; i-- > 0;) wr_budget_close(chain[i]);
}

int main(void) {
    static const size_t sizes[] = {64, 4096};
    for (size_t i = 0; i < WR_COUNT_OF(sizes); i++) {
        for (uint32_t threads = 1; threads <= THREADS_MAX; threads++) compare(sizes[i], threads);
    }
    return 0;
}
