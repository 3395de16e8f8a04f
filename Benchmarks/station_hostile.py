#!/usr/bin/env python3
"""Clients that are slow, greedy or broken, all at once, against one port of loopback; beside them one that asks as a person does.

usage: station_hostile.py PORT SECONDS [--tls]     (station_load.py starts it inside of its namespace)

Prints one JSON object: what became of each kind of client, and how long the honest one waited for pages, each over a new connection.
"""
import asyncio
import collections
import json
import os
import random
import socket
import ssl
import struct
import subprocess
import sys
import time

HOST = "127.0.0.1"
HEAD = "GET / HTTP/1.1\r\nHost: localhost\r\n"


class Attack:
    """Runs beside the caller, in its namespace."""

    def __init__(self, lab, port, seconds, tls=False):
        self.child = lab.start([sys.executable, __file__, port, seconds, *(["--tls"] if tls else [])], stdout=subprocess.PIPE, text=True)

    def report(self):
        text = self.child.communicate(timeout=90)[0]
        return json.loads(text) if text.strip() else {"error": "the attack ended without a word"}


class Crowd:
    def __init__(self, port, seconds, tls):
        self.port, self.end, self.tls = port, time.monotonic() + seconds, tls
        self.fates = collections.defaultdict(collections.Counter)
        self.waits, self.failures = [], collections.Counter()
        self.context = ssl._create_unverified_context() if tls else None

    @property
    def is_over(self):
        return time.monotonic() >= self.end

    async def open(self, plain=False, buffer=None):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        sock.setblocking(False)
        try:
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(sock, (HOST, self.port)), 20)
            secure = {"ssl": self.context, "server_hostname": "localhost"} if self.tls and not plain else {}
            return await asyncio.wait_for(asyncio.open_connection(sock=sock, limit=4096, **secure), 20)
        except BaseException:
            sock.close()
            raise

    def answer(self, reader):
        """The beginning of an answer, whenever it comes; nobody has to take it."""
        task = asyncio.ensure_future(reader.read(256))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    async def keep(self, kind, count, client):
        """`count` clients of a kind at a time; one that was thrown out comes back."""
        async def again():
            await asyncio.sleep(random.random() * 2)
            while not self.is_over:
                began, fate = time.monotonic(), "?"
                try:
                    fate = await client()
                except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, ssl.SSLError) as error:
                    fate = "closed" if isinstance(error, (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError)) else type(error).__name__
                self.fates[kind][fate] += 1
                self.fates[kind]["seconds"] += time.monotonic() - began
                await asyncio.sleep(0.2)
        await asyncio.gather(*(again() for _ in range(count)))

    async def drip(self, first):
        """Sends `first`, then an octet a second, until it is thrown out."""
        reader, writer = await self.open()
        try:
            writer.write(first.encode())
            answer = self.answer(reader)
            while not self.is_over:
                done, _ = await asyncio.wait({answer}, timeout=1)
                if done:
                    return fate(answer.result())
                writer.write(b"a")
                await writer.drain()
            answer.cancel()
            return "still there at the end"
        finally:
            writer.close()

    async def slow_head(self):
        return await self.drip(HEAD + "X-Slow: ")

    async def slow_body(self):
        return await self.drip("POST /allow HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\ncsrf=")

    async def say(self, octets, plain=False):
        reader, writer = await self.open(plain)
        try:
            writer.write(octets)
            await asyncio.wait_for(writer.drain(), 20)
            return fate(await asyncio.wait_for(reader.read(256), 40))
        finally:
            writer.close()

    async def huge_head(self):
        return await self.say((HEAD + "X-Huge: " + "a" * 200_000 + "\r\n\r\n").encode())

    async def many_fields(self):
        return await self.say((HEAD + "".join(f"X-{n}: y\r\n" for n in range(2000)) + "\r\n").encode())

    async def garbage(self):
        return await self.say(b"\x16\x03\x01" + struct.pack(">H", 300) + os.urandom(300), plain=True)

    async def endless_body(self):
        reader, writer = await self.open()
        try:
            writer.write(b"POST /allow HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n")
            answer = self.answer(reader)
            sent = 0
            while not self.is_over and not answer.done():
                writer.write(b"2000\r\n" + b"a" * 8192 + b"\r\n")
                await asyncio.wait_for(writer.drain(), 20)
                sent += 8192
                if sent > 8 << 20:
                    return "took 8 MiB"
                await asyncio.sleep(0.005)
            return fate(answer.result()) if answer.done() else "still there at the end"
        finally:
            writer.close()

    async def cut(self):
        """Half a request, then gone: by FIN or by RST."""
        whole = HEAD + "Cookie: a=b\r\n\r\nPOST /allow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345"
        _, writer = await self.open()
        writer.write(whole[: random.randrange(1, len(whole))].encode())
        if random.random() < 0.5:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            await asyncio.sleep(0.01)
            writer.transport.abort()
        else:
            writer.close()
        return "left"

    async def deaf(self, path, times):
        """Asks and takes nothing."""
        reader, writer = await self.open(buffer=4096)
        try:
            reader._transport.pause_reading()
            writer.write((f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n" * times).encode())
            while not self.is_over:
                await asyncio.sleep(1)
                # Whether the other end is still there, without taking anything: TCP_INFO's first octet is the state, 1 established.
                if writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) != b"\x01":
                    return "closed"
            return "still there at the end"
        finally:
            writer.transport.abort()

    async def deaf_pages(self):
        return await self.deaf("/hosts", 200)

    async def deaf_events(self):
        return await self.deaf("/events", 1)

    async def flood(self, count):
        """Connections that are opened and dropped, in ten bursts."""
        pause = max(0.5, (self.end - time.monotonic() - 5) / 10)
        for _ in range(10):
            for n in range(count // 10):
                if self.is_over:
                    return
                sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
                sock.setblocking(False)
                if n % 2:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                try:
                    sock.connect((HOST, self.port))
                except BlockingIOError:
                    pass
                except OSError as error:
                    self.fates["opened and dropped"][error.strerror] += 1
                sock.close()
                self.fates["opened and dropped"]["done"] += 1
                if n % 20 == 0:
                    await asyncio.sleep(0)
            await asyncio.sleep(pause)

    async def honest(self):
        """A person's browser: a page over a new connection, now and then."""
        paths = ["/", "/hosts", "/botnets", "/sensors"]
        while not self.is_over:
            began = time.monotonic()
            try:
                async with asyncio.timeout(20):
                    reader, writer = await self.open()
                    writer.write(f"GET {random.choice(paths)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                    answer = b""
                    while part := await reader.read(65536):
                        answer += part
                    writer.close()
                kind = fate(answer)
                if kind == "200":
                    self.waits.append(time.monotonic() - began)
                else:
                    self.failures[kind] += 1
            except (OSError, asyncio.TimeoutError) as error:
                self.failures[type(error).__name__] += 1
            await asyncio.sleep(0.15)

    async def run(self):
        await asyncio.gather(
            self.keep("slow head", 500, self.slow_head), self.keep("slow body", 50, self.slow_body),
            self.keep("huge head", 4, self.huge_head), self.keep("2,000 fields", 4, self.many_fields),
            self.keep("endless body", 4, self.endless_body), self.keep("garbage", 10, self.garbage),
            self.keep("cut in the middle", 10, self.cut), self.keep("deaf, pages", 20, self.deaf_pages),
            self.keep("deaf, events", 150, self.deaf_events), self.flood(10_000))
        for counts in self.fates.values():
            clients = sum(n for what, n in counts.items() if what != "seconds")
            if "seconds" in counts:
                counts["seconds"] = round(counts["seconds"] / max(1, clients), 1)
        return self.fates

    async def ask(self):
        await self.honest()
        waits = sorted(self.waits)
        at = lambda share: round(waits[min(len(waits) - 1, int(share * len(waits)))] * 1000, 1) if waits else None
        return {"answered": len(waits), "p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": at(1), "failed": self.failures}


def fate(answer):
    """Status of an answer; `closed` when there is none."""
    return answer.split(b" ", 2)[1][:3].decode("ascii", "replace") if answer.startswith(b"HTTP/1.") else "closed" if not answer else "no HTTP"


if __name__ == "__main__":
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(16384, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    random.seed(7)
    crowd = Crowd(int(sys.argv[1]), float(sys.argv[2]), "--tls" in sys.argv)
    if "--honest" in sys.argv:
        print(json.dumps(asyncio.run(crowd.ask())))
        sys.exit()
    # In a process of its own: it must not wait for the crowd.
    honest = subprocess.Popen([sys.executable, __file__, *sys.argv[1:], "--honest"], stdout=subprocess.PIPE, text=True)
    # On a machine of two cores the attack must not be the load.
    os.nice(5)
    fates = asyncio.run(crowd.run())
    print(json.dumps({"honest": json.loads(honest.communicate()[0]), "clients": fates}))
