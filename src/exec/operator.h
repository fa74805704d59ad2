/* Sources, operators and sinks: the contract of execution.
 *
 * A pipeline is one source, any number of operators, one sink. Work comes in morsels; a task takes one and pushes its
 * batches through. Each of the three kinds has a global part (the struct that starts with wr_node_base, shared by all
 * tasks) and a local part (one for each task, made by local_create, used by one thread at a time).
 *
 * A call gets a batch and says how it went on:
 *   NEED_INPUT   the input is used up, nothing came out
 *   HAVE_OUTPUT  `out` holds rows; call again with the same input, there may be more
 *   DONE         no further input is wanted by anyone in this epoch (LIMIT): the source is told to stop
 *   BLOCKED      the waker was parked somewhere; call again with the same input when woken. Nothing was changed that a
 *                second call would repeat
 * `in` belongs to the caller and lives until the call after NEED_INPUT; an operator may narrow its selection or compact
 * it in place, and give it on as its own output. `out` belongs to the operator and lives until the next call with the
 * same local state. Whoever keeps rows longer retains their buffers, or copies when it would pin twice what it needs.
 *
 * Epochs. Morsels carry the epoch they belong to. A source ends an epoch with a control message: WATERMARK (no row
 * below this value will come), BARRIER (take a snapshot) or END. What an operator held back is flushed at the end of
 * each morsel, so that nothing mixes rows of two morsels. When every morsel of the epoch has left every task, each
 * task's sink state is combined, and then the message reaches each global state of the pipeline exactly once, from
 * source to sink; a sink with several input pipelines gets it when all of them have ended the epoch, with the least
 * watermark. Then the sink's finish tasks run in parallel, and the epoch is complete: pipelines that depend on this one
 * may start on the same epoch. A batch query is one epoch that ends with END at watermark infinity. */
#ifndef WR_EXEC_OPERATOR_H
#define WR_EXEC_OPERATOR_H

#include "column/vector.h"
#include "exec/scheduler.h"
#include "exec/spill.h"
#include "plan/program.h"

typedef enum wr_flow { WR_NEED_INPUT, WR_HAVE_OUTPUT, WR_DONE, WR_BLOCKED } wr_flow;
typedef enum wr_control_kind { WR_WATERMARK, WR_BARRIER, WR_END } wr_control_kind;

typedef struct wr_control {
    wr_control_kind kind;
    uint64_t epoch;
    int64_t watermark;
} wr_control;
#define WR_WATERMARK_INFINITY INT64_MAX

typedef struct wr_morsel {
    uint64_t index;     /* in the source's order, without gaps from 0: ordinals */
    uint32_t partition; /* of the source: a file, a Kafka partition */
    uint64_t epoch;
    uint64_t first, count; /* what it covers, in the source's own terms */
} wr_morsel;

/* What all parts of a query share. */
typedef struct wr_exec {
    wr_allocator *allocator; /* the query's budget's */
    wr_budget *budget;
    wr_scheduler *scheduler;
    wr_task_group *group;
    wr_spill *spill;
    wr_program_environment environment; /* kernels, clock, zone, parameters, batch_rows */
    uint32_t thread_count;              /* tasks of a pipeline at most */
    uint32_t batch_rows;
    _Atomic bool cancelled; /* set by cancel, timeout, the first error and the end; seen before each batch */
    bool force_spill;       /* tests: every operator that can spill does so early and often */
    bool measure;           /* EXPLAIN ANALYZE: nodes count their time */
} wr_exec;

/* EXPLAIN ANALYZE. The driver counts rows, batches and time of each call; a node adds what it spilled. */
typedef struct wr_counters {
    uint64_t rows_out, batches_out;
    uint64_t busy_ns; /* thread time inside calls */
    uint64_t spilled_bytes;
    uint64_t folded_rows; /* that an aggregation summed by code */
} wr_counters;

typedef struct wr_node_base {
    wr_exec *exec;
    wr_budget *budget;    /* child of the query's; NULL for nodes that hold nothing */
    uint32_t logical_id;  /* of the plan node it came from */
    const char *label;    /* "HASH JOIN" */
    wr_counters counters; /* sum of finished locals; under `lock` */
    wr_mutex lock;
} wr_node_base;

typedef struct wr_local wr_local; /* each node defines its own struct */
typedef struct wr_source wr_source;

/* ---- operators ---- */

typedef struct wr_operator wr_operator;
typedef struct wr_operator_ops {
    const char *name;
    void (*destroy)(wr_operator *op);
    wr_status (*local_create)(wr_operator *op, wr_local **out, wr_error *err);
    void (*local_destroy)(wr_operator *op, wr_local *local);
    wr_status (*push)(wr_operator *op, wr_local *local, wr_batch *in, wr_batch **out, wr_flow *flow, wr_waker *waker,
                      wr_error *err);
    /* At the end of each morsel: gives what the local state held back, HAVE_OUTPUT until NEED_INPUT. NULL: holds
     * nothing back. */
    wr_status (*flush)(wr_operator *op, wr_local *local, wr_batch **out, wr_flow *flow, wr_waker *waker, wr_error *err);
    /* Once per epoch, when all its rows have passed. NULL: stateless. */
    wr_status (*control)(wr_operator *op, const wr_control *control, wr_error *err);
    /* The node's budget is marked and the task is about to park, or was woken: spill what this local state can give.
     * Nodes see their mark in push and consume anyway; this is for tasks that wait, so that two that wait for each
     * other's memory both come on. NULL: holds nothing that could go. */
    wr_status (*relieve)(wr_operator *op, wr_local *local, wr_error *err);
    /* The source that the operator reads by itself, for EXPLAIN ANALYZE. NULL: it reads none. */
    wr_source *(*reads)(wr_operator *op);
    bool retracts; /* understands batches with weights; others are never put behind a source that has them */
} wr_operator_ops;
struct wr_operator {
    wr_node_base base;
    const wr_operator_ops *ops;
};

/* ---- sources ---- */

typedef struct wr_source_ops {
    const char *name;
    void (*destroy)(wr_source *source);
    wr_status (*local_create)(wr_source *source, wr_local **out, wr_error *err);
    void (*local_destroy)(wr_source *source, wr_local *local);
    /* The next morsel (HAVE_OUTPUT); or the end of its epoch (DONE, *control says how); or BLOCKED. *control comes in as
     * how the pipelines that this one depends on have ended the epoch, END when there are none: a source of what a sink
     * has collected gives nothing before that is END, and passes it on. After END not called again. One call at a time;
     * after the end of an epoch the next call comes when all tasks have finished it. */
    wr_status (*next)(wr_source *source, wr_morsel *morsel, wr_control *control, wr_flow *flow, wr_waker *waker,
                      wr_error *err);
    /* The next batch of a morsel (HAVE_OUTPUT), or NEED_INPUT at its end. The driver stamps ordinals. */
    wr_status (*read)(wr_source *source, wr_local *local, const wr_morsel *morsel, wr_batch **out, wr_flow *flow,
                      wr_waker *waker, wr_error *err);
    wr_status (*control)(wr_source *source, const wr_control *control, wr_error *err); /* may be NULL */
    /* Share of the work handed out, 0 to 1, for progress; may be NULL. */
    double (*progress)(wr_source *source);
    bool retracts; /* gives batches with weights */
} wr_source_ops;
struct wr_source {
    wr_node_base base;
    const wr_source_ops *ops;
};

/* ---- sinks ---- */

typedef struct wr_sink wr_sink;
typedef struct wr_sink_ops {
    const char *name;
    void (*destroy)(wr_sink *sink);
    wr_status (*local_create)(wr_sink *sink, wr_local **out, wr_error *err);
    void (*local_destroy)(wr_sink *sink, wr_local *local);
    wr_status (*consume)(wr_sink *sink, wr_local *local, wr_batch *in, wr_flow *flow, wr_waker *waker, wr_error *err);
    /* A morsel was read to its end by this task: for sinks that go by order. NULL: they do not. */
    wr_status (*morsel_done)(wr_sink *sink, wr_local *local, uint32_t source, const wr_morsel *morsel, wr_error *err);
    /* One of several input pipelines has ended its epoch; before control. NULL: of no interest. */
    void (*input_done)(wr_sink *sink, uint32_t source);
    /* Merges a local state into the global one at the end of an epoch; locals of several tasks come at once. */
    wr_status (*combine)(wr_sink *sink, wr_local *local, wr_error *err);
    /* Once per epoch; *task_count finish calls follow, in parallel, then the epoch is complete. */
    wr_status (*control)(wr_sink *sink, const wr_control *control, uint32_t *task_count, wr_error *err);
    /* Finish task `task`: a bounded piece of work; *flow DONE when it is at its end, NEED_INPUT to be called again, or
     * BLOCKED. NULL when control never asks for one. */
    wr_status (*finish)(wr_sink *sink, uint32_t task, wr_flow *flow, wr_waker *waker, wr_error *err);
    wr_status (*relieve)(wr_sink *sink, wr_local *local, wr_error *err); /* as an operator's */
    /* The query has failed or was stopped: wakes whoever reads from this sink outside the pool. NULL: nobody does. */
    void (*abort)(wr_sink *sink);
    bool retracts;
} wr_sink_ops;
struct wr_sink {
    wr_node_base base;
    const wr_sink_ops *ops;
};

void wr_node_base_init(wr_node_base *base, wr_exec *exec, const char *label, uint32_t logical_id);
/* For nodes that hold rows: a budget of their own below the query's. */
WR_MUST_CHECK wr_status wr_node_base_add_budget(wr_node_base *base, wr_error *err);
void wr_node_base_deinit(wr_node_base *base);
void wr_node_count(wr_node_base *base, const wr_counters *add);

#endif
