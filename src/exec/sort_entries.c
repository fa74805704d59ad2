/* Entries in order.
 *
 * One word is sorted by its highest bits that differ: a stable scatter by as many of them as make groups that fit the next
 * cache, then each group alone, by its own highest bits that differ. Groups of a few entries are left to an insertion
 * sort, which goes over all of them at once. What is in order already costs the pass that looks for the bits.
 *
 * Entries whose words are equal, and whose keys go on, get the next word and are sorted by that, again and again: no two
 * rows are ever compared, and a row is visited once for each word that it takes to tell it from its neighbours. After
 * TIE_WORDS words, and where keys have no words, they are compared by a merge sort. */
#include "exec/sort_internal.h"

enum {
    FEW = 24,             /* entries that are better sorted by insertion */
    DIGIT_BITS_MAX = 11,  /* buckets of a scatter: more than this and their ends leave the first cache */
    CACHED_ENTRIES = 1 << 14,
    TIE_WORDS = 32,
};

typedef struct sorter {
    const wr_sort_order *order;
    const _Atomic bool *cancelled;
    wr_sort_entry *scratch;
} sorter;

/* ---- one word ---- */

static void insertion_sort(wr_sort_entry *e, size_t count) {
    for (size_t i = 1; i < count; i++) {
        wr_sort_entry entry = e[i];
        size_t at = i;
        for (; at > 0 && entry.key < e[at - 1].key; at--) e[at] = e[at - 1];
        e[at] = entry;
    }
}

static void find_bounds(const wr_sort_entry *e, size_t count, uint64_t *min, uint64_t *max, bool *rising) {
    uint64_t low = e[0].key, high = low, before = low;
    bool falls = false;
    for (size_t i = 1; i < count; i++) {
        uint64_t key = e[i].key;
        falls |= key < before;
        before = key;
        low = key < low ? key : low;
        high = key > high ? key : high;
    }
    *min = low;
    *max = high;
    *rising = !falls;
}

static unsigned log2_floor(size_t n) {
    return 63 - (unsigned)__builtin_clzll(n | 1);
}

/* How keys from min to max are dealt out: digit = (key - min) >> shift. */
typedef struct deal {
    uint64_t min;
    unsigned shift, bits;
} deal;

static deal choose_deal(uint64_t min, uint64_t max, size_t count) {
    unsigned range = 64 - (unsigned)__builtin_clzll(max - min), bits = log2_floor(count);
    if (count > CACHED_ENTRIES) bits -= log2_floor(CACHED_ENTRIES) - 1;
    if (bits > DIGIT_BITS_MAX) bits = DIGIT_BITS_MAX;
    if (bits < 4) bits = 4;
    if (bits > range) bits = range;
    return (deal){min, range - bits, bits};
}

/* Counts become the places where buckets begin; the count of the largest. */
static size_t begin_buckets(size_t *at, size_t bucket_count) {
    size_t sum = 0, largest = 0;
    for (size_t b = 0; b < bucket_count; b++) {
        size_t count = at[b];
        largest = count > largest ? count : largest;
        at[b] = sum;
        sum += count;
    }
    return largest;
}

static void count_digits(deal d, const wr_sort_entry *e, size_t count, size_t *counts) {
    for (size_t i = 0; i < count; i++) counts[(e[i].key - d.min) >> d.shift]++;
}

static void scatter(deal d, const wr_sort_entry *e, size_t count, size_t *at, wr_sort_entry *out) {
    for (size_t i = 0; i < count; i++) out[at[(e[i].key - d.min) >> d.shift]++] = e[i];
}

static void sort_word(wr_sort_entry *e, wr_sort_entry *scratch, size_t count);

/* `ends` are where the buckets end. */
static void sort_buckets(wr_sort_entry *e, wr_sort_entry *scratch, const size_t *ends, size_t bucket_count) {
    for (size_t b = 0, first = 0; b < bucket_count; b++) {
        size_t count = ends[b] - first;
        if (count > 1) sort_word(e + first, scratch, count);
        first = ends[b];
    }
}

static void sort_word(wr_sort_entry *e, wr_sort_entry *scratch, size_t count) {
    if (count <= FEW) {
        insertion_sort(e, count);
        return;
    }
    uint64_t min, max;
    bool rising;
    find_bounds(e, count, &min, &max, &rising);
    if (rising) return;
    size_t at[1 << DIGIT_BITS_MAX];
    deal d = choose_deal(min, max, count);
    memset(at, 0, sizeof *at << d.bits);
    count_digits(d, e, count, at);
    size_t largest = begin_buckets(at, (size_t)1 << d.bits);
    scatter(d, e, count, at, scratch);
    memcpy(e, scratch, sizeof *e * count);
    if (d.shift == 0) return;
    if (largest <= FEW) {
        insertion_sort(e, count);
    } else {
        sort_buckets(e, scratch, at, (size_t)1 << d.bits);
    }
}

/* ---- rows that agree in a word ---- */

/* By cells, from key `first_key` on. */
static void merge_sort(const sorter *s, uint32_t first_key, wr_sort_entry *e, wr_sort_entry *scratch, size_t count) {
    if (count < 2 || *s->cancelled) return;
    size_t half = count / 2, left = 0, right = half, to = 0;
    merge_sort(s, first_key, e, scratch, half);
    merge_sort(s, first_key, e + half, scratch, count - half);
    if (wr_sort_compare(s->order, first_key, e[half - 1].row, e[half].row) <= 0) return;
    memcpy(scratch, e, sizeof *e * half);
    while (left < half && right < count) {
        bool take_right = wr_sort_compare(s->order, first_key, e[right].row, scratch[left].row) < 0;
        e[to++] = take_right ? e[right++] : scratch[left++];
    }
    memcpy(e + to, scratch + left, sizeof *e * (half - left));
}

static void sort_ties(const sorter *s, wr_sort_entry *e, size_t count, wr_sort_place place, unsigned depth);

static void sort_tied(const sorter *s, wr_sort_entry *e, size_t count, wr_sort_place place, unsigned depth) {
    wr_sort_place next;
    uint64_t key = e->key;
    wr_sort_step step = wr_sort_next(s->order, place, key, &next);
    if (step == WR_SORT_END) return;
    if (step == WR_SORT_CELLS) {
        merge_sort(s, s->order->cells_key, e, s->scratch, count);
    } else if (depth == TIE_WORDS) {
        merge_sort(s, s->order->tie_key, e, s->scratch, count);
    } else {
        wr_sort_load(s->order, next, e, count);
        sort_word(e, s->scratch, count);
        sort_ties(s, e, count, next, depth + 1);
    }
    /* Words beyond the first have done their work. */
    for (size_t i = 0; i < count; i++) e[i].key = key;
}

/* Entries in the order of the word at `place`. */
static void sort_ties(const sorter *s, wr_sort_entry *e, size_t count, wr_sort_place place, unsigned depth) {
    for (size_t first = 0, end; first < count && !*s->cancelled; first = end) {
        for (end = first + 1; end < count && e[end].key == e[first].key;) end++;
        if (end - first > 1) sort_tied(s, e + first, end - first, place, depth);
    }
}

static wr_status check_cancelled(const sorter *s, wr_error *err) {
    return *s->cancelled ? wr_fail(err, WR_CANCELLED, "the query was stopped") : WR_OK;
}

wr_status wr_sort_entries(const wr_sort_order *order, wr_sort_entry *entries, wr_sort_entry *scratch, size_t count,
                          const _Atomic bool *cancelled, wr_error *err) {
    sorter s = {order, cancelled, scratch};
    if (count < 2) return WR_OK;
    sort_word(entries, scratch, count);
    if (!order->exact) sort_ties(&s, entries, count, (wr_sort_place){0, 0}, 1);
    return check_cancelled(&s, err);
}

/* ---- chunks: the first scatter brings them together ---- */

static void find_bounds_of_chunks(const wr_sort_chunk *chunks, uint32_t chunk_count, uint64_t *min, uint64_t *max) {
    *min = UINT64_MAX;
    *max = 0;
    for (uint32_t c = 0; c < chunk_count; c++) {
        uint64_t low, high;
        bool rising;
        find_bounds(chunks[c].entries, chunks[c].count, &low, &high, &rising);
        *min = low < *min ? low : *min;
        *max = high > *max ? high : *max;
    }
}

static wr_status sort_dealt(const sorter *s, wr_allocator *a, wr_sort_entry *e, const size_t *ends, size_t bucket_count, size_t largest,
                            wr_error *err) {
    sorter own = *s;
    own.scratch = wr_alloc(a, sizeof *e * largest);
    if (!own.scratch) return wr_fail_memory(err, sizeof *e * largest, "sort");
    for (size_t b = 0, first = 0; b < bucket_count && !*s->cancelled; b++) {
        size_t count = ends[b] - first;
        if (count > 1) {
            sort_word(e + first, own.scratch, count);
            if (!s->order->exact) sort_ties(&own, e + first, count, (wr_sort_place){0, 0}, 1);
        }
        first = ends[b];
    }
    wr_free(a, own.scratch, sizeof *e * largest);
    return check_cancelled(s, err);
}

wr_status wr_sort_chunks(const wr_sort_order *order, wr_allocator *a, wr_sort_chunk *chunks, uint32_t chunk_count, wr_sort_entry **out,
                         const _Atomic bool *cancelled, wr_error *err) {
    size_t count = 0, at[1 << DIGIT_BITS_MAX];
    for (uint32_t c = 0; c < chunk_count; c++) count += chunks[c].count;
    wr_sort_entry *e = *out = wr_alloc(a, sizeof *e * count);
    if (!e) return wr_fail_memory(err, sizeof *e * count, "sort");
    uint64_t min, max;
    find_bounds_of_chunks(chunks, chunk_count, &min, &max);
    deal d = {min, 0, 0};
    if (max > min) d = choose_deal(min, max, count);
    size_t bucket_count = (size_t)1 << d.bits;
    memset(at, 0, sizeof *at * bucket_count);
    if (d.bits == 0) d.shift = 63;
    for (uint32_t c = 0; c < chunk_count; c++) count_digits(d, chunks[c].entries, chunks[c].count, at);
    size_t largest = begin_buckets(at, bucket_count);
    for (uint32_t c = 0; c < chunk_count; c++) {
        scatter(d, chunks[c].entries, chunks[c].count, at, e);
        wr_free(a, chunks[c].entries, sizeof *e * chunks[c].capacity);
        chunks[c] = (wr_sort_chunk){0};
    }
    sorter s = {order, cancelled, NULL};
    wr_status status = sort_dealt(&s, a, e, at, bucket_count, largest, err);
    if (status == WR_OK) return WR_OK;
    wr_free(a, e, sizeof *e * count);
    *out = NULL;
    return status;
}
