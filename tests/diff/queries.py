#!/usr/bin/env python3
"""Random queries against DuckDB, and against ourselves in other configurations.

    tests/diff/queries.py [--seed 1] [--count 1000] [--library build/release/libweir.so] [--only NUMBER]

A seed gives the tables (every flat type, NULLs, skew, no rows, one row, several row groups) and the queries: query N of a
seed is the same in every run, so `--only N` repeats one. Rows are compared as multisets, floats to 1e-9 relative. A query
that fails in both agrees; one where an overflow or a division by zero shows in one alone is not counted, as who reorders
conditions may hide an error. The last line is "N passed, N failed".

Needs the Python module duckdb."""
import argparse
import ctypes
import datetime
import math
import os
import random
import sys
import tempfile

import duckdb

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIGURATIONS = [
    {"batch_rows": "3", "threads": "4"},
    {"batch_rows": "1", "hash_zero": "true", "threads": "1"},
    {"optimizer": "false", "threads": "1"},
    {"force_spill": "true", "threads": "4"},
    {"force_spill": "true", "batch_rows": "3", "threads": "1", "instruction_set": "base"},
]


# ---- weir, by its C interface ----


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("position", ctypes.c_uint32), ("message", ctypes.c_char * 768), ("hint", ctypes.c_char * 256)]


class Setting(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("value", ctypes.c_char_p)]


class Failure(Exception):
    def __init__(self, library, error):
        self.code = library.weir_status_name(error.code).decode()
        super().__init__("%s: %s" % (self.code, error.message.decode(errors="replace")))


class Weir:
    def __init__(self, path, settings):
        self.library = library = ctypes.CDLL(path)
        pointer, size = ctypes.c_void_p, ctypes.c_size_t
        library.weir_status_name.restype = ctypes.c_char_p
        library.weir_result_column_count.argtypes, library.weir_result_column_count.restype = [pointer], size
        library.weir_result_text.argtypes = [pointer, size, size, ctypes.POINTER(size)]
        library.weir_result_text.restype = pointer
        library.weir_result_close.argtypes = [pointer]
        self.error, self.database, self.session = Error(), pointer(), pointer()
        array = (Setting * len(settings))(*(Setting(k.encode(), v.encode()) for k, v in settings.items()))
        self.check(library.weir_database_open(array, size(len(settings)), ctypes.byref(self.database), ctypes.byref(self.error)))
        self.check(library.weir_session_open(self.database, ctypes.byref(self.session), ctypes.byref(self.error)))

    def check(self, status):
        if status:
            raise Failure(self.library, self.error)

    def rows(self, sql):
        result = ctypes.c_void_p()
        try:
            self.check(self.library.weir_query(self.session, sql.encode(), ctypes.byref(result), ctypes.byref(self.error)))
            return list(self.fetch(result))
        finally:
            self.library.weir_result_close(result)

    def fetch(self, result):
        columns, count, size = self.library.weir_result_column_count(result), ctypes.c_size_t(), ctypes.c_size_t()
        while columns:
            self.check(self.library.weir_result_fetch(result, ctypes.byref(count), ctypes.byref(self.error)))
            if count.value == 0:
                return
            for row in range(count.value):
                texts = [self.library.weir_result_text(result, row, c, ctypes.byref(size)) or None for c in range(columns)]
                yield tuple(t and ctypes.string_at(t).decode() for t in texts)


class Duck:
    def __init__(self):
        self.connection = duckdb.connect()
        self.connection.execute("SET threads = 2; SET TimeZone = 'UTC'")

    def rows(self, sql):
        names = ["c%d" % i for i in range(len(self.connection.execute("DESCRIBE " + sql).fetchall()))]
        casts = ", ".join(n + "::VARCHAR" for n in names)
        return self.connection.execute("SELECT %s FROM (%s) t(%s)" % (casts, sql, ", ".join(names))).fetchall()


# ---- tables ----

WORDS = ["", "a", "b", "abc", "zebra", "a word of more than twelve bytes", "a word of more than twelve bytez", "exactly12byt", "日本語"]
COLUMNS = [
    ("id", "BIGINT"), ("k", "INTEGER"), ("i", "TINYINT"), ("b", "BIGINT"), ("d", "DECIMAL(10,2)"), ("h", "DECIMAL(30,5)"),
    ("f", "DOUBLE"), ("s", "VARCHAR"), ("w", "VARCHAR"), ("t", "DATE"), ("m", "TIMESTAMP"), ("o", "BOOLEAN"),
]
KINDS = {
    "int": ["id", "k", "i"], "wide": ["b"], "dec": ["d", "h"], "float": ["f"], "str": ["s", "w"], "date": ["t"], "time": ["m"],
    "bool": ["o"],
}


def value(r, name, row):
    day = datetime.date(2020, 1, 1) + datetime.timedelta(days=r.randrange(60))
    return {
        "id": lambda: row,
        "k": lambda: r.choice([7, 7, 7, 7, r.randrange(12)]),
        "i": lambda: r.randrange(-20, 20),
        "b": lambda: r.choice([2**63 - 1, -(2**63), 0, r.randrange(10)]),
        "d": lambda: "%.2f" % (r.randrange(-5000, 5000) / 100),
        "h": lambda: "%d.%05d" % (r.choice([10**23, 5, -7]), r.randrange(100000)),
        "f": lambda: r.choice(["nan", "inf", "-inf", "-0.0"] + [str(r.randrange(-40, 40) / 4)] * 6),
        "s": lambda: r.choice(WORDS),
        "w": lambda: r.choice("xyz") * r.randrange(20),
        "t": lambda: day,
        "m": lambda: "%s %02d:00:00" % (day, r.randrange(24)),
        "o": lambda: r.random() < 0.5,
    }[name]()


def make_tables(r, duck, folder):
    """t0 (no rows) to t4, as Parquet files with small row groups; column `id` rises."""
    for number, rows in enumerate([0, 1, 40, 300, 1200]):
        columns = ", ".join("%s %s" % c for c in COLUMNS)
        duck.connection.execute("CREATE TABLE t%d (%s)" % (number, columns))
        lines = []
        for row in range(rows):
            cells = ["NULL" if n != "id" and r.random() < 0.12 else "'%s'" % value(r, n, row) for n, _ in COLUMNS]
            lines.append("(%s)" % ", ".join(cells))
        if lines:
            duck.connection.execute("INSERT INTO t%d VALUES %s" % (number, ", ".join(lines)))
        duck.connection.execute("COPY t%d TO '%s/t%d.parquet' (ROW_GROUP_SIZE 512)" % (number, folder, number))


# ---- queries ----


class Generator:
    """One query. A scope is a list of (alias, columns by kind)."""

    def __init__(self, r):
        self.r, self.aliases = r, 0

    def pick(self, *items):
        return self.r.choice(items)

    def chance(self, share):
        return self.r.random() < share

    def alias(self):
        self.aliases += 1
        return "q%d" % self.aliases

    def column(self, scope, kind):
        found = [a + "." + c for a, kinds in scope for c in kinds.get(kind, [])]
        return self.r.choice(found) if found else None

    def literal(self, kind):
        day = "2020-0%d-%02d" % (self.r.randrange(1, 4), self.r.randrange(1, 29))
        return {
            "int": lambda: str(self.r.randrange(-3, 15)),
            "wide": lambda: self.pick("0", "5", "9223372036854775807", "(-9223372036854775808)"),
            "dec": lambda: "%.2f" % (self.r.randrange(-3000, 3000) / 100),
            "float": lambda: self.pick("0.25", "-1.5", "'nan'::DOUBLE", "'inf'::DOUBLE", "0.0") + "::DOUBLE",
            "str": lambda: "'%s'" % self.pick(*WORDS, "xxxx", "yyyyyyyyyyyyyyy"),
            "date": lambda: "DATE '%s'" % day,
            "time": lambda: "TIMESTAMP '%s 12:00:00'" % day,
            "bool": lambda: self.pick("true", "false", "NULL::BOOLEAN"),
        }[kind]()

    def value(self, scope, kind, depth=2):
        """A scalar expression of a kind."""
        leaf = self.column(scope, kind) if self.chance(0.85) else None
        if depth == 0 or self.chance(0.35):
            return leaf or self.literal(kind)
        sub = lambda k=kind: self.value(scope, k, depth - 1)
        if self.chance(0.15):
            return "CASE WHEN %s THEN %s ELSE %s END" % (self.condition(scope, depth - 1), sub(), sub())
        if self.chance(0.08):
            return "%s(%s, %s)" % (self.pick("coalesce", "nullif", "greatest", "least"), sub(), sub())
        make = {
            "int": [lambda: "(%s %s %s)" % (sub(), self.pick("+", "-", "*"), sub()), lambda: "length(%s)" % sub("str"),
                    lambda: "(%s %% nullif(%s, 0))" % (sub(), sub()), lambda: "abs(%s)" % sub(), lambda: "year(%s)" % sub("date"),
                    lambda: "(-%s)" % sub()],
            "dec": [lambda: "(%s %s %s)" % (sub(), self.pick("+", "-"), sub()), lambda: "(d_ * %s)".replace("d_", sub()) % sub("int")],
            "float": [lambda: "(%s %s %s)" % (sub(), self.pick("+", "-", "*"), sub()), lambda: "%s::DOUBLE" % sub("int")],
            "str": [lambda: "(%s || %s)" % (sub(), sub()), lambda: "upper(%s)" % sub(), lambda: "substring(%s, 2, 5)" % sub(),
                    lambda: "(%s)::VARCHAR" % sub(self.pick("int", "date", "dec")), lambda: "replace(%s, 'x', 'yy')" % sub()],
            "date": [lambda: "(%s + %d)" % (sub(), self.r.randrange(-40, 40)), lambda: "date_trunc('month', %s)::DATE" % sub(),
                     lambda: "%s::DATE" % sub("time")],
            "time": [lambda: "(%s + INTERVAL %d DAY)" % (sub(), self.r.randrange(-9, 9)), lambda: "date_trunc('month', %s)" % sub()],
            "bool": [lambda: self.condition(scope, depth - 1)],
        }.get(kind)
        return self.r.choice(make)() if make else leaf or self.literal(kind)

    def kind(self):
        return self.pick("int", "int", "int", "wide", "dec", "float", "str", "str", "date", "time", "bool")

    def condition(self, scope, depth=2, queries=0):
        roll = self.r.random()
        if depth > 0 and roll < 0.3:
            terms = [self.condition(scope, depth - 1, queries) for _ in range(self.r.randrange(2, 4))]
            return "(%s)" % self.pick(" AND ", " OR ").join(terms)
        if depth > 0 and roll < 0.36:
            return "(NOT %s)" % self.condition(scope, depth - 1, queries)
        if queries > 0 and roll < 0.62:
            return self.subquery(scope, queries - 1)
        kind = self.kind()
        left = self.value(scope, kind, 1)
        if roll < 0.7:
            return "(%s IS %sNULL)" % (left, self.pick("", "NOT "))
        if roll < 0.77:
            items = ", ".join(self.literal(kind) for _ in range(self.r.randrange(1, 5)))
            return "(%s %sIN (%s))" % (left, self.pick("", "NOT "), items)
        if roll < 0.83:
            return "(%s %sBETWEEN %s AND %s)" % (left, self.pick("", "NOT "), self.literal(kind), self.value(scope, kind, 1))
        if roll < 0.88:
            return "(%s %sLIKE '%s')" % (self.value(scope, "str", 1), self.pick("", "NOT "), self.pick("%a%", "a%", "_b_", "%x", "x%y%", "%"))
        sign = self.pick("=", "=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM")
        return "(%s %s %s)" % (left, sign, self.value(scope, kind, 1))

    def subquery(self, scope, queries):
        """A condition with a query inside, mostly correlated."""
        source, inner = self.source(1)
        both = inner + scope if self.chance(0.7) else inner
        kind = self.pick("int", "int", "str", "date", "dec")
        outer, own = self.value(scope, kind, 1), self.column(inner, kind) or self.literal(kind)
        links = [self.condition(both, 1, queries)]
        if self.chance(0.6):
            link = self.pick("int", "int", "str")
            a, b = self.column(inner, link), self.column(scope, link)
            if a and b:
                links.append("%s = %s" % (a, b))
        where = " AND ".join(links)
        return self.pick(
            lambda: "%sEXISTS (SELECT 1 FROM %s WHERE %s)" % (self.pick("", "NOT "), source, where),
            lambda: "(%s %sIN (SELECT %s FROM %s WHERE %s))" % (outer, self.pick("", "NOT "), own, source, where),
            lambda: "(%s %s (SELECT %s(%s) FROM %s WHERE %s))" % (outer, self.pick("=", "<", ">="), self.pick("min", "max"), own, source, where),
            lambda: "((SELECT count(%s) FROM %s WHERE %s) %s %d)" % (self.pick("*", own), source, where, self.pick(">", "=", "<="), self.r.randrange(4)),
            lambda: "(%s %s %s (SELECT %s FROM %s WHERE %s))" % (outer, self.pick("=", "<>", "<", ">="), self.pick("ANY", "ALL"), own, source, where),
        )()

    def table(self, small):
        name, alias = "t%d" % self.r.choice([0, 1, 2, 2, 2] if small else [1, 2, 2, 3, 3, 4]), self.alias()
        return "%s %s" % (name, alias), [(alias, KINDS)]

    def relation(self, depth, small):
        if depth > 0 and self.chance(0.2):
            alias = self.alias()
            sql, kinds = self.select(depth - 1, small)
            return "(%s) %s" % (sql, alias), [(alias, kinds)]
        return self.table(small)

    def source(self, depth):
        """FROM: a relation, or some joined. What joins is small, as not every join has an equality."""
        sql, scope = self.relation(depth, False)
        for turn in range(self.pick(0, 0, 0, 1, 1, 2) if depth > 0 else 0):
            right, right_scope = self.relation(depth - 1, True)
            if self.chance(0.06) and turn == 0:
                sql, scope = "%s CROSS JOIN %s" % (sql, right), scope + right_scope
                continue
            both, kind = scope + right_scope, self.pick("int", "int", "str", "date", "dec", "bool", "float", "wide", "time")
            a, b = self.column(scope, kind), self.column(right_scope, kind)
            terms = ["%s = %s" % (a, b)] if a and b and self.chance(0.85) else []
            if not terms or self.chance(0.4):
                terms.append(self.condition(both, 1))
            join = self.pick("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN") if len(terms) == 1 and a and b and "=" in terms[0] else self.pick("JOIN", "LEFT JOIN")
            if self.chance(0.15) and a and b:
                join, terms = self.pick("SEMI JOIN", "ANTI JOIN"), ["%s = %s" % (a, b)]
                both = scope
            sql, scope = "%s %s %s ON %s" % (sql, join, right, " AND ".join(terms)), both
        return sql, scope

    def aggregate(self, scope):
        kind = self.kind()
        distinct = self.pick("", "", "DISTINCT ")
        filter_ = " FILTER (WHERE %s)" % self.condition(scope, 1) if not distinct and self.chance(0.25) else ""
        text, result = self.pick(
            lambda: ("count(*)", "int"),
            lambda: ("count(%s%s)" % (distinct, self.value(scope, kind, 1)), "int"),
            lambda: ("%s(%s)" % (self.pick("min", "max"), self.value(scope, kind, 1)), kind),
            lambda: ("sum(%s%s)" % (distinct, self.value(scope, "int", 1)), "big"),
            lambda: ("sum(%s)" % self.value(scope, "dec", 1), "big"),
            lambda: ("avg(%s)" % self.value(scope, self.pick("int", "dec"), 1), "real"),
            lambda: ("sum(%s)" % (self.column(scope, "float") or "1.5::DOUBLE"), "real"),
        )()
        return text + filter_ if text != "count(*)" or filter_ else text, result

    def items(self, values):
        """A select list with names; and the columns by kind."""
        kinds, texts = {}, []
        for number, (text, kind) in enumerate(values):
            kinds.setdefault(kind, []).append("c%d" % number)
            texts.append("%s AS c%d" % (text, number))
        return ", ".join(texts), kinds

    def select(self, depth, small=False):
        source, scope = self.source(depth) if not small else self.table(True)
        where = " WHERE " + self.condition(scope, 2, depth) if self.chance(0.65) else ""
        roll = self.r.random()
        if roll < 0.45:
            picked = [self.kind() for _ in range(self.r.randrange(1, 4))]
            items, kinds = self.items([(self.value(scope, k), k) for k in picked])
            return "SELECT %s%s FROM %s%s" % (self.pick("", "", "DISTINCT "), items, source, where), kinds
        picked = [self.kind() for _ in range(self.pick(0, 1, 1, 2, 3))]
        keys = [(self.value(scope, k, 1 if self.chance(0.4) else 0), k) for k in picked]
        items, kinds = self.items(keys + [self.aggregate(scope) for _ in range(self.r.randrange(1, 4))])
        group = " GROUP BY " + ", ".join(str(i + 1) for i in range(len(keys))) if keys else ""
        having = " HAVING count(*) > %d" % self.r.randrange(3) if keys and self.chance(0.25) else ""
        return "SELECT %s FROM %s%s%s%s" % (items, source, where, group, having), kinds

    def query(self):
        sql, kinds = self.select(2)
        if self.chance(0.12):
            other = sql.replace("FROM", "FROM", 1)
            sign = self.pick("UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL", "INTERSECT ALL")
            sql = "SELECT * FROM (%s) %s SELECT * FROM (%s)" % (sql, sign, other)
        if self.chance(0.15):
            columns = sum(len(c) for c in kinds.values())
            sql = "WITH w AS (%s) SELECT a.* FROM w a JOIN w b ON a.c0 = b.c%d" % (sql, 0) if columns else sql
        if self.chance(0.35):
            order = ", ".join("%d%s%s" % (i + 1, self.pick("", " DESC"), self.pick("", " NULLS FIRST", " NULLS LAST"))
                              for i in range(sum(len(c) for c in kinds.values())))
            sql += " ORDER BY %s LIMIT %d" % (order, self.pick(0, 1, 3, 10, 100))
            sql += " OFFSET %d" % self.r.randrange(20) if self.chance(0.3) else ""
        return sql


# ---- comparing ----


def number(text):
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def same_value(a, b):
    if a == b:
        return True
    x, y = number(a), number(b)
    if x is None or y is None:
        return False
    if not (math.isfinite(x) and math.isfinite(y)):
        return x == y or (math.isnan(x) and math.isnan(y))
    return abs(x - y) <= 1e-9 * max(abs(x), abs(y))


def sort_key(row):
    """Floats that differ in their last digits sort alike."""
    return [(v is not None, "%.6g" % (number(v) + 0.0) if number(v) is not None and v[-1:].isdigit() else (v or "").replace("-nan", "nan")) for v in row]


def same_rows(a, b):
    return len(a) == len(b) and all(all(map(same_value, x, y)) for x, y in zip(sorted(a, key=sort_key), sorted(b, key=sort_key)))


def outcome(engine, sql):
    try:
        return engine.rows(sql)
    except (Failure, duckdb.Error) as error:
        return error


def is_value_error(result):
    """Overflows and their like, which an order of evaluation may hide."""
    if isinstance(result, Failure):
        return result.code in ("VALUE", "UNSUPPORTED")
    return isinstance(result, (duckdb.OutOfRangeException, duckdb.ConversionException, duckdb.InvalidInputException))


def differs(ours, theirs):
    failed = [isinstance(x, Exception) for x in (ours, theirs)]
    if not any(failed):
        return not same_rows(ours, theirs)
    return not all(failed) and not is_value_error(ours) and not is_value_error(theirs)


def show(name, result):
    text = str(result) if isinstance(result, Exception) else "%d rows %s" % (len(result), sorted(result, key=sort_key)[:4])
    print("    %s: %s" % (name, text[:600]))


def check(sql, number_, duck, engines):
    expected, first = outcome(duck, sql), outcome(engines[0][1], sql)
    if differs(first, expected):
        print("query %d: %s" % (number_, sql))
        show("weir", first)
        show("DuckDB", expected)
        return False
    for name, engine in engines[1:]:
        other = outcome(engine, sql)
        if differs(other, first):
            print("query %d: %s" % (number_, sql))
            show("default", first)
            show(name, other)
            return False
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--only", type=int)
    parser.add_argument("--library", default=os.path.join(HERE, "../../build/release/libweir.so"))
    options = parser.parse_args()
    duck, passed, failed = Duck(), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        make_tables(random.Random(options.seed), duck, folder)
        engines = []
        for settings in [{}] + CONFIGURATIONS:
            weir = Weir(options.library, settings)
            for table in range(5):
                weir.rows("CREATE VIEW t%d AS FROM '%s/t%d.parquet'" % (table, folder, table))
            engines.append((str(settings), weir))
        for number_ in [options.only] if options.only is not None else range(options.count):
            sql = Generator(random.Random("%d/%d" % (options.seed, number_))).query()
            if options.only is not None:
                print(sql)
            if check(sql, number_, duck, engines):
                passed += 1
            else:
                failed += 1
            sys.stdout.flush()
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
