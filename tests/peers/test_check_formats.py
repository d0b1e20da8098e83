"""Each form of a --check result, read back by a parser that is not ours: the performance data by the grammar of the plugin
guidelines, JUnit by ElementTree and the rules of Jenkins' schema, workflow commands as the runner takes them apart, code quality by
GitLab's required fields, the Prometheus text by prometheus_client. Hostile names stand in all of them."""

import html
import json
import os
import re
import stat
import xml.etree.ElementTree as ET

import fakeaws
import pytest
from fakeaws import FakeAws
from program import plain
from prometheus_client.parser import text_string_to_metric_families
from test_text import expected

FORMATS = ["text", "nagios", "json", "junit", "github", "gitlab", "prom"]
HOSTILE = [
    "two\nlines", "::error::pwned", "x\n::add-mask::secret", "##[add-path]/evil", "100%25%0A::stop-commands::x", "it's 'quoted'",
    'say "hi"', "a|b=c;d;e", "'x'=1;2;3", "<script>alert(1)</script>", "]]><failure/>", "&amp; & &#10;", "back\\slash\\n", 'end"} 1\nup 1',
    "\x1b[31mred\x1b[0m", "\x9b31m", "\u202ereversed", "\u2028line", "\ufeffbom", "tab\there", "`code` **bold** [a](http://x) @all #1", "| a | b |",
    "{name=\"x\"}", "title=a,file=b::c", "\u0301accent", "\u4f60\u597d \U0001f600", "-->", "$(reboot) `reboot`", "x" * 255,
    "www.example.org http://example.org", "~tilde~ _under_ *star*",
]
STATES = ["ALARM", "INSUFFICIENT_DATA", "OK"]


def visible(text):
    return expected(text.encode()).decode()


class Alarms(fakeaws.Answers):
    """Alarms of these names; each state and reason in turn."""

    def __init__(self, names, states=STATES, value=7.5):
        super().__init__()
        self.names, self.states, self.value = names, states, value

    def describe_alarms(self, body):
        one = super().describe_alarms(body)["MetricAlarms"][0]
        return {"MetricAlarms": [{**one, "AlarmName": n, "AlarmArn": f"{one['AlarmArn']}-{i}", "StateReason": f"why {n}",
                                  "StateValue": self.states[i % len(self.states)]}
                                 for i, n in enumerate(self.names)], "CompositeAlarms": []}

    def get_metric_data(self, body):
        answer = super().get_metric_data(body)
        for r in answer["MetricDataResults"]:
            r["Values"] = [self.value] * len(r["Values"])
        return answer


def check(sluice, aws, form, *options, **env):
    ran = sluice("--check", "--format", form, *options, env=aws.env(**env))
    assert plain(ran.out) and plain(ran.err), str(ran)
    return ran


# ---- the parsers

NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
RANGE = rf"@?(?:(?:~|{NUMBER})?:(?:{NUMBER})?|{NUMBER})"
DATUM = re.compile(rf"\s*(?P<label>'(?:[^'=|\n]|'')+'|[^\s'=|]+)=(?P<value>U|{NUMBER})(?P<uom>us|ms|s|%|[KMGT]?B|c)?"
                   rf"(?:;(?P<warn>{RANGE})?)?(?:;(?P<crit>{RANGE})?)?(?:;(?P<min>{NUMBER})?)?(?:;(?P<max>{NUMBER})?)?(?=\s|$)")


def nagios(out):
    """(first line's text, long text lines, {label: datum}) as a server of the guidelines' grammar splits them."""
    assert out.endswith("\n") and len(out.encode()) < 8192
    lines = out[:-1].split("\n")
    first, bar, data = lines[0].partition("|")
    assert len(lines[0]) < 80, lines[0]
    more = []
    for i, line in enumerate(lines[1:], 1):
        text, bar, rest = line.partition("|")
        more.append(text)
        if bar:
            data = "\n".join([data, rest, *lines[i + 1:]])
            break
    found, at = {}, 0
    while data[at:].strip():
        m = DATUM.match(data, at)
        assert m, f"no performance data: {data[at:at + 100]!r}"
        label = m["label"][1:-1].replace("''", "'") if m["label"].startswith("'") else m["label"]
        assert label not in found, label
        found[label] = m.groupdict()
        at = m.end()
    return first.strip(), more, found


XSD = {  # element: (required attributes, other attributes, children)
    "testsuites": ({"name"}, {"tests", "failures", "errors", "time"}, {"testsuite"}),
    "testsuite": ({"name", "tests"}, {"failures", "errors", "skipped", "time", "timestamp", "hostname", "id", "package"},
                  {"properties", "testcase", "system-out", "system-err"}),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": ({"name", "classname"}, {"time"}, {"failure", "error", "skipped", "system-out", "system-err"}),
    "failure": (set(), {"message", "type"}, set()), "error": (set(), {"message", "type"}, set()),
    "skipped": (set(), {"message"}, set()), "system-out": (set(), set(), set()),
}


def junit(out):
    """{name: (outcome, message)} of the one suite."""
    root = ET.fromstring(out)
    assert root.tag == "testsuites"
    for e in root.iter():
        need, may, children = XSD[e.tag]
        assert need <= set(e.attrib) <= need | may, (e.tag, e.attrib)
        assert {c.tag for c in e} <= children, e.tag
    (suite,) = root
    cases = suite.findall("testcase")
    for attribute, element in [("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]:
        assert int(suite.get(attribute)) == len(suite.findall(f"testcase/{element}"))
        assert attribute == "skipped" or root.get(attribute) == suite.get(attribute)
    assert int(suite.get("tests")) == int(root.get("tests")) == len(cases)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp"))
    assert abs(sum(float(c.get("time")) for c in cases) - float(suite.get("time"))) <= 0.001 * len(cases) + 0.001
    found = {}
    for c in cases:
        assert len(c) <= 1
        found[c.get("name")] = ("ok", "") if not len(c) else (c[0].tag, c[0].get("message") or c[0].text)
    assert len(found) == len(cases)
    return found


COMMANDS = {"error", "warning", "notice", "debug", "group", "endgroup", "add-mask", "add-matcher", "set-output", "save-state", "set-env",
            "add-path", "stop-commands", "echo"}


def unescape(text, table):
    for there, here in (*table, ("%25", "%")):
        text = text.replace(there, here)
    return text


def github(text):
    """[(command, properties, message)] of the lines a runner acts on, old form included; the rest is shown."""
    found = []
    for line in re.split(r"\r\n|\r|\n", text):
        if line.lstrip().startswith("::") and "::" in line.lstrip()[2:]:
            info, _, message = line.lstrip()[2:].partition("::")
            name, _, rest = info.partition(" ")
            if name in COMMANDS:
                pairs = dict(p.split("=", 1) for p in rest.split(",") if "=" in p)
                found.append((name, {k: unescape(v, [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ",")]) for k, v in pairs.items()},
                              unescape(message, [("%0D", "\r"), ("%0A", "\n")])))
                continue
        assert "##[" not in line, line
    return found


def markdown_rows(text):
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith(("| ---", "| status"))]
    cells = [[c.strip() for c in row[1:-1].split("|")] for row in rows]
    for row, raw in zip(cells, rows):
        assert len(row) == 4 and not re.search(r"[<>`\[\]*_@\\~]|://|www\.", re.sub(r"&#\d+;", "", raw)), raw
    return {html.unescape(r[1]): (r[0], html.unescape(r[3])) for r in cells}


def code_quality(out):
    found = json.loads(out)
    for f in found:
        assert isinstance(f["description"], str) and f["description"] and isinstance(f["check_name"], str)
        assert re.fullmatch(r"[0-9a-f]{64}", f["fingerprint"]) and f["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert not f["location"]["path"].startswith(("/", "./")) and f["location"]["lines"]["begin"] >= 1
    assert len({f["fingerprint"] for f in found}) == len(found)
    return {f["check_name"]: f for f in found}


SAMPLE = re.compile(r'[a-z_:][a-z0-9_:]*(\{([a-z_]+="([^"\\\n]|\\[\\"n])*"(,(?!\}))?)*\})? (-?[0-9.]+(e[+-]?[0-9]+)?|NaN)')


def prometheus(out):
    """{metric: {labels: value}}; each line also by the strict grammar, and no family or series twice."""
    assert out.endswith("\n")
    for line in out[:-1].split("\n"):
        assert re.fullmatch(r"# (HELP [a-z_]+ .*|TYPE [a-z_]+ gauge)", line) or SAMPLE.fullmatch(line), line
    families = {}
    for family in text_string_to_metric_families(out):
        assert family.name not in families and family.documentation
        series = {tuple(sorted(s.labels.items())): s.value for s in family.samples}
        assert len(series) == len(family.samples)
        families[family.name] = series
    return families


def by_name(series):
    return {dict(labels)["name"]: v for labels, v in series.items()}


# ---- hostile names, in each of them

@pytest.fixture
def hostile(sluice):
    """(run one form, what is true) of one account: alarms of hostile names, and configured checks of others."""
    text = "".join(f'[check "{n}"]\nmetric = A/B{{n={i}}}:Average\nwarning = 5\ncritical = {c}\n'
                   for i, (n, c) in enumerate([("it's a=b|c :: %0A <&>", "1e3"), ("x' y='2", "~:7"), ("b\\n${x}", "0.5e-6:10")]))
    with FakeAws(answers=Alarms(HOSTILE)) as aws:
        def run(form, *options, **env):
            return check(sluice, aws, form, *options, **env)

        alarms = run("json", "--alarms").json["checks"]
        path = sluice.config(text)
        yield run, alarms, ["--config", path]


def test_hostile_names_are_whole_in_json(hostile):
    _, alarms, _ = hostile
    assert {c["name"] for c in alarms} == {f"alarms/{n}" for n in HOSTILE}


def test_hostile_text(hostile):
    run, alarms, _ = hostile
    ran = run("text", "--alarms")
    lines = ran.out.splitlines()
    assert len(lines) == len(alarms) + 2 and all(len(line) <= 80 for line in lines)
    assert lines[-1] == "0 metrics billed, $0.0000"
    more = run("text", "--alarms", "-vv").out
    assert all(len(line) <= 80 for line in more.splitlines()) and plain(more)
    joined = "".join(line[4:] for line in more.splitlines() if line.startswith("    "))
    for n in HOSTILE:
        assert visible(f"alarms/{n}") in joined


def test_hostile_nagios(hostile):
    run, alarms, configured = hostile
    ran = run("nagios", "--alarms", "-v", "-t", "60")
    first, more, data = nagios(ran.out)
    assert first.startswith(f"SLUICE CRITICAL: {sum(c['status'] == 'CRITICAL' for c in alarms)} critical") and ran.status == 2
    assert data == {}, "an alarm that was read has no number"
    for c in alarms:  # each has its line, worst first, the bar written otherwise
        start = visible(c["name"]).replace("|", "<U+007C>")[:120]
        assert any(line.startswith(f"{c['status']}: {start}") for line in more), (start, more)
    ran = run("nagios", *configured)
    first, more, data = nagios(ran.out)
    assert ran.status == 2 and data == {
        "it's a<U+003D>b<U+007C>c :: %0A <&>": {"label": quoted("it's a<U+003D>b<U+007C>c :: %0A <&>"), "value": "7.5", "uom": None,
                                                "warn": "5", "crit": "1000", "min": None, "max": None},
        "x' y<U+003D>'2": {"label": quoted("x' y<U+003D>'2"), "value": "7.5", "uom": None, "warn": "5", "crit": "~:7", "min": None, "max": None},
        "b\\n${x}": {"label": "'b\\n${x}'", "value": "7.5", "uom": None, "warn": "5", "crit": "0.0000005:10", "min": None, "max": None}}


def quoted(label):
    return "'" + label.replace("'", "''") + "'"


def test_hostile_junit(hostile):
    run, alarms, _ = hostile
    found = junit(run("junit", "--alarms").out)
    assert set(found) == {visible(c["name"]) for c in alarms}
    outcome = {"CRITICAL": "failure", "WARNING": "system-out", "OK": "ok"}
    for c in alarms:
        got = found[visible(c["name"])]
        assert got[0] == outcome[c["status"]]
        assert got[0] == "ok" or visible(c["reason"]) in got[1]


def test_hostile_github(hostile, tmp_path):
    run, alarms, _ = hostile
    summary = tmp_path / "summary.md"
    summary.write_text("what an earlier command of the step wrote")
    ran = run("github", "--alarms", GITHUB_STEP_SUMMARY=str(summary))
    commands, trouble = github(ran.out), [c for c in alarms if c["status"] != "OK"]
    assert len(commands) == 10 and {name for name, _, _ in commands} == {"error"} and github(ran.err) == []
    for c, (_, properties, message) in zip(trouble, commands[:9]):
        broken = visible(c["name"]).replace("##[", "##<U+005B>")
        assert properties == {"title": broken} and message.startswith(f"CRITICAL {broken}: in ALARM: ")
    assert commands[9] == ("error", {"title": "sluice"}, f"and {len(trouble) - 9} more, see the summary of this step")
    text = summary.read_text()
    assert text.startswith("what an earlier command of the step wrote\n") and plain(text)
    rows = markdown_rows(text)
    assert {n: s for n, (s, _) in rows.items()} == {visible(c["name"]): c["status"] for c in alarms}
    for c in alarms:
        assert rows[visible(c["name"])][1] == visible(c["reason"])
    again = run("github", "--alarms", GITHUB_STEP_SUMMARY=str(summary))
    assert again.out == ran.out and summary.read_text().startswith(text)


@pytest.mark.parametrize("first", range(0, len(HOSTILE), 9))
def test_each_hostile_name_in_an_annotation(sluice, first):
    names = HOSTILE[first:first + 9]
    with FakeAws(answers=Alarms(names, ["ALARM"])) as aws:
        commands = github(check(sluice, aws, "github", "--alarms").out)
    shown = [visible(f"alarms/{n}").replace("##[", "##<U+005B>") for n in names]
    assert [(c, p) for c, p, _ in commands] == [("error", {"title": n}) for n in shown]
    for n, (_, _, message) in zip(shown, commands):
        assert message == f"CRITICAL {n}: in ALARM: why {n.removeprefix('alarms/')}"


def test_hostile_gitlab(hostile, sluice):
    run, alarms, _ = hostile
    ran = run("gitlab", "--alarms")
    found = code_quality(ran.out)
    assert {n: f["severity"] for n, f in found.items()} == {c["name"]: {"CRITICAL": "critical", "WARNING": "minor"}[c["status"]]
                                                            for c in alarms if c["status"] != "OK"}
    assert ran.err == "sluice: note: cost: 0 metrics billed, $0.0000\n"
    assert code_quality(run("gitlab", "--alarms").out) == found, "the fingerprint of a finding stays"
    xml, quality = sluice.home / "junit.xml", sluice.home / "quality.json"
    both = run("gitlab", "--alarms", "--out", str(xml), "--out", str(quality))  # one poll, both reports
    assert both.status == 2 and both.out == "" and code_quality(quality.read_text()) == found
    assert set(junit(xml.read_text())) == {visible(c["name"]) for c in alarms}


def test_hostile_prom(hostile, sluice):
    run, alarms, configured = hostile
    got = prometheus(run("prom", "--alarms").out)
    number = {"CRITICAL": 2, "WARNING": 1, "OK": 0}
    assert by_name(got["sluice_check_status"]) == {visible(c["name"]): number[c["status"]] for c in alarms}
    assert got["sluice_check_value"] == {} and got["sluice_check_exit"] == {(): 2}
    out = sluice.home / "sluice.prom"
    ran = run("prom", *configured, "--out", str(out))
    got = prometheus(out.read_text())
    assert ran.status == 2 and ran.out == "" and set(by_name(got["sluice_check_value"]).values()) == {7.5}
    assert set(by_name(got["sluice_check_status"])) == {"it's a=b|c :: %0A <&>", "x' y='2", "b\\n${x}"}
    assert got["sluice_check_metrics_billed"] == {(): 3} and abs(got["sluice_check_cost_usd"][()] - 3e-5) < 1e-12
    assert 1.7e9 < got["sluice_check_completed_seconds"][()] < 4e9
    assert stat.S_IMODE(out.stat().st_mode) == 0o644, "the collector is another user"


def test_a_check_that_is_there_twice_is_two_series(sluice):
    with FakeAws(answers=Alarms([])) as aws:
        ran = check(sluice, aws, "prom", "-c", "5", "--metric", "A/B:Sum", "--metric", "A/B:Sum", "-c", "9")
    got = prometheus(ran.out)["sluice_check_status"]
    assert sorted((dict(k).get("again"), v) for k, v in got.items() if dict(k).get("again")) == [("2", 0)] and len(got) == 2


# ---- limits

def test_many_troubles_stay_within_the_limits(sluice, tmp_path):
    """A step's ten annotations and its MiB of summary, and the 8 KiB that a Nagios server reads."""
    names = [f"{i:04}-" + "&|\u4f60" * 60 for i in range(1500)]
    summary = tmp_path / "summary.md"
    with FakeAws(answers=Alarms(names, ["ALARM"])) as aws:
        ran = check(sluice, aws, "github", "--alarms", GITHUB_STEP_SUMMARY=str(summary))
        first = summary.stat().st_size
        again = check(sluice, aws, "github", "--alarms", GITHUB_STEP_SUMMARY=str(summary))
        text = check(sluice, aws, "nagios", "--alarms", "-t60").out
        options = [x for i in range(400) for x in ("--metric", f"Orders/Made{{Stage=number-{i:04}}}:Average")]
        many = check(sluice, aws, "nagios", "-c", "5", *options, "-t60")
    assert len(github(ran.out)) == 10 and "and 1491 more" in ran.out
    assert 900_000 < first <= 1_000_000 and summary.stat().st_size == first, "what does not fit any more is not begun"
    shown = markdown_rows(summary.read_text())
    assert f"and {1500 - len(shown)} more, for which a summary has no room" in summary.read_text()
    assert "note: GITHUB_STEP_SUMMARY: it is full" in again.err and again.out == ran.out and again.status == ran.status == 2
    _, more, _ = nagios(text)
    assert f"and {1500 - sum(line.startswith('CRITICAL: ') for line in more)} more" in more
    first, more, data = nagios(many.out)
    assert first.startswith("SLUICE CRITICAL: 400 critical") and 50 < len(data) < 400
    assert f"performance data of {400 - len(data)} more checks did not fit into 8 KiB" in more


def test_a_summary_that_cannot_be_written_changes_no_verdict(sluice):
    with FakeAws(answers=Alarms(["a"], ["OK"])) as aws:
        ran = check(sluice, aws, "github", "--alarms", GITHUB_STEP_SUMMARY=str(sluice.home / "no" / "folder"))
    assert ran.status == 0 and "note: GITHUB_STEP_SUMMARY: No such file" in ran.err, str(ran)


# ---- what every form does

def troubles(form, out):
    """The statuses a reader of this form alone would see."""
    if form == "nagios":
        return {nagios(out)[0].split()[1].rstrip(":")}
    if form == "junit":
        return {{"failure": "CRITICAL", "error": "UNKNOWN", "system-out": "WARNING", "ok": "OK", "skipped": "OK"}[o] for o, _ in junit(out).values()}
    if form == "github":
        return {m.split()[0] for _, _, m in github(out)} or {"OK"}
    if form == "gitlab":
        return {{"critical": "CRITICAL", "major": "UNKNOWN", "minor": "WARNING"}[f["severity"]] for f in code_quality(out).values()} or {"OK"}
    if form == "prom":
        return {{0: "OK", -1: "OK", 1: "WARNING", 2: "CRITICAL", 3: "UNKNOWN"}[v] for v in prometheus(out)["sluice_check_status"].values()}
    return {json.loads(out)["status"]} if form == "json" else {re.findall(r"^([A-Z]+): ", out, re.M)[-1]}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("state,status,word", [("OK", 0, "OK"), ("INSUFFICIENT_DATA", 1, "WARNING"), ("ALARM", 2, "CRITICAL")])
def test_each_form_tells_the_verdict(sluice, form, state, status, word):
    with FakeAws(answers=Alarms(["a"], [state])) as aws:
        ran = check(sluice, aws, form, "--alarms")
    assert ran.status == status and troubles(form, ran.out) == {word}, str(ran)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("fault", [fakeaws.denied, fakeaws.throttled, fakeaws.unknown_key, fakeaws.html200], ids=lambda f: f.__name__)
def test_no_form_shows_the_unknown_as_fine(sluice, form, fault):
    with FakeAws({"*": fault}) as aws:
        ran = check(sluice, aws, form)
    assert ran.status == 3 and troubles(form, ran.out) == {"UNKNOWN"}, str(ran)


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_to_judge_is_unknown(sluice, form):
    """No case, no finding and no series would read as success."""
    with FakeAws(answers=Alarms(["a"], ["OK"])) as aws:
        ran = check(sluice, aws, form, "--alarms", "--select", "no-such-thing")
    assert ran.status == 3 and troubles(form, ran.out) == {"UNKNOWN"}, str(ran)


@pytest.mark.parametrize("form", FORMATS)
def test_a_run_that_judged_nothing_is_unknown(sluice, form):
    """It failed as a whole: there is no check whose row could say so."""
    with FakeAws() as aws:
        dear = check(sluice, aws, form, "--metric", "A/B:Sum", "--max-cost", "0")
    keyless = sluice("--check", "--format", form, env={"AWS_REGION": "eu-west-1"})
    for ran, why in [(dear, "nothing was polled"), (keyless, "AWS_ACCESS_KEY_ID")]:
        assert ran.status == 3 and troubles(form, ran.out) == {"UNKNOWN"} and why in ran.err, str(ran)


@pytest.mark.parametrize("form", FORMATS)
def test_a_value_that_is_not_known(sluice, form):
    class Silent(fakeaws.Answers):
        def get_metric_data(self, body):
            return {"MetricDataResults": [{"Id": q["Id"], "Timestamps": [], "Values": [], "StatusCode": "Complete"}
                                          for q in body["MetricDataQueries"]]}

    with FakeAws(answers=Silent()) as aws:
        ran = check(sluice, aws, form, "--metric", "A/B:Sum", "-w", "5", "-c", "10:20")
    assert ran.status == 3 and troubles(form, ran.out) == {"UNKNOWN"} and "NO_DATA" in ran.out + ran.err, str(ran)
    if form == "nagios":
        assert nagios(ran.out)[2]["A/B:Sum"] | {"label": ""} == {"label": "", "value": "U", "uom": None, "warn": "5", "crit": "10:20",
                                                                 "min": None, "max": None}
    if form == "prom":
        assert prometheus(ran.out)["sluice_check_value"] == {}


def test_an_old_value_is_not_the_value(sluice):
    class Old(Alarms):
        def get_metric_data(self, body):
            answer = super().get_metric_data(body)
            for r in answer["MetricDataResults"]:
                r["Timestamps"], r["Values"] = [t - 660 for t in r["Timestamps"][:3]], r["Values"][:3]
            return answer

    with FakeAws(answers=Old([])) as aws:
        stale = check(sluice, aws, "json", "--metric", "A/B:Sum").json["checks"][0]
        prom = prometheus(check(sluice, aws, "prom", "--metric", "A/B:Sum").out)
        datum = nagios(check(sluice, aws, "nagios", "--metric", "A/B:Sum").out)[2]["A/B:Sum"]
    assert (stale["code"], stale["value"]) == ("STALE", 7.5)
    assert prom["sluice_check_value"] == {} and list(prom["sluice_check_status"].values()) == [3] and datum["value"] == "U"
    assert min(prom["sluice_check_age_seconds"].values()) >= 660


@pytest.mark.parametrize("form", FORMATS)
def test_it_says_what_it_cost(sluice, form):
    with FakeAws(answers=Alarms([])) as aws:
        ran = check(sluice, aws, form, *[x for i in range(42) for x in ("--metric", f"A/B{{n={i}}}:Sum")], "-t60")
    if form == "json":
        assert ran.json["cost"] == {"metrics": 42, "usd": 0.00042}
    elif form == "prom":
        assert prometheus(ran.out)["sluice_check_metrics_billed"] == {(): 42}
    else:
        assert "42 metrics billed, $0.0004" in ran.out + ran.err, str(ran)


@pytest.mark.parametrize("form", [f for f in FORMATS if f != "prom"])
def test_it_says_that_these_are_its_defaults(sluice, form):
    with FakeAws() as aws:
        ran = check(sluice, aws, form)
        named = check(sluice, aws, form, "--alarms")
    word = '"defaults":true' if form == "json" else "own defaults"
    assert (word in ran.out) == (form != "gitlab") and word not in named.out, str(ran)
    assert form != "gitlab" or "own defaults" in ran.err


# ---- nagios as a plugin

def test_help_of_a_plugin_is_no_success(sluice):
    for options in (["--check", "--format", "nagios", "--help"], ["--check", "--help", "--format=nagios"], ["-h", "--check", "--format", "nagios"]):
        ran = sluice(*options)
        assert ran.status == 3 and "--dlq-max" in ran.out and ran.err == "", str(ran)
    for form in FORMATS:
        assert form == "nagios" or sluice("--check", "--format", form, "--help").status == 0


@pytest.mark.parametrize("words", ["--nonsense", "--dlq-max x", "--config /nonexistent/|x", "--metric 'a|b'"])
def test_a_plugin_answers_whatever_is_wrong_with_its_command_line(sluice, words):
    ran = sluice("--check", "--format", "nagios", *words.split(), env={"AWS_REGION": "eu-west-1"})
    first, more, data = nagios(ran.out)
    assert ran.status == 3 and first.startswith("SLUICE UNKNOWN: ") and more == [] and data == {} and ran.err.count("\n") == 1, str(ran)


def test_a_plugin_gives_up_after_ten_seconds(sluice):
    with FakeAws({"cloudwatch:DescribeAlarms": fakeaws.silent}) as aws:
        started = os.times().elapsed
        ran = sluice("--check", "--alarms", "--format", "nagios", env=aws.env())
        took = os.times().elapsed - started
    assert ran.status == 3 and nagios(ran.out)[0].startswith("SLUICE UNKNOWN: 1 unknown") and "TIMEOUT" in ran.out, str(ran)
    assert 9 < took < 20, took


def test_the_exit_status_names_the_state(sluice):
    with FakeAws(answers=Alarms(["a"], ["INSUFFICIENT_DATA"])) as aws:
        fine = check(sluice, aws, "nagios", "--alarms", "--warn-is-ok")
        real = check(sluice, aws, "nagios", "--alarms")
    assert (fine.status, nagios(fine.out)[0].split(";")[0]) == (0, "SLUICE OK: 1 warning")
    assert (real.status, nagios(real.out)[0].split(";")[0]) == (1, "SLUICE WARNING: 1 warning")


def test_the_first_data_stands_on_the_first_line_where_it_fits(sluice):
    with FakeAws(answers=Alarms([])) as aws:
        ran = check(sluice, aws, "nagios", "--metric", "Orders/Errors:Sum", "-w", "9", "-c", "20")
    assert ran.out.splitlines()[0] == "SLUICE OK: 1 ok | 'Orders/Errors:Sum'=7.5;9;20", ran.out
