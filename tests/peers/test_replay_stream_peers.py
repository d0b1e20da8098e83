"""The same replays against AWSes that are not ours. moto has no functions that run: there a plan reads the records. MiniStack runs them, but
builds no on-failure records: these are written by the test, as AWS shapes them."""

import base64
import hashlib
import json

import pytest
from replaykit import INSPECT, OPERATE, python_function
from streamkit import Stream

HANDLER = """
import json
def h(event, context):
    with open(%r, "a") as f:
        f.write(json.dumps(event) + "\\n")
"""


def stream_on(peer, rng, n):
    """A stream of one shard with n records, and its ARN."""
    s = Stream(peer, None, f"s{rng.randrange(1 << 40):x}")
    kinesis = peer.client("kinesis")
    kinesis.create_stream(StreamName=s.name, ShardCount=1)
    kinesis.get_waiter("stream_exists").wait(StreamName=s.name, WaiterConfig={"Delay": 1})
    s.arn = kinesis.describe_stream_summary(StreamName=s.name)["StreamDescriptionSummary"]["StreamARN"]
    return s, s.put(n, data=lambda i: bytes([i, 0, 200, 255]))


@pytest.mark.parametrize("where", ["moto", "ministack"])
def test_a_plan_reads_the_range(request, where, sluice, rng):
    peer = request.getfixturevalue(where)
    s, put = stream_on(peer, rng, 9)
    source = f"kinesis:{s.name}/{put[0][0]}@{put[2][1]}..{put[6][1]}"
    ran = sluice("replay", "plan", source, *INSPECT, "--format", "json", env=peer.env())
    assert ran.status == 0 and ran.json["selected"] == 5, ran
    assert [(i["message_id"], i["body_sha256"]) for i in ran.json["items"]] == [
        (f"{shard}:{number}", hashlib.sha256(data).hexdigest()) for shard, number, data in put[2:7]]


def test_ministack_runs_them(ministack, sluice, rng, tmp_path):
    """By hand, then by a pointer: the function is given every record, as AWS's event has it; the message goes."""
    log, sqs = tmp_path / "log", ministack.client("sqs")
    s, put = stream_on(ministack, rng, 7)
    python_function(ministack, "f-stream", HANDLER % str(log))
    s.function_arn = ministack.client("lambda").get_function_configuration(FunctionName="f-stream")["FunctionArn"]
    source = f"kinesis:{s.name}/{put[0][0]}@{put[0][1]}..{put[-1][1]}"
    ran = sluice("replay", "start", source, "--through", "f-stream", *OPERATE, "--yes-i-mean", 7, "--rate", "500", "--format", "json",
                 env=ministack.env(), timeout=100)
    assert ran.status == 0 and ran.json["verified"] == 7, ran
    s.queue = sqs.create_queue(QueueName=f"{s.name}-fail")["QueueUrl"]
    s.give_up(7)
    ran = sluice("replay", "start", f"failures:{s.queue_name}", *OPERATE, "--yes-i-mean", 1, "--limit", 1, "--format", "json",
                 env=ministack.env(), timeout=100)
    assert ran.status == 0 and ran.json["verified"] == 1 and s.left() == (0, 0), ran
    events = [json.loads(line) for line in log.read_text().splitlines()]
    given = [(r["kinesis"]["sequenceNumber"], base64.b64decode(r["kinesis"]["data"])) for e in events for r in e["Records"]]
    assert given == 2 * s.all_records() and len(events[-1]["Records"]) == 7
    assert {r["eventSourceARN"] for e in events for r in e["Records"]} == {s.arn}
