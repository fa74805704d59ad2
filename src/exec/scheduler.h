/* The pool of workers: tasks, stealing, parking.
 *
 * A database has one scheduler. A task is a state machine: run() does a bounded piece of work (a batch or a few, never
 * an unbounded loop) and says whether it is done, wants to go on, or is parked. State belongs to the task, not to the
 * thread: any worker may run its next piece. Each worker has a deque; it pushes and pops its own end and steals at
 * others' far end. Queries share fairly: a worker that finds runnable tasks of several groups takes them in turn, by
 * the time their groups have used.
 *
 * Parking: before run() returns WR_TASK_PARKED it has handed task->waker to somebody (a budget, an epoch, an I/O
 * request). A wake that comes before run() has returned is kept: the task is queued again at once. Waking twice is the
 * same as once. */
#ifndef WR_EXEC_SCHEDULER_H
#define WR_EXEC_SCHEDULER_H

#include "base/budget.h"
#include "os/os.h"

typedef enum wr_task_result { WR_TASK_DONE, WR_TASK_AGAIN, WR_TASK_PARKED } wr_task_result;

typedef struct wr_scheduler wr_scheduler;
typedef struct wr_task_group wr_task_group; /* the tasks of one query */
typedef struct wr_task wr_task;
struct wr_task {
    wr_task_result (*run)(wr_task *task, uint32_t worker);
    wr_waker waker; /* wakes this task; set up by wr_task_init */
    wr_task_group *group;
    _Atomic int state; /* the scheduler's */
    wr_task *next;     /* the scheduler's */
};

WR_MUST_CHECK wr_status wr_scheduler_create(wr_scheduler **out, wr_allocator *a, uint32_t worker_count, wr_error *err);
void wr_scheduler_destroy(wr_scheduler *scheduler); /* no group may be left */

WR_MUST_CHECK wr_status wr_task_group_create(wr_task_group **out, wr_scheduler *scheduler, wr_allocator *a,
                                             wr_error *err);
/* Waits until no task of the group is queued or running (parked ones must have been woken or be done). */
void wr_task_group_destroy(wr_task_group *group);

void wr_task_init(wr_task *task, wr_task_group *group, wr_task_result (*run)(wr_task *task, uint32_t worker));
void wr_task_submit(wr_task *task); /* first queueing; from any thread */

/* Wakers that wait for one event; the owner's lock is held for each call. Adding one that is there already does
 * nothing. */
typedef struct wr_wait_list {
    wr_waker *first;
} wr_wait_list;
void wr_wait_list_add(wr_wait_list *list, wr_waker *waker);
void wr_wait_list_wake(wr_wait_list *list); /* all, and empties it */

#endif
