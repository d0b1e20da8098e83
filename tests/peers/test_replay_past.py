"""What earlier runs know, and what an operator decides about single messages."""

import json

import pytest
from replaykit import INSPECT, OPERATE, Pipe
from simtools import sim, world  # noqa: F401 (fixtures)


def start(sluice, pipe, n, *more, limit=True, status=0):
    ran = sluice("replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *OPERATE, "--yes-i-mean", n, "--rate", "500",
                 "--format", "json", *(("--limit", n) if limit else ()), *more, env=pipe.peer.env())
    assert ran.status == status, ran
    return ran.json


def test_poison_is_left_by_the_next_run(sim, sluice, rng):
    """By its id and body; a whole cause of which nothing went well, too; and who names it, or says again, sends it."""
    pipe = Pipe.make(sim, rng, batch=10, partial=True, fail_if="bad")
    pipe.fill(40, body=lambda i: f'{{"bad":{i}}}' if i in (7, 31) else f'{{"fine":{i}}}')
    first = start(sluice, pipe, 40, status=1)
    assert (first["verified"], first["poison"]) == (38, 2)
    times = sum(pipe.deliveries().values())
    pipe.fill(2, body=lambda i: f'{{"bad":{90 + i}}}')  # new messages of the same cause
    pipe.fill(1, body=lambda i: '{"fine":77}')
    second = start(sluice, pipe, 5, status=1)
    assert (second["verified"], second["poison"], second["unaccounted"]) == (1, 4, 0), second
    told = {i["message_id"]: i for i in second["items"]}
    known = [i for i in told.values() if i["code"] == "KNOWN_BAD"]
    assert len(known) == 4 and {i["state"] for i in known} == {"POISON"} and all(first["run"] in i["text"] for i in known)
    assert any("failed for good" in w for w in second["warnings"])
    assert sum(pipe.deliveries().values()) == times + 1 and pipe.counts() == (4, 0)
    ran = sluice("replay", "plan", f"sqs:{pipe.dlq_name}", "--through", pipe.function, "--limit", "4", *INSPECT, "--format", "json",
                 env=pipe.peer.env())
    assert sum(g["failed_before"] for g in ran.json["groups"]) == 4, ran
    third = start(sluice, pipe, 1, "--poison", "again", status=1)  # and it fails as it did
    assert third["poison"] == 1 and third["items"][0]["code"] == "ITEM_FAILED"


@pytest.mark.parametrize("policy", ["skip", "send"])
def test_business_keys(sim, sluice, rng, policy):
    """What has the key of something that was replayed well is told with day and who, and left unless it is meant; twice in one run, too."""
    pipe = Pipe.make(sim, rng, batch=1)
    config = ("--config", sluice.config("[sluice]\nidempotency_path = $.event.id\n"))
    body = lambda i: json.dumps({"event": {"id": f"e{i}"}, "n": i, "padding": [1, {"id": "no"}]})  # noqa: E731
    pipe.fill(3, body=body)
    assert start(sluice, pipe, 3, *config)["verified"] == 3
    pipe.fill(5, body=lambda i: body(i % 4) + " ")  # e0..e2 again, e3 once, and e0 again
    told = start(sluice, pipe, 5, "--dedupe", policy, *config, status=0)
    assert any("4 of these were replayed before" in w and "replayed OK on 20" in w for w in told["warnings"]), told["warnings"]
    if policy == "skip":
        assert (told["verified"], told["skipped"], told["unaccounted"]) == (1, 4, 0) and pipe.counts() == (4, 0)
        assert {i["code"] for i in told["items"] if i["state"] == "SKIPPED"} == {"DONE_BEFORE"}
        assert {i["business_key"] for i in told["items"]} == {'"e0"', '"e1"', '"e2"', '"e3"'}
    else:
        assert told["verified"] == 5 and pipe.counts() == (0, 0)


def test_an_operator_decides(sim, sluice, rng):
    """Hold and skip of one message, by number or id, while nobody drives the run; a release of what was held."""
    pipe = Pipe.make(sim, rng, batch=1)
    pipe.fill(6)
    env = pipe.peer.env()
    ran = sluice("replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *OPERATE, "--yes-i-mean", "6", "--limit", "6",
                 "--rate", "0.01", "-t", "1", "--format", "json", env=env)
    told = ran.json
    assert told["state"] == "PAUSED" and told["pending"] == 5, ran
    left = [i for i in told["items"] if i["state"] == "SELECTED"]
    assert sluice("replay", "hold", left[0]["seq"], env=env).status == 3  # not without --mode operate
    for word, item, state in (("hold", left[0]["seq"], "HELD"), ("skip", left[1]["message_id"], "SKIPPED"), ("hold", left[2]["seq"], "HELD"),
                              ("release", left[2]["seq"], "SELECTED")):
        ran = sluice("replay", word, told["run"], item, *OPERATE, "--format", "json", env=env)
        assert ran.status == 0 and [i["state"] for i in ran.json["items"] if item in (i["seq"], i["message_id"])] == [state], ran
    assert sluice("replay", "skip", 99, *OPERATE, env=env).status == 2
    assert sluice("replay", "release", left[1]["seq"], *OPERATE, env=env).status == 2  # skipped is for good
    again = sluice("replay", "resume", *OPERATE, "--rate", "500", "--format", "json", env=env).json
    assert again["state"] == "DONE" and again["verified"] == 4 and again["skipped"] == 2 and pipe.counts() == (2, 0), again
    assert sluice("replay", "release", left[0]["seq"], *OPERATE, env=env).status == 0
    assert sluice("replay", "resume", *OPERATE, "--rate", "500", "--format", "json", env=env).json["verified"] == 5
    assert sluice("audit", "verify", env=env).status == 0
