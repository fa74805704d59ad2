/* Statements: what is written, and the nodes it becomes. */
#include "sql/sql_test.h"
#include "tests/unit/test.h"

static void check_statements(const wr_sql_example *examples, size_t count, int line) {
    for (size_t i = 0; i < count; i++) wr_sql_check_prints(__FILE__, line, examples[i].sql, examples[i].nodes);
}
#define CHECK_ALL(examples) check_statements(examples, WR_COUNT_OF(examples), __LINE__)

static const wr_sql_example select_lists[] = {
    {"SELECT 1", "(query _ (select _ [1]))"},
    {"SELECT a FROM t", "(query _ (select _ [(column a)] (table t)))"},
    {"SELECT a b, c AS \"D e\", d AS 'f', g: a + 1 FROM t",
     "(query _ (select _ [(alias b (column a)) (alias 'D e' (column c)) (alias f (column d)) (alias g "
     "(call:operator + [(column a) 1]))] (table t)))"},
    {"SELECT a AS select, b year FROM t",
     "(query _ (select _ [(alias select (column a)) (alias year (column b))] (table t)))"},
    {"SELECT *, t.*, s.t.* FROM t", "(query _ (select _ [(star) (star (column t)) (star (column s t))] (table t)))"},
    {"SELECT * EXCLUDE (a, b) REPLACE (c + 1 AS c) FROM t",
     "(query _ (select _ [(star _ [a b] [(alias c (call:operator + [(column c) 1]))])] (table t)))"},
    {"SELECT * EXCLUDE a REPLACE c + 1 AS c FROM t",
     "(query _ (select _ [(star _ [a] [(alias c (call:operator + [(column c) 1]))])] (table t)))"},
    {"SELECT * EXCEPT (a) FROM t", "(query _ (select _ [(star _ [a])] (table t)))"},
    {"SELECT * EXCEPT (SELECT 1)", "(query _ (set_operation except (select _ [(star)]) (select _ [1])))"},
    {"SELECT a, b, FROM t", "(query _ (select _ [(column a) (column b)] (table t)))"},
    {"SELECT DISTINCT a FROM t", "(query _ (select [] [(column a)] (table t)))"},
    {"SELECT DISTINCT ON (a, b) c FROM t", "(query _ (select [(column a) (column b)] [(column c)] (table t)))"},
    {"SELECT ALL a FROM t", "(query _ (select _ [(column a)] (table t)))"},
};

WR_TEST(sql_statement, select_lists) {
    CHECK_ALL(select_lists);
}

static const wr_sql_example relations[] = {
    {"FROM t", "(query _ (select _ [(star)] (table t)))"},
    {"FROM t SELECT a", "(query _ (select _ [(column a)] (table t)))"},
    {"FROM t SELECT DISTINCT a WHERE b", "(query _ (select [] [(column a)] (table t) (column b)))"},
    {"FROM 'x/*.parquet'", "(query _ (select _ [(star)] (file x/*.parquet)))"},
    {"FROM s.t", "(query _ (select _ [(star)] (table s t)))"},
    {"FROM a, b, c", "(query _ (select _ [(star)] (join cross (join cross (table a) (table b)) (table c))))"},
    {"FROM a AS x, b y",
     "(query _ (select _ [(star)] (join cross (relation_alias x (table a)) (relation_alias y (table b)))))"},
    {"FROM x: a", "(query _ (select _ [(star)] (relation_alias x (table a))))"},
    {"FROM t AS x(a, b)", "(query _ (select _ [(star)] (relation_alias x (table t) [a b])))"},
    {"FROM (SELECT 1)", "(query _ (select _ [(star)] (derived (query _ (select _ [1])))))"},
    {"FROM (SELECT 1) AS t(a)",
     "(query _ (select _ [(star)] (relation_alias t (derived (query _ (select _ [1]))) [a])))"},
    {"FROM (VALUES (1, 'a'), (2, 'b'),) t(x, y)",
     "(query _ (select _ [(star)] (relation_alias t (derived (query _ (values [1 'a'] [2 'b']))) [x y])))"},
    {"FROM VALUES (1) t", "(query _ (select _ [(star)] (relation_alias t (derived (query _ (values [1]))))))"},
    {"FROM (a JOIN b USING (x))", "(query _ (select _ [(star)] (join inner (table a) (table b) _ [x])))"},
    {"FROM ((SELECT 1) UNION ALL (SELECT 2)) t",
     "(query _ (select _ [(star)] (relation_alias t (derived (query _ (set_operation:all union (select _ [1]) "
     "(select _ [2])))))))"},
    {"FROM range(10) r(i)", "(query _ (select _ [(star)] (relation_alias r (table_function range 10) [i])))"},
    {"FROM read_csv('x.csv', header = true, sep := ';')",
     "(query _ (select _ [(star)] (table_function read_csv 'x.csv' (alias header true) (alias sep ';'))))"},
    {"FROM unnest([1, 2]) AS u(x)",
     "(query _ (select _ [(star)] (relation_alias u (table_function unnest (list:literal 1 2)) [x])))"},
    {"FROM t, LATERAL (SELECT t.a) l",
     "(query _ (select _ [(star)] (join cross (table t) (relation_alias l (derived:lateral (query _ (select _ "
     "[(column t a)])))))))"},
    {"FROM t, LATERAL unnest(t.l)",
     "(query _ (select _ [(star)] (join cross (table t) (table_function unnest (column t l)))))"},
};

WR_TEST(sql_statement, relations) {
    CHECK_ALL(relations);
}

static const wr_sql_example joins[] = {
    {"FROM a JOIN b ON a.x = b.x",
     "(query _ (select _ [(star)] (join inner (table a) (table b) (call:operator = [(column a x) (column b x)]))))"},
    {"FROM a INNER JOIN b USING (x, y)", "(query _ (select _ [(star)] (join inner (table a) (table b) _ [x y])))"},
    {"FROM a LEFT JOIN b ON true RIGHT OUTER JOIN c ON true FULL JOIN d ON true",
     "(query _ (select _ [(star)] (join full (join right (join left (table a) (table b) true) (table c) true) "
     "(table d) true)))"},
    {"FROM a CROSS JOIN b", "(query _ (select _ [(star)] (join cross (table a) (table b))))"},
    {"FROM a NATURAL JOIN b", "(query _ (select _ [(star)] (join:natural inner (table a) (table b))))"},
    {"FROM a NATURAL LEFT JOIN b", "(query _ (select _ [(star)] (join:natural left (table a) (table b))))"},
    {"FROM a SEMI JOIN b USING (x)", "(query _ (select _ [(star)] (join semi (table a) (table b) _ [x])))"},
    {"FROM a ANTI JOIN b ON a.x = b.x",
     "(query _ (select _ [(star)] (join anti (table a) (table b) (call:operator = [(column a x) (column b x)]))))"},
    {"FROM a ASOF JOIN b ON a.t >= b.t",
     "(query _ (select _ [(star)] (join:asof inner (table a) (table b) (call:operator >= [(column a t) (column b "
     "t)]))))"},
    {"FROM a ASOF LEFT JOIN b USING (k, t)",
     "(query _ (select _ [(star)] (join:asof left (table a) (table b) _ [k t])))"},
    {"FROM a POSITIONAL JOIN b", "(query _ (select _ [(star)] (join positional (table a) (table b))))"},
    {"FROM a JOIN b JOIN c ON b.x = c.x ON a.x = b.x",
     "(query _ (select _ [(star)] (join inner (table a) (join inner (table b) (table c) (call:operator = [(column b "
     "x) (column c x)])) (call:operator = [(column a x) (column b x)]))))"},
    {"FROM a, b JOIN c ON true",
     "(query _ (select _ [(star)] (join cross (table a) (join inner (table b) (table c) true))))"},
};

WR_TEST(sql_statement, joins) {
    CHECK_ALL(joins);
}

static const wr_sql_example clauses[] = {
    {"SELECT a FROM t WHERE b GROUP BY c HAVING d WINDOW w AS (ORDER BY e), v AS (w ROWS 1 PRECEDING) QUALIFY f",
     "(query _ (select _ [(column a)] (table t) (column b) [(column c)] (column d) [(alias w (window _ [(order_key "
     "(column e))])) (alias v (window w _ _ (frame 'rows preceding current' 1)))] (column f)))"},
    {"SELECT a FROM t QUALIFY f WINDOW w AS ()",
     "(query _ (select _ [(column a)] (table t) _ _ _ [(alias w (window))] (column f)))"},
    {"SELECT a FROM t GROUP BY ALL", "(query _ (select _ [(column a)] (table t) _ (star)))"},
    {"SELECT a FROM t GROUP BY 1, b,", "(query _ (select _ [(column a)] (table t) _ [1 (column b)]))"},
    {"SELECT a FROM t GROUP BY ROLLUP (a, (b, c)), CUBE (d)",
     "(query _ (select _ [(column a)] (table t) _ [(call rollup [(column a) (call row [(column b) (column c)])]) "
     "(call cube [(column d)])]))"},
    {"SELECT a FROM t GROUP BY GROUPING SETS ((a, b), a, (), ROLLUP (c))",
     "(query _ (select _ [(column a)] (table t) _ [(call grouping_sets [(call row [(column a) (column b)]) (column "
     "a) (call row []) (call rollup [(column c)])])]))"},
    {"SELECT a FROM t GROUP BY ()", "(query _ (select _ [(column a)] (table t) _ [(call row [])]))"},
    {"SELECT a FROM t ORDER BY ALL DESC NULLS LAST",
     "(query _ (select _ [(column a)] (table t)) [(order_key:descending:nulls_last (star))])"},
    {"SELECT a FROM t ORDER BY a ASC, b DESC NULLS FIRST, c",
     "(query _ (select _ [(column a)] (table t)) [(order_key (column a)) (order_key:descending:nulls_first (column "
     "b)) (order_key (column c))])"},
    {"SELECT a FROM t LIMIT 10 OFFSET 5", "(query _ (select _ [(column a)] (table t)) _ 10 5)"},
    {"SELECT a FROM t OFFSET 5 ROWS FETCH FIRST 3 ROWS ONLY", "(query _ (select _ [(column a)] (table t)) _ 3 5)"},
    {"SELECT a FROM t FETCH NEXT ROW ONLY", "(query _ (select _ [(column a)] (table t)) _ 1)"},
    {"SELECT a FROM t LIMIT ALL", "(query _ (select _ [(column a)] (table t)))"},
};

WR_TEST(sql_statement, clauses) {
    CHECK_ALL(clauses);
}

static const wr_sql_example queries[] = {
    {"VALUES (1, 2), (3, 4)", "(query _ (values [1 2] [3 4]))"},
    {"TABLE t", "(query _ (select _ [(star)] (table t)))"},
    {"SELECT 1 UNION SELECT 2", "(query _ (set_operation union (select _ [1]) (select _ [2])))"},
    {"SELECT 1 UNION ALL SELECT 2 UNION SELECT 3",
     "(query _ (set_operation union (set_operation:all union (select _ [1]) (select _ [2])) (select _ [3])))"},
    {"SELECT 1 UNION SELECT 2 INTERSECT SELECT 3 EXCEPT ALL SELECT 4",
     "(query _ (set_operation:all except (set_operation union (select _ [1]) (set_operation intersect (select _ "
     "[2]) (select _ [3]))) (select _ [4])))"},
    {"SELECT 1 UNION ALL BY NAME SELECT 2",
     "(query _ (set_operation:all:by_name union (select _ [1]) (select _ [2])))"},
    {"SELECT 1 UNION (SELECT 2 ORDER BY 1) ORDER BY 1",
     "(query _ (set_operation union (select _ [1]) (query _ (select _ [2]) [(order_key 1)])) [(order_key 1)])"},
    {"(SELECT 1) UNION (SELECT 2) LIMIT 1", "(query _ (set_operation union (select _ [1]) (select _ [2])) _ 1)"},
    {"(SELECT 1)", "(query _ (select _ [1]))"},
    {"((SELECT 1 LIMIT 1)) LIMIT 2", "(query _ (query _ (select _ [1]) _ 1) _ 2)"},
    {"(SELECT 1 LIMIT 1)", "(query _ (select _ [1]) _ 1)"},
    {"WITH a AS (SELECT 1), b(x) AS MATERIALIZED (FROM a), c AS NOT MATERIALIZED (FROM b), FROM c",
     "(query [(cte a _ (query _ (select _ [1]))) (cte:materialized b [x] (query _ (select _ [(star)] (table a)))) "
     "(cte:not_materialized c _ (query _ (select _ [(star)] (table b))))] (select _ [(star)] (table c)))"},
    {"WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 2) SELECT * FROM r",
     "(query:recursive [(cte r _ (query _ (set_operation:all union (select _ [1]) (select _ [2]))))] (select _ "
     "[(star)] (table r)))"},
    {"WITH a AS (WITH b AS (SELECT 1) FROM b) (FROM a)",
     "(query [(cte a _ (query [(cte b _ (query _ (select _ [1])))] (select _ [(star)] (table b))))] (select _ "
     "[(star)] (table a)))"},
};

WR_TEST(sql_statement, queries) {
    CHECK_ALL(queries);
}

static const wr_sql_example others[] = {
    {"EXPLAIN SELECT 1", "(explain (query _ (select _ [1])))"},
    {"EXPLAIN ANALYZE FROM t", "(explain:analyze (query _ (select _ [(star)] (table t))))"},
    {"SET threads = 4", "(set threads 4)"},
    {"SET a.b TO 'x'", "(set a.b 'x')"},
    {"SET x = on", "(set x 'on')"},
    {"SET x = auto", "(set x 'auto')"},
    {"SET x = DEFAULT", "(set x)"},
    {"SET TIME ZONE 'UTC'", "(set timezone 'UTC')"},
    {"RESET threads", "(set threads)"},
    {"CREATE VIEW v AS SELECT 1", "(create_view v _ (query _ (select _ [1])))"},
    {"CREATE OR REPLACE TEMP VIEW v (a, b) AS SELECT 1",
     "(create_view:or_replace:temporary v [a b] (query _ (select _ [1])))"},
    {"CREATE VIEW IF NOT EXISTS v AS FROM t",
     "(create_view:if_not_exists v _ (query _ (select _ [(star)] (table t))))"},
    {"DROP VIEW v", "(drop_view v)"},
    {"DROP VIEW IF EXISTS \"V\"", "(drop_view:if_exists V)"},
};

WR_TEST(sql_statement, others) {
    CHECK_ALL(others);
}
