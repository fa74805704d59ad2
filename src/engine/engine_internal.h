/* What the files of engine/ share: database, session, query, settings. */
#ifndef WR_ENGINE_ENGINE_INTERNAL_H
#define WR_ENGINE_ENGINE_INTERNAL_H

#include "engine/catalog.h"
#include "exec/build.h"
#include "exec/scan.h"
#include "optimize/optimizer.h"
#include "plan/binder.h"
#include "plan/time_zone.h"
#include "sql/parser.h"
#include "weir/weir.h"

/* Settings are one table (settings.c): name, where it counts, how it is read and shown. */
typedef struct wr_settings {
    uint32_t threads;    /* database */
    size_t memory_limit; /* database */
    char temp_directory[1024];
    uint64_t temp_limit;
    uint32_t batch_rows;
    wr_isa isa;
    bool optimizer;
    char skip_passes[256];
    bool force_spill;
    bool force_order;
    bool hash_zero;
    char time_zone[64];
} wr_settings;

void wr_settings_default(wr_settings *settings);
/* `open`: the database is being opened; afterwards settings that belong to it can be changed only where that works
 * live. */
WR_MUST_CHECK wr_status wr_settings_set(wr_settings *settings, wr_str name, wr_str value, bool open, wr_error *err);
WR_MUST_CHECK wr_status wr_settings_reset(wr_settings *settings, const wr_settings *defaults, wr_str name,
                                          wr_error *err);

struct weir_database {
    wr_budget *budget;
    wr_allocator *allocator; /* the budget's */
    wr_scheduler *scheduler;
    wr_registry *registry;
    wr_time_zones *zones;
    wr_gate *gate;
    wr_database_catalog *catalog;
    wr_settings opened;   /* what RESET goes back to */
    wr_settings settings; /* of new sessions: the limit is the one that was set last; under lock */
    wr_mutex lock;        /* also of `scheduler` while it is made */
};

WR_MUST_CHECK wr_status wr_database_scheduler(weir_database *database, wr_scheduler **out, wr_error *err);

struct weir_session {
    weir_database *database;
    wr_settings settings;
    wr_mutex lock; /* guards `running` against cancel */
    wr_pipeline_set *running;
};
WR_MUST_CHECK wr_status wr_session_set(weir_session *session, wr_str name, wr_str value, wr_error *err);

struct weir_result {
    weir_session *session;
    wr_budget *budget; /* the query's */
    wr_allocator *allocator;
    wr_arena arena;      /* the statement's nodes, names, texts */
    wr_catalog *catalog; /* pinned version; NULL when none */
    wr_plan plan;
    bool has_plan;
    wr_exec exec;
    wr_pipeline_set *pipelines; /* NULL: not a query, or explained */
    wr_result_queue *queue;
    uint32_t column_count;
    wr_str *names;
    wr_type *types;
    wr_str *type_names;
    wr_batch batch; /* the rows fetched last */
    wr_text *texts; /* one a column: the value shown last */
    wr_str lines;   /* a result that is text, a row a line: EXPLAIN */
    bool at_end;
    bool text_failed;                /* memory ran out for a value's text: the next fetch says so */
    bool has_stream;                 /* the rows were given as a stream */
    struct wr_result_stream *stream; /* not released yet */
};

/* query.c: binds, optimizes and builds; the pipelines stand ready in the result. */
WR_MUST_CHECK wr_status wr_query_prepare(weir_result *result, const wr_node *query, wr_error *err);
WR_MUST_CHECK wr_status wr_query_start(weir_result *result, wr_error *err);
/* Moves the next rows into result->batch; *more is false at the end. */
WR_MUST_CHECK wr_status wr_query_fetch(weir_result *result, bool *more, wr_error *err);
/* Stops what runs and frees what the query holds; the result itself stays. */
void wr_query_finish(weir_result *result);
/* explain.c: runs the query for its counters when `analyze`; result->lines then holds the text. */
WR_MUST_CHECK wr_status wr_query_explain(weir_result *result, const wr_node *query, bool analyze, wr_error *err);
/* statement.c */
WR_MUST_CHECK wr_status wr_statement_run(weir_session *session, const wr_node *node, weir_result *result,
                                         wr_error *err);
WR_MUST_CHECK wr_status wr_open_result(weir_result **out, weir_session *session, wr_error *err);
/* A result of one VARCHAR column. */
WR_MUST_CHECK wr_status wr_result_set_lines(weir_result *result, const char *column, wr_str lines, wr_error *err);

/* arrow_stream.c: the result is being closed, and its stream, if it has one, is told. */
void wr_result_leave_stream(weir_result *result);

/* Copies an error to the caller's. */
weir_status wr_report(const wr_error *err, weir_error *out);

#endif
