#!/usr/bin/env python3
"""Learns how much each sign of a DNS tunnel weighs and writes Sources/Mothlight/Detection/TunnelModel.swift.

usage: train_tunnel.py [--clean NAME=dns.log:conn.log ...] [--held-out NAME=dns.log:conn.log ...] [--write TunnelModel.swift]

One row is what one host asked below one registered domain on one day. Tunnels are drawn here, in shapes that published
tools leave in logs (label alphabet, lengths, record types, pace); nothing is encoded or sent. Everyday rows are drawn here
too, in the shapes that resemble tunnels, and read from Zeek logs of clean hosts. Each family of shapes and each capture is
held out WHOLE: its row of the report comes from a model that never saw it. Python 3 standard library; seeded.
"""
import argparse, collections, json, math, os, random, sys

SEED = 2011
ROWS = 200
# Name, value at which the sign begins, value at which it is full; 'log' ramps run over logarithms.
SIGNS = [("subdomains", 20, 1000, "log"), ("name_octets", 10, 50, ""), ("name_entropy", 2.5, 4.0, ""),
         ("data_type_share", 0.0, 1.0, ""), ("octets_out_per_hour", 1000, 100000, "log"), ("new_name_share", 0.2, 1.0, ""),
         ("new_data_share", 0.0, 0.8, ""), ("answer_octets", 16, 150, ""), ("unused_share", 0.0, 1.0, ""), ("loopback_share", 0.0, 1.0, "")]
DATA_TYPES = {5, 10, 15, 16, 65399}
HEX, B32, B64 = "0123456789abcdef", "abcdefghijklmnopqrstuvwxyz234567", "abcdefghijklmnopqrstuvwxyz0123456789-_"
B36 = "abcdefghijklmnopqrstuvwxyz0123456789"


class Row:
    """(second, sub-domain part, type, octets of answer data, answer is a loopback address) and whether what it resolved was used."""
    def __init__(self, asked, used):
        self.asked, self.used = asked, used

    def vector(self):
        counted = [a for a in self.asked if is_carrying(a[1], a[2])]
        n = len(counted)
        if n == 0:
            return None
        names = {a[1] for a in counted}
        octets = sum(len(a[1]) for a in counted)
        hours = len({int(a[0] // 3600) for a in counted})
        answered = [a for a in counted if a[3] is not None]
        raw = [len(names), octets / n, sum(entropy(a[1]) for a in counted) / n,
               sum(a[2] in DATA_TYPES for a in counted) / n, octets / max(1, hours), len(names) / n, len({a[1] for a in counted if a[2] in DATA_TYPES}) / n,
               sum(a[3] for a in answered) / max(1, len(answered)), 0.0 if self.used else 1.0,
               sum(a[4] for a in counted) / n]
        return n, raw


def is_carrying(sub, kind):
    """Look-ups that could carry something; also leaves out service labels (RFC 8552) and service discovery."""
    return not any(l.startswith("_") for l in sub.split(".")) and (len(sub) >= 8 or kind in DATA_TYPES)


def entropy(text):
    text = text.replace(".", "")
    if not text:
        return 0.0
    return -sum(c / len(text) * math.log2(c / len(text)) for c in collections.Counter(text).values())


def ramp(value, low, high, kind):
    if kind == "log":
        value, low, high = math.log(max(value, 1e-9)), math.log(low), math.log(high)
    return max(0.0, min(1.0, (value - low) / (high - low)))


def scaled(raw):
    return [ramp(v, low, high, kind) for v, (_, low, high, kind) in zip(raw, SIGNS)]


# Tunnels ----------------------------------------------------------------------------------------------------------------

def text(rng, alphabet, n):
    return "".join(rng.choice(alphabet) for _ in range(n))


def labels(rng, alphabet, n):
    t = text(rng, alphabet, n)
    return ".".join(t[i:i + 60] for i in range(0, len(t), 60))


def pace(rng, count, mean):
    t, out = rng.random() * 7200, []
    for _ in range(count):
        t += rng.expovariate(1 / mean) if rng.random() < 0.5 else mean
        out.append(t)
    return out


def ip_over_dns(rng):
    kind = rng.choice([10, 16, 5, 15, 1, 65399])
    alphabet = rng.choice([B32, B64])
    out = []
    for t in pace(rng, rng.randint(200, 3000), rng.choice([0.05, 0.5, 4])):
        n = rng.randint(80, 200) if rng.random() < 0.4 else rng.randint(8, 24)
        out.append((t, labels(rng, alphabet, n), kind, rng.randint(20, 900) if kind != 1 else 4, False))
    return out


def shell_over_dns(rng):
    kinds = rng.choice([[16, 5, 15], [16], [5, 15]])
    tag = text(rng, HEX, 4) + "01" + text(rng, HEX, 4)
    out = []
    for t in pace(rng, rng.randint(60, 3000), rng.choice([1, 2, 10, 30])):
        body = rng.randint(4, 90) if rng.random() < 0.2 else 4
        out.append((t, labels(rng, HEX, 2) + tag + labels(rng, HEX, 2 * body), rng.choice(kinds), rng.randint(18, 90), False))
    return out


def file_in_names(rng):
    alphabet = rng.choice([HEX, B32, B64])
    size, out = rng.choice([30, 60, 120, 180]), []
    for i, t in enumerate(pace(rng, rng.randint(100, 2000), rng.choice([0.2, 1, 5, 30]))):
        out.append((t, f"{i}." + labels(rng, alphabet, size), 1, rng.choice([None, 4]), False))
    return out


def text_poll(rng):
    """Asks for orders in TXT records, a new name each time so that no cache answers."""
    gap, size = rng.choice([20, 30, 60, 120, 300]), rng.choice([8, 12, 16, 24])
    return [(i * gap * (1 + 0.2 * rng.random()), text(rng, HEX, size), 16,
             rng.randint(24, 220), False) for i in range(rng.randint(30, 900))]


def address_poll(rng):
    """Orders in addresses: short hexadecimal names, bursts of longer ones when there is an answer to give."""
    out, t = [], 0.0
    kind, gap = rng.choice([1, 28]), rng.choice([5, 30, 60])
    for _ in range(rng.randint(60, 1500)):
        t += gap * (0.8 + 0.4 * rng.random())
        out.append((t, text(rng, HEX, rng.choice([8, 12, 18])), kind, 4 if kind == 1 else 16, False))
        if rng.random() < 0.03:
            for k in range(rng.randint(3, 30)):
                out.append((t + k / 5, "post." + labels(rng, HEX, rng.randint(40, 110)), kind, 4, False))
    return out


def stream_over_dns(rng):
    out = []
    for i, t in enumerate(pace(rng, rng.randint(300, 3000), rng.choice([0.1, 1]))):
        up = rng.random() < 0.5
        out.append((t, f"{i}-{rng.randint(10000, 99999)}.id-{rng.randint(1000, 9999)}." +
                    ("up." + labels(rng, B32, 100) if up else "down"), 16, rng.randint(60, 220), False))
    return out


TUNNELS = {"ip-over-dns": ip_over_dns, "shell-over-dns": shell_over_dns, "file-in-names": file_in_names,
           "text-poll": text_poll, "address-poll": address_poll, "stream-over-dns": stream_over_dns}


# Everyday look-alikes ---------------------------------------------------------------------------------------------------

def uniform(rng, count):
    return sorted(rng.random() * 36000 for _ in range(count))


def content_shards(rng):
    pool = ["d" + text(rng, B36, 13) for _ in range(rng.randint(1, 250))]
    return [(t, rng.choice(pool), 1, 16, False) for t in uniform(rng, rng.randint(2, 600))], True


def video_caches(rng):
    pool = [f"r{rng.randint(1, 9)}---sn-{text(rng, B36, 6)}-{text(rng, B36, 4)}" for _ in range(rng.randint(1, 40))]
    return [(t, rng.choice(pool), 1, 4, False) for t in uniform(rng, rng.randint(5, 500))], True


def reputation_hashes(rng):
    """File or address reputation by DNS: the answer is a code in 127/8 (RFC 5782 section 2.1) or nothing."""
    out = []
    for t in uniform(rng, rng.randint(20, 2500)):
        out.append((t, rng.choice(["0.0.0.0.1.0.0.", "4-0.19-a3000.", ""]) + text(rng, B36, 26), 1, 4, rng.random() < 0.9))
    return out, False


def domain_lists(rng):
    words = [text(rng, "bcdfgklmnprst", 1) + rng.choice("aeiou") + text(rng, "aeilmnorst", rng.randint(3, 9)) for _ in range(800)]
    return [(t, rng.choice(words) + rng.choice([".com", ".net", ".info"]), 1, None if rng.random() < 0.8 else 4,
             rng.random() < 0.2) for t in uniform(rng, rng.randint(10, 1500))], False


def telemetry(rng):
    host, size = text(rng, HEX, 32), rng.choice([8, 16, 32])
    fresh = rng.random() < 0.5
    return [(t, (text(rng, HEX, size) if fresh else host) + ".events", rng.choice([1, 28]), 16, False)
            for t in uniform(rng, rng.randint(5, 600))], True


def reachability_probe(rng):
    """Measures a name server with a fresh name each time; nobody connects to the answer."""
    out = []
    for i in range(rng.randint(20, 1440)):
        out.append((i * 60.0, f"{1_700_000_000 + i * 60}.p{rng.randint(1, 9)}.probe", rng.choice([1, 28]), 4, False))
    return out, False


def mail_policies(rng):
    pool = ["mail", "mx-out.emea", "", "selector1-example-com", "spf-a", "spf.protection", "include.senders"]
    return [(t, rng.choice(pool), rng.choice([15, 16]), rng.randint(30, 300), False) for t in uniform(rng, rng.randint(1, 60))], False


def version_by_text(rng):
    return [(t, rng.choice(["current.cvd", "version.bind.check", "dbversion.pro"]), 16, rng.randint(30, 90), False)
            for t in uniform(rng, rng.randint(2, 48))], False


def readable_hosts(rng):
    words = [text(rng, "bcdfgklmnprst", 1) + rng.choice("aeiou") + text(rng, "aeilmnorst", rng.randint(4, 12)) for _ in range(120)]
    return [(t, rng.choice(words) + rng.choice(["", "-assets", ".blog"]), 1, 4, False)
            for t in uniform(rng, rng.randint(1, 200))], rng.random() < 0.95


def one_time_checks(rng):
    return [(t, text(rng, B36, rng.choice([12, 20, 32])) + rng.choice(["", ".test", ".clo"]), 1, rng.choice([4, None]), False)
            for t in uniform(rng, rng.randint(2, 60))], rng.random() < 0.6


def service_chain(rng):
    pool = [f"e{rng.randint(1000, 99999)}.{rng.choice(['dscb', 'dscg', 'g'])}" for _ in range(60)]
    pool += [f"{w}-{rng.randint(1, 99)}.shared.global" for w in ("map", "cache", "edge-static", "gateway-prod")]
    return [(t, rng.choice(pool), rng.choice([1, 28]), 16, False) for t in uniform(rng, rng.randint(1, 300))], rng.random() < 0.9


EVERYDAY = {f.__name__.replace("_", "-"): f for f in (
    content_shards, video_caches, reputation_hashes, domain_lists, telemetry, reachability_probe, mail_policies,
    version_by_text, readable_hosts, one_time_checks, service_chain)}


# Zeek logs --------------------------------------------------------------------------------------------------------------

def zeek(path):
    fields = None
    with open(path, encoding="utf-8", errors="ignore") as f:
        for line in f:
            if line.startswith("#fields"):
                fields = line.rstrip("\n").split("\t")[1:]
            elif line.startswith("{"):
                yield json.loads(line)
            elif fields and not line.startswith("#"):
                yield {k: v for k, v in zip(fields, line.rstrip("\n").split("\t")) if v != "-"}


def captured(spec):
    """Rows by (host, last two labels) of one capture; address answers count as used when the host had a flow to them."""
    dns, _, conn = spec.partition(":")
    flows = {(r["id.orig_h"], r["id.resp_h"]) for r in zeek(conn)} if conn else set()
    rows, met = collections.defaultdict(list), set()
    for r in zeek(dns):
        name = str(r.get("query", "")).lower()
        parts = name.split(".")
        if str(r.get("id.resp_p")) != "53" or len(parts) < 2 or parts[-1] in ("arpa", "local", "lan") or "qtype" not in r:
            continue
        key = (r["id.orig_h"], ".".join(parts[-2:]))
        answers = r.get("answers", [])
        answers = answers if isinstance(answers, list) else answers.split(",")
        met.update(key for a in answers if (r["id.orig_h"], a) in flows)
        size = sum(4 if a.replace(".", "").isdigit() else len(a) for a in answers) if answers else None
        loop = any(a.startswith("127.") for a in answers)
        rows[key].append((float(r["ts"]), ".".join(parts[:-2]), int(r["qtype"]), size, loop))
    return {k: Row(v, k in met) for k, v in rows.items()}


# Model ------------------------------------------------------------------------------------------------------------------

def vectors(rows):
    out = [r.vector() for r in rows]
    return [[1.0] + scaled(raw) for v in out if v and v[0] >= 16 for raw in [v[1]]]


def fit(positive, negative):
    """Logistic regression, each family of equal weight and both sides together of equal weight; signs may not count
    against a tunnel, except the loopback answers."""
    rows = []
    for side, y in ((positive, 1), (negative, 0)):
        filled = [v for v in side.values() if v]
        for family in filled:
            rows += [(x, y, 0.5 / len(filled) / len(family)) for x in family]
    w, v = [0.0] * (len(SIGNS) + 1), [0.0] * (len(SIGNS) + 1)
    for _ in range(300):
        g = [2e-3 * x for x in w]
        for x, y, share in rows:
            z = sum(a * b for a, b in zip(w, x))
            e = (1 / (1 + math.exp(-max(-30, min(30, z)))) - y) * share
            for i, xi in enumerate(x):
                g[i] += e * xi
        for i in range(len(w)):
            v[i] = 0.9 * v[i] - 1.5 * g[i]
            w[i] += v[i]
            if 1 <= i < len(SIGNS):
                w[i] = max(0.0, w[i])
        w[len(SIGNS)] = min(0.0, w[len(SIGNS)])
    return w


def score(w, x):
    signs = sum(xi >= 0.5 for xi in x[1:-1])
    return sum(a * b for a, b in zip(w, x)) if signs >= 3 else min(0.0, sum(a * b for a, b in zip(w, x)))


def line(title, w, rows):
    z = sorted(score(w, x) for x in rows)
    over = lambda t: 100 * sum(v >= t for v in z) / max(1, len(z))
    median = z[len(z) // 2] if z else float("nan")
    print(f"{title:34s} rows {len(z):4d}  median {median:6.2f}  over 1: {over(1):5.1f} %  over 3.4: {over(3.4):5.1f} %")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--clean", "--held-out"):
        ap.add_argument(option, action="append", default=[], metavar="NAME=dns.log[:conn.log]")
    ap.add_argument("--write")
    a = ap.parse_args()
    tunnels, everyday = {}, {}
    for name, draw in TUNNELS.items():
        rng = random.Random(f"{SEED} {name}")
        tunnels[name] = vectors(Row(draw(rng), False) for _ in range(ROWS))
    for name, draw in EVERYDAY.items():
        rng = random.Random(f"{SEED} {name}")
        everyday[name] = vectors(Row(*draw(rng)) for _ in range(ROWS))
    for spec in a.clean:
        name, _, paths = spec.partition("=")
        everyday["capture " + name] = vectors(captured(paths).values())
    for name in tunnels:
        line("held out, tunnel: " + name, fit({k: v for k, v in tunnels.items() if k != name}, everyday), tunnels[name])
    for name in everyday:
        line("held out, everyday: " + name, fit(tunnels, {k: v for k, v in everyday.items() if k != name}), everyday[name])
    w = fit(tunnels, everyday)
    for spec in a.held_out:
        name, _, paths = spec.partition("=")
        for key, row in sorted(captured(paths).items()):
            x = vectors([row])
            if x and score(w, x[0]) > -2:
                print(f"never learnt from: {name} {key[0]} {key[1]} {len(row.asked)} look-ups: {score(w, x[0]):.2f}")
        line("never learnt from: " + name, w, vectors(captured(paths).values()))
    print("bias", round(w[0], 3), " ".join(f"{s[0]} {x:.3f}" for s, x in zip(SIGNS, w[1:])))
    if a.write:
        emit(w, a.write, list(everyday))


def emit(w, path, families):
    def number(x):
        return f"{x:.0f}" if x == int(x) else f"{x:.1f}"
    captures = sorted(f[8:] for f in families if f.startswith("capture "))
    out = ["// Generated by Tools/train_tunnel.py; do not edit.", "//",
           f"// Learnt (seed {SEED}) from {ROWS} drawn host-days each of {len(TUNNELS)} shapes of tunnels and {len(EVERYDAY)} everyday shapes"
           " that resemble",
           "// them, and from the domains that clean hosts asked in " + (", ".join(captures) if captures else "no capture") + ".",
           "", "/// Weights of `DNSTunnelDetector`: natural logarithms of likelihood ratios.", "enum TunnelModel {",
           f"  static let bias = {w[0]:.3f}", "",
           "  /// A sign begins at `low`, is full at `high` (between them over the logarithm, if `isLog`), and then adds `weight`.",
           "  static let signs: [(name: String, low: Double, high: Double, isLog: Bool, weight: Double)] = ["]
    for (name, low, high, kind), x in zip(SIGNS, w[1:]):
        out.append(f'    ("{name}", {number(low)}, {number(high)}, {"true" if kind else "false"}, {x:.3f}),')
    out += ["  ]", "}", ""]
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(out))
    print(path, os.path.getsize(path), "bytes")


if __name__ == "__main__":
    main()
