"""The command line as scripts meet it: exit statuses, one plain line for whatever is wrong, formats that independent parsers
read back, streams that are closed or full, and what is left behind."""

import csv
import datetime
import io
import itertools
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import time

import fakeaws
import pytest
from fakeaws import FakeAws
from program import SANITIZER, SLOWER, Sluice, binary, clean_env, plain

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "canary-secret-zzz9"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def one_plain_line(ran):
    assert ran.err.startswith("sluice: ") and ran.err.count("\n") == 1 and ran.err.endswith("\n") and plain(ran.err), str(ran)


# ---- bad usage and bad surroundings

WRONG = [  # words, status, what the line must say
    ("--nonsense", 2, "--nonsense"), ("statsu", 2, "status"), ("check", 2, "--check"), ("status a b", 2, "b"),
    ("history orders", 2, "RESOURCE METRIC"), ("history o v --since never", 2, "--since"), ("status --format xml", 2, "json"),
    ("doctor --format csv", 2, "json"), ("--check --no-data maybe", 3, "--no-data"), ("--check --baseline 7d", 3, "not in this version"),
    ("--check --format yaml", 3, "junit"), ("--check --metric A/B:Sum -c 5:x", 3, "-c"),
    ("--check -t 0", 3, "--timeout"), ("quality", 2, "not in this version"),
    ("discover --dry-run", 2, "--dry-run"), ("discover --stack a --tag b=c", 2, "--stack"), ("discover --tag =x", 2, "--tag"),
    ("--demo discover --write", 2, "--write"), ("discover --format csv", 2, "dot"),
    ("--demo=nonsense status", 2, "nonsense"), ("--config /nonexistent/file.ini status", 2, "/nonexistent/file.ini"),
    ("--config /nonexistent/file.ini --check", 3, "/nonexistent/file.ini"), ("", 2, "terminal"), ("--demo", 2, "terminal"),
]


@pytest.mark.parametrize("words,status,says", WRONG, ids=lambda w: str(w) or "console")
def test_refused_in_one_line(sluice, words, status, says):
    ran = sluice(*words.split(), env={**KEYS, "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert ran.status == status and ran.out == "", str(ran)
    one_plain_line(ran)
    assert says in ran.err or (says == "-c" and "--critical" in ran.err), str(ran)


@pytest.mark.parametrize("command,status", [(["status"], 2), (["history", "a", "b"], 2), (["--check"], 3)])
@pytest.mark.parametrize("env,says", [({}, "region"), ({"AWS_REGION": "eu-west-1"}, "AWS_ACCESS_KEY_ID"),
                                      ({**KEYS, "AWS_PROFILE": "nobody", "AWS_REGION": "eu-west-1"}, "nobody"),
                                      ({**KEYS}, "region")], ids=["nothing", "no-keys", "no-profile", "no-region"])
def test_no_credentials_no_region(sluice, command, status, env, says):
    ran = sluice(*command, env=env)
    assert ran.status == status and says in ran.err, str(ran)
    one_plain_line(ran)


CONFIGS = [("[sluice]\nretenshun = 3d\n", 2, "retenshun"), ("[nonsense]\n", 1, "nonsense"), ("[sluice]\nretention = soon\n", 2, "retention"),
           ("[target \"a\"]\nproduction = maybe\n", 2, "production"), ("no section\n", 1, ""), ("[sluice\n", 1, ""),
           ('[pipeline "a"]\n[stage "a/b"]\nresource = quantum:x\n', 2, "quantum")]


@pytest.mark.parametrize("text,line,key", CONFIGS, ids=[c[2] or c[0].strip() for c in CONFIGS])
@pytest.mark.parametrize("command,status", [(["status"], 2), (["--check", "--format", "json"], 3)])
def test_malformed_configuration(sluice, text, line, key, command, status):
    sluice.config(text)
    ran = sluice("--config", "config.ini", *command, env={**KEYS, "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert ran.status == status, str(ran)
    one_plain_line(ran)
    assert (f"config.ini:{line}" if line else "config.ini:") in ran.err and key in ran.err, str(ran)


def test_default_configuration_is_read_and_may_be_missing(sluice):
    folder = sluice.home / ".config" / "sluice"
    folder.mkdir(parents=True)
    (folder / "config.ini").write_text("[sluice]\nnonsense = 1\n")
    assert "config.ini:2" in sluice("status").err
    (folder / "config.ini").unlink()
    assert "config.ini" not in sluice("status").err


def test_frozen_clock_must_be_a_time(sluice):
    ran = sluice("status", env={"SLUICE_NOW": "yesterday"})
    assert ran.status == 2 and "SLUICE_NOW" in ran.err
    ran = sluice("--check", env={"SLUICE_NOW": "yesterday"})
    assert ran.status == 3
    one_plain_line(ran)


@pytest.mark.skipif(os.geteuid() != 0 or SANITIZER != "", reason="making a set-user-ID copy needs root")
def test_set_user_id_is_refused(tmp_path):
    os.chmod(tmp_path, 0o755)
    copy = pathlib.Path("/tmp") / f"sluice-suid-{os.getpid()}"
    try:
        shutil.copy(binary(), copy)
        os.chmod(copy, 0o4755)
        ran = subprocess.run([copy, "status"], user=pwd.getpwnam("nobody").pw_uid, capture_output=True, text=True, cwd="/", env={}, timeout=20)
        assert ran.returncode == 3 and ran.stderr.count("\n") == 1 and "set-user-ID" in ran.stderr
    finally:
        copy.unlink()


# ---- help

def test_help_and_version(sluice):
    overview = sluice("--help")
    assert overview.status == 0 and overview.err == ""
    for word in ("status", "history", "doctor", "sim", "help"):
        assert re.search(rf"^  {word}\b", overview.out, re.M)
        one = sluice("help", word)
        assert one.status == 0 and one.out == sluice(word, "--help").out and one.out.startswith(f"Usage: sluice {word}")
    check = sluice("--check", "--help")
    assert check.status == 0 and "--dlq-max" in check.out and check.out == sluice("help", "check").out
    assert re.fullmatch(r"sluice \d+\.\d+\.\d+\n", sluice("--version").out)
    assert all(len(line) <= 79 for line in (overview.out + check.out).splitlines())


def test_manual_page_is_clean_roff(sluice, tmp_path):
    page = tmp_path / "sluice.1"
    ran = sluice("help", "--man")
    page.write_text(ran.out)
    assert ran.status == 0 and plain(ran.out)
    tools = [t for t in (["groff", "-man", "-ww", "-z", "-Tutf8"], ["mandoc", "-Tlint"]) if shutil.which(t[0])]
    if not tools:
        pytest.skip("neither groff nor mandoc")
    for tool in tools:
        done = subprocess.run([*tool, page], capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout + done.stderr == "", done.stdout + done.stderr
    # The tables and the page are the same: each option the help knows stands in it.
    options = set(re.findall(r"--[a-z-]{3,}", sluice("--help").out + sluice("help", "check").out))
    assert {o.replace("-", "\\-") for o in options} <= set(re.findall(r"(?:\\-){2}(?:[a-z]|\\-)+", ran.out))


# ---- status and history, read by other parsers

def test_status_json(sluice):
    with FakeAws() as aws:
        ran = sluice("status", "--format", "json", env=aws.env())
    assert ran.status == 0 and ran.err == "", str(ran)
    got = ran.json
    assert got["version"] == 1 and TIME.fullmatch(got["generated"])
    assert set(got) >= {"targets", "pipelines", "alarms", "cost"} and set(got["cost"]) >= {"metrics", "usd"}
    assert got["targets"][0]["account"] == fakeaws.ACCOUNT and got["targets"][0]["region"] == fakeaws.REGION
    assert set(got["targets"][0]) >= {"account", "region", "partition", "profile"}
    stages = {s["name"]: s for p in got["pipelines"] for s in p["stages"]}
    for s in stages.values():
        assert set(s) >= {"name", "kind", "resource", "arn", "health", "reason", "metrics", "loss"}
        for m in s["metrics"].values():
            assert set(m) >= {"value", "unit", "at", "age_seconds", "stale"}
            assert (m["value"] is None) or TIME.fullmatch(m["at"])
    assert stages["orders"]["metrics"]["visible"]["value"] == 3
    assert set(got["alarms"][0]) >= {"name", "state", "since", "metric", "comparison", "threshold", "reason", "description",
                                     "actions_enabled"}


def test_status_rows_are_the_same_as_its_json(sluice):
    with FakeAws() as aws:
        rows = [line.split("\t") for line in sluice("status", env=aws.env()).out.splitlines()]
        got = sluice("status", "--format", "json", env=aws.env()).json
    assert {(r[0], len(r)) for r in rows} == {("target", 7), ("stage", 14), ("alarm", 7), ("cost", 6)}
    want = [(p["name"], s["name"], s["kind"], s["resource"], s["health"]) for p in got["pipelines"] for s in p["stages"]]
    assert [tuple(r[1:6]) for r in rows if r[0] == "stage"] == want
    assert [tuple(r[1:3]) for r in rows if r[0] == "alarm"] == [(a["name"], a["state"]) for a in got["alarms"]]


def test_status_of_one_pipeline(sluice):
    path = sluice.config('[pipeline "p"]\n[stage "p/a"]\nresource = sqs:orders\n[pipeline "q"]\n[stage "q/b"]\nresource = sqs:billing\n')
    with FakeAws() as aws:
        ran = sluice("status", "p", "--config", path, "--format", "json", env=aws.env())
        none = sluice("status", "r", "--config", path, env=aws.env())
    assert [p["name"] for p in ran.json["pipelines"]] == ["p"] and [s["name"] for s in ran.json["pipelines"][0]["stages"]] == ["a"]
    assert none.status == 1 and "p, q" in none.err, str(none)
    one_plain_line(none)


class Gaps(fakeaws.Answers):
    """Every other point of the last ten minutes, with values that need all their digits."""
    values = [0.1, 1e-7, 123456789.125, 0.30000000000000004, 1e15]

    def get_metric_data(self, body):
        answer = super().get_metric_data(body)
        end = int(time.time()) // 60 * 60
        for r in answer["MetricDataResults"]:
            r["Timestamps"] = [end - 60 - 120 * i for i in range(5)]
            r["Values"] = list(self.values)
        self.points_by_time = dict(zip([end - 60 - 120 * i for i in range(5)], self.values))
        return answer


def instant(text):
    return int(datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc).timestamp())


def test_history_in_three_formats(sluice):
    answers = Gaps()
    metric = "Orders/Made{Stage=load}:Sum"
    with FakeAws(answers=answers) as aws:
        as_csv = sluice("history", "-", metric, "--since", "15m", "--format", "csv", env=aws.env())
        as_json = sluice("history", "-", metric, "--since", "15m", "--format", "json", env=aws.env()).json
        as_text = sluice("history", "-", metric, "--since", "15m", env=aws.env())
    rows = list(csv.DictReader(io.StringIO(as_csv.out)))
    assert as_csv.status == 0 and as_csv.err == "" and list(rows[0]) == ["time", "value"], str(as_csv)
    got = {instant(r["time"]): float(r["value"]) for r in rows if r["value"]}
    assert got == answers.points_by_time
    assert [instant(r["time"]) for r in rows] == list(range(instant(rows[0]["time"]), instant(rows[-1]["time"]) + 1, 60))
    assert any(r["value"] == "" for r in rows)
    assert {instant(p["time"]): p["value"] for p in as_json["points"] if p["value"] is not None} == got
    assert as_json["metric"] == metric and as_json["resource"] is None and as_json["step"] == 60 and as_json["polled"] is True
    lines = [line.split("\t") for line in as_text.out.splitlines()]
    assert {instant(t): float(v) for t, v in lines if v != "-"} == got and any(v == "-" for _, v in lines)


def test_history_offline_and_when_the_poll_fails(sluice):
    args = ["history", "-", "Orders/Made{Stage=load}:Sum", "--since", "15m", "--format", "csv"]
    with FakeAws(answers=Gaps()) as aws:
        first = sluice(*args, env=aws.env())
        calls = sum(aws.calls.values())
        offline = sluice(*args, "--offline", env=aws.env())
        assert sum(aws.calls.values()) == calls, "--offline asked AWS"
        aws.faults["cloudwatch:GetMetricData"] = fakeaws.denied  # of the same endpoint: another one has a history of its own
        denied = sluice(*args, env=aws.env())
    assert first.status == 0 and offline.status == 0 and offline.err == "", str(offline)
    values = [line for line in first.out.splitlines() if not line.endswith(",")]
    assert [line for line in offline.out.splitlines() if not line.endswith(",")] == values and len(values) == 6
    assert denied.status == 1 and "cloudwatch:GetMetricData" in denied.err, str(denied)
    assert [line for line in denied.out.splitlines() if not line.endswith(",")] == values
    one_plain_line(denied)


# ---- --check

class Alarms(fakeaws.Answers):
    def __init__(self, *states, dlq=0):
        super().__init__()
        self.states, self.dlq = states, dlq

    def describe_alarms(self, body):
        one = super().describe_alarms(body)["MetricAlarms"][0]
        return {"MetricAlarms": [{**one, "AlarmName": f"a{i}", "AlarmArn": f"{one['AlarmArn']}-{i}", "StateValue": s}
                                 for i, s in enumerate(self.states)], "CompositeAlarms": []}

    def get_queue_attributes(self, body):
        answer = super().get_queue_attributes(body)
        if body.get("QueueUrl", "").endswith("-dlq"):
            answer["Attributes"]["ApproximateNumberOfMessages"] = str(self.dlq)
        return answer


CHECKS = [  # answers, options, exit
    (Alarms("OK"), ["--alarms"], 0), (Alarms("OK", "ALARM"), ["--alarms"], 2),
    (Alarms("ALARM"), ["--alarms", "--in-alarm-is", "warn"], 1), (Alarms("ALARM"), ["--alarms", "--in-alarm-is=warn", "--warn-is-ok"], 0),
    (Alarms("INSUFFICIENT_DATA", "OK"), ["--alarms"], 1), (Alarms("INSUFFICIENT_DATA"), ["--alarms", "--warn-is-ok"], 0),
    (Alarms("OK", dlq=5), ["--dlq-max", "4"], 2), (Alarms("OK", dlq=5), ["--dlq-max", "5"], 0), (Alarms("OK", dlq=1), [], 2),
    (Alarms("OK", dlq=5), ["--alarms"], 0), (Alarms("OK", "ALARM"), ["--alarms", "--select", "alarms/a0"], 0),
    (Alarms("OK"), ["--alarms", "--select", "no-such-thing"], 3),
]


@pytest.mark.parametrize("answers,options,status", CHECKS, ids=lambda v: " ".join(v) if isinstance(v, list) else None)
def test_check_exit_status(sluice, answers, options, status):
    with FakeAws(answers=answers) as aws:
        text = sluice("--check", *options, env=aws.env())
        ran = sluice("--check", "--format", "json", *options, env=aws.env())
    assert text.status == ran.status == ran.json["exit"] == status, f"{text}\n{ran}"
    assert all(len(line) <= 80 for line in text.out.splitlines()), str(text)
    # each judged thing has its line, worst first, in both forms
    names = [c["name"] for c in ran.json["checks"]]
    shown = [re.match(r"(CRITICAL|UNKNOWN|WARNING|OK|SKIPPED) +(\S+)", line).groups() for line in text.out.splitlines()[:len(names)]]
    assert [(c["status"], c["name"]) for c in ran.json["checks"]] == shown, f"{text}\n{ran}"
    rank = ["CRITICAL", "UNKNOWN", "WARNING", "OK", "SKIPPED"]
    assert [rank.index(s) for s, _ in shown] == sorted(rank.index(s) for s, _ in shown)


def test_check_unknown_is(sluice):
    with FakeAws({"cloudwatch:DescribeAlarms": fakeaws.throttled}) as aws:
        for options, status in [([], 3), (["--unknown-is", "ok"], 0), (["--unknown-is", "warn"], 1), (["--unknown-is", "crit"], 2)]:
            ran = sluice("--check", "--alarms", "--format", "json", *options, env=aws.env())
            assert ran.status == ran.json["exit"] == status and ran.json["status"] == "UNKNOWN", str(ran)
            assert ran.json["checks"][0]["code"] == "THROTTLED"


class Seven(fakeaws.Answers):
    def get_metric_data(self, body):
        answer = super().get_metric_data(body)
        for r in answer["MetricDataResults"]:
            r["Values"] = [7.5] * len(r["Values"])
        return answer


RANGES = [(["-c", "5"], 2), (["-w", "5"], 1), (["-c", "10"], 0), (["-c", "10:"], 2), (["-c", "~:8"], 0), (["-c", "@7:8"], 2),
          (["-c", "7:8"], 0), (["-w", "5", "-c", "7"], 2), (["-w", "5", "-c", "10"], 1), (["-c5", "--mofn", "3/5"], 2),
          (["-c", "5", "--min-samples", "400"], 3), (["--critical=5"], 2), ([], 0)]


@pytest.mark.parametrize("options,status", RANGES, ids=lambda v: " ".join(v) if isinstance(v, list) else None)
def test_check_ranges(sluice, options, status):
    with FakeAws(answers=Seven()) as aws:
        ran = sluice("--check", "--metric", "Orders/Errors{Stage=load}:Average", *options, "--format", "json", env=aws.env())
    assert ran.status == status, str(ran)
    if status != 3:
        assert ran.json["checks"][0]["value"] == 7.5 and ran.json["cost"]["metrics"] == 1


def test_ranges_belong_to_the_metric_before_them(sluice):
    with FakeAws(answers=Seven()) as aws:
        ran = sluice("--check", "-c", "5", "--metric", "A/B:Sum", "--metric", "C/D:Sum", "-c", "10", "--format", "json", env=aws.env())
    assert ran.status == 2, str(ran)
    assert {c["name"]: (c["critical"], c["status"]) for c in ran.json["checks"]} == {"A/B:Sum": ("5", "CRITICAL"), "C/D:Sum": ("10", "OK")}


def test_out_is_whole_or_not_there(sluice):
    out = sluice.home / "result.json"
    with FakeAws(answers=Alarms("ALARM")) as aws:
        ran = sluice("--check", "--alarms", "--format", "json", "--out", out, env=aws.env())
        assert ran.status == 2 and ran.out == "", str(ran)
        assert json.loads(out.read_text())["exit"] == 2
        assert [p.name for p in sluice.home.glob("result*")] == ["result.json"]
        for bad in (sluice.home, sluice.home / "no" / "folder", "/dev/full"):
            ran = sluice("--check", "--alarms", "--format", "json", "--out", bad, env=aws.env())
            assert ran.status == 3 and ran.err.startswith("sluice: "), str(ran)
        assert sluice("--check", "--alarms", "--out", "/dev/null", env=aws.env()).status == 2
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


# ---- streams (closed, full, gone)

COMMANDS = [["status"], ["--check", "--format", "json"], ["history", "-", "A/B:Sum", "--since", "10m"], ["doctor"], ["--help"]]


def shell(script, home, env, *args):
    return subprocess.run(["sh", "-c", script, "sh", binary(), *args], env=clean_env(home, env), capture_output=True,
                          timeout=60 * SLOWER, text=True, cwd=home)


@pytest.mark.parametrize("closed", [c for n in range(1, 4) for c in itertools.combinations("012", n)], ids="".join)
def test_closed_streams(sluice, closed):
    """Nothing else may take the number of a closed stream: what is printed would go into it."""
    closing = " ".join({"0": "<&-", "1": ">&-", "2": "2>&-"}[c] for c in closed)
    with FakeAws() as aws:
        for args in COMMANDS[:4]:
            ran = shell(f'exec "$@" {closing}', sluice.home, aws.env(), *args)
            unsaid = 3 if "--check" in args else 1
            assert ran.returncode == (unsaid if "1" in closed else 0), f"{args} {closed}: {ran}"
    database = sluice.home / ".cache" / "sluice" / "history.db"
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_full_and_gone(sluice, args):
    with FakeAws() as aws:
        full = shell('"$@" >/dev/full', sluice.home, aws.env(), *args)
        gone = subprocess.Popen([binary(), *args], env=clean_env(sluice.home, aws.env()), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, cwd=sluice.home)
        gone.stdout.close()
        err = gone.stderr.read()
        gone.wait(60 * SLOWER)
    assert full.returncode == (3 if "--check" in args else 1) and full.stderr.startswith("sluice: standard output: "), full
    assert gone.returncode == 141 and b"standard output" not in err, (gone.returncode, err)


# ---- what is left behind

def modes(home):
    return {p: stat.S_IMODE(p.stat().st_mode) for p in home.rglob("*") if "sluice" in str(p.relative_to(home))}


def test_files_are_private(sluice):
    """Whatever umask the caller has."""
    with FakeAws() as aws:
        done = shell('umask 0; exec "$@"', sluice.home, aws.env(), "status", "--log", "debug")
    assert done.returncode == 0, done
    found = modes(sluice.home)
    log = sluice.home / ".local/state/sluice/sluice.log"
    assert log in found and sluice.home / ".cache/sluice/history.db" in found
    for path, mode in found.items():
        assert mode == (0o700 if path.is_dir() else 0o600), f"{path} {mode:o}"
    text = log.read_text()
    assert "wJalrXUtnFEMI" not in text and "Signature=" not in text and "sqs" in text


def test_bad_log(sluice):
    ran = sluice("status", "--log", "nonsense=loud")
    assert ran.status == 2, str(ran)
    one_plain_line(ran)
    ran = sluice("--check", "--log", "debug", env={"XDG_STATE_HOME": "/dev/null/x"})
    assert ran.status == 3, str(ran)
    one_plain_line(ran)


def test_no_secret_anywhere(sluice):
    secret = "canarySECRETcanarySECRET/zzz9"
    with FakeAws() as aws:
        env = aws.env(AWS_SECRET_ACCESS_KEY=secret, AWS_SESSION_TOKEN="canaryTOKEN" * 4)
        for args in (*COMMANDS, ["doctor", "--format", "json"], ["status", "--log", "debug"]):
            ran = sluice(*args, env=env)
            assert "canary" not in ran.out + ran.err, str(ran)
    for path in sluice.home.rglob("*"):
        assert path.is_dir() or b"canary" not in path.read_bytes(), path


# ---- doctor

def test_doctor(sluice):
    with FakeAws() as aws:
        ran = sluice("doctor", env=aws.env())
        got = sluice("doctor", "--format", "json", env=aws.env()).json
    assert ran.status == 0 and ran.err == "", str(ran)
    rows = [line.split("\t") for line in ran.out.splitlines()]
    assert {len(r) for r in rows} == {6} and {r[0] for r in rows} == {"ok"}
    assert [(r[1], r[2]) for r in rows] == [(f["topic"], f["name"]) for f in got["findings"]]
    topics = {r[1] for r in rows}
    assert {"terminal", "locale", "configuration", "credentials"} <= topics, topics


def test_doctor_names_the_first_thing_to_mend(sluice):
    with FakeAws({"sqs:ListQueues": fakeaws.denied}) as aws:
        ran = sluice("doctor", env=aws.env())
    assert ran.status == 1 and "sqs:ListQueues" in ran.err and re.search(r"^!!\t.*sqs:ListQueues", ran.out, re.M), str(ran)
    one_plain_line(ran)


@pytest.mark.parametrize("config,says", [(None, "AWS_ACCESS_KEY_ID"), ("[nonsense]\n", "config.ini:1")], ids=["no-keys", "bad-config"])
def test_doctor_helps_when_nothing_else_can_start(sluice, config, says):
    options = ["--config", sluice.config(config)] if config else []
    ran = sluice("doctor", *options, env={"AWS_REGION": "eu-west-1"})
    assert ran.status == 1 and says in ran.err and "ok\tterminal\t" in ran.out and "\n!!\t" in ran.out, str(ran)
    one_plain_line(ran)


# ---- the demo

def demo_folders(tmp):
    return list(tmp.glob("sluice-demo-*"))


@pytest.fixture
def tmp(tmp_path):
    folder = tmp_path / "tmp"
    folder.mkdir()
    return folder


DEMOS = {"calm": (0, None), "dlq-growth": (2, None), "poison-shard": (2, None), "bad-deploy": (2, None), "throttled-consumer": (2, None),
         "silent-producer": (2, None), "expired-token": (3, "AUTH"), "slow-network": (0, None), "denied": (3, "DENIED"),
         "throttled": (3, "THROTTLED"), "poor": (2, None)}


@pytest.mark.parametrize("scenario", DEMOS)
def test_demo_check(sluice, tmp, scenario):
    """Without account, network, configuration or home; AWS's variables and the configuration are ignored."""
    status, code = DEMOS[scenario]
    env = {"TMPDIR": str(tmp), "AWS_PROFILE": "nobody", "AWS_REGION": "nowhere-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    folder = sluice.home / ".config" / "sluice"
    folder.mkdir(parents=True)
    (folder / "config.ini").write_text("[nonsense]\n")
    ran = sluice(f"--demo={scenario}", "--check", "--format", "json", env=env)
    assert ran.status == ran.json["exit"] == status, str(ran)
    assert code is None or code in {c["code"] for c in ran.json["checks"]}, str(ran)
    assert demo_folders(tmp) == [] and not (sluice.home / ".cache").exists(), "the demo left something behind"


def test_demo_list(sluice):
    ran = sluice("--demo=list")
    assert ran.status == 0 and set(DEMOS) <= {line.split()[0] for line in ran.out.splitlines()}, str(ran)


def children(pid):
    return [int(c) for c in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def watched(pid):
    """The folder's watcher has left its parent's session, where a signal to all of it would reach it."""
    kids = children(pid)
    return len(kids) == 2 and any(os.getsid(k) == k for k in kids)


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT], ids=lambda s: s.name)
def test_a_killed_demo_leaves_nothing(sluice, tmp, sig):
    p = subprocess.Popen([binary(), "--demo=throttled", "status"], env=clean_env(sluice.home, {"TMPDIR": str(tmp)}),
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=sluice.home, start_new_session=True)
    end = time.monotonic() + 10 * SLOWER
    while not watched(p.pid) and time.monotonic() < end:
        time.sleep(0.002)
    kids = children(p.pid)
    assert len(demo_folders(tmp)) == 1 and p.poll() is None, "it was over before it could be killed"
    os.killpg(p.pid, sig)
    p.wait(10 * SLOWER)
    end = time.monotonic() + 5 * SLOWER
    while (demo_folders(tmp) or any(alive(k) for k in kids)) and time.monotonic() < end:
        time.sleep(0.02)
    assert demo_folders(tmp) == [] and not any(alive(k) for k in kids)


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


# ---- the locale changes nothing

@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8"])
def test_output_is_the_same_in_every_locale(tmp_path, locale):
    """Numbers with points, dotless i or not; where a locale is not installed the C one stands in, which is no harm."""
    args = ["history", "-", "Orders/Made{Stage=load}:Sum", "--since", "2026-11-23T00:00:00Z", "--until", "2026-11-23T00:10:00Z",
            "--format", "csv"]

    class Fixed(fakeaws.Answers):
        def get_metric_data(self, body):
            t = instant("2026-11-23T00:01:00Z")
            return {"MetricDataResults": [{"Id": q["Id"], "Timestamps": [t], "Values": [1234.5], "StatusCode": "Complete"}
                                          for q in body["MetricDataQueries"]]}

    with FakeAws(answers=Fixed()) as aws:
        ran = Sluice(tmp_path / locale)(*args, env=aws.env(LC_ALL=locale, SLUICE_NOW="2026-11-23T01:00:00Z"))
    assert ran.status == 0 and "2026-11-23T00:01:00Z,1234.5\n" in ran.out, str(ran)
