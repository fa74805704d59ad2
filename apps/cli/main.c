/* The weir command: options, then statements from -c, -f, or standard input. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/shell.h"

static const char usage[] = "usage: weir [options] [-c SQL]... [-f FILE]...\n"
                            "\n"
                            "Runs SQL over files: weir -c \"SELECT count(*) FROM 'orders/*.parquet'\"\n"
                            "Without -c and -f, statements are read from standard input.\n"
                            "\n"
                            "  -c SQL                 run these statements; may be given again\n"
                            "  -f FILE                run the statements of a file; may be given again\n"
                            "  --mode MODE            box, csv, json, ndjson, markdown or line\n"
                            "                         (default: box on a terminal, csv elsewhere)\n"
                            "  --no-header            leave out column names\n"
                            "  --threads N            worker threads (default: one a processor)\n"
                            "  --memory-limit SIZE    such as 256MB or 4GiB (default: 80 % of the memory)\n"
                            "  --temp-dir DIR         where rows go that do not fit (default: $TMPDIR or /tmp)\n"
                            "  --set NAME=VALUE       any other setting\n"
                            "  --version, --help\n"
                            "\n"
                            "In a script, `.timer on` prints time, processor time and peak memory of each statement.\n"
                            "The exit status is 0 only if every statement succeeded.\n";

enum { SETTINGS_MAX = 64, INPUTS_MAX = 1024 };

typedef struct input {
    const char *sql, *file; /* one of them */
} input;

typedef struct options {
    weir_setting settings[SETTINGS_MAX];
    size_t setting_count;
    input inputs[INPUTS_MAX];
    size_t input_count;
    shell_mode mode;
    bool has_mode, header;
} options;

static int fail(const char *what, const char *value) {
    fprintf(stderr, "weir: %s%s%s\ntry weir --help\n", what, value ? " " : "", value ? value : "");
    return 2;
}

static int add_setting(options *o, const char *name, const char *value) {
    if (o->setting_count == SETTINGS_MAX) return fail("too many settings", NULL);
    o->settings[o->setting_count++] = (weir_setting){name, value};
    return 0;
}

static int add_input(options *o, const char *sql, const char *file) {
    if (o->input_count == INPUTS_MAX) return fail("too many -c and -f", NULL);
    o->inputs[o->input_count++] = (input){sql, file};
    return 0;
}

static int split_setting(options *o, char *text) {
    char *equals = strchr(text, '=');
    if (!equals) return fail("--set takes NAME=VALUE, not", text);
    *equals = 0;
    return add_setting(o, text, equals + 1);
}

static bool takes_value(const char *name) {
    static const char *const names[] = {"-c", "-f", "--threads", "--memory-limit", "--temp-dir", "--set", "--mode"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!strcmp(name, names[i])) return true;
    }
    return false;
}

/* An option that takes a value; 0, or the exit status. */
static int take_option(options *o, const char *name, char *value) {
    if (!strcmp(name, "-c")) return add_input(o, value, NULL);
    if (!strcmp(name, "-f")) return add_input(o, NULL, value);
    if (!strcmp(name, "--threads")) return add_setting(o, "threads", value);
    if (!strcmp(name, "--memory-limit")) return add_setting(o, "memory_limit", value);
    if (!strcmp(name, "--temp-dir")) return add_setting(o, "temp_directory", value);
    if (!strcmp(name, "--set")) return split_setting(o, value);
    o->has_mode = shell_mode_parse(value, &o->mode);
    return o->has_mode ? 0 : fail("--mode is one of box, csv, json, ndjson, markdown, line, not", value);
}

/* 0: go on; 1: done, well; else the exit status. */
static int parse_options(options *o, int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) return fputs(usage, stdout), 1;
        if (!strcmp(argv[i], "--version")) return printf("weir %s\n", weir_version()), 1;
        if (!strcmp(argv[i], "--no-header")) {
            o->header = false;
            continue;
        }
        if (argv[i][0] != '-') return fail("unexpected argument", argv[i]);
        if (!takes_value(argv[i])) return fail("unknown option", argv[i]);
        if (i + 1 == argc) return fail("no value behind", argv[i]);
        int status = take_option(o, argv[i], argv[i + 1]);
        if (status) return status;
        i++;
    }
    return 0;
}

static bool run_inputs(shell *sh, const options *o) {
    for (size_t i = 0; i < o->input_count; i++) {
        const input *in = &o->inputs[i];
        bool ok = in->sql ? shell_run_text(sh, in->sql, strlen(in->sql)) : shell_run_file(sh, in->file);
        if (!ok) return false;
    }
    if (o->input_count) return true;
    return sh->interactive ? shell_run_terminal(sh) : shell_run_file(sh, NULL);
}

int main(int argc, char **argv) {
    static options o = {.header = true};
    int status = parse_options(&o, argc, argv);
    if (status) return status == 1 ? 0 : status;

    shell sh = {.header = o.header, .out = stdout};
    sh.interactive = o.input_count == 0 && isatty(STDIN_FILENO);
    sh.mode = o.has_mode ? o.mode : isatty(STDOUT_FILENO) ? MODE_BOX : MODE_CSV;
    shell_watch_interrupts();
    weir_error error;
    if (weir_database_open(o.settings, o.setting_count, &sh.database, &error) != WEIR_OK ||
        weir_session_open(sh.database, &sh.session, &error) != WEIR_OK) {
        fprintf(stderr, "weir: %s\n", error.message);
        weir_database_close(sh.database);
        return 2;
    }
    bool ok = run_inputs(&sh, &o);
    weir_session_close(sh.session);
    weir_database_close(sh.database);
    if (fflush(stdout) != 0) return 1;
    return ok ? 0 : 1;
}
