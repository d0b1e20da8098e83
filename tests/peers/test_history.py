"""History that has grown old: each part of a range at the step it is to be had at, rolled-up points told as such, the file's
limits as doctor shows them, and a file of a newer sluice."""

import csv
import datetime
import io
import pathlib
import sqlite3
import time

import fakeaws
from fakeaws import FakeAws

METRIC = "Orders/Made{Stage=load}:Sum"
DAY = 86400


def instant(text):
    return int(datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc).timestamp())


def minute_value(t):
    return t // 60 % 7


def is_gap(t):
    """Three minutes in ten, and one hour in five, hold nothing."""
    return t // 60 % 10 in (1, 2, 6) or t // 3600 % 5 == 0


def period(t, step):
    """The sum and the number of the points in it."""
    held = [minute_value(m) for m in range(t, t + step, 60) if not is_gap(m)]
    return sum(held), len(held)


class Aged(fakeaws.Answers):
    """Like CloudWatch: a minute for 15 days, five for 63, then hours; a finer period of old times has no points."""
    asked = ()

    def get_metric_data(self, body):
        step = body["MetricDataQueries"][0]["MetricStat"]["Period"]
        start, end, now = int(body["StartTime"]), int(body["EndTime"]), time.time()
        self.asked += ((step, start, end),)
        oldest = now - {60: 15, 300: 63, 3600: 455}[step] * DAY
        points = [(t, *period(t, step)) for t in range(start // step * step, end, step) if t >= oldest]
        points = [(t, v) for t, v, n in points if n]
        return {"MetricDataResults": [{"Id": q["Id"], "Timestamps": [t for t, _ in points], "Values": [v for _, v in points],
                                       "StatusCode": "Complete"} for q in body["MetricDataQueries"]]}


def rows_of(ran):
    return [(instant(r["time"]), float(r["value"]) if r["value"] else None) for r in csv.DictReader(io.StringIO(ran.out))]


def check_points(rows, parts):
    """Every period of every part, in order, with its value or its gap."""
    wanted = [(t, part["step"]) for part in parts for t in range(instant(part["from"]), instant(part["to"]), part["step"])]
    assert [t for t, _ in rows] == [t for t, _ in wanted]
    for (t, v), (_, step) in zip(rows[:-1], wanted):
        total, n = period(t, step)
        assert v == (total if n else None), (t, step, v, total, n)


def test_a_long_range_has_a_step_for_each_age(sluice):
    answers = Aged()
    with FakeAws(answers=answers) as aws:
        ran = sluice("history", "-", METRIC, "--since", "70d", "--format", "csv", env=aws.env())
        now = time.time()  # before it is asked: a step may begin while it answers
        told = sluice("history", "-", METRIC, "--since", "70d", "--format", "json", env=aws.env()).json
    assert ran.status == 0 and ran.err == "", str(ran)
    assert [p["step"] for p in told["parts"]] == [3600, 300, 60] and told["step"] == 60 and told["polled"] is True
    assert [a["to"] for a in told["parts"][:-1]] == [b["from"] for b in told["parts"][1:]]
    assert [p["rolled_up"] for p in told["parts"]] == [None] * 3, "all of it is CloudWatch's own"
    assert {step for step, _, _ in answers.asked} == {60, 300, 3600}
    for step, days in ((300, 63), (60, 15)):
        begin = next(instant(p["from"]) for p in told["parts"] if p["step"] == step)
        assert 0 <= begin - (now - days * DAY) < 3700, "a part begins where CloudWatch has its step"
    check_points([(instant(p["time"]), p["value"]) for p in told["points"]], told["parts"])
    assert len(rows_of(ran)) >= len(told["points"]) - 1


def test_what_is_rolled_up_says_so(sluice):
    config = sluice.config("[sluice]\nhistory_fine = 1d\n")
    common = ["--config", config, "--since", "3d"]
    with FakeAws(answers=Aged()) as aws:
        first = sluice("history", "-", METRIC, *common, "--format", "json", env=aws.env()).json
        for _ in range(3):  # each round folds, rolls up and forgets a step
            assert sluice("status", "--config", config, env=aws.env()).status in (0, 1)
        kept = sluice("history", "-", METRIC, *common, "--offline", "--format", "json", env=aws.env())
        as_csv = sluice("history", "-", METRIC, *common, "--offline", "--format", "csv", env=aws.env())
        aws.faults["cloudwatch:GetMetricData"] = fakeaws.denied
        failed = sluice("history", "-", METRIC, *common, "--format", "csv", env=aws.env())
        del aws.faults["cloudwatch:GetMetricData"]
        again = sluice("history", "-", METRIC, *common, "--format", "json", env=aws.env()).json
    assert [p["step"] for p in first["parts"]] == [60]
    told = kept.json
    assert [(p["step"], p["rolled_up"]) for p in told["parts"]] == [(300, "sum"), (60, None)], str(kept)
    assert "sum of the points kept of its 5 minutes" in kept.err and kept.err.count("\n") == 1, kept.err
    begin = instant(told["parts"][1]["from"])
    assert abs(begin - (time.time() - DAY)) < 3 * 7200
    for p in told["points"]:
        t = instant(p["time"])
        if t < begin - 300 and t > instant(told["points"][0]["time"]):
            total, n = period(t, 300)
            assert p["value"] == (total if n else None) and p.get("holds", 0) == n, p
        elif t >= begin:
            assert "holds" not in p
    assert rows_of(as_csv) == [(instant(p["time"]), p["value"]) for p in told["points"]]
    # What could not be asked is what the file has; what can be asked is CloudWatch's, as fine as it has it.
    assert failed.status == 1 and "cloudwatch:GetMetricData" in failed.err
    assert len(rows_of(failed)) in (len(told["points"]), len(told["points"]) + 1)
    assert [(p["step"], p["rolled_up"]) for p in again["parts"]] == [(60, None)]


def findings(ran, topic):
    return {f["name"]: f for f in ran.json["findings"] if f["topic"] == topic}


def test_doctor_shows_the_history_and_its_limits(sluice):
    config = sluice.config("[sluice]\nhistory_max = 32M\nhistory_fine = 2d\nretention = 20d\n")
    with FakeAws(answers=Aged()) as aws:
        sluice("history", "-", METRIC, "--since", "3d", "--config", config, env=aws.env())
        found = findings(sluice("doctor", "--config", config, "--format", "json", env=aws.env()), "history")
    assert found["file"]["value"].endswith("history.db")
    assert "of at most 32" in found["size"]["value"] and found["kept"]["value"] == "20 days, as they came for 2"
    oldest = instant(found["oldest point"]["value"])
    begin = int(time.time()) // 60 * 60 - 3 * DAY
    first = next(t for t in range(begin, begin + DAY, 60) if not is_gap(t))  # where that hour holds nothing, a later one
    assert first - 7200 - 60 <= oldest <= first + 60


def test_a_file_of_a_newer_sluice_is_left_alone(sluice):
    path = pathlib.Path(sluice.home) / ".cache/sluice/history.db"
    with FakeAws(answers=Aged()) as aws:
        sluice("history", "-", METRIC, "--since", "2h", env=aws.env())
        db = sqlite3.connect(path)
        db.executescript("CREATE TABLE later (x); PRAGMA user_version = 1000")
        db.close()
        before = path.read_bytes()
        ran = sluice("history", "-", METRIC, "--since", "2h", "--format", "csv", env=aws.env())
        status = sluice("status", env=aws.env())
        found = findings(sluice("doctor", "--format", "json", env=aws.env()), "history")
    assert path.read_bytes() == before and not list(path.parent.glob("*corrupt*"))
    assert ran.status == 0 and len([v for _, v in rows_of(ran) if v is not None]) > 20, "it works without"
    assert "schema 1000, this one knows" in ran.err, str(ran)
    assert status.status in (0, 1)
    assert "schema 1000, this one knows" in str(found["file"]), found
