"""Names as dictionary generators make them, and everyday crowds of names that do not exist. Drawn from pieces of popular names.

Each shape of a generator has a word list of its own (pieces are dealt by a hash), so that holding a shape out holds its words
out too. A burst is a list of (second, name as asked).
"""
import hashlib, random


def pieces(labels):
    """Letters-only labels of 3 to 9 that stand inside another label: mostly English words."""
    text = "\n".join(labels)
    return [w for w in dict.fromkeys(labels) if w.isalpha() and 3 <= len(w) <= 9 and text.count(w) >= 2]


def dealt(words, shape):
    own = [w for w in words if int(hashlib.sha256(w.encode()).hexdigest(), 16) % len(GENERATORS) == list(GENERATORS).index(shape)]
    return own or words


def two_words(words, rng):
    return rng.choice(words) + rng.choice(words)


def filled_up(words, rng):
    goal, out = rng.randint(12, 22), ""
    while len(out) < goal:
        out += rng.choice(words)
    return out[:24]


def hyphened(words, rng):
    return rng.choice(words) + rng.choice(["", "-"]) + rng.choice(words)


def three_short(words, rng):
    short = [w for w in words if len(w) <= 5] or words
    return "".join(rng.choice(short) for _ in range(3))


def framed(words, rng):
    return rng.choice(["my", "the", "get", "go", "pro", "top"]) + rng.choice(words) + rng.choice(["ly", "er", "ing", "ness", "able"]) + \
        rng.choice(words)[:4]


# Label maker and the endings that one generator uses.
GENERATORS = {"two-words": (two_words, ["net"]), "filled-up": (filled_up, ["com"]),
              "hyphened": (hyphened, ["com", "net", "biz", "info", "pw", "top"]),
              "three-short": (three_short, ["com", "ru"]), "framed": (framed, ["org", "com"])}


def generated_burst(shape, words, rng, count=30):
    make, endings = GENERATORS[shape]
    names, t, out = set(), 0.0, []
    mean, spread = rng.choice([0.3, 2, 10, 30, 60]), rng.choice([0.02, 0.1, 0.3, 0.6, 1.0])
    while len(out) < count:
        name = make(words, rng) + "." + rng.choice(endings)
        if name not in names:
            names.add(name)
            t += mean * max(0.01, 1 + spread * (rng.random() * 2 - 1)) * (1 if rng.random() > 0.05 else 3)
            out.append((t, name))
    return out


# Everyday crowds: each takes the popular names and gives (second, name).

def paced(rng, names, mean):
    """Three in ten are programs that keep time as well as any bot."""
    t, out, is_even = 0.0, [], rng.random() < 0.3
    for name in names:
        if is_even:
            t += mean * (0.85 + 0.3 * rng.random())
        else:
            t += rng.expovariate(1 / mean) if rng.random() < 0.7 else mean * rng.random()
        out.append((t, name))
    return out


def dead_links(names, rng, count):
    """A page or bookmark checker: dead sites, many with a host in front."""
    picked = [rng.choice(["www.", "", "blog.", "forum."]) + n for n in rng.sample(names, count)]
    return paced(rng, picked, rng.choice([0.5, 3, 20]))


def typing_errors(names, rng, count):
    def slip(n):
        i = rng.randrange(max(1, n.find(".")))
        return n[:i] + rng.choice(["", n[i] * 2, rng.choice("abcdefghijklmnopqrstuvwxyz")]) + n[i + 1:]
    return paced(rng, [rng.choice(["www.", ""]) + slip(n) for n in rng.sample(names[:2000], count)], 90)


def name_broker(names, rng, count):
    """One wish under many endings."""
    words = [n.split(".")[0] for n in rng.sample(names, 3)]
    endings = ["com", "net", "org", "info", "biz", "co", "io", "de", "fr", "it", "me", "tv", "us", "eu"]
    return paced(rng, [f"{w}.{e}" for w in words for e in endings][:count], 2)


def brand_watch(names, rng, count):
    brand = rng.choice(names).split(".")[0]
    tails = ["login", "secure", "shop", "online", "app", "help", "store", "mail", "news", "pay", "id", "web", "blog", "team", "my"]
    out = {f"{a}{brand}{b}.{e}" for a in ["", "my", "the"] for b in tails for e in ["com", "net"]}
    return paced(rng, rng.sample(sorted(out), count), 1)


def dead_list(names, rng, count):
    """A program that works through an old list of bare names, evenly: the hardest look-alike."""
    gap = rng.choice([0.2, 1, 5])
    return [(i * gap * (0.8 + 0.4 * rng.random()), n) for i, n in enumerate(rng.sample(names, count))]


def sender_checks(names, rng, count):
    """A mail filter that looks up the domains of senders."""
    return paced(rng, [n.split(".")[0] + rng.choice("0123456789abcxyz") + "." + rng.choice(["com", "top", "info", "ru", "club", "xyz"])
                           for n in rng.sample(names, count)], rng.choice([10, 60]))


def one_country(names, rng, count):
    ending = rng.choice(["de", "ru", "br", "jp", "uk"])
    return paced(rng, [rng.choice(["www.", ""]) + n.split(".")[0] + "." + ending for n in rng.sample(names, count)], 4)


def numbered_servers(names, rng, count):
    word = rng.choice(names).split(".")[0]
    return paced(rng, [f"{word}{i}.{rng.choice(['com', 'net'])}" for i in range(count)], 1)


EVERYDAY = {f.__name__.replace("_", "-"): f for f in (
    dead_links, typing_errors, name_broker, brand_watch, dead_list, sender_checks, one_country, numbered_servers)}
