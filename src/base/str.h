/* A borrowed run of bytes, and text that grows. */
#ifndef WR_BASE_STR_H
#define WR_BASE_STR_H

#include <string.h>

#include "base/alloc.h"

typedef struct wr_str {
    const char *data;
    uint32_t size;
} wr_str;

#define WR_STR(literal) ((wr_str){(literal), sizeof(literal) - 1})
#define WR_STR_ARGS(s) (int)(s).size, (s).data /* for "%.*s" */

static inline wr_str wr_str_from(const char *z) {
    return (wr_str){z, z ? (uint32_t)strlen(z) : 0};
}
static inline bool wr_str_equal(wr_str a, wr_str b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}
/* ASCII case folded; identifiers are compared so. */
bool wr_str_equal_nocase(wr_str a, wr_str b);
int wr_str_compare(wr_str a, wr_str b);
/* Edits between two names, case folded, capped at `cap`: for "did you mean". */
uint32_t wr_str_distance(wr_str a, wr_str b, uint32_t cap);
/* So many edits make a slip of the pen: a third of the letters; more is another word. */
static inline uint32_t wr_str_slips(wr_str name) {
    return name.size / 3;
}

typedef struct wr_text {
    wr_allocator *allocator;
    char *data; /* always zero-terminated once something was added */
    size_t size, capacity;
    bool failed; /* out of memory: later calls do nothing; look once at the end */
} wr_text;

void wr_text_init(wr_text *text, wr_allocator *a);
void wr_text_deinit(wr_text *text);
void wr_text_add(wr_text *text, const char *data, size_t size);
void wr_text_addz(wr_text *text, const char *z);
void wr_text_format(wr_text *text, const char *format, ...) WR_PRINTF(2, 3);
static inline void wr_text_clear(wr_text *text) {
    text->size = 0;
}
static inline wr_str wr_text_view(const wr_text *text) {
    return (wr_str){text->data, (uint32_t)text->size};
}

#endif
