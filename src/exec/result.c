/* The end of a query: batches go out in the order of their ordinals, to a reader outside the pool.
 *
 * Morsels finish in any order. The next batch to give is the next one of the lowest morsel that is not exhausted;
 * batches of later morsels wait. When what waits exceeds the window, tasks that bring later morsels are parked; the
 * task of the lowest morsel is parked only while the reader has that much of it still to read. So a slow reader slows
 * the query down and costs no more memory than about two windows. */
#include "exec/nodes.h"

enum { WINDOW_BYTES = 8 << 20 };

typedef struct pending_morsel {
    struct pending_morsel *next; /* by input, then by index */
    uint32_t input;
    uint64_t index;
    bool done;
    uint32_t given; /* batches that the reader has */
    size_t waiting_bytes;
    wr_batch_list batches;
} pending_morsel;

typedef struct result_input {
    uint32_t source;
    bool ended;
} result_input;

struct wr_result_queue {
    wr_sink sink;
    wr_mutex lock;
    wr_condition changed;
    result_input *inputs;
    uint32_t input_count, input_capacity;
    uint32_t current_input; /* those before it have ended and been read */
    uint64_t current_index; /* morsels before it have been read */
    pending_morsel *morsels;
    size_t waiting_bytes;
    wr_wait_list parked;
    bool ended, aborted;
};

static wr_result_queue *queue_of(wr_sink *sink) {
    return (wr_result_queue *)sink;
}

static uint32_t input_of(const wr_result_queue *q, uint32_t source) {
    uint32_t i = 0;
    while (i < q->input_count && q->inputs[i].source != source) i++;
    return i;
}

static bool is_before(const pending_morsel *m, uint32_t input, uint64_t index) {
    return m->input != input ? m->input < input : m->index < index;
}

/* The morsel's entry, made when it is new; NULL when there is no memory. */
static pending_morsel *morsel_of(wr_result_queue *q, uint32_t input, uint64_t index) {
    pending_morsel **link = &q->morsels;
    while (*link && is_before(*link, input, index)) link = &(*link)->next;
    if (*link && (*link)->input == input && (*link)->index == index) return *link;
    pending_morsel *m = wr_alloc_zeroed(q->sink.base.exec->allocator, sizeof *m);
    if (!m) return NULL;
    m->input = input;
    m->index = index;
    wr_batch_list_init(&m->batches, q->sink.base.exec->allocator);
    m->next = *link;
    *link = m;
    return m;
}

static void free_morsel(wr_result_queue *q, pending_morsel *m) {
    wr_batch_list_deinit(&m->batches);
    wr_free(q->sink.base.exec->allocator, m, sizeof *m);
}

/* True when a batch of this morsel may be queued now. */
static bool has_room(const wr_result_queue *q, uint32_t input, uint64_t index) {
    const pending_morsel *first = q->morsels;
    bool current = input == q->current_input && index == q->current_index;
    if (!current) return q->waiting_bytes < WINDOW_BYTES;
    return !first || first->input != input || first->index != index || first->waiting_bytes < WINDOW_BYTES;
}

static wr_status result_consume(wr_sink *sink, wr_local *local, wr_batch *in, wr_flow *flow, wr_waker *waker,
                                wr_error *err) {
    (void)local;
    wr_result_queue *q = queue_of(sink);
    uint32_t input = input_of(q, in->ordinal.source);
    wr_mutex_lock(&q->lock);
    bool room = has_room(q, input, in->ordinal.morsel);
    if (!room && !q->aborted) wr_wait_list_add(&q->parked, waker);
    bool aborted = q->aborted;
    wr_mutex_unlock(&q->lock);
    *flow = aborted ? WR_DONE : room ? WR_NEED_INPUT : WR_BLOCKED;
    if (*flow != WR_NEED_INPUT) return WR_OK;

    wr_batch kept;
    WR_TRY(wr_batch_keep(&kept, sink->base.exec->allocator, in, err));
    size_t bytes = wr_batch_pinned_bytes(&kept);
    wr_status status = WR_OK;
    wr_mutex_lock(&q->lock);
    pending_morsel *m = morsel_of(q, input, in->ordinal.morsel);
    if (!m) {
        status = wr_fail_memory(err, sizeof *m, "results");
    } else {
        wr_batch_list *list = &m->batches;
        status =
            wr_grow(list->allocator, (void **)&list->items, &list->capacity, list->count, 1, sizeof(wr_batch), err);
    }
    if (status == WR_OK) {
        m->batches.items[m->batches.count++] = kept;
        m->waiting_bytes += bytes;
        q->waiting_bytes += bytes;
        if (m == q->morsels) wr_condition_signal(&q->changed);
    }
    wr_mutex_unlock(&q->lock);
    if (status != WR_OK) wr_batch_deinit(&kept);
    return status;
}

static wr_status result_morsel_done(wr_sink *sink, wr_local *local, uint32_t source, const wr_morsel *morsel,
                                    wr_error *err) {
    (void)local;
    wr_result_queue *q = queue_of(sink);
    wr_mutex_lock(&q->lock);
    pending_morsel *m = morsel_of(q, input_of(q, source), morsel->index);
    if (m) m->done = true;
    wr_condition_signal(&q->changed);
    wr_mutex_unlock(&q->lock);
    return m ? WR_OK : wr_fail_memory(err, sizeof *m, "results");
}

static void result_input_done(wr_sink *sink, uint32_t source) {
    wr_result_queue *q = queue_of(sink);
    wr_mutex_lock(&q->lock);
    q->inputs[input_of(q, source)].ended = true;
    wr_condition_signal(&q->changed);
    wr_mutex_unlock(&q->lock);
}

static wr_status result_control(wr_sink *sink, const wr_control *control, uint32_t *task_count, wr_error *err) {
    (void)err;
    wr_result_queue *q = queue_of(sink);
    *task_count = 0;
    wr_mutex_lock(&q->lock);
    if (control->kind == WR_END) q->ended = true;
    wr_condition_broadcast(&q->changed);
    wr_mutex_unlock(&q->lock);
    return WR_OK;
}

static void result_abort(wr_sink *sink) {
    wr_result_queue *q = queue_of(sink);
    wr_mutex_lock(&q->lock);
    q->aborted = true;
    wr_condition_broadcast(&q->changed);
    wr_wait_list_wake(&q->parked);
    wr_mutex_unlock(&q->lock);
}

static void result_destroy(wr_sink *sink) {
    wr_result_queue *q = queue_of(sink);
    wr_allocator *a = sink->base.exec->allocator;
    while (q->morsels) {
        pending_morsel *m = q->morsels;
        q->morsels = m->next;
        free_morsel(q, m);
    }
    wr_free(a, q->inputs, sizeof(result_input) * q->input_capacity);
    wr_condition_deinit(&q->changed);
    wr_mutex_deinit(&q->lock);
    wr_node_base_deinit(&sink->base);
    wr_free(a, q, sizeof *q);
}

static const wr_sink_ops result_ops = {
    .name = "RESULT",
    .destroy = result_destroy,
    .consume = result_consume,
    .morsel_done = result_morsel_done,
    .input_done = result_input_done,
    .control = result_control,
    .abort = result_abort,
};

wr_status wr_result_create(wr_sink **out, wr_result_queue **queue, wr_exec *exec, wr_error *err) {
    wr_result_queue *q = wr_alloc_zeroed(exec->allocator, sizeof *q);
    if (!q) return wr_fail_memory(err, sizeof *q, "results");
    q->sink.ops = &result_ops;
    wr_mutex_init(&q->lock);
    wr_condition_init(&q->changed);
    wr_node_base_init(&q->sink.base, exec, "RESULT", 0);
    *out = &q->sink;
    *queue = q;
    return WR_OK;
}

wr_status wr_result_add_input(wr_result_queue *q, uint32_t source, wr_error *err) {
    WR_TRY(wr_grow(q->sink.base.exec->allocator, (void **)&q->inputs, &q->input_capacity, q->input_count, 1,
                   sizeof(result_input), err));
    q->inputs[q->input_count++] = (result_input){source, false};
    return WR_OK;
}

/* The lock is held. Steps over what has been read; true when there is a batch, NULL when there is none yet. */
static pending_morsel *next_readable(wr_result_queue *q) {
    for (;;) {
        pending_morsel *m = q->morsels;
        bool current = m && m->input == q->current_input && m->index == q->current_index;
        if (current && m->given < m->batches.count) return m;
        if (current && m->done) {
            q->morsels = m->next;
            q->current_index++;
            free_morsel(q, m);
            wr_wait_list_wake(&q->parked);
            continue;
        }
        bool exhausted = q->current_input < q->input_count && q->inputs[q->current_input].ended &&
                         (!m || m->input != q->current_input);
        if (!exhausted) return NULL;
        q->current_input++;
        q->current_index = 0;
        wr_wait_list_wake(&q->parked);
    }
}

void wr_result_next(wr_result_queue *q, wr_batch *batch, bool *more) {
    *more = false;
    wr_mutex_lock(&q->lock);
    pending_morsel *m;
    while (!(m = next_readable(q)) && !q->aborted && !q->ended) wr_condition_wait(&q->changed, &q->lock, -1);
    if (m && !q->aborted) {
        wr_batch *from = &m->batches.items[m->given++];
        size_t bytes = wr_batch_pinned_bytes(from);
        wr_batch_deinit(batch);
        *batch = *from;
        *from = (wr_batch){0};
        m->waiting_bytes -= bytes;
        q->waiting_bytes -= bytes;
        wr_wait_list_wake(&q->parked);
        *more = true;
    }
    wr_mutex_unlock(&q->lock);
}
