#!/usr/bin/env python3
"""Makes the small Parquet files of tests/data/parquet, with pyarrow 26:

    tools/make_parquet_data.py tests/data/parquet 900
    tools/make_parquet_data.py tests/fuzz/corpus/parquet 20

All but `wide.parquet` hold the same rows in three row groups, in another encoding, codec or page version each, so that
tests can compare them with `plain.parquet`."""
import datetime
import decimal
import random
import sys

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = int(sys.argv[2])
WORDS = ["", "a", "rail", "truck", "deliver in person", "quickly final deposits", "zwölf Boxkämpfer", "日本語のテキスト"]


def table():
    r = random.Random(7)

    def column(make, null_share, kind):
        return pa.array([None if r.random() < null_share else make(i) for i in range(ROWS)], kind)

    day = datetime.date(1994, 1, 1)
    noon = datetime.datetime(2001, 2, 3, 12)
    columns = {
        "id": pa.array(range(ROWS), pa.int64()),  # rises: page indexes exclude
        "few": column(lambda i: r.randrange(9), 0.1, pa.int32()),
        "many": column(lambda i: r.randrange(10**12), 0.02, pa.int64()),
        "tiny": column(lambda i: r.randrange(-100, 100), 0.3, pa.int8()),
        "big": column(lambda i: r.randrange(2**63, 2**64), 0.1, pa.uint64()),
        "flag": column(lambda i: i % 3 == 0 or r.random() < 0.2, 0.2, pa.bool_()),
        "real": column(lambda i: r.choice([0.0, -0.0, 1.5, float("nan"), r.random()]), 0.1, pa.float64()),
        "single": column(lambda i: r.randrange(64) / 8, 0.1, pa.float32()),
        "price": column(lambda i: decimal.Decimal(r.randrange(-(10**7), 10**7)) / 100, 0.05, pa.decimal128(15, 2)),
        "huge": column(lambda i: decimal.Decimal(r.randrange(-(10**30), 10**30)), 0.05, pa.decimal128(38, 0)),
        "day": column(lambda i: day + datetime.timedelta(days=i // 10), 0.0, pa.date32()),
        "instant": column(lambda i: noon + datetime.timedelta(seconds=r.randrange(10**6)), 0.1, pa.timestamp("us", "UTC")),
        "word": column(lambda i: r.choice(WORDS), 0.1, pa.string()),
        "text": column(lambda i: f"row {i} " + "x" * r.randrange(40) + r.choice(WORDS), 0.05, pa.string()),
        "bytes": column(lambda i: r.randbytes(r.randrange(20)), 0.1, pa.binary()),
        "code": column(lambda i: r.randbytes(3), 0.1, pa.binary(3)),
        "nothing": pa.array([None] * ROWS, pa.int32()),
    }
    fields = [pa.field(n, a.type, nullable=n not in ("id", "day")) for n, a in columns.items()]
    return pa.table(columns, schema=pa.schema(fields))


def main(folder):
    t = table()
    integers = ["id", "few", "many", "tiny", "big", "day", "instant"]
    floats = ["real", "single"]
    texts = ["word", "text", "bytes"]

    def write(name, data=t, **options):
        settings = {"row_group_size": max(ROWS // 3, 20), "data_page_size": 400, "write_batch_size": 40, "compression": "none"}
        pq.write_table(data, f"{folder}/{name}.parquet", **{**settings, **options})

    write("plain", use_dictionary=False, write_page_index=True)
    write("dictionary", compression="snappy", write_page_index=True, write_page_checksum=True)
    write("fallback", compression="snappy", dictionary_pagesize_limit=700, write_page_index=True)
    write("version2", data_page_version="2.0", compression="zstd", dictionary_pagesize_limit=700)
    encodings = {c: "DELTA_BINARY_PACKED" for c in integers}
    encodings.update({c: "BYTE_STREAM_SPLIT" for c in floats})
    encodings.update({c: "DELTA_LENGTH_BYTE_ARRAY" for c in texts})
    encodings["flag"] = "RLE"
    encodings["code"] = "DELTA_BYTE_ARRAY"
    encodings["price"] = "BYTE_STREAM_SPLIT"
    write("delta", use_dictionary=False, data_page_version="2.0", compression="gzip", column_encoding=encodings)
    encodings.update({c: "DELTA_BYTE_ARRAY" for c in texts})
    encodings.update({c: "BYTE_STREAM_SPLIT" for c in ["few", "many", "code"]})
    encodings["price"] = "DELTA_BYTE_ARRAY"
    write("front", use_dictionary=False, data_page_version="1.0", compression="lz4", column_encoding=encodings)
    write("brotli", compression="brotli", use_dictionary=["few", "word", "text"])

    n = max(ROWS // 3, 20)
    write(
        "wide",
        pa.table(
            {
                "list": pa.array([[i, None] if i % 3 else None for i in range(n)], pa.list_(pa.int32())),
                "after": pa.array(range(n), pa.int32()),
                "struct": pa.array([{"a": i, "b": "x"} for i in range(n)]),
                "map": pa.array([[("k", i)] for i in range(n)], pa.map_(pa.string(), pa.int32())),
                "wide": pa.array([None] * n, pa.decimal256(50, 2)),
                "last": pa.array([f"v{i}" for i in range(n)]),
            }
        ),
    )


main(sys.argv[1])
