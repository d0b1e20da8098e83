"""replay against AWSes: what was frozen is what runs, done is what was processed, and what is not done is said and stays."""

import hashlib
import json
import re
import threading
import time

import pytest
from replaykit import INSPECT, OPERATE, Pipe
from simtools import Sim


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with Sim.start("empty", home=tmp_path_factory.mktemp("sim")) as s:
        yield s
        assert s.stop() == (0, "")


@pytest.fixture
def sim(world):
    world.heal()
    yield world
    world.heal()


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
