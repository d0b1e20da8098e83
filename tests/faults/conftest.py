"""Faults and their figures: each line of the plan in docs/reliability.md is a test that says how often its fault was tried, how
often it was really reached and how often sluice did right. `make faults` prints the table; a test that fails prints its figure too."""

import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))

import tls  # noqa: E402
from program import LONG, ROOT, SLOWER, Sluice, binary  # noqa: E402


@dataclasses.dataclass
class Figure:
    """One line of the table. reached: how often the injector itself saw its fault happen; a fault never reached is not tested."""
    id: str
    what: str
    attempted: int = 0
    passed: int = 0
    reached: int = 0
    skipped: int = 0
    why: str = ""
    note: str = ""
    seconds: float = 0.0

    def met(self):
        return self.attempted > 0 and self.passed == self.attempted - self.skipped and self.reached > 0


FIGURES = []


@pytest.fixture
def figure(request):
    """figure(id, what, attempted=, passed=, reached=, skipped=, why=, note=): a test may report several."""
    begun = time.monotonic()
    reported = []

    def report(id, what, **numbers):
        line = Figure(id, what, seconds=time.monotonic() - begun, **numbers)
        FIGURES.append(line)
        reported.append(line)
        return line

    yield report
    if not reported:
        FIGURES.append(Figure(request.node.name, "ended without a figure"))


@pytest.fixture(autouse=True)
def no_hang():
    def give_up(signum, frame):
        raise TimeoutError("this test hangs")
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(300 * SLOWER * (4 if LONG else 1))
    yield
    signal.alarm(0)


@pytest.fixture
def sluice(tmp_path):
    return Sluice(tmp_path / "home")


@pytest.fixture(scope="session")
def ca(tmp_path_factory):
    """(key, certificate, path of ca.pem) of a certificate authority that nobody else trusts."""
    return tls.make_ca(tmp_path_factory.mktemp("tls"))


def pytest_report_header():
    return f"sluice: {binary()}"


def _commit():
    try:
        return subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


def _table():
    yield f"{time.strftime('%Y-%m-%d %H:%M')}  commit {_commit() or 'unknown'}  {os.cpu_count()} processors  {os.environ.get('SLUICE_SANITIZER') or 'no sanitizer'}"
    yield f"{'':4} {'figure':<58} {'tried':>8} {'right':>8} {'reached':>8} {'skipped':>8} {'s':>5}"
    for f in sorted(FIGURES, key=lambda f: (f.id[:1], len(f.id), f.id)):
        yield f"{f.id:4} {f.what:<58} {f.attempted:>8} {f.passed:>8} {f.reached:>8} {f.skipped:>8} {f.seconds:>5.0f}{'' if f.met() else '  NOT MET'}"
        for more in filter(None, (f"skipped: {f.why}" if f.skipped else "", f.note)):
            yield f"     {more}"
    met = sum(f.met() for f in FIGURES)
    yield f"{met} figures met, {len(FIGURES) - met} not"


def pytest_terminal_summary(terminalreporter):
    if not FIGURES:
        return
    lines = list(_table())
    terminalreporter.section("figures")
    for line in lines:
        terminalreporter.write_line(line)
    build = os.environ.get("SLUICE_BUILD")
    if build and os.path.isdir(build):
        pathlib.Path(build, "faults.txt").write_text("\n".join(lines) + "\n")
