/* Expressions: what is written, and the nodes it becomes. */
#include "sql/sql_test.h"
#include "tests/unit/test.h"

/* Each stands alone behind SELECT. */
static void check_expressions(const wr_sql_example *examples, size_t count, int line) {
    for (size_t i = 0; i < count; i++) {
        wr_text sql, nodes;
        wr_text_init(&sql, wr_test_allocator());
        wr_text_init(&nodes, wr_test_allocator());
        wr_text_format(&sql, "SELECT %s", examples[i].sql);
        wr_text_format(&nodes, "(query _ (select _ [%s]))", examples[i].nodes);
        wr_sql_check_prints(__FILE__, line, sql.data, nodes.data);
        wr_text_deinit(&sql);
        wr_text_deinit(&nodes);
    }
}
#define CHECK_ALL(examples) check_expressions(examples, WR_COUNT_OF(examples), __LINE__)

static const wr_sql_example literals[] = {
    {"1", "1"},
    {"1_000", "1000"},
    {".5", ".5"},
    {"1e-3", "1e-3"},
    {"0x1F", "31"},
    {"0b101", "5"},
    {"0o17", "15"},
    {"-1", "-1"},
    {"- -1", "(call:operator - [-1])"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"+a", "(call:operator + [(column a)])"},
    {"~a", "(call:operator ~ [(column a)])"},
    {"'it''s'", "'it''s'"},
    {"E'a\\tb\\n\\x41\\u00e9\\'\\\\'", "'a\\x09b\\x0aAé''\\'"},
    {"$$it's$$", "'it''s'"},
    {"$tag$a $$ b$tag$", "'a $$ b'"},
    {"x'00fF'", "(typed BLOB '\\x00\\xfF')"},
    {"NULL", "null"},
    {"TRUE", "true"},
    {"a", "(column a)"},
    {"a.b.c", "(column a b c)"},
    {"\"A b\"", "(column \"A b\")"},
    {"\"a\"\"b\"", "(column \"a\"\"b\")"},
    {"größe", "(column größe)"},
    {"t.order", "(column t order)"},
    {"DATE '1998-12-01'", "(typed DATE '1998-12-01')"},
    {"TIMESTAMP WITH TIME ZONE '2020-01-01'", "(typed TIMESTAMPTZ '2020-01-01')"},
    {"double precision '1.5'", "(typed DOUBLE '1.5')"},
    {"INTERVAL '90' day", "(interval day '90')"},
    {"INTERVAL 3 MONTH", "(interval month 3)"},
    {"INTERVAL (x + 1) HOURS", "(interval hour (call:operator + [(column x) 1]))"},
    {"INTERVAL '1 year 2 days'", "(interval '1 year 2 days')"},
    {"interval", "(column interval)"},
};

WR_TEST(sql_expression, literals) {
    CHECK_ALL(literals);
}

static const wr_sql_example operators[] = {
    {"a + b * c", "(call:operator + [(column a) (call:operator * [(column b) (column c)])])"},
    {"(a + b) * c", "(call:operator * [(call:operator + [(column a) (column b)]) (column c)])"},
    {"a - b - c", "(call:operator - [(call:operator - [(column a) (column b)]) (column c)])"},
    {"a ^ b ^ c", "(call:operator ^ [(call:operator ^ [(column a) (column b)]) (column c)])"},
    {"2 ** 3", "(call:operator ^ [2 3])"},
    {"-a ^ b", "(call:operator ^ [(call:operator - [(column a)]) (column b)])"},
    {"-a::int", "(call:operator - [(cast INT (column a))])"},
    {"a // b % c", "(call:operator % [(call:operator // [(column a) (column b)]) (column c)])"},
    {"a || b || 'c'", "(call:operator || [(call:operator || [(column a) (column b)]) 'c'])"},
    {"a + b || c", "(call:operator || [(call:operator + [(column a) (column b)]) (column c)])"},
    {"a & b | c << 1",
     "(call:operator << [(call:operator | [(call:operator & [(column a) (column b)]) (column c)]) 1])"},
    {"a AND b AND c", "(and (column a) (column b) (column c))"},
    {"a OR b AND c OR d", "(or (column a) (and (column b) (column c)) (column d))"},
    {"a AND (b AND c)", "(and (column a) (column b) (column c))"},
    {"NOT a AND b", "(and (not (column a)) (column b))"},
    {"NOT a = b", "(not (call:operator = [(column a) (column b)]))"},
    {"NOT NOT a", "(not (not (column a)))"},
    {"a = b", "(call:operator = [(column a) (column b)])"},
    {"a <> b", "(call:operator <> [(column a) (column b)])"},
    {"a != b", "(call:operator <> [(column a) (column b)])"},
    {"a <= b + 1", "(call:operator <= [(column a) (call:operator + [(column b) 1])])"},
    {"a = NOT b", "(call:operator = [(column a) (not (column b))])"},
};

WR_TEST(sql_expression, operators) {
    CHECK_ALL(operators);
}

static const wr_sql_example predicates[] = {
    {"a IS NULL", "(is null (column a))"},
    {"a = b IS NOT NULL", "(is:negated null (call:operator = [(column a) (column b)]))"},
    {"a ISNULL", "(is null (column a))"},
    {"a NOTNULL", "(is:negated null (column a))"},
    {"a NOT NULL", "(is:negated null (column a))"},
    {"a IS TRUE", "(is true (column a))"},
    {"a IS NOT UNKNOWN", "(is:negated unknown (column a))"},
    {"a IS NOT DISTINCT FROM b + 1", "(is:negated distinct (column a) (call:operator + [(column b) 1]))"},
    {"a BETWEEN 1 AND 2 AND b", "(and (between (column a) 1 2) (column b))"},
    {"a NOT BETWEEN b + 1 AND c", "(between:negated (column a) (call:operator + [(column b) 1]) (column c))"},
    {"a IN (1, 2)", "(in (column a) [1 2])"},
    {"a NOT IN (1)", "(in:negated (column a) [1])"},
    {"a IN (SELECT 1)", "(in (column a) (query _ (select _ [1])))"},
    {"a IN ((SELECT 1) UNION (SELECT 2))",
     "(in (column a) (query _ (set_operation union (select _ [1]) (select _ [2]))))"},
    {"a IN ((SELECT 1), 2)", "(in (column a) [(scalar_query (query _ (select _ [1]))) 2])"},
    {"(a, b) IN ((1, 2))", "(in (call row [(column a) (column b)]) [(call row [1 2])])"},
    {"a IN list", "(in (column a) (column list))"},
    {"a IN [1, 2]", "(in (column a) (list:literal 1 2))"},
    {"a LIKE 'x%'", "(call:operator ~~ [(column a) 'x%'])"},
    {"a NOT LIKE 'x%' AND b", "(and (not (call:operator ~~ [(column a) 'x%'])) (column b))"},
    {"a LIKE 'x' ESCAPE '!'", "(call:operator ~~ [(column a) 'x' '!'])"},
    {"a ILIKE 'x'", "(call:operator ~~* [(column a) 'x'])"},
    {"a GLOB 'x*'", "(call:operator ~~~ [(column a) 'x*'])"},
    {"a SIMILAR TO 'x'", "(call similar_to [(column a) 'x'])"},
    {"a ~ 'x'", "(call:operator ~ [(column a) 'x'])"},
    {"a !~ 'x'", "(not (call:operator ~ [(column a) 'x']))"},
    {"a ^@ 'x'", "(call:operator ^@ [(column a) 'x'])"},
    {"a !~~* 'x'", "(not (call:operator ~~* [(column a) 'x']))"},
    {"a LIKE ANY (['x'])", "(quantified ~~ (column a) (list:literal 'x'))"},
    {"a = ANY (SELECT 1)", "(quantified = (column a) (query _ (select _ [1])))"},
    {"a < ALL (SELECT 1)", "(quantified:all < (column a) (query _ (select _ [1])))"},
    {"a = SOME (list)", "(quantified = (column a) (column list))"},
    {"EXISTS (SELECT 1)", "(exists (query _ (select _ [1])))"},
    {"NOT EXISTS (FROM t)", "(not (exists (query _ (select _ [(star)] (table t)))))"},
    {"(SELECT 1)", "(scalar_query (query _ (select _ [1])))"},
    {"((SELECT 1))", "(scalar_query (query _ (select _ [1])))"},
    {"((SELECT 1) UNION SELECT 2)", "(scalar_query (query _ (set_operation union (select _ [1]) (select _ [2]))))"},
    {"((SELECT 1) + 1)", "(call:operator + [(scalar_query (query _ (select _ [1]))) 1])"},
};

WR_TEST(sql_expression, predicates) {
    CHECK_ALL(predicates);
}

static const wr_sql_example conversions[] = {
    {"CASE WHEN a THEN 1 WHEN b THEN 2 END", "(case _ [(column a) 1 (column b) 2])"},
    {"CASE a WHEN 1 THEN 'x' ELSE 'y' END", "(case (column a) [1 'x'] 'y')"},
    {"CAST(a AS DECIMAL(15,2))", "(cast 'DECIMAL(15,2)' (column a))"},
    {"TRY_CAST(a AS int)", "(cast:try INT (column a))"},
    {"a::int[]::varchar", "(cast VARCHAR (cast 'INT[]' (column a)))"},
    {"a::double precision", "(cast DOUBLE (column a))"},
    {"a::timestamp(3) with time zone", "(cast 'TIMESTAMPTZ(3)' (column a))"},
    {"a::time without time zone", "(cast TIME (column a))"},
    {"a::character varying(10)", "(cast 'VARCHAR(10)' (column a))"},
    {"a::struct(x int, \"Y z\" map(varchar, int[3]))[]",
     "(cast 'STRUCT(x INT, \"Y z\" MAP(VARCHAR, INT[3]))[]' (column a))"},
};

WR_TEST(sql_expression, conversions) {
    CHECK_ALL(conversions);
}

static const wr_sql_example suffixes[] = {
    {"a[1]", "(call:operator '[]' [(column a) 1])"},
    {"a[1][2]", "(call:operator '[]' [(call:operator '[]' [(column a) 1]) 2])"},
    {"a[1:2]", "(slice (column a) 1 2)"},
    {"a[:2]", "(slice (column a) _ 2)"},
    {"a[1:]", "(slice (column a) 1)"},
    {"a[:]", "(slice (column a))"},
    {"a[1:2:3]", "(slice (column a) 1 2 3)"},
    {"(a).b", "(field b (column a))"},
    {"f(a).b.\"C\"", "(field:quoted C (field b (call f [(column a)])))"},
    {"a[1].b", "(field b (call:operator '[]' [(column a) 1]))"},
    {"s.upper()", "(call upper [(column s)])"},
    {"t.s.substr(1, 2).upper()", "(call upper [(call substr [(column t s) 1 2])])"},
    {"'abc'.upper()", "(call upper ['abc'])"},
    {"[1, 2].list_sum()", "(call list_sum [(list:literal 1 2)])"},
    {"x AT TIME ZONE 'UTC'", "(call timezone ['UTC' (column x)])"},
    {"x COLLATE nocase", "(call collate [(column x) 'nocase'])"},
};

WR_TEST(sql_expression, suffixes) {
    CHECK_ALL(suffixes);
}

static const wr_sql_example calls[] = {
    {"count(*)", "(call count [(star)])"},
    {"COUNT(t.*)", "(call count [(star (column t))])"},
    {"COUNT(DISTINCT x)", "(call:distinct count [(column x)])"},
    {"sum(ALL x)", "(call sum [(column x)])"},
    {"sum(x) FILTER (WHERE x > 1)", "(call sum [(column x)] (call:operator > [(column x) 1]))"},
    {"sum(x) FILTER (x > 1)", "(call sum [(column x)] (call:operator > [(column x) 1]))"},
    {"string_agg(x, ',' ORDER BY y DESC, z NULLS FIRST)",
     "(call string_agg [(column x) ','] _ [(order_key:descending (column y)) (order_key:nulls_first (column z))])"},
    {"percentile_cont(0.5) WITHIN GROUP (ORDER BY x)",
     "(call:within_group percentile_cont [0.5] _ [(order_key (column x))])"},
    {"last_value(x IGNORE NULLS) OVER w", "(call:ignore_nulls last_value [(column x)] _ _ (window w))"},
    {"first_value(x) RESPECT NULLS OVER ()", "(call first_value [(column x)] _ _ (window))"},
    {"rank() OVER (PARTITION BY a, b ORDER BY c)",
     "(call rank [] _ _ (window [(column a) (column b)] [(order_key (column c))]))"},
    {"sum(x) OVER (w ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)",
     "(call sum [(column x)] _ _ (window w _ _ (frame 'rows preceding current' 1)))"},
    {"sum(x) OVER (ROWS UNBOUNDED PRECEDING)",
     "(call sum [(column x)] _ _ (window _ _ (frame 'rows unbounded current')))"},
    {"sum(x) OVER (ORDER BY d RANGE BETWEEN INTERVAL 1 DAY PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE TIES)",
     "(call sum [(column x)] _ _ (window _ [(order_key (column d))] (frame 'range preceding unbounded exclude_ties' "
     "(interval day 1))))"},
    {"sum(x) OVER (ORDER BY d GROUPS BETWEEN 2 FOLLOWING AND 3 FOLLOWING EXCLUDE CURRENT ROW)",
     "(call sum [(column x)] _ _ (window _ [(order_key (column d))] (frame 'groups following following "
     "exclude_current' 2 3)))"},
    {"sum(x) OVER (ROWS CURRENT ROW EXCLUDE NO OTHERS)",
     "(call sum [(column x)] _ _ (window _ _ (frame 'rows current current')))"},
};

WR_TEST(sql_expression, calls) {
    CHECK_ALL(calls);
}

static const wr_sql_example functions[] = {
    {"EXTRACT(year FROM d)", "(call date_part ['year' (column d)])"},
    {"EXTRACT('DOW' FROM d)", "(call date_part ['DOW' (column d)])"},
    {"SUBSTRING(x FROM 2 FOR 3)", "(call substring [(column x) 2 3])"},
    {"SUBSTRING(x FOR 3)", "(call substring [(column x) 1 3])"},
    {"substring(x, 2)", "(call substring [(column x) 2])"},
    {"TRIM(x)", "(call trim [(column x)])"},
    {"TRIM(BOTH ' ' FROM x)", "(call trim [(column x) ' '])"},
    {"TRIM(LEADING FROM x)", "(call ltrim [(column x)])"},
    {"TRIM(TRAILING 'a' FROM x)", "(call rtrim [(column x) 'a'])"},
    {"trim(x, 'a')", "(call trim [(column x) 'a'])"},
    {"POSITION('a' IN x)", "(call strpos [(column x) 'a'])"},
    {"OVERLAY(x PLACING 'y' FROM 1 FOR 2)", "(call overlay [(column x) 'y' 1 2])"},
    {"CURRENT_DATE", "(call current_date [])"},
    {"current_timestamp", "(call current_timestamp [])"},
    {"left('abc', 2)", "(call left ['abc' 2])"},
    {"\"Left\"('abc')", "(call Left ['abc'])"},
    {"if(a, b, c)", "(call if [(column a) (column b) (column c)])"},
    {"max(x, 3)", "(call max [(column x) 3])"},
};

WR_TEST(sql_expression, functions) {
    CHECK_ALL(functions);
}

static const wr_sql_example composites[] = {
    {"[]", "(list:literal)"},
    {"[1, 2,]", "(list:literal 1 2)"},
    {"ARRAY[1]", "(list:literal 1)"},
    {"[[1], [2]]", "(list:literal (list:literal 1) (list:literal 2))"},
    {"(a, b)", "(call row [(column a) (column b)])"},
    {"ROW(1, 2)", "(call row [1 2])"},
    {"{'a': 1, b: {\"C\": 2}}", "(call struct_pack [(alias a 1) (alias b (call struct_pack [(alias C 2)]))])"},
    {"MAP {'k': 1, 'l': 2}", "(call map [(list:literal 'k' 'l') (list:literal 1 2)])"},
    {"MAP {}", "(call map [(list:literal) (list:literal)])"},
    {"list_transform(l, x -> x + 1)",
     "(call list_transform [(column l) (lambda [x] (call:operator + [(column x) 1]))])"},
    {"list_reduce(l, (x, y) -> x + y)",
     "(call list_reduce [(column l) (lambda [x y] (call:operator + [(column x) (column y)]))])"},
    {"list_filter(l, lambda x: x > 1)",
     "(call list_filter [(column l) (lambda [x] (call:operator > [(column x) 1]))])"},
    {"f(lambda x, y: x)", "(call f [(lambda [x y] (column x))])"},
    {"f(lambda, x)", "(call f [(column lambda) (column x)])"},
    {"f(a := 1, b => 2)", "(call f [(alias a 1) (alias b 2)])"},
    {"[x + 1 FOR x IN l]", "(call list_transform [(column l) (lambda [x] (call:operator + [(column x) 1]))])"},
    {"[x FOR x IN l IF x > 1]",
     "(call list_transform [(call list_filter [(column l) (lambda [x] (call:operator > [(column x) 1]))]) (lambda "
     "[x] (column x))])"},
    {"[x + i FOR x, i IN l]",
     "(call list_transform [(column l) (lambda [x i] (call:operator + [(column x) (column i)]))])"},
    {"COLUMNS('a.*')", "(call columns ['a.*'])"},
    {"COLUMNS(* EXCLUDE (a))", "(call columns [(star _ [a])])"},
    {"COLUMNS(c -> c LIKE 'a%') + 1",
     "(call:operator + [(call columns [(lambda [c] (call:operator ~~ [(column c) 'a%']))]) 1])"},
    {"?", "(parameter 1)"},
    {"$1", "(parameter 1)"},
    {"$name", "(parameter name)"},
    {"a -> 'b' ->> 'c'", "(call:operator ->> [(call:operator -> [(column a) 'b']) 'c'])"},
    {"f(j -> 'a')", "(call f [(lambda [j] 'a')])"},
};

WR_TEST(sql_expression, composites) {
    CHECK_ALL(composites);
}
