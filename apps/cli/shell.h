/* The shell: what its files share. It uses the library by include/weir alone. */
#ifndef WEIR_APPS_CLI_SHELL_H
#define WEIR_APPS_CLI_SHELL_H

#include <stdio.h>

#include "weir/weir.h"

typedef enum shell_mode { MODE_BOX, MODE_CSV, MODE_JSON, MODE_NDJSON, MODE_MARKDOWN, MODE_LINE, MODE_COUNT } shell_mode;

typedef struct shell {
    weir_database *database;
    weir_session *session;
    shell_mode mode;
    bool header;
    bool timer;
    bool interactive;
    FILE *out;
} shell;

bool shell_mode_parse(const char *name, shell_mode *out);

/* output.c: prints all rows; false when the query failed on the way (the error is filled). */
bool shell_print(shell *sh, weir_result *result, weir_error *error);

/* script.c: runs a text of statements and dot commands; false when one failed, and then what follows it was not run. */
bool shell_run_text(shell *sh, const char *text, size_t size);
/* Ctrl-C cancels the running statement, and ends the process when none runs. Before any other thread is started. */
void shell_watch_interrupts(void);
bool shell_run_file(shell *sh, const char *path);
bool shell_run_terminal(shell *sh);

#endif
