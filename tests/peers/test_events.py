"""What changed, as sluice's own looks, Lambda and CloudTrail tell it: boto3 changes something, sluice says what, when at the most, and by
whom where somebody knows. Notes, and the past."""

import datetime
import json
import time

import fakeaws
import pytest
from fakeaws import FakeAws
from program import plain


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def status(sluice, peer, cache, **env):
    ran = sluice("status", "--cache", cache, "--format", "json", env=peer.env(**env))
    assert plain(ran.out) and plain(ran.err), str(ran)
    return ran.json


def events(doc, kind=None, subject=None):
    return [e for e in doc["events"] if kind in (None, e["kind"]) and subject in (None, e["subject"])]


@pytest.fixture
def cache(tmp_path):
    return str(tmp_path / "history.db")


def name_of(request):
    return request.node.name.replace("_", "-")[:40]


# ---- sluice's own looks, beside an emulator

def test_a_queues_retention(moto, sluice, cache, request):
    sqs, name = moto.client("sqs"), name_of(request)
    url = sqs.create_queue(QueueName=name, Attributes={"MessageRetentionPeriod": "345600"})["QueueUrl"]
    try:
        before = time.time()
        assert events(status(sluice, moto, cache), subject=name) == []
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "3600", "VisibilityTimeout": "60"})
        changed = time.time()
        for again in range(2):  # told once, however often it is looked at
            [e] = events(status(sluice, moto, cache), subject=name)
            assert e["kind"] == "config" and e["service"] == "sqs" and e["by"] is None, e
            assert "retention 4d00h -> 1h00m" in e["text"] and "visibility 30s -> 1m" in e["text"], e
            assert before - 3 <= instant(e["at"]) <= changed <= instant(e["at_most"]) + 1, (before, changed, e)
            assert instant(e["at_most"]) <= time.time() + 1
    finally:
        sqs.delete_queue(QueueUrl=url)
    [gone] = [e for e in events(status(sluice, moto, cache), subject=name) if "not there any more" in e["text"]]
    assert gone["source"] == "sqs:ListQueues"


def test_an_alarm_that_moved_and_one_that_was_changed(moto, sluice, cache, request):
    cw, name = moto.client("cloudwatch"), name_of(request)
    alarm = dict(AlarmName=name, Namespace="AWS/SQS", MetricName="NumberOfMessagesSent", Statistic="Sum", Period=60, EvaluationPeriods=3,
                 Threshold=5, ComparisonOperator="GreaterThanThreshold")
    cw.put_metric_alarm(**alarm)
    try:
        cw.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="set by hand")
        status(sluice, moto, cache)
        cw.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="<b>\x1b[2J too many")
        moved = events(status(sluice, moto, cache), "alarm", name)
        assert moved[0]["text"].startswith("OK -> ALARM: "), moved
        assert moved[0]["text"].endswith("too many")
        cw.put_metric_alarm(**{**alarm, "Threshold": 7})
        [config] = events(status(sluice, moto, cache), "config", name)
        assert "threshold 5 -> 7" in config["text"], config
    finally:
        cw.delete_alarms(AlarmNames=[name])


def test_releases_and_mappings(moto, sluice, cache, request):
    import io
    import zipfile
    name = name_of(request)
    iam, fn, sqs = moto.client("iam"), moto.client("lambda"), moto.client("sqs")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]

    def code(text):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as z:
            z.writestr("h.py", text)
        return packed.getvalue()

    fn.create_function(FunctionName=name, Runtime="python3.12", Role=role, Handler="h.h", Code={"ZipFile": code("a=1")}, Timeout=3)
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    try:
        mapping = fn.create_event_source_mapping(EventSourceArn=arn, FunctionName=name, BatchSize=5)["UUID"]
        fn.publish_version(FunctionName=name)
        fn.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        assert events(status(sluice, moto, cache), subject=name) == []
        fn.update_function_code(FunctionName=name, ZipFile=code("a=2"))
        fn.update_function_configuration(FunctionName=name, Timeout=9)
        version = fn.publish_version(FunctionName=name)["Version"]
        fn.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
        fn.update_event_source_mapping(UUID=mapping, BatchSize=7, Enabled=False)
        told = events(status(sluice, moto, cache), subject=name)
        texts = {e["text"]: e["kind"] for e in told}
        assert texts.get(f"alias live v1 -> v{version}") == "release", texts
        assert texts.get(f"version {version} published") == "release", texts
        [(changed, kind)] = [(t, k) for t, k in texts.items() if "timeout 3s -> 9s" in t]
        assert kind == "release" and "code " in changed, texts
        [moved] = [t for t, k in texts.items() if k == "mapping"]
        assert moved.startswith(f"{name}: ") and "batch size 5 -> 7" in moved and "state Enabled -> Disabled" in moved, moved
        assert len(told) == 4
    finally:
        fn.delete_event_source_mapping(UUID=mapping)
        fn.delete_function(FunctionName=name)
        sqs.delete_queue(QueueUrl=url)


# ---- CloudTrail: who did it

class Trail(fakeaws.Answers):
    """Two looks differ in the queue's retention; CloudTrail has events."""

    def __init__(self, trail=(), **more):
        super().__init__(**more)
        self.retention, self.trail, self.asked = "345600", list(trail), []

    def get_queue_attributes(self, body):
        a = super().get_queue_attributes(body)
        if body["QueueUrl"].endswith("/orders"):
            a["Attributes"]["MessageRetentionPeriod"] = self.retention
        return a

    def lookup_events(self, body):
        self.asked.append(body)
        return {"Events": self.trail[:50]}


def call(name, who, at, queue="orders", **detail):
    user = {"type": "IAMUser", "arn": f"arn:aws:iam::{fakeaws.ACCOUNT}:user/{who}", "userName": who}
    return {"EventId": f"{name}-{who}-{at}", "EventName": name, "ReadOnly": "false", "EventTime": at, "EventSource": "sqs.amazonaws.com",
            "Username": who, "Resources": [],
            "CloudTrailEvent": json.dumps({"eventVersion": "1.08", "userIdentity": user, "userAgent": "aws-cli/2", "eventName": name,
                                           "requestParameters": {"queueUrl": f"https://sqs/{fakeaws.ACCOUNT}/{queue}", "attributes": detail},
                                           "responseElements": None})}


def look(sluice, aws, cache):
    ran = sluice("status", "--cache", cache, "--format", "json", env=aws.env())
    assert ran.status == 0 and ran.err == "" and plain(ran.out), str(ran)
    return ran.json


def test_cloudtrail_says_who(sluice, cache):
    answers = Trail()
    with FakeAws(answers=answers) as aws:
        look(sluice, aws, cache)
        answers.retention = "3600"
        at = int(time.time())
        time.sleep(1.1)
        [alone] = events(look(sluice, aws, cache), "config")
        assert alone["by"] is None and alone["at"] != alone["at_most"]
        # Some minutes later CloudTrail has it too: the same change, now with its instant and its author.
        answers.trail = [call("SetQueueAttributes", "anna", at, MessageRetentionPeriod="3600"),
                         call("SetQueueAttributes", "bert", at, queue="somebody-elses"), call("TagQueue", "carl", at)]
        for _ in range(2):
            doc = look(sluice, aws, cache)
            [e] = events(doc, subject="orders")
            assert e["by"].endswith(":user/anna") and instant(e["at"]) == instant(e["at_most"]) == at, e
            assert e["text"] == "retention 4d00h -> 1h00m" and e["source"] == "cloudtrail:LookupEvents"
            assert events(doc, "call") == [] and doc["events_note"] is None
        asked = answers.asked[0]
        assert asked["LookupAttributes"] == [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}]
        assert 86000 < asked["EndTime"] - asked["StartTime"] <= 86400
        later = answers.asked[-1]
        assert later["EndTime"] - later["StartTime"] < 1300  # what is known is not asked for again


def test_two_who_may_have_done_it_are_both_named(sluice, cache):
    answers = Trail()
    with FakeAws(answers=answers) as aws:
        look(sluice, aws, cache)
        answers.retention = "3600"
        at = int(time.time())
        answers.trail = [call("SetQueueAttributes", "anna", at), call("SetQueueAttributes", "bert", at)]
        doc = look(sluice, aws, cache)
        [config] = events(doc, "config")
        assert config["by"] is None
        assert {e["by"].rsplit("/", 1)[1] for e in events(doc, "call")} == {"anna", "bert"}


@pytest.mark.parametrize("fault", [fakeaws.denied, fakeaws.internal, fakeaws.hang_up])
def test_what_may_not_be_asked_leaves_the_rest_alone(sluice, cache, fault):
    answers = Trail()
    with FakeAws({op: fault for op in fakeaws.OPTIONAL}, answers=answers) as aws:
        look(sluice, aws, cache)
        answers.retention = "3600"
        doc = look(sluice, aws, cache)
        assert doc["problems"] == []
        [config] = events(doc, "config")
        assert config["text"] == "retention 4d00h -> 1h00m"
        if fault is fakeaws.denied:
            assert doc["events_note"] == ("releases are not told: allow lambda:ListAliases; "
                                          "who did it is not told: allow cloudtrail:LookupEvents")
            assert aws.calls["cloudtrail:LookupEvents"] == 2 and aws.calls["lambda:ListAliases"] == 2  # once a run, not again and again


def test_the_policy_names_them(sluice):
    doc = sluice("iam", env={"AWS_REGION": "eu-west-1"}).json
    actions = {a for s in doc["Statement"] for a in s["Action"]}
    assert set(fakeaws.OPTIONAL) <= actions


# ---- notes

def test_notes_are_kept(sluice, cache):
    with FakeAws() as aws:
        ran = sluice("note", "--cache", cache, "kind=incident", "orders", "are stuck", env=aws.env(USER="anna"))
        assert ran.status == 0 and ran.out.endswith("\tincident\torders are stuck\n"), str(ran)
        assert sluice("note", "--cache", cache, "restarted the loader", "--format", "json", env=aws.env()).json["kind"] == "note"
        told = events(look(sluice, aws, cache))
        assert [(e["kind"], e["text"], e["by"]) for e in told if e["kind"] in ("note", "incident")] == [
            ("note", "restarted the loader", None), ("incident", "orders are stuck", "anna")]
        for text in ("", "two\nlines", "\x1b[2J", "x" * 1001, "\udcff"):
            assert sluice("note", "--cache", cache, text, env=aws.env()).status == 2
        assert len(events(look(sluice, aws, cache), "note")) == 1
