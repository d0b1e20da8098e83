"""The console and what writes: keys alone change nothing, and a replay that was opened, chosen and typed runs to its end."""

import contextlib
import re
import select
import threading
import time
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from console import Console

from replaykit import Pipe
from simtools import Sim

# What only looks. Everything else changes something, receiving included: it hides messages and counts.
LOOKS = re.compile(r"^(Get|List|Describe|Lookup|Filter|Head|BatchGet)")


class Counting:
    """In front of an AWS: hands everything on, and keeps the names of the operations."""

    def __init__(self, url):
        self.operations = []
        target, kept = urlsplit(url), self.operations

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *a):
                pass

            def serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                kept.append(operation(self.command, self.path, self.headers, body))
                there = HTTPConnection(target.hostname, target.port, timeout=30)
                there.request(self.command, self.path, body, dict(self.headers))
                answer = there.getresponse()
                data = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                there.close()

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = serve

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.server.server_close()

    def mutating(self):
        return [o for o in self.operations if not LOOKS.match(o)]


def operation(method, path, headers, body):
    target = headers.get("X-Amz-Target")
    if target:
        return target.rsplit(".", 1)[-1]
    query = re.search(rb"(?:^|&)Action=(\w+)", body)
    if query:
        return query.group(1).decode()
    return "Get" if method == "GET" else f"{method} {path}"


@pytest.fixture
def world(tmp_path_factory):
    """One a test: the queues of all of them would not fit on a screen."""
    with Sim.start("empty", home=tmp_path_factory.mktemp("sim"), speed=5) as s:
        yield s
        assert s.stop() == (0, "")


@contextlib.contextmanager
def console(pipe, url, home, **size):
    env = pipe.peer.env(AWS_ENDPOINT_URL=url, AWS_EC2_METADATA_DISABLED="true")
    with Console(home, env=env, **size) as c:
        c.wait(pipe.dlq_name, seconds=30)
        yield c


def to_replay(c, pipe):
    """The replay screen of this pipe's dead-letter queue, whatever else the account has."""
    return c.type(f":open {pipe.dlq_name}\r").wait("dlq").type("4").wait("GROUPS", pipe.function)


# q and Ctrl-C end it, Ctrl-Z stops it; the others are all the keys there are
KEYS = [chr(c) for c in range(32, 127) if chr(c) != "q"] + ["\r", "\t", "\x7f", "\x04", "\x15", "\x10", "\x0e", "\x0c", "\x1b[A",
        "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[5~", "\x1b[6~"]


def press(c, rng, n, keys):
    """Ten at a time, and what they draw is taken in: the program is never ahead of its keys, nor its keys of it."""
    for _ in range(0, n, 10):
        c.type("".join(rng.choice(keys) for _ in range(10)))
        c.pump(0.2)
        while select.select([c.fd], [], [], 0.002)[0] and c.pump(0):
            pass


def test_keys_alone_change_nothing(world, rng, tmp_path):
    """2,000 random keys in observe: I and W are left out, everything else is pressed, x and its letters among it."""
    pipe = Pipe.make(world, rng)
    pipe.fill(5)
    with Counting(pipe.peer.url) as counting, console(pipe, counting.url, tmp_path) as c:
        to_replay(c, pipe)
        press(c, rng, 2000, [k for k in KEYS if k not in "IW"])
        c.settle()
        assert len(counting.operations) > 5
        assert counting.mutating() == []
    assert pipe.counts() == (5, 0) and not pipe.events()


def test_open_writes_alone_change_nothing(world, rng, tmp_path):
    """And with writing open (the target grants inspecting too, which is left alone): nothing was chosen and confirmed, so nothing is sent.
    What the menu offers is chosen, but y and digits, which confirm, are not among the keys."""
    pipe = Pipe.make(world, rng)
    pipe.fill(5)
    keys = [k for k in KEYS if k not in "IWyp0123456789" and k not in "rgb"]
    with Counting(pipe.peer.url) as counting, console(pipe, counting.url, tmp_path) as c:
        to_replay(c, pipe).type("W").wait("WRITES 14m")
        press(c, rng, 2000, keys)
        c.settle()
        assert counting.mutating() == []
        assert "WRITES 1" in c.lines[0]
    assert pipe.counts() == (5, 0) and not pipe.events()


def test_chosen_but_not_confirmed_sends_nothing(world, rng, tmp_path):
    """x r freezes, which receives and gives back; but whatever is typed that is not the number, nothing is sent and all stays."""
    pipe = Pipe.make(world, rng)
    pipe.fill(5)
    with Counting(pipe.peer.url) as counting, console(pipe, counting.url, tmp_path) as c:
        to_replay(c, pipe).type("W").wait("WRITES 14m").type("xr").wait("type the number", "replay 5 messages", seconds=30)
        c.type("\r").wait("not the number").type("xr").wait("type the number", seconds=30)
        c.type("y\r").wait("not the number").type("xr").wait("type the number", seconds=30)
        c.type("4\r").wait("not the number").type("xr").wait("type the number", seconds=30)
        c.type("\x1b").wait("not confirmed")
        assert set(counting.mutating()) <= {"ReceiveMessage", "ChangeMessageVisibilityBatch"}
    assert pipe.counts() == (5, 0) and not pipe.events()


def test_a_replay_from_the_console(world, rng, tmp_path, sluice):
    """Opened, planned, chosen, typed: 20 messages go through the function once, and the queue is empty."""
    pipe = Pipe.make(world, rng)
    sent = pipe.fill(20)
    with console(pipe, pipe.peer.url, tmp_path, columns=100, lines=30) as c:
        to_replay(c, pipe).type("I").wait("INSPECT").type("p").wait("20 messages in 1 group", seconds=30)
        c.type("xr").wait("W opens writing first").type("W").wait("WRITES 14m")
        c.type("xr").wait("type the number", "replay 20 messages", seconds=30).type("20\r")
        c.wait("DONE 100%", "20 selected: 20 verified", "0 unaccounted", seconds=60)
        assert pipe.counts() == (0, 0)
        assert pipe.deliveries() == {m: 1 for m in sent}
        c.type("q").wait("RUNS", "DONE").type("1").wait("STAGES").type("q")
        assert c.end() == 0
    audit = sluice("audit", "--format", "json", env=pipe.peer.env(XDG_STATE_HOME=str(tmp_path / ".local/state")))
    assert audit.status == 0 and "Invoke" in audit.out and "DeleteMessageBatch" in audit.out, audit


def test_quitting_pauses_and_another_goes_on(world, rng, tmp_path):
    """q while a replay runs is said first; then what was sent is waited for, and the next console goes on with the run."""
    pipe = Pipe.make(world, rng)
    sent = pipe.fill(40)
    with console(pipe, pipe.peer.url, tmp_path, columns=100, lines=30) as c:
        to_replay(c, pipe).type("W").wait("WRITES 14m").type("xr").wait("type the number", seconds=30).type("40\r")
        c.wait("RUNNING", seconds=30).type("-").wait("at most 5 a second").type("-").wait("at most 2 a second")
        c.type("p").wait("PAUSED, x c goes on", seconds=30).type("xc").wait("REALLY?").type("\r").wait("not confirmed")
        c.type("xc").wait("REALLY?").type("y").wait("RUNNING", seconds=30)
        c.type("1").wait("STAGES").type("q").wait("q again").type("q")
        assert c.end(seconds=30) == 0
    done = pipe.deliveries()
    assert 0 < len(done) < 40 and set(done.values()) == {1}
    with console(pipe, pipe.peer.url, tmp_path, columns=100, lines=30) as c:
        to_replay(c, pipe).wait("PAUSED").type("\r").wait("PAUSED, x c goes on").type("xc").wait("W opens writing")
        c.type("W").wait("WRITES 14m").type("xc").wait("REALLY?").type("y").wait("DONE 100%", "40 verified", seconds=90)
    assert pipe.counts() == (0, 0) and pipe.deliveries() == {m: 1 for m in sent}
