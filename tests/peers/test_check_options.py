"""--check's options and their configuration keys, the exit status table row by row, what is idle, and checks over time."""

import json
import pathlib
import re
import sqlite3
import time

import fakeaws
import pytest
from simtools import Sim
from fakeaws import FakeAws, arn
from program import LONG

NOW = "2026-11-23T03:14:42Z"
NOW_S = 1795403682


class Points(fakeaws.Answers):
    """One value everywhere, its newest point so many seconds old (of periods that end at whole minutes), and alarms in these states."""

    def __init__(self, value=7.5, *, states=(), age=60, now=None, status="Complete", n=15):
        super().__init__()
        self.value, self.states, self.age, self.now, self.status, self.n = value, states, age, now, status, n

    def get_metric_data(self, body):
        newest = int(self.now or time.time()) // 60 * 60 - self.age
        times = [newest - 60 * i for i in range(self.n)]
        return {"MetricDataResults": [{"Id": q["Id"], "Timestamps": times, "Values": [self.value] * self.n, "StatusCode": self.status}
                                      for q in body["MetricDataQueries"]]}

    def describe_alarms(self, body):
        one = super().describe_alarms(body)["MetricAlarms"][0]
        return {"MetricAlarms": [{**one, "AlarmName": f"a{i}", "AlarmArn": f"{one['AlarmArn']}-{i}", "StateValue": s}
                                 for i, s in enumerate(self.states)], "CompositeAlarms": []}


METRIC = ["--metric", "Orders/Errors{Stage=load}:Average"]


def check(sluice, aws, *options, **env):
    return sluice("--check", "--format", "json", *options, env=aws.env(**env))


# ---- how late points are

def learn(sluice, delays):
    """Writes what a console would have learned into the history, whose target and account a status has made."""
    db = sqlite3.connect(pathlib.Path(sluice.home) / ".cache/sluice/history.db")
    (target,) = db.execute("SELECT target FROM text WHERE name = 'inventory'").fetchone()
    counts = [0] * 32
    told = [{"namespace": ns, "delay": d, "points": 0, "halved": 0, "bin": 15, "looked": counts, "final": counts} for ns, d in delays.items()]
    db.execute("REPLACE INTO text VALUES (?, 'delays', ?)", (target, json.dumps(told)))
    db.commit()
    db.close()


def test_auto_delay_is_what_was_learned(sluice):
    """The window ends where that namespace's points are settled; who says a delay has that one; and stale is later by as much."""
    answers = Points(age=300, now=NOW_S)
    ask = [*METRIC, "--metric", "Other/Errors{Stage=load}:Average", "-c", "9"]
    with FakeAws(answers=answers) as aws:
        unlearned = check(sluice, aws, *ask, SLUICE_NOW=NOW)
        assert not (pathlib.Path(sluice.home) / ".cache").exists(), "a check makes no history"
        assert sluice("status", env=aws.env(SLUICE_NOW=NOW)).status in (0, 1)
        learn(sluice, {"Orders": 300, "Elsewhere": 15})
        learned = check(sluice, aws, *ask, "--delay", "auto", SLUICE_NOW=NOW)
        said = check(sluice, aws, *ask, "--delay", "60", SLUICE_NOW=NOW)
        answers.age = 420
        old = check(sluice, aws, *ask, SLUICE_NOW=NOW)
    by_name = lambda ran: sorted(ran.json["checks"], key=lambda c: c["name"])
    ends = lambda ran: [c["window"]["end"] for c in by_name(ran)]
    assert ends(unlearned) == ["2026-11-23T03:12:00Z"] * 2, str(unlearned)
    assert ends(learned) == ["2026-11-23T03:09:00Z", "2026-11-23T03:12:00Z"], str(learned)
    assert ends(said) == ["2026-11-23T03:13:00Z"] * 2, str(said)
    # The newest period ended 402 s ago: beyond 120 + 60 + 120, within 300 + 60 + 120.
    assert [(c["status"], c["code"]) for c in by_name(old)] == [("OK", None), ("UNKNOWN", "STALE")], str(old)


# ---- the exit status table

class Idle(fakeaws.Answers):
    """30 functions that nobody calls and 20 queues in which nothing is: CloudWatch has no point of any of them."""

    def list_functions(self, body):
        one = super().list_functions(body)["Functions"][0]
        return {"Functions": [{**one, "FunctionName": f"f{i}", "FunctionArn": arn("lambda", f"function:f{i}")} for i in range(30)]}

    def list_event_source_mappings(self, body):
        return {"EventSourceMappings": []}

    def list_queues(self, body):
        return {"QueueUrls": [f"https://sqs.{fakeaws.REGION}.amazonaws.com/{fakeaws.ACCOUNT}/q{i}" for i in range(20)]}

    def get_queue_attributes(self, body):
        answer = super().get_queue_attributes({"QueueUrl": "x/billing"})
        answer["Attributes"]["QueueArn"] = arn("sqs", body["QueueUrl"].rsplit("/", 1)[-1])
        return answer

    def list_streams(self, body):
        return {"StreamNames": [], "HasMoreStreams": False, "StreamSummaries": []}

    def get_metric_data(self, body):
        return {"MetricDataResults": [{"Id": q["Id"], "Timestamps": [], "Values": [], "StatusCode": "Complete"}
                                      for q in body["MetricDataQueries"]]}


class Empty(Idle):
    def list_functions(self, body):
        return {"Functions": []}

    def list_queues(self, body):
        return {"QueueUrls": []}

    def describe_alarms(self, body):
        return {"MetricAlarms": [], "CompositeAlarms": []}


GMD = "cloudwatch:GetMetricData"
ALARMS = "cloudwatch:DescribeAlarms"
ROWS = {  # row: (answers, faults, options, exit status, overall status, a code that stands among the checks)
    "0 OK": (Points(), {}, [*METRIC, "-c", "10"], 0, "OK", None),
    "1 WARNING": (Points(), {}, [*METRIC, "-w", "5", "-c", "10"], 1, "WARNING", None),
    "2 CRITICAL": (Points(), {}, [*METRIC, "-c", "5"], 2, "CRITICAL", None),
    "3 UNKNOWN": (Points(n=0), {}, [*METRIC, "-c", "5"], 3, "UNKNOWN", "NO_DATA"),
    "CRITICAL before UNKNOWN": (Points(), {ALARMS: fakeaws.denied}, [*METRIC, "-c", "5", "--alarms"], 2, "CRITICAL", "DENIED"),
    "UNKNOWN before WARNING": (Points(), {ALARMS: fakeaws.denied}, [*METRIC, "-w", "5", "--alarms"], 3, "UNKNOWN", "DENIED"),
    "WARNING before OK": (Points(states=["OK", "INSUFFICIENT_DATA"]), {}, ["--alarms"], 1, "WARNING", None),
    "SKIPPED changes nothing": (Idle(), {}, [], 0, "OK", "IDLE"),
    "SKIPPED beside CRITICAL": (Points(states=[]), {}, ["--alarms", *METRIC, "-c", "5"], 2, "CRITICAL", "IDLE"),
    "--unknown-is ok": (Points(n=0), {}, [*METRIC, "--unknown-is", "ok"], 0, "UNKNOWN", "NO_DATA"),
    "--unknown-is warn": (Points(n=0), {}, [*METRIC, "--unknown-is", "warn"], 1, "UNKNOWN", "NO_DATA"),
    "--unknown-is crit": (Points(n=0), {}, [*METRIC, "--unknown-is", "crit"], 2, "UNKNOWN", "NO_DATA"),
    "--warn-is-ok": (Points(), {}, [*METRIC, "-w", "5", "--warn-is-ok"], 0, "WARNING", None),
    "--warn-is-ok beside CRITICAL": (Points(), {}, [*METRIC, "-w", "5", "-c", "7", "--warn-is-ok"], 2, "CRITICAL", None),
    "--in-alarm-is warn": (Points(states=["ALARM"]), {}, ["--alarms", "--in-alarm-is", "warn"], 1, "WARNING", None),
    "--no-data ok": (Points(n=0), {}, [*METRIC, "--no-data", "ok"], 0, "OK", "NO_DATA"),
    "--no-data warn": (Points(n=0), {}, [*METRIC, "--no-data", "warn"], 1, "WARNING", "NO_DATA"),
    "--no-data crit": (Points(n=0), {}, [*METRIC, "--no-data", "crit"], 2, "CRITICAL", "NO_DATA"),
    "--no-data ok, throttled": (Points(), {GMD: fakeaws.throttled}, [*METRIC, "--no-data", "ok"], 3, "UNKNOWN", "THROTTLED"),
    "--no-data ok, denied": (Points(), {GMD: fakeaws.denied}, [*METRIC, "--no-data", "ok"], 3, "UNKNOWN", "DENIED"),
    "NO_DATA": (Points(n=0), {}, METRIC, 3, "UNKNOWN", "NO_DATA"),
    "TOO_FEW": (Points(), {}, [*METRIC, "--min-samples", "400"], 3, "UNKNOWN", "TOO_FEW"),
    "TOO_FEW, M of N open": (Points(n=1, age=180), {}, [*METRIC, "-c", "5", "--mofn", "2/3"], 3, "UNKNOWN", "TOO_FEW"),
    "THROTTLED": (Points(), {GMD: fakeaws.throttled}, METRIC, 3, "UNKNOWN", "THROTTLED"),
    "DENIED": (Points(), {GMD: fakeaws.denied}, METRIC, 3, "UNKNOWN", "DENIED"),
    "DENIED, in the answer": (Points(status="Forbidden", n=0), {}, METRIC, 3, "UNKNOWN", "DENIED"),
    "PARTIAL": (Points(status="PartialData"), {}, METRIC, 3, "UNKNOWN", "PARTIAL"),
    "TIMEOUT": (Points(), {GMD: fakeaws.silent}, [*METRIC, "-t", "1"], 3, "UNKNOWN", "TIMEOUT"),
    "STALE": (Points(age=720, n=3), {}, METRIC, 3, "UNKNOWN", "STALE"),
    "AUTH": (Points(), {"*": fakeaws.expired}, METRIC, 3, "UNKNOWN", "AUTH"),
    "ERROR": (Points(), {GMD: fakeaws.internal}, METRIC, 3, "UNKNOWN", "ERROR"),
    "BADREPLY": (Points(), {GMD: fakeaws.html200}, METRIC, 3, "UNKNOWN", "BADREPLY"),
    "BAD_CONFIG": (Points(), {}, [*METRIC, "-c", "20:10"], 3, "UNKNOWN", "BAD_CONFIG"),
    "nothing selected": (Points(states=["OK"]), {}, ["--alarms", "--select", "nothing"], 3, "UNKNOWN", "BAD_CONFIG"),
    "nothing in the region": (Empty(), {}, [], 3, "UNKNOWN", "NO_DATA"),
    "--dlq-max": (fakeaws.Answers(), {}, ["--dlq-max", "0"], 0, "OK", None),
    "-t, and one is CRITICAL": (Points(states=["ALARM"]), {GMD: fakeaws.silent}, [*METRIC, "--alarms", "-t", "1"], 2, "CRITICAL", "TIMEOUT"),
}


@pytest.mark.parametrize("row", ROWS)
def test_exit_status(sluice, row):
    answers, faults, options, status, overall, code = ROWS[row]
    with FakeAws(faults, answers) as aws:
        ran = check(sluice, aws, *options)
    assert ran.status == ran.json["exit"] == status and ran.json["status"] == overall, str(ran)
    assert code is None or code in {c["code"] for c in ran.json["checks"]}, str(ran)
    if overall == "UNKNOWN":
        assert ran.err.startswith("sluice: ") and ran.err.count("\n") <= 3, str(ran)


NO_ANSWER = {  # what ends before a result: 3, one line, nothing on standard output
    "unusable arguments": ["--nonsense"], "bad value": ["-t", "0"], "missing configuration": ["--config", "/nonexistent/x"],
    "no credentials": [], "unreadable clock": ["--alarms"], "command and check": ["status"], "later option": ["--drift"],
}


@pytest.mark.parametrize("row", NO_ANSWER)
def test_exit_status_without_a_result(sluice, row):
    env = {"AWS_REGION": "eu-west-1", **({"SLUICE_NOW": "soon"} if row == "unreadable clock" else {})}
    ran = sluice("--check", *NO_ANSWER[row], env=env)
    assert ran.status == 3 and ran.err.startswith("sluice: ") and ran.err.count("\n") == 1, str(ran)
    assert row == "no credentials" or ran.out == "", str(ran)


def keys():
    return {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "eu-west-1"}


def test_unreachable(sluice):
    ran = sluice("--check", "--alarms", "--format", "json", env={**keys(), "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert ran.status == 3 and ran.json["checks"][0]["code"] == "UNREACHABLE", str(ran)


# ---- idle

def test_idle_is_neither_unknown_nor_failing(sluice):
    with FakeAws(answers=Idle()) as aws:
        ran = check(sluice, aws)
        text = sluice("--check", env=aws.env())
    skipped = [c for c in ran.json["checks"] if c["code"] == "IDLE"]
    assert ran.status == text.status == 0 and ran.err == "", str(ran)
    assert {c["resource"] for c in skipped} == {f"f{i}" for i in range(30)} | {f"q{i}" for i in range(20)}
    assert {c["status"] for c in skipped} == {"SKIPPED"} and {c["status"] for c in ran.json["checks"]} == {"SKIPPED", "OK"}


@pytest.mark.parametrize("operation", [o for o in fakeaws.OPERATIONS if o not in ("sts:GetCallerIdentity", "cloudwatch:ListMetrics",
                                                                                "kinesis:DescribeStreamSummary")])
def test_one_denied_call_among_the_idle_is_unknown(sluice, operation):
    with FakeAws({operation: fakeaws.denied}, Idle()) as aws:
        ran = check(sluice, aws)
        assert aws.calls[operation]
    assert ran.status == 3 and "DENIED" in {c["code"] for c in ran.json["checks"]} and operation in ran.err, str(ran)


# ---- options and what the configuration says in their place

def only(ran):
    assert len(ran.json["checks"]) == 1, str(ran)
    return ran.json["checks"][0]


@pytest.mark.parametrize("options,end", [([], "03:12"), (["--delay", "auto"], "03:12"), (["--delay", "10m"], "03:04"), (["--delay", "0"], "03:14"),
                                         (["--delay", "3600"], "02:14")], ids=" ".join)
def test_delay(sluice, options, end):
    """Never the newest, still filling period: end = floor(now - delay, period)."""
    with FakeAws(answers=Points(now=NOW_S, n=180)) as aws:
        c = only(check(sluice, aws, *METRIC, *options, SLUICE_NOW=NOW))
    assert c["window"]["end"] == f"2026-11-23T{end}:00Z" and c["status"] == "OK", c


CONF = '[check "own"]\nmetric = Orders/Errors{Stage=load}:Average\ncritical = 5\n'
KEYS = {  # a key of [checks]: (its line, the same on the command line, what differs from the run without it)
    "alarms": ("alarms = yes", None, lambda r: {c["name"] for c in r.json["checks"]} == {"own", "alarms/a0"}),
    "in-alarm-is": ("alarms = yes\nin-alarm-is = warn", None, lambda r: [c["status"] for c in r.json["checks"]] == ["CRITICAL", "WARNING"]),
    "dlq-max": ("dlq-max = 0", None, lambda r: "orders-dlq/visible" in {c["name"] for c in r.json["checks"]}),
    "ttl-min": ("ttl-min = 24h", None, lambda r: "ingest/ttl" in {c["name"] for c in r.json["checks"]}),
    "mofn": ("mofn = 2/3", ["--mofn", "2/3"], lambda r: "3 of 3 points" in only(r)["reason"]),
    "window": ("window = 5m", ["--window", "5m"], lambda r: only(r)["samples"] + only(r)["missing"] == 5),
    "min-samples": ("min-samples = 400", ["--min-samples", "400"], lambda r: only(r)["code"] == "TOO_FEW"),
    "delay": ("delay = 10m", ["--delay", "10m"], lambda r: only(r)["window"]["end"].endswith("03:04:00Z")),
    "max-cost": ("max-cost = 0", ["--max-cost", "0"], lambda r: r.status == 3 and "$0.00001 (1 metrics)" in r.err),
    "for": ("for = 2m", ["--for", "2m"], lambda r: "1 of 1 samples critical" in only(r)["reason"]),
    "fail-limit": ("for = 2m\nfail-limit = 2", ["--for", "2m", "--fail-limit", "2"], lambda r: "3 of 3 samples critical, 2 borne" in only(r)["reason"]),
    "until-ok": ("until-ok = yes\nfor = 2m", ["--until-ok", "--for", "2m"], lambda r: r.json["cost"]["metrics"] == 3),
    "format": ("format = prom", None, lambda r: r.out.startswith("# HELP sluice_check_status")),
}


@pytest.mark.parametrize("key", KEYS)
def test_every_key_of_checks(sluice, key):
    line, options, differs = KEYS[key]
    with FakeAws(answers=Points(now=NOW_S, states=["ALARM"], n=180)) as aws:
        def run(text, *more, form=("--format", "json")):
            return sluice("--check", *form, "--config", sluice.config(text), *more, env=aws.env(SLUICE_NOW=NOW))

        assert run(CONF).status == 2 and len(run(CONF).json["checks"]) == 1 and key in line
        configured = run(f"[checks]\n{line}\n{CONF}", form=() if key == "format" else ("--format", "json"))
        assert differs(configured), str(configured)
        if options:  # and the option on the command line does the same
            assert differs(run(CONF, *options))


def test_keys_that_only_change_the_exit_status(sluice):
    with FakeAws(answers=Points(now=NOW_S, n=0)) as aws:
        def run(keys, check=CONF, *more):
            return sluice("--check", "--config", sluice.config(f"[checks]\n{keys}\n{check}"), *more, env=aws.env(SLUICE_NOW=NOW)).status

        assert [run(""), run("unknown-is = ok"), run("unknown-is = warn"), run("unknown-is = warn\nwarn-is-ok = yes")] == [3, 0, 1, 0]
        assert [run("no-data = ok"), run("no-data = warn"), run("no-data = crit")] == [0, 1, 2]
        assert run("no-data = crit", CONF + "no-data = ok\n") == 0, "the check's own key wins"
        assert run("no-data = crit", CONF, "--no-data", "ok") == 0, "the command line wins over [checks]"
        assert run("unknown-is = ok", CONF, "--unknown-is", "crit") == 2
        assert run("timeout = 5s\nformat = junit") == 3 and run("format = nonsense") == 3
    with FakeAws({GMD: fakeaws.silent}) as aws:
        started = time.monotonic()
        assert sluice("--check", "--config", sluice.config(f"[checks]\ntimeout = 1s\n{CONF}"), env=aws.env()).status == 3
        assert time.monotonic() - started < 30, "the configured timeout was not heard"


def test_a_checks_own_keys_win(sluice):
    own = CONF + "mofn = 1/2\nwindow = 7m\nmin-samples = 3\ndelay = 20m\n"
    with FakeAws(answers=Points(now=NOW_S, n=180)) as aws:
        ran = check(sluice, aws, "--config", sluice.config(f"[checks]\nmofn = 3/5\nwindow = 1h\nmin-samples = 400\ndelay = 1m\n{own}"),
                    "--mofn", "4/4", "--window", "2h", "--min-samples", "500", "--delay", "0", SLUICE_NOW=NOW)
    c = only(ran)
    assert "2 of 2 points" in c["reason"] and c["samples"] == 7 and c["window"]["end"].endswith("02:54:00Z"), str(ran)


def test_select_takes_names(sluice):
    with FakeAws(answers=Points(states=["OK", "ALARM"])) as aws:
        one = check(sluice, aws, "--alarms", "--select", "alarms/a0")
    assert one.status == 0 and only(one)["name"] == "alarms/a0"


def test_select_by_tag(sluice, tmp_path):
    """Who carries a tag is AWS's word, as boto3 hears it; a tag that nothing carries, or that cannot be read, is no success."""
    with Sim.start("dlq-growth", home=tmp_path) as sim:
        def ask(tag):
            return sluice("--check", "--format", "json", "--select", f"tag:{tag}", env=sim.peer.env())
        pages = sim.peer.client("resourcegroupstaggingapi").get_paginator("get_resources").paginate(
            TagFilters=[{"Key": "pipeline", "Values": ["orders"]}])
        carried = {r["ResourceARN"].replace("/", ":").rsplit(":", 1)[1] for p in pages for r in p["ResourceTagMappingList"]}
        ran = ask("pipeline=orders")
        judged = {c["resource"] for c in ran.json["checks"]}
        assert ran.status == 2 and "orders-load-dlq" in judged and judged <= carried, f"{ran}\n{carried}"
        assert "nightly-report" in {c["resource"] for c in sluice("--check", "--format", "json", env=sim.peer.env()).json["checks"]}
        none = ask("pipeline=none")
        assert none.status == 3 and only(none)["code"] == "BAD_CONFIG" and "carries this tag" in only(none)["reason"], str(none)
        sim.spoil("tagging:GetResources=denied")
        denied = ask("pipeline=orders")
        assert denied.status == 3 and only(denied)["code"] == "DENIED", str(denied)


def test_named_by_hand_leaves_the_configuration_aside(sluice):
    with FakeAws(answers=Points(states=["OK"])) as aws:
        ran = check(sluice, aws, "--config", sluice.config(f"[checks]\ndlq-max = 0\n{CONF}"), "--alarms")
    assert [c["name"] for c in ran.json["checks"]] == ["alarms/a0"] and ran.json["defaults"] is False


def test_defaults_are_named_as_such_only_without_configuration(sluice):
    with FakeAws(answers=Points(0, states=["OK"])) as aws:
        assert check(sluice, aws).json["defaults"] is True
        assert check(sluice, aws, "--config", sluice.config("[checks]\nalarms = yes\n")).json["defaults"] is False
        assert check(sluice, aws, "--config", sluice.config(CONF)).json["defaults"] is False
        assert "no check is configured: these are sluice's own defaults" in sluice("--check", env=aws.env()).out


# ---- what it may cost

def test_max_cost_refuses_before_the_first_paid_call(sluice):
    with FakeAws(answers=Points()) as aws:
        dear = check(sluice, aws, "--max-cost", "0.00001")
        assert GMD not in aws.calls and aws.calls["sqs:ListQueues"] == 1, "what is free may be asked, what is paid not"
        assert dear.status == 3 and dear.json["cost"]["metrics"] == 0 and dear.json["checks"] == [], str(dear)
        fine = check(sluice, aws, "--max-cost", "1")
        bill = fine.json["cost"]
        estimate = re.fullmatch(r"sluice: --max-cost: an estimated \$(\d\.\d+) \((\d+) metrics\) is more than \$0\.00001; nothing was polled; .*\n",
                                dear.err)
        assert estimate and int(estimate[2]) == bill["metrics"] > 1 and float(estimate[1]) == pytest.approx(bill["usd"]), f"{dear}\n{fine}"
        assert aws.calls["sqs:ListQueues"] == 2, "nothing is listed twice"
        exact = check(sluice, aws, "--max-cost", f"{bill['usd']:.5f}")
        assert exact.json["cost"] == bill and exact.json["error"] is None, str(exact)


def test_max_cost_of_named_metrics_and_of_what_is_free(sluice):
    with FakeAws(answers=Points(states=["OK"])) as aws:
        free = check(sluice, aws, "--alarms", "--max-cost", "0")
        dear = check(sluice, aws, *METRIC, "--max-cost", "0")
        assert free.status == 0 and dear.status == 3 and GMD not in aws.calls, f"{free}\n{dear}"
        assert check(sluice, aws, *METRIC, "--max-cost", "0.00001").json["cost"] == {"metrics": 1, "usd": 0.00001}
        many = check(sluice, aws, *METRIC, "--max-cost", "0.0001", "--for", "10m")
    assert many.status == 3 and "$0.00011 (1 metrics, 11 times) is more than $0.00010" in many.err, str(many)


def test_max_cost_that_cannot_be_known_in_time(sluice):
    with FakeAws({"sqs:ListQueues": fakeaws.silent}) as aws:
        ran = check(sluice, aws, "--max-cost", "1", "-t", "1")
    assert ran.status == 3 and "nothing was polled" in ran.err and GMD not in aws.calls, str(ran)


# ---- over time; the clock stands still, so that nothing waits

class Film(Points):
    """What DescribeAlarms says, one entry a call: states of the alarms there are, or a fault."""

    def __init__(self, *pictures):
        super().__init__(now=NOW_S)
        self.pictures, self.shown = pictures, 0

    def fault(self, handler, operation):
        picture = self.pictures[min(self.shown, len(self.pictures) - 1)]
        self.shown += 1
        if callable(picture):
            picture(handler, operation)
            return
        self.states = picture.split()
        handler.reply(200, handler.good(), "application/x-amz-json-1.0")


def film(sluice, pictures, *options):
    answers = Film(*pictures)
    with FakeAws({ALARMS: answers.fault}, answers) as aws:
        ran = check(sluice, aws, "--alarms", *options, SLUICE_NOW=NOW)
    return ran, answers.shown


OVER_TIME = {  # what is seen, the options, the exit status, samples taken
    "OK all the time": (["OK"], ["--for", "10m"], 0, 11),
    "CRITICAL at once": (["OK", "OK", "ALARM", "OK"], ["--for", "10m"], 2, 3),
    "borne": (["OK", "ALARM", "OK"], ["--for", "10m", "--fail-limit", "1"], 0, 11),
    "passes the limit": (["OK", "ALARM", "OK", "ALARM", "OK"], ["--for", "10m", "--fail-limit", "1"], 2, 4),
    "not in a row": (["ALARM", "OK", "ALARM", "OK", "ALARM", "OK"], ["--for", "10m", "--fail-limit", "3"], 0, 11),
    "unknown once": (["OK", fakeaws.denied, "OK"], ["--for", "10m"], 3, 11),
    "unknown once, then CRITICAL": (["OK", fakeaws.denied, "ALARM"], ["--for", "10m"], 2, 3),
    "warned once": (["OK", "INSUFFICIENT_DATA", "OK"], ["--for", "5m"], 1, 6),
    "warned once, which is OK": (["OK", "INSUFFICIENT_DATA", "OK"], ["--for", "5m", "--warn-is-ok"], 0, 6),
    "another alarm half way": (["OK", "OK", "OK OK"], ["--for", "5m"], 3, 6),
    "an alarm that is gone": (["OK OK", "OK"], ["--for", "5m"], 3, 6),
    "limits are each check's": (["ALARM OK", "OK ALARM", "OK OK"], ["--for", "5m", "--fail-limit", "1"], 0, 6),
    "until OK": (["ALARM", "ALARM", "OK", "ALARM"], ["--until-ok", "--for", "10m"], 0, 3),
    "until OK, at once": (["OK"], ["--until-ok", "--for", "10m"], 0, 1),
    "until OK, never": (["ALARM"], ["--until-ok", "--for", "2m"], 2, 3),
    "until OK, unknown first": ([fakeaws.denied, "OK"], ["--until-ok", "--for", "2m"], 0, 2),
    "until OK, unknown to the end": (["ALARM", fakeaws.denied], ["--until-ok", "--for", "2m"], 3, 3),
    "until OK, -t is the deadline": (["ALARM"], ["--until-ok", "-t", "240"], 2, 5),
    "until WARNING is OK": (["ALARM", "INSUFFICIENT_DATA"], ["--until-ok", "--for", "2m", "--warn-is-ok"], 0, 2),
}


@pytest.mark.parametrize("row", OVER_TIME)
def test_over_time(sluice, row):
    pictures, options, status, samples = OVER_TIME[row]
    ran, shown = film(sluice, pictures, *options)
    assert (ran.status, shown) == (status, samples) and ran.json["exit"] == status, str(ran)


def test_over_time_says_how_many(sluice):
    borne, _ = film(sluice, ["OK", "ALARM", "OK"], "--for", "5m", "--fail-limit", "1")
    assert only(borne)["reason"].startswith("1 of 6 samples critical, 1 borne: "), str(borne)
    ended, _ = film(sluice, ["OK OK", "ALARM OK"], "--for", "5m")
    assert {c["name"]: (c["status"], c["code"]) for c in ended.json["checks"]} == {
        "alarms/a0": ("CRITICAL", None), "alarms/a1": ("UNKNOWN", "TOO_FEW")}, "OK needs the whole time"
    unknown, _ = film(sluice, ["OK", fakeaws.denied, "OK"], "--for", "2m", "-v")
    assert {c["name"]: c["code"] for c in unknown.json["checks"]} == {"alarms": "DENIED", "alarms/a0": "TOO_FEW"}
    assert [line for line in unknown.err.splitlines() if "sample" in line][:3] == [
        "sluice: note: sample: 1 of 3: OK", "sluice: note: sample: 2 of 3: UNKNOWN", "sluice: note: sample: 3 of 3: OK"], str(unknown)


def test_over_time_bills_every_poll_and_keeps_to_the_checks_period(sluice):
    with FakeAws(answers=Points(now=NOW_S, n=180)) as aws:
        ran = check(sluice, aws, *METRIC, "-c", "10", "--for", "4m", SLUICE_NOW=NOW)
        five = check(sluice, aws, "--metric", "A/B:Average@300", "--for", "10m", SLUICE_NOW=NOW)
    assert ran.status == 0 and ran.json["cost"] == {"metrics": 5, "usd": 0.00005} and only(ran)["value"] == 7.5, str(ran)
    assert five.json["cost"]["metrics"] == 3, str(five)


def test_a_poll_that_ran_out_of_time_is_not_the_last(sluice):
    ran, shown = film(sluice, [fakeaws.silent, "OK"], "--until-ok", "--for", "2m", "-t", "1")
    assert (ran.status, shown) == (0, 2), str(ran)
    ran, shown = film(sluice, ["OK", fakeaws.silent, "OK"], "--for", "2m", "-t", "1")
    assert (ran.status, shown) == (3, 3) and "TIMEOUT" in {c["code"] for c in ran.json["checks"]}, str(ran)


def test_what_no_sample_can_mend_ends_it(sluice):
    ran = sluice("--check", "--alarms", "--for", "10m", "--format", "json", env={"AWS_REGION": "eu-west-1", "SLUICE_NOW": NOW})
    assert ran.status == 3 and json.loads(ran.out)["error"]["code"] == "AUTH", str(ran)


def test_fail_limit_alone_is_refused(sluice):
    with FakeAws() as aws:
        ran = sluice("--check", "--alarms", "--fail-limit", "1", env=aws.env())
    assert ran.status == 3 and "--fail-limit: needs --for" in ran.err and aws.calls == {}, str(ran)


@pytest.mark.skipif(not LONG, reason="SLUICE_LONG: it takes a minute")
def test_a_real_minute_is_waited_for(sluice):
    """The only test that waits: two samples, a period apart."""
    answers = Film("OK")
    answers.now = None
    with FakeAws({ALARMS: answers.fault}, answers) as aws:
        started = time.monotonic()
        ran = sluice("--check", "--format", "json", "--alarms", "--for", "1m", env=aws.env(), timeout=120)
        took = time.monotonic() - started
    assert ran.status == 0 and answers.shown == 2 and 59.5 < took < 75, (took, str(ran))
