#!/usr/bin/env python3
"""A station under load: a replay at a fixed rate while readers poll, with and without hostile clients beside them.

usage: station_load.py replay  MOTHLIGHT CAPTURE... [--mbit 200] [--readers 50] [--store FILE] [--hostile]
       station_load.py capture MOTHLIGHT CAPTURE [--runs 3]

replay: captures are sent one after the other into a cable inside a namespace by tcpreplay; the station watches its other end and
serves pages there; wrk asks each page over its own connections as fast as it is answered. Drops are read from the station (which asks
the kernel's ring), from the interface, and from the kernel's queue, and what was sent is held against what was read.
capture: packets a CPU second of the station and of installed peers on the same cable, and of `mothlight read` on the same file.
tcpreplay and wrk run on the same two cores. Needs root. Prints one JSON object.
"""
import argparse
import json
import mmap
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import station_hostile
from station_lab import (PORT, SENDING, WATCHED, Lab, Station, backlog_drops, cpu_seconds, machine_cpu, move_days, need, of_source)

HOME = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]


def replay(lab, captures, mbit, loops=1):
    """One after the other, each held in memory before the first packet goes."""
    words = ["tcpreplay", "--intf1", SENDING, "--preload-pcap", "--quiet", "--loop", loops, "--stats", 0]
    return lab.start(words + (["--mbps", mbit] if mbit else ["--topspeed"]) + captures, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def sendable(path, folder):
    """The capture, or a copy in which no packet claims a length that tcpreplay refuses."""
    with open(path, "rb") as f:
        octets = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
    at, head, wrong = 24, struct.Struct("<II"), []
    while at + 16 <= len(octets):
        captured, length = head.unpack_from(octets, at + 8)
        if length > 262_144:
            wrong.append((at + 12, captured))
        at += 16 + captured
    if not wrong:
        return path
    out = f"{folder}/{os.path.basename(path)}"
    shutil.copyfile(path, out)
    with open(out, "r+b") as copy:
        for place, captured in wrong:
            copy.seek(place)
            copy.write(struct.pack("<I", captured))
    return out


def sent(output):
    """What tcpreplay says of itself."""
    found = re.search(r"Actual: (\d+) packets \((\d+) bytes\) sent in ([\d.]+) seconds", output)
    if not found:
        raise SystemExit(f"tcpreplay: {output[-600:]}")
    failed = re.search(r"Failed packets:\s+(\d+)", output)
    seconds = float(found[3])
    return {"packets": int(found[1]), "octets": int(found[2]), "seconds": seconds, "failed": int(failed[1]) if failed else 0,
            "mbit_s": round(int(found[2]) * 8 / seconds / 1e6, 1), "packets_s": round(int(found[1]) / seconds)}


def pages(station):
    """What readers look at: an infected host and a botnet that are there, and every kind of list."""
    rows = json.loads(station.ask("/api/v1/hosts?verdict=infected&limit=1") or "{}").get("items") or []
    host = rows[0]["host"] if rows else None
    names = json.loads(station.ask("/api/v1/botnets?limit=1") or "{}").get("items") or []
    paths = ["/", "/hosts", "/botnets", "/networks", "/findings", "/cases", "/sensors", "/search?q=10.0.1", "/api/v1/findings?limit=100"]
    if host:
        paths.insert(2, f"/hosts/{host}")
    if names:
        paths.insert(4, f"/botnets/{names[0]['botnet']}".replace(" ", "%20"))
    return paths


def readers(lab, paths, count, seconds):
    """One wrk for each page, so that each has its own latencies; `count` connections in all."""
    out = []
    for n, path in enumerate(paths):
        connections = count // len(paths) + (n < count % len(paths))
        if connections:
            command = ["wrk", "--threads", 1, "--connections", connections, "--duration", f"{seconds}s", "--timeout", "20s", "--latency",
                       "--script", LATENCIES.name, f"http://127.0.0.1:{PORT}{path}"]
            out.append((path, connections, lab.start(command, stdout=subprocess.PIPE, text=True)))
    return out


LATENCIES = tempfile.NamedTemporaryFile("w", suffix=".lua")
LATENCIES.write("""
done = function(summary, latency, requests)
  io.write(string.format('{"requests":%d,"p50_ms":%.1f,"p90_ms":%.1f,"p99_ms":%.1f,"max_ms":%.1f,"not_2xx":%d,"timeouts":%d,"socket_errors":%d}\\n',
    summary.requests, latency:percentile(50) / 1000, latency:percentile(90) / 1000, latency:percentile(99) / 1000, latency.max / 1000,
    summary.errors.status, summary.errors.timeout, summary.errors.connect + summary.errors.read + summary.errors.write))
end
""")
LATENCIES.flush()


def collect(readers):
    """Latencies by page. A request that is slow stays on its connection, so a closed loop asks less then: no percentile is corrected for that."""
    out = {}
    for path, connections, child in readers:
        text = child.communicate()[0]
        row = next((json.loads(line) for line in text.splitlines() if line.startswith("{")), {"error": text[-300:]})
        out[path] = {"connections": connections, **row}
    return out


def loaded(options):
    need("tcpreplay", "wrk", "ip")
    with tempfile.TemporaryDirectory(prefix="mothlight-load-", dir=options.folder) as folder, Lab() as lab:
        if options.store:
            os.makedirs(f"{folder}/data")
            shutil.copyfile(options.store, f"{folder}/data/store.sqlite")
            move_days(f"{folder}/data/store.sqlite", int(time.time() // 86400) - 1)
        captures = [sendable(path, folder) for path in options.captures]
        station = Station(lab, options.mothlight, folder, [f"interface: {WATCHED}"], HOME, f"  judge_every_s: {options.judge}\n")
        time.sleep(2)
        paths = pages(station)
        result = {"cores": os.cpu_count(), "load_before": os.getloadavg()[0], "store_octets": int(station.metrics().get("store_octets", 0)),
                  "judge_every_s": options.judge, "readers": options.readers, "before": station.memory()}
        sender = replay(lab, captures, options.mbit)
        while lab.interface()["rx_packets"] < 1000:
            time.sleep(0.05)
            if sender.poll() is not None:
                raise SystemExit(sender.communicate()[0][-600:])
        first = {"busy": machine_cpu(), "station": station.cpu_seconds(), "drops": backlog_drops(), "at": time.monotonic()}
        asking = readers(lab, paths, options.readers, options.seconds)
        attack = station_hostile.Attack(lab, PORT, options.seconds - 5) if options.hostile else None
        peak, ticks = 0, []
        while time.monotonic() < first["at"] + options.seconds:
            time.sleep(1)
            memory = station.memory()
            peak = max(peak, memory["rss"])
            ticks.append([round(time.monotonic() - first["at"], 1), memory["rss"], memory["own"], memory["files"]])
        result["pages"] = collect(asking)
        if attack:
            result["hostile"] = attack.report()
        busy, last = machine_cpu(), time.monotonic()
        result["cpu_s"] = {
            "station": round(station.cpu_seconds() - first["station"], 2), "tcpreplay": round(cpu_seconds(sender.pid), 2) if sender.poll() is None else None,
            "machine_busy": round(busy[0] - first["busy"][0], 2), "machine": round(busy[1] - first["busy"][1], 2), "wall": round(last - first["at"], 1)}
        result["threads"] = station.threads()
        result["sent"] = sent(sender.communicate()[0])
        time.sleep(2)
        metrics, wire = station.metrics(), lab.interface()
        if not metrics:
            sys.stderr.write(f"no answer after the run; {station.memory()}, {station.threads()}\n")
            os.system(f"cat /proc/{station.process}/net/tcp | awk '{{print $4}}' | sort | uniq -c >&2; tail -5 {folder}/log >&2")
            time.sleep(10)
            metrics = station.metrics()
        source = of_source(metrics, WATCHED)
        result["source"] = source
        result["wire"] = {**wire, "backlog_dropped": backlog_drops() - first["drops"]}
        # Frames that are no packets are records, too.
        result["lost"] = {"wire_to_station": wire["rx_packets"] - source["records"],
                          "sent_to_wire": result["sent"]["packets"] - wire["rx_packets"], **source["dropped"]}
        result["judging_s"], result["hosts"], result["pairs"] = metrics["judging_seconds"], metrics["hosts"], metrics["pairs"]
        result["after"], result["peak_rss"], result["memory"] = station.memory(), peak, ticks
        result["stop"] = station.stop()
        return result


def speed(options):
    """The same packets, as fast as they go: CPU seconds of each program, and of `read` on the file."""
    need("tcpreplay", "ip")
    raw = []
    with tempfile.TemporaryDirectory(prefix="mothlight-load-", dir=options.folder) as folder, Lab() as lab:
        for n in range(options.runs):
            for who in ("station", "tcpdump", "nfpcapd", "read"):
                if who in ("tcpdump", "nfpcapd") and not shutil.which(who):
                    continue
                raw.append({"who": who, **measure(who, lab, options, f"{folder}/{who}{n}")})
    rows = {}
    for who in dict.fromkeys(r["who"] for r in raw):
        mine = [r for r in raw if r["who"] == who]
        rows[who] = {"packets_per_cpu_s": round(statistics.median(r["packets"] / r["cpu_s"] for r in mine)),
                     **({"capture_thread_packets_per_cpu_s": round(statistics.median(r["packets"] / r["capture_thread_cpu_s"] for r in mine))} if who == "station" else {}),
                     "cpu_s": round(statistics.median(r["cpu_s"] for r in mine), 2), "lost": sum(r["lost"] for r in mine)}
    return {"cores": os.cpu_count(), "mbit": options.mbit, "medians": rows, "runs": raw}


def measure(who, lab, options, folder):
    os.makedirs(folder)
    before = lab.interface()["rx_packets"]
    if who == "read":
        child = subprocess.Popen([options.mothlight, "read", options.captures[0], "--format", "ndjson", "--no-progress"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, _, usage = os.wait4(child.pid, 0)
        packets = sum(1 for _ in packets_of(options.captures[0]))
        return {"packets": packets, "cpu_s": usage.ru_utime + usage.ru_stime, "lost": 0}
    if who == "station":
        station = Station(lab, options.mothlight, folder, [f"interface: {WATCHED}"], HOME)
        child = station.child
    elif who == "tcpdump":
        child = lab.start(["tcpdump", "-i", WATCHED, "-w", "/dev/null", "-B", "65536", "-Z", "root"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    else:
        child = lab.start(["nfpcapd", "-i", WATCHED, "-w", folder, "-t", "3600"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)
    thread = station.waiting_in_poll() if who == "station" else None
    idle = cpu_seconds(child.pid)
    sender = replay(lab, options.captures, options.mbit)
    output = sender.communicate()[0]
    time.sleep(1.5)
    cpu = cpu_seconds(child.pid) - idle
    packets = lab.interface()["rx_packets"] - before
    out = {"packets": packets, "cpu_s": round(cpu, 2), "mbit_s": sent(output)["mbit_s"]}
    if who == "station":
        source = of_source(station.metrics(), WATCHED)
        out |= {"lost": packets - source["records"] + sum(source["dropped"].values()), "capture_thread_cpu_s": round(cpu_seconds(f"{child.pid}/task/{thread}"), 2)}
        station.stop()
    else:
        child.terminate()
        said = child.communicate(timeout=20)[1] or ""
        lost = [int(n) for n in re.findall(r"(\d+) packets dropped by kernel", said)] + [int(n) for n in re.findall(r"[Dd]ropped: (\d+)", said)]
        out["lost"] = sum(lost)
    return out


def packets_of(path):
    with open(path, "rb") as f:
        f.seek(24)
        while len(head := f.read(16)) == 16:
            yield f.seek(struct.unpack("<I", head[8:12])[0], 1)


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("what", choices=["replay", "capture"])
    options.add_argument("mothlight")
    options.add_argument("captures", nargs="+")
    options.add_argument("--mbit", type=float, default=200)
    options.add_argument("--readers", type=int, default=50)
    options.add_argument("--seconds", type=int, default=90)
    options.add_argument("--judge", type=int, default=30, help="seconds between judgements")
    options.add_argument("--store", help="a store made by Benchmarks/StationStore; default: an empty one")
    options.add_argument("--hostile", action="store_true")
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--folder", help="where scratch files go")
    given = options.parse_args()
    print(json.dumps(loaded(given) if given.what == "replay" else speed(given), indent=1))


if __name__ == "__main__":
    main()
