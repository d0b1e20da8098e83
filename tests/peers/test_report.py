"""report: what it says, read back by parsers that are not ours; hostile names; gaps; an end in the past."""

import datetime
import html.parser
import json
import re
import time
import xml.etree.ElementTree as ET

import fakeaws
import pytest
from fakeaws import FakeAws
from program import plain

HOSTILE = "<script>alert(1)</script>\"'&|`*[x](http://evil)\x1b[2J\u202e"
SVG = "{http://www.w3.org/2000/svg}"


class Failing(fakeaws.Answers):
    """Every invocation fails; of each ten minutes two have no point."""

    def __init__(self, **more):
        super().__init__(**more)
        self.now = time.time
        self.alarm = {}

    def missing(self, t):
        return t // 60 % 10 in (3, 4)

    def get_metric_data(self, body):
        last = min(int(body["EndTime"]), int(self.now())) // 60 * 60
        times = [t for t in range(last - 60, int(body["StartTime"]) - 1, -60) if not self.missing(t)]
        values = {"Errors": 10.0, "Invocations": 10.0}
        results = []
        for q in body["MetricDataQueries"]:
            v = values.get(q["MetricStat"]["Metric"]["MetricName"])
            results.append({"Id": q["Id"], "Label": "x", "Timestamps": times if v is not None else [],
                            "Values": [v] * len(times) if v is not None else [], "StatusCode": "Complete"})
        return {"MetricDataResults": results, "Messages": []}

    def describe_alarms(self, body):
        doc = super().describe_alarms(body)
        doc["MetricAlarms"][0].update(self.alarm)
        return doc


class Page(html.parser.HTMLParser):
    """Strict: what is opened is closed; everything that could load or run is noted."""
    VOID = {"meta"}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.stack, self.tags, self.attributes, self.text = [], [], [], []
        self.feed(text)
        self.close()
        assert self.stack == [], self.stack

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, k, v) for k, v in attrs]
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, k, v) for k, v in attrs]

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def run(sluice, aws, cache, *args, status=0, **env):
    ran = sluice("report", "--cache", cache, *args, env=aws.env(**env))
    assert ran.status == status and plain(ran.out) and plain(ran.err), str(ran)
    return ran


@pytest.fixture
def cache(tmp_path):
    return str(tmp_path / "history.db")


def check_page(text):
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form", "a", "use", "image", "foreignobject"} & set(page.tags)
    for tag, name, value in page.attributes:
        assert not name.startswith("on") and name not in ("src", "href", "xlink:href", "style", "srcset", "action"), (tag, name)
        assert "url(" not in (value or "") and (name == "xmlns" or "://" not in (value or "")), (tag, name, value)
    return page


def lines(text):
    """The charts' paths of an HTML report, by their title; each a list of runs of points."""
    found = {}
    root = ET.fromstring(text.split("\n", 1)[1])
    for svg in root.iter(SVG + "svg"):
        [line] = [p.get("d") for p in svg.iter(SVG + "path") if p.get("class") == "line"]
        found[svg.find(SVG + "title").text] = [re.findall(r"[-\d.]+,[-\d.]+", part) for part in line.split("M")[1:]]
    return found


def test_a_report_says_what_is_there(sluice, cache):
    with FakeAws(answers=Failing()) as aws:
        assert sluice("note", "--cache", cache, "kind=incident", "orders are stuck", env=aws.env()).status == 0
        text = run(sluice, aws, cache, "--since", "1h", "--format", "html").out
        page = check_page(text)
        words = " ".join(page.text)
        for wanted in ("orders are stuck", "error rate 100 %", "enrich", "lambda", "HighErrorRate-enrich", fakeaws.ACCOUNT):
            assert wanted in words, wanted
        md = run(sluice, aws, cache, "--since", "1h").out
        assert "## Notes" in md and "orders are stuck" in md and "| alarm | enrich | lambda |" in md
        doc = run(sluice, aws, cache, "--since", "1h", "--format", "json").json
        assert [e["text"] for e in doc["events"] if e["kind"] == "incident"] == ["orders are stuck"]
        assert {s["name"]: s["health"] for s in doc["end"]["stages"]}["enrich"] == "alarm"


def test_gaps_are_gaps(sluice, cache):
    answers = Failing()
    with FakeAws(answers=answers) as aws:
        doc = run(sluice, aws, cache, "--since", "1h", "--format", "json").json
        [chart] = [c for c in doc["charts"] if c["key"] == "invocations"]
        at = datetime.datetime.fromisoformat(chart["from"].replace("Z", "+00:00")).timestamp()
        for i, v in enumerate(chart["values"][:-2]):  # the newest may not be there yet
            assert (v is None) == bool(answers.missing(int(at) + i * chart["step"])), (i, v)
        assert chart["gaps"] == chart["values"].count(None) >= 10
        runs = lines(run(sluice, aws, cache, "--since", "1h", "--format", "html").out)["enrich Invocations"]
        assert 6 <= len(runs) <= 7  # broken every ten minutes, and nowhere else
        assert sum(map(len, runs)) == len(chart["values"]) - chart["gaps"] or abs(sum(map(len, runs)) - 48) <= 2
        assert all(len({p.split(",")[1] for p in r}) == 1 for r in runs)  # never down to zero between


def hostile(s):
    return s + HOSTILE


def test_hostile_names_stay_text(sluice, cache):
    answers = Failing(text=hostile)
    with FakeAws(answers=answers) as aws:
        aws_env = aws.env()
        text = run(sluice, aws, cache, "--since", "1h", "--format", "html").out
        page = check_page(text)
        shown = 'enrich<script>alert(1)</script>"\'&|`*[x](http://evil)<U+001B>[2J<U+202E>'
        assert shown in "".join(page.text)
        ET.fromstring(text.split("\n", 1)[1])
        md = run(sluice, aws, cache, "--since", "1h").out
        assert "<script" not in md and "](http" not in md.replace("\\]", "")
        for row in [line for line in md.splitlines() if line.startswith("| alarm | enrich")]:
            assert len(re.findall(r"(?<!\\)\|", row)) == 5, row
        doc = json.loads(run(sluice, aws, cache, "--since", "1h", "--format", "json").out)
        assert any(s["name"] == "enrich" + HOSTILE for s in doc["end"]["stages"])
        assert aws_env


def test_an_end_in_the_past_asks_nobody(sluice, cache):
    """What stands in the history, as it was: judged then, without a word from AWS."""
    t0 = 1795395630  # 2026-11-23T01:00:30Z
    def at(seconds):
        return datetime.datetime.fromtimestamp(t0 + seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    answers = Failing()
    with FakeAws(answers=answers) as aws:
        answers.now = lambda: t0
        assert sluice("status", "--cache", cache, env=aws.env(SLUICE_NOW=at(0))).status == 0
        answers.now = lambda: t0 + 7200
        before = dict(aws.calls)
        doc = run(sluice, aws, cache, "--since", "30m", "--until", at(60), "--format", "json", SLUICE_NOW=at(7200)).json
        assert doc["end"]["from"] == "history" and doc["to"] == at(60) and doc["end"]["at"] == at(60)
        assert {s["name"]: s["health"] for s in doc["end"]["stages"]}["enrich"] == "alarm"
        assert all(not c["polled"] for c in doc["charts"])
        # An hour later nobody was looking: nothing is known, and nothing is fine.
        doc = run(sluice, aws, cache, "--since", "30m", "--until", at(3600), "--format", "json", SLUICE_NOW=at(7200)).json
        assert {s["health"] for s in doc["end"]["stages"]} <= {"unknown", "stale"}, doc["end"]
        assert aws.calls == before


@pytest.mark.parametrize("args,says", [(["--since", "1h", "--until", "2999-01-01T00:00:00Z"], "not over yet"),
                                       (["--since", "2026-01-01T00:00:00Z", "--until", "2025-01-01T00:00:00Z"], "before the end")])
def test_ranges_that_are_none(sluice, cache, args, says):
    with FakeAws() as aws:
        assert says in run(sluice, aws, cache, *args, status=2).err


def test_without_aws_the_history_still_tells(sluice, cache):
    with FakeAws(answers=Failing()) as aws:
        assert sluice("status", "--cache", cache, env=aws.env()).status == 0
        env = aws.env()
    ran = sluice("report", "--cache", cache, "--since", "1h", "-t", "20", "--format", "json", env=env)
    assert ran.status == 1 and "unreachable" in ran.err.lower() or "connect" in ran.err.lower(), str(ran)
    doc = ran.json
    assert doc["end"]["from"] == "history" and {s["name"] for s in doc["end"]["stages"]} >= {"enrich", "orders"}
    assert sluice("report", "--cache", cache, "--since", "1h", "--offline", env=env).status == 0


def test_the_deadline_stands_in_the_report(sluice):
    """As status has it: when, of which shard, and by what; in text and in JSON."""
    env = {"SLUICE_NOW": "2026-11-23T03:14:42Z"}
    text = sluice("--demo=poison-shard", "report", "--since", "12h", env=env)
    assert text.status == 0 and "## Until something is lost" in text.out, str(text)
    [row] = [line for line in text.out.splitlines() if line.startswith("| orders-ingest |") and "17h50m" in line]
    assert "first record expires 21:05Z (shard 3)" in row and "growing 1.00 s/s" in row
    doc = sluice("--demo=poison-shard", "report", "--since", "12h", "--format", "json", env=env).json
    loss = {s["name"]: s["loss"] for s in doc["end"]["stages"]}
    assert loss["orders-ingest"]["at"] == "2026-11-23T21:05:00Z" and loss["orders-ingest"]["where"] == "shard 3"
    assert loss["orders-load"]["state"] == "safe" and loss["orders-loader"] is None
    calm = sluice("--demo=calm", "report", "--since", "12h", env=env)
    assert calm.status == 0 and "Until something is lost" not in calm.out
