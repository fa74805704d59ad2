/* Shared by parse.c and parse_time.c. */
#ifndef WR_COLUMN_PARSE_INTERNAL_H
#define WR_COLUMN_PARSE_INTERNAL_H

#include "column/type.h"

static inline bool wr_is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}
static inline bool wr_is_digit(char c) {
    return c >= '0' && c <= '9';
}
static inline bool wr_is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static inline int wr_hex_digit(char c) {
    return wr_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}
wr_str wr_parse_trim(wr_str s);
bool wr_parse_word(wr_str s, const char *word);

#endif
