"""Clients that nobody here wrote, against the embedded AWS: boto3, the awscli of PyPI (JSON) and Debian's awscli 2.9 (query).
What they put must be what they read; none of them may find anything to complain about."""

import datetime
import hashlib
import json
import os
import subprocess
import sys
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from simtools import Sim

UTC = datetime.timezone.utc
DEBIAN_AWS = "/usr/bin/aws"
PYPI_AWS = os.path.join(os.path.dirname(sys.executable), "aws")


@pytest.fixture(scope="module")
def sim(tmp_path_factory):
    with Sim.start("empty", home=tmp_path_factory.mktemp("sim")) as s:
        yield s


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    with Sim.start("calm", home=tmp_path_factory.mktemp("sim")) as s:
        yield s


@pytest.fixture
def minute():
    """minute(3): three minutes ago, on the minute; one clock reading a test, however long it takes."""
    base = datetime.datetime.now(UTC).replace(second=0, microsecond=0)
    return lambda ago=0: base - datetime.timedelta(minutes=ago)


def refused(call, **args):
    with pytest.raises(ClientError) as e:
        call(**args)
    return e.value.response["Error"]["Code"], e.value.response["ResponseMetadata"]["HTTPStatusCode"]


# ---- the awscli, two of them

class Awscli:
    def __init__(self, path, sim, home):
        self.path, self.sim, self.home = path, sim, home

    def __call__(self, *args, secret=None, refused=False):
        env = {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8", "AWS_ACCESS_KEY_ID": self.sim.access_key,
               "AWS_SECRET_ACCESS_KEY": secret or self.sim.secret_key, "AWS_DEFAULT_REGION": self.sim.region, "AWS_PAGER": "",
               "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1"}
        argv = [self.path, "--endpoint-url", self.sim.endpoint, "--output", "json", *map(str, args)]
        p = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, cwd=self.home)
        assert (p.returncode != 0) == refused, f"{argv}\n[{p.returncode}]\n{p.stdout[-1000:]}\n{p.stderr[-2000:]}"
        if refused:
            return p.stderr
        assert p.stderr == "", f"{argv} complained:\n{p.stderr}"
        return json.loads(p.stdout) if p.stdout.strip() else None


def awscli_version(path):
    if not os.path.exists(path):
        return ""
    p = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60)
    return (p.stdout + p.stderr).split()[0] if p.returncode == 0 else ""


@pytest.fixture(params=["json", "query"])
def awscli(request, sim, tmp_path):
    path, want = (PYPI_AWS, "aws-cli/1.") if request.param == "json" else (DEBIAN_AWS, "aws-cli/2.")
    if not awscli_version(path).startswith(want):
        pytest.skip(f"SKIP: no {want}x at {path}")
    return Awscli(path, sim, tmp_path)


def test_awscli_queues(awscli):
    name = f"cli-{os.path.basename(awscli.home)[:40]}"
    arn = f"arn:aws:sqs:{awscli.sim.region}:123456789012:{name}-dead"
    dead = awscli("sqs", "create-queue", "--queue-name", f"{name}-dead")["QueueUrl"]
    policy = json.dumps({"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "2"}), "DelaySeconds": "0"})
    url = awscli("sqs", "create-queue", "--queue-name", name, "--attributes", policy)["QueueUrl"]
    body = "<order id=\"1\">ä&ö 😀</order>\nnext"
    attributes = {"kind": {"DataType": "String", "StringValue": "a<b"}, "n": {"DataType": "Number", "StringValue": "7"}}
    entries = [{"Id": "a", "MessageBody": body, "MessageAttributes": attributes}, {"Id": "b", "MessageBody": "two"}]
    sent = awscli("sqs", "send-message-batch", "--queue-url", url, "--entries", json.dumps(entries))["Successful"]
    assert [s["Id"] for s in sent] == ["a", "b"]
    assert sent[0]["MD5OfMessageBody"] == hashlib.md5(body.encode()).hexdigest()
    got = awscli("sqs", "receive-message", "--queue-url", url, "--max-number-of-messages", "10", "--attribute-names", "All",
                 "--message-attribute-names", "All")["Messages"]
    assert {m["Body"] for m in got} == {body, "two"}
    mine = next(m for m in got if m["Body"] == body)
    assert mine["MessageAttributes"] == attributes
    assert mine["MD5OfMessageAttributes"] == sent[0]["MD5OfMessageAttributes"]
    assert mine["Attributes"]["ApproximateReceiveCount"] == "1"
    awscli("sqs", "delete-message", "--queue-url", url, "--receipt-handle", mine["ReceiptHandle"])
    shown = awscli("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "All")["Attributes"]
    assert json.loads(shown["RedrivePolicy"]) == {"deadLetterTargetArn": arn, "maxReceiveCount": 2}
    assert int(shown["ApproximateNumberOfMessages"]) + int(shown["ApproximateNumberOfMessagesNotVisible"]) == 1
    assert sorted(awscli("sqs", "list-queues", "--queue-name-prefix", name)["QueueUrls"]) == sorted([url, dead])
    assert "NonExistentQueue" in awscli("sqs", "get-queue-url", "--queue-name", f"{name}-none", refused=True)


def test_awscli_metrics_and_alarms(awscli, minute):
    ns = f"Cli/{os.path.basename(awscli.home)[:40]}"
    data = json.dumps([
        {"MetricName": "Load", "Dimensions": [{"Name": "Stage", "Value": "a & b"}], "Timestamp": minute(3).isoformat(), "Value": 4.25,
         "Unit": "Percent"},
        {"MetricName": "Load", "Dimensions": [{"Name": "Stage", "Value": "a & b"}], "Timestamp": minute(2).isoformat(),
         "Values": [1, 2], "Counts": [3, 1], "Unit": "Percent"}])
    awscli("cloudwatch", "put-metric-data", "--namespace", ns, "--metric-data", data)
    listed = awscli("cloudwatch", "list-metrics", "--namespace", ns)["Metrics"]
    assert listed == [{"Namespace": ns, "MetricName": "Load", "Dimensions": [{"Name": "Stage", "Value": "a & b"}]}]
    query = json.dumps([{"Id": i, "MetricStat": {"Metric": listed[0], "Period": 60, "Stat": s}}
                        for i, s in (("s", "Sum"), ("n", "SampleCount"), ("p", "p50"))])
    window = ["--start-time", minute(10).isoformat(), "--end-time", minute(0).isoformat()]
    got = awscli("cloudwatch", "get-metric-data", "--metric-data-queries", query, "--scan-by", "TimestampAscending", *window)
    assert [(r["Id"], r["Values"], r["StatusCode"]) for r in got["MetricDataResults"]] == [
        ("s", [4.25, 5.0], "Complete"), ("n", [1.0, 4.0], "Complete"), ("p", [4.25, 1.0], "Complete")]
    first = got["MetricDataResults"][0]["Timestamps"][0]  # version 1 prints it as it came, version 2 as ISO 8601
    assert (datetime.datetime.fromisoformat(first).timestamp() if isinstance(first, str) else first) == minute(3).timestamp()
    old = awscli("cloudwatch", "get-metric-statistics", "--namespace", ns, "--metric-name", "Load", "--dimensions",
                 "Name=Stage,Value=a & b", "--period", "60", "--statistics", "Maximum", "Average", *window)
    assert sorted((p["Maximum"], p["Average"], p["Unit"]) for p in old["Datapoints"]) == [(2.0, 1.25, "Percent"), (4.25, 4.25, "Percent")]
    alarm = f"alarm {os.path.basename(awscli.home)[:40]}"
    awscli("cloudwatch", "put-metric-alarm", "--alarm-name", alarm, "--namespace", ns, "--metric-name", "Silent", "--dimensions",
           "Name=Stage,Value=a & b", "--statistic", "Average", "--period", "60", "--evaluation-periods", "3", "--datapoints-to-alarm", "2",
           "--threshold", "5.5", "--comparison-operator", "GreaterThanThreshold", "--treat-missing-data", "ignore",
           "--alarm-actions", "arn:aws:sns:eu-west-1:123456789012:ops")
    awscli("cloudwatch", "set-alarm-state", "--alarm-name", alarm, "--state-value", "ALARM", "--state-reason", "a <drill>")
    shown = awscli("cloudwatch", "describe-alarms", "--alarm-names", alarm)["MetricAlarms"]
    assert len(shown) == 1
    assert (shown[0]["StateValue"], shown[0]["StateReason"], shown[0]["Threshold"], shown[0]["DatapointsToAlarm"]) == (
        "ALARM", "a <drill>", 5.5, 2)
    history = awscli("cloudwatch", "describe-alarm-history", "--alarm-name", alarm)["AlarmHistoryItems"]
    assert [h["HistoryItemType"] for h in history] == ["Action", "StateUpdate", "ConfigurationUpdate"]


def test_awscli_streams_functions_and_identity(awscli, calm, tmp_path):
    awscli = Awscli(awscli.path, calm, tmp_path)
    assert awscli("sts", "get-caller-identity")["Account"] == "123456789012"
    assert awscli("kinesis", "list-streams")["StreamNames"] == ["orders-ingest"]
    names = [f["FunctionName"] for f in awscli("lambda", "list-functions")["Functions"]]
    assert names == ["nightly-report", "orders-enrich", "orders-loader", "thumbnailer"]
    mappings = awscli("lambda", "list-event-source-mappings")["EventSourceMappings"]
    assert {m["FunctionArn"].split(":function:")[1] for m in mappings} == {"orders-enrich:live", "orders-loader:live"}
    said = awscli("sqs", "list-queues", secret="wrong", refused=True)
    assert "(SignatureDoesNotMatch)" in said or "(InvalidSignatureException)" in said


def test_awscli_batches_and_roles(awscli):
    """What only an older client writes in a form, and reads in XML."""
    name = f"more-{os.path.basename(awscli.home)[:40]}"
    arn = f"arn:aws:sqs:{awscli.sim.region}:123456789012:{name}-dead"
    dead = awscli("sqs", "create-queue", "--queue-name", f"{name}-dead")["QueueUrl"]
    policy = json.dumps({"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "2"})})
    url = awscli("sqs", "create-queue", "--queue-name", name, "--attributes", policy)["QueueUrl"]
    assert awscli("sqs", "list-dead-letter-source-queues", "--queue-url", dead)["queueUrls"] == [url]
    awscli("sqs", "send-message", "--queue-url", url, "--message-body", "x")
    got = awscli("sqs", "receive-message", "--queue-url", url)["Messages"][0]
    entries = [{"Id": "a", "ReceiptHandle": got["ReceiptHandle"], "VisibilityTimeout": 0}, {"Id": "b", "ReceiptHandle": "x", "VisibilityTimeout": 0}]
    changed = awscli("sqs", "change-message-visibility-batch", "--queue-url", url, "--entries", json.dumps(entries))
    assert [e["Id"] for e in changed["Successful"]] == ["a"]
    assert [(e["Id"], e["SenderFault"], e["Code"]) for e in changed["Failed"]] == [("b", True, "ReceiptHandleIsInvalid")]
    role = awscli("sts", "assume-role", "--role-arn", "arn:aws:iam::123456789012:role/ops", "--role-session-name", "me")
    assert role["Credentials"]["AccessKeyId"].startswith("ASIA") and role["AssumedRoleUser"]["Arn"].endswith(":assumed-role/ops/me")


# ---- boto3

def test_queue_paging(sim):
    sqs = sim.client("sqs")
    names = [f"page-{i:04d}" for i in range(1200)]
    for name in names:
        sqs.create_queue(QueueName=name)
    first = sqs.list_queues(QueueNamePrefix="page-")
    assert len(first["QueueUrls"]) == 1000 and "NextToken" not in first
    for size in (1000, 7):
        pages = list(sqs.get_paginator("list_queues").paginate(QueueNamePrefix="page-", PaginationConfig={"PageSize": size}))
        assert [u.rsplit("/", 1)[1] for p in pages for u in p["QueueUrls"]] == names
        assert len(pages) == -(-1200 // size)
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="none-")


def test_function_mapping_and_stream_paging(tmp_path):
    with Sim.start("empty", home=tmp_path) as s:
        fns, streams, sqs = s.client("lambda"), s.client("kinesis"), s.client("sqs")
        sqs.create_queue(QueueName="q")
        for i in range(120):
            fns.create_function(FunctionName=f"f{i:03d}", Runtime="python3.12", Role="arn:aws:iam::123456789012:role/r", Handler="h.h",
                                Code={"ZipFile": b"PK"}, Timeout=30)
            fns.create_event_source_mapping(EventSourceArn="arn:aws:sqs:eu-west-1:123456789012:q", FunctionName=f"f{i:03d}")
        for i in range(130):
            streams.create_stream(StreamName=f"s{i:03d}", ShardCount=1)
        pages = list(fns.get_paginator("list_functions").paginate())
        assert [len(p["Functions"]) for p in pages] == [50, 50, 20]
        assert [f["FunctionName"] for p in pages for f in p["Functions"]] == [f"f{i:03d}" for i in range(120)]
        pages = list(fns.get_paginator("list_event_source_mappings").paginate())
        assert [len(p["EventSourceMappings"]) for p in pages] == [100, 20]
        assert len({m["UUID"] for p in pages for m in p["EventSourceMappings"]}) == 120
        one = fns.list_event_source_mappings(FunctionName="f007")["EventSourceMappings"]
        assert [m["FunctionArn"].rsplit(":", 1)[1] for m in one] == ["f007"]
        pages = list(streams.get_paginator("list_streams").paginate())
        assert [n for p in pages for n in p["StreamNames"]] == [f"s{i:03d}" for i in range(130)]
        assert [p["HasMoreStreams"] for p in pages] == [True, False]
        assert fns.get_function(FunctionName="arn:aws:lambda:eu-west-1:123456789012:function:f001:$LATEST")["Configuration"]["Timeout"] == 30
        assert refused(fns.get_function, FunctionName="none") == ("ResourceNotFoundException", 404)
        assert refused(fns.create_function, FunctionName="f001", Role="r", Code={}) == ("ResourceConflictException", 409)
        assert refused(streams.create_stream, StreamName="s001", ShardCount=1) == ("ResourceInUseException", 400)


def test_messages(sim, rng):
    sqs = sim.client("sqs")
    url = sqs.create_queue(QueueName="messages", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    bodies = ["".join(rng.choice("aä€😀\t\n\"\\<&> \u202e") for _ in range(rng.randrange(1, 400))) for _ in range(40)]
    for body in bodies:  # botocore itself checks every MD5 it is told
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes={
            "text": {"DataType": "String", "StringValue": body[:50].strip() or "x"},
            "bytes": {"DataType": "Binary.x", "BinaryValue": rng.randbytes(20) + b"\0"}})
    seen = []
    while True:
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60, MessageAttributeNames=["b*", "text"],
                                  MessageSystemAttributeNames=["SentTimestamp"]).get("Messages", [])
        if not got:
            break
        for m in got:
            assert set(m["MessageAttributes"]) == {"text"} and set(m["Attributes"]) == {"SentTimestamp"}
        seen += [m["Body"] for m in got]
        done = sqs.delete_message_batch(QueueUrl=url, Entries=[{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(got)])
        assert len(done["Successful"]) == len(got)
    assert sorted(seen) == sorted(bodies)


def test_trace_header(sim):
    sqs = sim.client("sqs")
    url = sqs.create_queue(QueueName="traced")["QueueUrl"]
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793"
    sent = sqs.send_message(QueueUrl=url, MessageBody="x", MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": trace}})
    parts = b"".join(len(p).to_bytes(4, "big") + p for p in (b"AWSTraceHeader", b"String")) + b"\1" + len(trace).to_bytes(4, "big") + trace.encode()
    assert sent["MD5OfMessageSystemAttributes"] == hashlib.md5(parts).hexdigest()
    got = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["AWSTraceHeader"])["Messages"][0]
    assert got["Attributes"] == {"AWSTraceHeader": trace}


def test_message_refusals(sim):
    sqs = sim.client("sqs")
    url = sqs.create_queue(QueueName="refusals", Attributes={"MaximumMessageSize": "1024"})["QueueUrl"]
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x" * 1025)[1] == 400
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="bell \x07") == ("InvalidMessageContents", 400)
    assert refused(sqs.send_message_batch, QueueUrl=url, Entries=[{"Id": "a", "MessageBody": "1"}, {"Id": "a", "MessageBody": "2"}])[0] == (
        "AWS.SimpleQueueService.BatchEntryIdsNotDistinct")
    mixed = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "good", "MessageBody": "1"}, {"Id": "bad", "MessageBody": "x" * 2000}])
    assert [s["Id"] for s in mixed["Successful"]] == ["good"]
    assert [(f["Id"], f["SenderFault"]) for f in mixed["Failed"]] == [("bad", True)]
    assert refused(sqs.delete_message, QueueUrl=url, ReceiptHandle="nonsense") == ("ReceiptHandleIsInvalid", 404)
    got = sqs.receive_message(QueueUrl=url)["Messages"][0]
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=got["ReceiptHandle"], VisibilityTimeout=0)
    assert refused(sqs.change_message_visibility, QueueUrl=url, ReceiptHandle=got["ReceiptHandle"], VisibilityTimeout=5)[0] == (
        "AWS.SimpleQueueService.MessageNotInflight")
    assert refused(sqs.create_queue, QueueName="refusals", Attributes={"DelaySeconds": "9"})[0] == "QueueAlreadyExists"
    assert refused(sqs.set_queue_attributes, QueueUrl=url, Attributes={"VisibilityTimeout": "43201"})[0] == "InvalidAttributeValue"
    assert refused(sqs.set_queue_attributes, QueueUrl=url, Attributes={"Colour": "red"})[0] == "InvalidAttributeName"
    sqs.purge_queue(QueueUrl=url)
    assert refused(sqs.purge_queue, QueueUrl=url)[0] == "AWS.SimpleQueueService.PurgeQueueInProgress"
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_long_poll_waits_and_wakes(sim):
    import threading
    sqs = sim.client("sqs")
    url = sqs.create_queue(QueueName="long-poll")["QueueUrl"]
    begun = time.monotonic()
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
    assert 0.9 < time.monotonic() - begun < 3
    threading.Timer(0.3, lambda: sim.client("sqs").send_message(QueueUrl=url, MessageBody="now")).start()
    begun = time.monotonic()
    assert sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"][0]["Body"] == "now"
    assert time.monotonic() - begun < 5


def test_records(sim, rng):
    kinesis = sim.client("kinesis")
    kinesis.create_stream(StreamName="records", ShardCount=4)
    records = [{"Data": rng.randbytes(rng.randrange(1, 300)), "PartitionKey": f"k{rng.randrange(50)}"} for _ in range(300)]
    put = kinesis.put_records(StreamName="records", Records=records)
    assert put["FailedRecordCount"] == 0
    shards = kinesis.list_shards(StreamName="records")["Shards"]
    ranges = {s["ShardId"]: (int(s["HashKeyRange"]["StartingHashKey"]), int(s["HashKeyRange"]["EndingHashKey"])) for s in shards}
    for r, p in zip(records, put["Records"]):
        lo, hi = ranges[p["ShardId"]]
        assert lo <= int.from_bytes(hashlib.md5(r["PartitionKey"].encode()).digest(), "big") <= hi
    pages = []
    token = {"StreamName": "records"}
    while token:
        page = kinesis.list_shards(MaxResults=3, **token)
        pages.append(len(page["Shards"]))
        token = {"NextToken": page["NextToken"]} if "NextToken" in page else None
    assert pages == [3, 1]
    seen = []
    for shard in ranges:
        it = kinesis.get_shard_iterator(StreamName="records", ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        for _ in range(30):
            got = kinesis.get_records(ShardIterator=it, Limit=20)
            numbers = [int(r["SequenceNumber"]) for r in got["Records"]]
            assert numbers == sorted(numbers)
            seen += [(r["Data"], r["PartitionKey"]) for r in got["Records"]]
            it = got["NextShardIterator"]
            if not got["Records"]:
                assert got["MillisBehindLatest"] == 0
                break
    assert sorted(seen) == sorted((r["Data"], r["PartitionKey"]) for r in records)
    first = put["Records"][0]
    it = kinesis.get_shard_iterator(StreamName="records", ShardId=first["ShardId"], ShardIteratorType="AT_SEQUENCE_NUMBER",
                                    StartingSequenceNumber=first["SequenceNumber"])["ShardIterator"]
    assert kinesis.get_records(ShardIterator=it, Limit=1)["Records"][0]["Data"] == records[0]["Data"]
    assert refused(kinesis.get_records, ShardIterator="bm9uc2Vuc2U=") == ("InvalidArgumentException", 400)
    assert refused(kinesis.describe_stream, StreamName="none") == ("ResourceNotFoundException", 400)


def queries(metrics, stat="Sum", period=60):
    return [{"Id": f"q{i}", "MetricStat": {"Metric": m, "Period": period, "Stat": stat}} for i, m in enumerate(metrics)]


def test_values_come_back(sim, rng, minute):
    """Value for value, as doubles: what was put is what is read, in every statistic, also in coarser periods."""
    cw = sim.client("cloudwatch")
    metric = {"Namespace": "Values", "MetricName": "m", "Dimensions": [{"Name": "B", "Value": "2"}, {"Name": "A", "Value": "1"}]}
    put = {}
    for ago in range(1, 61):
        v = rng.choice([rng.randrange(1000), rng.uniform(-5, 5), rng.uniform(0, 1e-7), rng.uniform(1e9, 1e15), 0.1 + 0.2])
        put[minute(ago)] = float(v)
        cw.put_metric_data(Namespace="Values", MetricData=[{**{k: metric[k] for k in ("MetricName", "Dimensions")}, "Timestamp": minute(ago), "Value": v}])
    end = minute(0)
    metric["Dimensions"].reverse()
    got = cw.get_metric_data(MetricDataQueries=queries([metric]), StartTime=minute(60), EndTime=end)["MetricDataResults"][0]
    assert dict(zip(got["Timestamps"], got["Values"])) == {k: v for k, v in put.items() if k >= minute(60)}
    assert got["Timestamps"] == sorted(got["Timestamps"], reverse=True)
    for stat, fold in (("Maximum", max), ("Minimum", min), ("SampleCount", len)):
        coarse = cw.get_metric_data(MetricDataQueries=queries([metric], stat, 300), StartTime=minute(58), EndTime=end,
                                    ScanBy="TimestampAscending")["MetricDataResults"][0]
        buckets = {}
        for t, v in put.items():
            start = datetime.datetime.fromtimestamp(int(t.timestamp()) // 300 * 300, UTC)
            buckets.setdefault(start, []).append(v)
        for t, v in zip(coarse["Timestamps"], coarse["Values"]):
            assert v == fold(buckets[t])
    assert cw.get_metric_data(MetricDataQueries=queries([{**metric, "Dimensions": []}]), StartTime=minute(60),
                              EndTime=end)["MetricDataResults"][0]["Values"] == []


def test_datapoint_paging(sim, minute):
    cw = sim.client("cloudwatch")
    names = [f"m{i}" for i in range(5)]
    for name in names:
        cw.put_metric_data(Namespace="Paged", MetricData=[{"MetricName": name, "Timestamp": minute(k), "Value": k} for k in range(1, 31)])
    every = queries([{"Namespace": "Paged", "MetricName": n} for n in names])
    points, pages, token, partial = {}, 0, {}, 0
    while True:
        page = cw.get_metric_data(MetricDataQueries=every, StartTime=minute(60), EndTime=minute(-1), MaxDatapoints=17, **token)
        pages += 1
        assert sum(len(r["Values"]) for r in page["MetricDataResults"]) <= 17
        for r in page["MetricDataResults"]:
            partial += r["StatusCode"] == "PartialData"
            points.setdefault(r["Id"], []).extend(r["Values"])
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert pages == 9 and partial > 0
    assert points == {f"q{i}": [float(k) for k in range(1, 31)] for i in range(5)}
    assert refused(cw.get_metric_data, MetricDataQueries=every, StartTime=minute(9), EndTime=minute(1), NextToken="x")[0] == "InvalidNextToken"
    assert refused(cw.get_metric_data, MetricDataQueries=every * 101, StartTime=minute(9), EndTime=minute(1))[0] == "ValidationError"
    math = [{"Id": "e", "Expression": "m1/m2"}]
    assert refused(cw.get_metric_data, MetricDataQueries=math, StartTime=minute(9), EndTime=minute(1))[0] == "ValidationError"


def test_metric_listing_and_compressed_bodies(sim, minute):
    """1,000 metrics a call are over botocore's threshold: the body comes compressed."""
    cw = sim.client("cloudwatch")
    compressed = []
    cw.meta.events.register("before-send.cloudwatch.PutMetricData", lambda request, **kw: compressed.append(request.headers.get("Content-Encoding")))
    data = [{"MetricName": f"m{i % 10}", "Dimensions": [{"Name": "R", "Value": f"r{i}"}], "Value": i, "Timestamp": minute(1)} for i in range(1000)]
    cw.put_metric_data(Namespace="Listed", MetricData=data)
    assert compressed in ([b"gzip"], ["gzip"])
    pages = list(cw.get_paginator("list_metrics").paginate(Namespace="Listed"))
    assert [len(p["Metrics"]) for p in pages] == [500, 500]
    listed = [m for p in pages for m in p["Metrics"]]
    assert {m["Dimensions"][0]["Value"] for m in listed} == {f"r{i}" for i in range(1000)}
    got = cw.get_metric_data(MetricDataQueries=queries(listed[:500]), StartTime=minute(5), EndTime=minute(0))["MetricDataResults"]
    for m, r in zip(listed, got):
        assert r["Values"] == [float(m["Dimensions"][0]["Value"][1:])]
    one = cw.list_metrics(Namespace="Listed", MetricName="m3", Dimensions=[{"Name": "R", "Value": "r13"}])["Metrics"]
    assert [m["Dimensions"][0]["Value"] for m in one] == ["r13"]
    assert len(cw.list_metrics(Namespace="Listed", MetricName="m3", Dimensions=[{"Name": "R"}], RecentlyActive="PT3H")["Metrics"]) == 100


def test_alarm_paging_and_filters(sim):
    cw = sim.client("cloudwatch")
    for i in range(130):
        cw.put_metric_alarm(AlarmName=f"page-{i:03d}", Namespace="None", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
                            Threshold=1, ComparisonOperator="GreaterThanThreshold")
    cw.set_alarm_state(AlarmName="page-007", StateValue="ALARM", StateReason="drill")
    pages = list(cw.get_paginator("describe_alarms").paginate(AlarmNamePrefix="page-", AlarmTypes=["MetricAlarm", "CompositeAlarm"]))
    assert [len(p["MetricAlarms"]) for p in pages] == [100, 30]
    small = list(cw.get_paginator("describe_alarms").paginate(AlarmNamePrefix="page-", PaginationConfig={"PageSize": 60}))
    assert [len(p["MetricAlarms"]) for p in small] == [60, 60, 10]
    alarms = cw.describe_alarms(AlarmNamePrefix="page-", StateValue="ALARM")["MetricAlarms"]
    assert [a["AlarmName"] for a in alarms] == ["page-007"]
    assert cw.describe_alarms(AlarmNamePrefix="page-", AlarmTypes=["CompositeAlarm"])["MetricAlarms"] == []
    cw.disable_alarm_actions(AlarmNames=["page-001"])
    assert cw.describe_alarms(AlarmNames=["page-001"])["MetricAlarms"][0]["ActionsEnabled"] is False
    cw.delete_alarms(AlarmNames=[f"page-{i:03d}" for i in range(100)])
    assert len(cw.describe_alarms(AlarmNamePrefix="page-")["MetricAlarms"]) == 30
    assert refused(cw.set_alarm_state, AlarmName="page-001", StateValue="OK", StateReason="x")[0] == "ResourceNotFound"


# ---- who may

def test_credentials(sim, tmp_path):
    peer = sim.peer
    for service, call in (("sts", "get_caller_identity"), ("sqs", "list_queues"), ("kinesis", "list_streams"), ("lambda", "list_functions"),
                          ("cloudwatch", "describe_alarms")):
        code, status = refused(getattr(peer.with_secret("wrong").client(service), call))
        assert code in ("SignatureDoesNotMatch", "InvalidSignatureException") and status == 403
        other = boto3.client(service, region_name=sim.region, endpoint_url=sim.endpoint, aws_access_key_id="AKIDOTHER",
                             aws_secret_access_key=sim.secret_key, config=Config(retries={"max_attempts": 1}))
        assert refused(getattr(other, call))[0] in ("InvalidClientTokenId", "UnrecognizedClientException")
        token = boto3.client(service, region_name=sim.region, endpoint_url=sim.endpoint, aws_access_key_id=sim.access_key,
                             aws_secret_access_key=sim.secret_key, aws_session_token="x", config=Config(retries={"max_attempts": 1}))
        assert refused(getattr(token, call))[0] in ("InvalidClientTokenId", "UnrecognizedClientException")
        away = boto3.client(service, region_name="us-east-1", endpoint_url=sim.endpoint, aws_access_key_id=sim.access_key,
                            aws_secret_access_key=sim.secret_key, config=Config(retries={"max_attempts": 1}))
        assert refused(getattr(away, call))[0] in ("SignatureDoesNotMatch", "InvalidSignatureException")
    with Sim.start("empty", home=tmp_path, access_key="AKIDGIVEN", secret_key="given/secret+key") as given:
        assert given.client("sts").get_caller_identity()["Account"] == "123456789012"


# ---- CloudFormation and tags

def test_stack(calm, sim):
    cfn = calm.client("cloudformation")
    stack, = cfn.describe_stacks()["Stacks"]
    assert stack["StackName"] == "orders-prod" and stack["StackStatus"] == "UPDATE_COMPLETE"
    for name in ("orders-prod", stack["StackId"]):
        members = [m for p in cfn.get_paginator("list_stack_resources").paginate(StackName=name) for m in p["StackResourceSummaries"]]
        assert len(members) == 11 and all(isinstance(m["LastUpdatedTimestamp"], datetime.datetime) for m in members)
    queues = {m["PhysicalResourceId"] for m in members if m["ResourceType"] == "AWS::SQS::Queue"}
    assert queues < set(calm.client("sqs").list_queues()["QueueUrls"]) and len(queues) == 3
    assert [m["LogicalResourceId"] for m in members if m["ResourceStatus"] == "DELETE_COMPLETE"] == ["Validate"]
    assert refused(cfn.list_stack_resources, StackName="nope") == ("ValidationError", 400)
    assert refused(cfn.describe_stacks, StackName="nope") == ("ValidationError", 400)
    empty = sim.client("cloudformation")
    assert empty.describe_stacks()["Stacks"] == []
    assert refused(empty.list_stack_resources, StackName="orders-prod") == ("ValidationError", 400)


def test_tags(calm, sim):
    tagging = calm.client("resourcegroupstaggingapi")

    def found(size=50, **args):
        pages = tagging.get_paginator("get_resources").paginate(PaginationConfig={"PageSize": size}, **args)
        return [r["ResourceARN"].rsplit(":", 1)[1] for p in pages for r in p["ResourceTagMappingList"]]

    all_of_them, everything = found(), found(TagFilters=[{"Key": "pipeline", "Values": ["x", "orders"]}])
    assert len(everything) == 6 and set(everything) < set(all_of_them) and found(1) == all_of_them == found(4)
    assert found(TagFilters=[{"Key": "pipeline"}, {"Key": "aws:cloudformation:stack-name", "Values": ["orders-prod"]}]) == everything
    assert found(TagFilters=[{"Key": "managed-by", "Values": ["terraform"]}]) == ["IteratorAgeHigh", "LoadBacklog"]
    assert found(ResourceTypeFilters=["sns"]) == ["data-batch", "data-mail", "oncall-data"]
    assert found(ResourceTypeFilters=["cloudwatch:alarm"], TagFilters=[{"Key": "aws:cloudformation:stack-name"}]) == [
        "DlqNotEmpty", "HighErrorRate", "LowThroughput"]
    assert found(TagFilters=[{"Key": "pipeline", "Values": ["x"]}]) == found(TagFilters=[{"Key": "team"}]) == []
    assert found(ResourceTypeFilters=["kinesis:stream"]) == ["stream/orders-ingest"]
    assert len(found(ResourceTypeFilters=["sqs", "lambda:function"])) == 5 and found(ResourceTypeFilters=["lambda:layer"]) == []
    assert sim.client("resourcegroupstaggingapi").get_resources()["ResourceTagMappingList"] == []
