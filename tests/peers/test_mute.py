"""Muting an alarm: the write gate on a harmless write. Refused in observe, allowed when it is opened, announced before it is sent, bound to
the account, and read back by AWS's own client."""

import json

import pytest
from console import Console
from simtools import world  # noqa: F401 (fixtures)
from test_console_writes import Counting

OPERATE = ("--mode", "operate")


WORLD = {"scenario": "calm"}


@pytest.fixture
def sim(world):
    cloudwatch = world.client("cloudwatch")
    for rule in cloudwatch.list_alarm_mute_rules()["AlarmMuteRuleSummaries"]:
        cloudwatch.delete_alarm_mute_rule(AlarmMuteRuleName=rule["AlarmMuteRuleArn"].rsplit(":", 1)[1])
    world.heal()
    yield world
    world.heal()


def an_alarm(sim):
    return sim.client("cloudwatch").describe_alarms()["MetricAlarms"][0]["AlarmName"]


def rules(sim, alarm=None):
    cloudwatch = sim.client("cloudwatch")
    there = cloudwatch.list_alarm_mute_rules(**({"AlarmName": alarm} if alarm else {}))["AlarmMuteRuleSummaries"]
    return [cloudwatch.get_alarm_mute_rule(AlarmMuteRuleName=r["AlarmMuteRuleArn"].rsplit(":", 1)[1]) for r in there]


def announced(sluice, env):
    lines = [json.loads(line) for line in sluice("audit", "--format", "json", env=env).out.splitlines()]
    return [(line["event.action"], line["event.outcome"]) for line in lines]


@pytest.mark.parametrize("options, says", [((), "--mode operate"), (("--mode", "inspect", "--yes"), "--mode operate"), (OPERATE, "--yes")])
def test_refused(sim, sluice, options, says):
    env = sim.peer.env()
    ran = sluice("alarms", "mute", an_alarm(sim), "--reason", "a deploy", *options, env=env)
    assert ran.status == 3 and says in ran.err and ran.err.count("\n") == 1 and rules(sim) == [], ran
    assert announced(sluice, env) == [("cloudwatch:PutAlarmMuteRule", "denied")]


def test_muted_for_a_time_and_no_more(sim, sluice):
    env, alarm = sim.peer.env(), an_alarm(sim)
    told = sluice("alarms", "mute", alarm, "--reason", "a deploy", "--for", "30m", "--format", "json", *OPERATE, "--yes", env=env)
    assert told.status == 0, told
    (rule,) = rules(sim, alarm)
    assert rule["Name"] == told.json["rule"] and rule["Name"].startswith("sluice-") and rule["Description"] == "a deploy"
    assert rule["MuteTargets"]["AlarmNames"] == [alarm] and rule["Status"] == "ACTIVE"
    assert rule["Rule"]["Schedule"]["Expression"].startswith("at(") and rule["Rule"]["Schedule"]["Duration"] in ("PT30M", "PT31M")
    sim.client("cloudwatch").put_alarm_mute_rule(Name="someone-elses", Rule=rule["Rule"], MuteTargets=rule["MuteTargets"])
    assert sluice("alarms", "unmute", alarm, *OPERATE, "--yes", env=env).status == 0
    assert [r["Name"] for r in rules(sim)] == ["someone-elses"]
    assert announced(sluice, env) == [("cloudwatch:PutAlarmMuteRule", "announced"), ("cloudwatch:DeleteAlarmMuteRule", "announced")]
    again = sluice("alarms", "unmute", alarm, *OPERATE, "--yes", env=env)
    assert again.status == 1 and "not muted by sluice" in again.err, again


def test_a_muted_alarm_tells_nobody(sim, sluice):
    cloudwatch, sns = sim.client("cloudwatch"), sim.client("sns")
    topic = sns.create_topic(Name="muted")["TopicArn"]
    cloudwatch.put_metric_alarm(AlarmName="to-be-muted", Namespace="N", MetricName="M", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
                                ComparisonOperator="GreaterThanThreshold", AlarmActions=[topic])

    def acts():
        cloudwatch.set_alarm_state(AlarmName="to-be-muted", StateValue="OK", StateReason="r")
        cloudwatch.set_alarm_state(AlarmName="to-be-muted", StateValue="ALARM", StateReason="r")
        return len(cloudwatch.describe_alarm_history(AlarmName="to-be-muted", HistoryItemType="Action")["AlarmHistoryItems"])
    before = acts()
    assert before > 0
    assert sluice("alarms", "mute", "to-be-muted", "--reason", "r", *OPERATE, "--yes", env=sim.peer.env()).status == 0
    assert acts() == before


def test_a_dry_run_sends_nothing(sim, sluice):
    ran = sluice("alarms", "mute", an_alarm(sim), "--reason", "a deploy", "--dry-run", *OPERATE, env=sim.peer.env())
    assert ran.status == 0 and ran.out.startswith("planned") and rules(sim) == [], ran


@pytest.mark.parametrize("more, says", [((), "--reason"), (("--reason", "  "), "--reason"), (("--reason", "r", "--for", "30s"), "1m")])
def test_bad_arguments(sim, sluice, more, says):
    ran = sluice("alarms", "mute", an_alarm(sim), *more, *OPERATE, "--yes", env=sim.peer.env())
    assert ran.status == 2 and says in ran.err and ran.err.count("\n") == 1 and rules(sim) == [], ran


def test_where_mute_rules_are_denied(sim, sluice):
    """The other way is named as what it is, and not taken."""
    alarm = an_alarm(sim)
    sim.spoil("cloudwatch:PutAlarmMuteRule=denied")
    ran = sluice("alarms", "mute", alarm, "--reason", "r", *OPERATE, "--yes", env=sim.peer.env())
    assert ran.status == 1 and "DisableAlarmActions" in ran.err and "NOT end by itself" in ran.err and ran.err.count("\n") == 1, ran
    assert sim.client("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]["ActionsEnabled"] is True


# ---- from the console

def test_from_the_console(sim, sluice, tmp_path):
    """x m is refused in observe; W opens writing; a reason and y, and it is muted and written down."""
    with Counting(sim.peer.url) as counting:
        env = sim.peer.env(AWS_ENDPOINT_URL=counting.url, AWS_EC2_METADATA_DISABLED="true")
        with Console(tmp_path, env=env, columns=100, lines=30) as c:
            c.wait("STAGES", seconds=30).type("3").wait("TOLD IN ALARM", seconds=30)
            c.type("xm").wait("W opens writing first").type("W").wait("WRITES 14m")
            c.type("xm").wait("reason:").type("\r").wait("no reason given")
            c.type("xm").wait("reason:").type("a deploy\r").wait("REALLY?", "a deploy").type("n").wait("not confirmed")
            assert counting.mutating() == [] and rules(sim) == []
            c.type("xm").wait("reason:").type("a deploy\r").wait("REALLY?").type("y").wait("is muted until", seconds=30)
            assert counting.mutating() == ["PutAlarmMuteRule"]
            c.type("q").wait("STAGES").type("q")
            assert c.end() == 0
    (rule,) = rules(sim)
    assert rule["Description"] == "a deploy" and len(rule["MuteTargets"]["AlarmNames"]) == 1
    audit = sluice("audit", "--format", "json", env=sim.peer.env(XDG_STATE_HOME=str(tmp_path / ".local/state")))
    lines = [json.loads(line) for line in audit.out.splitlines()]
    (line,) = [line for line in lines if line["event.action"] == "cloudwatch:PutAlarmMuteRule"]
    assert line["event.outcome"] == "announced" and "a deploy" in json.dumps(line) and line["sluice.mode"] in ("operate", "admin")
