#!/usr/bin/env python3
"""Captures in which every packet is a flow of its own: what a flow table suffers under a scan or a spoofed flood.

usage: make_flows.py FOLDER COUNT [COUNT...]   writes FOLDER/flows<COUNT in millions>.pcap
"""
import struct
import sys


def write(path, count):
    ethernet = bytes(12) + b"\x08\x00"
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        rows = []
        for i in range(count):
            source = 0x0A000000 + (i * 7919) % 5000 + 1
            target = 0x2D000000 + (i * 2654435761) % 0x40000000
            ip = struct.pack(">BBHHHBBHII", 0x45, 0, 40, i & 65535, 0, 64, 6, 0, source, target)
            tcp = struct.pack(">HHIIBBHHH", 1024 + i % 60000, 80 + i % 3 * 363, i, 0, 0x50, 2, 1000, 0, 0)
            time = i * 50  # 20,000 packets a second
            rows.append(struct.pack("<IIII", 1600000000 + time // 1000000, time % 1000000, 54, 54) + ethernet + ip + tcp)
            if len(rows) == 100000:
                out.write(b"".join(rows))
                rows = []
        out.write(b"".join(rows))
    print(f"{path}: {count} packets")


for text in sys.argv[2:]:
    write(f"{sys.argv[1]}/flows{int(text) // 1000000}.pcap", int(text))
