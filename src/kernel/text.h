/* Loops over text. */
#ifndef WR_KERNEL_TEXT_H
#define WR_KERNEL_TEXT_H

#include "column/type.h"
#include "kernel/kernel.h"

typedef struct wr_text_kernels {
    /* First place of needle (size >= 1) in data at or after `from`, or SIZE_MAX: first and last byte are compared a
     * vector at a time, the rest where both match. Reads stay inside data. */
    size_t (*find)(const char *data, size_t size, size_t from, const char *needle, size_t needle_size);
    /* out bit i: view i holds the needle. Views that lie back to back in one buffer (a decoded page) are searched as
     * one run. */
    void (*contains)(const wr_string_view *a, uint32_t n, const char *needle, size_t needle_size, uint64_t *out);
    /* out bit i: the pieces occur in view i in this order without overlap (LIKE '%a%b%'). */
    void (*contains_all)(const wr_string_view *a, uint32_t n, const wr_str *pieces, uint32_t piece_count,
                         uint64_t *out);
    void (*starts_with)(const wr_string_view *a, uint32_t n, const char *prefix, size_t prefix_size, uint64_t *out);
    void (*ends_with)(const wr_string_view *a, uint32_t n, const char *suffix, size_t suffix_size, uint64_t *out);
    /* SIZE_MAX when the bytes are valid UTF-8, else where the first bad sequence starts. */
    size_t (*utf8_check)(const char *data, size_t size);
    /* Code points in each view. */
    void (*char_count)(const wr_string_view *a, uint32_t n, int64_t *out);
} wr_text_kernels;

#endif
