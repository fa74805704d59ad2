/* SQL text to tokens. A token is a kind and a place; what it means (the text of a quote, the digits of a number) is
 * worked out by literal.c for those tokens that become nodes.
 *
 * Names are letters, digits, "_" and "$", where every character beyond ASCII is a letter, except Unicode's blanks,
 * which come along when a query is copied from a page, and typographic quotes, which are told apart to say so. */
#include "base/utf8.h"
#include "sql/sql_internal.h"

enum { LETTER = 1, DIGIT = 2, BLANK = 4, HIGH = 8, DOLLAR = 16 };

static const uint8_t char_class[256] = {
    ['a' ... 'z'] = LETTER, ['A' ... 'Z'] = LETTER, ['_'] = LETTER,          ['0' ... '9'] = DIGIT,
    ['$'] = DOLLAR,         [' '] = BLANK,          ['\t' ... '\r'] = BLANK, [0x80 ... 0xff] = HIGH,
};

static const char *const signs[WR_TOKEN_KINDS] = {
#define WR_SIGN(NAME, text) [WR_TOKEN_##NAME] = text,
    WR_SQL_SIGNS(WR_SIGN)
#undef WR_SIGN
};

const char *wr_token_sign(wr_token_kind kind) {
    return signs[kind];
}

static uint8_t class_at(const wr_lexer *lexer, uint32_t at) {
    return at < lexer->script.size ? char_class[(uint8_t)lexer->script.data[at]] : 0;
}

static char char_at(const wr_lexer *lexer, uint32_t at) {
    return at < lexer->script.size ? lexer->script.data[at] : 0;
}

static wr_status fail_utf8(uint32_t at, wr_error *err) {
    wr_fail_at(err, WR_INVALID, at, "the text is not valid UTF-8 here");
    return wr_hint(err, "save the script as UTF-8");
}

static wr_status fail_unclosed(wr_lexer *lexer, uint32_t begin, const char *what, const char *closer, wr_error *err) {
    lexer->unclosed = true;
    wr_fail_at(err, WR_INVALID, begin, "%s that starts here has no end", what);
    return wr_hint(err, "close it with %s", closer);
}

static bool is_blank(uint32_t point) {
    return point == 0x85 || point == 0xa0 || point == 0x1680 || (point >= 0x2000 && point <= 0x200b) ||
           point == 0x2028 || point == 0x2029 || point == 0x202f || point == 0x205f || point == 0x3000 ||
           point == 0xfeff;
}

static bool is_typographic_quote(uint32_t point) {
    return (point >= 0x2018 && point <= 0x201f) || point == 0xab || point == 0xbb;
}

/* ---- blanks and comments ---- */

static wr_status skip_comment(wr_lexer *lexer, wr_error *err) {
    uint32_t begin = lexer->at, level = 1;
    lexer->at += 2;
    while (level > 0) {
        if (lexer->at + 1 >= lexer->script.size) {
            lexer->at = lexer->script.size;
            return fail_unclosed(lexer, begin, "the comment", "*/", err);
        }
        const char *c = lexer->script.data + lexer->at;
        bool opens = c[0] == '/' && c[1] == '*', closes = c[0] == '*' && c[1] == '/';
        level = opens ? level + 1 : closes ? level - 1 : level;
        lexer->at += opens || closes ? 2 : 1;
    }
    return WR_OK;
}

static wr_status skip_blanks(wr_lexer *lexer, wr_error *err) {
    for (;;) {
        uint8_t class = class_at(lexer, lexer->at);
        if (class & BLANK) {
            lexer->at++;
        } else if (class & HIGH) {
            uint32_t point = 0;
            wr_str rest = {lexer->script.data + lexer->at, lexer->script.size - lexer->at};
            uint32_t size = wr_utf8_decode(rest, &point);
            if (size == 0) return fail_utf8(lexer->at, err);
            if (!is_blank(point)) return WR_OK;
            lexer->at += size;
        } else if (char_at(lexer, lexer->at) == '-' && char_at(lexer, lexer->at + 1) == '-') {
            const char *from = lexer->script.data + lexer->at;
            const char *newline = memchr(from, '\n', lexer->script.size - lexer->at);
            lexer->at = newline ? (uint32_t)(newline - lexer->script.data) + 1 : lexer->script.size;
        } else if (char_at(lexer, lexer->at) == '/' && char_at(lexer, lexer->at + 1) == '*') {
            WR_TRY(skip_comment(lexer, err));
        } else {
            return WR_OK;
        }
    }
}

/* ---- words ---- */

/* Moves over the characters of a name. */
static wr_status skip_name(wr_lexer *lexer, wr_error *err) {
    for (;;) {
        while (class_at(lexer, lexer->at) & (LETTER | DIGIT | DOLLAR)) lexer->at++;
        if (!(class_at(lexer, lexer->at) & HIGH)) return WR_OK;
        uint32_t point = 0;
        wr_str rest = {lexer->script.data + lexer->at, lexer->script.size - lexer->at};
        uint32_t size = wr_utf8_decode(rest, &point);
        if (size == 0) return fail_utf8(lexer->at, err);
        if (is_blank(point) || is_typographic_quote(point)) return WR_OK;
        lexer->at += size;
    }
}

static wr_status read_word(wr_lexer *lexer, wr_token *out, wr_error *err) {
    WR_TRY(skip_name(lexer, err));
    out->kind = WR_TOKEN_WORD;
    if (lexer->at == out->begin) {
        wr_fail_at(err, WR_INVALID, out->begin, "unexpected typographic quote");
        return wr_hint(err, "write text in ' and names in \"");
    }
    out->keyword = (uint16_t)wr_keyword_find((wr_str){lexer->script.data + out->begin, lexer->at - out->begin});
    return WR_OK;
}

/* ---- quotes ---- */

/* Of the token from `begin` to here: a zero byte would end it early for whoever takes it as a C string. */
static wr_status check_text(const wr_lexer *lexer, uint32_t begin, wr_error *err) {
    wr_str text = {lexer->script.data + begin, lexer->at - begin};
    const char *zero = memchr(text.data, 0, text.size);
    if (zero) {
        uint32_t at = begin + (uint32_t)(zero - text.data);
        return wr_fail_at(err, WR_INVALID, at, "a text cannot hold a zero byte");
    }
    uint32_t valid = wr_utf8_valid_prefix(text);
    return valid == text.size ? WR_OK : fail_utf8(begin + valid, err);
}

/* At the opening quote. A doubled quote stands for itself; with `backslash` a backslash guards what follows it. */
static wr_status read_quoted(wr_lexer *lexer, wr_token *out, bool backslash, wr_error *err) {
    wr_str script = lexer->script;
    uint32_t begin = lexer->at, at = begin + 1;
    char quote = script.data[begin];
    out->plain = true;
    for (;; at++) {
        if (at >= script.size) {
            lexer->at = script.size;
            return fail_unclosed(lexer, out->begin, quote == '"' ? "the quoted name" : "the text",
                                 quote == '"' ? "\"; inside it, \" is written \"\"" : "'; inside it, ' is written ''",
                                 err);
        }
        char c = script.data[at];
        if (c == quote) {
            if (at + 1 >= script.size || script.data[at + 1] != quote) break;
            out->plain = false;
            at++;
        } else if (backslash && c == '\\') {
            out->plain = false;
            at++;
        }
    }
    lexer->at = at + 1;
    return check_text(lexer, begin, err);
}

/* $$text$$ or $tag$text$tag$: lexer->at is behind the second dollar. */
static wr_status read_dollar_quoted(wr_lexer *lexer, wr_token *out, wr_error *err) {
    wr_str script = lexer->script;
    const char *tag = script.data + out->begin;
    uint32_t tag_size = lexer->at - out->begin;
    out->kind = WR_TOKEN_DOLLAR;
    while (lexer->at < script.size) {
        const char *dollar = memchr(script.data + lexer->at, '$', script.size - lexer->at);
        if (!dollar) break;
        lexer->at = (uint32_t)(dollar - script.data);
        if (script.size - lexer->at >= tag_size && memcmp(dollar, tag, tag_size) == 0) {
            lexer->at += tag_size;
            return check_text(lexer, out->begin, err);
        }
        lexer->at++;
    }
    lexer->at = script.size;
    fail_unclosed(lexer, out->begin, "the text", "$$", err);
    return wr_hint(err, "close it with %.*s", (int)(tag_size < 60 ? tag_size : 60), tag);
}

/* $1, $name, $$text$$ or $tag$text$tag$. */
static wr_status read_dollar(wr_lexer *lexer, wr_token *out, wr_error *err) {
    uint32_t at = lexer->at + 1;
    bool digits = class_at(lexer, at) & DIGIT;
    while (class_at(lexer, at) & (digits ? DIGIT : LETTER | DIGIT | HIGH)) at++;
    lexer->at = at;
    if (!digits && char_at(lexer, at) == '$') {
        lexer->at++;
        return read_dollar_quoted(lexer, out, err);
    }
    out->kind = WR_TOKEN_PARAMETER;
    if (at == out->begin + 1 || (digits && class_at(lexer, at) & (LETTER | HIGH))) {
        wr_fail_at(err, WR_INVALID, out->begin, "unexpected \"$\"");
        return wr_hint(err, "a parameter is $1 or $name, a text $$text$$");
    }
    return check_text(lexer, out->begin, err);
}

/* ---- numbers ---- */

static bool is_digit_of(char c, unsigned base) {
    unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') : ((unsigned char)c | 0x20u) - 'a' + 10;
    return digit < base;
}

/* Digits with single underscores between them. */
static void skip_digits(wr_lexer *lexer, wr_token *out, unsigned base) {
    for (;;) {
        while (lexer->at < lexer->script.size && is_digit_of(lexer->script.data[lexer->at], base)) lexer->at++;
        if (char_at(lexer, lexer->at) != '_' || !is_digit_of(char_at(lexer, lexer->at + 1), base)) return;
        out->plain = false;
        lexer->at++;
    }
}

static void skip_decimal(wr_lexer *lexer, wr_token *out) {
    skip_digits(lexer, out, 10);
    if (char_at(lexer, lexer->at) == '.') {
        lexer->at++;
        if (class_at(lexer, lexer->at) & DIGIT) skip_digits(lexer, out, 10);
    }
    if ((char_at(lexer, lexer->at) | 0x20) == 'e') {
        uint32_t behind = lexer->at + 1;
        char sign = char_at(lexer, behind);
        if (sign == '+' || sign == '-') behind++;
        if (class_at(lexer, behind) & DIGIT) {
            lexer->at = behind;
            skip_digits(lexer, out, 10);
        }
    }
}

static wr_status read_number(wr_lexer *lexer, wr_token *out, wr_error *err) {
    char mark = char_at(lexer, lexer->at) == '0' ? (char)(char_at(lexer, lexer->at + 1) | 0x20) : 0;
    unsigned base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
    out->kind = WR_TOKEN_NUMBER;
    out->plain = base == 10;
    if (base == 10) {
        skip_decimal(lexer, out);
    } else {
        lexer->at += 2;
        skip_digits(lexer, out, base);
    }
    bool empty = base != 10 && lexer->at == out->begin + 2;
    if (empty || class_at(lexer, lexer->at) & (LETTER | DIGIT | HIGH | DOLLAR)) {
        WR_TRY(skip_name(lexer, err));
        uint32_t size = lexer->at - out->begin;
        wr_fail_at(err, WR_INVALID, out->begin, "\"%.*s\" is not a number", (int)(size < 60 ? size : 60),
                   lexer->script.data + out->begin);
        return wr_hint(err, "put a blank behind the number, or write a name that starts with a digit in double quotes");
    }
    return WR_OK;
}

/* ---- signs ---- */

/* The longest sign at p, of those that start with its first character; WR_TOKEN_END when there is none. */
static wr_token_kind longest_sign(const char *p, uint32_t left) {
    if (left >= 2 && p[0] == '!' && p[1] == '=') return WR_TOKEN_NOT_EQUAL;
    if (left >= 2 && p[0] == '*' && p[1] == '*') return WR_TOKEN_CARET;
    wr_token_kind best = WR_TOKEN_END;
    size_t best_size = 0;
    for (unsigned kind = WR_TOKEN_LEFT_PAREN; kind < WR_TOKEN_KINDS; kind++) {
        const char *sign = signs[kind];
        if (sign[0] != p[0]) continue;
        size_t size = strlen(sign);
        if (size > best_size && size <= left && memcmp(sign, p, size) == 0) {
            best = (wr_token_kind)kind;
            best_size = size;
        }
    }
    return best;
}

/* Signs that start no other, so that most tokens need no search. */
static const uint8_t single_sign[256] = {
    ['('] = WR_TOKEN_LEFT_PAREN,    [')'] = WR_TOKEN_RIGHT_PAREN, ['['] = WR_TOKEN_LEFT_BRACKET,
    [']'] = WR_TOKEN_RIGHT_BRACKET, ['{'] = WR_TOKEN_LEFT_BRACE,  ['}'] = WR_TOKEN_RIGHT_BRACE,
    [','] = WR_TOKEN_COMMA,         [';'] = WR_TOKEN_SEMICOLON,   ['.'] = WR_TOKEN_DOT,
    ['+'] = WR_TOKEN_PLUS,          ['%'] = WR_TOKEN_PERCENT,     ['?'] = WR_TOKEN_PARAMETER,
};

static const char *character_hint(char c) {
    switch (c) {
    case '!': return "to negate, write NOT";
    case '`': return "write names in double quotes";
    case '#': return "a comment starts with --";
    case '\\': return "a text with backslashes is written E'…'";
    default: return NULL;
    }
}

static wr_status read_sign(wr_lexer *lexer, wr_token *out, wr_error *err) {
    const char *p = lexer->script.data + lexer->at;
    wr_token_kind kind = (wr_token_kind)single_sign[(uint8_t)*p];
    uint32_t size = 1;
    if (!kind) {
        kind = longest_sign(p, lexer->script.size - lexer->at);
        size = *p == '!' && kind == WR_TOKEN_NOT_EQUAL ? 2 : kind == WR_TOKEN_CARET && *p == '*' ? 2 : 0;
        if (kind && !size) size = (uint32_t)strlen(signs[kind]);
    }
    if (!kind) {
        bool visible = *p > ' ' && *p < 0x7f;
        wr_fail_at(err, WR_INVALID, lexer->at, visible ? "unexpected character \"%c\"" : "unexpected character %d",
                   visible ? *p : (uint8_t)*p);
        const char *hint = character_hint(*p);
        if (hint) wr_hint(err, "%s", hint);
        return WR_INVALID;
    }
    out->kind = (uint8_t)kind;
    lexer->at += size;
    return WR_OK;
}

static wr_status read_token(wr_lexer *lexer, wr_token *out, wr_error *err) {
    char c = lexer->script.data[lexer->at];
    uint8_t class = char_class[(uint8_t)c];
    if (class & (LETTER | HIGH)) {
        char prefix = (char)(c | 0x20);
        if ((prefix == 'e' || prefix == 'x') && char_at(lexer, lexer->at + 1) == '\'') {
            out->kind = prefix == 'e' ? WR_TOKEN_ESCAPED : WR_TOKEN_BLOB;
            lexer->at++;
            return read_quoted(lexer, out, prefix == 'e', err);
        }
        return read_word(lexer, out, err);
    }
    if (class & DIGIT || (c == '.' && class_at(lexer, lexer->at + 1) & DIGIT)) return read_number(lexer, out, err);
    if (c == '\'' || c == '"') {
        out->kind = c == '"' ? WR_TOKEN_QUOTED : WR_TOKEN_STRING;
        return read_quoted(lexer, out, false, err);
    }
    if (c == '$') return read_dollar(lexer, out, err);
    return read_sign(lexer, out, err);
}

wr_status wr_lexer_next(wr_lexer *lexer, wr_token *out, wr_error *err) {
    WR_TRY(skip_blanks(lexer, err));
    *out = (wr_token){.kind = WR_TOKEN_END, .begin = lexer->at};
    if (lexer->at < lexer->script.size) WR_TRY(read_token(lexer, out, err));
    out->end = lexer->at;
    return WR_OK;
}

bool wr_sql_is_incomplete(wr_str script) {
    wr_lexer lexer = {.script = script};
    bool open = false;
    for (;;) {
        wr_token token;
        if (wr_lexer_next(&lexer, &token, NULL) != WR_OK) return lexer.unclosed;
        if (token.kind == WR_TOKEN_END) return open;
        open = token.kind != WR_TOKEN_SEMICOLON;
    }
}
