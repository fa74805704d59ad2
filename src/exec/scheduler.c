/* Workers, deques, stealing and parking; see scheduler.h.
 *
 * A deque is a short list behind a mutex: a task's piece of work is a batch or more (tens of microseconds at least), so
 * the lock is not what costs, and a plain list lets the owner choose by fairness. The owner takes from the front the
 * task whose group has used least; a thief takes from the back. A worker with nothing to take sleeps on one condition;
 * the counter of queued tasks is read under its mutex, so that no wake is lost. */
#include "exec/scheduler.h"

enum { TASK_IDLE, TASK_QUEUED, TASK_RUNNING, TASK_RUNNING_WOKEN, TASK_PARKED };

struct wr_task_group {
    wr_scheduler *scheduler;
    wr_allocator *allocator;
    wr_mutex lock;
    wr_condition idle;
    uint32_t live;            /* submitted and not done; under lock */
    _Atomic uint64_t used_ns; /* for fairness */
};

typedef struct worker {
    wr_scheduler *scheduler;
    wr_thread *thread;
    uint32_t index;
    wr_mutex lock;
    wr_task *first, *last; /* under lock */
} worker;

struct wr_scheduler {
    wr_allocator *allocator;
    uint32_t worker_count;
    worker *workers;
    _Atomic uint32_t next_worker; /* for tasks from outside */
    _Atomic uint32_t queued;
    wr_mutex sleep_lock;
    wr_condition sleep;
    uint32_t sleeping; /* under sleep_lock */
    bool stopping;     /* under sleep_lock */
};

static _Thread_local worker *current_worker;

static void deque_push(worker *w, wr_task *task) {
    wr_mutex_lock(&w->lock);
    task->next = NULL;
    if (w->last) {
        w->last->next = task;
    } else {
        w->first = task;
    }
    w->last = task;
    wr_mutex_unlock(&w->lock);
}

static void deque_unlink(worker *w, wr_task *before, wr_task *task) {
    if (before) {
        before->next = task->next;
    } else {
        w->first = task->next;
    }
    if (w->last == task) w->last = before;
}

/* The task whose group has used least, the oldest among equals. */
static wr_task *deque_take(worker *w) {
    wr_mutex_lock(&w->lock);
    wr_task *best = w->first, *before_best = NULL;
    if (best && best->next) {
        uint64_t least = best->group->used_ns;
        for (wr_task *before = w->first, *task = before->next; task; before = task, task = task->next) {
            if (task->group->used_ns < least) {
                least = task->group->used_ns;
                best = task;
                before_best = before;
            }
        }
    }
    if (best) deque_unlink(w, before_best, best);
    wr_mutex_unlock(&w->lock);
    return best;
}

static wr_task *deque_steal(worker *w) {
    wr_mutex_lock(&w->lock);
    wr_task *before = NULL, *task = w->first;
    while (task && task->next) {
        before = task;
        task = task->next;
    }
    if (task) deque_unlink(w, before, task);
    wr_mutex_unlock(&w->lock);
    return task;
}

static void enqueue(wr_scheduler *s, wr_task *task) {
    worker *w = current_worker && current_worker->scheduler == s ? current_worker
                                                                 : &s->workers[s->next_worker++ % s->worker_count];
    s->queued++;
    deque_push(w, task);
    wr_mutex_lock(&s->sleep_lock);
    if (s->sleeping) wr_condition_signal(&s->sleep);
    wr_mutex_unlock(&s->sleep_lock);
}

static wr_task *find_task(worker *w) {
    wr_scheduler *s = w->scheduler;
    wr_task *task = deque_take(w);
    for (uint32_t i = 1; !task && i < s->worker_count; i++) {
        task = deque_steal(&s->workers[(w->index + i) % s->worker_count]);
    }
    if (task) s->queued--;
    return task;
}

static void group_task_done(wr_task_group *group) {
    wr_mutex_lock(&group->lock);
    if (--group->live == 0) wr_condition_broadcast(&group->idle);
    wr_mutex_unlock(&group->lock);
}

static void run_piece(worker *w, wr_task *task) {
    wr_task_group *group = task->group;
    int64_t started = wr_clock_monotonic_ns();
    task->state = TASK_RUNNING;
    wr_task_result result = task->run(task, w->index);
    group->used_ns += (uint64_t)(wr_clock_monotonic_ns() - started);
    if (result == WR_TASK_DONE) {
        group_task_done(group); /* the owner may free the task from here on */
        return;
    }
    if (result == WR_TASK_PARKED) {
        int expected = TASK_RUNNING;
        if (__atomic_compare_exchange_n((int *)&task->state, &expected, TASK_PARKED, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
            return;
        }
    }
    task->state = TASK_QUEUED;
    enqueue(w->scheduler, task);
}

static void worker_run(void *user) {
    worker *w = user;
    wr_scheduler *s = w->scheduler;
    current_worker = w;
    for (;;) {
        wr_task *task = find_task(w);
        if (task) {
            run_piece(w, task);
            continue;
        }
        wr_mutex_lock(&s->sleep_lock);
        while (!s->stopping && s->queued == 0) {
            s->sleeping++;
            wr_condition_wait(&s->sleep, &s->sleep_lock, -1);
            s->sleeping--;
        }
        bool stopping = s->stopping && s->queued == 0;
        wr_mutex_unlock(&s->sleep_lock);
        if (stopping) break;
    }
    current_worker = NULL;
}

static void stop_workers(wr_scheduler *s) {
    wr_mutex_lock(&s->sleep_lock);
    s->stopping = true;
    wr_condition_broadcast(&s->sleep);
    wr_mutex_unlock(&s->sleep_lock);
    for (uint32_t i = 0; i < s->worker_count; i++) {
        if (s->workers[i].thread) wr_thread_join(s->workers[i].thread);
    }
}

wr_status wr_scheduler_create(wr_scheduler **out, wr_allocator *a, uint32_t worker_count, wr_error *err) {
    *out = NULL;
    wr_scheduler *s = wr_alloc_zeroed(a, sizeof *s);
    if (!s) return wr_fail_memory(err, sizeof *s, "scheduler");
    s->workers = wr_alloc_zeroed(a, sizeof(worker) * worker_count);
    if (!s->workers) {
        wr_free(a, s, sizeof *s);
        return wr_fail_memory(err, sizeof(worker) * worker_count, "scheduler");
    }
    s->allocator = a;
    s->worker_count = worker_count;
    wr_mutex_init(&s->sleep_lock);
    wr_condition_init(&s->sleep);
    for (uint32_t i = 0; i < worker_count; i++) {
        s->workers[i].scheduler = s;
        s->workers[i].index = i;
        wr_mutex_init(&s->workers[i].lock);
    }
    for (uint32_t i = 0; i < worker_count; i++) {
        wr_status status = wr_thread_start(&s->workers[i].thread, a, "weir-worker", worker_run, &s->workers[i], err);
        if (status != WR_OK) {
            wr_scheduler_destroy(s);
            return status;
        }
    }
    *out = s;
    return WR_OK;
}

void wr_scheduler_destroy(wr_scheduler *s) {
    if (!s) return;
    stop_workers(s);
    for (uint32_t i = 0; i < s->worker_count; i++) wr_mutex_deinit(&s->workers[i].lock);
    wr_condition_deinit(&s->sleep);
    wr_mutex_deinit(&s->sleep_lock);
    wr_free(s->allocator, s->workers, sizeof(worker) * s->worker_count);
    wr_free(s->allocator, s, sizeof *s);
}

wr_status wr_task_group_create(wr_task_group **out, wr_scheduler *s, wr_allocator *a, wr_error *err) {
    wr_task_group *group = *out = wr_alloc_zeroed(a, sizeof *group);
    if (!group) return wr_fail_memory(err, sizeof *group, "task group");
    group->scheduler = s;
    group->allocator = a;
    wr_mutex_init(&group->lock);
    wr_condition_init(&group->idle);
    return WR_OK;
}

void wr_task_group_destroy(wr_task_group *group) {
    if (!group) return;
    wr_mutex_lock(&group->lock);
    while (group->live) wr_condition_wait(&group->idle, &group->lock, -1);
    wr_mutex_unlock(&group->lock);
    wr_condition_deinit(&group->idle);
    wr_mutex_deinit(&group->lock);
    wr_free(group->allocator, group, sizeof *group);
}

static void task_wake(wr_waker *waker) {
    wr_task *task = (wr_task *)((char *)waker - offsetof(wr_task, waker));
    for (;;) {
        int seen = task->state;
        int wanted = seen == TASK_PARKED ? TASK_QUEUED : seen == TASK_RUNNING ? TASK_RUNNING_WOKEN : seen;
        if (wanted == seen) return;
        if (__atomic_compare_exchange_n((int *)&task->state, &seen, wanted, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
            if (wanted == TASK_QUEUED) enqueue(task->group->scheduler, task);
            return;
        }
    }
}

void wr_task_init(wr_task *task, wr_task_group *group, wr_task_result (*run)(wr_task *task, uint32_t worker)) {
    *task = (wr_task){.run = run, .waker = {.wake = task_wake}, .group = group, .state = TASK_IDLE};
}

void wr_task_submit(wr_task *task) {
    wr_task_group *group = task->group;
    wr_mutex_lock(&group->lock);
    group->live++;
    wr_mutex_unlock(&group->lock);
    task->state = TASK_QUEUED;
    enqueue(group->scheduler, task);
}

void wr_wait_list_add(wr_wait_list *list, wr_waker *waker) {
    for (wr_waker *w = list->first; w; w = w->next) {
        if (w == waker) return;
    }
    waker->next = list->first;
    list->first = waker;
}

void wr_wait_list_wake(wr_wait_list *list) {
    wr_waker *waker = list->first;
    list->first = NULL;
    while (waker) {
        wr_waker *next = waker->next;
        waker->next = NULL;
        waker->wake(waker);
        waker = next;
    }
}
