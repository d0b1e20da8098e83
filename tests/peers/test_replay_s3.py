"""replay of objects: what was listed and confirmed is invoked once, what was written again since is skipped, what is gone is said."""

import json
import re
import subprocess
import urllib.parse

import pytest
from program import binary, clean_env
from replaykit import INSPECT, OPERATE, python_function
from simtools import sim, world  # noqa: F401 (fixtures)

NAMES = ["a b/c+d.json", "a b/ä~(1).json", "a b/%41&x=1.json", "a b/../up.json", "a b//twice.json", "a b/\x07bell <&>\".json"]


class Store:
    """A bucket with objects, and a function that is given them."""

    def __init__(self, peer, rng, sim=None, fail_if=""):
        self.peer, self.sim, self.s3 = peer, sim, peer.client("s3")
        self.bucket, self.function = f"b{rng.randrange(1 << 40):x}", f"f{rng.randrange(1 << 40):x}"
        self.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": peer.region})
        if sim:
            self.add_function(self.function, fail_if)

    def add_function(self, name, fail_if=""):
        self.peer.client("lambda").create_function(
            FunctionName=name, Runtime="python3.11", Role="arn:aws:iam::123456789012:role/r", Handler="h.h", Code={"ZipFile": b"code"},
            Timeout=5, Environment={"Variables": {"FAIL_IF": fail_if}})

    def put(self, *keys, body=b"x"):
        for key in keys:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def events(self, function=None):
        told = self.sim.control("GET", path="/_sluice/invocations")[1]["invocations"]
        return [e["payload"] for e in told if e["function"] == (function or self.function)]

    def seen(self):
        """{key: how often the function was given it}"""
        n = {}
        for e in map(json.loads, self.events()):
            assert set(e) == {"bucket", "key", "timestamp"} and e["bucket"] == self.bucket
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", e["timestamp"])
            n[e["key"]] = n.get(e["key"], 0) + 1
        return n


def start(sluice, store, source, n, *more, status=0, through=True, **given):
    ran = sluice("replay", "start", source, *(("--through", store.function) if through else ()), *OPERATE, "--yes-i-mean", n,
                 "--rate", "500", "--format", "json", *more, env=store.peer.env(), **given)
    assert ran.status == status, ran
    return ran


def test_by_prefix(sim, sluice, rng):
    """All below the prefix, whatever their names hold, once; nothing else; nothing is deleted."""
    store = Store(sim.peer, rng, sim)
    store.put(*NAMES, "other/1.json", "a")
    store.put("a b/folder/", body=b"")
    ran = start(sluice, store, f"s3://{store.bucket}/a b/", len(NAMES))
    assert (ran.json["selected"], ran.json["verified"], ran.json["unaccounted"], ran.json["state"]) == (len(NAMES), len(NAMES), 0, "DONE")
    assert store.seen() == {k: 1 for k in NAMES} and "folders" in ran.err
    assert {i["message_id"] for i in ran.json["items"]} == {f"s3://{store.bucket}/{k}" for k in NAMES}
    assert store.s3.list_objects_v2(Bucket=store.bucket)["KeyCount"] == len(NAMES) + 3
    shown = sluice("replay", "show", ran.json["run"], "--format", "json").json
    assert shown["source"] == f"s3://{store.bucket}/a b/" and shown["states"] == {"VERIFIED": len(NAMES)}
    kinds = {line.split("\t")[0] for line in sluice("audit").out.splitlines()}
    assert kinds and sluice("audit", "verify").status == 0


def test_the_event_of_s3(sim, sluice, rng):
    """--event s3: what the bucket would have told, read as a handler reads it."""
    store = Store(sim.peer, rng, sim)
    store.put(*NAMES, body=b"four")
    start(sluice, store, f"s3://{store.bucket}/", len(NAMES), "--event", "s3")
    records = [json.loads(e)["Records"] for e in store.events()]
    assert {len(r) for r in records} == {1}
    for (r,) in records:
        head = store.s3.head_object(Bucket=store.bucket, Key=urllib.parse.unquote_plus(r["s3"]["object"]["key"]))
        assert r["eventSource"] == "aws:s3" and r["eventName"] == "ObjectCreated:Put" and r["awsRegion"] == sim.peer.region
        assert r["s3"]["bucket"]["name"] == store.bucket and r["s3"]["bucket"]["arn"] == f"arn:aws:s3:::{store.bucket}"
        assert r["s3"]["object"]["eTag"] == head["ETag"].strip('"') and r["s3"]["object"]["size"] == 4
    assert {urllib.parse.unquote_plus(r["s3"]["object"]["key"]) for (r,) in records} == set(NAMES)


def test_by_keys(sim, sluice, rng, tmp_path):
    """A list in a file, or on standard input; what is not there, or named twice, is not counted."""
    store = Store(sim.peer, rng, sim)
    store.put(*NAMES)
    listed = [NAMES[1], NAMES[3], "a b/not-there", NAMES[1]]
    path = tmp_path / "keys"
    path.write_text("\n".join(listed) + "\n")
    ran = start(sluice, store, f"s3://{store.bucket}/", 2, "--keys", path)
    assert store.seen() == {NAMES[1]: 1, NAMES[3]: 1} and "1 of the keys are not there" in ran.err
    again = start(sluice, store, f"s3://{store.bucket}", 2, "--keys", "-", stdin="\r\n".join(listed).encode())
    assert again.json["verified"] == 2 and store.seen() == {NAMES[1]: 2, NAMES[3]: 2}
    for lines, source in (("", ""), ("x" * 1025, ""), ("other/1", "a b/")):
        path.write_text(lines + "\n")
        refused = start(sluice, store, f"s3://{store.bucket}/{source}", 1, "--keys", path, status=2)
        assert "--keys" in refused.err and len(refused.err.splitlines()) == 1


def begin(sluice, store, source, n, *more):
    """A run in a process of its own; its id, when it is frozen."""
    p = subprocess.Popen([binary(), "replay", "start", source, "--through", store.function, *OPERATE, "--yes-i-mean", str(n), *more],
                         env=clean_env(sluice.home, store.peer.env()), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return p, p.stdout.readline().strip()


def test_changed_and_gone_since_the_freeze(sim, sluice, rng):
    """Between the freeze and its turn one object is written again and one deleted: neither is invoked, both are said."""
    store = Store(sim.peer, rng, sim)
    keys = [f"k{i:02}" for i in range(12)]
    store.put(*keys)
    p, run = begin(sluice, store, f"s3://{store.bucket}/", 12, "--rate", "4")
    while not store.events():
        assert p.poll() is None
    store.put(keys[11], body=b"another")
    store.s3.delete_object(Bucket=store.bucket, Key=keys[10])
    out, err = p.communicate(timeout=60)
    told = sluice("replay", "show", run, "--format", "json").json
    assert p.returncode == 1 and (told["verified"], told["skipped"], told["gone"], told["unaccounted"]) == (10, 1, 1, 0), (out, err)
    assert {i["message_id"][-3:]: (i["state"], i["code"]) for i in told["items"] if i["state"] != "VERIFIED"} == {
        keys[11]: ("SKIPPED", "CHANGED"), keys[10]: ("GONE", None)}
    assert store.seen() == {k: 1 for k in keys[:10]}


@pytest.mark.parametrize("fault, arrives", [("lost", True), ("reset", False)])
def test_a_lost_answer_is_unknown_until_somebody_decides(sim, sluice, rng, fault, arrives):
    store = Store(sim.peer, rng, sim)
    store.put("a", "b", "c")
    sim.spoil(f"lambda:Invoke={fault},times=1")
    told = start(sluice, store, f"s3://{store.bucket}/", 3, status=1).json
    assert (told["verified"], told["unknown"], told["unaccounted"], told["state"]) == (2, 1, 0, "DONE")
    assert sum(store.seen().values()) == 2 + arrives
    again = sluice("replay", "resume", *OPERATE, "--unknown", "resend", "--format", "json", env=store.peer.env())
    assert again.status == 0 and (again.json["verified"], again.json["duplicates"]) == (3, 1), again
    assert sum(store.seen().values()) == 3 + arrives


def test_what_fails_is_poison(sim, sluice, rng):
    store = Store(sim.peer, rng, sim, fail_if="bad")
    store.put("z/bad", *(f"good/{i}" for i in range(40)))
    told = start(sluice, store, f"s3://{store.bucket}/", 41, status=1).json
    assert (told["verified"], told["poison"], told["unaccounted"]) == (40, 1, 0), told
    assert store.seen() == {"z/bad": 2, **{f"good/{i}": 1 for i in range(40)}}


def test_many_pages(sim, sluice, rng):
    """More than S3 tells at a time: a plan lists all of them, and reads nothing else."""
    store = Store(sim.peer, rng, sim)
    store.put(*(f"n{i:05}" for i in range(1003)))
    ran = sluice("replay", "plan", f"s3://{store.bucket}/", "--through", store.function, *INSPECT, "--format", "json", env=store.peer.env())
    assert ran.status == 0 and ran.json["selected"] == 1003 and len(ran.json["groups"]) == 1, ran
    assert [i["message_id"][-6:] for i in ran.json["items"]] == [f"n{i:05}" for i in range(1003)]
    some = sluice("replay", "plan", f"s3://{store.bucket}/n0000", *INSPECT, "--limit", "4", "--format", "json", env=store.peer.env())
    assert some.json["selected"] == 4 and store.events() == []


@pytest.mark.parametrize("source, more, says, status", [
    ("s3://x", (), "SOURCE", 2), ("s3://", (), "SOURCE", 2), ("s3://no-such-bucket/", (), "NoSuchBucket", 1),
    ("s3://a-bucket/", ("--redrive",), "--redrive", 2), ("s3://a-bucket/", ("--where", "body~x"), "--where", 2),
    ("s3://a-bucket/", ("--event", "sqs"), "--event", 2), ("failures:s3://a-bucket/", ("--event", "s3"), "--event", 2)])
def test_refused(sim, sluice, source, more, says, status):
    through = () if "--redrive" in more else ("--through", "f")
    if says == "NoSuchBucket":
        Store(sim.peer, __import__("random").Random(7), sim).add_function("f")
    ran = sluice("replay", "start", source, *through, *OPERATE, "--yes-i-mean", "1", *more, env=sim.peer.env())
    assert ran.status == status and says in ran.err and len(ran.err.splitlines()) <= 2, ran


def record(function, event, **more):
    """As Lambda leaves it at an on-failure destination."""
    return json.dumps({
        "version": "1.0", "timestamp": "2026-11-14T18:16:05.568Z",
        "requestContext": {"requestId": "e4b46cbf-b738-xmpl-8880-a18cdf61200e", "functionArn": function, "condition": "RetriesExhausted",
                           "approximateInvokeCount": 3},
        "requestPayload": "@@", "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "no"}, **more}).replace('"@@"', event)


def test_failed_invocations_in_a_bucket(sim, sluice, rng):
    """Each event goes, byte for byte, to the function that its record names; what is no record is left and said."""
    store = Store(sim.peer, rng, sim)
    other = store.function + "-2"
    store.add_function(other)
    arn = f"arn:aws:lambda:{sim.region}:123456789012:function:"
    stream = json.dumps({"Records": [{"kinesis": {"data": "eA=="}, "eventSource": "aws:kinesis"}]}, indent=1)
    events = [r'{ "n" : 1.50, "s":"\u00e9\ud83d\ude00" ,"big":12345678901234567890}', "null", "[1,\n2]"]
    for i, e in enumerate(events):
        store.put(f"f/{i}", body=record(arn + store.function + ":$LATEST", e).encode())
    store.put("f/7", body=record(arn + other, "0", KinesisBatchInfo={"shardId": "shardId-0"}, payload=stream).encode())
    for i, bad in enumerate((b"", b"\xff\xfe", b"{}", b"[]", b"nonsense", record("arn:aws:sqs:x", "1").encode(), b'{"requestContext":5}',
                             record(arn + other, "1").replace("RetriesExhausted", "Success").encode(),
                             b'{"requestContext":{"functionArn":"' + (arn + other).encode() + b'"}}')):
        store.put(f"f/bad{i}", body=bad)
    source = f"failures:s3://{store.bucket}/f/"
    ran = start(sluice, store, source, 4, through=False)
    assert ran.json["verified"] == 4 and "9 objects cannot be invoked again" in ran.err, ran
    assert store.events() == events and store.events(other) == [stream]
    start(sluice, store, source, 4)
    assert store.events() == events + events + [stream]


def test_an_object_of_six_megabytes(sim, sluice, rng):
    """A payload that no invocation takes is named, and the rest goes on."""
    store = Store(sim.peer, rng, sim)
    arn = f"arn:aws:lambda:{sim.region}:123456789012:function:{store.function}"
    store.put("a", body=record(arn, json.dumps("x" * (6 << 20))).encode())
    store.put("b", body=record(arn, "2").encode())
    told = start(sluice, store, f"failures:s3://{store.bucket}/", 2, status=1, through=False).json
    assert (told["verified"], told["poison"]) == (1, 1) and store.events() == ["2"]
    assert [(i["code"], "bucket" in i["text"]) for i in told["items"] if i["state"] == "POISON"] == [("TOO_LARGE", True)]


HANDLER = """
import json
def h(event, context):
    with open(%r, "a") as f:
        f.write(json.dumps(event) + "\\n")
"""


def test_a_real_function(ministack, sluice, rng, tmp_path):
    """MiniStack's S3 and a handler that runs."""
    store, log = Store(ministack, rng), tmp_path / "log"
    python_function(ministack, store.function, HANDLER % str(log))
    store.put(*NAMES[:3], "d")
    ran = start(sluice, store, f"s3://{store.bucket}/", 4, timeout=120)
    assert ran.json["verified"] == 4, ran
    assert sorted(json.loads(line)["key"] for line in log.read_text().splitlines()) == sorted([*NAMES[:3], "d"])


def test_versions_on_moto(moto, sluice, rng):
    """A key that is listed by name is frozen with its version; names of every kind are understood."""
    store = Store(moto, rng)
    store.s3.put_bucket_versioning(Bucket=store.bucket, VersioningConfiguration={"Status": "Enabled"})
    store.put(*NAMES[:4])
    plan = ("replay", "plan", f"s3://{store.bucket}/", *INSPECT, "--format", "json")
    ran = sluice(*plan, env=moto.env())
    assert ran.status == 0 and {i["message_id"] for i in ran.json["items"]} == {f"s3://{store.bucket}/{k}" for k in NAMES[:4]}, ran
    some = sluice(*plan, "--keys", "-", env=moto.env(), stdin="\n".join(NAMES[:2]).encode())
    assert some.status == 0 and some.json["selected"] == 2, some
    assert {i["body_sha256"] for i in some.json["items"]}.isdisjoint(i["body_sha256"] for i in ran.json["items"])
