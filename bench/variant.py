"""Writes a variant of a folder of Parquet files: the same rows in another form, to see that what is fast is general.

usage: variant.py NAME FROM-FOLDER TO-FOLDER      needs duckdb
  zstd        the codec is zstd
  nullable    every column may be NULL (none is), as most writers declare them
  big         row groups of a million rows
  small       row groups of 20,000 rows
  unsorted    rows in random order: no footer proves an order
  renamed     every column has another name (bench.py renames them in the queries)"""
import glob
import os
import sys

import duckdb

OPTIONS = {
    "zstd": "compression zstd, row_group_size 122880",
    "nullable": "compression snappy, row_group_size 122880",
    "big": "compression snappy, row_group_size 1000000",
    "small": "compression snappy, row_group_size 20000",
    "unsorted": "compression snappy, row_group_size 122880",
    "renamed": "compression snappy, row_group_size 122880",
}


def main(name, source, target):
    os.makedirs(target, exist_ok=True)
    c = duckdb.connect()
    c.execute("set threads=2; set preserve_insertion_order=true")
    for file in sorted(glob.glob(source + "/*.parquet")):
        out = os.path.join(target, os.path.basename(file))
        columns = [row[0] for row in c.execute("describe select * from '%s'" % file).fetchall()]
        items = ", ".join('"%s" as "x%s"' % (x, x) for x in columns) if name == "renamed" else "*"
        order = "order by hash(%s, 42)" % ", ".join('"%s"' % x for x in columns[:4]) if name == "unsorted" else ""
        c.execute("copy (select %s from '%s' %s) to '%s' (format parquet, %s)" % (items, file, order, out, OPTIONS[name]))


main(*sys.argv[1:])
