/* Nodes by themselves: the check of shapes, comparing, copying, the encoding and bytes that were tampered with. */
#include "plan/node.h"

#include "tests/unit/test.h"

/* ---- building ---- */

static wr_node *leaf(wr_arena *arena, wr_node_kind kind, const char *text) {
    wr_node *node = wr_node_create(arena, kind, WR_NO_POSITION, 0);
    if (node) node->text = wr_str_from(text);
    return node;
}

static wr_node *parent(wr_arena *arena, wr_node_kind kind, uint32_t count, wr_node **children) {
    wr_node *node = wr_node_create(arena, kind, WR_NO_POSITION, count);
    for (uint32_t i = 0; node && i < count; i++) node->children[i] = children[i];
    return node;
}
#define PARENT(kind, ...)                                                                                              \
    parent(&arena, WR_NODE_##kind, sizeof((wr_node *[]){__VA_ARGS__}) / sizeof(wr_node *), (wr_node *[]){__VA_ARGS__})
#define LEAF(kind, text) leaf(&arena, WR_NODE_##kind, text)

/* SELECT "A", b + 1 FROM t JOIN u USING (k) */
static wr_node *example(wr_arena *at) {
    wr_arena arena = *at;
    wr_node *quoted = LEAF(IDENTIFIER, "A");
    quoted->flags = WR_NODE_QUOTED;
    wr_node *plus =
        PARENT(CALL, PARENT(LIST, PARENT(COLUMN, LEAF(IDENTIFIER, "b")), LEAF(NUMBER, "1")), NULL, NULL, NULL);
    plus->flags = WR_NODE_OPERATOR;
    plus->text = WR_STR("+");
    wr_node *join = PARENT(JOIN, PARENT(TABLE, LEAF(IDENTIFIER, "t")), PARENT(TABLE, LEAF(IDENTIFIER, "u")), NULL,
                           PARENT(LIST, LEAF(IDENTIFIER, "k")));
    join->text = WR_STR("inner");
    wr_node *items = PARENT(LIST, PARENT(COLUMN, quoted), plus);
    wr_node *select = PARENT(SELECT, NULL, items, join, NULL, NULL, NULL, NULL, NULL);
    wr_node *query = PARENT(QUERY, NULL, select, NULL, NULL, NULL);
    query->position = 7;
    *at = arena;
    return query;
}

static const char example_text[] =
    "(query _ (select _ [(column \"A\") (call:operator + [(column b) 1])] (join inner (table t) (table u) _ [k])))";

static void check_print(int line, const wr_node *node, const char *expected) {
    wr_text text;
    wr_text_init(&text, wr_test_allocator());
    wr_node_print(node, &text);
    wr_test_check_str(__FILE__, line, "the nodes", wr_text_view(&text), wr_str_from(expected));
    wr_text_deinit(&text);
}

/* ---- the table of kinds ---- */

WR_TEST(plan_node, shapes_agree_with_slots) {
    static const struct {
        const char *name, *shape, *flags;
        int slots;
    } kinds[] = {
#define WR_NODE(KIND, name, slots, shape, flags, documentation) {name, shape, flags, slots},
#include "plan/node.def"
    };
    uint64_t sum = 14695981039346656037u; /* FNV-1a over all that the encoding depends on */
    for (unsigned i = 0; i < WR_COUNT_OF(kinds); i++) {
        int slots = 0;
        for (const char *at = kinds[i].shape; *at; at++) {
            if (*at == '[') at += 2;
            slots += *at != '?' && !(*at >= '0' && *at <= '9');
        }
        WR_CHECK_EQ_INT(kinds[i].slots < 0 ? 1 : kinds[i].slots, slots);
        const char *const texts[] = {kinds[i].name, kinds[i].shape, kinds[i].flags};
        for (unsigned k = 0; k < 3; k++) {
            for (const char *at = texts[k];; at++) {
                sum = (sum ^ (uint8_t)*at) * 1099511628211u;
                if (!*at) break;
            }
        }
    }
    /* When this changes, encodings of before mean something else: raise WR_NODE_VERSION and renew both numbers. */
    WR_CHECK_EQ_INT(WR_NODE_VERSION, 1);
    WR_CHECK_EQ_UINT(sum, UINT64_C(0x7533bcdb73483a39));
}

/* ---- checking ---- */

static void check_malformed(int line, const wr_node *node, const char *message) {
    wr_error err;
    wr_error_clear(&err);
    wr_test_check_status(__FILE__, line, message, wr_node_check(node, &err), WR_INVALID, &err);
    wr_test_check_str(__FILE__, line, "the message", wr_str_from(err.message), wr_str_from(message));
}

WR_TEST(plan_node, check_accepts_and_refuses) {
    wr_arena arena;
    wr_error err;
    wr_arena_init(&arena, wr_test_allocator());
    wr_node *good = example(&arena);
    WR_CHECK_OK(wr_node_check(good, &err), &err);
    check_print(__LINE__, good, example_text);

    wr_node *one = LEAF(NUMBER, "1"), *list = PARENT(LIST, one);
    check_malformed(__LINE__, PARENT(NOT, one, one),
                    "the plan is malformed: a node \"not\" has a wrong number of slots");
    check_malformed(__LINE__, PARENT(NOT, NULL),
                    "the plan is malformed: a node \"not\" holds what does not belong there");
    check_malformed(__LINE__, PARENT(NOT, list),
                    "the plan is malformed: a node \"not\" holds what does not belong there");
    check_malformed(__LINE__, PARENT(AND, one), "the plan is malformed: a node \"and\" has too few children");
    check_malformed(__LINE__, PARENT(AND, one, NULL),
                    "the plan is malformed: a node \"and\" holds what does not belong there");
    check_malformed(__LINE__, PARENT(EXISTS, one),
                    "the plan is malformed: a node \"exists\" holds what does not belong there");
    check_malformed(__LINE__, PARENT(COLUMN, one),
                    "the plan is malformed: a node \"column\" holds what does not belong there");
    wr_node *flagged = LEAF(NUMBER, "1");
    flagged->flags = 1;
    check_malformed(__LINE__, flagged, "the plan is malformed: a node \"number\" has a flag that it cannot have");
    wr_node *literal = PARENT(LIST, LEAF(IDENTIFIER, "a"));
    literal->flags = WR_NODE_LITERAL;
    check_malformed(__LINE__, literal, "the plan is malformed: a node \"list\" holds what does not belong there");
    wr_arena_deinit(&arena);
}

WR_TEST(plan_node, check_knows_the_texts) {
    static const struct {
        wr_node_kind kind;
        const char *good, *bad;
    } texts[] = {
        {WR_NODE_BOOLEAN, "true", "maybe"},
        {WR_NODE_BOOLEAN, "false", ""},
        {WR_NODE_INTERVAL, "day", "days"},
        {WR_NODE_INTERVAL, "", "century decade"},
        {WR_NODE_IS, "null", "distinct"},
        {WR_NODE_FRAME, "rows unbounded current", "rows unbounded"},
        {WR_NODE_FRAME, "range current unbounded exclude_ties", "range current unbounded exclude"},
        {WR_NODE_FRAME, "groups current current", "groups preceding current"},
        {WR_NODE_FRAME, "rows current current", "rows current current "},
    };
    wr_arena arena;
    wr_error err;
    wr_arena_init(&arena, wr_test_allocator());
    for (unsigned i = 0; i < WR_COUNT_OF(texts); i++) {
        wr_node *node = wr_node_create(&arena, texts[i].kind, 0, (uint32_t)wr_node_slot_count(texts[i].kind));
        if (texts[i].kind == WR_NODE_INTERVAL || texts[i].kind == WR_NODE_IS) node->children[0] = LEAF(NUMBER, "1");
        node->text = wr_str_from(texts[i].good);
        WR_CHECK_OK(wr_node_check(node, &err), &err);
        node->text = wr_str_from(texts[i].bad);
        WR_CHECK_STATUS(wr_node_check(node, &err), WR_INVALID, &err);
    }
    wr_node *typed = LEAF(TYPED, "");
    typed->text = WR_STR("DATE\0001998-12-01");
    WR_CHECK_OK(wr_node_check(typed, &err), &err);
    check_print(__LINE__, typed, "(typed DATE '1998-12-01')");
    typed->text = WR_STR("DATE");
    WR_CHECK_STATUS(wr_node_check(typed, &err), WR_INVALID, &err);
    typed->text = WR_STR("DATE\0a\0b");
    WR_CHECK_STATUS(wr_node_check(typed, &err), WR_INVALID, &err);
    wr_arena_deinit(&arena);
}

/* NOT over NOT over …, `depth` levels with the number below. */
static wr_node *deep(wr_arena *at, uint32_t depth) {
    wr_arena arena = *at;
    wr_node *node = LEAF(NUMBER, "1");
    for (uint32_t i = 1; i < depth; i++) node = PARENT(NOT, node);
    *at = arena;
    return node;
}

WR_TEST(plan_node, depth_is_bounded) {
    wr_arena arena;
    wr_error err;
    wr_text text;
    wr_arena_init(&arena, wr_test_allocator());
    wr_text_init(&text, wr_test_allocator());
    WR_CHECK_OK(wr_node_check(deep(&arena, WR_NODE_DEPTH_MAX), &err), &err);
    WR_CHECK_STATUS(wr_node_check(deep(&arena, WR_NODE_DEPTH_MAX + 1), &err), WR_LIMIT, &err);
    WR_CHECK_EQ_STR(err.message, "the statement is nested more than 1000 levels deep");
    wr_node *tower = deep(&arena, 100000);
    WR_CHECK_STATUS(wr_node_check(tower, &err), WR_LIMIT, &err);
    wr_node_print(tower, &text);
    WR_CHECK_CONTAINS(text.data, "(not …))");
    wr_text_deinit(&text);
    wr_arena_deinit(&arena);
}

/* ---- comparing and copying ---- */

WR_TEST(plan_node, equal_sees_every_part) {
    wr_arena arena;
    wr_arena_init(&arena, wr_test_allocator());
    wr_node *a = example(&arena), *b = example(&arena);
    b->position = 99;
    WR_CHECK(wr_node_equal(a, b));
    WR_CHECK(wr_node_equal(NULL, NULL) && !wr_node_equal(a, NULL) && !wr_node_equal(NULL, a));

    wr_node *lower = LEAF(IDENTIFIER, "abc"), *upper = LEAF(IDENTIFIER, "ABC");
    WR_CHECK(wr_node_equal(lower, upper));
    lower->flags = upper->flags = WR_NODE_QUOTED;
    WR_CHECK(!wr_node_equal(lower, upper));
    WR_CHECK(!wr_node_equal(LEAF(STRING, "abc"), LEAF(STRING, "ABC")));
    WR_CHECK(!wr_node_equal(LEAF(STRING, "1"), LEAF(NUMBER, "1")));

    b->children[WR_QUERY_LIMIT] = LEAF(NUMBER, "1");
    WR_CHECK(!wr_node_equal(a, b));
    b->children[WR_QUERY_LIMIT] = NULL;
    b->flags = WR_NODE_RECURSIVE;
    WR_CHECK(!wr_node_equal(a, b));
    wr_arena_deinit(&arena);
}

WR_TEST(plan_node, copy_is_equal_and_its_own) {
    wr_arena arena, other;
    wr_arena_init(&arena, wr_test_allocator());
    wr_arena_init(&other, wr_test_allocator());
    wr_node *copy = wr_node_copy(&other, example(&arena));
    wr_arena_deinit(&arena);
    if (WR_CHECK(copy != NULL)) {
        check_print(__LINE__, copy, example_text);
        WR_CHECK_EQ_INT(copy->position, 7);
    }
    wr_arena_deinit(&other);
}

/* ---- the encoding ---- */

static void encode(const wr_node *node, wr_text *out) {
    wr_error err;
    wr_text_init(out, wr_test_allocator());
    WR_CHECK_OK(wr_node_encode(node, out, &err), &err);
}

WR_TEST(plan_node, encoding_reads_back_equal) {
    wr_arena arena, other;
    wr_error err;
    wr_text bytes;
    wr_node *back = NULL;
    wr_arena_init(&arena, wr_test_allocator());
    wr_arena_init(&other, wr_test_allocator());
    wr_node *node = example(&arena);
    encode(node, &bytes);
    wr_span in = wr_span_from(bytes.data, bytes.size, 0);
    WR_CHECK_OK(wr_node_decode(&in, &other, &back, &err), &err);
    WR_CHECK(wr_node_equal(node, back));
    WR_CHECK(back->position == 7 && back->children[WR_QUERY_BODY]->position == WR_NO_POSITION);
    WR_CHECK_EQ_INT(wr_span_left(&in), 0);
    wr_text_deinit(&bytes);
    wr_arena_deinit(&other);
    wr_arena_deinit(&arena);
}

static void check_refused(int line, const char *data, size_t size, wr_status code, const char *message) {
    wr_arena arena;
    wr_error err;
    wr_node *node;
    wr_arena_init(&arena, wr_test_allocator());
    wr_span in = wr_span_from(data, size, 0);
    wr_test_check_status(__FILE__, line, message, wr_node_decode(&in, &arena, &node, &err), code, &err);
    wr_test_check_str(__FILE__, line, "the message", wr_str_from(err.message), wr_str_from(message));
    if (node) wr_test_fail(__FILE__, line, "a node comes back");
    wr_arena_deinit(&arena);
}
#define CHECK_REFUSED(data, code, message) check_refused(__LINE__, data, sizeof(data) - 1, code, message)

WR_TEST(plan_node, bad_encodings_are_named) {
    CHECK_REFUSED("", WR_CORRUPT, "encoded plan: it does not start as one");
    CHECK_REFUSED("XX\1", WR_CORRUPT, "encoded plan: it does not start as one");
    CHECK_REFUSED("WN\2", WR_UNSUPPORTED, "encoded plan: version 2, expected version 1");
    CHECK_REFUSED("WN\1", WR_CORRUPT, "encoded plan: it ends too early at byte 3");
    CHECK_REFUSED("WN\1\xff", WR_CORRUPT, "encoded plan: it holds no node at byte 4");
    CHECK_REFUSED("WN\1\xf0", WR_CORRUPT, "encoded plan: unknown kind of node before at byte 4");
    CHECK_REFUSED("WN\1\0\0\0\5ab", WR_CORRUPT, "encoded plan: it ends inside a text at byte 7");
    CHECK_REFUSED("WN\1\0\0\0\1\xff", WR_CORRUPT, "encoded plan: a text is not UTF-8 before at byte 8");
    CHECK_REFUSED("WN\1\0\0\0\0\x7f", WR_CORRUPT, "encoded plan: more children than bytes at byte 8");
}

/* ---- memory ---- */

/* Copies, encodes and decodes; the first failure. */
static wr_status exercise(const wr_node *node, wr_arena *arena, wr_text *bytes, wr_error *err) {
    if (!wr_node_copy(arena, node)) return wr_fail_memory(err, 0, "a copy");
    WR_TRY(wr_node_encode(node, bytes, err));
    wr_span in = wr_span_from(bytes->data, bytes->size, 0);
    wr_node *back;
    return wr_node_decode(&in, arena, &back, err);
}

WR_TEST(plan_node, every_allocation_may_fail) {
    wr_arena arena;
    wr_arena_init(&arena, wr_test_allocator());
    wr_node *node = example(&arena);
    bool done = false;
    for (uint64_t nth = 1; !done; nth++) {
        wr_arena other;
        wr_text bytes;
        wr_error err;
        wr_arena_init(&other, wr_test_allocator());
        other.block_bytes = 64;
        wr_text_init(&bytes, wr_test_allocator());
        wr_fault_arm(WR_FAULT_ALLOC, nth);
        wr_status status = exercise(node, &other, &bytes, &err);
        wr_fault_disarm_all();
        done = status == WR_OK;
        if (!done && !WR_CHECK_STATUS(status, WR_NO_MEMORY, &err)) done = true;
        wr_text_deinit(&bytes);
        wr_arena_deinit(&other);
    }
    wr_arena_deinit(&arena);
}
