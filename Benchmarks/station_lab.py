"""A network namespace with one cable, a station in it, and what can be read of both; for station_load.py and station_soak.py.

Nothing leaves the namespace: the cable's other end is in it, and it has no route to anywhere.
"""
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time
import urllib.request

WATCHED, SENDING = "watched0", "sending0"
PORT = 8420
TICKS = os.sysconf("SC_CLK_TCK")


class Lab:
    """A namespace of its own; everything that is started in it ends with it."""

    def __init__(self):
        self.name = f"mothlight-load-{os.getpid()}"
        self.children = []

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        for command in (
            "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6",
            # Real captures hold segments that were put together by the card.
            f"ip link add {WATCHED} mtu 65535 type veth peer name {SENDING} mtu 65535",
            f"ip link set {WATCHED} up && ip link set {SENDING} up && ip link set lo up",
        ):
            subprocess.run(self.inside(["sh", "-c", command]), check=True)
        return self

    def __exit__(self, *_):
        for child in self.children:
            if child.poll() is None:
                child.terminate()
        for child in self.children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        subprocess.run(["ip", "netns", "del", self.name], check=False)

    def inside(self, command):
        return ["ip", "netns", "exec", self.name, *[str(word) for word in command]]

    def start(self, command, **options):
        child = subprocess.Popen(self.inside(command), **options)
        self.children.append(child)
        return child

    def run(self, command, **options):
        return subprocess.run(self.inside(command), **options)

    def interface(self, name=WATCHED):
        """The kernel's counters of an interface."""
        text = self.run(["cat", *(f"/sys/class/net/{name}/statistics/{c}" for c in COUNTERS)], capture_output=True, text=True, check=True).stdout
        return dict(zip(COUNTERS, map(int, text.split())))


COUNTERS = ("rx_packets", "rx_bytes", "rx_dropped", "rx_errors", "tx_packets", "tx_dropped")


def backlog_drops():
    """Packets that found the kernel's queue between two interfaces full, on all processors."""
    return sum(int(line.split()[1], 16) for line in open("/proc/net/softnet_stat"))


class Station:
    """`mothlight watch` in a namespace."""

    def __init__(self, lab, program, folder, sources, home, more=""):
        self.lab, self.folder = lab, folder
        os.makedirs(folder, exist_ok=True)
        self.config = f"{folder}/station.yaml"
        with open(self.config, "w") as f:
            f.write("station:\n  data: data\n  sources:\n" + "".join(f"    - {{ {source} }}\n" for source in sources))
            f.write(f"  home: [ {', '.join(home)} ]\n  serve: {{ listen: \"127.0.0.1:{PORT}\" }}\n{more}")
        self.log = open(f"{folder}/log", "ab")
        self.child = lab.start([program, "watch", "--config", self.config], stdout=self.log, stderr=self.log)
        self.asks = subprocess.Popen(
            lab.inside(["python3", "-c", ASKER, str(PORT)]), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        lab.children.append(self.asks)
        for _ in range(200):
            if self.metrics():
                break
            if self.child.poll() is not None:
                raise SystemExit(f"the station ended: {open(f'{folder}/log').read()[-500:]}")
            time.sleep(0.05)

    @property
    def process(self):
        """`ip netns exec` becomes the program: same number."""
        return self.child.pid

    def ask(self, path):
        """A page or answer as text; empty when there is none within five seconds."""
        self.asks.stdin.write(path + "\n")
        self.asks.stdin.flush()
        return json.loads(self.asks.stdout.readline())

    def metrics(self):
        out = {}
        for line in self.ask("/metrics").splitlines():
            if not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                out[name.removeprefix("mothlight_")] = float(value)
        return out

    def memory(self):
        """Resident and own (anonymous) octets, highest so far, and open files."""
        text = open(f"/proc/{self.process}/status").read()
        field = lambda name: int(re.search(rf"{name}:\s+(\d+)", text)[1]) * 1024
        return {"rss": field("VmRSS"), "own": field("RssAnon"), "peak": field("VmHWM"), "threads": int(re.search(r"Threads:\s+(\d+)", text)[1]),
                "files": len(os.listdir(f"/proc/{self.process}/fd"))}

    def cpu_seconds(self):
        return cpu_seconds(self.process)

    def threads(self):
        """CPU seconds by thread name, the busiest first."""
        out = {}
        for task in os.listdir(f"/proc/{self.process}/task"):
            try:
                name = open(f"/proc/{self.process}/task/{task}/comm").read().strip()
                out[f"{name}/{task}"] = round(cpu_seconds(f"{self.process}/task/{task}"), 2)
            except FileNotFoundError:
                continue
        return dict(sorted(out.items(), key=lambda item: -item[1])[:8])

    def waiting_in_poll(self):
        """The capture thread, while nothing comes: the only one that waits in poll(2), system call 7 on x86-64."""
        tasks = os.listdir(f"/proc/{self.process}/task")
        return next(t for t in tasks if open(f"/proc/{self.process}/task/{t}/syscall").read().startswith("7 "))

    def stop(self):
        started = time.monotonic()
        self.child.send_signal(signal.SIGTERM)
        status = self.child.wait(30)
        return {"status": status, "seconds": round(time.monotonic() - started, 2)}


# Asks from inside of the namespace; one process, so that asking costs next to nothing.
ASKER = """
import sys, json, urllib.request
for line in sys.stdin:
    try:
        with urllib.request.urlopen('http://127.0.0.1:' + sys.argv[1] + line.strip(), timeout=5) as reply:
            text = reply.read().decode()
    except Exception:
        text = ''
    print(json.dumps(text), flush=True)
"""


def cpu_seconds(process):
    fields = open(f"/proc/{process}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def machine_cpu():
    """Busy and all CPU seconds of the machine so far."""
    fields = list(map(int, open("/proc/stat").readline().split()[1:9]))
    return (sum(fields) - fields[3] - fields[4]) / TICKS, sum(fields) / TICKS


def of_source(metrics, name):
    """Counters of one source: records, used, octets, and everything that was dropped or skipped, by reason."""
    out = {"dropped": {}, "skipped": {}}
    for key, value in metrics.items():
        if f'source="{name}"' not in key:
            continue
        reason = re.search(r'reason="([^"]*)"', key)
        if key.startswith("source_dropped_total") and reason:
            out["dropped"][reason[1]] = int(value)
        elif key.startswith("source_skipped_total") and reason:
            out["skipped"][reason[1]] = int(value)
        elif match := re.match(r"source_(records|used|octets|unparsed|restarts)_total", key):
            out[match[1]] = int(value)
    return out


def move_days(path, newest):
    """Moves what a store made by StationStore holds so that its newest day is `newest`, counted from 1970."""
    base = sqlite3.connect(path, isolation_level=None)
    by = newest - base.execute("SELECT max(day) FROM host_day").fetchone()[0]
    if by == 0:
        return
    base.execute("BEGIN")
    for (table,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE TABLE%'").fetchall():
        columns = {row[1] for row in base.execute(f"PRAGMA table_info('{table}')")} & {"day", "first_day", "last_day"}
        if columns and table != "takedown":
            base.execute(f"UPDATE {table} SET " + ", ".join(f"{c} = {c} + {by}" for c in sorted(columns)))
    base.execute("COMMIT")
    base.close()


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise SystemExit(f"{tool} is needed: apt-get install {tool}")
