#!/usr/bin/env python3
"""Builds the benchmark capture: every readable Ethernet pcap of a folder, in copies with other IPv4 addresses and times.

usage: make_mix.py FOLDER OUT.pcap [PACKETS]

Copies get 10.x-like offsets added to the second octet of both addresses (checksums are left wrong: no reader here
verifies them) and start times spread over one hour. Packets are sorted by time. Deterministic.
"""
import os
import struct
import sys


def packets(path):
    with open(path, "rb") as f:
        data = f.read()
    if len(data) < 24 or data[:4] not in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4"):
        return
    order = "<" if data[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    if struct.unpack(order + "I", data[20:24])[0] & 0xFFFF != 1:
        return
    at = 24
    while at + 16 <= len(data):
        sec, usec, cap, wire = struct.unpack(order + "IIII", data[at : at + 16])
        if cap > 65535 or at + 16 + cap > len(data):
            return
        yield sec * 1_000_000 + usec, wire, data[at + 16 : at + 16 + cap]
        at += 16 + cap


def main():
    folder, out = sys.argv[1], sys.argv[2]
    wanted = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000
    traces = []
    for root, dirs, files in os.walk(folder, followlinks=True):
        dirs.sort()
        for name in sorted(files):
            if not name.endswith((".pcap", ".trace", ".cap")):
                continue
            trace = [p for p in packets(os.path.join(root, name)) if len(p[2]) >= 34]
            if 0 < len(trace) <= 50_000:
                zero = trace[0][0]
                traces.append([(min(3_000_000_000, max(0, t - zero)), w, b) for t, w, b in trace])
    one = sum(map(len, traces))
    copies = max(1, -(-wanted // one))
    rows = []
    for copy in range(copies):
        for n, trace in enumerate(traces):
            start = (copy * 7919 + n * 104729) % 3600 * 1_000_000
            for t, wire, frame in trace:
                if frame[12:14] == b"\x08\x00":
                    frame = bytearray(frame)
                    frame[27] = (frame[27] + copy) & 255
                    frame[31] = (frame[31] + copy) & 255
                rows.append((start + t, wire, bytes(frame)))
    rows.sort(key=lambda r: r[0])
    with open(out, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for t, wire, frame in rows:
            f.write(struct.pack("<IIII", 1_600_000_000 + t // 1_000_000, t % 1_000_000, len(frame), wire) + frame)
    print(f"{out}: {len(rows)} packets, {len(traces)} traces x {copies} copies, {os.path.getsize(out) / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
