#!/usr/bin/env python3
"""A SYN flood against the example sinkhole inside a network namespace of its own: does it stay up, and does it go on counting?

usage (as root): sinkhole_synflood.py MOTHLIGHT

300,000 SYNs from 127/8 whose resets are dropped, so that half-open connections stay; among them 100 check-ins by UDP and, at the
end, one HTTP request. The namespace has a loopback only and is removed again; nothing leaves it. The raw result goes to runs/.
"""
import datetime
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

NAMESPACE = f"mothlight-syn-{os.getpid()}"
SYNS = 300_000
RULES = "table ip t { \n chain o { \n type filter hook output priority 0; \n tcp dport 8081 tcp flags & rst == rst drop \n } \n }"


def checksum(octets):
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def flood():
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    rng, target, joins, start = random.Random(1), socket.inet_aton("127.0.0.1"), 0, time.time()
    for i in range(SYNS):
        source = struct.pack(">I", 0x7F000000 | rng.randrange(2, 1 << 24))
        segment = struct.pack(">HHIIBBHHH", rng.randrange(1024, 65535), 8081, rng.getrandbits(32), 0, 0x50, 2, 64000, 0, 0)
        pseudo = source + target + struct.pack(">BBH", 0, 6, len(segment))
        segment = segment[:16] + struct.pack(">H", checksum(pseudo + segment)) + segment[18:]
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, i & 0xFFFF, 0, 64, 6, 0, source, target)
        raw.sendto(head + segment, ("127.0.0.1", 0))
        if i % 3000 == 0:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bot:
                bot.bind((f"127.0.1.{2 + joins}", 0))
                bot.sendto(bytes.fromhex("610000998b89c9"), ("127.0.0.1", 3431))
            joins += 1
    return joins, time.time() - start


def counters():
    lines = open("/proc/net/netstat").read().splitlines()
    values = {}
    for names, numbers in zip(lines[::2], lines[1::2]):
        values.update(zip(names.split()[1:], numbers.split()[1:]))
    return {name: int(values[name]) for name in ("SyncookiesSent", "SyncookiesRecv", "ListenDrops")}


def page(path, port, host="localhost"):
    with socket.create_connection(("127.0.0.1", port), 5) as peer:
        peer.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        out = b""
        while part := peer.recv(65536):
            out += part
    return out.decode()


def inside(program):
    here = os.path.dirname(os.path.abspath(__file__))
    with tempfile.TemporaryDirectory() as folder:
        for name in ("sinkhole.yaml", "sinkhole-zones.yaml"):
            text = open(f"{here}/../Examples/{name}").read().replace("../sinkhole-spool", "spool")
            open(f"{folder}/{name}", "w").write(text)
        sinkhole = subprocess.Popen([program, "sinkhole", "sinkhole.yaml"], cwd=folder, stderr=subprocess.DEVNULL)
        time.sleep(4)
        try:
            joins, seconds = flood()
            status = page("/x", 8081, "seized-one.example").split("\r\n")[0]
            time.sleep(1)
            metrics = {line.split()[0]: float(line.split()[1]) for line in page("/metrics", 9464).splitlines() if line.startswith("mothlight_sinkhole_")}
            is_up = sinkhole.poll() is None
        finally:
            sinkhole.send_signal(signal.SIGTERM)
            sinkhole.wait(20)
    result = {"syns": SYNS, "seconds": round(seconds, 2), "joins_sent": joins, "check_ins": metrics["mothlight_sinkhole_check_ins_total"],
              "kernel_drops": metrics["mothlight_sinkhole_kernel_drops_total"], "http_after": status, "is_up": is_up, **counters()}
    print(json.dumps(result, indent=1))
    with open(f"{here}/runs/{datetime.date.today().isoformat()}-sinkhole-synflood.json", "w") as out:
        json.dump(result, out, indent=1)
    return 0 if is_up and result["check_ins"] == joins + 1 and status.startswith("HTTP/1.1 404") else 1


def main():
    if sys.argv[1] == "--inside":
        sys.exit(inside(sys.argv[2]))
    enter = ["ip", "netns", "exec", NAMESPACE]
    subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
    try:
        subprocess.run(enter + ["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(enter + ["nft", "-f", "-"], input=RULES.encode(), check=True)
        sys.exit(subprocess.run(enter + [sys.executable, os.path.abspath(__file__), "--inside", os.path.abspath(sys.argv[1])]).returncode)
    finally:
        subprocess.run(["ip", "netns", "del", NAMESPACE])


main()
