/* Errors: the exact message, the hint behind the bar, the position behind the @. */
#include "sql/sql_test.h"
#include "tests/unit/test.h"

static void check_failures(const wr_sql_example *examples, size_t count, wr_status code, int line) {
    for (size_t i = 0; i < count; i++) {
        wr_sql_check_fails(__FILE__, line, examples[i].sql, code, examples[i].nodes);
    }
}
#define CHECK_ALL(examples, code) check_failures(examples, WR_COUNT_OF(examples), code, __LINE__)

static const wr_sql_example common_slips[] = {
    {"SELCT 1", "unexpected \"SELCT\", expected a statement such as SELECT | did you mean SELECT? @0"},
    {"SELECT a FRM t",
     "unexpected \"t\", expected a comma, FROM or the end of the statement | did you mean FROM instead of \"FRM\"? "
     "@13"},
    {"SELECT a FORM t",
     "unexpected \"t\", expected a comma, FROM or the end of the statement | did you mean FROM instead of \"FORM\"? "
     "@14"},
    {"SELECT a b c FROM t",
     "unexpected \"c\", expected a comma, FROM or the end of the statement | is a comma missing in front of \"c\"? "
     "@11"},
    {"SELECT a, b c d FROM t",
     "unexpected \"d\", expected a comma, FROM or the end of the statement | is a comma missing in front of \"d\"? "
     "@14"},
    {"SELECT f(a b)", "unexpected \"b\", expected a comma or \")\" | is a comma missing in front of \"b\"? @11"},
    {"SELECT [1 2]", "unexpected \"2\", expected a comma or \"]\" | is a comma missing in front of \"2\"? @10"},
    {"SELECT a FROM t WHER b = 1",
     "unexpected \"b\", expected a comma, JOIN, WHERE, GROUP BY, ORDER BY or the end of the statement | did you "
     "mean WHERE instead of \"WHER\"? @21"},
    {"SELECT a FROM t WHERE b == 1",
     "unexpected \"==\", expected an operator, GROUP BY, ORDER BY, LIMIT or the end of the statement | to compare, "
     "write = instead of == @24"},
    {"SELECT a FROM t GRUP BY a",
     "unexpected \"BY\", expected a comma, JOIN, WHERE, GROUP BY, ORDER BY or the end of the statement | did you "
     "mean GROUP instead of \"GRUP\"? @21"},
    {"SELECT a FROM t ODER BY a",
     "unexpected \"BY\", expected a comma, JOIN, WHERE, GROUP BY, ORDER BY or the end of the statement | did you "
     "mean ORDER instead of \"ODER\"? @21"},
    {"SELECT a FROM t WHERE x = 1 ORDR BY a",
     "unexpected \"ORDR\", expected an operator, GROUP BY, ORDER BY, LIMIT or the end of the statement | did you "
     "mean ORDER? @28"},
    {"SELECT order FROM t",
     "unexpected \"order\", expected an expression | ORDER is a keyword; as a name it is written in double quotes: "
     "\"order\" @7"},
    {"SELECT a FROM order",
     "unexpected \"order\", expected a table name, a file in single quotes or a query in parentheses | ORDER is a "
     "keyword; as a name it is written in double quotes: \"order\" @14"},
    {"SELECT a, group FROM t",
     "unexpected \"group\", expected an expression | GROUP is a keyword; as a name it is written in double quotes: "
     "\"group\" @10"},
    {"SELECT (1 + 2",
     "unexpected end of the statement, expected a comma or \")\" | the \"(\" in line 1, column 8 is not closed @13"},
    {"SELECT f(1, (2 + 3)",
     "unexpected end of the statement, expected a comma or \")\" | the \"(\" in line 1, column 9 is not closed @19"},
    {"SELECT 1)",
     "unexpected \")\", expected a comma, FROM or the end of the statement | nothing is open that this \")\" could "
     "close @8"},
    {"SELECT a FROM (SELECT b FROM t",
     "unexpected end of the statement, expected a comma, JOIN, WHERE, GROUP BY, ORDER BY or \")\" | the \"(\" in "
     "line 1, column 15 is not closed @30"},
    {"SELECT a < b < c",
     "unexpected \"<\", expected AND, OR or the end of the expression | comparisons do not chain; write a < b AND b "
     "< c @13"},
    {"SELECT a IN (1 2)", "unexpected \"2\", expected a comma or \")\" | is a comma missing in front of \"2\"? @15"},
    {"SELECT a := 1",
     "unexpected \":=\", expected a comma, FROM or the end of the statement | arguments have names in calls alone: "
     "f(name := value) @9"},
    {"SELECT rank() OVER (ROWS BETWEEN CURRENT ROW AND 1 PRECEDING)",
     "the frame ends before it starts | write the earlier bound first; one bound alone ends at the current row @20"},
    {"SELECT a AS FROM t",
     "unexpected \"t\", expected a comma, FROM or the end of the statement | is the name behind AS missing? FROM "
     "was taken for it @17"},
    {")", "unexpected \")\", expected a statement such as SELECT | nothing is open that this \")\" could close @0"},
    {"SELECT a[1", "unexpected end of the statement, expected \"]\" | the \"[\" in line 1, column 9 is not closed @10"},
    {"SELECT a FROM t u v",
     "unexpected \"v\", expected a comma, JOIN, WHERE, GROUP BY, ORDER BY or the end of the statement | is a comma "
     "missing in front of \"v\"? @18"},
    {"SELECT a FROM t WHERE a = 1 b = 2",
     "unexpected \"b\", expected an operator, GROUP BY, ORDER BY, LIMIT or the end of the statement | is AND or "
     "another operator missing in front of \"b\"? @28"},
    {"SELECT a FROM t GROUP BY GROUPING SETS (a",
     "unexpected end of the statement, expected \")\" | the \"(\" in line 1, column 40 is not closed @41"},
};

WR_TEST(sql_errors, common_slips) {
    CHECK_ALL(common_slips, WR_INVALID);
}

static const wr_sql_example quotes_and_characters[] = {
    {"SELECT 'abc", "the text that starts here has no end | close it with '; inside it, ' is written '' @7"},
    {"SELECT a FROM t WHERE b = 'it's'",
     "the text that starts here has no end | close it with '; inside it, ' is written '' @31"},
    {"SELECT \"abc",
     "the quoted name that starts here has no end | close it with \"; inside it, \" is written \"\" @7"},
    {"SELECT $$abc", "the text that starts here has no end | close it with $$ @7"},
    {"SELECT $tag$abc", "the text that starts here has no end | close it with $tag$ @7"},
    {"SELECT 1 /* abc", "the comment that starts here has no end | close it with */ @9"},
    {"SELECT E'\\xzz'", "a backslash and what follows it are no character here, expected \\xFF @9"},
    {"SELECT x'0'", "a blob literal has an odd number of digits | each byte takes two: x'0a' @7"},
    {"SELECT x'0g'", "a blob literal holds hexadecimal digits alone @10"},
    {"SELECT 12abc",
     "\"12abc\" is not a number | put a blank behind the number, or write a name that starts with a digit in double "
     "quotes @7"},
    {"SELECT 1__0",
     "\"1__0\" is not a number | put a blank behind the number, or write a name that starts with a digit in double "
     "quotes @7"},
    {"SELECT a FROM t WHERE d > DATE \"1998-12-01\"",
     "unexpected \"1998-12-01\", expected a text in single quotes | double quotes are for names; write '1998-12-01' "
     "@31"},
    {"SELECT INTERVAL \"3 days\"",
     "unexpected \"3 days\", expected a text in single quotes | double quotes are for names; write '3 days' @16"},
    {"SELECT !a", "unexpected character \"!\" | to negate, write NOT @7"},
    {"SELECT `a`", "unexpected character \"`\" | write names in double quotes @7"},
    {"SELECT ‘a’", "unexpected typographic quote | write text in ' and names in \" @7"},
    {"SELECT a # b", "unexpected character \"#\" | a comment starts with -- @9"},
    {"SELECT $", "unexpected \"$\" | a parameter is $1 or $name, a text $$text$$ @7"},
    {"SELECT ?, $1", "parameters written ? and written $ cannot be mixed | number them all: $1, $2 @10"},
    {"SELECT \"\"", "a name in quotes cannot be empty @7"},
    {"SELECT x.5y",
     "\".5y\" is not a number | put a blank behind the number, or write a name that starts with a digit in double "
     "quotes @8"},
    {"SELECT a FROM 't.parquet",
     "the text that starts here has no end | close it with '; inside it, ' is written '' @14"},
};

WR_TEST(sql_errors, quotes_and_characters) {
    CHECK_ALL(quotes_and_characters, WR_INVALID);
}

static const wr_sql_example expectations[] = {
    {"SELECT", "unexpected end of the statement, expected an expression @6"},
    {"SELECT a FROM t WHERE", "unexpected end of the statement, expected an expression @21"},
    {"SELECT a FROM WHERE b",
     "unexpected \"WHERE\", expected a table name, a file in single quotes or a query in parentheses @14"},
    {"SELECT INTERVAL 3", "unexpected end of the statement, expected a unit of time such as DAY @17"},
    {"SELECT INTERVAL 3 FORTNIGHTS", "unexpected \"FORTNIGHTS\", expected a unit of time such as DAY @18"},
    {"SELECT a LIKE", "unexpected end of the statement, expected an expression @13"},
    {"SELECT a BETWEEN 1 OR 2", "unexpected \"OR\", expected AND @19"},
    {"SELECT CASE WHEN a THEN b", "unexpected end of the statement, expected WHEN, ELSE or END @25"},
    {"SELECT CASE a END", "unexpected \"END\", expected WHEN @14"},
    {"SELECT CASE WHEN a b END", "unexpected \"b\", expected THEN @19"},
    {"SELECT CAST(a TO int)", "unexpected \"TO\", expected AS @14"},
    {"SELECT CAST(a AS 5)", "unexpected \"5\", expected a type @17"},
    {"SELECT a IN ()", "unexpected \")\", expected an expression @13"},
    {"SELECT a IS 5", "unexpected \"5\", expected NULL, NOT NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM @12"},
    {"SELECT a NOT 5", "unexpected \"NOT\", expected a comma, FROM or the end of the statement @9"},
    {"SELECT f(x := )", "unexpected \")\", expected an expression @14"},
    {"SELECT t.* FROM t WHERE t.* = 1", "unexpected \"*\", expected a name behind the dot @26"},
    {"SELECT a FROM t JOIN u", "unexpected end of the statement, expected ON or USING @22"},
    {"SELECT a FROM t JOIN u WHERE true", "unexpected \"WHERE\", expected ON or USING @23"},
    {"SELECT a FROM t LEFT u ON true",
     "unexpected \"LEFT\", expected a comma, JOIN, WHERE, GROUP BY, ORDER BY or the end of the statement @16"},
    {"SELECT a FROM t NATURAL CROSS JOIN u",
     "unexpected \"NATURAL\", expected a comma, JOIN, WHERE, GROUP BY, ORDER BY or the end of the statement @16"},
    {"SELECT a FROM t GROUP a", "unexpected \"a\", expected BY @22"},
    {"SELECT a FROM t ORDER a", "unexpected \"a\", expected BY @22"},
    {"SELECT a FROM t ORDER BY a NULLS", "unexpected end of the statement, expected FIRST or LAST @32"},
    {"SELECT a FROM t LIMIT 1 LIMIT 2", "unexpected \"LIMIT\", expected the end of the statement @24"},
    {"SELECT a FROM t FETCH 1", "unexpected \"1\", expected FIRST or NEXT @22"},
    {"SELECT rank() OVER (ORDER x)", "unexpected \"x\", expected BY @26"},
    {"SELECT rank() OVER (ROWS 1)", "unexpected \")\", expected PRECEDING or FOLLOWING @26"},
    {"SELECT a FROM t AS", "unexpected end of the statement, expected a name for the table @18"},
    {"WITH a AS SELECT 1 FROM a", "unexpected \"SELECT\", expected \"(\" @10"},
    {"WITH a AS (SELECT 1)", "unexpected end of the statement, expected a query @20"},
    {"SELECT 1 UNION", "unexpected end of the statement, expected a query @14"},
    {"SELECT 1 UNION 2", "unexpected \"2\", expected a query @15"},
    {"VALUES 1", "unexpected \"1\", expected \"(\" @7"},
    {"SET", "unexpected end of the statement, expected the name of a setting @3"},
    {"SET x 5", "unexpected \"5\", expected = or TO @6"},
    {"SET x =", "unexpected end of the statement, expected an expression @7"},
    {"CREATE VIEW AS SELECT 1", "unexpected \"AS\", expected the name of a view @12"},
    {"CREATE VIEW v SELECT 1", "unexpected \"SELECT\", expected AS @14"},
    {"FOO BAR", "unexpected \"FOO\", expected a statement such as SELECT @0"},
    {"1 + 1", "unexpected \"1\", expected a statement such as SELECT @0"},
    {"SELECT {a 1}", "unexpected \"1\", expected \":\" @10"},
    {"SELECT {}", "unexpected \"}\", expected the name of a field @8"},
    {"SELECT a,, b FROM t", "unexpected \",\", expected an expression @9"},
    {"SELECT , a FROM t", "unexpected \",\", expected an expression @7"},
};

WR_TEST(sql_errors, expectations) {
    CHECK_ALL(expectations, WR_INVALID);
}

static const wr_sql_example refused_by_name[] = {
    {"SELECT a FROM t LIMIT 10%", "LIMIT with a percentage is not supported @22"},
    {"INSERT INTO t VALUES (1)", "INSERT is not supported @0"},
    {"CREATE TABLE t (a int)", "CREATE TABLE is not supported @0"},
    {"CREATE OR REPLACE TEMP TABLE t AS SELECT 1", "CREATE TABLE is not supported @0"},
    {"DROP TABLE t", "DROP TABLE is not supported @0"},
    {"COPY t TO 'x'", "COPY is not supported @0"},
    {"PIVOT t ON a", "PIVOT is not supported @0"},
    {"FROM t PIVOT (sum(a) FOR b IN (1))", "PIVOT is not supported @7"},
    {"FROM t TABLESAMPLE 10", "TABLESAMPLE is not supported @7"},
    {"FROM t USING SAMPLE 10", "USING SAMPLE is not supported @7"},
    {"DESCRIBE t", "DESCRIBE is not supported @0"},
    {"BEGIN", "BEGIN is not supported @0"},
    {"SELECT * RENAME (a AS b) FROM t", "RENAME behind a star is not supported @9"},
    {"SELECT ARRAY(SELECT 1)", "ARRAY of a query is not supported @7"},
};

WR_TEST(sql_errors, refused_by_name) {
    CHECK_ALL(refused_by_name, WR_UNSUPPORTED);
}
