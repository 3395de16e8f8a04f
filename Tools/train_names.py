#!/usr/bin/env python3
"""Learns the name model of Mothlight and writes Sources/Mothlight/Detection/NameModel.swift.

usage: train_names.py LISTS [--zeek FAMILY=dns.log ...] [--benign-zeek dns.log ...] [--write NameModel.swift]

LISTS is a folder with dga-<family>.txt (one name a line) and opendns-top-domains.txt. The lists are not shipped:
only counts over two and three neighbouring characters leave this program. Python 3 standard library; seeded.

Families are held out WHOLE: each row of the report comes from a model that never saw a name of that family.
Besides the listed families it learns from shapes drawn here (uniform letters, letters with digits, hexadecimal,
consonant-vowel), so that no single family's length or alphabet becomes "what generated names look like".
"""
import argparse, collections, hashlib, math, os, random, statistics, sys
import word_shapes

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-"
EDGE = 37
INDEX = {c: i for i, c in enumerate(ALPHABET)}
N = 38
SEED = 2009
PER_FAMILY = 1500
FEATURES = ["bias", "bigram_mean", "bigram_sum", "unseen_trigrams", "log_length", "vowel_share", "consonant_run",
            "digit_share", "hyphen", "distinct_share"]
SECOND = {"co", "com", "net", "org", "gov", "edu", "ac", "or", "ne", "go", "gob", "gouv", "mil", "nom"}


def label_of(name):
    """The label under the public suffix, near enough for lists of registered names."""
    parts = name.strip().lower().rstrip(".").split(".")
    if len(parts) < 2:
        return None
    i = -2
    if len(parts) >= 3 and len(parts[-1]) == 2 and parts[-2] in SECOND:
        i = -3
    label = parts[i]
    ok = 3 <= len(label) <= 63 and all(c in INDEX for c in label) and not label.startswith("xn--")
    return label if ok else None


def read_list(path):
    with open(path, encoding="ascii", errors="ignore") as f:
        labels = (label_of(line) for line in f)
        return list(dict.fromkeys(l for l in labels if l))


def read_zeek(path):
    out, fields = {}, None
    with open(path, encoding="utf-8", errors="ignore") as f:
        for line in f:
            if line.startswith("#fields"):
                fields = line.rstrip("\n").split("\t")[1:]
            elif fields and not line.startswith("#"):
                row = dict(zip(fields, line.rstrip("\n").split("\t")))
                name = row.get("query", "")
                if row.get("id.resp_p") == "53" and not name.endswith((".arpa", ".local", ".lan")):
                    label = label_of(name)
                    if label:
                        out.setdefault(label, name)
    return list(out)


def shapes(rng):
    def text(alphabet, low, high):
        return "".join(rng.choice(alphabet) for _ in range(rng.randint(low, high)))
    letters, vowels = ALPHABET[:26], "aeiouy"
    consonants = [c for c in letters if c not in "aeiou"]
    def alternating():
        turn = rng.random() < 0.8
        out = []
        for i in range(rng.randint(6, 13)):
            v = (i % 2 == 1) == turn
            if rng.random() < 0.1:
                v = not v
            out.append(rng.choice(vowels if v else consonants))
        return "".join(out)
    return {
        "shape-letters": [text(letters, 6, 20) for _ in range(PER_FAMILY)],
        "shape-alnum": [text(ALPHABET[:36], 8, 24) for _ in range(PER_FAMILY)],
        "shape-hex": [text("0123456789abcdef", 8, 32) for _ in range(PER_FAMILY)],
        "shape-alternating": [alternating() for _ in range(PER_FAMILY)],
    }


def codes(label):
    return [EDGE] + [INDEX[c] for c in label] + [EDGE]


def bigram_table(benign, families):
    good = [[0.5] * N for _ in range(N)]
    for label in benign:
        c = codes(label)
        for a, b in zip(c, c[1:]):
            good[a][b] += 1
    bad = [[0.0] * N for _ in range(N)]
    for labels in families.values():
        pairs = collections.Counter()
        for label in labels:
            c = codes(label)
            pairs.update(zip(c, c[1:]))
        total = sum(pairs.values())
        for (a, b), n in pairs.items():
            bad[a][b] += n / total / len(families)
    table = [[0] * N for _ in range(N)]
    total_good = sum(map(sum, good))
    for a in range(N):
        for b in range(N):
            p, q = bad[a][b] + 2e-6, good[a][b] / total_good
            # Conditional on the left character, so that letter frequency counts once.
            p /= sum(bad[a]) + 2e-6 * N
            q /= sum(good[a]) / total_good
            table[a][b] = max(-127, min(127, round(25 * math.log(p / q))))
    return table  # in 1/25 nat


def trigram_counts(benign):
    seen = collections.Counter()
    for label in benign:
        c = codes(label)
        seen.update(set(zip(c, c[1:], c[2:])))
    return seen


def vector(label, table, trigrams, own=0):
    c = codes(label)
    pairs = [table[a][b] / 25 for a, b in zip(c, c[1:])]
    triples = list(zip(c, c[1:], c[2:]))
    unseen = sum(trigrams[t] - own <= 0 for t in triples) / len(triples)
    n = len(label)
    run = best = 0
    for ch in label:
        run = run + 1 if ch.isalpha() and ch not in "aeiouy" else 0
        best = max(best, run)
    letters = sum(ch.isalpha() for ch in label)
    vowels = sum(ch in "aeiouy" for ch in label)
    total = sum(pairs)
    return [1.0, total / len(pairs), max(-10.0, min(10.0, total)) / 10, unseen, math.log(n),
            vowels / letters if letters else 0.0, min(best, 8) / 8, sum(ch.isdigit() for ch in label) / n,
            1.0 if "-" in label else 0.0, len(set(label)) / n]


def fit(rows, rng):
    """Logistic regression by full-batch gradient with momentum, L2 1e-3; classes weigh the same."""
    count = collections.Counter(y for _, y in rows)
    w, v = [0.0] * len(FEATURES), [0.0] * len(FEATURES)
    for _ in range(300):
        g = [1e-3 * x for x in w]
        for x, y in rows:
            z = sum(a * b for a, b in zip(w, x))
            e = (1 / (1 + math.exp(-max(-30, min(30, z)))) - y) * 0.5 / count[y]
            for i, xi in enumerate(x):
                g[i] += e * xi
        for i in range(len(w)):
            v[i] = 0.9 * v[i] - 1.5 * g[i]
            w[i] += v[i]
    return w


class Model:
    def __init__(self, benign, families, rng):
        self.table = bigram_table(benign, families)
        self.trigrams = trigram_counts(benign)
        sample = [l for labels in families.values() for l in labels[:400]]
        rows = [(vector(l, self.table, self.trigrams, own=1), 0) for l in rng.sample(benign, min(len(benign), 3000))]
        rows += [(vector(l, self.table, self.trigrams), 1) for l in sample]
        self.weights = fit(rows, rng)

    def score(self, label):
        z = sum(a * b for a, b in zip(self.weights, vector(label, self.table, self.trigrams)))
        return max(-6.0, min(6.0, z))


def report(title, model, bad, good):
    b, g = [model.score(l) for l in bad], [model.score(l) for l in good]
    tp, fp = sum(x > 0 for x in b), sum(x > 0 for x in g)
    # Balanced: as many benign as generated names.
    fpr, recall = fp / len(g), tp / len(b)
    precision = recall / (recall + fpr) if recall + fpr else 0
    over = lambda xs, t: 100 * sum(x > t for x in xs) / len(xs)
    print(f"{title:26s} n={len(b):5d} accuracy {100*(recall+1-fpr)/2:5.1f}  precision {100*precision:5.1f}  recall "
          f"{100*recall:5.1f}  fpr {100*fpr:4.1f}  median {statistics.median(b):5.2f}  over 2: {over(b,2):5.1f} (benign {over(g,2):4.2f})")
    return recall, fpr


def emit(model, path, note):
    lines = ["// Generated by Tools/train_names.py; do not edit.", "//"] + ["// " + n for n in note] + [
        "", "/// Weights of `NameLikelihood`: counts over neighbouring characters, no names.", "enum NameModel {",
        "  /// Row: left character, column: right one, in the order a…z 0…9 `-` edge; 1/25 nat generated : chosen.",
        "  static let bigrams: [Int8] = ["]
    for row in model.table:
        cells = [f"{v}," for v in row]
        for i in range(0, N, 19):
            lines.append("    " + " ".join(cells[i:i + 19]))
    lines += ["  ]", "", "  /// " + ", ".join(FEATURES) + ".", "  static let weights: [Double] = ["]
    lines += ["    " + ", ".join(f"{w:.4f}" for w in model.weights) + ","]
    lines += ["  ]", "", "  /// One bit per triple of characters seen in chosen names, index (a * 38 + b) * 38 + c, lowest bit first, in hex.",
              "  static let trigramsSeen: String = \"\"\"" ]
    bits = bytearray((N ** 3 + 7) // 8)
    for (a, b, c), n in model.trigrams.items():
        if n > 0:
            i = (a * N + b) * N + c
            bits[i // 8] |= 1 << (i % 8)
    text = bits.hex()
    for i in range(0, len(text), 112):
        lines.append("    " + text[i:i + 112] + "\\")
    lines[-1] = lines[-1][:-1]
    lines += ["    \"\"\"", "}", ""]
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(lines))
    print(path, os.path.getsize(path), "bytes")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("lists")
    ap.add_argument("--zeek", action="append", default=[], metavar="FAMILY=FILE", help="held-out family, never learnt from")
    ap.add_argument("--benign-zeek", action="append", default=[], metavar="FILE")
    ap.add_argument("--write")
    a = ap.parse_args()
    rng = random.Random(SEED)
    benign = read_list(os.path.join(a.lists, "opendns-top-domains.txt"))
    rng.shuffle(benign)
    cut = len(benign) * 7 // 10
    train_good, test_good = benign[:cut], benign[cut:]
    families = {}
    for f in sorted(os.listdir(a.lists)):
        if f.startswith("dga-") and f.endswith(".txt"):
            labels = read_list(os.path.join(a.lists, f))
            rng.shuffle(labels)
            families[f[4:-4]] = labels[:PER_FAMILY]
    drawn = shapes(rng)
    captured = {}
    for z in a.zeek:
        name, _, path = z.partition("=")
        captured[name] = read_zeek(path)
    words = word_shapes.pieces(test_good + train_good)
    print(f"chosen names: {len(train_good)} to learn from, {len(test_good)} held out; families: "
          + ", ".join(f"{k} {len(v)}" for k, v in families.items()))
    totals = []
    for name in families:
        rest = {k: v for k, v in {**families, **drawn}.items() if k != name}
        totals.append(report("held out: " + name, Model(train_good, rest, random.Random(SEED)), families[name], test_good))
    model = Model(train_good, {**families, **drawn}, random.Random(SEED))
    for name, labels in captured.items():
        totals.append(report("held out: " + name, model, labels, test_good))
    recall = statistics.mean(t[0] for t in totals)
    fpr = statistics.mean(t[1] for t in totals)
    print(f"mean over held-out families: accuracy {50*(recall+1-fpr):.1f} precision {100*recall/(recall+fpr):.1f} recall {100*recall:.1f}")
    # Dictionary generators, one name at a time; bursts of them are weighed by train_bursts.py. Never learnt from.
    spoken = []
    for shape, (make, _) in word_shapes.GENERATORS.items():
        own, draw = word_shapes.dealt(words, shape), random.Random(f"{SEED} {shape}")
        spoken.append(report("dictionary: " + shape, model, [make(own, draw) for _ in range(1000)], test_good))
    recall_words, fpr_words = statistics.mean(t[0] for t in spoken), statistics.mean(t[1] for t in spoken)
    print(f"dictionary generators (not in mean): accuracy {50*(recall_words+1-fpr_words):.1f} precision "
          f"{100*recall_words/max(1e-9, recall_words+fpr_words):.1f} recall {100*recall_words:.1f}")
    only = Model(train_good, families, random.Random(SEED))
    for name, labels in drawn.items():
        report("held out: " + name, only, labels, test_good)
    for path in a.benign_zeek:
        labels = read_zeek(path)
        s = sorted((model.score(l), l) for l in labels)
        print(path, len(labels), "labels; LLR > 0:", sum(x > 0 for x, _ in s), "> 2:", sum(x > 2 for x, _ in s), s[-12:])
    if a.write:
        final = Model(benign, {**families, **drawn}, random.Random(SEED))
        digest = hashlib.sha256("\n".join(sorted(benign)).encode()).hexdigest()[:16]
        emit(final, a.write, [
            f"Learnt (seed {SEED}) from {len(benign)} registered labels of the OpenDNS top-domains list (2014; SHA-256 prefix",
            f"of the sorted labels {digest}), up to {PER_FAMILY} names each of the generators " + ", ".join(families) + ",",
            "and four shapes drawn by the program itself. Mean over held-out families, balanced: accuracy "
            + f"{50*(recall+1-fpr):.1f} %, precision {100*recall/(recall+fpr):.1f} %,",
            f"recall {100*recall:.1f} %. Names made of dictionary words are not seen.",
        ])


if __name__ == "__main__":
    main()
