/* Joint codes in front of a table; see aggregate_internal.h.
 *
 * Each key is a digit of a mixed radix: a dictionary's code, or the distance from the low end of a window of integers,
 * and one value more for NULL. The map has a place for each number that the digits can make. It is emptied when a
 * dictionary changes (each row group has its own), when a window has to move, and when the table was emptied; filling
 * it again costs one look into the table for each group that occurs.
 *
 * A window that moves again and again (keys that rise, or are spread) costs more than it saves: after a few moves
 * within few batches the cache steps aside for a while, each time for longer. */
#include "exec/aggregate_internal.h"
#include "kernel/reduce.h"

enum {
    MAP_MAX = 128 * 1024,
    MOVES_MAX = 4,      /* before it steps aside */
    MOVE_BATCHES = 16,  /* a move is forgiven after so many batches without */
    PAUSE_BATCHES = 64, /* the first pause */
    PAUSE_BATCHES_MAX = 1 << 20,
};
#define UNKNOWN UINT32_MAX
#define LISTED (UINT32_MAX - 1)

typedef struct digit {
    wr_vector_set *dictionary; /* retained; NULL: a window of integers */
    uint64_t low;
    uint32_t size; /* values without NULL; 0: none yet */
    uint32_t multiplier;
} digit;

struct wr_agg_joint {
    const wr_agg_plan *plan;
    digit *digits;
    uint32_t *map;
    uint32_t map_size, map_capacity;
    bool map_valid;
    const wr_agg_table *table; /* that the map leads to: with the next epoch a task may get another's */
    uint64_t generation;       /* of it then */
    uint32_t pause, next_pause, moves, calm_batches;
    uint32_t *joint, *rows; /* of the batch */
    uint32_t capacity, row_count;
};

wr_status wr_agg_joint_create(wr_agg_joint **out, const wr_agg_plan *plan, wr_error *err) {
    wr_agg_joint *j = wr_alloc_zeroed(plan->allocator, sizeof *j);
    if (!j) return wr_fail_memory(err, sizeof *j, "aggregation");
    j->plan = plan;
    j->next_pause = PAUSE_BATCHES;
    j->digits = wr_alloc_zeroed(plan->allocator, sizeof *j->digits * (plan->key_count + 1));
    if (!j->digits) {
        wr_free(plan->allocator, j, sizeof *j);
        return wr_fail_memory(err, sizeof *j->digits * (plan->key_count + 1), "aggregation");
    }
    *out = j;
    return WR_OK;
}

void wr_agg_joint_destroy(wr_agg_joint *j) {
    if (!j) return;
    wr_allocator *a = j->plan->allocator;
    for (uint32_t k = 0; k < j->plan->key_count; k++) wr_vector_set_release(j->digits[k].dictionary);
    wr_free(a, j->digits, sizeof *j->digits * (j->plan->key_count + 1));
    wr_free(a, j->map, sizeof *j->map * j->map_capacity);
    wr_free(a, j->joint, sizeof *j->joint * j->capacity);
    wr_free(a, j->rows, sizeof *j->rows * j->capacity);
    wr_free(a, j, sizeof *j);
}

static bool has_window(const wr_agg_joint *j, const wr_vector *v) {
    return v->kind == WR_FLAT && j->plan->kernels->group->joint[v->phys] != NULL;
}

static void set_dictionary(digit *d, wr_vector_set *dictionary) {
    wr_vector_set_retain(dictionary);
    wr_vector_set_release(d->dictionary);
    d->dictionary = dictionary;
}

/* Digits that follow from the vectors alone. False when a key has none; *moved: one is another than before. */
static bool match_digits(wr_agg_joint *j, const wr_vector *const *columns, bool *moved) {
    for (uint32_t k = 0; k < j->plan->key_count; k++) {
        digit *d = &j->digits[k];
        const wr_vector *v = columns[k];
        if (v->kind == WR_DICTIONARY) {
            if (d->dictionary == v->children) continue;
            set_dictionary(d, v->children);
            d->size = wr_vector_dictionary(v)->row_count;
            if (d->size >= MAP_MAX) return false;
        } else if (has_window(j, v)) {
            if (!d->dictionary) continue;
            set_dictionary(d, NULL);
            d->size = 0;
        } else {
            return false;
        }
        j->map_valid = false;
        *moved = true;
    }
    return true;
}

/* ---- windows of integers ---- */

static uint64_t as_word(wr_phys phys, const void *value) {
    switch (phys) {
    case WR_PHYS_I8: return (uint64_t)(int64_t) * (const int8_t *)value;
    case WR_PHYS_I16: return (uint64_t)(int64_t) * (const int16_t *)value;
    case WR_PHYS_I32: return (uint64_t)(int64_t) * (const int32_t *)value;
    case WR_PHYS_U8: return *(const uint8_t *)value;
    case WR_PHYS_U16: return *(const uint16_t *)value;
    case WR_PHYS_U32: return *(const uint32_t *)value;
    default: return *(const uint64_t *)value;
    }
}

/* Widens the window of key k so that it holds the column's values. False when it gets too wide. */
static bool widen(wr_agg_joint *j, uint32_t k, const wr_vector *v, uint32_t count) {
    digit *d = &j->digits[k];
    const wr_agg_key *key = &j->plan->keys[k];
    uint64_t bounds[2][2]; /* minimum and maximum, of any width */
    j->map_valid = false;
    if (v->phys == WR_PHYS_BOOL || (key->spec.bounded && key->field.range < MAP_MAX)) {
        bool first = d->size == 0;
        d->low = v->phys == WR_PHYS_BOOL ? 0 : key->field.base;
        d->size = v->phys == WR_PHYS_BOOL ? 2 : (uint32_t)key->field.range + 1;
        return first; /* a second time, bounds that were promised are broken: the table says so */
    }
    if (!j->plan->kernels->reduce->bounds[v->phys](v->data, v->validity, count, bounds[0], bounds[1])) {
        if (!d->size) d->size = 1; /* all are NULL */
        return true;
    }
    uint64_t low = as_word(v->phys, bounds[0]), range = as_word(v->phys, bounds[1]) - low;
    if (d->size) {
        /* The union of both; distances wrap, and one that is too long says no. */
        uint64_t shift = d->low - low;
        bool below = shift <= (uint64_t)INT64_MAX;
        uint64_t old_end = d->low + d->size - 1, new_end = low + range;
        low = below ? low : d->low;
        range = old_end - low > new_end - low ? old_end - low : new_end - low;
    }
    if (range >= MAP_MAX) return false;
    d->low = low;
    d->size = (uint32_t)range + 1;
    return true;
}

/* Joint codes of all rows. False when some value is outside of its window: *outside is the key. */
static bool compute_codes(wr_agg_joint *j, const wr_vector *const *columns, uint32_t count, uint32_t *outside) {
    const wr_group_kernels *kernels = j->plan->kernels->group;
    memset(j->joint, 0, sizeof *j->joint * count);
    for (uint32_t k = 0; k < j->plan->key_count; k++) {
        const digit *d = &j->digits[k];
        const wr_vector *v = columns[k];
        if (d->dictionary) {
            kernels->joint_codes(v->data, v->validity, count, d->size, d->multiplier, j->joint);
        } else if (d->size == 0 ||
                   !kernels->joint[v->phys](v->data, v->validity, count, d->low, d->size, d->multiplier, j->joint)) {
            *outside = k;
            return false;
        }
    }
    return true;
}

/* ---- the map ---- */

/* Places of digits; false when the map would be too large. */
static bool place_digits(wr_agg_joint *j) {
    uint64_t size = 1;
    for (uint32_t k = 0; k < j->plan->key_count; k++) {
        j->digits[k].multiplier = (uint32_t)size;
        size *= (uint64_t)j->digits[k].size + 1;
        if (size > MAP_MAX) return false;
    }
    j->map_size = (uint32_t)size;
    return true;
}

static wr_status clear_map(wr_agg_joint *j, const wr_agg_table *table, wr_error *err) {
    wr_allocator *a = j->plan->allocator;
    if (j->map_size > j->map_capacity) {
        wr_free(a, j->map, sizeof *j->map * j->map_capacity);
        j->map_capacity = 0;
        j->map = wr_alloc(a, sizeof *j->map * j->map_size);
        if (!j->map) return wr_fail_memory(err, sizeof *j->map * j->map_size, "aggregation");
        j->map_capacity = j->map_size;
    }
    memset(j->map, 0xff, sizeof *j->map * j->map_size);
    j->map_valid = true;
    j->table = table;
    j->generation = table->generation;
    return WR_OK;
}

static void step_aside(wr_agg_joint *j) {
    j->pause = j->next_pause;
    if (j->next_pause < PAUSE_BATCHES_MAX) j->next_pause *= 2;
    j->moves = 0;
    j->map_valid = false;
    for (uint32_t k = 0; k < j->plan->key_count; k++) {
        set_dictionary(&j->digits[k], NULL);
        j->digits[k].size = 0;
    }
}

/* Digits, windows and codes of this batch; false when the cache is of no use to it. */
static bool prepare(wr_agg_joint *j, const wr_vector *const *columns, uint32_t count) {
    if (j->pause) {
        j->pause--;
        return false;
    }
    uint32_t outside = 0;
    bool moved = false;
    if (!match_digits(j, columns, &moved)) return false;
    for (uint32_t tries = 0; tries <= j->plan->key_count; tries++) {
        if ((j->map_valid || place_digits(j)) && compute_codes(j, columns, count, &outside)) {
            if (moved) {
                j->calm_batches = 0;
                if (++j->moves > MOVES_MAX) break;
            } else if (++j->calm_batches >= MOVE_BATCHES) {
                j->moves = j->calm_batches = 0;
            }
            return true;
        }
        if (!j->map_valid && !place_digits(j)) break;
        if (!widen(j, outside, columns[outside], count)) break;
        moved = true;
    }
    step_aside(j);
    return false;
}

static wr_status reserve_rows(wr_agg_joint *j, uint32_t count, wr_error *err) {
    if (count <= j->capacity) return WR_OK;
    wr_allocator *a = j->plan->allocator;
    wr_free(a, j->joint, sizeof *j->joint * j->capacity);
    wr_free(a, j->rows, sizeof *j->rows * j->capacity);
    j->capacity = (count + 127) & ~63u; /* kernels read behind the end */
    j->joint = wr_alloc(a, sizeof *j->joint * j->capacity);
    j->rows = wr_alloc(a, sizeof *j->rows * j->capacity);
    return j->joint && j->rows ? WR_OK : wr_fail_memory(err, sizeof *j->joint * j->capacity, "aggregation");
}

wr_status wr_agg_joint_lookup(wr_agg_joint *j, const wr_vector *const *columns, uint32_t count,
                              const wr_agg_table *table, uint32_t *groups, bool *applies, const uint32_t **rows,
                              uint32_t *row_count, wr_error *err) {
    *row_count = 0;
    *rows = NULL;
    WR_TRY(reserve_rows(j, count, err));
    *applies = prepare(j, columns, count);
    if (!*applies) return WR_OK;
    bool known = j->map_valid && j->table == table && j->generation == table->generation;
    if (!known) WR_TRY(clear_map(j, table, err));
    if (j->plan->kernels->group->lookup(j->map, j->joint, count, groups)) return WR_OK;
    uint32_t listed = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (j->map[j->joint[i]] != UNKNOWN) continue;
        j->map[j->joint[i]] = LISTED;
        j->rows[listed++] = i;
    }
    /* Until learn is called the map knows no more than before: the caller may have to come again. */
    for (uint32_t k = 0; k < listed; k++) j->map[j->joint[j->rows[k]]] = UNKNOWN;
    *rows = j->rows;
    *row_count = j->row_count = listed;
    return WR_OK;
}

void wr_agg_joint_learn(wr_agg_joint *j, const uint32_t *found, uint32_t count, uint32_t *groups) {
    const uint32_t *joint = j->joint;
    for (uint32_t k = 0; k < j->row_count; k++) j->map[joint[j->rows[k]]] = found[k];
    (void)j->plan->kernels->group->lookup(j->map, joint, count, groups);
}
