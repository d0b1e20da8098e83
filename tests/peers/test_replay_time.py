"""replay buy-time: what is held is kept longer, and back again; through the gate, in the ledger and the audit log first."""

import json
import time

import pytest
from replaykit import OPERATE, Pipe
from simtools import world  # noqa: F401 (fixtures)

ADMIN = ("--mode", "admin", "--yes", "--format", "json")


@pytest.fixture(params=["sim", "ministack"])
def peer(request):
    return request.getfixturevalue("world").peer if request.param == "sim" else request.getfixturevalue("ministack")


def test_a_queue(peer, sluice, rng):
    sqs, name = peer.client("sqs"), f"q{rng.randrange(1 << 40):x}"
    url = sqs.create_queue(QueueName=name, Attributes={"MessageRetentionPeriod": "345600"})["QueueUrl"]

    def kept():
        return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["MessageRetentionPeriod"])
    env = peer.env()
    assert sluice("replay", "buy-time", f"sqs:{name}", *OPERATE, "--yes", env=env).status == 3 and kept() == 345600
    assert sluice("replay", "buy-time", f"sqs:{name}", "--mode", "admin", env=env).status == 3 and kept() == 345600
    dry = sluice("replay", "buy-time", f"sqs:{name}", *ADMIN, "--dry-run", env=env)
    assert dry.status == 0 and dry.json["done"] is False and "instead of 4d" in dry.json["what"] and kept() == 345600, dry
    ran = sluice("replay", "buy-time", f"sqs:{name}", *ADMIN, env=env)
    assert ran.status == 0 and (ran.json["was_seconds"], ran.json["now_seconds"]) == (345600, 1209600) and kept() == 1209600, ran
    assert any("15 minutes" in w for w in ran.json["warnings"])
    assert sluice("replay", "buy-time", f"sqs:{name}", *ADMIN, env=env).status == 2  # it has all there is
    back = sluice("replay", "buy-time", f"sqs:{name}", "--undo", *ADMIN, env=env)
    assert back.status == 0 and "lost at once" in back.json["what"] and kept() == 345600, back
    assert sluice("replay", "buy-time", f"sqs:{name}", "--undo", *ADMIN, env=env).status == 2  # nothing more to undo
    lines = [json.loads(line) for line in sluice("audit", "--format", "json", env=env).out.splitlines()]
    assert [line["event.action"] for line in lines if line["event.outcome"] == "announced"] == ["sqs:SetQueueAttributes"] * 2


def test_a_stream(peer, sluice, rng):
    kinesis, name = peer.client("kinesis"), f"s{rng.randrange(1 << 40):x}"
    kinesis.create_stream(StreamName=name, ShardCount=2)
    until = time.monotonic() + 20
    while kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamStatus"] != "ACTIVE" and time.monotonic() < until:
        time.sleep(0.1)

    def kept():
        return kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["RetentionPeriodHours"]
    env = peer.env()
    ran = sluice("replay", "buy-time", f"kinesis:{name}", "--hours", "72", *ADMIN, env=env)
    assert ran.status == 0 and ran.json["usd_per_day"] == pytest.approx(0.96) and kept() == 72, ran
    assert sluice("replay", "buy-time", f"kinesis:{name}", "--hours", "48", *ADMIN, env=env).status == 2 and kept() == 72
    assert sluice("replay", "buy-time", f"kinesis:{name}", *ADMIN, env=env).json["now_seconds"] == 168 * 3600
    assert sluice("replay", "buy-time", f"kinesis:{name}", "--undo", *ADMIN, env=env).status == 0 and kept() == 24


def test_too_near(world, sluice, rng):
    """Twenty minutes before the first message goes it may come too late: said, and only done by who says that it is meant."""
    pipe = Pipe.make(world, rng)
    world.client("cloudwatch").put_metric_data(Namespace="AWS/SQS", MetricData=[
        {"MetricName": "ApproximateAgeOfOldestMessage", "Dimensions": [{"Name": "QueueName", "Value": pipe.dlq_name}],
         "Timestamp": time.time() - 120, "Value": 345600 - 600}])
    ran = sluice("replay", "buy-time", f"sqs:{pipe.dlq_name}", *ADMIN, env=pipe.peer.env())
    assert ran.status == 3 and "lost in 10m" in ran.err, ran
    ran = sluice("replay", "buy-time", f"sqs:{pipe.dlq_name}", "--despite", "loss", *ADMIN, env=pipe.peer.env())
    assert ran.status == 0 and ran.json["now_seconds"] == 1209600 and any("lost in" in w for w in ran.json["warnings"]), ran
