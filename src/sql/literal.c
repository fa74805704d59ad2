/* What tokens mean: the text inside quotes, the digits of numbers, intervals, parameters. Most tokens are plain and
 * become a piece of the statement's copy; only those with doubled quotes, escapes or underscores are written anew. */
#include "base/utf8.h"
#include "sql/sql_internal.h"

wr_str wr_sql_token_text(const wr_parser *p, const wr_token *token) {
    return (wr_str){p->copy.data + (token->begin - p->copy_begin), token->end - token->begin};
}

static wr_status fail_text_memory(wr_parser *p, uint32_t size) {
    return wr_fail_memory(p->err, size, "a text of the statement");
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

wr_status wr_sql_token_lower(wr_parser *p, const wr_token *token, wr_str *out) {
    wr_str text = wr_sql_token_text(p, token);
    *out = text;
    uint32_t at = 0;
    while (at < text.size && lower(text.data[at]) == text.data[at]) at++;
    if (at == text.size) return WR_OK;
    char *folded = wr_arena_alloc(p->arena, text.size);
    if (!folded) return fail_text_memory(p, text.size);
    for (uint32_t i = 0; i < text.size; i++) folded[i] = lower(text.data[i]);
    *out = (wr_str){folded, text.size};
    return WR_OK;
}

/* ---- quotes ---- */

/* Doubled quotes become one. */
static wr_status unquote(wr_parser *p, const wr_token *token, wr_str *out) {
    wr_str text = wr_sql_token_text(p, token);
    char quote = text.data[0];
    *out = (wr_str){text.data + 1, text.size - 2};
    if (token->plain) return WR_OK;
    char *data = wr_arena_alloc(p->arena, out->size);
    if (!data) return fail_text_memory(p, out->size);
    uint32_t size = 0;
    for (uint32_t i = 1; i + 1 < text.size; i++) {
        data[size++] = text.data[i];
        if (text.data[i] == quote) i++;
    }
    *out = (wr_str){data, size};
    return WR_OK;
}

static int hex_value(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* At most `most` digits of the base at *at. */
static uint32_t read_digits(wr_str text, uint32_t *at, unsigned base, uint32_t most, uint32_t *value) {
    uint32_t count = 0;
    *value = 0;
    while (count < most && *at < text.size) {
        int digit = hex_value(text.data[*at]);
        if (digit < 0 || (unsigned)digit >= base) break;
        *value = *value * base + (unsigned)digit;
        *at += 1;
        count++;
    }
    return count;
}

static wr_status fail_escape(wr_parser *p, const wr_token *token, uint32_t at, const char *expected) {
    return wr_fail_at(p->err, WR_INVALID, token->begin + at,
                      "a backslash and what follows it are no character here, %s", expected);
}

/* The escape whose backslash is in front of *at. */
static wr_status read_escape(wr_parser *p, const wr_token *token, wr_str text, uint32_t *at, char *out,
                             uint32_t *size) {
    static const char letters[] = "bfnrt", values[] = "\b\f\n\r\t";
    uint32_t slash = *at - 1, value;
    char c = text.data[*at];
    const char *letter = c ? strchr(letters, c) : NULL;
    if (c >= '0' && c <= '7') {
        read_digits(text, at, 8, 3, &value);
        out[(*size)++] = (char)value;
    } else if (c == 'x') {
        *at += 1;
        if (read_digits(text, at, 16, 2, &value) == 0) return fail_escape(p, token, slash, "expected \\xFF");
        out[(*size)++] = (char)value;
    } else if (c == 'u' || c == 'U') {
        uint32_t wanted = c == 'u' ? 4 : 8;
        *at += 1;
        bool whole = read_digits(text, at, 16, wanted, &value) == wanted;
        uint32_t written = whole && value ? wr_utf8_encode(value, out + *size) : 0;
        if (written == 0) {
            return fail_escape(p, token, slash, wanted == 4 ? "expected \\uFFFF" : "expected \\U0010FFFF");
        }
        *size += written;
    } else {
        out[(*size)++] = letter ? values[letter - letters] : c;
        *at += 1;
    }
    return WR_OK;
}

/* E'…' */
static wr_status unescape(wr_parser *p, const wr_token *token, wr_str *out) {
    wr_str text = wr_sql_token_text(p, token);
    text.size--; /* the closing quote */
    *out = (wr_str){text.data + 2, text.size - 2};
    if (token->plain) return WR_OK;
    char *data = wr_arena_alloc(p->arena, out->size);
    if (!data) return fail_text_memory(p, out->size);
    uint32_t size = 0;
    for (uint32_t at = 2; at < text.size;) {
        char c = text.data[at++];
        if (c == '\\') {
            WR_TRY(read_escape(p, token, text, &at, data, &size));
        } else {
            data[size++] = c;
            if (c == '\'') at++;
        }
    }
    *out = (wr_str){data, size};
    if (wr_utf8_valid_prefix(*out) == size && !memchr(data, 0, size)) return WR_OK;
    return wr_fail_at(p->err, WR_INVALID, token->begin, "the escapes in this text give bytes that are no UTF-8 text");
}

static wr_str undollar(const wr_parser *p, const wr_token *token) {
    wr_str text = wr_sql_token_text(p, token);
    const char *second = memchr(text.data + 1, '$', text.size - 1);
    uint32_t tag_size = (uint32_t)(second - text.data) + 1;
    return (wr_str){text.data + tag_size, text.size - 2 * tag_size};
}

bool wr_sql_is_string(const wr_parser *p, uint32_t ahead) {
    wr_token_kind kind = wr_sql_token(p, ahead)->kind;
    return kind == WR_TOKEN_STRING || kind == WR_TOKEN_ESCAPED || kind == WR_TOKEN_DOLLAR;
}

wr_status wr_sql_string(wr_parser *p, wr_str *out) {
    const wr_token *token = wr_sql_token(p, 0);
    switch (token->kind) {
    case WR_TOKEN_STRING: WR_TRY(unquote(p, token, out)); break;
    case WR_TOKEN_ESCAPED: WR_TRY(unescape(p, token, out)); break;
    case WR_TOKEN_DOLLAR: *out = undollar(p, token); break;
    default: return wr_sql_unexpected(p, "a text in single quotes");
    }
    wr_sql_advance(p);
    return WR_OK;
}

wr_status wr_sql_token_name(wr_parser *p, const wr_token *token, wr_str *out) {
    if (token->kind != WR_TOKEN_QUOTED) {
        *out = wr_sql_token_text(p, token);
        return WR_OK;
    }
    WR_TRY(unquote(p, token, out));
    if (out->size > 0) return WR_OK;
    return wr_fail_at(p->err, WR_INVALID, token->begin, "a name in quotes cannot be empty");
}

/* ---- numbers and parameters ---- */

/* The decimal digits of a hexadecimal, octal or binary number. */
static wr_status decimal_of(wr_parser *p, const wr_token *token, wr_str digits, unsigned base, wr_str *out) {
    unsigned __int128 value = 0;
    for (uint32_t i = 0; i < digits.size; i++) {
        if (digits.data[i] == '_') continue;
        if (value > (~(unsigned __int128)0 >> 1) / base) {
            return wr_fail_at(p->err, WR_VALUE, token->begin, "the number does not fit 127 bits");
        }
        value = value * base + (unsigned)hex_value(digits.data[i]);
    }
    char buffer[40];
    uint32_t at = sizeof buffer;
    do {
        buffer[--at] = (char)('0' + (unsigned)(value % 10));
        value /= 10;
    } while (value);
    *out = wr_arena_copy(p->arena, (wr_str){buffer + at, (uint32_t)sizeof buffer - at});
    return out->data ? WR_OK : fail_text_memory(p, sizeof buffer);
}

static wr_status number_text(wr_parser *p, const wr_token *token, wr_str *out) {
    wr_str text = wr_sql_token_text(p, token);
    *out = text;
    if (token->plain) return WR_OK;
    char mark = text.size > 2 && text.data[0] == '0' ? lower(text.data[1]) : 0;
    unsigned base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;
    if (base) return decimal_of(p, token, (wr_str){text.data + 2, text.size - 2}, base, out);
    char *data = wr_arena_alloc(p->arena, text.size);
    if (!data) return fail_text_memory(p, text.size);
    uint32_t size = 0;
    for (uint32_t i = 0; i < text.size; i++) {
        if (text.data[i] != '_') data[size++] = text.data[i];
    }
    *out = (wr_str){data, size};
    return WR_OK;
}

static wr_status parameter(wr_parser *p, const wr_token *token, wr_node **out) {
    wr_str text = wr_sql_token_text(p, token);
    bool question = text.data[0] == '?';
    if (question ? p->numbered : p->question_count > 0) {
        wr_fail_at(p->err, WR_INVALID, token->begin, "parameters written ? and written $ cannot be mixed");
        return wr_hint(p->err, "number them all: $1, $2");
    }
    if (question) {
        text = wr_arena_format(p->arena, "%u", ++p->question_count);
        if (!text.data) return fail_text_memory(p, 10);
    } else {
        p->numbered = true;
        text = (wr_str){text.data + 1, text.size - 1};
    }
    return wr_sql_leaf(p, WR_NODE_PARAMETER, token->begin, text, out);
}

/* ---- literals ---- */

static wr_status typed_node(wr_parser *p, uint32_t position, wr_str type, wr_str text, wr_node **out) {
    uint32_t size = type.size + 1 + text.size;
    char *data = wr_arena_alloc(p->arena, size);
    if (!data) return fail_text_memory(p, size);
    for (uint32_t i = 0; i < type.size; i++) {
        char c = type.data[i];
        data[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    if (text.size > 0) memcpy(data + type.size + 1, text.data, text.size);
    return wr_sql_leaf(p, WR_NODE_TYPED, position, (wr_str){data, size}, out);
}

wr_status wr_sql_typed(wr_parser *p, uint32_t position, wr_str type, wr_node **out) {
    wr_str text;
    WR_TRY(wr_sql_string(p, &text));
    return typed_node(p, position, type, text, out);
}

/* x'00ff' has the text \x00\xff. */
static wr_status blob(wr_parser *p, const wr_token *token, wr_node **out) {
    wr_str text = wr_sql_token_text(p, token), digits = {text.data + 2, text.size - 3};
    for (uint32_t i = 0; i < digits.size; i++) {
        if (hex_value(digits.data[i]) < 0) {
            return wr_fail_at(p->err, WR_INVALID, token->begin + 2 + i,
                              "a blob literal holds hexadecimal digits alone");
        }
    }
    if (digits.size % 2) {
        wr_fail_at(p->err, WR_INVALID, token->begin, "a blob literal has an odd number of digits");
        return wr_hint(p->err, "each byte takes two: x'0a'");
    }
    char *data = wr_arena_alloc(p->arena, (size_t)digits.size * 2);
    if (!data) return fail_text_memory(p, digits.size * 2);
    for (uint32_t i = 0; i < digits.size; i += 2) {
        memcpy(data + i * 2, "\\x", 2);
        memcpy(data + i * 2 + 2, digits.data + i, 2);
    }
    return typed_node(p, token->begin, WR_STR("BLOB"), (wr_str){data, digits.size * 2}, out);
}

wr_status wr_sql_literal(wr_parser *p, wr_node **out) {
    const wr_token *token = wr_sql_token(p, 0);
    wr_str text;
    switch (token->kind) {
    case WR_TOKEN_NUMBER:
        WR_TRY(number_text(p, token, &text));
        WR_TRY(wr_sql_leaf(p, WR_NODE_NUMBER, token->begin, text, out));
        break;
    case WR_TOKEN_PARAMETER: WR_TRY(parameter(p, token, out)); break;
    case WR_TOKEN_BLOB: WR_TRY(blob(p, token, out)); break;
    default: WR_TRY(wr_sql_string(p, &text)); return wr_sql_leaf(p, WR_NODE_STRING, token->begin, text, out);
    }
    wr_sql_advance(p);
    return WR_OK;
}

/* ---- intervals ---- */

/* The unit that the token names, in the singular; size 0 when it names none. */
static wr_str unit_of(const wr_parser *p) {
    static const char *const units[] = {"year", "month",   "day",    "hour",        "minute",     "second",
                                        "week", "quarter", "decade", "millisecond", "microsecond"};
    if (!wr_sql_is(p, WR_TOKEN_WORD)) return WR_STR("");
    wr_str word = wr_sql_token_text(p, wr_sql_token(p, 0));
    wr_str singular = {word.data, word.size - (lower(word.data[word.size - 1]) == 's')};
    for (unsigned i = 0; i < WR_COUNT_OF(units); i++) {
        if (wr_str_equal_nocase(singular, wr_str_from(units[i]))) return wr_str_from(units[i]);
    }
    if (wr_str_equal_nocase(word, WR_STR("century")) || wr_str_equal_nocase(word, WR_STR("centuries"))) {
        return WR_STR("century");
    }
    bool millennium =
        wr_str_equal_nocase(singular, WR_STR("millennium")) || wr_str_equal_nocase(word, WR_STR("millennia"));
    return millennium ? WR_STR("millennium") : WR_STR("");
}

bool wr_sql_starts_interval(const wr_parser *p) {
    if (!wr_sql_is_word(p, WR_KEYWORD_INTERVAL)) return false;
    wr_token_kind next = wr_sql_token(p, 1)->kind;
    return wr_sql_is_string(p, 1) || next == WR_TOKEN_NUMBER || next == WR_TOKEN_PARAMETER ||
           next == WR_TOKEN_LEFT_PAREN;
}

/* INTERVAL '90' DAY, INTERVAL 3 MONTH, INTERVAL (x + 1) HOURS, INTERVAL '1 year 2 days' */
wr_status wr_sql_interval(wr_parser *p, wr_node **out) {
    uint32_t position = wr_sql_position(p);
    wr_sql_advance(p);
    bool has_units = wr_sql_is_string(p, 0) || wr_sql_is(p, WR_TOKEN_LEFT_PAREN);
    wr_node *count;
    if (wr_sql_accept(p, WR_TOKEN_LEFT_PAREN)) {
        WR_TRY(wr_sql_expression(p, &count));
        WR_TRY(wr_sql_expect(p, WR_TOKEN_RIGHT_PAREN));
    } else {
        WR_TRY(wr_sql_literal(p, &count));
    }
    wr_str unit = unit_of(p);
    if (unit.size > 0) {
        wr_sql_advance(p);
        if (wr_sql_is_word(p, WR_KEYWORD_TO)) return wr_sql_refuse(p, "an interval from one unit TO another");
    } else if (!has_units) {
        return wr_sql_unexpected(p, "a unit of time such as DAY");
    }
    return wr_sql_wrap(p, WR_NODE_INTERVAL, position, unit, count, out);
}
