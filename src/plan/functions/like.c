/* LIKE, ILIKE and GLOB.
 *
 * A constant pattern is looked at once, at resolution: what is between its wildcards decides the loop. Equality, a
 * prefix, a suffix, pieces in order are searched through kernel/text.h over the whole column; everything else (with _,
 * or tied to both ends) is first reduced to the rows that hold all of its pieces, and only those are matched character by
 * character. ILIKE is LIKE of lower-case text. */
#include "base/utf8.h"
#include "kernel/bits.h"
#include "kernel/compare.h"
#include "kernel/text.h"
#include "plan/functions/call.h"

typedef enum like_shape { LIKE_EQUAL, LIKE_PREFIX, LIKE_SUFFIX, LIKE_PIECES, LIKE_GENERAL } like_shape;

/* A pattern character: bytes of literal text, or a wildcard. */
typedef enum like_token { LIKE_LITERAL, LIKE_ANY_ONE, LIKE_ANY_MANY } like_token;

typedef struct like_pattern {
    like_shape shape;
    wr_str text;    /* of the first three shapes */
    wr_str *pieces; /* literal runs in order */
    uint32_t piece_count;
    wr_str source; /* the pattern as written, for the general matcher */
    char escape;
    bool has_escape;
} like_pattern;

/* ---- the general matcher ---- */

static uint32_t character_size(const char *at, const char *end) {
    uint8_t lead = (uint8_t)*at;
    uint32_t size = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    return size <= (uint32_t)(end - at) ? size : (uint32_t)(end - at);
}

static like_token token_at(const like_pattern *p, const char **at, char *literal) {
    char c = *(*at)++;
    if (p->has_escape && c == p->escape) {
        *literal = *(*at)++; /* there is one, see read_pattern */
        return LIKE_LITERAL;
    }
    *literal = c;
    return c == '%' ? LIKE_ANY_MANY : c == '_' ? LIKE_ANY_ONE : LIKE_LITERAL;
}

/* Two cursors; after a mismatch, go on one character behind where the last % matched so far. */
static bool matches(const like_pattern *p, wr_str text) {
    const char *t = text.data, *t_end = text.data + text.size;
    const char *at = p->source.data, *end = p->source.data + p->source.size;
    const char *resume_pattern = NULL, *resume_text = NULL;
    for (;;) {
        if (at == end && t == t_end) return true;
        const char *next = at;
        char literal = 0;
        like_token token = at < end ? token_at(p, &next, &literal) : LIKE_LITERAL;
        if (at < end && token == LIKE_ANY_MANY) {
            resume_pattern = at = next;
            resume_text = t;
            continue;
        }
        if (at < end && t < t_end && (token == LIKE_ANY_ONE || *t == literal)) {
            t += token == LIKE_ANY_ONE ? character_size(t, t_end) : 1;
            at = next;
            continue;
        }
        if (!resume_pattern || resume_text == t_end) return false;
        resume_text += character_size(resume_text, t_end);
        t = resume_text;
        at = resume_pattern;
    }
}

/* ---- reading a pattern ---- */

static wr_status check_escape(const like_pattern *p, wr_error *err) {
    const char *end = p->source.data + p->source.size;
    for (const char *at = p->source.data; p->has_escape && at < end; at++) {
        if (*at != p->escape) continue;
        if (++at == end) return wr_fail(err, WR_INVALID, "a LIKE pattern ends with its escape character");
    }
    return WR_OK;
}

/* Literal runs without escapes; a run ends at every wildcard. */
static wr_status collect_pieces(like_pattern *p, wr_arena *arena, bool *has_one, wr_error *err) {
    char *bytes = wr_arena_alloc(arena, p->source.size + 1);
    p->pieces = WR_ARENA_ARRAY(arena, wr_str, p->source.size + 1);
    if (!bytes || !p->pieces) return wr_fail_memory(err, p->source.size, "a LIKE pattern");
    wr_str piece = {bytes, 0};
    const char *at = p->source.data, *end = at + p->source.size;
    *has_one = false;
    while (at < end) {
        char literal;
        like_token token = token_at(p, &at, &literal);
        *has_one |= token == LIKE_ANY_ONE;
        if (token == LIKE_LITERAL) {
            bytes[piece.data - bytes + piece.size++] = literal;
            continue;
        }
        if (piece.size) p->pieces[p->piece_count++] = piece;
        piece = (wr_str){piece.data + piece.size, 0};
    }
    if (piece.size) p->pieces[p->piece_count++] = piece;
    return WR_OK;
}

static wr_status read_pattern(like_pattern *p, wr_arena *arena, wr_error *err) {
    WR_TRY(check_escape(p, err));
    bool has_one;
    WR_TRY(collect_pieces(p, arena, &has_one, err));
    bool many_first = p->source.size && p->source.data[0] == '%' && !(p->has_escape && p->escape == '%');
    bool many_last = p->source.size && p->source.data[p->source.size - 1] == '%';
    if (many_last && p->has_escape) {
        /* The last % may be an escaped one. */
        const char *at = p->source.data, *end = at + p->source.size;
        like_token token = LIKE_LITERAL;
        char literal;
        while (at < end) token = token_at(p, &at, &literal);
        many_last = token == LIKE_ANY_MANY;
    }
    p->text = p->piece_count ? p->pieces[0] : WR_STR("");
    bool any_many = many_first || many_last || p->piece_count > 1;
    if (has_one) {
        p->shape = LIKE_GENERAL;
    } else if (!any_many) {
        p->shape = LIKE_EQUAL;
    } else if (many_first && many_last) {
        p->shape = LIKE_PIECES;
    } else if (p->piece_count == 1) {
        p->shape = many_last ? LIKE_PREFIX : LIKE_SUFFIX;
    } else {
        p->shape = LIKE_GENERAL;
    }
    return WR_OK;
}

static wr_status set_escape(like_pattern *p, wr_str escape, wr_error *err) {
    if (escape.size > 1) {
        return wr_fail(err, WR_INVALID, "an escape is one ASCII character or none, not '%.*s'", WR_STR_ARGS(escape));
    }
    p->has_escape = escape.size == 1;
    if (p->has_escape) p->escape = escape.data[0];
    return WR_OK;
}

static wr_status resolve(wr_resolution *r, wr_error *err) {
    r->result = wr_type_of(WR_TYPE_BOOLEAN);
    const wr_value *pattern = wr_constant_argument(r, 1);
    const wr_value *escape = r->arg_count > 2 ? wr_constant_argument(r, 2) : NULL;
    r->can_fail = !pattern || (r->arg_count > 2 && !escape);
    if (r->can_fail) return WR_OK;
    like_pattern *p = WR_ARENA_NEW(r->arena, like_pattern);
    if (!p) return wr_fail_memory(err, sizeof *p, "a LIKE pattern");
    if (escape) WR_TRY(set_escape(p, escape->text, err));
    p->source = wr_arena_copy(r->arena, pattern->text);
    if (!p->source.data) return wr_fail_memory(err, pattern->text.size, "a LIKE pattern");
    WR_TRY(read_pattern(p, r->arena, err));
    r->data = p;
    return WR_OK;
}

/* ---- running ---- */

static void keep_matches(const like_pattern *p, const wr_string_view *views, uint32_t n, uint64_t *out) {
    for (uint32_t w = 0; w * 64 < n; w++) {
        uint64_t left = out[w];
        if (n - w * 64 < 64) left &= wr_bitmap_tail(n - w * 64);
        for (; left; left &= left - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(left);
            if (!matches(p, wr_view_str(&views[w * 64 + bit]))) out[w] &= ~(UINT64_C(1) << bit);
        }
    }
}

static void run_pattern(const wr_call_context *c, const like_pattern *p, const wr_string_view *views, uint64_t *out) {
    const wr_text_kernels *k = c->kernels->text;
    uint32_t n = c->row_count;
    switch (p->shape) {
    case LIKE_EQUAL: {
        wr_string_view text = wr_view_make(p->text.data, p->text.size);
        c->kernels->compare->vc[WR_PHYS_VIEW][WR_EQ](views, &text, n, out);
        break;
    }
    case LIKE_PREFIX: k->starts_with(views, n, p->text.data, p->text.size, out); break;
    case LIKE_SUFFIX: k->ends_with(views, n, p->text.data, p->text.size, out); break;
    case LIKE_PIECES:
    case LIKE_GENERAL:
        if (p->piece_count == 0) {
            wr_bitmap_fill(out, n, true);
        } else if (p->piece_count == 1) {
            k->contains(views, n, p->pieces[0].data, p->pieces[0].size, out);
        } else {
            k->contains_all(views, n, p->pieces, p->piece_count, out);
        }
        if (p->shape == LIKE_GENERAL) keep_matches(p, views, n, out);
        break;
    }
}

/* Patterns that differ from row to row. */
static wr_status run_by_row(wr_call_context *c, const wr_vector *args, uint32_t arg_count, uint64_t *out) {
    const wr_string_view *texts = args[0].data, *patterns = args[1].data;
    for (uint32_t i = 0; i < c->row_count; i++) {
        like_pattern p = {.source = wr_view_str(&patterns[i * wr_step(&args[1])])};
        wr_status status = WR_OK;
        if (arg_count > 2) {
            const wr_string_view *escapes = args[2].data;
            status = set_escape(&p, wr_view_str(&escapes[i * wr_step(&args[2])]), c->err);
        }
        if (status == WR_OK) status = check_escape(&p, c->err);
        if (status != WR_OK && wr_is_active(c, i)) return status;
        wr_bit_put(out, i, status == WR_OK && matches(&p, wr_view_str(&texts[i * wr_step(&args[0])])));
    }
    return WR_OK;
}

static wr_status run(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    WR_TRY(wr_call_prepare(c, result));
    uint64_t *out = wr_vector_data_mut(result);
    if (!c->data || args[0].kind == WR_CONSTANT) return run_by_row(c, args, arg_count, out);
    run_pattern(c, c->data, args[0].data, out);
    return WR_OK;
}

static wr_status expand_ilike(const wr_registry *registry, wr_arena *arena, uint32_t position, wr_expr **args,
                              uint32_t arg_count, wr_expr **out, wr_error *err) {
    wr_expr *folded[3];
    for (uint32_t i = 0; i < arg_count; i++) {
        WR_TRY(wr_function_bind(registry, arena, WR_STR("lower"), position, &args[i], 1, &folded[i], err));
    }
    return wr_function_bind(registry, arena, WR_STR("like"), position, folded, arg_count, out, err);
}

/* ---- GLOB: *, ?, [a-z], [!a], \x ---- */

static uint32_t take_point(const char **at, const char *end) {
    uint32_t point = 0, size = wr_utf8_decode((wr_str){*at, (uint32_t)(end - *at)}, &point);
    *at += size ? size : 1;
    return point;
}

/* A class at `at`, behind its "["; *at moves behind its "]". */
static bool in_class(const char **at, const char *end, uint32_t point) {
    const char *p = *at;
    bool negated = p < end && (*p == '!' || *p == '^'), found = false, first = true;
    if (negated) p++;
    while (p < end && (*p != ']' || first)) {
        uint32_t low = take_point(&p, end), high = low;
        if (p + 1 < end && *p == '-' && p[1] != ']') {
            p++;
            high = take_point(&p, end);
        }
        found |= point >= low && point <= high;
        first = false;
    }
    *at = p < end ? p + 1 : p;
    return found != negated;
}

static bool glob_one(const char **at, const char *end, const char **t, const char *t_end) {
    if (*t == t_end) return false;
    uint32_t size = character_size(*t, t_end), point = 0;
    char c = *(*at)++;
    bool ok;
    if (c == '?') {
        ok = true;
    } else if (c == '[') {
        (void)wr_utf8_decode((wr_str){*t, (uint32_t)(t_end - *t)}, &point);
        ok = in_class(at, end, point);
    } else {
        if (c == '\\' && *at < end) c = *(*at)++;
        ok = **t == c;
        size = 1;
    }
    *t += size;
    return ok;
}

static bool glob(wr_str pattern, wr_str text) {
    const char *t = text.data, *t_end = t + text.size, *at = pattern.data, *end = at + pattern.size;
    const char *resume_pattern = NULL, *resume_text = NULL;
    for (;;) {
        if (at == end && t == t_end) return true;
        if (at < end && *at == '*') {
            resume_pattern = ++at;
            resume_text = t;
            continue;
        }
        if (at < end && glob_one(&at, end, &t, t_end)) continue;
        if (!resume_pattern || resume_text == t_end) return false;
        resume_text += character_size(resume_text, t_end);
        t = resume_text;
        at = resume_pattern;
    }
}

static wr_status run_glob(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    (void)arg_count;
    WR_TRY(wr_call_prepare(c, result));
    uint64_t *out = wr_vector_data_mut(result);
    const wr_string_view *texts = args[0].data, *patterns = args[1].data;
    for (uint32_t i = 0; i < c->row_count; i++) {
        wr_bit_put(out, i,
                   glob(wr_view_str(&patterns[i * wr_step(&args[1])]), wr_view_str(&texts[i * wr_step(&args[0])])));
    }
    return WR_OK;
}

static const wr_function rows[] = {
    {.name = "like",
     .aliases = "~~",
     .parameters = {WR_EXACT(VARCHAR), WR_EXACT(VARCHAR)},
     .resolve = resolve,
     .run = run,
     .cost_ns = 8,
     .summary = "the text matches a pattern: % is any text, _ any character"},
    {.name = "like",
     .aliases = "~~ like_escape",
     .parameters = {WR_EXACT(VARCHAR), WR_EXACT(VARCHAR), WR_EXACT(VARCHAR)},
     .resolve = resolve,
     .run = run,
     .cost_ns = 8,
     .summary = "LIKE with an escape character"},
    {.name = "ilike",
     .aliases = "~~*",
     .parameters = {WR_EXACT(VARCHAR), WR_EXACT(VARCHAR)},
     .expand = expand_ilike,
     .summary = "LIKE that ignores case"},
    {.name = "ilike",
     .aliases = "~~* ilike_escape",
     .parameters = {WR_EXACT(VARCHAR), WR_EXACT(VARCHAR), WR_EXACT(VARCHAR)},
     .expand = expand_ilike,
     .summary = "LIKE that ignores case, with an escape character"},
    {.name = "glob",
     .aliases = "~~~",
     .parameters = {WR_EXACT(VARCHAR), WR_EXACT(VARCHAR)},
     .result_id = WR_TYPE_BOOLEAN,
     .run = run_glob,
     .cost_ns = 20,
     .summary = "the text matches a pattern: * is any text, ? any character, [a-z] one of several"},
};

const wr_function_set wr_functions_like = {"like", rows, WR_COUNT_OF(rows)};
