/* Tokens, keywords, and what is left open at the end of a text. */
#include "sql/sql_internal.h"
#include "sql/sql_test.h"
#include "tests/unit/test.h"

static void check_tokens(int line, const char *sql, const wr_token_kind *kinds) {
    wr_lexer lexer = {.script = wr_str_from(sql)};
    wr_token token;
    wr_error err;
    for (unsigned i = 0;; i++) {
        wr_status status = wr_lexer_next(&lexer, &token, &err);
        if (!wr_test_check_status(__FILE__, line, sql, status, WR_OK, &err)) return;
        if (!wr_test_check_int(__FILE__, line, sql, token.kind, kinds[i]) || token.kind == WR_TOKEN_END) return;
    }
}
#define CHECK_TOKENS(sql, ...) check_tokens(__LINE__, sql, (const wr_token_kind[]){__VA_ARGS__, WR_TOKEN_END})
#define T(kind) WR_TOKEN_##kind

WR_TEST(sql_lexer, longest_sign_wins) {
    CHECK_TOKENS("a->>b->c", T(WORD), T(LONG_ARROW), T(WORD), T(ARROW), T(WORD));
    CHECK_TOKENS("a!~~*b!~~c!~d", T(WORD), T(NOT_LIKE_STAR), T(WORD), T(NOT_LIKE), T(WORD), T(NOT_TILDE), T(WORD));
    CHECK_TOKENS("<=<>!=<@<<<", T(LESS_EQUAL), T(NOT_EQUAL), T(NOT_EQUAL), T(CONTAINED), T(SHIFT_LEFT), T(LESS));
    CHECK_TOKENS("a:=b::c:d=>e==f=-1", T(WORD), T(ASSIGN), T(WORD), T(CAST), T(WORD), T(COLON), T(WORD), T(FAT_ARROW),
                 T(WORD), T(DOUBLE_EQUAL), T(WORD), T(EQUAL), T(MINUS), T(NUMBER));
    CHECK_TOKENS("**^///%", T(CARET), T(CARET), T(DOUBLE_SLASH), T(SLASH), T(PERCENT));
    CHECK_TOKENS("-->\n->", T(ARROW));
}

WR_TEST(sql_lexer, numbers_end_where_they_end) {
    CHECK_TOKENS("1.5.5 .5 5. 1e5 1e+5 1_0.0_1 0xfF 0b01 0O7", T(NUMBER), T(NUMBER), T(NUMBER), T(NUMBER), T(NUMBER),
                 T(NUMBER), T(NUMBER), T(NUMBER), T(NUMBER), T(NUMBER));
    CHECK_TOKENS("x[1:2]", T(WORD), T(LEFT_BRACKET), T(NUMBER), T(COLON), T(NUMBER), T(RIGHT_BRACKET));
    CHECK_TOKENS("a.b", T(WORD), T(DOT), T(WORD));
}

WR_TEST(sql_lexer, quotes) {
    CHECK_TOKENS("'a''b' \"c\"\"d\" E'\\'' x'00' $$a'$$ $t$ $$ $t$ e x ex", T(STRING), T(QUOTED), T(ESCAPED), T(BLOB),
                 T(DOLLAR), T(DOLLAR), T(WORD), T(WORD), T(WORD));
}

WR_TEST(sql_lexer, names_and_parameters) {
    CHECK_TOKENS("_a a1 a$b größe 表 ? $1 $name", T(WORD), T(WORD), T(WORD), T(WORD), T(WORD), T(PARAMETER),
                 T(PARAMETER), T(PARAMETER));
    CHECK_TOKENS("a\xc2\xa0"
                 "b\xe3\x80\x80"
                 "c",
                 T(WORD), T(WORD), T(WORD));
}

WR_TEST(sql_lexer, bad_bytes) {
    wr_sql_check_fails(__FILE__, __LINE__, "SELECT a\xff", WR_INVALID,
                       "the text is not valid UTF-8 here | save the script as UTF-8 @8");
    wr_sql_check_fails(__FILE__, __LINE__, "SELECT 'ab\xc3'", WR_INVALID,
                       "the text is not valid UTF-8 here | save the script as UTF-8 @10");
    wr_sql_check_fails(__FILE__, __LINE__, "SELECT \xed\xa0\x80", WR_INVALID,
                       "the text is not valid UTF-8 here | save the script as UTF-8 @7");
    wr_sql_check_fails(__FILE__, __LINE__, "SELECT \x01", WR_INVALID, "unexpected character 1 @7");
    wr_sql_check_fails(__FILE__, __LINE__, "SELECT E'\\xff'", WR_INVALID,
                       "the escapes in this text give bytes that are no UTF-8 text @7");
    wr_sql_check_fails(__FILE__, __LINE__, "SELECT E'\\0'", WR_INVALID,
                       "the escapes in this text give bytes that are no UTF-8 text @7");
    wr_sql_check_fails(__FILE__, __LINE__, "SELECT E'a\\ud800'", WR_INVALID,
                       "a backslash and what follows it are no character here, expected \\uFFFF @10");
    wr_sql_check_fails(__FILE__, __LINE__, "SELECT 0xffffffffffffffffffffffffffffffff", WR_VALUE,
                       "the number does not fit 127 bits @7");
}

WR_TEST(sql_lexer, zero_bytes_are_no_text) {
    static const char script[] = "SELECT 'a\0b'";
    wr_arena arena;
    wr_statement statement;
    wr_error err;
    uint32_t cursor = 0;
    wr_arena_init(&arena, wr_test_allocator());
    WR_CHECK_STATUS(wr_sql_parse_next(&arena, (wr_str){script, sizeof script - 1}, &cursor, &statement, &err),
                    WR_INVALID, &err);
    WR_CHECK_EQ_STR(err.message, "a text cannot hold a zero byte");
    WR_CHECK_EQ_INT(err.position, 9);
    wr_arena_deinit(&arena);
}

WR_TEST(sql_lexer, incomplete_texts) {
    static const char *const open[] = {"SELECT",        "SELECT 1; FROM", "SELECT 'a", "SELECT \"a",
                                       "SELECT E'a\\'", "/* a",           "/* /* */",  "SELECT $$a",
                                       "$t$ $$",        "SELECT 1; /*",   "SELECT ';'"};
    static const char *const closed[] = {"",        ";",         "SELECT 1;",      "SELECT 1; -- a", "-- a",
                                         "/* ; */", "SELECT `a", "SELECT ';'; \n", "SELECT 12ab"};
    for (unsigned i = 0; i < WR_COUNT_OF(open); i++) {
        if (!wr_sql_is_incomplete(wr_str_from(open[i]))) wr_test_fail(__FILE__, __LINE__, "%s is incomplete", open[i]);
    }
    for (unsigned i = 0; i < WR_COUNT_OF(closed); i++) {
        if (wr_sql_is_incomplete(wr_str_from(closed[i]))) wr_test_fail(__FILE__, __LINE__, "%s is whole", closed[i]);
    }
}

WR_TEST(sql_keyword, each_is_found_in_any_case) {
    uint32_t count;
    const char *const *words = wr_sql_keywords(&count);
    WR_CHECK_EQ_INT(count, WR_KEYWORD_COUNT - 1);
    for (uint32_t i = 0; i < count; i++) {
        char lower[32];
        uint32_t size = (uint32_t)strlen(words[i]);
        for (uint32_t k = 0; k <= size; k++) lower[k] = (char)(words[i][k] == '_' ? '_' : words[i][k] | 0x20);
        WR_CHECK_EQ_INT(wr_keyword_find((wr_str){words[i], size}), i + 1);
        WR_CHECK_EQ_INT(wr_keyword_find((wr_str){lower, size}), i + 1);
        if (size > 2) WR_CHECK(wr_keyword_find((wr_str){words[i], size - 1}) != i + 1);
        if (i > 0) WR_CHECK(strcmp(words[i - 1], words[i]) < 0);
    }
    WR_CHECK_EQ_INT(wr_keyword_find(WR_STR("selec")), WR_KEYWORD_NONE);
    WR_CHECK_EQ_INT(wr_keyword_find(WR_STR("_")), WR_KEYWORD_NONE);
    WR_CHECK_EQ_INT(wr_keyword_find(WR_STR("TRY\x7f"
                                           "CAST")),
                    WR_KEYWORD_NONE);
}

WR_TEST(sql_keyword, names_are_quoted_when_they_must_be) {
    static const wr_sql_example names[] = {
        {"a", "a"},           {"Total_1", "Total_1"}, {"order", "\"order\""}, {"1a", "\"1a\""},
        {"a b", "\"a b\""},   {"a\"b", "\"a\"\"b\""}, {"", "\"\""},           {"date", "date"},
        {"left", "\"left\""}, {"größe", "\"größe\""}, {"first", "first"},     {"over", "\"over\""},
    };
    for (unsigned i = 0; i < WR_COUNT_OF(names); i++) {
        wr_text text;
        wr_text_init(&text, wr_test_allocator());
        wr_sql_quote_identifier(&text, wr_str_from(names[i].sql));
        WR_CHECK_EQ_STR(text.data, names[i].nodes);
        wr_text_deinit(&text);
    }
}
