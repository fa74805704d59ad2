/* The tree of budgets.
 *
 * Each node knows what it has taken: the bytes that it and those below it hold, which every ancestor has taken too.
 * A node takes more than it was asked for, and the rest is its slack. Allocations and frees that fit the slack are one
 * compare-and-swap on it; all else goes through the tree's one mutex, held for a walk from the node to the root. At the
 * rate of a stride per lock it does not matter how many cores there are, and everything but the slack is plain data.
 *
 *   taken   bytes charged here (under the lock): own blocks, own slack, what the children have taken
 *   slack   part of taken that no block uses; -1 once the node is closed
 *   granted part of the slack that requests hold until they settle: it is not given back and not drained
 *
 * Invariants: taken <= limit unless the limit was lowered; slack <= stride + granted after every free; a node is freed
 * when it is closed and has neither bytes nor children, so a block may outlive the owner of its budget: its free takes
 * the bytes from the closed node and its ancestors.
 *
 * When a limit is hit, the slack below it is drained first, so that strides never make an allocation fail. Those who
 * wait stand in the list of the node whose limit was hit. They are woken, under the lock, when as much came back as the
 * most modest of them wants; when a victim has spilled, has closed or was newly marked (a parked task may have to do
 * the spilling itself, and sees the mark when it asks again); and when a limit changed. */
#include "base/budget.h"

#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/lock.h"

struct wr_budget {
    wr_allocator allocator; /* first, so that a wr_allocator of ours is a wr_budget */
    _Atomic int64_t slack;
    _Atomic size_t granted;
    _Atomic size_t spillable;
    _Atomic bool marked;

    /* Under the root's lock. */
    size_t taken, peak, limit;
    uint32_t child_count;
    bool closed;
    wr_waker *waiting;   /* for room below this node's limit */
    size_t wanted_least; /* of those who wait */
    struct wr_budget *parent, *first_child, *previous, *next;

    struct wr_budget *root;
    wr_allocator *system;
    wr_mutex lock; /* the root's alone */
    size_t block_bytes;
    char name[];
};

enum { SLACK_CLOSED = -1, FIRST_STRIDE = 4096 };

static size_t load_size(const _Atomic size_t *p) {
    return __atomic_load_n((const size_t *)p, __ATOMIC_RELAXED);
}

static int64_t load_slack(const wr_budget *b) {
    return __atomic_load_n((const int64_t *)&b->slack, __ATOMIC_RELAXED);
}

/* Updates *seen when it fails. */
static bool swap_slack(wr_budget *b, int64_t *seen, int64_t wanted) {
    return __atomic_compare_exchange_n((int64_t *)&b->slack, seen, wanted, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static void lock_tree(const wr_budget *b) {
    wr_mutex_lock(&b->root->lock);
}

/* ---- walks; the lock is held ---- */

/* The node after `b` in a walk over `top` and all below it, parents first; NULL at the end. */
static wr_budget *walk_next(const wr_budget *top, wr_budget *b) {
    if (b->first_child) return b->first_child;
    while (b != top) {
        if (b->next) return b->next;
        b = b->parent;
    }
    return NULL;
}

static size_t room_below_limit(const wr_budget *b) {
    return b->limit > b->taken ? b->limit - b->taken : 0;
}

/* Charges the node and its ancestors; or changes nothing and says whose limit was hit. */
static wr_budget *take(wr_budget *node, size_t bytes) {
    for (wr_budget *b = node; b; b = b->parent) {
        if (bytes > room_below_limit(b)) return b;
    }
    for (wr_budget *b = node; b; b = b->parent) {
        b->taken += bytes;
        if (b->taken > b->peak) b->peak = b->taken;
    }
    return NULL;
}

static void wake_waiting(wr_budget *b) {
    wr_waker *waker = b->waiting;
    b->waiting = NULL;
    b->wanted_least = SIZE_MAX;
    while (waker) {
        wr_waker *next = waker->next;
        waker->next = NULL;
        waker->wake(waker);
        waker = next;
    }
}

static void wake_tree(wr_budget *root) {
    for (wr_budget *b = root; b; b = walk_next(root, b)) {
        if (b->waiting) wake_waiting(b);
    }
}

static size_t room_up_to_root(const wr_budget *node) {
    size_t room = SIZE_MAX;
    for (const wr_budget *b = node; b; b = b->parent) {
        size_t here = room_below_limit(b);
        if (here < room) room = here;
    }
    return room;
}

static void give_quietly(wr_budget *node, size_t bytes) {
    for (wr_budget *b = node; b; b = b->parent) {
        WR_ASSERT(b->taken >= bytes);
        b->taken -= bytes;
    }
}

/* Takes back the charge and wakes those for whom there is room now. */
static void give(wr_budget *node, size_t bytes) {
    give_quietly(node, bytes);
    for (wr_budget *b = node; b; b = b->parent) {
        if (b->waiting && room_up_to_root(b) >= b->wanted_least) wake_waiting(b);
    }
}

/* Slack above `keep` and above what requests hold, taken out of the node's pool; the caller gives it back. */
static size_t trim_slack(wr_budget *b, size_t keep) {
    int64_t seen = load_slack(b);
    for (;;) {
        int64_t kept = (int64_t)(keep + load_size(&b->granted));
        if (seen <= kept) return 0;
        if (swap_slack(b, &seen, kept)) return (size_t)(seen - kept);
    }
}

static void drain(wr_budget *top) {
    for (wr_budget *b = top; b; b = walk_next(top, b)) {
        size_t bytes = trim_slack(b, 0);
        if (bytes) give_quietly(b, bytes);
    }
}

/* take(), and once more after the slack below the limit came home. */
static wr_budget *take_draining(wr_budget *node, size_t bytes) {
    wr_budget *hit = take(node, bytes);
    while (hit) {
        size_t before = hit->taken;
        drain(hit);
        if (hit->taken == before) return hit;
        hit = take(node, bytes);
    }
    return NULL;
}

/* Nodes that became free, linked by `next`; to be freed without the lock. */
static wr_budget *collect_dead(wr_budget *b) {
    wr_budget *dead = NULL;
    while (b && b->closed && b->taken == 0 && b->child_count == 0) {
        wr_budget *parent = b->parent;
        if (parent) {
            if (b->previous)
                b->previous->next = b->next;
            else
                parent->first_child = b->next;
            if (b->next) b->next->previous = b->previous;
            parent->child_count--;
        }
        b->next = dead;
        dead = b;
        b = parent;
    }
    return dead;
}

/* Unlocks `root` and frees the dead, among which it may be itself. */
static void unlock_and_free(wr_budget *root, wr_budget *dead) {
    wr_mutex_unlock(&root->lock);
    while (dead) {
        wr_budget *next = dead->next;
        if (dead == dead->root) wr_mutex_deinit(&dead->lock);
        wr_free(dead->system, dead, dead->block_bytes);
        dead = next;
    }
}

/* ---- reservations ---- */

/* Small nodes take small strides, so that many of them do not hold what they never use. */
static size_t stride_of(const wr_budget *b) {
    if (b->closed) return 0;
    if (b->taken < FIRST_STRIDE) return FIRST_STRIDE;
    return b->taken < WR_BUDGET_STRIDE ? b->taken : WR_BUDGET_STRIDE;
}

static bool reserve_slow(wr_budget *b, size_t bytes) {
    lock_tree(b);
    size_t stride = stride_of(b);
    bool ok = bytes < stride && !take(b, stride);
    if (ok) {
        __atomic_fetch_add((int64_t *)&b->slack, (int64_t)(stride - bytes), __ATOMIC_ACQ_REL);
    } else {
        ok = !take_draining(b, bytes);
    }
    wr_mutex_unlock(&b->root->lock);
    return ok;
}

static bool reserve(wr_budget *b, size_t bytes) {
    if (wr_fault(WR_FAULT_RESERVE) || bytes > SIZE_MAX / 4) return false;
    int64_t seen = load_slack(b);
    while (seen >= (int64_t)bytes) {
        if (swap_slack(b, &seen, seen - (int64_t)bytes)) return true;
    }
    return reserve_slow(b, bytes);
}

/* Half a stride stays, so that the next allocation and the next free are quick; none where a limit was lowered. */
static size_t kept_slack(const wr_budget *b) {
    return room_up_to_root(b) ? WR_BUDGET_STRIDE / 2 : 0;
}

static void release_slow(wr_budget *b, size_t bytes) {
    wr_budget *root = b->root, *dead = NULL;
    lock_tree(b);
    if (b->closed) {
        give(b, bytes);
        dead = collect_dead(b);
    } else {
        __atomic_fetch_add((int64_t *)&b->slack, (int64_t)bytes, __ATOMIC_ACQ_REL);
        give(b, trim_slack(b, kept_slack(b)));
    }
    unlock_and_free(root, dead);
}

void wr_budget_release(wr_budget *b, size_t bytes) {
    int64_t seen = load_slack(b);
    while (seen >= 0 && seen + (int64_t)bytes <= (int64_t)(WR_BUDGET_STRIDE + load_size(&b->granted))) {
        if (swap_slack(b, &seen, seen + (int64_t)bytes)) return;
    }
    release_slow(b, bytes);
}

wr_status wr_budget_reserve(wr_budget *b, size_t bytes, wr_error *err) {
    return reserve(b, bytes) ? WR_OK : wr_budget_fail(b, bytes, err);
}

/* ---- the allocator ---- */

static void *budget_alloc(wr_allocator *self, size_t size_bytes, size_t align) {
    wr_budget *b = (wr_budget *)self;
    if (!reserve(b, size_bytes)) return NULL;
    void *p = b->system->alloc(b->system, size_bytes, align);
    if (!p) wr_budget_release(b, size_bytes);
    return p;
}

static void budget_free(wr_allocator *self, void *block, size_t size_bytes, size_t align) {
    wr_budget *b = (wr_budget *)self;
    if (!block) return;
    b->system->free(b->system, block, size_bytes, align);
    wr_budget_release(b, size_bytes);
}

static void *budget_resize(wr_allocator *self, void *block, size_t old_bytes, size_t new_bytes, size_t align) {
    wr_budget *b = (wr_budget *)self;
    if (!block) return budget_alloc(self, new_bytes, align);
    if (new_bytes > old_bytes && !reserve(b, new_bytes - old_bytes)) return NULL;
    void *moved = b->system->resize(b->system, block, old_bytes, new_bytes, align);
    if (moved ? new_bytes < old_bytes : new_bytes > old_bytes) {
        wr_budget_release(b, moved ? old_bytes - new_bytes : new_bytes - old_bytes);
    }
    return moved;
}

wr_allocator *wr_budget_allocator(wr_budget *b) {
    return &b->allocator;
}

/* ---- life ---- */

wr_status wr_budget_create(wr_budget **out, wr_budget *parent, wr_allocator *system, const char *name,
                           size_t limit_bytes, wr_error *err) {
    size_t name_bytes = strlen(name) + 1, block_bytes = sizeof(wr_budget) + name_bytes;
    if (parent) system = parent->system;
    wr_budget *b = wr_alloc_zeroed(system, block_bytes);
    if (!b) return wr_fail_memory(err, block_bytes, "a memory budget");
    b->allocator = (wr_allocator){budget_alloc, budget_resize, budget_free};
    b->limit = limit_bytes;
    b->wanted_least = SIZE_MAX;
    b->system = system;
    b->block_bytes = block_bytes;
    memcpy(b->name, name, name_bytes);
    b->root = parent ? parent->root : b;
    if (!parent) {
        wr_mutex_init(&b->lock);
    } else {
        lock_tree(parent);
        b->parent = parent;
        b->next = parent->first_child;
        if (b->next) b->next->previous = b;
        parent->first_child = b;
        parent->child_count++;
        wr_mutex_unlock(&b->root->lock);
    }
    *out = b;
    return WR_OK;
}

void wr_budget_close(wr_budget *b) {
    if (!b) return;
    wr_budget *root = b->root;
    lock_tree(b);
    b->closed = true;
    __atomic_store_n((size_t *)&b->spillable, 0, __ATOMIC_RELAXED);
    __atomic_store_n((size_t *)&b->granted, 0, __ATOMIC_RELAXED);
    int64_t slack = __atomic_exchange_n((int64_t *)&b->slack, SLACK_CLOSED, __ATOMIC_ACQ_REL);
    give(b, (size_t)slack);
    /* Those who wait for it to spill, or for its own limit, look for somebody else. */
    bool was_victim = __atomic_exchange_n((bool *)&b->marked, false, __ATOMIC_ACQ_REL);
    if (was_victim) wake_tree(root);
    if (b->waiting) wake_waiting(b);
    unlock_and_free(root, collect_dead(b));
}

/* ---- requests, victims ---- */

static wr_budget *find_victim(wr_budget *hit, wr_budget *asking) {
    wr_budget *victim = load_size(&asking->spillable) ? asking : NULL;
    size_t most = victim ? load_size(&victim->spillable) : 0;
    for (wr_budget *b = hit; b; b = walk_next(hit, b)) {
        size_t bytes = load_size(&b->spillable);
        if (bytes > most) {
            victim = b;
            most = bytes;
        }
    }
    return victim;
}

static void park(wr_budget *hit, size_t bytes, wr_waker *waker) {
    if (bytes < hit->wanted_least) hit->wanted_least = bytes;
    for (wr_waker *w = hit->waiting; w; w = w->next) {
        if (w == waker) return;
    }
    waker->next = hit->waiting;
    hit->waiting = waker;
}

static wr_budget_answer request(wr_budget *b, size_t bytes, wr_waker *waker) {
    wr_budget *hit = take_draining(b, bytes);
    if (!hit) {
        __atomic_fetch_add((size_t *)&b->granted, bytes, __ATOMIC_ACQ_REL);
        __atomic_fetch_add((int64_t *)&b->slack, (int64_t)bytes, __ATOMIC_ACQ_REL);
        return WR_BUDGET_GRANTED;
    }
    /* What exceeds the limit itself no victim can make room for; a smaller state of its own may. */
    bool hopeless = bytes > hit->limit;
    wr_budget *victim = hopeless && load_size(&b->spillable) ? b : find_victim(hit, b);
    if (!victim || (hopeless && victim != b)) return WR_BUDGET_REFUSED;
    if (victim == b) return WR_BUDGET_SPILL_SELF;
    if (!__atomic_exchange_n((bool *)&victim->marked, true, __ATOMIC_ACQ_REL)) wake_tree(b->root);
    park(hit, bytes, waker);
    return WR_BUDGET_PARKED;
}

wr_budget_answer wr_budget_request(wr_budget *b, size_t bytes, wr_waker *waker) {
    if (wr_fault(WR_FAULT_RESERVE) || bytes > SIZE_MAX / 4) return WR_BUDGET_REFUSED;
    lock_tree(b);
    wr_budget_answer answer = b->closed ? WR_BUDGET_REFUSED : request(b, bytes, waker);
    wr_mutex_unlock(&b->root->lock);
    return answer;
}

void wr_budget_settle(wr_budget *b, size_t bytes) {
    lock_tree(b);
    if (!b->closed) {
        WR_ASSERT(load_size(&b->granted) >= bytes);
        __atomic_fetch_sub((size_t *)&b->granted, bytes, __ATOMIC_ACQ_REL);
        give(b, trim_slack(b, kept_slack(b)));
    }
    wr_mutex_unlock(&b->root->lock);
}

bool wr_budget_unpark(wr_budget *node, wr_waker *waker) {
    bool found = false;
    lock_tree(node);
    for (wr_budget *b = node; b && !found; b = b->parent) {
        wr_waker **at = &b->waiting;
        while (*at && *at != waker) at = &(*at)->next;
        found = *at == waker;
        if (found) *at = waker->next;
    }
    if (found) waker->next = NULL;
    wr_mutex_unlock(&node->root->lock);
    return found;
}

void wr_budget_set_spillable(wr_budget *b, size_t bytes) {
    __atomic_store_n((size_t *)&b->spillable, bytes, __ATOMIC_RELAXED);
}

bool wr_budget_marked(const wr_budget *b) {
    return __atomic_load_n((const bool *)&b->marked, __ATOMIC_ACQUIRE);
}

void wr_budget_mark(wr_budget *b) {
    __atomic_store_n((bool *)&b->marked, true, __ATOMIC_RELEASE);
}

void wr_budget_spilled(wr_budget *b) {
    lock_tree(b);
    __atomic_store_n((bool *)&b->marked, false, __ATOMIC_RELEASE);
    wake_tree(b->root);
    wr_mutex_unlock(&b->root->lock);
}

/* ---- looking ---- */

void wr_budget_set_limit(wr_budget *b, size_t limit_bytes) {
    lock_tree(b);
    b->limit = limit_bytes;
    if (b->taken > limit_bytes) drain(b);
    wake_tree(b->root);
    wr_mutex_unlock(&b->root->lock);
}

size_t wr_budget_limit(const wr_budget *b) {
    lock_tree(b);
    size_t limit = b->limit;
    wr_mutex_unlock(&b->root->lock);
    return limit;
}

/* Slack that no request holds. */
static size_t idle_slack(const wr_budget *b) {
    int64_t slack = load_slack(b) - (int64_t)load_size(&b->granted);
    return slack > 0 ? (size_t)slack : 0;
}

static size_t used_below(wr_budget *top) {
    size_t idle = 0;
    for (wr_budget *b = top; b; b = walk_next(top, b)) idle += idle_slack(b);
    return top->taken > idle ? top->taken - idle : 0;
}

size_t wr_budget_used(const wr_budget *b) {
    lock_tree(b);
    size_t used = used_below((wr_budget *)(uintptr_t)b);
    wr_mutex_unlock(&b->root->lock);
    return used;
}

size_t wr_budget_peak(const wr_budget *b) {
    lock_tree(b);
    size_t peak = b->peak;
    wr_mutex_unlock(&b->root->lock);
    return peak;
}

size_t wr_budget_available(const wr_budget *b) {
    lock_tree(b);
    size_t room = room_up_to_root(b), idle = idle_slack(b);
    wr_mutex_unlock(&b->root->lock);
    return room > SIZE_MAX - idle ? SIZE_MAX : room + idle;
}

const char *wr_budget_name(const wr_budget *b) {
    return b->name;
}

wr_budget *wr_budget_parent(const wr_budget *b) {
    return b->parent;
}

/* ---- saying no ---- */

/* "64.0 MB", and bytes below a kilobyte. */
static const char *print_size(char *out, size_t size, size_t bytes) {
    static const char *const units[] = {"bytes", "KB", "MB", "GB", "TB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024 && unit + 1 < WR_COUNT_OF(units); unit++) value /= 1024;
    snprintf(out, size, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return out;
}

static size_t own_bytes(const wr_budget *b) {
    size_t below = 0;
    for (const wr_budget *child = b->first_child; child; child = child->next) below += child->taken;
    return b->taken - below;
}

static const wr_budget *find_largest(wr_budget *top) {
    const wr_budget *largest = top;
    for (wr_budget *b = top; b; b = walk_next(top, b)) {
        if (own_bytes(b) > own_bytes(largest)) largest = b;
    }
    return largest;
}

wr_status wr_budget_fail(const wr_budget *node, size_t bytes, wr_error *err) {
    char asked[32], limit[32], used[32], most[32];
    lock_tree(node);
    wr_budget *hit = (wr_budget *)(uintptr_t)node;
    while (hit && bytes <= room_below_limit(hit)) hit = hit->parent;
    print_size(asked, sizeof asked, bytes);
    if (!hit) {
        wr_fail(err, WR_NO_MEMORY, "out of memory: '%s' asked for %s, and the system has no more", node->name, asked);
    } else {
        const wr_budget *largest = find_largest(hit);
        wr_fail(err, WR_NO_MEMORY,
                "out of memory: '%s' asked for %s; '%s' is limited to %s and uses %s, most of it '%s' (%s)", node->name,
                asked, hit->name, print_size(limit, sizeof limit, hit->limit),
                print_size(used, sizeof used, used_below(hit)), largest->name,
                print_size(most, sizeof most, own_bytes(largest)));
        wr_hint(err, "raise memory_limit, or use fewer threads");
    }
    wr_mutex_unlock(&node->root->lock);
    return WR_NO_MEMORY;
}
