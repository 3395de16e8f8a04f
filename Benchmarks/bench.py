#!/usr/bin/env python3
"""Runs mothlight and installed peers alternately on the same files; prints medians and ratios, keeps every raw run.

usage: bench.py MOTHLIGHT WORKFOLDER RUNS
"""
import datetime
import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile

binary, work, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
raw = []
# Rows by file, in millions.
ROWS = {"conn.log": 1.5, "days.log": 9, "conn.json": 1.5, "rows.binetflow": 1.5}


def measure(label, command):
    """CPU seconds (user + system), wall seconds and peak resident KiB of one run."""
    start = datetime.datetime.now()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = (datetime.datetime.now() - start).total_seconds()
    row = {"label": label, "cpu_s": round(usage.ru_utime + usage.ru_stime, 3), "wall_s": round(wall, 3), "rss_kib": usage.ru_maxrss, "status": status}
    raw.append(row)
    return row


def median(label, key="cpu_s"):
    return statistics.median(r[key] for r in raw if r["label"] == label)


def packets(path):
    count = 0
    with open(path, "rb") as f:
        f.seek(24)
        while len(head := f.read(16)) == 16:
            f.seek(struct.unpack("<I", head[8:12])[0], 1)
            count += 1
    return count


def together(path, name):
    """Wall seconds of two runs at once: what this machine's two cores give at best."""
    start = datetime.datetime.now()
    both = [subprocess.Popen(read(path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]
    for process in both:
        process.wait()
    raw.append({"label": f"{name} two runs at once", "cpu_s": 0, "wall_s": round((datetime.datetime.now() - start).total_seconds(), 3), "rss_kib": 0, "status": 0})


def read(path, shards=1):
    return [binary, "read", path, "--format", "ndjson", "--no-progress", "--shards", str(shards)]


def main():
    with tempfile.TemporaryDirectory() as scratch:
        captures = [n for n in ("mix-tests", "mix-apps", "mix-hosts", "days", "campus", "link", "evening", "steady") if os.path.exists(f"{work}/{n}.pcap")]
        for name in captures:
            path = f"{work}/{name}.pcap"
            for _ in range(runs):
                measure(f"{name} mothlight", read(path))
                if shutil.which("nfpcapd"):
                    measure(f"{name} nfpcapd", ["nfpcapd", "-r", path, "-w", scratch, "-t", "3600"])
                if shutil.which("ndpiReader"):
                    measure(f"{name} ndpiReader", ["ndpiReader", "-i", path])
        for name in ROWS:
            for _ in range(runs):
                measure(name, read(f"{work}/{name}"))
                for shards in (2, 4):
                    measure(f"{name} {shards} shards", read(f"{work}/{name}", shards))
                together(f"{work}/{name}", name)
        for name in ("days10", "flows1", "flows10"):
            if os.path.exists(f"{work}/{name}.pcap"):
                for _ in range(min(runs, 3)):
                    measure(name, read(f"{work}/{name}.pcap"))
        for _ in range(runs):
            measure("start-up", [binary, "detectors"])

    print("\n| capture | packets | Mpkt/CPU s | x nfpcapd | x ndpiReader | peak MB |")
    print("|---|---|---|---|---|---|")
    for name in captures:
        own = median(f"{name} mothlight")
        count = packets(f"{work}/{name}.pcap")
        def ratio(peer):
            return f"{median(f'{name} {peer}') / own:.1f}" if any(r["label"] == f"{name} {peer}" for r in raw) else "absent"
        print(f"| {name} | {count:,} | {count / own / 1e6:.1f} | {ratio('nfpcapd')} | {ratio('ndpiReader')} | {median(f'{name} mothlight', 'rss_kib') / 1024:.0f} |")
    print("\n| rows | M rows/CPU s | two cores : one, 2 shards | 4 shards | two runs at once : one | peak MB, 1 and 4 shards |")
    print("|---|---|---|---|---|---|")
    for name, millions in ROWS.items():
        wall = median(name, "wall_s")
        print(f"| {name}, {millions:g} M | {millions / median(name):.2f} | {wall / median(f'{name} 2 shards', 'wall_s'):.2f}x | "
              f"{wall / median(f'{name} 4 shards', 'wall_s'):.2f}x | {2 * wall / median(f'{name} two runs at once', 'wall_s'):.2f}x | "
              f"{median(name, 'rss_kib') / 1024:.0f}, {median(f'{name} 4 shards', 'rss_kib') / 1024:.0f} |")
    print("Two separate runs at once are what two cores of this machine give at best.")
    if "days" in captures and any(r["label"] == "days10" for r in raw):
        one, ten = packets(f"{work}/days.pcap"), packets(f"{work}/days10.pcap")
        print(f"\ngrowth: {one:,} packets {median('days mothlight'):.2f} CPU s, {ten:,} packets {median('days10'):.2f} CPU s: "
              f"{median('days10') / ten / (median('days mothlight') / one):.2f} times as much per packet; peak {median('days10', 'rss_kib') / 1024:.0f} MB")
    if any(r["label"] == "flows10" for r in raw):
        print(f"one-packet flows: 1 M {median('flows1'):.2f} CPU s, peak {median('flows1', 'rss_kib') / 1024:.0f} MB; "
              f"10 M through a table of 1 M {median('flows10'):.2f} CPU s, peak {median('flows10', 'rss_kib') / 1024:.0f} MB")
    print(f"start-up to the last line of `mothlight detectors`: {median('start-up', 'wall_s') * 1000:.0f} ms")
    os.makedirs("Benchmarks/runs", exist_ok=True)
    target = f"Benchmarks/runs/{datetime.date.today().isoformat()}.json"
    with open(target, "w") as f:
        json.dump({"cpu": next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "?"), "runs": raw}, f, indent=1)
    print(f"raw runs: {target}")


main()
