/* Comparing names and building text. A wr_text remembers that it failed, so that what prints can be written without
 * a check per call. */
#include "base/str.h"

#include <stdio.h>

static uint8_t fold(char c) {
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool wr_str_equal_nocase(wr_str a, wr_str b) {
    if (a.size != b.size) return false;
    for (uint32_t i = 0; i < a.size; i++) {
        if (fold(a.data[i]) != fold(b.data[i])) return false;
    }
    return true;
}

int wr_str_compare(wr_str a, wr_str b) {
    uint32_t common = a.size < b.size ? a.size : b.size;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

enum { DISTANCE_MAX_SIZE = 127 };

static uint32_t min3(uint32_t a, uint32_t b, uint32_t c) {
    uint32_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Optimal string alignment: insert, delete, replace, and swap of neighbours, each one edit; three rows of the table
 * are enough. Names longer than DISTANCE_MAX_SIZE are no typing errors of each other. */
uint32_t wr_str_distance(wr_str a, wr_str b, uint32_t cap) {
    uint32_t gap = a.size > b.size ? a.size - b.size : b.size - a.size;
    if (gap >= cap) return cap;
    if (a.size > DISTANCE_MAX_SIZE || b.size > DISTANCE_MAX_SIZE) return wr_str_equal_nocase(a, b) ? 0 : cap;
    uint32_t rows[3][DISTANCE_MAX_SIZE + 1];
    for (uint32_t j = 0; j <= b.size; j++) rows[0][j] = j;
    for (uint32_t i = 1; i <= a.size; i++) {
        uint32_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (uint32_t j = 1; j <= b.size; j++) {
            uint8_t x = fold(a.data[i - 1]), y = fold(b.data[j - 1]);
            row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == fold(b.data[j - 2]) && fold(a.data[i - 2]) == y && above2[j - 2] + 1 < row[j]) {
                row[j] = above2[j - 2] + 1;
            }
        }
    }
    uint32_t distance = rows[a.size % 3][b.size];
    return distance < cap ? distance : cap;
}

void wr_text_init(wr_text *text, wr_allocator *a) {
    *text = (wr_text){.allocator = a};
}

void wr_text_deinit(wr_text *text) {
    wr_free(text->allocator, text->data, text->capacity);
    *text = (wr_text){.allocator = text->allocator};
}

/* Room for `extra` bytes and the zero behind them. */
static bool text_reserve(wr_text *text, size_t extra) {
    if (text->failed) return false;
    size_t needed;
    if (__builtin_add_overflow(text->size, extra, &needed) || needed >= UINT32_MAX) {
        text->failed = true;
        return false;
    }
    if (needed < text->capacity) return true;
    size_t wanted = text->capacity * 2 > needed + 1 ? text->capacity * 2 : needed + 1;
    if (wanted < 64) wanted = 64;
    char *moved =
        text->data ? wr_resize(text->allocator, text->data, text->capacity, wanted) : wr_alloc(text->allocator, wanted);
    if (!moved) {
        text->failed = true;
        return false;
    }
    text->data = moved;
    text->capacity = wanted;
    return true;
}

void wr_text_add(wr_text *text, const char *data, size_t size) {
    if (!text_reserve(text, size)) return;
    if (size) memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = 0;
}

void wr_text_addz(wr_text *text, const char *z) {
    wr_text_add(text, z, strlen(z));
}

void wr_text_format(wr_text *text, const char *format, ...) {
    if (text->failed) return;
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (wanted < 0) {
        text->failed = true;
        return;
    }
    if (!text_reserve(text, (size_t)wanted)) return;
    va_start(args, format);
    vsnprintf(text->data + text->size, (size_t)wanted + 1, format, args);
    va_end(args);
    text->size += (size_t)wanted;
}
