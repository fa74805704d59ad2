/* Opening and closing: databases and sessions. */
#include "engine/engine_internal.h"

#define ZONE_FOLDER "/usr/share/zoneinfo"

_Static_assert((int)WEIR_INTERNAL == (int)WR_INTERNAL, "public and internal status codes are the same");
_Static_assert(WEIR_NO_POSITION == WR_NO_POSITION, "and so is the position of an error that has none");

const char *weir_version(void) {
    return "0.1.0";
}

const char *weir_status_name(weir_status status) {
    return wr_status_name((wr_status)status);
}

weir_status wr_report(const wr_error *err, weir_error *out) {
    if (out) {
        out->code = (weir_status)err->code;
        out->position = err->position;
        memcpy(out->message, err->message, sizeof out->message);
        memcpy(out->hint, err->hint, sizeof out->hint);
    }
    return (weir_status)err->code;
}

static wr_status open_database(const weir_setting *settings, size_t count, weir_database **out, wr_error *err) {
    wr_allocator *system = wr_system_allocator();
    weir_database *db = wr_alloc_zeroed(system, sizeof *db);
    if (!db) return wr_fail_memory(err, sizeof *db, "database");
    *out = db;
    wr_mutex_init(&db->lock);
    wr_settings_default(&db->settings);
    for (size_t i = 0; i < count; i++) {
        WR_TRY(
            wr_settings_set(&db->settings, wr_str_from(settings[i].name), wr_str_from(settings[i].value), true, err));
    }
    db->opened = db->settings;
    WR_TRY(wr_budget_create(&db->budget, NULL, system, "database", db->settings.memory_limit, err));
    db->allocator = wr_budget_allocator(db->budget);
    WR_TRY(wr_registry_create(&db->registry, db->allocator, err));
    const wr_time_zone *zone;
    WR_TRY(wr_time_zones_create(&db->zones, db->allocator, ZONE_FOLDER, err));
    WR_TRY(wr_time_zones_find(db->zones, wr_str_from(db->settings.time_zone), &zone, err));
    WR_TRY(wr_gate_create(&db->gate, db->allocator, true, err));
    WR_TRY(wr_database_catalog_create(&db->catalog, db->allocator, db->gate, wr_kernels_select(db->settings.isa), err));
    return WR_OK;
}

weir_status weir_database_open(const weir_setting *settings, size_t setting_count, weir_database **out,
                               weir_error *error) {
    wr_error err;
    wr_error_clear(&err);
    *out = NULL;
    if (open_database(settings, setting_count, out, &err) == WR_OK) return WEIR_OK;
    weir_database_close(*out);
    *out = NULL;
    return wr_report(&err, error);
}

void weir_database_close(weir_database *db) {
    if (!db) return;
    wr_scheduler_destroy(db->scheduler);
    wr_database_catalog_destroy(db->catalog);
    wr_gate_destroy(db->gate);
    wr_registry_destroy(db->registry);
    wr_time_zones_destroy(db->zones);
    if (db->budget) wr_budget_close(db->budget);
    wr_mutex_deinit(&db->lock);
    wr_free(wr_system_allocator(), db, sizeof *db);
}

/* Threads are started by the first query: `weir --help` and small tools never pay for them. */
wr_status wr_database_scheduler(weir_database *db, wr_scheduler **out, wr_error *err) {
    wr_status status = WR_OK;
    wr_mutex_lock(&db->lock);
    if (!db->scheduler) status = wr_scheduler_create(&db->scheduler, db->allocator, db->settings.threads, err);
    *out = db->scheduler;
    wr_mutex_unlock(&db->lock);
    return status;
}

weir_status weir_session_open(weir_database *db, weir_session **out, weir_error *error) {
    wr_error err;
    wr_error_clear(&err);
    weir_session *session = *out = wr_alloc_zeroed(db->allocator, sizeof *session);
    if (!session) {
        (void)wr_fail_memory(&err, sizeof *session, "session");
        return wr_report(&err, error);
    }
    session->database = db;
    wr_mutex_lock(&db->lock);
    session->settings = db->settings;
    wr_mutex_unlock(&db->lock);
    wr_mutex_init(&session->lock);
    return WEIR_OK;
}

void weir_session_close(weir_session *session) {
    if (!session) return;
    wr_mutex_deinit(&session->lock);
    wr_free(session->database->allocator, session, sizeof *session);
}

weir_status weir_session_set(weir_session *session, const char *name, const char *value, weir_error *error) {
    wr_error err;
    wr_error_clear(&err);
    wr_status status = wr_session_set(session, wr_str_from(name), wr_str_from(value), &err);
    return status == WR_OK ? WEIR_OK : wr_report(&err, error);
}

void weir_session_cancel(weir_session *session) {
    wr_mutex_lock(&session->lock);
    if (session->running) wr_pipeline_set_stop(session->running, WR_CANCELLED, "the query was cancelled");
    wr_mutex_unlock(&session->lock);
}

double weir_session_progress(weir_session *session) {
    wr_mutex_lock(&session->lock);
    double progress = session->running ? wr_pipeline_set_progress(session->running) : 0;
    wr_mutex_unlock(&session->lock);
    return progress;
}
