#!/usr/bin/env python3
"""Learns what tells a burst of word-like generated names from everyday ones; writes Sources/Mothlight/Detection/BurstModel.swift.

usage: train_bursts.py LISTS [--write BurstModel.swift]

LISTS is a folder with opendns-top-domains.txt (see train_names.py). A row is a burst of names that do not exist, asked by one
host within an hour. Nothing here looks at how random a name is. Each shape of generator (with its words) and each everyday
crowd is held out WHOLE; popular names are split once more, so that held-out rows use names never learnt from. Seeded.
"""
import argparse, collections, math, os, random
import train_names
from word_shapes import EVERYDAY, GENERATORS, dealt, generated_burst, pieces

SEED = 2012
ROWS = 400
NAMES = 30
# Name, value where the sign begins, value where it is full, whether it speaks for a generator (+1) or against it (-1).
SIGNS = [("label_octets", 8, 14, 1), ("ending_share", 0.3, 1.0, 1), ("bare_share", 0.0, 1.0, 1),
         ("evenness", 0.0, 1.0, 1)]
# Gates, judgements: names of one keyword, and one label under many endings, are no word list's product.
PIECE_SHARE_MOST, LABEL_SHARE_LEAST = 0.25, 0.9
REFUSED = -6.0
BAR = 1.0


def registered(name):
    parts = name.split(".")
    keep = 3 if len(parts) >= 3 and len(parts[-1]) == 2 and parts[-2] in train_names.SECOND else 2
    return ".".join(parts[-keep:])


def vector(burst):
    domains = [registered(n) for _, n in burst]
    labels = [d.split(".")[0] for d in domains]
    n = len(domains)
    gaps = [b - a for (a, _), (b, _) in zip(burst, burst[1:])]
    mean = sum(gaps) / len(gaps)
    spread = math.sqrt(sum((g - mean) ** 2 for g in gaps) / len(gaps)) / mean if mean > 0 else 1
    heads = collections.Counter(l[:4] for l in labels).most_common(1)[0][1]
    tails = collections.Counter(l[-4:] for l in labels).most_common(1)[0][1]
    raw = [sum(map(len, labels)) / n, collections.Counter(d[len(l):] for d, l in zip(domains, labels)).most_common(1)[0][1] / n,
           sum(name == d for (_, name), d in zip(burst, domains)) / n, max(0, 1 - spread)]
    if max(heads, tails) / n > PIECE_SHARE_MOST or len(set(labels)) / n < LABEL_SHARE_LEAST:
        return None
    return [1.0] + [max(0.0, min(1.0, (v - low) / (high - low))) for v, (_, low, high, _) in zip(raw, SIGNS)]


def fit(positive, negative):
    rows = []
    for side, y in ((positive, 1), (negative, 0)):
        filled = [kept for f in side.values() if (kept := [x for x in f if x])]
        rows += [(x, y, 0.5 / len(filled) / len(f)) for f in filled for x in f]
    w, v = [0.0] * (len(SIGNS) + 1), [0.0] * (len(SIGNS) + 1)
    for _ in range(1000):
        g = [2e-3 * x for x in w]
        for x, y, share in rows:
            e = (1 / (1 + math.exp(-max(-30, min(30, sum(a * b for a, b in zip(w, x)))))) - y) * share
            for i, xi in enumerate(x):
                g[i] += e * xi
        for i in range(len(w)):
            v[i] = 0.9 * v[i] - 1.5 * g[i]
            w[i] += v[i]
            if i and w[i] * SIGNS[i - 1][3] < 0:
                w[i] = 0.0
    return w


def scores(w, rows):
    return sorted(sum(a * b for a, b in zip(w, x)) if x else REFUSED for x in rows)


def over(z, t):
    return 100 * sum(v >= t for v in z) / len(z)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("lists")
    ap.add_argument("--write")
    a = ap.parse_args()
    with open(os.path.join(a.lists, "opendns-top-domains.txt"), encoding="ascii", errors="ignore") as f:
        names = [l.strip().lower() for l in f if train_names.label_of(l)]
    names = [n for n in dict.fromkeys(registered(n) for n in names)]
    random.Random(SEED).shuffle(names)
    halves = names[:len(names) // 2], names[len(names) // 2:]
    words = pieces([n.split(".")[0] for n in names])
    def generated(shape, part):
        rng = random.Random(f"{SEED} {shape} {part}")
        return [vector(generated_burst(shape, dealt(words, shape), rng, NAMES)) for _ in range(ROWS // 2)]
    def everyday(crowd, part):
        rng = random.Random(f"{SEED} {crowd} {part}")
        return [vector(EVERYDAY[crowd](halves[part], rng, NAMES)) for _ in range(ROWS // 2)]
    learn = {s: generated(s, 0) for s in GENERATORS}, {c: everyday(c, 0) for c in EVERYDAY}
    recall, alarms = [], []
    print(f"{len(words)} words; bursts of {NAMES} names; found: ln odds >= {BAR}")
    for s in GENERATORS:
        z = scores(fit({k: v for k, v in learn[0].items() if k != s}, learn[1]), generated(s, 1))
        recall.append(over(z, BAR))
        print(f"held out, generator: {s:20s} median {z[len(z) // 2]:5.2f}  found {recall[-1]:5.1f} %")
    for c in EVERYDAY:
        z = scores(fit(learn[0], {k: v for k, v in learn[1].items() if k != c}), everyday(c, 1))
        alarms.append(over(z, BAR))
        print(f"held out, everyday:  {c:20s} median {z[len(z) // 2]:5.2f}  found {alarms[-1]:5.1f} %")
    r, f = sum(recall) / len(recall) / 100, sum(alarms) / len(alarms) / 100
    print(f"mean over held-out families, balanced: accuracy {50 * (r + 1 - f):.1f} precision {100 * r / max(1e-9, r + f):.1f} recall {100 * r:.1f}")
    w = fit(*learn)
    print("bias", round(w[0], 3), " ".join(f"{s[0]} {x:.3f}" for s, x in zip(SIGNS, w[1:])))
    if a.write:
        out = ["// Generated by Tools/train_bursts.py; do not edit.", "//",
               f"// Learnt (seed {SEED}) from {ROWS // 2} drawn bursts of {NAMES} names each of {len(GENERATORS)} shapes of dictionary generators and "
               f"{len(EVERYDAY)} everyday", "// crowds over popular names (OpenDNS list, 2014). Mean over held-out families, balanced: accuracy "
               f"{50 * (r + 1 - f):.1f} %,", f"// precision {100 * r / max(1e-9, r + f):.1f} %, recall {100 * r:.1f} %.",
               "", "/// Weights for bursts of word-like names: natural logarithms of likelihood ratios.", "enum BurstModel {",
               f"  static let bias = {w[0]:.3f}", "", "  /// A sign begins at `low`, is full at `high`, and then adds `weight`.",
               "  static let signs: [(name: String, low: Double, high: Double, weight: Double)] = ["]
        out += [f'    ("{n}", {low}, {high}, {x:.3f}),' for (n, low, high, _), x in zip(SIGNS, w[1:])]
        with open(a.write, "w", encoding="utf-8") as f:
            f.write("\n".join(out + ["  ]", "}", ""]))


if __name__ == "__main__":
    main()
