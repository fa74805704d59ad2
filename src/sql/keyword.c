/* The keywords: found by their first letter, then by length and bytes, which for the few words of a letter is quicker
 * than hashing. */
#include "sql/sql_internal.h"

typedef struct keyword_info {
    const char *text;
    uint8_t size, class;
} keyword_info;

static const keyword_info keywords[WR_KEYWORD_COUNT] = {
#define WR_KEYWORD(WORD, class) [WR_KEYWORD_##WORD] = {#WORD, sizeof(#WORD) - 1, WR_KEYWORD_IS_##class},
#include "sql/keywords.def"
};

/* FIRST_X is the first keyword that starts with X or later; the BACK_X undo the step that FIRST_X takes. */
enum {
    NONE,
#define WR_KEYWORD_LETTER(X) FIRST_##X, BACK_##X = FIRST_##X - 1,
#define WR_KEYWORD(WORD, class) PLACE_##WORD,
#include "sql/keywords.def"
    FIRST_BEHIND
};
_Static_assert((int)FIRST_BEHIND == (int)WR_KEYWORD_COUNT, "both count the keywords from 1");

static const uint8_t first_of_letter[27] = {
#define WR_KEYWORD_LETTER(X) FIRST_##X,
#define WR_KEYWORD(WORD, class)
#include "sql/keywords.def"
    FIRST_BEHIND};

static char upper(char c) {
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

wr_keyword wr_keyword_find(wr_str word) {
    if (word.size < 2) return WR_KEYWORD_NONE;
    unsigned letter = (unsigned)(upper(word.data[0]) - 'A');
    if (letter > 25) return WR_KEYWORD_NONE;
    for (unsigned i = first_of_letter[letter]; i < first_of_letter[letter + 1]; i++) {
        const keyword_info *keyword = &keywords[i];
        if (keyword->size != word.size) continue;
        uint32_t at = 1;
        while (at < word.size && upper(word.data[at]) == keyword->text[at]) at++;
        if (at == word.size) return (wr_keyword)i;
    }
    return WR_KEYWORD_NONE;
}

wr_keyword_class wr_keyword_class_of(wr_keyword keyword) {
    return (wr_keyword_class)keywords[keyword].class;
}

const char *wr_keyword_text(wr_keyword keyword) {
    return keywords[keyword].text;
}

const char *const *wr_sql_keywords(uint32_t *count) {
    static const char *const texts[] = {
#define WR_KEYWORD(WORD, class) #WORD,
#include "sql/keywords.def"
    };
    *count = WR_COUNT_OF(texts);
    return texts;
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

void wr_sql_quote_identifier(wr_text *text, wr_str name) {
    wr_keyword keyword = wr_keyword_find(name);
    bool bare =
        name.size > 0 && is_letter(name.data[0]) && (!keyword || wr_keyword_class_of(keyword) == WR_KEYWORD_IS_NAME);
    for (uint32_t i = 0; i < name.size && bare; i++) {
        bare = is_letter(name.data[i]) || (name.data[i] >= '0' && name.data[i] <= '9');
    }
    if (bare) {
        wr_text_add(text, name.data, name.size);
        return;
    }
    wr_text_add(text, "\"", 1);
    for (uint32_t i = 0; i < name.size; i++) {
        wr_text_add(text, name.data + i, 1);
        if (name.data[i] == '"') wr_text_add(text, "\"", 1);
    }
    wr_text_add(text, "\"", 1);
}
