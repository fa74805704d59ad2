/* Prints docs/functions.md from the rows of the registry, so that the page tells what there is: run compares the two.
 *
 *     build/release/docs_functions >docs/functions.md */
#include <stdio.h>
#include <string.h>

#include "plan/functions/functions.h"

static const wr_function_set *const sets[] = {
#define SET(area) &wr_functions_##area,
    WR_FUNCTION_SETS(SET)
#undef SET
};

static const char head[] =
    "# Functions and operators\n"
    "\n"
    "Made by `build/release/docs_functions >docs/functions.md` from the registry (`src/plan/functions/`). A name may have several\n"
    "rows of argument types; a row is shown for each thing that it does.\n";

static size_t family_size(const char *area) {
    return strcspn(area, "_");
}

static bool is_new_family(size_t set) {
    size_t size = family_size(sets[set]->area);
    return set == 0 || family_size(sets[set - 1]->area) != size ||
           memcmp(sets[set - 1]->area, sets[set]->area, size) != 0;
}

/* Names in code, a comma between them; a bar would end the cell. */
static void print_names(const char *names) {
    const char *before = "";
    for (const char *at = names; at && *at; before = ", ") {
        size_t size = strcspn(at, " ");
        printf("%s`", before);
        for (size_t i = 0; i < size; i++) {
            if (at[i] == '|') putchar('\\');
            putchar(at[i]);
        }
        printf("`");
        at += size + strspn(at + size, " ");
    }
}

/* The same name does the same thing for other types. */
static bool was_shown(const wr_function_set *set, uint32_t row) {
    const wr_function *f = &set->rows[row];
    for (uint32_t i = 0; i < row; i++) {
        const wr_function *other = &set->rows[i];
        if (strcmp(other->name, f->name) == 0 && strcmp(other->summary, f->summary) == 0) return true;
    }
    return false;
}

static void print_set(const wr_function_set *set) {
    for (uint32_t i = 0; i < set->count; i++) {
        const wr_function *f = &set->rows[i];
        if (was_shown(set, i)) continue;
        printf("| ");
        print_names(f->name);
        printf(" | ");
        print_names(f->aliases);
        printf(" | %s |\n", f->summary);
    }
}

int main(void) {
    fputs(head, stdout);
    for (size_t s = 0; s < WR_COUNT_OF(sets); s++) {
        const char *area = sets[s]->area;
        if (is_new_family(s))
            printf("\n## %.*s\n\n| name | also | gives |\n|---|---|---|\n", (int)family_size(area), area);
        print_set(sets[s]);
    }
    return 0;
}
