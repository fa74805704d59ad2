"""One peer's process: runs one query RUNS times over a folder of Parquet files; prints JSON: the best wall and CPU seconds, peak
resident MB, and pickles the rows to a file.

usage: peer.py ENGINE FOLDER SQL-FILE RUNS THREADS ROWS-FILE [MEMORY-LIMIT]      SQL-FILE "-" runs nothing: the base memory"""
import glob
import json
import os
import pickle
import resource
import sys
import time


def duckdb_session(files, threads, limit):
    import duckdb
    assert duckdb.__version__.startswith("2.0."), duckdb.__version__
    c = duckdb.connect()
    c.execute("set threads=%d" % threads)
    c.execute("set enable_external_file_cache=false")
    if limit:
        c.execute("set memory_limit='%s'" % limit)
    got = c.execute("select current_setting('threads'), current_setting('enable_external_file_cache')").fetchone()
    assert got == (threads, False), got
    for table, file in files.items():
        c.execute("create view %s as from '%s'" % (table, file))
    return lambda sql: c.execute(sql).fetchall()


def polars_session(files, threads, limit):
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars as pl
    assert pl.__version__.startswith("2.1."), pl.__version__
    assert pl.thread_pool_size() == threads
    context = pl.SQLContext({table: pl.scan_parquet(file) for table, file in files.items()})
    return lambda sql: context.execute(sql).collect(engine="streaming").rows()


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(engine, folder, sql_file, runs, threads, rows_file, limit=None):
    files = {os.path.basename(f)[:-8]: f for f in sorted(glob.glob(folder + "/*.parquet"))}
    run = {"duckdb": duckdb_session, "polars": polars_session}[engine](files, int(threads), limit)
    best = (0.0, 0.0)
    if sql_file != "-":
        sql = open(sql_file).read().strip().rstrip(";")
        best = None
        for _ in range(int(runs)):
            wall, used = time.perf_counter(), cpu()
            rows = run(sql)
            took = (time.perf_counter() - wall, cpu() - used)
            best = min(best or took, took)
        with open(rows_file, "wb") as out:
            pickle.dump(rows, out)
    print(json.dumps({"wall": best[0], "cpu": best[1], "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


main(*sys.argv[1:])
