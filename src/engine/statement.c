/* One statement: which kind it is, what it changes, what its result is. */
#include "engine/engine_internal.h"

wr_status wr_open_result(weir_result **out, weir_session *session, wr_error *err) {
    wr_allocator *a = session->database->allocator;
    weir_result *r = *out = wr_alloc_zeroed(a, sizeof *r);
    if (!r) return wr_fail_memory(err, sizeof *r, "result");
    r->session = session;
    wr_status status =
        wr_budget_create(&r->budget, session->database->budget, NULL, "query", session->settings.memory_limit, err);
    if (status != WR_OK) {
        wr_free(a, r, sizeof *r);
        *out = NULL;
        return status;
    }
    r->allocator = wr_budget_allocator(r->budget);
    wr_arena_init(&r->arena, r->allocator);
    return WR_OK;
}

void weir_result_close(weir_result *r) {
    if (!r) return;
    wr_result_leave_stream(r);
    wr_query_finish(r);
    for (uint32_t i = 0; r->texts && i < r->column_count; i++) wr_text_deinit(&r->texts[i]);
    wr_arena_deinit(&r->arena);
    wr_budget_close(r->budget);
    wr_free(r->session->database->allocator, r, sizeof *r);
}

wr_status wr_result_set_lines(weir_result *r, const char *column, wr_str lines, wr_error *err) {
    r->lines = wr_arena_copy(&r->arena, lines);
    r->names = WR_ARENA_NEW(&r->arena, wr_str);
    r->types = WR_ARENA_NEW(&r->arena, wr_type);
    r->type_names = WR_ARENA_NEW(&r->arena, wr_str);
    r->texts = WR_ARENA_NEW(&r->arena, wr_text);
    if (!r->lines.data || !r->names || !r->types || !r->type_names || !r->texts)
        return wr_fail_memory(err, lines.size, "result");
    r->names[0] = wr_str_from(column);
    r->types[0] = wr_type_of(WR_TYPE_VARCHAR);
    r->type_names[0] = WR_STR("VARCHAR");
    wr_text_init(&r->texts[0], r->allocator);
    r->column_count = 1;
    return WR_OK;
}

/* ---- settings ---- */

/* The limit is the database's, whichever session sets it. */
static void spread_limit(weir_session *session, wr_str name) {
    weir_database *db = session->database;
    if (!wr_str_equal_nocase(name, WR_STR("memory_limit"))) return;
    wr_mutex_lock(&db->lock);
    db->settings.memory_limit = session->settings.memory_limit;
    wr_budget_set_limit(db->budget, session->settings.memory_limit);
    wr_mutex_unlock(&db->lock);
}

wr_status wr_session_set(weir_session *session, wr_str name, wr_str value, wr_error *err) {
    wr_settings changed = session->settings;
    WR_TRY(wr_settings_set(&changed, name, value, false, err));
    if (strcmp(changed.time_zone, session->settings.time_zone) != 0) {
        const wr_time_zone *zone;
        WR_TRY(wr_time_zones_find(session->database->zones, wr_str_from(changed.time_zone), &zone, err));
    }
    session->settings = changed;
    spread_limit(session, name);
    return WR_OK;
}

/* The value as it was written: a literal, or a bare word such as `on`. */
static wr_status setting_text(const wr_node *value, wr_str *out, wr_error *err) {
    switch (value->kind) {
    case WR_NODE_STRING:
    case WR_NODE_NUMBER:
    case WR_NODE_BOOLEAN: *out = value->text; return WR_OK;
    case WR_NODE_COLUMN:
        if (value->child_count == 1) {
            *out = value->children[0]->text;
            return WR_OK;
        }
        break;
    default: break;
    }
    return wr_fail_at(err, WR_INVALID, value->position, "a setting takes a number, a text or a word");
}

/* What is wrong with a statement is where it stands. */
static wr_status placed(wr_status status, const wr_node *node, wr_error *err) {
    if (status != WR_OK && err->position == WR_NO_POSITION) err->position = node->position;
    return status;
}

static wr_status run_set(weir_session *session, const wr_node *node, wr_error *err) {
    wr_status status;
    wr_str value;
    if (node->children[0]) {
        WR_TRY(setting_text(node->children[0], &value, err));
        status = wr_session_set(session, node->text, value, err);
    } else {
        status = wr_settings_reset(&session->settings, &session->database->opened, node->text, err);
        if (status == WR_OK) spread_limit(session, node->text);
    }
    return placed(status, node, err);
}

/* ---- views ---- */

static wr_status run_create_view(weir_session *session, const wr_node *node, weir_result *result, wr_error *err) {
    const wr_node *columns = node->children[0];
    wr_view view = {.name = node->text, .query = node->children[1], .column_count = columns ? columns->child_count : 0};
    wr_str *names = WR_ARENA_ARRAY(&result->arena, wr_str, view.column_count);
    if (!names) return wr_fail_memory(err, 0, "view");
    for (uint32_t i = 0; i < view.column_count; i++) names[i] = columns->children[i]->text;
    view.columns = names;
    /* Binding it now finds mistakes where they were made. */
    wr_plan plan;
    wr_plan_init(&plan, result->allocator);
    result->catalog = wr_catalog_pin(session->database->catalog);
    wr_binder_context binder = {
        .catalog = result->catalog, .registry = session->database->registry, .now_us = wr_clock_wall_us()};
    wr_status status = wr_bind_query(&plan, &binder, view.query, err);
    if (status == WR_OK && view.column_count > plan.root->column_count) {
        status = wr_fail_at(err, WR_INVALID, node->position, "view \"%.*s\" names %u columns, but its query has %u",
                            WR_STR_ARGS(view.name), view.column_count, plan.root->column_count);
    }
    wr_plan_deinit(&plan);
    WR_TRY(status);
    status = wr_catalog_create_view(session->database->catalog, &view, node->flags & WR_NODE_OR_REPLACE,
                                    node->flags & WR_NODE_IF_EXISTS, err);
    return placed(status, node, err);
}

wr_status wr_statement_run(weir_session *session, const wr_node *node, weir_result *result, wr_error *err) {
    switch (node->kind) {
    case WR_NODE_QUERY: WR_TRY(wr_query_prepare(result, node, err)); return wr_query_start(result, err);
    case WR_NODE_EXPLAIN:
        if (node->children[0]->kind != WR_NODE_QUERY) {
            return wr_fail_at(err, WR_UNSUPPORTED, node->position, "EXPLAIN takes a query");
        }
        return wr_query_explain(result, node->children[0], node->flags & WR_NODE_ANALYZE, err);
    case WR_NODE_SET: return run_set(session, node, err);
    case WR_NODE_CREATE_VIEW: return run_create_view(session, node, result, err);
    case WR_NODE_DROP_VIEW:
        return placed(
            wr_catalog_drop_view(session->database->catalog, node->text, node->flags & WR_NODE_IF_EXISTS, err), node,
            err);
    default:
        return wr_fail_at(err, WR_UNSUPPORTED, node->position, "statement %s cannot be run",
                          wr_node_kind_name((wr_node_kind)node->kind));
    }
}

static wr_status run_next(weir_session *session, wr_str script, uint32_t *cursor, weir_result **out, wr_error *err) {
    weir_result *result;
    WR_TRY(wr_open_result(&result, session, err));
    wr_statement statement = {0};
    wr_status status = wr_sql_parse_next(&result->arena, script, cursor, &statement, err);
    if (status == WR_OK && statement.node) status = wr_statement_run(session, statement.node, result, err);
    if (status != WR_OK || !statement.node) {
        weir_result_close(result);
        return status;
    }
    *out = result;
    return WR_OK;
}

weir_status weir_query_next(weir_session *session, const char *script, size_t size, size_t *cursor, weir_result **out,
                            weir_error *error) {
    wr_error err;
    wr_error_clear(&err);
    *out = NULL;
    uint32_t at = (uint32_t)*cursor;
    wr_status status;
    if (size > UINT32_MAX / 2) {
        status = wr_fail(&err, WR_LIMIT, "a script of %zu bytes is longer than 2 GiB", size);
        at = (uint32_t)(*cursor = size);
    } else {
        status = run_next(session, (wr_str){script, (uint32_t)size}, &at, out, &err);
        *cursor = at;
    }
    return status == WR_OK ? WEIR_OK : wr_report(&err, error);
}

weir_status weir_query(weir_session *session, const char *sql, weir_result **out, weir_error *error) {
    size_t cursor = 0, size = strlen(sql);
    weir_status status = weir_query_next(session, sql, size, &cursor, out, error);
    if (status != WEIR_OK || *out) return status;
    wr_error err;
    wr_error_clear(&err);
    (void)wr_fail(&err, WR_INVALID, "the text holds no statement");
    return wr_report(&err, error);
}

bool weir_script_is_incomplete(const char *script, size_t size) {
    return wr_sql_is_incomplete((wr_str){script, (uint32_t)size});
}
