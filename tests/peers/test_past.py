"""Time travel: every pane at one past instant, from the history, apart from what is live."""

import datetime

import fakeaws
from console import Console
from fakeaws import FakeAws
from test_report import Failing

T0 = 1795395630  # 2026-11-23T01:00:30Z


def at(seconds):
    return datetime.datetime.fromtimestamp(T0 + seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Changing(Failing):
    """At T0 the retention is four days and the alarm is OK; an hour later it is an hour, and the alarm has been in ALARM for half an hour."""

    def set(self, seconds):
        self.now = lambda: T0 + seconds
        later = seconds >= 3600
        self.retention = "3600" if later else "345600"
        self.alarm = {"StateValue": "ALARM" if later else "OK", "StateReason": "because", "ActionsEnabled": True,
                      "StateTransitionedTimestamp": T0 + 1800.0 if later else T0 - 86400.0}

    def get_queue_attributes(self, body):
        a = super().get_queue_attributes(body)
        a["Attributes"]["MessageRetentionPeriod"] = self.retention
        return a


def live(console):
    """Row 1 shows the age of the poll, and nothing of the past."""
    return console.wait(lambda c: "PAST" not in c.text and "+" in c.lines[0])


def alarm(console):
    """The alarm's row, not what row 3 or the changes say of it."""
    below = next(i for i, line in enumerate(console.lines) if "ALARMS" in line)
    return next(line for line in console.lines[below:] if "HighErrorRate-enrich" in line)


def travel(console, to):
    console.type("t").wait("back to").type(to + "\r").wait("PAST")
    return console


def test_every_pane_at_one_instant(sluice, tmp_path):
    cache, answers = str(tmp_path / "history.db"), Changing()
    with FakeAws(answers=answers) as aws:
        for seconds in (0, 3600):
            answers.set(seconds)
            assert sluice("status", "--cache", cache, env=aws.env(SLUICE_NOW=at(seconds))).status == 0
        answers.set(7200)
        with Console(tmp_path, "--cache", cache, columns=120, lines=40, env=aws.env(SLUICE_NOW=at(7200))) as c:
            live(c.wait("orders-dlq", "ALARM"))
            calls = aws.calls.get("cloudwatch:GetMetricData", 0)

            # A minute after the first look: as it was then.
            travel(c, "01:01:30")
            assert "PAST" in c.lines[0] and "2026-11-23T01:01:30Z, 1h59m ago" in c.lines[0] and "LIVE" not in c.lines[0]
            row = alarm(c)
            assert " ok " in row and "ALARM" not in row
            assert "error rate 100 %" in c.text
            c.type("/orders-dlq\r").wait("1 of").type("\r").wait("retention 4d00h")
            c.type("q").wait("STAGES").type("\x1b")

            # What changes and notes are known then: not those of later.
            c.type("5").wait("EVENTS")
            assert "OK" in c.text and "retention" not in c.text and "PAST" in c.lines[0]
            c.type("q").wait("STAGES")

            # Between the looks: the alarm's later look says since when; of the configuration nothing is known.
            live(c.type("t"))
            travel(c, "01:45")
            row = alarm(c)
            assert "ALARM" in row and " 14m " in row  # since 01:30:30, seen from there
            assert "not known" in c.text and " ok " not in "".join(line for line in c.lines if "sqs" in line)

            # Back to now.
            live(c.type("t"))
            assert "PAST" not in c.text
            c.type("5").wait("retention 4d00h -> 1h00m", "01:00..02:00Z")
            assert aws.calls.get("cloudwatch:GetMetricData", 0) == calls  # the past cost nothing
            c.type("q")
            c.type("t").wait("back to").type("25:00\r").wait("is no instant of the past")
            c.type("t").wait("back to").type("2999-01-01T00:00:00Z\r").wait("is no instant of the past")
            c.type("q")
            assert c.end() == 0


def test_notes_from_the_console(sluice, tmp_path):
    cache = str(tmp_path / "history.db")
    with FakeAws(answers=fakeaws.Answers()) as aws:
        with Console(tmp_path, "--cache", cache, columns=100, lines=30, env=aws.env()) as c:
            live(c).type(":note kind=incident orders are stuck\r").wait("noted")
            # Another process is not the writer, and its note is kept all the same.
            assert sluice("note", "--cache", cache, "seen from elsewhere", env=aws.env()).status == 0
            c.type(":note restarted the loader\r").wait("noted")
            c.type("5").wait("orders are stuck", "restarted the loader", "seen from elsewhere", "incident")
            c.type("/stuck\r").wait("1 of 3").type("\r").wait("what        orders are stuck", "says        sluice")
            c.type("q").wait("EVENTS").type(":nonsense\r").wait("no such command: nonsense")
            c.type("qq")
            assert c.end() == 0
    doc = sluice("report", "--cache", cache, "--since", "1h", "--offline", "--format", "json", env=aws.env()).json
    assert [e["text"] for e in doc["events"] if e["kind"] in ("note", "incident")] == [
        "restarted the loader", "seen from elsewhere", "orders are stuck"]
