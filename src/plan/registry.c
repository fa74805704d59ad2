/* The registry: one sorted table of names, each with its row.
 *
 * A name and each of its aliases is an entry of its own; all entries of a name stand side by side in the order in which
 * they were registered, so that finding a name is a binary search and gives an array of rows. */
#include "base/arena.h"
#include "plan/functions/functions.h"

typedef struct entry {
    wr_str name;
    uint32_t sequence; /* of registration: the order of preference within a name */
    const wr_function *row;
} entry;

struct wr_registry {
    wr_allocator *allocator;
    wr_arena arena; /* copies of registered rows and their texts */
    entry *entries;
    const wr_function **rows; /* entries[i].row, for callers */
    uint32_t count, capacity, row_capacity;
    wr_function **registered; /* whose user data is ours to destroy */
    uint32_t registered_count, registered_capacity;
};

static const wr_function_set *const built_in[] = {
#define WR_FUNCTION_SET_(area) &wr_functions_##area,
    WR_FUNCTION_SETS(WR_FUNCTION_SET_)
#undef WR_FUNCTION_SET_
};

static char fold(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int compare_names(wr_str a, wr_str b) {
    uint32_t common = a.size < b.size ? a.size : b.size;
    for (uint32_t i = 0; i < common; i++) {
        char x = fold(a.data[i]), y = fold(b.data[i]);
        if (x != y) return x < y ? -1 : 1;
    }
    return (a.size > b.size) - (a.size < b.size);
}

static bool comes_before(const entry *a, const entry *b) {
    int order = compare_names(a->name, b->name);
    return order ? order < 0 : a->sequence < b->sequence;
}

/* Shell's sort: in place, and a few hundred entries are nothing. */
static void sort_entries(entry *entries, uint32_t count) {
    for (uint32_t gap = count / 2; gap; gap = gap == 2 ? 1 : gap * 5 / 11) {
        for (uint32_t i = gap; i < count; i++) {
            entry moving = entries[i];
            uint32_t at = i;
            for (; at >= gap && comes_before(&moving, &entries[at - gap]); at -= gap) entries[at] = entries[at - gap];
            entries[at] = moving;
        }
    }
}

/* The next name of a list of names with blanks between them; false at its end. */
static bool next_name(const char **list, wr_str *out) {
    const char *at = *list;
    if (!at) return false;
    while (*at == ' ') at++;
    out->data = at;
    while (*at && *at != ' ') at++;
    out->size = (uint32_t)(at - out->data);
    *list = at;
    return out->size > 0;
}

static wr_status add_entries(wr_registry *r, const wr_function *row, wr_error *err) {
    const char *lists[2] = {row->name, row->aliases};
    for (uint32_t i = 0; i < 2; i++) {
        wr_str name;
        while (next_name(&lists[i], &name)) {
            WR_TRY(wr_grow(r->allocator, (void **)&r->entries, &r->capacity, r->count, 1, sizeof *r->entries, err));
            r->entries[r->count] = (entry){name, r->count, row};
            r->count++;
        }
    }
    return WR_OK;
}

static wr_status order_entries(wr_registry *r, wr_error *err) {
    WR_TRY(wr_grow(r->allocator, (void **)&r->rows, &r->row_capacity, 0, r->count, sizeof *r->rows, err));
    sort_entries(r->entries, r->count);
    for (uint32_t i = 0; i < r->count; i++) r->rows[i] = r->entries[i].row;
    return WR_OK;
}

wr_status wr_registry_create(wr_registry **out, wr_allocator *a, wr_error *err) {
    wr_registry *r = wr_alloc_zeroed(a, sizeof *r);
    if (!r) return wr_fail_memory(err, sizeof *r, "the function registry");
    r->allocator = a;
    wr_arena_init(&r->arena, a);
    wr_status status = WR_OK;
    for (uint32_t s = 0; s < WR_COUNT_OF(built_in); s++) {
        for (uint32_t i = 0; i < built_in[s]->count; i++) {
            WR_TRY_CLEANUP(add_entries(r, &built_in[s]->rows[i], err));
        }
    }
    WR_TRY_CLEANUP(order_entries(r, err));
    *out = r;
    return WR_OK;
cleanup:
    wr_registry_destroy(r);
    return status;
}

void wr_registry_destroy(wr_registry *r) {
    if (!r) return;
    wr_allocator *a = r->allocator;
    for (uint32_t i = 0; i < r->registered_count; i++) {
        if (r->registered[i]->user_destroy) r->registered[i]->user_destroy(r->registered[i]->user);
    }
    wr_free(a, r->registered, r->registered_capacity * sizeof *r->registered);
    wr_free(a, r->rows, r->row_capacity * sizeof *r->rows);
    wr_free(a, r->entries, r->capacity * sizeof *r->entries);
    wr_arena_deinit(&r->arena);
    wr_free(a, r, sizeof *r);
}

wr_status wr_registry_add(wr_registry *r, const wr_function *row, wr_error *err) {
    wr_function *copy = WR_ARENA_NEW(&r->arena, wr_function);
    wr_str name = wr_arena_copy(&r->arena, wr_str_from(row->name));
    wr_str aliases = wr_arena_copy(&r->arena, wr_str_from(row->aliases ? row->aliases : ""));
    wr_str summary = wr_arena_copy(&r->arena, wr_str_from(row->summary ? row->summary : ""));
    if (!copy || !name.data || !aliases.data || !summary.data) return wr_fail_memory(err, sizeof *row, "a function");
    *copy = *row;
    copy->name = name.data;
    copy->aliases = aliases.data;
    copy->summary = summary.data;
    WR_TRY(wr_grow(r->allocator, (void **)&r->registered, &r->registered_capacity, r->registered_count, 1,
                   sizeof *r->registered, err));
    uint32_t before = r->count;
    wr_status status = add_entries(r, copy, err);
    if (status == WR_OK) status = order_entries(r, err);
    if (status != WR_OK) {
        /* Unordered entries are still at the end. */
        r->count = before;
        return status;
    }
    r->registered[r->registered_count++] = copy;
    return WR_OK;
}

wr_function_match wr_registry_find(const wr_registry *r, wr_str name) {
    uint32_t low = 0, high = r->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare_names(r->entries[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    uint32_t end = low;
    while (end < r->count && compare_names(r->entries[end].name, name) == 0) end++;
    return (wr_function_match){r->rows + low, end - low};
}

uint32_t wr_registry_suggest(const wr_registry *r, wr_str name, const char **out, uint32_t room) {
    uint32_t cap = wr_str_slips(name) + 1, written = 0;
    for (uint32_t distance = 1; distance < cap && written < room; distance++) {
        for (uint32_t i = 0; i < r->count && written < room; i++) {
            if (i && compare_names(r->entries[i].name, r->entries[i - 1].name) == 0) continue;
            if (r->entries[i].name.size == 0 || fold(r->entries[i].name.data[0]) < 'a') continue;
            if (wr_str_distance(name, r->entries[i].name, cap) != distance) continue;
            out[written++] = r->rows[i]->name;
        }
    }
    return written;
}
