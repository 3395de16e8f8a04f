#!/usr/bin/env python3
"""A simulated day in 24 minutes: does a station's memory stay flat?

usage: station_soak.py MOTHLIGHT [--hours 24] [--from-hour 0] [--speed 60] [--days N] [--folder DIR]

One station in a namespace with what a site has: an interface (an office of 290 machines, packets), an exporter of NetFlow v9 (a campus of 2,000
machines, five million flows a day, by the hour of the day), softflowd on the interface (IPFIX), a folder that Zeek writes into and puts away every hour
(another office of 290 machines), five people who look at pages, two browsers with live updates. All times are those of now: a day's traffic
comes in 24 minutes. --days N: Zeek's folder alone, with the times of N simulated days that are all alike, from noon to noon, so that days end
on the way; what is kept in memory is then compared day by day at the same hours.

Each 5 s: resident and own memory, open files, threads, CPU, size of store and state, hosts, pairs, drops. Prints one JSON object.
"""
import argparse
import asyncio
import gzip
import json
import mmap
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib

import numpy

from station_lab import PORT, SENDING, WATCHED, Lab, Station, backlog_drops, need, of_source

FLOWS, EXPORTED = 2055, 4739
OFFICE = """name: office
seed: {seed}
start: "2026-03-02"
hours: 24
formats: [{format}]
home: 10.{seed}.0.0/16
machines:
  - {{group: office, kind: office, count: 200}}
  - {{group: night, kind: office, count: 20, online: 24, services: {{backup: true}}}}
  - {{group: iot, kind: iot, count: 60}}
  - {{group: servers, kind: server, count: 10}}
infections:
  - {{host: office/3, kind: beacon, period_s: 300, jitter: 0.2, family: examplebot}}
  - {{host: iot/5, kind: scan, port: 23, transport: tcp}}
  - {{host: office/9, kind: nxdomain_burst}}
  - {{host: office/12, kind: p2p}}
"""


class Day:
    """Simulated time: from `first` seconds after the day's beginning on, `speed` times as fast as ours."""

    def __init__(self, began, speed, first, seconds):
        self.began, self.speed, self.first, self.last = began, speed, first, first + seconds

    @property
    def now(self):
        return self.first + (time.time() - self.began) * self.speed

    @property
    def is_over(self):
        return self.now >= self.last


def zeek(day, simulated, folder, shift):
    """Writes rows when their time has come; every hour the logs are put away as Zeek does, packed. `shift`: added to times; None: now."""
    rows, heads, zero = [], {}, None
    for name in sorted(os.listdir(simulated)):
        lines = open(f"{simulated}/{name}", encoding="utf-8").read().splitlines(keepends=True)
        heads[name] = "".join(line for line in lines if line.startswith("#") and not line.startswith("#close"))
        rows += [(float(line.split("\t", 1)[0]), name, line) for line in lines if not line.startswith("#")]
    rows.sort()
    zero = rows[0][0] // 86400 * 86400
    os.makedirs(f"{folder}/current", exist_ok=True)
    files, hour, n, days = {}, int(day.now // 3600), 0, 0
    while n < len(rows) and rows[n][0] - zero < day.first:
        n += 1
    while not day.is_over:
        now = day.now
        if n == len(rows):
            # The next day is like the one before.
            n, days = 0, days + 86400
        if int(now // 3600) != hour:
            put_away(folder, files, hour)
            files, hour = {}, int(now // 3600)
        while n < len(rows) and rows[n][0] - zero + days <= now:
            at, name, line = rows[n]
            at, n = at + days, n + 1
            if name not in files:
                files[name] = open(f"{folder}/current/{name}", "w", encoding="utf-8")
                files[name].write(heads[name])
            cells = line.split("\t")
            if shift is None:
                cells[0] = f"{day.began + (at - zero - day.first) / day.speed:.6f}"
                if name == "conn.log" and cells[8] != "-":
                    cells[8] = f"{float(cells[8]) / day.speed:.6f}"
            else:
                cells[0] = f"{at + shift:.6f}"
            files[name].write("\t".join(cells))
        for file in files.values():
            file.flush()
        time.sleep(0.1)


def put_away(folder, files, hour):
    archive = f"{folder}/day-{hour // 24}"
    os.makedirs(archive, exist_ok=True)
    for name, file in files.items():
        file.close()
        to = f"{archive}/{name.removesuffix('.log')}.{hour % 24:02d}:00:00-{(hour + 1) % 24:02d}:00:00.log"
        os.rename(f"{folder}/current/{name}", to)
        with open(to, "rb") as plain, gzip.open(to + ".gz", "wb", compresslevel=1) as packed:
            shutil.copyfileobj(plain, packed)
        os.remove(to)


def frames(day, capture):
    """Sends the packets of a capture when their time has come."""
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind((SENDING, 0))
    with open(capture, "rb") as f:
        octets = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
    view, head, at, zero, sent = memoryview(octets), struct.Struct("<IIII"), 24, None, 0
    while at + 16 <= len(octets) and not day.is_over:
        now = day.now
        while at + 16 <= len(octets):
            seconds, micros, captured, _ = head.unpack_from(octets, at)
            zero = zero if zero is not None else seconds // 86400 * 86400
            due = seconds - zero + micros / 1e6
            if due > now:
                break
            if due >= day.first:
                try:
                    out.send(view[at + 16:at + 16 + captured])
                    sent += 1
                except OSError:
                    pass
            at += 16 + captured
        time.sleep(0.005)
    print(json.dumps({"frames": sent}))


FIELDS = [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (6, 1), (2, 4), (1, 4), (22, 4), (21, 4)]


def flows(day):
    """NetFlow v9 of a campus: both directions of each conversation; known servers by popularity, one in seven is new to its machine."""
    draw = random.Random(3)
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    template = struct.pack(">HH", 256, len(FIELDS)) + b"".join(struct.pack(">HH", *f) for f in FIELDS)
    template = struct.pack(">HH", 0, 4 + len(template)) + template
    began, number, sent, owed, last = time.time(), 0, 0, 0.0, time.time()
    while not day.is_over:
        time.sleep(0.02)
        now = time.time()
        # People come at eight, most are there at eleven and at three, a third of the traffic never sleeps.
        hour = day.now / 3600 % 24
        share = 0.25 + 0.75 * max(0.0, 1 - ((hour - 13.5) / 6) ** 2)
        owed += (now - last) * day.speed * 95 * share
        last = now
        while owed >= 15:
            owed -= 15
            body, uptime = b"", int((now - began) * 1000) + 600_000
            for _ in range(15):
                host = 0x0A030000 + draw.randrange(2000)
                server = 0xC6120000 + (draw.randrange(1 << 17) if draw.random() < 0.15 else int(3000 * draw.random() ** 3))
                port, octets = draw.randrange(1024, 65536), int(draw.lognormvariate(8, 1.5))
                for a, b, p, q, o in ((host, server, port, 443, octets // 6 + 60), (server, host, 443, port, octets)):
                    body += struct.pack(">IIHHBBIIII", a, b, p, q, 6, 27, o // 700 + 2, o, uptime - draw.randrange(200, 900), uptime - 100)
            records = struct.pack(">HH", 256, 4 + len(body)) + body
            head = struct.pack(">HHIIII", 9, 30 + (number % 20 == 0), uptime, int(now), number, 1)
            out.sendto(head + (template if number % 20 == 0 else b"") + records, ("127.0.0.1", FLOWS))
            number, sent = number + 1, sent + 30
    print(json.dumps({"flow_records": sent, "datagrams": number}))


async def people(day):
    """Five people with a page every two seconds, a program with ETags, two browsers that wait for events."""
    paths = ["/", "/hosts", "/botnets", "/networks", "/findings", "/cases", "/sensors", "/search?q=10.1", "/about"]
    waits, failed, events, unchanged = [], 0, 0, 0

    async def ask(path, headers=""):
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n".encode())
            out = b""
            while part := await asyncio.wait_for(reader.read(65536), 20):
                out += part
            return out
        finally:
            writer.close()

    async def person(n):
        nonlocal failed
        while not day.is_over:
            began = time.monotonic()
            try:
                answer = await ask(random.choice(paths))
                failed += not answer.startswith(b"HTTP/1.1 200")
                waits.append(time.monotonic() - began)
            except (OSError, asyncio.TimeoutError):
                failed += 1
            await asyncio.sleep(2)

    async def program():
        nonlocal unchanged
        tag = ""
        while not day.is_over:
            answer = await ask("/api/v1/findings?limit=100", f"If-None-Match: {tag}\r\n" if tag else "")
            unchanged += answer.startswith(b"HTTP/1.1 304")
            tag = next((l.split(": ", 1)[1] for l in answer.decode("utf-8", "replace").split("\r\n") if l.lower().startswith("etag: ")), tag)
            await asyncio.sleep(5)

    async def browser():
        nonlocal events
        while not day.is_over:
            reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
            writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try:
                while not day.is_over and (line := await asyncio.wait_for(reader.readline(), 60)):
                    events += line.startswith(b"event:")
            except asyncio.TimeoutError:
                pass
            writer.close()
            await asyncio.sleep(1)

    tasks = [asyncio.ensure_future(t) for t in (*(person(n) for n in range(5)), program(), browser(), browser())]
    while not day.is_over:
        await asyncio.sleep(1)
    for task in tasks:
        task.cancel()
    waits.sort()
    at = lambda share: round(waits[int(share * (len(waits) - 1))] * 1000, 1) if waits else None
    print(json.dumps({"pages": len(waits), "failed": failed, "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1), "events": events, "unchanged": unchanged}))


def tree(path):
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.path.getsize(f"{folder}/{name}")
            except OSError:
                pass
    return total


def slope(seconds, values):
    """Least squares through the means of each minute, per hour of our time, with a 95 % interval (Student's t for the minutes)."""
    t, y = numpy.array(seconds), numpy.array(values, float)
    minutes = numpy.unique(t // 60)
    x = numpy.array([t[t // 60 == m].mean() for m in minutes]) / 3600
    z = numpy.array([y[t // 60 == m].mean() for m in minutes])
    if len(x) < 4:
        return None
    a = numpy.vstack([x, numpy.ones_like(x)]).T
    (by, _), *_ = numpy.linalg.lstsq(a, z, rcond=None)
    rest = z - a @ numpy.linalg.lstsq(a, z, rcond=None)[0]
    error = (rest @ rest / (len(x) - 2) / ((x - x.mean()) ** 2).sum()) ** 0.5
    t95 = {2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31, 9: 2.26, 10: 2.23, 12: 2.18, 15: 2.13, 20: 2.09}
    wide = t95[min(t95, key=lambda n: abs(n - (len(x) - 2)))]
    return {"per_hour": round(float(by)), "from": round(float(by - wide * error)), "to": round(float(by + wide * error)), "minutes": len(x)}


def by_day(rows, speed):
    """Median own memory, and pairs, of each simulated day by quarters of it."""
    out = []
    for n in range(int(rows[-1]["at"] * speed // 21600)):
        mine = [r for r in rows if n * 21600 <= r["at"] * speed < (n + 1) * 21600]
        if mine:
            out.append({"day": n // 4, "quarter": n % 4, "own": int(numpy.median([r["own"] for r in mine])), "pairs": int(numpy.median([r["pairs"] for r in mine])),
                        "highest_own": max(r["own"] for r in mine), "files": max(r["files"] for r in mine)})
    return out


def explained(rows):
    """Own memory as a sum of a part that stays, one for each pair and host in the tables, and one that grows with time."""
    y = numpy.array([r["own"] for r in rows], float)
    a = numpy.array([[1, r["pairs"], (r["at"] - rows[0]["at"]) / 3600] for r in rows], float)
    found, *_ = numpy.linalg.lstsq(a, y, rcond=None)
    rest = y - a @ found
    return {"fixed": round(found[0]), "per_pair": round(float(found[1]), 1), "per_hour_beyond": round(float(found[2])), "residual_rms": round(float((rest @ rest / len(y)) ** 0.5))}


def soak(options):
    need("ip", *([] if options.days else ["softflowd"]))
    with tempfile.TemporaryDirectory(prefix="mothlight-soak-", dir=options.folder) as folder, Lab() as lab:
        for seed, kind in ((1, "zeek"), (2, "pcap")):
            with open(f"{folder}/{kind}.yaml", "w") as f:
                f.write(OFFICE.format(seed=seed, format=kind))
            subprocess.run([options.mothlight, "simulate", f"{folder}/{kind}.yaml", "--output", f"{folder}/{kind}"], check=True, stdout=subprocess.DEVNULL)
        os.makedirs(f"{folder}/logs")
        logs = "logs: logs, name: zeek"
        sources = [logs] if options.days else [
            f"interface: {WATCHED}", f"flows: \"127.0.0.1:{FLOWS}\", name: campus", f"flows: \"127.0.0.1:{EXPORTED}\", name: softflowd", logs]
        station = Station(lab, options.mothlight, folder, sources, ["10.0.0.0/8"])
        time.sleep(3)
        began = time.time()
        roles = [["zeek", f"{folder}/zeek/zeek", f"{folder}/logs"], ["people"]]
        if not options.days:
            roles += [["frames", f"{folder}/pcap/office.pcap"], ["flows"]]
            lab.start(["softflowd", "-i", WATCHED, "-n", f"127.0.0.1:{EXPORTED}", "-v", "10", "-t", "expint=10", "-t", "maxlife=60", "-d",
                       "-p", f"{folder}/softflowd.pid", "-c", f"{folder}/softflowd.ctl"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        words = [str(options.speed), str(options.from_hour), str(options.hours), str(began), str(options.days)]
        played = [(r[0], lab.start([sys.executable, __file__, "--role", *words, *r], stdout=subprocess.PIPE, text=True)) for r in roles]
        day = Day(began, options.speed, options.from_hour * 3600, options.hours * 3600)
        rows, idle = [], options.settle
        ending = began + options.hours * 3600 / options.speed + idle
        while time.time() < ending:
            rows.append(sample(station, began, folder))
            time.sleep(max(0.1, 5 - (time.time() - began) % 5))
        metrics, wire = station.metrics(), lab.interface()
        result = {"speed": options.speed, "hours": options.hours, "days": options.days, "cores": os.cpu_count(), "load": os.getloadavg(),
                  "played": {name: tail(child) for name, child in played},
                  "sources": {n: of_source(metrics, n) for n in ("zeek", WATCHED, "campus", "softflowd")}, "wire": wire,
                  "cpu_s": round(station.cpu_seconds(), 1), "threads": station.threads()}
        live = [r for r in rows if r["at"] < (ending - idle - began)]
        half = [r for r in live if r["at"] >= live[-1]["at"] / 2]
        third = [r for r in live if r["at"] >= live[-1]["at"] * 2 / 3]
        for name in ("rss", "own"):
            result[name] = {"start": rows[0][name], "warm": next(r[name] for r in rows if r["at"] >= 120), "end": live[-1][name], "settled": rows[-1][name],
                            "highest": max(r[name] for r in rows), "slope_second_half": slope([r["at"] for r in half], [r[name] for r in half]),
                            "slope_last_third": slope([r["at"] for r in third], [r[name] for r in third])}
        # The board tells of the tables after each judgement, so these rows are where both are of one moment.
        judged = [r for before, r in zip(live, live[1:]) if r["observations_total"] != before["observations_total"] and r["at"] >= 60]
        result["explained"] = explained(judged)
        if options.days:
            result["by_day"] = by_day(rows, options.speed)
        for name in ("files", "threads", "store", "state", "hosts", "pairs"):
            result[name if name != "threads" else "thread_count"] = [rows[0][name], half[0][name], live[-1][name], rows[-1][name]]
        result["stop"] = station.stop()
        result["log"] = open(f"{folder}/log").read()[-2000:].replace(folder, ".")
        result["samples"] = rows
        return result


def tail(child):
    text = child.communicate()[0].strip()
    return json.loads(text) if text else None


def sample(station, began, folder):
    metrics = station.metrics()
    row = {"at": round(time.time() - began, 1), **station.memory(), "cpu": round(station.cpu_seconds(), 2), "store": tree_of_store(folder), "state": tree(f"{folder}/data/state")}
    for name in ("hosts", "pairs", "observations_total", "judging_seconds"):
        row[name] = metrics.get(name, 0)
    for part in ("used", "free", "store"):
        row[f"memory_{part}"] = metrics.get(f'memory_octets{{part="{part}"}}', 0)
    row["dropped"] = sum(v for k, v in metrics.items() if k.startswith("source_dropped_total"))
    return row


def tree_of_store(folder):
    return sum(os.path.getsize(f"{folder}/data/{n}") for n in os.listdir(f"{folder}/data") if n.startswith("store."))


def main():
    if "--role" in sys.argv:
        at = sys.argv.index("--role")
        speed, first, hours, began, days, role, *rest = sys.argv[at + 1:]
        day = Day(float(began), float(speed), float(first) * 3600, float(hours) * 3600)
        if role == "zeek":
            # From noon on, so that midnight is half-way, and all of it in the past.
            shift = None
            if days != "0":
                zero = next(float(l.split("\t", 1)[0]) for l in open(f"{rest[0]}/conn.log") if not l.startswith("#")) // 86400 * 86400
                shift = (time.time() // 86400 - 1 - int(days)) * 86400 + 43200 - zero
            zeek(day, *rest, shift)
        elif role == "frames":
            frames(day, *rest)
        elif role == "flows":
            flows(day)
        else:
            asyncio.run(people(day))
        return
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("mothlight")
    options.add_argument("--hours", type=float, default=24)
    options.add_argument("--from-hour", type=float, default=0)
    options.add_argument("--speed", type=float, default=60)
    options.add_argument("--settle", type=float, default=60, help="seconds that are watched after the day's end")
    options.add_argument("--days", type=int, default=0)
    options.add_argument("--folder", help="where scratch files go")
    given = options.parse_args()
    if given.days:
        given.hours = 24 * given.days
    print(json.dumps(soak(given), indent=1))


if __name__ == "__main__":
    main()
