/* One statement from text to nodes: cuts it into tokens, copies its text into the arena (so that names and literals
 * need no copy of their own), parses, and has the tree checked. The check is where chains that are too deep are found:
 * they are parsed by loops, so that only what lies in one another takes C stack here. */
#include <stdio.h>

#include "sql/sql_internal.h"

/* ---- making nodes ---- */

static wr_status fail_node_memory(wr_parser *p) {
    return wr_fail_memory(p->err, sizeof(wr_node), "the statement");
}

wr_status wr_sql_leaf(wr_parser *p, wr_node_kind kind, uint32_t position, wr_str text, wr_node **out) {
    *out = wr_node_create(p->arena, kind, position, 0);
    if (!*out) return fail_node_memory(p);
    (*out)->text = text;
    return WR_OK;
}

wr_status wr_sql_node(wr_parser *p, wr_node_kind kind, uint32_t position, wr_node **out) {
    *out = wr_node_create(p->arena, kind, position, (uint32_t)wr_node_slot_count(kind));
    return *out ? WR_OK : fail_node_memory(p);
}

wr_status wr_sql_wrap(wr_parser *p, wr_node_kind kind, uint32_t position, wr_str text, wr_node *child, wr_node **out) {
    WR_TRY(wr_sql_node(p, kind, position, out));
    (*out)->text = text;
    (*out)->children[0] = child;
    return WR_OK;
}

wr_status wr_sql_call(wr_parser *p, uint32_t position, wr_str name, uint16_t flags, wr_node **arguments, uint32_t count,
                      wr_node **out) {
    wr_node *list = wr_node_create(p->arena, WR_NODE_LIST, position, count);
    if (!list) return fail_node_memory(p);
    for (uint32_t i = 0; i < count; i++) list->children[i] = arguments[i];
    WR_TRY(wr_sql_wrap(p, WR_NODE_CALL, position, name, list, out));
    (*out)->flags = flags;
    return WR_OK;
}

wr_status wr_sql_push(wr_parser *p, wr_node *node) {
    if (p->stack_count == p->stack_capacity) {
        WR_TRY(wr_grow(p->arena->allocator, (void **)&p->stack, &p->stack_capacity, p->stack_count, 64,
                       sizeof *p->stack, p->err));
    }
    p->stack[p->stack_count++] = node;
    return WR_OK;
}

wr_status wr_sql_gather(wr_parser *p, wr_node_kind kind, uint32_t position, uint32_t mark, wr_node **out) {
    uint32_t count = p->stack_count - mark;
    *out = wr_node_create(p->arena, kind, position, count);
    if (!*out) return fail_node_memory(p);
    if (count > 0) memcpy((*out)->children, p->stack + mark, sizeof *p->stack * count);
    p->stack_count = mark;
    return WR_OK;
}

/* ---- tokens ---- */

wr_status wr_sql_expect(wr_parser *p, wr_token_kind kind) {
    if (wr_sql_accept(p, kind)) return WR_OK;
    char expected[8];
    snprintf(expected, sizeof expected, "\"%s\"", wr_token_sign(kind));
    return wr_sql_unexpected_after(p, expected);
}

wr_status wr_sql_expect_word(wr_parser *p, wr_keyword keyword) {
    if (wr_sql_accept_word(p, keyword)) return WR_OK;
    return wr_sql_unexpected(p, wr_keyword_text(keyword));
}

wr_status wr_sql_enter(wr_parser *p) {
    if (++p->depth <= WR_SQL_DEPTH_MAX) return WR_OK;
    wr_fail_at(p->err, WR_LIMIT, wr_sql_position(p), "the statement is nested more than %d levels deep",
               WR_SQL_DEPTH_MAX);
    return wr_hint(p->err, "split it with WITH or views");
}

bool wr_sql_ends_group(const wr_parser *p) {
    switch (p->tokens[p->at].kind) {
    case WR_TOKEN_END:
    case WR_TOKEN_RIGHT_PAREN:
    case WR_TOKEN_RIGHT_BRACKET:
    case WR_TOKEN_RIGHT_BRACE: return true;
    default: return false;
    }
}

bool wr_sql_ends_clause(const wr_parser *p) {
    switch (p->tokens[p->at].keyword) {
    case WR_KEYWORD_FROM:
    case WR_KEYWORD_WHERE:
    case WR_KEYWORD_HAVING:
    case WR_KEYWORD_WINDOW:
    case WR_KEYWORD_QUALIFY:
    case WR_KEYWORD_UNION:
    case WR_KEYWORD_INTERSECT:
    case WR_KEYWORD_EXCEPT:
    case WR_KEYWORD_LIMIT:
    case WR_KEYWORD_OFFSET:
    case WR_KEYWORD_FETCH:
    case WR_KEYWORD_SELECT: return true;
    case WR_KEYWORD_GROUP:
    case WR_KEYWORD_ORDER: return wr_sql_is_word_at(p, 1, WR_KEYWORD_BY);
    default: return wr_sql_ends_group(p);
    }
}

bool wr_sql_more(wr_parser *p, bool (*ends)(const wr_parser *p)) {
    if (!wr_sql_accept(p, WR_TOKEN_COMMA)) {
        p->list_at = p->at;
        return false;
    }
    return !ends(p);
}

/* ---- statements ---- */

/* All tokens up to the semicolon, which becomes the END; the lexer stands behind it. */
static wr_status read_tokens(wr_parser *p, wr_lexer *lexer) {
    wr_token token;
    do {
        WR_TRY(wr_lexer_next(lexer, &token, p->err));
        if (token.kind == WR_TOKEN_SEMICOLON) {
            if (p->token_count == 0) continue;
            token.kind = WR_TOKEN_END;
        }
        if (p->token_count == p->token_capacity) {
            WR_TRY(wr_grow(p->arena->allocator, (void **)&p->tokens, &p->token_capacity, p->token_count, 256,
                           sizeof *p->tokens, p->err));
        }
        p->tokens[p->token_count++] = token;
    } while (token.kind != WR_TOKEN_END);
    return WR_OK;
}

static wr_status parse_tokens(wr_parser *p, wr_statement *out) {
    if (wr_sql_is(p, WR_TOKEN_END)) return WR_OK;
    uint32_t begin = p->tokens[0].begin, end = p->tokens[p->token_count - 2].end;
    p->copy_begin = begin;
    p->copy = wr_arena_copy(p->arena, (wr_str){p->script.data + begin, end - begin});
    if (!p->copy.data) return wr_fail_memory(p->err, end - begin, "the text of the statement");
    wr_node *node;
    WR_TRY(wr_sql_statement(p, &node));
    if (!wr_sql_is(p, WR_TOKEN_END)) return wr_sql_unexpected_after(p, "the end of the statement");
    WR_TRY(wr_node_check(node, p->err));
    *out = (wr_statement){node, begin, end};
    return WR_OK;
}

wr_status wr_sql_parse_next(wr_arena *arena, wr_str script, uint32_t *cursor, wr_statement *out, wr_error *err) {
    wr_error ignored;
    wr_parser p = {
        .arena = arena, .script = script, .tail_at = UINT32_MAX, .list_at = UINT32_MAX, .err = err ? err : &ignored};
    wr_lexer lexer = {.script = script, .at = *cursor};
    *out = (wr_statement){NULL, script.size, script.size};
    wr_status status = read_tokens(&p, &lexer);
    *cursor = status == WR_OK ? lexer.at : script.size;
    if (status == WR_OK) status = parse_tokens(&p, out);
    wr_free(arena->allocator, p.tokens, sizeof *p.tokens * p.token_capacity);
    wr_free(arena->allocator, p.stack, sizeof *p.stack * p.stack_capacity);
    return status;
}
