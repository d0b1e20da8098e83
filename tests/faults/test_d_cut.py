"""Reliability line D3: the line breaks at every byte of request and answer, and each request is known as not sent, maybe sent
or answered. The server is the oracle: it knows what it saw and what it gave."""

import gzip
import select
import socket

import tls
from program import LONG
from wire import Driver, Server, answer, server_context

TEXT = b'{"QueueUrls":["https://sqs.eu-west-1.amazonaws.com/123456789012/orders"]}'
PACKED = gzip.compress(TEXT, mtime=0)
FORMS = {
    "length": answer(TEXT, b"x-amzn-RequestId: r-1\r\n"),
    "chunked": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n" + TEXT[:16] + b"\r\n%x;x=y\r\n" % len(TEXT[16:]) +
                TEXT[16:] + b"\r\n0\r\nX-End: 1\r\n\r\n"),
    "gzip": answer(PACKED, b"Content-Encoding: gzip\r\n"),
    "interim": b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer(TEXT),
    "close": b"HTTP/1.1 200 OK\r\n\r\n" + TEXT,
    "empty": b"HTTP/1.1 204 No Content\r\nx-amzn-RequestId: r-1\r\n\r\n",
}


class Case:
    """cut: "request" or a form of answer; at: so many bytes pass; how: fin or rst; kept: on a connection that served before;
    once: must not go twice."""

    def __init__(self, cut, at, how, kept, once, method="POST", size=0):
        self.cut, self.at, self.how, self.kept, self.once, self.method, self.size = cut, at, how, kept, once, method, size
        self.tried = []    # the connections that the request in question came over
        self.reached = self.gave_all = self.as_good = False

    def __str__(self):
        return (f"{self.method} {self.cut} cut by {self.how} after {self.at} bytes, {'kept' if self.kept else 'new'} connection"
                f"{', once' if self.once else ''}{f', {self.size} bytes' if self.size else ''}")

    def serve(self, c):
        if self.kept and c.nth == 0:
            if not c.request():
                return
            c.send(answer(b"warm"))
            c.seen = b""
        self.tried.append(c)
        if len(self.tried) > 1:  # another attempt: it goes well
            if c.request() and c.whole():
                c.send(answer(TEXT))
                c.request()  # until it hangs up
            return
        if self.cut == "request":
            c.read(self.at)
            self.reached = True
        else:
            c.request()
            all_of_it = FORMS[self.cut]
            c.send(all_of_it[: self.at])
            self.reached = c.whole()
            self.gave_all = self.at == len(all_of_it)
            # All chunks have come, and half of the empty line behind them: whoever takes that for whole misses nothing.
            self.as_good = self.cut == "chunked" and self.at == len(all_of_it) - 1
        c.fin() if self.how == "fin" else c.rst()

    def wrong(self, told):
        """What is wrong with the class that sluice gave, if anything."""
        saw = [c for c in self.tried if c.seen]
        whole = [c for c in self.tried if c.whole()]
        again = len(self.tried) > 1 and self.tried[1].whole()
        if self.once and len(whole) > 1:
            return f"seen {len(whole)} times"
        if told["sent"] == "not sent":
            return "the server saw some of it" if saw else None
        if told["sent"] == "answered":
            if self.cut == "close" and not again:
                if self.how == "fin" and self.at >= len(FORMS["close"]) - len(TEXT):
                    return None if told["body"].encode() == TEXT[: told["n"]] else "another body"
                return "only some of the answer was sent"
            if not (self.gave_all or self.as_good or again):
                return "no whole answer was sent"
            if told["body"].encode() != (b"" if self.cut == "empty" and not again else TEXT):
                return "another body"
            return None
        return "it was answered" if again or (self.gave_all and self.cut != "close") else None


def cases(length):
    """length: of the request."""
    short = [*range(length + 1)]
    for kept in (False, True):
        for how in ("fin", "rst"):
            for once in (False, True):
                for at in short:
                    yield Case("request", at, how, kept, once)
                yield from (Case("request", at, how, kept, once, "DELETE") for at in range(0, length - 20, 1 if LONG else 8))
                for at in (0, 1, 100, 65536, 100000, 1 << 20, 3 << 20):
                    yield Case("request", at, how, kept, once, size=4 << 20)
            for form, text in FORMS.items():
                for at in range(len(text) + 1):
                    yield Case(form, at, how, kept, False)
                    if LONG or at % 12 == 0 or at == len(text):
                        yield Case(form, at, how, kept, True)


def test_cut_at_every_byte(tmp_path, figure):
    n, right, reached, wrong, classes, partly, twice = 0, 0, 0, [], {}, 0, 0
    with Server() as server, Driver(tmp_path) as driver:
        request = dict(url=server.url + "/", body="{}", id="x")
        probe = []
        server.begin(lambda c: (c.request(), probe.append(len(c.seen)), c.send(answer())))
        driver(**request)
        for case in cases(probe[0]):
            n += 1
            server.begin(case.serve)
            body = {"size": case.size} if case.size else {"body": "" if case.method == "DELETE" else "{}"}
            request = dict(url=server.url + "/", method=case.method, id="x", once=case.once, total_ms=10000, **body)
            if case.kept:
                warm = driver(url=server.url + "/", body="{}", anew=True)
                assert warm["body"] == "warm", f"{case}: {warm}"
            told = driver(**request, anew=not case.kept)
            driver(url="http://127.0.0.1:1/", anew=True)  # hangs up, so that the server has seen all there was
            server.settle()
            reached += case.reached
            classes[told["sent"]] = classes.get(told["sent"], 0) + 1
            partly += case.once and sum(bool(c.seen) for c in case.tried) > 1
            twice += case.once and sum(c.whole() for c in case.tried) > 1
            problem = case.wrong(told)
            right += not problem
            if problem:
                wrong.append(f"{case}: {told['sent']}, but {problem}: {told}")
    figure("D3", "RST or FIN at a byte of request or answer", attempted=n, passed=right, reached=reached,
           note=", ".join(f"{k} {v}" for k, v in sorted(classes.items())) + f"; once: whole twice {twice}, a part twice {partly}")
    assert not wrong, f"{len(wrong)} wrong:\n" + "\n".join(wrong[:40])


class Passage:
    """Between sluice and a TLS server: lets so many bytes of one direction through, then breaks both lines."""

    def __init__(self, port, way, at, how):
        self.port, self.way, self.at, self.how = port, way, at, how
        self.passed = {"up": 0, "down": 0}
        self.reached = False

    def __str__(self):
        return f"TLS, {self.way}stream cut by {self.how} after {self.at} bytes"

    def serve(self, c):
        with socket.create_connection(("127.0.0.1", self.port)) as far:
            ways = {c.sock: ("up", far), far: ("down", c.sock)}
            while not self.reached:
                for source in select.select(list(ways), [], [])[0]:
                    way, sink = ways[source]
                    data = source.recv(65536)
                    left = self.at - self.passed[way] if way == self.way else len(data)
                    if not data:
                        return
                    sink.sendall(data[:left])
                    self.passed[way] += min(left, len(data))
                    if way == self.way and self.passed[way] >= self.at:
                        self.reached = True
                        break
            c.fin() if self.how == "fin" else c.rst()


def test_cut_in_tls(tmp_path, ca, figure):
    """Before the handshake is through, no byte of a request can have left; the server behind says what it could read."""
    n, right, reached, wrong, classes = 0, 0, 0, [], {}
    context = server_context(tls.make_server(tmp_path, ca))
    with Server(lambda c: c.request() and c.send(answer(TEXT)), context) as far, Server() as near, Driver(tmp_path) as driver:
        request = dict(url=f"https://127.0.0.1:{near.port}/", body="{}", once=True, total_ms=10000, ca=ca[2])
        whole = Passage(far.port, "up", 1 << 30, "fin")
        near.begin(whole.serve)
        assert driver(**request)["sent"] == "answered"
        driver(url="http://127.0.0.1:1/", anew=True)
        near.settle()
        for way in ("up", "down"):
            for how in ("fin", "rst"):
                for at in range(0, whole.passed[way], 1 if LONG else 11):
                    n += 1
                    far.begin(far.serve)
                    passage = Passage(far.port, way, at, how)
                    near.begin(passage.serve)
                    told = driver(**request)
                    driver(url="http://127.0.0.1:1/", anew=True)
                    near.settle()
                    far.settle()
                    reached += passage.reached
                    classes[told["sent"]] = classes.get(told["sent"], 0) + 1
                    seen = sum(len(c.seen) for c in far.connections)
                    early = passage.passed["down"] < 500  # no server's first flight is shorter: no key to send anything with
                    problem = ("the server read some of it" if told["sent"] == "not sent" and seen else
                               "no whole answer came" if told["sent"] == "answered" and way == "up" and not seen else
                               "the handshake was not through" if told["sent"] != "not sent" and early else
                               "another body" if told["sent"] == "answered" and told["body"].encode() != TEXT else None)
                    right += not problem
                    if problem:
                        wrong.append(f"{passage}: {told['sent']}, but {problem}: {told}")
    figure("D3", "the same below TLS, handshake and all", attempted=n, passed=right, reached=reached,
           note=", ".join(f"{k} {v}" for k, v in sorted(classes.items())) + ("" if LONG else "; every 11th byte, all with SLUICE_LONG=1"))
    assert not wrong, f"{len(wrong)} wrong:\n" + "\n".join(wrong[:20])
