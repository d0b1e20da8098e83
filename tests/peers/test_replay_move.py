"""--move-task: SQS itself moves the messages; sluice starts, ramps, watches and stops the tasks. On sim alone: no emulator has them."""

import json
import signal
import subprocess
import time

import pytest
from program import LONG, binary, clean_env
from replaykit import INSPECT, OPERATE, Pipe
from simtools import sim, world  # noqa: F401 (fixtures)


def argv(pipe, n, *more):
    return ["replay", "start", f"sqs:{pipe.dlq_name}", "--move-task", *OPERATE, "--yes-i-mean", str(n), "--watch", "1s", "--format", "json", *more]


def begun(sluice, pipe, n, *more):
    p = subprocess.Popen([binary(), *argv(pipe, n, *more)], env=clean_env(sluice.home, pipe.peer.env()), stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 20
    while not pipe.counts(pipe.source)[0] and time.monotonic() < until and p.poll() is None:
        time.sleep(0.05)
    return p


def tasks(pipe):
    return pipe.peer.client("sqs").list_message_move_tasks(SourceArn=pipe.arn(pipe.dlq), MaxResults=10)["Results"]


def test_all_of_it_step_by_step(sim, sluice, rng):
    """Each step a task of its own, one after the other; the end is DONE~ and says that its counts are approximate."""
    pipe = Pipe.make(sim, rng)
    pipe.fill(100)
    ran = sluice(*argv(pipe, 100), env=pipe.peer.env())
    assert ran.status == 0, ran
    told = ran.json
    assert told["state"] == "DONE~" and told["approximate"] is True and told["mode"] == "move-task", told
    assert (told["moved"], told["to_move"], told["verified"], told["task_running"]) == (100, 100, 0, False)
    assert pipe.counts() == (0, 0) and pipe.counts(pipe.source) == (100, 0)
    rates = [t["MaxNumberOfMessagesPerSecond"] for t in tasks(pipe)][::-1]
    assert rates[:2] == [10, 50] and rates == sorted(rates) and set(rates) <= {10, 50, 200, 500}, rates
    lines = [json.loads(line) for line in sluice("audit", "--format", "json", env=pipe.peer.env()).out.splitlines()]
    actions = [line["event.action"] for line in lines if line["sluice.run"] == told["run"]]
    assert actions.count("sqs:StartMessageMoveTask") == len(rates) and actions.count("sqs:CancelMessageMoveTask") >= len(rates) - 1
    shown = sluice("replay", "show", told["run"], env=pipe.peer.env()).out
    assert "DONE~" in shown and "~100 of ~100" in shown and "verified" in shown


def test_a_plan_and_its_refusals(sim, sluice, rng):
    pipe = Pipe.make(sim, rng)
    pipe.fill(30)
    env = pipe.peer.env()
    ran = sluice("replay", "plan", f"sqs:{pipe.dlq_name}", "--move-task", *INSPECT, "--format", "json", env=env)
    assert ran.status == 0 and ran.json["to_move"] == 30 and any("canary" in w for w in ran.json["warnings"]) and tasks(pipe) == [], ran
    assert sluice(*argv(pipe, 29), env=env).status == 3 and tasks(pipe) == []  # another number than was said
    for more in (("--through", "f"), ("--redrive",), ("--limit", "3"), ("--where", "body~x"), ("--rate", "501")):
        assert sluice(*argv(pipe, 30, *more), env=env).status == 2
    pipe.peer.client("sqs").start_message_move_task(SourceArn=pipe.arn(pipe.dlq), MaxNumberOfMessagesPerSecond=1)
    ran = sluice(*argv(pipe, 30), env=env)
    assert ran.status == 3 and "move task is RUNNING" in ran.err and len(tasks(pipe)) == 1, ran


@pytest.mark.parametrize("how", ["pause", signal.SIGTERM] if LONG else [signal.SIGTERM])
def test_a_pause_cancels_and_a_resume_goes_on(sim, sluice, rng, how):
    pipe = Pipe.make(sim, rng)
    pipe.fill(50)
    p = begun(sluice, pipe, 50, "--rate", "10")
    assert sluice("replay", "status", "--format", "json", env=pipe.peer.env()).json["task_running"] is True
    if how == "pause":
        assert sluice("replay", "pause", env=pipe.peer.env()).status == 0
    else:
        p.send_signal(how)
    out, err = p.communicate(timeout=30)
    told = json.loads(out)
    assert told["state"] == "PAUSED" and told["task_running"] is False and 0 < told["moved"] < 50, (out, err)
    assert {t["Status"] for t in tasks(pipe)} == {"CANCELLED"}
    again = sluice("replay", "resume", *OPERATE, "--rate", "500", "--watch", "1s", "--format", "json", env=pipe.peer.env())
    assert again.status == 0 and again.json["state"] == "DONE~" and again.json["moved"] == 50, again
    assert pipe.counts() == (0, 0) and pipe.counts(pipe.source) == (50, 0)


def test_a_task_that_fails(sim, sluice, rng):
    pipe = Pipe.make(sim, rng)
    pipe.fill(40)
    sim.spoil("sqs:StartMessageMoveTask=move-fails:5")
    ran = sluice(*argv(pipe, 40), env=pipe.peer.env())
    assert ran.status == 1 and ran.json["state"] == "PAUSED" and "AccessDenied" in ran.json["reason"] and ran.json["moved"] == 5, ran


@pytest.mark.parametrize("fault", ["lost"] + (["reset"] if LONG else []))
def test_a_start_whose_answer_is_lost(sim, sluice, rng, fault):
    """The list says that it began: it is this run's, and no second one is started."""
    pipe = Pipe.make(sim, rng)
    pipe.fill(15)
    sim.spoil(f"sqs:StartMessageMoveTask={fault},times=1")
    ran = sluice(*argv(pipe, 15, "--rate", "10"), env=pipe.peer.env())
    assert ran.status == 0 and ran.json["state"] == "DONE~" and pipe.counts(pipe.source) == (15, 0), ran
    assert len(tasks(pipe)) == 1


@pytest.mark.skipif(not LONG, reason="the crash suites have more: SLUICE_LONG")
def test_killed_and_gone_on_with(sim, sluice, rng):
    """The task runs on without its driver; the resume knows it as its own."""
    pipe = Pipe.make(sim, rng)
    pipe.fill(60)
    p = begun(sluice, pipe, 60, "--rate", "10")
    p.kill()
    p.communicate()
    assert tasks(pipe)[0]["Status"] == "RUNNING"
    again = sluice("replay", "resume", *OPERATE, "--rate", "500", "--watch", "1s", "--format", "json", env=pipe.peer.env())
    assert again.status == 0 and again.json["state"] == "DONE~" and again.json["moved"] == 60, again
    assert pipe.counts(pipe.source) == (60, 0)


@pytest.mark.skipif(not LONG, reason="test_replay_stops.py has the rule itself: SLUICE_LONG")
def test_an_alarm_stops_the_task(sim, sluice, rng):
    pipe = Pipe.make(sim, rng)
    pipe.fill(300)
    cw, name = sim.client("cloudwatch"), f"{pipe.name}-alarm"
    cw.put_metric_alarm(AlarmName=name, Namespace="N", MetricName=name, Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
                        ComparisonOperator="GreaterThanThreshold")
    p = begun(sluice, pipe, 300, "--rate", "10")
    cw.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="now")
    out, err = p.communicate(timeout=30)
    cw.delete_alarms(AlarmNames=[name])
    told = json.loads(out)
    assert told["state"] == "PAUSED" and name in told["reason"] and tasks(pipe)[0]["Status"] == "CANCELLED", (out, err)
