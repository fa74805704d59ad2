#!/usr/bin/env python3
"""Functions against DuckDB: every expression of cases.txt over a grid of values, row by row, in both.

    tests/diff/functions.py [--weir build/dev/weir] [--grep TEXT] [--types]

Needs the Python module duckdb. A line of cases.txt is a list of types for the columns a, b, c and an expression:

    INTEGER, INTEGER: a + b

Values must agree exactly but for floats (1e-9 relative); where one raises an error the other must, too. A line that begins
with "!" is a known difference, with the reason behind "#": it must differ. --types compares the types of results as well.
The last line is "N passed, N failed".
"""
import argparse
import itertools
import math
import os
import re
import subprocess
import sys

import duckdb

HERE = os.path.dirname(os.path.abspath(__file__))
GRID = {
    "BOOLEAN": ["true", "false", None],
    "TINYINT": ["0", "1", "-1", "7", "127", "-128", None],
    "SMALLINT": ["0", "1", "-3", "32767", "-32768", None],
    "INTEGER": ["0", "1", "-1", "2", "10", "-7", "2147483647", "-2147483648", None],
    "BIGINT": ["0", "1", "-1", "3", "100", "9223372036854775807", "-9223372036854775808", None],
    "HUGEINT": ["0", "-5", "123456789012345678901234567890", None],
    "UTINYINT": ["0", "3", "255", None],
    "UINTEGER": ["0", "5", "4294967295", None],
    "UBIGINT": ["0", "9", "18446744073709551615", None],
    "FLOAT": ["0", "1.5", "-2.25", "1e30", "nan", "inf", None],
    "DOUBLE": ["0", "-0.0", "1", "-1.5", "2.5", "3.7", "1e300", "1e-300", "123456.789", "nan", "inf", "-inf", None],
    "DECIMAL(5,2)": ["0", "1.05", "-1.55", "999.99", "-999.99", None],
    "DECIMAL(15,2)": ["0", "0.07", "-12345.67", "9999999999999.99", None],
    "DECIMAL(18,4)": ["0", "1.2345", "-99999999999999.9999", None],
    "DECIMAL(38,10)": ["0", "1.5", "-1234567890123456789.0123456789", None],
    "VARCHAR": ["", "a", "abc", "hello world", "Ünïcödé", "  pad  ", "a%b_c", "A long text, of more than a few words",
                "12", "-1.5", None],
    "NUMBER_TEXT": ["1", " 12 ", "-1.5", "1e3", "1_000", "abc", "", "0x1f", "99999999999999999999", "1.", ".5", "+7",
                    "1e-3", "nan", "inf", "1e400", None],
    "DATE_TEXT": ["2020-01-31", "2020/1/5", " 1999-12-31 ", "2020-02-30", "2020-13-01", "0044-03-15 (BC)", "x", "",
                  "2020-01-01 10:00:00", "infinity", None],
    "TIMESTAMP_TEXT": ["2020-01-31 10:11:12", "2020-01-31T10:11:12.123456Z", "2020-01-31 10:11", "2020-01-31",
                       "2020-01-31 25:00:00", "2020-01-31 10:11:12+02", "2020-01-31 10:11:12.5-03:30", "x", None],
    "INTERVAL_TEXT": ["1 day", "2 years 3 months", "-5 hours", "01:02:03.5", "1.5 days", "1 month ago", "x", "3", None],
    "BOOL_TEXT": ["true", "f", "YES", "0", "on", "", None],
    "PATTERN": ["", "%", "a%", "%c", "%b%", "_", "a_c", "%l%o%", "%ö%", "_%_", "a%b_c", None],
    "REGEX": ["", "a", "^a", "c$", "[a-c]+", "(l+)(o)", "\\\\w+", "o w", None],
    "SMALL": ["-3", "-1", "0", "1", "2", "5", "100", None],
    "DATE": ["1970-01-01", "2020-01-31", "2020-02-29", "1999-12-31", "0001-01-01", "2021-01-03", "9999-12-31", None],
    "TIME": ["00:00:00", "10:11:12.5", "23:59:59.999999", None],
    "TIMESTAMP": ["1970-01-01 00:00:00", "2020-02-29 23:59:59.999999", "1969-12-31 23:59:59.5", "2021-01-03 10:11:12",
                  "1582-10-15 01:02:03", None],
    "INTERVAL": ["0 days", "1 month", "-1 day", "1 year 2 months 3 days 04:05:06.7", "40 days", "-25:00:00", None],
    "PART": ["year", "month", "day", "hour", "minute", "second"],
}
STORED = {"NUMBER_TEXT": "VARCHAR", "DATE_TEXT": "VARCHAR", "TIMESTAMP_TEXT": "VARCHAR", "INTERVAL_TEXT": "VARCHAR",
          "BOOL_TEXT": "VARCHAR", "PATTERN": "VARCHAR", "REGEX": "VARCHAR", "SMALL": "INTEGER", "PART": "VARCHAR"}
ROWS_MAX = 150


def quote(value):
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def source(types, rows):
    values = ", ".join("(" + ", ".join([str(i)] + [f"CAST({quote(v)} AS VARCHAR)" for v in row]) + ")"
                       for i, row in enumerate(rows))
    names = "abc"[:len(types)]
    casts = ", ".join(f"CAST({n} AS {STORED.get(t, t)}) AS {n}" for n, t in zip(names, types))
    return f"(SELECT i, {casts} FROM (VALUES {values}) v(i, {', '.join(names)})) t"


def query(types, rows, expression):
    return f"SELECT CAST(({expression}) AS VARCHAR) AS r FROM {source(types, rows)} ORDER BY i"


class Duck:
    def __init__(self):
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")

    def run(self, types, rows, expression):
        """One result a row: a text, None, or an Exception."""
        try:
            return [r[0] for r in self.connection.execute(query(types, rows, expression)).fetchall()]
        except Exception as error:
            if len(rows) == 1:
                return [error]
        half = len(rows) // 2
        return self.run(types, rows[:half], expression) + self.run(types, rows[half:], expression)

    def type(self, types, row, expression):
        sql = f"SELECT typeof({expression}) FROM {source(types, [row])}"
        return self.connection.execute(sql).fetchone()[0]


class Weir:
    def __init__(self, path):
        self.path = path

    def execute(self, sql):
        done = subprocess.run([self.path, "--mode", "csv", "--no-header", "--threads", "1"], input=sql + ";", text=True,
                              capture_output=True, timeout=60)
        if done.returncode < 0:
            raise SystemExit(f"weir died with signal {-done.returncode} on: {sql}\n{done.stderr}")
        if done.returncode:
            raise ValueError(done.stderr.strip().splitlines()[0] if done.stderr else "?")
        return done.stdout

    def run(self, types, rows, expression):
        try:
            lines = self.execute(query(types, rows, expression)).split("\n")[:-1]
            if len(lines) != len(rows):
                raise SystemExit(f"{len(lines)} lines for {len(rows)} rows: {expression}")
            return [None if line == "" else line[1:-1].replace('""', '"') if line[0] == '"' else line for line in lines]
        except ValueError as error:
            if len(rows) == 1:
                return [error]
        half = len(rows) // 2
        return self.run(types, rows[:half], expression) + self.run(types, rows[half:], expression)

    def type(self, types, row, expression):
        return self.execute(f"SELECT typeof({expression}) FROM {source(types, [row])}").strip().strip('"')


NUMBER = re.compile(r"^-?(\d+(\.\d*)?(e[+-]?\d+)?|nan|inf)$", re.I)


def agrees(ours, theirs):
    if isinstance(ours, Exception) or isinstance(theirs, Exception):
        return isinstance(ours, Exception) and isinstance(theirs, Exception)
    if ours is None or theirs is None or ours == theirs:
        return ours == theirs
    if not NUMBER.match(ours) or not NUMBER.match(theirs.replace("-nan", "nan")):
        return False
    x, y = float(ours), float(theirs.replace("-nan", "nan"))
    if math.isnan(x) or math.isnan(y):
        return math.isnan(x) and math.isnan(y)
    if "e" not in ours + theirs and "." not in ours + theirs:
        return False
    return x == y or (math.isfinite(x) and math.isfinite(y) and abs(x - y) <= 1e-9 * max(abs(x), abs(y)))


def grid(types):
    rows = list(itertools.product(*(GRID[t] for t in types)))
    if len(rows) > ROWS_MAX:
        step = len(rows) / ROWS_MAX
        rows = [rows[int(i * step)] for i in range(ROWS_MAX)]
    return rows


def check(duck, weir, types, expression, with_types):
    rows = grid(types)
    theirs = duck.run(types, rows, expression)
    ours = weir.run(types, rows, expression)
    wrong = [(row, o, t) for row, o, t in zip(rows, ours, theirs) if not agrees(o, t)]
    if with_types and any(not isinstance(t, Exception) for t in theirs):
        good = next(r for r, t in zip(rows, theirs) if not isinstance(t, Exception))
        a, b = weir.type(types, good, expression), duck.type(types, good, expression)
        if a != b:
            wrong.append((("type",), a, b))
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--weir", default=os.path.join(HERE, "../../build/dev/weir"))
    parser.add_argument("--grep", default="")
    parser.add_argument("--types", action="store_true")
    options = parser.parse_args()
    duck, weir = Duck(), Weir(options.weir)
    passed = failed = 0
    for line in open(os.path.join(HERE, "cases.txt"), encoding="utf-8"):
        line = line.strip()
        if not line or line.startswith("#") or options.grep not in line:
            continue
        known = line.startswith("!")
        types, expression = line.lstrip("! ").split("  #")[0].split(":", 1)
        types, expression = re.split(r",\s*(?![^(]*\))", types.strip()), expression.strip()
        wrong = check(duck, weir, types, expression, options.types)
        if bool(wrong) == known:
            passed += 1
            continue
        failed += 1
        print(f"{', '.join(types)}: {expression}" + ("  agrees, but is listed as different" if known else ""))
        for row, o, t in wrong[:4]:
            print(f"    {row}: {o!r}, DuckDB {t!r}")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
