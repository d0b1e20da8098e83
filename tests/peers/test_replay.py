"""replay against AWSes: what was frozen is what runs, done is what was processed, and what is not done is said and stays."""

import json
import re

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
