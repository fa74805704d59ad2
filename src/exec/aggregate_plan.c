/* The plan of an aggregation: how keys are packed, where states lie in an entry, how large tables and pages may be.
 *
 * Keys are packed by bits: a column takes what its bounds need, or its width, and a bit for NULL; columns that fit one
 * word make AGG_WORD, two words AGG_WORDS (widest first, each where it fits), all else AGG_ROWS. */
#include "exec/aggregate_internal.h"

enum {
    TABLE_BYTES_MIN = 8 * 1024 * 1024, /* of one worker's groups */
    TABLE_BYTES_MAX = 64 * 1024 * 1024,
    TABLES_BYTES = 128 * 1024 * 1024,  /* of all workers' */
    SLOT_BYTES = 12,                   /* of a directory, a group */
    PROBATION_BYTES = 2 * 1024 * 1024, /* after these a worker asks whether grouping pays */
    PARTITION_BYTES = 1024 * 1024,     /* of groups that are merged at a time */
    RADIX_BITS_MIN = 2,
    RADIX_BITS_USUAL = 6,
    RADIX_BITS_MAX = 8,
    PAGE_BYTES_USUAL = 64 * 1024,
    TABLE_GROUPS_MIN = 1024,
    SPILL_TABLE_GROUPS = 64, /* when tests force spilling */
};

static unsigned bits_of(uint64_t range) {
    return range ? 64 - (unsigned)__builtin_clzll(range) : 0;
}

static bool is_integer_phys(wr_phys phys) {
    return (phys >= WR_PHYS_I8 && phys <= WR_PHYS_I64) || (phys >= WR_PHYS_U8 && phys <= WR_PHYS_U64);
}

static bool is_signed_phys(wr_phys phys) {
    return phys >= WR_PHYS_I8 && phys <= WR_PHYS_I64;
}

/* False when the type has no word. */
static bool field_of(wr_agg_key *key) {
    wr_phys phys = key->phys;
    wr_pack_field *field = &key->field;
    if (phys == WR_PHYS_BOOL) {
        *field = (wr_pack_field){.range = 1};
    } else if (phys == WR_PHYS_F32 || phys == WR_PHYS_F64) {
        *field = (wr_pack_field){.range = UINT64_MAX >> (64 - 8 * wr_phys_bytes(phys))};
    } else if (is_integer_phys(phys) && key->spec.bounded) {
        *field = (wr_pack_field){(uint64_t)key->spec.low, (uint64_t)key->spec.high - (uint64_t)key->spec.low, 0, 0};
    } else if (is_integer_phys(phys)) {
        unsigned bits = 8 * (unsigned)wr_phys_bytes(phys);
        uint64_t lowest = is_signed_phys(phys) ? UINT64_MAX << (bits - 1) : 0;
        *field = (wr_pack_field){lowest, UINT64_MAX >> (64 - bits), 0, 0};
    } else {
        return false;
    }
    return true;
}

static unsigned field_bits(const wr_agg_key *key) {
    return bits_of(key->field.range) + key->spec.nullable;
}

static void field_place(wr_agg_key *key, uint8_t word, unsigned *used) {
    unsigned bits = bits_of(key->field.range);
    key->word = word;
    key->field.shift = (uint8_t)(*used < 63 ? *used : 63); /* a field of no bits may stand at the end */
    key->field.null_shift = (uint8_t)((*used + bits) & 63);
    *used += field_bits(key);
}

/* The key that is the widest of those not placed yet. */
static wr_agg_key *widest(wr_agg_plan *plan, const bool *placed) {
    wr_agg_key *best = NULL;
    for (uint32_t k = 0; k < plan->key_count; k++) {
        if (!placed[k] && (!best || field_bits(&plan->keys[k]) > field_bits(best))) best = &plan->keys[k];
    }
    return best;
}

static wr_agg_mode place_fields(wr_agg_plan *plan) {
    enum { KEYS_MAX = 128 }; /* more than two words have bits for, but for keys of one value */
    bool placed[KEYS_MAX] = {false};
    unsigned used[2] = {0, 0}, total = 0;
    if (plan->key_count > KEYS_MAX) return WR_AGG_ROWS;
    for (uint32_t k = 0; k < plan->key_count; k++) {
        if (!field_of(&plan->keys[k])) return WR_AGG_ROWS;
        total += field_bits(&plan->keys[k]);
    }
    if (total > 128) return WR_AGG_ROWS;
    for (wr_agg_key *key; (key = widest(plan, placed)) != NULL; placed[key - plan->keys] = true) {
        uint8_t word = used[0] + field_bits(key) <= 64 ? 0 : 1;
        if (used[word] + field_bits(key) > 64) return WR_AGG_ROWS;
        field_place(key, word, &used[word]);
    }
    return used[1] || total > 64 ? WR_AGG_WORDS : WR_AGG_WORD;
}

static wr_status copy_keys(wr_agg_plan *plan, const wr_aggregate_spec *spec, wr_error *err) {
    plan->keys = wr_alloc_zeroed(plan->allocator, sizeof *plan->keys * (spec->key_count + 1));
    if (!plan->keys) return wr_fail_memory(err, sizeof *plan->keys * (spec->key_count + 1), "aggregation");
    plan->key_count = spec->key_count;
    plan->null_equals = wr_alloc(plan->allocator, spec->key_count + 1);
    if (!plan->null_equals) return wr_fail_memory(err, spec->key_count + 1, "aggregation");
    memset(plan->null_equals, true, spec->key_count + 1);
    for (uint32_t k = 0; k < spec->key_count; k++) {
        wr_agg_key *key = &plan->keys[k];
        key->spec = spec->keys[k];
        key->type = spec->input_types[key->spec.column];
        key->phys = (uint8_t)wr_type_phys(key->type);
    }
    return WR_OK;
}

static wr_status copy_calls(wr_agg_plan *plan, const wr_aggregate_spec *spec, wr_error *err) {
    uint32_t arg_count = 0;
    for (uint32_t c = 0; c < spec->call_count; c++) arg_count += spec->calls[c].arg_count;
    plan->calls = wr_alloc_zeroed(plan->allocator, sizeof *plan->calls * (spec->call_count + 1));
    if (!plan->calls) return wr_fail_memory(err, sizeof *plan->calls * (spec->call_count + 1), "aggregation");
    plan->call_count = spec->call_count;
    plan->args = wr_alloc_zeroed(plan->allocator, sizeof *plan->args * (arg_count + 1));
    if (!plan->args) return wr_fail_memory(err, sizeof *plan->args * (arg_count + 1), "aggregation");
    plan->arg_count = arg_count;
    uint32_t *args = plan->args;
    for (uint32_t c = 0; c < spec->call_count; c++) {
        wr_agg_call *call = &plan->calls[c];
        call->spec = spec->calls[c];
        call->ops = call->spec.function->aggregate;
        for (uint32_t i = 0; i < call->spec.arg_count; i++) args[i] = call->spec.args[i];
        call->spec.args = args;
        args += call->spec.arg_count;
        call->arg_type = call->spec.arg_count ? spec->input_types[call->spec.args[0]] : wr_type_of(WR_TYPE_NULL);
        plan->owns |= call->ops->destroy != NULL;
    }
    return WR_OK;
}

static wr_status copy_products(wr_agg_plan *plan, const wr_aggregate_spec *spec, wr_error *err) {
    plan->input_count = spec->input_count;
    plan->products = spec->products;
    plan->product_count = spec->product_count;
    if (!spec->product_count) return WR_OK;
    size_t bytes = sizeof(wr_expr *) * spec->product_count;
    wr_expr **exprs = wr_alloc(plan->allocator, bytes);
    if (!exprs) return wr_fail_memory(err, bytes, "aggregation");
    for (uint32_t i = 0; i < spec->product_count; i++) exprs[i] = spec->products[i].expr;
    wr_status status = wr_program_compile(&plan->program, plan->allocator, exprs, spec->product_count, spec->input_ids,
                                          spec->input_count, &plan->exec->environment, err);
    wr_free(plan->allocator, exprs, bytes);
    return status;
}

enum { STATE_ARGS_MAX = 64 };

/* Offsets of states in an entry, behind its key. */
static wr_status place_states(wr_agg_plan *plan, const wr_aggregate_spec *spec, wr_error *err) {
    static const uint32_t key_bytes[] = {
        [WR_AGG_NO_KEY] = 0, [WR_AGG_WORD] = 8, [WR_AGG_WORDS] = 16, [WR_AGG_ROWS] = 16};
    uint32_t at = key_bytes[plan->mode], align = 8;
    for (uint32_t c = 0; c < plan->call_count; c++) {
        wr_agg_call *call = &plan->calls[c];
        wr_type types[STATE_ARGS_MAX];
        if (call->spec.arg_count > STATE_ARGS_MAX) {
            return wr_fail(err, WR_LIMIT, "%s has %u arguments; at most %d are supported", call->spec.function->name,
                           call->spec.arg_count, STATE_ARGS_MAX);
        }
        for (uint32_t i = 0; i < call->spec.arg_count; i++) types[i] = spec->input_types[call->spec.args[i]];
        uint32_t state_align = call->ops->state_align > 8 ? 16 : 8;
        if (state_align > align) align = state_align;
        at = (at + state_align - 1) & ~(state_align - 1);
        call->offset = at;
        at += (call->ops->state_bytes(types, call->spec.arg_count) + 7) & ~7u;
    }
    plan->entry_align = align;
    plan->entry_bytes = (at + align - 1) & ~(align - 1);
    if (!plan->entry_bytes) plan->entry_bytes = align;
    return WR_OK;
}

static wr_status make_layouts(wr_agg_plan *plan, wr_error *err) {
    uint32_t columns = plan->mode == WR_AGG_ROWS ? plan->key_count : 0;
    wr_type *types = wr_alloc(plan->allocator, sizeof *types * (columns + 1));
    if (!types) return wr_fail_memory(err, sizeof *types * (columns + 1), "aggregation");
    for (uint32_t k = 0; k < columns; k++) types[k] = plan->keys[k].type;
    wr_status status =
        wr_row_layout_init(&plan->layout, plan->allocator, types, columns, plan->entry_bytes, plan->entry_align, err);
    if (status == WR_OK) status = wr_row_layout_init(&plan->key_layout, plan->allocator, types, columns, 0, 1, err);
    wr_free(plan->allocator, types, sizeof *types * (columns + 1));
    return status;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Bytes of a group in a table: entry, slots, and its key elsewhere, whose text is guessed. */
static size_t group_bytes(const wr_agg_plan *plan) {
    size_t bytes = plan->entry_bytes + SLOT_BYTES;
    if (plan->mode == WR_AGG_ROWS) bytes += plan->key_layout.row_bytes + (plan->key_layout.has_heap ? 16 : 0);
    return bytes;
}

/* A worker's table, its fan-out and its pages share what is free: no more than a quarter goes to tables and a quarter
 * to pages that are being written. */
static void choose_sizes(wr_agg_plan *plan, double estimated_groups) {
    const wr_exec *exec = plan->exec;
    size_t threads = exec->thread_count ? exec->thread_count : 1;
    size_t share = wr_budget_available(exec->budget) / (4 * threads), table_bytes = TABLES_BYTES / threads;
    table_bytes = least(table_bytes > TABLE_BYTES_MIN ? table_bytes : TABLE_BYTES_MIN, TABLE_BYTES_MAX);
    size_t groups = least(least(table_bytes, share) / group_bytes(plan), WR_GROUPS_MAX);
    plan->table_groups = (uint32_t)(groups > TABLE_GROUPS_MIN ? groups : TABLE_GROUPS_MIN);
    if (exec->force_spill) plan->table_groups = SPILL_TABLE_GROUPS;
    groups = PROBATION_BYTES / group_bytes(plan);
    plan->probation_groups = (uint32_t)least(groups, plan->table_groups);
    plan->radix_bits = RADIX_BITS_USUAL;
    double partitions = estimated_groups * plan->entry_bytes / PARTITION_BYTES;
    while (plan->radix_bits < RADIX_BITS_MAX && partitions > (double)(1 << plan->radix_bits)) plan->radix_bits++;
    while (plan->radix_bits > RADIX_BITS_MIN && ((size_t)WR_ROW_PAGE_MIN << plan->radix_bits) > share)
        plan->radix_bits--;
    plan->page_bytes = PAGE_BYTES_USUAL;
    while (plan->page_bytes > WR_ROW_PAGE_MIN && ((size_t)plan->page_bytes << plan->radix_bits) > share) {
        plan->page_bytes /= 2;
    }
}

wr_status wr_agg_plan_init(wr_agg_plan *plan, wr_exec *exec, wr_budget *budget, const wr_aggregate_spec *spec,
                           bool keyless, wr_error *err) {
    *plan = (wr_agg_plan){
        .exec = exec, .budget = budget, .allocator = wr_budget_allocator(budget), .kernels = exec->environment.kernels};
    wr_status status = copy_keys(plan, spec, err);
    if (status == WR_OK) status = copy_calls(plan, spec, err);
    if (status == WR_OK) status = copy_products(plan, spec, err);
    if (status == WR_OK) {
        plan->mode = keyless || !spec->key_count ? WR_AGG_NO_KEY : place_fields(plan);
        status = place_states(plan, spec, err);
    }
    if (status == WR_OK) status = make_layouts(plan, err);
    if (status == WR_OK) {
        choose_sizes(plan, spec->estimated_groups);
        plan->folds = wr_agg_algebra_applies(plan);
    } else {
        wr_agg_plan_deinit(plan);
    }
    return status;
}

void wr_agg_plan_deinit(wr_agg_plan *plan) {
    wr_allocator *a = plan->allocator;
    if (!a) return;
    wr_row_layout_deinit(&plan->layout);
    wr_row_layout_deinit(&plan->key_layout);
    wr_program_destroy(plan->program);
    if (plan->args) wr_free(a, plan->args, sizeof *plan->args * (plan->arg_count + 1));
    if (plan->calls) wr_free(a, plan->calls, sizeof *plan->calls * (plan->call_count + 1));
    if (plan->null_equals) wr_free(a, plan->null_equals, plan->key_count + 1);
    if (plan->keys) wr_free(a, plan->keys, sizeof *plan->keys * (plan->key_count + 1));
    *plan = (wr_agg_plan){0};
}
