/* Dictionary algebra: exact sums by joint code, multiplied at the end.
 *
 *     sum(price * (1 - discount))  =  sum over discount codes d of  (1 - d) * sum(price of the rows with code d)
 *
 * holds for integers and decimals, whose sums are exact in any order. So columns that are factors in small dictionaries
 * become digits of a joint code, beside the row's group; what they are multiplied with, one column a product, is a lane
 * that is summed by (group, joint code), in int64. One pass over the rows then serves the counts, sums and means of all
 * calls, and a row costs the same whether there are one or four products. A slot holds
 *     [rows][sum of lane 0]…[NULLs of a lane that has any]…
 * and everything that lanes and codes make of it is added to the aggregates' states when the dictionaries change (each
 * row group has its own), when the table of groups is read, or when a lane's int64 could overflow: to settle.
 *
 * A wrong number is ruled out by bounds that are checked for each batch before anything is added:
 * - Every multiplication of the written order must fit its type for the largest lane value of the batch and the largest
 *   factors of the dictionaries. Otherwise the batch goes the ordinary way, where the row that overflows is found if
 *   there is one.
 * - A lane's budget is 2^62: rows times the power of two that bounds their values are taken from it. The products of a
 *   call's factors fit 63 bits, so that what a group settles fits 125.
 *
 * With few slots, neighbouring rows hit the same one, and each addition would wait for the last one's store. There are
 * then COPIES of the slots, for rows in turn.
 *
 * Calls that are no sums, or whose columns do not fit this, are updated the ordinary way, beside it. When settling
 * turns out to cost more than the rows before it, the algebra steps aside for a while, each time for longer. */
#include "exec/aggregate_internal.h"
#include "kernel/bits.h"
#include "kernel/reduce.h"

enum {
    ENTRIES_MAX = 256, /* of a dictionary that becomes a digit */
    CODES_MAX = 2048,  /* joint codes of a group */
    LANES_MAX = 16,
    SLOT_BYTES_MAX = 256 * 1024, /* half of a level 2 cache, with what else is in it */
    COPIES = 4,
    COPIES_BYTES_MAX = 16 * 1024, /* with copies */
    ROWS_PER_SLOT = 2,            /* fewer rows between settlings are a loss */
    LOSSES_MAX = 4,
    PAUSE_BATCHES = 64, /* the first pause */
    PAUSE_BATCHES_MAX = 1 << 20,
    BUDGET_BITS = 62,
};
#define NONE UINT32_MAX

/* An input column that is a factor, or summed. */
typedef struct input {
    uint32_t column;
    bool in_product;
    uint8_t kind, phys;        /* of the vector, when the shape was chosen */
    wr_vector_set *dictionary; /* of values; retained */
    uint32_t entries;          /* in values; 0: the column is no factor by code. One of a constant */
    int64_t *values;           /* ENTRIES_MAX of them */
    bool *valid;
    uint64_t most;  /* of their absolute values */
    uint32_t digit; /* or NONE */
    uint32_t lane;  /* or NONE */
} input;

typedef struct digit {
    uint32_t input; /* one of those that share the codes */
    uint32_t size, multiplier;
} digit;

typedef struct lane {
    uint32_t input;
    unsigned bits_max; /* of values, by the products that it is in */
    bool has_nulls;
    uint32_t null_word;
    uint64_t budget;       /* left of 2^BUDGET_BITS */
    const uint64_t *valid; /* of the batch; NULL: all */
    const int64_t *terms;
    int64_t *term_storage;
    uint64_t *valid_storage;
} lane;

typedef struct folded_call {
    uint32_t call;
    const wr_aggregate_product *product; /* or NULL */
    uint32_t inputs[WR_AGGREGATE_FACTORS];
    uint32_t input_count; /* 0: counts rows */
    bool handled;         /* in this shape */
    uint32_t lane;        /* or NONE */
    bool scaled;          /* by the call's factors */
    int64_t *factors;     /* by joint code */
    bool *factor_valid;
} folded_call;

struct wr_agg_algebra {
    const wr_agg_plan *plan;
    uint32_t input_count, call_count, digit_count, lane_count;
    input *inputs;
    folded_call *calls;
    bool *handles; /* by call of the plan */
    digit digits[LANES_MAX];
    lane lanes[LANES_MAX];
    bool has_shape, useful;
    uint32_t codes; /* joint codes of a group */
    void *factor_storage;
    size_t factor_bytes;
    uint32_t *index; /* slots of the batch's rows */
    int64_t *nulls;
    uint32_t row_capacity;
    uint64_t *slots;
    uint32_t words, copies, group_capacity;
    size_t slot_bytes;
    uint32_t groups_used;
    uint64_t rows; /* in slots */
    uint32_t losses, pause, next_pause;
};

/* ---- making ---- */

static bool is_foldable(const wr_agg_plan *plan, const wr_agg_call *call) {
    if (!call->ops->add_total || call->spec.filter != WR_AGGREGATE_NO_FILTER || call->spec.arg_count > 1) return false;
    return call->spec.arg_count == 0 || call->spec.args[0] >= plan->input_count ||
           plan->kernels->reduce->terms[wr_type_phys(call->arg_type)] != NULL;
}

bool wr_agg_algebra_applies(const wr_agg_plan *plan) {
    for (uint32_t c = 0; c < plan->call_count; c++) {
        if (is_foldable(plan, &plan->calls[c]) && plan->calls[c].spec.arg_count) return true;
    }
    return false;
}

static uint32_t input_of(wr_agg_algebra *a, uint32_t column, bool in_product) {
    uint32_t i = 0;
    while (i < a->input_count && a->inputs[i].column != column) i++;
    if (i == a->input_count) {
        a->inputs[i].column = column;
        a->input_count++;
    }
    a->inputs[i].in_product |= in_product;
    return i;
}

static void collect_calls(wr_agg_algebra *a) {
    const wr_agg_plan *plan = a->plan;
    for (uint32_t c = 0; c < plan->call_count; c++) {
        const wr_agg_call *call = &plan->calls[c];
        if (!is_foldable(plan, call)) continue;
        folded_call *f = &a->calls[a->call_count++];
        f->call = c;
        if (!call->spec.arg_count) continue;
        if (call->spec.args[0] < plan->input_count) {
            f->inputs[f->input_count++] = input_of(a, call->spec.args[0], false);
            continue;
        }
        f->product = &plan->products[call->spec.args[0] - plan->input_count];
        for (uint32_t i = 0; i < f->product->factor_count; i++) {
            f->inputs[f->input_count++] = input_of(a, f->product->factors[i], true);
        }
    }
}

static uint32_t inputs_room(const wr_agg_plan *plan) {
    return plan->call_count * WR_AGGREGATE_FACTORS;
}

wr_agg_algebra *wr_agg_algebra_create(const wr_agg_plan *plan) {
    wr_allocator *m = plan->allocator;
    wr_agg_algebra *a = wr_alloc_zeroed(m, sizeof *a);
    if (!a) return NULL;
    a->plan = plan;
    a->next_pause = PAUSE_BATCHES;
    a->inputs = wr_alloc_zeroed(m, sizeof *a->inputs * inputs_room(plan));
    a->calls = wr_alloc_zeroed(m, sizeof *a->calls * plan->call_count);
    a->handles = wr_alloc_zeroed(m, sizeof *a->handles * plan->call_count);
    bool made = a->inputs && a->calls && a->handles;
    if (made) collect_calls(a);
    for (uint32_t i = 0; made && i < a->input_count; i++) {
        a->inputs[i].values = wr_alloc(m, sizeof(int64_t) * ENTRIES_MAX);
        a->inputs[i].valid = wr_alloc(m, sizeof(bool) * ENTRIES_MAX);
        made = a->inputs[i].values && a->inputs[i].valid;
    }
    if (made) return a;
    wr_agg_algebra_destroy(a);
    return NULL;
}

static size_t bitmap_bytes(uint32_t rows) {
    return wr_bitmap_bytes(rows) + WR_BUFFER_PAD;
}

static void free_rows(wr_agg_algebra *a) {
    wr_allocator *m = a->plan->allocator;
    wr_free(m, a->index, sizeof *a->index * a->row_capacity);
    wr_free(m, a->nulls, sizeof *a->nulls * a->row_capacity);
    a->index = NULL;
    a->nulls = NULL;
    for (uint32_t l = 0; l < LANES_MAX; l++) {
        wr_free(m, a->lanes[l].term_storage, sizeof(int64_t) * a->row_capacity);
        wr_free(m, a->lanes[l].valid_storage, bitmap_bytes(a->row_capacity));
        a->lanes[l].term_storage = NULL;
        a->lanes[l].valid_storage = NULL;
    }
}

void wr_agg_algebra_destroy(wr_agg_algebra *a) {
    if (!a) return;
    wr_allocator *m = a->plan->allocator;
    free_rows(a);
    for (uint32_t i = 0; a->inputs && i < a->input_count; i++) {
        wr_vector_set_release(a->inputs[i].dictionary);
        wr_free(m, a->inputs[i].values, sizeof(int64_t) * ENTRIES_MAX);
        wr_free(m, a->inputs[i].valid, sizeof(bool) * ENTRIES_MAX);
    }
    wr_free(m, a->inputs, sizeof *a->inputs * inputs_room(a->plan));
    wr_free(m, a->calls, sizeof *a->calls * a->plan->call_count);
    wr_free(m, a->handles, sizeof *a->handles * a->plan->call_count);
    wr_free(m, a->factor_storage, a->factor_bytes);
    wr_free(m, a->slots, a->slot_bytes);
    wr_free(m, a, sizeof *a);
}

/* ---- the shape: what is a digit, what is a lane ---- */

/* The values of a small dictionary or of a constant; false when they are not small, or no int64. */
static bool load_values(const wr_agg_algebra *a, input *in, const wr_vector *v) {
    const wr_vector *values = v->kind == WR_DICTIONARY ? wr_vector_dictionary(v) : v;
    uint32_t count = v->kind == WR_DICTIONARY ? values->row_count : 1;
    if (v->kind == WR_FLAT || (v->kind == WR_DICTIONARY && values->kind != WR_FLAT)) return false;
    if (!count || count > ENTRIES_MAX) return false;
    if (values->phys == WR_PHYS_I128) {
        for (uint32_t i = 0; i < count; i++) {
            wr_int128 wide = 0;
            if (wr_valid(values->validity, i)) memcpy(&wide, (const uint8_t *)values->data + 16 * i, sizeof wide);
            in->values[i] = (int64_t)wide;
            if (in->values[i] != wide) return false;
        }
    } else if (!a->plan->kernels->reduce->terms[values->phys] ||
               a->plan->kernels->reduce->terms[values->phys](values->data, values->validity, count, in->values) > 63) {
        return false;
    }
    in->most = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t size = in->values[i] < 0 ? -(uint64_t)in->values[i] : (uint64_t)in->values[i];
        in->valid[i] = wr_valid(values->validity, i);
        in->most = size > in->most ? size : in->most;
    }
    in->entries = count;
    return true;
}

static bool same_codes(const wr_vector *v, const wr_vector *w) {
    return v->kind == WR_DICTIONARY && w->kind == WR_DICTIONARY && v->data == w->data && v->validity == w->validity;
}

/* The digit of the input's codes, a new one when none has the same; NONE when there are too many codes. */
static uint32_t digit_of(wr_agg_algebra *a, const wr_batch *batch, uint32_t i, bool make) {
    const wr_vector *v = &batch->columns[a->inputs[i].column];
    for (uint32_t d = 0; d < a->digit_count; d++) {
        if (!same_codes(v, &batch->columns[a->inputs[a->digits[d].input].column])) continue;
        return a->inputs[i].entries == a->digits[d].size ? d : NONE;
    }
    uint64_t codes = (uint64_t)a->codes * (a->inputs[i].entries + 1);
    if (!make || a->digit_count == LANES_MAX || codes > CODES_MAX) return NONE;
    a->digits[a->digit_count] = (digit){i, a->inputs[i].entries, a->codes};
    a->codes = (uint32_t)codes;
    return a->digit_count++;
}

/* The one factor of a product that is summed: the one with the most values. */
static uint32_t summed_factor(const wr_agg_algebra *a, const folded_call *f) {
    uint32_t best = NONE;
    for (uint32_t i = 0; i < f->input_count; i++) {
        uint32_t entries = a->inputs[f->inputs[i]].entries;
        if (best == NONE) best = i;
        uint32_t most = a->inputs[f->inputs[best]].entries;
        if (most && (!entries || entries > most)) best = i;
    }
    return best;
}

/* The other factors become digits; false when they cannot, and then nothing has changed. */
static bool choose_digits(wr_agg_algebra *a, const wr_batch *batch, const folded_call *f) {
    uint32_t summed = summed_factor(a, f), digit_count = a->digit_count, codes = a->codes, i = 0;
    for (; i < f->input_count; i++) {
        input *in = &a->inputs[f->inputs[i]];
        if (i == summed || in->digit != NONE || (in->entries && in->kind == WR_CONSTANT)) continue;
        if (in->entries) in->digit = digit_of(a, batch, f->inputs[i], true);
        if (in->digit == NONE) break;
    }
    if (i == f->input_count) return true;
    for (i = 0; i < a->input_count; i++) {
        if (a->inputs[i].digit != NONE && a->inputs[i].digit >= digit_count) a->inputs[i].digit = NONE;
    }
    a->digit_count = digit_count;
    a->codes = codes;
    return false;
}

static bool is_code(const input *in) {
    return in->digit != NONE || (in->kind == WR_CONSTANT && in->entries);
}

static uint32_t lane_of(wr_agg_algebra *a, uint32_t i) {
    input *in = &a->inputs[i];
    if (in->lane == NONE && a->lane_count < LANES_MAX) {
        lane *l = &a->lanes[a->lane_count];
        l->input = i;
        l->bits_max = 63;
        l->has_nulls = false;
        in->lane = a->lane_count++;
    }
    return in->lane;
}

/* Whether no multiplication can fail when the summed factor is below 2^bits. */
static bool fits(const wr_agg_algebra *a, const folded_call *f, uint32_t summed, unsigned bits) {
    const wr_aggregate_product *p = f->product;
    wr_uint128 stack[WR_AGGREGATE_FACTORS];
    uint32_t depth = 0, times = 0;
    for (uint32_t s = 0; s < 2 * p->factor_count - 1; s++) {
        uint32_t i = p->steps[s];
        if (i != WR_AGGREGATE_TIMES) {
            stack[depth++] = i == summed ? (wr_uint128)1 << bits : a->inputs[f->inputs[i]].most;
            continue;
        }
        wr_uint128 product;
        if (__builtin_mul_overflow(stack[depth - 2], stack[depth - 1], &product)) return false;
        if (product > (wr_uint128)p->limits[times++]) return false;
        stack[--depth - 1] = product;
    }
    return true;
}

/* The lane of a product, and how large its values may be; false when no bound helps. */
static bool choose_lane(wr_agg_algebra *a, folded_call *f) {
    uint32_t summed = NONE;
    wr_uint128 most = 1;
    for (uint32_t i = 0; i < f->input_count; i++) {
        const input *in = &a->inputs[f->inputs[i]];
        if (is_code(in)) {
            most *= in->most;
            if (most > INT64_MAX) return false;
        } else if (summed != NONE || !a->plan->kernels->reduce->terms[in->phys]) {
            return false; /* squared, or too wide */
        } else {
            summed = i;
        }
    }
    f->scaled = true;
    if (summed == NONE) return f->product ? fits(a, f, NONE, 0) : true;
    f->scaled = f->input_count > 1;
    unsigned bits = 63;
    while (f->product && bits && !fits(a, f, summed, bits)) bits--;
    if (!bits) return false;
    f->lane = lane_of(a, f->inputs[summed]);
    if (f->lane == NONE) return false;
    if (bits < a->lanes[f->lane].bits_max) a->lanes[f->lane].bits_max = bits;
    return true;
}

/* What the factors of a call make together, for each joint code. */
static void fill_factors(const wr_agg_algebra *a, const folded_call *f) {
    for (uint32_t code = 0; code < a->codes; code++) {
        int64_t product = 1;
        bool valid = true;
        for (uint32_t i = 0; i < f->input_count; i++) {
            const input *in = &a->inputs[f->inputs[i]];
            if (!is_code(in)) continue;
            const digit *d = in->digit == NONE ? NULL : &a->digits[in->digit];
            uint32_t entry = d ? code / d->multiplier % (d->size + 1) : 0;
            valid = valid && entry < in->entries && in->valid[entry];
            if (valid) product *= in->values[entry];
        }
        f->factors[code] = product;
        f->factor_valid[code] = valid;
    }
}

static bool make_factors(wr_agg_algebra *a) {
    wr_allocator *m = a->plan->allocator;
    size_t each = (sizeof(int64_t) + sizeof(bool)) * a->codes, bytes = (each + 7) / 8 * 8 * a->call_count;
    if (bytes > a->factor_bytes) {
        wr_free(m, a->factor_storage, a->factor_bytes);
        a->factor_storage = wr_alloc(m, bytes);
        a->factor_bytes = a->factor_storage ? bytes : 0;
        if (!a->factor_storage) return false;
    }
    for (uint32_t c = 0; c < a->call_count; c++) {
        folded_call *f = &a->calls[c];
        f->factors = (int64_t *)((uint8_t *)a->factor_storage + (each + 7) / 8 * 8 * c);
        f->factor_valid = (bool *)(f->factors + a->codes);
        if (f->handled && f->scaled) fill_factors(a, f);
    }
    return true;
}

/* Where a lane's NULLs are counted, and how wide that makes a slot. */
static void place_words(wr_agg_algebra *a) {
    a->words = 1 + a->lane_count;
    for (uint32_t l = 0; l < a->lane_count; l++) {
        if (a->lanes[l].has_nulls) a->lanes[l].null_word = a->words++;
        a->lanes[l].budget = UINT64_C(1) << BUDGET_BITS;
    }
}

static void remember(wr_agg_algebra *a, const wr_batch *batch) {
    for (uint32_t i = 0; i < a->input_count; i++) {
        input *in = &a->inputs[i];
        const wr_vector *v = &batch->columns[in->column];
        wr_vector_set_release(in->dictionary);
        in->dictionary = NULL;
        in->kind = v->kind;
        in->phys = v->phys;
        in->digit = in->lane = NONE;
        in->entries = 0;
        /* A large dictionary is let go, so that whoever made it can use its memory again. */
        if (load_values(a, in, v) && v->kind == WR_DICTIONARY) in->dictionary = wr_vector_set_retain(v->children);
    }
}

/* Slots are empty. Products first: their digits serve the sums of single columns too. */
static void choose_shape(wr_agg_algebra *a, const wr_batch *batch) {
    remember(a, batch);
    a->codes = 1;
    a->digit_count = a->lane_count = a->group_capacity = 0;
    for (uint32_t c = 0; c < a->call_count; c++) {
        folded_call *f = &a->calls[c];
        f->lane = NONE;
        f->scaled = false;
        f->handled = !f->product || choose_digits(a, batch, f);
    }
    for (uint32_t i = 0; i < a->input_count; i++) {
        input *in = &a->inputs[i];
        if (in->digit == NONE && in->entries && in->kind == WR_DICTIONARY) in->digit = digit_of(a, batch, i, false);
    }
    a->useful = false;
    for (uint32_t c = 0; c < a->call_count; c++) {
        folded_call *f = &a->calls[c];
        f->handled = f->handled && (!f->input_count || choose_lane(a, f));
        a->useful |= f->handled && f->input_count;
    }
    a->useful = a->useful && make_factors(a);
    for (uint32_t c = 0; c < a->call_count; c++) a->handles[a->calls[c].call] = a->useful && a->calls[c].handled;
    place_words(a);
    a->has_shape = true;
}

static bool same_constant(const input *in, const wr_vector *v) {
    bool valid = wr_valid(v->validity, 0);
    if (!in->entries || valid != in->valid[0]) return false;
    if (!valid) return true;
    wr_value value;
    if (wr_vector_value(v, 0, NULL, &value, NULL) != WR_OK) return false;
    return v->phys == WR_PHYS_I128 ? value.i128 == in->values[0] : value.i64 == in->values[0];
}

/* One that had too many entries to be a digit may be another one that has. */
static bool same_dictionary(const input *in, const wr_vector *v) {
    return in->entries ? v->children == in->dictionary : wr_vector_dictionary(v)->row_count > ENTRIES_MAX;
}

/* Whether the shape holds for the batch. Lanes alone may come in any form. */
static bool shape_holds(const wr_agg_algebra *a, const wr_batch *batch) {
    if (!a->has_shape) return false;
    for (uint32_t i = 0; i < a->input_count; i++) {
        const input *in = &a->inputs[i];
        const wr_vector *v = &batch->columns[in->column];
        if (!in->in_product && !is_code(in)) continue;
        if (v->kind != in->kind) return false;
        if (v->kind == WR_DICTIONARY && !same_dictionary(in, v)) return false;
        if (v->kind == WR_CONSTANT && !same_constant(in, v)) return false;
        if (in->digit != NONE && !same_codes(v, &batch->columns[a->inputs[a->digits[in->digit].input].column])) {
            return false;
        }
    }
    return true;
}

/* ---- settling ---- */

/* Sums of all copies to the first one. */
static void join_copies(const wr_agg_algebra *a, uint64_t *slots) {
    uint32_t width = a->words * a->copies;
    for (uint32_t code = 0; a->copies > 1 && code < a->codes; code++, slots += width) {
        for (uint32_t w = a->words; w < width; w++) slots[w % a->words] += slots[w];
    }
}

static void settle_call(const wr_agg_algebra *a, const folded_call *f, const uint64_t *slots,
                        const wr_aggregate_context *context, uint8_t *state) {
    const lane *l = f->lane == NONE ? NULL : &a->lanes[f->lane];
    wr_int128 total = 0;
    uint64_t count = 0;
    for (uint32_t code = 0; code < a->codes; code++, slots += (size_t)a->words * a->copies) {
        uint64_t rows = slots[0];
        if (!rows || (f->scaled && !f->factor_valid[code])) continue;
        int64_t sum = l ? (int64_t)slots[1 + f->lane] : (int64_t)rows;
        total += f->scaled ? (wr_int128)sum * f->factors[code] : sum;
        count += l && l->has_nulls ? rows - slots[l->null_word] : rows;
    }
    if (count) a->plan->calls[f->call].ops->add_total(context, state, total, count);
}

/* Work that the rows before it were not worth. */
static void lose(wr_agg_algebra *a) {
    if (++a->losses <= LOSSES_MAX) return;
    a->losses = 0;
    a->pause = a->next_pause;
    if (a->next_pause < PAUSE_BATCHES_MAX) a->next_pause *= 2;
}

void wr_agg_algebra_settle(wr_agg_algebra *a, const wr_aggregate_context *contexts, uint8_t *entries) {
    if (!a->rows) return;
    const wr_agg_plan *plan = a->plan;
    size_t group_words = (size_t)a->codes * a->copies * a->words;
    for (uint32_t group = 0; group < a->groups_used; group++) {
        uint64_t *slots = a->slots + group * group_words;
        join_copies(a, slots);
        for (uint32_t c = 0; c < a->call_count; c++) {
            const folded_call *f = &a->calls[c];
            if (!f->handled) continue;
            uint8_t *entry = entries + (size_t)group * plan->entry_bytes;
            settle_call(a, f, slots, &contexts[f->call], entry + plan->calls[f->call].offset);
        }
    }
    memset(a->slots, 0, sizeof *a->slots * group_words * a->groups_used);
    for (uint32_t l = 0; l < a->lane_count; l++) a->lanes[l].budget = UINT64_C(1) << BUDGET_BITS;
    if (a->rows < (uint64_t)ROWS_PER_SLOT * a->codes * a->groups_used) {
        lose(a);
    } else {
        a->losses = 0;
    }
    a->rows = 0;
    a->groups_used = 0;
}

/* ---- a batch ---- */

static bool reserve_rows(wr_agg_algebra *a, uint32_t count) {
    wr_allocator *m = a->plan->allocator;
    if (count > a->row_capacity) {
        free_rows(a);
        a->row_capacity = (count + 127) & ~63u; /* kernels read behind the end */
    }
    if (!a->index) a->index = wr_alloc(m, sizeof *a->index * a->row_capacity);
    bool made = a->index != NULL;
    for (uint32_t l = 0; l < a->lane_count && made; l++) {
        lane *x = &a->lanes[l];
        if (!x->term_storage) x->term_storage = wr_alloc(m, sizeof(int64_t) * a->row_capacity);
        made = x->term_storage != NULL;
        if (!x->has_nulls) continue;
        if (!x->valid_storage) x->valid_storage = wr_alloc(m, bitmap_bytes(a->row_capacity));
        if (!a->nulls) a->nulls = wr_alloc(m, sizeof *a->nulls * a->row_capacity);
        made = made && x->valid_storage && a->nulls;
    }
    return made;
}

/* Slots for so many groups; false when they are too many. Slots are empty when they are made anew. */
static bool reserve_slots(wr_agg_algebra *a, uint32_t group_count) {
    size_t group_bytes = sizeof *a->slots * a->codes * a->words;
    if (group_count > SLOT_BYTES_MAX / group_bytes) return false;
    uint32_t capacity = 8;
    while (capacity < group_count) capacity *= 2;
    size_t bytes = capacity * group_bytes;
    uint32_t copies = bytes * COPIES <= COPIES_BYTES_MAX ? COPIES : 1;
    bytes *= copies;
    if (bytes > a->slot_bytes) {
        wr_free(a->plan->allocator, a->slots, a->slot_bytes);
        a->slots = wr_alloc(a->plan->allocator, bytes);
        a->slot_bytes = a->slots ? bytes : 0;
        if (!a->slots) return false;
    }
    memset(a->slots, 0, a->slot_bytes);
    a->group_capacity = capacity;
    a->copies = copies;
    return true;
}

/* The rows of a lane that are not NULL. */
static const uint64_t *valid_rows(const wr_agg_algebra *a, lane *l, const wr_vector *v, uint32_t n) {
    const wr_bits_kernels *bits = a->plan->kernels->bits;
    const wr_vector *values = v->kind == WR_DICTIONARY ? wr_vector_dictionary(v) : NULL;
    if (v->kind == WR_CONSTANT || (values && !values->row_count)) {
        bool valid = v->kind == WR_CONSTANT && wr_valid(v->validity, 0);
        if (valid) return NULL;
        wr_bitmap_fill(l->valid_storage, n, false);
        return l->valid_storage;
    }
    if (!values || !values->validity) return v->validity;
    bits->lookup(values->validity, v->data, n, l->valid_storage);
    if (v->validity) bits->and_(l->valid_storage, v->validity, n, l->valid_storage);
    return l->valid_storage;
}

/* The lane's values of the batch; false when they are too large for what is made of them. */
static bool read_lane(wr_agg_algebra *a, lane *l, const wr_batch *batch, unsigned *bits) {
    const wr_reduce_kernels *k = a->plan->kernels->reduce;
    const wr_vector *v = &batch->columns[a->inputs[l->input].column];
    uint32_t n = batch->row_count;
    l->valid = l->has_nulls ? valid_rows(a, l, v, n) : NULL;
    l->terms = l->term_storage;
    if (v->kind == WR_DICTIONARY) {
        const wr_vector *values = wr_vector_dictionary(v);
        if (!k->terms_by_code[v->phys] || values->kind != WR_FLAT) return false;
        *bits = k->terms_by_code[v->phys](values->data, v->data, l->valid, n, l->term_storage);
    } else if (!k->terms[v->phys]) {
        return false;
    } else {
        *bits = k->terms[v->phys](v->data, l->valid, v->kind == WR_CONSTANT ? 1 : n, l->term_storage);
        for (uint32_t i = 1; v->kind == WR_CONSTANT && i < n; i++) l->term_storage[i] = l->term_storage[0];
    }
    return *bits <= l->bits_max;
}

static bool may_have_nulls(const wr_vector *v) {
    return v->validity ||
           (v->kind == WR_DICTIONARY && (wr_vector_dictionary(v)->validity || !wr_vector_dictionary(v)->row_count));
}

/* A lane that has had no NULL and may have some now. */
static bool gets_nulls(const wr_agg_algebra *a, const lane *l, const wr_batch *batch) {
    return !l->has_nulls && may_have_nulls(&batch->columns[a->inputs[l->input].column]);
}

static bool some_lane_gets_nulls(const wr_agg_algebra *a, const wr_batch *batch) {
    for (uint32_t l = 0; l < a->lane_count; l++) {
        if (gets_nulls(a, &a->lanes[l], batch)) return true;
    }
    return false;
}

/* Slots, which are empty, get a word for the NULLs of such lanes. */
static void make_room_for_nulls(wr_agg_algebra *a, const wr_batch *batch) {
    for (uint32_t l = 0; l < a->lane_count; l++) a->lanes[l].has_nulls |= gets_nulls(a, &a->lanes[l], batch);
    place_words(a);
}

static bool budget_allows(const wr_agg_algebra *a, uint32_t rows, const unsigned *bits) {
    for (uint32_t l = 0; l < a->lane_count; l++) {
        if (bits[l] >= BUDGET_BITS || ((uint64_t)rows > a->lanes[l].budget >> bits[l])) return false;
    }
    return true;
}

/* Slots of the rows: group, digits, copy. */
static void find_slots(wr_agg_algebra *a, const wr_batch *batch, const uint32_t *groups) {
    const wr_group_kernels *k = a->plan->kernels->group;
    uint32_t n = batch->row_count, copies = a->copies;
    for (uint32_t i = 0; i < n; i++) a->index[i] = i & (copies - 1);
    k->joint_codes(groups, NULL, n, 0, a->codes * copies, a->index);
    for (uint32_t d = 0; d < a->digit_count; d++) {
        const wr_vector *v = &batch->columns[a->inputs[a->digits[d].input].column];
        k->joint_codes(v->data, v->validity, n, a->digits[d].size, a->digits[d].multiplier * copies, a->index);
    }
}

static void add_rows(wr_agg_algebra *a, uint32_t n) {
    const wr_reduce_kernels *k = a->plan->kernels->reduce;
    const int64_t *terms[LANES_MAX];
    for (uint32_t l = 0; l < a->lane_count; l++) terms[l] = a->lanes[l].terms;
    uint32_t first = a->lane_count < WR_SLOT_TERMS ? a->lane_count : WR_SLOT_TERMS;
    k->slots_count_add[first](a->index, n, terms, a->slots, a->words);
    for (uint32_t l = first, lists; l < a->lane_count; l += lists) {
        lists = a->lane_count - l < WR_SLOT_TERMS ? a->lane_count - l : WR_SLOT_TERMS;
        k->slots_add[lists](a->index, n, terms + l, a->slots + 1 + l, a->words);
    }
    for (uint32_t l = 0; l < a->lane_count; l++) {
        const uint64_t *valid = a->lanes[l].valid;
        if (!valid) continue;
        for (uint32_t i = 0; i < n; i++) a->nulls[i] = !wr_bit_get(valid, i);
        k->slots_add[1](a->index, n, (const int64_t *[]){a->nulls}, a->slots + a->lanes[l].null_word, a->words);
    }
}

/* A shape, and slots that fit it; false when the ordinary way is the one to go. */
static bool prepare(wr_agg_algebra *a, const wr_batch *batch, const wr_aggregate_context *contexts, uint8_t *entries,
                    uint32_t group_count) {
    if (!shape_holds(a, batch)) {
        wr_agg_algebra_settle(a, contexts, entries);
        choose_shape(a, batch);
    }
    if (!a->useful) return false;
    bool nulls = some_lane_gets_nulls(a, batch);
    if (nulls || group_count > a->group_capacity) {
        wr_agg_algebra_settle(a, contexts, entries);
        if (nulls) make_room_for_nulls(a, batch);
        a->group_capacity = 0;
        if (!reserve_slots(a, group_count)) return false;
    }
    return reserve_rows(a, batch->row_count);
}

/* The lanes' values, within their bounds and budgets. */
static bool read_lanes(wr_agg_algebra *a, const wr_batch *batch, const wr_aggregate_context *contexts,
                       uint8_t *entries) {
    unsigned bits[LANES_MAX];
    for (uint32_t l = 0; l < a->lane_count; l++) {
        if (!read_lane(a, &a->lanes[l], batch, &bits[l])) return false;
    }
    if (!budget_allows(a, batch->row_count, bits)) wr_agg_algebra_settle(a, contexts, entries);
    if (!budget_allows(a, batch->row_count, bits)) return false;
    for (uint32_t l = 0; l < a->lane_count; l++) a->lanes[l].budget -= (uint64_t)batch->row_count << bits[l];
    return true;
}

bool wr_agg_algebra_add(wr_agg_algebra *a, const wr_batch *batch, const wr_aggregate_context *contexts,
                        uint8_t *entries, const uint32_t *groups, uint32_t group_count) {
    if (a->pause) {
        a->pause--;
        return false;
    }
    if (!prepare(a, batch, contexts, entries, group_count)) return false;
    if (!read_lanes(a, batch, contexts, entries)) {
        lose(a);
        return false;
    }
    find_slots(a, batch, groups);
    add_rows(a, batch->row_count);
    a->rows += batch->row_count;
    if (group_count > a->groups_used) a->groups_used = group_count;
    return true;
}

bool wr_agg_algebra_handles(const wr_agg_algebra *a, uint32_t call) {
    return a->handles[call];
}
