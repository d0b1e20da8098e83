"""Each scenario of the embedded AWS, read as an engineer would read it with awscli or boto3: what is wrong, since when, why and by
whom. And does it agree with itself: metrics, logs, queues and alarms are of one world, and what clients change the world heeds."""

import base64
import collections
import datetime
import json
import re
import time

import pytest
from botocore.exceptions import ClientError
from simtools import Sim

UTC = datetime.timezone.utc
FROZEN = "2026-11-23T03:14:42Z"
NOW = datetime.datetime(2026, 11, 23, 3, 14, 42, tzinfo=UTC)
ZERO = NOW.replace(second=0)  # the minute in progress
MINUTE = datetime.timedelta(minutes=1)
HELD = ZERO - 369 * MINUTE  # 21:05
ENRICH, LOADER = {"FunctionName": "orders-enrich"}, {"FunctionName": "orders-loader"}


class World:
    def __init__(self, scenario, home, **options):
        self.sim = Sim.start(scenario, home=home, **{"now": FROZEN, **options})

    def client(self, service):
        return self.sim.client(service)

    def metric(self, ns, name, dims, stat="Sum", minutes=60, end=ZERO):
        """{minute: value}"""
        metric = {"Namespace": ns, "MetricName": name, "Dimensions": [{"Name": k, "Value": v} for k, v in dims.items()]}
        pages = self.client("cloudwatch").get_paginator("get_metric_data").paginate(
            MetricDataQueries=[{"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}}],
            StartTime=end - minutes * MINUTE, EndTime=end)
        return {t: v for p in pages for r in p["MetricDataResults"] for t, v in zip(r["Timestamps"], r["Values"])}

    def lines(self, function, pattern="", minutes=60, end=NOW, **more):
        pages = self.client("logs").get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{function}", filterPattern=pattern, startTime=ms(end - minutes * MINUTE), endTime=ms(end) - 1, **more)
        return [e for p in pages for e in p["events"]]

    def alarms(self, state="ALARM"):
        return {a["AlarmName"]: a for a in self.client("cloudwatch").describe_alarms(StateValue=state)["MetricAlarms"]}

    def trail(self, name):
        found = self.client("cloudtrail").lookup_events(LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": name}])["Events"]
        return [(e["EventTime"], e["EventName"], e["Username"], json.loads(e["CloudTrailEvent"])["requestParameters"]) for e in found]

    def queue(self, name):
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def ms(t):
    return int(t.timestamp() * 1000)


def at(event):
    return datetime.datetime.fromtimestamp(event["timestamp"] / 1000, UTC)


def ago(alarm):
    return int((NOW - alarm["StateTransitionedTimestamp"]) / MINUTE)


def until(what, seconds=60):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "never came true"
        time.sleep(0.1)


@pytest.fixture
def world(tmp_path):
    worlds = []

    def start(scenario, **options):
        worlds.append(World(scenario, tmp_path, **options))
        return worlds[-1]

    yield start
    for w in worlds:
        w.sim.stop()


@pytest.fixture(scope="module")
def poison(tmp_path_factory):
    w = World("poison-shard", tmp_path_factory.mktemp("sim"))
    yield w
    w.sim.stop()


# ---- poison-shard: the incident of the screens

def test_the_held_shard(poison):
    kinesis = poison.client("kinesis")
    summary = kinesis.describe_stream_summary(StreamName="orders-ingest")["StreamDescriptionSummary"]
    assert (summary["OpenShardCount"], summary["RetentionPeriodHours"]) == (8, 24)
    assert "IteratorAgeMilliseconds" in summary["EnhancedMonitoring"][0]["ShardLevelMetrics"]
    stream = {"StreamName": "orders-ingest"}
    age = poison.metric("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", stream, "Maximum", minutes=400)
    held = {t: v for t, v in age.items() if t >= HELD}
    assert len(held) == 369 and all(v == (t + MINUTE - HELD) / MINUTE * 60000 for t, v in held.items())  # 1 second a second since 21:05
    assert max(v for t, v in age.items() if t < HELD) < 2000
    last = ZERO - MINUTE
    for i in range(8):
        shard = {**stream, "ShardId": f"shardId-{i:012}"}
        ages = poison.metric("AWS/Kinesis", "IteratorAgeMilliseconds", shard, "Maximum", minutes=2)
        got = poison.metric("AWS/Kinesis", "OutgoingRecords", shard, minutes=2)
        into = poison.metric("AWS/Kinesis", "IncomingRecords", shard, minutes=2)
        assert (ages[last], got[last]) == (369 * 60000, 0) if i == 3 else ages[last] < 1000 and got[last] == into[last]
        assert 50 < into[last] / 60 < 53
    total = sum(poison.metric("AWS/Kinesis", "IncomingRecords", {**stream, "ShardId": f"shardId-{i:012}"}, minutes=2)[last] for i in range(8))
    assert total == poison.metric("AWS/Kinesis", "IncomingRecords", stream, minutes=2)[last] == 412 * 60
    incoming = poison.metric("AWS/Kinesis", "IncomingRecords", stream, minutes=369)
    outgoing = poison.metric("AWS/Kinesis", "GetRecords.Records", stream, minutes=369)
    assert len(incoming) == len(outgoing) == 369
    assert round((sum(incoming.values()) - sum(outgoing.values())) / 1e6, 1) == 2.0  # what waits


def test_the_batch_that_holds_it(poison):
    kinesis = poison.client("kinesis")
    iterator = kinesis.get_shard_iterator(StreamName="orders-ingest", ShardId="shardId-000000000003", ShardIteratorType="TRIM_HORIZON")
    records = kinesis.get_records(ShardIterator=iterator["ShardIterator"], Limit=500)["Records"]
    assert len(records) == 500 and records[0]["ApproximateArrivalTimestamp"] == HELD
    sizes = [len(r["Data"]) for r in records]
    assert sizes.index(max(sizes)) == 36 and max(sizes) > 900_000 and sorted(sizes)[-2] < 3000
    order = json.loads(records[36]["Data"])
    assert order["order_id"] == "o-88121" and len(order["lines"]) == 48112 and order["schema"] == 2
    said = poison.lines("orders-enrich", '"first sequence number"', minutes=2)
    assert said and records[0]["SequenceNumber"] in said[0]["message"] and "batch of 500 records from shardId-000000000003" in said[0]["message"]


def test_the_arithmetic_of_its_failures(poison):
    errors = poison.metric("AWS/Lambda", "Errors", ENRICH, minutes=369)
    invocations = poison.metric("AWS/Lambda", "Invocations", ENRICH, minutes=369)
    assert sum(errors.values()) == 1412 and len(errors) == 369 and round(1412 / 369, 1) == 3.8
    last = ZERO - MINUTE
    assert round(100 * errors[last] / invocations[last], 1) == 7.8
    assert poison.metric("DataPipeline", "ErrorRate", {"Stage": "enrich"}, "Average", minutes=1)[last] == 7.8
    assert sum(poison.metric("AWS/Lambda", "Errors", ENRICH, minutes=20, end=HELD).values()) <= 6  # before: a stray one
    kills = poison.lines("orders-enrich", '"Error Type: Runtime.OutOfMemory"', minutes=369, end=ZERO)
    starts = collections.Counter(at(e).replace(second=0, microsecond=0) for e in poison.lines("orders-enrich", '"first sequence number"', minutes=369,
                                                                                              end=ZERO))
    assert starts == {t: n for t, n in errors.items() if n} and len(kills) in (1411, 1412)  # the last may end in the next minute
    assert "\tMax Memory Used: 512 MB\tStatus: error\tError Type: Runtime.OutOfMemory" in kills[-1]["message"]
    request = kills[-1]["message"].split()[2]
    mine = poison.lines("orders-enrich", f'"{request}"', minutes=3)
    assert [e["message"].split()[0] for e in mine] == ["START", "[INFO]", "END", "REPORT", "RequestId:"]
    assert mine[0]["message"] == f"START RequestId: {request} Version: 42\n" and mine[-1]["message"].endswith("signal: killed\nRuntime.ExitError\n")
    assert {e["logStreamName"] for e in mine} == {mine[0]["logStreamName"]} and "[42]" in mine[0]["logStreamName"]


def test_who_released_it(poison):
    fns = poison.client("lambda")
    assert [v["Version"] for v in fns.list_versions_by_function(FunctionName="orders-enrich")["Versions"]] == ["$LATEST", "40", "41", "42"]
    assert fns.get_alias(FunctionName="orders-enrich", Name="live")["FunctionVersion"] == "42"
    released = HELD - 7 * MINUTE
    assert ("20:58", "21:05") == (f"{released:%H:%M}", f"{HELD:%H:%M}")
    assert poison.trail("orders-enrich")[:2] == [
        (released, "UpdateAlias20150331", "dana.k", {"functionName": "orders-enrich", "name": "live", "functionVersion": "42"}),
        (released - 4 * MINUTE, "PublishVersion20150331", "dana.k", {"functionName": "orders-enrich", "description": "release 42: schema 2"})]
    assert poison.trail("orders-loader")[0][:3] == (ZERO - 2 * MINUTE, "UpdateAlias20150331", "ops")
    mapping = next(m for m in fns.list_event_source_mappings()["EventSourceMappings"] if ":kinesis:" in m["EventSourceArn"])
    assert (mapping["BatchSize"], mapping["BisectBatchOnFunctionError"], mapping["MaximumRetryAttempts"], mapping["ParallelizationFactor"]) == (500, False, -1, 1)
    assert mapping["FunctionArn"].endswith(":orders-enrich:live") and mapping["LastProcessingResult"] == "PROBLEM: Function call failed"
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"].endswith(":orders-enrich-fail")
    versions = [re.search(r"Version: (\S+)", e["message"])[1] for e in poison.lines("orders-enrich", "START", minutes=10, end=released + 5 * MINUTE)]
    assert set(versions) == {"41", "42"} and sorted(versions) == versions


def test_its_alarms_and_who_is_told(poison):
    alarms = poison.alarms()
    assert {n: ago(a) for n, a in alarms.items()} == {"HighErrorRate": 33, "IteratorAgeHigh": 338, "DlqNotEmpty": 1740}
    assert "Runbook: https://" in alarms["HighErrorRate"]["AlarmDescription"] and "Owner: data-platform" in alarms["HighErrorRate"]["AlarmDescription"]
    sns, cw = poison.client("sns"), poison.client("cloudwatch")
    told = {t["TopicArn"].rsplit(":", 1)[1]: [(s["Protocol"], s["SubscriptionArn"] != "PendingConfirmation") for s in
                                              sns.list_subscriptions_by_topic(TopicArn=t["TopicArn"])["Subscriptions"]] for t in sns.list_topics()["Topics"]}
    assert told == {"oncall-data": [("https", True), ("email", True)], "data-mail": [("email", True)], "data-batch": [("email", False)]}
    every = {a["AlarmName"]: a for a in cw.describe_alarms()["MetricAlarms"]}
    assert [n for n, a in every.items() if not a["ActionsEnabled"]] == ["LoaderThrottles"]
    assert every["IteratorAgeHigh"]["AlarmActions"][0].endswith(":data-mail") and every["LoadAge"]["AlarmActions"][0].endswith(":data-batch")
    tags = {n: {t["Key"]: t["Value"] for t in cw.list_tags_for_resource(ResourceARN=a["AlarmArn"])["Tags"]} for n, a in every.items()}
    assert tags["HighErrorRate"]["aws:cloudformation:stack-name"] == "orders-prod" and tags["IteratorAgeHigh"]["managed-by"] == "terraform"
    assert tags["LoadAge"] == {}
    history = cw.describe_alarm_history(AlarmName="HighErrorRate", HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert [h["Timestamp"] for h in history] == [alarms["HighErrorRate"]["StateTransitionedTimestamp"]]
    data = json.loads(history[0]["HistoryData"])["newState"]["stateReasonData"]
    rates = poison.metric("DataPipeline", "ErrorRate", {"Stage": "enrich"}, "Average")
    assert data["threshold"] == 5 and len(data["evaluatedDatapoints"]) == 3
    for point in data["evaluatedDatapoints"]:
        assert rates[datetime.datetime.fromisoformat(point["timestamp"])] == point["value"] > 5
    acts = cw.describe_alarm_history(AlarmName="HighErrorRate", HistoryItemType="Action")["AlarmHistoryItems"]
    assert [json.loads(a["HistoryData"])["notificationResource"].rsplit(":", 1)[1] for a in acts] == ["oncall-data"]
    assert poison.trail("LoaderThrottles")[0][1:3] == ("DisableAlarmActions", "sam.w")


def receive_all(w, name, most=10_000):
    sqs, (url, _), got = w.client("sqs"), w.queue(name), []
    while len(got) < most:
        page = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0 if most <= 10 else 3600,
                                   MessageSystemAttributeNames=["All"]).get("Messages", [])
        got += page
        if not page:
            break
    return got


def test_its_dead_letters(world):
    w = world("poison-shard")
    url, attributes = w.queue("orders-load-dlq")
    depth = w.metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "orders-load-dlq"}, "Maximum", minutes=120)
    assert int(attributes["ApproximateNumberOfMessages"]) == depth[ZERO - MINUTE] == 1291
    assert round((depth[ZERO - MINUTE] - depth[ZERO - 120 * MINUTE]) / 119, 1) == 0.7
    age = w.metric("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": "orders-load-dlq"}, "Maximum", minutes=2)[ZERO - MINUTE]
    assert 29 < age / 3600 < 29.1  # from the move; the truth is:
    letters = receive_all(w, "orders-load-dlq")
    sent = [datetime.datetime.fromtimestamp(int(m["Attributes"]["SentTimestamp"]) / 1000, UTC) for m in letters]
    assert datetime.timedelta(hours=73.9) < NOW - min(sent) < datetime.timedelta(hours=74.1)
    assert min(sent) + datetime.timedelta(days=4) - NOW < datetime.timedelta(hours=22.1)
    shapes = collections.Counter("0000" if "0000-00-00" in m["Body"] else "long" if json.loads(m["Body"]).get("items", 0) >= 1000 else "other" for m in letters)
    assert shapes == {"0000": 1022, "long": 262, "other": 7} and len({m["MessageId"] for m in letters}) == 1291
    # The log says of each why it failed: five times, six minutes apart.
    newest = letters[-40]
    tries = w.lines("orders-loader", f'"message {newest["MessageId"]}"', minutes=240)
    assert [e["message"].rsplit(" ", 1)[1].strip() for e in tries] == ["1", "2", "3", "4", "5"]
    assert all(a["timestamp"] // 60000 + 6 == b["timestamp"] // 60000 for a, b in zip(tries, tries[1:]))
    request = tries[-1]["message"].split("\t")[2]
    whole = "".join(e["message"] for e in w.lines("orders-loader", f'"{request}"', minutes=4, end=at(tries[-1]) + 3 * MINUTE))
    assert ("Task timed out after 60.03 seconds" in whole) == ("items" in newest["Body"])


def test_the_loaders_log_agrees_with_its_metrics(poison):
    """Over an hour: every failed invocation has its lines, and there are no others."""
    end = ZERO - 2 * MINUTE
    errors = poison.metric("AWS/Lambda", "Errors", LOADER, end=end)
    traces = poison.lines("orders-loader", '"[ERROR]"', end=end)
    timeouts = poison.lines("orders-loader", '"Task timed out after 60.03 seconds"', minutes=60, end=end + MINUTE)
    begun = [t for t in (at(e) - datetime.timedelta(seconds=60.03) for e in timeouts) if end - 60 * MINUTE <= t < end]
    assert sum(errors.values()) == len(traces) + len(begun) and len(traces) > 100 and len(begun) > 20
    assert {re.match(r"\[ERROR\] (\w+): ", e["message"])[1] for e in traces} <= {"ValueError", "ClientError"}
    assert "Traceback (most recent call last):\n  File \"/var/task/app.py\", line 41, in handler\n" in traces[0]["message"]
    reports = poison.lines("orders-loader", "REPORT", minutes=1, end=end)
    assert abs(len(reports) - poison.metric("AWS/Lambda", "Invocations", LOADER, minutes=1, end=end)[end - MINUTE]) < 60  # some end later
    slowest = poison.metric("AWS/Lambda", "Duration", LOADER, "Maximum", minutes=60, end=end)
    assert max(slowest.values()) == 60030


def kinesis_event(records):
    return json.dumps({"Records": [{"kinesis": {"data": base64.b64encode(r["Data"]).decode(), "sequenceNumber": r["SequenceNumber"]}} for r in records]})


def test_functions_fail_as_their_version_does(world):
    w = world("poison-shard")
    fns, kinesis = w.client("lambda"), w.client("kinesis")
    it = kinesis.get_shard_iterator(StreamName="orders-ingest", ShardId="shardId-000000000003", ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    batch = kinesis.get_records(ShardIterator=it, Limit=50)["Records"]

    def run(function, qualifier, payload):
        answer = fns.invoke(FunctionName=function, Qualifier=qualifier, Payload=payload)
        document = json.loads(answer["Payload"].read())
        return answer["ExecutedVersion"], answer.get("FunctionError"), document.get("errorType")

    assert run("orders-enrich", "live", kinesis_event(batch)) == ("42", "Unhandled", "Runtime.ExitError")
    assert run("orders-enrich", "41", kinesis_event(batch)) == ("41", None, None)
    assert run("orders-enrich", "live", kinesis_event(batch[:36])) == ("42", None, None)
    letters = {("zero" if "0000-00-00" in m["Body"] else "long" if "items" in m["Body"] else "?"): m["Body"] for m in receive_all(w, "orders-load-dlq", 60)}
    zero, long = (json.dumps({"Records": [{"body": letters[k]}]}) for k in ("zero", "long"))
    assert run("orders-loader", "17", zero) == ("17", "Unhandled", "ValueError")
    assert run("orders-loader", "live", zero) == ("18", None, None)
    assert run("orders-loader", "live", long) == ("18", "Unhandled", "Sandbox.Timedout")
    invoked = w.client("logs").filter_log_events(logGroupName="/aws/lambda/orders-loader", startTime=ms(NOW), endTime=ms(NOW) + 200,
                                                 filterPattern='"Version: 17"')["events"]
    assert len(invoked) == 1


def test_a_rollback_frees_the_shard(world):
    w = world("poison-shard", now=None, speed=600)
    fns = w.client("lambda")
    fns.update_alias(FunctionName="orders-enrich", Name="live", FunctionVersion="41")

    def age():
        end = datetime.datetime.now(UTC) + datetime.timedelta(days=2)
        got = w.metric("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", {"StreamName": "orders-ingest"}, "Maximum", minutes=3 * 1440, end=end)
        return got[max(got)]

    until(lambda: age() < 2000)
    until(lambda: "IteratorAgeHigh" not in w.alarms())
    assert w.trail("orders-enrich")[0][1:3] == ("UpdateAlias20150331", "sluice")
    mapping = next(m for m in fns.list_event_source_mappings()["EventSourceMappings"] if ":kinesis:" in m["EventSourceArn"])
    assert mapping["LastProcessingResult"] == "OK"


def test_unsticking_the_mapping(world):
    """Bisect, three tries, then to the on-failure queue: the batch's record goes there, and the shard goes on."""
    w = world("poison-shard", now=None, speed=600)
    fns = w.client("lambda")
    mapping = next(m for m in fns.list_event_source_mappings()["EventSourceMappings"] if ":kinesis:" in m["EventSourceArn"])
    fns.update_event_source_mapping(UUID=mapping["UUID"], BisectBatchOnFunctionError=True, MaximumRetryAttempts=3)
    until(lambda: w.queue("orders-enrich-fail")[1]["ApproximateNumberOfMessages"] == "1")
    record = json.loads(receive_all(w, "orders-enrich-fail", 10)[0]["Body"])
    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted" and record["requestContext"]["functionArn"].endswith(":orders-enrich:live")
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "42", "functionError": "Unhandled"}
    info = record["KinesisBatchInfo"]
    assert (info["shardId"], info["batchSize"], info["startSequenceNumber"] == info["endSequenceNumber"]) == ("shardId-000000000003", 1, True)
    kinesis = w.client("kinesis")
    it = kinesis.get_shard_iterator(StreamName="orders-ingest", ShardId=info["shardId"], ShardIteratorType="AT_SEQUENCE_NUMBER",
                                    StartingSequenceNumber=info["startSequenceNumber"])["ShardIterator"]
    assert len(kinesis.get_records(ShardIterator=it, Limit=1)["Records"][0]["Data"]) > 900_000
    until(lambda: "IteratorAgeHigh" not in w.alarms())


def test_frozen_logs_are_the_same_every_time(world, poison):
    other = world("poison-shard")
    for function in ("orders-enrich", "orders-loader"):
        first, second = (w.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}", startTime=ms(ZERO - 90 * MINUTE), limit=500)["events"]
                         for w in (poison, other))
        assert first == second and len(first) == 500


# ---- the others

def test_calm(world):
    w = world("calm")
    assert w.alarms() == {} and w.alarms("INSUFFICIENT_DATA") == {}
    incoming = w.metric("AWS/Kinesis", "IncomingRecords", {"StreamName": "orders-ingest"}, minutes=1439)
    assert len(incoming) == 1439 and 300 < min(incoming.values()) / 60 < 340 and max(incoming.values()) / 60 < 432  # night and day
    errors = w.metric("AWS/Lambda", "Errors", ENRICH, minutes=600)
    assert 10 < sum(errors.values()) < 80 and max(errors.values()) == 1
    traces = w.lines("orders-enrich", "ERROR", minutes=600, end=ZERO)
    assert len(traces) in (sum(errors.values()), sum(errors.values()) - 1)
    assert all("[ERROR] ReadTimeout: " in e["message"] for e in traces)
    history = w.client("cloudwatch").describe_alarm_history(HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert history == []
    assert w.client("kinesis").describe_stream_summary(StreamName="orders-ingest")["StreamDescriptionSummary"]["EnhancedMonitoring"][0]["ShardLevelMetrics"] == []


def test_bad_deploy(world):
    w = world("bad-deploy")
    assert {n: ago(a) for n, a in w.alarms().items()} == {"HighErrorRate": 19}
    released = ZERO - 22 * MINUTE
    assert w.trail("orders-enrich")[0] == (released, "UpdateAlias20150331", "dana.k",
                                           {"functionName": "orders-enrich", "name": "live", "functionVersion": "42"})
    errors, invocations = (w.metric("AWS/Lambda", n, ENRICH, minutes=60) for n in ("Errors", "Invocations"))
    assert all(0.35 < errors[t] / invocations[t] < 0.41 if t >= released else errors[t] <= 1 for t in errors)
    traces = w.lines("orders-enrich", "PoolTimeout", minutes=60, end=ZERO)
    assert len(traces) == sum(v for t, v in errors.items() if t >= released) - sum(at(e) >= ZERO for e in w.lines("orders-enrich", "PoolTimeout", minutes=1))
    assert min(at(e) for e in traces) >= released and all("[42]" in e["logStreamName"] for e in traces)
    outcomes = [w.client("lambda").invoke(FunctionName="orders-enrich", Qualifier=q, Payload=b"{}").get("FunctionError") for q in ["live"] * 50 + ["41"] * 50]
    assert outcomes[:50].count("Unhandled") == 19 and set(outcomes[50:]) == {None}


def test_a_rollback_ends_a_bad_deploy(world):
    w = world("bad-deploy", now=None, speed=600)
    w.client("lambda").update_alias(FunctionName="orders-enrich", Name="live", FunctionVersion="41")
    until(lambda: w.alarms() == {})


def test_dlq_growth(world):
    w = world("dlq-growth")
    assert {n: ago(a) for n, a in w.alarms().items()} == {"DlqNotEmpty": 1740}
    assert w.queue("orders-load-dlq")[1]["ApproximateNumberOfMessages"] == "1291"
    names = collections.Counter(re.match(r"\[ERROR\] (\w+)", e["message"])[1] for e in w.lines("orders-loader", '"[ERROR]"', minutes=120))
    assert names["ValueError"] > 300 and w.lines("orders-loader", '"Task timed out"', minutes=60)
    assert w.client("lambda").get_alias(FunctionName="orders-loader", Name="live")["FunctionVersion"] == "17"


def test_throttled_consumer(world):
    w = world("throttled-consumer")
    assert {n: ago(a) for n, a in w.alarms().items()} == {"LoadAge": 67, "LoadBacklog": 92, "LoaderThrottles": 94}
    assert w.client("lambda").get_function_concurrency(FunctionName="orders-loader")["ReservedConcurrentExecutions"] == 20
    assert w.trail("orders-loader")[0] == (ZERO - 95 * MINUTE, "PutFunctionConcurrency20171031", "sam.w",
                                           {"functionName": "orders-loader", "reservedConcurrentExecutions": 20})
    last = ZERO - MINUTE
    assert w.metric("AWS/Lambda", "ConcurrentExecutions", LOADER, "Maximum", minutes=90) == {last - i * MINUTE: 20 for i in range(90)}
    assert min(w.metric("AWS/Lambda", "Throttles", LOADER, minutes=90).values()) > 1000
    depth = w.metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "orders-load"}, "Maximum", minutes=90)
    sent, done = (w.metric("AWS/SQS", n, {"QueueName": "orders-load"}, minutes=90) for n in ("NumberOfMessagesSent", "NumberOfMessagesDeleted"))
    grown = sum(sent[t] - done[t] for t in sent if t > min(depth))
    assert abs(depth[last] - depth[min(depth)] - grown) < 100 and depth[last] > 1_000_000
    assert int(w.queue("orders-load")[1]["ApproximateNumberOfMessages"]) == depth[last]
    assert sum(w.metric("AWS/Lambda", "Errors", LOADER, minutes=90).values()) < 20  # nothing fails


def test_the_throttled_consumer_recovers(world):
    w = world("throttled-consumer", now=None, speed=600)
    w.client("lambda").delete_function_concurrency(FunctionName="orders-loader")
    until(lambda: w.alarms() == {} and int(w.queue("orders-load")[1]["ApproximateNumberOfMessages"]) < 1000)


def test_silent_producer(world):
    w = world("silent-producer")
    assert {n: ago(a) for n, a in w.alarms().items()} == {"LowThroughput": 20}  # 3 of 3, but an alarm looks 5 back
    stopped = ZERO - 25 * MINUTE
    for ns, name, dims in (("AWS/Kinesis", "IncomingRecords", {"StreamName": "orders-ingest"}), ("AWS/Lambda", "Invocations", ENRICH),
                           ("DataPipeline", "RecordsProcessed", {"Stage": "enrich"})):
        got = w.metric(ns, name, dims)
        assert max(got) == stopped - MINUTE and len(got) == 35, name  # silence, not zero
    assert sum(w.metric("AWS/Lambda", "Errors", ENRICH).values()) <= 6
    assert set(w.metric("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", {"StreamName": "orders-ingest"}, "Maximum", minutes=20).values()) == {0}
    assert w.queue("orders-load")[1]["ApproximateNumberOfMessages"] == "0" and w.lines("orders-enrich", "START", minutes=20) == []
    reason = w.alarms()["LowThroughput"]["StateReason"]
    assert "no datapoints were received for 3 periods" in reason or "was less than the threshold" in reason or "were less than" in reason


def test_expired_token(world):
    w = world("expired-token", now=None)
    sqs, seen = w.sim.once("sqs"), []
    for _ in range(8):
        try:
            sqs.list_queues()
            seen.append("ok")
        except ClientError as e:
            seen.append(e.response["Error"]["Code"])
    assert seen == ["ok"] * 5 + ["ExpiredToken"] * 3
    with pytest.raises(ClientError) as e:
        w.sim.once("lambda").list_functions()
    assert e.value.response["Error"]["Code"] == "ExpiredTokenException"


def test_slow_network(world):
    w = world("slow-network", now=None)
    specs = [f["spec"] for f in w.sim.report()["faults"]]
    assert [s.split(",")[0] for s in specs] == ["*=slow:5000", "*=delay:60000"]
    begun = datetime.datetime.now()
    assert w.sim.once("sqs", read_timeout=70).list_queues()["QueueUrls"]
    assert datetime.datetime.now() - begun > datetime.timedelta(seconds=0.5)


@pytest.mark.parametrize("scenario", ["calm", "poison-shard", "bad-deploy", "throttled-consumer", "silent-producer"])
def test_alarms_are_what_their_points_say(world, scenario):
    """Every alarm's state by its own rule over the points that any client reads."""
    w = world(scenario)
    better = {"GreaterThanThreshold": lambda v, t: v > t, "LessThanThreshold": lambda v, t: v < t}
    for a in w.client("cloudwatch").describe_alarms()["MetricAlarms"]:
        points = w.metric(a["Namespace"], a["MetricName"], {d["Name"]: d["Value"] for d in a["Dimensions"]}, a["Statistic"], minutes=a["EvaluationPeriods"])
        breaching = [better[a["ComparisonOperator"]](v, a["Threshold"]) for v in points.values()]
        breaching += [a["TreatMissingData"] == "breaching"] * (a["EvaluationPeriods"] - len(points))
        unknown = not points and a["TreatMissingData"] == "missing"
        assert a["StateValue"] == ("INSUFFICIENT_DATA" if unknown else "ALARM" if all(breaching) else "OK"), a["AlarmName"]
