/* What is run under faults: scripts over tiny tables that together use every operator, and the operators that each
 * must have used, so that a better plan does not quietly leave one untested. */
#ifndef WR_TESTS_FAULT_CASES_H
#define WR_TESTS_FAULT_CASES_H

#include <stdbool.h>

#define NATION "'tests/data/tpch/nation.parquet'"
#define REGION "'tests/data/tpch/region.parquet'"
#define LINEITEM "'tests/data/tpch/lineitem.parquet'"
#define PLAIN "'tests/data/parquet/plain.parquet'"
#define DICTIONARY "'tests/data/parquet/dictionary.parquet'"
#define LEFT_ROWS "(VALUES (1, 'a'), (2, 'b'), (2, 'c'), (NULL, 'd'), (4, 'e')) l(k, v)"
#define RIGHT_ROWS "(VALUES (2, 'x'), (2, 'y'), (3, 'z'), (NULL, 'n'), (4, 'w')) r(k, w)"

#define CASE(name_, script_, ...)                                                                                      \
    { .name = name_, .script = script_, __VA_ARGS__ }
#define USES(...) .operators = {__VA_ARGS__}

enum { OPERATORS_MAX = 6 };

typedef struct fault_case {
    const char *name, *script;
    const char *operators[OPERATORS_MAX];
    bool spills;    /* every operator that can spill has to */
    bool as_stream; /* the rows are read as Arrow, else as text */
} fault_case;

static const fault_case cases[] = {
    /* ---- scans ---- */
    CASE("scan_filters",
         "SELECT id, word, text FROM " DICTIONARY " WHERE few = 3 AND many > 500000000000 AND text LIKE '%7%'",
         USES("SCAN", "RESULT")),
    CASE("scan_dictionary", "SELECT sum(few), min(word), max(text), count(bytes), sum(price) FROM " DICTIONARY,
         USES("SCAN", "AGGREGATE")),
    CASE("scan_fallback",
         "SELECT sum(many), min(word), max(text), min(day) FROM 'tests/data/parquet/fallback.parquet'"),
    CASE("scan_version2",
         "SELECT sum(many), min(word), max(text), max(instant) FROM 'tests/data/parquet/version2.parquet'"),
    CASE("scan_delta", "SELECT sum(many), min(word), max(text), count(flag) FROM 'tests/data/parquet/delta.parquet'"),
    CASE("scan_front", "SELECT sum(many), min(word), max(text), max(real) FROM 'tests/data/parquet/front.parquet'"),
    CASE("scan_brotli", "SELECT sum(many), min(word), max(text), max(code) FROM 'tests/data/parquet/brotli.parquet'"),
    CASE("scan_folder", "SELECT count(*) FROM 'tests/data/tpch/*tion.parquet' WHERE n_name < 'C'"),
    CASE("scan_limit", "SELECT id, text FROM " PLAIN " LIMIT 5 OFFSET 320", USES("SCAN", "LIMIT")),
    /* ---- aggregation ---- */
    CASE("aggregate_plain",
         "SELECT count(*), sum(few), avg(real), min(text), max(price), sum(tiny) FILTER (WHERE flag) FROM " PLAIN,
         USES("AGGREGATE")),
    CASE("aggregate_dense", "SELECT few, count(*), sum(price), max(tiny) FROM " PLAIN " GROUP BY few ORDER BY few",
         USES("DENSE AGGREGATE", "SORT")),
    CASE("aggregate_hash", "SELECT word, tiny, count(*), avg(many) FROM " PLAIN " GROUP BY ALL ORDER BY ALL LIMIT 9",
         USES("HASH AGGREGATE", "SORT")),
    /* The one that needs many rows: less than 50,000 groups are never closed as the key passes. */
    CASE(
        "aggregate_ordered",
        "SELECT count(*), max(q), sum(n) FROM (SELECT l_orderkey, l_linenumber, count(*) AS n, sum(l_quantity) AS q FROM " LINEITEM
        " GROUP BY 1, 2)",
        USES("ORDERED AGGREGATE")),
    CASE("aggregate_spill", "SELECT count(*), max(n) FROM (SELECT text, count(*) AS n FROM " PLAIN " GROUP BY text)",
         USES("HASH AGGREGATE"), .spills = true),
    CASE("aggregate_distinct", "SELECT few, count(DISTINCT word), sum(tiny) FROM " PLAIN " GROUP BY few ORDER BY few"),
    CASE("aggregate_distinct_all", "SELECT count(DISTINCT text), count(DISTINCT tiny), count(*) FROM " PLAIN),
    CASE("distinct", "SELECT DISTINCT word, flag FROM " DICTIONARY " ORDER BY ALL", USES("HASH AGGREGATE")),
    CASE("having", "SELECT few FROM " PLAIN " GROUP BY few HAVING count(*) > 90 AND min(price) < 0 ORDER BY few"),
    /* ---- joins ---- */
    CASE("join_inner",
         "SELECT n_name, r_name FROM " NATION " JOIN " REGION " ON n_regionkey = r_regionkey WHERE r_name > 'AM'",
         USES("SCAN", "JOIN BUILD", "JOIN")),
    CASE("join_text",
         "SELECT a.id, b.id FROM " PLAIN " a JOIN " DICTIONARY
         " b ON a.text = b.text AND a.few = b.few WHERE a.tiny = 5",
         USES("JOIN BUILD", "JOIN")),
    CASE("join_left",
         "SELECT l.k, v, w FROM " LEFT_ROWS " LEFT JOIN " RIGHT_ROWS " ON l.k = r.k AND w > 'x' ORDER BY ALL"),
    CASE("join_right", "SELECT r.k, v, w FROM " LEFT_ROWS " RIGHT JOIN " RIGHT_ROWS " ON l.k = r.k ORDER BY ALL"),
    CASE("join_full", "SELECT l.k, v, r.k, w FROM " LEFT_ROWS " FULL JOIN " RIGHT_ROWS " ON l.k = r.k ORDER BY ALL",
         USES("JOIN LATE")),
    CASE("join_residual",
         "SELECT l.k, v, w FROM " LEFT_ROWS " JOIN " RIGHT_ROWS " ON l.k = r.k AND v || w <> 'bx' ORDER BY ALL"),
    CASE("join_semi",
         "SELECT k, v FROM " LEFT_ROWS " WHERE EXISTS (SELECT 1 FROM " RIGHT_ROWS " WHERE r.k = l.k) ORDER BY ALL"),
    CASE("join_anti",
         "SELECT n_name FROM " NATION " WHERE NOT EXISTS (SELECT 1 FROM " REGION " WHERE r_regionkey = n_nationkey)"),
    CASE("join_not_in",
         "SELECT v FROM " LEFT_ROWS " WHERE k NOT IN (SELECT k FROM " RIGHT_ROWS " WHERE k IS NOT NULL) ORDER BY ALL"),
    CASE("join_mark", "SELECT v, k IN (SELECT k FROM " RIGHT_ROWS ") FROM " LEFT_ROWS " ORDER BY v"),
    CASE("join_cross", "SELECT v, w FROM " LEFT_ROWS " CROSS JOIN " RIGHT_ROWS " ORDER BY ALL LIMIT 7"),
    CASE("join_unequal", "SELECT l.k, v, w FROM " LEFT_ROWS " JOIN " RIGHT_ROWS " ON l.k < r.k ORDER BY ALL"),
    CASE("join_spill",
         "SELECT count(*), sum(a.few), max(b.word) FROM " PLAIN " a JOIN " DICTIONARY " b ON a.many = b.many",
         USES("JOIN BUILD", "JOIN", "JOIN LATE"), .spills = true),
    CASE("join_spill_full",
         "SELECT count(*), count(a.id), count(b.id) FROM (SELECT id, text FROM " PLAIN " WHERE few > 3) a FULL JOIN "
         "(SELECT id, text FROM " DICTIONARY " WHERE tiny > 0) b ON a.text = b.text",
         .spills = true),
    CASE("join_three",
         "SELECT count(*), min(r_name), max(s_name) FROM " NATION " JOIN " REGION " ON n_regionkey = r_regionkey JOIN "
         "'tests/data/tpch/supplier.parquet' ON s_nationkey = n_nationkey WHERE r_name = 'ASIA'"),
    /* ---- order ---- */
    CASE("sort", "SELECT text, id FROM " PLAIN " WHERE few < 2 ORDER BY text DESC, id", USES("SORT")),
    CASE("sort_top", "SELECT id, price FROM " PLAIN " ORDER BY price DESC NULLS LAST, id LIMIT 5 OFFSET 2",
         USES("SORT")),
    CASE("sort_spill", "SELECT count(*), max(text) FROM (SELECT text, id FROM " PLAIN " ORDER BY text, id LIMIT 800)",
         USES("SORT"), .spills = true),
    CASE("sort_spill_all", "SELECT text FROM " PLAIN " ORDER BY many", USES("SORT"), .spills = true),
    /* ---- several queries in one ---- */
    CASE("set_union", "SELECT n_regionkey FROM " NATION " UNION SELECT r_regionkey + 3 FROM " REGION " ORDER BY 1"),
    CASE("set_union_all",
         "SELECT r_name FROM " REGION " UNION ALL SELECT n_name FROM " NATION " WHERE n_nationkey < 4"),
    CASE("set_intersect", "SELECT n_nationkey FROM " NATION " INTERSECT SELECT r_regionkey FROM " REGION " ORDER BY 1"),
    CASE("set_except", "SELECT n_nationkey FROM " NATION " EXCEPT ALL SELECT r_regionkey FROM " REGION " ORDER BY 1"),
    CASE("subquery_scalar",
         "SELECT n_name FROM " NATION " WHERE n_nationkey > (SELECT max(r_regionkey) * 5 FROM " REGION ")"),
    CASE("subquery_one_row",
         "SELECT (SELECT r_name FROM " REGION " WHERE r_regionkey = 2), (SELECT r_name FROM " REGION
         " WHERE r_regionkey = 9)",
         USES("SINGLE ROW")),
    CASE("subquery_many_rows", "SELECT (SELECT r_name FROM " REGION ")", USES("SINGLE ROW")),
    CASE("subquery_correlated", "SELECT r_name, (SELECT count(*) FROM " NATION
                                " WHERE n_regionkey = r_regionkey AND n_name > 'I') FROM " REGION " ORDER BY 1"),
    CASE("with_shared",
         "WITH t AS MATERIALIZED (SELECT few, count(*) AS n FROM " PLAIN
         " GROUP BY few) SELECT count(*) FROM t a JOIN t b ON a.n = b.n WHERE a.few > 1",
         USES("MATERIALIZE", "SHARED")),
    /* ---- expressions ---- */
    CASE("case",
         "SELECT id, CASE WHEN few > 4 THEN 'big' WHEN few IS NULL THEN word ELSE upper(word) END FROM " PLAIN
         " WHERE id < 40",
         USES("PROJECT")),
    CASE(
        "casts",
        "SELECT id::VARCHAR || '!', price::DOUBLE, text[5:7]::INTEGER, day::TIMESTAMP, '12.5'::DECIMAL(5, 2) + few FROM " PLAIN
        " WHERE id BETWEEN 100 AND 120"),
    CASE("cast_fails", "SELECT text::INTEGER FROM " PLAIN),
    CASE("patterns",
         "SELECT count(*) FROM " PLAIN
         " WHERE text LIKE '%x_' || '%' OR regexp_matches(text, 'row [0-9]*7 x{3,}') OR word ILIKE 'RAIL%'"),
    CASE("regexp",
         "SELECT id, regexp_replace(text, 'x+', '-'), regexp_extract(text, '[0-9]+') FROM " PLAIN " WHERE id < 30"),
    CASE("dates", "SELECT extract(year FROM day), date_trunc('month', day), day + INTERVAL 1 MONTH FROM " PLAIN
                  " WHERE id % 90 = 0"),
    CASE("decimals", "SELECT sum(price * price), avg(price), sum(huge / 1000000), round(avg(real), 3) FROM " PLAIN
                     " WHERE real < 2"),
    CASE("overflows", "SELECT sum(many * many) FROM " PLAIN),
    CASE("values", "SELECT a + 1, b || 'x' FROM (VALUES (1, 'x'), (2, NULL), (3, '')) t(a, b) WHERE a < 3",
         USES("VALUES")),
    CASE("filter", "SELECT k FROM (SELECT few AS k, count(*) AS n FROM " PLAIN " GROUP BY few LIMIT 5) WHERE n > 80",
         USES("FILTER")),
    /* ---- statements ---- */
    CASE("explain", "EXPLAIN SELECT n_name FROM " NATION " JOIN " REGION
                    " ON n_regionkey = r_regionkey WHERE r_name = 'ASIA' ORDER BY 1"),
    CASE("explain_analyze", "EXPLAIN ANALYZE SELECT n_regionkey, count(*) FROM " NATION " GROUP BY 1 ORDER BY 1"),
    CASE("view", "CREATE OR REPLACE VIEW v(a, b) AS SELECT n_name, n_regionkey + 1 FROM " NATION
                 " WHERE n_name < 'D'; FROM v; DROP VIEW v"),
    CASE("time_zone", "SET time_zone = 'Europe/Vienna'; SELECT instant, date_trunc('day', instant) FROM " PLAIN
                      " WHERE id < 9; RESET time_zone"),
    CASE("no_table", "SELECT * FROM 'tests/data/tpch/nothing.parquet'"),
    CASE("no_syntax", "SELECT n_name, FRMO nation WHERE"),
    CASE("no_column", "SELECT n_nmae FROM " NATION),
    /* ---- rows as Arrow ---- */
    CASE("stream", "SELECT id, few, word, text, price, day, flag FROM " PLAIN " WHERE id < 300 AND tiny > 0",
         .as_stream = true),
    CASE("stream_dictionary", "SELECT word, few, huge, instant FROM " DICTIONARY " ORDER BY many LIMIT 20",
         .as_stream = true),
    CASE("stream_explain", "EXPLAIN SELECT n_name FROM " NATION " WHERE n_nationkey < 3", .as_stream = true),
    CASE("stream_fails", "SELECT text::INTEGER FROM " PLAIN, .as_stream = true),
};

#endif
