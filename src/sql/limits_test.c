/* Long and deep statements, statements with random damage, and memory that runs out. */
#include "sql/sql_test.h"
#include "tests/unit/test.h"

static wr_status parse(wr_arena *arena, wr_str sql, wr_statement *out, wr_error *err) {
    uint32_t cursor = 0;
    wr_error_clear(err);
    return wr_sql_parse_next(arena, sql, &cursor, out, err);
}

/* head, then count times piece, then middle, then count times closer. */
static void build(wr_text *sql, const char *head, const char *piece, const char *middle, const char *closer,
                  uint32_t count) {
    wr_text_init(sql, wr_test_allocator());
    wr_text_addz(sql, head);
    for (uint32_t i = 0; i < count; i++) wr_text_addz(sql, piece);
    wr_text_addz(sql, middle);
    for (uint32_t i = 0; i < count; i++) wr_text_addz(sql, closer);
}

/* ---- long ---- */

static void check_long(int line, const char *head, const char *piece, uint32_t count, const char *tail,
                       wr_node_kind kind, uint32_t children) {
    wr_text sql;
    wr_arena arena;
    wr_statement statement;
    wr_error err;
    build(&sql, head, piece, tail, "", count);
    wr_arena_init(&arena, wr_test_allocator());
    wr_status status = parse(&arena, wr_text_view(&sql), &statement, &err);
    if (wr_test_check_status(__FILE__, line, head, status, WR_OK, &err)) {
        const wr_node *item = statement.node->children[WR_QUERY_BODY]->children[WR_SELECT_ITEMS]->children[0];
        const wr_node *many = item->kind == WR_NODE_IN ? item->children[1] : item;
        wr_test_check_int(__FILE__, line, "the kind", many->kind, kind);
        wr_test_check_int(__FILE__, line, "children", many->child_count, children);
    }
    wr_arena_deinit(&arena);
    wr_text_deinit(&sql);
}

WR_TEST(sql_limits, long_lists_and_conditions) {
    check_long(__LINE__, "SELECT x IN (0", ", 1", 100000, ")", WR_NODE_LIST, 100001);
    check_long(__LINE__, "SELECT [0", ", 1", 100000, "]", WR_NODE_LIST, 100001);
    check_long(__LINE__, "SELECT a = 1", " OR a = 1", 10000, "", WR_NODE_OR, 10001);
    check_long(__LINE__, "SELECT a", " AND b", 10000, "", WR_NODE_AND, 10001);
    check_long(__LINE__, "SELECT (a AND b)", " AND c", 10000, " AND (d AND e)", WR_NODE_AND, 10004);
}

/* ---- deep ---- */

static void check_depth(int line, const char *head, const char *piece, const char *middle, const char *closer,
                        uint32_t count, wr_status expected) {
    wr_text sql;
    wr_arena arena;
    wr_statement statement;
    wr_error err;
    build(&sql, head, piece, middle, closer, count);
    wr_arena_init(&arena, wr_test_allocator());
    wr_status status = parse(&arena, wr_text_view(&sql), &statement, &err);
    wr_test_check_status(__FILE__, line, piece, status, expected, &err);
    if (status == WR_LIMIT) {
        wr_test_check_contains(__FILE__, line, err.message, "the statement is nested more than ");
        if (err.position >= sql.size || !err.hint[0]) wr_test_fail(__FILE__, line, "no position or hint");
    }
    wr_arena_deinit(&arena);
    wr_text_deinit(&sql);
}

WR_TEST(sql_limits, chains_of_operators) {
    check_depth(__LINE__, "SELECT 1", "+1", "", "", 400, WR_OK);
    check_depth(__LINE__, "SELECT 1", "+1", "", "", 100000, WR_LIMIT);
    check_depth(__LINE__, "SELECT a", "::int", "", "", 100000, WR_LIMIT);
    check_depth(__LINE__, "SELECT a", "[1]", "", "", 100000, WR_LIMIT);
    check_depth(__LINE__, "SELECT a", ".f()", "", "", 100000, WR_LIMIT);
    check_depth(__LINE__, "SELECT a", " IS NULL", "", "", 100000, WR_LIMIT);
    check_depth(__LINE__, "SELECT a", " || 'x'", "", "", 100000, WR_LIMIT);
    check_depth(__LINE__, "FROM t", " CROSS JOIN t", "", "", 100000, WR_LIMIT);
    check_depth(__LINE__, "FROM t", ", t", "", "", 900, WR_OK);
    check_depth(__LINE__, "SELECT 1", " UNION SELECT 1", "", "", 100000, WR_LIMIT);
}

WR_TEST(sql_limits, nesting) {
    static const struct {
        const char *head, *piece, *middle, *closer;
    } nests[] = {
        {"SELECT ", "(", "1", ")"},
        {"SELECT ", "[", "1", "]"},
        {"SELECT ", "{a: ", "1", "}"},
        {"SELECT ", "f(", "1", ")"},
        {"SELECT ", "- ", "a", ""},
        {"SELECT ", "NOT ", "a", ""},
        {"SELECT ", "1 + (", "1", ")"},
        {"SELECT ", "(SELECT ", "1", ")"},
        {"SELECT ", "CASE WHEN a THEN ", "1", " END"},
        {"SELECT ", "a IN (", "1", ")"},
        {"SELECT a[", "a[", "1", "]"},
        {"", "(", "SELECT 1", ")"},
        {"FROM ", "(", "t", ")"},
        {"FROM ", "(FROM ", "t", ")"},
        {"FROM a ", "JOIN b ", "", "ON true "},
        {"", "WITH a AS (", "SELECT 1", ") FROM a"},
        {"", "EXPLAIN ", "SELECT 1", ""},
        {"SELECT a::", "struct(a ", "int", ")"},
        {"SELECT a FROM t GROUP BY ", "GROUPING SETS (", "a", ")"},
        {"SELECT f(", "x -> f(", "1", ")"},
        {"SELECT EXISTS ", "(", "SELECT 1", ")"},
    };
    for (unsigned i = 0; i < WR_COUNT_OF(nests); i++) {
        const char *last = strcmp(nests[i].head, "SELECT a[") == 0   ? "]"
                           : strcmp(nests[i].head, "SELECT f(") == 0 ? ")"
                                                                     : "";
        wr_text middle;
        wr_text_init(&middle, wr_test_allocator());
        wr_text_format(&middle, "%s%s", nests[i].middle, last);
        check_depth(__LINE__, nests[i].head, nests[i].piece, middle.data, nests[i].closer, 20, WR_OK);
        check_depth(__LINE__, nests[i].head, nests[i].piece, middle.data, nests[i].closer, 100000, WR_LIMIT);
        wr_text_deinit(&middle);
    }
}

/* ---- damage ---- */

static uint64_t random_next(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 16;
}

/* Swaps, drops, repeats and changes bytes of one sample, or joins pieces of two. */
static void damage(wr_text *out, uint64_t *state) {
    static const char pieces[] = "()[]{}'\",;.:*-+=<>|~!@%^&?$\\ \n_0159aEx";
    const char *a = wr_sql_samples[random_next(state) % wr_sql_sample_count];
    const char *b = wr_sql_samples[random_next(state) % wr_sql_sample_count];
    size_t a_size = strlen(a), b_size = strlen(b);
    wr_text_clear(out);
    if (random_next(state) % 4 == 0) {
        wr_text_add(out, a, random_next(state) % a_size);
        size_t from = random_next(state) % b_size;
        wr_text_add(out, b + from, b_size - from);
    } else {
        wr_text_add(out, a, a_size);
    }
    for (uint64_t rounds = random_next(state) % 4; rounds > 0 && out->size > 0; rounds--) {
        size_t at = random_next(state) % out->size, run = 1 + random_next(state) % 6;
        if (run > out->size - at) run = out->size - at;
        switch (random_next(state) % 3) {
        case 0: out->data[at] = (char)random_next(state); break;
        case 1: out->data[at] = pieces[random_next(state) % (sizeof pieces - 1)]; break;
        default: memmove(out->data + at, out->data + at + run, out->size - at - run); out->size -= run;
        }
    }
}

WR_TEST(sql_limits, damaged_statements_give_a_status) {
    uint64_t state = 42;
    uint32_t parsed = 0, refused = 0;
    wr_text sql;
    wr_text_init(&sql, wr_test_allocator());
    for (uint32_t i = 0; i < 50000; i++) {
        wr_arena arena;
        wr_statement statement;
        wr_error err;
        damage(&sql, &state);
        wr_arena_init(&arena, wr_test_allocator());
        wr_status status = parse(&arena, wr_text_view(&sql), &statement, &err);
        if (status == WR_OK) {
            parsed++;
            if (statement.node) WR_CHECK_OK(wr_node_check(statement.node, &err), &err);
        } else {
            refused++;
            bool told = err.code == status && err.message[0] && err.position <= sql.size;
            if (!told || status == WR_INTERNAL || strstr(err.message, "malformed")) {
                wr_test_fail(__FILE__, __LINE__, "%s for %.*s", err.message, WR_STR_ARGS(wr_text_view(&sql)));
            }
        }
        wr_arena_deinit(&arena);
    }
    wr_text_deinit(&sql);
    WR_CHECK(parsed > 1000 && refused > 1000);
}

/* Changes up to three bytes behind the head, and often cuts the end off; returns the size. */
static size_t tamper(const wr_text *bytes, uint8_t *out, uint64_t *state) {
    memcpy(out, bytes->data, bytes->size);
    for (uint64_t rounds = 1 + random_next(state) % 3; rounds > 0; rounds--) {
        out[3 + random_next(state) % (bytes->size - 3)] = (uint8_t)random_next(state);
    }
    return random_next(state) % 4 ? bytes->size : random_next(state) % bytes->size;
}

static bool decode_tampered(const uint8_t *data, size_t size) {
    wr_arena arena;
    wr_error err;
    wr_node *node;
    wr_arena_init(&arena, wr_test_allocator());
    wr_span in = wr_span_from(data, size, 0);
    wr_status status = wr_node_decode(&in, &arena, &node, &err);
    if (status == WR_OK) {
        WR_CHECK_OK(wr_node_check(node, &err), &err);
        WR_CHECK(wr_node_equal(node, wr_node_copy(&arena, node)));
    } else {
        WR_CHECK(status == WR_CORRUPT || status == WR_INVALID || status == WR_LIMIT);
        WR_CHECK(node == NULL && err.code == status && err.message[0]);
    }
    wr_arena_deinit(&arena);
    return status == WR_OK;
}

WR_TEST(sql_limits, tampered_encodings_give_a_status) {
    enum { ROUNDS = 2000, CHANGED_MAX_BYTES = 8192 };
    uint64_t state = 7;
    uint32_t accepted = 0;
    for (uint32_t i = 0; i < wr_sql_sample_count; i++) {
        static uint8_t changed[CHANGED_MAX_BYTES];
        wr_arena arena;
        wr_statement statement;
        wr_text bytes;
        wr_error err;
        wr_arena_init(&arena, wr_test_allocator());
        wr_text_init(&bytes, wr_test_allocator());
        bool encoded = WR_CHECK_OK(parse(&arena, wr_str_from(wr_sql_samples[i]), &statement, &err), &err) &&
                       WR_CHECK_OK(wr_node_encode(statement.node, &bytes, &err), &err) &&
                       WR_CHECK(bytes.size <= CHANGED_MAX_BYTES);
        for (uint32_t round = 0; encoded && round < ROUNDS; round++) {
            accepted += decode_tampered(changed, tamper(&bytes, changed, &state));
        }
        wr_text_deinit(&bytes);
        wr_arena_deinit(&arena);
    }
    WR_CHECK(accepted > 1000);
}

/* ---- memory ---- */

WR_TEST(sql_limits, every_allocation_may_fail) {
    for (uint32_t i = 0; i < wr_sql_sample_count; i++) {
        bool done = false;
        for (uint64_t nth = 1; !done; nth++) {
            wr_arena arena;
            wr_statement statement;
            wr_error err;
            wr_arena_init(&arena, wr_test_allocator());
            arena.block_bytes = 64; /* so that most nodes need a block */
            wr_fault_arm(WR_FAULT_ALLOC, nth);
            wr_status status = parse(&arena, wr_str_from(wr_sql_samples[i]), &statement, &err);
            wr_fault_disarm_all();
            done = status == WR_OK;
            if (!done && !WR_CHECK_STATUS(status, WR_NO_MEMORY, &err)) done = true;
            if (!done) WR_CHECK(statement.node == NULL);
            wr_arena_deinit(&arena);
        }
    }
}
