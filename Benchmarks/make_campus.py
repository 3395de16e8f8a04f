#!/usr/bin/env python3
"""Writes a capture with contents as on a campus or an access network: about 20 packets a flow, 260 octets a packet.

usage: make_campus.py OUT.pcap [campus | link | evening | steady]

Of the flows 45 % are DNS look-ups, 40 % TLS with a hello, 5 % HTTP, 5 % other TCP, 5 % UDP media; packet counts are heavy-tailed.
campus: a quiet hour of 2,000 clients, 130,000 flows, 3 to 40 ms between packets, so that few flows are open at a time.
link:   one and a half minutes of a link at 140 Mbit/s, 20,000 clients, 300,000 flows whose packets come as people read and
        servers answer (log-normal gaps, median 0.1 s), so that tens of thousands of flows are open at a time.
evening: the same people watching films: every twelfth connection carries 500 to 8,000 packets, 60,000 flows of 77 packets on
        average, kept with a snap length of 256 octets. Assumptions, not measurements of a network.
steady: two minutes of a trunk whose 130,000 TLS connections were all open before the capture began, 15 packets of each, in
        random order: metering with next to no content, which is what nfpcapd does.
Seeded; sorted by time; made with bounded memory.
"""
import heapq
import random
import struct
import sys

rng = random.Random(7)
SHAPES = {"campus": (130_000, 3600, 2000), "link": (300_000, 90, 20_000), "evening": (60_000, 300, 20_000), "steady": (130_000, 120, 20_000)}
shape = sys.argv[2] if len(sys.argv) > 2 else "campus"
FLOWS, SECONDS, CLIENTS = SHAPES[shape]
SNAP = 256 if shape == "evening" else 65_535


def gap():
    """Microseconds between two packets of a connection."""
    if shape == "campus":
        return rng.randrange(2000, 40000)
    if shape == "evening":
        return min(20_000_000, int(rng.lognormvariate(10.5, 1.6)))
    return min(20_000_000, int(rng.lognormvariate(11.5, 1.6)))


def ip(n):
    return struct.pack(">I", n)


def frame(src, dst, sport, dport, proto, body, seq=0, ack=0, flags=0):
    if proto == 6:
        layer = struct.pack(">HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 65535, 0, 0)
    else:
        layer = struct.pack(">HHHH", sport, dport, 8 + len(body), 0)
    total = 20 + len(layer) + len(body)
    head = struct.pack(">BBHHHBBH", 0x45, 0, total, 0, 0x4000, 64, proto, 0) + src + dst
    return b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0" + head + layer + body


def extension(kind, body):
    return struct.pack(">HH", kind, len(body)) + body


def hello(name, program):
    ciphers = [0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC013, 0xC014, 0x009C, 0x009D, 0x002F, 0x0035][program % 5:]
    cipher = b"".join(struct.pack(">H", c) for c in ciphers)
    sni = name.encode()
    parts = [
        extension(0, struct.pack(">HBH", len(sni) + 3, 0, len(sni)) + sni),
        extension(23, b""), extension(65281, b"\0"), extension(10, b"\0\x06\0\x1d\0\x17\0\x18"), extension(11, b"\x01\0"),
        extension(35, b""), extension(16, b"\0\x0c\x02h2\x08http/1.1"), extension(5, b"\x01\0\0\0\0"),
        extension(13, b"\0\x10\x04\x03\x08\x04\x04\x01\x05\x03\x08\x05\x05\x01\x08\x06\x06\x01"),
        extension(51, b"\0\x24\0\x1d\0\x20" + rng.randbytes(32)), extension(45, b"\x01\x01"), extension(43, b"\x04\x03\x04\x03\x03"),
    ]
    if program % 2:
        rng.shuffle(parts)
    block = b"".join(parts)
    body = b"\x03\x03" + rng.randbytes(32) + b"\x20" + rng.randbytes(32) + struct.pack(">H", len(cipher)) + cipher + b"\x01\0" + struct.pack(">H", len(block)) + block
    message = b"\x01" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack(">H", len(message)) + message


def server_hello():
    block = extension(43, b"\x03\x04") + extension(51, b"\0\x1d\0\x20" + rng.randbytes(32))
    body = b"\x03\x03" + rng.randbytes(32) + b"\x20" + rng.randbytes(32) + b"\x13\x01\0" + struct.pack(">H", len(block)) + block
    message = b"\x02" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x03" + struct.pack(">H", len(message)) + message + b"\x14\x03\x03\0\x01\x01\x17\x03\x03\x02\0" + rng.randbytes(512)


def qname(name):
    return b"".join(bytes([len(p)]) + p.encode() for p in name.split(".")) + b"\0"


def count():
    """Data packets of a connection: Pareto, mean about 30; films are longer."""
    if shape == "evening" and rng.randrange(12) == 0:
        return rng.randrange(500, 8000)
    return min(3000, int(8 * rng.paretovariate(1.35)))


noise = rng.randbytes(1 << 16)


def opaque(n):
    at = rng.randrange(len(noise) - n)
    return noise[at : at + n]


def data_size():
    return rng.choice((0, 0, 0, 0, 31, 60, 120, 180, 300, 600, 1400))


def flow(kind, number, start):
    client = ip(0x0A000000 + rng.randrange(CLIENTS) + 10)
    sport = rng.randrange(1024, 65535)
    site = int(8000 * rng.random() ** 3)
    name = f"host{site}.example{site % 1500}.com"
    server = ip(0x50000000 + (site * 2 + rng.randrange(2)) * 977)
    if kind < 45:
        ask = struct.pack(">HHHHHH", number & 0xFFFF, 0x0100, 1, 0, 0, 0) + qname(name) + b"\0\x01\0\x01"
        answer = struct.pack(">HHHHHH", number & 0xFFFF, 0x8180, 1, 1, 0, 0) + qname(name) + b"\0\x01\0\x01" + b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04" + server
        resolver = ip(0x08080808)
        yield start, frame(client, resolver, sport, 53, 17, ask)
        yield start + 20000, frame(resolver, client, 53, sport, 17, answer)
        return
    if kind >= 95:
        for i in range(count()):
            up = i % 2 == 0
            yield start + i * 20000, frame(client if up else server, server if up else client, sport if up else 4500, 4500 if up else sport, 17, b"\x80\x60" + opaque(170))
        return
    dport = 443 if kind < 85 else 80 if kind < 90 else rng.choice((8443, 5222, 1935, 9001))
    seq, ack, t = rng.getrandbits(32), rng.getrandbits(32), start

    def up(body, flags=0x18):
        nonlocal seq, t
        t += gap()
        out = t, frame(client, server, sport, dport, 6, body, seq, ack, flags)
        seq += len(body) + (1 if flags & 3 else 0)
        return out

    def down(body, flags=0x18):
        nonlocal ack, t
        t += gap()
        out = t, frame(server, client, dport, sport, 6, body, ack, seq, flags)
        ack += len(body) + (1 if flags & 3 else 0)
        return out

    yield up(b"", 2)
    yield down(b"", 18)
    yield up(b"", 16)
    if dport == 443:
        yield up(hello(name, number % 37))
        yield down(server_hello())
    elif dport == 80:
        yield up(f"GET /page/{number % 500}?x={number % 7} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0\r\nAccept: */*\r\nAccept-Language: en\r\nConnection: keep-alive\r\n\r\n".encode())
        yield down(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 50000000\r\n\r\n" + opaque(900))
    else:
        yield up(b"\x07" + opaque(60))
        yield down(b"\x09" + opaque(60))
    for i in range(count()):
        body = opaque(data_size())
        if dport == 443 and len(body) > 5:
            body = b"\x17\x03\x03" + struct.pack(">H", len(body) - 5) + body[5:]
        flags = 0x18 if body else 0x10
        yield (down if rng.random() < 0.6 else up)(body, flags)
    yield up(b"", 17)
    yield down(b"", 17)
    yield up(b"", 16)


def steady(out):
    """Packets of connections without a beginning; the count of them."""
    data = b"\x17\x03\x03\x00\xb4" + opaque(195)
    ends = [(ip(0x0A000000 + rng.randrange(CLIENTS) + 10), ip(0x50000000 + rng.randrange(20_000) * 977), rng.randrange(1024, 65535)) for _ in range(FLOWS)]
    sent = [[0, 0] for _ in ends]
    packets = FLOWS * 15
    for n in range(packets):
        i = rng.randrange(FLOWS)
        client, server, port = ends[i]
        up = rng.random() < 0.4
        body = data if rng.random() < 0.6 else b""
        seq, ack = sent[i] if up else reversed(sent[i])
        source, target, sport, dport = (client, server, port, 443) if up else (server, client, 443, port)
        packet = frame(source, target, sport, dport, 6, body, seq, ack, 0x18 if body else 0x10)
        sent[i][0 if up else 1] += len(body)
        t = n * SECONDS * 1_000_000 // packets
        out.write(struct.pack("<IIII", 1_700_000_000 + t // 1_000_000, t % 1_000_000, len(packet), len(packet)) + packet)
    return packets


def main():
    if shape == "steady":
        with open(sys.argv[1], "wb") as out:
            out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
            print(f"{sys.argv[1]}: {steady(out)} packets, {FLOWS} flows")
        return
    starts = sorted(rng.randrange(SECONDS * 1_000_000) for _ in range(FLOWS))
    octets = packets = 0
    waiting = []
    with open(sys.argv[1], "wb") as out:

        def write(until):
            nonlocal octets, packets
            while waiting and waiting[0][0] <= until:
                t, number, body, rest = heapq.heappop(waiting)
                out.write(struct.pack("<IIII", 1_700_000_000 + t // 1_000_000, t % 1_000_000, min(len(body), SNAP), len(body)) + body[:SNAP])
                octets += len(body)
                packets += 1
                push(rest, number)

        def push(rest, number):
            if (packet := next(rest, None)) and packet[0] < SECONDS * 1_000_000:
                heapq.heappush(waiting, (packet[0], number, packet[1], rest))

        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number, start in enumerate(starts):
            write(start)
            push(flow(rng.randrange(100), number, start), number)
        write(SECONDS * 1_000_000)
    print(f"{sys.argv[1]}: {packets} packets, {FLOWS} flows, {packets / FLOWS:.1f} packets a flow, {octets / packets:.0f} octets a packet")


if __name__ == "__main__":
    main()
