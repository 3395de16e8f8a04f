#!/usr/bin/env python3
"""Idle connections beyond what the sinkhole may hold, on loopback only: does it stay up, within memory, and does it go on counting?

usage: sinkhole_idle.py MOTHLIGHT [--connections 105000] [--seconds 20] [--timeout 60]

Seven generator processes open connections from 127/8 to 127.0.0.1 and close none. Three phases of equal length follow: *hold* (they
stay as they are), *churn* (what the sinkhole ended is opened again at once, for ever), *after* (all are closed). In each, check-ins
come by UDP from as many sources as are told, and a new HTTP request every half second. The whole `mothlight sinkhole` runs: supervisor,
name server, listeners, spool; figures are of the listeners' process. The spool is verified at the end.

The destination is a constant, connections and times are bounded. The raw result is printed as JSON; runs/ keeps it.
"""

import argparse, datetime, json, multiprocessing, os, re, resource, select, signal, socket, subprocess, sys, tempfile, time
from pathlib import Path

HERE = Path(__file__).resolve().parent
GENERATORS = 7
CONNECTIONS_MOST = 130_000
UDP, TCP, METRICS, DNS = 34430, 34431, 34439, 34453
TICK = os.sysconf("SC_CLK_TCK")
JOIN_RATE = 20_000
CONFIG = f"""sinkhole:
  operator: {{ name: "Example CERT", abuse_contact: "abuse@cert.example" }}
  spool: spool
  addresses: {{ ipv4: [ 127.0.0.1 ] }}
  dns: {{ listen: [ "127.0.0.1:{DNS}" ], ns: [ ns1.sink.example ] }}
  zones: zones.yaml
  listeners:
    - {{ listen: "127.0.0.1:{UDP}", transport: udp, family: Mariposa }}
    - {{ listen: "127.0.0.1:{TCP}", transport: tcp }}
  limits: {{ connections: 131072, connections_per_source: 256, timeout_seconds: TIMEOUT }}
  tally: {{ sources: 1048576 }}
  metrics: "127.0.0.1:{METRICS}"
"""
ZONES = """orders:
  - authority: { order: "1", issuer: "Court", date: 2026-03-01 }
    family: Mariposa
    start: 2026-03-02
    end: 2036-03-01
    zones: [ seized-one.example ]
"""


class Opened:
    """The connections of one generator: sources of its own, one to each."""

    def __init__(self, number, wanted):
        self.sources = [f"127.{100 + number}.{i >> 7 & 255}.{1 + (i & 127)}" for i in range(wanted)]
        self.sockets = {}
        self.poll = select.epoll()
        self.failed = 0

    def connect(self, i):
        peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            peer.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
            peer.bind((self.sources[i], 0))
            peer.settimeout(5)
            peer.connect(("127.0.0.1", TCP))
        except OSError:
            self.failed += 1
            peer.close()
            return
        peer.setblocking(False)
        self.sockets[peer.fileno()] = (i, peer)
        self.poll.register(peer.fileno(), select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR | select.EPOLLONESHOT)

    def ended(self, wait):
        """Descriptors of which the other side has let go since the last call."""
        return [number for number, _ in self.poll.poll(wait, 4096)]


def generate(number, wanted, orders, answers):
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(20_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    held = Opened(number, wanted)
    for i in range(wanted):
        held.connect(i)
    answers.put(("opened", number, len(held.sockets), held.failed))
    gone = []
    while True:
        while orders.poll(0.05):
            words = orders.recv()
            if words == "end":
                for _, peer in held.sockets.values():
                    peer.close()
                answers.put(("ended", number))
                return
            answers.put(("churned", number, len(gone), *churn(held, gone, until=words[1])))
        gone += held.ended(0)


def churn(held, gone, until):
    """Opens again whatever the sinkhole has let go; how many, and how many tries failed."""
    again, failed = 0, held.failed
    while time.time() < until:
        gone += held.ended(0 if gone else 0.02)
        while gone and time.time() < until:
            i, peer = held.sockets.pop(gone.pop())
            peer.close()
            held.connect(i)
            again += 1
    return again, held.failed - failed


def kernel():
    """Connections that the kernel could not queue for the sinkhole, since the machine was started."""
    lines, values = open("/proc/net/netstat").read().splitlines(), {}
    for names, numbers in zip(lines[::2], lines[1::2]):
        values.update(zip(names.split()[1:], numbers.split()[1:]))
    return {name: int(values[name]) for name in ("ListenOverflows", "ListenDrops", "SyncookiesSent", "TCPTimeouts")}


class Sinkhole:
    def __init__(self, program, folder):
        self.err = open(folder / "err", "w+")
        self.process = subprocess.Popen([program, "sinkhole", "sinkhole.yaml"], cwd=folder, stdout=self.err, stderr=self.err)
        for _ in range(300):
            try:
                if "ok" in page("/healthz"):
                    break
            except OSError:
                time.sleep(0.1)
        else:
            sys.exit(f"the sinkhole does not answer /healthz: {(folder / 'err').read_text()}")
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.listeners = next(c for c in children if b"listeners" in Path(f"/proc/{c}/cmdline").read_bytes())

    def cpu(self):
        fields = Path(f"/proc/{self.listeners}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def figures(self):
        status = Path(f"/proc/{self.listeners}/status").read_text()
        sockets = Path("/proc/net/sockstat").read_text()
        numbers = {name: int(value) for name, value in re.findall(r"^mothlight_sinkhole_(\w+) (\d+)$", page("/metrics"), re.M)}
        return {
            "resident_KiB": int(re.search(r"VmRSS:\s+(\d+)", status)[1]), "peak_KiB": int(re.search(r"VmHWM:\s+(\d+)", status)[1]),
            "files": len(os.listdir(f"/proc/{self.listeners}/fd")), "cpu": self.cpu(),
            "kernel_tcp": re.search(r"TCP: (.*)", sockets)[1],
            **{name: numbers[name] for name in (
                "check_ins_total", "datagrams_total", "kernel_drops_total", "sources", "connections_total", "connections_open",
                "connections_evicted_total", "connections_timed_out_total", "connections_without_file_total",
                "connections_refused_total", "replies_total", "spool_lost_total", "sampling_factor")}}


def page(target):
    with socket.create_connection(("127.0.0.1", METRICS), timeout=10) as peer:
        peer.sendall(f"GET {target} HTTP/1.1\r\n\r\n".encode())
        octets = b""
        while part := peer.recv(65536):
            octets += part
    return octets.decode()


def request():
    """Milliseconds until a new request has its 404."""
    begin = time.time()
    with socket.create_connection(("127.0.0.1", TCP), timeout=5) as peer:
        peer.sendall(b"GET /x HTTP/1.1\r\nHost: seized-one.example\r\n\r\n")
        answer = peer.recv(512)
    if not answer.startswith(b"HTTP/1.1 404 "):
        raise OSError("no 404")
    return (time.time() - begin) * 1000


def settle(sink):
    last = None
    while (now := sink.figures()["datagrams_total"]) != last:
        last = now
        time.sleep(0.3)


def phase(name, sink, load, sources, seconds):
    before, queue, began = sink.figures(), kernel(), time.time()
    sender = subprocess.Popen([load, "udp", str(UDP), str(sources), str(JOIN_RATE), str(seconds)], stdout=subprocess.PIPE, text=True)
    times, failed = [], 0
    while time.time() - began < seconds:
        try:
            times.append(request())
        except OSError:
            failed += 1
        time.sleep(0.5)
    line = sender.communicate()[0].strip()
    took = time.time() - began
    cores = (sink.cpu() - before["cpu"]) / took
    settle(sink)
    after = sink.figures()
    sent = int(re.search(r"sent (\d+)", line)[1])
    times.sort()
    return {"phase": name, "seconds": round(took, 1), "cores": round(cores, 3), "udp": line, "udp_sent": sent,
            "udp_counted": after["datagrams_total"] - before["datagrams_total"],
            "kernel_drops": after["kernel_drops_total"] - before["kernel_drops_total"],
            "kernel_queue": {name: value - queue[name] for name, value in kernel().items()}, "requests_answered": len(times), "requests_failed": failed,
            "answer_ms": {"median": round(times[len(times) // 2], 1), "most": round(times[-1], 1)} if times else None,
            "figures": after}


def verify(program, folder):
    done = subprocess.run([program, "evidence", "verify", folder / "spool/listeners"], capture_output=True, text=True)
    return {"status": done.returncode, "last_line": done.stdout.strip().split("\n")[-1]}


def run(chosen, folder):
    load = folder / "load"
    subprocess.run(["gcc", "-O2", "-pthread", HERE / "Sinkhole/load.c", "-o", load], check=True)
    (folder / "sinkhole.yaml").write_text(CONFIG.replace("TIMEOUT", str(chosen.timeout)))
    (folder / "zones.yaml").write_text(ZONES)
    sink = Sinkhole(chosen.program, folder)
    out = {"machine": os.uname().release, "cpus": os.cpu_count(), "began": datetime.datetime.utcnow().isoformat(timespec="seconds") + "Z",
           "load": os.getloadavg()[0], "files_of_a_process": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
           "timeout_seconds": chosen.timeout, "before": sink.figures(), "phases": []}
    answers, lines, generators = multiprocessing.Queue(), [], []
    began, cpu = time.time(), sink.cpu()
    for number in range(GENERATORS):
        ours, theirs = multiprocessing.Pipe()
        generators.append(multiprocessing.Process(target=generate, args=(number, chosen.connections // GENERATORS, theirs, answers)))
        generators[-1].start()
        lines.append(ours)
    try:
        opened = [answers.get(timeout=120) for _ in generators]
        out["opening"] = {"generators": GENERATORS, "opened": sum(a[2] for a in opened), "failed": sum(a[3] for a in opened),
                          "seconds": round(time.time() - began, 1), "cpu": round(sink.cpu() - cpu, 2), "figures": sink.figures()}
        out["phases"].append(phase("hold", sink, load, 100_000, chosen.seconds))
        for line in lines:
            line.send(("churn", time.time() + chosen.seconds))
        out["phases"].append(phase("churn", sink, load, 200_000, chosen.seconds))
        churned = [answers.get(timeout=60) for _ in generators]
        out["churn"] = {"let_go_before": sum(a[2] for a in churned), "opened_again": sum(a[3] for a in churned),
                        "failed": sum(a[4] for a in churned)}
        for line in lines:
            line.send("end")
        for _ in generators:
            answers.get(timeout=60)
        for one in generators:
            one.join(20)
        time.sleep(2)
        out["phases"].append(phase("after", sink, load, 300_000, chosen.seconds))
        time.sleep(1)
        cpu = sink.cpu()
        time.sleep(5)
        out["quiet"] = {"cores": round((sink.cpu() - cpu) / 5, 3), "figures": sink.figures()}
        out["is_up"] = sink.process.poll() is None
    finally:
        for one in generators:
            if one.is_alive():
                one.kill()
        sink.process.send_signal(signal.SIGTERM)
        sink.process.wait(20)
    out["spool"] = verify(chosen.program, folder)
    out["said"] = (folder / "err").read_text().strip().split("\n")[-8:]
    held = out["opening"]["figures"]["connections_open"]
    grown = out["opening"]["figures"]["resident_KiB"] - out["before"]["resident_KiB"]
    out["octets_a_connection"] = round(grown * 1024 / max(1, held))
    # Datagrams come from the same row of sources each time, further along it; each connection has its own; requests are of 127.0.0.1.
    out["sources_truth"] = max(int(re.search(r"unique (\d+)", p["udp"])[1]) for p in out["phases"]) + out["opening"]["opened"] + 1
    out["holds"] = {
        "opened_100000": out["opening"]["opened"] >= 100_000,
        "every_datagram_counted": all(p["udp_sent"] == p["udp_counted"] and p["kernel_drops"] == 0 for p in out["phases"]),
        "every_source_counted": out["quiet"]["figures"]["sources"] == out["sources_truth"],
        "every_request_answered": all(p["requests_failed"] == 0 and p["requests_answered"] > 0 for p in out["phases"]),
        "every_connection_judged": out["quiet"]["figures"]["check_ins_total"]
        == out["quiet"]["figures"]["datagrams_total"] + out["quiet"]["figures"]["connections_total"] - out["quiet"]["figures"]["connections_open"],
        "no_spin": out["quiet"]["cores"] < 0.05,
        "memory": out["quiet"]["figures"]["peak_KiB"] < 256 * 1024,
        "up_and_verified": out["is_up"] and out["spool"]["status"] == 0}
    return out


def main():
    words = argparse.ArgumentParser()
    words.add_argument("program", type=os.path.abspath)
    words.add_argument("--connections", type=int, default=105_000)
    words.add_argument("--seconds", type=int, default=20)
    words.add_argument("--timeout", type=int, default=60, help="the sinkhole's limit for a connection, 1 to 60 seconds")
    chosen = words.parse_args()
    if not (GENERATORS <= chosen.connections <= CONNECTIONS_MOST and 1 <= chosen.seconds <= 60 and 1 <= chosen.timeout <= 60):
        words.error(f"at most {CONNECTIONS_MOST} connections, 60 seconds a phase, timeout 1 to 60 seconds")
    with tempfile.TemporaryDirectory(prefix="mothlight-idle-") as folder:
        out = run(chosen, Path(folder))
    print(json.dumps(out, indent=1))
    sys.exit(0 if all(out["holds"].values()) else 1)


main()
