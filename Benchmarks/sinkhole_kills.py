#!/usr/bin/env python3
"""A running sinkhole is killed again and again while check-ins come in: what is lost, by the sender's own count?

usage: sinkhole_kills.py MOTHLIGHT [--kills 50] [--seed 1]

`mothlight sinkhole` runs with name server, listeners and spools; 500 datagrams, 10 requests and 10 queries a second come from 127/8, with
a source of its own for every tenth of a second, so that a loss has a time. Each round kills with SIGKILL, at a random moment, one of:
a part (the supervisor brings it back), both parts, the supervisor (its parts have to end by themselves), or all three at once. After
each restart `evidence verify` has to accept both spools, and no sealed segment may have changed. At the end the spools are read by a
reader written from docs/spool.md alone, and compared with what was sent.

Loopback only; at most 200 kills. The result is printed as JSON; runs/ keeps it.
"""

import argparse, collections, datetime, hashlib, json, os, random, re, signal, socket, struct, subprocess, sys, tempfile, threading, time
from pathlib import Path

UDP, TCP, METRICS, DNS = 34530, 34531, 34539, 34553
SLOT = 0.1
PER_SLOT = 50
JOIN = bytes.fromhex("610000998b89c9")
CONFIG = f"""sinkhole:
  operator: {{ name: "Example CERT", abuse_contact: "abuse@cert.example" }}
  spool: spool
  addresses: {{ ipv4: [ 127.0.0.1 ] }}
  dns: {{ listen: [ "127.0.0.1:{DNS}" ], ns: [ ns1.sink.example ], rrl: {{ responses_per_second: 1000 }} }}
  zones: zones.yaml
  listeners:
    - {{ listen: "127.0.0.1:{UDP}", transport: udp, family: Mariposa }}
    - {{ listen: "127.0.0.1:{TCP}", transport: tcp }}
  tally: {{ sources: 131072 }}
  metrics: "127.0.0.1:{METRICS}"
"""
ZONES = """orders:
  - authority: { order: "1", issuer: "Court", date: 2026-03-01 }
    family: Mariposa
    start: 2026-03-02
    end: 2036-03-01
    zones: [ seized-one.example ]
"""


def source(kind, slot):
    return f"127.{kind}.{slot >> 8 & 255}.{slot & 255}"


class Sender(threading.Thread):
    """Truth: what went out by datagram, what was answered by TCP and DNS, for each tenth of a second."""

    def __init__(self):
        super().__init__(daemon=True)
        self.sent, self.answered, self.resolved = collections.Counter(), collections.Counter(), collections.Counter()
        self.begun, self.is_over = time.time(), False

    def slot_of(self, moment):
        return int((moment - self.begun) / SLOT) + 1

    def run(self):
        last = 0
        while not self.is_over and last < 65_000:
            slot = self.slot_of(time.time())
            if slot == last:
                time.sleep(0.005)
                continue
            last = slot
            self.datagrams(slot)
            self.query(slot)
            self.request(slot)

    def datagrams(self, slot):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bot:
            bot.bind((source(10, slot), 0))
            for _ in range(PER_SLOT):
                bot.sendto(JOIN, ("127.0.0.1", UDP))
                self.sent[slot] += 1

    def query(self, slot):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver:
            resolver.bind((source(30, slot), 0))
            resolver.settimeout(0.02)
            try:
                name = b"\x0aseized-one\x07example\x00"
                resolver.connect(("127.0.0.1", DNS))
                resolver.send(struct.pack(">HHHHHH", slot, 0, 1, 0, 0, 0) + name + struct.pack(">HH", 1, 1))
                if resolver.recv(512)[:2] == struct.pack(">H", slot):
                    self.resolved[slot] += 1
            except OSError:
                pass

    def request(self, slot):
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as bot:
                bot.bind((source(20, slot), 0))
                bot.settimeout(0.05)
                bot.connect(("127.0.0.1", TCP))
                bot.sendall(b"GET /x HTTP/1.1\r\nHost: seized-one.example\r\n\r\n")
                if bot.recv(256).startswith(b"HTTP/1.1 404 "):
                    self.answered[slot] += 1
        except OSError:
            pass


class Octets:
    def __init__(self, octets):
        self.octets, self.at = octets, 0

    def take(self, count):
        self.at += count
        return self.octets[self.at - count:self.at]

    def number(self):
        value, shift = 0, 0
        while True:
            octet = self.take(1)[0]
            value |= (octet & 127) << shift
            shift += 7
            if octet < 128:
                return value

    def address(self):
        octets = self.take(self.take(1)[0])
        return socket.inet_ntoa(octets) if len(octets) == 4 else octets.hex()


def records(folder):
    """Sightings and name server counts of a spool, as docs/spool.md describes it: (source, count)."""
    for path in sorted(Path(folder).glob("*-sightings.*")):
        octets = path.read_bytes()
        at = 192
        while at < len(octets) and octets[at:at + 1] == b"B":
            length = struct.unpack_from("<I", octets, at + 1)[0]
            block = Octets(octets[at + 9:at + 9 + length])
            at += 9 + length + 32
            while block.at < len(block.octets):
                kind, body = block.take(1)[0], Octets(block.take(block.number()))
                if kind == 1:
                    who = body.address()
                    body.take(6)
                    body.number(), body.number(), body.number()
                    yield who, body.number()
                elif kind == 3:
                    who = body.address()
                    if subnet := body.take(1)[0]:
                        body.take(subnet + 1)
                    body.number(), body.number(), body.take(2), body.number()
                    yield who, body.number()


class Sinkhole:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.err = open(folder / "err", "a")
        self.sealed = {}
        self.start()

    def start(self):
        self.process = subprocess.Popen([self.program, "sinkhole", "sinkhole.yaml"], cwd=self.folder, stdout=self.err, stderr=self.err)
        self.wait_ready()

    def children(self):
        found = {}
        for child in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            try:
                words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            for part in ("dns", "listeners"):
                if part.encode() in words:
                    found[part] = int(child)
        return found

    def is_ready(self):
        try:
            with socket.create_connection(("127.0.0.1", METRICS), 1) as peer:
                peer.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
                is_healthy = b"ok" in peer.recv(512)
            with socket.create_connection(("127.0.0.1", DNS), 1):
                return is_healthy and len(self.children()) == 2
        except OSError:
            return False

    def wait_ready(self):
        for _ in range(400):
            if self.is_ready():
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        sys.exit("the sinkhole does not come up: " + (self.folder / "err").read_text()[-2000:])

    def kill(self, what):
        children = self.children()
        victims = {"listeners": [children.get("listeners")], "dns": [children.get("dns")], "both": list(children.values()),
                   "supervisor": [self.process.pid], "all": [self.process.pid, *children.values()]}[what]
        for pid in victims:
            if pid:
                os.kill(pid, signal.SIGKILL)
        at, ended_in = time.time(), 0.0
        if what in ("supervisor", "all"):
            self.process.wait()
            # What an init system does: nothing is started before the last of its processes has gone.
            while any(is_running(pid) for pid in children.values()):
                time.sleep(0.01)
                if time.time() - at > 9:
                    sys.exit(f"{what} killed, and a part still runs: {(self.folder / 'err').read_text()[-2000:]}")
            ended_in = time.time() - at
            self.start()
        else:
            time.sleep(0.3)
            self.wait_ready()
        return at, ended_in

    def check(self):
        """Both spools verify, and what was sealed has stayed as it was."""
        for part in ("dns", "listeners"):
            done = subprocess.run([self.program, "evidence", "verify", self.folder / "spool" / part], capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(f"evidence verify {part}: {done.stdout[-2000:]}{done.stderr}")
        now = {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in (self.folder / "spool").glob("*/*.sealed")}
        for path, digest in self.sealed.items():
            if now.get(path) != digest:
                sys.exit(f"{path}: a sealed segment was changed or is gone")
        self.sealed = now


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def seconds_lost(truth, counted, per_slot, kills, begun):
    """For each kill the check-ins lost from fifteen seconds before it until the next one, as seconds of sending."""
    lost = {slot: truth[slot] - counted[slot] for slot in truth}
    out = []
    for number, (_, at) in enumerate(kills):
        first = (at - begun - 15) / SLOT if number == 0 else max((at - begun - 15) / SLOT, (kills[number - 1][1] - begun) / SLOT)
        end = (kills[number + 1][1] - begun) / SLOT if number + 1 < len(kills) else float("inf")
        out.append(round(sum(n for slot, n in lost.items() if first <= slot < end and n > 0) / per_slot * SLOT, 2))
    return out


def run(chosen, folder):
    (folder / "sinkhole.yaml").write_text(CONFIG)
    (folder / "zones.yaml").write_text(ZONES)
    rng = random.Random(chosen.seed)
    sink = Sinkhole(chosen.program, folder)
    sender = Sender()
    sender.start()
    kills, ends, up_since = [], [], time.time()
    for _ in range(chosen.kills):
        what = rng.choice(["listeners", "dns", "both", "supervisor", "supervisor", "all", "all"])
        # A part that has run for ten seconds comes back after one; the back-off of one that keeps falling is no matter here.
        wait = 10.2 + rng.uniform(0, 3) if what in ("listeners", "dns", "both") else rng.uniform(0.2, 6)
        time.sleep(max(0, up_since + wait - time.time()))
        at, ended_in = sink.kill(what)
        kills.append((what, at))
        if what == "supervisor":
            ends.append(round(ended_in, 2))
        up_since = time.time()
        sink.check()
    time.sleep(2)
    sender.is_over = True
    sender.join()
    sink.process.send_signal(signal.SIGTERM)
    sink.process.wait(20)
    sink.check()
    seen = {"listeners": collections.Counter(), "dns": collections.Counter()}
    for part, counts in seen.items():
        for who, count in records(folder / "spool" / part):
            counts[who] += count
    out = {"machine": os.uname().release, "began": datetime.datetime.utcfromtimestamp(sender.begun).isoformat(timespec="seconds") + "Z",
           "load": os.getloadavg()[0], "seconds": round(time.time() - sender.begun), "seed": chosen.seed,
           "kills": dict(collections.Counter(what for what, _ in kills)), "parts_ended_seconds_after_supervisor": ends}
    holds = {"spools_verified_after_each_restart": True}
    for name, kind, part, truth, per_slot in (("datagrams", 10, "listeners", sender.sent, PER_SLOT),
                                              ("requests", 20, "listeners", sender.answered, 1), ("queries", 30, "dns", sender.resolved, 1)):
        counted = {slot: seen[part][source(kind, slot)] for slot in truth}
        lost = seconds_lost(truth, counted, per_slot, kills, sender.begun)
        by_kind = collections.defaultdict(list)
        for (what, _), seconds in zip(kills, lost):
            by_kind[what].append(seconds)
        out[name] = {"sent" if kind == 10 else "answered": sum(truth.values()), "counted": sum(counted.values()),
                     "seconds_lost_by_a_kill": {what: {"median": sorted(values)[len(values) // 2], "most": max(values)}
                                                for what, values in by_kind.items()}}
        holds[f"{name}_at_most_10_s"] = max(lost) <= 10
        # A query or request may be counted although its answer came too late for the sender.
        holds[f"{name}_never_counted_twice"] = all(counted[slot] <= truth[slot] for slot in truth)
    said = (folder / "err").read_text()
    out["restarts_told"] = len(re.findall(r"started again in", said))
    out["rows_written_again"] = sum(int(n) for n in re.findall(r"(\d+) rows that were on their way", said))
    out["holds"] = holds
    return out


def main():
    words = argparse.ArgumentParser()
    words.add_argument("program", type=os.path.abspath)
    words.add_argument("--kills", type=int, default=50)
    words.add_argument("--seed", type=int, default=1)
    chosen = words.parse_args()
    if not 1 <= chosen.kills <= 200:
        words.error("1 to 200 kills")
    with tempfile.TemporaryDirectory(prefix="mothlight-kills-") as folder:
        out = run(chosen, Path(folder))
    print(json.dumps(out, indent=1))
    sys.exit(0 if all(out["holds"].values()) else 1)


main()
