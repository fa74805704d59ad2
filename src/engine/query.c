/* The life of a query: bind, optimize, build, run, fetch, finish. */
#include "engine/engine_internal.h"

static wr_status fill_environment(weir_result *r, wr_error *err) {
    const wr_settings *s = &r->session->settings;
    r->exec.environment = (wr_program_environment){
        .kernels = wr_kernels_select(s->isa),
        .now_us = wr_clock_wall_us(),
        .batch_rows = s->batch_rows,
    };
    return wr_time_zones_find(r->session->database->zones, wr_str_from(s->time_zone), &r->exec.environment.time_zone,
                              err);
}

static wr_status plan_query(weir_result *r, const wr_node *query, wr_error *err) {
    weir_session *session = r->session;
    wr_plan_init(&r->plan, r->allocator);
    r->has_plan = true;
    r->catalog = wr_catalog_pin(session->database->catalog);
    wr_binder_context binder = {
        .catalog = r->catalog,
        .registry = session->database->registry,
        .now_us = r->exec.environment.now_us,
        .time_zone = r->exec.environment.time_zone,
    };
    WR_TRY(wr_bind_query(&r->plan, &binder, query, err));
    wr_optimizer_context optimizer = {
        .registry = session->database->registry,
        .environment = r->exec.environment,
        .allocator = r->allocator,
        .enabled = session->settings.optimizer,
        .skip = session->settings.skip_passes,
        .force_order = session->settings.force_order,
    };
    return wr_optimize(&r->plan, &optimizer, err);
}

static wr_status describe_columns(weir_result *r, wr_error *err) {
    const wr_logical *root = r->plan.root;
    r->names = WR_ARENA_ARRAY(&r->arena, wr_str, root->column_count);
    r->types = WR_ARENA_ARRAY(&r->arena, wr_type, root->column_count);
    r->type_names = WR_ARENA_ARRAY(&r->arena, wr_str, root->column_count);
    r->texts = WR_ARENA_ARRAY(&r->arena, wr_text, root->column_count);
    if (!r->names || !r->types || !r->type_names || !r->texts) return wr_fail_memory(err, 0, "result columns");
    wr_text text;
    wr_text_init(&text, r->allocator);
    wr_status status = WR_OK;
    for (uint32_t i = 0; i < root->column_count && status == WR_OK; i++) {
        r->types[i] = r->plan.columns[root->columns[i]].type;
        wr_text_clear(&text);
        wr_type_print(&text, r->types[i]);
        r->names[i] = wr_arena_copy(&r->arena, r->plan.result_names[i]);
        r->type_names[i] = wr_arena_copy(&r->arena, wr_text_view(&text));
        wr_text_init(&r->texts[i], r->allocator);
        if (text.failed || !r->names[i].data || !r->type_names[i].data)
            status = wr_fail_memory(err, 0, "result columns");
        r->column_count = i + 1;
    }
    wr_text_deinit(&text);
    return status;
}

static wr_status open_exec(weir_result *r, wr_error *err) {
    weir_session *session = r->session;
    const wr_settings *s = &session->settings;
    wr_exec *exec = &r->exec;
    exec->allocator = r->allocator;
    exec->budget = r->budget;
    exec->thread_count = session->database->settings.threads;
    exec->batch_rows = s->batch_rows;
    exec->force_spill = s->force_spill;
    WR_TRY(wr_database_scheduler(session->database, &exec->scheduler, err));
    WR_TRY(wr_task_group_create(&exec->group, exec->scheduler, r->allocator, err));
    return wr_spill_create(&exec->spill, r->allocator, s->temp_directory, s->temp_limit, err);
}

wr_status wr_query_prepare(weir_result *r, const wr_node *query, wr_error *err) {
    WR_TRY(fill_environment(r, err));
    WR_TRY(plan_query(r, query, err));
    WR_TRY(describe_columns(r, err));
    WR_TRY(open_exec(r, err));
    WR_TRY(wr_pipeline_set_create(&r->pipelines, &r->exec, err));
    WR_TRY(wr_build_pipelines(r->pipelines, &r->exec, &r->plan, &r->queue, err));
    return wr_batch_init(&r->batch, r->allocator, r->column_count, err);
}

wr_status wr_query_start(weir_result *r, wr_error *err) {
    wr_mutex_lock(&r->session->lock);
    r->session->running = r->pipelines;
    wr_mutex_unlock(&r->session->lock);
    return wr_pipeline_set_start(r->pipelines, err);
}

/* Those who ran out of memory knew what for; which limit it was is known here. */
static wr_status name_limit(const weir_result *r, wr_error *err) {
    size_t limit = wr_budget_limit(r->session->database->budget);
    if (err->hint[0] || limit == WR_BUDGET_NO_LIMIT) return WR_NO_MEMORY;
    return wr_hint(err, "memory_limit is %.1f MB: raise it, or use fewer threads", (double)limit / 1e6);
}

wr_status wr_query_fetch(weir_result *r, bool *more, wr_error *err) {
    wr_result_next(r->queue, &r->batch, more);
    if (*more) return WR_OK;
    wr_status status = wr_pipeline_set_wait(r->pipelines, -1, err);
    return status == WR_NO_MEMORY ? name_limit(r, err) : status;
}

void wr_query_finish(weir_result *r) {
    wr_mutex_lock(&r->session->lock);
    if (r->session->running == r->pipelines) r->session->running = NULL;
    wr_mutex_unlock(&r->session->lock);
    wr_pipeline_set_destroy(r->pipelines);
    r->pipelines = NULL;
    wr_batch_deinit(&r->batch);
    wr_task_group_destroy(r->exec.group);
    wr_spill_destroy(r->exec.spill);
    r->exec.group = NULL;
    r->exec.spill = NULL;
    if (r->has_plan) wr_plan_deinit(&r->plan);
    r->has_plan = false;
    wr_catalog_unpin(r->catalog);
    r->catalog = NULL;
}
