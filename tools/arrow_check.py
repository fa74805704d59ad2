#!/usr/bin/env python3
"""Holds what libweir gives through the Arrow C stream against what pyarrow reads by itself.

    tools/arrow_check.py [--library build/release/libweir.so] [--settings batch_rows=3,...] [PATH...]

A PATH is a Parquet file or a folder of them; without any, tests/data. Every file is read whole, filtered (so that
selections and dictionaries go out) and in the layouts that can be requested; a list of expressions covers the types
that the files do not have. Needs pyarrow; the last line is "N passed, N failed".
"""
import argparse
import ctypes
import datetime
import decimal
import glob
import os
import sys
import uuid

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("position", ctypes.c_uint32), ("message", ctypes.c_char * 768),
                ("hint", ctypes.c_char * 256)]


class Setting(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("value", ctypes.c_char_p)]


class WeirError(Exception):
    pass


FAILURES = (WeirError, pa.ArrowException, OSError)


class Weir:
    def __init__(self, path, settings):
        self.lib = ctypes.CDLL(path)
        self.error = Error()
        rows = (Setting * len(settings))(*[Setting(k.encode(), v.encode()) for k, v in settings])
        self.db, self.session = ctypes.c_void_p(), ctypes.c_void_p()
        self.check(self.lib.weir_database_open(rows, len(settings), ctypes.byref(self.db), ctypes.byref(self.error)))
        self.check(self.lib.weir_session_open(self.db, ctypes.byref(self.session), ctypes.byref(self.error)))

    def check(self, status):
        if status:
            raise WeirError(self.error.message.decode(errors="replace"))

    def close(self):
        self.lib.weir_session_close(self.session)
        self.lib.weir_database_close(self.db)

    def table(self, sql, requested=None):
        """The rows of a query; they outlive its result."""
        result = ctypes.c_void_p()
        self.check(self.lib.weir_query(self.session, sql.encode(), ctypes.byref(result), ctypes.byref(self.error)))
        try:
            stream = ctypes.create_string_buffer(5 * 8)  # an ArrowArrayStream
            schema = ctypes.create_string_buffer(9 * 8)  # an ArrowSchema
            if requested is not None:
                requested._export_to_c(ctypes.addressof(schema))
            self.check(self.lib.weir_result_stream_as(result, schema if requested is not None else None, stream,
                                                      ctypes.byref(self.error)))
            if requested is not None:
                pa.Schema._import_from_c(ctypes.addressof(schema))  # releases it
            with pa.RecordBatchReader._import_from_c(ctypes.addressof(stream)) as reader:
                table = reader.read_all()
            table.validate(full=True)
            return table
        finally:
            self.lib.weir_result_close(result)


def plain(column):
    """Values without the layout that holds them."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = pa.chunked_array([c.dictionary_decode() for c in column.chunks], kind.value_type)
        kind = column.type
    if pa.types.is_decimal(kind):
        return column.cast(pa.decimal128(38, kind.scale))
    if pa.types.is_float16(kind):
        return column.cast(pa.float32())
    if pa.types.is_fixed_size_binary(kind):
        return column.cast(pa.binary()).cast(pa.large_binary())
    for test, to in ((pa.types.is_string, pa.large_string()), (pa.types.is_string_view, pa.large_string()),
                     (pa.types.is_binary, pa.large_binary()), (pa.types.is_binary_view, pa.large_binary())):
        if test(kind):
            return column.cast(to)
    return column


class Check:
    def __init__(self):
        self.passed = self.failed = 0

    def say(self, what, problem):
        self.passed += problem is None
        self.failed += problem is not None
        if problem is not None:
            print(f"{what}: {problem}")

    def equal(self, what, seen, expected):
        problem = None
        if seen.num_rows != expected.num_rows:
            problem = f"{seen.num_rows} rows, expected {expected.num_rows}"
        elif seen.column_names != expected.column_names:
            problem = f"columns {seen.column_names}, expected {expected.column_names}"
        else:
            for name in expected.column_names:
                a, b = plain(seen[name]), plain(expected[name])
                if pa.types.is_nested(a.type) and pa.types.is_nested(b.type):
                    if a.to_pylist() != b.to_pylist():
                        problem = f"{name} differs: {a.to_pylist()[:3]}, expected {b.to_pylist()[:3]}"
                elif a.type != b.type:
                    problem = f"{name} is {a.type}, expected {b.type}"
                elif not a.equals(b) and repr(a.to_pylist()) != repr(b.to_pylist()):  # a NaN is one only as text
                    at = pc.index(pc.fill_null(pc.not_equal(a, b), True), True).as_py()
                    problem = f"{name}, row {at}: {a[at]}, expected {b[at]}"
                if problem:
                    break
        self.say(what, problem)

    def run(self, what, weir, sql, expected, requested=None):
        try:
            seen = weir.table(sql, requested)
            if requested is not None and seen.schema != requested:
                raise WeirError(f"schema {seen.schema}, requested {requested}")
        except FAILURES as e:
            self.say(what, str(e))
            return
        self.equal(what, seen, expected)


def other_layouts(schema):
    """Schemas to request: every text and binary column as each of its layouts, everything as a dictionary."""
    text = {"large": (pa.large_string(), pa.large_binary()), "view": (pa.string_view(), pa.binary_view())}
    for name, (utf8, binary) in text.items():
        yield name, pa.schema([f.with_type(utf8 if pa.types.is_string(f.type) else
                                           binary if pa.types.is_binary(f.type) else f.type) for f in schema])
    for index in (pa.int32(), pa.uint64(), pa.int16()):
        yield f"dictionary of {index}", pa.schema(
            [f if pa.types.is_nested(f.type) else f.with_type(pa.dictionary(index, f.type)) for f in schema])


UUID = "01234567-89ab-cdef-fedc-ba9876543210"
DAY = datetime.datetime(2020, 2, 29, 1, 2, 3, 456789)
# SQL of a value, the same in Python, and what it has to come as.
VALUES = [
    ("NULL", None, pa.int32()),
    ("true", True, pa.bool_()),
    ("(-128)::TINYINT", -128, pa.int8()),
    ("32767::SMALLINT", 32767, pa.int16()),
    ("(-5)::INTEGER", -5, pa.int32()),
    ("9223372036854775807", 2**63 - 1, pa.int64()),
    ("99999999999999999999::HUGEINT", decimal.Decimal(99999999999999999999), pa.decimal128(38, 0)),
    ("255::UTINYINT", 255, pa.uint8()),
    ("65535::USMALLINT", 65535, pa.uint16()),
    ("4294967295::UINTEGER", 2**32 - 1, pa.uint32()),
    ("18446744073709551615::UBIGINT", 2**64 - 1, pa.uint64()),
    ("1.5::FLOAT", 1.5, pa.float32()),
    ("1e300::DOUBLE", 1e300, pa.float64()),
    ("123.45::DECIMAL(9,2)", decimal.Decimal("123.45"), pa.decimal128(9, 2)),
    ("(-123.45)::DECIMAL(30,2)", decimal.Decimal("-123.45"), pa.decimal128(30, 2)),
    ("'Grüße aus dem Wehr, länger als zwölf'", "Grüße aus dem Wehr, länger als zwölf", pa.string()),
    ("''", "", pa.string()),
    ("'abc'::BLOB", b"abc", pa.binary()),
    ("DATE '2020-02-29'", DAY.date(), pa.date32()),
    ("TIME '01:02:03.456789'", DAY.time(), pa.time64("us")),
    ("TIMESTAMP '2020-02-29 01:02:03.456789'", DAY, pa.timestamp("us")),
    ("'2020-02-29 01:02:03'::TIMESTAMP_S", DAY.replace(microsecond=0), pa.timestamp("s")),
    ("'2020-02-29 01:02:03.456'::TIMESTAMP_MS", DAY.replace(microsecond=456000), pa.timestamp("ms")),
    ("'2020-02-29 01:02:03.456789'::TIMESTAMP_NS", DAY, pa.timestamp("ns")),
    ("TIMESTAMPTZ '2020-02-29 03:02:03.456789+02'", DAY.replace(tzinfo=datetime.timezone.utc),
     pa.timestamp("us", "UTC")),
    ("INTERVAL '14 months 3 days 1 second'", pa.MonthDayNano([14, 3, 10**9]), pa.month_day_nano_interval()),
    (f"'{UUID}'::UUID", uuid.UUID(UUID), pa.uuid()),
    ("NULL::INTEGER[]", None, pa.list_(pa.field("element", pa.int32()))),
    ("NULL::STRUCT(a INTEGER, b VARCHAR)", None, pa.struct([("a", pa.int32()), ("b", pa.string())])),
    ("NULL::MAP(VARCHAR, DOUBLE)", None, pa.map_(pa.string(), pa.float64())),
]


def check_values(check, weir):
    for sql, value, kind in VALUES:
        try:
            seen = weir.table(f"SELECT {sql} AS x")["x"]
        except FAILURES as e:
            check.say(sql, str(e))
            continue
        ok = seen.type == kind and seen.to_pylist() == [value]
        check.say(sql, None if ok else f"{seen.type} {seen.to_pylist()}, expected {kind} {[value]}")
    explained = weir.table("EXPLAIN SELECT 1")
    check.say("EXPLAIN", None if explained.num_rows > 1 else str(explained))
    nothing = weir.table("SET batch_rows = 2048")
    check.say("SET", None if nothing.num_columns == 0 else str(nothing))


def check_file(check, weir, path):
    try:
        expected = pq.read_table(path)
    except FAILURES as e:
        print(f"{path}: left out, pyarrow cannot read it: {str(e).splitlines()[0]}")
        return
    expected = pa.table([plain(column) for column in expected.columns], names=expected.column_names)
    try:
        schema = weir.table(f"FROM '{path}' LIMIT 0").schema
    except FAILURES as e:
        check.say(path, str(e))
        return
    check.run(path, weir, f"FROM '{path}'", expected)
    for name, requested in other_layouts(schema):
        check.run(f"{path} as {name}", weir, f"FROM '{path}'", expected, requested)
    for column in expected.column_names[:4]:
        values = pc.drop_null(pc.unique(expected[column]))
        if not (pa.types.is_integer(values.type) or pa.types.is_large_string(values.type)) or len(values) == 0:
            continue
        value = values[len(values) // 2].as_py()
        literal = repr(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"
        name = '"' + column.replace('"', '""') + '"'
        for op, keep in (("=", pc.equal), (">", pc.greater)):
            rows = expected.filter(keep(expected[column], pa.scalar(value, values.type)))
            check.run(f"{path} where {name} {op} {literal}", weir,
                      f"SELECT * FROM '{path}' WHERE {name} {op} {literal}", rows)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", default=os.path.join(ROOT, "build/release/libweir.so"))
    parser.add_argument("--settings", default="")
    parser.add_argument("paths", nargs="*")
    args = parser.parse_args()
    lib = Weir(args.library, [tuple(s.split("=", 1)) for s in args.settings.split(",") if s])
    check = Check()
    check_values(check, lib)
    paths = args.paths or [os.path.join(ROOT, "tests/data")]
    for path in paths:
        files = sorted(glob.glob(os.path.join(path, "**/*.parquet"), recursive=True)) if os.path.isdir(path) else [path]
        for file in files:
            check_file(check, lib, file)
    lib.close()
    print(f"{check.passed} passed, {check.failed} failed")
    return check.failed != 0


if __name__ == "__main__":
    sys.exit(main())
