"""replay against AWSes: what was frozen is what runs, done is what was processed, and what is not done is said and stays."""

import base64
import contextlib
import dataclasses
import hashlib
import json
import re
import resource
import signal
import sqlite3
import subprocess
import threading
import time

import pytest
from console import Console
from program import binary, clean_env
from replaykit import INSPECT, OPERATE, Pipe, python_function
from simtools import sim, Sim, world  # noqa: F401 (fixtures)


WORLD = {"speed": 5}


@pytest.fixture
def sim_of_now(tmp_path):
    """One whose clock is this machine's, for what is a matter of seconds."""
    with Sim.start("empty", home=tmp_path) as s:
        yield s


def start(sluice, pipe, n, *more, status=0):
    ran = sluice("replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *OPERATE, "--yes-i-mean", n, "--rate", "500",
                 "--format", "json", *more, env=pipe.peer.env())
    assert ran.status == status, ran
    return ran


def test_through_lambda(sim, sluice, rng):
    """All of them, once, as the mapping would have brought them, and the queue is empty."""
    pipe = Pipe.make(sim, rng, batch=4)
    sent = pipe.fill(23)
    told = start(sluice, pipe, 23).json
    assert (told["selected"], told["verified"], told["unaccounted"], told["state"]) == (23, 23, 0, "DONE")
    assert pipe.deliveries() == {m: 1 for m in sent} and pipe.counts() == (0, 0)
    assert {i["message_id"] for i in told["items"]} == set(sent) and {i["state"] for i in told["items"]} == {"VERIFIED"}
    events = pipe.events()
    assert len(events[0]["Records"]) == 1 and max(len(e["Records"]) for e in events) == 4  # a canary first
    for event in events:
        for r in event["Records"]:
            assert sent[r["messageId"]] == r["body"] and r["eventSource"] == "aws:sqs" and r["awsRegion"] == pipe.peer.region
            assert r["eventSourceARN"] == pipe.arn(pipe.source) and r["receiptHandle"]
            assert set(r["attributes"]) >= {"ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"}
    assert all(re.fullmatch(rf"{told['run']}/\d+/1", c["custom"]["sluice-run"]) for c in pipe.contexts())


def test_the_id_comes_first(sim, sluice, rng):
    pipe = Pipe.make(sim, rng)
    pipe.fill(2)
    ran = sluice("replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *OPERATE, "--yes-i-mean", "2", env=pipe.peer.env())
    assert ran.status == 0, ran
    run = ran.out.split("\n")[0]
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{26}", run)
    assert "guard: host only - two bastions could collide" in ran.err
    shown = sluice("replay", "show", run, "--format", "json", env=pipe.peer.env())
    assert shown.status == 0 and shown.json["run"] == run and shown.json["verified"] == 2
    listed = sluice("replay", "list", env=pipe.peer.env())
    assert listed.out.split("\t")[:2] == [run, "DONE"]


@pytest.mark.parametrize("partial", [False, True])
def test_what_fails_is_poison_and_stays(sim, sluice, rng, partial):
    pipe = Pipe.make(sim, rng, batch=10, partial=partial, fail_if="bad")
    sent = pipe.fill(40, body=lambda i: f'{{"n":{i},"is":"{"bad" if i in (7, 31) else "good"}"}}')
    told = start(sluice, pipe, 40, status=1).json
    assert (told["verified"], told["poison"], told["unaccounted"]) == (38, 2, 0)
    poison = {i["message_id"]: i for i in told["items"] if i["state"] == "POISON"}
    assert {sent[m] for m in poison} == {'{"n":7,"is":"bad"}', '{"n":31,"is":"bad"}'}
    assert {i["code"] for i in poison.values()} == {"ITEM_FAILED" if partial else "SimulatedError"}
    assert pipe.counts() == (2, 0)
    times = pipe.deliveries()
    assert all(times[m] == 2 for m in poison)
    if partial:  # the others of their batch were done
        assert all(times[m] == 1 for m in sent if m not in poison)


def test_a_wrong_count_sends_nothing(sim, sluice, rng):
    pipe = Pipe.make(sim, rng)
    pipe.fill(5)
    ran = start(sluice, pipe, 4, status=3)
    assert "it is 5" in ran.err and pipe.events() == [] and pipe.counts() == (5, 0)
    assert sluice("replay", "list", env=pipe.peer.env()).out.split("\t")[1] == "REFUSED"


@pytest.mark.parametrize("options", [(), ("--mode", "inspect"), ("--mode", "operate")])
def test_refused(sim, sluice, rng, options):
    pipe = Pipe.make(sim, rng)
    pipe.fill(1)
    ran = sluice("replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *options, env=pipe.peer.env())
    assert ran.status == 3 and ran.err.count("\n") == 1 and pipe.events() == [] and pipe.counts() == (1, 0), ran


def test_a_dry_run_sends_nothing_and_gives_back(sim, sluice, rng):
    pipe = Pipe.make(sim, rng)
    pipe.fill(12)
    ran = sluice("replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, "--dry-run", *INSPECT, "--format", "json",
                 env=pipe.peer.env())
    assert ran.status == 0 and ran.json["selected"] == 12 and ran.json["dry_run"] is True, ran
    assert pipe.events() == [] and pipe.counts() == (12, 0)


def test_limit(sim, sluice, rng):
    pipe = Pipe.make(sim, rng)
    pipe.fill(25)
    told = start(sluice, pipe, 7, "--limit", "7").json
    assert told["verified"] == 7 and pipe.counts() == (18, 0) and len(pipe.deliveries()) == 7


def test_audit_is_whole_and_tells_every_call(sim, sluice, rng):
    pipe = Pipe.make(sim, rng)
    pipe.fill(3)
    run = start(sluice, pipe, 3).json["run"]
    ran = sluice("audit", "verify", env=pipe.peer.env())
    assert ran.status == 0 and ran.out.startswith("ok\t"), ran
    lines = [json.loads(line) for line in sluice("audit", "--format", "json", env=pipe.peer.env()).out.splitlines()]
    actions = {line["event.action"] for line in lines if line["sluice.run"] == run}
    assert {"sqs:ReceiveMessage", "lambda:Invoke", "sqs:DeleteMessageBatch"} <= actions


# ---- back to the queue

BODIES = ["plain", "é漢😀\u202e", '{"a": "tab\\t"}', "line\nfeed\tand \"quotes\" \\ / \u00a0 \u2028", " ", "x" * 5000]
ATTRIBUTES = {"bin": {"DataType": "Binary", "BinaryValue": bytes(range(256))}, "n": {"DataType": "Number.int", "StringValue": "-42.50"},
              "txt": {"DataType": "String", "StringValue": "wört\u202e\n"}, "custom": {"DataType": "String.x", "StringValue": "1"}}
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


@pytest.fixture(params=["sim", "moto", "ministack"])
def peer(request):
    p = request.getfixturevalue(request.param)
    return p.peer if isinstance(p, Sim) else p


def queues(peer, rng, fifo=False, receives=3):
    sqs, name = peer.client("sqs"), f"r{rng.randrange(1 << 40):x}"
    end, attributes = (".fifo", {"FifoQueue": "true"}) if fifo else ("", {})
    dlq = sqs.create_queue(QueueName=f"{name}-dlq{end}", Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dlq, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    source = sqs.create_queue(QueueName=f"{name}{end}", Attributes={
        **attributes, "VisibilityTimeout": "30", "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": receives})})["QueueUrl"]
    return sqs, source, dlq


def all_of(sqs, url, most=60):
    got = []
    while len(got) < most:
        more = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"],
                                   WaitTimeSeconds=1).get("Messages", [])
        if not more:
            return got
        got += more
        for m in more:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
    return got


def redrive(sluice, peer, dlq, n, *more, status=0):
    ran = sluice("replay", "start", f"sqs:{dlq.rsplit('/', 1)[1]}", "--redrive", *OPERATE, "--yes-i-mean", n, "--rate", "500",
                 "--limit", n, "--verify", "1s", "--format", "json", *more, env=peer.env(), timeout=120)
    assert ran.status == status, ran
    return ran.json


def test_redrive_keeps_every_byte(peer, sluice, rng):
    sqs, source, dlq = queues(peer, rng)
    for body in BODIES:
        sqs.send_message(QueueUrl=dlq, MessageBody=body, MessageAttributes=ATTRIBUTES,
                         MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}})
    told = redrive(sluice, peer, dlq, len(BODIES), *(("--to", source.rsplit("/", 1)[1]) if peer.name == "ministack" else ()))
    assert (told["verified"], told["bounced"], told["unaccounted"]) == (len(BODIES), 0, 0)
    there = all_of(sqs, source)
    assert sorted(m["Body"] for m in there) == sorted(BODIES) and all_of(sqs, dlq) == []
    for m in there:
        stamp = m["MessageAttributes"].pop("sluice-run")
        assert re.fullmatch(rf"{told['run']}/\d+/1", stamp["StringValue"])
        assert {k: (v["DataType"], v.get("BinaryValue", v.get("StringValue"))) for k, v in m["MessageAttributes"].items()} == {
            k: (v["DataType"], v.get("BinaryValue", v.get("StringValue"))) for k, v in ATTRIBUTES.items()}
        if peer.name == "sim" or "AWSTraceHeader" in m["Attributes"]:  # the others forget it, whoever sends it
            assert m["Attributes"]["AWSTraceHeader"] == TRACE
    assert {i["copy_message_id"] for i in told["items"]} == {m["MessageId"] for m in there}


@pytest.mark.parametrize("where", ["moto", "ministack"])
def test_redrive_of_a_fifo_queue_keeps_order_and_names(request, sluice, rng, where):
    peer = request.getfixturevalue(where)
    sqs, source, dlq = queues(peer, rng, fifo=True)
    sent = {}
    for i in range(9):
        m = sqs.send_message(QueueUrl=dlq, MessageBody=f"m{i}", MessageGroupId=f"g{i % 3}", MessageDeduplicationId=f"d{i}")
        sent[m["MessageId"]] = i
    plan = sluice("replay", "plan", f"sqs:{dlq.rsplit('/', 1)[1]}", "--redrive", "--lease", "5s", *INSPECT, "--format", "json", env=peer.env())
    n = plan.json["selected"]
    assert n >= 3 and "FIFO" in " ".join(plan.json["warnings"]), plan
    told = redrive(sluice, peer, dlq, n, "--to", source.rsplit("/", 1)[1])
    assert told["verified"] == n and told["unknown_policy"] == "resend"
    there = all_of(sqs, source)
    for group in ("g0", "g1", "g2"):
        bodies = [m["Body"] for m in there if m["Attributes"]["MessageGroupId"] == group]
        assert bodies == sorted(bodies) and bodies[0] == f"m{group[1]}"
    arn = sqs.get_queue_attributes(QueueUrl=dlq, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    number = {f"m{i}": k for k, i in sent.items()}
    for m in there:
        digest = hashlib.sha256(f"{arn}\n{number[m['Body']]}\n1".encode()).hexdigest()
        assert m["Attributes"]["MessageDeduplicationId"] == "sl-" + digest[:40]


def test_what_comes_back_is_bounced(sim, sluice, rng):
    """A consumer that fails: the copy goes its way to the dead-letter queue again, and is no success."""
    sqs, source, dlq = queues(sim.peer, rng, receives=1)
    for i in range(6):
        sqs.send_message(QueueUrl=dlq, MessageBody=f"m{i}")
    stop = threading.Event()

    def consume():
        while not stop.is_set():
            for m in sqs.receive_message(QueueUrl=source, MaxNumberOfMessages=10, VisibilityTimeout=1).get("Messages", []):
                if m["Body"] != "m3":
                    sqs.delete_message(QueueUrl=source, ReceiptHandle=m["ReceiptHandle"])
            time.sleep(0.02)
    consumer = threading.Thread(target=consume)
    consumer.start()
    told = redrive(sluice, sim.peer, dlq, 6, "--verify", "3s", status=1)
    stop.set()
    consumer.join()
    assert (told["verified"], told["bounced"], told["unaccounted"]) == (5, 1, 0)
    assert [m["Body"] for m in all_of(sqs, dlq)] == ["m3"]


@pytest.mark.parametrize("mask", [0x001, 0x155, 0x3fe])
def test_only_what_was_taken_is_deleted(sim, sluice, rng, mask):
    """Entries that fail in SendMessageBatch, and later in DeleteMessageBatch: each once in the end."""
    sqs, source, dlq = queues(sim.peer, rng)
    bodies = [f"m{i}" for i in range(16)]
    for body in bodies:
        sqs.send_message(QueueUrl=dlq, MessageBody=body)
    sim.spoil(f"sqs:SendMessageBatch=batch-service-fault:{mask},times=2,after=1",
              f"sqs:DeleteMessageBatch=batch-service-fault:{mask},times=2,after=1")
    told = redrive(sluice, sim.peer, dlq, 16)
    assert all(sim.hits().values()) and told["verified"] == 16
    assert sorted(m["Body"] for m in all_of(sqs, source)) == sorted(bodies) and all_of(sqs, dlq) == []


# ---- answers that are lost, refused, late

@pytest.mark.parametrize("fault, arrives", [("lost", True), ("half", True), ("reset", False), ("html:200", False), ("status:500", False)])
def test_a_lost_answer_is_unknown_until_somebody_decides(sim, sluice, rng, fault, arrives):
    """Not sent again silently, not deleted; shown, and exit 1. `resume --unknown resend` sends it again and names it."""
    pipe = Pipe.make(sim, rng, batch=1)
    sent = pipe.fill(4)
    spec = f"lambda:Invoke={fault},times=1"
    sim.spoil(spec)
    ran = start(sluice, pipe, 4, "--limit", "4", status=1)
    told = ran.json
    assert sim.hits()[spec] == 1 and (told["verified"], told["unknown"], told["unaccounted"]) == (3, 1, 0)
    assert told["state"] == "DONE" and pipe.counts() == (1, 0) and "resume" in ran.err
    unknown = [i["message_id"] for i in told["items"] if i["state"] == "UNKNOWN"]
    assert pipe.deliveries().get(unknown[0], 0) == (1 if arrives else 0)
    held = sluice("replay", "resume", *OPERATE, "--format", "json", env=pipe.peer.env())
    assert held.status == 1 and held.json["unknown"] == 1 and pipe.counts() == (1, 0)
    again = sluice("replay", "resume", *OPERATE, "--unknown", "resend", "--format", "json", env=pipe.peer.env())
    assert again.status == 0 and (again.json["verified"], again.json["unknown"], again.json["duplicates"]) == (4, 0, 1), again
    assert [i["message_id"] for i in again.json["items"] if i["possible_duplicate"]] == unknown
    assert pipe.counts() == (0, 0) and set(pipe.deliveries()) == set(sent)
    assert {m for m, n in pipe.deliveries().items() if n > 1} == (set(unknown) if arrives else set())


def test_a_delete_whose_answer_is_lost(sim, sluice, rng):
    pipe = Pipe.make(sim, rng, batch=10)
    sent = pipe.fill(12)
    sim.spoil("sqs:DeleteMessageBatch=lost,times=2")
    told = start(sluice, pipe, 12, "--limit", "12").json
    assert told["verified"] == 12 and pipe.counts() == (0, 0) and pipe.deliveries() == {m: 1 for m in sent}


def test_an_expired_handle_is_received_again_and_only_deleted(sim, sluice, rng):
    pipe = Pipe.make(sim, rng, batch=10)
    sent = pipe.fill(6)
    spec = "sqs:DeleteMessageBatch=expired-handle,times=2"
    sim.spoil(spec)
    told = start(sluice, pipe, 6, "--limit", "6", "--lease", "5s").json
    assert sim.hits()[spec] == 2 and told["verified"] == 6 and pipe.counts() == (0, 0)
    assert pipe.deliveries() == {m: 1 for m in sent}


@pytest.mark.parametrize("fault", ["denied", "throttle,times=40", "pending", "unknown-key"])
def test_what_stops_a_run_pauses_it(sim, sluice, rng, fault):
    """Nothing lost: what is left goes back, and a resume finishes it."""
    pipe = Pipe.make(sim, rng, batch=2)
    sent = pipe.fill(9)
    sim.spoil(f"lambda:Invoke={fault},after=2")
    ran = start(sluice, pipe, 9, "--limit", "9", status=1)
    told = ran.json
    assert told["state"] == "PAUSED" and told["reason"] and told["unaccounted"] == told["unknown"] == 0, ran
    assert 0 < told["verified"] < 9 and pipe.counts() == (9 - told["verified"], 0)
    sim.heal()
    again = sluice("replay", "resume", *OPERATE, "--format", "json", env=pipe.peer.env())
    assert again.status == 0 and again.json["verified"] == 9 and pipe.counts() == (0, 0), again
    assert pipe.deliveries() == {m: 1 for m in sent}


def test_a_function_that_is_not_there(sim, sluice, rng):
    pipe = Pipe.make(sim, rng, batch=1)
    pipe.fill(5)
    ran = sluice("replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function + "-gone", *OPERATE, "--yes-i-mean", "5", env=pipe.peer.env())
    assert ran.status == 1 and "Function not found" in ran.err and ran.err.count("\n") == 1 and pipe.counts() == (5, 0), ran


def test_a_queue_that_is_not_there(sim, sluice, rng):
    ran = sluice("replay", "plan", "sqs:no-such-queue", *INSPECT, env=sim.peer.env())
    assert ran.status == 1 and ran.err.count("\n") == 1 and ran.out == "", ran


def test_a_message_of_six_megabytes_is_named_and_stays(sim, sluice, rng):
    """As an event every byte of it is six: no invocation takes it; the others go."""
    pipe = Pipe.make(sim, rng, batch=10)
    pipe.peer.client("sqs").send_message(QueueUrl=pipe.dlq, MessageBody="\x7f" * 1048570)
    pipe.peer.client("sqs").send_message(QueueUrl=pipe.dlq, MessageBody="\x7f" * 1040000)
    pipe.fill(3)
    ran = start(sluice, pipe, 5, "--limit", "5", status=1)
    told = ran.json
    poison = [i for i in told["items"] if i["state"] == "POISON"]
    assert (told["verified"], told["poison"]) == (4, 1) and poison[0]["code"] == "TOO_LARGE" and pipe.counts() == (1, 0), ran


def test_a_damaged_message_is_not_passed_on(sim, sluice, rng):
    pipe = Pipe.make(sim, rng)
    pipe.fill(3)
    spec = "sqs:ReceiveMessage=wrong-md5"
    sim.spoil(spec)
    ran = sluice("replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *OPERATE, "--yes-i-mean", "3", env=pipe.peer.env())
    assert ran.status == 3 and "it is 0" in ran.err and pipe.events() == [] and pipe.counts() == (3, 0), ran


def test_many_failures_stop_the_run_early(sim, sluice, rng):
    """The breaker: everything fails, and few of many were sent."""
    pipe = Pipe.make(sim, rng, batch=1, fail_if="{")
    pipe.fill(60)
    ran = start(sluice, pipe, 60, "--limit", "60", status=1)
    told = ran.json
    assert told["state"] == "PAUSED" and "failed" in told["reason"] and sum(pipe.deliveries().values()) <= 12, ran
    assert pipe.counts() == (60, 0)


# ---- the rate

def test_the_rate_is_never_above_its_limit(sim, sluice, rng):
    pipe = Pipe.make(sim, rng, batch=3)
    pipe.fill(45)
    begun = time.monotonic()
    ran = sluice("replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *OPERATE, "--yes-i-mean", "45", "--rate", "10",
                 "--limit", "45", "--format", "json", env=pipe.peer.env())
    assert ran.status == 0 and time.monotonic() - begun > 4, ran
    times = sorted(i["intent"] for i in ran.json["items"])
    assert max(times.count(t) for t in set(times)) <= 20  # told by the second: of two neighbouring ones at most


# ---- steering, the guard, the ledger

def begin(sluice, pipe, n, *more):
    argv = [binary(), "replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *OPERATE, "--yes-i-mean", str(n),
            "--limit", str(n), *map(str, more)]
    p = subprocess.Popen(argv, env=clean_env(sluice.home, pipe.peer.env()), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    run = p.stdout.readline().strip()
    while not pipe.deliveries():
        time.sleep(0.05)
        assert p.poll() is None
    return p, run


@pytest.mark.parametrize("how", ["pause", "stop", signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_steered_from_outside(sim, sluice, rng, how):
    pipe = Pipe.make(sim, rng, batch=1)
    sent = pipe.fill(30)
    p, run = begin(sluice, pipe, 30, "--rate", "5")
    env = pipe.peer.env()
    second = sluice("replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *OPERATE, "--yes-i-mean", "1", env=env)
    assert second.status == 3 and "replays" in second.err, second
    assert sluice("replay", "status", "--format", "json", env=env).json["driven"] is True
    if isinstance(how, str):
        assert sluice("replay", how, run, env=env).status == 0
    else:
        p.send_signal(how)
    out, err = p.communicate(timeout=20)
    assert p.returncode == (1 if isinstance(how, str) else 128 + how), err
    shown = sluice("replay", "show", run, "--format", "json", env=env).json
    assert shown["state"] == ("STOPPED" if how == "stop" else "PAUSED") and 0 < shown["verified"] < 30, err
    assert shown["unknown"] == 0 and pipe.counts() == (30 - shown["verified"], 0)  # drained, and given back
    again = sluice("replay", "resume", run, *OPERATE, "--rate", "500", "--format", "json", env=env)
    if how == "stop":
        assert again.json["state"] == "STOPPED" and again.json["skipped"] == 30 - shown["verified"]
        return
    assert again.status == 0 and again.json["verified"] == 30 and pipe.deliveries() == {m: 1 for m in sent}, again


def test_a_move_task_keeps_others_away(sim_of_now, sluice, rng):
    pipe = Pipe.make(sim_of_now, rng)
    pipe.fill(50)
    pipe.peer.client("sqs").start_message_move_task(SourceArn=pipe.arn(pipe.dlq), MaxNumberOfMessagesPerSecond=1)
    ran = sluice("replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *OPERATE, "--yes-i-mean", "50", env=pipe.peer.env())
    assert ran.status == 3 and "move task" in ran.err and pipe.events() == [], ran


TAMPER = [
    ("UPDATE item SET state = 'VERIFIED' WHERE seq = 2", "message 2"),
    ("DELETE FROM item WHERE seq = 3", "message"),
    ("UPDATE item SET msg_id = 'x' WHERE seq = 1", "message 1"),
    ("UPDATE item_event SET to_state = 'VERIFIED' WHERE n = 4", "event 4"),
    ("DELETE FROM item_event WHERE n = (SELECT max(n) FROM item_event)", "event"),
    ("UPDATE run SET dest = 'arn:aws:lambda:eu-west-1:123456789012:function:other'", "its row"),
    ("UPDATE run SET expected = 1", "its row"),
]


@pytest.mark.parametrize("sql, says", TAMPER, ids=[s[0][:30] for s in TAMPER])
def test_an_edited_ledger_is_named_and_not_acted_on(sim, sluice, rng, sql, says):
    pipe = Pipe.make(sim, rng)
    pipe.fill(4)
    sim.spoil("lambda:Invoke=denied")
    start(sluice, pipe, 4, "--limit", "4", status=1)
    sim.heal()
    with contextlib.closing(sqlite3.connect(sluice.home / ".local/state/sluice/ledger.db")) as db, db:
        assert db.execute(sql).rowcount > 0
    for argv in (("resume", *OPERATE), ("show",)):
        ran = sluice("replay", *argv, env=pipe.peer.env())
        assert ran.status == 1 and says in ran.err and ran.err.count("\n") == 1 and pipe.events() == [], ran


@pytest.mark.parametrize("sql", ["UPDATE audit SET detail = 'x' WHERE n = 3", "DELETE FROM audit WHERE n = 2",
                                 "UPDATE audit SET n = 100 WHERE n = 4", "UPDATE audit SET outcome = 'denied' WHERE n = 1"])
def test_an_edited_audit_log_is_named(sim, sluice, rng, sql):
    pipe = Pipe.make(sim, rng)
    pipe.fill(2)
    start(sluice, pipe, 2, "--limit", "2")
    with contextlib.closing(sqlite3.connect(sluice.home / ".local/state/sluice/audit.db")) as db, db:
        db.execute(sql)
    ran = sluice("audit", "verify", env=pipe.peer.env())
    assert ran.status == 1 and re.search(r"line \d+", ran.err), ran


def test_a_full_disk_stops_the_acting(sim, sluice, rng):
    """A file size limit stands in for it: what cannot be written down is not done."""
    pipe = Pipe.make(sim, rng, batch=1)
    sent = pipe.fill(40)
    def limit(size):
        return lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
    argv = [binary(), "replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *OPERATE, "--yes-i-mean", "40", "--limit", "40",
            "--rate", "20"]
    p = subprocess.run(argv, env=clean_env(sluice.home, pipe.peer.env()), capture_output=True, text=True, timeout=60, preexec_fn=limit(500000))
    assert p.returncode == 1 and p.stderr, (p.returncode, p.stdout, p.stderr)
    done = pipe.deliveries()
    assert 0 < len(done) < 40
    time.sleep(1)
    ran = sluice("replay", "resume", *OPERATE, "--unknown", "resend", "--rate", "500", "--format", "json", env=pipe.peer.env(), timeout=120)
    assert ran.status == 0 and ran.json["verified"] == 40 and pipe.counts() == (0, 0), ran
    times = pipe.deliveries()
    assert set(times) == set(sent)
    assert {m for m, n in times.items() if n > 1} <= {i["message_id"] for i in ran.json["items"] if i["possible_duplicate"]}


def test_a_person_types_the_number(sim, sluice, tmp_path, rng):
    pipe = Pipe.make(sim, rng)
    for answer, status, sent in (("y\n", 3, 0), ("4\n", 3, 0), ("5\n", 0, 5)):
        if not pipe.counts()[0]:
            pipe.fill(5)
        with Console(tmp_path / "home", "replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *OPERATE, "--limit", "5",
                     env=pipe.peer.env()) as c:
            c.wait("Type the number, 5").type(answer)
            assert c.end() == status, c.text
        assert len(pipe.deliveries()) == sent


BAD = [("replay",), ("replay", "start"), ("replay", "go"), ("replay", "start", "s3://b/k"), ("replay", "start", "sqs:a b", "--redrive"),
       ("replay", "start", "sqs:q"), ("replay", "start", "sqs:q", "--through", "a/b"), ("replay", "start", "sqs:q", "--through", "f", "--redrive"),
       ("replay", "start", "sqs:q", "--through", "f", "--to", "x"), ("replay", "start", "sqs:q", "--redrive", "--rate", "0"),
       ("replay", "start", "sqs:q", "--redrive", "--limit", "0"), ("replay", "start", "sqs:q", "--redrive", "--where", "x"),
       ("replay", "start", "sqs:q", "--redrive", "--yes-i-mean", "all"), ("replay", "start", "sqs:q", "--redrive", "--unknown", "maybe"),
       ("replay", "resume", "nonsense"), ("replay", "list", "x"), ("audit", "mend")]


@pytest.mark.parametrize("argv", BAD, ids=lambda a: " ".join(a)[:50])
def test_bad_arguments(sluice, argv):
    env = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "x" * 40, "AWS_REGION": "eu-west-1",
           "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    ran = sluice(*argv, *OPERATE, env=env)
    assert ran.status == 2 and ran.out == "" and ran.err.count("\n") == 1, ran


# ---- groups, plans, what is selected

def test_groups_by_cause_and_a_selection(sim, sluice, rng):
    pipe = Pipe.make(sim, rng)
    pipe.fill(7, body=lambda i: json.dumps({"order_id": i, "items": []}))
    pipe.fill(4, body=lambda i: f"not json {i}")
    pipe.fill(2, body=lambda i: json.dumps({"other": i}),
              MessageAttributes={"ErrorCode": {"DataType": "Number", "StringValue": "429"},
                                 "ErrorMessage": {"DataType": "String", "StringValue": "Rate exceeded"}})
    ran = sluice("replay", "groups", f"sqs:{pipe.dlq_name}", *INSPECT, "--format", "json", env=pipe.peer.env())
    assert ran.status == 0, ran
    groups = {g["cause"]: g for g in ran.json["groups"]}
    assert {c: g["messages"] for c, g in groups.items()} == {"JSON {order_id,items}": 7, "not JSON": 4, "429: Rate exceeded": 2}
    assert pipe.counts() == (13, 0) and all(g["first_loss"] for g in groups.values())
    text = sluice("replay", "groups", f"sqs:{pipe.dlq_name}", *INSPECT, env=pipe.peer.env()).out
    assert [line.split("\t")[2] for line in text.splitlines()] == ["7", "4", "2"]
    only = ("--where", "group=" + groups["not JSON"]["group"])
    told = start(sluice, pipe, 4, *only).json
    assert told["verified"] == 4 and pipe.counts() == (9, 0)
    assert {r["body"][:3] for e in pipe.events() for r in e["Records"]} == {"not"}


@pytest.mark.parametrize("where, n", [("body~o-3", 1), ("attr.kind=a", 3), ("attr.kind=A", 0), ("source=nowhere", 0)])
def test_where(sim, sluice, rng, where, n):
    pipe = Pipe.make(sim, rng)
    pipe.fill(3, body=lambda i: f"o-{i + 3}", MessageAttributes={"kind": {"DataType": "String", "StringValue": "a"}})
    pipe.fill(2, body=lambda i: f"p-{i}")
    ran = sluice("replay", "plan", f"sqs:{pipe.dlq_name}", "--through", pipe.function, "--where", where, *INSPECT, "--format", "json", env=pipe.peer.env())
    assert ran.status == 0 and ran.json["selected"] == n and pipe.counts() == (5, 0), ran


def test_a_plan_warns(sim_of_now, sluice, rng):
    """Of messages that will not live until their turn, and of a function that no queue of this one invokes."""
    pipe = Pipe.make(sim_of_now, rng, retention=60, mapping=False)
    pipe.fill(30)
    ran = sluice("replay", "plan", f"sqs:{pipe.dlq_name}", "--through", pipe.function, "--rate", "0.1", "--limit", "30", *INSPECT,
                 "--format", "json", env=pipe.peer.env())
    warnings = " ".join(ran.json["warnings"])
    assert ran.status == 0 and "expires in" in warnings and "lost" in warnings and "no event source mapping" in warnings, ran
    assert ran.json["batch"] == 1 and ran.json["seconds"] >= 300


def test_the_mappings_alias(sim, sluice, rng):
    """A mapping to an alias is found, its batch size is used, and a bare name, which is $LATEST, is warned of."""
    pipe = Pipe.make(sim, rng, mapping=False)
    pipe.fill(3)
    lam = pipe.peer.client("lambda")
    lam.publish_version(FunctionName=pipe.function)
    lam.create_alias(FunctionName=pipe.function, Name="live", FunctionVersion="1")
    lam.create_event_source_mapping(EventSourceArn=pipe.arn(pipe.source), FunctionName=f"{pipe.function}:live", BatchSize=7, Enabled=False)

    def plan(function):
        ran = sluice("replay", "plan", f"sqs:{pipe.dlq_name}", "--through", function, *INSPECT, "--format", "json", env=pipe.peer.env())
        assert ran.status == 0, ran
        return ran.json, " ".join(ran.json["warnings"])
    bare, warned = plan(pipe.function)
    assert f"invokes {pipe.function}:live, this replay {pipe.function}:$LATEST" in warned and bare["batch"] == 7, bare
    alias, warned = plan(f"{pipe.function}:live")
    assert "mapping" not in warned and alias["batch"] == 7 and alias["destination"].endswith(f":function:{pipe.function}:live"), alias
    assert start(sluice, dataclasses.replace(pipe, function=f"{pipe.function}:live"), 3).json["verified"] == 3


def test_a_second_replay_of_a_message_is_told(sim, sluice, rng):
    pipe = Pipe.make(sim, rng, batch=1)
    pipe.fill(2)
    sim.spoil("lambda:Invoke=lost,times=1")
    run = start(sluice, pipe, 2, "--limit", "2", status=1).json["run"]
    sim.heal()
    again = start(sluice, pipe, 1, "--limit", "1").json
    assert again["run"] != run and again["items"][0]["replay_no"] == 2
    assert re.fullmatch(rf"{again['run']}/1/2", pipe.contexts()[-1]["custom"]["sluice-run"])


CALLS = {"sqs:ReceiveMessage", "sqs:DeleteMessageBatch", "sqs:ChangeMessageVisibilityBatch", "sqs:SendMessageBatch", "lambda:Invoke",
         "kinesis:PutRecords", "cloudwatch:PutMetricData"}


def test_every_call_that_changes_something_was_announced(tmp_path, sluice, rng):
    """The service's own count of calls beside the audit log's: none that is not in it (F12)."""
    with Sim.start("calm", home=tmp_path) as sim:
        pipe = Pipe.make(sim, rng, batch=3)
        sqs, source, dlq = queues(sim.peer, rng)
        pipe.fill(11)
        for i in range(4):
            sqs.send_message(QueueUrl=dlq, MessageBody=f"m{i}")
        before = dict(sim.report()["calls"])
        env = pipe.peer.env()
        start(sluice, pipe, 11, "--limit", "11")
        redrive(sluice, sim.peer, dlq, 4)
        sqs.send_message(QueueUrl=pipe.dlq, MessageBody="to be looked at, and given back")
        assert sluice("replay", "groups", f"sqs:{pipe.dlq_name}", *INSPECT, env=env).status == 0
        for argv in (("put-record", "orders-ingest"), ("process", "b", "k", "--function", "orders-enrich"), ("put-metric", "N", "M", "1")):
            assert sluice(*argv, *OPERATE, "--yes", env=env, stdin=b"1\n").status == 0
        after = sim.report()["calls"]
        made = {op: after[op] - before.get(op, 0) for op in CALLS if after.get(op)}
        lines = [json.loads(line) for line in sluice("audit", "--format", "json", env=env).out.splitlines()]
        said = {op: sum(line["event.action"] == op and line["event.outcome"] == "announced" for line in lines) for op in made}
        assert set(made) == CALLS and made == said
        assert all(line["user.name"] and line["host.name"] and line["sluice.mode"] for line in lines)
        assert sluice("audit", "verify", env=env).status == 0


# ---- a function that really runs

HANDLER = """
import json, urllib.request
def h(event, context):
    with open(%r, "a") as f:
        for r in event["Records"]:
            f.write(json.dumps([r["messageId"], r["body"], r["eventSourceARN"], r["messageAttributes"]]) + "\\n")
    return {"batchItemFailures": [{"itemIdentifier": r["messageId"]} for r in event["Records"] if "bad" in r["body"]]}
"""


def test_a_real_function(ministack, sluice, rng, tmp_path):
    """MiniStack runs the handler: what it was given is in its own file."""
    sqs, source, dlq = queues(ministack, rng)
    name, log = f"real-{rng.randrange(1 << 30):x}", tmp_path / "log"
    python_function(ministack, name, HANDLER % str(log))
    bodies = {f"m{i} " + ("bad" if i == 4 else "é\u202e") for i in range(12)}
    for body in bodies:
        sqs.send_message(QueueUrl=dlq, MessageBody=body, MessageAttributes={"bin": ATTRIBUTES["bin"]})
    ran = sluice("replay", "start", f"sqs:{dlq.rsplit('/', 1)[1]}", "--through", name, *OPERATE, "--yes-i-mean", "12", "--limit", "12",
                 "--rate", "500", "--format", "json", env=ministack.env(), timeout=120)
    assert ran.status == 1 and (ran.json["verified"], ran.json["poison"], ran.json["unaccounted"]) == (11, 1, 0), ran
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert sorted(r[1] for r in rows if "bad" not in r[1]) == sorted(b for b in bodies if "bad" not in b)
    assert sum("bad" in r[1] for r in rows) == 2
    assert all(base64.b64decode(r[3]["bin"]["binaryValue"]) == ATTRIBUTES["bin"]["BinaryValue"] for r in rows)
    assert [m["Body"] for m in all_of(sqs, dlq)] == [b for b in bodies if "bad" in b]
