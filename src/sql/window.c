/* Windows: OVER, the WINDOW clause, frames. */
#include "sql/sql_internal.h"

typedef enum bound {
    BOUND_UNBOUNDED_PRECEDING,
    BOUND_PRECEDING,
    BOUND_CURRENT,
    BOUND_FOLLOWING,
    BOUND_UNBOUNDED_FOLLOWING
} bound;

static const char *const bound_names[] = {"unbounded", "preceding", "current", "following", "unbounded"};

/* UNBOUNDED PRECEDING, 3 FOLLOWING, CURRENT ROW, … */
static wr_status frame_bound(wr_parser *p, bound *out, wr_node **offset) {
    if (wr_sql_accept_words(p, WR_KEYWORD_CURRENT, WR_KEYWORD_ROW)) {
        *out = BOUND_CURRENT;
        return WR_OK;
    }
    bool unbounded = wr_sql_is_word(p, WR_KEYWORD_UNBOUNDED) &&
                     (wr_sql_is_word_at(p, 1, WR_KEYWORD_PRECEDING) || wr_sql_is_word_at(p, 1, WR_KEYWORD_FOLLOWING));
    if (unbounded) {
        wr_sql_advance(p);
    } else {
        WR_TRY(wr_sql_arithmetic(p, offset));
    }
    if (wr_sql_accept_word(p, WR_KEYWORD_PRECEDING)) {
        *out = unbounded ? BOUND_UNBOUNDED_PRECEDING : BOUND_PRECEDING;
        return WR_OK;
    }
    if (wr_sql_accept_word(p, WR_KEYWORD_FOLLOWING)) {
        *out = unbounded ? BOUND_UNBOUNDED_FOLLOWING : BOUND_FOLLOWING;
        return WR_OK;
    }
    return wr_sql_unexpected(p, "PRECEDING or FOLLOWING");
}

/* EXCLUDE CURRENT ROW, GROUP, TIES, NO OTHERS */
static wr_status frame_exclusion(wr_parser *p, const char **out) {
    *out = "";
    if (!wr_sql_accept_word(p, WR_KEYWORD_EXCLUDE)) return WR_OK;
    if (wr_sql_accept_words(p, WR_KEYWORD_NO, WR_KEYWORD_OTHERS)) return WR_OK;
    *out = " exclude_current";
    if (wr_sql_accept_words(p, WR_KEYWORD_CURRENT, WR_KEYWORD_ROW)) return WR_OK;
    *out = " exclude_group";
    if (wr_sql_accept_word(p, WR_KEYWORD_GROUP)) return WR_OK;
    *out = " exclude_ties";
    if (wr_sql_accept_word(p, WR_KEYWORD_TIES)) return WR_OK;
    return wr_sql_unexpected(p, "CURRENT ROW, GROUP, TIES or NO OTHERS");
}

static const char *frame_unit(const wr_parser *p) {
    switch (wr_sql_token(p, 0)->keyword) {
    case WR_KEYWORD_ROWS: return "rows";
    case WR_KEYWORD_RANGE: return "range";
    case WR_KEYWORD_GROUPS: return "groups";
    default: return NULL;
    }
}

static wr_status frame(wr_parser *p, wr_node **out) {
    const char *unit = frame_unit(p), *exclusion;
    if (!unit) return WR_OK;
    uint32_t position = wr_sql_position(p);
    bound start, end = BOUND_CURRENT;
    WR_TRY(wr_sql_node(p, WR_NODE_FRAME, position, out));
    wr_sql_advance(p);
    if (wr_sql_accept_word(p, WR_KEYWORD_BETWEEN)) {
        WR_TRY(frame_bound(p, &start, &(*out)->children[0]));
        WR_TRY(wr_sql_expect_word(p, WR_KEYWORD_AND));
        WR_TRY(frame_bound(p, &end, &(*out)->children[1]));
    } else {
        WR_TRY(frame_bound(p, &start, &(*out)->children[0]));
    }
    if (start == BOUND_UNBOUNDED_FOLLOWING || end == BOUND_UNBOUNDED_PRECEDING || start > end) {
        wr_fail_at(p->err, WR_INVALID, position, "the frame ends before it starts");
        return wr_hint(p->err, "write the earlier bound first; one bound alone ends at the current row");
    }
    WR_TRY(frame_exclusion(p, &exclusion));
    (*out)->text = wr_arena_format(p->arena, "%s %s %s%s", unit, bound_names[start], bound_names[end], exclusion);
    return (*out)->text.data ? WR_OK : wr_fail_memory(p->err, 40, "the statement");
}

/* ( [base] [PARTITION BY …] [ORDER BY …] [frame] ) */
static wr_status window(wr_parser *p, wr_node **out) {
    WR_TRY(wr_sql_node(p, WR_NODE_WINDOW, wr_sql_position(p), out));
    wr_node **slots = (*out)->children;
    WR_TRY(wr_sql_expect(p, WR_TOKEN_LEFT_PAREN));
    if (wr_sql_is_name(p, 0) && !wr_sql_is_word(p, WR_KEYWORD_PARTITION) && !frame_unit(p)) {
        WR_TRY(wr_sql_name(p, "the name of a window", &(*out)->text));
    }
    if (wr_sql_accept_word(p, WR_KEYWORD_PARTITION)) {
        WR_TRY(wr_sql_expect_word(p, WR_KEYWORD_BY));
        WR_TRY(wr_sql_expressions(p, wr_sql_ends_clause, &slots[WR_WINDOW_PARTITION]));
    }
    if (wr_sql_accept_word(p, WR_KEYWORD_ORDER)) {
        WR_TRY(wr_sql_expect_word(p, WR_KEYWORD_BY));
        WR_TRY(wr_sql_order_keys(p, &slots[WR_WINDOW_ORDER]));
    }
    WR_TRY(frame(p, &slots[WR_WINDOW_FRAME]));
    if (wr_sql_accept(p, WR_TOKEN_RIGHT_PAREN)) return WR_OK;
    return wr_sql_unexpected(p, slots[WR_WINDOW_FRAME] ? "\")\"" : "PARTITION BY, ORDER BY, a frame or \")\"");
}

wr_status wr_sql_over(wr_parser *p, wr_node **out) {
    if (wr_sql_is(p, WR_TOKEN_LEFT_PAREN)) return window(p, out);
    WR_TRY(wr_sql_node(p, WR_NODE_WINDOW, wr_sql_position(p), out));
    return wr_sql_name(p, "the name of a window or \"(\"", &(*out)->text);
}

wr_status wr_sql_windows(wr_parser *p, wr_node **out) {
    uint32_t mark = wr_sql_mark(p), position = wr_sql_position(p);
    do {
        wr_str name;
        wr_node *definition, *named;
        uint32_t name_position = wr_sql_position(p);
        WR_TRY(wr_sql_name(p, "the name of a window", &name));
        WR_TRY(wr_sql_expect_word(p, WR_KEYWORD_AS));
        WR_TRY(window(p, &definition));
        WR_TRY(wr_sql_wrap(p, WR_NODE_ALIAS, name_position, name, definition, &named));
        WR_TRY(wr_sql_push(p, named));
    } while (wr_sql_more(p, wr_sql_ends_clause));
    return wr_sql_gather(p, WR_NODE_LIST, position, mark, out);
}
