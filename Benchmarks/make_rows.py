#!/usr/bin/env python3
"""Multiplies the rows of a simulated log: every copy is another network.

usage: make_rows.py IN OUT ROWS

Copy n of a row has 192.168. replaced by a prefix of its own, so hosts and pairs grow with the rows as they would in a
larger network; outside addresses stay shared. Header lines (#..., StartTime) are kept once. Rows stay in time order.
"""
import sys


def main():
    source, target, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open(source) as f:
        lines = f.read().splitlines()
    head = [l for l in lines if l.startswith(("#", "StartTime")) and not l.startswith("#close")]
    rows = [l for l in lines if not l.startswith(("#", "StartTime"))]
    copies = -(-wanted // len(rows))
    written = 0
    with open(target, "w") as f:
        f.write("".join(l + "\n" for l in head))
        for row in rows:
            for n in range(copies):
                if written == wanted:
                    break
                f.write(row.replace("192.168.", f"10.{n & 255}.", 2) + "\n")
                written += 1
    print(f"{target}: {written} rows, {copies} copies")


if __name__ == "__main__":
    main()
