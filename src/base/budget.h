/* The tree of memory budgets: process, database, query, operator.
 *
 * A budget is an allocator: what is allocated through it is reserved first, here and in every ancestor that has a
 * limit. A node takes from its parent in strides (WR_BUDGET_STRIDE), so that small allocations of a worker touch its
 * own counter alone; what it holds and does not use is at most one stride.
 *
 * When a reservation fails, nobody else's code runs. Two things can happen:
 *   - wr_budget_reserve says WR_NO_MEMORY at once: for those who cannot wait.
 *   - wr_budget_request marks the largest spillable node below the node whose limit was hit (the victim) and says
 *     WR_BUDGET_PARKED; the one who asked parks with its waker, and is woken when memory came back. The victim sees
 *     its mark at its next batch boundary (wr_budget_marked), spills, and clears it. If the one who asks is itself the
 *     largest, it gets WR_BUDGET_SPILL_SELF and does so: nobody waits. If nobody can spill, WR_BUDGET_REFUSED.
 *
 * Why this shape: a reservation inside an operator must never re-enter another operator (locks, half-changed state),
 * and a worker must never sleep in an allocation while it holds what the victim needs.
 *
 * A closed node with live bytes hands them to its parent and forwards later frees to it: a buffer that outlives its
 * creator is charged to the nearest ancestor that lives. */
#ifndef WR_BASE_BUDGET_H
#define WR_BASE_BUDGET_H

#include "base/alloc.h"

enum { WR_BUDGET_STRIDE = 64 * 1024 };
#define WR_BUDGET_NO_LIMIT SIZE_MAX

typedef struct wr_budget wr_budget;

/* Called once when what was waited for may have come; must be short, take no lock that is held while requesting, and
 * only make the parked task runnable. */
typedef struct wr_waker {
    void (*wake)(struct wr_waker *self);
    struct wr_waker *next; /* owned by whoever the waker is parked at */
} wr_waker;

typedef enum wr_budget_answer {
    WR_BUDGET_GRANTED,
    WR_BUDGET_PARKED,
    WR_BUDGET_SPILL_SELF,
    WR_BUDGET_REFUSED,
} wr_budget_answer;

/* A root has no parent and takes its blocks from `system`. `name` is copied (shown in errors and EXPLAIN ANALYZE). */
WR_MUST_CHECK wr_status wr_budget_create(wr_budget **out, wr_budget *parent, wr_allocator *system, const char *name,
                                         size_t limit_bytes, wr_error *err);
/* The node is gone for its owner; see above for what still lives. */
void wr_budget_close(wr_budget *budget);

wr_allocator *wr_budget_allocator(wr_budget *budget);

/* Counts without allocating: for memory that comes from elsewhere (imported Arrow data, a library's own heap). */
WR_MUST_CHECK wr_status wr_budget_reserve(wr_budget *budget, size_t size_bytes, wr_error *err);
void wr_budget_release(wr_budget *budget, size_t size_bytes);

/* A request for room that the caller is about to use: what is granted is held for it until wr_budget_settle, and
 * allocations through the node draw on it. `waker` is queued only for the answer PARKED. */
wr_budget_answer wr_budget_request(wr_budget *budget, size_t size_bytes, wr_waker *waker);
void wr_budget_settle(wr_budget *budget, size_t size_bytes);
/* Takes a parked waker back (the query was cancelled); false if it was woken already. */
bool wr_budget_unpark(wr_budget *budget, wr_waker *waker);

/* An operator that can spill says so once it has something to give, and how much; 0 when no task of its will see a
 * mark any more. A task that gets PARKED looks at the marks of its own operators before it parks, and again when it is
 * woken: every new mark wakes all who wait in the tree, as the victim's task may be one of them. */
void wr_budget_set_spillable(wr_budget *budget, size_t spillable_bytes);
bool wr_budget_marked(const wr_budget *budget);
/* Marks it by hand: for tests and for a session that wants memory back. */
void wr_budget_mark(wr_budget *budget);
/* After spilling, or when there was nothing left to spill: clears the mark and wakes whoever waits. */
void wr_budget_spilled(wr_budget *budget);

void wr_budget_set_limit(wr_budget *budget, size_t limit_bytes);
size_t wr_budget_limit(const wr_budget *budget);
/* Bytes reserved now through this node and those below it, requests that are not settled counted whole; and the most
 * there ever were, in strides. */
size_t wr_budget_used(const wr_budget *budget);
size_t wr_budget_peak(const wr_budget *budget);
/* What an allocation through this node could still get. */
size_t wr_budget_available(const wr_budget *budget);
const char *wr_budget_name(const wr_budget *budget);
wr_budget *wr_budget_parent(const wr_budget *budget);

/* The error for a refused reservation: names the node, what it asked for, the limit that was hit and who holds most. */
wr_status wr_budget_fail(const wr_budget *budget, size_t size_bytes, wr_error *err);

#endif
