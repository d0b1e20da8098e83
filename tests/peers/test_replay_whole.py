"""What arrives is what was there, byte for byte; how fast is what was allowed; and nothing changed at the peer that was not announced. 10,000
messages with SLUICE_LONG, a sample otherwise; measured in front of the peer, by a proxy that keeps every call and when it came."""

import base64
import collections
import contextlib
import hashlib
import json
import sqlite3
import threading
import time

import pytest
from program import LONG
from replaykit import OPERATE, Pipe
from simtools import Sim
from test_console_writes import LOOKS, Counting
from test_replay import TRACE

MESSAGES = 10000 if LONG else 240
EDGES = "\t\n\r \x7f\x80\x9f\u00a0\u0301\u200b\u202e\u2028\ufdd0\ufeff\ufffd\U0001f600\U0010ffff\"\\/<>&'%\x1d"  # SQS takes all but \x1d


@pytest.fixture(scope="module")
def sim(tmp_path_factory):
    with Sim.start("empty", home=tmp_path_factory.mktemp("sim"), speed=5) as s:
        yield s
        assert s.stop() == (0, "")


def a_message(rng, i):
    edges = EDGES[:-1]
    body = "".join(rng.choice(edges + "abcdefghij0123456789{}[]:,") for _ in range(rng.choice([1, 2, 30, 200, 2000])))
    if i % 1000 == 7:
        body = rng.choice(["x", "\u00e9", "\U0001f600"]) * 200000 + f"{i}"
    attrs = {}
    for k in range(rng.randrange(0, 10)):
        kind = rng.choice(["String", "String.json", "Number", "Number.float", "Binary", "Binary.gzip"])
        attrs[f"a{k}.{rng.choice('xyz_-')}"] = (
            {"DataType": kind, "BinaryValue": rng.randbytes(rng.choice([1, 3, 64, 999]))} if kind.startswith("Binary") else
            {"DataType": kind, "StringValue": rng.choice(["0", "-1.5e-12", "12345678901234567890"]) if kind.startswith("Number") else
             "".join(rng.choice(edges) for _ in range(rng.randrange(1, 40)))})
    return {"MessageBody": body, "MessageAttributes": attrs, **({"MessageGroupId": f"tenant-{i % 7}"} if i % 3 == 0 else {}),
            **({"MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}}} if i % 4 == 0 else {})}


def digest(body, attrs, group, trace):
    """Of everything that must not change; the stamp is ours."""
    told = [body, group, trace, sorted((k, v["DataType"], base64.b64encode(bytes(v["BinaryValue"])).decode() if "BinaryValue" in v else v["StringValue"])
                                       for k, v in attrs.items() if k != "sluice-run")]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def fill(sqs, url, rng, n):
    """{digest: how many}"""
    sent, batch, size = collections.Counter(), [], 0

    def flush():
        assert not sqs.send_message_batch(QueueUrl=url, Entries=batch).get("Failed")
        batch.clear()
    for i in range(n):
        m = a_message(rng, i)
        weight = len(m["MessageBody"].encode()) + 14000
        if batch and (len(batch) == 10 or size + weight > 1000000):
            flush()
            size = 0
        batch.append({"Id": str(i), **m})
        size += weight
        sent[digest(m["MessageBody"], m["MessageAttributes"], m.get("MessageGroupId"), TRACE if i % 4 == 0 else None)] += 1
    flush()
    return sent


def read_all(sqs, url):
    got, threads, lock = collections.Counter(), [], threading.Lock()

    def read():
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=43200, MessageAttributeNames=["All"],
                                              AttributeNames=["All"]).get("Messages"):
            with lock:
                got.update(digest(m["Body"], m.get("MessageAttributes", {}), m["Attributes"].get("MessageGroupId"),
                                  m["Attributes"].get("AWSTraceHeader")) for m in messages)
    for _ in range(2):
        threads.append(threading.Thread(target=read))
        threads[-1].start()
    for t in threads:
        t.join()
    return got


def test_every_byte_arrives(sim, sluice, rng):
    pipe, left = Pipe.make(sim, rng), MESSAGES
    sqs = pipe.peer.client("sqs")
    sent = fill(sqs, pipe.dlq, rng, MESSAGES)
    ran = sluice("replay", "start", f"sqs:{pipe.dlq_name}", "--redrive", *OPERATE, "--yes-i-mean", left, "--limit", left, "--rate", "1000", "--verify",
                 "1s", "--format", "json", env=pipe.peer.env(), timeout=1500 if LONG else 120)
    assert ran.status == 0 and ran.json["verified"] == MESSAGES, str(ran)[-3000:]
    got = read_all(sqs, pipe.source)
    assert sum(got.values()) == MESSAGES and got == sent and pipe.counts() == (0, 0)
    print(f"{MESSAGES} messages: body, attributes, group and trace header SHA-256-equal")


def test_every_byte_reaches_the_function(sim, sluice, rng):
    """As the mapping would have brought it."""
    n = 1000 if LONG else 60
    pipe = Pipe.make(sim, rng, batch=10)
    sqs = pipe.peer.client("sqs")
    sent = collections.Counter()
    for i in range(n):
        m = a_message(rng, i + 100 if i % 1000 == 7 else i)
        sqs.send_message(QueueUrl=pipe.dlq, **m)
        sent[digest(m["MessageBody"], m["MessageAttributes"], m.get("MessageGroupId"), None)] += 1
    ran = sluice("replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *OPERATE, "--yes-i-mean", n, "--limit", n, "--rate", "1000",
                 "--format", "json", env=pipe.peer.env(), timeout=120)
    assert ran.status == 0 and ran.json["verified"] == n, str(ran)[-3000:]
    got = collections.Counter()
    for event in pipe.events():
        for r in event["Records"]:
            attrs = {k: {"DataType": v["dataType"], **({"BinaryValue": base64.b64decode(v["binaryValue"])} if "binaryValue" in v else
                                                       {"StringValue": v["stringValue"]})} for k, v in r["messageAttributes"].items()}
            got[digest(r["body"], attrs, r["attributes"].get("MessageGroupId"), None)] += 1
    assert got == sent


# ---- in front of the peer

class Timed(Counting):
    """Counting, that also keeps when each call came and how many messages it carried."""

    def __init__(self, url):
        super().__init__(url)
        self.carried = []
        handler, carried = self.server.RequestHandlerClass, self.carried
        plain = handler.serve

        def serve(h):
            read = h.rfile.read
            h.rfile_read = read
            begun = time.monotonic()
            body = {}

            def keep(n):
                body["b"] = read(n)
                return body["b"]
            h.rfile.read, was = keep, h.rfile.read
            try:
                plain(h)
            finally:
                h.rfile.read = was
            text = body.get("b", b"")
            if h.path.endswith("/invocations"):
                carried.append((begun, len(json.loads(text)["Records"])))
            elif b'"Entries"' in text and "SendMessageBatch" in h.headers.get("X-Amz-Target", ""):
                carried.append((begun, len(json.loads(text)["Entries"])))
        for name in ("do_GET", "do_POST", "do_PUT", "do_DELETE", "do_HEAD", "do_PATCH"):
            setattr(handler, name, serve)


def most_in(times, seconds):
    """Of (when, how many): the most in any so many seconds."""
    best = 0
    for i, (t, _) in enumerate(times):
        best = max(best, sum(n for at, n in times[i:] if at < t + seconds))
    return best


@pytest.mark.parametrize("how, rate, n", [("invoke", 5, 22), ("invoke", 50, 150), ("redrive", 100, 250)] if not LONG else
                         [(how, rate, 4 * rate + 7) for how in ("invoke", "redrive") for rate in (1, 2, 5, 10, 25, 50, 100, 300)])
def test_never_faster_than_allowed(sim, sluice, rng, how, rate, n):
    """At the peer. A machine that was busy elsewhere can push calls together on their way, which is not the sender's doing: by the ledger's
    own times never in any second, at the peer never in any half of one."""
    pipe = Pipe.make(sim, rng, batch=3)
    pipe.fill(n)
    where = ("--redrive", "--verify", "1s") if how == "redrive" else ("--through", pipe.function)
    with Timed(pipe.peer.url) as timed:
        ran = sluice("replay", "start", f"sqs:{pipe.dlq_name}", *where, *OPERATE, "--yes-i-mean", n, "--limit", n, "--rate", rate, "--format", "json",
                     env=pipe.peer.env(AWS_ENDPOINT_URL=timed.url), timeout=200)
    assert ran.status == 0 and ran.json["verified"] == n, str(ran)[-3000:]
    carried = sorted(timed.carried)
    assert sum(k for _, k in carried) == n
    with contextlib.closing(sqlite3.connect(sluice.home / ".local/state/sluice/ledger.db")) as db:
        intents = sorted((ms / 1000, 1) for (ms,) in db.execute("SELECT intent FROM item"))
    worst, peer = most_in(intents, 0.999), most_in(carried, 0.5)
    print(f"{how} at {rate} a second: {worst} in the worst second by the ledger, {most_in(carried, 1)} at the peer, {n} in all")
    assert worst <= rate and peer <= rate


def test_every_change_was_announced(sim, sluice, rng):
    """F12: the peer's own log of what changes something, joined with the audit log: as many lines, each before its call."""
    pipe = Pipe.make(sim, rng, batch=4)
    pipe.fill(30)
    with Counting(pipe.peer.url) as counting:
        env = pipe.peer.env(AWS_ENDPOINT_URL=counting.url)
        for more in (("--through", pipe.function, "--limit", "20"), ("--redrive", "--verify", "1s", "--limit", "10")):
            n = more[-1]
            assert sluice("replay", "start", f"sqs:{pipe.dlq_name}", *more, *OPERATE, "--yes-i-mean", n, "--rate", "200", env=env).status == 0
    called = collections.Counter(o if "/functions/" not in o else "Invoke" for o in counting.operations if not LOOKS.match(o))
    lines = [json.loads(line) for line in sluice("audit", "--format", "json", env=env).out.splitlines()]
    said = collections.Counter(line["event.action"].split(":")[1] for line in lines if line["event.outcome"] == "announced" and ":" in line["event.action"])
    assert called and called == said
    print(f"{sum(called.values())} calls that change something, all announced: {dict(called)}")
