#!/usr/bin/env python3
"""Weir beside DuckDB and Polars: same files, same threads, one run. See README.md in this folder."""
import argparse
import json
import math
import os
import pickle
import platform
import re
import subprocess
import sys
import tempfile
import time

import compare

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOME = os.environ.get("WEIR_BENCH_DATA", os.path.join(ROOT, "build", "bench"))
WEIR = os.path.join(ROOT, "build", "release", "weir")
PEERS = ["duckdb==2.0.0", "polars==2.1.0", "tpchgen-cli"]
TEXTS = ["duckdb==1.5.5", "duckdb-extensions", "duckdb-extension-tpch", "duckdb-extension-tpcds"]
SPINE = [1, 6, 9, 13, 18]


def environment(name, packages):
    """The Python of a virtual environment that has the packages."""
    folder = os.path.join(HOME, "venv-" + name)
    python = os.path.join(folder, "bin", "python")
    stamp = os.path.join(folder, "packages")
    if not os.path.exists(stamp) or open(stamp).read() != " ".join(packages):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
        open(stamp, "w").write(" ".join(packages))
    return python


def tpch_data(sf):
    folder = os.path.join(HOME, "tpch", "sf%s" % sf)
    if not os.path.exists(os.path.join(folder, "region.parquet")):
        tool = os.path.join(os.path.dirname(environment("peers", PEERS)), "tpchgen-cli")
        subprocess.run([tool, "parquet", "-s", str(sf), "--output-dir=" + folder], check=True)
    return folder


def variant_data(name, sf):
    folder = os.path.join(HOME, "tpch", "sf%s-%s" % (sf, name))
    if not os.path.exists(os.path.join(folder, "supplier.parquet")):
        script = os.path.join(ROOT, "bench", "variant.py")
        subprocess.run([environment("peers", PEERS), script, name, tpch_data(sf), folder], check=True)
    return folder


def other_texts(name, folder):
    """The texts for a variant: with renamed columns, or with other literals."""
    target = folder + "-" + name
    os.makedirs(target, exist_ok=True)
    for file in os.listdir(folder):
        sql = open(os.path.join(folder, file)).read()
        if name == "renamed":
            sql = re.sub(r"\b((?:l|o|c|p|ps|s|n|r)_[a-z]+)\b", r"x\1", sql)
        else:
            for old, new in LITERALS:
                sql = sql.replace(old, new)
        open(os.path.join(target, file), "w").write(sql)
    return target


LITERALS = [("1998-09-02", "1996-03-11"), ("1994-01-01", "1995-04-01"), ("1995-01-01", "1996-02-01"), ("0.05", "0.02"), ("0.07", "0.06"),
            ("< 24", "< 31"), ("%green%", "%navy%"), ("%special%requests%", "%pending%deposits%"), ("> 300", "> 280"),
            ("1995-03-15", "1994-07-20"), ("BUILDING", "MACHINERY")]


def tpch_texts(sf):
    """The query texts come from DuckDB's package; the constant of query 11 goes with the scale."""
    folder = os.path.join(HOME, "texts", "tpch-sf%s" % sf)
    if not os.path.exists(os.path.join(folder, "22.sql")):
        os.makedirs(folder, exist_ok=True)
        code = ("import duckdb, sys; from duckdb_extensions import import_extension; import_extension('tpch'); c = duckdb.connect(); "
                "c.execute('load tpch'); import json; print(json.dumps(c.execute('select query_nr, query from tpch_queries()').fetchall()))")
        out = subprocess.run([environment("texts", TEXTS), "-c", code], check=True, capture_output=True, text=True).stdout
        for number, sql in json.loads(out.splitlines()[-1]):
            if number == 11:
                sql = re.sub(r"0\.0001\d*", "%.10f" % (0.0001 / float(sf)), sql)
            open(os.path.join(folder, "%02d.sql" % number), "w").write(sql)
    return folder


def spilled(command):
    """Megabytes that the query of a command, an EXPLAIN ANALYZE, wrote to disk: its last line says so."""
    p = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(re.search(r"spilled ([\d.]+) MB\"?\s*$", p.stdout).group(1))


def run_weir(folder, sql_file, options, limit):
    sql = open(sql_file).read().strip().rstrip(";")
    tables = sorted(f[:-8] for f in os.listdir(folder) if f.endswith(".parquet"))
    script = "".join("create view %s as from '%s/%s.parquet';\n" % (t, folder, t) for t in tables)
    with tempfile.TemporaryDirectory(dir=HOME) as temp:
        path, explain = os.path.join(temp, "script.sql"), os.path.join(temp, "explain.sql")
        open(path, "w").write(script + ".timer on\n" + (sql + ";\n") * options.runs)
        open(explain, "w").write(script + "explain analyze " + sql)
        command = [options.weir, "--threads", str(options.threads), "--mode", "csv", "--no-header", "-f", path]
        if limit:
            command += ["--memory-limit", limit, "--temp-dir", temp]
        with open(os.path.join(temp, "out"), "w+") as out:
            p = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True)
            if p.returncode:
                return {"failed": p.stderr.strip().splitlines()[0] if p.stderr.strip() else "status %d" % p.returncode}
            out.seek(0)
            rows = compare.parse_csv(out.read())
        more = {"spilled": spilled([explain if word == path else word for word in command])} if limit else {}
    times = re.findall(r"time: ([\d.]+) s  cpu: ([\d.]+) s  peak: (\d+) MB", p.stderr)
    wall, used = min((float(w), float(c)) for w, c, _ in times)
    peak = max(float(m) for _, _, m in times)
    return {"wall": wall, "cpu": used, "peak": peak, "rows": rows[:len(rows) // options.runs], **more}


def startup(options, count=40):
    """Seconds of a whole process that answers `select 1`: the median."""
    times = []
    for _ in range(count):
        start = time.perf_counter()
        subprocess.run([options.weir, "-c", "select 1"], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return sorted(times)[count // 2]


def run_peer(engine, folder, sql_file, options, limit):
    with tempfile.TemporaryDirectory(dir=HOME) as temp:
        rows_file = os.path.join(temp, "rows")
        command = [environment("peers", PEERS), os.path.join(ROOT, "bench", "peer.py"), engine, folder, sql_file, str(options.runs),
                   str(options.threads), rows_file] + ([limit] if limit else [])
        p = subprocess.run(command, capture_output=True, text=True, cwd=temp)
        if p.returncode:
            return {"failed": (p.stderr.strip().splitlines() or ["status %d" % p.returncode])[-1][:200]}
        result = json.loads(p.stdout)
        if sql_file != "-":
            result["rows"] = pickle.load(open(rows_file, "rb"))
        return result


def best(results):
    """Over rounds: the best wall time with its CPU time, the largest peak; a failure in any round is one."""
    for r in results:
        if "failed" in r:
            return r
    least = min(results, key=lambda r: r["wall"])
    return {**least, "peak": max(r["peak"] for r in results)}


def measure(number, folder, sql_file, options):
    seen = {e: [] for e in ["weir"] + options.peers}
    for _ in range(options.rounds):
        for engine in seen:
            limit = options.memory_limit
            if engine == "weir":
                seen[engine].append(run_weir(folder, sql_file, options, limit))
            else:
                seen[engine].append(run_peer(engine, folder, sql_file, options, limit if engine == "duckdb" else None))
    result = {e: best(r) for e, r in seen.items()}
    good = [e for e in options.peers if "failed" not in result[e]]
    line = {"query": number, "engines": {e: {k: v for k, v in r.items() if k != "rows"} for e, r in result.items()}}
    if "failed" not in result["weir"] and good:
        line["answer"] = next((d for d in (compare.differs(result["weir"]["rows"], result[e]["rows"]) for e in good[:1]) if d), "equal")
        line["ratio"] = result["weir"]["wall"] / min(result[e]["wall"] for e in good)
        line["cpu_ratio"] = result["weir"]["cpu"] / min(result[e]["cpu"] for e in good)
        line["peak_ratio"] = result["weir"]["peak"] / min(result[e]["peak"] for e in good)
        line["peak_ratio_without_base"] = result["weir"]["peak"] / min(result[e]["peak"] - options.base.get(e, 0) for e in good)
    return line


def cell(r):
    if "failed" in r:
        return r["failed"][:40]
    return "%.3f / %.2f / %.0f" % (r["wall"], r["cpu"], r["peak"]) + (", spilled %.0f" % r["spilled"] if "spilled" in r else "")


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else float("nan")


def print_line(line, options):
    cells = [cell(line["engines"][e]) for e in ["weir"] + options.peers]
    tail = ["%.2f" % line[k] if k in line else "-" for k in ("ratio", "cpu_ratio", "peak_ratio", "peak_ratio_without_base")]
    print("| %s | %s | %s |" % (line["query"], " | ".join(cells + tail), line.get("answer", "-")[:80]), flush=True)


def machine():
    model = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.machine())
    memory = next(l for l in open("/proc/meminfo") if l.startswith("MemTotal")).split()[1]
    return {"cpu": model, "processors": os.cpu_count(), "memory_gib": round(int(memory) / 2**20, 1), "kernel": platform.release()}


def commit():
    head = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    dirty = subprocess.run(["git", "-C", ROOT, "status", "--porcelain", "-uno"], capture_output=True, text=True).stdout.strip()
    return head + ("+changes" if dirty else "")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--suite", choices=["spine", "tpch"], default="spine")
    parser.add_argument("--sf", default="10")
    parser.add_argument("--queries", help="numbers, by commas")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3, help="of a query within a process; the best counts")
    parser.add_argument("--rounds", type=int, default=2, help="processes of each engine, in turn")
    parser.add_argument("--peers", default="duckdb,polars")
    parser.add_argument("--variant", choices=["zstd", "nullable", "big", "small", "unsorted", "renamed", "literals"],
                        help="the same queries over the same rows in another form, or with other literals")
    parser.add_argument("--memory-limit")
    parser.add_argument("--weir", default=WEIR)
    parser.add_argument("--json", help="where to write the figures")
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    compare.self_test()
    if options.self_test:
        return
    options.peers = [e for e in options.peers.split(",") if e]
    os.makedirs(HOME, exist_ok=True)
    folder, texts = tpch_data(options.sf), tpch_texts(options.sf)
    if options.variant and options.variant != "literals":
        folder = variant_data(options.variant, options.sf)
    if options.variant in ("renamed", "literals"):
        texts = other_texts(options.variant, texts)
    numbers = [int(q) for q in options.queries.split(",")] if options.queries else SPINE if options.suite == "spine" else list(range(1, 23))
    options.base = {e: run_peer(e, folder, "-", options, None)["peak"] for e in options.peers}
    print("commit %s, %s" % (commit(), json.dumps(machine())))
    print("TPC-H SF%s%s, %d threads, best of %d runs in each of %d rounds; wall s / CPU s / peak MB; Python's own memory: %s"
          % (options.sf, ", variant " + options.variant if options.variant else "", options.threads, options.runs, options.rounds, ", ".join("%s %.0f MB" % b for b in options.base.items())))
    print("| query | weir | %s | ratio | CPU | peak | peak, bare | answer |" % " | ".join(options.peers))
    print("|---" * (7 + len(options.peers)) + "|")
    lines = []
    for number in numbers:
        lines.append(measure("Q%d" % number, folder, os.path.join(texts, "%02d.sql" % number), options))
        print_line(lines[-1], options)
    ratios = [l["ratio"] for l in lines if "ratio" in l]
    print("geometric mean of %d ratios %.3f, CPU %.3f; worst peak ratio %.2f; answers equal: %d of %d" % (
        len(ratios), geometric_mean(ratios), geometric_mean([l["cpu_ratio"] for l in lines if "ratio" in l]),
        max([l["peak_ratio"] for l in lines if "ratio" in l], default=float("nan")),
        sum(l.get("answer") == "equal" for l in lines), len(lines)))
    seconds = startup(options)
    print("a whole process, weir -c 'select 1': %.1f ms" % (1000 * seconds))
    if options.json:
        json.dump({"commit": commit(), "machine": machine(), "time": time.strftime("%Y-%m-%d"), "options": vars(options), "startup_seconds": seconds, "lines": lines},
                  open(options.json, "w"), indent=1)
    sys.exit(0 if all(l.get("answer") == "equal" for l in lines) else 1)


main()
