"""Reliability line E: how services behave on a bad day."""

import concurrent.futures

import fakeaws
from console import Console
from fakeaws import FakeAws
from program import Sluice


COMMANDS = {"status": ["status", "--format", "json"], "check": ["--check", "--format", "json"], "doctor": ["doctor"],
            "history": ["history", "enrich", "errors"]}  # of nothing: history asks ListMetrics for a hint then


def wrong(command, op, ran):
    """What is wrong with a command that was denied one operation which it asked for."""
    said = ran.err + ran.out
    if fakeaws.OPERATIONS[op] not in said and not (command in ("check", "history") and ran.status == 0 and op.startswith("sts:")):
        needless = command == "history" and ran.status == 0 and op.split(":")[0] in ("sqs", "kinesis")
        return None if needless else "the action is not named"
    if command == "doctor":
        allowed = sum(line.startswith("ok\tpermission") for line in ran.out.splitlines())
        need = {"sqs:ListQueues": 1, "kinesis:ListStreams": 1}.get(op, 0)  # what can be asked only of what was listed
        return None if ran.status == 1 and allowed == len(fakeaws.OPERATIONS) - 1 - need else f"{allowed} others allowed, exit {ran.status}"
    if command == "status":
        kinds = {s["kind"] for p in ran.json["pipelines"] for s in p["stages"]}
        gone = {"sqs:ListQueues": "sqs", "kinesis:ListStreams": "kinesis", "lambda:ListFunctions": "lambda"}.get(op)
        return None if kinds == {"sqs", "kinesis", "lambda"} - {gone} and ran.status in (0, 1) else f"{kinds} are left"
    if command == "check" and ran.status != (0 if op.startswith("sts:") else 3):
        return f"exit {ran.status}"
    return None


def test_denied_names_the_missing_action(tmp_path, figure):
    """E6: AccessDenied on each operation alone, in every command that asks for it: the rest goes on, the IAM action is named."""
    passed = reached = 0
    problems, asked = [], [(c, op) for c in COMMANDS for op in fakeaws.OPERATIONS]
    for i, (command, op) in enumerate(asked):
        with FakeAws({op: fakeaws.denied}, answers=fakeaws.Answers(points=0 if command == "history" else 15)) as aws:
            ran = Sluice(tmp_path / f"{i}")(*COMMANDS[command], env=aws.env())
            if not aws.calls.get(op):
                continue
        reached += 1
        problem = wrong(command, op, ran)
        passed += not problem
        if problem:
            problems.append(f"{command} {op}: {problem}\n{ran}")
    figure("E6", "AccessDenied on each operation alone, commands", attempted=reached, passed=passed, reached=reached,
           note=f"{len(fakeaws.OPERATIONS)} operations x {len(COMMANDS)} commands; {len(asked) - reached} pairs do not meet")
    assert not problems, f"{len(problems)}:\n{problems[0]}"


def test_denied_leaves_the_other_panels(tmp_path, figure):
    """E6 in the console: what is not denied is shown, and the action stands on the screen."""
    ops = [op for op in fakeaws.OPERATIONS if op != "cloudwatch:ListMetrics"]  # which the console does not ask for

    def one(op):
        with FakeAws({op: fakeaws.denied}) as aws, Console(tmp_path / op.replace(":", "-"), env=aws.env(), columns=160) as c:
            shown = {"sqs:": "orders", "kinesis:": "ingest", "lambda:": "enrich"}
            others = [name for service, name in shown.items() if not op.startswith(service)]
            try:
                c.wait(f"allow {fakeaws.OPERATIONS[op]}", *others)
            except AssertionError as e:
                return False, bool(aws.calls.get(op)), f"{op}: {e}"
            c.type("q").end()
        return True, bool(aws.calls.get(op)), ""

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        got = list(pool.map(one, ops))
    figure("E6", "AccessDenied on each operation alone, console", attempted=len(ops), passed=sum(g[0] for g in got), reached=sum(g[1] for g in got))
    assert all(g[0] for g in got), next(g[2] for g in got if not g[0])
