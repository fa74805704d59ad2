#!/usr/bin/env python3
"""Fills the expected rows of queries in .slt files from DuckDB, as a first draft that a person reads.

usage: slt_expect.py FILE...      needs the duckdb package; rewrites the records whose `----` has nothing behind it"""
import os
import sys

import duckdb

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def text(value):
    return "NULL" if value is None else "(empty)" if value == "" else value.replace("\n", " ")


def rows_of(connection, sql, head):
    data = os.path.join(ROOT, "tests", "data")
    sql = sql.replace("$TPCH", os.path.join(data, "tpch")).replace("$DATA", data).strip().rstrip(";")
    relation = connection.sql(sql)
    lines = ["\t".join(str(t) for t in relation.types)] if " types" in head else []
    names = ", ".join('c%d::varchar' % i for i in range(len(relation.columns)))
    columns = ", ".join("c%d" % i for i in range(len(relation.columns)))
    for row in connection.sql("select %s from (%s) t(%s)" % (names, sql, columns)).fetchall():
        lines.append("\t".join(text(v) for v in row))
    return lines


def fill(path):
    connection = duckdb.connect()
    connection.execute("set threads=1")
    out = []
    for record in open(path).read().split("\n\n"):
        lines = record.strip("\n").split("\n")
        head = next((i for i, l in enumerate(lines) if l and not l.startswith("#")), None)
        if head is not None:
            kind, body = lines[head], lines[head + 1:]
            if " ".join(kind.split()[-2:]).startswith("query") or "query" in kind.split()[:3]:
                if body and body[-1] == "----":
                    lines += rows_of(connection, "\n".join(body[:-1]), kind)
            elif kind.endswith("statement"):
                connection.execute("\n".join(body).replace("$TPCH", os.path.join(ROOT, "tests/data/tpch")).replace("$DATA", os.path.join(ROOT, "tests/data")))
        out.append("\n".join(lines))
    open(path, "w").write("\n\n".join(out).rstrip("\n") + "\n")


for path in sys.argv[1:]:
    fill(path)
