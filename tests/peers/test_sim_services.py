"""The services of the embedded AWS that an incident is read from, with boto3: SNS, CloudTrail, Logs, a function's versions and
aliases, alarm history and tags. What one client writes, every other reads."""

import datetime
import json
import time

import pytest
from botocore.exceptions import ClientError
from simtools import Sim

UTC = datetime.timezone.utc
ACCOUNT = "arn:aws:{}:eu-west-1:123456789012:{}"


@pytest.fixture(scope="module")
def sim(tmp_path_factory):
    with Sim.start("empty", home=tmp_path_factory.mktemp("sim")) as s:
        yield s


def refused(call, **args):
    with pytest.raises(ClientError) as e:
        call(**args)
    return e.value.response["Error"]["Code"], e.value.response["ResponseMetadata"]["HTTPStatusCode"]


def a_function(sim, name, **more):
    return sim.client("lambda").create_function(FunctionName=name, Role="arn:aws:iam::123456789012:role/r", Runtime="python3.12",
                                                Handler="app.handler", Code={"ZipFile": b"one"}, **more)


# ---- SNS

def test_topics_and_subscriptions(sim):
    sns = sim.client("sns")
    arn = sns.create_topic(Name="pages", Tags=[{"Key": "owner", "Value": "data"}])["TopicArn"]
    assert arn == ACCOUNT.format("sns", "pages") and sns.create_topic(Name="pages")["TopicArn"] == arn
    assert arn in [t["TopicArn"] for t in sns.list_topics()["Topics"]]
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "owner", "Value": "data"}]
    assert sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="ops@example.org")["SubscriptionArn"] == "pending confirmation"
    queue = sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=ACCOUNT.format("sqs", "none"))["SubscriptionArn"]
    assert queue.startswith(arn + ":")
    got = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    assert [(s["Protocol"], s["SubscriptionArn"], s["Endpoint"]) for s in got] == [
        ("email", "PendingConfirmation", "ops@example.org"), ("sqs", queue, ACCOUNT.format("sqs", "none"))]
    assert all(s["TopicArn"] == arn and s["Owner"] == "123456789012" for s in got)
    attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (attributes["SubscriptionsConfirmed"], attributes["SubscriptionsPending"], attributes["SubscriptionsDeleted"]) == ("1", "1", "0")
    assert attributes["Owner"] == "123456789012" and json.loads(attributes["Policy"])["Statement"][0]["Resource"] == arn
    assert sns.get_subscription_attributes(SubscriptionArn=queue)["Attributes"]["PendingConfirmation"] == "false"
    assert {s["Protocol"] for s in sns.list_subscriptions()["Subscriptions"]} >= {"email", "sqs"}
    sns.unsubscribe(SubscriptionArn=queue)
    assert sns.get_topic_attributes(TopicArn=arn)["Attributes"]["SubscriptionsDeleted"] == "1"
    assert refused(sns.get_topic_attributes, TopicArn=ACCOUNT.format("sns", "nothing")) == ("NotFound", 404)
    assert refused(sns.subscribe, TopicArn=arn, Protocol="pigeon", Endpoint="x") == ("InvalidParameter", 400)


def test_pages_of_topics_and_subscriptions(tmp_path):
    with Sim.start("empty", home=tmp_path) as own:
        sns = own.client("sns")
        arns = sorted(sns.create_topic(Name=f"t-{i:03}")["TopicArn"] for i in range(103))
        pages = list(sns.get_paginator("list_topics").paginate())
        assert [len(p["Topics"]) for p in pages] == [100, 3] and [t["TopicArn"] for p in pages for t in p["Topics"]] == arns
        for i in range(101):
            sns.subscribe(TopicArn=arns[7], Protocol="email", Endpoint=f"u{i}@example.org")
        pages = list(sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arns[7]))
        assert [len(p["Subscriptions"]) for p in pages] == [100, 1]
        assert len({s["Endpoint"] for p in pages for s in p["Subscriptions"]}) == 101


def test_publish_reaches_queues(sim):
    sns, sqs = sim.client("sns"), sim.client("sqs")
    arn = sns.create_topic(Name="fan")["TopicArn"]
    plain, raw = (sqs.create_queue(QueueName=f"fan-{n}")["QueueUrl"] for n in ("plain", "raw"))
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=ACCOUNT.format("sqs", "fan-plain"))
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=ACCOUNT.format("sqs", "fan-raw"), Attributes={"RawMessageDelivery": "true"})
    sent = sns.publish(TopicArn=arn, Message="it <broke> & ä", Subject="ALARM", MessageAttributes={"k": {"DataType": "String", "StringValue": "v"}})
    body = json.loads(sqs.receive_message(QueueUrl=plain)["Messages"][0]["Body"])
    assert (body["Type"], body["Message"], body["Subject"], body["MessageId"], body["TopicArn"]) == (
        "Notification", "it <broke> & ä", "ALARM", sent["MessageId"], arn)
    assert body["MessageAttributes"] == {"k": {"Type": "String", "Value": "v"}}
    assert sqs.receive_message(QueueUrl=raw)["Messages"][0]["Body"] == "it <broke> & ä"
    sns.publish(TopicArn=arn, Message=json.dumps({"default": "d", "sqs": "for queues"}), MessageStructure="json")
    assert sqs.receive_message(QueueUrl=raw)["Messages"][0]["Body"] == "for queues"
    assert refused(sns.publish, TopicArn=arn, Message="{}", MessageStructure="json")[0] == "InvalidParameter"
    assert refused(sns.publish, TopicArn=arn, Message="x", Subject="two\nlines")[0] == "InvalidParameter"


def test_an_alarm_publishes(sim):
    sns, sqs, cw = sim.client("sns"), sim.client("sqs"), sim.client("cloudwatch")
    arn = sns.create_topic(Name="alarms")["TopicArn"]
    url = sqs.create_queue(QueueName="alarm-mail")["QueueUrl"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=ACCOUNT.format("sqs", "alarm-mail"))
    rule = dict(Namespace="N", MetricName="M", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=5.0, ComparisonOperator="GreaterThanThreshold",
                AlarmActions=[arn], TreatMissingData="ignore", Dimensions=[{"Name": "Stage", "Value": "x"}])
    cw.put_metric_alarm(AlarmName="loud", AlarmDescription="d", Tags=[{"Key": "owner", "Value": "data"}], **rule)
    cw.set_alarm_state(AlarmName="loud", StateValue="ALARM", StateReason="a test")
    body = json.loads(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"])
    assert body["Subject"].startswith('ALARM: "loud" in ')
    said = json.loads(body["Message"])
    assert (said["AlarmName"], said["NewStateValue"], said["OldStateValue"], said["NewStateReason"], said["AWSAccountId"]) == (
        "loud", "ALARM", "INSUFFICIENT_DATA", "a test", "123456789012")
    assert said["Trigger"]["Dimensions"] == [{"value": "x", "name": "Stage"}] and said["Trigger"]["Statistic"] == "SUM"
    assert said["AlarmArn"] == ACCOUNT.format("cloudwatch", "alarm:loud") and said["AlarmActions"] == [arn]
    cw.disable_alarm_actions(AlarmNames=["loud"])
    cw.set_alarm_state(AlarmName="loud", StateValue="OK", StateReason="quiet")
    cw.set_alarm_state(AlarmName="loud", StateValue="ALARM", StateReason="quiet")
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    assert cw.list_tags_for_resource(ResourceARN=ACCOUNT.format("cloudwatch", "alarm:loud"))["Tags"] == [{"Key": "owner", "Value": "data"}]
    cw.tag_resource(ResourceARN=ACCOUNT.format("cloudwatch", "alarm:loud"), Tags=[{"Key": "owner", "Value": "ops"}, {"Key": "a", "Value": "b"}])
    cw.untag_resource(ResourceARN=ACCOUNT.format("cloudwatch", "alarm:loud"), TagKeys=["a"])
    assert cw.list_tags_for_resource(ResourceARN=ACCOUNT.format("cloudwatch", "alarm:loud"))["Tags"] == [{"Key": "owner", "Value": "ops"}]


def test_alarm_history_as_aws_writes_it(sim):
    cw = sim.client("cloudwatch")
    sns = sim.client("sns").create_topic(Name="history")["TopicArn"]
    cw.put_metric_alarm(AlarmName="h", Namespace="N", MetricName="M", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=5.0,
                        ComparisonOperator="GreaterThanThreshold", AlarmActions=[sns], TreatMissingData="ignore")
    cw.set_alarm_state(AlarmName="h", StateValue="ALARM", StateReason="one", StateReasonData=json.dumps({"version": "1.0", "recentDatapoints": [9]}))
    cw.set_alarm_state(AlarmName="h", StateValue="OK", StateReason="two")
    items = cw.describe_alarm_history(AlarmName="h", ScanBy="TimestampAscending")["AlarmHistoryItems"]
    assert [(i["HistoryItemType"], i["HistorySummary"]) for i in items] == [
        ("ConfigurationUpdate", 'Alarm "h" created'), ("StateUpdate", "Alarm updated from INSUFFICIENT_DATA to ALARM"),
        ("Action", f"Successfully executed action {sns}"), ("StateUpdate", "Alarm updated from ALARM to OK")]
    made, alarm, action, ok = (json.loads(i["HistoryData"]) for i in items)
    assert made["type"] == "Create" and made["createdAlarm"]["alarmName"] == "h" and made["createdAlarm"]["threshold"] == 5
    assert alarm["oldState"]["stateValue"] == "INSUFFICIENT_DATA"
    assert alarm["newState"] == {"stateValue": "ALARM", "stateReason": "one", "stateReasonData": {"version": "1.0", "recentDatapoints": [9]}}
    assert action["actionState"] == "Succeeded" and action["notificationResource"] == sns
    assert json.loads(json.loads(action["publishedMessage"])["default"])["AlarmName"] == "h"
    assert (ok["oldState"]["stateValue"], ok["newState"]["stateReason"]) == ("ALARM", "two")


# ---- CloudTrail

def test_writes_are_on_the_trail(sim):
    sqs, trail = sim.client("sqs"), sim.client("cloudtrail")
    before = datetime.datetime.now(UTC) - datetime.timedelta(seconds=2)
    url = sqs.create_queue(QueueName="trailed")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "3600"})
    sqs.send_message(QueueUrl=url, MessageBody="data events are none")
    sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])

    def lookup(key, value, **more):
        return trail.lookup_events(LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}], **more)["Events"]

    events = lookup("ResourceName", "trailed")
    assert [e["EventName"] for e in events] == ["SetQueueAttributes", "CreateQueue"]
    e = events[0]
    assert (e["EventSource"], e["Username"], e["ReadOnly"], e["AccessKeyId"]) == ("sqs.amazonaws.com", "sluice", "false", sim.access_key)
    assert e["Resources"] == [{"ResourceType": "AWS::SQS::Queue", "ResourceName": "trailed"}] and e["EventTime"] >= before.replace(microsecond=0)
    document = json.loads(e["CloudTrailEvent"])
    assert document["eventID"] == e["EventId"] and document["eventName"] == "SetQueueAttributes" and document["awsRegion"] == "eu-west-1"
    assert document["requestParameters"] == {"queueUrl": url, "attributes": {"messageRetentionPeriod": "3600"}}
    assert document["userIdentity"]["arn"] == "arn:aws:iam::123456789012:user/sluice" and "Boto3" in document["userAgent"]
    assert lookup("EventId", e["EventId"])[0]["EventName"] == "SetQueueAttributes"
    assert lookup("EventName", "SendMessage") == [] and lookup("ReadOnly", "true") == []
    assert lookup("ResourceName", "trailed", EndTime=before) == []
    refusal = refused(sqs.create_queue, QueueName="not good")
    assert refusal[1] == 400 and json.loads(lookup("EventName", "CreateQueue")[0]["CloudTrailEvent"])["errorCode"]


def test_functions_on_the_trail_and_pages(tmp_path):
    with Sim.start("empty", home=tmp_path) as own:
        trail, fns = own.client("cloudtrail"), own.client("lambda")
        a_function(own, "f")
        fns.publish_version(FunctionName="f")
        fns.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
        for i in range(60):
            fns.update_alias(FunctionName="f", Name="live", FunctionVersion="1", Description=str(i))
        first = trail.lookup_events(LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": "f"}])
        assert len(first["Events"]) == 50
        pages = list(trail.get_paginator("lookup_events").paginate(LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": "f"}],
                                                                   PaginationConfig={"PageSize": 20}))
        assert [len(p["Events"]) for p in pages] == [20, 20, 20, 3]
        names = [e["EventName"] for p in pages for e in p["Events"]]
        assert names == ["UpdateAlias20150331"] * 60 + ["CreateAlias20150331", "PublishVersion20150331", "CreateFunction20150331"]
        newest = json.loads(pages[0]["Events"][0]["CloudTrailEvent"])["requestParameters"]
        assert newest == {"functionName": "f", "name": "live", "functionVersion": "1", "description": "59"}
        two = [{"AttributeKey": "EventName", "AttributeValue": "x"}] * 2
        once = own.once("cloudtrail")
        assert refused(once.lookup_events, LookupAttributes=two)[0] == "InvalidLookupAttributesException"
        assert refused(once.lookup_events, NextToken="rubbish")[0] == "InvalidNextTokenException"
        own.spoil("cloudtrail:LookupEvents=lookup-rate")
        started = time.monotonic()
        outcomes = []
        for _ in range(4):
            try:
                once.lookup_events(MaxResults=1)
                outcomes.append("ok")
            except ClientError as e:
                outcomes.append(e.response["Error"]["Code"])
        if time.monotonic() - started < 1:
            assert outcomes == ["ok", "ok", "ThrottlingException", "ThrottlingException"]
        time.sleep(1.1)
        assert once.lookup_events(MaxResults=1)["Events"]
        assert own.hits()["cloudtrail:LookupEvents=lookup-rate"] == outcomes.count("ThrottlingException")


# ---- versions and aliases

def test_versions_and_aliases(sim):
    fns = sim.client("lambda")
    a_function(sim, "rel", Description="first")
    one = fns.publish_version(FunctionName="rel", Description="v one")
    assert one["Version"] == "1" and one["FunctionArn"].endswith(":function:rel:1")
    assert fns.publish_version(FunctionName="rel")["Version"] == "1"  # nothing changed
    fns.update_function_code(FunctionName="rel", ZipFile=b"two")
    two = fns.publish_version(FunctionName="rel", Description="v two")
    assert two["Version"] == "2" and two["CodeSha256"] != one["CodeSha256"]
    versions = fns.list_versions_by_function(FunctionName="rel")["Versions"]
    assert [(v["Version"], v["Description"]) for v in versions] == [("$LATEST", "first"), ("1", "v one"), ("2", "v two")]
    assert versions[0]["FunctionArn"].endswith(":rel:$LATEST")
    made = fns.create_alias(FunctionName="rel", Name="live", FunctionVersion="1", Description="what runs")
    assert made["AliasArn"] == ACCOUNT.format("lambda", "function:rel:live")
    fns.create_alias(FunctionName="rel", Name="canary", FunctionVersion="$LATEST")
    moved = fns.update_alias(FunctionName="rel", Name="live", FunctionVersion="2")
    assert moved["FunctionVersion"] == "2" and moved["RevisionId"] != made["RevisionId"] and moved["Description"] == "what runs"
    assert fns.get_alias(FunctionName="rel", Name="live")["FunctionVersion"] == "2"
    assert [a["Name"] for a in fns.list_aliases(FunctionName="rel")["Aliases"]] == ["canary", "live"]
    assert [a["Name"] for a in fns.list_aliases(FunctionName="rel", FunctionVersion="2")["Aliases"]] == ["live"]
    for call in (dict(FunctionName="rel", Qualifier="live"), dict(FunctionName="rel:live"), dict(FunctionName=made["AliasArn"])):
        got = fns.get_function_configuration(**call)
        assert got["Version"] == "2" and got["FunctionArn"] == made["AliasArn"] and got["CodeSha256"] == two["CodeSha256"]
    assert fns.get_function_configuration(FunctionName="rel", Qualifier="1")["LastModified"] == one["LastModified"]
    assert fns.get_function_configuration(FunctionName="rel")["Version"] == "$LATEST"
    assert fns.invoke(FunctionName="rel", Qualifier="live", Payload=b"{}")["ExecutedVersion"] == "2"
    assert refused(fns.get_alias, FunctionName="rel", Name="none") == ("ResourceNotFoundException", 404)
    assert refused(fns.get_function_configuration, FunctionName="rel", Qualifier="9") == ("ResourceNotFoundException", 404)
    assert refused(fns.create_alias, FunctionName="rel", Name="live", FunctionVersion="1") == ("ResourceConflictException", 409)
    fns.delete_alias(FunctionName="rel", Name="canary")
    assert [a["Name"] for a in fns.list_aliases(FunctionName="rel")["Aliases"]] == ["live"]


def test_pages_of_versions(sim):
    fns = sim.client("lambda")
    a_function(sim, "many")
    for i in range(53):
        fns.update_function_code(FunctionName="many", ZipFile=f"{i}".encode(), Publish=True)
    pages = list(fns.get_paginator("list_versions_by_function").paginate(FunctionName="many"))
    assert [len(p["Versions"]) for p in pages] == [50, 4]
    assert [v["Version"] for p in pages for v in p["Versions"]] == ["$LATEST"] + [str(i) for i in range(1, 54)]


def test_concurrency_and_asynchronous_settings(sim):
    fns = sim.client("lambda")
    a_function(sim, "conc")
    assert "ReservedConcurrentExecutions" not in fns.get_function_concurrency(FunctionName="conc")
    fns.put_function_concurrency(FunctionName="conc", ReservedConcurrentExecutions=7)
    assert fns.get_function_concurrency(FunctionName="conc")["ReservedConcurrentExecutions"] == 7
    assert fns.get_function(FunctionName="conc")["Concurrency"] == {"ReservedConcurrentExecutions": 7}
    fns.delete_function_concurrency(FunctionName="conc")
    assert "Concurrency" not in fns.get_function(FunctionName="conc")
    assert refused(fns.get_function_event_invoke_config, FunctionName="conc") == ("ResourceNotFoundException", 404)
    assert fns.list_function_event_invoke_configs(FunctionName="conc")["FunctionEventInvokeConfigs"] == []
    to = ACCOUNT.format("sqs", "failed")
    fns.put_function_event_invoke_config(FunctionName="conc", MaximumRetryAttempts=1, MaximumEventAgeInSeconds=300,
                                         DestinationConfig={"OnFailure": {"Destination": to}})
    for got in (fns.get_function_event_invoke_config(FunctionName="conc"), fns.list_function_event_invoke_configs(FunctionName="conc")["FunctionEventInvokeConfigs"][0]):
        assert (got["MaximumRetryAttempts"], got["MaximumEventAgeInSeconds"], got["DestinationConfig"]["OnFailure"]) == (1, 300, {"Destination": to})


# ---- streams and mappings

def test_shard_level_metrics_and_retention(sim):
    kinesis, cw = sim.client("kinesis"), sim.client("cloudwatch")
    kinesis.create_stream(StreamName="deep", ShardCount=2)
    kinesis.put_record(StreamName="deep", Data=b"before", PartitionKey="k")
    on = kinesis.enable_enhanced_monitoring(StreamName="deep", ShardLevelMetrics=["IncomingRecords", "IncomingBytes"])
    assert (on["CurrentShardLevelMetrics"], on["DesiredShardLevelMetrics"]) == ([], ["IncomingBytes", "IncomingRecords"])
    shard = kinesis.put_record(StreamName="deep", Data=b"after", PartitionKey="k")["ShardId"]
    listed = cw.list_metrics(Namespace="AWS/Kinesis", Dimensions=[{"Name": "ShardId"}])["Metrics"]
    assert {(m["MetricName"], tuple(d["Value"] for d in m["Dimensions"])) for m in listed} == {
        ("IncomingRecords", (shard, "deep")), ("IncomingBytes", (shard, "deep"))}
    summary = kinesis.describe_stream_summary(StreamName="deep")["StreamDescriptionSummary"]
    assert summary["EnhancedMonitoring"] == [{"ShardLevelMetrics": ["IncomingBytes", "IncomingRecords"]}]
    all_of_them = kinesis.enable_enhanced_monitoring(StreamName="deep", ShardLevelMetrics=["ALL"])["DesiredShardLevelMetrics"]
    assert len(all_of_them) == 7 and "IteratorAgeMilliseconds" in all_of_them
    assert kinesis.disable_enhanced_monitoring(StreamName="deep", ShardLevelMetrics=["ALL"])["DesiredShardLevelMetrics"] == []
    kinesis.increase_stream_retention_period(StreamName="deep", RetentionPeriodHours=48)
    assert kinesis.describe_stream_summary(StreamName="deep")["StreamDescriptionSummary"]["RetentionPeriodHours"] == 48
    assert refused(kinesis.increase_stream_retention_period, StreamName="deep", RetentionPeriodHours=24) == ("InvalidArgumentException", 400)
    kinesis.decrease_stream_retention_period(StreamName="deep", RetentionPeriodHours=24)


def test_changing_a_mapping(sim):
    fns = sim.client("lambda")
    a_function(sim, "mapped")
    sim.client("kinesis").create_stream(StreamName="source", ShardCount=1)
    made = fns.create_event_source_mapping(EventSourceArn=ACCOUNT.format("kinesis", "stream/source"), FunctionName="mapped", StartingPosition="LATEST")
    changed = fns.update_event_source_mapping(UUID=made["UUID"], BisectBatchOnFunctionError=True, MaximumRetryAttempts=3, BatchSize=50,
                                              DestinationConfig={"OnFailure": {"Destination": ACCOUNT.format("sqs", "lost")}})
    assert (changed["BisectBatchOnFunctionError"], changed["MaximumRetryAttempts"], changed["BatchSize"], changed["State"]) == (True, 3, 50, "Enabled")
    got = fns.get_event_source_mapping(UUID=made["UUID"])
    assert got["DestinationConfig"]["OnFailure"]["Destination"].endswith(":lost") and got["StartingPosition"] == "LATEST"
    assert fns.update_event_source_mapping(UUID=made["UUID"], Enabled=False)["State"] == "Disabled"
    assert fns.get_event_source_mapping(UUID=made["UUID"])["MaximumRetryAttempts"] == 3  # what was not said stays
    assert refused(fns.get_event_source_mapping, UUID="0" * 36) == ("ResourceNotFoundException", 404)
    assert refused(fns.update_event_source_mapping, UUID=made["UUID"], BatchSize=20000)[0] == "InvalidParameterValueException"


# ---- Logs

def test_what_an_invocation_leaves(sim):
    fns, logs = sim.client("lambda"), sim.client("logs")
    a_function(sim, "wordy")
    assert refused(logs.filter_log_events, logGroupName="/aws/lambda/wordy") == ("ResourceNotFoundException", 400)
    answers = [fns.invoke(FunctionName="wordy", Payload=b"{}") for _ in range(3)]
    assert [g["logGroupName"] for g in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/wor")["logGroups"]] == ["/aws/lambda/wordy"]
    time.sleep(0.15)  # an invocation's last lines are written when it ends

    def lines(**more):
        return logs.filter_log_events(logGroupName="/aws/lambda/wordy", **more)["events"]

    got = lines()
    ids = [a["ResponseMetadata"]["RequestId"] for a in answers]
    for i in ids:
        mine = [e["message"] for e in got if i in e["message"]]
        assert [m.split()[0] for m in mine] == ["START", "END", "REPORT"] and mine[0] == f"START RequestId: {i} Version: $LATEST\n"
        assert "\tMemory Size: 128 MB\tMax Memory Used: " in mine[2] and " ms\tBilled Duration: " in mine[2]
    assert [e["timestamp"] for e in got] == sorted(e["timestamp"] for e in got) and len({e["eventId"] for e in got}) == len(got)
    assert [e["message"] for e in lines(filterPattern=f'START "{ids[1]}"')] == [f"START RequestId: {ids[1]} Version: $LATEST\n"]
    assert len(lines(filterPattern="?START ?END")) == 6 and len(lines(filterPattern="RequestId -START")) == 6
    assert lines(filterPattern="ERROR") == [] and lines(startTime=int(time.time() * 1000) + 60000, endTime=int(time.time() * 1000) + 120000) == []
    pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName="/aws/lambda/wordy", PaginationConfig={"PageSize": 2}))
    assert [e["eventId"] for p in pages for e in p["events"]] == [e["eventId"] for e in got]
    newest = logs.filter_log_events(logGroupName="/aws/lambda/wordy", startFromHead=False)["events"] if "startFromHead" in \
        logs.meta.service_model.operation_model("FilterLogEvents").input_shape.members else None
    assert newest is None or [e["eventId"] for e in newest] == [e["eventId"] for e in got][::-1]
    stream = logs.describe_log_streams(logGroupName="/aws/lambda/wordy", orderBy="LastEventTime", descending=True)["logStreams"][0]["logStreamName"]
    assert "[$LATEST]" in stream
    assert [e["message"] for e in logs.get_log_events(logGroupName="/aws/lambda/wordy", logStreamName=stream, startFromHead=True)["events"]] == \
        [e["message"] for e in got if e["logStreamName"] == stream]
    assert refused(logs.filter_log_events, logGroupName="/aws/lambda/wordy", filterPattern="a.b") == ("InvalidParameterException", 400)
    assert refused(logs.filter_log_events, logGroupName="/aws/lambda/wordy", nextToken="rubbish") == ("InvalidParameterException", 400)
