#!/usr/bin/env python3
"""A station's store at 10 M findings and 1,000 botnets: Benchmarks/station_store.py [--findings N] [--days N] [--hosts N] [--runs N].

Builds Benchmarks/StationStore, fills a store by a fixed seed in transactions of 3,000 host-days, opens it in new processes, and asks
what the pages ask, RUNS times each. Only the time inside `keep` counts as writing. "plain" is the same number of rows of the same size
in one table without an index, written by Python's sqlite3 in this run: what the machine gives just now. Prints one JSON object.
"""

import argparse, json, os, platform, resource, sqlite3, statistics, subprocess, sys, tempfile, time
from pathlib import Path

here = Path(__file__).resolve().parent


def tell(*arguments):
    done = subprocess.run([str(a) for a in arguments], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{arguments}: status {done.returncode}")
    return json.loads(done.stdout)


def plain(path, rows, octets):
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("PRAGMA journal_mode = WAL")
    base.execute("PRAGMA synchronous = FULL")
    base.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)")
    body = os.urandom(octets)
    before, start, done = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter(), 0
    while done < rows:
        base.execute("BEGIN")
        base.executemany("INSERT INTO t (body) VALUES (?)", ((body,) for _ in range(10_000)))
        base.execute("COMMIT")
        done += 10_000
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    base.close()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"rows": done, "octets_each": octets, "rows_per_s": done / wall, "rows_per_cpu_s": done / cpu}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--findings", type=int, default=10_000_000)
    options.add_argument("--days", type=int, default=30)
    options.add_argument("--hosts", type=int, default=100_000)
    options.add_argument("--runs", type=int, default=15)
    options.add_argument("--program", help="built StationStore; default: build it")
    options.add_argument("--folder", help="where the store is made; default: a temporary folder")
    options = options.parse_args()
    program = options.program
    if not program:
        package = here / "StationStore"
        subprocess.run(["swift", "build", "-c", "release", "--package-path", package], check=True, stdout=sys.stderr)
        program = package / ".build/release/StationStore"
    with tempfile.TemporaryDirectory(prefix="mothlight-", dir=options.folder) as folder:
        store = Path(folder) / "store.sqlite"
        result = {"machine": platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg()}
        result["fill"] = tell(program, "fill", store, options.findings, options.days, options.hosts)
        each = result["fill"]["octets"] // max(1, result["fill"]["findings"])
        result["plain"] = plain(Path(folder) / "plain.sqlite", min(1_000_000, options.findings), each)
        result["open"] = [tell(program, "open", store) for _ in range(options.runs)]
        result["ask"] = tell(program, "ask", store, options.runs)
        result["medians_ms"] = {name: round(q["median_ms"], 2) for name, q in result["ask"]["questions"].items()}
        result["open_median_ms"] = statistics.median(o["open_ms"] for o in result["open"])
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
