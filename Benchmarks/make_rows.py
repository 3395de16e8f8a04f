#!/usr/bin/env python3
"""Multiplies the rows of a simulated log: every copy is another network.

usage: make_rows.py IN OUT ROWS [DAYS]

Copy n of a row has 192.168. replaced by a prefix of its own, so hosts and pairs grow with the rows as they would in a
larger network; outside addresses stay shared. Header lines (#..., StartTime) are kept once. Rows stay in time order.
DAYS (Zeek TSV only): the day comes so often, each time with the times of the next day; ROWS are those of one day.
"""
import sys


def main():
    source, target, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
    days = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    with open(source) as f:
        lines = f.read().splitlines()
    head = [l for l in lines if l.startswith(("#", "StartTime")) and not l.startswith("#close")]
    rows = [l for l in lines if not l.startswith(("#", "StartTime"))]
    copies = -(-wanted // len(rows))
    with open(target, "w") as f:
        f.write("".join(l + "\n" for l in head))
        for day in range(days):
            written = 0
            for row in rows:
                if day:
                    time, _, rest = row.partition("\t")
                    row = f"{float(time) + 86400 * day:.6f}\t{rest}"
                for n in range(copies):
                    if written == wanted:
                        break
                    f.write(row.replace("192.168.", f"10.{n & 255}.", 2) + "\n")
                    written += 1
    print(f"{target}: {written * days} rows, {copies} copies")


if __name__ == "__main__":
    main()
