/* What pipeline.c (the graph, epochs, the end) and pipeline_task.c (one task's way through a pipeline) share. */
#ifndef WR_EXEC_PIPELINE_INTERNAL_H
#define WR_EXEC_PIPELINE_INTERNAL_H

#include "exec/pipeline.h"

/* A sink and the pipelines that feed it: control reaches it when all of them have ended the epoch. */
typedef struct wr_sink_gate {
    wr_sink *sink;
    wr_mutex lock;
    uint32_t input_count;
    uint32_t arrived;   /* pipelines, in this epoch */
    wr_control control; /* merged: the least watermark, the strongest kind */
    bool finishing;     /* control was called, finish tasks are handed out */
    uint32_t finish_total, finish_next, finish_done;
    wr_wait_list waiting;       /* tasks that have ended the epoch */
    _Atomic uint64_t completed; /* epochs; changed under lock */
    wr_control *ends;           /* how they ended, from ends_first on: those behind may ask; under lock */
    uint64_t ends_first;
    uint32_t ends_count, ends_capacity;
    _Atomic bool ended;
} wr_sink_gate;

typedef struct wr_pipeline_task wr_pipeline_task;
struct wr_pipeline {
    wr_pipeline_set *set;
    uint32_t index;
    wr_source *source;
    wr_operator *operators[WR_PIPELINE_OPERATORS_MAX];
    uint32_t operator_count;
    wr_sink_gate *gate;
    wr_pipeline *dependencies[WR_PIPELINE_DEPENDENCIES_MAX];
    uint32_t dependency_count;
    wr_pipeline_task *tasks;
    uint32_t task_count;
    bool started; /* under set->lock */

    wr_mutex next_lock; /* one call of source->next at a time */
    bool epoch_ending;  /* under next_lock: the source, or a DONE, has ended the epoch */
    wr_control ending;

    wr_mutex lock;
    uint64_t epoch;   /* being worked on */
    uint32_t arrived; /* tasks that have ended it */
};

struct wr_pipeline_set {
    wr_exec *exec;
    wr_mutex lock;
    wr_condition changed;
    wr_pipeline **pipelines;
    uint32_t pipeline_count, pipeline_capacity;
    wr_sink_gate **gates;
    uint32_t gate_count, gate_capacity;
    uint32_t live_tasks;   /* submitted and not done */
    uint32_t active_tasks; /* of those, neither parked nor done: bounds how many pipelines run side by side */
    uint32_t ended_gates;
    bool failed;
    wr_error error; /* the first */
};

enum wr_task_phase {
    WR_PHASE_WAIT,   /* for the pipelines it depends on */
    WR_PHASE_NEXT,   /* take a morsel */
    WR_PHASE_READ,   /* take a batch of it */
    WR_PHASE_PUSH,   /* carry a batch through operators to the sink */
    WR_PHASE_FLUSH,  /* get back what operators hold, at the morsel's end */
    WR_PHASE_ARRIVE, /* the epoch is over for this task */
    WR_PHASE_FINISH, /* help with the sink's finish tasks, wait for the epoch to complete */
};

struct wr_pipeline_task {
    wr_task task;
    wr_pipeline *pipeline;
    uint8_t phase; /* enum wr_task_phase */
    bool has_locals;
    bool flushing; /* PUSH goes back to FLUSH */
    bool finish_claimed;
    bool parked; /* the last run ended so */
    uint32_t finish_index;
    uint64_t epoch;
    wr_morsel morsel;
    uint32_t read_sequence, sink_sequence;
    uint32_t level; /* PUSH: operator that gets inputs[level]; operator_count is the sink */
    uint32_t floor; /* PUSH: below this level the batch came from elsewhere */
    uint32_t flush_level;
    wr_batch *inputs[WR_PIPELINE_OPERATORS_MAX + 1];
    wr_local *source_local, *sink_local;
    wr_local *locals[WR_PIPELINE_OPERATORS_MAX];
    wr_counters source_counters;
    wr_counters counters[WR_PIPELINE_OPERATORS_MAX + 1]; /* operators, then the sink */
};

wr_task_result wr_pipeline_task_run(wr_task *task, uint32_t worker);
void wr_pipeline_task_drop_locals(wr_pipeline_task *t);

void wr_pipeline_set_fail(wr_pipeline_set *set, const wr_error *err);
/* The task's last arrival ends the epoch for the whole pipeline: control for source and operators, then the gate. */
WR_MUST_CHECK wr_status wr_pipeline_arrive(wr_pipeline_task *t, wr_error *err);
/* True when the epoch that the task has ended is complete; else the task is in the gate's waiting list, unless there is
 * a finish task to claim (t->finish_claimed). */
bool wr_gate_wait(wr_sink_gate *gate, wr_pipeline_task *t);
void wr_gate_finish_done(wr_sink_gate *gate, wr_pipeline_set *set);
/* How the pipelines that this one depends on have ended an epoch that they have completed: the least watermark, the
 * strongest kind. One that has ended before no longer counts. */
wr_control wr_pipeline_input_end(wr_pipeline *p, uint64_t epoch);
/* True when all that the pipeline depends on have completed the epoch; else `t` waits at one of them. */
bool wr_pipeline_ready(wr_pipeline *p, uint64_t epoch, wr_pipeline_task *t);
/* A task became active again, parked or done. */
void wr_pipeline_set_count(wr_pipeline_set *set, int active, bool done);

#endif
