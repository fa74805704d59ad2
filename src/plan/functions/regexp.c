/* Regular expressions: PCRE2 with its JIT, behind a search for a literal that every match must hold.
 *
 * A pattern is compiled once a worker (its code and match data belong to one thread); patterns that differ from row to row
 * are compiled when they change. What the pattern says of every match is a text that it must contain, if there is one; the
 * column is searched for it first (kernel/text.h), and only rows that have it go to PCRE2. Steps are limited, so that no
 * pattern runs for ever on a text. $ is the end of the text and . no line end, as in RE2. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "kernel/bits.h"
#include "kernel/text.h"
#include "plan/functions/text_out.h"
#include "plan/functions/text_point.h"

enum {
    MATCH_STEPS_MAX = 10 * 1000 * 1000,
    HEAP_KILOBYTES_MAX = 20 * 1000,
    JIT_STACK_FIRST = 32 * 1024,
    JIT_STACK_MAX = 1024 * 1024,
    LITERAL_BYTES_MAX = 256
};

typedef struct regexp_options {
    uint32_t flags; /* of pcre2_compile */
    bool global;
} regexp_options;

/* What resolution knows: everything for a constant pattern. */
typedef struct regexp_plan {
    bool whole;    /* the pattern must match all of the text */
    bool constant; /* pattern and options below are the call's */
    wr_str pattern;
    regexp_options options;
} regexp_plan;

typedef struct regexp {
    wr_allocator *allocator;
    const regexp_plan *plan;
    pcre2_general_context *general;
    pcre2_match_context *match;
    pcre2_jit_stack *stack;
    pcre2_code *code;
    pcre2_match_data *data;
    bool jit;
    uint32_t groups;
    wr_text pattern; /* that `code` is made of */
    uint32_t flags;
    char literal[LITERAL_BYTES_MAX];
    uint32_t literal_size;
} regexp;

/* ---- memory: PCRE2 frees without a size, so it stands in front ---- */

static void *regexp_alloc(size_t size, void *user) {
    size_t *block = wr_alloc(user, size + 16);
    if (!block) return NULL;
    *block = size;
    return (uint8_t *)block + 16;
}
static void regexp_free(void *p, void *user) {
    if (!p) return;
    size_t *block = (size_t *)(void *)((uint8_t *)p - 16);
    wr_free(user, block, *block + 16);
}

/* ---- the literal that every match holds ---- */

/* Behind the class or group that begins at `at`; the pattern has been compiled, so brackets are balanced. */
static uint32_t skip_class(wr_str p, uint32_t at) {
    at++;
    if (at < p.size && p.data[at] == '^') at++;
    if (at < p.size && p.data[at] == ']') at++;
    while (at < p.size && p.data[at] != ']') {
        if (p.data[at] == '\\') at++;
        if (at + 1 < p.size && p.data[at] == '[' && p.data[at + 1] == ':') {
            while (at + 1 < p.size && !(p.data[at] == ':' && p.data[at + 1] == ']' && p.data[at - 1] != '[')) at++;
            at++;
        }
        at++;
    }
    return at + 1;
}

static uint32_t skip_group(wr_str p, uint32_t at) {
    int depth = 0;
    while (at < p.size) {
        char c = p.data[at];
        if (c == '[') {
            at = skip_class(p, at);
            continue;
        }
        if (c == '\\') at++;
        if (c == '(') depth++;
        if (c == ')' && --depth == 0) return at + 1;
        at++;
    }
    return at;
}

static bool is_plain(char c) {
    return !strchr("\\^$.|?*+()[]{}", c);
}

typedef struct literal_search {
    wr_str pattern;
    char run[LITERAL_BYTES_MAX];
    uint32_t size;       /* of the run */
    uint32_t last_point; /* where the run's last character begins */
    regexp *out;
} literal_search;

static void end_run(literal_search *s) {
    if (s->size > s->out->literal_size) {
        memcpy(s->out->literal, s->run, s->size);
        s->out->literal_size = s->size;
    }
    s->size = 0;
}

/* A repeat sign stands at `at`, behind a character of the run or something else; returns what is behind it. */
static uint32_t skip_repeat(literal_search *s, uint32_t at) {
    wr_str p = s->pattern;
    if (at >= p.size || !(p.data[at] == '?' || p.data[at] == '*' || p.data[at] == '+' || p.data[at] == '{')) return at;
    /* The last character may be missing, unless it is at least once. */
    if (p.data[at] != '+' && s->size) s->size = s->last_point;
    end_run(s);
    if (p.data[at] == '{') {
        while (at < p.size && p.data[at] != '}') at++;
    }
    at++;
    if (at < p.size && (p.data[at] == '?' || p.data[at] == '+')) at++;
    return at;
}

static void add_to_run(literal_search *s, const char *bytes, uint32_t size) {
    if (s->size + size > LITERAL_BYTES_MAX) end_run(s);
    s->last_point = s->size;
    memcpy(s->run + s->size, bytes, size);
    s->size += size;
}

/* Walks the outermost level. Alternatives, flags inside the pattern and quotes make it give up. */
static void find_literal(regexp *r, wr_str p, uint32_t flags) {
    r->literal_size = 0;
    if (flags & (PCRE2_CASELESS | PCRE2_LITERAL)) {
        if (flags == (PCRE2_LITERAL | PCRE2_UTF) && p.size <= LITERAL_BYTES_MAX) {
            memcpy(r->literal, p.data, p.size);
            r->literal_size = p.size;
        }
        return;
    }
    literal_search s = {.pattern = p, .out = r};
    for (uint32_t at = 0; at < p.size;) {
        char c = p.data[at];
        uint32_t next;
        if (c == '|' ||
            (c == '(' && at + 1 < p.size &&
             (p.data[at + 1] == '*' || (p.data[at + 1] == '?' && at + 2 < p.size && p.data[at + 2] != ':')))) {
            r->literal_size = 0;
            return;
        }
        if (c == '\\') {
            char escaped = at + 1 < p.size ? p.data[at + 1] : 0;
            if (escaped == 'Q' || escaped == 'E' || (escaped >= '0' && escaped <= '9') || escaped == 'x' ||
                escaped == 'p' || escaped == 'P' || escaped == 'o' || escaped == 'N' || escaped == 'c' ||
                escaped == 'k' || escaped == 'g') {
                r->literal_size = 0;
                return;
            }
            bool letter = (escaped >= 'a' && escaped <= 'z') || (escaped >= 'A' && escaped <= 'Z');
            if (letter) {
                end_run(&s);
            } else {
                add_to_run(&s, &p.data[at + 1], 1);
            }
            next = at + 2;
        } else if (is_plain(c)) {
            next = at + wr_point_size(c);
            add_to_run(&s, p.data + at, next - at);
        } else {
            if (c != '^') end_run(&s);
            next = c == '[' ? skip_class(p, at) : c == '(' ? skip_group(p, at) : at + 1;
        }
        at = skip_repeat(&s, next);
    }
    end_run(&s);
}

/* ---- compiling ---- */

static wr_status read_options(wr_str text, regexp_options *out, wr_error *err) {
    *out = (regexp_options){.flags = 0};
    for (uint32_t i = 0; i < text.size; i++) {
        switch (text.data[i]) {
        case 'i': out->flags |= PCRE2_CASELESS; break;
        case 'c': out->flags &= ~(uint32_t)PCRE2_CASELESS; break;
        case 's': out->flags |= PCRE2_DOTALL; break;
        case 'm':
        case 'n':
        case 'p': out->flags &= ~(uint32_t)PCRE2_DOTALL; break;
        case 'l': out->flags |= PCRE2_LITERAL; break;
        case 'g': out->global = true; break;
        default:
            wr_fail(err, WR_INVALID, "there is no option '%c' of a regular expression", text.data[i]);
            return err ? wr_hint(err, "options are c, i, l, s, m, n, p, and g to replace all") : WR_INVALID;
        }
    }
    return WR_OK;
}

static wr_status fail_pattern(wr_str pattern, int number, size_t offset, wr_error *err) {
    char message[128];
    if (number == PCRE2_ERROR_HEAP_FAILED) return wr_fail_memory(err, pattern.size, "a regular expression");
    pcre2_get_error_message(number, (PCRE2_UCHAR *)message, sizeof message);
    return wr_fail(err, WR_INVALID, "the regular expression '%.*s' is wrong at character %zu: %s", WR_STR_ARGS(pattern),
                   offset + 1, message);
}

static void drop_code(regexp *r) {
    pcre2_match_data_free(r->data);
    pcre2_code_free(r->code);
    r->data = NULL;
    r->code = NULL;
}

static wr_status compile(regexp *r, wr_str pattern, uint32_t flags, wr_error *err) {
    if (r->code && r->flags == flags && wr_str_equal(wr_text_view(&r->pattern), pattern)) return WR_OK;
    drop_code(r);
    wr_text_clear(&r->pattern);
    wr_text_add(&r->pattern, pattern.data ? pattern.data : "", pattern.size);
    if (r->pattern.failed) return wr_fail_memory(err, pattern.size, "a regular expression");
    uint32_t all = flags | PCRE2_UTF;
    if (!(flags & PCRE2_LITERAL)) all |= PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C;
    if (r->plan->whole) all |= PCRE2_ANCHORED | PCRE2_ENDANCHORED;
    pcre2_compile_context *context = pcre2_compile_context_create(r->general);
    if (!context) return wr_fail_memory(err, 0, "a regular expression");
    int number;
    size_t offset;
    r->code = pcre2_compile((PCRE2_SPTR)pattern.data, pattern.size, all, &number, &offset, context);
    pcre2_compile_context_free(context);
    if (!r->code) return fail_pattern(pattern, number, offset, err);
    r->jit = pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE) == 0;
    r->data = pcre2_match_data_create_from_pattern(r->code, r->general);
    if (!r->data) return wr_fail_memory(err, 0, "a regular expression");
    pcre2_pattern_info(r->code, PCRE2_INFO_CAPTURECOUNT, &r->groups);
    r->flags = flags;
    find_literal(r, pattern, flags | PCRE2_UTF);
    return WR_OK;
}

static void regexp_destroy(void *local, wr_allocator *a) {
    regexp *r = local;
    if (!r) return;
    drop_code(r);
    pcre2_jit_stack_free(r->stack);
    pcre2_match_context_free(r->match);
    pcre2_general_context_free(r->general);
    wr_text_deinit(&r->pattern);
    wr_free(a, r, sizeof *r);
}

static wr_status regexp_create(const void *data, wr_allocator *a, void **local, wr_error *err) {
    regexp *r = wr_alloc_zeroed(a, sizeof *r);
    if (!r) return wr_fail_memory(err, sizeof *r, "a regular expression");
    r->allocator = a;
    r->plan = data;
    wr_text_init(&r->pattern, a);
    r->general = pcre2_general_context_create(regexp_alloc, regexp_free, a);
    if (r->general) r->match = pcre2_match_context_create(r->general);
    if (r->match) r->stack = pcre2_jit_stack_create(JIT_STACK_FIRST, JIT_STACK_MAX, r->general);
    if (!r->stack) {
        regexp_destroy(r, a);
        return wr_fail_memory(err, JIT_STACK_MAX, "a regular expression");
    }
    pcre2_set_match_limit(r->match, MATCH_STEPS_MAX);
    pcre2_set_heap_limit(r->match, HEAP_KILOBYTES_MAX);
    pcre2_jit_stack_assign(r->match, NULL, r->stack);
    wr_status status = r->plan->constant ? compile(r, r->plan->pattern, r->plan->options.flags, err) : WR_OK;
    if (status != WR_OK) {
        regexp_destroy(r, a);
        return status;
    }
    *local = r;
    return WR_OK;
}

/* ---- resolution ---- */

static wr_status resolve_pattern(wr_resolution *r, uint32_t options_at, bool whole, wr_error *err) {
    regexp_plan *plan = WR_ARENA_NEW(r->arena, regexp_plan);
    if (!plan) return wr_fail_memory(err, sizeof *plan, "a regular expression");
    const wr_value *pattern = wr_constant_argument(r, 1);
    const wr_value *options = r->arg_count > options_at ? wr_constant_argument(r, options_at) : NULL;
    plan->whole = whole;
    plan->constant = pattern && (options || r->arg_count <= options_at);
    r->data = plan;
    r->can_fail = true; /* the limit of steps */
    if (options) WR_TRY(read_options(options->text, &plan->options, err));
    if (!plan->constant) return WR_OK;
    plan->pattern = wr_arena_copy(r->arena, pattern->text);
    if (!plan->pattern.data) return wr_fail_memory(err, pattern->text.size, "a regular expression");
    /* Compiled here once, so that a wrong pattern is an error of the statement. */
    void *local;
    WR_TRY(regexp_create(plan, r->arena->allocator, &local, err));
    regexp_destroy(local, r->arena->allocator);
    return WR_OK;
}

static wr_status resolve_matches(wr_resolution *r, wr_error *err) {
    r->result = wr_type_of(WR_TYPE_BOOLEAN);
    return resolve_pattern(r, 2, false, err);
}
static wr_status resolve_full(wr_resolution *r, wr_error *err) {
    r->result = wr_type_of(WR_TYPE_BOOLEAN);
    return resolve_pattern(r, 2, true, err);
}
static wr_status resolve_text(wr_resolution *r, wr_error *err) {
    r->result = wr_type_of(WR_TYPE_VARCHAR);
    return resolve_pattern(r, 3, false, err);
}

static wr_status expand_nocase(const wr_registry *registry, wr_arena *arena, uint32_t position, wr_expr **args,
                               uint32_t arg_count, wr_expr **out, wr_error *err) {
    (void)arg_count;
    wr_value option = {.type = wr_type_of(WR_TYPE_VARCHAR), .text = WR_STR("i")};
    wr_expr *all[3] = {args[0], args[1], wr_expr_constant(arena, option)};
    if (!all[2]) return wr_fail_memory(err, sizeof(wr_expr), "the plan");
    return wr_function_bind(registry, arena, WR_STR("regexp_matches"), position, all, 3, out, err);
}

/* ---- matching ---- */

static inline wr_str text_row(const wr_vector *v, uint32_t row) {
    return wr_view_str((const wr_string_view *)v->data + row * wr_step(v));
}

/* The pattern of a row, compiled. */
static wr_status pattern_of_row(wr_call_context *c, const wr_vector *args, uint32_t arg_count, uint32_t options_at,
                                uint32_t row, regexp **out, regexp_options *options) {
    regexp *r = c->local;
    *out = r;
    *options = r->plan->options;
    if (r->plan->constant) return WR_OK;
    if (arg_count > options_at) WR_TRY(read_options(text_row(&args[options_at], row), options, c->err));
    return compile(r, text_row(&args[1], row), options->flags, c->err);
}

static wr_status match_at(const wr_call_context *c, regexp *r, wr_str text, size_t from, bool *found) {
    PCRE2_SPTR subject = (PCRE2_SPTR)(text.data ? text.data : "");
    int result = r->jit ? pcre2_jit_match(r->code, subject, text.size, from, 0, r->data, r->match)
                        : pcre2_match(r->code, subject, text.size, from, PCRE2_NO_UTF_CHECK, r->data, r->match);
    *found = result >= 0;
    if (result >= 0 || result == PCRE2_ERROR_NOMATCH) return WR_OK;
    if (result == PCRE2_ERROR_NOMEMORY) return wr_fail_memory(c->err, 0, "a regular expression");
    wr_fail(c->err, WR_VALUE, "the regular expression takes too many steps on a text of %u bytes", text.size);
    return c->err ? wr_hint(c->err, "repeats within repeats, as in (a+)+, are the usual cause") : WR_VALUE;
}

/* Rows that may match: those that hold the literal of a constant pattern. Bits past the rows are cleared. */
static void candidates(const wr_call_context *c, const wr_vector *arg, uint64_t *out) {
    const regexp *r = c->local;
    bool searchable = r->plan->constant && r->literal_size && arg->kind == WR_FLAT;
    if (searchable) {
        c->kernels->text->contains(arg->data, c->row_count, r->literal, r->literal_size, out);
    } else {
        wr_bitmap_fill(out, c->row_count, true);
    }
    size_t words = wr_bitmap_words(c->row_count);
    for (size_t w = 0; c->active && w < words; w++) out[w] &= c->active[w];
    if (words) out[words - 1] &= wr_bitmap_tail(c->row_count);
}

static wr_status run_matches(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    WR_TRY(wr_call_prepare(c, result));
    uint64_t *out = wr_vector_data_mut(result);
    candidates(c, &args[0], out);
    for (uint32_t w = 0; w * 64 < c->row_count; w++) {
        for (uint64_t left = out[w]; left; left &= left - 1) {
            uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(left);
            regexp *r;
            regexp_options options;
            bool found;
            WR_TRY(pattern_of_row(c, args, arg_count, 2, i, &r, &options));
            WR_TRY(match_at(c, r, text_row(&args[0], i), 0, &found));
            if (!found) wr_bit_clear(out, i);
        }
    }
    return WR_OK;
}

/* A group of the last match; empty when it took no part. */
static wr_str group_of(const regexp *r, wr_str text, int64_t group) {
    if (group < 0 || group > r->groups) return (wr_str){text.data, 0};
    const size_t *at = pcre2_get_ovector_pointer(r->data) + 2 * group;
    if (at[0] == PCRE2_UNSET || at[1] < at[0]) return (wr_str){text.data, 0};
    return (wr_str){text.data + at[0], (uint32_t)(at[1] - at[0])};
}

/* regexp_extract(text, pattern, group, options): a part of the text, so nothing is copied. */
static wr_status run_extract(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    WR_TRY(wr_call_prepare(c, result));
    WR_TRY(wr_vector_keep_heap(result, c->allocator, &args[0], c->err));
    wr_string_view *out = wr_vector_data_mut(result);
    memset(out, 0, c->row_count * sizeof *out);
    candidates(c, &args[0], c->failed);
    for (uint32_t w = 0; w * 64 < c->row_count; w++) {
        for (uint64_t left = c->failed[w]; left; left &= left - 1) {
            uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(left);
            regexp *r;
            regexp_options options;
            bool found;
            wr_str text = text_row(&args[0], i);
            int64_t group = arg_count > 2 ? ((const int32_t *)args[2].data)[i * wr_step(&args[2])] : 0;
            WR_TRY(pattern_of_row(c, args, arg_count, 3, i, &r, &options));
            WR_TRY(match_at(c, r, text, 0, &found));
            wr_str part = found ? group_of(r, text, group) : (wr_str){NULL, 0};
            if (part.size) out[i] = wr_view_make(part.data, part.size);
        }
    }
    return WR_OK;
}

/* ---- replacing ---- */

typedef struct replacement {
    wr_text_out *out;
    uint32_t size; /* bytes of the row so far, at out->at */
    uint32_t room;
} replacement;

/* Adds bytes of the row; they move to a larger piece when there is no more room behind them. */
static wr_status add_bytes(replacement *p, const char *data, uint32_t size) {
    if (p->room - p->size < size) {
        uint64_t wanted = ((uint64_t)p->size + size) * 2;
        char *old = p->out->at;
        p->out->end = p->out->at; /* nothing is left of this piece */
        WR_TRY(wr_text_out_room(p->out, (size_t)wanted));
        if (p->size) memcpy(p->out->at, old, p->size);
        p->room = (uint32_t)(p->out->end - p->out->at);
    }
    if (size) memcpy(p->out->at + p->size, data, size);
    p->size += size;
    return WR_OK;
}

/* \0 is the match, \1 its first group, \\ a backslash. */
static wr_status add_replacement(const wr_call_context *c, replacement *p, const regexp *r, wr_str text, wr_str by) {
    for (uint32_t i = 0; i < by.size;) {
        uint32_t run = i;
        while (run < by.size && by.data[run] != '\\') run++;
        WR_TRY(add_bytes(p, by.data + i, run - i));
        if (run == by.size) break;
        char next = run + 1 < by.size ? by.data[run + 1] : 0;
        i = run + 2;
        if (next >= '0' && next <= '9') {
            if ((uint32_t)(next - '0') > r->groups) {
                return wr_fail(c->err, WR_VALUE, "the replacement '%.*s' names group %c, the pattern has %u",
                               WR_STR_ARGS(by), next, r->groups);
            }
            wr_str group = group_of(r, text, next - '0');
            WR_TRY(add_bytes(p, group.data, group.size));
        } else if (next == '\\') {
            WR_TRY(add_bytes(p, "\\", 1));
        } else {
            return wr_fail(c->err, WR_VALUE, "the replacement '%.*s' has a backslash that is not followed by a digit",
                           WR_STR_ARGS(by));
        }
    }
    return WR_OK;
}

/* An empty match right behind the last one does not count; it is passed by a character. */
static wr_status replace_row(const wr_call_context *c, wr_text_out *out, regexp *r, wr_str text, wr_str by, bool global,
                             uint32_t row) {
    WR_TRY(wr_text_out_room(out, text.size + by.size + 1));
    replacement p = {.out = out, .room = (uint32_t)(out->end - out->at)};
    size_t at = 0, done = 0, last_end = SIZE_MAX;
    bool any = false;
    while (at <= text.size) {
        bool found;
        WR_TRY(match_at(c, r, text, at, &found));
        if (!found) break;
        const size_t *match = pcre2_get_ovector_pointer(r->data);
        size_t begin = match[0], end = match[1];
        if (end > begin || begin != last_end) {
            WR_TRY(add_bytes(&p, text.data + done, (uint32_t)(begin - done)));
            WR_TRY(add_replacement(c, &p, r, text, by));
            done = last_end = end;
            any = true;
            if (!global) break;
        }
        at = end;
        if (end == begin) at += at < text.size ? wr_point_size(text.data[at]) : 1;
    }
    if (!any) return wr_text_out_copy(out, row, text);
    WR_TRY(add_bytes(&p, text.data + done, (uint32_t)(text.size - done)));
    wr_text_out_row(out, row, p.size);
    return WR_OK;
}

static wr_status run_replace(wr_call_context *c, const wr_vector *args, uint32_t arg_count, wr_vector *result) {
    wr_text_out out;
    WR_TRY(wr_text_out_begin(c, result, false, &out));
    candidates(c, &args[0], c->failed);
    for (uint32_t i = 0; i < c->row_count; i++) {
        wr_str text = text_row(&args[0], i);
        if (!wr_bit_get(c->failed, i)) {
            if (wr_is_active(c, i)) WR_TRY(wr_text_out_copy(&out, i, text));
            continue;
        }
        regexp *r;
        regexp_options options;
        WR_TRY(pattern_of_row(c, args, arg_count, 3, i, &r, &options));
        WR_TRY(replace_row(c, &out, r, text, text_row(&args[2], i), options.global, i));
    }
    return WR_OK;
}

/* ---- rows ---- */

#define T WR_EXACT(VARCHAR)
#define N WR_EXACT(INTEGER)
#define REGEXP(name_, aliases_, resolve_, run_, cost, text, ...)                                                       \
    {                                                                                                                  \
        .name = name_, .aliases = aliases_, .parameters = {__VA_ARGS__}, .resolve = resolve_, .run = run_,             \
        .local_create = regexp_create, .local_destroy = regexp_destroy, .can_fail = true, .cost_ns = cost,             \
        .summary = text                                                                                                \
    }

static const wr_function rows[] = {
    REGEXP("regexp_matches", "regexp_like ~", resolve_matches, run_matches, 80, "some part of the text matches", T, T),
    REGEXP("regexp_matches", "regexp_like", resolve_matches, run_matches, 80,
           "some part of the text matches, with options", T, T, T),
    REGEXP("regexp_full_match", "similar_to", resolve_full, run_matches, 80, "the whole text matches", T, T),
    REGEXP("regexp_full_match", NULL, resolve_full, run_matches, 80, "the whole text matches, with options", T, T, T),
    {.name = "~*",
     .parameters = {T, T},
     .expand = expand_nocase,
     .summary = "some part of the text matches, ignoring case"},
    REGEXP("regexp_extract", NULL, resolve_text, run_extract, 120, "the first match", T, T),
    REGEXP("regexp_extract", NULL, resolve_text, run_extract, 120, "a group of the first match", T, T, N),
    REGEXP("regexp_extract", NULL, resolve_text, run_extract, 120, "a group of the first match, with options", T, T, N,
           T),
    REGEXP("regexp_replace", NULL, resolve_text, run_replace, 200, "the first match replaced", T, T, T),
    REGEXP("regexp_replace", NULL, resolve_text, run_replace, 200,
           "the first match replaced, or with option g all of them", T, T, T, T),
};

const wr_function_set wr_functions_regexp = {"regexp", rows, WR_COUNT_OF(rows)};
