#!/usr/bin/env python3
"""One slow call-home among some ten thousand addresses over two to four days: what is found, missed and false.

Usage: Tools/many_addresses.py [--program PATH]... [--seed N] [--count N] [--swarm] [--flows] [--long-series N]

Variations of Examples/wide-three-days.yaml: file sharing, offices and machines that are always on, each kind with bots of other
periods, jitter, misses, unrelated traffic, ports and carriers. --swarm lets file sharing come back to its peers on timers.
Several programs read the same traffic; the last one simulates it. A bot counts as found when a finding about its own peer is over the bar.
"""
import argparse
import collections
import json
import os
import random
import subprocess
import tempfile

BAR = 3.4
FLAGGED = ("infected", "suspicious")
ODD_PORTS = [4460, 5001, 7707, 9443, 10443, 33891, 48101, 60123, 2222, 1604]


def scenario(seed, swarm):
    """The network and, by machine, what its bot is."""
    rng = random.Random(seed)
    sharers = rng.randint(4, 7)
    prefix = f"10.{rng.randint(1, 200)}.{rng.randint(0, 200)}"
    sharing = {"bittorrent": True, "name_noise": True}
    if swarm:
        sharing["returning_swarm"] = True
    hours = rng.choice([48, 72, 72, 96])
    machines = [
        {"group": "sharer", "kind": "office", "count": sharers, "online": rng.choice([24, 24, 12, 9]), "services": sharing},
        {"group": "office", "kind": "office", "count": 14, "online": rng.choice([8, 9, 10, 24]),
         "services": {"name_noise": True, "failing_sites": rng.random() < .5}},
        {"group": "awake", "kind": "office", "count": 4, "online": 24, "services": {"name_noise": True}},
        {"group": "server", "kind": "server", "count": 1, "services": {"monitoring": True, "cron": True}}]
    infections, kinds = [], {}

    def bot(host, label, port=None, **knobs):
        infections.append({
            "host": host, "kind": "beacon", "period_s": round(10 ** rng.uniform(2.6, 3.9)),
            "jitter": rng.choice([0, .05, .1, .2, .3, .5]), "miss": rng.choice([0, .1, .2, .3]),
            "extra": rng.choice([0, 0, .1, .2]), "family": f"f{seed}-{len(infections)}", **knobs,
            **({"port": port} if port else {})})
        kinds[host] = label

    # The port is drawn before the rest: the same order as when the seeds were used first.
    bot("sharer/1", "sharer, TCP, odd port", rng.choice(ODD_PORTS), transport="tcp")
    bot("sharer/2", "sharer, TLS by address", transport="tls")
    bot("sharer/3", "sharer, UDP, odd port", rng.choice(ODD_PORTS), transport="udp")
    bot("office/1", "office, TLS by address", transport="tls")
    bot("office/2", "office, TLS by address", transport="tls")
    bot("office/3", "office, TCP, odd port", rng.choice(ODD_PORTS), transport="tcp")
    bot("awake/1", "always on, TLS by address", transport="tls")
    bot("awake/2", "always on, TLS by name", transport="tls", name=f"w{seed}a.cdn-stat{seed}.net")
    start = rng.choice(["2026-06-09", "2026-02-03", "2026-10-20"])
    names = [f"{group['group']}/{i + 1}" for group in machines for i in range(group["count"])]
    addresses = {name: f"{prefix}.{10 + i}" for i, name in enumerate(names)}
    return {"name": f"w{seed}", "seed": seed, "start": start, "hours": hours, "formats": ["zeek", "binetflow"],
            "home": prefix + ".0/24", "machines": machines, "infections": infections}, kinds, addresses


def days_by_host(program, source, extra):
    done = subprocess.run([program, "read", source, "--format", "json", *extra], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr.strip())
    out = collections.defaultdict(list)
    for day in json.loads(done.stdout)["host_days"]:
        out[day["host"]].append(day)
    return out


def is_found(days, server):
    """Whether the bot itself was seen: another finding about the same machine does not count."""
    return any(day["verdict"] in FLAGGED and any(f["log_odds"] >= BAR and server in (f["peer"], f["peer_name"]) for f in day["findings"])
               for day in days)


def servers(folder):
    """Host to the address or name of its bot's server, from the truth's labels of the flow file."""
    found = {}
    path = next(f"{folder}/{name}" for name in os.listdir(folder) if name.endswith(".binetflow"))
    with open(path) as file:
        head = file.readline().strip().split(",")
        source, target, label = head.index("SrcAddr"), head.index("DstAddr"), head.index("Label")
        port = head.index("Dport")
        for line in file:
            row = line.rstrip("\n").split(",")
            if "Botnet" in row[label] and row[port] != "53":
                found[row[source]] = row[target]
    return found


def main():
    parser = argparse.ArgumentParser()
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--program", action="append")
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--swarm", action="store_true")
    parser.add_argument("--flows", action="store_true")
    parser.add_argument("--long-series", type=int)
    options = parser.parse_args()
    programs = options.program or [f"{here}/.build/release/mothlight"]
    extra = [] if options.long_series is None else ["--long-series", str(options.long_series)]
    bots, healthy, flagged = collections.defaultdict(collections.Counter), collections.defaultdict(collections.Counter), []
    for seed in range(options.seed, options.seed + options.count):
        made, kinds, addresses = scenario(seed, options.swarm)
        with tempfile.TemporaryDirectory(prefix="mothlight-many-") as folder:
            with open(f"{folder}/scenario.yaml", "w") as file:
                json.dump(made, file)
            subprocess.run([programs[-1], "simulate", f"{folder}/scenario.yaml", "--output", folder, "--overwrite"],
                           check=True, capture_output=True)
            server = servers(folder)
            for program in programs:
                said = days_by_host(program, f"{folder}/w{seed}.binetflow" if options.flows else f"{folder}/zeek", extra)
                for machine, address in addresses.items():
                    days = said[address]
                    if machine in kinds:
                        count = bots[program, kinds[machine]]
                        count["all"] += 1
                        count["found"] += is_found(days, server.get(address, "none"))
                        count["infected"] += any(day["verdict"] == "infected" for day in days)
                        continue
                    for day in days:
                        healthy[program, machine.split("/")[0]][day["verdict"]] += 1
                    worst = [day for day in days if day["verdict"] in FLAGGED]
                    if worst:
                        first = worst[0]["findings"][0]
                        flagged.append(f"{program}: seed {seed} {machine}: {first['detector']} {first['log_odds']:.2f} {first['subject']}")
    for (program, kind), count in sorted(bots.items()):
        print(f"{program}: {kind:28} found {count['found']:3} of {count['all']:3}, infected {count['infected']:3}")
    for (program, group), count in sorted(healthy.items()):
        print(f"{program}: healthy {group:8} host-days: {dict(sorted(count.items()))}")
    print("\n".join(flagged))


if __name__ == "__main__":
    main()
