"""docs/ci.md is run: each of its shell lines, against the demo's scenarios, as the place it is written for would run it."""

import json
import os
import re
import subprocess
import xml.etree.ElementTree as ET

import pytest
import yaml
from program import ROOT, SLOWER, binary, clean_env

DOC = (ROOT / "docs" / "ci.md").read_text()
SCENARIOS = {"calm": 0, "dlq-growth": 2, "denied": 3}  # the streams may not be listed, which alarms and queues do not need


def expected(line, scenario):
    return 0 if scenario == "denied" and "--alarms" in line else SCENARIOS[scenario]


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", DOC, re.M | re.S)


ACTIONS, GITLAB = (yaml.safe_load(b) for b in blocks("yaml"))
STEPS = [s["run"] for s in ACTIONS["jobs"]["gate"]["steps"] if "run" in s]
SCRIPT = GITLAB["pipelines"]["script"]
CRONTAB = blocks("crontab")[0].splitlines()
CRON = [re.fullmatch(r"(?:\S+ ){5} *(.*)", line)[1] for line in CRONTAB[1:]]
NAGIOS = re.search(r"command_line +(.*)", blocks("nagios")[0])[1]


@pytest.fixture
def shell(tmp_path):
    """Runs a line with a `sluice` on PATH that is the demo; the clock stands still, so that nothing waits ten minutes."""
    (tmp_path / "bin").mkdir()
    wrapper = tmp_path / "bin" / "sluice"
    wrapper.write_text(f'#!/bin/sh\nexec "{binary()}" "--demo=$SCENARIO" "$@"\n')
    wrapper.chmod(0o755)

    def run(line, scenario, **env):
        env = clean_env(tmp_path, {"SCENARIO": scenario, "SLUICE_NOW": "2026-11-23T03:14:42Z", "TMPDIR": str(tmp_path), **env})
        env["PATH"] = f"{tmp_path / 'bin'}:{env['PATH']}"
        return subprocess.run(["sh", "-c", line], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120 * SLOWER)

    return run


def test_the_document_has_what_is_run_here():
    assert len(STEPS) == 2 and len(SCRIPT) == 1 and len(CRON) == 2 and all("sluice --check" in line for line in [*STEPS, *SCRIPT, *CRON, NAGIOS])
    assert not any("%" in line for line in CRON), "cron ends a command at a percent sign"


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("step", STEPS)
def test_github_actions(shell, tmp_path, step, scenario):
    summary = tmp_path / "summary.md"
    ran = shell(step, scenario, GITHUB_STEP_SUMMARY=str(summary), GITHUB_ACTIONS="true")
    assert ran.returncode == expected(step, scenario), ran
    assert ("::error" in ran.stdout) == (expected(step, scenario) != 0) and "### sluice --check" in summary.read_text(), ran


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("line", SCRIPT)
def test_gitlab_ci(shell, tmp_path, line, scenario):
    ran = shell(line, scenario)
    reports = GITLAB["pipelines"]["artifacts"]["reports"]
    suite = ET.parse(tmp_path / reports["junit"]).getroot()[0]
    findings = json.loads((tmp_path / reports["codequality"]).read_text())
    assert ran.returncode == SCENARIOS[scenario] and ran.stdout == "", ran
    assert len(findings) == int(suite.get("failures")) + int(suite.get("errors")) and bool(findings) == (scenario != "calm")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_cron(shell, tmp_path, scenario):
    mail, collector = CRON
    variable = re.fullmatch(r"([A-Z]+)=\S+", CRONTAB[0])[1]
    ran = shell(mail, scenario)
    assert ran.returncode == 0 and (ran.stdout == "") == (expected(mail, scenario) == 0), ran
    ran = shell(collector, scenario, **{variable: str(tmp_path)})
    text = (tmp_path / "sluice.prom").read_text()
    assert ran.returncode == SCENARIOS[scenario] and f"\nsluice_check_exit {SCENARIOS[scenario]}\n" in text, ran
    assert sorted(p for p in os.listdir(tmp_path) if "prom" in p) == ["sluice.prom"]


@pytest.mark.parametrize("argument,scenario,status,word", [("alarms/HighErrorRate", "calm", 0, "OK"), ("alarms/DlqNotEmpty", "dlq-growth", 2, "CRITICAL"),
                                                           ("nothing of this name", "calm", 3, "UNKNOWN")])
def test_nagios(shell, argument, scenario, status, word):
    ran = shell(NAGIOS.replace("$ARG1$", argument), scenario)
    assert ran.returncode == status and ran.stdout.startswith(f"SLUICE {word}: ") and len(ran.stdout.split("\n")[0]) < 80, ran


def test_the_configuration_is_one(sluice):
    """Read whole by sluice: an unknown key would be refused with its line; here only the account is missing."""
    ran = sluice("--check", "--config", sluice.config(blocks("ini")[0]), env={"AWS_REGION": "eu-west-1"})
    assert ran.status == 3 and "AWS_ACCESS_KEY_ID" in ran.err and "config.ini" not in ran.err, str(ran)
