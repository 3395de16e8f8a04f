#!/usr/bin/env python3
"""Flow records per CPU second of the collector, beside nfcapd on the same stream; loopback only.

usage: collector.py COLLECT [--records 1200000] [--rate 8000] [--runs 3]

COLLECT is the program of Benchmarks/Collector (`swift build -c release --package-path Benchmarks/Collector`). Records come in pairs, one
for each direction, of conversations that are all different. Both programs listen to the same datagrams one after the other, in turns.
nfcapd writes records to a file as they come; the collector joins the directions, corrects clocks and makes observations, and nothing
is behind it. CPU seconds are of the whole process. Prints JSON with every run; runs/ keeps what the documentation quotes.
"""

import argparse, json, os, socket, statistics, struct, subprocess, sys, tempfile, time

PORT = 29955
SERVER = 0xC6336401


def conversation(n):
    return 0x0A000000 | n * 7919 % 60000, SERVER + n * 31 % 4000, 1024 + n % 64000


def v5(n, now):
    """Fifteen conversations: thirty records."""
    body = b""
    for i in range(n, n + 15):
        host, server, port = conversation(i)
        for a, b, p, q, octets in ((host, server, port, 443, 900), (server, host, 443, port, 7000)):
            body += struct.pack(">IIIHHIIIIHHBBBB8x", a, b, 0, 1, 2, 9, octets, 90000, 99000, p, q, 0, 27, 6, 0)
    return struct.pack(">HHIIIIHH", 5, 30, 100000, now, 0, 2 * n, 0, 0) + body


FIELDS9 = [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (6, 1), (2, 4), (1, 4), (22, 4), (21, 4), (10, 2), (14, 2), (5, 1), (61, 1)]
FIELDS10 = FIELDS9[:8] + [(152, 8), (153, 8), (10, 4), (14, 4), (136, 1)]


def sets(kind, fields, records):
    template = struct.pack(">HH", 256, len(fields)) + b"".join(struct.pack(">HH", *f) for f in fields)
    return struct.pack(">HH", kind, 4 + len(template)) + template + struct.pack(">HH", 256, 4 + len(records)) + records


def v9(n, now):
    body = b""
    for i in range(n, n + 15):
        host, server, port = conversation(i)
        for a, b, p, q, octets in ((host, server, port, 443, 900), (server, host, 443, port, 7000)):
            body += struct.pack(">IIHHBBIIIIHHBB", a, b, p, q, 6, 27, 9, octets, 90000, 99000, 1, 2, 0, 0)
    return struct.pack(">HHIIII", 9, 31, 100000, now, n // 15, 1) + sets(0, FIELDS9, body)


def ipfix(n, now):
    body = b""
    for i in range(n, n + 12):
        host, server, port = conversation(i)
        for a, b, p, q, octets in ((host, server, port, 443, 900), (server, host, 443, port, 7000)):
            body += struct.pack(">IIHHBBIIQQIIB", a, b, p, q, 6, 27, 9, octets, now * 1000 - 10000, now * 1000 - 1000, 1, 2, 3)
    content = sets(2, FIELDS10, body)
    return struct.pack(">HHIII", 10, 16 + len(content), now, 2 * n, 1) + content


def sflow(n, now):
    """Ten sampled packets of 128 octets."""
    body = b""
    for i in range(n, n + 10):
        host, server, port = conversation(i)
        ip = struct.pack(">BBHIBBHII", 0x45, 0, 1400, 0, 64, 6, 0, host, server)
        frame = bytes(12) + b"\x08\x00" + ip + struct.pack(">HHIIBBHI", port, 443, 1, 1, 0x50, 0x18, 1000, 0)
        frame = frame.ljust(128, b"\0")
        header = struct.pack(">IIII", 1, 1418, 4, 128) + frame
        sample = struct.pack(">IIIIIIIIII", i, 0, 512, 512, 0, 1, 2, 1, 1, len(header)) + header
        body += struct.pack(">II", 1, len(sample)) + sample
    return struct.pack(">IIIIIII", 5, 1, 0x7F000001, 0, n // 10, 1000, 10) + body


FORMATS = {"netflow5": (v5, 15, 30), "netflow9": (v9, 15, 30), "ipfix": (ipfix, 12, 24), "sflow": (sflow, 10, 10)}


def stream(name, records):
    make, step, each = FORMATS[name]
    now = int(time.time())
    return [make(n * step, now) for n in range(records // each)], records // each * each


def send(datagrams, rate):
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    began = time.monotonic()
    for n, datagram in enumerate(datagrams):
        out.sendto(datagram, ("127.0.0.1", PORT))
        ahead = n / rate - (time.monotonic() - began)
        if ahead > 0.005:
            time.sleep(ahead)


def mothlight(program, datagrams, rate):
    child = subprocess.Popen([program, str(PORT), "500"], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline().strip() == "ready"
    send(datagrams, rate)
    out, _ = child.communicate(timeout=500)
    return json.loads(out.splitlines()[-1])


def nfcapd(datagrams, rate):
    with tempfile.TemporaryDirectory() as folder:
        child = subprocess.Popen(
            ["nfcapd", "-b", "127.0.0.1", "-p", str(PORT), "-w", folder, "-B", "8000000", "-I", "bench"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(1)
        send(datagrams, rate)
        time.sleep(2)
        child.terminate()
        _, status, usage = os.wait4(child.pid, 0)
        total = subprocess.run(["nfdump", "-R", folder, "-I"], capture_output=True, text=True).stdout
        flows = [int(line.split()[1]) for line in total.splitlines() if line.startswith("Flows:")]
        return {"records": flows[0] if flows else 0, "cpu": usage.ru_utime + usage.ru_stime}


def main():
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("program")
    options.add_argument("--records", type=int, default=1_200_000)
    options.add_argument("--rate", type=int, default=8000, help="datagrams a second")
    options.add_argument("--runs", type=int, default=3)
    given = options.parse_args()
    result = {"load_before": os.getloadavg()[0], "nproc": os.cpu_count(), "rate": given.rate, "formats": {}}
    for name in FORMATS:
        datagrams, records = stream(name, given.records if name != "sflow" else given.records // 3)
        row = {"sent": records, "octets": sum(map(len, datagrams)), "mothlight": [], "nfcapd": []}
        for _ in range(given.runs):
            row["mothlight"].append(mothlight(given.program, datagrams, given.rate))
            if name != "sflow":
                row["nfcapd"].append(nfcapd(datagrams, given.rate))
        for who in ("mothlight", "nfcapd"):
            if row[who]:
                row[who + "_per_cpu_second"] = round(statistics.median(r["records"] / r["cpu"] for r in row[who]))
        result["formats"][name] = row
    print(json.dumps(result, indent=1))


main()
