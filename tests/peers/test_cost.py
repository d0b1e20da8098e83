"""What polling costs: a peer that writes down what is asked, when, and for which metrics."""

import re
import threading
import time

import pytest
from console import Console
from fakeaws import Answers, FakeAws, arn
from program import LONG, SANITIZER, Sluice

PAID = "cloudwatch:GetMetricData"


class Metered(Answers):
    """Functions that are busy; some of them fail half of the time. Every metric asked for is written down."""

    def __init__(self, functions, failing=(), tagged=()):
        super().__init__()
        self.functions, self.failing, self.tagged = functions, set(failing), tagged
        self.lock, self.asked, self.requests = threading.Lock(), [], []  # asked: (end of its window, function, metric, stat)

    def list_queues(self, body):
        return {"QueueUrls": []}

    def list_streams(self, body):
        return {"StreamNames": [], "HasMoreStreams": False, "StreamSummaries": []}

    def list_event_source_mappings(self, body):
        return {"EventSourceMappings": []}

    def describe_alarms(self, body):
        return {"MetricAlarms": [], "CompositeAlarms": []}

    def list_functions(self, body):
        return {"Functions": [{"FunctionName": f, "FunctionArn": arn("lambda", f"function:{f}"), "Runtime": "python3.12"} for f in self.functions]}

    def get_resources(self, body):
        return {"ResourceTagMappingList": [{"ResourceARN": arn("lambda", f"function:{f}"), "Tags": []} for f in self.tagged], "PaginationToken": ""}

    def get_metric_data(self, body):
        end = int(body["EndTime"])
        times = [end - 60 * i for i in range(1, 12)]
        results = []
        with self.lock:
            self.requests.append(len(body["MetricDataQueries"]))
            for q in body["MetricDataQueries"]:
                m = q["MetricStat"]["Metric"]
                function = m["Dimensions"][0]["Value"]
                self.asked.append((end, function, m["MetricName"], q["MetricStat"]["Stat"]))
                value = {"Invocations": 100.0, "Errors": 50.0 if function in self.failing else 0.0, "IteratorAge": None, "Throttles": 0.0}.get(m["MetricName"], 1.0)
                values = [] if value is None else [value] * len(times)
                results.append({"Id": q["Id"], "Label": "", "Timestamps": times[: len(values)], "Values": values, "StatusCode": "Complete"})
        return {"MetricDataResults": results, "Messages": []}


def config_of(home):
    path = home / ".config/sluice/config.ini"
    return path.read_text() if path.exists() else None


def paid(aws):
    return aws.calls.get(PAID, 0)


def wait_for(met, seconds=15):
    end = time.monotonic() + seconds
    while not met() and time.monotonic() < end:
        time.sleep(0.05)
    assert met()


def gone(c, text, seconds=15):
    end = time.monotonic() + seconds
    while text in c.text and time.monotonic() < end:
        c.pump()
    assert text not in c.text, c.text


def first_contact(aws, home, columns=80, lines=24, lang="C"):
    c = Console(home, env={**aws.env(), "LANG": lang, "LC_ALL": lang}, columns=columns, lines=lines, first=True)
    return c


# ---- the first contact

NAMES = [f"orders-{i}" for i in range(3)] + [f"billing-{i}" for i in range(2)]


def test_nothing_is_paid_before_an_answer(tmp_path):
    answers = Metered(NAMES)
    with FakeAws(answers=answers) as aws, first_contact(aws, tmp_path) as c:
        c.wait("FIRST CONTACT")
        c.wait("lambda 5")
        assert all(ord(ch) < 128 for ch in c.text), c.text
        c.type("2")  # a key that would leave it elsewhere
        c.type("a")
        c.wait("5 resources, 30 metrics: $0.09 a day, $0.0003 at once, each asked every 5m")
        assert paid(aws) == 0 and config_of(tmp_path) is None
        c.type("\x1b")
        c.wait("WATCH WHAT?")
        c.type("y")  # nothing is chosen any more
        c.settle()
        assert paid(aws) == 0 and config_of(tmp_path) is None
        c.type("a")
        c.wait("y save")
        c.type("y")
        c.wait("orders-0")
        gone(c, "FIRST CONTACT")
        wait_for(lambda: paid(aws) >= 2)  # the percentiles go apart
        assert config_of(tmp_path) == "\n[watch]\neverything = yes\n"
        assert sorted({f for _, f, _, _ in answers.asked}) == sorted(NAMES)


def test_quitting_is_no_answer(tmp_path):
    with FakeAws(answers=Metered(NAMES)) as aws:
        for _ in range(2):  # it is asked again
            with first_contact(aws, tmp_path) as c:
                c.wait("FIRST CONTACT")
                c.type("q")
                assert c.end() == 0
        assert paid(aws) == 0 and config_of(tmp_path) is None


def test_what_is_remembered_is_no_first_contact(tmp_path):
    with FakeAws(answers=Metered(NAMES)) as aws:
        assert Sluice(tmp_path)("status", env=aws.env()).status == 0
        with first_contact(aws, tmp_path) as c:
            c.wait("orders-0")
            c.settle()
            assert "FIRST CONTACT" not in c.text


@pytest.mark.parametrize("choice", ["prefix", "tag"])
def test_a_part_of_the_account(tmp_path, choice):
    answers = Metered(NAMES, tagged=["billing-0", "orders-1"])
    with FakeAws(answers=answers) as aws, first_contact(aws, tmp_path, columns=120, lines=40, lang="C.UTF-8") as c:
        c.wait("FIRST CONTACT")
        if choice == "prefix":
            c.type("/")
            c.type("orders-\r")
        else:
            c.type("t")
            c.type("team=data\r")
        c.wait("3 resources, 18 metrics" if choice == "prefix" else "2 resources, 12 metrics")
        assert paid(aws) == 0
        c.type("y")
        wait_for(lambda: paid(aws) >= 2)  # the percentiles go apart
        text = config_of(tmp_path)
        wanted = {n for n in NAMES if n.startswith("orders-")} if choice == "prefix" else {"billing-0", "orders-1"}
        assert {f for _, f, _, _ in answers.asked} == wanted
        assert ('[pipeline "orders"]' in text and text.count("resource = lambda:orders-") == 3) if choice == "prefix" else 'tag = "team=data"' in text
        gone(c, "FIRST CONTACT")


def test_a_choice_of_nothing_is_none(tmp_path):
    with FakeAws(answers=Metered(NAMES)) as aws, first_contact(aws, tmp_path) as c:
        c.wait("FIRST CONTACT")
        c.type("/")
        c.type("invoices-\r")
        c.wait("nothing of what is watched is named so")
        c.type("y")
        c.settle()
        assert paid(aws) == 0 and config_of(tmp_path) is None


# ---- the bill

def test_today_outlives_the_process(tmp_path):
    with FakeAws(answers=Metered(NAMES)) as aws:
        run = Sluice(tmp_path)
        for n in (1, 2, 3):
            cost = run("status", "--format", "json", env=aws.env()).json["cost"]
            assert cost["metrics"] == 30 and cost["usd"] == 0.0003 and cost["budget_usd_per_day"] == 1
            assert cost["today_usd"] in (pytest.approx(n * 0.0003), 0.0003)  # midnight may come between
            assert cost["top"] == "AWS/Lambda" and cost["top_percent"] == 100
            assert cost["usd_per_day"] == pytest.approx(30 * 288 * 1e-5)
        without = run("status", "--format", "json", "--cache", "/proc/nowhere/history.db", env=aws.env()).json["cost"]
        assert without["today_usd"] is None and without["metrics"] == 30


def test_statistics_of_one_metric_go_side_by_side(tmp_path):
    stats = ("Sum", "Average", "Maximum", "Minimum", "SampleCount", "p95")
    metric = "NS/M{FunctionName=f}"
    config = tmp_path / "c.ini"
    config.parent.mkdir(parents=True, exist_ok=True)
    roles = dict(zip(("in", "out", "error", "latency", "backlog", "age"), stats))
    config.write_text('[pipeline "p"]\n[stage "p/a"]\nresource = lambda:orders-0\n' + "".join(f"{r} = {metric}:{s}\n" for r, s in roles.items()))
    answers = Metered(NAMES)
    with FakeAws(answers=answers) as aws:
        cost = Sluice(tmp_path / "home")("status", "--config", config, "--format", "json", env=aws.env()).json["cost"]
    order = [(m, s) for _, _, m, s in answers.asked]
    first = order.index(("M", "Sum"))
    assert sorted(s for m, s in order[first : first + 6]) == sorted(stats)
    assert cost["metrics"] == 12 and cost["metrics_side_by_side"] == 8  # 6 of the kind; 6 of one: five as one, and one


# ---- 3,000 resources for a dollar

def budget_run(tmp_path, speed, seconds):
    """A console on 3,000 functions with its clocks running fast; returns the answers and the minutes that it saw."""
    names = [f"f{i:04}" for i in range(3000)]
    answers = Metered(names, failing=names[10:13])
    with FakeAws(answers=answers) as aws:
        env = {**aws.env(), "SLUICE_SPEED": str(speed)}
        with Console(tmp_path, env=env, columns=160, lines=40) as c:
            c.wait("f0000", seconds=60)
            begun = time.monotonic()
            while time.monotonic() - begun < seconds:
                c.type("\x0c")  # somebody is there
                c.pump(1)
            c.wait(lambda c: c.text.count("error rate 50") >= 3, seconds=30)  # the last repaint is whole
            minutes = (time.monotonic() - begun) * speed / 60
            shown = c.text
        calls = dict(aws.calls)
    return answers, minutes, shown, calls


@pytest.mark.skipif(bool(SANITIZER), reason="its clocks would run too fast for it")
def test_three_thousand_functions_for_a_dollar(tmp_path):
    speed, seconds = (120, 720) if LONG else (60, 40)  # a busy machine may take seconds to draw 3,000 rows
    answers, minutes, shown, calls = budget_run(tmp_path, speed, seconds)
    ends = sorted({e for e, *_ in answers.asked})
    total, first = len(answers.asked), sum(1 for e, *_ in answers.asked if e <= ends[0] + 60)
    per_minute = (total - first) / max(minutes, 1)
    print(f"{total} metrics in {minutes:.0f} minutes, {first} of them at the start, then {per_minute:.1f} a minute; {calls}")
    assert 15000 <= first <= 18000 + 200           # each metric once
    # What a dollar buys a day, 100,000 metrics, less the 18,000 of the start, dealt out by the minute: two minutes' worth may be out early.
    assert total <= 18000 + (100_000 - 18000) * (minutes + 2) / 1440
    if LONG:
        assert minutes >= 1440 and total <= 100_000
    for function in ("f0000", "f0010", "f0011", "f0012"):  # selected; in trouble
        seen = sorted({e for e, f, m, _ in answers.asked if f == function and m == "Errors"})
        gaps = [b - a for a, b in zip(seen, seen[1:])]
        assert len(seen) >= 0.8 * minutes and max(gaps[1:]) <= 300, (function, len(seen), minutes, gaps)
    assert re.search(r"\$[01]\.\d\d/day", shown), shown
    assert "last read" not in shown and shown.count("error rate 50") >= 3, shown  # what waits for its turn is no alarm and not forgotten
