"""topics: what there is, who would be told, a new one of either, one message through the real route."""

import json
import uuid

import pytest
from fakeaws import FakeAws, Answers, denied
from program import plain
from simtools import Sim

GO = ("--mode", "admin", "--yes")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with Sim.start("calm", home=tmp_path_factory.mktemp("sim")) as s:
        yield s.peer


@pytest.fixture(params=["world", "moto", "ministack"])
def peer(request):
    return request.getfixturevalue(request.param)


def run(sluice, peer, *args, status=0):
    ran = sluice("topics", *args, env=peer.env())
    assert ran.status == status and plain(ran.out) and plain(ran.err), str(ran)
    return ran


def test_a_topic_from_its_making_to_its_message(sluice, peer):
    sqs, tail = peer.client("sqs"), uuid.uuid4().hex[:8]
    name, queue = f"oncall-{tail}", sqs.create_queue(QueueName=f"box-{tail}")["QueueUrl"]
    box = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    arn = run(sluice, peer, "create", name, *GO, "--format", "json").json["id"]
    assert arn.endswith(f":{name}") and arn in [t["TopicArn"] for t in peer.client("sns").list_topics()["Topics"]]
    assert any(r.startswith(f"{name}\t0\t0\t") for r in run(sluice, peer, "list").out.splitlines())
    assert "nobody is told: there is no subscription" in run(sluice, peer, "show", name).err
    policy = '{"level":["page"]}' if peer.name == "moto" else None
    run(sluice, peer, "subscribe", name, "sqs", box, *(("--filter-policy", policy) if policy else ()), *GO)
    shown = run(sluice, peer, "show", arn, "--format", "json").json
    sub = shown["subscriptions"][0]
    assert (sub["confirmed"], sub["protocol"], sub["endpoint"]) == (True, "sqs", box), shown
    if policy:
        assert json.loads(sub["filter_policy"]) == json.loads(policy)
        run(sluice, peer, "unsubscribe", sub["arn"], *GO)
        run(sluice, peer, "subscribe", name, "sqs", box, *GO)
    run(sluice, peer, "publish", name, "--test", *GO)
    heard = json.loads(sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"][0]["Body"])
    assert heard["Subject"] == "TEST alert from sluice" and "This is a test alert" in heard["Message"]
    sub = run(sluice, peer, "show", name, "--format", "json").json["subscriptions"][0]
    run(sluice, peer, "unsubscribe", sub["arn"], *GO)
    assert run(sluice, peer, "show", name, "--format", "json").json["subscriptions"] == []
    audit = [json.loads(e) for e in sluice("audit", "--format", "json").out.splitlines()]
    assert {"sns:CreateTopic", "sns:Subscribe", "sns:Publish", "sns:Unsubscribe"} == {e["event.action"] for e in audit}


def test_without_a_verb_it_lists(sluice, world):
    assert run(sluice, world).out == run(sluice, world, "list").out != ""


def test_what_is_refused(sluice, world):
    before = len(world.client("sns").list_topics()["Topics"])
    for args, status, word in [
        (("create", "x", "--mode", "operate", "--yes"), 3, "--mode admin"), (("create", "x", "--mode", "admin"), 3, "--yes"),
        (("create", "no blanks", *GO), 2, "letters, digits"), (("create", "x" * 257, *GO), 2, "256"), (("show", "nope"), 1, "no topic of this name"),
        (("publish", "nope", "hello", *GO), 1, "no topic of this name"), (("publish", "x", *GO), 2, "--test"),
        (("publish", "x", "hello", "--test", *GO), 2, "--test"), (("publish", "x", "m", "--subject", "two\nlines", *GO), 2, "printable ASCII"),
        (("publish", "x", "m", "--subject", "\u00e4", *GO), 2, "printable ASCII"), (("publish", "x", "m", "--subject", "s" * 100, *GO), 2, "99"),
        (("show", "arn:aws:sns:us-east-1:123456789012:t"), 2, "no topic of region eu-west-1"),
        (("subscribe", "x", "pigeon", "loft", *GO), 2, "pigeon"), (("subscribe", "x", "sqs", "y", "--filter-policy", "[1]", *GO), 2, "JSON object"),
        (("unsubscribe", "PendingConfirmation", *GO), 2, "ARN of a subscription"), (("nonsense",), 2, "none of list, show")]:
        assert word in run(sluice, world, *args, status=status).err, args
    assert run(sluice, world, "create", "planned", *GO, "--dry-run").out.startswith("planned\t")
    assert len(world.client("sns").list_topics()["Topics"]) == before


def test_an_address_is_not_in_the_audit_log(sluice, moto):
    name = f"people-{uuid.uuid4().hex[:8]}"
    run(sluice, moto, "create", name, *GO)
    run(sluice, moto, "subscribe", name, "email", "somebody@example.com", *GO)
    assert "somebody" in run(sluice, moto, "show", name).out and "somebody" not in sluice("audit").out


def test_what_may_not_be_read_is_unknown(sluice):
    class Own(Answers):
        def list_topics(self, body):
            return ('<ListTopicsResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><ListTopicsResult><Topics><member>'
                    "<TopicArn>arn:aws:sns:eu-west-1:123456789012:t</TopicArn></member></Topics></ListTopicsResult></ListTopicsResponse>")

    with FakeAws({"sns:GetTopicAttributes": denied}, Own()) as aws:
        ran = run(sluice, aws, "list", status=1)
        assert ran.out.startswith("t\t?\t?\t") and "sns:GetTopicAttributes" in ran.err
