/* Rows in order: entries are made from pages and sorted by their words.
 *
 * The first scatter brings the entries of all pages together, in buckets that fit the second cache; how keys are dealt out
 * is learnt from a sample, and those beyond it go to the first and the last bucket. Each bucket is then sorted by its highest
 * bits that differ: a stable scatter by as many of them as make groups of a few, which are left to an insertion sort that
 * goes over all of them at once. What is in order already costs the pass that looks for the bits.
 *
 * Entries whose words are equal, and whose keys go on, get the next word and are sorted by that, again and again: no two
 * rows are ever compared, and a row is visited once for each word that it takes to tell it from its neighbours. After
 * TIE_WORDS words, and where keys have no words, they are compared by a merge sort. */
#include "exec/sort_internal.h"

enum {
    FEW = 24,            /* entries that are better sorted by insertion */
    DIGIT_BITS_MAX = 11, /* buckets of a scatter: with more than this their ends leave the first cache */
    CACHED_ENTRIES = 1 << 14,
    SAMPLE_ROWS = 1024,
    SAMPLE_CUT = 8, /* of a sample, at either end: outliers do not decide how keys are dealt out */
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

static unsigned log2_floor(uint64_t n) {
    return 63 - (unsigned)__builtin_clzll(n | 1);
}

/* How keys are dealt out to buckets. */
typedef struct deal {
    uint64_t low, last;
    unsigned shift, bits;
} deal;

static deal choose_deal(uint64_t low, uint64_t high, uint64_t count) {
    unsigned range = high > low ? log2_floor(high - low) + 1 : 1, bits = log2_floor(count);
    if (count > CACHED_ENTRIES) bits -= log2_floor(CACHED_ENTRIES) - 1;
    if (bits > DIGIT_BITS_MAX) bits = DIGIT_BITS_MAX;
    if (bits < 4) bits = 4;
    if (bits > range) bits = range;
    return (deal){low, (UINT64_C(1) << bits) - 1, range - bits, bits};
}

static inline size_t bucket_within(deal d, uint64_t key) {
    return (key - d.low) >> d.shift;
}

/* Of any key, also of those below and above. */
static inline size_t bucket_of(deal d, uint64_t key) {
    uint64_t bucket = (key > d.low ? key - d.low : 0) >> d.shift;
    return bucket < d.last ? bucket : d.last;
}

/* Counts become the places where buckets begin; returns the largest. */
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
    for (size_t i = 0; i < count; i++) at[bucket_within(d, e[i].key)]++;
    size_t largest = begin_buckets(at, (size_t)1 << d.bits);
    for (size_t i = 0; i < count; i++) scratch[at[bucket_within(d, e[i].key)]++] = e[i];
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

static void sort_bucket(const sorter *s, wr_sort_entry *e, size_t count) {
    if (count < 2) return;
    sort_word(e, s->scratch, count);
    if (!s->order->exact) sort_ties(s, e, count, (wr_sort_place){0, 0}, 1);
}

/* ---- pages ---- */

typedef struct reader {
    const wr_sort_pages *pages;
    const wr_row_page *page;
    uint32_t row, pages_left;
} reader;

static reader open_reader(const wr_sort_pages *pages) {
    return (reader){.pages = pages, .page = pages->first, .pages_left = pages->count};
}

/* The next entries, at most WR_SORT_SLICE: rows of the class, with their first words. */
static size_t read_entries(reader *r, wr_sort_entry *e) {
    size_t count = 0;
    while (count == 0 && r->pages_left) {
        uint32_t end = r->page->row_count - r->row < WR_SORT_SLICE ? r->page->row_count : r->row + WR_SORT_SLICE;
        for (; r->row < end; r->row++) {
            e[count].row = wr_row_at(r->page, r->row);
            count += !r->pages->mixed || wr_row_is_valid(e[count].row, r->pages->null_column) == r->pages->valid;
        }
        if (r->row < r->page->row_count) continue;
        r->page = r->page->next;
        r->row = 0;
        r->pages_left--;
    }
    wr_sort_load(r->pages->order, (wr_sort_place){0, 0}, e, count);
    return count;
}

/* About SAMPLE_ROWS rows at even distances, but for those of another class; sorted. */
static size_t take_sample(const wr_sort_pages *pages, wr_sort_entry *e) {
    uint64_t rows = 0, next = 0;
    size_t count = 0;
    const wr_row_page *page = pages->first;
    for (uint32_t p = 0; p < pages->count; p++, page = page->next) rows += page->row_count;
    uint64_t step = rows / SAMPLE_ROWS + 1, before = 0;
    page = pages->first;
    for (uint32_t p = 0; p < pages->count; p++, page = page->next) {
        for (; next < before + page->row_count; next += step) {
            e[count].row = wr_row_at(page, (uint32_t)(next - before));
            count += !pages->mixed || wr_row_is_valid(e[count].row, pages->null_column) == pages->valid;
        }
        before += page->row_count;
    }
    wr_sort_load(pages->order, (wr_sort_place){0, 0}, e, count);
    return count;
}

static deal learn_deal(const wr_sort_pages *pages) {
    wr_sort_entry sample[SAMPLE_ROWS], scratch[SAMPLE_ROWS];
    size_t count = take_sample(pages, sample), cut = count > 4 * SAMPLE_CUT ? SAMPLE_CUT : 0;
    sort_word(sample, scratch, count);
    if (count == 0) return choose_deal(0, UINT64_MAX, pages->row_count);
    return choose_deal(sample[cut].key, sample[count - 1 - cut].key, pages->row_count);
}

/* All entries, dealt out; where buckets end is in `at`. Returns the size of the largest. */
static size_t deal_out(const wr_sort_pages *pages, deal d, wr_sort_entry *out, size_t *at,
                       const _Atomic bool *cancelled) {
    wr_sort_entry e[WR_SORT_SLICE];
    size_t count;
    memset(at, 0, sizeof *at << d.bits);
    for (reader r = open_reader(pages); (count = read_entries(&r, e)) > 0 && !*cancelled;) {
        for (size_t i = 0; i < count; i++) at[bucket_of(d, e[i].key)]++;
    }
    size_t largest = begin_buckets(at, (size_t)1 << d.bits);
    for (reader r = open_reader(pages); !*cancelled && (count = read_entries(&r, e)) > 0;) {
        for (size_t i = 0; i < count; i++) out[at[bucket_of(d, e[i].key)]++] = e[i];
    }
    return largest;
}

static wr_status sort_into(const wr_sort_pages *pages, wr_allocator *a, wr_sort_entry *out,
                           const _Atomic bool *cancelled, wr_error *err) {
    size_t at[1 << DIGIT_BITS_MAX] = {pages->row_count}, bucket_count = 1, largest = pages->row_count;
    if (pages->row_count <= CACHED_ENTRIES) {
        reader r = open_reader(pages);
        for (size_t count, done = 0; (count = read_entries(&r, out + done)) > 0;) done += count;
    } else {
        deal d = learn_deal(pages);
        bucket_count = (size_t)1 << d.bits;
        largest = deal_out(pages, d, out, at, cancelled);
    }
    size_t bytes = sizeof *out * largest;
    sorter s = {pages->order, cancelled, wr_alloc(a, bytes)};
    if (!s.scratch) return wr_fail_memory(err, bytes, "sort");
    for (size_t b = 0, first = 0; b < bucket_count && !*cancelled; first = at[b++])
        sort_bucket(&s, out + first, at[b] - first);
    wr_free(a, s.scratch, bytes);
    return *cancelled ? wr_fail(err, WR_CANCELLED, "the query was stopped") : WR_OK;
}

wr_status wr_sort_pages_sort(const wr_sort_pages *pages, wr_allocator *a, wr_sort_entry **out,
                             const _Atomic bool *cancelled, wr_error *err) {
    /* Slices are read into it whole, also the last. */
    size_t bytes = sizeof **out * (pages->row_count + WR_SORT_SLICE);
    *out = wr_alloc(a, bytes);
    if (!*out) return wr_fail_memory(err, bytes, "sort");
    wr_status status = sort_into(pages, a, *out, cancelled, err);
    if (status == WR_OK) return WR_OK;
    wr_free(a, *out, bytes);
    *out = NULL;
    return status;
}
