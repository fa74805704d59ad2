/* EXPLAIN: the plan with its estimates; EXPLAIN ANALYZE: the same after a run, with what each node really did. */
#include "engine/engine_internal.h"

typedef struct node_facts {
    bool seen;
    uint64_t rows, busy_ns, spilled_bytes, folded_rows;
    size_t peak_bytes;
    const wr_scan_counters *scan;
} node_facts;

typedef struct explain {
    wr_text *out;
    node_facts *facts; /* by logical id */
    uint32_t count;
} explain;

static void add_node(void *user, uint32_t pipeline, const wr_node_base *node, const char *kind) {
    (void)pipeline;
    (void)kind;
    explain *e = user;
    if (node->logical_id >= e->count) return;
    node_facts *f = &e->facts[node->logical_id];
    f->seen = true;
    f->rows += node->counters.rows_out;
    f->busy_ns += node->counters.busy_ns;
    f->spilled_bytes += node->counters.spilled_bytes;
    f->folded_rows += node->counters.folded_rows;
    size_t peak = node->budget ? wr_budget_peak(node->budget) : 0;
    if (peak > f->peak_bytes) f->peak_bytes = peak;
    if (wr_scan_counters_of(node)) f->scan = wr_scan_counters_of(node);
}

static void print_facts(const wr_logical *node, wr_text *out, void *user) {
    explain *e = user;
    const node_facts *f = &e->facts[node->id];
    if (node->id >= e->count || !f->seen) return;
    wr_text_format(out, "  [rows %llu", (unsigned long long)f->rows);
    if (node->row_estimate > 0 && f->rows > 0) {
        double off = node->row_estimate > (double)f->rows ? node->row_estimate / (double)f->rows
                                                          : (double)f->rows / node->row_estimate;
        wr_text_format(out, ", estimate off %.1fx", off);
    }
    if (f->busy_ns) wr_text_format(out, ", %.1f ms", (double)f->busy_ns / 1e6);
    if (f->peak_bytes) wr_text_format(out, ", %.1f MB", (double)f->peak_bytes / 1e6);
    if (f->spilled_bytes) wr_text_format(out, ", spilled %.1f MB", (double)f->spilled_bytes / 1e6);
    if (f->folded_rows) wr_text_format(out, ", %llu rows by code", (unsigned long long)f->folded_rows);
    if (f->scan) {
        wr_text_format(out, ", parts %llu of %llu, pages %llu, %.1f MB read",
                       (unsigned long long)(f->scan->parts - f->scan->parts_pruned), (unsigned long long)f->scan->parts,
                       (unsigned long long)f->scan->pages_inflated, (double)f->scan->bytes_read / 1e6);
    }
    wr_text_addz(out, "]");
}

static wr_status run_to_end(weir_result *r, wr_error *err) {
    r->exec.measure = true;
    WR_TRY(wr_query_start(r, err));
    for (bool more = true; more;) WR_TRY(wr_query_fetch(r, &more, err));
    return WR_OK;
}

wr_status wr_query_explain(weir_result *r, const wr_node *query, bool analyze, wr_error *err) {
    wr_text text;
    wr_text_init(&text, r->allocator);
    explain e = {.out = &text};
    wr_status status = wr_query_prepare(r, query, err);
    if (status == WR_OK && analyze) {
        int64_t started = wr_clock_monotonic_ns();
        status = run_to_end(r, err);
        double ms = (double)(wr_clock_monotonic_ns() - started) / 1e6;
        e.count = r->plan.node_count + 1;
        e.facts = WR_ARENA_ARRAY(&r->arena, node_facts, e.count);
        if (status == WR_OK && !e.facts) status = wr_fail_memory(err, sizeof(node_facts) * e.count, "explain");
        if (status == WR_OK) {
            wr_pipeline_set_each(r->pipelines, add_node, &e);
            wr_plan_print_with(&r->plan, &text, print_facts, &e);
            wr_text_format(&text, "total %.1f ms, peak memory %.1f MB, spilled %.1f MB\n", ms,
                           (double)wr_budget_peak(r->budget) / 1e6,
                           (double)wr_spill_written_bytes(r->exec.spill) / 1e6);
        }
    } else if (status == WR_OK) {
        wr_plan_print(&r->plan, &text);
    }
    if (status == WR_OK && text.failed) status = wr_fail_memory(err, text.size, "explain");
    wr_query_finish(r);
    for (uint32_t i = 0; r->texts && i < r->column_count; i++) wr_text_deinit(&r->texts[i]);
    r->texts = NULL;
    r->column_count = 0;
    if (status == WR_OK) status = wr_result_set_lines(r, "plan", wr_text_view(&text), err);
    wr_text_deinit(&text);
    return status;
}
