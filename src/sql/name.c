/* Names: identifiers, paths of them, and the names of types. */
#include "sql/sql_internal.h"

bool wr_sql_is_name(const wr_parser *p, uint32_t ahead) {
    const wr_token *token = wr_sql_token(p, ahead);
    if (token->kind != WR_TOKEN_WORD) return token->kind == WR_TOKEN_QUOTED;
    return wr_keyword_class_of(token->keyword) <= WR_KEYWORD_IS_LABEL;
}

bool wr_sql_is_label(const wr_parser *p, uint32_t ahead) {
    const wr_token *token = wr_sql_token(p, ahead);
    return token->kind == WR_TOKEN_WORD || token->kind == WR_TOKEN_QUOTED;
}

bool wr_sql_is_bare_alias(const wr_parser *p) {
    const wr_token *token = wr_sql_token(p, 0);
    if (token->kind != WR_TOKEN_WORD) return token->kind == WR_TOKEN_QUOTED;
    return wr_keyword_class_of(token->keyword) == WR_KEYWORD_IS_NAME;
}

wr_status wr_sql_name(wr_parser *p, const char *what, wr_str *out) {
    if (!wr_sql_is_name(p, 0)) return wr_sql_unexpected(p, what);
    WR_TRY(wr_sql_token_name(p, wr_sql_token(p, 0), out));
    wr_sql_advance(p);
    return WR_OK;
}

wr_status wr_sql_label(wr_parser *p, const char *what, wr_node **out) {
    if (!wr_sql_is_label(p, 0)) return wr_sql_unexpected(p, what);
    const wr_token *token = wr_sql_token(p, 0);
    wr_str name;
    WR_TRY(wr_sql_token_name(p, token, &name));
    WR_TRY(wr_sql_leaf(p, WR_NODE_IDENTIFIER, token->begin, name, out));
    if (token->kind == WR_TOKEN_QUOTED) (*out)->flags = WR_NODE_QUOTED;
    wr_sql_advance(p);
    return WR_OK;
}

wr_status wr_sql_identifier(wr_parser *p, const char *what, wr_node **out) {
    return wr_sql_is_name(p, 0) ? wr_sql_label(p, what, out) : wr_sql_unexpected(p, what);
}

wr_status wr_sql_column_names(wr_parser *p, wr_node **out) {
    uint32_t mark = wr_sql_mark(p), position = wr_sql_position(p);
    WR_TRY(wr_sql_expect(p, WR_TOKEN_LEFT_PAREN));
    do {
        wr_node *name;
        WR_TRY(wr_sql_identifier(p, "a column name", &name));
        WR_TRY(wr_sql_push(p, name));
    } while (wr_sql_more(p, wr_sql_ends_group));
    WR_TRY(wr_sql_expect(p, WR_TOKEN_RIGHT_PAREN));
    return wr_sql_gather(p, WR_NODE_LIST, position, mark, out);
}

wr_status wr_sql_path(wr_parser *p, const char *what) {
    wr_node *name;
    WR_TRY(wr_sql_identifier(p, what, &name));
    WR_TRY(wr_sql_push(p, name));
    while (wr_sql_accept(p, WR_TOKEN_DOT)) {
        WR_TRY(wr_sql_label(p, "a name behind the dot", &name));
        WR_TRY(wr_sql_push(p, name));
    }
    return WR_OK;
}

/* ---- types ---- */

static wr_status add_type(wr_parser *p, wr_text *text);

/* A word in capitals; a quoted name with its quotes. */
static void add_type_word(wr_parser *p, wr_text *text) {
    wr_str word = wr_sql_token_text(p, wr_sql_token(p, 0));
    bool quoted = wr_sql_is(p, WR_TOKEN_QUOTED);
    for (uint32_t i = 0; i < word.size; i++) {
        char c = word.data[i];
        if (!quoted && c >= 'a' && c <= 'z') c = (char)(c - 'a' + 'A');
        wr_text_add(text, &c, 1);
    }
    wr_sql_advance(p);
}

/* STRUCT(name type, …) */
static wr_status add_fields(wr_parser *p, wr_text *text) {
    WR_TRY(wr_sql_expect(p, WR_TOKEN_LEFT_PAREN));
    wr_text_addz(text, "STRUCT(");
    bool more = false;
    do {
        if (more) wr_text_addz(text, ", ");
        if (!wr_sql_is_label(p, 0)) return wr_sql_unexpected(p, "a field name");
        wr_str name = wr_sql_token_text(p, wr_sql_token(p, 0));
        wr_text_add(text, name.data, name.size);
        wr_text_addz(text, " ");
        wr_sql_advance(p);
        WR_TRY(add_type(p, text));
        more = wr_sql_more(p, wr_sql_ends_group);
    } while (more);
    wr_text_addz(text, ")");
    return wr_sql_expect(p, WR_TOKEN_RIGHT_PAREN);
}

/* MAP(key type, value type) */
static wr_status add_map(wr_parser *p, wr_text *text) {
    WR_TRY(wr_sql_expect(p, WR_TOKEN_LEFT_PAREN));
    wr_text_addz(text, "MAP(");
    WR_TRY(add_type(p, text));
    WR_TRY(wr_sql_expect(p, WR_TOKEN_COMMA));
    wr_text_addz(text, ", ");
    WR_TRY(add_type(p, text));
    wr_text_addz(text, ")");
    return wr_sql_expect(p, WR_TOKEN_RIGHT_PAREN);
}

/* (10,2) */
static wr_status add_modifiers(wr_parser *p, wr_text *text) {
    if (!wr_sql_accept(p, WR_TOKEN_LEFT_PAREN)) return WR_OK;
    char before = '(';
    do {
        if (!wr_sql_is(p, WR_TOKEN_NUMBER)) return wr_sql_unexpected(p, "a number");
        wr_str number = wr_sql_token_text(p, wr_sql_token(p, 0));
        wr_text_add(text, &before, 1);
        wr_text_add(text, number.data, number.size);
        wr_sql_advance(p);
        before = ',';
    } while (wr_sql_accept(p, WR_TOKEN_COMMA));
    wr_text_addz(text, ")");
    return wr_sql_expect(p, WR_TOKEN_RIGHT_PAREN);
}

/* TIME and TIMESTAMP, whose zone is written behind the precision: TIMESTAMPTZ(3). */
static wr_status add_time(wr_parser *p, wr_text *text) {
    add_type_word(p, text);
    uint32_t behind = wr_sql_is(p, WR_TOKEN_LEFT_PAREN) ? 3 : 0;
    bool with = wr_sql_is_word_at(p, behind, WR_KEYWORD_WITH);
    bool zoned = (with || wr_sql_is_word_at(p, behind, WR_KEYWORD_WITHOUT)) &&
                 wr_sql_is_word_at(p, behind + 1, WR_KEYWORD_TIME) && wr_sql_is_word_at(p, behind + 2, WR_KEYWORD_ZONE);
    if (zoned && with) wr_text_addz(text, "TZ");
    WR_TRY(add_modifiers(p, text));
    if (zoned) p->at += 3;
    return WR_OK;
}

static wr_status add_plain_type(wr_parser *p, wr_text *text) {
    const wr_token *token = wr_sql_token(p, 0);
    bool usable = token->kind == WR_TOKEN_QUOTED ||
                  (token->kind == WR_TOKEN_WORD && wr_keyword_class_of(token->keyword) <= WR_KEYWORD_IS_LABEL);
    if (!usable) return wr_sql_unexpected(p, "a type");
    bool opens = wr_sql_is_at(p, 1, WR_TOKEN_LEFT_PAREN);
    switch (token->keyword) {
    case WR_KEYWORD_STRUCT:
    case WR_KEYWORD_ROW:
        if (!opens) break;
        wr_sql_advance(p);
        return add_fields(p, text);
    case WR_KEYWORD_MAP:
        if (!opens) break;
        wr_sql_advance(p);
        return add_map(p, text);
    case WR_KEYWORD_TIME:
    case WR_KEYWORD_TIMESTAMP: return add_time(p, text);
    case WR_KEYWORD_DOUBLE:
        add_type_word(p, text);
        wr_sql_accept_word(p, WR_KEYWORD_PRECISION);
        return WR_OK;
    case WR_KEYWORD_CHARACTER:
        wr_sql_advance(p);
        wr_sql_accept_word(p, WR_KEYWORD_VARYING);
        wr_text_addz(text, "VARCHAR");
        return add_modifiers(p, text);
    default: break;
    }
    add_type_word(p, text);
    return add_modifiers(p, text);
}

static wr_status add_type(wr_parser *p, wr_text *text) {
    WR_TRY(wr_sql_enter(p));
    WR_TRY(add_plain_type(p, text));
    while (wr_sql_accept(p, WR_TOKEN_LEFT_BRACKET)) {
        wr_text_addz(text, "[");
        if (wr_sql_is(p, WR_TOKEN_NUMBER)) {
            wr_str size = wr_sql_token_text(p, wr_sql_token(p, 0));
            wr_text_add(text, size.data, size.size);
            wr_sql_advance(p);
        }
        wr_text_addz(text, "]");
        WR_TRY(wr_sql_expect(p, WR_TOKEN_RIGHT_BRACKET));
    }
    wr_sql_leave(p);
    return WR_OK;
}

wr_status wr_sql_type_name(wr_parser *p, wr_str *out) {
    wr_text text;
    wr_text_init(&text, p->arena->allocator);
    wr_status status = add_type(p, &text);
    if (status == WR_OK) {
        *out = text.failed ? (wr_str){NULL, 0} : wr_arena_copy(p->arena, wr_text_view(&text));
        if (!out->data) status = wr_fail_memory(p->err, text.size, "the name of a type");
    }
    wr_text_deinit(&text);
    return status;
}
