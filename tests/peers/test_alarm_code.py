"""Alarms as code: what a file says is what is in the account afterwards, field by field; what cannot be is refused and said."""

import json
import os
import signal
import subprocess
import sys
import time

import cloudalarms as ca
import pytest
from fakeaws import FakeAws, denied, internal, throttled
from program import LONG, SLOWER, binary, clean_env, plain
from simtools import Sim

GO = ("--mode", "admin", "--yes")
KINDS = [ca.metric, ca.percentile, ca.math, ca.band, ca.promql, ca.log]


def write(sluice, doc, name="alarms.json"):
    path = sluice.home / name
    path.write_text(doc if isinstance(doc, str) else json.dumps(doc))
    return str(path)


def run(sluice, aws, *args, status=0):
    ran = sluice("alarms", *args, env=aws.env(), timeout=240 if LONG else 60)
    assert ran.status == status and plain(ran.out) and plain(ran.err), str(ran)
    return ran


def one(name="A", **more):
    return {"AlarmName": name, "Namespace": "N", "MetricName": "M", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 3, "Threshold": 5,
            "ComparisonOperator": "GreaterThanThreshold", **more}


def doc(*alarms, owner="me", **more):
    return {"version": 1, "owner": owner, "alarms": list(alarms), **more}


def planned(sluice, aws, file, status, *more):
    """{name: step} of the plan."""
    p = run(sluice, aws, "plan", file, "--format", "json", *more, status=status).json
    return {a["name"]: a for a in p["alarms"]}


def audited(sluice):
    return [json.loads(line) for line in sluice("audit", "--format", "json").out.splitlines()]


# ---- it comes true, for every kind

def test_every_kind_comes_true(sluice, rng):
    alarms = [k(rng, f"{n} {i}") for i, (k, n) in enumerate(zip(KINDS * (2 if LONG else 1), ca.NAMES))] + [ca.composite(rng, "both", [ca.NAMES[0] + " 0", "missing"])]
    world = ca.Alarms()
    with FakeAws(answers=world) as aws:
        file = write(sluice, doc(*alarms[::-1]))
        assert len(planned(sluice, aws, file, 2)) == len(alarms)
        applied = run(sluice, aws, "apply", file, *GO, "--format", "json").json
        assert applied["applied"] == len(alarms) and {a["outcome"] for a in applied["alarms"]} == {"applied"}
        for a in alarms:
            assert ca.canonical(world.settings(a["AlarmName"])) == ca.canonical(a)
        assert {a["what"] for a in planned(sluice, aws, file, 0).values()} == {"same"}
        exported = write(sluice, run(sluice, aws, "export").out, "exported.json")
        assert {a["what"] for a in planned(sluice, aws, exported, 0).values()} == {"same"}
        assert json.load(open(exported))["owner"] == "me"
        assert {a["AlarmName"]: ca.canonical(a) for a in json.load(open(exported))["alarms"]} == {a["AlarmName"]: ca.canonical(a) for a in alarms}
        assert run(sluice, aws, "apply", file, *GO).status == 0  # nothing to do
        assert len(world.writes) == len(alarms)


def aws_cli(peer, home, *args):
    env = clean_env(home, peer.env(PYTHONUTF8="1"))
    argv = [sys.executable, os.path.join(os.path.dirname(sys.executable), "aws"), *args, "--output", "json"]
    return json.loads(subprocess.run(argv, env=env, check=True, capture_output=True, timeout=120 * SLOWER).stdout or "{}")


def test_awscli_reads_back_what_was_written(sluice, moto, rng):
    """200 alarms in a long run: three writes a second is what CloudWatch grants, and what is kept to."""
    alarms = [dict(a, AlarmName=f"{rng.randrange(1 << 30):x} {a['AlarmName']}") for a in ca.generate(rng, 200 if LONG else 4, [ca.metric, ca.percentile, ca.math, ca.band])]
    file = write(sluice, doc(*alarms))
    run(sluice, moto, "apply", file, *GO)
    told = aws_cli(moto, sluice.home, "cloudwatch", "describe-alarms")
    found = {a["AlarmName"]: a for a in told["MetricAlarms"]}
    try:
        for a in alarms:
            assert ca.canonical(found[a["AlarmName"]]) == ca.canonical(a), a["AlarmName"]
        assert run(sluice, moto, "plan", file).status == 0
        mine = [found[a["AlarmName"]] for a in alarms]
        run(sluice, moto, "plan", write(sluice, {"MetricAlarms": mine, "CompositeAlarms": []}, "theirs.json"))  # what it prints is a file
    finally:
        moto.client("cloudwatch").delete_alarms(AlarmNames=[a["AlarmName"] for a in alarms])


def test_composites_come_true_on_ministack(sluice, ministack, rng):
    alarms = ca.generate(rng, 30 if LONG else 3, [ca.metric], composites=1)
    for a in alarms:  # MiniStack forgets them
        for key in [k for k in a if k.startswith("ActionsSuppressor")]:
            del a[key]
    file = write(sluice, doc(*alarms))
    run(sluice, ministack, "apply", file, *GO)
    told = ministack.client("cloudwatch").describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    found = {a["AlarmName"]: json.loads(json.dumps(a, default=str)) for a in told["MetricAlarms"] + told["CompositeAlarms"]}
    for a in alarms:
        assert ca.canonical(found[a["AlarmName"]]) == ca.canonical(a), a["AlarmName"]
    assert run(sluice, ministack, "plan", file).status == 0


def test_on_the_simulator(sluice, tmp_path, rng):
    alarms = ca.generate(rng, 30 if LONG else 3, [ca.metric, ca.percentile])
    with Sim.start("calm", home=tmp_path) as sim:
        file = write(sluice, doc(*alarms))
        run(sluice, sim.peer, "apply", file, *GO)
        assert run(sluice, sim.peer, "plan", file).status == 0
        found = {a["AlarmName"]: a for p in sim.client("cloudwatch").get_paginator("describe_alarms").paginate() for a in p["MetricAlarms"]}
        for a in alarms:
            assert ca.canonical(json.loads(json.dumps(found[a["AlarmName"]], default=str))) == ca.canonical(a)


# ---- field by field, and nothing else

def test_changes_are_told_field_by_field(sluice):
    world = ca.Alarms([one(OKActions=["arn:aws:sns:eu-west-1:123456789012:a"])], {"A": {"sluice:owner": "me", "team": "x", "old": "1"}})
    with FakeAws(answers=world) as aws:
        file = write(sluice, doc(one(Threshold=6, TreatMissingData="ignore", OKActions=["arn:aws:sns:eu-west-1:123456789012:b"],
                                     Tags=[{"Key": "team", "Value": "y"}])))
        changes = planned(sluice, aws, file, 2)["A"]["changes"]
        assert [(c["path"], c["from"], c["to"]) for c in changes] == [
            ("OKActions[arn:aws:sns:eu-west-1:123456789012:a]", "arn:aws:sns:eu-west-1:123456789012:a", None),
            ("OKActions[arn:aws:sns:eu-west-1:123456789012:b]", None, "arn:aws:sns:eu-west-1:123456789012:b"),
            ("Threshold", 5, 6), ("TreatMissingData", "missing", "ignore"), ("Tags[team]", "x", "y"), ("Tags[old]", "1", None)]
        text = run(sluice, aws, "plan", file, status=2).out.splitlines()
        assert "setting\tA\tThreshold\t5\t6" in text and text[0] == "change\tA\tmetric\t0.10\t"
        assert run(sluice, aws, "drift", file, status=2).out.splitlines()[0].startswith("change\tA\t")
        assert run(sluice, aws, "apply", file, *GO).out.splitlines()[-1] == "applied\tA\t"
        assert [w[0] for w in world.writes] == ["TagResource", "PutMetricAlarm", "UntagResource"]
        assert world.tags[world.arn("A")] == {"sluice:owner": "me", "team": "y"}
        run(sluice, aws, "drift", file)
    assert [(e["event.action"], e["event.outcome"]) for e in audited(sluice)] == [
        ("cloudwatch:TagResource", "announced"), ("cloudwatch:PutMetricAlarm", "announced"), ("cloudwatch:UntagResource", "announced"),
        ("cloudwatch:PutMetricAlarm", "success")]


def test_what_nobody_knows_yet_survives(sluice):
    world = ca.Alarms([one(WarmUpConfiguration={"a": [1, {"b": None}]}, NewThing=[])], {"A": {"sluice:owner": "me"}})
    with FakeAws(answers=world) as aws:
        file = write(sluice, doc(one(Threshold=6)))
        assert planned(sluice, aws, file, 2)["A"]["kept"] == "NewThing, WarmUpConfiguration"
        run(sluice, aws, "apply", file, *GO)
        assert world.alarms["A"][1]["WarmUpConfiguration"] == {"a": [1, {"b": None}]} and world.alarms["A"][1]["Threshold"] == 6
        run(sluice, aws, "plan", write(sluice, run(sluice, aws, "export", "A").out, "x.json"))
        # what cannot be kept because it is inside of what the file says: refused, and nothing is written
        world.put("PutMetricAlarm", one(Dimensions=[{"Name": "d", "Value": "v", "Match": "prefix"}]))
        ran = run(sluice, aws, "apply", write(sluice, doc(one(Dimensions=[{"Name": "d", "Value": "w"}]))), *GO, status=1)
        assert "Dimensions.d.Match" in ran.out and len(world.writes) == 1


# ---- who may

def test_what_somebody_else_keeps_is_not_written(sluice):
    world = ca.Alarms([one(n) for n in "ABCD"], {"A": {}, "B": {"aws:cloudformation:stack-name": "s", "sluice:owner": "me"},
                                                 "C": {"ManagedBy": "Terraform", "sluice:owner": "me"}, "D": {"sluice:owner": "you"}})
    with FakeAws(answers=world) as aws:
        file = write(sluice, doc(*(one(n, Threshold=7) for n in "ABCD"), one("new")))
        steps = planned(sluice, aws, file, 1)
        assert {n: s["what"] for n, s in steps.items()} == {"A": "refused", "B": "refused", "C": "refused", "D": "refused", "new": "create"}
        for n, word in {"A": "no tag sluice:owner", "B": "CloudFormation keeps it", "C": "Terraform keeps it", "D": 'belongs to "you"'}.items():
            assert word in steps[n]["why"], steps[n]
        assert {s["what"] for n, s in planned(sluice, aws, file, 2, "--adopt").items() if n != "new"} == {"change"}
        ran = run(sluice, aws, "apply", file, *GO, status=1)
        assert "1 of 1 written and read back, 0 failed, 0 unknown, 0 not begun, 4 refused" in ran.err
        run(sluice, aws, "apply", file, "--adopt", *GO)
        assert {world.tags[world.arn(n)]["sluice:owner"] for n in "ABCD"} == {"me"} and world.alarms["D"][1]["Threshold"] == 7


def test_the_gate(sluice):
    world = ca.Alarms()
    with FakeAws(answers=world) as aws:
        file = write(sluice, doc(one()))
        for args, word in [((), "--mode admin"), (("--mode", "operate", "--yes"), "--mode admin"), (("--mode", "admin"), "--yes")]:
            assert word in run(sluice, aws, "apply", file, *args, status=3).err
        assert run(sluice, aws, "apply", file, "--dry-run").status == 0
        for bad in (("plan",), ("plan", file, "more"), ("plan", str(sluice.home / "nowhere")), ("plan", file, "--bogus"), ("drift",)):
            run(sluice, aws, *bad, status=1)  # Terraform's: any error is 1
        run(sluice, aws, "apply", status=2)
        assert world.writes == []


def test_tags_that_may_not_be_read(sluice):
    world = ca.Alarms([one()], {"A": {"sluice:owner": "me"}})
    with FakeAws({"cloudwatch:ListTagsForResource": denied}, world) as aws:
        file = write(sluice, doc(one(Threshold=6)))
        step = planned(sluice, aws, file, 1)["A"]
        assert step["what"] == "refused" and "allow cloudwatch:ListTagsForResource" in step["why"]


# ---- init, and what plan notes

def test_init_writes_the_two_alarms_of_the_mission(sluice, tmp_path):
    with Sim.start("calm", home=tmp_path) as sim:
        for name, namespace, seen in (("orders-enrich", "DataPipeline", True), ("sqs:orders-load", "AWS/SQS", None), ("thumbnailer", "AWS/Lambda", False)):
            ran = run(sluice, sim.peer, "init", name)
            plain_name = name.split(":")[-1]
            high, low = ran.json["alarms"]
            assert [(a["AlarmName"], a["ComparisonOperator"], a["Threshold"]) for a in (high, low)] == [
                (f"HighErrorRate-{plain_name}", "GreaterThanThreshold", 5), (f"LowThroughput-{plain_name}", "LessThanThreshold", 1000)]
            assert low["Namespace"] == namespace and ("Metrics" in high) == (namespace != "DataPipeline")
            steps = planned(sluice, sim.peer, write(sluice, ran.out, "init.json"), 2)
            if seen is not None:
                assert ("CloudWatch lists no such metric" in low["//"]) == (not seen)
                assert any("CloudWatch lists no metric" in n for n in steps[low["AlarmName"]]["notes"]) == (not seen)
        assert "nope: no stage or resource" in run(sluice, sim.peer, "init", "nope", status=1).err
        write(sluice, run(sluice, sim.peer, "init", "orders-enrich").out, "init.json")
        run(sluice, sim.peer, "apply", str(sluice.home / "init.json"), *GO)
        run(sluice, sim.peer, "plan", str(sluice.home / "init.json"))


# ---- what goes wrong half way

@pytest.mark.parametrize("fault,word", [(denied, "denied"), (throttled, "Rate exceeded"), (internal, "internal error")])
def test_what_was_applied_is_said_and_apply_again_finishes(sluice, fault, word):
    world = ca.Alarms()
    with FakeAws({"cloudwatch:PutMetricAlarm": ca.after(2, fault)}, world) as aws:
        file = write(sluice, doc(*(one(n) for n in "ABCDE")))
        ran = sluice("alarms", "apply", file, *GO, env=aws.env(AWS_MAX_ATTEMPTS="2"))
        assert ran.status == 1 and "2 of 5 written and read back" in ran.err and "2 not begun" in ran.err, str(ran)
        rows = [r.split("\t") for r in ran.out.splitlines() if r.split("\t")[0] in ("applied", "failed", "unknown", "waiting")]
        assert [r[:2] for r in rows[:2]] == [["applied", "A"], ["applied", "B"]] and rows[2][0] in ("failed", "unknown") and word in rows[2][2], rows
        assert [r[:2] for r in rows[3:]] == [["waiting", "D"], ["waiting", "E"]]
        aws.faults = {}
        assert {n for n, s in planned(sluice, aws, file, 2).items() if s["what"] != "same"} == set("CDE")
        run(sluice, aws, "apply", file, *GO)
        run(sluice, aws, "plan", file)


def test_what_cloudwatch_refuses_stops_nobody_else(sluice):
    world = ca.Alarms()

    def choosy(h, op):
        if json.loads(h.body)["AlarmName"] == "B":
            ca.refused(h, op)
        else:
            h.reply(200, h.good(), "application/x-amz-json-1.0")

    with FakeAws({"cloudwatch:PutMetricAlarm": choosy}, world) as aws:
        ran = run(sluice, aws, "apply", write(sluice, doc(*(one(n) for n in "ABC"))), *GO, status=1)
        assert set(world.alarms) == {"A", "C"} and "failed\tB\tcloudwatch:PutMetricAlarm: ValidationError: Invalid metrics list" in ran.out


@pytest.mark.parametrize("how,word", [("change", "changed it since the plan"), ("create", "made it since the plan"), ("delete", "deleted it since the plan")])
def test_what_moved_since_the_plan_is_left_alone(sluice, how, word):
    world = ca.Alarms([] if how == "create" else [one("B")], {} if how == "create" else {"B": {"sluice:owner": "me"}})

    def meanwhile(op, body):
        if len(world.writes) == 0:  # while A is written
            world.alarms.pop("B") if how == "delete" else world.put("PutMetricAlarm", one("B", Threshold=1, Unit="Count"))

    world.before = meanwhile
    with FakeAws(answers=world) as aws:
        ran = run(sluice, aws, "apply", write(sluice, doc(one("A"), one("B", Threshold=9))), *GO, status=1)
        assert word in ran.out and [w for w in world.writes] == [("PutMetricAlarm", "A")]


def test_what_is_read_back_otherwise_is_said(sluice):
    world = ca.Alarms()
    world.before = lambda op, body: body.update(Threshold=50)
    with FakeAws(answers=world) as aws:
        ran = run(sluice, aws, "apply", write(sluice, doc(one())), *GO, status=1)
        assert "failed\tA\twritten, but read back Threshold is 50, not 5" in ran.out


WRITES = ("cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:UntagResource")


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("at", range(1, 7) if LONG else (2, 3))
def test_a_kill_leaves_nothing_that_the_next_plan_does_not_show(sluice, at, done):
    """kill -9 at the at-th write, before or after CloudWatch did it."""
    world, process, seen = ca.Alarms([one("B"), one("D")], {"B": {}, "D": {"sluice:owner": "me", "k": "v"}}), [], []
    wanted = [one("A"), one("B", Threshold=6), one("C"), one("D", Threshold=7, Tags=[{"Key": "n", "Value": "1"}])]

    def kill(h, op):
        seen.append(op)
        good = h.good() if len(seen) < at or done else b""
        if len(seen) == at:
            process[0].kill()
            h.hang_up()
        else:
            h.reply(200, good, "application/x-amz-json-1.0")

    file = write(sluice, doc(*wanted))
    with FakeAws(dict.fromkeys(WRITES, kill), world) as aws:
        argv = [binary(), "alarms", "apply", file, "--adopt", *GO]
        process.append(subprocess.Popen(argv, env=clean_env(sluice.home, aws.env()), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        assert process[0].wait(60 * SLOWER) == -signal.SIGKILL
        aws.faults = {}
        shown = {n for n, s in planned(sluice, aws, file, 2, "--adopt").items() if s["what"] != "same"}

        def differs(a):
            tags = {"sluice:owner": "me", **{t["Key"]: t["Value"] for t in a.get("Tags", [])}}
            name = a["AlarmName"]
            return name not in world.alarms or ca.canonical(world.settings(name)) != ca.canonical(a) or world.tags[world.arn(name)] != tags
        assert shown == {a["AlarmName"] for a in wanted if differs(a)}
        run(sluice, aws, "apply", file, "--adopt", *GO)
        assert not [a for a in wanted if differs(a)]
        run(sluice, aws, "plan", file)
    assert sum(e["event.action"] in WRITES for e in audited(sluice)) >= len(seen)


# ---- one thing done to one alarm

def test_acts_on_one_alarm(sluice):
    name = "\u00e4 \"q\" x:y"
    world = ca.Alarms([one(name), one("stack")], {name: {"sluice:owner": "me"}, "stack": {"aws:cloudformation:stack-name": "s"}})
    with FakeAws(answers=world) as aws:
        assert "--mode admin" in run(sluice, aws, "disable", name, "--mode", "operate", "--yes", status=3).err
        assert run(sluice, aws, "disable", name, *GO, "--dry-run").out.startswith("planned\t") and not world.writes
        run(sluice, aws, "disable", name, *GO)
        assert world.alarms[name][1]["ActionsEnabled"] is False
        assert run(sluice, aws, "enable", name, *GO, "--format", "json").json["status"] == "done"
        assert world.alarms[name][1]["ActionsEnabled"] is True
        run(sluice, aws, "set-state", name, "ALARM", "a drill", *GO)
        assert (world.alarms[name][1]["StateValue"], world.alarms[name][1]["StateReason"]) == ("ALARM", "a drill")
        assert "CloudFormation keeps it" in run(sluice, aws, "delete", "stack", *GO).out and "stack" not in world.alarms
        before = list(world.writes)
        for args, status, word in [(("enable", "nope"), 1, "no alarm of this name"), (("set-state", name, "GREEN"), 2, "INSUFFICIENT_DATA"),
                                   (("set-state", name), 2, "a state"), (("delete",), 2, "an alarm's name"), (("delete", "a", "b"), 2, "not also"),
                                   (("set-state", name, "OK", "x" * 1024), 2, "1023")]:
            assert word in run(sluice, aws, *args, *GO, status=status).err
        assert world.writes == before
        world.before = lambda op, body: body.update(AlarmNames=[])  # says yes and does nothing
        assert "read back it is not so" in run(sluice, aws, "disable", name, *GO, status=1).err


def test_an_alarm_that_is_set_off_reaches_a_queue(sluice, ministack):
    """Alarm to topic to queue, really delivered: made from a file, set off, heard."""
    sqs, sns = ministack.client("sqs"), ministack.client("sns")
    queue = sqs.create_queue(QueueName="pager")["QueueUrl"]
    topic = sns.create_topic(Name="oncall")
    sns.subscribe(TopicArn=topic["TopicArn"], Protocol="sqs", Endpoint=sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])
    run(sluice, ministack, "apply", write(sluice, doc(one("page me", AlarmActions=[topic["TopicArn"]]))), *GO)
    run(sluice, ministack, "set-state", "page me", "ALARM", *GO)
    heard = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10).get("Messages", [])
    told = json.loads(json.loads(heard[0]["Body"])["Message"])
    assert (told["AlarmName"], told["NewStateValue"]) == ("page me", "ALARM")


# ---- what its rule would have done

def points(values, stop=None):
    """GetMetricData of one value a minute: values(minute of the epoch)."""
    def get(self, body):
        out = []
        for q in body["MetricDataQueries"]:
            minutes = range(int(body["StartTime"]) // 60, int(min(body["EndTime"], stop or 1 << 40)) // 60)
            got = [(60 * m, float(values(m))) for m in minutes if values(m) is not None]
            out.append({"Id": q["Id"], "Label": "x", "Timestamps": [t for t, _ in got], "Values": [v for _, v in got], "StatusCode": "Complete"})
        return {"MetricDataResults": out, "Messages": []}
    return get


def test_backtest_of_a_rule(sluice):
    now = int(time.time()) // 60
    high = {m for m in range(now - 300, now - 280)} | {now - 200, now - 100, now - 99}
    moments = [{"AlarmName": "A", "Timestamp": 60 * m + 30, "HistoryItemType": "StateUpdate", "HistorySummary": f"Alarm updated from {a} to {b}"}
               for m, a, b in [(now - 277, "ALARM", "OK"), (now - 297, "OK", "ALARM"), (now - 690, "INSUFFICIENT_DATA", "OK")]]

    class Own(ca.Alarms):
        get_metric_data = points(lambda m: 9 if m in high else 0 if m >= now - 700 else None)

        def describe_alarm_history(self, body):
            return {"AlarmHistoryItems": moments}

    world = Own([one()])
    world.alarms["A"][1].update(StateValue="OK", AlarmConfigurationUpdatedTimestamp=60 * (now - 2000))
    with FakeAws(answers=world) as aws:
        r = run(sluice, aws, "backtest", "A", "--since", "11h", "--format", "json").json
        assert (r["final"]["fires"], r["final"]["alarm_seconds"], r["final"]["longest_seconds"]) == (1, 1080, 1080), r["final"]
        by = {(row["threshold"], row["m"], row["n"]): row["fires"] for row in r["sweep"]}
        assert by[5, 3, 3] == 1 and by[5, 1, 1] == 3 and by[5, 2, 3] == 2 and by[10, 1, 1] == 0
        assert r["cloudwatch"]["fires"] == 1 and r["cloudwatch"]["agreed_seconds"] >= r["cloudwatch"]["compared_seconds"] - 900
        assert r["as_seen"] is None and "real_fires" not in r and r["metrics"] == 1
        text = run(sluice, aws, "backtest", "A", "--since", "11h")
        assert text.out.splitlines()[0] == "final\t5\t3/3\t1\t18m\t18m\t" + text.out.splitlines()[0].split("\t")[-1] and "it tells of 1 fires" in text.err
        run(sluice, aws, "backtest", "A", "--since", "16d", status=2)
        run(sluice, aws, "backtest", "nope", status=1)
        world.alarms["both"] = ("CompositeAlarms", {"AlarmName": "both", "AlarmRule": "ALARM(A)", "StateValue": "OK"})
        assert "a rule over other alarms" in run(sluice, aws, "backtest", "both", status=1).err


def test_backtest_by_what_was_seen_first(sluice):
    """Datapoints that changed after the history first had them: a live alarm acted on what it saw."""
    now = int(time.time()) // 60
    late = set(range(now - 60, now - 50))

    class Own(ca.Alarms):
        get_metric_data = points(lambda m: 0)

        def describe_alarm_history(self, body):
            return {"AlarmHistoryItems": []}

    with FakeAws(answers=Own([one()])) as aws:
        for values in (lambda m: 0, lambda m: 9 if m in late else 0):
            Own.get_metric_data = points(values)
            ran = sluice("history", "-", "N/M:Sum", "--since", "2h", env=aws.env())
            assert ran.status == 0, str(ran)
        assert sluice("note", "kind=incident", "it broke", env=aws.env()).status == 0
        r = run(sluice, aws, "backtest", "A", "--since", "3h", "--format", "json").json
    assert (r["final"]["fires"], r["as_seen"]["fires"], r["revised"], r["as_seen_whole"]) == (1, 0, 10, True), r
    assert (r["incidents"], r["real_fires"]) == (1, 0)  # noted half an hour and more after it was over
