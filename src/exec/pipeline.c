/* The graph of pipelines: who waits for whom, how an epoch ends, how errors stop everything.
 *
 * Life of an epoch in one pipeline: tasks take morsels until the source says that the epoch ends. Each task then
 * combines its sink state and arrives; the last one to arrive gives the control message to the source and the operators
 * and arrives at the sink's gate. A gate opens when all pipelines that feed the sink have arrived: the sink gets the
 * message, tasks that wait there share its finish tasks, and when the last of those is done the epoch is complete:
 * whoever depends on it is woken.
 *
 * Start order: pipelines are started in the order in which they were added, each when its dependencies have completed
 * their first epoch, and only while fewer tasks are active than the query has threads; so memory of two builds is not
 * held at once where one after the other does, and the tail of one pipeline overlaps the start of the next. */
#include "exec/pipeline_internal.h"

wr_status wr_pipeline_set_create(wr_pipeline_set **out, wr_exec *exec, wr_error *err) {
    wr_pipeline_set *set = *out = wr_alloc_zeroed(exec->allocator, sizeof *set);
    if (!set) return wr_fail_memory(err, sizeof *set, "pipelines");
    set->exec = exec;
    wr_mutex_init(&set->lock);
    wr_condition_init(&set->changed);
    wr_error_clear(&set->error);
    return WR_OK;
}

static void destroy_gate(wr_pipeline_set *set, wr_sink_gate *gate) {
    gate->sink->ops->destroy(gate->sink);
    wr_free(set->exec->allocator, gate->ends, sizeof *gate->ends * gate->ends_capacity);
    wr_mutex_deinit(&gate->lock);
    wr_free(set->exec->allocator, gate, sizeof *gate);
}

static void destroy_pipeline(wr_pipeline_set *set, wr_pipeline *p) {
    for (uint32_t i = 0; i < p->task_count; i++) wr_pipeline_task_drop_locals(&p->tasks[i]);
    wr_free(set->exec->allocator, p->tasks, sizeof(wr_pipeline_task) * p->task_count);
    p->source->ops->destroy(p->source);
    for (uint32_t i = 0; i < p->operator_count; i++) p->operators[i]->ops->destroy(p->operators[i]);
    wr_mutex_deinit(&p->lock);
    wr_mutex_deinit(&p->next_lock);
    wr_free(set->exec->allocator, p, sizeof *p);
}

void wr_pipeline_set_destroy(wr_pipeline_set *set) {
    if (!set) return;
    wr_pipeline_set_stop(set, WR_CANCELLED, "the query was closed");
    wr_mutex_lock(&set->lock);
    while (set->live_tasks) wr_condition_wait(&set->changed, &set->lock, -1);
    wr_mutex_unlock(&set->lock);
    wr_allocator *a = set->exec->allocator;
    for (uint32_t i = 0; i < set->pipeline_count; i++) destroy_pipeline(set, set->pipelines[i]);
    for (uint32_t i = 0; i < set->gate_count; i++) destroy_gate(set, set->gates[i]);
    wr_free(a, set->pipelines, sizeof(wr_pipeline *) * set->pipeline_capacity);
    wr_free(a, set->gates, sizeof(wr_sink_gate *) * set->gate_capacity);
    wr_condition_deinit(&set->changed);
    wr_mutex_deinit(&set->lock);
    wr_free(a, set, sizeof *set);
}

/* ---- building ---- */

static wr_status gate_of(wr_pipeline_set *set, wr_sink *sink, wr_sink_gate **out, wr_error *err) {
    for (uint32_t i = 0; i < set->gate_count; i++) {
        if (set->gates[i]->sink == sink) {
            *out = set->gates[i];
            return WR_OK;
        }
    }
    wr_allocator *a = set->exec->allocator;
    WR_TRY(wr_grow(a, (void **)&set->gates, &set->gate_capacity, set->gate_count, 1, sizeof(wr_sink_gate *), err));
    wr_sink_gate *gate = *out = wr_alloc_zeroed(a, sizeof *gate);
    if (!gate) return wr_fail_memory(err, sizeof *gate, "pipelines");
    gate->sink = sink;
    gate->control.watermark = WR_WATERMARK_INFINITY;
    wr_mutex_init(&gate->lock);
    set->gates[set->gate_count++] = gate;
    return WR_OK;
}

/* On failure source and sink are still taken: they are destroyed, the sink unless another pipeline feeds it too. */
wr_status wr_pipeline_add(wr_pipeline_set *set, wr_pipeline **out, wr_source *source, wr_sink *sink, wr_error *err) {
    *out = NULL;
    wr_allocator *a = set->exec->allocator;
    wr_sink_gate *gate = NULL;
    wr_pipeline *p = NULL;
    wr_status status = gate_of(set, sink, &gate, err);
    if (status != WR_OK) {
        source->ops->destroy(source);
        sink->ops->destroy(sink);
        return status;
    }
    status = wr_grow(a, (void **)&set->pipelines, &set->pipeline_capacity, set->pipeline_count, 1,
                     sizeof(wr_pipeline *), err);
    if (status == WR_OK) {
        p = wr_alloc_zeroed(a, sizeof *p);
        if (!p) status = wr_fail_memory(err, sizeof *p, "pipeline");
    }
    if (status != WR_OK) {
        source->ops->destroy(source);
        return status;
    }
    p->set = set;
    p->index = set->pipeline_count;
    p->source = source;
    p->gate = gate;
    gate->input_count++;
    wr_mutex_init(&p->lock);
    wr_mutex_init(&p->next_lock);
    set->pipelines[set->pipeline_count++] = *out = p;
    return WR_OK;
}

wr_status wr_pipeline_push_operator(wr_pipeline *p, wr_operator *op, wr_error *err) {
    if (p->operator_count == WR_PIPELINE_OPERATORS_MAX) {
        op->ops->destroy(op);
        return wr_fail(err, WR_LIMIT, "the query has more than %d operators in one pipeline",
                       WR_PIPELINE_OPERATORS_MAX);
    }
    p->operators[p->operator_count++] = op;
    return WR_OK;
}

wr_status wr_pipeline_depend(wr_pipeline *p, wr_pipeline *on, wr_error *err) {
    for (uint32_t i = 0; i < p->dependency_count; i++) {
        if (p->dependencies[i] == on) return WR_OK;
    }
    if (p->dependency_count == WR_PIPELINE_DEPENDENCIES_MAX) {
        return wr_fail(err, WR_LIMIT, "a pipeline of the query waits for more than %d others",
                       WR_PIPELINE_DEPENDENCIES_MAX);
    }
    p->dependencies[p->dependency_count++] = on;
    return WR_OK;
}

uint32_t wr_pipeline_index(const wr_pipeline *p) {
    return p->index;
}

/* ---- starting ---- */

static bool dependencies_complete(wr_pipeline *p, uint64_t epoch, wr_sink_gate **missing) {
    for (uint32_t i = 0; i < p->dependency_count; i++) {
        wr_sink_gate *gate = p->dependencies[i]->gate;
        if (gate->completed <= epoch && !gate->ended) {
            *missing = gate;
            return false;
        }
    }
    return true;
}

/* set->lock is held. Submits tasks of pipelines that may start, oldest first. */
static void start_ready(wr_pipeline_set *set) {
    wr_sink_gate *missing;
    for (uint32_t i = 0; i < set->pipeline_count && set->active_tasks < set->exec->thread_count; i++) {
        wr_pipeline *p = set->pipelines[i];
        if (p->started || set->failed || !dependencies_complete(p, 0, &missing)) continue;
        p->started = true;
        set->live_tasks += p->task_count;
        set->active_tasks += p->task_count;
        for (uint32_t t = 0; t < p->task_count; t++) wr_task_submit(&p->tasks[t].task);
    }
}

wr_status wr_pipeline_set_start(wr_pipeline_set *set, wr_error *err) {
    for (uint32_t i = 0; i < set->pipeline_count; i++) {
        wr_pipeline *p = set->pipelines[i];
        p->tasks = wr_alloc_zeroed(set->exec->allocator, sizeof(wr_pipeline_task) * set->exec->thread_count);
        if (!p->tasks) {
            return wr_fail_memory(err, sizeof(wr_pipeline_task) * set->exec->thread_count, "pipeline tasks");
        }
        p->task_count = set->exec->thread_count;
        for (uint32_t t = 0; t < p->task_count; t++) {
            wr_task_init(&p->tasks[t].task, set->exec->group, wr_pipeline_task_run);
            p->tasks[t].pipeline = p;
        }
    }
    wr_mutex_lock(&set->lock);
    start_ready(set);
    wr_mutex_unlock(&set->lock);
    return WR_OK;
}

void wr_pipeline_set_count(wr_pipeline_set *set, int active, bool done) {
    wr_mutex_lock(&set->lock);
    set->active_tasks = (uint32_t)((int)set->active_tasks + active);
    if (done) set->live_tasks--;
    if (active <= 0) start_ready(set);
    if (done && (set->live_tasks == 0 || set->ended_gates == set->gate_count)) wr_condition_broadcast(&set->changed);
    wr_mutex_unlock(&set->lock);
}

/* ---- the end of an epoch ---- */

static wr_status control_nodes(wr_pipeline *p, const wr_control *control, wr_error *err) {
    if (p->source->ops->control) WR_TRY(p->source->ops->control(p->source, control, err));
    for (uint32_t i = 0; i < p->operator_count; i++) {
        wr_operator *op = p->operators[i];
        if (op->ops->control) WR_TRY(op->ops->control(op, control, err));
    }
    return WR_OK;
}

/* The first epoch that some pipeline behind the gate still works on. */
static uint64_t oldest_reader(wr_pipeline_set *set, const wr_sink_gate *gate) {
    uint64_t oldest = UINT64_MAX;
    for (uint32_t i = 0; i < set->pipeline_count; i++) {
        wr_pipeline *p = set->pipelines[i];
        bool reads = false;
        for (uint32_t d = 0; d < p->dependency_count; d++) reads |= p->dependencies[d]->gate == gate;
        if (!reads) continue;
        wr_mutex_lock(&p->lock);
        if (p->epoch < oldest) oldest = p->epoch;
        wr_mutex_unlock(&p->lock);
    }
    return oldest;
}

/* Room for the end of one more epoch; ends that everybody has seen are forgotten. */
static wr_status reserve_end(wr_pipeline_set *set, wr_sink_gate *gate, wr_error *err) {
    uint64_t oldest = gate->ends_count == gate->ends_capacity ? oldest_reader(set, gate) : 0;
    wr_mutex_lock(&gate->lock);
    uint64_t seen = oldest > gate->ends_first ? oldest - gate->ends_first : 0;
    uint32_t drop = seen < gate->ends_count ? (uint32_t)seen : gate->ends_count;
    gate->ends_first += drop;
    gate->ends_count -= drop;
    if (drop) memmove(gate->ends, gate->ends + drop, sizeof *gate->ends * gate->ends_count);
    wr_status status = wr_grow(set->exec->allocator, (void **)&gate->ends, &gate->ends_capacity, gate->ends_count, 1,
                               sizeof *gate->ends, err);
    wr_mutex_unlock(&gate->lock);
    return status;
}

wr_control wr_pipeline_input_end(wr_pipeline *p, uint64_t epoch) {
    wr_control end = {.kind = WR_END, .epoch = epoch, .watermark = WR_WATERMARK_INFINITY};
    for (uint32_t i = 0; i < p->dependency_count; i++) {
        wr_sink_gate *gate = p->dependencies[i]->gate;
        wr_mutex_lock(&gate->lock);
        if (epoch < gate->completed) {
            const wr_control *theirs = &gate->ends[epoch - gate->ends_first];
            if (theirs->watermark < end.watermark) end.watermark = theirs->watermark;
            if (theirs->kind < end.kind) end.kind = theirs->kind;
        }
        wr_mutex_unlock(&gate->lock);
    }
    return end;
}

/* gate->lock is held; true when this was the last epoch, and then gate_ended follows without the lock. */
static bool complete_epoch(wr_sink_gate *gate) {
    gate->finishing = false;
    gate->arrived = 0;
    gate->ends[gate->ends_count++] = gate->control;
    if (gate->control.kind == WR_END) gate->ended = true;
    gate->control = (wr_control){.watermark = WR_WATERMARK_INFINITY};
    gate->completed++;
    wr_wait_list_wake(&gate->waiting);
    return gate->ended;
}

static void gate_ended(wr_pipeline_set *set) {
    wr_mutex_lock(&set->lock);
    if (++set->ended_gates == set->gate_count) wr_condition_broadcast(&set->changed);
    wr_mutex_unlock(&set->lock);
}

static wr_status gate_arrive(wr_sink_gate *gate, wr_pipeline *p, const wr_control *control, wr_error *err) {
    wr_pipeline_set *set = p->set;
    if (gate->sink->ops->input_done) gate->sink->ops->input_done(gate->sink, p->index);
    wr_mutex_lock(&gate->lock);
    if (control->watermark < gate->control.watermark) gate->control.watermark = control->watermark;
    if (gate->arrived == 0 || control->kind < gate->control.kind) gate->control.kind = control->kind;
    gate->control.epoch = control->epoch;
    bool last = ++gate->arrived == gate->input_count;
    wr_control merged = gate->control;
    wr_mutex_unlock(&gate->lock);
    if (!last) return WR_OK;
    WR_TRY(reserve_end(set, gate, err));
    /* Nobody else touches the gate's finish state until `finishing` is set. */
    uint32_t task_count = 0;
    if (gate->sink->ops->control) WR_TRY(gate->sink->ops->control(gate->sink, &merged, &task_count, err));
    wr_mutex_lock(&gate->lock);
    gate->finish_total = task_count;
    gate->finish_next = gate->finish_done = 0;
    gate->finishing = task_count > 0;
    bool ended = false;
    if (gate->finishing) {
        wr_wait_list_wake(&gate->waiting);
    } else {
        ended = complete_epoch(gate);
    }
    wr_mutex_unlock(&gate->lock);
    if (ended) gate_ended(set);
    return WR_OK;
}

wr_status wr_pipeline_arrive(wr_pipeline_task *t, wr_error *err) {
    wr_pipeline *p = t->pipeline;
    wr_mutex_lock(&p->lock);
    bool last = ++p->arrived == p->task_count;
    wr_mutex_unlock(&p->lock);
    if (!last) return WR_OK;
    wr_control control = p->ending;
    /* A watermark is the least over all inputs: also of those that come in through what this pipeline depends on. */
    wr_control inputs = wr_pipeline_input_end(p, t->epoch);
    if (inputs.watermark < control.watermark) control.watermark = inputs.watermark;
    WR_TRY(control_nodes(p, &control, err));
    wr_mutex_lock(&p->lock);
    p->arrived = 0;
    p->epoch++;
    wr_mutex_unlock(&p->lock);
    wr_mutex_lock(&p->next_lock);
    p->epoch_ending = control.kind == WR_END;
    wr_mutex_unlock(&p->next_lock);
    return gate_arrive(p->gate, p, &control, err);
}

bool wr_gate_wait(wr_sink_gate *gate, wr_pipeline_task *t) {
    wr_mutex_lock(&gate->lock);
    bool complete = gate->completed > t->epoch;
    if (!complete) {
        if (gate->finishing && gate->finish_next < gate->finish_total) {
            t->finish_claimed = true;
            t->finish_index = gate->finish_next++;
        } else {
            wr_wait_list_add(&gate->waiting, &t->task.waker);
        }
    }
    wr_mutex_unlock(&gate->lock);
    return complete;
}

void wr_gate_finish_done(wr_sink_gate *gate, wr_pipeline_set *set) {
    wr_mutex_lock(&gate->lock);
    bool ended = ++gate->finish_done == gate->finish_total && complete_epoch(gate);
    wr_mutex_unlock(&gate->lock);
    if (ended) gate_ended(set);
}

bool wr_pipeline_ready(wr_pipeline *p, uint64_t epoch, wr_pipeline_task *t) {
    wr_sink_gate *missing;
    while (!dependencies_complete(p, epoch, &missing)) {
        wr_mutex_lock(&missing->lock);
        bool waiting = !(missing->completed > epoch || missing->ended);
        if (waiting) wr_wait_list_add(&missing->waiting, &t->task.waker);
        wr_mutex_unlock(&missing->lock);
        if (waiting) return false;
    }
    return true;
}

/* ---- stopping ---- */

/* Tasks may be parked at a gate, at a budget or at a queue: all are woken, see `cancelled` and end. */
static void wake_tasks(wr_pipeline_set *set) {
    for (uint32_t i = 0; i < set->gate_count; i++) {
        wr_mutex_lock(&set->gates[i]->lock);
        set->gates[i]->waiting.first = NULL;
        wr_mutex_unlock(&set->gates[i]->lock);
    }
    for (uint32_t i = 0; i < set->pipeline_count; i++) {
        wr_pipeline *p = set->pipelines[i];
        for (uint32_t t = 0; p->started && t < p->task_count; t++) {
            wr_task *task = &p->tasks[t].task;
            task->waker.wake(&task->waker);
        }
    }
}

void wr_pipeline_set_fail(wr_pipeline_set *set, const wr_error *err) {
    wr_mutex_lock(&set->lock);
    bool first = !set->failed;
    if (first) {
        set->failed = true;
        set->error = *err;
        set->exec->cancelled = true;
        for (uint32_t i = 0; i < set->gate_count; i++) {
            wr_sink *sink = set->gates[i]->sink;
            if (sink->ops->abort) sink->ops->abort(sink);
        }
        wake_tasks(set);
        wr_condition_broadcast(&set->changed);
    }
    wr_mutex_unlock(&set->lock);
}

void wr_pipeline_set_stop(wr_pipeline_set *set, wr_status reason, const char *message) {
    wr_error err;
    wr_error_clear(&err);
    (void)!wr_fail(&err, reason, "%s", message);
    wr_pipeline_set_fail(set, &err);
}

wr_status wr_pipeline_set_wait(wr_pipeline_set *set, int64_t timeout_ns, wr_error *err) {
    int64_t deadline = timeout_ns < 0 ? 0 : wr_clock_monotonic_ns() + timeout_ns;
    wr_status status = WR_OK;
    wr_mutex_lock(&set->lock);
    while (!set->failed && (set->ended_gates < set->gate_count || set->live_tasks)) {
        int64_t left = timeout_ns < 0 ? -1 : deadline - wr_clock_monotonic_ns();
        if (timeout_ns >= 0 && left <= 0) {
            status = wr_fail(err, WR_TIMED_OUT, "the query is still running");
            break;
        }
        wr_condition_wait(&set->changed, &set->lock, left);
    }
    if (set->failed) {
        if (err) *err = set->error;
        status = set->error.code;
    }
    wr_mutex_unlock(&set->lock);
    return status;
}

double wr_pipeline_set_progress(wr_pipeline_set *set) {
    double sum = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < set->pipeline_count; i++) {
        wr_pipeline *p = set->pipelines[i];
        wr_mutex_lock(&p->gate->lock);
        bool ended = p->gate->ended;
        wr_mutex_unlock(&p->gate->lock);
        if (ended) {
            sum += 1;
        } else if (p->source->ops->progress) {
            sum += p->source->ops->progress(p->source);
        }
        count++;
    }
    return count ? sum / count : 1;
}

void wr_pipeline_set_each(wr_pipeline_set *set,
                          void (*each)(void *user, uint32_t pipeline, const wr_node_base *node, const char *kind),
                          void *user) {
    for (uint32_t i = 0; i < set->pipeline_count; i++) {
        wr_pipeline *p = set->pipelines[i];
        each(user, i, &p->source->base, p->source->ops->name);
        for (uint32_t k = 0; k < p->operator_count; k++) {
            wr_operator *op = p->operators[k];
            each(user, i, &op->base, op->ops->name);
            wr_source *inner = op->ops->reads ? op->ops->reads(op) : NULL;
            if (inner) each(user, i, &inner->base, inner->ops->name);
        }
        each(user, i, &p->gate->sink->base, p->gate->sink->ops->name);
    }
}

/* ---- node_base ---- */

void wr_node_base_init(wr_node_base *base, wr_exec *exec, const char *label, uint32_t logical_id) {
    *base = (wr_node_base){.exec = exec, .label = label, .logical_id = logical_id};
    wr_mutex_init(&base->lock);
}

wr_status wr_node_base_add_budget(wr_node_base *base, wr_error *err) {
    return wr_budget_create(&base->budget, base->exec->budget, NULL, base->label, WR_BUDGET_NO_LIMIT, err);
}

void wr_node_base_deinit(wr_node_base *base) {
    if (base->budget) wr_budget_close(base->budget);
    base->budget = NULL;
    wr_mutex_deinit(&base->lock);
}

void wr_node_count(wr_node_base *base, const wr_counters *add) {
    wr_mutex_lock(&base->lock);
    base->counters.rows_out += add->rows_out;
    base->counters.batches_out += add->batches_out;
    base->counters.busy_ns += add->busy_ns;
    base->counters.spilled_bytes += add->spilled_bytes;
    base->counters.folded_rows += add->folded_rows;
    wr_mutex_unlock(&base->lock);
}
