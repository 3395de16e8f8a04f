#!/usr/bin/env python3
"""From the start of `mothlight watch` to its first page, with a store of 1 GB and more: Benchmarks/station_start.py.

Fills a store by Benchmarks/StationStore, then starts the release program on it, RUNS times in each of three states: the file in the page
cache; the file out of the cache; and after its writer was killed (kill -9) with a log beside it. Measured from the start of the
process: the line that says the port is open, the whole first page (status 200), /readyz (status 200), and the stop after SIGTERM.
Prints one JSON object. Speaks to 127.0.0.1 only.
"""

import argparse, http.client, json, os, platform, shutil, signal, statistics, subprocess, sys, tempfile, time
from pathlib import Path

here = Path(__file__).resolve().parent


def forget(folder):
    """Takes the files out of the page cache."""
    os.sync()
    for path in folder.glob("store.sqlite*"):
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def ask(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    octets = len(answer.read())
    connection.close()
    return answer.status, octets


def start(program, data, logs):
    begin = time.perf_counter()
    arguments = [program, "watch", logs, "--data", data, "--listen", "127.0.0.1:0"]
    station = subprocess.Popen([str(a) for a in arguments], stderr=subprocess.PIPE, text=True)
    told = []
    try:
        for line in station.stderr:
            told.append(line)
            if "open http://" in line:
                break
        else:
            sys.exit("the station did not start: " + "".join(told))
        result = {"open_ms": (time.perf_counter() - begin) * 1e3}
        port = int(line.rsplit(":", 1)[1].strip().strip("/"))
        status, octets = ask(port, "/")
        result["page_ms"] = (time.perf_counter() - begin) * 1e3
        result["page_status"], result["page_octets"] = status, octets
        while ask(port, "/readyz")[0] != 200:
            if time.perf_counter() - begin > 30:
                break
            time.sleep(0.005)
        result["ready_ms"] = (time.perf_counter() - begin) * 1e3
        stop = time.perf_counter()
        station.send_signal(signal.SIGTERM)
        station.stderr.read()
        result["exit_status"] = station.wait(timeout=30)
        result["stop_ms"] = (time.perf_counter() - stop) * 1e3
        return result
    finally:
        if station.poll() is None:
            station.kill()
            station.wait()


def kill_writer(fill, store, log_octets):
    """Lets a writer add to the store and kills it as soon as its log has some size."""
    writer = subprocess.Popen(
        [fill, "fill", store, "2000000", "1", "100000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    log = Path(str(store) + "-wal")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (log.exists() and log.stat().st_size >= log_octets):
        time.sleep(0.01)
    writer.kill()
    writer.wait()
    return log.stat().st_size


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--findings", type=int, default=2_000_000, help="some 700 octets each")
    options.add_argument("--runs", type=int, default=7)
    options.add_argument("--program", help="release program; default: .build/release/mothlight")
    options.add_argument("--fill", help="built StationStore; default: build it")
    options.add_argument("--store", help="a filled store; it is copied")
    options.add_argument("--folder", help="where all is made; default: a temporary folder")
    options = options.parse_args()
    program = options.program or here.parent / ".build/release/mothlight"
    fill = options.fill
    if not fill:
        package = here / "StationStore"
        subprocess.run(["swift", "build", "-c", "release", "--package-path", package], check=True, stdout=sys.stderr)
        fill = package / ".build/release/StationStore"
    # A station removes the detail of days that are long past.
    os.environ["STATION_NOW"] = str(int(time.time()))
    with tempfile.TemporaryDirectory(prefix="mothlight-", dir=options.folder) as folder:
        data, logs = Path(folder) / "data", Path(folder) / "logs"
        data.mkdir()
        logs.mkdir()
        store = data / "store.sqlite"
        if options.store:
            shutil.copyfile(options.store, store)
        else:
            subprocess.run([fill, "fill", store, str(options.findings), "30", "20000"], check=True, stdout=sys.stderr)
        result = {"machine": platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg()}
        result["store_octets"] = store.stat().st_size
        runs = {"cached": [], "not_cached": [], "killed": []}
        start(program, data, logs)
        for _ in range(options.runs):
            runs["cached"].append(start(program, data, logs))
        for _ in range(options.runs):
            forget(data)
            runs["not_cached"].append(start(program, data, logs))
        for _ in range(options.runs):
            octets = kill_writer(fill, store, 32 << 20)
            forget(data)
            runs["killed"].append(start(program, data, logs) | {"log_octets": octets})
        result["load_after"] = os.getloadavg()
        result["runs"] = runs
        result["medians_ms"] = {
            state: {key: round(statistics.median(run[key] for run in all_runs), 1)
                    for key in ("open_ms", "page_ms", "ready_ms", "stop_ms")}
            for state, all_runs in runs.items()}
        result["worst_ready_ms"] = {state: round(max(r["ready_ms"] for r in all_runs), 1) for state, all_runs in runs.items()}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
