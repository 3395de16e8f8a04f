#!/usr/bin/env python3
"""Simulated networks of one size and growing length, for the growth from 1 M to 10 M packets.

usage: make_days.py MOTHLIGHT FOLDER   writes FOLDER/days.pcap (about 1 M packets) and FOLDER/days10.pcap (ten times that)
"""
import os
import subprocess
import sys

SCENARIO = """name: {name}
seed: 11
start: "2026-03-02"
hours: {hours}
formats: [pcap]
home: 192.168.10.0/24
machines:
  - {{group: office, kind: office, count: 20}}
  - {{group: night, kind: office, count: 4, online: 24, services: {{backup: true}}}}
  - {{group: iot, kind: iot, count: 8}}
"""

binary, folder = sys.argv[1], sys.argv[2]
for name, hours in (("days", 48), ("days10", 480)):
    path = f"{folder}/{name}.yaml"
    with open(path, "w") as f:
        f.write(SCENARIO.format(name=name, hours=hours))
    subprocess.run([binary, "simulate", path, "--output", folder, "--overwrite"], check=True, stdout=subprocess.DEVNULL)
    print(f"{folder}/{name}.pcap: {os.path.getsize(f'{folder}/{name}.pcap') / 1e6:.0f} MB")
