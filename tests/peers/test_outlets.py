"""Text from outside on every way out that is not the screen: status, history, --check and doctor in every format, standard
error, the log and the file of --out. The text is hostile in every field an answer has, in arguments, in the environment and
in the configuration; what comes out holds nothing that could move a cursor, hide a letter or begin another row, and still
tells exactly what went in."""

import csv
import io
import itertools
import json
import os
import re
import unicodedata

import fakeaws
import pytest
from fakeaws import FakeAws
from program import LONG

ESC, CSI, ST, BEL = "\x1b", "\x9b", "\x1b\\", "\x07"

# Sequences that change titles, clipboards, modes, regions or make a terminal answer; whole, cut and 8-bit.
PIECES = [f"{ESC}[2J", f"{ESC}[H", f"{ESC}[31m", f"{ESC}[?25l", f"{ESC}[?1049h", f"{ESC}[6n", f"{ESC}[c", f"{ESC}[>c", f"{ESC}[21t",
          f"{ESC}[4;20r", f"{ESC}[3J", f"{ESC}[?2004h", f"{ESC}[?1000h", f"{ESC}[20h", f"{ESC}[!p", f"{ESC}[5i", f"{ESC}[4i",
          f"{ESC}]0;owned{BEL}", f"{ESC}]2;owned{ST}", f"{ESC}]8;;http://x{ST}x", f"{ESC}]52;c;bHMK{BEL}", f"{ESC}]133;A{ST}",
          f"{ESC}]1337;File=:eA=={BEL}", f"{ESC}]4;1;?{BEL}", f"{ESC}]10;?{BEL}", f"{ESC}P$q\"p{ST}", f"{ESC}P1;1|{ST}",
          f"{ESC}Xsos{ST}", f"{ESC}^pm{ST}", f"{ESC}_apc{ST}", f"{ESC}c", f"{ESC}7", f"{ESC}8", f"{ESC}D", f"{ESC}M", f"{ESC}#8",
          f"{ESC}(0", f"{ESC}%G", f"{ESC}=", f"{ESC}N", f"{ESC}O", f"{ESC}", f"{ESC}[", f"{ESC}]", f"{ESC}P", f"{ESC}]0;",
          f"{CSI}2J", f"{CSI}6n", "\x9d0;x\x9c", "\x90x\x9c", "\x98x\x9c", "\x9ex\x9c", "\x9fx\x9c", "\x84", "\x85", "\x8d", "\x8e"]
UNSEEN = ["\u202e", "\u202a", "\u202b", "\u202c", "\u202d", "\u2066", "\u2067", "\u2068", "\u2069", "\u061c", "\u200e", "\u200f",
          "\u2028", "\u2029", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u115f", "\u3164", "\U000e0001", "\U000e0041",
          "\ufdd0", "\uffff", "\U0001ffff", "\ufff9", "\u180e", "\ue000", "\u0378", "\u2800"]
MARKS = ["<U+001B>", "<0xFF>", "<U+", "<0x", "<", "<U+003C>", "=1+1", "+1", "-1", "@x", "\"", "'", ",", "\\", "a,b\"c", "%s%n", "$(id)", "`id`"]
BYTES = [chr(b) for b in range(256)]
SEQUENCES = [*PIECES, *(f"{a}{p}{z}" for p in PIECES[:17] for a, z in (("a", ""), ("", "b"))), *UNSEEN, *MARKS, *BYTES,
             *("a" + b for b in BYTES)]
SEQUENCES = [s for s in dict.fromkeys(SEQUENCES) if "\x00" not in s]  # NUL: see test_nul_is_no_text
NAMES = [s for s in SEQUENCES if s]


def leaks(text, extra=""):
    """Characters that no outlet may hold, by Python's own character database."""
    return [f"U+{ord(c):04X}" for c in text
            if c not in "\n" + extra and (unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") or c in "\u115f\u3164\u2800")]


def check_leaks(ran, extra=""):
    found = leaks(ran.out, extra) + leaks(ran.err)
    assert not found, f"{len(found)} leaks: {found[:10]}\n{ran}"


def unescape(text):
    """What the filter's marks stand for."""
    return re.sub(r"<U\+([0-9A-F]{4,6})>", lambda m: chr(int(m[1], 16)), text)


class Hostile(fakeaws.Answers):
    """One alarm, one queue and one function for each sequence, hostile in every field."""

    def describe_alarms(self, body):
        one = super().describe_alarms(body)["MetricAlarms"][0]
        return {"MetricAlarms": [
            {**one, "AlarmName": f"{i}:{s}", "AlarmArn": fakeaws.arn("cloudwatch", f"alarm:{s}"), "AlarmDescription": s, "StateReason": s,
             "StateValue": "ALARM" if i % 2 else "OK", "MetricName": s or "x", "Namespace": f"N{s}",
             "Dimensions": [{"Name": f"d{s}", "Value": s}]} for i, s in enumerate(SEQUENCES)], "CompositeAlarms": []}

    def list_functions(self, body):
        one = super().list_functions(body)["Functions"][0]
        return {"Functions": [{**one, "FunctionName": s, "FunctionArn": fakeaws.arn("lambda", f"function:{s}"), "Description": s,
                               "Runtime": s} for s in NAMES[:200]]}

    def list_queues(self, body):
        return {"QueueUrls": [f"https://sqs.{fakeaws.REGION}.amazonaws.com/{fakeaws.ACCOUNT}/{s}" for s in NAMES if "/" not in s][:100]}

    def caller(self, body):
        return super().caller(body).replace("user/tester", "user/tester&#xAD;\u202e&#x9;\u009b")


@pytest.fixture(scope="module")
def hostile():
    with FakeAws(answers=Hostile()) as aws:
        yield aws


def test_nul_is_no_text(sluice):
    """A string cut at its NUL would be another string: the answer is refused, and that is not OK."""
    with FakeAws(answers=fakeaws.Answers(text=lambda s: s + "\x00x")) as aws:
        ran = sluice("--check", "--format", "json", env=aws.env())
        check_leaks(ran)
        assert ran.status == 3 and "BADREPLY" in {c["code"] for c in ran.json["checks"]}, str(ran)


def test_enough_sequences():
    assert len(SEQUENCES) > 600 and len(PIECES) + 34 + len(UNSEEN) + len(MARKS) > 130


def test_status_text(sluice, hostile):
    ran = sluice("status", env=hostile.env())
    check_leaks(ran, "\t")
    rows = [line.split("\t") for line in ran.out.split("\n")[:-1]]
    assert {(r[0], len(r)) for r in rows} <= {("target", 7), ("stage", 14), ("alarm", 7), ("cost", 6), ("problem", 5)}
    alarms = {unescape(r[1]): r for r in rows if r[0] == "alarm"}
    assert set(alarms) == {f"{i}:{s}" for i, s in enumerate(SEQUENCES)}
    assert {unescape(r[6]) for r in alarms.values()} == set(SEQUENCES)
    stages = {unescape(r[4]) for r in rows if r[0] == "stage" and r[3] == "lambda"}
    assert stages == set(NAMES[:200])


def test_status_json(sluice, hostile):
    ran = sluice("status", "--format", "json", env=hostile.env())
    check_leaks(ran)
    assert {a["name"] for a in ran.json["alarms"]} == {f"{i}:{s}" for i, s in enumerate(SEQUENCES)}
    assert {a["description"] for a in ran.json["alarms"]} == set(SEQUENCES)
    assert ran.out.count("\n") == 1


def test_check_text(sluice, hostile):
    for options in (["--alarms"], []):
        ran = sluice("--check", *options, env=hostile.env())
        check_leaks(ran)
        lines = ran.out.splitlines()
        assert ran.status == 2 and all(len(line) <= 80 for line in lines), str(ran)
        judged = [line for line in lines if re.match(r"(CRITICAL|UNKNOWN|WARNING|OK|SKIPPED) ", line)]
        assert len(judged) >= len(SEQUENCES) and len(lines) - len(judged) <= 3, f"{len(judged)} of {len(lines)} lines"


def test_check_json_and_its_file(sluice, hostile):
    ran = sluice("--check", "--alarms", "--format", "json", env=hostile.env())
    check_leaks(ran)
    assert {c["name"] for c in ran.json["checks"]} == {f"alarms/{i}:{s}" for i, s in enumerate(SEQUENCES)}
    file = sluice.home / "out.json"
    sluice("--check", "--alarms", "--format", "json", "--out", file, env=hostile.env())
    text = file.read_text()
    assert not leaks(text) and len(json.loads(text)["checks"]) == len(SEQUENCES)


def test_doctor(sluice, hostile):
    for options in ([], ["--format", "json"]):
        ran = sluice("doctor", *options, env=hostile.env(TERM="x\x1b[2Jy", LANG="\u202eC\x9b1m"))
        check_leaks(ran, "\t")
        assert "tester" in ran.out


def argument_able(s):
    return "\x00" not in s


def test_history(sluice, hostile):
    """The resource and the metric are hostile, and so are the metrics that a hint lists."""
    class Hints(Hostile):
        def get_metric_data(self, body):
            return {"MetricDataResults": [{"Id": q["Id"], "Timestamps": [], "Values": [], "StatusCode": "Complete", "Label": "\x1b[2J"}
                                          for q in body["MetricDataQueries"]], "Messages": [{"Code": "\x1b]0;x\x07", "Value": "\u202e"}]}

        def list_metrics(self, body):
            return {"Metrics": [{"Namespace": "N\x1b[2J", "MetricName": "\u202eM", "Dimensions": [{"Name": "\x9b", "Value": f"\x01{ESC}c"}]}]}

    metric = 'N/M{"d\x1b"="\u202e\x9b6n"}:Sum'
    for form in ("text", "csv", "json"):
        for target in (["-", metric], [NAMES[7], "invocations"], [NAMES[30], "errors"]):
            ran = sluice("history", *target, "--since", "5m", "--format", form, env=hostile.env())
            check_leaks(ran, "\t")
    with FakeAws(answers=Hints()) as aws:
        ran = sluice("history", "-", "N/M:Sum", "--since", "5m", "--format", "csv", env=aws.env())
        check_leaks(ran)
        assert "note: " in ran.err and "<U+" in ran.err, str(ran)
        assert all(len(r) == 2 for r in csv.reader(io.StringIO(ran.out)))


def batches():
    """About ten sequences to a message, so that some are cut where the message is."""
    said = [s for s in SEQUENCES if len(s) > 1 or s in UNSEEN or ord(s) < 32 or 0x7F <= ord(s) <= 0x9F]
    return [" ".join(said[i:i + 12]) for i in range(0, len(said), 12)]


OPERATIONS = ["cloudwatch:DescribeAlarms", "sqs:ListQueues", "lambda:ListFunctions", "kinesis:ListStreams"]


def test_errors(sluice):
    """AWS's own words about a failure: on standard error, in problem rows, in reasons and in doctor's findings."""
    messages = iter(itertools.cycle(batches()))
    for _ in range(len(batches()) // len(OPERATIONS) + 1):
        faults = {op: fakeaws.error(400, "Bad" + json.dumps(m)[1:5] + "Thing", json.dumps(m)[1:-1])
                  for op, m in zip(OPERATIONS, messages)}
        with FakeAws(faults) as aws:
            for args in (["status"], ["status", "--format", "json"], ["--check"], ["--check", "--format", "json"], ["doctor"]):
                ran = sluice(*args, env=aws.env())
                check_leaks(ran, "\t")
                assert 1 <= ran.err.count("\n") <= 3 and all(line.startswith("sluice: ") for line in ran.err.splitlines()), str(ran)
                assert ran.status in (1, 3), str(ran)
                if "json" in args:
                    json.loads(ran.out)


def test_request_ids_and_headers(sluice):
    """Header values cannot hold line ends, but everything else from 0x01 to 0xFF."""
    def fault(h, op):
        h.wfile.write(b"HTTP/1.1 400 \x1b[2J\r\nContent-Type: \x1b]0;x\x07\r\nx-amzn-RequestId: \x1b[31m\x9b\xff\x08\r\n"
                      b"x-amzn-ErrorType: Bad\x1b[2J\r\nx-amzn-query-error: \x1b]52;c;x\x07;Sender\r\nContent-Length: 2\r\n\r\n{}")
        h.wfile.flush()
    with FakeAws({"*": fault}) as aws:
        for args in (["status"], ["status", "--format", "json"], ["--check"], ["--check", "--format", "json"], ["doctor"]):
            ran = sluice(*args, env=aws.env())
            check_leaks(ran, "\t")
            assert ran.status in (1, 3), str(ran)


def test_arguments(sluice):
    """What the user (or a script) typed comes back in the line that refuses it."""
    chosen = [s for s in PIECES + UNSEEN + MARKS if argument_able(s)]
    step = 1 if LONG else 6
    for s in chosen[::step]:
        for args in ([s], ["--" + s], ["-" + s], ["status", "--format", s], ["--demo=" + s], ["history", "-", s], ["help", s],
                     ["--check", "--no-data", s], ["status", "--config", "/nonexistent/" + s], ["--log", s, "status"]):
            ran = sluice(*args, env={"AWS_REGION": "eu-west-1"})
            check_leaks(ran)
            assert ran.status in (1, 2, 3) or s.startswith(("-", "'", "h")) or not s, str(ran)
            assert ran.err.count("\n") == 1, str(ran)


def test_environment(sluice):
    """Each variable with each text; in the short run one command each, but every command with every variable and every text."""
    commands = (["status"], ["--check", "--format", "json"], ["doctor"])
    for i, s in enumerate((f"{ESC}[2J\u202e", f"{CSI}6n", "a\tb\nc", os.fsdecode(b"\xff\xfe"))):
        for j, variable in enumerate(("AWS_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "AWS_ACCESS_KEY_ID", "AWS_CONFIG_FILE",
                                      "AWS_SHARED_CREDENTIALS_FILE", "SLUICE_NOW", "TERM", "XDG_CACHE_HOME")):
            env = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "eu-west-1",
                   "AWS_ENDPOINT_URL": "http://127.0.0.1:9", variable: s}
            for args in commands if LONG else [commands[(i + j) % 3]]:
                ran = sluice(*args, env=env)
                check_leaks(ran, "\t")
                assert ran.status in (0, 1, 2, 3), str(ran)


CONFIGS = ['[{0}]\n', '[sluice]\n{0} = 1\n', '[sluice]\nretention = {0}\n', '[target "{0}"]\nregion = {0}\n', '[pipeline "{0}"]\ntarget = {0}\n',
           '[pipeline "p"]\n[stage "p/{0}"]\nresource = sqs:{0}\n', '[check "{0}"]\nmetric = N/M{{d={0}}}:Sum\ncritical = 5\n', '{0}\n']


@pytest.mark.parametrize("text", CONFIGS, ids=range(len(CONFIGS)))
def test_configuration(sluice, text):
    with FakeAws() as aws:
        for s in (f"x{ESC}[2J", "\u202ex", f"x{CSI}6n", "x\x08y", "x\x00y"):
            path = sluice.config(text.format(s))
            for args in (["status"], ["--check"], ["--check", "--format", "json"], ["doctor"]):
                check_leaks(sluice("--config", path, *args, env=aws.env()), "\t")


def test_log(sluice, hostile):
    for args in (["status"], ["--check"], ["history", NAMES[7], "invocations"], ["doctor"]):
        sluice("--log", "debug", *args, env=hostile.env())
    with FakeAws({op: fakeaws.error(400, "Bad", json.dumps(m)[1:-1]) for op, m in zip(OPERATIONS, batches())}) as aws:
        sluice("--log", "debug", "status", env=aws.env())
    text = (sluice.home / ".local/state/sluice/sluice.log").read_bytes().decode("utf-8", "strict")
    assert text.count("\n") > 20 and not leaks(text), leaks(text)[:10]
