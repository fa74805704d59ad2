/* Rows to text: one function a mode. Box, markdown need widths, so they keep what they show; the others stream. */
#include <stdlib.h>
#include <string.h>

#include "cli/shell.h"

static const char *const mode_names[MODE_COUNT] = {"box", "csv", "json", "ndjson", "markdown", "line"};

bool shell_mode_parse(const char *name, shell_mode *out) {
    for (int i = 0; i < MODE_COUNT; i++) {
        if (!strcmp(name, mode_names[i])) {
            *out = (shell_mode)i;
            return true;
        }
    }
    return false;
}

/* ---- csv ---- */

/* NULL is nothing; an empty text is quoted, and so is what holds a separator, a quote or a line end. */
static void csv_field(FILE *out, const char *text, size_t size) {
    if (!text) return;
    bool plain = size > 0;
    for (size_t i = 0; i < size && plain; i++)
        plain = text[i] != ',' && text[i] != '"' && text[i] != '\n' && text[i] != '\r';
    if (plain) {
        fwrite(text, 1, size, out);
        return;
    }
    fputc('"', out);
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"') fputc('"', out);
        fputc(text[i], out);
    }
    fputc('"', out);
}

static void csv_header(shell *sh, weir_result *r) {
    for (size_t c = 0; c < weir_result_column_count(r); c++) {
        if (c) fputc(',', sh->out);
        const char *name = weir_result_column_name(r, c);
        csv_field(sh->out, name, strlen(name));
    }
    fputc('\n', sh->out);
}

static void csv_row(shell *sh, weir_result *r, size_t row) {
    for (size_t c = 0; c < weir_result_column_count(r); c++) {
        size_t size = 0;
        const char *text = weir_result_text(r, row, c, &size);
        if (c) fputc(',', sh->out);
        csv_field(sh->out, text, size);
    }
    fputc('\n', sh->out);
}

/* ---- json ---- */

static void json_text(FILE *out, const char *text, size_t size) {
    fputc('"', out);
    for (size_t i = 0; i < size; i++) {
        unsigned char ch = (unsigned char)text[i];
        if (ch == '"' || ch == '\\') {
            fputc('\\', out);
            fputc(ch, out);
        } else if (ch == '\n') {
            fputs("\\n", out);
        } else if (ch == '\t') {
            fputs("\\t", out);
        } else if (ch == '\r') {
            fputs("\\r", out);
        } else if (ch < 0x20) {
            fprintf(out, "\\u%04x", ch);
        } else {
            fputc(ch, out);
        }
    }
    fputc('"', out);
}

static bool is_number(const char *type) {
    static const char *const numbers[] = {"TINYINT",   "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT",
                                          "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT",  "DOUBLE"};
    bool decimal = !strncmp(type, "DECIMAL", 7) && type[strlen(type) - 1] == ')';
    for (size_t i = 0; !decimal && i < sizeof numbers / sizeof *numbers; i++) {
        if (!strcmp(type, numbers[i])) return true;
    }
    return decimal;
}

/* Text that is a JSON value as it is; inf and nan are not. */
static bool json_is_bare(const char *type, const char *text) {
    return !strcmp(type, "BOOLEAN") || (is_number(type) && !strpbrk(text, "in"));
}

static void json_row(shell *sh, weir_result *r, size_t row) {
    fputc('{', sh->out);
    for (size_t c = 0; c < weir_result_column_count(r); c++) {
        const char *name = weir_result_column_name(r, c);
        size_t size = 0;
        const char *text = weir_result_text(r, row, c, &size);
        if (c) fputc(',', sh->out);
        json_text(sh->out, name, strlen(name));
        fputc(':', sh->out);
        if (!text) {
            fputs("null", sh->out);
        } else if (json_is_bare(weir_result_column_type(r, c), text)) {
            fputs(text, sh->out);
        } else {
            json_text(sh->out, text, size);
        }
    }
    fputc('}', sh->out);
}

/* ---- line ---- */

static void line_row(shell *sh, weir_result *r, size_t row) {
    size_t width = 0;
    for (size_t c = 0; c < weir_result_column_count(r); c++) {
        size_t length = strlen(weir_result_column_name(r, c));
        if (length > width) width = length;
    }
    for (size_t c = 0; c < weir_result_column_count(r); c++) {
        const char *text = weir_result_text(r, row, c, NULL);
        fprintf(sh->out, "%*s = %s\n", (int)width, weir_result_column_name(r, c), text ? text : "NULL");
    }
    fputc('\n', sh->out);
}

/* ---- streaming modes ---- */

static void stream_row(shell *sh, weir_result *r, size_t row, bool first) {
    switch (sh->mode) {
    case MODE_CSV: csv_row(sh, r, row); break;
    case MODE_JSON:
        fputs(first ? "[\n" : ",\n", sh->out);
        json_row(sh, r, row);
        break;
    case MODE_NDJSON:
        json_row(sh, r, row);
        fputc('\n', sh->out);
        break;
    default: line_row(sh, r, row); break;
    }
}

static bool print_streaming(shell *sh, weir_result *r, weir_error *error) {
    size_t rows, total = 0;
    if (sh->mode == MODE_CSV && sh->header) csv_header(sh, r);
    do {
        if (weir_result_fetch(r, &rows, error) != WEIR_OK) return false;
        for (size_t i = 0; i < rows; i++) stream_row(sh, r, i, total + i == 0);
        total += rows;
    } while (rows);
    if (sh->mode == MODE_JSON) fputs(total ? "\n]\n" : "[]\n", sh->out);
    return true;
}

/* ---- tables ---- */

enum { TABLE_HEAD = 40, TABLE_TAIL = 20, CELL_WIDTH_MAX = 60 };

/* Cells of the first rows and of a ring of the last ones. */
typedef struct table {
    size_t columns, total;
    char **cells; /* (TABLE_HEAD + TABLE_TAIL) * columns; NULL: SQL NULL */
    size_t *widths;
    bool *right;
} table;

static size_t text_width(const char *text) {
    size_t width = 0;
    for (; *text; text++) width += (*text & 0xc0) != 0x80;
    return width;
}

/* A copy on one line, cut to the width with an ellipsis. */
static char *make_cell(const char *text) {
    size_t size = strlen(text);
    char *cell = malloc(size + 4);
    if (!cell) return NULL;
    size_t width = 0, n = 0;
    bool cut = text_width(text) > CELL_WIDTH_MAX;
    for (size_t i = 0; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80 && ++width > (size_t)(CELL_WIDTH_MAX - cut)) break;
        cell[n++] = (unsigned char)text[i] < 0x20 ? ' ' : text[i];
    }
    memcpy(cell + n, cut ? "…" : "", cut ? 4 : 1);
    return cell;
}

static char **table_cell(const table *t, size_t row, size_t column) {
    size_t slot = row < TABLE_HEAD ? row : TABLE_HEAD + (row - TABLE_HEAD) % TABLE_TAIL;
    return &t->cells[slot * t->columns + column];
}

static bool table_fill(table *t, weir_result *r, weir_error *error) {
    size_t rows;
    do {
        if (weir_result_fetch(r, &rows, error) != WEIR_OK) return false;
        for (size_t i = 0; i < rows; i++, t->total++) {
            for (size_t c = 0; c < t->columns; c++) {
                char **cell = table_cell(t, t->total, c);
                const char *text = weir_result_text(r, i, c, NULL);
                free(*cell);
                *cell = text ? make_cell(text) : NULL;
            }
        }
    } while (rows);
    return true;
}

static bool is_shown(const table *t, size_t row) {
    return row < TABLE_HEAD || row + TABLE_TAIL >= t->total;
}

static void table_measure(table *t, weir_result *r, bool header) {
    for (size_t c = 0; c < t->columns; c++) {
        const char *type = weir_result_column_type(r, c);
        t->right[c] = is_number(type);
        t->widths[c] = header ? text_width(weir_result_column_name(r, c)) : 1;
        for (size_t i = 0; i < t->total; i++) {
            if (!is_shown(t, i)) continue;
            const char *cell = *table_cell(t, i, c);
            size_t width = cell ? text_width(cell) : 4;
            if (width > t->widths[c]) t->widths[c] = width;
        }
    }
}

static void put_padded(FILE *out, const char *text, size_t width, bool right) {
    size_t pad = width - text_width(text);
    if (right) fprintf(out, "%*s", (int)pad, "");
    fputs(text, out);
    if (!right) fprintf(out, "%*s", (int)pad, "");
}

static void put_rule(FILE *out, const table *t, const char *left, const char *fill, const char *middle,
                     const char *right) {
    fputs(left, out);
    for (size_t c = 0; c < t->columns; c++) {
        for (size_t i = 0; i < t->widths[c] + 2; i++) fputs(fill, out);
        fputs(c + 1 < t->columns ? middle : right, out);
    }
    fputc('\n', out);
}

static void put_row(FILE *out, const table *t, size_t row, const char *bar) {
    for (size_t c = 0; c < t->columns; c++) {
        const char *cell = *table_cell(t, row, c);
        fprintf(out, "%s ", bar);
        put_padded(out, cell ? cell : "NULL", t->widths[c], t->right[c]);
        fputc(' ', out);
    }
    fprintf(out, "%s\n", bar);
}

static void put_names(shell *sh, const table *t, weir_result *r, const char *bar) {
    for (size_t c = 0; c < t->columns; c++) {
        fprintf(sh->out, "%s ", bar);
        put_padded(sh->out, weir_result_column_name(r, c), t->widths[c], t->right[c]);
        fputc(' ', sh->out);
    }
    fprintf(sh->out, "%s\n", bar);
}

static void put_rows(shell *sh, const table *t, const char *bar) {
    for (size_t i = 0; i < t->total; i++) {
        if (is_shown(t, i)) {
            put_row(sh->out, t, i, bar);
        } else if (i == TABLE_HEAD) {
            fprintf(sh->out, "%s … %zu more rows …\n", bar, t->total - TABLE_HEAD - TABLE_TAIL);
        }
    }
}

static void put_table(shell *sh, table *t, weir_result *r) {
    bool box = sh->mode == MODE_BOX;
    table_measure(t, r, sh->header || !box);
    if (!box) {
        put_names(sh, t, r, "|");
        put_rule(sh->out, t, "|", "-", "|", "|");
        put_rows(sh, t, "|");
        return;
    }
    put_rule(sh->out, t, "┌", "─", "┬", "┐");
    if (sh->header) {
        put_names(sh, t, r, "│");
        put_rule(sh->out, t, "├", "─", "┼", "┤");
    }
    put_rows(sh, t, "│");
    put_rule(sh->out, t, "└", "─", "┴", "┘");
    if (t->total > 10) fprintf(sh->out, "%zu rows\n", t->total);
}

static bool print_table(shell *sh, weir_result *r, weir_error *error) {
    table t = {.columns = weir_result_column_count(r)};
    size_t cells = (TABLE_HEAD + TABLE_TAIL) * t.columns;
    t.cells = calloc(cells, sizeof *t.cells);
    t.widths = calloc(t.columns, sizeof *t.widths);
    t.right = calloc(t.columns, sizeof *t.right);
    bool ok = t.cells && t.widths && t.right;
    if (!ok) {
        *error = (weir_error){
            .code = WEIR_NO_MEMORY, .position = WEIR_NO_POSITION, .message = "out of memory for the table"};
    } else {
        ok = table_fill(&t, r, error);
    }
    if (ok) put_table(sh, &t, r);
    for (size_t i = 0; t.cells && i < cells; i++) free(t.cells[i]);
    free(t.cells);
    free(t.widths);
    free(t.right);
    return ok;
}

bool shell_print(shell *sh, weir_result *result, weir_error *error) {
    if (weir_result_column_count(result) == 0) {
        size_t rows;
        return weir_result_fetch(result, &rows, error) == WEIR_OK;
    }
    bool is_table = sh->mode == MODE_BOX || sh->mode == MODE_MARKDOWN;
    return is_table ? print_table(sh, result, error) : print_streaming(sh, result, error);
}
