#!/usr/bin/env python3
"""Writes what outside_parquet_values checks: for each flat column of Parquet files its rows, NULLs and a hash of its values,
as pyarrow reads them.

    cd FOLDER && tools/parquet_expected.py FILE... > tests/outside/expected/parquet_values.txt

A line is: file, column, rows, NULLs, hash, separated by tabs. The hash is FNV-1a of 64 bits over the values in order:
a NULL is a byte 0; any other value a byte 1, then 16 bytes of a little-endian integer (numbers without a fraction, decimals
without their point, days, microseconds of the day, instants in their own unit), or 8 of a double (NaN is always
7ff8000000000000), or the size in 4 bytes and the bytes of a text."""
import decimal
import math
import struct
import sys

import pyarrow as pa
import pyarrow.parquet as pq


def fnv(data, h=0xCBF29CE484222325):
    for byte in data:
        h = ((h ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


def integers(array):
    return [None if v is None else int(v).to_bytes(16, "little", signed=True) for v in array]


def doubles(array):
    nan = struct.pack("<Q", 0x7FF8 << 48)
    return [None if v is None else nan if math.isnan(v) else struct.pack("<d", v) for v in array]


def texts(array):
    raw = [None if v is None else v.encode() if isinstance(v, str) else bytes(v) for v in array]
    return [None if v is None else struct.pack("<I", len(v)) + v for v in raw]


def encode(column):
    t = column.type
    if isinstance(t, pa.ExtensionType):
        column, t = column.cast(t.storage_type), t.storage_type
    if pa.types.is_dictionary(t):
        column, t = column.cast(t.value_type), t.value_type
    if pa.types.is_null(t):
        return [None] * len(column)
    if pa.types.is_boolean(t) or pa.types.is_integer(t):
        return integers(column.to_pylist())
    if pa.types.is_floating(t):
        return doubles([None if v is None else float(v) for v in column.to_pylist()])
    if pa.types.is_decimal(t):
        return integers([None if v is None else int(v.scaleb(t.scale)) for v in column.to_pylist()])
    if pa.types.is_date32(t) or pa.types.is_time32(t):
        scale = 1000 if pa.types.is_time32(t) else 1
        return integers([None if v is None else v * scale for v in column.cast(pa.int32()).to_pylist()])
    if pa.types.is_time64(t):
        scale = 1000 if t.unit == "ns" else 1
        return integers([None if v is None else v // scale for v in column.cast(pa.int64()).to_pylist()])
    if pa.types.is_timestamp(t):
        return integers(column.cast(pa.int64()).to_pylist())
    if pa.types.is_string(t) or pa.types.is_binary(t) or pa.types.is_fixed_size_binary(t):
        return texts(column.to_pylist())
    if pa.types.is_large_string(t) or pa.types.is_large_binary(t):
        return texts(column.to_pylist())
    raise ValueError(f"a type that is not known here: {t}")


def main(paths):
    decimal.getcontext().prec = 80
    for path in paths:
        try:
            file = pq.ParquetFile(path)
            fields = file.schema_arrow
        except Exception as e:
            print(f"{path}: {e}", file=sys.stderr)
            continue
        for field in fields:
            if pa.types.is_nested(field.type):
                continue
            try:
                values = encode(file.read(columns=[field.name]).column(0).combine_chunks())
            except Exception as e:
                print(f"{path} {field.name}: {e}", file=sys.stderr)
                continue
            h = fnv(b"".join(b"\0" if v is None else b"\1" + v for v in values))
            nulls = sum(v is None for v in values)
            print(f"{path}\t{field.name}\t{len(values)}\t{nulls}\t{h:016x}")


main(sys.argv[1:])
