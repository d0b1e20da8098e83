"""Reliability line E: how services behave on a bad day."""

import fakeaws
from fakeaws import FakeAws
from program import Sluice


def test_denied_names_the_missing_action(tmp_path, figure):
    """E6: AccessDenied on each operation alone: the rest goes on, the IAM action is named."""
    asked = [op for op in fakeaws.OPERATIONS if op != "cloudwatch:ListMetrics"]
    passed, reached, wrong = 0, 0, []
    for i, op in enumerate(asked):
        with FakeAws({op: fakeaws.denied}) as aws:
            ran = Sluice(tmp_path / f"{i}")("status", "--format", "json", env=aws.env())
            reached += bool(aws.calls.get(op))
        right = fakeaws.OPERATIONS[op] in ran.err + ran.out and ran.status in (0, 1) and ran.json["pipelines"]
        passed += bool(right)
        if not right:
            wrong.append(str(ran))
    figure("E6", "AccessDenied on each operation alone", attempted=len(asked), passed=passed, reached=reached)
    assert not wrong, wrong[0]
