"""put-record, process and put-metric against AWSes that believe writes: what boto3 reads back, what the gate refuses, and what is
said of every record when the answer is bad, partial or lost."""

import base64
import contextlib
import datetime
import io
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.request
import zipfile

import pytest
from botocore.exceptions import ClientError
from console import Console
from program import SLOWER, binary, clean_env, plain
from simtools import sim, Sim, world  # noqa: F401 (fixtures)

GO = ("--mode", "operate", "--yes")
UTC = datetime.timezone.utc


WORLD = {"scenario": "calm"}


@pytest.fixture(params=["sim", "moto", "ministack"])
def peer(request):
    """Each of them as a Peer, whatever fixture it comes from."""
    p = request.getfixturevalue(request.param)
    return p.peer if isinstance(p, Sim) else p


def stream_of(peer, rng, shards=2):
    kinesis, name = peer.client("kinesis"), f"s-{rng.randrange(1 << 40):x}"
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    return name


def in_stream(peer, name):
    """[(data, partition key, sequence number, shard)] of all that is in it."""
    kinesis, found = peer.client("kinesis"), []
    for shard in kinesis.list_shards(StreamName=name)["Shards"]:
        it = kinesis.get_shard_iterator(StreamName=name, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        while it:
            answer = kinesis.get_records(ShardIterator=it, Limit=10000)
            found += [(r["Data"], r["PartitionKey"], r["SequenceNumber"], shard["ShardId"]) for r in answer["Records"]]
            it = answer.get("NextShardIterator") if answer["Records"] else None
    return found


def random_lines(rng, n):
    """Valid JSON of every kind, with blanks and escapes as people write them; [(line, its key)]"""
    rows = []
    for i in range(n):
        user = rng.choice([None, f"u{rng.randrange(50)}", "é漢 😀", rng.randrange(1000)])
        doc = {"n": i, "text": "".join(rng.choice("aé漢😀\u202e\x7f\t\"\\/") for _ in range(rng.randrange(30)))}
        if user is not None:
            doc["user_id"] = user
        line = json.dumps(doc, ensure_ascii=rng.random() < 0.5, separators=rng.choice([(",", ":"), (" , ", " : ")])).encode()
        key = "default" if user is None else str(user)
        if rng.random() < 0.1:
            line, key = rng.choice([(b"[%d]" % i, "default"), (b'"%d"' % i, "default"), (b" %d " % i, "default")])
        rows.append((line, key))
    return rows


# ---- put-record

def test_records_arrive_byte_for_byte(peer, sluice, rng):
    name = stream_of(peer, rng)
    rows = random_lines(rng, 1203)  # three calls
    ran = sluice("put-record", name, *GO, "--format", "json", env=peer.env(), stdin=b"\n".join(r[0] for r in rows) + b"\n")
    assert ran.status == 0, ran
    told = ran.json
    assert (told["total"], told["ok"], told["failed"], told["unknown"]) == (1203, 1203, 0, 0)
    there = in_stream(peer, name)
    assert sorted((d, k) for d, k, _, _ in there) == sorted(rows)
    placed = {(s, n) for _, _, n, s in there}
    assert {(r["shard"], r["sequence"]) for r in told["records"]} == placed and len(placed) == 1203
    data = {(s, n): (d, k) for d, k, n, s in there}
    for i, r in enumerate(told["records"]):  # the outcome is that of its line
        assert r["line"] == i + 1 and data[r["shard"], r["sequence"]] == rows[i]


def test_one_key_for_all_and_a_file(sim, sluice, rng, tmp_path):
    name = stream_of(sim.peer, rng)
    path = tmp_path / "records"
    path.write_bytes(b'{"user_id":"u1"}\r\n\n{"user_id":"u2"}')  # no last line feed
    ran = sluice("put-record", name, *GO, "--data", path, "--partition-key", "clé", env=sim.peer.env())
    assert ran.status == 0 and ran.out.split("\t")[:6] == ["total", "2", "2 ok", "0 failed", "0 unknown", "0 sent again"], ran
    assert [(d, k) for d, k, _, _ in in_stream(sim.peer, name)] == [(b'{"user_id":"u1"}\r', "clé"), (b'{"user_id":"u2"}', "clé")]


def test_a_bad_line_fails_alone(peer, sluice, rng):
    name = stream_of(peer, rng)
    text = b'{"a":1}\nnot json\n{"b":\xff}\n{"user_id":"' + b"x" * 257 + b'"}\n[2]\n'
    ran = sluice("put-record", name, *GO, "--format", "json", env=peer.env(), stdin=text)
    assert ran.status == 1, ran
    assert [(r["line"], r["status"], r["code"]) for r in ran.json["records"]] == [
        (1, "ok", None), (2, "failed", "NOT_JSON"), (3, "failed", "NOT_JSON"), (4, "failed", "BAD_KEY"), (5, "ok", None)]
    assert ran.json["records"][1]["data"] == "not json"
    assert base64.b64decode(ran.json["records"][2]["data_base64"]) == b'{"b":\xff}'
    assert sorted(d for d, *_ in in_stream(peer, name)) == [b"[2]", b'{"a":1}']
    text = sluice("put-record", name, *GO, env=peer.env(), stdin=text)
    rows = [line.split("\t") for line in text.out.splitlines()]
    assert [r[:4] for r in rows[:-1]] == [["record", "2", "failed", "NOT_JSON"], ["record", "3", "failed", "NOT_JSON"],
                                          ["record", "4", "failed", "BAD_KEY"]] and rows[0][6] == "not json"
    assert rows[-1][:3] == ["total", "5", "2 ok"] and plain(text.out + text.err)


@pytest.mark.parametrize("every", [2, 5])
def test_only_failed_records_go_again(sim, sluice, rng, every):
    """Every nth fails, twice: throttled shards and internal failures."""
    name = stream_of(sim.peer, rng)
    spec = f"kinesis:PutRecords=failed-records:{every},times=2"
    sim.spoil(spec)
    lines = [b'{"i":%d}' % i for i in range(100)]
    ran = sluice("put-record", name, *GO, "--format", "json", env=sim.peer.env(), stdin=b"\n".join(lines))
    assert ran.status == 0 and sim.hits()[spec] == 2, ran
    assert ran.json["ok"] == 100 and ran.json["sent_again"] == 100 // every
    assert sorted(d for d, *_ in in_stream(sim.peer, name)) == sorted(lines)  # each once


def test_what_fails_for_good_is_kept(sim, sluice, rng, tmp_path):
    name = stream_of(sim.peer, rng)
    spec = "kinesis:PutRecords=failed-records:1"  # always, all
    sim.spoil(spec)
    kept = tmp_path / "rejects"
    text = b'{"a": "\xc3\xa9\t"}'.replace(b"\t", b"\\t") + b"\r\nno\n[3]\n"
    ran = sluice("put-record", name, *GO, "-t", "4", "--rejects", kept, "--format", "json", env=sim.peer.env(), stdin=text)
    assert ran.status == 1 and sim.hits()[spec] >= 2, ran
    assert {r["status"] for r in ran.json["records"]} == {"failed"} and ran.json["failed"] == 3
    assert kept.read_bytes() == text and (kept.stat().st_mode & 0o777) == 0o600
    assert not any("data" in r for r in ran.json["records"]) and ran.json["rejects"] == str(kept)
    assert in_stream(sim.peer, name) == []
    sim.heal()
    again = sluice("put-record", name, *GO, "--data", kept, "--rejects", kept, env=sim.peer.env())
    assert again.status == 1 and kept.read_bytes() == b"no\n", again  # what is kept can be sent again
    assert sorted(d for d, *_ in in_stream(sim.peer, name)) == sorted([b"[3]", text.split(b"\n")[0]])


@pytest.mark.parametrize("fault, there", [("lost", True), ("half", True), ("html:200", False), ("empty", False), ("reset", False),
                                          ("status:500", False), ("html:502", False)])
def test_a_lost_answer_is_unknown(sim, sluice, rng, tmp_path, fault, there):
    """Whether it was done or not, nobody told: it is said so, sent once, and kept."""
    name = stream_of(sim.peer, rng)
    spec = f"kinesis:PutRecords={fault}"
    sim.spoil(spec)
    kept = tmp_path / "rejects"
    ran = sluice("put-record", name, *GO, "--format", "json", "--rejects", kept, env=sim.peer.env(), stdin=b'{"a":1}\n[2]\n')
    assert ran.status == 1, ran
    assert [r["status"] for r in ran.json["records"]] == ["unknown", "unknown"] and ran.json["unknown"] == 2
    assert sim.hits()[spec] == 1  # not silently again
    assert "twice" in ran.err and kept.read_bytes() == b'{"a":1}\n[2]\n'
    sim.heal()
    assert len(in_stream(sim.peer, name)) == (2 if there else 0)


def test_silence_is_unknown_and_the_rest_unsent(sim, sluice, rng):
    """At -t the batch under way is unknown, what was not sent is certainly not in."""
    name = stream_of(sim.peer, rng)
    spec = "kinesis:PutRecords=drip:30000"
    sim.spoil(spec)
    ran = sluice("put-record", name, *GO, "-t", "2", "--format", "json", env=sim.peer.env(), stdin=b"1\n" * 700)
    assert ran.status == 1 and sim.hits()[spec] == 1, ran
    assert [(r["status"], r["code"]) for r in ran.json["records"]] == [("unknown", "TIMEOUT")] * 500 + [("failed", "NOT_SENT")] * 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_does_not_swallow_records(sim, sluice, rng, tmp_path, number):
    """What became of every record is told, and kept, before the process goes."""
    name = stream_of(sim.peer, rng)
    spec = "kinesis:PutRecords=drip:30000"
    sim.spoil(spec)
    kept = tmp_path / "kept"
    argv = [binary(), "put-record", name, *GO, "--format", "json", "--rejects", str(kept)]
    p = subprocess.Popen(argv, env=clean_env(sluice.home, sim.peer.env()), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=sluice.home)
    p.stdin.write(b"1\n" * 700)
    p.stdin.close()
    end = time.monotonic() + 20 * SLOWER
    while not sim.hits()[spec] and time.monotonic() < end:
        time.sleep(0.05)
    p.send_signal(number)
    out = p.stdout.read()
    p.stdout.close()
    assert p.wait(20 * SLOWER) == 128 + number
    assert [r["status"] for r in json.loads(out)["records"]] == ["unknown"] * 500 + ["failed"] * 200
    assert kept.read_bytes() == b"1\n" * 700


def test_three_lost_answers_end_it(sim, sluice, rng):
    name = stream_of(sim.peer, rng)
    spec = "kinesis:PutRecords=lost"
    sim.spoil(spec)
    ran = sluice("put-record", name, *GO, "--format", "json", env=sim.peer.env(), stdin=b"1\n" * 2100)
    assert ran.status == 1 and sim.hits()[spec] == 3, ran
    assert (ran.json["unknown"], ran.json["failed"]) == (1500, 600)
    assert {r["code"] for r in ran.json["records"][1500:]} == {"NOT_SENT"}


@pytest.mark.parametrize("fault, code, calls", [("denied", "DENIED", 1), ("unknown-key", "AUTH", 2)])
def test_refused_by_aws(sim, sluice, rng, fault, code, calls):
    """The first refusal ends it: nothing more is tried, but for keys that may have been renewed meanwhile."""
    name = stream_of(sim.peer, rng)
    spec = f"kinesis:PutRecords={fault}"
    sim.spoil(spec)
    ran = sluice("put-record", name, *GO, "--format", "json", env=sim.peer.env(), stdin=b"1\n" * 700)
    assert ran.status == 1 and sim.hits()[spec] == calls, ran
    assert [r["code"] for r in ran.json["records"]] == [code] * 500 + ["NOT_SENT"] * 200
    if code == "DENIED":
        assert '"Action":"kinesis:PutRecords"' in ran.err


def test_a_throttled_call_goes_again(sim, sluice, rng):
    name = stream_of(sim.peer, rng)
    spec = "kinesis:PutRecords=throttle,times=5"  # more than one call's own attempts
    sim.spoil(spec)
    ran = sluice("put-record", name, *GO, env=sim.peer.env(), stdin=b"1\n2\n")
    assert ran.status == 0 and sim.hits()[spec] == 5, ran
    assert len(in_stream(sim.peer, name)) == 2


def test_a_record_too_large_for_its_stream_fails_alone(sim, sluice, rng):
    name = stream_of(sim.peer, rng)
    big = b'"' + b"x" * (1 << 20) + b'"'
    fits = b'"' + b"y" * ((1 << 20) - len("default") - 2) + b'"'
    ran = sluice("put-record", name, *GO, "--format", "json", env=sim.peer.env(), stdin=b"\n".join([b"1", big, fits, b"2"]))
    assert ran.status == 1, ran.err
    assert [r["status"] for r in ran.json["records"]] == ["ok", "failed", "ok", "ok"]
    assert ran.json["records"][1]["data"].encode() == big
    assert sorted(len(d) for d, *_ in in_stream(sim.peer, name)) == [1, 1, len(fits)]


def test_a_key_of_256_characters(sim, sluice, rng):
    """Characters, not bytes; one more is refused here, and would be there."""
    name, key = stream_of(sim.peer, rng), "漢" * 256
    ran = sluice("put-record", name, *GO, env=sim.peer.env(), stdin=json.dumps({"user_id": key}, ensure_ascii=False).encode())
    assert ran.status == 0 and [k for _, k, _, _ in in_stream(sim.peer, name)] == [key], ran
    with pytest.raises(ClientError):
        sim.client("kinesis").put_records(StreamName=name, Records=[{"Data": b"1", "PartitionKey": key + "x"}])


def test_nothing_to_put(sim, sluice, rng):
    ran = sluice("put-record", "any", *GO, env=sim.peer.env(), stdin=b"\n \n")
    assert ran.status == 0 and ran.out.startswith("total\t0\t"), ran


# ---- process

def function_of(peer, rng, seen):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as z:
        z.writestr("h.py", f"import json\ndef h(event, context):\n    open({str(seen)!r}, 'w').write(json.dumps(event))\n")
    name = f"f-{rng.randrange(1 << 40):x}"
    role = "arn:aws:iam::123456789012:role/r"
    with contextlib.suppress(ClientError):
        role = peer.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    peer.client("lambda").create_function(FunctionName=name, Runtime="python3.11", Role=role, Handler="h.h",
                                          Code={"ZipFile": archive.getvalue()})
    return name


def test_process_starts_a_function(peer, sluice, rng, tmp_path):
    seen = tmp_path / "seen"
    if peer.name == "moto":  # which would run it in a container
        request = urllib.request.Request(f"{peer.url}/moto-api/config", json.dumps({"lambda": {"use_docker": False}}).encode(),
                                         {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=20).close()
    name = function_of(peer, rng, seen)
    before = datetime.datetime.now(UTC).replace(microsecond=0)
    ran = sluice("process", "landing", "2026/é 漢\".json", "--function", name, *GO, "--format", "json", env=peer.env())
    assert ran.status == 0, ran
    payload = json.loads(ran.json["payload"])
    assert list(payload) == ["bucket", "key", "timestamp"]
    assert (payload["bucket"], payload["key"]) == ("landing", "2026/é 漢\".json")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", payload["timestamp"])
    at = datetime.datetime.fromisoformat(payload["timestamp"].replace("Z", "+00:00"))
    assert before <= at <= datetime.datetime.now(UTC)
    assert ran.json["status"] == "queued" and ran.json["function"] == name
    if peer.name == "ministack":  # where functions really run
        end = time.monotonic() + 30 * SLOWER
        while time.monotonic() < end and not (seen.exists() and seen.read_text()):
            time.sleep(0.1)
        assert json.loads(seen.read_text()) == payload


class Recorder:
    """A Lambda that keeps what it was sent, and answers as told."""

    def __init__(self, answer):
        self.answer, self.requests = answer, []

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.listener.close()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                c, _ = self.listener.accept()
                with c:
                    self.one(c)

    def one(self, c):
        data = b""
        while b"\r\n\r\n" not in data:
            data += c.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        while len(body) < length:
            body += c.recv(65536)
        self.requests.append((head.decode(), body))
        c.sendall(self.answer)

    def env(self):
        return {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "x" * 40, "AWS_REGION": "eu-west-1",
                "AWS_ENDPOINT_URL": self.url}


def answered(status, more="", body=""):
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{more}\r\n{body}".encode()


def test_process_on_the_wire(sluice):
    """The seed's function, the seed's payload, asynchronously; the id of the request is printed."""
    with Recorder(answered(202, "x-amzn-RequestId: r-77\r\n")) as r:
        ran = sluice("process", "landing", "a/b", *GO, env={**r.env(), "SLUICE_NOW": "2026-11-23T03:14:42Z"})
        assert ran.status == 0 and ran.out.split("\t")[:2] == ["r-77", "data-processor"], ran
        (head, body), = r.requests
        assert head.startswith("POST /2015-03-31/functions/data-processor/invocations HTTP/1.1\r\n")
        assert "x-amz-invocation-type: event\r\n" in head.lower()
        assert body == b'{"bucket":"landing","key":"a/b","timestamp":"2026-11-23T03:14:42Z"}'


def test_process_takes_its_function_from_the_configuration(sluice):
    config = sluice.config("[sluice]\nprocess_function = orders:live\n")
    with Recorder(answered(202)) as r:
        assert sluice("process", "bucket", "k", "--config", config, *GO, env=r.env()).status == 0
        assert sluice("process", "bucket", "k", "--config", config, "--function", "other", *GO, env=r.env()).status == 0
        assert [h.split(" ")[1] for h, _ in r.requests] == ["/2015-03-31/functions/orders%3Alive/invocations",
                                                            "/2015-03-31/functions/other/invocations"]


@pytest.mark.parametrize("answer, doubt, word", [
    (answered(200, body="{}"), True, "202 was expected"),
    (answered(204), True, "202 was expected"),
    (answered(500, body="{}"), True, "500"),
    (answered(502, body="<html>"), True, ""),
    (b"", True, ""),
    (answered(404, "x-amzn-ErrorType: ResourceNotFoundException\r\n", '{"Message":"Function not found: f"}'), False, "Function not found"),
    (answered(403, "x-amzn-ErrorType: AccessDeniedException\r\n", '{"Message":"no"}'), False, "AccessDeniedException"),
    (answered(413, "x-amzn-ErrorType: RequestTooLargeException\r\n", '{"Message":"big"}'), False, "RequestTooLarge"),
    (answered(402, "x-amzn-ErrorType: ServiceQuotaExceededException\r\n", '{"Message":"no"}'), False, "ServiceQuota"),
])
def test_process_fails_in_words(sluice, answer, doubt, word):
    with Recorder(answer) as r:
        ran = sluice("process", "bucket", "k", *GO, env=r.env())
        assert ran.status == 1 and ran.out == "" and word in ran.err, ran
        assert ("unknown: it was sent and may have been done" in ran.err) == doubt
        assert "lambda:InvokeFunction" in ran.err and len(r.requests) == 1


# ---- put-metric

def test_a_metric_is_put(peer, sluice, rng):
    ns, value = f"Test{rng.randrange(1 << 40):x}", rng.choice([0.0, -7.25, 1e30, 0.1 + 0.2])
    ran = sluice("put-metric", ns, "Error Rate", repr(value), "--dim", "Stage=load, a=b", "--dim", "Team=ops", "--unit", "percent",
                 *GO, "--format", "json", env=peer.env())
    assert ran.status == 0, ran
    assert ran.json["value"] == value and ran.json["unit"] == "Percent" and ran.json["status"] == "taken"
    cw, now = peer.client("cloudwatch"), datetime.datetime.now(UTC)
    listed, = cw.list_metrics(Namespace=ns)["Metrics"]
    dims = [{"Name": "Stage", "Value": "load, a=b"}, {"Name": "Team", "Value": "ops"}]
    assert listed["MetricName"] == "Error Rate" and sorted(listed["Dimensions"], key=lambda d: d["Name"]) == dims
    got = cw.get_metric_statistics(Namespace=ns, MetricName="Error Rate", Dimensions=dims, Period=60, Statistics=["Sum", "SampleCount"],
                                   StartTime=now - datetime.timedelta(minutes=10), EndTime=now + datetime.timedelta(minutes=2))
    point, = got["Datapoints"]
    assert point["Sum"] == value and point["SampleCount"] == 1
    assert point["Unit"] == "Percent"


@pytest.mark.parametrize("fault, there", [("lost", 1), ("status:500", 0), ("html:200", 0)])
def test_a_metric_whose_answer_is_lost(sim, sluice, rng, fault, there):
    ns, spec = f"Lost{rng.randrange(1 << 40):x}", f"cloudwatch:PutMetricData={fault}"
    sim.spoil(spec)
    ran = sluice("put-metric", ns, "M", "1", *GO, env=sim.peer.env())
    assert ran.status == 1 and ran.out == "" and "may have been done" in ran.err, ran
    assert sim.hits()[spec] == 1
    sim.heal()
    assert len(sim.client("cloudwatch").list_metrics(Namespace=ns)["Metrics"]) == there


def test_a_denied_metric(sim, sluice):
    sim.spoil("cloudwatch:PutMetricData=denied")
    ran = sluice("put-metric", "N", "M", "1", *GO, env=sim.peer.env())
    assert ran.status == 1 and '"Action":"cloudwatch:PutMetricData"' in ran.err and "may have been" not in ran.err, ran


# ---- the gate, arguments, dry runs: nothing may reach the service

@pytest.fixture
def nobody(sluice):
    """An endpoint that counts who comes; nobody may."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "x" * 40, "AWS_REGION": "eu-west-1",
               "AWS_ENDPOINT_URL": url}
        with pytest.raises(TimeoutError):
            listener.accept()


ACTS = [("put-record", "orders"), ("process", "bucket", "a/b"), ("put-metric", "N", "M", "1")]
CONFIG = '[target "prod"]\nregion = eu-west-1\ngrant = %s\nproduction = %s\n'


@pytest.mark.parametrize("act", ACTS, ids=lambda a: a[0])
@pytest.mark.parametrize("options, grant, says", [
    ((), "admin", "--mode operate"),
    (("--yes",), "admin", "--mode operate"),
    (("--yes", "--mode", "inspect"), "admin", "--mode operate"),
    (("--mode", "operate"), "admin", "--yes"),
    (("--mode", "admin"), "admin", "--yes"),
    (("--mode", "admin", "--yes"), "observe", "grant = operate"),
    (("--mode", "operate", "--yes"), "inspect", "grant = operate"),
], ids=str)
def test_refused(nobody, sluice, act, options, grant, says):
    ran = sluice(*act, "--config", sluice.config(CONFIG % (grant, "no")), *options, env=nobody, stdin=b"1\n")
    assert ran.status == 3 and ran.out == "" and ran.err.count("\n") == 1 and says in ran.err, ran


def test_a_refusal_keeps_what_came_through_a_pipe(nobody, sluice, tmp_path):
    kept = tmp_path / "kept"
    ran = sluice("put-record", "orders", "--rejects", kept, env=nobody, stdin=b"1\nno\n2")
    assert ran.status == 3 and kept.read_bytes() == b"1\nno\n2\n", ran


@pytest.mark.parametrize("act", ACTS, ids=lambda a: a[0])
def test_a_dry_run_sends_nothing(nobody, sluice, act):
    for form in ("text", "json"):
        ran = sluice(*act, "--dry-run", "--format", form, env=nobody, stdin=b'{"user_id":"u1"}\n')
        assert ran.status == 0 and ran.err == "" and "planned" in ran.out, ran
    told = ran.json
    assert told["dry_run"] is True
    if act[0] == "put-record":
        assert [(r["status"], r["partition_key"], r["data"]) for r in told["records"]] == [("planned", "u1", '{"user_id":"u1"}')]


BAD = [
    ("put-record",), ("put-record", "a b"), ("put-record", ""), ("put-record", "x" * 129), ("put-record", "s", "t"),
    ("put-record", "arn:aws:kinesis:eu-west-1:123456789012:stream/s"), ("put-record", "s", "--partition-key", ""),
    ("put-record", "s", "--partition-key", "x" * 257), ("put-record", "s", "--partition-key", b"\xff"),
    ("put-record", "s", "--data", "/nonexistent/file"), ("put-record", "s", "--unit", "Count"), ("put-record", "s", "--format", "csv"),
    ("process", "b"), ("process", "", "k"), ("process", "b", ""), ("process", "a b", "k"), ("process", "b", "k" * 1025),
    ("process", "b", b"\xff"), ("process", "b", "k", "--function", "a/b"), ("process", "b", "k", "--function", ""),
    ("put-metric", "N", "M"), ("put-metric", "AWS/SQS", "M", "1"), ("put-metric", "", "M", "1"), ("put-metric", ":N", "M", "1"),
    ("put-metric", " ", "M", "1"), ("put-metric", "x" * 256, "M", "1"), ("put-metric", "N", "", "1"), ("put-metric", "N", "x" * 256, "1"),
    ("put-metric", "N", "a\nb", "1"), ("put-metric", "N", b"\xff", "1"), ("put-metric", "N", "M", "nan"), ("put-metric", "N", "M", "inf"),
    ("put-metric", "N", "M", "1e400"), ("put-metric", "N", "M", ""), ("put-metric", "N", "M", "1x"), ("put-metric", "N", "M", "0x10"),
    ("put-metric", "N", "M", repr(2.0**360 * 1.01)), ("put-metric", "N", "M", repr(-(2.0**361))), ("put-metric", "N", "M", "1,5"),
    ("put-metric", "N", "M", "1", "--unit", "Second"), ("put-metric", "N", "M", "1", "--unit", ""), ("put-metric", "N", "M", "1", "--dim", "x"),
    ("put-metric", "N", "M", "1", "--dim", "=x"), ("put-metric", "N", "M", "1", "--dim", "x="), ("put-metric", "N", "M", "1", "--dim", ":a=b"),
    ("put-metric", "N", "M", "1", "--dim", "a=1", "--dim", "a=2"), ("put-metric", "N", "M", "1", "--dim", "a=" + "v" * 1025),
    ("put-metric", "N", "M", "1", "--dim", "x" * 256 + "=v"), ("put-metric", "N", "M", "1", "--dim", "é=v"), ("put-metric", "N", "M", "1", "--dim", "a=\x07"),
    ("put-metric", "N", "M", "1", *(w for i in range(31) for w in ("--dim", f"d{i}=v"))),
]


@pytest.mark.parametrize("args", BAD, ids=lambda a: " ".join(str(w) for w in a)[:40] or "-")
def test_bad_input(nobody, sluice, args):
    """One line, status 2, and nothing is sent."""
    argv = [os.fsdecode(a) if isinstance(a, bytes) else a for a in args]
    p = sluice(*argv, *GO, env=nobody, stdin=b"1\n")
    assert p.status == 2 and p.out == "" and p.err.count("\n") == 1 and plain(p.err), p


def test_the_limits_themselves_are_taken(sim, sluice, rng):
    ns = f"L{rng.randrange(1 << 40):x}"
    for value in (repr(2.0**360), repr(-(2.0**360)), "-5", "+.5e-3", "0"):
        dims = [w for i in range(30) for w in ("--dim", f"d{i}=" + "v" * (1024 if i == 0 else 3))]
        ran = sluice("put-metric", ns, "m" * 255, value, *dims, *GO, env=sim.peer.env())
        assert ran.status == 0, ran


# ---- a person at the terminal

@pytest.mark.parametrize("answer, production, status", [
    ("y\n", "no", 0), ("yes\n", "no", 0), ("\n", "no", 3), ("n\n", "no", 3), ("prod\n", "no", 3),
    ("prod\n", "yes", 0), ("y\n", "yes", 3), ("\n", "yes", 3), ("Prod\n", "yes", 3),
])
def test_a_person_is_asked(sim, sluice, tmp_path, rng, answer, production, status):
    ns = f"A{rng.randrange(1 << 40):x}"
    config = sluice.config(CONFIG % ("operate", production))
    with Console(tmp_path / "home", "put-metric", ns, "M", "1", "--config", config, "--mode", "operate", env=sim.peer.env()) as c:
        c.wait("Type the target's name" if production == "yes" else "[y/N]")
        assert ("PRODUCTION" in c.text) == (production == "yes") and ns in c.text
        c.type(answer)
        assert c.end() == status, c.text
    assert len(sim.client("cloudwatch").list_metrics(Namespace=ns)["Metrics"]) == (1 if status == 0 else 0)


def test_yes_is_not_enough_for_production_at_a_terminal(sim, sluice, tmp_path, rng):
    config = sluice.config(CONFIG % ("operate", "yes"))
    argv = ("put-metric", f"Y{rng.randrange(1 << 40):x}", "M", "1", "--config", config, *GO)
    with Console(tmp_path / "home", *argv, env=sim.peer.env()) as c:
        c.wait("Type the target's name").type("\n")
        assert c.end() == 3
    assert sluice(*argv, env=sim.peer.env()).status == 0  # a script has nobody to ask


# ---- the rest

def test_the_demo_takes_them(sluice):
    assert sluice("--demo", "put-metric", "DataPipeline", "ErrorRate", "5", *GO).status == 0
    assert sluice("--demo", "put-record", "orders-ingest", *GO, stdin=b'{"user_id":"u"}\n').status == 0
    assert sluice("--demo", "process", "bucket", "key", "--function", "orders-enrich", *GO).status == 0


def test_iam_names_what_operate_does(sluice):
    """And nothing of it in observe; resources are those of the configuration."""
    config = sluice.config('[sluice]\nprocess_function = batch\n[pipeline "p"]\n[stage "p/in"]\nresource = kinesis:orders\n'
                           '[stage "p/do"]\nresource = lambda:enrich\n')
    env = {"AWS_REGION": "eu-west-1"}
    def policy(mode):
        ran = sluice("iam", "--config", config, "--mode", mode, env=env)
        assert ran.status == 0, ran
        return {a: s["Resource"] for s in ran.json["Statement"] for a in s["Action"]}
    writes = {"kinesis:PutRecords", "lambda:InvokeFunction", "cloudwatch:PutMetricData", "sns:Publish"}
    looks = {"sqs:GetQueueUrl", "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:ListMessageMoveTasks",
             "lambda:GetFunctionConfiguration", "kinesis:GetShardIterator", "kinesis:GetRecords", "s3:ListBucket", "s3:GetObject",
             "s3:GetObjectVersion"}
    replays = {"sqs:DeleteMessage", "sqs:SendMessage", "sqs:StartMessageMoveTask", "sqs:CancelMessageMoveTask",
               "cloudwatch:PutAlarmMuteRule", "cloudwatch:DeleteAlarmMuteRule", "cloudwatch:ListAlarmMuteRules"}
    observe, inspect, operate = policy("observe"), policy("inspect"), policy("operate")
    assert not (writes | looks | replays) & set(observe) and set(inspect) == set(observe) | looks
    assert set(operate) == set(inspect) | writes | replays
    assert operate["kinesis:PutRecords"] == ["arn:aws:kinesis:eu-west-1:*:stream/orders"]
    assert operate["lambda:InvokeFunction"] == ["arn:aws:lambda:eu-west-1:*:function:enrich", "arn:aws:lambda:eu-west-1:*:function:batch"]
    assert operate["cloudwatch:PutMetricData"] == ["*"] and operate["s3:GetObject"] == ["arn:aws:s3:::*/*"]
    config = sluice.config('[target "t"]\nregion = eu-west-1\nlock_bucket = our-locks\n')
    assert policy("operate")["s3:PutObject"] == ["arn:aws:s3:::our-locks/locks/*"] and "s3:PutObject" not in policy("inspect")


def test_doctor_does_not_try_writes(sim, sluice):
    before = len(sim.client("cloudwatch").list_metrics()["Metrics"])
    ran = sluice("doctor", "--mode", "operate", env=sim.peer.env())
    assert not re.search(r"PutRecords|InvokeFunction|PutMetricData", ran.out), ran
    assert len(sim.client("cloudwatch").list_metrics()["Metrics"]) == before
