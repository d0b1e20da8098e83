"""Reliability line B8: answers without measure. Each is refused at a stated cap, in less than a second and 64 MiB of memory, which is
measured on the build without a sanitizer (SLUICE_PLAIN, or build/sluice) where there is one.

The caps: an answer's bytes (cap of each struct op), values of a document (JSON_VALUES), nesting (SCAN_DEPTH), points of an answer (the
service's own limit), a token's length, pages and bytes of one call (call.h)."""

import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import time

import fakeaws
import pytest
from fakeaws import FakeAws
from program import ROOT, SLOWER, Sluice, clean_env, plain

N = 1_000_000
MOST_MIB, MOST_SECONDS = 64, 1.0


def plain_binary():
    path = pathlib.Path(os.environ.get("SLUICE_PLAIN") or ROOT / "build" / "sluice")
    return path if path.exists() else None


# Its child's peak would count this process's own memory too, as it was forked from it: so a small one starts it.
LAUNCH = """import json, resource, subprocess, sys, time
begun = time.monotonic()
p = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
print(json.dumps([p.returncode, p.stdout.decode(errors="replace"), p.stderr.decode(errors="replace"), time.monotonic() - begun,
                  resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024]))"""


def measured(binary, home, env, *args):
    home.mkdir(parents=True)
    p = subprocess.run([sys.executable, "-S", "-c", LAUNCH, binary, *args], env=clean_env(home, env), capture_output=True, text=True, timeout=120 * SLOWER)
    return json.loads(p.stdout)


def joined(item, n, before, after):
    return before + b",".join([item] * n) + after


def keys(n):
    return b"{" + b",".join(b'"k%d":0' % i for i in range(n)) + b"}"


LISTS = {"sqs:ListQueues": b"QueueUrls", "kinesis:ListStreams": b"StreamNames", "lambda:ListFunctions": b"Functions",
         "lambda:ListEventSourceMappings": b"EventSourceMappings", "cloudwatch:DescribeAlarms": b"MetricAlarms",
         "cloudwatch:GetMetricData": b"MetricDataResults"}

CAP, VALUES, DEPTH = "larger than its cap", "more than 100000 values", "nested too deeply"


def bodies(name):
    """What a hostile answer may be, and any of the words that its refusal is to have."""
    head = b'{"' + name + b'":['
    return {
        "nesting of 10^6": (head + b"[" * N, (CAP, DEPTH, "a result was expected")),
        "objects nested 10^6 deep": (b'{"a":' * N, (CAP, DEPTH)),
        "a string of 64 MiB": (head + b'"' + b"x" * (64 << 20) + b'"]}', (CAP,)),
        "10^6 keys": (keys(N), (CAP, VALUES)),
        "10^6 items": (joined(b'"a/b"', N, head, b"]}"), (CAP, VALUES, "at byte")),
        "10^6 empty objects": (joined(b"{}", N, head, b"]}"), (CAP, VALUES, "a ")),
        "10^6 numbers in a member nobody reads": (joined(b"0", N, b'{"x":[', b"]}"), (CAP, VALUES)),
        "64 MiB of blanks": (b" " * (64 << 20), (CAP,)),
        "an endless number": (head + b"1" * (64 << 20), (CAP,)),
    }


# GetMetricData's reader makes no tree, so that what it does not read costs nothing: these it may take, as nothing said
READ_THROUGH = {"10^6 keys", "10^6 numbers in a member nobody reads", "10^6 empty objects"}
XML = {"a text of 64 MiB": "<a>" + "x" * (64 << 20) + "</a>", "elements nested 10^6 deep": "<a>" * N, "10^6 elements": "<a>" + "<b/>" * N + "</a>",
       "10^6 attributes": "<a " + " ".join(f"b{i}='1'" for i in range(N)) + "/>", "a name of 8 MiB": f"<{'n' * (8 << 20)}/>"}


def cases():
    for op, name in LISTS.items():
        for what, (body, words) in bodies(name).items():
            yield op, what, body, words, op == "cloudwatch:GetMetricData" and what in READ_THROUGH
    for what, text in XML.items():
        yield "sts:GetCallerIdentity", what, text.encode(), (CAP, "line "), False


def judge(home, op, what, body, words, may_pass):
    """(was it asked, what was wrong or None) of the program that `make faults` built, under its sanitizer."""
    with FakeAws({op: fakeaws.body200(body)}) as aws:
        ran = Sluice(home)("status", "--format", "json", env=aws.env())
        asked = bool(aws.calls.get(op))
    refused = op in ran.err and any(w in ran.err for w in words) and (ran.status == 1 or op.startswith("sts"))
    right = (refused or may_pass) and ran.status in (0, 1) and plain(ran.err) and ran.err.count("\n") <= 1
    return asked, None if right else f"{op}, {what}: {ran.err} {ran}"[:1500]


def test_sizes(figure, tmp_path):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        judged = list(pool.map(lambda k: judge(tmp_path / f"{k[0]}", *k[1]), enumerate(cases())))
    wrong = [problem for _, problem in judged if problem]
    figure("B8", "answers without measure: refused at the stated cap", attempted=len(judged), passed=len(judged) - len(wrong),
           reached=sum(asked for asked, _ in judged), note="64 MiB, 10^6 keys, items, values, levels; each in six operations, and their like in XML")
    assert not wrong, f"{len(wrong)} of {len(judged)}:\n" + "\n".join(wrong[:4])


def test_sizes_cost_little(figure, tmp_path):
    """The same through the plain build, for time and memory."""
    what, binary, begun = "the same, cost: < 64 MiB and < 1 s", plain_binary(), list(cases())
    if not binary:
        why = "no build without a sanitizer here (make, or SLUICE_PLAIN)"
        figure("B8", what, attempted=len(begun), skipped=len(begun), why=why)
        pytest.skip(why)
    costs = []
    for i, (op, name, body, *_) in enumerate(begun):
        with FakeAws({op: fakeaws.body200(body)}) as aws:
            *_, took, mib = measured(binary, tmp_path / f"{i}", aws.env(), "status", "--format", "json")
            costs.append((took, mib, bool(aws.calls.get(op)), f"{op}, {name}"))
    dear = [c for c in costs if c[0] >= MOST_SECONDS or c[1] >= MOST_MIB]
    figure("B8", what, attempted=len(costs), passed=len(costs) - len(dear), reached=sum(c[2] for c in costs),
           note=f"peak RSS {max(c[1] for c in costs):.0f} MiB, slowest {max(c[0] for c in costs):.2f} s, plain build")
    assert not dear, dear


class Endless(fakeaws.Answers):
    """Each page with a token of its own, for ever."""

    def __init__(self):
        super().__init__()
        self.pages = 0

    def list_queues(self, body):
        self.pages += 1
        return {**super().list_queues(body), "NextToken": f"token-{self.pages}"}


def test_pages(figure, tmp_path):
    """A NextToken that never ends: 10^5 pages are never asked for. The call stops at its page limit with one plain line; at the
    service's own rate of 50 a second that takes 20 s, in which everything else goes on."""
    answers, binary = Endless(), plain_binary()
    begun = time.monotonic()
    with FakeAws(answers=answers) as aws:
        if binary:
            status, out, err, took, mib = measured(binary, tmp_path / "home", aws.env(), "status", "--format", "json")
        else:
            ran = Sluice(tmp_path / "home")("status", "--format", "json", env=aws.env())
            status, out, err, took, mib = ran.status, ran.out, ran.err, time.monotonic() - begun, 0
    others = {s["kind"] for p in json.loads(out)["pipelines"] for s in p["stages"]}
    right = status == 1 and "sqs:ListQueues: more than 1000 pages" in err and err.count("\n") == 1 and answers.pages == 1000
    right = right and {"kinesis", "lambda"} <= others and mib < MOST_MIB
    figure("B8", "a list of 10^5 pages: stops at its limit", attempted=1, passed=int(right), reached=int(answers.pages >= 1000),
           note=f"{answers.pages} pages in {took:.0f} s at 50 a second, peak RSS {mib:.0f} MiB{'' if binary else ' (not measured: no plain build)'}")
    assert right, (status, err, answers.pages, mib, out[:500])
