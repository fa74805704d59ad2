/* The ranges: what the source hands out, in the order of the rows.
 *
 * The one run of a class, in memory, is cut by numbers. Several runs are cut at splitters: marks of rows that were sampled
 * from all of them at even distances, so that ranges hold about as many rows whatever the keys are. With a limit there is
 * one range a class, since how many rows of a range come before a place is known when they were merged. */
#include "exec/sort_internal.h"

enum { RANGE_BATCHES = 32, SAMPLES_PER_RANGE = 8, PAGES_PER_RANGE = 4 };

/* ---- runs in the order of arrival ---- */

static bool comes_before(const wr_sort_run *a, const wr_sort_run *b) {
    return a->store != b->store ? a->store < b->store : a->number < b->number;
}

wr_status wr_sort_collect_runs(wr_sort *sort, wr_error *err) {
    for (unsigned c = 0; c < WR_SORT_CLASSES; c++) {
        wr_sort_runs *runs = &sort->class_runs[c];
        uint32_t kept = 0;
        for (uint32_t i = 0; i < runs->count; i++) {
            if (runs->items[i]) runs->items[kept++] = runs->items[i];
        }
        runs->count = kept;
    }
    /* The newest is first in the list and mostly goes to the end: from there it is a step or two. */
    wr_sort_run *turned = NULL;
    while (sort->runs) {
        wr_sort_run *run = sort->runs;
        sort->runs = run->next;
        run->next = turned;
        turned = run;
    }
    sort->runs = turned;
    while (sort->runs) {
        wr_sort_run *run = sort->runs;
        wr_sort_runs *runs = &sort->class_runs[run->row_class];
        WR_TRY(
            wr_grow(sort->allocator, (void **)&runs->items, &runs->capacity, runs->count, 1, sizeof *runs->items, err));
        sort->runs = run->next;
        uint32_t at = runs->count++;
        for (; at > 0 && comes_before(run, runs->items[at - 1]); at--) runs->items[at] = runs->items[at - 1];
        runs->items[at] = run;
    }
    return WR_OK;
}

/* ---- samples ---- */

typedef struct sample {
    wr_sort_mark mark;
    uint64_t rows; /* that it stands for */
} sample;

typedef struct samples {
    sample *items;
    uint32_t count, capacity;
} samples;

static wr_status take_samples(wr_sort *sort, const wr_sort_run *run, uint64_t step, samples *out, wr_error *err) {
    bool spilled = wr_sort_run_is_spilled(run);
    uint64_t unit = spilled ? run->count / run->spilled.count + 1 : 1, stride = step / unit ? step / unit : 1;
    uint64_t end = spilled ? run->spilled.count : run->count;
    for (uint64_t i = stride / 2; i < end; i += stride) {
        WR_TRY(wr_grow(sort->allocator, (void **)&out->items, &out->capacity, out->count, 1, sizeof *out->items, err));
        sample *s = &out->items[out->count++];
        s->rows = stride * unit;
        if (spilled) {
            s->mark = run->marks[i];
        } else {
            wr_sort_mark_of(sort, run->row_class, wr_sort_run_row(run, i), &s->mark);
        }
    }
    return WR_OK;
}

static void sort_samples(const wr_sort *sort, sample *items, sample *scratch, uint32_t count) {
    if (count < 2) return;
    uint32_t half = count / 2, left = 0, right = half, to = 0;
    sort_samples(sort, items, scratch, half);
    sort_samples(sort, items + half, scratch, count - half);
    memcpy(scratch, items, sizeof *items * half);
    while (left < half && right < count) {
        bool take_right = wr_sort_mark_compare(sort, &items[right].mark, &scratch[left].mark) < 0;
        items[to++] = take_right ? items[right++] : scratch[left++];
    }
    memcpy(items + to, scratch + left, sizeof *items * (half - left));
}

/* Splitters of a class, at the end of the array; `count` of them. */
static wr_status choose_splitters(wr_sort *sort, unsigned row_class, uint64_t range_rows, uint32_t *used,
                                  uint32_t *count, wr_error *err) {
    const wr_sort_runs *runs = &sort->class_runs[row_class];
    samples all = {0};
    wr_status status = WR_OK;
    uint64_t step = range_rows / SAMPLES_PER_RANGE ? range_rows / SAMPLES_PER_RANGE : 1, rows = 0;
    for (uint32_t i = 0; i < runs->count && status == WR_OK; i++)
        status = take_samples(sort, runs->items[i], step, &all, err);
    size_t bytes = sizeof(sample) * (all.count / 2 + 1);
    sample *scratch = wr_alloc(sort->allocator, bytes);
    if (!scratch && status == WR_OK) status = wr_fail_memory(err, bytes, "sort");
    if (status == WR_OK) sort_samples(sort, all.items, scratch, all.count);
    const wr_sort_mark *last = NULL;
    *count = 0;
    for (uint32_t i = 0; i < all.count && status == WR_OK; i++) {
        rows += all.items[i].rows;
        if (rows < range_rows || (last && wr_sort_mark_compare(sort, last, &all.items[i].mark) == 0)) continue;
        status = wr_grow(sort->allocator, (void **)&sort->splitters, &sort->splitter_capacity, *used, 1,
                         sizeof *sort->splitters, err);
        if (status != WR_OK) break;
        sort->splitters[(*used)++] = all.items[i].mark;
        last = &all.items[i].mark;
        ++*count;
        rows = 0;
    }
    wr_free(sort->allocator, scratch, bytes);
    wr_free(sort->allocator, all.items, sizeof(sample) * all.capacity);
    return status;
}

/* ---- ranges ---- */

static wr_status add_range(wr_sort *sort, wr_sort_range range, wr_error *err) {
    WR_TRY(wr_grow(sort->allocator, (void **)&sort->ranges, &sort->range_capacity, sort->range_count, 1, sizeof range,
                   err));
    sort->ranges[sort->range_count++] = range;
    return WR_OK;
}

static wr_status cut_by_numbers(wr_sort *sort, unsigned row_class, uint64_t first, uint64_t end, uint64_t range_rows,
                                wr_error *err) {
    for (; first < end; first += range_rows) {
        uint64_t count = end - first < range_rows ? end - first : range_rows;
        WR_TRY(add_range(sort, (wr_sort_range){.row_class = (uint8_t)row_class, .first = first, .count = count}, err));
    }
    return WR_OK;
}

/* Rows [first, end) of the class. */
static wr_status cut_class(wr_sort *sort, unsigned row_class, uint64_t first, uint64_t end, uint64_t total,
                           uint32_t *splitters, wr_error *err) {
    const wr_sort_runs *runs = &sort->class_runs[row_class];
    uint64_t range_rows = (uint64_t)sort->exec->batch_rows * RANGE_BATCHES;
    if (runs->count == 1 && !wr_sort_run_is_spilled(runs->items[0]))
        return cut_by_numbers(sort, row_class, first, end, range_rows, err);
    wr_sort_range range = {.row_class = (uint8_t)row_class, .is_merge = true, .first = first, .count = end - first};
    if (first > 0 || end < total) return add_range(sort, range, err);
    for (uint32_t i = 0; i < runs->count; i++) {
        const wr_sort_run *run = runs->items[i];
        uint64_t rows = run->spilled.count ? run->count / run->spilled.count * PAGES_PER_RANGE * runs->count : 0;
        if (rows > range_rows) range_rows = rows;
    }
    uint32_t before = *splitters, count;
    WR_TRY(choose_splitters(sort, row_class, range_rows, splitters, &count, err));
    range.count = UINT64_MAX;
    for (uint32_t i = 0; i <= count; i++) {
        range.low = i ? before + i : 0;
        range.high = i < count ? before + i + 1 : 0;
        WR_TRY(add_range(sort, range, err));
    }
    return WR_OK;
}

/* How many ranges with pages of their own may be open. */
static uint32_t ranges_at_once(const wr_sort *sort) {
    size_t most = 0, room = wr_budget_available(sort->budget) / 2;
    for (unsigned c = 0; c < WR_SORT_CLASSES; c++) {
        size_t bytes = wr_sort_merge_bytes(sort->class_runs[c].items, sort->class_runs[c].count);
        if (bytes > most) most = bytes;
    }
    size_t count = most ? room / most : sort->exec->thread_count;
    return count == 0 ? 1 : count < sort->exec->thread_count ? (uint32_t)count : sort->exec->thread_count;
}

/* What was held for sorting is not needed any more. */
static void settle_stores(wr_sort *sort) {
    for (wr_sort_store *store = sort->stores; store; store = store->next) {
        if (store->granted_bytes) wr_budget_settle(sort->budget, store->granted_bytes);
        store->granted_bytes = 0;
    }
}

wr_status wr_sort_plan_ranges(wr_sort *sort, wr_error *err) {
    bool nulls_first = sort->key_count && sort->keys[0].nulls_first;
    uint64_t before = 0;
    uint32_t splitters = 0;
    settle_stores(sort);
    WR_TRY(wr_sort_collect_runs(sort, err));
    for (unsigned i = 0; i < WR_SORT_CLASSES; i++) {
        unsigned c = nulls_first ? 1 - i : i;
        uint64_t total = 0;
        for (uint32_t r = 0; r < sort->class_runs[c].count; r++) total += sort->class_runs[c].items[r]->count;
        uint64_t first = sort->first > before ? sort->first - before : 0,
                 end = sort->end > before ? sort->end - before : 0;
        if (end > total) end = total;
        before += total;
        if (first < end) WR_TRY(cut_class(sort, c, first, end, total, &splitters, err));
    }
    sort->active_max = ranges_at_once(sort);
    return WR_OK;
}
