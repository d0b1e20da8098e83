"""Reliability line C3: AWS's own cases of the credential chain. What a case records of the network is played back at the seam of
aws/http/http.h, method and address of each request compared (tests/tools/chain_cli.c)."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from program import ROOT, clean_env

BUILD = pathlib.Path(os.environ.get("SLUICE_BUILD", ROOT / "build"))
NOW = "2009-01-01T00:00:00Z"  # the recorded keys ended long ago: then they live

# AWS's cases quote one SDK's words; these are ours for the same reason.
REASONS = {
    "eks_pod_identity_no_token_file": "token.jwt",
    "imds_default_chain_error": "no role",
    "imds_disabled": "AWS_ACCESS_KEY_ID is not set",
    "imds_no_iam_role": "no role",
    "imds_token_fail": "HTTP 403",
    "profile_overrides_web_identity": "credential_source is Environment",
    "sso_no_token_file": "run: aws sso login --profile sso-test",
    "sso_server_error": "HTTP 503",
    "web_identity_source_profile_no_env": "role_arn is missing",
    "web_identity_token_invalid_jwt": "No OpenIDConnect provider found",
}


def cases():
    for below in ("data", "."):
        found = pathlib.Path(os.environ.get("SLUICE_SHARED", ROOT / ".." / "shared"), below, "aws-config", "default-credential-provider-chain")
        if found.is_dir():
            return sorted(p for p in found.iterdir() if p.is_dir())
    return []


def replay(case, tmp):
    """The case's own files and environment, its absolute paths moved below tmp."""
    root = tmp / case.name
    shutil.copytree(case / "fs", root) if (case / "fs").is_dir() else root.mkdir(parents=True)
    root.chmod(0o700)
    for path in root.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        if path.name == "config":
            path.write_text(path.read_text().replace("/token.jwt", f"{root}/token.jwt"))
    env = {k: f"{root}{v}" if v.startswith(("/home", "/token.jwt")) else v for k, v in json.loads((case / "env.json").read_text()).items()}
    env = {"HOME": str(root / "home"), **env, "SLUICE_NOW": NOW}
    whole = clean_env(root, env)
    if "AWS_EC2_METADATA_DISABLED" not in env:
        del whole["AWS_EC2_METADATA_DISABLED"]  # nothing is asked but the recording
    p = subprocess.run([BUILD / "tools/chain_cli", case / "http-traffic.json"], env=whole, capture_output=True, text=True, timeout=60, cwd=root)
    assert p.returncode == 0, p.stderr
    return json.loads(p.stdout)


def judge(case, got):
    """Nothing when it ends as AWS says, else what differs."""
    wanted = json.loads((case / "test-case.json").read_text())["result"]
    wrong = []
    if got["strange"]:
        wrong.append(f"asked {got['strange']}")
    if got["asked"] != got["recorded"]:
        wrong.append(f"asked {got['asked']} of {got['recorded']}")
    if "Ok" in wanted:
        ours = {k: got.get(k) or None for k in ("access_key_id", "secret_access_key", "session_token", "account_id", "expiry")}
        theirs = {k: wanted["Ok"].get(k) for k in ours}
        if ours != theirs:
            wrong.append(f"got {ours}, wanted {theirs}: {got.get('where')}: {got.get('text')}")
    elif not got.get("error") or REASONS[case.name] not in got["text"]:
        wrong.append(f"{got}, where AWS says {wanted['ErrorContains']}")
    return wrong


def test_chain(tmp_path, figure):
    """C3: the same winner with the same keys, or an error where there is one."""
    found = cases()
    if not found:
        figure("C3", "AWS's cases: the default chain", attempted=29, skipped=29, why="AWS's cases are not at hand (SLUICE_SHARED)")
        pytest.skip("AWS's cases are not at hand")
    judged = {case.name: judge(case, replay(case, tmp_path)) for case in found}
    failed = {name: wrong for name, wrong in judged.items() if wrong}
    figure("C3", "AWS's cases: the default chain", attempted=len(found), passed=len(found) - len(failed), reached=len(found))
    assert not failed, "\n".join(f"{name}: {wrong}" for name, wrong in failed.items())
    assert len(found) == 29


def test_roles(figure):
    """C3: what profiles with roles come to; the cases are run by the unit test."""
    program = BUILD / "unit/t_chain"
    if not program.exists() or not cases():
        figure("C3", "AWS's cases: roles in profiles", attempted=28, skipped=28, why="AWS's cases or build/unit/t_chain are not at hand")
        pytest.skip("not at hand")
    p = subprocess.run([program], capture_output=True, text=True, timeout=60, cwd=ROOT)
    passed, n = map(int, re.search(r"(\d+) of (\d+) cases", p.stdout).groups())
    figure("C3", "AWS's cases: roles in profiles", attempted=n, passed=passed, reached=n)
    assert p.returncode == 0 and passed == n == 28, p.stdout
