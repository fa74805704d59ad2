/* Syntax errors that help: what was seen, what was expected, and a hint when it looks like one of the slips that people
 * make. Runs on the way out alone, so it may look at all tokens. */
#include <stdio.h>

#include "sql/sql_internal.h"

/* ---- what was seen ---- */

enum { SEEN_MAX = 60 };

static bool is_opener(wr_token_kind kind) {
    return kind == WR_TOKEN_LEFT_PAREN || kind == WR_TOKEN_LEFT_BRACKET || kind == WR_TOKEN_LEFT_BRACE;
}
static bool is_closer(wr_token_kind kind) {
    return kind == WR_TOKEN_RIGHT_PAREN || kind == WR_TOKEN_RIGHT_BRACKET || kind == WR_TOKEN_RIGHT_BRACE;
}

/* The text of a token between quotes of ours, names and strings with their own; its first line, cut when it is long. */
static void describe(const wr_parser *p, const wr_token *token, char *out, size_t out_bytes) {
    if (token->kind == WR_TOKEN_END) {
        snprintf(out, out_bytes, "end of the statement");
        return;
    }
    wr_str text = {p->script.data + token->begin, token->end - token->begin};
    uint32_t size = 0;
    while (size < text.size && size < SEEN_MAX && (uint8_t)text.data[size] >= ' ') size++;
    while (size > 0 && size < text.size && ((uint8_t)text.data[size] & 0xc0) == 0x80) size--;
    bool own = text.data[0] == '"' || text.data[0] == '\'';
    const char *quote = own ? "" : "\"";
    snprintf(out, out_bytes, "%s%.*s%s%s", quote, (int)size, text.data, size < text.size ? "…" : "", quote);
}

typedef struct place {
    uint32_t line, column;
} place;

static place place_of(const wr_parser *p, uint32_t position) {
    place out = {1, 1};
    for (uint32_t i = 0; i < position; i++) {
        if (p->script.data[i] == '\n') {
            out = (place){out.line + 1, 1};
        } else if (((uint8_t)p->script.data[i] & 0xc0) != 0x80) {
            out.column++;
        }
    }
    return out;
}

/* ---- the slips: each fills the hint and returns true, or returns false ---- */

/* The innermost "(" in front of the current token that is still open, or NULL. */
static const wr_token *open_before(const wr_parser *p) {
    uint32_t closed = 0;
    for (uint32_t i = p->at; i-- > 0;) {
        if (is_closer(p->tokens[i].kind)) closed++;
        if (is_opener(p->tokens[i].kind) && closed-- == 0) return &p->tokens[i];
    }
    return NULL;
}

static bool hint_parentheses(wr_parser *p, const wr_token *seen) {
    const wr_token *opener = open_before(p);
    if (seen->kind == WR_TOKEN_END && opener) {
        place at = place_of(p, opener->begin);
        wr_hint(p->err, "the \"%s\" in line %u, column %u is not closed", wr_token_sign(opener->kind), at.line,
                at.column);
        return true;
    }
    if (is_closer(seen->kind) && !opener) {
        wr_hint(p->err, "nothing is open that this \"%s\" could close", wr_token_sign(seen->kind));
        return true;
    }
    return false;
}

static bool hint_sign(wr_parser *p, const wr_token *seen) {
    if (seen->kind == WR_TOKEN_DOUBLE_EQUAL) {
        wr_hint(p->err, "to compare, write = instead of ==");
        return true;
    }
    if (seen->kind == WR_TOKEN_FAT_ARROW || seen->kind == WR_TOKEN_ASSIGN) {
        wr_hint(p->err, "arguments have names in calls alone: f(name %s value)", wr_token_sign(seen->kind));
        return true;
    }
    return false;
}

static bool starts_operand(const wr_parser *p, uint32_t ahead) {
    wr_token_kind kind = wr_sql_token(p, ahead)->kind;
    return wr_sql_is_name(p, ahead) || wr_sql_is_string(p, ahead) || kind == WR_TOKEN_NUMBER ||
           kind == WR_TOKEN_LEFT_PAREN;
}

/* A keyword that is followed by what would follow a name. */
static bool hint_keyword_as_name(wr_parser *p, const wr_token *seen, const char *expected) {
    bool wants_name =
        strstr(expected, "name") || strncmp(expected, "an expression", 13) == 0 || strncmp(expected, "a table", 7) == 0;
    if (!wants_name || !seen->keyword || seen->keyword == WR_KEYWORD_AS || starts_operand(p, 1)) return false;
    wr_str word = wr_sql_token_text(p, seen);
    wr_hint(p->err, "%s is a keyword; as a name it is written in double quotes: \"%.*s\"",
            wr_keyword_text(seen->keyword), WR_STR_ARGS(word));
    return true;
}

static const char *const statement_words[] = {"SELECT", "FROM",  "WITH",   "VALUES", "EXPLAIN",
                                              "SET",    "RESET", "CREATE", "DROP",   "TABLE"};
static const char *const clause_words[] = {
    "FROM",    "WHERE",     "GROUP",  "ORDER",  "HAVING",   "LIMIT", "OFFSET", "UNION", "INTERSECT", "EXCEPT",
    "QUALIFY", "JOIN",      "LEFT",   "RIGHT",  "INNER",    "FULL",  "CROSS",  "USING", "WINDOW",    "BETWEEN",
    "LIKE",    "ILIKE",     "AND",    "SELECT", "DISTINCT", "WHEN",  "THEN",   "ELSE",  "END",       "CASE",
    "OVER",    "PARTITION", "FILTER", "DESC",   "ASC",      "NULLS", "FIRST",  "LAST",  "EXCLUDE",   "REPLACE"};

static const char *nearest(wr_str word, const char *const *words, size_t count) {
    const char *best = NULL;
    uint32_t best_distance = word.size >= 5 ? 3 : 2;
    if (word.size < 3) return NULL;
    for (size_t i = 0; i < count; i++) {
        uint32_t distance = wr_str_distance(word, wr_str_from(words[i]), best_distance);
        if (distance == 0) return NULL;
        if (distance < best_distance) {
            best = words[i];
            best_distance = distance;
        }
    }
    return best;
}

/* The word seen, or the one before it that was taken for an alias: SELECT a FORM t. */
static bool hint_misspelt(wr_parser *p) {
    for (uint32_t back = 0; back < 2 && back <= p->at; back++) {
        const wr_token *token = &p->tokens[p->at - back];
        if (token->kind != WR_TOKEN_WORD || token->keyword) continue;
        wr_str word = wr_sql_token_text(p, token);
        bool first = token == p->tokens;
        const char *meant = first ? nearest(word, statement_words, WR_COUNT_OF(statement_words))
                                  : nearest(word, clause_words, WR_COUNT_OF(clause_words));
        if (!meant) continue;
        if (back == 0) {
            wr_hint(p->err, "did you mean %s?", meant);
        } else {
            wr_hint(p->err, "did you mean %s instead of \"%.*s\"?", meant, WR_STR_ARGS(word));
        }
        return true;
    }
    return false;
}

static bool hint_double_quotes(wr_parser *p, const wr_token *seen, const char *expected) {
    if (seen->kind != WR_TOKEN_QUOTED || !strstr(expected, "text in single quotes")) return false;
    wr_str text = wr_sql_token_text(p, seen);
    wr_hint(p->err, "double quotes are for names; write '%.*s'", (int)text.size - 2, text.data + 1);
    return true;
}

/* SELECT a AS FROM t: the keyword became the name. */
static bool hint_missing_name(wr_parser *p) {
    if (p->at < 2 || p->tokens[p->at - 2].keyword != WR_KEYWORD_AS) return false;
    wr_keyword taken = p->tokens[p->at - 1].keyword;
    if (wr_keyword_class_of(taken) != WR_KEYWORD_IS_RESERVED) return false;
    wr_hint(p->err, "is the name behind AS missing? %s was taken for it", wr_keyword_text(taken));
    return true;
}

static bool hint_missing_sign(wr_parser *p, const wr_token *seen, const char *expected) {
    bool in_list = p->list_at == p->at, in_condition = strncmp(expected, "an operator", 11) == 0;
    if ((!in_list && !in_condition) || !starts_operand(p, 0) || seen->kind == WR_TOKEN_LEFT_PAREN) return false;
    char text[SEEN_MAX * 2];
    describe(p, seen, text, sizeof text);
    wr_hint(p->err, "is %s missing in front of %s?", in_condition ? "AND or another operator" : "a comma", text);
    return true;
}

wr_status wr_sql_unexpected(wr_parser *p, const char *expected) {
    const wr_token *seen = wr_sql_token(p, 0);
    char text[SEEN_MAX * 2];
    describe(p, seen, text, sizeof text);
    wr_fail_at(p->err, WR_INVALID, seen->begin, "unexpected %s, expected %s", text, expected);
    if (!hint_double_quotes(p, seen, expected) && !hint_sign(p, seen) && !hint_misspelt(p) &&
        !hint_keyword_as_name(p, seen, expected) && !hint_missing_name(p) && !hint_missing_sign(p, seen, expected)) {
        hint_parentheses(p, seen);
    }
    return WR_INVALID;
}

wr_status wr_sql_unexpected_after(wr_parser *p, const char *closer) {
    if (!p->tail || p->tail_at != p->at) return wr_sql_unexpected(p, closer);
    char expected[200];
    snprintf(expected, sizeof expected, "%s or %s", p->tail, closer);
    return wr_sql_unexpected(p, expected);
}

wr_status wr_sql_refuse(wr_parser *p, const char *what) {
    return wr_fail_at(p->err, WR_UNSUPPORTED, wr_sql_position(p), "%s is not supported", what);
}
