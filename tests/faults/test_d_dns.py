"""Reliability line D1: a resolver that lies, fails, is late or says nothing, under the real resolver of the system, in a network of
its own. The console says what is wrong and answers keys all the time."""

import concurrent.futures
import contextlib
import re
import select
import socket
import struct
import threading
import time

import pytest
from console import Console
from fakeaws import FakeAws
from program import SLOWER, Sluice
from wire import mount_over, own_network

HOST = "sqs.eu-west-1.sluice.test"
A, AAAA = 1, 28
KEYS = 200


class Resolver:
    """Answers on 127.0.0.1:53, UDP and TCP. answer(question number) -> addresses, a response code, or None for silence."""

    def __init__(self, answer, delay=0.0):
        self.answer, self.delay, self.asked, self.lock = answer, delay, 0, threading.Lock()

    def __enter__(self):
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 53))
        self.tcp = socket.create_server(("127.0.0.1", 53))
        for serve in (self._udp, self._tcp):
            threading.Thread(target=serve, daemon=True).start()
        return self

    def __exit__(self, *exc):
        for s in (self.udp, self.tcp):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()

    def reply(self, query):
        end = query.index(b"\0", 12) + 5
        kind, = struct.unpack(">H", query[end - 4: end - 2])
        with self.lock:
            self.asked += kind == A
            told = self.answer(self.asked)
        if told is None:
            return None
        code, addresses = (told, []) if isinstance(told, int) else (0, told if kind == A else [])
        records = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", A, 1, 0, 4) + socket.inet_aton(a) for a in addresses)
        return query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(addresses), 0, 0) + query[12:end] + records

    def _udp(self):
        while True:
            try:
                query, peer = self.udp.recvfrom(4096)
                if not query:
                    return
            except OSError:
                return
            threading.Thread(target=self._one, args=(query, peer), daemon=True).start()

    def _one(self, query, peer):
        time.sleep(self.delay)
        reply = self.reply(query)
        if reply and len(reply) > 512:  # does not fit: come again by TCP
            end = query.index(b"\0", 12) + 5
            reply = query[:2] + struct.pack(">HHHHH", 0x8380, 1, 0, 0, 0) + query[12:end]
        if reply:
            with contextlib.suppress(OSError):
                self.udp.sendto(reply, peer)

    def _tcp(self):
        while True:
            try:
                s, _ = self.tcp.accept()
            except OSError:
                return
            with s, contextlib.suppress(OSError, struct.error):
                s.settimeout(5)
                while True:
                    n, = struct.unpack(">H", s.recv(2))
                    reply = self.reply(s.recv(n)) or b""
                    s.sendall(struct.pack(">H", len(reply)) + reply)


def inside(tmp_path, work):
    """In a network of its own, with a resolv.conf that asks the resolver above."""
    def enter():
        mount_over("/etc/resolv.conf", "nameserver 127.0.0.1\n", tmp_path)
        mount_over("/etc/nsswitch.conf", "hosts: files dns\n", tmp_path)
        return work()
    return own_network(enter)


MANY = [f"127.1.{i // 256}.{i % 256}" for i in range(511)] + ["127.0.0.1"]  # all but one: nobody is there
# name -> (answer, delay, what the screen must say or None when all must work, what --check says)
CASES = {
    "NXDOMAIN": (lambda n: 3, 0, "Could not resolve host", {"UNREACHABLE"}),
    "SERVFAIL": (lambda n: 2, 0, "Could not resolve host", {"UNREACHABLE"}),
    "REFUSED": (lambda n: 5, 0, "Could not resolve host", {"UNREACHABLE"}),
    "no answer": (lambda n: None, 0, "the resolver does not answer", {"UNREACHABLE"}),
    "10 s late": (lambda n: ["127.0.0.1"], 10, "the resolver does not answer", {"UNREACHABLE"}),
    "no address": (lambda n: [], 0, "Could not resolve host", {"UNREACHABLE"}),
    "512 addresses": (lambda n: MANY, 0, None, None),
    "two in turn": (lambda n: [f"127.0.0.{1 + n % 2}"], 0, None, None),
    "first a dead one": (lambda n: ["127.0.0.2" if n <= 4 else "127.0.0.1"], 0, None, None),  # tried again, it must be asked for again
}

ONE_ALIVE = {"512 addresses", "first a dead one"}


def on_screen(words):
    """Wherever the screen breaks its lines."""
    return lambda c: words is None or words in re.sub(r"\s+", " ", c.text)


def key_to_paint(console, n):
    """Seconds from a key to the first byte of what it paints, n times; the keys go to and fro between two screens."""
    took = []
    for i in range(n):
        console.settle(quiet=0.002, seconds=0.5)
        begin = time.monotonic()
        console.type("?" if i % 2 == 0 else "h")
        ready = select.select([console.fd], [], [], 5)[0]
        took.append(time.monotonic() - begin if ready else 5.0)
        console.pump(0)
        time.sleep(0.03)
    return took


def one(tmp_path, name):
    """(how often the resolver was asked, key to paint, the screen, the run of --check)"""
    answer, delay, words, _ = CASES[name]
    home = tmp_path / name.replace(" ", "-")
    home.mkdir()

    def work():
        with Resolver(answer, delay) as dns, FakeAws(host="127.0.0.1" if name in ONE_ALIVE else "0.0.0.0") as aws:
            env = aws.env(AWS_ENDPOINT_URL=aws.url.replace("127.0.0.1", HOST))
            with Console(home / "console", env=env) as console:
                (home / "console").mkdir(exist_ok=True)
                console.wait("sluice", seconds=10)
                took = key_to_paint(console, KEYS)
                console.wait(on_screen(words) if words else "orders", seconds=45)
                took += key_to_paint(console, KEYS // 4)
                text = console.text
            began = time.monotonic()
            ran = Sluice(home / "check")("--check", "--format", "json", env=env)
            return dns.asked, took, text, ran, time.monotonic() - began

    return inside(home, work)


def test_resolvers(tmp_path, figure):
    """Four at a time, each in a network of its own."""
    try:
        own_network(lambda: None)
    except OSError as e:
        figure("D1", "resolvers that fail", attempted=len(CASES), skipped=len(CASES), why=f"no namespaces here: {e}")
        pytest.skip(f"no namespaces here: {e}")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        told = dict(zip(CASES, pool.map(lambda name: one(tmp_path, name), CASES)))
    wrong = []
    for name, (asked, took, text, ran, seconds) in told.items():
        took.sort()
        p50, p99 = (took[len(took) * percent // 100] * 1000 for percent in (50, 99))
        codes = {c["code"] for c in ran.json["checks"] if c["status"] == "UNKNOWN"}
        wanted = CASES[name][3]
        right = p99 <= 50 * SLOWER and (ran.status == 0 if wanted is None else ran.status == 3 and codes and codes <= wanted)
        figure("D1", f"resolver: {name}", attempted=1, passed=int(bool(right)), reached=int(asked > 0),
               note=f"{len(took)} keys: p50 {p50:.1f} ms, p99 {p99:.1f} ms, most {took[-1] * 1000:.1f} ms; asked {asked} times; "
                    f"--check {seconds:.1f} s")
        if not right:
            wrong.append(f"{name}: p99 {p99:.1f} ms\n{ran}\n{text}")
    assert not wrong, "\n".join(wrong[:2])
