"""replay of failed asynchronous invocations: each event goes to the function that its record names, byte for byte, and the record is deleted
after that alone; what cannot be invoked again stays in the queue and is named."""

import json

import pytest
from replaykit import INSPECT, OPERATE, Pipe
from simtools import Sim
from test_replay_s3 import record

EVENTS = ['{"order": 1.50, "id":12345678901234567890}', '"\\u00e9\\ud83d\\ude00"', "[ ]", "null"]


@pytest.fixture
def sim(tmp_path):
    with Sim.start("empty", home=tmp_path) as s:
        yield s
        assert s.stop() == (0, "")


class Failures(Pipe):
    """A queue of records; its function is one of those that they name."""

    @classmethod
    def of(cls, sim, rng, fail_if=""):
        f = cls.make(sim, rng, fail_if=fail_if, mapping=False)
        f.arn_of_function = f"arn:aws:lambda:{sim.region}:123456789012:function:{f.function}"
        return f

    def put(self, *bodies, **attributes):
        sqs = self.peer.client("sqs")
        more = {k: {"DataType": "String", "StringValue": v} for k, v in attributes.items()}
        return [sqs.send_message(QueueUrl=self.dlq, MessageBody=b, MessageAttributes=more)["MessageId"] for b in bodies]

    def payloads(self):
        told = self.sim.control("GET", path="/_sluice/invocations")[1]["invocations"]
        return [e["payload"] for e in told if e["function"] == self.function]

    def replay(self, sluice, n, *more, status=0):
        ran = sluice("replay", "start", f"failures:{self.dlq_name}", *OPERATE, "--yes-i-mean", n, "--limit", n, "--rate", "500", "--format", "json", *more,
                     env=self.peer.env())
        assert ran.status == status, ran
        return ran


def test_each_to_its_own(sim, sluice, rng):
    one, two = Failures.of(sim, rng), Failures.of(sim, rng)
    one.put(*(record(one.arn_of_function + q, e) for e in EVENTS for q in ("", ":$LATEST")))
    one.put(record(two.arn_of_function, '{"to":"two"}'))
    told = one.replay(sluice, 9).json
    assert (told["verified"], told["unaccounted"], told["state"]) == (9, 0, "DONE") and one.counts() == (0, 0)
    assert sorted(one.payloads()) == sorted(2 * EVENTS) and two.payloads() == ['{"to":"two"}']


def test_through_another(sim, sluice, rng):
    """--through overrules the records; in a topic's envelope, or as a function's own dead-letter queue has it, they are understood too."""
    one, two = Failures.of(sim, rng), Failures.of(sim, rng)
    one.put(record(one.arn_of_function, "1"), json.dumps({"Type": "Notification", "MessageId": "m", "TopicArn": "t",
                                                          "Message": record(one.arn_of_function, '"in an envelope"')}))
    one.put('{"plain": true}', RequestID="r", ErrorCode="200", ErrorMessage="no")
    told = one.replay(sluice, 3, "--through", two.function).json
    assert told["verified"] == 3 and one.payloads() == [] and sorted(two.payloads()) == ['"in an envelope"', "1", '{"plain": true}']


BAD = [
    ("nonsense", {}, "MALFORMED"), ("{}", {}, "MALFORMED"), ("[]", {}, "MALFORMED"), ("é\u202e", {}, "MALFORMED"),
    ('{"requestContext":5}', {}, "MALFORMED"), ('{"requestContext":{}}', {}, "MALFORMED"),
    (record("arn:aws:sqs:eu-west-1:1:q", "1"), {}, "MALFORMED"), (record("f", "1").replace("requestPayload", "payloads"), {}, "MALFORMED"),
    (record("arn:aws:lambda:r:1:function:f", "1").replace("RetriesExhausted", "Success"), {}, "MALFORMED"),
    ('{"requestContext":{"functionArn":"arn:aws:lambda:r:1:function:f"},"requestPayload":1', {}, "MALFORMED"),
    ('{"e":1}', {"RequestID": "r", "ErrorCode": "500"}, "NO_FUNCTION"), ("not JSON", {"RequestID": "r", "ErrorCode": "500"}, "MALFORMED")]


def test_what_cannot_be_invoked_again_stays(sim, sluice, rng):
    f = Failures.of(sim, rng)
    bad = {f.put(body, **attributes)[0]: ("HELD", code) for body, attributes, code in BAD}
    (good,) = f.put(record(f.arn_of_function, "1"))
    told = f.replay(sluice, len(BAD) + 1, status=1).json
    assert {i["message_id"]: (i["state"], i["code"]) for i in told["items"]} == {**bad, good: ("VERIFIED", None)}, told
    assert all(i["text"] for i in told["items"] if i["message_id"] in bad) and told["unaccounted"] == 0
    assert f.payloads() == ["1"] and f.counts() == (len(BAD), 0)


def test_what_fails_again_and_what_is_too_large(sim, sluice, rng):
    """A function that fails again: poison, and it stays. SQS holds 1 MiB at the most, so no payload of it is too large for an invocation."""
    f = Failures.of(sim, rng, fail_if="bad")
    f.put(*(record(f.arn_of_function, str(i)) for i in range(20)), record(f.arn_of_function, '"bad"'))
    f.put(record(f.arn_of_function, json.dumps("x" * 1_000_000)))
    told = f.replay(sluice, 22, status=1).json
    assert (told["verified"], told["poison"], told["unaccounted"]) == (21, 1, 0) and f.counts() == (1, 0)
    assert f.payloads().count('"bad"') == 2 and len(set(f.payloads())) == 22


def test_a_function_that_is_gone(sim, sluice, rng):
    """The run pauses with one clear line; nothing is lost."""
    f = Failures.of(sim, rng)
    f.put(record(f.arn_of_function + "-gone", "1"))
    ran = f.replay(sluice, 1, status=1)
    assert ran.json["state"] == "PAUSED" and "ResourceNotFound" in ran.err and f.counts() == (1, 0) and ran.json["pending"] == 1, ran


def test_a_plan_groups_by_error(sim, sluice, rng):
    f = Failures.of(sim, rng)
    f.put(*(record(f.arn_of_function, str(i)) for i in range(3)))
    plan = sluice("replay", "plan", f"failures:{f.dlq_name}", *INSPECT, "--format", "json", env=f.peer.env())
    assert plan.status == 0 and plan.json["selected"] == 3 and len(plan.json["groups"]) == 1, plan
    assert "RetriesExhausted" in plan.json["groups"][0]["cause"] or "Unhandled" in plan.json["groups"][0]["cause"], plan
