"""What stops a replay for what it does to others, and how fast it may be beside what its queue sees every day."""

import json
import subprocess
import time

import pytest
from program import LONG, binary, clean_env
from replaykit import INSPECT, OPERATE, Pipe
from simtools import sim, world  # noqa: F401 (fixtures)


def measured(sim, namespace, name, dimension, values):
    """{seconds ago: value} of a service's own metric."""
    now = time.time()
    sim.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[
        {"MetricName": name, "Dimensions": [{"Name": dimension[0], "Value": dimension[1]}], "Timestamp": now - ago, "Value": v}
        for ago, v in values.items()])


def plan(sluice, pipe, *more):
    ran = sluice("replay", "plan", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *INSPECT, "--limit", "1", "--format", "json", *more,
                 env=pipe.peer.env())
    assert ran.status == 0, ran
    return ran.json


def start(sluice, pipe, n, *more):
    return sluice("replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *OPERATE, "--yes-i-mean", n, "--limit", n, "--watch", "1s",
                  "--format", "json", *more, env=pipe.peer.env())


# ---- the rate

def test_the_rate_is_capped_by_what_is_normal(sim, sluice, rng):
    """5 % of what the source sees, unless it is said; and where that is not known there is no cap, which is said."""
    pipe = Pipe.make(sim, rng)
    pipe.fill(2)
    unknown = plan(sluice, pipe)
    assert unknown["rate_per_second"] == 10 and "not known" in unknown["rate_reason"] and "no cap" in unknown["rate_reason"]
    # 600 in each five minutes of two hours: 2 a second
    measured(sim, "AWS/SQS", "NumberOfMessagesSent", ("QueueName", pipe.name), {600 + 300 * i: 600 for i in range(24)})
    capped = plan(sluice, pipe)
    assert 0.09 < capped["rate_per_second"] < 0.11 and "5 %" in capped["rate_reason"] and pipe.name in capped["rate_reason"], capped
    assert plan(sluice, pipe, "--rate", "7")["rate_per_second"] == 7


def test_a_normal_that_cannot_be_read_is_no_cap(sim, sluice, rng):
    pipe = Pipe.make(sim, rng)
    pipe.fill(1)
    sim.spoil("cloudwatch:GetMetricData=denied")
    told = plan(sluice, pipe)
    assert told["rate_per_second"] == 10 and "not known" in told["rate_reason"]


# ---- the aborts

def begun(sluice, pipe, n, *more):
    """A slow run that is under way: its process, when the canary is over."""
    p = subprocess.Popen([binary(), "replay", "start", f"sqs:{pipe.dlq_name}", "--through", pipe.function, *OPERATE, "--yes-i-mean", str(n),
                          "--limit", str(n), "--rate", "4", "--watch", "1s", "--format", "json", *more],
                         env=clean_env(sluice.home, pipe.peer.env()),
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 30
    while not pipe.events() and time.monotonic() < until:
        time.sleep(0.05)
    return p


def paused(p, pipe, n):
    """It ended PAUSED, everything is accounted for, and what was not sent is in the queue and visible."""
    out, err = p.communicate(timeout=60)
    told = json.loads(out)
    assert p.returncode == 1 and told["state"] == "PAUSED" and told["unaccounted"] == 0, (out, err)
    assert 0 < told["verified"] < n and pipe.counts() == (n - told["verified"], 0), (told, pipe.counts())
    assert set(told["states"]) == {"VERIFIED", "SELECTED"}, told["states"]
    return told


@pytest.mark.parametrize("despite", [False, True] if LONG else [False])
def test_throttles(sim, sluice, rng, despite):
    pipe = Pipe.make(sim, rng, batch=1)
    n = 8 if despite else 60
    pipe.fill(n)
    measured(sim, "AWS/Lambda", "Throttles", ("FunctionName", pipe.function), {60 * i: 1 for i in range(3, 12)})
    p = begun(sluice, pipe, n, *(("--despite", "throttles") if despite else ()))
    measured(sim, "AWS/Lambda", "Throttles", ("FunctionName", pipe.function), {0: 40})
    if despite:
        out, err = p.communicate(timeout=60)
        assert p.returncode == 0 and json.loads(out)["verified"] == n, (out, err)
        return
    told = paused(p, pipe, n)
    assert "throttled" in told["reason"] and pipe.function in told["reason"]
    again = sluice("replay", "resume", *OPERATE, "--rate", "500", "--despite", "throttles", "--format", "json", env=pipe.peer.env())
    assert again.status == 0 and again.json["verified"] == n, again


def test_an_alarm_that_goes_off(sim, sluice, rng):
    """One that was in ALARM before does not count; one that goes off while it runs does."""
    pipe = Pipe.make(sim, rng, batch=1)
    pipe.fill(60)
    cw = sim.client("cloudwatch")
    names = [f"{pipe.name}-{i}" for i in range(2)]
    for name in names:
        cw.put_metric_alarm(AlarmName=name, Namespace="N", MetricName=name, Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
                            ComparisonOperator="GreaterThanThreshold")
    cw.set_alarm_state(AlarmName=names[0], StateValue="ALARM", StateReason="before")
    p = begun(sluice, pipe, 60)
    time.sleep(1.5)
    assert p.poll() is None
    cw.set_alarm_state(AlarmName=names[1], StateValue="ALARM", StateReason="now")
    told = paused(p, pipe, 60)
    cw.delete_alarms(AlarmNames=names)
    assert names[1] in told["reason"]


def test_alarms_that_cannot_be_read_are_said(sim, sluice, rng):
    pipe = Pipe.make(sim, rng)
    pipe.fill(2)
    sim.spoil("cloudwatch:DescribeAlarms=denied")
    ran = start(sluice, pipe, 2)
    assert ran.status == 0 and ran.json["verified"] == 2 and any("not watched" in w and "alarms" in w for w in ran.json["warnings"]), ran


def test_lost_before_it_is_over(sim, sluice, rng):
    """Refused before anything is sent, with what buys time; --despite loss begins; bought time lets it begin, too."""
    pipe = Pipe.make(sim, rng, batch=1, retention=60)
    pipe.fill(30)
    ran = start(sluice, pipe, 30, "--rate", "0.3")
    assert ran.status == 3 and "is lost in" in ran.err and "buy-time" in ran.err and pipe.events() == [] and pipe.counts() == (30, 0), ran
    ran = start(sluice, pipe, 3, "--rate", "0.03", "--despite", "loss", "-t", "1")
    assert ran.status != 3 and pipe.events(), ran
    pipe.peer.client("sqs").set_queue_attributes(QueueUrl=pipe.dlq, Attributes={"MessageRetentionPeriod": "1209600"})
    again = sluice("replay", "resume", *OPERATE, "--rate", "500", "--format", "json", env=pipe.peer.env())
    assert again.status == 0 and again.json["verified"] == 3, again


def test_the_clock_comes_near_while_it_runs(sim, sluice, rng):
    """The retention is lowered in mid-run: the next look sees it."""
    pipe = Pipe.make(sim, rng, batch=1)
    pipe.fill(600)
    p = begun(sluice, pipe, 600)
    pipe.peer.client("sqs").set_queue_attributes(QueueUrl=pipe.dlq, Attributes={"MessageRetentionPeriod": "120"})
    told = paused(p, pipe, 600)
    assert "is lost in" in told["reason"] and "buy-time" in told["reason"]


@pytest.mark.skipif(not LONG, reason="three minutes of points: SLUICE_LONG")
def test_the_age_of_the_source(sim, sluice, rng):
    pipe = Pipe.make(sim, rng, batch=1)
    pipe.fill(2000)
    dimension = ("QueueName", pipe.name)
    measured(sim, "AWS/SQS", "ApproximateAgeOfOldestMessage", dimension, {60 * i: 5 for i in range(1, 14)})
    p = begun(sluice, pipe, 2000)
    for i in range(8):
        if p.poll() is None:
            measured(sim, "AWS/SQS", "ApproximateAgeOfOldestMessage", dimension, {0: 60 + 30 * i})
            time.sleep(30)
    assert "grows older" in paused(p, pipe, 2000)["reason"]
