"""alarms list, show and history: who would really be told, what the alarm would be by its own datapoints, what happened to it."""

import json
import time
import uuid

import pytest
from console import Console
from fakeaws import Answers, FakeAws, arn, denied, error, internal
from program import plain
from simtools import Sim

METRIC = {"Namespace": "Orders", "MetricName": "Errors", "Dimensions": [{"Name": "Stage", "Value": "load"}]}


def alarm(name, **more):
    return {"AlarmName": name, **METRIC, "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 3, "Threshold": 5.0,
            "ComparisonOperator": "GreaterThanThreshold", **more}


def run(sluice, peer, *args, status=0):
    ran = sluice("alarms", *args, env=peer.env())
    assert ran.status == status and plain(ran.out) and plain(ran.err), str(ran)
    return ran


def listed(sluice, peer):
    return {a["name"]: a for a in run(sluice, peer, "list", "--format", "json").json["alarms"]}


# ---- who is told

@pytest.fixture
def topics(moto):
    """A topic with one confirmed and one pending subscription, one with none, and the ARN of one that is gone."""
    sns, tail = moto.client("sns"), uuid.uuid4().hex[:8]
    heard, empty, gone = (sns.create_topic(Name=f"{n}-{tail}")["TopicArn"] for n in ("heard", "empty", "gone"))
    sns.subscribe(TopicArn=heard, Protocol="sqs", Endpoint="arn:aws:sqs:eu-west-1:123456789012:pager")
    sns.delete_topic(TopicArn=gone)
    made = []

    def put(name, **more):
        made.append(f"{name}-{tail}")
        moto.client("cloudwatch").put_metric_alarm(**alarm(made[-1], **more))
        return made[-1]

    yield heard, empty, gone, put
    moto.client("cloudwatch").delete_alarms(AlarmNames=made)


def test_who_is_told(moto, sluice, topics):
    heard, empty, gone, put = topics
    names = {
        "somebody": put("A", AlarmActions=[heard, "arn:aws:lambda:eu-west-1:123456789012:function:fix"], OKActions=[empty]),
        "no-subscriber": put("B", AlarmActions=[empty]),
        "no-topic": put("C", AlarmActions=[gone]),
        "other-region": put("D", AlarmActions=[heard.replace("eu-west-1", "us-east-1")]),
        "other-account": put("E", AlarmActions=[heard.replace("123456789012", "999999999999")]),
        "off": put("F", AlarmActions=[heard], ActionsEnabled=False),
        "no-action": put("G", OKActions=[heard]),
    }
    found = listed(sluice, moto)
    told = {k: found[n]["told"] for k, n in names.items()}
    assert told["somebody"]["in_alarm"] == "somebody"
    first = told["somebody"]["targets"][0]
    assert (first["known"], first["confirmed"], first["pending"], first["protocols"]) == (True, 1, 0, "sqs"), first
    assert [t["when"] for t in told["somebody"]["targets"]] == ["ALARM", "ALARM", "OK"]
    assert "lambda fix" in told["somebody"]["text"]
    assert (told["no-subscriber"]["in_alarm"], told["no-subscriber"]["targets"][0]["confirmed"]) == ("nobody", 0)
    assert (told["no-topic"]["in_alarm"], told["no-topic"]["targets"][0]["missing"]) == ("nobody", "no such topic")
    assert told["other-region"]["in_alarm"] == "nobody" and "another region" in told["other-region"]["text"]
    assert told["other-account"]["in_alarm"] == "unknown" and "another account" in told["other-account"]["text"]
    assert told["off"]["in_alarm"] == "nobody" and told["off"]["text"] == "its actions are off"
    assert told["no-action"]["in_alarm"] == "nobody" and told["no-action"]["text"] == "no action for ALARM"
    text = run(sluice, moto, "list").out.splitlines()
    row = next(r.split("\t") for r in text if r.startswith(names["no-topic"] + "\t"))
    assert len(row) == 8 and row[5] == "nobody", row


def test_who_keeps_it(moto, sluice, topics):
    put = topics[3]
    tags = {"T": [("ManagedBy", "terraform"), ("owner", "data-team")], "C": [("aws:cloudformation:stack-name", "orders")], "H": [("env", "x")]}
    names = {k: put(k, Tags=[{"Key": a, "Value": b} for a, b in v], AlarmDescription="see https://wiki.example/x.") for k, v in tags.items()}
    found = listed(sluice, moto)
    assert {k: found[n]["manager"] for k, n in names.items()} == {"T": "Terraform", "C": "CloudFormation", "H": "by hand"}
    assert found[names["T"]]["owner"] == "data-team" and found[names["H"]]["owner"] is None
    assert found[names["H"]]["runbook"] == "https://wiki.example/x"


def fake(alarms, **methods):
    class Own(Answers):
        def describe_alarms(self, body):
            return {"MetricAlarms": alarms, "CompositeAlarms": []}

        def list_tags_for_resource(self, body):
            return {"Tags": []}

        def list_subscriptions_by_topic(self, body):
            return ('<ListSubscriptionsByTopicResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><ListSubscriptionsByTopicResult>'
                    "<Subscriptions><member><SubscriptionArn>PendingConfirmation</SubscriptionArn><Protocol>email</Protocol></member>"
                    "</Subscriptions></ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>")

        def describe_alarm_history(self, body):
            return {"AlarmHistoryItems": []}

    for name, method in methods.items():
        setattr(Own, name, method)
    return Own()


def stated(name, state="OK", **more):
    return {**alarm(name, **more), "AlarmArn": arn("cloudwatch", f"alarm:{name}"), "StateValue": state, "ActionsEnabled": True}


def test_what_is_pending_is_nobody(sluice):
    with FakeAws(answers=fake([stated("A", AlarmActions=[arn("sns", "t")])])) as aws:
        a = listed(sluice, aws)["A"]
    assert a["told"]["in_alarm"] == "nobody" and a["told"]["text"] == "sns t: 0 confirmed, 1 pending"


@pytest.mark.parametrize("fault,word", [(denied, "denied: allow sns:ListSubscriptionsByTopic"), (internal, "service")])
def test_what_could_not_be_asked_is_unknown(sluice, fault, word):
    faults = {"sns:ListSubscriptionsByTopic": fault, "cloudwatch:ListTagsForResource": fault}
    with FakeAws(faults, fake([stated("A", AlarmActions=[arn("sns", "t")])])) as aws:
        ran = run(sluice, aws, "list", "--format", "json")
    a = ran.json["alarms"][0]
    assert a["told"]["in_alarm"] == "unknown" and word in a["told"]["text"], a["told"]
    assert a["manager"] is None and a["owner"] is None and a["tags_read"] is False
    assert "sns:ListSubscriptionsByTopic" in ran.err and "cloudwatch:ListTagsForResource" in ran.err


def test_tags_of_a_thousand_alarms_are_not_all_asked_for(sluice):
    topic = arn("sns", "t")
    alarms = [stated(f"a{i:04}", "ALARM" if i % 100 == 7 else "OK", AlarmActions=[topic]) for i in range(1000)]
    asked = []

    def tags(self, body):
        asked.append(body["ResourceARN"].rsplit(":", 1)[1])
        return {"Tags": [{"Key": "owner", "Value": "me"}]}

    with FakeAws(answers=fake(alarms, list_tags_for_resource=tags)) as aws:
        found = run(sluice, aws, "list", "--format", "json").json["alarms"]
    assert aws.calls["cloudwatch:ListTagsForResource"] == 20 and aws.calls["sns:ListSubscriptionsByTopic"] == 1
    firing = {a["AlarmName"] for a in alarms if a["StateValue"] == "ALARM"}
    assert firing <= set(asked)
    assert {a["name"] for a in found if a["owner"] == "me"} == set(asked)
    assert [a["state"] for a in found[:10]] == ["ALARM"] * 10  # worst first


def test_a_service_that_knows_no_log_alarms(sluice):
    asked = []

    def describe(self, body):
        asked.append(body["AlarmTypes"])
        return {"MetricAlarms": [stated("A")]}

    with FakeAws(answers=fake([], describe_alarms=describe)) as aws:
        def choosy(h, op):
            if "LogAlarm" in json.loads(h.body)["AlarmTypes"]:
                asked.append("refused")
                error(400, "ValidationError", "LogAlarm is not one of")(h, op)
            else:
                h.reply(200, h.good(), "application/x-amz-json-1.0")
        aws.faults = {"cloudwatch:DescribeAlarms": choosy}
        assert list(listed(sluice, aws)) == ["A"]
    assert asked == ["refused", ["MetricAlarm", "CompositeAlarm"]]


def test_every_type_is_shown_as_what_it_is(sluice):
    def describe(self, body):
        assert body["AlarmTypes"] == ["MetricAlarm", "CompositeAlarm", "LogAlarm"]
        math = {"AlarmName": "math", "Metrics": [{"Id": "e", "Expression": "1*2"}], "StateValue": "ALARM", "Threshold": 1.0,
                "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1}
        return {"MetricAlarms": [math], "CompositeAlarms": [{"AlarmName": "both", "AlarmRule": "ALARM(math)", "StateValue": "ALARM"}],
                "LogAlarms": [{"AlarmName": "log", "StateValue": "OK", "ScheduledQueryConfiguration": {"AggregationExpression": "count(*)"}}]}

    with FakeAws(answers=fake([], describe_alarms=describe)) as aws:
        found = listed(sluice, aws)
        shown = run(sluice, aws, "show", "both", "--format", "json").json
    assert {n: a["kind"] for n, a in found.items()} == {"math": "math", "both": "composite", "log": "log"}
    assert shown["local"]["state"] is None and "a rule over other alarms" in shown["local"]["text"]
    assert "cloudwatch:GetMetricData" not in aws.calls


def test_the_console_asks_a_topic_once(tmp_path):
    """Two alarms, one topic, several polls: subscriptions are kept for minutes, tags for an hour."""
    topic = arn("sns", "t")
    script = tmp_path / "script"
    script.write_text("wait settled\nkey 3\nwait text 0 confirmed, 1 pending\nkey r\nwait settled\nkey j\nwait settled\nquit\n")
    with FakeAws(answers=fake([stated("A", AlarmActions=[topic]), stated("B", AlarmActions=[topic])])) as aws:
        with Console(tmp_path, columns=120, lines=40, env={"SLUICE_SCRIPT": str(script), **aws.env()}) as console:
            assert console.end(seconds=60) == 0, console.raw[-300:]
        assert aws.calls["sns:ListSubscriptionsByTopic"] == 1 and aws.calls["cloudwatch:ListTagsForResource"] == 2, aws.calls


# ---- what it would be

def points(values, stats=lambda q: True):
    """GetMetricData of values by minutes ago (1 = the newest whole minute)."""
    def get(self, body):
        now, out = int(time.time()) // 60 * 60, []
        for q in body["MetricDataQueries"]:
            stat = q["MetricStat"]["Stat"]
            assert stats(stat), stat
            mine = values[stat] if isinstance(values, dict) else values
            got = [(now - 60 * (i + 1), v) for i, v in enumerate(mine) if v is not None]
            got = [(t, v) for t, v in got if body["StartTime"] <= t < body["EndTime"]]
            out.append({"Id": q["Id"], "Label": "x", "Timestamps": [t for t, _ in got], "Values": [float(v) for _, v in got], "StatusCode": "Complete"})
        return {"MetricDataResults": out, "Messages": []}
    return get


def settle_minute():
    """Not at the turn of a minute: the fake's and the program's idea of the newest minute would differ."""
    if time.time() % 60 > 50:
        time.sleep(61 - time.time() % 60)


@pytest.mark.parametrize("values,more,state,text", [
    ([9, 8, 7, 0], {}, "ALARM", "would be ALARM now: 3 of 3 points > 5"),
    ([None, 9, 8, 7, 0], {}, "ALARM", "would be ALARM now: 3 of 3 points > 5"),
    ([0, 0, 0, 9, 9, 9, 9], {}, "OK", "would be OK now: 0 of 3 points > 5"),
    ([5, 5, 5, 5, 5, 5, 5], {}, "OK", "would be OK now: 0 of 3 points > 5"),
    ([5, 5, 5, 5, 5, 5, 5], {"ComparisonOperator": "GreaterThanOrEqualToThreshold"}, "ALARM", "would be ALARM now: 3 of 3 points >= 5"),
    ([], {}, "INSUFFICIENT_DATA", "would be INSUFFICIENT_DATA now: no datapoint"),
    ([], {"TreatMissingData": "breaching"}, "ALARM", "would be ALARM now: no datapoint, missing = breaching"),
    ([None] * 5 + [9], {}, "INSUFFICIENT_DATA",
     "would be INSUFFICIENT_DATA now: no datapoint; hangs on how far back CloudWatch looks, which it does not say"),
    ([0] * 9, {"ComparisonOperator": "LessThanThreshold", "Threshold": 1.0}, "ALARM", "would be ALARM now: 3 of 3 points < 1"),
    # five minutes slide: no five minutes of the clock's own hold 12
    ([0, 0, 0, 4, 4, 4, 0, 0, 0, 0, 0, 0], {"Period": 300, "EvaluationPeriods": 1, "Threshold": 7.0}, "ALARM", None),
])
def test_what_it_would_be(sluice, values, more, state, text):
    settle_minute()
    with FakeAws(answers=fake([stated("A", **more)], get_metric_data=points(values))) as aws:
        a = run(sluice, aws, "show", "A", "--format", "json").json
    assert a["state"] == "OK" and a["local"]["state"] == state, a["local"]
    assert text is None or a["local"]["text"] == text
    assert a["metrics"] == 1


def test_an_average_weighs_each_minute_by_its_samples(sluice):
    settle_minute()
    values = {"Sum": [100, 1, 1, 1, 1] * 8, "SampleCount": [100, 1, 1, 1, 1] * 8}
    values["Sum"][1] = 11  # (100 + 11 + 1 + 1 + 1) / 104 = 1.096; the mean of the minutes' averages would be 3
    with FakeAws(answers=fake([stated("A", Statistic="Average", Period=300, EvaluationPeriods=1, Threshold=2.0)], get_metric_data=points(values))) as aws:
        a = run(sluice, aws, "show", "A", "--format", "json").json
    assert a["local"]["state"] == "OK" and abs(a["datapoints"]["values"][-1] - 114 / 104) < 1e-9, a
    assert a["metrics"] == 2


def test_a_percentile_is_approximate(sluice):
    settle_minute()
    kept = stated("A", Period=300, EvaluationPeriods=1, ExtendedStatistic="p99")
    del kept["Statistic"]
    with FakeAws(answers=fake([kept], get_metric_data=points([9] * 60, lambda s: s == "p99"))) as aws:
        a = run(sluice, aws, "show", "A", "--format", "json").json
    assert a["local"]["state"] == "ALARM" and "percentile" in a["local"]["approximate"]


def test_points_that_could_not_be_read(sluice):
    with FakeAws({"cloudwatch:GetMetricData": denied}, fake([stated("A")])) as aws:
        ran = run(sluice, aws, "show", "A", "--format", "json")
    assert ran.json["local"]["state"] is None and "GetMetricData" in ran.err


def test_agrees_with_the_simulator(sluice):
    """Two evaluators, written apart: over a scenario in which an alarm fires, what sluice makes of it is what CloudWatch says."""
    with Sim.start("poison-shard") as s:
        found = listed(sluice, s.peer)
        assert found and {a["state"] for a in found.values()} == {"ALARM", "OK"}
        for name, a in found.items():
            shown = run(sluice, s.peer, "show", name, "--format", "json").json
            assert shown["local"]["state"] == a["state"], shown
            assert shown["local"]["approximate"] is None


# ---- history

def test_history(ministack, sluice):
    c = ministack.client("cloudwatch")
    c.put_metric_alarm(**alarm("A"))
    c.set_alarm_state(AlarmName="A", StateValue="ALARM", StateReason="by the test")
    c.set_alarm_state(AlarmName="A", StateValue="OK", StateReason="by the test")
    theirs = c.describe_alarm_history(AlarmName="A", HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    ran = run(sluice, ministack, "history", "A", "--format", "json").json
    mine = [m for m in ran["history"] if m["type"] == "StateUpdate"]
    assert len(mine) == len(theirs) >= 2
    assert [m["summary"] for m in mine] == [t["HistorySummary"] for t in theirs]
    text = run(sluice, ministack, "history", "A").out
    assert len(text.splitlines()) == len(ran["history"])


def test_history_of_the_embedded_aws(sluice):
    with Sim.start("poison-shard") as s:
        ran = run(sluice, s.peer, "history", "HighErrorRate", "--since", "2h").out.splitlines()
        rows = [r.split("\t") for r in ran]
    assert any(r[1] == "StateUpdate" and r[2].startswith("OK -> ALARM") for r in rows), rows
    assert rows == sorted(rows, key=lambda r: r[0], reverse=True)


def test_what_is_refused(sluice, sim):
    for args in (["show"], ["history"], ["list", "x"], ["nonsense"]):
        ran = run(sluice, sim, *args, status=2)
        assert ran.out == "" and len(ran.err.splitlines()) == 1
    ran = run(sluice, sim, "show", "there is none", status=1)
    assert "no alarm of this name" in ran.err
    with FakeAws({"cloudwatch:DescribeAlarms": denied}, fake([])) as aws:
        assert "cloudwatch:DescribeAlarms" in run(sluice, aws, "list", status=1).err
    with FakeAws({"cloudwatch:DescribeAlarmHistory": denied}, fake([stated("A")])) as aws:
        ran = run(sluice, aws, "history", "A", status=1)
        assert ran.out == "" and ran.err.startswith("sluice: cloudwatch:DescribeAlarmHistory: ")
        assert "cloudwatch:DescribeAlarmHistory" in run(sluice, aws, "show", "A").err  # the rest is told
