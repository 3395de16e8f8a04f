#!/usr/bin/env python3
"""The census' sketches beside Apache DataSketches, on the same keys, in one run: Benchmarks/census_sketches.py PROGRAM [KEYS] [RUNS].

PROGRAM is built by `swift build -c release --package-path Benchmarks/CensusSketches`. Needs `pip install datasketches numpy`.
Prints one JSON object with every run, medians, and the octets for an error of 1 %; Benchmarks/runs/ keeps those that docs/ quotes.

The Python binding takes one key a call (version 5.2.0 has no update with an array for HLL, Theta, or CPC), so its rates hold the cost of
the call. Two loops beside it measure that floor: one over the keys alone, one with the cheapest call that the binding has. The rate of
the C++ code itself is estimated as what is left when the second is taken off; it flatters the peer, since its call takes no argument.
"""

import json, platform, statistics, subprocess, sys, tempfile, time

import datasketches
import numpy

program = sys.argv[1]
count = int(sys.argv[2]) if len(sys.argv) > 2 else 4_000_000
runs = int(sys.argv[3]) if len(sys.argv) > 3 else 5
numbers = numpy.random.default_rng(7).integers(1, 1 << 62, count, dtype=numpy.uint64)
keys = [int(n) for n in numbers]


def cpu(body):
    start = time.process_time()
    sketch = body()
    return time.process_time() - start, sketch


def loop(sketch):
    update = sketch.update
    for key in keys:
        update(key)
    return sketch


def empty_loop():
    for key in keys:
        pass


def empty_calls():
    call = datasketches.hll_sketch(12).is_empty
    for key in keys:
        call()


peers = {
    "HLL_8 lgK 12": lambda: datasketches.hll_sketch(12, datasketches.tgt_hll_type.HLL_8),
    "HLL_8 lgK 14": lambda: datasketches.hll_sketch(14, datasketches.tgt_hll_type.HLL_8),
    "HLL_4 lgK 12": lambda: datasketches.hll_sketch(12, datasketches.tgt_hll_type.HLL_4),
    "Theta lgK 12": lambda: datasketches.update_theta_sketch(12),
    "Theta lgK 14": lambda: datasketches.update_theta_sketch(14),
    "CPC lgK 12": lambda: datasketches.cpc_sketch(12),
}


def octets(sketch):
    if isinstance(sketch, datasketches.hll_sketch):
        return len(sketch.serialize_compact())
    if isinstance(sketch, datasketches.update_theta_sketch):
        return len(sketch.compact().serialize())
    return len(sketch.serialize())


found = {}


def note(name, seconds, estimate=None, size=None, memory=None):
    entry = found.setdefault(name, {"cpu_seconds": []})
    entry["cpu_seconds"].append(round(seconds, 4))
    for key, value in (("estimate", estimate), ("serialised_octets", size), ("memory_octets", memory)):
        if value is not None:
            entry[key] = value


with tempfile.NamedTemporaryFile(suffix=".keys") as file:
    numbers.astype("<u8").tofile(file.name)
    # Turn by turn, so that a busy machine troubles both alike.
    for _ in range(runs):
        for line in subprocess.run([program, "sketches", file.name, "1"], capture_output=True, text=True, check=True).stdout.splitlines():
            run = json.loads(line)
            note("mothlight " + run["sketch"], run["cpu_seconds"], run["estimate"], run["serialised_octets"], run["memory_octets"])
        note("python empty loop", cpu(empty_loop)[0])
        note("python empty binding call", cpu(empty_calls)[0])
        for name, make in peers.items():
            seconds, sketch = cpu(lambda: loop(make()))
            note("datasketches " + name, seconds, sketch.get_estimate(), octets(sketch))

floor = statistics.median(found["python empty binding call"]["cpu_seconds"])
for name, entry in found.items():
    median = statistics.median(entry["cpu_seconds"])
    entry["updates_per_cpu_second"] = round(count / median)
    if name.startswith("datasketches"):
        entry["updates_per_cpu_second_without_floor"] = round(count / max(1e-9, median - floor))


def octets_for_one_percent(make, error):
    """Octets at n = 1,000,000, scaled to a relative standard error of 1 %: both kinds shrink with the square root of their size."""
    sketch = make()
    for key in keys[:1_000_000]:
        sketch.update(key)
    return round(octets(sketch) * (error / 0.01) ** 2)


one_percent = {
    "datasketches HLL_8 (union 1.04/sqrt k)": octets_for_one_percent(peers["HLL_8 lgK 12"], 1.04 / 64),
    "datasketches HLL_4": octets_for_one_percent(peers["HLL_4 lgK 12"], 1.04 / 64),
    "datasketches Theta (1/sqrt k)": octets_for_one_percent(peers["Theta lgK 12"], 1 / 64),
    "datasketches CPC (0.6931/sqrt k)": octets_for_one_percent(peers["CPC lgK 12"], 0.6931 / 64),
}
hll = found["mothlight HyperLogLog 12"]
one_percent["mothlight HyperLogLog in memory"] = round(4096 * (1.04 / 64 / 0.01) ** 2)
one_percent["mothlight HyperLogLog serialised"] = round(hll["serialised_octets"] * (1.04 / 64 / 0.01) ** 2)
tuple_ = found["mothlight TupleSketch 12"]
tags = tuple_["memory_octets"] / 112
one_percent["mothlight TupleSketch in memory"] = round(10_000 * 112)
one_percent["mothlight TupleSketch serialised"] = round(10_000 * tuple_["serialised_octets"] / tags)

cores = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
print(json.dumps({
    "date": time.strftime("%Y-%m-%d"), "machine": f"{len(cores)} x {cores[0] if cores else platform.machine()}",
    "load": open("/proc/loadavg").read().split()[0], "python": platform.python_version(), "datasketches": "5.2.0", "keys": count, "runs": runs,
    "sketches": found, "octets_for_1_percent_error": one_percent}, indent=1))
