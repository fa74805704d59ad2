/* Scripts: statements one after the other, dot commands between them, errors with a caret under the SQL. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cli/shell.h"

/* ---- errors ---- */

/* The line of the text that holds the position, and a caret below it; blanks before the caret repeat tabs. */
static void print_place(const char *text, size_t size, uint32_t position) {
    enum { WIDTH = 100 };
    if (position > size) return;
    size_t begin = position, end = position, line = 1;
    while (begin > 0 && text[begin - 1] != '\n') begin--;
    while (end < size && text[end] != '\n') end++;
    for (size_t i = 0; i < begin; i++) line += text[i] == '\n';
    bool cut_left = position - begin > WIDTH;
    if (cut_left) begin = position - WIDTH / 2;
    if (end - begin > WIDTH) end = begin + WIDTH;
    int indent = fprintf(stderr, "line %zu: %s", line, cut_left ? "…" : "");
    if (cut_left) indent -= 2;
    fprintf(stderr, "%.*s\n", (int)(end - begin), text + begin);
    for (int i = 0; i < indent; i++) fputc(' ', stderr);
    for (size_t i = begin; i < position; i++) {
        if ((text[i] & 0xc0) != 0x80) fputc(text[i] == '\t' ? '\t' : ' ', stderr);
    }
    fputs("^\n", stderr);
}

static void print_error(const weir_error *error, const char *text, size_t size) {
    fprintf(stderr, "error: %s\n", error->message);
    if (error->position != WEIR_NO_POSITION) print_place(text, size, error->position);
    if (error->hint[0]) fprintf(stderr, "hint: %s\n", error->hint);
}

/* ---- timing ---- */

static double wall_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_seconds(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static long peak_megabytes(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss / 1024;
}

/* ---- cancel ---- */

/* Ctrl-C is taken by a thread that waits for it, so that cancelling may lock; a second one within the same statement
 * ends the process. */
static weir_session *_Atomic interruptible;

static void *wait_for_interrupt(void *user) {
    sigset_t *signals = user;
    int number;
    while (sigwait(signals, &number) == 0) {
        weir_session *session = interruptible;
        if (!session) _exit(130);
        weir_session_cancel(session);
        interruptible = NULL;
    }
    return NULL;
}

void shell_watch_interrupts(void) {
    static sigset_t signals;
    pthread_t thread;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (pthread_create(&thread, NULL, wait_for_interrupt, &signals) == 0) pthread_detach(thread);
}

/* ---- running ---- */

static bool dot_command(shell *sh, const char *line, size_t size) {
    char text[256];
    if (size >= sizeof text) size = sizeof text - 1;
    memcpy(text, line, size);
    text[size] = 0;
    char *save = NULL, *name = strtok_r(text, " \t\r", &save), *value = strtok_r(NULL, " \t\r", &save);
    if (name && value && !strcmp(name, ".timer") && (!strcmp(value, "on") || !strcmp(value, "off"))) {
        sh->timer = !strcmp(value, "on");
        return true;
    }
    if (name && value && !strcmp(name, ".mode") && shell_mode_parse(value, &sh->mode)) return true;
    fprintf(
        stderr,
        "error: unknown command \"%s%s%s\"\nhint: there are .timer on|off and .mode box|csv|json|ndjson|markdown|line\n",
        name ? name : ".", value ? " " : "", value ? value : "");
    return false;
}

static bool run_statement(shell *sh, const char *text, size_t size, size_t *cursor) {
    double wall = wall_seconds(), cpu = cpu_seconds();
    weir_error error;
    weir_result *result = NULL;
    interruptible = sh->session;
    bool ok = weir_query_next(sh->session, text, size, cursor, &result, &error) == WEIR_OK;
    bool empty = ok && !result;
    if (ok && result) ok = shell_print(sh, result, &error);
    interruptible = NULL;
    weir_result_close(result);
    if (!ok) print_error(&error, text, size);
    if (sh->timer && !empty) {
        fflush(sh->out);
        fprintf(stderr, "time: %.3f s  cpu: %.3f s  peak: %ld MB\n", wall_seconds() - wall, cpu_seconds() - cpu,
                peak_megabytes());
    }
    return ok;
}

static size_t skip_blanks(const char *text, size_t size, size_t at) {
    while (at < size && strchr(" \t\r\n;", text[at]) && text[at]) at++;
    return at;
}

bool shell_run_text(shell *sh, const char *text, size_t size) {
    size_t cursor = 0;
    bool ok = true;
    while (ok && (cursor = skip_blanks(text, size, cursor)) < size) {
        if (text[cursor] == '.') {
            const char *end = memchr(text + cursor, '\n', size - cursor);
            size_t length = end ? (size_t)(end - (text + cursor)) : size - cursor;
            ok = dot_command(sh, text + cursor, length);
            cursor += length;
        } else {
            ok = run_statement(sh, text, size, &cursor);
        }
    }
    return ok;
}

bool shell_run_file(shell *sh, const char *path) {
    FILE *in = path ? fopen(path, "rb") : stdin;
    if (!in) {
        fprintf(stderr, "weir: cannot open '%s': %s\n", path, strerror(errno));
        return false;
    }
    char *text = NULL;
    size_t size = 0, capacity = 0, got;
    do {
        if (size == capacity) {
            capacity = capacity ? capacity * 2 : 65536;
            char *grown = realloc(text, capacity);
            if (!grown) break;
            text = grown;
        }
        got = fread(text + size, 1, capacity - size, in);
        size += got;
    } while (got > 0);
    bool ok = !ferror(in) && text;
    if (!ok) fprintf(stderr, "weir: cannot read %s\n", path ? path : "standard input");
    if (path) fclose(in);
    if (ok) ok = shell_run_text(sh, text, size);
    free(text);
    return ok;
}

/* A prompt, lines until the statement is complete, then on to the next; an error does not end the shell. */
bool shell_run_terminal(shell *sh) {
    char *text = NULL, *line = NULL;
    size_t size = 0, line_capacity = 0;
    ssize_t got;
    printf("weir %s: SQL ends with a semicolon, the shell with Ctrl-D\n", weir_version());
    fputs("weir> ", stdout);
    fflush(stdout);
    while ((got = getline(&line, &line_capacity, stdin)) >= 0) {
        char *grown = realloc(text, size + (size_t)got + 1);
        if (!grown) break;
        text = grown;
        memcpy(text + size, line, (size_t)got + 1);
        size += (size_t)got;
        size_t first = skip_blanks(text, size, 0);
        bool command = first < size && text[first] == '.';
        bool complete = command || (memchr(text, ';', size) && !weir_script_is_incomplete(text, size));
        if (first == size || complete) {
            if (complete) shell_run_text(sh, text, size);
            size = 0;
        }
        fputs(size ? "   -> " : "weir> ", stdout);
        fflush(stdout);
    }
    fputc('\n', stdout);
    free(text);
    free(line);
    return true;
}
