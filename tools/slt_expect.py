#!/usr/bin/env python3
"""Expected rows of .slt files from DuckDB, which a person reads before they stand.

    slt_expect.py FILE...            fills in the records whose `----` has nothing behind it
    slt_expect.py --check FILE...    compares every record that has rows; the last line is "N passed, N failed"

Needs the duckdb package. A record whose comment has "unlike DuckDB" says why it differs, and is left alone, as EXPLAIN is."""
import math
import os
import sys

import duckdb

DATA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "data")


def text(value):
    return "NULL" if value is None else "(empty)" if value == "" else value.replace("\n", " ")


class Record:
    """Comments, a head line, SQL, and behind `----` rows (None without)."""

    def __init__(self, lines):
        self.lines = lines
        at = next((i for i, line in enumerate(lines) if line and not line.startswith("#")), len(lines))
        self.comment = "\n".join(lines[:at])
        words = lines[at].split() if at < len(lines) else []
        if words[:1] == ["only"]:
            words = words[2:]
        self.kind, self.options = (words[0] if words else ""), words[1:]
        body = lines[at + 1:]
        end = body.index("----") if "----" in body else len(body)
        self.sql = "\n".join(body[:end]).replace("$TPCH", os.path.join(DATA, "tpch")).replace("$DATA", DATA)
        self.rows = body[end + 1:] if end < len(body) else None

    def is_compared(self):
        sql = self.sql.lstrip("( ").upper()
        return self.kind == "query" and "unlike DuckDB" not in self.comment and not sql.startswith("EXPLAIN")


def records(path):
    return [Record(part.strip("\n").split("\n")) for part in open(path, encoding="utf-8").read().split("\n\n") if part.strip()]


def connect():
    connection = duckdb.connect()
    connection.execute("SET threads = 1; SET TimeZone = 'UTC'")
    return connection


def rows_of(connection, record):
    relation = connection.sql(record.sql.strip().rstrip(";"))
    lines = ["\t".join(str(t) for t in relation.types)] if "types" in record.options else []
    columns = ["c%d" % i for i in range(len(relation.columns))]
    casts = ", ".join(c + "::varchar" for c in columns)
    sql = "SELECT %s FROM (%s) t(%s)" % (casts, record.sql.strip().rstrip(";"), ", ".join(columns))
    return lines + ["\t".join(text(v) for v in row) for row in connection.execute(sql).fetchall()]


def run_statement(connection, record):
    """What sets up later records; settings are ours alone."""
    if record.kind == "statement" and not record.sql.upper().startswith(("SET ", "RESET ")):
        connection.execute(record.sql)


def seen_rows(connection, record):
    try:
        return rows_of(connection, record)
    except duckdb.Error as error:
        return ["DuckDB: " + str(error).split("\n")[0]]


def fill(path):
    connection, out = connect(), []
    for record in records(path):
        run_statement(connection, record)
        if record.is_compared() and record.rows == []:
            record.lines += seen_rows(connection, record)
        out.append("\n".join(record.lines))
    open(path, "w", encoding="utf-8").write("\n\n".join(out) + "\n")


def same_value(ours, theirs):
    if ours == theirs:
        return True
    try:
        x, y = float(ours), float(theirs)
    except ValueError:
        return False
    if "." not in theirs and "e" not in theirs and "n" not in theirs:
        return False
    if not (math.isfinite(x) and math.isfinite(y)):
        return x == y or (math.isnan(x) and math.isnan(y))
    return abs(x - y) <= 1e-9 * max(abs(x), abs(y))


def same_row(ours, theirs):
    a, b = ours.split("\t"), theirs.split("\t")
    return len(a) == len(b) and all(map(same_value, a, b))


def check(path):
    connection, passed, failed = connect(), 0, 0
    for record in records(path):
        run_statement(connection, record)
        if not record.is_compared():
            continue
        seen, rows = seen_rows(connection, record), record.rows or []
        if "sorted" in record.options:
            seen, rows = sorted(seen), sorted(rows)
        if len(seen) == len(rows) and all(map(same_row, rows, seen)):
            passed += 1
            continue
        failed += 1
        print("%s\n%s\n  ours    %s\n  DuckDB  %s" % (path, record.sql, "\n          ".join(rows), "\n          ".join(seen)))
    return passed, failed


def main(arguments):
    if arguments[:1] != ["--check"]:
        for path in arguments:
            fill(path)
        return 0
    sums = [check(path) for path in arguments[1:]]
    print("%d passed, %d failed" % (sum(s[0] for s in sums), sum(s[1] for s in sums)))
    return any(s[1] for s in sums)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
