#!/usr/bin/env python3
"""Makes tests/data/ordered, Parquet files in the order of a key, with pyarrow 26:

    tools/make_ordered_data.py tests/data/ordered

Parts follow each other on `k`, and on `day` and `code`, which rise with it. Runs of one key lie across the ends of
parts; some keys are in one of the files alone. Of `nulls` the first and the last part have no key at all."""
import datetime
import random
import sys

import pyarrow as pa
import pyarrow.parquet as pq


def write(folder, name, keys, rows_of_part, extra):
    start = datetime.date(1969, 6, 1)
    columns = {
        "k": pa.array(keys, pa.int64()),
        "day": pa.array([start + datetime.timedelta(days=k) for k in keys], pa.date32()),
        "code": pa.array([k + 2**31 for k in keys], pa.uint32()),
        "maybe": pa.array([None if k % 11 == 0 else k for k in keys], pa.int64()),
        **extra,
    }
    fields = [pa.field(n, a.type, nullable=n not in ("k", "day", "code")) for n, a in columns.items()]
    pq.write_table(pa.table(columns, schema=pa.schema(fields)), f"{folder}/{name}.parquet", row_group_size=rows_of_part)


def main(folder):
    r = random.Random(11)
    heads = [k for k in range(-150, 750) if k % 3 == 0]
    items = sorted(k for k in range(-160, 760) if k % 7 != 0 for _ in range(r.choice([0, 0, 1, 2, 5])))
    items += [760] * 300
    heads += [760]
    write(folder, "heads", heads, 40, {"name": pa.array([f"head {k % 5}" for k in heads])})
    write(folder, "items", items, 100, {"n": pa.array([i % 10 for i in range(len(items))], pa.int32())})
    keys = [None] * 50 + heads[:100] + [None] * 50
    pq.write_table(pa.table({"k": pa.array(keys, pa.int64()), "n": pa.array(range(len(keys)), pa.int32())}),
                   f"{folder}/nulls.parquet", row_group_size=50)


main(sys.argv[1])
