/* Statements: queries, EXPLAIN, SET and RESET, views; the others are refused by their name. */
#include "sql/sql_internal.h"

static wr_status explain(wr_parser *p, wr_node **out) {
    WR_TRY(wr_sql_node(p, WR_NODE_EXPLAIN, wr_sql_position(p), out));
    wr_sql_advance(p);
    if (wr_sql_accept_word(p, WR_KEYWORD_ANALYZE)) (*out)->flags = WR_NODE_ANALYZE;
    WR_TRY(wr_sql_enter(p));
    WR_TRY(wr_sql_statement(p, &(*out)->children[0]));
    wr_sql_leave(p);
    return WR_OK;
}

/* ---- settings ---- */

/* a.b, in lower case. */
static wr_status setting_name(wr_parser *p, wr_str *out) {
    if (!wr_sql_is_name(p, 0)) return wr_sql_unexpected(p, "the name of a setting");
    WR_TRY(wr_sql_token_lower(p, wr_sql_token(p, 0), out));
    if (wr_sql_is(p, WR_TOKEN_QUOTED)) WR_TRY(wr_sql_token_name(p, wr_sql_token(p, 0), out));
    wr_sql_advance(p);
    while (wr_sql_accept(p, WR_TOKEN_DOT)) {
        wr_node *part;
        WR_TRY(wr_sql_label(p, "a name behind the dot", &part));
        *out = wr_arena_format(p->arena, "%.*s.%.*s", WR_STR_ARGS(*out), WR_STR_ARGS(part->text));
        if (!out->data) return wr_fail_memory(p->err, out->size, "the name of a setting");
    }
    return WR_OK;
}

/* An expression, or a bare word, which is a text: SET x = on. */
static wr_status setting_value(wr_parser *p, wr_node **out) {
    const wr_token *token = wr_sql_token(p, 0);
    bool alone = wr_sql_is_at(p, 1, WR_TOKEN_END);
    bool word = token->kind == WR_TOKEN_WORD && wr_keyword_class_of(token->keyword) != WR_KEYWORD_IS_VALUE;
    if (!alone || !(word || token->kind == WR_TOKEN_QUOTED)) return wr_sql_expression(p, out);
    wr_str text;
    WR_TRY(wr_sql_token_name(p, token, &text));
    wr_sql_advance(p);
    if (token->keyword == WR_KEYWORD_DEFAULT) return WR_OK;
    return wr_sql_leaf(p, WR_NODE_STRING, token->begin, text, out);
}

/* SET x = v, SET x TO v, SET TIME ZONE v; SET x = DEFAULT resets it. */
static wr_status set_statement(wr_parser *p, wr_node **out) {
    WR_TRY(wr_sql_node(p, WR_NODE_SET, wr_sql_position(p), out));
    wr_sql_advance(p);
    if (wr_sql_accept_words(p, WR_KEYWORD_TIME, WR_KEYWORD_ZONE)) {
        (*out)->text = WR_STR("timezone");
    } else {
        WR_TRY(setting_name(p, &(*out)->text));
        if (!wr_sql_accept(p, WR_TOKEN_EQUAL) && !wr_sql_accept_word(p, WR_KEYWORD_TO)) {
            return wr_sql_unexpected(p, "= or TO");
        }
    }
    return setting_value(p, &(*out)->children[0]);
}

static wr_status reset_statement(wr_parser *p, wr_node **out) {
    WR_TRY(wr_sql_node(p, WR_NODE_SET, wr_sql_position(p), out));
    wr_sql_advance(p);
    return setting_name(p, &(*out)->text);
}

/* ---- views ---- */

/* "CREATE x is not supported" for the word at `ahead`, or a syntax error when there is none. */
static wr_status refuse_object(wr_parser *p, const char *verb, uint32_t ahead) {
    const wr_token *token = wr_sql_token(p, ahead);
    if (token->kind != WR_TOKEN_WORD) {
        p->at += ahead;
        return wr_sql_unexpected(p, "VIEW");
    }
    char what[64];
    wr_str word = wr_sql_token_text(p, token);
    uint32_t size = (uint32_t)strlen(verb);
    memcpy(what, verb, size);
    what[size++] = ' ';
    for (uint32_t i = 0; i < word.size && size + 1 < sizeof what; i++) {
        char c = word.data[i];
        what[size++] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    what[size] = 0;
    return wr_sql_refuse(p, what);
}

/* CREATE [OR REPLACE] [TEMP] VIEW [IF NOT EXISTS] name [(columns)] AS query */
static wr_status create(wr_parser *p, wr_node **out) {
    uint16_t flags = 0;
    uint32_t ahead = 1;
    if (wr_sql_is_word_at(p, 1, WR_KEYWORD_OR) && wr_sql_is_word_at(p, 2, WR_KEYWORD_REPLACE)) {
        flags |= WR_NODE_OR_REPLACE;
        ahead += 2;
    }
    if (wr_sql_is_word_at(p, ahead, WR_KEYWORD_TEMP) || wr_sql_is_word_at(p, ahead, WR_KEYWORD_TEMPORARY)) {
        flags |= WR_NODE_TEMPORARY;
        ahead++;
    }
    if (!wr_sql_is_word_at(p, ahead, WR_KEYWORD_VIEW)) return refuse_object(p, "CREATE", ahead);
    WR_TRY(wr_sql_node(p, WR_NODE_CREATE_VIEW, wr_sql_position(p), out));
    p->at += ahead + 1;
    if (wr_sql_accept_words(p, WR_KEYWORD_IF, WR_KEYWORD_NOT)) {
        WR_TRY(wr_sql_expect_word(p, WR_KEYWORD_EXISTS));
        flags |= WR_NODE_IF_NOT_EXISTS;
    }
    (*out)->flags = flags;
    WR_TRY(wr_sql_name(p, "the name of a view", &(*out)->text));
    if (wr_sql_is(p, WR_TOKEN_LEFT_PAREN)) WR_TRY(wr_sql_column_names(p, &(*out)->children[0]));
    WR_TRY(wr_sql_expect_word(p, WR_KEYWORD_AS));
    return wr_sql_query(p, &(*out)->children[1]);
}

/* DROP VIEW [IF EXISTS] name */
static wr_status drop(wr_parser *p, wr_node **out) {
    if (!wr_sql_is_word_at(p, 1, WR_KEYWORD_VIEW)) return refuse_object(p, "DROP", 1);
    WR_TRY(wr_sql_node(p, WR_NODE_DROP_VIEW, wr_sql_position(p), out));
    p->at += 2;
    if (wr_sql_accept_words(p, WR_KEYWORD_IF, WR_KEYWORD_EXISTS)) (*out)->flags = WR_NODE_IF_EXISTS;
    return wr_sql_name(p, "the name of a view", &(*out)->text);
}

/* ---- all ---- */

static const char *const refused[] = {
    "ALTER",     "ANALYZE",  "ATTACH",  "BEGIN",   "CALL",    "CHECKPOINT", "COMMENT",  "COMMIT", "COPY",
    "DELETE",    "DESCRIBE", "DETACH",  "EXECUTE", "EXPORT",  "GRANT",      "IMPORT",   "INSERT", "INSTALL",
    "LOAD",      "MERGE",    "PIVOT",   "PRAGMA",  "PREPARE", "REVOKE",     "ROLLBACK", "SHOW",   "START",
    "SUMMARIZE", "TRUNCATE", "UNPIVOT", "UPDATE",  "USE",     "VACUUM",
};

wr_status wr_sql_statement(wr_parser *p, wr_node **out) {
    switch (wr_sql_token(p, 0)->keyword) {
    case WR_KEYWORD_EXPLAIN: return explain(p, out);
    case WR_KEYWORD_SET: return set_statement(p, out);
    case WR_KEYWORD_RESET: return reset_statement(p, out);
    case WR_KEYWORD_CREATE: return create(p, out);
    case WR_KEYWORD_DROP: return drop(p, out);
    case WR_KEYWORD_VALUES: return wr_sql_query(p, out);
    default: break;
    }
    if (wr_sql_starts_query(p, 0) || wr_sql_is(p, WR_TOKEN_LEFT_PAREN)) return wr_sql_query(p, out);
    if (wr_sql_is(p, WR_TOKEN_WORD)) {
        wr_str word = wr_sql_token_text(p, wr_sql_token(p, 0));
        for (unsigned i = 0; i < WR_COUNT_OF(refused); i++) {
            if (wr_str_equal_nocase(word, wr_str_from(refused[i]))) return wr_sql_refuse(p, refused[i]);
        }
    }
    return wr_sql_unexpected(p, "a statement such as SELECT");
}
