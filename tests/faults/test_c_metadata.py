"""Reliability line C3, the part of containers and instances: AWS's own cases of where credentials are asked for."""

import hashlib
import json
import os
import pathlib
import subprocess
import sys

import pytest

from fakemeta import alone, cred_cli, tool
from program import ROOT, SLOWER, clean_env
from test_c_container import container_cli


def aws_config():
    shared = pathlib.Path(os.environ.get("SLUICE_SHARED") or ROOT.parent / "shared")
    return next((f for f in (shared / "data" / "aws-config", shared / "aws-config") if f.is_dir()), None)


def aws_cases(name):
    folder = aws_config()
    return json.loads((folder / name).read_text())["tests"] if folder else []


def test_containers(tmp_path, figure):
    """C3: AWS's cases of a container's URI: the plan, then the provider's verdict on it."""
    cases, wrong = aws_cases("ecs-tests.json"), []
    if not cases:
        figure("C3", "AWS's cases: container credentials", attempted=11, skipped=11, why="AWS's cases are not at hand (SLUICE_SHARED)")
        pytest.skip("no cases")
    for case in cases:
        plan = cred_cli(tmp_path, {**case["env"], "AWS_REGION": "eu-west-1"}, "plan")
        verdict = {}
        if plan.get("from") == "container":
            uri = plan["uri"].removeprefix("http://169.254.170.2") if plan["relative"] else plan["uri"]
            verdict = container_cli(tmp_path, [{"uri": uri, "relative": plan["relative"], "answers": [["203.0.113.6"]]}])[0]
        if "Ok" in case["result"]:
            right = plan.get("uri") == case["result"]["Ok"] and verdict["connected"]
        elif case["env"]:
            right = verdict.get("error") == "configuration" and "no http(s)://HOST" in verdict["text"]
        else:
            right = plan.get("error") == "no credentials"
        if not right:
            wrong.append(f"{case['docs']}: {plan} {verdict}")
    figure("C3", "AWS's cases: container credentials", attempted=len(cases), passed=len(cases) - len(wrong), reached=len(cases))
    assert not wrong, "\n".join(wrong)


def test_instances(tmp_path, figure):
    """C3: AWS's cases of where EC2's metadata service is. What an SDK's caller passes by hand, sluice takes from the environment."""
    cases, wrong = aws_cases("imds-endpoint-tests.json"), []
    if not cases:
        figure("C3", "AWS's cases: EC2's metadata endpoint", attempted=14, skipped=14, why="AWS's cases are not at hand (SLUICE_SHARED)")
        pytest.skip("no cases")
    for i, case in enumerate(cases):
        folder = tmp_path / str(i)
        folder.mkdir()
        for name, text in case["fs"].items():
            (folder / name).write_text(text)
        env = {k: str(folder / v) if k == "AWS_CONFIG_FILE" else v for k, v in case["env"].items()}
        if "endpoint_override" in case:
            env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = case["endpoint_override"]
        if "mode_override" in case:
            env["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"] = case["mode_override"]
        got = cred_cli(folder, {"AWS_EC2_METADATA_DISABLED": "false", "AWS_REGION": "eu-west-1", **env}, "imds")
        if "Ok" in case["result"]:
            right = got.get("endpoint") and got["endpoint"] + "/latest/api/token" == case["result"]["Ok"]
        else:
            right = got.get("error") == "configuration"
        if not right:
            wrong.append(f"{case['docs']}: {got}")
    figure("C3", "AWS's cases: EC2's metadata endpoint", attempted=len(cases), passed=len(cases) - len(wrong), reached=len(cases),
           note="three of them with an SDK's parameter given as the environment's variable")
    assert not wrong, "\n".join(wrong)


REPLAY = pathlib.Path(__file__).resolve().parents[1] / "peers" / "replay.py"
ADDRESSES = "ip link set lo up; ip addr add 169.254.169.254/32 dev lo; ip addr add 169.254.170.2/32 dev lo"


NOW = ("2009-01-01T00:00:00Z", 1230768000)  # the recorded keys ended long ago: then they live


def replayed(home, case):
    """AWS's case with its recorded traffic at the true addresses, in a network of its own: (what came of it, what was asked)."""
    env = {"AWS_EC2_METADATA_DISABLED": "false", "AWS_ENDPOINT_URL_STS": "http://169.254.170.2", **json.loads((case / "env.json").read_text()),
           "SLUICE_NOW": NOW[0]}
    env["HOME"] = str(case / "fs" / "home") if (case / "fs").exists() else str(home)
    argv = alone(ADDRESSES, sys.executable, REPLAY, case / "http-traffic.json", tool("cred_cli"))
    p = subprocess.run(argv, env=clean_env(home, env), capture_output=True, timeout=30 * SLOWER)
    assert b"Sanitizer" not in p.stderr, p.stderr.decode()
    lines = [json.loads(line) for line in p.stdout.decode().splitlines() if line.startswith("{")]
    return lines if len(lines) == 2 else None


def test_recorded_traffic(tmp_path, figure):
    """C3: AWS's cases with their recorded conversations: the same questions in the same order, the same keys or none."""
    folder, what = aws_config(), "AWS's cases: conversations with EC2 and containers"
    cases = sorted(c for c in (folder / "default-credential-provider-chain").iterdir() if c.name.startswith(("imds_", "ecs_"))) if folder else []
    wrong, skipped, reached = [], [], 0
    for case in cases:
        want = json.loads((case / "test-case.json").read_text())["result"]
        came = replayed(tmp_path, case)
        if not came or "no such source" in came[0].get("text", ""):
            skipped.append(case.name)
            continue
        got, traffic = came
        reached += traffic["asked"] == traffic["recorded"]
        right = traffic["asked"] == traffic["right"] == traffic["recorded"]
        if "Ok" in want:
            sum256 = hashlib.sha256(want["Ok"]["secret_access_key"].encode()).hexdigest()
            right = right and (got.get("access_key"), got.get("secret_sha256"), got.get("session_token"), got.get("account"), got.get("lives_s")) == (
                want["Ok"]["access_key_id"], sum256, want["Ok"]["session_token"], want["Ok"].get("account_id"), want["Ok"]["expiry"] - NOW[1])
        else:
            right = right and got.get("error") == "no credentials"
        if not right:
            wrong.append(f"{case.name}: wanted {want}, got {got}, {traffic}")
    figure("C3", what, attempted=len(cases) or 11, passed=len(cases) - len(wrong) - len(skipped), reached=reached, skipped=len(skipped) or (0 if cases else 11),
           why=f"no AWS cases, no namespaces, or no such provider: {', '.join(skipped)}", note="over sockets, at the true addresses, in a namespace")
    assert not wrong, "\n".join(wrong)
