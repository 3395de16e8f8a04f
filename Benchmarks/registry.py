#!/usr/bin/env python3
"""Registry at 6,000 botnets and 100,000 indicators: Benchmarks/registry.py MOTHLIGHT [--runs N].

Makes its files by a fixed seed, imports them, then asks list, search, show and match RUNS times each as whole commands.
"open" and "work" are told by the program itself (--timings); "whole" is wall time of the command, "cpu" its CPU seconds;
"version" is a command that does nothing, for comparison. Prints one JSON object with every run.
"""

import argparse, json, os, platform, random, resource, statistics, subprocess, sys, tempfile, time, uuid
from pathlib import Path

BOTNETS, INDICATORS = 6000, 100_000


def make(folder):
    chance = random.Random(20261125)
    syllables = ["ka", "mo", "ri", "zeu", "tor", "bot", "nec", "urs", "qak", "drid", "ex", "lo", "pha", "ni", "tel", "gam"]
    names = set()
    while len(names) < BOTNETS:
        names.add("".join(chance.choice(syllables) for _ in range(chance.randint(2, 5))).capitalize() + chance.choice(["", "", " 2", ".B"]))
    names = sorted(names)
    values = [{
        "value": name, "uuid": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "meta": {"synonyms": [name + suffix for suffix in chance.sample(["bot", "Loader", "NG", "kit", "RAT"], chance.randint(0, 3))],
                 "refs": [f"https://example.org/{n}/{k}" for k in range(chance.randint(1, 3))]},
    } for n, name in enumerate(names)]
    (folder / "galaxy").write_text(json.dumps({"type": "botnet", "uuid": str(uuid.UUID(int=1)), "values": values}))
    rows = []
    for n in range(INDICATORS):
        kind = chance.choice(["ip:port", "domain", "url", "sha256_hash"])
        ip = f"{chance.randint(1, 9)}.{chance.randint(0, 255)}.{chance.randint(0, 255)}.{chance.randint(1, 254)}"
        value = {"ip:port": f"{ip}:{chance.randint(1, 65535)}", "domain": f"h{n}.z{n % 5000}.example",
                 "url": f"http://{ip}/{n}.bin", "sha256_hash": f"{chance.getrandbits(256):064x}"}[kind]
        name = chance.choice(names)
        rows.append({"id": str(n), "ioc": value, "ioc_type": kind, "malware": None, "malware_printable": name,
                     "threat_type": "payload" if kind == "sha256_hash" else "botnet_cc", "confidence_level": 75,
                     "first_seen": f"2026-{chance.randint(1, 10):02d}-{chance.randint(1, 28):02d} 10:00:00 UTC"})
    (folder / "threatfox").write_text(json.dumps({"query_status": "ok", "data": rows}))
    asked = [chance.choice(rows)["ioc"] for _ in range(500)] + [f"www.nothing{n}.example" for n in range(500)]
    (folder / "asked").write_text("\n".join(asked) + "\n")
    return names, rows


def run(program, *arguments):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    whole = (time.perf_counter() - start) * 1e3
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{arguments}: {done.stderr}")
    told = {line.split()[1]: float(line.split()[2]) for line in done.stderr.splitlines() if line.startswith("timing ")}
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3
    return {"whole_ms": round(whole, 2), "cpu_ms": round(cpu, 2), **{f"{k}_ms": round(v, 2) for k, v in told.items()},
            "octets_out": len(done.stdout)}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("program")
    options.add_argument("--runs", type=int, default=15)
    options = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="mothlight-") as name:
        folder = Path(name)
        names, rows = make(folder)
        store = ["--store", str(folder / "store.sqlite"), "--timings"]
        at = ["--at", "2026-10-30"]
        result = {"botnets": BOTNETS, "indicators": INDICATORS, "machine": platform.machine(), "cores": os.cpu_count(), "runs": {}}
        result["import"] = [run(options.program, "registry", "import", str(folder / f), *store) for f in ["galaxy", "threatfox"]]
        result["import_again"] = run(options.program, "registry", "import", str(folder / "threatfox"), *store)
        result["store_octets"] = (folder / "store.sqlite").stat().st_size
        endpoint = next(r["ioc"] for r in rows if r["ioc_type"] == "ip:port")
        domain = next(r["ioc"] for r in rows if r["ioc_type"] == "domain")
        shapes = {
            "version": ["--version"],
            "list": ["registry", "list", *store, *at],
            "list_json": ["registry", "list", "--format", "json", *store, *at],
            "list_confirmed_5": ["registry", "list", "--status", "confirmed", "--expiry", "5", *store, *at],
            "search_exact": ["registry", "search", names[3000], *store],
            "search_typing_error": ["registry", "search", names[3000][:3] + "x" + names[3000][3:], *store],
            "search_text": ["registry", "search", "example 4711", *store],
            "show": ["registry", "show", names[3000], *store],
            "match_endpoint": ["registry", "match", endpoint, *store],
            "match_below_domain": ["registry", "match", "www." + domain, *store],
            "match_file_of_1000": ["registry", "match", str(folder / "asked"), *store],
            "count": ["registry", "count", *store, *at],
        }
        for label, arguments in shapes.items():
            result["runs"][label] = [run(options.program, *arguments) for _ in range(options.runs)]
        result["medians"] = {
            label: {key: statistics.median(r[key] for r in runs) for key in runs[0]} for label, runs in result["runs"].items()}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
