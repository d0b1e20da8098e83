"""Reliability line C10: this machine's clock is wrong. AWS refuses by the time of the signature; its Date says how wrong we are."""

import calendar
import collections
import concurrent.futures
import datetime
import os
import pathlib
import threading
import time

import fakeaws
import pytest
from console import Console
from fakeaws import FakeAws
from program import SANITIZER, Sluice

DAY, YEAR = 86400, 31557600
OFFSETS = [s * n for n in (1, 60, 200, 290, 330, 3600, 12 * 3600, 30 * DAY, YEAR, 10 * YEAR) for s in (1, -1)]
ALLOWED = 300  # how far off AWS lets a signature be
LIBRARY = next(iter(sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)

pytestmark = pytest.mark.skipif(LIBRARY is None, reason="faketime is not installed")


class Strict(fakeaws.Answers):
    """Answers by its own clock: points only inside the window that was asked for, as AWS does."""

    def get_metric_data(self, body):
        answer = super().get_metric_data(body)
        for r in answer["MetricDataResults"]:
            r["Timestamps"] = [t for t in r["Timestamps"] if body["StartTime"] <= t < body["EndTime"]]
            r["Values"] = r["Values"][: len(r["Timestamps"])]
        return answer


class TimeKeeper:
    """Refuses what was signed at another time, in the words of the service, and counts the attempts of each call."""

    def __init__(self, refuse=True, date=lambda: time.time(), headers=None):
        self.refuse, self.date, self.headers = refuse, date, headers or {}
        self.lock, self.attempts, self.refused = threading.Lock(), collections.Counter(), 0

    def __call__(self, h, op):
        signed = calendar.timegm(time.strptime(h.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ"))
        off = signed - self.date()
        late = self.refuse and abs(off) > ALLOWED
        with self.lock:
            self.attempts[h.headers["amz-sdk-invocation-id"]] += 1
            self.refused += late
        h.date_time_string = lambda timestamp=None: formatted(self.date())
        if not late:
            h.reply(200, h.good(), "text/plain", self.headers)
        elif op.startswith("sts:"):
            said = "Signature expired: 20261128T000000Z is now earlier than" if off < 0 else "Signature not yet current: 20261128T000000Z is still later than"
            fakeaws.error(403, "SignatureDoesNotMatch", said + " 20261128T000500Z")(h, op)
        elif op.startswith("sqs:"):
            fakeaws.error(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")(h, op)
        else:
            fakeaws.error(403, "InvalidSignatureException", "Signature expired" if off < 0 else "Signature not yet current")(h, op)


def formatted(t):
    return datetime.datetime.fromtimestamp(t, datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")


def off_by(seconds):
    """The environment of a machine whose clock is so many seconds ahead."""
    env = {"LD_PRELOAD": str(LIBRARY), "FAKETIME": f"{seconds:+d}", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
    if SANITIZER:
        env["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    return env


def run_off(home, offset):
    """All three commands; what was wrong, and how often a signature was refused."""
    far, problems, refused = abs(offset) >= 240, [], 0
    for i, args in enumerate((["status"], ["--check", "--format", "json"], ["--check", "--metric", "AWS/SQS/NumberOfMessagesSent{QueueName=orders}:Sum",
                                                                         "-c", "5", "--format", "json"], ["doctor"])):
        keeper = TimeKeeper()
        with FakeAws({"*": keeper}, answers=Strict()) as aws:
            ran = Sluice(home / f"{i}")(*args, env=aws.env(**off_by(offset)))
        refused += keeper.refused
        if ran.status != (1 if far and args == ["doctor"] else 0):
            problems.append(f"exit {ran.status}")
        if "check" in args[0] and any(c["status"] == "UNKNOWN" or (c["value"] is None and "idle" in c["reason"] and "error_rate" not in c["name"])
                                      for c in ran.json["checks"]):
            problems.append("a value was not seen")
        if max(keeper.attempts.values()) > 2:
            problems.append(f"{max(keeper.attempts.values())} attempts")
        side = "ahead of" if offset > 0 else "behind"
        if far and not (side in ran.out + ran.err and "clock" in ran.out + ran.err):
            problems.append("not said")
        if not far and ran.err:
            problems.append("said although nothing is wrong")
        if problems:
            return f"{offset} s: {problems}\n{ran}", refused
    return None, refused


def test_every_offset(tmp_path, figure):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda o: run_off(tmp_path / f"{o}", o), OFFSETS))
    problems = [p for p, n in got if p]
    reached = sum(n > 0 for p, n in got)
    figure("C10", "clock off by 1 s to 10 years, both ways: status, check, doctor", attempted=len(OFFSETS), passed=len(OFFSETS) - len(problems),
           reached=reached, note=f"{reached} offsets were refused, {sum(n for p, n in got)} signatures in all; attempts <= 2 each")
    assert not problems, f"{len(problems)}:\n" + problems[0]
    assert reached == sum(abs(o) > ALLOWED for o in OFFSETS)


def test_never_a_loop(tmp_path, figure):
    """A service that refuses every signature: its Date runs away, is old, came out of a cache, or is none: two attempts at most."""
    ways = {"runs away": {"date": RunningAway()}, "cached": {"date": lambda: time.time() + 3600, "headers": {"Age": "3600"}},
            "says nothing": {"date": lambda: float("nan")}}
    problems, reached = [], 0
    for name, how in ways.items():
        keeper = Refusing(**how)
        with FakeAws({"*": keeper}) as aws:
            ran = Sluice(tmp_path / name.replace(" ", ""))("--check", "--format", "json", env=aws.env(), timeout=30)
        reached += keeper.refused > 0
        codes = {c["code"] for c in ran.json["checks"] if c["status"] == "UNKNOWN"}
        if ran.status != 3 or codes != {"AUTH"} or max(keeper.attempts.values()) > (2 if name == "runs away" else 1):
            problems.append(f"{name}: {codes} {keeper.attempts.most_common(2)}\n{ran}")
    figure("C10", "a clock that cannot be learned: no loop", attempted=len(ways), passed=len(ways) - len(problems), reached=reached)
    assert not problems, problems[0]


class RunningAway:
    """A day further with each look."""

    def __init__(self):
        self.n = 0

    def __call__(self):
        self.n += 1
        return time.time() + self.n * DAY


class Refusing(TimeKeeper):
    def __call__(self, h, op):
        date = self.date()
        with self.lock:
            self.attempts[h.headers["amz-sdk-invocation-id"]] += 1
            self.refused += 1
        h.date_time_string = lambda timestamp=None: formatted(date) if date == date else "some day"
        h.reply(403, '{"__type":"InvalidSignatureException","message":"Signature expired"}', "application/json", self.headers)


def test_console_follows(tmp_path, figure):
    """The console shows the service's time, and says that it does."""
    keeper = TimeKeeper()
    with FakeAws({"*": keeper}, answers=Strict()) as aws:
        with Console(tmp_path / "h", env=aws.env(**off_by(-6 * 3600)), columns=160) as c:
            c.wait("AWS ", "enrich", "ok 5")
            hours = {datetime.datetime.now(datetime.timezone.utc).strftime("%H:%M"),
                     (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=1)).strftime("%H:%M")}
            right = any(f"AWS {h}" in c.lines[0] for h in hours)
            text = c.text
            c.type("q").end()
    figure("C10", "console on a machine six hours behind", attempted=1, passed=int(right), reached=keeper.refused)
    assert right, text
