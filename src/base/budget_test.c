#include "base/budget.h"

#include <pthread.h>

#include "tests/unit/test.h"

enum { KB = 1024, MB = 1024 * 1024 };

static wr_budget *create(wr_budget *parent, const char *name, size_t limit) {
    wr_budget *b = NULL;
    WR_CHECK_OK(wr_budget_create(&b, parent, wr_test_allocator(), name, limit, NULL), NULL);
    return b;
}

/* ---- counting ---- */

WR_TEST(budget, counts_in_every_ancestor) {
    wr_budget *root = create(NULL, "process", WR_BUDGET_NO_LIMIT), *query = create(root, "query", 10 * MB);
    wr_budget *sort = create(query, "sort", WR_BUDGET_NO_LIMIT), *join = create(query, "join", WR_BUDGET_NO_LIMIT);
    wr_allocator *a = wr_budget_allocator(sort);
    void *small = wr_alloc(a, 100), *large = wr_alloc(a, MB);
    WR_CHECK_OK(wr_budget_reserve(join, 50, NULL), NULL);
    WR_CHECK_EQ_INT(wr_budget_used(sort), 100 + MB);
    WR_CHECK_EQ_INT(wr_budget_used(join), 50);
    WR_CHECK_EQ_INT(wr_budget_used(query), 150 + MB);
    WR_CHECK_EQ_INT(wr_budget_used(root), 150 + MB);
    small = wr_resize(a, small, 100, 200);
    WR_CHECK_EQ_INT(wr_budget_used(root), 250 + MB);
    small = wr_resize(a, small, 200, 10);
    WR_CHECK_EQ_INT(wr_budget_used(sort), 10 + MB);
    wr_free(a, small, 10);
    wr_free(a, large, MB);
    wr_budget_release(join, 50);
    WR_CHECK_EQ_INT(wr_budget_used(root), 0);
    WR_CHECK(wr_budget_peak(sort) >= 200 + MB && wr_budget_peak(sort) <= 200 + MB + 2 * WR_BUDGET_STRIDE);
    WR_CHECK(wr_budget_peak(root) <= 10 * MB);
    WR_CHECK(wr_budget_parent(sort) == query && !wr_budget_parent(root));
    WR_CHECK_EQ_STR(wr_budget_name(sort), "sort");
    wr_budget_close(sort);
    wr_budget_close(join);
    wr_budget_close(query);
    wr_budget_close(root);
}

WR_TEST(budget, small_allocations_stay_in_the_stride) {
    wr_budget *root = create(NULL, "process", WR_BUDGET_NO_LIMIT), *node = create(root, "node", WR_BUDGET_NO_LIMIT);
    WR_CHECK_OK(wr_budget_reserve(node, 100 * KB, NULL), NULL);
    WR_CHECK_OK(wr_budget_reserve(node, 16, NULL), NULL);
    size_t peak = wr_budget_peak(root);
    WR_CHECK_EQ_INT(peak, 100 * KB + WR_BUDGET_STRIDE);
    for (int i = 0; i < 1000; i++) WR_CHECK_OK(wr_budget_reserve(node, 16, NULL), NULL);
    WR_CHECK_EQ_INT(wr_budget_peak(root), peak);
    WR_CHECK_EQ_INT(wr_budget_used(root), 100 * KB + 16 * 1001);
    wr_budget_release(node, 16 * 1001);
    wr_budget_release(node, 100 * KB);
    WR_CHECK_EQ_INT(wr_budget_used(root), 0);
    wr_budget_close(node);
    wr_budget_close(root);
}

WR_TEST(budget, the_limit_holds_to_the_byte) {
    wr_budget *root = create(NULL, "process", WR_BUDGET_NO_LIMIT), *query = create(root, "query", 100 * KB);
    wr_budget *nodes[4];
    for (int i = 0; i < 4; i++) nodes[i] = create(query, "node", WR_BUDGET_NO_LIMIT);
    /* The strides of some are no reason to refuse others. */
    size_t reserved = 0;
    for (int i = 0; reserved + 100 <= 100 * KB; i++, reserved += 100) {
        WR_CHECK_OK(wr_budget_reserve(nodes[i % 4], 100, NULL), NULL);
    }
    WR_CHECK_EQ_INT(wr_budget_used(query), reserved);
    WR_CHECK_OK(wr_budget_reserve(nodes[0], 100 * KB - reserved, NULL), NULL);
    wr_error err;
    WR_CHECK_STATUS(wr_budget_reserve(nodes[1], 1, &err), WR_NO_MEMORY, &err);
    WR_CHECK(wr_budget_available(nodes[1]) == 0);
    WR_CHECK(wr_alloc(wr_budget_allocator(nodes[2]), 1) == NULL);
    WR_CHECK(wr_budget_peak(query) == 100 * KB);
    wr_budget_set_limit(query, 200 * KB);
    WR_CHECK_EQ_INT(wr_budget_limit(query), 200 * KB);
    WR_CHECK_EQ_INT(wr_budget_available(nodes[1]), 100 * KB);
    WR_CHECK_OK(wr_budget_reserve(nodes[1], 100 * KB, NULL), NULL);
    wr_budget_set_limit(query, 10 * KB);
    WR_CHECK_EQ_INT(wr_budget_available(nodes[1]), 0);
    wr_budget_release(nodes[1], 100 * KB);
    WR_CHECK_STATUS(wr_budget_reserve(nodes[1], 1, NULL), WR_NO_MEMORY, NULL);
    for (int i = 0; i < 4; i++) wr_budget_close(nodes[i]);
    wr_budget_close(query);
    /* What was reserved without a block and never released keeps the nodes; release it through the parents. */
    WR_CHECK_EQ_INT(wr_budget_used(root), 100 * KB);
    for (int i = 0; i < 4; i++) {
        size_t held = (reserved / 100 + 3 - (size_t)i) / 4 * 100 + (i == 0 ? 100 * KB - reserved : 0);
        wr_budget_release(nodes[i], held);
    }
    WR_CHECK_EQ_INT(wr_budget_used(root), 0);
    wr_budget_close(root);
}

WR_TEST(budget, a_refusal_names_who_and_what) {
    wr_budget *root = create(NULL, "process", 10 * MB), *sort = create(root, "sort", WR_BUDGET_NO_LIMIT);
    wr_budget *join = create(root, "hash join", WR_BUDGET_NO_LIMIT);
    wr_error err;
    WR_CHECK_OK(wr_budget_reserve(sort, 8 * MB, NULL), NULL);
    WR_CHECK_OK(wr_budget_reserve(join, MB, NULL), NULL);
    WR_CHECK_STATUS(wr_budget_reserve(join, 3 * MB, &err), WR_NO_MEMORY, &err);
    WR_CHECK_EQ_STR(err.message,
                    "out of memory: 'hash join' asked for 3.0 MB; 'process' is limited to 10.0 MB and uses "
                    "9.0 MB, most of it 'sort' (8.0 MB)");
    WR_CHECK_CONTAINS(err.hint, "memory_limit");
    wr_budget_release(sort, 8 * MB);
    wr_budget_release(join, MB);
    wr_budget_close(join);
    wr_budget_close(sort);
    wr_budget_close(root);
}

WR_TEST(budget, absurd_sizes_are_refused) {
    wr_budget *root = create(NULL, "process", WR_BUDGET_NO_LIMIT);
    WR_CHECK_STATUS(wr_budget_reserve(root, SIZE_MAX, NULL), WR_NO_MEMORY, NULL);
    WR_CHECK(wr_alloc(wr_budget_allocator(root), SIZE_MAX - 100) == NULL);
    void *empty = wr_alloc(wr_budget_allocator(root), 0);
    WR_CHECK(empty != NULL);
    wr_free(wr_budget_allocator(root), empty, 0);
    WR_CHECK_EQ_INT(wr_budget_used(root), 0);
    wr_budget_close(root);
}

/* ---- nodes that are closed ---- */

WR_TEST(budget, blocks_outlive_their_budget) {
    wr_budget *root = create(NULL, "process", WR_BUDGET_NO_LIMIT), *query = create(root, "query", WR_BUDGET_NO_LIMIT);
    wr_budget *scan = create(query, "scan", WR_BUDGET_NO_LIMIT);
    wr_allocator *a = wr_budget_allocator(scan);
    void *small = wr_alloc(a, 100), *large = wr_alloc(a, MB);
    wr_budget_close(scan);
    WR_CHECK_EQ_INT(wr_budget_used(query), 100 + MB);
    wr_budget_close(query);
    WR_CHECK_EQ_INT(wr_budget_used(root), 100 + MB);
    large = wr_resize(a, large, MB, 2 * MB);
    WR_CHECK_EQ_INT(wr_budget_used(root), 100 + 2 * MB);
    wr_free(a, large, 2 * MB);
    WR_CHECK_EQ_INT(wr_budget_used(root), 100);
    wr_free(a, small, 100);
    WR_CHECK_EQ_INT(wr_budget_used(root), 0);
    wr_budget_close(root);
    WR_CHECK_EQ_INT(wr_test_live_blocks(), 0);
}

WR_TEST(budget, a_block_outlives_the_whole_tree) {
    wr_budget *root = create(NULL, "process", WR_BUDGET_NO_LIMIT), *query = create(root, "query", WR_BUDGET_NO_LIMIT);
    wr_allocator *a = wr_budget_allocator(query);
    void *block = wr_alloc(a, 100);
    wr_budget_close(root); /* parent before child */
    wr_budget_close(query);
    WR_CHECK_EQ_INT(wr_test_live_blocks(), 3);
    wr_free(a, block, 100);
    WR_CHECK_EQ_INT(wr_test_live_blocks(), 0);
}

/* ---- requests ---- */

typedef struct test_waker {
    wr_waker waker;
    int woken;
} test_waker;

static void count_wake(wr_waker *self) {
    ((test_waker *)self)->woken++;
}

#define TEST_WAKER ((test_waker){{count_wake, NULL}, 0})

WR_TEST(budget, a_grant_is_held_until_it_is_settled) {
    wr_budget *root = create(NULL, "process", MB), *sort = create(root, "sort", WR_BUDGET_NO_LIMIT);
    wr_budget *other = create(root, "other", WR_BUDGET_NO_LIMIT);
    test_waker waker = TEST_WAKER;
    WR_CHECK_EQ_INT(wr_budget_request(sort, 900 * KB, &waker.waker), WR_BUDGET_GRANTED);
    WR_CHECK_EQ_INT(wr_budget_used(root), 900 * KB);
    WR_CHECK_STATUS(wr_budget_reserve(other, 200 * KB, NULL), WR_NO_MEMORY, NULL);
    WR_CHECK_OK(wr_budget_reserve(sort, 800 * KB, NULL), NULL);
    WR_CHECK_EQ_INT(wr_budget_used(root), 900 * KB);
    wr_budget_release(sort, 300 * KB);
    WR_CHECK_OK(wr_budget_reserve(sort, 300 * KB, NULL), NULL);
    WR_CHECK_STATUS(wr_budget_reserve(other, 200 * KB, NULL), WR_NO_MEMORY, NULL);
    wr_budget_settle(sort, 900 * KB);
    WR_CHECK_EQ_INT(wr_budget_used(root), 800 * KB);
    WR_CHECK_OK(wr_budget_reserve(other, 200 * KB, NULL), NULL);
    wr_budget_release(other, 200 * KB);
    wr_budget_release(sort, 800 * KB);
    WR_CHECK_EQ_INT(waker.woken, 0);
    wr_budget_close(other);
    wr_budget_close(sort);
    wr_budget_close(root);
}

WR_TEST(budget, the_largest_spills_and_the_asker_waits) {
    wr_budget *root = create(NULL, "process", MB), *a = create(root, "a", WR_BUDGET_NO_LIMIT);
    wr_budget *b = create(root, "b", WR_BUDGET_NO_LIMIT), *c = create(root, "c", WR_BUDGET_NO_LIMIT);
    test_waker waker = TEST_WAKER, second = TEST_WAKER;
    WR_CHECK_OK(wr_budget_reserve(a, 300 * KB, NULL), NULL);
    WR_CHECK_OK(wr_budget_reserve(b, 600 * KB, NULL), NULL);
    WR_CHECK_EQ_INT(wr_budget_request(c, 500 * KB, &waker.waker), WR_BUDGET_REFUSED); /* nobody can give */
    wr_budget_set_spillable(a, 300 * KB);
    wr_budget_set_spillable(b, 600 * KB);
    WR_CHECK_EQ_INT(wr_budget_request(c, 2 * MB, &waker.waker), WR_BUDGET_REFUSED); /* no spilling would be enough */
    WR_CHECK_EQ_INT(wr_budget_request(b, 2 * MB, &waker.waker), WR_BUDGET_SPILL_SELF);
    WR_CHECK(!wr_budget_marked(a) && !wr_budget_marked(b));
    WR_CHECK_EQ_INT(wr_budget_request(c, 500 * KB, &waker.waker), WR_BUDGET_PARKED);
    WR_CHECK(wr_budget_marked(b) && !wr_budget_marked(a));
    WR_CHECK_EQ_INT(wr_budget_request(b, 500 * KB, &second.waker), WR_BUDGET_SPILL_SELF);
    WR_CHECK_EQ_INT(wr_budget_request(a, 500 * KB, &second.waker), WR_BUDGET_PARKED);
    WR_CHECK_EQ_INT(waker.woken, 0);
    wr_budget_release(b, 600 * KB);
    wr_budget_set_spillable(b, 0);
    WR_CHECK(waker.woken == 1 && second.woken == 1); /* there is room for the most modest of them */
    wr_budget_spilled(b);
    WR_CHECK(!wr_budget_marked(b));
    WR_CHECK_EQ_INT(wr_budget_request(c, 500 * KB, &waker.waker), WR_BUDGET_GRANTED);
    WR_CHECK_EQ_INT(wr_budget_request(a, 500 * KB, &second.waker), WR_BUDGET_SPILL_SELF);
    wr_budget_settle(c, 500 * KB);
    wr_budget_release(a, 300 * KB);
    wr_budget_close(c);
    wr_budget_close(b);
    wr_budget_close(a);
    wr_budget_close(root);
}

WR_TEST(budget, victims_come_from_below_the_limit_that_was_hit) {
    wr_budget *root = create(NULL, "process", 10 * MB), *query = create(root, "query", MB);
    wr_budget *mine = create(query, "mine", WR_BUDGET_NO_LIMIT), *asker = create(query, "asker", WR_BUDGET_NO_LIMIT);
    wr_budget *other = create(root, "other query", WR_BUDGET_NO_LIMIT);
    test_waker waker = TEST_WAKER;
    WR_CHECK_OK(wr_budget_reserve(mine, 900 * KB, NULL), NULL);
    WR_CHECK_OK(wr_budget_reserve(other, 8 * MB, NULL), NULL);
    wr_budget_set_spillable(other, 8 * MB);
    WR_CHECK_EQ_INT(wr_budget_request(asker, 500 * KB, &waker.waker), WR_BUDGET_REFUSED);
    wr_budget_set_spillable(mine, 900 * KB);
    WR_CHECK_EQ_INT(wr_budget_request(asker, 500 * KB, &waker.waker), WR_BUDGET_PARKED);
    WR_CHECK(wr_budget_marked(mine) && !wr_budget_marked(other));
    /* Room elsewhere does not wake it; room in its query does. */
    wr_budget_release(other, 8 * MB);
    WR_CHECK_EQ_INT(waker.woken, 0);
    wr_budget_release(mine, 100 * KB);
    WR_CHECK_EQ_INT(waker.woken, 0);
    wr_budget_release(mine, 800 * KB);
    WR_CHECK_EQ_INT(waker.woken, 1);
    wr_budget_close(other);
    wr_budget_close(asker);
    wr_budget_close(mine);
    wr_budget_close(query);
    wr_budget_close(root);
}

WR_TEST(budget, who_waits_is_woken_by_every_change_that_may_help) {
    wr_budget *root = create(NULL, "process", MB), *victim = create(root, "victim", WR_BUDGET_NO_LIMIT);
    wr_budget *asker = create(root, "asker", WR_BUDGET_NO_LIMIT), *third = create(root, "third", WR_BUDGET_NO_LIMIT);
    test_waker waker = TEST_WAKER, later = TEST_WAKER;
    WR_CHECK_OK(wr_budget_reserve(victim, 900 * KB, NULL), NULL);
    wr_budget_set_spillable(victim, 900 * KB);
    WR_CHECK_EQ_INT(wr_budget_request(asker, 500 * KB, &waker.waker), WR_BUDGET_PARKED);
    wr_budget_spilled(victim); /* there was nothing left to spill */
    WR_CHECK_EQ_INT(waker.woken, 1);
    WR_CHECK_EQ_INT(wr_budget_request(asker, 500 * KB, &waker.waker), WR_BUDGET_PARKED);
    wr_budget_set_limit(root, 2 * MB);
    WR_CHECK_EQ_INT(waker.woken, 2);
    wr_budget_set_limit(root, MB);
    WR_CHECK_EQ_INT(wr_budget_request(asker, 500 * KB, &waker.waker), WR_BUDGET_PARKED);
    /* A new victim: it may be a task that is parked here. */
    wr_budget_set_spillable(third, 950 * KB);
    WR_CHECK_EQ_INT(wr_budget_request(asker, 500 * KB, &later.waker), WR_BUDGET_PARKED);
    WR_CHECK(wr_budget_marked(third) && waker.woken == 3 && later.woken == 0);
    wr_budget_close(third);
    WR_CHECK_EQ_INT(later.woken, 1);
    WR_CHECK_EQ_INT(wr_budget_request(asker, 500 * KB, &waker.waker), WR_BUDGET_PARKED);
    WR_CHECK(wr_budget_unpark(asker, &waker.waker));
    WR_CHECK(!wr_budget_unpark(asker, &waker.waker));
    wr_budget_release(victim, 900 * KB);
    WR_CHECK_EQ_INT(waker.woken, 3);
    wr_budget_close(asker);
    wr_budget_close(victim);
    wr_budget_close(root);
}

WR_TEST(budget, unpark_takes_out_one_of_many) {
    wr_budget *root = create(NULL, "process", MB), *victim = create(root, "victim", WR_BUDGET_NO_LIMIT);
    wr_budget *asker = create(root, "asker", WR_BUDGET_NO_LIMIT);
    test_waker wakers[3] = {TEST_WAKER, TEST_WAKER, TEST_WAKER};
    WR_CHECK_OK(wr_budget_reserve(victim, MB, NULL), NULL);
    wr_budget_set_spillable(victim, MB);
    for (int i = 0; i < 3; i++) {
        WR_CHECK_EQ_INT(wr_budget_request(asker, 10, &wakers[i].waker), WR_BUDGET_PARKED);
    }
    WR_CHECK_EQ_INT(wr_budget_request(asker, 10, &wakers[1].waker), WR_BUDGET_PARKED); /* twice is once */
    WR_CHECK(wr_budget_unpark(asker, &wakers[1].waker));
    wr_budget_release(victim, MB);
    WR_CHECK(wakers[0].woken == 1 && wakers[1].woken == 0 && wakers[2].woken == 1);
    wr_budget_close(asker);
    wr_budget_close(victim);
    wr_budget_close(root);
}

WR_TEST(budget, failing_reservations) {
    wr_budget *root = create(NULL, "process", MB);
    test_waker waker = TEST_WAKER;
    wr_fault_arm(WR_FAULT_RESERVE, 2);
    WR_CHECK_OK(wr_budget_reserve(root, 10, NULL), NULL);
    WR_CHECK_STATUS(wr_budget_reserve(root, 10, NULL), WR_NO_MEMORY, NULL);
    WR_CHECK_OK(wr_budget_reserve(root, 10, NULL), NULL);
    wr_fault_arm(WR_FAULT_RESERVE, 1);
    WR_CHECK_EQ_INT(wr_budget_request(root, 10, &waker.waker), WR_BUDGET_REFUSED);
    wr_fault_arm(WR_FAULT_ALLOC, 1);
    WR_CHECK(wr_alloc(wr_budget_allocator(root), 100) == NULL);
    wr_budget *child = NULL;
    wr_fault_arm(WR_FAULT_ALLOC, 1);
    WR_CHECK_STATUS(wr_budget_create(&child, root, NULL, "x", 1, NULL), WR_NO_MEMORY, NULL);
    wr_fault_disarm_all();
    void *block = wr_alloc(wr_budget_allocator(root), 100);
    wr_fault_arm(WR_FAULT_ALLOC, 1);
    WR_CHECK(wr_resize(wr_budget_allocator(root), block, 100, 200) == NULL);
    WR_CHECK_EQ_INT(wr_budget_used(root), 120);
    wr_free(wr_budget_allocator(root), block, 100);
    wr_budget_release(root, 20);
    WR_CHECK_EQ_INT(wr_budget_used(root), 0);
    wr_budget_close(root);
}

/* ---- threads ---- */

enum { THREADS = 4 };

typedef struct worker {
    wr_budget *own, *shared;
    uint64_t seed;
} worker;

static uint32_t random_below(uint64_t *seed, uint32_t limit) {
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)((*seed >> 33) % limit);
}

static void run_threads(void *(*run)(void *), void *items, size_t item_bytes) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        WR_CHECK(pthread_create(&threads[i], NULL, run, (uint8_t *)items + (size_t)i * item_bytes) == 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

/* Allocates and frees of all sizes in a budget of its own and in one that all share. */
static void *allocate_and_free(void *argument) {
    worker *w = argument;
    enum { SLOTS = 32 };
    struct {
        void *block;
        size_t size;
        wr_allocator *allocator;
    } slots[SLOTS] = {{NULL, 0, NULL}};
    for (int i = 0; i < 20000; i++) {
        uint32_t k = random_below(&w->seed, SLOTS);
        if (slots[k].block) {
            wr_free(slots[k].allocator, slots[k].block, slots[k].size);
            slots[k].block = NULL;
            continue;
        }
        slots[k].size = random_below(&w->seed, 10) ? random_below(&w->seed, 2000) : random_below(&w->seed, 200 * KB);
        slots[k].allocator = wr_budget_allocator(random_below(&w->seed, 2) ? w->own : w->shared);
        slots[k].block = wr_alloc(slots[k].allocator, slots[k].size);
    }
    wr_budget_close(w->own); /* with blocks alive */
    for (int k = 0; k < SLOTS; k++) {
        if (slots[k].block) wr_free(slots[k].allocator, slots[k].block, slots[k].size);
    }
    return NULL;
}

WR_TEST(budget, threads_share_a_limit) {
    wr_budget *root = create(NULL, "process", MB), *shared = create(root, "shared", WR_BUDGET_NO_LIMIT);
    worker workers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){create(root, "own", WR_BUDGET_NO_LIMIT), shared, (uint64_t)i + 1};
    }
    run_threads(allocate_and_free, workers, sizeof workers[0]);
    WR_CHECK_EQ_INT(wr_budget_used(root), 0);
    WR_CHECK(wr_budget_peak(root) <= MB);
    wr_budget_close(shared);
    wr_budget_close(root);
}

/* Operators that gather rows and spill: each asks before it grows, waits when it is told to, and spills when it is
 * marked. All of them come to their end, and the limit holds. */
typedef struct spiller {
    wr_waker waker; /* first */
    pthread_mutex_t lock;
    pthread_cond_t condition;
    bool woken;
    wr_budget *budget;
    uint64_t seed;
    size_t held, spilled, done;
} spiller;

enum { SPILLER_TOTAL = 4 * MB };

static void wake_spiller(wr_waker *self) {
    spiller *s = (spiller *)self;
    pthread_mutex_lock(&s->lock);
    s->woken = true;
    pthread_cond_signal(&s->condition);
    pthread_mutex_unlock(&s->lock);
}

static void wait_for_wake(spiller *s) {
    pthread_mutex_lock(&s->lock);
    while (!s->woken) pthread_cond_wait(&s->condition, &s->lock);
    s->woken = false;
    pthread_mutex_unlock(&s->lock);
}

static void spill(spiller *s) {
    wr_budget_set_spillable(s->budget, 0);
    if (s->held) wr_budget_release(s->budget, s->held);
    s->spilled += s->held;
    s->held = 0;
    wr_budget_spilled(s->budget);
}

static void *gather_and_spill(void *argument) {
    spiller *s = argument;
    while (s->done < SPILLER_TOTAL) {
        if (wr_budget_marked(s->budget)) spill(s);
        size_t size = 1 + random_below(&s->seed, 100 * KB);
        switch (wr_budget_request(s->budget, size, &s->waker)) {
        case WR_BUDGET_GRANTED:
            WR_CHECK_OK(wr_budget_reserve(s->budget, size, NULL), NULL);
            wr_budget_settle(s->budget, size);
            s->held += size;
            s->done += size;
            wr_budget_set_spillable(s->budget, s->held);
            break;
        case WR_BUDGET_PARKED:
            if (!wr_budget_marked(s->budget))
                wait_for_wake(s);
            else
                wr_budget_unpark(s->budget, &s->waker);
            break;
        case WR_BUDGET_SPILL_SELF: spill(s); break;
        case WR_BUDGET_REFUSED: /* the others had just spilled, or hold nothing that can be */ break;
        }
    }
    spill(s);
    wr_budget_close(s->budget);
    return NULL;
}

WR_TEST(budget, threads_spill_for_each_other) {
    wr_budget *root = create(NULL, "process", MB);
    static spiller spillers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        spillers[i] = (spiller){.waker = {wake_spiller, NULL},
                                .budget = create(root, "spiller", WR_BUDGET_NO_LIMIT),
                                .seed = (uint64_t)i + 1};
        pthread_mutex_init(&spillers[i].lock, NULL);
        pthread_cond_init(&spillers[i].condition, NULL);
    }
    run_threads(gather_and_spill, spillers, sizeof spillers[0]);
    size_t spilled = 0;
    for (int i = 0; i < THREADS; i++) {
        spilled += spillers[i].spilled;
        pthread_cond_destroy(&spillers[i].condition);
        pthread_mutex_destroy(&spillers[i].lock);
    }
    WR_CHECK(spilled > 0);
    WR_CHECK(wr_budget_peak(root) <= MB);
    WR_CHECK_EQ_INT(wr_budget_used(root), 0);
    wr_budget_close(root);
}
