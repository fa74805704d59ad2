/* What the tests of the parser share, and the tests that look at scripts rather than at one piece of grammar. */
#include "sql/sql_test.h"
#include "tests/unit/test.h"

const char *const wr_sql_samples[] = {
    "WITH RECURSIVE a(x, y) AS MATERIALIZED (SELECT 1, 2 UNION ALL BY NAME SELECT x + 1, y FROM a WHERE x < 10), "
    "SELECT DISTINCT ON (x) a.*, \"Y z\" AS \"a\"\"b\", n: count(*) FILTER (WHERE y <> 'it''s'), FROM a "
    "GROUP BY ROLLUP (x, (y, z)), 1 HAVING sum(y) > 1_000.5e-3 ORDER BY ALL DESC NULLS LAST LIMIT 10 OFFSET 5",
    "FROM 'x/*.parquet' AS p, LATERAL (SELECT p.a) l NATURAL LEFT JOIN (b JOIN c USING (k, t)) ASOF JOIN d ON d.t <= p.t "
    "POSITIONAL JOIN read_csv('y.csv', header = true, sep := E'\\t') r(a, b) SEMI JOIN e ON e.x = p.x WHERE NOT a "
    "AND b IS NOT DISTINCT FROM c OR d BETWEEN -1 AND +2 AND e NOT IN (1, 2, (3)) AND EXISTS (FROM t)",
    "SELECT CASE a WHEN 1 THEN 'x' ELSE $$y$$ END, CAST(b AS DECIMAL(15,2)), c::struct(x int, \"Y\" map(int, text))[], "
    "[x + 1 FOR x IN l IF x > 0], {'a': [1, 2], b: MAP {1: 'one'}}, l[1:2:3][4].f.upper(), x'00ff', DATE '1998-12-01', "
    "INTERVAL '90' DAY + INTERVAL (n) HOURS, list_transform(l, (x, i) -> x || i), f(lambda y: y ** 2, z => ?)",
    "SELECT rank() OVER (w ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE TIES), last(x IGNORE NULLS) OVER w, "
    "percentile_cont(0.5) WITHIN GROUP (ORDER BY x DESC), string_agg(DISTINCT s, ',' ORDER BY t) FROM t "
    "WINDOW w AS (PARTITION BY a, b ORDER BY c NULLS FIRST) QUALIFY rank() OVER w <= 3",
    "SELECT EXTRACT(year FROM d), SUBSTRING(s FROM 2 FOR 3), TRIM(BOTH ' ' FROM s), POSITION('a' IN s), "
    "OVERLAY(s PLACING 'x' FROM 1), d AT TIME ZONE 'UTC', s COLLATE nocase, s LIKE 'a%' ESCAPE '!', s !~* 'x', "
    "* EXCLUDE (a, b) REPLACE (c / 2 AS c), COLUMNS('a.*'), a = ANY (SELECT 1), a < ALL (l), (a, b) IN (VALUES (1, 2))",
    "(SELECT 1 UNION SELECT 2 INTERSECT (SELECT 3 ORDER BY 1) EXCEPT ALL SELECT 4) ORDER BY 1 FETCH FIRST 2 ROWS ONLY",
    "SELECT a FROM t GROUP BY GROUPING SETS ((a, b), (), CUBE (c)) -- comment\n /* and /* nested */ one */ LIMIT ALL",
    "EXPLAIN ANALYZE SELECT größe, \"naïve\" FROM s.t WHERE a IS UNKNOWN AND $name = $1",
    "CREATE OR REPLACE TEMPORARY VIEW v (a, b) AS VALUES (1, NULL), (TRUE, CURRENT_DATE)",
    "DROP VIEW IF EXISTS v",
    "SET memory_limit TO '256MB'",
    "RESET a.b",
};
const uint32_t wr_sql_sample_count = WR_COUNT_OF(wr_sql_samples);

/* ---- checks ---- */

static wr_status parse_one(wr_arena *arena, const char *sql, wr_statement *out, wr_error *err) {
    uint32_t cursor = 0;
    wr_error_clear(err);
    return wr_sql_parse_next(arena, wr_str_from(sql), &cursor, out, err);
}

static void check_encoding(const char *file, int line, const char *sql, const wr_node *node, wr_arena *arena) {
    wr_text bytes;
    wr_error err;
    wr_node *back = NULL;
    wr_text_init(&bytes, wr_test_allocator());
    wr_status status = wr_node_encode(node, &bytes, &err);
    if (wr_test_check_status(file, line, sql, status, WR_OK, &err)) {
        wr_span in = wr_span_from(bytes.data, bytes.size, 0);
        status = wr_node_decode(&in, arena, &back, &err);
        wr_test_check_status(file, line, sql, status, WR_OK, &err);
        if (back && !wr_node_equal(node, back)) wr_test_fail(file, line, "%s does not decode equal", sql);
        if (wr_span_left(&in) != 0) wr_test_fail(file, line, "%s decodes with bytes left over", sql);
    }
    wr_text_deinit(&bytes);
}

void wr_sql_check_prints(const char *file, int line, const char *sql, const char *expected) {
    wr_arena arena;
    wr_statement statement;
    wr_error err;
    wr_text text;
    wr_arena_init(&arena, wr_test_allocator());
    wr_text_init(&text, wr_test_allocator());
    wr_status status = parse_one(&arena, sql, &statement, &err);
    if (wr_test_check_status(file, line, sql, status, WR_OK, &err) && statement.node) {
        wr_node_print(statement.node, &text);
        wr_test_check_str(file, line, sql, wr_text_view(&text), wr_str_from(expected));
        check_encoding(file, line, sql, statement.node, &arena);
    }
    wr_text_deinit(&text);
    wr_arena_deinit(&arena);
}

void wr_sql_check_fails(const char *file, int line, const char *sql, wr_status code, const char *expected) {
    wr_arena arena;
    wr_statement statement;
    wr_error err;
    wr_text text;
    wr_arena_init(&arena, wr_test_allocator());
    wr_text_init(&text, wr_test_allocator());
    wr_status status = parse_one(&arena, sql, &statement, &err);
    if (wr_test_check_status(file, line, sql, status, code, &err)) {
        wr_text_format(&text, "%s%s%s @%u", err.message, err.hint[0] ? " | " : "", err.hint, err.position);
        wr_test_check_str(file, line, sql, wr_text_view(&text), wr_str_from(expected));
    }
    wr_text_deinit(&text);
    wr_arena_deinit(&arena);
}

/* ---- scripts ---- */

WR_TEST(sql_script, samples_parse) {
    for (uint32_t i = 0; i < wr_sql_sample_count; i++) {
        wr_arena arena;
        wr_statement statement;
        wr_error err;
        wr_arena_init(&arena, wr_test_allocator());
        if (WR_CHECK_OK(parse_one(&arena, wr_sql_samples[i], &statement, &err), &err)) {
            check_encoding(__FILE__, __LINE__, wr_sql_samples[i], statement.node, &arena);
        }
        wr_arena_deinit(&arena);
    }
}

WR_TEST(sql_script, statements_come_one_by_one) {
    static const char script[] = " ; SELECT 1 ;-- one\n\n/* ; */ FROM t\n  ;; VALUES (';')  ";
    static const char *const texts[] = {"SELECT 1", "FROM t", "VALUES (';')"};
    wr_arena arena;
    wr_statement statement;
    wr_error err;
    uint32_t cursor = 0;
    wr_arena_init(&arena, wr_test_allocator());
    for (unsigned i = 0; i < WR_COUNT_OF(texts); i++) {
        if (!WR_CHECK_OK(wr_sql_parse_next(&arena, WR_STR(script), &cursor, &statement, &err), &err)) break;
        if (!WR_CHECK(statement.node != NULL)) break;
        WR_CHECK_EQ_STR(((wr_str){script + statement.begin, statement.end - statement.begin}), texts[i]);
        WR_CHECK_EQ_INT(statement.node->position, statement.begin);
    }
    WR_CHECK_OK(wr_sql_parse_next(&arena, WR_STR(script), &cursor, &statement, &err), &err);
    WR_CHECK(statement.node == NULL);
    WR_CHECK_EQ_INT(cursor, sizeof script - 1);
    wr_arena_deinit(&arena);
}

WR_TEST(sql_script, an_error_ends_its_statement_alone) {
    static const char script[] = "SELECT 1 1; SELECT 2";
    wr_arena arena;
    wr_statement statement;
    wr_error err;
    uint32_t cursor = 0;
    wr_arena_init(&arena, wr_test_allocator());
    WR_CHECK_STATUS(wr_sql_parse_next(&arena, WR_STR(script), &cursor, &statement, &err), WR_INVALID, &err);
    WR_CHECK_EQ_INT(cursor, 11);
    WR_CHECK(statement.node == NULL);
    WR_CHECK_OK(wr_sql_parse_next(&arena, WR_STR(script), &cursor, &statement, &err), &err);
    WR_CHECK(statement.node != NULL && statement.begin == 12);
    wr_arena_deinit(&arena);
}

WR_TEST(sql_script, nothing_to_parse) {
    static const char *const scripts[] = {"", "  \n", ";", "-- comment", "/* comment */ ; ;", "\xc2\xa0\xef\xbb\xbf"};
    for (unsigned i = 0; i < WR_COUNT_OF(scripts); i++) {
        wr_arena arena;
        wr_statement statement;
        wr_error err;
        wr_arena_init(&arena, wr_test_allocator());
        WR_CHECK_OK(parse_one(&arena, scripts[i], &statement, &err), &err);
        WR_CHECK(statement.node == NULL);
        wr_arena_deinit(&arena);
    }
}

WR_TEST(sql_script, texts_do_not_point_into_the_script) {
    char script[] = "SELECT a, 'text' AS \"name\" FROM 'file'";
    wr_arena arena;
    wr_statement statement;
    wr_error err;
    wr_text text;
    wr_arena_init(&arena, wr_test_allocator());
    wr_text_init(&text, wr_test_allocator());
    if (WR_CHECK_OK(parse_one(&arena, script, &statement, &err), &err)) {
        memset(script, 'x', sizeof script - 1);
        wr_node_print(statement.node, &text);
        WR_CHECK_EQ_STR(text.data, "(query _ (select _ [(column a) (alias name 'text')] (file file)))");
    }
    wr_text_deinit(&text);
    wr_arena_deinit(&arena);
}

/* The first node of the kind in preorder. */
static const wr_node *find(const wr_node *node, wr_node_kind kind) {
    if (!node || node->kind == kind) return node;
    const wr_node *found = NULL;
    for (uint32_t i = 0; i < node->child_count && !found; i++) found = find(node->children[i], kind);
    return found;
}

WR_TEST(sql_script, positions_point_at_the_cause) {
    static const char script[] = "SELECT 1;\nSELECT sum(b) + 1.5 AS c FROM s.t WHERE x LIKE 'y' AND EXISTS (FROM u)";
    static const struct {
        wr_node_kind kind;
        const char *at;
    } expected[] = {
        {WR_NODE_SELECT, "SELECT sum"}, {WR_NODE_ALIAS, "c FROM"}, {WR_NODE_CALL, "+ 1.5"},
        {WR_NODE_COLUMN, "b) +"},       {WR_NODE_NUMBER, "1.5"},   {WR_NODE_TABLE, "s.t"},
        {WR_NODE_AND, "AND"},           {WR_NODE_STRING, "'y'"},   {WR_NODE_EXISTS, "EXISTS"},
    };
    wr_arena arena;
    wr_statement statement;
    wr_error err;
    uint32_t cursor = 9;
    wr_arena_init(&arena, wr_test_allocator());
    if (WR_CHECK_OK(wr_sql_parse_next(&arena, WR_STR(script), &cursor, &statement, &err), &err)) {
        for (unsigned i = 0; i < WR_COUNT_OF(expected); i++) {
            const wr_node *node = find(statement.node, expected[i].kind);
            if (WR_CHECK(node != NULL)) WR_CHECK_EQ_INT(node->position, strstr(script, expected[i].at) - script);
        }
    }
    wr_arena_deinit(&arena);
}
