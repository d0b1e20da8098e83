"""Reliability line D5: answers that break HTTP's own rules. None is taken for a good one, none costs memory beyond its cap, and
a connection that may be out of step serves nothing further."""

import gzip
import time
import zlib

import tls
from fakeaws import FakeAws
from program import SLOWER, Sluice
from wire import Driver, Server, answer, server_context

TEXT = b'{"QueueUrls":[]}'
CAP = 1 << 20
OK = b"HTTP/1.1 200 OK\r\n"


def chunked(raw, head=b""):
    return OK + head + b"Transfer-Encoding: chunked\r\n\r\n" + raw


def packed(raw, coding=b"gzip", length=None):
    return OK + b"Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (coding, length or len(raw)) + raw


def bomb(mib, layers=1):
    """So many MiB of blanks; each layer is packed again."""
    data = b" " * (mib << 20)
    for _ in range(layers):
        data = gzip.compress(data, 9, mtime=0)
    return data


ZIPPED = gzip.compress(TEXT, mtime=0)
G = b"10\r\n" + TEXT + b"\r\n"  # a good chunk, and what follows it goes wrong

# What stands in place of a chunk's head or end. Each is said by RFC 9112 to be no chunk, or is beyond any sense.
CHUNKS = {
    "no size": b"\r\n", "a blank": b" \r\n", "not hex": b"zz\r\nxx\r\n", "g": b"g\r\n", "minus": b"-1\r\nx\r\n", "plus": b"+1\r\nx\r\n",
    "0x": b"0x5\r\nhello\r\n",
    "a dot": b"1.0\r\nx\r\n", "a comma": b"1,0\r\nx\r\n", "underscore": b"1_0\r\n" + b"x" * 16 + b"\r\n", "NUL": b"\0\r\n", "8-bit": b"\xb2\r\n",
    "wide digit": "１\r\nx\r\n".encode(),
    "2^64": b"10000000000000000\r\nx\r\n", "2^64-1": b"ffffffffffffffff\r\nx\r\n", "2^63": b"8000000000000000\r\nx\r\n",
    "2^63-1": b"7fffffffffffffff\r\nx\r\n", "17 digits": b"f" * 17 + b"\r\nx\r\n",
    "1000 digits": b"0" * 1000 + b"5\r\nhello\r\n", "endless digits": b"1" * 70000, "size too large": b"20\r\nhello\r\n0\r\n\r\n",
    "size too small": b"3\r\nhello\r\n0\r\n\r\n", "no end of chunk": b"5\r\nhello0\r\n\r\n",
    "LF only after chunk, wrong": b"5\r\nhello\n\n0\r\n\r\n", "CR only": b"5\rhello\r0\r\r", "letter for CRLF": b"5\r\nhelloXX0\r\n\r\n",
    "quote": b"\"5\"\r\nhello\r\n0\r\n\r\n", "html": b"<html>\r\n", "json": b"{}\r\n",
    "a new answer": answer(TEXT), "end within size": b"1", "end within CRLF": b"5\r", "end after size": b"5\r\n", "end within data": b"5\r\nhel",
    "end after data": b"5\r\nhello", "end before last": b"5\r\nhello\r\n",
    "end in the last": b"0", "the last's CR": b"0\r", "end before trailer's end": b"0\r\nX: y", "extension without end": b"5;" + b"x" * 70000,
    "trailer without end": b"0\r\nX: " + b"y" * 200000 + b"\r\n\r\n",
    "10^5 trailers": b"0\r\n" + b"X: y\r\n" * 100000 + b"\r\n",
}

LENGTHS = {
    "too long": OK + b"Content-Length: 100\r\n\r\n" + TEXT, "two, different": OK + b"Content-Length: 16\r\nContent-Length: 5\r\n\r\n" + TEXT,
    "two, the first short": OK + b"Content-Length: 5\r\nContent-Length: 16\r\n\r\n" + TEXT,
    "a list": OK + b"Content-Length: 16, 5\r\n\r\n" + TEXT, "negative": OK + b"Content-Length: -1\r\n\r\n" + TEXT,
    "not a number": OK + b"Content-Length: abc\r\n\r\n" + TEXT, "2^63": OK + b"Content-Length: 9223372036854775808\r\n\r\n" + TEXT,
    "2^64+16": OK + b"Content-Length: 18446744073709551632\r\n\r\n" + TEXT, "hex": OK + b"Content-Length: 0x10\r\n\r\n" + TEXT,
    "plus": OK + b"Content-Length: +16\r\n\r\n" + TEXT, "empty": OK + b"Content-Length: \r\n\r\n" + TEXT,
    "larger than the cap": OK + b"Content-Length: 1073741824\r\n\r\n" + TEXT,
    "beside chunked, different": chunked(G + b"0\r\n\r\n", b"Content-Length: 5\r\n"),
    "unknown coding": OK + b"Transfer-Encoding: identity-of-mine\r\n\r\n" + TEXT,
    "chunked twice": OK + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + G + b"0\r\n\r\n",
    "chunked not last": OK + b"Transfer-Encoding: chunked, gzip\r\n\r\n" + G + b"0\r\n\r\n",
    "not for HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"zz" + G,
}

HEADS = {
    "10^5 headers": OK + b"".join(b"X-%d: y\r\n" % i for i in range(100000)) + b"Content-Length: 2\r\n\r\n{}",
    "a header of 100 MB": (OK + b"X: ", b"y" * (1 << 20), 100, b"\r\nContent-Length: 2\r\n\r\n{}"),
    "100 MB without a line's end": (b"", b"H" * (1 << 20), 100, b""),
    "1xx for ever": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n" * 20000, 50, answer(TEXT)),
    "100 for ever": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 40000, 50, answer(TEXT)),
    "101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n" + TEXT,
    "HTTP/0.9": TEXT, "HTTP/3.7": b"HTTP/3.7 200 OK\r\nContent-Length: 16\r\n\r\n" + TEXT,
    "HTTP/2": b"HTTP/2 200\r\nContent-Length: 16\r\n\r\n" + TEXT, "ICY": b"ICY 200 OK\r\nContent-Length: 16\r\n\r\n" + TEXT,
    "no status": b"HTTP/1.1\r\nContent-Length: 16\r\n\r\n" + TEXT,
    "status 20": b"HTTP/1.1 20 OK\r\nContent-Length: 16\r\n\r\n" + TEXT, "status 2000": b"HTTP/1.1 2000 OK\r\nContent-Length: 16\r\n\r\n" + TEXT,
    "status abc": b"HTTP/1.1 abc OK\r\nContent-Length: 16\r\n\r\n" + TEXT, "status -200": b"HTTP/1.1 -200 OK\r\nContent-Length: 16\r\n\r\n" + TEXT,
    "status 000": b"HTTP/1.1 000 OK\r\nContent-Length: 16\r\n\r\n" + TEXT, "status 999": b"HTTP/1.1 999 What\r\nContent-Length: 16\r\n\r\n" + TEXT,
    "NUL in a header": OK + b"X: a\0b\r\nContent-Length: 16\r\n\r\n" + TEXT, "SMTP": b"220 mail.example.com ESMTP\r\n",
    "TLS alert": b"\x15\x03\x01\x00\x02\x02\x46", "SSH": b"SSH-2.0-OpenSSH_9.2\r\n", "only line ends": b"\r\n" * 1000,
}

BODIES = {
    "gzip bomb 128 MiB": packed(bomb(128)), "gzip bomb in gzip": packed(bomb(64, 2), b"gzip, gzip"),
    "six codings": packed(bomb(64, 6), b"gzip, gzip, gzip, gzip, gzip, gzip"), "gzip of 10^4 members": packed(ZIPPED * 10000),
    "gzip cut": packed(ZIPPED[:-12]), "gzip without its end": packed(ZIPPED[:-8]),
    "gzip with a wrong sum": packed(ZIPPED[:-8] + b"\0\0\0\0" + ZIPPED[-4:]), "gzip with a wrong size": packed(ZIPPED[:-4] + b"\0\0\0\1"),
    "gzip flipped": packed(ZIPPED[:14] + bytes([ZIPPED[14] ^ 0x55]) + ZIPPED[15:]),
    "gzip that is none": packed(TEXT), "only gzip's head": packed(ZIPPED[:10]),
    "no byte of gzip": OK + b"Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", "gzip and more": packed(ZIPPED + b"garbage behind"),
    "br unasked": packed(b"\x0b\x07\x80{\"QueueUrls\":[]}\x03", b"br"), "deflate unasked, broken": packed(zlib.compress(TEXT)[:-6], b"deflate"),
    "a coding nobody knows": packed(TEXT, b"x-secret"), "zstd unasked": packed(b"\x28\xb5\x2f\xfd\x20\x10" + TEXT, b"zstd"),
    "204 with a body": b"HTTP/1.1 204 No Content\r\nContent-Length: 16\r\n\r\n" + TEXT,
    "304 with a body": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 16\r\n\r\n" + TEXT,
    "endless, no length": (OK + b"\r\n", b" " * (1 << 20), 64, b""),
    "endless chunks": (chunked(b""), (b"10000\r\n" + b" " * 65536 + b"\r\n") * 16, 64, b""),
    "chunks of one byte": (chunked(b""), b"1\r\n \r\n" * 100000, 15, b""),
}

GROUPS = {"chunks": {k: chunked(G + v) for k, v in CHUNKS.items()}, "lengths": LENGTHS, "heads": HEADS, "bodies": BODIES}


def try_one(driver, server, raw, keep):
    """(what sluice made of it, what it made of the next request, connections). keep: the server does not hang up behind it."""
    asked = []

    def serve(c):
        while c.request() and c.whole():
            c.seen = b""
            asked.append(c.nth)
            if len(asked) > 1:
                c.send(answer(b"next"))
                continue
            head, block, times, tail = raw if isinstance(raw, tuple) else (raw, b"", 0, b"")
            for part in [head] + [block] * times + [tail]:
                c.sock.sendall(part)  # raises when sluice has hung up
            if not keep:
                return

    server.begin(serve)
    told = driver(url=server.url + "/", body="{}", cap=CAP, total_ms=500 if keep else 8000 * SLOWER, anew=True)
    following = driver(url=server.url + "/", body="{}", cap=CAP)
    driver(url="http://127.0.0.1:1/", anew=True)
    server.settle()
    return told, following, len(set(asked))


# What reaches the caller as an answer, because it is one: its status or its emptiness is for the caller to refuse.
ANSWERS = {"status 999": 999, "304 with a body": 304, "no byte of gzip": 200}
# The answer is refused; its length was right, so the connection is in step.
IN_STEP = {"gzip cut", "gzip without its end", "only gzip's head"}


def wrong(name, told, following, connections, keep):
    if name in ANSWERS:
        if told["sent"] != "answered" or told["status"] != ANSWERS[name] or (told["status"] == 200 and told["n"]):
            return "not as it was sent"
    elif told["sent"] != "maybe sent" or told["code"] not in ("bad reply", "limit", "timeout" if keep else ""):
        return "taken for an answer, or for something else"
    elif connections != 2 and name not in IN_STEP:
        return "the connection went on"
    if following["body"] != "next":
        return f"the next request got {following}"
    if told["grew_kib"] > 8 << 10:
        return f"{told['grew_kib']} KiB for a cap of {CAP >> 10}"
    return None


def test_no_rule_of_http_may_be_broken(tmp_path, figure):
    """Each twice: the server hangs up behind it, and it does not."""
    n, reached, problems, growth, slowest = 0, 0, [], 0, 0
    with Server() as server, Driver(tmp_path) as driver:
        for group in GROUPS.values():
            for name, raw in group.items():
                for keep in (False, True):
                    n += 1
                    told, following, connections = try_one(driver, server, raw, keep)
                    reached += told["sent"] != "not sent"
                    growth, slowest = max(growth, told["grew_kib"]), max(slowest, told["ms"])
                    if problem := wrong(name, told, following, connections, keep):
                        problems.append(f"{name}, {'kept' if keep else 'closed'}: {problem}: {told}")
    figure("D5", f"{n // 2} answers that break HTTP, line closed or kept", attempted=n, passed=n - len(problems), reached=reached,
           note=f"a cap of {CAP >> 10} KiB: resident memory grew by {growth} KiB at most in one request; slowest {slowest} ms")
    assert not problems, f"{len(problems)} wrong:\n" + "\n".join(problems[:20])


def test_a_kept_connection_out_of_step(tmp_path, ca, figure):
    """What comes on a kept connection between two requests belongs to neither: more of an answer, or the line's end. The next request
    goes over another connection; one that must go once is neither lost nor sent twice."""
    firsts = {"answer": answer(b"one"), "no content": b"HTTP/1.1 204 No Content\r\n\r\n", "chunks": chunked(b"3\r\none\r\n0\r\n\r\n")}
    lates = {"another answer": answer(b"evil"), "a byte": b"x", "the end": b""}
    n, reached, wrong = 0, 0, []
    for context in (None, server_context(tls.make_server(tmp_path, ca))):
        for first, good in firsts.items():
            for late, more in lates.items():
                for once in (False, True):
                    n += 1
                    seen = []

                    def serve(c, good=good, more=more, seen=seen):
                        while c.request() and c.whole():
                            c.seen = b""
                            seen.append(c.nth)
                            c.send(good if len(seen) == 1 else answer(b"next"))
                            if len(seen) == 1:
                                time.sleep(0.05)
                                if not more and c.server.context:
                                    c.sock.unwrap()
                                c.send(more)
                                if not more:
                                    return

                    with Server(serve, context) as server, Driver(tmp_path / f"{n}") as driver:
                        driver(url=server.url + "/", body="{}", ca=ca[2])
                        time.sleep(0.15)
                        told = driver(url=server.url + "/", body="{}", once=once)
                        driver(url="http://127.0.0.1:1/", anew=True)
                        server.settle()
                    reached += len(seen) > 0
                    if told["body"] != "next" or told["sent"] != "answered" or seen != [0, 1]:
                        wrong.append(f"{'TLS, ' if context else ''}{first}, then {late}{', once' if once else ''}: {told}, by connections {seen}")
    figure("D5", "a kept connection out of step: another is taken", attempted=n, passed=n - len(wrong), reached=reached)
    assert not wrong, f"{len(wrong)} wrong:\n" + "\n".join(wrong[:10])


def test_the_program_never_says_ok(tmp_path, figure):
    """What HTTP alone cannot tell, the operation's reader must: a length too short, an answer that ends with the line, and those above
    that are answers."""
    def lie(make):
        def fault(h, op):
            h.wfile.write(make(h.good()))
            h.hang_up()
        return fault

    shapes = {
        "length too short": lambda good: OK + b"Content-Length: %d\r\n\r\n" % (len(good) - 9) + good,
        "length 0": lambda good: OK + b"Content-Length: 0\r\n\r\n" + good,
        "no length, cut": lambda good: OK + b"\r\n" + good[:-3], "HTTP/1.0, cut": lambda good: b"HTTP/1.0 200 OK\r\n\r\n" + good[:-3],
        "last chunk too early": lambda good: chunked(b"%x\r\n" % (len(good) - 4) + good[:-4] + b"\r\n0\r\n\r\n" + good[-4:]),
        "204": lambda good: b"HTTP/1.1 204 No Content\r\n\r\n", "206": lambda good: answer(good[: len(good) // 2], status=b"206 Partial Content"),
        "304": lambda good: b"HTTP/1.1 304 Not Modified\r\n\r\n", "300": lambda good: answer(good, status=b"300 Multiple Choices"),
        "999": lambda good: answer(good, status=b"999 What"), "no byte of gzip": lambda good: BODIES["no byte of gzip"],
        "gzip cut": lambda good: packed(gzip.compress(good)[:-9]), "gzip bomb": lambda good: packed(bomb(64)),
        "10^5 headers": lambda good: HEADS["10^5 headers"],
    }
    n, right, reached, problems = 0, 0, 0, []
    for op in ("sqs:ListQueues", "cloudwatch:GetMetricData"):
        for name, make in shapes.items():
            n += 1
            with FakeAws({op: lie(make)}) as aws:
                ran = Sluice(tmp_path / f"{n}")("--check", "--format", "json", env=aws.env())
                reached += bool(aws.calls.get(op))
            good = ran.status == 3 and ran.json["status"] == "UNKNOWN" and 1 <= len(ran.err.splitlines()) <= 3
            right += good
            if not good:
                problems.append(f"{op} {name}: {ran}")
    with FakeAws({"sqs:ListQueues": lie(lambda good: packed(gzip.compress(good)))}) as aws:
        fine = Sluice(tmp_path / "fine")("--check", "--format", "json", env=aws.env())
    figure("D5", "such answers under --check: UNKNOWN, never OK", attempted=n, passed=right, reached=reached)
    assert not problems, f"{len(problems)} wrong:\n" + "\n".join(problems[:3])
    assert fine.status == 0, f"a packed answer is a good one:\n{fine}"
