"""The embedded AWS as one world: what any client does changes what every reader sees, time moves it, and a frozen clock makes
it the same every time. boto3 is the client throughout."""

import datetime
import json
import os
import signal
import subprocess
import time

import pytest
from botocore.exceptions import ClientError
from program import binary
from simtools import Sim

UTC = datetime.timezone.utc
FROZEN = "2026-11-23T03:14:42Z"
NOW = datetime.datetime(2026, 11, 23, 3, 14, 42, tzinfo=UTC)
LAST = NOW.replace(minute=13, second=0)  # the newest minute that is over


@pytest.fixture
def sim_of(tmp_path):
    sims = []

    def start(scenario, **options):
        sims.append(Sim.start(scenario, home=tmp_path, **options))
        return sims[-1]

    yield start
    for s in sims:
        s.stop()


def read(sim, ns, name, dim, stat="Maximum", end=NOW, minutes=5):
    """{time: value} of one metric."""
    metric = {"Namespace": ns, "MetricName": name, "Dimensions": [{"Name": k, "Value": v} for k, v in dim.items()]}
    query = [{"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}}]
    got = sim.client("cloudwatch").get_metric_data(MetricDataQueries=query, StartTime=end - datetime.timedelta(minutes=minutes),
                                                   EndTime=end + datetime.timedelta(minutes=2))["MetricDataResults"][0]
    return dict(zip(got["Timestamps"], got["Values"]))


def states(sim):
    return {a["AlarmName"]: a["StateValue"] for a in sim.client("cloudwatch").describe_alarms()["MetricAlarms"]}


def since(sim, name):
    a = sim.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    return NOW - a["StateTransitionedTimestamp"]


def visible(sim, queue):
    sqs = sim.client("sqs")
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]["ApproximateNumberOfMessages"])


# ---- scenarios, at the instant of the reference screens

def test_calm(sim_of):
    sim = sim_of("calm", now=FROZEN)
    assert set(states(sim).values()) == {"OK"} and len(states(sim)) == 7
    history = read(sim, "AWS/Kinesis", "IncomingRecords", {"StreamName": "orders-ingest"}, "Sum", minutes=180)
    assert len(history) >= 179 and history[LAST] == 412 * 60
    assert all(375 < v / 60 < 432 for v in history.values())
    assert visible(sim, "orders-load-dlq") == 0 and visible(sim, "orders-load") == 214
    assert read(sim, "AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "orders-load-dlq"}) == {}
    assert read(sim, "AWS/Lambda", "Duration", {"FunctionName": "orders-enrich"}, "p95")[LAST] > 80


def test_dlq_growth(sim_of):
    sim = sim_of("dlq-growth", now=FROZEN)
    assert {n for n, s in states(sim).items() if s == "ALARM"} == {"DlqNotEmpty"}
    assert datetime.timedelta(days=1, hours=5) < since(sim, "DlqNotEmpty") < datetime.timedelta(days=1, hours=5, minutes=2)
    assert visible(sim, "orders-load-dlq") == 1291
    depth = read(sim, "AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "orders-load-dlq"}, minutes=120)
    assert depth[LAST] == 1291 and 0.6 < (depth[LAST] - min(depth.values())) / 119 < 0.9
    sqs = sim.client("sqs")
    m = sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="orders-load-dlq")["QueueUrl"], MessageSystemAttributeNames=["All"])["Messages"][0]
    sent = datetime.datetime.fromtimestamp(int(m["Attributes"]["SentTimestamp"]) / 1000, UTC)
    assert datetime.timedelta(days=3, hours=1, minutes=50) < NOW - sent < datetime.timedelta(days=3, hours=2, minutes=10)
    assert m["Attributes"]["DeadLetterQueueSourceArn"].endswith(":orders-load")
    assert json.loads(m["Body"])["order_id"]


def test_poison_shard(sim_of):
    sim = sim_of("poison-shard", now=FROZEN)
    assert {n for n, s in states(sim).items() if s == "ALARM"} == {"HighErrorRate", "IteratorAgeHigh", "DlqNotEmpty"}
    assert since(sim, "HighErrorRate") // datetime.timedelta(minutes=1) == 33
    assert since(sim, "IteratorAgeHigh") // datetime.timedelta(minutes=1) == 5 * 60 + 38
    age = read(sim, "AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", {"StreamName": "orders-ingest"}, minutes=60)
    assert age[LAST] == 369 * 60000 and age[LAST - datetime.timedelta(minutes=30)] == 339 * 60000
    assert read(sim, "AWS/Lambda", "IteratorAge", {"FunctionName": "orders-enrich"})[LAST] == age[LAST]
    assert round(read(sim, "AWS/Kinesis", "GetRecords.Records", {"StreamName": "orders-ingest"}, "Sum")[LAST] / 60, 1) == 360.5
    assert read(sim, "DataPipeline", "ErrorRate", {"Stage": "enrich"}, "Average")[LAST] == 7.8
    history = sim.client("cloudwatch").describe_alarm_history(AlarmName="HighErrorRate", HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert [h["HistorySummary"] for h in history] == ["Alarm updated from OK to ALARM"]


def test_denied_and_throttled(sim_of):
    denied = sim_of("denied")
    with pytest.raises(ClientError) as e:
        denied.client("kinesis").list_streams()
    assert e.value.response["Error"]["Code"] == "AccessDeniedException"
    assert "is not authorized to perform: kinesis:ListStreams on resource: arn:aws:kinesis:" in e.value.response["Error"]["Message"]
    assert denied.client("kinesis").describe_stream_summary(StreamName="orders-ingest")
    throttled = sim_of("throttled")
    with pytest.raises(ClientError) as e:
        read(throttled, "AWS/SQS", "NumberOfMessagesSent", {"QueueName": "orders-load"})
    assert (e.value.response["Error"]["Code"], e.value.response["Error"]["Message"]) == ("Throttling", "Rate exceeded")
    assert throttled.client("cloudwatch").list_metrics()["Metrics"]


def test_frozen_worlds_are_equal(sim_of):
    seen = []
    for _ in range(2):
        sim = sim_of("poison-shard", now=FROZEN)
        cw = sim.client("cloudwatch")
        metrics = cw.list_metrics()["Metrics"]
        query = [{"Id": f"q{i}", "MetricStat": {"Metric": m, "Period": 60, "Stat": "Sum"}} for i, m in enumerate(metrics)]
        data = cw.get_metric_data(MetricDataQueries=query, StartTime=NOW - datetime.timedelta(hours=1), EndTime=NOW)["MetricDataResults"]
        alarms = cw.describe_alarms()["MetricAlarms"]
        mappings = sim.client("lambda").list_event_source_mappings()["EventSourceMappings"]
        seen.append((metrics, data, alarms, mappings))
    assert seen[0] == seen[1]


# ---- one world

def test_writes_are_seen(sim_of):
    sim = sim_of("calm", now=FROZEN)
    minute = NOW.replace(second=0)
    sqs, fns, kinesis = sim.client("sqs"), sim.client("lambda"), sim.client("kinesis")
    url = sqs.create_queue(QueueName="fresh")["QueueUrl"]
    for _ in range(3):
        sqs.send_message(QueueUrl=url, MessageBody="12345")
    assert visible(sim, "fresh") == 3
    assert read(sim, "AWS/SQS", "NumberOfMessagesSent", {"QueueName": "fresh"}, "Sum") == {minute: 3}
    assert read(sim, "AWS/SQS", "SentMessageSize", {"QueueName": "fresh"}, "Average") == {minute: 5}
    sqs.delete_message(QueueUrl=url, ReceiptHandle=sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"])
    assert visible(sim, "fresh") == 2
    assert read(sim, "AWS/SQS", "NumberOfMessagesDeleted", {"QueueName": "fresh"}, "Sum") == {minute: 1}
    kinesis.put_record(StreamName="orders-ingest", Data=b"x" * 10, PartitionKey="k")
    kinesis.put_records(StreamName="orders-ingest", Records=[{"Data": b"y", "PartitionKey": "k"}] * 2)
    assert read(sim, "AWS/Kinesis", "IncomingRecords", {"StreamName": "orders-ingest"}, "Sum")[minute] == 3
    assert read(sim, "AWS/Kinesis", "IncomingBytes", {"StreamName": "orders-ingest"}, "Sum")[minute] == 10 + 1 + 2 * 2
    answer = fns.invoke(FunctionName="nightly-report", Payload=b'{"day": 1}')
    assert json.loads(answer["Payload"].read())["function"] == "nightly-report"
    assert fns.invoke(FunctionName="nightly-report", InvocationType="Event", Payload=b"{}")["StatusCode"] == 202
    assert fns.invoke(FunctionName="nightly-report", InvocationType="DryRun")["StatusCode"] == 204
    assert read(sim, "AWS/Lambda", "Invocations", {"FunctionName": "nightly-report"}, "Sum") == {minute: 2}
    assert read(sim, "AWS/Lambda", "Duration", {"FunctionName": "nightly-report"}, "SampleCount") == {minute: 2}


def until(what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("never came true")


def test_time_moves_it(sim_of):
    """A minute a second: visibility runs out, a message nobody deletes ends in the dead-letter queue, an alarm notices."""
    sim = sim_of("empty", speed=60)
    sqs, cw = sim.client("sqs"), sim.client("cloudwatch")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    policy = json.dumps({"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:dead", "maxReceiveCount": 1})
    url = sqs.create_queue(QueueName="work", Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "30"})["QueueUrl"]
    cw.put_metric_alarm(AlarmName="a", Namespace="AWS/SQS", MetricName="ApproximateNumberOfMessagesVisible", Statistic="Maximum", Period=60,
                        EvaluationPeriods=1, Threshold=0, ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching",
                        Dimensions=[{"Name": "QueueName", "Value": "dead"}])
    until(lambda: states(sim)["a"] == "OK")
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    got = sqs.receive_message(QueueUrl=url)["Messages"]
    assert len(got) == 1 and visible(sim, "work") == 0
    until(lambda: visible(sim, "dead") == 1)
    until(lambda: states(sim)["a"] == "ALARM")
    again = sqs.receive_message(QueueUrl=dead, MessageSystemAttributeNames=["All"])["Messages"][0]
    assert again["MessageId"] == got[0]["MessageId"]
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=again["ReceiptHandle"])
    until(lambda: states(sim)["a"] == "OK")
    items = cw.describe_alarm_history(AlarmName="a", HistoryItemType="StateUpdate", ScanBy="TimestampAscending")["AlarmHistoryItems"]
    assert [i["HistorySummary"].split("from ")[1] for i in items] == ["INSUFFICIENT_DATA to OK", "OK to ALARM", "ALARM to OK"]


def test_a_running_world_goes_on(sim_of):
    sim = sim_of("dlq-growth", speed=600)
    first = visible(sim, "orders-load-dlq")
    assert first >= 1291
    until(lambda: visible(sim, "orders-load-dlq") >= first + 10)


# ---- as a program

def test_ends_when_told(sim_of):
    for sig in (signal.SIGTERM, signal.SIGINT):
        sim = sim_of("empty")
        sim.process.send_signal(sig)
        assert sim.stop() == (0, "")


def test_says_where_and_who(tmp_path):
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    p = subprocess.Popen([binary(), "sim", "--port", "0"], env=env, stdout=subprocess.PIPE, text=True)
    lines = [p.stdout.readline().rstrip("\n") for _ in range(6)]
    p.terminate()
    assert p.wait(20) == 0 and p.stdout.read() == ""
    p.stdout.close()
    assert lines[0].startswith("listening on http://127.0.0.1:")
    assert lines[1:3] == ["region eu-west-1", "scenario calm"]
    assert lines[3].startswith("AWS_ACCESS_KEY_ID=AKIA") and lines[4].startswith("AWS_SECRET_ACCESS_KEY=")
    assert lines[5].startswith(f"export AWS_ENDPOINT_URL={lines[0].removeprefix('listening on ')}")


def test_a_port_in_use(sim_of, sluice):
    sim = sim_of("empty")
    r = sluice("sim", "--port", sim.port, "--scenario", "empty")
    assert r.status == 1 and r.out == "" and r.err.count("\n") == 1 and str(sim.port) in r.err
