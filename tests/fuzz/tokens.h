/* Changes SQL token by token, so that most of what comes still parses: tokens are lost, repeated, exchanged, moved,
 * replaced by words of the language or by others of the same text, and misspelt. */
#ifndef WR_TESTS_FUZZ_TOKENS_H
#define WR_TESTS_FUZZ_TOKENS_H

#include <ctype.h>

#include "tests/fuzz/random.h"

enum { TOKENS_MAX = 4096, TOKEN_BYTES_MAX = 64 };

typedef struct token {
    const char *data;
    size_t size;
} token;

static const char *const token_words[] = {
#define WR_KEYWORD(WORD, class) #WORD,
#include "sql/keywords.def"
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "||",
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "(",
    ")",
    ",",
    ";",
    ".",
    "::",
    "[",
    "]",
    "?",
    "->",
    "0",
    "1",
    "-1",
    "2",
    "0.5",
    "1e9",
    "1e400",
    "9223372036854775807",
    "9223372036854775808",
    "170141183460469231731687303715884105728",
    "99999999999999999999.999",
    "''",
    "'a'",
    "'%a_'",
    "'1995-02-30'",
    "'2001-01-01'",
    "'('",
    "'NaN'",
    "'infinity'",
    "DATE '1995-01-01'",
    "INTERVAL 1 MONTH",
    "INTERVAL '1' YEAR",
    "TIMESTAMP '2001-01-01 00:00:00'",
    "BIGINT",
    "INTEGER",
    "TINYINT",
    "UBIGINT",
    "HUGEINT",
    "VARCHAR",
    "DOUBLE",
    "FLOAT",
    "BOOLEAN",
    "DECIMAL(38, 37)",
    "DECIMAL(1, 0)",
    "TIMESTAMPTZ",
    "BLOB",
    "BLOB 'a'",
    "INTEGER[]",
    "NULL",
    "TRUE",
    "count(*)",
    "count(DISTINCT 1)",
    "sum",
    "avg",
    "min",
    "max",
    "first",
    "any_value",
    "bool_and",
    "length",
    "lower",
    "upper",
    "substring",
    "replace",
    "concat",
    "lpad",
    "repeat",
    "strpos",
    "regexp_matches",
    "regexp_replace",
    "regexp_extract",
    "coalesce",
    "nullif",
    "greatest",
    "abs",
    "round",
    "floor",
    "sqrt",
    "ln",
    "pow",
    "date_trunc",
    "date_part",
    "strftime",
    "strptime",
    "make_date",
    "age",
    "row_number() OVER ()",
    "x",
    "k",
    "v",
    "nation",
    "orders",
    "lineitem",
    "o_orderkey",
    "l_quantity",
    "n_name",
    "c_custkey",
    "(SELECT 1)",
    "(SELECT n_name FROM nation)",
    "EXISTS (SELECT 1)",
    "IN (1, NULL)",
    "IN (SELECT n_nationkey FROM nation)",
    "CASE WHEN TRUE THEN 1 END",
    "CAST(NULL AS DATE)",
    "TRY_CAST('a' AS INTEGER)",
    "UNION ALL SELECT 1",
    "EXCEPT SELECT NULL",
    "CROSS JOIN nation",
    "LEFT JOIN nation ON TRUE",
    "GROUP BY ALL",
    "ORDER BY ALL",
    "ORDER BY 1 DESC",
    "LIMIT 3",
    "LIMIT 0",
    "OFFSET 2"};

static inline bool token_is_word(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

/* Cuts the text at words, quoted texts and single characters; blanks go. */
static inline uint32_t tokens_cut(token *out, const char *text, size_t size) {
    uint32_t count = 0;
    for (size_t at = 0; at < size && count < TOKENS_MAX;) {
        size_t end = at + 1;
        if (isspace((unsigned char)text[at])) {
            at++;
            continue;
        }
        if (token_is_word(text[at])) {
            while (end < size && token_is_word(text[end])) end++;
        } else if (text[at] == '\'' || text[at] == '"') {
            while (end < size && text[end] != text[at]) end++;
            if (end < size) end++;
        }
        out[count++] = (token){text + at, end - at};
        at = end;
    }
    return count;
}

static inline void tokens_move(token *t, uint32_t *count, uint32_t at, uint32_t removed, uint32_t added) {
    if (*count - removed + added > TOKENS_MAX) return;
    memmove(t + at + added, t + at + removed, sizeof *t * (*count - at - removed));
    *count = *count - removed + added;
}

/* Copies a token to `room` with a letter lost, doubled or another. */
static inline token token_misspell(token from, char *room, uint64_t *random) {
    if (from.size < 3 || from.size + 1 > TOKEN_BYTES_MAX) return from;
    size_t at = random_below(random, from.size);
    memcpy(room, from.data, from.size);
    switch (random_below(random, 3)) {
    case 0: room[at] = (char)('a' + random_below(random, 26)); return (token){room, from.size};
    case 1: memmove(room + at, room + at + 1, from.size - at - 1); return (token){room, from.size - 1};
    default: memmove(room + at + 1, room + at, from.size - at); return (token){room, from.size + 1};
    }
}

static inline void tokens_change(token *t, uint32_t *count, char *room, uint64_t *random) {
    uint32_t at = random_below(random, *count), other = random_below(random, *count);
    const char *word = token_words[random_below(random, sizeof token_words / sizeof *token_words)];
    token fresh = {word, strlen(word)}, old = t[at];
    uint32_t run = 1 + random_below(random, 6);
    if (run > *count - at) run = *count - at;
    switch (random_below(random, 8)) {
    case 0: tokens_move(t, count, at, 1, 0); break;
    case 1: tokens_move(t, count, at, run, 0); break;
    case 2: /* doubled */
        if (*count == TOKENS_MAX) break;
        tokens_move(t, count, at, 0, 1);
        t[at] = t[at + 1];
        break;
    case 3:
        t[at] = t[other];
        t[other] = old;
        break;
    case 4: t[at] = t[other]; break;
    case 5: t[at] = fresh; break;
    case 6:
        if (*count == TOKENS_MAX) break;
        tokens_move(t, count, at, 0, 1);
        t[at] = fresh;
        break;
    default: t[at] = token_misspell(old, room, random);
    }
}

/* Writes the changed text over the old one, where there is room for `capacity`; returns its size. */
static inline size_t tokens_mutate(char *text, size_t size, size_t capacity, uint64_t seed) {
    enum { CHANGES_MAX = 4 };
    static token tokens[TOKENS_MAX];
    static char old[1 << 20], rooms[CHANGES_MAX][TOKEN_BYTES_MAX];
    uint64_t random = random_start(seed);
    if (size > sizeof old) size = sizeof old;
    memcpy(old, text, size);
    uint32_t count = tokens_cut(tokens, old, size), changes = 1 + random_below(&random, CHANGES_MAX);
    for (uint32_t i = 0; i < changes && count > 0; i++) tokens_change(tokens, &count, rooms[i], &random);
    size_t used = 0;
    for (uint32_t i = 0; i < count && used + tokens[i].size + 1 <= capacity; i++) {
        memcpy(text + used, tokens[i].data, tokens[i].size);
        used += tokens[i].size;
        text[used++] = ' ';
    }
    return used;
}

#endif
