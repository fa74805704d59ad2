/* What the files of engine/ share: database, session, query, settings. */
#ifndef WR_ENGINE_ENGINE_INTERNAL_H
#define WR_ENGINE_ENGINE_INTERNAL_H

#include "engine/catalog.h"
#include "exec/build.h"
#include "optimize/optimizer.h"
#include "plan/binder.h"
#include "sql/parser.h"
#include "weir/weir.h"

/* Settings are one table (settings.c): name, where it counts, how it is read and shown. */
typedef struct wr_settings {
    uint32_t threads;        /* database */
    size_t memory_limit;     /* database */
    char temp_directory[1024];
    uint64_t temp_limit;
    uint32_t batch_rows;
    wr_isa isa;
    bool optimizer;
    char skip_passes[256];
    bool force_spill;
    char time_zone[64];
} wr_settings;

void wr_settings_default(wr_settings *settings);
/* `open`: the database is being opened; afterwards settings that belong to it can be changed only where that works live. */
WR_MUST_CHECK wr_status wr_settings_set(wr_settings *settings, wr_str name, wr_str value, bool open, wr_error *err);
WR_MUST_CHECK wr_status wr_settings_reset(wr_settings *settings, const wr_settings *defaults, wr_str name, wr_error *err);

struct weir_database {
    wr_budget *budget;
    wr_allocator *allocator; /* the budget's */
    wr_scheduler *scheduler;
    wr_registry *registry;
    wr_gate *gate;
    wr_database_catalog *catalog;
    wr_settings settings; /* defaults of new sessions */
    _Atomic uint32_t session_count;
};

struct weir_session {
    weir_database *database;
    wr_settings settings;
    wr_mutex lock;              /* guards `running` against cancel */
    wr_pipeline_set *running;
    bool cancel_requested;
};

struct weir_result {
    weir_session *session;
    wr_allocator *allocator;
    wr_budget *budget;
    wr_catalog *catalog;  /* pinned version; NULL when none */
    wr_arena arena;       /* of the statement's nodes */
    wr_plan plan;
    bool has_plan;
    wr_exec exec;
    bool has_exec;
    wr_pipeline_set *pipelines;
    wr_result_queue *queue;
    wr_schema schema;     /* names and types of the columns, in the arena */
    char **type_names;    /* in the arena */
    wr_batch batch;       /* the rows fetched last */
    wr_text *texts;       /* one a column: the value shown last */
    bool ended;
    wr_str lines;         /* results that are text: EXPLAIN, SHOW */
    bool lines_given;
};

/* query.c: one statement of a session, from node to an open result. */
WR_MUST_CHECK wr_status wr_statement_run(weir_session *session, wr_arena *arena_taken, const wr_node *node, weir_result **out, wr_error *err);
WR_MUST_CHECK wr_status wr_result_fetch_batch(weir_result *result, bool *more, wr_error *err);
WR_MUST_CHECK wr_status wr_query_open(weir_result *result, const wr_node *query, bool start, wr_error *err);
WR_MUST_CHECK wr_status wr_query_explain(weir_result *result, const wr_node *query, bool analyze, wr_error *err);

#endif
