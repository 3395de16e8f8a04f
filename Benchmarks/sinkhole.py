#!/usr/bin/env python3
"""Load on the sinkhole's listeners, on loopback only: Benchmarks/sinkhole.py MOTHLIGHT [--quick] [--peers FOLDER].

Prints one JSON object with every single run; Benchmarks/runs/ keeps those that the documentation quotes. FOLDER holds the
C programs udpbench.c and tcpbench.c, which are run as peers where they are there.
"""

import argparse, json, os, re, signal, socket, subprocess, sys, tempfile, time
from pathlib import Path

here = Path(__file__).resolve().parent
UDP, TCP, METRICS = 34330, 34331, 34339
TICK = os.sysconf("SC_CLK_TCK")


def text_of(*command):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True).stdout.strip()


class Sinkhole:
    def __init__(self, program, *options):
        self.process = subprocess.Popen(
            [program, "listen", "--metrics", f"127.0.0.1:{METRICS}", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(600):
            try:
                if "ok" in self.page("/healthz"):
                    return
            except OSError:
                time.sleep(0.1)
            if self.process.poll() is not None:
                sys.exit(self.process.stderr.read())
        sys.exit("the sinkhole does not answer /healthz")

    def page(self, target):
        with socket.create_connection(("127.0.0.1", METRICS), timeout=10) as peer:
            peer.sendall(f"GET {target} HTTP/1.1\r\n\r\n".encode())
            octets = b""
            while part := peer.recv(65536):
                octets += part
        return octets.decode()

    def numbers(self):
        found = re.findall(r"^mothlight_sinkhole_(\w+) (\d+)$", self.page("/metrics"), re.M)
        return {name: int(value) for name, value in found}

    def cpu(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def resident(self):
        return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1]) // 1024

    def settle(self):
        """Until what has arrived is counted."""
        last = -1
        while (now := self.numbers()["check_ins_total"]) != last:
            last = now
            time.sleep(0.3)

    def end(self):
        start = time.time()
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=30)
        return round(time.time() - start, 1)


def sent_by(line):
    return int(re.search(r"(?:sent|answered) (\d+)", line)[1])


def load(tools, *words):
    before = os.getloadavg()[0]
    line = text_of(tools / "load", *words)
    return line, before


def thirteen_million(program, tools, quick):
    sources = 1_000_000 if quick else 13_000_000
    sink = Sinkhole(program, "--udp", f"127.0.0.1:{UDP}", "--family", "Mariposa", "--sockets", "2")
    fill, _ = load(tools, "udp", UDP, sources, 150_000, 0)
    sink.settle()
    first = sink.numbers()
    cpu, seconds = sink.cpu(), 10 if quick else 60
    line, busy = load(tools, "udp", UDP, sources, 72_000, seconds)
    used = sink.cpu() - cpu
    sink.settle()
    last = sink.numbers()
    result = {
        "what": f"{sources} sources, then 72,000 check-ins a second for {seconds} s", "load": busy, "fill": fill, "run": line,
        "sent": sent_by(fill) + sent_by(line), "counted": last["check_ins_total"],
        "counted_in_run": last["check_ins_total"] - first["check_ins_total"], "sent_in_run": sent_by(line),
        "kernel_drops": last["kernel_drops_total"], "sampled_out": last["sampled_out_total"],
        "unique_truth": sources, "unique_counted": last["sources"],
        "cores": round(used / seconds, 3), "resident_MiB": sink.resident(), "drain_seconds": sink.end()}
    result["holds"] = (
        result["sent"] == result["counted"] and result["kernel_drops"] == 0 and result["unique_counted"] == sources
        and result["cores"] <= 0.5 and result["resident_MiB"] <= 700)
    return result


def top_speed(program, tools, seconds):
    """The same sender for both; each receiver's own CPU."""
    sink = Sinkhole(program, "--udp", f"127.0.0.1:{UDP}", "--family", "Mariposa", "--sockets", "2")
    cpu = sink.cpu()
    line, busy = load(tools, "udp", UDP, 13_000_000, 0, seconds)
    sink.settle()
    used = sink.cpu() - cpu
    numbers = sink.numbers()
    sink.end()
    received = numbers["check_ins_total"]
    rows = [{"who": "mothlight", "load": busy, "run": line, "received": received, "drops": numbers["kernel_drops_total"],
             "sampled_out": numbers["sampled_out_total"], "cpu": round(used, 2), "per_cpu_second": round(received / used)}]
    if (tools / "udpbench").exists():
        line = text_of(tools / "udpbench", "-r1", "-s1", "-b64", f"-t{seconds}", "-T")
        rows.append({"who": "C receiver with table", "run": line,
                     "per_cpu_second": int(re.search(r"->\s+(\d+) dgram/rx", line)[1])})
    return rows


def requests(program, tools, seconds):
    sink = Sinkhole(program, "--tcp", f"127.0.0.1:{TCP}", "--family", "Sality", "--sources", "1048576")
    cpu = sink.cpu()
    line, busy = load(tools, "tcp", TCP, 16, seconds)
    used = sink.cpu() - cpu
    sink.settle()
    recognised = sink.page("/metrics")
    sink.end()
    answered = sent_by(line)
    rows = [{"who": "mothlight", "load": busy, "run": line, "cpu": round(used, 2), "per_cpu_second": round(answered / used),
             "levels": re.findall(r'level="(\w+)"} (\d+)', recognised)}]
    if (tools / "tcpbench").exists():
        peer = subprocess.Popen([tools / "tcpbench", "-r1", "-s0", f"-t{seconds + 2}"], stdout=subprocess.PIPE, text=True)
        time.sleep(0.5)
        line, _ = load(tools, "tcp", TCP, 16, seconds)
        own = peer.communicate()[0].strip()
        used = float(re.search(r"server CPU ([\d.]+)s", own)[1])
        rows.append({"who": "C acceptor, same clients", "run": line, "own": own, "cpu": used,
                     "per_cpu_second": round(sent_by(line) / used)})
    return rows


def idle(program, tools, wanted):
    sink = Sinkhole(program, "--tcp", f"127.0.0.1:{TCP}", "--udp", f"127.0.0.1:{UDP}", "--sources", "1048576",
                    "--per-source", "1000", "--timeout", "30")
    before = sink.resident()
    peer = subprocess.Popen([tools / "load", "idle", str(TCP), str(wanted), "8"], stdout=subprocess.PIPE, text=True)
    opened = sent = peer.stdout.readline()
    time.sleep(1)
    during = sink.numbers()
    line, _ = load(tools, "udp", UDP, 100_000, 20_000, 2)
    answers, _ = load(tools, "tcp", TCP, 4, 2)
    sink.settle()
    last = sink.numbers()
    peer.communicate()
    return {"what": "idle connections, and check-ins beside them", "wanted": wanted, "opened": opened.strip(),
            "open": during["connections_open"], "evicted": last["connections_evicted_total"], "udp": line, "tcp": answers,
            "kernel_drops": last["kernel_drops_total"], "resident_MiB": [before, sink.resident()], "drain_seconds": sink.end()}


def main():
    words = argparse.ArgumentParser()
    words.add_argument("program")
    words.add_argument("--quick", action="store_true")
    words.add_argument("--peers", type=Path)
    words.add_argument("--only", nargs="*", default=["13m", "top", "http", "idle"])
    chosen = words.parse_args()
    tools = Path(tempfile.mkdtemp(prefix="mothlight-sinkhole-"))
    subprocess.run(["gcc", "-O2", "-pthread", here / "Sinkhole/load.c", "-o", tools / "load"], check=True)
    for name in ["udpbench", "tcpbench"] if chosen.peers else []:
        subprocess.run(["gcc", "-O2", "-w", "-pthread", chosen.peers / f"{name}.c", "-o", tools / name], check=True)
    seconds = 3 if chosen.quick else 8
    rounds = range(1 if chosen.quick else 3)
    out = {"machine": text_of("uname", "-srm"), "cpus": os.cpu_count(), "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    if "13m" in chosen.only:
        out["thirteen_million"] = thirteen_million(chosen.program, tools, chosen.quick)
    if "top" in chosen.only:
        out["top_speed"] = [top_speed(chosen.program, tools, seconds) for _ in rounds]
    if "http" in chosen.only:
        out["requests"] = [requests(chosen.program, tools, seconds) for _ in rounds]
    if "idle" in chosen.only:
        out["idle"] = idle(chosen.program, tools, 2000 if chosen.quick else 100_000)
    print(json.dumps(out, indent=1))


main()
