#!/usr/bin/env python3
"""What peers say about the hosts of the truth table, beside Mothlight; prints a part of docs/detection-quality.md.

nDPI is run where it is installed (`ndpiReader`). Maltrail's heuristics and RITA's beacon score are re-stated from their
published descriptions (see the comments); neither program is run, and nothing of this is shipped in the product. Captures
are turned into rows by `tshark`.
"""
import argparse
import collections
import csv
import ipaddress
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys


class Rows:
    """Connections, look-ups and requests of one input, whatever its format."""

    def __init__(self):
        self.connections = []   # time, source, destination, port, protocol, octets sent, name
        self.lookups = []       # time, source, name, does not exist
        self.requests = []      # source, host, path, agent


def inside(address):
    try:
        return ipaddress.ip_address(address).is_private
    except ValueError:
        return False


# --- inputs ---------------------------------------------------------------------------------------------------------

def zeek_records(path):
    with open(path, errors="replace") as file:
        names = []
        for line in file:
            if line.startswith("{"):
                try:
                    yield json.loads(line)
                except ValueError:
                    pass
            elif line.startswith("#fields"):
                names = line.rstrip("\n").split("\t")[1:]
            elif line[0] != "#" and names:
                yield dict(zip(names, line.rstrip("\n").split("\t")))


def number(record, key, default=0.0):
    try:
        return float(record.get(key, default))
    except (TypeError, ValueError):
        return default


def from_zeek(folder):
    rows, uids, logs = Rows(), {}, collections.defaultdict(list)
    for path in sorted(f"{place}/{name}" for place, _, names in os.walk(folder) for name in names):
        for log in ("conn", "dns", "http", "ssl"):
            if re.match(rf"{log}\.log", os.path.basename(path)) and not path.endswith((".original", ".gz")):
                logs[log] += zeek_records(path)
    for log in ("http", "ssl"):
        for record in logs[log]:
            host = record.get("host" if log == "http" else "server_name", "-")
            if host and host != "-":
                uids.setdefault(record.get("uid"), (host, log == "http" and record.get("method") == "CONNECT"))
            if log == "http":
                rows.requests.append((record.get("id.orig_h", ""), host or "", record.get("uri", ""), record.get("user_agent", "")))
    for record in logs["conn"]:
        name, is_proxied = uids.get(record.get("uid"), (None, False))
        rows.connections.append((number(record, "ts"), record.get("id.orig_h", ""), record.get("id.resp_h", ""),
                                 int(number(record, "id.resp_p")), record.get("proto", ""),
                                 number(record, "orig_ip_bytes"), name, is_proxied))
    for record in logs["dns"]:
        rows.lookups.append((number(record, "ts"), record.get("id.orig_h", ""), record.get("query", ""),
                             record.get("rcode_name") == "NXDOMAIN"))
    return rows


def from_binetflow(path):
    import datetime
    rows = Rows()
    with open(path, errors="replace") as file:
        for record in csv.DictReader(file):
            try:
                time = datetime.datetime.strptime(record["StartTime"][:26], "%Y/%m/%d %H:%M:%S.%f").timestamp()
                port = int(record["Dport"] or "0", 0)
            except (ValueError, KeyError, TypeError):
                continue
            source, target = record["SrcAddr"], record["DstAddr"]
            if record.get("Dir", "").strip() == "<-":
                source, target = target, source
                port = int(record["Sport"] or "0", 0)
            rows.connections.append((time, source, target, port, record["Proto"], number(record, "SrcBytes"), None, False))
    return rows


FIELDS = ["frame.time_epoch", "ip.src", "ip.dst", "ip.len", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport",
          "tcp.flags.syn", "tcp.flags.ack", "dns.qry.name", "dns.flags.response", "dns.flags.rcode", "http.host",
          "http.request.uri", "http.user_agent", "tls.handshake.extensions_server_name"]


def from_captures(paths):
    rows = Rows()
    for path in paths:
        command = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "separator=/t", "-E", "occurrence=f"]
        text = subprocess.run(command + [part for field in FIELDS for part in ("-e", field)], capture_output=True, text=True).stdout
        open_flows = {}
        for line in text.splitlines():
            fields = line.split("\t")
            if len(fields) != len(FIELDS) or not fields[1]:
                continue
            add_packet(rows, open_flows, dict(zip(FIELDS, fields)))
    rows.connections.sort(key=lambda row: row[0])
    return rows


def add_packet(rows, open_flows, packet):
    protocol = "tcp" if packet["tcp.srcport"] else "udp"
    here, there = packet[f"{protocol}.srcport"] or "0", packet[f"{protocol}.dstport"] or "0"
    key = (packet["ip.src"], here, packet["ip.dst"], there, protocol)
    back = (packet["ip.dst"], there, packet["ip.src"], here, protocol)
    time = float(packet["frame.time_epoch"])
    is_start = packet["tcp.flags.syn"] in ("1", "True") and packet["tcp.flags.ack"] in ("0", "False")
    index = open_flows.get(key)
    if index is None and back not in open_flows or is_start and index is not None and time - rows.connections[index][0] > 120:
        open_flows[key] = index = len(rows.connections)
        rows.connections.append((time, packet["ip.src"], packet["ip.dst"], int(there), protocol, 0.0, None, False))
    if index is not None:
        row = list(rows.connections[index])
        row[5] += float(packet["ip.len"] or 0)
        row[6] = row[6] or packet["tls.handshake.extensions_server_name"] or packet["http.host"] or None
        rows.connections[index] = tuple(row)
    if packet["dns.qry.name"] and "53" in (here, there):
        is_answer = packet["dns.flags.response"] in ("1", "True")
        if is_answer:
            rows.lookups.append((time, packet["ip.dst"], packet["dns.qry.name"], packet["dns.flags.rcode"] == "3"))
        elif not is_answer:
            rows.lookups.append((time, packet["ip.src"], packet["dns.qry.name"], False))
    if packet["http.request.uri"]:
        rows.requests.append((packet["ip.src"], packet["http.host"], packet["http.request.uri"], packet["http.user_agent"]))


# --- Maltrail's heuristics (3.1, as described; trails and word lists are left out) -------------------------------------

def maltrail(rows, host):
    """Names of the heuristics that fire for one source."""
    fired = set()
    ports, hosts = collections.defaultdict(set), collections.defaultdict(set)
    for _, source, target, port, protocol, *_ in rows.connections:
        if source == host and protocol == "tcp":
            ports[target].add(port)
            hosts[port].add(target)
    if any(len(found) > 10 for found in ports.values()):
        fired.add("port scan")
    if any(len(found) > 32 for port, found in hosts.items() if port not in (80, 443)):
        fired.add("infection (many hosts, one port)")
    missing, below = collections.Counter(), collections.defaultdict(set)
    for time, source, name, is_missing in rows.lookups:
        if source != host or not name:
            continue
        labels = name.lower().rstrip(".").split(".")
        parent = ".".join(labels[-2:])
        if len(labels) > 2:
            below[parent].add(name)
        if len(labels[0]) > 24 and "-" not in labels[0] and "arpa" not in labels:
            fired.add("long name")
        if is_missing and "arpa" not in labels:
            missing[int(time // 3600), name] += 1
            missing[int(time // 3600), "*." + parent] += 1
            if any(entropy(label) > 3.5 or len(re.findall("[bcdfghjklmnpqrstvwxz]", label)) > 9 for label in labels[:-1]):
                fired.add("DGA-like name")
    if any(count > 20 for count in missing.values()):
        fired.add("excessive NXDOMAIN")
    if any(len(names) > 1000 for names in below.values()):
        fired.add("DNS exhaustion")
    for source, _, path, agent in rows.requests:
        if source == host:
            if re.search(r"\.(exe|dll|scr|bat|apk|sh|mips|arm\d?|x86)(\?|$)", path or "", re.I):
                fired.add("download")
            if re.search(r"sqlmap|nikto|nmap|masscan|python|curl|wget|libwww", agent or "", re.I):
                fired.add("user agent")
    return sorted(fired)


def entropy(text):
    count = collections.Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in count.values()) if text else 0


# --- RITA v5's beacon score (team's reference notes, section 2.2, from RITA's source) ---------------------------------

def quartiles(values):
    half = len(values) // 2
    return (statistics.median(values[:half]), statistics.median(values), statistics.median(values[len(values) - half:]))


def regularity(values, fallback):
    values = sorted(values)
    if len(values) < 2:
        return 0.0
    q1, q2, q3 = quartiles(values)
    bowley = 0.0 if q3 - q1 < 10 or q2 in (q1, q3) else (q1 + q3 - 2 * q2) / (q3 - q1)
    spread = statistics.median(abs(value - q2) for value in values)
    middle = fallback if q2 < 1 else max(0.0, (q2 - spread) / q2)
    return (1 - abs(bowley) + middle) / 2


def beacon_score(times, sizes, begin, end):
    seconds = sorted({int(time) for time in times})
    if not 4 <= len(seconds) < 86_400:
        return None
    gaps = [b - a for a, b in zip(seconds, seconds[1:]) if b > a]
    width = max(1.0, (end - begin) / 24)
    bins = [0] * 24
    for time in times:
        bins[min(23, int((time - begin) / width))] += 1
    used = [count for count in bins if count]
    mean = sum(bins) / 24
    steady = max(0.0, 1 - statistics.pstdev(bins) / mean) if mean else 0.0
    if len(used) >= 11:
        step = max(1, math.ceil(0.05 * max(used)))
        common = collections.Counter(count // step for count in used).most_common(2)
        steady = max(steady, min(1.0, sum(count for _, count in common) / max(len(used) - 1, 1)))
    duration = 0.0
    if len(used) >= 6:
        run = longest = 0
        for count in bins * 2:
            run = run + 1 if count else 0
            longest = max(longest, run)
        duration = max(min(1.0, (seconds[-1] - seconds[0]) / max(1.0, end - begin)), min(1.0, min(longest, 24) / 12))
    return round((regularity(gaps, 1) + regularity(sizes, 0) + steady + duration) / 4, 3)


def rita(rows, host):
    """The host's highest score over pairs of addresses and of names, and what it is about."""
    pairs = collections.defaultdict(list)
    if not rows.connections:
        return None
    for time, source, target, _, _, octets, name, is_proxied in rows.connections:
        if source != host:
            continue
        if not inside(target):
            pairs[target].append((time, octets))
        if name and (is_proxied or not inside(target)):
            pairs[name].append((time, octets))
    begin, end = rows.connections[0][0], max(row[0] for row in rows.connections)
    scored = [(beacon_score([t for t, _ in seen], [o for _, o in seen], begin, end), peer) for peer, seen in sorted(pairs.items())]
    return max((entry for entry in scored if entry[0] is not None), default=None)


# --- nDPI ----------------------------------------------------------------------------------------------------------

def ndpi(paths, hosts):
    """Flows that a host began, and its risks by name."""
    flows, risks = collections.Counter(), collections.defaultdict(collections.Counter)
    for path in paths:
        text = subprocess.run(["ndpiReader", "-i", path, "-v", "2"], capture_output=True, text=True, errors="replace").stdout
        for line in text.splitlines():
            found = re.match(r"\s+\d+\s+\S+ \[?([0-9a-fA-F.:]+?)\]?:\d+ <?->", line)
            if not found or hosts and found[1] not in hosts:
                continue
            flows[found[1]] += 1
            if told := re.search(r"\[Risk: (.*?)\]\[", line):
                for risk in re.findall(r"\*\* (.*?) \*\*", told[1]):
                    risks[found[1]][risk] += 1
    return flows, risks


# --- the table -----------------------------------------------------------------------------------------------------

def captures(path):
    if os.path.isfile(path):
        return [path]
    return sorted(f"{folder}/{name}" for folder, _, names in os.walk(path) for name in names if re.search(r"\.pcap(ng)?$", name))


def describe(row, options):
    path = f"{options.unpacked}/{row['path']}"
    files = captures(path) if row["format"] == "pcap" else []
    if row["format"].startswith("zeek"):
        rows = from_zeek(path)
    elif row["format"] == "binetflow":
        rows = from_binetflow(path)
    else:
        rows = from_captures(files) if shutil.which("tshark") else Rows()
    report = json.loads(subprocess.run([options.program, "read", path, "--format", "json"], capture_output=True, text=True).stdout or "{}")
    verdicts = {}
    rank = {"infected": 3, "suspicious": 2, "no_sign": 1, "not_enough_data": 0}
    for day in report.get("host_days", []):
        if rank.get(day["verdict"], 0) >= rank.get(verdicts.get(day["host"]), -1):
            verdicts[day["host"]] = day["verdict"]
    hosts = [row["host"]] if row["host"] else sorted(verdicts, key=lambda host: (-rank.get(verdicts[host], 0), host))
    said = collections.Counter(verdicts.get(host, "not seen") for host in hosts)
    rules = collections.Counter(rule for host in hosts for rule in maltrail(rows, host))
    best = max((entry for host in hosts if (entry := rita(rows, host))), default=None)
    cells = [os.path.basename(row["path"]), row["host"] or f"{len(hosts)} hosts", row["verdict"],
             counted(said, len(hosts)), "no packets"]
    if files and shutil.which("ndpiReader"):
        flows, risks = ndpi(files, set(hosts))
        total = collections.Counter()
        for host in hosts:
            total.update(risks[host])
        cells[4] = f"{sum(flows.values())} flows; " + (", ".join(f"{n} × {r}" for r, n in total.most_common(3)) or "no risk")
    elif files:
        cells[4] = "not installed"
    if files and not shutil.which("tshark"):
        return cells + ["tshark is not installed"] * 2
    cells.append(", ".join(rule if row["host"] else f"{rule} ({n} hosts)" for rule, n in sorted(rules.items())) or "nothing")
    cells.append(f"{best[0]:.3f} {best[1]}" if best else "no pair")
    return cells


def counted(said, hosts):
    if hosts == 1:
        return next(iter(said))
    return ", ".join(f"{n} {word}" for word, n in said.most_common()) or "no host"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--unpacked", required=True)
    options = parser.parse_args()
    table = [["input", "host", "known", "Mothlight", "nDPI risks of its flows", "Maltrail's heuristics", "RITA, highest beacon score"]]
    with open(f"{options.data}/truth.csv") as file:
        rows = [row for row in csv.DictReader(file) if row["verdict"] in ("infected", "suspicious", "clean")]
    for place, row in enumerate(rows):
        print(f"peers {place + 1}/{len(rows)} {row['path']}", file=sys.stderr, flush=True)
        if os.path.exists(f"{options.unpacked}/{row['path']}"):
            table.append([str(cell).replace("_", " ").replace("|", "/") for cell in describe(row, options)])
    print(page(table, rita_check(options)))


def rita_check(options):
    path = f"{options.unpacked}/labelled/rita/proxy"
    if not os.path.isdir(path):
        return "RITA's own test logs were absent, so the re-statement was not checked."
    rows = from_zeek(path)
    begin, end = min(row[0] for row in rows.connections), max(row[0] for row in rows.connections)
    parts = []
    for name, expected in [("www.honestimnotevil.com", 0.979), ("www.google.com", 0.586)]:
        seen = [(row[0], row[5]) for row in rows.connections if row[6] and row[6].split(":")[0] == name and row[7]]
        score = beacon_score([t for t, _ in seen], [o for _, o in seen], begin, end)
        parts.append(f"{name}: {score} here, {expected} by RITA")
    return "; ".join(parts) + "."


def page(table, check):
    lines = ["| " + " | ".join(table[0]) + " |", "|" + "---|" * len(table[0])]
    lines += ["| " + " | ".join(line) + " |" for line in table[1:]]
    version = "not installed"
    if shutil.which("ndpiReader"):
        found = re.search(r"nDPI ([\d.]+)", subprocess.run(["ndpiReader", "-h"], capture_output=True, text=True).stdout)
        version = found[1] if found else "of unknown version"
    return f"""## Beside peers

Same inputs, what each says about the host. Peers answer other questions: nDPI {version} tells risks of *flows*, RITA ranks *pairs*, Maltrail lists
*events*; none of them gives a verdict per host, so nothing is counted as right or wrong for them. Made by `Benchmarks/peers.py`.

* **nDPI** is run (`ndpiReader -v 2`); its risks of flows that the host began, the three most frequent. Captures only.
* **Maltrail**: only its published heuristics (port scan > 10 ports, one port on > 32 hosts, > 20 NXDOMAIN an hour, > 1,000 names below one
  parent, first label > 24 characters, non-existent names with > 3.5 bits or > 9 consonants), re-stated from the description; its 1.6 million trails
  are what it is good at and are not used, and its word lists for agents and downloads are replaced by short ones of ours.
* **RITA v5**: the beacon score of its source, re-stated; not its threat score with modifiers, which needs lists and weeks of history.
  Pairs with four connections or more. From 0.5 on RITA shows a pair, from 0.9 on it calls it medium, at 1 high. Check on RITA's test logs: {check}
* **Slips** has no package on PyPI and needs Zeek, TensorFlow and Redis 7.4 beside each other; it could not be installed here in reasonable time.
  The team's notes of an earlier run with a repaired Slips 1.1.21: `test4-malicious.binetflow` 192.168.2.12 and `test2-malicious.binetflow` 10.8.0.69
  were alerted, at 17 flows a CPU second.

""" + "\n".join(lines)


if __name__ == "__main__":
    main()
