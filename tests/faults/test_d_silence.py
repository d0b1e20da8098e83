"""Reliability lines D2 and D4: nobody there, nobody answering, somebody answering a byte a second. One attempt ends at its stated
limit (aws/http/http.h: 5 s to connect, 15 s without a byte, 20 s in all), and a whole run in a time that somebody on call can wait."""

import concurrent.futures
import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import time

import fakeaws
from fakeaws import FakeAws
from processes import free_port
from program import SLOWER, Sluice
from wire import Driver, Server, answer, own_network

CONNECT, STALL, TOTAL = 5.0, 15.0, 20.0
SLACK = 1.5 * SLOWER
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\nContent-Type: application/x-amz-json-1.0\r\n\r\n"


def trickle(text):
    """A byte a second, for ever: of a head that never ends, or of a body."""
    def serve(c):
        c.request()
        c.send(text)
        while not c.server.released.wait(1):
            c.sock.sendall(b"x")
    return serve


def silence(c):
    c.server.released.wait(120)


def after(text, times=1):
    def serve(c):
        for _ in range(times):
            c.request()
            c.send(text)
        c.server.released.wait(120)
    return serve


def connects(port):
    """The error that a client meets here at once; 0: it is let in, EINPROGRESS: it hears nothing."""
    with socket.socket() as c:
        c.settimeout(0.3)
        try:
            return c.connect_ex(("127.0.0.1", port))
        except TimeoutError:
            return errno.EINPROGRESS


# Each place is a URL, and a function that says whether its fault is really there.

@contextlib.contextmanager
def refused():
    port = free_port()
    yield f"http://127.0.0.1:{port}", lambda: connects(port) == errno.ECONNREFUSED


@contextlib.contextmanager
def full_backlog():
    """Listens, but the kernel drops what would come: nothing answers the first packet."""
    with socket.socket() as s, contextlib.ExitStack() as filled:
        s.bind(("127.0.0.1", 0))
        s.listen(0)
        for _ in range(4):
            c = filled.enter_context(socket.socket())
            c.setblocking(False)
            c.connect_ex(s.getsockname())
        time.sleep(0.1)
        port = s.getsockname()[1]
        yield f"http://127.0.0.1:{port}", lambda: connects(port) in (errno.EINPROGRESS, errno.EAGAIN)


@contextlib.contextmanager
def stopped():
    """A server that was stopped (SIGSTOP): its kernel accepts, nobody reads."""
    port = free_port()
    p = subprocess.Popen([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)], stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL, cwd="/")
    try:
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert p.poll() is None
            time.sleep(0.05)
        os.kill(p.pid, signal.SIGSTOP)
        yield f"http://127.0.0.1:{port}", lambda: open(f"/proc/{p.pid}/stat").read().rsplit(")", 1)[1].split()[0] == "T"
    finally:
        p.kill()
        p.wait()


@contextlib.contextmanager
def served(serve, tls=False):
    with Server(serve) as s:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{s.port}", lambda: bool(s.connections)
        s.released.set()


# name -> (place, the limit that must end it, the class, requests before that go well, more of the request)
CASES = {
    "refused": (refused, 0, "not sent", 0, {}),
    "black hole": (full_backlog, CONNECT, "not sent", 0, {}),
    "silence in the TLS handshake": (lambda: served(silence, tls=True), CONNECT, "not sent", 0, {}),
    "accepted, then silence": (lambda: served(silence), STALL, "maybe sent", 0, {}),
    "a server that was stopped": (stopped, STALL, "maybe sent", 0, {}),
    "half open after a request": (lambda: served(after(answer())), STALL, "maybe sent", 1, {}),
    "silence in the head": (lambda: served(after(HEAD[:30])), STALL, "maybe sent", 0, {}),
    "silence in the body": (lambda: served(after(HEAD + b"{")), STALL, "maybe sent", 0, {}),
    "a request that nobody takes": (lambda: served(silence), STALL, "maybe sent", 0, {"size": 8 << 20}),
    # What is no body is no speed to curl.
    "a head of a byte a second": (lambda: served(trickle(b"HTTP/1.1 200 OK\r\nX: ")), STALL, "maybe sent", 0, {}),
    "a body of a byte a second": (lambda: served(trickle(HEAD)), TOTAL, "maybe sent", 0, {}),
    "interim answers, one a second": (lambda: served(interim), STALL, "maybe sent", 0, {}),
}


def interim(c):
    c.request()
    while not c.server.released.wait(1.2):
        c.sock.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")


def attempt(tmp_path, name):
    """(seconds, what was told, was the fault there)"""
    place, _, _, before, more = CASES[name]
    with place() as (url, there), Driver(tmp_path / name.replace(" ", "-").replace(",", "")) as driver:
        for _ in range(before):
            assert driver(url=url, body="{}")["sent"] == "answered"
        begin = time.monotonic()
        told = driver(url=url, **({"body": "{}"} | more))
        return time.monotonic() - begin, told, there()


def judge_attempts(told, figure):
    """What is wrong; told: of each case's attempt()."""
    stalls, wrong = [], []
    for name, (seconds, t, _) in told.items():
        _, limit, sent, _, _ = CASES[name]
        stalls.append(f"{name} {seconds:.1f} s ({limit:.0f})")
        least = 9 - SLACK / 10 if limit >= STALL else limit - 0.5
        right = t["sent"] == sent and t["code"] == ("timeout" if limit else "unreachable") and least <= seconds <= limit + SLACK
        if not right:
            wrong.append(f"{name}: {seconds:.1f} s, {t}")
    slow = {n for n in CASES if "second" in n}
    for id, what, those in (("D2", "one attempt and its stated limit", CASES.keys() - slow), ("D4", "the same, a byte a second", slow)):
        figure(id, what, attempted=len(those), passed=len(those) - sum(w.split(":")[0] in those for w in wrong), reached=sum(told[n][2] for n in those),
               note="; ".join(s for n, s in zip(told, stalls) if n in those))
    return wrong


def drip(h, op):
    h.head(200, 600)
    while not h.server.owner.released.wait(1):
        h.wfile.write(b" ")


# place, the fault or None for a place that is none; seconds for the whole run: no try begins after 20 s
RUNS = {
    "all silent": ({"*": fakeaws.silent}, 2 * STALL), "one operation silent": ({"cloudwatch:GetMetricData": fakeaws.silent}, 2 * STALL),
    "all a byte a second": ({"*": drip}, 2 * TOTAL), "black hole": (full_backlog, 3 * CONNECT), "refused": (refused, 1),
    "-t 4": ({"*": fakeaws.silent}, 4),
}


def run(tmp_path, name):
    """(seconds, the run of --check, was the fault there)"""
    how, _ = RUNS[name]
    with contextlib.ExitStack() as stack:
        aws = stack.enter_context(FakeAws(None if callable(how) else how))
        url, there = stack.enter_context(how()) if callable(how) else (aws.url, lambda: bool(aws.calls))
        begin = time.monotonic()
        more = ["-t", "4"] if name == "-t 4" else []
        ran = Sluice(tmp_path / name.replace(" ", "-"))("--check", "--format", "json", *more, env=aws.env(AWS_ENDPOINT_URL=url))
        return time.monotonic() - begin, ran, there()


def judge_runs(ended, figure):
    wrong = [f"{name}: {seconds:.1f} s of {RUNS[name][1]:.0f}\n{ran}" for name, (seconds, ran, _) in ended.items()
             if not (seconds <= RUNS[name][1] + 2 * SLACK and ran.status == 3 and ran.json["status"] == "UNKNOWN" and
                     {c["code"] for c in ran.json["checks"] if c["status"] == "UNKNOWN"} <= {"TIMEOUT", "UNREACHABLE"} and
                     1 <= len(ran.err.splitlines()) <= 3)]
    figure("D2", "a whole --check, tries and all", attempted=len(RUNS), passed=len(RUNS) - len(wrong),
           reached=sum(there for _, _, there in ended.values()),
           note="; ".join(f"{name} {seconds:.1f} s ({RUNS[name][1]:.0f})" for name, (seconds, _, _) in ended.items()))
    return wrong


def test_limits_hold(tmp_path, figure):
    """All at once: they only wait."""
    with concurrent.futures.ThreadPoolExecutor(len(CASES) + len(RUNS)) as pool:
        attempts = {name: pool.submit(attempt, tmp_path, name) for name in CASES}
        runs = {name: pool.submit(run, tmp_path, name) for name in RUNS}
    wrong = judge_attempts({name: a.result() for name, a in attempts.items()}, figure)
    wrong += judge_runs({name: r.result() for name, r in runs.items()}, figure)
    assert not wrong, "\n".join(wrong[:6])


def test_no_network_at_all(tmp_path, figure):
    """Unreachable: a network without a way anywhere says so at once."""
    def ask():
        begin = time.monotonic()
        with Driver(tmp_path) as driver:
            told = driver(url="http://192.0.2.1/", body="{}")
        return time.monotonic() - begin, told

    try:
        seconds, told = own_network(ask)
    except OSError as e:
        figure("D2", "no way to the network", attempted=1, skipped=1, why=f"no namespaces here: {e}")
        return
    right = told["sent"] == "not sent" and told["code"] == "unreachable" and seconds < 1 + SLACK
    figure("D2", "no way to the network", attempted=1, passed=int(right), reached=1, note=f"{seconds:.2f} s: {told['text']}")
    assert right, told
