#!/usr/bin/env python3
"""Writes a few small well-formed inputs per fuzz target, so that the fuzzer starts behind the first check.

usage: make_seeds.py FOLDER
"""
import gzip
import hashlib
import os
import struct
import sys

folder = sys.argv[1]


def seed(target, name, data):
    os.makedirs(f"{folder}/{target}", exist_ok=True)
    with open(f"{folder}/{target}/{name}", "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())


query = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + b"\x03www\x07example\x03org\x00" + struct.pack(">HH", 1, 1)
answer = struct.pack(">HHHHHH", 7, 0x8180, 1, 1, 0, 0) + query[12:] + b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes([192, 0, 2, 1])
seed("dns", "query", query)
seed("dns", "answer", answer)
seed("datagram", "bfbot", bytes.fromhex("610102988988cb"))
seed("datagram", "query", query)

hello_body = b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x04\x13\x01\xc0\x2f" + b"\x01\x00"
sni = b"\x00\x00" + struct.pack(">H", 16) + struct.pack(">HBH", 14, 0, 11) + b"example.org"
extensions = sni + b"\x00\x0a\x00\x04\x00\x02\x00\x1d" + b"\x00\x10\x00\x05\x00\x03\x02h2" + b"\x00\x2b\x00\x03\x02\x03\x04"
hello_body += struct.pack(">H", len(extensions)) + extensions
handshake = b"\x01" + len(hello_body).to_bytes(3, "big") + hello_body
record = b"\x16\x03\x01" + struct.pack(">H", len(handshake)) + handshake
seed("stream", "tls", b"\xff" + record)
seed("stream", "http", b"\x40GET /a?b=c HTTP/1.1\r\nHost: example.org\r\nUser-Agent: x\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
seed("stream", "ssh", b"\x18SSH-2.0-OpenSSH_9.2\r\nSSH-2.0-dropbear\r\n")

ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + 8 + len(query), 1, 0, 64, 17, 0, bytes([10, 0, 0, 5]), bytes([192, 0, 2, 53]))
frame = bytes(12) + b"\x08\x00" + ip + struct.pack(">HHHH", 40000, 53, 8 + len(query), 0) + query
seed("packet", "dns", bytes([1, len(frame)]) + frame)
frame_of_query = frame
pcap = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + struct.pack("<IIII", 1600000000, 1, len(frame), len(frame)) + frame
seed("capture", "pcap", pcap)
body = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
section = struct.pack("<II", 0x0A0D0D0A, 28) + body + struct.pack("<I", 28)
interface = struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20)
packet = struct.pack("<IIIII", 0, 0x5AF4A, 1, len(frame), len(frame)) + frame + bytes(-len(frame) % 4)
seed("capture", "pcapng", section + interface + struct.pack("<II", 6, 12 + len(packet)) + packet + struct.pack("<I", 12 + len(packet)))
seed("sniff", "pcap", pcap)
seed("gzip", "gz", gzip.compress(b"two lines\nof text\n" * 20, mtime=0))
seed("gzip", "zst", bytes.fromhex("28b52ffd2405290000616263640ab3d4a1c9"))

zeek = (
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\t"
    "id.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\n"
    "1600000000.25\tC1\t10.0.0.5\t40000\t192.0.2.1\t443\ttcp\tssl\t1.5\t10\t20\tSF\tShADadFf\t5\t300\t4\t280\n"
)
seed("zeek-tsv", "conn", zeek)
seed("sniff", "zeek", zeek)
seed("zeek-json", "conn", '{"ts":1600000000.25,"uid":"C1","id.orig_h":"10.0.0.5","id.orig_p":40000,"id.resp_h":"192.0.2.1","id.resp_p":443,"proto":"tcp","duration":1.5,"conn_state":"SF","orig_pkts":5,"orig_ip_bytes":300}\n')
seed("zeek-json", "dns", '{"ts":1.5,"uid":"C2","id.orig_h":"10.0.0.5","id.orig_p":40000,"id.resp_h":"192.0.2.53","id.resp_p":53,"proto":"udp","query":"example.org","qtype":1,"rcode":0,"answers":["192.0.2.1"],"TTLs":[60.0]}\n')
seed("eve", "flow", '{"timestamp":"2020-09-13T12:26:40.250000+0000","event_type":"flow","src_ip":"10.0.0.5","src_port":40000,"dest_ip":"192.0.2.1","dest_port":443,"proto":"TCP","flow":{"pkts_toserver":5,"pkts_toclient":4,"bytes_toserver":300,"bytes_toclient":280,"start":"2020-09-13T12:26:40.250000+0000","end":"2020-09-13T12:26:41.750000+0000","state":"closed"}}\n')
seed("eve", "dns", '{"timestamp":"2020-09-13T12:26:40.250000+0000","event_type":"dns","src_ip":"10.0.0.5","src_port":40000,"dest_ip":"192.0.2.53","dest_port":53,"proto":"UDP","dns":{"type":"answer","rrname":"example.org","rrtype":"A","rcode":"NOERROR","answers":[{"rdata":"192.0.2.1","ttl":60}]}}\n')
binetflow = (
    "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,srcUdata,dstUdata,Label\n"
    "2020/09/13 12:26:40.250000,1.5,tcp,10.0.0.5,40000,   ->,192.0.2.1,443,FSPA_FSPA,0,0,9,580,300,s[4]=AAECAw==,,flow=Background\n"
    "2020/09/13 12:26:41.250000,0.1,icmp,10.0.0.5,0x0008,  <->,192.0.2.1,0x0000,ECO,0,0,2,196,98,,,\n"
)
seed("binetflow", "rows", binetflow)
seed("sniff", "binetflow", binetflow)
seed("lists", "indicators", "# name: a\n# source: b\n# date: 2026-01-02\n# confidence: high\nexample.org,Family,shared\n192.0.2.1:443\nja3:0123456789abcdef0123456789abcdef\nsource:10.0.0.0/8\nname:*.example.org\n")
signatures = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../Sources/Mothlight/Signatures/Signatures.yaml")
head, *entries = open(signatures).read().split("\n  - id:")
for number, entry in enumerate(entries):
    seed("signatures", str(number), head[head.index("format:"):] + "\n  - id:" + entry)
seed("address", "six", "2001:db8::192.0.2.1")
seed("address", "four", "192.0.2.1")

seized = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 1) + b"\x03www\x05owned\x04test\x00" + struct.pack(">HH", 1, 1)
opt = b"\x00" + struct.pack(">HHIH", 41, 1232, 0x8000, 27) + struct.pack(">HH", 10, 8) + bytes(8) + struct.pack(">HHHBB", 8, 7, 1, 24, 0) + bytes([192, 0, 2]) + struct.pack(">HH", 3, 0)
seed("sinkhole-dns", "edns", seized + opt)
seed("sinkhole-dns", "plain", seized[:11] + b"\x00" + seized[12:])
zones = "orders:\n  - authority: { order: a, issuer: b, date: 2026-01-01 }\n    family: F\n    start: 2026-01-01\n    end: 2099-01-01\n    zones: [ a.test, \"*.b.test\" ]\n"
seed("sinkhole-files", "zones", zones)
seed("sinkhole-files", "config", "sinkhole:\n  operator: { name: a, abuse_contact: a@b.test }\n  addresses: { ipv4: [192.0.2.1] }\n  dns:\n    listen: [\"127.0.0.1:53\"]\n    ns: [ns.b.test]\n  zones: z.yaml\n")
seed("stub-reply", "answer", query[2:] + b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" + query[12:] + b"\xc0\x0c" + struct.pack(">HHIH", 2, 1, 60, 2) + b"\xc0\x0c")

# A spool: header, one block with a sighting and a notice, no seal (docs/spool.md).
sensor = b"fuzz"
header = b"MOTHSPL1" + struct.pack("<HHIQQ", 1, 0, 0, 1, 1772409600 * 10**9) + bytes(64) + struct.pack("<H", len(sensor)) + sensor
header += bytes(192 - len(header))


def leb(n):
    out = b""
    while n >= 0x80:
        out, n = out + bytes([n & 0x7F | 0x80]), n >> 7
    return out + bytes([n])


def frame(kind, body):
    return bytes([kind]) + leb(len(body)) + body


when = 1772409600
sighting = bytes([4, 192, 0, 2, 1]) + struct.pack("<H", 1024) + bytes([17, 2, 1, 0])
sighting += leb(when // 3600) + leb(0) + leb(60) + leb(300) + leb(1) + leb(1) + leb(0) + bytes([1]) + struct.pack("<H", 3431)
notice = leb(when * 10**9) + bytes([7]) + leb(4) + b"lost"
payload = frame(0, b"Mariposa") + frame(1, sighting) + frame(4, notice)
seed("spool-block", "two", payload)
head = b"B" + struct.pack("<II", len(payload), 2)
chained = hashlib.sha256(hashlib.sha256(header).digest() + head + payload).digest()
seed("spool", "open", header + head + payload + chained)
seed("spool", "cut", header + head + payload)

vectors = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../Tests/MothlightTests/Census/Sketches/SketchVectors.swift")).read()
for number, name in enumerate(["counter", "sample", "rollup"]):
    digits = vectors.split(f'static let {name} = """')[1].split('"""')[0]
    frame = bytes.fromhex("".join(digits.split()))
    length = int.from_bytes(frame[8:16], "little")
    target = "rollup" if name == "rollup" else "sketch"
    seed(target, name, frame)
    seed(target, name + "-body", frame[16:16 + length])
    if name == "rollup":
        rest = frame[16 + length + 8:]
        seed(target, "cells-body", rest[16:16 + int.from_bytes(rest[8:16], "little")])


def sets(kind, fields, record, number=256):
    template = struct.pack(">HH", number, len(fields)) + b"".join(struct.pack(">HH", *f) for f in fields)
    block = lambda i, c: struct.pack(">HH", i, 4 + len(c)) + c
    return block(kind, template) + block(number, record)


exported = 1795608000
ends = bytes([10, 0, 0, 5, 192, 0, 2, 7])
plain = [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (6, 1), (2, 4), (1, 4)]
counts = ends + struct.pack(">HHBBII", 40000, 443, 6, 27, 9, 900)
v5_record = ends + bytes(8) + struct.pack(">IIIIHHBBBB", 9, 900, 90000, 95000, 40000, 443, 0, 27, 6, 0) + bytes(8)
seed("netflow5", "two", b"\x16" + struct.pack(">HHIIIIHH", 5, 2, 100000, exported, 0, 7, 0, 0x4064) + v5_record * 2)
v9 = struct.pack(">HHIIII", 9, 2, 100000, exported, 1, 1)
timed = sets(0, plain + [(22, 4), (21, 4)], counts + struct.pack(">II", 90000, 95000))
seed("netflow9", "template", bytes([(len(v9 + timed) - 32 + 3) // 4]) + v9 + timed)
options = struct.pack(">HHHHHHHHHHHHH", 1, 26, 400, 4, 12, 1, 4, 48, 1, 49, 1, 50, 4) + struct.pack(">HHIBBI", 400, 14, 1, 1, 2, 1000)
seed("netflow9", "options", bytes([(len(v9 + options) - 32 + 3) // 4]) + v9 + options)
late = struct.pack(">HH", 256, 4 + len(counts) + 8) + counts + struct.pack(">II", 90000, 95000)
seed("netflow9", "late", b"\x1c" + (v9 + late).ljust(144, b"\0") + v9 + timed)
stamped = sets(2, plain + [(152, 8), (153, 8)], counts + struct.pack(">QQ", exported * 1000 - 9000, exported * 1000 - 1000))
ipfix = lambda body: struct.pack(">HHIII", 10, 16 + len(body), exported, 0, 1) + body
seed("ipfix", "template", bytes([(len(ipfix(stamped)) - 32 + 3) // 4]) + ipfix(stamped))
mixed = struct.pack(">HHHHHHHHII", 256, 8, 8, 4, 12, 4, 82, 65535, 0x80010004, 29305) + struct.pack(">II", 0x80020004, 29305)
mixed += struct.pack(">HHHHHH", 1, 4, 2, 4, 4, 1)
varied = ends + b"\x03abc" + struct.pack(">IIIIB", 700, 7, 900, 9, 6)
mixed = struct.pack(">HH", 2, 4 + len(mixed)) + mixed + struct.pack(">HH", 256, 4 + len(varied)) + varied
seed("ipfix", "variable", bytes([(len(ipfix(mixed)) - 32 + 3) // 4]) + ipfix(mixed))
seed("ipfix", "withdrawal", bytes([20]) + ipfix(struct.pack(">HHHH", 2, 8, 256, 0)))
header = struct.pack(">IIII", 1, len(frame_of_query), 4, len(frame_of_query)) + frame_of_query + bytes(-len(frame_of_query) % 4)
sample = struct.pack(">IIIIIIIIII", 1, 0, 100, 100, 0, 1, 2, 1, 1, len(header)) + header
datagram = struct.pack(">IIIIIII", 5, 1, 0xC0000201, 0, 1, 1000, 2)
datagram += struct.pack(">II", 1, len(sample)) + sample + struct.pack(">II", 2, 8) + bytes(8)
seed("sflow", "sample", bytes([(len(datagram) - 32 + 3) // 4]) + datagram)
