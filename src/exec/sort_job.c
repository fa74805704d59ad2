/* What is done between the last row in and the first row out, in jobs that the sink's finish tasks share:
 *
 *   SORT    pages of a store become a run in memory. Stores are cut so that every thread gets as much, whatever the locals had
 *   SPILL   a store goes to disk: all of them do when one did, or when what they hold leaves too little for who comes next
 *   JOIN    runs on disk become one, while there are more than can be merged with a page of each in memory
 *
 * A pass of JOINs begins when the jobs before it have ended. */
#include "exec/sort_internal.h"

enum {
    JOB_ROWS_MIN = 1 << 16,
    FORCED_RUNS_MAX = 3, /* to be merged at once, when spilling is forced */
};

enum job_kind { JOB_SORT, JOB_SPILL, JOB_JOIN };

struct wr_sort_job {
    uint8_t kind; /* enum job_kind */
    uint8_t row_class;
    wr_sort_store *store;
    const wr_row_page *page; /* SORT: the first of `count` */
    uint32_t first, count;   /* JOIN: of the class's runs */
    uint32_t number;
};

static wr_status add_job(wr_sort *sort, wr_sort_job job, wr_error *err) {
    WR_TRY(wr_grow(sort->allocator, (void **)&sort->jobs, &sort->job_capacity, sort->job_count, 1, sizeof job, err));
    sort->jobs[sort->job_count++] = job;
    return WR_OK;
}

/* ---- what there is to do ---- */

static wr_status cut_store(wr_sort *sort, wr_sort_store *store, uint64_t job_rows, wr_error *err) {
    if (store->rising || store->falling) job_rows = UINT64_MAX;
    for (const wr_row_page *page = store->rows.first; page;) {
        wr_sort_job job = {.kind = JOB_SORT, .store = store, .page = page, .number = store->run_count++};
        for (uint64_t rows = 0; page && rows < job_rows; page = page->next, job.count++) rows += page->row_count;
        WR_TRY(add_job(sort, job, err));
    }
    return WR_OK;
}

/* Whether rows had better go to disk, so that those who read them get memory. */
static bool leaves_too_little(const wr_sort *sort) {
    return sort->held_bytes && wr_budget_available(sort->budget) < sort->held_bytes / 4;
}

wr_status wr_sort_jobs_init(wr_sort *sort, uint32_t *task_count, wr_error *err) {
    uint64_t rows = 0;
    bool spills = sort->has_spilled || sort->exec->force_spill || leaves_too_little(sort);
    WR_TRY(wr_sort_rank_morsels(sort, err));
    for (const wr_sort_store *store = sort->stores; store; store = store->next) {
        rows += store->rows.row_count;
    }
    uint32_t threads = sort->exec->thread_count ? sort->exec->thread_count : 1;
    uint64_t job_rows = (rows + threads - 1) / threads;
    if (job_rows < JOB_ROWS_MIN) job_rows = JOB_ROWS_MIN;
    for (wr_sort_store *store = sort->stores; store; store = store->next) {
        if (!spills) {
            WR_TRY(cut_store(sort, store, job_rows, err));
        } else if (store->rows.row_count) {
            WR_TRY(add_job(sort, (wr_sort_job){.kind = JOB_SPILL, .store = store}, err));
        }
    }
    wr_budget_set_spillable(sort->budget, 0);
    *task_count = sort->job_count < threads && !sort->has_spilled ? sort->job_count : threads;
    return WR_OK;
}

void wr_sort_jobs_deinit(wr_sort *sort) {
    wr_free(sort->allocator, sort->jobs, sizeof(wr_sort_job) * sort->job_capacity);
    sort->jobs = NULL;
    sort->job_count = sort->job_capacity = 0;
}

/* ---- passes over runs on disk ---- */

/* Runs that can be merged with all that memory gives. */
static uint32_t runs_at_once(const wr_sort *sort, const wr_sort_runs *runs) {
    if (sort->exec->force_spill) return FORCED_RUNS_MAX;
    size_t room = wr_budget_available(sort->budget) / 2;
    uint32_t count = 0;
    while (count < runs->count && wr_sort_merge_bytes(runs->items, count + 1) <= room) count++;
    return count < 2 ? 2 : count;
}

/* sort->lock is held, no job is running: jobs that bring the number of runs down, if there are too many. */
static wr_status add_joins(wr_sort *sort, wr_error *err) {
    if (!sort->has_spilled) return WR_OK;
    WR_TRY(wr_sort_collect_runs(sort, err));
    for (unsigned c = 0; c < WR_SORT_CLASSES; c++) {
        const wr_sort_runs *runs = &sort->class_runs[c];
        uint32_t at_once = runs_at_once(sort, runs);
        if (runs->count <= at_once) continue;
        /* Side by side with other jobs where that leaves enough for each. */
        uint32_t threads = sort->exec->thread_count, each = at_once / (threads ? threads : 1);
        if (each < 8) each = at_once;
        for (uint32_t first = 0; first < runs->count; first += each) {
            uint32_t count = runs->count - first < each ? runs->count - first : each;
            wr_sort_job job = {.kind = JOB_JOIN, .row_class = (uint8_t)c, .first = first, .count = count};
            if (count > 1) WR_TRY(add_job(sort, job, err));
        }
    }
    return WR_OK;
}

/* ---- doing it ---- */

static wr_status run_join_job(wr_sort *sort, const wr_sort_job *job, wr_error *err) {
    wr_sort_runs *runs = &sort->class_runs[job->row_class];
    wr_sort_run *joined;
    WR_TRY(wr_sort_runs_join(sort, runs->items + job->first, job->count, &joined, err));
    runs->items[job->first] = joined;
    for (uint32_t i = 1; i < job->count; i++) runs->items[job->first + i] = NULL;
    return WR_OK;
}

/* Room for the pages of a join; false when the waker was parked. */
static wr_status reserve_join(wr_sort *sort, const wr_sort_job *job, size_t *granted, bool *parked, wr_waker *waker) {
    size_t bytes = wr_sort_merge_bytes(sort->class_runs[job->row_class].items + job->first, job->count);
    wr_budget_answer answer = wr_budget_request(sort->budget, bytes, waker);
    *parked = answer == WR_BUDGET_PARKED;
    *granted = answer == WR_BUDGET_GRANTED ? bytes : 0;
    return WR_OK;
}

static wr_status run_job(wr_sort *sort, const wr_sort_job *job, wr_flow *flow, wr_waker *waker, wr_error *err) {
    *flow = WR_NEED_INPUT;
    if (job->kind == JOB_SORT) return wr_sort_store_sort(sort, job->store, job->page, job->count, job->number, err);
    if (job->kind == JOB_SPILL) return wr_sort_store_spill(sort, job->store, err);
    size_t granted;
    bool parked;
    WR_TRY(reserve_join(sort, job, &granted, &parked, waker));
    if (parked) {
        *flow = WR_BLOCKED;
        return WR_OK;
    }
    wr_status status = run_join_job(sort, job, err);
    if (granted) wr_budget_settle(sort->budget, granted);
    return status;
}

wr_status wr_sort_jobs_step(wr_sort *sort, wr_flow *flow, wr_waker *waker, wr_error *err) {
    wr_sort_job job;
    wr_status status = WR_OK;
    wr_mutex_lock(&sort->lock);
    if (sort->next_job == sort->job_count && sort->running_jobs == 0) status = add_joins(sort, err);
    bool taken = status == WR_OK && sort->next_job < sort->job_count, waits = !taken && sort->running_jobs;
    if (taken) {
        job = sort->jobs[sort->next_job++];
        sort->running_jobs++;
    } else if (waits) {
        wr_wait_list_add(&sort->waiting, waker);
    }
    wr_mutex_unlock(&sort->lock);
    *flow = waits ? WR_BLOCKED : WR_DONE;
    if (status != WR_OK || !taken) return status;
    status = run_job(sort, &job, flow, waker, err);
    wr_mutex_lock(&sort->lock);
    sort->running_jobs--;
    if (status == WR_OK && *flow == WR_BLOCKED) {
        wr_status grown = add_job(sort, job, err); /* for whoever comes first */
        status = grown;
    }
    wr_wait_list_wake(&sort->waiting);
    wr_mutex_unlock(&sort->lock);
    return status;
}
