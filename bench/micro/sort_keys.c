/* Sorting by words of normalised keys, and by comparing rows: docs/decisions/0009-sort-keys.md.
 *
 *     bench_sort_keys [ROWS]
 *
 * The same rows, in pages, are sorted three ways: by wr_sort_pages_sort; by a merge sort whose comparison looks at a
 * row's first word and then at its cells; by one that looks at cells alone. Nanoseconds a row, the best of five. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec/sort_internal.h"
#include "os/os.h"

enum { REPETITIONS = 5, BATCH = 512, PAGE_BYTES = 2 << 20 };

typedef enum shape { NUMBERS, FEW_VALUES, PAIRS, TEXTS, PREFIXED } shape;
static const struct {
    const char *name;
    shape shape;
    wr_type_id type;
    uint32_t key_count;
} cases[] = {{"int64 random", NUMBERS, WR_TYPE_BIGINT, 1},
             {"int64 of 1000 values", FEW_VALUES, WR_TYPE_BIGINT, 1},
             {"two int64, the first of 1000 values", PAIRS, WR_TYPE_BIGINT, 2},
             {"text of 16 random bytes", TEXTS, WR_TYPE_VARCHAR, 1},
             {"text with a common prefix of 14 bytes", PREFIXED, WR_TYPE_VARCHAR, 1}};

typedef struct rows {
    wr_allocator *allocator;
    wr_row_layout layout;
    wr_row_list list;
    wr_sort_order order;
    wr_sort_column keys[2];
    uint64_t count;
} rows;

static void must(wr_status status, const wr_error *err) {
    if (status == WR_OK) return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static uint64_t random_u64(void) {
    static uint64_t state = 88172645463325252;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void fill(rows *r, size_t c, uint64_t count) {
    wr_error err;
    wr_type types[2] = {wr_type_of(cases[c].type), wr_type_of(cases[c].type)};
    *r = (rows){.allocator = wr_system_allocator(), .count = count};
    must(wr_row_layout_init(&r->layout, r->allocator, types, cases[c].key_count, 0, 0, &err), &err);
    for (uint32_t k = 0; k < cases[c].key_count; k++) r->keys[k] = (wr_sort_column){.column = k};
    must(wr_sort_order_init(&r->order, r->allocator, &r->layout, r->keys, cases[c].key_count, true, &err), &err);
    for (uint64_t done = 0; done < count; done += BATCH) {
        int64_t numbers[2][BATCH];
        wr_string_view views[BATCH];
        char texts[BATCH][24];
        for (uint32_t i = 0; i < BATCH; i++) {
            numbers[0][i] = (int64_t)(cases[c].shape == NUMBERS ? random_u64() : random_u64() % 1000);
            numbers[1][i] = (int64_t)random_u64();
            int size =
                snprintf(texts[i], sizeof texts[i], cases[c].shape == PREFIXED ? "https://x.org/%08x" : "%08x%08x",
                         (unsigned)random_u64(), (unsigned)random_u64());
            views[i] = wr_view_make(texts[i], (uint32_t)size);
        }
        const void *data[2] = {cases[c].type == WR_TYPE_VARCHAR ? (const void *)views : numbers[0], numbers[1]};
        wr_vector columns[2];
        for (uint32_t k = 0; k < 2; k++) {
            columns[k] = (wr_vector){.type = types[k],
                                     .kind = WR_FLAT,
                                     .phys = (uint8_t)wr_type_phys(types[k]),
                                     .row_count = BATCH,
                                     .data = data[k]};
        }
        must(wr_row_append(&r->list, r->allocator, &r->layout, PAGE_BYTES, columns, NULL, BATCH, NULL, &err), &err);
    }
}

/* ---- by comparing ---- */

typedef int (*comparison)(const wr_sort_order *order, const wr_sort_entry *a, const wr_sort_entry *b);

static int by_cells(const wr_sort_order *order, const wr_sort_entry *a, const wr_sort_entry *b) {
    return wr_sort_compare(order, 0, a->row, b->row);
}

static int by_word(const wr_sort_order *order, const wr_sort_entry *a, const wr_sort_entry *b) {
    if (a->key != b->key) return a->key < b->key ? -1 : 1;
    return wr_sort_compare_tied(order, a->key, a->row, b->row);
}

static void merge_sort(const wr_sort_order *order, comparison compare, wr_sort_entry *e, wr_sort_entry *scratch,
                       size_t count) {
    if (count < 2) return;
    size_t half = count / 2, left = 0, right = half, to = 0;
    merge_sort(order, compare, e, scratch, half);
    merge_sort(order, compare, e + half, scratch, count - half);
    memcpy(scratch, e, sizeof *e * half);
    while (left < half && right < count)
        e[to++] = compare(order, &e[right], &scratch[left]) < 0 ? e[right++] : scratch[left++];
    memcpy(e + to, scratch + left, sizeof *e * (half - left));
}

static uint32_t page_count(const rows *r) {
    uint32_t pages = 0;
    for (const wr_row_page *page = r->list.first; page; page = page->next) pages++;
    return pages;
}

static double sort_by_comparing(const rows *r, comparison compare) {
    double best = 1e18;
    wr_sort_entry *e = malloc(sizeof *e * r->count), *scratch = malloc(sizeof *e * r->count);
    for (int i = 0; i < REPETITIONS && e && scratch; i++) {
        uint64_t at = 0;
        int64_t started = wr_clock_thread_cpu_ns();
        for (const wr_row_page *page = r->list.first; page; page = page->next) {
            for (uint32_t row = 0; row < page->row_count; row++) e[at++].row = wr_row_at(page, row);
        }
        wr_sort_load(&r->order, (wr_sort_place){0, 0}, e, r->count);
        merge_sort(&r->order, compare, e, scratch, r->count);
        double ns = (double)(wr_clock_thread_cpu_ns() - started) / (double)r->count;
        if (ns < best) best = ns;
    }
    free(e);
    free(scratch);
    return best;
}

static double sort_by_words(const rows *r) {
    static const _Atomic bool never = false;
    double best = 1e18;
    wr_sort_pages pages = {.order = &r->order, .first = r->list.first, .count = page_count(r), .row_count = r->count};
    for (int i = 0; i < REPETITIONS; i++) {
        wr_error err;
        wr_sort_entry *out;
        int64_t started = wr_clock_thread_cpu_ns();
        must(wr_sort_pages_sort(&pages, r->allocator, &out, &never, &err), &err);
        double ns = (double)(wr_clock_thread_cpu_ns() - started) / (double)r->count;
        if (ns < best) best = ns;
        for (uint64_t k = 1; k < r->count; k++) {
            if (by_cells(&r->order, &out[k - 1], &out[k]) > 0) printf("NOT IN ORDER\n");
        }
        wr_free(r->allocator, out, sizeof *out * (r->count + WR_SORT_SLICE));
    }
    return best;
}

int main(int argc, char **argv) {
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1 << 20;
    count = (count + BATCH - 1) / BATCH * BATCH;
    for (size_t c = 0; c < WR_COUNT_OF(cases); c++) {
        rows r;
        fill(&r, c, count);
        printf("%-38s %llu rows   by words %6.1f   by first word, then cells %6.1f   by cells %6.1f ns/row\n",
               cases[c].name, (unsigned long long)count, sort_by_words(&r), sort_by_comparing(&r, by_word),
               sort_by_comparing(&r, by_cells));
        wr_sort_order_deinit(&r.order);
        wr_row_list_destroy(&r.list, r.allocator);
        wr_row_layout_deinit(&r.layout);
    }
    return 0;
}
