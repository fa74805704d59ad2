/* One task's way through a pipeline: a state machine that can stop at every call and go on with the same input.
 *
 *   WAIT -> NEXT -> READ -> PUSH … -> READ -> FLUSH (-> PUSH …) -> NEXT … -> ARRIVE -> FINISH -> WAIT (next epoch) or
 * done
 *
 * PUSH walks levels: inputs[level] goes to operator `level` (the sink at the top). HAVE_OUTPUT climbs; NEED_INPUT goes
 * down to the operator that made this input, which may have more, until the floor. All of it is in the task, so BLOCKED
 * at any level is a return, and any worker goes on later. */
#include "exec/pipeline_internal.h"

/* A piece of work is over after this long: others get their turn, and a fair one. */
enum { SLICE_NS = 2 * 1000 * 1000 };

typedef enum task_step { STEP_ON, STEP_PARKED, STEP_DONE } task_step;

static wr_status create_locals(wr_pipeline_task *t, wr_error *err) {
    wr_pipeline *p = t->pipeline;
    t->has_locals = true;
    if (p->source->ops->local_create) WR_TRY(p->source->ops->local_create(p->source, &t->source_local, err));
    for (uint32_t i = 0; i < p->operator_count; i++) {
        wr_operator *op = p->operators[i];
        if (op->ops->local_create) WR_TRY(op->ops->local_create(op, &t->locals[i], err));
    }
    wr_sink *sink = p->gate->sink;
    if (sink->ops->local_create) WR_TRY(sink->ops->local_create(sink, &t->sink_local, err));
    return WR_OK;
}

/* What this task counted goes to the nodes. */
static void give_counters(wr_pipeline_task *t) {
    wr_pipeline *p = t->pipeline;
    wr_node_count(&p->source->base, &t->source_counters);
    for (uint32_t i = 0; i < p->operator_count; i++) wr_node_count(&p->operators[i]->base, &t->counters[i]);
    wr_node_count(&p->gate->sink->base, &t->counters[p->operator_count]);
    t->source_counters = (wr_counters){0};
    memset(t->counters, 0, sizeof t->counters);
}

void wr_pipeline_task_drop_locals(wr_pipeline_task *t) {
    wr_pipeline *p = t->pipeline;
    wr_sink *sink = p->gate->sink;
    if (t->has_locals) give_counters(t);
    if (t->sink_local) sink->ops->local_destroy(sink, t->sink_local);
    for (uint32_t i = p->operator_count; i-- > 0;) {
        if (t->locals[i]) p->operators[i]->ops->local_destroy(p->operators[i], t->locals[i]);
        t->locals[i] = NULL;
    }
    if (t->source_local) p->source->ops->local_destroy(p->source, t->source_local);
    t->sink_local = t->source_local = NULL;
    t->has_locals = false;
}

static void end_epoch(wr_pipeline *p, const wr_control *control) {
    if (!p->epoch_ending) p->ending = *control;
    p->epoch_ending = true;
}

/* An operator or the sink wants no more rows: the source is not asked again. */
static void stop_source(wr_pipeline_task *t) {
    wr_pipeline *p = t->pipeline;
    wr_control end = {.kind = WR_END, .epoch = t->epoch, .watermark = WR_WATERMARK_INFINITY};
    wr_mutex_lock(&p->next_lock);
    end_epoch(p, &end);
    wr_mutex_unlock(&p->next_lock);
}

static wr_status take_morsel(wr_pipeline_task *t, task_step *step, wr_error *err) {
    wr_pipeline *p = t->pipeline;
    wr_flow flow = WR_DONE;
    wr_control control = wr_pipeline_input_end(p, t->epoch);
    wr_status status = WR_OK;
    wr_mutex_lock(&p->next_lock);
    if (!p->epoch_ending) {
        status = p->source->ops->next(p->source, &t->morsel, &control, &flow, &t->task.waker, err);
        if (status == WR_OK && flow == WR_DONE) end_epoch(p, &control);
    }
    wr_mutex_unlock(&p->next_lock);
    WR_TRY(status);
    if (flow == WR_BLOCKED) {
        *step = STEP_PARKED;
    } else if (flow == WR_DONE) {
        t->phase = WR_PHASE_ARRIVE;
    } else {
        if (!t->has_locals) WR_TRY(create_locals(t, err));
        t->read_sequence = t->sink_sequence = 0;
        t->phase = WR_PHASE_READ;
    }
    return WR_OK;
}

static void push_from(wr_pipeline_task *t, uint32_t level, wr_batch *batch) {
    t->inputs[level] = batch;
    t->level = t->floor = level;
    t->phase = WR_PHASE_PUSH;
}

/* The driver counts the rows that come out and, under EXPLAIN ANALYZE, the time: nodes need not. */
static int64_t clock_start(const wr_pipeline_task *t) {
    return t->pipeline->set->exec->measure ? wr_clock_monotonic_ns() : 0;
}

static void count_call(const wr_pipeline_task *t, wr_counters *c, int64_t started, const wr_batch *out) {
    if (t->pipeline->set->exec->measure) c->busy_ns += (uint64_t)(wr_clock_monotonic_ns() - started);
    if (out) {
        c->rows_out += out->sel_count;
        c->batches_out++;
    }
}

static wr_status read_batch(wr_pipeline_task *t, task_step *step, wr_error *err) {
    wr_source *source = t->pipeline->source;
    wr_batch *batch = NULL;
    wr_flow flow;
    int64_t started = clock_start(t);
    WR_TRY(source->ops->read(source, t->source_local, &t->morsel, &batch, &flow, &t->task.waker, err));
    count_call(t, &t->source_counters, started, flow == WR_HAVE_OUTPUT ? batch : NULL);
    if (flow == WR_BLOCKED) {
        *step = STEP_PARKED;
    } else if (flow == WR_HAVE_OUTPUT) {
        batch->ordinal = (wr_ordinal){t->pipeline->index, t->read_sequence++, t->morsel.index};
        t->flushing = false;
        push_from(t, 0, batch);
    } else {
        t->flush_level = 0;
        t->phase = WR_PHASE_FLUSH;
    }
    return WR_OK;
}

/* Back to where the batch at the floor came from. */
static void leave_push(wr_pipeline_task *t) {
    t->phase = t->flushing ? WR_PHASE_FLUSH : WR_PHASE_READ;
}

static wr_status push_level(wr_pipeline_task *t, task_step *step, wr_error *err) {
    wr_pipeline *p = t->pipeline;
    wr_batch *in = t->inputs[t->level], *out = NULL;
    wr_counters *counters = &t->counters[t->level];
    int64_t started = clock_start(t);
    wr_flow flow;
    if (t->level == p->operator_count) {
        in->ordinal.sequence = t->sink_sequence;
        WR_TRY(p->gate->sink->ops->consume(p->gate->sink, t->sink_local, in, &flow, &t->task.waker, err));
        if (flow == WR_NEED_INPUT) t->sink_sequence++;
        count_call(t, counters, started, NULL);
    } else {
        wr_operator *op = p->operators[t->level];
        wr_ordinal ordinal = in->ordinal;
        WR_TRY(op->ops->push(op, t->locals[t->level], in, &out, &flow, &t->task.waker, err));
        count_call(t, counters, started, flow == WR_HAVE_OUTPUT ? out : NULL);
        if (flow == WR_HAVE_OUTPUT) {
            out->ordinal = ordinal;
            t->inputs[++t->level] = out;
            return WR_OK;
        }
    }
    if (flow == WR_BLOCKED) {
        *step = STEP_PARKED;
    } else if (flow == WR_DONE) {
        stop_source(t);
        t->flush_level = t->level + 1; /* operators above may hold rows of this morsel */
        t->phase = WR_PHASE_FLUSH;
    } else if (t->level == t->floor) {
        leave_push(t);
    } else {
        t->level--;
    }
    return WR_OK;
}

static wr_status flush_level(wr_pipeline_task *t, task_step *step, wr_error *err) {
    wr_pipeline *p = t->pipeline;
    while (t->flush_level < p->operator_count) {
        wr_operator *op = p->operators[t->flush_level];
        if (op->ops->flush) {
            wr_batch *out = NULL;
            wr_flow flow;
            int64_t started = clock_start(t);
            WR_TRY(op->ops->flush(op, t->locals[t->flush_level], &out, &flow, &t->task.waker, err));
            count_call(t, &t->counters[t->flush_level], started, flow == WR_HAVE_OUTPUT ? out : NULL);
            if (flow == WR_BLOCKED) {
                *step = STEP_PARKED;
                return WR_OK;
            }
            if (flow == WR_HAVE_OUTPUT) {
                out->ordinal = (wr_ordinal){p->index, t->read_sequence, t->morsel.index};
                t->flushing = true;
                push_from(t, t->flush_level + 1, out);
                return WR_OK;
            }
        }
        t->flush_level++;
    }
    wr_sink *sink = p->gate->sink;
    if (sink->ops->morsel_done) WR_TRY(sink->ops->morsel_done(sink, t->sink_local, p->index, &t->morsel, err));
    t->phase = WR_PHASE_NEXT;
    return WR_OK;
}

static wr_status arrive(wr_pipeline_task *t, wr_error *err) {
    wr_pipeline *p = t->pipeline;
    wr_sink *sink = p->gate->sink;
    bool end = p->ending.kind == WR_END; /* nobody changes it until this task has arrived */
    if (t->sink_local && sink->ops->combine) WR_TRY(sink->ops->combine(sink, t->sink_local, err));
    if (end) wr_pipeline_task_drop_locals(t);
    t->phase = WR_PHASE_FINISH;
    return wr_pipeline_arrive(t, err);
}

static wr_status finish(wr_pipeline_task *t, task_step *step, wr_error *err) {
    wr_pipeline *p = t->pipeline;
    wr_sink_gate *gate = p->gate;
    if (!t->finish_claimed && wr_gate_wait(gate, t)) {
        t->epoch++;
        wr_mutex_lock(&gate->lock);
        bool ended = gate->ended;
        wr_mutex_unlock(&gate->lock);
        t->phase = WR_PHASE_WAIT;
        if (ended) *step = STEP_DONE;
        return WR_OK;
    }
    if (!t->finish_claimed) {
        *step = STEP_PARKED;
        return WR_OK;
    }
    wr_flow flow;
    WR_TRY(gate->sink->ops->finish(gate->sink, t->finish_index, &flow, &t->task.waker, err));
    if (flow == WR_BLOCKED) {
        *step = STEP_PARKED;
    } else if (flow == WR_DONE) {
        t->finish_claimed = false;
        wr_gate_finish_done(gate, p->set);
    }
    return WR_OK;
}

static wr_status run_phase(wr_pipeline_task *t, task_step *step, wr_error *err) {
    switch ((enum wr_task_phase)t->phase) {
    case WR_PHASE_WAIT:
        if (wr_pipeline_ready(t->pipeline, t->epoch, t)) {
            t->phase = WR_PHASE_NEXT;
        } else {
            *step = STEP_PARKED;
        }
        return WR_OK;
    case WR_PHASE_NEXT: return take_morsel(t, step, err);
    case WR_PHASE_READ: return read_batch(t, step, err);
    case WR_PHASE_PUSH: return push_level(t, step, err);
    case WR_PHASE_FLUSH: return flush_level(t, step, err);
    case WR_PHASE_ARRIVE: return arrive(t, err);
    case WR_PHASE_FINISH: return finish(t, step, err);
    }
    return wr_fail(err, WR_INTERNAL, "pipeline task in phase %d", t->phase);
}

/* The query is over: a waker of this task that is still parked at a budget is taken back before the task goes. */
static void withdraw(wr_pipeline_task *t) {
    wr_pipeline *p = t->pipeline;
    wr_waker *waker = &t->task.waker;
    if (p->source->base.budget) wr_budget_unpark(p->source->base.budget, waker);
    for (uint32_t i = 0; i < p->operator_count; i++) {
        if (p->operators[i]->base.budget) wr_budget_unpark(p->operators[i]->base.budget, waker);
    }
    if (p->gate->sink->base.budget) wr_budget_unpark(p->gate->sink->base.budget, waker);
    wr_pipeline_task_drop_locals(t);
}

/* Marked nodes of this task give back what they can, see relieve in operator.h. */
static wr_status relieve(wr_pipeline_task *t, wr_error *err) {
    wr_pipeline *p = t->pipeline;
    for (uint32_t i = 0; i < p->operator_count; i++) {
        wr_operator *op = p->operators[i];
        if (!t->locals[i] || !op->ops->relieve || !op->base.budget || !wr_budget_marked(op->base.budget)) continue;
        WR_TRY(op->ops->relieve(op, t->locals[i], err));
    }
    wr_sink *sink = p->gate->sink;
    if (!t->sink_local || !sink->ops->relieve || !sink->base.budget || !wr_budget_marked(sink->base.budget))
        return WR_OK;
    return sink->ops->relieve(sink, t->sink_local, err);
}

wr_task_result wr_pipeline_task_run(wr_task *task, uint32_t worker) {
    (void)worker;
    wr_pipeline_task *t = (wr_pipeline_task *)((char *)task - offsetof(wr_pipeline_task, task));
    wr_pipeline_set *set = t->pipeline->set;
    int64_t slice_end = 0;
    bool was_parked = t->parked;
    if (t->parked) {
        t->parked = false;
        wr_pipeline_set_count(set, +1, false);
    }
    for (uint32_t steps = 1;; steps++) {
        if (set->exec->cancelled) {
            withdraw(t);
            wr_pipeline_set_count(set, -1, true);
            return WR_TASK_DONE;
        }
        task_step step = STEP_ON;
        wr_error err;
        wr_error_clear(&err);
        wr_status status = steps == 1 && was_parked ? relieve(t, &err) : WR_OK;
        if (status == WR_OK) status = run_phase(t, &step, &err);
        if (status == WR_OK && step == STEP_PARKED) status = relieve(t, &err);
        if (status != WR_OK) {
            wr_pipeline_set_fail(set, &err);
            continue;
        }
        if (step == STEP_PARKED) {
            t->parked = true;
            wr_pipeline_set_count(set, -1, false);
            return WR_TASK_PARKED;
        }
        if (step == STEP_DONE) {
            wr_pipeline_set_count(set, -1, true);
            return WR_TASK_DONE;
        }
        if (steps % 16 == 0) {
            int64_t now = wr_clock_monotonic_ns();
            if (!slice_end) slice_end = now + SLICE_NS;
            if (now >= slice_end) return WR_TASK_AGAIN;
        }
    }
}
